/*
 * The SQLite store: what was removed, for who has to answer for it later: rows per day, class and cause, and one entry of the audit log per run of
 * expiry that removed anything. Both outlive what they count, so neither has a name, a time of an interaction or a text in it.
 *
 * A run is many short transactions, and may be cut off between any two. What it removed so far is in meta until a call finds nothing more; then the
 * entry takes its place in one transaction. So no removal is without an entry, and none is told twice.
 */
#include "base/clock.h"
#include "base/error.h"
#include "store/sqlite.h"
#include <inttypes.h>
#include <stdio.h>

#define EXPIRY_RUN "expiry_run"
enum { RUN_TEXT = STORE_CLASSES * 21 + 1 };

static void read_run(const char *text, uint64_t run[STORE_CLASSES])
{
  for (unsigned c = 0; c < STORE_CLASSES; c++) {
    size_t n = strcspn(text, " ");
    if (!str_u64((struct str){text, n}, &run[c])) run[c] = 0;
    text += n;
    text += *text == ' ';
  }
}

static int add_to_run(struct sqlite_store *s, enum store_class of, uint64_t rows, struct vdt_error *err)
{
  char text[RUN_TEXT];
  uint64_t run[STORE_CLASSES];
  int at = 0, rc = sqlite_get_meta(s, EXPIRY_RUN, text, sizeof text, err);
  if (rc) return rc;
  read_run(text, run);
  run[of] += rows;
  for (unsigned c = 0; c < STORE_CLASSES; c++)
    at += snprintf(text + at, sizeof text - (size_t)at, "%s%" PRIu64, c ? " " : "", run[c]);
  return sqlite_put_meta(s, EXPIRY_RUN, text, err);
}

/* What the audit log lost is in an entry already, written when it was cut. */
int sqlite_note_removed(struct sqlite_store *s, enum store_class of, bool expired, uint64_t rows, uint64_t now_us,
                        struct vdt_error *err)
{
  char day[CLOCK_TEXT];
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_REMOVAL_PUT, &rc, err);
  if (!q) return rc;
  clock_format(now_us, day);
  sqlite_bind_str(q, 1, (struct str){day, 10});
  sqlite_bind_str(q, 2, str_of(store_class_info(of)->name));
  sqlite_bind_str(q, 3, expired ? STR("expiry") : STR("purge"));
  sqlite_bind_u64(q, 4, rows);
  rc = sqlite_run(s, q, err);
  return rc || !expired || of == STORE_AUDIT ? rc : add_to_run(s, of, rows, err);
}

static int audit_run(struct sqlite_store *s, uint64_t now_us, const char *text, struct vdt_error *err)
{
  uint64_t run[STORE_CLASSES];
  struct buf detail = {0};
  read_run(text, run);
  for (unsigned c = 0; c < STORE_CLASSES; c++)
    if (run[c])
      buf_printf(&detail, "%s%s: %" PRIu64 " removed", detail.n ? ", " : "", store_class_info((enum store_class)c)->name, run[c]);
  struct store_audit a = {.time_us = now_us,
                          .who = STR("vedette retention"),
                          .what = STR("data expired"),
                          .target = str_of(s->name),
                          .detail = buf_str(&detail)};
  int rc = detail.failed ? error_set(err, VDT_ENOMEM, "out of memory") : sqlite_append_audit(s, &a, err);
  buf_finish(&detail);
  return rc;
}

static int end_run(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  char text[RUN_TEXT];
  int rc = sqlite_get_meta(s, EXPIRY_RUN, text, sizeof text, err);
  if (rc || !text[0]) return rc;
  if ((rc = audit_run(s, *(uint64_t *)ctx, text, err))) return rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_META_DROP, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, STR(EXPIRY_RUN));
  sqlite_bind_str(q, 2, str_of(text));
  return sqlite_run(s, q, err);
}

/* Most calls have no run to end: they do not ask for the lock of a writer. */
int sqlite_end_expiry(struct sqlite_store *s, uint64_t now_us, struct vdt_error *err)
{
  char text[RUN_TEXT];
  int rc = sqlite_get_meta(s, EXPIRY_RUN, text, sizeof text, err);
  return rc || !text[0] ? rc : sqlite_within(s, end_run, &now_us, err);
}

int sqlite_list_removals(struct store *base, struct vdt_arena *arena, struct store_removal **out, size_t *n,
                         struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct store_removal *all = NULL, *p;
  size_t cap = 0;
  bool failed = false;
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_REMOVAL_LIST, &rc, err);
  *n = 0;
  if (!q) return rc;
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    if (!(p = arena_grow(arena, all, *n, &cap, 16, sizeof *p))) failed = true;
    else all = p;
    if (failed) break;
    all[(*n)++] = (struct store_removal){.day = sqlite_str(q, 0, arena, &failed),
                                         .class = sqlite_str(q, 1, arena, &failed),
                                         .cause = sqlite_str(q, 2, arena, &failed),
                                         .rows = sqlite_u64(q, 3)};
  }
  *out = all;
  sqlite3_reset(q);
  if (failed) return error_set(err, VDT_ENOMEM, "out of memory");
  return code == SQLITE_DONE ? VDT_OK : sqlite_error(s, code, err);
}
