/*
 * Between a name and its value: the operators of programs, configuration files, shells, XML and plain sentences.
 *
 * These run on ordinary prose all day ("the password must be changed"), so they stop at the first byte that cannot belong to the
 * grammar, and hold back nothing before the place where a value may begin.
 */
#include "detect/detect.h"

static bool is_blank(int c)
{
  return c == ' ' || c == '\t';
}

static bool is_space(int c)
{
  return is_blank(c) || c == '\n' || c == '\r';
}

static bool is_quote(int c)
{
  return c == '"' || c == '\'' || c == '`';
}

static uint64_t skip_blanks(struct look *l, uint64_t i, unsigned max)
{
  for (unsigned n = 0; n < max && is_blank(look_at(l, i)); n++) i++;
  return i;
}

uint64_t skip_name(struct look *l, uint64_t i, bool blanks)
{
  for (unsigned n = 0; n < 40; n++, i++) {
    l->hold = i; /* a value comes after the name: what has been read of it may leave */
    int c = look_at(l, i);
    if (!byte_is_word(c) && c != '-' && c != '.' && !(blanks && is_blank(c))) break;
  }
  return i;
}

/* What may be written between a name and a value: = : := ?= ::= => -> and so on. 0 when nothing of it is there. */
static uint64_t skip_sign(struct look *l, uint64_t i)
{
  uint64_t at = i;
  bool sign = false;
  for (unsigned n = 0; n < 4; n++, at++) {
    int c = look_at(l, at);
    if (c != '=' && c != ':' && c != '>' && c != '?' && !((c == '-' || c == '!') && n == 0)) break;
    sign |= c == '=' || c == ':' || (c == '>' && n > 0);
  }
  return sign ? at : 0;
}

/* @"text" of C# and Objective-C, b'text' of Python, L"text" of C. */
static bool is_string_prefix(int c)
{
  return c == '@' || c == 'b' || c == 'r' || c == 'u' || c == 'f' || c == 'L';
}

static enum operator_kind open_value(struct look *l, uint64_t i, enum operator_kind kind, uint64_t *value, int *quote)
{
  if (look_at(l, i) == '\\') i++;
  if (is_string_prefix(look_at(l, i)) && is_quote(look_at(l, i + 1))) i++;
  *quote = look_at(l, i);
  if (is_quote(*quote)) i++;
  else *quote = 0;
  *value = i;
  l->hold = i;
  return kind;
}

/* <name>value</name>, the value perhaps on a line of its own. */
static enum operator_kind open_element(struct look *l, uint64_t i, uint64_t *value, int *quote)
{
  for (unsigned n = 0; n < 16 && is_space(look_at(l, i)); n++) i++;
  return open_value(l, i, OPERATOR_ELEMENT, value, quote);
}

/* A quoted value right beside the name: password "value", secret("value"). */
static bool is_beside(struct look *l, uint64_t name_end, uint64_t i)
{
  int c = look_at(l, i);
  return (i > name_end && (c == '"' || c == '\'')) || (c == '(' && is_quote(look_at(l, i + 1)));
}

/* A name and its value as two fields: key="NAME" value="x", {"name": "NAME", "value": "x"}, or on two lines of YAML or Terraform. Where
 * the value begins, or 0. */
static uint64_t skip_field(struct look *l, uint64_t i)
{
  static const struct str words[] = {STR("value"), STR("default"), STR("val")};
  for (unsigned n = 0; n < 24; n++, i++) {
    int c = look_at(l, i);
    if (!is_space(c) && c != ',' && c != '"' && c != '\'' && c != '{') break;
  }
  for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
    if (!look_literal(l, i, words[k], true)) continue;
    uint64_t at = i + words[k].n;
    if (is_quote(look_at(l, at))) at++;
    uint64_t end = skip_sign(l, skip_blanks(l, at, 8));
    if (end) return skip_blanks(l, end, 8);
  }
  return 0;
}

/* **Password**: or **Password:** of Markdown. */
static uint64_t skip_emphasis(struct look *l, uint64_t i)
{
  for (unsigned n = 0; n < 2 && look_at(l, i) == '*'; n++) i++;
  return i;
}

