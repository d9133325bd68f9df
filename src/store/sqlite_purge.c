/*
 * The SQLite store: removing what somebody asks to be gone. The request is kept with its filters until nothing is left that fits them, so that a
 * process that is killed goes on where it was; then the filters, which may name the very person, are forgotten before the disk is scrubbed.
 *
 * Filters become SQL of the columns of purge_columns.def and the operators below; values are always bound.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "store/held.h"
#include "store/sqlite.h"
#include <sodium.h>
#include <stdio.h>

enum { FILTERS_MAX = 8, VALUES_MAX = 1000, SQL_MAX = 4096 };
enum kind { TEXT, TIME };

static const struct column {
  enum store_class of;
  const char *name;
  enum kind kind;
  const char *sql;
} columns[] = {
#define X(class, name, kind, sql, text) {STORE_##class, name, kind, sql},
#include "store/purge_columns.def"
#undef X
};

/* count: values that it takes; 0: a list. */
static const struct operator
{
  const char *name, *before, *after;
  unsigned count;
  bool times_only;
}
operators[] = {
    {"==", " = ", "", 1, false},
    {"=~", " COLLATE NOCASE = ", "", 1, false},
    {"in", " IN (", ")", 0, false},
    {"in~", " COLLATE NOCASE IN (", ")", 0, false},
    {">", " > ", "", 1, true},
    {">=", " >= ", "", 1, true},
    {"<", " < ", "", 1, true},
    {"<=", " <= ", "", 1, true},
    {"between", " BETWEEN ", "", 2, true},
};

static const struct table {
  const char *name, *id, *held;
} tables[STORE_CLASSES] = {[STORE_ALERTS] = {"alerts", "name", HELD_ALERT},
                           [STORE_EVIDENCE] = {"alert_evidence", "rowid", HELD_EVIDENCE},
                           [STORE_RECORDS] = {"interactions", "id", HELD_RECORD}};

/* ---- filters ---------------------------------------------------------------------------------------------------- */

/* Filters on their way to SQL. */
struct filters {
  struct vdt_arena *arena;
  struct json_doc doc;
  struct buf sql;
  struct value {
    enum kind kind;
    struct str text;
    uint64_t us;
  } * values;
  size_t n_values;
};

#define wrong(err, ...) error_set(err, VDT_ESYNTAX, __VA_ARGS__)

static const struct column *find_column(enum store_class of, const struct json_doc *doc, uint32_t node)
{
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
    if (columns[i].of == of && json_string_is(doc, node, columns[i].name)) return &columns[i];
  return NULL;
}

static const struct operator* find_operator(const struct json_doc *doc, uint32_t node)
{
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
    if (json_string_is(doc, node, operators[i].name)) return &operators[i];
  return NULL;
}

static int add_value(struct filters *f, const struct column *c, uint32_t node, struct vdt_error *err)
{
  struct value v = {.kind = c->kind};
  if (!json_is(&f->doc, node, JSON_STRING)) return wrong(err, "the value for %s is to be a string", c->name);
  if (f->n_values == VALUES_MAX) return wrong(err, "more than %d values", VALUES_MAX);
  if (!json_string(&f->doc, node, f->arena, &v.text)) return error_set(err, VDT_ENOMEM, "out of memory");
  if (c->kind == TIME && !(v.us = clock_parse(v.text.p, v.text.n)))
    return wrong(err, "the value for %s is to be a time such as 2026-11-25T15:46:15Z", c->name);
  f->values[f->n_values++] = v;
  return VDT_OK;
}

static int add_values(struct filters *f, const struct column *c, const struct operator* o, uint32_t value, struct vdt_error *err)
{
  bool many = o->count != 1;
  const char *between = o->count == 2 ? " AND " : ", ";
  if (!many) {
    BUF_LIT(&f->sql, "?");
    return add_value(f, c, value, err);
  }
  if (!json_is(&f->doc, value, JSON_ARRAY) || !json_first(&f->doc, value) || (o->count && f->doc.nodes[value].count != o->count))
    return wrong(err, "the value for %s is to be a list, of two for between", c->name);
  int rc = VDT_OK;
  for (uint32_t i = json_first(&f->doc, value); !rc && i; i = json_next(&f->doc, value, i)) {
    buf_printf(&f->sql, "%s?", i == json_first(&f->doc, value) ? "" : between);
    rc = add_value(f, c, i, err);
  }
  return rc;
}

