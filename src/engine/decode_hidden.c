/*
 * Text in characters that show nothing: tag characters, variation selectors as bytes, two zero-width characters as bits. The view takes
 * them out; what they spell is put back where the first of them stood.
 *
 * Ordinary uses are left alone: a flag of a region (a black flag, a few tags, the end tag), one selector after an emoji or an ideograph,
 * joiners in Persian, Hindi and emoji.
 */
#include "engine/decode_inside.h"
#include <utf8proc.h>

enum { BLACK_FLAG = 0x1F3F4, TAG_END = 0xE007F, FLAG_MAX = 6, BITS_MIN = 40, BITS_RUN = 4, SYMBOLS = 12 };

/* The characters of one scheme in the order of the text, joined. */
struct hidden {
  size_t start, end; /* in the original text; end 0: none yet */
  size_t n;
};

struct reader {
  struct str s;
  size_t at;
};

/* The next code point and where it begins; -1 at the end, U+FFFD for a byte that is not UTF-8. */
static int32_t next(struct reader *r, size_t *begin)
{
  int32_t c;
  *begin = r->at;
  if (r->at >= r->s.n) return -1;
  if (!(r->s.p[r->at] & 0x80)) return r->s.p[r->at++];
  utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)r->s.p + r->at, (utf8proc_ssize_t)(r->s.n - r->at), &c);
  r->at += n > 0 ? (size_t)n : 1;
  return n > 0 ? c : 0xFFFD;
}

/* ASCII behind ASCII says nothing. */
static void skip_ascii(struct reader *r, int32_t c)
{
  if (c >= 0 && c < 0x80) r->at = next_high(r->s, r->at);
}

static bool is_tag(int32_t c)
{
  return c >= 0xE0000 && c <= TAG_END;
}

static int selector(int32_t c)
{
  return c >= 0xFE00 && c <= 0xFE0F ? c - 0xFE00 : c >= 0xE0100 && c <= 0xE01EF ? c - 0xE0100 + 16 : -1;
}

static bool zero_width(int32_t c)
{
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF ||
         c == 0x180E || c == 0x3164 || c == 0xFFA0 || c == 0xAD || c == 0x34F;
}

static void note(struct hidden *h, size_t begin, size_t end)
{
  if (!h->n++) h->start = begin;
  h->end = end;
}

/* Where a flag's tags end when some begin here, else 0. */
static size_t flag_end(struct reader r)
{
  size_t begin, n = 0;
  int32_t c = next(&r, &begin);
  for (; c > 0xE0020 && c < TAG_END; c = next(&r, &begin)) n++;
  return c == TAG_END && n >= 3 && n <= FLAG_MAX ? r.at : 0;
}

static bool shares_line(struct str s, size_t i)
{
  return i < s.n && s.p[i] != '\n' && s.p[i] != '\r';
}

/* What was hidden stands apart from the words beside it, on a line of its own, lest an encoded word grow. */
static void add_hidden(struct decode_work *w, enum decoder_id id, const struct view *v, const struct hidden *h, size_t at)
{
  size_t place = (size_t)view_at(v, h->start);
  if (place && shares_line(w->in, place - 1)) {
    buf_byte(&w->out, '\n');
    if (!w->out.failed) {
      memmove(w->out.p + at + 1, w->out.p + at, w->out.n - at - 1);
      w->out.p[at] = '\n';
    }
  }
  if (shares_line(w->in, place)) buf_byte(&w->out, '\n');
  piece_add_full(w, (struct piece){.start = (uint32_t)place,
                                   .end = (uint32_t)place,
                                   .at = (uint32_t)at,
                                   .layers = {(uint8_t)id},
                                   .n_layers = 1,
                                   .hidden_start = (uint32_t)h->start,
                                   .hidden_end = (uint32_t)h->end});
}

/* Each of the following appends what is hidden to out and says where; false, with nothing appended, when nothing is. */
static bool find_tags(struct decode_work *w, struct str original, struct hidden *h)
{
  struct reader r = {original, 0};
  size_t begin, at = w->out.n;
  for (int32_t c; (c = next(&r, &begin)) >= 0;) {
    skip_ascii(&r, c);
    size_t flag = c == BLACK_FLAG ? flag_end(r) : 0;
    if (flag) r.at = flag;
    if (!is_tag(c)) continue;
    note(h, begin, r.at);
    if ((c >= 0xE0020 && c < TAG_END) || c == 0xE0009 || c == 0xE000A) buf_byte(&w->out, (char)(c - 0xE0000));
  }
  return h->n && piece_looks_right(w, at);
}

/* A run of selectors ends. One selector belongs to what it follows, unless that is ASCII, which has none of the later ones. */
static void end_run(struct decode_work *w, struct hidden *h, const struct hidden *run, size_t run_at, int32_t before)
{
  bool alone = run->n == 1 && !(before < 0x80 && (unsigned char)w->out.p[run_at] >= 16);
  if (alone) {
    w->out.n = run_at;
    return;
  }
  if (!h->n) h->start = run->start;
  h->end = run->end;
  h->n += run->n;
}

