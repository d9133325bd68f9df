/*
 * Policies about data: which rules a kind names; for each rule and direction the strongest of all counts, whatever the policy below says; findings
 * say whose it was; a stream gives the same however the text is cut; patterns.
 */
#include "engine/bind.h"
#include "engine/data_policy.h"
#include "rig.h"

#define PAT  "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
#define CARD "4539 1488 0343 6467"

static struct vdt_arena *arena;

static const uint8_t *find(const char *kind, int want, struct vdt_error *err)
{
  struct data_kind k = {kind, 7};
  uint8_t *set = NULL;
  CHECK_INT(data_kinds_find(rig_engine, arena, &k, 1, &set, err), want);
  return set;
}

static unsigned count(const uint8_t *set)
{
  unsigned n = 0;
  for (unsigned i = 0; set && i < rig_engine->rules.n; i++) n += set[i];
  return n;
}

static unsigned rule_at(const char *id)
{
  unsigned i = 0;
  while (i < rig_engine->rules.n && strcmp(rig_engine->rules.rules[i].id, id) != 0) i++;
  if (i == rig_engine->rules.n) printf("# no rule %s\n", id), abort();
  return i;
}

/* The first rule that has a type of Purview with a GUID. */
static const struct rule *typed(void)
{
  for (unsigned i = 0; i < rig_engine->rules.n; i++)
    if (rig_engine->rules.rules[i].purview && rig_engine->rules.rules[i].purview_id) return &rig_engine->rules.rules[i];
  abort();
}

static void a_kind_is_a_rule_or_a_type(void)
{
  struct vdt_error err = {0};
  const struct rule *r = typed();
  char upper[256];
  unsigned credentials = 0;
  CASE_BEGIN();
  const uint8_t *one = find("github-pat", VDT_OK, &err);
  CHECK(count(one) == 1 && one[rule_at("github-pat")]);
  CHECK(count(find("github-*", VDT_OK, &err)) > 1);
  CHECK(find(r->purview, VDT_OK, &err)[r - rig_engine->rules.rules]);
  CHECK(find(r->purview_id, VDT_OK, &err)[r - rig_engine->rules.rules]);
  size_t n = 0;
  for (; r->purview[n] && n < sizeof upper - 1; n++)
    upper[n] = r->purview[n] >= 'a' && r->purview[n] <= 'z' ? (char)(r->purview[n] - 32) : r->purview[n];
  upper[n] = 0;
  CHECK(find(upper, VDT_OK, &err)[r - rig_engine->rules.rules]);
  for (unsigned i = 0; i < rig_engine->rules.n; i++) credentials += rig_engine->rules.rules[i].detector == VDT_DET_CREDENTIAL;
  CHECK(count(find("All credentials", VDT_OK, &err)) == credentials);
  CASE_END("a kind is a rule, the beginning of rules, a type of Purview by name or GUID, or all credentials");
}

static void what_nothing_has_is_an_error(void)
{
  static const char *const wrong[] = {"github-pta", "Credit card numbr", "nothing-*", "jailbreak", "*x", ""};
  CASE_BEGIN();
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct vdt_error err = {0};
    find(wrong[i], VDT_ECONFIG, &err);
    CHECK(err.line == 7 && strstr(err.text, "did you mean"));
  }
  struct vdt_error err = {0};
  find("github-pta", VDT_ECONFIG, &err);
  CHECK(strstr(err.text, "\"github-pat\""));
  CASE_END("what no rule and no type is called is an error with its line and the nearest name; attacks are no kinds of data");
}

/* ---- on top ----------------------------------------------------------------------------------------------------- */

static struct data_policy about(const char *name, const char *kind, enum vdt_action prompt, enum vdt_action response)
{
  struct vdt_error err = {0};
  return (struct data_policy){.name = name, .prompt = prompt, .response = response, .rules = find(kind, VDT_OK, &err)};
}

static struct vdt_policy on_top(const struct vdt_policy *base, const struct data_policy *a, const struct data_policy *b)
{
  const struct data_policy *both[] = {a, b};
  struct vdt_policy out;
  CHECK_INT(data_policy_tighten(rig_engine, arena, base, both, b ? 2 : 1, &out), VDT_OK);
  return out;
}

