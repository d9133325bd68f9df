/*
 * What the engine costs for whole prompts one after another, as a gateway's worker has them: microseconds of CPU each, by rules alone and with the model, for
 * those that the model's gate lets go apart. One kind of prompt over and over says little: what one leaves in the processor's caches is not what the next needs.
 *
 *   python3 tests/bench/gateway_prompts.py --texts ordinary | VEDETTE_SRC=. build/tests/bench/prompts [ROUNDS]
 *
 * Reads JSON Lines with a member "text" each. VEDETTE_MODEL=FILE: another model than the one shipped. Each round begins with a scanner that remembers nothing.
 */
#include "base/file.h"
#include "base/json.h"
#include "tests/engine/rig.h"
#include <time.h>

enum { TEXTS_MAX = 100000 };

struct texts {
  struct str *v;
  size_t n, cap, bytes;
};

struct cost {
  size_t n, let_go, read, windows;
  uint64_t ns, let_go_ns;
};

static uint64_t cpu_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void add(struct texts *texts, struct str line, struct vdt_arena *arena)
{
  const struct json_limits limits = {8, 1000};
  struct json_doc doc;
  struct vdt_error err;
  struct str text = {0};
  if (json_parse(arena, line, &limits, &doc, &err) || !json_string(&doc, json_get(&doc, 0, "text"), arena, &text) || !text.n) {
    fprintf(stderr, "prompts: a line without a text\n");
    exit(2);
  }
  struct str *grown = heap_grow(texts->v, texts->n, &texts->cap, 256, sizeof *grown);
  if (!grown) exit(1);
  texts->v = grown;
  texts->v[texts->n++] = text;
  texts->bytes += text.n;
}

static void read_texts(struct texts *texts, struct vdt_arena *arena)
{
  char *line = NULL;
  size_t room = 0;
  ssize_t n;
  while (texts->n < TEXTS_MAX && (n = getline(&line, &room, stdin)) > 0) {
    if (line[n - 1] == '\n') n--;
    add(texts, arena_dup(arena, (struct str){line, (size_t)n}), arena);
  }
  free(line);
}

static void scan(struct str text, struct vdt_arena *arena, const struct vdt_policy *policy, struct cost *c)
{
  struct vdt_result r;
  vdt_arena_reset(arena);
  uint64_t begin = cpu_ns();
  if (vdt_scan(rig_scanner, arena, policy, VDT_PROMPT, text.p, text.n, &r)) abort();
  uint64_t ns = cpu_ns() - begin;
  c->n++;
  c->ns += ns;
  c->windows += r.why.windows;
  c->read += r.why.read;
  if (r.why.read) return;
  c->let_go++;
  c->let_go_ns += ns;
}

static void measure(const char *name, const struct texts *texts, unsigned long rounds)
{
  struct cost c = {0};
  struct vdt_policy policy;
  struct vdt_arena *arena = vdt_arena_new(0);
  vdt_policy_default(&policy);
  for (unsigned long i = 0; i < rounds; i++) {
    vdt_scanner_free(rig_scanner);
    if (vdt_scanner_new(rig_engine, &rig_scanner)) exit(1);
    for (size_t k = 0; k < texts->n; k++) scan(texts->v[k], arena, &policy, &c);
  }
  printf("%-12s %8.1f us each; %zu of %zu let go, %.1f us each; %zu of %zu windows read\n", name,
         (double)c.ns / 1e3 / (double)c.n, c.let_go, c.n, c.let_go ? (double)c.let_go_ns / 1e3 / (double)c.let_go : 0, c.read,
         c.windows);
  vdt_arena_free(arena);
}

int main(int argc, char **argv)
{
  struct texts texts = {0};
  struct vdt_arena *arena = vdt_arena_new(0);
  unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 3;
  read_texts(&texts, arena);
  if (!texts.n || !rounds) {
    fprintf(stderr, "usage: %s [ROUNDS] <TEXTS\n", argv[0]);
    return 2;
  }
  rig_load();
  printf("%zu prompts, %zu bytes on average\n", texts.n, texts.bytes / texts.n);
  measure("rules alone", &texts, rounds);
  rig_use_model();
  measure("with model", &texts, rounds);
  rig_unload();
  free(texts.v);
  vdt_arena_free(arena);
  return 0;
}
