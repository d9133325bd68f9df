/* What everything stands on: arena, buffer, growing arrays, strings, clock. Each limit one below, at and above. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "tests/test.h"

static void an_arena_keeps_its_limit(void)
{
  struct vdt_arena *a = vdt_arena_new(1024);
  CHECK(arena_alloc(a, 1023) != NULL);
  vdt_arena_reset(a);
  CHECK(arena_alloc(a, 1024) != NULL);
  vdt_arena_reset(a);
  CHECK(arena_alloc(a, 1025) == NULL);
  CHECK(arena_alloc(a, SIZE_MAX) == NULL);
  CHECK(arena_zalloc(a, SIZE_MAX / 2, 4) == NULL);
  CHECK_INT(arena_used(a), 0);
  vdt_arena_free(a);
  vdt_arena_free(NULL);
}

static void an_array_in_an_arena_grows(void)
{
  struct vdt_arena *a = vdt_arena_new(0);
  size_t cap = 0, *v = NULL;
  for (size_t n = 0; n < 1000; n++) {
    size_t *before = v, had = cap;
    v = arena_grow(a, v, n, &cap, 4, sizeof *v);
    CHECK((v == before) == (n < had));
    v[n] = n;
  }
  for (size_t i = 0; i < 1000; i++) CHECK_INT(v[i], i);
  CHECK_INT(cap, 1024);
  vdt_arena_free(a);
}

static void an_array_that_cannot_grow_stays_as_it_was(void)
{
  struct vdt_arena *a = vdt_arena_new(256);
  size_t cap = 0, *v = arena_grow(a, NULL, 0, &cap, 16, sizeof *v);
  for (size_t i = 0; i < 16; i++) v[i] = i;
  CHECK(arena_grow(a, v, 15, &cap, 16, sizeof *v) == v);
  CHECK(arena_grow(a, v, 16, &cap, 16, sizeof *v) == NULL);
  CHECK_INT(cap, 16);
  CHECK_INT(v[15], 15);
  size_t huge = SIZE_MAX / 2 + 1;
  CHECK(arena_grow(a, v, huge, &huge, 1, 1) == NULL);
  CHECK(heap_grow(NULL, huge, &huge, 1, 1) == NULL);
  size_t wide = SIZE_MAX / 8;
  CHECK(heap_grow(NULL, wide, &wide, 1, 64) == NULL);
  vdt_arena_free(a);
}

static void an_array_on_the_heap_grows(void)
{
  size_t cap = 0, *v = NULL;
  for (size_t n = 0; n < 1000; n++) {
    v = heap_grow(v, n, &cap, 3, sizeof *v);
    v[n] = n;
  }
  for (size_t i = 0; i < 1000; i++) CHECK_INT(v[i], i);
  free(v);
}

static void a_failed_buffer_says_so_once(void)
{
  struct buf b = {0};
  BUF_LIT(&b, "kept");
  CHECK(!buf_reserve(&b, SIZE_MAX - 2));
  CHECK(b.failed);
  BUF_LIT(&b, "lost");
  CHECK_STR(buf_str(&b), "kept");
  buf_reset(&b);
  buf_printf(&b, "%d-%s", 7, "x");
  buf_byte(&b, '!');
  CHECK_STR(buf_str(&b), "7-x!");
  buf_drop(&b, 2);
  CHECK_STR(buf_str(&b), "x!");
  buf_drop(&b, 3);
  CHECK_INT(b.n, 0);
  buf_finish(&b);
}

/* In the room that is left, one byte short of it (the NUL needs one more), and with none. */
static void what_is_printed_fits_however_much_room_there_is(void)
{
  for (size_t n = 0; n < 70; n++) {
    struct buf b = {0};
    CHECK(buf_reserve(&b, 256) && b.cap == 256);
    b.n = 256 - n;
    for (size_t more = 0; more < 3; more++) {
      size_t length = n + more > 1 ? n + more - 1 : 0;
      b.n = 256 - n;
      buf_printf(&b, "%.*s", (int)length, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
      CHECK_INT(b.n, 256 - n + length);
      CHECK(length == 0 || b.p[b.n - 1] == (char)('a' + (length - 1) % 26));
    }
    buf_finish(&b);
  }
  struct buf failed = {.failed = true};
  buf_printf(&failed, "%d", 1);
  CHECK(failed.n == 0 && !failed.p);
}

static void numbers_of_64_bits_are_written(void)
{
  static const uint64_t rows[] = {0, 9, 10, 99, 100, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct buf b = {0};
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)rows[i]);
    buf_u64(&b, rows[i]);
    CHECK_STR(buf_str(&b), text);
    buf_finish(&b);
  }
}

static void numbers_of_64_bits(void)
{
  uint64_t v = 0;
  CHECK(str_u64(STR("18446744073709551614"), &v) && v == UINT64_MAX - 1);
  CHECK(str_u64(STR("18446744073709551615"), &v) && v == UINT64_MAX);
  CHECK(!str_u64(STR("18446744073709551616"), &v));
  CHECK(!str_u64(STR(""), &v) && !str_u64(STR("-1"), &v) && !str_u64(STR(" 1"), &v) && !str_u64(STR("1x"), &v));
}

