/*
 * How long workspaces keep what, in the form of Azure Monitor's workspaces and tables; legal holds. Days are what that form has; ours, down to an hour and
 * up to for ever, is in `retention` beside them. purge.c has purges.
 */
#include "api/retention.h"
#include "api/answer.h"
#include "api/arm.h"
#include "base/clock.h"
#include "base/quote.h"

enum { DAY_S = 86400, TEXT_MAX = 256, REASON_MAX = 1024 };

/* ---- which ------------------------------------------------------------------------------------------------------ */

static bool is_of(struct str have, struct str want)
{
  return !have.n || str_ieq(have, want);
}

struct store *retention_store(const struct api *api, const struct api_request *r, struct api_response *response)
{
  for (size_t i = 0; i < api->n_stores; i++) {
    const struct alert_place *p = &api->stores[i]->place;
    bool here =
        str_ieq(p->workspace, r->ws) && (!r->sub.n || (is_of(p->subscription, r->sub) && is_of(p->resource_group, r->rg)));
    if (here) return api->stores[i];
  }
  api_error(response, 404, "ResourceNotFound", "There is no such workspace here.");
  return NULL;
}

static bool table_of(const struct api_request *r, struct api_response *response, enum store_class *out)
{
  *out = store_class_find(r->name);
  if (*out < STORE_CLASSES) return true;
  api_error(response, 404, "ResourceNotFound", "The tables of a workspace are alerts, evidence, records and audit.");
  return false;
}

/* ---- showing ---------------------------------------------------------------------------------------------------- */

void retention_put_id(struct buf *b, const struct api_request *r, const struct store *s)
{
  BUF_LIT(b, "\"id\":\"/subscriptions/");
  json_escape(b, r->sub);
  BUF_LIT(b, "/resourceGroups/");
  json_escape(b, r->rg);
  BUF_LIT(b, "/providers/Microsoft.OperationalInsights/workspaces/");
  json_escape(b, s->place.workspace);
}

/* Days, begun ones counted; none for what is kept for ever. */
static void put_days(struct buf *b, const char *name, uint64_t seconds)
{
  if (seconds != STORE_FOREVER) buf_printf(b, ",\"%s\":%llu", name, (unsigned long long)((seconds + DAY_S - 1) / DAY_S));
}

static void put_kept(struct buf *b, uint64_t seconds)
{
  char text[STORE_KEEP_TEXT];
  store_keep_write(seconds, text);
  buf_printf(b, "\"retention\":\"%s\"", text);
  put_days(b, "retentionInDays", seconds);
}

static void put_workspace(struct buf *b, const struct api_request *r, const struct store *s, const struct store_keeps *k)
{
  uint64_t kept = k->workspace ? k->workspace : k->of[STORE_RECORDS].effective;
  buf_byte(b, '{');
  retention_put_id(b, r, s);
  BUF_LIT(b, "\",\"name\":");
  json_quote(b, s->place.workspace);
  BUF_LIT(b, ",\"type\":\"Microsoft.OperationalInsights/workspaces\"");
  api_put_member(b, "location", s->place.region);
  BUF_LIT(b, ",\"properties\":{\"provisioningState\":\"Succeeded\",");
  put_kept(b, kept);
  BUF_LIT(b, ",\"features\":{\"immediatePurgeDataOn30Days\":true}}}");
}

static void put_table(struct buf *b, const struct api_request *r, const struct store *s, const struct store_keeps *k,
                      enum store_class c)
{
  const struct store_class_info *info = store_class_info(c);
  buf_byte(b, '{');
  retention_put_id(b, r, s);
  buf_printf(b, "/tables/%s\",\"name\":\"%s\",\"type\":\"Microsoft.OperationalInsights/workspaces/tables\",\"properties\":{",
             info->name, info->name);
  put_kept(b, k->of[c].effective);
  put_days(b, "totalRetentionInDays", k->of[c].effective);
  buf_printf(b,
             ",\"archiveRetentionInDays\":0,\"retentionInDaysAsDefault\":%s,\"plan\":\"Analytics\",\"provisioningState\":"
             "\"Succeeded\",\"schema\":{\"name\":\"%s\",\"description\":",
             k->of[c].set ? "false" : "true", info->table);
  json_quote(b, str_of(info->text));
  BUF_LIT(b, "}}}");
}

static bool keeps_of(struct store *s, struct store_keeps *k, struct api_response *response)
{
  int rc = s->ops->get_keeps(s, k, NULL);
  if (rc) api_store_failed(response, rc, "ResourceNotFound");
  return rc == VDT_OK;
}

void api_workspaces_list(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_keeps k;
  bool first = true;
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"value\":[");
  for (size_t i = 0; i < api->n_stores; i++) {
    const struct alert_place *p = &api->stores[i]->place;
    if (!is_of(p->subscription, r->sub) || !is_of(p->resource_group, r->rg)) continue;
    if (!keeps_of(api->stores[i], &k, response)) return;
    if (!first) buf_byte(&response->body, ',');
    first = false;
    put_workspace(&response->body, r, api->stores[i], &k);
  }
  BUF_LIT(&response->body, "]}");
}

