/* Blocklists: what is the phrase, what only holds it, and where it stands in the original; whole, decoded, and cut anywhere. */
#include "tests/test.h"
#include "engine/blocklist.h"
#include "engine/scanner.h"
#include "base/error.h"

static const char rules[] =
    "rules:\n"
    "  - {id: test-token, detector: credential, title: A token, confidence: 95, gate: [tok_], check: token, chars: "
    "alnum, min: 20, max: 20,\n"
    "     examples: {match: [tok_q8Zr4Lw1Xv7Np2Kd9Jb3], clean: [tok_ is short]}}\n";
static const char *const names[] = {"watched", "masked", "cutting"};
enum { WATCHED, MASKED, CUTTING, LISTS };
#define PHRASE(text, list)                                                                                                       \
  {                                                                                                                              \
    text, sizeof(text) - 1, list                                                                                                 \
  }
static const struct vdt_phrase phrases[] = {
    PHRASE("Project Falcon", WATCHED),
    PHRASE("caf\xC3\xA9", WATCHED),
    PHRASE("C++", WATCHED),
    PHRASE("\xD0\xA1\xD0\x95\xD0\x9A\xD0\xA0\xD0\x95\xD0\xA2", WATCHED), /* "SEKRET" in Cyrillic capitals */
    PHRASE("blue heron", MASKED),
    PHRASE("blue heron nest", MASKED),
    PHRASE("heron nest two", MASKED),
    PHRASE("red line", CUTTING)};
enum { PHRASES = sizeof phrases / sizeof *phrases };

static struct vdt_engine *engine;
static struct vdt_scanner *scanner;
static struct vdt_blocklist *blocklist;
static struct vdt_policy policy;
static const enum vdt_action actions[LISTS] = {VDT_DETECT, VDT_REDACT, VDT_CUT};

static void load(void)
{
  struct vdt_error err = {0};
  struct vdt_source source = {"test.yaml", rules, sizeof rules - 1};
  if (vdt_engine_new(&source, 1, &engine, &err) || vdt_scanner_new(engine, &scanner) ||
      vdt_blocklist_new(phrases, PHRASES, names, LISTS, &blocklist, &err)) {
    printf("Bail out! %s\n", err.text);
    exit(1);
  }
  vdt_policy_default(&policy);
  policy.phrases = (struct vdt_phrases){blocklist, actions};
}

/* ---- whole texts ------------------------------------------------------------------------------------------------ */

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

static int scan(enum vdt_role role, struct str text, struct vdt_arena *arena, struct vdt_result *r)
{
  return vdt_scan(scanner, arena, &policy, role, text.p, text.n, r);
}

static void whole_texts(struct vdt_arena *arena)
{
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct vdt_result r;
    CASE_BEGIN();
    CHECK_INT(scan(VDT_PROMPT, str_of(cases[i].text), arena, &r), 0);
    CHECK_INT(r.n_findings, cases[i].phrase >= 0);
    if (r.n_findings) {
      CHECK_INT(r.findings->detector, VDT_DET_BLOCKLIST);
      CHECK_STR(str_of(r.findings->rule), "watched");
      CHECK_INT(r.findings->item, cases[i].phrase);
      CHECK_INT(r.findings->start, cases[i].start);
      CHECK_INT(r.findings->end, cases[i].end);
    }
    CASE_END("%s", cases[i].text);
  }
}

static void decoded_texts(struct vdt_arena *arena)
{
  static const char *const encoded[] = {"see UHJvamVjdCBGYWxjb24gaXMgdG8gYmUga2VwdCBzZWNyZXQ=", "Project%20Falcon%20is%20late"};
  static const char *const layers[] = {"base64", "percent"};
  for (size_t i = 0; i < 2; i++) {
    struct vdt_result r;
    CASE_BEGIN();
    CHECK_INT(scan(VDT_RESPONSE, str_of(encoded[i]), arena, &r), 0);
    CHECK_INT(r.n_findings, 1);
    if (r.n_findings) {
      CHECK_INT(r.findings->n_layers, 1);
      CHECK_STR(str_of(r.findings->layers[0]), layers[i]);
      CHECK_INT(r.findings->item, 0);
    }
    CASE_END("a phrase under %s", layers[i]);
  }
}

