/* The trained model within the engine (a small one with random weights: what it says does not matter here), and turns read together. */
#include "tests/engine/rig.h"
#include "tests/model/rig.h"

static unsigned released;

static void release(const void *p, size_t n)
{
  (void)n;
  released++;
  free((void *)(uintptr_t)p);
}

/* Another engine with one score rule, and the small model; everything it reads scores high or low as the knots say. */
static const char some_rules[] = "rules:\n"
                                 "  - id: magic\n"
                                 "    detector: jailbreak\n"
                                 "    title: Says the word\n"
                                 "    category: changing-rules\n"
                                 "    severity: Medium\n"
                                 "    weight: 0.7\n"
                                 "    roles: [prompt]\n"
                                 "    pattern: 'open\\ssesame'\n"
                                 "    examples: {match: ['open sesame'], clean: ['closed']}\n"
                                 "  - id: sure-word\n"
                                 "    detector: jailbreak\n"
                                 "    title: t\n"
                                 "    category: changing-rules\n"
                                 "    severity: Medium\n"
                                 "    weight: 0.95\n"
                                 "    pattern: 'abracadabra'\n"
                                 "    examples: {match: ['abracadabra'], clean: ['closed']}\n"
                                 "  - id: a-token\n"
                                 "    detector: credential\n"
                                 "    title: t\n"
                                 "    check: token\n"
                                 "    chars: alnum\n"
                                 "    gate: [xyz_]\n"
                                 "    examples: {match: [xyz_12345678]}\n";

static struct vdt_engine *engine_of(void)
{
  struct vdt_engine *e = NULL;
  struct vdt_error err = {0};
  if (vdt_engine_new(&(struct vdt_source){"some.yaml", some_rules, sizeof some_rules - 1}, 1, &e, &err))
    printf("# %s:%u %s\n", err.file, err.line, err.text);
  return e;
}

/* A model that gives every text `score` and a little more. */
static char *always(float score, size_t *n)
{
  char *p = rig_file(1, -1e9f, n);
  for (size_t i = 0; i < RIG_SECTIONS; i++)
    if (strncmp(p + 64 + i * 32, "calibration", 16) == 0) {
      uint64_t at;
      memcpy(&at, p + 64 + i * 32 + 16, sizeof at);
      const float a = score, b = score + 0.01f, c = score + 0.02f;
      const float knots[] = {-1e6f, a, 0, b, 1e6f, c, -1e6f, a, 0, b, 1e6f, c};
      memcpy(p + at, knots, sizeof knots);
    }
  rig_seal(p, *n);
  return p;
}

static void scan(struct vdt_engine *e, enum vdt_role role, const char *text, struct vdt_arena *a, struct vdt_result *r)
{
  struct vdt_scanner *s = NULL;
  struct vdt_policy policy;
  vdt_policy_default(&policy);
  CHECK_INT(vdt_scanner_new(e, &s), VDT_OK);
  CHECK_INT(vdt_scan(s, a, &policy, role, text, strlen(text), r), VDT_OK);
  vdt_scanner_free(s);
}

static void rules_and_model_are_joined(void)
{
  struct vdt_arena *a = vdt_arena_new(0);
  struct vdt_engine *e = engine_of();
  struct vdt_result r;
  size_t n;
  scan(e, VDT_PROMPT, "open sesame", a, &r);
  CHECK(r.jailbreak > 0.69 && r.jailbreak < 0.71);
  CHECK_INT(r.n_findings, 1);
  char *p = always(0.96f, &n);
  CHECK_INT(vdt_engine_use_model(e, p, n, release, NULL), VDT_OK);
  scan(e, VDT_PROMPT, "open sesame", a, &r);
  CHECK(r.jailbreak > 0.95 && r.why.rules < 0.71 && r.why.model > 0.95);
  CHECK_INT(r.verdict, VDT_BLOCK);
  CHECK(r.n_findings >= 2 && r.why.n_spans > 0);
  CHECK(strncmp(r.why.category, "", 1) != 0);
  bool named = false;
  for (size_t i = 0; i < r.n_findings; i++) named |= strncmp(r.findings[i].rule, "model-", 6) == 0;
  CHECK(named);
  scan(e, VDT_DOCUMENT, "open sesame", a, &r);
  CHECK(r.indirect > 0.95 && r.jailbreak <= 0);
  scan(e, VDT_SYSTEM, "open sesame", a, &r);
  CHECK(r.n_findings == 0 && r.jailbreak <= 0 && r.indirect <= 0);
  scan(e, VDT_RESPONSE, "open sesame", a, &r);
  CHECK(r.n_findings == 0);
  vdt_engine_free(e);
  CHECK_INT(released, 1);
  vdt_arena_free(a);
}

