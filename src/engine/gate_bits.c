/*
 * How the bits of a block are read: by comparing sixteen bytes at once and looking pairs up one by one, or 64 at once where the processor looks
 * up tables of 128 bytes. What differs between processors is here and nowhere else, and decides nothing: gate.c does.
 */
#include "engine/decode_text.h"

/* ---- on every processor ------------------------------------------------------------------------------------------- */

#ifdef __SSE2__
#include <emmintrin.h>
static uint64_t gather_top(__m128i v)
{
  return (uint64_t)(unsigned)_mm_movemask_epi8(v);
}

/* Which bytes, moved down by `from`, are below n? Signed comparison, so everything is moved by 128 more. */
static __m128i within(__m128i v, char from, char n)
{
  return _mm_cmplt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(-128 - from))), _mm_set1_epi8((char)(-128 + n)));
}

static void compare(const char *p, struct gate_bits *b)
{
  uint64_t high = 0;
  for (unsigned i = 0; i < BLOCK; i += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i)), small = _mm_or_si128(v, _mm_set1_epi8(0x20));
    __m128i six = _mm_or_si128(within(v, '0', 10), within(small, 'a', 6));
    b->letters |= gather_top(within(small, 'a', 26)) << i;
    b->hex |= gather_top(six) << i;
    b->lines |= gather_top(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n'))) << i;
    b->uu |= gather_top(within(v, '!', 64)) << i;
    b->capitals |= gather_top(within(v, 'A', 26)) << i;
    b->stops |= gather_top(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(',')), _mm_cmpeq_epi8(v, _mm_set1_epi8('.')))) << i;
    b->blanks |= gather_top(_mm_cmpeq_epi8(v, _mm_set1_epi8(' '))) << i;
    high |= gather_top(v);
  }
  b->high = high != 0;
}
#else
static void compare(const char *p, struct gate_bits *b)
{
  for (unsigned i = 0; i < BLOCK; i++) {
    unsigned char c = (unsigned char)p[i], small = c | 32;
    b->high |= c >= 0x80;
    b->letters |= (uint64_t)(small >= 'a' && small <= 'z') << i;
    b->hex |= (uint64_t)((c >= '0' && c <= '9') || (small >= 'a' && small <= 'f')) << i;
    b->lines |= (uint64_t)(c == '\n') << i;
    b->uu |= (uint64_t)(c > ' ' && c <= '`') << i;
    b->capitals |= (uint64_t)(c >= 'A' && c <= 'Z') << i;
    b->stops |= (uint64_t)(c == ',' || c == '.') << i;
    b->blanks |= (uint64_t)(c == ' ') << i;
  }
}
#endif

/* Marks are counted in the upper half of the sum. */
static unsigned sum_odd(const struct text_model *m, const char *p, size_t n)
{
  unsigned sum = 0, more = 0;
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    sum += m->odd[pair_index(p + i - 1)] + m->odd[pair_index(p + i)];
    more += m->odd[pair_index(p + i + 1)] + m->odd[pair_index(p + i + 2)];
  }
  for (; i < n; i++) sum += m->odd[pair_index(p + i - 1)];
  return sum + more;
}

static uint64_t find_marks(const struct text_model *m, const char *p, size_t n)
{
  uint64_t marks = 0;
  for (size_t i = 0; i < n; i++) marks |= (uint64_t)(m->odd[pair_index(p + i - 1)] >= ODD_MARK) << i;
  return marks;
}

/* Words of the spelling alphabet are so long that of sixteen bytes the first word is enough. Without branches: what it begins with cannot be
 * foretold. */
static uint64_t find_nato(const struct text_model *m, const char *p, uint64_t letters)
{
  enum { LANE = 16, LANES = BLOCK / LANE };
  uint64_t starts = letters & ~(letters << 1 | (m->letter[(unsigned char)p[-1]] != 0)), may = 0;
  for (unsigned i = 0; i < LANES; i++) {
    size_t at = LANE * i + (size_t)__builtin_ctz((unsigned)(starts >> LANE * i) | 1u << (LANE - 1));
    may |= (uint64_t)nato_may_begin(p + at) << at;
  }
  return may & letters;
}

