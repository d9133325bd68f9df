/*
 * Secrets of Kubernetes: "kind: Secret" declares what stands under "data" to be one, whatever its name, and base64 hides what it is; under
 * "stringData" it stands as it is. Manifests in YAML and in JSON; kubectl sorts its keys, so the kind may stand behind. One finding covers the values
 * from the first to the last, of "stringData" those that look like secrets.
 */
#include "detect/detect.h"

enum { ENTRIES = 64, KEY_MAX = 253, VALUE_MAX = 12000, PLAIN_MAX = 600, KIND_BEHIND = 600, LEAST = 8 };

struct block {
  bool plain;          /* stringData */
  uint64_t start, end; /* from the first value to the last */
  uint64_t read;       /* where what has been read ends */
  struct str best;     /* the longest value */
  unsigned entries;
  bool sure; /* one of them looks like base64, or like a secret */
};

static bool is_quote(int c)
{
  return c == '"' || c == '\'';
}

/* Blanks, line ends, and how both are written in a string of JSON. *line: a line ended. *open: a brace opened. */
static uint64_t skip_between(struct look *l, uint64_t i, bool *line, bool *open)
{
  for (unsigned n = 0; n < 200; n++, i++) {
    int c = look_at(l, i);
    if (c == '\\' && (look_at(l, i + 1) == 'n' || look_at(l, i + 1) == 't' || look_at(l, i + 1) == 'r'))
      c = look_at(l, ++i) == 'n' ? '\n' : ' ';
    else if (c == '\\' && look_at(l, i + 1) == '"') return i + 1;
    *line |= c == '\n';
    *open |= c == '{';
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != ',' && c != '{') break;
  }
  return i;
}

/* The name of an entry and its colon; 0 when none stands there. */
static uint64_t skip_key(struct look *l, uint64_t i)
{
  bool quoted = is_quote(look_at(l, i));
  i += quoted;
  uint64_t from = i;
  while (i < from + KEY_MAX && (byte_is_word(look_at(l, i)) || look_at(l, i) == '-' || look_at(l, i) == '.')) i++;
  if (i == from) return 0;
  if (quoted && look_at(l, i) == '\\') i++;
  i += quoted;
  if (look_at(l, i) != ':') return 0;
  for (i++; look_at(l, i) == ' '; i++)
    if (i > from + KEY_MAX + 8) return 0;
  if (look_at(l, i) == '\\') i++;
  return i + is_quote(look_at(l, i));
}

static bool is_encoded(struct str s)
{
  bool digit = false, up = false, down = false;
  for (size_t i = 0; i < s.n; i++) {
    digit |= s.p[i] >= '0' && s.p[i] <= '9';
    up |= s.p[i] >= 'A' && s.p[i] <= 'Z';
    down |= s.p[i] >= 'a' && s.p[i] <= 'z';
  }
  return s.n >= LEAST && (s.p[s.n - 1] == '=' || (digit && up && down) || (s.n >= 24 && up && down && !reads_like_words(s)));
}

static void add_value(struct block *b, uint64_t from, uint64_t end, struct str value)
{
  if (b->entries++ == 0) b->start = from;
  b->end = end;
  if (value.n > b->best.n) b->best = value;
}

static bool read_encoded(const struct rule *r, struct look *l, uint64_t from, struct block *b)
{
  uint64_t end = look_run(l, from, &r->chars, VALUE_MAX + 1);
  struct str value = look_span(l, from, end);
  int after = look_at(l, end);
  if (value.n < 4 || value.n > VALUE_MAX || value.n % 4 || byte_is_word(after) || after == '.' || after == ':') return false;
  b->read = end;
  b->sure |= is_encoded(value);
  add_value(b, from, end, value);
  return true;
}

/* The end of a value that stands as it is: its quote or, where it has none, a comment, the line's end or how JSON writes that. */
static uint64_t plain_end(struct look *l, uint64_t from, int quote)
{
  uint64_t i = from;
  for (int c; i <= from + PLAIN_MAX && (c = look_at(l, i)) >= ' '; i++) {
    int next = look_at(l, i + 1);
    if (quote ? c == quote : c == ' ' && next == '#') break;
    if (c == '\\' && (next == 'n' || next == 'r' || next == '"')) break;
  }
  while (!quote && i > from && look_at(l, i - 1) == ' ') i--;
  return i;
}

