/*
 * The pseudonyms of one interaction: the values of its request that have one, and how a text that holds pseudonyms gets the values back.
 *
 * Nothing of this outlives the interaction. Clients send the whole conversation with every request, so the values are there again, and a
 * name follows from its value and the key of the installation (engine/pseudonym.h).
 */
#ifndef GATEWAY_PSEUDONYMS_H
#define GATEWAY_PSEUDONYMS_H
#include "base/arena.h"
#include "base/buf.h"
#include "vedette/vedette.h"

struct pseudonym {
  struct str name, value; /* in the arena */
  const char *rule;
  enum vdt_detector_id detector;
  bool masked; /* somewhere in the request it stands in the place of the value */
  bool said;   /* others than the application's own system text hold the value */
  unsigned n_masked, n_resolved, n_restored;
};

/* All zeros but for the arena: none yet. */
struct pseudonyms {
  struct vdt_arena *arena;
  struct pseudonym *v;
  size_t n, cap;
  uint32_t *slots; /* hash table over names: index + 1, or 0 */
  size_t n_slots;
  uint32_t *sorted; /* by name; made by pseudonyms_sort */
  uint64_t first[4];
};

/* The entry of a name, made when it is new; both are copied. *other: the name stands for another value already, and NULL is returned. NULL
 * and !*other: out of memory. Good until the next call. */
struct pseudonym *pseudonyms_add(struct pseudonyms *t, struct str name, struct str value, bool *other);
/* Call after the last is added and before a text is read. False when out of memory. */
bool pseudonyms_sort(struct pseudonyms *t);
/* The one that the text begins with, or NULL. *more: none, but more text could make it begin with one. Names hold less than
 * VDT_REDACTED_MAX bytes. */
struct pseudonym *pseudonyms_at(const struct pseudonyms *t, struct str text, bool *more);

/* One text on its way to the client, in pieces. */
struct restorer {
  struct buf text; /* what came; its end may be the beginning of a name and waits */
  struct buf out;
  bool json;  /* the text is JSON source: values are written with its escapes */
  bool begun; /* something other than blanks came */
};
void restorer_finish(struct restorer *r);
/* Whether a pseudonym may become its value here. */
typedef bool restore_fn(const void *ctx, const struct pseudonym *p);
/* *out: what may leave now, good until the next call. However a text is cut, what leaves, joined, is the same. False when out of memory. */
bool restorer_feed(struct restorer *r, const struct pseudonyms *t, restore_fn *may, const void *ctx, struct str in, bool last,
                   struct str *out);
#endif
