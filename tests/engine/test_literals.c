/*
 * The search for gates in few bytes: it reports what Vectorscan does for the shipped rules, however the text is cut, and what a plain comparison
 * does for literals of every length; expressions that it cannot know are left to Vectorscan.
 */
#include "base/arena.h"
#include "engine/scanner.h"
#include "tests/engine/rig.h"

enum { HITS = 1 << 16 };

struct hits {
  uint64_t v[HITS]; /* end and pattern */
  size_t n;
};

static int note(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
  struct hits *h = context;
  (void)from, (void)flags;
  if (h->n < HITS) h->v[h->n++] = (uint64_t)to << 16 | id;
  return 0;
}

static int by_value(const void *a, const void *b)
{
  const uint64_t *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

/* In order of ends, and of patterns at one end; ends must come so. */
static bool same(struct hits *got, struct hits *want)
{
  for (size_t i = 1; i < got->n; i++)
    if (got->v[i] >> 16 < got->v[i - 1] >> 16) return false;
  qsort(got->v, got->n, sizeof *got->v, by_value);
  qsort(want->v, want->n, sizeof *want->v, by_value);
  return got->n == want->n && (!got->n || memcmp(got->v, want->v, got->n * sizeof *got->v) == 0);
}

static void find_in_cuts(const struct literals *l, struct str text, size_t step, struct hits *out)
{
  out->n = 0;
  for (size_t at = 0; at < text.n; at += step)
    literals_find(l, (const unsigned char *)text.p, at, at + step < text.n ? at + step : text.n, 0, note, out);
}

static struct hits got, want;

/* ---- the shipped rules -------------------------------------------------------------------------------------------- */

/* Gates, in any case and without their last byte, between other bytes. */
static void make_text(struct buf *out, uint64_t *seed)
{
  static const char glue[] = "  \n\t_-.:/=\"'<>(){}aZ09@+%\xC3\xA4\x80";
  buf_reset(out);
  while (out->n < 3000) {
    const struct pattern *p = &rig_engine->patterns[rig_random(seed) % rig_engine->n_stream];
    uint64_t how = rig_random(seed);
    for (size_t i = 0; p->literal && i < p->text.n - (how % 5 == 0); i++) {
      unsigned char c = (unsigned char)p->text.p[i], small = c | 32;
      buf_byte(out, (char)(how % 3 == 1 && small >= 'a' && small <= 'z' ? c ^ 32 : c));
    }
    for (uint64_t n = how >> 8 & 3; n > 0; n--) buf_byte(out, glue[rig_random(seed) % (sizeof glue - 1)]);
    if (how >> 16 & 1) BUF_LIT(out, "oDiwmteznzc2");
  }
}

static void as_vectorscan(void)
{
  static const size_t cuts[] = {1, 3, 7, 63, 64, 65, 1000, 4096};
  uint64_t seed = 77;
  struct buf text = {0};
  size_t all = 0, bad = 0;
  hs_database_t *gates = rig_gates(HS_MODE_BLOCK);
  CHECK(rig_engine->literals.complete && !rig_engine->gates && !rig_engine->stream);
  for (unsigned round = 0; round < 40; round++) {
    make_text(&text, &seed);
    want.n = 0;
    if (hs_scan(gates, text.p, (unsigned)text.n, 0, rig_scanner->scratch, note, &want) != HS_SUCCESS) abort();
    all += want.n;
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
      find_in_cuts(&rig_engine->literals, buf_str(&text), cuts[c], &got);
      bad += !same(&got, &want);
    }
  }
  CHECK_INT(bad, 0);
  CHECK(all > 10000 && want.n < HITS);
  hs_free_database(gates);
  buf_finish(&text);
}

