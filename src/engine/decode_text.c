/* The gate and the tests of decoded text; see decode_text.h. Depends on the letters alone, never on a locale. */
#include "engine/decode_text.h"
#include <utf8proc.h>

enum {
  ODD_BLOCK = 52,     /* what BLOCK bytes must sum up to, a whole block or the halves of two */
  COMMON = 40,        /* a pair that costs no more is not odd at all */
  ODD_CAPITAL = 6,    /* a capital after a small letter */
  ODD_MARK = 1 << 15, /* apart from oddness: two bytes that may begin a mark */
  ODD_DIGIT = 6,      /* a digit before a letter */
  SOLID_SIGNS = 12,   /* so many signs in a block without a blank are odd too: an address has fewer */
  SHORT = 10,
  SURE = 16,          /* bytes of decoded text: fewer must be language, from so many on printable ones do */
  LANGUAGE_MEAN = 39, /* most that a pair of language costs on average */
};

static const int8_t bigrams[27][27] = {
#include "engine/decode_bigrams.inc"
};

static bool capital(unsigned c)
{
  return c >= 'A' && c <= 'Z';
}

/* With which an escape, a percent or quoted-printable mark, a reference, a number or Morse code may go on. */
enum mark_kind mark_begins(unsigned char a, unsigned char b)
{
  bool digit = b >= '0' && b <= '9', hex = digit || ((b | 32) >= 'a' && (b | 32) <= 'f');
  if (is_control(a)) return MARK_CONTROL;
  switch (a) {
  case 0xc2: return b < 0xa0 ? MARK_CONTROL : MARK_KINDS;
  case 0xef: return b == 0xbf ? MARK_CONTROL : MARK_KINDS;
  case '%': return hex ? MARK_PERCENT : MARK_KINDS;
  case '&': return b == '#' || ((b | 32) >= 'a' && (b | 32) <= 'z') ? MARK_REFERENCE : MARK_KINDS;
  case '\\': return b == 'x' || b == 'u' || b == 'U' ? MARK_ESCAPE : MARK_KINDS;
  case '=': return digit || (b >= 'A' && b <= 'F') ? MARK_QUOTED : MARK_KINDS;
  case '0': return b == 'x' || b == 'X' ? MARK_ZERO_X : MARK_KINDS;
  case 'U': return b == '+' ? MARK_U_PLUS : MARK_KINDS;
  case '.': return b == '-' || b == '_' ? MARK_DOT_DASH : MARK_KINDS;
  case '-':
  case '_': return b == '.' ? MARK_DOT_DASH : MARK_KINDS;
  default: return MARK_KINDS;
  }
}

static unsigned oddness(const struct text_model *m, unsigned a, unsigned b)
{
  unsigned x = m->letter[a], y = m->letter[b], cost = m->cost[x][y];
  if (mark_begins((unsigned char)a, (unsigned char)b) != MARK_KINDS) return ODD_MARK;
  if (!x && !y) return 0;
  unsigned odd = cost > COMMON ? (cost - COMMON) / (x && y ? 4 : 8) : 0;
  if (x && y && !capital(a) && capital(b)) odd += ODD_CAPITAL;
  if (a >= '0' && a <= '9' && y) odd += ODD_DIGIT;
  return odd;
}

