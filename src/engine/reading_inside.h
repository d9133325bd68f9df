/* What reading.c and reading_bytes.c share: how a reading reads, apart from what it finds. */
#ifndef ENGINE_READING_INSIDE_H
#define ENGINE_READING_INSIDE_H
#include "engine/reading.h"

enum {
  READING_GATE_NEAR = 512, /* line ends and emphasis are signs only behind a gate */
  READING_SURE = 12,       /* so many bytes of text out of base64 are no chance */
};

/* Reads on, at most to the end of the window. False when out of memory. */
bool reading_read(struct reading *r, const struct window *w);
/* A run of base64 is over, or there is none yet. */
void reading_end_run(struct reading *r);
/* The first escape from i on, or the end. */
uint64_t reading_next_escape(const struct window *w, uint64_t i);

/* The byte at a view offset; -1 behind the end of the text; -2 where it has not arrived. */
static inline int reading_at(const struct window *w, uint64_t i)
{
  return i < w->end ? w->p[i - w->base] : w->eof ? -1 : -2;
}

static inline bool reading_is_emphasis(int c)
{
  return c == '*' || c == '`';
}
#endif
