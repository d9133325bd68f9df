/*
 * Vectors of floats and of whole numbers for encoder_run.c, cut to what the processor's registers hold: what instruction sets do differently
 * stands here, and gives the same bits on each.
 *
 * A vec holds VEC floats. What adds up or compares a whole row does so in 16 lanes, which are PARTS registers, and then folds the lanes onto
 * each other in one order. Do not compile with -ffast-math or with contraction.
 */
#ifndef MODEL_VECTORS_H
#define MODEL_VECTORS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined __SSE2__
#include <immintrin.h>
#endif

#if defined __AVX512F__
enum { VEC = 16 };
#elif defined __AVX2__
enum { VEC = 8 };
#else
enum { VEC = 4 };
#endif
enum { LANES = 16, PARTS = LANES / VEC };

typedef float vec __attribute__((vector_size(4 * VEC), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * VEC), aligned(4), may_alias));
typedef uint32_t uvec __attribute__((vector_size(4 * VEC), aligned(4), may_alias));
typedef int16_t halves __attribute__((vector_size(4 * VEC), aligned(2), may_alias));
typedef float vec4 __attribute__((vector_size(16), aligned(4), may_alias));

struct lanes {
  vec part[PARTS];
};

static inline vec load(const float *p)
{
  return *(const vec *)p;
}

static inline void store(float *p, vec v)
{
  *(vec *)p = v;
}

static inline ivec load_whole(const int32_t *p)
{
  return *(const ivec *)p;
}

static inline void store_whole(int32_t *p, ivec v)
{
  *(ivec *)p = v;
}

static inline halves load_halves(const void *p)
{
  return *(const halves *)p;
}

static inline void store_halves(int16_t *p, halves v)
{
  *(halves *)p = v;
}

static inline vec all(float x)
{
  return x - (vec){0};
}

static inline ivec all_whole(int32_t x)
{
  return x - (ivec){0};
}

static inline struct lanes all_lanes(float x)
{
  struct lanes l;
  for (size_t p = 0; p < PARTS; p++) l.part[p] = all(x);
  return l;
}

static inline vec to_floats(ivec v)
{
  return __builtin_convertvector(v, vec);
}

static inline vec pick(ivec which, vec yes, vec no)
{
  return (vec)(((ivec)yes & which) | ((ivec)no & ~which));
}

/* The instructions do what the comparison says, for numbers that are none too; gcc does not find them by itself. */
static inline vec4 larger4(vec4 a, vec4 b)
{
#if defined __SSE2__
  return (vec4)_mm_max_ps((__m128)a, (__m128)b);
#else
  return (vec4)(((a > b) & (ivec)a) | (~(a > b) & (ivec)b));
#endif
}

static inline vec larger(vec a, vec b)
{
#if defined __AVX512F__
  return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
  return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return larger4(a, b);
#endif
}

static inline vec smaller(vec a, vec b)
{
#if defined __AVX512F__
  return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
  return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined __SSE2__
  return (vec)_mm_min_ps((__m128)a, (__m128)b);
#else
  return pick(a < b, a, b);
#endif
}

/* 16 lanes to 8, to 4, to 2, to one. */
static inline float sum_of(struct lanes l)
{
  vec4 q[4];
  memcpy(q, &l, sizeof q);
  vec4 v = (q[0] + q[2]) + (q[1] + q[3]);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
  v += __builtin_shufflevector(v, v, 1, 0, 3, 2);
  return v[0];
}

static inline float largest_of(struct lanes l)
{
  vec4 q[4];
  memcpy(q, &l, sizeof q);
  vec4 v = larger4(larger4(q[0], q[2]), larger4(q[1], q[3]));
  v = larger4(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
  v = larger4(v, __builtin_shufflevector(v, v, 1, 0, 3, 2));
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
  vec f = t - to_floats(whole);
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

/* The lowest byte of each. */
static inline void put_bytes(uint8_t *out, ivec v)
{
#if defined __AVX512F__
  _mm_storeu_si128((__m128i *)(void *)out, _mm512_cvtepi32_epi8((__m512i)v));
#elif defined __AVX2__
  __m256i fours = _mm256_shuffle_epi8((__m256i)v, _mm256_set1_epi32(0x0C080400));
  _mm_storel_epi64((__m128i *)(void *)out, _mm_unpacklo_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1)));
#else
  typedef uint64_t twos __attribute__((vector_size(16)));
  twos two = (twos)(v & 0xFF);
  two |= two >> 24;
  uint32_t four = (uint32_t)(two[0] & 0xFFFF) | (uint32_t)two[1] << 16;
  memcpy(out, &four, sizeof four);
#endif
}
#endif
