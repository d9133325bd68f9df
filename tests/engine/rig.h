/* What the engine's tests share: the shipped rules loaded into an engine, a policy, a reproducible source of randomness. */
#ifndef TESTS_ENGINE_RIG_H
#define TESTS_ENGINE_RIG_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "engine/scanner.h"
#include "intel/intel.h"
#include "tests/test.h"
#include <dirent.h>
#include <unistd.h>

static struct vdt_engine *rig_engine;
static struct vdt_scanner *rig_scanner;
static struct vdt_intel *rig_intel; /* the built-in list */

static inline struct str rig_read(const char *path)
{
  FILE *f = fopen(path, "rb");
  struct buf b = {0};
  if (!f) return (struct str){0};
  for (size_t n = 1; n > 0 && buf_reserve(&b, 65536);) {
    n = fread(b.p + b.n, 1, 65536, f);
    b.n += n;
  }
  fclose(f);
  return buf_str(&b);
}

/* The file of $VEDETTE_CACHE in which an engine of that name is kept; false: there is no such folder. */
static inline bool rig_kept_file(const char *name, char *out, size_t size)
{
  const char *cache = getenv("VEDETTE_CACHE");
  return cache && snprintf(out, size, "%s/unit-%s", cache, name) < (int)size;
}

static inline const void *rig_find(void *context, const char *name, size_t *n)
{
  struct str *kept = context;
  char path[512];
  if (!rig_kept_file(name, path, sizeof path)) return NULL;
  *kept = rig_read(path);
  *n = kept->n;
  return kept->p;
}

/* The engine of these rules, compiled by the first test that needs it: $VEDETTE_CACHE keeps that for the others. */
static inline int rig_compile(const struct vdt_source *src, size_t n, struct vdt_error *err)
{
  struct str kept = {0};
  const char *name;
  char path[512], made[560];
  void *bytes = NULL;
  size_t size = 0;
  int rc = vdt_engine_new_from(src, n, &(struct vdt_kept){rig_find, &kept}, &rig_engine, err);
  free((char *)(uintptr_t)kept.p);
  if (!rc) rc = vdt_engine_compiled(rig_engine, &name, &bytes, &size);
  if (bytes && rig_kept_file(name, path, sizeof path)) {
    snprintf(made, sizeof made, "%s.%ld", path, (long)getpid());
    FILE *f = fopen(made, "wb");
    if (f && (fwrite(bytes, 1, size, f) != size || fclose(f) != 0 || rename(made, path) != 0)) remove(made);
  }
  free(bytes);
  return rc;
}

/* The gates and words of the rules as a database of Vectorscan, to compare with: the shipped ones need none. The scanner can use it then. */
static inline hs_database_t *rig_gates(unsigned mode)
{
  uint32_t n = rig_engine->n_stream;
  char(*text)[4 * RULE_GATE_MAX + 64] = calloc(n, sizeof *text);
  const char **texts = calloc(n, sizeof *texts);
  unsigned *flags = calloc(n, sizeof *flags), *ids = calloc(n, sizeof *ids);
  hs_database_t *out = NULL;
  hs_compile_error_t *err = NULL;
  if (!text || !texts || !flags || !ids) abort();
  for (uint32_t i = 0; i < n; i++) {
    const struct pattern *p = &rig_engine->patterns[i];
    if (!p->literal) snprintf(text[i], sizeof *text, "%.*s", (int)p->text.n, p->text.p);
    for (size_t k = 0; p->literal && k < p->text.n; k++) snprintf(text[i] + 4 * k, 5, "\\x%02x", (unsigned char)p->text.p[k]);
    texts[i] = text[i];
    flags[i] = (p->nocase ? HS_FLAG_CASELESS : 0) | HS_FLAG_DOTALL;
    ids[i] = i;
  }
  if (hs_compile_multi(texts, flags, ids, n, mode, NULL, &out, &err) || hs_alloc_scratch(out, &rig_scanner->scratch)) abort();
  free(text);
  free(texts);
  free(flags);
  free(ids);
  return out;
}

