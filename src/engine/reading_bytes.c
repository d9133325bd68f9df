/*
 * How readings read: the bytes of the view become those of another text. Nothing here looks for secrets.
 */
#include "engine/blocks.h"
#include "engine/reading_inside.h"

enum { SURE_DIGITS = 16 };

/* ---- bytes of the reading ------------------------------------------------------------------------------------------- */

static bool put(struct reading *r, char c, uint64_t start, uint64_t end)
{
  struct reading_place *grown = heap_grow(r->places, r->text.n, &r->cap_places, 256, sizeof *grown);
  if (!grown) return false;
  r->places = grown;
  r->places[r->text.n] = (struct reading_place){start, end};
  buf_byte(&r->text, c);
  r->len++;
  return !r->text.failed;
}

/* The bytes from next to `to`, each of which stands for itself. */
static bool put_plain(struct reading *r, const struct window *w, uint64_t to)
{
  uint64_t from = r->next;
  size_t n = (size_t)(to - from), had = r->text.n;
  if (r->cap_places < had + n) {
    size_t cap = (had + n) * 2;
    struct reading_place *grown = realloc(r->places, cap * sizeof *grown);
    if (!grown) return false;
    r->places = grown;
    r->cap_places = cap;
  }
  for (size_t i = 0; i < n; i++) r->places[had + i] = (struct reading_place){from + i, from + i + 1};
  buf_put(&r->text, (struct str){(const char *)w->p + (from - w->base), n});
  r->len += n;
  r->next = to;
  return !r->text.failed;
}

static bool is_printable(unsigned c)
{
  return c >= 0x20 && c < 0x7F;
}

