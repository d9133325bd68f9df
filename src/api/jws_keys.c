/* Keys that an identity provider publishes, and signatures held against them, see jws.h. A key belongs to one algorithm: a token cannot choose. */
#include "api/jws.h"
#include "base/error.h"
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>
#include <stdlib.h>

enum { KEY_BYTES_MAX = 1024, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, EC_BYTES = 32, EXPONENT_BYTES_MAX = 4 };

struct key {
  char id[JWS_KEY_ID_MAX + 1];
  enum jws_algorithm algorithm;
  EVP_PKEY *key;
};

struct jws_keys {
  size_t n;
  struct key keys[JWS_KEYS_MAX];
};

void jws_keys_free(struct jws_keys *keys)
{
  for (size_t i = 0; keys && i < keys->n; i++) EVP_PKEY_free(keys->keys[i].key);
  free(keys);
}

size_t jws_keys_count(const struct jws_keys *keys)
{
  return keys ? keys->n : 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* A number of the key: bytes, at most max. 0: there is none. */
static size_t number(const struct json_doc *d, uint32_t of, const char *name, unsigned char *out, size_t max)
{
  uint32_t v = json_get(d, of, name);
  size_t n = 0;
  if (!json_is(d, v, JSON_STRING) || d->nodes[v].escaped) return 0;
  struct str s = json_raw(d, v);
  s = str_cut(s, 1, s.n - 1);
  return sodium_base642bin(out, max, s.p, s.n, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) ? 0 : n;
}

static EVP_PKEY *build(const char *kind, OSSL_PARAM_BLD *b)
{
  EVP_PKEY *key = NULL;
  OSSL_PARAM *params = b ? OSSL_PARAM_BLD_to_param(b) : NULL;
  EVP_PKEY_CTX *c = params ? EVP_PKEY_CTX_new_from_name(NULL, kind, NULL) : NULL;
  if (!c || EVP_PKEY_fromdata_init(c) != 1 || EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) key = NULL;
  EVP_PKEY_CTX_free(c);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(b);
  return key;
}

static EVP_PKEY *read_rsa(const struct json_doc *d, uint32_t of)
{
  unsigned char n[KEY_BYTES_MAX], e[EXPONENT_BYTES_MAX];
  size_t n_n = number(d, of, "n", n, sizeof n), n_e = number(d, of, "e", e, sizeof e);
  if (!n_n || !n_e || !(e[n_e - 1] & 1) || (n_e == 1 && e[0] < 3)) return NULL;
  BIGNUM *bn = BN_bin2bn(n, (int)n_n, NULL), *be = BN_bin2bn(e, (int)n_e, NULL);
  OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
  bool ok = bn && be && b && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) &&
            OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be);
  int bits = bn ? BN_num_bits(bn) : 0;
  EVP_PKEY *key = ok && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? build("RSA", b) : NULL;
  if (!ok || bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) OSSL_PARAM_BLD_free(b);
  BN_free(bn);
  BN_free(be);
  return key;
}

/* A point that is not on the curve makes no key. */
static EVP_PKEY *read_ec(const struct json_doc *d, uint32_t of)
{
  unsigned char point[1 + 2 * EC_BYTES] = {4};
  if (!json_string_is(d, json_get(d, of, "crv"), "P-256") || number(d, of, "x", point + 1, EC_BYTES) != EC_BYTES ||
      number(d, of, "y", point + 1 + EC_BYTES, EC_BYTES) != EC_BYTES)
    return NULL;
  OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
  if (b && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
      OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point))
    return build("EC", b);
  OSSL_PARAM_BLD_free(b);
  return NULL;
}

static EVP_PKEY *read_ed(const struct json_doc *d, uint32_t of)
{
  unsigned char x[32];
  if (!json_string_is(d, json_get(d, of, "crv"), "Ed25519") || number(d, of, "x", x, sizeof x) != sizeof x) return NULL;
  return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, sizeof x);
}

/* false: it is of a kind or use that is not ours, or names another algorithm than its kind has. */
static bool read_key(struct vdt_arena *arena, const struct json_doc *d, uint32_t of, struct key *out)
{
  uint32_t use = json_get(d, of, "use"), alg = json_get(d, of, "alg"), kid = json_get(d, of, "kid"), kty = json_get(d, of, "kty");
  struct str id = {0};
  if (use && !json_string_is(d, use, "sig")) return false;
  if (kid && (!json_is(d, kid, JSON_STRING) || !json_string(d, kid, arena, &id) || id.n > JWS_KEY_ID_MAX)) return false;
  if (id.n && memchr(id.p, 0, id.n)) return false;
  *out = (struct key){0};
  snprintf(out->id, sizeof out->id, "%.*s", (int)id.n, id.n ? id.p : "");
  if (json_string_is(d, kty, "RSA")) out->algorithm = JWS_RS256, out->key = read_rsa(d, of);
  else if (json_string_is(d, kty, "EC")) out->algorithm = JWS_ES256, out->key = read_ec(d, of);
  else if (json_string_is(d, kty, "OKP")) out->algorithm = JWS_EDDSA, out->key = read_ed(d, of);
  if (out->key && alg && !json_string_is(d, alg, jws_algorithm_name(out->algorithm))) {
    EVP_PKEY_free(out->key);
    out->key = NULL;
  }
  return out->key != NULL;
}

