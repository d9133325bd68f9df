/*
 * The check `regex`, for rules that users write, and the checksums that such a rule may name. What these sums are is in the standards and papers
 * that sums.def names; each is tested with its published example.
 */
#include "detect/detect.h"
#include "engine/regex.h"

enum { SUM_MAX = 256 };

static bool all_digits(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] < '0' || s.p[i] > '9') return false;
  return s.n > 1;
}

bool sum_luhn(struct str s)
{
  unsigned char digits[SUM_MAX];
  if (!all_digits(s)) return false;
  for (size_t i = 0; i < s.n; i++) digits[i] = (unsigned char)(s.p[i] - '0');
  return luhn(digits, (unsigned)s.n);
}

static bool sum_mod97(struct str s)
{
  unsigned rest = 0;
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c >= '0' && c <= '9') rest = (rest * 10 + (unsigned)(c - '0')) % 97;
    else rest = (rest * 100 + (unsigned)((c | 32) - 'a') + 10) % 97;
  }
  return s.n > 2 && rest == 1;
}

bool sum_mod11_2(struct str s)
{
  unsigned sum = 0;
  if (s.n < 2 || !all_digits(str_cut(s, 0, s.n - (s.n > 2)))) return false;
  char last = s.p[s.n - 1];
  for (size_t i = 0; i + 1 < s.n; i++) sum = (sum + (unsigned)(s.p[i] - '0')) * 2 % 11;
  if (last != 'X' && (last < '0' || last > '9')) return false;
  return (sum + (last == 'X' ? 10 : (unsigned)(last - '0'))) % 11 == 1;
}

bool sum_mod11_10(struct str s)
{
  unsigned sum = 10;
  if (!all_digits(s)) return false;
  for (size_t i = 0; i + 1 < s.n; i++) {
    unsigned d = (sum + (unsigned)(s.p[i] - '0')) % 10;
    sum = (d ? d : 10) * 2 % 11;
  }
  return (sum + (unsigned)(s.p[s.n - 1] - '0')) % 10 == 1;
}

/* The product in the dihedral group of ten elements: rotations 0 to 4, reflections 5 to 9. */
static unsigned dihedral(unsigned a, unsigned b)
{
  if (a < 5) return b < 5 ? (a + b) % 5 : (a + b - 5) % 5 + 5;
  return b < 5 ? (a - 5 + 5 - b) % 5 + 5 : (a + 5 - b) % 5;
}

bool sum_verhoeff(struct str s)
{
  static const unsigned turn[10] = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  unsigned sum = 0;
  if (!all_digits(s)) return false;
  for (size_t i = 0; i < s.n; i++) {
    unsigned d = (unsigned)(s.p[s.n - 1 - i] - '0');
    for (size_t k = 0; k < i % 8; k++) d = turn[d];
    sum = dihedral(sum, d);
  }
  return sum == 0;
}

static bool sum_damm(struct str s)
{
  static const char table[10][11] = {"0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
                                     "3674209581", "5869720134", "8945362017", "9438617205", "2581436790"};
  unsigned sum = 0;
  if (!all_digits(s)) return false;
  for (size_t i = 0; i < s.n; i++) sum = (unsigned)(table[sum][s.p[i] - '0'] - '0');
  return sum == 0;
}

static bool sum_crc32(struct str s)
{
  static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  if (s.n <= 6) return false;
  uint32_t crc = crc32_of(str_cut(s, 0, s.n - 6));
  for (size_t i = s.n; i > s.n - 6; i--, crc /= 62)
    if (s.p[i - 1] != digits[crc % 62]) return false;
  return true;
}

const struct checksum checksums[] = {
#define X(name, fn, help) {name, fn, help},
#include "detect/sums.def"
#undef X
    {NULL, NULL, NULL},
};

static bool sum_holds(const struct rule *r, struct str body)
{
  char kept[SUM_MAX];
  size_t n = 0;
  for (size_t i = 0; i < body.n; i++) {
    char c = body.p[i], low = (char)(c | 32);
    if (!((c >= '0' && c <= '9') || (low >= 'a' && low <= 'z'))) continue;
    if (n == SUM_MAX) return false;
    kept[n++] = c;
  }
  return r->checksum->fn((struct str){kept, n});
}

bool check_regex(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t end = regex_end(r, l);
  if (!end || (r->words >= 0 && !l->context)) return false;
  struct str body = end > l->gate_end ? look_span(l, l->gate_end, end) : STR("");
  if (r->entropy > 0 && entropy(body) < r->entropy) return false;
  if (r->detector == VDT_DET_CREDENTIAL && is_placeholder(body)) return false;
  if (r->checksum && !sum_holds(r, body)) return false;
  out->end = end;
  out->why = WHY_FORMAT | (r->checksum ? WHY_CHECKSUM : 0) | (r->words >= 0 ? WHY_NAME : 0) | (r->entropy > 0 ? WHY_ENTROPY : 0);
  out->reason = r->checksum     ? "gate, expression and checksum"
                : r->words >= 0 ? "gate, expression and a word before it"
                                : "gate and expression";
  return true;
}
