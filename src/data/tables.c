/* The tables of this folder, and how paths meet them. */
#include "data/data.h"
#include <fnmatch.h>

const struct data_class data_classes[DATA_CLASSES] = {
#define X(id, name, title, tables, lines, scope, retention, readers, holds, protection)                                          \
  {name, title, tables, holds, protection, DATA_LINES_##lines, DATA_SCOPE_##scope, DATA_KEEP_##retention, DATA_READ_##readers},
#include "data/classes.def"
#undef X
};

const struct data_place data_places[] = {
#define X(class, pattern, type, mode, owner, what) {DATA_##class, pattern, DATA_##type, mode, DATA_##owner, what},
#include "data/places.def"
#undef X
};
const size_t data_n_places = sizeof data_places / sizeof *data_places;

const struct data_connection_info data_connection_kinds[DATA_CONNECTIONS] = {
#define X(id, name, why, sends) {name, why, sends},
#include "data/connections.def"
#undef X
};

const struct data_absent data_absent[] = {
#define X(id, what, why) {what, why},
#include "data/absent.def"
#undef X
};
const size_t data_n_absent = sizeof data_absent / sizeof *data_absent;

/* The workspace's name is matched as * and cut out behind "workspaces/". */
static bool place_matches(const struct data_place *p, const char *path)
{
  static const char variable[] = "{workspace}";
  char pattern[256];
  const char *at = strstr(p->pattern, variable);
  if (!at) return fnmatch(p->pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
  snprintf(pattern, sizeof pattern, "%.*s*%s", (int)(at - p->pattern), p->pattern, at + sizeof variable - 1);
  return fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

bool data_place_is(const struct data_place *p, mode_t mode)
{
  return p->type == DATA_FILE ? S_ISREG(mode) : p->type == DATA_DIR ? S_ISDIR(mode) : S_ISSOCK(mode);
}

/* What stands at the place of {workspace}, which no pattern has anything to match before. */
static struct str workspace_of(const struct data_place *p, const char *path)
{
  const char *variable = strstr(p->pattern, "{workspace}");
  if (!variable) return (struct str){0};
  struct str rest = str_cut(str_of(path), (size_t)(variable - p->pattern), str_of(path).n);
  const char *slash = memchr(rest.p, '/', rest.n);
  return slash ? str_cut(rest, 0, (size_t)(slash - rest.p)) : rest;
}

const struct data_place *data_place_of(const char *path, mode_t mode, struct str *workspace)
{
  const struct data_place *best = NULL;
  for (size_t i = 0; i < data_n_places; i++) {
    const struct data_place *p = &data_places[i];
    if (!place_matches(p, path)) continue;
    if (!best || (data_place_is(p, mode) && !data_place_is(best, mode))) best = p;
  }
  *workspace = best ? workspace_of(best, path) : (struct str){0};
  return best;
}

bool data_class_has(const struct data_class *c, struct str table)
{
  for (const char *p = c->tables; *p;) {
    size_t n = strcspn(p, " ");
    if (str_eq((struct str){p, n}, table)) return true;
    p += n;
    p += *p == ' ';
  }
  return false;
}
