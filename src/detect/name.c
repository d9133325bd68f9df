/*
 * Names of persons, where the words before them say that they are: "my name is", a form's field. Nothing in a name itself tells it from other
 * capitalised words, so there is no finding without such words, and none for a single word that forms, types and programs have in that place.
 */
#include "detect/word.h"

enum { WORDS = 5, ONE_WORD = 65 };

static bool is_in(struct str s, const struct str *list, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (str_ieq(s, list[i])) return true;
  return false;
}
#define IN(s, list) is_in(s, list, sizeof list / sizeof *list)

/* What stands in a name's place and is none. */
static const struct str no_names[] = {
    STR("string"),   STR("text"),      STR("none"),        STR("null"),     STR("true"),       STR("false"),    STR("your"),
    STR("first"),    STR("last"),      STR("name"),        STR("required"), STR("optional"),   STR("enter"),    STR("please"),
    STR("the"),      STR("an"),        STR("unknown"),     STR("example"),  STR("test"),       STR("char"),     STR("varchar"),
    STR("max"),      STR("min"),       STR("column"),      STR("field"),    STR("user"),       STR("value"),    STR("is"),
    STR("it"),       STR("if"),        STR("not"),         STR("this"),     STR("my"),         STR("his"),      STR("her"),
    STR("their"),    STR("our"),       STR("dan"),         STR("chatgpt"),  STR("claude"),     STR("gemini"),   STR("siri"),
    STR("alexa"),    STR("assistant"), STR("ai"),          STR("gpt"),      STR("copilot"),    STR("bot"),      STR("str"),
    STR("int"),      STR("type"),      STR("full"),        STR("middle"),   STR("given"),      STR("family"),   STR("surname"),
    STR("customer"), STR("account"),   STR("city"),        STR("address"),  STR("email"),      STR("phone"),    STR("date"),
    STR("what"),     STR("redacted"),  STR("placeholder"), STR("sample"),   STR("admin"),      STR("faker"),    STR("foo"),
    STR("bar"),      STR("undefined"), STR("person"),      STR("same"),     STR("see"),        STR("and"),      STR("or"),
    STR("of"),       STR("to"),        STR("insert"),      STR("new"),      STR("data"),       STR("id"),       STR("number"),
    STR("in"),       STR("on"),        STR("as"),          STR("you"),      STR("we"),         STR("xxx"),      STR("xxxx"),
    STR("vorname"),  STR("nachname"),  STR("prenom"),      STR("nom"),      STR("nombre"),     STR("apellido"), STR("apellidos"),
    STR("cognome"),  STR("nome"),      STR("sobrenome"),   STR("voornaam"), STR("achternaam"), STR("label"),    STR("title"),
};

/* Names that stand for anybody. */
static const struct str samples[] = {
    STR("john doe"),      STR("jane doe"),       STR("john smith"),
    STR("jane smith"),    STR("max mustermann"), STR("erika mustermann"),
    STR("jan kowalski"),  STR("mario rossi"),    STR("juan perez"),
    STR("jean dupont"),   STR("john q public"),  STR("joe bloggs"),
    STR("anna kowalska"), STR("jan jansen"),     STR("joao silva"),
    STR("ola nordmann"),  STR("alice"),          STR("bob"),
    STR("john"),          STR("jane"),           STR("doe"),
    STR("smith"),         STR("mustermann"),     STR("max"),
};

/* Small words inside of names. */
static const struct str particles[] = {STR("de"),  STR("da"),  STR("dos"), STR("del"), STR("van"), STR("von"),
                                       STR("der"), STR("den"), STR("la"),  STR("le"),  STR("di"),  STR("bin"),
                                       STR("ibn"), STR("al"),  STR("el"),  STR("ter"), STR("ten"), STR("zu"),
                                       STR("af"),  STR("av"),  STR("y"),   STR("du")};

