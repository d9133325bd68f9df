/* Rule files that are wrong: each is refused with its line and what to do, and none is half loaded. */
#include "base/arena.h"
#include "engine/rule.h"
#include "tests/test.h"

#define TOKEN   "rules:\n  - id: a-token\n    detector: credential\n    title: t\n    check: token\n    chars: alnum\n"
#define EXAMPLE "    examples: {match: [x]}\n"
#define NUMBER  "rules:\n  - id: a-number\n    detector: sensitive\n    title: t\n    check: identifier\n    variant: imei\n"
#define SCORE   "rules:\n  - id: a-phrase\n    detector: jailbreak\n    title: t\n"

static const struct {
  const char *what, *text;
  unsigned line;
  const char *says;
} wrong[] = {
    {"an empty file", "", 1, "expected \"rules:\""},
    {"no YAML", "rules:\n\t- x\n", 2, "cannot start any token"},
    {"another key", "rule: []", 1, "expected \"rules:\""},
    {"a rule that is no mapping", "rules:\n  - 5\n", 2, "expected keys and values"},
    {"an unknown key names the nearest", TOKEN "    gaet: [x_]\n" EXAMPLE, 7, "did you mean \"gate\"?"},
    {"a key twice", TOKEN "    title: u\n", 7, "stands twice"},
    {"an unknown detector", "rules:\n  - id: a\n    detector: credentials\n", 3, "did you mean \"credential\"?"},
    {"a detector that takes no rules", "rules:\n  - id: a\n    detector: hidden-text\n", 3,
     "takes no rules; expected credential"},
    {"nor does blocklist", "rules:\n  - id: a\n    detector: blocklist\n", 3, "takes no rules"},
    {"an unknown check", "rules:\n  - id: a\n    check: tokn\n", 3, "did you mean \"token\"?"},
    {"an unknown severity", "rules:\n  - id: a\n    severity: Hihg\n", 3, "did you mean \"High\"?"},
    {"an unknown set of characters", "rules:\n  - id: a\n    chars: letters\n", 3, "name of a set"},
    {"an id in capitals", "rules:\n  - id: A\n", 2, "id: lower-case"},
    {"a rule without id", "rules:\n  - title: t\n", 2, "without id"},
    {"two rules of one id", TOKEN "    gate: [x_]\n" EXAMPLE "  - id: a-token\n", 9, "stands twice; first in"},
    {"neither gate nor pattern", TOKEN EXAMPLE, 2, "either gate or pattern"},
    {"gate and pattern", TOKEN "    gate: [x_]\n    pattern: y\n" EXAMPLE, 2, "either gate or pattern"},
    {"a gate of 41 bytes", TOKEN "    gate: [aaaaaaaaaabbbbbbbbbbccccccccccddddddddddx]\n" EXAMPLE, 2, "1 to 40 bytes"},
    {"a pattern gate without left", TOKEN "    pattern: '[0-9]{8}'\n" EXAMPLE, 2, "needs left"},
    {"left wider than a check may look", TOKEN "    left: {chars: alnum, max: 257}\n", 7, "at most 256"},
    {"min above max", TOKEN "    gate: [x_]\n    min: 5\n    max: 4\n" EXAMPLE, 2, "min is greater than max"},
    {"confidence 101", TOKEN "    gate: [x_]\n    confidence: 101\n" EXAMPLE, 2, "at most 100"},
    {"no matching example", TOKEN "    gate: [x_]\n", 2, "at least one example"},
    {"a leak rule with a weight", TOKEN "    gate: [x_]\n    weight: 0.5\n" EXAMPLE, 2, "weight is for jailbreak"},
    {"a score rule without pattern", SCORE "    weight: 0.5\n" EXAMPLE, 2, "pattern is missing"},
    {"a score rule without weight", SCORE "    pattern: x\n" EXAMPLE, 2, "weight: more than 0"},
    {"a weight above 1", SCORE "    pattern: x\n    weight: 1.01\n" EXAMPLE, 2, "at most 1"},
    {"a number that is none", TOKEN "    min: many\n", 7, "expected a number"},
    {"a number's rule without names", NUMBER EXAMPLE, 2, "needs names, or alone"},
    {"near 301", NUMBER "    alone: 65\n    near: 301\n" EXAMPLE, 2, "near: at most 300"},
    {"alone 101", NUMBER "    alone: 101\n" EXAMPLE, 2, "alone: at most 100"},
    {"a name of one byte", NUMBER "    names: [x]\n" EXAMPLE, 7, "names: 2 to 96 bytes"},
    {"a name that begins with a blank", NUMBER "    names: [\" nhs\"]\n" EXAMPLE, 7, "none begins with a blank"},
    {"a name of 97 bytes",
     NUMBER
     "    names: [aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbx]\n" EXAMPLE,
     7, "names: 2 to 96 bytes"},
    {"a number as a credential",
     "rules:\n  - id: a\n    detector: credential\n    title: t\n    check: identifier\n    alone: 5\n" EXAMPLE, 2,
     "is for detector: sensitive"},
    {"names of another check", TOKEN "    gate: [x_]\n    names: [xx]\n" EXAMPLE, 2, "are of check identifier"},
    {"a repeat of a letter of two bytes", SCORE "    pattern: 'ключи?'\n    weight: 0.5\n" EXAMPLE, 5,
     "pattern: \"?\" holds for the last byte of \"и\" alone; write (?:и)?"},
    {"a letter of three bytes in a class", SCORE "    pattern: 'x[0-9年]'\n    weight: 0.5\n" EXAMPLE, 5,
     "\"年\" has several bytes, of which [...] is any one; write (?:年|...)"},
    {"a letter that is read in another form", SCORE "    pattern: 'consigné'\n    weight: 0.5\n" EXAMPLE, 5,
     "\"é\" is read as \"e\"; write that"},
    {"a gate that is read in another form", TOKEN "    gate: [abc, κωδικοσ, κωδικός]\n" EXAMPLE, 7, "\"ό\" is read as \"ο\""},
    {"a word that is read in another form", TOKEN "    gate: [x_]\n    words: [für]\n" EXAMPLE, 8, "\"ü\" is read as \"u\""},
    {"a name that is read in another form", NUMBER "    names: [Größe]\n" EXAMPLE, 7, "\"ö\" is read as \"o\""},
    {"a regex with a letter in a class", TOKEN "    gate: [x_]\n    regex: 'x_[я]'\n" EXAMPLE, 8, "\"я\" has several bytes"},
    {"a role that is none", SCORE "    roles: [system]\n", 5, "roles:"},
};

