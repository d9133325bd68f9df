/*
 * Carries a question to an outside shield and its answer back: a subrequest of the client's request, into the location that says how
 * that shield is reached. nginx does the connection; nothing here blocks.
 *
 * The subrequest is one in the background, also where the request waits. Then the request may go on when the deadline is over, whatever the
 * subrequest does; a subrequest in the foreground would hold up everything that is sent to the client behind it.
 *
 * Nothing of the client goes along. A subrequest begins with the headers of its parent; here they are replaced by our own, so that
 * credentials and cookies of clients cannot reach a shield, whatever nginx.conf says.
 */
#include "gateway/ngx_gate.h"
#include "gateway/opinion.h"
#include "gateway/opinion_memory.h"
#include "base/clock.h"
#include <stdatomic.h>
#include <sys/mman.h>

enum { ANSWER_MAX = 64 << 10 };

static ngx_int_t answered(ngx_http_request_t *sr, void *data, ngx_int_t rc);

/* ---- configuration ---------------------------------------------------------------------------------------------- */

struct budgets {
  void *p;
  size_t n;
};

static void unmap(void *data)
{
  const struct budgets *b = data;
  munmap(b->p, b->n);
}

/* Made by the master for each configuration: a reload begins the minute anew. The last cells
 * are those of our own APIs. */
static bool make_budgets(ngx_conf_t *cf, struct gate_main *m)
{
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(struct budgets));
  size_t n = (m->config->n_policies + 2) * sizeof *m->budget;
  void *p = cleanup ? mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
  if (p == MAP_FAILED) return false;
  *(struct budgets *)cleanup->data = (struct budgets){p, n};
  cleanup->handler = unmap;
  m->budget = p;
  m->image.shield_calls = &m->budget[m->config->n_policies];
  m->image.purview_calls = &m->budget[m->config->n_policies + 1];
  return true;
}

static bool is_azure(const struct config_shield *s)
{
  static const struct str ends[] = {STR(".azure.com"), STR(".azure-api.net"), STR(".azure.us")};
  struct str host = s->endpoint.scheme == CONFIG_HTTPS ? str_of(s->endpoint.host) : STR("");
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (host.n >= ends[i].n && str_ieq(str_cut(host, host.n - ends[i].n, host.n), ends[i])) return true;
  return false;
}

/* The header that a shield reads its key from. */
static struct str key_header(const struct config_shield *s)
{
  if (s->kind == CONFIG_PROMPT_SHIELDS) return STR("Ocp-Apim-Subscription-Key");
  return is_azure(s) ? STR("api-key") : STR("Authorization");
}

