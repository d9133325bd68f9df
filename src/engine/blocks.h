/*
 * blocks: 64 bytes at once, as one bit for each of them. What wakes on few bytes asks here which blocks have any, so that ordinary text costs a
 * few instructions for sixteen bytes. Nothing here decides: the bits say what the same comparison of single bytes would say.
 */
#ifndef ENGINE_BLOCKS_H
#define ENGINE_BLOCKS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK_BYTES = 64 };

#ifdef __SSE2__
/* Which bytes lie in [from, from + n)? Signed comparison, so everything is moved by 128 more. */
static inline __m128i block_within(__m128i v, int from, int n)
{
  return _mm_cmplt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(-128 - from))), _mm_set1_epi8((char)(-128 + n)));
}

static inline __m128i block_is(__m128i v, char c)
{
  return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

/* Letters, digits and + / - _: base64 and base64url. */
static inline uint64_t block_base64(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
    __m128i letters = block_within(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 26);
    __m128i digits = _mm_or_si128(block_within(v, '/', 11), block_is(v, '_'));
    __m128i signs = _mm_or_si128(block_is(v, '+'), block_is(v, '-'));
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(letters, _mm_or_si128(digits, signs))) << i;
  }
  return out;
}

/* Letters, digits and bytes of other characters than ASCII. */
static inline uint64_t block_words(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
    __m128i letters = block_within(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 26);
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(v, _mm_or_si128(letters, block_within(v, '0', 10)))) << i;
  }
  return out;
}

static inline uint64_t block_high(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16)
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + i))) << i;
  return out;
}

static inline uint64_t block_letters(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(block_within(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 26)) << i;
  }
  return out;
}

static inline uint64_t block_upper(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(block_within(v, 'A', 26)) << i;
  }
  return out;
}

static inline uint64_t block_hex(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
    __m128i letters = block_within(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 6);
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(letters, block_within(v, '0', 10))) << i;
  }
  return out;
}

static inline uint64_t block_digits(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16)
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(block_within(_mm_loadu_si128((const __m128i *)(const void *)(p + i)), '0', 10))
           << i;
  return out;
}

/* Signs, digits and capitals, with the blank: what uuencode writes. */
static inline uint64_t block_uu(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16)
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(block_within(_mm_loadu_si128((const __m128i *)(const void *)(p + i)), ' ', 65))
           << i;
  return out;
}

/* Control characters of ASCII, blanks among them, and bytes that begin others. */
static inline uint64_t block_controls(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
    __m128i hit = _mm_or_si128(_mm_or_si128(block_within(v, 0, 32), block_is(v, 0x7f)),
                               _mm_or_si128(block_is(v, (char)0xc2), block_is(v, (char)0xef)));
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(hit) << i;
  }
  return out;
}

static inline uint64_t block_any(const unsigned char *p, const char marks[4])
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
    __m128i hit = _mm_or_si128(_mm_or_si128(block_is(v, marks[0]), block_is(v, marks[1])),
                               _mm_or_si128(block_is(v, marks[2]), block_is(v, marks[3])));
    out |= (uint64_t)(unsigned)_mm_movemask_epi8(hit) << i;
  }
  return out;
}
#else
static inline uint64_t block_base64(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) {
    unsigned char c = p[i], small = c | 0x20;
    bool is = (small >= 'a' && small <= 'z') || (c >= '/' && c <= '9') || c == '_' || c == '+' || c == '-';
    out |= (uint64_t)is << i;
  }
  return out;
}

static inline uint64_t block_words(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) {
    unsigned char c = p[i], small = c | 0x20;
    out |= (uint64_t)((small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c >= 0x80) << i;
  }
  return out;
}

static inline uint64_t block_high(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) out |= (uint64_t)(p[i] >> 7) << i;
  return out;
}

static inline uint64_t block_letters(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) {
    unsigned char small = p[i] | 0x20;
    out |= (uint64_t)(small >= 'a' && small <= 'z') << i;
  }
  return out;
}

static inline uint64_t block_upper(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) out |= (uint64_t)(p[i] >= 'A' && p[i] <= 'Z') << i;
  return out;
}

static inline uint64_t block_hex(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) {
    unsigned char c = p[i], small = c | 0x20;
    out |= (uint64_t)((small >= 'a' && small <= 'f') || (c >= '0' && c <= '9')) << i;
  }
  return out;
}

static inline uint64_t block_digits(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) out |= (uint64_t)(p[i] >= '0' && p[i] <= '9') << i;
  return out;
}

static inline uint64_t block_uu(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) out |= (uint64_t)(p[i] >= ' ' && p[i] <= '`') << i;
  return out;
}

static inline uint64_t block_controls(const unsigned char *p)
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) out |= (uint64_t)(p[i] < 0x20 || p[i] == 0x7f || p[i] == 0xc2 || p[i] == 0xef) << i;
  return out;
}

static inline uint64_t block_any(const unsigned char *p, const char marks[4])
{
  uint64_t out = 0;
  for (unsigned i = 0; i < BLOCK_BYTES; i++) {
    char c = (char)p[i];
    out |= (uint64_t)(c == marks[0] || c == marks[1] || c == marks[2] || c == marks[3]) << i;
  }
  return out;
}
#endif

/* The same of fewer bytes; the bits behind them are 0, as long as a zero byte is in no set. */
static inline const unsigned char *block_pad(const unsigned char *p, size_t n, unsigned char pad[BLOCK_BYTES])
{
  if (n >= BLOCK_BYTES) return p;
  memset(pad, 0, BLOCK_BYTES);
  memcpy(pad, p, n);
  return pad;
}

/* How many bits are set? The compiler's own would call a function: the instruction is not on every processor. */
static inline unsigned block_count(uint64_t x)
{
  x -= x >> 1 & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
  return (unsigned)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}
/* Which bit is the lowest, and how many are set on end from the lowest, or from the highest? x may be 0 or all ones. */
static inline unsigned block_first(uint64_t x)
{
  return x ? (unsigned)__builtin_ctzll(x) : BLOCK_BYTES;
}
static inline unsigned block_leading(uint64_t x)
{
  return block_first(~x);
}
static inline unsigned block_trailing(uint64_t x)
{
  return ~x ? (unsigned)__builtin_clzll(~x) : BLOCK_BYTES;
}
/* Where sixteen bits on end begin, as the bits of their beginnings. */
static inline uint64_t block_sixteens(uint64_t x)
{
  x &= x >> 1;
  x &= x >> 2;
  x &= x >> 4;
  return x & x >> 8;
}
#endif
