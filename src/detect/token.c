/* Keys that a prefix, or a mark inside, gives away. */
#include "detect/detect.h"

/* Where a body of rule->chars that begins at `from` ends, or 0: too short, too long, or it does not look random. */
static uint64_t body_end(const struct rule *r, struct look *l, uint64_t from)
{
  unsigned max = r->max ? r->max : 512;
  uint64_t end = look_run(l, from, &r->chars, (uint64_t)max + 1);
  if (end - from < r->min || end - from > max) return 0;
  if (r->tail.n && !look_literal(l, end, r->tail, false)) return 0;
  int after = look_at(l, end + r->tail.n);
  return after >= 0 && r->tail.n == 0 && r->max == r->min && byte_is_word(after) ? 0 : end;
}

static bool random_enough(const struct rule *r, struct str body)
{
  if (r->mark.n && str_find(body, r->mark) == (size_t)-1) return false;
  return (r->entropy <= 0 || entropy(body) >= r->entropy) && !is_placeholder(body);
}

/* GitHub and npm: the last six characters are the CRC-32 of those before, in base 62. */
static bool crc_matches(struct str body)
{
  static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  uint32_t crc = crc32_of(str_cut(body, 0, body.n - 6));
  for (size_t i = body.n; i > body.n - 6; i--, crc /= 62)
    if (body.p[i - 1] != digits[crc % 62]) return false;
  return true;
}

/* AWS: the base32 body holds a 12-digit account number in bits 1 to 40 of its first 6 bytes. */
static bool aws_account(struct str body)
{
  uint64_t bits = 0;
  for (size_t i = 0; i < 10; i++) {
    char c = body.p[i];
    bits = bits << 5 | (uint64_t)(c >= 'A' ? c - 'A' : c - '2' + 26);
  }
  return (bits >> 2 & 0x7FFFFFFFFF80u) >> 7 < 1000000000000u;
}

/* A short prefix is one only at the beginning of a name: "key-1f..." but not "cache-key-1f...". */
static bool stands_alone(const struct rule *r, struct look *l)
{
  int before = l->gate ? look_at(l, l->gate - 1) : -1;
  return !str_eq(r->variant, STR("alone")) || (before != '-' && before != '.' && before != '/');
}

bool check_token(const struct rule *r, struct look *l, struct found *out)
{
  if (!stands_alone(r, l)) return false;
  uint64_t end = body_end(r, l, l->gate_end);
  if (!end) return false;
  struct str body = look_span(l, l->gate_end, end);
  if (!random_enough(r, body)) return false;
  out->end = end + r->tail.n;
  out->reason = "prefix, length and characters";
  if (str_eq(r->variant, STR("crc")) && body.n > 6) {
    bool good = crc_matches(body);
    out->confidence = good ? 95 : 65;
    out->reason = good ? "prefix, length and checksum" : "prefix and length; the checksum is wrong";
  } else if (str_eq(r->variant, STR("aws")) && body.n == 16) {
    if (!aws_account(body)) return false;
    out->reason = "prefix, length, and an account number inside";
  } else if (r->mark.n) {
    out->reason = "prefix, length and the vendor's mark inside";
  }
  return true;
}

bool check_value(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t end = body_end(r, l, l->gate_end);
  if (!end || !random_enough(r, look_span(l, l->gate_end, end))) return false;
  out->start = l->gate_end;
  out->end = end + r->tail.n;
  out->reason = "the value of a key in a connection string";
  return true;
}

bool check_marked(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t start = look_run_left(l, l->gate, &r->left, r->left_max);
  uint64_t end = body_end(r, l, l->gate_end);
  if (!end || l->gate - start < r->left_max / 2) return false;
  struct str key = look_span(l, start, end);
  if (entropy(key) < r->entropy || is_placeholder(key)) return false;
  out->start = start;
  out->end = end + r->tail.n;
  out->reason = "the vendor's mark inside a key of the right length";
  return true;
}
