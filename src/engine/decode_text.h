/*
 * Does it look like language? Letter pairs of Latin text (decode_bigrams.inc), and what follows from them: the gate, which says in one
 * pass where a text may hide something, and the tests that what was decoded must pass.
 *
 * Costs are in eighths of a bit: cost of a letter after another in ordinary text, from 8 (one bit) to 112.
 */
#ifndef ENGINE_DECODE_TEXT_H
#define ENGINE_DECODE_TEXT_H
#include "base/str.h"

enum { CLASSES = 64, BLOCK = 64 };

enum sign {
  SIGN_ODD = 1,      /* letter pairs that no language has, capitals inside words, digits among letters */
  SIGN_PERCENT = 2,  /* % before a hexadecimal digit */
  SIGN_ENTITY = 4,   /* & before # or a letter */
  SIGN_ESCAPE = 8,   /* \ before x, u or U; U+ */
  SIGN_QUOTED = 16,  /* = before a hexadecimal digit */
  SIGN_MARKS = 32,   /* - after . or the other way round */
  SIGN_SPACED = 64,  /* single letters with something between them */
  SIGN_HIGH = 128,   /* anything outside ASCII */
  SIGN_LISTS = 256   /* four pairs of hexadecimal digits, or groups of eight binary ones, with something between them */
};

struct text_model {
  uint8_t letter[256];      /* 1..26, or 0 for a boundary */
  uint8_t class[256];       /* for the gate */
  uint16_t pair[CLASSES * CLASSES]; /* low byte: how odd; high byte: signs; bit 15 stands for class HIGH */
  uint8_t is_hex[CLASSES];
  uint8_t cost[27][27];     /* by letter[]: cost of the second after the first */
};

/* What the gate saw: signs, and the blocks that are odd. */
struct gate {
  unsigned signs, last;
  uint32_t letters, hex; /* one bit for each of the latest bytes: is it a letter, a hexadecimal digit? */
};
/* Reads the block s, which follows what the gate has read before; returns its signs, SIGN_ODD among them. Begin with {0}. */
unsigned gate_block(const struct text_model *m, struct gate *g, struct str s);

void text_model_init(struct text_model *m);
/* Cost of a text's letters, boundaries at both ends; *pairs: how many pairs that was (pairs of boundaries are free and not counted). */
uint32_t text_cost(const struct text_model *m, struct str s, uint32_t *pairs);
/* Mostly letters, and letters as language has them? */
bool text_is_language(const struct text_model *m, struct str s);
/* UTF-8 without control characters, and mostly letters, digits and blanks: what may be text, if encoded further. */
bool text_is_plausible(const struct text_model *m, struct str s);
#endif
