/*
 * The descent of letters.py: window by window, since a window touches a thousand places of a table of a million and the arithmetic is next to nothing. Places and text
 * are the product's (src/model/letters.h). Called through ctypes.
 */
#include "model/encoder.h"
#include "model/letters.h"
#include <math.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))
enum { BYTES_MAX = WINDOW_MAX * PIECE_MAX, FACTORS = 3 };

/* One window at work. */
struct window {
  char text[BYTES_MAX];
  uint32_t slots[BYTES_MAX][LETTERS_ROWS];
  double until[BYTES_MAX + 1]; /* what all bytes before one bring */
  size_t n, worst;             /* where its worst LETTERS_NARROW end */
};

static void spell(const struct vocabulary *v, const uint16_t *tokens, size_t n, struct window *w)
{
  uint32_t ids[WINDOW_MAX];
  n = n < WINDOW_MAX ? n : WINDOW_MAX;
  for (size_t i = 0; i < n; i++) ids[i] = tokens[i];
  w->n = vocabulary_spell(v, ids, n, w->text);
}

static uint64_t chance(uint64_t *seed)
{
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  return *seed ^= *seed << 17;
}

/* What the places add up to, those that are left out counted in, by the three factors. */
static void sum_up(const float *table, double scale, struct window *w, double sums[FACTORS])
{
  double most = -1e30;
  for (size_t i = 0; i < w->n; i++) {
    double here = 0;
    for (unsigned k = 0; k < LETTERS_ROWS; k++) here += (double)table[w->slots[i][k]];
    w->until[i + 1] = w->until[i] + here * scale;
    double narrow = w->until[i + 1] - w->until[i + 1 > LETTERS_NARROW ? i + 1 - LETTERS_NARROW : 0];
    if (narrow > most) most = narrow, w->worst = i + 1;
  }
  sums[0] = w->until[w->n] / sqrt((double)w->n + 1);
  sums[1] = most;
  sums[2] = 1;
}

struct descent {
  float *table, *squares;
  double *factors, factor_squares[FACTORS];
  uint32_t none;
};

/* Adagrad on the squared error of one window. */
static void step(struct descent *d, struct window *w, double goal, double rate, double scale)
{
  double sums[FACTORS], guess = 0;
  sum_up(d->table, scale, w, sums);
  for (unsigned f = 0; f < FACTORS; f++) guess += d->factors[f] * sums[f];
  double slope = fmax(-20, fmin(20, 2 * (guess - goal)));
  double of_all = slope * d->factors[0] / sqrt((double)w->n + 1) * scale, of_worst = slope * d->factors[1] * scale;
  for (size_t i = 0; i < w->n; i++) {
    float by = (float)(of_all + (i < w->worst && i + LETTERS_NARROW >= w->worst ? of_worst : 0));
    for (unsigned k = 0; k < LETTERS_ROWS; k++) {
      uint32_t at = w->slots[i][k];
      if (at == d->none) continue;
      d->squares[at] += by * by;
      d->table[at] -= (float)rate * by / sqrtf(d->squares[at]);
    }
  }
  for (unsigned f = 0; f < FACTORS; f++) {
    d->factor_squares[f] += slope * sums[f] * slope * sums[f];
    d->factors[f] -= 0.02 * slope * sums[f] / sqrt(d->factor_squares[f] + 1e-3);
  }
}

/* Windows of tokens, each up to its end, are gone through in an order of `steps`; goal: of each window. table: 1 << bits and one more, all zero; out: the mean of
 * the tables from 60 % of the way on. drop: the share of places that are left out, so that none is relied on. False: out of memory. */
EXPORT bool letters_learn(const struct vocabulary *v, const uint16_t *tokens, const int64_t *ends, const float *goal,
                          const int32_t *order, size_t steps, unsigned bits, double rate, double drop, float *table,
                          double *factors, double *out)
{
  const size_t places = (size_t)1 << bits, every = steps / 40 + 1;
  struct descent d = {.table = table, .squares = malloc((places + 1) * sizeof(float)), .factors = factors, .none = 1u << bits};
  struct window *w = calloc(1, sizeof *w);
  uint64_t seed = 0x5eed;
  size_t summed = 0;
  for (size_t i = 0; d.squares && i <= places; i++) d.squares[i] = 1e-2f;
  for (size_t k = 0; d.squares && w && k < steps; k++) {
    size_t at = (size_t)order[k], from = at ? (size_t)ends[at - 1] : 0;
    spell(v, tokens + from, (size_t)ends[at] - from, w);
    if (!w->n) continue;
    letters_slots(bits, w->text, w->n, w->slots[0]);
    for (size_t i = 0; i < w->n; i++)
      for (unsigned r = 0; r < LETTERS_ROWS; r++)
        if ((double)(chance(&seed) >> 40) < drop * (1 << 24)) w->slots[i][r] = d.none;
    step(&d, w, (double)goal[at], rate, 1 / (1 - drop));
    if (k < steps / 10 * 6 || (steps - 1 - k) % every) continue;
    for (size_t i = 0; i < places; i++) out[i] += (double)table[i];
    summed++;
  }
  for (size_t i = 0; i < places && summed; i++) out[i] /= (double)summed;
  free(d.squares);
  free(w);
  return summed > 0;
}

/* What the product says of each of n windows. factors: whole, narrow, bias. */
EXPORT bool letters_ask(const struct vocabulary *v, const uint16_t *tokens, const int64_t *ends, size_t n, unsigned bits,
                        const int8_t *table, const float *factors, float *out)
{
  struct letters l = {.bits = bits, .table = table, .whole = factors[0], .narrow = factors[1], .bias = factors[2]};
  struct window *w = calloc(1, sizeof *w);
  for (size_t i = 0; w && i < n; i++) {
    size_t from = i ? (size_t)ends[i - 1] : 0;
    spell(v, tokens + from, (size_t)ends[i] - from, w);
    out[i] = letters_say(&l, w->text, w->n);
  }
  free(w);
  return w != NULL;
}
