/* The SQLite store: alerts, their evidence and history. */
#include "base/error.h"
#include "store/columns.h"
#include "store/sqlite.h"

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void bind_alert(sqlite3_stmt *q, const struct alert *a)
{
  int at = 0;
  sqlite_bind_str(q, ++at, (struct str){a->name, ALERT_NAME_LEN});
  sqlite_bind_str(q, ++at, str_of(alert_info(a->type)->type));
  sqlite_bind_u64(q, ++at, a->status);
  sqlite_bind_str(q, ++at, a->principal);
  sqlite_bind_str(q, ++at, a->resource_id);
  sqlite_bind_str(q, ++at, a->subscription);
  sqlite_bind_str(q, ++at, a->resource_group);
  sqlite_bind_u64(q, ++at, a->start_us);
  sqlite_bind_u64(q, ++at, a->end_us);
  sqlite_bind_u64(q, ++at, a->generated_us);
  sqlite_bind_u64(q, ++at, a->count);
  sqlite_bind_u64(q, ++at, a->confidence);
  sqlite_bind_u64(q, ++at, a->evidence_total);
#define X(member, name, title, combine) sqlite_bind_str(q, ++at, a->x.member);
#include "analyse/extended.def"
#undef X
}

/* false: of a type that this version does not know, or out of memory (*failed). */
static bool read_alert(struct store *s, sqlite3_stmt *q, struct vdt_arena *arena, struct alert *a, bool *failed)
{
  int at = 0;
  *a = (struct alert){.region = s->place.region, .workspace = s->place.workspace};
  struct str name = sqlite_str(q, at++, arena, failed), type = sqlite_str(q, at++, arena, failed);
  if (name.n != ALERT_NAME_LEN) return false;
  memcpy(a->name, name.p, name.n);
  a->type = alert_type_find(type);
  a->status = (enum alert_status)(sqlite_u64(q, at++) % ALERT_STATUSES);
  a->principal = sqlite_str(q, at++, arena, failed);
  a->resource_id = sqlite_str(q, at++, arena, failed);
  a->subscription = sqlite_str(q, at++, arena, failed);
  a->resource_group = sqlite_str(q, at++, arena, failed);
  a->start_us = sqlite_u64(q, at++);
  a->end_us = sqlite_u64(q, at++);
  a->generated_us = sqlite_u64(q, at++);
  a->count = sqlite_u64(q, at++);
  a->confidence = (unsigned)sqlite_u64(q, at++);
  a->evidence_total = sqlite_u64(q, at++);
#define X(member, name, title, combine) a->x.member = sqlite_str(q, at++, arena, failed);
#include "analyse/extended.def"
#undef X
  return a->type < ALERT_TYPES && !*failed;
}

static bool read_evidence(sqlite3_stmt *q, struct vdt_arena *arena, struct alert_evidence *e)
{
  bool failed = false;
  struct str id = sqlite_str(q, 0, arena, &failed);
  if (id.n == RECORD_ID_LEN) memcpy(e->interaction, id.p, id.n);
  e->time_us = sqlite_u64(q, 1);
  e->part = sqlite_str(q, 2, arena, &failed);
  e->role = sqlite_str(q, 3, arena, &failed);
  e->rule = sqlite_str(q, 4, arena, &failed);
  e->title = sqlite_str(q, 5, arena, &failed);
  e->reason = sqlite_str(q, 6, arena, &failed);
  e->redacted = sqlite_str(q, 7, arena, &failed);
  e->segment = sqlite_str(q, 8, arena, &failed);
  e->source = sqlite_str(q, 9, arena, &failed);
  e->confidence = (unsigned)sqlite_u64(q, 10);
  e->layers = sqlite_str(q, 11, arena, &failed);
  e->decoded = sqlite_str(q, 12, arena, &failed);
  return !failed;
}

static int load_evidence(struct sqlite_store *s, struct alert *a, struct vdt_arena *arena, struct vdt_error *err)
{
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_EVIDENCE_LIST, &rc, err);
  if (!q) return rc;
  a->evidence = arena_zalloc(arena, ALERT_EVIDENCE_MAX, sizeof *a->evidence);
  if (!a->evidence) return error_set(err, VDT_ENOMEM, "out of memory");
  sqlite_bind_str(q, 1, (struct str){a->name, ALERT_NAME_LEN});
  while (!rc && a->n_evidence < ALERT_EVIDENCE_MAX && (code = sqlite3_step(q)) == SQLITE_ROW)
    if (!read_evidence(q, arena, &a->evidence[a->n_evidence++])) rc = error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc && code != SQLITE_DONE && code != SQLITE_ROW) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