/* ["first", of a list of secrets. */
static uint64_t skip_list(struct look *l, uint64_t i)
{
  return look_at(l, i) == '[' && is_quote(look_at(l, i + 1)) ? i + 1 : i;
}

/* "API key:" and the value on a line of its own, perhaps in a block of code. 0: nothing of that. */
static uint64_t skip_below(struct look *l, uint64_t i)
{
  unsigned lines = 0;
  for (unsigned n = 0; n < 24; n++, i++) {
    int c = look_at(l, i);
    lines += c == '\n';
    if (!is_space(c)) break;
  }
  if (lines == 0 || lines > 2) return 0;
  if (!look_literal(l, i, STR("```"), false)) return i;
  for (i += 3; byte_is_word(look_at(l, i)) && i < l->gate_end + 80;) i++;
  return look_at(l, i) == '\n' ? i + 1 : 0;
}

/* "API Key" on a line that says no more, as what is copied from pages of settings: nothing but a few words before the gate. */
static bool is_label(struct look *l)
{
  for (uint64_t i = l->gate; i > 0 && l->gate - i < 24; i--) {
    int c = look_at(l, i - 1);
    if (c == '\n') return true;
    if (!byte_is_word(c) && !is_blank(c) && c != '#' && c != '*' && c != '-') return false;
  }
  return l->gate < 24;
}

/* The next column of a table: | name | value |. The name is the secret's word and no more: tables are full of others. */
static uint64_t skip_column(struct look *l, uint64_t i)
{
  if (i != l->gate_end) return 0;
  i = skip_emphasis(l, i);
  i = skip_blanks(l, i, 20);
  return look_at(l, i) == '|' && is_blank(look_at(l, i + 1)) ? skip_blanks(l, i + 1, 20) : 0;
}

/* The next cell of HTML: </td><td>, </dt><dd>. */
static uint64_t skip_cell(struct look *l, uint64_t i)
{
  bool td = look_literal(l, i, STR("</td>"), true), th = look_literal(l, i, STR("</th>"), true),
       dt = look_literal(l, i, STR("</dt>"), true);
  if (!td && !th && !dt) return 0;
  for (i += 5; is_space(look_at(l, i)) && i < l->gate_end + 80;) i++;
  return look_literal(l, i, dt ? STR("<dd>") : STR("<td>"), true) ? i + 4 : 0;
}

/* char secret[25] = "...": up to the closing bracket. */
static uint64_t skip_index(struct look *l, uint64_t i)
{
  i++;
  for (unsigned n = 0; n < 6 && look_at(l, i) >= '0' && look_at(l, i) <= '9'; n++) i++;
  return i;
}

enum operator_kind skip_operator(struct look *l, uint64_t name_end, uint64_t *value, int *quote)
{
  uint64_t at = name_end;
  int c = look_at(l, at);
  if (c == '>') {
    int next = look_at(l, at + 1);
    if (next != '=' && next != '>') return open_element(l, at + 1, value, quote);
  }
  if (c == '\\') c = look_at(l, ++at); /* a JSON text inside a JSON string */
  bool quoted = is_quote(c);
  at += quoted;
  if (look_at(l, at) == '[' && !quoted) at = skip_index(l, at);
  if (look_at(l, at) == ']') at++;
  uint64_t cell = skip_cell(l, at), column = cell ? 0 : skip_column(l, at);
  if (cell) return open_element(l, cell, value, quote);
  if (column) return open_value(l, skip_emphasis(l, column), OPERATOR_VERB, value, quote);
  at = skip_emphasis(l, at);
  uint64_t sign = skip_blanks(l, at, 8), end = skip_sign(l, sign), field = end ? 0 : skip_field(l, at);
  if (field) return open_value(l, field, OPERATOR_SIGN, value, quote);
  bool argument = !end && (quoted ? look_at(l, sign) == ',' : is_beside(l, at, sign));
  if (!end && !argument) {
    uint64_t next = !quoted && is_space(look_at(l, sign)) && is_label(l) ? skip_below(l, sign) : 0;
    return next ? open_value(l, next, OPERATOR_BELOW, value, quote) : OPERATOR_NONE;
  }
  if (end && look_literal(l, end, STR("**"), false)) end += 2;
  uint64_t open = skip_blanks(l, !argument ? end : is_quote(look_at(l, sign)) ? sign : sign + 1, 20);
  bool compared = look_at(l, sign) == '!' || (look_at(l, sign) == '=' && look_at(l, sign + 1) == '=');
  open = skip_list(l, open);
  int first = look_at(l, open);
  uint64_t below = !argument && (first == '\n' || first == '\r') ? skip_below(l, open) : 0;
  if (below) return open_value(l, below, OPERATOR_BELOW, value, quote);
  if ((argument || compared) && !is_quote(look_at(l, open))) return OPERATOR_NONE;
  enum operator_kind kind = argument ? OPERATOR_ARGUMENT : sign == at && open == end ? OPERATOR_TIGHT : OPERATOR_SIGN;
  if (kind == OPERATOR_TIGHT && look_at(l, open) == '`') return OPERATOR_NONE; /* a role of reStructuredText */
  return open_value(l, open, kind, value, quote);
}

