/* The stores against the schema, the records in them against fields.def, their ages against retention, and the ledger against the configuration. */
#include "base/clock.h"
#include "base/error.h"
#include "data/verify.h"
#include "data/words.h"

enum { RECORDS_AT_ONCE = 1000, GRACE_S = 86400, PLACE_BYTES = 256 };

/* "weu: alerts", "weu: alerts.column" */
static struct str place(char out[PLACE_BYTES], const struct data_workspace *w, struct str table, struct str column)
{
  int n = snprintf(out, PLACE_BYTES, "workspace %.*s: %.*s%s%.*s", (int)w->name.n, w->name.p, (int)(table.n < 64 ? table.n : 64),
                   table.p, column.n ? "." : "", (int)(column.n < 64 ? column.n : 64), column.p ? column.p : "");
  return (struct str){out, (size_t)n};
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static const struct store_table *schema_of(const struct data_statement *s, struct str name)
{
  for (size_t i = 0; i < s->n_schema; i++)
    if (str_eq(s->schema[i].name, name)) return &s->schema[i];
  return NULL;
}

static const struct data_class *class_of(struct str table)
{
  for (unsigned i = 0; i < DATA_CLASSES; i++)
    if (data_class_has(&data_classes[i], table)) return &data_classes[i];
  return NULL;
}

static bool has_column(const struct store_table *t, struct str name)
{
  for (size_t i = 0; i < t->n_columns; i++)
    if (str_eq(t->columns[i], name)) return true;
  return false;
}

/* Where something is held, what is old may be that. */
static void check_age(const struct data_statement *s, struct data_check *check, const struct data_workspace *w,
                      const struct data_class *c, const struct store_table *t)
{
  char where[PLACE_BYTES];
  uint64_t keep = data_retention_s(c->retention, w), now = s->input->now_us / 1000000, oldest = t->oldest_us / 1000000;
  if (!keep || keep == STORE_FOREVER || w->n_holds || !oldest || now < oldest || now - oldest <= keep + GRACE_S) return;
  verify_found(check, DATA_FAULT_AGE, place(where, w, t->name, (struct str){0}),
               "the oldest row is %llu days old, %llu are stated", (unsigned long long)((now - oldest) / 86400),
               (unsigned long long)(keep / 86400));
}

static void check_table(const struct data_statement *s, struct data_check *check, const struct data_workspace *w,
                        const struct store_table *t)
{
  char where[PLACE_BYTES];
  const struct store_table *schema = schema_of(s, t->name);
  const struct data_class *c = class_of(t->name);
  check->tables++;
  if (!schema || !c) {
    verify_found(check, DATA_FAULT_TABLE, place(where, w, t->name, (struct str){0}), "%llu rows", (unsigned long long)t->rows);
    return;
  }
  for (size_t i = 0; i < t->n_columns; i++)
    if (!has_column(schema, t->columns[i]))
      verify_found(check, DATA_FAULT_COLUMN, place(where, w, t->name, t->columns[i]), "%s", "");
  /* What hangs on rows of the first table is as old as it may be with them: the history of an alert that goes on, for one. */
  if (str_starts(str_of(c->tables), t->name) || c == &data_classes[DATA_EVIDENCE]) check_age(s, check, w, c, t);
}

static void check_place(struct data_check *check, const struct data_workspace *w)
{
  char where[PLACE_BYTES];
  const struct config_workspace *c = w->config;
  if (c && !str_eq(w->region, str_of(c->region)))
    verify_found(check, DATA_FAULT_REGION, place(where, w, STR("meta"), (struct str){0}), "the configuration says %.64s",
                 c->region);
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static void check_record(struct data_check *check, const struct data_workspace *w, struct str json, struct vdt_arena *arena)
{
  struct record r;
  struct vdt_error why = {0};
  char where[PLACE_BYTES], id[RECORD_ID_LEN + 1] = "";
  check->records++;
  int rc = record_read(arena, json, &r, &why);
  if (!rc && !verify_has_text(&r)) return;
  /* An id is 32 hexadecimal digits behind a fixed head; where the line is none that can be read, what stands there is not shown. */
  if (!rc) memcpy(id, r.id, sizeof id);
  place(where, w, STR("interactions.record"), (struct str){0});
  if (rc) verify_found(check, DATA_FAULT_LINE, str_of(where), "%.120s", why.text);
  else verify_found(check, DATA_FAULT_TEXT, str_of(where), "of interaction %s", id);
}

static int check_records(struct data_check *check, const struct data_workspace *w, struct vdt_error *err)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)512 << 20);
  struct store_place at = {0};
  struct str *records;
  size_t n = 1;
  int rc = arena ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  while (!rc && n && !verify_stopped(check)) {
    vdt_arena_reset(arena);
    rc = w->store->ops->list_records(w->store, &at, RECORDS_AT_ONCE, arena, &records, &n, err);
    for (size_t i = 0; !rc && i < n; i++) check_record(check, w, records[i], arena);
  }
  vdt_arena_free(arena);
  return rc;
}

