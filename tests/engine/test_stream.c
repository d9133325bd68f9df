/*
 * Split invariance, the property that the stream is built on: for every way to cut a text the released bytes and the findings are
 * the same, equal to those of the whole text, and no byte of a redacted span leaves.
 */
#include "rig.h"

struct outcome {
  struct buf released;
  struct vdt_finding *findings;
  size_t n;
  bool cut;
};

/* Runs text through a stream, cut after each offset of cuts[0..n). */
static struct outcome run(struct vdt_arena *arena, const struct vdt_policy *policy, struct str text, const size_t *cuts, size_t n)
{
  struct outcome o = {0};
  struct vdt_stream *s;
  struct vdt_release r;
  if (vdt_stream_new(rig_scanner, arena, policy, VDT_RESPONSE, &s)) abort();
  size_t at = 0;
  for (size_t i = 0; i <= n; i++) {
    size_t to = i < n ? cuts[i] : text.n;
    if (vdt_stream_feed(s, text.p + at, to - at, &r)) abort();
    buf_put(&o.released, (struct str){r.p, r.n});
    if (!r.changed && (r.n != to - at || (r.n && memcmp(r.p, text.p + at, r.n) != 0))) abort();
    o.cut |= r.cut;
    at = to;
  }
  if (vdt_stream_finish(s, &r)) abort();
  buf_put(&o.released, (struct str){r.p, r.n});
  o.cut |= r.cut;
  const struct vdt_finding *f = vdt_stream_findings(s, &o.n);
  o.findings = arena_alloc(arena, (o.n + 1) * sizeof *f);
  if (o.n) memcpy(o.findings, f, o.n * sizeof *f);
  vdt_stream_free(s);
  return o;
}

static bool same_findings(const struct vdt_finding *a, size_t an, const struct vdt_finding *b, size_t bn)
{
  if (an != bn) return false;
  for (size_t i = 0; i < an; i++)
    if (a[i].rule != b[i].rule || a[i].start != b[i].start || a[i].end != b[i].end || a[i].confidence != b[i].confidence ||
        a[i].severity != b[i].severity || strcmp(a[i].redacted, b[i].redacted) != 0)
      return false;
  return true;
}

static void print_findings(const char *what, const struct vdt_finding *f, size_t n)
{
  for (size_t i = 0; i < n; i++)
    printf("#   %s: %s %u..%u confidence %u\n", what, f[i].rule, (unsigned)f[i].start, (unsigned)f[i].end, f[i].confidence);
}

static void compare(const struct outcome *want, const struct outcome *got, const char *how, size_t at)
{
  bool bytes = str_eq(buf_str(&want->released), buf_str(&got->released)) && want->cut == got->cut;
  if (bytes && same_findings(want->findings, want->n, got->findings, got->n)) return;
  printf("# %s %zu: %s differ\n", how, at, bytes ? "findings" : "released bytes");
  print_findings("want", want->findings, want->n);
  print_findings("got ", got->findings, got->n);
  test_failed = true;
}

/* Each finding's mask is in what left, and its text is not. */
static void check_masks(struct str text, const struct outcome *o)
{
  for (size_t i = 0; i < o->n; i++) {
    char label[80];
    snprintf(label, sizeof label, "[REDACTED:%s]", o->findings[i].rule);
    CHECK(str_find(buf_str(&o->released), str_of(label)) != (size_t)-1);
    CHECK(str_find(buf_str(&o->released), str_cut(text, o->findings[i].start, o->findings[i].end)) == (size_t)-1);
  }
}

/* Findings that needed no decoding come first; how many they are. Others the stream and vdt_scan() find each in its own way. */
static size_t keep_plain(struct vdt_finding *f, size_t n)
{
  size_t kept = 0;
  for (size_t i = 0; i < n; i++)
    if (f[i].n_layers == 0) f[kept++] = f[i];
  return kept;
}

static struct vdt_finding *last_copy;

static struct vdt_finding *copy(struct vdt_arena *arena, const struct outcome *o)
{
  last_copy = arena_alloc(arena, (o->n + 1) * sizeof *last_copy);
  if (o->n) memcpy(last_copy, o->findings, o->n * sizeof *last_copy);
  return last_copy;
}

/* Every place is cut at without sanitizers, one of so many under them, each text from another first one. */
enum { CUT_EVERY = TEST_SANITIZED ? 7 : 1 };

