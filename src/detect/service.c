/*
 * The long tail: the name of a service and, soon after it, a value that looks generated. Hundreds of services issue keys that have no
 * mark of their own; what tells them from commit ids, digests and identifiers are the words between the name and the value.
 *
 * The names (rules/services.yaml) stand in ordinary prose all day, so the walk is short, stops at the second line end and holds
 * nothing back but the word that is being read.
 */
#include "detect/detect.h"

enum { GAP_MAX = 72, VALUE_MAX = 256, SHORT_NAME = 7, LEAST_VALUE = 16 };

static bool is_lower(int c)
{
  return c >= 'a' && c <= 'z';
}

static bool is_upper(int c)
{
  return c >= 'A' && c <= 'Z';
}

/* A short name inside a word is chance: "rapidly" is not Apid. In camelCase it may begin with its capital. */
static bool begins_here(struct look *l)
{
  int before = l->gate ? look_at(l, l->gate - 1) : -1, first = look_at(l, l->gate);
  if (!is_lower(before) && !is_upper(before)) return true;
  return l->gate_end - l->gate >= SHORT_NAME || (is_lower(before) && is_upper(first));
}

static bool token_byte(int c)
{
  static const bool token[256] = {['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['_'] = true, ['-'] = true,
                                  ['+'] = true,         ['/'] = true,         ['.'] = true,         ['~'] = true};
  return c >= 0 && token[c];
}

/* Where the word ends that begins at i; a longer one than a value may be is cut. */
static uint64_t token_end(struct look *l, uint64_t i)
{
  uint64_t most = i + VALUE_MAX + 1, stop = most < l->end ? most : l->end;
  while (i < stop && token_byte(l->p[i - l->base])) i++;
  if (i == l->end && i < most) look_at(l, i); /* it may go on */
  return i;
}

/* Words of programs between a service's name and its key: FooClient("..."). */
static bool is_neutral(struct str s)
{
  static const struct str words[] = {STR("client"),     STR("sdk"),     STR("new"),       STR("init"),
                                     STR("initialize"), STR(".init"),   STR("configure"), STR(".configure"),
                                     STR("is"),         STR("_client"), STR(".client"),   STR(".new")};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (str_ieq(s, words[i])) return true;
  return false;
}

/* What the gap says: that a secret follows, or that something else does. */
enum gap { GAP_SILENT, GAP_SECRET, GAP_OTHER };

struct gap_word {
  struct str text;
  enum gap says;
};

/* By their first letter, since every word after a name is searched for them at each of its letters. A row ends with an empty word. */
#define KEY(s)                                                                                                                   \
  {                                                                                                                              \
    STR(s), GAP_SECRET                                                                                                           \
  }
#define NONE(s)                                                                                                                  \
  {                                                                                                                              \
    STR(s), GAP_OTHER                                                                                                            \
  }
static const struct gap_word gap_words[27][6] = {
    ['a' - 'a'] = {KEY("auth"), KEY("access"), KEY("api")},
    ['b' - 'a'] = {KEY("bearer")},
    ['c' - 'a'] = {KEY("cred"), NONE("commit"), NONE("checksum"), NONE("cache")},
    ['d' - 'a'] = {NONE("digest")},
    ['e' - 'a'] = {NONE("etag")},
    ['f' - 'a'] = {NONE("fingerprint")},
    ['g' - 'a'] = {NONE("guid")},
    ['h' - 'a'] = {NONE("hash")},
    ['i' - 'a'] = {NONE("integrity"), NONE("image")},
    ['j' - 'a'] = {KEY("jwt")},
    ['k' - 'a'] = {KEY("key"), NONE("keyid"), NONE("key_id"), NONE("key-id")},
    ['l' - 'a'] = {KEY("login"), KEY("license")},
    ['m' - 'a'] = {NONE("md5")},
    ['n' - 'a'] = {NONE("nonce")},
    ['p' - 'a'] = {KEY("passw"), KEY("pwd"), NONE("public"), NONE("project")},
    ['r' - 'a'] = {NONE("revision"), NONE("resource"), NONE("request")},
    ['s' - 'a'] = {KEY("secret"), KEY("sid"), NONE("sha")},
    ['t' - 'a'] = {KEY("token"), NONE("tenant"), NONE("trace")},
    ['u' - 'a'] = {NONE("uuid")},
    ['v' - 'a'] = {NONE("version")},
    [26] = {KEY("_pat"), KEY("_pass")},
};
#undef KEY
#undef NONE

static const struct gap_word *words_with(char first)
{
  int c = first | 32;
  static const struct gap_word none = {{"", 0}, GAP_SILENT};
  return is_lower(c) ? gap_words[c - 'a'] : first == '_' ? gap_words[26] : &none;
}

/* The second letters of those with one first letter: most pairs of a word begin none. */
#define IS(c) (1u << ((c) - 'a'))
static const uint32_t second_letters[27] = {
    ['a' - 'a'] = IS('u') | IS('c') | IS('p'),
    ['b' - 'a'] = IS('e'),
    ['c' - 'a'] = IS('r') | IS('o') | IS('h'),
    ['d' - 'a'] = IS('i'),
    ['e' - 'a'] = IS('t'),
    ['f' - 'a'] = IS('i'),
    ['g' - 'a'] = IS('u'),
    ['h' - 'a'] = IS('a'),
    ['i' - 'a'] = IS('n') | IS('m'),
    ['j' - 'a'] = IS('w'),
    ['k' - 'a'] = IS('e'),
    ['l' - 'a'] = IS('o') | IS('i'),
    ['m' - 'a'] = IS('d'),
    ['n' - 'a'] = IS('o'),
    ['p' - 'a'] = IS('a') | IS('w') | IS('u') | IS('r'),
    ['r' - 'a'] = IS('e'),
    ['s' - 'a'] = IS('e') | IS('i') | IS('h'),
    ['t' - 'a'] = IS('o') | IS('e') | IS('r'),
    ['u' - 'a'] = IS('u'),
    ['v' - 'a'] = IS('e'),
    [26] = IS('p'),
};
#undef IS

static bool may_begin(char first, char second)
{
  int a = first | 32, b = second | 32;
  if (!is_lower(b)) return false;
  unsigned row = is_lower(a) ? (unsigned)(a - 'a') : 26;
  return second_letters[row] >> (b - 'a') & 1;
}

static enum gap word_says(struct str s)
{
  enum gap says = GAP_SILENT;
  for (size_t i = 0; i + 1 < s.n; i++) {
    if (!may_begin(s.p[i], s.p[i + 1])) continue;
    for (const struct gap_word *w = words_with(s.p[i]); w->text.n; w++) {
      if (i + w->text.n > s.n || !str_ieq(str_cut(s, i, i + w->text.n), w->text)) continue;
      if (w->says == GAP_OTHER) return GAP_OTHER;
      says = GAP_SECRET;
    }
  }
  return says;
}

/* "id", "team_id", "correlationId": what follows such a word is no secret. */
static bool is_id(struct str s)
{
  if (s.n < 2) return false;
  struct str end = str_cut(s, s.n - 2, s.n);
  return str_eq(end, STR("Id")) || (str_ieq(end, STR("id")) && (s.n == 2 || s.p[s.n - 3] == '_' || s.p[s.n - 3] == '-'));
}

static bool opens_value(int c)
{
  return c == '"' || c == '\'' || c == '`' || c == '=' || c == ':' || c == '>' || c == ' ' || c == '\t' || c == '\n' ||
         c == '|' || c == ',';
}

/* A value that a call, an address or a path goes on after is none. */
static bool closes_value(int c)
{
  return c != '(' && c != '[' && c != '@' && c != ':' && c != '%' && c < 0x80;
}

static bool judge(struct look *l, uint64_t from, uint64_t end, enum gap gap, bool direct, struct found *out)
{
  struct str value = look_span(l, from, end);
  while (value.n && (value.p[value.n - 1] == '.' || value.p[value.n - 1] == '/')) value.n--;
  enum value_shape shape = shape_of(value);
  if (shape == SHAPE_NONE || gap == GAP_OTHER || value.p[0] == '/' || value.p[0] == '.') return false;
  if (gap == GAP_SILENT && (!direct || shape == SHAPE_UUID || value.n < 20)) return false;
  if (!closes_value(look_at(l, end)) || is_expression(value, '"')) return false;
  out->start = from;
  out->end = from + value.n;
  out->reason = gap == GAP_SECRET ? "a service's name, a secret's word and a value that looks generated"
                                  : "a service's name before a value that looks generated";
  out->why = WHY_NAME | WHY_ENTROPY;
  return found_sure(out, value, out->confidence);
}

/* Prose after a name has no word that could be a value: seen at once when the text is there. Looks only at each LEAST_VALUE-th byte, one of
 * which lies within such a word, and then around it. */
static bool no_value_near(const struct look *l)
{
  uint64_t stop = l->gate_end + GAP_MAX + LEAST_VALUE;
  if (!l->eof && stop > l->end) return false;
  if (stop > l->end) stop = l->end;
  const unsigned char *p = l->p + (l->gate_end - l->base);
  size_t n = stop > l->gate_end ? (size_t)(stop - l->gate_end) : 0;
  for (size_t i = LEAST_VALUE - 1; i < n; i += LEAST_VALUE) {
    size_t from = i, to = i;
    while (from > 0 && to - from < LEAST_VALUE && token_byte(p[from - 1])) from--;
    while (to < n && to - from < LEAST_VALUE && token_byte(p[to])) to++;
    if (to - from >= LEAST_VALUE) return false;
  }
  return true;
}

/* What is known of the words up to `at`; the next ask goes on from there. */
struct walk {
  uint64_t at;
  enum gap gap;
  bool direct; /* only operators and quotes since the name's end */
  bool id;     /* the word before is the name of an id */
  bool cell;   /* a column of a table has ended */
  unsigned lines;
};

static struct walk walk_begin(const struct look *l)
{
  if (!l->kept) return (struct walk){.at = l->gate_end, .direct = true};
  return (struct walk){.at = l->kept,
                       .gap = l->kept_state & 1 ? GAP_SECRET : GAP_SILENT,
                       .direct = l->kept_state >> 1 & 1,
                       .id = l->kept_state >> 2 & 1,
                       .cell = l->kept_state >> 3 & 1,
                       .lines = l->kept_state >> 4};
}

static void walk_keep(const struct walk *w, struct look *l)
{
  l->kept = w->at;
  l->kept_state =
      (w->gap == GAP_SECRET) | (unsigned)w->direct << 1 | (unsigned)w->id << 2 | (unsigned)w->cell << 3 | w->lines << 4;
}

/* Variant word: the name is a word of ordinary language too, so a secret's word must follow it. */
bool check_service(const struct rule *r, struct look *l, struct found *out)
{
  if (!begins_here(l) || no_value_near(l)) return false;
  bool word = variant_has(r, STR("word"));
  struct walk w = walk_begin(l);
  while (w.at < l->gate_end + GAP_MAX) {
    l->hold = w.at;
    walk_keep(&w, l);
    int c = look_at(l, w.at);
    if (c < 0) return false;
    if (!token_byte(c)) {
      if (c == '\n' && ++w.lines > 1) return false;
      w.direct &= opens_value(c) || c == '(';
      w.cell |= c == '|';
      w.at++;
      continue;
    }
    uint64_t end = token_end(l, w.at);
    if (l->starved) return false; /* the word may go on: it is held back whole */
    bool opened = end - w.at >= LEAST_VALUE && w.at > l->gate_end && opens_value(look_at(l, w.at - 1));
    bool other = w.id || (w.cell && looks_like_uuid(look_span(l, w.at, end)));
    if (opened && !other && judge(l, w.at, end, w.gap, w.direct && !word, out)) {
      w.at = end;
      walk_keep(&w, l);
      l->again = true; /* Client("id", "secret") */
      return true;
    }
    if (l->starved) return false;
    w.id = is_id(look_span(l, w.at, end));
    enum gap says = word_says(look_span(l, w.at, end));
    if (says == GAP_OTHER) return false;
    if (says == GAP_SECRET) w.gap = GAP_SECRET;
    w.direct = w.direct && is_neutral(look_span(l, w.at, end));
    w.at = end;
  }
  return false;
}
