/*
 * One window through the encoder (encoder.h). Compiled once per path with PATH set to its name and the flags of its instruction set; only
 * vectors.h and product() differ between them, and give the same numbers.
 */
#include "model/encoder_scratch.h"
#include "model/vectors.h"
#include <math.h>

enum { QUAD = 4, OFFSET = 128 };

#define JOIN(a, b)        a##b
#define NAMED(what, path) JOIN(encoder_##what##_, path)

/* ---- products ---------------------------------------------------------------------------------------------------- */

#if defined __AMX_INT8__ || defined __AMXINT8__ /* gcc, clang */
/*
 * Tiles of 16 rows of 64 bytes: 0 to 3 the sums of 32 rows by 32 columns, 4 and 5 rows, 6 and 7 columns, which lie in a matrix as a tile wants
 * them. Where the last 16 rows or columns are not whole, the last whole ones are computed again: nothing is read or written that is not part
 * of the product.
 */
enum { TILE = 16, TILE_BYTES = 64 };

struct shapes {
  uint8_t palette, begin, reserved[14];
  uint16_t bytes[16];
  uint8_t rows[16];
};

/* Bytes of a row that are multiplied at once: as many as go into k without a rest. */
static size_t bytes_at_once(size_t k)
{
  size_t times = (k + TILE_BYTES - 1) / TILE_BYTES;
  while (k % (times * QUAD)) times++;
  return k / times;
}

static void shape_tiles(size_t rows, size_t bytes)
{
  struct shapes s = {.palette = 1};
  for (size_t i = 0; i < 8; i++) {
    s.rows[i] = (uint8_t)(i < 6 ? rows : bytes / QUAD);
    s.bytes[i] = (uint16_t)(i == 4 || i == 5 ? bytes : TILE_BYTES);
  }
  _tile_loadconfig(&s);
}

void NAMED(product, PATH)(struct encoder_scratch *s, const uint8_t *a, size_t m, size_t step, size_t k, const int8_t *w, size_t n,
                          int32_t *out)
{
  size_t rows = m < TILE ? m : TILE, bytes = bytes_at_once(k);
  (void)s;
  shape_tiles(rows, bytes);
  __asm__ volatile("" ::: "memory"); /* gcc 12 does not know that a tile reads memory: what was written must be there */
  for (size_t c = 0; c < n; c += 2 * TILE) {
    size_t second = c + TILE < n ? c + TILE : c;
    const int8_t *left = w + c * k, *right = w + second * k;
    for (size_t r = 0; r < m; r += 2 * TILE) {
      size_t up = r + TILE < m ? r : m - rows, down = r + 2 * TILE < m ? r + TILE : m - rows;
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
      for (size_t i = 0; i < k; i += bytes) {
        _tile_loadd(4, a + up * step + i, step);
        _tile_loadd(6, left + i * TILE, TILE_BYTES);
        _tile_dpbusd(0, 4, 6);
        _tile_loadd(7, right + i * TILE, TILE_BYTES);
        _tile_dpbusd(1, 4, 7);
        _tile_loadd(5, a + down * step + i, step);
        _tile_dpbusd(2, 5, 6);
        _tile_dpbusd(3, 5, 7);
      }
      _tile_stored(0, out + up * n + c, n * sizeof *out);
      _tile_stored(1, out + up * n + second, n * sizeof *out);
      _tile_stored(2, out + down * n + c, n * sizeof *out);
      _tile_stored(3, out + down * n + second, n * sizeof *out);
    }
  }
  _tile_release();
}

#elif defined __AVX512VNNI__
enum { ROWS = 6 };

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

void NAMED(product, PATH)(struct encoder_scratch *s, const uint8_t *a, size_t m, size_t step, size_t k, const int8_t *w, size_t n,
                          int32_t *out)
{
  (void)s;
  for (size_t c = 0; c < n; c += 4 * LANES) { /* four blocks of weights stay in the cache while all rows pass */
    size_t blocks = (n - c) / LANES < 4 ? (n - c) / LANES : 4;
    for (size_t r = 0; r < m; r += ROWS)
      tile(a + r * step, m - r < ROWS ? m - r : ROWS, step, k, w + c * k, blocks, n, out + r * n + c);
  }
}