static void every_cut(const char *name, struct str text, enum vdt_action action, bool pairs)
{
  struct vdt_policy policy = rig_policy(action);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result whole;
  uint64_t seed = 0x5eed0000u + text.n;
  CASE_BEGIN();
  struct outcome want = run(arena, &policy, text, NULL, 0);
  CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &whole), VDT_OK);
  size_t plain = keep_plain(whole.findings, whole.n_findings), plain_streamed = keep_plain(copy(arena, &want), want.n);
  if (!want.cut && !same_findings(whole.findings, plain, last_copy, plain_streamed)) {
    print_findings("vdt_scan", whole.findings, whole.n_findings);
    print_findings("stream  ", want.findings, want.n);
    test_failed = true;
  }
  if (action == VDT_REDACT && !pairs) check_masks(text, &want);
  struct vdt_arena *scratch = vdt_arena_new(0);
  for (size_t i = text.n % CUT_EVERY; i <= text.n && !test_failed; i += CUT_EVERY) {
    vdt_arena_reset(scratch);
    struct outcome got = run(scratch, &policy, text, &i, 1);
    compare(&want, &got, "cut at", i);
    buf_finish(&got.released);
  }
  size_t *cuts = malloc((text.n + 1) * sizeof *cuts);
  for (size_t round = 0; round < (pairs ? 60u : 12u) && !test_failed; round++) {
    size_t n = 0, step = 1 + rig_random(&seed) % (round == 0 ? 1 : 40);
    for (size_t at = 0; at + step < text.n; step = round ? 1 + rig_random(&seed) % 40 : 1) cuts[n++] = at += step;
    vdt_arena_reset(scratch);
    struct outcome got = run(scratch, &policy, text, cuts, n);
    compare(&want, &got, "random cuts, round", round);
    buf_finish(&got.released);
  }
  free(cuts);
  CASE_END("%s, %zu bytes, %s: %zu findings however it is cut", name, text.n, vdt_action_name(action), want.n);
  buf_finish(&want.released);
  vdt_arena_free(scratch);
  vdt_arena_free(arena);
}

static const char *const prose[] = {
    "Sure, here is what I found. ",
    "The deployment reads its settings from the file below.\n",
    "\xC3\x9C"
    "ber die Br\xC3\xBC"
    "cke, ",
    "token = ",
    "see https://docs.example.org:8080/a/b?c=d#e ",
    "\xE2\x80\x8Bzero\xE2\x80\x8Bwidth ",
    "(1, 2, 3) ",
    "password must not be empty; ",
    "\xF0\x9F\x94\x91 ",
    "half \xE2\x82",
    "ghp_ and sk- alone mean nothing. ",
    "Call +",
    "a@b ",
};

/* Each rule's first example inside prose. */
static void rules_in_prose(void)
{
  uint64_t seed = 42;
  for (unsigned i = 0; i < rig_engine->rules.n; i++) {
    const struct rule *r = &rig_engine->rules.rules[i];
    if (rule_is_score(r)) continue;
    struct buf text = {0};
    buf_put(&text, str_of(prose[rig_random(&seed) % (sizeof prose / sizeof *prose)]));
    buf_put(&text, r->match[0]);
    buf_byte(&text, '\n');
    buf_put(&text, str_of(prose[rig_random(&seed) % (sizeof prose / sizeof *prose)]));
    every_cut(r->id, buf_str(&text), VDT_REDACT, false);
    buf_finish(&text);
  }
}

/* Arguments of tools are JSON in a text: the letter of a line end or tab is no part of the key behind it, wherever the stream is cut. */
static void keys_after_line_ends_of_json(void)
{
#define TOKEN "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"
  static const char *const ends[] = {"{\"c\": \"one\\n" TOKEN "\\n\"}", "\\t" TOKEN, "a\\\\r" TOKEN "\\b" TOKEN "\\f" TOKEN};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    every_cut("after line ends of JSON", str_of(ends[i]), VDT_REDACT, false);
    every_cut("after line ends of JSON", str_of(ends[i]), VDT_CUT, false);
  }
}