static bool find_selectors(struct decode_work *w, struct str original, struct hidden *h)
{
  struct reader r = {original, 0};
  struct hidden run = {0};
  size_t begin, at = w->out.n, run_at = at;
  int32_t c = 0, before = 0;
  while (c >= 0 && !w->out.failed) {
    c = next(&r, &begin);
    int byte = c < 0 ? -1 : selector(c);
    if (byte >= 0) {
      if (!run.n) run_at = w->out.n;
      note(&run, begin, r.at);
      buf_byte(&w->out, (char)byte);
      continue;
    }
    if (run.n) end_run(w, h, &run, run_at, before);
    run = (struct hidden){0};
    before = c;
    skip_ascii(&r, c);
  }
  if (h->n > 1) return piece_looks_right(w, at);
  w->out.n = at;
  return false;
}

/* ---- bits -------------------------------------------------------------------------------------------------------- */

struct symbols {
  int32_t c[SYMBOLS];
  size_t count[SYMBOLS];
  unsigned n;
};

static unsigned symbol(struct symbols *s, int32_t c)
{
  unsigned i = 0;
  while (i < s->n && s->c[i] != c) i++;
  if (i == s->n && s->n < SYMBOLS) {
    s->c[s->n] = c;
    s->count[s->n++] = 0;
  }
  return i < SYMBOLS ? i : SYMBOLS - 1;
}

/* Characters that stand alone or in pairs have their use; longer runs count. */
static void note_run(struct hidden *h, struct symbols *s, const struct buf *symbols, size_t run, size_t begin, size_t end)
{
  if (symbols->failed) return;
  for (size_t i = symbols->n - run; i < symbols->n; i++) s->count[(unsigned char)symbols->p[i]]++;
  if (!h->n) h->start = begin;
  h->end = end;
  h->n += run;
}

/* The two most frequent symbols, in the order of their code points. */
static void most_frequent(const struct symbols *s, unsigned *zero, unsigned *one)
{
  unsigned a = 0, b = SYMBOLS;
  for (unsigned i = 1; i < s->n; i++) {
    if (s->count[i] > s->count[a]) {
      b = a;
      a = i;
    } else if (b == SYMBOLS || s->count[i] > s->count[b]) {
      b = i;
    }
  }
  *zero = b < SYMBOLS && s->c[b] < s->c[a] ? b : a;
  *one = *zero == a ? b : a;
}

/* Bits to bytes; a bit of `flip` is a one. */
static bool read_bits(struct decode_work *w, struct str symbols, unsigned one, unsigned zero, unsigned width, size_t at)
{
  unsigned byte = 0, have = 0;
  for (size_t i = 0; i < symbols.n; i++) {
    unsigned s = (unsigned char)symbols.p[i];
    if (s != one && s != zero) continue;
    byte = byte << 1 | (s == one);
    if (++have < width) continue;
    buf_byte(&w->out, (char)byte);
    byte = have = 0;
  }
  return piece_looks_right(w, at);
}

static bool find_bits(struct decode_work *w, struct str original, struct hidden *h)
{
  struct reader r = {original, 0};
  struct symbols s = {0};
  size_t begin, at = w->out.n;
  buf_reset(&w->scratch);
  size_t run = 0, first = 0;
  for (int32_t c = 0; c >= 0;) {
    c = next(&r, &begin);
    if (c >= 0 && zero_width(c)) {
      if (!run++) first = begin;
      buf_byte(&w->scratch, (char)symbol(&s, c));
      continue;
    }
    if (run >= BITS_RUN) note_run(h, &s, &w->scratch, run, first, begin);
    else if (!w->scratch.failed) w->scratch.n -= run;
    run = 0;
    skip_ascii(&r, c);
  }
  if (h->n < BITS_MIN || s.n < 2 || w->scratch.failed) return false;
  unsigned zero, one;
  most_frequent(&s, &zero, &one);
  for (unsigned k = 0; k < 4; k++)
    if (read_bits(w, buf_str(&w->scratch), k & 1 ? zero : one, k & 1 ? one : zero, k & 2 ? 7 : 8, at)) return true;
  return false;
}

static bool (*const schemes[])(struct decode_work *, struct str, struct hidden *) = {
    [DECODER_TAGS] = find_tags, [DECODER_SELECTORS] = find_selectors, [DECODER_ZERO_WIDTH] = find_bits};
enum { SCHEMES = sizeof schemes / sizeof *schemes };

void decode_hidden(struct decode_work *w, struct str original, const struct view *v)
{
  for (unsigned i = 0; i < SCHEMES; i++) {
    struct hidden h = {0};
    size_t at = w->out.n;
    w->work += original.n;
    if (schemes[i](w, original, &h)) add_hidden(w, (enum decoder_id)i, v, &h, at);
  }
  decode_bidi(w, original, v);
}

enum decoder_id reveal(struct decode_work *w, struct str raw)
{
  for (unsigned i = 0; i < SCHEMES; i++) {
    struct hidden h = {0};
    w->work += raw.n;
    if (schemes[i](w, raw, &h)) return (enum decoder_id)i;
  }
  return DECODERS;
}