/* Of letters and digits, and neither a stand-in nor a way to the secret; ENC[ begins what sops has sealed. */
static bool is_secret(struct str s, int quote)
{
  bool digit = false, letter = false, blank = false;
  for (size_t i = 0; i < s.n; i++) {
    digit |= s.p[i] >= '0' && s.p[i] <= '9';
    letter |= (s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z';
    blank |= s.p[i] == ' ';
  }
  return s.n >= LEAST && digit && letter && !blank && !str_starts(s, STR("ENC[")) && !is_placeholder(s) &&
         !is_expression(s, quote);
}

/* Behind a comment, at the line's end. */
static uint64_t skip_comment(struct look *l, uint64_t i)
{
  uint64_t stop = i + PLAIN_MAX;
  while (look_at(l, i) == ' ' && i < stop) i++;
  if (look_at(l, i) == '#')
    while (i < stop && look_at(l, i) >= ' ' && look_at(l, i) != '\\') i++;
  return i;
}

static bool read_plain(struct look *l, uint64_t from, struct block *b)
{
  int quote = is_quote(look_at(l, from - 1)) ? look_at(l, from - 1) : 0, first = look_at(l, from);
  uint64_t end = plain_end(l, from, quote);
  if (end == from || end - from > PLAIN_MAX || (!quote && (first == '|' || first == '>' || first == '{' || first == '[')))
    return false;
  struct str value = look_span(l, from, end);
  b->read = quote ? end : skip_comment(l, end);
  if (!is_secret(value, quote)) return true;
  b->sure = true;
  add_value(b, from, end, value);
  return true;
}

static uint64_t past_value(struct look *l, uint64_t i)
{
  if (look_at(l, i) == '\\' && look_at(l, i + 1) == '"') i++;
  return i + is_quote(look_at(l, i));
}

/* Entries until one is none, or stands at the beginning of its line. Nothing that is found begins before the first value. */
static void read_block(const struct rule *r, struct look *l, struct block *b)
{
  uint64_t i = l->gate_end;
  bool json = false; /* braces, not columns, say what belongs together */
  for (unsigned n = 0; n < ENTRIES; n++) {
    bool line = false;
    uint64_t at = skip_between(l, i, &line, &json);
    if (n == 0) l->hold = at;
    if (!json && (!line || look_at(l, at - 1) == '\n')) return;
    uint64_t value = skip_key(l, at);
    if (!value) return;
    if (n == 0) l->hold = value;
    if (!(b->plain ? read_plain(l, value, b) : read_encoded(r, l, value, b))) return;
    i = past_value(l, b->read);
  }
}

/* kind: Secret, "kind": "Secret" behind the block and before the next document. */
static bool kind_follows(struct look *l, uint64_t i)
{
  for (uint64_t stop = i + KIND_BEHIND; i < stop && look_at(l, i) >= 0; i++) {
    if (look_literal(l, i, STR("\n---"), false)) return false;
    if (look_at(l, i) != 'k' || !look_literal(l, i, STR("kind"), false)) continue;
    i += 4;
    for (unsigned n = 0;
         n < 6 && (is_quote(look_at(l, i)) || look_at(l, i) == ':' || look_at(l, i) == ' ' || look_at(l, i) == '\\'); n++)
      i++;
    return look_literal(l, i, STR("secret"), true) && !byte_is_word(look_at(l, i + 6));
  }
  return false;
}

/* What the longest value decodes to, in out; empty when it does not. */
static struct str decoded(struct str value, char *out, int max)
{
  int n = base64_decode(str_cut(value, 0, value.n < 600 ? value.n : 600), (unsigned char *)out, max);
  while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == '\r')) n--; /* echo writes one */
  return (struct str){out, n > 0 ? (size_t)n : 0};
}

/* Variant plain: stringData. */
bool check_kube_secret(const struct rule *r, struct look *l, struct found *out)
{
  struct block b = {.plain = variant_has(r, STR("plain"))};
  char plain[512];
  read_block(r, l, &b);
  if (!b.entries || !b.sure || !(l->context || kind_follows(l, b.read))) return false;
  struct str secret = b.plain ? b.best : decoded(b.best, plain, sizeof plain);
  if (!secret.n) return false;
  out->start = b.start;
  out->end = b.end;
  out->why = WHY_NAME | (b.plain ? WHY_ENTROPY : WHY_DECODED);
  out->reason = b.plain ? "the data of a Secret of Kubernetes, as it stands" : "the data of a Secret of Kubernetes, in base64";
  return found_sure(out, secret, out->confidence);
}
