/*
 * Tests print TAP: one "ok" or "not ok" line per case, which ./test counts. A test program is a list of functions:
 *
 *   static void opens_an_empty_arena(void) { CHECK(vdt_arena_new(0) != NULL); }
 *   int main(void) { RUN(opens_an_empty_arena); return test_end(); }
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H
#include "base/str.h"
#include <inttypes.h>

/* What measures time or wants much memory does less where every access is checked. */
#ifndef __has_feature
#define __has_feature(x) 0 /* clang's own word for it; gcc defines a macro */
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { TEST_SANITIZED = 1 };
#else
enum { TEST_SANITIZED = 0 };
#endif

static int test_number __attribute__((unused)), test_failed_total __attribute__((unused));
static bool test_failed __attribute__((unused));

#define CHECK(cond)                                                                                                              \
  do {                                                                                                                           \
    if (!(cond)) {                                                                                                               \
      printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);                                                                        \
      test_failed = true;                                                                                                        \
    }                                                                                                                            \
  } while (0)

#define CHECK_INT(got, want)                                                                                                     \
  do {                                                                                                                           \
    int64_t g_ = (int64_t)(got), w_ = (int64_t)(want);                                                                           \
    if (g_ != w_) {                                                                                                              \
      printf("# %s:%d: %s is %" PRId64 ", want %" PRId64 "\n", __FILE__, __LINE__, #got, g_, w_);                                \
      test_failed = true;                                                                                                        \
    }                                                                                                                            \
  } while (0)

#define CHECK_STR(got, want)                                                                                                     \
  do {                                                                                                                           \
    struct str g_ = (got), w_ = str_of(want);                                                                                    \
    if (!str_eq(g_, w_)) {                                                                                                       \
      printf("# %s:%d: %s is \"%.*s\", want \"%s\"\n", __FILE__, __LINE__, #got, (int)g_.n, g_.p ? g_.p : "", w_.p);             \
      test_failed = true;                                                                                                        \
    }                                                                                                                            \
  } while (0)

/* Names the case: fmt and values, for table-driven tests. */
#define CASE_BEGIN() (test_failed = false)
#define CASE_END(...)                                                                                                            \
  do {                                                                                                                           \
    printf("%s %d - ", test_failed ? "not ok" : "ok", ++test_number);                                                            \
    printf(__VA_ARGS__);                                                                                                         \
    putchar('\n');                                                                                                               \
    test_failed_total += test_failed;                                                                                            \
  } while (0)
#define RUN(fn)                                                                                                                  \
  do {                                                                                                                           \
    CASE_BEGIN();                                                                                                                \
    fn();                                                                                                                        \
    CASE_END("%s", #fn);                                                                                                         \
  } while (0)

static inline int test_end(void)
{
  printf("1..%d\n", test_number);
  return test_failed_total ? 1 : 0;
}
#endif