/* A text that is kept for a deployment whose evidence is off, and was written since the configuration says so. Where a plan has switched it off the
 * store does not say since when. */
static void check_texts(const struct data_statement *s, struct data_check *check, const struct data_workspace *w)
{
  char where[PLACE_BYTES];
  for (size_t i = 0; i < w->n_texts; i++) {
    const struct store_texts *t = &w->texts[i];
    const struct data_deployment *d = verify_deployment(s, t->deployment);
    if (s->input->config && t->open && t->newest_open_us >= check->since_us)
      verify_found(check, DATA_FAULT_CLEAR, place(where, w, STR("alert_evidence"), (struct str){0}), "%llu rows",
                   (unsigned long long)t->open);
    if (!d || d->evidence || d->config->prompt_evidence || t->newest_us < check->since_us) continue;
    verify_found(check, DATA_FAULT_TEXT, place(where, w, STR("alert_evidence"), (struct str){0}),
                 "deployment %s has evidence off; %llu rows have text", d->config->name, (unsigned long long)t->rows);
  }
}

/* ---- the ledger -------------------------------------------------------------------------------------------------- */

static bool is_named(const struct data_statement *s, const struct store_transfer *t)
{
  bool redirect = str_eq(t->kind, str_of(data_connection_kinds[DATA_REDIRECT].name));
  for (size_t i = 0; i < s->n_connections; i++) {
    const struct data_connection *c = &s->connections[i];
    enum data_connection_kind kind = redirect ? DATA_FEED : c->kind;
    if (c->kind != kind || !str_eq(c->name, t->name)) continue;
    if (redirect || (str_eq(str_of(data_connection_kinds[c->kind].name), t->kind) && str_eq(c->destination, t->destination)))
      return true;
  }
  return false;
}

static void check_ledger(const struct data_statement *s, struct data_check *check, const struct data_workspace *w)
{
  char since[CLOCK_TEXT], where[PLACE_BYTES];
  if (!s->input->config) return;
  clock_format(check->since_us, since);
  for (size_t i = 0; i < w->n_transfers; i++) {
    const struct store_transfer *t = &w->transfers[i];
    if (t->day.n != 10 || memcmp(t->day.p, since, 10) < 0 || is_named(s, t)) continue;
    verify_found(check, DATA_FAULT_DESTINATION, place(where, w, STR("transfers"), (struct str){0}), "%.10s: %.*s %.*s to %.*s",
                 t->day.p, (int)(t->kind.n < 32 ? t->kind.n : 32), t->kind.p, (int)(t->name.n < 64 ? t->name.n : 64), t->name.p,
                 (int)(t->destination.n < 120 ? t->destination.n : 120), t->destination.p);
  }
}

int verify_stores(const struct data_statement *s, struct data_check *check, struct vdt_error *err)
{
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < s->n_workspaces && !verify_stopped(check); i++) {
    const struct data_workspace *w = &s->workspaces[i];
    if (!w->store) continue;
    check_place(check, w);
    for (size_t k = 0; k < w->n_tables; k++) check_table(s, check, w, &w->tables[k]);
    check_texts(s, check, w);
    check_ledger(s, check, w);
    rc = check_records(check, w, err);
  }
  return rc;
}
