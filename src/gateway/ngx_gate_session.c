/*
 * A WebSocket session in nginx. Once an upstream has answered 101, nginx copies bytes between the two connections past all filters: it reads
 * with the connection's `recv` and writes with `send`. The one place to stand is `recv`: ours reads with the real one, gives the bytes to
 * the session, and returns what the session lets go. Timeouts, slow receivers and the end stay nginx's.
 *
 * While there is something to return, no more is read: a side that does not take its bytes stops the other. What the session has for the
 * side that is not being read (an error for the client, a cancellation for the upstream) is fetched by an event that is posted for it.
 */
#include "gateway/ngx_gate.h"
#include "base/clock.h"

enum { PIECE = 16384, KEPT = 65536 };

static const unsigned char *hook_random(void *ctx)
{
  (void)ctx;
  return gate_random();
}

static bool hook_record(void *ctx, struct buf *line)
{
  return gate_append(ctx, line);
}

static uint64_t hook_now(void *ctx)
{
  (void)ctx;
  return clock_unix_us();
}

static void hook_moved(void *ctx, uint64_t *sent, uint64_t *received)
{
  gate_moved(ctx, sent, received);
}

ngx_int_t gate_session_begin(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  const struct session_hooks hooks = {g, hook_random, hook_record, hook_now, hook_moved};
  bool asked = r->headers_in.upgrade && r->http_version == NGX_HTTP_VERSION_11 && r->upstream->upgrade;
  if (!asked || !exchange_is_session(g->x) || !exchange_session_open(g->x)) return NGX_ERROR;
  g->session = session_new(g->x, &hooks);
  if (!g->session) return NGX_ERROR;
  g->mode = GATE_SESSION;
  return NGX_OK;
}

static ngx_connection_t *connection(struct gate *g, enum session_side side)
{
  if (side == SESSION_CLIENT) return g->r->connection;
  return g->r->upstream ? g->r->upstream->peer.connection : NULL;
}

/* nginx is to look at what a side has sent again, though nothing may have come. */
static void wake(struct gate *g, enum session_side side)
{
  ngx_connection_t *c = connection(g, side);
  if (!c || g->gone[side]) return;
  c->read->ready = 1;
  ngx_post_event(c->read, &ngx_posted_events);
}

static enum session_side other(enum session_side side)
{
  return side == SESSION_CLIENT ? SESSION_UPSTREAM : SESSION_CLIENT;
}

/* What a side has sent comes out for the other; something may come out for itself. */
static void feed(struct gate *g, enum session_side from, struct str in)
{
  uint64_t begin = clock_mono_us();
  session_feed(g->session, from, in);
  exchange_add_inspect_us(session_turn(g->session), clock_mono_us() - begin);
  if (session_out(g->session, from)->n || session_is_over(g->session)) wake(g, other(from));
}

/* Once: the connections may linger for a while after the end. */
static void finish(struct gate *g)
{
  if (g->recorded) return;
  bool left = g->gone[SESSION_CLIENT] || g->r->connection->error || g->r->connection->timedout;
  enum record_outcome outcome = left ? RECORD_CLIENT_ABORTED : RECORD_UPSTREAM_ABORTED;
  if (session_is_complete(g->session)) outcome = RECORD_COMPLETE;
  g->recorded = true;
  session_end(g->session, outcome);
}

/* Takes of what waits for a side. Whole messages may wait, of megabytes, and nginx takes a few kilobytes: nothing is moved for that. */
static size_t take(struct gate *g, enum session_side to, u_char *p, size_t max)
{
  struct buf *out = session_out(g->session, to);
  size_t left = out->n - g->taken[to], n = left < max ? left : max;
  if (!n) return 0;
  memcpy(p, out->p + g->taken[to], n);
  g->taken[to] += n;
  if (n < left) return n;
  g->taken[to] = 0;
  if (out->cap > KEPT) buf_finish(out);
  else buf_reset(out);
  return n;
}

static ssize_t fetch(struct gate *g, ngx_connection_t *c, enum session_side from, u_char *to, size_t max)
{
  static u_char piece[PIECE];
  for (;;) {
    size_t n = take(g, other(from), to, max);
    if (n) {
      c->read->ready = 1; /* there may be more */
      return (ssize_t)n;
    }
    if (session_is_over(g->session) && from == SESSION_CLIENT) { /* the end comes when the client has our last words */
      c->read->ready = 0;
      return NGX_AGAIN;
    }
    if (session_is_over(g->session) || g->gone[from]) {
      finish(g);
      c->read->ready = 0;
      c->read->eof = 1;
      return 0;
    }
    ssize_t got = g->recv[from](c, piece, sizeof piece);
    if (got == 0 || got == NGX_ERROR) {
      g->gone[from] = true;
      finish(g);
      return got;
    }
    if (got < 0) return got;
    feed(g, from, (struct str){(const char *)piece, (size_t)got});
  }
}

static ssize_t recv_side(ngx_connection_t *c, u_char *to, size_t max, enum session_side from)
{
  ngx_http_request_t *r = c->data;
  return fetch(gate_find(r), c, from, to, max);
}

static ssize_t recv_client(ngx_connection_t *c, u_char *to, size_t max)
{
  return recv_side(c, to, max, SESSION_CLIENT);
}

static ssize_t recv_upstream(ngx_connection_t *c, u_char *to, size_t max)
{
  return recv_side(c, to, max, SESSION_UPSTREAM);
}

/* What nginx had already read behind the two heads. */
static void take_rest(struct gate *g, enum session_side from, ngx_buf_t *b)
{
  if (!b || b->last == b->pos) return;
  feed(g, from, (struct str){(const char *)b->pos, (size_t)(b->last - b->pos)});
  if (from == SESSION_CLIENT) b->pos = b->last;
  else b->pos = b->last = b->start;
  wake(g, from);
}

void gate_session_take_over(struct gate *g)
{
  ngx_http_request_t *r = g->r;
  ngx_connection_t *upstream = connection(g, SESSION_UPSTREAM);
  if (g->recv[SESSION_CLIENT] || !upstream) return;
  g->recv[SESSION_CLIENT] = r->connection->recv;
  g->recv[SESSION_UPSTREAM] = upstream->recv;
  r->connection->recv = recv_client;
  upstream->recv = recv_upstream;
  r->lingering_close = 1; /* or our last words could be lost with what nobody reads any more */
  take_rest(g, SESSION_CLIENT, r->header_in);
  take_rest(g, SESSION_UPSTREAM, &r->upstream->buffer);
}

void gate_session_end(struct gate *g)
{
  if (!g->session) return;
  if (g->recv[SESSION_CLIENT]) g->r->connection->recv = g->recv[SESSION_CLIENT];
  finish(g);
  session_free(g->session);
  g->session = NULL;
}
