/*
 * Text in another order than it is shown: overrides and isolates of direction (Unicode's Bidirectional Algorithm, UAX #9) that show letters in the
 * order of the words they make, and keep them in another one. What is read is the order in which a line is shown; ICU puts it so.
 */
#include "engine/decode_inside.h"
#include <unicode/ubidi.h>
#include <unicode/ustring.h>

enum { AROUND = 32768 }; /* bytes of a line that are put in order on either side of an override */

/* U+202D or U+202E, which override the direction of letters: nothing else turns Latin ones. */
static size_t next_override(struct str s, size_t i)
{
  for (; i + 3 <= s.n; i++) {
    const char *p = memchr(s.p + i, '\xE2', s.n - i - 2);
    if (!p) break;
    i = (size_t)(p - s.p);
    if (p[1] == '\x80' && (p[2] == '\xAD' || p[2] == '\xAE')) return i;
  }
  return s.n;
}

/* Appends a line as it is shown, without the characters that order it. False when it has no such order, or memory runs out. */
static bool put_shown(struct decode_work *w, struct str line)
{
  UErrorCode rc = U_ZERO_ERROR;
  int32_t n = 0, shown_n = 0, bytes = 0, room = (int32_t)line.n + 1;
  UChar *text = malloc(2 * (size_t)room * sizeof *text), *shown = text ? text + room : NULL;
  UBiDi *bidi = text ? ubidi_open() : NULL;
  size_t at = w->out.n;
  if (bidi) {
    u_strFromUTF8WithSub(text, room, &n, line.p, (int32_t)line.n, 0xFFFD, NULL, &rc);
    ubidi_setPara(bidi, text, n, UBIDI_DEFAULT_LTR, NULL, &rc);
    shown_n = ubidi_writeReordered(bidi, shown, room, UBIDI_REMOVE_BIDI_CONTROLS | UBIDI_KEEP_BASE_COMBINING, &rc);
    if (U_SUCCESS(rc) && buf_reserve(&w->out, 3 * (size_t)shown_n + 1))
      u_strToUTF8(w->out.p + at, 3 * shown_n + 1, &bytes, shown, shown_n, &rc);
    ubidi_close(bidi);
  }
  w->failed |= !bidi;
  free(text);
  if (!bidi || U_FAILURE(rc) || w->out.failed) return false;
  w->out.n = at + (size_t)bytes;
  return true;
}

void decode_bidi(struct decode_work *w, struct str original, const struct view *v)
{
  size_t end = 0;
  if (w->leaks) return;
  w->work += original.n;
  for (size_t i = next_override(original, 0); i < original.n; i = next_override(original, end)) {
    size_t start = i, at = w->out.n, most = original.n - i > AROUND ? AROUND : original.n - i;
    const char *stop = memchr(original.p + i, '\n', most);
    while (start > end && i - start < AROUND && original.p[start - 1] != '\n') start--;
    end = stop ? (size_t)(stop - original.p) : i + most;
    if (put_shown(w, str_cut(original, start, end)) && piece_looks_right(w, at))
      piece_add_full(w, (struct piece){.start = (uint32_t)view_at(v, start),
                                       .end = (uint32_t)view_at(v, end),
                                       .at = (uint32_t)at,
                                       .layers = {DECODER_BIDI},
                                       .n_layers = 1,
                                       .variant = VARIANT_LAST});
  }
}
