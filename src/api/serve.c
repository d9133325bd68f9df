#include "api/serve.h"
#include "api/api.h"
#include "api/aside.h"
#include "api/code_flow.h"
#include "api/glass.h"
#include "api/keep.h"
#include "api/listen.h"
#include "api/plan_file.h"
#include "api/proof.h"
#include "api/worker.h"
#include "base/clock.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { REST_MS = 600000, POLL_MS = 1000, COMPLAIN_US = 60000000 };

struct serve {
  const struct serve_options *options;
  int lock, listener, stop;
  char socket[sizeof((struct sockaddr_un *)0)->sun_path];
  struct store **mine, **theirs, **keeps; /* the connections of the collector, of the API and of retention */
  struct collect_stats stats;
  struct collect *collect;
  struct feeds *feeds;
  struct geo *geo;
  struct oidc *oidc;
  struct api api;
  bool *evidence;
  struct glass glass;
  struct code_flow *flow;
  struct worker *errands;
  _Atomic uint64_t *changed; /* of each workspace, see store.h */
  struct http *http;
  struct keep *keep;
  uint64_t complained_us;
};

static int take_lock(struct serve *s, struct vdt_error *err)
{
  char path[4096];
  const char *dir = s->options->state_dir;
  if (mkdir(dir, 0750) && errno != EEXIST) return error_set(err, VDT_EIO, "%s: %s", dir, strerror(errno));
  snprintf(path, sizeof path, "%s/serve.lock", dir);
  s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (s->lock < 0) return error_set(err, VDT_EIO, "%s: %s", path, strerror(errno));
  if (flock(s->lock, LOCK_EX | LOCK_NB) == 0) return VDT_OK;
  return error_set(err, VDT_ESTATE, "%s is served by another process already", dir);
}

static int open_stores(struct serve *s, struct store **stores, struct vdt_error *err)
{
  for (size_t i = 0; i < s->options->n_workspaces; i++) {
    const struct serve_workspace *w = &s->options->workspaces[i];
    struct alert_place place = {str_of(w->name), str_of(w->region), str_of(w->subscription_id), str_of(w->resource_group)};
    int rc = store_open_sqlite(s->options->state_dir, &place, true, &stores[i], err);
    if (rc) return rc;
    stores[i]->changed = &s->changed[i];
  }
  return VDT_OK;
}

/* Owned by the lock's holder: an old socket file is a dead process's. */
static int open_socket(struct serve *s, struct vdt_error *err)
{
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  int n = s->options->socket ? snprintf(s->socket, sizeof s->socket, "%s", s->options->socket)
                             : snprintf(s->socket, sizeof s->socket, "%s/control.sock", s->options->state_dir);
  if (n < 0 || (size_t)n >= sizeof s->socket)
    return error_set(err, VDT_EINVAL, "the socket's path is longer than %zu bytes; choose another with --socket",
                     sizeof s->socket - 1);
  memcpy(a.sun_path, s->socket, (size_t)n + 1);
  unlink(s->socket);
  s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  mode_t before = umask(0117);
  bool ok = s->listener >= 0 && bind(s->listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(s->listener, 128) == 0;
  int reason = errno;
  umask(before);
  return ok ? VDT_OK : error_set(err, VDT_EIO, "%s: %s", s->socket, strerror(reason));
}

/* What the configuration says is in the stores too: for the API, and for commands that know the state folder only. */
static int note_retention(struct serve *s, struct vdt_error *err)
{
  int rc = VDT_OK;
  for (size_t i = 0; i < s->options->n_workspaces; i++)
    for (unsigned c = 0; !rc && c < STORE_CLASSES; c++)
      rc = s->keeps[i]->ops->set_keep(s->keeps[i], (enum store_class)c, STORE_CONFIGURED, s->options->workspaces[i].keep_s[c],
                                      STR("vedette"), 0, err);
  return rc;
}

static int catch_signals(struct serve *s, struct vdt_error *err)
{
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGUSR1);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk like any other */
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  s->stop = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return s->stop >= 0 ? VDT_OK : error_set(err, VDT_EIO, "signals: %s", strerror(errno));
}

