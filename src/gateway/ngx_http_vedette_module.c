/*
 * ngx_http_vedette_module: directives and variables. Everything that decides is in the exchange; everything that can be wrong in a
 * configuration is found here, in the master, before a worker sees it: nginx then refuses the configuration and the old workers go on.
 *
 *   vedette_config FILE;   http: configuration and rules
 *   vedette_spool DIR;     http: where the journals go; opened by the master, so that workers need no path to it
 *   vedette on | off;      http, server, location
 *
 * A request for the deployment NAME goes on in the named location @vedette_NAME when the server has one, else where it is. A question to
 * the shield NAME goes to the named location @vedette_shield:NAME, and nowhere when the server has none.
 */
#include "gateway/ngx_gate.h"
#include "base/file.h"
#include "gateway/load.h"
#include "gateway/opinion_memory.h"
#include <malloc.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>

static void *create_main(ngx_conf_t *cf)
{
  struct gate_main *m = ngx_pcalloc(cf->pool, sizeof *m);
  if (m) m->spool = NGX_INVALID_FILE;
  return m;
}

static void *create_location(ngx_conf_t *cf)
{
  struct gate_location *l = ngx_pcalloc(cf->pool, sizeof *l);
  if (l) l->on = NGX_CONF_UNSET;
  return l;
}

static char *merge_location(ngx_conf_t *cf, void *parent, void *child)
{
  struct gate_location *above = parent, *l = child;
  const struct gate_main *m = ngx_http_conf_get_module_main_conf(cf, ngx_http_vedette_module);
  ngx_conf_merge_value(l->on, above->on, 0);
  if (!l->on || (m->config && m->spool != NGX_INVALID_FILE)) return NGX_CONF_OK;
  ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"vedette on\" needs \"vedette_config\" and \"vedette_spool\" in the http block");
  return NGX_CONF_ERROR;
}

/* ---- vedette_config --------------------------------------------------------------------------------------------- */

static void unload(void *data)
{
  struct gate_main *m = data;
  opinion_memory_free(m->image.memory);
  vdt_blocklist_free(m->image.blocklist);
  vdt_engine_free(m->engine);
  config_free(m->config);
}

static char *say(ngx_conf_t *cf, const struct vdt_error *err)
{
  if (err->line) ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "vedette: %s:%ud: %s", err->file, err->line, err->text);
  else ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "vedette: %s%s%s", err->file, err->file[0] ? ": " : "", err->text);
  return NGX_CONF_ERROR;
}

bool gate_take_key(ngx_conf_t *cf, const char *whose, const char *name, const char *env, struct str before, ngx_str_t *out)
{
  struct str key = str_of(getenv(env));
  bool bad = key.n == 0;
  for (size_t k = 0; k < key.n; k++) bad |= key.p[k] <= ' ' || key.p[k] > '~';
  if (bad) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "vedette: %s \"%s\": the environment variable %s %s", whose, name, env,
                       key.n ? "holds characters that no key has" : "is not set");
    return false;
  }
  out->data = ngx_pnalloc(cf->pool, before.n + key.n);
  if (!out->data) return false;
  out->len = before.n + key.n;
  if (before.n) memcpy(out->data, before.p, before.n);
  memcpy(out->data + before.n, key.p, key.n);
  return true;
}

/* The keys are taken from the master's environment now: workers have none of it. */
static char *take_keys(ngx_conf_t *cf, struct gate_main *m)
{
  m->keys = ngx_pcalloc(cf->pool, m->config->n_deployments * sizeof *m->keys);
  if (!m->keys) return NGX_CONF_ERROR;
  for (size_t i = 0; i < m->config->n_deployments; i++) {
    const struct config_deployment *d = &m->config->deployments[i];
    if (d->api_key_env && !gate_take_key(cf, "deployment", d->name, d->api_key_env, STR(""), &m->keys[i])) return NGX_CONF_ERROR;
  }
  return gate_take_shields(cf, m);
}

