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

bool check_jwt(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  uint64_t a = part(l, l->gate, 1024);
  if (!a || look_at(l, a) != '.') return false;
  uint64_t b = part(l, a + 1, 8192);
  if (!b || look_at(l, b) != '.' || !is_object(look_span(l, l->gate, a), STR("\"alg\""))) return false;
  uint64_t c = part(l, b + 1, 2048);
  if (!c || c - b < 20 || !is_object(look_span(l, a + 1, b), STR(":"))) return false;
  out->end = c;
  out->why = WHY_FORMAT | WHY_DECODED;
  out->reason = "header and payload decode to JSON, the header names an algorithm";
  return found_sure(out, look_span(l, b + 1, c), out->confidence);
}
