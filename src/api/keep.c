#include "api/keep.h"
#include "api/keep_files.h"
#include "base/clock.h"
#include "base/error.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A clock that goes on more than this faster than the steady one has been set: nothing expires until it has run steadily for so long again, because
 * it may have been set wrong. */
enum { TRIES = 600, FILE_TRIES = 20, PAUSE_NS = 100000000 };
static const uint64_t JUMP_US = UINT64_C(3600000000);

/* ---- one workspace ---------------------------------------------------------------------------------------------- */

static bool wants_stop(const struct keep_wish *w, struct keep_done *d)
{
  d->stopped = d->stopped || (w->stop && w->stop(w->ctx));
  return d->stopped;
}

/* Others write too: a step that had to wait too long for them is tried again for a while. */
static bool again(int rc, unsigned *tries)
{
  if (rc != VDT_EIO || ++*tries > TRIES) return false;
  nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
  return true;
}

static int expire(struct store *s, uint64_t now_us, const struct keep_wish *w, struct keep_done *d, struct vdt_error *err)
{
  struct store_expiry e = {.now_us = now_us, .limit = KEEP_STEP_ROWS};
  unsigned tries = 0;
  int rc;
  do rc = s->ops->expire(s, &e, err);
  while ((again(rc, &tries) || (!rc && e.more)) && !wants_stop(w, d));
  memcpy(d->removed, e.removed, sizeof d->removed);
  return rc;
}

/* Each purge looks twice in vain; between the two what was on its way into the store when it was asked for arrives. */
static int purge(const char *state_dir, struct store *s, const struct keep_wish *w, struct keep_done *d, struct vdt_error *err)
{
  enum store_purge_step at = STORE_PURGE_SOME;
  int rc;
  unsigned tries = 0;
  do {
    bool settled = at == STORE_PURGE_LOOKED;
    rc = settled ? keep_wait_for_journals(state_dir, s, w, err) : VDT_OK;
    if (!rc && wants_stop(w, d)) break;
    if (!rc) rc = s->ops->purge(s, KEEP_STEP_ROWS, settled, &at, err);
  } while ((again(rc, &tries) || (!rc && at != STORE_PURGE_NONE)) && !wants_stop(w, d));
  return rc;
}

static int wipe_files(const char *state_dir, struct store *s, uint64_t now_us, bool purged, const struct keep_wish *w,
                      struct keep_done *d, struct vdt_error *err)
{
  unsigned tries = TRIES - FILE_TRIES;
  int rc;
  do {
    rc = keep_files(state_dir, s, now_us, purged, err);
    if (!rc) rc = keep_shared_files(state_dir, w->all, w->n_all, now_us, purged, err);
  } while (again(rc, &tries) && !wants_stop(w, d));
  return rc;
}

static int scrub(const char *state_dir, struct store *s, uint64_t now_us, bool purged, const struct keep_wish *w,
                 struct keep_done *d, struct vdt_error *err)
{
  struct store_scrub at = {0};
  int rc = wipe_files(state_dir, s, now_us, purged, w, d, err);
  unsigned tries = 0;
  while (!rc && !at.done && !wants_stop(w, d)) {
    rc = s->ops->scrub(s, &at, err);
    if (again(rc, &tries)) rc = VDT_OK;
  }
  d->scrubbed = !rc && at.done;
  return rc || !at.done ? rc : s->ops->finish_purges(s, now_us, err);
}

