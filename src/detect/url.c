/* Credentials in URLs and in HTTP headers. */
#include "detect/detect.h"

static bool user_byte(int c)
{
  return c > 0x20 && c < 0x7F && c != '/' && c != '@' && c != ':' && c != '"' && c != '\'' && c != '<' && c != '>' && c != '?' &&
         c != '#' && c != '`' && c != '\\' && c != ',' && c != ')';
}

static uint64_t run(struct look *l, uint64_t i, unsigned max)
{
  for (uint64_t stop = i + max; i < stop && user_byte(look_at(l, i));) i++;
  return i;
}

/* The @ before the host: a password may hold one unescaped, so it is the last before something that no host has. */
static uint64_t last_at(struct look *l, uint64_t at)
{
  for (unsigned n = 0; n < 4; n++) {
    uint64_t next = run(l, at + 1, 128);
    if (look_at(l, next) != '@') break;
    at = next;
  }
  return at;
}

/* A user's name, or a host: no key has a dot, so what has one need not be held back. */
static uint64_t user_end(struct look *l)
{
  uint64_t i = l->gate_end;
  bool dot = false;
  for (uint64_t stop = i + 128; i < stop; i++) {
    if (dot) l->hold = i;
    int c = look_at(l, i);
    dot |= c == '.';
    if (!user_byte(c)) break;
  }
  return i;
}

/* https://TOKEN@host: a key in the place of the user's name. */
static bool is_lone_key(struct look *l, uint64_t at, struct found *out)
{
  struct str key = look_span(l, l->gate_end, at);
  enum value_shape shape = shape_of(key);
  uint64_t g = l->gate;
  bool scheme = (g >= 4 && look_literal(l, g - 4, STR("http"), true)) || (g >= 5 && look_literal(l, g - 5, STR("https"), true));
  bool looks = scheme && key.n >= 20 && str_find(key, STR(".")) == (size_t)-1 &&
               (shape == SHAPE_RANDOM || (shape == SHAPE_HEX && key.n == 40)); /* 32 digits: the public key of a DSN */
  if (!looks || !byte_is_word(look_at(l, at + 1))) return false;
  out->start = l->gate_end;
  out->end = at;
  out->reason = "a key before the host of a URL, and no password";
  out->why = WHY_FORMAT | WHY_ENTROPY;
  return found_sure(out, key, out->confidence);
}

bool check_url_password(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  l->hold = l->gate_end;
  uint64_t colon = user_end(l);
  if (look_at(l, colon) == '@' && is_lone_key(l, colon, out)) return true;
  if (look_at(l, colon) != ':' || look_at(l, colon - 1) == '[') return false; /* user[:password]@host, as manuals have it */
  l->hold = colon + 1;
  uint64_t at = run(l, colon + 1, 256);
  if (look_at(l, at) != '@' || at - colon < 4 || !byte_is_word(look_at(l, at + 1))) return false;
  at = last_at(l, at);
  struct str password = look_span(l, colon + 1, at);
  if (str_eq(password, look_span(l, l->gate_end, colon))) return false;
  out->start = colon + 1;
  out->end = at;
  out->reason = "user:password before the host of a URL";
  out->why = WHY_FORMAT | WHY_PAIR;
  return found_sure(out, password, out->confidence);
}

/* user:password, printable. */
static bool is_basic(struct str s)
{
  unsigned char out[512];
  int n = base64_decode(s, out, sizeof out);
  bool colon = false;
  for (int i = 0; i < n; i++) {
    if (out[i] < 0x20 || out[i] > 0x7E) return false;
    colon |= out[i] == ':' && i > 0 && i + 1 < n;
  }
  return n > 4 && colon;
}

/* Schemes of RFC 7235's header, registered or in use. The first is Basic. */
static const struct str schemes[] = {
    STR("Basic "),           STR("Bearer "),     STR("Token token="), STR("Token "),          STR("Api-Token "),
    STR("ApiKey "),          STR("SSWS "),       STR("Splunk "),      STR("GenieKey "),       STR("Key "),
    STR("KakaoAK "),         STR("Bot "),        STR("OAuth "),       STR("DeepL-Auth-Key "), STR("Klaviyo-API-Key "),
    STR("Zoho-oauthtoken "), STR("Client-Key "), STR("App "),         STR("Discogs token=")};

static uint64_t skip_colon(struct look *l, uint64_t at)
{
  for (unsigned n = 0; n < 6; n++, at++) {
    int c = look_at(l, at);
    if (c != ' ' && c != ':' && c != '"' && c != '\'' && c != '=' && c != ',') break;
  }
  return at;
}

/* "auth": "..." of Docker, _auth=... of npm: base64 of user:password. */
bool check_basic_value(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t at = l->gate_end;
  for (unsigned n = 0; n < 8; n++, at++) {
    int c = look_at(l, at);
    if (c != ' ' && c != ':' && c != '"' && c != '\'' && c != '=' && c != '\\') break;
  }
  l->hold = at;
  uint64_t end = look_run(l, at, &r->chars, 600);
  struct str value = look_span(l, at, end);
  if (at == l->gate_end || value.n < 12 || !is_basic(value)) return false;
  out->start = at;
  out->end = end;
  out->why = WHY_NAME | WHY_DECODED;
  out->reason = "base64 that decodes to user:password";
  return found_sure(out, value, out->confidence);
}

bool check_header(const struct rule *r, struct look *l, struct found *out)
{
  l->hold = l->gate_end;
  uint64_t at = skip_colon(l, l->gate_end);
  if (at == l->gate_end) return false;
  size_t k = 0, n = sizeof schemes / sizeof *schemes;
  while (k < n && !look_literal(l, at, schemes[k], true)) k++;
  if (k < n) at += schemes[k].n;
  l->hold = at;
  uint64_t end = look_run(l, at, &r->chars, 2048);
  struct str value = look_span(l, at, end);
  bool basic = k == 0;
  if (k == n && shape_of(value) == SHAPE_NONE) return false; /* without a scheme it must look generated */
  if (value.n < (basic ? 8u : 16u)) return false;
  bool decodes = basic && is_basic(value);
  enum value_shape shape = shape_of(value);
  if (basic ? !decodes && shape != SHAPE_RANDOM : entropy(value) < r->entropy && shape == SHAPE_NONE && !is_placeholder(value))
    return false;
  out->start = at;
  out->end = end;
  out->reason = decodes ? "an Authorization header; it decodes to user:password" : "an Authorization header with a token";
  out->why = WHY_NAME | (decodes ? WHY_DECODED : WHY_ENTROPY);
  return found_sure(out, value, out->confidence);
}
