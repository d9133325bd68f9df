/* What the files of `vedette alerts` share: alerts.c (stores, state changes), alerts_list.c, alerts_show.c, alerts_types.c. */
#ifndef CLI_ALERTS_H
#define CLI_ALERTS_H
#include "cli/cli.h"
#include "store/store.h"

enum { ALERTS_STORES_MAX = 64 };

struct alerts {
  const char *state, *workspace;
  const char *type, *status, *severity, *since, *deployment, *who, *sort; /* filters and order, or NULL */
  const char *comment, *classification;                                   /* what a change says, or NULL */
  bool json, table, markdown, watch, all, dry_run;
  unsigned limit, interval;
  struct store *stores[ALERTS_STORES_MAX];
  size_t n_stores;
  struct vdt_arena *arena;
};

/* Calls open() for each workspace of a state folder in the order of their names, until one gives another status than 0, which is returned.
 * CLI_USAGE after it has said that there is no such folder. */
int alerts_each_workspace(const char *command, const char *state, int (*open)(void *ctx, const char *name), void *ctx);
/* The query that the filters make; 0, or CLI_USAGE after it has said what is wrong. */
int alerts_query(const struct alerts *a, struct store_query *q);
/* The alerts of all stores, newest first, in the arena. 0 or 1. */
int alerts_gather(struct alerts *a, const struct store_query *q, struct alert **out, size_t *n);
/* The store of its workspace, or NULL. */
struct store *alerts_store_of(const struct alerts *a, const struct alert *alert);
/* Lists; with --watch until it is stopped. The exit status. */
int alerts_list(struct alerts *a);
/* Shows one. The exit status. */
int alerts_show(const struct alerts *a, const struct alert *alert);
/* Prints the catalogue, or the one type `only` (NULL: all); JSON Lines unless it goes to a terminal. The exit status. */
int alerts_types(const char *only, bool json, bool table, bool markdown);
/* Writes it to standard output and empties it; false when that failed. */
bool alerts_flush(struct buf *b);
#endif
