/*
 * What sealing adds to an interaction: the same interaction through the exchange, request and record, with evidence off, kept and sealed, whole; clean
 * and flagged; and sealing and opening alone. Rounds of all of them take turns, so that a busy machine is busy for all. Prints the median and the 99th
 * percentile of CPU time in microseconds.
 *
 *   VEDETTE_SRC=. build/tests/bench/seal
 */
#include "tests/exchange/rig.h"
#include <time.h>

enum { ROUNDS = 4000, BYTES = 600 };

static uint64_t cpu_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
  const uint64_t *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

struct row {
  const char *what, *deployment, *body;
  bool keyless;
  uint64_t took[ROUNDS], all[ROUNDS]; /* the record; from the head of the request to the record */
};

/* What a worker does between two requests. */
static void between(uint64_t now_us)
{
  for (size_t i = 0; i < RIG_WORKSPACES; i++) sealer_prepare(rig_sealers[i], now_us);
}

static void exchange_once(struct row *r, size_t i)
{
  struct talk t = {.deployment = r->deployment, .body = str_of(r->body)};
  struct buf line = {0};
  rig_image.sealers = r->keyless ? NULL : rig_sealers;
  uint64_t first = cpu_ns();
  rig_request(&t);
  uint64_t begin = cpu_ns();
  exchange_record(t.x, RECORD_COMPLETE, 5000000, &line);
  uint64_t end = cpu_ns();
  r->took[i] = end - begin;
  r->all[i] = end - first;
  buf_finish(&line);
  rig_end(&t);
  between(5000000);
}

static void print(const char *what, uint64_t *took, size_t n)
{
  qsort(took, n, sizeof *took, by_size);
  printf("%-46s %8.2f %8.2f\n", what, (double)took[n / 2] / 1000, (double)took[n * 99 / 100] / 1000);
}

static void alone(void)
{
  static uint64_t sealing[ROUNDS], opening[ROUNDS], preparing[ROUNDS];
  char text[BYTES];
  struct seal_place place = {STR("kept"), STR("0123456789abcdef0123456789abcdef"), SEAL_FINDING, STR("rule")};
  struct vdt_arena *arena = vdt_arena_new(0);
  struct sealed sealed;
  struct str out;
  memset(text, 'a', sizeof text);
  for (size_t i = 0; i < ROUNDS; i++) {
    struct buf token = {0};
    vdt_arena_reset(arena);
    uint64_t begin = cpu_ns();
    if (seal(rig_sealers[1], 5000000, &place, (struct str){text, sizeof text}, &token)) exit(1);
    sealing[i] = cpu_ns() - begin;
    begin = cpu_ns();
    if (sealed_read(buf_str(&token), arena, &sealed, NULL) || seal_open(rig_keys[1], &place, &sealed, arena, &out, NULL)) exit(1);
    opening[i] = cpu_ns() - begin;
    buf_finish(&token);
  }
  for (size_t i = 0; i < ROUNDS; i++) {
    uint64_t begin = cpu_ns();
    sealer_prepare(rig_sealers[1], (i + 1) * UINT64_C(86400000000)); /* each of another day */
    preparing[i] = cpu_ns() - begin;
  }
  double sum = 0;
  for (size_t i = 0; i < ROUNDS; i++) sum += (double)sealing[i];
  printf("sealing alone, the new data keys within it: mean %.2f\n", sum / ROUNDS / 1000);
  print("sealing a finding", sealing, ROUNDS);
  print("opening one", opening, ROUNDS);
  print("a data key made ahead, between two requests", preparing, ROUNDS);
  vdt_arena_free(arena);
}

int main(void)
{
  static struct row rows[] = {
      {.what = "clean, evidence off", .deployment = "m", .body = USER("a harmless question")},
      {.what = "clean, segments", .deployment = "kept", .body = USER("a harmless question")},
      {.what = "clean, full", .deployment = "whole", .body = USER("a harmless question")},
      {.what = "flagged, evidence off", .deployment = "m", .body = USER("zanzibar " JAILBREAK)},
      {.what = "flagged, segments, dropped for want of a key",
       .deployment = "kept",
       .body = USER("zanzibar " JAILBREAK),
       .keyless = true},
      {.what = "flagged, segments, sealed", .deployment = "kept", .body = USER("zanzibar " JAILBREAK)},
      {.what = "flagged, full, masked and sealed", .deployment = "whole", .body = USER("zanzibar " JAILBREAK)}};
  rig_load();
  for (size_t i = 0; i < ROUNDS; i++)
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) exchange_once(&rows[k], i);
  rig_image.sealers = rig_sealers;
  printf("%-46s %8s %8s\n", "writing the record of an interaction", "p50 us", "p99 us");
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) print(rows[k].what, rows[k].took, ROUNDS);
  printf("all of it, from the head of the request on\n");
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) print(rows[k].what, rows[k].all, ROUNDS);
  alone();
  rig_unload();
  return 0;
}
