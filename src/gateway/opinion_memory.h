/*
 * What shields said lately, one table per worker. Clients send the whole conversation with every turn: an unsure text of an earlier turn is not asked
 * about again while its answer is remembered. Kept are hashes and answers, never texts; at most 1,024 of them, for ten minutes.
 */
#ifndef GATEWAY_OPINION_MEMORY_H
#define GATEWAY_OPINION_MEMORY_H
#include "base/str.h"

struct opinion_memory;

/* NULL when out of memory. */
struct opinion_memory *opinion_memory_new(void);
/* Accepts NULL. */
void opinion_memory_free(struct opinion_memory *m);

/* What the shield said of this very text. false: that is not remembered. m may be NULL, which remembers nothing. */
bool opinion_memory_find(const struct opinion_memory *m, struct str shield, bool document, struct str text, uint64_t now_us,
                         bool *attack);
void opinion_memory_keep(struct opinion_memory *m, struct str shield, bool document, struct str text, uint64_t now_us,
                         bool attack);
#endif
