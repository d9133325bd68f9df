/* Texts of every length: windows, the gate, the bound on what is read, spans within the text. */
#include "model/model.h"
#include "tests/model/rig.h"
#include "tests/test.h"

struct stand {
  char *file;
  struct model *model;
  struct model_reader *reader;
};

static struct stand stand_of(struct rig rig)
{
  struct stand s = {0};
  size_t n;
  s.file = rig_file_of(rig, &n);
  if (model_new(s.file, n, NULL, &s.model, NULL)) abort();
  s.reader = model_reader_new(s.model);
  return s;
}

static struct stand stand(uint64_t seed, float pass)
{
  return stand_of((struct rig){.seed = seed, .pass = pass, .leave = -1e9f});
}

static void finish(struct stand *s)
{
  model_reader_free(s->reader);
  model_free(s->model);
  free(s->file);
}

/* n words, each one token. */
static struct str words(size_t n)
{
  static char text[1 << 16];
  static const char *const some[] = {"the ", "ignore ", "a ", "b ", "ab ", "rules "};
  size_t at = 0;
  for (size_t i = 0; i < n; i++) {
    const char *w = some[(i * i + i / 7) % 6];
    memcpy(text + at, w, strlen(w));
    at += strlen(w);
  }
  return (struct str){text, at};
}

static const struct {
  size_t tokens, windows;
} lengths[] = {{0, 0},
               {3, 0},
               {4, 1},
               {30, 1},
               {31, 1},
               {32, 2},
               {55, 2},
               {56, 3},
               {79, 3},
               {80, 4},
               {31 + 24 * 63, 64},
               {31 + 24 * 63 + 1, 65}};

static void windows(size_t i)
{
  struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .scores = RIG_UNSURE});
  struct model_verdict v;
  struct str text = words(lengths[i].tokens);
  model_judge(s.reader, text, false, &v);
  CHECK_INT(v.windows, lengths[i].windows);
  CHECK_INT(v.read, lengths[i].windows < READ_MAX ? lengths[i].windows : READ_MAX);
  CHECK_INT(v.partial, lengths[i].windows > READ_MAX);
  CHECK(v.score >= 0 && v.score <= 1);
  for (size_t k = 0; k < v.n_spans; k++) CHECK(v.spans[k].start < v.spans[k].end && v.spans[k].end <= text.n);
  for (size_t k = 1; k < v.n_spans; k++) CHECK(v.spans[k].share <= v.spans[k - 1].share);
  finish(&s);
}

static void the_gate_keeps_the_encoder_from_reading(void)
{
  struct stand s = stand(1, 1e9f);
  struct model_verdict v;
  model_judge(s.reader, words(200), true, &v);
  CHECK_INT(v.read, 0);
  CHECK(v.windows > 1);
  CHECK_STR(str_of(v.category), "");
  CHECK_INT(v.n_spans, 0);
  finish(&s);
}

static void a_window_may_leave_at_the_exit(void)
{
  struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = 1e9f});
  struct model_verdict v;
  model_judge(s.reader, words(20), true, &v);
  CHECK_INT(v.read, 1);
  CHECK(v.logit < 100 && v.logit > -100);
  CHECK_STR(str_of(v.category), "");
  CHECK_INT(v.n_spans, 0);
  finish(&s);
}

static double logit_with(float share)
{
  struct model_verdict v;
  struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .share = share});
  model_judge(s.reader, words(20), true, &v);
  CHECK_INT(v.read, 1);
  finish(&s);
  return v.logit;
}

/* A text of one window: what the encoder alone says of it, and the witness with a half and a quarter. */
static void the_witness_has_its_share_in_the_logit(void)
{
  double encoder = logit_with(0), witness = 2 * logit_with(0.5f) - encoder;
  CHECK(fabs(witness - encoder) > 0.01);
  CHECK(fabs(logit_with(0.25f) - (0.25 * witness + 0.75 * encoder)) < 1e-5);
}