/* Whatever the bytes and however many. */
static void readers_agree(void)
{
  static const char *const names[] = {"avx512vbmi", "avx2"};
  const struct literals *l = &rig_engine->literals;
  literals_reader *portable = literals_path("portable"), *best = portable;
  unsigned char text[4096 + 128];
  uint64_t seed = 5, bits = 0, bad = 0;
  struct buf gates = {0};
  CHECK(portable && !literals_path("none"));
  make_text(&gates, &seed);
  for (size_t i = 0; i < sizeof text; i++)
    text[i] = i % 256 < 128 ? (unsigned char)gates.p[i % gates.n] : (unsigned char)rig_random(&seed);
  for (size_t r = sizeof names / sizeof *names; r-- > 0;) {
    literals_reader *wide = literals_path(names[r]);
    if (!wide) continue;
    best = wide;
    bits = 0;
    for (size_t at = 8; at < 4096; at++)
      for (unsigned n = at % 7 ? 64 : 1; n <= 64; n++) {
        uint64_t shorts, others, found = portable(l, text + at, n, &shorts), same = wide(l, text + at, n, &others);
        bits += found != 0;
        bad += found != same;
        for (uint64_t both = shorts | others; both; both &= both - 1) { /* what one of them sees and the other does not is none */
          size_t end = at + (unsigned)__builtin_ctzll(both), pair = (size_t)text[end - 1] << 8 | text[end];
          bool is = l->pairs[pair / 64] >> pair % 64 & 1;
          bad += is && !(shorts & others & (both & -both));
        }
      }
    CHECK(bits > 1000);
  }
  CHECK_INT(bad, 0);
  CHECK(l->find == best);
  buf_finish(&gates);
}

/* ---- literals of every length --------------------------------------------------------------------------------------- */

static void by_comparison(const struct pattern *p, size_t n, struct str text, struct hits *out)
{
  out->n = 0;
  for (size_t end = 1; end <= text.n; end++)
    for (size_t i = 0; i < n; i++) {
      if (p[i].text.n > end) continue;
      struct str here = str_cut(text, end - p[i].text.n, end);
      if (p[i].nocase ? str_ieq(here, p[i].text) : str_eq(here, p[i].text)) note((unsigned)i, 0, end, 0, out);
    }
}

static void every_length(void)
{
  static const char line[] = "@kEy[0]{9}-XyZwAbCdEfGhIjKlMnOpQrStUvWxYz";
  struct pattern patterns[2 * RULE_GATE_MAX];
  struct vdt_arena *arena = vdt_arena_new(0);
  struct literals *l = arena_alloc(arena, sizeof *l);
  struct buf text = {0};
  for (unsigned i = 0; i < 2 * RULE_GATE_MAX; i++)
    patterns[i] = (struct pattern){.literal = true, .nocase = i % 2, .text = {line, i / 2 + 1}};
  CHECK(l && literals_init(l, arena, patterns, 2 * RULE_GATE_MAX) && l->complete);
  /* A byte of another case, or that only looks equal with the case bit set, at each place; at the very beginning, at block ends, at the end. */
  for (unsigned i = 0; i < 8 * RULE_GATE_MAX; i++) {
    size_t at = text.n;
    buf_put(&text, (struct str){line, sizeof line - 1});
    if (i) text.p[at + i % (sizeof line - 1)] ^= i % 3 ? 32 : 1;
    for (unsigned k = 0; k < i % 5; k++) buf_byte(&text, ' ');
  }
  buf_put(&text, (struct str){line, 12});
  by_comparison(patterns, 2 * RULE_GATE_MAX, buf_str(&text), &want);
  CHECK(want.n > 1000 && want.n < HITS);
  for (size_t step = 1; step < 70; step++) {
    find_in_cuts(l, buf_str(&text), step, &got);
    CHECK(same(&got, &want));
  }
  buf_finish(&text);
  vdt_arena_free(arena);
}

/* Offsets are those of the whole text, and what lies before the window is not looked at. */
static void windows(void)
{
  struct pattern p = {.literal = true, .text = STR("secret")};
  struct vdt_arena *arena = vdt_arena_new(0);
  struct literals *l = arena_alloc(arena, sizeof *l);
  CHECK(l && literals_init(l, arena, &p, 1));
  got.n = 0;
  literals_find(l, (const unsigned char *)"secret secret", 6, 13, 1000, note, &got);
  CHECK(got.n == 1 && got.v[0] >> 16 == 1013);
  got.n = 0;
  literals_find(l, (const unsigned char *)"secret" + 1, 0, 5, 0, note, &got);
  literals_find(l, (const unsigned char *)"", 0, 0, 0, note, &got);
  CHECK_INT(got.n, 0);
  vdt_arena_free(arena);
}

/* ---- what is not known ---------------------------------------------------------------------------------------------- */

static bool is_known(struct pattern p)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct literals *l = arena_alloc(arena, sizeof *l);
  bool known = l && literals_init(l, arena, &p, 1) && l->complete;
  vdt_arena_free(arena);
  return known;
}

static struct pattern expression(const char *text)
{
  return (struct pattern){.nocase = true, .text = str_of(text)};
}

