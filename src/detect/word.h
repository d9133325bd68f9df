/* Words of names and streets in a text that may go on: letters of any script (bytes of 128 and more), ' and - inside of them. */
#ifndef DETECT_WORD_H
#define DETECT_WORD_H
#include "detect/detect.h"

enum { WORD_BYTES = 24 };

static inline bool word_upper(int c)
{
  return c >= 'A' && c <= 'Z';
}

static inline bool word_letter(int c)
{
  return word_upper(c) || (c >= 'a' && c <= 'z') || c >= 0x80;
}

/* Where the word ends that begins at i, WORD_BYTES behind it at the most; i itself when there is none. */
static inline uint64_t word_end(struct look *l, uint64_t i)
{
  uint64_t end = i;
  for (; end < i + WORD_BYTES; end++) {
    int c = look_at(l, end);
    if (!word_letter(c) && !((c == '\'' || c == '-') && end > i && word_letter(look_at(l, end + 1)))) break;
  }
  return end;
}
#endif
