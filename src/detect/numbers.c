/*
 * Whose number it is. A run of groups is read once; its length says which rows can want it, their shape and checksum say which do, and the
 * nearest name says whose it is. Nearly every number of nine to eleven digits passes some country's checksum, so a number without a name
 * is reported only where chance is small, with the rule's `alone`.
 */
#include "engine/numbers.h"
#include "base/error.h"
#include "detect/number.h"

enum { WEAK = 40, UNUSUAL = 60 };

struct entry {
  uint32_t rule;
  const struct identifier *id;
};

struct numbers {
  const struct rules *rules;
  const struct number_words *words;
  struct entry *of[NUMBER_MAX + 1]; /* by length */
  unsigned n_of[NUMBER_MAX + 1];
  unsigned n;
};

/* ---- the index ---------------------------------------------------------------------------------------------------- */

static bool add_entries(struct numbers *x, struct vdt_arena *arena, const uint32_t *which, unsigned n)
{
  for (unsigned length = NUMBER_LEAST; length <= NUMBER_MAX; length++) {
    x->of[length] = arena_zalloc(arena, n + 1, sizeof **x->of);
    if (!x->of[length]) return false;
    for (unsigned i = 0; i < n; i++) {
      const struct identifier *id = identifier_find(x->rules->rules[which[i]].variant);
      if (id && identifier_lengths(id) >> length & 1) x->of[length][x->n_of[length]++] = (struct entry){which[i], id};
    }
  }
  return true;
}

static int unknown(const struct rule *r, struct vdt_error *err)
{
  return error_at(err, VDT_ERULE, r->file, r->line, "rule %s: variant: there is no identifier \"%.40s\" (docs/identifiers.md)",
                  r->id, r->variant.n ? r->variant.p : "");
}

/* Rules that name an identifier which is none are wrong, woken by numbers or not. */
static int check_variants(const struct rules *rules, struct vdt_error *err)
{
  for (uint32_t i = 0; i < rules->n; i++) {
    const struct rule *r = &rules->rules[i];
    if (!rule_is_score(r) && r->check->fn == check_identifier && !identifier_find(r->variant)) return unknown(r, err);
  }
  return VDT_OK;
}

int numbers_new(const struct rules *rules, struct vdt_arena *arena, const struct numbers **out, struct vdt_error *err)
{
  struct numbers *x = arena_zalloc(arena, 1, sizeof *x);
  uint32_t *which = arena_zalloc(arena, rules->n + 1, sizeof *which);
  if (!x || !which) return error_set(err, VDT_ENOMEM, "out of memory");
  x->rules = rules;
  for (uint32_t i = 0; i < rules->n; i++)
    if (rule_is_number(&rules->rules[i])) which[x->n++] = i;
  x->words = number_words_new(rules, which, x->n, arena);
  if (!x->words || !add_entries(x, arena, which, x->n)) return error_set(err, VDT_ENOMEM, "out of memory");
  *out = x;
  return check_variants(rules, err);
}

bool numbers_any(const struct numbers *x)
{
  return x->n > 0;
}

/* ---- what wants it ------------------------------------------------------------------------------------------------- */

struct asked {
  const struct numbers *x;
  struct look *l;
  struct run run;
  struct wanted wanted[NUMBER_FITS];
  unsigned n;
};

static unsigned digits_in(const char *s, size_t n)
{
  unsigned digits = 0;
  for (size_t i = 0; i < n; i++) digits += s[i] >= '0' && s[i] <= '9';
  return digits;
}

static uint64_t width(const struct run *r, unsigned k)
{
  return k < r->n ? r->g[k].end - r->g[k].start : 0;
}

/* 2026-11-26 or 26.11.2026, whatever follows. */
static bool is_date_like(const struct run *r, unsigned a)
{
  uint64_t x = width(r, a), y = width(r, a + 1), z = width(r, a + 2);
  bool digits = a + 2 < r->n && r->g[a].digits && r->g[a + 1].digits && r->g[a + 2].digits;
  return digits && ((x == 4 && y <= 2 && z <= 2) || (x <= 2 && y <= 2 && z == 4));
}

/* May a number of this identifier be written so? */
static bool is_written_so(const struct identifier *id, const struct run *r, unsigned a, unsigned b, enum layout *layout)
{
  *layout = run_layout(id, r, a, b);
  return *layout != LAYOUT_NONE && !(*layout == LAYOUT_OTHER && is_date_like(r, a));
}

/* Rules that want groups [a, b]. */
static void fit(struct asked *q, unsigned a, unsigned b)
{
  char text[NUMBER_MAX];
  size_t n = run_compact(q->l, &q->run, a, b, text);
  if (n < NUMBER_LEAST || digits_in(text, n) < NUMBER_DIGITS || !q->x->n_of[n] || !run_apart(q->l, &q->run, a, b)) return;
  for (unsigned i = 0; i < q->x->n_of[n] && q->n < NUMBER_FITS; i++) {
    const struct entry *e = &q->x->of[n][i];
    enum layout layout;
    if (!is_written_so(e->id, &q->run, a, b, &layout) || !identifier_holds(e->id, (struct str){text, n})) continue;
    q->wanted[q->n++] = (struct wanted){.rule = e->rule, .id = e->id, .a = a, .b = b, .layout = layout};
  }
}

