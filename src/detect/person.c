/* Numbers of persons. */
#include "detect/detect.h"

static bool read_digits(struct look *l, uint64_t i, unsigned n, unsigned *value)
{
  *value = 0;
  for (unsigned k = 0; k < n; k++) {
    int c = look_at(l, i + k);
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (unsigned)(c - '0');
  }
  return true;
}

/* As the Social Security Administration gives them out, without those it has published. No checksum exists. */
static bool is_valid(unsigned area, unsigned group, unsigned serial)
{
  if (area == 0 || area == 666 || area >= 900 || group == 0 || serial == 0) return false;
  return !(area == 78 && group == 5 && serial == 1120) && !(area == 123 && group == 45 && serial == 6789);
}

/* Area, group and serial in groups. */
bool check_ssn(const struct rule *r, struct look *l, struct found *out)
{
  unsigned area, group, serial;
  (void)r;
  uint64_t start = l->gate_end - 11;
  int before = start ? look_at(l, start - 1) : -1, separator = look_at(l, start + 3);
  if (l->gate_end < 11 || byte_is_word(before) || before == '-' || look_at(l, start + 6) != separator) return false;
  if (!read_digits(l, start, 3, &area) || !read_digits(l, start + 4, 2, &group) || !read_digits(l, start + 7, 4, &serial))
    return false;
  int after = look_at(l, l->gate_end);
  if (byte_is_word(after) || after == '-') return false;
  if (!is_valid(area, group, serial)) return false;
  if (separator == ' ' && !l->context) return false;
  out->start = start;
  out->end = l->gate_end;
  out->confidence = l->context ? 85 : 65;
  out->reason = l->context ? "format and a word of social security nearby" : "format";
  return true;
}

/* Nine digits in one are a social security number only beside its name. */
bool check_ssn_plain(const struct rule *r, struct look *l, struct found *out)
{
  unsigned area, group, serial;
  (void)r;
  if (!l->context || l->gate_end < 9 || l->gate_end > l->context_end + 40) return false;
  uint64_t start = l->gate_end - 9;
  int before = start ? look_at(l, start - 1) : -1;
  if (byte_is_word(before) || before == '-' || before == '.' || byte_is_word(look_at(l, l->gate_end))) return false;
  if (!read_digits(l, start, 3, &area) || !read_digits(l, start + 3, 2, &group) || !read_digits(l, start + 5, 4, &serial))
    return false;
  if (!is_valid(area, group, serial)) return false;
  out->start = start;
  out->end = l->gate_end;
  out->reason = "nine digits of the right ranges beside a word of social security";
  return true;
}
