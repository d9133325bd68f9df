/*
 * Keys that are broken by line ends and emphasis: what is joined and what is not, and that a whole text and its feeds of any length have the same
 * findings and masks, whatever else stands near.
 */
#include "rig.h"

enum { ROUNDS = TEST_SANITIZED ? 800 : 4000 };

#define GATE "ghp_"
#define HEAD "1agSqERunInXY51E"
#define TAIL "NG6V9OI5uMtZo44BBBNw"
#define KEY  GATE HEAD TAIL

/* A text as one reader has it: what leaves, and the findings. */
struct seen {
  struct buf out;
  const struct vdt_finding *f;
  size_t n;
};

static struct vdt_policy keys_only(void)
{
  struct vdt_policy policy = rig_policy(VDT_REDACT);
  policy.sensitive.response = policy.malicious_url.response = VDT_ALLOW;
  return policy;
}

static struct seen at_once(struct vdt_arena *arena, struct str text)
{
  struct vdt_policy policy = keys_only();
  struct vdt_result r;
  struct seen s = {0};
  size_t at = 0;
  if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r)) abort();
  for (size_t i = 0; i < r.n_masks; i++) {
    buf_put(&s.out, str_cut(text, at, (size_t)r.masks[i].start));
    buf_put(&s.out, str_of(r.masks[i].text));
    at = (size_t)r.masks[i].end;
  }
  buf_put(&s.out, str_cut(text, at, text.n));
  s.f = r.findings;
  s.n = r.n_findings;
  return s;
}

static struct seen in_feeds(struct vdt_arena *arena, struct str text, size_t step)
{
  struct vdt_policy policy = keys_only();
  struct vdt_finding *f;
  struct seen s = {0};
  s.n = rig_stream(&policy, arena, text, step, &s.out, &f);
  s.f = f;
  return s;
}

static bool same(const struct seen *a, const struct seen *b)
{
  bool same = a->n == b->n && str_eq(buf_str(&a->out), buf_str(&b->out));
  for (size_t i = 0; same && i < a->n; i++)
    same = a->f[i].rule == b->f[i].rule && a->f[i].start == b->f[i].start && a->f[i].end == b->f[i].end &&
           a->f[i].n_layers == b->f[i].n_layers && strcmp(a->f[i].redacted, b->f[i].redacted) == 0;
  return same;
}

static void print_seen(const char *how, size_t step, const struct seen *s)
{
  printf("#   %s %zu: %.*s\n", how, step, (int)s->out.n, s->out.p);
  for (size_t i = 0; i < s->n; i++) printf("#     %s %u..%u\n", s->f[i].rule, (unsigned)s->f[i].start, (unsigned)s->f[i].end);
}

/* The same whole and in feeds; what the whole text shows. The caller finishes its buffer. */
static struct seen every_way(struct vdt_arena *arena, struct str text, bool *differs)
{
  static const size_t steps[] = {1, 7, 64, 1000000};
  struct seen whole = at_once(arena, text);
  for (size_t i = 0; i < sizeof steps / sizeof *steps && !*differs; i++) {
    struct seen fed = in_feeds(arena, text, steps[i]);
    *differs = !same(&whole, &fed);
    if (*differs) print_seen("whole", 0, &whole), print_seen("in feeds of", steps[i], &fed);
    buf_finish(&fed.out);
  }
  return whole;
}

/* What stands in the place of the key has one finding from its first byte to its last, and one mask. */
static void check_break(const char *what, const char *at_break, bool joined)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct buf text = {0};
  bool differs = false;
  CASE_BEGIN();
  buf_printf(&text, "use " GATE HEAD "%s" TAIL " here", at_break);
  struct seen s = every_way(arena, buf_str(&text), &differs);
  CHECK(!differs);
  CHECK_INT(s.n, joined);
  if (joined && s.n == 1) {
    CHECK_INT(s.f[0].start, 4);
    CHECK_INT(s.f[0].end, text.n - strlen(" here"));
    CHECK(str_eq(buf_str(&s.out), STR("use [REDACTED:github-pat] here")));
  } else {
    CHECK(str_eq(buf_str(&s.out), buf_str(&text)));
  }
  CASE_END("%s: %s", what, joined ? "joined" : "not joined");
  buf_finish(&s.out);
  buf_finish(&text);
  vdt_arena_free(arena);
}