/* The groups that may begin the number: the one with the digit, and those of capital letters before it. */
static bool read(struct asked *q)
{
  struct look *l = q->l;
  const unsigned char *p = l->p;
  size_t gate = (size_t)(l->gate - l->base), start = numbers_start(p, gate);
  unsigned first = 0;
  if (!number_is_worth(l, l->gate)) return false;
  run_read(l, l->base + start, &q->run);
  while (first < q->run.n && q->run.g[first].end <= l->gate) first++;
  for (unsigned a = 0; a <= first && a < q->run.n; a++)
    for (unsigned b = first; b < q->run.n; b++) fit(q, a, b);
  return q->n > 0 && !l->starved;
}

/* ---- whose it is --------------------------------------------------------------------------------------------------- */

static const struct rule *rule_of(const struct asked *q, const struct wanted *w)
{
  return &q->x->rules->rules[w->rule];
}

static uint64_t start_of(const struct asked *q, const struct wanted *w)
{
  return q->run.g[w->a].start;
}

static uint64_t end_of(const struct asked *q, const struct wanted *w)
{
  return q->run.g[w->b].end + (q->run.g[w->b].separator == '(');
}

/* Is x the better reading of two that are as near? The longer one, then the one that is written as usual. */
static bool is_better(const struct asked *q, const struct wanted *x, const struct wanted *y)
{
  uint64_t a = end_of(q, x) - start_of(q, x), b = end_of(q, y) - start_of(q, y);
  if (a != b) return a > b;
  if (identifier_has_sum(x->id) != identifier_has_sum(y->id)) return identifier_has_sum(x->id);
  return x->layout > y->layout;
}

/* How far its name is; what has no checksum, or is not written as usual, must be nearer than what is. */
static uint32_t distance(const struct asked *q, const struct wanted *w, bool after)
{
  uint32_t d = after ? w->after : w->before;
  if (d >= NOT_NEAR || d > rule_of(q, w)->near) return NOT_NEAR;
  return d + (identifier_has_sum(w->id) ? 0 : WEAK) + (w->layout == LAYOUT_OTHER ? UNUSUAL : 0);
}

/* The one whose name is nearest. */
static const struct wanted *nearest(const struct asked *q, bool after, uint32_t against)
{
  const struct wanted *best = NULL;
  for (unsigned i = 0; i < q->n; i++) {
    const struct wanted *w = &q->wanted[i];
    uint32_t d = distance(q, w, after), least = best ? distance(q, best, after) : NOT_NEAR;
    if (d >= NOT_NEAR || against < (after ? w->after : w->before)) continue;
    if (!best || d < least || (d == least && (w->length > best->length || (w->length == best->length && is_better(q, w, best)))))
      best = w;
  }
  return best;
}

/* The one that goes on a list of its kind, the last of which was named. */
static const struct wanted *in_list(const struct asked *q, const uint64_t *chain)
{
  const struct wanted *best = NULL;
  for (unsigned i = 0; chain && i < q->n; i++) {
    const struct wanted *w = &q->wanted[i];
    uint64_t last = chain[w->rule];
    bool goes_on = last && last <= start_of(q, w) && start_of(q, w) - last <= rule_of(q, w)->near;
    if (goes_on && w->layout != LAYOUT_OTHER && (!best || is_better(q, w, best))) best = w;
  }
  return best;
}

/* The surest of those that need no name. */
static const struct wanted *alone(const struct asked *q)
{
  const struct wanted *best = NULL;
  for (unsigned i = 0; i < q->n; i++) {
    const struct wanted *w = &q->wanted[i];
    unsigned sure = rule_of(q, w)->alone, most = best ? rule_of(q, best)->alone : 0;
    bool grouped = w->layout == LAYOUT_USUAL && w->b > w->a;
    bool weak = !grouped && !identifier_has_sum(w->id) && identifier_is_digits(w->id);
    if (!sure || w->layout == LAYOUT_OTHER || weak) continue;
    if (!best || sure > most || (sure == most && is_better(q, w, best))) best = w;
  }
  return best;
}

/* All its digits are one, or count up, or a long one of digits alone has no more than three: a stand-in. */
static bool is_made_up(const char *s, size_t n)
{
  unsigned steps[2] = {0, 0}, pairs = 0, seen = 0;
  int last = -1;
  for (size_t i = 0; i < n; i++) {
    if (s[i] < '0' || s[i] > '9') continue;
    seen |= 1u << (s[i] - '0');
    if (last >= 0) {
      steps[0] += s[i] == last;
      steps[1] += (s[i] - last + 10) % 10 == 1;
      pairs++;
    }
    last = s[i];
  }
  unsigned different = 0;
  for (; seen; seen &= seen - 1) different++;
  return (pairs > 4 && (steps[0] == pairs || steps[1] == pairs)) || (pairs > 12 && pairs + 1 == n && different < 4);
}

