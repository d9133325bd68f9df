/* The memory of encoder_run.c: rows are padded to whole vectors. */
#ifndef MODEL_ENCODER_SCRATCH_H
#define MODEL_ENCODER_SCRATCH_H
#include "model/encoder.h"

struct encoder_scratch {
  float *x;              /* [window][width] the residual stream */
  float *rows;           /* [window][max(3 width, inner)] results of a product */
  float *joined;         /* [window][width] what the heads found; the last norm */
  uint8_t *input;        /* [window][max(width, inner)] 8-bit rows for a product */
  float *scale;          /* [window] of input */
  int32_t *sums;         /* [window][max(head, window)] results of attention's products */
  uint8_t *q;            /* [window][head] */
  float *q_scale;        /* [window] */
  int8_t *k, *v;         /* packed like a matrix: [window/16][head/4][16][4], [head/16][window/4][16][4] */
  float *k_scale;        /* [window] */
  int32_t *k_sums;       /* [window] */
  float *v_scale;        /* [head] */
  uint8_t *weights;      /* [window][window] of attention, unnormalised */
  float *weight;         /* [window] one over their sum */
  uint32_t *wide_rows;   /* [window][k / 2] products of 16-bit numbers: the rows as such, */
  int32_t *row_sums;     /* [window] */
  int16_t *wide_columns; /* [k][16] and the columns */
  int32_t *column_sums;  /* [16] */
};

/* out[m][n] = a[m][k] times w, packed like a matrix; k is a multiple of 4, n of 16. Rows of a are `step` bytes apart. m, n and k are within what
 * the scratch is for, and out has room for three rows more. */
typedef void encoder_product(struct encoder_scratch *s, const uint8_t *a, size_t m, size_t step, size_t k, const int8_t *w,
                             size_t n, int32_t *out);
#define X(name, supported) encoder_product encoder_product_##name;
ENCODER_PATHS(X)
#undef X
#endif
