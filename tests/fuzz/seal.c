/* Tokens of sealed evidence and files of keys, from anybody: reading finds what is wrong, what is read is written to the same, and nothing opens. */
#include "record/seal.h"
#include <assert.h>
#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct seal_private *some_key(void)
{
  static struct seal_private *keys;
  struct buf line = {0};
  struct seal_public public;
  if (keys) return keys;
  assert(seal_key_make(STR("weu"), &line, &public, NULL) == VDT_OK);
  assert(seal_private_read(buf_str(&line), "made", STR("weu"), &keys, NULL) == VDT_OK);
  seal_text_finish(&line);
  return keys;
}

static void read_keys(struct str text)
{
  struct seal_public public;
  struct seal_private *private = NULL;
  struct buf again = {0};
  struct vdt_error err = {0};
  if (seal_public_read(text, "fuzz", STR("weu"), &public, &err) == VDT_OK) {
    seal_public_write(STR("weu"), &public, &again);
    assert(seal_public_read(buf_str(&again), "fuzz", STR("weu"), &public, &err) == VDT_OK);
  }
  if (seal_private_read(text, "fuzz", STR("weu"), &private, &err) == VDT_OK) assert(private->n && private->n <= SEAL_KEYS_MAX);
  seal_private_free(private);
  buf_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str text = {(const char *)data, size}, out, rest = text;
  struct vdt_arena *a = vdt_arena_new(0);
  struct sealed s;
  struct vdt_error err = {0};
  struct buf again = {0};
  if (!a) return 0;
  if (sealed_read(text, a, &s, &err) == VDT_OK) {
    sealed_write(&s, &again);
    assert(str_eq(buf_str(&again), text));
    struct seal_place place = {STR("weu"), STR("0123456789abcdef0123456789abcdef"), SEAL_FINDING, STR("rule")};
    assert(seal_open(some_key(), &place, &s, a, &out, &err) != VDT_OK);
    memcpy(s.key, some_key()->keys[0].public.id, sizeof s.key);
    assert(seal_open(some_key(), &place, &s, a, &out, &err) != VDT_OK);
  }
  while (seal_unpack(&rest, &out)) assert(out.p >= text.p && out.p + out.n <= text.p + text.n);
  read_keys(text);
  buf_finish(&again);
  vdt_arena_free(a);
  return 0;
}
