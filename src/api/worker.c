#include "api/worker.h"
#include "base/error.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct worker {
  const struct workbench *bench;
  unsigned rest_ms;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct work *first, **last;
  size_t waiting;
  bool working, stopping, started;
};

/* Waits for work. NULL: stopping, or *idle: nothing came for rest_ms. */
static struct work *take(struct worker *w, bool rested, bool *idle)
{
  struct timespec until;
  int rc = 0;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += w->rest_ms / 1000;
  until.tv_nsec += (long)(w->rest_ms % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(&w->lock);
  w->working = false;
  while (!w->first && !w->stopping && rc != ETIMEDOUT)
    rc = rested ? pthread_cond_wait(&w->changed, &w->lock) : pthread_cond_timedwait(&w->changed, &w->lock, &until);
  struct work *work = w->stopping ? NULL : w->first;
  *idle = !work && !w->stopping;
  if (work) {
    w->first = work->next;
    if (!w->first) w->last = &w->first;
    w->waiting--;
    w->working = true;
  }
  pthread_mutex_unlock(&w->lock);
  return work;
}

static void *work_on(void *arg)
{
  struct worker *w = arg;
  bool idle = false, rested = true;
  for (struct work *work; (work = take(w, rested, &idle)) || idle;) {
    rested = idle;
    if (work) {
      work->run(work, w->bench);
      work->done(work->ctx);
    } else if (w->bench->rest) {
      w->bench->rest(w->bench->ctx);
    }
  }
  if (w->bench->rest) w->bench->rest(w->bench->ctx);
  return NULL;
}

/* Signals are the main thread's: its mask is inherited, whatever the caller's was. */
static int start(struct worker *w)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&w->thread, NULL, work_on, w);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  w->started = rc == 0;
  return rc;
}

int worker_new(const struct workbench *bench, unsigned rest_ms, struct worker **out, struct vdt_error *err)
{
  struct worker *w = calloc(1, sizeof *w);
  pthread_condattr_t monotonic;
  if (!w) return error_set(err, VDT_ENOMEM, "out of memory");
  *w = (struct worker){.bench = bench, .rest_ms = rest_ms, .last = &w->first};
  pthread_mutex_init(&w->lock, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&w->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  *out = w;
  return start(w) ? error_set(err, VDT_EIO, "a thread cannot be started") : VDT_OK;
}

bool worker_give(struct worker *w, struct work *work)
{
  pthread_mutex_lock(&w->lock);
  bool room = w->waiting < WORKER_WAITING && !w->stopping;
  if (room) {
    work->next = NULL;
    *w->last = work;
    w->last = &work->next;
    w->waiting++;
    pthread_cond_signal(&w->changed);
  }
  pthread_mutex_unlock(&w->lock);
  return room;
}

size_t worker_load(struct worker *w)
{
  pthread_mutex_lock(&w->lock);
  size_t load = w->waiting + w->working;
  pthread_mutex_unlock(&w->lock);
  return load;
}

void worker_stop(struct worker *w)
{
  if (!w || !w->started) return;
  pthread_mutex_lock(&w->lock);
  w->stopping = true;
  pthread_cond_signal(&w->changed);
  pthread_mutex_unlock(&w->lock);
  pthread_join(w->thread, NULL);
  w->started = false;
  while (w->first) {
    struct work *work = w->first;
    w->first = work->next;
    api_error(&work->response, 503, "ServiceUnavailable", "The control process is stopping; try again.");
    work->done(work->ctx);
  }
}

void worker_free(struct worker *w)
{
  if (!w) return;
  worker_stop(w);
  pthread_cond_destroy(&w->changed);
  pthread_mutex_destroy(&w->lock);
  free(w);
}

/* ---- what works have in common ---------------------------------------------------------------------------------- */

bool worker_view_make(const struct api *api, struct worker_view *out)
{
  *out = (struct worker_view){.names = calloc(api->n_stores + 1, sizeof *out->names),
                              .workspaces = calloc(api->n_stores + 1, sizeof *out->workspaces)};
  if (!out->names || !out->workspaces) {
    worker_view_finish(out);
    return false;
  }
  for (size_t i = 0; i < api->n_stores; i++) {
    struct str name = api->stores[i]->place.workspace;
    snprintf(out->names[i], sizeof out->names[i], "%.*s", (int)name.n, name.p);
    out->workspaces[i] = out->names[i];
  }
  out->view = (struct workbench_view){out->workspaces, api->n_stores};
  return true;
}

void worker_view_finish(struct worker_view *v)
{
  free(v->names);
  free(v->workspaces);
  *v = (struct worker_view){0};
}

void worker_failed(struct api_response *response, const char *what, const struct vdt_error *err)
{
  if (err->text[0]) fprintf(stderr, "vedette serve: %s: %s%s%s\n", what, err->file, err->file[0] ? ": " : "", err->text);
  api_error(response, 503, "EngineUnavailable",
            "The engine cannot be used with the rules and the configuration of now; logs/serve.log says why.");
}
