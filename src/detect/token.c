/* Keys that a prefix, or a mark inside, gives away. */
#include "detect/detect.h"

/* Where a body ends whose next line begins with what could go on with it, in a text whose lines are joined: at the last break that leaves it long
 * enough. 0: nowhere. */
static uint64_t end_at_break(struct look *l, uint64_t least, uint64_t most)
{
  for (uint64_t i = most; i >= least; i--)
    if (look_broken(l, i)) return i;
  return 0;
}

/* Where a body of rule->chars that begins at `from` ends, or 0: too short, too long, or it does not look random. */
static uint64_t body_end(const struct rule *r, struct look *l, uint64_t from)
{
  unsigned max = r->max ? r->max : 512;
  uint64_t end = look_run(l, from, &r->chars, (uint64_t)max + 1);
  if (end - from < r->min) return 0;
  if (end - from > max) end = l->joints ? end_at_break(l, from + (r->min ? r->min : 1), from + max) : 0;
  if (!end || (r->tail.n && !look_literal(l, end, r->tail, false))) return 0;
  int after = look_at(l, end + r->tail.n);
  return after >= 0 && r->tail.n == 0 && r->max == r->min && byte_is_word(after) && !look_broken(l, end) ? 0 : end;
}

/* A stand-in passes: it is reported as one. */
static bool random_enough(const struct rule *r, struct str body)
{
  if (r->mark.n && str_find(body, r->mark) == (size_t)-1) return false;
  return r->entropy <= 0 || entropy(body) >= r->entropy || is_placeholder(body);
}

/* GitHub and npm: the last six characters are the CRC-32 of those before, in base 62. */
static bool crc_matches(struct str token, struct str body)
{
  (void)token;
  static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  uint32_t crc = crc32_of(str_cut(body, 0, body.n - 6));
  for (size_t i = body.n; i > body.n - 6; i--, crc /= 62)
    if (body.p[i - 1] != digits[crc % 62]) return false;
  return true;
}

/* AWS: the base32 body holds a 12-digit account number in bits 1 to 40 of its first 6 bytes. */
static bool aws_account(struct str token, struct str body)
{
  (void)token;
  uint64_t bits = 0;
  for (size_t i = 0; i < 10; i++) {
    char c = body.p[i];
    bits = bits << 5 | (uint64_t)(c >= 'A' ? c - 'A' : c - '2' + 26);
  }
  return (bits >> 2 & 0x7FFFFFFFFF80u) >> 7 < 1000000000000u;
}

struct confirmation {
  const char *variant, *right, *wrong; /* wrong: NULL when what fails the test is no finding */
  unsigned else_confidence;            /* of what fails it */
  bool (*test)(struct str token, struct str body);
  size_t least; /* bytes that the test needs */
  unsigned why;
};

/* GitLab's routable tokens: payload, perhaps a dot and a version, a dot, the payload's length in two digits of base 36, and in seven
 * more the CRC-32 of all before. */
static bool gitlab_routable(struct str token, struct str body)
{
  static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  if (body.p[body.n - 10] != '.') return false;
  uint32_t crc = crc32_of(str_cut(token, 0, token.n - 7));
  for (size_t i = token.n; i > token.n - 7; i--, crc /= 36)
    if (token.p[i - 1] != digits[crc % 36]) return false;
  return true;
}

/* PyPI: a macaroon, version 2, whose location is a package index. */
static bool pypi_macaroon(struct str token, struct str body)
{
  (void)body;
  unsigned char out[48];
  int n = base64_decode(str_cut(token, 5, token.n < 69 ? token.n : 69), out, sizeof out);
  struct str location = {(const char *)out, n > 0 ? (size_t)n : 0};
  return n > 12 && out[0] == 2 && out[1] == 1 && str_find(location, STR("pypi")) != (size_t)-1;
}

static bool base58_token(struct str token, struct str body)
{
  (void)body;
  return base58_checks(token);
}

static bool age_bech32(struct str token, struct str body)
{
  (void)token;
  return bech32_checks(STR("age-secret-key-"), body);
}

static bool ripple_seed(struct str token, struct str body)
{
  (void)body;
  return ripple_seed_checks(token);
}

static bool nostr_bech32(struct str token, struct str body)
{
  (void)token;
  return bech32_checks(STR("nsec"), body);
}

