/* Inside of the collector: what the passes (collect.c) and the lines (collect_line.c) share. */
#ifndef API_COLLECT_INSIDE_H
#define API_COLLECT_INSIDE_H
#include "api/baseline.h"
#include "api/collect.h"
#include "api/settings.h"
#include "api/sharing.h"
#include "api/spool.h"

/* Where journals lie: the folder of each workspace, and the spool itself, where who writes them is no gateway of ours. */
struct source {
  struct spool spool;
  size_t store; /* keeps how far its journals were read */
  bool own;     /* of that workspace only */
};

struct collect {
  struct source *sources; /* one per store, and the spool's */
  const struct source *at;
  int notify;
  struct store **stores;
  size_t n_stores;
  uint64_t window_us;
  struct collect_stats *stats;
  struct vdt_arena *arena;
  struct buf chunk;
  struct settings settings;
  struct baseline *baselines; /* one per store */
  struct sharing *sharing;    /* likewise */
  bool *begun;
  struct vdt_intel *intel;
  struct geo *geo;  /* or NULL; borrowed */
  unsigned careful; /* so many batches of one line, after a store refused something in a batch */
  uint64_t passed_us, swept_us;
};

/* What a batch brought; added to the counters only when it is committed. */
struct batch {
  uint64_t records, duplicates, evidence_lost, alerts_new, alerts_extended, withdrawn, egress, egress_bytes, suppressed,
      incidents, after_purge, rejected, unknown_workspace, lag_us;
};

/* Opens a transaction in that store, unless one is open. */
int collect_begin(struct collect *c, size_t store, struct vdt_error *err);
/* Of every store, what is not committed. */
void collect_rollback(struct collect *c);
/* Stores what one line says, in transactions that the caller commits. A line that is none is set aside, which is OK. `at` is where it begins in the
 * journal. EINVAL: the store refuses something in this transaction, and the batch has to be read again line by line. */
int collect_line(struct collect *c, struct spool_file *f, uint64_t at, struct str line, struct batch *b, struct vdt_error *err);
/* Sets a line aside, once, and says why without quoting it. */
void collect_reject(struct collect *c, struct spool_file *f, uint64_t at, struct str line, const char *why, struct batch *b);
#endif
