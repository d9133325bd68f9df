/*
 * `vedette data verify` for the control API: the state folder, the stores, the journals and the logs against the data statement, by a thread of its own
 * with stores of its own, so that no request waits for it. One at a time; it ends by itself after PROOF_S. What it found last stays in memory until
 * the next: places, never what is stored there.
 */
#ifndef API_PROOF_H
#define API_PROOF_H
#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

/* Seconds that it may take; faults that are shown, all are counted. */
enum { PROOF_S = 900, PROOF_SHOWN = 500 };

struct proof;
/* state_dir is borrowed. */
int proof_new(const char *state_dir, struct proof **out, struct vdt_error *err);
/* Begins to look at the folder with these workspaces, whose names are copied; when it looks already, nothing more. false: there is no memory or no
 * thread for it. */
bool proof_begin(struct proof *p, struct store *const *stores, size_t n);
/* How it stands, as JSON. */
void proof_put_json(struct proof *p, struct buf *b);
/* Stops what runs. Accepts NULL. */
void proof_free(struct proof *p);
#endif