static int read_set(struct vdt_arena *arena, struct str json, struct jws_keys *out, struct vdt_error *err)
{
  struct json_doc d;
  if (json.n > JWS_KEYS_TEXT_MAX) return error_set(err, VDT_EINVAL, "more than %d KiB", JWS_KEYS_TEXT_MAX >> 10);
  int rc = json_parse(arena, json, &(struct json_limits){16, 16384}, &d, err);
  if (rc) return rc == VDT_ENOMEM ? rc : error_set(err, VDT_EINVAL, "it is not JSON");
  uint32_t list = json_get(&d, 0, "keys");
  if (!json_is(&d, list, JSON_ARRAY)) return error_set(err, VDT_EINVAL, "it has no \"keys\"");
  for (uint32_t i = json_first(&d, list); i && out->n < JWS_KEYS_MAX; i = json_next(&d, list, i))
    if (read_key(arena, &d, i, &out->keys[out->n])) out->n++;
  ERR_clear_error();
  return out->n ? VDT_OK : error_set(err, VDT_EINVAL, "it has no key that can be used");
}

int jws_keys_parse(struct str json, struct jws_keys **out, struct vdt_error *err)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)8 << 20);
  struct jws_keys *keys = calloc(1, sizeof *keys);
  int rc = arena && keys ? read_set(arena, json, keys, err) : error_set(err, VDT_ENOMEM, "out of memory");
  vdt_arena_free(arena);
  if (rc) jws_keys_free(keys);
  *out = rc ? NULL : keys;
  return rc;
}

/* ---- signatures ------------------------------------------------------------------------------------------------- */

/* The one of that name; for a token that names none the only one of its algorithm. */
static const struct key *find_key(const struct jws_keys *keys, const struct jws *jws)
{
  const struct key *found = NULL;
  for (size_t i = 0; keys && i < keys->n; i++) {
    const struct key *k = &keys->keys[i];
    if (k->algorithm != jws->algorithm || (jws->key_id.n && !str_eq(jws->key_id, str_of(k->id)))) continue;
    if (found) return NULL;
    found = k;
  }
  return found;
}

static bool verify(EVP_PKEY *key, const EVP_MD *hash, struct str signature, struct str content)
{
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  bool ok =
      c && EVP_DigestVerifyInit(c, NULL, hash, NULL, key) == 1 &&
      EVP_DigestVerify(c, (const unsigned char *)signature.p, signature.n, (const unsigned char *)content.p, content.n) == 1;
  EVP_MD_CTX_free(c);
  ERR_clear_error();
  return ok;
}

/* A token has the two numbers, of 32 bytes each; OpenSSL wants them in DER. */
static bool verify_ecdsa(EVP_PKEY *key, struct str signature, struct str content)
{
  unsigned char der[128], *p = der;
  if (signature.n != 2 * EC_BYTES) return false;
  ECDSA_SIG *sig = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn((const unsigned char *)signature.p, EC_BYTES, NULL),
         *s = BN_bin2bn((const unsigned char *)signature.p + EC_BYTES, EC_BYTES, NULL);
  bool ours = sig && r && s && ECDSA_SIG_set0(sig, r, s);
  if (!ours) BN_free(r), BN_free(s);
  int n = ours ? i2d_ECDSA_SIG(sig, NULL) : 0;
  if (n > 0 && n <= (int)sizeof der) n = i2d_ECDSA_SIG(sig, &p);
  else n = 0;
  ECDSA_SIG_free(sig);
  return n > 0 && verify(key, EVP_sha256(), (struct str){(const char *)der, (size_t)n}, content);
}

int jws_verify(const struct jws *jws, const struct jws_keys *keys)
{
  const struct key *k = find_key(keys, jws);
  bool ok = false;
  if (!k) return VDT_ENOTFOUND;
  if (k->algorithm == JWS_RS256) ok = verify(k->key, EVP_sha256(), jws->signature, jws->content);
  else if (k->algorithm == JWS_ES256) ok = verify_ecdsa(k->key, jws->signature, jws->content);
  else ok = verify(k->key, NULL, jws->signature, jws->content);
  return ok ? VDT_OK : VDT_EINVAL;
}
