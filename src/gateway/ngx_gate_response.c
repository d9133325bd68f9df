/*
 * The header and body filters: what the upstream says goes through the exchange, and what the exchange releases goes to the client.
 *
 * One piece is on its way to the client at a time. While the client's connection has not taken it, input stays where it is: nginx
 * then stops reading from the upstream, so a slow client costs one buffer and never a response. For a whole (JSON) response the
 * header waits for the body, because status and verdict are known only then; nginx's image filter does the same.
 *
 * The record is written before the last buffer is handed on: a client that saw the end of an answer has a record.
 */
#include "gateway/ngx_gate.h"
#include "base/clock.h"

/* The image filter's bit of r->buffered: tells nginx that we hold bytes back. The two filters never meet on one response. */
enum { GATE_BUFFERED = 0x08 };

static ngx_http_output_header_filter_pt next_header;
static ngx_http_output_body_filter_pt next_body;

/* ---- header ----------------------------------------------------------------------------------------------------- */

static bool add_header(ngx_http_request_t *r, struct str name, const char *value)
{
  ngx_table_elt_t *h = ngx_list_push(&r->headers_out.headers);
  if (!h) return false;
  ngx_memzero(h, sizeof *h);
  h->hash = 1;
  h->key = gate_ngx(name);
  h->value = gate_ngx(str_of(value));
  return true;
}

/* What clients of our Prompt Shields API read beside the body. */
static bool add_answer_headers(const struct gate *g)
{
  const char *code = exchange_error_code(g->x);
  unsigned seconds = exchange_retry_after(g->x);
  if (code && !add_header(g->r, STR("x-ms-error-code"), code)) return false;
  if (exchange_etag(g->x) && !add_header(g->r, STR("ETag"), exchange_etag(g->x))) return false;
  if (!seconds) return true;
  char *text = ngx_pnalloc(g->r->pool, 12);
  if (!text) return false;
  snprintf(text, 12, "%u", seconds);
  return add_header(g->r, STR("Retry-After"), text);
}

static ngx_int_t send_head(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  g->head_sent = true;
  /* The next request of this connection would wait until an outside shield has answered: it had better come on another one. */
  if (g->ask) r->keepalive = 0;
  if (!add_header(r, STR("x-vedette-interaction"), exchange_id(g->x)) ||
      !add_header(r, STR("x-vedette-verdict"), record_verdict_name(exchange_verdict(g->x))))
    return NGX_ERROR;
  if (!add_answer_headers(g)) return NGX_ERROR;
  exchange_first_byte(g->x, clock_unix_us());
  return next_header(r);
}

/* The body will not be the upstream's bytes: what describes those goes. */
static void drop_body_headers(ngx_http_request_t *r)
{
  ngx_http_clear_content_length(r);
  ngx_http_clear_accept_ranges(r);
  ngx_http_clear_etag(r);
  r->allow_ranges = 0;
  if (r->headers_out.content_encoding) {
    r->headers_out.content_encoding->hash = 0;
    r->headers_out.content_encoding = NULL;
  }
}

static void set_json(ngx_http_request_t *r)
{
  ngx_str_set(&r->headers_out.content_type, "application/json");
  r->headers_out.content_type_len = r->headers_out.content_type.len;
  r->headers_out.content_type_lowcase = NULL;
  r->headers_out.charset.len = 0;
}

static void set_status(ngx_http_request_t *r, ngx_uint_t status)
{
  if (r->headers_out.status == status) return;
  r->headers_out.status = status;
  r->headers_out.status_line.len = 0;
}

/* Our answer instead of the response that was under way. */
static ngx_int_t replace(struct gate *g, ngx_uint_t status, struct str body)
{
  drop_body_headers(g->r);
  set_json(g->r);
  set_status(g->r, status);
  g->r->headers_out.content_length_n = (off_t)body.n;
  g->answer = body;
  g->mode = GATE_REPLACE;
  return send_head(g);
}

/* The upstream's answer, as opposed to one that nginx made because there was none: then the upstream is already let go. */
static bool is_from_upstream(const ngx_http_request_t *r)
{
  return r->upstream && r->upstream->cleanup && r->upstream->headers_in.status_n;
}

static struct str content_encoding(const ngx_http_request_t *r)
{
  return r->headers_out.content_encoding ? gate_str(r->headers_out.content_encoding->value) : (struct str){0};
}

static bool has_no_body(const ngx_http_request_t *r)
{
  return r->method == NGX_HTTP_HEAD || r->headers_out.status < 200 || r->headers_out.status == 204 ||
         r->headers_out.status == 304;
}

static struct str find_header(ngx_list_t *headers, struct str name)
{
  for (ngx_list_part_t *part = &headers->part; part; part = part->next) {
    const ngx_table_elt_t *h = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++)
      if (h[i].hash && str_ieq(gate_str(h[i].key), name)) return gate_str(h[i].value);
  }
  return (struct str){0};
}

