/*
 * The SQLite store: the audit log. Each entry carries a hash over its content and the hash of the entry before, keyed with STATE/audit.key, so that
 * whoever can write the database but not read the key can change no entry unseen. The last entry is sealed in meta, so that cutting entries off the
 * end shows too, unless an older seal was kept; against that helps only a head that is kept elsewhere (docs/audit.md).
 *
 * Everything that writes here runs within the transaction of the change that it is about.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "store/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY = crypto_generichash_KEYBYTES, HASH = STORE_AUDIT_HASH, KEY_FILE_MAX = 256, HASH_HEX = 2 * HASH + 1 };
_Static_assert(KEY == sizeof((struct sqlite_store *)0)->audit_key, "the key's size");

static const struct {
  const char *name, *text;
} faults[] = {
#define X(fault, name, text) {name, text},
#include "store/audit_faults.def"
#undef X
};

const char *store_audit_fault_name(enum store_audit_fault fault)
{
  return faults[fault].name;
}

const char *store_audit_fault_text(enum store_audit_fault fault)
{
  return faults[fault].text;
}

/* ---- the key ---------------------------------------------------------------------------------------------------- */

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

int sqlite_get_meta(struct sqlite_store *s, const char *key, char *out, size_t size, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_META_GET, &rc, err);
  out[0] = 0;
  if (!q) return rc;
  sqlite_bind_str(q, 1, str_of(key));
  int code = sqlite3_step(q);
  const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : NULL;
  if (text) snprintf(out, size, "%s", text);
  if (code != SQLITE_ROW && code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

int sqlite_put_meta(struct sqlite_store *s, const char *key, const char *value, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_META_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, str_of(key));
  sqlite_bind_str(q, 2, str_of(value));
  return sqlite_run(s, q, err);
}

static void take_number(crypto_generichash_state *h, uint64_t v)
{
  unsigned char le[8];
  for (int i = 0; i < 8; i++) le[i] = (unsigned char)(v >> (8 * i));
  crypto_generichash_update(h, le, sizeof le);
}

static void take_text(crypto_generichash_state *h, struct str s)
{
  take_number(h, s.n);
  if (s.n) crypto_generichash_update(h, (const unsigned char *)s.p, s.n);
}

/* Every hash begins with what it is for: none can stand in another's place. */
static void begin_hash(const struct sqlite_store *s, crypto_generichash_state *h, struct str purpose)
{
  crypto_generichash_init(h, s->audit_key, KEY, HASH);
  take_text(h, purpose);
  take_text(h, str_of(s->name));
}

static void end_hash(crypto_generichash_state *h, char hex[HASH_HEX])
{
  unsigned char hash[HASH];
  crypto_generichash_final(h, hash, HASH);
  sodium_bin2hex(hex, HASH_HEX, hash, HASH);
}

/* The store remembers which key its log is written with: a wrong one is an error of whoever put it there, no forgery. */
static int check_key(struct sqlite_store *s, bool keep, struct vdt_error *err)
{
  char have[2 * HASH_HEX], want[HASH_HEX];
  crypto_generichash_state h;
  begin_hash(s, &h, STR("vedette audit key"));
  end_hash(&h, want);
  int rc = sqlite_get_meta(s, "audit_key", have, sizeof have, err);
  if (!rc && !have[0] && keep) return sqlite_put_meta(s, "audit_key", want, err);
  if (!rc && have[0] && strcmp(have, want) != 0) {
    s->has_audit_key = false;
    rc = error_set(err, VDT_ESTATE, "%s is not the key that the audit log of workspace %s was written with; put that one back",
                   s->audit_key_path, s->name);
  }
  return rc;
}

/* A log that has begun never gets another key: that would make its entries unprovable without a word. */
static int need_key(struct sqlite_store *s, bool begun, struct vdt_error *err)
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

/* ---- hashes ----------------------------------------------------------------------------------------------------- */

/* What an entry is hashed from. The texts belong to whoever filled it in. */
struct entry {
  uint64_t id, time_us;
  struct str texts[4]; /* who, what, target, detail */
};

