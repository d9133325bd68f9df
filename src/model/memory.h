/*
 * Verdicts given before. A conversation is sent again with every turn, and its earlier texts need not be read again at full cost.
 *
 * The key is a 256-bit hash of the role and the text, so nobody can make an attack that is taken for a harmless text seen before. Texts
 * are not kept.
 */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H
#include "model/model.h"

enum { MEMORY_SETS = 512, MEMORY_WAYS = 4 };

struct memory;
struct memory *memory_new(void); /* NULL: out of memory */
void memory_free(struct memory *m);

struct memory_key {
  unsigned char hash[32];
};

struct memory_key memory_key_of(struct str text, bool document);
/* The verdict kept under the key, or NULL. */
const struct model_verdict *memory_find(struct memory *m, const struct memory_key *key);
/* Keeps a verdict; the one of its set that was not asked for the longest makes room. */
void memory_put(struct memory *m, const struct memory_key *key, const struct model_verdict *v);
#endif
