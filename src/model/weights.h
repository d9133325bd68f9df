/*
 * The weights file: a header, a table of named sections, the sections. Everything little-endian, each section at a multiple of 64 bytes.
 * model/train/export.py writes it; this reads it with every bound checked, so that a broken or hostile file is refused, never run.
 *
 *   0   "VDTMODEL"            32  u32 CRC-32 of everything from byte 64 on
 *   8   u32 format (7)        36  u32 number of sections
 *  12   u32 version           40  name, NUL-padded, 24 bytes
 *  16   u64 size of the file  64  sections: name (NUL-padded, 16 bytes), u64 offset, u64 size
 *  24   8 bytes of zero
 */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H
#include "model/encoder.h"
#include "model/gate.h"
#include "model/letters.h"

enum { WEIGHTS_FORMAT = 7, KNOTS_MAX = 64 };

/* A calibrated score of a logit: straight lines between knots. */
struct knot {
  float logit, score;
};

struct weights {
  char name[25];
  uint32_t version;
  uint32_t stride; /* from window to window, in tokens */
  struct encoder encoder;
  struct gate gate[ROLES];
  struct letters letters; /* of prompts */
  const float *leave;     /* by role: a window whose logit, as the exit has it, is below this is not read on */
  const float *rules;     /* by role: logits that a rule score of 1 is worth */
  const struct knot *knots[ROLES];
  uint32_t n_knots;
  struct str pieces; /* of the vocabulary */
  int32_t *sums;     /* of all matrices; the one thing that is not in the file */
};

/* Reads n bytes at p, which must stay as long as *out; p is aligned to 64 bytes. ERULE says what is wrong and in which section. */
int weights_read(const void *p, size_t n, struct weights *out, struct vdt_error *err);
void weights_finish(struct weights *w);
#endif
