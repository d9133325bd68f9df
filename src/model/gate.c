#include "model/gate.h"
#include "model/tokens.h"
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

static int32_t brought(const struct gate_table *t, uint32_t bits, const uint32_t *ids, size_t i, size_t n)
{
  int32_t sum = 0;
  for (unsigned far = 0; far <= t->reach && i + far < n; far++) sum += t->table[place_of(bits, ids, i, far)];
  return sum;
}

static int32_t larger(int32_t a, int32_t b)
{
  return a > b ? a : b;
}

/* Sums are whole numbers, so every processor finds the same. */
static float sums(const struct gate_table *t, uint32_t bits, const uint32_t *ids, size_t n)
{
  int32_t last[GATE_WIDE] = {0}, whole = 0, narrow = 0, wide = 0, most_narrow = INT32_MIN, most_wide = INT32_MIN;
  for (size_t i = 1; i < n; i++) {
    int32_t here = brought(t, bits, ids, i, n);
    whole += here;
    narrow += here - last[(i - GATE_NARROW) % GATE_WIDE];
    wide += here - last[i % GATE_WIDE];
    last[i % GATE_WIDE] = here;
    most_narrow = larger(most_narrow, narrow);
    most_wide = larger(most_wide, wide);
  }
  if (n < 2) most_narrow = most_wide = 0;
  /* By the square root of the length: a long window has more of everything. */
  return (float)whole * t->whole / sqrtf((float)n) + (float)most_narrow * t->narrow + (float)most_wide * t->wide + t->bias;
}

float gate_guess(const struct gate *g, const uint32_t *ids, size_t n)
{
  return sums(&g->guess[ids[0] == TOKEN_DOCUMENT], g->bits, ids, n);
}

float gate_witness(const struct gate *g, const uint32_t *ids, size_t n)
{
  return sums(&g->witness[ids[0] == TOKEN_DOCUMENT], g->bits, ids, n);
}