/* Discord: the part before the first dot is the base64 of an id, 17 to 19 digits. */
static bool discord_id(struct str token, struct str body)
{
  (void)token;
  unsigned char out[24];
  size_t dot = str_find(body, STR("."));
  if (dot == (size_t)-1) return false;
  int n = base64_decode(str_cut(body, 0, dot), out, sizeof out);
  for (int i = 0; i < n; i++)
    if (out[i] < '0' || out[i] > '9') return false;
  return n >= 17 && n <= 20;
}

/* Three parts of the lengths that Discord's have. */
static bool three_parts(struct str token, struct str body)
{
  (void)token;
  size_t first = str_find(body, STR("."));
  if (first == (size_t)-1 || first < 15 || first > 28) return false;
  struct str rest = str_cut(body, first + 1, body.n);
  size_t second = str_find(rest, STR("."));
  return second >= 6 && second <= 7 && rest.n - second - 1 >= 27;
}

static bool is_mixed(struct str token, struct str body)
{
  (void)token;
  unsigned digits = 0;
  for (size_t i = 0; i < body.n; i++) digits += body.p[i] >= '0' && body.p[i] <= '9';
  return digits >= 4 && digits + 4 <= body.n;
}

/* Capitals, small letters and a digit, as they fall: no name of a program, no words joined by hyphens. */
static bool is_shuffled(struct str token, struct str body)
{
  (void)token;
  unsigned digits = 0, up = 0, down = 0;
  for (size_t i = 0; i < body.n; i++) {
    digits += body.p[i] >= '0' && body.p[i] <= '9';
    up += body.p[i] >= 'A' && body.p[i] <= 'Z';
    down += body.p[i] >= 'a' && body.p[i] <= 'z';
  }
  return digits && up >= 3 && down >= 3 && (digits >= 2 || !reads_like_words(body));
}

static const struct confirmation confirmations[] = {
    {"mixed", "prefix, length and a body of letters and digits", NULL, 0, is_mixed, 16, WHY_ENTROPY},
    {"shuffled", "prefix, length and a body in which capitals, small letters and digits fall at random", NULL, 0, is_shuffled, 16,
     WHY_ENTROPY},
    {"crc", "prefix, length and checksum", "prefix and length; the checksum is wrong", 75, crc_matches, 7, WHY_CHECKSUM},
    {"aws", "prefix, length, and an account number inside", NULL, 0, aws_account, 16, WHY_DECODED},
    {"gitlab", "prefix, length and checksum", NULL, 0, gitlab_routable, 37, WHY_CHECKSUM},
    {"macaroon", "prefix, and it decodes to a macaroon of a package index", "prefix and length; it does not decode", 75,
     pypi_macaroon, 32, WHY_DECODED},
    {"base58check", "prefix, length and Base58Check", "prefix and length; the checksum is wrong", 65, base58_token, 50,
     WHY_CHECKSUM},
    {"age", "prefix, length and Bech32 checksum", "prefix and length; the checksum is wrong", 75, age_bech32, 58, WHY_CHECKSUM},
    {"ripple", "prefix, length and checksum", NULL, 0, ripple_seed, 28, WHY_CHECKSUM},
    {"nostr", "prefix, length and Bech32 checksum", NULL, 0, nostr_bech32, 58, WHY_CHECKSUM},
    {"parts", "three parts of the right lengths", NULL, 0, three_parts, 40, WHY_FORMAT},
    {"discord", "three parts, the first decodes to an id", "three parts of the right lengths; the first decodes to no id", 75,
     discord_id, 40, WHY_DECODED},
};

/* What the rule's variant asks of the body. A wrong checksum lowers the confidence: tokens in examples are often made up. */
static bool confirm(const struct rule *r, struct str token, struct str body, struct found *out)
{
  for (size_t i = 0; i < sizeof confirmations / sizeof *confirmations; i++) {
    const struct confirmation *c = &confirmations[i];
    if (!variant_has(r, str_of(c->variant))) continue;
    bool right = body.n >= c->least && c->test(token, body);
    if (!right && !c->wrong) return false;
    out->reason = right ? c->right : c->wrong;
    out->why |= right ? c->why : WHY_BAD_CHECKSUM;
    if (c->wrong) out->confidence = right ? 95 : c->else_confidence;
  }
  return true;
}

/* A short prefix is one only at the beginning of a name: "key-1f..." but not "cache-key-1f...". */
static bool stands_alone(const struct rule *r, struct look *l)
{
  int before = l->gate ? look_at(l, l->gate - 1) : -1;
  return !variant_has(r, STR("alone")) || (before != '-' && before != '.' && before != '/') || look_broken(l, l->gate);
}

struct half {
  struct charset chars;
  unsigned min, max;
  double entropy;
};

