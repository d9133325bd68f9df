#include "api/proof.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/quote.h"
#include "data/verify.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum state { NEVER, RUNNING, DONE, STOPPED, FAILED };
static const char *const state_names[] = {"never", "running", "done", "stopped", "failed"};

struct proof {
  const char *state_dir;
  pthread_mutex_t lock;
  pthread_t thread;
  bool begun; /* there is a thread to join */
  bool stopping;
  enum state state;
  uint64_t started_us, ended_us, until_us; /* until_us: of the steady clock */
  uint64_t files, tables, records, lines, faults;
  bool configured;  /* the configuration that runs is known */
  struct buf found; /* objects with commas between them */
  size_t shown;
  char why[sizeof((struct vdt_error *)0)->text]; /* it failed */
  char (*names)[64];
  size_t n_names;
};

/* ---- in its thread ------------------------------------------------------------------------------------------------ */

/* Lends the counts as they are, so that who asks sees it go on. */
static bool stop(void *ctx, const struct data_check *so_far)
{
  struct proof *p = ctx;
  pthread_mutex_lock(&p->lock);
  p->files = so_far->files;
  p->tables = so_far->tables;
  p->records = so_far->records;
  p->lines = so_far->lines;
  p->faults = so_far->faults;
  bool out = p->stopping || clock_mono_us() > p->until_us;
  pthread_mutex_unlock(&p->lock);
  return out;
}

static void take_fault(void *ctx, enum data_fault fault, struct str place, struct str detail)
{
  struct proof *p = ctx;
  pthread_mutex_lock(&p->lock);
  if (p->shown < PROOF_SHOWN) {
    struct buf *b = &p->found;
    buf_printf(b, "%s{\"fault\":\"%s\",\"means\":\"%s\",\"todo\":\"%s\",\"place\":", p->shown ? "," : "", data_fault_name(fault),
               data_fault_text(fault), data_fault_todo(fault));
    json_quote(b, place);
    BUF_LIT(b, ",\"detail\":");
    json_quote(b, detail);
    buf_byte(b, '}');
    p->shown++;
  }
  pthread_mutex_unlock(&p->lock);
}

struct run {
  struct proof *p;
  struct store **stores;
  size_t n;
  struct config *config;
  struct vdt_arena *arena;
};

static int open_stores(struct run *r, struct vdt_error *err)
{
  r->stores = calloc(r->p->n_names + 1, sizeof(*r->stores));
  int rc = r->stores ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; !rc && i < r->p->n_names; i++) {
    struct alert_place place = {.workspace = str_of(r->p->names[i])};
    rc = store_open_sqlite(r->p->state_dir, &place, false, &r->stores[i], err);
    if (!rc) r->n++;
  }
  return rc;
}

static int look(struct run *r, struct data_check *check, struct vdt_error *err)
{
  struct data_statement s;
  struct data_input in = {.state_dir = r->p->state_dir,
                          .config = r->config,
                          .stores = r->stores,
                          .n_stores = r->n,
                          .all = true,
                          .now_us = clock_unix_us()};
  check->since_us = data_running_since(r->p->state_dir);
  int rc = data_gather(&in, r->arena, &s, err);
  return rc ? rc : data_verify(&s, check, err);
}

static int prepare(struct run *r, struct vdt_error *err)
{
  r->arena = vdt_arena_new((size_t)1 << 30);
  if (!r->arena) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = data_running_config(r->p->state_dir, &r->config, err);
  return rc ? rc : open_stores(r, err);
}

static void finish(struct run *r)
{
  for (size_t i = 0; i < r->n; i++) store_close(r->stores[i]);
  free(r->stores);
  config_free(r->config);
  vdt_arena_free(r->arena);
}