static void hash_entry(const struct sqlite_store *s, const struct entry *e, const unsigned char before[HASH],
                       unsigned char out[HASH])
{
  crypto_generichash_state h;
  begin_hash(s, &h, STR("vedette audit entry 1"));
  crypto_generichash_update(&h, before, HASH);
  take_number(&h, e->id);
  take_number(&h, e->time_us);
  for (size_t i = 0; i < 4; i++) take_text(&h, e->texts[i]);
  crypto_generichash_final(&h, out, HASH);
}

static void seal(const struct sqlite_store *s, uint64_t id, const unsigned char hash[HASH], char hex[HASH_HEX])
{
  crypto_generichash_state h;
  begin_hash(s, &h, STR("vedette audit head 1"));
  take_number(&h, id);
  crypto_generichash_update(&h, hash, HASH);
  end_hash(&h, hex);
}

/* Whatever stands there in place of a hash counts as one, so that verifying goes on behind it. */
static void read_hash(sqlite3_stmt *q, int at, unsigned char hash[HASH])
{
  const void *p = sqlite3_column_blob(q, at);
  size_t n = (size_t)sqlite3_column_bytes(q, at);
  memset(hash, 0, HASH);
  if (p && n == HASH) memcpy(hash, p, n);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static int read_last(struct sqlite_store *s, uint64_t *id, unsigned char hash[HASH], struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_HEAD, &rc, err);
  *id = 0;
  memset(hash, 0, HASH);
  if (!q) return rc;
  int code = sqlite3_step(q);
  if (code == SQLITE_ROW) {
    *id = sqlite_u64(q, 0);
    read_hash(q, 1, hash);
  } else if (code != SQLITE_DONE) {
    rc = sqlite_error(s, code, err);
  }
  sqlite3_reset(q);
  return rc;
}

static int insert(struct sqlite_store *s, struct entry *e, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, e->time_us);
  for (int i = 0; i < 4; i++) sqlite_bind_str(q, 2 + i, e->texts[i]);
  rc = sqlite_run(s, q, err);
  e->id = (uint64_t)sqlite3_last_insert_rowid(s->db);
  return rc;
}

static int put_hash(struct sqlite_store *s, uint64_t id, const unsigned char hash[HASH], struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_HASH, &rc, err);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, id);
  sqlite3_bind_blob(q, 2, hash, HASH, SQLITE_STATIC);
  return sqlite_run(s, q, err);
}

static int put_seal(struct sqlite_store *s, uint64_t id, const unsigned char hash[HASH], struct vdt_error *err)
{
  char hex[HASH_HEX];
  seal(s, id, hash, hex);
  return sqlite_put_meta(s, "audit_head", hex, err);
}

int sqlite_append_audit(struct sqlite_store *s, const struct store_audit *a, struct vdt_error *err)
{
  unsigned char before[HASH], hash[HASH];
  uint64_t last;
  struct entry e = {.time_us = a->time_us > INT64_MAX ? INT64_MAX : a->time_us, .texts = {a->who, a->what, a->target, a->detail}};
  int rc = read_last(s, &last, before, err);
  if (!rc) rc = need_key(s, last > 0, err);
  if (!rc) rc = insert(s, &e, err);
  if (rc) return rc;
  hash_entry(s, &e, before, hash);
  rc = put_hash(s, e.id, hash, err);
  return rc ? rc : put_seal(s, e.id, hash, err);
}