/* "TypeName", "BeastGPT": a capital inside of a word, but for McCoy, DeVito, O'Dowd. */
static bool is_camel(struct str s)
{
  for (size_t i = 4; i < s.n; i++)
    if (word_upper(s.p[i]) && s.p[i - 1] >= 'a' && s.p[i - 1] <= 'z') return true;
  return false;
}

/* A capitalised word, or an initial with its dot. Where it ends, or 0. */
static uint64_t part_end(struct look *l, uint64_t i)
{
  uint64_t end = word_end(l, i);
  int c = look_at(l, end);
  if (!word_upper(look_at(l, i)) || byte_is_word(c) || c == '(') return 0;
  if (end == i + 1) return c == '.' ? end + 1 : 0;
  struct str word = look_span(l, i, end);
  return IN(word, no_names) || is_camel(word) ? 0 : end;
}

/* Where the name ends that begins at i, 0 when none does; *n: how many words it has. A slash stands in lists of passengers. */
static uint64_t name_end(struct look *l, uint64_t i, unsigned *n)
{
  uint64_t end = part_end(l, i), next;
  for (*n = end != 0; end && *n < WORDS; ++*n) {
    int c = look_at(l, end);
    if (c != ' ' && !(c == '/' && *n == 1)) break;
    i = end + 1;
    uint64_t small = word_end(l, i);
    for (unsigned k = 0; k < 2 && small > i && look_at(l, small) == ' ' && IN(look_span(l, i, small), particles); k++) {
      i = small + 1;
      small = word_end(l, i);
    }
    next = part_end(l, i);
    if (!next) break;
    end = next;
  }
  return end;
}

/* What joins a field's name and its value; 0 when nothing of it is there. */
static uint64_t skip_field(struct look *l, uint64_t i, int *quote)
{
  uint64_t start = i;
  bool sign = false;
  *quote = 0;
  for (; i < start + 10; i++) {
    int c = look_at(l, i);
    if (c == '"' || c == '\'' || c == '`') *quote = sign ? c : 0;
    else if (c == ':' || c == '=' || c == '>') sign = true;
    else if (c != ' ' && c != '\t' && c != '*' && c != '\\') break;
  }
  return sign && i < start + 10 ? i : 0;
}

/* Does a field's value end there? */
static bool value_ends(struct look *l, uint64_t i, int quote)
{
  int c = look_at(l, i);
  if (c == '\\') c = look_at(l, i + 1) == 'n' ? '\n' : look_at(l, i + 1);
  if (quote) return c == quote;
  return c < 0 || c == '\n' || c == '\r' || c == ',' || c == ';' || c == '<' || c == '\t' ||
         (c == '.' && !byte_is_word(look_at(l, i + 1))) || (c == ' ' && look_at(l, i + 1) == ' ');
}

static bool is_anybody(struct str s)
{
  return IN(s, samples);
}

/* Variant sentence: the name stands right behind the gate; else the gate is the name of a field. */
bool check_person(const struct rule *r, struct look *l, struct found *out)
{
  bool sentence = variant_has(r, STR("sentence"));
  int quote = 0;
  unsigned n = 0;
  l->hold = l->gate_end;
  uint64_t i = sentence ? l->gate_end : skip_field(l, l->gate_end, &quote);
  if (!i || l->starved) return false;
  l->hold = i;
  uint64_t end = name_end(l, i, &n);
  if (!end || l->starved || (!sentence && !value_ends(l, end, quote))) return false;
  struct str name = look_span(l, i, end);
  if (name.n < 3) return false; /* an initial */
  if (sentence && n == 1) out->confidence = ONE_WORD;
  out->start = i;
  out->end = end;
  out->why = WHY_NAME | WHY_FORMAT;
  out->reason = sentence ? "words that say who somebody is, and a name" : "a field for a name, and a name";
  if (!is_anybody(name)) return true;
  out->confidence = CONFIDENCE_SAMPLE;
  out->why |= WHY_SAMPLE;
  return true;
}
