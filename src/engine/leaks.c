#include "engine/leaks.h"
#include "base/buf.h"
#include "engine/bind.h"
#include "engine/pseudonym.h"

int leaks_init(struct leaks *l, const struct vdt_engine *engine)
{
  *l = (struct leaks){.engine = engine};
  l->named = calloc(engine->rules.n + 1, sizeof *l->named);
  l->word_end = calloc(engine->rules.n_groups + 1, sizeof *l->word_end);
  l->seen = calloc(engine->rules.n + 1, sizeof *l->seen);
  l->blocked = calloc(engine->rules.n + 1, sizeof *l->blocked);
  l->taken = calloc(engine->rules.n + 1, sizeof *l->taken);
  if (leaks_expect_all(l, 0) && l->named && l->word_end && l->seen && l->taken && l->blocked) return VDT_OK;
  leaks_finish(l);
  return VDT_ENOMEM;
}

void leaks_finish(struct leaks *l)
{
  free(l->named);
  free(l->word_end);
  free(l->seen);
  free(l->blocked);
  free(l->taken);
  free(l->gates);
  free(l->pending);
  free(l->candidates);
  *l = (struct leaks){0};
}

static void configure(struct leaks *l, enum vdt_detector_id det, const struct vdt_leak_policy *p, const struct vdt_bound *bound,
                      unsigned direction)
{
  static const unsigned roles[] = {
#define X(id, name, title, roles) roles,
#include "vedette/detectors.def"
#undef X
  };
  unsigned role = direction == BIND_TOOL_CALL ? VDT_RESPONSE : direction;
  enum vdt_action action = bound ? (enum vdt_action)bound->strongest[direction][det] : bind_action(p, direction);
  l->action[det] = roles[det] & 1u << role ? action : VDT_ALLOW;
  l->minimum[det] = p->minimum_confidence;
  l->mask[det] = p->mask;
}

/* What all numbers wake is no rule; it has the index behind the last. */
static uint32_t number_rule(const struct leaks *l)
{
  return l->engine->rules.n;
}

static enum vdt_action action_of(const struct leaks *l, uint32_t rule)
{
  if (rule == number_rule(l)) return l->action[VDT_DET_SENSITIVE];
  return l->by_rule ? (enum vdt_action)l->by_rule[rule] : l->action[l->engine->rules.rules[rule].detector];
}

static const char *policy_of(const struct leaks *l, uint32_t rule)
{
  return l->policy_by_rule && l->policy_by_rule[rule] ? l->policies[l->policy_by_rule[rule]] : NULL;
}

/* Readings begin anew every few lines of markdown, so what a text did not write to is not emptied. */
static void forget_text(struct leaks *l)
{
  uint32_t n = l->engine->rules.n;
  if (l->any_named) memset(l->named, 0, n * sizeof *l->named);
  if (l->any_word) memset(l->word_end, 0, l->engine->rules.n_groups * sizeof *l->word_end);
  if (l->any_seen) memset(l->seen, 0, (n + 1) * sizeof *l->seen);
  if (l->any_taken) memset(l->taken, 0, n * sizeof *l->taken);
  if (l->any_gate) memset(l->gates, 0, l->n_gates / 8);
  l->any_named = l->any_word = l->any_seen = l->any_taken = l->any_gate = false;
}

void leaks_begin(struct leaks *l, const struct vdt_policy *policy, enum vdt_role role)
{
  const struct vdt_bound *bound = policy->bound && policy->bound->engine == l->engine ? policy->bound : NULL;
  unsigned direction = bind_direction(policy, role);
  configure(l, VDT_DET_CREDENTIAL, &policy->credential, bound, direction);
  configure(l, VDT_DET_SENSITIVE, &policy->sensitive, bound, direction);
  configure(l, VDT_DET_URL, &policy->malicious_url, bound, direction);
  l->acting = l->holding = 0;
  for (unsigned det = 0; det < VDT_DETECTORS; det++) {
    l->acting |= (unsigned)(l->action[det] != VDT_ALLOW) << det;
    l->holding |= (unsigned)(l->action[det] >= VDT_REDACT) << det;
  }
  l->intel = policy->intel;
  l->by_rule = bound ? bound->action[direction] : NULL;
  l->policy_by_rule = bound ? bound->by[direction] : NULL;
  l->policies = bound ? bound->names : NULL;
  l->mask_by_rule = bound ? bound->mask : NULL;
  l->pseudonym_key = policy->pseudonym_key;
  l->allow = policy->allow;
  forget_text(l);
  l->n_pending = l->n_candidates = 0;
  l->failed = false;
}

