/* The event-stream decoder: what is an event, what is its data, and that raw bytes are kept. */
#include "wire/wire.h"
#include "../test.h"

/* events: "[event|data]" each, "[-]" for one without data; rest: what is no whole event yet. */
static const struct {
  const char *name, *in, *events, *rest;
} cases[] = {
    {"one line", "data: a\n\n", "[|a]", ""},
    {"only the first blank goes", "data:  a\n\ndata:b\n\n", "[| a][|b]", ""},
    {"lines are joined", "data: a\ndata: b\ndata\n\n", "[|a\nb\n]", ""},
    {"the last event name counts", "event: x\nevent: y\ndata: a\n\n", "[y|a]", ""},
    {"comments and other fields", ": c\n\nid: 1\nretry: 2\n\ndatum: x\n\n", "[-][-][-]", ""},
    {"empty data is data", "data\n\ndata:\n\n", "[|][|]", ""},
    {"blank lines alone", "\n\ndata: a\n\n\n", "[-][-][|a][-]", ""},
    {"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", "[|a][|b]", ""},
    {"CR", "data: a\r\rdata: b\r\r.", "[|a][|b]", "."},
    {"mixed line ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", "[|a][|b][|c]", ""},
    {"a CR at the end waits for its LF", "data: a\n\r", "", "data: a\n\r"},
    {"byte order mark",
     "\xef\xbb\xbf"
     "data: a\n\n\xef\xbb\xbf"
     "data: b\n\n",
     "[|a][-]", ""},
    {"byte order mark and a blank line", "\xef\xbb\xbf\ndata: a\n\n", "[-][|a]", ""},
    {"not whole", "data: a\n", "", "data: a\n"},
    {"nothing", "", "", ""},
};

static void describe(struct str in, size_t step, struct buf *events, struct buf *raw)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct sse s = {0};
  struct sse_event e;
  for (size_t at = 0; at < in.n; at += step) {
    CHECK(sse_feed(&s, str_cut(in, at, in.n - at < step ? in.n : at + step)));
    while (sse_next(&s, arena, &e)) {
      buf_put(raw, e.raw);
      if (e.has_data) buf_printf(events, "[%.*s|%.*s]", (int)e.event.n, e.event.p ? e.event.p : "", (int)e.data.n, e.data.p);
      else BUF_LIT(events, "[-]");
    }
  }
  buf_byte(raw, '|');
  buf_put(raw, sse_rest(&s));
  sse_finish(&s);
  vdt_arena_free(arena);
}

static void events(void)
{
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct str in = str_of(cases[i].in);
    CASE_BEGIN();
    for (size_t step = 1; step <= in.n + 1; step++) {
      struct buf got = {0}, raw = {0}, want = {0};
      describe(in, step, &got, &raw);
      CHECK_STR(got.n ? buf_str(&got) : STR(""), cases[i].events);
      buf_put(&want, str_cut(in, 0, in.n - strlen(cases[i].rest)));
      buf_printf(&want, "|%s", cases[i].rest);
      CHECK(str_eq(buf_str(&raw), buf_str(&want)));
      buf_finish(&got);
      buf_finish(&raw);
      buf_finish(&want);
    }
    CASE_END("events: %s", cases[i].name);
  }
}

static void other_data_in_the_same_event(void)
{
  struct sse_event e = {.raw = STR("event: x\r\ndata: a\r\nid: 3\r\ndata: b\r\n\r\n"), .has_data = true};
  struct buf out = {0};
  sse_rewrite(&e, STR("1\n2"), &out);
  CHECK_STR(buf_str(&out), "event: x\ndata: 1\ndata: 2\nid: 3\n\n");
  buf_finish(&out);
}

int main(void)
{
  events();
  RUN(other_data_in_the_same_event);
  return test_end();
}