/* What stands between a secret's word and its value in sentences: the table's header says what each use is. */
enum sentence_use { IS, IS_FAR, WHOSE, NAME };

static const struct sentence_word {
  enum sentence_use use;
  struct str text;
} sentence_words[] = {
#define X(use, text, language) {use, STR(text)},
#include "detect/sentence_words.def"
#undef X
};

/* Where the longest of these uses that stands at i ends, or 0. */
static uint64_t skip_word(struct look *l, uint64_t i, enum sentence_use least, enum sentence_use most)
{
  uint64_t best = 0;
  for (const struct sentence_word *w = sentence_words; w < sentence_words + sizeof sentence_words / sizeof *w; w++)
    if (w->use >= least && w->use <= most && look_literal(l, i, w->text, true) && i + w->text.n > best) best = i + w->text.n;
  return best;
}

bool names_a_password(struct look *l, uint64_t i)
{
  return skip_word(l, i, NAME, NAME) != 0;
}

enum operator_kind skip_is(struct look *l, uint64_t i, uint64_t *value, int *quote)
{
  uint64_t end = skip_word(l, i, IS, IS_FAR);
  if (end) return open_value(l, skip_blanks(l, end, 1), OPERATOR_VERB, value, quote);
  uint64_t whose = skip_word(l, i, WHOSE, WHOSE);
  if (!whose || byte_is_word(look_at(l, whose))) return OPERATOR_NONE;
  for (uint64_t stop = i + 60; i < stop; i++) {
    l->hold = i;
    int c = look_at(l, i);
    if (!byte_is_word(c) && c != ' ' && c != '-' && c != '\'' && c != '.' && c != ':' && c != '@') return OPERATOR_NONE;
    if (c == '.' && look_at(l, i + 1) == ' ') return OPERATOR_NONE;
    end = c == ':' ? i + 1 + (look_at(l, i + 1) == ' ') : c == ' ' ? skip_word(l, i, IS_FAR, IS_FAR) : 0;
    if (end) return open_value(l, end, OPERATOR_VERB, value, quote);
  }
  return OPERATOR_NONE;
}

/* --password VALUE, -Token VALUE: an option of a command, by its beginning. */
enum operator_kind skip_option(struct look *l, uint64_t name_end, uint64_t *value, int *quote)
{
  uint64_t i = l->gate;
  for (unsigned n = 0; n < 40 && i > 0 && (byte_is_word(look_at(l, i - 1)) || look_at(l, i - 1) == '-'); n++) i--;
  int before = i > 0 ? look_at(l, i - 1) : ' ';
  if (look_at(l, i) != '-' || !(is_space(before) || is_quote(before)) || !is_blank(look_at(l, name_end))) return OPERATOR_NONE;
  return open_value(l, skip_blanks(l, name_end, 4), OPERATOR_OPTION, value, quote);
}

