/* Gathers the statement: the workspaces of the stores and of the configuration, who connects where, and what is found now. */
#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "data/data.h"
#include "engine/url.h"
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

enum { ACCOUNT_BYTES = 16384 }; /* of an entry of passwd or group: a group lists its members */

struct gather {
  const struct data_input *in;
  struct vdt_arena *arena;
  struct data_statement *out;
  struct vdt_error *err;
};

static int no_memory(struct gather *g)
{
  return error_set(g->err, VDT_ENOMEM, "out of memory");
}

/* ---- workspaces -------------------------------------------------------------------------------------------------- */

static const struct config_workspace *config_workspace(const struct config *c, struct str name)
{
  for (size_t i = 0; c && i < c->n_workspaces; i++)
    if (str_eq(str_of(c->workspaces[i].name), name)) return &c->workspaces[i];
  return NULL;
}

static bool has_store(const struct data_input *in, struct str name)
{
  for (size_t i = 0; i < in->n_stores; i++)
    if (str_eq(in->stores[i]->place.workspace, name)) return true;
  return false;
}

static int list_workspaces(struct gather *g)
{
  const struct data_input *in = g->in;
  size_t most = in->n_stores + (in->config ? in->config->n_workspaces : 0);
  struct data_workspace *w = g->out->workspaces = arena_zalloc(g->arena, most + 1, sizeof *w);
  if (!w) return no_memory(g);
  for (size_t i = 0; i < in->n_stores; i++) {
    struct store *s = in->stores[i];
    *w++ = (struct data_workspace){.name = s->place.workspace,
                                   .region = s->place.region,
                                   .engine = str_of(s->ops->name),
                                   .store = s,
                                   .config = config_workspace(in->config, s->place.workspace)};
  }
  for (size_t i = 0; in->all && in->config && i < in->config->n_workspaces; i++) {
    const struct config_workspace *c = &in->config->workspaces[i];
    if (!has_store(in, str_of(c->name)))
      *w++ =
          (struct data_workspace){.name = str_of(c->name), .region = str_of(c->region), .engine = str_of(c->store), .config = c};
  }
  g->out->n_workspaces = (size_t)(w - g->out->workspaces);
  return VDT_OK;
}

/* Of a resource id "/subscriptions/X/...", else of the workspace. */
static struct str subscription_of(const struct config_deployment *d)
{
  struct str id = str_of(d->resource_id), head = STR("/subscriptions/");
  if (id.n > head.n && str_ieq(str_cut(id, 0, head.n), head)) {
    id = str_cut(id, head.n, id.n);
    const char *slash = memchr(id.p, '/', id.n);
    return slash ? str_cut(id, 0, (size_t)(slash - id.p)) : id;
  }
  return d->workspace->subscription_id ? str_of(d->workspace->subscription_id) : STR("00000000-0000-0000-0000-000000000000");
}

/* What a plan says goes before the configuration. */
static int apply_plans(struct gather *g, struct data_deployment *d)
{
  d->evidence = d->config->prompt_evidence;
  for (size_t i = 0; i < g->in->n_stores; i++) {
    struct store *s = g->in->stores[i];
    struct store_plan *plans;
    size_t n;
    int rc = s->ops->list_plans(s, subscription_of(d->config), g->arena, &plans, &n, g->err);
    if (rc) return rc;
    for (size_t k = 0; k < n; k++) {
      if (plans[k].evidence != STORE_UNSET) d->evidence = plans[k].evidence == STORE_ON;
      d->purview |= plans[k].purview == STORE_ON;
    }
  }
  return VDT_OK;
}

static int list_deployments(struct gather *g, struct data_workspace *w)
{
  const struct config *c = g->in->config;
  int rc = VDT_OK;
  if (!c || !w->config) return VDT_OK;
  w->deployments = arena_zalloc(g->arena, c->n_deployments + 1, sizeof *w->deployments);
  if (!w->deployments) return no_memory(g);
  for (size_t i = 0; !rc && i < c->n_deployments; i++) {
    if (c->deployments[i].workspace != w->config) continue;
    w->deployments[w->n_deployments].config = &c->deployments[i];
    rc = apply_plans(g, &w->deployments[w->n_deployments++]);
  }
  return rc;
}