static int load_history(struct sqlite_store *s, struct alert *a, struct vdt_arena *arena, struct vdt_error *err)
{
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_HISTORY_COUNT, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, (struct str){a->name, ALERT_NAME_LEN});
  size_t n = sqlite3_step(q) == SQLITE_ROW ? (size_t)sqlite_u64(q, 0) : 0;
  sqlite3_reset(q);
  if (n == 0) return VDT_OK;
  if (!(q = sqlite_statement(s, SQL_HISTORY_LIST, &rc, err))) return rc;
  a->history = arena_zalloc(arena, n, sizeof *a->history);
  if (!a->history) return error_set(err, VDT_ENOMEM, "out of memory");
  sqlite_bind_str(q, 1, (struct str){a->name, ALERT_NAME_LEN});
  bool failed = false;
  while (a->n_history < n && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct alert_change *c = &a->history[a->n_history++];
    *c = (struct alert_change){sqlite_u64(q, 0), (enum alert_status)(sqlite_u64(q, 1) % ALERT_STATUSES),
                               (enum alert_status)(sqlite_u64(q, 2) % ALERT_STATUSES), sqlite_str(q, 3, arena, &failed)};
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE && code != SQLITE_ROW) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

static int load_rest(struct sqlite_store *s, struct alert *a, struct vdt_arena *arena, struct vdt_error *err)
{
  int rc = load_evidence(s, a, arena, err);
  return rc ? rc : load_history(s, a, arena, err);
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

int sqlite_find_open(struct sqlite_store *s, const struct alert *event, uint64_t window_us, struct alert *out, bool *found,
                     struct vdt_error *err)
{
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_ALERT_OPEN, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, str_of(alert_info(event->type)->type));
  sqlite_bind_str(q, 2, event->x.deployment);
  sqlite_bind_str(q, 3, event->principal);
  bool failed = false;
  *found = false;
  while (!*found && !failed && (code = sqlite3_step(q)) == SQLITE_ROW)
    *found = read_alert(&s->base, q, s->arena, out, &failed) && alert_takes(out, event->start_us, window_us);
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE && code != SQLITE_ROW) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

static int put_evidence(struct sqlite_store *s, const struct alert *a, const struct alert_evidence *rows, size_t n,
                        struct vdt_error *err)
{
  for (size_t i = 0; i < n; i++) {
    const struct alert_evidence *e = &rows[i];
    int rc;
    sqlite3_stmt *q = sqlite_statement(s, SQL_EVIDENCE_PUT, &rc, err);
    if (!q) return rc;
    sqlite_bind_str(q, 1, (struct str){a->name, ALERT_NAME_LEN});
    sqlite_bind_str(q, 2, (struct str){e->interaction, RECORD_ID_LEN});
    sqlite_bind_u64(q, 3, e->time_us);
    const struct str texts[] = {e->part, e->role, e->rule, e->title, e->reason, e->redacted, e->segment, e->source};
    for (int t = 0; t < 8; t++) sqlite_bind_str(q, 4 + t, texts[t]);
    sqlite_bind_u64(q, 12, e->confidence);
    sqlite_bind_str(q, 13, e->layers);
    sqlite_bind_str(q, 14, e->decoded);
    if ((rc = sqlite_run(s, q, err))) return rc;
  }
  return VDT_OK;
}

static int write_alert(struct sqlite_store *s, enum statement how, const struct alert *a, bool *changed, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, how, &rc, err);
  if (!q) return rc;
  bind_alert(q, a);
  rc = sqlite_run(s, q, err);
  *changed = !rc && sqlite3_changes(s->db) > 0;
  return rc;
}

int sqlite_extend(struct sqlite_store *s, struct alert *a, const struct alert *event, struct vdt_error *err)
{
  bool changed;
  size_t n;
  if (alert_extend(a, event, s->arena, &n)) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = write_alert(s, SQL_ALERT_REPLACE, a, &changed, err);
  return !rc && changed ? put_evidence(s, a, event->evidence, n, err) : rc;
}