static int add_filter(struct filters *f, enum store_class of, uint32_t node, struct vdt_error *err)
{
  if (!json_is(&f->doc, node, JSON_OBJECT)) return wrong(err, "a filter is an object with column, operator and value");
  const struct column *c = find_column(of, &f->doc, json_get(&f->doc, node, "column"));
  const struct operator* o = find_operator(&f->doc, json_get(&f->doc, node, "operator"));
  if (json_get(&f->doc, node, "key")) return wrong(err, "key: no column here has parts");
  if (!c) return wrong(err, "%s has no such column to purge by", store_class_info(of)->name);
  if (!o) return wrong(err, "the operators are ==, =~, in, in~, >, >=, <, <= and between");
  if (o->times_only && c->kind != TIME) return wrong(err, "%s is text: it is compared with ==, =~, in or in~", c->name);
  if (!o->times_only && c->kind == TIME) return wrong(err, "%s is a time: it is compared with >, >=, <, <= or between", c->name);
  buf_printf(&f->sql, "%s%s%s", f->sql.n ? " AND " : "", c->sql, o->before);
  int rc = add_values(f, c, o, json_get(&f->doc, node, "value"), err);
  buf_printf(&f->sql, "%s", o->after);
  return rc;
}

static int read_filters(struct filters *f, enum store_class of, struct str text, struct vdt_error *err)
{
  int rc = json_parse(f->arena, text, &(struct json_limits){4, 16384}, &f->doc, err);
  if (rc) return rc;
  if (f->doc.nodes[0].type != JSON_ARRAY || !f->doc.nodes[0].count || f->doc.nodes[0].count > FILTERS_MAX)
    return wrong(err, "filters is to be a list of one to eight filters; nothing is purged without one");
  if (!(f->values = arena_zalloc(f->arena, VALUES_MAX, sizeof *f->values))) return error_set(err, VDT_ENOMEM, "out of memory");
  for (uint32_t i = json_first(&f->doc, 0); !rc && i; i = json_next(&f->doc, 0, i)) rc = add_filter(f, of, i, err);
  return rc || !f->sql.failed ? rc : error_set(err, VDT_ENOMEM, "out of memory");
}

int store_purge_check(enum store_class of, struct str filters, struct vdt_arena *arena, struct vdt_error *err)
{
  struct filters f = {.arena = arena};
  if (of >= STORE_CLASSES || !tables[of].name) return wrong(err, "only alerts, evidence and records can be purged");
  int rc = read_filters(&f, of, filters, err);
  buf_finish(&f.sql);
  return rc;
}

void store_purge_new_id(char out[STORE_PURGE_ID + 1])
{
  unsigned char r[16];
  randombytes_buf(r, sizeof r);
  r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
  r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
  snprintf(out, STORE_PURGE_ID + 1, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1], r[2],
           r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15]);
}

static void bind_values(const struct filters *f, sqlite3_stmt *q)
{
  for (size_t i = 0; i < f->n_values; i++) {
    if (f->values[i].kind == TIME) sqlite_bind_u64(q, (int)i + 1, f->values[i].us);
    else sqlite_bind_str(q, (int)i + 1, f->values[i].text);
  }
}

/* "SELECT what FROM the class's table WHERE the filters and held or not", bound. */
static int prepare(struct sqlite_store *s, const struct filters *f, enum store_class of, const char *what, bool held,
                   unsigned limit, sqlite3_stmt **q, struct vdt_error *err)
{
  struct buf sql = {0};
  buf_printf(&sql, "SELECT %s FROM %s WHERE ", what, tables[of].name);
  buf_put(&sql, buf_str(&f->sql));
  buf_printf(&sql, " AND %s%s LIMIT %u", held ? "" : "NOT ", tables[of].held, limit);
  int code = sql.failed ? SQLITE_NOMEM : sqlite3_prepare_v2(s->db, sql.p, (int)sql.n, q, NULL);
  buf_finish(&sql);
  if (code != SQLITE_OK) return sqlite_error(s, code, err);
  bind_values(f, *q);
  return VDT_OK;
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

/* The audit says by what was asked, never for what: it outlives what goes. */
static void describe(const struct store_purge *p, const struct filters *f, struct buf *out)
{
  buf_printf(out, "%s by", store_class_info(p->of)->name);
  for (uint32_t i = json_first(&f->doc, 0); i; i = json_next(&f->doc, 0, i)) {
    const struct column *c = find_column(p->of, &f->doc, json_get(&f->doc, i, "column"));
    const struct operator* o = find_operator(&f->doc, json_get(&f->doc, i, "operator"));
    if (c && o) buf_printf(out, "%s %s %s", i == 1 ? "" : ",", c->name, o->name);
  }
}

struct request {
  const struct store_purge *p;
  struct str detail;
};

static int write_request(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  const struct request *r = ctx;
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_PURGE_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, str_of(r->p->id));
  sqlite_bind_str(q, 2, str_of(store_class_info(r->p->of)->name));
  sqlite_bind_str(q, 3, r->p->filters);
  sqlite_bind_str(q, 4, r->p->who);
  sqlite_bind_u64(q, 5, r->p->requested_us);
  if ((rc = sqlite_run(s, q, err))) return rc;
  struct store_audit a = {.time_us = r->p->requested_us,
                          .who = r->p->who,
                          .what = STR("purge requested"),
                          .target = str_of(r->p->id),
                          .detail = r->detail};
  return sqlite_append_audit(s, &a, err);
}