/* Two bytes as they lie in memory: one load, whichever end comes first. */
static inline uint16_t pair_index(const void *p)
{
  uint16_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

bool text_has_mark(const struct text_model *m, struct str s, size_t i)
{
  return m->odd[pair_index(s.p + i)] & ODD_MARK;
}

void text_model_init(struct text_model *m)
{
  memset(m, 0, sizeof *m);
  for (unsigned c = 0; c < 26; c++) m->letter['a' + c] = m->letter['A' + c] = (uint8_t)(c + 1);
  for (unsigned a = 0; a < 27; a++)
    for (unsigned b = 0; b < 27; b++) m->cost[a][b] = (uint8_t)-bigrams[a][b];
  for (unsigned a = 0; a < 256; a++)
    for (unsigned b = 0; b < 256; b++)
      m->odd[pair_index((unsigned char[]){(unsigned char)a, (unsigned char)b})] = (uint16_t)oddness(m, a, b);
}

/* ---- the gate ---------------------------------------------------------------------------------------------------- */

/* first, next: may these bytes be the first of a line of uuencode, the others? Four are looked at; what is behind the block may be any. */
static void note_lines(struct gate *g, uint64_t lines, uint64_t first, uint64_t next)
{
  if (!g->any) g->line = true;
  g->any = true;
  uint64_t begins = lines << 1 | g->line;
  g->uu = begins & first & (next >> 1 | UINT64_C(1) << 63) & (next >> 2 | UINT64_C(3) << 62) & (next >> 3 | UINT64_C(7) << 61);
  g->line = lines >> 63;
}

/* "esle ,ereht ehT": what stands behind the block is seen with the next one. */
static void note_signs(struct gate *g, uint64_t capitals, uint64_t stops, uint64_t blanks)
{
  uint64_t small = g->letters & ~capitals, after = g->letters >> 1;
  uint64_t last = (small << 1 | g->small) & capitals, ends = last & ~(after | UINT64_C(1) << 63);
  if (g->capital && !(g->letters & 1)) ends |= 1;
  if (!g->any) g->blank = true;
  g->backwards = ends | ((blanks << 1 | g->blank) & stops & after);
  g->blank = blanks >> 63;
  g->solid = !blanks;
  g->small = small >> 63;
  g->capital = last >> 63;
}

/* Sixteen bytes compared at once, and the top bits of the results gathered. */
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

/* One bit for each byte: the mask of each kind. False when all bytes are ASCII. */
static bool masks(const char *p, struct gate *g)
{
  uint64_t high = 0, lines = 0, first = 0, next = 0, capitals = 0, stops = 0, blanks = 0;
  g->letters = g->hex = 0;
  for (unsigned i = 0; i < BLOCK; i += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i)), small = _mm_or_si128(v, _mm_set1_epi8(0x20));
    __m128i six = _mm_or_si128(within(v, '0', 10), within(small, 'a', 6));
    g->letters |= gather_top(within(small, 'a', 26)) << i;
    g->hex |= gather_top(six) << i;
    lines |= gather_top(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n'))) << i;
    first |= gather_top(within(v, '!', 64)) << i;
    next |= gather_top(within(v, ' ', 65)) << i;
    capitals |= gather_top(within(v, 'A', 26)) << i;
    stops |= gather_top(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(',')), _mm_cmpeq_epi8(v, _mm_set1_epi8('.')))) << i;
    blanks |= gather_top(_mm_cmpeq_epi8(v, _mm_set1_epi8(' '))) << i;
    high |= gather_top(v);
  }
  note_signs(g, capitals, stops, blanks | lines);
  note_lines(g, lines, first, next);
  return high;
}
#else
static bool masks(const char *p, struct gate *g)
{
  bool high = false;
  uint64_t lines = 0, first = 0, next = 0, capitals = 0, stops = 0, blanks = 0;
  g->letters = g->hex = 0;
  for (unsigned i = 0; i < BLOCK; i++) {
    unsigned char c = (unsigned char)p[i], small = c | 32;
    high |= c >= 0x80;
    g->letters |= (uint64_t)(small >= 'a' && small <= 'z') << i;
    g->hex |= (uint64_t)((c >= '0' && c <= '9') || (small >= 'a' && small <= 'f')) << i;
    lines |= (uint64_t)(c == '\n') << i;
    first |= (uint64_t)(c > ' ' && c <= '`') << i;
    next |= (uint64_t)(c >= ' ' && c <= '`') << i;
    capitals |= (uint64_t)(c >= 'A' && c <= 'Z') << i;
    stops |= (uint64_t)(c == ',' || c == '.') << i;
    blanks |= (uint64_t)(c == ' ') << i;
  }
  note_signs(g, capitals, stops, blanks | lines);
  note_lines(g, lines, first, next);
  return high;
}
#endif

/* The patterns below are looked for in 64 bytes that end LAG before the block's end, so that none is cut; bit k is the k-th of them. */
enum { LAG = 20 };
static uint64_t lagged(uint64_t before, uint64_t now)
{
  return now << LAG | before >> (64 - LAG);
}

/* Single letters or digits, a letter among them, four at the same distance of two to four bytes, or pairs of them? */
static bool is_spaced(uint64_t letters, uint64_t hex)
{
  uint64_t any = letters | hex, alone = any & ~(any << 1) & ~(any >> 1);
  if (!(alone & letters)) return false;
  uint64_t two = alone & alone << 2, three = alone & alone << 3, four = alone & alone << 4;
  return (two & two << 4 & two << 6) || (two & two << 6 & two << 12) || (three & three << 6) || (four & four << 8);
}

/* Pairs of hexadecimal digits, four with one byte between them or with two, or groups of eight; or a number of sixteen digits. */
static unsigned list_signs(uint64_t hex)
{
  uint64_t run2 = hex & hex << 1, run4 = run2 & run2 << 2, run8 = run4 & run4 << 4;
  uint64_t pair = run2 & ~(hex << 2) & ~(hex >> 1), one = pair & pair << 3, two = pair & pair << 4;
  bool list = (one & one << 6) || (two & two << 8), number = run8 & run8 << 8, eights = run8 & run8 << 9;
  return (list ? SIGN_LISTS : 0) | (number ? SIGN_ODD : 0) | (eights ? SIGN_EIGHTS : 0);
}

