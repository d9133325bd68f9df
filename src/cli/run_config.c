/* The configuration of `vedette run`, and the files that nginx, its module and the data statement read of it. */
#include "base/error.h"
#include "base/file.h"
#include "cli/nginx_conf.h"
#include "cli/run_inside.h"
#include "gateway/load.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_CONFIG = 4 << 20, EFFECTIVE_MAX = 4 << 20, MAX_FILES = 65536 };

static bool has_overrides(const struct run_options *o)
{
  return !o->config || o->upstream || o->api_key_env;
}

/* What the command line changes goes through the same checks as a file: print it, read it again. */
static int override(const struct run_options *o, struct config **config, struct vdt_error *err)
{
  struct config *c = *config;
  struct buf text = {0};
  for (size_t i = 0; i < c->n_deployments; i++) {
    if (o->upstream) c->deployments[i].upstream.text = o->upstream;
    if (o->api_key_env) c->deployments[i].api_key_env = o->api_key_env;
  }
  config_print(c, &text);
  config_free(c);
  *config = NULL;
  int rc = text.failed ? error_set(err, VDT_ENOMEM, "out of memory")
                       : config_parse(buf_str(&text), "the command line's options", config, err);
  if (rc) err->line = 0; /* of a text that nobody has seen */
  buf_finish(&text);
  return rc;
}

/* nginx takes variables from our environment, which no reload changes. */
static int check_keys(const struct config *c, struct vdt_error *err)
{
  for (size_t i = 0; i < c->n_deployments; i++) {
    const char *name = c->deployments[i].api_key_env;
    if (name && !getenv(name))
      return error_at(err, VDT_ECONFIG, c->path, 0,
                      "deployment \"%.64s\": the environment variable %.64s (api_key_env) is not set; export it and start again",
                      c->deployments[i].name, name);
  }
  return VDT_OK;
}

int run_read_config(const struct run_options *o, struct config **out, struct vdt_error *err)
{
  struct buf text = {0};
  int rc = VDT_OK;
  *out = NULL;
  if (o->config) rc = file_read(o->config, MAX_CONFIG, &text, err);
  else buf_put(&text, config_default());
  if (!rc) rc = config_parse(buf_str(&text), o->config ? o->config : "the default configuration", out, err);
  buf_finish(&text);
  if (!rc && (o->upstream || o->api_key_env)) rc = override(o, out, err);
  if (!rc) rc = check_keys(*out, err);
  return rc;
}

static const char *absolute(struct vdt_arena *arena, const char *path)
{
  char folder[PATH_MAX];
  if (!path || path[0] == '/' || !getcwd(folder, sizeof folder)) return path;
  return arena_printf(arena, "%s/%s", folder, path);
}

int run_make_absolute(struct config *c, struct vdt_error *err)
{
  struct config_tls *both[] = {&c->listen.gateway_tls, &c->listen.control_tls};
  for (size_t i = 0; i < 2; i++) {
    const char *paths[] = {both[i]->certificate, both[i]->key};
    static const char *const names[] = {"certificate", "key"};
    for (size_t k = 0; k < 2; k++)
      if (paths[k] && access(paths[k], R_OK))
        return error_at(err, VDT_ECONFIG, paths[k], 0, "the TLS %s cannot be read: %s", names[k], strerror(errno));
    both[i]->certificate = absolute(c->arena, paths[0]);
    both[i]->key = absolute(c->arena, paths[1]);
  }
  for (size_t i = 0; i < c->n_workspaces; i++) {
    const char **file = &c->workspaces[i].evidence_public_key;
    char path[PATH_MAX];
    if (!*file) continue;
    if (!load_resolve(*file, c->path, path, sizeof path)) return error_at(err, VDT_ECONFIG, *file, 0, "the path is too long");
    *file = absolute(c->arena, arena_printf(c->arena, "%s", path));
  }
  return VDT_OK;
}

bool run_uses_simulation(const struct config *c)
{
  for (size_t i = 0; i < c->n_deployments; i++)
    if (c->deployments[i].upstream.scheme == CONFIG_SIMULATED) return true;
  for (size_t i = 0; i < c->n_shields; i++)
    if (c->shields[i].endpoint.scheme == CONFIG_SIMULATED) return true;
  return false;
}

static unsigned file_limit(void)
{
  struct rlimit l;
  if (getrlimit(RLIMIT_NOFILE, &l)) return 1024;
  return l.rlim_max > MAX_FILES ? MAX_FILES : (unsigned)l.rlim_max;
}

static unsigned worker_count(const struct run_options *o)
{
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  unsigned n = o->workers ? o->workers : cpus > 0 ? (unsigned)cpus : 1;
  return n > RUN_WORKERS_MAX ? RUN_WORKERS_MAX : n;
}

int run_write_files(struct run *r, const struct config *c, const char *name, struct vdt_error *err)
{
  const char *trusted = getenv("SSL_CERT_FILE");
  struct nginx_conf in = {.config = c,
                          .state = r->state,
                          .module = r->module,
                          .user = r->user.name,
                          .portal = r->portal,
                          .workers = worker_count(&r->options),
                          .trusted = trusted && *trusted ? trusted : "/etc/ssl/certs/ca-certificates.crt",
                          .files = file_limit()};
  struct buf text = {0};
  int rc = VDT_OK;
  r->config_file = has_overrides(&r->options) ? run_in_state(r, "nginx/vedette.yaml") : absolute(r->arena, r->options.config);
  in.config_file = r->config_file;
  if (has_overrides(&r->options)) {
    config_print(c, &text);
    rc = run_file_write(r->config_file, buf_str(&text), err);
    buf_reset(&text);
  }
  if (!rc) rc = nginx_conf_write(&in, &text, err);
  if (!rc) rc = run_file_write(run_in_state(r, name), buf_str(&text), err);
  buf_finish(&text);
  return rc;
}

/* What held before the last change stays, so that the portal can show what the change was. */
static int keep_previous(struct run *r, struct str now, struct vdt_error *err)
{
  struct buf before = {0};
  int rc = VDT_OK;
  if (file_read(run_in_state(r, "run/effective.yaml"), EFFECTIVE_MAX, &before, NULL) == VDT_OK && !str_eq(buf_str(&before), now))
    rc = run_file_write(run_in_state(r, "run/effective.previous.yaml"), buf_str(&before), err);
  buf_finish(&before);
  return rc;
}

int run_keep_effective(struct run *r, struct vdt_error *err)
{
  struct buf text = {0};
  config_print(r->config, &text);
  int rc = text.failed ? error_set(err, VDT_ENOMEM, "out of memory") : keep_previous(r, buf_str(&text), err);
  if (!rc) rc = run_file_write(run_in_state(r, "run/effective.yaml"), buf_str(&text), err);
  buf_finish(&text);
  return rc;
}
