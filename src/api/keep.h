/*
 * keep: what is kept in a workspace and what has to go. It expires what is old enough, carries out purges, and takes what was removed off the disk:
 * in the database, in journals that have been read, in lines that nobody could read, in shared audit records.
 *
 * keep_work() does it for one workspace, in steps so small that the collector and the API go on beside it; `vedette serve` calls it from a thread of
 * its own, `vedette retention` from the command line, also at the same time.
 */
#ifndef API_KEEP_H
#define API_KEEP_H
#include "store/store.h"

enum { KEEP_STEP_ROWS = 200, KEEP_EXPIRE_US = 60000000, KEEP_SCRUB_US = 3600000000 };

struct keep_wish {
  bool expire; /* remove what is old enough; else purges only */
  bool scrub;  /* take it off the disk now, where something was removed; after a purge that is done anyway */
  /* Asked before each step; true: stop here, all of it can be taken up again. NULL: never. */
  bool (*stop)(void *ctx);
  void *ctx;
  struct store *const
      *all; /* every store of the state folder, for journals that are of no single one; none: those are left alone */
  size_t n_all;
};
struct keep_done {
  uint64_t removed[STORE_CLASSES];
  bool scrubbed, stopped;
};
/* ESTATE: the audit log's key is missing or another; whatever else could be done is done. EIO: try again later. */
int keep_work(const char *state_dir, struct store *s, uint64_t now_us, const struct keep_wish *wish, struct keep_done *done,
              struct vdt_error *err);

/* The thread. Stores are borrowed and its own from here on; at least one. */
struct keep;
int keep_start(const char *state_dir, struct store **stores, size_t n, struct keep **out, struct vdt_error *err);
/* A purge waits: do not sleep on. Accepts NULL. */
void keep_wake(struct keep *k);
/* Stops between two steps. Accepts NULL. */
void keep_stop(struct keep *k);
#endif