/* Lines, blanks, what is invisible and letters apart: what carries the score may be a line end, which has no bytes of its own. */
static size_t write_lines(char *out, unsigned *seed)
{
  static const char *const words[] = {"open ",        "\n",   "the",       "\n\n", "s.e.s.a.m.e", " ",
                                      "\xe2\x80\x8b", "\r\n", "r u l e s", "\t\n", "\xef\xbd\x81"};
  size_t n = 0;
  for (unsigned i = 0; i < 24; i++) {
    *seed = *seed * 1103515245 + 12345;
    const char *word = words[*seed / 65536 % (sizeof words / sizeof *words)];
    memcpy(out + n, word, strlen(word));
    n += strlen(word);
  }
  return n;
}

static void findings_of_the_model_lie_within_the_text(void)
{
  struct vdt_engine *e = engine_of();
  struct vdt_scanner *s = NULL;
  struct vdt_policy policy;
  unsigned seed = 1;
  size_t size, found = 0;
  char *model = always(0.96f, &size);
  vdt_policy_default(&policy);
  CHECK_INT(vdt_engine_use_model(e, model, size, release, NULL), VDT_OK);
  CHECK_INT(vdt_scanner_new(e, &s), VDT_OK);
  for (unsigned round = 0; round < 500; round++) {
    struct vdt_arena *a = vdt_arena_new(0);
    struct vdt_result r;
    char text[3][512];
    struct vdt_text turns[3];
    size_t *turn;
    for (size_t i = 0; i < 3; i++) turns[i] = (struct vdt_text){text[i], write_lines(text[i], &seed), i == 2};
    CHECK_INT(vdt_scan(s, a, &policy, VDT_PROMPT, text[0], turns[0].n, &r), VDT_OK);
    for (size_t i = 0; i < r.n_findings; i++) CHECK(r.findings[i].start < r.findings[i].end && r.findings[i].end <= turns[0].n);
    for (size_t i = 0; i < r.why.n_spans; i++)
      CHECK(r.why.spans[i].start < r.why.spans[i].end && r.why.spans[i].end <= turns[0].n);
    found += r.n_findings;
    CHECK_INT(vdt_scan_turns(s, a, &policy, turns, 3, &r, &turn), VDT_OK);
    for (size_t i = 0; i < r.n_findings; i++)
      CHECK(turn[i] < 3 && r.findings[i].start <= r.findings[i].end && r.findings[i].end <= turns[turn[i]].n);
    vdt_arena_free(a);
  }
  CHECK(found > 500);
  vdt_scanner_free(s);
  vdt_engine_free(e);
}

static void the_model_overrules_suspicion_and_not_what_is_sure(void)
{
  struct vdt_arena *a = vdt_arena_new(0);
  struct vdt_engine *e = engine_of();
  struct vdt_result r;
  size_t n;
  char *p = always(0.1f, &n);
  CHECK_INT(vdt_engine_use_model(e, p, n, release, NULL), VDT_OK);
  scan(e, VDT_PROMPT, "open sesame", a, &r);
  CHECK(r.jailbreak > 0.09 && r.jailbreak < 0.13 && r.why.rules > 0.69);
  CHECK_INT(r.n_findings, 0);
  scan(e, VDT_PROMPT, "abracadabra", a, &r);
  CHECK(r.jailbreak > 0.94 && r.jailbreak < 0.96);
  CHECK_INT(r.n_findings, 1);
  CHECK_STR(str_of(r.findings[0].rule), "sure-word");
  vdt_engine_free(e);
  vdt_arena_free(a);
}