static char *set_config(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
  struct gate_main *m = conf;
  ngx_str_t *args = cf->args->elts;
  struct vdt_error err = {0};
  (void)cmd;
  if (m->config) return (char *)(uintptr_t) "is duplicate";
  if (ngx_conf_full_name(cf->cycle, &args[1], 1) != NGX_OK) return NGX_CONF_ERROR;
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  if (!cleanup) return NGX_CONF_ERROR;
  cleanup->handler = unload;
  cleanup->data = m;
  if (load_config((const char *)args[1].data, &m->config, &err)) return say(cf, &err);
  if (load_blocklists(m->config, &m->image.blocklist, &err)) return say(cf, &err);
  m->image.config = m->config;
  m->image.intel = &gate_worker.intel;
  m->image.evidence = m->evidence = ngx_pcalloc(cf->pool, m->config->n_deployments * sizeof *m->evidence);
  m->sealers = ngx_pcalloc(cf->pool, m->config->n_workspaces * sizeof(*m->sealers));
  m->image.sealers = m->sealers;
  m->public_keys = ngx_pcalloc(cf->pool, m->config->n_workspaces * sizeof *m->public_keys);
  if (!m->evidence || !m->sealers || !m->public_keys) return NGX_CONF_ERROR;
  return take_keys(cf, m);
}

/* ---- vedette_spool ---------------------------------------------------------------------------------------------- */

static void close_spool(void *data)
{
  struct gate_main *m = data;
  if (m->spool != NGX_INVALID_FILE) close(m->spool);
}

/* Made once, whole and synced before anything is hashed with it; two that start at once take turns. */
static bool make_hash_key(unsigned char *key, size_t n, const char *path)
{
  struct str text = {(const char *)key, n};
  if (access(path, F_OK) == 0) return true;
  return errno == ENOENT && getrandom(key, n, 0) == (ssize_t)n && file_replace(path, text, 0600, NULL) == VDT_OK;
}

/* The key that client credentials are hashed with lies beside the spool, so that hashes stay the same over restarts. */
static bool take_hash_key(struct gate_main *m)
{
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%.*s/../gateway.key", (int)m->spool_path.len, (const char *)m->spool_path.data);
  bool made = flock(m->spool, LOCK_EX) == 0 && make_hash_key(m->image.key, sizeof m->image.key, path);
  flock(m->spool, LOCK_UN);
  int fd = made ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  bool ok = fd >= 0 && read(fd, m->image.key, sizeof m->image.key) == (ssize_t)sizeof m->image.key;
  if (fd >= 0) close(fd);
  return ok;
}

static char *set_spool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
  struct gate_main *m = conf;
  ngx_str_t *args = cf->args->elts;
  (void)cmd;
  if (m->spool != NGX_INVALID_FILE) return (char *)(uintptr_t) "is duplicate";
  if (ngx_conf_full_name(cf->cycle, &args[1], 1) != NGX_OK) return NGX_CONF_ERROR;
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  if (!cleanup) return NGX_CONF_ERROR;
  m->spool_path = args[1];
  m->spool = open((const char *)args[1].data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  cleanup->handler = close_spool;
  cleanup->data = m;
  if (m->spool == NGX_INVALID_FILE) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "vedette_spool \"%V\" cannot be opened", &args[1]);
    return NGX_CONF_ERROR;
  }
  if (!take_hash_key(m)) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "vedette: gateway.key beside \"%V\" cannot be read or made", &args[1]);
    return NGX_CONF_ERROR;
  }
  return NGX_CONF_OK;
}