static void refused(size_t i)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_source file = {"bad.yaml", wrong[i].text, strlen(wrong[i].text)};
  struct rules rules;
  struct vdt_error err = {0};
  CASE_BEGIN();
  CHECK_INT(rules_parse(arena, &file, 1, &rules, &err), VDT_ERULE);
  CHECK_STR(str_of(err.file), "bad.yaml");
  CHECK_INT(err.line, wrong[i].line);
  if (str_find(str_of(err.text), str_of(wrong[i].says)) == (size_t)-1) {
    printf("# says \"%s\", want \"%s\"\n", err.text, wrong[i].says);
    test_failed = true;
  }
  CASE_END("%s", wrong[i].what);
  vdt_arena_free(arena);
}

/* Limits that hold exactly: one at the limit is fine. */
static void limits_are_inclusive(void)
{
  static const char text[] = TOKEN "    gate: [aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd]\n    confidence: 100\n"
                                   "    left: {chars: alnum, max: 256}\n    min: 4\n    max: 4\n" EXAMPLE;
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_source file = {"good.yaml", text, sizeof text - 1};
  struct rules rules;
  struct vdt_error err = {0};
  CHECK_INT(rules_parse(arena, &file, 1, &rules, &err), VDT_OK);
  CHECK_INT(rules.n, 1);
  vdt_arena_free(arena);
}

static void limits_of_numbers_are_inclusive(void)
{
  static const char text[] =
      NUMBER "    names: [aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbb, xy]\n"
             "    near: 300\n    alone: 100\n" EXAMPLE;
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_source file = {"good.yaml", text, sizeof text - 1};
  struct rules rules;
  struct vdt_error err = {0};
  CHECK_INT(rules_parse(arena, &file, 1, &rules, &err), VDT_OK);
  CHECK_INT(rules.rules[0].n_names, 2);
  vdt_arena_free(arena);
}

int main(void)
{
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) refused(i);
  RUN(limits_are_inclusive);
  RUN(limits_of_numbers_are_inclusive);
  return test_end();
}
