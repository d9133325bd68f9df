/*
 * literals: the gates and words of the rules, found in a few bytes at a time. A call of Vectorscan's streaming mode costs as much as looking at
 * some hundred bytes, and a stream is fed fewer; this costs by the byte, and keeps nothing from one call to the next.
 *
 * At each byte one bit of a table says whether something may end there, by the last four bytes; the few that are left are compared. It reports what
 * Vectorscan would for the same expressions. It knows literals, and expressions that are a row of bytes and classes of bytes; where rules have
 * others, `complete` is false, and who looks for all of them has to ask Vectorscan.
 */
#ifndef ENGINE_LITERALS_H
#define ENGINE_LITERALS_H
#include "base/arena.h"
#include "engine/rule.h"

enum { LITERALS_WORDS = 1 << 13, LITERALS_BITS = 1 << 15, LITERALS_BUCKETS = 1 << 12, LITERALS_SIGNS = 8, LITERALS_SHORT = 2 };

struct pattern;
struct literals;

/* Where in p[0..n) something may end that has three bytes or more, as bits, and where something shorter may. p[-3..64) can be read. */
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

/* By the hash of their last bytes. */
struct literal_index {
  uint32_t first[LITERALS_BUCKETS + 1]; /* where in all a bucket begins; it ends where the next one does */
  struct literal *all;
};

struct literals {
  bool complete;
  /* May something end in these three bytes (the word, by their hash) behind this one (the bit)? */
  uint32_t may[LITERALS_WORDS];
  /* Does something of three, of four or five, of more bytes end in three, four, six bytes of this hash? */
  uint32_t threes[LITERALS_BITS / 32], fours[LITERALS_BITS / 32], sixes[2 * LITERALS_BITS / 32];
  struct literal_index by_three, by_four; /* those of three bytes, and others */
  struct class_row *rows;
  uint32_t n_rows;
  /* What is shorter than three bytes: it has a sign, or is two capitals. */
  uint64_t pairs[65536 / 64];
  char signs[LITERALS_SIGNS];
  uint8_t before[128], last[128]; /* one bit in common: the two may be one of them, whose last byte is ASCII */
  struct literal *shorts;
  uint32_t n_shorts;
  const struct pattern *patterns; /* borrowed */
  literals_reader *find;
  bool quick; /* find is quicker than Vectorscan in whole texts too */
};

/* The best reader of this processor, or the one of that name ("avx512vbmi", "portable"); NULL when the processor cannot, or there is none. They all
 * say the same. */
literals_reader *literals_path(const char *name);

/* What they look up by the last four bytes, the last one highest, in small letters: the word of `may`, whose bit is the fourth's lower five bits. */
#define LITERALS_PRIME UINT32_C(0x1E3779B1)
enum { LITERALS_WORD_SHIFT = 19 };
static inline uint32_t literals_word(uint32_t last)
{
  return (last & 0xFFFFFF00) * LITERALS_PRIME >> LITERALS_WORD_SHIFT;
}

/* The first n patterns. False: no memory. */
bool literals_init(struct literals *l, struct vdt_arena *arena, const struct pattern *patterns, uint32_t n);

/* As Vectorscan's callback, whose return value is not looked at. */
typedef int literals_fn(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context);
/* Reports what ends in p[from..n), at offset base + its end, by rising ends. What it has begun before `from` is read from p. */
void literals_find(const struct literals *l, const unsigned char *p, size_t from, size_t n, uint64_t base, literals_fn *fn,
                   void *context);
#endif
