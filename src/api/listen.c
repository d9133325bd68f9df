/* Listeners and the thread that wakes them, see listen.h. It reads counters, never a store. */
#include "api/listen.h"
#include "base/clock.h"
#include "base/error.h"
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

static const uint64_t SECOND = 1000000;

struct listener {
  struct listeners *of;
  struct listener *next;
  unsigned char tie[SESSION_TIE];
  char session[SESSION_TEXT]; /* what the cookie says; all zero: a token, which is asked for again after LISTEN_LIFE_S */
  size_t n;
  const _Atomic uint64_t **changed;
  uint64_t told, began_us, spoke_us; /* the sum of changed[] that was told; monotonic */
  bool greeted, over;
  bool rests;
  struct listen_rest how; /* while it rests */
};

struct listeners {
  struct auth *auth;
  uint64_t boot; /* another after each start: counters begin anew */
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t turn;
  struct listener *first; /* newest first */
  size_t n;
  bool started, closed, stop;
};

/* Two threads look at the clock: what was said may be a moment ahead. */
static uint64_t since(uint64_t now_us, uint64_t then_us)
{
  return now_us > then_us ? now_us - then_us : 0;
}

static uint64_t sum(const struct listener *l)
{
  uint64_t n = 0;
  for (size_t i = 0; i < l->n; i++) n += *l->changed[i];
  return n;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static bool is_due(const struct listener *l, uint64_t now_us)
{
  return l->over || sum(l) != l->told || since(now_us, l->spoke_us) >= LISTEN_BEAT_S * SECOND;
}

static void wake(struct listener *l)
{
  if (l->rests) l->how.wake(l->how.ctx);
  l->rests = false;
}

static void *run(void *arg)
{
  struct listeners *ls = arg;
  struct timespec until;
  pthread_mutex_lock(&ls->lock);
  while (!ls->stop) {
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)LISTEN_TICK_MS * 1000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_cond_timedwait(&ls->turn, &ls->lock, &until);
    uint64_t now = clock_mono_us();
    for (struct listener *l = ls->first; l; l = l->next)
      if (l->rests && is_due(l, now)) wake(l);
  }
  pthread_mutex_unlock(&ls->lock);
  return NULL;
}

int listeners_new(struct auth *auth, struct listeners **out, struct vdt_error *err)
{
  struct listeners *ls = calloc(1, sizeof *ls);
  pthread_condattr_t monotonic;
  sigset_t all, before;
  if (!ls) return error_set(err, VDT_ENOMEM, "out of memory");
  *ls = (struct listeners){.auth = auth};
  randombytes_buf(&ls->boot, sizeof ls->boot);
  pthread_mutex_init(&ls->lock, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&ls->turn, &monotonic);
  pthread_condattr_destroy(&monotonic);
  *out = ls;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  ls->started = pthread_create(&ls->thread, NULL, run, ls) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return ls->started ? VDT_OK : error_set(err, VDT_EIO, "a thread cannot be started");
}

void listeners_hang_up(struct listeners *ls)
{
  if (!ls) return;
  pthread_mutex_lock(&ls->lock);
  ls->closed = true;
  for (struct listener *l = ls->first; l; l = l->next) {
    l->over = true;
    wake(l);
  }
  pthread_mutex_unlock(&ls->lock);
}

void listeners_free(struct listeners *ls)
{
  if (!ls) return;
  pthread_mutex_lock(&ls->lock);
  ls->stop = true;
  pthread_cond_signal(&ls->turn);
  pthread_mutex_unlock(&ls->lock);
  if (ls->started) pthread_join(ls->thread, NULL);
  pthread_cond_destroy(&ls->turn);
  pthread_mutex_destroy(&ls->lock);
  free(ls);
}

size_t listeners_count(struct listeners *ls)
{
  pthread_mutex_lock(&ls->lock);
  size_t n = ls->n;
  pthread_mutex_unlock(&ls->lock);
  return n;
}

/* ---- coming and going -------------------------------------------------------------------------------------------- */

static void forget(struct listener *l)
{
  sodium_memzero(l->session, sizeof l->session);
  free(l->changed);
  free(l);
}

static struct listener *make(struct listeners *ls, const struct api *api, const struct api_request *r)
{
  struct listener *l = calloc(1, sizeof *l);
  uint64_t now = clock_mono_us();
  if (!l || !(l->changed = calloc(api->n_stores + 1, sizeof *l->changed))) {
    free(l);
    return NULL;
  }
  for (size_t i = 0; i < api->n_stores; i++)
    if (api->stores[i]->changed) l->changed[l->n++] = api->stores[i]->changed;
  l->of = ls;
  memcpy(l->tie, r->grant->tie, sizeof l->tie);
  if (r->session.n == SESSION_TEXT) memcpy(l->session, r->session.p, SESSION_TEXT);
  l->began_us = l->spoke_us = now;
  l->told = sum(l);
  return l;
}

