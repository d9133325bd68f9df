/* The decoders over any bytes: within budget and depth, texts made of their segments, every byte of them leading back into the input. */
#include "engine/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct decode *d, const struct view *v, size_t i, size_t size)
{
  const struct decoded *t = &d->texts[i];
  uint32_t at = 0;
  if (t->parent >= (int)i || t->depth < 1 || t->depth > DECODE_DEPTH || t->text.n == 0) abort();
  for (size_t k = 0; k < t->n_segments; k++) {
    const struct segment *s = &t->segments[k];
    if (s->at != at || s->start > s->end || (s->same && s->n != s->end - s->start)) abort();
    at += s->n;
  }
  if (at != t->text.n) abort();
  for (uint64_t k = 0; k < t->text.n; k += 1 + t->text.n / 64) {
    struct decode_span s;
    decode_origin(d, v, i, k, t->text.n, &s);
    if (s.start >= s.end || s.end > size || s.n_layers > DECODE_LAYERS) abort();
    decode_origin(d, v, i, k, k + 1, &s);
    if (s.start >= s.end || s.end > size) abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct decode d;
  static bool ready;
  struct view v;
  struct str text = {(const char *)data, size};
  if (!ready && !decode_init(&d)) abort();
  ready = true;
  view_init(&v);
  if (!view_feed(&v, text.p, text.n) || !view_end(&v) || !decode_run(&d, text, &v, buf_str(&v.text))) abort();
  size_t all = 0;
  for (size_t i = 0; i < d.n_texts; i++) {
    all += d.texts[i].text.n;
    check_text(&d, &v, i, size);
  }
  if (all > decode_budget(v.view_len) || d.work > 2048 * (v.view_len + size) + 4096) abort();
  view_finish(&v);
  return 0;
}
