/*
 * A bump allocator: one per interaction, freed at once. The public vdt_arena is this type.
 *
 * Allocation failure is an ordinary result (NULL), and the limit makes one interaction's memory bounded whatever its
 * input is.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include "base/str.h"
#include "vedette/vedette.h"

/* n bytes, aligned for any type, not cleared. NULL when out of memory or over the limit. */
void *arena_alloc(struct vdt_arena *arena, size_t n);
/* The same, cleared, for n elements of size; the product may not overflow. */
void *arena_zalloc(struct vdt_arena *arena, size_t n, size_t size);
/* Room for one more element after the first n of an array in the arena: the array itself while n < *cap, else a copy of twice the
 * size (`first` at the beginning). What it outgrew stays in the arena, in all as much again. NULL when out of memory; then the old
 * array is as it was. */
void *arena_grow(struct vdt_arena *arena, void *array, size_t n, size_t *cap, size_t first, size_t size);
/* A copy, NUL-terminated for our own comfort (n does not count the NUL). p is NULL when out of memory. */
struct str arena_dup(struct vdt_arena *arena, struct str s);
/* printf into the arena; NULL when out of memory. */
char *arena_printf(struct vdt_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes handed out since the last reset. */
size_t arena_used(const struct vdt_arena *arena);
#endif
