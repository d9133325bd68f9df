/*
 * score_rules: how likely a text is an attack, from the score rules that hit it. It reads weights and places, never the text itself,
 * and may not depend on anything but its arguments.
 *
 * A rule counts once, however often it hits: an attacker's text is not made worse by repetition, nor a long report about attacks.
 * Rules support each other only within WINDOW bytes, so that the chance hits of a long document do not add up. Inside a window the
 * weights are joined as independent evidence (noisy-or), the fourth and later ones damped, because rules that hit together
 * often hit for the same reason. Two ceilings keep weak evidence weak: without one rule of at least FIRM the score stays below
 * what a default policy detects, without one of at least STRONG below what it blocks.
 */
#include "engine/score.h"

enum {
  WINDOW = 4096,
  STEP = WINDOW / 4, /* windows begin at hits, at least this far apart: bounds the work to WINDOW / STEP passes */
  DISTINCT = 64,     /* rules counted in one window; beyond that the score is as high as it gets */
  UNDAMPED = 3,
};
static const double FIRM = 0.40, STRONG = 0.60, BELOW_DETECT = 0.59, BELOW_BLOCK = 0.94, DAMPING = 0.6;

/* The first hit of each rule in a window, strongest first. */
struct tally {
  size_t hit[DISTINCT];
  unsigned n;
};

static bool counted(const struct tally *t, const struct score_hit *hits, const struct rule *rule)
{
  for (unsigned k = 0; k < t->n; k++)
    if (hits[t->hit[k]].rule == rule) return true;
  return false;
}

static void insert(struct tally *t, const struct score_hit *hits, size_t i)
{
  unsigned k = t->n++;
  for (; k > 0 && hits[t->hit[k - 1]].rule->weight < hits[i].rule->weight; k--) t->hit[k] = t->hit[k - 1];
  t->hit[k] = i;
}

static void tally_window(const struct score_hit *hits, size_t n, size_t first, struct tally *t)
{
  t->n = 0;
  for (size_t i = first; i < n && hits[i].start - hits[first].start <= WINDOW && t->n < DISTINCT; i++)
    if (!counted(t, hits, hits[i].rule)) insert(t, hits, i);
}

static double join(const struct tally *t, const struct score_hit *hits)
{
  double innocent = 1, strongest = hits[t->hit[0]].rule->weight;
  for (unsigned k = 0; k < t->n; k++) innocent *= 1 - hits[t->hit[k]].rule->weight * (k < UNDAMPED ? 1 : DAMPING);
  double score = 1 - innocent, ceiling = strongest < FIRM ? BELOW_DETECT : strongest < STRONG ? BELOW_BLOCK : 1;
  return score < ceiling ? score : ceiling;
}

double score_rules(struct str view, const struct score_hit *hits, size_t n, bool *keep)
{
  (void)view; /* for models that read the text */
  struct tally t;
  double best = 0;
  size_t best_first = 0, last = 0;
  for (size_t i = 0; i < n; i++) {
    keep[i] = false;
    if (i > 0 && hits[i].start - hits[last].start < STEP) continue;
    last = i;
    tally_window(hits, n, i, &t);
    double score = join(&t, hits);
    if (score <= best) continue;
    best = score;
    best_first = i;
  }
  if (best <= 0) return 0;
  tally_window(hits, n, best_first, &t);
  for (unsigned k = 0; k < t.n; k++) keep[t.hit[k]] = true;
  return best;
}
