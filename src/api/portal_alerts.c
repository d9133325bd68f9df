/*
 * GET /vedette/alerts: the alerts of the workspaces that a token reaches, filtered, sorted, page by page. Lists hold no evidence, and so leave no
 * entry in the audit log. A page is merged from a page of each store; the cursor is what the last row was sorted by, and its name.
 */
#include "api/answer.h"
#include "api/arm.h"
#include "api/portal.h"
#include "api/query.h"
#include "base/quote.h"
#include <stdlib.h>

enum { TOP = 100, TOP_MAX = 500, TOTAL_MAX = 10000 };

/* ---- the query -------------------------------------------------------------------------------------------------- */

static bool bad(struct api_response *response, const char *what)
{
  api_error(response, 400, "InvalidQueryParameter", "%s", what);
  return false;
}

/* The next of a list with commas; false at its end. */
static bool next_word(struct str *list, struct str *word)
{
  if (!list->n) return false;
  const char *comma = memchr(list->p, ',', list->n);
  size_t n = comma ? (size_t)(comma - list->p) : list->n;
  *word = str_cut(*list, 0, n);
  *list = str_cut(*list, comma ? n + 1 : n, list->n);
  return true;
}

static bool read_statuses(const struct api_request *r, struct api_response *response, unsigned *set)
{
  struct str list = query_text(r, "status"), word;
  while (next_word(&list, &word)) {
    enum alert_status s = alert_status_find(word);
    if (s == ALERT_STATUSES)
      return bad(response, "status is to be Active, InProgress, Resolved, Dismissed, or several of them with commas.");
    *set |= 1u << s;
  }
  return true;
}

static bool read_severities(const struct api_request *r, struct api_response *response, unsigned *set)
{
  struct str list = query_text(r, "severity"), word;
  while (next_word(&list, &word)) {
    unsigned found = 0;
    for (unsigned s = VDT_INFORMATIONAL; s <= VDT_HIGH; s++)
      if (str_ieq(word, str_of(vdt_severity_name((enum vdt_severity)s)))) found = 1u << s;
    if (!found) return bad(response, "severity is to be Informational, Low, Medium, High, or several of them with commas.");
    *set |= found;
  }
  return true;
}

static bool read_order(const struct api_request *r, struct api_response *response, struct store_page *p)
{
  struct str sort = query_text(r, "sort"), order = query_text(r, "order");
  p->sort = sort.n ? store_sort_find(sort) : STORE_BY_START;
  p->descending = !order.n || str_eq(order, STR("desc"));
  if (p->sort == STORE_SORTS)
    return bad(response, "sort is to be start, end, severity, count, confidence, status, type, deployment, application or user.");
  return p->descending || str_eq(order, STR("asc")) || bad(response, "order is to be asc or desc.");
}

static bool read_filter(struct api *api, const struct api_request *r, struct api_response *response, struct store_filter *f)
{
  f->text = query_text(r, "q");
  return read_statuses(r, response, &f->statuses) && read_severities(r, response, &f->severities) &&
         query_list(api, r, "type", response, &f->types) && query_list(api, r, "deployment", response, &f->deployments) &&
         query_list(api, r, "application", response, &f->applications) && query_list(api, r, "user", response, &f->users) &&
         query_time(r, "from", response, &f->from_us) && query_time(r, "to", response, &f->to_us);
}

/* ---- the cursor: KEY.NAME, KEY a number or the bytes of a text in hexadecimal ------------------------------------- */

static void put_cursor(struct buf *b, const struct store_page *p, const struct alert *last)
{
  struct str text;
  int64_t number = store_sort_key(p->sort, last, &text);
  if (text.n)
    for (size_t i = 0; i < text.n; i++) buf_printf(b, "%02x", (unsigned char)text.p[i]);
  else buf_printf(b, "%lld", (long long)number);
  buf_printf(b, ".%s", last->name);
}

