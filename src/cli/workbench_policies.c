/* The workbench's view of a configuration: settings of deployments and policies for those who may see them, and two of them compared. Pure: no file is read. */
#include "base/clock.h"
#include "base/quote.h"
#include "cli/workbench_show.h"
#include <stdlib.h>

/* ---- settings as a list ------------------------------------------------------------------------------------------ */

struct setting_row {
  struct str path, value;
};

struct rows {
  struct vdt_arena *arena;
  struct setting_row *v;
  size_t n, cap;
  bool failed;
};

static void add(void *ctx, struct str path, struct str value)
{
  struct rows *r = ctx;
  struct setting_row *v = r->failed ? NULL : arena_grow(r->arena, r->v, r->n, &r->cap, 256, sizeof *v);
  if (v) r->v = v;
  struct setting_row row = {v ? arena_dup(r->arena, path) : path, v ? arena_dup(r->arena, value) : value};
  r->failed |= !v || !row.path.p || (value.n && !row.value.p);
  if (!r->failed) r->v[r->n++] = row;
}

static int list(const struct config *c, struct vdt_arena *arena, struct rows *out)
{
  *out = (struct rows){.arena = arena};
  int rc = c ? config_walk(c, add, out) : VDT_OK;
  return out->failed ? VDT_ENOMEM : rc;
}

/* ---- who may see what -------------------------------------------------------------------------------------------- */

/* "policies[standard]" of "policies[standard].credential.response"; empty when the path has no element. */
static struct str element_of(struct str path)
{
  const char *end = path.n ? memchr(path.p, ']', path.n) : NULL;
  return end ? str_cut(path, 0, (size_t)(end - path.p) + 1) : (struct str){0};
}

static bool is_element(struct str element, const char *of, const char *name)
{
  size_t n = strlen(of);
  return str_starts(element, str_of(of)) && element.n > n + 2 && element.p[n] == '[' &&
         str_eq(str_cut(element, n + 1, element.n - 1), str_of(name));
}

static bool uses_list(const struct config_deployment *d, struct str element)
{
  for (size_t i = 0; i < d->n_blocklists; i++)
    if (is_element(element, "blocklists", d->blocklists[i].name)) return true;
  return false;
}

