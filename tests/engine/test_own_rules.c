/* Rules that users write: expressions behind gates, checksums by name, whole and cut; and compiling them over and over keeps no memory. */
#include "base/arena.h"
#include "base/buf.h"
#include "engine/engine.h"
#include "tests/test.h"
#include <malloc.h>

static const char own[] =
    "rules:\n"
    "  - id: acme-key\n    detector: credential\n    title: Acme key\n    gate: [acme_]\n    check: regex\n"
    "    regex: 'acme_(live|test)_[0-9a-f]{8,12}\\b'\n    examples: {match: [x]}\n"
    "  - id: acme-number\n    detector: sensitive\n    title: Acme number\n    gate: [C-]\n    check: regex\n"
    "    regex: 'C-[0-9]{4}-[0-9]{6}'\n    checksum: luhn\n    words: [customer]\n    examples: {match: [x]}\n"
    "  - id: acme-letters\n    detector: credential\n    title: Acme letters\n    gate: ['h::']\n    check: regex\n"
    "    regex: 'h::[bdf]{4,900}x?'\n    chars: '=bdf'\n    min: 4\n    examples: {match: [x]}\n";

static struct vdt_engine *engine;
static struct vdt_scanner *scanner;

static int build(const char *text, struct vdt_engine **out, struct vdt_error *err)
{
  struct vdt_source file = {"own.yaml", text, strlen(text)};
  return vdt_engine_new(&file, 1, out, err);
}

static struct vdt_policy policy(enum vdt_action action)
{
  struct vdt_policy p;
  vdt_policy_default(&p);
  p.credential.response = p.sensitive.response = action;
  p.sensitive.minimum_confidence = 50;
  return p;
}

/* Which rule is found where, as "rule@start-end ". */
static void found(const char *text, const char *want)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_policy p = policy(VDT_DETECT);
  struct vdt_result r;
  struct buf got = {0};
  CHECK_INT(vdt_scan(scanner, arena, &p, VDT_RESPONSE, text, strlen(text), &r), VDT_OK);
  for (size_t i = 0; i < r.n_findings; i++)
    buf_printf(&got, "%s@%u-%u ", r.findings[i].rule, (unsigned)r.findings[i].start, (unsigned)r.findings[i].end);
  CHECK_STR(got.n ? buf_str(&got) : STR(""), want);
  buf_finish(&got);
  vdt_arena_free(arena);
}

static void expressions(void)
{
  found("acme_live_0a1b2c3d", "acme-key@0-18 ");
  found("(acme_test_0a1b2c3d4e5f)", "acme-key@1-23 ");
  found("acme_test_0a1b2c3d4e5f6", "");
  found("acme_prod_0a1b2c3d", "");
  found("xacme_live_0a1b2c3d", "");
  found("acme_live_0a1b2c3 acme_live_9a1b2c3d", "acme-key@18-36 ");
}

static void checksums_and_words(void)
{
  found("customer C-7992-739875", "acme-number@9-22 ");
  found("customer C-7992-739876", "");
  found("number C-7992-739875", "");
}

/* However the text is cut, the mask is the same. */
static void every_cut(void)
{
  static const char text[] = "key acme_live_0a1b2c3d, customer C-7992-739875; acme_ alone";
  static const char want[] = "key [REDACTED:acme-key], customer [REDACTED:acme-number]; acme_ alone";
  struct vdt_policy p = policy(VDT_REDACT);
  for (size_t cut = 0; cut < sizeof text; cut++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    struct vdt_stream *s;
    struct vdt_release r;
    struct buf out = {0};
    CHECK_INT(vdt_stream_new(scanner, arena, &p, VDT_RESPONSE, &s), VDT_OK);
    vdt_stream_feed(s, text, cut, &r);
    buf_put(&out, (struct str){r.p, r.n});
    vdt_stream_feed(s, text + cut, sizeof text - 1 - cut, &r);
    buf_put(&out, (struct str){r.p, r.n});
    vdt_stream_finish(s, &r);
    buf_put(&out, (struct str){r.p, r.n});
    CHECK_STR(buf_str(&out), want);
    buf_finish(&out);
    vdt_stream_free(s);
    vdt_arena_free(arena);
  }
}

