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

size_t gate_slots(uint32_t bits, const uint32_t *ids, size_t n, uint32_t *out)
{
  size_t k = 0;
  for (size_t i = 1; i < n; i++) {
    out[k++] = place(bits, ids[i], ALONE);
    if (i + 1 < n) out[k++] = place(bits, ids[i], ids[i + 1]);
    if (i + 2 < n) out[k++] = place(bits, ids[i], ids[i + 2] | APART);
  }
  return k;
}

float gate_guess(const struct gate *g, const uint32_t *ids, size_t n)
{
  size_t role = ids[0] == TOKEN_DOCUMENT;
  const int8_t *table = g->table[role];
  int64_t sum = 0;
  for (size_t i = 1; i < n; i++) {
    sum += table[place(g->bits, ids[i], ALONE)];
    if (i + 1 < n) sum += table[place(g->bits, ids[i], ids[i + 1])];
    if (i + 2 < n) sum += table[place(g->bits, ids[i], ids[i + 2] | APART)];
  }
  /* By the square root of the length: a long window has more of everything. */
  return (float)sum * g->scale[role] / sqrtf((float)n) + g->bias[role];
}