/* The one finding of a text that has one secret; NULL when it has none. */
static const struct vdt_finding *scan(const struct vdt_policy *p, enum vdt_role role, const char *text)
{
  struct vdt_result r;
  CHECK_INT(vdt_scan(rig_scanner, arena, p, role, text, strlen(text), &r), VDT_OK);
  return r.n_findings ? &r.findings[0] : NULL;
}

static void the_stricter_wins(void)
{
  CASE_BEGIN();
  for (enum vdt_action base = VDT_ALLOW; base <= VDT_BLOCK; base++)
    for (enum vdt_action first = VDT_ALLOW; first <= VDT_BLOCK; first++)
      for (enum vdt_action second = VDT_ALLOW; second <= VDT_BLOCK; second++) {
        struct vdt_policy p = rig_policy(base);
        struct data_policy a = about("one", "github-pat", VDT_ALLOW, first), b = about("two", "github-*", VDT_ALLOW, second);
        struct vdt_policy tight = on_top(&p, &a, &b);
        enum vdt_action most = first > second ? first : second, want = base > most ? base : most;
        const char *whose = want == base ? NULL : first >= second ? "one" : "two";
        const struct vdt_finding *f = scan(&tight, VDT_RESPONSE, "the key is " PAT);
        if (want == VDT_ALLOW) CHECK(!f);
        else CHECK(f && f->action == want && (whose ? f->policy && strcmp(f->policy, whose) == 0 : !f->policy));
        vdt_arena_reset(arena);
      }
  CASE_END("of all 125 combinations of a policy and two on top the strictest counts, and the finding names the first that is as "
           "strict");
}

static void others_stay_as_they_are(void)
{
  struct vdt_policy p = rig_policy(VDT_DETECT);
  CASE_BEGIN();
  struct data_policy a = about("cards", "Credit Card Number", VDT_BLOCK, VDT_REDACT);
  struct vdt_policy tight = on_top(&p, &a, NULL);
  const struct vdt_finding *f = scan(&tight, VDT_RESPONSE, "the key is " PAT);
  CHECK(f && f->action == VDT_DETECT && !f->policy);
  f = scan(&tight, VDT_RESPONSE, "my credit card number is " CARD ", visa, expires 11/29");
  CHECK(f && f->action == VDT_REDACT && f->policy && strcmp(f->policy, "cards") == 0);
  f = scan(&tight, VDT_PROMPT, "my credit card number is " CARD ", visa, expires 11/29");
  CHECK(f && f->action == VDT_BLOCK);
  CHECK(tight.jailbreak.action == p.jailbreak.action && strcmp(tight.name, p.name) == 0);
  CASE_END("kinds that it does not name, other detectors and the name of the policy stay; directions are apart");
}

static void a_detector_that_is_off_is_read_for_these(void)
{
  struct vdt_policy p = rig_policy(VDT_ALLOW);
  p.credential.prompt = p.sensitive.prompt = VDT_ALLOW;
  CASE_BEGIN();
  struct data_policy a = about("tokens", "github-pat", VDT_BLOCK, VDT_CUT);
  struct vdt_policy tight = on_top(&p, &a, NULL);
  const struct vdt_finding *f = scan(&tight, VDT_PROMPT, "the key is " PAT);
  CHECK(f && f->action == VDT_BLOCK);
  CHECK(!scan(&tight, VDT_PROMPT, "the key is sk_live_9aQzR7bYwK3mVtX2LpN8cDfG"));
  CASE_END("where a policy looks for nothing, the kinds of one on top are found and no others");
}

