/*
 * POST /vedette/suppressionPreview: which alerts of the last days a suppression rule would have dismissed. Writes nothing.
 *
 * A rule is applied to events as they come; what is stored are alerts, whose gathered values (", " between them) are compared as the rule compares
 * those of an event. So an alert is shown here when one of its events would have been.
 */
#include "api/answer.h"
#include "api/portal.h"
#include "base/clock.h"
#include <stdlib.h>

enum { DAYS = 30, DAYS_MAX = 365, EXAMINED_MAX = 20000, SHOWN_MAX = 100 };

static bool read_days(const struct json_doc *doc, struct api_response *response, uint64_t *days)
{
  uint32_t node = json_get(doc, 0, "days");
  *days = DAYS;
  if (!node || (json_u64(doc, node, days) && *days >= 1 && *days <= DAYS_MAX)) return true;
  api_error(response, 400, "InvalidRequestContent", "days is to be a number from 1 to 365.");
  return false;
}

struct preview {
  struct suppress_rule rule;
  struct store_page page;
  struct alert *matched;
  size_t n, cap, examined, open;
  bool complete;
  uint64_t now_us;
};

/* Incidents are made of alerts, no rule is applied to them. */
static bool hides(const struct preview *p, const struct alert *a)
{
  return a->type != ALERT_INCIDENT && suppress_matches(&p->rule, a, p->now_us);
}

static int look_at(struct api *api, struct store *s, struct preview *p)
{
  struct alert *list;
  size_t n;
  uint64_t total;
  p->page.limit = EXAMINED_MAX - p->examined + 1;
  int rc = s->ops->page(s, &p->page, api->arena, &list, &n, &total, NULL);
  if (!rc && n == p->page.limit) {
    p->complete = false;
    n--;
  }
  for (size_t i = 0; !rc && i < n; i++) {
    p->examined++;
    if (!hides(p, &list[i])) continue;
    struct alert *grown = arena_grow(api->arena, p->matched, p->n, &p->cap, 64, sizeof *grown);
    if (!grown) return VDT_ENOMEM;
    p->matched = grown;
    p->matched[p->n++] = list[i];
    p->open += list[i].status == ALERT_ACTIVE || list[i].status == ALERT_IN_PROGRESS;
  }
  return rc;
}

static int by_name(const void *x, const void *y)
{
  return memcmp(((const struct alert *)x)->name, ((const struct alert *)y)->name, ALERT_NAME_LEN);
}

static void put_preview(struct buf *b, struct preview *p)
{
  if (p->n) qsort(p->matched, p->n, sizeof *p->matched, by_name);
  buf_printf(b, "{\"examined\":%zu,\"complete\":%s,\"matched\":%zu,\"open\":%zu,\"value\":[", p->examined,
             p->complete ? "true" : "false", p->n, p->open);
  for (size_t i = 0; i < p->n && i < SHOWN_MAX; i++) {
    if (i) buf_byte(b, ',');
    portal_put_row(b, &p->matched[i]);
  }
  BUF_LIT(b, "]}");
}

/* A rule that is still to be enabled, or has an end, is looked at as if it held already. */
static bool read_preview(struct api *api, const struct api_request *r, struct api_response *response, struct preview *p)
{
  struct json_doc doc;
  uint64_t days;
  if (!api_body(api, r, response, &doc) || !api_text(api, response, &doc, 0, "subscription", 256, &p->rule.subscription) ||
      !read_days(&doc, response, &days) || !api_read_rule(api, response, &doc, &p->rule))
    return false;
  p->rule.enabled = true;
  p->rule.expires_us = 0;
  p->now_us = clock_unix_us();
  p->page.descending = true;
  p->page.filter.from_us = p->now_us - days * UINT64_C(86400000000);
  if (!str_eq(p->rule.alert_type, STR("*"))) {
    const char *list = arena_printf(api->arena, "[\"%.*s\"]", (int)p->rule.alert_type.n, p->rule.alert_type.p);
    p->page.filter.types = str_of(list);
  }
  if (p->rule.subscription.n) return true;
  api_error(response, 400, "InvalidRequestContent", "subscription is to be that of the rule.");
  return false;
}

void api_portal_preview(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct preview p = {.complete = true};
  int rc = VDT_OK;
  if (!read_preview(api, r, response, &p)) return;
  for (size_t i = 0; !rc && i < api->n_stores; i++) rc = look_at(api, api->stores[i], &p);
  response->type = API_JSON;
  if (rc) api_store_failed(response, rc, "ResourceNotFound");
  else put_preview(&response->body, &p);
}
