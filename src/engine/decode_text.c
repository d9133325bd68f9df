/* The gate and the tests of decoded text; see decode_text.h. Depends on the letters alone, never on a locale. */
#include "engine/decode_text.h"
#include <utf8proc.h>

enum {
  ODD_BLOCK = 52,  /* what BLOCK bytes must sum up to, a whole block or the halves of two */
  COMMON = 40,     /* a pair that costs no more is not odd at all */
  ODD_CAPITAL = 6, /* a capital after a small letter */
  ODD_MARK = 128,  /* a bit of its own: two bytes that may begin a mark */
  ODD_DIGIT = 6,   /* a digit before a letter */
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

/* Two bytes with which an escape, a percent or quoted-printable mark, a reference, a number or Morse code may go on. */
static bool begins_mark(unsigned a, unsigned b)
{
  bool digit = b >= '0' && b <= '9', hex = digit || ((b | 32) >= 'a' && (b | 32) <= 'f');
  switch (a) {
  case '%': return hex;
  case '&': return b == '#' || ((b | 32) >= 'a' && (b | 32) <= 'z');
  case '\\': return b == 'x' || b == 'u' || b == 'U';
  case '=': return digit || (b >= 'A' && b <= 'F');
  case '0': return b == 'x' || b == 'X';
  case 'U': return b == '+';
  case '.': return b == '-' || b == '_';
  case '-':
  case '_': return b == '.';
  default: return false;
  }
}

static unsigned oddness(const struct text_model *m, unsigned a, unsigned b)
{
  unsigned x = m->letter[a], y = m->letter[b], cost = m->cost[x][y];
  if (begins_mark(a, b)) return ODD_MARK;
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

void text_model_init(struct text_model *m)
{
  memset(m, 0, sizeof *m);
  for (unsigned c = 0; c < 26; c++) m->letter['a' + c] = m->letter['A' + c] = (uint8_t)(c + 1);
  for (unsigned a = 0; a < 27; a++)
    for (unsigned b = 0; b < 27; b++) m->cost[a][b] = (uint8_t)-bigrams[a][b];
  for (unsigned a = 0; a < 256; a++)
    for (unsigned b = 0; b < 256; b++)
      m->odd[pair_index((unsigned char[]){(unsigned char)a, (unsigned char)b})] = (uint8_t)oddness(m, a, b);
}

/* ---- the gate ---------------------------------------------------------------------------------------------------- */

#define EACH ((uint64_t)0x0101010101010101u)
#define TOP  ((uint64_t)0x8080808080808080u)

/* One bit for each of eight bytes whose top bit is set, the first byte's lowest. */
static uint64_t top_bits(uint64_t w)
{
  return ((w & TOP) >> 7) * 0x0102040810204080u >> 56;
}

/* Eight bytes at a time: letters and hexadecimal digits of ASCII. Sums of seven-bit values and these do not reach into the next byte. */
static void masks(const char *p, uint64_t *letters, uint64_t *hex)
{
  *letters = *hex = 0;
  for (unsigned i = 0; i < BLOCK; i += 8) {
    uint64_t w;
    memcpy(&w, p + i, 8);
    uint64_t low = w & ~TOP, small = low | EACH * 0x20;
    uint64_t from_a = small + EACH * (0x80 - 'a');
    uint64_t letter = from_a & ~(small + EACH * (0x80 - 'z' - 1)) & ~w;
    uint64_t digit = (low + EACH * (0x80 - '0')) & ~(low + EACH * (0x80 - '9' - 1)) & ~w;
    uint64_t six = from_a & ~(small + EACH * (0x80 - 'f' - 1)) & ~w;
    *letters |= top_bits(letter) << i;
    *hex |= top_bits(digit | six) << i;
  }
}

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

/* Four pairs at a time; what may begin a mark is rare, so its bit is taken out of the sum only where it is. */
static unsigned sum_odd(const struct text_model *m, struct str s, size_t i, size_t end, unsigned *marks)
{
  unsigned sum = 0;
  if (i == 0 && end) {
    sum = m->odd[pair_index((char[]){' ', s.p[i++]})] & (ODD_MARK - 1);
  }
  for (; i + 4 <= end; i += 4) {
    const char *p = s.p + i - 1;
    unsigned a = m->odd[pair_index(p)], b = m->odd[pair_index(p + 1)], c = m->odd[pair_index(p + 2)],
             d = m->odd[pair_index(p + 3)];
    unsigned any = (a | b | c | d) & ODD_MARK;
    sum += a + b + c + d;
    if (any) sum -= (a & ODD_MARK) + (b & ODD_MARK) + (c & ODD_MARK) + (d & ODD_MARK);
    *marks |= any;
  }
  for (; i < end; i++) {
    unsigned odd = m->odd[pair_index(s.p + i - 1)];
    sum += odd & (ODD_MARK - 1);
    *marks |= odd;
  }
  return sum;
}

unsigned gate_block(const struct text_model *m, struct gate *g, struct str s, size_t at, size_t n)
{
  unsigned signs = 0, marks = 0, half = n < BLOCK / 2 ? (unsigned)n : BLOCK / 2;
  uint64_t letters, hex;
  unsigned first = sum_odd(m, s, at, at + half, &marks), second = sum_odd(m, s, at + half, at + n, &marks);
  if (n == BLOCK) {
    masks(s.p + at, &letters, &hex);
  } else {
    char last[BLOCK] = {0};
    if (n) memcpy(last, s.p + at, n);
    masks(last, &letters, &hex);
  }
  unsigned least = s.n < BLOCK ? ODD_BLOCK * (unsigned)s.n / BLOCK : ODD_BLOCK;
  if (first + second >= least) signs |= SIGN_ODD;
  if (g->half + first >= ODD_BLOCK) signs |= SIGN_ODD_BEFORE;
  g->half = second;
  if (marks & ODD_MARK) signs |= SIGN_MARKS;
  if (is_spaced(lagged(g->letters, letters), lagged(g->hex, hex))) signs |= SIGN_SPACED;
  signs |= list_signs(lagged(g->hex, hex));
  g->letters = letters;
  g->hex = hex;
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
  size_t letters, digits, blanks, high, controls, broken;
};

static struct census count(struct str s)
{
  struct census k = {0};
  for (size_t i = 0; i < s.n;) {
    unsigned char c = (unsigned char)s.p[i];
    if (c < 0x80) {
      k.letters += (c | 32) >= 'a' && (c | 32) <= 'z';
      k.digits += c >= '0' && c <= '9';
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

/* Random bytes hardly ever begin with eight that text may begin with. */
static bool may_be_text(struct str s)
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
  if (!may_be_text(s)) return false;
  struct census k = count(s);
  if (k.broken * 50 > s.n || k.controls * 50 > s.n || s.n < 4) return false;
  if (s.n < SHORT) return k.high * 2 <= s.n && text_is_language(m, s);
  /* Sixteen random bytes are hardly ever all printable. Text may be encoded further: Morse code has no letters at all. */
  return (k.letters + k.high + k.digits + k.blanks) * 100 >= s.n * (s.n < SURE ? 60 : 25);
}
