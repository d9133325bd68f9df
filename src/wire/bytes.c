/*
 * Bytes inside a request: data URLs, and base64 beside its media type. What says that it is text, or looks like it whatever it says, is
 * decoded and read as a document; the rest (images, audio, PDF) becomes a skipped part, so that it is on record as not read.
 */
#include "wire/format.h"

enum { LOOK = 64 };

static bool is_text(struct str type)
{
  static const struct str texts[] = {{"application/json", 16},       {"application/xml", 15},  {"application/yaml", 16},
                                     {"application/javascript", 22}, {"application/x-sh", 16}, {"application/x-yaml", 18},
                                     {"application/sql", 15}};
  struct str bare = type;
  for (size_t i = 0; i < bare.n; i++)
    if (bare.p[i] == ';' || bare.p[i] == ' ') bare.n = i;
  if (bare.n >= 5 && str_ieq(str_cut(bare, 0, 5), STR("text/"))) return true;
  if (bare.n > 5 && str_ieq(str_cut(bare, bare.n - 5, bare.n), STR("+json"))) return true;
  if (bare.n > 4 && str_ieq(str_cut(bare, bare.n - 4, bare.n), STR("+xml"))) return true;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (str_ieq(bare, texts[i])) return true;
  return false;
}

static int digit64(char c)
{
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Every reader of base64 skips other bytes than the next: what is no digit counts for nothing. */
static size_t decode64(struct str in, char *out)
{
  unsigned bits = 0, n_bits = 0;
  size_t n = 0;
  for (size_t i = 0; i < in.n && in.p[i] != '='; i++) {
    int d = digit64(in.p[i]);
    if (d < 0) continue;
    bits = (bits << 6 | (unsigned)d) & 0xffffff;
    n_bits += 6;
    if (n_bits < 8) continue;
    n_bits -= 8;
    out[n++] = (char)(bits >> n_bits & 0xff);
  }
  return n;
}

static int hex(char c)
{
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t decode_percent(struct str in, char *out)
{
  size_t n = 0;
  for (size_t i = 0; i < in.n; i++) {
    int high = in.p[i] == '%' && i + 2 < in.n ? hex(in.p[i + 1]) : -1, low = high >= 0 ? hex(in.p[i + 2]) : -1;
    if (low >= 0) i += 2;
    out[n++] = (char)(low >= 0 ? high << 4 | low : in.p[i]);
  }
  return n;
}

/* Takes "data:TYPE;base64," off. */
static bool split_url(struct str *data, struct str *type, bool *base64)
{
  static const struct str scheme = {"data:", 5}, coding = {";base64", 7};
  if (data->n < scheme.n || !str_ieq(str_cut(*data, 0, scheme.n), scheme)) return false;
  const char *comma = memchr(data->p, ',', data->n);
  size_t at = comma ? (size_t)(comma - data->p) : data->n;
  *type = str_cut(*data, scheme.n, at);
  *base64 = type->n >= coding.n && str_ieq(str_cut(*type, type->n - coding.n, type->n), coding);
  *data = str_cut(*data, comma ? at + 1 : at, data->n);
  if (type->n == 0 || type->p[0] == ';' || type->p[0] == ',') *type = STR("text/plain");
  return true;
}

/* The beginning of most bytes tells that they are none: no image is decoded whole for that. */
static bool looks_like_text(struct str bytes, bool base64)
{
  char begin[LOOK];
  struct str some = str_cut(bytes, 0, bytes.n < LOOK ? bytes.n : LOOK);
  size_t n = base64 ? decode64(some, begin) : decode_percent(some, begin);
  while (n > 0 && some.n < bytes.n && (unsigned char)begin[n - 1] >= 0x80) n--; /* a character may be cut */
  return n > 0 && sniff((struct str){begin, n}) != SNIFF_BYTES;
}

static int skip(struct request *q, enum vdt_role role, struct str bytes, uint32_t data, const char *origin, const char *why)
{
  if (!str_starts(bytes, STR("http"))) request_seen(q, data);
  return request_skip(q, role, origin, why);
}

int request_bytes(struct request *q, enum vdt_role role, uint32_t type, uint32_t data, const char *origin, const char *why)
{
  struct str media, bytes;
  bool base64 = true;
  if (!json_string(&q->doc, type, q->arena, &media) || !json_string(&q->doc, data, q->arena, &bytes)) return VDT_ENOMEM;
  bool url = split_url(&bytes, &media, &base64), said = (url || type) && is_text(media);
  if (!json_is(&q->doc, data, JSON_STRING) || (!said && (str_starts(bytes, STR("http")) || !looks_like_text(bytes, base64))))
    return skip(q, role, bytes, data, origin, why);
  request_seen(q, data);
  char *out = arena_alloc(q->arena, bytes.n + 1);
  if (!out || !origin) return VDT_ENOMEM;
  struct str text = {out, base64 ? decode64(bytes, out) : decode_percent(bytes, out)};
  enum sniffed is = sniff(text);
  if (text.n == 0 || (!said && is == SNIFF_BYTES)) return request_skip(q, role, origin, why);
  if (is > SNIFF_TEXT && !sniff_utf16(q->arena, text, is, &text)) return VDT_ENOMEM;
  int rc = request_made(q, role == VDT_PROMPT ? VDT_DOCUMENT : role, text, request_origin(q, "%s#text", origin));
  return rc || said ? rc : request_skip(q, role, origin, why); /* whoever believes its type may see something else in it */
}
