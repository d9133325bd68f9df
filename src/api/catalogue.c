/* What can be read without a subscription: the catalogue of alerts, the audit log, and the description of this API. */
#include "api/answer.h"
#include "api/arm.h"
#include "api/openapi.h"
#include "api/query.h"
#include "base/quote.h"

enum { AUDIT_TOP = 500 };

static void put_list(struct buf *b, const char *name, const char *list)
{
  buf_printf(b, ",\"%s\":[", name);
  for (const char *p = list; *p;) {
    size_t n = strcspn(p, "|");
    if (p != list) buf_byte(b, ',');
    json_quote(b, (struct str){p, n});
    p += n + (p[n] == '|');
  }
  buf_byte(b, ']');
}

void arm_put_type(struct buf *b, enum alert_type type)
{
  const struct alert_info *info = alert_info(type);
  BUF_LIT(b, "{\"alertType\":");
  json_quote(b, str_of(info->type));
  api_put_member(b, "alertDisplayName", str_of(info->title));
  api_put_member(b, "description", str_of(info->description));
  api_put_member(b, "severity", str_of(vdt_severity_name(info->severity)));
  if (info->agent < ALERT_TYPES) api_put_member(b, "agentVariant", str_of(alert_info(info->agent)->type));
  put_list(b, "tactics", info->tactics);
  put_list(b, "techniques", info->techniques);
  put_list(b, "atlasTechniques", info->atlas);
  put_list(b, "owaspLlm", info->owasp);
  put_list(b, "remediationSteps", info->remediation);
  buf_byte(b, '}');
}

void api_types(struct api *api, const struct api_request *r, struct api_response *response)
{
  (void)api;
  (void)r;
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"value\":[");
  for (unsigned t = 0; t < ALERT_TYPES; t++) {
    if (t) buf_byte(&response->body, ',');
    arm_put_type(&response->body, (enum alert_type)t);
  }
  BUF_LIT(&response->body, "]}");
}

struct line {
  struct store_audit entry;
  struct str workspace;
};

static void put_line(struct buf *b, const struct line *l)
{
  BUF_LIT(b, "{\"time\":");
  arm_put_time(b, l->entry.time_us);
  api_put_member(b, "workspace", l->workspace);
  api_put_member(b, "who", l->entry.who);
  api_put_member(b, "what", l->entry.what);
  api_put_member(b, "target", l->entry.target);
  api_put_member(b, "detail", l->entry.detail);
  buf_byte(b, '}');
}

static int newest_first(const void *x, const void *y)
{
  uint64_t a = ((const struct line *)x)->entry.time_us, b = ((const struct line *)y)->entry.time_us;
  return a > b ? -1 : a < b;
}

/* A page of each store, joined: the page of all is in it. */
static int gather_audit(struct api *api, struct store *const *stores, size_t n_stores, const struct store_audit_query *q,
                        struct line **out, size_t *n)
{
  struct line *all = arena_zalloc(api->arena, n_stores * q->limit, sizeof *all);
  struct store_audit *some;
  size_t m;
  *n = 0;
  if (!all) return VDT_ENOMEM;
  for (size_t i = 0; i < n_stores; i++) {
    int rc = stores[i]->ops->list_audit(stores[i], q, api->arena, &some, &m, NULL);
    if (rc) return rc;
    for (size_t k = 0; k < m; k++) all[(*n)++] = (struct line){some[k], stores[i]->place.workspace};
  }
  qsort(all, *n, sizeof *all, newest_first);
  *out = all;
  return VDT_OK;
}

/* Where the page ends. What was written to several workspaces at one time stays together: the next page begins before that time. */
static size_t end_of_page(const struct line *lines, size_t n, size_t page)
{
  size_t end = n < page ? n : page;
  while (end && end < n && lines[end].entry.time_us == lines[end - 1].entry.time_us) end++;
  return end;
}

/* What is asked for. One more than a page, to see whether there is another. false: it has answered. */
static bool ask_audit(const struct api_request *r, struct api_response *response, struct store_audit_query *q)
{
  static const char *const names[] = {"who", "what", "text", "from", "to", "workspace", "top", "$skipToken", "api-version", NULL};
  uint64_t page = API_PAGE, to, before = 0;
  if (!query_known(r, names, response) || !query_time(r, "from", response, &q->since_us) || !query_time(r, "to", response, &to) ||
      !query_number(r, "top", 1, AUDIT_TOP, response, &page))
    return false;
  if (r->skip_token.n && !str_u64(r->skip_token, &before)) {
    api_error(response, 400, "InvalidSkipToken", "$skipToken is not one that this list gave.");
    return false;
  }
  q->who = query_text(r, "who");
  q->what = query_text(r, "what");
  q->text = query_text(r, "text");
  q->limit = (size_t)page + 1;
  q->before_us = before && (!to || before <= to) ? before : to ? to + 1 : 0;
  return true;
}

void api_audit(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_audit_query q = {0};
  struct line *lines;
  struct store **stores;
  struct buf *b = &response->body;
  size_t n, n_stores;
  if (!ask_audit(r, response, &q) || !api_stores_of(api, r, response, &stores, &n_stores)) return;
  int rc = gather_audit(api, stores, n_stores, &q, &lines, &n);
  if (rc) {
    api_store_failed(response, rc, "ResourceNotFound");
    return;
  }
  response->type = API_JSON;
  BUF_LIT(b, "{\"value\":[");
  size_t end = end_of_page(lines, n, q.limit - 1);
  for (size_t i = 0; i < end; i++) {
    if (i) buf_byte(b, ',');
    put_line(b, &lines[i]);
  }
  buf_byte(b, ']');
  if (end < n) {
    char token[24];
    snprintf(token, sizeof token, "%llu", (unsigned long long)lines[end - 1].entry.time_us);
    api_put_next_link(b, r, str_of(token));
  }
  buf_byte(b, '}');
}

void api_openapi(struct api *api, const struct api_request *r, struct api_response *response)
{
  (void)api;
  (void)r;
  response->type = API_JSON;
  buf_put(&response->body, openapi_text());
}