static int hex(int c)
{
  if (c >= '0' && c <= '9') return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- escapes -------------------------------------------------------------------------------------------------------- */

/* Exactly n hexadecimal digits at i. -1: they are none, -2: they may become some. */
static int digits(const struct window *w, uint64_t i, unsigned n)
{
  int v = 0;
  for (unsigned k = 0; k < n; k++) {
    int c = reading_at(w, i + k);
    if (c == -2) return -2;
    if (c < 0 || hex(c) < 0) return -1;
    v = v << 4 | hex(c);
  }
  return v;
}

/* &#103; or &#x67; at i; *length is that of the whole. */
static int entity(const struct window *w, uint64_t i, unsigned *length)
{
  int c = reading_at(w, i + 1), v = 0;
  if (c != '#') return c == -2 ? -2 : -1;
  uint64_t k = i + 2;
  bool hexadecimal = reading_at(w, k) == 'x' || reading_at(w, k) == 'X';
  k += hexadecimal;
  for (; k < i + 10; k++) {
    c = reading_at(w, k);
    int d = hexadecimal ? hex(c) : c >= '0' && c <= '9' ? c - '0' : -1;
    if (c == -2) return -2;
    if (c == ';' || c < 0 || d < 0) break;
    v = v * (hexadecimal ? 16 : 10) + d;
  }
  *length = (unsigned)(k + 1 - i);
  return c == ';' && v < 0x7F ? v : -1;
}

/* What is written at i, and in how many bytes; -1 when it is no escape, -2 when that is not known yet. */
static int escape(const struct window *w, uint64_t i, unsigned *length)
{
  int c = reading_at(w, i), next = reading_at(w, i + 1), v = -1;
  if (c == '%') {
    *length = 3;
    v = digits(w, i + 1, 2);
  } else if (c == '&') {
    v = entity(w, i, length);
  } else if (c == '\\' && (next == 'u' || next == 'U')) {
    *length = 6;
    v = digits(w, i + 2, 4);
  } else if (c == '\\' && next == 'x') {
    *length = 4;
    v = digits(w, i + 2, 2);
  } else if (c == '\\' && next == -2) {
    v = -2;
  }
  return v >= 0 && !is_printable((unsigned)v) ? -1 : v;
}

static bool is_escape_sign(int c)
{
  return c == '\\' || c == '%' || c == '&';
}

/* The first byte from i on that is one of the four, or the end. */
static uint64_t next_of(const struct window *w, uint64_t i, const char marks[4])
{
  unsigned char pad[BLOCK_BYTES];
  for (size_t n; i < w->end; i += n) {
    n = w->end - i < BLOCK_BYTES ? (size_t)(w->end - i) : BLOCK_BYTES;
    uint64_t hits = block_any(block_pad(w->p + (i - w->base), n, pad), marks);
    if (hits) return i + block_first(hits);
  }
  return w->end;
}

static bool read_escapes(struct reading *r, const struct window *w)
{
  while (r->next < w->end) {
    unsigned length = 1;
    if (!is_escape_sign(reading_at(w, r->next))) {
      if (!put_plain(r, w, next_of(w, r->next, "\\%&&"))) return false;
      continue;
    }
    int v = escape(w, r->next, &length);
    if (v == -2) break;
    if (v >= 0 && r->next > r->sign) r->sign = r->next;
    if (v < 0) length = 1, v = reading_at(w, r->next);
    if (!put(r, (char)v, r->next, r->next + length)) return false;
    r->next += length;
  }
  r->pending = r->next;
  return true;
}

uint64_t reading_next_escape(const struct window *w, uint64_t i)
{
  unsigned length;
  while ((i = next_of(w, i, "\\%&&")) < w->end && escape(w, i, &length) == -1) i++;
  return i;
}

/* ---- joined --------------------------------------------------------------------------------------------------------- */

/* Is a byte that begins a line, or follows what does, part of the line end? Blanks, the bar or arrow of a quotation. */
static bool is_margin(int c)
{
  return c == ' ' || c == '\t' || c == '>' || c == '|';
}

/* Line ends go with what begins the next line, CR wherever it stands: nothing has to wait for the LF behind it. An empty line stays. */
static bool read_joined(struct reading *r, const struct window *w)
{
  while (r->next < w->end) {
    int c = reading_at(w, r->next);
    if (c == '\n' && r->line_begins) {
      if (!put_plain(r, w, r->next + 1)) return false;
    } else if (c == '\n' || c == '\r' || reading_is_emphasis(c) || (r->line_begins && is_margin(c))) {
      r->line_begins |= c == '\n';
      r->next++;
    } else {
      r->line_begins = false;
      if (!put_plain(r, w, next_of(w, r->next, "\n\r*`"))) return false;
    }
  }
  r->pending = r->next;
  return true;
}

/* ---- base64 --------------------------------------------------------------------------------------------------------- */

/* Of ASCII; base64 and base64url. */
static const signed char digit_values[128] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, 62, -1, 63, 52, 53, 54, 55,
    56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63, -1, 26, 27, 28, 29, 30, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1};

static int base64_digit(int c)
{
  return c >= 0 && c < 128 ? digit_values[c] : -1;
}

/* What text has. It begins with ASCII, or most words would have to wait; of a run that is known to be text anything is taken. */
static bool may_be_text(const struct reading *r, unsigned c)
{
  return r->n_printed >= READING_SURE || is_printable(c) || c == '\n' || c == '\r' || c == '\t' ||
         (c >= 0x80 && r->n_printed > 2);
}

void reading_end_run(struct reading *r)
{
  r->n_digits = r->n_printed = 0;
  r->bits = 0;
  r->refused = r->first = false;
}

/* Takes a run back that turned out to be no text, or too short. */
static void take_back(struct reading *r)
{
  size_t n = r->n_printed < r->text.n ? r->n_printed : r->text.n;
  r->text.n -= n;
  r->len -= n;
  r->n_printed = 0;
}

/* The bytes of 2, 3 or 4 digits. The first three digits of a run have left by the time that they can be known for some: every word begins so. They
 * hold hardly two bytes, which are a gate's. */
