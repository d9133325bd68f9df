/*
 * Does the work stay linear? For texts of 1 to 64 MB, and for the worst that each rule can be given: its gates and nothing else, a gate and a body
 * without end, gate and body over and over, its own examples. What is printed is the time for each byte, and how the time grows when
 * the text doubles; linear is 2.
 *
 *   VEDETTE_SRC=. build/tests/bench/worst scaling FILE...   texts to read, repeated up to 64 MB
 *   VEDETTE_SRC=. build/tests/bench/worst rules             the twenty that grow most, and the twenty that cost most; ONLY=WORDS in the
 *                                                           environment: rules that have them in their names
 */
#include "base/file.h"
#include "tests/engine/rig.h"
#include <math.h>
#include <time.h>

enum { MEGABYTE = 1 << 20, SMALL = 16 << 10, FEED = 64, SHOWN = 20, ROUNDS = 2, SHAPES = 4 };

struct cost {
  const char *rule, *shape, *how;
  double ns, growth; /* for a byte of the longer text; how the time grew by each of two doublings, one of which may be a step */
};

static struct vdt_policy policy;
static struct vdt_arena *arena;

static double cpu_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void scan_whole(struct str text)
{
  struct vdt_result r;
  if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r)) abort();
}

static void feed(struct str text)
{
  struct vdt_stream *s;
  struct vdt_release release;
  if (vdt_stream_new(rig_scanner, arena, &policy, VDT_RESPONSE, &s)) abort();
  for (size_t at = 0; at < text.n; at += FEED)
    if (vdt_stream_feed(s, text.p + at, text.n - at < FEED ? text.n - at : FEED, &release)) abort();
  if (vdt_stream_finish(s, &release)) abort();
  vdt_stream_free(s);
}

static double best_of(int rounds, void (*run)(struct str text), struct str text)
{
  double best = 1e18;
  for (int i = 0; i < rounds; i++) {
    vdt_arena_reset(arena);
    double begin = cpu_ns();
    run(text);
    double ns = cpu_ns() - begin;
    if (ns < best) best = ns;
  }
  return best;
}

/* ---- scaling ------------------------------------------------------------------------------------------------------ */

static int scaling(int n, char **files)
{
  struct buf text = {0};
  double whole = 0, stream = 0;
  for (int i = 0; i < n && text.n < MEGABYTE; i++) {
    struct str f = rig_read(files[i]);
    buf_put(&text, f);
    free((char *)(uintptr_t)f.p);
  }
  if (!text.n) {
    fprintf(stderr, "nothing to read\n");
    return 2;
  }
  printf("%4s %14s %8s %14s %8s\n", "MB", "whole, ns/byte", "growth", "fed 64 bytes", "growth");
  for (size_t mb = 1; mb <= 64; mb *= 2) {
    while (text.n < mb * MEGABYTE) {
      size_t more = mb * MEGABYTE - text.n < text.n ? mb * MEGABYTE - text.n : text.n;
      if (!buf_reserve(&text, more)) abort();
      buf_put(&text, (struct str){text.p, more});
    }
    struct str s = {text.p, mb * MEGABYTE};
    double w = best_of(mb < 16 ? 2 : 1, scan_whole, s), f = best_of(1, feed, s);
    printf("%4zu %14.2f %8.2f %14.2f %8.2f\n", mb, w / (double)s.n, whole > 0 ? w / whole : 0, f / (double)s.n,
           stream > 0 ? f / stream : 0);
    whole = w;
    stream = f;
  }
  buf_finish(&text);
  return 0;
}

/* ---- rules -------------------------------------------------------------------------------------------------------- */

static char body_byte(const struct rule *r, size_t i)
{
  static const char order[] = "a1B2c3D4e5F6g7H8j9K0-_./+=";
  for (size_t k = 0; k < sizeof order - 1; k++) {
    char c = order[(i + k) % (sizeof order - 1)];
    if (charset_has(&r->chars, (unsigned char)c)) return c;
  }
  return 'a';
}

