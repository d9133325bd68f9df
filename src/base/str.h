/* struct str: borrowed bytes, pointer and length. There is no NUL at the end; never strlen() input. */
#ifndef BASE_STR_H
#define BASE_STR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/banned.h"

struct str {
  const char *p;
  size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})

/* From a NUL-terminated string of our own (never of input). */
static inline struct str str_of(const char *s)
{
  return (struct str){s, s ? strlen(s) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
  return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
  return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline struct str str_cut(struct str s, size_t from, size_t to)
{
  return (struct str){s.p + from, to - from};
}

/* Would a cut before the byte at `at` split a character of UTF-8? Never at and behind the end. */
static inline bool str_splits(struct str s, size_t at)
{
  return at < s.n && ((unsigned char)s.p[at] & 0xC0) == 0x80;
}

/* Where the character begins that the byte at `at` belongs to: the last place up to there that splits none. */
static inline size_t str_character(struct str s, size_t at)
{
  while (at > 0 && str_splits(s, at)) at--;
  return at;
}

/* ASCII case-insensitive equality. */
bool str_ieq(struct str a, struct str b);
/* Offset of the first occurrence of needle, or (size_t)-1. */
size_t str_find(struct str hay, struct str needle);
/* Decimal, no sign, no blanks, fits: true. */
bool str_u64(struct str s, uint64_t *out);
/* Edit distance (insert, delete, replace, neighbours swapped) of two short names; for "did you mean". At most 63 bytes
 * of each are looked at. */
unsigned str_distance(struct str a, struct str b);
/* Is that distance 1? In one pass, whatever their length. */
bool str_is_one_away(struct str a, struct str b);
/* FNV-1a of 64 bits (draft-eastlake-fnv). Not keyed: who chooses texts can make many fall together. */
uint64_t str_hash(struct str s);
#endif