enum vdt_mask_style leaks_mask(const struct leaks *l, const struct rule *rule)
{
  enum vdt_mask_style style =
      l->mask_by_rule ? (enum vdt_mask_style)l->mask_by_rule[rule - l->engine->rules.rules] : l->mask[rule->detector];
  /* Nobody is to get the host of a malicious address back. */
  bool named = l->pseudonym_key && rule->detector != VDT_DET_URL;
  return style == VDT_MASK_PSEUDONYM && !named ? VDT_MASK_LABEL : style;
}

bool leaks_see_secrets(const struct leaks *l)
{
  return l->action[VDT_DET_CREDENTIAL] != VDT_ALLOW || l->action[VDT_DET_SENSITIVE] != VDT_ALLOW;
}

bool leaks_active(const struct leaks *l)
{
  return leaks_see_secrets(l) || l->action[VDT_DET_URL] != VDT_ALLOW;
}

static int byte_before(const struct window *w, uint64_t offset)
{
  return offset > w->base ? w->p[offset - 1 - w->base] : -1;
}

static bool is_joined(const struct window *w, uint64_t offset)
{
  if (offset <= w->base || !byte_joins(byte_before(w, offset), byte_before(w, offset - 1))) return false;
  return !escape_ends(w->p + (offset - w->base), (size_t)(offset - w->base));
}

/* Where the bytes that belong to a gate at `gate` may begin: the earliest byte of left_first in the run of left bytes. */
static uint64_t left_start(const struct rule *r, const struct window *w, uint64_t gate)
{
  uint64_t stop = gate > r->left_max ? gate - r->left_max : 0, start = gate, i = gate;
  if (stop < w->base) stop = w->base;
  for (; i > stop && charset_has(&r->left, w->p[i - 1 - w->base]); i--)
    if (charset_has(&r->left_first, w->p[i - 1 - w->base])) start = i - 1;
  return gate - start > r->left_skip ? start + r->left_skip : gate;
}

static bool add(struct leaks *l, const struct pending *p)
{
  struct pending *grown = heap_grow(l->pending, l->n_pending, &l->cap_pending, 32, sizeof *grown);
  if (!grown) {
    l->failed = true;
    return false;
  }
  l->pending = grown;
  l->pending[l->n_pending++] = *p;
  return true;
}

/* The same where lines are joined: what stands before the last break has left by the time that the gate is known. */
static uint64_t left_of_line(const struct leaks *l, const struct rule *r, const struct window *w, uint64_t gate)
{
  struct window line = *w;
  uint64_t stop = gate > w->base + r->left_max ? gate - r->left_max : w->base;
  for (uint64_t i = gate; l->joints && i > stop && line.base == w->base; i--)
    if (l->joints->broken(l->joints->of, i)) line.p += i - w->base, line.base = i;
  return left_start(r, &line, gate);
}

static void add_pending(struct leaks *l, const struct window *w, const struct hit *hit, const struct pattern *p, uint32_t rule)
{
  const struct rule *r = &l->engine->rules.rules[rule];
  if (action_of(l, rule) == VDT_ALLOW || (l->joints && (r->detector != VDT_DET_CREDENTIAL || r->check->after_gate))) return;
  /* A pattern's start is not known; what it matched counts as left bytes. */
  uint64_t gate = p->literal ? hit->end - p->text.n : hit->end - 1;
  bool begins = l->joints && l->joints->broken(l->joints->of, gate);
  if (r->bound && p->literal && !r->left_max && !begins && is_joined(w, gate)) return;
  if (l->joints && !l->joints->whole_gate(l->joints->of, gate, hit->end)) return;
  if (r->detector == VDT_DET_CREDENTIAL && !r->check->after_gate) {
    l->gates[(hit->end & (l->n_gates - 1)) / 64] |= UINT64_C(1) << hit->end % 64;
    l->any_gate = true;
  }
  uint64_t hold = r->check->after_gate ? hit->end : left_of_line(l, r, w, gate);
  uint64_t word = r->words >= 0 ? l->word_end[r->words] : 0;
  bool context = word && word + RULE_CONTEXT >= gate;
  add(l,
      &(struct pending){.rule = rule, .context = context, .context_end = word, .gate = gate, .gate_end = hit->end, .hold = hold});
}

