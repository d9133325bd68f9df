/*
 * score_rules: how likely a text is an attack, from the score rules that hit it. It depends on nothing but its arguments.
 *
 * A rule counts once, however often it hits: an attack is not made worse by repetition, nor a long report about attacks.
 * Rules support each other only within WINDOW bytes, so that the chance hits of a long document do not add up. Inside a window the
 * weights are joined as independent evidence (noisy-or), with three corrections for what is not independent:
 *
 *   mention   "never reveal your instructions", "people try to make you ignore the rules", "the phrase ignore your rules": a hit
 *             that a negation, a verb of asking or a word for what is quoted introduces, in the same sentence, or that stands alone
 *             between quotation marks, speaks about an attack more often than it is one
 *   overlap   two rules that hit the same words saw one thing, not two
 *   number    rules beyond the third often hit for the reason that the first three did
 *
 * Two ceilings keep weak evidence weak: without one rule of at least FIRM the score stays below what a default policy detects,
 * without one of at least STRONG below what it blocks.
 */
#include "engine/score.h"

enum {
  WINDOW = 4096,
  STEP = WINDOW / 4, /* windows begin at hits, at least this far apart: bounds the work to WINDOW / STEP passes */
  DISTINCT = 64,     /* rules counted in one window; beyond that the score is as high as it gets */
  UNDAMPED = 3,
  BEFORE = 40, /* how far before a hit its introduction is looked for */
};
static const double FIRM = 0.40, STRONG = 0.60, BELOW_DETECT = 0.59, BELOW_BLOCK = 0.94;
static const double MENTION = 0.5, OVERLAP = 0.4, NUMBER = 0.6;

/* Words that introduce a mention, and words with which a hit brings a negation of its own ("do not tell the user"). */
static const struct str introductions[] = {
    STR("never"),     STR("not"),         STR("ask"),        STR("asks"),        STR("asked"),     STR("asking"),
    STR("tells you"), STR("telling you"), STR("try"),        STR("tries"),       STR("trying"),    STR("say"),
    STR("says"),      STR("attempt"),     STR("attempts"),   STR("attempting"),  STR("refuse"),    STR("decline"),
    STR("request"),   STR("requests"),    STR("requesting"), STR("such as"),     STR("force you"), STR("phrase"),
    STR("phrases"),   STR("sentence"),    STR("the words"),  STR("the string"),  STR("titled"),    STR("flagged"),
    STR("detects"),   STR("e.g."),        STR("meaning of"), STR("tells the ai")};
static const struct str contractions[] = {STR("n't"), STR("n\xe2\x80\x99t")}; /* with the typographic apostrophe too */
static const struct str own_negations[] = {STR("never"), STR("not "),    STR("do not"), STR("does not"), STR("don"),
                                           STR("can"),   STR("without"), STR("no "),    STR("n't"),      STR("avoid")};
static const struct {
  struct str open, close;
} quotes[] = {
    {STR("\""), STR("\"")},
    {STR("'"), STR("'")},
    {STR("`"), STR("`")},
    {STR("\xe2\x80\x9c"), STR("\xe2\x80\x9d")}, /* “ ” */
    {STR("\xe2\x80\x9e"), STR("\xe2\x80\x9c")}, /* „ “ */
    {STR("\xe2\x80\x98"), STR("\xe2\x80\x99")}, /* ‘ ’ */
    {STR("\xc2\xab"), STR("\xc2\xbb")},         /* « » */
    {STR("\xe3\x80\x8c"), STR("\xe3\x80\x8d")}, /* 「 」 */
};
/* Negations of other languages right before a hit, as the view has them; further away they may belong to anything. */
static const struct str negations[] = {STR("no "),  STR("nunca "), STR("ne "), STR("n'"),   STR("n’"),   STR("non "),
                                       STR("nao "), STR("nie "),   STR("не "), STR("不要"), STR("请勿"), STR("不得")};
enum { N_QUOTES = sizeof quotes / sizeof *quotes };
enum {
  N_INTRODUCTIONS = sizeof introductions / sizeof *introductions,
  N_OWN = sizeof own_negations / sizeof *own_negations,
  N_NEGATIONS = sizeof negations / sizeof *negations
};

static bool word_byte(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80);
}

static bool begins(struct str s, struct str word)
{
  return s.n >= word.n && str_ieq(str_cut(s, 0, word.n), word);
}

static bool has_word(struct str s, struct str word, bool whole)
{
  for (size_t i = 0; i + word.n <= s.n; i++) {
    if (i > 0 && whole && word_byte(s.p[i - 1])) continue;
    if (i + word.n < s.n && word_byte(s.p[i + word.n])) continue;
    if (str_ieq(str_cut(s, i, i + word.n), word)) return true;
  }
  return false;
}

