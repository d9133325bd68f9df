/* vedette alerts list: filters, order, and watching. Everything that is shown was written by others. */
#include "api/arm.h"
#include "base/clock.h"
#include "cli/alerts.h"
#include "cli/table.h"
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

enum { LIMIT_MAX = 100000 };

/* ---- filters ---------------------------------------------------------------------------------------------------- */

static bool parse_severity(const char *text, enum vdt_severity *out)
{
  for (unsigned s = VDT_INFORMATIONAL; s <= VDT_HIGH; s++) {
    if (!str_ieq(str_of(text), str_of(vdt_severity_name((enum vdt_severity)s)))) continue;
    *out = (enum vdt_severity)s;
    return true;
  }
  return false;
}

static int bad_type(void)
{
  fprintf(stderr, "vedette alerts: --type: there is no such type; there are:\n");
  for (unsigned t = 0; t < ALERT_TYPES; t++) fprintf(stderr, "  %s\n", alert_info((enum alert_type)t)->type);
  return CLI_USAGE;
}

int alerts_query(const struct alerts *a, struct store_query *q)
{
  *q = STORE_QUERY_ALL;
  q->brief = true;
  q->limit = a->limit < LIMIT_MAX ? a->limit : LIMIT_MAX;
  q->deployment = str_of(a->deployment);
  q->who = str_of(a->who);
  if (a->type && (q->type = alert_type_find(str_of(a->type))) == ALERT_TYPES) return bad_type();
  if (a->status && (q->status = alert_status_find(str_of(a->status))) == ALERT_STATUSES)
    return cli_usage("alerts", "--status: expected Active, InProgress, Resolved or Dismissed");
  if (a->severity && !parse_severity(a->severity, &q->severity))
    return cli_usage("alerts", "--severity: expected Informational, Low, Medium or High");
  if (a->since && !cli_since(a->since, &q->since_us))
    return cli_usage("alerts", "--since: expected 90s, 15m, 12h, 7d, or a time such as 2026-11-25T15:46:15Z");
  return 0;
}

static int by_alert_name(const void *x, const void *y)
{
  return memcmp(((const struct alert *)x)->name, ((const struct alert *)y)->name, ALERT_NAME_LEN);
}