static void say(const struct asked *q, const struct wanted *w, bool named, struct number_found *out)
{
  const struct rule *r = rule_of(q, w);
  char text[NUMBER_MAX];
  struct str s = {text, run_compact(q->l, &q->run, w->a, w->b, text)};
  bool sum = identifier_has_sum(w->id);
  bool usual = w->layout == LAYOUT_USUAL && w->b > w->a; /* written on purpose, as its kind is */
  const char *brand = identifier_says(w->id, s);
  out->rule = w->rule;
  out->named = named;
  out->found = (struct found){.start = start_of(q, w),
                              .end = end_of(q, w),
                              .confidence = named ? r->confidence : r->alone + (sum && usual && r->alone < 75 ? 10u : 0u),
                              .why = WHY_FORMAT | (sum ? WHY_CHECKSUM : 0) | (named ? WHY_NAME : 0)};
  if (brand) out->found.reason = brand;
  else if (sum) out->found.reason = named ? "a name nearby, format and checksum" : "format and checksum";
  else out->found.reason = named ? "a name nearby and format" : "format";
  if (identifier_is_sample(w->id, s)) {
    out->found.confidence = CONFIDENCE_SAMPLE;
    out->found.why |= WHY_SAMPLE;
    out->found.reason = "a sample that is published";
  } else if (is_made_up(text, s.n)) {
    out->found.confidence = CONFIDENCE_PLACEHOLDER;
    out->found.why |= WHY_PLACEHOLDER;
    out->found.reason = "a stand-in: one digit, a row of them or very few";
  }
}

/* What stands before decides where it can: then a stream need not wait for what follows. */
static const struct wanted *decide(struct asked *q, const uint64_t *chain, bool *named)
{
  uint32_t against;
  uint64_t end = end_of(q, &q->wanted[0]);
  /* Those that begin at one place stand together. */
  for (unsigned i = 0, k; i < q->n; i = k) {
    for (k = i + 1; k < q->n && q->wanted[k].a == q->wanted[i].a;) k++;
    number_words_before(q->x->words, q->l, start_of(q, &q->wanted[i]), &q->wanted[i], k - i, &against);
  }
  const struct wanted *w = nearest(q, false, against), *sure = alone(q);
  *named = true;
  if (w || (w = in_list(q, chain))) return w;
  *named = false;
  if (sure && rule_of(q, sure)->alone >= 85) return sure;
  if (against < NOT_NEAR) return NULL;
  for (unsigned i = 1; i < q->n; i++)
    if (end_of(q, &q->wanted[i]) > end) end = end_of(q, &q->wanted[i]);
  number_words_after(q->x->words, q->l, end, q->wanted, q->n);
  w = nearest(q, true, NOT_NEAR);
  *named = w != NULL;
  return w ? w : sure;
}

bool numbers_ask(const struct numbers *x, struct look *l, const uint64_t *chain, struct number_found *out)
{
  struct asked q = {.x = x, .l = l};
  bool named;
  if (!read(&q)) return false;
  const struct wanted *w = decide(&q, chain, &named);
  if (!w || l->starved) return false;
  say(&q, w, named, out);
  l->seen = out->found.end;
  return true;
}

/* ---- behind a name ------------------------------------------------------------------------------------------------- */

enum { NAMED_GAP = 40 };

static bool begins_group(int before, int c)
{
  bool upper = c >= 'A' && c <= 'Z', number = c >= '0' && c <= '9', glued = before >= 0 && before < 0x80 && byte_is_word(before);
  return (upper || number) && !glued;
}

/* Is what begins at i the identifier? */
static bool named_here(const struct identifier *id, struct look *l, uint64_t i, struct found *out)
{
  struct run run;
  char text[NUMBER_MAX];
  run_read(l, i, &run);
  for (unsigned b = 0; b < run.n; b++) {
    struct str s = {text, run_compact(l, &run, 0, b, text)};
    if (s.n == 0 || !identifier_holds(id, s) || !run_apart(l, &run, 0, b) || run_layout(id, &run, 0, b) == LAYOUT_NONE) continue;
    out->start = i;
    out->end = run.g[b].end;
    if (is_made_up(text, s.n)) out->confidence = CONFIDENCE_PLACEHOLDER, out->why = WHY_PLACEHOLDER;
    return true;
  }
  return false;
}

/* Nothing before the value is held back. */
bool check_identifier(const struct rule *r, struct look *l, struct found *out)
{
  const struct identifier *id = identifier_find(r->variant);
  for (uint64_t i = l->gate_end, stop = i + NAMED_GAP; id && i < stop; i++) {
    l->hold = i;
    int c = look_at(l, i);
    if (c < 0 || c == '\n') break;
    if (!begins_group(look_at(l, i - 1), c)) continue;
    bool found = named_here(id, l, i, out);
    if (l->starved) return false; /* hold stays where the number may begin */
    if (!found) continue;
    out->why |= WHY_FORMAT | WHY_NAME | (identifier_has_sum(id) ? WHY_CHECKSUM : 0);
    out->reason = identifier_has_sum(id) ? "the identifier's name, format and checksum" : "the identifier's name and format";
    return true;
  }
  return false;
}