static void line_ends(void)
{
  check_break("LF", "\n", true);
  check_break("CR LF", "\r\n", true);
  check_break("CR alone", "\r", true);
  check_break("CR CR LF", "\r\r\n", true);
  check_break("CR LF and a margin", "\r\n  > ", true);
  check_break("emphasis before CR LF", "**\r\n", true);
  check_break("emphasis behind CR LF", "\r\n`", true);
  check_break("an empty line", "\n\n", false);
  check_break("an empty line of CR LF", "\r\n\r\n", false);
  check_break("an empty line, CR LF first", "\r\n\n", false);
  check_break("an empty line, CR LF last", "\n\r\n", false);
  check_break("an empty line of blanks and CR LF", "\r\n \t\r\n", false);
  check_break("an empty line behind emphasis and CR LF", "**\r\n\r\n", false);
  check_break("a blank before CR LF", " \r\n", false);
  check_break("CR and a margin", "\r  ", false);
}

/* A broken key between lines of letters: the line above may end in one, and the line below begin with one. */
static void check_lines(const char *above, const char *below, const char *at_break, const char *key, const char *mask)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct buf text = {0}, out = {0};
  bool differs = false;
  CASE_BEGIN();
  size_t half = strlen(key) / 2;
  buf_printf(&text, "%s%.*s%s%s%s", above, (int)half, key, at_break, key + half, below);
  buf_printf(&out, "%s%s%s", above, mask ? mask : "", mask ? below : "");
  struct seen s = every_way(arena, buf_str(&text), &differs);
  CHECK(!differs);
  CHECK_INT(s.n, mask != NULL);
  CHECK_STR(buf_str(&s.out), mask ? out.p : text.p);
  CASE_END("a broken key behind \"%.*s\" and before \"%.*s\": %s", (int)strcspn(above, "\n"), above, (int)strcspn(below, "\n"),
           below, mask ? "joined" : "not joined");
  buf_finish(&s.out);
  buf_finish(&out);
  buf_finish(&text);
  vdt_arena_free(arena);
}

static void lines_around(void)
{
  static const char *const breaks[] = {"\n", "\r\n", "**", "\n> "};
  const char *hexadecimal =
      "dtn_7c41d90be2f65a383d8e07b6a1f94c52e60b3d7f18a2c95d4e7b0f6392c81ad5"; /* no line goes on with an "H" */
  for (size_t b = 0; b < sizeof breaks / sizeof *breaks; b++) {
    check_lines("the key\n", "\nThank you", breaks[b], KEY, "[REDACTED:github-pat]");
    check_lines("line 9\r\n", "\r\n9 lines", breaks[b], KEY, "[REDACTED:github-pat]");
    check_lines("key**", "**is mine", breaks[b], KEY, "[REDACTED:github-pat]");
    check_lines("the key\n", "\nHere it is", breaks[b], hexadecimal, "[REDACTED:daytona-key]");
    check_lines("the key\n", "a\nThank you", breaks[b], KEY, NULL); /* one too long */
    check_lines("the key", "\nThank you", breaks[b], KEY, NULL);    /* no gate */
  }
}

