/*
 * literals: the gates and words of the rules, found in whole texts and in the few bytes that a stream is fed: it costs by the byte, where a call of
 * Vectorscan's streaming mode costs as much as some hundred, and keeps nothing from one call to the next.
 *
 * Of each expression the four bytes wake it, of its last eight, that are rarest in text. At each byte one bit of a table says whether something wakes
 * there, by the last four bytes; where what does may end is looked at. It reports what Vectorscan would for the same expressions. It knows literals, and
 * expressions that are a row of bytes and classes of bytes; where rules have others, `complete` is false, and Vectorscan looks for all of them.
 */
#ifndef ENGINE_LITERALS_H
#define ENGINE_LITERALS_H
#include "base/arena.h"
#include "engine/rule.h"

enum {
  LITERALS_CELLS = 1 << 15,
  LITERALS_BITS = 1 << 15,
  LITERALS_BUCKETS = 1 << 12,
  LITERALS_SIGNS = 8,
  LITERALS_SHORT = 2,
  LITERALS_REACH = 4 /* how far behind what wakes it an expression ends at most */
};

struct pattern;
struct literals;

/* Where in p[0..n) something wakes that has three bytes or more, as bits, and where something shorter may end. p[-3..64) can be read. */
typedef uint64_t literals_reader(const struct literals *l, const unsigned char *p, unsigned n, uint64_t *shorts);

/* Something that ends in certain bytes. */
struct literal {
  uint64_t tail;    /* its last bytes, at most eight, in small letters; the last is the highest */
  uint32_t pattern; /* its number */
  uint32_t shift;   /* 64 less the bits of the tail; LITERAL_CLASSES: it has classes */
};

/* An expression that is a row of classes. */
struct class_row {
  uint32_t pattern;
  unsigned n;
  struct charset of[RULE_PATTERN_MAX];
};

/* By the hash of their last three, four or six bytes. */
struct literal_index {
  uint32_t first[LITERALS_BUCKETS + 1]; /* where in all a bucket begins; it ends where the next one does */
  struct literal *all;
};

struct literals {
  bool complete;
  /* Does something wake at these three bytes (the cell, by their hash) behind this one (the bit)? Four cells can be read from each. */
  uint8_t may[LITERALS_CELLS + 3];
  /* How far behind the four bytes of this hash, from 0 to LITERALS_REACH, may something end? Bits. */
  uint8_t reach[LITERALS_BITS / 2];
  /* Does something of three, of four or five, of more bytes end in three, four, six bytes of this hash? */
  uint32_t threes[LITERALS_BITS / 32], fours[LITERALS_BITS / 32], sixes[2 * LITERALS_BITS / 32];
  struct literal_index by_three, by_four, by_six; /* those of three bytes, of four and five, and others */
  struct class_row *rows;
  uint32_t n_rows;
  /* What is shorter than three bytes: it has a sign, or is two capitals. */
  uint64_t pairs[65536 / 64];
  char signs[LITERALS_SIGNS];
  uint8_t sign_low[16], sign_high[16]; /* one bit in common: the byte with these halves is a sign */
  uint8_t before[128], last[128];      /* one bit in common: the two may be one of them, whose last byte is ASCII */
  struct literal *shorts;
  uint32_t n_shorts;
  const struct pattern *patterns; /* borrowed */
  literals_reader *find;
};

/* The best reader of this processor, or the one of that name ("avx512vbmi", "avx2", "portable"); NULL when the processor cannot, or there is none. They all
 * say the same. */
literals_reader *literals_path(const char *name);

/* What they look up by the last four bytes, the last one highest, in small letters: the cell of `may`, whose bit is the fourth's lower three bits. */
#define LITERALS_PRIME UINT32_C(0x1E3779B1)
enum { LITERALS_CELL_SHIFT = 17, LITERALS_CELL_BITS = 7 };
static inline uint32_t literals_cell(uint32_t last)
{
  return (last & 0xFFFFFF00) * LITERALS_PRIME >> LITERALS_CELL_SHIFT;
}
static inline bool literals_may(const struct literals *l, uint32_t last)
{
  return l->may[literals_cell(last)] >> (last & LITERALS_CELL_BITS) & 1;
}

/* The first n patterns. False: no memory. */
bool literals_init(struct literals *l, struct vdt_arena *arena, const struct pattern *patterns, uint32_t n);

/* As Vectorscan's callback, whose return value is not looked at. */
typedef int literals_fn(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context);
/* Reports what ends in p[from..n), at offset base + its end, by rising ends. What it has begun before `from` is read from p. */
void literals_find(const struct literals *l, const unsigned char *p, size_t from, size_t n, uint64_t base, literals_fn *fn,
                   void *context);
#endif
