/*
 * What a generated value looks like when nothing but its characters speak for it: hexadecimal, a UUID, letters and digits that change
 * too often for words. Only values of 16 bytes and more are judged; passwords that people make up are assignment.c's.
 */
#include "detect/detect.h"

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
  return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
  return c >= 'a' && c <= 'z';
}

static bool is_hex(char c)
{
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool looks_like_uuid(struct str s)
{
  if (s.n != 36) return false;
  for (size_t i = 0; i < s.n; i++) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? s.p[i] != '-' : !is_hex(s.p[i])) return false;
  }
  return entropy(s) >= 2.8;
}

/* Lower and upper case mixed in one value is how people write an identifier, not how machines write a number. */
static bool looks_like_hex(struct str s)
{
  unsigned digits = 0, up = 0, down = 0;
  for (size_t i = 0; i < s.n; i++) {
    if (!is_hex(s.p[i])) return false;
    digits += is_digit(s.p[i]);
    up += is_upper(s.p[i]);
    down += is_lower(s.p[i]);
  }
  return s.n >= 20 && digits * 5 >= s.n && digits < s.n && entropy(s) >= 2.9 && (!up || !down || s.n >= 32);
}

static int class_of(char c)
{
  return is_digit(c) ? 1 : is_upper(c) ? 2 : is_lower(c) ? 3 : 0;
}

/* How often neighbours are of different kinds (digit, upper, lower): seldom in words and names, often in random values. Marks and the
 * capital that begins a word do not count. */
unsigned class_changes(struct str s)
{
  unsigned n = 0;
  for (size_t i = 1; i < s.n; i++) {
    int a = class_of(s.p[i - 1]), b = class_of(s.p[i]);
    n += a && b && a != b && !(a == 2 && b == 3);
  }
  return n;
}

static size_t longest_segment(struct str s)
{
  size_t best = 0, run = 0;
  for (size_t i = 0; i < s.n; i++) {
    run = class_of(s.p[i]) ? run + 1 : 0;
    if (run > best) best = run;
  }
  return best;
}

/* Capitals and small letters as they fall: half of all neighbours differ, hardly a third in names of programs made of words. */
bool cases_fall_at_random(struct str s)
{
  unsigned switches = 0;
  for (size_t i = 1; i < s.n; i++) {
    int a = class_of(s.p[i - 1]), b = class_of(s.p[i]);
    switches += a >= 2 && b >= 2 && a != b;
  }
  return s.n >= 10 && switches * 3 >= s.n - 1 && !reads_like_words(s);
}

enum value_shape shape_of(struct str s)
{
  if (s.n < 16 || s.n > 256) return SHAPE_NONE;
  if (looks_like_uuid(s)) return SHAPE_UUID;
  if (looks_like_hex(s)) return SHAPE_HEX;
  unsigned digits = 0, letters = 0;
  for (size_t i = 0; i < s.n; i++) {
    digits += class_of(s.p[i]) == 1;
    letters += class_of(s.p[i]) >= 2;
  }
  if (digits < 2 && longest_segment(s) >= 8 && entropy(s) >= 3.1 && cases_fall_at_random(s)) return SHAPE_RANDOM;
  /* 32 letters of one case: no word is as long, and words joined have their vowels. */
  if (digits == 0 && s.n >= 28 && s.n <= 64 && letters == s.n && entropy(s) >= 3.7 && !class_changes(s) && !reads_like_words(s))
    return SHAPE_RANDOM;
  if (digits == 0)
    return s.n >= 20 && class_changes(s) * 5 >= s.n && !reads_like_words(s) && entropy(s) >= 3.7 ? SHAPE_RANDOM : SHAPE_NONE;
  bool mixed = digits >= 2 && letters >= 4 && class_changes(s) * 5 >= s.n && longest_segment(s) >= 8;
  return mixed && entropy(s) >= (s.n < 24 ? 3.1 : 3.4) ? SHAPE_RANDOM : SHAPE_NONE;
}