/* A mark inside of a key: what stands left of it is all of the line. Its first bytes may have left. */
static void marks_inside(void)
{
  static const char left[] = "LK4vvSQyR5TzVZkUqXvw9cFTGnXBaa3WXuNLmB9ds6KRiB9tn28Y", right[] = "JQQJ99BAACTT7T\nC7V3AAAAACOGsth3";
  struct vdt_arena *arena = vdt_arena_new(0);
  for (int more = 0; more < 2; more++) {
    struct buf text = {0}, out = {0};
    bool differs = false;
    CASE_BEGIN();
    buf_printf(&text, "the key\n%s%s%s\nThank you", more ? "x" : "", left, right);
    buf_printf(&out, "the key\n%.12s[REDACTED:azure-key-84]\nThank you", left);
    struct seen s = every_way(arena, buf_str(&text), &differs);
    CHECK(!differs);
    CHECK_INT(s.n, !more);
    CHECK_STR(buf_str(&s.out), more ? text.p : out.p);
    CASE_END("a broken key with a mark inside, %d bytes before it", more);
    buf_finish(&s.out);
    buf_finish(&out);
    buf_finish(&text);
    vdt_arena_reset(arena);
  }
  vdt_arena_free(arena);
}

/* A gate that is itself broken is none, even where a key that ends before it has woken the reading. */
static void broken_gates(void)
{
  static const char *const between[] = {" ", "\n", "\n\n", "\r\n\r\n", "**\n\n", "`\n \n", "\n> \n"};
  static const char *const gates[] = {"g**hp_", "gh`p_", "ghp\n_", "gh\r\np_", "g\n> hp_"};
  struct vdt_arena *arena = vdt_arena_new(0);
  for (size_t b = 0; b < sizeof between / sizeof *between; b++)
    for (size_t g = 0; g < sizeof gates / sizeof *gates; g++) {
      struct buf text = {0};
      bool differs = false;
      CASE_BEGIN();
      buf_printf(&text, "use " KEY "%s%s" HEAD TAIL " here", between[b], gates[g]);
      struct seen s = every_way(arena, buf_str(&text), &differs);
      CHECK(!differs);
      CHECK_INT(s.n, 1);
      CASE_END("break %zu, gate %zu broken: one key", b, g);
      buf_finish(&s.out);
      buf_finish(&text);
      vdt_arena_reset(arena);
    }
  vdt_arena_free(arena);
}

/* A break is looked for 512 bytes behind the gate: one less, as many, one more. */
static void far_breaks(const char *at_break)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  for (size_t n = 510; n <= 513; n++) {
    struct buf text = {0};
    bool differs = false;
    uint64_t seed = n;
    CASE_BEGIN();
    BUF_LIT(&text, "IQoJb3JpZ2lu");
    for (size_t i = 0; i < n; i++) buf_byte(&text, (HEAD TAIL)[rig_random(&seed) % strlen(HEAD TAIL)]);
    size_t line = text.n;
    buf_printf(&text, "%s" HEAD, at_break);
    size_t key = text.n;
    BUF_LIT(&text, ", and g**hp_" HEAD TAIL);
    struct seen s = every_way(arena, buf_str(&text), &differs);
    CHECK(!differs);
    CHECK_INT(s.n, 1);
    if (s.n == 1) CHECK_INT(s.f[0].end, n < 512 ? key : line);
    CASE_END("a break of %zu bytes, %zu behind the gate: %s", strlen(at_break), n, n < 512 ? "joined" : "not joined");
    buf_finish(&s.out);
    buf_finish(&text);
    vdt_arena_reset(arena);
  }
  vdt_arena_free(arena);
}

