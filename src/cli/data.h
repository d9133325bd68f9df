/* What the verbs of `vedette data` share (data.def); each answers a question about what is stored, directly on the stores of a state folder. */
#ifndef CLI_DATA_H
#define CLI_DATA_H
#include "cli/cli.h"
#include "store/store.h"

enum { DATA_STORES_MAX = 256 };

struct data_stores {
  const char *state;
  struct store *v[DATA_STORES_MAX];
  size_t n;
};

#define X(name, fn) int fn(int argc, char **argv);
#include "cli/data.def"
#undef X

/* Opens the store of that workspace, or of all when it is NULL. 0, 1, or CLI_USAGE after it has said why; close in any case. */
int data_open(struct data_stores *s, const char *state, const char *workspace);
void data_close(struct data_stores *s);
#endif