int sqlite_put_audit(struct store *base, const struct store_audit *a, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  if (!sqlite3_get_autocommit(s->db)) return sqlite_append_audit(s, a, err);
  int rc = base->ops->begin(base, err);
  if (rc) return rc;
  rc = sqlite_append_audit(s, a, err);
  if (!rc) rc = base->ops->commit(base, err);
  if (rc) base->ops->rollback(base);
  return rc;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Text columns of a row of AUDIT_ALL or AUDIT_LIST, valid until the next step. */
static struct str column(sqlite3_stmt *q, int at)
{
  const char *p = (const char *)sqlite3_column_text(q, at);
  return (struct str){p, p ? (size_t)sqlite3_column_bytes(q, at) : 0};
}

static void read_entry(sqlite3_stmt *q, struct entry *e, unsigned char hash[HASH])
{
  *e = (struct entry){.id = (uint64_t)sqlite3_column_int64(q, 0), .time_us = (uint64_t)sqlite3_column_int64(q, 1)};
  for (int i = 0; i < 4; i++) e->texts[i] = column(q, 2 + i);
  read_hash(q, 6, hash);
}

int sqlite_list_audit(struct store *base, const struct store_audit_query *query, struct vdt_arena *arena,
                      struct store_audit **out, size_t *n, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code = SQLITE_DONE;
  size_t cap = 0;
  bool failed = false;
  struct store_audit *list = NULL;
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_LIST, &rc, err);
  *n = 0;
  if (!q) return rc;
  sqlite_bind_u64(q, 1, query->before_us ? query->before_us : UINT64_MAX);
  sqlite_bind_u64(q, 2, query->limit);
  sqlite_bind_u64(q, 3, query->since_us);
  sqlite_bind_str(q, 4, query->who);
  sqlite_bind_str(q, 5, query->what);
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct store_audit *p = arena_grow(arena, list, *n, &cap, 16, sizeof *p);
    if ((failed = !p)) break;
    list = p;
    p = &list[(*n)++];
    *p = (struct store_audit){.id = sqlite_u64(q, 0), .time_us = sqlite_u64(q, 1)};
    struct str *texts[] = {&p->who, &p->what, &p->target, &p->detail};
    for (int i = 0; i < 4; i++) *texts[i] = sqlite_str(q, 2 + i, arena, &failed);
    read_hash(q, 6, p->hash);
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  *out = list;
  return rc;
}

int sqlite_settings_version(struct store *base, uint64_t *version, struct vdt_error *err)
{
  char text[2 * HASH_HEX];
  int rc = sqlite_get_meta(sqlite_of(base), "settings_version", text, sizeof text, err);
  *version = 0;
  if (!rc && text[0]) str_u64(str_of(text), version);
  return rc;
}

int sqlite_settings_changed(struct sqlite_store *s, struct vdt_error *err)
{
  uint64_t version;
  char text[24];
  int rc = sqlite_settings_version(&s->base, &version, err);
  snprintf(text, sizeof text, "%llu", (unsigned long long)version + 1);
  return rc ? rc : sqlite_put_meta(s, "settings_version", text, err);
}

/* ---- cutting ---------------------------------------------------------------------------------------------------- */

/* The last entry that has expired: nothing stands before the one behind it, and its hash is what that one was chained to. */
struct cut {
  uint64_t id; /* 0: none was ever cut */
  unsigned char hash[HASH];
  bool sealed; /* by whoever has the key */
};

static void seal_cut(const struct sqlite_store *s, const struct cut *c, char hex[HASH_HEX])
{
  crypto_generichash_state h;
  begin_hash(s, &h, STR("vedette audit cut 1"));
  take_number(&h, c->id);
  crypto_generichash_update(&h, c->hash, HASH);
  end_hash(&h, hex);
}

static int read_cut(struct sqlite_store *s, struct cut *c, struct vdt_error *err)
{
  int rc;
  char want[HASH_HEX];
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_CUT, &rc, err);
  *c = (struct cut){0};
  if (!q) return rc;
  int code = sqlite3_step(q);
  if (code == SQLITE_ROW) {
    c->id = sqlite_u64(q, 0);
    read_hash(q, 1, c->hash);
    seal_cut(s, c, want);
    const char *have = (const char *)sqlite3_column_text(q, 2);
    c->sealed = have && strcmp(have, want) == 0;
  } else if (code != SQLITE_DONE) {
    rc = sqlite_error(s, code, err);
  }
  sqlite3_reset(q);
  return rc;
}