/* ENV NAME VALUE of Dockerfiles, setx NAME VALUE of Windows, set -x NAME VALUE of fish. */
enum operator_kind skip_setter(struct look *l, uint64_t name_end, uint64_t *value, int *quote)
{
  static const struct str words[] = {STR("ENV "),     STR("setx "),   STR("set -x "),        STR("set -gx "),
                                     STR("set -Ux "), STR("setenv "), STR("configure set "), STR("config set ")};
  uint64_t i = l->gate;
  if (!is_blank(look_at(l, name_end))) return OPERATOR_NONE;
  for (unsigned n = 0; n < 40 && i > 0 && byte_is_word(look_at(l, i - 1)); n++) i--;
  for (size_t k = 0; k < sizeof words / sizeof *words; k++)
    if (i >= words[k].n && look_literal(l, i - words[k].n, words[k], false))
      return open_value(l, skip_blanks(l, name_end, 4), OPERATOR_SIGN, value, quote);
  return OPERATOR_NONE;
}

/* "the password hG7-ppLq21": only what looks like a secret is one there. */
enum operator_kind skip_blank(struct look *l, uint64_t name_end, uint64_t *value)
{
  int quote;
  if (look_at(l, name_end) != ' ' || is_quote(look_at(l, name_end + 1))) return OPERATOR_NONE;
  return open_value(l, name_end + 1, OPERATOR_BESIDE, value, &quote);
}

/* An & ends a value only where parameters follow each other without blanks. */
static bool bare_byte(int c, enum operator_kind kind)
{
  return c > 0x20 && c < 0x7F && !is_quote(c) && c != ',' && c != ';' && c != '<' && c != '\\' && c != ')' &&
         (c != '&' || kind != OPERATOR_TIGHT) && c != '{' && c != '}' && c != '|';
}

/* A character between ASCII and the alphabets behind Latin, or a sign of money, in UTF-8: how many bytes it has. Letters with marks have lost those
 * in the view. */
static unsigned beyond_ascii(struct look *l, uint64_t i)
{
  int c = look_at(l, i), next = c >= 0xC2 ? look_at(l, i + 1) : -1;
  if (c >= 0xC2 && c <= 0xC9 && next >= 0x80) return 2;
  return c == 0xE2 && next == 0x82 && look_at(l, i + 2) >= 0xA0 ? 3 : 0;
}

static bool quoted_byte(int c, int quote)
{
  return c > 0x20 && c < 0x7F && c != quote && c != '\\';
}

/* What may follow a backslash in a value: a slash or the quote as JSON and programs write them, a character by its number, a digit that numbers
 * none, or a backslash before a letter that means nothing in an expression. Of a text inside a JSON text, a backslash and the quote are the end. */
static unsigned escaped(struct look *l, uint64_t i, int quote, bool nested)
{
  int next = look_at(l, i + 1), third = next == '\\' || next == 'u' ? look_at(l, i + 2) : -1;
  if (next == '/' || (next == quote && !nested)) return 2;
  if (next == 'u') return third == '0' ? 2 : 0;
  if (next >= '1' && next <= '9' && !nested) return 2;
  if (next != '\\' || nested) return 0;
  bool letter = (third >= 'a' && third <= 'z') || (third >= 'A' && third <= 'Z') || (third >= '0' && third <= '9');
  return letter && !memchr("dwsbnrtuxDWSB", third, 13) ? 2 : 0;
}

static uint64_t quoted_end(struct look *l, uint64_t i, int quote, unsigned max)
{
  bool nested = i >= 2 && look_at(l, i - 2) == '\\';
  for (uint64_t stop = i + max + 1; i < stop;) {
    int c = look_at(l, i);
    unsigned n = c == '\\' ? escaped(l, i, quote, nested) : c >= 0x80 ? beyond_ascii(l, i) : quoted_byte(c, quote);
    if (n == 0) break;
    i += n;
  }
  return i;
}

/* An end tag stands there, perhaps on a line of its own. */
bool element_closes(struct look *l, uint64_t i)
{
  for (unsigned n = 0; n < 16 && is_space(look_at(l, i)); n++) i++;
  return look_at(l, i) == '<' && look_at(l, i + 1) == '/';
}

struct str value_at(struct look *l, uint64_t i, enum operator_kind kind, int quote, unsigned max)
{
  uint64_t end = i;
  if (!quote && look_at(l, i) == '<') { /* <your key> */
    while (end < i + 64 && look_at(l, end) >= ' ' && look_at(l, end) != '>') end++;
    return look_at(l, end) == '>' ? look_span(l, i, end + 1) : (struct str){"", 0};
  }
  if (quote) end = quoted_end(l, i, quote, max);
  else
    while (end < i + max + 1 && bare_byte(look_at(l, end), kind)) end++;
  return look_span(l, i, end);
}

