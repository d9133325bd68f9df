/*
 * Encodings of bytes that are marked one by one: backslash escapes, percent, character references, quoted-printable, lists of
 * hexadecimal or binary numbers. A run of marks is one piece, so the words around it keep their place.
 *
 * A run counts only if it holds something that matters: marks that stand for letters or blanks. A lone reference for a quotation mark or a
 * backslash-n does not make a text worth reading twice.
 */
#include "engine/decode_inside.h"

#define KINDS(c)                                                                                                                 \
  (((c) >= 'A' && (c) <= 'Z' ? IS_UPPER : 0) | ((c) >= 'a' && (c) <= 'z' ? IS_LOWER : 0) |                                       \
   ((c) >= '0' && (c) <= '9' ? IS_DIGIT | IS_HEX | IS_LEET : 0) | (((c) | 32) >= 'a' && ((c) | 32) <= 'f' ? IS_HEX : 0) |        \
   (ALNUM(c) || (c) == '+' || (c) == '-' || (c) == '/' || (c) == '_' ? IS_BASE64 : 0) |                                          \
   ((c) == '@' || (c) == '$' || (c) == '!' || (c) == '|' || (c) == '+' ? IS_LEET : 0) |                                          \
   ((c) > ' ' && (c) < 0x7f && !ALNUM(c) ? IS_SIGN : 0))
#define ALNUM(c) (((c) >= '0' && (c) <= '9') || (((c) | 32) >= 'a' && ((c) | 32) <= 'z'))
#define FOUR(c)  KINDS(c), KINDS((c) + 1), KINDS((c) + 2), KINDS((c) + 3)
#define ROW(c)   FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
const uint8_t byte_kinds[256] = {ROW(0x00), ROW(0x10), ROW(0x20), ROW(0x30), ROW(0x40), ROW(0x50), ROW(0x60), ROW(0x70)};

/* Reads one mark at s[i]; returns its length and the code point, or 0. */
typedef size_t mark_fn(struct str s, size_t i, uint32_t *out);

struct run {
  enum decoder_id id;
  char lead; /* every mark begins with it */
  mark_fn *mark;
  bool bytes; /* values below 256 are bytes, not code points */
};

void put_utf8(struct buf *b, uint32_t c)
{
  char u[4];
  size_t n = 1;
  if (c >= 0x110000 || (c >= 0xD800 && c < 0xE000)) c = 0xFFFD;
  if (c < 0x80) {
    u[0] = (char)c;
  } else if (c < 0x800) {
    u[0] = (char)(0xC0 | c >> 6);
    n = 2;
  } else if (c < 0x10000) {
    u[0] = (char)(0xE0 | c >> 12);
    n = 3;
  } else {
    u[0] = (char)(0xF0 | c >> 18);
    n = 4;
  }
  for (size_t i = 1; i < n; i++) u[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3F));
  buf_put(b, (struct str){u, n});
}

static bool matters(uint32_t c)
{
  return c >= 0x80 || c == ' ' || (c < 0x80 && (is_letter((unsigned char)c) || is_digit((unsigned char)c)));
}

/* Nested marks of the same kind: the mark stands for the lead of another. */
static bool leads_again(const struct run *r, uint32_t c, struct str s, size_t next)
{
  return c == (unsigned char)r->lead && next < s.n &&
         (is_letter((unsigned char)s.p[next]) || is_digit((unsigned char)s.p[next]) || s.p[next] == '#');
}

/* From the mark at i on, marks with at most GAP other bytes between them. Returns where the run ends. */
static size_t take_run(struct decode_work *w, const struct run *r, size_t i)
{
  enum { GAP = 24 };
  struct str s = w->in;
  size_t start = i, end = i, at = w->out.n, marked = 0, n;
  uint32_t c;
  bool wanted = false;
  for (; (n = r->mark(s, i, &c)) > 0; marked += n) {
    buf_put(&w->out, str_cut(s, end, i));
    if (r->bytes && c < 256) buf_byte(&w->out, (char)c);
    else put_utf8(&w->out, c);
    i = end = i + n;
    wanted |= matters(c) || leads_again(r, c, s, end);
    size_t stop = end + GAP < s.n ? end + GAP : s.n;
    while (i < stop && s.p[i] != r->lead && !is_blank((unsigned char)s.p[i])) i++;
    if (i >= stop || s.p[i] != r->lead) break;
  }
  /* Where nearly all is marked, the marks must make sense by themselves. */
  bool dense = marked >= 9 && marked * 4 > (end - start) * 3;
  bool kept = wanted && (dense ? piece_looks_right(w, at) : text_is_utf8((struct str){w->out.p + at, w->out.n - at}));
  if (kept) piece_add(w, r->id, start, end, at, false);
  else w->out.n = at;
  return end;
}

