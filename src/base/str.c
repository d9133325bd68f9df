#include "base/str.h"

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_ieq(struct str a, struct str b)
{
  if (a.n != b.n) return false;
  for (size_t i = 0; i < a.n; i++)
    if (lower(a.p[i]) != lower(b.p[i])) return false;
  return true;
}

size_t str_find(struct str hay, struct str needle)
{
  if (needle.n == 0) return 0;
  const char *hit = hay.n >= needle.n ? memmem(hay.p, hay.n, needle.p, needle.n) : NULL;
  return hit ? (size_t)(hit - hay.p) : (size_t)-1;
}

bool str_u64(struct str s, uint64_t *out)
{
  uint64_t v = 0;
  if (s.n == 0) return false;
  for (size_t i = 0; i < s.n; i++) {
    unsigned d = (unsigned char)s.p[i] - (unsigned)'0';
    if (d > 9 || v > (UINT64_MAX - d) / 10) return false;
    v = v * 10 + d;
  }
  *out = v;
  return true;
}

uint64_t str_hash(struct str s)
{
  uint64_t h = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
  return h;
}

unsigned str_distance(struct str a, struct str b)
{
  enum { MAX = 63 };
  unsigned rows[3][MAX + 1];
  size_t an = a.n < MAX ? a.n : MAX, bn = b.n < MAX ? b.n : MAX;
  unsigned *before = rows[0], *prev = rows[1], *cur = rows[2];
  for (size_t j = 0; j <= bn; j++) prev[j] = (unsigned)j;
  for (size_t i = 1; i <= an; i++) {
    cur[0] = (unsigned)i;
    for (size_t j = 1; j <= bn; j++) {
      char x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);
      unsigned best = prev[j - 1] + (x != y);
      if (prev[j] + 1 < best) best = prev[j] + 1;
      if (cur[j - 1] + 1 < best) best = cur[j - 1] + 1;
      bool swapped = i > 1 && j > 1 && x == lower(b.p[j - 2]) && lower(a.p[i - 2]) == y;
      if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
      cur[j] = best;
    }
    unsigned *t = before;
    before = prev;
    prev = cur;
    cur = t;
  }
  return prev[bn];
}

bool str_is_one_away(struct str a, struct str b)
{
  size_t i = 0;
  if (a.n > b.n) return str_is_one_away(b, a);
  if (b.n - a.n > 1) return false;
  while (i < a.n && lower(a.p[i]) == lower(b.p[i])) i++;
  if (a.n < b.n) return str_ieq(str_cut(a, i, a.n), str_cut(b, i + 1, b.n));
  if (i == a.n) return false;
  if (str_ieq(str_cut(a, i + 1, a.n), str_cut(b, i + 1, b.n))) return true;
  bool swapped = i + 1 < a.n && lower(a.p[i]) == lower(b.p[i + 1]) && lower(a.p[i + 1]) == lower(b.p[i]);
  return swapped && str_ieq(str_cut(a, i + 2, a.n), str_cut(b, i + 2, b.n));
}
