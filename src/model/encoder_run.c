/*
 * One window through the encoder (encoder.h). Compiled once per path with PATH set to its name and the flags of its instruction set;
 * only product() differs between them, and gives the same integers.
 *
 * vec is 16 floats in every path; the compiler cuts it to what the processor has. Sums over a row add lane by lane and then the lanes
 * in one order, so they are the same everywhere. Do not compile with -ffast-math or with contraction.
 */
#include "model/encoder_scratch.h"
#include <math.h>
#if defined __AVX2__
#include <immintrin.h>
#endif

enum { LANES = 16, QUAD = 4, OFFSET = 128 };

typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(64), aligned(4), may_alias));

#define JOIN(a, b)  a##b
#define NAMED(path) JOIN(encoder_run_, path)

static inline vec load(const float *p)
{
  return *(const vec *)p;
}

static inline void store(float *p, vec v)
{
  *(vec *)p = v;
}

static inline vec all(float x)
{
  return (vec){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}

static inline vec pick(ivec which, vec yes, vec no)
{
  return (vec)(((ivec)yes & which) | ((ivec)no & ~which));
}

/* The instruction does what the comparison says, for numbers that are none too; gcc does not find it by itself. */
static inline vec larger(vec a, vec b)
{
#if defined __AVX512F__
  return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#else
  return pick(a > b, a, b);
#endif
}

static inline vec smaller(vec a, vec b)
{
#if defined __AVX512F__
  return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#else
  return pick(a < b, a, b);
#endif
}

/* The lanes turned by n, so that log2(16) steps fold them onto each other. */
#define TURNED(v, n)                                                                                                             \
  __builtin_shufflevector(v, v, (0 + n) % 16, (1 + n) % 16, (2 + n) % 16, (3 + n) % 16, (4 + n) % 16, (5 + n) % 16,              \
                          (6 + n) % 16, (7 + n) % 16, (8 + n) % 16, (9 + n) % 16, (10 + n) % 16, (11 + n) % 16, (12 + n) % 16,   \
                          (13 + n) % 16, (14 + n) % 16, (15 + n) % 16)

static inline float sum_of(vec v)
{
  v += TURNED(v, 8);
  v += TURNED(v, 4);
  v += TURNED(v, 2);
  v += TURNED(v, 1);
  return v[0];
}

static inline float largest_of(vec v)
{
  v = larger(v, TURNED(v, 8));
  v = larger(v, TURNED(v, 4));
  v = larger(v, TURNED(v, 2));
  v = larger(v, TURNED(v, 1));
  return v[0];
}

/* To the nearest whole number, as float and as integer, for |v| < 2^22: the addition rounds. */
static inline ivec nearest(vec v)
{
  const vec big = all(12582912.0f);
  return (ivec)(v + big) - (ivec)big;
}

/* e^v for v within +-80, to about 1e-6. */
static inline vec exponential(vec v)
{
  vec t = larger(smaller(v, all(80)), all(-80)) * all(1.44269504f);
  ivec whole = nearest(t);
  vec f = t - __builtin_convertvector(whole, vec);
  vec p = all(1.33335581e-3f);
  p = p * f + all(9.61812911e-3f);
  p = p * f + all(5.55041087e-2f);
  p = p * f + all(2.40226507e-1f);
  p = p * f + all(6.93147181e-1f);
  p = p * f + all(1.0f);
  return (vec)((ivec)p + (whole << 23));
}

/* 1 / v for v from 1 to 1e30: a guess from the exponent's bits, and Newton's steps. Quicker than a division. */
static inline vec reciprocal(vec v)
{
  vec r = (vec)(0x7EF311C7 - (ivec)v);
  r = r * (all(2.0f) - v * r);
  r = r * (all(2.0f) - v * r);
  return r * (all(2.0f) - v * r);
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* out[m][n] = a[m][k] times w packed; k is a multiple of 4, n of 16. Rows of a are `step` bytes apart. */
#if defined __AVX512VNNI__
#define ROWS 6

/* acc += four unsigned bytes times four signed ones, in each lane. As assembler, since gcc 12 copies the sums about when it is given the
 * intrinsic: half the speed. */
static inline __m512i multiply_add(__m512i acc, __m512i in, __m512i weights)
{
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(in), "v"(weights));
  return acc;
}

static inline void tile(const uint8_t *a, size_t rows, size_t step, size_t k, const int8_t *w, size_t blocks, size_t n,
                        int32_t *out)
{
  __m512i acc[ROWS][4];
  const uint8_t *row[ROWS];
  const int8_t *block[4];
#pragma GCC unroll 8
  for (size_t r = 0; r < ROWS; r++) {
    row[r] = a + (r < rows ? r : 0) * step;
    for (size_t b = 0; b < 4; b++) acc[r][b] = _mm512_setzero_si512();
  }
  for (size_t b = 0; b < 4; b++) block[b] = w + (b < blocks ? b : 0) * k * LANES;
  for (size_t i = 0; i < k; i += QUAD) {
    __m512i weights[4];
    for (size_t b = 0; b < 4; b++) weights[b] = _mm512_loadu_si512(block[b] + i * LANES);
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS; r++) {
      int32_t four;
      memcpy(&four, row[r] + i, sizeof four);
      __m512i in = _mm512_set1_epi32(four);
#pragma GCC unroll 4
      for (size_t b = 0; b < 4; b++) acc[r][b] = multiply_add(acc[r][b], in, weights[b]);
    }
  }
#pragma GCC unroll 8
  for (size_t r = 0; r < ROWS; r++)
#pragma GCC unroll 4
    for (size_t b = 0; b < 4; b++)
      if (r < rows && b < blocks) _mm512_storeu_si512(out + r * n + b * LANES, acc[r][b]);
}

