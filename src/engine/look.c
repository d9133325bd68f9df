/* The helpers that checks read text with. Everything goes through look_at, so starving works without anyone thinking of it. */
#include "engine/check.h"
#include <math.h>

static const struct {
  const char *name, *set;
} named_sets[] = {
    {"digit", "0-9"},
    {"upper", "A-Z"},
    {"lower", "a-z"},
    {"alpha", "A-Za-z"},
    {"alnum", "0-9A-Za-z"},
    {"base62", "0-9A-Za-z"},
    {"base64", "0-9A-Za-z+/"},
    {"base64url", "0-9A-Za-z_-"},
    {"hex", "0-9a-fA-F"},
    {"hex-lower", "0-9a-f"},
    {"hex-upper", "0-9A-F"},
    {"b32", "A-Z2-7"},
    {"word", "0-9A-Za-z_"},
    {"local-part", "0-9A-Za-z.!#$%&'*+/=?^_`{|}~-"},
    {"token", "0-9A-Za-z_.+/=~-"},
    {"host", "0-9A-Za-z.\x80-\xff-"},
};

static bool parse_list(struct str s, struct charset *out)
{
  for (size_t i = 0; i < s.n; i++) {
    unsigned char from = (unsigned char)s.p[i];
    if (i + 2 < s.n && s.p[i + 1] == '-') {
      unsigned char to = (unsigned char)s.p[i + 2];
      if (to < from) return false;
      for (unsigned c = from; c <= to; c++) charset_add(out, (unsigned char)c);
      i += 2;
    } else {
      charset_add(out, from);
    }
  }
  return s.n > 0;
}

bool charset_parse(struct str spec, struct charset *out)
{
  *out = (struct charset){0};
  if (spec.n > 1 && spec.p[0] == '=') return parse_list(str_cut(spec, 1, spec.n), out);
  for (size_t i = 0; i < sizeof named_sets / sizeof *named_sets; i++)
    if (str_eq(spec, str_of(named_sets[i].name))) return parse_list(str_of(named_sets[i].set), out);
  return false;
}

uint64_t look_run(struct look *l, uint64_t i, const struct charset *set, uint64_t max)
{
  uint64_t stop = i + max;
  while (i < stop && charset_has(set, look_at(l, i))) i++;
  return i;
}

uint64_t look_run_left(struct look *l, uint64_t i, const struct charset *set, uint64_t max)
{
  uint64_t stop = i > max ? i - max : 0;
  while (i > stop && charset_has(set, look_at(l, i - 1))) i--;
  return i;
}

static int lower(int c)
{
  return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

bool look_literal(struct look *l, uint64_t i, struct str literal, bool nocase)
{
  for (size_t k = 0; k < literal.n; k++) {
    int have = look_at(l, i + k), want = (unsigned char)literal.p[k];
    if (nocase ? lower(have) != lower(want) : have != want) return false;
  }
  return true;
}

struct str look_span(struct look *l, uint64_t from, uint64_t to)
{
  if (to <= from || look_at(l, from) < 0 || look_at(l, to - 1) < 0) return (struct str){0};
  return (struct str){(const char *)l->p + (from - l->base), (size_t)(to - from)};
}

bool byte_is_word(int c)
{
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c >= 0x80;
}

static bool is_hex(unsigned char c)
{
  return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

bool escape_ends(const unsigned char *end, size_t n)
{
  size_t digits = 0;
  while (digits < 4 && digits < n && is_hex(end[-1 - (ptrdiff_t)digits])) digits++;
  if (digits >= 4 && n >= 6 && end[-5] == 'u' && end[-6] == '\\') return true;
  return digits >= 2 && n >= 4 && end[-3] == 'x' && end[-4] == '\\';
}

bool byte_joins(int c, int before)
{
  bool escape = before == '\\' && (c == 'n' || c == 't' || c == 'r' || c == 'b' || c == 'f');
  return byte_is_word(c) && !escape;
}

double entropy(struct str s)
{
  unsigned count[256] = {0};
  double bits = 0;
  for (size_t i = 0; i < s.n; i++) count[(unsigned char)s.p[i]]++;
  for (size_t c = 0; c < 256; c++)
    if (count[c]) bits -= count[c] * log2((double)count[c] / (double)s.n);
  return s.n ? bits / (double)s.n : 0;
}