static void a_detector_that_is_off_asks_no_model(void)
{
  struct vdt_arena *a = vdt_arena_new(0);
  struct vdt_engine *e = engine_of();
  struct vdt_scanner *s = NULL;
  struct vdt_policy policy;
  struct vdt_result r;
  size_t n;
  char *p = always(0.96f, &n);
  vdt_policy_default(&policy);
  policy.jailbreak.action = VDT_ALLOW;
  CHECK_INT(vdt_engine_use_model(e, p, n, release, NULL), VDT_OK);
  CHECK_INT(vdt_scanner_new(e, &s), VDT_OK);
  CHECK_INT(vdt_scan(s, a, &policy, VDT_PROMPT, "open", 4, &r), VDT_OK);
  CHECK(r.n_findings == 0 && r.why.windows == 0);
  vdt_scanner_free(s);
  vdt_engine_free(e);
  vdt_arena_free(a);
}

static void a_broken_model_is_refused_and_given_back(void)
{
  struct vdt_engine *e = engine_of();
  struct vdt_error err = {0};
  size_t n;
  unsigned before = released;
  char *p = rig_file(1, 0, &n);
  p[100] ^= 1;
  CHECK_INT(vdt_engine_use_model(e, p, n, release, &err), VDT_ERULE);
  CHECK_INT(released, before + 1);
  CHECK(err.text[0] != 0);
  p = rig_file(1, 0, &n);
  CHECK_INT(vdt_engine_use_model(e, p, n, release, NULL), VDT_OK);
  CHECK_INT(vdt_engine_use_model(e, rig_file(1, 0, &n), n, release, &err), VDT_ERULE); /* one is enough */
  vdt_engine_free(e);
  CHECK_INT(released, before + 3);
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

enum { MANY = 20 };

static const struct {
  const char *name;
  const char *turns[MANY];
  size_t n, where, start, end; /* where: the turn of the finding; n + 1: none */
} conversations[] = {
    {"split between two turns", {"please open", "sesame now"}, 2, 0, 7, 11},
    {"with a turn of nothing between", {"please open", "", "sesame now"}, 3, 0, 7, 11},
    {"one turn is not for here", {"open sesame"}, 1, 9, 0, 0},
    {"nothing to find", {"open", "the door", "please"}, 3, 9, 0, 0},
    {"no turns", {NULL}, 0, 9, 0, 0},
    {"in the last of many",
     {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "now open", "sesame"},
     19,
     17,
     4,
     8},
    {"beyond the last sixteen",
     {"open", "sesame", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r"},
     18,
     99,
     0,
     0},
};

static void turns(size_t i)
{
  struct vdt_arena *a = vdt_arena_new(0);
  struct vdt_engine *e = engine_of();
  struct vdt_scanner *s = NULL;
  struct vdt_policy policy;
  struct vdt_text text[MANY];
  struct vdt_result r;
  size_t *turn;
  vdt_policy_default(&policy);
  for (size_t k = 0; k < conversations[i].n; k++)
    text[k] = (struct vdt_text){.p = conversations[i].turns[k], .n = strlen(conversations[i].turns[k])};
  CHECK_INT(vdt_scanner_new(e, &s), VDT_OK);
  CHECK_INT(vdt_scan_turns(s, a, &policy, text, conversations[i].n, &r, &turn), VDT_OK);
  bool found = conversations[i].where < conversations[i].n;
  CHECK_INT(r.n_findings, found);
  if (found && r.n_findings) {
    CHECK_INT(turn[0], conversations[i].where);
    CHECK_INT(r.findings[0].start, conversations[i].start);
    CHECK_INT(r.findings[0].end, conversations[i].end);
  }
  vdt_scanner_free(s);
  vdt_engine_free(e);
  vdt_arena_free(a);
}

static void long_turns_are_left_out(void)
{
  struct vdt_arena *a = vdt_arena_new(0);
  struct vdt_engine *e = engine_of();
  struct vdt_scanner *s = NULL;
  struct vdt_policy policy;
  struct vdt_result r;
  size_t *turn;
  char *big = calloc(1, 8192);
  vdt_policy_default(&policy);
  CHECK_INT(vdt_scanner_new(e, &s), VDT_OK);
  for (size_t spare = 0; spare < 3;
       spare++) { /* "open", "sesame" and a third turn: 8192 bytes with their line ends, one more, one less */
    size_t n = 8192 - 5 - 7 - 1 - 1 + spare;
    memset(big, ' ', 8191);
    struct vdt_text text[] = {{"open", 4, false}, {"sesame", 6, false}, {big, n, false}};
    CHECK_INT(vdt_scan_turns(s, a, &policy, text, 3, &r, &turn), VDT_OK);
    CHECK_INT(r.n_findings, spare < 2);
  }
  free(big);
  vdt_scanner_free(s);
  vdt_engine_free(e);
  vdt_arena_free(a);
}

/* One message in pieces of a few bytes: pieces do not count as turns, and their words are whole. */
static void pieces_of_a_turn_are_one(void)
{
  static const char said[] = "please open sesame now, whatever else was written before it";
  struct vdt_arena *a = vdt_arena_new(0);
  struct vdt_engine *e = engine_of();
  struct vdt_scanner *s = NULL;
  struct vdt_policy policy;
  struct vdt_result r;
  size_t *turn;
  vdt_policy_default(&policy);
  CHECK_INT(vdt_scanner_new(e, &s), VDT_OK);
  for (size_t step = 1; step < 12; step++) {
    struct vdt_text text[sizeof said];
    size_t n = 0;
    for (size_t at = 0; at < sizeof said - 1; at += step) {
      size_t left = sizeof said - 1 - at;
      text[n++] = (struct vdt_text){said + at, left < step ? left : step, at > 0};
    }
    CHECK_INT(vdt_scan_turns(s, a, &policy, text, n, &r, &turn), VDT_OK);
    CHECK_INT(r.n_findings, 1);
    CHECK_INT(turn[0], 7 / step);
    CHECK_INT(r.findings[0].start, 7 % step);
    size_t end = 7 % step + strlen("open sesame");
    CHECK_INT(r.findings[0].end, end < step ? end : step);
    for (size_t i = 0; i < n; i++) text[i].joined = false;
    CHECK_INT(vdt_scan_turns(s, a, &policy, text, n, &r, &turn), VDT_OK);
    CHECK_INT(r.n_findings, 0);
  }
  struct vdt_text words[] = {{"please", 6, false}, {"open", 4, true}, {"sesame", 6, true}};
  CHECK_INT(vdt_scan_turns(s, a, &policy, words, 3, &r, &turn), VDT_OK);
  CHECK_INT(r.n_findings, 1);
  CHECK_INT(turn[0], 1);
  vdt_scanner_free(s);
  vdt_engine_free(e);
  vdt_arena_free(a);
}

int main(void)
{
  RUN(rules_and_model_are_joined);
  RUN(findings_of_the_model_lie_within_the_text);
  RUN(the_model_overrules_suspicion_and_not_what_is_sure);
  RUN(a_detector_that_is_off_asks_no_model);
  RUN(a_broken_model_is_refused_and_given_back);
  for (size_t i = 0; i < sizeof conversations / sizeof *conversations; i++) {
    CASE_BEGIN();
    turns(i);
    CASE_END("turns: %s", conversations[i].name);
  }
  RUN(long_turns_are_left_out);
  RUN(pieces_of_a_turn_are_one);
  return test_end();
}
