/* The keys of identity providers: read from files and addresses by a thread, which is the only one here that waits for others. See oidc.h. */
#include "api/feeds.h"
#include "api/oidc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

static const uint64_t SECOND = 1000000, ASKED_AGAIN_US = 30 * 1000000, RETRY_US = 30 * 1000000;

enum { MOVED_MAX = 1024 }; /* many people may sign in between two passes of the collector */

struct one {
  const struct oidc_provider *provider;
  struct stat seen;
  char etag[256];
  char said[sizeof((struct vdt_error *)0)->text]; /* the last complaint, so that it is made once */
  uint64_t tried_us, due_us;                      /* monotonic */
  /* Under the lock. */
  struct jws_keys *keys;
  uint64_t loaded_us; /* Unix time */
  bool failed, wanted;
};

struct oidc {
  const struct oidc_options *options;
  struct vdt_arena *arena;
  struct one all[OIDC_PROVIDERS_MAX];
  pthread_mutex_t lock;
  pthread_cond_t turn;
  pthread_t thread;
  bool running, stop;
  struct feeds_transfer moved[MOVED_MAX]; /* not taken yet; under the lock */
  size_t n_moved;
};

static bool is_address(const struct one *o)
{
  return str_starts(str_of(o->provider->keys), STR("https://"));
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static void say(struct one *o, const struct vdt_error *err)
{
  if (strcmp(o->said, err->text) == 0) return;
  snprintf(o->said, sizeof o->said, "%s", err->text);
  fprintf(stderr, "vedette serve: the keys of the identity provider %s: %s; those that were read before hold for a time\n",
          o->provider->issuer, err->text);
}

static void put_keys(struct oidc *all, struct one *o, struct jws_keys *keys, bool unchanged, bool failed)
{
  pthread_mutex_lock(&all->lock);
  struct jws_keys *old = keys ? o->keys : NULL;
  if (keys) o->keys = keys;
  if (keys || unchanged) o->loaded_us = clock_unix_us();
  o->failed = failed;
  o->wanted = false;
  pthread_mutex_unlock(&all->lock);
  jws_keys_free(old);
  if (!failed) o->said[0] = 0;
}

static void read_keys(struct oidc *all, struct one *o, struct str text, struct vdt_error *err, int rc)
{
  struct jws_keys *keys = NULL;
  if (!rc) rc = jws_keys_parse(text, &keys, err);
  if (rc) say(o, err);
  put_keys(all, o, keys, false, rc != VDT_OK);
}

/* When nobody takes them the last one counts for those that follow. */
void oidc_note_transfer(void *ctx, const struct feeds_transfer *t)
{
  struct oidc *o = ctx;
  pthread_mutex_lock(&o->lock);
  if (o->n_moved < MOVED_MAX) {
    o->moved[o->n_moved++] = *t;
  } else {
    o->moved[MOVED_MAX - 1].sent += t->sent;
    o->moved[MOVED_MAX - 1].received += t->received;
  }
  pthread_mutex_unlock(&o->lock);
}

static void look_at_address(struct oidc *all, struct one *o)
{
  const struct oidc_provider *p = o->provider;
  struct feeds_source source = {.name = p->issuer, .source = p->keys};
  struct vdt_error err = {0};
  struct buf text = {0};
  bool unchanged = false;
  int rc = fetch(&source, p->trust, &(struct fetch_limits){JWS_KEYS_TEXT_MAX, 10, 0}, o->etag, &text, &unchanged,
                 oidc_note_transfer, all, &err);
  if (!rc && unchanged) put_keys(all, o, NULL, true, false);
  else read_keys(all, o, text.n ? buf_str(&text) : STR(""), &err, rc);
  if (o->failed) o->etag[0] = 0;
  uint64_t wait = p->refresh * SECOND;
  o->tried_us = clock_mono_us();
  o->due_us = o->tried_us + (o->failed && wait > RETRY_US ? RETRY_US : wait);
  buf_finish(&text);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
  return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A file that is there is what holds, however old. */
static void look_at_file(struct oidc *all, struct one *o)
{
  struct vdt_error err = {0};
  struct buf text = {0};
  struct stat st;
  int rc = VDT_OK;
  if (stat(o->provider->keys, &st)) {
    rc = error_set(&err, VDT_EIO, "%s: %s", o->provider->keys, strerror(errno));
    st = (struct stat){0};
  }
  if (!rc && same_file(&st, &o->seen)) {
    if (!o->failed) put_keys(all, o, NULL, true, false);
    return;
  }
  if (!rc) rc = file_read(o->provider->keys, JWS_KEYS_TEXT_MAX, &text, &err);
  o->seen = st;
  read_keys(all, o, text.n ? buf_str(&text) : STR(""), &err, rc);
  buf_finish(&text);
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

static bool is_due(struct oidc *all, struct one *o)
{
  uint64_t now = clock_mono_us();
  pthread_mutex_lock(&all->lock);
  bool wanted = o->wanted && now - o->tried_us >= ASKED_AGAIN_US;
  pthread_mutex_unlock(&all->lock);
  return wanted || now >= o->due_us;
}

static bool wait_turn(struct oidc *o)
{
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  at.tv_sec++;
  pthread_mutex_lock(&o->lock);
  if (!o->stop) pthread_cond_timedwait(&o->turn, &o->lock, &at);
  bool go_on = !o->stop;
  pthread_mutex_unlock(&o->lock);
  return go_on;
}

static void *run(void *ctx)
{
  struct oidc *o = ctx;
  do
    for (size_t i = 0; i < o->options->n; i++)
      if (!is_address(&o->all[i])) look_at_file(o, &o->all[i]);
      else if (is_due(o, &o->all[i])) look_at_address(o, &o->all[i]);
  while (wait_turn(o));
  return NULL;
}

int oidc_start(const struct oidc_options *options, struct oidc **out, struct vdt_error *err)
{
  struct oidc *o = calloc(1, sizeof *o);
  *out = o;
  if (!o) return error_set(err, VDT_ENOMEM, "out of memory");
  o->options = options;
  pthread_mutex_init(&o->lock, NULL);
  pthread_cond_init(&o->turn, NULL);
  o->arena = vdt_arena_new((size_t)4 << 20);
  if (!o->arena) return error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; i < options->n; i++) {
    o->all[i].provider = &options->providers[i];
    if (!is_address(&o->all[i])) look_at_file(o, &o->all[i]);
  }
  o->running = options->n && pthread_create(&o->thread, NULL, run, o) == 0;
  return o->running || !options->n ? VDT_OK : error_set(err, VDT_EIO, "no thread can be started");
}

void oidc_stop(struct oidc *o)
{
  if (!o) return;
  pthread_mutex_lock(&o->lock);
  o->stop = true;
  pthread_cond_signal(&o->turn);
  pthread_mutex_unlock(&o->lock);
  if (o->running) pthread_join(o->thread, NULL);
  for (size_t i = 0; i < OIDC_PROVIDERS_MAX; i++) jws_keys_free(o->all[i].keys);
  vdt_arena_free(o->arena);
  pthread_cond_destroy(&o->turn);
  pthread_mutex_destroy(&o->lock);
  free(o);
}

/* ---- for who checks --------------------------------------------------------------------------------------------- */

const struct jws_keys *oidc_keys_lock(struct oidc *o, size_t i, uint64_t now_us)
{
  pthread_mutex_lock(&o->lock);
  const struct one *one = &o->all[i];
  bool old = now_us > one->loaded_us && now_us - one->loaded_us > one->provider->believe * SECOND;
  return old ? NULL : one->keys;
}

void oidc_keys_unlock(struct oidc *o)
{
  pthread_mutex_unlock(&o->lock);
}

void oidc_keys_wanted(struct oidc *o, size_t i)
{
  pthread_mutex_lock(&o->lock);
  o->all[i].wanted = true;
  pthread_cond_signal(&o->turn);
  pthread_mutex_unlock(&o->lock);
}

const struct oidc_options *oidc_options(const struct oidc *o)
{
  return o->options;
}

struct vdt_arena *oidc_arena(struct oidc *o)
{
  return o->arena;
}

void oidc_take_transfers(struct oidc *o, bool (*take)(void *ctx, const struct feeds_transfer *t), void *ctx)
{
  size_t n = 0;
  if (!o) return;
  pthread_mutex_lock(&o->lock);
  while (n < o->n_moved && take(ctx, &o->moved[n])) n++;
  memmove(o->moved, o->moved + n, (o->n_moved - n) * sizeof *o->moved);
  o->n_moved -= n;
  pthread_mutex_unlock(&o->lock);
}

bool oidc_status_at(struct oidc *o, size_t i, struct oidc_status *out)
{
  if (!o || i >= o->options->n) return false;
  pthread_mutex_lock(&o->lock);
  const struct one *one = &o->all[i];
  *out = (struct oidc_status){one->provider->issuer, jws_keys_count(one->keys), one->loaded_us, one->failed};
  pthread_mutex_unlock(&o->lock);
  return true;
}
