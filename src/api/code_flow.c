/* State, nonce and verifier of a sign-in, and the addresses and forms that they stand in, see code_flow.h. */
#include "api/code_flow.h"
#include <sodium.h>
#include <stdlib.h>

enum { SEED_HEX = 64, BYTES = 32 };

struct used {
  unsigned char mac[BYTES];
  uint64_t until_s; /* 0: free */
};

struct code_flow {
  unsigned char key[crypto_generichash_KEYBYTES];
  struct used used[CODE_USED_MAX];
};

struct code_flow *code_flow_new(void)
{
  struct code_flow *f = calloc(1, sizeof *f);
  if (f) randombytes_buf(f->key, sizeof f->key);
  return f;
}

void code_flow_free(struct code_flow *f)
{
  if (f) sodium_memzero(f, sizeof *f);
  free(f);
}

/* ---- what a cookie makes ---------------------------------------------------------------------------------------- */

static void keyed(const struct code_flow *f, const char *purpose, struct str cookie, unsigned char out[BYTES])
{
  crypto_generichash_state h;
  crypto_generichash_init(&h, f->key, sizeof f->key, BYTES);
  crypto_generichash_update(&h, (const unsigned char *)purpose, strlen(purpose) + 1);
  if (cookie.n) crypto_generichash_update(&h, (const unsigned char *)cookie.p, cookie.n);
  crypto_generichash_final(&h, out, BYTES);
}

static void base64(const unsigned char bytes[BYTES], char out[CODE_TEXT + 1])
{
  sodium_bin2base64(out, CODE_TEXT + 1, bytes, BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void code_flow_begin(const struct code_flow *f, size_t provider, uint64_t now_s, char cookie[CODE_COOKIE + 1])
{
  unsigned char seed[SEED_HEX / 2];
  (void)f;
  randombytes_buf(seed, sizeof seed);
  sodium_bin2hex(cookie, SEED_HEX + 1, seed, sizeof seed);
  snprintf(cookie + SEED_HEX, CODE_COOKIE + 1 - SEED_HEX, "%zx%010llx", provider & 15,
           (unsigned long long)(now_s & 0xffffffffffull));
  sodium_memzero(seed, sizeof seed);
}

void code_flow_text(const struct code_flow *f, struct str cookie, enum code_text which, char out[CODE_TEXT + 1])
{
  static const char *const purposes[] = {"state", "nonce", "verifier"};
  unsigned char bytes[BYTES];
  keyed(f, purposes[which], cookie, bytes);
  base64(bytes, out);
  sodium_memzero(bytes, sizeof bytes);
}

/* ---- once ------------------------------------------------------------------------------------------------------- */

static bool hex_number(struct str s, uint64_t *out)
{
  *out = 0;
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return false;
    *out = *out * 16 + (uint64_t)(digit ? c - '0' : c - 'a' + 10);
  }
  return true;
}

/* Room that is free or over is taken; what still counts is never forgotten for another. */
static enum code_answer remember(struct code_flow *f, struct str cookie, uint64_t began_s, uint64_t now_s)
{
  unsigned char mac[BYTES];
  struct used *room = NULL;
  bool used = false;
  keyed(f, "used", cookie, mac);
  for (size_t i = 0; i < CODE_USED_MAX; i++) {
    struct used *u = &f->used[i];
    used |= sodium_memcmp(u->mac, mac, sizeof mac) == 0;
    if (u->until_s <= now_s) room = u;
  }
  if (used) return CODE_USED;
  if (!room) return CODE_BUSY;
  memcpy(room->mac, mac, sizeof mac);
  room->until_s = began_s + CODE_LIFE_S + 1;
  return CODE_OK;
}

enum code_answer code_flow_take(struct code_flow *f, struct str cookie, struct str state, uint64_t now_s, size_t *provider)
{
  char want[CODE_TEXT + 1];
  uint64_t which, began;
  *provider = 0;
  if (cookie.n != CODE_COOKIE || state.n != CODE_TEXT) return CODE_FOREIGN;
  code_flow_text(f, cookie, CODE_STATE, want);
  if (sodium_memcmp(want, state.p, CODE_TEXT) != 0) return CODE_FOREIGN;
  if (!hex_number(str_cut(cookie, SEED_HEX, SEED_HEX + 1), &which) ||
      !hex_number(str_cut(cookie, SEED_HEX + 1, CODE_COOKIE), &began))
    return CODE_FOREIGN;
  if (now_s < began || now_s - began > CODE_LIFE_S) return CODE_OVER;
  *provider = (size_t)which;
  return remember(f, cookie, began, now_s);
}

/* ---- addresses and forms ---------------------------------------------------------------------------------------- */

void code_flow_put_encoded(struct str text, struct buf *out)
{
  for (size_t i = 0; i < text.n; i++) {
    unsigned char c = (unsigned char)text.p[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
    if (plain) buf_byte(out, (char)c);
    else buf_printf(out, "%%%02X", c);
  }
}

static void put(struct buf *out, const char *name, struct str value)
{
  buf_printf(out, "%s=", name);
  code_flow_put_encoded(value, out);
}

/* The query goes on where the configured address has one. */
static void put_base(const char *url, struct buf *out)
{
  buf_put(out, str_of(url));
  buf_byte(out, strchr(url, '?') ? '&' : '?');
}

void code_flow_put_address(const struct code_flow *f, const struct oidc_sign_in *s, struct str cookie, struct buf *out)
{
  unsigned char hash[crypto_hash_sha256_BYTES];
  char state[CODE_TEXT + 1], nonce[CODE_TEXT + 1], verifier[CODE_TEXT + 1], challenge[CODE_TEXT + 1];
  code_flow_text(f, cookie, CODE_STATE, state);
  code_flow_text(f, cookie, CODE_NONCE, nonce);
  code_flow_text(f, cookie, CODE_VERIFIER, verifier);
  crypto_hash_sha256(hash, (const unsigned char *)verifier, CODE_TEXT);
  base64(hash, challenge);
  put_base(s->authorize, out);
  BUF_LIT(out, "response_type=code&");
  put(out, "client_id", str_of(s->client));
  put(out, "&redirect_uri", str_of(s->redirect));
  put(out, "&scope", str_of(s->scopes));
  put(out, "&state", str_of(state));
  put(out, "&nonce", str_of(nonce));
  put(out, "&code_challenge", str_of(challenge));
  BUF_LIT(out, "&code_challenge_method=S256");
  sodium_memzero(verifier, sizeof verifier);
}

void code_flow_put_form(const struct oidc_sign_in *s, struct str code, struct str verifier, struct buf *out)
{
  BUF_LIT(out, "grant_type=authorization_code&");
  put(out, "code", code);
  put(out, "&redirect_uri", str_of(s->redirect));
  put(out, "&client_id", str_of(s->client));
  put(out, "&code_verifier", verifier);
}

void code_flow_put_logout(const struct oidc_sign_in *s, struct buf *out)
{
  put_base(s->logout, out);
  put(out, "client_id", str_of(s->client));
  put(out, "&post_logout_redirect_uri", str_of(s->redirect));
}