bool leaks_expect_all(struct leaks *l, uint64_t n)
{
  uint64_t bits = LEAKS_SEEN;
  while (bits <= n) bits *= 2;
  if (bits == l->n_gates) return true;
  uint64_t *gates = realloc(l->gates, bits / 8);
  if (!gates) return false;
  memset(gates, 0, bits / 8);
  l->gates = gates;
  l->n_gates = bits;
  return true;
}

void leaks_expect(struct leaks *l, uint64_t from, uint64_t to)
{
  for (uint64_t i = from + 1; i <= to; i += 64 - i % 64) {
    uint64_t n = to - i + 1, bits = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
    l->gates[(i & (l->n_gates - 1)) / 64] &= ~(bits << i % 64);
  }
}

uint64_t leaks_next_gate(const struct leaks *l, uint64_t from, uint64_t to)
{
  for (uint64_t i = from; i <= to; i += 64 - i % 64) {
    uint64_t seen = l->gates[(i & (l->n_gates - 1)) / 64] >> i % 64;
    if (!seen) continue;
    i += (uint64_t)__builtin_ctzll(seen);
    return i <= to ? i : to + 1;
  }
  return to + 1;
}

void leaks_hit(struct leaks *l, const struct window *w, const struct hit *hit)
{
  const struct pattern *p = &l->engine->patterns[hit->pattern];
  if (p->kind == PATTERN_GATE) {
    for (uint32_t i = 0; i < p->n_owners; i++) add_pending(l, w, hit, p, p->owners[i]);
  } else if (p->kind == PATTERN_WORD && !byte_is_word(byte_before(w, hit->end - p->text.n))) {
    for (uint32_t i = 0; i < p->n_owners; i++) l->word_end[p->owners[i]] = hit->end;
    l->any_word = true;
  }
}

void leaks_numbers(struct leaks *l, const struct window *w, uint64_t from)
{
  uint32_t rule = number_rule(l);
  if (l->joints || !numbers_any(l->engine->numbers) || action_of(l, rule) == VDT_ALLOW) return;
  size_t n = (size_t)(w->end - w->base), i = (size_t)(from - w->base);
  for (; (i = numbers_gate(w->p, i, n)) < n; i++) {
    uint64_t gate = w->base + i, hold = w->base + numbers_start(w->p, i);
    if (gate < l->seen[rule] || !add(l, &(struct pending){.rule = rule, .gate = gate, .gate_end = gate + 1, .hold = hold}))
      continue;
    if (w->eof || l->n_pending > 64) leaks_try(l, w);
  }
}

static int before(const struct candidate *a, const struct candidate *b)
{
  if (a->start != b->start) return a->start < b->start;
  if (a->end != b->end) return a->end < b->end;
  return a->rule < b->rule;
}

static bool same_span(const struct candidate *a, const struct candidate *b)
{
  return a->rule == b->rule && a->start == b->start && a->end == b->end;
}

/* Inserts in order; most candidates come at the end. */
void leaks_add(struct leaks *l, const struct candidate *c)
{
  struct candidate *grown = heap_grow(l->candidates, l->n_candidates, &l->cap_candidates, 16, sizeof *grown);
  if (!grown) {
    l->failed = true;
    return;
  }
  l->candidates = grown;
  size_t i = l->n_candidates;
  while (i > 0 && before(c, &l->candidates[i - 1])) i--;
  if (i > 0 && same_span(c, &l->candidates[i - 1])) return;
  memmove(&l->candidates[i + 1], &l->candidates[i], (l->n_candidates - i) * sizeof *c);
  l->candidates[i] = *c;
  l->n_candidates++;
}

