/*
 * The SQLite store: the key of audit logs (STATE/audit.key) and what is hashed with it. It is made with the first entry of the first log, is read when
 * it is needed, and a log that has begun is never continued with another. No entry is read or written here.
 */
#include "base/error.h"
#include "base/file.h"
#include "store/sqlite_audit.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY = crypto_generichash_KEYBYTES, KEY_FILE_MAX = 256 };
_Static_assert(KEY == sizeof((struct sqlite_store *)0)->audit_key, "the key's size");

/* ---- the file --------------------------------------------------------------------------------------------------- */

/* Linked into place: when two processes make one at once, both go on with the first. */
static int make_key(const char *path, struct vdt_error *err)
{
  char beside[4200], text[2 * KEY + 2];
  unsigned char key[KEY];
  snprintf(beside, sizeof beside, "%s.new.%ld", path, (long)getpid());
  if (sodium_init() < 0) return error_set(err, VDT_EIO, "no source of random numbers");
  randombytes_buf(key, sizeof key);
  sodium_bin2hex(text, sizeof text, key, sizeof key);
  text[2 * KEY] = '\n';
  int rc = file_replace(beside, (struct str){text, 2 * KEY + 1}, 0600, err);
  if (!rc && link(beside, path) && errno != EEXIST) rc = error_set(err, VDT_EIO, "%s: %s", path, strerror(errno));
  unlink(beside);
  sodium_memzero(text, sizeof text);
  sodium_memzero(key, sizeof key);
  return rc;
}

static int read_key(struct sqlite_store *s, struct vdt_error *err)
{
  struct buf text = {0};
  size_t n = 0;
  int rc = file_read(s->audit_key_path, KEY_FILE_MAX, &text, err);
  bool ok = !rc && text.n == 2 * KEY + 1 && text.p[2 * KEY] == '\n' &&
            sodium_hex2bin(s->audit_key, KEY, text.p, 2 * KEY, NULL, &n, NULL) == 0 && n == KEY;
  if (!rc && !ok) rc = error_set(err, VDT_ESTATE, "%s holds no key of an audit log", s->audit_key_path);
  if (text.p) sodium_memzero(text.p, text.n);
  buf_finish(&text);
  s->has_audit_key = ok;
  return rc;
}

/* ---- hashing ---------------------------------------------------------------------------------------------------- */

void audit_take_number(crypto_generichash_state *h, uint64_t v)
{
  unsigned char le[8];
  for (int i = 0; i < 8; i++) le[i] = (unsigned char)(v >> (8 * i));
  crypto_generichash_update(h, le, sizeof le);
}

void audit_take_text(crypto_generichash_state *h, struct str s)
{
  audit_take_number(h, s.n);
  if (s.n) crypto_generichash_update(h, (const unsigned char *)s.p, s.n);
}

void audit_begin_hash(const struct sqlite_store *s, crypto_generichash_state *h, struct str purpose)
{
  crypto_generichash_init(h, s->audit_key, KEY, STORE_AUDIT_HASH);
  audit_take_text(h, purpose);
  audit_take_text(h, str_of(s->name));
}

void audit_end_hash(crypto_generichash_state *h, char hex[AUDIT_HEX])
{
  unsigned char hash[STORE_AUDIT_HASH];
  crypto_generichash_final(h, hash, STORE_AUDIT_HASH);
  sodium_bin2hex(hex, AUDIT_HEX, hash, STORE_AUDIT_HASH);
}

/* ---- which key it is -------------------------------------------------------------------------------------------- */

/* The store remembers which key its log is written with: a wrong one is an error of whoever put it there, no forgery. */
static int check_key(struct sqlite_store *s, bool keep, struct vdt_error *err)
{
  char have[2 * AUDIT_HEX], want[AUDIT_HEX];
  crypto_generichash_state h;
  audit_begin_hash(s, &h, STR("vedette audit key"));
  audit_end_hash(&h, want);
  int rc = sqlite_get_meta(s, "audit_key", have, sizeof have, err);
  if (!rc && !have[0] && keep) return sqlite_put_meta(s, "audit_key", want, err);
  if (!rc && have[0] && strcmp(have, want) != 0) {
    s->has_audit_key = false;
    rc = error_set(err, VDT_ESTATE, "%s is not the key that the audit log of workspace %s was written with; put that one back",
                   s->audit_key_path, s->name);
  }
  return rc;
}

int audit_need_key(struct sqlite_store *s, bool begun, struct vdt_error *err)
{
  struct stat st;
  if (s->has_audit_key) return VDT_OK;
  int rc = VDT_OK;
  if (stat(s->audit_key_path, &st) && errno == ENOENT)
    rc = begun ? error_set(err, VDT_ESTATE, "%s is missing, and the audit log of workspace %s was written with it; put it back",
                           s->audit_key_path, s->name)
               : make_key(s->audit_key_path, err);
  if (!rc) rc = read_key(s, err);
  return rc ? rc : check_key(s, !begun, err);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

struct hiding {
  struct str name;
  char *out;
};

static int hide(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  const struct hiding *h = ctx;
  unsigned char last_hash[STORE_AUDIT_HASH];
  char hex[AUDIT_HEX];
  crypto_generichash_state state;
  uint64_t last;
  int rc = audit_read_last(s, &last, last_hash, err);
  if (!rc) rc = audit_need_key(s, last > 0, err);
  if (rc) return rc;
  audit_begin_hash(s, &state, STR("vedette audit name"));
  audit_take_text(&state, h->name);
  audit_end_hash(&state, hex);
  memcpy(h->out, hex, STORE_HIDDEN);
  h->out[STORE_HIDDEN] = 0;
  return VDT_OK;
}

int sqlite_hide_name(struct store *base, struct str name, char out[STORE_HIDDEN + 1], struct vdt_error *err)
{
  struct hiding h = {name, out};
  return sqlite_within(sqlite_of(base), hide, &h, err);
}
