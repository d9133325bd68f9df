/*
 * A growing byte buffer. A failed allocation sets `failed` and every later append does nothing, so that a writer checks
 * once, at its end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include "base/str.h"

struct buf {
  char *p;
  size_t n, cap;
  bool failed;
};

/* Room for one more element after the first n of a malloc'd array, which doubles from `first`. NULL when out of memory; then the
 * old array is as it was. */
void *heap_grow(void *array, size_t n, size_t *cap, size_t first, size_t size);

void buf_finish(struct buf *b);               /* frees; the buf may be used again */
void buf_reset(struct buf *b);                /* n = 0, keeps the memory */
bool buf_reserve(struct buf *b, size_t more); /* room for more bytes after n */
void buf_put(struct buf *b, struct str s);
void buf_byte(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u64(struct buf *b, uint64_t v); /* in decimal */
/* Takes away the first n bytes. */
void buf_drop(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
  return (struct str){b->p, b->n};
}
#define BUF_LIT(b, literal) buf_put((b), STR(literal))
#endif
