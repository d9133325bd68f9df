/*
 * Tokens that an identity provider signs (RFC 7515 compact form, RFC 7519) and the keys that it publishes (RFC 7517), as RFC 8725 wants them read: the
 * algorithm belongs to the key, not to the token; there is no shared-key algorithm and no "none"; JSON is read strictly, so that no two readers can
 * see different members; what a token says it is critical is refused. Signatures are OpenSSL's (libcrypto), the rest is ours. No I/O, no clock.
 *
 * libcrypto, because libcurl has it in the program already: Debian's libjwt and cjose know no Ed25519, and bring shared-key algorithms and encryption
 * that nobody here may use.
 */
#ifndef API_JWS_H
#define API_JWS_H
#include "base/buf.h"
#include "base/json.h"

enum { JWS_MAX = 16000, JWS_KEYS_MAX = 64, JWS_KEY_ID_MAX = 255, JWS_KEYS_TEXT_MAX = 256 << 10 };

enum jws_algorithm {
#define X(id, name, help) id,
#include "api/jws_algorithms.def"
#undef X
  JWS_ALGORITHMS
};

/* JWS_ALGORITHMS when there is no such. */
enum jws_algorithm jws_algorithm(struct str name);
const char *jws_algorithm_name(enum jws_algorithm a);

/* A token that is well-formed; nothing of it is to be believed before jws_verify. */
struct jws {
  enum jws_algorithm algorithm;
  struct str key_id;  /* empty: it names none */
  struct str content; /* what is signed: borrowed from the token */
  struct str signature;
  struct json_doc claims; /* its root is an object */
};

/* Texts are in the arena. EINVAL for whatever is not right, which err says without quoting it; ENOMEM. */
int jws_parse(struct vdt_arena *arena, struct str token, struct jws *out, struct vdt_error *err);

struct jws_keys;
/* Keys of other uses, kinds and sizes are left out. EINVAL: it is no set of keys; ENOMEM. */
int jws_keys_parse(struct str json, struct jws_keys **out, struct vdt_error *err);
/* Accepts NULL. */
void jws_keys_free(struct jws_keys *keys);
/* How many can be used. Accepts NULL. */
size_t jws_keys_count(const struct jws_keys *keys);

/* ENOTFOUND: no key of that name and algorithm is there. EINVAL: the signature is not that key's. */
int jws_verify(const struct jws *jws, const struct jws_keys *keys);
#endif
