/* The SQLite store: how long things are kept, legal holds, and removing what is older. What a hold covers is in held.h. */
#include "base/error.h"
#include "store/sqlite.h"
#include <stdio.h>
#include <stdlib.h>

enum { EVERY_DAY = 100000000 }; /* a day that is later than any; in microseconds it still is a number */

static const struct store_class_info classes[STORE_CLASSES] = {
#define X(id, name, table, days, text) {name, table, text, days},
#include "store/classes.def"
#undef X
};

const struct store_class_info *store_class_info(enum store_class c)
{
  return &classes[c];
}

enum store_class store_class_find(struct str name)
{
  unsigned c = 0;
  while (c < STORE_CLASSES && !str_ieq(name, str_of(classes[c].name)) && !str_ieq(name, str_of(classes[c].table))) c++;
  return (enum store_class)c;
}

static const struct {
  char unit;
  uint64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
enum { UNITS = sizeof units / sizeof *units };

bool store_keep_read(struct str s, uint64_t *seconds)
{
  uint64_t n;
  if (str_eq(s, STR("forever"))) return *seconds = STORE_FOREVER, true;
  for (size_t i = 0; s.n && i < UNITS; i++) {
    if (s.p[s.n - 1] != units[i].unit || !str_u64(str_cut(s, 0, s.n - 1), &n) || n > STORE_KEEP_MAX) continue;
    *seconds = n * units[i].seconds;
    return *seconds >= STORE_KEEP_MIN && *seconds <= STORE_KEEP_MAX;
  }
  return false;
}

void store_keep_write(uint64_t seconds, char out[STORE_KEEP_TEXT])
{
  size_t i = 0;
  while (i + 1 < UNITS && seconds % units[i].seconds) i++;
  if (seconds == STORE_FOREVER) snprintf(out, STORE_KEEP_TEXT, "forever");
  else snprintf(out, STORE_KEEP_TEXT, "%llu%c", (unsigned long long)(seconds / units[i].seconds), units[i].unit);
}

bool store_hold_name_ok(struct str w)
{
  for (size_t i = 0; i < w.n; i++) {
    char c = w.p[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '-' && c != '_' && c != '.') return false;
  }
  return w.n > 0 && w.n < 64;
}

int sqlite_within(struct sqlite_store *s, int (*fn)(struct sqlite_store *s, void *ctx, struct vdt_error *err), void *ctx,
                  struct vdt_error *err)
{
  int rc = s->base.ops->begin(&s->base, err);
  if (rc) return rc;
  rc = fn(s, ctx, err);
  if (!rc) rc = s->base.ops->commit(&s->base, err);
  if (rc) s->base.ops->rollback(&s->base);
  return rc;
}

/* ---- how long --------------------------------------------------------------------------------------------------- */

struct keep_change {
  enum store_class of;
  enum store_origin origin;
  uint64_t seconds, now_us;
  struct str who;
};

static struct str class_name(enum store_class c)
{
  return c < STORE_CLASSES ? str_of(classes[c].name) : STR("");
}

static size_t keep_text(uint64_t seconds, char *out, size_t size)
{
  int n = seconds == STORE_INHERIT   ? snprintf(out, size, "as inherited")
          : seconds == STORE_FOREVER ? snprintf(out, size, "forever")
                                     : snprintf(out, size, "%llu s", (unsigned long long)seconds);
  return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static int audit_keep(struct sqlite_store *s, const struct keep_change *k, struct vdt_error *err)
{
  char detail[48];
  size_t n = keep_text(k->seconds, detail, sizeof detail);
  struct store_audit a = {.time_us = k->now_us,
                          .who = k->who,
                          .what = STR("retention set"),
                          .target = k->of < STORE_CLASSES ? class_name(k->of) : STR("workspace"),
                          .detail = {detail, n}};
  return sqlite_append_audit(s, &a, err);
}

static int change_keep(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  const struct keep_change *k = ctx;
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, k->seconds == STORE_INHERIT ? SQL_KEEP_DROP : SQL_KEEP_PUT, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, class_name(k->of));
  sqlite_bind_u64(q, 2, k->origin);
  if (k->seconds != STORE_INHERIT) sqlite_bind_u64(q, 3, k->seconds);
  rc = sqlite_run(s, q, err);
  return rc || k->origin == STORE_CONFIGURED ? rc : audit_keep(s, k, err);
}

int sqlite_set_keep(struct store *base, enum store_class c, enum store_origin origin, uint64_t seconds, struct str who,
                    uint64_t now_us, struct vdt_error *err)
{
  struct keep_change k = {c, origin, seconds, now_us, who};
  if (seconds != STORE_INHERIT && seconds != STORE_FOREVER && (seconds < STORE_KEEP_MIN || seconds > STORE_KEEP_MAX))
    return error_set(err, VDT_EINVAL, "kept for an hour at least and %d days at most, or forever", STORE_KEEP_MAX / 86400);
  return sqlite_within(sqlite_of(base), change_keep, &k, err);
}

static void take_keep(struct store_keeps *k, struct str class, uint64_t origin, uint64_t seconds)
{
  enum store_class c = store_class_find(class);
  if (seconds > INT64_MAX - 1) seconds = STORE_FOREVER; /* as it was bound */
  if (!class.n && origin == STORE_SET) k->workspace = seconds;
  else if (c < STORE_CLASSES) *(origin == STORE_SET ? &k->of[c].set : &k->of[c].configured) = seconds;
}

static void decide(struct store_keeps *k)
{
  for (unsigned c = 0; c < STORE_CLASSES; c++) {
    struct store_keep *one = &k->of[c];
    uint64_t workspace = c == STORE_AUDIT ? STORE_INHERIT : k->workspace;
    one->effective = one->set ? one->set : workspace ? workspace : one->configured;
    if (!one->effective) one->effective = (uint64_t)classes[c].days * 86400;
  }
}

int sqlite_get_keeps(struct store *base, struct store_keeps *out, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code;
  sqlite3_stmt *q = sqlite_statement(s, SQL_KEEP_LIST, &rc, err);
  *out = (struct store_keeps){0};
  if (!q) return rc;
  while ((code = sqlite3_step(q)) == SQLITE_ROW) {
    const char *class = (const char *)sqlite3_column_text(q, 0);
    take_keep(out, str_of(class), sqlite_u64(q, 1), sqlite_u64(q, 2));
  }
  if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  decide(out);
  return rc;
}

/* ---- holds ------------------------------------------------------------------------------------------------------ */

static int write_hold(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  const struct store_hold *h = ctx;
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_HOLD_PUT, &rc, err);
  if (!q) return rc;
  const struct str texts[] = {h->name, h->end_user, h->deployment, h->alert};
  for (int i = 0; i < 4; i++) sqlite_bind_str(q, i + 1, texts[i]);
  sqlite_bind_u64(q, 5, h->since_us);
  sqlite_bind_u64(q, 6, h->until_us ? h->until_us : INT64_MAX);
  sqlite_bind_str(q, 7, h->reason);
  sqlite_bind_str(q, 8, h->who);
  sqlite_bind_u64(q, 9, h->time_us);
  if ((rc = sqlite_run(s, q, err))) return rc;
  struct store_audit a = {
      .time_us = h->time_us, .who = h->who, .what = STR("legal hold set"), .target = h->name, .detail = h->reason};
  return sqlite_append_audit(s, &a, err);
}

