/*
 * session: one WebSocket session of the Realtime API, without nginx: bytes of either side in, bytes for either side out.
 *
 * Every message is read whole before any of it leaves, and leaves as one frame of our own making, so that what was inspected is what is
 * sent, however the sender had cut or masked it. What may pass is decided by the exchange (gateway/exchange.h), event by event. The
 * session is dealt out in turns: each is an exchange with an id and a record of its own, and ends when the model's answer has ended.
 */
#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H
#include "gateway/exchange.h"

struct session;

struct session_hooks {
  void *ctx;
  const unsigned char *(*random)(void *ctx);   /* 16 random bytes, or NULL when there are none */
  bool (*record)(void *ctx, struct buf *line); /* takes a record; false: it is lost */
  uint64_t (*now_us)(void *ctx);
  void (*moved)(void *ctx, uint64_t *sent, uint64_t *received); /* to and from the upstream since the session began, or NULL */
};

enum session_side { SESSION_CLIENT, SESSION_UPSTREAM };

/* first: the exchange of the handshake, which the upstream has accepted; borrowed, and the first turn. NULL when out of memory. */
struct session *session_new(struct exchange *first, const struct session_hooks *hooks);
/* Bytes that a side has sent. What they lead to waits in session_out of either side. */
void session_feed(struct session *s, enum session_side from, struct str in);
/* The exchange of the turn that goes on. */
struct exchange *session_turn(const struct session *s);
/* What a side is to be sent; the caller drops what it has taken. */
struct buf *session_out(struct session *s, enum session_side to);
/* Nothing that comes is read any more: what waits is to be sent, then the connections are to be closed. */
bool session_is_over(const struct session *s);
/* Whether it ended as sessions should: both sides said so, or we did. */
bool session_is_complete(const struct session *s);
/* Writes the last record, unless there is nothing to record. */
void session_end(struct session *s, enum record_outcome outcome);
/* Accepts NULL. */
void session_free(struct session *s);
#endif