#else
/*
 * Four bytes are multiplied as 16-bit numbers, the even ones and the odd ones, since the 8-bit instruction of AVX2 would saturate; and with
 * half the multiplications (Winograd 1968): a0 w0 + a1 w1 = (a0 + w1) (a1 + w0) - a0 a1 - w0 w1, where what is taken off is the same for all
 * of a row and for all of a column. Processors add in more places than they multiply.
 */
enum { ROWS = 8 / PARTS };

/* sums + the products of the lower halves + those of the upper halves. */
static inline ivec add_products(ivec sums, halves a, halves b)
{
#if defined __AVX2__
  return sums + (ivec)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined __SSE2__
  return sums + (ivec)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  return sums + ((ivec)a << 16 >> 16) * ((ivec)b << 16 >> 16) + ((ivec)a >> 16) * ((ivec)b >> 16);
#endif
}

static void widen_rows(struct encoder_scratch *s, const uint8_t *a, size_t m, size_t step, size_t k)
{
  uint32_t *out = s->wide_rows;
  for (size_t r = 0; r < m; r++, a += step, out += k / 2) {
    uint32_t sum = 0;
    for (size_t i = 0; i < k / QUAD; i++) {
      uint32_t four, even, odd;
      memcpy(&four, a + i * QUAD, sizeof four);
      out[2 * i] = even = four & 0x00FF00FF;
      out[2 * i + 1] = odd = four >> 8 & 0x00FF00FF;
      sum += (even & 0xFFFF) * (odd & 0xFFFF) + (even >> 16) * (odd >> 16);
    }
    s->row_sums[r] = (int32_t)sum;
  }
}

/* 16 columns: of each four weights the even ones, then the odd ones. */
static void widen_columns(struct encoder_scratch *s, const int8_t *w, size_t k)
{
  int16_t *out = s->wide_columns;
  ivec sum[PARTS] = {0};
  for (size_t i = 0; i < k; i += QUAD, w += QUAD * LANES, out += QUAD * LANES)
#pragma GCC unroll 4
    for (size_t p = 0; p < PARTS; p++) {
      halves four = load_halves(w + p * QUAD * VEC), even = four << 8 >> 8, odd = four >> 8;
      store_halves(out + p * 2 * VEC, even);
      store_halves(out + 2 * LANES + p * 2 * VEC, odd);
      sum[p] = add_products(sum[p], even, odd);
    }
  for (size_t p = 0; p < PARTS; p++) store_whole(s->column_sums + p * VEC, sum[p]);
}

/* ROWS rows times 16 columns. */
static inline void tile(const struct encoder_scratch *s, size_t row, size_t k, size_t n, int32_t *out)
{
  const int32_t *a = (const int32_t *)s->wide_rows + row * k / 2;
  const int16_t *w = s->wide_columns;
  ivec sums[ROWS][PARTS];
#pragma GCC unroll 8
  for (size_t r = 0; r < ROWS; r++)
#pragma GCC unroll 4
    for (size_t p = 0; p < PARTS; p++) sums[r][p] = -s->row_sums[row + r] - load_whole(s->column_sums + p * VEC);
  for (size_t i = 0; i < k / 2; i += 2, w += QUAD * LANES) {
    halves even[PARTS], odd[PARTS];
#pragma GCC unroll 4
    for (size_t p = 0; p < PARTS; p++) {
      even[p] = load_halves(w + p * 2 * VEC);
      odd[p] = load_halves(w + 2 * LANES + p * 2 * VEC);
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS; r++) {
      halves evens = (halves)all_whole(a[r * k / 2 + i]), odds = (halves)all_whole(a[r * k / 2 + i + 1]);
#pragma GCC unroll 4
      for (size_t p = 0; p < PARTS; p++) sums[r][p] = add_products(sums[r][p], evens + odd[p], odds + even[p]);
    }
  }
#pragma GCC unroll 8
  for (size_t r = 0; r < ROWS; r++)
#pragma GCC unroll 4
    for (size_t p = 0; p < PARTS; p++) store_whole(out + r * n + p * VEC, sums[r][p]);
}

