#include "cli/workbench.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/workbench_show.h"
#include "gateway/load.h"
#include "wire/explain.h"
#include "wire/finding.h"
#include <dirent.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_MAX = 64 << 20, CONFIG_MAX = 4 << 20 };

struct bench {
  const char *state_dir;
  struct config *config;
  struct vdt_engine *engine;
  struct vdt_scanner *scanner;
  struct vdt_blocklist *blocklist;
  struct vdt_intel *intel;
};

/* ---- loading ---------------------------------------------------------------------------------------------------- */

static void rest(void *ctx)
{
  struct bench *b = ctx;
  const char *state_dir = b->state_dir;
  bool any = b->engine || b->config;
  vdt_scanner_free(b->scanner);
  vdt_engine_free(b->engine);
  vdt_blocklist_free(b->blocklist);
  intel_drop(b->intel);
  config_free(b->config);
  *b = (struct bench){.state_dir = state_dir};
  if (any) malloc_trim(0); /* compiling leaves many times of what it made in pieces */
}

static int read_config(struct bench *b, struct vdt_error *err)
{
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/run/effective.yaml", b->state_dir);
  if (access(path, F_OK) == 0) return load_config(path, &b->config, err);
  return config_parse(config_default(), "the default configuration", &b->config, err);
}

/* A feed that cannot be read now leaves the built-in list: the gateway, too, goes on with what it has. */
static int read_intel(struct bench *b, struct vdt_error *err)
{
  struct vdt_error ignored = {0};
  return load_intel(b->config, &b->intel, &ignored) == VDT_OK ? VDT_OK : load_intel(NULL, &b->intel, err);
}

static int load(struct bench *b, struct vdt_error *err)
{
  if (b->scanner) return VDT_OK;
  rest(b);
  int rc = read_config(b, err);
  if (!rc) rc = load_blocklists(b->config, &b->blocklist, err);
  if (!rc) rc = load_engine_of(b->config, b->state_dir, &b->engine, NULL, err);
  if (!rc) rc = read_intel(b, err);
  if (!rc && vdt_scanner_new(b->engine, &b->scanner)) rc = error_set(err, VDT_ENOMEM, "out of memory");
  return rc == VDT_ENOTFOUND ? VDT_EIO : rc; /* that is for names of the request */
}

bool workbench_sees(const struct workbench_view *view, const struct config_deployment *d)
{
  for (size_t i = 0; i < view->n; i++)
    if (strcmp(view->workspaces[i], d->workspace->name) == 0) return true;
  return false;
}

/* ---- scanning --------------------------------------------------------------------------------------------------- */

struct scan {
  struct bench *bench;
  struct vdt_arena *arena;
  const struct workbench_text *text;
  enum vdt_role role;
};

static enum vdt_role role_of(struct str as)
{
  return str_eq(as, STR("response")) ? VDT_RESPONSE : str_eq(as, STR("document")) ? VDT_DOCUMENT : VDT_PROMPT;
}

static bool may_see(const struct scan *s, const struct config_deployment *d)
{
  return workbench_sees(&s->text->view, d);
}

static const struct config_deployment *find(const struct scan *s)
{
  const struct config *c = s->bench->config;
  for (size_t i = 0; i < c->n_deployments; i++) {
    const struct config_deployment *d = &c->deployments[i];
    if (may_see(s, d) && (!s->text->deployment.n || str_eq(str_of(d->name), s->text->deployment))) return d;
  }
  return NULL;
}

/* What holds for who is named, on top of the deployment's policy. */
static int policy_for(const struct scan *s, const struct config_deployment *d, struct vdt_policy *out)
{
  const struct data_policy *holds[DATA_POLICIES_MAX];
  const struct workbench_text *t = s->text;
  *out = *d->policy;
  if (!t->user.n && !t->application.n && !t->tenant.n) return VDT_OK;
  size_t n = config_data_policies(s->bench->config, t->user, t->application, (struct str){0}, t->tenant, holds);
  return n ? data_policy_tighten(s->bench->engine, s->arena, d->policy, holds, n, out) : VDT_OK;
}

static int scan_for(struct scan *s, const struct config_deployment *d, struct vdt_result *out)
{
  struct vdt_policy policy;
  int rc = policy_for(s, d, &policy);
  if (rc) return rc;
  policy.allow = d->allow;
  policy.intel = s->bench->intel;
  if (d->n_blocklists)
    policy.phrases = (struct vdt_phrases){s->bench->blocklist, s->role == VDT_RESPONSE ? d->list_response : d->list_request};
  return vdt_scan(s->bench->scanner, s->arena, &policy, s->role, s->text->text.p, s->text->text.n, out);
}

