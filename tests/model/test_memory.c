/* Verdicts given before: found again, apart by role and by text, and the least asked for makes room. */
#include "model/memory.h"
#include "tests/test.h"

static struct memory_key numbered(unsigned i)
{
  char text[32];
  int n = snprintf(text, sizeof text, "text %u", i);
  return memory_key_of((struct str){text, (size_t)n}, false);
}

static void is_found_again(void)
{
  struct memory *m = memory_new();
  struct memory_key k = memory_key_of(STR("a text"), false), other = memory_key_of(STR("a text"), true),
                    third = memory_key_of(STR("a texu"), false);
  struct model_verdict v = {.score = 0.25, .windows = 3};
  CHECK(memory_find(m, &k) == NULL);
  memory_put(m, &k, &v);
  CHECK(memory_find(m, &k) && memory_find(m, &k)->windows == 3);
  CHECK(memory_find(m, &other) == NULL);
  CHECK(memory_find(m, &third) == NULL);
  memory_free(m);
}

static void the_least_asked_for_makes_room(void)
{
  struct memory *m = memory_new();
  struct memory_key first = numbered(0), second = numbered(1);
  struct model_verdict v = {.score = 0.5};
  memory_put(m, &first, &v);
  memory_put(m, &second, &v);
  for (unsigned i = 2; i < 40 * MEMORY_SETS; i++) {
    struct memory_key k = numbered(i);
    memory_put(m, &k, &v);
    if (!memory_find(m, &first)) break;
  }
  CHECK(memory_find(m, &first) != NULL);
  CHECK(memory_find(m, &second) == NULL);
  memory_free(m);
}

int main(void)
{
  RUN(is_found_again);
  RUN(the_least_asked_for_makes_room);
  return test_end();
}
