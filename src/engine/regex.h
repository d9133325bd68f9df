/* Regular expressions of a user's rules, behind their gates. */
#ifndef ENGINE_REGEX_H
#define ENGINE_REGEX_H
#include "engine/check.h"

struct hs_scratch;

/* Compiles the expression of each rule that has one. ERULE names the rule's file and line. */
int regex_compile(struct rules *rules, struct vdt_arena *arena, struct vdt_error *err);
void regex_free(struct rules *rules);
/* Scratch space for all of them, for one thread; *scratch stays NULL when there are none. False when out of memory. */
bool regex_reserve(const struct rules *rules, struct hs_scratch **scratch);
/* Where the longest match that begins at the gate ends, 0 where there is none or the text starves. */
uint64_t regex_end(const struct rule *rule, struct look *look);
#endif
