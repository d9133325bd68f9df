/*
 * Secrets of Kubernetes: "kind: Secret" declares what stands under "data" to be one, whatever its name, and base64 hides what it is. Manifests in
 * YAML and in JSON; kubectl sorts its keys, so the kind may stand behind. One finding covers the values from the first to the last.
 */
#include "detect/detect.h"

enum { ENTRIES = 64, KEY_MAX = 253, VALUE_MAX = 12000, KIND_BEHIND = 600, LEAST = 8 };

struct block {
  uint64_t start, end; /* from the first value to the last */
  struct str best;     /* the longest value */
  unsigned entries;
  bool encoded; /* one of them looks like base64 */
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

static bool add_entry(const struct rule *r, struct look *l, uint64_t from, struct block *b)
{
  uint64_t end = look_run(l, from, &r->chars, VALUE_MAX + 1);
  struct str value = look_span(l, from, end);
  int after = look_at(l, end);
  if (value.n < 4 || value.n > VALUE_MAX || value.n % 4 || byte_is_word(after) || after == '.' || after == ':') return false;
  if (b->entries++ == 0) b->start = from;
  b->end = end;
  b->encoded |= is_encoded(value);
  if (value.n > b->best.n) b->best = value;
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
    if (!add_entry(r, l, value, b)) return;
    i = past_value(l, b->end);
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

bool check_kube_secret(const struct rule *r, struct look *l, struct found *out)
{
  struct block b = {0};
  read_block(r, l, &b);
  if (!b.entries || !b.encoded || !(l->context || kind_follows(l, b.end))) return false;
  char plain[512];
  int n = base64_decode(str_cut(b.best, 0, b.best.n < 600 ? b.best.n : 600), (unsigned char *)plain, sizeof plain);
  while (n > 0 && (plain[n - 1] == '\n' || plain[n - 1] == '\r')) n--; /* echo writes one */
  if (n <= 0) return false;
  out->start = b.start;
  out->end = b.end;
  out->why = WHY_NAME | WHY_DECODED;
  out->reason = "the data of a Secret of Kubernetes, in base64";
  return found_sure(out, (struct str){plain, (size_t)n}, out->confidence);
}
