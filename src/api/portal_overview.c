/*
 * GET /vedette/overview: traffic over time and by deployment, alerts by type, application and user, and how vedette itself is. Numbers and names of
 * the workspaces that the token reaches; no evidence.
 */
#include "api/answer.h"
#include "api/arm.h"
#include "api/health.h"
#include "api/query.h"
#include "base/clock.h"
#include "base/quote.h"
#include <stdlib.h>

enum { POINTS_MAX = 750, POINTS = 300, DEPLOYMENTS_MAX = 32, SHOWN = 10, SLOT_S = 300, DAYS_MAX = 400 };
static const uint64_t SECOND = 1000000, DAY_US = UINT64_C(86400000000);

/* What of a slot is shown, in the order of the answer. */
enum { REQUESTS, TOKENS, DETECTED, REDACTED, CUT, BLOCKED, NOT_INSPECTED, FAILED, SERIES };
static const char *const series_names[SERIES] = {"requests", "tokens",  "detected",     "redacted",
                                                 "cut",      "blocked", "notInspected", "failed"};

struct series {
  struct str name; /* of a deployment */
  uint64_t total[SERIES];
  uint64_t *points; /* [SERIES][n] of the whole; [n], requests, of a deployment */
};

struct overview {
  uint64_t from_us, to_us, step_us;
  size_t n;
  struct series all, deployments[DEPLOYMENTS_MAX + 1]; /* the last gathers those that there was no room for */
  size_t n_deployments;
  struct vdt_arena *arena;
  bool failed;
};

/* ---- the time that is asked for ---------------------------------------------------------------------------------- */

static bool bad(struct api_response *response, const char *what)
{
  api_error(response, 400, "InvalidQueryParameter", "%s", what);
  return false;
}

/* The smallest step that people know with at most POINTS of them. */
static uint64_t step_for(uint64_t us)
{
  static const uint64_t steps[] = {300, 900, 3600, 10800, 21600};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    if (us / (steps[i] * SECOND) <= POINTS) return steps[i];
  return 86400;
}

/* From the beginning of a step to the end of one: slots are never cut. */
static bool read_time(const struct api_request *r, struct api_response *response, struct overview *o)
{
  static const char *const names[] = {"from", "to", "step", NULL};
  uint64_t step = 0;
  if (!query_known(r, names, response) || !query_time(r, "from", response, &o->from_us) ||
      !query_time(r, "to", response, &o->to_us) || !query_number(r, "step", SLOT_S, 86400, response, &step))
    return false;
  if (!o->to_us) o->to_us = clock_unix_us();
  if (!o->from_us) o->from_us = o->to_us > DAY_US ? o->to_us - DAY_US : 0;
  if (o->from_us >= o->to_us) return bad(response, "from is to be before to.");
  if (o->to_us - o->from_us > DAYS_MAX * DAY_US) return bad(response, "from and to may be 400 days apart.");
  if (!step) step = step_for(o->to_us - o->from_us);
  if (step % SLOT_S) return bad(response, "step is to be a number of seconds that 300 divides.");
  o->step_us = step * SECOND;
  o->from_us -= o->from_us % o->step_us;
  o->to_us += (o->step_us - o->to_us % o->step_us) % o->step_us;
  o->n = (size_t)((o->to_us - o->from_us) / o->step_us);
  return o->n <= POINTS_MAX + 1 || bad(response, "These are more than 750 steps: ask for a shorter time or a longer step.");
}

/* ---- traffic ---------------------------------------------------------------------------------------------------- */

static struct series *series_of(struct overview *o, struct str name)
{
  size_t i = 0;
  while (i < o->n_deployments && !str_eq(o->deployments[i].name, name)) i++;
  if (i < o->n_deployments) return &o->deployments[i];
  if (i > DEPLOYMENTS_MAX - 1) i = DEPLOYMENTS_MAX;
  struct series *s = &o->deployments[i];
  if (!s->points) s->points = arena_zalloc(o->arena, o->n, sizeof *s->points);
  if (i < DEPLOYMENTS_MAX && name.n) s->name = arena_dup(o->arena, name);
  if (!s->points || (i < DEPLOYMENTS_MAX && name.n && !s->name.p)) {
    o->failed = true;
    return NULL;
  }
  if (i < DEPLOYMENTS_MAX) o->n_deployments++;
  return s;
}

