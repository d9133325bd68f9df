/* JSON Web Tokens (RFC 7519): not every eyJ is one, so it is decoded and looked at. And JSON Web Keys (RFC 7517), of which "d" or "k" is the secret. */
#include "detect/detect.h"

static uint64_t part(struct look *l, uint64_t i, unsigned max)
{
  struct charset set;
  charset_parse(STR("base64url"), &set);
  uint64_t end = look_run(l, i, &set, (uint64_t)max + 1);
  return end == i || end - i > max ? 0 : end;
}

/* A part is the beginning of a JSON object with the text in it. */
static bool is_object(struct str s, struct str text)
{
  unsigned char out[4096];
  int n = base64_decode(s, out, sizeof out);
  struct str json = {(const char *)out, n > 0 ? (size_t)n : 0};
  return n >= 2 && out[0] == '{' && str_find(json, text) != (size_t)-1;
}

/* Encrypted ones (RFC 7516): header, key (none with "dir"), vector, text and tag. Only who has the key reads it, but who has it whole is let in. */
static bool is_jwe(struct look *l, uint64_t dot, struct found *out)
{
  uint64_t key = look_at(l, dot + 1) == '.' ? dot + 1 : part(l, dot + 1, 2048);
  uint64_t vector = key && look_at(l, key) == '.' ? part(l, key + 1, 64) : 0;
  uint64_t text = vector && look_at(l, vector) == '.' ? part(l, vector + 1, 8192) : 0;
  uint64_t tag = text && look_at(l, text) == '.' ? part(l, text + 1, 128) : 0;
  if (!tag || tag - text < 20) return false;
  out->end = tag;
  out->why = WHY_FORMAT | WHY_DECODED;
  out->reason = "five parts, the header names how it is encrypted";
  return found_sure(out, look_span(l, vector + 1, text), out->confidence);
}

/* Header and payload, and the text ends or the signature was left out: what it says of a person stands there, and the rest may stand elsewhere. */
static bool is_cut_off(struct look *l, uint64_t a, uint64_t b, struct found *out)
{
  struct str payload = look_span(l, a + 1, b);
  if (payload.n < 24 || look_at(l, b) == '.' || !is_object(payload, STR("\":"))) return false;
  out->end = b;
  out->why = WHY_FORMAT | WHY_DECODED;
  out->reason = "header and payload decode to JSON; the signature is missing";
  return found_sure(out, payload, 75);
}

/* "alg": "none": whoever has it changes it at will. Its last part is empty. */
static bool is_unsigned(struct look *l, uint64_t a, uint64_t b, struct found *out)
{
  static const struct str none[] = {STR("\"none\""), STR("\"None\""), STR("\"NONE\"")};
  struct str header = look_span(l, l->gate, a), payload = look_span(l, a + 1, b);
  bool says = false;
  for (size_t i = 0; i < sizeof none / sizeof *none && !says; i++) says = is_object(header, none[i]);
  if (!says || !is_object(payload, STR(":"))) return false;
  out->end = b + (look_at(l, b) == '.');
  out->why = WHY_FORMAT | WHY_DECODED;
  out->reason = "header and payload decode to JSON, and the header says that nothing signs them";
  return found_sure(out, payload, out->confidence);
}

bool check_jwt(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  uint64_t a = part(l, l->gate, 1024);
  if (!a || look_at(l, a) != '.') return false;
  if (is_object(look_span(l, l->gate, a), STR("\"enc\""))) return is_jwe(l, a, out);
  uint64_t b = part(l, a + 1, 8192);
  if (!b || !is_object(look_span(l, l->gate, a), STR("\"alg\""))) return false;
  if (is_unsigned(l, a, b, out)) return true;
  if (look_at(l, b) != '.') return is_cut_off(l, a, b, out);
  uint64_t c = part(l, b + 1, 2048);
  if (!c || c - b < 20 || !is_object(look_span(l, a + 1, b), STR(":"))) return false;
  out->end = c;
  out->why = WHY_FORMAT | WHY_DECODED;
  out->reason = "header and payload decode to JSON, the header names an algorithm";
  return found_sure(out, look_span(l, b + 1, c), out->confidence);
}