/* A setting that has a line for itself: nothing but blanks, "export " or "- " before its name. *env: NAME=value, as shells and .env files
 * have it. */
static bool has_line(struct look *l, bool *env)
{
  uint64_t i = l->gate;
  bool small = false;
  while (i > 0 && (byte_is_word(look_at(l, i - 1)) || look_at(l, i - 1) == '-' || look_at(l, i - 1) == '.')) i--;
  for (uint64_t k = i; k < l->gate_end; k++) small |= look_at(l, k) >= 'a' && look_at(l, k) <= 'z';
  *env = !small;
  if (i >= 7 && look_literal(l, i - 7, STR("export "), false)) i -= 7;
  else if (i >= 2 && look_literal(l, i - 2, STR("- "), false)) i -= 2;
  while (i > 0 && is_blank(look_at(l, i - 1))) i--;
  return i == 0 || look_at(l, i - 1) == '\n';
}

enum brackets { BRACKETS_FIT, BRACKETS_OPEN, BRACKETS_CLASH };

/* Brackets that close as they open are of an expression, or a type. kinds: 3, or 4 with < and >, which are also signs. */
static enum brackets brackets_of(struct str s, size_t kinds)
{
  static const char opens[] = "([{<", closes[] = ")]}>";
  char open[16];
  size_t depth = 0;
  for (size_t i = 0; i < s.n; i++) {
    const char *o = memchr(opens, s.p[i], kinds), *c = memchr(closes, s.p[i], kinds);
    if ((o && depth == sizeof open) || (c && depth == 0)) return BRACKETS_OPEN;
    if (o) open[depth++] = closes[o - opens];
    if (c && open[--depth] != *c) return BRACKETS_CLASH;
  }
  return depth ? BRACKETS_OPEN : BRACKETS_FIT;
}

bool brackets_clash(struct str s)
{
  return brackets_of(s, 3) == BRACKETS_CLASH;
}

/* Without a comma that ends the line, and a quote before it that was opened on an earlier one. */
static struct str without_line_end(struct str s)
{
  if (s.n && (s.p[s.n - 1] == ',' || s.p[s.n - 1] == ';')) s.n--;
  if (s.n && is_quote(s.p[s.n - 1])) s.n--;
  return s;
}

enum { GENERATED = 40 }; /* nobody makes up passwords as long as this */

struct str line_value(struct look *l, uint64_t i, enum operator_kind kind, unsigned max)
{
  static const struct str none = {"", 0};
  bool env;
  unsigned odd = 0;
  uint64_t end = i;
  int c;
  if ((kind != OPERATOR_TIGHT && kind != OPERATOR_SIGN) || !has_line(l, &env)) return none;
  for (; end < i + max + 1 && (c = look_at(l, end)) > 0x20 && c < 0x7F; end++) {
    if (c == '&' && kind == OPERATOR_TIGHT && !env) return none;
    odd += !bare_byte(c, kind);
  }
  c = look_at(l, end);
  if (!odd || !(c < 0 || c == '\n' || c == '\r')) return none;
  struct str whole = look_span(l, i, end), s = without_line_end(whole);
  for (size_t k = 0; k < s.n; k++)
    if (is_quote(s.p[k])) return none;
  if (!s.n || memchr("({[", s.p[s.n - 1], 3)) return none;
  if (s.n < whole.n) return brackets_clash(s) ? s : none;
  if (odd == 1 && s.n > GENERATED && s.p[s.n - 1] == ')') return none; /* closes what was opened before the name */
  return (env && kind == OPERATOR_TIGHT) || brackets_of(s, 4) != BRACKETS_FIT ? s : none;
}

/* What stands in quotes is a value only as a whole: words, a path with backslashes or a sentence are none. A line or a text that
 * ends without the quote was cut off. */
bool quote_closes(struct look *l, uint64_t i, int quote)
{
  int c = look_at(l, i);
  if (c == '\\') c = look_at(l, i + 1) == 'n' ? '\n' : look_at(l, i + 1);
  return c < 0 || c == quote || c == '\n' || c == '\r';
}