static void put_body(struct buf *b, const struct rule *r, size_t n)
{
  for (size_t i = 0; i < n; i++) buf_byte(b, body_byte(r, i));
}

static struct str gate_of(const struct rule *r, size_t i)
{
  return r->n_gates ? r->gates[i % r->n_gates] : r->n_match ? r->match[i % r->n_match] : (struct str){"1", 1};
}

static const char *const shapes[SHAPES] = {"gates", "one body", "gate and body", "examples"};

/* A text of n bytes. */
static void fill(struct buf *b, const struct rule *r, unsigned shape, size_t n)
{
  buf_reset(b);
  for (size_t i = 0; b->n < n; i++) {
    if (shape == 3) {
      buf_put(b, r->n_match ? r->match[i % r->n_match] : STR("-"));
      buf_byte(b, ' ');
      continue;
    }
    buf_put(b, gate_of(r, i));
    if (shape == 1) put_body(b, r, n);
    if (shape == 2) put_body(b, r, r->min ? r->min : 20);
    if (shape == 2) buf_byte(b, ' ');
  }
  b->n = n;
}

static int by_growth(const void *a, const void *b)
{
  double x = ((const struct cost *)a)->growth, y = ((const struct cost *)b)->growth;
  return x < y ? 1 : x > y ? -1 : 0;
}

static int by_cost(const void *a, const void *b)
{
  double x = ((const struct cost *)a)->ns, y = ((const struct cost *)b)->ns;
  return x < y ? 1 : x > y ? -1 : 0;
}

static void show(const struct cost *c, size_t n)
{
  printf("%8s %8s  rule, text\n", "growth", "ns/byte");
  for (size_t i = 0; i < n && i < SHOWN; i++)
    printf("%8.2f %8.1f  %s, %s, %s\n", c[i].growth, c[i].ns, c[i].rule, c[i].shape, c[i].how);
}

static struct cost measure(const struct rule *r, unsigned shape, bool stream, struct buf *text)
{
  void (*run)(struct str) = stream ? feed : scan_whole;
  fill(text, r, shape, 4 * SMALL);
  double shorter = best_of(ROUNDS, run, (struct str){text->p, SMALL}), longer = best_of(ROUNDS, run, buf_str(text));
  return (struct cost){r->id, shapes[shape], stream ? "fed 64 bytes" : "whole", longer / (4 * SMALL), sqrt(longer / shorter)};
}

static int each_rule(void)
{
  const struct rules *rules = &rig_engine->rules;
  struct cost *costs = calloc((size_t)rules->n * SHAPES * 2, sizeof *costs);
  const char *only = getenv("ONLY");
  struct buf text = {0};
  size_t n = 0, over = 0;
  if (!costs) return 1;
  for (unsigned i = 0; i < rules->n; i++) {
    if (only && !strstr(rules->rules[i].id, only)) continue;
    for (unsigned k = 0; k < SHAPES * 2 && !rule_is_score(&rules->rules[i]); k++)
      costs[n++] = measure(&rules->rules[i], k / 2, k % 2, &text);
  }
  for (size_t i = 0; i < n; i++) over += costs[i].growth > 2.2;
  printf("%zu texts; %zu grew by more than 2.2 at each doubling to %d KB\n", n, over, 4 * SMALL >> 10);
  qsort(costs, n, sizeof *costs, by_growth);
  show(costs, n);
  qsort(costs, n, sizeof *costs, by_cost);
  show(costs, n);
  free(costs);
  buf_finish(&text);
  return 0;
}

int main(int argc, char **argv)
{
  if (argc < 2 || (strcmp(argv[1], "rules") != 0 && (strcmp(argv[1], "scaling") != 0 || argc < 3))) {
    fprintf(stderr, "usage: %s scaling FILE... | rules\n", argv[0]);
    return 2;
  }
  rig_load();
  arena = vdt_arena_new(1u << 30);
  policy = rig_policy(VDT_REDACT);
  int rc = strcmp(argv[1], "rules") == 0 ? each_rule() : scaling(argc - 2, argv + 2);
  vdt_arena_free(arena);
  rig_unload();
  return rc;
}