int sqlite_put_event(struct store *base, const struct alert *event, uint64_t window_us, bool *is_new, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct alert a;
  bool found = false;
  *is_new = false;
  vdt_arena_reset(s->arena);
  int rc = sqlite_find_open(s, event, window_us, &a, &found, err);
  if (rc) return rc;
  if (found) return sqlite_extend(s, &a, event, err);
  rc = write_alert(s, SQL_ALERT_PUT, event, is_new, err);
  return !rc && *is_new ? put_evidence(s, event, event->evidence, event->n_evidence, err) : rc;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

int sqlite_list(struct store *base, const struct store_query *query, struct vdt_arena *arena, struct alert **out, size_t *n,
                struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code = SQLITE_DONE;
  size_t limit = query->limit < 100000 ? query->limit : 100000;
  sqlite3_stmt *q = sqlite_statement(s, SQL_ALERT_LIST, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, query->after);
  sqlite_bind_str(q, 2, query->subscription);
  sqlite_bind_str(q, 3, query->resource_group);
  sqlite_bind_str(q, 4, query->type < ALERT_TYPES ? str_of(alert_info(query->type)->type) : (struct str){0});
  sqlite3_bind_int(q, 5, query->status < ALERT_STATUSES ? (int)query->status : -1);
  sqlite_bind_str(q, 6, query->part);
  sqlite_bind_u64(q, 7, limit);
  struct alert *list = NULL;
  size_t got = 0, cap = 0;
  bool failed = false;
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct alert *p = arena_grow(arena, list, got, &cap, 16, sizeof *p);
    if ((failed = !p)) break;
    list = p;
    list[got] = (struct alert){0};
    if (read_alert(base, q, arena, &list[got], &failed)) got++;
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  for (size_t i = 0; !rc && i < got; i++) rc = load_rest(s, &list[i], arena, err);
  *out = list;
  *n = rc ? 0 : got;
  return rc;
}

int sqlite_get_row(struct sqlite_store *s, struct str name, struct vdt_arena *arena, struct alert *out, struct vdt_error *err)
{
  int rc;
  bool failed = false;
  sqlite3_stmt *q = sqlite_statement(s, SQL_ALERT_GET, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, name);
  int code = sqlite3_step(q);
  bool ok = code == SQLITE_ROW && read_alert(&s->base, q, arena, out, &failed);
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_ROW && code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  else if (!ok) rc = error_set(err, VDT_ENOTFOUND, "no such alert");
  sqlite3_reset(q);
  return rc;
}

int sqlite_get(struct store *base, struct str name, struct vdt_arena *arena, struct alert *out, struct vdt_error *err)
{
  int rc = sqlite_get_row(sqlite_of(base), name, arena, out, err);
  return rc ? rc : load_rest(sqlite_of(base), out, arena, err);
}

int sqlite_change_status(struct sqlite_store *s, struct str name, enum alert_status status, struct str who, uint64_t now_us,
                         struct vdt_error *err)
{
  struct alert a;
  vdt_arena_reset(s->arena);
  int rc = sqlite_get_row(s, name, s->arena, &a, err);
  if (rc || a.status == status) return rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_ALERT_STATUS, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, name);
  sqlite_bind_u64(q, 2, status);
  if ((rc = sqlite_run(s, q, err)) || !(q = sqlite_statement(s, SQL_HISTORY_PUT, &rc, err))) return rc;
  sqlite_bind_str(q, 1, name);
  sqlite_bind_u64(q, 2, now_us);
  sqlite_bind_u64(q, 3, a.status);
  sqlite_bind_u64(q, 4, status);
  sqlite_bind_str(q, 5, who);
  return sqlite_run(s, q, err);
}

int sqlite_set_status(struct store *base, struct str name, enum alert_status status, struct str who, uint64_t now_us,
                      struct vdt_error *err)
{
  int rc = base->ops->begin(base, err);
  if (rc) return rc;
  rc = sqlite_change_status(sqlite_of(base), name, status, who, now_us, err);
  if (!rc) rc = base->ops->commit(base, err);
  if (rc) base->ops->rollback(base);
  return rc;
}

int sqlite_count(struct store *base, struct store_counts *out, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code;
  sqlite3_stmt *q = sqlite_statement(s, SQL_ALERT_COUNT, &rc, err);
  *out = (struct store_counts){0};
  if (!q) return rc;
  while ((code = sqlite3_step(q)) == SQLITE_ROW) {
    const char *name = (const char *)sqlite3_column_text(q, 0);
    enum alert_type type = alert_type_find(str_of(name));
    uint64_t status = sqlite_u64(q, 1);
    if (type < ALERT_TYPES && status < ALERT_STATUSES) out->alerts[type][status] = sqlite_u64(q, 2);
  }
  if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}
