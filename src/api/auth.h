/*
 * Who calls the control API, and what that allows: bearer tokens against the file of tokens (tokens.h), which is read at each request, so that a
 * revoked one is at once without effect.
 *
 * The slow hash is computed once per token and then a keyed hash of it is remembered for five minutes. Failed tries are counted per source: after ten
 * of them a source waits, one second and then twice as long each time up to a minute, in which only tokens that are remembered pass. All tables
 * have a fixed size; slow hashes of all sources together are limited too. For one thread.
 *
 * Who signs in at the portal gets a session (session.h) in place of the token. It is tied to the token's line in the file: when that is revoked, or
 * expires, the session is over too, and what the line says of role and workspaces holds for the session at each request. One that was begun with an identity provider's token
 * (oidc.h) keeps what that token said, and ends with it.
 */
#ifndef API_AUTH_H
#define API_AUTH_H
#include "api/oidc.h"
#include "api/session.h"
#include "api/tokens.h"

struct auth_grant {
  enum auth_role role;
  char name[OIDC_NAME_MAX + 1];
  char workspaces[TOKEN_SCOPE_MAX + 1]; /* "*", or names with commas */
  unsigned wait_s;                      /* of AUTH_SLOW */
  unsigned char tie[SESSION_TIE];       /* the token that it comes from, as a keyed hash */
  uint64_t ends_us;                     /* of a session: when it will, Unix time; else 0 */
  uint64_t until_us;                    /* of an identity provider's token: its end, Unix time; 0: it is none */
  size_t signed_in_by;                  /* of a sign-in by redirect: the provider's place, from 1; else 0 */
};
enum auth_answer { AUTH_OK, AUTH_UNKNOWN, AUTH_SLOW };

struct auth;
/* state_dir and oidc are borrowed; oidc may be NULL. kept: see session.h, or -1. Sessions that go on end all the same when the token that they were begun
 * with is gone, and those of identity providers when anything that these may say has changed. NULL: out of memory. */
struct auth *auth_new(const char *state_dir, const struct session_limits *sessions, int kept, struct oidc *oidc);
/* What stands open beside the sessions, see session.h. */
struct session_pane *auth_panes(struct auth *auth);
/* Accepts NULL. */
void auth_free(struct auth *auth);
/* What the value of Authorization allows. source: the client's address, or empty. The time it takes says nothing about secrets. */
enum auth_answer auth_check(struct auth *auth, struct str authorization, struct str source, struct auth_grant *out);
/* The same of a token by itself. */
enum auth_answer auth_check_token(struct auth *auth, struct str token, struct str source, struct auth_grant *out);
/* The same of the secret of a link that signs in once (links.h), which it uses up. */
enum auth_answer auth_check_link(struct auth *auth, struct str secret, struct str source, struct auth_grant *out);
/* What the session of that cookie allows: AUTH_OK or AUTH_UNKNOWN. */
enum auth_answer auth_check_session(struct auth *auth, struct str cookie, struct auth_grant *out);
/* What an identity provider's token allows, once it is found right. */
void auth_grant_oidc(const struct auth *auth, const struct oidc_grant *of, struct auth_grant *out);
/* How many seconds that source waits; 0: it may try. And that it tried in vain. */
unsigned auth_wait(struct auth *auth, struct str source);
void auth_failed(struct auth *auth, struct str source);
/* Whether that session holds, without counting as a use of it. */
bool auth_session_holds(struct auth *auth, struct str cookie);
/* Begins a session of a grant; *grant gets its end. */
void auth_begin_session(struct auth *auth, struct auth_grant *grant, char cookie[SESSION_TEXT + 1]);
/* Whether there was one or not. */
void auth_end_session(struct auth *auth, struct str cookie);
/* The longest that one lasts. */
uint64_t auth_session_seconds(const struct auth *auth);
void auth_csrf(const struct auth *auth, struct str cookie, char out[SESSION_TEXT + 1]);
/* Prompt evidence is for those who were given the right to see it: operators work without. */
bool auth_sees_evidence(enum auth_role role);
#endif