static void take_runs(struct decode_work *w, const struct run *r, enum mark_kind kind)
{
  struct str s = w->in;
  if (w->first[kind] == SIZE_MAX) return;
  w->work += s.n - w->first[kind];
  for (size_t i = w->first[kind]; i < s.n;) {
    const char *p = memchr(s.p + i, r->lead, s.n - i);
    if (!p) return;
    i = (size_t)(p - s.p);
    uint32_t c;
    if (r->mark(s, i, &c)) i = take_run(w, r, i);
    else i++;
  }
}

/* Up to max hexadecimal digits from i on. */
static size_t hex_digits(struct str s, size_t i, size_t max, uint32_t *out)
{
  size_t n = 0;
  *out = 0;
  for (; n < max && i + n < s.n && hex_value((unsigned char)s.p[i + n]) >= 0; n++)
    *out = *out << 4 | (uint32_t)hex_value((unsigned char)s.p[i + n]);
  return n;
}

/* ---- marks ------------------------------------------------------------------------------------------------------- */

static size_t mark_percent(struct str s, size_t i, uint32_t *out)
{
  return hex_digits(s, i + 1, 2, out) == 2 ? 3 : 0;
}

/* Capitals only, as RFC 2045 wants it: "x=fa" is no mark. */
static size_t mark_quoted(struct str s, size_t i, uint32_t *out)
{
  if (hex_digits(s, i + 1, 2, out) != 2) return 0;
  return s.p[i + 1] < 'a' && s.p[i + 2] < 'a' ? 3 : 0;
}

static size_t mark_braced(struct str s, size_t i, uint32_t *out)
{
  size_t n = hex_digits(s, i + 3, 6, out);
  return n && i + 3 + n < s.n && s.p[i + 3 + n] == '}' ? n + 4 : 0;
}

/* A surrogate is half a character; its other half follows. */
static size_t mark_u(struct str s, size_t i, uint32_t *out)
{
  uint32_t low;
  if (hex_digits(s, i + 2, 4, out) != 4) return 0;
  if (*out < 0xD800 || *out >= 0xDC00) return 6;
  if (i + 12 > s.n || s.p[i + 6] != '\\' || s.p[i + 7] != 'u' || hex_digits(s, i + 8, 4, &low) != 4) return 6;
  if (low < 0xDC00 || low >= 0xE000) return 6;
  *out = 0x10000 + ((*out - 0xD800) << 10) + (low - 0xDC00);
  return 12;
}

/* Three of them, of a byte: \101. */
static bool octal_digits(struct str s, size_t i, uint32_t *out)
{
  *out = 0;
  for (size_t k = 0; k < 3; k++) {
    char c = i + k < s.n ? s.p[i + k] : 0;
    if (c < '0' || c > (k ? '7' : '3')) return false;
    *out = *out << 3 | (uint32_t)(c - '0');
  }
  return true;
}

static size_t mark_escape(struct str s, size_t i, uint32_t *out)
{
  if (i + 3 >= s.n) return 0;
  switch (s.p[i + 1]) {
  case 'x': return hex_digits(s, i + 2, 2, out) == 2 ? 4 : 0;
  case 'u': return s.p[i + 2] == '{' ? mark_braced(s, i, out) : mark_u(s, i, out);
  case 'U': return hex_digits(s, i + 2, 8, out) == 8 ? 10 : 0;
  default: return octal_digits(s, i + 1, out) ? 4 : 0;
  }
}

static const struct {
  struct str name;
  uint32_t c;
} references[] = {
    {STR("amp"), '&'},     {STR("lt"), '<'},      {STR("gt"), '>'},       {STR("quot"), '"'},    {STR("apos"), '\''},
    {STR("nbsp"), ' '},    {STR("Tab"), '\t'},    {STR("NewLine"), '\n'}, {STR("excl"), '!'},    {STR("num"), '#'},
    {STR("dollar"), '$'},  {STR("percnt"), '%'},  {STR("lpar"), '('},     {STR("rpar"), ')'},    {STR("ast"), '*'},
    {STR("plus"), '+'},    {STR("comma"), ','},   {STR("period"), '.'},   {STR("sol"), '/'},     {STR("colon"), ':'},
    {STR("semi"), ';'},    {STR("equals"), '='},  {STR("quest"), '?'},    {STR("commat"), '@'},  {STR("lowbar"), '_'},
    {STR("hyphen"), '-'},  {STR("shy"), 0xAD},    {STR("zwnj"), 0x200C},  {STR("zwj"), 0x200D},  {STR("ensp"), ' '},
    {STR("emsp"), ' '},    {STR("thinsp"), ' '},  {STR("auml"), 0xE4},    {STR("ouml"), 0xF6},   {STR("uuml"), 0xFC},
    {STR("szlig"), 0xDF},  {STR("eacute"), 0xE9}, {STR("egrave"), 0xE8},  {STR("agrave"), 0xE0}, {STR("aacute"), 0xE1},
    {STR("iacute"), 0xED}, {STR("oacute"), 0xF3}, {STR("uacute"), 0xFA},  {STR("ntilde"), 0xF1}, {STR("ccedil"), 0xE7}};

