/* Purges in the two forms of Azure Monitor: purge, and deleteData of a table. Both only note what is to go; keep carries it out, and asking again says how far it is. */
#include "api/answer.h"
#include "api/arm.h"
#include "api/keep.h"
#include "api/retention.h"
#include "base/clock.h"

static const struct str prefix = STR("purge-");

/* purge: the table stands in the body; deleteData: in the path. */
static bool read_request(struct api *api, const struct api_request *r, struct api_response *response, struct store_purge *p)
{
  struct json_doc doc;
  struct str table = r->name;
  struct vdt_error err = {0};
  if (!api_body(api, r, response, &doc)) return false;
  if (!r->argument && !api_text(api, response, &doc, 0, "table", 64, &table)) return false;
  uint32_t filters = json_get(&doc, 0, "filters");
  *p = (struct store_purge){.of = store_class_find(table),
                            .filters = filters ? json_raw(&doc, filters) : STR("[]"),
                            .who = str_of(r->who),
                            .requested_us = clock_unix_us()};
  if (p->of == STORE_CLASSES)
    api_error(response, r->argument ? 404 : 400, "InvalidTable", "The tables are alerts, evidence and records.");
  else if (store_purge_check(p->of, p->filters, api->arena, &err)) api_error(response, 400, "InvalidFilter", "%s", err.text);
  else return true;
  return false;
}

/* Where to ask: an operation of the workspace, or of its location. */
static void put_link(struct api *api, const struct api_request *r, struct api_response *response, const struct store *s,
                     const char *id)
{
  struct buf url = {0};
  struct str region = s->place.region, w = s->place.workspace;
  const char *path =
      r->argument
          ? arena_printf(api->arena,
                         "/subscriptions/%.*s/providers/Microsoft.OperationalInsights/locations/%.*s/operationStatuses/purge-%s",
                         (int)r->sub.n, r->sub.p, (int)region.n, region.p, id)
          : arena_printf(api->arena,
                         "/subscriptions/%.*s/resourceGroups/%.*s/providers/Microsoft.OperationalInsights/workspaces/%.*s/"
                         "operations/purge-%s",
                         (int)r->sub.n, r->sub.p, (int)r->rg.n, r->rg.p, (int)w.n, w.p, id);
  if (path) api_put_url(&url, r, str_of(path));
  BUF_LIT(&url, "?api-version=");
  buf_put(&url, r->api_version);
  buf_byte(&url, 0);
  if (path && !url.failed && url.n <= sizeof response->location) memcpy(response->location, url.p, url.n);
  buf_finish(&url);
}

void api_purge_request(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_purge p;
  struct store *s = retention_store(api, r, response);
  if (!s || !read_request(api, r, response, &p)) return;
  store_purge_new_id(p.id);
  int rc = s->ops->put_purge(s, &p, NULL);
  if (rc) {
    api_store_failed(response, rc, "ResourceNotFound");
    return;
  }
  keep_wake(api->keep);
  response->status = 202;
  put_link(api, r, response, s, p.id);
  response->type = API_JSON;
  buf_printf(&response->body, "{\"operationId\":\"purge-%s\"}", p.id);
}

static void put_status(struct buf *b, const struct api_request *r, const struct store_purge *p)
{
  const char *words[2][2] = {{"pending", "completed"}, {"InProgress", "Succeeded"}};
  buf_printf(b, "{\"status\":\"%s\",\"name\":\"purge-%s\",\"table\":\"%s\",\"removed\":%llu,\"held\":%llu,\"startTime\":",
             words[r->argument][p->finished_us > 0], p->id, store_class_info(p->of)->name, (unsigned long long)p->removed,
             (unsigned long long)p->held);
  arm_put_time(b, p->requested_us);
  if (p->finished_us) BUF_LIT(b, ",\"endTime\":"), arm_put_time(b, p->finished_us);
  buf_byte(b, '}');
}

void api_purge_status(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct store_purge p;
  struct str id = str_starts(r->name, prefix) ? str_cut(r->name, prefix.n, r->name.n) : r->name;
  for (size_t i = 0; i < api->n_stores; i++) {
    struct store *s = api->stores[i];
    if (!api_in_location(s, r) || (r->ws.n && !str_ieq(s->place.workspace, r->ws))) continue;
    int rc = s->ops->get_purge(s, id, api->arena, &p, NULL);
    if (rc && rc != VDT_ENOTFOUND) api_store_failed(response, rc, "OperationNotFound");
    if (rc == VDT_ENOTFOUND) continue;
    response->type = API_JSON;
    if (!rc) put_status(&response->body, r, &p);
    return;
  }
  api_error(response, 404, "OperationNotFound", "There is no such operation.");
}
