/*
 * Signing in at the portal by redirect: what belongs together of OpenID Connect's authorization code flow, with PKCE (RFC 6749, 7636, 9207).
 *
 * Nothing is kept of a sign-in under way, so nobody can fill a table with them. The browser gets a cookie of 256 random bits, the provider and the
 * time; state, nonce and PKCE verifier are keyed hashes of it. Who shows a state with the cookie that it comes from has begun that sign-in in this
 * browser, here, a short time ago; the key is gone with the process. Only that a state has been shown is remembered: it is taken once.
 *
 * It opens no connection and believes nothing that a provider says: that is signin_code.c's and oidc.c's. For one thread.
 */
#ifndef API_CODE_FLOW_H
#define API_CODE_FLOW_H
#include "api/oidc.h"

enum { CODE_COOKIE = 75, CODE_TEXT = 43, CODE_LIFE_S = 600, CODE_USED_MAX = 1024 };

enum code_text { CODE_STATE, CODE_NONCE, CODE_VERIFIER };
enum code_answer { CODE_OK, CODE_FOREIGN, CODE_OVER, CODE_USED, CODE_BUSY };

struct code_flow;
/* NULL: out of memory. */
struct code_flow *code_flow_new(void);
/* Accepts NULL. */
void code_flow_free(struct code_flow *f);
/* The cookie of a sign-in with that provider, with a NUL. now_s: Unix time. */
void code_flow_begin(const struct code_flow *f, size_t provider, uint64_t now_s, char cookie[CODE_COOKIE + 1]);
/* What the cookie makes: CODE_TEXT letters of base64url and a NUL. */
void code_flow_text(const struct code_flow *f, struct str cookie, enum code_text which, char out[CODE_TEXT + 1]);
/* Whether the state is the cookie's, and it is its first time. CODE_BUSY: more are shown than can be remembered. The time it takes says nothing about them. */
enum code_answer code_flow_take(struct code_flow *f, struct str cookie, struct str state, uint64_t now_s, size_t *provider);
/* Where the browser is to go to sign in. */
void code_flow_put_address(const struct code_flow *f, const struct oidc_sign_in *s, struct str cookie, struct buf *out);
/* The body of the request for tokens. */
void code_flow_put_form(const struct oidc_sign_in *s, struct str code, struct str verifier, struct buf *out);
/* Where the browser is to go to sign out. */
void code_flow_put_logout(const struct oidc_sign_in *s, struct buf *out);
/* Percent-encoded as in a form (application/x-www-form-urlencoded). */
void code_flow_put_encoded(struct str text, struct buf *out);
#endif
