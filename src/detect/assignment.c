/*
 * Secrets that only their surroundings give away: a service's name or a secret's word, an operator (grammar.c), a value that is
 * neither a stand-in (placeholder.c) nor a name or an expression (reference.c).
 */
#include "detect/detect.h"

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool ends_with(struct str s, struct str end)
{
  return s.n >= end.n && str_ieq(str_cut(s, s.n - end.n, s.n), end);
}

/* Names that are about a secret and do not hold it: token_url, passwordFile, credentialsId, max_tokens. */
static bool is_about(struct look *l, uint64_t gate, uint64_t from, uint64_t to)
{
  static const struct str ends[] = {STR("id"),       STR("ids"),   STR("name"),    STR("url"),   STR("uri"),   STR("file"),
                                    STR("path"),     STR("type"),  STR("length"),  STR("len"),   STR("count"), STR("limit"),
                                    STR("size"),     STR("ttl"),   STR("version"), STR("host"),  STR("ref"),   STR("field"),
                                    STR("endpoint"), STR("label"), STR("policy"),  STR("store"), STR("arn")};
  static const struct str before[] = {STR("csrf"),   STR("csrf-"),   STR("csrf_"),    STR("xsrf-"),
                                      STR("public"), STR("public_"), STR("publickey")};
  struct str rest = look_span(l, from, to);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (ends_with(rest, ends[i])) return true;
  if (str_eq(rest, STR("s")) && look_at(l, from - 1) == 'n') return true; /* tokens are counted, not kept */
  for (size_t i = 0; i < sizeof before / sizeof *before; i++)
    if (gate >= before[i].n && look_literal(l, gate - before[i].n, before[i], true)) return true;
  return false;
}

struct kinds {
  unsigned digits, letters, joints, marks; /* joints: - _ . which names have too */
  bool both_cases;
};

static struct kinds kinds_of(struct str s)
{
  struct kinds k = {0, 0, 0, 0, false};
  bool up = false, down = false;
  for (size_t i = 0; i < s.n; i++) {
    char c = lower(s.p[i]);
    bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
    up |= letter && c != s.p[i];
    down |= letter && c == s.p[i];
    k.letters += letter;
    k.digits += digit;
    bool joint = c == '-' || c == '_' || c == '.';
    k.joints += joint;
    k.marks += !letter && !digit && !joint;
  }
  k.both_cases = up && down;
  return k;
}

/* Does it look like something nobody would write as a word? Sentences and code that is not quoted must look more so. */
static bool looks_secret(struct str v, enum operator_kind op, int quote)
{
  struct kinds k = kinds_of(v);
  if (k.letters == 0) return false;
  if (k.digits) return true;
  if (op == OPERATOR_ARGUMENT) return false;
  if (op == OPERATOR_VERB) return k.marks && k.both_cases;
  if (k.marks) return quote || op == OPERATOR_TIGHT || k.both_cases;
  if (k.joints) return quote && k.both_cases;
  return v.n >= 16 && quote && entropy(v) >= 3.2 && !reads_like_words(v);
}

static void trim(struct str *v)
{
  while (v->n && (v->p[v->n - 1] == '.' || v->p[v->n - 1] == ':' || v->p[v->n - 1] == '!' || v->p[v->n - 1] == '?')) v->n--;
}

bool check_assignment(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t at = 0;
  int quote = 0;
  l->hold = l->gate_end;
  uint64_t name = skip_name(l, l->gate_end, false);
  enum operator_kind op = skip_operator(l, name, &at, &quote);
  if (op == OPERATOR_NONE && name == l->gate_end) op = skip_is(l, name, &at, &quote);
  if (op == OPERATOR_NONE) return false;
  struct str value = value_at(l, at, op, quote, 200);
  uint64_t end = at + value.n;
  if (value.n > 200 || is_about(l, l->gate, l->gate_end, name) || (op == OPERATOR_ELEMENT && !element_closes(l, end)))
    return false;
  if (is_placeholder(value) || (quote && !quote_closes(l, end, quote))) return false;
  if (!quote) trim(&value);
  if (value.n < (r->min ? r->min : 8) || is_placeholder(value) || is_expression(value, quote)) return false;
  if (!looks_secret(value, op, quote) || entropy(value) < r->entropy) return false;
  out->start = at;
  out->end = at + value.n;
  out->reason =
      op == OPERATOR_VERB ? "a sentence that gives a secret away" : "a secret's name, an operator and a value that looks random";
  return true;
}

bool check_keyed(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t at = 0;
  int quote = 0;
  l->hold = l->gate_end;
  uint64_t name = skip_name(l, l->gate_end, true);
  enum operator_kind op = skip_operator(l, name, &at, &quote);
  if (op == OPERATOR_NONE) return false;
  uint64_t end = look_run(l, at, &r->chars, (uint64_t)r->max + 1);
  if (end - at < r->min || end - at > r->max || byte_is_word(look_at(l, end))) return false;
  struct str value = look_span(l, at, end);
  if (entropy(value) < r->entropy || is_placeholder(value)) return false;
  out->start = at;
  out->end = end;
  out->reason = "the service's name, an operator and a value of its form";
  return true;
}