static void read_portable(const struct text_model *m, const char *p, size_t n, struct gate_bits *out)
{
  size_t half = n < BLOCK / 2 ? n : BLOCK / 2;
  unsigned first = sum_odd(m, p, half), second = sum_odd(m, p + half, n - half);
  char copy[BLOCK] = {0};
  *out = (struct gate_bits){.odd = {first & (ODD_MARK - 1), second & (ODD_MARK - 1)}};
  if (first + second >= ODD_MARK) out->marks = find_marks(m, p, n);
  if (n < BLOCK) memcpy(copy, p, n);
  compare(n < BLOCK ? copy : p, out);
  out->n_letters = block_count(out->letters);
  out->nato = find_nato(m, p, out->letters);
}

/* ---- 64 bytes at once ---------------------------------------------------------------------------------------------- */

void gate_tables_fill(struct text_model *m)
{
  struct gate_tables *t = &m->tables;
  static const char nato[2][65] = {NATO_SECOND NATO_THIRD, NATO_SECOND_ALSO NATO_THIRD_ALSO};
  memcpy(t->letter, m->letter, sizeof t->letter);
  memcpy(t->nato[0], nato[0], sizeof t->nato[0]);
  memcpy(t->nato[1], nato[1], sizeof t->nato[1]);
  for (unsigned x = 0; x < 27; x++)
    for (unsigned y = 0; y < 27; y++) t->odd[x / 4][x % 4 * 32 + y] = (uint8_t)text_oddness(m, x, y);
  /* Control characters lead whatever follows: the reader compares them. */
  static const struct {
    const char *lead, *follow;
  } marks[] = {{"%=", "0123456789ABCDEF"},
               {"%", "abcdef"},
               {"&", "#abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"},
               {"\\", "xuU0123"},
               {"0", "xX"},
               {"U", "+"},
               {".", "-_"},
               {"-_", "."}};
  memset(t->lead, 0, sizeof t->lead);
  memset(t->follow, 0, sizeof t->follow);
  for (unsigned k = 0; k < 8; k++) {
    for (const char *c = marks[k].lead; *c; c++) t->lead[(unsigned char)*c] |= (uint8_t)(1u << k);
    for (const char *c = marks[k].follow; *c; c++) t->follow[(unsigned char)*c] |= (uint8_t)(1u << k);
  }
}

#ifdef __x86_64__
#include <immintrin.h>
#define WIDE static inline __attribute__((target("avx512f,avx512bw,avx512vbmi,popcnt")))

WIDE __m512i load(const void *p)
{
  return _mm512_loadu_si512(p);
}

/* By the lower seven bits of each byte. */
WIDE __m512i look_up(const uint8_t table[128], __m512i v)
{
  return _mm512_permutex2var_epi8(load(table), v, load(table + 64));
}

WIDE __mmask64 is(__m512i v, char c)
{
  return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

WIDE __mmask64 range(__m512i v, char from, char n)
{
  return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(from)), _mm512_set1_epi8(n));
}

/* Pairs of a, the byte before, and b that may begin a mark. */
WIDE __mmask64 wide_marks(const struct gate_tables *t, __m512i a, __m512i b, __mmask64 high_a, __mmask64 high_b)
{
  __mmask64 marks = _mm512_mask_test_epi8_mask(~(high_a | high_b), look_up(t->lead, a), look_up(t->follow, b));
  marks |= (range(a, 0, 0x20) & ~range(a, '\t', 5)) | is(a, 0x7f);
  if (high_a) marks |= (is(a, (char)0xc2) & range(b, 0, (char)0xa0)) | (is(a, (char)0xef) & is(b, (char)0xbf));
  return marks;
}

