/*
 * The product's own normalisation, tokens and model for the training programs: what the model learns from is byte for byte what the
 * gateway will show it, and thresholds are set on what the product computes. Called by text.py through ctypes.
 */
#include "engine/view.h"
#include "model/model.h"
#include "model/tokens.h"
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT struct vocabulary *native_vocabulary(const char *pieces, size_t n)
{
  struct vocabulary *v = NULL;
  struct vdt_error err;
  return vocabulary_new((struct str){pieces, n}, &v, &err) ? NULL : v;
}

EXPORT uint32_t native_size(const struct vocabulary *v)
{
  return vocabulary_size(v);
}

static bool make(struct view *view, const char *text, size_t n, struct str *out)
{
  view_init(view);
  bool fine = view_feed(view, text, n) && view_end(view);
  *out = (struct str){view->text.p ? view->text.p : "", view->text.n};
  return fine;
}

/* The token numbers of a text. Returns how many. */
EXPORT size_t native_tokens(const struct vocabulary *v, const char *text, size_t n, uint16_t *out, size_t max)
{
  struct view view;
  struct str s;
  size_t count = 0;
  if (make(&view, text, n, &s)) {
    struct token tokens[256];
    size_t at = 0, got;
    do {
      got = tokenize(v, s, at, tokens, max - count < 256 ? max - count : 256, &at);
      for (size_t i = 0; i < got; i++) out[count++] = (uint16_t)tokens[i].id;
    } while (got && count < max);
  }
  view_finish(&view);
  return count;
}

EXPORT struct model_reader *native_reader(const void *weights, size_t n, const char *path, char *error, size_t room)
{
  struct model *m = NULL;
  struct vdt_error err = {0};
  if (model_new(weights, n, path, &m, &err)) {
    snprintf(error, room, "%s", err.text);
    return NULL;
  }
  return model_reader_new(m);
}

/* out: logit, score, windows, read. */
EXPORT void native_judge(struct model_reader *r, const char *text, size_t n, int document, double *out)
{
  struct view view;
  struct str s;
  struct model_verdict v = {0};
  if (make(&view, text, n, &s)) model_judge(r, s, document, &v);
  view_finish(&view);
  out[0] = v.logit;
  out[1] = v.score;
  out[2] = (double)v.windows;
  out[3] = (double)v.read;
}