static ngx_command_t commands[] = {
    {ngx_string("vedette_config"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_config, NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("vedette_spool"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_spool, NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("vedette"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(struct gate_location, on), NULL},
    ngx_null_command};

/* ---- variables -------------------------------------------------------------------------------------------------- */

enum { VAR_KEY, VAR_ID, VAR_VERDICT, VAR_DEPLOYMENT, VAR_UPGRADE, VAR_CONNECTION, VAR_PROTOCOL };

static ngx_str_t variable(const struct gate *g, uintptr_t which)
{
  static const ngx_str_t none = ngx_null_string;
  switch (which) {
  case VAR_KEY: return g->deployment ? g->main->keys[g->deployment - g->main->config->deployments] : none;
  case VAR_ID: return gate_ngx(str_of(exchange_id(g->x)));
  case VAR_UPGRADE: return exchange_is_session(g->x) ? gate_ngx(STR("websocket")) : none;
  case VAR_CONNECTION: return exchange_is_session(g->x) ? gate_ngx(STR("upgrade")) : none;
  case VAR_PROTOCOL: return exchange_is_session(g->x) ? gate_protocol(g) : none;
  case VAR_VERDICT: return gate_ngx(str_of(record_verdict_name(exchange_verdict(g->x))));
  default: return g->deployment ? gate_ngx(str_of(g->deployment->name)) : none;
  }
}

static ngx_int_t get_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t which)
{
  const struct gate *g = gate_find(r);
  ngx_str_t s = g ? variable(g, which) : (ngx_str_t)ngx_null_string;
  v->data = s.data;
  v->len = (unsigned)s.len & 0xfffffffu;
  v->valid = 1;
  v->no_cacheable = 1;
  v->not_found = g == NULL;
  return NGX_OK;
}

static ngx_http_variable_t variables[] = {
    {ngx_string("vedette_api_key"), NULL, get_variable, VAR_KEY, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("vedette_interaction"), NULL, get_variable, VAR_ID, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("vedette_verdict"), NULL, get_variable, VAR_VERDICT, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("vedette_deployment"), NULL, get_variable, VAR_DEPLOYMENT, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("vedette_upgrade"), NULL, get_variable, VAR_UPGRADE, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("vedette_connection"), NULL, get_variable, VAR_CONNECTION, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("vedette_protocol"), NULL, get_variable, VAR_PROTOCOL, NGX_HTTP_VAR_NOCACHEABLE, 0},
    ngx_http_null_variable};

static ngx_int_t add_variables(ngx_conf_t *cf)
{
  for (ngx_http_variable_t *v = variables; v->name.len; v++) {
    ngx_http_variable_t *added = ngx_http_add_variable(cf, &v->name, v->flags);
    if (!added) return NGX_ERROR;
    added->get_handler = v->get_handler;
    added->data = v->data;
  }
  return NGX_OK;
}

/* ---- start ------------------------------------------------------------------------------------------------------ */

/* Evidence that nobody could seal is not kept: that is said once, and is no error. */
static void say_no_key(ngx_conf_t *cf, const struct gate_main *m, const struct config_workspace *w)
{
  bool wanted = false;
  for (size_t i = 0; i < m->config->n_deployments; i++)
    wanted |= m->config->deployments[i].workspace == w && m->config->deployments[i].prompt_evidence;
  if (wanted)
    ngx_conf_log_error(
        NGX_LOG_WARN, cf, 0,
        "vedette: workspace \"%s\" has no key to seal prompt evidence to: alerts come without text until `vedette keys "
        "new %s` has made one and nginx is reloaded",
        w->name, w->name);
}

/* Rules, compiled or as an earlier start of this state folder compiled them. */
static bool take_rules(ngx_conf_t *cf, struct gate_main *m, const char *state)
{
  struct vdt_error note, err = {0};
  if (load_engine_of(m->config, state, &m->engine, &note, &err)) {
    say(cf, &err);
    return false;
  }
  if (note.text[0])
    ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "vedette: the compiled rules are not kept, each start compiles them anew: %s",
                       note.text);
  m->image.engine = m->engine;
  return true;
}

/* Where the configuration names no file, the key lies beside the spool. */
static bool take_public_keys(ngx_conf_t *cf, struct gate_main *m, const char *state)
{
  struct vdt_error err = {0};
  for (size_t i = 0; i < m->config->n_workspaces; i++) {
    bool found;
    if (load_public_key(m->config, &m->config->workspaces[i], state, &m->public_keys[i], &found, &err)) {
      say(cf, &err);
      return false;
    }
    if (!found) say_no_key(cf, m, &m->config->workspaces[i]);
  }
  return true;
}

static void close_journals(void *data)
{
  struct gate_main *m = data;
  for (size_t i = 0; m->journals && i < m->config->n_workspaces; i++)
    if (m->journals[i] != NGX_INVALID_FILE) close(m->journals[i]);
}

/* Both directives are read: a folder of journals for each workspace, opened while we may. */
static ngx_int_t open_journals(ngx_conf_t *cf)
{
  struct gate_main *m = ngx_http_conf_get_module_main_conf(cf, ngx_http_vedette_module);
  if (!m || !m->config || m->spool == NGX_INVALID_FILE) return NGX_OK;
  size_t n = m->config->n_workspaces;
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  ngx_fd_t *fds = cleanup ? ngx_palloc(cf->pool, n * sizeof *fds) : NULL;
  if (!fds) return NGX_ERROR;
  for (size_t i = 0; i < n; i++) fds[i] = NGX_INVALID_FILE;
  m->journals = fds;
  cleanup->handler = close_journals;
  cleanup->data = m;
  for (size_t i = 0; i < n; i++) {
    fds[i] = journal_folder(m->spool, m->config->workspaces[i].name);
    if (fds[i] != NGX_INVALID_FILE) continue;
    ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "vedette: the folder of workspace \"%s\" in \"%V\" cannot be made or opened",
                       m->config->workspaces[i].name, &m->spool_path);
    return NGX_ERROR;
  }
  return NGX_OK;
}

