/* What the files of `vedette alerts` share: alerts.c (stores, state changes), alerts_list.c, alerts_show.c, alerts_types.c. */
#ifndef CLI_ALERTS_H
#define CLI_ALERTS_H
#include "cli/stores.h"

struct alerts {
  const char *state, *workspace;
  const char *type, *status, *severity, *since, *deployment, *who, *sort; /* filters and order, or NULL */
  const char *comment, *classification;                                   /* what a change says, or NULL */
  const char *key; /* where the private keys of evidence are, or NULL: in the state folder */
  bool json, table, markdown, watch, all, dry_run;
  unsigned limit, interval;
  struct stores stores;
  struct vdt_arena *arena;
};

/* The query that the filters make; 0, or CLI_USAGE after it has said what is wrong. */
int alerts_query(const struct alerts *a, struct store_query *q);
/* The alerts of all stores, newest first, in the arena. 0 or 1. */
int alerts_gather(struct alerts *a, const struct store_query *q, struct alert **out, size_t *n);
/* Lists; with --watch until it is stopped. The exit status. */
int alerts_list(struct alerts *a);
/* Shows one. The exit status. */
int alerts_show(const struct alerts *a, const struct alert *alert);
/* Prints the catalogue, or the one type `only` (NULL: all); JSON Lines unless it goes to a terminal. The exit status. */
int alerts_types(const char *only, bool json, bool table, bool markdown);
#endif
