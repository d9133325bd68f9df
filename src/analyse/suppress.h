/*
 * Suppression rules: which events of alerts are dismissed as they come, in the terms of Microsoft.Security/alertsSuppressionRules.
 *
 * A rule says an alert type ("*": any) and may say a scope: tests that must all hold. A test looks at one field,
 * entities.TYPE.PROPERTY (analyse/entities.def) or extendedProperties.NAME (analyse/extended.def), and takes one of `in`, `equals` and
 * `contains`; ASCII case does not matter, neither in names nor in values. Where a property gathers several values (", " between them) one of
 * them is enough. Pure: no clock, no I/O.
 */
#ifndef ANALYSE_SUPPRESS_H
#define ANALYSE_SUPPRESS_H
#include "analyse/alert.h"

/* VALUES_MAX: of a rule altogether. */
enum { SUPPRESS_TESTS_MAX = 32, SUPPRESS_VALUES_MAX = 1000, SUPPRESS_TEXT_MAX = 1024 };

struct suppress_test {
  unsigned field;
  bool contains; /* else equal to one of the values */
  struct str *values;
  size_t n;
};

struct suppress_rule {
  struct str subscription, name, alert_type, reason, comment;
  struct str scope; /* JSON array of ScopeElement, or empty */
  bool enabled;
  uint64_t modified_us, expires_us; /* expires_us 0: never */
  struct str who;                   /* wrote it last */
  struct suppress_test *tests;      /* compiled from scope */
  size_t n_tests;
};

/* "Enabled", "Disabled" or "Expired". */
const char *suppress_state(const struct suppress_rule *rule, uint64_t now_us);
/* Starts with a letter or digit, 2 to 50 letters, digits, '-' and '_'. */
bool suppress_name_ok(struct str name);
/* Reads rule->scope into rule->tests; all of it in the arena. EINVAL with a sentence in err that says which element is wrong and how, never
 * quoting its values; ENOMEM. An empty scope has no tests. */
int suppress_compile(struct vdt_arena *arena, struct suppress_rule *rule, struct vdt_error *err);
/* A compiled rule says so about this event. */
bool suppress_matches(const struct suppress_rule *rule, const struct alert *event, uint64_t now_us);
#endif
