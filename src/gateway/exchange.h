/*
 * exchange: one interaction from the first request byte to its record, without nginx.
 *
 * Everything between "bytes came in" and "bytes go out" is decided here, so that tests, fuzzers and `vedette scan` run the same
 * code as the gateway; the nginx module only moves bytes. No I/O, no clock: time comes in, a record line comes out.
 *
 * The order is: exchange_new, exchange_request_head, (exchange_request_body), then either the answer is ours (exchange_answer)
 * or the upstream's: exchange_response_head, exchange_response_feed*, exchange_response_finish; at the end, always and once,
 * exchange_record.
 *
 * What on_failure means here. It speaks about failures of ours: out of memory, a body that could not be gathered, a response of an
 * unknown type or coding, or one that cannot be parsed or is over a limit. Open: it passes and the record says failed_open. Closed: it is
 * refused and the record says failed_closed. It does not speak about
 *   - requests that cannot be read (malformed JSON, a member twice, wrong type or coding): always 4xx, for what we cannot read the
 *     upstream may read in another way;
 *   - requests over a limit (body, nesting, parts, the memory that reading them takes): always 413 or 400, or their size would be a way
 *     around inspection;
 *   - parts that nobody reads yet (images, audio, files): they pass under both and are recorded as inspected in part.
 */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H
#include "base/buf.h"
#include "engine/blocklist.h"
#include "engine/config.h"
#include "record/record.h"
#include "record/seal.h"
#include "wire/wire.h"

struct opinion_memory;

/* What all interactions of one configuration share; immutable but for what shields said, swapped whole on reload. */
struct image {
  const struct config *config;
  const struct vdt_engine *engine;
  struct opinion_memory *memory;   /* of this process; NULL: nothing is remembered */
  _Atomic uint64_t *shield_calls;  /* of these ten seconds, at our Prompt Shields API, by all workers; NULL: not counted */
  _Atomic uint64_t *purview_calls; /* the same at our data-security API */
  const enum config_switch
      *evidence; /* for each deployment, what the plan says about prompt evidence; of this process. NULL: nothing */
  struct sealer *const
      *sealers; /* for each workspace, of this process; NULL, or one that is NULL: there is no key, and no text is kept */
  struct vdt_intel *const *intel;  /* what is known of addresses, of this process; NULL: nothing */
  struct vdt_blocklist *blocklist; /* load_blocklists(); NULL: there is none */
  unsigned char key[32];           /* keys the hash of client credentials; random per installation (state_dir/gateway.key) */
};

struct exchange;

/* random: 16 bytes for the id. scanner is borrowed for the life of the exchange; one scanner may serve many exchanges of one
 * thread. NULL when out of memory. */
struct exchange *exchange_new(const struct image *image, struct vdt_scanner *scanner, const unsigned char random[16],
                              uint64_t now_us);
void exchange_free(struct exchange *x);
/* 32 hex digits, for x-vedette-interaction. */
const char *exchange_id(const struct exchange *x);
/* Name of the workspace that its records are of. */
struct str exchange_workspace(const struct exchange *x);

struct exchange_head {
  struct str method, path, query;
  struct str content_type, content_encoding; /* empty when absent */
  bool ambiguous;                            /* one of the two stands twice: nobody knows which of them counts */
  struct str authorization, api_key;         /* only hashed, never kept */
  struct str user_agent, client_ip;
  struct str if_none_match;
  struct str upgrade;       /* value of the header, where the connection can be taken over (HTTP/1.1, no body) */
  struct str forwarded_for; /* all X-Forwarded-For lines, joined by commas */
  struct str application, end_user, tenant, source_ip, label; /* values of the headers that client_context names */
};

enum exchange_next {
  EXCHANGE_READ_BODY, /* give the body to exchange_request_body before anything goes upstream */
  EXCHANGE_FORWARD, /* from the head: forward the request as it is, recorded as not inspected; from the body: exchange_forward_body() */
  EXCHANGE_ANSWER, /* do not forward: send exchange_answer() */
  EXCHANGE_ASK,    /* from the body: ask exchange_question() first; exchange_opinion_answer or _none say what follows */
};
enum exchange_next exchange_request_head(struct exchange *x, const struct exchange_head *head);

