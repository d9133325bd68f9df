/*
 * Where literals wake in a block (literals.h): one byte after the other, or eight or sixteen at once. What differs between
 * processors is here and nowhere else.
 */
#include "engine/blocks.h"
#include "engine/literals.h"
#include <endian.h>

/* ---- on every processor ------------------------------------------------------------------------------------------- */

static uint64_t read_some(const struct literals *l, const unsigned char *p, unsigned n)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < n; i++) {
    uint32_t last;
    memcpy(&last, p + i - 3, sizeof last);
    last = le32toh(last) | 0x20202020;
    out |= (uint64_t)literals_may(l, last) << i;
  }
  return out;
}

static uint64_t first_bits(unsigned n)
{
  return n < BLOCK_BYTES ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* Where two capitals end, or something that has one of the signs. */
static uint64_t read_shorts(const struct literals *l, const unsigned char *p)
{
  uint64_t upper = block_upper(p), signs = block_any(p, l->signs) | block_any(p, l->signs + 4);
  uint64_t upper_before = p[-1] >= 'A' && p[-1] <= 'Z', sign_before = p[-1] && memchr(l->signs, p[-1], LITERALS_SIGNS);
  return (upper & (upper << 1 | upper_before)) | signs | signs << 1 | sign_before;
}

/* Most blocks are whole: with their length known the loop is unrolled. */
static uint64_t read_portable(const struct literals *l, const unsigned char *p, unsigned n, uint64_t *shorts)
{
  *shorts = l->n_shorts ? read_shorts(l, p) & first_bits(n) : 0;
  return n == 64 ? read_some(l, p, 64) : read_some(l, p, n);
}

/* ---- eight and sixteen at once ------------------------------------------------------------------------------------ */

#ifdef __x86_64__
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))

/* Which of 32 bytes are capitals, and which are one of the signs? Each sign has a bit; its halves name it. */
AVX2 static inline uint64_t upper_32(__m256i v)
{
  __m256i moved = _mm256_add_epi8(v, _mm256_set1_epi8((char)(-128 - 'A')));
  return (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(-128 + 26), moved));
}

AVX2 static inline uint64_t signs_32(const struct literals *l, __m256i v)
{
  const __m256i half = _mm256_set1_epi8(15);
  __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)l->sign_low));
  __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)l->sign_high));
  low = _mm256_shuffle_epi8(low, _mm256_and_si256(v, half));
  high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(v, 4), half));
  __m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
  return ~(uint32_t)_mm256_movemask_epi8(none);
}

AVX2 static uint64_t shorts_avx2(const struct literals *l, const unsigned char *p)
{
  __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p),
          b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
  uint64_t upper = upper_32(a) | upper_32(b) << 32, signs = signs_32(l, a) | signs_32(l, b) << 32;
  uint64_t upper_before = p[-1] >= 'A' && p[-1] <= 'Z', sign_before = (l->sign_low[p[-1] & 15] & l->sign_high[p[-1] >> 4]) != 0;
  return (upper & (upper << 1 | upper_before)) | signs | signs << 1 | sign_before;
}

/* A cell, and what lies behind it. */
AVX2 static inline int four_cells(const uint8_t *p)
{
  int v;
  memcpy(&v, p, sizeof v);
  return v;
}

/* Places by eights: the cells are looked up one by one, for gathering is no quicker where it is done by a program in the processor. */
AVX2 static inline uint64_t eight_wake(const struct literals *l, __m128i bytes, __m256i each)
{
  _Alignas(32) uint32_t at[8];
  __m256i fours = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_or_si128(bytes, _mm_set1_epi8(0x20))), each);
  __m256i three = _mm256_and_si256(fours, _mm256_set1_epi32((int)0xFFFFFF00));
  __m256i cell = _mm256_srli_epi32(_mm256_mullo_epi32(three, _mm256_set1_epi32((int)LITERALS_PRIME)), LITERALS_CELL_SHIFT);
  _mm256_store_si256((__m256i *)(void *)at, cell);
  const uint8_t *p = l->may;
  __m256i may = _mm256_setr_epi32(four_cells(p + at[0]), four_cells(p + at[1]), four_cells(p + at[2]), four_cells(p + at[3]),
                                  four_cells(p + at[4]), four_cells(p + at[5]), four_cells(p + at[6]), four_cells(p + at[7]));
  __m256i bit = _mm256_and_si256(fours, _mm256_set1_epi32(LITERALS_CELL_BITS));
  may = _mm256_sllv_epi32(may, _mm256_sub_epi32(_mm256_set1_epi32(31), bit));
  return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(may));
}

/* The four bytes that end at each of eight places, whose first byte stands at `from` of sixteen. */
#define EIGHT(from)                                                                                                              \
  _mm256_add_epi8(_mm256_set1_epi8(from), _mm256_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7, 5, 6, 7,  \
                                                           8, 6, 7, 8, 9, 7, 8, 9, 10))

