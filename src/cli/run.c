/*
 * vedette run: the embedded default. Checks the configuration, writes nginx.conf, starts the simulated model (where a deployment wants
 * it), the control process and nginx, starts again what dies, reloads on SIGHUP and stops all of it in order on Ctrl-C.
 *
 * It is in no request's way: it moves no bytes, and holds no key but those in its environment, which nginx's master inherits.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "api/tokens.h"
#include "cli/cli.h"
#include "cli/run_inside.h"
#include "cli/run_portal.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  TICK_MS = 50,
  SETTLE_US = 3000000,
  START_MS = 180000, /* a busy processor may compile the rules for a minute */
  LONG_MS = 2000,    /* what a start takes that compiles nothing, and more */
  CONTROL_MS = 5000, /* what a start waits for the control process when all else is ready */
  DRAIN_MS = 3000,
  STOP_MS = 5000
};

/* The gateway's workers may not be root; they reach these two sockets by their group. */
static void open_sockets(const struct run *r)
{
  static const char *const names[] = {"control.sock", "run/model-sim.sock"};
  if (geteuid() != 0 || r->user.uid == 0) return;
  for (size_t i = 0; i < 2; i++) {
    char path[PATH_MAX];
    struct stat s;
    snprintf(path, sizeof path, "%s/%s", r->state, names[i]);
    if (lstat(path, &s) || !S_ISSOCK(s.st_mode) || (s.st_gid == r->user.gid && (s.st_mode & 0777) == 0660)) continue;
    if (lchown(path, (uid_t)-1, r->user.gid) == 0) chmod(path, 0660);
  }
}

static int start_all(struct run *r, struct vdt_error *err)
{
  int rc = VDT_OK;
  unlink(run_in_state(r, "run/nginx.pid"));
  for (int i = 0; !rc && i < CHILDREN; i++)
    if (i != SIM || run_uses_simulation(r->config)) rc = child_start(&r->children[i], clock_mono_us(), err);
  return rc;
}

static void stop_all(struct run *r)
{
  struct child *nginx = &r->children[NGINX];
  if (nginx->pid) {
    if (r->children[SERVE].pid) kill(r->children[SERVE].pid, SIGUSR1); /* portals that are open would keep nginx waiting */
    kill(nginx->pid, SIGQUIT);
    if (!child_wait(nginx, DRAIN_MS)) child_stop(nginx, SIGTERM, STOP_MS);
  }
  child_stop(&r->children[SERVE], SIGTERM, STOP_MS);
  child_stop(&r->children[SIM], SIGTERM, STOP_MS);
}

/* ---- ready ------------------------------------------------------------------------------------------------------ */

static bool socket_answers(const struct run *r, const char *name)
{
  char address[PATH_MAX];
  snprintf(address, sizeof address, "unix:%s/%s", r->state, name);
  return run_address_answers(address);
}

/* nginx writes its pid file when it listens. The nginx of a run that was killed may end a moment later and take that file away; then the
 * address, which was free before, tells. */
static bool is_ready(struct run *r)
{
  struct buf text = {0};
  uint64_t pid = 0;
  bool ok = file_read(run_in_state(r, "run/nginx.pid"), 32, &text, NULL) == VDT_OK && text.n > 1 &&
            str_u64(str_cut(buf_str(&text), 0, text.n - 1), &pid) && (pid_t)pid == r->children[NGINX].pid;
  buf_finish(&text);
  ok = ok || run_address_answers(r->config->listen.gateway);
  return ok && (!r->children[SIM].pid || socket_answers(r, "run/model-sim.sock"));
}

/* The child that has ended while it should run, or -1. */
static int reap(struct run *r, int *status)
{
  for (int i = 0; i < CHILDREN; i++)
    if (r->children[i].pid && waitpid(r->children[i].pid, status, WNOHANG) == r->children[i].pid) return i;
  return -1;
}

static void restart_due(struct run *r)
{
  struct vdt_error err = {0};
  uint64_t now = clock_mono_us();
  for (int i = 0; i < CHILDREN; i++) {
    struct child *c = &r->children[i];
    if (!c->restart_us || now < c->restart_us) continue;
    if (child_start(c, now, &err)) {
      run_complain(&err);
      c->restart_us = now + 1000000;
    }
  }
}

