/*
 * Does it look like language? Letter pairs of Latin text (decode_bigrams.inc), and what follows from them: the gate, which says in one
 * pass where a text may hide something, and the tests that what was decoded must pass.
 *
 * Costs are in eighths of a bit: cost of a letter after another in ordinary text, from 8 (one bit) to 112.
 */
#ifndef ENGINE_DECODE_TEXT_H
#define ENGINE_DECODE_TEXT_H
#include "base/str.h"

enum { BLOCK = 64 };

enum sign {
  SIGN_ODD =
      1, /* letter pairs that no language has, capitals inside words, digits before letters, a long number, a very long word */
  SIGN_ODD_BEFORE = 16, /* the same about the second half of the block before and the first of this one */
  SIGN_SPACED = 2,      /* many single letters */
  SIGN_EIGHTS = 32,     /* groups of eight hexadecimal digits */
  SIGN_LISTS = 4,       /* pairs of hexadecimal digits with something between them */
  SIGN_MARKS = 8,       /* two bytes that may begin a mark (enum mark_kind) */
  SIGN_HIGH = 64,       /* a byte that is not ASCII */
  SIGN_BACKWARDS = 128, /* text written backwards: a capital that ends a word, a full stop or a comma that begins one */
};

/* Pairs of bytes with which marks begin; each row: id, the first byte, what follows it. */
enum mark_kind {
  MARK_PERCENT,
  MARK_REFERENCE,
  MARK_ESCAPE,
  MARK_QUOTED,
  MARK_ZERO_X,
  MARK_U_PLUS,
  MARK_DOT_DASH,
  MARK_CONTROL,
  MARK_KINDS
};

struct text_model {
  uint8_t letter[256];        /* 1..26, or 0 for a boundary */
  uint8_t cost[27][27];       /* by letter[]: cost of the second after the first */
  uint64_t turned[27][27][2]; /* the same by each cipher of letters (decode_ciphers.c) */
  uint16_t odd[65536];        /* how odd two bytes are, by how they lie in memory */
};

/* The compiler's own would call a function: the instruction is not on every processor. */
static inline size_t bits(uint64_t x)
{
  x -= x >> 1 & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
  return (size_t)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}

/* The gate, between blocks. */
struct gate {
  unsigned signs, half;    /* of all blocks so far; how odd the second half of the last one was */
  uint64_t letters, hex;   /* one bit for each byte of the last block: is it a letter, a hexadecimal digit? */
  uint64_t uu;             /* the same: may a line of uuencode begin there, after a line feed? */
  uint64_t backwards;      /* the same: is there a sign of text written backwards? */
  bool any;                /* some block was read */
  bool solid;              /* nothing in the last block is blank */
  bool line, blank, small; /* the last byte was a line feed, a blank, a small letter */
  bool capital;            /* or a capital behind a small letter */
};
/* Reads s[at, at + n), n at most BLOCK, which follows what the gate has read before; returns its signs. Begin with {0}, and
 * end with an empty block: patterns at the end of a block are seen with the next one. */
unsigned gate_block(const struct text_model *m, struct gate *g, struct str s, size_t at, size_t n);

/* A control character of ASCII that is no blank. */
static inline bool is_control(unsigned char c)
{
  return (c < 0x20 && !(c >= '\t' && c <= '\r')) || c == 0x7f;
}

/* The kind of mark that two bytes may begin; MARK_KINDS: none. */
enum mark_kind mark_begins(unsigned char a, unsigned char b);
/* May s[i, i + 1] begin a mark? */
bool text_has_mark(const struct text_model *m, struct str s, size_t i);

void text_model_init(struct text_model *m);
/* Cost of a text's letters, boundaries at both ends; *pairs: how many pairs that was (pairs of boundaries are free and not counted). */
uint32_t text_cost(const struct text_model *m, struct str s, uint32_t *pairs);
bool text_is_utf8(struct str s);
/* May the first eight bytes be those of a text? Random ones hardly ever are. What is plausible begins so. */
bool text_may_begin(struct str s);
/* Mostly letters, and letters as language has them? */
bool text_is_language(const struct text_model *m, struct str s);
/* UTF-8 without control characters: what may be text, if encoded further. Short texts must have letters, very short ones language. */
bool text_is_plausible(const struct text_model *m, struct str s);
#endif
