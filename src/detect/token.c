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

/* A stand-in passes: it is reported as one. */
static bool random_enough(const struct rule *r, struct str body)
{
  if (r->mark.n && str_find(body, r->mark) == (size_t)-1) return false;
  return r->entropy <= 0 || entropy(body) >= r->entropy || is_placeholder(body);
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

struct confirmation {
  const char *variant, *right, *wrong; /* wrong: NULL when what fails the test is no finding */
  bool (*test)(struct str body);
  size_t least; /* bytes that the test needs */
  unsigned why;
};

static const struct confirmation confirmations[] = {
    {"crc", "prefix, length and checksum", "prefix and length; the checksum is wrong", crc_matches, 7, WHY_CHECKSUM},
    {"aws", "prefix, length, and an account number inside", NULL, aws_account, 16, WHY_DECODED},
};

/* What the rule's variant asks of the body. A wrong checksum lowers the confidence: tokens in examples are often made up. */
static bool confirm(const struct rule *r, struct str body, struct found *out)
{
  for (size_t i = 0; i < sizeof confirmations / sizeof *confirmations; i++) {
    const struct confirmation *c = &confirmations[i];
    if (!str_eq(r->variant, str_of(c->variant))) continue;
    bool right = body.n >= c->least && c->test(body);
    if (!right && !c->wrong) return false;
    out->reason = right ? c->right : c->wrong;
    out->why |= right ? c->why : WHY_BAD_CHECKSUM;
    if (c->wrong) out->confidence = right ? 95 : 65;
  }
  return true;
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
  out->why = WHY_FORMAT | (r->entropy > 0 ? WHY_ENTROPY : 0) | (r->mark.n ? WHY_MARK : 0);
  out->reason = r->mark.n ? "prefix, length and the vendor's mark inside" : "prefix, length and characters";
  return (is_placeholder(body) || confirm(r, body, out)) && found_sure(out, body, out->confidence);
}

bool check_value(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t end = body_end(r, l, l->gate_end);
  if (!end || !random_enough(r, look_span(l, l->gate_end, end))) return false;
  out->start = l->gate_end;
  out->end = end + r->tail.n;
  out->reason = "the value of a key in a connection string";
  out->why = WHY_NAME | WHY_FORMAT;
  return found_sure(out, look_span(l, l->gate_end, out->end), out->confidence);
}

bool check_marked(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t start = look_run_left(l, l->gate, &r->left, r->left_max);
  uint64_t end = body_end(r, l, l->gate_end);
  if (!end || l->gate - start < r->left_max / 2) return false;
  struct str key = look_span(l, start, end);
  if (entropy(key) < r->entropy) return false;
  out->start = start;
  out->end = end + r->tail.n;
  out->reason = "the vendor's mark inside a key of the right length";
  out->why = WHY_FORMAT | WHY_MARK | WHY_ENTROPY;
  return found_sure(out, key, out->confidence);
}
