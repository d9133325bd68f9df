#include "base/arena.h"
#include <stdarg.h>

enum { FIRST_BLOCK = 8192, ALIGN = 16 };

struct block {
  struct block *next;
  size_t size, used;
  _Alignas(ALIGN) char data[];
};

struct vdt_arena {
  struct block *first, *last;
  size_t limit, used;
};

struct vdt_arena *vdt_arena_new(size_t limit)
{
  struct vdt_arena *a = calloc(1, sizeof *a);
  if (a) a->limit = limit ? limit : (size_t)64 << 20;
  return a;
}

static void free_blocks(struct block *b)
{
  while (b) {
    struct block *next = b->next;
    free(b);
    b = next;
  }
}

void vdt_arena_reset(struct vdt_arena *a)
{
  a->used = 0;
  if (!a->first) return;
  free_blocks(a->first->next);
  a->first->next = NULL;
  a->first->used = 0;
  a->last = a->first;
}

void vdt_arena_free(struct vdt_arena *a)
{
  if (!a) return;
  free_blocks(a->first);
  free(a);
}

/* Blocks double up to 1 MiB, so that a long text costs few calls and a short one little memory. */
static struct block *grow(struct vdt_arena *a, size_t need)
{
  size_t size = a->last ? a->last->size * 2 : FIRST_BLOCK;
  if (size > (size_t)1 << 20) size = (size_t)1 << 20;
  if (size < need) size = need;
  struct block *b = malloc(sizeof *b + size);
  if (!b) return NULL;
  *b = (struct block){.size = size};
  if (a->last) a->last->next = b;
  else a->first = b;
  a->last = b;
  return b;
}

void *arena_alloc(struct vdt_arena *a, size_t n)
{
  if (n > a->limit || a->limit - n < a->used) return NULL;
  size_t rounded = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
  struct block *b = a->last;
  if (!b || b->size - b->used < rounded) b = grow(a, rounded);
  if (!b) return NULL;
  void *p = b->data + b->used;
  b->used += rounded;
  a->used += rounded;
  return p;
}

void *arena_zalloc(struct vdt_arena *a, size_t n, size_t size)
{
  size_t bytes;
  if (__builtin_mul_overflow(n, size, &bytes)) return NULL;
  void *p = arena_alloc(a, bytes);
  return p ? memset(p, 0, bytes) : NULL;
}

void *arena_grow(struct vdt_arena *a, void *array, size_t n, size_t *cap, size_t first, size_t size)
{
  size_t bigger = *cap ? *cap * 2 : first, bytes;
  if (n < *cap) return array;
  if (bigger < *cap || __builtin_mul_overflow(bigger, size, &bytes)) return NULL;
  void *p = arena_alloc(a, bytes);
  if (!p) return NULL;
  if (n) memcpy(p, array, n * size);
  *cap = bigger;
  return p;
}

struct str arena_dup(struct vdt_arena *a, struct str s)
{
  char *p = arena_alloc(a, s.n + 1);
  if (!p) return (struct str){0};
  if (s.n) memcpy(p, s.p, s.n);
  p[s.n] = '\0';
  return (struct str){p, s.n};
}

char *arena_printf(struct vdt_arena *a, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  if (n < 0) return NULL;
  char *p = arena_alloc(a, (size_t)n + 1);
  if (!p) return NULL;
  va_start(ap, fmt);
  vsnprintf(p, (size_t)n + 1, fmt, ap);
  va_end(ap);
  return p;
}

size_t arena_used(const struct vdt_arena *a)
{
  return a->used;
}
