/* Lines of keys. Every one is checked against its id, so that a key that was damaged in copying says so at once and not when it is needed. */
#include "record/seal_key.h"
#include "base/error.h"
#include <assert.h>
#include <sodium.h>

_Static_assert(SEAL_KEY_BYTES == crypto_box_PUBLICKEYBYTES && SEAL_KEY_BYTES == crypto_box_SECRETKEYBYTES, "libsodium's keys");

enum { BASE64 = sodium_base64_VARIANT_ORIGINAL, BASE64_SIZE = sodium_base64_ENCODED_LEN(SEAL_KEY_BYTES, BASE64) };

static void make_id(struct seal_public *k)
{
  unsigned char hash[16], id[SEAL_KEY_ID / 2];
  crypto_generichash(hash, sizeof hash, k->key, sizeof k->key, (const unsigned char *)"vedette key", 11);
  memcpy(id, hash, sizeof id);
  sodium_bin2hex(k->id, sizeof k->id, id, sizeof id);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

struct key_line {
  struct str kind, workspace, id, key;
};

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

/* Exactly four words. */
static bool split(struct str line, struct key_line *out)
{
  struct str *words[] = {&out->kind, &out->workspace, &out->id, &out->key};
  size_t i = 0, n = 0;
  while (i < line.n) {
    size_t end = i;
    while (end < line.n && !is_blank(line.p[end])) end++;
    if (end > i && n == 4) return false;
    if (end > i) *words[n++] = str_cut(line, i, end);
    i = end + 1;
  }
  return n == 4;
}

/* The next line that says something; false at the end. */
static bool next_line(struct str *text, unsigned *number, struct str *line)
{
  while (text->n) {
    const char *lf = memchr(text->p, '\n', text->n);
    size_t end = lf ? (size_t)(lf - text->p) : text->n, from = 0;
    while (from < end && is_blank(text->p[from])) from++;
    *line = str_cut(*text, from, end);
    *text = str_cut(*text, lf ? end + 1 : end, text->n);
    ++*number;
    if (line->n && line->p[0] != '#') return true;
  }
  return false;
}

static bool decode(struct str base64, unsigned char key[SEAL_KEY_BYTES])
{
  size_t n = 0;
  return sodium_base642bin(key, SEAL_KEY_BYTES, base64.p, base64.n, NULL, &n, NULL, BASE64) == 0 && n == SEAL_KEY_BYTES;
}

/* Into key, the 32 bytes; whose public half is told by who calls. */
static int read_key(const struct key_line *l, const char *kind, struct str workspace, const char *name, unsigned number,
                    unsigned char key[SEAL_KEY_BYTES], struct vdt_error *err)
{
  if (!str_eq(l->kind, str_of(kind))) return error_at(err, VDT_ECONFIG, name, number, "expected \"%s WORKSPACE ID KEY\"", kind);
  if (!str_eq(l->workspace, workspace))
    return error_at(err, VDT_ECONFIG, name, number, "the key is one of another workspace than %.*s", (int)workspace.n,
                    workspace.p);
  return decode(l->key, key) ? VDT_OK : error_at(err, VDT_ECONFIG, name, number, "the key is damaged");
}

static int check_id(struct seal_public *k, struct str id, const char *name, unsigned number, struct vdt_error *err)
{
  make_id(k);
  if (str_eq(str_of(k->id), id)) return VDT_OK;
  return error_at(err, VDT_ECONFIG, name, number, "the key is damaged: its id is %s and not the one that stands there", k->id);
}

int seal_public_read(struct str text, const char *name, struct str workspace, struct seal_public *out, struct vdt_error *err)
{
  static const char kind[] = "vedette-public-1";
  struct str line;
  struct key_line l;
  unsigned number = 0;
  if (!next_line(&text, &number, &line) || !split(line, &l))
    return error_at(err, VDT_ECONFIG, name, number, "expected \"%s WORKSPACE ID KEY\"", kind);
  int rc = read_key(&l, kind, workspace, name, number, out->key, err);
  if (!rc) rc = check_id(out, l.id, name, number, err);
  if (!rc && next_line(&text, &number, &line)) rc = error_at(err, VDT_ECONFIG, name, number, "expected one key only");
  return rc;
}

static int add_private(struct seal_private *all, struct str line, const char *name, unsigned number, struct str workspace,
                       struct vdt_error *err)
{
  static const char kind[] = "vedette-private-1";
  struct key_line l;
  if (!split(line, &l)) return error_at(err, VDT_ECONFIG, name, number, "expected \"%s WORKSPACE ID KEY\"", kind);
  if (all->n == SEAL_KEYS_MAX) return error_at(err, VDT_ECONFIG, name, number, "more than %d keys", SEAL_KEYS_MAX);
  int rc = read_key(&l, kind, workspace, name, number, all->keys[all->n].key, err);
  if (rc) return rc;
  struct seal_public *public = &all->keys[all->n].public;
  if (crypto_scalarmult_base(public->key, all->keys[all->n].key))
    return error_at(err, VDT_ECONFIG, name, number, "the key is damaged");
  rc = check_id(public, l.id, name, number, err);
  for (size_t i = 0; !rc && i < all->n; i++)
    if (strcmp(all->keys[i].public.id, public->id) == 0) return error_at(err, VDT_ECONFIG, name, number, "the key stands twice");
  all->n += !rc;
  return rc;
}

int seal_private_read(struct str text, const char *name, struct str workspace, struct seal_private **out, struct vdt_error *err)
{
  struct str line;
  unsigned number = 0;
  int rc = VDT_OK;
  *out = NULL;
  struct seal_private *all = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *all);
  if (!all) return error_set(err, VDT_ENOMEM, "out of memory");
  sodium_memzero(all, sizeof *all);
  while (!rc && next_line(&text, &number, &line)) rc = add_private(all, line, name, number, workspace, err);
  if (!rc && !all->n) rc = error_at(err, VDT_ECONFIG, name, 0, "no key is in it");
  if (rc) seal_private_free(all);
  else *out = all;
  return rc;
}

