/* Kept rules with any bytes changed, under a good hash: they are used or not, and either way the engine finds what it should. */
#include "tests/engine/compiled.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static unsigned char *whole;
  static size_t n;
  struct vdt_engine *engine;
  if (!whole) {
    const char *name;
    void *out;
    if (compiled_build(compiled_rules, NULL, 0, &engine) || vdt_engine_compiled(engine, &name, &out, &n)) abort();
    whole = out;
    vdt_engine_free(engine);
  }
  unsigned char *copy = malloc(n);
  memcpy(copy, whole, n);
  for (; size >= 6;
       size -= 6, data += 6) { /* most changes hit the headers, which decide most; Vectorscan checks the rest itself */
    uint32_t at;
    memcpy(&at, data, 4);
    copy[data[5] & 3 ? at % 160 : at % n] = data[4];
  }
  compiled_seal(copy, n);
  if (compiled_build(compiled_rules, copy, n, &engine)) abort();
  if (compiled_finds(engine, VDT_RESPONSE, "the key is acme_live_0a1b2c3d") != 1) abort();
  vdt_engine_free(engine);
  free(copy);
  return 0;
}
