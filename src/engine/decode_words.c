/* Encodings of letters as signs or words: Morse, Braille, the NATO spelling alphabet, letters and words set apart. */
#include "engine/decode_inside.h"

enum { LETTERS_MIN = 5 };

/* ---- letters set apart ------------------------------------------------------------------------------------------- */

static size_t char_length(unsigned char c)
{
  return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* Emoji, arrows, boxes, bullets and dashes beyond ASCII: the bytes of one at i, or 0. */
static size_t sign_at(struct str s, size_t i)
{
  unsigned char a = (unsigned char)s.p[i], b = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0,
                c = i + 2 < s.n ? (unsigned char)s.p[i + 2] : 0;
  if (a == 0xC2) return b == 0xB7 ? 2 : 0;
  if (a == 0xE2) return b == 0x80 || (b >= 0x86 && b <= 0x9E) || b == 0xAC || b == 0xAD ? 3 : 0;
  if (a == 0xF0) return b == 0x9F && c >= 0x8C ? 4 : 0;
  return 0;
}

/* Does a letter or a digit, of whatever script, begin at i? */
static bool set_apart(struct str s, size_t i)
{
  unsigned char c = (unsigned char)s.p[i];
  return is_letter(c) || is_digit(c) || (c >= 0x80 && !sign_at(s, i));
}

/* A single character at i, or, where blanks part them, any sign: its length; 0 for none. */
static size_t single(struct str s, size_t i, bool blanks)
{
  if (i >= s.n || is_blank((unsigned char)s.p[i]) || (!blanks && !set_apart(s, i))) return 0;
  size_t n = char_length((unsigned char)s.p[i]);
  if (i + n > s.n) return 0;
  bool alone = i + n == s.n || is_blank((unsigned char)s.p[i + n]) || (!blanks && !set_apart(s, i + n));
  return alone ? n : 0;
}

/* What stands between two single characters: signs and blanks. */
static struct str separator_at(struct str s, size_t i)
{
  enum { MOST = 8 };
  size_t n = 0;
  while (n < MOST && i + n < s.n && !set_apart(s, i + n)) {
    size_t sign = sign_at(s, i + n);
    n += sign ? sign : 1;
  }
  return str_cut(s, i, i + n < s.n ? i + n : s.n);
}

/* Of a run of single characters from i on: the shortest of the first separators, of equal ones the last. A gap between words is longer. */
static struct str separator_of(struct str s, size_t i)
{
  enum { LOOK = 3 };
  struct str best = {0};
  for (unsigned k = 0; k < LOOK && i < s.n; k++) {
    i += char_length((unsigned char)s.p[i]);
    struct str one = i < s.n ? separator_at(s, i) : (struct str){0};
    if (!one.n) break;
    if (!best.n || one.n <= best.n) best = one;
    i += one.n;
    for (unsigned more = 0; more < 8 && i < s.n && !set_apart(s, i); more++) i++;
  }
  return best;
}

/* Skips one separator, and then what makes it a gap between words; false when there is no separator. */
static bool skip_separator(struct str s, size_t *i, struct str separator, bool *gap)
{
  size_t at = *i, more = 0;
  bool whole = at + separator.n <= s.n && memcmp(s.p + at, separator.p, separator.n) == 0;
  if (whole) at += separator.n;
  for (; at < s.n && more < 8 && (is_blank((unsigned char)s.p[at]) || memchr(separator.p, s.p[at], separator.n)); at++) more++;
  *gap = more > 0;
  *i = at;
  return whole || more;
}

/* A run of single characters with the same separator between them; where there is more than it, a word ends. */
static size_t take_spaced(struct decode_work *w, size_t i)
{
  struct str s = w->in;
  size_t start = i, end = i, at = w->out.n, letters = 0, digits = 0, all = 0, n;
  struct str separator = separator_of(s, i);
  bool blanks = true, gap = false;
  for (size_t k = 0; k < separator.n; k++) blanks &= is_blank((unsigned char)separator.p[k]);
  if (!separator.n) return i;
  while ((n = single(s, i, blanks)) > 0) {
    if (gap) buf_byte(&w->out, ' ');
    buf_put(&w->out, str_cut(s, i, i + n));
    letters += is_letter((unsigned char)s.p[i]) || n > 1;
    digits += is_digit((unsigned char)s.p[i]);
    all++;
    end = i += n;
    if (!skip_separator(s, &i, separator, &gap)) break;
  }
  /* A formula is signs between single letters. */
  if (letters >= LETTERS_MIN && (letters + digits) * 5 >= all * 3) piece_add(w, DECODER_SPACED, start, end, at, false);
  else w->out.n = at;
  return end;
}

/* May a run of single characters begin at i? */
static bool begins_spaced(struct str s, size_t i)
{
  size_t n = char_length((unsigned char)s.p[i]);
  return i + n < s.n && set_apart(s, i) && !set_apart(s, i + n);
}

/* Of a block the bytes of letters and digits; *before: is the byte before it one of them? Characters may lie across its ends. */
static uint64_t word_bytes(struct str s, size_t i, size_t n, const unsigned char *p, bool *before)
{
  uint64_t words = block_words(p), leads = block_high(p) & block_any(p, "\xC2\xE2\xF0\xF0");
  *before = i && (is_letter((unsigned char)s.p[i - 1]) || is_digit((unsigned char)s.p[i - 1]) || s.p[i - 1] & 0x80);
  for (size_t back = 1; back < 4 && back <= i; back++) {
    size_t sign = sign_at(s, i - back);
    if (sign >= back) *before = false;
    if (sign > back) words &= UINT64_MAX << (sign - back);
  }
  for (; leads; leads &= leads - 1) {
    unsigned at = block_first(leads);
    size_t sign = at < n ? sign_at(s, i + at) : 0;
    if (sign) words &= ~(((UINT64_C(1) << sign) - 1) << at);
  }
  return words;
}

/* Of a block: characters of words that begin one and may be all of it: of one byte, or not ASCII in a word of at most four. */
static uint64_t singles(struct str s, size_t i, size_t n)
{
  unsigned char pad[BLOCK_BYTES];
  const unsigned char *p = block_pad((const unsigned char *)s.p + i, n, pad);
  bool first;
  uint64_t words = word_bytes(s, i, n, p, &first), before = words << 1 | first;
  uint64_t after = words >> 1 | (uint64_t)(i + n < s.n && set_apart(s, i + n)) << (n - 1);
  uint64_t longer = words >> 2 & words >> 3 & words >> 4;
  return words & ~before & (~after | (block_high(p) & ~longer));
}

/* "Two\xF0\x9F\x99\x82words\xF0\x9F\x99\x82and more": words with the same emoji between them, from the first of these on. Returns where they end. */
static size_t take_words(struct decode_work *w, size_t i)
{
  enum { WORDS_MIN = 4, WORD_MAX = 32, SIGN = 4 };
  struct str s = w->in, sign = str_cut(s, i, i + SIGN);
  size_t start = i, end = i, at = w->out.n, words = 1;
  while (start > 0 && is_blank((unsigned char)s.p[start - 1]) && i - start < 2) start--;
  while (start > 0 && i - start < WORD_MAX && (is_letter((unsigned char)s.p[start - 1]) || s.p[start - 1] == '\'')) start--;
  buf_put(&w->out, str_cut(s, start, i));
  while (i + SIGN <= s.n && memcmp(s.p + i, sign.p, SIGN) == 0) {
    for (; i + SIGN <= s.n && memcmp(s.p + i, sign.p, SIGN) == 0; i += SIGN) {
    }
    while (i < s.n && s.p[i] == ' ') i++;
    size_t from = i;
    while (i < s.n && i - from < WORD_MAX && !is_blank((unsigned char)s.p[i]) && !sign_at(s, i)) i++;
    if (i == from) break;
    buf_byte(&w->out, ' ');
    buf_put(&w->out, str_cut(s, from, i));
    words++;
    end = i;
    while (i < s.n && s.p[i] == ' ') i++;
  }
  if (words >= WORDS_MIN) piece_add(w, DECODER_SPACED, start, end, at, false);
  else w->out.n = at;
  return i;
}

/* Emoji are of four bytes. */
static void words_apart(struct decode_work *w)
{
  struct str s = w->in;
  for (size_t i = 0; i < s.n;) {
    const char *p = memchr(s.p + i, 0xF0, s.n - i);
    if (!p) return;
    size_t at = (size_t)(p - s.p);
    i = sign_at(s, at) ? take_words(w, at) : at;
    if (i == at) i++;
  }
}

void decode_spaced(struct decode_work *w)
{
  struct str s = w->in;
  if (!(w->signs & (SIGN_SPACED | SIGN_HIGH))) return; /* the gate knows no single letters but those of ASCII */
  w->work += s.n;
  for (size_t i = 0, n, done = 0; i < s.n; i += n) {
    n = s.n - i < BLOCK_BYTES ? s.n - i : BLOCK_BYTES;
    if (!(w->signs & SIGN_SPACED) && next_high(str_cut(s, 0, i + n), i) == i + n) continue; /* those of ASCII the gate has seen */
    for (uint64_t may = singles(s, i, n); may; may &= may - 1) {
      size_t at = i + block_first(may);
      if (at < done || !begins_spaced(s, at)) continue;
      size_t end = take_spaced(w, at);
      if (end > at) done = end;
    }
  }
  if (w->signs & SIGN_HIGH) words_apart(w);
}

/* ---- Morse ------------------------------------------------------------------------------------------------------- */

/* Letters, digits and signs by their code: a 1, then a bit for each mark, 1 for a dash. */
static char morse_letter(unsigned code)
{
  static const char by_code[] = "??etianmsurwdkgohvf?l?pjbxcyzq??54?3???2??+????16=/?????7???8?90";
  if (code < sizeof by_code - 1) return by_code[code] == '?' ? 0 : by_code[code];
  switch (code) {
  case 0x4C: return '?';  /* ..--.. */
  case 0x55: return '.';  /* .-.-.- */
  case 0x73: return ',';  /* --..-- */
  case 0x6B: return '!';  /* -.-.-- */
  case 0x5E: return '\''; /* .----. */
  case 0x61: return '-';  /* -....- */
  case 0x78: return ':';  /* ---... */
  case 0x52: return '"';  /* .-..-. */
  default: return 0;
  }
}

/* 1 for a dot, 2 for a dash, in the signs that people use; *n: bytes. */
static unsigned morse_mark(struct str s, size_t i, size_t *n)
{
  static const struct {
    char sign[4];
    unsigned mark;
  } marks[] = {{"\xE2\x80\xA2", 1}, {"\xE2\x8B\x85", 1}, {"\xE2\x80\x93", 2}, {"\xE2\x80\x94", 2}, {"\xE2\x88\x92", 2}};
  *n = 1;
  if (i >= s.n) return 0;
  switch ((unsigned char)s.p[i]) {
  case '.': return 1;
  case '-':
  case '_': return 2;
  case 0xC2: *n = 2; return i + 2 <= s.n && (unsigned char)s.p[i + 1] == 0xB7;
  case 0xE2: break;
  default: return 0;
  }
  *n = 3;
  for (size_t k = 0; k < sizeof marks / sizeof *marks && i + 3 <= s.n; k++)
    if (s.p[i + 1] == marks[k].sign[1] && s.p[i + 2] == marks[k].sign[2]) return marks[k].mark;
  return 0;
}

/* One letter at *i; 0 when it is none. */
static char take_morse_letter(struct str s, size_t *i)
{
  unsigned code = 1, mark;
  size_t n, at = *i;
  while (code < 256 && (mark = morse_mark(s, at, &n)) > 0) {
    code = code << 1 | (mark - 1);
    at += n;
  }
  if (at < s.n && !is_blank((unsigned char)s.p[at]) && s.p[at] != '/' && s.p[at] != '|') return 0;
  *i = at;
  return code > 1 ? morse_letter(code) : 0;
}

static bool may_stand_before(unsigned char c)
{
  return is_blank(c) || !c || c == ':' || c == '"' || c == '\'' || c == '`' || c == '(' || c == '/';
}

static size_t take_morse(struct decode_work *w, size_t i)
{
  struct str s = w->in;
  size_t start = i, end = i, at = w->out.n, letters = 0;
  for (char c; (c = take_morse_letter(s, &i)) != 0; letters++) {
    buf_byte(&w->out, c);
    end = i;
    size_t blanks = 0, slashes = 0;
    for (; i < s.n && blanks < 8 && (is_blank((unsigned char)s.p[i]) || s.p[i] == '/' || s.p[i] == '|'); blanks++, i++)
      slashes += s.p[i] == '/' || s.p[i] == '|' || s.p[i] == '\n';
    if (slashes || blanks > 1) buf_byte(&w->out, ' ');
  }
  if (letters >= LETTERS_MIN && piece_looks_right(w, at)) piece_add(w, DECODER_MORSE, start, end, at, false);
  else w->out.n = at;
  return end;
}

/* Two marks side by side: dashes and dots of prose stand alone. Of those in ASCII the gate has seen them. */
static bool marks_around(struct str s, char lead)
{
  size_t n, m;
  for (size_t i = 0; i < s.n;) {
    const char *p = memchr(s.p + i, lead, s.n - i);
    if (!p) return false;
    i = (size_t)(p - s.p);
    if (!morse_mark(s, i, &n)) {
      i++;
      continue;
    }
    if (i && s.p[i - 1] == '.') return true;
    if (i + n < s.n && (s.p[i + n] != lead || lead & 0x80) && morse_mark(s, i + n, &m)) return true;
    i += n;
  }
  return false;
}

void decode_morse(struct decode_work *w)
{
  struct str s = w->in;
  size_t n;
  if (w->first[MARK_DOT_DASH] == SIZE_MAX && !(w->signs & SIGN_HIGH && (marks_around(s, '\xE2') || marks_around(s, '\xC2'))))
    return;
  w->work += s.n;
  for (size_t i = 0, end, done = 0; i < s.n; i += end) {
    unsigned char pad[BLOCK_BYTES];
    end = s.n - i < BLOCK_BYTES ? s.n - i : BLOCK_BYTES;
    const unsigned char *p = block_pad((const unsigned char *)s.p + i, end, pad);
    for (uint64_t may = block_any(p, "-._\xE2") | block_any(p, "\xC2\xC2\xC2\xC2"); may; may &= may - 1) {
      size_t at = i + block_first(may);
      if (at < done || (at && !may_stand_before((unsigned char)s.p[at - 1])) || !morse_mark(s, at, &n)) continue;
      size_t stop = take_morse(w, at);
      done = stop > at ? stop : at + 1;
    }
  }
}

/* ---- Braille ----------------------------------------------------------------------------------------------------- */

/* The pattern (dots 1-6 as bits) of a..z. */
static const unsigned char braille[26] = {0x01, 0x03, 0x09, 0x19, 0x11, 0x0B, 0x1B, 0x13, 0x0A, 0x1A, 0x05, 0x07, 0x0D,
                                          0x1D, 0x15, 0x0F, 0x1F, 0x17, 0x0E, 0x1E, 0x25, 0x27, 0x3A, 0x2D, 0x3D, 0x35};

static char braille_letter(unsigned dots)
{
  if (dots == 0) return ' ';
  for (unsigned c = 0; c < 26; c++)
    if (braille[c] == dots) return (char)('a' + c);
  switch (dots) {
  case 0x02: return ',';
  case 0x32: return '.';
  case 0x26: return '?';
  case 0x16: return '!';
  case 0x04: return '\'';
  case 0x24: return '-';
  case 0x12: return ':';
  case 0x06: return ';';
  default: return 0; /* capital and number signs among them: they are left out */
  }
}

static bool braille_at(struct str s, size_t i, unsigned *dots)
{
  if (i + 3 > s.n || (unsigned char)s.p[i] != 0xE2) return false;
  unsigned a = (unsigned char)s.p[i + 1], b = (unsigned char)s.p[i + 2];
  *dots = (a - 0xA0) << 6 | (b & 0x3F);
  return a >= 0xA0 && a <= 0xA3;
}

/* Letters after a number sign are digits until a blank. */
static void put_braille(struct decode_work *w, unsigned dots, bool *number)
{
  char c = braille_letter(dots & 0x3F);
  if (dots == 0x3C) *number = true;
  else if (!c || !is_letter((unsigned char)c)) *number = false;
  if (*number && c >= 'a' && c <= 'j') c = c == 'j' ? '0' : (char)(c - 'a' + '1');
  if (c) buf_byte(&w->out, c);
}

static size_t take_braille(struct decode_work *w, size_t i)
{
  struct str s = w->in;
  size_t start = i, end = i, at = w->out.n;
  unsigned dots;
  bool number = false;
  for (;;) {
    if (braille_at(s, i, &dots)) {
      put_braille(w, dots, &number);
      end = i += 3;
    } else if (i < s.n && is_blank((unsigned char)s.p[i]) && i == end) {
      buf_byte(&w->out, s.p[i++]);
    } else {
      break;
    }
  }
  w->out.n -= i - end;
  if (w->out.n >= at + LETTERS_MIN && piece_looks_right(w, at)) piece_add(w, DECODER_BRAILLE, start, end, at, false);
  else w->out.n = at;
  return end;
}

void decode_braille(struct decode_work *w)
{
  struct str s = w->in;
  unsigned dots;
  if (!(w->signs & SIGN_HIGH)) return;
  w->work += s.n;
  for (size_t i = 0; i < s.n;) {
    const char *p = memchr(s.p + i, 0xE2, s.n - i);
    if (!p) return;
    i = (size_t)(p - s.p);
    i = braille_at(s, i, &dots) ? take_braille(w, i) : i + 1;
  }
}

/* ---- the spelling alphabet --------------------------------------------------------------------------------------- */

static const struct str nato[] = {STR("alpha"),  STR("bravo"),    STR("charlie"), STR("delta"),   STR("echo"),    STR("foxtrot"),
                                  STR("golf"),   STR("hotel"),    STR("india"),   STR("juliett"), STR("kilo"),    STR("lima"),
                                  STR("mike"),   STR("november"), STR("oscar"),   STR("papa"),    STR("quebec"),  STR("romeo"),
                                  STR("sierra"), STR("tango"),    STR("uniform"), STR("victor"),  STR("whiskey"), STR("xray"),
                                  STR("yankee"), STR("zulu")};
static const struct {
  struct str word;
  char c;
} nato_also[] = {{STR("alfa"), 'a'}, {STR("juliet"), 'j'}, {STR("x-ray"), 'x'}, {STR("whisky"), 'w'}};
static const struct str nato_digits[] = {STR("zero"), STR("one"), STR("two"),   STR("three"), STR("four"),
                                         STR("five"), STR("six"), STR("seven"), STR("eight"), STR("nine")};

static char nato_letter(struct str word)
{
  unsigned first = word.n >= 4 ? ((unsigned char)word.p[0] | 32u) - 'a' : 26;
  if (first < 26 && str_ieq(word, nato[first])) return (char)('a' + first);
  for (size_t i = 0; i < sizeof nato_also / sizeof *nato_also; i++)
    if (str_ieq(word, nato_also[i].word)) return nato_also[i].c;
  return 0;
}

static char nato_char(struct str word)
{
  char c = nato_letter(word);
  for (size_t i = 0; !c && i < 10; i++)
    if (str_ieq(word, nato_digits[i])) c = (char)('0' + i);
  return c;
}

static struct str spelled_word(struct str s, size_t i)
{
  size_t end = i;
  while (end < s.n && end - i < 10 && (is_letter((unsigned char)s.p[end]) || s.p[end] == '-')) end++;
  while (end > i && s.p[end - 1] == '-') end--;
  /* "india-golf": only x-ray has a hyphen of its own. */
  for (size_t k = i; k < end; k++)
    if (s.p[k] == '-' && (s.p[i] | 32) != 'x') end = k;
  return str_cut(s, i, end);
}

static size_t take_nato(struct decode_work *w, size_t i)
{
  struct str s = w->in;
  size_t start = i, end = i, at = w->out.n, letters = 0;
  for (;;) {
    struct str word = spelled_word(s, i);
    char c = nato_char(word);
    if (!c) break;
    buf_byte(&w->out, c);
    letters++;
    end = i += word.n;
    size_t gap = 0, wide = 0;
    for (; i < s.n && gap < 12 && s.p[i] && strchr(" \t\r\n,;.:/|-_+", s.p[i]); gap++, i++)
      wide += (s.p[i] == '/' || s.p[i] == '|' || s.p[i] == '.' || s.p[i] == ';' || s.p[i] == '\n') ? 2 : s.p[i] == ' ';
    if (wide > 1) buf_byte(&w->out, ' ');
  }
  if (letters >= LETTERS_MIN) piece_add(w, DECODER_NATO, start, end, at, false);
  else w->out.n = at;
  return end;
}

bool nato_at(struct str s, size_t i)
{
  return i + 4 <= s.n && is_letter((unsigned char)s.p[i]) && nato_may_begin(s.p + i) && nato_letter(spelled_word(s, i)) != 0;
}

void decode_nato(struct decode_work *w)
{
  struct str s = w->in;
  if (!w->spelled) return;
  w->work += s.n;
  for (size_t i = 0, n, done = 0; i < s.n; i += n) {
    unsigned char pad[BLOCK_BYTES];
    n = s.n - i < BLOCK_BYTES ? s.n - i : BLOCK_BYTES;
    uint64_t letters = block_letters(block_pad((const unsigned char *)s.p + i, n, pad));
    uint64_t starts = letters & ~(letters << 1 | (i && is_letter((unsigned char)s.p[i - 1])));
    for (; starts; starts &= starts - 1) {
      size_t at = i + block_first(starts);
      if (at >= done && nato_at(s, at)) done = take_nato(w, at);
    }
  }
}
