/*
 * The view: what detectors read. Text as an attacker writes it, turned into text as a reader sees it, with a way back to the
 * original bytes.
 *
 * Per code point, so that no way of cutting the input can change it: NFKC; combining marks U+0300-036F dropped (e with
 * acute and e + acute both read "e"); code points that show nothing (zero-width, bidi controls, tags, variation selectors, soft hyphen)
 * taken out; what is not ASCII afterwards is case-folded. ASCII keeps its case, because keys need it. A byte that is not UTF-8
 * reads as U+FFFD. ASCII text is its own view, byte for byte.
 */
#ifndef ENGINE_VIEW_H
#define ENGINE_VIEW_H
#include "base/buf.h"
#include "base/str.h"

/* From view offset on, original = view offset + delta, until the next entry; inside a replaced code point every view byte maps to
 * its first original byte (width > 0: the code point's original length). */
struct view_step {
  uint64_t view, orig;
  uint32_t width; /* 0: bytes map one to one from here */
};

/* view_offset/orig_offset count from the beginning of the text; text.p[0] is the byte at view_base. */
struct view {
  struct buf text;
  uint64_t view_base;
  uint64_t view_len, orig_len; /* bytes produced and consumed so far */
  struct view_step *steps;
  size_t n_steps, cap_steps;
  unsigned char partial[4]; /* an incomplete UTF-8 sequence */
  unsigned n_partial;
  uint64_t invisible; /* how many code points were taken out for showing nothing */
  bool failed;        /* out of memory */
};

void view_init(struct view *v);
void view_finish(struct view *v);
/* Appends input; false when out of memory. */
bool view_feed(struct view *v, const char *p, size_t n);
/* The text is over: an incomplete sequence becomes U+FFFD. */
bool view_end(struct view *v);
/* Forgets text and steps before the view offset. */
void view_drop(struct view *v, uint64_t offset);
/* Original offset of the code point that a view offset stands in. At view_len: the original bytes consumed, less a partial sequence. */
uint64_t view_start(const struct view *v, uint64_t offset);
/* Original offset just after the code point that ends before the view offset `end` (end > 0): what was taken out after it is not
 * included. */
uint64_t view_stop(const struct view *v, uint64_t end);
/* View offset of the first byte that stands for the original offset, or for what follows it where nothing does. Of a view from which
 * nothing has been dropped. */
uint64_t view_at(const struct view *v, uint64_t orig);
#endif
