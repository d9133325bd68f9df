#include "base/clock.h"
#include <string.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
  struct timespec t;
  clock_gettime(id, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

uint64_t clock_unix_us(void)
{
  return read_clock(CLOCK_REALTIME);
}

uint64_t clock_mono_us(void)
{
  return read_clock(CLOCK_MONOTONIC);
}

/* With zeros before it. */
static char *put_number(char *p, unsigned v, size_t digits)
{
  for (size_t i = digits; i--; v /= 10) p[i] = (char)('0' + v % 10);
  return p + digits;
}

/* Written digit by digit: every record has a time, and strftime and printf took half of what writing one takes. */
void clock_format(uint64_t unix_us, char out[CLOCK_TEXT])
{
  time_t s = (time_t)(unix_us / 1000000u);
  struct tm tm;
  if (!gmtime_r(&s, &tm) || tm.tm_year > 8099) {
    s = 0;
    gmtime_r(&s, &tm);
  }
  const struct {
    unsigned value;
    size_t digits;
    char behind;
  } parts[] = {{(unsigned)tm.tm_year + 1900, 4, '-'},   {(unsigned)tm.tm_mon + 1, 2, '-'}, {(unsigned)tm.tm_mday, 2, 'T'},
               {(unsigned)tm.tm_hour, 2, ':'},          {(unsigned)tm.tm_min, 2, ':'},     {(unsigned)tm.tm_sec, 2, '.'},
               {(unsigned)(unix_us % 1000000u), 6, 'Z'}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    out = put_number(out, parts[i].value, parts[i].digits);
    *out++ = parts[i].behind;
  }
  *out = 0;
}

static bool digits(const char *p, size_t n, int *out)
{
  int v = 0;
  for (size_t i = 0; i < n; i++) {
    if (p[i] < '0' || p[i] > '9') return false;
    v = v * 10 + (p[i] - '0');
  }
  *out = v;
  return true;
}

uint64_t clock_parse(const char *p, size_t n)
{
  static const char shape[] = "dddd-dd-ddTdd:dd:dd";
  struct tm tm = {0};
  if (n < 20 || p[n - 1] != 'Z') return 0;
  for (size_t i = 0; i < sizeof shape - 1; i++)
    if (shape[i] != 'd' && p[i] != shape[i]) return 0;
  if (!digits(p, 4, &tm.tm_year) || !digits(p + 5, 2, &tm.tm_mon) || !digits(p + 8, 2, &tm.tm_mday) ||
      !digits(p + 11, 2, &tm.tm_hour) || !digits(p + 14, 2, &tm.tm_min) || !digits(p + 17, 2, &tm.tm_sec))
    return 0;
  if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
    return 0;
  uint64_t us = 0, scale = 100000;
  size_t i = 19;
  if (p[i] == '.') {
    for (i++; i < n - 1; i++, scale /= 10) {
      if (p[i] < '0' || p[i] > '9' || i > 26) return 0;
      us += scale * (uint64_t)(p[i] - '0');
    }
    if (i == 20) return 0;
  }
  if (i != n - 1) return 0;
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  time_t s = timegm(&tm);
  return s < 0 ? 0 : (uint64_t)s * 1000000u + us;
}
