/*
 * Links that sign in once, <state>/links (0600): a line per link, SHA-256 of its secret, until when (Unix time), id of the token that it stands for.
 * A link holds for fifteen minutes, opens one session and is gone; who can write the state folder can make one. The secret is 256 random bits, so a
 * fast hash is enough.
 */
#ifndef API_LINKS_H
#define API_LINKS_H
#include "api/tokens.h"

enum { LINK_TEXT = 64, LINK_LIFE_S = 900, LINKS_MAX = 64 };

/* Makes a link for the token of that name; out is its secret, with a NUL. ENOTFOUND: there is no such token, or it has expired, or is of an earlier version. ETOOBIG: LINKS_MAX wait
 * already. */
int links_create(const char *state_dir, struct str token_name, char out[LINK_TEXT + 1], struct vdt_error *err);
/* Takes the link out and says which token it stands for. ENOTFOUND: it is none, used, or too old. EIO: it could not be taken out, and opens nothing. */
int links_take(const char *state_dir, struct str secret, char id[TOKEN_ID + 1], struct vdt_error *err);
#endif
