/*
 * Who calls the control API, and what that allows: bearer tokens against the file of tokens (tokens.h), which is read at each request, so that a
 * revoked one is at once without effect.
 *
 * The slow hash is computed once per token and then a keyed hash of it is remembered for five minutes. Failed tries are counted per source: after ten
 * of them a source waits, one second and then twice as long each time up to a minute, in which only tokens that are remembered pass. All tables
 * have a fixed size; slow hashes of all sources together are limited too. For one thread.
 */
#ifndef API_AUTH_H
#define API_AUTH_H
#include "api/tokens.h"

struct auth_grant {
  enum auth_role role;
  char name[64];
  char workspaces[TOKEN_SCOPE_MAX + 1]; /* "*", or names with commas */
  unsigned wait_s;                      /* of AUTH_SLOW */
};
enum auth_answer { AUTH_OK, AUTH_UNKNOWN, AUTH_SLOW };

struct auth;
/* state_dir is borrowed. NULL: out of memory. */
struct auth *auth_new(const char *state_dir);
/* Accepts NULL. */
void auth_free(struct auth *auth);
/* What the value of Authorization allows. source: the client's address, or empty. The time it takes says nothing about secrets. */
enum auth_answer auth_check(struct auth *auth, struct str authorization, struct str source, struct auth_grant *out);
/* Prompt evidence is for those who were given the right to see it: operators work without. */
bool auth_sees_evidence(enum auth_role role);
#endif