/* With chars and min a stream waits for no more than a match may be. */
static void bytes_of_a_match(void)
{
  static const struct {
    const char *text;
    size_t leaves;
  } feeds[] = {
      {"say h::bdf", 4}, {"say h::bdf ", 11}, {"say h::bdf-bdfb and so on", 25}, {"say h::bdfb", 4}, {"say h::bdfb!", 28}};
  struct vdt_policy p = policy(VDT_REDACT);
  found("h::bdf", "");
  found("h::bdf,", "");
  found("h::bdfb", "acme-letters@0-7 ");
  found("h::bdfbd, h::bdf", "acme-letters@0-8 ");
  found("h::bdfbx", "acme-letters@0-7 "); /* x is in the expression, and not in chars */
  for (size_t i = 0; i < sizeof feeds / sizeof *feeds; i++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    struct vdt_stream *s;
    struct vdt_release r;
    CHECK_INT(vdt_stream_new(scanner, arena, &p, VDT_RESPONSE, &s), VDT_OK);
    CHECK_INT(vdt_stream_feed(s, feeds[i].text, strlen(feeds[i].text), &r), VDT_OK);
    CHECK_INT(r.n, feeds[i].leaves); /* "[REDACTED:acme-letters]" is 23 bytes */
    vdt_stream_free(s);
    vdt_arena_free(arena);
  }
}

#define HEAD                                                                                                                     \
  "rules:\n  - id: a\n    detector: credential\n    title: t\n    gate: [ab]\n    check: regex\n    examples: {match: [x]}\n"
static const struct {
  const char *what, *text, *says;
} wrong[] = {
    {"no regex", HEAD, "needs a regex"},
    {"unbounded", HEAD "    regex: 'ab+'\n", "at most 1024 bytes"},
    {"1,025 bytes wide", HEAD "    regex: 'ab.{1023}'\n", "at most 1024 bytes"},
    {"matches nothing", HEAD "    regex: '(ab)?'\n", "nothing at all"},
    {"lookahead", HEAD "    regex: '(?=a)ab'\n", "not supported"},
    {"broken", HEAD "    regex: '(ab'\n", "regex:"},
    {"unknown checksum", HEAD "    regex: 'ab'\n    checksum: lunh\n", "did you mean \"luhn\"?"},
    {"left", HEAD "    regex: 'ab'\n    left: {chars: alnum, max: 3}\n", "no left"},
    {"regex of another check",
     "rules:\n  - id: a\n    detector: credential\n    title: t\n    gate: [ab]\n    check: token\n    regex: ab\n    examples: "
     "{match: [x]}\n",
     "are of check: regex"},
};

static void refused(size_t i)
{
  struct vdt_engine *e = NULL;
  struct vdt_error err = {0};
  CASE_BEGIN();
  CHECK_INT(build(wrong[i].text, &e, &err), VDT_ERULE);
  CHECK(err.line > 0);
  if (str_find(str_of(err.text), str_of(wrong[i].says)) == (size_t)-1) {
    printf("# says \"%s\"\n", err.text);
    test_failed = true;
  }
  CASE_END("refused: %s", wrong[i].what);
}

static void widest_is_fine(void)
{
  struct vdt_engine *e = NULL;
  struct vdt_error err = {0};
  CHECK_INT(build(HEAD "    regex: 'ab.{1022}'\n", &e, &err), VDT_OK);
  vdt_engine_free(e);
}

static const struct {
  const char *name, *good, *bad;
} sums[] = {{"luhn", "79927398713", "79927398714"},
            {"mod97", "3214282912345698765432161182", "3214282912345698765432161183"},
            {"mod11-2", "0000000121032683", "0000000121032684"},
            {"mod11-2", "000000021694233X", "0000000216942330"},
            {"mod11-10", "07945", "07946"},
            {"verhoeff", "2363", "2364"},
            {"damm", "5724", "5727"}};

static void sum(size_t i)
{
  const struct checksum *c = checksums;
  CASE_BEGIN();
  while (c->name && strcmp(c->name, sums[i].name) != 0) c++;
  CHECK(c->fn && c->fn(str_of(sums[i].good)));
  CHECK(c->fn && !c->fn(str_of(sums[i].bad)));
  CASE_END("checksum %s: %s holds, %s does not", sums[i].name, sums[i].good, sums[i].bad);
}

