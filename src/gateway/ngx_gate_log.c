/*
 * What nginx's error log says of a request that we inspect: method and path. A query string may hold the client's key (Google's ?key=), and a referrer
 * whatever a page has in its address; nginx would log both, and the upstream's address with the query again.
 */
#include "gateway/ngx_gate.h"

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
  if (l->on) r->log_handler = log_request;
  return NGX_DECLINED;
}
