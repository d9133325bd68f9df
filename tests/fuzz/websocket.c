/* Any bytes as WebSocket frames, cut two ways: the same messages and the same error. What was read is written and read back. Byte 0 says whose
 * frames they are, and how they are cut. */
#include "base/websocket.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
  if (!ok) abort();
}

enum { MAX = 1000 };

static void read_back(const struct ws_message *m, bool masked)
{
  struct buf b = {0};
  struct websocket w = {.masked = masked, .max = MAX};
  struct ws_message again;
  websocket_put(&b, m->kind, m->data, masked ? (const unsigned char *)"\x01\x80\xff\x5a" : NULL);
  struct str in = buf_str(&b);
  check(websocket_next(&w, &in, &again) && in.n == 0 && again.kind == m->kind && str_eq(again.data, m->data));
  websocket_finish(&w);
  buf_finish(&b);
}

static void read_all(struct str in, bool masked, size_t step, struct buf *said)
{
  struct websocket w = {.masked = masked, .max = MAX};
  struct ws_message m;
  for (size_t at = 0; at < in.n; at += step) {
    struct str piece = str_cut(in, at, in.n - at < step ? in.n : at + step);
    while (websocket_next(&w, &piece, &m)) {
      check(m.data.n <= MAX && (m.kind < WS_CLOSE || m.data.n <= WS_CONTROL_MAX));
      buf_printf(said, "%d:%zu:", (int)m.kind, m.data.n);
      buf_put(said, m.data);
      read_back(&m, masked);
    }
    check(piece.n == 0 || w.error || w.closed);
  }
  buf_printf(said, "%u", w.error);
  websocket_finish(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1) return 0;
  struct str in = {(const char *)data + 1, size - 1};
  struct buf whole = {0}, cut = {0};
  read_all(in, data[0] & 0x80, in.n + 1, &whole);
  read_all(in, data[0] & 0x80, 1 + data[0] % 16, &cut);
  check(str_eq(buf_str(&whole), buf_str(&cut)));
  buf_finish(&whole);
  buf_finish(&cut);
  return 0;
}
