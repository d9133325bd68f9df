#include "base/buf.h"
#include <stdarg.h>

void *heap_grow(void *array, size_t n, size_t *cap, size_t first, size_t size)
{
  size_t bigger = *cap ? *cap * 2 : first, bytes;
  if (n < *cap) return array;
  if (bigger < *cap || __builtin_mul_overflow(bigger, size, &bytes)) return NULL;
  void *p = realloc(array, bytes);
  if (p) *cap = bigger;
  return p;
}

void buf_finish(struct buf *b)
{
  free(b->p);
  *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
  b->n = 0;
  b->failed = false;
}

bool buf_reserve(struct buf *b, size_t more)
{
  if (b->failed) return false;
  if (b->cap - b->n >= more) return true;
  size_t cap = b->cap ? b->cap : 256;
  while (cap - b->n < more) {
    if (cap > SIZE_MAX / 2) {
      b->failed = true;
      return false;
    }
    cap *= 2;
  }
  char *p = realloc(b->p, cap);
  if (!p) {
    b->failed = true;
    return false;
  }
  b->p = p;
  b->cap = cap;
  return true;
}

void buf_put(struct buf *b, struct str s)
{
  if (s.n == 0 || !buf_reserve(b, s.n)) return;
  memcpy(b->p + b->n, s.p, s.n);
  b->n += s.n;
}

void buf_byte(struct buf *b, char c)
{
  if (buf_reserve(b, 1)) b->p[b->n++] = c;
}

/* Mostly there is room already, and once is enough. */
void buf_printf(struct buf *b, const char *fmt, ...)
{
  va_list ap;
  size_t room = b->failed ? 0 : b->cap - b->n;
  va_start(ap, fmt);
  int n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, ap);
  va_end(ap);
  if (n < 0) return;
  if ((size_t)n >= room) {
    if (!buf_reserve(b, (size_t)n + 1)) return;
    va_start(ap, fmt);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
  }
  b->n += (size_t)n;
}

void buf_u64(struct buf *b, uint64_t v)
{
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + v % 10);
  while (v /= 10);
  buf_put(b, (struct str){digits + at, sizeof digits - at});
}

void buf_drop(struct buf *b, size_t n)
{
  if (n < b->n) memmove(b->p, b->p + n, b->n - n);
  b->n = n < b->n ? b->n - n : 0;
}