/* ---- streams ---------------------------------------------------------------------------------------------------- */

#define TOKEN "tok_q8Zr4Lw1Xv7Np2Kd9Jb3"
static const struct {
  const char *text, *out;
} streams[] = {
    {"nothing here", "nothing here"},
    {"about project falcon now", "about project falcon now"},
    {"a blue heron.", "a [REDACTED:masked]."},
    {"a Blue HERON", "a [REDACTED:masked]"},
    {"blue herons, a blue he", "blue herons, a blue he"},
    {"a blue heron nest two", "a [REDACTED:masked]"},
    {"blue heron ne", "[REDACTED:masked] ne"},
    {"bl\xC3\xBC"
     "e h\xE2\x80\x8B"
     "eron\xE2\x80\x8B!",
     "[REDACTED:masked]\xE2\x80\x8B!"},
    {"go to the red line and on", "go to the "},
    {"blue heron red line", "[REDACTED:masked] "},
    {"red lines", "red lines"},
    {"blue heron " TOKEN " caf\xC3\xA9", "[REDACTED:masked] [REDACTED:test-token] caf\xC3\xA9"},
    {TOKEN " blue heron", "[REDACTED:test-token] [REDACTED:masked]"},
    {"red " TOKEN " line", "red [REDACTED:test-token] line"},
    {"blue blue blue heron heron", "blue blue [REDACTED:masked] heron"},
};

struct outcome {
  struct buf out;
  const struct vdt_finding *findings;
  size_t n;
  bool cut;
};

static void put(struct outcome *o, const struct vdt_release *r)
{
  buf_put(&o->out, (struct str){r->p, r->n});
  o->cut |= r->cut;
}

/* Feeds pieces of these sizes in turn. */
static bool feed(struct vdt_arena *arena, struct str text, const size_t sizes[2], struct outcome *o)
{
  struct vdt_stream *s;
  struct vdt_release r;
  *o = (struct outcome){0};
  if (vdt_stream_new(scanner, arena, &policy, VDT_RESPONSE, &s)) return false;
  bool ok = true;
  for (size_t at = 0, k = 0; ok && at < text.n; k++) {
    size_t n = sizes[k & 1] < text.n - at ? sizes[k & 1] : text.n - at;
    ok = !vdt_stream_feed(s, text.p + at, n, &r);
    put(o, &r);
    at += n;
  }
  ok = ok && !vdt_stream_finish(s, &r);
  if (ok) put(o, &r);
  o->findings = vdt_stream_findings(s, &o->n);
  vdt_stream_free(s);
  return ok && !o->out.failed;
}

/* What the whole text gives, up to what cut the stream. */
static bool same_findings(const struct outcome *o, const struct vdt_result *r)
{
  if (o->n > r->n_findings || (!o->cut && o->n != r->n_findings)) return false;
  for (size_t i = 0; i < o->n; i++)
    if (o->findings[i].start != r->findings[i].start || o->findings[i].end != r->findings[i].end ||
        strcmp(o->findings[i].rule, r->findings[i].rule) != 0)
      return false;
  return true;
}

static void cut_anywhere(struct vdt_arena *arena)
{
  for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
    struct str text = str_of(streams[i].text);
    struct vdt_result whole;
    CASE_BEGIN();
    CHECK_INT(scan(VDT_RESPONSE, text, arena, &whole), 0);
    for (size_t a = 1; a <= text.n; a++)
      for (size_t b = 1; b <= text.n; b += a > 3 ? 5 : 1) {
        struct outcome o;
        CHECK(feed(arena, text, (size_t[]){a, b}, &o));
        CHECK(str_eq(buf_str(&o.out), str_of(streams[i].out)));
        CHECK(same_findings(&o, &whole));
        CHECK_INT(o.cut, whole.verdict == VDT_CUT);
        buf_finish(&o.out);
      }
    CASE_END("cut anywhere: %s", streams[i].text);
  }
}