static bool decode_group(struct reading *r)
{
  unsigned bytes = r->n_digits - 1;
  uint32_t bits = r->bits << 6 * (4 - r->n_digits);
  for (unsigned i = 0; i < bytes; i++) {
    unsigned c = bits >> (16 - 8 * i) & 0xFF;
    if (!may_be_text(r, c)) {
      if (r->n_printed < READING_SURE) take_back(r);
      r->refused = true;
      break;
    }
    uint64_t start = r->first ? r->digits_at[3 < r->n_digits ? 3 : r->n_digits - 1] : r->digits_at[i];
    uint64_t end = r->digits_at[i + 1] + 1;
    if (!put(r, (char)c, start, end > start ? end : start + 1)) return false;
    r->n_printed++;
  }
  r->n_digits = 0;
  r->bits = 0;
  r->first = false;
  return true;
}

/* The run has ended before view offset `end`. A line end closes it in the reading too. */
static bool close_run(struct reading *r, uint64_t end)
{
  bool ok = r->refused || r->n_digits < 2 || decode_group(r);
  if (r->n_printed && r->n_printed < READING_SURE) take_back(r);
  if (ok && r->n_printed) ok = put(r, '\n', end, end);
  reading_end_run(r);
  return ok;
}

/* Do these four digits decode to text? */
static bool begins_text(const struct reading *r, const unsigned char *p)
{
  int v = digit_values[p[0]] * (1 << 18) + digit_values[p[1]] * (1 << 12);
  if (!may_be_text(r, (unsigned)v >> 16)) return false;
  v += digit_values[p[2]] * (1 << 6) + digit_values[p[3]];
  return may_be_text(r, (unsigned)v >> 8 & 0xFF) && may_be_text(r, (unsigned)v & 0xFF);
}

/* The digits of a block at a time: what is asked again about the same bytes is not worked out again. */
struct digit_blocks {
  const unsigned char *at, *end; /* of the block; end of the text */
  uint64_t bits;
  size_t n;
};

/* From p on, as bits; *n: how many bytes that are. p < end. */
static uint64_t digits_at(struct digit_blocks *b, const unsigned char *p, size_t *n)
{
  unsigned char pad[BLOCK_BYTES];
  if (!b->n || p < b->at || p >= b->at + b->n) {
    b->at = p;
    b->n = b->end - p < BLOCK_BYTES ? (size_t)(b->end - p) : BLOCK_BYTES;
    b->bits = block_base64(block_pad(p, b->n, pad));
  }
  *n = (size_t)(b->at + b->n - p);
  return b->bits >> (p - b->at);
}

/* The first byte from p on that is no digit. */
static const unsigned char *skip_digits(struct digit_blocks *b, const unsigned char *p)
{
  for (size_t n; p < b->end; p += n) {
    unsigned run = block_leading(digits_at(b, p, &n));
    if (run < n) return p + run;
  }
  return b->end;
}

/* Where the first run of SURE_DIGITS digits begins, or one that the text ends in; the end when there is none. p is not inside of a run. */
static const unsigned char *long_run(struct digit_blocks *b, const unsigned char *p)
{
  size_t run = 0; /* digits right before p */
  for (size_t n; p < b->end; p += n) {
    uint64_t digits = digits_at(b, p, &n), sixteens = block_sixteens(digits);
    if (run + block_leading(digits) >= SURE_DIGITS) return p - run;
    if (sixteens) return p + block_first(sixteens);
    size_t last = block_trailing(digits << (BLOCK_BYTES - n));
    run = last == n ? run + n : last;
  }
  return b->end - run;
}

/* Ordinary text is read here: words are too short, and most of those whose end has not come are refused by their first four letters. */
static void skip_words(struct reading *r, const struct window *w)
{
  const unsigned char *p = w->p + (r->next - w->base), *end = w->p + (w->end - w->base), *q;
  struct digit_blocks b = {.end = end};
  for (;; p = q) {
    if (r->refused) p = skip_digits(&b, p);
    if (p == end) break;
    r->refused = false;
    p = long_run(&b, p);
    q = skip_digits(&b, p);
    bool ended = q < end || w->eof;
    if (ended && q - p < SURE_DIGITS) continue;
    if (q - p < 4 || begins_text(r, p)) break;
    r->refused = !ended || q == end;
  }
  r->next = w->base + (uint64_t)(p - w->p);
}

