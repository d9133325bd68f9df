/*
 * Letters as numbers: character codes in decimal or octal, places in the alphabet, bits without anything between them. A list of numbers is taken for one of them
 * only where it makes language: numbers are what ordinary lists are full of.
 */
#include "engine/decode_inside.h"

enum {
  CODES_MIN = 8,   /* character codes that are worth a look */
  PLACES_MIN = 12, /* the same of places in the alphabet: small numbers are common */
  BITS_MIN = 40,
  GAP_MAX = 4, /* bytes between two numbers */
  LOOK = 8     /* of so many of the first gaps the most frequent stands between letters */
};

/* Numbers one after the other, from start to end of the text. */
struct numbers {
  size_t start, end, count;
  unsigned least, most;
  bool octal;        /* no digit is 8 or 9 */
  struct str letter; /* the gap between letters; another one parts words */
};

static bool parts(unsigned char c)
{
  return is_blank(c) || (c && strchr(",;:-/|._+)&", c));
}

/* Signs and blanks, and the call that makes a character of the next number. */
static size_t gap_at(struct str s, size_t i)
{
  static const struct str calls[] = {STR("chr("), STR("char(")};
  size_t n = 0;
  while (n < GAP_MAX && i + n < s.n && parts((unsigned char)s.p[i + n])) n++;
  for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
    if (i + n + calls[k].n < s.n && str_ieq(str_cut(s, i + n, i + n + calls[k].n), calls[k])) return n + calls[k].n;
  return n;
}

/* One to three digits that no letter or further digit follows; 0 for none. */
static size_t number_at(struct str s, size_t i, unsigned *value, bool *octal)
{
  size_t n = 0;
  *value = 0;
  for (; n < 4 && i + n < s.n && is_digit((unsigned char)s.p[i + n]); n++) {
    *value = *value * 10 + (unsigned)(s.p[i + n] - '0');
    *octal &= s.p[i + n] < '8';
  }
  bool ends = i + n == s.n || !(is_letter((unsigned char)s.p[i + n]) || (unsigned char)s.p[i + n] >= 0x80);
  return n < 4 && ends ? n : 0;
}

static struct str most_frequent(const struct str *gaps, size_t n)
{
  size_t best = 0, most = 0;
  for (size_t i = 0; i < n; i++) {
    size_t same = 0;
    for (size_t k = i; k < n; k++) same += str_eq(gaps[i], gaps[k]);
    if (same > most) most = same, best = i;
  }
  return n ? gaps[best] : (struct str){0};
}

static struct numbers read_numbers(struct str s, size_t i)
{
  struct numbers l = {.start = i, .end = i, .least = UINT32_MAX, .octal = true};
  struct str gaps[LOOK];
  size_t n, gap, n_gaps = 0;
  unsigned value;
  while ((n = number_at(s, i, &value, &l.octal)) > 0) {
    l.count++;
    l.end = i + n;
    if (value < l.least) l.least = value;
    if (value > l.most) l.most = value;
    if (!(gap = gap_at(s, l.end))) break;
    if (n_gaps < LOOK) gaps[n_gaps++] = str_cut(s, l.end, l.end + gap);
    i = l.end + gap;
  }
  l.letter = most_frequent(gaps, n_gaps);
  return l;
}

bool piece_has_words(struct decode_work *w, size_t at)
{
  enum { SURE = 16, WORD_MAX = 24 };
  struct str s = {w->out.p + at, w->out.n - at};
  size_t letters = 0, blanks = 0;
  for (size_t i = 0; i < s.n; i++) letters += is_letter((unsigned char)s.p[i]), blanks += s.p[i] == ' ';
  bool words = s.n >= SURE && (letters + blanks) * 10 >= s.n * 9 && blanks * WORD_MAX >= s.n;
  return words || piece_is_language(w, at);
}

/* The numbers as bytes; those of octal ones were read as decimal. */
static bool as_codes(struct decode_work *w, const struct numbers *l, bool octal)
{
  size_t at = w->out.n;
  unsigned value;
  bool any = true;
  w->work += l->end - l->start;
  for (size_t i = l->start; i < l->end; i += gap_at(w->in, i)) {
    i += number_at(w->in, i, &value, &any);
    buf_byte(&w->out, (char)(octal ? value / 100 * 64 + value / 10 % 10 * 8 + value % 10 : value));
  }
  if (!piece_has_words(w, at)) return false;
  piece_add(w, octal ? DECODER_OCTAL : DECODER_DECIMAL, l->start, l->end, at, false);
  return true;
}

