/*
 * The SQLite store: the beginning of an audit log that has expired. Entries go in their order only; a seal with the log's key keeps the hash of the last
 * one that went, which what is left is chained to.
 */
#include "base/clock.h"
#include "base/error.h"
#include "store/sqlite_audit.h"

static void seal_cut(const struct sqlite_store *s, const struct audit_cut *c, char hex[AUDIT_HEX])
{
  crypto_generichash_state h;
  audit_begin_hash(s, &h, STR("vedette audit cut 1"));
  audit_take_number(&h, c->id);
  crypto_generichash_update(&h, c->hash, STORE_AUDIT_HASH);
  audit_end_hash(&h, hex);
}

int audit_read_cut(struct sqlite_store *s, struct audit_cut *c, struct vdt_error *err)
{
  int rc;
  char want[AUDIT_HEX];
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_CUT, &rc, err);
  *c = (struct audit_cut){0};
  if (!q) return rc;
  int code = sqlite3_step(q);
  if (code == SQLITE_ROW) {
    c->id = sqlite_u64(q, 0);
    audit_read_hash(q, 1, c->hash);
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
                    struct audit_cut *c, struct vdt_error *err)
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
    audit_read_hash(q, 1, c->hash);
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

static int put_cut(struct sqlite_store *s, const struct audit_cut *c, struct vdt_error *err)
{
  int rc;
  char hex[AUDIT_HEX];
  seal_cut(s, c, hex);
  sqlite3_stmt *q = sqlite_statement(s, SQL_AUDIT_CUT_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, c->id);
  sqlite3_bind_blob(q, 2, c->hash, STORE_AUDIT_HASH, SQLITE_STATIC);
  sqlite_bind_str(q, 3, str_of(hex));
  rc = sqlite_run(s, q, err);
  if (!rc) rc = run_up_to(s, SQL_AUDIT_CUT_DROP, c->id, err);
  return rc ? rc : run_up_to(s, SQL_AUDIT_DROP, c->id, err);
}

/* The entry about it comes first: it is chained to what goes, and the log is never empty. */
int sqlite_cut_audit(struct sqlite_store *s, uint64_t before_us, uint64_t now_us, unsigned limit, uint64_t *removed,
                     struct vdt_error *err)
{
  struct audit_cut c = {0};
  uint64_t first;
  char target[64], detail[96 + AUDIT_HEX], time[CLOCK_TEXT], hex[AUDIT_HEX];
  *removed = 0;
  int rc = find_cut(s, before_us, now_us + STORE_TOMORROW_US, limit, &first, &c, err);
  if (rc || !c.id) return rc;
  clock_format(before_us, time);
  sodium_bin2hex(hex, sizeof hex, c.hash, STORE_AUDIT_HASH);
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