/* What lies in the state folder, the one that the spool is in: both directives are known by now. */
static bool take_state(ngx_conf_t *cf)
{
  struct gate_main *m = ngx_http_conf_get_module_main_conf(cf, ngx_http_vedette_module);
  char state[PATH_MAX];
  if (!m->config || m->spool == NGX_INVALID_FILE) return true;
  snprintf(state, sizeof state, "%.*s/..", (int)m->spool_path.len, (const char *)m->spool_path.data);
  return take_rules(cf, m, state) && take_public_keys(cf, m, state);
}

static ngx_int_t install(ngx_conf_t *cf)
{
  if (!take_state(cf)) return NGX_ERROR;
  if (open_journals(cf) != NGX_OK) return NGX_ERROR;
  ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
  ngx_http_handler_pt *h = ngx_array_push(&core->phases[NGX_HTTP_ACCESS_PHASE].handlers),
                      *first = ngx_array_push(&core->phases[NGX_HTTP_POST_READ_PHASE].handlers);
  if (!h || !first) return NGX_ERROR;
  *h = gate_access;
  *first = gate_log_begin;
  gate_install_request_filter();
  gate_install_response_filters();
  return NGX_OK;
}

static ngx_int_t start_worker(ngx_cycle_t *cycle)
{
  const struct gate_main *m = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_vedette_module);
  if (!m || !m->config || m->spool == NGX_INVALID_FILE) return NGX_OK;
  /* Memory holds prompts and keys: no core files. And a worker without its master would hold the port for ever. */
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (ngx_process == NGX_PROCESS_WORKER) {
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (getppid() != ngx_parent) raise(SIGTERM); /* it died before we asked */
  }
  return gate_worker_start(cycle, m);
}

static void stop_worker(ngx_cycle_t *cycle)
{
  (void)cycle;
  gate_worker_stop();
}

static ngx_http_module_t context = {add_variables, install, create_main, NULL, NULL, NULL, create_location, merge_location};

ngx_module_t ngx_http_vedette_module = {NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, NULL, NULL,
                                        start_worker,  NULL,     NULL,     stop_worker,     NULL, NGX_MODULE_V1_PADDING};