/* Rows are widened once for all columns, and columns once for all rows. */
void NAMED(product, PATH)(struct encoder_scratch *s, const uint8_t *a, size_t m, size_t step, size_t k, const int8_t *w, size_t n,
                          int32_t *out)
{
  widen_rows(s, a, m, step, k);
  for (size_t c = 0; c < n; c += LANES) {
    widen_columns(s, w + c * k, k);
    for (size_t r = 0; r < m; r += ROWS) tile(s, r, k, n, out + r * n + c);
  }
}
#endif

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static float scale_of(const float *x, size_t n)
{
  struct lanes most = all_lanes(0);
  for (size_t i = 0; i < n; i += LANES)
    for (size_t p = 0; p < PARTS; p++) {
      vec v = load(x + i + p * VEC);
      most.part[p] = larger(most.part[p], larger(v, -v));
    }
  float largest = largest_of(most);
  return largest > 0 ? largest / 127.0f : 1.0f;
}

/* One row to 8 bits, 128 too high, so that products of unsigned with signed bytes do. Returns the scale. */
static float to_bytes(const float *x, size_t n, uint8_t *out)
{
  float scale = scale_of(x, n);
  vec by = all(1.0f / scale);
  for (size_t i = 0; i < n; i += VEC) put_bytes(out + i, nearest(load(x + i) * by) + OFFSET);
  return scale;
}

static void norm_row(const float *x, size_t d, const struct norm *n, float *out)
{
  struct lanes total = all_lanes(0), square = all_lanes(0);
  for (size_t i = 0; i < d; i += LANES)
    for (size_t p = 0; p < PARTS; p++) total.part[p] += load(x + i + p * VEC);
  vec mean = all(sum_of(total) / (float)d);
  for (size_t i = 0; i < d; i += LANES)
    for (size_t p = 0; p < PARTS; p++) {
      vec off = load(x + i + p * VEC) - mean;
      square.part[p] += off * off;
    }
  vec by = all(1.0f / sqrtf(sum_of(square) / (float)d + 1e-5f));
  for (size_t i = 0; i < d; i += VEC) store(out + i, (load(x + i) - mean) * by * load(n->gain + i) + load(n->bias + i));
}

