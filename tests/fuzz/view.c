/* The view of any bytes: cut anywhere it is the same, its offsets never go back, and it stays within its bound. */
#include "engine/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1) return 0;
  const char *p = (const char *)data + 1;
  size_t n = size - 1, cut = n ? data[0] % (n + 1) : 0;
  struct view a, b;
  view_init(&a);
  view_init(&b);
  view_feed(&a, p, n);
  view_end(&a);
  view_feed(&b, p, cut);
  view_feed(&b, p + cut, n - cut);
  view_end(&b);
  if (a.orig_len != n || a.view_len != a.text.n || !str_eq(buf_str(&a.text), buf_str(&b.text))) abort();
  if (a.view_len > n * 24) abort();
  for (uint64_t i = 0, last = 0; i < a.view_len; i++) {
    uint64_t start = view_start(&a, i), stop = view_stop(&a, i + 1);
    if (start < last || stop <= start || stop > n || start != view_start(&b, i)) abort();
    last = start;
  }
  view_finish(&a);
  view_finish(&b);
  return 0;
}
