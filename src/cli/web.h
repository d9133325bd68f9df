/*
 * A small HTTP client for commands that talk to a gateway or to the control API: one connection that stays open, over TCP, TLS or a Unix socket.
 * Nothing of a request or an answer is logged.
 */
#ifndef CLI_WEB_H
#define CLI_WEB_H
#include "base/buf.h"
#include "vedette/vedette.h"

enum { WEB_BODY_MAX = 64 << 20 };

struct web_target {
  const char *url;    /* "http://127.0.0.1:8080", without a path */
  const char *socket; /* a Unix socket to use instead of the URL's host, or NULL */
  const char *trust;  /* PEM file of certificates to trust, or NULL: the system's */
  bool pinned;        /* the certificate is to be one of trust's, whatever host it names */
  unsigned seconds;   /* the longest that one call may take */
};

struct web_answer {
  unsigned status;
  struct buf head, body;
};

struct web;
/* The target's texts are borrowed. NULL: out of memory. */
struct web *web_new(const struct web_target *target);
void web_free(struct web *w);

/* headers: "Name: value", NULL-terminated. A body that is there is sent as JSON. Empties the answer first; web_answer_finish frees it. EIO with
 * words when there is no answer: nobody listens, the connection broke, it took too long, it is larger than WEB_BODY_MAX. */
int web_call(struct web *w, const char *method, const char *path, const char *const *headers, struct str body,
             struct web_answer *answer, struct vdt_error *err);
/* The value of a header, or empty. */
struct str web_header(const struct web_answer *answer, const char *name);
void web_answer_finish(struct web_answer *answer);
#endif
