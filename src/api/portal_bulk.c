/* POST /vedette/alerts/bulk: one change to many alerts. Each is changed and audited like one that is changed alone, in a transaction of its own. */
#include "api/answer.h"
#include "base/clock.h"
#include "base/quote.h"

enum { NAMES_MAX = 500 };

static bool bad(struct api_response *response, const char *what)
{
  api_error(response, 400, "InvalidRequestContent", "%s", what);
  return false;
}

static bool read_names(struct api *api, const struct json_doc *doc, struct api_response *response, struct str **out, size_t *n)
{
  uint32_t list = json_get(doc, 0, "names"), count = json_is(doc, list, JSON_ARRAY) ? doc->nodes[list].count : 0;
  *n = 0;
  if (!count || count > NAMES_MAX) return bad(response, "names is to be a list of 1 to 500 names of alerts.");
  *out = arena_zalloc(api->arena, count, sizeof **out);
  if (!*out) api_error(response, 503, "ServiceUnavailable", "Out of memory.");
  for (uint32_t i = *out ? json_first(doc, list) : 0; i; i = json_next(doc, list, i)) {
    struct str *name = &(*out)[(*n)++];
    if (!json_is(doc, i, JSON_STRING) || !json_string(doc, i, api->arena, name) || name->n != ALERT_NAME_LEN)
      return bad(response, "names: each is to be the name of an alert.");
  }
  return *out != NULL;
}

static bool read_status(struct api *api, const struct json_doc *doc, struct api_response *response, enum alert_status *out)
{
  struct str text;
  *out = ALERT_STATUSES;
  if (!api_text(api, response, doc, 0, "status", 64, &text)) return false;
  if (!text.n) return true;
  *out = alert_status_find(text);
  return *out < ALERT_STATUSES || bad(response, "status is to be Active, InProgress, Resolved or Dismissed.");
}

/* ENOTFOUND: in none of the workspaces that the token reaches. */
static int change_one(struct api *api, struct str name, const struct store_change *change)
{
  int rc = VDT_ENOTFOUND;
  for (size_t i = 0; rc == VDT_ENOTFOUND && i < api->n_stores; i++)
    rc = api->stores[i]->ops->change(api->stores[i], name, change, NULL);
  return rc;
}

static void put_name(struct buf *b, struct str name)
{
  if (b->n) buf_byte(b, ',');
  json_quote(b, name);
}

/* What failed leaves the rest untried: the next would fail too. */
static int change_all(struct api *api, const struct str *names, size_t n, struct store_change *change, size_t *done,
                      struct buf *missing, struct buf *failed)
{
  int rc = VDT_OK;
  for (size_t i = 0; i < n; i++) {
    change->time_us = clock_unix_us(); /* entries of the audit log have a time each: its pages are cut by that */
    int one = rc ? rc : change_one(api, names[i], change);
    if (one == VDT_ENOTFOUND) put_name(missing, names[i]);
    else if (one) put_name(failed, names[i]);
    else ++*done;
    if (one && one != VDT_ENOTFOUND) rc = one;
  }
  return rc;
}

void api_portal_bulk(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  struct store_change change = {.who = str_of(r->who)};
  struct str *names;
  struct buf missing = {0}, failed = {0};
  size_t n, done = 0;
  if (!api_body(api, r, response, &doc) || !read_names(api, &doc, response, &names, &n) ||
      !read_status(api, &doc, response, &change.status) || !api_read_change(api, &doc, response, &change))
    return;
  int rc = change_all(api, names, n, &change, &done, &missing, &failed);
  response->type = API_JSON;
  if (rc && !done) {
    api_store_failed(response, rc, "AlertNotFound");
  } else {
    buf_printf(&response->body, "{\"done\":%zu,\"notFound\":[", done);
    buf_put(&response->body, buf_str(&missing));
    BUF_LIT(&response->body, "],\"failed\":[");
    buf_put(&response->body, buf_str(&failed));
    BUF_LIT(&response->body, "]}");
  }
  response->body.failed |= missing.failed || failed.failed;
  buf_finish(&missing);
  buf_finish(&failed);
}
