#include "api/aside.h"
#include "api/worker.h"
#include "base/error.h"
#include <stdlib.h>

enum { REST_MS = 600000, TEXTS = 18 };

struct lane {
  const struct aside *aside;
  struct worker *worker;
  struct workbench bench;
  struct store **stores; /* NULL: not open now */
  struct vdt_arena *arena;
};

struct aside {
  const char *state_dir;
  struct store *const *named;
  size_t n;
  struct lane lanes[ASIDE_LANES];
};

struct aside_work {
  struct work work;
  struct lane *lane;
  api_handler *handler;
  struct api api;
  struct api_request request;
  struct auth_grant grant;
  size_t *which; /* of the lane's stores, as many as api has */
  struct buf memory;
};

bool aside_takes(const struct aside *a, api_handler *handler)
{
  static api_handler *const all[] = {
#define X(name, handler) api_##handler,
#include "api/aside.def"
#undef X
  };
  for (size_t i = 0; a && i < sizeof all / sizeof *all; i++)
    if (all[i] == handler) return true;
  return false;
}

/* ---- a lane ------------------------------------------------------------------------------------------------------ */

static void close_stores(void *ctx)
{
  struct lane *l = ctx;
  for (size_t i = 0; l->stores && i < l->aside->n; i++) store_close(l->stores[i]);
  free(l->stores);
  vdt_arena_free(l->arena);
  l->stores = NULL;
  l->arena = NULL;
}

static int open_stores(struct lane *l, struct vdt_error *err)
{
  if (l->stores) return VDT_OK;
  l->arena = vdt_arena_new((size_t)256 << 20);
  l->stores = calloc(l->aside->n + 1, sizeof(*l->stores));
  int rc = l->arena && l->stores ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; !rc && i < l->aside->n; i++)
    rc = store_open_sqlite(l->aside->state_dir, &l->aside->named[i]->place, false, &l->stores[i], err);
  if (rc) close_stores(l);
  return rc;
}

static void run(struct work *work, const struct workbench *bench)
{
  struct aside_work *w = (struct aside_work *)work;
  struct lane *l = bench->ctx;
  struct api_response *out = &work->response;
  struct vdt_error err = {0};
  struct store **stores = NULL;
  int rc = open_stores(l, &err);
  if (!rc) vdt_arena_reset(l->arena);
  if (!rc) stores = arena_zalloc(l->arena, w->api.n_stores + 1, sizeof(*stores));
  if (!stores) {
    fprintf(stderr, "vedette serve: %s\n", err.text[0] ? err.text : "out of memory");
    api_error(out, 503, "ServiceUnavailable", "The store cannot be read now; try again.");
    return;
  }
  for (size_t i = 0; i < w->api.n_stores; i++) stores[i] = l->stores[w->which[i]];
  w->api.stores = stores;
  w->api.arena = l->arena;
  out->status = 200;
  w->handler(&w->api, &w->request, out);
  if (out->body.failed) api_error(out, 503, "ServiceUnavailable", "Out of memory.");
}

/* ---- a work ------------------------------------------------------------------------------------------------------ */

static void drop(struct work *work)
{
  struct aside_work *w = (struct aside_work *)work;
  buf_finish(&w->memory);
  buf_finish(&work->response.body);
  free(w->which);
  free(w);
}

static void keep(struct buf *memory, struct str *s)
{
  size_t at = memory->n;
  buf_put(memory, *s);
  *s = str_cut(buf_str(memory), at, memory->n);
}

/* Everything but what the caller showed of himself, in one piece that does not move. */
static bool keep_texts(struct aside_work *w)
{
  struct api_request *r = &w->request;
  struct str *texts[TEXTS] = {&r->method,      &r->path,       &r->host,        &r->forwarded_proto,
                              &r->origin,      &r->fetch_site, &r->break_glass, &r->source,
                              &r->api_version, &r->skip_token, &r->alert_type,  &r->filter,
                              &r->body,        &r->sub,        &r->rg,          &r->loc,
                              &r->ws,          &r->name};
  size_t n = 1;
  r->authorization = r->cookie = r->csrf = r->session = (struct str){0};
  for (size_t i = 0; i < TEXTS; i++) n += texts[i]->n;
  for (size_t i = 0; i < r->n_arguments; i++) n += r->arguments[i].name.n + r->arguments[i].value.n;
  if (!buf_reserve(&w->memory, n)) return false;
  for (size_t i = 0; i < TEXTS; i++) keep(&w->memory, texts[i]);
  for (size_t i = 0; i < r->n_arguments; i++) {
    keep(&w->memory, &r->arguments[i].name);
    keep(&w->memory, &r->arguments[i].value);
  }
  return !w->memory.failed;
}

static void keep_stores(struct aside_work *w, const struct aside *a, const struct api *api)
{
  for (size_t i = 0; i < api->n_stores; i++)
    for (size_t k = 0; k < a->n; k++)
      if (api->stores[i] == a->named[k]) w->which[i] = k;
}

/* The one that has least to do. */
static struct lane *lane_of(struct aside *a)
{
  struct lane *best = &a->lanes[0];
  for (size_t i = 1; i < ASIDE_LANES; i++)
    if (worker_load(a->lanes[i].worker) < worker_load(best->worker)) best = &a->lanes[i];
  return best;
}

struct work *aside_work(struct aside *a, api_handler *handler, const struct api *api, const struct api_request *request)
{
  struct aside_work *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  *w = (struct aside_work){
      .work = {.run = run, .drop = drop}, .lane = lane_of(a), .handler = handler, .api = *api, .request = *request};
  w->work.by = w->lane->worker;
  w->api.auth = NULL;
  w->api.oidc = NULL;
  w->api.glass = NULL;
  w->api.keep = NULL;
  w->api.proof = NULL;
  w->api.worker = NULL;
  w->api.aside = NULL;
  if (request->grant) w->grant = *request->grant;
  w->request.grant = request->grant ? &w->grant : NULL;
  w->which = calloc(api->n_stores + 1, sizeof *w->which);
  if (w->which && keep_texts(w)) {
    keep_stores(w, a, api);
    return &w->work;
  }
  drop(&w->work);
  return NULL;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

int aside_new(const char *state_dir, struct store *const *stores, size_t n, struct aside **out, struct vdt_error *err)
{
  struct aside *a = calloc(1, sizeof *a);
  if (!a) return error_set(err, VDT_ENOMEM, "out of memory");
  *a = (struct aside){.state_dir = state_dir, .named = stores, .n = n};
  *out = a;
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < ASIDE_LANES; i++) {
    struct lane *l = &a->lanes[i];
    *l = (struct lane){.aside = a, .bench = {.ctx = l, .rest = close_stores}};
    rc = worker_new(&l->bench, REST_MS, &l->worker, err);
  }
  return rc;
}

void aside_stop(struct aside *a)
{
  for (size_t i = 0; a && i < ASIDE_LANES; i++) worker_stop(a->lanes[i].worker);
}

void aside_free(struct aside *a)
{
  for (size_t i = 0; a && i < ASIDE_LANES; i++) worker_free(a->lanes[i].worker);
  free(a);
}
