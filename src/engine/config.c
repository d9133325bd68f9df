/*
 * Reads vedette.yaml: libyaml gives a tree with the line of every node, the rows of settings.def say what may stand in it.
 *
 * One walk over the rows fills each structure, absent keys from their defaults through the same readers; then names are resolved and
 * the few rules that concern two settings are checked. (libcyaml 1.3 of Debian 12 fills structures from such a table too, but knows
 * neither defaults nor bounds, and tells lines only in the text of its log; so we stand on the library below it.)
 */
#include "base/error.h"
#include "engine/setting.h"
#include <assert.h>
#include <yaml.h>

enum { MAX_ARENA = 64 << 20 };

struct loader {
  struct config *config;
  struct vdt_arena *arena;
  const char *file;
  struct vdt_error *err;
  yaml_document_t doc;
  const yaml_node_t *lists[SCOPES]; /* for the line of what is wrong with an element */
};

static const yaml_node_t *node(struct loader *l, int index)
{
  return yaml_document_get_node(&l->doc, index);
}

static unsigned line_of(const yaml_node_t *n)
{
  return n ? (unsigned)n->start_mark.line + 1 : 1;
}

static struct str scalar(const yaml_node_t *n)
{
  if (!n || n->type != YAML_SCALAR_NODE) return (struct str){"", 0};
  return (struct str){(const char *)n->data.scalar.value, n->data.scalar.length};
}

#define FAIL(l, n, ...) error_at((l)->err, VDT_ECONFIG, (l)->file, line_of(n), __VA_ARGS__)

static int out_of_memory(struct loader *l)
{
  return error_set(l->err, VDT_ENOMEM, "out of memory");
}

/* A key name of the file, fit for a message: printable ASCII, at most 40 bytes. */
static const char *shown(struct str s, char out[41])
{
  size_t n = s.n < 40 ? s.n : 40;
  for (size_t i = 0; i < n; i++) out[i] = s.p[i];
  for (size_t i = 0; i < n; i++)
    if (s.p[i] < 0x20 || s.p[i] > 0x7e) out[i] = '?';
  out[n] = 0;
  return out;
}

/* ---- keys and values -------------------------------------------------------------------------------------------- */

static const yaml_node_t *value_of(struct loader *l, const yaml_node_t *map, const char *key)
{
  if (!map) return NULL;
  for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++)
    if (str_eq(scalar(node(l, p->key)), str_of(key))) return node(l, p->value);
  return NULL;
}

static int unknown_key(struct loader *l, enum scope scope, const yaml_node_t *key)
{
  const char *nearest = "";
  unsigned best = 1000;
  char text[41];
  for (size_t i = 0; i < n_settings; i++) {
    if (settings[i].scope != scope) continue;
    unsigned d = str_distance(scalar(key), str_of(settings[i].key));
    if (d >= best) continue;
    best = d;
    nearest = settings[i].key;
  }
  return FAIL(l, key, "the key \"%s\" is unknown here; did you mean \"%s\"?", shown(scalar(key), text), nearest);
}

static bool is_key(enum scope scope, struct str key)
{
  for (size_t i = 0; i < n_settings; i++)
    if (settings[i].scope == scope && str_eq(key, str_of(settings[i].key))) return true;
  return false;
}

static int check_keys(struct loader *l, enum scope scope, const yaml_node_t *map, const char *what)
{
  char text[41];
  if (map->type != YAML_MAPPING_NODE) return FAIL(l, map, "%s: expected keys and values", what);
  const yaml_node_pair_t *start = map->data.mapping.pairs.start;
  for (const yaml_node_pair_t *p = start; p < map->data.mapping.pairs.top; p++) {
    const yaml_node_t *key = node(l, p->key);
    if (!key || key->type != YAML_SCALAR_NODE) return FAIL(l, key, "%s: a key must be plain text", what);
    if (!is_key(scope, scalar(key))) return unknown_key(l, scope, key);
    for (const yaml_node_pair_t *q = start; q < p; q++)
      if (str_eq(scalar(node(l, q->key)), scalar(key)))
        return FAIL(l, key, "the key \"%s\" stands twice; first in line %u", shown(scalar(key), text), line_of(node(l, q->key)));
  }
  return VDT_OK;
}

