/* The SQLite store: incidents. Which alerts make one is decided by analyse/incident.h; here are the rows. */
#include "analyse/incident.h"
#include "base/error.h"
#include "store/sqlite.h"

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Rows of a statement that is bound, as alerts of the store's arena. */
static int read_all(struct sqlite_store *s, sqlite3_stmt *q, struct alert **out, size_t *n, struct vdt_error *err)
{
  struct alert *list = NULL;
  size_t cap = 0;
  bool failed = false;
  int code = SQLITE_DONE, rc = VDT_OK;
  *n = 0;
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct alert *p = arena_grow(s->arena, list, *n, &cap, 8, sizeof *p);
    if ((failed = !p)) break;
    list = p;
    if (sqlite_read_alert(&s->base, q, s->arena, &list[*n], &failed)) ++*n;
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  *out = list;
  return rc;
}

static enum vdt_severity severity_of(sqlite3_stmt *q, int at, enum alert_type type)
{
  int v = sqlite3_column_int(q, at);
  return v >= VDT_INFORMATIONAL && v <= VDT_HIGH ? (enum vdt_severity)v : alert_info(type)->severity;
}

int sqlite_load_members(struct sqlite_store *s, struct alert *a, struct vdt_arena *arena, struct vdt_error *err)
{
  int rc, code = SQLITE_DONE;
  size_t cap = 0;
  bool failed = false;
  sqlite3_stmt *q = sqlite_statement(s, SQL_INCIDENT_MEMBERS, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, (struct str){a->name, ALERT_NAME_LEN});
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct alert_member *p = arena_grow(arena, a->members, a->n_members, &cap, 8, sizeof *p);
    if ((failed = !p)) break;
    a->members = p;
    p += a->n_members;
    *p = (struct alert_member){.name = sqlite_str(q, 0, arena, &failed),
                               .type = alert_type_find(str_of((const char *)sqlite3_column_text(q, 1))),
                               .status = (enum alert_status)(sqlite_u64(q, 2) % ALERT_STATUSES),
                               .start_us = sqlite_u64(q, 4)};
    if (p->type == ALERT_TYPES) continue;
    p->severity = severity_of(q, 3, p->type);
    a->n_members++;
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

int sqlite_reconsider(struct sqlite_store *s, struct str name, const struct store_change *why, struct vdt_error *err)
{
  struct alert incident;
  size_t left = 0;
  int rc = sqlite_get_row(s, name, s->arena, &incident, err);
  if (rc == VDT_ENOTFOUND) return VDT_OK;
  if (rc || incident.status != ALERT_ACTIVE || (rc = sqlite_load_members(s, &incident, s->arena, err))) return rc;
  struct alert *members = arena_zalloc(s->arena, incident.n_members + 1, sizeof *members);
  if (!members) return error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; i < incident.n_members; i++)
    if (incident.members[i].status != ALERT_DISMISSED) members[left++].type = incident.members[i].type;
  return incident_is_chain(members, left) ? VDT_OK : sqlite_change_one(s, name, why, err);
}

int sqlite_follow(struct sqlite_store *s, const struct alert *a, struct vdt_error *err)
{
  struct alert incident;
  bool changed;
  if (!a->incident.n) return VDT_OK;
  int rc = sqlite_get_row(s, a->incident, s->arena, &incident, err);
  if (rc == VDT_ENOTFOUND) return VDT_OK;
  bool open = !rc && (incident.status == ALERT_ACTIVE || incident.status == ALERT_IN_PROGRESS);
  return open && incident_follow(&incident, a) ? sqlite_write_alert(s, SQL_ALERT_REPLACE, &incident, &changed, err) : rc;
}

/* ---- relating --------------------------------------------------------------------------------------------------- */

static uint64_t before(uint64_t us)
{
  return us > INCIDENT_WINDOW_US ? us - INCIDENT_WINDOW_US : 0;
}

/* The open incident that the event belongs to; an event of a deployment as a whole belongs to any one there. *n is 0 or 1. */
static int find_incident(struct sqlite_store *s, const struct alert *event, struct alert **out, size_t *n, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_INCIDENT_OPEN, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, str_of(alert_info(ALERT_INCIDENT)->type));
  sqlite_bind_str(q, 2, event->x.deployment);
  sqlite_bind_str(q, 3, event->principal);
  sqlite_bind_u64(q, 4, before(event->start_us));
  sqlite_bind_u64(q, 5, event->start_us + INCIDENT_WINDOW_US);
  return read_all(s, q, out, n, err);
}

static int find_peers(struct sqlite_store *s, const struct alert *event, struct alert **out, size_t *n, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_INCIDENT_PEERS, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, event->x.deployment);
  sqlite_bind_str(q, 2, event->principal);
  sqlite_bind_u64(q, 3, before(event->start_us));
  sqlite_bind_u64(q, 4, event->start_us + INCIDENT_WINDOW_US);
  sqlite_bind_str(q, 5, str_of(alert_info(ALERT_INCIDENT)->type));
  return read_all(s, q, out, n, err);
}

static int add_member(struct sqlite_store *s, const char *incident, const char *name, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_INCIDENT_ADD, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, (struct str){name, ALERT_NAME_LEN});
  sqlite_bind_str(q, 2, (struct str){incident, ALERT_NAME_LEN});
  return sqlite_run(s, q, err);
}

static int join(struct sqlite_store *s, struct alert *incident, const struct alert *event, struct vdt_error *err)
{
  bool changed;
  if (incident_join(incident, event, s->arena)) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = sqlite_write_alert(s, SQL_ALERT_REPLACE, incident, &changed, err);
  return rc ? rc : add_member(s, incident->name, event->name, err);
}

int sqlite_relate(struct store *base, const struct alert *event, uint64_t now_us, bool *begun, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct alert *found, incident;
  size_t n;
  *begun = false;
  if (event->suppressed.n || alert_info(event->type)->stage == STAGE_NONE) return VDT_OK;
  vdt_arena_reset(s->arena);
  int rc = find_incident(s, event, &found, &n, err);
  if (rc) return rc;
  if (n) return join(s, &found[0], event, err);
  if (!event->principal.n) return VDT_OK;
  rc = find_peers(s, event, &found, &n, err);
  if (rc || !incident_is_chain(found, n)) return rc;
  if (incident_begin(found, n, now_us, s->arena, &incident)) return error_set(err, VDT_ENOMEM, "out of memory");
  rc = sqlite_write_alert(s, SQL_ALERT_PUT, &incident, begun, err);
  for (size_t i = 0; !rc && i < n; i++) rc = add_member(s, incident.name, found[i].name, err);
  return rc;
}