/* One name wakes one check, which finds both. */
static void two_values_behind_one_name(void)
{
#define KEY_ID "9f3b1c77ad0e45628d1f"
#define SECRET "qT7mZp0Lr4XvB2nKd9WsHf3Jc8rq2ad9"
  static const struct {
    const char *text;
    size_t n;
  } cases[] = {{"Statuscake(\"" KEY_ID "\", \"" SECRET "\")", 2},
               {"statuscake = '" KEY_ID "',\n  '" SECRET "'", 2},
               {"statuscake api: " KEY_ID " " SECRET " and more", 2},
               {"statuscake: " KEY_ID " of commit " SECRET, 1},
               {"statuscake: " KEY_ID ", account_id=" SECRET, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct vdt_policy policy = rig_policy(VDT_REDACT);
    struct vdt_arena *arena = vdt_arena_new(0);
    struct outcome whole = run(arena, &policy, str_of(cases[i].text), NULL, 0);
    CHECK_INT(whole.n, cases[i].n);
    buf_finish(&whole.released);
    vdt_arena_free(arena);
    every_cut("two values", str_of(cases[i].text), VDT_REDACT, false);
  }
}

/* Many examples back to back, so that candidates touch, overlap and interrupt each other. */
static void rules_in_a_row(void)
{
  uint64_t seed = 7;
  for (unsigned round = 0; round < 12; round++) {
    struct buf text = {0};
    while (text.n < 700) {
      const struct rule *r = &rig_engine->rules.rules[rig_random(&seed) % rig_engine->rules.n];
      struct str e = r->match[rig_random(&seed) % r->n_match];
      size_t from = rig_random(&seed) % 4 ? 0 : rig_random(&seed) % (e.n / 2 + 1);
      if (e.n > 400) continue;
      buf_put(&text, str_cut(e, from, e.n));
      if (rig_random(&seed) % 3) buf_put(&text, str_of(prose[rig_random(&seed) % (sizeof prose / sizeof *prose)]));
    }
    every_cut("examples in a row", buf_str(&text), round % 3 == 0 ? VDT_CUT : round % 3 == 1 ? VDT_REDACT : VDT_DETECT, true);
    buf_finish(&text);
  }
}

static void nothing_is_held_back_of_plain_words(void)
{
  static const char text[] = "Hello! The weather in Vienna is fine today, and nothing here is secret.";
  struct vdt_policy policy = rig_policy(VDT_REDACT);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_stream *s;
  struct vdt_release r;
  policy.sensitive.response = VDT_DETECT;
  policy.sensitive.minimum_confidence = 85;
  policy.malicious_url.response = VDT_DETECT; /* any word may begin an e-mail address, or a host */
  CHECK_INT(vdt_stream_new(rig_scanner, arena, &policy, VDT_RESPONSE, &s), VDT_OK);
  size_t held = 0, out = 0;
  for (size_t i = 0; i + 1 < sizeof text; i++) {
    CHECK_INT(vdt_stream_feed(s, text + i, 1, &r), VDT_OK);
    out += r.n;
    if (i + 1 - out > held) held = i + 1 - out;
  }
  printf("# at most %zu bytes held back of %zu\n", held, sizeof text - 1);
  CHECK(held <= 3);
  vdt_stream_free(s);
  vdt_arena_free(arena);
}

/* Nine records are nine records; the tenth makes a leak in bulk of them, whole and in pieces. */
static void many_records_are_worse(void)
{
  struct vdt_policy policy = rig_policy(VDT_DETECT);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result whole;
  struct buf text = {0};
  size_t cuts[12];
  for (size_t i = 0; i < 12; i++) {
    BUF_LIT(&text, "nhs number: 943 476 5919\n");
    cuts[i] = text.n - 9;
  }
  CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &whole), VDT_OK);
  struct outcome pieces = run(arena, &policy, buf_str(&text), cuts, 12);
  CHECK_INT(whole.n_findings, 12);
  CHECK_INT(pieces.n, 12);
  for (size_t i = 0; i < 12 && whole.n_findings == 12 && pieces.n == 12; i++) {
    CHECK_INT(whole.findings[i].severity, i < 9 ? VDT_MEDIUM : VDT_HIGH);
    CHECK_INT(pieces.findings[i].severity, i < 9 ? VDT_MEDIUM : VDT_HIGH);
  }
  buf_finish(&pieces.released);
  buf_finish(&text);
  vdt_arena_free(arena);
}

int main(void)
{
  rig_load();
  RUN(nothing_is_held_back_of_plain_words);
  RUN(many_records_are_worse);
  rules_in_prose();
  keys_after_line_ends_of_json();
  two_values_behind_one_name();
  rules_in_a_row();
  rig_unload();
  return test_end();
}
