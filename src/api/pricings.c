/*
 * Microsoft.Security/pricings: the plan AI of a subscription and its switches.
 *
 * Free raises no alerts (interactions are inspected, stopped and recorded as before). AIPromptEvidence off keeps no text of prompts and answers
 * with alerts, whatever the configuration says; on has the gateway record it. AIPromptSharingWithPurview: api/sharing.h. Never switched, both follow the configuration. Kept as
 * api/settings.h says.
 */
#include "api/answer.h"
#include "api/arm.h"
#include "api/plan_file.h"
#include "api/settings.h"
#include "base/clock.h"
#include "base/quote.h"

enum extension {
#define X(id, name, why, on) EXTENSION_##id,
#include "api/extensions.def"
#undef X
  EXTENSIONS
};

static const struct {
  const char *name, *why, *on;
} extensions[] = {
#define X(id, name, why, on) {name, why, on},
#include "api/extensions.def"
#undef X
};

static struct store *keeper(const struct api *api, struct str subscription)
{
  return settings_keeper(api->stores, api->n_stores, subscription);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* The configuration keeps evidence for some deployment. */
static bool evidence_configured(const struct api *api)
{
  for (size_t i = 0; i < api->n_stores; i++)
    if (api->evidence && api->evidence[i]) return true;
  return false;
}

static bool is_on(const struct api *api, const struct store_plan *p, enum extension e)
{
  enum store_switch s = e == EXTENSION_EVIDENCE ? p->evidence : e == EXTENSION_PURVIEW ? p->purview : STORE_OFF;
  return s == STORE_UNSET ? e == EXTENSION_EVIDENCE && evidence_configured(api) : s == STORE_ON;
}

static void put_extensions(struct buf *b, const struct api *api, const struct store_plan *p)
{
  BUF_LIT(b, ",\"extensions\":[");
  for (unsigned e = 0; e < EXTENSIONS; e++) {
    if (e) buf_byte(b, ',');
    bool on = is_on(api, p, (enum extension)e);
    buf_printf(b, "{\"name\":\"%s\",\"isEnabled\":\"%s\",\"operationStatus\":{\"code\":\"Succeeded\",\"message\":\"%s\"}}",
               extensions[e].name, on ? "True" : "False", on ? extensions[e].on : "");
  }
  buf_byte(b, ']');
}

static void put_plan(struct buf *b, const struct api *api, struct str subscription, const struct store_plan *p)
{
  BUF_LIT(b, "{\"id\":\"/subscriptions/");
  json_escape(b, subscription);
  BUF_LIT(
      b, "/providers/Microsoft.Security/pricings/AI\",\"name\":\"AI\",\"type\":\"Microsoft.Security/pricings\",\"properties\":{");
  buf_printf(b,
             "\"pricingTier\":\"%s\",\"freeTrialRemainingTime\":\"PT0S\",\"enforce\":\"False\",\"inherited\":\"False\","
             "\"resourcesCoverageStatus\":\"%s\"",
             p->standard ? "Standard" : "Free", p->standard ? "FullyCovered" : "NotCovered");
  if (p->standard && p->since_us) {
    BUF_LIT(b, ",\"enablementTime\":");
    arm_put_time(b, p->since_us);
  }
  if (p->standard) put_extensions(b, api, p);
  BUF_LIT(b, "}}");
}

static int load(struct api *api, struct str subscription, struct store_plan *plan)
{
  struct store_plan *found;
  size_t n;
  struct store *s = keeper(api, subscription);
  int rc = s->ops->list_plans(s, subscription, api->arena, &found, &n, NULL);
  *plan = !rc && n ? found[0] : (struct store_plan){.standard = true};
  plan->subscription = subscription;
  return rc;
}

static bool is_ai(const struct api_request *r, struct api_response *response)
{
  if (str_ieq(r->name, STR("AI"))) return true;
  api_error(response, 404, "ResourceNotFound", "There is the plan AI here and no other.");
  return false;
}

/* $filter=name in (AI,Containers): the plan is in the list, or there is no filter. */
static bool filter_has_ai(struct str filter)
{
  if (!filter.n) return true;
  for (size_t i = 0; i + 2 <= filter.n; i++) {
    bool begins = i == 0 || memchr("(, '", filter.p[i - 1], 4), ends = i + 2 == filter.n || memchr("), '", filter.p[i + 2], 4);
    if (begins && ends && str_ieq(str_cut(filter, i, i + 2), STR("AI"))) return true;
  }
  return false;
}

void api_pricings_list(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_plan plan;
  int rc = load(api, r->sub, &plan);
  if (rc) {
    api_store_failed(response, rc, "ResourceNotFound");
    return;
  }
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"value\":[");
  if (filter_has_ai(r->filter)) put_plan(&response->body, api, r->sub, &plan);
  BUF_LIT(&response->body, "]}");
}

