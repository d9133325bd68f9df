/* A rule file of any bytes is loaded or refused with a place, and nothing else. */
#include "base/arena.h"
#include "engine/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct vdt_source src = {"fuzz.yaml", (const char *)data, size};
  struct vdt_arena *arena = vdt_arena_new(0);
  struct rules rules;
  struct vdt_error err = {0};
  int rc = rules_parse(arena, &src, 1, &rules, &err);
  if (rc && (err.code != rc || !err.text[0])) abort();
  vdt_arena_free(arena);
  return 0;
}
