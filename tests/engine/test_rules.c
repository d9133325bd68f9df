/* Every rule's own examples: what it says it matches it reports, what it says is clean it does not. */
#include "engine/whole.h"
#include "rig.h"

static enum vdt_role role_for(const struct rule *r)
{
  if (rule_is_score(r)) return r->in_document && !r->in_prompt ? VDT_DOCUMENT : VDT_PROMPT;
  return VDT_RESPONSE;
}

static bool reports(const struct rule *r, struct str text)
{
  struct vdt_policy policy = rig_policy(VDT_DETECT);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result result;
  bool found = false;
  policy.jailbreak.detect_at = policy.indirect.detect_at = policy.reconnaissance.detect_at =
      0.01; /* one weak rule is enough to be seen */
  int rc = vdt_scan(rig_scanner, arena, &policy, role_for(r), text.p, text.n, &result);
  CHECK_INT(rc, VDT_OK);
  for (size_t i = 0; !rc && i < result.n_findings; i++) found |= strcmp(result.findings[i].rule, r->id) == 0;
  vdt_arena_free(arena);
  return found;
}

static void examples(const struct rule *r)
{
  CASE_BEGIN();
  for (unsigned i = 0; i < r->n_match; i++)
    if (!reports(r, r->match[i])) {
      printf("# %s:%u: match example %u is not reported\n", r->file, r->line, i + 1);
      test_failed = true;
    }
  for (unsigned i = 0; i < r->n_clean; i++)
    if (reports(r, r->clean[i])) {
      printf("# %s:%u: clean example %u is reported\n", r->file, r->line, i + 1);
      test_failed = true;
    }
  CASE_END("rule %s: %u matching and %u clean examples", r->id, r->n_match, r->n_clean);
}

/* All examples of leak rules in one text, whose gates this database finds, or literals: the findings, by a hash. */
static uint64_t findings_by(hs_database_t *gates, struct str text, size_t *n)
{
  struct vdt_policy policy = rig_policy(VDT_DETECT);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result r;
  uint64_t hash = 0;
  rig_engine->gates = gates;
  if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r)) abort();
  rig_engine->gates = NULL;
  *n = r.n_findings;
  for (size_t i = 0; i < r.n_findings; i++)
    hash = (hash ^ r.findings[i].start ^ r.findings[i].end << 24 ^ (uint64_t)r.findings[i].item << 48) * UINT64_C(1099511628211);
  vdt_arena_free(arena);
  return hash;
}

static void searches(void)
{
  struct buf text = {0};
  size_t by_vectorscan, by_literals;
  CASE_BEGIN();
  for (unsigned i = 0; i < rig_engine->rules.n; i++)
    for (unsigned k = 0; k < rig_engine->rules.rules[i].n_match; k++) {
      if (rule_is_score(&rig_engine->rules.rules[i])) continue;
      buf_put(&text, rig_engine->rules.rules[i].match[k]);
      BUF_LIT(&text, "\n\n");
    }
  hs_database_t *gates = rig_gates(WHOLE_MODE);
  uint64_t a = findings_by(gates, buf_str(&text), &by_vectorscan), b = findings_by(NULL, buf_str(&text), &by_literals);
  hs_free_database(gates);
  CHECK(a == b && by_vectorscan == by_literals && by_literals > 500);
  CASE_END("%zu findings, whoever looks for the gates of a whole text", by_literals);
  buf_finish(&text);
}

int main(void)
{
  rig_load();
  searches();
  for (unsigned i = 0; i < rig_engine->rules.n; i++) examples(&rig_engine->rules.rules[i]);
  rig_unload();
  return test_end();
}
