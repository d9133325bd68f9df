/*
 * The file of tokens, <state>/tokens: who may call the control API. A line per token,
 *
 *   name|role|workspaces|created|expires|id|hash     workspaces: * or names with commas; days as 2026-11-26, expires - for never
 *
 * where hash is Argon2id of the whole token. Lines "name:hash" and "name:hash:reader" of earlier versions, with a SHA-256, are read as tokens of an
 * administrator and of a reader for every workspace that never expire. What is neither is no token. A token is vdt_ID_SECRET: the id finds its
 * line, so that one hash is computed and not one per line. Tokens themselves are in no file but admin.token.
 */
#ifndef API_TOKENS_H
#define API_TOKENS_H
#include "base/buf.h"
#include "vedette/vedette.h"

enum auth_role {
  AUTH_NONE,
#define X(id, name, help) id,
#include "base/roles.def"
#undef X
  AUTH_ROLES
};

enum { TOKEN_ID = 16, TOKEN_SECRET = 64, TOKEN_TEXT = 4 + TOKEN_ID + 1 + TOKEN_SECRET, TOKEN_DAY = 10, TOKEN_SCOPE_MAX = 4096 };

struct token_line {
  struct str name, workspaces, created, expires, id,
      hash; /* expires empty: never. id and created empty: a line of an earlier version */
  enum auth_role role;
};

/* AUTH_NONE when there is no such role. */
enum auth_role token_role(struct str name);
const char *token_role_name(enum auth_role role);
const char *token_role_help(enum auth_role role);
/* "2026-11-26" of that time, in UTC. */
void token_day(uint64_t unix_us, char out[TOKEN_DAY + 1]);
/* The next line of the file that is a token; *file moves behind it. false: there is none. Texts point into the file. */
bool token_next(struct str *file, struct token_line *out);
/* From the beginning of that day on, UTC. */
bool token_expired(const struct token_line *t, const char today[TOKEN_DAY + 1]);
/* workspaces: "*", or names with commas between them. */
bool token_reaches(struct str workspaces, struct str workspace);
/* The id in a token; empty when it is not vdt_ID_SECRET, to the byte. */
struct str token_id(struct str token);

/* The whole file. EIO. */
int tokens_read(const char *state_dir, struct buf *out, struct vdt_error *err);
/* EINVAL as tokens_create, and changes nothing. */
int tokens_check(const char *state_dir, const struct token_line *wish, struct vdt_error *err);
/* Makes a token and its line; wish->created, id and hash are not read. token is its text and a NUL, which nobody can be told again. EINVAL: a name,
 * scope or day that cannot be, or a name that is there. */
int tokens_create(const char *state_dir, const struct token_line *wish, char token[TOKEN_TEXT + 1], struct vdt_error *err);
/* Takes out the line of that name or id. ENOTFOUND. A running server knows it at its next request. */
int tokens_revoke(const char *state_dir, struct str name, struct vdt_error *err);
/* Makes admin.token, the token of an administrator, and the file of tokens, unless the latter exists. */
int tokens_prepare(const char *state_dir, struct vdt_error *err);
/* Remembers in <state>/tokens.used the last day on which a token was used. What cannot be written is forgotten. */
void tokens_used(const char *state_dir, struct str id, const char day[TOKEN_DAY + 1]);
/* That day, in `used`, the text of that file; empty when it was not. */
struct str token_used(struct str used, struct str id);
int tokens_read_used(const char *state_dir, struct buf *out);

/* For files beside it that hold secrets too. Two that change one of them at a time would lose one change: the lock ends with the descriptor. */
int tokens_lock(const char *state_dir, int *fd, struct vdt_error *err);
/* Puts <state>/name in place, readable by the owner of the folder only. EIO. */
int tokens_write(const char *state_dir, const char *name, struct str text, struct vdt_error *err);
#endif