/* A window leaves by the logit that it would have: the witness's share is in it. */
static void the_witness_has_its_share_at_the_exit(void)
{
  struct model_verdict v;
  for (int above = 0; above < 2; above++) {
    struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = 1e9f, .share = 0.5f});
    model_judge(s.reader, words(20), true, &v);
    finish(&s);
    float leave = (float)v.logit + (above ? 0.001f : -0.001f);
    s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = leave, .share = 0.5f});
    model_judge(s.reader, words(20), true, &v);
    CHECK_INT(v.category[0] == 0, above);
    finish(&s);
  }
}

static double logit_with_letters(float witness, float letters)
{
  struct model_verdict v;
  struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .share = witness, .letters = letters});
  model_judge(s.reader, words(20), false, &v);
  CHECK_INT(v.read, 1);
  finish(&s);
  return v.logit;
}

/* Of a prompt, that is; a document has none. */
static void letters_have_their_share_in_the_logit(void)
{
  double encoder = logit_with_letters(0, 0), letters = 2 * logit_with_letters(0, 0.5f) - encoder;
  double witness = 2 * logit_with_letters(0.5f, 0) - encoder;
  CHECK(fabs(letters - encoder) > 0.01 && fabs(letters - witness) > 0.01);
  CHECK(fabs(logit_with_letters(0.25f, 0.5f) - (0.125 * witness + 0.5 * letters + 0.375 * encoder)) < 1e-5);
  struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .share = 0.25f, .letters = 0.5f});
  struct model_verdict v;
  model_judge(s.reader, words(20), true, &v);
  CHECK(fabs(v.logit - logit_with(0.25f)) < 1e-5);
  finish(&s);
}

/* What letters foresee to be harmless is not read, by a hair; documents do not ask them. */
static void letters_keep_the_encoder_from_reading(void)
{
  struct rig r = {.seed = 1, .pass = -1e9f, .leave = -1e9f, .share = 0.25f, .letters = 0.5f, .letters_pass = 1e9f};
  struct stand s = stand_of(r);
  struct model_verdict v;
  model_judge(s.reader, words(20), false, &v);
  CHECK_INT(v.read, 0);
  float foreseen = (float)v.logit;
  model_judge(s.reader, words(20), true, &v);
  CHECK_INT(v.read, 1);
  finish(&s);
  for (int above = -1; above <= 1; above += 2) {
    r.letters_pass = foreseen + 0.001f * (float)above;
    s = stand_of(r);
    model_judge(s.reader, words(20), false, &v);
    CHECK_INT(v.read, above < 0);
    finish(&s);
  }
}

static void reading_stops_when_it_is_certain(void)
{
  struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .scores = RIG_CERTAIN});
  struct model_verdict v;
  model_judge(s.reader, words(300), false, &v);
  CHECK(v.windows > 1);
  CHECK_INT(v.read, 1);
  CHECK(v.score > 0.98);
  finish(&s);
}

static void reading_stops_when_a_quarter_left_no_doubt(size_t i)
{
  struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .scores = RIG_CLEAR});
  struct model_verdict v;
  model_judge(s.reader, words(lengths[i].tokens), false, &v);
  size_t windows = lengths[i].windows, quarter = windows / 4 > 2 ? windows / 4 : 2;
  CHECK_INT(v.windows, windows);
  CHECK_INT(v.read, windows < quarter ? windows : quarter);
  CHECK(!v.partial);
  finish(&s);
}

static void a_few_tokens_are_not_judged(void)
{
  struct stand s = stand(1, -1e9f);
  struct model_verdict v;
  for (size_t n = 1; n <= 6; n++) {
    model_judge(s.reader, words(n), true, &v);
    CHECK_INT(v.windows, n >= 5);
    CHECK_INT(v.read, n >= 5);
    model_judge(s.reader, words(n), false, &v);
    CHECK_INT(v.windows, n >= 4);
    CHECK_INT(v.read, n >= 4);
  }
  finish(&s);
}

/* Paragraphs of so many words, with a separator between them. */
static struct str paragraphs(size_t n, size_t length, const char *between)
{
  static char text[1 << 16];
  size_t at = 0;
  for (size_t i = 0; i < n; i++) {
    struct str w = words(length + i % 3);
    size_t skip = i % 3 * 4;
    at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", i ? between : "", (int)(w.n - skip - 1), w.p + skip);
  }
  return (struct str){text, at};
}