/* Where the secret of an id begins, within 120 bytes after it; 0 when none does. */
static uint64_t secret_after(struct look *l, uint64_t i, const struct half *h, uint64_t *end, bool walk)
{
  for (uint64_t stop = i + 120; i < stop; i++) {
    if (walk) l->hold = i;
    *end = look_run(l, i, &h->chars, (uint64_t)h->max + 1);
    if (l->starved) return 0;
    if (*end - i >= h->min && *end - i <= h->max && !byte_is_word(look_at(l, *end))) {
      struct str secret = look_span(l, i, *end);
      return entropy(secret) >= h->entropy || is_placeholder(secret) ? i : 0;
    }
    if (look_at(l, *end) < 0) return 0;
    i = *end;
  }
  return 0;
}

static uint64_t id_end(struct look *l)
{
  uint64_t i = l->gate_end;
  for (unsigned n = 0; n < 40 && byte_is_word(look_at(l, i)); n++) i++;
  return i;
}

/* The rules of pairs report both halves as one; the id's own rule is then silent. */
static bool secret_follows(const struct rule *r, struct look *l)
{
  static const struct {
    struct str variant, chars;
    unsigned length;
    double entropy;
  } halves[] = {
      {STR("aws"), STR("base64"), 40, 4.2}, {STR("alibaba"), STR("base62"), 30, 4.0}, {STR("tencent"), STR("base62"), 32, 4.0}};
  for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
    struct half h = {.min = halves[i].length, .max = halves[i].length, .entropy = halves[i].entropy};
    uint64_t end = 0;
    if (!variant_has(r, halves[i].variant) || !charset_parse(halves[i].chars, &h.chars)) continue;
    uint64_t from = secret_after(l, id_end(l), &h, &end, false);
    return from && !is_placeholder(look_span(l, from, end));
  }
  return false;
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
  out->silent = secret_follows(r, l);
  return (is_placeholder(body) || confirm(r, look_span(l, l->gate, out->end), body, out)) &&
         found_sure(out, body, out->confidence);
}

static bool has_digit(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] >= '0' && s.p[i] <= '9') return true;
  return false;
}

bool check_value(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t end = body_end(r, l, l->gate_end);
  if (!end || (r->words >= 0 && !l->context) || !random_enough(r, look_span(l, l->gate_end, end))) return false;
  if (variant_has(r, STR("digit")) && !has_digit(look_span(l, l->gate_end, end))) return false;
  out->start = l->gate_end;
  out->end = end + r->tail.n;
  out->reason = "the value of a key in a connection string";
  out->why = WHY_NAME | WHY_FORMAT;
  return found_sure(out, look_span(l, l->gate_end, out->end), out->confidence);
}

/* Where the bytes left of a mark begin: not before a line end that is gone. */
static uint64_t left_of_mark(const struct rule *r, struct look *l)
{
  uint64_t start = look_run_left(l, l->gate, &r->left, r->left_max);
  for (uint64_t i = l->gate; l->joints && i > start; i--)
    if (look_broken(l, i)) return i;
  return start;
}

bool check_marked(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t start = left_of_mark(r, l);
  uint64_t end = body_end(r, l, l->gate_end);
  if (!end || l->gate - start < r->left_max / 2) return false;
  bool first = !start || !byte_is_word(look_at(l, start - 1)) || look_broken(l, start);
  if (variant_has(r, STR("first")) && !first) return false;
  struct str key = look_span(l, start, end);
  if (entropy(key) < r->entropy) return false;
  out->start = start + r->left_skip;
  out->end = end + r->tail.n;
  out->reason = "the vendor's mark inside a key of the right length";
  out->why = WHY_FORMAT | WHY_MARK | WHY_ENTROPY;
  return (is_placeholder(key) || confirm(r, key, key, out)) && found_sure(out, key, out->confidence);
}

/* An id gives its secret away: AKIA..., then 40 characters of base64 soon after, named or not. */
bool check_after_id(const struct rule *r, struct look *l, struct found *out)
{
  struct half h = {r->chars, r->min, r->max, r->entropy};
  uint64_t id = id_end(l), end = 0, from = id - l->gate_end < 8 ? 0 : secret_after(l, id, &h, &end, true);
  if (!from) return false;
  out->start = from;
  out->end = end;
  out->why = WHY_PAIR | WHY_FORMAT | WHY_ENTROPY;
  out->reason = "an id, and soon after it a value of its secret's form";
  return found_sure(out, look_span(l, from, end), out->confidence);
}
