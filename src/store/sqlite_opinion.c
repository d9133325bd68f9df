/* The SQLite store: what follows from second opinions. Records are revised, events withdrawn, and what left is kept in a table of its own. */
#include "base/error.h"
#include "store/sqlite.h"

/* end_user NULL: of anybody. */
static int list_records(struct sqlite_store *s, const struct str *end_user, struct store_place *at, size_t limit,
                        struct vdt_arena *arena, struct str **out, size_t *n, struct vdt_error *err)
{
  int rc, code = SQLITE_DONE;
  bool failed = false;
  sqlite3_stmt *q = sqlite_statement(s, end_user ? SQL_RECORD_LIST_OF : SQL_RECORD_LIST, &rc, err);
  *n = 0;
  if (!q) return rc;
  *out = arena_zalloc(arena, limit, sizeof **out);
  if (!*out) return error_set(err, VDT_ENOMEM, "out of memory");
  sqlite_bind_u64(q, 1, at->time_us);
  sqlite_bind_str(q, 2, str_of(at->id));
  sqlite_bind_u64(q, 3, limit);
  if (end_user) sqlite_bind_str(q, 4, *end_user);
  struct store_place last = *at;
  while (!failed && *n < limit && (code = sqlite3_step(q)) == SQLITE_ROW) {
    last.time_us = sqlite_u64(q, 0);
    struct str id = sqlite_str(q, 1, arena, &failed);
    memcpy(last.id, id.p, id.n < RECORD_ID_LEN ? id.n : RECORD_ID_LEN);
    (*out)[(*n)++] = sqlite_str(q, 2, arena, &failed);
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE && code != SQLITE_ROW) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  *at = last;
  return rc;
}

int sqlite_list_records(struct store *base, struct store_place *at, size_t limit, struct vdt_arena *arena, struct str **out,
                        size_t *n, struct vdt_error *err)
{
  return list_records(sqlite_of(base), NULL, at, limit, arena, out, n, err);
}

int sqlite_list_records_of(struct store *base, struct str end_user, struct store_place *at, size_t limit, struct vdt_arena *arena,
                           struct str **out, size_t *n, struct vdt_error *err)
{
  return list_records(sqlite_of(base), &end_user, at, limit, arena, out, n, err);
}

int sqlite_get_record(struct store *base, struct str id, struct vdt_arena *arena, struct str *json, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc;
  bool failed = false;
  sqlite3_stmt *q = sqlite_statement(s, SQL_RECORD_GET, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, id);
  int code = sqlite3_step(q);
  if (code == SQLITE_ROW) *json = sqlite_str(q, 0, arena, &failed);
  else rc = code == SQLITE_DONE ? error_set(err, VDT_ENOTFOUND, "no such record") : sqlite_error(s, code, err);
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  sqlite3_reset(q);
  return rc;
}

int sqlite_revise_record(struct store *base, const struct record *r, struct vdt_error *err)
{
  bool changed;
  int rc = sqlite_uncount_traffic(sqlite_of(base), (struct str){r->id, RECORD_ID_LEN}, err);
  if (!rc) rc = sqlite_write_record(sqlite_of(base), SQL_RECORD_REPLACE, r, &changed, err);
  return rc ? rc : sqlite_count_traffic(sqlite_of(base), r, err);
}

int sqlite_put_egress(struct store *base, const struct record_egress *e, bool *is_new, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_EGRESS_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, (struct str){e->id, RECORD_ID_LEN});
  sqlite_bind_u64(q, 2, sqlite_filed_us(e->time_us));
  sqlite_bind_str(q, 3, e->deployment);
  sqlite_bind_str(q, 4, e->shield);
  sqlite_bind_str(q, 5, e->kind);
  sqlite_bind_u64(q, 6, e->score);
  sqlite_bind_u64(q, 7, e->texts);
  sqlite_bind_u64(q, 8, e->bytes);
  sqlite_bind_str(q, 9, e->sha256);
  rc = sqlite_run(s, q, err);
  *is_new = !rc && sqlite3_changes(s->db) > 0;
  return rc;
}

/* ---- withdrawing ------------------------------------------------------------------------------------------------ */

/* The alert that has evidence of the interaction; when it kept none (it has enough of others), the open one that the event would go to. */
static int find_alert(struct sqlite_store *s, const struct alert *event, uint64_t window_us, struct alert *out, bool *found,
                      struct vdt_error *err)
{
  int rc;
  bool failed = false;
  sqlite3_stmt *q = sqlite_statement(s, SQL_ALERT_OF, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, event->x.last_interaction);
  sqlite_bind_str(q, 2, str_of(alert_info(event->type)->type));
  int code = sqlite3_step(q);
  struct str name = code == SQLITE_ROW ? sqlite_str(q, 0, s->arena, &failed) : (struct str){0};
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_ROW && code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  if (rc) return rc;
  *found = name.n > 0;
  return *found ? sqlite_get_row(s, name, s->arena, out, err) : sqlite_find_open(s, event, window_us, out, found, err);
}

static int count_less(struct sqlite_store *s, const char *name, struct str interaction, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_EVIDENCE_DROP, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, (struct str){name, ALERT_NAME_LEN});
  sqlite_bind_str(q, 2, interaction);
  if ((rc = sqlite_run(s, q, err))) return rc;
  int dropped = sqlite3_changes(s->db);
  if (!(q = sqlite_statement(s, SQL_ALERT_FEWER, &rc, err))) return rc;
  sqlite_bind_str(q, 1, (struct str){name, ALERT_NAME_LEN});
  sqlite_bind_u64(q, 2, (uint64_t)(dropped > 0 ? dropped : 1));
  return sqlite_run(s, q, err);
}

int sqlite_withdraw_event(struct store *base, const struct alert *event, uint64_t window_us, struct str who, uint64_t now_us,
                          struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct alert a;
  bool found = false;
  vdt_arena_reset(s->arena);
  int rc = find_alert(s, event, window_us, &a, &found, err);
  if (rc || !found) return rc;
  char name[ALERT_NAME_LEN + 1];
  memcpy(name, a.name, sizeof name);
  if (a.count > 1) return count_less(s, name, event->x.last_interaction, err);
  if (a.status != ALERT_ACTIVE) return VDT_OK;
  struct store_change change = {.status = ALERT_DISMISSED, .who = who, .time_us = now_us};
  rc = sqlite_change_one(s, str_of(name), &change, err);
  return rc || !a.incident.n ? rc : sqlite_reconsider(s, a.incident, &change, err);
}

int sqlite_amend_event(struct store *base, const struct alert *event, uint64_t window_us, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct alert a;
  bool found = false;
  vdt_arena_reset(s->arena);
  int rc = find_alert(s, event, window_us, &a, &found, err);
  return rc || !found ? rc : sqlite_extend(s, &a, event, err);
}
