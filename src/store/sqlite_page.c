/*
 * The SQLite store: alerts page by page, filtered and sorted. Everything that filters and sorts is in one index that covers it (alerts_scan): a
 * filter that nothing meets reads that index once, a quarter of the table's bytes, and needs no index of its own. Writes nothing.
 */
#include "base/error.h"
#include "store/columns.h"
#include "store/sqlite.h"

enum sort_kind { NAME, NUMBER, TEXT };
static const struct {
  const char *name;
  enum sort_kind kind;
  enum statement statement;
} sorts[] = {
#define X(id, name, kind, statement) {name, kind, statement},
#include "store/sorts.def"
#undef X
};
enum store_sort store_sort_find(struct str name)
{
  unsigned i = 0;
  while (i < STORE_SORTS && !str_ieq(name, str_of(sorts[i].name))) i++;
  return (enum store_sort)i;
}

int64_t store_sort_key(enum store_sort sort, const struct alert *a, struct str *text)
{
  *text = (struct str){0};
  switch (sort) {
  case STORE_BY_END: return (int64_t)a->end_us;
  case STORE_BY_SEVERITY: return (int64_t)a->severity;
  case STORE_BY_COUNT: return (int64_t)a->count;
  case STORE_BY_CONFIDENCE: return a->confidence;
  case STORE_BY_STATUS: return (int64_t)a->status;
  case STORE_BY_TYPE: *text = str_of(alert_info(a->type)->type); return 0;
  case STORE_BY_DEPLOYMENT: *text = a->x.deployment; return 0;
  case STORE_BY_APPLICATION: *text = a->x.application; return 0;
  case STORE_BY_USER: *text = a->x.end_user; return 0;
  default: return 0;
  }
}

/* "%text%" for LIKE, with '!' before what LIKE reads as more than itself. False: out of memory. */
static bool pattern_of(struct str text, struct buf *out)
{
  if (!text.n) return true;
  buf_byte(out, '%');
  for (size_t i = 0; i < text.n; i++) {
    if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '!') buf_byte(out, '!');
    buf_byte(out, text.p[i]);
  }
  buf_byte(out, '%');
  return !out->failed;
}

/* A page's place among the names: behind `above`, before `below`. */
static void bind_filter(sqlite3_stmt *q, const struct store_filter *f, struct str above, struct str below, struct str pattern)
{
  sqlite_bind_str(q, 1, above);
  sqlite_bind_str(q, 2, below.n ? below : STR("~"));
  sqlite_bind_u64(q, 3, f->statuses ? f->statuses : ~0u);
  sqlite_bind_u64(q, 4, f->severities ? f->severities : ~0u);
  const struct str lists[] = {f->types, f->deployments, f->applications, f->users};
  for (int i = 0; i < 4; i++) sqlite_bind_str(q, 5 + i, lists[i]);
  sqlite_bind_u64(q, 9, f->from_us);
  sqlite_bind_str(q, 10, pattern);
}

/* Names of alerts that begin not after to_us are above this; in the caller's memory. */
static struct str bound_of(const struct store_filter *f, char ticks[ALERT_TICKS_LEN + 1])
{
  if (!f->to_us) return (struct str){0};
  alert_ticks(f->to_us, ticks);
  return (struct str){ticks, ALERT_TICKS_LEN};
}

static struct str larger(struct str a, struct str b)
{
  int order = memcmp(a.n ? a.p : "", b.n ? b.p : "", a.n < b.n ? a.n : b.n);
  return order > 0 || (order == 0 && a.n > b.n) ? a : b;
}

static int read_page(struct sqlite_store *s, sqlite3_stmt *q, size_t limit, struct vdt_arena *arena, struct alert *out, size_t *n,
                     struct vdt_error *err)
{
  bool failed = false;
  int code = SQLITE_DONE;
  while (!failed && *n < limit && (code = sqlite3_step(q)) == SQLITE_ROW)
    if (sqlite_read_alert(&s->base, q, arena, &out[*n], &failed)) ++*n;
  if (failed) return error_set(err, VDT_ENOMEM, "out of memory");
  return code == SQLITE_DONE || code == SQLITE_ROW ? VDT_OK : sqlite_error(s, code, err);
}

/* The order of the names: the index gives it, and reading ends with the page. */
static int page_by_start(struct sqlite_store *s, const struct store_page *p, struct str bound, struct str pattern,
                         struct vdt_arena *arena, struct alert *out, size_t *n, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, p->descending ? SQL_PAGE_NEWEST : SQL_PAGE_OLDEST, &rc, err);
  if (!q) return rc;
  bind_filter(q, &p->filter, p->descending ? larger(bound, p->after) : bound, p->descending ? (struct str){0} : p->after,
              pattern);
  sqlite_bind_u64(q, 11, p->limit);
  rc = read_page(s, q, p->limit, arena, out, n, err);
  sqlite3_reset(q);
  return rc;
}

