/*
 * A gate's beginning and end: its exchange, its record in the worker's journal. What cannot be written is counted and said once a
 * minute, never with anything that a client sent.
 */
#include "gateway/ngx_gate.h"
#include "base/clock.h"
#include <sys/random.h>

enum { JOURNAL_MAX_BYTES = 64 << 20, ID_BYTES = 16, COMPLAIN_SECONDS = 60 };

struct gate_worker gate_worker;

/* ---- the worker ------------------------------------------------------------------------------------------------- */

static void look_at_intel(const struct gate_main *m)
{
  if (!intel_refresh(m->spool, &gate_worker.intel_seen, &gate_worker.intel))
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "vedette: spool/intel is damaged; what was known before stays");
}

/* In the worker: a fork of one would give the same keys twice. */
static bool make_sealers(const struct gate_main *m)
{
  struct gate_worker *w = &gate_worker;
  w->sealers = m->sealers;
  w->n_sealers = m->config->n_workspaces;
  for (size_t i = 0; i < w->n_sealers; i++) {
    w->sealers[i] = m->public_keys[i].id[0] ? sealer_new(str_of(m->config->workspaces[i].name), &m->public_keys[i]) : NULL;
    if (m->public_keys[i].id[0] && !w->sealers[i]) return false;
  }
  return true;
}

static void prepare_keys(ngx_event_t *ev)
{
  const struct gate_worker *w = ev->data;
  for (size_t i = 0; i < w->n_sealers; i++) sealer_prepare(w->sealers[i], clock_unix_us());
}

/* When what is at hand is done, so that no request waits for a data key. */
static void prepare_keys_soon(struct gate_worker *w)
{
  bool any = false;
  for (size_t i = 0; i < w->n_sealers; i++) any = any || sealer_wants(w->sealers[i], clock_unix_us());
  if (!any) return;
  ngx_post_event(&w->prepare, &ngx_posted_next_events);
}

static void prepare_first_keys(struct gate_worker *w, ngx_log_t *log)
{
  w->prepare = (ngx_event_t){.handler = prepare_keys, .data = w, .log = log};
  prepare_keys(&w->prepare);
}

ngx_int_t gate_worker_start(ngx_cycle_t *cycle, const struct gate_main *main)
{
  struct gate_worker *w = &gate_worker;
  w->random_left = 0;
  w->journals = ngx_pcalloc(cycle->pool, main->config->n_workspaces * sizeof *w->journals);
  w->n_journals = w->journals ? main->config->n_workspaces : 0;
  for (size_t i = 0; i < w->n_journals; i++) journal_init(&w->journals[i], main->journals[i], JOURNAL_MAX_BYTES);
  look_at_intel(main);
  if (w->journals && make_sealers(main) && vdt_scanner_new(main->engine, &w->scanner) == VDT_OK) {
    prepare_first_keys(w, cycle->log);
    return NGX_OK;
  }
  ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "vedette: out of memory for a scanner or for the keys of evidence");
  return NGX_ERROR;
}

void gate_worker_stop(void)
{
  if (!gate_worker.scanner) return;
  for (size_t i = 0; i < gate_worker.n_journals; i++) journal_finish(&gate_worker.journals[i]);
  vdt_scanner_free(gate_worker.scanner);
  intel_drop(gate_worker.intel);
  for (size_t i = 0; i < gate_worker.n_sealers; i++) sealer_free(gate_worker.sealers[i]);
  gate_worker.n_sealers = 0;
  gate_worker.scanner = NULL;
}

/* One system call for 256 ids. */
const unsigned char *gate_random(void)
{
  struct gate_worker *w = &gate_worker;
  if (w->random_left < ID_BYTES) {
    if (getrandom(w->random, sizeof w->random, 0) != (ssize_t)sizeof w->random) return NULL;
    w->random_left = sizeof w->random;
  }
  w->random_left -= ID_BYTES;
  return w->random + w->random_left;
}

/* ---- the record ------------------------------------------------------------------------------------------------- */

static uint64_t lost(const struct gate_worker *w)
{
  uint64_t n = w->lost;
  for (size_t i = 0; i < w->n_journals; i++) n += w->journals[i].lost;
  return n;
}

static void complain(struct gate_worker *w, ngx_log_t *log, ngx_err_t reason)
{
  time_t now = ngx_time();
  if (w->complained && now - w->complained < COMPLAIN_SECONDS) return;
  w->complained = now;
  ngx_log_error(
      NGX_LOG_ALERT, log, reason,
      "vedette: the journal cannot be written; %uL records lost so far; deployments that fail closed answer 503 until it can",
      lost(w));
}

/* What is of no workspace goes to the first one. */
static struct journal *journal_of(struct gate_worker *w, const struct gate *g)
{
  const struct config *c = g->main->config;
  struct str name = exchange_workspace(g->x);
  for (size_t i = 0; i < w->n_journals; i++)
    if (str_eq(name, str_of(c->workspaces[i].name))) return &w->journals[i];
  return &w->journals[0];
}

