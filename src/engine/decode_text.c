/* What letter pairs cost, and the tests of decoded text; see decode_text.h. Depends on the letters alone, never on a locale. */
#include "engine/decode_text.h"
#include <utf8proc.h>

enum {
  COMMON = 40, /* a pair that costs no more is not odd at all */
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
  case '\\': return b == 'x' || b == 'u' || b == 'U' || (b >= '0' && b <= '3') ? MARK_ESCAPE : MARK_KINDS;
  case '=': return digit || (b >= 'A' && b <= 'F') ? MARK_QUOTED : MARK_KINDS;
  case '0': return b == 'x' || b == 'X' ? MARK_ZERO_X : MARK_KINDS;
  case 'U': return b == '+' ? MARK_U_PLUS : MARK_KINDS;
  case '.': return b == '-' || b == '_' ? MARK_DOT_DASH : MARK_KINDS;
  case '-':
  case '_': return b == '.' ? MARK_DOT_DASH : MARK_KINDS;
  default: return MARK_KINDS;
  }
}

unsigned text_pair_cost(unsigned x, unsigned y)
{
  return (unsigned)-bigrams[x][y];
}

unsigned text_oddness(const struct text_model *m, unsigned x, unsigned y)
{
  unsigned cost = m->cost[x][y];
  return (x || y) && cost > COMMON ? (cost - COMMON) / (x && y ? 4 : 8) : 0;
}

static unsigned oddness(const struct text_model *m, unsigned a, unsigned b)
{
  unsigned x = m->letter[a], y = m->letter[b], odd = text_oddness(m, x, y);
  if (mark_begins((unsigned char)a, (unsigned char)b) != MARK_KINDS) return ODD_MARK;
  if (x && y && !capital(a) && capital(b)) odd += ODD_CAPITAL;
  if (a >= '0' && a <= '9' && y) odd += ODD_DIGIT;
  return odd;
}

void text_model_init(struct text_model *m)
{
  memset(m, 0, sizeof *m);
  for (unsigned c = 0; c < 26; c++) m->letter['a' + c] = m->letter['A' + c] = (uint8_t)(c + 1);
  for (unsigned a = 0; a < 27; a++)
    for (unsigned b = 0; b < 27; b++) m->cost[a][b] = (uint8_t)text_pair_cost(a, b);
  for (unsigned a = 0; a < 256; a++)
    for (unsigned b = 0; b < 256; b++)
      m->odd[pair_index((unsigned char[]){(unsigned char)a, (unsigned char)b})] = (uint16_t)oddness(m, a, b);
  gate_tables_fill(m);
  m->read = gate_path(NULL);
}

/* ---- tests of decoded text ----------------------------------------------------------------------------------------- */

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