int sqlite_put_hold(struct store *base, const struct store_hold *h, struct vdt_error *err)
{
  struct store_hold copy = *h;
  if (!store_hold_name_ok(h->name))
    return error_set(err, VDT_EINVAL, "a hold's name has letters, digits, - _ and . only, 63 at most");
  if (h->until_us && h->until_us <= h->since_us) return error_set(err, VDT_EINVAL, "the hold ends before it begins");
  return sqlite_within(sqlite_of(base), write_hold, &copy, err);
}

struct release {
  struct str name, who, reason;
  uint64_t now_us;
};

static int drop_hold(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  const struct release *r = ctx;
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_HOLD_DROP, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, r->name);
  if ((rc = sqlite_run(s, q, err))) return rc;
  if (sqlite3_changes(s->db) == 0) return error_set(err, VDT_ENOTFOUND, "there is no such hold");
  struct store_audit a = {
      .time_us = r->now_us, .who = r->who, .what = STR("legal hold released"), .target = r->name, .detail = r->reason};
  return sqlite_append_audit(s, &a, err);
}

int sqlite_release_hold(struct store *base, struct str name, struct str who, struct str reason, uint64_t now_us,
                        struct vdt_error *err)
{
  struct release r = {name, who, reason, now_us};
  return sqlite_within(sqlite_of(base), drop_hold, &r, err);
}

