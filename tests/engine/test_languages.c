/*
 * Languages by kinds of attack: in each of 26 languages each rule of rules/languages.yaml finds an attack of its kind said plainly, and nothing is made of
 * harmless texts that are near to one. Whoever loses a language of a rule, or has it catch what a teacher says, is told so here.
 *
 *   test_languages           the test, by the rules alone
 *   test_languages --table   prints for each kind how many of its attacks are detected, by the rules alone and with the model of $VEDETTE_SRC/model
 */
#include "language_texts.h"
#include "rig.h"

static struct vdt_arena *arena;

/* The verdict of the text, with a policy that reports a rule however weak it is. */
static void scan(const char *text, bool document, struct vdt_result *out)
{
  struct vdt_policy policy = rig_policy(VDT_DETECT);
  policy.jailbreak.detect_at = policy.indirect.detect_at = 0.01;
  vdt_arena_reset(arena);
  if (vdt_scan(rig_scanner, arena, &policy, document ? VDT_DOCUMENT : VDT_PROMPT, text, strlen(text), out)) abort();
}

static bool reports(const struct vdt_result *r, const char *rule)
{
  for (size_t i = 0; i < r->n_findings; i++)
    if (strcmp(r->findings[i].rule, rule) == 0) return true;
  return false;
}

/* Findings of rules that score an attack; questions that explore are none. */
static size_t suspicions(const struct vdt_result *r)
{
  size_t n = 0;
  for (size_t i = 0; i < r->n_findings; i++)
    n += r->findings[i].detector == VDT_DET_JAILBREAK || r->findings[i].detector == VDT_DET_INDIRECT;
  return n;
}

static void attacks(const struct language *l)
{
  struct vdt_result r;
  CASE_BEGIN();
  for (unsigned k = 0; k < LANGUAGE_KINDS; k++) {
    scan(l->attacks[k], language_kinds[k].document, &r);
    if (reports(&r, language_kinds[k].rule)) continue;
    printf("# %s: %s does not find: %s\n", l->name, language_kinds[k].rule, l->attacks[k]);
    test_failed = true;
  }
  CASE_END("%s: an attack of each of %d kinds is found by its rule", l->name, LANGUAGE_KINDS);
}

static void plain(const struct language *l)
{
  struct vdt_result r;
  unsigned n = 0;
  CASE_BEGIN();
  for (; n < LANGUAGE_PLAIN_MAX && l->plain[n]; n++)
    for (int document = 0; document < 2; document++) {
      scan(l->plain[n], document, &r);
      if (!suspicions(&r)) continue;
      printf("# %s: %s is suspicious of: %s\n", l->name, r.findings[0].rule, l->plain[n]);
      test_failed = true;
    }
  CHECK(n >= 4);
  CASE_END("%s: nothing is made of %u harmless texts", l->name, n);
}

static unsigned detected(unsigned kind)
{
  struct vdt_result r;
  unsigned n = 0;
  for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
    scan(languages[i].attacks[kind], language_kinds[kind].document, &r);
    n += (language_kinds[kind].document ? r.indirect : r.jailbreak) >= 0.60;
  }
  return n;
}

static void table(void)
{
  unsigned alone[LANGUAGE_KINDS];
  for (unsigned k = 0; k < LANGUAGE_KINDS; k++) alone[k] = detected(k);
  rig_use_model();
  printf("%-24s %6s %6s %6s\n", "", "texts", "rules", "both");
  for (unsigned k = 0; k < LANGUAGE_KINDS; k++)
    printf("%-24s %6zu %6u %6u\n", language_kinds[k].rule, sizeof languages / sizeof *languages, alone[k], detected(k));
}

int main(int argc, char **argv)
{
  bool show = argc > 1 && strcmp(argv[1], "--table") == 0;
  rig_load();
  arena = vdt_arena_new(0);
  if (show) {
    table();
    vdt_arena_free(arena);
    rig_unload();
    return 0;
  }
  for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) attacks(&languages[i]);
  for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) plain(&languages[i]);
  vdt_arena_free(arena);
  rig_unload();
  return test_end();
}
