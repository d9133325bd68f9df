/*
 * The parameters of the behaviour detectors (analyse/behaviour.h). They are here because the configuration reads them and the analysis goes by them,
 * and neither may know the other. Durations are seconds.
 */
#ifndef BASE_BEHAVIOURS_H
#define BASE_BEHAVIOURS_H
#include <stddef.h>
#include <stdint.h>

#define BEHAVIOUR_UINT     unsigned
#define BEHAVIOUR_DURATION uint64_t
struct behaviour_limits {
#define BEHAVIOUR_LIMIT(name, kind, text, value, low, high, help) BEHAVIOUR_##kind name;
#include "base/behaviours.def"
#undef BEHAVIOUR_LIMIT
};
extern const struct behaviour_limits behaviour_standard;

/* One of them by its place in the table: its name, and its value as a number. NULL behind the last. */
const char *behaviour_limit_name(size_t i);
uint64_t behaviour_limit_get(const struct behaviour_limits *limits, size_t i);
/* Sets it when the value is within its bounds; returns whether. */
_Bool behaviour_limit_set(struct behaviour_limits *limits, size_t i, uint64_t value);
#endif
