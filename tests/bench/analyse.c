/*
 * What the analysis costs: memory at a million users, and records a second on one core, step by step: reading a record, the behaviour detectors, and all
 * of collecting into a store as `vedette serve` does it. CPU time, and the share of the clock that it was.
 *
 *   build/tests/bench/analyse [USERS [RECORDS]]
 *
 * The status is 1 when a million users take more than 200 MB, or a step that serve goes through manages fewer than 20,000 records a second.
 */
#include "analyse/alert.h"
#include "analyse/behaviour_inside.h"
#include "api/collect.h"
#include "base/clock.h"
#include <fcntl.h>
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY_BOUND = 200000000, RATE_BOUND = 20000, CONTEXT = 64 };

static double cpu_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double peak_mb(void)
{
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)u.ru_maxrss / 1e3;
}

/* Traffic of many users: one in a hundred interactions has a key in its answer, one in a hundred an attempt. */
static struct record record_of(uint64_t i, uint64_t users, char text[CONTEXT], struct record_finding *f)
{
  uint64_t who = i * UINT64_C(0x9e3779b97f4a7c15) % users;
  int n = snprintf(text, CONTEXT, "user-%llu", (unsigned long long)who);
  struct record r = {.time_us = clock_unix_us(),
                     .duration_us = 900000,
                     .workspace = STR("weu"),
                     .deployment = who % 3 ? STR("gpt-4o") : STR("support"),
                     .policy = STR("standard"),
                     .format = STR("openai-chat"),
                     .method = STR("POST"),
                     .path = STR("/openai/deployments/gpt-4o/chat/completions"),
                     .model = STR("gpt-4o-2024-11-20"),
                     .status = 200,
                     .application = STR("shop"),
                     .end_user = {text, (size_t)n},
                     .client_ip = who % 2 ? STR("198.51.100.7") : STR("203.0.113.9"),
                     .user_agent = STR("openai-python/1.61.0"),
                     .key_id = STR("d3376cb0aa6f701c"),
                     .request = {.bytes = 2048, .parts = 3},
                     .response = {.bytes = 1024, .parts = 1},
                     .prompt_tokens = 400,
                     .completion_tokens = 150,
                     .total_tokens = 550,
                     .finish_reason = STR("stop")};
  snprintf(r.id, sizeof r.id, "%016llx%016llx", (unsigned long long)r.time_us, (unsigned long long)i);
  snprintf(text + n + 1, CONTEXT - (size_t)n - 1, "%016llx", (unsigned long long)(i * UINT64_C(0xbf58476d1ce4e5b9)));
  r.prompt_id = (struct str){text + n + 1, 16};
  if (i % 50) return r;
  bool key = i % 100 == 0;
  *f = (struct record_finding){.direction = key ? STR("response") : STR("request"),
                               .part = STR("choices[0].message.content"),
                               .role = key ? STR("response") : STR("prompt"),
                               .detector = key ? STR("credential") : STR("jailbreak"),
                               .rule = key ? STR("github-pat") : STR("drop-rules"),
                               .alert = str_of(alert_info(key ? ALERT_CREDENTIAL_THEFT : ALERT_JAILBREAK_BLOCKED)->type),
                               .severity = STR("Medium"),
                               .action = key ? STR("redact") : STR("block"),
                               .source = STR("vedette"),
                               .confidence = 97,
                               .end = 40};
  r.findings = f;
  r.n_findings = 1;
  return r;
}

static bool observe(struct behaviour *b, struct vdt_arena *arena, const struct record *r)
{
  struct record_finding found[BEHAVIOUR_FINDINGS];
  size_t n;
  vdt_arena_reset(arena);
  return behaviour_observe(b, r, arena, found, &n) == VDT_OK;
}

static bool put_file(void *f, struct str piece)
{
  return fwrite(piece.p, 1, piece.n, f) == piece.n;
}

/* As serve does it every minute: it stands still so long. */
static bool save(const struct behaviour *b)
{
  FILE *f = tmpfile();
  double begin = (double)clock_mono_us();
  bool ok = f && behaviour_save(b, put_file, f) && fflush(f) == 0;
  if (ok) printf("saved in %.0f ms: %ld MB\n", ((double)clock_mono_us() - begin) / 1e3, ftell(f) / 1000000);
  if (f) fclose(f);
  return ok;
}

