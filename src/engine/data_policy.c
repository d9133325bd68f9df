#include "engine/data_policy.h"
#include "base/error.h"
#include "engine/bind.h"

/* ---- kinds ------------------------------------------------------------------------------------------------------ */

static bool is_data(const struct rule *r)
{
  return r->detector == VDT_DET_CREDENTIAL || r->detector == VDT_DET_SENSITIVE;
}

static bool is_kind(const char *kind, const struct rule *r)
{
  struct str k = str_of(kind);
  if (r->detector == VDT_DET_CREDENTIAL && str_ieq(k, STR("All credentials"))) return true;
  return bind_names(kind, r->id) || (r->purview && str_ieq(k, str_of(r->purview))) ||
         (r->purview_id && str_ieq(k, str_of(r->purview_id)));
}

static void consider(const char *kind, const char *name, unsigned *best, const char **nearest)
{
  unsigned d = name ? str_distance(str_of(kind), str_of(name)) : *best;
  if (d < *best) *best = d, *nearest = name;
}

static int unknown(const struct vdt_engine *e, const struct data_kind *k, struct vdt_error *err)
{
  const char *nearest = "";
  unsigned best = 1000;
  for (unsigned i = 0; i < e->rules.n; i++) {
    if (!is_data(&e->rules.rules[i])) continue;
    consider(k->kind, e->rules.rules[i].id, &best, &nearest);
    consider(k->kind, e->rules.rules[i].purview, &best, &nearest);
  }
  return error_at(err, VDT_ECONFIG, NULL, k->line,
                  "no rule and no sensitive information type is called \"%.64s\"; did you mean \"%s\"?", k->kind, nearest);
}

int data_kinds_find(const struct vdt_engine *engine, struct vdt_arena *arena, const struct data_kind *kinds, size_t n,
                    uint8_t **out, struct vdt_error *err)
{
  uint8_t *set = arena_zalloc(arena, engine->rules.n + 1, 1);
  if (!set) return error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t k = 0; k < n; k++) {
    bool any = false;
    for (unsigned i = 0; i < engine->rules.n; i++) {
      const struct rule *r = &engine->rules.rules[i];
      if (!is_data(r) || !is_kind(kinds[k].kind, r)) continue;
      set[i] = 1;
      any = true;
    }
    if (!any) return unknown(engine, &kinds[k], err);
  }
  *out = set;
  return VDT_OK;
}

/* ---- on top of a policy ----------------------------------------------------------------------------------------- */

static enum vdt_action action_of(const struct data_policy *p, unsigned direction)
{
  const struct vdt_leak_policy as = {
      .prompt = p->prompt, .document = p->document, .response = p->response, .tool_call = p->tool_call};
  return bind_action(&as, direction);
}

static void raise_to(struct vdt_bound *b, const struct data_policy *p, uint8_t number, unsigned direction)
{
  const struct rules *all = &b->engine->rules;
  uint8_t action = (uint8_t)action_of(p, direction);
  for (unsigned i = 0; i < all->n; i++) {
    if (!p->rules[i] || action <= b->action[direction][i]) continue;
    b->action[direction][i] = action;
    b->by[direction][i] = number;
    if (action > b->strongest[direction][all->rules[i].detector]) b->strongest[direction][all->rules[i].detector] = action;
  }
}

int data_policy_tighten(const struct vdt_engine *engine, struct vdt_arena *arena, const struct vdt_policy *policy,
                        const struct data_policy *const *more, size_t n, struct vdt_policy *out)
{
  struct vdt_bound *b;
  const char **names = arena_zalloc(arena, n + 1, sizeof *names);
  int rc = names ? bind_new(engine, arena, policy, &b) : VDT_ENOMEM;
  for (unsigned d = 0; !rc && d < BIND_DIRECTIONS; d++) {
    b->by[d] = arena_zalloc(arena, engine->rules.n + 1, 1);
    if (!b->by[d]) return VDT_ENOMEM;
    for (size_t i = 0; i < n; i++) raise_to(b, more[i], (uint8_t)(i + 1), d);
  }
  if (rc) return rc;
  for (size_t i = 0; i < n; i++) names[i + 1] = more[i]->name;
  b->names = names;
  *out = *policy;
  out->bound = b;
  return VDT_OK;
}

/* ---- patterns --------------------------------------------------------------------------------------------------- */

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Goes back to the last "*" only: what an earlier one took need not be taken otherwise. */
bool data_pattern_matches(struct str pattern, struct str text)
{
  size_t p = 0, t = 0, star = pattern.n + 1, from = 0;
  while (t < text.n) {
    if (p < pattern.n && pattern.p[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.n && lower(pattern.p[p]) == lower(text.p[t])) {
      p++;
      t++;
    } else if (star < pattern.n) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.n && pattern.p[p] == '*') p++;
  return p == pattern.n;
}