void api_workspaces_get(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_keeps k;
  struct store *s = retention_store(api, r, response);
  if (!s || !keeps_of(s, &k, response)) return;
  response->type = API_JSON;
  put_workspace(&response->body, r, s, &k);
}

void api_tables_list(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_keeps k;
  struct store *s = retention_store(api, r, response);
  if (!s || !keeps_of(s, &k, response)) return;
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"value\":[");
  for (unsigned c = 0; c < STORE_CLASSES; c++) {
    if (c) buf_byte(&response->body, ',');
    put_table(&response->body, r, s, &k, (enum store_class)c);
  }
  BUF_LIT(&response->body, "]}");
}

void api_tables_get(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_keeps k;
  enum store_class c;
  struct store *s = retention_store(api, r, response);
  if (!s || !table_of(r, response, &c) || !keeps_of(s, &k, response)) return;
  response->type = API_JSON;
  put_table(&response->body, r, s, &k, c);
}

/* Our own list: every workspace of the token with all that is said about it. */
void api_workspaces_own(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct buf *b = &response->body;
  (void)r;
  response->type = API_JSON;
  BUF_LIT(b, "{\"value\":[");
  for (size_t i = 0; i < api->n_stores; i++) {
    struct store *s = api->stores[i];
    struct store_keeps k;
    struct store_hold *holds;
    size_t n;
    int rc = s->ops->list_holds(s, api->arena, &holds, &n, NULL);
    if (rc) api_store_failed(response, rc, "ResourceNotFound");
    if (rc || !keeps_of(s, &k, response)) return;
    buf_printf(b, "%s{\"name\":", i ? "," : "");
    json_quote(b, s->place.workspace);
    api_put_member(b, "region", s->place.region);
    BUF_LIT(b, ",\"retention\":{");
    for (unsigned c = 0; c < STORE_CLASSES; c++) {
      char text[STORE_KEEP_TEXT];
      store_keep_write(k.of[c].effective, text);
      buf_printf(b, "%s\"%s\":\"%s\"", c ? "," : "", store_class_info((enum store_class)c)->name, text);
    }
    buf_printf(b, "},\"holds\":%zu}", n);
  }
  BUF_LIT(b, "]}");
}

/* ---- setting ---------------------------------------------------------------------------------------------------- */

static bool bad(struct api_response *response, const char *what)
{
  api_error(response, 400, "InvalidParameter", "%s", what);
  return false;
}

/* A member that is a number of days, null, or -1, which both take back what was set. *said stays as it is when it is absent. */
static bool read_days(struct api_response *response, const struct json_doc *doc, uint32_t of, const char *name, bool *said,
                      uint64_t *seconds)
{
  uint64_t days = 0;
  uint32_t node = json_get(doc, of, name);
  if (!node) return true;
  bool back = json_is(doc, node, JSON_NULL) || (json_is(doc, node, JSON_NUMBER) && str_eq(json_raw(doc, node), STR("-1")));
  if (!back && (!json_u64(doc, node, &days) || days < 1 || days > STORE_KEEP_MAX / DAY_S))
    return bad(response, "retentionInDays and totalRetentionInDays are days from 1 to 4383, or null.");
  *said = true;
  *seconds = back ? STORE_INHERIT : days * DAY_S;
  return true;
}

/* The total counts where both are given: nothing here is kept in two ways. */
static bool read_kept(struct api *api, const struct api_request *r, struct api_response *response, const struct json_doc *doc,
                      bool *said, uint64_t *seconds)
{
  struct str text;
  uint32_t of = json_get(doc, 0, "properties");
  *said = r->argument == 0; /* PUT: what is absent goes back to what is inherited */
  *seconds = STORE_INHERIT;
  if (!of) return true;
  if (!json_is(doc, of, JSON_OBJECT)) return bad(response, "properties is to be an object.");
  if (!read_days(response, doc, of, "retentionInDays", said, seconds) ||
      !read_days(response, doc, of, "totalRetentionInDays", said, seconds) ||
      !api_text(api, response, doc, of, "retention", 32, &text))
    return false;
  if (!text.n) return true;
  *said = true;
  return str_eq(text, STR("inherit")) || store_keep_read(text, seconds) ||
         bad(response, "retention is to be forever, inherit, or a time from 1h to 4383d such as 30d.");
}

static bool set(struct store *s, const struct api_request *r, struct api_response *response, enum store_class c, uint64_t seconds)
{
  int rc = s->ops->set_keep(s, c, STORE_SET, seconds, str_of(r->who), clock_unix_us(), NULL);
  if (rc) api_store_failed(response, rc, "ResourceNotFound");
  return rc == VDT_OK;
}