static int read_store(struct gather *g, struct data_workspace *w)
{
  struct store *s = w->store;
  if (!s) return VDT_OK;
  struct store_hold *holds;
  int rc = s->ops->get_keeps(s, &w->keeps, g->err);
  if (!rc) rc = s->ops->list_holds(s, g->arena, &holds, &w->n_holds, g->err);
  if (!rc) rc = s->ops->survey(s, g->arena, &w->tables, &w->n_tables, g->err);
  if (!rc) rc = s->ops->list_texts(s, g->arena, &w->texts, &w->n_texts, g->err);
  if (!rc) rc = s->ops->list_transfers(s, (struct str){0}, g->arena, &w->transfers, &w->n_transfers, g->err);
  if (!rc) rc = s->ops->list_removals(s, g->arena, &w->removals, &w->n_removals, g->err);
  return rc;
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

static struct str destination(struct gather *g, const struct config_url *u)
{
  char text[URL_ORIGIN];
  url_origin(u, text, sizeof text);
  return arena_dup(g->arena, str_of(text));
}

static bool is_local(const struct config_url *u)
{
  if (u->scheme == CONFIG_UNIX || u->scheme == CONFIG_SIMULATED) return true;
  return strncmp(u->host, "127.", 4) == 0 || strcmp(u->host, "::1") == 0 || strcmp(u->host, "localhost") == 0;
}

static bool is_name(const struct config_url *u)
{
  if (u->scheme == CONFIG_UNIX || u->scheme == CONFIG_SIMULATED || strchr(u->host, ':')) return false;
  return strspn(u->host, "0123456789.") != strlen(u->host);
}

static void add(struct gather *g, struct data_connection c)
{
  g->out->connections[g->out->n_connections++] = c;
}

static bool is_in(struct str list, struct str name)
{
  while (list.n) {
    size_t at = str_find(list, STR(", ")), n = at == (size_t)-1 ? list.n : at;
    if (str_eq(str_cut(list, 0, n), name)) return true;
    list = str_cut(list, at == (size_t)-1 ? n : n + 2, list.n);
  }
  return false;
}

/* Once each. */
static void join(struct gather *g, struct str *list, struct str name)
{
  if (!name.n || is_in(*list, name)) return;
  const char *more = list->n ? arena_printf(g->arena, "%.*s, %.*s", (int)list->n, list->p, (int)name.n, name.p) : NULL;
  if (!list->n) *list = name;
  else if (more) *list = str_of(more);
}

/* The deployments that ask a shield, of the workspaces that are in the statement. */
static struct str users_of(struct gather *g, const struct config_shield *shield)
{
  struct str used = {0};
  for (size_t i = 0; i < g->out->n_workspaces; i++)
    for (size_t k = 0; k < g->out->workspaces[i].n_deployments; k++) {
      const struct config_deployment *d = g->out->workspaces[i].deployments[k].config;
      if (config_shield_of(g->in->config, d->policy) == shield) join(g, &used, str_of(d->name));
    }
  return used;
}

static void add_upstreams(struct gather *g, struct str *names)
{
  for (size_t i = 0; i < g->out->n_workspaces; i++)
    for (size_t k = 0; k < g->out->workspaces[i].n_deployments; k++) {
      const struct config_deployment *d = g->out->workspaces[i].deployments[k].config;
      add(g, (struct data_connection){DATA_UPSTREAM, str_of(d->name), destination(g, &d->upstream), str_of(d->name),
                                      !is_local(&d->upstream)});
      if (is_name(&d->upstream)) join(g, names, str_of(d->upstream.host));
    }
}

static void add_shields(struct gather *g, struct str *names)
{
  const struct config *c = g->in->config;
  for (size_t i = 0; i < c->n_shields; i++) {
    const struct config_shield *s = &c->shields[i];
    struct str used = users_of(g, s);
    if (!used.n && !g->in->all) continue;
    add(g, (struct data_connection){DATA_SHIELD, str_of(s->name), destination(g, &s->endpoint), used, !is_local(&s->endpoint)});
    if (is_name(&s->endpoint)) join(g, names, str_of(s->endpoint.host));
  }
}

/* "https://host:port" of an address that has a path and perhaps a query behind it. */
static struct str origin(struct vdt_arena *arena, const char *url)
{
  const char *host = url + strcspn(url, ":");
  host += strspn(host, ":/");
  return arena_dup(arena, (struct str){url, (size_t)(host - url) + strcspn(host, "/?#")});
}

/* The name in "https://name:port"; empty for an address. */
static struct str host_of(struct str to)
{
  struct str head = STR("https://");
  if (!str_starts(to, head)) return (struct str){0};
  to = str_cut(to, head.n, to.n);
  const char *colon = memchr(to.p, ':', to.n);
  if (colon) to.n = (size_t)(colon - to.p);
  return to.n && to.p[0] != '[' && strspn(to.p, "0123456789.") < to.n ? to : (struct str){0};
}

static void add_feeds(struct gather *g, struct str *names)
{
  const struct config_intel *t = &g->in->config->intel;
  bool any = false;
  for (size_t i = 0; i < t->n_feeds; i++) {
    if (!t->feeds[i].url) continue;
    struct str to = origin(g->arena, t->feeds[i].url);
    add(g, (struct data_connection){DATA_FEED, str_of(t->feeds[i].name), to, {0}, true});
    join(g, names, host_of(to));
    any = true;
  }
  if (any) add(g, (struct data_connection){DATA_REDIRECT, STR("any feed"), STR("https, at most 3 steps"), {0}, true});
}

static void add_providers(struct gather *g, struct str *names)
{
  const struct config_control *c = &g->in->config->control;
  for (size_t i = 0; i < 2 * c->n_oidc; i++) {
    const struct config_oidc *o = &c->oidc[i / 2];
    const char *url = i % 2 ? o->sign_in.token_url : o->keys_url;
    if (!url) continue;
    struct str to = origin(g->arena, url);
    add(g, (struct data_connection){i % 2 ? DATA_SIGN_IN : DATA_IDENTITY, str_of(o->issuer), to, {0}, true});
    join(g, names, host_of(to));
  }
}

static int list_connections(struct gather *g)
{
  const struct config *c = g->in->config;
  struct str names = {0};
  if (!c) return VDT_OK;
  g->out->connections = arena_zalloc(g->arena, c->n_deployments + c->n_shields + c->intel.n_feeds + 2 * c->control.n_oidc + 3,
                                     sizeof *g->out->connections);
  if (!g->out->connections) return no_memory(g);
  add_upstreams(g, &names);
  add_shields(g, &names);
  add_feeds(g, &names);
  add_providers(g, &names);
  if (names.n) add(g, (struct data_connection){DATA_RESOLVER, STR("resolver"), STR("as in /etc/resolv.conf"), names, true});
  return VDT_OK;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void count_file(struct data_found *f, const struct stat *st)
{
  uint64_t us = (uint64_t)st->st_mtim.tv_sec * 1000000 + (uint64_t)st->st_mtim.tv_nsec / 1000;
  f->items++;
  f->bytes += (uint64_t)st->st_size;
  if (!f->oldest_us || us < f->oldest_us) f->oldest_us = us;
  if (us > f->newest_us) f->newest_us = us;
}

static void take_item(void *ctx, const struct data_item *i)
{
  struct gather *g = ctx;
  if (!i->place || !S_ISREG(i->st->st_mode)) return;
  if (!i->workspace.n) count_file(&g->out->files[i->place->class], i->st);
  for (size_t k = 0; i->workspace.n && k < g->out->n_workspaces; k++)
    if (str_eq(g->out->workspaces[k].name, i->workspace)) count_file(&g->out->workspaces[k].files[i->place->class], i->st);
}

/* The re-entrant ones: statements are made in several threads. */
static struct str user_name(struct vdt_arena *arena, uid_t uid)
{
  char text[ACCOUNT_BYTES];
  struct passwd p, *found = NULL;
  if (getpwuid_r(uid, &p, text, sizeof text, &found)) found = NULL;
  const char *name = found ? arena_printf(arena, "%s", p.pw_name) : arena_printf(arena, "uid %u", (unsigned)uid);
  return str_of(name ? name : "");
}

static struct str group_name(struct vdt_arena *arena, gid_t gid)
{
  char text[ACCOUNT_BYTES];
  struct group p, *found = NULL;
  if (getgrgid_r(gid, &p, text, sizeof text, &found)) found = NULL;
  const char *name = found ? arena_printf(arena, "%s", p.gr_name) : arena_printf(arena, "gid %u", (unsigned)gid);
  return str_of(name ? name : "");
}

static int look_at_folder(struct gather *g)
{
  char path[PATH_MAX + 8];
  struct stat st, spool;
  char *full = realpath(g->in->state_dir, NULL);
  g->out->state_dir = full ? arena_dup(g->arena, str_of(full)) : str_of(g->in->state_dir);
  free(full);
  if (stat(g->in->state_dir, &st)) return error_at(g->err, VDT_EIO, g->in->state_dir, 0, "the state folder cannot be read");
  g->out->owner = user_name(g->arena, st.st_uid);
  g->out->group = group_name(g->arena, st.st_gid);
  snprintf(path, sizeof path, "%s/spool", g->in->state_dir);
  g->out->gateway = stat(path, &spool) == 0 ? user_name(g->arena, spool.st_uid) : g->out->owner;
  return data_walk(g->in->state_dir, take_item, g, g->err);
}

int data_gather(const struct data_input *in, struct vdt_arena *arena, struct data_statement *out, struct vdt_error *err)
{
  struct gather g = {in, arena, out, err};
  *out = (struct data_statement){.input = in};
  int rc = list_workspaces(&g);
  for (size_t i = 0; !rc && i < out->n_workspaces; i++) {
    rc = list_deployments(&g, &out->workspaces[i]);
    if (!rc) rc = read_store(&g, &out->workspaces[i]);
  }
  if (!rc) rc = list_connections(&g);
  if (!rc) rc = store_schema_sqlite(arena, &out->schema, &out->n_schema, err);
  if (!rc) rc = look_at_folder(&g);
  return rc;
}

int data_running_config(const char *state_dir, struct config **out, struct vdt_error *err)
{
  char path[PATH_MAX];
  struct buf text = {0};
  *out = NULL;
  snprintf(path, sizeof path, "%s/run/effective.yaml", state_dir);
  if (access(path, F_OK) != 0) return VDT_OK;
  int rc = file_read(path, DATA_CONFIG_MAX, &text, err);
  if (!rc) rc = config_parse(buf_str(&text), path, out, err);
  buf_finish(&text);
  return rc;
}
