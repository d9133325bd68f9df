/*
 * What policies about data cost a request for which so many of them hold: putting them on top of the policy of its deployment, once. CPU time, the
 * best of many rounds.
 *
 *   VEDETTE_SRC=. build/tests/bench/data_policy
 */
#include "engine/data_policy.h"
#include "tests/engine/rig.h"
#include <time.h>

enum { ROUNDS = 50, CALLS = 50 };

static double cpu_us(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double measure(const struct vdt_policy *base, const struct data_policy *const *holds, size_t n)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_policy out;
  double best = 1e12;
  for (int round = 0; round < ROUNDS; round++) {
    double begin = cpu_us();
    for (int i = 0; i < CALLS; i++) {
      if (data_policy_tighten(rig_engine, arena, base, holds, n, &out)) abort();
      vdt_arena_reset(arena);
    }
    double us = (cpu_us() - begin) / CALLS;
    if (us < best) best = us;
  }
  vdt_arena_free(arena);
  return best;
}

int main(void)
{
  static const size_t numbers[] = {1, 10, 100, DATA_POLICIES_MAX};
  static struct data_policy policies[DATA_POLICIES_MAX];
  const struct data_policy *holds[DATA_POLICIES_MAX];
  const struct data_kind all = {"All credentials", 0};
  struct vdt_error err = {0};
  uint8_t *rules;
  rig_load();
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_policy base = rig_policy(VDT_DETECT);
  if (data_kinds_find(rig_engine, arena, &all, 1, &rules, &err)) abort();
  for (size_t i = 0; i < DATA_POLICIES_MAX; i++) {
    policies[i] = (struct data_policy){.name = "p", .prompt = VDT_BLOCK, .response = VDT_CUT, .rules = rules};
    holds[i] = &policies[i];
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    printf("%3zu policies: %6.1f us\n", numbers[i], measure(&base, holds, numbers[i]));
  vdt_arena_free(arena);
  rig_unload();
  return 0;
}