static void read_hold(sqlite3_stmt *q, struct vdt_arena *arena, struct store_hold *h, bool *failed)
{
  struct str *texts[] = {&h->name, &h->end_user, &h->deployment, &h->alert, &h->reason, &h->who};
  *h = (struct store_hold){.since_us = sqlite_u64(q, 6), .until_us = sqlite_u64(q, 7), .time_us = sqlite_u64(q, 8)};
  if (h->until_us == INT64_MAX) h->until_us = 0;
  for (int i = 0; i < 6; i++) *texts[i] = sqlite_str(q, i, arena, failed);
}

int sqlite_list_holds(struct store *base, struct vdt_arena *arena, struct store_hold **out, size_t *n, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  struct store_hold *list = NULL;
  size_t cap = 0;
  bool failed = false;
  int rc, code = SQLITE_DONE;
  sqlite3_stmt *q = sqlite_statement(s, SQL_HOLD_LIST, &rc, err);
  *n = 0;
  if (!q) return rc;
  while (!failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    struct store_hold *p = arena_grow(arena, list, *n, &cap, 8, sizeof *p);
    if ((failed = !p)) break;
    list = p;
    read_hold(q, arena, &list[(*n)++], &failed);
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  *out = list;
  return rc;
}

/* ---- removing --------------------------------------------------------------------------------------------------- */

/* Ids of a step: texts, or numbers of rows. */
struct ids {
  struct buf text; /* each with a NUL behind it */
  size_t n;
};

static int fetch_ids(struct sqlite_store *s, sqlite3_stmt *q, struct ids *ids, struct vdt_error *err)
{
  int code, rc = VDT_OK;
  while ((code = sqlite3_step(q)) == SQLITE_ROW) {
    const char *p = (const char *)sqlite3_column_text(q, 0);
    if (p) buf_put(&ids->text, (struct str){p, (size_t)sqlite3_column_bytes(q, 0) + 1});
    ids->n += p != NULL;
  }
  if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  else if (ids->text.failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  sqlite3_reset(q);
  return rc;
}

static int drop_one(struct sqlite_store *s, enum statement which, struct str id, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, which, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, id);
  return sqlite_run(s, q, err);
}

/* A table's row number is compared as a number, though it was bound as text: it has the affinity of an integer. */
static int drop_of(struct sqlite_store *s, enum store_class of, struct str id, struct vdt_error *err)
{
  static const enum statement which[STORE_CLASSES] = {
      [STORE_ALERTS] = SQL_ALERT_DROP, [STORE_EVIDENCE] = SQL_EVIDENCE_DROP_ROW, [STORE_RECORDS] = SQL_RECORD_DROP};
  int rc = drop_one(s, which[of], id, err);
  return rc || of != STORE_RECORDS ? rc : drop_one(s, SQL_EGRESS_DROP, id, err);
}

int sqlite_remove(struct sqlite_store *s, enum store_class of, sqlite3_stmt *q, uint64_t *removed, struct vdt_error *err)
{
  struct ids ids = {0};
  int rc = fetch_ids(s, q, &ids, err);
  struct str left = buf_str(&ids.text);
  for (size_t i = 0; !rc && i < ids.n; i++) {
    struct str id = str_of(left.p);
    rc = drop_of(s, of, id, err);
    left = str_cut(left, id.n + 1, left.n);
  }
  buf_finish(&ids.text);
  *removed = rc ? 0 : ids.n;
  return rc;
}

static sqlite3_stmt *expired(struct sqlite_store *s, enum statement which, const struct store_expiry *e, uint64_t keep_s, int *rc,
                             struct vdt_error *err)
{
  sqlite3_stmt *q = sqlite_statement(s, which, rc, err);
  if (!q) return NULL;
  sqlite_bind_u64(q, 1, e->now_us - keep_s * 1000000);
  sqlite_bind_u64(q, 2, e->now_us + STORE_TOMORROW_US);
  sqlite_bind_u64(q, 3, e->limit);
  return q;
}

/* What goes with records, once there are few of them left to go. */
static int expire_beside(struct sqlite_store *s, const struct store_expiry *e, uint64_t keep_s, uint64_t *removed,
                         struct vdt_error *err)
{
  static const enum statement which[] = {SQL_EXPIRED_EGRESS, SQL_EXPIRED_USE, SQL_EXPIRED_TRAFFIC};
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < sizeof which / sizeof *which; i++) {
    sqlite3_stmt *q = expired(s, which[i], e, keep_s, &rc, err);
    if (!q || (rc = sqlite_run(s, q, err))) return rc;
    *removed += (uint64_t)sqlite3_changes(s->db);
  }
  return VDT_OK;
}

