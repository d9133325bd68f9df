/* The SQLite store: one file per workspace in WAL mode. This file opens it, makes the schema, and keeps records and offsets. */
#include "store/sqlite.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/columns.h"
#include "store/held.h"
#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

enum { SCHEMA_VERSION = 14, AUDIT_CHAINED = 6, SEVERITIES_KEPT = 9, BUSY_MS = 5000 };

static const char *const statements[STATEMENTS] = {
#define X(id, sql) sql,
#include "store/statements.h"
#undef X
};
static const struct {
  int since;
  const char *sql;
} schema[] = {
#define X(since, name, sql) {since, sql},
#include "store/schema.def"
#undef X
};
#define X(member, name, title, combine) +1
_Static_assert(EXTENDED == 0
#include "analyse/extended.def"
               ,
               "columns.h and analyse/extended.def differ");
#undef X

/* ---- statements ------------------------------------------------------------------------------------------------- */

int sqlite_error(struct sqlite_store *s, int code, struct vdt_error *err)
{
  int extended = s->db ? sqlite3_extended_errcode(s->db) : code;
  switch (code & 0xff) {
  case SQLITE_CONSTRAINT:
  case SQLITE_MISMATCH:
  case SQLITE_TOOBIG:
  case SQLITE_RANGE:
  case SQLITE_MISUSE: return error_set(err, VDT_EINVAL, "store: %s", sqlite3_errstr(code));
  case SQLITE_NOMEM: return error_set(err, VDT_ENOMEM, "store: out of memory");
  default: return error_set(err, VDT_EIO, "store: %s (%d)", sqlite3_errstr(code), extended);
  }
}

/* SQLite has no hook for tables without a row id, so the statement's text tells. */
static bool changes_alerts(const char *statement)
{
  return strstr(statement, "INTO alerts(") || strstr(statement, "UPDATE alerts SET") || strstr(statement, "DELETE FROM alerts ");
}

sqlite3_stmt *sqlite_statement(struct sqlite_store *s, enum statement which, int *rc, struct vdt_error *err)
{
  if (!s->prepared[which]) {
    int code = sqlite3_prepare_v3(s->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, &s->prepared[which], NULL);
    if (code != SQLITE_OK) {
      *rc = sqlite_error(s, code, err);
      return NULL;
    }
    s->touches[which] = changes_alerts(statements[which]);
  }
  s->alerts_touched |= s->touches[which];
  sqlite3_reset(s->prepared[which]);
  sqlite3_clear_bindings(s->prepared[which]);
  *rc = VDT_OK;
  return s->prepared[which];
}