#elif defined __AVX2__
#define ROWS 4

/* Bytes are multiplied as 16-bit numbers, even and odd ones apart: the 8-bit instruction of AVX2 would saturate. */
static inline void half_tile(const uint8_t *a, size_t rows, size_t step, size_t k, const int8_t *w, size_t n, int32_t *out)
{
  __m256i acc[ROWS];
  const uint8_t *row[ROWS];
  for (size_t r = 0; r < ROWS; r++) {
    acc[r] = _mm256_setzero_si256();
    row[r] = a + (r < rows ? r : 0) * step;
  }
  const __m256i low = _mm256_set1_epi16(0xFF);
  for (size_t i = 0; i < k; i += QUAD) {
    __m256i both = _mm256_loadu_si256((const __m256i *)(const void *)(w + i * LANES));
    __m256i odd = _mm256_srai_epi16(both, 8), even = _mm256_srai_epi16(_mm256_slli_epi16(both, 8), 8);
    for (size_t r = 0; r < ROWS; r++) {
      int32_t four;
      memcpy(&four, row[r] + i, sizeof four);
      __m256i in = _mm256_set1_epi32(four);
      acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(_mm256_and_si256(in, low), even));
      acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(_mm256_srli_epi16(in, 8), odd));
    }
  }
  for (size_t r = 0; r < rows; r++) _mm256_storeu_si256((__m256i *)(void *)(out + r * n), acc[r]);
}

static inline void tile(const uint8_t *a, size_t rows, size_t step, size_t k, const int8_t *w, size_t blocks, size_t n,
                        int32_t *out)
{
  for (size_t b = 0; b < blocks; b++) {
    half_tile(a, rows, step, k, w + b * k * LANES, n, out + b * LANES);
    half_tile(a, rows, step, k, w + b * k * LANES + 32, n, out + b * LANES + 8);
  }
}

#else
#define ROWS 1

static inline void tile(const uint8_t *a, size_t rows, size_t step, size_t k, const int8_t *w, size_t blocks, size_t n,
                        int32_t *out)
{
  (void)rows, (void)step, (void)n;
  for (size_t b = 0; b < blocks; b++) {
    int32_t acc[LANES] = {0};
    for (size_t i = 0; i < k; i += QUAD)
      for (size_t c = 0; c < LANES; c++)
        for (size_t j = 0; j < QUAD; j++) acc[c] += a[i + j] * w[(b * k + i) * LANES + c * QUAD + j];
    memcpy(out + b * LANES, acc, sizeof acc);
  }
}
#endif