/* The most bytes of body that will be read. */
size_t exchange_max_body(const struct exchange *x);
/* The client's body is larger than that (VDT_ETOOBIG: always refused) or cannot be had (VDT_EIO, VDT_ENOMEM ...: on_failure decides). May
 * also be called after EXCHANGE_FORWARD, when something else fails before the request leaves. why is copied. */
enum exchange_next exchange_request_unreadable(struct exchange *x, int code, const char *why);

/* Inspects the whole body, as it came: a gzip coding that the head named is taken off inside. body must outlive the exchange.
 * EXCHANGE_FORWARD: forward exchange_forward_body(). */
enum exchange_next exchange_request_body(struct exchange *x, struct str body);
/* The body to send upstream, in the client's content coding: *changed is false when it is the client's, byte for byte. */
struct str exchange_forward_body(const struct exchange *x, bool *changed);
/* The deployment that this request goes to; NULL when unknown (then the answer is ours: 404 DeploymentNotFound). Set after the
 * head when the path names it, else after the body. */
const struct config_deployment *exchange_deployment(const struct exchange *x);

/* ---- second opinion (gateway/opinion.h) ------------------------------------------------------------------------- */

/* What an outside shield is to be asked. */
struct exchange_question {
  const struct config_shield *shield;
  const struct vdt_opinion_policy *policy;
  struct str path, query, body; /* path: with the one of the endpoint; body: application/json */
  bool wait;                    /* the request may not go on before the answer is there */
};
/* After exchange_request_body has said EXCHANGE_ASK (then it waits) or EXCHANGE_FORWARD (then it does not): the question, until its
 * answer is there. NULL when there is nothing to ask. Neither called nor answered, the own verdict stands. */
const struct exchange_question *exchange_question(const struct exchange *x);
/* Appends the line that has to be in the journal before the question may leave. */
void exchange_asking(struct exchange *x, uint64_t now_us, struct buf *line);
/* The answer of the shield. Returns what follows for a request that waits; what it returns for another means nothing. */
enum exchange_next exchange_opinion_answer(struct exchange *x, unsigned status, struct str body, uint64_t now_us);
/* There is none, for this reason. */
enum exchange_next exchange_opinion_none(struct exchange *x, enum record_opinion_outcome why, uint64_t now_us);
/* After an answer: appends the record again, as a revision, when it had been written before the answer came; else false. */
bool exchange_revise(struct exchange *x, struct buf *line);

struct exchange_answer {
  unsigned status;
  struct str body; /* application/json */
};
struct exchange_answer exchange_answer(const struct exchange *x);
/* For the header x-ms-error-code of an answer of ours; NULL: none. */
const char *exchange_error_code(const struct exchange *x);
/* For the header ETag of an answer of ours, with its quotes; NULL: none. */
const char *exchange_etag(const struct exchange *x);
/* For the header Retry-After, in seconds; 0: none. */
unsigned exchange_retry_after(const struct exchange *x);

/* ---- response --------------------------------------------------------------------------------------------------- */

enum exchange_mode {
  EXCHANGE_PASS_BODY, /* body bytes go through untouched (unknown type: recorded not inspected) */
  EXCHANGE_STREAM,    /* feed; what comes out of each feed goes to the client at once (SSE) */
  EXCHANGE_WHOLE,     /* feed; the body comes out of finish (JSON; and error bodies, which are read for verdicts) */
  EXCHANGE_REFUSE,    /* policy fails closed on what cannot be inspected: send exchange_answer() instead */
};
/* Before the response's head: the value of the header that client_context names for the upstream's label, or empty. */
void exchange_response_label(struct exchange *x, struct str label);
/* content_encoding is "gzip", "deflate" (inflated inside, within limits), "identity" or empty; anything else cannot be inspected.
 * The caller drops Content-Length, Content-Encoding and ETag when the mode is STREAM or WHOLE. */
