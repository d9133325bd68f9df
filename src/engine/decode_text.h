/*
 * Does it look like language? Letter pairs of Latin text (decode_bigrams.inc), and what follows from them: the gate, which says in one
 * pass where a text may hide something, and the tests that what was decoded must pass.
 *
 * Costs are in eighths of a bit: cost of a letter after another in ordinary text, from 8 (one bit) to 112.
 */
#ifndef ENGINE_DECODE_TEXT_H
#define ENGINE_DECODE_TEXT_H
#include "engine/gate.h"

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

enum {
  ODD_MARK = 1 << 15,
  ODD_CAPITAL = 6, /* a capital after a small letter */
  ODD_DIGIT = 6,   /* a digit before a letter */
};

struct text_model {
  uint8_t letter[256];        /* 1..26, or 0 for a boundary */
  uint8_t cost[27][27];       /* by letter[]: cost of the second after the first */
  uint64_t turned[27][27][2]; /* the same by each cipher of letters, and without (decode_ciphers.c) */
  uint16_t odd[65536];        /* how odd two bytes are, by how they lie in memory; ODD_MARK: they may begin a mark */
  gate_reader *read;          /* the gate's, of this processor */
  struct gate_tables tables;
};

/* A control character of ASCII that is no blank. */
static inline bool is_control(unsigned char c)
{
  return (c < 0x20 && !(c >= '\t' && c <= '\r')) || c == 0x7f;
}

/* May bytes behind the first be of a text? Random ones hardly ever are. */
static inline bool text_may_go_on(const char *p, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)p[i];
    if (c == 0x7f || c >= 0xf8 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r')) return false;
  }
  return true;
}

/* May the first eight bytes be those of a text? What is plausible begins so. */
static inline bool text_may_begin(struct str s)
{
  if (s.n && (unsigned char)s.p[0] >= 0x80 && (unsigned char)s.p[0] < 0xc2) return false;
  return text_may_go_on(s.p, s.n < 8 ? s.n : 8);
}

/* The kind of mark that two bytes may begin; MARK_KINDS: none. */
enum mark_kind mark_begins(unsigned char a, unsigned char b);
/* How odd is a pair of letters (1..26; 0: anything else), whatever its case? */
unsigned text_oddness(const struct text_model *m, unsigned x, unsigned y);

/* Two bytes as they lie in memory: one load, whichever end comes first. */
static inline uint16_t pair_index(const void *p)
{
  uint16_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

/* Do words of the spelling alphabet begin so? The second and third letters, by the lower five bits of the first, and those of alfa and x-ray. */
#define NATO_SECOND      "?lrhecooonuiiiosauoianihrau?????"
#define NATO_THIRD       "?paalhxltdllmkvcpemenicianl?????"
#define NATO_SECOND_ALSO "?lrhecooonuiiiosauoianih-au?????"
#define NATO_THIRD_ALSO  "?faalhxltdllmkvcpemenicirnl?????"
static inline bool nato_may_begin(const char *p)
{
  unsigned first = (unsigned char)p[0] & 31u;
  char b = p[1] | 32, c = p[2] | 32;
  return ((b == NATO_SECOND[first]) & (c == NATO_THIRD[first])) |
         ((b == NATO_SECOND_ALSO[first]) & (c == NATO_THIRD_ALSO[first]));
}

/* The cost of a letter (1..26; 0: anything else) after another. */
unsigned text_pair_cost(unsigned x, unsigned y);
void text_model_init(struct text_model *m);
/* Cost of a text's letters, boundaries at both ends; *pairs: how many pairs that was (pairs of boundaries are free and not counted). */
uint32_t text_cost(const struct text_model *m, struct str s, uint32_t *pairs);
bool text_is_utf8(struct str s);
/* Mostly letters, and letters as language has them? */
bool text_is_language(const struct text_model *m, struct str s);
/* UTF-8 without control characters: what may be text, if encoded further. Short texts must have letters, very short ones language. */
bool text_is_plausible(const struct text_model *m, struct str s);
#endif
