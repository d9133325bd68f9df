/* The clocks, for everything outside the library: the engine takes time as an argument. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t clock_unix_us(void); /* wall clock, microseconds since 1970 */
uint64_t clock_mono_us(void); /* monotonic */
/* "2026-11-25T15:46:15.123456Z" (27 bytes and a NUL) and back; parse takes 0 to 7 fraction digits and returns 0 when it is no such time. */
enum { CLOCK_TEXT = 28 };
void clock_format(uint64_t unix_us, char out[CLOCK_TEXT]);
uint64_t clock_parse(const char *p, size_t n);
#endif
