/*
 * Questions about the use of sensitive information, for the control API and for `vedette data sensitive`: from words to a query of the store, from
 * the rows of several stores to one list. What it knows is numbers, names and kinds; it never has a text.
 */
#ifndef API_USE_H
#define API_USE_H
#include "store/store.h"

enum { USE_ROWS_MAX = 10000, USE_TOP_MAX = 1000 };

/* A question as people put it; what is empty takes its default. */
struct use_words {
  struct str from, to;   /* a time, or a day; default: 30 days ago, now. Whole hours: from is rounded down, to up */
  struct str bucket;     /* hour, day (default) or total */
  struct str by;         /* names of uses.def, joined by commas; default: kind. "none": only by time */
  struct str top;        /* length of the top lists, 0 to USE_TOP_MAX; default 10 */
  struct store_use only; /* filters */
};

struct use_question {
  struct store_use_query q;
  unsigned top;
};

/* EINVAL: err says which word is wrong, and what would be right. */
int use_ask(const struct use_words *w, uint64_t now_us, struct use_question *out, struct vdt_error *err);
/* The rows of all stores as one list, at most q->limit; *more: there are others. In the arena. */
int use_gather(struct store *const *stores, size_t n_stores, const struct store_use_query *q, struct vdt_arena *arena,
               struct store_use **out, size_t *n, bool *more, struct vdt_error *err);
/* The whole answer as one JSON object: totals, rows, top lists. */
int use_put_json(struct store *const *stores, size_t n_stores, const struct use_question *u, struct vdt_arena *arena,
                 struct buf *b, struct vdt_error *err);
#endif
