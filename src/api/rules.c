/* Microsoft.Security/alertsSuppressionRules 2019-01-01-preview. Kept as api/settings.h says, applied by the collector. */
#include "analyse/suppress.h"
#include "api/answer.h"
#include "api/arm.h"
#include "api/settings.h"
#include "base/clock.h"
#include "base/quote.h"

enum { TEXT_MAX = 1024, RULES_MAX = 1000 };

static struct store *keeper(const struct api *api, struct str subscription)
{
  return settings_keeper(api->stores, api->n_stores, subscription);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put_time(struct buf *b, const char *name, uint64_t us)
{
  buf_printf(b, ",\"%s\":", name);
  arm_put_time(b, us);
}

static void put_rule(struct buf *b, const struct suppress_rule *r)
{
  BUF_LIT(b, "{\"id\":\"/subscriptions/");
  json_escape(b, r->subscription);
  BUF_LIT(b, "/providers/Microsoft.Security/alertsSuppressionRules/");
  json_escape(b, r->name);
  buf_byte(b, '"');
  api_put_member(b, "name", r->name);
  BUF_LIT(b, ",\"type\":\"Microsoft.Security/alertsSuppressionRules\",\"properties\":{\"alertType\":");
  json_quote(b, r->alert_type);
  put_time(b, "lastModifiedUtc", r->modified_us);
  if (r->expires_us) put_time(b, "expirationDateUtc", r->expires_us);
  api_put_member(b, "reason", r->reason);
  buf_printf(b, ",\"state\":\"%s\"", suppress_state(r, clock_unix_us()));
  if (r->comment.n) api_put_member(b, "comment", r->comment);
  if (r->scope.n) {
    BUF_LIT(b, ",\"suppressionAlertsScope\":{\"allOf\":");
    buf_put(b, r->scope);
    buf_byte(b, '}');
  }
  BUF_LIT(b, "}}");
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool bad(struct api_response *response, const char *what)
{
  api_error(response, 400, "InvalidSuppressionRule", "%s", what);
  return false;
}

static bool read_type(struct api_response *response, struct suppress_rule *rule)
{
  if (str_eq(rule->alert_type, STR("*"))) return true;
  for (unsigned t = 0; t < ALERT_TYPES; t++) {
    const char *type = alert_info((enum alert_type)t)->type;
    if (!str_ieq(rule->alert_type, str_of(type))) continue;
    rule->alert_type = str_of(type);
    return true;
  }
  return bad(response, "alertType is to be * or a type that `vedette alerts types` lists.");
}

static bool read_state(struct api_response *response, struct str state, struct suppress_rule *rule)
{
  rule->enabled = str_ieq(state, STR("Enabled"));
  if (rule->enabled || str_ieq(state, STR("Disabled")) || str_ieq(state, STR("Expired"))) return true;
  return bad(response, "state is to be Enabled, Disabled or Expired.");
}

static bool read_expiry(struct api *api, struct api_response *response, const struct json_doc *doc, uint32_t of,
                        struct suppress_rule *rule)
{
  struct str text;
  const char *key = json_get(doc, of, "expirationDateUTC") ? "expirationDateUTC" : "expirationDateUtc";
  if (!api_text(api, response, doc, of, key, 64, &text)) return false;
  if (!text.n) return true;
  rule->expires_us = clock_parse(text.p, text.n);
  return rule->expires_us || bad(response, "expirationDateUtc is to be a time like 2026-12-31T00:00:00Z.");
}

/* The scope is kept as it was written, once it has been understood. */
static bool read_scope(struct api *api, struct api_response *response, const struct json_doc *doc, uint32_t of,
                       struct suppress_rule *rule)
{
  struct vdt_error err = {0};
  uint32_t scope = json_get(doc, of, "suppressionAlertsScope");
  if (!scope || json_is(doc, scope, JSON_NULL)) return true;
  uint32_t all = json_get(doc, scope, "allOf");
  if (!all) return bad(response, "suppressionAlertsScope is to be an object with the list allOf.");
  rule->scope = json_raw(doc, all);
  int rc = suppress_compile(api->arena, rule, &err);
  if (rc == VDT_ENOMEM) api_error(response, 503, "ServiceUnavailable", "Out of memory.");
  else if (rc) bad(response, err.text);
  return rc == VDT_OK;
}

bool api_read_rule(struct api *api, struct api_response *response, const struct json_doc *doc, struct suppress_rule *rule)
{
  uint32_t of = json_get(doc, 0, "properties");
  struct str state;
  if (!json_is(doc, of, JSON_OBJECT)) return bad(response, "properties is to be an object.");
  if (!api_text(api, response, doc, of, "alertType", TEXT_MAX, &rule->alert_type) ||
      !api_text(api, response, doc, of, "reason", TEXT_MAX, &rule->reason) ||
      !api_text(api, response, doc, of, "comment", TEXT_MAX, &rule->comment) ||
      !api_text(api, response, doc, of, "state", TEXT_MAX, &state))
    return false;
  if (!rule->alert_type.n || !rule->reason.n || !state.n) return bad(response, "alertType, reason and state are needed.");
  return read_type(response, rule) && read_state(response, state, rule) && read_expiry(api, response, doc, of, rule) &&
         read_scope(api, response, doc, of, rule);
}

/* ---- routes ----------------------------------------------------------------------------------------------------- */

static bool name_ok(const struct api_request *r, struct api_response *response)
{
  if (suppress_name_ok(r->name)) return true;
  api_error(response, 400, "InvalidRuleName",
            "A rule's name has 2 to 50 letters, digits, - and _, and begins with a letter or a digit.");
  return false;
}

void api_rules_list(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct suppress_rule *rules;
  struct store_rule_query q = {
      .subscription = r->sub, .alert_type = r->alert_type, .after = r->skip_token, .limit = API_PAGE + 1};
  size_t n;
  struct buf *b = &response->body;
  if (r->skip_token.n && !suppress_name_ok(r->skip_token)) {
    api_error(response, 400, "InvalidSkipToken", "$skipToken is not one that this list gave.");
    return;
  }
  struct store *s = keeper(api, r->sub);
  int rc = s->ops->list_rules(s, &q, api->arena, &rules, &n, NULL);
  if (rc) {
    api_store_failed(response, rc, "ResourceNotFound");
    return;
  }
  response->type = API_JSON;
  BUF_LIT(b, "{\"value\":[");
  for (size_t i = 0; i < n && i < API_PAGE; i++) {
    if (i) buf_byte(b, ',');
    put_rule(b, &rules[i]);
  }
  buf_byte(b, ']');
  if (n > API_PAGE) api_put_next_link(b, r, rules[API_PAGE - 1].name);
  buf_byte(b, '}');
}

void api_rules_get(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct suppress_rule *rule;
  struct store_rule_query q = {.subscription = r->sub, .name = r->name, .limit = 1};
  size_t n;
  if (!name_ok(r, response)) return;
  struct store *s = keeper(api, r->sub);
  int rc = s->ops->list_rules(s, &q, api->arena, &rule, &n, NULL);
  if (rc || !n) {
    api_store_failed(response, rc ? rc : VDT_ENOTFOUND, "SuppressionRuleNotFound");
    return;
  }
  response->type = API_JSON;
  put_rule(&response->body, rule);
}

/* The collector holds all rules in memory; so many for each workspace that keeps some. */
static bool has_room(struct api *api, const struct suppress_rule *rule, struct api_response *response)
{
  struct suppress_rule *all;
  size_t n;
  struct store *s = keeper(api, rule->subscription);
  int rc = s->ops->list_rules(s, &(struct store_rule_query){.limit = RULES_MAX}, api->arena, &all, &n, NULL);
  if (rc) api_store_failed(response, rc, "ResourceNotFound");
  for (size_t i = 0; !rc && i < n; i++)
    if (str_ieq(all[i].subscription, rule->subscription) && str_ieq(all[i].name, rule->name)) return true;
  if (rc || n < RULES_MAX) return !rc;
  api_error(response, 409, "QuotaExceeded", "There are %d rules, and no more can be made before some are deleted.", RULES_MAX);
  return false;
}

void api_rules_put(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  struct suppress_rule rule = {.subscription = r->sub, .name = r->name, .who = str_of(r->who), .modified_us = clock_unix_us()};
  if (!name_ok(r, response) || !api_body(api, r, response, &doc) || !api_read_rule(api, response, &doc, &rule)) return;
  if (!has_room(api, &rule, response)) return;
  struct store *s = keeper(api, r->sub);
  int rc = s->ops->put_rule(s, &rule, NULL);
  if (rc) {
    api_store_failed(response, rc, "SuppressionRuleNotFound");
    return;
  }
  response->type = API_JSON;
  put_rule(&response->body, &rule);
}

/* Deleting what is not there is done, as ARM sees it. */
void api_rules_delete(struct api *api, const struct api_request *r, struct api_response *response)
{
  if (!name_ok(r, response)) return;
  struct store *s = keeper(api, r->sub);
  int rc = s->ops->delete_rule(s, r->sub, r->name, str_of(r->who), clock_unix_us(), NULL);
  if (rc && rc != VDT_ENOTFOUND) api_store_failed(response, rc, "SuppressionRuleNotFound");
  else response->status = 204;
}
