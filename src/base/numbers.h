/*
 * numbers: long lists of JSON numbers, 64 bytes at once. An embedding is a thousand numbers that hold nothing to inspect; they still must be
 * JSON, or what another reader makes of the answer is not what was inspected here.
 */
#ifndef BASE_NUMBERS_H
#define BASE_NUMBERS_H
#include <stddef.h>

/* How many bytes at p, where an element of an array may begin, are JSON numbers each followed by a comma, with or without blanks around.
 * Exact about what it takes, and free to take less: it stops in front of everything else, of what is malformed, and of the last 64
 * bytes; 0 where the processor has no such instructions. */
size_t numbers_run(const char *p, size_t n);
#endif