static void documents_and_tool_calls(void)
{
  struct vdt_policy p = rig_policy(VDT_DETECT);
  CASE_BEGIN();
  struct data_policy a = about("t", "github-pat", VDT_REDACT, VDT_CUT);
  a.document = VDT_DO_BLOCK;
  a.tool_call = VDT_DO_REDACT;
  struct vdt_policy tight = on_top(&p, &a, NULL);
  CHECK(scan(&tight, VDT_DOCUMENT, PAT)->action == VDT_BLOCK && scan(&tight, VDT_PROMPT, PAT)->action == VDT_REDACT);
  CHECK(scan(&tight, VDT_SYSTEM, PAT)->action == VDT_REDACT && scan(&tight, VDT_RESPONSE, PAT)->action == VDT_CUT);
  tight.speech = VDT_TOOL_CALL;
  CHECK(scan(&tight, VDT_RESPONSE, PAT)->action == VDT_REDACT);
  tight.speech = VDT_HISTORY;
  CHECK(scan(&tight, VDT_RESPONSE, PAT)->action == VDT_REDACT);
  CASE_END("documents and tool calls have their own word, system text and history that of prompts");
}

static void kinds_of_the_policy_below_count(void)
{
  struct vdt_kind_policy kinds[] = {{.kind = "github-*", .response = VDT_DO_BLOCK},
                                    {.kind = "stripe-*", .response = VDT_DO_ALLOW}};
  struct vdt_policy p = rig_policy(VDT_DETECT);
  struct vdt_error err = {0};
  CASE_BEGIN();
  p.credential.kinds = kinds;
  p.credential.n_kinds = 2;
  CHECK_INT(vdt_policy_bind(rig_engine, arena, &p, &err), VDT_OK);
  struct data_policy a = about("t", "github-pat", VDT_BLOCK, VDT_REDACT),
                     all = about("all", "All credentials", VDT_DETECT, VDT_REDACT);
  struct vdt_policy tight = on_top(&p, &a, NULL);
  const struct vdt_finding *f = scan(&tight, VDT_RESPONSE, PAT);
  CHECK(f && f->action == VDT_BLOCK && !f->policy);
  CHECK(!scan(&tight, VDT_RESPONSE, "sk_live_9aQzR7bYwK3mVtX2LpN8cDfG"));
  tight = on_top(&p, &a, &all);
  f = scan(&tight, VDT_RESPONSE, "the key is sk_live_9aQzR7bYwK3mVtX2LpN8cDfG");
  CHECK(f && f->action == VDT_REDACT && strcmp(f->policy, "all") == 0);
  CASE_END("what the policy below says about kinds counts as its word");
}

/* ---- streams ---------------------------------------------------------------------------------------------------- */

struct outcome {
  struct buf released;
  struct vdt_finding found[8];
  size_t n;
  bool cut;
};

static void stream(const struct vdt_policy *p, const char *text, size_t n, const size_t *cuts, size_t n_cuts, struct outcome *o)
{
  struct vdt_stream *s;
  struct vdt_release r;
  size_t at = 0, found;
  if (vdt_stream_new(rig_scanner, arena, p, VDT_RESPONSE, &s)) abort();
  for (size_t i = 0; i <= n_cuts; i++) {
    size_t to = i < n_cuts ? cuts[i] : n;
    if (vdt_stream_feed(s, text + at, to - at, &r)) abort();
    buf_put(&o->released, (struct str){r.p, r.n});
    o->cut |= r.cut;
    at = to;
  }
  if (vdt_stream_finish(s, &r)) abort();
  buf_put(&o->released, (struct str){r.p, r.n});
  o->cut |= r.cut;
  const struct vdt_finding *f = vdt_stream_findings(s, &found);
  o->n = found < 8 ? found : 8;
  memcpy(o->found, f, o->n * sizeof *f);
  vdt_stream_free(s);
}

static bool same(const struct outcome *a, const struct outcome *b)
{
  if (!str_eq(buf_str(&a->released), buf_str(&b->released)) || a->n != b->n || a->cut != b->cut) return false;
  for (size_t i = 0; i < a->n; i++)
    if (a->found[i].rule != b->found[i].rule || a->found[i].start != b->found[i].start ||
        a->found[i].action != b->found[i].action || a->found[i].policy != b->found[i].policy)
      return false;
  return true;
}

