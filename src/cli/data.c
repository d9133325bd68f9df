/* vedette data: what is stored about whom. This file finds the verb; the verbs are in files of their own. */
#include "cli/data.h"

static const struct {
  const char *name;
  int (*fn)(int argc, char **argv);
} verbs[] = {
#define X(name, fn) {name, fn},
#include "cli/data.def"
#undef X
};

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
