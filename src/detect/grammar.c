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
    if (c != '=' && c != ':' && c != '>' && c != '?' && !(c == '-' && n == 0)) break;
    sign |= c == '=' || c == ':' || (c == '>' && n > 0);
  }
  return sign ? at : 0;
}

static enum operator_kind open_value(struct look *l, uint64_t i, enum operator_kind kind, uint64_t *value, int *quote)
{
  if (look_at(l, i) == '\\') i++;
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
  if (look_at(l, at) == ']') at++;
  uint64_t sign = skip_blanks(l, at, 8), end = skip_sign(l, sign);
  bool argument = !end && quoted && look_at(l, sign) == ',';
  if (!end && !argument) return OPERATOR_NONE;
  uint64_t open = skip_blanks(l, argument ? sign + 1 : end, 20);
  if (argument && !is_quote(look_at(l, open))) return OPERATOR_NONE;
  enum operator_kind kind = argument ? OPERATOR_ARGUMENT : sign == at && open == end ? OPERATOR_TIGHT : OPERATOR_SIGN;
  if (kind == OPERATOR_TIGHT && look_at(l, open) == '`') return OPERATOR_NONE; /* a role of reStructuredText */
  return open_value(l, open, kind, value, quote);
}

/* " is ", " es ", " ist " and the like, with a colon or not. */
enum operator_kind skip_is(struct look *l, uint64_t i, uint64_t *value, int *quote)
{
  static const struct str verbs[] = {STR(" is "),  STR(" is: "), STR(" ist "),    STR(" es "), STR(" est "), STR(" is now "),
                                     STR(" was "), STR(" e "),   STR(" lautet "), STR(" to "), STR(" of ")};
  for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
    if (look_literal(l, i, verbs[v], true)) return open_value(l, i + verbs[v].n, OPERATOR_VERB, value, quote);
  return OPERATOR_NONE;
}

/* An & ends a value only where parameters follow each other without blanks. */
static bool bare_byte(int c, enum operator_kind kind)
{
  return c > 0x20 && c < 0x7F && !is_quote(c) && c != ',' && c != ';' && c != '<' && c != '\\' && c != ')' &&
         (c != '&' || kind != OPERATOR_TIGHT) && c != '{' && c != '}' && c != '|';
}

static bool quoted_byte(int c, int quote)
{
  return c > 0x20 && c < 0x7F && c != quote && c != '\\';
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
  if (quote)
    while (end < i + max + 1 && quoted_byte(look_at(l, end), quote)) end++;
  else
    while (end < i + max + 1 && bare_byte(look_at(l, end), kind)) end++;
  return look_span(l, i, end);
}

/* What stands in quotes is a value only as a whole: words, a path with backslashes or a sentence are none. A line or a text that
 * ends without the quote was cut off. */
bool quote_closes(struct look *l, uint64_t i, int quote)
{
  int c = look_at(l, i);
  if (c == '\\') c = look_at(l, i + 1) == 'n' ? '\n' : look_at(l, i + 1);
  return c < 0 || c == quote || c == '\n' || c == '\r';
}
