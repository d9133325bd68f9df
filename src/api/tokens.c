/* The file of tokens: reading, and replacing it whole under a lock. It decides nothing about requests: that is auth.c's. */
#include "api/tokens.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHA_HEX = crypto_hash_sha256_BYTES * 2, FILE_MAX = 1 << 20, NAME_MAX_BYTES = 63 };

/* A token is 256 random bits: the hash need not be slow against guessing, only strong against who reads the file. 19 MiB and two passes take
 * tens of milliseconds, which a request may wait. */
enum { HASH_PASSES = 2, HASH_MEMORY = 19 << 20 };

static const struct {
  const char *name, *help;
} roles[] = {
    {"", ""},
#define X(id, name, help) {name, help},
#include "base/roles.def"
#undef X
};

enum auth_role token_role(struct str name)
{
  for (int i = AUTH_NONE + 1; i < AUTH_ROLES; i++)
    if (str_eq(name, str_of(roles[i].name))) return (enum auth_role)i;
  return AUTH_NONE;
}

const char *token_role_name(enum auth_role role)
{
  return roles[role].name;
}

const char *token_role_help(enum auth_role role)
{
  return roles[role].help;
}

void token_day(uint64_t unix_us, char out[TOKEN_DAY + 1])
{
  char text[CLOCK_TEXT];
  clock_format(unix_us, text);
  memcpy(out, text, TOKEN_DAY);
  out[TOKEN_DAY] = 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static struct str cut_at(struct str *text, char sign)
{
  const char *at = text->n ? memchr(text->p, sign, text->n) : NULL;
  size_t n = at ? (size_t)(at - text->p) : text->n;
  struct str s = str_cut(*text, 0, n);
  *text = str_cut(*text, at ? n + 1 : n, text->n);
  return s;
}

static bool only(struct str s, const char *signs)
{
  for (size_t i = 0; i < s.n; i++)
    if (!s.p[i] || !strchr(signs, s.p[i])) return false;
  return true;
}

static bool hex_ok(struct str s, size_t n)
{
  return s.n == n && only(s, "0123456789abcdef");
}

/* A day of the calendar: the 30th of February is read as a day of March, and written as one. */
static bool day_ok(struct str s)
{
  char text[TOKEN_DAY + sizeof "T00:00:00Z"], day[TOKEN_DAY + 1];
  if (s.n != TOKEN_DAY || !only(s, "0123456789-")) return false;
  int n = snprintf(text, sizeof text, "%.*sT00:00:00Z", (int)s.n, s.p);
  uint64_t us = clock_parse(text, (size_t)n);
  token_day(us, day);
  return us && str_eq(s, (struct str){day, TOKEN_DAY});
}

static bool name_ok(struct str s)
{
  return s.n > 0 && s.n <= NAME_MAX_BYTES && only(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@");
}

static bool scope_ok(struct str s)
{
  if (str_eq(s, STR("*"))) return true;
  if (!s.n || s.n > TOKEN_SCOPE_MAX) return false;
  for (bool more = true; more;) {
    more = memchr(s.p, ',', s.n) != NULL;
    struct str one = cut_at(&s, ',');
    if (!one.n || one.n > 63 || !only(one, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")) return false;
    if (more && !s.n) return false;
  }
  return true;
}

static bool read_old(struct str line, struct token_line *t)
{
  *t = (struct token_line){.workspaces = STR("*"), .role = AUTH_ADMIN, .name = cut_at(&line, ':')};
  t->hash = cut_at(&line, ':');
  if (str_eq(line, STR("reader"))) t->role = AUTH_READER;
  else if (line.n && !str_eq(line, STR("admin"))) return false;
  return t->name.n && t->name.n <= NAME_MAX_BYTES && hex_ok(t->hash, SHA_HEX);
}

static bool read_line(struct str line, struct token_line *t)
{
  struct str role;
  if (!line.n || !memchr(line.p, '|', line.n)) return read_old(line, t);
  struct str *const parts[] = {&t->name, &role, &t->workspaces, &t->created, &t->expires, &t->id};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) *parts[i] = cut_at(&line, '|');
  t->hash = line;
  t->role = token_role(role);
  bool forever = str_eq(t->expires, STR("-"));
  if (!forever && !day_ok(t->expires)) return false;
  if (forever) t->expires = (struct str){0};
  return name_ok(t->name) && t->role && scope_ok(t->workspaces) && day_ok(t->created) && hex_ok(t->id, TOKEN_ID) &&
         str_starts(t->hash, STR("$argon2id$")) && t->hash.n < crypto_pwhash_STRBYTES;
}

bool token_next(struct str *file, struct token_line *out)
{
  while (file->n)
    if (read_line(cut_at(file, '\n'), out)) return true;
  return false;
}

bool token_expired(const struct token_line *t, const char today[TOKEN_DAY + 1])
{
  return t->expires.n && memcmp(t->expires.p, today, TOKEN_DAY) <= 0;
}

bool token_reaches(struct str workspaces, struct str workspace)
{
  if (str_eq(workspaces, STR("*"))) return true;
  while (workspaces.n)
    if (str_eq(cut_at(&workspaces, ','), workspace)) return true;
  return false;
}

struct str token_id(struct str token)
{
  if (token.n != TOKEN_TEXT || !str_starts(token, STR("vdt_")) || token.p[4 + TOKEN_ID] != '_') return (struct str){0};
  struct str id = str_cut(token, 4, 4 + TOKEN_ID);
  bool ok = hex_ok(id, TOKEN_ID) && hex_ok(str_cut(token, TOKEN_TEXT - TOKEN_SECRET, TOKEN_TEXT), TOKEN_SECRET);
  return ok ? id : (struct str){0};
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

int tokens_read(const char *state_dir, struct buf *out, struct vdt_error *err)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/tokens", state_dir);
  return file_read(path, FILE_MAX, out, err);
}

/* Readable by the owner only, who is the owner of the folder also when root writes for somebody else's server. */
int tokens_write(const char *state_dir, const char *name, struct str text, struct vdt_error *err)
{
  char path[4096];
  struct stat st;
  snprintf(path, sizeof path, "%s/%s", state_dir, name);
  int rc = file_replace(path, text, 0600, err);
  if (!rc && geteuid() == 0 && stat(state_dir, &st) == 0 && lchown(path, st.st_uid, st.st_gid))
    rc = error_set(err, VDT_EIO, "%s: %s", path, strerror(errno));
  return rc;
}

/* Two that change the file at a time would lose one change. The lock ends with the descriptor. */
int tokens_lock(const char *state_dir, int *fd, struct vdt_error *err)
{
  *fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*fd >= 0 && flock(*fd, LOCK_EX) == 0) return VDT_OK;
  int rc = error_set(err, VDT_EIO, "%s: %s", state_dir, strerror(errno));
  if (*fd >= 0) close(*fd);
  return rc;
}

static bool exists(const char *state_dir)
{
  char path[4096];
  struct stat st;
  snprintf(path, sizeof path, "%s/tokens", state_dir);
  return stat(path, &st) == 0;
}

static int put_new(struct buf *file, const struct token_line *wish, char token[TOKEN_TEXT + 1], struct vdt_error *err)
{
  unsigned char random[(TOKEN_ID + TOKEN_SECRET) / 2];
  char hash[crypto_pwhash_STRBYTES], today[TOKEN_DAY + 1], hex[sizeof random * 2 + 1];
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(hex, sizeof hex, random, sizeof random);
  snprintf(token, TOKEN_TEXT + 1, "vdt_%.*s_%s", TOKEN_ID, hex, hex + TOKEN_ID);
  token_day(clock_unix_us(), today);
  int failed = crypto_pwhash_str(hash, token, TOKEN_TEXT, HASH_PASSES, HASH_MEMORY);
  if (!failed) {
    if (file->n && file->p[file->n - 1] != '\n') buf_byte(file, '\n');
    buf_printf(file, "%.*s|%s|%.*s|%s|%.*s|%.*s|%s\n", (int)wish->name.n, wish->name.p, roles[wish->role].name,
               (int)wish->workspaces.n, wish->workspaces.p, today, wish->expires.n ? (int)wish->expires.n : 1,
               wish->expires.n ? wish->expires.p : "-", TOKEN_ID, hex, hash);
  }
  sodium_memzero(random, sizeof random);
  sodium_memzero(hex, sizeof hex);
  return failed || file->failed ? error_set(err, VDT_ENOMEM, "out of memory") : VDT_OK;
}

static int wish_ok(const struct token_line *wish, struct str file, struct vdt_error *err)
{
  struct token_line t;
  if (!name_ok(wish->name)) return error_set(err, VDT_EINVAL, "a name has 1 to %d letters, digits, and - _ . @", NAME_MAX_BYTES);
  if (!scope_ok(wish->workspaces)) return error_set(err, VDT_EINVAL, "these cannot be names of workspaces");
  if (wish->expires.n && !day_ok(wish->expires)) return error_set(err, VDT_EINVAL, "there is no such day to expire on");
  while (token_next(&file, &t))
    if (str_eq(t.name, wish->name)) return error_set(err, VDT_EINVAL, "there is a token of that name already; revoke it first");
  return VDT_OK;
}

int tokens_check(const char *state_dir, const struct token_line *wish, struct vdt_error *err)
{
  struct buf file = {0};
  int rc = exists(state_dir) ? tokens_read(state_dir, &file, err) : VDT_OK;
  if (!rc) rc = wish_ok(wish, buf_str(&file), err);
  buf_finish(&file);
  return rc;
}

int tokens_create(const char *state_dir, const struct token_line *wish, char token[TOKEN_TEXT + 1], struct vdt_error *err)
{
  struct buf file = {0};
  int fd, rc = tokens_lock(state_dir, &fd, err);
  if (rc) return rc;
  if (exists(state_dir)) rc = tokens_read(state_dir, &file, err);
  if (!rc) rc = wish_ok(wish, buf_str(&file), err);
  if (!rc) rc = put_new(&file, wish, token, err);
  if (!rc && file.n > FILE_MAX) rc = error_set(err, VDT_ETOOBIG, "there are too many tokens");
  if (!rc) rc = tokens_write(state_dir, "tokens", buf_str(&file), err);
  close(fd);
  buf_finish(&file);
  return rc;
}

/* The other lines stay as they are, also those that are no tokens. */
int tokens_revoke(const char *state_dir, struct str name, struct vdt_error *err)
{
  struct buf file = {0}, rest = {0};
  bool found = false;
  int fd, rc = tokens_lock(state_dir, &fd, err);
  if (rc) return rc;
  rc = tokens_read(state_dir, &file, err);
  for (struct str text = buf_str(&file); !rc && text.n;) {
    struct token_line t;
    struct str line = cut_at(&text, '\n');
    bool it = read_line(line, &t) && (str_eq(t.name, name) || (t.id.n && str_eq(t.id, name)));
    found |= it;
    if (!it) buf_put(&rest, line), buf_byte(&rest, '\n');
  }
  if (!rc && !found) rc = error_set(err, VDT_ENOTFOUND, "there is no token of that name or id");
  if (!rc && rest.failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) rc = tokens_write(state_dir, "tokens", rest.n ? buf_str(&rest) : STR(""), err);
  close(fd);
  buf_finish(&file);
  buf_finish(&rest);
  return rc;
}

/* admin.token first: whoever finds the file of tokens finds the token too. */
int tokens_prepare(const char *state_dir, struct vdt_error *err)
{
  static const struct token_line admin = {.name = STR("admin"), .workspaces = STR("*"), .role = AUTH_ADMIN};
  char token[TOKEN_TEXT + 2];
  struct buf file = {0};
  int fd, rc = tokens_lock(state_dir, &fd, err);
  if (rc) return rc;
  if (!exists(state_dir)) {
    rc = put_new(&file, &admin, token, err);
    token[TOKEN_TEXT] = '\n';
    if (!rc) rc = tokens_write(state_dir, "admin.token", (struct str){token, TOKEN_TEXT + 1}, err);
    if (!rc) rc = tokens_write(state_dir, "tokens", buf_str(&file), err);
  }
  close(fd);
  sodium_memzero(token, sizeof token);
  buf_finish(&file);
  return rc;
}

/* ---- last used -------------------------------------------------------------------------------------------------- */

int tokens_read_used(const char *state_dir, struct buf *out)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/tokens.used", state_dir);
  return file_read(path, FILE_MAX, out, NULL);
}

struct str token_used(struct str used, struct str id)
{
  while (used.n) {
    struct str line = cut_at(&used, '\n');
    if (str_eq(cut_at(&line, ' '), id) && line.n == TOKEN_DAY) return line;
  }
  return (struct str){0};
}

/* Written anew with the lines of the tokens that there are, so that it cannot grow. */
void tokens_used(const char *state_dir, struct str id, const char day[TOKEN_DAY + 1])
{
  struct buf used = {0}, file = {0}, now = {0};
  struct token_line t;
  tokens_read_used(state_dir, &used);
  if (!str_eq(token_used(buf_str(&used), id), (struct str){day, TOKEN_DAY}) && !tokens_read(state_dir, &file, NULL)) {
    for (struct str text = buf_str(&file); token_next(&text, &t);) {
      struct str last = str_eq(t.id, id) ? (struct str){day, TOKEN_DAY} : token_used(buf_str(&used), t.id);
      if (t.id.n && last.n) buf_printf(&now, "%.*s %.*s\n", (int)t.id.n, t.id.p, (int)last.n, last.p);
    }
    if (!now.failed && now.n) tokens_write(state_dir, "tokens.used", buf_str(&now), NULL);
  }
  buf_finish(&used);
  buf_finish(&file);
  buf_finish(&now);
}