static int wrong_value(struct loader *l, const struct setting *s, const yaml_node_t *value)
{
  const struct value_kind *k = setting_kind(s);
  struct buf bounds = {0};
  const char *nearest = NULL;
  unsigned best = 1000;
  for (size_t i = 0; k->choices && k->choices[i]; i++) {
    unsigned d = str_distance(scalar(value), str_of(k->choices[i]));
    if (d < best) nearest = k->choices[i], best = d;
  }
  setting_bounds(s, &bounds);
  buf_byte(&bounds, 0);
  const char *b = bounds.failed ? "" : bounds.p;
  int rc = nearest ? FAIL(l, value, "%s: expected %s; did you mean \"%s\"?", s->key, k->type, nearest)
                   : FAIL(l, value, "%s: expected %s%s%s", s->key, k->type, *b ? ", from " : "", b);
  buf_finish(&bounds);
  return rc;
}

static int fill(struct loader *l, enum scope scope, const yaml_node_t *map, const char *what, void *base);

static int fill_list(struct loader *l, const struct setting *s, const yaml_node_t *list, void *member)
{
  if (list->type != YAML_SEQUENCE_NODE) return FAIL(l, list, "%s: expected a list", s->key);
  const yaml_node_item_t *items = list->data.sequence.items.start;
  size_t n = (size_t)(list->data.sequence.items.top - items), size = scope_size[s->of];
  assert(size);
  if ((double)n < s->low || (double)n > s->high)
    return FAIL(l, list, "%s: expected %.0f to %.0f entries", s->key, s->low, s->high);
  char *array = arena_zalloc(l->arena, n, size);
  if (!array) return out_of_memory(l);
  l->lists[s->of] = list;
  *(char **)member = array;
  *(size_t *)((char **)member + 1) = n;
  for (size_t i = 0; i < n; i++) {
    int rc = fill(l, s->of, node(l, items[i]), s->key, array + i * size);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int fill_scalar(struct loader *l, const struct setting *s, const yaml_node_t *value, void *member)
{
  bool oom = false;
  if (value && value->type != YAML_SCALAR_NODE)
    return FAIL(l, value, "%s: expected one value, %s", s->key, setting_kind(s)->type);
  if (!value && !*s->initial) return VDT_OK;
  struct str text = value ? scalar(value) : str_of(s->initial);
  if (setting_kind(s)->set(l->arena, s, text, member, &oom)) return VDT_OK;
  return oom ? out_of_memory(l) : wrong_value(l, s, value);
}

/* Fills the structure of a scope from a mapping; NULL stands for one without keys. */
static int fill(struct loader *l, enum scope scope, const yaml_node_t *map, const char *what, void *base)
{
  int rc = map ? check_keys(l, scope, map, what) : VDT_OK;
  for (size_t i = 0; !rc && i < n_settings; i++) {
    const struct setting *s = &settings[i];
    if (s->scope != scope) continue;
    const yaml_node_t *value = value_of(l, map, s->key);
    void *member = (char *)base + s->offset;
    if (!value && !s->initial) rc = FAIL(l, map, "%s: the key \"%s\" is missing", what, s->key);
    else if (s->kind == KIND_MAP) rc = fill(l, s->of, value, s->key, member);
    else if (s->kind == KIND_LIST) rc = value ? fill_list(l, s, value, member) : VDT_OK;
    else rc = fill_scalar(l, s, value, member);
  }
  return rc;
}

/* ---- what concerns more than one setting ------------------------------------------------------------------------ */

static const yaml_node_t *element(struct loader *l, enum scope scope, size_t i)
{
  const yaml_node_t *list = l->lists[scope];
  return list ? node(l, list->data.sequence.items.start[i]) : NULL;
}

/* The node of a key in the i-th element of a list, for its line; the element when the key is absent. */
static const yaml_node_t *place(struct loader *l, enum scope scope, size_t i, const char *key)
{
  const yaml_node_t *of = element(l, scope, i), *value = value_of(l, of, key);
  return value ? value : of;
}

static const char *name_at(const struct config *c, enum scope scope, size_t i)
{
  switch (scope) {
  case WORKSPACE: return i < c->n_workspaces ? c->workspaces[i].name : NULL;
  case DEPLOYMENT: return i < c->n_deployments ? c->deployments[i].name : NULL;
  case POLICY: return i < c->n_policies ? c->policies[i].name : NULL;
  case BLOCKLIST: return i < c->n_blocklists ? c->blocklists[i].name : NULL;
  case SHIELD: return i < c->n_shields ? c->shields[i].name : NULL;
  case SENSITIVITY: return i < c->n_labels ? c->labels[i].name : NULL;
  case DATA_POLICY: return i < c->n_data_policies ? c->data_policies[i].policy.name : NULL;
  default: return NULL;
  }
}

static int check_unique(struct loader *l, enum scope scope, const char *what)
{
  const char *a, *b;
  for (size_t i = 0; (a = name_at(l->config, scope, i)); i++)
    for (size_t j = 0; j < i && (b = name_at(l->config, scope, j)); j++)
      if (strcmp(a, b) == 0)
        return FAIL(l, place(l, scope, i, "name"), "the %s \"%s\" stands twice; first in line %u", what, a,
                    line_of(place(l, scope, j, "name")));
  return VDT_OK;
}

/* Index of the entry of that name, or -1 with the nearest name. */
static long find_name(const struct config *c, enum scope scope, const char *name, const char **nearest)
{
  unsigned best = 1000;
  const char *have;
  for (size_t i = 0; (have = name_at(c, scope, i)); i++) {
    unsigned d = str_distance(str_of(name), str_of(have));
    if (strcmp(have, name) == 0) return (long)i;
    if (d < best) *nearest = have, best = d;
  }
  return -1;
}

static int link_blocklists(struct loader *l, size_t i)
{
  struct config_deployment *d = &l->config->deployments[i];
  const char *nearest = "none";
  size_t n = l->config->n_blocklists + 1;
  if (d->n_blocklists) {
    d->list_request = arena_zalloc(l->config->arena, n, sizeof *d->list_request);
    d->list_response = arena_zalloc(l->config->arena, n, sizeof *d->list_response);
    if (!d->list_request || !d->list_response) return out_of_memory(l);
  }
  for (size_t k = 0; k < d->n_blocklists; k++) {
    long at = find_name(l->config, BLOCKLIST, d->blocklists[k].name, &nearest);
    if (at < 0)
      return FAIL(l, place(l, DEPLOYMENT, i, "blocklists"), "there is no blocklist \"%s\"; did you mean \"%s\"?",
                  d->blocklists[k].name, nearest);
    d->list_request[at] = d->blocklists[k].action;
    d->list_response[at] = d->blocklists[k].response;
  }
  return VDT_OK;
}

static int name_blocklists(struct loader *l)
{
  struct config *c = l->config;
  c->list_names = arena_zalloc(c->arena, c->n_blocklists + 1, sizeof *c->list_names);
  if (!c->list_names) return out_of_memory(l);
  for (size_t i = 0; i < c->n_blocklists; i++) c->list_names[i] = c->blocklists[i].name;
  return VDT_OK;
}

static int link_deployment(struct loader *l, size_t i)
{
  struct config *c = l->config;
  struct config_deployment *d = &c->deployments[i];
  const char *nearest = "";
  long w = find_name(c, WORKSPACE, d->workspace_name, &nearest);
  if (w < 0)
    return FAIL(l, place(l, DEPLOYMENT, i, "workspace"), "there is no workspace \"%s\"; did you mean \"%s\"?", d->workspace_name,
                nearest);
  long p = find_name(c, POLICY, d->policy_name, &nearest);
  if (p < 0)
    return FAIL(l, place(l, DEPLOYMENT, i, "policy"), "there is no policy \"%s\"; did you mean \"%s\"?", d->policy_name, nearest);
  d->workspace = &c->workspaces[w];
  d->policy = &c->policies[p];
  if (d->evidence == CONFIG_EVIDENCE_INHERIT) d->evidence = d->workspace->prompt_evidence;
  d->prompt_evidence = d->evidence != CONFIG_EVIDENCE_OFF;
  return VDT_OK;
}

static int check_score(struct loader *l, size_t i, const char *key, const struct vdt_score_policy *s)
{
  if (s->detect_at <= s->block_at) return VDT_OK;
  return FAIL(l, place(l, POLICY, i, key), "%s: detect_at (%g) is greater than block_at (%g)", key, s->detect_at, s->block_at);
}

static int check_shield(struct loader *l, size_t i)
{
  const struct config_shield *s = &l->config->shields[i];
  if (s->kind == CONFIG_OPENAI_CHAT && !s->model)
    return FAIL(l, place(l, SHIELD, i, "kind"), "openai-chat: the key \"model\" is missing");
  if (s->kind == CONFIG_PROMPT_SHIELDS && s->model)
    return FAIL(l, place(l, SHIELD, i, "model"), "model: prompt-shields has none");
  if (str_eq(str_of(s->name), STR("none"))) return FAIL(l, place(l, SHIELD, i, "name"), "name: \"none\" stands for no shield");
  return VDT_OK;
}

static int check_feeds(struct loader *l)
{
  const struct config_intel *t = &l->config->intel;
  const yaml_node_t *map = value_of(l, yaml_document_get_root_node(&l->doc), "threat_intelligence");
  const yaml_node_t *list = map ? value_of(l, map, "feeds") : NULL;
  for (size_t i = 0; i < t->n_feeds; i++) {
    const struct config_feed *f = &t->feeds[i];
    const yaml_node_t *at = yaml_document_get_node(&l->doc, list->data.sequence.items.start[i]);
    if (!f->file == !f->url) return FAIL(l, at, "feeds: expected either file or url for \"%s\"", f->name);
    if (strcmp(f->name, "built-in") == 0 || strcmp(f->name, "status.json") == 0)
      return FAIL(l, at, "feeds: the name \"%s\" is taken", f->name);
    if (f->name[0] == '.') return FAIL(l, at, "feeds: a name does not begin with a dot");
    for (size_t k = 0; k < i; k++)
      if (strcmp(t->feeds[k].name, f->name) == 0) return FAIL(l, at, "the feed \"%s\" stands twice", f->name);
  }
  return VDT_OK;
}

/* Whole, or not there at all. */
static int check_sign_in(struct loader *l, const yaml_node_t *at, const struct config_sign_in *s)
{
  const struct {
    const char *key, *value;
  } needed[] = {{"client_id", s->client_id},
                {"authorize_url", s->authorize_url},
                {"token_url", s->token_url},
                {"redirect_url", s->redirect_url}};
  bool any = s->client_secret_env || s->logout_url || s->title;
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) any |= needed[i].value != NULL;
  for (size_t i = 0; any && i < sizeof needed / sizeof *needed; i++)
    if (!needed[i].value) return FAIL(l, at, "sign_in: the key \"%s\" is missing", needed[i].key);
  return VDT_OK;
}

/* Each has one place for its keys, and roles in workspaces that are there. */
static int check_oidc(struct loader *l)
{
  const struct config_control *c = &l->config->control;
  const char *nearest = "";
  const yaml_node_t *map = value_of(l, yaml_document_get_root_node(&l->doc), "control");
  const yaml_node_t *list = map ? value_of(l, map, "oidc") : NULL;
  for (size_t i = 0; i < c->n_oidc; i++) {
    const struct config_oidc *o = &c->oidc[i];
    const yaml_node_t *at = yaml_document_get_node(&l->doc, list->data.sequence.items.start[i]);
    if (!o->keys_file == !o->keys_url) return FAIL(l, at, "oidc: expected either keys_file or keys_url for \"%.80s\"", o->issuer);
    for (size_t k = 0; k < i; k++)
      if (strcmp(c->oidc[k].issuer, o->issuer) == 0) return FAIL(l, at, "the issuer \"%.80s\" stands twice", o->issuer);
    for (size_t k = 0; k < o->n_roles; k++)
      if (o->roles[k].workspace && find_name(l->config, WORKSPACE, o->roles[k].workspace, &nearest) < 0)
        return FAIL(l, at, "oidc: there is no workspace \"%s\"; did you mean \"%s\"?", o->roles[k].workspace, nearest);
    const yaml_node_t *sign_in = value_of(l, at, "sign_in");
    int rc = check_sign_in(l, sign_in ? sign_in : at, &o->sign_in);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int check_opinion(struct loader *l, size_t i)
{
  const struct vdt_opinion_policy *o = &l->config->policies[i].second_opinion;
  const yaml_node_t *at = value_of(l, element(l, POLICY, i), "second_opinion");
  const char *nearest = "none";
  if (at && !value_of(l, at, "shield")) return FAIL(l, at, "second_opinion: the key \"shield\" is missing");
  if (str_eq(str_of(o->shield), STR("none"))) return VDT_OK;
  if (find_name(l->config, SHIELD, o->shield, &nearest) < 0)
    return FAIL(l, at, "second_opinion: there is no shield \"%s\"; did you mean \"%s\"?", o->shield, nearest);
  if (o->from < o->below) return VDT_OK;
  return FAIL(l, at, "second_opinion: from (%g) is not less than below (%g)", o->from, o->below);
}

/* Kinds are looked up among the rules later, by who loads the engine: their lines are kept for that. */
static void note_kind_lines(struct loader *l, size_t i, const char *detector, const struct vdt_leak_policy *p)
{
  const yaml_node_t *list = value_of(l, value_of(l, element(l, POLICY, i), detector), "kinds");
  for (size_t k = 0; list && k < p->n_kinds; k++)
    ((struct vdt_kind_policy *)(uintptr_t)p->kinds)[k].line = line_of(node(l, list->data.sequence.items.start[k]));
}

static int check_allowed(struct loader *l)
{
  struct config *c = l->config;
  const char *nearest = "";
  for (size_t i = 0; i < c->n_allowed; i++) {
    struct config_allowed *a = &c->allowed[i];
    a->line = line_of(element(l, ALLOWED, i));
    if (!a->hash && !a->kind) return FAIL(l, element(l, ALLOWED, i), "allowed: expected a hash, a kind, or both");
    if (a->hash && !c->allowed_key)
      return FAIL(l, place(l, ALLOWED, i, "hash"),
                  "hash: the key \"allowed_key\" is missing; `vedette rules hash` makes such a file");
    if (a->deployment && find_name(c, DEPLOYMENT, a->deployment, &nearest) < 0)
      return FAIL(l, place(l, ALLOWED, i, "deployment"), "there is no deployment \"%s\"; did you mean \"%s\"?", a->deployment,
                  nearest);
  }
  return VDT_OK;
}

/* ---- labels and policies about data ------------------------------------------------------------------------------ */

static void note_lines(struct loader *l, const yaml_node_t *of, struct data_kind *kinds, size_t n)
{
  const yaml_node_t *list = value_of(l, of, "kinds");
  for (size_t k = 0; list && k < n; k++) kinds[k].line = line_of(node(l, list->data.sequence.items.start[k]));
}

/* "None" of them is called alike, in any case, and none has the rank of another: then which is the higher would hang on their order. */
static int check_label(struct loader *l, size_t i)
{
  const struct config *c = l->config;
  const struct config_label *a = &c->labels[i];
  if (strlen(a->name) > 128) return FAIL(l, place(l, SENSITIVITY, i, "name"), "name: expected at most 128 bytes");
  for (size_t k = 0; k < i; k++) {
    const struct config_label *b = &c->labels[k];
    if (a->priority == b->priority)
      return FAIL(l, place(l, SENSITIVITY, i, "priority"), "priority: \"%.64s\" has the same", b->name);
    if (str_ieq(str_of(a->name), str_of(b->name)) || (a->id && b->id && str_ieq(str_of(a->id), str_of(b->id))))
      return FAIL(l, place(l, SENSITIVITY, i, "name"), "the label \"%.64s\" stands twice", b->name);
  }
  note_lines(l, element(l, SENSITIVITY, i), c->labels[i].kinds, a->n_kinds);
  return VDT_OK;
}

static int check_who(struct loader *l, size_t i, const char *key, const struct config_who *who, size_t n)
{
  for (size_t k = 0; k < n; k++)
    if (!who[k].end_user && !who[k].application && !who[k].tenant)
      return FAIL(l, place(l, DATA_POLICY, i, key), "%s: an entry describes nobody; expected end_user, application or tenant",
                  key);
  return VDT_OK;
}

static int check_data_policy(struct loader *l, size_t i)
{
  struct config_data_policy *p = &l->config->data_policies[i];
  int rc = check_who(l, i, "who", p->who, p->n_who);
  if (!rc) rc = check_who(l, i, "except", p->except, p->n_except);
  note_lines(l, element(l, DATA_POLICY, i), p->policy.kinds, p->policy.n_kinds);
  return rc;
}

static int link_label(struct loader *l, size_t i)
{
  struct config_deployment *d = &l->config->deployments[i];
  const char *nearest = "none";
  if (!d->label_name) return VDT_OK;
  d->label = config_find_label(l->config, str_of(d->label_name));
  if (d->label) return VDT_OK;
  find_name(l->config, SENSITIVITY, d->label_name, &nearest);
  return FAIL(l, place(l, DEPLOYMENT, i, "label"), "there is no label \"%.64s\"; did you mean \"%.64s\"?", d->label_name,
              nearest);
}

static int check_data_security(struct loader *l)
{
  struct config *c = l->config;
  int rc = check_unique(l, DATA_POLICY, "data policy");
  for (size_t i = 0; !rc && i < c->n_labels; i++) rc = check_label(l, i);
  for (size_t i = 0; !rc && i < c->n_data_policies; i++) rc = check_data_policy(l, i);
  for (size_t i = 0; !rc && i < c->n_deployments; i++) rc = link_label(l, i);
  return rc;
}

static int check_tls(struct loader *l, const char *key, const struct config_tls *tls)
{
  if (!tls->certificate == !tls->key) return VDT_OK;
  const yaml_node_t *listen = value_of(l, yaml_document_get_root_node(&l->doc), "listen");
  return FAIL(l, value_of(l, listen, key), "%s: certificate and key go together; %s is missing", key,
              tls->key ? "certificate" : "key");
}

static int default_policy(struct loader *l)
{
  struct config *c = l->config;
  if (c->n_policies) return VDT_OK;
  c->policies = arena_zalloc(l->arena, 1, sizeof *c->policies);
  if (!c->policies) return out_of_memory(l);
  vdt_policy_default(c->policies);
  c->n_policies = 1;
  return VDT_OK;
}

static int check_listen(struct loader *l)
{
  const struct config_listen *a = &l->config->listen;
  int rc = check_tls(l, "gateway_tls", &a->gateway_tls);
  if (!rc) rc = check_tls(l, "control_tls", &a->control_tls);
  if (rc || strcmp(a->gateway, a->control) != 0) return rc;
  const yaml_node_t *listen = value_of(l, yaml_document_get_root_node(&l->doc), "listen");
  return FAIL(l, value_of(l, listen, "control"), "control: the same address as gateway");
}

/* An API of ours: whose policy judges, and where its records go. */
static int link_own_api(struct loader *l, const char *key, struct config_content_safety *s)
{
  struct config *c = l->config;
  const yaml_node_t *map = value_of(l, yaml_document_get_root_node(&l->doc), key);
  const char *nearest = "";
  s->policy = c->deployments[0].policy;
  s->workspace = c->deployments[0].workspace;
  long p = s->policy_name ? find_name(c, POLICY, s->policy_name, &nearest) : s->policy - c->policies;
  if (p < 0)
    return FAIL(l, value_of(l, map, "policy"), "there is no policy \"%s\"; did you mean \"%s\"?", s->policy_name, nearest);
  long w = s->workspace_name ? find_name(c, WORKSPACE, s->workspace_name, &nearest) : s->workspace - c->workspaces;
  if (w < 0)
    return FAIL(l, value_of(l, map, "workspace"), "there is no workspace \"%s\"; did you mean \"%s\"?", s->workspace_name,
                nearest);
  s->policy = &c->policies[p];
  s->workspace = &c->workspaces[w];
  return VDT_OK;
}

static int check_region(struct loader *l, size_t i)
{
  char what[400];
  const char *key;
  if (!config_region_conflict(l->config, i, &key, what, sizeof what)) return VDT_OK;
  return FAIL(l, place(l, DEPLOYMENT, i, key), "%s: %s", key, what);
}

static int check_all(struct loader *l)
{
  struct config *c = l->config;
  int rc = check_listen(l);
  if (!rc) rc = default_policy(l);
  if (!rc) rc = check_unique(l, WORKSPACE, "workspace");
  if (!rc) rc = check_unique(l, POLICY, "policy");
  if (!rc) rc = check_unique(l, SHIELD, "shield");
  if (!rc) rc = check_unique(l, BLOCKLIST, "blocklist");
  for (size_t i = 0; !rc && i < c->n_shields; i++) rc = check_shield(l, i);
  if (!rc) rc = check_unique(l, DEPLOYMENT, "deployment");
  for (size_t i = 0; !rc && i < c->n_policies; i++) {
    rc = check_score(l, i, "jailbreak", &c->policies[i].jailbreak);
    if (!rc) rc = check_score(l, i, "indirect", &c->policies[i].indirect);
    if (!rc) rc = check_score(l, i, "reconnaissance", &c->policies[i].reconnaissance);
    if (!rc) rc = check_opinion(l, i);
    note_kind_lines(l, i, "credential", &c->policies[i].credential);
    note_kind_lines(l, i, "sensitive", &c->policies[i].sensitive);
    note_kind_lines(l, i, "malicious_url", &c->policies[i].malicious_url);
  }
  for (size_t i = 0; !rc && i < c->n_deployments; i++) rc = link_deployment(l, i);
  for (size_t i = 0; !rc && i < c->n_deployments; i++) rc = check_region(l, i);
  for (size_t i = 0; !rc && i < c->n_deployments; i++) rc = link_blocklists(l, i);
  if (!rc) rc = name_blocklists(l);
  if (!rc) rc = check_allowed(l);
  if (!rc) rc = check_data_security(l);
  if (!rc) rc = check_feeds(l);
  if (!rc) rc = check_oidc(l);
  if (!rc) rc = link_own_api(l, "content_safety", &c->content_safety);
  if (!rc) rc = link_own_api(l, "data_security", &c->data_security);
  return rc;
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static int syntax_error(struct loader *l, const yaml_parser_t *parser)
{
  if (parser->error == YAML_MEMORY_ERROR) return out_of_memory(l);
  return error_at(l->err, VDT_ECONFIG, l->file, (unsigned)parser->problem_mark.line + 1, "not YAML: %s",
                  parser->problem ? parser->problem : "unreadable");
}

/* A second document would be read by nobody. */
static int check_end(struct loader *l, yaml_parser_t *parser)
{
  yaml_document_t more;
  if (!yaml_parser_load(parser, &more)) return syntax_error(l, parser);
  const yaml_node_t *root = yaml_document_get_root_node(&more);
  int rc = root ? FAIL(l, root, "a second document in one file") : VDT_OK;
  yaml_document_delete(&more);
  return rc;
}

static int read_document(struct loader *l, yaml_parser_t *parser)
{
  if (!yaml_parser_load(parser, &l->doc)) return syntax_error(l, parser);
  const yaml_node_t *root = yaml_document_get_root_node(&l->doc);
  int rc = root ? check_end(l, parser) : FAIL(l, root, "the file is empty; `vedette config default` prints one to start from");
  if (!rc) rc = fill(l, ROOT, root, "the file", l->config);
  if (!rc) rc = check_all(l);
  yaml_document_delete(&l->doc);
  return rc;
}

int config_parse(struct str yaml, const char *name, struct config **out, struct vdt_error *err)
{
  struct vdt_arena *arena = vdt_arena_new(MAX_ARENA);
  struct config *c = arena ? arena_zalloc(arena, 1, sizeof *c) : NULL;
  yaml_parser_t parser;
  if (!c || !yaml_parser_initialize(&parser)) {
    vdt_arena_free(arena);
    return error_set(err, VDT_ENOMEM, "out of memory");
  }
  c->arena = arena;
  c->path = arena_dup(arena, str_of(name)).p;
  if (!c->path) c->path = "";
  struct loader l = {.config = c, .arena = arena, .file = name, .err = err};
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, (const unsigned char *)(yaml.p ? yaml.p : ""), yaml.n);
  int rc = read_document(&l, &parser);
  yaml_parser_delete(&parser);
  if (rc) config_free(c);
  else *out = c;
  return rc;
}

void config_free(struct config *config)
{
  if (config) vdt_arena_free(config->arena);
}

const struct config_deployment *config_find(const struct config *config, struct str name)
{
  for (size_t i = 0; i < config->n_deployments; i++)
    if (str_eq(str_of(config->deployments[i].name), name)) return &config->deployments[i];
  return NULL;
}

const struct config_shield *config_shield_of(const struct config *config, const struct vdt_policy *policy)
{
  for (size_t i = 0; i < config->n_shields; i++)
    if (strcmp(config->shields[i].name, policy->second_opinion.shield) == 0) return &config->shields[i];
  return NULL;
}

const struct config_label *config_find_label(const struct config *config, struct str name)
{
  for (size_t i = 0; i < config->n_labels; i++) {
    const struct config_label *l = &config->labels[i];
    if (str_ieq(name, str_of(l->name)) || (l->id && str_ieq(name, str_of(l->id)))) return l;
  }
  return NULL;
}

static bool describes(const struct config_who *who, size_t n, struct str end_user, struct str application, struct str tenant)
{
  for (size_t i = 0; i < n; i++)
    if ((!who[i].end_user || data_pattern_matches(str_of(who[i].end_user), end_user)) &&
        (!who[i].application || data_pattern_matches(str_of(who[i].application), application)) &&
        (!who[i].tenant || data_pattern_matches(str_of(who[i].tenant), tenant)))
      return true;
  return false;
}

bool config_data_policy_holds(const struct config_data_policy *p, struct str end_user, struct str application, struct str tenant)
{
  return (!p->n_who || describes(p->who, p->n_who, end_user, application, tenant)) &&
         !describes(p->except, p->n_except, end_user, application, tenant);
}

size_t config_data_policies(const struct config *config, struct str end_user, struct str application, struct str also,
                            struct str tenant, const struct data_policy *holds[DATA_POLICIES_MAX])
{
  size_t n = 0;
  for (size_t i = 0; i < config->n_data_policies && n < DATA_POLICIES_MAX; i++) {
    const struct config_data_policy *p = &config->data_policies[i];
    bool holding = config_data_policy_holds(p, end_user, application, tenant);
    if (also.n) holding |= config_data_policy_holds(p, end_user, also, tenant);
    if (holding) holds[n++] = &p->policy;
  }
  return n;
}
