/* The programs of `vedette run`: where they are, what keys they find, and what they are started with. */
#include "api/key_source.h"
#include "base/error.h"
#include "cli/behaviour_args.h"
#include "cli/control_args.h"
#include "cli/feed_args.h"
#include "cli/key_files.h"
#include "cli/retention_args.h"
#include "cli/run_inside.h"
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static const char *self_path(struct vdt_arena *arena)
{
  char path[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  return n > 0 ? arena_printf(arena, "%.*s", (int)n, path) : NULL;
}

/* Beside the program when it runs from a build folder, else where it is installed. */
static const char *find_module(struct vdt_arena *arena, const char *self)
{
  static const char *const places[] = {"../gateway", "../lib/vedette", "../lib/x86_64-linux-gnu/vedette",
                                       "../lib/aarch64-linux-gnu/vedette", "."};
  const char *given = getenv("VEDETTE_MODULE"), *slash = strrchr(self, '/');
  if (given && *given) return given;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    const char *path = arena_printf(arena, "%.*s/%s/ngx_http_vedette_module.so", (int)(slash - self), self, places[i]);
    if (path && access(path, R_OK) == 0) return realpath(path, NULL);
  }
  return NULL;
}

int run_find_programs(struct run *r, struct vdt_error *err)
{
  r->self = self_path(r->arena);
  if (!r->self) return error_set(err, VDT_EIO, "/proc/self/exe cannot be read");
  r->module = find_module(r->arena, r->self);
  if (!r->module)
    return error_set(err, VDT_ENOTFOUND, "ngx_http_vedette_module.so was not found near %s; name it in VEDETTE_MODULE", r->self);
  r->nginx = access("/usr/sbin/nginx", X_OK) == 0 ? "/usr/sbin/nginx" : "nginx";
  return VDT_OK;
}

static void begin_child(struct run *r, int which, const char *name, const char *program)
{
  struct child *c = &r->children[which];
  c->name = name;
  c->argc = 0;
  memset(c->argv, 0, sizeof c->argv);
  snprintf(c->log, sizeof c->log, "%s/logs/%s.log", r->state, name);
  child_arg(c, program);
}

static bool keeps_evidence(const struct config *c, const struct config_workspace *w)
{
  for (size_t i = 0; i < c->n_deployments; i++)
    if (c->deployments[i].workspace == w && c->deployments[i].prompt_evidence) return true;
  return false;
}

int run_make_keys(struct run *r, const struct config *c, struct vdt_error *err)
{
  for (size_t i = 0; i < c->n_workspaces; i++) {
    const struct config_workspace *w = &c->workspaces[i];
    struct seal_public key;
    if (w->evidence_public_key || w->evidence_private_key || !keeps_evidence(c, w)) continue;
    if (access(run_in_state(r, arena_printf(r->arena, "keys/%s.pub", w->name)), F_OK) == 0) continue;
    int rc = key_files_make(r->state, str_of(w->name), NULL, NULL, STR(""), &key, err);
    if (rc) return rc;
    r->made_keys = true;
  }
  return VDT_OK;
}

void run_describe_serve(struct run *r)
{
  struct child *c = &r->children[SERVE];
  begin_child(r, SERVE, "serve", r->self);
  const char *fixed[] = {"serve", "--state", r->state};
  for (size_t i = 0; i < 3; i++) child_arg(c, fixed[i]);
  for (size_t i = 0; i < r->config->n_workspaces; i++) {
    const struct config_workspace *w = &r->config->workspaces[i];
    child_arg(c, "--workspace");
    child_arg(c, arena_printf(r->arena, "%s,%s,%s,%s%s", w->name, w->region, w->subscription_id ? w->subscription_id : "",
                              w->resource_group ? w->resource_group : "", keeps_evidence(r->config, w) ? ",evidence" : ""));
    retention_args_put(w, r->arena, c);
  }
  for (size_t i = 0; i < r->config->n_workspaces; i++) {
    const struct config_workspace *w = &r->config->workspaces[i];
    if (!w->evidence_private_key) continue;
    child_arg(c, "--evidence-key");
    child_arg(c, arena_printf(r->arena, "%s=%s", w->name, w->evidence_private_key));
  }
  behaviour_args_put(&r->config->behaviour, r->arena, c);
  control_args_put(r->config, r->arena, c);
  feed_args_put(r->config, r->arena, c);
  if (c->memory <= 0) return;
  child_arg(c, "--control");
  child_arg(c, arena_printf(r->arena, "kept=%d", CHILD_MEMORY));
}

/* Nobody else is to look into what we hold for it. */
void run_hold_sessions(struct run *r)
{
  int fd = child_memory("vedette-sessions");
  key_source_protect();
  r->children[SERVE].memory = fd < 0 ? 0 : fd;
}

void run_describe_nginx(struct run *r, int which, const char *conf, bool test)
{
  struct child *c = &r->children[which];
  begin_child(r, which, "nginx", r->nginx);
  const char *args[] = {"-e", run_in_state(r, "logs/nginx.log"), "-p", run_in_state(r, "nginx/"), "-c", run_in_state(r, conf)};
  for (size_t i = 0; i < sizeof args / sizeof *args; i++) child_arg(c, args[i]);
  c->own_log = !test;
  if (test) child_arg(c, "-t");
}

void run_describe_children(struct run *r)
{
  begin_child(r, SIM, "model-sim", r->self);
  child_arg(&r->children[SIM], "model-sim");
  child_arg(&r->children[SIM], "--listen");
  child_arg(&r->children[SIM], arena_printf(r->arena, "unix:%s/run/model-sim.sock", r->state));
  run_describe_serve(r);
  run_describe_nginx(r, NGINX, "nginx/nginx.conf", false);
}