static bool wait_ready(struct run *r, const sigset_t *signals)
{
  const struct timespec tick = {0, 10000000};
  int alone = 0; /* how long the gateway has been ready without the control process, which it does not need */
  for (int waited = 0; waited < START_MS; waited += 10) {
    int status, signal = sigtimedwait(signals, NULL, &tick);
    if (signal == SIGINT || signal == SIGTERM) return false;
    if (waited == LONG_MS) fputs("vedette run: starting; rules that were not compiled before take some seconds, once\n", stderr);
    int dead = reap(r, &status);
    if (dead == NGINX || dead == SIM) {
      fprintf(stderr, "vedette run: %s did not start:\n", r->children[dead].name);
      child_show_log(&r->children[dead]);
      r->children[dead].pid = 0;
      return false;
    }
    if (dead == SERVE) child_ended(&r->children[SERVE], status, clock_mono_us());
    restart_due(r); /* serve gives up when the one of a killed run still holds the store: it gets another try, as later on */
    if (!is_ready(r)) continue;
    bool complete = socket_answers(r, "control.sock");
    if (!complete && (alone += 10) < CONTROL_MS) continue;
    if (!complete) fprintf(stderr, "vedette run: the control process does not answer yet; see %s\n", r->children[SERVE].log);
    open_sockets(r);
    return true;
  }
  fprintf(stderr, "vedette run: the gateway was not ready in %d s; see %s\n", START_MS / 1000, r->children[NGINX].log);
  return false;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

/* Lets nginx itself try the new configuration, rules included; what it says goes to standard error. */
static bool passes_test(struct run *r)
{
  static struct run trial;
  struct vdt_error err = {0};
  int status = 1;
  trial = (struct run){.state = r->state, .arena = r->arena, .nginx = r->nginx};
  run_describe_nginx(&trial, NGINX, "nginx/nginx.conf.next", true);
  struct child *c = &trial.children[NGINX];
  snprintf(c->log, sizeof c->log, "%s/logs/check.log", r->state);
  unlink(c->log);
  if (child_start(c, clock_mono_us(), &err) || waitpid(c->pid, &status, 0) != c->pid) return false;
  if (status != 0) child_show_log(c);
  return status == 0;
}

/* The old configuration stays in force when the new one is wrong. */
static void reload(struct run *r)
{
  struct config *fresh = NULL;
  struct vdt_error err = {0};
  int rc = run_read_config(&r->options, &fresh, &err);
  if (!rc) rc = run_make_absolute(fresh, &err);
  if (!rc) rc = run_make_keys(r, fresh, &err);
  if (!rc) rc = run_write_files(r, fresh, "nginx/nginx.conf.next", &err);
  if (rc) run_complain(&err);
  if (rc || !passes_test(r)) {
    fprintf(stderr, "vedette run: the new configuration is refused; the old one stays in force\n");
    config_free(fresh);
    return;
  }
  config_free(r->config);
  r->config = fresh;
  if (run_keep_effective(r, &err)) run_complain(&err);
  rename(run_in_state(r, "nginx/nginx.conf.next"), run_in_state(r, "nginx/nginx.conf"));
  child_stop(&r->children[SERVE], SIGTERM, STOP_MS);
  run_describe_serve(r);
  if (child_start(&r->children[SERVE], clock_mono_us(), &err)) run_complain(&err);
  if (run_uses_simulation(fresh) && !r->children[SIM].pid && child_start(&r->children[SIM], clock_mono_us(), &err))
    run_complain(&err);
  if (r->children[NGINX].pid) kill(r->children[NGINX].pid, SIGHUP);
  printf("vedette run: reloaded\n");
  fflush(stdout);
}

/* Something was started a moment ago or waits for its start: look more often. */
static bool is_busy(const struct run *r)
{
  uint64_t now = clock_mono_us();
  for (int i = 0; i < CHILDREN; i++)
    if (r->children[i].restart_us || (r->children[i].pid && now - r->children[i].started_us < SETTLE_US)) return true;
  return false;
}

static void supervise(struct run *r, const sigset_t *signals)
{
  const struct timespec soon = {0, TICK_MS * 1000000}, later = {2, 0};
  for (;;) {
    int status, signal = sigtimedwait(signals, NULL, is_busy(r) ? &soon : &later);
    if (signal == SIGINT || signal == SIGTERM || signal == SIGQUIT) return;
    if (signal == SIGHUP) reload(r);
    for (int i; (i = reap(r, &status)) >= 0;) child_ended(&r->children[i], status, clock_mono_us());
    restart_due(r);
    open_sockets(r);
  }
}

/* The gateway starts without a portal; say_ready tells. */
static int prepare_portal(struct run *r, struct vdt_error *err)
{
  const char *from = run_portal_find(r->arena, r->self), *to = run_in_state(r, "nginx/portal");
  int rc = from ? run_portal_copy(from, to, &r->user, err) : VDT_OK;
  if (!rc && from) r->portal = to;
  return rc;
}

/* An earlier run that was killed takes its children along within moments: an address may be free a little later. */
static int check_addresses(const struct config *c, struct vdt_error *err)
{
  const struct timespec tick = {0, 50000000};
  int rc = VDT_OK;
  for (int i = 0; i < 40; i++) {
    rc = run_address_check(c->listen.gateway, "listen.gateway", err);
    if (!rc) rc = run_address_check(c->listen.control, "listen.control", err);
    if (!rc) return VDT_OK;
    nanosleep(&tick, NULL);
  }
  return rc;
}

static int prepare(struct run *r, struct vdt_error *err)
{
  const char *env = getenv("VEDETTE_STATE");
  int rc = run_read_config(&r->options, &r->config, err);
  if (!rc) rc = run_make_absolute(r->config, err);
  const char *dir = r->options.state ? r->options.state : env && *env ? env : rc ? "" : r->config->state_dir;
  if (!rc) rc = run_state_prepare(dir, &r->state, &r->user, err);
  if (!rc) rc = run_state_lock(r->state, err);
  if (!rc) rc = run_find_programs(r, err);
  if (!rc) rc = prepare_portal(r, err);
  if (!rc) rc = check_addresses(r->config, err);
  if (!rc) rc = run_make_keys(r, r->config, err);
  if (!rc) rc = run_write_files(r, r->config, "nginx/nginx.conf", err);
  if (!rc) rc = run_keep_effective(r, err);
  return rc;
}

static int run(struct run *r)
{
  struct vdt_error err = {0};
  sigset_t signals;
  const int handled[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGCHLD};
  sigemptyset(&signals);
  for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) sigaddset(&signals, handled[i]);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  signal(SIGPIPE, SIG_IGN);
  if (prepare(r, &err)) return run_complain(&err);
  r->first = access(run_in_state(r, "tokens"), F_OK) != 0;
  if (sodium_init() < 0 || tokens_prepare(r->state, &err)) return run_complain(&err);
  run_hold_sessions(r);
  run_describe_children(r);
  bool ready = start_all(r, &err) == VDT_OK;
  if (!ready) run_complain(&err);
  if (ready) ready = wait_ready(r, &signals);
  if (ready) {
    run_say_ready(r);
    supervise(r, &signals);
  }
  stop_all(r);
  return ready ? 0 : 1;
}

int cmd_run(int argc, char **argv)
{
  static struct run r;
  struct run_options *o = &r.options;
  const struct cli_option known[] = {{"config", CLI_TEXT, &o->config},
                                     {"state", CLI_TEXT, &o->state},
                                     {"upstream", CLI_TEXT, &o->upstream},
                                     {"api-key-env", CLI_TEXT, &o->api_key_env},
                                     {"workers", CLI_NUMBER, &o->workers}};
  int n = cli_options(argc, argv, known, sizeof known / sizeof *known);
  if (n < 0) return CLI_USAGE;
  if (n > 1 || (n == 1 && o->config)) return cli_usage("run", "takes one configuration");
  if (n == 1) o->config = argv[1];
  if (o->workers > RUN_WORKERS_MAX)
    return cli_usage("run", "--workers: expected 1 to %d, or 0 for one per processor", RUN_WORKERS_MAX);
  r.arena = vdt_arena_new(0);
  if (!r.arena) return cli_usage("run", "out of memory");
  int rc = run(&r);
  config_free(r.config);
  free(r.state);
  vdt_arena_free(r.arena);
  return rc;
}