static enum vdt_action action_of(const struct vdt_result *r)
{
  enum vdt_action strongest = VDT_ALLOW;
  for (size_t i = 0; i < r->n_findings; i++)
    if (r->findings[i].action > strongest) strongest = r->findings[i].action;
  return strongest;
}

static bool is_plain(const struct config_deployment *d)
{
  return !d->n_blocklists && !d->allow;
}

/* Deployments of one policy, without lists of their own, do the same: it is scanned for one of them. */
static int action_for(struct scan *s, size_t i, enum vdt_action *actions)
{
  const struct config_deployment *all = s->bench->config->deployments, *d = &all[i];
  struct vdt_result r;
  for (size_t k = 0; is_plain(d) && k < i; k++)
    if (all[k].policy == d->policy && is_plain(&all[k]) && may_see(s, &all[k])) {
      actions[i] = actions[k];
      return VDT_OK;
    }
  int rc = scan_for(s, d, &r);
  if (!rc) actions[i] = action_of(&r);
  return rc;
}

static int put_actions(struct scan *s, struct buf *out)
{
  const struct config *c = s->bench->config;
  enum vdt_action *actions = calloc(c->n_deployments + 1, sizeof *actions);
  bool any = false;
  int rc = actions ? VDT_OK : VDT_ENOMEM;
  BUF_LIT(out, ",\"actions\":[");
  for (size_t i = 0; !rc && i < c->n_deployments; i++) {
    const struct config_deployment *d = &c->deployments[i];
    if (!may_see(s, d) || (rc = action_for(s, i, actions))) continue;
    buf_put(out, any ? STR(",{\"deployment\":") : STR("{\"deployment\":"));
    json_quote(out, str_of(d->name));
    BUF_LIT(out, ",\"workspace\":");
    json_quote(out, str_of(d->workspace->name));
    BUF_LIT(out, ",\"policy\":");
    json_quote(out, str_of(d->policy->name));
    buf_printf(out, ",\"action\":\"%s\"}", vdt_action_name(actions[i]));
    any = true;
  }
  buf_byte(out, ']');
  free(actions);
  return rc;
}

static void put_result(struct scan *s, const struct config_deployment *d, const struct vdt_result *r, struct buf *out)
{
  static const char *const inspected[] = {"full", "partial", "none"};
  BUF_LIT(out, "{\"deployment\":");
  json_quote(out, str_of(d->name));
  buf_printf(out,
             ",\"as\":\"%s\",\"verdict\":\"%s\",\"action\":\"%s\",\"scores\":{\"jailbreak\":%.4g,\"indirect\":%.4g},"
             "\"inspected\":\"%s\"",
             vdt_role_name(s->role), action_of(r) >= VDT_DETECT ? "detected" : "clean", vdt_action_name(action_of(r)),
             r->jailbreak, r->indirect, inspected[r->inspected]);
  BUF_LIT(out, ",\"findings\":[");
  for (size_t i = 0; i < r->n_findings; i++) {
    if (i) buf_byte(out, ',');
    finding_write(&r->findings[i], s->text->text, (struct str){0}, false, out);
  }
  buf_byte(out, ']');
  if (s->role == VDT_RESPONSE) return;
  BUF_LIT(out, ",\"explain\":{");
  explain_write(&r->why, out);
  buf_byte(out, '}');
}

static int scan_in(struct scan *s, struct buf *out)
{
  struct vdt_result r;
  const struct config_deployment *d = find(s);
  if (!d) return VDT_ENOTFOUND;
  int rc = scan_for(s, d, &r);
  if (!rc) put_result(s, d, &r, out);
  if (!rc) rc = put_actions(s, out);
  buf_byte(out, '}');
  return rc;
}

static int scan(void *ctx, const struct workbench_text *text, struct buf *out, struct vdt_error *err)
{
  struct bench *b = ctx;
  struct scan s = {.bench = b, .text = text, .role = role_of(text->as)};
  int rc = load(b, err);
  if (rc) return rc;
  if (!(s.arena = vdt_arena_new(ARENA_MAX))) return error_set(err, VDT_ENOMEM, "out of memory");
  rc = scan_in(&s, out);
  if (rc && rc != VDT_ENOTFOUND) error_set(err, rc, "%s", vdt_strerror(rc));
  vdt_arena_free(s.arena);
  return rc;
}

/* ---- the catalogue: read anew each time, it takes milliseconds and no compiling ------------------------------------ */

