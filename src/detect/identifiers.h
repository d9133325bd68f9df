/* What the tests of identifiers.def share. They read digits and capital letters of a shape that has been checked, and nothing else. */
#ifndef DETECT_IDENTIFIERS_H
#define DETECT_IDENTIFIERS_H
#include "detect/detect.h"

typedef bool identifier_fn(struct str number);
#define X(name, shapes, groups, weights, modulus, fn, help) identifier_fn fn;
#include "detect/identifiers.def"
#undef X

static inline unsigned digit(struct str s, size_t i)
{
  return (unsigned)(s.p[i] - '0');
}

static inline bool is_digit(int c)
{
  return c >= '0' && c <= '9';
}

static inline unsigned pair(struct str s, size_t i)
{
  return digit(s, i) * 10 + digit(s, i + 1);
}

/* A digit, or a letter as 10 to 35. */
static inline unsigned value_of(char c)
{
  return is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
}

/* identifier.c: the last strlen(weights) characters, each times its weight ("a" is 10). */
unsigned weighed(struct str s, const char *weights);
/* The first strlen(weights) characters. */
unsigned weighed_front(struct str s, const char *weights);
/* The number that digits [from, to) are. */
uint64_t number_of(struct str s, size_t from, size_t to);
/* Has it the shape (identifiers.def) that begins here, up to a blank? */
bool shape_holds(const char *shape, struct str s);
bool is_date(unsigned month, unsigned day);
/* Does the place hold a date, two digits each, in the order year month day? */
bool has_date(struct str s, size_t year, size_t month, size_t day);
bool starts_with(struct str s, const char *prefix);
bool all_same(struct str s);
bool only_digits(struct str s, size_t from, size_t to);
/* Luhn's sum modulo 10, letters as their two digits when `letters`. */
unsigned luhn_sum(struct str s);
/* ISO 7064 MOD 97-10: the rest of the number, letters as two digits. */
unsigned mod97_of(struct str s);
#endif