/* Expressions that Vectorscan's block mode would end the process with (engine/whole.h): phrase, gate and regex. */
static const char from_the_end[] =
    "rules:\n"
    "  - id: phrase\n    detector: jailbreak\n    title: Phrase\n    category: changing-rules\n    weight: 0.9\n    roles: "
    "[prompt]\n"
    "    pattern: '[xX]\\s[^\\n]{0,9}[0-9]+ab'\n    examples: {match: [x]}\n"
    "  - id: gate\n    detector: credential\n    title: Gate\n    confidence: 90\n    pattern: "
    "'[xX]\\s[^\\n]{0,9}[0-9]{1,3}ab'\n    check: marked\n"
    "    left: {chars: '=xX0-9ab ', first: '=xX', max: 16}\n    chars: digit\n    min: 8\n    max: 8\n    examples: {match: "
    "[x]}\n"
    "  - id: regex\n    detector: credential\n    title: Regex\n    confidence: 90\n    gate: [zq]\n    check: regex\n"
    "    regex: 'zq[^\\n]{0,900}y[xX][^\\n]{1,9}ab'\n    examples: {match: [x]}\n";

static size_t findings_in(struct vdt_scanner *s, enum vdt_role role, struct str text)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_policy p = policy(VDT_DETECT);
  struct vdt_result r;
  CHECK_INT(vdt_scan(s, arena, &p, role, text.p, text.n, &r), VDT_OK);
  size_t n = r.n_findings;
  vdt_arena_free(arena);
  return n;
}

static void what_is_looked_for_from_the_end(void)
{
  static const size_t sizes[] = {64, 254, 255, 256, 1024, 8192};
  struct vdt_engine *e = NULL;
  struct vdt_scanner *s = NULL;
  struct vdt_error err = {0};
  CHECK_STR(build(from_the_end, &e, &err) ? str_of(err.text) : STR(""), "");
  if (test_failed) return;
  CHECK_INT(vdt_scanner_new(e, &s), VDT_OK);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char text[8192 + 1];
    for (size_t k = 0; k < sizes[i]; k++) text[k] = "7f3Kq9Zr2mT5w"[k % 13];
    CHECK_INT(findings_in(s, VDT_PROMPT, (struct str){text, sizes[i]}), 0);
    memcpy(text + 1, "x 42ab", 6);
    CHECK_INT(findings_in(s, VDT_PROMPT, (struct str){text, sizes[i]}), 1);
    memcpy(text + 20, " zq", 3);
    memcpy(text + 40, "yx1ab", 5);
    CHECK_INT(findings_in(s, VDT_RESPONSE, (struct str){text, sizes[i]}), 1);
  }
  vdt_scanner_free(s);
  vdt_engine_free(e);
}

/* What a reload does: the new rules are compiled beside the old ones, scanned with, and given back. */
static void many_reloads(void)
{
  enum { RELOADS = TEST_SANITIZED ? 20 : 1000, FIRST = RELOADS / 10 };
  size_t first = 0, last = 0;
  for (unsigned i = 0; i < RELOADS && !test_failed; i++) {
    struct vdt_engine *e = NULL;
    struct vdt_scanner *s = NULL;
    struct vdt_error err = {0};
    CHECK_INT(build(own, &e, &err), VDT_OK);
    CHECK_INT(vdt_scanner_new(e, &s), VDT_OK);
    vdt_scanner_free(s);
    vdt_engine_free(e);
    if (i + 1 == FIRST) first = mallinfo2().uordblks;
  }
  last = mallinfo2().uordblks;
  printf("# in use after %d reloads: %zu bytes, after %d: %zu\n", FIRST, first, RELOADS, last);
  CHECK(last <= first + 65536); /* malloc counts its own caches: 73 bytes a reload would show */
}

int main(void)
{
  struct vdt_error err = {0};
  if (build(own, &engine, &err) || vdt_scanner_new(engine, &scanner)) {
    printf("Bail out! own.yaml:%u: %s\n", err.line, err.text);
    return 1;
  }
  RUN(expressions);
  RUN(checksums_and_words);
  RUN(every_cut);
  RUN(bytes_of_a_match);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) refused(i);
  RUN(widest_is_fine);
  for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) sum(i);
  vdt_scanner_free(scanner);
  vdt_engine_free(engine);
  RUN(what_is_looked_for_from_the_end);
  RUN(many_reloads);
  return test_end();
}