static int page_by_key(struct sqlite_store *s, const struct store_page *p, struct str bound, struct str pattern,
                       struct vdt_arena *arena, struct alert *out, size_t *n, uint64_t *total, struct vdt_error *err)
{
  size_t found = 0;
  int rc;
  char(*names)[ALERT_NAME_LEN + 1] = arena_zalloc(arena, p->limit + 1, sizeof *names);
  sqlite3_stmt *q = sqlite_statement(s, sorts[p->sort].statement, &rc, err);
  if (!names) return error_set(err, VDT_ENOMEM, "out of memory");
  if (!q) return rc;
  bind_filter(q, &p->filter, bound, (struct str){0}, pattern);
  rc = sqlite_sort_page(s, q, p, sorts[p->sort].kind == TEXT, names, &found, total, err);
  for (size_t i = 0; !rc && i < found; i++) {
    rc = sqlite_get_row(s, (struct str){names[i], ALERT_NAME_LEN}, arena, &out[*n], err);
    if (!rc) ++*n;
    else if (rc == VDT_ENOTFOUND) rc = VDT_OK; /* of a type that this version does not know */
  }
  return rc;
}

static int run_plain(struct sqlite_store *s, enum statement which, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, which, &rc, err);
  return q ? sqlite_run(s, q, err) : rc;
}

/* Both statements see the same alerts, whatever is purged meanwhile: else a page would be short, and look like the last one. */
static int page_in_snapshot(struct sqlite_store *s, const struct store_page *p, struct str bound, struct str pattern,
                            struct vdt_arena *arena, struct alert *out, size_t *n, uint64_t *total, struct vdt_error *err)
{
  if (!sqlite3_get_autocommit(s->db)) return page_by_key(s, p, bound, pattern, arena, out, n, total, err);
  int rc = run_plain(s, SQL_SNAPSHOT, err);
  if (rc) return rc;
  rc = page_by_key(s, p, bound, pattern, arena, out, n, total, err);
  int ended = run_plain(s, SQL_COMMIT, err);
  return rc ? rc : ended;
}

int sqlite_page(struct store *base, const struct store_page *p, struct vdt_arena *arena, struct alert **out, size_t *n,
                uint64_t *total, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  char ticks[ALERT_TICKS_LEN + 1];
  struct buf pattern = {0};
  struct str bound = bound_of(&p->filter, ticks);
  int rc = VDT_OK;
  *n = 0;
  *total = UINT64_MAX;
  *out = arena_zalloc(arena, p->limit + 1, sizeof **out);
  if (!*out || !pattern_of(p->filter.text, &pattern)) rc = error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc && p->sort == STORE_BY_START) rc = page_by_start(s, p, bound, buf_str(&pattern), arena, *out, n, err);
  else if (!rc) rc = page_in_snapshot(s, p, bound, buf_str(&pattern), arena, *out, n, total, err);
  if (p->sort == STORE_BY_START && *n < p->limit && !p->after.n) *total = *n;
  buf_finish(&pattern);
  return rc;
}

int sqlite_tally(struct store *base, const struct store_filter *f, struct str after, uint64_t most, uint64_t *n,
                 struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  char ticks[ALERT_TICKS_LEN + 1];
  struct buf pattern = {0};
  int rc;
  *n = 0;
  sqlite3_stmt *q = sqlite_statement(s, SQL_PAGE_TALLY, &rc, err);
  if (!q) return rc;
  if (!pattern_of(f->text, &pattern)) rc = error_set(err, VDT_ENOMEM, "out of memory");
  bind_filter(q, f, larger(bound_of(f, ticks), after), (struct str){0}, buf_str(&pattern));
  sqlite_bind_u64(q, 11, most);
  int code = rc ? SQLITE_DONE : sqlite3_step(q);
  if (code == SQLITE_ROW) *n = sqlite_u64(q, 0);
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  buf_finish(&pattern);
  return rc;
}

int sqlite_set_severities(struct sqlite_store *s, struct vdt_error *err)
{
  int rc = VDT_OK;
  for (unsigned t = 0; !rc && t < ALERT_TYPES; t++) {
    sqlite3_stmt *q = sqlite_statement(s, SQL_SEVERITY_SET, &rc, err);
    if (!q) break;
    sqlite_bind_str(q, 1, str_of(alert_info((enum alert_type)t)->type));
    sqlite_bind_u64(q, 2, alert_info((enum alert_type)t)->severity);
    rc = sqlite_run(s, q, err);
  }
  return rc;
}