static void add_slot(void *ctx, const struct store_traffic *t)
{
  struct overview *o = ctx;
  const uint64_t values[SERIES] = {t->requests, t->tokens,  t->detected,      t->redacted,
                                   t->cut,      t->blocked, t->not_inspected, t->failed};
  size_t at = (size_t)((t->slot_us - o->from_us) / o->step_us);
  struct series *s = o->failed ? NULL : series_of(o, t->deployment);
  if (!s || at >= o->n) return;
  for (size_t i = 0; i < SERIES; i++) {
    o->all.total[i] += values[i];
    o->all.points[i * o->n + at] += values[i];
    s->total[i] += values[i];
  }
  s->points[at] += values[REQUESTS];
}

static int gather_traffic(struct api *api, struct overview *o)
{
  o->arena = api->arena;
  o->all.points = arena_zalloc(api->arena, o->n * SERIES, sizeof *o->all.points);
  if (!o->all.points) return VDT_ENOMEM;
  for (size_t i = 0; i < api->n_stores; i++) {
    int rc = api->stores[i]->ops->traffic(api->stores[i], o->from_us, o->to_us, add_slot, o, NULL);
    if (rc) return rc;
  }
  return o->failed ? VDT_ENOMEM : VDT_OK;
}

static void put_points(struct buf *b, const uint64_t *points, size_t n)
{
  buf_byte(b, '[');
  for (size_t i = 0; i < n; i++) buf_printf(b, "%s%llu", i ? "," : "", (unsigned long long)points[i]);
  buf_byte(b, ']');
}

static void put_totals(struct buf *b, const struct series *s)
{
  for (size_t i = 0; i < SERIES; i++)
    buf_printf(b, "%s\"%s\":%llu", i ? "," : "", series_names[i], (unsigned long long)s->total[i]);
}

static int busiest_first(const void *x, const void *y)
{
  const struct series *a = x, *b = y;
  if (a->total[REQUESTS] != b->total[REQUESTS]) return a->total[REQUESTS] > b->total[REQUESTS] ? -1 : 1;
  size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
  int order = n ? memcmp(a->name.p, b->name.p, n) : 0;
  return order ? order : (a->name.n > b->name.n) - (a->name.n < b->name.n);
}

static void put_deployment(struct buf *b, const struct overview *o, const struct series *s, bool others)
{
  BUF_LIT(b, "{\"deployment\":");
  json_quote(b, s->name);
  buf_printf(b, ",\"others\":%s,\"totals\":{", others ? "true" : "false");
  put_totals(b, s);
  BUF_LIT(b, "},\"requests\":");
  put_points(b, s->points, o->n);
  buf_byte(b, '}');
}

static void put_traffic(struct buf *b, struct overview *o)
{
  BUF_LIT(b, "\"times\":[");
  for (size_t i = 0; i < o->n; i++)
    buf_printf(b, "%s%llu", i ? "," : "", (unsigned long long)((o->from_us + i * o->step_us) / SECOND));
  BUF_LIT(b, "],\"totals\":{");
  put_totals(b, &o->all);
  BUF_LIT(b, "},\"series\":{");
  for (size_t i = 0; i < SERIES; i++) {
    buf_printf(b, "%s\"%s\":", i ? "," : "", series_names[i]);
    put_points(b, o->all.points + i * o->n, o->n);
  }
  BUF_LIT(b, "},\"deployments\":[");
  qsort(o->deployments, o->n_deployments, sizeof *o->deployments, busiest_first);
  for (size_t i = 0; i < o->n_deployments; i++) {
    if (i) buf_byte(b, ',');
    put_deployment(b, o, &o->deployments[i], false);
  }
  if (o->deployments[DEPLOYMENTS_MAX].points) {
    buf_byte(b, ',');
    put_deployment(b, o, &o->deployments[DEPLOYMENTS_MAX], true);
  }
  buf_byte(b, ']');
}

/* ---- alerts ----------------------------------------------------------------------------------------------------- */

struct tops {
  uint64_t open[VDT_HIGH + 1], within;
  struct store_named_count *list[STORE_TOPS];
  size_t n[STORE_TOPS];
};