/* A statement that gives one number, or none: then *out stays. */
static int ask(struct sqlite_store *s, sqlite3_stmt *q, uint64_t *out, struct vdt_error *err)
{
  int code = sqlite3_step(q), rc = VDT_OK;
  if (code == SQLITE_ROW) *out = sqlite_u64(q, 0);
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

/* The end of what goes: entries go from the beginning only, up to the first that is young enough, is held, or may not go yet. An entry from a time
 * to come (a clock was wrong) says nothing about its age and goes with those behind it. */
static int find_cut(struct sqlite_store *s, uint64_t before_us, uint64_t latest_us, unsigned limit, uint64_t *first,
                    struct cut *c, struct vdt_error *err)
{
  int rc;
  uint64_t fresh = INT64_MAX;
  *first = 0;
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_FIRST, &rc, err);
  if (!q || (rc = ask(s, q, first, err)) || !*first) return rc;
  if (!(q = sqlite_statement(s, SQL_AUDIT_FRESH, &rc, err))) return rc;
  sqlite_bind_u64(q, 1, before_us);
  sqlite_bind_u64(q, 2, latest_us);
  if ((rc = ask(s, q, &fresh, err)) || !(q = sqlite_statement(s, SQL_AUDIT_OLD, &rc, err))) return rc;
  sqlite_bind_u64(q, 1, fresh);
  sqlite_bind_u64(q, 2, before_us);
  sqlite_bind_u64(q, 3, *first + limit - 1);
  int code = sqlite3_step(q);
  if (code == SQLITE_ROW) {
    c->id = sqlite_u64(q, 0);
    read_hash(q, 1, c->hash);
  } else if (code != SQLITE_DONE) {
    rc = sqlite_error(s, code, err);
  }
  sqlite3_reset(q);
  return rc;
}

static int run_up_to(struct sqlite_store *s, enum statement which, uint64_t id, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, which, &rc, err);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, id);
  return sqlite_run(s, q, err);
}

static int put_cut(struct sqlite_store *s, const struct cut *c, struct vdt_error *err)
{
  int rc;
  char hex[HASH_HEX];
  seal_cut(s, c, hex);
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_CUT_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, c->id);
  sqlite3_bind_blob(q, 2, c->hash, HASH, SQLITE_STATIC);
  sqlite_bind_str(q, 3, str_of(hex));
  rc = sqlite_run(s, q, err);
  if (!rc) rc = run_up_to(s, SQL_AUDIT_CUT_DROP, c->id, err);
  return rc ? rc : run_up_to(s, SQL_AUDIT_DROP, c->id, err);
}

/* The entry about it comes first: it is chained to what goes, and the log is never empty. */
int sqlite_cut_audit(struct sqlite_store *s, uint64_t before_us, uint64_t now_us, unsigned limit, uint64_t *removed,
                     struct vdt_error *err)
{
  struct cut c = {0};
  uint64_t first;
  char target[64], detail[96 + HASH_HEX], time[CLOCK_TEXT], hex[HASH_HEX];
  *removed = 0;
  int rc = find_cut(s, before_us, now_us + STORE_TOMORROW_US, limit, &first, &c, err);
  if (rc || !c.id) return rc;
  clock_format(before_us, time);
  sodium_bin2hex(hex, sizeof hex, c.hash, HASH);
  int n = snprintf(target, sizeof target, "entries %llu to %llu", (unsigned long long)first, (unsigned long long)c.id);
  int m = snprintf(detail, sizeof detail, "not later than %s; hash of the last one %s", time, hex);
  rc = sqlite_append_audit(s,
                           &(struct store_audit){.time_us = now_us,
                                                 .who = STR("vedette retention"),
                                                 .what = STR("audit expired"),
                                                 .target = {target, (size_t)n},
                                                 .detail = {detail, (size_t)m}},
                           err);
  if (!rc) rc = put_cut(s, &c, err);
  *removed = rc ? 0 : c.id - first + 1;
  return rc;
}

/* ---- verifying -------------------------------------------------------------------------------------------------- */

static void report(struct store_audit_check *c, enum store_audit_fault fault, uint64_t id, uint64_t first)
{
  c->faults++;
  if (c->found) c->found(c->ctx, fault, id, first);
}

/* Every entry is held against the one that stands before it, as that one says it is: a fault shows where it is and nowhere else. */
static int verify_entries(struct sqlite_store *s, struct store_audit_check *c, struct vdt_error *err)
{
  struct entry e;
  struct cut cut;
  unsigned char before[HASH] = {0}, hash[HASH], want[HASH];
  uint64_t last = 0;
  int code, rc = read_cut(s, &cut, err);
  if (rc) return rc;
  if (cut.sealed) {
    memcpy(before, cut.hash, HASH);
    last = cut.id;
    c->anchored = c->anchor && memcmp(cut.hash, c->anchor, HASH) == 0;
  }
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_ALL, &rc, err);
  if (!q) return rc;
  while ((code = sqlite3_step(q)) == SQLITE_ROW) {
    read_entry(q, &e, hash);
    hash_entry(s, &e, before, want);
    bool gap = e.id > last + 1;
    if (sodium_memcmp(hash, want, HASH) != 0) report(c, gap ? STORE_AUDIT_MISSING : STORE_AUDIT_CHANGED, e.id, last + 1);
    else if (c->anchor && memcmp(hash, c->anchor, HASH) == 0) c->anchored = true;
    memcpy(before, hash, HASH);
    last = e.id;
    c->entries++;
  }
  if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  memcpy(c->head, before, HASH);
  c->last = last;
  return rc;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

