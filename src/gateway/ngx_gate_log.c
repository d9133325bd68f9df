/*
 * What nginx's error log says of a request that we inspect: method and path. A query string may hold the client's key (Google's ?key=), and a referrer
 * whatever a page has in its address; nginx would log both, and the upstream's address with the query again.
 *
 * There is one log for all workspaces. Where they are in more than one region it says nothing of one region at all: the number of the interaction
 * stands in place of the path and of the client's address, and whoever may read the region's records finds the rest there.
 */
#include "gateway/ngx_gate.h"

static u_char *log_number(ngx_log_t *log, u_char *buf, size_t len)
{
  const ngx_http_log_ctx_t *ctx = log->data;
  const struct gate *g = ctx && ctx->request ? ngx_http_get_module_ctx(ctx->request, ngx_http_vedette_module) : NULL;
  u_char *p = buf, *last = buf + len;
  if (log->action) p = ngx_slprintf(p, last, " while %s", log->action);
  if (g && g->x) p = ngx_slprintf(p, last, ", interaction: %s", exchange_id(g->x));
  return p;
}

static bool has_regions(const struct config *c)
{
  for (size_t i = 1; i < c->n_workspaces; i++)
    if (!str_ieq(str_of(c->workspaces[i].region), str_of(c->workspaces[0].region))) return true;
  return false;
}

static u_char *log_request(ngx_http_request_t *r, ngx_http_request_t *sr, u_char *buf, size_t len)
{
  ngx_str_t path = r->unparsed_uri;
  const ngx_http_upstream_t *u = sr->upstream;
  const u_char *query = path.len ? ngx_strlchr(path.data, path.data + path.len, '?') : NULL;
  u_char *last = buf + len;
  if (query) path.len = (size_t)(query - path.data);
  u_char *p = ngx_slprintf(buf, last, ", request: \"%V %V\"", &r->method_name, &path);
  if (u && u->peer.name) p = ngx_slprintf(p, last, ", upstream: \"%V\"", u->peer.name);
  return p;
}

ngx_int_t gate_log_begin(ngx_http_request_t *r)
{
  const struct gate_location *l = ngx_http_get_module_loc_conf(r, ngx_http_vedette_module);
  const struct gate_main *m = ngx_http_get_module_main_conf(r, ngx_http_vedette_module);
  if (!l->on) return NGX_DECLINED;
  if (m->config && has_regions(m->config)) r->connection->log->handler = log_number;
  r->log_handler = log_request;
  return NGX_DECLINED;
}
