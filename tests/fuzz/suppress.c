/* Scopes of suppression rules, and events of any text: what compiles is kept as it was written, and compiles again to the same. */
#include "analyse/suppress.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The texts of an event, cut from the input too. */
static struct alert event_of(struct str text)
{
  struct alert a = {.type = ALERT_SUSPICIOUS_IP, .subscription = STR("s")};
  struct str half = str_cut(text, 0, text.n / 2), rest = str_cut(text, text.n / 2, text.n);
  a.x.client_ip = half;
  a.x.end_user = rest;
  a.x.rules = text;
  a.x.deployment = STR("gpt-4o");
  return a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str text = {(const char *)data, size};
  struct vdt_arena *arena = vdt_arena_new(0);
  struct suppress_rule r = {.subscription = STR("S"), .alert_type = STR("*"), .enabled = true, .scope = text}, again = r;
  struct vdt_error err = {0};
  struct alert a = event_of(text);
  if (arena && suppress_compile(arena, &r, &err) == VDT_OK) {
    assert(r.n_tests <= SUPPRESS_TESTS_MAX && (r.n_tests > 0) == (size > 0));
    assert(suppress_compile(arena, &again, &err) == VDT_OK && again.n_tests == r.n_tests);
    assert(suppress_matches(&r, &a, 1) == suppress_matches(&again, &a, 1));
    r.expires_us = 1;
    assert(!suppress_matches(&r, &a, 1));
  } else {
    assert(!arena || err.text[0]);
  }
  suppress_name_ok(text);
  vdt_arena_free(arena);
  return 0;
}
