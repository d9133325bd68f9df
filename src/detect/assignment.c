/*
 * Secrets that only their surroundings give away: a service's name or a secret's word, an operator (grammar.c), a value that is
 * neither a stand-in (placeholder.c) nor a name or an expression (reference.c).
 */
#include "detect/detect.h"

enum {
  LONG = 20,       /* from here on a generated value has a digit, or reads like none that people write */
  ENDING = 6,      /* of a word in a sentence: sifreNIZ */
  SHORT = 6,       /* a password with letters and digits, where nothing else can stand */
  VALUE_MAX = 4096 /* keys of services have 400 at most, but tokens that carry claims some thousand */
};
static const double WORDS = 2.5; /* entropy of passwords that people make up of a word */

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
  static const struct str ends[] = {STR("id"),     STR("ids"),   STR("name"),  STR("url"),      STR("uri"),
                                    STR("file"),   STR("path"),  STR("type"),  STR("length"),   STR("len"),
                                    STR("count"),  STR("limit"), STR("size"),  STR("ttl"),      STR("version"),
                                    STR("host"),   STR("ref"),   STR("field"), STR("endpoint"), STR("label"),
                                    STR("policy"), STR("store"), STR("arn"),   STR("regex"),    STR("pattern")};
  static const struct str before[] = {
      STR("csrf"),         STR("csrf-"),       STR("csrf_"),       STR("xsrf-"),       STR("public"),    STR("public_"),
      STR("publickey"),    STR("publishable"), STR("cache"),       STR("primary"),     STR("foreign"),   STR("partition"),
      STR("sort"),         STR("object"),      STR("idempotency"), STR("translation"), STR("row"),       STR("group"),
      STR("dedup"),        STR("s3"),          STR("lookup"),      STR("next"),        STR("page"),      STR("sync"),
      STR("continuation"), STR("cursor"),      STR("pub"),         STR("pub_"),        STR("websocket-")};
  struct str rest = look_span(l, from, to);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (ends_with(rest, ends[i])) return true;
  if (look_at(l, from - 1) == 'n' && (str_eq(rest, STR("s")) || (rest.n > 1 && str_ieq(str_cut(rest, 0, 2), STR("iz")))))
    return true; /* tokens are counted, and tokenizers count them */
  int joint = gate ? look_at(l, gate - 1) : -1;
  if (joint == '-' || joint == '_' || joint == '.') gate--;
  if (gate >= 5 && look_literal(l, gate - 5, STR("rsync"), true)) return false;
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
    bool letter = (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80, digit = c >= '0' && c <= '9';
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
  if (k.digits || shape_of(v) == SHAPE_RANDOM || cases_fall_at_random(v)) return true;
  if (k.marks * 4 >= v.n && v.n >= 12 && quote) return true; /* nobody writes so many marks in a word */
  if (op == OPERATOR_ARGUMENT || op == OPERATOR_OPTION) return k.marks && k.both_cases;
  if (op == OPERATOR_VERB) return k.marks && k.both_cases;
  if (k.marks) return quote || op == OPERATOR_TIGHT || k.both_cases;
  if (k.joints) return quote && k.both_cases;
  return v.n >= 16 && quote && entropy(v) >= 3.2 && !reads_like_words(v);
}

static bool is_sentence(enum operator_kind op)
{
  return op == OPERATOR_VERB || op == OPERATOR_BESIDE;
}

/* What ends a sentence belongs to it; elsewhere passwords end so. */
static void trim(struct str *v, enum operator_kind op)
{
  bool sentence = is_sentence(op);
  for (; v->n; v->n--) {
    char c = v->p[v->n - 1];
    if (c != '.' && c != ':' && !(sentence && (c == '!' || c == '?' || c == '*'))) return;
  }
}

