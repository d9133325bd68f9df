/*
 * The SQLite store: what it holds, for the data statement. It reads the tables that are there and not those that ought to be, so that what somebody
 * added is seen; names of tables come from the database itself and are quoted as identifiers. The ledger of transfers is kept here too.
 */
#include "base/error.h"
#include "store/sqlite.h"

/* ---- the ledger -------------------------------------------------------------------------------------------------- */

int sqlite_put_transfer(struct store *base, const struct store_transfer *t, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, at = 0;
  sqlite3_stmt *q = sqlite_statement(s, SQL_TRANSFER_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, ++at, t->day);
  sqlite_bind_str(q, ++at, t->kind);
  sqlite_bind_str(q, ++at, t->name);
  sqlite_bind_str(q, ++at, t->destination);
  sqlite_bind_u64(q, ++at, t->count);
  sqlite_bind_u64(q, ++at, t->sent);
  sqlite_bind_u64(q, ++at, t->received);
  return sqlite_run(s, q, err);
}

static int over(struct sqlite_store *s, sqlite3_stmt *q, int code, bool failed, struct vdt_error *err)
{
  sqlite3_reset(q);
  if (failed) return error_set(err, VDT_ENOMEM, "out of memory");
  return code == SQLITE_DONE ? VDT_OK : sqlite_error(s, code, err);
}

int sqlite_list_transfers(struct store *base, struct str since, struct vdt_arena *arena, struct store_transfer **out, size_t *n,
                          struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct store_transfer *all = NULL, *p;
  size_t cap = 0;
  bool failed = false;
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_TRANSFER_LIST, &rc, err);
  *n = 0;
  if (!q) return rc;
  sqlite_bind_str(q, 1, since);
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    if (!(p = arena_grow(arena, all, *n, &cap, 16, sizeof *p))) failed = true;
    else all = p;
    if (failed) break;
    all[(*n)++] = (struct store_transfer){.day = sqlite_str(q, 0, arena, &failed),
                                          .kind = sqlite_str(q, 1, arena, &failed),
                                          .name = sqlite_str(q, 2, arena, &failed),
                                          .destination = sqlite_str(q, 3, arena, &failed),
                                          .count = sqlite_u64(q, 4),
                                          .sent = sqlite_u64(q, 5),
                                          .received = sqlite_u64(q, 6)};
  }
  *out = all;
  return over(s, q, code, failed, err);
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

int sqlite_list_texts(struct store *base, struct vdt_arena *arena, struct store_texts **out, size_t *n, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct store_texts *all = NULL, *p;
  size_t cap = 0;
  bool failed = false;
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_TEXT_LIST, &rc, err);
  *n = 0;
  if (!q) return rc;
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    if (!(p = arena_grow(arena, all, *n, &cap, 16, sizeof *p))) failed = true;
    else all = p;
    if (failed) break;
    all[(*n)++] = (struct store_texts){.deployment = sqlite_str(q, 0, arena, &failed),
                                       .subscription = sqlite_str(q, 1, arena, &failed),
                                       .rows = sqlite_u64(q, 2),
                                       .oldest_us = sqlite_u64(q, 3),
                                       .newest_us = sqlite_u64(q, 4),
                                       .open = sqlite_u64(q, 5),
                                       .newest_open_us = sqlite_u64(q, 6)};
  }
  *out = all;
  return over(s, q, code, failed, err);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static int prepare(struct sqlite_store *s, sqlite3_stmt **q, struct vdt_error *err, const char *fmt, const char *name)
{
  char *sql = sqlite3_mprintf(fmt, name, name);
  int code = sql ? sqlite3_prepare_v2(s->db, sql, -1, q, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  return code == SQLITE_OK ? VDT_OK : sqlite_error(s, code, err);
}

static int finish(struct sqlite_store *s, sqlite3_stmt *q, int code, bool failed, struct vdt_error *err)
{
  int rc = failed ? error_set(err, VDT_ENOMEM, "out of memory") : code == SQLITE_DONE ? VDT_OK : sqlite_error(s, code, err);
  sqlite3_finalize(q);
  return rc;
}

static int read_tables(struct sqlite_store *s, struct vdt_arena *arena, struct store_table **out, size_t *n,
                       struct vdt_error *err)
{
  static const char sql[] =
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%%' ESCAPE '\\' ORDER BY name";
  struct store_table *all = NULL, *p;
  sqlite3_stmt *q = NULL;
  size_t cap = 0;
  bool failed = false;
  int code = SQLITE_DONE, rc = prepare(s, &q, err, sql, NULL);
  *n = 0;
  if (rc) return rc;
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    if (!(p = arena_grow(arena, all, *n, &cap, 32, sizeof *p))) failed = true;
    else all = p;
    if (!failed) all[(*n)++] = (struct store_table){.name = sqlite_str(q, 0, arena, &failed)};
  }
  *out = all;
  return finish(s, q, code, failed, err);
}

