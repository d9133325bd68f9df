#include "api/use.h"
#include "api/arm.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/quote.h"

static const uint64_t HOUR_US = UINT64_C(3600000000), DAY_US = UINT64_C(86400000000);
enum { DEFAULT_DAYS = 30, DEFAULT_TOP = 10 };

static const struct str keys[] = {
#define X(member, column, name, help) STR(name),
#include "store/uses.def"
#undef X
};

static struct str *key_of(struct store_use *u, unsigned at)
{
  struct str *members[] = {
#define X(member, column, name, help) &u->member,
#include "store/uses.def"
#undef X
  };
  return members[at];
}

/* ---- from words ------------------------------------------------------------------------------------------------- */

static bool read_time(struct str word, uint64_t initial, uint64_t *out)
{
  char text[CLOCK_TEXT + 8];
  bool day = word.n == 10;
  *out = initial;
  if (!word.n) return true;
  int n = snprintf(text, sizeof text, "%.*s%s", word.n < CLOCK_TEXT ? (int)word.n : 0, word.p, day ? "T00:00:00Z" : "");
  *out = n > 0 ? clock_parse(text, (size_t)n) : 0;
  return *out != 0;
}

static bool read_bucket(struct str word, uint64_t *step)
{
  *step = str_eq(word, STR("hour")) ? HOUR_US : str_eq(word, STR("total")) ? 0 : DAY_US;
  return !word.n || *step != DAY_US || str_eq(word, STR("day"));
}

static bool read_key(struct str word, unsigned *by)
{
  for (unsigned i = 0; i < STORE_USE_KEYS; i++) {
    if (!str_ieq(word, keys[i])) continue;
    *by |= 1u << i;
    return true;
  }
  return false;
}

static bool read_by(struct str list, unsigned *by)
{
  *by = 0;
  if (!list.n) *by = STORE_USE_BY_kind;
  if (!list.n || str_eq(list, STR("none"))) return true;
  for (size_t at = 0; at <= list.n;) {
    const char *comma = at < list.n ? memchr(list.p + at, ',', list.n - at) : NULL;
    size_t end = comma ? (size_t)(comma - list.p) : list.n;
    if (!read_key(str_cut(list, at, end), by)) return false;
    at = end + 1;
  }
  return true;
}

static bool read_top(struct str word, unsigned *top)
{
  uint64_t n = DEFAULT_TOP;
  if (word.n && (!str_u64(word, &n) || n > USE_TOP_MAX)) return false;
  *top = (unsigned)n;
  return true;
}

int use_ask(const struct use_words *w, uint64_t now_us, struct use_question *out, struct vdt_error *err)
{
  struct store_use_query *q = &out->q;
  *out = (struct use_question){.q = {.only = w->only, .limit = USE_ROWS_MAX}};
  if (!read_time(w->from, now_us - DEFAULT_DAYS * DAY_US, &q->from_us) || !read_time(w->to, now_us, &q->to_us))
    return error_set(err, VDT_EINVAL, "from and to: expected a day or a time such as 2026-11-25T15:00:00Z");
  if (!read_bucket(w->bucket, &q->step_us)) return error_set(err, VDT_EINVAL, "bucket: expected hour, day or total");
  if (!read_by(w->by, &q->by))
    return error_set(err, VDT_EINVAL,
                     "by: expected none, or some of application, user, tenant, deployment, detector, kind, joined by commas");
  if (!read_top(w->top, &out->top)) return error_set(err, VDT_EINVAL, "top: expected a number up to %d", USE_TOP_MAX);
  q->from_us = q->from_us / HOUR_US * HOUR_US;
  q->to_us = (q->to_us + HOUR_US - 1) / HOUR_US * HOUR_US;
  if (q->from_us < q->to_us) return VDT_OK;
  return error_set(err, VDT_EINVAL, "from is not before to");
}

/* ---- rows of several stores ------------------------------------------------------------------------------------- */

