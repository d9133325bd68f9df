/* Inside of the SQLite store: retention, holds, purges, scrubbing. Part of sqlite.h. */
#ifndef STORE_SQLITE_KEEP_H
#define STORE_SQLITE_KEEP_H
#include "store/store.h"
#include <sqlite3.h>

struct sqlite_store;
/* The system's VFS, but what it cuts off a file or takes away is zeros by then. NULL where the system's own cannot be used so. */
const char *sqlite_wiping_vfs(void);
int sqlite_get_meta(struct sqlite_store *s, const char *key, char *out, size_t size, struct vdt_error *err);
int sqlite_put_meta(struct sqlite_store *s, const char *key, const char *value, struct vdt_error *err);
/* Runs fn within a transaction that is committed when it gives VDT_OK. */
int sqlite_within(struct sqlite_store *s, int (*fn)(struct sqlite_store *s, void *ctx, struct vdt_error *err), void *ctx,
                  struct vdt_error *err);
/* Removes audit entries that are older than `before_us`, at most limit; the last one that went is sealed. Within a transaction. */
int sqlite_cut_audit(struct sqlite_store *s, uint64_t before_us, uint64_t now_us, unsigned limit, uint64_t *removed,
                     struct vdt_error *err);
/* The step of a class: fetches ids with a statement that is bound, then removes them. Within a transaction. */
int sqlite_remove(struct sqlite_store *s, enum store_class of, sqlite3_stmt *ids, uint64_t *removed, struct vdt_error *err);
/* Moves the write-ahead log into the database. SQLite does not wait while another connection does the same: we do. EIO when it took too long. */
int sqlite_checkpoint(struct sqlite_store *s, int mode, struct vdt_error *err);
/* A scrub is wanted: meta `key` is set. Within a transaction. */
int sqlite_want_scrub(struct sqlite_store *s, const char *key, struct vdt_error *err);
#define SQLITE_SCRUB_EXPIRED "scrub_expired"
#define SQLITE_SCRUB_PURGED  "scrub_purged"
/* Notes rows that went, by day, class and cause. Within the transaction that removes them. */
int sqlite_note_removed(struct sqlite_store *s, enum store_class of, bool expired, uint64_t rows, uint64_t now_us,
                        struct vdt_error *err);
/* Nothing more expires now: the entry about the run, if it removed anything. Opens a transaction. */
int sqlite_end_expiry(struct sqlite_store *s, uint64_t now_us, struct vdt_error *err);
int sqlite_list_removals(struct store *s, struct vdt_arena *arena, struct store_removal **out, size_t *n, struct vdt_error *err);
/* What is left of evidence that went: whole texts and data keys. Within a transaction. */
int sqlite_drop_orphans(struct sqlite_store *s, void *ctx, struct vdt_error *err);
int sqlite_set_keep(struct store *s, enum store_class c, enum store_origin origin, uint64_t seconds, struct str who,
                    uint64_t now_us, struct vdt_error *err);
int sqlite_get_keeps(struct store *s, struct store_keeps *out, struct vdt_error *err);
int sqlite_put_hold(struct store *s, const struct store_hold *h, struct vdt_error *err);
int sqlite_release_hold(struct store *s, struct str name, struct str who, struct str reason, uint64_t now_us,
                        struct vdt_error *err);
int sqlite_list_holds(struct store *s, struct vdt_arena *arena, struct store_hold **out, size_t *n, struct vdt_error *err);
int sqlite_expire(struct store *s, struct store_expiry *e, struct vdt_error *err);
int sqlite_put_purge(struct store *s, const struct store_purge *p, struct vdt_error *err);
int sqlite_get_purge(struct store *s, struct str id, struct vdt_arena *arena, struct store_purge *out, struct vdt_error *err);
int sqlite_purge(struct store *s, unsigned limit, bool settled, enum store_purge_step *did, struct vdt_error *err);
int sqlite_purged_since(struct store *s, uint64_t since_us, bool out[STORE_CLASSES], struct vdt_error *err);
int sqlite_finish_purges(struct store *s, uint64_t now_us, struct vdt_error *err);
int sqlite_wants_scrub(struct store *s, bool *expired, bool *purged, struct vdt_error *err);
int sqlite_scrub(struct store *s, struct store_scrub *at, struct vdt_error *err);
int sqlite_alone(struct store *s, int (*fn)(void *ctx, struct store *s, struct vdt_error *err), void *ctx, struct vdt_error *err);
int sqlite_has_record(struct store *s, struct str id, bool *yes, struct vdt_error *err);
#endif