char *gate_take_shields(ngx_conf_t *cf, struct gate_main *m)
{
  const struct config *c = m->config;
  if (!make_budgets(cf, m)) return NGX_CONF_ERROR;
  if (!c->n_shields) return NGX_CONF_OK;
  m->shield_keys = ngx_pcalloc(cf->pool, c->n_shields * sizeof *m->shield_keys);
  m->image.memory = opinion_memory_new();
  if (!m->shield_keys || !m->image.memory) return NGX_CONF_ERROR;
  for (size_t i = 0; i < c->n_shields; i++) {
    const struct config_shield *s = &c->shields[i];
    bool bearer = str_eq(key_header(s), STR("Authorization"));
    if (!s->key_env) continue;
    if (!gate_take_key(cf, "shield", s->name, s->key_env, bearer ? STR("Bearer ") : STR(""), &m->shield_keys[i]))
      return NGX_CONF_ERROR;
  }
  return NGX_CONF_OK;
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

/* The outcome is known: the record is made true, and the request goes on if it waits. */
static void decided(struct gate *g, enum exchange_next next)
{
  struct buf line = {0};
  g->ask = NULL;
  if (g->deadline.timer_set) ngx_del_timer(&g->deadline);
  if (g->recorded && exchange_revise(g->x, &line)) gate_append(g, &line);
  if (!g->waiting) return;
  g->waiting = false;
  g->next = next;
  g->r->read_event_handler = ngx_http_block_reading;
  g->r->write_event_handler = ngx_http_core_run_phases;
  ngx_http_post_request(g->r, NULL);
}

/* Not by nginx's contexts: a redirect inside nginx clears those. */
static struct gate *gate_of_question(const ngx_http_request_t *sr)
{
  const ngx_http_post_subrequest_t *then = sr->post_subrequest;
  return sr != sr->main && then && then->handler == answered ? then->data : NULL;
}

/* Unbuffered, whatever the location says: only so does u->length tell whether all has come. */
void gate_opinion_head(ngx_http_request_t *sr)
{
  if (sr->upstream && gate_of_question(sr)) sr->upstream->buffering = 0;
}

/* An answer that is longer stays incomplete, which makes it unreadable. nginx would keep it too, but gives up the client's request when its
 * room is not enough. */
bool gate_take_opinion(ngx_http_request_t *sr, ngx_chain_t *in)
{
  struct gate *g = gate_of_question(sr);
  if (!g) return false;
  for (; in; in = in->next) {
    ngx_buf_t *b = in->buf;
    if (ngx_buf_in_memory(b) && g->ask == sr && g->said.n <= ANSWER_MAX)
      buf_put(&g->said, (struct str){(const char *)b->pos, (size_t)(b->last - b->pos)});
    b->pos = b->last;
    b->file_pos = b->file_last;
  }
  return true;
}

/* nginx takes an answer that breaks off for one that has ended. */
static bool is_whole(const struct gate *g, const ngx_http_request_t *sr)
{
  return !g->said.failed && g->said.n <= ANSWER_MAX && sr->upstream && sr->upstream->length <= 0;
}

/* What nginx says about a subrequest that gave no answer. */
static enum record_opinion_outcome failure_of(const ngx_http_request_t *sr, ngx_int_t rc)
{
  if (rc == NGX_HTTP_GATEWAY_TIME_OUT) return RECORD_OPINION_TIMEOUT;
  bool began = sr->upstream && sr->upstream->headers_in.status_n && rc < NGX_HTTP_SPECIAL_RESPONSE;
  return began ? RECORD_OPINION_UNREADABLE : RECORD_OPINION_UNREACHABLE;
}

/* Always OK: what went wrong with the shield does not concern the client's request. */
static ngx_int_t answered(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
  struct gate *g = data;
  uint64_t now = clock_unix_us();
  if (g->ask != sr) return NGX_OK; /* it was given up */
  unsigned status = (unsigned)sr->headers_out.status;
  struct str body = is_whole(g, sr) && g->said.n ? buf_str(&g->said) : STR("");
  if (rc != NGX_OK) decided(g, exchange_opinion_none(g->x, failure_of(sr, rc), now));
  else decided(g, exchange_opinion_answer(g->x, status, body, now));
  return NGX_OK;
}

/* Lets the connection to the shield go. For a client's request that is over this may be the end of the gate. */
static void abort_subrequest(ngx_http_request_t *sr)
{
  if (sr->upstream && sr->upstream->cleanup) (*sr->upstream->cleanup)(sr);
}

static void too_late(ngx_event_t *event)
{
  struct gate *g = event->data;
  ngx_connection_t *c = g->r->connection;
  ngx_http_request_t *sr = g->ask;
  decided(g, exchange_opinion_none(g->x, RECORD_OPINION_TIMEOUT, clock_unix_us()));
  abort_subrequest(sr);
  ngx_http_run_posted_requests(c);
}

void gate_ask_end(struct gate *g)
{
  struct buf line = {0};
  if (g->deadline.timer_set) ngx_del_timer(&g->deadline);
  g->ask = NULL;
  exchange_opinion_none(g->x, RECORD_OPINION_ABANDONED, clock_unix_us());
  if (g->recorded && exchange_revise(g->x, &line)) gate_append(g, &line);
}

/* ---- the question ----------------------------------------------------------------------------------------------- */

static bool add_header(ngx_http_request_t *sr, struct str name, ngx_str_t value)
{
  ngx_table_elt_t *h = ngx_list_push(&sr->headers_in.headers);
  if (!h) return false;
  ngx_memzero(h, sizeof *h);
  h->key = gate_ngx(name);
  h->value = value;
  h->lowcase_key = ngx_pnalloc(sr->pool, name.n);
  if (!h->lowcase_key) return false;
  h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);
  return true;
}

static bool set_headers(ngx_http_request_t *sr, const struct gate *g, const struct config_shield *s)
{
  ngx_str_t key = g->main->shield_keys[s - g->main->config->shields];
  ngx_memzero(&sr->headers_in, sizeof sr->headers_in);
  sr->headers_in.keep_alive_n = -1;
  if (ngx_list_init(&sr->headers_in.headers, sr->pool, 4, sizeof(ngx_table_elt_t)) != NGX_OK) return false;
  return add_header(sr, STR("Content-Type"), gate_ngx(STR("application/json"))) &&
         add_header(sr, STR("Accept"), gate_ngx(STR("application/json"))) && (!key.len || add_header(sr, key_header(s), key));
}

