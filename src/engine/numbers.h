/*
 * numbers: the one gate of all identifiers that are numbers, and what is asked behind it.
 *
 * A rule of check `identifier` without a gate is woken by the text's own digits. Expressions of digits in the multi-pattern database would
 * each fire at every digit; here the text is looked through once, a run of digits and capital letters is taken apart once, and its
 * length and shape say which rules can want it. What decides is in src/detect (numbers.c); the rows are data (identifiers.def, rules/).
 *
 * Like a check, numbers_ask() sees the text through a starving cursor, so its answer cannot depend on how the text was cut.
 */
#ifndef ENGINE_NUMBERS_H
#define ENGINE_NUMBERS_H
#include "engine/check.h"

/* The rules woken by numbers, by the shapes that they want, and their names. */
struct numbers;

struct number_found {
  uint32_t rule;
  struct found found;
  bool named; /* a name stands near, or the number goes on a list of its kind */
};

/* In the arena; borrows the rules, among which no such rule need be. VDT_ENOMEM. */
int numbers_new(const struct rules *rules, struct vdt_arena *arena, const struct numbers **out, struct vdt_error *err);
/* Is any rule woken by numbers? */
bool numbers_any(const struct numbers *n);
/* The first place at or after `from` where a number may have its first digit, or the end of p[0..n). Looks left as far as p. */
size_t numbers_gate(const unsigned char *p, size_t from, size_t n);
/* Where a number may begin whose first digit stands at `gate` of p[0..n). */
size_t numbers_start(const unsigned char *p, size_t gate);
/* Where a number may have begun whose first digit has not come, or n. */
size_t numbers_live(const unsigned char *p, size_t n);
/* The number whose first digit is at look->gate: whose it is, and where. chain: for each rule, where the last number of its kind ends that
 * was named, 0 for none; or NULL. */
bool numbers_ask(const struct numbers *n, struct look *look, const uint64_t *chain, struct number_found *out);
#endif
