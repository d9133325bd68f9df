/*
 * GET /vedette/catalogue, /rules and /policies: what is looked for, how often it was met, and what is done about it. The files of rules and the
 * configuration are read by the worker; what the stores know is read here before and goes along. Changes nothing.
 */
#include "api/answer.h"
#include "api/arm.h"
#include "api/query.h"
#include "api/worker.h"
#include "base/clock.h"
#include <stdlib.h>

enum { TOP = 50, TOP_MAX = 200, DAYS = 30, SKIP_MAX = 1000000 };

typedef int catalogue_part(const struct workbench *bench, const struct workbench_rules *q, const struct workbench_view *view,
                           struct buf *out, struct vdt_error *err);

struct look {
  struct work work;
  catalogue_part *part;
  struct workbench_rules rules;
  struct vdt_arena *arena; /* of what rules refers to */
  struct worker_view view;
  struct buf more; /* what the stores say, behind what the bench says */
};

static void drop(struct work *w)
{
  struct look *l = (struct look *)w;
  vdt_arena_free(l->arena);
  worker_view_finish(&l->view);
  buf_finish(&l->more);
  buf_finish(&w->response.body);
  free(l);
}

static void run(struct work *w, const struct workbench *bench)
{
  struct look *l = (struct look *)w;
  struct vdt_error err = {0};
  struct buf *b = &w->response.body;
  w->response.status = 200;
  w->response.type = API_JSON;
  buf_byte(b, '{');
  int rc = l->part(bench, &l->rules, &l->view.view, b, &err);
  buf_put(b, buf_str(&l->more));
  buf_byte(b, '}');
  b->failed |= l->more.failed;
  if (rc || b->failed) worker_failed(&w->response, "catalogue", &err);
}

/* ---- what the stores know ---------------------------------------------------------------------------------------- */

static int gather_hits(struct api *api, struct look *l)
{
  struct store_hits *all = NULL, *some;
  size_t m, n = 0;
  uint64_t since = clock_unix_us() - DAYS * UINT64_C(86400000000);
  for (size_t i = 0; i < api->n_stores; i++) {
    int rc = api->stores[i]->ops->hits(api->stores[i], since, l->arena, &some, &m, NULL);
    if (rc) return rc;
    struct store_hits *joined = arena_zalloc(l->arena, n + m + 1, sizeof *joined);
    if (!joined) return VDT_ENOMEM;
    if (n) memcpy(joined, all, n * sizeof *joined);
    if (m) memcpy(joined + n, some, m * sizeof *joined);
    all = joined;
    n += m;
  }
  l->rules.hits = all;
  l->rules.n_hits = n;
  return VDT_OK;
}

/* The alerts of each type that are there, of all states. */
static int put_types(struct api *api, struct buf *b)
{
  uint64_t total[ALERT_TYPES] = {0};
  for (size_t i = 0; i < api->n_stores; i++) {
    struct store_counts c;
    int rc = api->stores[i]->ops->count(api->stores[i], &c, NULL);
    if (rc) return rc;
    for (unsigned t = 0; t < ALERT_TYPES; t++)
      for (unsigned s = 0; s < ALERT_STATUSES; s++) total[t] += c.alerts[t][s];
  }
  BUF_LIT(b, ",\"alertTypes\":[");
  for (unsigned t = 0; t < ALERT_TYPES; t++) {
    if (t) buf_byte(b, ',');
    arm_put_type(b, (enum alert_type)t);
    if (b->n) b->n--; /* its last brace */
    buf_printf(b, ",\"alerts\":%llu}", (unsigned long long)total[t]);
  }
  buf_byte(b, ']');
  return VDT_OK;
}

/* ---- routes ----------------------------------------------------------------------------------------------------- */

static struct look *look_new(struct api *api, catalogue_part *part, struct api_response *response)
{
  struct look *l = api->worker ? calloc(1, sizeof *l) : NULL;
  if (l) *l = (struct look){.work = {.run = run, .drop = drop}, .part = part, .arena = vdt_arena_new(0)};
  if (l && l->arena && worker_view_make(api, &l->view)) return l;
  if (l) drop(&l->work);
  api_error(response, 503, "ServiceUnavailable", api->worker ? "Out of memory." : "There is no engine here.");
  return NULL;
}

static void give(struct look *l, int rc, struct api_response *response)
{
  if (!rc) {
    response->work = &l->work;
    return;
  }
  drop(&l->work);
  api_store_failed(response, rc, "ResourceNotFound");
}

static int part_summary(const struct workbench *bench, const struct workbench_rules *q, const struct workbench_view *view,
                        struct buf *out, struct vdt_error *err)
{
  (void)view;
  return bench->summary(bench->ctx, q, out, err);
}

static int part_rules(const struct workbench *bench, const struct workbench_rules *q, const struct workbench_view *view,
                      struct buf *out, struct vdt_error *err)
{
  (void)view;
  return bench->rules(bench->ctx, q, out, err);
}

static int part_policies(const struct workbench *bench, const struct workbench_rules *q, const struct workbench_view *view,
                         struct buf *out, struct vdt_error *err)
{
  (void)q;
  return bench->policies(bench->ctx, view, out, err);
}

void api_portal_catalogue(struct api *api, const struct api_request *r, struct api_response *response)
{
  static const char *const names[] = {NULL};
  if (r->n_arguments && !query_known(r, names, response)) return;
  struct look *l = look_new(api, part_summary, response);
  if (!l) return;
  int rc = gather_hits(api, l);
  if (!rc) rc = put_types(api, &l->more);
  give(l, rc, response);
}

void api_portal_rules(struct api *api, const struct api_request *r, struct api_response *response)
{
  static const char *const names[] = {"detector", "q", "top", "after", NULL};
  uint64_t top = TOP, skip = 0;
  if (!query_known(r, names, response) || !query_number(r, "top", 1, TOP_MAX, response, &top) ||
      !query_number(r, "after", 0, SKIP_MAX, response, &skip))
    return;
  struct look *l = look_new(api, part_rules, response);
  if (!l) return;
  struct str detector = query_text(r, "detector"), word = query_text(r, "q");
  l->rules = (struct workbench_rules){.skip = (size_t)skip, .top = (size_t)top};
  if (detector.n) l->rules.detector = arena_dup(l->arena, detector);
  if (word.n) l->rules.word = arena_dup(l->arena, word);
  bool kept = (!detector.n || l->rules.detector.p) && (!word.n || l->rules.word.p);
  give(l, kept ? gather_hits(api, l) : VDT_ENOMEM, response);
}

void api_portal_policies(struct api *api, const struct api_request *r, struct api_response *response)
{
  static const char *const names[] = {NULL};
  if (r->n_arguments && !query_known(r, names, response)) return;
  struct look *l = look_new(api, part_policies, response);
  if (l) give(l, VDT_OK, response);
}
