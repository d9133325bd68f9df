/* The SQLite store: what is set: meta, suppression rules and plans of subscriptions. Each change of rules and plans leaves an entry in the audit log. */
#include "base/error.h"
#include "store/sqlite.h"

/* ---- meta ------------------------------------------------------------------------------------------------------- */

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

int sqlite_settings_version(struct store *base, uint64_t *version, struct vdt_error *err)
{
  char text[24];
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

/* Runs a statement that is bound and writes the line about it, both or none. ENOTFOUND when it changes no row. */
static int run_audited(struct sqlite_store *s, sqlite3_stmt *q, const struct store_audit *a, struct vdt_error *err)
{
  int rc = sqlite_run(s, q, err);
  if (!rc && sqlite3_changes(s->db) == 0) rc = error_set(err, VDT_ENOTFOUND, "there is none");
  if (!rc) rc = sqlite_settings_changed(s, err);
  if (!rc) rc = sqlite_append_audit(s, a, err);
  if (!rc) rc = s->base.ops->commit(&s->base, err);
  if (rc) s->base.ops->rollback(&s->base);
  return rc;
}

/* Begins a transaction and gives the statement; on failure there is neither. */
static sqlite3_stmt *begin_with(struct sqlite_store *s, enum statement which, int *rc, struct vdt_error *err)
{
  *rc = s->base.ops->begin(&s->base, err);
  if (*rc) return NULL;
  sqlite3_stmt *q = sqlite_statement(s, which, rc, err);
  if (!q) s->base.ops->rollback(&s->base);
  return q;
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

int sqlite_put_rule(struct store *base, const struct suppress_rule *r, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc;
  sqlite3_stmt *q = begin_with(s, SQL_RULE_PUT, &rc, err);
  if (!q) return rc;
  const struct str texts[] = {r->subscription, r->name, r->alert_type, r->reason, r->comment, r->scope};
  for (int i = 0; i < 6; i++) sqlite_bind_str(q, i + 1, texts[i]);
  sqlite_bind_u64(q, 7, r->enabled);
  sqlite_bind_u64(q, 8, r->modified_us);
  sqlite_bind_u64(q, 9, r->expires_us);
  sqlite_bind_str(q, 10, r->who);
  struct store_audit a = {.time_us = r->modified_us,
                          .who = r->who,
                          .what = r->enabled ? STR("suppression rule enabled") : STR("suppression rule disabled"),
                          .target = r->name,
                          .detail = r->alert_type};
  return run_audited(s, q, &a, err);
}

int sqlite_delete_rule(struct store *base, struct str subscription, struct str name, struct str who, uint64_t now_us,
                       struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc;
  sqlite3_stmt *q = begin_with(s, SQL_RULE_DELETE, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, subscription);
  sqlite_bind_str(q, 2, name);
  struct store_audit a = {.time_us = now_us, .who = who, .what = STR("suppression rule deleted"), .target = name};
  return run_audited(s, q, &a, err);
}

static void read_rule(sqlite3_stmt *q, struct vdt_arena *arena, struct suppress_rule *r, bool *failed)
{
  struct str *texts[] = {&r->subscription, &r->name, &r->alert_type, &r->reason, &r->comment, &r->scope};
  *r = (struct suppress_rule){.enabled = sqlite_u64(q, 6) > 0, .modified_us = sqlite_u64(q, 7), .expires_us = sqlite_u64(q, 8)};
  for (int i = 0; i < 6; i++) *texts[i] = sqlite_str(q, i, arena, failed);
  r->who = sqlite_str(q, 9, arena, failed);
}

int sqlite_list_rules(struct store *base, const struct store_rule_query *query, struct vdt_arena *arena,
                      struct suppress_rule **out, size_t *n, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct suppress_rule *list = NULL;
  size_t cap = 0;
  bool failed = false;
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_RULE_LIST, &rc, err);
  *n = 0;
  if (!q) return rc;
  const struct str texts[] = {query->subscription, query->name, query->alert_type, query->after};
  for (int i = 0; i < 4; i++) sqlite_bind_str(q, i + 1, texts[i]);
  sqlite_bind_u64(q, 5, query->limit);
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct suppress_rule *p = arena_grow(arena, list, *n, &cap, 8, sizeof *p);
    if ((failed = !p)) break;
    list = p;
    read_rule(q, arena, &list[(*n)++], &failed);
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  *out = list;
  return rc;
}

/* ---- plans ------------------------------------------------------------------------------------------------------ */

int sqlite_put_plan(struct store *base, const struct store_plan *p, uint64_t now_us, struct vdt_error *err)
{
  static const char *const words[] = {"as configured", "off", "on"};
  struct sqlite_store *s = sqlite_of(base);
  char detail[128];
  int rc;
  sqlite3_stmt *q = begin_with(s, SQL_PLAN_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, p->subscription);
  sqlite_bind_u64(q, 2, p->standard);
  sqlite_bind_u64(q, 3, p->evidence);
  sqlite_bind_u64(q, 4, p->purview);
  sqlite_bind_u64(q, 5, p->since_us);
  sqlite_bind_str(q, 6, p->who);
  int len = snprintf(detail, sizeof detail, "%s, prompt evidence %s, sharing with Purview %s", p->standard ? "Standard" : "Free",
                     words[p->evidence], words[p->purview]);
  struct store_audit a = {.time_us = now_us,
                          .who = p->who,
                          .what = STR("plan AI changed"),
                          .target = p->subscription,
                          .detail = {detail, (size_t)len}};
  return run_audited(s, q, &a, err);
}

int sqlite_list_plans(struct store *base, struct str subscription, struct vdt_arena *arena, struct store_plan **out, size_t *n,
                      struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct store_plan *list = NULL;
  size_t cap = 0;
  bool failed = false;
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_PLAN_LIST, &rc, err);
  *n = 0;
  if (!q) return rc;
  sqlite_bind_str(q, 1, subscription);
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct store_plan *p = arena_grow(arena, list, *n, &cap, 4, sizeof *p);
    if ((failed = !p)) break;
    list = p;
    list[(*n)++] = (struct store_plan){
        sqlite_str(q, 0, arena, &failed),          sqlite_u64(q, 1) > 0, (enum store_switch)(sqlite_u64(q, 2) % 3),
        (enum store_switch)(sqlite_u64(q, 3) % 3), sqlite_u64(q, 4),     sqlite_str(q, 5, arena, &failed)};
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  *out = list;
  return rc;
}
