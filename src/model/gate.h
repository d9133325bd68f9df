/*
 * The first look at a window, in microseconds: what single tokens, neighbours and pairs with one token between bring, hashed into one table,
 * summed over the window and over its worst 8 and 32 tokens in a row: an attack is often short, and its window long.
 * It is trained to foresee the encoder's logit, so that windows which it is sure to find harmless need not be read; of those that are, the
 * logit is a mean of both: two that err in other places err less together.
 */
#ifndef MODEL_GATE_H
#define MODEL_GATE_H
#include <stddef.h>
#include <stdint.h>

enum { GATE_NARROW = 8, GATE_WIDE = 32, GATE_SLOTS = 3 };

struct gate_role {
  const int8_t *table;             /* 1 << bits entries */
  float whole, narrow, wide, bias; /* factors of the three sums */
  float pass;                      /* a window that is guessed at or above it goes to the encoder */
  float share;                     /* of the guess in the logit of a window that was read; the rest is the encoder's */
};

struct gate {
  uint32_t bits;
  struct gate_role role[2];
};

/* The gate's guess at the logit of a window; ids[0] is the role's token. */
float gate_guess(const struct gate *g, const uint32_t *ids, size_t n);
/* The places of the table that each token of a window adds up, GATE_SLOTS for each of ids[1], ids[2] ..., 1 << bits for none; for training. */
void gate_slots(uint32_t bits, const uint32_t *ids, size_t n, uint32_t *out);
#endif
