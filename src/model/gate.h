/*
 * What tables know of a window, in microseconds: what single tokens and pairs of them bring, hashed into a table, summed over the window and over its worst 8 and
 * 32 tokens in a row: an attack is often short, and its window long.
 *
 * The gate looks first. It is trained to foresee the encoder's logit, so that windows which it is sure to find harmless need not be read. The witness is asked
 * about those that are read. It was taught what is true and nothing else, and never saw what the encoder says. The logit is a mean of the encoder's and its own:
 * two that err in other places err less together.
 */
#ifndef MODEL_GATE_H
#define MODEL_GATE_H
#include <stddef.h>
#include <stdint.h>

enum { GATE_NARROW = 8, GATE_WIDE = 32, GATE_REACH_MAX = 2 };

struct gate_table {
  uint32_t reach;                  /* each token makes pairs with the one behind it, or with two */
  const int8_t *table;             /* 1 << bits entries */
  float whole, narrow, wide, bias; /* factors of the three sums */
};

/* By role. */
struct gate {
  uint32_t bits;
  struct gate_table guess[2], witness[2];
  float pass[2];  /* a window that is guessed at or above it goes to the encoder */
  float share[2]; /* of the witness in the logit of a window that was read; the rest is the encoder's */
};

/* What gate and witness say of the logit of a window; ids[0] is the role's token. */
float gate_guess(const struct gate *g, const uint32_t *ids, size_t n);
float gate_witness(const struct gate *g, const uint32_t *ids, size_t n);
/* The places of a table that each token of a window adds up, reach + 1 for each of ids[1], ids[2] ..., 1 << bits for none; for training. */
void gate_slots(uint32_t bits, unsigned reach, const uint32_t *ids, size_t n, uint32_t *out);
#endif
