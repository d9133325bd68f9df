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

/* A text that somebody wants to know about. */
struct workbench_text {
  struct str text, as, deployment; /* deployment empty: the first that may be seen */
  const char *const *workspaces;   /* whose deployments may be seen, n_workspaces of them */
  size_t n_workspaces;
};

/*
 * Engine and configuration as the worker needs them; who links them gives them to serve, the API includes neither. Called by the worker's thread
 * only. They load what they need at the first call. ENOTFOUND: there is no such deployment (in these workspaces); EINVAL with a sentence about the
 * request; anything else: they could not be loaded, and err says why without quoting a text.
 */
struct workbench {
  void *ctx;
  int (*scan)(void *ctx, const struct workbench_text *text, struct buf *out, struct vdt_error *err);
  void (*rest)(void *ctx); /* nothing was asked for a while: gives the memory back */
};

struct work {
  void (*run)(struct work *w, const struct workbench *bench); /* fills in response */
  void (*drop)(struct work *w);                               /* frees it, run or not */
  struct api_response response;
  /* Set by who gives it to the worker. */
  void (*done)(void *ctx); /* called by the worker's thread when response is there */
  void *ctx;
  struct work *next;
};

/* bench is borrowed; its rest() is called after so many idle milliseconds, and at the end. */
int worker_new(const struct workbench *bench, unsigned rest_ms, struct worker **out, struct vdt_error *err);
/* false: too many wait already; the work is still the caller's. */
bool worker_give(struct worker *w, struct work *work);
/* Answers what waits with 503 and ends the thread. Accepts NULL. */
void worker_stop(struct worker *w);
void worker_free(struct worker *w);
#endif