static size_t mark_number(struct str s, size_t i, uint32_t *out)
{
  size_t n = 0, from = i + 2;
  if (from < s.n && (s.p[from] | 32) == 'x') {
    from++;
    n = hex_digits(s, from, 6, out);
  } else {
    *out = 0;
    for (; n < 7 && from + n < s.n && is_digit((unsigned char)s.p[from + n]); n++)
      *out = *out * 10 + (uint32_t)(s.p[from + n] - '0');
  }
  if (!n) return 0;
  return from + n - i + (from + n < s.n && s.p[from + n] == ';');
}

static size_t mark_entity(struct str s, size_t i, uint32_t *out)
{
  if (i + 1 < s.n && s.p[i + 1] == '#') return mark_number(s, i, out);
  for (size_t k = 0; k < sizeof references / sizeof *references; k++) {
    size_t n = references[k].name.n;
    if (i + n + 1 >= s.n || s.p[i + n + 1] != ';' || memcmp(s.p + i + 1, references[k].name.p, n) != 0) continue;
    *out = references[k].c;
    return n + 2;
  }
  return 0;
}

static size_t mark_plus(struct str s, size_t i, uint32_t *out)
{
  if (i + 1 >= s.n || s.p[i + 1] != '+') return 0;
  size_t n = hex_digits(s, i + 2, 6, out);
  return n >= 4 ? n + 2 : 0;
}

/* ---- decoders ---------------------------------------------------------------------------------------------------- */

void decode_percent(struct decode_work *w)
{
  static const struct run run = {DECODER_PERCENT, '%', mark_percent, true};
  take_runs(w, &run, MARK_PERCENT);
}

void decode_entities(struct decode_work *w)
{
  static const struct run run = {DECODER_ENTITIES, '&', mark_entity, false};
  take_runs(w, &run, MARK_REFERENCE);
}

/* "U+0069 U+0067": the blanks between are not part of the text. */
static void take_code_points(struct decode_work *w)
{
  struct str s = w->in;
  if (w->first[MARK_U_PLUS] == SIZE_MAX) return;
  w->work += s.n - w->first[MARK_U_PLUS];
  for (size_t i = w->first[MARK_U_PLUS]; i < s.n;) {
    const char *p = memchr(s.p + i, 'U', s.n - i);
    if (!p) return;
    size_t start = i = (size_t)(p - s.p), end = i, at = w->out.n, n, count = 0;
    uint32_t c;
    for (; i < s.n && s.p[i] == 'U' && (n = mark_plus(s, i, &c)) > 0; count++) {
      put_utf8(&w->out, c);
      end = i += n;
      while (i < s.n && i < end + 2 && (is_blank((unsigned char)s.p[i]) || s.p[i] == ',')) i++;
    }
    if (count >= 4 && piece_looks_right(w, at)) piece_add(w, DECODER_ESCAPES, start, end, at, false);
    else w->out.n = at;
    i = end > start ? end : start + 1;
  }
}

void decode_escapes(struct decode_work *w)
{
  static const struct run run = {DECODER_ESCAPES, '\\', mark_escape, true};
  take_runs(w, &run, MARK_ESCAPE);
  take_code_points(w);
}

void decode_quoted(struct decode_work *w)
{
  static const struct run run = {DECODER_QUOTED, '=', mark_quoted, true};
  take_runs(w, &run, MARK_QUOTED);
}

/* ---- lists of numbers -------------------------------------------------------------------------------------------- */

/* What stands between two numbers: up to two of blanks, commas, colons, hyphens. */
static size_t between(struct str s, size_t i)
{
  size_t n = 0;
  for (; n < 2 && i + n < s.n; n++) {
    char c = s.p[i + n];
    if (!is_blank((unsigned char)c) && c && c != ',' && c != ':' && c != ';' && c != '-') break;
  }
  return n;
}

static size_t hex_item(struct str s, size_t i, uint32_t *out)
{
  size_t prefix = i + 1 < s.n && s.p[i] == '0' && (s.p[i + 1] | 32) == 'x' ? 2 : 0;
  if (hex_digits(s, i + prefix, 2, out) != 2) return 0;
  uint32_t more;
  return hex_digits(s, i + prefix + 2, 1, &more) == 0 ? prefix + 2 : 0;
}

