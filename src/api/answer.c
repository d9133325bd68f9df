#include "api/answer.h"
#include "api/arm.h"
#include "base/quote.h"

void api_store_failed(struct api_response *response, int rc, const char *code)
{
  if (rc == VDT_ENOTFOUND) api_error(response, 404, code, "There is nothing of that name here.");
  else if (rc == VDT_ESTATE)
    api_error(response, 503, "AuditLogUnavailable",
              "The key of the audit log is missing or another one: nothing is changed and no evidence shown without it.");
  else api_error(response, 503, "ServiceUnavailable", "The store cannot be used now; try again.");
}

bool api_in_location(const struct store *s, const struct api_request *r)
{
  return r->loc.n == 0 || str_ieq(s->place.region, r->loc);
}

int api_find_alert(struct api *api, const struct api_request *r, struct store **store, struct alert *a)
{
  for (size_t i = 0; i < api->n_stores; i++) {
    if (!api_in_location(api->stores[i], r)) continue;
    int rc = api->stores[i]->ops->get(api->stores[i], r->name, api->arena, a, NULL);
    if (rc && rc != VDT_ENOTFOUND) return rc;
    if (rc || !str_ieq(a->subscription, r->sub) || (r->rg.n && !str_ieq(a->resource_group, r->rg))) continue;
    *store = api->stores[i];
    return VDT_OK;
  }
  return VDT_ENOTFOUND;
}

/* ---- bodies ----------------------------------------------------------------------------------------------------- */

bool api_body(struct api *api, const struct api_request *r, struct api_response *response, struct json_doc *doc)
{
  struct vdt_error err = {0};
  struct str text = r->body.n ? r->body : STR("{}");
  int rc = json_parse(api->arena, text, &(struct json_limits){16, 65536}, doc, &err);
  if (rc == VDT_ENOMEM) api_error(response, 503, "ServiceUnavailable", "Out of memory.");
  else if (rc) api_error(response, 400, "InvalidRequestContent", "The body is not JSON: %s.", err.text);
  else if (doc->nodes[0].type != JSON_OBJECT) {
    api_error(response, 400, "InvalidRequestContent", "The body is to be an object.");
    return false;
  }
  return rc == VDT_OK;
}

bool api_text(struct api *api, struct api_response *response, const struct json_doc *doc, uint32_t of, const char *key,
              size_t max, struct str *out)
{
  uint32_t node = json_get(doc, of, key);
  *out = (struct str){0};
  if (!node || json_is(doc, node, JSON_NULL)) return true;
  if (!json_is(doc, node, JSON_STRING)) {
    api_error(response, 400, "InvalidRequestContent", "%s is to be a string.", key);
    return false;
  }
  if (!json_string(doc, node, api->arena, out)) {
    api_error(response, 503, "ServiceUnavailable", "Out of memory.");
    return false;
  }
  if (out->n <= max) return true;
  api_error(response, 400, "InvalidRequestContent", "%s has more than %zu bytes.", key, max);
  return false;
}

/* ---- the query -------------------------------------------------------------------------------------------------- */

struct str api_argument(const struct api_request *r, const char *name)
{
  for (size_t i = 0; i < r->n_arguments; i++)
    if (str_ieq(r->arguments[i].name, str_of(name))) return r->arguments[i].value;
  return (struct str){0};
}

bool api_stores_of(struct api *api, const struct api_request *r, struct api_response *response, struct store ***stores, size_t *n)
{
  struct str name = api_argument(r, "workspace");
  *stores = api->stores;
  *n = api->n_stores;
  if (!name.n) return true;
  for (size_t i = 0; i < api->n_stores; i++) {
    if (!str_eq(api->stores[i]->place.workspace, name)) continue;
    *stores = &api->stores[i];
    *n = 1;
    return true;
  }
  api_error(response, 404, "ResourceNotFound", "There is no workspace of that name here.");
  return false;
}

/* ---- links ------------------------------------------------------------------------------------------------------ */

/* A host name or address with an optional port; anything else could lead a client, and its token, elsewhere. */
static bool host_ok(struct str host)
{
  for (size_t i = 0; i < host.n; i++) {
    char c = host.p[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && !memchr("-.:[]_", c, 6)) return false;
  }
  return host.n > 0 && host.n < 256;
}

static void put_encoded(struct buf *b, struct str text, const char *also, size_t n_also)
{
  for (size_t i = 0; i < text.n; i++) {
    unsigned char c = (unsigned char)text.p[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && memchr(also, c, n_also));
    if (plain) buf_byte(b, (char)c);
    else buf_printf(b, "%%%02X", c);
  }
}

void api_put_url(struct buf *b, const struct api_request *r, struct str path)
{
  buf_put(b, str_ieq(r->forwarded_proto, STR("https")) ? STR("https://") : STR("http://"));
  json_escape(b, host_ok(r->host) ? r->host : STR("localhost"));
  put_encoded(b, path, "/-._~()", 7);
}

static bool is_one_of(struct str name, const struct str *names, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (str_ieq(name, names[i])) return true;
  return false;
}

void api_put_next_link(struct buf *b, const struct api_request *r, struct str token)
{
  static const struct str said[] = {STR("api-version"), STR("AlertType"), STR("$skipToken")};
  BUF_LIT(b, ",\"nextLink\":\"");
  api_put_url(b, r, r->path);
  buf_byte(b, '?');
  if (r->api_version.n) BUF_LIT(b, "api-version=");
  put_encoded(b, r->api_version, "-._", 3);
  if (r->alert_type.n) BUF_LIT(b, "&AlertType=");
  put_encoded(b, r->alert_type, "-._", 3);
  bool any = r->api_version.n > 0;
  for (size_t i = 0; i < r->n_arguments; i++) {
    const struct api_argument *a = &r->arguments[i];
    if (is_one_of(a->name, said, sizeof said / sizeof *said)) continue;
    if (any) buf_byte(b, '&');
    put_encoded(b, a->name, "-._", 3);
    buf_byte(b, '=');
    put_encoded(b, a->value, "-._", 3);
    any = true;
  }
  buf_put(b, any ? STR("&$skipToken=") : STR("$skipToken="));
  put_encoded(b, token, "-_", 2);
  buf_byte(b, '"');
}

void api_put_member(struct buf *b, const char *name, struct str value)
{
  buf_printf(b, ",\"%s\":", name);
  json_quote(b, value);
}
