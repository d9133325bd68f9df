/*
 * Who may call the control API: bearer tokens, of which only SHA-256 hashes are kept, in <state>/tokens as lines
 * "name:hash" or "name:hash:reader". A reader may only read. The file is read at each request, so that a line taken out is at once
 * without effect. Tokens are never logged.
 */
#ifndef API_AUTH_H
#define API_AUTH_H
#include "base/buf.h"
#include "vedette/vedette.h"

enum auth_role { AUTH_NONE, AUTH_READER, AUTH_ADMIN };

/* Makes <state>/admin.token (a fresh random token) and <state>/tokens unless the latter exists. */
int auth_prepare(const char *state_dir, struct vdt_error *err);
/* What the value of Authorization allows. name gets the token's name. The time it takes says nothing about the hashes. */
enum auth_role auth_check(const char *state_dir, struct str authorization, char name[64]);
#endif