void api_pricings_get(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_plan plan;
  if (!is_ai(r, response)) return;
  int rc = load(api, r->sub, &plan);
  response->type = API_JSON;
  if (rc) api_store_failed(response, rc, "ResourceNotFound");
  else put_plan(&response->body, api, r->sub, &plan);
}

/* ---- changing --------------------------------------------------------------------------------------------------- */

static bool bad(struct api_response *response, const char *what)
{
  api_error(response, 400, "InvalidPricing", "%s", what);
  return false;
}

static bool set_extension(struct api_response *response, struct str name, bool on, struct store_plan *plan)
{
  unsigned e = 0;
  while (e < EXTENSIONS && !str_ieq(name, str_of(extensions[e].name))) e++;
  if (e == EXTENSIONS)
    return bad(response, "The extensions of this plan are AIPromptEvidence, AIPromptSharingWithPurview and AIModelScanner.");
  if (on && extensions[e].why[0]) return bad(response, extensions[e].why);
  if (e == EXTENSION_EVIDENCE) plan->evidence = on ? STORE_ON : STORE_OFF;
  if (e == EXTENSION_PURVIEW) plan->purview = on ? STORE_ON : STORE_OFF;
  return true;
}

static bool read_extension(struct api *api, struct api_response *response, const struct json_doc *doc, uint32_t node,
                           struct store_plan *plan)
{
  struct str name, enabled;
  if (!json_is(doc, node, JSON_OBJECT)) return bad(response, "An extension is an object.");
  if (!api_text(api, response, doc, node, "name", 64, &name) || !api_text(api, response, doc, node, "isEnabled", 64, &enabled))
    return false;
  bool on = str_ieq(enabled, STR("True"));
  if (!on && !str_ieq(enabled, STR("False"))) return bad(response, "isEnabled is to be \"True\" or \"False\", a string.");
  return set_extension(response, name, on, plan);
}

static bool read_plan(struct api *api, struct api_response *response, const struct json_doc *doc, struct store_plan *plan)
{
  struct str tier, sub_plan;
  uint32_t of = json_get(doc, 0, "properties");
  if (!json_is(doc, of, JSON_OBJECT)) return bad(response, "properties is to be an object.");
  uint32_t list = json_get(doc, of, "extensions");
  if (!api_text(api, response, doc, of, "pricingTier", 64, &tier) || !api_text(api, response, doc, of, "subPlan", 64, &sub_plan))
    return false;
  bool standard = str_ieq(tier, STR("Standard"));
  if (!standard && !str_ieq(tier, STR("Free"))) return bad(response, "pricingTier is to be Standard or Free.");
  if (sub_plan.n) return bad(response, "This plan has no sub-plans.");
  if (list && !json_is(doc, list, JSON_ARRAY) && !json_is(doc, list, JSON_NULL))
    return bad(response, "extensions is to be a list.");
  if (standard != plan->standard || !plan->since_us) plan->since_us = clock_unix_us();
  plan->standard = standard;
  for (uint32_t i = json_first(doc, list); list && i; i = json_next(doc, list, i))
    if (!read_extension(api, response, doc, i, plan)) return false;
  return true;
}

static void save(struct api *api, const struct api_request *r, struct api_response *response, struct store_plan *plan)
{
  struct store *s = keeper(api, r->sub);
  plan->who = str_of(r->who);
  int rc = s->ops->put_plan(s, plan, clock_unix_us(), NULL);
  if (!rc) rc = plan_file_write(api->state_dir, api->stores, api->n_stores, api->arena, NULL);
  if (rc) api_store_failed(response, rc, "ResourceNotFound");
}

void api_pricings_put(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  struct store_plan plan;
  if (!is_ai(r, response)) return;
  int rc = load(api, r->sub, &plan);
  if (rc) {
    api_store_failed(response, rc, "ResourceNotFound");
    return;
  }
  if (!api_body(api, r, response, &doc) || !read_plan(api, response, &doc, &plan)) return;
  save(api, r, response, &plan);
  if (response->status != 200) return;
  response->type = API_JSON;
  put_plan(&response->body, api, r->sub, &plan);
}

/* Back to what the configuration says. */
void api_pricings_delete(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_plan plan = {.subscription = r->sub, .standard = true};
  if (!is_ai(r, response)) return;
  save(api, r, response, &plan);
  if (response->status == 200) response->status = 204;
}
