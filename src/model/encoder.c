/* Which path runs, and the memory of one thread. */
#include "model/encoder_scratch.h"
#include <stdlib.h>

static const struct {
  const char *name;
  encoder_run *run;
} paths[] = {
#define X(name, supported) {#name, encoder_run_##name},
    ENCODER_PATHS(X)
#undef X
};
enum { N_PATHS = sizeof paths / sizeof *paths };

static bool supported(size_t i)
{
  const bool can[] = {
#define X(name, supported) supported,
      ENCODER_PATHS(X)
#undef X
  };
  return can[i];
}

encoder_run *encoder_path(const char *name)
{
  for (size_t i = 0; i < N_PATHS; i++)
    if ((!name || strcmp(name, paths[i].name) == 0) && supported(i)) return paths[i].run;
  return NULL;
}

const char *encoder_best(void)
{
  size_t i = 0;
  while (!supported(i)) i++;
  return paths[i].name;
}

static size_t most(size_t a, size_t b)
{
  return a > b ? a : b;
}

/* Whole cache lines, so that parts do not share one. */
static size_t room(size_t bytes)
{
  return (bytes + 127) / 64 * 64;
}

struct encoder_scratch *encoder_scratch_new(const struct encoder *e)
{
  size_t m = e->window + 16, d = e->width, head = d / e->heads, wide = most(3 * d, e->inner), k = most(most(d, e->inner), m);
  const size_t sizes[] = {m * d * 4, m * wide * 4,
                          m * d * 4, m * most(d, e->inner),
                          m * 4,     m * most(head, m) * 4,
                          m * head,  m * 4,
                          m * head,  m * head,
                          m * 4,     m * 4,
                          head * 4,  m * m,
                          m * 4,     m * k * 2,
                          m * 4,     k * 32,
                          64};
  enum { N = sizeof sizes / sizeof *sizes };
  size_t total = room(sizeof(struct encoder_scratch));
  for (size_t i = 0; i < N; i++) total += room(sizes[i]);
  char *p = aligned_alloc(64, room(total));
  if (!p) return NULL;
  memset(p, 0, total);
  void *parts[N];
  size_t at = room(sizeof(struct encoder_scratch));
  for (size_t i = 0; i < N; i++) {
    parts[i] = p + at;
    at += room(sizes[i]);
  }
  struct encoder_scratch *s = (struct encoder_scratch *)(void *)p;
  *s = (struct encoder_scratch){parts[0],  parts[1],  parts[2],  parts[3],  parts[4],  parts[5],  parts[6],
                                parts[7],  parts[8],  parts[9],  parts[10], parts[11], parts[12], parts[13],
                                parts[14], parts[15], parts[16], parts[17], parts[18]};
  return s;
}

void encoder_scratch_free(struct encoder_scratch *s)
{
  free(s);
}