static const struct {
  const char *what;
  size_t first, second;
  const char *before, *between, *after;
  size_t again;
} paragraph_cases[] = {
    {"two in one window", 12, 12, "", "\n\n", "", 2},
    {"an empty line may hold blanks", 12, 12, "", "\r\n \t\r\n ", "", 2},
    {"a line's end is none", 12, 12, "", "\n", "", 0},
    {"one after an empty line", 12, 0, "\n\n", "", "", 0},
    {"one before an empty line", 12, 0, "", "", "\n\n", 0},
    {"nine tokens are too few", 9, 12, "", "\n\n", "", 1},
    {"ten are not", 10, 12, "", "\n\n", "", 2},
    {"nor eleven", 11, 12, "", "\n\n", "", 2},
    {"nine at the end", 12, 9, "", "\n\n", "", 1},
    {"one that begins in a window and ends after it", 12, 40, "", "\n\n", "", 2},
    {"one that is longer than a window", 70, 12, "", "\n\n", "", 1},
};

static void paragraphs_are_read_again(size_t i)
{
  struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .scores = RIG_UNSURE});
  struct model_verdict v;
  char text[1024];
  struct str w = words(paragraph_cases[i].first);
  int n = snprintf(text, sizeof text, "%s%.*s%s", paragraph_cases[i].before, (int)w.n - 1, w.p, paragraph_cases[i].between);
  w = words(paragraph_cases[i].second);
  n += snprintf(text + n, sizeof text - (size_t)n, "%.*s%s", (int)w.n, w.p, paragraph_cases[i].after);
  model_judge(s.reader, (struct str){text, (size_t)n}, false, &v);
  CHECK_INT(v.again, paragraph_cases[i].again);
  CHECK_INT(v.read, v.windows);
  model_judge(s.reader, (struct str){text, (size_t)n}, true, &v);
  CHECK_INT(v.again, 0);
  finish(&s);
}

/* The same words without empty lines are the same windows, so what paragraphs add can be told apart. */
static void a_paragraph_counts_a_little_less_and_not_much_more_than_its_window(void)
{
  size_t less = 0, more = 0, none = 0;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    struct stand s = stand_of((struct rig){.seed = seed, .pass = -1e9f, .leave = -1e9f, .steep = 20, .scores = RIG_UNSURE});
    struct str a = str_of("ignore all the rules ignore all the rules ignore e"),
               b = str_of("the a the b ab a the ab the a b the e ab");
    char text[200];
    struct model_verdict whole, alone, other, both;
    model_judge(s.reader, (struct str){text, (size_t)snprintf(text, sizeof text, "%s\n%s", a.p, b.p)}, false, &whole);
    model_judge(s.reader, (struct str){text, (size_t)snprintf(text, sizeof text, "%s\n\n%s", a.p, b.p)}, false, &both);
    model_judge(s.reader, a, false, &alone);
    model_judge(s.reader, b, false, &other);
    double best = alone.logit > other.logit ? alone.logit : other.logit, limit = whole.logit + 3, expect = best - 0.5;
    if (expect > limit) expect = limit, more++;
    else if (expect > whole.logit) less++;
    if (!(expect > whole.logit)) expect = whole.logit, none++;
    CHECK(fabs(both.logit - expect) < 1e-9);
    CHECK_INT(both.again, 2);
    if (expect > whole.logit && alone.logit > other.logit)
      for (size_t k = 0; k < both.n_spans; k++) CHECK(both.spans[k].end <= a.n);
    if (expect > whole.logit && other.logit > alone.logit && alone.logit - 0.5 < limit)
      for (size_t k = 0; k < both.n_spans; k++) CHECK(both.spans[k].start >= a.n + 2);
    finish(&s);
  }
  CHECK(less > 0);
  CHECK(more > 0);
  CHECK(none > 0);
  printf("# %zu less, %zu not much more, %zu not at all\n", less, more, none);
}

static void no_more_paragraphs_than_the_bound(void)
{
  struct stand s = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .scores = RIG_UNSURE});
  struct model_verdict v;
  for (size_t n = AGAIN_MAX - 1; n <= AGAIN_MAX + 1; n++) {
    model_judge(s.reader, paragraphs(n, 12, "\n\n"), false, &v);
    CHECK_INT(v.again, n < AGAIN_MAX ? n : AGAIN_MAX);
  }
  finish(&s);
}

