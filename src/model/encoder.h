/*
 * The neural encoder: tokens of one window in, a logit out, with what each token brought to it.
 *
 * A pre-norm transformer with 8-bit weights. Activations become 8-bit numbers row by row, products are summed as integers, and the few
 * operations in between are float32 in a fixed order without fused multiply-add: every instruction set gives the same bits, so the same
 * verdicts. encoder_run.c is compiled once for each (ENCODER_PATHS).
 *
 * After the first layers there is an exit: an output of its own, trained to foresee the last one. A window that it finds as harmless as the
 * caller wants is let go there, at a fraction of the cost.
 */
#ifndef MODEL_ENCODER_H
#define MODEL_ENCODER_H
#include "model/tokens.h"

/* The categories that prompts can have come first (model.h). */
enum { PROMPT_CATEGORIES = 4 };
enum { WIDTH_MAX = 512, INNER_MAX = 2048, LAYERS_MAX = 16, WINDOW_MAX = 512, CATEGORIES_MAX = 16, ROLES = 2 };

/* A matrix of 8-bit weights, n outputs of k inputs, stored for products of four: [n/16][k/4][16][4]. */
struct matrix {
  const int8_t *w;
  const float *scale;  /* of each output */
  const int32_t *sums; /* of each output's weights, times 128: activations are stored 128 too high */
  uint32_t n, k;
};

struct norm {
  const float *gain, *bias;
};

/* What turns the tokens' rows into a logit, by role: an attention over them with one query, a linear layer on what it pools and on the mean. */
struct output {
  struct norm norm;
  const float *query, *pooled, *mean, *bias; /* [ROLES][width], bias [ROLES] */
};

struct layer {
  struct norm before_attention, before_inner;
  struct matrix qkv, out, up, down;
};

/* Everything points into the weights file (weights.h), except sums. */
struct encoder {
  uint32_t width, layers, heads, inner, vocabulary, window, categories;
  const int8_t *embedding; /* [vocabulary][width] */
  const float *embedding_scale;
  const float *rotary; /* [window][2][width / heads / 2]: cosines, sines */
  struct layer layer[LAYERS_MAX];
  struct output output, exit_output;
  uint32_t exit;                         /* layers before the exit: 1 <= exit < layers */
  const float *category, *category_bias; /* [categories][width] */
};

struct reading {
  float logit;
  bool left; /* at the exit, whose logit it is; then there is nothing else */
  uint32_t category;
  float brought[WINDOW_MAX]; /* by each token; together, with the bias, the logit */
};

/* One thread's memory. */
struct encoder_scratch;
struct encoder_scratch *encoder_scratch_new(const struct encoder *e); /* NULL: out of memory */
void encoder_scratch_free(struct encoder_scratch *s);

/* ids[0] is TOKEN_PROMPT or TOKEN_DOCUMENT; 2 <= n <= window, every id < vocabulary. A window whose logit at the exit is below `leave` is not
 * read on. */
typedef void encoder_run(const struct encoder *e, struct encoder_scratch *s, const uint32_t *ids, size_t n, float leave,
                         struct reading *out);

#define ENCODER_WIDE                                                                                                             \
  (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))

/* Whether AMX multiplies here, as the portable path does: the processor has it, Linux lets this process and those that it forks use it (which is
 * asked for), and a product of any numbers comes out right. Source: Intel SDM, volume 1, 18; Linux, Documentation/arch/x86/xstate.rst. */
bool encoder_tiles(void);

/* The ways to run it, best first, and what each needs of the processor. */
#define ENCODER_PATHS(X)                                                                                                         \
  X(amx, ENCODER_WIDE &&encoder_tiles())                                                                                         \
  X(avx512vnni, ENCODER_WIDE)                                                                                                    \
  X(avx2, __builtin_cpu_supports("avx2"))                                                                                        \
  X(portable, true)

#define X(name, supported) encoder_run encoder_run_##name;
ENCODER_PATHS(X)
#undef X

/* The best path of this processor, or the one of that name; NULL when the processor cannot or there is none. */
encoder_run *encoder_path(const char *name);
/* The name of the best path. */
const char *encoder_best(void);
#endif