/* How odd each pair of letters is; x: the one before. */
WIDE __m512i wide_odd(const struct gate_tables *t, __m512i x, __m512i y)
{
  __m512i four = _mm512_and_si512(_mm512_srli_epi16(x, 2), _mm512_set1_epi8(7)), odd = _mm512_setzero_si512();
  __m512i pair = _mm512_or_si512(_mm512_and_si512(_mm512_slli_epi16(x, 5), _mm512_set1_epi8(0x60)), y);
  for (char g = 0; g < 7; g++) odd = _mm512_mask_mov_epi8(odd, is(four, g), look_up(t->odd[(unsigned)g], pair));
  return odd;
}

WIDE __mmask64 wide_nato(const struct gate_tables *t, const char *p, __m512i v)
{
  const __m512i small = _mm512_set1_epi8(32);
  __m512i second = _mm512_and_si512(v, _mm512_set1_epi8(31)), third = _mm512_or_si512(second, small);
  __m512i b = _mm512_or_si512(load(p + 1), small), c = _mm512_or_si512(load(p + 2), small);
  __mmask64 may = 0;
  for (unsigned i = 0; i < 2; i++) {
    __m512i table = load(t->nato[i]);
    may |= _mm512_cmpeq_epi8_mask(_mm512_permutexvar_epi8(second, table), b) &
           _mm512_cmpeq_epi8_mask(_mm512_permutexvar_epi8(third, table), c);
  }
  return may;
}

WIDE void wide_sum(__m512i odd, unsigned out[2])
{
  __m512i sums = _mm512_sad_epu8(odd, _mm512_setzero_si512());
  __m256i halves[2] = {_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1)};
  for (unsigned i = 0; i < 2; i++) {
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(halves[i]), _mm256_extracti128_si256(halves[i], 1));
    out[i] = (unsigned)_mm_cvtsi128_si32(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two)));
  }
}

__attribute__((target("avx512f,avx512bw,avx512vbmi,popcnt"))) static void
read_avx512vbmi(const struct text_model *m, const char *p, size_t n, struct gate_bits *out)
{
  const struct gate_tables *t = &m->tables;
  __mmask64 own = n < BLOCK ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
  __m512i b = load(p), a = load(p - 1), small = _mm512_or_si512(b, _mm512_set1_epi8(0x20));
  __mmask64 high_b = _mm512_movepi8_mask(b), high_a = _mm512_movepi8_mask(a);
  __m512i x = _mm512_maskz_mov_epi8(~high_a, look_up(t->letter, a)), y = _mm512_maskz_mov_epi8(~high_b, look_up(t->letter, b));
  __mmask64 letters = _mm512_test_epi8_mask(y, y), before = _mm512_test_epi8_mask(x, x), capitals = range(b, 'A', 26);
  __mmask64 marks = own & wide_marks(t, a, b, high_a, high_b);
  __m512i odd = wide_odd(t, x, y);
  odd = _mm512_mask_add_epi8(odd, before & ~range(a, 'A', 26) & capitals, odd, _mm512_set1_epi8(ODD_CAPITAL));
  odd = _mm512_mask_add_epi8(odd, range(a, '0', 10) & letters, odd, _mm512_set1_epi8(ODD_DIGIT));
  wide_sum(_mm512_maskz_mov_epi8(own & ~marks, odd), out->odd);
  out->letters = letters & own;
  out->hex = (range(b, '0', 10) | range(small, 'a', 6)) & own;
  out->capitals = capitals & own;
  out->blanks = is(b, ' ') & own;
  out->lines = is(b, '\n') & own;
  out->stops = (is(b, ',') | is(b, '.')) & own;
  out->uu = range(b, '!', 64) & own;
  out->marks = marks;
  out->nato = wide_nato(t, p, b) & out->letters;
  out->n_letters = (unsigned)__builtin_popcountll(out->letters);
  out->high = (high_b & own) != 0;
}

static bool can_avx512vbmi(void)
{
  return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("popcnt");
}
#else
static bool can_avx512vbmi(void)
{
  return false;
}
#define read_avx512vbmi read_portable
#endif

gate_reader *gate_path(const char *name)
{
  bool wide = !name || strcmp(name, "avx512vbmi") == 0;
  if (wide && can_avx512vbmi()) return read_avx512vbmi;
  return !name || strcmp(name, "portable") == 0 ? read_portable : NULL;
}