/* What a check found counts only if a stream could have held it back: it begins at or after hold. */
static void judge(struct leaks *l, const struct pending *p, const struct look *look, uint32_t rule, const struct found *f)
{
  const struct rule *r = &l->engine->rules.rules[rule];
  uint64_t from = p->hold > look->hold ? p->hold : look->hold;
  if (f->start < from || f->end <= f->start || f->confidence < l->minimum[r->detector]) return;
  if (action_of(l, rule) == VDT_ALLOW) return;
  struct str value = {(const char *)look->p + (f->start - look->base), (size_t)(f->end - f->start)};
  bool allowed = (l->allow && bind_allows(l->allow, rule, value)) ||
                 (l->pseudonym_key && pseudonym_is(l->pseudonym_key, &l->engine->rules, value));
  leaks_add(l, &(struct candidate){.rule = rule,
                                   .confidence = f->confidence,
                                   .action = allowed ? VDT_ALLOW : action_of(l, rule),
                                   .allowed = allowed,
                                   .policy = policy_of(l, rule),
                                   .why = f->why,
                                   .lost = f->silent,
                                   .reason = f->reason,
                                   .start = f->start,
                                   .end = f->end,
                                   .gate_end = p->gate_end});
}

/* Puts the question to the rule's check, or to what numbers wake. */
static bool put_question(const struct leaks *l, const struct pending *p, struct look *look, struct number_found *out)
{
  if (p->rule == number_rule(l)) return numbers_ask(l->engine->numbers, look, l->lists ? l->named : NULL, out);
  const struct rule *r = &l->engine->rules.rules[p->rule];
  out->rule = p->rule;
  out->found = (struct found){.start = p->gate, .end = p->gate_end, .confidence = r->confidence};
  return r->check->fn(r, look, &out->found);
}

/* True when the check has decided. */
static bool ask(struct leaks *l, const struct window *w, struct pending *p)
{
  bool again = true;
  while (again && p->gate_end > l->seen[p->rule]) {
    struct look look = {.p = w->p,
                        .base = w->base,
                        .end = w->end,
                        .eof = w->eof,
                        .gate = p->gate,
                        .gate_end = p->gate_end,
                        .context = p->context,
                        .context_end = p->context_end,
                        .hold = p->hold,
                        .kept = p->kept,
                        .kept_state = p->kept_state,
                        .scratch = l->scratch,
                        .intel = l->intel,
                        .joints = l->joints};
    struct number_found f = {0};
    bool found = put_question(l, p, &look, &f);
    p->kept = look.kept;
    p->kept_state = look.kept_state;
    if (look.starved) {
      if (look.hold > p->hold) p->hold = look.hold;
      p->tried = w->end;
      return false;
    }
    if (look.seen > l->seen[p->rule]) l->seen[p->rule] = look.seen, l->any_seen = true;
    if (found) judge(l, p, &look, f.rule, &f.found);
    if (found && f.named) l->named[f.rule] = f.found.end, l->any_named = true;
    again = found && look.again;
  }
  return true;
}

/* A long candidate is not asked again for every byte: the work stays linear, the wait is a sixteenth of its length. */
static bool worth_asking(const struct pending *p, const struct window *w)
{
  return w->eof || p->tried == 0 || w->end - p->tried > (p->tried - p->gate) / 16;
}

void leaks_try(struct leaks *l, const struct window *w)
{
  size_t kept = 0;
  if (++l->round == 0) {
    memset(l->blocked, 0, (l->engine->rules.n + 1) * sizeof *l->blocked);
    l->round = 1;
  }
  for (size_t i = 0; i < l->n_pending; i++) {
    struct pending *p = &l->pending[i];
    /* Gates of one rule are decided in order, since one look may answer for the next ones. */
    if (l->blocked[p->rule] == l->round || !worth_asking(p, w) || !ask(l, w, p)) {
      l->blocked[p->rule] = l->round;
      l->pending[kept++] = *p;
    }
  }
  l->n_pending = kept;
}

