/*
 * collect: from journals in the spool folder to the stores.
 *
 * A pass reads whole lines behind each journal's offset and stores them, with the alerts they raise and the new offset, in one
 * transaction per batch. Journals in the folder of a workspace, which gateways write, are stored in that workspace's store and nowhere else, and it keeps their
 * offsets; for those of the spool itself the first workspace's store keeps the offsets and commits last. A crash anywhere means that lines are read
 * again, and a record that is there changes nothing. A journal is deleted when it is read to its end and nobody can append to it.
 */
#ifndef API_COLLECT_H
#define API_COLLECT_H
#include "base/behaviours.h"
#include "intel/intel.h"
#include "store/store.h"
#include <stdatomic.h>

/* Written by the collector, read by others at any time. */
struct collect_stats {
  _Atomic uint64_t records, duplicates, evidence_lost, alerts_new, alerts_extended, rejected, unknown_workspace, store_errors,
      journals_deleted;
  _Atomic uint64_t after_purge; /* second opinions of records that were purged meanwhile: not stored */
  _Atomic uint64_t withdrawn, egress, egress_bytes, suppressed, incidents;
  _Atomic uint64_t stored_us; /* Unix time when the last record was stored; 0: none since the start */
  _Atomic uint64_t lag_us;    /* age of the last record when it was stored, since the end of its interaction */
};

struct collect;
/* stores[0] is the default workspace. Everything is borrowed. */
int collect_new(const char *state_dir, struct store **stores, size_t n, uint64_t window_us,
                const struct behaviour_limits *behaviour, struct collect_stats *stats, struct collect **out,
                struct vdt_error *err);
void collect_free(struct collect *c);
struct geo;
/* Where addresses are; borrowed, NULL for nowhere. */
void collect_use_geo(struct collect *c, struct geo *geo);
/* What is known of addresses, for the caller to bring up to date between passes; NULL at first. */
struct vdt_intel **collect_intel(struct collect *c);
/* One pass over all journals. EIO: the store would not take it, nothing is lost, try again. *lines is how many were consumed. */
int collect_pass(struct collect *c, uint64_t *lines, struct vdt_error *err);
/* Waits until a journal changes, timeout_ms is over or stop_fd can be read (then false). */
bool collect_wait(struct collect *c, int timeout_ms, int stop_fd);
#endif
