/* Sessions: see gateway/session.h. */
#include "gateway/session.h"
#include "base/websocket.h"
#include <sodium.h>

enum { MASKS = 512, BACKLOG = 4 << 20 };

struct session {
  struct exchange *first, *turn; /* turn: the one that goes on; first itself, or our own */
  struct session_hooks hooks;
  struct exchange_past past;
  struct websocket in[2];
  struct buf out[2];
  enum ws_kind kind; /* of the message that is worked on: what goes on of it is of the same */
  bool stopped;      /* the last prompt was stopped: what is asked for next has nothing to answer */
  bool begun;        /* the turn has something to record */
  bool recorded;     /* some turn is on record */
  bool over, complete;
  uint64_t sent, received; /* what records of earlier turns say */
  unsigned char key[crypto_stream_chacha20_KEYBYTES], masks[MASKS];
  size_t masks_left;
  uint64_t masks_made;
};

/* ---- begin and end ---------------------------------------------------------------------------------------------- */

struct session *session_new(struct exchange *first, const struct session_hooks *hooks)
{
  struct session *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  *s = (struct session){.first = first, .turn = first, .hooks = *hooks};
  for (size_t i = 0; i < sizeof s->key; i += 16) {
    const unsigned char *random = hooks->random(hooks->ctx);
    if (!random) {
      free(s);
      return NULL;
    }
    memcpy(s->key + i, random, 16);
  }
  s->in[SESSION_CLIENT] = (struct websocket){.masked = true, .max = exchange_max_body(first)};
  s->in[SESSION_UPSTREAM] = (struct websocket){.max = exchange_max_answer(first)};
  return s;
}

void session_free(struct session *s)
{
  if (!s) return;
  if (s->turn != s->first) exchange_free(s->turn);
  exchange_past_finish(&s->past);
  for (int i = 0; i < 2; i++) {
    websocket_finish(&s->in[i]);
    buf_finish(&s->out[i]);
  }
  free(s);
}

struct buf *session_out(struct session *s, enum session_side to)
{
  return &s->out[to];
}

struct exchange *session_turn(const struct session *s)
{
  return s->turn;
}

bool session_is_over(const struct session *s)
{
  return s->over;
}

bool session_is_complete(const struct session *s)
{
  return s->complete;
}

static void tell_moved(struct session *s)
{
  uint64_t sent, received;
  if (!s->hooks.moved) return;
  s->hooks.moved(s->hooks.ctx, &sent, &received);
  if (sent < s->sent || received < s->received) return;
  exchange_transfer(s->turn, sent - s->sent, received - s->received);
  s->sent = sent;
  s->received = received;
}

static bool record(struct session *s, enum record_outcome outcome)
{
  struct buf line = {0};
  tell_moved(s);
  exchange_record(s->turn, outcome, s->hooks.now_us(s->hooks.ctx), &line);
  s->recorded = true;
  s->begun = false;
  return s->hooks.record(s->hooks.ctx, &line);
}

