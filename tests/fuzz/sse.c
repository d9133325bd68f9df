/* Any bytes, cut two ways: the same events, whose raw bytes and rest are the input. */
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
  if (!ok) abort();
}

/* Everything that the decoder says, in one buffer. */
static void decode(struct str in, size_t step, struct buf *raw, struct buf *said)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct sse s = {0};
  struct sse_event e;
  for (size_t at = 0; at < in.n; at += step) {
    check(sse_feed(&s, str_cut(in, at, in.n - at < step ? in.n : at + step)));
    while (sse_next(&s, arena, &e)) {
      buf_put(raw, e.raw);
      buf_printf(said, "%d:%zu:", e.has_data, e.data.n);
      buf_put(said, e.data);
      buf_put(said, e.event);
    }
  }
  buf_put(raw, sse_rest(&s));
  sse_finish(&s);
  vdt_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1) return 0;
  struct str in = {(const char *)data + 1, size - 1};
  struct buf raw[2] = {0}, said[2] = {0};
  decode(in, in.n + 1, &raw[0], &said[0]);
  decode(in, 1 + data[0] % 16, &raw[1], &said[1]);
  check(str_eq(buf_str(&raw[0]), in) && str_eq(buf_str(&raw[1]), in));
  check(str_eq(buf_str(&said[0]), buf_str(&said[1])));
  for (int i = 0; i < 2; i++) {
    buf_finish(&raw[i]);
    buf_finish(&said[i]);
  }
  return 0;
}