enum exchange_mode exchange_response_head(struct exchange *x, unsigned status, struct str content_type,
                                          struct str content_encoding);
/* Appends what may go to the client; nothing of it before finish for WHOLE, unless inspection failed open. After *done nothing more may
 * be sent and the upstream is to be dropped (cut, or failed closed); exchange_response_finish need not be called then. *done is only ever
 * set to true. VDT_ENOMEM: out has failed, the connection is to be closed. */
int exchange_response_feed(struct exchange *x, struct str in, struct buf *out, bool *done);
/* truncated: the upstream broke off. A WHOLE body that did not come whole is replaced by a 502 of ours. */
int exchange_response_finish(struct exchange *x, bool truncated, struct buf *out);
/* Status for the client; differs from the upstream's only for REFUSE, or when a WHOLE body had to be refused in finish. */
unsigned exchange_status(const struct exchange *x);

/* The verdict as it stands, for x-vedette-verdict. For STREAM responses the header leaves before the text is known: it says what
 * the request gave. */
enum record_verdict exchange_verdict(const struct exchange *x);

/* ---- sessions (gateway/session.h) -------------------------------------------------------------------------------- */

/* The request asks for a session; its upstream has to answer 101. */
bool exchange_is_session(const struct exchange *x);
/* It did: x is the first turn. False when out of memory. */
bool exchange_session_open(struct exchange *x);
/* The next turn, when before is over: the same client and deployment, another id. NULL when out of memory. */
struct exchange *exchange_turn(struct exchange *before, const unsigned char random[16], uint64_t now_us);
/* The most bytes of an event of the upstream. */
size_t exchange_max_answer(const struct exchange *x);
/* Nothing may go on unrecorded. */
bool exchange_needs_record(const struct exchange *x);
/* No answer is under way. */
bool exchange_is_idle(const struct exchange *x);

/* What the user said in earlier turns, as far as it counts for what is said now. */
enum { EXCHANGE_PAST = 32 };
struct exchange_past {
  struct buf text;
  size_t ends[EXCHANGE_PAST], n;
};
void exchange_past_finish(struct exchange_past *past);

enum event_next {
  EVENT_PASS,    /* text goes on */
  EVENT_STOPPED, /* policy stops it: the client is told */
  EVENT_REFUSED, /* it cannot be read: the client is told */
  EVENT_END,     /* the client is told, and the session ends */
};
/* What becomes of an event. Strings are the exchange's, or as long-lived as the event. */
struct exchange_event {
  enum event_next next;
  struct str text;
  struct str type, about; /* of the client's event: its type and event_id */
  int code;
  const char *message;              /* REFUSED, END */
  const struct wire_shield *shield; /* STOPPED */
};
void exchange_session_in(struct exchange *x, struct exchange_past *past, struct str text, struct exchange_event *out);
/* An event of the upstream: PASS with what goes to whom in *m, or END. */
void exchange_session_out(struct exchange *x, struct str text, struct wire_message *m, struct exchange_event *out);
/* What the user was heard saying: PASS, STOPPED (then exchange_session_stop), or END. */
void exchange_session_heard(struct exchange *x, struct exchange_past *past, struct str said, struct exchange_event *out);
/* Ends the answers under way as a cut does. */
int exchange_session_stop(struct exchange *x, struct wire_message *m);

/* ---- timing and the record -------------------------------------------------------------------------------------- */

void exchange_add_inspect_us(struct exchange *x, uint64_t us);
void exchange_first_byte(struct exchange *x, uint64_t now_us);
/* What went to the upstream and what came from there by now, heads included. Call before exchange_record. */
void exchange_transfer(struct exchange *x, uint64_t sent, uint64_t received);
/* Appends the record line. Call once. outcome is what the caller saw; our own answers are REFUSED or COMPLETE by themselves. */
void exchange_record(struct exchange *x, enum record_outcome outcome, uint64_t now_us, struct buf *line);
#endif
