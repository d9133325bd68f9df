/*
 * What the files of the nginx module share. A gate is one request on its way through a protected location: it moves bytes between
 * nginx and the exchange, and decides nothing.
 *
 *   ngx_http_vedette_module.c  directives, variables, start of a worker
 *   ngx_gate.c                 begin and end of a gate, its record in the journal
 *   ngx_gate_request.c         access phase: read, inspect, answer or forward
 *   ngx_gate_response.c        header and body filter
 *   ngx_gate_session.c         the bytes of a WebSocket session
 *   opinion_ngx.c              carries questions to outside shields and answers back
 *
 * nginx's headers come first: they use names that base/banned.h takes away.
 */
#ifndef GATEWAY_NGX_GATE_H
#define GATEWAY_NGX_GATE_H
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "gateway/exchange.h"
#include "gateway/intel.h"
#include "gateway/plan.h"
#include "gateway/session.h"

extern ngx_module_t ngx_http_vedette_module;

/* One http{} block: what all its protected locations share. Built by the master, read by the workers. */
struct gate_main {
  struct image image;
  struct config *config; /* NULL: no vedette_config */
  struct vdt_engine *engine;
  ngx_str_t *keys;          /* for each deployment the key that replaces the client's, or empty */
  ngx_str_t *shield_keys;   /* for each shield the value of the header that its key stands in, or empty */
  _Atomic uint64_t *budget; /* for each policy the questions of this minute; memory that all workers share */
  ngx_fd_t spool;           /* directory of the journals; NGX_INVALID_FILE: no vedette_spool */
  ngx_str_t spool_path;
  ngx_fd_t *journals;              /* for each workspace the directory of its journals */
  struct seal_public *public_keys; /* for each workspace what its evidence is sealed to; without an id where there is none */
  struct sealer **sealers;         /* what image.sealers points at; each worker makes its own */
  enum config_switch *evidence;    /* what image.evidence points at; each worker has its own */
};

struct gate_location {
  ngx_flag_t on;
};

/* One worker process. */
struct gate_worker {
  struct vdt_scanner *scanner;
  struct journal *journals; /* one per workspace */
  size_t n_journals;
  uint64_t lost;     /* records of which there is not even a line */
  bool failing;      /* the last record could not be written */
  time_t complained; /* when that was last said in the log */
  unsigned char random[4096];
  size_t random_left;
  struct plan_seen plan;
  struct intel_seen intel_seen;
  struct vdt_intel *intel; /* what image.intel points at */
  time_t plan_checked;
  struct sealer **sealers;
  size_t n_sealers;
  ngx_event_t prepare; /* new data keys, between two requests */
};

enum gate_step {
  GATE_BEGUN,     /* nothing decided */
  GATE_BODY_READ, /* the request body is there and was inspected; next says what follows */
  GATE_DECIDED,
};

enum gate_body {
  GATE_PASS,    /* bytes go through untouched; only the end is watched for */
  GATE_STREAM,  /* through the exchange, released as they come */
  GATE_WHOLE,   /* through the exchange; header and body leave together at the end */
  GATE_REPLACE, /* answer goes out in place of whatever nginx or the upstream has */
  GATE_SESSION, /* the upstream has taken up a WebSocket session: its bytes do not come through the filters */
};

struct gate {
  ngx_http_request_t *r;
  const struct gate_main *main;
  struct exchange *x;
  const struct config_deployment *deployment; /* where a forwarded request goes */
  enum gate_step step;
  enum exchange_next next;
  size_t body_max, body_seen; /* of the request; 0: not counted */
  struct buf body;            /* the request body, where nginx has it in pieces or in a file */

  ngx_http_request_t *ask; /* the subrequest to an outside shield; NULL: none is under way */
  ngx_event_t deadline;    /* of that */
  bool waiting;            /* the request goes on when its answer is there */
  struct buf said;         /* the body of its answer */