static int digit(char c)
{
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(struct vdt_arena *arena, struct str hex, struct str *out)
{
  char *p = arena_alloc(arena, hex.n / 2 + 1);
  if (!p || hex.n % 2) return false;
  for (size_t i = 0; i + 1 < hex.n; i += 2) {
    int high = digit(hex.p[i]), low = digit(hex.p[i + 1]);
    if (high < 0 || low < 0) return false;
    p[i / 2] = (char)(high << 4 | low);
  }
  *out = (struct str){p, hex.n / 2};
  return true;
}

static bool read_cursor(struct api *api, const struct api_request *r, struct api_response *response, struct store_page *p)
{
  struct str token = query_text(r, "after");
  uint64_t number = 0;
  if (!token.n) return true;
  const char *dot = memchr(token.p, '.', token.n);
  size_t n = dot ? (size_t)(dot - token.p) : 0;
  bool ok = dot && token.n - n - 1 == ALERT_NAME_LEN;
  struct str key = str_cut(token, 0, n), name = str_cut(token, ok ? n + 1 : 0, ok ? token.n : 0);
  for (size_t i = 0; ok && i < name.n; i++) ok = name.p[i] == '-' || name.p[i] == '_' || digit(name.p[i]) >= 0;
  /* An empty text was written as the number 0: both are in the cursor of their order then. */
  bool is_number = str_u64(key, &number) && number <= INT64_MAX;
  bool text = p->sort >= STORE_BY_TYPE && !str_eq(key, STR("0"));
  if (ok) ok = text ? read_hex(api->arena, key, &p->after_text) : is_number;
  p->after = name;
  p->after_number = (int64_t)number;
  return ok || bad(response, "after is not a cursor that this list gave for this order.");
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

/* qsort has no context, and this process has one thread for it. */
static const struct store_page *sorting;

static int compare_text(struct str a, struct str b)
{
  int order = memcmp(a.n ? a.p : "", b.n ? b.p : "", a.n < b.n ? a.n : b.n);
  return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare(const void *x, const void *y)
{
  const struct alert *a = x, *b = y;
  struct str s, t;
  int64_t i = store_sort_key(sorting->sort, a, &s), k = store_sort_key(sorting->sort, b, &t);
  int order = compare_text(s, t);
  if (!order) order = (i > k) - (i < k);
  int name = memcmp(a->name, b->name, ALERT_NAME_LEN);
  if (sorting->sort == STORE_BY_START) return sorting->descending ? name : -name;
  if (!order) return name;
  return sorting->descending ? -order : order;
}

/* A page of each store, joined: the page of all is in it. *total: UINT64_MAX when some store did not count. */
static int gather(struct api *api, const struct api_request *r, const struct store_page *p, struct alert **out, size_t *n,
                  uint64_t *total)
{
  struct alert *all = arena_zalloc(api->arena, api->n_stores * p->limit + 1, sizeof *all), *some;
  *n = 0;
  *total = 0;
  if (!all) return VDT_ENOMEM;
  for (size_t i = 0; i < api->n_stores; i++) {
    struct store *s = api->stores[i];
    uint64_t counted;
    size_t m;
    if (!query_allows(r, "workspace", s->place.workspace)) continue;
    int rc = s->ops->page(s, p, api->arena, &some, &m, &counted, NULL);
    if (rc) return rc;
    if (m) memcpy(all + *n, some, m * sizeof *all);
    *n += m;
    *total = counted == UINT64_MAX || *total == UINT64_MAX ? UINT64_MAX : *total + counted;
  }
  sorting = p;
  qsort(all, *n, sizeof *all, compare);
  *out = all;
  return VDT_OK;
}

/* Where the stores did not count: the page, and what is behind it where it is sorted by start. */
static int count_rest(struct api *api, const struct api_request *r, const struct store_page *p, const struct alert *list,
                      size_t n, uint64_t *total)
{
  bool behind = p->sort == STORE_BY_START && p->descending && n >= p->limit;
  struct str after = behind ? (struct str){list[p->limit - 1].name, ALERT_NAME_LEN} : (struct str){0};
  *total = behind ? p->limit : 0;
  for (size_t i = 0; *total <= TOTAL_MAX && i < api->n_stores; i++) {
    struct store *s = api->stores[i];
    uint64_t some;
    if (!query_allows(r, "workspace", s->place.workspace)) continue;
    int rc = s->ops->tally(s, &p->filter, after, TOTAL_MAX + 1 - *total, &some, NULL);
    if (rc) return rc;
    *total += some;
  }
  return VDT_OK;
}

void portal_put_row(struct buf *b, const struct alert *a)
{
  const struct alert_info *info = alert_info(a->type);
  BUF_LIT(b, "{\"id\":\"");
  arm_put_id(b, a);
  buf_printf(b, "\",\"name\":\"%s\",\"type\":\"%s\"", a->name, info->type);
  api_put_member(b, "title", str_of(info->title));
  buf_printf(b, ",\"severity\":\"%s\",\"status\":\"%s\",\"start\":", vdt_severity_name(a->severity),
             alert_status_name(a->status));
  arm_put_time(b, a->start_us);
  BUF_LIT(b, ",\"end\":");
  arm_put_time(b, a->end_us);
  buf_printf(b, ",\"count\":%llu,\"confidence\":%u", (unsigned long long)a->count, a->confidence);
  api_put_member(b, "workspace", a->workspace);
  api_put_member(b, "deployment", a->x.deployment);
  api_put_member(b, "application", a->x.application);
  api_put_member(b, "user", a->x.end_user);
  api_put_member(b, "principal", a->principal);
  api_put_member(b, "sourceIp", a->x.source_ip.n ? a->x.source_ip : a->x.client_ip);
  api_put_member(b, "country", a->x.country);
  api_put_member(b, "action", a->x.action);
  api_put_member(b, "found", a->x.found);
  api_put_member(b, "incident", a->incident);
  api_put_member(b, "suppressedBy", a->suppressed);
  api_put_member(b, "classification", a->classification);
  buf_printf(b, ",\"isIncident\":%s,\"isSample\":%s}", a->type == ALERT_INCIDENT ? "true" : "false",
             str_eq(a->x.source, STR("simulated")) ? "true" : "false");
}

static void put_page(struct buf *b, const struct store_page *p, const struct alert *list, size_t n, bool first, uint64_t total)
{
  size_t shown = n < p->limit ? n : p->limit - 1;
  BUF_LIT(b, "{\"value\":[");
  for (size_t i = 0; i < shown; i++) {
    if (i) buf_byte(b, ',');
    portal_put_row(b, &list[i]);
  }
  buf_byte(b, ']');
  if (first)
    buf_printf(b, ",\"total\":%llu,\"totalIsExact\":%s", (unsigned long long)(total > TOTAL_MAX ? TOTAL_MAX : total),
               total > TOTAL_MAX ? "false" : "true");
  if (n >= p->limit) {
    BUF_LIT(b, ",\"next\":\"");
    put_cursor(b, p, &list[shown - 1]);
    buf_byte(b, '"');
  }
  buf_byte(b, '}');
}

void api_portal_alerts(struct api *api, const struct api_request *r, struct api_response *response)
{
  static const char *const names[] = {"status", "severity", "type", "deployment", "application", "user",  "workspace", "from",
                                      "to",     "q",        "sort", "order",      "top",         "after", NULL};
  struct store_page p = {0};
  struct alert *list = NULL;
  uint64_t total = 0, top = TOP;
  size_t n = 0;
  if (!query_known(r, names, response) || !read_filter(api, r, response, &p.filter) || !read_order(r, response, &p) ||
      !query_number(r, "top", 1, TOP_MAX, response, &top) || !read_cursor(api, r, response, &p))
    return;
  p.limit = (size_t)top + 1;
  int rc = gather(api, r, &p, &list, &n, &total);
  if (!rc && !p.after.n && total == UINT64_MAX) rc = count_rest(api, r, &p, list, n, &total);
  response->type = API_JSON;
  if (rc) api_store_failed(response, rc, "AlertNotFound");
  else put_page(&response->body, &p, list, n, !p.after.n, total);
}
