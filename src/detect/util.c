/* Sums and decodings that several checks need. */
#include "detect/detect.h"

uint32_t crc32_of(struct str s)
{
  uint32_t crc = 0xFFFFFFFFu;
  for (size_t i = 0; i < s.n; i++) {
    crc ^= (unsigned char)s.p[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

bool variant_has(const struct rule *r, struct str word)
{
  for (size_t i = 0; i < r->variant.n;) {
    size_t end = i;
    while (end < r->variant.n && r->variant.p[end] != ' ') end++;
    if (str_eq(str_cut(r->variant, i, end), word)) return true;
    i = end + 1;
  }
  return false;
}

static int base64_digit(char c)
{
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

int base64_decode(struct str s, unsigned char *out, int max)
{
  uint32_t bits = 0;
  int n = 0, have = 0;
  while (s.n && s.p[s.n - 1] == '=') s.n--;
  for (size_t i = 0; i < s.n; i++) {
    int d = base64_digit(s.p[i]);
    if (d < 0) return -1;
    bits = bits << 6 | (uint32_t)d;
    have += 6;
    if (have < 8) continue;
    if (n == max) return n;
    have -= 8;
    out[n++] = (unsigned char)(bits >> have);
  }
  return n;
}

bool luhn(const unsigned char *digits, unsigned n)
{
  unsigned sum = 0;
  for (unsigned i = 0; i < n; i++) {
    unsigned d = digits[n - 1 - i];
    if (i % 2) d = d * 2 > 9 ? d * 2 - 9 : d * 2;
    sum += d;
  }
  return sum % 10 == 0;
}
