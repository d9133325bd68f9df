/*
 * The worker: a thread for what takes long, so that other requests do not wait for it, and the workbench that it works with.
 *
 * A handler that has something for it puts a struct work into its response; http.c lets the connection rest until it is done. At most
 * WORKER_WAITING wait, one is worked on. What is asked about (a text to scan) lives in the work alone, and is wiped with it.
 */
#ifndef API_WORKER_H
#define API_WORKER_H
#include "api/api.h"

enum { WORKER_WAITING = 16 };

/* Whose deployments may be seen. */
struct workbench_view {
  const char *const *workspaces;
  size_t n;
};

/* A text that somebody wants to know about. */
struct workbench_text {
  struct str text, as, deployment;      /* deployment empty: the first that may be seen */
  struct str user, application, tenant; /* as if they had asked; all empty: policies about data do not count */
  struct workbench_view view;
};

/* Rules that somebody wants to see. */
struct workbench_rules {
  struct str detector, word; /* empty: any; word: in its name, title, category or file, without ASCII case */
  size_t skip, top;
  const struct store_hits *hits; /* of the stores, in any order */
  size_t n_hits;
};

/*
 * Engine and configuration as the worker needs them; who links them gives them to serve, the API includes neither. Called by the worker's thread
 * only. They load what they need at the first call. ENOTFOUND: there is no such deployment (in these workspaces); EINVAL with a sentence about the
 * request; anything else: they could not be loaded, and err says why without quoting a text.
 */
struct workbench {
  void *ctx;
  int (*scan)(void *ctx, const struct workbench_text *text, struct buf *out, struct vdt_error *err);
  int (*summary)(void *ctx, const struct workbench_rules *q, struct buf *out, struct vdt_error *err);
  int (*rules)(void *ctx, const struct workbench_rules *q, struct buf *out, struct vdt_error *err);
  int (*policies)(void *ctx, const struct workbench_view *view, struct buf *out, struct vdt_error *err);
  void (*rest)(void *ctx); /* nothing was asked for a while: gives the memory back */
};

struct work {
  void (*run)(struct work *w, const struct workbench *bench); /* fills in response */
  void (*drop)(struct work *w);                               /* frees it, run or not */
  void (*finish)(struct work *w, struct api *api);            /* or NULL: the last of it, in the API's thread */
  struct api_response response;
  struct worker *by; /* which one does it; NULL: the one with the engine */
  /* Set by who gives it to the worker. */
  void (*done)(void *ctx); /* called by the worker's thread when response is there */
  void *ctx;
  struct work *next;
};

/* A view of the stores of api, of malloc: for works, which live longer than the request. false: out of memory; then there is nothing to free. */
struct worker_view {
  struct workbench_view view;
  char (*names)[64];
  const char **workspaces;
};
bool worker_view_make(const struct api *api, struct worker_view *out);
void worker_view_finish(struct worker_view *v);
/* What a handler gives back when the engine or the configuration cannot be used: says why in the log, not in the answer. */
void worker_failed(struct api_response *response, const char *what, const struct vdt_error *err);

/* bench is borrowed; its rest() is called after so many idle milliseconds, and at the end. */
int worker_new(const struct workbench *bench, unsigned rest_ms, struct worker **out, struct vdt_error *err);
/* false: too many wait already; the work is still the caller's. */
bool worker_give(struct worker *w, struct work *work);
/* How many works wait or are being done. */
size_t worker_load(struct worker *w);
/* Answers what waits with 503 and ends the thread. Accepts NULL. */
void worker_stop(struct worker *w);
void worker_free(struct worker *w);
#endif