static size_t binary_item(struct str s, size_t i, uint32_t *out)
{
  size_t n = 0;
  *out = 0;
  for (; n < 9 && i + n < s.n && (s.p[i + n] == '0' || s.p[i + n] == '1'); n++) *out = *out << 1 | (uint32_t)(s.p[i + n] - '0');
  return n == 8 ? 8 : 0;
}

/* A list of at least four numbers from i on; returns where it ends, i when there is none. */
static size_t take_list(struct decode_work *w, enum decoder_id id, size_t i, mark_fn *item)
{
  struct str s = w->in;
  size_t start = i, end = i, at = w->out.n, count = 0, n;
  uint32_t c;
  while (i < s.n && (n = item(s, i, &c)) > 0) {
    buf_byte(&w->out, (char)c);
    end = i + n;
    count++;
    size_t gap = between(s, end);
    if (!gap) break;
    i = end + gap;
  }
  if (i == s.n) end = i; /* some writers put the separator behind the last number too */
  if (count >= 4 && piece_looks_right(w, at)) piece_add(w, id, start, end, at, false);
  else w->out.n = at;
  return end;
}

static bool word_byte(unsigned char c)
{
  return is_letter(c) || is_digit(c) || c == '_' || c >= 0x80;
}

/* Two hexadecimal digits, or 0x, at the beginning of a word. */
static bool may_begin_list(struct str s, size_t i)
{
  unsigned char b = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
  bool may = byte_kinds[(unsigned char)s.p[i]] & IS_HEX && (byte_kinds[b] & IS_HEX || (b | 32) == 'x');
  return may && !(i && word_byte((unsigned char)s.p[i - 1]));
}

/* Where a list around i may have begun. */
static size_t list_start(struct str s, size_t i)
{
  while (i > 0 && i < s.n) {
    unsigned char c = (unsigned char)s.p[i - 1];
    if (!(byte_kinds[c] & IS_HEX) && (c | 32) != 'x' && !is_blank(c) && c && c != ',' && c != ':' && c != ';' && c != '-') break;
    i--;
  }
  return i;
}

/* Of a block: hexadecimal digits before another, or before an x, that no letter or digit stands before. length: of an item without 0x; what
 * follows one that has as many digits must be able to part it from the next. What is behind the block may be any. */
static uint64_t list_begins(struct str s, size_t i, size_t n, unsigned length)
{
  unsigned char pad[BLOCK_BYTES];
  const unsigned char *p = block_pad((const unsigned char *)s.p + i, n, pad);
  uint64_t behind = n < BLOCK_BYTES ? UINT64_MAX << n : 0, words = block_words(p), hex = block_hex(p);
  uint64_t prefix = (block_any(p, "xXxX") | behind) >> 1 | UINT64_C(1) << 63, run = hex;
  uint64_t parts = block_any(p, " \t\n\r") | block_any(p, ",:;-") | block_any(p, "\0\0\0\0") | behind;
  for (unsigned k = 1; k < length; k++) run &= (hex | behind) >> k | ~(UINT64_MAX >> k);
  run &= parts >> length | ~(UINT64_MAX >> length);
  return hex & (prefix | run) & ~(words << 1 | (i && word_byte((unsigned char)s.p[i - 1])));
}

static void take_lists(struct decode_work *w, enum decoder_id id, mark_fn *item, unsigned length, size_t from)
{
  struct str s = w->in;
  from = list_start(s, from);
  w->work += s.n - from;
  for (size_t i = from, n, done = 0; i < s.n; i += n) {
    n = s.n - i < BLOCK_BYTES ? s.n - i : BLOCK_BYTES;
    for (uint64_t may = list_begins(s, i, n, length); may; may &= may - 1) {
      size_t at = i + block_first(may);
      if (at < done || !may_begin_list(s, at)) continue;
      size_t end = take_list(w, id, at, item);
      done = end > at ? end : at + 1;
    }
  }
}

static bool has_prefix(struct str s)
{
  for (size_t i = 1; i < s.n; i++) {
    const char *p = memchr(s.p + i, 'x', s.n - i);
    if (!p) return false;
    if (p[-1] == '0') return true;
    i = (size_t)(p - s.p);
  }
  return false;
}

void decode_hex(struct decode_work *w)
{
  size_t prefix = w->first[MARK_ZERO_X], list = w->signs & SIGN_LISTS ? w->first_list : SIZE_MAX;
  size_t from = prefix < list ? prefix : list;
  if (list != SIZE_MAX || (prefix != SIZE_MAX && has_prefix(w->in))) take_lists(w, DECODER_HEX, hex_item, 2, from);
}

void decode_binary(struct decode_work *w)
{
  if (w->signs & SIGN_EIGHTS) take_lists(w, DECODER_BINARY, binary_item, 8, w->first_list);
  decode_bits(w);
}