/* The four digits of which the first n have been read. */
static void join_digits(const struct reading *r, const unsigned char *p, unsigned n, unsigned char out[4])
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (unsigned i = 0; i < 4; i++) out[i] = i < n ? (unsigned char)letters[r->bits >> 6 * (n - 1 - i) & 63] : p[i - n];
}

/* How much of n bytes the run that was begun before them takes, and whether it is known what becomes of it: nothing. */
static bool finish_run(struct reading *r, const unsigned char *p, uint64_t digits, unsigned n, unsigned *taken)
{
  unsigned char four[4];
  *taken = block_leading(digits);
  if (!r->refused && r->n_digits) {
    if (*taken + r->n_digits < 4) {
      if (*taken == n) return false;
    } else {
      join_digits(r, p, r->n_digits, four);
      if (begins_text(r, four)) return false;
    }
    r->refused = true;
  }
  if (!r->refused) *taken = 0;
  if (*taken < n) reading_end_run(r);
  return true;
}

/* The text ends in n digits, at most three, which may become a run. */
static void begin_run(struct reading *r, const struct window *w, unsigned n)
{
  r->run = w->end - n;
  r->first = n > 0;
  for (; r->n_digits < n; r->n_digits++) {
    uint64_t at = r->run + r->n_digits;
    r->digits_at[r->n_digits] = at;
    r->bits = r->bits << 6 | (uint32_t)base64_digit(reading_at(w, at));
  }
  r->next = w->end;
}

/* A feed of ordinary text: one block, in which no run is long enough, and where neither the run that it begins in nor the one that it ends in can be
 * text. False: it is not, and what is left from r->next on has to be read. */
static bool read_words(struct reading *r, const struct window *w)
{
  unsigned char pad[BLOCK_BYTES];
  unsigned n = (unsigned)(w->end - r->next), taken;
  const unsigned char *p = w->p + (r->next - w->base);
  uint64_t digits = block_base64(block_pad(p, n, pad));
  if (!finish_run(r, p, digits, n, &taken)) return false;
  r->next += taken;
  if (taken == n) return true;
  uint64_t rest = digits >> taken;
  if (block_sixteens(rest)) return false;
  unsigned last = block_trailing(rest << (BLOCK_BYTES - (n - taken)));
  if (last > 3) {
    r->refused = !begins_text(r, p + n - last);
    if (r->refused) r->next = w->end;
    return r->refused;
  }
  begin_run(r, w, last);
  return true;
}

static bool read_base64(struct reading *r, const struct window *w)
{
  bool one = r->next < w->end && w->end - r->next <= BLOCK_BYTES;
  if (one && !w->eof && !r->n_printed && read_words(r, w)) {
    r->pending = r->next;
    return true;
  }
  for (; r->next < w->end; r->next++) {
    if (!r->n_digits && !r->n_printed) skip_words(r, w);
    if (r->next == w->end) break;
    int c = reading_at(w, r->next), d = base64_digit(c);
    bool runs = r->n_digits || r->n_printed || r->refused;
    if (d < 0 && (c == '\n' || c == '\r') && r->n_printed >= READING_SURE && !r->refused) continue; /* wrapped */
    if (d < 0) {
      if (runs && !close_run(r, r->next)) return false;
      continue;
    }
    if (!runs) r->run = r->next, r->first = true;
    if (r->refused) continue;
    r->digits_at[r->n_digits++] = r->next;
    r->bits = r->bits << 6 | (uint32_t)d;
    if (r->n_digits == 4 && !decode_group(r)) return false;
  }
  if (w->eof && (r->n_digits || r->n_printed) && !close_run(r, w->end)) return false;
  r->pending = r->next;
  if (r->refused || !r->n_printed) return true;
  if (r->n_digits) r->pending = r->digits_at[0];
  if (r->n_printed < READING_SURE) r->pending = r->run + 3;
  return true;
}

/* ---- each of them ------------------------------------------------------------------------------------------------- */

bool reading_read(struct reading *r, const struct window *w)
{
  switch (r->kind) {
  case READING_ESCAPES: return read_escapes(r, w);
  case READING_JOINED: return read_joined(r, w);
  default: return read_base64(r, w);
  }
}
