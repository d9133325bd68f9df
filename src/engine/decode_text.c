/* The gate and the tests of decoded text; see decode_text.h. Depends on the letters alone, never on a locale. */
#include "engine/decode_text.h"
#include <utf8proc.h>

/* Classes of the gate: 1..26 small letters, 27..52 capitals, then these. */
enum { OTHER = 0, CAPITAL = 27, DIGIT = 53, BLANK, PERCENT, AMPERSAND, BACKSLASH, EQUALS, DOT, HYPHEN, HASH, PLUS, HIGH };

enum {
  ODD_BLOCK = 60,    /* what a block must sum up to */
  COMMON = 40,       /* a pair that costs no more is not odd at all */
  ODD_CAPITAL = 6,   /* a capital after a small letter */
  ODD_DIGIT = 6,     /* a digit before a letter */
  LANGUAGE_MEAN = 39, /* most that a pair of language costs on average */
};

static const int8_t bigrams[27][27] = {
#include "engine/decode_bigrams.inc"
};

static void init_classes(struct text_model *m)
{
  for (unsigned c = 0; c < 26; c++) {
    m->letter['a' + c] = m->letter['A' + c] = (uint8_t)(c + 1);
    m->class['a' + c] = (uint8_t)(c + 1);
    m->class['A' + c] = (uint8_t)(c + CAPITAL);
  }
  for (unsigned c = '0'; c <= '9'; c++) m->class[c] = DIGIT;
  for (unsigned c = 0x80; c < 256; c++) m->class[c] = HIGH;
  const struct {
    unsigned char c, class;
  } signs[] = {{' ', BLANK},      {'\t', BLANK},  {'\n', BLANK}, {'\r', BLANK},  {'%', PERCENT}, {'&', AMPERSAND},
               {'\\', BACKSLASH}, {'=', EQUALS}, {'.', DOT},    {'-', HYPHEN}, {'#', HASH},    {'+', PLUS}};
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) m->class[signs[i].c] = signs[i].class;
}

static unsigned letter_of(unsigned class)
{
  return class >= 1 && class < DIGIT ? (class - 1) % 26 + 1 : 0;
}

static unsigned oddness(const struct text_model *m, unsigned a, unsigned b)
{
  unsigned x = letter_of(a), y = letter_of(b), odd = 0;
  if (!x && !y) return 0;
  unsigned cost = m->cost[x][y];
  if (x && y && cost > COMMON) odd += (cost - COMMON) / 4;
  if ((!x || !y) && cost > COMMON) odd += (cost - COMMON) / 8;
  if (x && y && a < CAPITAL && b >= CAPITAL) odd += ODD_CAPITAL;
  if (a == DIGIT && y) odd += ODD_DIGIT;
  return odd;
}

static bool hex_class(unsigned class)
{
  unsigned x = letter_of(class);
  return class == DIGIT || (x >= 1 && x <= 6);
}

/* Bit 0, free since oddness is a sum, says that a number may be written as 0x. */
enum { MARK_0X = 1 };

static unsigned signs_of(unsigned a, unsigned b)
{
  unsigned y = letter_of(b), signs = b == HIGH ? SIGN_HIGH : 0;
  switch (a) {
  case PERCENT: return hex_class(b) ? signs | SIGN_PERCENT : signs;
  case AMPERSAND: return y || b == HASH ? signs | SIGN_ENTITY : signs;
  case BACKSLASH: return y == 'x' - 96 || y == 'u' - 96 ? signs | SIGN_ESCAPE : signs;
  case CAPITAL + 'u' - 'a': return b == PLUS ? signs | SIGN_ESCAPE : signs;
  case EQUALS: return hex_class(b) ? signs | SIGN_QUOTED : signs;
  case DIGIT: return y == 'x' - 96 ? signs | MARK_0X : signs;
  case DOT: return b == HYPHEN ? signs | SIGN_MARKS : signs;
  case HYPHEN: return b == DOT ? signs | SIGN_MARKS : signs;
  default: return signs;
  }
}

void text_model_init(struct text_model *m)
{
  memset(m, 0, sizeof *m);
  init_classes(m);
  for (unsigned a = 0; a < CLASSES; a++) m->is_hex[a] = hex_class(a);
  for (unsigned a = 0; a < 27; a++)
    for (unsigned b = 0; b < 27; b++) m->cost[a][b] = (uint8_t)-bigrams[a][b];
  for (unsigned a = 0; a < CLASSES; a++)
    for (unsigned b = 0; b < CLASSES; b++) {
      unsigned odd = oddness(m, a, b);
      m->pair[a * CLASSES + b] = (uint16_t)((odd > 255 ? 255 : odd) | signs_of(a, b) << 8);
    }
}

/* Latest bytes: four pairs, one or two bytes apart, or two groups of eight, one byte apart. */
static bool is_list(uint32_t hex)
{
  return (hex & 0x1fff) == 0xdb6 || (hex & 0x1ffff) == 0xcccc || (hex & 0x3ffff) == 0x1feff;
}

unsigned gate_block(const struct text_model *m, struct gate *g, struct str s)
{
  unsigned last = g->last, sum = 0, signs = 0, spaced = 0, list = 0, number = 0;
  uint32_t letters = g->letters, hex = g->hex;
  for (size_t i = 0; i < s.n; i++) {
    unsigned c = m->class[(unsigned char)s.p[i]], entry = m->pair[last * CLASSES + c];
    sum += entry & 255;
    signs |= entry;
    letters = letters << 1 | (c - 1 < DIGIT - 1);
    hex = hex << 1 | m->is_hex[c];
    /* Five letters, each between two other bytes. */
    spaced |= (letters & 0x7ff) == 0x2aa;
    list |= is_list(hex);
    number |= (hex & 0xffff) == 0xffff;
    last = c;
  }
  g->last = last;
  g->letters = letters;
  g->hex = hex;
  list |= signs >> 8 & MARK_0X;
  signs = (signs >> 8 & 0xfe) | (sum >= ODD_BLOCK || number ? SIGN_ODD : 0) | (spaced ? SIGN_SPACED : 0) | (list ? SIGN_LISTS : 0);
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

bool text_is_language(const struct text_model *m, struct str s)
{
  struct census k = count(s);
  if (s.n < 4 || k.controls || k.broken) return false;
  if ((k.letters + k.high + k.blanks) * 10 < s.n * 7 || k.letters + k.high < 4) return false;
  if (k.high * 2 > s.n) return true;
  uint32_t pairs, cost = text_cost(m, s, &pairs);
  return cost <= pairs * LANGUAGE_MEAN;
}

bool text_is_plausible(const struct text_model *m, struct str s)
{
  struct census k = count(s);
  if (k.broken * 50 > s.n || k.controls * 50 > s.n || s.n < 4) return false;
  if (s.n < 10) return text_is_language(m, s);
  return (k.letters + k.high + k.digits + k.blanks) * 10 >= s.n * 6;
}