void session_end(struct session *s, enum record_outcome outcome)
{
  s->over = true;
  if (s->begun || !s->recorded) record(s, outcome);
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

/* What goes to the upstream is masked, with bytes that nobody can foresee. */
static const unsigned char *mask(struct session *s)
{
  unsigned char nonce[crypto_stream_chacha20_NONCEBYTES] = {0};
  if (s->masks_left < 4) {
    memcpy(nonce, &s->masks_made, sizeof nonce < sizeof s->masks_made ? sizeof nonce : sizeof s->masks_made);
    s->masks_made++;
    crypto_stream_chacha20(s->masks, sizeof s->masks, nonce, s->key);
    s->masks_left = sizeof s->masks;
  }
  s->masks_left -= 4;
  return s->masks + s->masks_left;
}

static void put(struct session *s, enum session_side to, enum ws_kind kind, struct str data)
{
  websocket_put(&s->out[to], kind, data, to == SESSION_UPSTREAM ? mask(s) : NULL);
  /* A largest message may wait, and more behind it; then somebody sends and does not read. */
  if (s->out[to].n > BACKLOG + s->in[SESSION_CLIENT].max + s->in[SESSION_UPSTREAM].max) s->over = true;
}

static void put_lines(struct session *s, enum session_side to, struct str lines)
{
  while (lines.n) {
    const char *end = memchr(lines.p, '\n', lines.n);
    size_t n = end ? (size_t)(end - lines.p) : lines.n;
    put(s, to, WS_TEXT, str_cut(lines, 0, n));
    lines = str_cut(lines, end ? n + 1 : n, lines.n);
  }
}

/* We end the session, and say why to both. */
static void end(struct session *s, unsigned code, const char *why)
{
  if (s->over) return;
  websocket_put_close(&s->out[SESSION_CLIENT], code, why, NULL);
  websocket_put_close(&s->out[SESSION_UPSTREAM], WS_NORMAL, "", mask(s));
  s->over = s->complete = true;
}

static void put_error(struct session *s, const struct exchange_event *e)
{
  struct buf text = {0}, message = {0};
  if (e->shield) wire_blocked_message(e->shield, &message);
  else buf_put(&message, str_of(e->message));
  wire_session_error(&(struct wire_session_error){str_of(exchange_id(s->turn)), e->about, e->code,
                                                  message.n ? buf_str(&message) : STR(""), e->shield},
                     &text);
  if (text.failed || message.failed) end(s, WS_INTERNAL, "out of memory");
  else put(s, SESSION_CLIENT, WS_TEXT, buf_str(&text));
  buf_finish(&text);
  buf_finish(&message);
}

/* ---- turns ------------------------------------------------------------------------------------------------------ */

static void next_turn(struct session *s)
{
  const unsigned char *random = s->hooks.random(s->hooks.ctx);
  bool kept = record(s, RECORD_COMPLETE);
  struct exchange *next = random ? exchange_turn(s->turn, random, s->hooks.now_us(s->hooks.ctx)) : NULL;
  if (!kept && exchange_needs_record(s->turn)) end(s, WS_INTERNAL, "the gateway cannot keep its records");
  if (!next) {
    end(s, WS_INTERNAL, "out of memory");
    return;
  }
  if (s->turn != s->first) exchange_free(s->turn);
  s->turn = next;
}

/* ---- what the client says --------------------------------------------------------------------------------------- */

static void refuse_response(struct session *s)
{
  struct buf lines = {0};
  wire_session_refused(str_of(exchange_id(s->turn)), &lines);
  if (lines.failed) end(s, WS_INTERNAL, "out of memory");
  else put_lines(s, SESSION_CLIENT, buf_str(&lines));
  buf_finish(&lines);
}

static void from_client(struct session *s, struct str text)
{
  struct exchange_event e;
  s->begun = true;
  exchange_session_in(s->turn, &s->past, text, &e);
  if (e.next == EVENT_PASS && s->stopped && str_eq(e.type, STR("response.create"))) {
    s->stopped = false;
    refuse_response(s);
    return;
  }
  if (e.next == EVENT_PASS) {
    if (str_eq(e.type, STR("conversation.item.create"))) s->stopped = false;
    put(s, SESSION_UPSTREAM, s->kind, e.text);
    return;
  }
  put_error(s, &e);
  if (e.next == EVENT_END) end(s, WS_POLICY, e.message);
  if (e.next != EVENT_STOPPED) return;
  s->stopped = str_eq(e.type, STR("conversation.item.create"));
  if (exchange_is_idle(s->turn)) next_turn(s);
}

/* ---- what the model says ---------------------------------------------------------------------------------------- */

static void give(struct session *s, const struct wire_message *m)
{
  put_lines(s, SESSION_CLIENT, m->before);
  if (m->event.n) put(s, SESSION_CLIENT, s->kind, m->event);
  put_lines(s, SESSION_CLIENT, m->after);
  put_lines(s, SESSION_UPSTREAM, m->reply);
}

/* The user was heard saying something that would have been stopped if it had been written: the answer to it is. */
static void hear(struct session *s, struct str said)
{
  struct exchange_event e;
  struct wire_message m;
  exchange_session_heard(s->turn, &s->past, said, &e);
  if (e.next == EVENT_PASS) return;
  put_error(s, &e);
  if (e.next == EVENT_END || exchange_session_stop(s->turn, &m)) end(s, WS_POLICY, e.message);
  else give(s, &m);
}

static void from_upstream(struct session *s, struct str text)
{
  struct wire_message m;
  struct exchange_event e;
  exchange_session_out(s->turn, text, &m, &e);
  s->begun |= !exchange_is_idle(s->turn);
  if (e.next == EVENT_PASS) give(s, &m);
  else put_error(s, &e);
  if (e.next == EVENT_END) {
    end(s, WS_POLICY, e.message);
    return;
  }
  if (m.heard.n) {
    s->begun = true;
    hear(s, m.heard);
  }
  if (m.over && !s->over) next_turn(s);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static void take(struct session *s, enum session_side from, const struct ws_message *m)
{
  enum session_side to = from == SESSION_CLIENT ? SESSION_UPSTREAM : SESSION_CLIENT;
  switch (m->kind) {
  case WS_TEXT:
  case WS_BINARY: /* JSON too, for those who send it like this */
    s->kind = m->kind;
    if (from == SESSION_CLIENT) from_client(s, m->data);
    else from_upstream(s, m->data);
    break;
  default: put(s, to, m->kind, m->data); break;
  }
  if (s->in[SESSION_CLIENT].closed && s->in[SESSION_UPSTREAM].closed) s->over = s->complete = true;
}

static const char *why(unsigned code)
{
  return code == WS_TOO_BIG    ? "a message is larger than the gateway reads"
         : code == WS_INTERNAL ? "out of memory"
                               : "broken framing";
}

void session_feed(struct session *s, enum session_side from, struct str in)
{
  struct websocket *w = &s->in[from];
  struct ws_message m;
  while (!s->over && websocket_next(w, &in, &m)) take(s, from, &m);
  if (w->error) end(s, w->error, why(w->error));
  if (!s->over && (s->out[0].failed || s->out[1].failed)) s->over = true;
}