/* Sentences about secrets name algorithms and formats where a secret could stand: "the password is SHA256-hashed". */
static bool names_a_method(struct str v)
{
  static const struct str methods[] = {STR("sha"),   STR("md5"),   STR("base64"),  STR("utf"),    STR("aes"),  STR("hs256"),
                                       STR("rs256"), STR("oauth"), STR("argon"),   STR("bcrypt"), STR("hmac"), STR("pbkdf"),
                                       STR("http"),  STR("x509"),  STR("ed25519"), STR("rfc"),    STR("iso"),  STR("tls"),
                                       STR("ssl"),   STR("ipv"),   STR("step")};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (v.n >= methods[i].n && str_ieq(str_cut(v, 0, methods[i].n), methods[i])) return true;
  return false;
}

/* Variants: whole: nothing but marks and digits may follow the gate in its name; strong: the value must look generated. */
/* "pass=" and "dbPass=", not "bypass=". */
static bool begins_a_word(struct look *l)
{
  int before = l->gate ? look_at(l, l->gate - 1) : -1, first = look_at(l, l->gate);
  bool letter = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z');
  bool inside = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z' && before <= 'Z');
  return !letter || !inside;
}

/* secret.get("NAME"): a method that is given a name, not the secret. */
static bool asks_for(struct str tail)
{
  static const struct str methods[] = {STR(".get"), STR(".has"), STR(".find"), STR(".load"), STR(".read"), STR(".fetch")};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (str_find(tail, methods[i]) != (size_t)-1) return true;
  return false;
}

static bool name_fits(const struct rule *r, struct look *l, uint64_t name_end)
{
  if (is_about(l, l->gate, l->gate_end, name_end)) return false;
  if (l->gate && look_at(l, l->gate - 1) == ':' && look_at(l, name_end) == ':') return false; /* arn:...:secret:NAME */
  if (look_at(l, name_end) == '(' && asks_for(look_span(l, l->gate_end, name_end))) return false;
  int next = name_end > l->gate_end ? look_at(l, l->gate_end) : -1;
  if (variant_has(r, STR("whole")) && !begins_a_word(l)) return false;
  return !variant_has(r, STR("whole")) || !((lower((char)next) >= 'a' && lower((char)next) <= 'z') && next < 0x80);
}