/* The upstream takes the connection over. Only a session that we read may. */
static ngx_int_t upgrade_head(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  g->from_upstream = true;
  if (gate_session_begin(g) == NGX_OK) return send_head(g);
  ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                "vedette: the upstream took over a connection that cannot be read; it is closed");
  return NGX_ERROR;
}

static ngx_int_t upstream_head(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  if (r->headers_out.status == NGX_HTTP_SWITCHING_PROTOCOLS) return upgrade_head(g);
  const char *label = g->main->config->context.upstream_label_header;
  if (label) exchange_response_label(g->x, find_header(&r->headers_out.headers, str_of(label)));
  enum exchange_mode mode =
      exchange_response_head(g->x, (unsigned)r->headers_out.status, gate_str(r->headers_out.content_type), content_encoding(r));
  g->from_upstream = true;
  r->filter_need_in_memory = 1;
  r->upstream->buffering = 0;
  if (has_no_body(r)) {
    g->mode = GATE_PASS;
    gate_record(g, RECORD_COMPLETE);
    return send_head(g);
  }
  switch (mode) {
  case EXCHANGE_PASS_BODY: g->mode = GATE_PASS; return send_head(g);
  case EXCHANGE_STREAM:
    g->mode = GATE_STREAM;
    drop_body_headers(r);
    return send_head(g);
  case EXCHANGE_WHOLE:
    g->mode = GATE_WHOLE;
    drop_body_headers(r);
    return NGX_OK;
  case EXCHANGE_REFUSE: break;
  }
  return replace(g, exchange_answer(g->x).status, exchange_answer(g->x).body);
}

/* ---- errors that nginx makes ------------------------------------------------------------------------------------ */

static struct str reason(ngx_uint_t status)
{
  switch (status) {
  case NGX_HTTP_BAD_REQUEST: return STR("the request is not valid HTTP");
  case NGX_HTTP_REQUEST_TIME_OUT: return STR("the request did not arrive in time");
  case NGX_HTTP_LENGTH_REQUIRED: return STR("the request needs a length");
  case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE: return STR("the request body is larger than limits.max_request_body");
  case NGX_HTTP_REQUEST_URI_TOO_LARGE: return STR("the URL is too long");
  case NGX_HTTP_BAD_GATEWAY: return STR("the upstream could not be reached, broke off or did not speak HTTP");
  case NGX_HTTP_GATEWAY_TIME_OUT: return STR("the upstream did not answer in time");
  case NGX_HTTP_SERVICE_UNAVAILABLE: return STR("the gateway is out of memory or has no live upstream");
  case NGX_HTTP_INTERNAL_SERVER_ERROR: return STR("the gateway failed");
  default: return STR("the gateway refused the request");
  }
}

/* nginx's page becomes an error object that clients of models can read, and takes the way of an upstream's answer, so that the record
 * has the status. */
static ngx_int_t nginx_error(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  ngx_uint_t status = r->headers_out.status;
  bool done = false;
  struct buf body = {0};
  buf_printf(&body, "{\"error\":{\"code\":\"%u\",\"message\":", (unsigned)status);
  json_quote(&body, reason(status));
  buf_printf(&body, ",\"type\":\"%s\",\"param\":null}}", status < 500 ? "invalid_request_error" : "server_error");
  enum exchange_mode mode = exchange_response_head(g->x, (unsigned)status, STR("application/json"), (struct str){0});
  if (!body.failed && mode == EXCHANGE_WHOLE) {
    if (exchange_response_feed(g->x, buf_str(&body), &g->out, &done) || exchange_response_finish(g->x, false, &g->out))
      g->out.failed = true;
  } else {
    buf_put(&g->out, buf_str(&body));
  }
  bool failed = g->out.failed || body.failed;
  buf_finish(&body);
  if (failed) return NGX_ERROR;
  gate_record(g, r->upstream ? RECORD_UPSTREAM_ERROR : RECORD_REFUSED);
  return replace(g, status, buf_str(&g->out));
}

/* What does not begin like HTTP nginx would hand on as HTTP/0.9, bytes without a header. Not here. */
static bool is_no_http(const ngx_http_request_t *r)
{
  return r->upstream && r->upstream->cleanup && !r->upstream->headers_in.status_n;
}

static ngx_int_t refuse_no_http(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  r->http_version = r->stream ? NGX_HTTP_VERSION_20 : (ngx_uint_t)(r->http_major * 1000 + r->http_minor);
  r->headers_out.status = NGX_HTTP_BAD_GATEWAY;
  r->upstream->buffering = 0;
  g->from_upstream = true;
  return nginx_error(g);
}