/* Where a finding may begin if the text ends within one of the rule's literals, or the end. */
static uint64_t live_gate(const struct rule *r, const struct window *w)
{
  uint64_t first = w->end;
  int last = byte_before(w, w->end) | 32; /* most heads end otherwise, whatever the case */
  for (unsigned g = 0; g < r->n_gates; g++)
    for (size_t n = 1; n < r->gates[g].n && n <= w->end - w->base; n++) {
      if (((unsigned char)r->gates[g].p[n - 1] | 32) != last) continue;
      struct str tail = {(const char *)w->p + (w->end - n - w->base), n}, head = {r->gates[g].p, n};
      if (!(r->nocase ? str_ieq(tail, head) : str_eq(tail, head))) continue;
      uint64_t start = left_start(r, w, w->end - n);
      if (start < first) first = start;
    }
  return first;
}

/* Where a finding may begin if the text ends in left bytes of the rules that stand in p->skips: all are followed at once. */
static uint64_t live_run(const struct lefts *p, const struct window *w)
{
  uint64_t alive = UINT64_MAX, most = w->end - w->base, begin[RULE_LEFT_MAX + 1], held = 0, n = 0;
  const unsigned char *end = w->p + most;
  while (n < most && (alive &= p->left[*(end - n - 1)] & p->within[n + 1])) {
    n++;
    begin[n] = alive & p->first[*(end - n)];
  }
  for (unsigned k = 0; k < LEFTS_SKIPS && p->skips[k].rules; k++)
    for (uint64_t far = n; far > p->skips[k].skip + held; far--)
      if (begin[far] & p->skips[k].rules) held = far - p->skips[k].skip;
  return w->end - held;
}

/* The earliest place where text of the detector's left rules may have begun. */
static uint64_t live_lefts(const struct leaks *l, const struct lefts *p, const struct window *w)
{
  if (p->n == 0 || w->end == w->base) return w->end;
  uint64_t first = live_run(p, w), heads = p->head[byte_before(w, w->end)], alone = UINT64_MAX;
  for (unsigned k = 0; k < LEFTS_SKIPS; k++) alone &= ~p->skips[k].rules;
  for (uint32_t i = 0; i < p->n; i++) {
    if (i < 64 && !((heads | alone) >> i)) i = 64;
    else if (i < 64) i += (uint32_t)__builtin_ctzll((heads | alone) >> i);
    if (i >= p->n) break;
    const struct rule *r = &l->engine->rules.rules[p->v[i].rule];
    uint64_t gate = live_gate(r, w), start = i < 64 && !(alone >> i & 1) ? gate : left_start(r, w, w->end);
    if (gate < start) start = gate;
    if (start < first) first = start;
  }
  return first;
}

static void lower_bounds(bool held, uint64_t at, uint64_t *settled, uint64_t *free_until)
{
  if (at < *settled) *settled = at;
  if (held && at < *free_until) *free_until = at;
}

void leaks_boundaries(const struct leaks *l, const struct window *w, bool waiting, uint64_t *settled, uint64_t *free_until)
{
  *settled = *free_until = w->end;
  for (size_t i = 0; i < l->n_pending; i++)
    lower_bounds(action_of(l, l->pending[i].rule) >= VDT_REDACT, l->pending[i].hold, settled, free_until);
  if (w->eof) return;
  /* A detector that holds nothing back has a say only in what is settled. */
  waiting |= l->n_candidates > 0;
  unsigned wanted = waiting ? l->acting : l->holding;
  if (!waiting) *settled = w->base;
  size_t live[VDT_DETECTORS] = {0}, most = w->end - w->base < RULE_GATE_MAX ? (size_t)(w->end - w->base) : RULE_GATE_MAX;
  beginnings_find(&l->engine->beginnings, w->p + (w->end - w->base), most, byte_before(w, w->end - most), wanted, live);
  for (; wanted; wanted &= wanted - 1) {
    unsigned det = (unsigned)__builtin_ctz(wanted);
    lower_bounds(l->action[det] >= VDT_REDACT, w->end - live[det], settled, free_until);
    lower_bounds(l->action[det] >= VDT_REDACT, live_lefts(l, &l->engine->lefts[det], w), settled, free_until);
    if (det == VDT_DET_SENSITIVE && numbers_any(l->engine->numbers))
      lower_bounds(l->action[det] >= VDT_REDACT, w->base + numbers_live(w->p, (size_t)(w->end - w->base)), settled, free_until);
  }
}