static void left_to_vectorscan(void)
{
  static const char *const known[] = {"abcd", "[ab]cd[e-g]", "[a-m][a-m][a-z]x", "a_0[0-9_]"};
  static const char *const unknown[] = {"abc",
                                        "ab.d",
                                        "abc?d",
                                        "(ab|cd)ef",
                                        "[^a]bcd",
                                        "ab\\d[0-9]",
                                        "[a-z]{4}",
                                        "ab[c-",
                                        "abc[d",
                                        "",
                                        "[a-z0-9][a-z0-9][a-z0-9][a-z0-9]",
                                        "^abcd",
                                        "abc[-x]d",
                                        "a bcd"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) CHECK(is_known(expression(known[i])));
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) CHECK(!is_known(expression(unknown[i])));
  CHECK(is_known((struct pattern){.literal = true, .text = STR("AB")}));
  CHECK(is_known((struct pattern){.literal = true, .nocase = true, .text = STR("a:")}));
  CHECK(is_known((struct pattern){.literal = true, .text = STR("abc")}));
  CHECK(!is_known((struct pattern){.literal = true, .text = STR("ab")}));
  CHECK(!is_known((struct pattern){.literal = true, .nocase = true, .text = STR("AB")}));
  CHECK(!is_known((struct pattern){.literal = true, .text = STR("7")}));
  CHECK(is_known((struct pattern){.literal = true, .text = STR("\xC3:")}));
  CHECK(!is_known((struct pattern){.literal = true, .text = STR(":\xC3")}));
}

static void signs(void)
{
  struct pattern p[LITERALS_SIGNS + 1];
  static const char nine[] = "!#$%&*+,-";
  struct vdt_arena *arena = vdt_arena_new(0);
  struct literals *l = arena_alloc(arena, sizeof *l);
  for (unsigned i = 0; i <= LITERALS_SIGNS; i++) p[i] = (struct pattern){.literal = true, .text = {nine + i, 1}};
  CHECK(l && literals_init(l, arena, p, LITERALS_SIGNS - 1) && l->complete);
  CHECK(literals_init(l, arena, p, LITERALS_SIGNS) && l->complete);
  by_comparison(p, LITERALS_SIGNS, STR("!!#a-b*\x80&"), &want);
  find_in_cuts(l, STR("!!#a-b*\x80&"), 2, &got);
  CHECK(same(&got, &want) && got.n == 5);
  CHECK(literals_init(l, arena, p, LITERALS_SIGNS + 1) && !l->complete);
  vdt_arena_free(arena);
}

/* ---- streams of rules that are left to it ----------------------------------------------------------------------------- */

static void streams_of_other_rules(void)
{
  static const char rule[] =
      "rules:\n  - id: odd-key\n    detector: credential\n    title: Odd key\n    gate: [zq]\n    check: token\n"
      "    chars: digit\n    min: 8\n    max: 8\n    examples: {match: [x]}\n";
  struct vdt_source file = {"odd.yaml", rule, sizeof rule - 1};
  struct vdt_engine *engine;
  struct vdt_error err;
  struct vdt_policy policy = rig_policy(VDT_REDACT);
  struct vdt_engine *shipped = rig_engine;
  struct vdt_scanner *scanner = rig_scanner;
  CHECK_INT(vdt_engine_new(&file, 1, &engine, &err), VDT_OK);
  CHECK(!engine->literals.complete && engine->gates && engine->stream && !engine->phrases[0] && !engine->phrases[1]);
  rig_engine = engine;
  CHECK_INT(vdt_scanner_new(engine, &rig_scanner), VDT_OK);
  for (size_t step = 1; step < 20; step++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    struct buf out = {0};
    CHECK_INT(rig_streamed(&policy, arena, STR("here zq74839261 there"), step, &out), 1);
    CHECK(str_find(buf_str(&out), STR("74839261")) == (size_t)-1);
    buf_finish(&out);
    vdt_arena_free(arena);
  }
  vdt_scanner_free(rig_scanner);
  vdt_engine_free(engine);
  rig_engine = shipped;
  rig_scanner = scanner;
}

int main(void)
{
  rig_load();
  RUN(as_vectorscan);
  RUN(readers_agree);
  RUN(every_length);
  RUN(windows);
  RUN(left_to_vectorscan);
  RUN(signs);
  RUN(streams_of_other_rules);
  rig_unload();
  return test_end();
}
