#include "engine/bind.h"
#include "base/error.h"
#include <sodium.h>

/* ---- actions ---------------------------------------------------------------------------------------------------- */

unsigned bind_direction(const struct vdt_policy *policy, enum vdt_role role)
{
  if (role != VDT_RESPONSE || policy->speech == VDT_ANSWER) return role;
  return policy->speech == VDT_HISTORY ? (unsigned)VDT_PROMPT : (unsigned)BIND_TOOL_CALL;
}

static enum vdt_action overridden(enum vdt_override o, enum vdt_action same)
{
  return o == VDT_SAME ? same : (enum vdt_action)(o - VDT_DO_ALLOW);
}

enum vdt_action bind_action(const struct vdt_leak_policy *p, unsigned direction)
{
  switch (direction) {
  case VDT_DOCUMENT: return overridden(p->document, p->prompt);
  case VDT_RESPONSE: return p->response;
  case BIND_TOOL_CALL: return overridden(p->tool_call, p->response);
  default: return p->prompt;
  }
}

/* What an entry says about a direction; without a word about documents or tool calls it is what it says about prompts and answers. */
static enum vdt_override said(const struct vdt_kind_policy *k, unsigned direction)
{
  switch (direction) {
  case VDT_DOCUMENT: return k->document != VDT_SAME ? k->document : k->prompt;
  case VDT_RESPONSE: return k->response;
  case BIND_TOOL_CALL: return k->tool_call != VDT_SAME ? k->tool_call : k->response;
  default: return k->prompt;
  }
}

bool bind_names(const char *kind, const char *rule)
{
  struct str k = str_of(kind);
  if (k.n && k.p[k.n - 1] == '*') return str_starts(str_of(rule), str_cut(k, 0, k.n - 1));
  return strcmp(kind, rule) == 0;
}

static const struct vdt_leak_policy *leak_policy(const struct vdt_policy *p, enum vdt_detector_id detector)
{
  return detector == VDT_DET_CREDENTIAL ? &p->credential : detector == VDT_DET_URL ? &p->malicious_url : &p->sensitive;
}

static int unknown_kind(const struct vdt_engine *e, enum vdt_detector_id detector, const char *kind, unsigned line,
                        struct vdt_error *err)
{
  const char *nearest = "";
  unsigned best = 1000;
  for (unsigned i = 0; i < e->rules.n; i++) {
    unsigned d = str_distance(str_of(kind), str_of(e->rules.rules[i].id));
    if (e->rules.rules[i].detector == detector && d < best) best = d, nearest = e->rules.rules[i].id;
  }
  return error_at(err, VDT_ECONFIG, NULL, line, "there is no %s rule \"%s\"; did you mean \"%s\"?", vdt_detector_name(detector),
                  kind, nearest);
}

static int check_kind(const struct vdt_engine *e, enum vdt_detector_id detector, const char *kind, unsigned line,
                      struct vdt_error *err)
{
  for (unsigned i = 0; i < e->rules.n; i++)
    if (e->rules.rules[i].detector == detector && bind_names(kind, e->rules.rules[i].id)) return VDT_OK;
  return unknown_kind(e, detector, kind, line, err);
}

static enum vdt_action action_of(const struct vdt_leak_policy *p, const char *rule, unsigned direction)
{
  enum vdt_action action = bind_action(p, direction);
  for (size_t i = 0; i < p->n_kinds; i++)
    if (bind_names(p->kinds[i].kind, rule)) action = overridden(said(&p->kinds[i], direction), action);
  return action;
}

static enum vdt_mask_style mask_of(const struct vdt_leak_policy *p, const char *rule)
{
  enum vdt_mask_style style = p->mask;
  for (size_t i = 0; i < p->n_kinds; i++)
    if (p->kinds[i].mask != VDT_KIND_MASK_SAME && bind_names(p->kinds[i].kind, rule))
      style = (enum vdt_mask_style)(p->kinds[i].mask - VDT_KIND_MASK_LABEL);
  return style;
}

static void fill_masks(struct vdt_bound *b, const struct vdt_policy *policy)
{
  const struct rules *all = &b->engine->rules;
  for (unsigned i = 0; i < all->n; i++) {
    const struct rule *r = &all->rules[i];
    if (!rule_is_score(r)) b->mask[i] = (uint8_t)mask_of(leak_policy(policy, r->detector), r->id);
  }
}

static void fill(struct vdt_bound *b, const struct vdt_policy *policy, unsigned direction)
{
  const struct rules *all = &b->engine->rules;
  for (unsigned i = 0; i < all->n; i++) {
    const struct rule *r = &all->rules[i];
    if (rule_is_score(r)) continue;
    uint8_t action = (uint8_t)action_of(leak_policy(policy, r->detector), r->id, direction);
    b->action[direction][i] = action;
    if (action > b->strongest[direction][r->detector]) b->strongest[direction][r->detector] = action;
  }
}

