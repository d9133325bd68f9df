/* What stands beside the databases and goes with what goes there; only for keep. */
#ifndef API_KEEP_FILES_H
#define API_KEEP_FILES_H
#include "api/keep.h"

/*
 * One workspace: zeros over what has been read of its journals; lines that nobody could read are wiped when they are as old as records may become, all of
 * them when something is purged; shared audit records go with the records that they are about. EIO when something could not be wiped.
 */
int keep_files(const char *state_dir, struct store *s, uint64_t now_us, bool purged, struct vdt_error *err);
/* Journals that name no workspace by where they lie: the same, once all stores have on the disk what was read from them. */
int keep_shared_files(const char *state_dir, struct store *const *stores, size_t n, uint64_t now_us, bool purged,
                      struct vdt_error *err);
/*
 * Until the collector has read what now lies in the workspace's journals and in those of no single workspace, or has read nothing for some seconds, or
 * wish->stop says so. EIO, ENOMEM.
 */
int keep_wait_for_journals(const char *state_dir, struct store *s, const struct keep_wish *wish, struct vdt_error *err);
#endif