static ngx_int_t header_filter(ngx_http_request_t *r)
{
  const struct gate_location *l = ngx_http_get_module_loc_conf(r, ngx_http_vedette_module);
  if (r != r->main) gate_opinion_head(r);
  if (r != r->main || !gate_worker.scanner) return next_header(r);
  struct gate *g = gate_find(r);
  if (!g && (!l->on || !(g = gate_begin(r)))) return next_header(r);
  if (g->head_sent || g->head_seen) return next_header(r);
  g->head_seen = true;
  if (g->mode == GATE_REPLACE) return send_head(g);
  if (is_from_upstream(r)) return upstream_head(g);
  if (is_no_http(r)) return refuse_no_http(g);
  if (r->headers_out.status >= 400) return nginx_error(g);
  return send_head(g);
}

/* ---- body ------------------------------------------------------------------------------------------------------- */

/* Ends the upstream's answer here: nginx finishes the response as if it had come to its end, and the connection is closed, since
 * bytes that nobody wants are still in it. */
static void drop_upstream(struct gate *g)
{
  ngx_http_upstream_t *u = g->r->upstream;
  if (!g->from_upstream || !u || !u->cleanup) return;
  u->length = 0;
  u->keepalive = 0;
}

static ngx_int_t send_special(struct gate *g, bool last)
{
  ngx_buf_t *b = ngx_calloc_buf(g->r->pool);
  if (!b) return NGX_ERROR;
  b->last_buf = last;
  b->flush = !last;
  b->sync = !last;
  ngx_chain_t link = {b, NULL};
  return next_body(g->r, &link);
}

/* Hands out to the client's connection. */
static ngx_int_t send_out(struct gate *g, bool last)
{
  ngx_buf_t *b = g->sending;
  if (!b) b = g->sending = ngx_calloc_buf(g->r->pool);
  if (!b) return NGX_ERROR;
  ngx_memzero(b, sizeof *b);
  b->start = b->pos = (u_char *)g->out.p;
  b->end = b->last = b->pos + g->out.n;
  b->memory = 1;
  b->flush = 1;
  b->last_buf = last;
  b->tag = (ngx_buf_tag_t)&ngx_http_vedette_module;
  ngx_chain_t link = {b, NULL};
  g->flushed = true;
  return next_body(g->r, &link);
}

static bool is_sending(const struct gate *g)
{
  return g->sending && ngx_buf_size(g->sending) > 0;
}

/* The client's connection may take more of what is under way. */
static ngx_int_t push(struct gate *g)
{
  if (is_sending(g)) {
    if (next_body(g->r, NULL) == NGX_ERROR) return NGX_ERROR;
    if (is_sending(g)) return NGX_AGAIN;
  }
  if (!g->ended && g->head_sent) buf_reset(&g->out);
  return NGX_OK;
}

/* Sends the header that waited (whole responses). */
static ngx_int_t late_head(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  if (g->mode != GATE_WHOLE || g->head_sent) return NGX_OK;
  set_status(r, exchange_status(g->x));
  r->headers_out.content_length_n = (off_t)g->out.n;
  ngx_int_t rc = send_head(g);
  return rc == NGX_ERROR || rc > NGX_OK ? NGX_ERROR : NGX_OK;
}

/* The last of it. broken: the upstream broke off; a stream is then left without its proper end, so that the client sees it too. */
static ngx_int_t end(struct gate *g, bool broken, bool cut)
{
  uint64_t begin = clock_mono_us();
  int rc = cut ? VDT_OK : exchange_response_finish(g->x, broken, &g->out);
  exchange_add_inspect_us(g->x, clock_mono_us() - begin);
  if (rc || g->out.failed) return NGX_ERROR;
  g->ended = true;
  if (late_head(g) != NGX_OK) return NGX_ERROR;
  gate_record(g, broken ? RECORD_UPSTREAM_ABORTED : RECORD_COMPLETE);
  bool last = !broken || g->mode == GATE_WHOLE;
  if (cut) drop_upstream(g);
  if (g->out.n) return send_out(g, last);
  return send_special(g, last);
}

/* nginx has let the upstream go but gives no last buffer: it broke off. */
static bool is_broken(const struct gate *g)
{
  return g->from_upstream && g->r->upstream && !g->r->upstream->cleanup;
}

static ngx_int_t feed(struct gate *g, ngx_buf_t *b, bool *done)
{
  if (!ngx_buf_in_memory(b) || b->last == b->pos) return NGX_OK;
  uint64_t begin = clock_mono_us();
  int rc = exchange_response_feed(g->x, (struct str){(const char *)b->pos, (size_t)(b->last - b->pos)}, &g->out, done);
  exchange_add_inspect_us(g->x, clock_mono_us() - begin);
  b->pos = b->last;
  return rc || g->out.failed ? NGX_ERROR : NGX_OK;
}

