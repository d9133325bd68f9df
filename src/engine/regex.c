/*
 * Regular expressions of a user's rules, behind their gates.
 *
 * Each gets a small database of its own, which is only asked where a gate of its rule has fired, anchored there. So an expression may be of
 * any shape that Vectorscan takes and costs nothing where its gate is not; only its width is bounded, since a stream waits that long.
 */
#include "engine/regex.h"
#include "base/error.h"
#include "engine/whole.h"

static int refuse(const struct rule *r, struct vdt_error *err, const char *why)
{
  return error_at(err, VDT_ERULE, r->file, r->line, "rule %s: regex: %s", r->id, why);
}

static int check_width(struct rule *r, const char *expression, unsigned flags, struct vdt_error *err)
{
  hs_expr_info_t *info = NULL;
  hs_compile_error_t *error = NULL;
  if (hs_expression_info(expression, flags, &info, &error) != HS_SUCCESS) {
    int rc = refuse(r, err, error ? error->message : "not valid");
    hs_free_compile_error(error);
    return rc;
  }
  unsigned least = info->min_width, most = info->max_width;
  free(info);
  if (least == 0) return refuse(r, err, "it matches nothing at all");
  if (most > RULE_REGEX_MAX)
    return error_at(err, VDT_ERULE, r->file, r->line,
                    "rule %s: regex: it may match at most %d bytes; write bounded repeats such as {20,60}", r->id,
                    RULE_REGEX_MAX);
  r->regex_width = most;
  return VDT_OK;
}

static int compile(struct rule *r, struct vdt_arena *arena, struct vdt_error *err)
{
  unsigned flags = HS_FLAG_DOTALL | (r->nocase ? HS_FLAG_CASELESS : 0);
  hs_compile_error_t *error = NULL;
  const char *anchored = arena_printf(arena, "^(?:%s)", r->regex.p);
  if (!anchored) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = check_width(r, anchored, flags, err);
  if (rc) return rc;
  if (hs_compile(anchored, flags, WHOLE_MODE, NULL, (hs_database_t **)&r->regex_database, &error) == HS_SUCCESS) return VDT_OK;
  rc = refuse(r, err, error->message);
  hs_free_compile_error(error);
  return rc;
}

int regex_compile(struct rules *rules, struct vdt_arena *arena, struct vdt_error *err)
{
  int rc = VDT_OK;
  for (unsigned i = 0; !rc && i < rules->n; i++)
    if (rules->rules[i].regex.n) rc = compile(&rules->rules[i], arena, err);
  return rc;
}

void regex_free(struct rules *rules)
{
  for (unsigned i = 0; i < rules->n; i++) hs_free_database(rules->rules[i].regex_database);
}

bool regex_reserve(const struct rules *rules, struct hs_scratch **scratch)
{
  for (unsigned i = 0; i < rules->n; i++) {
    const struct rule *r = &rules->rules[i];
    if (r->regex_database && hs_alloc_scratch(r->regex_database, scratch) != HS_SUCCESS) return false;
  }
  return true;
}

struct match {
  uint64_t length, most; /* longer ones than most do not count */
};

static int longest(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
  (void)id, (void)from, (void)flags;
  struct match *m = context;
  if (to > m->length && to <= m->most) m->length = to;
  return 0;
}

/* The longest match from the gate to `stop`, at most `most` bytes long, or 0. */
static uint64_t match(const struct rule *r, const struct look *l, uint64_t stop, uint64_t most)
{
  struct match m = {0, most};
  const char *p = (const char *)l->p + (l->gate - l->base);
  if (whole_scan(r->regex_database, (struct str){p, (size_t)(stop - l->gate)}, l->scratch, longest, &m) != HS_SUCCESS) return 0;
  return m.length;
}

static bool has_chars(const struct rule *r)
{
  static const struct charset none;
  return memcmp(&r->chars, &none, sizeof none) != 0;
}

/* Where what its match may be is known to end: at the first byte that none has, where the rule says which they are. 0: it is too short for any.
 * What is all there is left to Vectorscan, which gives up sooner. */
static uint64_t reach(const struct rule *r, struct look *l)
{
  uint64_t end = l->gate + r->regex_width, least = l->gate_end + r->min;
  if (least > end) return 0;
  if (has_chars(r)) {
    if (look_run(l, l->gate_end, &r->chars, r->min) < least) return 0;
    if (!l->eof && end >= l->end) end = look_run(l, least, &r->chars, end - least);
  }
  look_at(l, end);
  return end;
}

uint64_t regex_end(const struct rule *r, struct look *l)
{
  uint64_t stop = reach(r, l);
  if (l->starved || !stop || l->gate < l->base) return 0;
  stop = stop < l->end ? stop + 1 : l->end; /* one byte more, for what stands right behind it */
  uint64_t length = match(r, l, stop, UINT64_MAX);
  if (length && has_chars(r)) { /* an expression that goes on behind them finds the same however the text was cut */
    uint64_t most = look_run(l, l->gate_end, &r->chars, length) - l->gate;
    if (length > most) length = match(r, l, stop, most);
  }
  return length >= l->gate_end - l->gate + r->min ? l->gate + length : 0;
}
