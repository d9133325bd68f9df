/* What the tests of compiled rules share with their fuzz target: small rules, their kept bytes, and a good hash over changed ones. */
#ifndef TESTS_ENGINE_COMPILED_H
#define TESTS_ENGINE_COMPILED_H
#include "base/arena.h"
#include "engine/engine.h"
#include "tests/test.h"
#include <sodium.h>

static const char compiled_rules[] =
    "rules:\n"
    "  - id: acme-key\n    detector: credential\n    title: Acme key\n    gate: [acme_]\n    check: regex\n"
    "    regex: 'acme_(live|test)_[0-9a-f]{8,12}\\b'\n    examples: {match: [x]}\n"
    "  - id: acme-order\n    detector: jailbreak\n    title: Acme order\n    category: changing-rules\n    weight: 0.9\n"
    "    roles: [prompt]\n    pattern: 'forget (all|every) orders?'\n"
    "    examples: {match: [x]}\n"
    "  - id: acme-talk\n    detector: jailbreak\n    title: Acme talk\n    category: changing-rules\n    weight: 0.9\n"
    "    roles: [prompt]\n    pattern: 'talk as (we|they) do'\n"
    "    examples: {match: [x]}\n"
    /* Two small letters: a gate that only Vectorscan looks for, so that with a phrase for each half all four databases are needed. */
    "  - id: odd-key\n    detector: credential\n    title: Odd key\n    gate: [zq]\n    check: token\n    chars: digit\n"
    "    min: 8\n    max: 8\n    examples: {match: [x]}\n";

/* The header: magic, hash of what was compiled, hash of all that follows it, four sizes; then the databases. */
enum { COMPILED_KEY_AT = 8, COMPILED_SUM_AT = 40, COMPILED_SIZES_AT = 72, COMPILED_HEADER = 104 };

/* Finds a struct str under every name. */
static inline const void *compiled_find(void *context, const char *name, size_t *n)
{
  const struct str *bytes = context;
  CHECK_INT(strlen(name), VDT_KEPT_NAME);
  *n = bytes->n;
  return bytes->p;
}

static inline int compiled_build(const char *text, const void *bytes, size_t n, struct vdt_engine **out)
{
  struct vdt_source file = {"own.yaml", text, strlen(text)};
  struct vdt_error err = {0};
  struct str kept = {bytes, n};
  int rc = vdt_engine_new_from(&file, 1, &(struct vdt_kept){compiled_find, &kept}, out, &err);
  if (rc) printf("# %s:%u: %s\n", err.file, err.line, err.text);
  return rc;
}

static inline void compiled_seal(unsigned char *bytes, size_t n)
{
  crypto_generichash(bytes + COMPILED_SUM_AT, COMPILED_HASH, bytes + COMPILED_SIZES_AT, n - COMPILED_SIZES_AT, NULL, 0);
}

/* How many findings a text of ours has with the engine: 1, and 1 in a prompt. */
static inline size_t compiled_finds(const struct vdt_engine *engine, enum vdt_role role, const char *text)
{
  struct vdt_scanner *scanner = NULL;
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_policy policy;
  struct vdt_result r = {0};
  vdt_policy_default(&policy);
  if (vdt_scanner_new(engine, &scanner) || vdt_scan(scanner, arena, &policy, role, text, strlen(text), &r)) r.n_findings = 99;
  size_t n = r.n_findings;
  vdt_scanner_free(scanner);
  vdt_arena_free(arena);
  return n;
}
#endif
