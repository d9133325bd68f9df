/*
 * Control characters between and within words: zeros, escapes, colours of terminals, characters that stand for bytes that were none. Nobody
 * sees them, models pay them no heed, and they part a phrase for whoever looks for it.
 *
 * What is read is the text without them. Where words have no other blanks between them, each becomes one. Blanks of the ASCII controls
 * (tab, line and page ends) are no noise and stay.
 */
#include "engine/decode_inside.h"

enum { NEAR = 96, SEQUENCE = 24 };

/* A colour or a movement behind ESC [: parameters, then a letter. */
static size_t sequence(struct str s, size_t i)
{
  size_t n = 2;
  if (i + 1 >= s.n || s.p[i + 1] != '[') return 1;
  while (n < SEQUENCE && i + n < s.n && s.p[i + n] >= ' ' && s.p[i + n] < '@') n++;
  return i + n < s.n && n < SEQUENCE && s.p[i + n] >= '@' && s.p[i + n] <= '~' ? n + 1 : 1;
}

/* Bytes of the control character at i; 0: there is none. */
static size_t control(struct str s, size_t i)
{
  unsigned char c = (unsigned char)s.p[i];
  if (c == 0x1b) return sequence(s, i);
  if (is_control(c)) return 1;
  if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0) return 2;
  return c == 0xef && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0xbf && (unsigned char)s.p[i + 2] == 0xbd ? 3 : 0;
}

/* What the stretch has for blanks between its words, to know what its control characters stand for. */
static bool has_blanks(struct str s)
{
  size_t blanks = 0, all = 0, n;
  for (size_t i = 0; i < s.n; i += n ? n : 1) {
    n = control(s, i);
    all += !n;
    blanks += !n && is_blank((unsigned char)s.p[i]);
  }
  return blanks * 16 >= all;
}

/* From the first control character at i: the stretch to the last one that is near enough to the one before it. */
static size_t stretch(struct str s, size_t i)
{
  size_t end = i, n;
  for (size_t at = i; at < s.n && at < end + NEAR; at += n ? n : 1)
    if ((n = control(s, at)) > 0) end = at + n;
  return end;
}

/* Words around a stretch are part of it, also where blanks stand between. */
static size_t word_before(struct str s, size_t i)
{
  size_t least = i < NEAR ? 0 : i - NEAR;
  while (i > least && is_blank((unsigned char)s.p[i - 1])) i--;
  while (i > least && !is_blank((unsigned char)s.p[i - 1])) i--;
  return i;
}

static size_t word_behind(struct str s, size_t i)
{
  size_t most = s.n - i < NEAR ? s.n : i + NEAR;
  while (i < most && is_blank((unsigned char)s.p[i])) i++;
  while (i < most && !is_blank((unsigned char)s.p[i]) && !control(s, i)) i++;
  return i;
}

/* Appends the stretch without its control characters. One between two blanks takes the second with it. */
static void put_clean(struct buf *out, struct str s, bool blanks)
{
  size_t from = out->n;
  bool dropped = false;
  for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
    bool after_blank = out->n > from && is_blank((unsigned char)out->p[out->n - 1]);
    n = control(s, i);
    if (n && (blanks || after_blank)) {
      dropped = true;
      continue;
    }
    bool second = dropped && after_blank && !n && is_blank((unsigned char)s.p[i]);
    dropped = false;
    if (!second) buf_byte(out, n ? ' ' : s.p[i]);
  }
}

/* The same as a terminal shows it: a backspace takes the character before it. */
static void put_erased(struct buf *out, struct str s)
{
  size_t from = out->n;
  for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
    n = control(s, i);
    if (!n) buf_byte(out, s.p[i]);
    if (s.p[i] != '\b') continue;
    while (out->n > from && (out->p[--out->n] & 0xC0) == 0x80) continue;
  }
}

/* Appends what reads better: the stretch without its control characters, or without what they erase as well. */
static void put_read(struct decode_work *w, struct str s)
{
  size_t at = w->out.n;
  uint32_t pairs, erased_pairs;
  put_clean(&w->out, s, has_blanks(s));
  if (w->out.n == at || !memchr(s.p, '\b', s.n)) return;
  size_t end = w->out.n;
  put_erased(&w->out, s);
  struct str clean = {w->out.p + at, end - at}, erased = {w->out.p + end, w->out.n - end};
  uint64_t cost = text_cost(&w->model, clean, &pairs), erased_cost = text_cost(&w->model, erased, &erased_pairs);
  bool better = erased_cost * pairs < cost * erased_pairs;
  if (better) memmove(w->out.p + at, erased.p, erased.n);
  w->out.n = better ? at + erased.n : end;
}

/* The first control character from i on, or the end. */
static size_t next_control(struct str s, size_t i)
{
  unsigned char pad[BLOCK_BYTES];
  for (size_t n; i < s.n; i += n) {
    n = s.n - i < BLOCK_BYTES ? s.n - i : BLOCK_BYTES;
    uint64_t may = block_controls(block_pad((const unsigned char *)s.p + i, n, pad));
    for (; may && block_first(may) < n; may &= may - 1)
      if (control(s, i + block_first(may))) return i + block_first(may);
  }
  return s.n;
}

void decode_controls(struct decode_work *w)
{
  struct str s = w->in;
  size_t first = w->first[MARK_CONTROL], end = 0;
  if (first == SIZE_MAX) return;
  w->work += s.n - first;
  for (size_t i = next_control(s, first); i < s.n; i = next_control(s, end)) {
    size_t start = word_before(s, i), at = w->out.n;
    if (start < end) start = end; /* the piece before has these bytes */
    end = word_behind(s, stretch(s, i));
    struct str all = str_cut(s, start, end);
    put_read(w, all);
    if (piece_looks_right(w, at)) piece_add(w, DECODER_CONTROLS, start, end, at, false);
  }
}
