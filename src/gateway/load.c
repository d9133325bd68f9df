#include "gateway/load.h"
#include "base/error.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
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
};

static int read_all(struct files *f, const char *dir, struct vdt_error *err)
{
  for (int i = 0; i < f->n; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, f->names[i]->d_name);
    int rc = file_read(path, MAX_RULE_FILE, &f->text[i], err);
    if (rc) return rc;
    f->sources[i] = (struct vdt_source){f->names[i]->d_name, f->text[i].p, f->text[i].n};
  }
  return VDT_OK;
}

static void finish(struct files *f)
{
  for (int i = 0; i < f->n; i++) {
    buf_finish(&f->text[i]);
    free(f->names[i]);
  }
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

int load_engine(const char *dir, const char *model, struct vdt_engine **out, struct vdt_error *err)
{
  dir = load_rules_dir(dir);
  struct files *f = calloc(1, sizeof *f);
  if (!f) return error_set(err, VDT_ENOMEM, "out of memory");
  f->n = scandir(dir, &f->names, is_rule_file, alphasort);
  struct vdt_engine *engine = NULL;
  int rc;
  if (f->n < 0) {
    rc = error_at(err, VDT_EIO, dir, 0, "%s; set rules_dir or VEDETTE_RULES to the folder of the rules", strerror(errno));
    f->n = 0;
  } else if (f->n == 0 || f->n > MAX_FILES) {
    rc = error_at(err, VDT_ENOTFOUND, dir, 0, "expected 1 to %d *.yaml files with rules here", MAX_FILES);
  } else {
    rc = read_all(f, dir, err);
    if (!rc) rc = vdt_engine_new(f->sources, (size_t)f->n, &engine, err);
  }
  finish(f);
  if (!rc) rc = load_model(load_model_file(model), engine, err);
  if (rc) vdt_engine_free(engine);
  else *out = engine;
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
