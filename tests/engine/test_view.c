/* The view: what a reader sees, with a way back to the original bytes. */
#include "engine/view.h"
#include "tests/test.h"
#include <utf8proc.h>

static struct view whole(const char *p, size_t n)
{
  struct view v;
  view_init(&v);
  CHECK(view_feed(&v, p, n));
  CHECK(view_end(&v));
  return v;
}

static void reads(const char *name, const char *text, const char *want)
{
  CASE_BEGIN();
  struct view v = whole(text, strlen(text));
  CHECK_STR(buf_str(&v.text), want);
  CHECK_INT(v.orig_len, strlen(text));
  view_finish(&v);
  CASE_END("%s", name);
}

static void table(void)
{
  reads("ASCII is its own view", "Plain text, \t\n 123", "Plain text, \t\n 123");
  reads("full-width letters keep their case", "\xEF\xBC\xA1\xEF\xBD\x82\xEF\xBC\x91", "Ab1");
  reads("mathematical letters too", "\xF0\x9D\x90\x88\xF0\x9D\x90\xA0", "Ig");
  reads("accents go, composed",
        "pr\xC3\xA9"
        "c\xC3\xA9"
        "dent",
        "precedent");
  reads("accents go, combining",
        "pre\xCC\x81"
        "cedent",
        "precedent");
  reads("zero-width and joiners go", "i\xE2\x80\x8Bg\xE2\x80\x8Dn\xEF\xBB\xBFore", "ignore");
  reads("tag characters go", "a\xF3\xA0\x81\x81\xF3\xA0\x81\x82z", "az");
  reads("variation selectors go", "a\xEF\xB8\x8F\xF3\xA0\x84\x80z", "az");
  reads("bidi controls go",
        "a\xE2\x80\xAE"
        "b\xE2\x81\xA6"
        "c",
        "abc");
  reads("other scripts are case-folded", "\xD0\x98\xD0\x93\xD0\x9D", "\xD0\xB8\xD0\xB3\xD0\xBD");
  reads("Hangul stays composed", "\xED\x95\x9C\xEA\xB8\x80", "\xED\x95\x9C\xEA\xB8\x80");
  reads("ligatures come apart",
        "o\xEF\xAC\x83"
        "ce",
        "office");
  reads("a byte that is not UTF-8 reads as U+FFFD",
        "a\xFF"
        "b",
        "a\xEF\xBF\xBD"
        "b");
  reads("a sequence that breaks off", "a\xE2\x82", "a\xEF\xBF\xBD\xEF\xBF\xBD");
  reads("surrogates are not UTF-8", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  reads("overlong forms are not UTF-8", "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD");
  reads("nor those of three bytes", "\xE0\x90\xB0", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void offsets_lead_back(void)
{
  /*                  0  1   2..4          5   6..8          9 */
  const char text[] = "ab"
                      "\xE2\x80\x8B"
                      "c"
                      "\xEF\xBC\xA1"
                      "d";
  struct view v = whole(text, sizeof text - 1);
  CHECK_STR(buf_str(&v.text), "abcAd");
  const uint64_t start[] = {0, 1, 5, 6, 9}, stop[] = {1, 2, 6, 9, 10};
  for (uint64_t i = 0; i < 5; i++) {
    CHECK_INT(view_start(&v, i), start[i]);
    CHECK_INT(view_stop(&v, i + 1), stop[i]);
  }
  CHECK_INT(view_start(&v, 5), 10);
  view_finish(&v);
}

static void every_cut_gives_the_same_view(void)
{
  const char text[] = "x\xC3\xA9y\xE2\x80\x8Bz\xF0\x9D\x90\x88\xFF\xE2\x82\xCC\x81q\xEF\xBC\xA1\xF3\xA0\x81\x81!\xE0\xA4";
  struct view want = whole(text, sizeof text - 1);
  for (size_t a = 0; a < sizeof text; a++)
    for (size_t b = a; b < sizeof text; b++) {
      struct view v;
      view_init(&v);
      view_feed(&v, text, a);
      view_feed(&v, text + a, b - a);
      view_feed(&v, text + b, sizeof text - 1 - b);
      view_end(&v);
      CHECK(str_eq(buf_str(&v.text), buf_str(&want.text)));
      CHECK_INT(v.orig_len, want.orig_len);
      for (uint64_t i = 0; i < want.view_len; i++) CHECK_INT(view_start(&v, i), view_start(&want, i));
      view_finish(&v);
    }
  view_finish(&want);
}

/* Copied in runs, or folded one by one: every code point beside itself reads as it does alone. */
static void runs_change_nothing(void)
{
  for (uint32_t c = 0x80; c < 0x20000; c++) {
    char text[9] = {0};
    size_t n = 0;
    if (c >= 0xD800 && c < 0xE000) continue;
    if (c < 0x800) text[n++] = (char)(0xC0 | c >> 6);
    else if (c < 0x10000) text[n++] = (char)(0xE0 | c >> 12);
    else text[n++] = (char)(0xF0 | c >> 18);
    if (c >= 0x10000) text[n++] = (char)(0x80 | (c >> 12 & 63));
    if (c >= 0x800) text[n++] = (char)(0x80 | (c >> 6 & 63));
    text[n++] = (char)(0x80 | (c & 63));
    memcpy(text + n, text, n);
    struct view run = whole(text, 2 * n), one;
    view_init(&one);
    for (size_t i = 0; i < n; i++) view_feed(&one, text + i, 1);
    view_end(&one);
    CHECK_INT(run.view_len, 2 * one.view_len);
    CHECK(run.view_len == 2 * one.view_len && (!one.view_len || memcmp(run.text.p, one.text.p, one.view_len) == 0));
    CHECK(!one.view_len || memcmp(run.text.p + one.view_len, one.text.p, one.view_len) == 0);
    CHECK(!one.view_len || (view_start(&run, one.view_len) == n && view_stop(&run, one.view_len) == n));
    view_finish(&run);
    view_finish(&one);
  }
}

/* What a code point is without its marks, by utf8proc; empty when that is no ASCII. */
static struct str without_marks(int32_t c, char out[32])
{
  int32_t cps[32];
  int boundary = 0;
  size_t n = 0;
  utf8proc_ssize_t got = utf8proc_decompose_char(c, cps, 32, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
  for (utf8proc_ssize_t i = 0; i < got; i++) {
    if (cps[i] >= 0x80 && (cps[i] < 0x300 || cps[i] > 0x36F)) return STR("");
    if (cps[i] < 0x80) out[n++] = (char)cps[i];
  }
  return (struct str){out, n};
}

static void ascii_in_other_dress(void)
{
  unsigned seen = 0;
  for (int32_t c = 0xA0; c < 0x10000; c += c == 0xD7FF ? 0x801 : 1) {
    unsigned char text[4];
    char want[32];
    struct str ascii = without_marks(c, want);
    size_t n = (size_t)utf8proc_encode_char(c, text);
    if (!ascii.n) continue;
    struct view v = whole((const char *)text, n);
    CHECK(str_eq(buf_str(&v.text), ascii) && view_start(&v, 0) == 0 && view_stop(&v, v.view_len) == n);
    view_finish(&v);
    seen++;
  }
  CHECK(seen > 500);
}

static void offsets_lead_there(void)
{
  /*                  0  1   2..4          5   6..8          9 */
  const char text[] = "ab"
                      "\xE2\x80\x8B"
                      "c"
                      "\xEF\xBC\xA1"
                      "d";
  struct view v = whole(text, sizeof text - 1);
  const uint64_t at[] = {0, 1, 2, 2, 2, 2, 3, 3, 3, 4, 5};
  for (uint64_t i = 0; i < sizeof at / sizeof *at; i++) CHECK_INT(view_at(&v, i), at[i]);
  CHECK_INT(v.invisible, 1);
  view_finish(&v);
}

static void dropping_keeps_the_rest(void)
{
  const char text[] = "ab\xE2\x80\x8B"
                      "cd\xEF\xBC\xA1"
                      "ef";
  struct view want = whole(text, sizeof text - 1);
  for (uint64_t drop = 0; drop <= want.view_len; drop++) {
    struct view v = whole(text, sizeof text - 1);
    view_drop(&v, drop);
    CHECK_INT(v.view_base, drop);
    CHECK_INT(v.text.n, want.view_len - drop);
    for (uint64_t i = drop; i < want.view_len; i++) {
      CHECK_INT(view_start(&v, i), view_start(&want, i));
      CHECK_INT(view_stop(&v, i + 1), view_stop(&want, i + 1));
    }
    view_finish(&v);
  }
  view_finish(&want);
}

int main(void)
{
  table();
  RUN(offsets_lead_back);
  RUN(offsets_lead_there);
  RUN(runs_change_nothing);
  RUN(ascii_in_other_dress);
  RUN(every_cut_gives_the_same_view);
  RUN(dropping_keeps_the_rest);
  return test_end();
}