static void product(const uint8_t *a, size_t m, size_t step, size_t k, const int8_t *w, size_t n, int32_t *out)
{
  for (size_t c = 0; c < n; c += 4 * LANES) { /* four blocks of weights stay in the cache while all rows pass */
    size_t blocks = (n - c) / LANES < 4 ? (n - c) / LANES : 4;
    for (size_t r = 0; r < m; r += ROWS)
      tile(a + r * step, m - r < ROWS ? m - r : ROWS, step, k, w + c * k, blocks, n, out + r * n + c);
  }
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

typedef uint8_t bytes __attribute__((vector_size(16), aligned(1), may_alias));

static float scale_of(const float *x, size_t n)
{
  vec most = all(0);
  for (size_t i = 0; i < n; i += LANES) most = larger(most, larger(load(x + i), -load(x + i)));
  float largest = largest_of(most);
  return largest > 0 ? largest / 127.0f : 1.0f;
}

/* One row to 8 bits, 128 too high, so that products of unsigned with signed bytes do. Returns the scale. */
static float to_bytes(const float *x, size_t n, uint8_t *out)
{
  float scale = scale_of(x, n);
  vec by = all(1.0f / scale);
  for (size_t i = 0; i < n; i += LANES) *(bytes *)(out + i) = __builtin_convertvector(nearest(load(x + i) * by) + OFFSET, bytes);
  return scale;
}

static void norm_row(const float *x, size_t d, const struct norm *n, float *out)
{
  vec total = all(0), square = all(0);
  for (size_t i = 0; i < d; i += LANES) total += load(x + i);
  vec mean = all(sum_of(total) / (float)d);
  for (size_t i = 0; i < d; i += LANES) square += (load(x + i) - mean) * (load(x + i) - mean);
  vec by = all(1.0f / sqrtf(sum_of(square) / (float)d + 1e-5f));
  for (size_t i = 0; i < d; i += LANES) store(out + i, (load(x + i) - mean) * by * load(n->gain + i) + load(n->bias + i));
}

/* rows[m][n] of floats = the 8-bit rows in s->input times a matrix. */
static void apply(struct encoder_scratch *s, size_t m, const struct matrix *w)
{
  product(s->input, m, w->k, w->k, w->w, w->n, s->sums);
  for (size_t r = 0; r < m; r++) {
    vec scale = all(s->scale[r]);
    for (size_t c = 0; c < w->n; c += LANES) {
      ivec sum = *(const ivec *)(s->sums + r * w->n + c) - *(const ivec *)(w->sums + c);
      store(s->rows + r * w->n + c, __builtin_convertvector(sum, vec) * (scale * load(w->scale + c)));
    }
  }
}

static void norm_to_input(const struct encoder *e, struct encoder_scratch *s, size_t m, const struct norm *n)
{
  float row[WIDTH_MAX];
  for (size_t r = 0; r < m; r++) {
    norm_row(s->x + r * e->width, e->width, n, row);
    s->scale[r] = to_bytes(row, e->width, s->input + r * e->width);
  }
}

static void add_rows(float *x, const float *rows, size_t n)
{
  for (size_t i = 0; i < n; i += LANES) store(x + i, load(x + i) + load(rows + i));
}

typedef int8_t signed_bytes __attribute__((vector_size(16), aligned(1), may_alias));

/* Rows of the tokens. They lie anywhere in a large table: the next one is fetched while this one is read. */
static void embed(const struct encoder *e, struct encoder_scratch *s, const uint32_t *ids, size_t n)
{
  for (size_t r = 0; r < n; r++) {
    const int8_t *from = e->embedding + (size_t)ids[r] * e->width;
    const int8_t *next = e->embedding + (size_t)ids[r + 1 < n ? r + 1 : r] * e->width;
    vec scale = all(e->embedding_scale[ids[r]]);
    for (size_t i = 0; i < e->width; i += 64) __builtin_prefetch(next + i);
    for (size_t i = 0; i < e->width; i += LANES)
      store(s->x + r * e->width + i, __builtin_convertvector(*(const signed_bytes *)(from + i), vec) * scale);
  }
}

/* ---- attention --------------------------------------------------------------------------------------------------- */

/* A head's row with its position turned in. turn: the cosines, then the sines, half as many as the row has numbers. */
static void rotate(const float *x, const float *turn, size_t half, float *out)
{
  for (size_t i = 0; i < half; i += LANES) {
    vec c = load(turn + i), s = load(turn + half + i), left = load(x + i), right = load(x + half + i);
    store(out + i, left * c - right * s);
    store(out + half + i, left * s + right * c);
  }
}

/* A key becomes a column of a packed matrix. */
static void pack_key(struct encoder_scratch *s, size_t row, size_t e, const float *key)
{
  uint8_t signless[WIDTH_MAX];
  s->k_scale[row] = to_bytes(key, e, signless);
  char *to = (char *)s->k + row / LANES * e * LANES + row % LANES * QUAD;
  int32_t sum = -(int32_t)e * OFFSET;
  for (size_t i = 0; i < e; i++) sum += signless[i];
  s->k_sums[row] = sum * OFFSET;
  for (size_t i = 0; i < e; i += QUAD) {
    uint32_t four;
    memcpy(&four, signless + i, sizeof four);
    four ^= 0x80808080; /* 128 less, as signed bytes */
    memcpy(to + i * LANES, &four, sizeof four);
  }
}

/* Values are packed the other way around: tokens are what the product sums over. 16 columns at a time. */
static void pack_values(struct encoder_scratch *s, const float *v, size_t stride, size_t m, size_t padded, size_t e)
{
  for (size_t c = 0; c < e; c += LANES) {
    vec most = all(0);
    for (size_t r = 0; r < m; r++) most = larger(most, larger(load(v + r * stride + c), -load(v + r * stride + c)));
    vec scale = pick(most > all(0), most / all(127.0f), all(1.0f)), by = all(1.0f) / scale;
    store(s->v_scale + c, scale);
    ivec *to = (ivec *)(s->v + c * padded);
    for (size_t r = 0; r < padded; r += QUAD) {
      ivec four = nearest(all(0));
      for (size_t j = 0; j < QUAD && r + j < m; j++)
        four |= (nearest(load(v + (r + j) * stride + c) * by) & 0xFF) << (8 * (int)j);
      to[r / QUAD] = four;
    }
  }
}

/* Scores of one query to weights 0..255 relative to the largest; those past m get none. Returns one over their sum. */
static float weigh(struct encoder_scratch *s, size_t r, size_t m, size_t padded, float scale)
{
  int32_t *sums = s->sums + r * padded;
  uint8_t *out = s->weights + r * padded;
  vec most = all(-1e30f), by = all(s->q_scale[r] * scale);
  ivec lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, total = lane - lane;
  for (size_t i = 0; i < padded; i += LANES) {
    vec score = __builtin_convertvector(*(ivec *)(sums + i) - *(ivec *)(s->k_sums + i), vec) * by * load(s->k_scale + i);
    score = pick(lane + (int)i < (int)m, score, all(-1e30f));
    store((float *)(sums + i), score);
    most = larger(most, score);
  }
  vec top = all(largest_of(most));
  for (size_t i = 0; i < padded; i += LANES) {
    ivec w = nearest(exponential(load((float *)(sums + i)) - top) * all(255.0f));
    *(bytes *)(out + i) = __builtin_convertvector(w, bytes);
    total += w;
  }
  uint32_t sum = 0;
  for (int i = 0; i < LANES; i++) sum += (uint32_t)total[i];
  return 1.0f / (float)sum;
}

/* One head: from its part of the rows of q, k and v to its part of the joined rows. */
static void attend(const struct encoder *en, struct encoder_scratch *s, size_t m, size_t head)
{
  size_t d = en->width, e = d / en->heads, stride = 3 * d, padded = (m + LANES - 1) / LANES * LANES;
  const float *q = s->rows + head * e, *k = q + d, *v = k + d;
  float row[WIDTH_MAX];
  for (size_t r = 0; r < padded; r++) { /* padding repeats the first key; weigh() gives it nothing */
    size_t from = r < m ? r : 0;
    rotate(k + from * stride, en->rotary + from * e, e / 2, row);
    pack_key(s, r, e, row);
  }
  for (size_t r = 0; r < m; r++) {
    rotate(q + r * stride, en->rotary + r * e, e / 2, row);
    s->q_scale[r] = to_bytes(row, e, s->q + r * e);
  }
  pack_values(s, v, stride, m, padded, e);
  product(s->q, m, e, e, s->k, padded, s->sums);
  float scale = 1.0f / sqrtf((float)e);
  for (size_t r = 0; r < m; r++) s->weight[r] = weigh(s, r, m, padded, scale);
  product(s->weights, m, padded, padded, s->v, e, s->sums);
  for (size_t r = 0; r < m; r++)
    for (size_t c = 0; c < e; c += LANES)
      store(s->joined + r * d + head * e + c,
            __builtin_convertvector(*(ivec *)(s->sums + r * e + c), vec) * (all(s->weight[r]) * load(s->v_scale + c)));
}

static void attention(const struct encoder *e, struct encoder_scratch *s, size_t m, const struct layer *l)
{
  norm_to_input(e, s, m, &l->before_attention);
  apply(s, m, &l->qkv);
  for (size_t h = 0; h < e->heads; h++) attend(e, s, m, h);
  for (size_t r = 0; r < m; r++) s->scale[r] = to_bytes(s->joined + r * e->width, e->width, s->input + r * e->width);
  apply(s, m, &l->out);
  add_rows(s->x, s->rows, m * e->width);
}

static void inner(const struct encoder *e, struct encoder_scratch *s, size_t m, const struct layer *l)
{
  norm_to_input(e, s, m, &l->before_inner);
  apply(s, m, &l->up);
  for (size_t r = 0; r < m; r++) {
    float *row = s->rows + r * e->inner;
    for (size_t i = 0; i < e->inner; i += LANES) {
      vec x = load(row + i);
      store(row + i, x * reciprocal(all(1.0f) + exponential(smaller(x * all(-1.702f), all(60)))));
    }
    s->scale[r] = to_bytes(row, e->inner, s->input + r * e->inner);
  }
  apply(s, m, &l->down);
  add_rows(s->x, s->rows, m * e->width);
}

/* ---- the output -------------------------------------------------------------------------------------------------- */

static float dot(const float *a, const float *b, size_t n)
{
  vec total = all(0);
  for (size_t i = 0; i < n; i += LANES) total += load(a + i) * load(b + i);
  return sum_of(total);
}

static void pool(const struct encoder *e, const float *h, const float *weight, size_t m, float *pooled)
{
  memset(pooled, 0, e->width * sizeof *pooled);
  for (size_t r = 0; r < m; r++)
    for (size_t i = 0; i < e->width; i += LANES)
      store(pooled + i, load(pooled + i) + all(weight[r]) * load(h + r * e->width + i));
}

static uint32_t best_category(const struct encoder *e, const float *pooled, size_t document)
{
  uint32_t best = document ? PROMPT_CATEGORIES : 0, end = document ? e->categories : PROMPT_CATEGORIES;
  float most = -1e30f;
  for (uint32_t c = best; c < end; c++) {
    float v = dot(pooled, e->category + c * e->width, e->width) + e->category_bias[c];
    if (v > most) best = c;
    if (v > most) most = v;
  }
  return best;
}

/* The logit, what each token brings to it, and each token's weight in what is pooled. */
static float logit_of(const struct encoder *e, struct encoder_scratch *s, size_t m, size_t role, const struct output *o,
                      float *weight, float *brought)
{
  size_t d = e->width;
  float most = -1e30f, total = 0, logit = o->bias[role];
  for (size_t r = 0; r < m; r++) {
    norm_row(s->x + r * d, d, &o->norm, s->joined + r * d);
    weight[r] = dot(s->joined + r * d, o->query + role * d, d);
    most = weight[r] > most ? weight[r] : most;
  }
  for (size_t r = 0; r < m; r += LANES) {
    vec w = exponential(load(weight + r) - all(most));
    for (size_t i = 0; i < LANES && r + i < m; i++) weight[r + i] = w[i];
  }
  for (size_t r = 0; r < m; r++) total += weight[r];
  for (size_t r = 0; r < m; r++) {
    weight[r] /= total;
    brought[r] =
        weight[r] * dot(s->joined + r * d, o->pooled + role * d, d) + dot(s->joined + r * d, o->mean + role * d, d) / (float)m;
    logit += brought[r];
  }
  return logit;
}

void NAMED(PATH)(const struct encoder *e, struct encoder_scratch *s, const uint32_t *ids, size_t n, float leave,
                 struct reading *out)
{
  size_t role = ids[0] == TOKEN_DOCUMENT;
  float weight[WINDOW_MAX + LANES], pooled[WIDTH_MAX];
  embed(e, s, ids, n);
  for (uint32_t i = 0; i < e->layers; i++) {
    if (i == e->exit) out->logit = logit_of(e, s, n, role, &e->exit_output, weight, out->brought);
    out->left = i == e->exit && out->logit < leave;
    if (out->left) return;
    attention(e, s, n, &e->layer[i]);
    inner(e, s, n, &e->layer[i]);
  }
  out->logit = logit_of(e, s, n, role, &e->output, weight, out->brought);
  pool(e, s->joined, weight, n, pooled);
  out->category = best_category(e, pooled, role);
}
