/*
 * What is kept of a client's credential: a keyed hash, which tells clients apart and gives no key away, and of what kind it is. Pure.
 *
 * A key is told by its bytes. An access token lives for an hour, so it is told by whom it is for: the claims tid, oid, sub, appid and azp. They are
 * not verified here; a request with a token that is not genuine gets its answer from the upstream, which does verify it.
 */
#ifndef GATEWAY_CREDENTIAL_H
#define GATEWAY_CREDENTIAL_H
#include "base/arena.h"
#include "base/str.h"

enum { CREDENTIAL_ID = 16 };

/* key: of this installation. id: hexadecimal digits. Returns the kind as records say it, "key" or "token", or NULL when there is no credential;
 * then id is empty. The same key is the same in either header. */
const char *credential_identify(const unsigned char key[32], struct str authorization, struct str api_key,
                                struct vdt_arena *arena, char id[CREDENTIAL_ID + 1]);
#endif
