/*
 * Lists of numbers: see base/numbers.h. It knows no documents and reports no errors: who reads byte by byte goes on where this stops.
 *
 * A block of 64 bytes becomes one mask of bits for each class of character, cut behind the last comma, so that it begins and ends with a
 * whole element. Then the grammar (RFC 8259, section 6) is a few rules about neighbours, and three about whole runs, which a sum decides:
 * a run of ones to which its lowest bit is added turns into the one bit behind it.
 */
#include "base/numbers.h"
#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>

enum { BLOCK = 64 };

struct classes {
  uint64_t digit, zero, dot, minus, plus, e, blank, comma;
};

static uint64_t bits(const __m128i equal[4])
{
  uint64_t low = (unsigned)_mm_movemask_epi8(equal[0]) | (unsigned)_mm_movemask_epi8(equal[1]) << 16;
  uint64_t high = (unsigned)_mm_movemask_epi8(equal[2]) | (unsigned)_mm_movemask_epi8(equal[3]) << 16;
  return low | high << 32;
}

static uint64_t is(const __m128i v[4], char c)
{
  __m128i equal[4], want = _mm_set1_epi8(c);
  for (unsigned i = 0; i < 4; i++) equal[i] = _mm_cmpeq_epi8(v[i], want);
  return bits(equal);
}

/* Signed comparison, so everything is moved by 128 more. */
static uint64_t is_digit(const __m128i v[4])
{
  __m128i within[4], move = _mm_set1_epi8((char)(-128 - '0')), ten = _mm_set1_epi8(-128 + 10);
  for (unsigned i = 0; i < 4; i++) within[i] = _mm_cmplt_epi8(_mm_add_epi8(v[i], move), ten);
  return bits(within);
}

/* The elements in the block; false when no whole one is. Exponents and blanks are looked for only where there is something else than
 * digits, signs and commas. */
static bool classify(const char *p, struct classes *c)
{
  __m128i v[4];
  for (unsigned i = 0; i < 4; i++) v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
  *c = (struct classes){.digit = is_digit(v), .zero = is(v, '0'), .dot = is(v, '.'), .minus = is(v, '-'), .comma = is(v, ',')};
  uint64_t other = ~(c->digit | c->dot | c->minus | c->comma);
  if (other) {
    c->e = is(v, 'e') | is(v, 'E');
    c->plus = is(v, '+');
    c->blank = is(v, ' ') | is(v, '\n') | is(v, '\r') | is(v, '\t');
    other &= ~(c->e | c->plus | c->blank);
  }
  if (other) c->comma &= (other & -other) - 1;
  return c->comma != 0;
}

static void keep_only(struct classes *c, uint64_t keep)
{
  c->digit &= keep;
  c->zero &= keep;
  c->dot &= keep;
  c->minus &= keep;
  c->plus &= keep;
  c->e &= keep;
  c->blank &= keep;
}

/* The bits behind the runs of `of` that begin with a bit of `first`. */
static uint64_t behind(uint64_t of, uint64_t first)
{
  return (of + (of & first)) & ~of;
}

/* Bits of everything that is against the grammar where no exponent and no blank is. Bit 0 comes after a comma. */
static uint64_t plain_faults(const struct classes *c, uint64_t begin)
{
  uint64_t d = c->digit, exponent = c->e << 1;
  uint64_t faults = c->comma & ~((d | c->blank) << 1);
  faults |= (c->dot & ~(d << 1)) | ((c->dot << 1) & ~d);
  faults |= (c->minus & ~(begin | exponent)) | ((c->minus << 1) & ~d);
  faults |= behind(d, c->dot << 1) & c->dot;
  uint64_t whole = begin | (c->minus & begin) << 1; /* where a number's first digit stands */
  return faults | (((c->zero & whole) << 1) & d);
}

static uint64_t other_faults(const struct classes *c)
{
  uint64_t d = c->digit, exponent = c->e << 1, sign = c->minus | c->plus;
  uint64_t faults = (c->e & ~(d << 1)) | (exponent & ~(d | sign));
  faults |= (c->plus & ~exponent) | ((c->plus << 1) & ~d);
  faults |= behind(d, exponent | (sign & exponent) << 1) & (c->dot | c->e);
  faults |= c->blank & ~((d | c->comma | c->blank) << 1 | 1);
  faults |= behind(c->blank, d << 1) & ~c->comma;
  return faults | (behind(c->blank, c->comma << 1 | 1) & c->comma);
}

/* Bytes of the elements at p, 0 when they are not all as they have to be. */
static size_t take_block(const char *p)
{
  struct classes c;
  if (!classify(p, &c)) return 0;
  unsigned last = 63 - (unsigned)__builtin_clzll(c.comma);
  keep_only(&c, UINT64_MAX >> (63 - last));
  uint64_t faults = plain_faults(&c, (c.comma | c.blank) << 1 | 1);
  if (c.e | c.plus | c.blank) faults |= other_faults(&c);
  return faults ? 0 : last + 1;
}

size_t numbers_run(const char *p, size_t n)
{
  size_t i = 0, took = 1;
  while (took && n - i >= BLOCK) {
    took = take_block(p + i);
    i += took;
  }
  return i;
}
#else
size_t numbers_run(const char *p, size_t n)
{
  (void)p, (void)n;
  return 0;
}
#endif
