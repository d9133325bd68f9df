/*
 * Does a URL carry text away? A model that was told to can put what it read into the address of an image: whoever shows the answer sends it.
 *
 * Looked at are the query, and for places that collect what is sent to them the path. What every web page has in its addresses (sizes,
 * signatures, campaign names) counts for nothing.
 */
#include "detect/link.h"

enum { LONG = 24 };

static int hex(char c)
{
  return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* What a value says about itself. */
struct value {
  size_t length;   /* decoded */
  unsigned blanks; /* words, as in a sentence: %20 or + */
  unsigned letters;
  bool placeholder, generated;
};

static bool is_placeholder_text(struct str s)
{
  static const struct str marks[] = {
      STR("{{"),       STR("${"),      STR("%7b"),      STR("[data"),    STR("[insert"), STR("[conversation"),
      STR("[secret"),  STR("[base64"), STR("<data"),    STR("{data"),    STR("{secret"), STR("{conversation"),
      STR("{base64"),  STR("{prompt"), STR("{summary"), STR("{history"), STR("{api"),    STR("{key"),
      STR("{content"), STR("[api"),    STR("[your"),    STR("{text"),    STR("[user"),   STR("[system"),
      STR("{user")};
  for (size_t k = 0; k < s.n; k++) {
    char c = s.p[k]; /* what a mark begins with: long addresses are mostly something else */
    if (c != '{' && c != '$' && c != '%' && c != '[' && c != '<') continue;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
      if (k + marks[i].n <= s.n && str_ieq(str_cut(s, k, k + marks[i].n), marks[i])) return true;
  }
  return false;
}

/* Base64 of something that people can read. */
static bool is_coded_text(struct str s)
{
  unsigned char out[1536];
  int n = s.n >= 16 && s.n <= 2000 ? base64_decode(s, out, sizeof out) : -1, readable = 0;
  for (int i = 0; i < n; i++) readable += (out[i] >= 0x20 && out[i] < 0x7F) || out[i] == '\n';
  return n >= 12 && readable * 10 >= n * 9;
}

static struct value look_into(struct str s)
{
  struct value v = {.placeholder = is_placeholder_text(s)};
  for (size_t i = 0; i < s.n; v.length++) {
    bool coded = s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0;
    int c = coded ? hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]) : s.p[i];
    v.blanks += c == ' ' || c == '\n' || c == '+';
    v.letters += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80 || c < 0;
    i += coded ? 3 : 1;
  }
  enum value_shape shape = s.n >= 16 && s.n <= 256 ? shape_of(s) : SHAPE_NONE;
  v.generated = (shape == SHAPE_RANDOM || shape == SHAPE_HEX) || (s.n > 256 && v.blanks == 0) || is_coded_text(s);
  return v;
}

static bool one_of(struct str s, const struct str *names, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (str_ieq(s, names[i])) return true;
  return false;
}

/* Names whose values are long and harmless: signatures, sizes, caches, campaigns, continuations. */
static bool is_usual(struct str name)
{
  static const struct str names[] = {
      STR("sig"),     STR("signature"), STR("se"),     STR("sv"),      STR("sp"),          STR("sr"),     STR("st"),
      STR("skoid"),   STR("w"),         STR("h"),      STR("width"),   STR("height"),      STR("fit"),    STR("crop"),
      STR("ixid"),    STR("ixlib"),     STR("auto"),   STR("q"),       STR("quality"),     STR("v"),      STR("ver"),
      STR("version"), STR("hash"),      STR("etag"),   STR("expires"), STR("policy"),      STR("format"), STR("size"),
      STR("cb"),      STR("fbclid"),    STR("gclid"),  STR("si"),      STR("itok"),        STR("oh"),     STR("oe"),
      STR("_nc_ht"),  STR("ref"),       STR("id"),     STR("uuid"),    STR("key-pair-id"), STR("alt"),    STR("token"),
      STR("page"),    STR("cursor"),    STR("chl"),    STR("style"),   STR("logo"),        STR("label"),  STR("color"),
      STR("message"), STR("title"),     STR("caption")};
  if (name.n > 2 && (str_ieq(str_cut(name, 0, 2), STR("x-")) || (name.n > 4 && str_ieq(str_cut(name, 0, 4), STR("utm_")))))
    return true;
  return one_of(name, names, sizeof names / sizeof *names);
}

