/* Credentials: whatever a client sends has one identity, of one kind; a token with the same claims is the same whatever its signature. */
#include "gateway/credential.h"
#include <assert.h>
#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vdt_arena *arena;
static const unsigned char KEY[32] = "the key of this fuzz target";

static const char *identify(struct str authorization, struct str api_key, char id[CREDENTIAL_ID + 1])
{
  const char *kind = credential_identify(KEY, authorization, api_key, arena, id);
  assert(strlen(id) == (kind ? CREDENTIAL_ID : 0));
  for (const char *p = id; *p; p++) assert(strchr("0123456789abcdef", *p));
  return kind;
}

/* The input as the claims of two tokens that differ in their signatures. */
static void tokens(struct str claims)
{
  static char text[65536];
  char ids[2][CREDENTIAL_ID + 1];
  const char *kinds[2];
  if (claims.n > 12000) return;
  for (int i = 0; i < 2; i++) {
    memcpy(text, "Bearer eyJ.", 11);
    sodium_bin2base64(text + 11, sizeof text - 16, (const unsigned char *)claims.p, claims.n,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    size_t n = strlen(text);
    memcpy(text + n, i ? ".y" : ".x", 3);
    kinds[i] = identify((struct str){text, n + 2}, (struct str){0}, ids[i]);
  }
  assert(kinds[0] == kinds[1]);
  assert((strcmp(kinds[0], "token") == 0) == (strcmp(ids[0], ids[1]) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str text = {(const char *)data, size};
  char a[CREDENTIAL_ID + 1], b[CREDENTIAL_ID + 1];
  if (!arena && (sodium_init() < 0 || !(arena = vdt_arena_new((size_t)64 << 20)))) return 0;
  vdt_arena_reset(arena);
  const char *kind = identify(text, (struct str){0}, a);
  assert(kind == identify(text, STR("other"), b) || !size);
  if (size) assert(strcmp(a, b) == 0);
  tokens(text);
  return 0;
}
