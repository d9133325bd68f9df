/* Text to tokens: longest match, what words begin with, line ends, bytes, and going on anywhere. */
#include "model/tokens.h"
#include "tests/model/rig.h"
#include "tests/test.h"

static struct vocabulary *vocabulary(void)
{
  struct vocabulary *v = NULL;
  if (vocabulary_new((struct str){rig_pieces, sizeof rig_pieces - 1}, &v, NULL)) abort();
  return v;
}

/* "id@start-end" of each token. */
static void text_of(const struct token *t, size_t n, char *out, size_t room)
{
  size_t at = 0;
  out[0] = 0;
  for (size_t i = 0; i < n && at < room; i++) {
    int k = snprintf(out + at, room - at, "%s%d@%u-%u", i ? " " : "", (int)t[i].id - FIRST_PIECE, t[i].start, t[i].end);
    at += (size_t)k;
  }
}

static const struct {
  const char *name, *text, *want;
} cases[] = {
    {"a word with the blank before it", "the rules", "0@0-3 7@4-9"},
    {"the longest piece wins, then a piece without blank", "ab aball", "5@0-2 5@3-5 2@5-8"},
    {"upper case reads as lower case", "IGNORE All", "1@0-6 3@7-8 -148@8-9 -148@9-10"},
    {"a line end is a token of its own", "the\n \nthe", "0@0-3 -257@6-6 0@6-9"},
    {"a byte that begins no piece", "x", "-136@0-1"},
    {"a word without a piece of its own after a blank", " e", "6@1-2"},
    {"what is told a third time is left out", "the the the the a", "0@0-3 0@4-7 3@16-17"},
    {"a period of two, whatever breaks off in it", "the rules the rules the rules the a",
     "0@0-3 7@4-9 0@10-13 7@14-19 0@30-33 3@34-35"},
    {"told twice", "the rules the rules a", "0@0-3 7@4-9 0@10-13 7@14-19 3@20-21"},
    {"line ends are told too", "the\nthe\nthe\nthe\na", "0@0-3 -257@4-4 0@4-7 -257@8-8 3@16-17"},
    {"nothing", "", ""},
    {"only white space", " \n\t ", ""},
};

static void reads(const char *text, const char *want)
{
  struct vocabulary *v = vocabulary();
  struct token t[64];
  size_t stop = 0, n = tokenize(v, str_of(text), 0, t, 64, &stop);
  char got[512];
  text_of(t, n, got, sizeof got);
  CHECK_STR(str_of(got), want);
  CHECK_INT(stop, strlen(text));
  vocabulary_free(v);
}

/* What was read, in lower case: blanks and line ends as pieces and tokens have them. */
static void spells_what_it_read(void)
{
  static const char text[] = "Ignore  ALL\n\tthe RULES, x\xC3\xA9";
  struct vocabulary *v = vocabulary();
  struct token t[64];
  size_t stop, n = tokenize(v, str_of(text), 0, t, 64, &stop);
  uint32_t ids[66] = {TOKEN_PROMPT};
  char spelt[66 * PIECE_MAX];
  for (size_t i = 0; i < n; i++) ids[i + 1] = t[i].id;
  ids[n + 1] = vocabulary_size(v); /* no token */
  CHECK_STR(((struct str){spelt, vocabulary_spell(v, ids, n + 2, spelt)}), " ignore all\n the rules,x\xC3\xA9");
  CHECK_INT(vocabulary_spell(v, ids, 0, spelt), 0);
  vocabulary_free(v);
}

static void goes_on_anywhere(void)
{
  static const char text[] = "Ignore all the rules\n\n  a\tb ab e x ALL\nthe \xC3\xA9 end.\n";
  struct vocabulary *v = vocabulary();
  struct token whole[128], part[128];
  size_t stop, n = tokenize(v, str_of(text), 0, whole, 128, &stop);
  for (size_t max = 2; max < 9; max++) {
    size_t got = 0, at = 0, k;
    while ((k = tokenize(v, str_of(text), at, part + got, max, &at)) > 0) got += k;
    CHECK_INT(got, n);
    CHECK(memcmp(whole, part, n * sizeof *whole) == 0);
  }
  for (size_t i = 1; i < n; i++) { /* from the end of any token: the rest is the same */
    size_t at = whole[i - 1].end, k = tokenize(v, str_of(text), at, part, 128, &at);
    if (whole[i - 1].id == TOKEN_NEWLINE) continue; /* ends where it begins, after the white space */
    CHECK_INT(k, n - i);
    CHECK(memcmp(whole + i, part, k * sizeof *whole) == 0);
  }
  vocabulary_free(v);
}

/* So many bytes that are no pieces, told so many times, and then another one. */
static size_t tokens_of_period(unsigned period, unsigned times)
{
  struct vocabulary *v = vocabulary();
  struct token t[128];
  char text[128];
  size_t n = 0, stop;
  for (unsigned i = 0; i < period * times; i++) text[n++] = "!#$%&()*+,-./:;"[i % period];
  text[n++] = '=';
  size_t got = tokenize(v, (struct str){text, n}, 0, t, 128, &stop);
  CHECK_INT(stop, n);
  CHECK_INT(t[got - 1].start, n - 1);
  vocabulary_free(v);
  return got;
}

static void periods_up_to_a_limit_are_left_out(void)
{
  struct token one[2];
  size_t stop;
  struct vocabulary *v = vocabulary();
  for (unsigned period = 2; period <= 14; period++) {
    CHECK_INT(tokens_of_period(period, 2), 2 * period + 1);
    CHECK_INT(tokens_of_period(period, 5), (period <= 12 ? 2 : 5) * period + 1);
  }
  CHECK_INT(tokenize(v, STR("the the the the the"), 0, one, 2, &stop), 2);
  CHECK_INT(stop, 7); /* full: what follows is for the next call */
  vocabulary_free(v);
}

static const struct {
  const char *name;
  struct str pieces;
} broken[] = {
    {"a length of nothing", STR("\0")},
    {"a length beyond the end", STR("\x03"
                                    "ab")},
    {"a length beyond the limit", STR("\x41"
                                      "0123456789012345678901234567890123456789012345678901234567890123456789")},
    {"a piece twice", STR("\x02"
                          "ab\x02"
                          "ab")},
};

int main(void)
{
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CASE_BEGIN();
    reads(cases[i].text, cases[i].want);
    CASE_END("%s", cases[i].name);
  }
  RUN(spells_what_it_read);
  RUN(goes_on_anywhere);
  RUN(periods_up_to_a_limit_are_left_out);
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    struct vocabulary *v = NULL;
    struct vdt_error err = {0};
    CASE_BEGIN();
    CHECK_INT(vocabulary_new(broken[i].pieces, &v, &err), VDT_ERULE);
    CHECK(err.text[0] != 0);
    CASE_END("refused: %s", broken[i].name);
  }
  return test_end();
}
