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
  sqlite_bind_u64(q, ++at, a->severity);
  sqlite_bind_str(q, ++at, a->suppressed);
  sqlite_bind_str(q, ++at, a->incident);
  sqlite_bind_str(q, ++at, a->classification);
#define X(member, name, title, combine) sqlite_bind_str(q, ++at, a->x.member);
#include "analyse/extended.def"
#undef X
}

/* Alerts of before severities were stored have that of their type. */
static enum vdt_severity read_severity(sqlite3_stmt *q, int at, enum alert_type type)
{
  int v = sqlite3_column_int(q, at);
  if (v >= VDT_INFORMATIONAL && v <= VDT_HIGH) return (enum vdt_severity)v;
  return type < ALERT_TYPES ? alert_info(type)->severity : VDT_MEDIUM;
}

bool sqlite_read_alert(struct store *s, sqlite3_stmt *q, struct vdt_arena *arena, struct alert *a, bool *failed)
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
  a->severity = read_severity(q, at++, a->type);
  a->suppressed = sqlite_str(q, at++, arena, failed);
  a->incident = sqlite_str(q, at++, arena, failed);
  a->classification = sqlite_str(q, at++, arena, failed);
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
  e->sealed = sqlite_sealed(q, 13, arena, &e->shredded, &failed);
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

int sqlite_list_evidence(struct store *base, struct str interaction, struct vdt_arena *arena, struct alert_evidence **out,
                         size_t *n, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_EVIDENCE_OF, &rc, err);
  *n = 0;
  if (!q) return rc;
  *out = arena_zalloc(arena, STORE_EVIDENCE_MAX, sizeof **out);
  if (!*out) return error_set(err, VDT_ENOMEM, "out of memory");
  sqlite_bind_str(q, 1, interaction);
  sqlite_bind_u64(q, 2, STORE_EVIDENCE_MAX);
  while (!rc && *n < STORE_EVIDENCE_MAX && (code = sqlite3_step(q)) == SQLITE_ROW)
    if (!read_evidence(q, arena, &(*out)[(*n)++])) rc = error_set(err, VDT_ENOMEM, "out of memory");
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
    *c = (struct alert_change){sqlite_u64(q, 0),
                               (enum alert_status)(sqlite_u64(q, 1) % ALERT_STATUSES),
                               (enum alert_status)(sqlite_u64(q, 2) % ALERT_STATUSES),
                               sqlite_str(q, 3, arena, &failed),
                               sqlite_str(q, 4, arena, &failed),
                               sqlite_str(q, 5, arena, &failed)};
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE && code != SQLITE_ROW) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

static int load_rest(struct sqlite_store *s, struct alert *a, struct vdt_arena *arena, struct vdt_error *err)
{
  int rc = load_evidence(s, a, arena, err);
  if (!rc) rc = load_history(s, a, arena, err);
  return rc || a->type != ALERT_INCIDENT ? rc : sqlite_load_members(s, a, arena, err);
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

int sqlite_find_open(struct sqlite_store *s, const struct alert *event, uint64_t window_us, struct alert *out, bool *found,
                     struct vdt_error *err)
{
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, event->suppressed.n ? SQL_ALERT_SUPPRESSED : SQL_ALERT_OPEN, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, str_of(alert_info(event->type)->type));
  sqlite_bind_str(q, 2, event->x.deployment);
  sqlite_bind_str(q, 3, event->principal);
  if (event->suppressed.n) sqlite_bind_str(q, 4, event->suppressed);
  bool failed = false;
  *found = false;
  while (!*found && !failed && (code = sqlite3_step(q)) == SQLITE_ROW)
    *found = sqlite_read_alert(&s->base, q, s->arena, out, &failed) && alert_takes(out, event->start_us, window_us);
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
    struct str data_key, body;
    int rc = sqlite_put_sealed(s, e->sealed, s->arena, &data_key, &body, err);
    if (rc) return rc;
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
    sqlite_bind_blob(q, 15, data_key);
    sqlite_bind_blob(q, 16, body);
    if ((rc = sqlite_run(s, q, err))) return rc;
  }
  return VDT_OK;
}

int sqlite_write_alert(struct sqlite_store *s, enum statement how, const struct alert *a, bool *changed, struct vdt_error *err)
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
  int rc = sqlite_write_alert(s, SQL_ALERT_REPLACE, a, &changed, err);
  if (!rc && changed) rc = put_evidence(s, a, event->evidence, n, err);
  if (!rc && changed && n) rc = sqlite_put_texts(s, event, err);
  return rc ? rc : sqlite_follow(s, a, err);
}

static int put_history(struct sqlite_store *s, const struct alert *a, enum alert_status to, const struct store_change *c,
                       struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_HISTORY_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, (struct str){a->name, ALERT_NAME_LEN});
  sqlite_bind_u64(q, 2, c->time_us);
  sqlite_bind_u64(q, 3, a->status);
  sqlite_bind_u64(q, 4, to);
  sqlite_bind_str(q, 5, c->who);
  sqlite_bind_str(q, 6, c->comment);
  sqlite_bind_str(q, 7, c->classification);
  return sqlite_run(s, q, err);
}