static int compare_str(struct str a, struct str b)
{
  size_t n = a.n < b.n ? a.n : b.n;
  int c = n ? memcmp(a.p, b.p, n) : 0;
  return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_key(const void *x, const void *y)
{
  struct store_use a = *(const struct store_use *)x, b = *(const struct store_use *)y;
  if (a.time_us != b.time_us) return a.time_us < b.time_us ? -1 : 1;
  for (unsigned i = 0; i < STORE_USE_KEYS; i++) {
    int c = compare_str(*key_of(&a, i), *key_of(&b, i));
    if (c) return c;
  }
  return 0;
}

static int by_weight(const void *x, const void *y)
{
  const struct store_use *a = x, *b = y;
  if (a->time_us != b->time_us) return a->time_us < b->time_us ? -1 : 1;
  if (a->interactions != b->interactions) return a->interactions > b->interactions ? -1 : 1;
  return by_key(x, y);
}

static void add(struct store_use *to, const struct store_use *from)
{
  to->interactions += from->interactions;
  to->findings += from->findings;
  to->requests += from->requests;
  to->responses += from->responses;
  to->detected += from->detected;
  to->redacted += from->redacted;
  to->stopped += from->stopped;
  if (!to->type.n) to->type = from->type, to->type_id = from->type_id;
}

static size_t join(struct store_use *rows, size_t n)
{
  size_t kept = 0;
  if (!n) return 0;
  qsort(rows, n, sizeof *rows, by_key);
  for (size_t i = 1; i < n; i++) {
    if (by_key(&rows[kept], &rows[i]) == 0) add(&rows[kept], &rows[i]);
    else rows[++kept] = rows[i];
  }
  qsort(rows, kept + 1, sizeof *rows, by_weight);
  return kept + 1;
}

int use_gather(struct store *const *stores, size_t n_stores, const struct store_use_query *q, struct vdt_arena *arena,
               struct store_use **out, size_t *n, bool *more, struct vdt_error *err)
{
  struct store_use_query whole = *q;
  struct store_use *all = NULL;
  size_t have = 0, cap = 0, m;
  whole.limit = USE_ROWS_MAX + 1; /* a row that is short in one store may be long in all together */
  *more = false;
  for (size_t i = 0; i < n_stores; i++) {
    struct store_use *rows;
    int rc = stores[i]->ops->list_use(stores[i], &whole, arena, &rows, &m, err);
    if (rc) return rc;
    *more |= m > USE_ROWS_MAX;
    for (size_t k = 0; k < m; k++) {
      struct store_use *grown = arena_grow(arena, all, have, &cap, 64, sizeof *grown);
      if (!grown) return error_set(err, VDT_ENOMEM, "out of memory");
      all = grown;
      all[have++] = rows[k];
    }
  }
  *out = all;
  *n = join(all, have);
  *more |= *n > q->limit;
  if (*n > q->limit) *n = q->limit;
  return VDT_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void put_numbers(struct buf *b, const struct store_use *u)
{
  buf_printf(
      b,
      "\"interactions\":%llu,\"findings\":%llu,\"inRequests\":%llu,\"inResponses\":%llu,\"detected\":%llu,\"redacted\":%llu,"
      "\"stopped\":%llu}",
      (unsigned long long)u->interactions, (unsigned long long)u->findings, (unsigned long long)u->requests,
      (unsigned long long)u->responses, (unsigned long long)u->detected, (unsigned long long)u->redacted,
      (unsigned long long)u->stopped);
}

static void put_row(struct buf *b, struct store_use u, const struct store_use_query *q)
{
  buf_byte(b, '{');
  if (q->step_us) BUF_LIT(b, "\"time\":"), arm_put_time(b, u.time_us), buf_byte(b, ',');
  for (unsigned i = 0; i < STORE_USE_KEYS; i++) {
    if (!(q->by & 1u << i)) continue;
    buf_printf(b, "\"%s\":", keys[i].p);
    json_quote(b, *key_of(&u, i));
    buf_byte(b, ',');
  }
  if (u.type.n) BUF_LIT(b, "\"type\":"), json_quote(b, u.type), buf_byte(b, ',');
  if (u.type_id.n) BUF_LIT(b, "\"typeId\":"), json_quote(b, u.type_id), buf_byte(b, ',');
  put_numbers(b, &u);
}

static void put_rows(struct buf *b, const struct store_use *rows, size_t n, const struct store_use_query *q)
{
  buf_byte(b, '[');
  for (size_t i = 0; i < n; i++) {
    if (i) buf_byte(b, ',');
    put_row(b, rows[i], q);
  }
  buf_byte(b, ']');
}

/* The first of a question that differs in what it counts by. */
static int put_top(struct store *const *stores, size_t n_stores, const struct use_question *u, unsigned by, size_t limit,
                   struct vdt_arena *arena, struct buf *b, struct vdt_error *err)
{
  struct store_use_query q = u->q;
  struct store_use *rows;
  size_t n;
  bool more;
  q.step_us = 0;
  q.by = by;
  q.limit = limit;
  int rc = use_gather(stores, n_stores, &q, arena, &rows, &n, &more, err);
  if (!rc && by) put_rows(b, rows, n, &q);
  else if (!rc && n) put_row(b, rows[0], &q);
  else if (!rc) put_row(b, (struct store_use){0}, &q);
  return rc;
}

static int put_tops(struct store *const *stores, size_t n_stores, const struct use_question *u, struct vdt_arena *arena,
                    struct buf *b, struct vdt_error *err)
{
  static const struct {
    const char *name;
    unsigned by;
  } lists[] = {{"kinds", STORE_USE_BY_detector | STORE_USE_BY_kind},
               {"applications", STORE_USE_BY_application},
               {"users", STORE_USE_BY_user | STORE_USE_BY_tenant},
               {"deployments", STORE_USE_BY_deployment}};
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < sizeof lists / sizeof *lists; i++) {
    buf_printf(b, "%s\"%s\":", i ? "," : "", lists[i].name);
    rc = put_top(stores, n_stores, u, lists[i].by, u->top, arena, b, err);
  }
  return rc;
}

int use_put_json(struct store *const *stores, size_t n_stores, const struct use_question *u, struct vdt_arena *arena,
                 struct buf *b, struct vdt_error *err)
{
  struct store_use *rows;
  size_t n;
  bool more;
  BUF_LIT(b, "{\"from\":");
  arm_put_time(b, u->q.from_us);
  BUF_LIT(b, ",\"to\":");
  arm_put_time(b, u->q.to_us);
  BUF_LIT(b, ",\"total\":");
  int rc = put_top(stores, n_stores, u, 0, 1, arena, b, err);
  if (!rc) rc = use_gather(stores, n_stores, &u->q, arena, &rows, &n, &more, err);
  if (rc) return rc;
  BUF_LIT(b, ",\"value\":");
  put_rows(b, rows, n, &u->q);
  buf_printf(b, ",\"complete\":%s,\"top\":{", more ? "false" : "true");
  rc = put_tops(stores, n_stores, u, arena, b, err);
  BUF_LIT(b, "}}");
  return rc;
}
