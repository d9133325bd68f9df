/*
 * Baselines: what the behaviour detectors learnt of each workspace, over restarts. One file per workspace, beside its database and of the same
 * region: STATE/workspaces/NAME/behaviour. It holds hashes and counts, no text.
 */
#ifndef API_BASELINE_H
#define API_BASELINE_H
#include "analyse/behaviour.h"
#include "store/store.h"

struct baseline {
  struct behaviour *behaviour;
  char path[4096];
  uint64_t saved_us;
  bool changed;
};

/* Reads what was saved. A file that is damaged is put aside as behaviour.damaged and said on standard error: learning begins anew. */
int baseline_open(struct baseline *b, const char *state_dir, struct str workspace, const struct behaviour_limits *limits,
                  struct vdt_error *err);
/* Adds what the record shows to its findings; the texts lie in the arena. VDT_OK or VDT_ENOMEM. */
int baseline_observe(struct baseline *b, struct record *r, struct vdt_arena *arena);
/* Saves when a minute has passed since the last time, or at once. What cannot be written is said on standard error and tried again. */
void baseline_save(struct baseline *b, uint64_t now_us, bool at_once);
void baseline_close(struct baseline *b);

/* Asks the control process to forget somebody: a line of 16 hex digits for each key in STATE/workspaces/NAME/behaviour.forget. EIO. */
int baseline_ask_forget(const char *state_dir, struct str workspace, const uint64_t *keys, size_t n, struct vdt_error *err);
/* What was asked is not done yet. */
bool baseline_is_asked(const char *state_dir, struct str workspace);
/* Does what was asked: forgets, saves at once, wipes what was saved before and the question. */
void baseline_obey(struct baseline *b);
#endif
