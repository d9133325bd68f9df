/*
 * The SQLite store: the audit log. Each entry carries a hash over its content and the hash of the entry before, keyed with STATE/audit.key, so that
 * whoever can write the database but not read the key can change no entry unseen. The last entry is sealed in meta, so that cutting entries off the
 * end shows too, unless an older seal was kept; against that helps only a head that is kept elsewhere (docs/audit.md).
 *
 * Everything that writes here runs within the transaction of the change that it is about.
 */
#include "base/clock.h"
#include "base/error.h"
#include "store/sqlite_audit.h"

/* ---- hashes ----------------------------------------------------------------------------------------------------- */

void audit_hash_entry(const struct sqlite_store *s, const struct audit_entry *e, const unsigned char before[STORE_AUDIT_HASH],
                      unsigned char out[STORE_AUDIT_HASH])
{
  crypto_generichash_state h;
  audit_begin_hash(s, &h, STR("vedette audit entry 1"));
  crypto_generichash_update(&h, before, STORE_AUDIT_HASH);
  audit_take_number(&h, e->id);
  audit_take_number(&h, e->time_us);
  for (size_t i = 0; i < 4; i++) audit_take_text(&h, e->texts[i]);
  crypto_generichash_final(&h, out, STORE_AUDIT_HASH);
}

void audit_seal(const struct sqlite_store *s, uint64_t id, const unsigned char hash[STORE_AUDIT_HASH], char hex[AUDIT_HEX])
{
  crypto_generichash_state h;
  audit_begin_hash(s, &h, STR("vedette audit head 1"));
  audit_take_number(&h, id);
  crypto_generichash_update(&h, hash, STORE_AUDIT_HASH);
  audit_end_hash(&h, hex);
}

void audit_read_hash(sqlite3_stmt *q, int at, unsigned char hash[STORE_AUDIT_HASH])
{
  const void *p = sqlite3_column_blob(q, at);
  size_t n = (size_t)sqlite3_column_bytes(q, at);
  memset(hash, 0, STORE_AUDIT_HASH);
  if (p && n == STORE_AUDIT_HASH) memcpy(hash, p, n);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

int audit_read_last(struct sqlite_store *s, uint64_t *id, unsigned char hash[STORE_AUDIT_HASH], struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_HEAD, &rc, err);
  *id = 0;
  memset(hash, 0, STORE_AUDIT_HASH);
  if (!q) return rc;
  int code = sqlite3_step(q);
  if (code == SQLITE_ROW) {
    *id = sqlite_u64(q, 0);
    audit_read_hash(q, 1, hash);
  } else if (code != SQLITE_DONE) {
    rc = sqlite_error(s, code, err);
  }
  sqlite3_reset(q);
  return rc;
}

static int insert(struct sqlite_store *s, struct audit_entry *e, struct vdt_error *err)
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

static int put_hash(struct sqlite_store *s, uint64_t id, const unsigned char hash[STORE_AUDIT_HASH], struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_HASH, &rc, err);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, id);
  sqlite3_bind_blob(q, 2, hash, STORE_AUDIT_HASH, SQLITE_STATIC);
  return sqlite_run(s, q, err);
}

static int put_seal(struct sqlite_store *s, uint64_t id, const unsigned char hash[STORE_AUDIT_HASH], struct vdt_error *err)
{
  char hex[AUDIT_HEX];
  audit_seal(s, id, hash, hex);
  return sqlite_put_meta(s, "audit_head", hex, err);
}

int sqlite_append_audit(struct sqlite_store *s, const struct store_audit *a, struct vdt_error *err)
{
  unsigned char before[STORE_AUDIT_HASH], hash[STORE_AUDIT_HASH];
  uint64_t last;
  struct audit_entry e = {.time_us = a->time_us > INT64_MAX ? INT64_MAX : a->time_us,
                          .texts = {a->who, a->what, a->target, a->detail}};
  int rc = audit_read_last(s, &last, before, err);
  if (!rc) rc = audit_need_key(s, last > 0, err);
  if (!rc) rc = insert(s, &e, err);
  if (rc) return rc;
  audit_hash_entry(s, &e, before, hash);
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

void audit_read_entry(sqlite3_stmt *q, struct audit_entry *e, unsigned char hash[STORE_AUDIT_HASH])
{
  *e = (struct audit_entry){.id = (uint64_t)sqlite3_column_int64(q, 0), .time_us = (uint64_t)sqlite3_column_int64(q, 1)};
  for (int i = 0; i < 4; i++) e->texts[i] = column(q, 2 + i);
  audit_read_hash(q, 6, hash);
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
  sqlite_bind_str(q, 6, query->text);
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct store_audit *p = arena_grow(arena, list, *n, &cap, 16, sizeof *p);
    if ((failed = !p)) break;
    list = p;
    p = &list[(*n)++];
    *p = (struct store_audit){.id = sqlite_u64(q, 0), .time_us = sqlite_u64(q, 1)};
    struct str *texts[] = {&p->who, &p->what, &p->target, &p->detail};
    for (int i = 0; i < 4; i++) *texts[i] = sqlite_str(q, 2 + i, arena, &failed);
    audit_read_hash(q, 6, p->hash);
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  *out = list;
  return rc;
}

/* ---- a store of an older version -------------------------------------------------------------------------------- */

/* Entries of one store in order; their texts are only read while their row is. */
static int chain_entries(struct sqlite_store *s, uint64_t *last, uint64_t *n, struct vdt_error *err)
{
  struct audit_entry e;
  unsigned char before[STORE_AUDIT_HASH] = {0}, hash[STORE_AUDIT_HASH], none[STORE_AUDIT_HASH];
  int rc, code;
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_ALL, &rc, err);
  if (!q) return rc;
  while (!rc && (code = sqlite3_step(q)) == SQLITE_ROW) {
    audit_read_entry(q, &e, none);
    audit_hash_entry(s, &e, before, hash);
    rc = put_hash(s, e.id, hash, err);
    memcpy(before, hash, STORE_AUDIT_HASH);
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
  unsigned char hash[STORE_AUDIT_HASH];
  char detail[64];
  int rc = audit_read_last(s, &last, hash, err);
  if (rc || !last) return rc;
  rc = audit_need_key(s, false, err);
  if (!rc) rc = chain_entries(s, &last, &n, err);
  int len = snprintf(detail, sizeof detail, "%llu entries of an older version", (unsigned long long)n);
  struct store_audit a = {.time_us = now_us,
                          .who = STR("vedette"),
                          .what = STR("audit chain begun"),
                          .target = str_of(s->name),
                          .detail = {detail, (size_t)len}};
  return rc ? rc : sqlite_append_audit(s, &a, err);
}
