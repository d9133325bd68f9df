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

/* b of a token alone, of two neighbours and of two with one between them. */
enum { ALONE = 0xFFFFFFFF, APART = 0x80000000 };

void gate_slots(uint32_t bits, const uint32_t *ids, size_t n, uint32_t *out)
{
  for (size_t i = 1; i < n; i++) {
    *out++ = place(bits, ids[i], ALONE);
    *out++ = i + 1 < n ? place(bits, ids[i], ids[i + 1]) : 1u << bits;
    *out++ = i + 2 < n ? place(bits, ids[i], ids[i + 2] | APART) : 1u << bits;
  }
}

static int32_t brought(const struct gate *g, const int8_t *table, const uint32_t *ids, size_t i, size_t n)
{
  int32_t sum = table[place(g->bits, ids[i], ALONE)];
  if (i + 1 < n) sum += table[place(g->bits, ids[i], ids[i + 1])];
  if (i + 2 < n) sum += table[place(g->bits, ids[i], ids[i + 2] | APART)];
  return sum;
}

static int32_t larger(int32_t a, int32_t b)
{
  return a > b ? a : b;
}

/* Sums are whole numbers, so every processor finds the same. */
float gate_guess(const struct gate *g, const uint32_t *ids, size_t n)
{
  const struct gate_role *r = &g->role[ids[0] == TOKEN_DOCUMENT];
  int32_t last[GATE_WIDE] = {0}, whole = 0, narrow = 0, wide = 0, most_narrow = INT32_MIN, most_wide = INT32_MIN;
  for (size_t i = 1; i < n; i++) {
    int32_t here = brought(g, r->table, ids, i, n);
    whole += here;
    narrow += here - last[(i - GATE_NARROW) % GATE_WIDE];
    wide += here - last[i % GATE_WIDE];
    last[i % GATE_WIDE] = here;
    most_narrow = larger(most_narrow, narrow);
    most_wide = larger(most_wide, wide);
  }
  if (n < 2) most_narrow = most_wide = 0;
  /* By the square root of the length: a long window has more of everything. */
  return (float)whole * r->whole / sqrtf((float)n) + (float)most_narrow * r->narrow + (float)most_wide * r->wide + r->bias;
}