  enum gate_body mode;
  bool head_seen; /* the header filter has run */
  bool head_sent;
  bool flushed; /* a flush has gone out after the header */
  bool from_upstream;
  bool ended; /* the last byte has been handed on, or will be with out; input is thrown away */
  bool recorded;
  struct str answer;  /* GATE_REPLACE */
  ngx_chain_t *in;    /* input that waits until out has left */
  struct buf out;     /* what the exchange released and the client's connection has not taken yet */
  ngx_buf_t *sending; /* describes out while it is on its way */

  struct session *session;
  ngx_recv_pt recv[2]; /* how nginx reads from each side; NULL: not taken over */
  bool gone[2];        /* the side has closed its connection */
  size_t taken[2];     /* bytes of what waits for a side that nginx has taken */
};

extern struct gate_worker gate_worker;

/* ---- ngx_gate.c ---- */

/* The gate of this request, also behind an internal redirect; or NULL. */
struct gate *gate_find(ngx_http_request_t *r);
/* Makes one, and takes in the request head: g->next. NULL when out of memory. */
struct gate *gate_begin(ngx_http_request_t *r);
/* Writes the record, once; later calls do nothing. */
void gate_record(struct gate *g, enum record_outcome outcome);
/* Bytes to and from the upstream so far, heads included, of all tries. */
void gate_moved(const struct gate *g, uint64_t *sent, uint64_t *received);
/* Appends a line to the journal and frees it. false: it is not in the journal; that is counted and said. */
bool gate_append(const struct gate *g, struct buf *line);
ngx_int_t gate_worker_start(ngx_cycle_t *cycle, const struct gate_main *main);
void gate_worker_stop(void);
/* Sends an answer of ours; returns what ngx_http_finalize_request wants. */
ngx_int_t gate_send_answer(struct gate *g, ngx_uint_t status, struct str body);

/* ---- ngx_gate_request.c ---- */

ngx_int_t gate_access(ngx_http_request_t *r);
/* Before all other phases, and at a location that is inspected: the error log is told no query strings. */
ngx_int_t gate_log_begin(ngx_http_request_t *r);
void gate_install_request_filter(void);
/* The named location PREFIX NAME of this server, or NULL. */
ngx_http_core_loc_conf_t *gate_named_location(ngx_http_request_t *r, struct str prefix, struct str name);

/* The subprotocols of a session as they go upstream: without the client's key where the deployment has one of its own. */
ngx_str_t gate_protocol(const struct gate *g);
/* 16 random bytes, or NULL. */
const unsigned char *gate_random(void);

/* ---- ngx_gate_session.c ---- */

/* The upstream has answered 101. NGX_OK, or NGX_ERROR: it may not go on. */
ngx_int_t gate_session_begin(struct gate *g);
/* Once the header has left: from now on what nginx reads from either side went through the session. */
void gate_session_take_over(struct gate *g);
/* The request is over: records, and gives nginx its functions back. */
void gate_session_end(struct gate *g);

/* ---- opinion_ngx.c ---- */

/* Sends the exchange's question, if it has one, on its way: g->waiting says whether the request has to wait. Whatever cannot be sent is
 * settled at once, and g->next says what follows. */
void gate_ask(struct gate *g);
/* The header of a subrequest is there. */
void gate_opinion_head(ngx_http_request_t *sr);
/* Takes the body of a subrequest that is a question; false: it is none. */
bool gate_take_opinion(ngx_http_request_t *sr, ngx_chain_t *in);
/* The request is over: nobody waits for an answer any more. */
void gate_ask_end(struct gate *g);
/* Reads the keys of the shields and makes the budgets; in the master. NULL or NGX_CONF_ERROR, said. */
char *gate_take_shields(ngx_conf_t *cf, struct gate_main *m);
/* Value of an environment variable that holds a key, copied; logs what is wrong with it. */
bool gate_take_key(ngx_conf_t *cf, const char *whose, const char *name, const char *env, struct str before, ngx_str_t *out);

/* ---- ngx_gate_response.c ---- */

void gate_install_response_filters(void);

static inline ngx_str_t gate_ngx(struct str s)
{
  ngx_str_t t;
  t.len = s.n;
  t.data = (u_char *)(uintptr_t)s.p;
  return t;
}

static inline struct str gate_str(ngx_str_t s)
{
  return (struct str){(const char *)s.data, s.len};
}
#endif