int alerts_gather(struct alerts *a, const struct store_query *q, struct alert **out, size_t *n)
{
  struct vdt_error err = {0};
  struct alert *all = NULL, *some;
  size_t m, total = 0;
  for (size_t i = 0; i < a->stores.n; i++) {
    if (a->stores.v[i]->ops->list(a->stores.v[i], q, a->arena, &some, &m, &err))
      return fprintf(stderr, "vedette alerts: %s\n", err.text), 1;
    struct alert *joined = arena_zalloc(a->arena, total + m + 1, sizeof *joined);
    if (!joined) return fprintf(stderr, "vedette alerts: out of memory; ask for fewer with --limit\n"), 1;
    if (total) memcpy(joined, all, total * sizeof *joined);
    if (m) memcpy(joined + total, some, m * sizeof *joined);
    all = joined;
    total += m;
  }
  if (total) qsort(all, total, sizeof *all, by_alert_name);
  *out = all;
  *n = total < q->limit ? total : q->limit;
  return 0;
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

/* What is shown first: the latest, the worst, the most; equal ones stay newest first. */
static int falling(uint64_t x, uint64_t y, const void *a, const void *b)
{
  return x > y ? -1 : x < y ? 1 : by_alert_name(a, b);
}

static int by_time(const void *a, const void *b)
{
  return falling(((const struct alert *)a)->end_us, ((const struct alert *)b)->end_us, a, b);
}

static int by_severity(const void *a, const void *b)
{
  return falling(((const struct alert *)a)->severity, ((const struct alert *)b)->severity, a, b);
}

static int by_count(const void *a, const void *b)
{
  return falling(((const struct alert *)a)->count, ((const struct alert *)b)->count, a, b);
}

static int by_status(const void *a, const void *b)
{
  return falling(((const struct alert *)b)->status, ((const struct alert *)a)->status, a, b);
}

static int by_type(const void *a, const void *b)
{
  return falling(((const struct alert *)b)->type, ((const struct alert *)a)->type, a, b);
}

struct order {
  const char *name;
  int (*compare)(const void *, const void *);
};
static const struct order orders[] = {{"begin", by_alert_name}, {"time", by_time},     {"severity", by_severity},
                                      {"count", by_count},      {"status", by_status}, {"type", by_type}};

static const struct order *find_order(const char *name)
{
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
    if (strcmp(orders[i].name, name ? name : "begin") == 0) return &orders[i];
  return NULL;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static const char *severity_colour(enum vdt_severity s)
{
  return s == VDT_HIGH ? "\033[31m" : s == VDT_MEDIUM ? "\033[33m" : "\033[36m";
}

static const struct table_column columns[] = {{"ID", 8, 8, false, false},       {"LAST EVENT (UTC)", 19, 5, false, false},
                                              {"SEVERITY", 8, 3, false, false}, {"STATUS", 10, 3, false, false},
                                              {"COUNT", 5, 3, true, false},     {"DEPLOYMENT", 16, 3, false, false},
                                              {"WHO", 24, 3, false, false},     {"WHAT", 30, 5, false, false}};

static void put_row(struct buf *b, struct table *t, const struct alert *a, bool colour)
{
  char time[CLOCK_TEXT];
  clock_format(a->end_us, time);
  time[10] = ' ';
  table_cell(t, b, (struct str){a->name + 20, 8});
  table_cell(t, b, (struct str){time, 19});
  table_coloured(t, b, str_of(vdt_severity_name(a->severity)), colour ? severity_colour(a->severity) : "");
  table_cell(t, b, str_of(alert_status_name(a->status)));
  table_number(t, b, a->count);
  table_cell(t, b, a->x.deployment);
  table_cell(t, b, a->principal);
  table_cell(t, b, str_of(alert_info(a->type)->title));
}

static bool as_table(const struct alerts *a)
{
  return cli_as_table(a->table, a->json);
}

/* The table of a list, fitted to the terminal once; NULL where the list is none. */
static struct table *table_of(const struct alerts *a, struct table *t)
{
  if (!as_table(a)) return NULL;
  table_begin(t, columns, sizeof columns / sizeof *columns);
  return t;
}

/* Lists are read in brief; what a row does not show is read for those that are printed whole. One that is gone meanwhile is left out. Evidence is for
 * show, which leaves a trace. */
static void put_one(struct buf *b, struct table *t, const struct alerts *a, const struct alert *alert)
{
  struct alert whole;
  struct store *s = stores_of(&a->stores, alert->workspace);
  if (t) {
    put_row(b, t, alert, cli_colour(stdout));
    return;
  }
  if (!s || s->ops->get(s, (struct str){alert->name, ALERT_NAME_LEN}, a->arena, &whole, NULL)) return;
  arm_put_alert(b, &whole, false);
  buf_byte(b, '\n');
}

static int print_list(const struct alerts *a, const struct alert *list, size_t n)
{
  struct buf b = {0};
  struct table fitted, *t = table_of(a, &fitted);
  if (t && n) table_head(t, &b);
  else if (t) BUF_LIT(&b, "No alerts.\n");
  for (size_t i = 0; i < n; i++) put_one(&b, t, a, &list[i]);
  return cli_flush(&b) ? 0 : 1;
}

/* ---- watching --------------------------------------------------------------------------------------------------- */

/* What was shown of an alert: it is shown again when one of these differs. */
struct shown {
  char name[ALERT_NAME_LEN];
  enum alert_status status;
  uint64_t count, end_us;
};

struct watch {
  struct shown *shown; /* as many as the last list had, in its order: by name */
  size_t n;
};

static const struct shown *find_shown(const struct watch *w, const struct alert *a)
{
  size_t low = 0, high = w->n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int c = memcmp(w->shown[middle].name, a->name, ALERT_NAME_LEN);
    if (c == 0) return &w->shown[middle];
    if (c < 0) low = middle + 1;
    else high = middle;
  }
  return NULL;
}

static bool is_as_shown(const struct watch *w, const struct alert *a)
{
  const struct shown *s = find_shown(w, a);
  return s && s->status == a->status && s->count == a->count && s->end_us == a->end_us;
}

static bool remember(struct watch *w, const struct alert *list, size_t n)
{
  struct shown *all = calloc(n + 1, sizeof *all);
  if (!all) return false;
  for (size_t i = 0; i < n; i++) {
    memcpy(all[i].name, list[i].name, ALERT_NAME_LEN);
    all[i].status = list[i].status;
    all[i].count = list[i].count;
    all[i].end_us = list[i].end_us;
  }
  free(w->shown);
  *w = (struct watch){all, n};
  return true;
}

/* One look: what is new or has changed, in the order of its last event. */
static int look(struct alerts *a, const struct store_query *q, struct watch *w)
{
  struct alert *list;
  struct buf b = {0};
  size_t n, news = 0;
  vdt_arena_reset(a->arena);
  int rc = alerts_gather(a, q, &list, &n);
  if (rc) return rc;
  struct alert *changed = arena_zalloc(a->arena, n + 1, sizeof *changed);
  if (!changed) return fprintf(stderr, "vedette alerts: out of memory\n"), 1;
  for (size_t i = 0; i < n; i++)
    if (!is_as_shown(w, &list[i])) changed[news++] = list[i];
  if (!remember(w, list, n)) return fprintf(stderr, "vedette alerts: out of memory\n"), 1;
  qsort(changed, news, sizeof *changed, by_time);
  struct table fitted, *t = table_of(a, &fitted);
  for (size_t i = news; i-- > 0;) put_one(&b, t, a, &changed[i]);
  return cli_flush(&b) ? 0 : 1;
}

/* Until somebody ends it, or nobody reads it any more. */
static int watch(struct alerts *a, const struct store_query *q)
{
  struct watch w = {0};
  struct buf head = {0};
  struct table fitted, *t = table_of(a, &fitted);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  struct pollfd stop = {.fd = signalfd(-1, &set, SFD_CLOEXEC), .events = POLLIN};
  if (t) table_head(t, &head);
  int rc = cli_flush(&head) ? 0 : 1;
  while (!rc) {
    rc = look(a, q, &w);
    if (!rc && poll(&stop, 1, (int)a->interval * 1000) > 0) break;
  }
  if (stop.fd >= 0) close(stop.fd);
  free(w.shown);
  return rc;
}

int alerts_list(struct alerts *a)
{
  struct store_query q;
  struct alert *list;
  size_t n;
  const struct order *order = find_order(a->sort);
  int rc = alerts_query(a, &q);
  if (rc) return rc;
  if (!order) return cli_usage("alerts", "--sort: expected begin, time, severity, count, status or type");
  if (a->watch && a->sort) return cli_usage("alerts", "--watch shows what happens as it happens; it takes no --sort");
  if (a->interval < 1 || a->interval > 3600) return cli_usage("alerts", "--interval: expected 1 to 3600 seconds");
  if (a->watch) return watch(a, &q);
  /* The order is that of all alerts that the filters leave, so all are read before --limit counts. */
  size_t limit = q.limit;
  if (order->compare != by_alert_name) q.limit = LIMIT_MAX;
  if ((rc = alerts_gather(a, &q, &list, &n))) return rc;
  if (n) qsort(list, n, sizeof *list, order->compare);
  return print_list(a, list, n < limit ? n : limit);
}