static void add_count(struct tops *t, enum store_top top, const struct store_named_count *c)
{
  for (size_t i = 0; i < t->n[top]; i++) {
    if (!str_eq(t->list[top][i].name, c->name)) continue;
    t->list[top][i].n += c->n;
    return;
  }
  t->list[top][t->n[top]++] = *c;
}

static int most_first(const void *x, const void *y)
{
  uint64_t a = ((const struct store_named_count *)x)->n, b = ((const struct store_named_count *)y)->n;
  return a > b ? -1 : a < b;
}

static int gather_alerts(struct api *api, const struct overview *o, struct tops *t)
{
  struct store_alert_counts *c = arena_zalloc(api->arena, 1, sizeof *c);
  for (int k = 0; c && k < STORE_TOPS; k++) {
    t->list[k] = arena_zalloc(api->arena, api->n_stores * STORE_TOP_MAX, sizeof *t->list[k]);
    if (!t->list[k]) c = NULL;
  }
  if (!c) return VDT_ENOMEM;
  for (size_t i = 0; i < api->n_stores; i++) {
    int rc = api->stores[i]->ops->counts(api->stores[i], o->from_us, o->to_us, api->arena, c, NULL);
    if (rc) return rc;
    t->within += c->within;
    for (int s = 0; s <= VDT_HIGH; s++) t->open[s] += c->open[s];
    for (int k = 0; k < STORE_TOPS; k++)
      for (size_t m = 0; m < c->n[k]; m++) add_count(t, (enum store_top)k, &c->top[k][m]);
  }
  for (int k = 0; k < STORE_TOPS; k++) qsort(t->list[k], t->n[k], sizeof *t->list[k], most_first);
  return VDT_OK;
}

static void put_top(struct buf *b, const struct tops *t, enum store_top top, const char *name)
{
  buf_printf(b, ",\"%s\":[", name);
  for (size_t i = 0; i < t->n[top] && i < SHOWN; i++) {
    const struct store_named_count *c = &t->list[top][i];
    enum alert_type type = top == STORE_TOP_TYPE ? alert_type_find(c->name) : ALERT_TYPES;
    buf_put(b, i ? STR(",{\"name\":") : STR("{\"name\":"));
    json_quote(b, c->name);
    if (type < ALERT_TYPES) api_put_member(b, "title", str_of(alert_info(type)->title));
    buf_printf(b, ",\"alerts\":%llu}", (unsigned long long)c->n);
  }
  buf_byte(b, ']');
}

static void put_alerts(struct buf *b, const struct tops *t)
{
  buf_printf(b, ",\"alerts\":{\"within\":%llu,\"open\":{", (unsigned long long)t->within);
  for (unsigned s = VDT_INFORMATIONAL; s <= VDT_HIGH; s++)
    buf_printf(b, "%s\"%s\":%llu", s ? "," : "", vdt_severity_name((enum vdt_severity)s), (unsigned long long)t->open[s]);
  buf_byte(b, '}');
  put_top(b, t, STORE_TOP_TYPE, "types");
  put_top(b, t, STORE_TOP_APPLICATION, "applications");
  put_top(b, t, STORE_TOP_USER, "users");
  buf_byte(b, '}');
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

void api_portal_overview(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct overview *o = arena_zalloc(api->arena, 1, sizeof *o);
  struct tops tops = {0};
  struct health h = {0};
  struct buf *b = &response->body;
  if (!o) api_error(response, 503, "ServiceUnavailable", "Out of memory.");
  if (!o || !read_time(r, response, o)) return;
  int rc = gather_traffic(api, o);
  if (!rc) rc = gather_alerts(api, o, &tops);
  if (!rc) rc = health_look(api, &h);
  if (rc) {
    api_store_failed(response, rc, "ResourceNotFound");
    return;
  }
  h.open_high = tops.open[VDT_HIGH];
  h.requests = o->all.total[REQUESTS];
  h.not_inspected = o->all.total[NOT_INSPECTED];
  h.failed = o->all.total[FAILED];
  response->type = API_JSON;
  BUF_LIT(b, "{\"from\":");
  arm_put_time(b, o->from_us);
  BUF_LIT(b, ",\"to\":");
  arm_put_time(b, o->to_us);
  buf_printf(b, ",\"step\":%llu,", (unsigned long long)(o->step_us / SECOND));
  put_traffic(b, o);
  put_alerts(b, &tops);
  health_put(b, &h);
  buf_byte(b, '}');
}