void seal_private_free(struct seal_private *keys)
{
  if (keys) sodium_free(keys); /* wipes it */
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put_line(const char *kind, struct str workspace, const char *id, const unsigned char *key, struct buf *out)
{
  char base64[BASE64_SIZE];
  sodium_bin2base64(base64, sizeof base64, key, SEAL_KEY_BYTES, BASE64);
  buf_printf(out, "%s %.*s %s ", kind, (int)workspace.n, workspace.p, id);
  buf_put(out, (struct str){base64, BASE64_SIZE - 1});
  buf_byte(out, '\n');
  sodium_memzero(base64, sizeof base64);
}

int seal_key_make(struct str workspace, struct buf *private_line, struct seal_public *out, struct vdt_error *err)
{
  unsigned char key[SEAL_KEY_BYTES];
  if (sodium_init() < 0) return error_set(err, VDT_EIO, "no source of random numbers");
  sodium_mlock(key, sizeof key);
  crypto_box_keypair(out->key, key);
  make_id(out);
  /* A buffer that grows leaves its old memory behind: it is made large enough first. */
  if (buf_reserve(private_line, 256)) put_line("vedette-private-1", workspace, out->id, key, private_line);
  sodium_munlock(key, sizeof key); /* wipes it */
  return private_line->failed ? error_set(err, VDT_ENOMEM, "out of memory") : VDT_OK;
}

void seal_public_write(struct str workspace, const struct seal_public *key, struct buf *out)
{
  put_line("vedette-public-1", workspace, key->id, key->key, out);
}

void seal_text_finish(struct buf *b)
{
  if (b->p) sodium_memzero(b->p, b->cap);
  buf_finish(b);
}
