/*
 * The SQLite store: numbers for an overview. Traffic is counted per five minutes and deployment when a record is stored, in its transaction, so that a
 * month of a busy gateway is thousands of rows and not millions. Alerts are counted in one pass over their index. Names and numbers only.
 */
#include "base/error.h"
#include "store/columns.h"
#include "store/sqlite.h"

/* ---- traffic ---------------------------------------------------------------------------------------------------- */

int sqlite_count_traffic(struct sqlite_store *s, const struct record *r, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_TRAFFIC_ADD, &rc, err);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, r->time_us);
  sqlite_bind_str(q, 2, r->deployment);
  sqlite_bind_u64(q, 3, r->total_tokens);
  sqlite_bind_str(q, 4, str_of(record_verdict_name(r->verdict)));
  sqlite_bind_u64(q, 5, r->status);
  return sqlite_run(s, q, err);
}

int sqlite_uncount_traffic(struct sqlite_store *s, struct str id, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_TRAFFIC_TAKE, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, id);
  return sqlite_run(s, q, err);
}

int sqlite_traffic(struct store *base, uint64_t from_us, uint64_t to_us, store_traffic_fn *each, void *ctx, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code;
  sqlite3_stmt *q = sqlite_statement(s, SQL_TRAFFIC_LIST, &rc, err);
  if (!q) return rc;
  sqlite_bind_u64(q, 1, from_us);
  sqlite_bind_u64(q, 2, to_us);
  while ((code = sqlite3_step(q)) == SQLITE_ROW) {
    struct store_traffic t = {sqlite_u64(q, 0), {(const char *)sqlite3_column_text(q, 1), (size_t)sqlite3_column_bytes(q, 1)},
                              sqlite_u64(q, 2), sqlite_u64(q, 3),
                              sqlite_u64(q, 4), sqlite_u64(q, 5),
                              sqlite_u64(q, 6), sqlite_u64(q, 7),
                              sqlite_u64(q, 8), sqlite_u64(q, 9)};
    each(ctx, &t);
  }
  if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}

/* ---- names and how often ---------------------------------------------------------------------------------------- */

/* A table of names, open addressing. Beyond NAMES_MAX new names are not counted: an attacker who makes up users must not fill the memory. */
enum { NAMES_FIRST = 1024, NAMES_MAX = 1 << 18 };
struct names {
  struct store_named_count *slots;
  size_t n, cap;
  struct vdt_arena *arena;
};

static uint64_t hash_of(struct str s)
{
  uint64_t h = str_hash(s);
  return h ^ h >> 29;
}

static struct store_named_count *slot_of(const struct names *t, struct str name)
{
  size_t at = (size_t)hash_of(name) & (t->cap - 1);
  while (t->slots[at].name.p && !str_eq(t->slots[at].name, name)) at = (at + 1) & (t->cap - 1);
  return &t->slots[at];
}

static bool grow(struct names *t)
{
  struct names bigger = {.n = t->n, .cap = t->cap ? t->cap * 2 : NAMES_FIRST, .arena = t->arena};
  bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
  if (!bigger.slots) return false;
  for (size_t i = 0; i < t->cap; i++)
    if (t->slots[i].name.p) *slot_of(&bigger, t->slots[i].name) = t->slots[i];
  free(t->slots);
  *t = bigger;
  return true;
}

static bool count_name(struct names *t, struct str name)
{
  if (!name.n) return true;
  if (t->n * 2 >= t->cap && !grow(t)) return false;
  struct store_named_count *slot = slot_of(t, name);
  if (!slot->name.p && t->n == NAMES_MAX) return true;
  if (!slot->name.p) {
    slot->name = arena_dup(t->arena, name);
    if (!slot->name.p) return false;
    t->n++;
  }
  slot->n++;
  return true;
}

static int most_first(const void *x, const void *y)
{
  const struct store_named_count *a = x, *b = y;
  if (a->n != b->n) return a->n > b->n ? -1 : 1;
  if (!a->name.p || !b->name.p) return (a->name.p == NULL) - (b->name.p == NULL);
  int order = memcmp(a->name.p, b->name.p, a->name.n < b->name.n ? a->name.n : b->name.n);
  return order ? order : (a->name.n > b->name.n) - (a->name.n < b->name.n);
}

static size_t take_most(struct names *t, struct store_named_count out[STORE_TOP_MAX])
{
  size_t n = t->n < STORE_TOP_MAX ? t->n : STORE_TOP_MAX;
  if (t->cap) qsort(t->slots, t->cap, sizeof *t->slots, most_first);
  if (n) memcpy(out, t->slots, n * sizeof *out);
  return n;
}

/* ---- alerts ----------------------------------------------------------------------------------------------------- */

static bool count_alert(sqlite3_stmt *q, struct names tables[STORE_TOPS], struct store_alert_counts *out)
{
  uint64_t status = sqlite_u64(q, 0), severity = sqlite_u64(q, 1);
  bool ok = true;
  if (status <= ALERT_IN_PROGRESS && severity <= VDT_HIGH) out->open[severity]++;
  if (!sqlite_u64(q, 2)) return true;
  out->within++;
  for (int i = 0; ok && i < STORE_TOPS; i++) {
    struct str name = {(const char *)sqlite3_column_text(q, 3 + i), (size_t)sqlite3_column_bytes(q, 3 + i)};
    ok = count_name(&tables[i], name);
  }
  return ok;
}

int sqlite_counts(struct store *base, uint64_t from_us, uint64_t to_us, struct vdt_arena *arena, struct store_alert_counts *out,
                  struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct names tables[STORE_TOPS] = {{.arena = arena}, {.arena = arena}, {.arena = arena}};
  char ticks[ALERT_TICKS_LEN + 1];
  int rc, code;
  bool ok = true;
  *out = (struct store_alert_counts){0};
  sqlite3_stmt *q = sqlite_statement(s, SQL_SCAN_COUNTS, &rc, err);
  if (!q) return rc;
  alert_ticks(to_us, ticks);
  sqlite_bind_u64(q, 1, from_us);
  sqlite_bind_str(q, 2, str_of(ticks));
  while ((code = sqlite3_step(q)) == SQLITE_ROW && (ok = count_alert(q, tables, out))) continue;
  if (!ok) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  for (int i = 0; i < STORE_TOPS; i++) {
    if (!rc) out->n[i] = take_most(&tables[i], out->top[i]);
    free(tables[i].slots);
  }
  return rc;
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

int sqlite_hits(struct store *base, uint64_t since_us, struct vdt_arena *arena, struct store_hits **out, size_t *n,
                struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct store_hits *list = NULL;
  size_t cap = 0;
  bool failed = false;
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_RULE_HITS, &rc, err);
  *n = 0;
  if (!q) return rc;
  sqlite_bind_u64(q, 1, since_us);
  sqlite_bind_u64(q, 2, STORE_HITS_ROWS);
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct store_hits *p = arena_grow(arena, list, *n, &cap, 64, sizeof *p);
    if ((failed = !p)) break;
    list = p;
    list[(*n)++] = (struct store_hits){sqlite_str(q, 0, arena, &failed), sqlite_u64(q, 1), sqlite_u64(q, 2)};
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  *out = list;
  return rc;
}