static bool as_places(struct decode_work *w, const struct numbers *l)
{
  size_t at = w->out.n, gap;
  unsigned value;
  bool any = true;
  w->work += l->end - l->start;
  for (size_t i = l->start; i < l->end; i += gap) {
    i += number_at(w->in, i, &value, &any);
    buf_byte(&w->out, (char)('a' + value - 1));
    gap = gap_at(w->in, i);
    if (i < l->end && !str_eq(str_cut(w->in, i, i + gap), l->letter)) buf_byte(&w->out, ' ');
  }
  if (!piece_is_language(w, at)) return false;
  piece_add(w, DECODER_PLACES, l->start, l->end, at, false);
  return true;
}

static size_t take_numbers(struct decode_work *w, size_t i)
{
  struct numbers l = read_numbers(w->in, i);
  w->work += l.end - i;
  bool printable = l.least >= '\t' && l.most <= 255 && l.count >= CODES_MIN;
  if (l.count >= PLACES_MIN && l.least >= 1 && l.most <= 26 && as_places(w, &l)) return l.end;
  if (printable && l.most > 26 && as_codes(w, &l, false)) return l.end;
  if (l.octal && l.least >= 11 && l.most <= 377 && l.count >= CODES_MIN) as_codes(w, &l, true);
  return l.end;
}

size_t number_start(struct str s, size_t i)
{
  i = i > BLOCK ? i - BLOCK : 0;
  while (i > 0 && !is_letter((unsigned char)s.p[i - 1]) && !(s.p[i - 1] & 0x80)) i--;
  return i;
}

void decode_numbers(struct decode_work *w)
{
  struct str s = w->in;
  if (!(w->signs & SIGN_NUMBERS)) return;
  w->work += s.n - w->first_number;
  for (size_t i = w->first_number, n, done = 0; i < s.n; i += n) {
    unsigned char pad[BLOCK_BYTES];
    n = s.n - i < BLOCK_BYTES ? s.n - i : BLOCK_BYTES;
    const unsigned char *p = block_pad((const unsigned char *)s.p + i, n, pad);
    uint64_t begins = block_digits(p) & ~(block_words(p) << 1);
    for (; begins; begins &= begins - 1) {
      size_t at = i + block_first(begins);
      if (at < done || (at && (is_letter((unsigned char)s.p[at - 1]) || is_digit((unsigned char)s.p[at - 1])))) continue;
      size_t end = take_numbers(w, at);
      done = end > at ? end : at + 1;
    }
  }
}

/* ---- bits -------------------------------------------------------------------------------------------------------- */

/* Eights of bits without anything between them, from i to end. */
static void take_bits(struct decode_work *w, size_t i, size_t end)
{
  size_t start = i, at = w->out.n;
  if (end - i < BITS_MIN || (end - i) % 8) return;
  for (; i < end; i += 8) {
    unsigned c = 0;
    for (unsigned k = 0; k < 8; k++) c = c << 1 | (w->in.p[i + k] == '1');
    buf_byte(&w->out, (char)c);
  }
  if (piece_looks_right(w, at)) piece_add(w, DECODER_BINARY, start, end, at, false);
}

void decode_bits(struct decode_work *w)
{
  size_t i = 0;
  if (!(w->signs & SIGN_DIGITS)) return;
  for (size_t r = 0; r < w->odd.n; r++) {
    if (w->odd.v[r].start > i) i = w->odd.v[r].start;
    w->work += w->odd.v[r].end > i ? w->odd.v[r].end - i : 0;
    while (i < w->odd.v[r].end) {
      size_t start = i;
      while (i < w->in.n && (w->in.p[i] == '0' || w->in.p[i] == '1')) i++;
      bool alone =
          (start == 0 || !is_digit((unsigned char)w->in.p[start - 1])) && (i == w->in.n || !is_digit((unsigned char)w->in.p[i]));
      if (i > start && alone) take_bits(w, start, i);
      i += i == start;
    }
  }
}
