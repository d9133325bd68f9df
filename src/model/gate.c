#include "model/gate.h"
#include <math.h>

static uint32_t place(uint32_t bits, uint32_t a, uint32_t b)
{
  uint64_t h = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15u;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93u;
  return (uint32_t)(h >> (64 - bits));
}

/* The place of a token alone (far: 0), with its neighbour, or with the token behind that. */
static uint32_t place_of(uint32_t bits, const uint32_t *ids, size_t i, unsigned far)
{
  enum { ALONE = 0xFFFFFFFF, APART = 0x80000000 };
  if (far == 0) return place(bits, ids[i], ALONE);
  return place(bits, ids[i], far == 1 ? ids[i + 1] : ids[i + far] | APART);
}

void gate_slots(uint32_t bits, unsigned reach, const uint32_t *ids, size_t n, uint32_t *out)
{
  for (size_t i = 1; i < n; i++)
    for (unsigned far = 0; far <= reach; far++) *out++ = i + far < n ? place_of(bits, ids, i, far) : 1u << bits;
}

/* Sums of what the tokens bring, so far. */
struct sums {
  int32_t last[GATE_WIDE], whole, narrow, wide, most_narrow, most_wide;
};

static int32_t larger(int32_t a, int32_t b)
{
  return a > b ? a : b;
}

static void add(struct sums *s, size_t i, int32_t here)
{
  s->whole += here;
  s->narrow += here - s->last[(i - GATE_NARROW) % GATE_WIDE];
  s->wide += here - s->last[i % GATE_WIDE];
  s->last[i % GATE_WIDE] = here;
  s->most_narrow = larger(s->most_narrow, s->narrow);
  s->most_wide = larger(s->most_wide, s->wide);
}

/* By the square root of the length: a long window has more of everything. */
static float weigh(const struct sums *s, const struct gate_factors *f, size_t n)
{
  float narrow = n < 2 ? 0 : (float)s->most_narrow, wide = n < 2 ? 0 : (float)s->most_wide;
  return (float)s->whole * f->whole / sqrtf((float)n) + narrow * f->narrow + wide * f->wide + f->bias;
}

float gate_logit(struct foreseen f, float encoder)
{
  return f.known + f.rest * encoder;
}

float gate_wanted(struct foreseen f, float logit)
{
  return (logit - f.known) / f.rest;
}

struct foreseen gate_add(struct foreseen f, float share, float said)
{
  return (struct foreseen){(1 - share) * f.known + share * said, (1 - share) * f.rest, f.guess};
}

struct foreseen gate_foresee(const struct gate *g, const uint32_t *ids, size_t n)
{
  const struct sums none = {.most_narrow = INT32_MIN, .most_wide = INT32_MIN};
  struct sums guess = none, witness = none;
  for (size_t i = 1; i < n; i++) {
    int32_t guessed = 0, witnessed = 0;
    for (unsigned far = 0; far <= GATE_REACH_MAX && i + far < n; far++) {
      struct gate_entry e = g->table[place_of(g->bits, ids, i, far)];
      if (far <= g->guess.reach) guessed += e.guess;
      if (far <= g->witness.reach) witnessed += e.witness;
    }
    add(&guess, i, guessed);
    add(&witness, i, witnessed);
  }
  return (struct foreseen){g->share * weigh(&witness, &g->witness, n), 1 - g->share, weigh(&guess, &g->guess, n)};
}