int bind_new(const struct vdt_engine *engine, struct vdt_arena *arena, const struct vdt_policy *policy, struct vdt_bound **out)
{
  struct vdt_bound *b = arena_zalloc(arena, 1, sizeof *b);
  const struct vdt_bound *known = policy->bound && policy->bound->engine == engine ? policy->bound : NULL;
  if (!b) return VDT_ENOMEM;
  b->engine = engine;
  for (unsigned d = 0; d < BIND_DIRECTIONS; d++) {
    b->action[d] = arena_zalloc(arena, engine->rules.n + 1, 1);
    if (!b->action[d]) return VDT_ENOMEM;
    if (!known) fill(b, policy, d);
    else memcpy(b->action[d], known->action[d], engine->rules.n);
  }
  b->mask = arena_zalloc(arena, engine->rules.n + 1, 1);
  if (!b->mask) return VDT_ENOMEM;
  if (!known) fill_masks(b, policy);
  else memcpy(b->mask, known->mask, engine->rules.n);
  if (known) memcpy(b->strongest, known->strongest, sizeof b->strongest);
  *out = b;
  return VDT_OK;
}

int vdt_policy_bind(const struct vdt_engine *engine, struct vdt_arena *arena, struct vdt_policy *policy, struct vdt_error *err)
{
  static const enum vdt_detector_id detectors[] = {VDT_DET_CREDENTIAL, VDT_DET_SENSITIVE, VDT_DET_URL};
  policy->bound = NULL;
  if (!policy->credential.n_kinds && !policy->sensitive.n_kinds && !policy->malicious_url.n_kinds) return VDT_OK;
  for (size_t d = 0; d < sizeof detectors / sizeof *detectors; d++) {
    const struct vdt_leak_policy *p = leak_policy(policy, detectors[d]);
    for (size_t i = 0; i < p->n_kinds; i++) {
      int rc = check_kind(engine, detectors[d], p->kinds[i].kind, p->kinds[i].line, err);
      if (rc) return rc;
    }
  }
  struct vdt_bound *b;
  if (bind_new(engine, arena, policy, &b)) return error_set(err, VDT_ENOMEM, "out of memory");
  policy->bound = b;
  return VDT_OK;
}

/* ---- values that are allowed ------------------------------------------------------------------------------------- */

enum { HASH_BYTES = 24 };

struct allowed {
  unsigned char hash[HASH_BYTES];
  bool any_value;
  const char *kind; /* or NULL: every kind */
};

struct vdt_allow {
  const struct vdt_engine *engine;
  unsigned char key[VDT_ALLOW_KEY];
  struct allowed *v;
  size_t n;
};

static void hash_value(const unsigned char key[VDT_ALLOW_KEY], struct str value, unsigned char out[HASH_BYTES])
{
  crypto_generichash(out, HASH_BYTES, (const unsigned char *)value.p, value.n, key, VDT_ALLOW_KEY);
}

void vdt_allow_hash(const unsigned char key[VDT_ALLOW_KEY], const char *value, size_t n, char out[VDT_ALLOW_HASH])
{
  unsigned char hash[HASH_BYTES];
  hash_value(key, (struct str){value, n}, hash);
  for (size_t i = 0; i < HASH_BYTES; i++) snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

static int take_entry(struct vdt_allow *a, const struct vdt_allowed *from, struct vdt_error *err)
{
  struct allowed *to = &a->v[a->n];
  size_t n = 0;
  int rc = VDT_OK;
  to->kind = from->kind;
  to->any_value = !from->hash;
  if (from->hash && (strlen(from->hash) != 2 * HASH_BYTES ||
                     sodium_hex2bin(to->hash, HASH_BYTES, from->hash, 2 * HASH_BYTES, NULL, &n, NULL) || n != HASH_BYTES))
    return error_at(err, VDT_ECONFIG, NULL, from->line,
                    "hash: expected 48 hexadecimal digits, as `vedette rules hash` writes them");
  if (from->kind && check_kind(a->engine, VDT_DET_CREDENTIAL, from->kind, from->line, NULL))
    rc = check_kind(a->engine, VDT_DET_SENSITIVE, from->kind, from->line, NULL);
  if (rc) rc = check_kind(a->engine, VDT_DET_URL, from->kind, from->line, NULL);
  if (rc) return unknown_kind(a->engine, VDT_DET_CREDENTIAL, from->kind, from->line, err);
  if (!from->hash && !from->kind) return error_at(err, VDT_ECONFIG, NULL, from->line, "expected a hash, a kind, or both");
  a->n++;
  return VDT_OK;
}

int vdt_allow_new(const struct vdt_engine *engine, struct vdt_arena *arena, const unsigned char key[VDT_ALLOW_KEY],
                  const struct vdt_allowed *entries, size_t n, const struct vdt_allow **out, struct vdt_error *err)
{
  struct vdt_allow *a = arena_zalloc(arena, 1, sizeof *a);
  if (a) a->v = arena_zalloc(arena, n + 1, sizeof *a->v);
  if (!a || !a->v) return error_set(err, VDT_ENOMEM, "out of memory");
  a->engine = engine;
  memcpy(a->key, key, sizeof a->key);
  for (size_t i = 0; i < n; i++) {
    int rc = take_entry(a, &entries[i], err);
    if (rc) return rc;
  }
  *out = a;
  return VDT_OK;
}

bool bind_allows(const struct vdt_allow *allow, uint32_t rule, struct str value)
{
  unsigned char hash[HASH_BYTES];
  const char *id = allow->engine->rules.rules[rule].id;
  hash_value(allow->key, value, hash);
  for (size_t i = 0; i < allow->n; i++) {
    const struct allowed *a = &allow->v[i];
    if (a->kind && !bind_names(a->kind, id)) continue;
    if (a->any_value || sodium_memcmp(a->hash, hash, HASH_BYTES) == 0) return true;
  }
  return false;
}
