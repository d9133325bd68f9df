/*
 * What rows of letters say of a window of a prompt: every four, six and eight bytes in a row of its text in lower case, hashed into a table, summed over the
 * window and over its worst 32 places in a row. Taught what is true, as the witness is (gate.h), and errs in other places than it and the encoder:
 * it knows stems, endings and typing errors, and words of languages of which the vocabulary has only pieces. So the logit of a window is a mean of all three.
 *
 * Asked of windows that the gate lets pass, in a few microseconds; what it says tells harmless ones among them.
 */
#ifndef MODEL_LETTERS_H
#define MODEL_LETTERS_H
#include <stddef.h>
#include <stdint.h>

enum { LETTERS_ROWS = 3, LETTERS_NARROW = 32 };

struct letters {
  uint32_t bits;
  const int8_t *table;       /* 1 << bits */
  float whole, narrow, bias; /* factors of the two sums, and what is added to them */
  float share;               /* in the logit */
  float pass;                /* a window whose foreseen logit, with this known, is at or above it goes to the encoder */
};

/* Of the n bytes at text. Every processor finds the same. */
float letters_say(const struct letters *l, const char *text, size_t n);
/* The places of the table that each byte adds up, LETTERS_ROWS for each, 1 << bits for none; for training. */
void letters_slots(uint32_t bits, const char *text, size_t n, uint32_t *out);
#endif
