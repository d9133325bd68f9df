/* WebSocket framing: what is written is read back, every rule of RFC 6455 that we hold to has a frame that breaks it, at every limit. */
#include "base/websocket.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>

enum { MAX = 70000 };

static const unsigned char mask[4] = {0x5a, 0x01, 0xff, 0x80};

/* Reads all of it in pieces of `step` bytes; "kind:text|" for each, then the error. */
static void read_all(struct str in, bool masked, size_t max, size_t step, struct buf *out)
{
  struct websocket w = {.masked = masked, .max = max};
  struct ws_message m;
  for (size_t at = 0; at < in.n; at += step) {
    struct str piece = str_cut(in, at, in.n - at < step ? in.n : at + step);
    while (websocket_next(&w, &piece, &m)) buf_printf(out, "%d:%.*s|", (int)m.kind, (int)m.data.n, m.data.p);
  }
  if (w.error) buf_printf(out, "error %u", w.error);
  websocket_finish(&w);
}

static void lengths_are_read_back(void)
{
  static const size_t sizes[] = {0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 65537, MAX};
  char *text = malloc(MAX);
  for (size_t i = 0; i < MAX; i++) text[i] = (char)('a' + i % 23);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int masked = 0; masked < 2; masked++) {
      struct buf b = {0};
      struct websocket w = {.masked = masked, .max = MAX};
      struct ws_message m = {0};
      websocket_put(&b, WS_TEXT, (struct str){text, sizes[i]}, masked ? mask : NULL);
      struct str in = buf_str(&b);
      CHECK(websocket_next(&w, &in, &m) && in.n == 0 && m.kind == WS_TEXT);
      CHECK(str_eq(m.data, (struct str){text, sizes[i]}));
      CHECK(!websocket_next(&w, &in, &m) && !w.error);
      websocket_finish(&w);
      buf_finish(&b);
    }
  free(text);
}

static void the_limit_is_of_the_whole_message(void)
{
  for (size_t n = 99; n <= 101; n++) {
    struct buf b = {0}, out = {0};
    char text[101] = {0};
    memset(text, 'x', sizeof text);
    websocket_put(&b, WS_TEXT, (struct str){text, 60}, NULL);
    b.p[0] = WS_TEXT;
    websocket_put(&b, WS_CONTINUATION, (struct str){text, n - 60}, NULL);
    read_all(buf_str(&b), false, 100, b.n, &out);
    CHECK(str_eq(str_cut(buf_str(&out), 0, 5), n <= 100 ? STR("1:xxx") : STR("error")));
    if (n > 100) CHECK_STR(buf_str(&out), "error 1009");
    buf_finish(&out);
    buf_finish(&b);
  }
}

static const struct {
  const char *name;
  bool masked;
  struct str in;
  const char *out;
} frames[] = {
    {"a text", false, STR("\x81\x02hi"), "1:hi|"},
    {"a masked text", true, STR("\x81\x82\x01\x02\x03\x04ik"), "1:hi|"},
    {"an empty text", false, STR("\x81\x00"), "1:|"},
    {"bytes", false, STR("\x82\x01z"), "2:z|"},
    {"fragments", false,
     STR("\x01\x01"
         "a"
         "\x00\x00"
         "\x80\x01"
         "b"),
     "1:ab|"},
    {"a ping between fragments", false,
     STR("\x01\x01"
         "a"
         "\x89\x01"
         "p"
         "\x80\x01"
         "b"),
     "9:p|1:ab|"},
    {"two messages", false,
     STR("\x81\x01"
         "a"
         "\x81\x01"
         "b"),
     "1:a|1:b|"},
    {"close without a code", false,
     STR("\x88\x00"
         "\x81\x01"
         "a"),
     "8:|"},
    {"close with a code", false, STR("\x88\x02\x03\xe8"), "8:\x03\xe8|"},
    {"close with 3000", false, STR("\x88\x02\x0b\xb8"), "8:\x0b\xb8|"},
    {"close with half a code", false, STR("\x88\x01\x03"), "error 1002"},
    {"close with 999", false, STR("\x88\x02\x03\xe7"), "error 1002"},
    {"close with 1005", false, STR("\x88\x02\x03\xed"), "error 1002"},
    {"close with 1015", false, STR("\x88\x02\x03\xf7"), "error 1002"},
    {"close with 5000", false, STR("\x88\x02\x13\x88"), "error 1002"},
    {"masked by a server", false, STR("\x81\x82\x01\x02\x03\x04ik"), "error 1002"},
    {"not masked by a client", true, STR("\x81\x02hi"), "error 1002"},
    {"RSV1, as compression sets it", false, STR("\xc1\x02hi"), "error 1002"},
    {"RSV2", false, STR("\xa1\x02hi"), "error 1002"},
    {"RSV3", false, STR("\x91\x02hi"), "error 1002"},
    {"opcode 3", false, STR("\x83\x02hi"), "error 1002"},
    {"opcode 11", false, STR("\x8b\x00"), "error 1002"},
    {"a continuation of nothing", false,
     STR("\x80\x01"
         "a"),
     "error 1002"},
    {"a text within a text", false,
     STR("\x01\x01"
         "a"
         "\x81\x01"
         "b"),
     "error 1002"},
    {"a ping in fragments", false,
     STR("\x09\x01"
         "p"),
     "error 1002"},
    {"a ping of 126 bytes", false, STR("\x89\x7e\x00\x7e"), "error 1002"},
    {"two bytes for a length of 125", false, STR("\x81\x7e\x00\x7d"), "error 1002"},
    {"eight bytes for a length of 65535", false, STR("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), "error 1002"},
    {"a length with the highest bit", false, STR("\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), "error 1002"},
    {"a length above the limit", false, STR("\x81\x7f\x00\x00\x00\x00\x7f\xff\xff\xff"), "error 1009"},
    {"half a frame", false, STR("\x81\x7e\x00"), ""},
};

static void every_frame_in_pieces_of_every_size(void)
{
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
    CASE_BEGIN();
    for (size_t step = 1; step <= frames[i].in.n; step++) {
      struct buf out = {0};
      read_all(frames[i].in, frames[i].masked, 1 << 16, step, &out);
      CHECK_STR(out.n ? buf_str(&out) : STR(""), frames[i].out);
      buf_finish(&out);
    }
    CASE_END("%s", frames[i].name);
  }
}

static void a_reason_is_cut_at_what_a_frame_holds(void)
{
  char reason[300];
  struct buf b = {0};
  memset(reason, 'r', sizeof reason - 1);
  reason[sizeof reason - 1] = 0;
  websocket_put_close(&b, 1008, reason, NULL);
  CHECK_INT(b.n, 2 + 125);
  CHECK_INT((unsigned char)b.p[1], 125);
  buf_finish(&b);
}

int main(void)
{
  RUN(lengths_are_read_back);
  RUN(the_limit_is_of_the_whole_message);
  every_frame_in_pieces_of_every_size();
  RUN(a_reason_is_cut_at_what_a_frame_holds);
  return test_end();
}
