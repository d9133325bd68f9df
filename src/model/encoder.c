/* Which path runs, and the memory of one thread. */
#include "model/encoder_scratch.h"
#include <cpuid.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
  const char *name;
  encoder_run *run;
} paths[] = {
#define X(name, supported) {#name, encoder_run_##name},
    ENCODER_PATHS(X)
#undef X
};
enum { N_PATHS = sizeof paths / sizeof *paths };

/* Leaf 7 of cpuid tells of AMX, and the kernel gives room for its tiles to whom asks. */
static bool may_use_tiles(void)
{
  enum { AMX_TILE = 1 << 24, AMX_INT8 = 1 << 25, ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & AMX_TILE) && (d & AMX_INT8) &&
         syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

/* No such processor was at hand when this path was written: its test executes the instructions by itself. So each processor has to show, before
 * verdicts depend on it, that it multiplies as all others do. */
static bool tiles_agree(void)
{
  enum { M = 20, N = 48, K = 80 };
  uint8_t a[M * K];
  int8_t w[K * N];
  int32_t want[(M + 3) * N] = {0}, got[(M + 3) * N] = {0};
  struct encoder_scratch *s = encoder_scratch_new(&(struct encoder){.width = K, .heads = 1, .inner = K, .window = M});
  uint32_t seed = 1;
  for (size_t i = 0; i < sizeof a; i++) a[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
  for (size_t i = 0; i < sizeof w; i++) w[i] = (int8_t)((seed = seed * 1664525 + 1013904223) >> 24);
  if (s) {
    encoder_product_portable(s, a, M, K, K, w, N, want);
    encoder_product_amx(s, a, M, K, K, w, N, got);
  }
  bool same = s && memcmp(got, want, M * N * sizeof *got) == 0;
  encoder_scratch_free(s);
  return same;
}

bool encoder_tiles(void)
{
  return may_use_tiles() && tiles_agree();
}

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
