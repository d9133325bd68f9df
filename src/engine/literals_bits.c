/*
 * Where literals may end in a block (literals.h): one byte after the other, or sixteen at once where the processor can gather. What differs between
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
    out |= (uint64_t)(l->may[literals_word(last)] >> (last & 31) & 1) << i;
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

/* ---- sixteen at once ---------------------------------------------------------------------------------------------- */

#ifdef __x86_64__
#include <immintrin.h>
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
WIDE static inline uint64_t may_end(const struct literals *l, __m512i fours)
{
  __m512i three = _mm512_and_si512(fours, _mm512_set1_epi32((int)0xFFFFFF00));
  __m512i word = _mm512_srli_epi32(_mm512_mullo_epi32(three, _mm512_set1_epi32((int)LITERALS_PRIME)), LITERALS_WORD_SHIFT);
  __m512i may = _mm512_i32gather_epi32(word, (const void *)l->may, 4);
  may = _mm512_srlv_epi32(may, _mm512_and_si512(fours, _mm512_set1_epi32(31)));
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
  uint64_t out = may_end(l, fours_at(first, 0));
  if (n > 16) out |= may_end(l, fours_at(first, 16)) << 16;
  if (n > 32) out |= may_end(l, fours_at(first, 32)) << 32;
  if (n > 48) out |= may_end(l, fours_at(second, 45)) << 48; /* the first load ends three bytes early */
  return out & first_bits(n);
}

static bool can_avx512vbmi(void)
{
  return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw");
}
#else
static bool can_avx512vbmi(void)
{
  return false;
}
#define read_avx512vbmi read_portable
#endif

literals_reader *literals_path(const char *name)
{
  bool wide = !name || strcmp(name, "avx512vbmi") == 0;
  if (wide && can_avx512vbmi()) return read_avx512vbmi;
  return !name || strcmp(name, "portable") == 0 ? read_portable : NULL;
}
