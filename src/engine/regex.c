/*
 * Regular expressions of a user's rules, behind their gates.
 *
 * Each gets a small database of its own, which is only asked where a gate of its rule has fired, anchored there. So an expression may be of
 * any shape that Vectorscan takes and costs nothing where its gate is not; only its width is bounded, since a stream waits that long.
 */
#include "engine/regex.h"
#include "base/error.h"
#include <hs.h>

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
  if (hs_compile(anchored, flags, HS_MODE_BLOCK, NULL, (hs_database_t **)&r->regex_database, &error) == HS_SUCCESS) return VDT_OK;
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

static int longest(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
  (void)id, (void)from, (void)flags;
  unsigned long long *end = context;
  if (to > *end) *end = to;
  return 0;
}

uint64_t regex_end(const struct rule *r, struct look *l)
{
  unsigned long long length = 0;
  /* One byte more than the widest match, for what stands right behind it. */
  uint64_t stop = l->gate + r->regex_width + 1;
  if (stop > l->end) stop = l->end;
  look_at(l, l->gate + r->regex_width);
  if (l->starved || l->gate < l->base) return 0;
  if (hs_scan(r->regex_database, (const char *)l->p + (l->gate - l->base), (unsigned)(stop - l->gate), 0, l->scratch, longest,
              &length) != HS_SUCCESS)
    return 0;
  return length ? l->gate + length : 0;
}
