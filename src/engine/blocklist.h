/*
 * Blocklists: phrases of the operator's own, found in texts as a reader sees them. Multi-pattern matching is Vectorscan's; the phrases are
 * literals over the view, so that width, case, accents and invisible characters do not hide them. No I/O.
 */
#ifndef ENGINE_BLOCKLIST_H
#define ENGINE_BLOCKLIST_H
#include "base/arena.h"

enum { BLOCKLIST_PHRASE_MAX = 128 /* characters */, BLOCKLIST_PHRASES_MAX = 100000 };

/* Compiled phrases with scratch space: for one thread at a time, copied by fork. */
struct vdt_blocklist;

struct vdt_blocklist_match {
  size_t phrase;       /* its number, from 0 */
  uint64_t start, end; /* bytes of the text as it was given */
};

/* May this be a phrase: UTF-8 of 1 to BLOCKLIST_PHRASE_MAX characters, no controls, something to see in it. */
bool vdt_blocklist_is_phrase(struct str text);
/* n > 0. ENOMEM, or EINVAL with the number of the phrase in err->line. */
int vdt_blocklist_new(const struct str *phrases, size_t n, struct vdt_blocklist **out, struct vdt_error *err);
void vdt_blocklist_free(struct vdt_blocklist *list);
/* Every place where a phrase stands between word boundaries, in the order of their ends; at most 4,096. wanted says which phrases count. */
int vdt_blocklist_scan(struct vdt_blocklist *list, struct vdt_arena *arena, const bool *wanted, struct str text,
                       struct vdt_blocklist_match **out, size_t *n);
#endif
