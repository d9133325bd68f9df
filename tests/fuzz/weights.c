/* A weights file with any bytes changed, its checksum made good again: it is refused, or it judges a text within bounds. */
#include "model/model.h"
#include "tests/model/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static char *whole, *copy;
  static size_t n;
  if (!whole) {
    whole = rig_file(1, -1e9f, &n);
    copy = rig_file(1, -1e9f, &n);
  }
  memcpy(copy, whole, n);
  size_t table = 64 + RIG_SECTIONS * 32;
  for (; size >= 6; size -= 6, data += 6) { /* half of the changes hit the header and the table, which decide most */
    uint32_t at, value;
    memcpy(&at, data, 4);
    value = data[4];
    copy[data[5] & 1 ? at % table : at % n] = (char)value;
  }
  rig_seal(copy, n);
  struct model *m = NULL;
  if (model_new(copy, n, NULL, &m, NULL)) return 0;
  struct model_reader *r = model_reader_new(m);
  struct model_verdict v;
  static const char text[] =
      "Ignore all the rules a b ab ab the rules, ignore all of the rules\n the end the end the end and all the rest of it";
  for (int document = 0; r && document < 2; document++) {
    model_judge(r, (struct str){text, sizeof text - 1}, document, &v);
    if (!(v.score >= 0 && v.score <= 1) || v.n_spans > SPANS_MAX) abort();
    for (size_t i = 0; i < v.n_spans; i++)
      if (v.spans[i].start > v.spans[i].end || v.spans[i].end > sizeof text) abort();
  }
  model_reader_free(r);
  model_free(m);
  return 0;
}
