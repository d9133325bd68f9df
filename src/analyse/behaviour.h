/*
 * Behaviour: what no single interaction shows. Records go in, in about the order of their times; out come findings of the detector
 * "behaviour", which become alerts like any other (analyse/alert.h).
 *
 * Memory is bounded by base/behaviours.def: per principal 64 bytes, per deployment a sketch of counters and a week of hours. No text is kept,
 * only hashes. No clock and no I/O: the same records give the same findings. save and load carry everything over a restart.
 */
#ifndef ANALYSE_BEHAVIOUR_H
#define ANALYSE_BEHAVIOUR_H
#include "base/behaviours.h"
#include "record/record.h"

enum { BEHAVIOUR_FINDINGS = 10 }; /* the most that one record brings */

struct behaviour;
/* NULL: out of memory. */
struct behaviour *behaviour_new(const struct behaviour_limits *limits);
void behaviour_free(struct behaviour *b);

/* Takes a record in. out[0..*n): what it shows together with those before it; texts lie in the arena or are static. VDT_OK or VDT_ENOMEM,
 * which leaves *n at 0. */
int behaviour_observe(struct behaviour *b, const struct record *r, struct vdt_arena *arena,
                      struct record_finding out[BEHAVIOUR_FINDINGS], size_t *n);

/* Everything that was learnt, piece by piece, in bytes of this machine's order; nothing is copied. false: put said so. */
bool behaviour_save(const struct behaviour *b, bool (*put)(void *ctx, struct str piece), void *ctx);
/* Into one that is new. VDT_ESYNTAX: not what behaviour_save wrote, or damaged; b is then as good as new. */
int behaviour_load(struct behaviour *b, struct str saved);

/* Under which hash somebody is known at a deployment of a workspace. */
uint64_t behaviour_key(struct str workspace, struct str deployment, struct str who);
/* What is known of somebody. */
struct behaviour_known {
  uint64_t first_us, last_us, requests;
};
/* false: nothing. */
bool behaviour_find(const struct behaviour *b, uint64_t key, struct behaviour_known *out);
/* Forgets what find knows; the same. What a deployment as a whole brings stays: nobody can be told in it. */
bool behaviour_forget(struct behaviour *b, uint64_t key);

/* Bytes that it holds now. */
size_t behaviour_memory(const struct behaviour *b);
#endif
