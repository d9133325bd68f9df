/*
 * What tables know of a window, in microseconds: what single tokens and pairs of them bring, hashed into a table, summed over the window and over its worst 8 and
 * 32 tokens in a row: an attack is often short, and its window long. Two of them are asked in one pass:
 *
 * The guess is trained to foresee the encoder's logit. The witness was taught what is true and nothing else, and never saw what the encoder says: two that err in
 * other places err less together, so the logit of a window is a mean of the encoder's and the witness's, and in prompts of what letters say (letters.h). The
 * gate knows the witness and guesses the encoder: windows whose logit it foresees to be harmless need not be read.
 */
#ifndef MODEL_GATE_H
#define MODEL_GATE_H
#include <stddef.h>
#include <stdint.h>

enum { GATE_NARROW = 8, GATE_WIDE = 32, GATE_REACH_MAX = 2 };

/* Side by side: who asks for one asks for the other, and what costs is to fetch them. */
struct gate_entry {
  int8_t guess, witness;
};

struct gate_factors {
  uint32_t reach;                  /* each token makes pairs with the one behind it, or with two */
  float whole, narrow, wide, bias; /* factors of the three sums, and what is added to them */
};

/* Of one role. */
struct gate {
  uint32_t bits;
  const struct gate_entry *table; /* 1 << bits */
  struct gate_factors guess, witness;
  float share; /* of the witness in the mean of it and the encoder */
  float pass;  /* a window whose foretold logit is at or above it may be read */
};

/* Of a window: what is known of its logit, how much of it the encoder has, and what the encoder is guessed to say. */
struct foreseen {
  float known, rest, guess;
};

/* What is foreseen by the witness and the guess; ids[0] is the role's token. Every processor finds the same. */
struct foreseen gate_foresee(const struct gate *g, const uint32_t *ids, size_t n);
/* Another says `said` and has this share in the logit; what was known and the encoder keep the rest. */
struct foreseen gate_add(struct foreseen f, float share, float said);
/* The logit when the encoder says so (foretold: f.guess), and what the encoder must say for that logit. */
float gate_logit(struct foreseen f, float encoder);
float gate_wanted(struct foreseen f, float logit);
/* The places of a table that each token of a window adds up, reach + 1 for each of ids[1], ids[2] ..., 1 << bits for none; for training. */
void gate_slots(uint32_t bits, unsigned reach, const uint32_t *ids, size_t n, uint32_t *out);
#endif