/* Takes the first waiting buffer. */
static ngx_buf_t *take(struct gate *g)
{
  ngx_chain_t *link = g->in;
  ngx_buf_t *b = link->buf;
  g->in = link->next;
  ngx_free_chain(g->r->pool, link);
  return b;
}

static ngx_int_t step(struct gate *g)
{
  ngx_buf_t *b = take(g);
  bool done = false, special = ngx_buf_size(b) == 0;
  if (g->ended) {
    b->pos = b->last;
    return NGX_OK;
  }
  if (feed(g, b, &done) != NGX_OK) return NGX_ERROR;
  if (done) return end(g, false, true);
  if (b->last_buf) return end(g, false, false);
  if (special && b->flush && is_broken(g)) return end(g, true, false);
  if (g->out.n && g->head_sent) return send_out(g, false);
  if (b->flush && g->head_sent && !g->flushed) {
    g->flushed = true;
    return send_special(g, false);
  }
  return NGX_OK;
}

static ngx_int_t pump(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  for (;;) {
    ngx_int_t rc = push(g);
    if (rc == NGX_ERROR) return rc;
    if (!g->in) break;
    if (rc == NGX_AGAIN && !g->ended) {
      r->buffered |= GATE_BUFFERED;
      return NGX_AGAIN;
    }
    if (step(g) == NGX_ERROR) {
      ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "vedette: a response could not go on; the connection is closed");
      return NGX_ERROR;
    }
  }
  r->buffered &= (~(unsigned)GATE_BUFFERED) & 0xf;
  return is_sending(g) ? NGX_AGAIN : NGX_OK;
}

/* Our answer goes out once; whatever comes in is thrown away. */
static ngx_int_t send_replacement(struct gate *g, ngx_chain_t *in)
{
  for (ngx_chain_t *c = in; c; c = c->next) {
    c->buf->pos = c->buf->last;
    c->buf->file_pos = c->buf->file_last;
  }
  if (g->ended || !in) return next_body(g->r, NULL);
  g->ended = true;
  gate_record(g, RECORD_COMPLETE);
  drop_upstream(g);
  ngx_buf_t *b = ngx_calloc_buf(g->r->pool);
  if (!b) return NGX_ERROR;
  b->start = b->pos = (u_char *)(uintptr_t)g->answer.p;
  b->end = b->last = b->pos + g->answer.n;
  b->memory = g->answer.n > 0;
  b->last_buf = 1;
  ngx_chain_t link = {b, NULL};
  return next_body(g->r, &link);
}

/* Untouched bytes: only the end is of interest. */
static ngx_int_t pass(struct gate *g, ngx_chain_t *in)
{
  for (ngx_chain_t *c = in; c && !g->ended; c = c->next) {
    bool broken = c->buf->flush && ngx_buf_size(c->buf) == 0 && is_broken(g);
    if (!c->buf->last_buf && !broken) continue;
    g->ended = true;
    gate_record(g, broken ? RECORD_UPSTREAM_ABORTED : RECORD_COMPLETE);
  }
  return next_body(g->r, in);
}

static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
  struct gate *g = ngx_http_get_module_ctx(r, ngx_http_vedette_module);
  if (r != r->main && gate_take_opinion(r, in)) return NGX_OK;
  if (!g || r != r->main || !g->head_seen) return next_body(r, in);
  if (g->mode == GATE_SESSION) {
    gate_session_take_over(g);
    return next_body(r, in);
  }
  if (g->mode == GATE_REPLACE) return send_replacement(g, in);
  if (g->mode == GATE_PASS) return pass(g, in);
  if (in && ngx_chain_add_copy(r->pool, &g->in, in) != NGX_OK) return NGX_ERROR;
  return pump(g);
}

/* ---- our own answers -------------------------------------------------------------------------------------------- */

ngx_int_t gate_send_answer(struct gate *g, ngx_uint_t status, struct str body)
{
  ngx_http_request_t *r = g->r;
  ngx_int_t rc = ngx_http_discard_request_body(r);
  if (rc != NGX_OK) return rc;
  g->mode = GATE_REPLACE;
  g->answer = body;
  r->disable_not_modified = 1; /* an If-None-Match is for the API that answers, not for nginx */
  r->headers_out.status = status;
  r->headers_out.content_length_n = (off_t)body.n;
  set_json(r);
  rc = ngx_http_send_header(r);
  if (rc == NGX_ERROR || rc > NGX_OK) return rc;
  if (r->header_only) {
    gate_record(g, RECORD_COMPLETE);
    return rc;
  }
  return ngx_http_send_special(r, NGX_HTTP_LAST);
}

void gate_install_response_filters(void)
{
  next_header = ngx_http_top_header_filter;
  ngx_http_top_header_filter = header_filter;
  next_body = ngx_http_top_body_filter;
  ngx_http_top_body_filter = body_filter;
}
