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

const struct data_place *data_place_of(const char *path, struct str *workspace)
{
  struct str head = STR("workspaces/"), whole = str_of(path);
  *workspace = (struct str){0};
  for (size_t i = 0; i < data_n_places; i++) {
    if (!place_matches(&data_places[i], path)) continue;
    if (!strstr(data_places[i].pattern, "{workspace}")) return &data_places[i];
    struct str rest = str_cut(whole, head.n, whole.n);
    const char *slash = memchr(rest.p, '/', rest.n);
    *workspace = slash ? str_cut(rest, 0, (size_t)(slash - rest.p)) : rest;
    return &data_places[i];
  }
  return NULL;
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