/* What asks an identity provider has a thread of its own: the provider may be slow. */
static int prepare_redirects(struct serve *s, struct vdt_error *err)
{
  static const struct workbench nothing = {0};
  const struct oidc_options *o = &s->options->control.oidc;
  bool any = false;
  for (size_t i = 0; i < o->n; i++) any |= o->providers[i].sign_in.client != NULL;
  if (!any) return VDT_OK;
  s->flow = code_flow_new();
  return s->flow ? worker_new(&nothing, REST_MS, &s->errands, err) : error_set(err, VDT_ENOMEM, "out of memory");
}

static int start(struct serve *s, struct vdt_error *err)
{
  const struct serve_options *o = s->options;
  if (sodium_init() < 0) return error_set(err, VDT_EIO, "no source of random numbers");
  int rc = take_lock(s, err);
  if (!rc) rc = catch_signals(s, err);
  if (!rc) rc = tokens_prepare(o->state_dir, err);
  if (!rc) rc = open_stores(s, s->mine, err);
  if (!rc) rc = open_stores(s, s->theirs, err);
  if (!rc) rc = open_stores(s, s->keeps, err);
  if (!rc) rc = note_retention(s, err);
  if (!rc)
    rc = collect_new(o->state_dir, s->mine, o->n_workspaces, o->window_us ? o->window_us : ALERT_WINDOW_US, &o->behaviour,
                     &s->stats, &s->collect, err);
  if (!rc && !(s->geo = geo_new(&o->geo))) rc = error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) collect_use_geo(s->collect, s->geo);
  if (!rc) rc = feeds_start(o->state_dir, &o->feeds, &s->feeds, err);
  if (!rc && o->control.oidc.n) rc = oidc_start(&o->control.oidc, &s->oidc, err);
  if (!rc) rc = prepare_redirects(s, err);
  if (!rc) rc = open_socket(s, err);
  s->api = (struct api){.state_dir = o->state_dir,
                        .auth = auth_new(o->state_dir, &o->control.sessions, o->control.sessions_fd, s->oidc),
                        .stores = s->theirs,
                        .n_stores = o->n_workspaces,
                        .stats = &s->stats,
                        .feeds = s->feeds,
                        .geo = s->geo,
                        .oidc = s->oidc,
                        .glass = &s->glass,
                        .flow = s->flow,
                        .errands = s->errands,
                        .evidence = s->evidence,
                        .engine = o->engine,
                        .hosts = o->control.hosts,
                        .n_hosts = o->control.n_hosts,
                        .unseal = {o->state_dir, o->keys, o->n_keys},
                        .arena = vdt_arena_new((size_t)256 << 20)};
  if (s->api.auth) glass_begin(&s->glass, auth_panes(s->api.auth), o->control.glass_us);
  if (!rc && (!s->api.arena || !s->api.auth)) rc = error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) rc = plan_file_write(o->state_dir, s->theirs, o->n_workspaces, s->api.arena, err);
  if (!rc) rc = keep_start(o->state_dir, s->keeps, o->n_workspaces, &s->keep, err);
  s->api.keep = s->keep;
  if (!rc) rc = listeners_new(s->api.auth, &s->api.listeners, err);
  if (!rc) rc = proof_new(o->state_dir, &s->api.proof, err);
  if (!rc) rc = aside_new(o->state_dir, s->theirs, o->n_workspaces, &s->api.aside, err);
  if (!rc && o->bench) rc = worker_new(o->bench, REST_MS, &s->api.worker, err);
  if (!rc) rc = http_start(&s->api, s->listener, &s->http, err);
  return rc;
}

/* A full disk can last: say it once a minute, lose nothing, go on trying. */
static void complain(struct serve *s, const struct vdt_error *err)
{
  uint64_t now = clock_mono_us();
  if (s->complained_us && now - s->complained_us < COMPLAIN_US) return;
  s->complained_us = now;
  fprintf(stderr, "vedette serve: %s; nothing is lost, trying again\n", err->text);
}