static bool is_password_name(struct look *l)
{
  static const struct str names[] = {STR("passw"), STR("passphrase"), STR("pwd"), STR("pass")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (look_literal(l, l->gate, names[i], true)) return true;
  return false;
}

/* Where nothing but a password can stand: password: "...", DB_PASSWORD=... Not in sentences and calls. */
static bool is_password_place(struct look *l, enum operator_kind op, int quote)
{
  bool capitals = look_at(l, l->gate) >= 'A' && look_at(l, l->gate) <= 'Z' && look_at(l, l->gate + 1) <= 'Z';
  if (op != OPERATOR_TIGHT && !(op == OPERATOR_SIGN && quote)) return false;
  return (quote || capitals) && is_password_name(l);
}

/* There, a word is one. */
static bool holds_a_password(struct look *l, struct str v, enum operator_kind op, int quote)
{
  for (size_t i = 0; i < v.n; i++)
    if (!byte_is_word((unsigned char)v.p[i])) return false;
  return is_password_place(l, op, quote);
}

/* A password that nobody takes for a word, a name or a version: capitals, small letters and digits in turns, or with marks. */
static bool is_telling(struct look *l, struct str v)
{
  struct kinds k = kinds_of(v);
  return names_a_password(l, l->gate) && k.digits && k.both_cases && (k.marks || class_changes(v) >= 3);
}

static bool ends_line(struct look *l, uint64_t i)
{
  int c = look_at(l, i);
  if (c == '`') c = look_at(l, i + 1);
  return c < 0 || c == '\n' || c == '\r';
}

/* Secret123: as a password a word and a number, elsewhere the name of a secret. */
static bool is_word_and_number(struct look *l, struct str v)
{
  size_t i = 0;
  while (i < v.n && lower(v.p[i]) >= 'a' && lower(v.p[i]) <= 'z') i++;
  bool digit = i < v.n && v.p[i] >= '0' && v.p[i] <= '9';
  for (; i < v.n; i++)
    if (!(v.p[i] >= '0' && v.p[i] <= '9') && !memchr("!@#$%&*?", v.p[i], 8)) return false;
  return digit && is_password_name(l);
}

static bool value_fits(const struct rule *r, struct look *l, struct str v, enum operator_kind op, int quote)
{
  struct kinds kinds = kinds_of(v);
  uint64_t end = l->base + (uint64_t)(v.p - (const char *)l->p) + v.n;
  bool closed = !quote || look_at(l, end) == quote || look_at(l, end) == '\\';
  bool place = !variant_has(r, STR("strong")) && closed && is_password_place(l, op, quote);
  unsigned least = place && quote && kinds.digits && kinds.letters ? SHORT : r->min ? r->min : 8;
  bool expression = is_expression(v, quote) && !is_word_and_number(l, v);
  if (v.n < least || expression || entropy(v) < (place && r->entropy > WORDS ? WORDS : r->entropy)) return false;
  if (op == OPERATOR_BELOW && !((shape_of(v) != SHAPE_NONE || is_telling(l, v)) && ends_line(l, end))) return false;
  if (op == OPERATOR_BESIDE && !is_telling(l, v)) return false;
  if (variant_has(r, STR("strong"))) {
    enum value_shape shape = shape_of(v);
    bool salt = quote && v.n >= 40 && kinds.digits && kinds.both_cases && kinds.marks * 6 >= v.n && entropy(v) >= 4.5;
    return shape == SHAPE_HEX || shape == SHAPE_RANDOM || salt;
  }
  return (looks_secret(v, op, quote) || holds_a_password(l, v, op, quote)) && !(is_sentence(op) && names_a_method(v));
}

static const char *why_of(enum operator_kind op)
{
  if (is_sentence(op)) return "a sentence that gives a secret away";
  if (op == OPERATOR_OPTION) return "an option of a command that takes a secret";
  return "a secret's name, an operator and a value that looks random";
}

/* Gates of short names hold the operator, or the quote of the name's end. */
static bool operator_in_gate(int last)
{
  return last == '=' || last == ':' || last == '"' || last == '\'' || last == ' ';
}

/* In scripts without blanks right behind the word: looked at before it is taken for the rest of a name, of which streams let go. */
static enum operator_kind skip_joined(struct look *l, uint64_t from, uint64_t *value)
{
  if (look_at(l, l->gate_end - 1) < 0x80 || !byte_is_word(look_at(l, from))) return OPERATOR_NONE;
  *value = from;
  return is_telling(l, value_at(l, from, OPERATOR_BESIDE, 0, VALUE_MAX)) || l->starved ? OPERATOR_BESIDE : OPERATOR_NONE;
}

bool check_assignment(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t at = 0;
  int quote = 0;
  l->hold = l->gate_end;
  uint64_t from = operator_in_gate(look_at(l, l->gate_end - 1)) ? l->gate_end - 1 : l->gate_end;
  enum operator_kind op = look_at(l, from) >= 0x80 ? skip_is(l, from, &at, &quote) : skip_joined(l, from, &at);
  uint64_t name = op == OPERATOR_NONE ? skip_name(l, from, false) : from;
  if (op == OPERATOR_NONE) op = skip_operator(l, name, &at, &quote);
  if (op == OPERATOR_NONE) op = skip_option(l, name, &at, &quote);
  if (op == OPERATOR_NONE) op = skip_setter(l, name, &at, &quote);
  if (op == OPERATOR_NONE && name - from <= ENDING) op = skip_is(l, name, &at, &quote);
  if (op == OPERATOR_NONE && name - from <= ENDING) op = skip_blank(l, name, &at);
  if (op == OPERATOR_NONE) return false;
  struct str value = value_at(l, at, op, quote, VALUE_MAX);
  uint64_t end = at + value.n;
  if (value.n > VALUE_MAX || !name_fits(r, l, name) || (op == OPERATOR_ELEMENT && !element_closes(l, end))) return false;
  if (quote && !quote_closes(l, end, quote)) return false;
  struct str line = quote ? (struct str){"", 0} : line_value(l, at, op, VALUE_MAX);
  if (line.n > value.n) {
    value = line;
    quote = '"'; /* every byte of it belongs to it */
  }
  if (value.n == 0) return false;
  struct str whole = value;
  if (!quote) trim(&value, op);
  if (op == OPERATOR_OPTION && look_at(l, end) == '\\') return false; /* domain\user */
  bool stand_in = is_placeholder(whole) || is_placeholder(value);
  if (stand_in ? is_sentence(op) || variant_has(r, STR("strong")) : !value_fits(r, l, value, op, quote)) return false;
  out->start = at;
  out->end = at + value.n;
  out->reason = why_of(op);
  out->why = WHY_NAME | WHY_ENTROPY;
  return found_sure(out, is_placeholder(whole) ? whole : value, out->confidence);
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
  if (entropy(value) < r->entropy && !is_placeholder(value)) return false;
  bool words = value.n >= LONG && reads_like_words(value) && !kinds_of(value).digits;
  if (words && r->entropy >= 2.5) return false; /* material-arrow-right-drop-circle */
  out->start = at;
  out->end = end;
  out->reason = "the service's name, an operator and a value of its form";
  out->why = WHY_NAME | WHY_FORMAT | (r->entropy > 0 ? WHY_ENTROPY : 0);
  return found_sure(out, value, out->confidence);
}

/* Where the sign or call ends that compares what ends at i, or 0: == != === !== = .equals( */
static uint64_t skip_comparison(struct look *l, uint64_t i)
{
  static const struct str calls[] = {STR(".equals("), STR(".Equals("), STR(".equalsIgnoreCase(")};
  for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
    if (look_literal(l, i, calls[k], false)) return i + calls[k].n;
  for (unsigned n = 0; n < 4 && look_at(l, i) == ' '; n++) i++;
  int first = look_at(l, i);
  uint64_t end = i;
  while (end < i + 3 && (look_at(l, end) == '=' || (end == i && first == '!'))) end++;
  return first == '!' && end == i + 1 ? 0 : end > i ? end : 0;
}

/* Is what stands at i, a variable or a member, called after a secret? */
static bool is_secret_named(struct look *l, uint64_t i)
{
  static const struct str names[] = {STR("passw"),        STR("pwd"),         STR("passphrase"),  STR("secret"),
                                     STR("api_key"),      STR("apikey"),      STR("private_key"), STR("privatekey"),
                                     STR("auth_token"),   STR("authtoken"),   STR("access_key"),  STR("accesskey"),
                                     STR("access_token"), STR("accesstoken"), STR("api_token")};
  for (unsigned n = 0; n < 4 && memchr(" \"'$({", look_at(l, i), 6); n++) i++;
  uint64_t end = i;
  for (int c; end < i + 60 && (c = look_at(l, end), byte_is_word(c) || c == '.' || c == '-' || c == '>' || c == '$');) end++;
  for (uint64_t at = end; at-- > i;)
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
      if (at + names[k].n <= end && look_literal(l, at, names[k], true)) return !is_about(l, at, at + names[k].n, end);
  return false;
}

/* if ("value" == password): the name stands behind, and the value waits for it. */
bool check_compared(const struct rule *r, struct look *l, struct found *out)
{
  int quote = look_at(l, l->gate_end - 1);
  l->hold = l->gate_end;
  struct str value = value_at(l, l->gate_end, OPERATOR_SIGN, quote, 128);
  uint64_t end = l->gate_end + value.n, name = look_at(l, end) == quote ? skip_comparison(l, end + 1) : 0;
  if (!name || value.n > 128 || !is_secret_named(l, name)) return false;
  if (!is_placeholder(value) && !value_fits(r, l, value, OPERATOR_SIGN, quote)) return false;
  out->start = l->gate_end;
  out->end = end;
  out->why = WHY_NAME | WHY_ENTROPY;
  out->reason = "a value that is compared with what is called a secret";
  return found_sure(out, value, out->confidence);
}
