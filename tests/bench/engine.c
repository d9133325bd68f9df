/*
 * How fast the engine reads: MB/s of one core for whole texts and for streams, all leak and attack rules on, beside yardsticks over the same
 * bytes: memchr, the search for the gates alone, which is part of every row, and Vectorscan's for the same. On a shared machine the ratios tell more than the rows.
 *
 *   VEDETTE_SRC=. build/tests/bench/engine FILE...     texts to read, 64 MiB at most; lines are joined to messages
 *
 * ONLY=WORDS in the environment runs the rows, and the yardsticks, that have them in their names; ROUNDS=N times each. The last rows are with the trained model ($VEDETTE_MODEL or model/shield.weights; not with none), over the first 4 MiB, once: what it has read it remembers.
 */
#include "base/file.h"
#include "engine/scanner.h"
#include "tests/engine/rig.h"
#include <time.h>

enum { MESSAGE = 16384, LIMIT = 64 << 20, MODEL_LIMIT = 4 << 20 };

struct run {
  const char *name;
  enum vdt_role role;
  size_t message; /* whole texts of this size; 0: one stream per 64 KiB, fed `feed` bytes at a time */
  size_t feed;
};

static size_t findings;
static int rounds = 3;

/* CPU time: what others do on the machine does not count. */
static uint64_t cpu_us(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void scan_messages(struct str text, const struct run *r, const struct vdt_policy *policy, struct vdt_arena *arena)
{
  struct vdt_result result;
  for (size_t at = 0; at < text.n; at += r->message) {
    size_t n = text.n - at < r->message ? text.n - at : r->message;
    vdt_arena_reset(arena);
    if (vdt_scan(rig_scanner, arena, policy, r->role, text.p + at, n, &result)) abort();
    findings += result.n_findings;
  }
}

static void feed_streams(struct str text, const struct run *r, const struct vdt_policy *policy, struct vdt_arena *arena)
{
  struct vdt_release release;
  for (size_t at = 0; at < text.n;) {
    struct vdt_stream *s;
    size_t n, end = text.n - at < 65536 ? text.n : at + 65536;
    vdt_arena_reset(arena);
    if (vdt_stream_new(rig_scanner, arena, policy, r->role, &s)) abort();
    for (; at < end; at += r->feed) {
      n = end - at < r->feed ? end - at : r->feed;
      if (vdt_stream_feed(s, text.p + at, n, &release)) abort();
    }
    at = end;
    if (vdt_stream_finish(s, &release)) abort();
    vdt_stream_findings(s, &n);
    findings += n;
    vdt_stream_free(s);
  }
}

static double megabytes_per_second(struct str text, const struct run *r, const struct vdt_policy *policy, int times)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  uint64_t best = UINT64_MAX;
  for (int round = 0; round < times; round++) {
    findings = 0;
    uint64_t begin = cpu_us();
    if (r->message) scan_messages(text, r, policy, arena);
    else feed_streams(text, r, policy, arena);
    uint64_t us = cpu_us() - begin;
    if (us < best) best = us;
  }
  vdt_arena_free(arena);
  return (double)text.n / (double)(best ? best : 1);
}

static double memchr_alone(struct str text, size_t step)
{
  uint64_t best = UINT64_MAX;
  volatile size_t sink = 0;
  for (int round = 0; round < rounds; round++) {
    uint64_t begin = cpu_us();
    for (size_t at = 0; at < text.n; at += step) sink += memchr(text.p + at, 1, text.n - at < step ? text.n - at : step) != NULL;
    uint64_t us = cpu_us() - begin;
    if (us < best) best = us;
  }
  return (double)text.n / (double)(best ? best : 1);
}

static int count_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
  (void)id, (void)from, (void)to, (void)flags;
  ++*(size_t *)context;
  return 0;
}

/* The gates as a database, its hits only counted: texts of MESSAGE bytes, or a stream fed `feed` bytes at a time. */
static double gates_alone(struct str text, size_t feed)
{
  uint64_t best = UINT64_MAX;
  hs_database_t *gates = rig_gates(feed ? HS_MODE_STREAM : HS_MODE_BLOCK);
  for (int round = 0; round < rounds; round++) {
    hs_stream_t *stream = NULL;
    size_t step = feed ? feed : MESSAGE, hits = 0;
    if (feed && hs_open_stream(gates, 0, &stream)) abort();
    uint64_t begin = cpu_us();
    for (size_t at = 0; at < text.n; at += step) {
      unsigned n = (unsigned)(text.n - at < step ? text.n - at : step);
      if (feed) hs_scan_stream(stream, text.p + at, n, 0, rig_scanner->scratch, count_hit, &hits);
      else hs_scan(gates, text.p + at, n, 0, rig_scanner->scratch, count_hit, &hits);
    }
    uint64_t us = cpu_us() - begin;
    if (us < best) best = us;
    if (stream) hs_close_stream(stream, NULL, NULL, NULL);
  }
  hs_free_database(gates);
  return (double)text.n / (double)(best ? best : 1);
}

