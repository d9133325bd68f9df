/* The matrix product of each path of the encoder that this processor has, and of the one with AMX on all: exact for all bytes, the extremes
 * first, whatever the shape. */
#include "tests/model/tiles.h"
#include "tests/test.h"
#include <stdlib.h>

static const struct {
  const char *name;
  encoder_product *run;
} paths[] = {
#define X(name, supported) {#name, encoder_product_##name},
    ENCODER_PATHS(X)
#undef X
        {"tiles", encoder_product_tiles}};
enum { PATHS = sizeof paths / sizeof *paths };

enum { ROWS_MOST = 35, INPUTS_MOST = INNER_MAX, OUTPUTS_MOST = 80, MORE = 3, UNTOUCHED = 0x5A5A5A5A };
static uint8_t a[ROWS_MOST * (INPUTS_MOST + 16)];
static int8_t w[INPUTS_MOST * OUTPUTS_MOST];
static int32_t out[(ROWS_MOST + MORE + 1) * OUTPUTS_MOST];
static struct encoder_scratch *scratch;

static uint32_t random_number(void)
{
  static uint64_t seed = 1;
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(seed >> 40);
}

/* -1000: any number. */
enum { ANY = -1000 };
static const struct {
  const char *what;
  int input, even_weight, odd_weight;
} fills[] = {
    {"the largest input and weight", 255, 127, 127},
    {"the largest input, the least weight", 255, -128, -128},
    {"the largest input, weights of both signs", 255, 127, -128},
    {"no input", 0, -128, 127},
    {"inputs in the middle", 128, -127, -128},
    {"any input, the largest weight", ANY, 127, 127},
    {"any input, the least weight", ANY, -128, -128},
    {"the largest input, any weight", 255, ANY, ANY},
    {"any input, any weight", ANY, ANY, ANY},
};

static void fill(size_t i)
{
  for (size_t k = 0; k < sizeof a; k++) a[k] = fills[i].input == ANY ? (uint8_t)random_number() : (uint8_t)fills[i].input;
  for (size_t k = 0; k < sizeof w; k++) {
    int weight = k % 2 ? fills[i].odd_weight : fills[i].even_weight;
    w[k] = weight == ANY ? (int8_t)random_number() : (int8_t)weight;
  }
}

static int32_t plainly(size_t row, size_t step, size_t k, size_t column)
{
  int32_t sum = 0;
  for (size_t i = 0; i < k; i++) sum += a[row * step + i] * w[(column / 16 * k + i / 4 * 4) * 16 + column % 16 * 4 + i % 4];
  return sum;
}

/* What lies behind the rows and the three more that a path may write stays. */
static void shape(encoder_product *run, size_t m, size_t step, size_t k, size_t n)
{
  for (size_t i = 0; i < sizeof out / sizeof *out; i++) out[i] = UNTOUCHED;
  run(scratch, a, m, step, k, w, n, out);
  for (size_t r = 0; r < m; r++)
    for (size_t c = 0; c < n; c++) CHECK_INT(out[r * n + c], plainly(r, step, k, c));
  for (size_t i = (m + MORE) * n; i < sizeof out / sizeof *out; i++) CHECK_INT(out[i], UNTOUCHED);
}

/* Rows that a path takes at once are fewer than 13, but for tiles, of 16. */
static const size_t few[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, many[] = {1, 5, 15, 16, 17, 31, 32, 33, ROWS_MOST};

static void exact(encoder_product *run, bool tiles, size_t i)
{
  static const size_t inputs[] = {4, 8, 12, 16, 20, 32, 64, 68, 80, 112, INPUTS_MOST};
  const size_t *rows = tiles ? many : few, n_rows = tiles ? sizeof many / sizeof *many : sizeof few / sizeof *few;
  fill(i);
  for (size_t k = 0; k < sizeof inputs / sizeof *inputs; k++)
    for (size_t m = 0; m < n_rows; m += inputs[k] == INPUTS_MOST ? 6 : 1)
      for (size_t n = 16; n <= OUTPUTS_MOST; n += 16) shape(run, rows[m], inputs[k] + rows[m] % 3 * 4, inputs[k], n);
}

int main(void)
{
  const struct encoder e = {.width = 64, .heads = 2, .inner = INPUTS_MOST, .window = ROWS_MOST};
  const bool supported[] = {
#define X(name, supported) supported,
      ENCODER_PATHS(X)
#undef X
          true};
  tiles_execute();
  scratch = encoder_scratch_new(&e);
  if (!scratch) return 1;
  for (size_t p = 0; p < PATHS; p++) {
    bool tiles = paths[p].run == encoder_product_tiles || paths[p].run == encoder_product_amx;
    for (size_t i = 0; supported[p] && i < sizeof fills / sizeof *fills; i += tiles ? 4 : 1) {
      CASE_BEGIN();
      exact(paths[p].run, tiles, i);
      CASE_END("%s: %s", paths[p].name, fills[i].what);
    }
  }
  CASE_BEGIN();
  CHECK(tile_instructions || encoder_tiles());
  CASE_END("instructions of AMX were executed");
  encoder_scratch_free(scratch);
  return test_end();
}
