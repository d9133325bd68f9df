/* The memory of encoder_run.c: rows are padded to whole vectors. */
#ifndef MODEL_ENCODER_SCRATCH_H
#define MODEL_ENCODER_SCRATCH_H
#include "model/encoder.h"

struct encoder_scratch {
  float *x;         /* [window][width] the residual stream */
  float *rows;      /* [window][max(3 width, inner)] results of a product */
  float *joined;    /* [window][width] what the heads found; the last norm */
  uint8_t *input;   /* [window][max(width, inner)] 8-bit rows for a product */
  float *scale;     /* [window] of input */
  int32_t *sums;    /* [window][max(3 width, inner, window)] */
  uint8_t *q;       /* [window][head] */
  float *q_scale;   /* [window] */
  int8_t *k, *v;    /* packed like a matrix: [window/16][head/4][16][4], [head/16][window/4][16][4] */
  float *k_scale;   /* [window] */
  int32_t *k_sums;  /* [window] */
  float *v_scale;   /* [head] */
  uint8_t *weights; /* [window][window] of attention, unnormalised */
  float *weight;    /* [window] one over their sum */
};
#endif
