/*
 * What the encoder costs for a window of full length on each path that this processor has: milliseconds of CPU to the exit and to the end, the least of
 * all rounds.
 *
 *   build/tests/bench/encoder [ROUNDS]
 *
 * Paths take turns, so that what else runs on the machine slows all of them. The tokens are any: what they are makes no difference to the time.
 */
#include "base/file.h"
#include "model/weights.h"
#include <stdlib.h>
#include <time.h>

enum { EXIT, END, WAYS };
static const float leave[WAYS] = {[EXIT] = 1e9f, [END] = -1e9f};

static struct path {
  const char *name;
  encoder_run *run;
  double ms[WAYS];
} paths[] = {
#define X(name, supported) {#name, NULL, {0}},
    ENCODER_PATHS(X)
#undef X
};
enum { PATHS = sizeof paths / sizeof *paths };

static double cpu_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void round_of(const struct encoder *e, struct encoder_scratch *s, const uint32_t *ids)
{
  static struct reading reading;
  for (size_t p = 0; p < PATHS; p++)
    for (size_t way = 0; paths[p].run && way < WAYS; way++) {
      double begin = cpu_ms();
      paths[p].run(e, s, ids, e->window, leave[way], &reading);
      double ms = cpu_ms() - begin;
      if (paths[p].ms[way] <= 0 || ms < paths[p].ms[way]) paths[p].ms[way] = ms;
    }
}

int main(int argc, char **argv)
{
  unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 30;
  uint32_t ids[WINDOW_MAX] = {TOKEN_PROMPT};
  const void *file;
  size_t n;
  struct weights w;
  struct vdt_error err;
  if (file_map("model/shield.weights", 32 << 20, &file, &n, &err) || weights_read(file, n, &w, &err)) {
    fprintf(stderr, "the model: %s\n", err.text);
    return 1;
  }
  struct encoder_scratch *s = encoder_scratch_new(&w.encoder);
  if (!s) return 1;
  for (uint32_t i = 1; i < w.encoder.window; i++) ids[i] = FIRST_PIECE + i * 7919 % (w.encoder.vocabulary - FIRST_PIECE);
  for (size_t p = 0; p < PATHS; p++) paths[p].run = encoder_path(paths[p].name);
  for (unsigned long i = 0; i < rounds; i++) round_of(&w.encoder, s, ids);
  for (size_t p = 0; p < PATHS; p++)
    if (paths[p].run)
      printf("%-12s %7.2f ms to the exit, %7.2f ms to the end\n", paths[p].name, paths[p].ms[EXIT], paths[p].ms[END]);
  encoder_scratch_free(s);
  weights_finish(&w);
  file_unmap(file, n);
  return 0;
}