/* Loads $VEDETTE_SRC/rules. Exits when that fails: nothing else can be tested then. */
static inline void rig_load(void)
{
  const char *root = getenv("VEDETTE_SRC");
  char path[512];
  struct vdt_source src[64];
  size_t n = 0;
  struct vdt_error err;
  snprintf(path, sizeof path, "%s/rules", root ? root : ".");
  struct dirent **names = NULL;
  int found = scandir(path, &names, NULL, alphasort); /* in the product's order: it decides ties */
  for (int i = 0; i < found; i++) {
    const char *name = names[i]->d_name;
    size_t len = strlen(name);
    if (len >= 6 && memcmp(name + len - 5, ".yaml", 5) == 0 && n < 64) {
      snprintf(path, sizeof path, "%s/rules/%s", root ? root : ".", name);
      struct str text = rig_read(path);
      src[n++] = (struct vdt_source){strdup(name), text.p, text.n};
    }
    free(names[i]);
  }
  free(names);
  int rc = rig_compile(src, n, &err);
  if (!rc) rc = vdt_scanner_new(rig_engine, &rig_scanner);
  if (!rc && !(rig_intel = intel_builtin())) rc = VDT_ENOMEM;
  for (size_t i = 0; i < n; i++) {
    free((char *)(uintptr_t)src[i].p);
    free((char *)(uintptr_t)src[i].name);
  }
  if (!rc) return;
  printf("not ok 1 - the rules load: %s:%u: %s\n1..1\n", err.file, err.line, err.text);
  exit(1);
}

/* From here on with the model $VEDETTE_MODEL, or that of $VEDETTE_SRC/model, if there is one. */
static inline void rig_use_model(void)
{
  const char *root = getenv("VEDETTE_SRC"), *model = getenv("VEDETTE_MODEL");
  char path[512];
  struct vdt_error err = {0};
  const void *weights;
  size_t n;
  if (model) snprintf(path, sizeof path, "%s", model);
  else snprintf(path, sizeof path, "%s/model/shield.weights", root ? root : ".");
  if (file_map(path, (size_t)256 << 20, &weights, &n, &err) || vdt_engine_use_model(rig_engine, weights, n, file_unmap, &err)) {
    printf("# without the model: %s\n", err.text);
    return;
  }
  vdt_scanner_free(rig_scanner);
  if (vdt_scanner_new(rig_engine, &rig_scanner)) exit(1);
}

static inline void rig_unload(void)
{
  vdt_scanner_free(rig_scanner);
  vdt_engine_free(rig_engine);
  intel_drop(rig_intel);
}

/* Feeds the text in steps as a response: what is released goes to *out, the findings to *f (the arena's). How many there are. */
static inline size_t rig_stream(const struct vdt_policy *policy, struct vdt_arena *arena, struct str text, size_t step,
                                struct buf *out, struct vdt_finding **f)
{
  struct vdt_stream *s;
  struct vdt_release r;
  size_t n;
  if (vdt_stream_new(rig_scanner, arena, policy, VDT_RESPONSE, &s)) abort();
  for (size_t at = 0; at < text.n; at += step) {
    if (vdt_stream_feed(s, text.p + at, step < text.n - at ? step : text.n - at, &r)) abort();
    buf_put(out, (struct str){r.p, r.n});
  }
  if (vdt_stream_finish(s, &r)) abort();
  buf_put(out, (struct str){r.p, r.n});
  const struct vdt_finding *found = vdt_stream_findings(s, &n);
  *f = arena_alloc(arena, (n + 1) * sizeof **f);
  if (n) memcpy(*f, found, n * sizeof **f);
  vdt_stream_free(s);
  return n;
}

static inline size_t rig_streamed(const struct vdt_policy *policy, struct vdt_arena *arena, struct str text, size_t step,
                                  struct buf *out)
{
  struct vdt_finding *f;
  return rig_stream(policy, arena, text, step, out, &f);
}

/* Everything on, every confidence, leaks handled by `response`. */
static inline struct vdt_policy rig_policy(enum vdt_action response)
{
  return (struct vdt_policy){.name = "test",
                             .jailbreak = {VDT_BLOCK, 0.95, 0.60},
                             .indirect = {VDT_BLOCK, 0.95, 0.60},
                             .credential = {.prompt = VDT_DETECT, .response = response, .minimum_confidence = 40},
                             .sensitive = {.prompt = VDT_DETECT, .response = response, .minimum_confidence = 40},
                             .malicious_url = {.prompt = VDT_DETECT, .response = response, .minimum_confidence = 40},
                             .reconnaissance = {VDT_DETECT, 0.95, 0.60},
                             .intel = rig_intel};
}

/* xorshift64*, seeded by each test: failures can be repeated. */
static inline uint64_t rig_random(uint64_t *state)
{
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 2685821657736338717u;
}
#endif