/* The search that streams use in its place (engine/literals.h). */
static double literals_alone(struct str text, size_t feed)
{
  uint64_t best = UINT64_MAX;
  for (int round = 0; round < rounds; round++) {
    size_t hits = 0;
    uint64_t begin = cpu_us();
    for (size_t at = 0; at < text.n; at += feed)
      literals_find(&rig_engine->literals, (const unsigned char *)text.p, at, text.n - at < feed ? text.n : at + feed, 0,
                    count_hit, &hits);
    uint64_t us = cpu_us() - begin;
    if (us < best) best = us;
  }
  return (double)text.n / (double)(best ? best : 1);
}

static bool wanted(const char *name)
{
  const char *only = getenv("ONLY");
  return !only || strstr(name, only);
}

static void yardsticks(struct str text)
{
  static const struct {
    const char *name;
    double (*measure)(struct str text, size_t feed);
    size_t feed;
  } rows[] = {{"memchr", memchr_alone, MESSAGE},
              {"gates alone, 16 KiB texts", gates_alone, 0},
              {"gates alone, fed 64 bytes", gates_alone, 64},
              {"the same by literals, 16 KiB texts", literals_alone, MESSAGE},
              {"the same by literals, fed 64 bytes", literals_alone, 64},
              {"the same by literals, fed 8 bytes", literals_alone, 8}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (wanted(rows[i].name)) printf("%-34s %8.1f\n", rows[i].name, rows[i].measure(text, rows[i].feed));
}

static void report(struct str text, const struct run *runs, size_t n, const struct vdt_policy *policy, int times)
{
  for (size_t i = 0; i < n; i++) {
    if (!wanted(runs[i].name)) continue;
    double speed = megabytes_per_second(text, &runs[i], policy, times);
    printf("%-34s %8.1f %10zu\n", runs[i].name, speed, findings);
  }
}

/* The engine of before has no model, and its scanner must go first. */
static void load_model(void)
{
  const char *path = getenv("VEDETTE_MODEL");
  const void *weights;
  size_t n;
  struct vdt_error err;
  rig_unload();
  rig_load();
  vdt_scanner_free(rig_scanner);
  int rc = file_map(path ? path : "model/shield.weights", 32 << 20, &weights, &n, &err);
  if (!rc) rc = vdt_engine_use_model(rig_engine, weights, n, file_unmap, &err);
  if (!rc) rc = vdt_scanner_new(rig_engine, &rig_scanner);
  if (!rc) return;
  fprintf(stderr, "the model: %s\n", err.text);
  exit(1);
}

int main(int argc, char **argv)
{
  static const struct run runs[] = {
      {"prompt, 2 KiB texts", VDT_PROMPT, 2048, 0},       {"prompt, 16 KiB texts", VDT_PROMPT, 16384, 0},
      {"document, 16 KiB texts", VDT_DOCUMENT, 16384, 0}, {"response, 16 KiB texts", VDT_RESPONSE, 16384, 0},
      {"stream, fed 1024 bytes", VDT_RESPONSE, 0, 1024},  {"stream, fed 64 bytes", VDT_RESPONSE, 0, 64},
      {"stream, fed 8 bytes", VDT_RESPONSE, 0, 8},
  };
  static const struct run with_model[] = {
      {"with the model: prompt, 2 KiB", VDT_PROMPT, 2048, 0},
      {"with the model: prompt, 16 KiB", VDT_PROMPT, 16384, 0},
      {"with the model: document, 16 KiB", VDT_DOCUMENT, 16384, 0},
  };
  struct buf text = {0};
  struct vdt_policy policy = {.jailbreak = {VDT_BLOCK, 0.95, 0.60},
                              .indirect = {VDT_BLOCK, 0.95, 0.60},
                              .credential = {.prompt = VDT_DETECT, .response = VDT_REDACT, .minimum_confidence = 65},
                              .sensitive = {.prompt = VDT_DETECT, .response = VDT_DETECT, .minimum_confidence = 65}};
  uint64_t begin = cpu_us();
  if (getenv("ROUNDS")) rounds = (int)strtol(getenv("ROUNDS"), NULL, 10);
  rig_load();
  printf("compiling the rules: %.2f s\n", (double)(cpu_us() - begin) / 1e6);
  for (int i = 1; i < argc && text.n < LIMIT; i++) {
    struct str f = rig_read(argv[i]);
    buf_put(&text, f);
    free((char *)(uintptr_t)f.p);
  }
  if (text.n > LIMIT) text.n = LIMIT;
  if (text.n == 0) {
    fprintf(stderr, "usage: %s FILE...\n", argv[0]);
    return 2;
  }
  printf("%zu bytes, best of %d rounds\n%-34s %8s %10s\n", text.n, rounds, "", "MB/s", "findings");
  report(buf_str(&text), runs, sizeof runs / sizeof *runs, &policy, rounds);
  yardsticks(buf_str(&text));
  const char *weights = getenv("VEDETTE_MODEL");
  bool model = !weights || strcmp(weights, "none") != 0;
  if (model && wanted("with the model")) {
    load_model();
    report(str_cut(buf_str(&text), 0, text.n < MODEL_LIMIT ? text.n : MODEL_LIMIT), with_model,
           sizeof with_model / sizeof *with_model, &policy, 1);
  }
  buf_finish(&text);
  rig_unload();
  return 0;
}
