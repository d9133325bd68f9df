/* What can be read without a subscription: the catalogue of alerts, the audit log, and the description of this API. */
#include "api/answer.h"
#include "api/arm.h"
#include "api/openapi.h"
#include "base/quote.h"

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

static void put_line(struct buf *b, const struct store_audit *a)
{
  BUF_LIT(b, "{\"time\":");
  arm_put_time(b, a->time_us);
  api_put_member(b, "who", a->who);
  api_put_member(b, "what", a->what);
  api_put_member(b, "target", a->target);
  api_put_member(b, "detail", a->detail);
  buf_byte(b, '}');
}

static int newest_first(const void *x, const void *y)
{
  uint64_t a = ((const struct store_audit *)x)->time_us, b = ((const struct store_audit *)y)->time_us;
  return a > b ? -1 : a < b;
}

/* A page of each store, joined: the page of all is in it. */
static int gather_audit(struct api *api, uint64_t before, struct store_audit **out, size_t *n)
{
  struct store_audit *all = arena_zalloc(api->arena, api->n_stores * (API_PAGE + 1), sizeof *all), *some;
  struct store_audit_query q = {.before_us = before, .limit = API_PAGE + 1};
  size_t m;
  *n = 0;
  if (!all) return VDT_ENOMEM;
  for (size_t i = 0; i < api->n_stores; i++) {
    int rc = api->stores[i]->ops->list_audit(api->stores[i], &q, api->arena, &some, &m, NULL);
    if (rc) return rc;
    if (m) memcpy(all + *n, some, m * sizeof *all);
    *n += m;
  }
  qsort(all, *n, sizeof *all, newest_first);
  *out = all;
  return VDT_OK;
}

/* Where the page ends. What was written to several workspaces at one time stays together: the next page begins before that time. */
static size_t end_of_page(const struct store_audit *lines, size_t n)
{
  size_t end = n < API_PAGE ? n : API_PAGE;
  while (end && end < n && lines[end].time_us == lines[end - 1].time_us) end++;
  return end;
}

void api_audit(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_audit *lines;
  struct buf *b = &response->body;
  uint64_t before = 0;
  size_t n;
  if (r->skip_token.n && !str_u64(r->skip_token, &before)) {
    api_error(response, 400, "InvalidSkipToken", "$skipToken is not one that this list gave.");
    return;
  }
  int rc = gather_audit(api, before, &lines, &n);
  if (rc) {
    api_store_failed(response, rc, "ResourceNotFound");
    return;
  }
  response->type = API_JSON;
  BUF_LIT(b, "{\"value\":[");
  size_t end = end_of_page(lines, n);
  for (size_t i = 0; i < end; i++) {
    if (i) buf_byte(b, ',');
    put_line(b, &lines[i]);
  }
  buf_byte(b, ']');
  if (end < n) {
    char token[24];
    snprintf(token, sizeof token, "%llu", (unsigned long long)lines[end - 1].time_us);
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
