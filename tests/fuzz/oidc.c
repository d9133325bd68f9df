/*
 * Tokens of identity providers. Input: a head, a line feed, claims, a line feed, a set of keys. The token as it stands, with a signature of nobody's,
 * is never let in; signed with the provider's key it is let in only as somebody, with a role, a place and an end; as an ID token besides only with the
 * nonce of this sign-in in it, and never with another; and whatever the keys are, they are read or refused.
 */
#include "api/oidc.h"
#include "tests/fuzz/lines.h"
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_S = 1800000000 };
static unsigned char public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
static struct jws_keys *keys;
static struct vdt_arena *arena;
static const struct oidc_provider provider = {
    .issuer = "i",
    .audience = "a",
    .role_claim = "roles",
    .name_claim = "sub",
    .algorithms = {true, true, true},
    .skew = 60,
    .sign_in = {.client = "c"},
    .roles = {{STR("r"), {0}, AUTH_READER}, {STR("o"), STR("w"), AUTH_OPERATOR}, {STR("p"), STR("v"), AUTH_OPERATOR}},
    .n_roles = 3};

static void put_base64(struct buf *b, struct str s)
{
  size_t n = sodium_base64_encoded_len(s.n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  char *text = malloc(n);
  assert(text);
  sodium_bin2base64(text, n, (const unsigned char *)(s.n ? s.p : ""), s.n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  buf_put(b, str_of(text));
  free(text);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  static const unsigned char seed[crypto_sign_SEEDBYTES] = {7};
  struct buf b = {0};
  (void)argc, (void)argv;
  assert(sodium_init() >= 0 && crypto_sign_seed_keypair(public_key, secret_key, seed) == 0);
  BUF_LIT(&b, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\",\"x\":\"");
  put_base64(&b, (struct str){(const char *)public_key, sizeof public_key});
  BUF_LIT(&b, "\"}]}");
  assert(jws_keys_parse(buf_str(&b), &keys, NULL) == VDT_OK && jws_keys_count(keys) == 1);
  buf_finish(&b);
  arena = vdt_arena_new((size_t)16 << 20);
  return 0;
}

static void check_granted(const struct oidc_grant *g)
{
  size_t n = strlen(g->name);
  assert(g->role == AUTH_READER || g->role == AUTH_OPERATOR);
  assert(n > 0 && n <= OIDC_NAME_MAX && g->until_us > (uint64_t)NOW_S * 1000000);
  for (size_t i = 0; i < n; i++) assert((unsigned char)g->name[i] >= ' ' && g->name[i] != 0x7f);
  const char *places[] = {"*", "w", "v", "w,v"};
  bool known = false;
  for (size_t i = 0; i < 4; i++) known |= strcmp(g->workspaces, places[i]) == 0 && (i == 0) == (g->role == AUTH_READER);
  assert(known);
}

/* The nonce of a sign-in is 43 letters of base64url; NONCE stands for it. */
#define NONCE "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN"

static int check_id(struct str token, struct str nonce, struct oidc_grant *g)
{
  vdt_arena_reset(arena);
  return oidc_check_id_with(&provider, keys, arena, token, nonce, (uint64_t)NOW_S * 1000000, g, NULL);
}

/* token: signed by the provider. */
static void check_id_token(struct str token, struct str claims)
{
  struct oidc_grant g;
  int rc = check_id(token, STR(NONCE), &g);
  assert((rc == VDT_OK) == (g.role != AUTH_NONE));
  if (!rc) {
    check_granted(&g);
    assert(str_find(claims, STR("NN")) != (size_t)-1 || memchr(claims.p, '\\', claims.n));
  }
  assert(check_id(token, STR(NONCE "N"), &g) != VDT_OK || rc != VDT_OK);
  assert(check_id(token, STR(""), &g) != VDT_OK && g.role == AUTH_NONE);
}

static void check_token(struct str head, struct str claims)
{
  unsigned char signature[crypto_sign_BYTES] = {0};
  struct oidc_grant g;
  struct buf b = {0};
  put_base64(&b, head);
  buf_byte(&b, '.');
  put_base64(&b, claims);
  size_t n = b.n;
  crypto_sign_detached(signature, NULL, (const unsigned char *)b.p, n, secret_key);
  buf_byte(&b, '.');
  put_base64(&b, (struct str){(const char *)signature, sizeof signature});
  vdt_arena_reset(arena);
  int rc = oidc_check_with(&provider, keys, arena, buf_str(&b), (uint64_t)NOW_S * 1000000, &g, NULL);
  assert((rc == VDT_OK) == (g.role != AUTH_NONE));
  if (!rc) check_granted(&g);
  check_id_token(buf_str(&b), claims);
  b.n = n;
  signature[5] ^= 1;
  buf_byte(&b, '.');
  put_base64(&b, (struct str){(const char *)signature, sizeof signature});
  vdt_arena_reset(arena);
  assert(oidc_check_with(&provider, keys, arena, buf_str(&b), (uint64_t)NOW_S * 1000000, &g, NULL) != VDT_OK);
  assert(check_id(buf_str(&b), STR(NONCE), &g) != VDT_OK && g.role == AUTH_NONE);
  buf_finish(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str text = {size ? (const char *)data : "", size}, all = text;
  struct jws_keys *other = NULL;
  struct oidc_grant g;
  struct str head = next(&text), claims = next(&text);
  check_token(head, claims);
  vdt_arena_reset(arena);
  assert(oidc_check_with(&provider, keys, arena, all, (uint64_t)NOW_S * 1000000, &g, NULL) != VDT_OK);
  int rc = jws_keys_parse(text, &other, NULL);
  assert((rc == VDT_OK) == (jws_keys_count(other) > 0) && jws_keys_count(other) <= JWS_KEYS_MAX);
  jws_keys_free(other);
  return 0;
}
