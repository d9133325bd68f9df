/*
 * The first look at a window, in microseconds: a linear model over single tokens, neighbours and pairs with one token between, hashed into
 * one table.
 * It is trained to foresee the encoder's logit, so that windows which it is sure to find harmless need not be read.
 */
#ifndef MODEL_GATE_H
#define MODEL_GATE_H
#include <stddef.h>
#include <stdint.h>

struct gate {
  const int8_t *table[2]; /* by role: 1 << bits entries */
  uint32_t bits;
  float scale[2], bias[2]; /* by role */
  float pass[2];           /* a window at or above goes to the encoder */
};

/* The gate's guess at the logit of a window; ids[0] is the role's token. */
float gate_guess(const struct gate *g, const uint32_t *ids, size_t n);
/* The places of the table that a window adds up, at most 3n, for training. Returns how many. */
size_t gate_slots(uint32_t bits, const uint32_t *ids, size_t n, uint32_t *out);
#endif