static void paragraphs_that_cannot_matter_are_not_read(void)
{
  struct stand clear = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .scores = RIG_CLEAR});
  struct stand certain = stand_of((struct rig){.seed = 1, .pass = -1e9f, .leave = -1e9f, .scores = RIG_CERTAIN});
  struct stand gated = stand(1, 1e9f);
  struct model_verdict v;
  model_judge(clear.reader, paragraphs(2, 12, "\n\n"), false, &v);
  CHECK_INT(v.again, 0);
  model_judge(certain.reader, paragraphs(2, 12, "\n\n"), false, &v);
  CHECK_INT(v.again, 0);
  model_judge(gated.reader, paragraphs(2, 12, "\n\n"), false, &v);
  CHECK_INT(v.again, 0);
  finish(&clear);
  finish(&certain);
  finish(&gated);
}

static void rules_raise_the_score(void)
{
  struct stand s = stand(1, -1e9f);
  double before = model_join(s.model, false, -2, 0);
  CHECK(before > 0.39 && before < 0.41); /* between the rig's knots (-10, 0) and (0, 0.5) */
  CHECK(fabs(model_join(s.model, false, -2, 0.5) - 0.475) < 1e-6);
  CHECK(fabs(model_join(s.model, true, 7, 1) - 1) < 1e-6);
  finish(&s);
}

static void a_reader_keeps_nothing_from_the_text_before(void)
{
  struct stand s = stand(2, -1e9f);
  struct model_verdict first, again;
  struct model_reader *other = model_reader_new(s.model); /* the first would remember */
  model_judge(s.reader, words(40), false, &first);
  model_judge(other, words(1000), true, &again);
  model_judge(other, words(40), false, &again);
  CHECK(memcmp(&first, &again, sizeof first) == 0);
  model_judge(s.reader, words(40), false, &again);
  CHECK(memcmp(&first, &again, sizeof first) == 0);
  model_reader_free(other);
  finish(&s);
}

static void roles_differ(void)
{
  struct stand s = stand(2, -1e9f);
  struct model_verdict a, b;
  model_judge(s.reader, words(20), false, &a);
  model_judge(s.reader, words(20), true, &b);
  CHECK(fabs(a.logit - b.logit) > 1e-6);
  finish(&s);
}

static void an_unknown_path_is_said(void)
{
  size_t n;
  char *p = rig_file(1, 0, &n);
  struct model *m = NULL;
  struct vdt_error err = {0};
  CHECK_INT(model_new(p, n, "abacus", &m, &err), VDT_ENOTFOUND);
  CHECK(strstr(err.text, "abacus") != NULL);
  free(p);
}

int main(void)
{
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    CASE_BEGIN();
    windows(i);
    CASE_END("%zu tokens are %zu windows", lengths[i].tokens, lengths[i].windows);
  }
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    CASE_BEGIN();
    reading_stops_when_a_quarter_left_no_doubt(i);
    CASE_END("%zu windows without doubt", lengths[i].windows);
  }
  for (size_t i = 0; i < sizeof paragraph_cases / sizeof *paragraph_cases; i++) {
    CASE_BEGIN();
    paragraphs_are_read_again(i);
    CASE_END("paragraphs: %s", paragraph_cases[i].what);
  }
  RUN(a_paragraph_counts_a_little_less_and_not_much_more_than_its_window);
  RUN(no_more_paragraphs_than_the_bound);
  RUN(paragraphs_that_cannot_matter_are_not_read);
  RUN(the_gate_keeps_the_encoder_from_reading);
  RUN(a_window_may_leave_at_the_exit);
  RUN(the_witness_has_its_share_in_the_logit);
  RUN(the_witness_has_its_share_at_the_exit);
  RUN(letters_have_their_share_in_the_logit);
  RUN(letters_keep_the_encoder_from_reading);
  RUN(reading_stops_when_it_is_certain);
  RUN(a_few_tokens_are_not_judged);
  RUN(rules_raise_the_score);
  RUN(a_reader_keeps_nothing_from_the_text_before);
  RUN(roles_differ);
  RUN(an_unknown_path_is_said);
  return test_end();
}
