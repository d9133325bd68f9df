/*
 * What is kept about one person, who is named by the id that requests give as end user: all of it as JSON Lines, or all of it removed.
 *
 * Removing is the store's purge (store/keeping.h), with its guarantees and its respect for legal holds; what the detectors of behaviour know is forgotten by
 * the control process, whose it is. The audit log says that it was done, and has a keyed hash in the place of the id.
 */
#ifndef API_SUBJECT_H
#define API_SUBJECT_H
#include "store/store.h"

struct unseal;

struct subject {
  const char *state_dir;
  struct store *const *stores;
  size_t n;
  struct str user;
  struct str who; /* who asks, for the audit log */
};

struct subject_done {
  uint64_t records, alerts, evidence; /* so many rows were removed */
  uint64_t held;                      /* kept by legal holds */
  bool finished;                      /* nothing is left to do for the store, and what went is off its disk */
};
/* Removes what one store has. ESTATE: the key of the audit log is missing, and nothing was removed. */
int subject_erase(const struct subject *s, struct store *store, struct subject_done *done, struct vdt_error *err);
/* Counts what erase would remove, whether it is held or not, and removes nothing. */
int subject_count(const struct subject *s, struct store *store, struct subject_done *out, struct vdt_error *err);
/* Lines of journals that name the user and are in no store yet. */
int subject_waiting(const struct subject *s, uint64_t *lines, struct vdt_error *err);

/* Gives each line of what one store has to put(), with its LF, until that returns false (EIO). unseal: with the texts of evidence, opened with the keys that
 * it leads to; then the audit log gets an entry of their being read before the first line. NULL: without. */
int subject_export(const struct subject *s, struct store *store, const struct unseal *unseal,
                   bool (*put)(void *ctx, struct str line), void *ctx, struct vdt_error *err);

/* ---- parts ------------------------------------------------------------------------------------------------------- */

/* Calls fn for each record of the user; JSON and record are good during the call. */
int subject_records(const struct subject *s, struct store *store, int (*fn)(void *ctx, struct str json, const struct record *r),
                    void *ctx, struct vdt_error *err);
/* The alert is about the user. */
bool subject_of_alert(const struct subject *s, const struct alert *a);
/* An entry of the audit log about the user. */
int subject_note(const struct subject *s, struct store *store, const char *what, struct str detail, struct vdt_error *err);
#endif
