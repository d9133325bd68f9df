/* vedette data: what is stored about whom. This file finds the verb and opens the stores; the verbs are in files of their own. */
#include "cli/data.h"
#include "cli/alerts.h"

static const struct {
  const char *name;
  int (*fn)(int argc, char **argv);
} verbs[] = {
#define X(name, fn) {name, fn},
#include "cli/data.def"
#undef X
};

static int open_one(void *ctx, const char *name)
{
  struct data_stores *s = ctx;
  struct vdt_error err = {0};
  struct alert_place place = {.workspace = str_of(name)};
  if (s->n == DATA_STORES_MAX) return cli_usage("data", "more than %d workspaces; name one with --workspace", DATA_STORES_MAX);
  int rc = store_open_sqlite(s->state, &place, false, &s->v[s->n], &err);
  if (rc) {
    fprintf(stderr, "vedette data: workspace %.63s: %s\n", name, err.text);
    return rc == VDT_ENOTFOUND || rc == VDT_EINVAL ? CLI_USAGE : 1;
  }
  s->n++;
  return 0;
}

int data_open(struct data_stores *s, const char *state, const char *workspace)
{
  *s = (struct data_stores){.state = cli_state(state)};
  return workspace ? open_one(s, workspace) : alerts_each_workspace("data", s->state, open_one, s);
}

void data_close(struct data_stores *s)
{
  for (size_t i = 0; i < s->n; i++) store_close(s->v[i]);
  s->n = 0;
}

int cmd_data(int argc, char **argv)
{
  struct buf names = {0};
  for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++) {
    if (strcmp(argv[1], verbs[i].name) != 0) continue;
    argv[1] = argv[0];
    return verbs[i].fn(argc - 1, argv + 1);
  }
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) buf_printf(&names, "%s%s", i ? ", " : "", verbs[i].name);
  int rc = cli_usage("data", "expected one of %.*s", (int)names.n, names.p ? names.p : "");
  buf_finish(&names);
  return rc;
}