bool gate_append(const struct gate *g, struct buf *line)
{
  struct gate_worker *w = &gate_worker;
  ngx_log_t *log = ngx_cycle->log;
  errno = ENOMEM;
  if (line->failed) w->lost++;
  bool written = !line->failed && journal_append(journal_of(w, g), buf_str(line), clock_unix_us()) == VDT_OK;
  if (!written) complain(w, log, errno);
  else if (w->failing)
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "vedette: the journal can be written again; %uL records were lost", lost(w));
  w->failing = !written;
  buf_finish(line);
  return written;
}

void gate_moved(const struct gate *g, uint64_t *sent, uint64_t *received)
{
  const ngx_http_upstream_t *u = g->r->upstream;
  const ngx_array_t *tries = g->r->upstream_states;
  *sent = *received = 0;
  for (ngx_uint_t i = 0; tries && i < tries->nelts; i++) {
    const ngx_http_upstream_state_t *s = (const ngx_http_upstream_state_t *)tries->elts + i;
    *sent += (uint64_t)s->bytes_sent;
    *received += (uint64_t)s->bytes_received;
  }
  /* nginx notes what it sent when it lets a connection go. */
  if (u && u->peer.connection && u->state && !u->state->bytes_sent) *sent += (uint64_t)u->peer.connection->sent;
}

void gate_record(struct gate *g, enum record_outcome outcome)
{
  if (g->recorded) return;
  g->recorded = true;
  struct buf line = {0};
  uint64_t sent, received;
  gate_moved(g, &sent, &received);
  exchange_transfer(g->x, sent, received);
  exchange_record(g->x, outcome, clock_unix_us(), &line);
  gate_append(g, &line);
  prepare_keys_soon(&gate_worker);
}

/* ---- begin and end ---------------------------------------------------------------------------------------------- */

/* The request is over, however that came about. What has no record by now was broken off, by the client unless its connection is
 * well and an upstream was answering. */
static void gate_end(void *data)
{
  struct gate *g = data;
  bool client_well = !g->r->connection->error && !g->r->connection->timedout;
  gate_ask_end(g);
  gate_session_end(g);
  gate_record(g, g->from_upstream && client_well ? RECORD_UPSTREAM_ABORTED : RECORD_CLIENT_ABORTED);
  exchange_free(g->x);
  buf_finish(&g->body);
  buf_finish(&g->said);
  buf_finish(&g->out);
}

struct gate *gate_find(ngx_http_request_t *r)
{
  struct gate *g = ngx_http_get_module_ctx(r, ngx_http_vedette_module);
  if (g || (!r->internal && !r->filter_finalize)) return g;
  /* An internal redirect has cleared the contexts; the cleanup still knows. */
  for (ngx_pool_cleanup_t *c = r->pool->cleanup; c; c = c->next) {
    if (c->handler != gate_end) continue;
    ngx_http_set_ctx(r, c->data, ngx_http_vedette_module);
    return c->data;
  }
  return NULL;
}

static struct str header(const ngx_table_elt_t *h)
{
  return h ? gate_str(h->value) : (struct str){0};
}

/* A header that nginx does not index. */
static struct str find_header(ngx_http_request_t *r, struct str name)
{
  ngx_list_part_t *part = &r->headers_in.headers.part;
  for (; part; part = part->next) {
    const ngx_table_elt_t *h = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++)
      if (str_ieq(gate_str(h[i].key), name)) return gate_str(h[i].value);
  }
  return (struct str){0};
}

static bool stands_twice(ngx_http_request_t *r, struct str name)
{
  ngx_list_part_t *part = &r->headers_in.headers.part;
  unsigned n = 0;
  for (; part; part = part->next) {
    const ngx_table_elt_t *h = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++) n += str_ieq(gate_str(h[i].key), name);
  }
  return n > 1;
}

static struct str named_header(ngx_http_request_t *r, const char *name)
{
  return name ? find_header(r, str_of(name)) : (struct str){0};
}

/* All lines of X-Forwarded-For, as one: a proxy may add one of its own below what its client sent. Of too much the end counts. */
static struct str forwarded_for(ngx_http_request_t *r)
{
  static const struct str name = {"x-forwarded-for", 15};
  enum { KEPT = 4096 };
  char *all = ngx_pnalloc(r->pool, KEPT);
  size_t n = 0;
  ngx_list_part_t *part = &r->headers_in.headers.part;
  for (; part && all; part = part->next) {
    const ngx_table_elt_t *h = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++) {
      struct str v = gate_str(h[i].value);
      if (!str_ieq(gate_str(h[i].key), name) || !v.n) continue;
      if (v.n >= KEPT) v = str_cut(v, v.n - (KEPT - 1), v.n);
      size_t gone = n + v.n + 1 > KEPT ? n + v.n + 1 - KEPT : 0;
      if (gone) memmove(all, all + gone, n - gone);
      n -= gone;
      if (n) all[n++] = ',';
      memcpy(all + n, v.p, v.n);
      n += v.n;
    }
  }
  return (struct str){all, n};
}

