/* Blocklists: what is the phrase, what only holds it, and where it stands in the original. */
#include "../test.h"
#include "engine/blocklist.h"

static const struct str phrases[] = {STR("Project Falcon"), STR("caf\xC3\xA9"), STR("C++"),
                                     STR("\xD0\xA1\xD0\x95\xD0\x9A\xD0\xA0\xD0\x95\xD0\xA2")};
static const struct {
  const char *text;
  int phrase; /* -1: none */
  unsigned start, end;
} cases[] = {
    {"about project falcon.", 0, 6, 20},
    {"PROJECT FALCON", 0, 0, 14},
    {"project falcons", -1, 0, 0},
    {"myproject falcon", -1, 0, 0},
    {"project-falcon", -1, 0, 0},
    {"pro\xE2\x80\x8Bject falcon", 0, 0, 17},
    {"\xEF\xBC\xB0roject Falcon", 0, 0, 16},
    {"the CAFE\xCC\x81 here", 1, 4, 8},
    {"cafes", -1, 0, 0},
    {"C++, C", 2, 0, 3},
    {"\xD1\x81\xD0\xB5\xD0\xBA\xD1\x80\xD0\xB5\xD1\x82!", 3, 0, 12},
    {"", -1, 0, 0},
};

int main(void)
{
  struct vdt_blocklist *l = NULL;
  struct vdt_error err = {0};
  bool wanted[4] = {true, true, true, true};
  struct vdt_arena *arena = vdt_arena_new(0);
  if (vdt_blocklist_new(phrases, 4, &l, &err)) return 1;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct vdt_blocklist_match *m = NULL;
    size_t n;
    CASE_BEGIN();
    CHECK_INT(vdt_blocklist_scan(l, arena, wanted, str_of(cases[i].text), &m, &n), 0);
    CHECK_INT(n, cases[i].phrase >= 0);
    if (n) {
      CHECK_INT(m->phrase, cases[i].phrase);
      CHECK_INT(m->start, cases[i].start);
      CHECK_INT(m->end, cases[i].end);
    }
    CASE_END("%s", cases[i].text);
  }
  CASE_BEGIN();
  CHECK(vdt_blocklist_is_phrase(STR("a b")) && !vdt_blocklist_is_phrase(STR("")) && !vdt_blocklist_is_phrase(STR("  ")));
  CHECK(!vdt_blocklist_is_phrase(STR("a\tb")) && !vdt_blocklist_is_phrase(STR("\xff")));
  CASE_END("what may be a phrase");
  vdt_blocklist_free(l);
  vdt_arena_free(arena);
  return test_end();
}
