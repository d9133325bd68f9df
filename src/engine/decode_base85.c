/* Encodings of four bytes in five characters, and uuencode, which takes lines. Both use signs that no word has. */
#include "engine/decode_inside.h"

enum { TOKEN_MIN = 10, PROBE = 40, BYTE_NONE = 255 };

static const char z85[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
static const char git85[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

void alphabets_fill(struct alphabets *a)
{
  memset(a, BYTE_NONE, sizeof *a);
  for (unsigned i = 0; i < 85; i++) {
    a->value[0]['!' + i] = (uint8_t)i;
    a->value[1][(unsigned char)z85[i]] = (uint8_t)i;
    a->value[2][(unsigned char)git85[i]] = (uint8_t)i;
  }
  for (unsigned k = 0; k < 3; k++)
    for (unsigned c = 0; c < 256; c++) {
      a->rot13[k][c] = a->value[k][(unsigned char)turn_letter((char)c, DECODER_ROT13)];
      a->atbash[k][c] = a->value[k][(unsigned char)turn_letter((char)c, DECODER_ATBASH)];
    }
}

/* A group of n digits (2..5) gives n - 1 bytes; missing ones count as the highest. */
static bool put_group(struct buf *out, const uint8_t *digits, unsigned n)
{
  uint64_t v = 0;
  for (unsigned i = 0; i < 5; i++) v = v * 85 + (i < n ? digits[i] : 84);
  if (v > UINT32_MAX) return false;
  for (unsigned i = 0; i + 1 < n; i++) buf_byte(out, (char)(v >> (24 - 8 * i)));
  return true;
}

/* False at a byte that is no digit. Blanks are skipped; z is four zero bytes in ascii85, which no text has. */
static bool unpack85(struct buf *out, struct str s, const uint8_t *value)
{
  uint8_t group[5];
  unsigned n = 0;
  for (size_t i = 0; i < s.n; i++) {
    if (is_blank((unsigned char)s.p[i])) continue;
    group[n] = value[(unsigned char)s.p[i]];
    if (group[n] == BYTE_NONE) return false;
    if (++n < 5) continue;
    if (!put_group(out, group, 5)) return false;
    n = 0;
  }
  return n == 0 || (n > 1 && put_group(out, group, n));
}

/* Two groups tell of nearly everything that is no text that it is none. p: TOKEN_MIN digits, each step bytes behind the last, none blank. */
static bool may_begin(const char *p, ptrdiff_t step, const uint8_t *value)
{
  for (unsigned group = 0; group < TOKEN_MIN / 5; group++) {
    uint64_t v = 0;
    for (unsigned i = 0; i < 5; i++, p += step) {
      unsigned digit = value[(unsigned char)*p];
      if (digit == BYTE_NONE) return false;
      v = v * 85 + digit;
    }
    char bytes[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
    if (v > UINT32_MAX || !(group ? text_may_go_on(bytes, 4) : text_may_begin((struct str){bytes, 4}))) return false;
  }
  return true;
}

/* Text of which the probe's last character may be cut. */
static bool probe(struct decode_work *w, struct str s, const uint8_t *value, size_t at)
{
  w->out.n = at;
  if (!unpack85(&w->out, str_cut(s, 0, s.n < PROBE ? s.n : PROBE), value)) return false;
  if (s.n > PROBE) piece_trim(w, at);
  return piece_looks_right(w, at);
}

static bool take85(struct decode_work *w, const struct alphabets *a, size_t start, size_t end)
{
  struct str s = str_cut(w->in, start, end);
  size_t at = w->out.n;
  w->work += s.n;
  for (unsigned k = 0; k < 3; k++) {
    if (!may_begin(s.p, 1, a->value[k]) || !probe(w, s, a->value[k], at)) continue;
    w->out.n = at;
    if (!unpack85(&w->out, s, a->value[k]) || !piece_looks_right(w, at)) continue;
    piece_add(w, DECODER_BASE85, start, end, at, false);
    return true;
  }
  w->out.n = at;
  return false;
}

static bool take85_turned(struct decode_work *w, const struct alphabets *a, size_t start, size_t end, enum decoder_id how)
{
  struct str s = str_cut(w->in, start, end);
  size_t at = w->out.n;
  unsigned k = 0;
  buf_reset(&w->scratch);
  put_turned(&w->scratch, s, how);
  struct str turned = buf_str(&w->scratch);
  if (turned.n != s.n) return false;
  while (k < 3 && !(may_begin(turned.p, 1, a->value[k]) && probe(w, turned, a->value[k], at))) k++;
  w->out.n = at;
  if (k == 3) return false;
  if (!unpack85(&w->out, turned, a->value[k]) || !piece_looks_right(w, at)) {
    w->out.n = at;
    return false;
  }
  struct piece p = {.start = (uint32_t)start, .end = (uint32_t)end, .at = (uint32_t)at, .n_layers = 2};
  p.layers[0] = (uint8_t)how;
  p.layers[1] = DECODER_BASE85;
  piece_add_full(w, p);
  return true;
}

/* May a word begin so when it is turned round, or its letters are? */
static bool may_begin_turned(const struct alphabets *a, struct str s, enum decoder_id how)
{
  const uint8_t(*value)[256] = how == DECODER_ROT13 ? a->rot13 : how == DECODER_ATBASH ? a->atbash : a->value;
  const char *p = how == DECODER_REVERSED ? s.p + s.n - 1 : s.p;
  ptrdiff_t step = how == DECODER_REVERSED ? -1 : 1;
  return may_begin(p, step, value[0]) || may_begin(p, step, value[1]) || may_begin(p, step, value[2]);
}

/* The same for a word that was turned, or whose letters were. */
static void try85_turned(struct decode_work *w, const struct alphabets *a, size_t start, size_t end)
{
  enum { TURNED_MIN = 25 };
  static const enum decoder_id turns[] = {DECODER_REVERSED, DECODER_ROT13, DECODER_ATBASH};
  if (end - start < TURNED_MIN) return;
  w->work += end - start;
  for (unsigned i = 0; i < 3; i++)
    if (may_begin_turned(a, str_cut(w->in, start, end), turns[i]) && take85_turned(w, a, start, end, turns[i])) return;
}

/* Letters of both cases, digits and signs: ten characters of base85 have three of these. */
static bool is_mixed(struct str s)
{
  unsigned kinds = kinds_of(s);
  return kinds & IS_SIGN && !!(kinds & IS_UPPER) + !!(kinds & IS_LOWER) + !!(kinds & IS_DIGIT) >= 2;
}

/* The word [start, end), then without the quotation marks and full stops around it. */
static void take_word(struct decode_work *w, const struct alphabets *a, size_t start, size_t end)
{
  struct str s = w->in;
  if (end - start < TOKEN_MIN || !is_mixed(str_cut(s, start, end)) || take85(w, a, start, end)) return;
  size_t from = start, to = end;
  while (from < to && strchr("\"'`([", s.p[from])) from++;
  while (to > from && strchr("\"'`)].,;:", s.p[to - 1])) to--;
  if ((from != start || to != end) && to - from >= TOKEN_MIN && take85(w, a, from, to)) return;
  try85_turned(w, a, start, end);
}

/* The first word of at least TOKEN_MIN bytes, all ASCII, that begins in [i, end); i is not within a word. */
static size_t next_long_word(struct str s, size_t i, size_t end)
{
  while (i < end && i + TOKEN_MIN <= s.n) {
    size_t k = i + TOKEN_MIN;
    while (k > i && (unsigned char)s.p[k - 1] < 0x80 && !is_blank((unsigned char)s.p[k - 1])) k--;
    if (k == i) return i;
    i = k;
  }
  return end;
}

/* "<~ ... ~>", over any number of lines. Returns where it ends, or from. */
static size_t take_framed(struct decode_work *w, const struct alphabets *a, size_t from)
{
  struct str s = w->in;
  size_t end = str_find(str_cut(s, from, s.n), STR("~>"));
  if (end == (size_t)-1) return from;
  end += from;
  size_t at = w->out.n;
  w->work += end - from;
  if (unpack85(&w->out, str_cut(s, from + 2, end), a->value[0]) && piece_looks_right(w, at))
    piece_add(w, DECODER_BASE85, from, end + 2, at, false);
  else w->out.n = at;
  return end + 2;
}

void decode_base85(struct decode_work *w)
{
  const struct alphabets *a = &w->alphabets;
  struct str s = w->in;
  size_t i = 0;
  bool unframed = false; /* no end mark ahead: not to be looked for again */
  for (size_t r = 0; r < w->odd.n; r++) {
    if (w->odd.v[r].start > i) i = w->odd.v[r].start;
    bool framed = i < w->odd.v[r].end && memchr(s.p + i, '~', w->odd.v[r].end - i);
    while (i < w->odd.v[r].end) {
      if (!framed && (i = next_long_word(s, i, w->odd.v[r].end)) == w->odd.v[r].end) break;
      if (is_blank((unsigned char)s.p[i])) {
        i++;
        continue;
      }
      if (!unframed && i + 1 < s.n && s.p[i] == '<' && s.p[i + 1] == '~') {
        size_t end = take_framed(w, a, i);
        unframed = end == i;
        if (end > i) {
          i = end;
          continue;
        }
      }
      size_t end = i;
      while (end < s.n && !is_blank((unsigned char)s.p[end]) && !(s.p[end] & 0x80)) end++;
      take_word(w, a, i, end);
      i = end > i ? end : i + 1;
    }
  }
}

/* ---- uuencode ---------------------------------------------------------------------------------------------------- */

/* Decodes one line without its line end; false when it is none. Blanks at the end may have been lost. */
static bool uu_line(struct buf *out, struct str s)
{
  unsigned char first = s.n ? (unsigned char)s.p[0] : 0;
  if (first <= 32 || first > 96) return false;
  size_t n = (first - 32) & 63, digits = (n + 2) / 3 * 4;
  if (n == 0 || s.n > digits + 2 || s.n + 8 < digits + 1) return false;
  for (size_t i = 0, k = 0; k < n; i += 4) {
    unsigned v = 0;
    for (size_t j = 1; j <= 4; j++) {
      unsigned char c = i + j < s.n ? (unsigned char)s.p[i + j] : ' ';
      if (c < 32 || c > 96) return false;
      v = v << 6 | ((c - 32) & 63);
    }
    for (int shift = 16; shift >= 0 && k < n; shift -= 8, k++) buf_byte(out, (char)(v >> shift));
  }
  return true;
}

static size_t line_end(struct str s, size_t i)
{
  const char *p = memchr(s.p + i, '\n', s.n - i);
  return p ? (size_t)(p - s.p) : s.n;
}

/* Lines from i on for as long as they are uuencode; returns where the first that is not begins. */
static size_t take_uu(struct decode_work *w, size_t i)
{
  struct str s = w->in;
  size_t start = i, end = i, at = w->out.n;
  while (i < s.n) {
    size_t stop = line_end(s, i), before = w->out.n, text = stop;
    if (text > i && s.p[text - 1] == '\r') text--;
    if (!uu_line(&w->out, str_cut(s, i, text))) {
      w->out.n = before;
      break;
    }
    end = text;
    i = stop + 1;
  }
  if (end - start >= 8 && piece_looks_right(w, at)) piece_add(w, DECODER_UU, start, end, at, false);
  else w->out.n = at;
  return i < s.n ? i : s.n;
}

/* There are no small letters in it: lines of nearly all other texts have some among their first bytes, or are too short. */
bool uu_may_begin(struct str s, size_t i)
{
  unsigned char first = (unsigned char)s.p[i];
  if (first <= 32 || first > 96 || first == 96) return false;
  size_t k = i + 1, digits = (((first - 32u) & 63) + 2) / 3 * 4;
  for (; k < s.n && k < i + 12 && s.p[k] != '\n' && s.p[k] != '\r'; k++)
    if ((unsigned char)s.p[k] < 32 || (unsigned char)s.p[k] > 96) return false;
  return k == i + 12 || k - i + 8 > digits;
}

/* Of a block: bytes that begin a line and may begin one of uuencode, by its first four bytes or as many as it has. What is behind the block may be
 * any. */
static uint64_t uu_begins(struct str s, size_t i, size_t n)
{
  unsigned char pad[BLOCK_BYTES];
  const unsigned char *p = block_pad((const unsigned char *)s.p + i, n, pad);
  uint64_t ends = block_any(p, "\n\n\n\n") | block_any(p, "\r\r\r\r"),
           own = n < BLOCK_BYTES ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
  uint64_t first = i == 0 || s.p[i - 1] == '\n', begins = (block_any(p, "\n\n\n\n") << 1 | first) & own;
  uint64_t digits = block_uu(p), goes_on = digits | ends | ~own;
  uint64_t second = goes_on >> 1 | UINT64_C(1) << 63, third = (goes_on >> 2 | ends >> 1) | UINT64_C(3) << 62,
           fourth = (goes_on >> 3 | ends >> 2 | ends >> 1) | UINT64_C(7) << 61;
  return begins & digits & second & third & fourth;
}

/* Nothing in a line of uuencode is odd enough for the gate, but its first byte says how long it must be. */
void decode_uu(struct decode_work *w)
{
  struct str s = w->in;
  if (w->first_uu == SIZE_MAX) return;
  w->work += s.n - w->first_uu;
  for (size_t i = w->first_uu, done = i, n; i < s.n; i += n) {
    n = s.n - i < BLOCK_BYTES ? s.n - i : BLOCK_BYTES;
    for (uint64_t begins = uu_begins(s, i, n); begins; begins &= begins - 1) {
      size_t at = i + block_first(begins);
      if (at >= done && uu_may_begin(s, at)) done = take_uu(w, at);
    }
  }
}
