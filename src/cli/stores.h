/* The stores of a state folder, for the commands that work on them directly: all workspaces, or the one that was named. */
#ifndef CLI_STORES_H
#define CLI_STORES_H
#include "cli/cli.h"
#include "store/store.h"

enum { STORES_MAX = 256 };

struct stores {
  const char *command; /* what says an error */
  const char *state;   /* the folder */
  struct store *v[STORES_MAX];
  size_t n;
};

/* Opens the store of that workspace, or of all, in the order of their names, when it is NULL. 0, 1, or CLI_USAGE, after it has said why; close in any
 * case. command and state are borrowed for as long as the stores are open. */
int stores_open(struct stores *s, const char *command, const char *state, const char *workspace);
/* 0 when state is a state folder and, unless it is NULL, has a store of that workspace; else CLI_USAGE, after it has said what is wrong. */
int stores_know(const char *command, const char *state, const char *workspace);
void stores_close(struct stores *s);
/* The store of that workspace, or NULL. */
struct store *stores_of(const struct stores *s, struct str workspace);
#endif