static bool memory(uint64_t users)
{
  struct behaviour *b = behaviour_new(&behaviour_standard);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct record_finding f;
  char text[CONTEXT];
  double begin = cpu_seconds(), before = peak_mb();
  for (uint64_t i = 0; i < 2 * users; i++) {
    struct record r = record_of(i, users, text, &f);
    if (!observe(b, arena, &r)) return false;
  }
  double seconds = cpu_seconds() - begin;
  if (!save(b)) return false;
  double bytes = (double)behaviour_memory(b);
  printf("%llu users twice: %llu are remembered in %.0f MB; peak of the process %.0f MB, %.0f before; %.0f records/s\n",
         (unsigned long long)users, (unsigned long long)b->principals.used, bytes / 1e6, peak_mb(), before,
         2 * (double)users / seconds);
  behaviour_free(b);
  vdt_arena_free(arena);
  return users > 1000000 || (peak_mb() - before) * 1e6 <= MEMORY_BOUND;
}

static bool say(const char *what, uint64_t n, double cpu, double wall)
{
  printf("%-34s %9.0f records/s of CPU time (%.1f us each), %.0f by the clock\n", what, (double)n / cpu, cpu * 1e6 / (double)n,
         (double)n / wall);
  return (double)n / cpu >= RATE_BOUND;
}

static void write_journal(const char *dir, uint64_t records, uint64_t users, struct buf *lines)
{
  char path[4096], text[CONTEXT];
  struct record_finding f;
  for (uint64_t i = 0; i < records; i++) {
    struct record r = record_of(i, users, text, &f);
    record_write(&r, lines);
  }
  snprintf(path, sizeof path, "%s/spool", dir);
  mkdir(path, 0700);
  snprintf(path, sizeof path, "%s/spool/journal-%d-%llu.jsonl", dir, (int)getpid(), (unsigned long long)clock_unix_us());
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  for (size_t at = 0; at < lines->n;) {
    ssize_t n = write(fd, lines->p + at, lines->n - at);
    if (n <= 0) abort();
    at += (size_t)n;
  }
  close(fd);
}

static bool reading(struct str lines, uint64_t n, bool watch)
{
  struct behaviour *b = behaviour_new(&behaviour_standard);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct alert events[ALERT_TYPES];
  struct alert_place place = {.workspace = STR("weu")};
  struct record_finding found[BEHAVIOUR_FINDINGS];
  size_t n_found, n_events;
  double cpu = cpu_seconds(), wall = (double)clock_mono_us();
  for (size_t at = 0; at < lines.n;) {
    size_t end = (size_t)((const char *)memchr(lines.p + at, '\n', lines.n - at) - lines.p) + 1;
    struct record r;
    struct vdt_error err;
    vdt_arena_reset(arena);
    if (record_read(arena, str_cut(lines, at, end), &r, &err)) abort();
    if (watch && (behaviour_observe(b, &r, arena, found, &n_found) || alert_events(&r, &place, 1, arena, events, &n_events)))
      abort();
    at = end;
  }
  bool ok = say(watch ? "read, behaviour, alerts" : "read", n, cpu_seconds() - cpu, ((double)clock_mono_us() - wall) / 1e6);
  behaviour_free(b);
  vdt_arena_free(arena);
  return ok;
}

static bool collecting(const char *dir, uint64_t n)
{
  struct vdt_error err = {0};
  struct collect_stats stats = {0};
  struct collect *c;
  struct store *store;
  struct alert_place place = {.workspace = STR("weu"), .region = STR("westeurope")};
  uint64_t lines = 0;
  if (store_open_sqlite(dir, &place, true, &store, &err) ||
      collect_new(dir, &store, 1, ALERT_WINDOW_US, &behaviour_standard, &stats, &c, &err)) {
    fprintf(stderr, "%s\n", err.text);
    return false;
  }
  double cpu = cpu_seconds(), wall = (double)clock_mono_us();
  int rc = collect_pass(c, &lines, &err);
  bool ok = say("collected into the store", n, cpu_seconds() - cpu, ((double)clock_mono_us() - wall) / 1e6);
  if (rc || lines != n) fprintf(stderr, "%llu lines: %s\n", (unsigned long long)lines, err.text), ok = false;
  collect_free(c);
  store_close(store);
  return ok;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
  (void)st, (void)type, (void)at;
  return remove(path);
}

int main(int argc, char **argv)
{
  uint64_t users = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000, records = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
  char dir[] = "/tmp/vedette-bench-XXXXXX";
  struct buf lines = {0};
  if (sodium_init() < 0 || !mkdtemp(dir)) return 2;
  bool ok = memory(users);
  write_journal(dir, records, users, &lines);
  ok &= reading(buf_str(&lines), records, false);
  ok &= reading(buf_str(&lines), records, true);
  ok &= collecting(dir, records);
  nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  buf_finish(&lines);
  return ok ? 0 : 1;
}