static int expire_class(struct sqlite_store *s, enum store_class c, struct store_expiry *e, uint64_t keep_s, uint64_t *removed,
                        struct vdt_error *err)
{
  static const enum statement which[STORE_CLASSES] = {
      [STORE_ALERTS] = SQL_EXPIRED_ALERTS, [STORE_EVIDENCE] = SQL_EXPIRED_EVIDENCE, [STORE_RECORDS] = SQL_EXPIRED_RECORDS};
  int rc;
  if (c == STORE_AUDIT) return sqlite_cut_audit(s, e->now_us - keep_s * 1000000, e->now_us, e->limit, removed, err);
  sqlite3_stmt *q = expired(s, which[c], e, keep_s, &rc, err);
  if (!q || (rc = sqlite_remove(s, c, q, removed, err))) return rc;
  return c == STORE_RECORDS && *removed < e->limit ? expire_beside(s, e, keep_s, removed, err) : VDT_OK;
}

struct expiring {
  struct store_expiry *e;
  enum store_class of;
  uint64_t keep_s, removed;
};

/* Whole texts and data keys that no evidence is left of. Nobody is waited for: a key that is still used is still there, and one that comes again is
 * stored again. */
int sqlite_drop_orphans(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  uint64_t n;
  (void)ctx;
  return s->base.ops->drop_evidence_keys(&s->base, EVERY_DAY, &n, err);
}

static int expire_step(struct sqlite_store *s, void *ctx, struct vdt_error *err)
{
  struct expiring *x = ctx;
  int rc = expire_class(s, x->of, x->e, x->keep_s, &x->removed, err);
  if (rc || !x->removed) return rc;
  bool last = x->removed < x->e->limit;
  if (last && (x->of == STORE_ALERTS || x->of == STORE_EVIDENCE)) rc = sqlite_drop_orphans(s, NULL, err);
  if (!rc) rc = sqlite_note_removed(s, x->of, true, x->removed, x->e->now_us, err);
  return rc ? rc : sqlite_want_scrub(s, SQLITE_SCRUB_EXPIRED, err);
}

/* The first class that has something to go. A log that cannot be cut for want of its key must not keep the others: it comes last. */
int sqlite_expire(struct store *base, struct store_expiry *e, struct vdt_error *err)
{
  struct store_keeps keeps;
  int rc = sqlite_get_keeps(base, &keeps, err);
  e->more = false;
  for (unsigned c = 0; !rc && c < STORE_CLASSES; c++) {
    struct expiring x = {e, (enum store_class)c, keeps.of[c].effective, 0};
    if (x.keep_s == STORE_FOREVER || x.keep_s > e->now_us / 1000000) continue;
    rc = sqlite_within(sqlite_of(base), expire_step, &x, err);
    e->removed[c] += rc ? 0 : x.removed;
    if (!rc && x.removed) return e->more = true, VDT_OK;
  }
  return rc ? rc : sqlite_end_expiry(sqlite_of(base), e->now_us, err);
}

int sqlite_alone(struct store *base, int (*fn)(void *ctx, struct store *s, struct vdt_error *err), void *ctx,
                 struct vdt_error *err)
{
  int rc = base->ops->begin(base, err);
  if (rc) return rc;
  rc = fn(ctx, base, err);
  base->ops->rollback(base);
  return rc;
}

int sqlite_has_record(struct store *base, struct str id, bool *yes, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_RECORD_HAS, &rc, err);
  *yes = false;
  if (!q) return rc;
  sqlite_bind_str(q, 1, id);
  int code = sqlite3_step(q);
  *yes = code == SQLITE_ROW;
  if (code != SQLITE_ROW && code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}