/* A quote, perhaps in a JSON text inside a JSON string. Where it ends; 0: none stands there. */
static uint64_t skip_quote(struct look *l, uint64_t i)
{
  if (look_at(l, i) == '\\') i++;
  return look_at(l, i) == '"' ? i + 1 : 0;
}

static uint64_t skip_between(struct look *l, uint64_t i, int sign)
{
  bool had = false;
  for (unsigned n = 0; n < 60; n++, i++) {
    int c = look_at(l, i);
    bool line = c == '\\' && look_at(l, i + 1) == 'n'; /* written as in JSON */
    i += line;
    if (line) continue;
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && (had || c != sign)) break;
    had |= c == sign;
  }
  return had ? i : 0;
}

/* The members of a key (RFC 7517, 7518): behind another one the object is none. */
static bool is_member(struct str s)
{
  static const struct str names[] = {STR("alg"), STR("crv"),     STR("d"),   STR("dp"),       STR("dq"),  STR("e"),
                                     STR("ext"), STR("iat"),     STR("k"),   STR("n"),        STR("p"),   STR("q"),
                                     STR("qi"),  STR("key_ops"), STR("kid"), STR("oth"),      STR("use"), STR("x"),
                                     STR("y"),   STR("x5c"),     STR("x5t"), STR("x5t#S256"), STR("x5u")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (str_eq(s, names[i])) return true;
  return false;
}

/* The end of a member's value: a text, or a list of them, or true. No brackets stand in the texts. */
static uint64_t skip_member(struct look *l, uint64_t i)
{
  enum { MEMBER_MAX = 4096 };
  bool list = look_at(l, i) == '[';
  uint64_t open = list ? 0 : skip_quote(l, i), stop = i + MEMBER_MAX;
  for (i = open ? open : i; i < stop && look_at(l, i) >= 0; i++) {
    if (open && skip_quote(l, i)) return skip_quote(l, i);
    if (list && look_at(l, i) == ']') return i + 1;
    if (!open && !list && !byte_is_word(look_at(l, i))) return i;
  }
  return 0;
}

/* Key types (RFC 7518): of symmetric keys, or of pairs. */
static bool is_type(struct look *l, uint64_t i, bool symmetric)
{
  static const struct str types[] = {STR("oct"), STR("EC"), STR("RSA"), STR("OKP"), STR("AKP")};
  for (size_t k = symmetric ? 0 : 1; i && k < (symmetric ? 1 : sizeof types / sizeof *types); k++)
    if (look_literal(l, i, types[k], false) && skip_quote(l, i + types[k].n)) return true;
  return false;
}

/* Is "kty" among the members behind i? Sorted, as many programs write them, "d" and "k" stand before it. */
static bool type_follows(struct look *l, uint64_t i, bool symmetric)
{
  enum { MEMBERS = 24, NAME_MAX = 10 };
  for (unsigned n = 0; n < MEMBERS && (i = skip_between(l, i, ',')); n++) {
    uint64_t name = skip_quote(l, i), end = name;
    while (name && end < name + NAME_MAX && (byte_is_word(look_at(l, end)) || look_at(l, end) == '#')) end++;
    uint64_t value = name && skip_quote(l, end) ? skip_between(l, skip_quote(l, end), ':') : 0;
    if (!value) return false;
    if (str_eq(look_span(l, name, end), STR("kty"))) return is_type(l, skip_quote(l, value), symmetric);
    i = is_member(look_span(l, name, end)) ? skip_member(l, value) : 0;
    if (!i) return false;
  }
  return false;
}

/* Variant oct: a symmetric key. */
bool check_jwk(const struct rule *r, struct look *l, struct found *out)
{
  l->hold = l->gate_end;
  uint64_t end = look_run(l, l->gate_end, &r->chars, (uint64_t)r->max + 1), behind = skip_quote(l, end);
  struct str key = look_span(l, l->gate_end, end);
  if (key.n < r->min || key.n > r->max || (entropy(key) < r->entropy && !is_placeholder(key))) return false;
  if (!l->context && !(behind && type_follows(l, behind, variant_has(r, STR("oct"))))) return false;
  out->start = l->gate_end;
  out->end = end;
  out->why = WHY_NAME | WHY_FORMAT;
  out->reason = "the secret part of a JSON Web Key";
  return found_sure(out, key, out->confidence);
}