/* Browsers, which cannot set headers, put the key among the subprotocols. */
static const struct str key_protocol = {"openai-insecure-api-key.", 24};

static struct str take_protocol(struct str *rest)
{
  const char *end = rest->n ? memchr(rest->p, ',', rest->n) : NULL;
  struct str one = str_cut(*rest, 0, end ? (size_t)(end - rest->p) : rest->n);
  *rest = str_cut(*rest, end ? one.n + 1 : one.n, rest->n);
  while (one.n && one.p[0] == ' ') one = str_cut(one, 1, one.n);
  while (one.n && one.p[one.n - 1] == ' ') one.n--;
  return one;
}

ngx_str_t gate_protocol(const struct gate *g)
{
  struct str all = find_header(g->r, STR("sec-websocket-protocol"));
  ngx_str_t kept = {0, all.n ? ngx_pnalloc(g->r->pool, 2 * all.n) : NULL};
  bool replaced = g->deployment && g->deployment->api_key_env;
  while (kept.data && all.n) {
    struct str one = take_protocol(&all);
    if (!one.n || (replaced && str_starts(one, key_protocol))) continue;
    if (kept.len) kept.data[kept.len++] = ',';
    memcpy(kept.data + kept.len, one.p, one.n);
    kept.len += one.n;
  }
  return kept;
}

static struct str protocol_key(ngx_http_request_t *r)
{
  struct str all = find_header(r, STR("sec-websocket-protocol"));
  while (all.n) {
    struct str one = take_protocol(&all);
    if (str_starts(one, key_protocol)) return str_cut(one, key_protocol.n, one.n);
  }
  return (struct str){0};
}

/* Only HTTP/1.1 can be taken over, and a body would come in the way of the first frames. */
static struct str upgrade(ngx_http_request_t *r)
{
  bool body = r->headers_in.content_length_n > 0 || r->headers_in.chunked;
  if (r->http_version != NGX_HTTP_VERSION_11 || body || r != r->main) return (struct str){0};
  return header(r->headers_in.upgrade);
}

static enum exchange_next take_head(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  const struct config_context *context = &g->main->config->context;
  struct exchange_head head = {
      .method = gate_str(r->method_name),
      .path = gate_str(r->uri), /* decoded, dots and slashes resolved: no way to spell a path makes it unknown here */
      .query = gate_str(r->args),
      .content_type = header(r->headers_in.content_type),
      .content_encoding = find_header(r, STR("content-encoding")),
      .ambiguous = stands_twice(r, STR("content-type")) || stands_twice(r, STR("content-encoding")),
      .authorization = header(r->headers_in.authorization),
      .api_key = find_header(r, STR("api-key")),
      .user_agent = header(r->headers_in.user_agent),
      .client_ip = gate_str(r->connection->addr_text),
      .upgrade = upgrade(r),
      .if_none_match = find_header(r, STR("if-none-match")),
      .application = named_header(r, context->application_header),
      .end_user = named_header(r, context->end_user_header),
      .tenant = named_header(r, context->tenant_header),
      .label = named_header(r, context->label_header),
      .source_ip = named_header(r, context->source_ip_header),
  };
  if (context->n_proxies) head.forwarded_for = forwarded_for(r);
  if (!head.api_key.n) head.api_key = find_header(r, STR("x-api-key"));
  if (!head.api_key.n) head.api_key = find_header(r, STR("ocp-apim-subscription-key"));
  if (!head.api_key.n && !head.authorization.n && head.upgrade.n) head.api_key = protocol_key(r);
  return exchange_request_head(g->x, &head);
}

/* Once a second at most. */
static void look_at_plan(const struct gate_main *m)
{
  struct gate_worker *w = &gate_worker;
  if (ngx_time() == w->plan_checked) return;
  w->plan_checked = ngx_time();
  plan_refresh(m->spool, &w->plan, m->config, m->evidence);
  look_at_intel(m);
}

struct gate *gate_begin(ngx_http_request_t *r)
{
  const struct gate_main *m = ngx_http_get_module_main_conf(r, ngx_http_vedette_module);
  const unsigned char *random = gate_random();
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof(struct gate));
  if (!random || !cleanup) return NULL;
  struct gate *g = cleanup->data;
  *g = (struct gate){.r = r, .main = m};
  look_at_plan(m);
  g->x = exchange_new(&m->image, gate_worker.scanner, random, clock_unix_us());
  if (!g->x) return NULL;
  cleanup->handler = gate_end;
  ngx_http_set_ctx(r, g, ngx_http_vedette_module);
  g->next = take_head(g);
  return g;
}