/* An alert that a suppression rule dismissed as it came: its history says which. */
static int put_dismissal(struct sqlite_store *s, const struct alert *event, struct vdt_error *err)
{
  struct alert raised = *event;
  char who[80];
  int n = snprintf(who, sizeof who, "suppression rule %.*s", (int)event->suppressed.n, event->suppressed.p);
  raised.status = ALERT_ACTIVE;
  return put_history(s, &raised, ALERT_DISMISSED, &(struct store_change){.who = {who, (size_t)n}, .time_us = event->generated_us},
                     err);
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
  rc = sqlite_write_alert(s, SQL_ALERT_PUT, event, is_new, err);
  if (!rc && *is_new) rc = put_evidence(s, event, event->evidence, event->n_evidence, err);
  if (!rc && *is_new) rc = sqlite_put_texts(s, event, err);
  return !rc && *is_new && event->suppressed.n ? put_dismissal(s, event, err) : rc;
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
  sqlite_bind_u64(q, 8, query->since_us);
  sqlite_bind_str(q, 9, query->deployment);
  sqlite_bind_str(q, 10, query->who);
  struct alert *list = NULL;
  size_t got = 0, cap = 0;
  bool failed = false;
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct alert *p = arena_grow(arena, list, got, &cap, 16, sizeof *p);
    if ((failed = !p)) break;
    list = p;
    list[got] = (struct alert){0};
    if (sqlite_read_alert(base, q, arena, &list[got], &failed) && list[got].severity >= query->severity) got++;
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  for (size_t i = 0; !rc && !query->brief && i < got; i++) rc = load_rest(s, &list[i], arena, err);
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
  bool ok = code == SQLITE_ROW && sqlite_read_alert(&s->base, q, arena, out, &failed);
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

/* ---- changing --------------------------------------------------------------------------------------------------- */

int sqlite_change_one(struct sqlite_store *s, struct str name, const struct store_change *c, struct vdt_error *err)
{
  struct alert a;
  int rc = sqlite_get_row(s, name, s->arena, &a, err);
  if (rc) return rc;
  enum alert_status to = c->status < ALERT_STATUSES ? c->status : a.status;
  struct str classification = c->classification.n ? c->classification : a.classification;
  if (to == a.status && str_eq(classification, a.classification) && !c->comment.n) return VDT_OK;
  sqlite3_stmt *q = sqlite_statement(s, SQL_ALERT_STATUS, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, (struct str){a.name, ALERT_NAME_LEN});
  sqlite_bind_u64(q, 2, to);
  sqlite_bind_str(q, 3, classification);
  rc = sqlite_run(s, q, err);
  return rc ? rc : put_history(s, &a, to, c, err);
}

/* The alerts of an incident that is closed; for any other alert there are none. */
static int change_members(struct sqlite_store *s, struct str name, const struct store_change *c, struct vdt_error *err)
{
  struct alert a;
  int rc = sqlite_get_row(s, name, s->arena, &a, err);
  if (!rc && a.type == ALERT_INCIDENT) rc = sqlite_load_members(s, &a, s->arena, err);
  for (size_t i = 0; !rc && i < a.n_members; i++) {
    bool open = a.members[i].status == ALERT_ACTIVE || a.members[i].status == ALERT_IN_PROGRESS;
    if (open) rc = sqlite_change_one(s, a.members[i].name, c, err);
  }
  return rc;
}

/* The comment itself stays in the history of the alert: the audit log only says that there was one. */
static int audit_change(struct sqlite_store *s, struct str name, const struct store_change *c, struct vdt_error *err)
{
  char detail[160];
  const char *status = c->status < ALERT_STATUSES ? alert_status_name(c->status) : NULL;
  int n = snprintf(detail, sizeof detail, "%s%s%s%.*s%s", status ? "status " : "", status ? status : "",
                   c->classification.n ? (status ? ", classification " : "classification ") : "", (int)c->classification.n,
                   c->classification.n ? c->classification.p : "",
                   c->comment.n ? (status || c->classification.n ? ", comment" : "comment") : "");
  size_t len = n < (int)sizeof detail ? (size_t)n : sizeof detail - 1;
  return sqlite_append_audit(
      s,
      &(struct store_audit){
          .time_us = c->time_us, .who = c->who, .what = STR("alert changed"), .target = name, .detail = {detail, len}},
      err);
}

int sqlite_change(struct store *base, struct str name, const struct store_change *change, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc = base->ops->begin(base, err);
  if (rc) return rc;
  vdt_arena_reset(s->arena);
  int before = sqlite3_total_changes(s->db);
  rc = sqlite_change_one(s, name, change, err);
  if (!rc && (change->status == ALERT_RESOLVED || change->status == ALERT_DISMISSED)) rc = change_members(s, name, change, err);
  if (!rc && sqlite3_total_changes(s->db) != before) rc = audit_change(s, name, change, err);
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
