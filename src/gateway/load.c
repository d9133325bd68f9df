#include "gateway/load.h"
#include "base/error.h"
#include "base/file.h"
#include "engine/rule.h"
#include "gateway/load_kept.h"
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <limits.h>
#include <unistd.h>

enum { MAX_FILES = 256, MAX_RULE_FILE = 16 << 20, MAX_CONFIG = 4 << 20, MAX_WEIGHTS = 256 << 20 };

const char *load_rules_dir(const char *dir)
{
  if (dir && *dir) return dir;
  const char *env = getenv("VEDETTE_RULES");
  if (env && *env) return env;
  return access(VEDETTE_DATADIR "/rules", R_OK) == 0 ? VEDETTE_DATADIR "/rules" : VEDETTE_SOURCE "/rules";
}

const char *load_model_file(const char *file)
{
  if (!file || !*file) file = getenv("VEDETTE_MODEL");
  if (file && *file) return strcmp(file, "none") == 0 ? NULL : file;
  const char *installed = VEDETTE_DATADIR "/shield.weights";
  return access(installed, R_OK) == 0 ? installed : VEDETTE_SOURCE "/model/shield.weights";
}

static int is_rule_file(const struct dirent *e)
{
  struct str name = str_of(e->d_name);
  return name.n > 5 && name.p[0] != '.' && str_eq(str_cut(name, name.n - 5, name.n), STR(".yaml"));
}

struct files {
  struct dirent **names;
  int n;
  struct buf text[MAX_FILES];
  struct vdt_source sources[MAX_FILES];
  size_t n_texts;
};

static int read_one(struct files *f, const char *path, const char *name, struct vdt_error *err)
{
  if (f->n_texts == MAX_FILES) return error_at(err, VDT_ETOOBIG, path, 0, "more than %d files of rules", MAX_FILES);
  struct buf *text = &f->text[f->n_texts];
  int rc = file_read(path, MAX_RULE_FILE, text, err);
  if (!rc) f->sources[f->n_texts++] = (struct vdt_source){name, text->n ? text->p : "", text->n};
  return rc;
}

static int read_folder(struct files *f, const char *dir, struct vdt_error *err)
{
  for (int i = 0; i < f->n; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, f->names[i]->d_name);
    int rc = read_one(f, path, f->names[i]->d_name, err);
    if (rc) return rc;
  }
  return VDT_OK;
}

/* The operator's own. */
static int read_own(struct files *f, const struct config *c, struct vdt_error *err)
{
  for (size_t i = 0; c && i < c->n_rules; i++) {
    char path[PATH_MAX];
    if (!load_resolve(c->rules[i].file, c->path, path, sizeof path))
      return error_at(err, VDT_ECONFIG, c->rules[i].file, 0, "the path is too long");
    int rc = read_one(f, path, c->rules[i].file, err);
    if (rc) return rc;
  }
  return VDT_OK;
}

static void finish(struct files *f)
{
  for (int i = 0; i < f->n; i++) free(f->names[i]);
  for (size_t i = 0; i < MAX_FILES; i++) buf_finish(&f->text[i]);
  free(f->names);
  free(f);
}

static int load_model(const char *path, struct vdt_engine *engine, struct vdt_error *err)
{
  const void *weights;
  size_t n;
  if (!path) return VDT_OK;
  int rc = file_map(path, MAX_WEIGHTS, &weights, &n, err);
  if (!rc) rc = vdt_engine_use_model(engine, weights, n, file_unmap, err);
  if (rc && err) snprintf(err->file, sizeof err->file, "%s", path);
  return rc;
}

static int read_files(struct files *f, const char *dir, const struct config *c, const char *const *more, size_t n,
                      struct vdt_error *err)
{
  f->n = scandir(dir, &f->names, is_rule_file, alphasort);
  if (f->n < 0) {
    f->n = 0;
    return error_at(err, VDT_EIO, dir, 0, "%s; set rules_dir or VEDETTE_RULES to the folder of the rules", strerror(errno));
  }
  if (f->n == 0 || f->n > MAX_FILES)
    return error_at(err, VDT_ENOTFOUND, dir, 0, "expected 1 to %d *.yaml files with rules here", MAX_FILES);
  int rc = read_folder(f, dir, err);
  if (!rc) rc = read_own(f, c, err);
  for (size_t i = 0; !rc && i < n; i++) rc = read_one(f, more[i], more[i], err);
  return rc;
}

/* ---- what a configuration says about kinds and values ------------------------------------------------------------ */

int load_allowed_key(const struct config *config, unsigned char key[VDT_ALLOW_KEY], struct vdt_error *err)
{
  char path[PATH_MAX];
  struct buf text = {0};
  memset(key, 0, VDT_ALLOW_KEY);
  if (!config->allowed_key) return VDT_OK;
  if (!load_resolve(config->allowed_key, config->path, path, sizeof path))
    return error_at(err, VDT_ECONFIG, config->allowed_key, 0, "the path is too long");
  int rc = file_read(path, VDT_ALLOW_KEY, &text, err);
  if (!rc && text.n != VDT_ALLOW_KEY)
    rc = error_at(err, VDT_ECONFIG, path, 0, "expected %d bytes, as `vedette rules hash` makes them", VDT_ALLOW_KEY);
  if (!rc) memcpy(key, text.p, VDT_ALLOW_KEY);
  buf_finish(&text);
  return rc;
}