AVX2 static uint64_t read_avx2(const struct literals *l, const unsigned char *p, unsigned n, uint64_t *shorts)
{
  const __m256i each = EIGHT(0), last = EIGHT(5); /* the last load ends with the block */
  uint64_t out = 0;
  *shorts = l->n_shorts ? shorts_avx2(l, p) & first_bits(n) : 0;
  for (unsigned i = 0; i < BLOCK_BYTES - 8 && i < n; i += 8)
    out |= eight_wake(l, _mm_loadu_si128((const __m128i *)(const void *)(p + i - 3)), each) << i;
  if (n > BLOCK_BYTES - 8) out |= eight_wake(l, _mm_loadu_si128((const __m128i *)(const void *)(p + 48)), last) << 56;
  return out & first_bits(n);
}

static bool can_avx2(void)
{
  return __builtin_cpu_supports("avx2");
}

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vbmi")))

/* The four bytes that end at each of sixteen places, whose first byte stands at `from` of the block. */
WIDE static inline __m512i fours_at(__m512i block, char from)
{
  const __m512i each = _mm512_set_epi8(18, 17, 16, 15, 17, 16, 15, 14, 16, 15, 14, 13, 15, 14, 13, 12, 14, 13, 12, 11, 13, 12, 11,
                                       10, 12, 11, 10, 9, 11, 10, 9, 8, 10, 9, 8, 7, 9, 8, 7, 6, 8, 7, 6, 5, 7, 6, 5, 4, 6, 5, 4,
                                       3, 5, 4, 3, 2, 4, 3, 2, 1, 3, 2, 1, 0);
  return _mm512_permutexvar_epi8(_mm512_add_epi8(each, _mm512_set1_epi8(from)), block);
}

/* Without optimisation gcc's gather is a macro that gives a signed parameter a mask of all ones. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
WIDE static inline uint64_t wakes_at(const struct literals *l, __m512i fours)
{
  __m512i three = _mm512_and_si512(fours, _mm512_set1_epi32((int)0xFFFFFF00));
  __m512i cell = _mm512_srli_epi32(_mm512_mullo_epi32(three, _mm512_set1_epi32((int)LITERALS_PRIME)), LITERALS_CELL_SHIFT);
  __m512i may = _mm512_i32gather_epi32(cell, (const void *)l->may, 1);
  may = _mm512_srlv_epi32(may, _mm512_and_si512(fours, _mm512_set1_epi32(LITERALS_CELL_BITS)));
  return _mm512_test_epi32_mask(may, _mm512_set1_epi32(1));
}
#pragma GCC diagnostic pop

WIDE static inline uint64_t may_be_short(const struct literals *l, const unsigned char *p)
{
  __m512i c = _mm512_loadu_si512(p);
  __m512i before =
      _mm512_permutex2var_epi8(_mm512_loadu_si512(l->before), _mm512_loadu_si512(p - 1), _mm512_loadu_si512(l->before + 64));
  __m512i last = _mm512_permutex2var_epi8(_mm512_loadu_si512(l->last), c, _mm512_loadu_si512(l->last + 64));
  return _mm512_test_epi8_mask(before, last) & ~_mm512_movepi8_mask(c);
}

WIDE static uint64_t read_avx512vbmi(const struct literals *l, const unsigned char *p, unsigned n, uint64_t *shorts)
{
  const __m512i small = _mm512_set1_epi8(0x20);
  *shorts = may_be_short(l, p) & first_bits(n);
  __m512i first = _mm512_or_si512(_mm512_loadu_si512(p - 3), small), second = _mm512_or_si512(_mm512_loadu_si512(p), small);
  uint64_t out = wakes_at(l, fours_at(first, 0));
  if (n > 16) out |= wakes_at(l, fours_at(first, 16)) << 16;
  if (n > 32) out |= wakes_at(l, fours_at(first, 32)) << 32;
  if (n > 48) out |= wakes_at(l, fours_at(second, 45)) << 48; /* the first load ends three bytes early */
  return out & first_bits(n);
}

static bool can_avx512vbmi(void)
{
  return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw");
}
#endif

literals_reader *literals_path(const char *name)
{
  static const struct {
    const char *name;
    literals_reader *read;
    bool (*can)(void);
  } paths[] = {
#ifdef __x86_64__
      {"avx512vbmi", read_avx512vbmi, can_avx512vbmi},
      {"avx2", read_avx2, can_avx2},
#endif
      {"portable", read_portable, NULL},
  };
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++)
    if ((!name || strcmp(name, paths[i].name) == 0) && (!paths[i].can || paths[i].can())) return paths[i].read;
  return NULL;
}