static bool set_body(ngx_http_request_t *sr, struct str body)
{
  ngx_http_request_body_t *rb = ngx_pcalloc(sr->pool, sizeof *rb);
  ngx_buf_t *b = ngx_calloc_buf(sr->pool);
  ngx_chain_t *link = ngx_alloc_chain_link(sr->pool);
  if (!rb || !b || !link) return false;
  b->start = b->pos = (u_char *)(uintptr_t)body.p;
  b->end = b->last = b->pos + body.n;
  b->memory = b->last_buf = 1;
  *link = (ngx_chain_t){b, NULL};
  rb->bufs = link;
  sr->request_body = rb;
  sr->headers_in.content_length_n = (off_t)body.n;
  return true;
}

/* Where nginx_conf or the operator says how this shield is reached; from there on as after a jump to a named location. */
static void set_location(ngx_http_request_t *sr, const ngx_http_core_loc_conf_t *l)
{
  const ngx_http_core_main_conf_t *core = ngx_http_get_module_main_conf(sr, ngx_http_core_module);
  ngx_str_set(&sr->method_name, "POST");
  sr->method = NGX_HTTP_POST;
  sr->internal = 1;
  sr->valid_location = 1;
  sr->uri_changed = 0;
  sr->loc_conf = l->loc_conf;
  ngx_http_update_location_config(sr);
  sr->phase_handler = (ngx_int_t)core->phase_engine.location_rewrite_index;
  sr->write_event_handler = ngx_http_core_run_phases;
}

static bool start(struct gate *g, const struct exchange_question *q, const ngx_http_core_loc_conf_t *l)
{
  ngx_http_request_t *r = g->r, *sr;
  ngx_str_t path = gate_ngx(q->path), query = gate_ngx(q->query);
  ngx_http_post_subrequest_t *then = ngx_palloc(r->pool, sizeof *then);
  if (!then) return false;
  *then = (ngx_http_post_subrequest_t){answered, g};
  if (ngx_http_subrequest(r, &path, &query, &sr, then, NGX_HTTP_SUBREQUEST_IN_MEMORY | NGX_HTTP_SUBREQUEST_BACKGROUND) != NGX_OK)
    return false;
  g->ask = sr;
  set_location(sr, l);
  /* It is posted already and cannot be taken back: without memory it runs empty, into no location. */
  if (set_headers(sr, g, q->shield) && set_body(sr, q->body)) return true;
  sr->content_handler = NULL;
  g->ask = NULL;
  return false;
}

static bool within_budget(const struct gate *g, const struct exchange_question *q)
{
  const struct vdt_policy *p = exchange_deployment(g->x)->policy;
  return opinion_budget_take(&g->main->budget[p - g->main->config->policies], (uint64_t)ngx_time() / 60, q->policy->per_minute);
}

/* PENDING: it is under way. */
static enum record_opinion_outcome send_question(struct gate *g, const struct exchange_question *q)
{
  struct buf line = {0};
  const ngx_http_core_loc_conf_t *l = gate_named_location(g->r, STR("@vedette_shield:"), str_of(q->shield->name));
  if (!l) return RECORD_OPINION_UNREACHABLE;
  if (!within_budget(g, q)) return RECORD_OPINION_OVER_BUDGET;
  exchange_asking(g->x, clock_unix_us(), &line);
  if (!gate_append(g, &line) || !start(g, q, l)) return RECORD_OPINION_UNRECORDED;
  g->deadline = (ngx_event_t){.handler = too_late, .data = g, .log = g->r->connection->log};
  ngx_add_timer(&g->deadline, (ngx_msec_t)q->policy->deadline_ms);
  return RECORD_OPINION_PENDING;
}

void gate_ask(struct gate *g)
{
  const struct exchange_question *q = exchange_question(g->x);
  if (!q) return;
  bool wait = q->wait;
  enum record_opinion_outcome outcome = send_question(g, q);
  if (outcome != RECORD_OPINION_PENDING) {
    enum exchange_next next = exchange_opinion_none(g->x, outcome, clock_unix_us());
    if (wait) g->next = next;
    return;
  }
  if (!wait) return;
  g->waiting = true;
  g->r->read_event_handler = ngx_http_test_reading; /* a client that goes away meanwhile is noticed */
  g->r->write_event_handler = ngx_http_request_empty_handler;
}