/* "BOOT-SUM" of an earlier connection. Something else, or another sum: it missed something, and is told at once. */
static void put_id(const struct listener *l, uint64_t of, char out[48])
{
  snprintf(out, 48, "%016llx-%llu", (unsigned long long)l->of->boot, (unsigned long long)of);
}

static void catch_up(struct listener *l, struct str last)
{
  char now[48];
  put_id(l, l->told, now);
  if (last.n && !str_eq(last, str_of(now))) l->told = UINT64_MAX;
}

/* Who comes last is who is really there: of one token's the oldest goes. */
static bool let_in(struct listeners *ls, struct listener *l)
{
  struct listener *oldest = NULL;
  size_t own = 0;
  for (struct listener *i = ls->first; i; i = i->next)
    if (!i->over && memcmp(i->tie, l->tie, sizeof l->tie) == 0) own++, oldest = i;
  if (ls->closed || ls->n >= LISTENERS_MAX) return false;
  if (own >= LISTENERS_EACH) {
    oldest->over = true;
    wake(oldest);
  }
  l->next = ls->first;
  ls->first = l;
  ls->n++;
  return true;
}

struct listener *listener_new(struct listeners *ls, const struct api *api, const struct api_request *r,
                              struct api_response *response)
{
  struct listener *l = make(ls, api, r);
  if (!l) {
    api_error(response, 503, "ServiceUnavailable", "Out of memory.");
    return NULL;
  }
  catch_up(l, r->last_event);
  pthread_mutex_lock(&ls->lock);
  bool in = let_in(ls, l);
  pthread_mutex_unlock(&ls->lock);
  if (in) return l;
  forget(l);
  response->retry_after_s = 30;
  api_error(response, 503, "TooManyListeners", "%d listen already; ask for the alerts every few seconds instead.", LISTENERS_MAX);
  return NULL;
}

void listener_free(struct listener *l)
{
  if (!l) return;
  struct listeners *ls = l->of;
  pthread_mutex_lock(&ls->lock);
  for (struct listener **at = &ls->first; *at; at = &(*at)->next)
    if (*at == l) {
      *at = l->next;
      ls->n--;
      break;
    }
  pthread_mutex_unlock(&ls->lock);
  forget(l);
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

/* Whoever listens may still: a session is asked about, without counting as used; a token shows itself again when this ends. */
static bool still_may(struct listener *l, uint64_t now_us)
{
  if (since(now_us, l->began_us) >= LISTEN_LIFE_S * SECOND) return false;
  return !l->session[0] || auth_session_holds(l->of->auth, (struct str){l->session, SESSION_TEXT});
}

static int put_event(struct listener *l, char out[LISTEN_TEXT])
{
  char id[48];
  put_id(l, l->told, id);
  return snprintf(out, LISTEN_TEXT, "id: %s\nevent: alerts\ndata: changed\n\n", id);
}

/* Resting begins under the lock, so that it cannot be woken before. */
enum listen_next listener_next(struct listener *l, uint64_t now_us, const struct listen_rest *how, char out[LISTEN_TEXT],
                               size_t *n)
{
  enum listen_next next = LISTEN_SAY;
  int said = 0;
  pthread_mutex_lock(&l->of->lock);
  uint64_t now = sum(l);
  bool beat = since(now_us, l->spoke_us) >= LISTEN_BEAT_S * SECOND;
  if (l->over || (l->greeted && (now != l->told || beat) && !still_may(l, now_us))) next = LISTEN_END;
  else if (!l->greeted) said = snprintf(out, LISTEN_TEXT, "retry: 3000\n: listening\n\n");
  else if (now != l->told) l->told = now, said = put_event(l, out);
  else if (beat) said = snprintf(out, LISTEN_TEXT, ": still here\n\n");
  else next = LISTEN_REST;
  if (next == LISTEN_SAY) l->greeted = true, l->spoke_us = now_us;
  if (next == LISTEN_REST) l->how = *how, l->rests = true, how->rest(how->ctx);
  pthread_mutex_unlock(&l->of->lock);
  *n = (size_t)said;
  return next;
}

void api_events(struct api *api, const struct api_request *r, struct api_response *response)
{
  if (api->listeners) response->listener = listener_new(api->listeners, api, r, response);
  else api_error(response, 503, "TooManyListeners", "Nobody can listen here; ask for the alerts every few seconds instead.");
}