static int bind_deployment(struct config *c, struct config_deployment *d, const unsigned char *key,
                           const struct vdt_engine *engine, struct vdt_error *err)
{
  size_t n = 0;
  struct vdt_allowed *entries = arena_zalloc(c->arena, c->n_allowed + 1, sizeof *entries);
  if (!entries) return error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; i < c->n_allowed; i++) {
    const struct config_allowed *a = &c->allowed[i];
    if (!a->deployment || strcmp(a->deployment, d->name) == 0) entries[n++] = (struct vdt_allowed){a->hash, a->kind, a->line};
  }
  return n ? vdt_allow_new(engine, c->arena, key, entries, n, &d->allow, err) : VDT_OK;
}

int load_data(struct config *c, const struct vdt_engine *engine, struct vdt_error *err)
{
  uint8_t *set, *of_rule = arena_zalloc(c->arena, engine->rules.n + 1, 1);
  int rc = of_rule ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; !rc && i < c->n_labels; i++) {
    const struct config_label *l = &c->labels[i];
    rc = data_kinds_find(engine, c->arena, l->kinds, l->n_kinds, &set, err);
    for (unsigned r = 0; !rc && r < engine->rules.n; r++)
      if (set[r] && (!of_rule[r] || l->priority > c->labels[of_rule[r] - 1].priority)) of_rule[r] = (uint8_t)(i + 1);
  }
  c->label_of_rule = of_rule;
  for (size_t i = 0; !rc && i < c->n_data_policies; i++) {
    struct data_policy *p = &c->data_policies[i].policy;
    rc = data_kinds_find(engine, c->arena, p->kinds, p->n_kinds, &set, err);
    p->rules = set;
  }
  return rc;
}

static int bind_all(struct config *c, const struct vdt_engine *engine, struct vdt_error *err)
{
  unsigned char key[VDT_ALLOW_KEY];
  int rc = load_allowed_key(c, key, err);
  for (size_t i = 0; !rc && i < c->n_policies; i++) rc = vdt_policy_bind(engine, c->arena, &c->policies[i], err);
  for (size_t i = 0; !rc && i < c->n_deployments; i++) rc = bind_deployment(c, &c->deployments[i], key, engine, err);
  if (!rc) rc = load_data(c, engine, err);
  if (rc && err && !err->file[0]) snprintf(err->file, sizeof err->file, "%s", c->path);
  return rc;
}

/* More files of rules than the configuration's own; without a model rules are tried by themselves. */
struct more {
  const char *const *files;
  size_t n;
  bool no_model;
};

static int load_engine(struct config *config, const char *state, struct more more, struct vdt_engine **out,
                       struct vdt_error *note, struct vdt_error *err)
{
  struct vdt_engine *engine = NULL;
  struct vdt_error ignored;
  char kept[PATH_MAX];
  struct files *f = calloc(1, sizeof *f);
  if (!f) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = read_files(f, load_rules_dir(config ? config->rules_dir : NULL), config, more.files, more.n, err);
  if (note) note->text[0] = '\0';
  if (!rc)
    rc = load_kept_engine(load_kept_folder(state, kept, sizeof kept) ? kept : NULL, f->sources, f->n_texts, &engine,
                          note ? note : &ignored, err);
  finish(f);
  /* Compiling took several times of what is left, in pieces between those that stay: without this a reload may leave 60 MB behind. */
  malloc_trim(0);
  if (!rc && !more.no_model) rc = load_model(load_model_file(config ? config->model : NULL), engine, err);
  if (!rc && config) rc = bind_all(config, engine, err);
  if (rc) vdt_engine_free(engine);
  else *out = engine;
  return rc;
}

int load_engine_of(struct config *config, const char *state, struct vdt_engine **out, struct vdt_error *note,
                   struct vdt_error *err)
{
  return load_engine(config, state, (struct more){0}, out, note, err);
}

int load_engine_with(struct config *config, const char *const *files, size_t n, struct vdt_engine **out, struct vdt_error *err)
{
  return load_engine(config, NULL, (struct more){files, n, true}, out, NULL, err);
}

int load_rules(const struct config *config, struct vdt_arena *arena, struct rules *out, struct vdt_error *err)
{
  struct files *f = calloc(1, sizeof *f);
  if (!f) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = read_files(f, load_rules_dir(config ? config->rules_dir : NULL), config, NULL, 0, err);
  if (!rc) rc = rules_parse(arena, f->sources, f->n_texts, out, err);
  finish(f);
  return rc;
}

int load_config(const char *path, struct config **out, struct vdt_error *err)
{
  struct buf text = {0};
  int rc = file_read(path, MAX_CONFIG, &text, err);
  if (!rc) rc = config_parse(buf_str(&text), path, out, err);
  buf_finish(&text);
  if (!rc && (rc = load_phrases(*out, path, err))) {
    config_free(*out);
    *out = NULL;
  }
  return rc;
}
