/*
 * The trained model: a normalised text and its role in, a calibrated score out, with the words that carry it. It depends on nothing but
 * its arguments: the same on every processor.
 *
 * A text is read in overlapping windows. The gate looks at each, and letters at those of a prompt that it lets pass; the encoder reads those that they
 * are not sure about, the most suspicious ones first, at most READ_MAX, and stops when it is certain, or when a quarter of the windows left no doubt: that bounds what
 * a text may cost. It lets go a window that its first layers find harmless. The score is that of the worst window that was read, or of a
 * paragraph of a prompt that stands in one among other text and looks worse by itself: at most AGAIN_MAX of those are read once more. A
 * reader remembers verdicts (model/memory.h): a text that comes again costs a hash. A document of fewer than five tokens and a prompt of fewer than four are not judged: they have no window.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H
#include "base/error.h"
#include "base/str.h"

enum { READ_MAX = 64, AGAIN_MAX = 16, SPANS_MAX = 3 };

struct model;
/* weights: a file of weights.h, aligned to 64 bytes, which must stay as long as the model. path: an encoder path by name (encoder.h), or
 * NULL for the best one. ERULE says what is wrong with the file; ENOTFOUND: no such path here. */
int model_new(const void *weights, size_t n, const char *path, struct model **out, struct vdt_error *err);
void model_free(struct model *m);
const char *model_name(const struct model *m);
uint32_t model_version(const struct model *m);

/* One thread's memory, about 2 MiB. NULL: out of memory. sodium_init() comes first. */
struct model_reader;
struct model_reader *model_reader_new(const struct model *m);
void model_reader_free(struct model_reader *r);

struct model_span {
  uint64_t start, end; /* bytes of the text */
  double share;        /* of the score's evidence, 0..1 */
};

struct model_verdict {
  double score;         /* 0..1, without rules; thresholds mean false-positive rates: docs/detection.md */
  double logit;         /* before calibration */
  const char *category; /* "changing-rules"; "" when the encoder read nothing to its end */
  const char *rule;     /* "model-changing-rules" */
  const char *reason;   /* the same for people */
  struct model_span spans[SPANS_MAX];
  size_t n_spans;       /* strongest first */
  size_t windows, read; /* how many there are and how many the encoder began to read */
  size_t again;         /* paragraphs of them that it read once more by themselves */
  bool partial;         /* READ_MAX windows were read, and more were suspicious */
};

/* document: whether it is a document's text, else a prompt's. Fails only for want of memory in model_reader_new: never here. */
void model_judge(struct model_reader *r, struct str text, bool document, struct model_verdict *out);
/* The calibrated score of a logit and of what the rules gave (0..1), joined. */
double model_join(const struct model *m, bool document, double logit, double rules);
#endif