/* A workspace stays where it is: its region is not a setting. */
static bool location_stays(struct api *api, struct api_response *response, const struct json_doc *doc, const struct store *s)
{
  struct str location;
  if (!api_text(api, response, doc, 0, "location", TEXT_MAX, &location)) return false;
  return !location.n || str_ieq(location, s->place.region) || bad(response, "The location of a workspace cannot be changed.");
}

void api_workspaces_set(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  bool said;
  uint64_t seconds;
  struct store *s = retention_store(api, r, response);
  if (!s || !api_body(api, r, response, &doc) || !location_stays(api, response, &doc, s) ||
      !read_kept(api, r, response, &doc, &said, &seconds))
    return;
  if (!said || set(s, r, response, STORE_CLASSES, seconds)) api_workspaces_get(api, r, response);
}

void api_tables_set(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  enum store_class c;
  bool said;
  uint64_t seconds;
  struct store *s = retention_store(api, r, response);
  if (!s || !table_of(r, response, &c) || !api_body(api, r, response, &doc) ||
      !read_kept(api, r, response, &doc, &said, &seconds))
    return;
  if (!said || set(s, r, response, c, seconds)) api_tables_get(api, r, response);
}

/* ---- holds ------------------------------------------------------------------------------------------------------ */

static void put_hold(struct buf *b, const struct store_hold *h)
{
  BUF_LIT(b, "{\"name\":");
  json_quote(b, h->name);
  const struct {
    const char *name;
    struct str value;
  } texts[] = {
      {"endUserId", h->end_user}, {"deployment", h->deployment}, {"alert", h->alert}, {"reason", h->reason}, {"who", h->who}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (texts[i].value.n) api_put_member(b, texts[i].name, texts[i].value);
  if (h->since_us) BUF_LIT(b, ",\"since\":"), arm_put_time(b, h->since_us);
  if (h->until_us) BUF_LIT(b, ",\"until\":"), arm_put_time(b, h->until_us);
  BUF_LIT(b, ",\"set\":");
  arm_put_time(b, h->time_us);
  buf_byte(b, '}');
}

void api_holds_list(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_hold *list;
  size_t n;
  struct store *s = retention_store(api, r, response);
  if (!s) return;
  int rc = s->ops->list_holds(s, api->arena, &list, &n, NULL);
  if (rc) {
    api_store_failed(response, rc, "ResourceNotFound");
    return;
  }
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"value\":[");
  for (size_t i = 0; i < n; i++) {
    if (i) buf_byte(&response->body, ',');
    put_hold(&response->body, &list[i]);
  }
  BUF_LIT(&response->body, "]}");
}

static bool read_time(struct api *api, struct api_response *response, const struct json_doc *doc, const char *name, uint64_t *out)
{
  struct str text;
  *out = 0;
  if (!api_text(api, response, doc, 0, name, 64, &text)) return false;
  if (!text.n || (*out = clock_parse(text.p, text.n))) return true;
  return bad(response, "since and until are times such as 2026-11-25T15:46:15Z.");
}

static bool read_hold(struct api *api, const struct api_request *r, struct api_response *response, struct store_hold *h)
{
  struct json_doc doc;
  *h = (struct store_hold){.name = r->name, .who = str_of(r->who), .time_us = clock_unix_us()};
  if (!api_body(api, r, response, &doc)) return false;
  if (!api_text(api, response, &doc, 0, "endUserId", TEXT_MAX, &h->end_user) ||
      !api_text(api, response, &doc, 0, "deployment", TEXT_MAX, &h->deployment) ||
      !api_text(api, response, &doc, 0, "alert", TEXT_MAX, &h->alert) ||
      !api_text(api, response, &doc, 0, "reason", REASON_MAX, &h->reason) ||
      !read_time(api, response, &doc, "since", &h->since_us) || !read_time(api, response, &doc, "until", &h->until_us))
    return false;
  if (h->alert.n && h->alert.n != ALERT_NAME_LEN) return bad(response, "alert is to be the whole name of an alert.");
  return true;
}

void api_holds_put(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_hold h;
  struct vdt_error err = {0};
  struct store *s = retention_store(api, r, response);
  if (!s || !read_hold(api, r, response, &h)) return;
  int rc = s->ops->put_hold(s, &h, &err);
  if (rc == VDT_EINVAL) bad(response, err.text);
  else if (rc) api_store_failed(response, rc, "ResourceNotFound");
  if (rc) return;
  response->type = API_JSON;
  put_hold(&response->body, &h);
}

void api_holds_delete(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  struct str reason;
  struct store *s = retention_store(api, r, response);
  if (!s || !api_body(api, r, response, &doc) || !api_text(api, response, &doc, 0, "reason", REASON_MAX, &reason)) return;
  int rc = s->ops->release_hold(s, r->name, str_of(r->who), reason, clock_unix_us(), NULL);
  if (rc) api_store_failed(response, rc, "HoldNotFound");
  else response->status = 204;
}