/* The first of two keys on lines of their own may go on in the second, which wins: all is masked, under one name however it is read. */
static void neighbours(void)
{
  static const char *const between[] = {"\n", "\r\n", "\r", "**", "\n> ", " ", "\n\n", "\r\n\r\n"};
  struct vdt_arena *arena = vdt_arena_new(0);
  for (size_t b = 0; b < sizeof between / sizeof *between; b++) {
    struct buf text = {0};
    bool differs = false;
    CASE_BEGIN();
    buf_printf(&text, "glpat-hz8wXxBxQfHJsA9dLx3k%s" KEY " here", between[b]);
    struct seen s = every_way(arena, buf_str(&text), &differs);
    CHECK(!differs);
    CHECK(s.n >= 1);
    CHECK(str_find(buf_str(&s.out), STR("hz8w")) == (size_t)-1 && str_find(buf_str(&s.out), STR("1agS")) == (size_t)-1);
    CHECK(str_find(buf_str(&s.out), STR(TAIL)) == (size_t)-1);
    CASE_END("two keys, break %zu between: %zu findings", b, s.n);
    buf_finish(&s.out);
    buf_finish(&text);
    vdt_arena_reset(arena);
  }
  vdt_arena_free(arena);
}

static const char *const breaks[] = {"\n",     "\r\n", "\r",    "**",   "`",      "\n\n",   "\r\n\r\n", "\n \n",  "\n> ",
                                     "\r\n> ", "*\n",  "`\r\n", "\n\r", "\r\r\n", "**\n\n", "\n>\n",    "*\r\n\n"};
static const char *const words[] = {" ",   ". ", " and ", "token ", "a ",    "\n",    "\n\n",  "\r\n",    "| ",
                                    "** ", "` ", "x\\n",  "_",      "end\n", "9\r\n", "key**", "\nThank "};
static const char *const keys[] = {
    KEY, "glpat-hz8wXxBxQfHJsA9dLx3k", "LK4vvSQyR5TzVZkUqXvw9cFTGnXBaa3WXuNLmB9ds6KRiB9tn28YJQQJ99BAACTT7TC7V3AAAAACOGsth3",
    "sk-ant-api03-" HEAD TAIL HEAD TAIL, "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END PRIVATE KEY-----"};

/* A key in which breaks stand anywhere, in its gate too, and which may end early. */
static void put_broken(struct buf *text, uint64_t *seed)
{
  const char *key = keys[rig_random(seed) % (sizeof keys / sizeof *keys)];
  size_t n = strlen(key), often = 3 + rig_random(seed) % 60, first = rig_random(seed) % 12;
  if (rig_random(seed) % 4 == 0) n = rig_random(seed) % n;
  for (size_t i = 0; i < n; i++) {
    if (i && (i == first || rig_random(seed) % often == 0))
      buf_put(text, str_of(breaks[rig_random(seed) % (sizeof breaks / sizeof *breaks)]));
    buf_byte(text, key[i]);
  }
}

static void anything(void)
{
  uint64_t seed = 20261126;
  unsigned joined = 0, differ = 0;
  struct vdt_arena *arena = vdt_arena_new(0);
  CASE_BEGIN();
  for (unsigned round = 0; round < ROUNDS && differ < 3; round++) {
    struct buf text = {0};
    bool differs = false;
    for (size_t k = 2 + rig_random(&seed) % 6; k > 0; k--) {
      put_broken(&text, &seed);
      for (size_t w = rig_random(&seed) % 4; w > 0; w--)
        buf_put(&text, str_of(words[rig_random(&seed) % (sizeof words / sizeof *words)]));
    }
    struct seen s = every_way(arena, buf_str(&text), &differs);
    differ += differs;
    for (size_t i = 0; i < s.n; i++) joined += s.f[i].n_layers > 0;
    buf_finish(&s.out);
    buf_finish(&text);
    vdt_arena_reset(arena);
  }
  CHECK(differ == 0);
  CHECK(joined > ROUNDS / 8);
  CASE_END("%u texts of keys with breaks anywhere: %u joined, the same whole and in feeds", ROUNDS, joined);
  vdt_arena_free(arena);
}

int main(void)
{
  rig_load();
  line_ends();
  lines_around();
  marks_inside();
  broken_gates();
  far_breaks("\n");
  far_breaks("\r\n");
  far_breaks("**");
  neighbours();
  anything();
  rig_unload();
  return test_end();
}