static void every_cut_gives_the_same(enum vdt_action action)
{
  static const char text[] =
      "Card " CARD " (visa, credit card number), token " PAT " and a mail to jane.doe@contoso.com, again " PAT ".";
  struct vdt_policy p = rig_policy(VDT_DETECT);
  CASE_BEGIN();
  struct data_policy a = about("tokens", "github-pat", VDT_BLOCK, action),
                     b = about("cards", "Credit Card Number", VDT_BLOCK, VDT_REDACT);
  struct vdt_policy tight = on_top(&p, &a, &b);
  struct outcome want = {0};
  stream(&tight, text, sizeof text - 1, NULL, 0, &want);
  CHECK(want.n >= (action >= VDT_CUT ? 1u : 3u) && want.cut == (action >= VDT_CUT));
  CHECK(str_find(buf_str(&want.released), STR(PAT)) == (size_t)-1 && str_find(buf_str(&want.released), STR(CARD)) == (size_t)-1);
  for (size_t i = 0; i < sizeof text - 1; i++)
    for (size_t j = i; j < sizeof text - 1; j += 7) {
      struct outcome got = {0};
      size_t cuts[] = {i, j};
      stream(&tight, text, sizeof text - 1, cuts, 2, &got);
      CHECK(same(&want, &got));
      buf_finish(&got.released);
    }
  buf_finish(&want.released);
  vdt_arena_reset(arena);
  CASE_END("streams: every cut gives the same text and findings, tokens %s", vdt_action_name(action));
}

/* ---- patterns --------------------------------------------------------------------------------------------------- */

static bool slow(const char *p, const char *t)
{
  if (!*p) return !*t;
  if (*p == '*') return slow(p + 1, t) || (*t && slow(p, t + 1));
  return *t && *p == *t && slow(p + 1, t + 1);
}

static void patterns(void)
{
  static const struct {
    const char *pattern, *text;
    bool is;
  } cases[] = {{"", "", true},
               {"", "a", false},
               {"*", "", true},
               {"*", "abc", true},
               {"a*", "a", true},
               {"a*", "ba", false},
               {"*@Contoso.com", "Jane@contoso.COM", true},
               {"*@contoso.com", "x@contoso.com.evil", false},
               {"ext-*-7", "ext-4-7", true},
               {"ext-*-7", "ext--7", true},
               {"ext-*-7", "ext-7", false},
               {"***", "x", true},
               {"a.c", "abc", false}};
  uint64_t seed = 11;
  CASE_BEGIN();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    CHECK(data_pattern_matches(str_of(cases[i].pattern), str_of(cases[i].text)) == cases[i].is);
  for (int i = 0; i < 20000; i++) {
    char p[8] = "", t[10] = "";
    for (size_t k = 0, n = rig_random(&seed) % 7; k < n; k++) p[k] = "ab**c"[rig_random(&seed) % 5];
    for (size_t k = 0, n = rig_random(&seed) % 9; k < n; k++) t[k] = "abc"[rig_random(&seed) % 3];
    CHECK(data_pattern_matches(str_of(p), str_of(t)) == slow(p, t));
  }
  char stars[64], text[4096];
  memset(text, 'a', sizeof text);
  for (size_t i = 0; i < sizeof stars; i++) stars[i] = i % 2 ? 'a' : '*';
  stars[63] = 'b';
  CHECK(!data_pattern_matches((struct str){stars, 64}, (struct str){text, sizeof text}));
  CASE_END("patterns: * is anything, letters in any case, 20,000 of them as a slow reader says, and no pattern takes long");
}

int main(void)
{
  rig_load();
  arena = vdt_arena_new(0);
  a_kind_is_a_rule_or_a_type();
  what_nothing_has_is_an_error();
  the_stricter_wins();
  others_stay_as_they_are();
  a_detector_that_is_off_is_read_for_these();
  documents_and_tool_calls();
  kinds_of_the_policy_below_count();
  every_cut_gives_the_same(VDT_REDACT);
  every_cut_gives_the_same(VDT_CUT);
  every_cut_gives_the_same(VDT_BLOCK);
  patterns();
  vdt_arena_free(arena);
  rig_unload();
  return test_end();
}