/* rows[m][n] of floats = the 8-bit rows in s->input times a matrix; whole numbers become floats where they stand. */
static void apply(struct encoder_scratch *s, size_t m, const struct matrix *w)
{
  int32_t *sums = (int32_t *)s->rows;
  NAMED(product, PATH)(s, s->input, m, w->k, w->k, w->w, w->n, sums);
  for (size_t r = 0; r < m; r++) {
    vec scale = all(s->scale[r]);
    for (size_t c = 0; c < w->n; c += VEC) {
      ivec sum = load_whole(sums + r * w->n + c) - load_whole(w->sums + c);
      store(s->rows + r * w->n + c, to_floats(sum) * (scale * load(w->scale + c)));
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
  for (size_t i = 0; i < n; i += VEC) store(x + i, load(x + i) + load(rows + i));
}

/* Rows of the tokens. They lie anywhere in a large table: the next one is fetched while this one is read. */
static void embed(const struct encoder *e, struct encoder_scratch *s, const uint32_t *ids, size_t n)
{
  for (size_t r = 0; r < n; r++) {
    const int8_t *from = e->embedding + (size_t)ids[r] * e->width;
    const int8_t *next = e->embedding + (size_t)ids[r + 1 < n ? r + 1 : r] * e->width;
    float scale = e->embedding_scale[ids[r]];
    for (size_t i = 0; i < e->width; i += 64) __builtin_prefetch(next + i);
    for (size_t i = 0; i < e->width; i++) s->x[r * e->width + i] = (float)from[i] * scale;
  }
}

/* ---- attention --------------------------------------------------------------------------------------------------- */

/* A head's row with its position turned in. turn: the cosines, then the sines, half as many as the row has numbers. */
static void rotate(const float *x, const float *turn, size_t half, float *out)
{
  for (size_t i = 0; i < half; i += VEC) {
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

/* Values are packed the other way around: tokens are what the product sums over. as many columns as a register holds at a time. */
static void pack_values(struct encoder_scratch *s, const float *v, size_t stride, size_t m, size_t padded, size_t e)
{
  for (size_t c = 0; c < e; c += VEC) {
    vec most = all(0);
    for (size_t r = 0; r < m; r++) most = larger(most, larger(load(v + r * stride + c), -load(v + r * stride + c)));
    vec scale = pick(most > all(0), most / all(127.0f), all(1.0f)), by = all(1.0f) / scale;
    store(s->v_scale + c, scale);
    int32_t *to = (int32_t *)(s->v + c / LANES * LANES * padded) + c % LANES;
    for (size_t r = 0; r < padded; r += QUAD) {
      ivec four = nearest(all(0));
      for (size_t j = 0; j < QUAD && r + j < m; j++)
        four |= (nearest(load(v + (r + j) * stride + c) * by) & 0xFF) << (8 * (int)j);
      store_whole(to + r / QUAD * LANES, four);
    }
  }
}

/* Scores of one query to weights 0..255 relative to the largest; those past m get none. Returns one over their sum. */
static float weigh(struct encoder_scratch *s, size_t r, size_t m, size_t padded, float scale)
{
  static const int32_t numbers[LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  int32_t *sums = s->sums + r * padded;
  uint8_t *out = s->weights + r * padded;
  struct lanes most = all_lanes(-1e30f);
  vec by = all(s->q_scale[r] * scale);
  uvec total = {0};
  for (size_t i = 0; i < padded; i += LANES)
    for (size_t p = 0; p < PARTS; p++) {
      size_t at = i + p * VEC;
      vec score = to_floats(load_whole(sums + at) - load_whole(s->k_sums + at)) * by * load(s->k_scale + at);
      score = pick(load_whole(numbers + p * VEC) + (int)i < (int)m, score, all(-1e30f));
      store((float *)(sums + at), score);
      most.part[p] = larger(most.part[p], score);
    }
  vec top = all(largest_of(most));
  for (size_t i = 0; i < padded; i += VEC) {
    ivec w = nearest(exponential(load((float *)(sums + i)) - top) * all(255.0f));
    put_bytes(out + i, w);
    total += (uvec)w;
  }
  uint32_t sum = 0;
  for (int i = 0; i < VEC; i++) sum += total[i];
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
  NAMED(product, PATH)(s, s->q, m, e, e, s->k, padded, s->sums);
  float scale = 1.0f / sqrtf((float)e);
  for (size_t r = 0; r < m; r++) s->weight[r] = weigh(s, r, m, padded, scale);
  NAMED(product, PATH)(s, s->weights, m, padded, padded, s->v, e, s->sums);
  for (size_t r = 0; r < m; r++)
    for (size_t c = 0; c < e; c += VEC)
      store(s->joined + r * d + head * e + c,
            to_floats(load_whole(s->sums + r * e + c)) * (all(s->weight[r]) * load(s->v_scale + c)));
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
    for (size_t i = 0; i < e->inner; i += VEC) {
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
  struct lanes total = all_lanes(0);
  for (size_t i = 0; i < n; i += LANES)
    for (size_t p = 0; p < PARTS; p++) total.part[p] += load(a + i + p * VEC) * load(b + i + p * VEC);
  return sum_of(total);
}

static void pool(const struct encoder *e, const float *h, const float *weight, size_t m, float *pooled)
{
  memset(pooled, 0, e->width * sizeof *pooled);
  for (size_t r = 0; r < m; r++)
    for (size_t i = 0; i < e->width; i += VEC) store(pooled + i, load(pooled + i) + all(weight[r]) * load(h + r * e->width + i));
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
  for (size_t r = 0; r < m; r += VEC) store(weight + r, exponential(load(weight + r) - all(most)));
  for (size_t r = 0; r < m; r++) total += weight[r];
  for (size_t r = 0; r < m; r++) {
    weight[r] /= total;
    brought[r] =
        weight[r] * dot(s->joined + r * d, o->pooled + role * d, d) + dot(s->joined + r * d, o->mean + role * d, d) / (float)m;
    logit += brought[r];
  }
  return logit;
}

void NAMED(run, PATH)(const struct encoder *e, struct encoder_scratch *s, const uint32_t *ids, size_t n, float leave,
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