static int read_columns(struct sqlite_store *s, struct vdt_arena *arena, struct store_table *t, struct vdt_error *err)
{
  sqlite3_stmt *q = NULL;
  struct str *p;
  size_t cap = 0;
  bool failed = false;
  int code = SQLITE_DONE, rc = prepare(s, &q, err, "SELECT name FROM pragma_table_info(%Q)", t->name.p);
  if (rc) return rc;
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    if (!(p = arena_grow(arena, t->columns, t->n_columns, &cap, 16, sizeof *p))) failed = true;
    else t->columns = p;
    if (!failed) t->columns[t->n_columns++] = sqlite_str(q, 0, arena, &failed);
  }
  return finish(s, q, code, failed, err);
}

static bool has_column(const struct store_table *t, const char *name)
{
  for (size_t i = 0; i < t->n_columns; i++)
    if (str_eq(t->columns[i], str_of(name))) return true;
  return false;
}

/* An alert lives as long as it goes on, so its last event counts; a plan and a rule have the time of their last change. */
static const char *time_column(const struct store_table *t)
{
  static const char *const names[] = {"time_us", "end_us", "hour_us", "slot_us", "modified_us", "since_us"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (has_column(t, names[i])) return names[i];
  return NULL;
}

static int count_rows(struct sqlite_store *s, struct store_table *t, struct vdt_error *err)
{
  sqlite3_stmt *q = NULL;
  int rc = prepare(s, &q, err, "SELECT count(*) FROM \"%w\"", t->name.p);
  if (rc) return rc;
  int code = sqlite3_step(q);
  if (code == SQLITE_ROW) t->rows = sqlite_u64(q, 0), code = SQLITE_DONE;
  return finish(s, q, code, false, err);
}

static int read_times(struct sqlite_store *s, struct store_table *t, const char *column, struct vdt_error *err)
{
  sqlite3_stmt *q = NULL;
  char *sql = sqlite3_mprintf("SELECT (SELECT min(\"%w\") FROM \"%w\"), (SELECT max(\"%w\") FROM \"%w\")", column, t->name.p,
                              column, t->name.p);
  int code = sql ? sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) : SQLITE_NOMEM;
  sqlite3_free(sql);
  if (code != SQLITE_OK) return sqlite_error(s, code, err);
  code = sqlite3_step(q);
  if (code == SQLITE_ROW) {
    t->oldest_us = sqlite_u64(q, 0);
    t->newest_us = sqlite_u64(q, 1);
    code = SQLITE_DONE;
  }
  return finish(s, q, code, false, err);
}

static int survey_tables(struct sqlite_store *s, bool rows, struct vdt_arena *arena, struct store_table **out, size_t *n,
                         struct vdt_error *err)
{
  int rc = read_tables(s, arena, out, n, err);
  for (size_t i = 0; !rc && i < *n; i++) {
    struct store_table *t = &(*out)[i];
    rc = read_columns(s, arena, t, err);
    if (rows && !rc) rc = count_rows(s, t, err);
    if (rows && !rc && t->rows && time_column(t)) rc = read_times(s, t, time_column(t), err);
  }
  return rc;
}

int sqlite_survey(struct store *base, struct vdt_arena *arena, struct store_table **out, size_t *n, struct vdt_error *err)
{
  return survey_tables(sqlite_of(base), true, arena, out, n, err);
}

int store_schema_sqlite(struct vdt_arena *arena, struct store_table **out, size_t *n, struct vdt_error *err)
{
  struct sqlite_store *s = calloc(1, sizeof *s);
  if (!s) return error_set(err, VDT_ENOMEM, "out of memory");
  int code = sqlite3_open_v2(":memory:", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
  int rc = code == SQLITE_OK ? sqlite_make_tables(s, 0, err) : sqlite_error(s, code, err);
  if (!rc) rc = survey_tables(s, false, arena, out, n, err);
  sqlite3_close(s->db);
  free(s);
  return rc;
}
