/*
 * The file of tokens and a token, whatever they are: no line that is a token lacks a role, a scope or a hash, and only vdt_ID_SECRET has an id.
 * Input: the token up to the first line feed, then the file.
 */
#include "api/tokens.h"
#include <assert.h>
#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct token_line *t)
{
  assert(t->role > AUTH_NONE && t->role < AUTH_ROLES && t->name.n > 0 && t->name.n < 64);
  assert(t->workspaces.n > 0 && t->workspaces.n <= TOKEN_SCOPE_MAX &&
         !token_reaches(t->workspaces, STR("no such/name")) == !str_eq(t->workspaces, STR("*")));
  assert(t->id.n == 0 || t->id.n == TOKEN_ID);
  assert(t->hash.n > 0 && t->hash.n < crypto_pwhash_STRBYTES);
  assert(t->expires.n == 0 || (token_expired(t, "9999-99-99") && !token_expired(t, "0000-00-00")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str all = {(const char *)data, size};
  const char *lf = size ? memchr(data, '\n', size) : NULL;
  size_t n = lf ? (size_t)(lf - all.p) : size;
  struct str token = str_cut(all, 0, n), file = str_cut(all, lf ? n + 1 : n, size), before;
  struct token_line t;
  assert(token_id(token).n == 0 || token.n == TOKEN_TEXT);
  for (before = file; token_next(&file, &t); before = file) {
    assert(file.n < before.n);
    check(&t);
    token_used(all, t.id);
  }
  assert(file.n == 0);
  return 0;
}
