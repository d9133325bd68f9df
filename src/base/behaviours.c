/* The table of behaviours.def as numbers. */
#include "base/behaviours.h"

const struct behaviour_limits behaviour_standard = {
#define BEHAVIOUR_LIMIT(name, kind, text, value, low, high, help) .name = value,
#include "base/behaviours.def"
#undef BEHAVIOUR_LIMIT
};

static const struct {
  const char *name;
  size_t offset, size;
  double low, high;
} rows[] = {
#define BEHAVIOUR_LIMIT(name, kind, text, value, low, high, help)                                                                \
  {#name, offsetof(struct behaviour_limits, name), sizeof(BEHAVIOUR_##kind), low, high},
#include "base/behaviours.def"
#undef BEHAVIOUR_LIMIT
};

const char *behaviour_limit_name(size_t i)
{
  return i < sizeof rows / sizeof *rows ? rows[i].name : NULL;
}

uint64_t behaviour_limit_get(const struct behaviour_limits *limits, size_t i)
{
  const char *at = (const char *)limits + rows[i].offset;
  return rows[i].size == sizeof(uint64_t) ? *(const uint64_t *)at : *(const unsigned *)at;
}

_Bool behaviour_limit_set(struct behaviour_limits *limits, size_t i, uint64_t value)
{
  char *at = (char *)limits + rows[i].offset;
  if ((double)value < rows[i].low || (double)value > rows[i].high) return 0;
  if (rows[i].size == sizeof(uint64_t)) *(uint64_t *)at = value;
  else *(unsigned *)at = (unsigned)value;
  return 1;
}
