/* What people do to alerts: their state, what is thought of them, and the trace that both leave. */
#include "analyse/alert.h"
#include "api/answer.h"
#include "api/arm.h"
#include "base/clock.h"
#include "base/quote.h"

enum { COMMENT_MAX = 4096 };

/* ---- state, comment, classification ------------------------------------------------------------------------------ */

static bool classification_ok(struct api_response *response, struct str *name)
{
  for (int i = 0; i < ALERT_CLASSIFICATIONS; i++) {
    if (!str_ieq(*name, str_of(alert_classifications[i]))) continue;
    *name = str_of(alert_classifications[i]);
    return true;
  }
  if (!name->n) return true;
  api_error(response, 400, "InvalidClassification",
            "classification is to be Undetermined, TruePositive, BenignPositive or FalsePositive.");
  return false;
}

bool api_read_change(struct api *api, const struct json_doc *doc, struct api_response *response, struct store_change *c)
{
  if (!api_text(api, response, doc, 0, "comment", COMMENT_MAX, &c->comment) ||
      !api_text(api, response, doc, 0, "classification", 64, &c->classification) ||
      !classification_ok(response, &c->classification))
    return false;
  if (c->status < ALERT_STATUSES || c->comment.n || c->classification.n) return true;
  api_error(response, 400, "InvalidRequestContent", "Say a comment, a classification, or both.");
  return false;
}

void api_alerts_status(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store *store;
  struct alert a;
  struct json_doc doc;
  struct store_change change = {.status = (enum alert_status)r->argument, .who = str_of(r->who), .time_us = clock_unix_us()};
  if (!api_body(api, r, response, &doc) || !api_read_change(api, &doc, response, &change)) return;
  int rc = api_find_alert(api, r, &store, &a);
  if (!rc) rc = store->ops->change(store, r->name, &change, NULL);
  if (rc) api_store_failed(response, rc, "AlertNotFound");
  else response->status = 204;
}

static void put_change(struct buf *b, const struct alert_change *c)
{
  BUF_LIT(b, "{\"time\":");
  arm_put_time(b, c->time_us);
  api_put_member(b, "who", c->who);
  buf_printf(b, ",\"from\":\"%s\",\"to\":\"%s\"", alert_status_name(c->from), alert_status_name(c->to));
  if (c->comment.n) api_put_member(b, "comment", c->comment);
  if (c->classification.n) api_put_member(b, "classification", c->classification);
  buf_byte(b, '}');
}

void api_alerts_history(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store *store;
  struct alert a;
  struct buf *b = &response->body;
  int rc = api_find_alert(api, r, &store, &a);
  if (rc) {
    api_store_failed(response, rc, "AlertNotFound");
    return;
  }
  response->type = API_JSON;
  BUF_LIT(b, "{\"value\":[");
  for (size_t i = 0; i < a.n_history; i++) {
    if (i) buf_byte(b, ',');
    put_change(b, &a.history[i]);
  }
  BUF_LIT(b, "]}");
}

/* ---- samples ---------------------------------------------------------------------------------------------------- */

/* The event of one type as if a record had raised it. Everything in it says that it is a sample. */
static int put_sample(struct api *api, const struct api_request *r, struct store *s, enum alert_type type)
{
  struct record record = {.time_us = clock_unix_us(),
                          .workspace = s->place.workspace,
                          .deployment = STR("sample-deployment"),
                          .application = STR("sample application"),
                          .end_user = STR("sample-user"),
                          .client_ip = STR("192.0.2.1"),
                          .user_agent = STR("sample/1.0")};
  struct alert_place place = s->place;
  struct alert events[ALERT_TYPES];
  struct alert_signal signal = {.type = type,
                                .detector = STR("simulate"),
                                .rule = STR("sample"),
                                .title = STR("sample"),
                                .reason = STR("somebody asked for sample alerts"),
                                .confidence = 100};
  size_t n = 0;
  bool is_new;
  snprintf(record.id, sizeof record.id, "%016llx%08x%08x", (unsigned long long)record.time_us, (unsigned)type, 0u);
  place.subscription = r->sub;
  if (alert_signal(&signal, &record, &place, record.time_us, api->arena, events, &n)) return VDT_ENOMEM;
  events[0].x.source = STR("simulated");
  return s->ops->put_event(s, &events[0], 0, &is_new, NULL);
}

/* One of each type, all or none. */
static int put_samples(struct api *api, const struct api_request *r, struct store *s)
{
  int rc = s->ops->begin(s, NULL);
  if (rc) return rc;
  for (unsigned t = 0; !rc && t < ALERT_TYPES; t++)
    if (t != ALERT_INCIDENT) rc = put_sample(api, r, s, (enum alert_type)t);
  struct store_audit a = {
      .time_us = clock_unix_us(), .who = str_of(r->who), .what = STR("sample alerts raised"), .target = r->sub};
  if (!rc) rc = s->ops->put_audit(s, &a, NULL);
  if (!rc) rc = s->ops->commit(s, NULL);
  if (rc) s->ops->rollback(s);
  return rc;
}

static bool bundles_ok(const struct json_doc *doc, uint32_t properties, struct api_response *response)
{
  uint32_t bundles = json_get(doc, properties, "bundles");
  bool ok = json_string_is(doc, json_get(doc, properties, "kind"), "Bundles") && json_is(doc, bundles, JSON_ARRAY) &&
            doc->nodes[bundles].count > 0;
  if (!ok)
    api_error(response, 400, "InvalidRequestContent", "properties are to be {\"kind\": \"Bundles\", \"bundles\": [\"AI\"]}.");
  for (uint32_t i = ok ? json_first(doc, bundles) : 0; ok && i; i = json_next(doc, bundles, i)) {
    ok = json_string_is(doc, i, "AI");
    if (!ok) api_error(response, 400, "BundleNotSupported", "There is the bundle AI here and no other.");
  }
  return ok;
}

static void put_done_link(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct buf url = {0};
  char *path =
      arena_printf(api->arena, "/subscriptions/%.*s/providers/Microsoft.Security/locations/%.*s/operationStatuses/simulate",
                   (int)r->sub.n, r->sub.p, (int)r->loc.n, r->loc.p);
  if (path) api_put_url(&url, r, str_of(path));
  BUF_LIT(&url, "?api-version=" ARM_ALERTS_VERSION);
  buf_byte(&url, 0);
  if (path && !url.failed && url.n <= sizeof response->location) memcpy(response->location, url.p, url.n);
  buf_finish(&url);
}

void api_alerts_simulate(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  if (!api_body(api, r, response, &doc) || !bundles_ok(&doc, json_get(&doc, 0, "properties"), response)) return;
  for (size_t i = 0; i < api->n_stores; i++) {
    if (!api_in_location(api->stores[i], r)) continue;
    int rc = put_samples(api, r, api->stores[i]);
    if (rc) {
      api_store_failed(response, rc, "LocationNotFound");
      return;
    }
    /* The version that knows no long-running operations wants 204. */
    response->status = str_eq(r->api_version, STR("2021-11-01")) ? 204 : 202;
    if (response->status == 202) put_done_link(api, r, response);
    return;
  }
  api_error(response, 404, "LocationNotFound", "No workspace is in this location.");
}

/* Samples are written before the answer leaves: whoever asks later learns that it is done. */
void api_operation_done(struct api *api, const struct api_request *r, struct api_response *response)
{
  (void)api;
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"status\":\"Succeeded\"");
  api_put_member(&response->body, "name", r->name);
  buf_byte(&response->body, '}');
}
