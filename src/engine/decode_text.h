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
  SIGN_ODD = 1,         /* letter pairs that no language has, capitals inside words, digits before letters, or a long number */
  SIGN_ODD_BEFORE = 16, /* the same about the second half of the block before and the first of this one */
  SIGN_SPACED = 2,      /* many single letters */
  SIGN_EIGHTS = 32,     /* groups of eight hexadecimal digits */
  SIGN_LISTS = 4,       /* pairs of hexadecimal digits with something between them */
  SIGN_MARKS = 8,       /* two bytes that may begin a mark: % & \ = before what they mark, 0x, U+, a dash beside a dot */
};

struct text_model {
  uint8_t letter[256];  /* 1..26, or 0 for a boundary */
  uint8_t cost[27][27]; /* by letter[]: cost of the second after the first */
  uint8_t odd[65536];   /* how odd two bytes are, by how they lie in memory */
};

/* The gate, between blocks. */
struct gate {
  unsigned signs, half;  /* of all blocks so far; how odd the second half of the last one was */
  uint64_t letters, hex; /* one bit for each byte of the last block: is it a letter, a hexadecimal digit? */
};
/* Reads s[at, at + n), n at most BLOCK, which follows what the gate has read before; returns its signs. Begin with {0}, and
 * end with an empty block: patterns at the end of a block are seen with the next one. */
unsigned gate_block(const struct text_model *m, struct gate *g, struct str s, size_t at, size_t n);

void text_model_init(struct text_model *m);
/* Cost of a text's letters, boundaries at both ends; *pairs: how many pairs that was (pairs of boundaries are free and not counted). */
uint32_t text_cost(const struct text_model *m, struct str s, uint32_t *pairs);
bool text_is_utf8(struct str s);
/* Mostly letters, and letters as language has them? */
bool text_is_language(const struct text_model *m, struct str s);
/* UTF-8 without control characters: what may be text, if encoded further. Short texts must have letters, very short ones language. */
bool text_is_plausible(const struct text_model *m, struct str s);
#endif
