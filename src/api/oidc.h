/*
 * People and programs whose tokens an identity provider makes (OpenID Connect): which providers are believed, with which keys, and what their claims
 * allow here.
 *
 * Keys come from a file, looked at every second, or an https address, fetched by a thread of its own: at the start, when they are due, and, at most
 * every half minute, when a token names a key that is not there. They are believed for a bounded time after they were last read, so that a provider
 * that takes back its keys is heard although it cannot be reached.
 */
#ifndef API_OIDC_H
#define API_OIDC_H
#include "api/jws.h"
#include "api/tokens.h"

enum { OIDC_PROVIDERS_MAX = 4, OIDC_ROLES_MAX = 16, OIDC_NAME_MAX = 127 };

/* Who has this in the claim of roles has the role, in one workspace or in all. */
struct oidc_role {
  struct str value, workspace; /* workspace empty: all */
  enum auth_role role;
};

/* How people sign in at the portal by redirect (oidc_code.h). client is NULL: they do not. */
struct oidc_sign_in {
  const char *client, *secret_env;                   /* what the portal is registered as; an environment variable, or NULL */
  const char *authorize, *token, *logout, *redirect; /* addresses; logout may be NULL */
  const char *scopes, *title;                        /* title: NULL, the issuer's host */
  bool sends_iss;
};

/* Everything is borrowed. */
struct oidc_provider {
  const char *issuer, *audience; /* exactly as tokens have them */
  const char *keys;              /* a path, or "https://..." */
  const char *trust;             /* PEM file of certificates that its server may have, or NULL: the system's */
  const char *role_claim;        /* a member of the claims, or of an object in them: "realm_access.roles" */
  const char *name_claim;
  bool algorithms[JWS_ALGORITHMS];
  uint64_t skew, refresh, believe; /* seconds: clocks differ by; keys are fetched every; keys are believed for */
  struct oidc_sign_in sign_in;
  struct oidc_role roles[OIDC_ROLES_MAX];
  size_t n_roles;
};

struct oidc_options {
  struct oidc_provider providers[OIDC_PROVIDERS_MAX];
  size_t n;
};

/* What a token that is right allows. */
struct oidc_grant {
  enum auth_role role;
  char name[OIDC_NAME_MAX + 1];
  char workspaces[1024];
  unsigned char subject[32]; /* BLAKE2b of issuer and sub: one person, whatever token */
  uint64_t until_us;         /* its end, Unix time */
};

struct oidc;
/* Everything in options is borrowed. What is in files is read when this returns; what cannot be read is said on standard error and tried again. */
int oidc_start(const struct oidc_options *options, struct oidc **out, struct vdt_error *err);
/* Accepts NULL. */
void oidc_stop(struct oidc *o);
/* It may be one of a provider: three parts. */
bool oidc_is_token(struct str token);
/* EINVAL for whatever is wrong, which err says for tests and never quotes. For one thread. */
int oidc_check(struct oidc *o, struct str token, uint64_t now_us, struct oidc_grant *out, struct vdt_error *err);
/* The same with these keys, without a cache. */
int oidc_check_with(const struct oidc_provider *p, const struct jws_keys *keys, struct vdt_arena *arena, struct str token,
                    uint64_t now_us, struct oidc_grant *out, struct vdt_error *err);

/* An ID token of provider i, from the provider itself, for the portal: aud is what the portal is registered as, and it has this nonce. The same errors, and
 * ESTATE: it is right, and has no role that is known here. */
int oidc_check_id(struct oidc *o, size_t i, struct str token, struct str nonce, uint64_t now_us, struct oidc_grant *out,
                  struct vdt_error *err);

/* The same with these keys, without a cache. */
int oidc_check_id_with(const struct oidc_provider *p, const struct jws_keys *keys, struct vdt_arena *arena, struct str token,
                       struct str nonce, uint64_t now_us, struct oidc_grant *out, struct vdt_error *err);

struct feeds_transfer;
/* Hands each request for keys since the last call to take(), oldest first, until it returns false. Accepts NULL. */
void oidc_take_transfers(struct oidc *o, bool (*take)(void *ctx, const struct feeds_transfer *t), void *ctx);

struct oidc_status {
  const char *issuer;
  size_t keys;
  uint64_t loaded_us; /* Unix time; 0: never */
  bool failed;        /* the last try */
};
/* Accepts NULL. false behind the last. */
bool oidc_status_at(struct oidc *o, size_t i, struct oidc_status *out);

/* oidc_keys.c: notes a request that another thread made of a provider. ctx: struct oidc. */
void oidc_note_transfer(void *ctx, const struct feeds_transfer *t);
/* oidc_keys.c: the keys of a provider, for who holds the lock. */
const struct jws_keys *oidc_keys_lock(struct oidc *o, size_t i, uint64_t now_us);
void oidc_keys_unlock(struct oidc *o);
/* A token named a key that is not there. */
void oidc_keys_wanted(struct oidc *o, size_t i);
const struct oidc_options *oidc_options(const struct oidc *o);
struct vdt_arena *oidc_arena(struct oidc *o);
#endif
