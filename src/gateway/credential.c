#include "gateway/credential.h"
#include "base/json.h"
#include <sodium.h>
#include <stdio.h>

enum { TOKEN_MAX = 16384 };

static struct str without_scheme(struct str authorization, struct str api_key)
{
  static const struct str bearer = {"bearer ", 7};
  struct str key = authorization.n ? authorization : api_key;
  if (key.n > bearer.n && str_ieq(str_cut(key, 0, bearer.n), bearer)) key = str_cut(key, bearer.n, key.n);
  while (key.n && key.p[0] == ' ') key = str_cut(key, 1, key.n);
  return key;
}

/* What stands between the two dots of a token, decoded; empty when it is none. */
static struct str claims_of(struct str key, struct vdt_arena *arena)
{
  const char *first = memchr(key.p, '.', key.n), *end;
  if (!first || key.n > TOKEN_MAX || !str_starts(key, STR("eyJ"))) return (struct str){0};
  const char *second = memchr(first + 1, '.', key.n - (size_t)(first + 1 - key.p));
  if (!second) return (struct str){0};
  size_t n = (size_t)(second - first) - 1, got;
  char *out = arena_alloc(arena, n + 1);
  if (!out ||
      sodium_base642bin((unsigned char *)out, n + 1, first + 1, n, NULL, &got, &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING) ||
      end != second)
    return (struct str){0};
  return (struct str){out, got};
}

static void add(crypto_generichash_state *h, struct str s)
{
  uint64_t n = s.n;
  crypto_generichash_update(h, (const unsigned char *)&n, sizeof n);
  crypto_generichash_update(h, (const unsigned char *)(s.n ? s.p : ""), s.n);
}

/* false: it says nothing about whom it is for. */
static bool add_claims(crypto_generichash_state *h, struct str key, struct vdt_arena *arena)
{
  static const char *const names[] = {"tid", "oid", "sub", "appid", "azp"};
  struct json_doc doc;
  struct str text = claims_of(key, arena), values[sizeof names / sizeof *names];
  bool any = false;
  if (!text.n || json_parse(arena, text, &(struct json_limits){8, 1024}, &doc, NULL)) return false;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!json_string(&doc, json_get(&doc, 0, names[i]), arena, &values[i])) return false;
    any |= i > 0 && values[i].n > 0; /* a tenant alone is nobody */
  }
  for (size_t i = 0; any && i < sizeof names / sizeof *names; i++) add(h, values[i]);
  return any;
}

const char *credential_identify(const unsigned char key[32], struct str authorization, struct str api_key,
                                struct vdt_arena *arena, char id[CREDENTIAL_ID + 1])
{
  struct str bare = without_scheme(authorization, api_key);
  unsigned char hash[crypto_generichash_BYTES_MIN];
  crypto_generichash_state h;
  id[0] = 0;
  if (!bare.n) return NULL;
  crypto_generichash_init(&h, key, 32, sizeof hash);
  bool token = add_claims(&h, bare, arena);
  if (!token) crypto_generichash_update(&h, (const unsigned char *)bare.p, bare.n);
  crypto_generichash_final(&h, hash, sizeof hash);
  for (size_t i = 0; i < CREDENTIAL_ID / 2; i++) snprintf(id + 2 * i, 3, "%02x", hash[i]);
  return token ? "token" : "key";
}
