/* What letters say against the same sums worked out from the book, from the places that training takes them from. */
#include "model/letters.h"
#include "tests/test.h"
#include <math.h>

enum { BITS = 12, NONE = 1 << BITS, MOST = 600 };

static int8_t table[NONE];
static char text[MOST];
static uint32_t slots[MOST][LETTERS_ROWS];

static int brought(size_t i)
{
  int sum = 0;
  for (unsigned row = 0; row < LETTERS_ROWS; row++)
    if (slots[i][row] < NONE) sum += table[slots[i][row]];
  return sum;
}

static double wanted(size_t n)
{
  int whole = 0, most = INT32_MIN;
  letters_slots(BITS, text, n, slots[0]);
  for (size_t end = 1; end <= n; end++) {
    int sum = 0;
    for (size_t i = end > LETTERS_NARROW ? end - LETTERS_NARROW : 0; i < end; i++) sum += brought(i);
    if (sum > most) most = sum;
    whole += brought(end - 1);
  }
  return n ? whole * 0.01 / sqrt((double)n + 1) + most * 0.02 + 1 : 1;
}

static void window(size_t n)
{
  uint64_t seed = 5;
  for (size_t i = 0; i < NONE; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    table[i] = (int8_t)((int)(seed >> 33) % 127);
  }
  for (size_t i = 0; i < MOST; i++) text[i] = (char)('a' + i * i % 23);
  struct letters l = {.bits = BITS, .table = table, .whole = 0.01f, .narrow = 0.02f, .bias = 1};
  CHECK(fabs((double)letters_say(&l, text, n) - wanted(n)) < 1e-4);
}

static void rows_have_four_six_and_eight_bytes(void)
{
  memcpy(text, "ignore all", 10);
  letters_slots(BITS, text, 10, slots[0]);
  for (size_t i = 0; i < 10; i++)
    for (unsigned row = 0; row < LETTERS_ROWS; row++) CHECK_INT(slots[i][row] < NONE, i + 4 + 2 * row <= 10);
  uint32_t before[3] = {slots[1][0], slots[1][1], slots[1][2]};
  text[1 + 4] ^= 1; /* behind the first four */
  letters_slots(BITS, text, 10, slots[0]);
  CHECK(slots[1][0] == before[0] && slots[1][1] != before[1] && slots[1][2] != before[2]);
}

static void the_same_bytes_in_rows_of_other_lengths_stand_elsewhere(void)
{
  memset(text, 0, 8);
  letters_slots(20, text, 8, slots[0]);
  text[0] = 'a';
  letters_slots(20, text, 8, slots[0]);
  CHECK(slots[0][0] != slots[0][1] && slots[0][1] != slots[0][2]);
}

int main(void)
{
  static const size_t lengths[] = {0, 1, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 40, 599};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    CASE_BEGIN();
    window(lengths[i]);
    CASE_END("a window of %zu bytes", lengths[i]);
  }
  RUN(rows_have_four_six_and_eight_bytes);
  RUN(the_same_bytes_in_rows_of_other_lengths_stand_elsewhere);
  return test_end();
}