static bool stronger(const struct candidate *a, const struct candidate *b)
{
  if (a->action != b->action) return a->action > b->action;
  if (a->confidence != b->confidence) return a->confidence > b->confidence;
  uint64_t x = a->end - a->start, y = b->end - b->start;
  return x != y ? x > y : a->rule < b->rule;
}

/* Candidates are ordered by start: the first that may overlap the one at place i, which begins at start. */
static size_t first_near(const struct candidate *c, size_t i, uint64_t start)
{
  while (i > 0 && c[i - 1].reach > start) i--;
  return i;
}

/* What lies within an allowed value is no finding of another kind. */
static void settle_allowed(struct candidate *c, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (!c[i].allowed) continue;
    for (size_t j = first_near(c, i, c[i].start); j < n && c[j].start < c[i].end; j++) {
      if (c[j].start < c[i].start || c[j].end > c[i].end) continue;
      c[j].lost = c[j].allowed = true;
      c[j].action = VDT_ALLOW;
    }
  }
}

/* Within one cluster: the strongest wins, then the strongest of those that do not overlap it, ... Only neighbours are compared: a cluster may be
 * as long as a text. */
static void settle_cluster(struct candidate *c, size_t n)
{
  settle_allowed(c, n);
  for (size_t i = 0; i < n; i++)
    for (size_t j = first_near(c, i, c[i].start); j < n && c[j].start < c[i].end; j++) {
      bool overlap = i != j && !c[j].allowed && c[i].start < c[j].end;
      if (overlap && stronger(&c[j], &c[i])) c[i].lost = true;
    }
}

size_t leaks_settle(struct leaks *l, uint64_t settled)
{
  size_t done = 0;
  while (done < l->n_candidates) {
    size_t n = done + 1;
    uint64_t end = l->candidates[done].reach = l->candidates[done].end;
    for (; n < l->n_candidates && l->candidates[n].start < end; n++) {
      if (l->candidates[n].end > end) end = l->candidates[n].end;
      l->candidates[n].reach = end;
    }
    if (end > settled) break;
    settle_cluster(&l->candidates[done], n - done);
    done = n;
  }
  return done;
}

const struct candidate *leaks_namer(const struct leaks *l, const struct candidate *c, size_t n)
{
  enum { STEPS = 8 }; /* a chain of so many that lost to each other is nobody's keys */
  const struct candidate *by = c;
  for (unsigned step = 0; by->lost && step < STEPS; step++) {
    const struct candidate *next = NULL;
    for (size_t i = first_near(l->candidates, (size_t)(by - l->candidates), by->start); i < n; i++) {
      const struct candidate *o = &l->candidates[i];
      if (o->start >= by->end) break;
      if (by->start >= o->end) continue;
      if (!o->lost) return o;
      if (stronger(o, next ? next : by)) next = o;
    }
    if (!next) break;
    by = next;
  }
  return by;
}

enum vdt_severity leaks_count(struct leaks *l, uint32_t rule)
{
  const struct rule *r = &l->engine->rules.rules[rule];
  uint32_t n = ++l->taken[rule];
  l->any_taken = true;
  unsigned severity = (unsigned)r->severity;
  if (r->detector == VDT_DET_SENSITIVE) severity += (n >= 10 ? 1u : 0u) + (n >= 100 ? 1u : 0u);
  return severity > VDT_HIGH ? VDT_HIGH : (enum vdt_severity)severity;
}

void leaks_drop(struct leaks *l, size_t n)
{
  l->n_candidates -= n;
  if (l->n_candidates) memmove(l->candidates, l->candidates + n, l->n_candidates * sizeof *l->candidates);
}

uint64_t leaks_needs(const struct leaks *l, uint64_t end)
{
  for (size_t i = 0; i < l->n_pending; i++) {
    if (l->pending[i].gate < end) end = l->pending[i].gate;
    if (l->pending[i].hold < end) end = l->pending[i].hold;
  }
  if (l->n_candidates && l->candidates[0].start < end) end = l->candidates[0].start;
  return end;
}