static int with_rules(struct bench *b, const struct workbench_rules *q, struct buf *out, struct vdt_error *err,
                      int (*show)(const struct rules *rules, const struct workbench_rules *q, struct buf *out))
{
  struct bench look = {.state_dir = b->state_dir};
  struct rules rules = {0};
  struct vdt_arena *arena = vdt_arena_new(ARENA_MAX);
  int rc = arena ? read_config(&look, err) : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) rc = load_rules(look.config, arena, &rules, err);
  if (!rc) rc = show(&rules, q, out);
  vdt_arena_free(arena);
  rest(&look);
  return rc;
}

static int summary(void *ctx, const struct workbench_rules *q, struct buf *out, struct vdt_error *err)
{
  return with_rules(ctx, q, out, err, workbench_put_summary);
}

static int rules(void *ctx, const struct workbench_rules *q, struct buf *out, struct vdt_error *err)
{
  return with_rules(ctx, q, out, err, workbench_put_rules);
}

/* The configuration before the last change; NULL when there was none, or it is one that this version does not read. */
static struct config *read_previous(const struct bench *b, uint64_t *changed_us)
{
  char path[PATH_MAX];
  struct stat st;
  struct config *c = NULL;
  struct buf text = {0};
  snprintf(path, sizeof path, "%s/run/effective.previous.yaml", b->state_dir);
  if (stat(path, &st) == 0 && file_read(path, CONFIG_MAX, &text, NULL) == VDT_OK && config_parse(buf_str(&text), path, &c, NULL))
    c = NULL;
  *changed_us = c ? (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000 : 0;
  buf_finish(&text);
  return c;
}

static int policies(void *ctx, const struct workbench_view *view, struct buf *out, struct vdt_error *err)
{
  struct bench look = {.state_dir = ((struct bench *)ctx)->state_dir};
  uint64_t changed_us;
  int rc = read_config(&look, err);
  struct config *previous = rc ? NULL : read_previous(&look, &changed_us);
  if (!rc) rc = workbench_put_policies(look.config, previous, changed_us, view, out);
  config_free(previous);
  rest(&look);
  return rc;
}

/* ---- which rules and model --------------------------------------------------------------------------------------- */

/* The head of the weights file, as model/weights.h has it: version at 12, name at 40. */
static int put_model(const char *path, char *out, size_t size)
{
  unsigned char head[64] = {0};
  FILE *f = path ? fopen(path, "rbe") : NULL;
  bool read = f && fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, "VDTMODEL", 8) == 0;
  if (f) fclose(f);
  if (!path) return snprintf(out, size, "No model: rules alone");
  if (!read) return snprintf(out, size, "The model's file cannot be read");
  unsigned version = head[12] | (unsigned)head[13] << 8 | (unsigned)head[14] << 16 | (unsigned)head[15] << 24;
  for (int i = 40; i < 64 && head[i]; i++)
    if (head[i] < ' ' || head[i] > '~') head[i] = '?';
  return snprintf(out, size, "Model %.24s, version %u", (const char *)head + 40, version);
}

static void put_files(const char *dir, char *out, size_t size)
{
  unsigned n = 0;
  time_t newest = 0;
  struct stat st;
  DIR *d = opendir(dir);
  for (struct dirent *e; d && (e = readdir(d));) {
    struct str name = str_of(e->d_name);
    if (name.n <= 5 || name.p[0] == '.' || !str_eq(str_cut(name, name.n - 5, name.n), STR(".yaml"))) continue;
    n++;
    if (fstatat(dirfd(d), e->d_name, &st, 0) == 0 && st.st_mtime > newest) newest = st.st_mtime;
  }
  if (d) closedir(d);
  char time[CLOCK_TEXT];
  clock_format((uint64_t)newest * 1000000, time);
  snprintf(out, size, "; %u files of rules, the newest of %.10s.", n, time);
}

void workbench_describe(const struct bench *b, char out[WORKBENCH_ENGINE_MAX])
{
  struct bench look = {.state_dir = b->state_dir};
  if (read_config(&look, NULL)) {
    snprintf(out, WORKBENCH_ENGINE_MAX, "The configuration of now cannot be read.");
    return;
  }
  int n = put_model(load_model_file(look.config->model), out, WORKBENCH_ENGINE_MAX);
  put_files(load_rules_dir(look.config->rules_dir), out + n, WORKBENCH_ENGINE_MAX - (size_t)n);
  rest(&look);
}

/* ---- for serve -------------------------------------------------------------------------------------------------- */

struct bench *workbench_new(const char *state_dir)
{
  struct bench *b = calloc(1, sizeof *b);
  if (b) b->state_dir = state_dir;
  return b;
}

struct workbench workbench_of(struct bench *b)
{
  return (struct workbench){.ctx = b, .scan = scan, .rest = rest, .summary = summary, .rules = rules, .policies = policies};
}

void workbench_free(struct bench *b)
{
  if (b) rest(b);
  free(b);
}
