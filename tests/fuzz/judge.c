/* Any text before a small model with random weights: windows, the gate and paragraphs that are read again keep to their bounds, and a second reader says
 * the same. The first byte: its lowest bit is the role, the others how much the gate lets through. */
#include "model/model.h"
#include "tests/model/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct model_verdict *v, size_t n)
{
  if (!(v->score >= 0 && v->score <= 1) || v->n_spans > SPANS_MAX) abort();
  if (v->read > v->windows || v->read > READ_MAX || v->again > AGAIN_MAX || (v->again && !v->read)) abort();
  for (size_t i = 0; i < v->n_spans; i++)
    if (v->spans[i].start > v->spans[i].end || v->spans[i].end > n || !(v->spans[i].share <= 1.001)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  enum { MODELS = 4 };
  static struct model *models[MODELS];
  static const float pass[MODELS] = {-1e9f, -1, 0, 1};
  size_t n;
  if (size < 1) return 0;
  struct model **m = &models[data[0] / 2 % MODELS];
  if (!*m) {
    struct rig rig = {.seed = 1, .pass = pass[m - models], .leave = -1e9f, .letters = 0.3f, .letters_pass = pass[m - models]};
    rig.steep = 20;
    rig.scores = RIG_UNSURE;
    char *file = rig_file_of(rig, &n);
    if (model_new(file, n, NULL, m, NULL)) abort();
  }
  struct str text = {(const char *)data + 1, size - 1};
  struct model_verdict first, second;
  struct model_reader *r = model_reader_new(*m), *other = model_reader_new(*m);
  if (r && other) {
    model_judge(r, text, data[0] & 1, &first);
    check(&first, text.n);
    model_judge(other, text, data[0] & 1, &second);
    if (first.logit < second.logit || first.logit > second.logit || first.again != second.again ||
        first.n_spans != second.n_spans)
      abort();
  }
  model_reader_free(r);
  model_reader_free(other);
  return 0;
}