/* Downloads are nobody's data: they stand in the ledger of the first workspace. */
static bool note_transfer(struct store *first, const char *connection, const struct feeds_transfer *f)
{
  char day[CLOCK_TEXT];
  clock_format(f->time_us, day);
  struct store_transfer t = {{day, 10}, str_of(connection), str_of(f->name), str_of(f->destination), 1, f->sent, f->received};
  return first->ops->put_transfer(first, &t, NULL) == VDT_OK;
}

static bool note_download(void *ctx, const struct feeds_transfer *f)
{
  return note_transfer(ctx, f->redirected ? "feed-redirect" : "feed", f);
}

static bool note_keys(void *ctx, const struct feeds_transfer *f)
{
  return note_transfer(ctx, f->posted ? "identity-provider-sign-in" : "identity-provider", f);
}

/* SIGUSR1: nginx is about to stop, and waits for those who listen. */
static bool has_to_stop(struct serve *s)
{
  struct signalfd_siginfo got;
  while (read(s->stop, &got, sizeof got) == (ssize_t)sizeof got) {
    if (got.ssi_signo != SIGUSR1) return true;
    listeners_hang_up(s->api.listeners);
  }
  return false;
}

static void loop(struct serve *s)
{
  do {
    uint64_t lines;
    struct vdt_error err = {0};
    feeds_take(s->feeds, collect_intel(s->collect));
    feeds_take_transfers(s->feeds, note_download, s->mine[0]);
    oidc_take_transfers(s->oidc, note_keys, s->mine[0]);
    geo_refresh(s->geo);
    if (collect_pass(s->collect, &lines, &err)) complain(s, &err);
  } while (collect_wait(s->collect, POLL_MS, s->stop) || !has_to_stop(s));
}

static void finish(struct serve *s)
{
  http_stop(s->http);
  if (s->http) unlink(s->socket);
  else if (s->listener >= 0) close(s->listener);
  keep_stop(s->keep);
  worker_free(s->api.worker);
  aside_free(s->api.aside);
  worker_free(s->errands);
  code_flow_free(s->flow);
  listeners_free(s->api.listeners);
  proof_free(s->api.proof);
  oidc_stop(s->oidc);
  feeds_stop(s->feeds);
  collect_free(s->collect);
  geo_free(s->geo);
  for (size_t i = 0; i < s->options->n_workspaces; i++) {
    if (s->theirs) store_close(s->theirs[i]);
    if (s->mine) store_close(s->mine[i]);
    if (s->keeps) store_close(s->keeps[i]);
  }
  free(s->mine);
  free(s->theirs);
  free(s->keeps);
  free(s->evidence);
  free(s->changed);
  vdt_arena_free(s->api.arena);
  auth_free(s->api.auth);
  if (s->stop >= 0) close(s->stop);
  if (s->lock >= 0) close(s->lock);
}

int serve_run(const struct serve_options *options)
{
  struct serve s = {.options = options, .lock = -1, .listener = -1, .stop = -1};
  struct vdt_error err = {0};
  umask(0027);
  key_source_protect();
  s.mine = calloc(options->n_workspaces, sizeof *s.mine);
  s.theirs = calloc(options->n_workspaces, sizeof *s.theirs);
  s.keeps = calloc(options->n_workspaces, sizeof *s.keeps);
  s.evidence = calloc(options->n_workspaces, sizeof *s.evidence);
  s.changed = calloc(options->n_workspaces, sizeof *s.changed);
  for (size_t i = 0; s.evidence && i < options->n_workspaces; i++) s.evidence[i] = options->workspaces[i].evidence;
  int rc =
      s.mine && s.theirs && s.keeps && s.evidence && s.changed ? start(&s, &err) : error_set(&err, VDT_ENOMEM, "out of memory");
  if (rc) {
    fprintf(stderr, "vedette serve: %s\n", err.text);
  } else {
    fprintf(stderr, "vedette serve: %zu workspace%s, control API on %s\n", options->n_workspaces,
            options->n_workspaces == 1 ? "" : "s", s.socket);
    loop(&s);
  }
  finish(&s);
  return rc ? 1 : 0;
}