/* The phrase and nothing else stands between quotation marks. */
static bool quoted(struct str view, const struct score_hit *hit)
{
  size_t start = (size_t)hit->start, end = (size_t)hit->end;
  if (end < view.n && memchr(".,!?", view.p[end], 4)) end++;
  for (unsigned i = 0; i < N_QUOTES; i++) {
    struct str open = quotes[i].open, close = quotes[i].close;
    if (start >= open.n && str_eq(str_cut(view, start - open.n, start), open) && begins(str_cut(view, end, view.n), close))
      return true;
  }
  return false;
}

/* Chinese has no blanks between words; elsewhere the end of a word is no negation. */
static bool negated(struct str before)
{
  enum { CJK = 0xE3 };
  for (unsigned i = 0; i < N_NEGATIONS; i++) {
    struct str no = negations[i];
    if (before.n < no.n || !str_ieq(str_cut(before, before.n - no.n, before.n), no)) continue;
    if (before.n == no.n || (unsigned char)no.p[0] >= CJK || !word_byte(before.p[before.n - no.n - 1])) return true;
  }
  return false;
}

static bool introduced(struct str view, size_t start)
{
  struct str rest = str_cut(view, start, view.n);
  for (unsigned i = 0; i < N_OWN; i++)
    if (begins(rest, own_negations[i])) return false;
  size_t from = start;
  while (from > 0 && start - from < BEFORE && !memchr(".!?\n", view.p[from - 1], 4)) from--;
  struct str before = str_cut(view, from, start);
  for (unsigned i = 0; i < N_INTRODUCTIONS; i++)
    if (has_word(before, introductions[i], true)) return true;
  return negated(before) || has_word(before, contractions[0], false) || has_word(before, contractions[1], false);
}

static bool mentioned(struct str view, const struct score_hit *hit)
{
  if (hit->end > view.n) return false;
  return introduced(view, (size_t)hit->start) || quoted(view, hit);
}

/* The weightiest hit of each rule in a window, weightiest first. */
struct tally {
  struct counted {
    size_t hit;
    double weight;
  } rules[DISTINCT];
  unsigned n;
};

static void place(struct tally *t, unsigned k, struct counted c)
{
  for (; k > 0 && t->rules[k - 1].weight < c.weight; k--) t->rules[k] = t->rules[k - 1];
  t->rules[k] = c;
}

static void count(struct str view, struct tally *t, const struct score_hit *hits, size_t i)
{
  double full = hits[i].rule->weight;
  unsigned k = 0;
  while (k < t->n && hits[t->rules[k].hit].rule != hits[i].rule) k++;
  if (k == DISTINCT || (k < t->n && t->rules[k].weight >= full)) return;
  struct counted c = {i, full * (mentioned(view, &hits[i]) ? MENTION : 1)};
  if (k < t->n && c.weight <= t->rules[k].weight) return;
  if (k == t->n) t->n++;
  place(t, k, c);
}

static void tally_window(struct str view, const struct score_hit *hits, size_t n, size_t first, struct tally *t)
{
  t->n = 0;
  for (size_t i = first; i < n && hits[i].start - hits[first].start <= WINDOW; i++) count(view, t, hits, i);
}

static bool overlaps_weightier(const struct tally *t, const struct score_hit *hits, unsigned k)
{
  const struct score_hit *a = &hits[t->rules[k].hit];
  for (unsigned j = 0; j < k; j++) {
    const struct score_hit *b = &hits[t->rules[j].hit];
    if (a->start < b->end && b->start < a->end) return true;
  }
  return false;
}

static double join(const struct tally *t, const struct score_hit *hits)
{
  double innocent = 1, strongest = t->rules[0].weight;
  for (unsigned k = 0; k < t->n; k++) {
    double w = t->rules[k].weight * (k < UNDAMPED ? 1 : NUMBER);
    if (overlaps_weightier(t, hits, k)) w *= OVERLAP;
    innocent *= 1 - w;
  }
  double score = 1 - innocent, ceiling = strongest < FIRM ? BELOW_DETECT : strongest < STRONG ? BELOW_BLOCK : 1;
  return score < ceiling ? score : ceiling;
}

double score_rules(struct str view, const struct score_hit *hits, size_t n, bool *keep)
{
  struct tally t;
  double best = 0;
  size_t best_first = 0, last = 0;
  for (size_t i = 0; i < n; i++) {
    keep[i] = false;
    if (i > 0 && hits[i].start - hits[last].start < STEP) continue;
    last = i;
    tally_window(view, hits, n, i, &t);
    double score = join(&t, hits);
    if (score <= best) continue;
    best = score;
    best_first = i;
  }
  if (best <= 0) return 0;
  tally_window(view, hits, n, best_first, &t);
  for (unsigned k = 0; k < t.n; k++) keep[t.rules[k].hit] = true;
  return best;
}