/* Names that say what they are for; vague ones say so only of an image. */
static bool is_telling(struct str name, bool image)
{
  static const struct str names[] = {STR("data"),         STR("exfil"),   STR("leak"),   STR("secret"),  STR("secrets"),
                                     STR("conversation"), STR("prompt"),  STR("stolen"), STR("history"), STR("dump"),
                                     STR("memory"),       STR("payload"), STR("loot"),   STR("creds"),   STR("password"),
                                     STR("apikey"),       STR("api_key"), STR("chat")};
  static const struct str vague[] = {STR("d"),       STR("msg"),    STR("text"), STR("content"),
                                     STR("summary"), STR("system"), STR("info"), STR("context")};
  return one_of(name, names, sizeof names / sizeof *names) || (image && one_of(name, vague, sizeof vague / sizeof *vague));
}

static unsigned judge(struct str name, struct str value, bool image, bool collector, const char **why)
{
  struct value v = look_into(value);
  if (v.placeholder && (image || collector || is_telling(name, image))) {
    *why = "an address with a place where data of the conversation is to be put";
    return 90;
  }
  bool text = v.blanks >= 3 && v.letters * 2 > v.length;
  if (collector && (v.length >= 8 || text)) {
    *why = "it takes text to a service that collects what is sent to it";
    return 92;
  }
  if (is_usual(name)) return 0;
  bool much = v.length >= LONG && (text || v.generated);
  if (image && (much || (is_telling(name, image) && v.length >= 12))) {
    *why = "an image whose address carries text away when it is shown";
    return is_telling(name, image) ? 92 : 82;
  }
  if (much && is_telling(name, image)) {
    *why = "a link whose address carries text away when it is opened";
    return text ? 80 : 78;
  }
  return 0;
}

/* name=value&name=value; a value without a name has the name of nothing. */
static unsigned judge_query(struct str query, bool image, bool collector, const char **why)
{
  unsigned best = 0;
  for (size_t i = 0; i < query.n;) {
    const char *and = memchr(query.p + i, '&', query.n - i);
    size_t end = and? (size_t)(and-query.p) : query.n;
    struct str pair = str_cut(query, i, end);
    const char *is = pair.n ? memchr(pair.p, '=', pair.n) : NULL, *reason = NULL;
    struct str name = is ? str_cut(pair, 0, (size_t)(is - pair.p)) : STR("");
    struct str value = is ? str_cut(pair, name.n + 1, pair.n) : pair;
    unsigned sure = judge(name, value, image, collector, &reason);
    if (sure > best) best = sure, *why = reason;
    i = end + 1;
  }
  return best;
}

unsigned carries_data(struct str rest, bool image, bool collector, const char **why)
{
  const char *mark = rest.n ? memchr(rest.p, '?', rest.n) : NULL;
  struct str path = mark ? str_cut(rest, 0, (size_t)(mark - rest.p)) : rest;
  struct str query = mark ? str_cut(rest, path.n + 1, rest.n) : STR("");
  const char *hash = query.n ? memchr(query.p, '#', query.n) : NULL;
  if (hash) query.n = (size_t)(hash - query.p);
  unsigned sure = judge_query(query, image, collector, why);
  if (sure || !is_placeholder_text(path)) {
    if (!sure && image && collector) {
      *why = "an image at a service that collects what is sent to it";
      return 88;
    }
    return sure;
  }
  if (!image && !collector) return 0;
  *why = "an address with a place where data of the conversation is to be put";
  return 88;
}
