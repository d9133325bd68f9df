/*
 * The access phase: the request body is read whole, inspected, and the request is answered by us or goes on to its deployment.
 */
#include "gateway/ngx_gate.h"
#include "base/clock.h"

static ngx_http_request_body_filter_pt next_body_filter;

ngx_http_core_loc_conf_t *gate_named_location(ngx_http_request_t *r, struct str prefix, struct str name)
{
  const ngx_http_core_srv_conf_t *server = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
  if (!server->named_locations) return NULL;
  for (ngx_http_core_loc_conf_t **l = server->named_locations; *l; l++) {
    struct str at = gate_str((*l)->name);
    if (str_starts(at, prefix) && str_eq(str_cut(at, prefix.n, at.n), name)) return *l;
  }
  return NULL;
}

/* ---- forward or answer ------------------------------------------------------------------------------------------ */

/* Goes on in @vedette_NAME, where the server says how that deployment is reached. Unlike a redirect this keeps the request as it is:
 * no phases run again, the URI stays the client's. */
static void route(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  const struct config_deployment *d = exchange_deployment(g->x);
  g->deployment = d = d ? d : &g->main->config->deployments[0];
  const ngx_http_core_loc_conf_t *l = gate_named_location(r, STR("@vedette_"), str_of(d->name));
  if (!l) return;
  r->loc_conf = l->loc_conf;
  ngx_http_update_location_config(r);
}

/* Puts the exchange's body in place of the client's. */
static bool replace_body(struct gate *g, struct str body)
{
  ngx_http_request_t *r = g->r;
  ngx_buf_t *b = ngx_calloc_buf(r->pool);
  ngx_chain_t *link = ngx_alloc_chain_link(r->pool);
  if (!b || !link) return false;
  b->start = b->pos = (u_char *)(uintptr_t)body.p;
  b->end = b->last = b->pos + body.n;
  b->memory = 1;
  link->buf = b;
  link->next = NULL;
  r->request_body->bufs = body.n ? link : NULL;
  r->headers_in.content_length_n = (off_t)body.n;
  return true;
}

static ngx_int_t forward(struct gate *g)
{
  bool changed = false;
  struct str body = {0};
  route(g);
  if (gate_worker.failing && g->deployment->policy->fail_closed) {
    /* Tells the exchange, which refuses: nothing passes unrecorded where policy fails closed. */
    if (exchange_request_unreadable(g->x, VDT_ENOMEM, "the journal cannot be written") == EXCHANGE_ANSWER) {
      struct exchange_answer a = exchange_answer(g->x);
      ngx_http_finalize_request(g->r, gate_send_answer(g, a.status, a.body));
      return NGX_DONE;
    }
  }
  if (g->r->request_body) body = exchange_forward_body(g->x, &changed);
  if (changed && !replace_body(g, body)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  return NGX_DECLINED;
}

/* What the phase handler returns once it is known what follows. */
static ngx_int_t go_on(struct gate *g)
{
  g->step = GATE_DECIDED;
  if (g->next == EXCHANGE_FORWARD) return forward(g);
  struct exchange_answer a = exchange_answer(g->x);
  ngx_http_finalize_request(g->r, gate_send_answer(g, a.status, a.body));
  return NGX_DONE;
}

/* ---- the request body ------------------------------------------------------------------------------------------- */

/* A body of unknown length is counted while it comes in; nginx's own limit is wider, for requests that are not read here. */
static ngx_int_t count_body(ngx_http_request_t *r, ngx_chain_t *in)
{
  struct gate *g = ngx_http_get_module_ctx(r, ngx_http_vedette_module);
  if (g && g->body_max && r == r->main) {
    for (ngx_chain_t *c = in; c; c = c->next) g->body_seen += (size_t)ngx_buf_size(c->buf);
    if (g->body_seen > g->body_max) return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
  }
  return next_body_filter(r, in);
}

void gate_install_request_filter(void)
{
  next_body_filter = ngx_http_top_request_body_filter;
  ngx_http_top_request_body_filter = count_body;
}

static bool copy_buf(struct buf *out, ngx_buf_t *b, ngx_log_t *log)
{
  if (ngx_buf_in_memory(b)) {
    buf_put(out, (struct str){(const char *)b->pos, (size_t)(b->last - b->pos)});
    return !out->failed;
  }
  size_t n = (size_t)(b->file_last - b->file_pos);
  if (!b->in_file || !n) return true;
  if (!buf_reserve(out, n)) return false;
  ssize_t got = ngx_read_file(b->file, (u_char *)out->p + out->n, n, b->file_pos);
  if (got < 0 || (size_t)got != n) {
    ngx_log_error(NGX_LOG_CRIT, log, ngx_errno, "vedette: the request body cannot be read back from its temporary file");
    return false;
  }
  out->n += n;
  return true;
}

/* The whole body as one piece: nginx's own buffer where it is one, else a copy. */
static bool gather(struct gate *g, struct str *out)
{
  ngx_chain_t *c = g->r->request_body ? g->r->request_body->bufs : NULL;
  *out = (struct str){0};
  if (!c) return true;
  if (!c->next && ngx_buf_in_memory(c->buf)) {
    *out = (struct str){(const char *)c->buf->pos, (size_t)(c->buf->last - c->buf->pos)};
    return true;
  }
  if (g->r->headers_in.content_length_n > 0 && !buf_reserve(&g->body, (size_t)g->r->headers_in.content_length_n)) return false;
  for (; c; c = c->next)
    if (!copy_buf(&g->body, c->buf, g->r->connection->log)) return false;
  *out = buf_str(&g->body);
  return true;
}

static void inspect(struct gate *g)
{
  struct str body;
  uint64_t begin = clock_mono_us();
  g->body_max = 0;
  if (gather(g, &body)) g->next = exchange_request_body(g->x, body);
  else g->next = exchange_request_unreadable(g->x, VDT_EIO, "the body could not be gathered");
  exchange_add_inspect_us(g->x, clock_mono_us() - begin);
}

static void body_is_read(ngx_http_request_t *r)
{
  struct gate *g = ngx_http_get_module_ctx(r, ngx_http_vedette_module);
  g->step = GATE_BODY_READ;
  inspect(g);
  r->preserve_body = 1;
  gate_ask(g);
  if (g->waiting) return;
  r->write_event_handler = ngx_http_core_run_phases;
  ngx_http_core_run_phases(r);
}

static ngx_int_t read_body(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  size_t max = exchange_max_body(g->x);
  if (r->headers_in.content_length_n > 0 && (uint64_t)r->headers_in.content_length_n > max) {
    g->next = exchange_request_unreadable(g->x, VDT_ETOOBIG, "the body is larger than limits.max_request_body");
    return go_on(g);
  }
  g->body_max = max;
  ngx_int_t rc = ngx_http_read_client_request_body(r, body_is_read);
  if (rc >= NGX_HTTP_SPECIAL_RESPONSE) return rc;
  ngx_http_finalize_request(r, NGX_DONE);
  return NGX_DONE;
}

ngx_int_t gate_access(ngx_http_request_t *r)
{
  const struct gate_location *l = ngx_http_get_module_loc_conf(r, ngx_http_vedette_module);
  if (!l->on || r != r->main) return NGX_DECLINED;
  gate_log_begin(r);
  struct gate *g = gate_find(r);
  if (!g) {
    g = gate_begin(r);
    if (!g) return NGX_HTTP_SERVICE_UNAVAILABLE;
    return g->next == EXCHANGE_READ_BODY ? read_body(g) : go_on(g);
  }
  return g->step == GATE_BODY_READ ? go_on(g) : NGX_DECLINED;
}