/* Random words: every cut gives what one piece gives, and nothing masked is seen. */
static void random_words(struct vdt_arena *arena)
{
  static const char *const words[] = {"blue ",    "heron ", "nest",         " two", "red",     " line ",
                                      "project ", "falcon", "caf\xC3\xA9 ", "x",    TOKEN " ", "\xE2\x80\x8B"};
  uint64_t seed = 88172645463325252u;
  CASE_BEGIN();
  for (size_t round = 0; round < 2000; round++) {
    struct buf b = {0};
    struct outcome o, p;
    struct vdt_result whole;
    vdt_arena_reset(arena);
    for (size_t k = 0; k < 12; k++) {
      seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
      buf_put(&b, str_of(words[seed % (sizeof words / sizeof *words)]));
    }
    CHECK_INT(scan(VDT_RESPONSE, buf_str(&b), arena, &whole), 0);
    CHECK(feed(arena, buf_str(&b), (size_t[]){b.n, 1}, &o) &&
          feed(arena, buf_str(&b), (size_t[]){1 + seed % 7, 1 + seed % 3}, &p));
    CHECK(str_eq(buf_str(&o.out), buf_str(&p.out)));
    CHECK(same_findings(&o, &whole) && same_findings(&p, &whole) && o.n == p.n);
    buf_finish(&o.out);
    buf_finish(&p.out);
    buf_finish(&b);
  }
  CASE_END("random words");
}

/* Only what may yet be a phrase that must not leave waits. */
static void held_back(struct vdt_arena *arena)
{
  static const struct {
    const char *text;
    size_t held;
  } rows[] = {{"a project", 0},     {"a blue", 4},         {"a bluer", 0},       {"the red", 3},
              {"a blue heron", 10}, {"a blue heron ", 11}, {"a blue heron x", 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct vdt_stream *s;
    struct vdt_release r;
    struct str text = str_of(rows[i].text);
    bool masked = i + 1 == sizeof rows / sizeof *rows;
    CASE_BEGIN();
    CHECK_INT(vdt_stream_new(scanner, arena, &policy, VDT_RESPONSE, &s), 0);
    CHECK_INT(vdt_stream_feed(s, text.p, text.n, &r), 0);
    CHECK_INT(r.n, masked ? strlen("a [REDACTED:masked] x") : text.n - rows[i].held);
    vdt_stream_free(s);
    CASE_END("held back of \"%s\"", rows[i].text);
  }
}

/* A large piece is worked on in slices, which shows nowhere. */
static void large(struct vdt_arena *arena)
{
  struct buf b = {0};
  struct outcome o;
  CASE_BEGIN();
  for (size_t i = 0; i < 8192; i++) BUF_LIT(&b, "a blue heron, ");
  CHECK(feed(arena, buf_str(&b), (size_t[]){b.n, 1}, &o));
  CHECK_INT(o.out.n, 8192 * strlen("a [REDACTED:masked], "));
  CHECK_INT(o.n, 4096);
  buf_finish(&o.out);
  buf_finish(&b);
  CASE_END("a large piece");
}

/* ---- phrases ---------------------------------------------------------------------------------------------------- */

static void what_is_a_phrase(void)
{
  char long_one[BLOCKLIST_PHRASE_MAX + 2];
  memset(long_one, 'x', sizeof long_one);
  CASE_BEGIN();
  CHECK(vdt_blocklist_is_phrase(STR("a b")) && !vdt_blocklist_is_phrase(STR("")) && !vdt_blocklist_is_phrase(STR("  ")));
  CHECK(!vdt_blocklist_is_phrase(STR("a\tb")) && !vdt_blocklist_is_phrase(STR("\xff")));
  CHECK(vdt_blocklist_is_phrase((struct str){long_one, BLOCKLIST_PHRASE_MAX}));
  CHECK(!vdt_blocklist_is_phrase((struct str){long_one, BLOCKLIST_PHRASE_MAX + 1}));
  CASE_END("what may be a phrase");
}

int main(void)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)256 << 20);
  load();
  whole_texts(arena);
  decoded_texts(arena);
  cut_anywhere(arena);
  random_words(arena);
  held_back(arena);
  large(arena);
  what_is_a_phrase();
  vdt_blocklist_free(blocklist);
  vdt_scanner_free(scanner);
  vdt_engine_free(engine);
  vdt_arena_free(arena);
  return test_end();
}