int sqlite_run(struct sqlite_store *s, sqlite3_stmt *q, struct vdt_error *err)
{
  int code = sqlite3_step(q);
  int rc = code == SQLITE_DONE || code == SQLITE_ROW ? VDT_OK : sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

void sqlite_bind_str(sqlite3_stmt *q, int at, struct str s)
{
  sqlite3_bind_text64(q, at, s.n ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void sqlite_bind_u64(sqlite3_stmt *q, int at, uint64_t v)
{
  sqlite3_bind_int64(q, at, v > INT64_MAX ? INT64_MAX : (sqlite3_int64)v);
}

struct str sqlite_str(sqlite3_stmt *q, int at, struct vdt_arena *arena, bool *failed)
{
  const char *p = (const char *)sqlite3_column_text(q, at);
  struct str s = {p, (size_t)sqlite3_column_bytes(q, at)};
  if (!p || !s.n) return (struct str){0};
  s = arena_dup(arena, s);
  *failed |= !s.p;
  return s;
}

uint64_t sqlite_u64(sqlite3_stmt *q, int at)
{
  sqlite3_int64 v = sqlite3_column_int64(q, at);
  return v < 0 ? 0 : (uint64_t)v;
}

static int simple(struct sqlite_store *s, enum statement which, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, which, &rc, err);
  return q ? sqlite_run(s, q, err) : rc;
}

/* ---- transactions ----------------------------------------------------------------------------------------------- */

static int sqlite_begin(struct store *base, struct vdt_error *err)
{
  return simple(sqlite_of(base), SQL_BEGIN, err);
}

/* Only then, so that who is told of it finds it. */
static int sqlite_commit(struct store *base, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc = simple(s, SQL_COMMIT, err);
  if (rc) return rc;
  if (s->alerts_touched && base->changed) ++*base->changed;
  s->alerts_touched = false;
  return VDT_OK;
}

/* Some errors have rolled back by themselves. */
static void sqlite_rollback(struct store *base)
{
  struct sqlite_store *s = sqlite_of(base);
  for (int i = 0; i < STATEMENTS; i++)
    if (s->prepared[i]) sqlite3_reset(s->prepared[i]);
  if (!sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
  s->alerts_touched = false;
}

static int sqlite_sync(struct store *base, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  return sqlite_checkpoint(s, SQLITE_CHECKPOINT_FULL, err);
}

/* ---- records and offsets ---------------------------------------------------------------------------------------- */

/* The record as JSON, without evidence and decoded text: they belong to alerts only. */
static int plain_json(struct sqlite_store *s, const struct record *r, struct vdt_error *err)
{
  struct record copy = *r;
  vdt_arena_reset(s->arena);
  if (r->n_findings) {
    copy.findings = arena_alloc(s->arena, r->n_findings * sizeof *copy.findings);
    if (!copy.findings) return error_set(err, VDT_ENOMEM, "out of memory");
    memcpy(copy.findings, r->findings, r->n_findings * sizeof *copy.findings);
    for (size_t i = 0; i < r->n_findings; i++)
      copy.findings[i].evidence = copy.findings[i].decoded = copy.findings[i].sealed = (struct str){0};
  }
  copy.request.text = copy.response.text = (struct str){0};
  buf_reset(&s->scratch);
  record_write(&copy, &s->scratch);
  return s->scratch.failed ? error_set(err, VDT_ENOMEM, "out of memory") : VDT_OK;
}

uint64_t sqlite_filed_us(uint64_t time_us)
{
  uint64_t now = clock_unix_us();
  return time_us > now + STORE_TOMORROW_US ? now : time_us;
}

int sqlite_write_record(struct sqlite_store *s, enum statement how, const struct record *r, bool *changed, struct vdt_error *err)
{
  int rc = plain_json(s, r, err);
  if (rc) return rc;
  sqlite3_stmt *q = sqlite_statement(s, how, &rc, err);
  if (!q) return rc;
  int at = 0;
  sqlite_bind_str(q, ++at, (struct str){r->id, RECORD_ID_LEN});
  sqlite_bind_u64(q, ++at, sqlite_filed_us(r->time_us));
  sqlite_bind_str(q, ++at, r->deployment);
  sqlite_bind_str(q, ++at, r->model);
  sqlite_bind_str(q, ++at, r->end_user);
  sqlite_bind_str(q, ++at, r->key_id);
  sqlite_bind_str(q, ++at, r->client_ip);
  sqlite_bind_u64(q, ++at, r->status);
  sqlite_bind_str(q, ++at, str_of(record_outcome_name(r->outcome)));
  sqlite_bind_str(q, ++at, str_of(record_verdict_name(r->verdict)));
  sqlite_bind_u64(q, ++at, r->n_findings);
  sqlite_bind_u64(q, ++at, r->duration_us);
  sqlite_bind_u64(q, ++at, r->total_tokens);
  sqlite_bind_str(q, ++at, (struct str){s->scratch.p, s->scratch.n - 1});
  rc = sqlite_run(s, q, err);
  *changed = !rc && sqlite3_changes(s->db) > 0;
  return rc;
}

static int sqlite_put_record(struct store *base, const struct record *r, bool *is_new, struct vdt_error *err)
{
  int rc = sqlite_write_record(sqlite_of(base), SQL_RECORD_PUT, r, is_new, err);
  if (!rc && *is_new) rc = sqlite_count_use(sqlite_of(base), r, err);
  return rc || !*is_new ? rc : sqlite_count_traffic(sqlite_of(base), r, err);
}

static int sqlite_set_offset(struct store *base, struct str journal, uint64_t offset, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(sqlite_of(base), SQL_OFFSET_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, journal);
  sqlite_bind_u64(q, 2, offset);
  return sqlite_run(sqlite_of(base), q, err);
}

static int sqlite_get_offset(struct store *base, struct str journal, uint64_t *offset, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(sqlite_of(base), SQL_OFFSET_GET, &rc, err);
  *offset = 0;
  if (!q) return rc;
  sqlite_bind_str(q, 1, journal);
  int code = sqlite3_step(q);
  if (code == SQLITE_ROW) *offset = sqlite_u64(q, 0);
  else if (code != SQLITE_DONE) rc = sqlite_error(sqlite_of(base), code, err);
  sqlite3_reset(q);
  return rc;
}

static int sqlite_drop_offset(struct store *base, struct str journal, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(sqlite_of(base), SQL_OFFSET_DROP, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, journal);
  return sqlite_run(sqlite_of(base), q, err);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

int sqlite_execute(struct sqlite_store *s, const char *sql, struct vdt_error *err)
{
  int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
  return code == SQLITE_OK ? VDT_OK : sqlite_error(s, code, err);
}

static int user_version(struct sqlite_store *s, int *version, struct vdt_error *err)
{
  sqlite3_stmt *q = NULL;
  int code = sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &q, NULL);
  if (code == SQLITE_OK) code = sqlite3_step(q);
  if (code == SQLITE_ROW) *version = sqlite3_column_int(q, 0);
  sqlite3_finalize(q);
  return code == SQLITE_ROW ? VDT_OK : sqlite_error(s, code, err);
}

int sqlite_make_tables(struct sqlite_store *s, int version, struct vdt_error *err)
{
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < sizeof schema / sizeof *schema; i++)
    if (schema[i].since > version) rc = sqlite_execute(s, schema[i].sql, err);
  return rc;
}

/* In one transaction: two processes may open a new store at once. */
static int make_schema(struct sqlite_store *s, struct vdt_error *err)
{
  int version = 0, rc = sqlite_execute(s, "BEGIN IMMEDIATE", err);
  if (rc) return rc;
  rc = user_version(s, &version, err);
  if (!rc) rc = sqlite_make_tables(s, version, err);
  if (!rc && version && version < AUDIT_CHAINED) rc = sqlite_chain_audit(s, clock_unix_us(), err);
  if (!rc && version && version < SEVERITIES_KEPT) rc = sqlite_set_severities(s, err);
  if (!rc && version > SCHEMA_VERSION)
    rc = error_set(err, VDT_ESTATE, "store: made by a newer vedette (schema %d, this one knows %d)", version, SCHEMA_VERSION);
  if (rc) sqlite_rollback(&s->base);
  else rc = sqlite_execute(s, "COMMIT", err);
  return rc;
}

static const char *const place_keys[4] = {"workspace", "region", "subscription", "resource_group"};

static int remember_place(struct sqlite_store *s, const struct alert_place *place, struct vdt_error *err)
{
  const struct str values[4] = {place->workspace, place->region, place->subscription, place->resource_group};
  for (size_t i = 0; i < 4; i++) {
    int rc;
    sqlite3_stmt *q = sqlite_statement(s, SQL_META_PUT, &rc, err);
    if (!q) return rc;
    sqlite_bind_str(q, 1, str_of(place_keys[i]));
    sqlite_bind_str(q, 2, values[i]);
    if ((rc = sqlite_run(s, q, err))) return rc;
  }
  return VDT_OK;
}

static int recall_place(struct sqlite_store *s, struct vdt_error *err)
{
  struct str *to[4] = {&s->base.place.workspace, &s->base.place.region, &s->base.place.subscription,
                       &s->base.place.resource_group};
  for (size_t i = 0; i < 4; i++) {
    int rc;
    sqlite3_stmt *q = sqlite_statement(s, SQL_META_GET, &rc, err);
    if (!q) return rc;
    sqlite_bind_str(q, 1, str_of(place_keys[i]));
    int code = sqlite3_step(q);
    const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : "";
    s->place[i] = strdup(text ? text : "");
    sqlite3_reset(q);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return sqlite_error(s, code, err);
    if (!s->place[i]) return error_set(err, VDT_ENOMEM, "out of memory");
    *to[i] = str_of(s->place[i]);
  }
  return VDT_OK;
}

static void sqlite_close(struct store *base)
{
  struct sqlite_store *s = sqlite_of(base);
  for (int i = 0; i < STATEMENTS; i++) sqlite3_finalize(s->prepared[i]);
  sqlite3_close(s->db);
  for (size_t i = 0; i < 4; i++) free(s->place[i]);
  buf_finish(&s->scratch);
  vdt_arena_free(s->arena);
  free(s->audit_key_path);
  sodium_memzero(s->audit_key, sizeof s->audit_key);
  free(s);
}

static const struct store_ops sqlite_ops = {
    .name = "sqlite",
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .put_record = sqlite_put_record,
    .put_event = sqlite_put_event,
    .get_record = sqlite_get_record,
    .list_records = sqlite_list_records,
    .list_records_of = sqlite_list_records_of,
    .list_evidence = sqlite_list_evidence,
    .get_texts = sqlite_get_texts,
    .drop_evidence_keys = sqlite_drop_evidence_keys,
    .list_data_keys = sqlite_list_data_keys,
    .revise_record = sqlite_revise_record,
    .withdraw_event = sqlite_withdraw_event,
    .amend_event = sqlite_amend_event,
    .put_egress = sqlite_put_egress,
    .set_offset = sqlite_set_offset,
    .get_offset = sqlite_get_offset,
    .drop_offset = sqlite_drop_offset,
    .list = sqlite_list,
    .page = sqlite_page,
    .tally = sqlite_tally,
    .traffic = sqlite_traffic,
    .counts = sqlite_counts,
    .hits = sqlite_hits,
    .get = sqlite_get,
    .change = sqlite_change,
    .relate = sqlite_relate,
    .put_rule = sqlite_put_rule,
    .delete_rule = sqlite_delete_rule,
    .list_rules = sqlite_list_rules,
    .put_plan = sqlite_put_plan,
    .list_plans = sqlite_list_plans,
    .settings_version = sqlite_settings_version,
    .put_audit = sqlite_put_audit,
    .hide_name = sqlite_hide_name,
    .list_audit = sqlite_list_audit,
    .verify_audit = sqlite_verify_audit,
    .list_use = sqlite_list_use,
    .count = sqlite_count,
    .put_transfer = sqlite_put_transfer,
    .list_transfers = sqlite_list_transfers,
    .list_removals = sqlite_list_removals,
    .survey = sqlite_survey,
    .list_texts = sqlite_list_texts,
    .set_keep = sqlite_set_keep,
    .get_keeps = sqlite_get_keeps,
    .put_hold = sqlite_put_hold,
    .release_hold = sqlite_release_hold,
    .list_holds = sqlite_list_holds,
    .expire = sqlite_expire,
    .put_purge = sqlite_put_purge,
    .get_purge = sqlite_get_purge,
    .purge = sqlite_purge,
    .finish_purges = sqlite_finish_purges,
    .wants_scrub = sqlite_wants_scrub,
    .scrub = sqlite_scrub,
    .purged_since = sqlite_purged_since,
    .alone = sqlite_alone,
    .has_record = sqlite_has_record,
    .sync = sqlite_sync,
    .close = sqlite_close,
};

bool store_name_ok(struct str w)
{
  for (size_t i = 0; i < w.n; i++) {
    char c = w.p[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return false;
  }
  return w.n > 0 && w.n < 64;
}

static int make_folders(const char *state_dir, struct str workspace, struct vdt_error *err)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/workspaces", state_dir);
  if (mkdir(path, 0750) && errno != EEXIST) return error_set(err, VDT_EIO, "%s: %s", path, strerror(errno));
  snprintf(path, sizeof path, "%s/workspaces/%.*s", state_dir, (int)workspace.n, workspace.p);
  if (mkdir(path, 0750) && errno != EEXIST) return error_set(err, VDT_EIO, "%s: %s", path, strerror(errno));
  return VDT_OK;
}

static int open_db(struct sqlite_store *s, const char *path, bool create, struct vdt_error *err)
{
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
  int code = sqlite3_open_v2(path, &s->db, flags, sqlite_wiping_vfs());
  if (code != SQLITE_OK) {
    bool missing = (code & 0xff) == SQLITE_CANTOPEN;
    return error_set(err, missing && !create ? VDT_ENOTFOUND : VDT_EIO, "%.200s: %s", path, sqlite3_errstr(code));
  }
  sqlite3_busy_timeout(s->db, BUSY_MS);
  int rc = sqlite_execute(
      s,
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; "
      "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY",
      err);
  return rc ? rc : make_schema(s, err);
}

int store_open_sqlite(const char *state_dir, const struct alert_place *place, bool create, struct store **out,
                      struct vdt_error *err)
{
  char path[4096];
  if (!store_name_ok(place->workspace)) return error_set(err, VDT_EINVAL, "a workspace's name has letters, digits, - and _ only");
  int rc = create ? make_folders(state_dir, place->workspace, err) : VDT_OK;
  if (rc) return rc;
  struct sqlite_store *s = calloc(1, sizeof *s);
  if (!s || !(s->arena = vdt_arena_new(0))) {
    free(s);
    return error_set(err, VDT_ENOMEM, "out of memory");
  }
  s->base.ops = &sqlite_ops;
  snprintf(s->name, sizeof s->name, "%.*s", (int)place->workspace.n, place->workspace.p);
  snprintf(path, sizeof path, "%s/audit.key", state_dir);
  s->audit_key_path = strdup(path);
  snprintf(path, sizeof path, "%s/workspaces/%.*s/vedette.db", state_dir, (int)place->workspace.n, place->workspace.p);
  rc = s->audit_key_path ? open_db(s, path, create, err) : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc && create) rc = remember_place(s, place, err);
  if (!rc) rc = recall_place(s, err);
  if (rc) sqlite_close(&s->base);
  else *out = &s->base;
  return rc;
}

void store_close(struct store *s)
{
  if (s) s->ops->close(s);
}
