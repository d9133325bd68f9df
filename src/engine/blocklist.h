/*
 * Blocklists: phrases of the operator's own, found in texts as a reader sees them. Multi-pattern matching is Vectorscan's; the phrases are
 * literals over the view, so that width, case, accents and invisible characters do not hide them. No I/O.
 *
 * blocklist.c compiles; phrases.c finds, in whole views and in streams.
 *
 * A stream has to know what may yet become a phrase. So each list is sorted: the beginnings of its phrases that the end of the text may be
 * are next to each other.
 */
#ifndef ENGINE_BLOCKLIST_H
#define ENGINE_BLOCKLIST_H
#include "base/arena.h"
#include "engine/leaks.h"

enum { BLOCKLIST_PHRASE_MAX = 128 /* characters */, BLOCKLIST_PHRASES_MAX = 100000 };

/* A phrase [start, end) of a view. */
struct phrase_hit {
  uint32_t phrase; /* its number */
  uint64_t start, end;
};

struct phrase {
  struct str text; /* its view in small letters */
  uint32_t list;
};

/* With scratch space: for one thread at a time, copied by fork. */
struct vdt_blocklist {
  hs_database_t *db;
  hs_scratch_t *scratch;
  struct phrase *phrases;
  uint32_t *sorted; /* numbers of phrases, list by list, each list by its text */
  uint32_t *lists;  /* list i is sorted[lists[i], lists[i + 1]) */
  size_t n, n_lists, longest;
  const char *const *names;
  char *bytes;            /* of all phrases */
  char *tail;             /* longest bytes */
  struct phrase_hit *hit; /* of the last search */
  size_t n_hits, cap_hits;
};

/* May this be a phrase: UTF-8 of 1 to BLOCKLIST_PHRASE_MAX characters, no controls, something to see in it. */
bool vdt_blocklist_is_phrase(struct str text);

/* The phrases between word boundaries that begin in [from, w->end) of the view and that the policy looks for, by start and end; good until
 * the next call; at most 2^20 of them. False when out of memory. */
bool phrases_find(const struct vdt_phrases *p, const struct window *w, uint64_t from, const struct phrase_hit **out, size_t *n);
enum vdt_action phrase_action(const struct vdt_phrases *p, uint32_t phrase);
/* All but places and what was decoded. */
void phrase_finding(const struct vdt_phrases *p, uint32_t phrase, struct vdt_finding *out);

/* Phrases in a text that arrives in pieces. */
struct phrase_stream {
  struct vdt_phrases look;  /* its blocklist NULL: for nothing */
  uint64_t settled;         /* what begins before it is known */
  uint64_t free_until;      /* the same of what must not leave */
  struct phrase_hit *known; /* in the order of their starts; those before `at` are done with */
  size_t at, n, cap;
};
/* Looks at what has arrived; false when out of memory. */
bool phrase_stream_step(struct phrase_stream *s, const struct window *w);
/* Forgets what is done with. */
void phrase_stream_drop(struct phrase_stream *s);
void phrase_stream_finish(struct phrase_stream *s);
#endif