/* A deployment of the view, its policy, its workspace, its blocklists. Who sees every workspace sees every setting. */
static bool may_see(const struct config *c, const struct workbench_view *view, struct str path)
{
  struct str element = element_of(path);
  size_t seen = 0;
  for (size_t i = 0; i < c->n_workspaces; i++)
    for (size_t k = 0; k < view->n; k++) seen += strcmp(view->workspaces[k], c->workspaces[i].name) == 0;
  if (seen >= c->n_workspaces) return true;
  for (size_t i = 0; i < c->n_deployments; i++) {
    const struct config_deployment *d = &c->deployments[i];
    if (!workbench_sees(view, d)) continue;
    if (is_element(element, "deployments", d->name) || is_element(element, "policies", d->policy->name) ||
        is_element(element, "workspaces", d->workspace->name) || uses_list(d, element))
      return true;
  }
  return false;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put_text(struct buf *b, const char *name, struct str text)
{
  buf_printf(b, ",\"%s\":", name);
  json_quote(b, text);
}

/* The settings of one element, without its beginning. */
static void put_settings(struct buf *b, const struct rows *rows, const char *of, const char *name)
{
  bool any = false;
  BUF_LIT(b, ",\"settings\":[");
  for (size_t i = 0; i < rows->n; i++) {
    struct str path = rows->v[i].path, element = element_of(path);
    if (!is_element(element, of, name) || path.n <= element.n) continue;
    buf_put(b, any ? STR(",{\"key\":") : STR("{\"key\":"));
    json_quote(b, str_cut(path, element.n + 1, path.n));
    put_text(b, "value", rows->v[i].value);
    buf_byte(b, '}');
    any = true;
  }
  buf_byte(b, ']');
}

static void put_deployments(struct buf *b, const struct config *c, const struct workbench_view *view, const struct rows *rows)
{
  bool any = false;
  BUF_LIT(b, "\"deployments\":[");
  for (size_t i = 0; i < c->n_deployments; i++) {
    const struct config_deployment *d = &c->deployments[i];
    if (!workbench_sees(view, d)) continue;
    buf_put(b, any ? STR(",{\"name\":") : STR("{\"name\":"));
    json_quote(b, str_of(d->name));
    put_text(b, "workspace", str_of(d->workspace->name));
    put_text(b, "policy", str_of(d->policy->name));
    put_settings(b, rows, "deployments", d->name);
    buf_byte(b, '}');
    any = true;
  }
  buf_byte(b, ']');
}

static bool is_used(const struct config *c, const struct workbench_view *view, const struct vdt_policy *p)
{
  for (size_t i = 0; i < c->n_deployments; i++)
    if (c->deployments[i].policy == p && workbench_sees(view, &c->deployments[i])) return true;
  return false;
}

static void put_policies(struct buf *b, const struct config *c, const struct workbench_view *view, const struct rows *rows)
{
  bool any = false;
  BUF_LIT(b, ",\"policies\":[");
  for (size_t i = 0; i < c->n_policies; i++) {
    if (!is_used(c, view, &c->policies[i])) continue;
    buf_put(b, any ? STR(",{\"name\":") : STR("{\"name\":"));
    json_quote(b, str_of(c->policies[i].name));
    put_settings(b, rows, "policies", c->policies[i].name);
    buf_byte(b, '}');
    any = true;
  }
  buf_byte(b, ']');
}

static const struct setting_row *find(const struct rows *rows, struct str path)
{
  for (size_t i = 0; i < rows->n; i++)
    if (str_eq(rows->v[i].path, path)) return &rows->v[i];
  return NULL;
}

static void put_entry(struct buf *b, bool *any, struct str path, const struct setting_row *old, const struct setting_row *now)
{
  buf_put(b, *any ? STR(",{\"key\":") : STR("{\"key\":"));
  json_quote(b, path);
  if (old) put_text(b, "old", old->value);
  if (now) put_text(b, "new", now->value);
  buf_byte(b, '}');
  *any = true;
}

/* What is new or different, in the order of the file, then what is gone. */
static void put_change(struct buf *b, const struct config *now, const struct config *previous, const struct workbench_view *view,
                       const struct rows *after, const struct rows *before)
{
  bool any = false;
  BUF_LIT(b, ",\"entries\":[");
  for (size_t i = 0; i < after->n; i++) {
    const struct setting_row *row = &after->v[i], *old = find(before, row->path);
    if ((!old || !str_eq(old->value, row->value)) && may_see(now, view, row->path)) put_entry(b, &any, row->path, old, row);
  }
  for (size_t i = 0; i < before->n; i++)
    if (!find(after, before->v[i].path) && may_see(previous, view, before->v[i].path))
      put_entry(b, &any, before->v[i].path, &before->v[i], NULL);
  buf_byte(b, ']');
}

int workbench_put_policies(const struct config *now, const struct config *previous, uint64_t changed_us,
                           const struct workbench_view *view, struct buf *out)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct rows after, before;
  char time[CLOCK_TEXT];
  int rc = arena ? list(now, arena, &after) : VDT_ENOMEM;
  if (!rc) rc = list(previous, arena, &before);
  if (!rc) {
    put_deployments(out, now, view, &after);
    put_policies(out, now, view, &after);
  }
  if (!rc && previous) {
    clock_format(changed_us, time);
    BUF_LIT(out, ",\"change\":{\"time\":");
    json_quote(out, str_of(time));
    put_change(out, now, previous, view, &after, &before);
    buf_byte(out, '}');
  }
  vdt_arena_free(arena);
  return rc;
}
