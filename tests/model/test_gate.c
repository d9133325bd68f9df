/* What the gate foresees and the witness says against the same sums worked out from the book, from the places that training takes them from. */
#include "model/gate.h"
#include "model/tokens.h"
#include "tests/test.h"
#include <math.h>

enum { BITS = 12, MOST = 140, NEAR = 1, FAR = 2 };

static struct gate_entry table[1 << BITS];
static uint32_t ids[MOST], slots[MOST * (FAR + 1)];

static int8_t noise(uint64_t *seed)
{
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (int8_t)((int)(*seed >> 33) % 127);
}

static struct gate gate(float share)
{
  uint64_t seed = 5;
  for (size_t i = 0; i < 1 << BITS; i++) table[i] = (struct gate_entry){noise(&seed), noise(&seed)};
  struct gate_factors near = {.reach = NEAR, .whole = 0.01f, .narrow = 0.02f, .wide = 0.03f, .bias = 1}, far = near;
  far.reach = FAR;
  return (struct gate){BITS, table, .guess = far, .witness = near, .share = share};
}

/* reach tells the guess (FAR) from the witness. */
static int brought(size_t i, unsigned reach)
{
  int sum = 0;
  for (size_t k = 0; k <= reach; k++) {
    uint32_t at = slots[(i - 1) * (reach + 1) + k];
    if (at < 1 << BITS) sum += reach == FAR ? table[at].guess : table[at].witness;
  }
  return sum;
}

static int worst(size_t n, size_t box, unsigned reach)
{
  int most = n > 1 ? INT32_MIN : 0;
  for (size_t end = 1; end < n; end++) {
    int sum = 0;
    for (size_t i = end >= box ? end - box + 1 : 1; i <= end; i++) sum += brought(i, reach);
    if (sum > most) most = sum;
  }
  return most;
}

static double wanted(size_t n, unsigned reach)
{
  int whole = 0;
  gate_slots(BITS, reach, ids, n, slots);
  for (size_t i = 1; i < n; i++) whole += brought(i, reach);
  return whole * 0.01 / sqrt((double)n) + worst(n, GATE_NARROW, reach) * 0.02 + worst(n, GATE_WIDE, reach) * 0.03 + 1;
}

static void window(size_t n)
{
  ids[0] = TOKEN_PROMPT;
  for (size_t i = 1; i < n; i++) ids[i] = (uint32_t)(FIRST_PIECE + i * i % 37);
  double guess = wanted(n, FAR), witness = wanted(n, NEAR);
  for (int share = 0; share < 10; share += 3) {
    struct gate g = gate((float)share / 10);
    struct foreseen f = gate_foresee(&g, ids, n);
    double both = (share * witness + (10 - share) * guess) / 10;
    CHECK(fabs((double)f.guess - guess) < 1e-4);
    CHECK(fabs((double)gate_logit(f, f.guess) - both) < 1e-4);
    f = gate_add(f, 0.25f, 8);
    CHECK(fabs((double)gate_logit(f, f.guess) - (0.75 * both + 0.25 * 8)) < 1e-4);
  }
}

static void what_the_encoder_must_say_makes_that_logit(void)
{
  struct foreseen f = {.known = 2, .rest = 0.35f, .guess = 7};
  CHECK(fabs((double)gate_logit(f, gate_wanted(f, -1.5f)) + 1.5) < 1e-6);
  CHECK(fabs((double)gate_logit(f, 4) - 3.4) < 1e-6);
}

static void the_last_tokens_have_no_neighbours(void)
{
  for (size_t i = 0; i < 4; i++) ids[i] = (uint32_t)(FIRST_PIECE + i);
  gate_slots(BITS, FAR, ids, 4, slots);
  CHECK(slots[1] < 1 << BITS && slots[2] < 1 << BITS);
  CHECK(slots[4] < 1 << BITS && slots[5] == 1 << BITS);
  CHECK(slots[7] == 1 << BITS && slots[8] == 1 << BITS);
}

int main(void)
{
  static const size_t lengths[] = {1, 2, 3, 8, 9, 10, 31, 32, 33, 34, 128};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    CASE_BEGIN();
    window(lengths[i]);
    CASE_END("a window of %zu tokens", lengths[i]);
  }
  RUN(what_the_encoder_must_say_makes_that_logit);
  RUN(the_last_tokens_have_no_neighbours);
  return test_end();
}