/* Marks are counted in the upper half of the sum. */
static unsigned sum_odd(const struct text_model *m, struct str s, size_t i, size_t end, unsigned *marks)
{
  unsigned sum = 0, more = 0;
  if (i == 0 && end) sum = m->odd[pair_index((char[]){' ', s.p[i++]})];
  for (; i + 4 <= end; i += 4) {
    const char *p = s.p + i - 1;
    sum += m->odd[pair_index(p)] + m->odd[pair_index(p + 1)];
    more += m->odd[pair_index(p + 2)] + m->odd[pair_index(p + 3)];
  }
  for (; i < end; i++) sum += m->odd[pair_index(s.p + i - 1)];
  sum += more;
  *marks |= sum >= ODD_MARK;
  return sum & (ODD_MARK - 1);
}

unsigned gate_block(const struct text_model *m, struct gate *g, struct str s, size_t at, size_t n)
{
  unsigned signs = 0, marks = 0, half = n < BLOCK / 2 ? (unsigned)n : BLOCK / 2;
  uint64_t letters_before = g->letters, hex_before = g->hex;
  bool high;
  unsigned first = sum_odd(m, s, at, at + half, &marks), second = sum_odd(m, s, at + half, at + n, &marks);
  if (n == BLOCK) {
    high = masks(s.p + at, g);
  } else {
    char last[BLOCK] = {0};
    if (n) memcpy(last, s.p + at, n);
    high = masks(last, g);
  }
  unsigned least = s.n < BLOCK ? ODD_BLOCK * (unsigned)s.n / BLOCK : ODD_BLOCK;
  if (first + second >= least) signs |= SIGN_ODD;
  if (g->half + first >= ODD_BLOCK) signs |= SIGN_ODD_BEFORE;
  g->half = second;
  if (marks) signs |= SIGN_MARKS;
  if (high) signs |= SIGN_HIGH;
  else if (g->solid && n == BLOCK && bits(~(g->letters | g->hex)) >= SOLID_SIGNS) signs |= SIGN_ODD;
  if (g->backwards) signs |= SIGN_BACKWARDS;
  uint64_t hex = lagged(hex_before, g->hex);
  if (is_spaced(lagged(letters_before, g->letters), hex)) signs |= SIGN_SPACED;
  signs |= list_signs(hex);
  g->signs |= signs;
  return signs;
}

uint32_t text_cost(const struct text_model *m, struct str s, uint32_t *pairs)
{
  uint32_t sum = 0, n = 0;
  unsigned last = 0;
  for (size_t i = 0; i <= s.n; i++) {
    unsigned c = i < s.n ? m->letter[(unsigned char)s.p[i]] : 0;
    if (last || c) {
      sum += m->cost[last][c];
      n++;
    }
    last = c;
  }
  *pairs = n;
  return sum;
}

/* What the bytes of a text are, in numbers. */
struct census {
  size_t letters, digits, blanks, morse, high, controls, broken;
};

static struct census count(struct str s)
{
  struct census k = {0};
  for (size_t i = 0; i < s.n;) {
    unsigned char c = (unsigned char)s.p[i];
    if (c < 0x80) {
      k.letters += (c | 32) >= 'a' && (c | 32) <= 'z';
      k.digits += c >= '0' && c <= '9';
      k.morse += c == '.' || c == '-' || c == '_' || c == '/';
      k.blanks += c == ' ' || c == '\t' || c == '\n' || c == '\r';
      k.controls += c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r');
      i++;
      continue;
    }
    int32_t cp;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.p + i, (utf8proc_ssize_t)(s.n - i), &cp);
    if (n <= 0) k.broken++;
    else if (utf8proc_category(cp) == UTF8PROC_CATEGORY_CN || utf8proc_category(cp) == UTF8PROC_CATEGORY_CO) k.controls++;
    else k.high += (size_t)n;
    i += n > 0 ? (size_t)n : 1;
  }
  return k;
}

bool text_is_utf8(struct str s)
{
  return count(s).broken == 0;
}

bool text_is_language(const struct text_model *m, struct str s)
{
  struct census k = count(s);
  if (s.n < 4 || k.controls || k.broken) return false;
  if ((k.letters + k.high + k.blanks) * 10 < s.n * 7 || k.letters + k.high < 4) return false;
  if (k.high * 2 > s.n) return true;
  uint32_t pairs, cost = text_cost(m, s, &pairs);
  return cost <= pairs * LANGUAGE_MEAN;
}

bool text_may_begin(struct str s)
{
  for (size_t i = 0; i < s.n && i < 8; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if (c == 0x7f || c >= 0xf8 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (i == 0 && c >= 0x80 && c < 0xc2))
      return false;
  }
  return true;
}

bool text_is_plausible(const struct text_model *m, struct str s)
{
  if (!text_may_begin(s)) return false;
  struct census k = count(s);
  if (k.broken * 50 > s.n || k.controls * 50 > s.n || s.n < 4) return false;
  if (s.n < SHORT) return k.high * 2 <= s.n && text_is_language(m, s);
  if (k.morse + k.blanks == s.n) return true;
  /* Sixteen random bytes are hardly ever all printable. Text may be encoded further. */
  return (k.letters + k.high + k.digits + k.blanks) * 100 >= s.n * (s.n < SURE ? 60 : 25);
}
