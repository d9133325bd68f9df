#include "model/letters.h"
#include <endian.h>
#include <math.h>
#include <string.h>

static const struct {
  unsigned length;
  uint64_t by; /* rows of another length stand elsewhere */
} rows[LETTERS_ROWS] = {{4, 0x9e3779b97f4a7c15u}, {6, 0xc2b2ae3d27d4eb4fu}, {8, 0xd6e8feb86659fd93u}};

static uint64_t eight_at(const char *p, size_t n)
{
  uint64_t v = 0;
  if (n >= sizeof v) memcpy(&v, p, sizeof v); /* nearly always, and then it is one load */
  else memcpy(&v, p, n);
  return le64toh(v);
}

static uint32_t place(uint32_t bits, uint64_t eight, unsigned row)
{
  uint64_t h = eight << (64 - 8 * rows[row].length);
  h *= rows[row].by;
  h ^= h >> 32;
  return (uint32_t)(h * 0x9e3779b97f4a7c15u >> (64 - bits));
}

void letters_slots(uint32_t bits, const char *text, size_t n, uint32_t *out)
{
  for (size_t i = 0; i < n; i++)
    for (unsigned row = 0; row < LETTERS_ROWS; row++)
      *out++ = n - i < rows[row].length ? 1u << bits : place(bits, eight_at(text + i, n - i), row);
}

float letters_say(const struct letters *l, const char *text, size_t n)
{
  int32_t last[LETTERS_NARROW] = {0}, whole = 0, narrow = 0, most = INT32_MIN;
  for (size_t i = 0; i < n; i++) {
    uint64_t eight = eight_at(text + i, n - i);
    int32_t here = 0;
    for (unsigned row = 0; row < LETTERS_ROWS && n - i >= rows[row].length; row++) here += l->table[place(l->bits, eight, row)];
    whole += here;
    narrow += here - last[i % LETTERS_NARROW];
    last[i % LETTERS_NARROW] = here;
    if (narrow > most) most = narrow;
  }
  return n ? (float)whole * l->whole / sqrtf((float)n + 1) + (float)most * l->narrow + l->bias : l->bias;
}