static void *work(void *arg)
{
  struct run r = {.p = arg};
  struct vdt_error err = {0};
  struct data_check check = {.found = take_fault, .stop = stop, .ctx = r.p};
  int rc = prepare(&r, &err);
  if (!rc) rc = look(&r, &check, &err);
  bool configured = r.config;
  finish(&r);
  stop(r.p, &check);
  pthread_mutex_lock(&r.p->lock);
  r.p->configured = configured;
  r.p->ended_us = clock_unix_us();
  r.p->state = rc || r.p->found.failed ? FAILED : check.stopped ? STOPPED : DONE;
  snprintf(r.p->why, sizeof r.p->why, "%s", rc ? err.text : r.p->found.failed ? "out of memory" : "");
  pthread_mutex_unlock(&r.p->lock);
  return NULL;
}

/* ---- for the API's thread ----------------------------------------------------------------------------------------- */

int proof_new(const char *state_dir, struct proof **out, struct vdt_error *err)
{
  struct proof *p = *out = calloc(1, sizeof *p);
  if (!p) return error_set(err, VDT_ENOMEM, "out of memory");
  p->state_dir = state_dir;
  pthread_mutex_init(&p->lock, NULL);
  return VDT_OK;
}

static bool keep_names(struct proof *p, struct store *const *stores, size_t n)
{
  free(p->names);
  p->names = calloc(n + 1, sizeof *p->names);
  p->n_names = p->names ? n : 0;
  for (size_t i = 0; i < p->n_names; i++) {
    struct str name = stores[i]->place.workspace;
    snprintf(p->names[i], sizeof p->names[i], "%.*s", (int)name.n, name.p);
  }
  return p->names;
}

/* Signals are the main thread's. */
static bool start(struct proof *p)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  p->begun = pthread_create(&p->thread, NULL, work, p) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return p->begun;
}

static bool is_running(struct proof *p)
{
  pthread_mutex_lock(&p->lock);
  bool running = p->state == RUNNING;
  pthread_mutex_unlock(&p->lock);
  return running;
}

bool proof_begin(struct proof *p, struct store *const *stores, size_t n)
{
  if (is_running(p)) return true;
  if (p->begun) pthread_join(p->thread, NULL);
  p->begun = false;
  p->state = NEVER;
  if (!keep_names(p, stores, n)) return false;
  buf_finish(&p->found);
  p->found = (struct buf){0};
  p->shown = 0;
  p->files = p->tables = p->records = p->lines = p->faults = 0;
  p->started_us = clock_unix_us();
  p->until_us = clock_mono_us() + (uint64_t)PROOF_S * 1000000;
  p->state = RUNNING;
  if (start(p)) return true;
  p->state = NEVER;
  return false;
}

static void put_time(struct buf *b, const char *name, uint64_t us)
{
  char text[CLOCK_TEXT];
  clock_format(us, text);
  buf_printf(b, ",\"%s\":\"%s\"", name, text);
}

void proof_put_json(struct proof *p, struct buf *b)
{
  pthread_mutex_lock(&p->lock);
  bool ended = p->state > RUNNING;
  buf_printf(b, "{\"state\":\"%s\"", state_names[p->state]);
  if (p->state != NEVER) put_time(b, "started", p->started_us);
  if (ended) put_time(b, "ended", p->ended_us);
  if (ended) buf_printf(b, ",\"configurationKnown\":%s", p->configured ? "true" : "false");
  buf_printf(b, ",\"files\":%llu,\"tables\":%llu,\"records\":%llu,\"lines\":%llu,\"faults\":%llu", (unsigned long long)p->files,
             (unsigned long long)p->tables, (unsigned long long)p->records, (unsigned long long)p->lines,
             (unsigned long long)p->faults);
  if (p->state == FAILED) BUF_LIT(b, ",\"why\":");
  if (p->state == FAILED) json_quote(b, str_of(p->why));
  BUF_LIT(b, ",\"value\":[");
  if (!p->found.failed) buf_put(b, buf_str(&p->found));
  BUF_LIT(b, "]}");
  pthread_mutex_unlock(&p->lock);
}

void proof_free(struct proof *p)
{
  if (!p) return;
  pthread_mutex_lock(&p->lock);
  p->stopping = true;
  pthread_mutex_unlock(&p->lock);
  if (p->begun) pthread_join(p->thread, NULL);
  pthread_mutex_destroy(&p->lock);
  buf_finish(&p->found);
  free(p->names);
  free(p);
}