static void distances_of_names(void)
{
  CHECK_INT(str_distance(STR("gate"), STR("gate")), 0);
  CHECK_INT(str_distance(STR("gaet"), STR("gate")), 1); /* neighbours swapped */
  CHECK_INT(str_distance(STR("Gat"), STR("gate")), 1);
  CHECK_INT(str_distance(STR(""), STR("gate")), 4);
  CHECK_INT(str_distance(STR("kitten"), STR("sitting")), 3);
}

/* All pairs of strings of up to five letters out of three. */
static void one_away_is_a_distance_of_one(void)
{
  char text[2][6];
  unsigned yes = 0;
  for (unsigned x = 0; x < 4 * 4 * 4 * 4 * 4; x++)
    for (unsigned y = 0; y < 4 * 4 * 4 * 4 * 4; y += 1 + x % 3) {
      size_t n[2] = {0, 0};
      for (unsigned k = 0, v[2] = {x, y}; k < 5; k++, v[0] /= 4, v[1] /= 4)
        for (unsigned t = 0; t < 2; t++)
          if (v[t] % 4) text[t][n[t]++] = (t ? "\0abC" : "\0ABc")[v[t] % 4];
      struct str a = {text[0], n[0]}, b = {text[1], n[1]};
      bool one = str_is_one_away(a, b);
      yes += one;
      if (one == (str_distance(a, b) == 1)) continue;
      printf("# %.*s and %.*s\n", (int)a.n, a.p, (int)b.n, b.p);
      test_failed = true;
    }
  CHECK(yes > 1000);
  CHECK(str_is_one_away(STR("paypal"), STR("payapl")) && str_is_one_away(STR("g"), STR("")) &&
        !str_is_one_away(STR(""), STR("")));
}

static void a_cut_splits_no_character(void)
{
  struct str s = STR("a\xc3\xa9\xe2\x82\xac"); /* 1, 2 and 3 bytes */
  static const bool splits[] = {false, false, true, false, true, true, false, false};
  static const size_t begins[] = {0, 1, 1, 3, 3, 3, 6, 7};
  for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
    CHECK(str_splits(s, i) == splits[i]);
    CHECK(str_character(s, i) == begins[i]);
  }
  CHECK(str_character(STR("\x80\x80"), 1) == 0);
}

static void times_there_and_back(void)
{
  static const struct {
    const char *text;
    uint64_t us;
  } rows[] = {
      {"1970-01-01T00:00:01.000000Z", 1000000},
      {"2026-11-25T15:46:15.123456Z", 1795621575123456},
      {"2028-02-29T23:59:59.999999Z", 1835481599999999},
      {"9999-12-31T23:59:59.000001Z", 253402300799000001},
  };
  char text[CLOCK_TEXT];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    clock_format(rows[i].us, text);
    CHECK_STR(str_of(text), rows[i].text);
    CHECK(clock_parse(rows[i].text, strlen(rows[i].text)) == rows[i].us);
  }
  clock_format(253402300800000000, text); /* the year has five digits */
  CHECK_STR(str_of(text), "1970-01-01T00:00:00.000000Z");
  clock_format(UINT64_MAX, text);
  CHECK_STR(str_cut(str_of(text), 0, 4), "1970");
  CHECK(clock_parse("2026-11-25T15:46:15Z", 20) == 1795621575000000);
  CHECK(clock_parse("2026-11-25T15:46:15.1234567Z", 28) == 1795621575123456);
  static const char *const bad[] = {"",
                                    "2026-11-25",
                                    "2026-11-25T15:46:15",
                                    "2026-13-25T15:46:15Z",
                                    "2026-11-25T24:46:15Z",
                                    "2026-11-25T15:46:15.Z",
                                    "2026-11-25 15:46:15Z",
                                    "2026-11-25T15:46:15.12x456Z"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(clock_parse(bad[i], strlen(bad[i])) == 0);
}

static void every_error_has_a_text_and_a_status(void)
{
#define X(name, value, text, http)                                                                                               \
  CHECK_STR(str_of(vdt_strerror(VDT_##name)), text);                                                                             \
  CHECK_INT(vdt_http_status(VDT_##name), http);
#include "vedette/errors.def"
#undef X
  CHECK_INT(vdt_http_status(9999), 500);
}

int main(void)
{
  RUN(an_arena_keeps_its_limit);
  RUN(an_array_in_an_arena_grows);
  RUN(an_array_that_cannot_grow_stays_as_it_was);
  RUN(an_array_on_the_heap_grows);
  RUN(a_failed_buffer_says_so_once);
  RUN(what_is_printed_fits_however_much_room_there_is);
  RUN(numbers_of_64_bits_are_written);
  RUN(numbers_of_64_bits);
  RUN(distances_of_names);
  RUN(one_away_is_a_distance_of_one);
  RUN(times_there_and_back);
  RUN(a_cut_splits_no_character);
  RUN(every_error_has_a_text_and_a_status);
  return test_end();
}
