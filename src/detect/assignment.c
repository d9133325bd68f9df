/*
 * Secrets that only their surroundings give away: a service's name or a secret's word, an operator, a value.
 *
 * These run on ordinary prose all day ("the password must be changed"), so they stop at the first byte that cannot belong to the
 * grammar, and hold back nothing before the place where a value may begin.
 */
#include "detect/detect.h"

static bool is_blank(int c)
{
  return c == ' ' || c == '\t';
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

/* The rest of a name: "_KEY", "Token", "-secret". Names longer than 30 are no names. */
static uint64_t skip_name(struct look *l, uint64_t i)
{
  for (unsigned n = 0; n < 30; n++, i++) {
    int c = look_at(l, i);
    if (!byte_is_word(c) && c != '-' && c != '.') break;
  }
  return i;
}

/* = : := => == and the closing quote or bracket of a quoted key before them. Unchanged when there is none. */
static uint64_t skip_operator(struct look *l, uint64_t i)
{
  uint64_t at = i;
  int c = look_at(l, at);
  if (c == '\\') c = look_at(l, ++at); /* a JSON text inside a JSON string */
  if (is_quote(c)) at++;
  if (look_at(l, at) == ']') at++;
  at = skip_blanks(l, at, 4);
  c = look_at(l, at);
  if (c != '=' && c != ':') return i;
  for (unsigned n = 0; n < 3 && (c == '=' || c == ':' || c == '>'); n++) c = look_at(l, ++at);
  return at;
}

/* A sentence: " is ", " es ", " ist " ... and an optional colon. Unchanged when it is none. */
static uint64_t skip_is(struct look *l, uint64_t i)
{
  static const struct str verbs[] = {STR(" is "),  STR(" is: "), STR(" ist "),    STR(" es "), STR(" est "), STR(" is now "),
                                     STR(" was "), STR(" e "),   STR(" lautet "), STR(" to "), STR(" of ")};
  for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
    if (look_literal(l, i, verbs[v], true)) return i + verbs[v].n;
  return i;
}

/* Opening quotes before a value, escaped or not. */
static uint64_t skip_open(struct look *l, uint64_t i)
{
  i = skip_blanks(l, i, 8);
  if (look_at(l, i) == '\\') i++;
  return is_quote(look_at(l, i)) ? i + 1 : i;
}

static bool value_byte(int c)
{
  return c > 0x20 && c < 0x7F && !is_quote(c) && c != ',' && c != ';' && c != '<' && c != '\\' && c != ')' && c != '&' &&
         c != '{' && c != '}';
}

static struct str value_at(struct look *l, uint64_t i, unsigned max)
{
  uint64_t end = i;
  while (end < i + max + 1 && value_byte(look_at(l, end))) end++;
  return look_span(l, i, end);
}

static bool mixed(struct str s)
{
  bool digit = false, letter = false, other = false;
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    bool is_digit = c >= '0' && c <= '9', is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    digit |= is_digit;
    letter |= is_letter;
    other |= !is_digit && !is_letter;
  }
  return letter && (digit || other);
}

/* Code that fetches a secret is no secret: calls, members, paths. */
static bool is_expression(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] == '(' || s.p[i] == '[' || (s.p[i] == '-' && i + 1 < s.n && s.p[i + 1] == '>')) return true;
  bool dotted = false, plain = true;
  for (size_t i = 0; i < s.n; i++) {
    dotted |= s.p[i] == '.' && i > 0;
    plain &= byte_is_word((unsigned char)s.p[i]) || s.p[i] == '.' || s.p[i] == ':' || s.p[i] == '/';
  }
  return s.p[0] == '/' || s.p[0] == '.' || (dotted && plain && entropy(s) < 3.6);
}

bool check_assignment(const struct rule *r, struct look *l, struct found *out)
{
  l->hold = l->gate_end;
  uint64_t name = skip_name(l, l->gate_end);
  uint64_t at = skip_operator(l, name);
  bool prose = at == name;
  if (prose && name == l->gate_end) at = skip_is(l, name);
  if (at == name) return false;
  l->hold = at;
  at = skip_open(l, at);
  l->hold = at;
  struct str value = value_at(l, at, 200);
  if (value.n && (value.p[value.n - 1] == '.' || value.p[value.n - 1] == ':' || value.p[value.n - 1] == '!')) value.n--;
  if (value.n < (r->min ? r->min : 8) || value.n > 200 || is_placeholder(value) || is_expression(value)) return false;
  if (!mixed(value) || entropy(value) < r->entropy) return false;
  out->start = at;
  out->end = at + value.n;
  out->reason = prose ? "a sentence that gives a secret away" : "a secret's name, an operator and a value that looks random";
  return true;
}

/* Between a service's name and its key: words like key, token, api, and operators. */
static uint64_t skip_to_value(struct look *l, uint64_t i, bool *operator)
{
  for (unsigned n = 0; n < 40; n++, i++) {
    int c = look_at(l, i);
    if (c == '=' || c == ':' || is_quote(c)) *operator= true;
    else if (*operator&& !is_blank(c) && c != '>' && c != '\\') return i;
    else if (!byte_is_word(c) && !is_blank(c) && c != '-' && c != '.' && c != '>' && c != ']' && c != '\\') return 0;
    l->hold = i + 1;
  }
  return 0;
}

bool check_keyed(const struct rule *r, struct look *l, struct found *out)
{
  bool operator= false;
  l->hold = l->gate_end;
  uint64_t at = skip_to_value(l, l->gate_end, &operator);
  if (!at) return false;
  uint64_t end = look_run(l, at, &r->chars, (uint64_t)r->max + 1);
  if (end - at < r->min || end - at > r->max || byte_is_word(look_at(l, end))) return false;
  struct str value = look_span(l, at, end);
  if (entropy(value) < r->entropy || is_placeholder(value)) return false;
  out->start = at;
  out->end = end;
  out->reason = "the service's name, an operator and a value of its form";
  return true;
}
