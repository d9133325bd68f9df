/* The file of sign-in links: read and replaced whole under the lock of the file of tokens. It opens no session: that is auth.c's. */
#include "api/links.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include <errno.h>
#include <sodium.h>
#include <unistd.h>

enum { FILE_MAX = 65536, HASH_HEX = crypto_hash_sha256_BYTES * 2 };

struct link {
  struct str hash, until, id;
};

static void hash_of(struct str secret, char out[HASH_HEX + 1])
{
  unsigned char h[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(h, (const unsigned char *)secret.p, secret.n);
  sodium_bin2hex(out, HASH_HEX + 1, h, sizeof h);
}

/* The next link that holds; lines that are none, and links that are over, are passed by. */
static bool next_link(struct str *file, uint64_t now_s, struct link *out)
{
  while (file->n) {
    const char *end = memchr(file->p, '\n', file->n);
    size_t n = end ? (size_t)(end - file->p) : file->n;
    struct str line = str_cut(*file, 0, n);
    uint64_t until;
    *file = str_cut(*file, end ? n + 1 : n, file->n);
    if (line.n < HASH_HEX + 2 + TOKEN_ID) continue;
    *out = (struct link){str_cut(line, 0, HASH_HEX), str_cut(line, HASH_HEX + 1, line.n - TOKEN_ID - 1),
                         str_cut(line, line.n - TOKEN_ID, line.n)};
    if (str_u64(out->until, &until) && until > now_s && until <= now_s + LINK_LIFE_S) return true;
  }
  return false;
}

static void put_link(struct buf *b, const struct link *l)
{
  buf_printf(b, "%.*s|%.*s|%.*s\n", (int)l->hash.n, l->hash.p, (int)l->until.n, l->until.p, (int)l->id.n, l->id.p);
}

/* No file is no links. */
static int read_links(const char *state_dir, struct buf *out, struct vdt_error *err)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/links", state_dir);
  if (access(path, F_OK) && errno == ENOENT) return VDT_OK;
  return file_read(path, FILE_MAX, out, err);
}

static int find_token(const char *state_dir, struct str name, char id[TOKEN_ID + 1], struct vdt_error *err)
{
  struct buf file = {0};
  struct token_line t;
  char today[TOKEN_DAY + 1];
  bool found = false;
  token_day(clock_unix_us(), today);
  int rc = tokens_read(state_dir, &file, err);
  for (struct str text = buf_str(&file); !rc && !found && token_next(&text, &t);)
    found = t.id.n && str_eq(t.name, name) && !token_expired(&t, today);
  if (found) snprintf(id, TOKEN_ID + 1, "%.*s", (int)t.id.n, t.id.p);
  buf_finish(&file);
  if (!rc && !found) rc = error_set(err, VDT_ENOTFOUND, "there is no token of that name that a link can stand for");
  return rc;
}

static int add_link(const char *state_dir, const char *id, char out[LINK_TEXT + 1], struct vdt_error *err)
{
  unsigned char random[LINK_TEXT / 2];
  char hash[HASH_HEX + 1], until[24];
  uint64_t now_s = clock_unix_us() / 1000000;
  struct buf file = {0}, fresh = {0};
  struct link l;
  size_t n = 0;
  int rc = read_links(state_dir, &file, err);
  for (struct str text = buf_str(&file); !rc && next_link(&text, now_s, &l); n++) put_link(&fresh, &l);
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(out, LINK_TEXT + 1, random, sizeof random);
  sodium_memzero(random, sizeof random);
  hash_of((struct str){out, LINK_TEXT}, hash);
  snprintf(until, sizeof until, "%llu", (unsigned long long)now_s + LINK_LIFE_S);
  put_link(&fresh, &(struct link){{hash, HASH_HEX}, str_of(until), {id, TOKEN_ID}});
  if (!rc && n >= LINKS_MAX)
    rc = error_set(err, VDT_ETOOBIG, "%d links wait already; each is gone %d minutes after it was made", LINKS_MAX,
                   LINK_LIFE_S / 60);
  if (!rc && fresh.failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) rc = tokens_write(state_dir, "links", buf_str(&fresh), err);
  buf_finish(&file);
  buf_finish(&fresh);
  return rc;
}

int links_create(const char *state_dir, struct str token_name, char out[LINK_TEXT + 1], struct vdt_error *err)
{
  char id[TOKEN_ID + 1];
  int fd, rc = tokens_lock(state_dir, &fd, err);
  if (rc) return rc;
  rc = find_token(state_dir, token_name, id, err);
  if (!rc) rc = add_link(state_dir, id, out, err);
  close(fd);
  return rc;
}

/* All are compared, so that the time says nothing about which. */
int links_take(const char *state_dir, struct str secret, char id[TOKEN_ID + 1], struct vdt_error *err)
{
  char hash[HASH_HEX + 1];
  uint64_t now_s = clock_unix_us() / 1000000;
  struct buf file = {0}, rest = {0};
  struct link l;
  bool found = false;
  int fd, rc = tokens_lock(state_dir, &fd, err);
  if (rc) return rc;
  rc = read_links(state_dir, &file, err);
  hash_of(secret, hash);
  for (struct str text = buf_str(&file); !rc && next_link(&text, now_s, &l);) {
    bool it = sodium_memcmp(l.hash.p, hash, HASH_HEX) == 0;
    if (it) memcpy(id, l.id.p, TOKEN_ID), id[TOKEN_ID] = 0;
    else put_link(&rest, &l);
    found |= it;
  }
  if (!rc && !found) rc = error_set(err, VDT_ENOTFOUND, "there is no such link");
  if (!rc && rest.failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) rc = tokens_write(state_dir, "links", rest.n ? buf_str(&rest) : STR(""), err);
  close(fd);
  buf_finish(&file);
  buf_finish(&rest);
  return rc;
}
