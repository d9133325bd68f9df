#include "api/auth.h"
#include "base/error.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_BYTES = 32, TOKEN_MAX = 512, HEX = crypto_hash_sha256_BYTES * 2, FILE_MAX = 1 << 20 };

/* Written whole or not at all, readable by the owner only. */
static int write_secret(const char *state_dir, const char *name, struct str text, struct vdt_error *err)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", state_dir, name);
  return file_replace(path, text, 0600, err);
}

static void hash_hex(struct str token, char out[HEX + 1])
{
  unsigned char h[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(h, (const unsigned char *)token.p, token.n);
  sodium_bin2hex(out, HEX + 1, h, sizeof h);
}

int auth_prepare(const char *state_dir, struct vdt_error *err)
{
  char path[4096], token[TOKEN_BYTES * 2 + 2], line[HEX + 16], hex[HEX + 1];
  unsigned char random[TOKEN_BYTES];
  struct stat st;
  snprintf(path, sizeof path, "%s/tokens", state_dir);
  if (stat(path, &st) == 0) return VDT_OK;
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(token, sizeof token, random, sizeof random);
  hash_hex((struct str){token, TOKEN_BYTES * 2}, hex);
  int n = snprintf(line, sizeof line, "admin:%s\n", hex);
  token[TOKEN_BYTES * 2] = '\n';
  int rc = write_secret(state_dir, "admin.token", (struct str){token, TOKEN_BYTES * 2 + 1}, err);
  if (!rc) rc = write_secret(state_dir, "tokens", (struct str){line, (size_t)n}, err);
  sodium_memzero(token, sizeof token);
  sodium_memzero(random, sizeof random);
  return rc;
}

/* One line of the file against the hash: AUTH_NONE when it is another's or malformed. */
static enum auth_role check_line(struct str line, const char hex[HEX + 1], char name[64])
{
  const char *colon = memchr(line.p, ':', line.n);
  size_t n = colon ? (size_t)(colon - line.p) : 0;
  if (n == 0 || n > 63 || line.n < n + 1 + HEX) return AUTH_NONE;
  struct str rest = str_cut(line, n + 1 + HEX, line.n);
  bool reader = str_eq(rest, STR(":reader"));
  if (!reader && rest.n && !str_eq(rest, STR(":admin"))) return AUTH_NONE;
  if (sodium_memcmp(line.p + n + 1, hex, HEX) != 0) return AUTH_NONE;
  memcpy(name, line.p, n);
  name[n] = 0;
  return reader ? AUTH_READER : AUTH_ADMIN;
}

enum auth_role auth_check(const char *state_dir, struct str authorization, char name[64])
{
  char path[4096], hex[HEX + 1];
  struct buf file = {0};
  enum auth_role role = AUTH_NONE;
  name[0] = 0;
  if (authorization.n < 8 || authorization.n > TOKEN_MAX || !str_ieq(str_cut(authorization, 0, 7), STR("bearer ")))
    return AUTH_NONE;
  hash_hex(str_cut(authorization, 7, authorization.n), hex);
  snprintf(path, sizeof path, "%s/tokens", state_dir);
  if (file_read(path, FILE_MAX, &file, NULL) == VDT_OK) {
    for (size_t at = 0; at < file.n;) {
      const char *lf = memchr(file.p + at, '\n', file.n - at);
      size_t end = lf ? (size_t)(lf - file.p) : file.n;
      enum auth_role r = check_line((struct str){file.p + at, end - at}, hex, name);
      if (r > role) role = r;
      at = end + 1;
    }
  }
  buf_finish(&file);
  sodium_memzero(hex, sizeof hex);
  return role;
}