int sqlite_put_purge(struct store *base, const struct store_purge *p, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct buf detail = {0};
  vdt_arena_reset(s->arena);
  struct filters f = {.arena = s->arena};
  int rc = store_purge_check(p->of, p->filters, s->arena, err) ? VDT_EINVAL : read_filters(&f, p->of, p->filters, err);
  if (!rc) describe(p, &f, &detail);
  struct request r = {p, buf_str(&detail)};
  if (!rc) rc = detail.failed ? error_set(err, VDT_ENOMEM, "out of memory") : sqlite_within(s, write_request, &r, err);
  buf_finish(&detail);
  buf_finish(&f.sql);
  return rc;
}

int sqlite_get_purge(struct store *base, struct str id, struct vdt_arena *arena, struct store_purge *out, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc;
  bool failed = false;
  sqlite3_stmt *q = sqlite_statement(s, SQL_PURGE_GET, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, id);
  int code = sqlite3_step(q);
  *out = (struct store_purge){0};
  if (code == SQLITE_ROW) {
    struct str got = sqlite_str(q, 0, arena, &failed), class = sqlite_str(q, 1, arena, &failed);
    if (got.n == STORE_PURGE_ID) memcpy(out->id, got.p, got.n);
    out->of = store_class_find(class);
    out->filters = sqlite_str(q, 2, arena, &failed);
    out->who = sqlite_str(q, 3, arena, &failed);
    uint64_t *numbers[] = {&out->requested_us, &out->finished_us, &out->removed, &out->held};
    for (int i = 0; i < 4; i++) *numbers[i] = sqlite_u64(q, 4 + i);
  } else {
    rc = code == SQLITE_DONE ? error_set(err, VDT_ENOTFOUND, "there is no such purge") : sqlite_error(s, code, err);
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  sqlite3_reset(q);
  return rc;
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

/* The purge that is under way. A step that finds nothing more counts as one look: two in a row end it, the second after the caller has seen to it that
 * what was on its way into the store when the request came has arrived. */
struct purging {
  char id[STORE_PURGE_ID + 1];
  enum store_class of;
  struct str filters;
  uint64_t step, removed, held;
  unsigned limit;
  bool settled, found;
};

static int next_purge(struct sqlite_store *s, struct purging *p, struct vdt_error *err)
{
  int rc;
  bool failed = false;
  sqlite3_stmt *q = sqlite_statement(s, SQL_PURGE_NEXT, &rc, err);
  if (!q) return rc;
  int code = sqlite3_step(q);
  p->found = code == SQLITE_ROW;
  if (p->found) {
    snprintf(p->id, sizeof p->id, "%s", (const char *)sqlite3_column_text(q, 0));
    p->of = store_class_find(sqlite_str(q, 1, s->arena, &failed));
    p->filters = sqlite_str(q, 2, s->arena, &failed);
    p->step = sqlite_u64(q, 3);
  } else if (code != SQLITE_DONE) {
    rc = sqlite_error(s, code, err);
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  sqlite3_reset(q);
  return rc;
}

static int count_held(struct sqlite_store *s, const struct filters *f, struct purging *p, struct vdt_error *err)
{
  sqlite3_stmt *q = NULL;
  int rc = prepare(s, f, p->of, "count(*)", true, 1, &q, err);
  if (rc) return rc;
  int code = sqlite3_step(q);
  if (code == SQLITE_ROW) p->held = sqlite_u64(q, 0);
  else rc = sqlite_error(s, code, err);
  sqlite3_finalize(q);
  return rc;
}

/* Counts of users of whom no record is left, and what is left of evidence that went. */
static int remove_beside(struct sqlite_store *s, const struct purging *p, struct vdt_error *err)
{
  int rc;
  if (p->of != STORE_RECORDS) return sqlite_drop_orphans(s, NULL, err);
  sqlite3_stmt *q = sqlite_statement(s, SQL_USE_OF_NOBODY, &rc, err);
  return q ? sqlite_run(s, q, err) : rc;
}

static int remove_some(struct sqlite_store *s, struct purging *p, struct vdt_error *err)
{
  struct filters f = {.arena = s->arena};
  sqlite3_stmt *q = NULL;
  if (p->of >= STORE_CLASSES || !tables[p->of].name || read_filters(&f, p->of, p->filters, err)) {
    p->step = 2; /* written by somebody else: it removes nothing, and holds up nobody */
    return buf_finish(&f.sql), VDT_OK;
  }
  int rc = prepare(s, &f, p->of, tables[p->of].id, false, p->limit, &q, err);
  if (!rc) rc = sqlite_remove(s, p->of, q, &p->removed, err);
  sqlite3_finalize(q);
  if (!rc && p->removed) rc = sqlite_note_removed(s, p->of, false, p->removed, clock_unix_us(), err);
  bool ends = !p->removed && p->step == 1 && p->settled;
  if (!rc && ends) rc = count_held(s, &f, p, err);
  if (!rc && ends) rc = remove_beside(s, p, err);
  buf_finish(&f.sql);
  p->step = p->removed ? 0 : ends ? 2 : 1;
  return rc;
}

static int write_step(struct sqlite_store *s, const struct purging *p, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_PURGE_STEP, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, str_of(p->id));
  sqlite_bind_u64(q, 2, p->removed);
  sqlite_bind_u64(q, 3, p->held);
  sqlite_bind_u64(q, 4, p->step);
  if ((rc = sqlite_run(s, q, err)) || p->step < 2) return rc;
  if (!(q = sqlite_statement(s, SQL_PURGE_FORGET_FILTERS, &rc, err))) return rc;
  sqlite_bind_str(q, 1, str_of(p->id));
  return sqlite_run(s, q, err);
}

static int purge_step(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  struct purging *p = ctx;
  int rc = next_purge(s, p, err);
  if (rc || !p->found) return rc;
  rc = remove_some(s, p, err);
  if (!rc) rc = write_step(s, p, err);
  return rc ? rc : sqlite_want_scrub(s, SQLITE_SCRUB_PURGED, err);
}

int sqlite_purge(struct store *base, unsigned limit, bool settled, enum store_purge_step *did, struct vdt_error *err)
{
  struct purging p = {.limit = limit, .settled = settled};
  struct sqlite_store *s = sqlite_of(base);
  vdt_arena_reset(s->arena);
  int rc = sqlite_within(s, purge_step, &p, err);
  *did = rc || !p.found ? STORE_PURGE_NONE : p.step == 1 ? STORE_PURGE_LOOKED : STORE_PURGE_SOME;
  return rc;
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

struct finishing {
  char id[STORE_PURGE_ID + 1];
  uint64_t now_us;
  bool found;
};

static int audit_end(struct sqlite_store *s, const struct finishing *f, const char *class, uint64_t removed, uint64_t held,
                     struct vdt_error *err)
{
  char detail[128];
  int n = snprintf(detail, sizeof detail, "%.20s: %llu removed, %llu kept by legal holds", class, (unsigned long long)removed,
                   (unsigned long long)held);
  struct store_audit a = {.time_us = f->now_us,
                          .who = STR("vedette retention"),
                          .what = STR("purge finished"),
                          .target = str_of(f->id),
                          .detail = {detail, (size_t)n}};
  return sqlite_append_audit(s, &a, err);
}

static int finish_one(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  struct finishing *f = ctx;
  char class[21];
  uint64_t removed = 0, held = 0;
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_PURGE_DONE, &rc, err);
  if (!q) return rc;
  int code = sqlite3_step(q);
  f->found = code == SQLITE_ROW;
  if (f->found) {
    snprintf(f->id, sizeof f->id, "%s", (const char *)sqlite3_column_text(q, 0));
    snprintf(class, sizeof class, "%s", (const char *)sqlite3_column_text(q, 1));
    removed = sqlite_u64(q, 3);
    held = sqlite_u64(q, 4);
  } else if (code != SQLITE_DONE) {
    rc = sqlite_error(s, code, err);
  }
  sqlite3_reset(q);
  if (rc || !f->found) return rc;
  if (!(q = sqlite_statement(s, SQL_PURGE_FINISH, &rc, err))) return rc;
  sqlite_bind_str(q, 1, str_of(f->id));
  sqlite_bind_u64(q, 2, f->now_us);
  rc = sqlite_run(s, q, err);
  return rc ? rc : audit_end(s, f, class, removed, held, err);
}

int sqlite_finish_purges(struct store *base, uint64_t now_us, struct vdt_error *err)
{
  struct finishing f = {.now_us = now_us};
  int rc = VDT_OK;
  do rc = sqlite_within(sqlite_of(base), finish_one, &f, err);
  while (!rc && f.found);
  return rc;
}

int sqlite_purged_since(struct store *base, uint64_t since_us, bool out[STORE_CLASSES], struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code;
  sqlite3_stmt *q = sqlite_statement(s, SQL_PURGED_SINCE, &rc, err);
  memset(out, 0, STORE_CLASSES * sizeof *out);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, since_us);
  while ((code = sqlite3_step(q)) == SQLITE_ROW) {
    const char *class = (const char *)sqlite3_column_text(q, 0);
    enum store_class of = store_class_find(str_of(class));
    if (of < STORE_CLASSES) out[of] = true;
  }
  if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}