int keep_work(const char *state_dir, struct store *s, uint64_t now_us, const struct keep_wish *w, struct keep_done *d,
              struct vdt_error *err)
{
  bool expired = false, purged = false;
  struct vdt_error later = {0};
  *d = (struct keep_done){0};
  int first = w->expire ? expire(s, now_us, w, d, err) : VDT_OK, rc = first == VDT_ESTATE ? VDT_OK : first;
  if (!rc) rc = purge(state_dir, s, w, d, first ? &later : err);
  if (!rc) rc = s->ops->wants_scrub(s, &expired, &purged, first ? &later : err);
  if (!rc && !d->stopped && (purged || (w->scrub && expired)))
    rc = scrub(state_dir, s, now_us, purged, w, d, first ? &later : err);
  return first ? first : rc;
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

struct keep {
  const char *state_dir;
  struct store **stores;
  size_t n;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  bool woken;
  atomic_bool stop;
  uint64_t expired_us, scrubbed_us, complained_us; /* steady clock */
  uint64_t wall_us, steady_us, steady_since_us;    /* at the last look; steady clock since when the wall clock has not been set */
};

static bool should_stop(void *ctx)
{
  return atomic_load(&((struct keep *)ctx)->stop);
}

static bool clock_is_steady(struct keep *k, uint64_t wall, uint64_t steady)
{
  bool jumped = k->steady_us && wall > k->wall_us + (steady - k->steady_us) + JUMP_US;
  k->wall_us = wall;
  k->steady_us = steady;
  if (jumped) {
    k->steady_since_us = steady;
    fprintf(stderr, "vedette serve: the clock was set ahead by more than an hour; nothing expires in the next hour\n");
  }
  return !k->steady_since_us || steady - k->steady_since_us >= JUMP_US;
}

static void complain(struct keep *k, uint64_t steady, const struct vdt_error *err)
{
  if (k->complained_us && steady - k->complained_us < 60 * UINT64_C(1000000)) return;
  k->complained_us = steady;
  fprintf(stderr, "vedette serve: retention: %s; trying again\n", err->text);
}

static void look(struct keep *k)
{
  uint64_t wall = clock_unix_us(), steady = clock_mono_us();
  bool due = !k->expired_us || steady - k->expired_us >= KEEP_EXPIRE_US;
  bool deep = !k->scrubbed_us || steady - k->scrubbed_us >= (uint64_t)KEEP_SCRUB_US;
  struct keep_wish w = {.expire = due && clock_is_steady(k, wall, steady),
                        .scrub = due && deep,
                        .stop = should_stop,
                        .ctx = k,
                        .all = k->stores,
                        .n_all = k->n};
  bool failed = false;
  for (size_t i = 0; i < k->n && !atomic_load(&k->stop); i++) {
    struct keep_done d;
    struct vdt_error err = {0};
    int rc = keep_work(k->state_dir, k->stores[i], wall, &w, &d, &err);
    if (rc) complain(k, steady, &err);
    failed = failed || rc;
  }
  if (due) k->expired_us = steady;
  if (w.scrub && !failed) k->scrubbed_us = steady;
}

/* Once a second it looks for purges, which is one short question. */
static void sleep_on(struct keep *k)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 1;
  pthread_mutex_lock(&k->lock);
  if (!k->woken && !atomic_load(&k->stop)) pthread_cond_timedwait(&k->wake, &k->lock, &until);
  k->woken = false;
  pthread_mutex_unlock(&k->lock);
}

static void *run(void *ctx)
{
  struct keep *k = ctx;
  while (!atomic_load(&k->stop)) {
    look(k);
    sleep_on(k);
  }
  return NULL;
}

int keep_start(const char *state_dir, struct store **stores, size_t n, struct keep **out, struct vdt_error *err)
{
  struct keep *k = calloc(1, sizeof *k);
  if (!k) return error_set(err, VDT_ENOMEM, "out of memory");
  k->state_dir = state_dir;
  k->stores = stores;
  k->n = n;
  pthread_mutex_init(&k->lock, NULL);
  pthread_cond_init(&k->wake, NULL);
  if (pthread_create(&k->thread, NULL, run, k)) {
    free(k);
    return error_set(err, VDT_EIO, "retention: a thread cannot be made");
  }
  *out = k;
  return VDT_OK;
}

void keep_wake(struct keep *k)
{
  if (!k) return;
  pthread_mutex_lock(&k->lock);
  k->woken = true;
  pthread_cond_signal(&k->wake);
  pthread_mutex_unlock(&k->lock);
}

void keep_stop(struct keep *k)
{
  if (!k) return;
  atomic_store(&k->stop, true);
  keep_wake(k);
  pthread_join(k->thread, NULL);
  pthread_cond_destroy(&k->wake);
  pthread_mutex_destroy(&k->lock);
  free(k);
}
