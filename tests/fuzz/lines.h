/* Inputs of fuzz targets that come in lines. */
#ifndef FUZZ_LINES_H
#define FUZZ_LINES_H
#include "base/str.h"
#include <string.h>

/* Takes the first line off the text, without its line feed. */
static inline struct str next(struct str *text)
{
  const char *lf = text->n ? memchr(text->p, '\n', text->n) : NULL;
  size_t n = lf ? (size_t)(lf - text->p) : text->n;
  struct str s = str_cut(*text, 0, n);
  *text = str_cut(*text, lf ? n + 1 : n, text->n);
  return s;
}

#endif