struct hiding {
  struct str name;
  char *out;
};

static int hide(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  const struct hiding *h = ctx;
  unsigned char last_hash[HASH];
  char hex[HASH_HEX];
  crypto_generichash_state state;
  uint64_t last;
  int rc = read_last(s, &last, last_hash, err);
  if (!rc) rc = need_key(s, last > 0, err);
  if (rc) return rc;
  begin_hash(s, &state, STR("vedette audit name"));
  take_text(&state, h->name);
  end_hash(&state, hex);
  memcpy(h->out, hex, STORE_HIDDEN);
  h->out[STORE_HIDDEN] = 0;
  return VDT_OK;
}

int sqlite_hide_name(struct store *base, struct str name, char out[STORE_HIDDEN + 1], struct vdt_error *err)
{
  struct hiding h = {name, out};
  return sqlite_within(sqlite_of(base), hide, &h, err);
}

/* ---- verifying -------------------------------------------------------------------------------------------------- */

static int verify_all(struct sqlite_store *s, struct store_audit_check *c, struct vdt_error *err)
{
  char have[2 * HASH_HEX], want[HASH_HEX];
  int rc = sqlite_get_meta(s, "audit_head", have, sizeof have, err);
  bool begun = have[0] != 0;
  uint64_t last;
  if (!rc) rc = read_last(s, &last, c->head, err);
  if (!rc && !begun && !last) return VDT_OK; /* nothing was ever written: there is no key, and none is needed */
  if (!rc) rc = need_key(s, true, err);
  if (!rc) rc = verify_entries(s, c, err);
  if (rc) return rc;
  seal(s, c->last, c->head, want);
  if (strcmp(have, want) != 0) report(c, STORE_AUDIT_TAIL, c->last, c->last + 1);
  return VDT_OK;
}

/* One transaction that only reads: entries that are written meanwhile are not there for it. */
int sqlite_verify_audit(struct store *base, struct store_audit_check *check, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int code = sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL);
  if (code != SQLITE_OK) return sqlite_error(s, code, err);
  check->entries = check->faults = check->last = 0;
  check->anchored = false;
  memset(check->head, 0, HASH);
  int rc = verify_all(s, check, err);
  base->ops->rollback(base);
  return rc;
}

/* ---- a store of an older version -------------------------------------------------------------------------------- */

/* Entries of one store in order; their texts are only read while their row is. */
static int chain_entries(struct sqlite_store *s, uint64_t *last, uint64_t *n, struct vdt_error *err)
{
  struct entry e;
  unsigned char before[HASH] = {0}, hash[HASH], none[HASH];
  int rc, code;
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_ALL, &rc, err);
  if (!q) return rc;
  while (!rc && (code = sqlite3_step(q)) == SQLITE_ROW) {
    read_entry(q, &e, none);
    hash_entry(s, &e, before, hash);
    rc = put_hash(s, e.id, hash, err);
    memcpy(before, hash, HASH);
    *last = e.id;
    ++*n;
  }
  if (!rc && code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

/* The entry about it stays: nobody can have a log chained anew and say that it always was. */
int sqlite_chain_audit(struct sqlite_store *s, uint64_t now_us, struct vdt_error *err)
{
  uint64_t last, n = 0;
  unsigned char hash[HASH];
  char detail[64];
  int rc = read_last(s, &last, hash, err);
  if (rc || !last) return rc;
  rc = need_key(s, false, err);
  if (!rc) rc = chain_entries(s, &last, &n, err);
  int len = snprintf(detail, sizeof detail, "%llu entries of an older version", (unsigned long long)n);
  struct store_audit a = {.time_us = now_us,
                          .who = STR("vedette"),
                          .what = STR("audit chain begun"),
                          .target = str_of(s->name),
                          .detail = {detail, (size_t)len}};
  return rc ? rc : sqlite_append_audit(s, &a, err);
}
