/* JSON Web Tokens (RFC 7519): not every eyJ is one, so it is decoded and looked at. */
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
