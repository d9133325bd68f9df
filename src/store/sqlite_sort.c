/*
 * The SQLite store: a page of alerts in an order that no index has. One pass over what the filter lets through keeps the page's alerts in a heap, the
 * last of the page at its root, and counts: SQLite's own sorter would need a second pass to count. Writes nothing.
 */
#include "base/error.h"
#include "store/sqlite.h"

struct row {
  int64_t number;
  struct str text; /* in memory of SQLite, or in the slot's own */
  const char *name;
};

struct slot {
  int64_t number;
  struct buf text;
  char name[ALERT_NAME_LEN + 1];
};

struct heap {
  struct slot *slots;
  size_t n, limit;
  bool text, descending, failed;
};

/* The order of the page; equal ones by name. */
static bool before(const struct heap *h, const struct row *a, const struct row *b)
{
  int order;
  if (h->text) {
    size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    order = n ? memcmp(a->text.p, b->text.p, n) : 0;
    if (!order) order = (a->text.n > b->text.n) - (a->text.n < b->text.n);
  } else {
    order = (a->number > b->number) - (a->number < b->number);
  }
  if (h->descending) order = -order;
  return order ? order < 0 : memcmp(a->name, b->name, ALERT_NAME_LEN) < 0;
}

static struct row row_of(const struct slot *s)
{
  return (struct row){s->number, buf_str(&s->text), s->name};
}

static bool slot_before(const struct heap *h, size_t a, size_t b)
{
  struct row x = row_of(&h->slots[a]), y = row_of(&h->slots[b]);
  return before(h, &x, &y);
}

static void swap(struct heap *h, size_t a, size_t b)
{
  struct slot keep = h->slots[a];
  h->slots[a] = h->slots[b];
  h->slots[b] = keep;
}

static void sift_up(struct heap *h, size_t at)
{
  for (; at && slot_before(h, (at - 1) / 2, at); at = (at - 1) / 2) swap(h, at, (at - 1) / 2);
}

static void sift_down(struct heap *h, size_t n)
{
  for (size_t at = 0, child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && slot_before(h, child, child + 1)) child++;
    if (!slot_before(h, at, child)) return;
    swap(h, at, child);
  }
}

static void fill(struct heap *h, struct slot *s, const struct row *row)
{
  s->number = row->number;
  memcpy(s->name, row->name, ALERT_NAME_LEN + 1);
  buf_reset(&s->text);
  buf_put(&s->text, row->text);
  h->failed |= s->text.failed;
}

static void offer(struct heap *h, const struct row *row)
{
  if (h->n < h->limit) {
    fill(h, &h->slots[h->n++], row);
    sift_up(h, h->n - 1);
    return;
  }
  struct row last = row_of(&h->slots[0]);
  if (!before(h, row, &last)) return;
  fill(h, &h->slots[0], row);
  sift_down(h, h->n);
}

/* The last goes to the end, and so on. */
static void put_in_order(struct heap *h)
{
  for (size_t n = h->n; n > 1; n--) {
    swap(h, 0, n - 1);
    sift_down(h, n - 1);
  }
}

static int read_rows(struct sqlite_store *s, sqlite3_stmt *q, const struct store_page *p, struct heap *h, uint64_t *total,
                     struct vdt_error *err)
{
  struct row cursor = {p->after_number, p->after_text, p->after.n ? p->after.p : ""}, row = {0};
  int code;
  while (!h->failed && (code = sqlite3_step(q)) == SQLITE_ROW) {
    ++*total;
    row.name = (const char *)sqlite3_column_text(q, 0);
    if (!row.name || sqlite3_column_bytes(q, 0) != ALERT_NAME_LEN) continue;
    if (h->text) row.text = (struct str){(const char *)sqlite3_column_text(q, 1), (size_t)sqlite3_column_bytes(q, 1)};
    else row.number = sqlite3_column_int64(q, 1);
    if (!p->after.n || before(h, &cursor, &row)) offer(h, &row);
  }
  if (h->failed) return error_set(err, VDT_ENOMEM, "out of memory");
  return code == SQLITE_DONE ? VDT_OK : sqlite_error(s, code, err);
}

int sqlite_sort_page(struct sqlite_store *s, sqlite3_stmt *q, const struct store_page *p, bool text,
                     char (*names)[ALERT_NAME_LEN + 1], size_t *n, uint64_t *total, struct vdt_error *err)
{
  struct heap h = {.slots = calloc(p->limit + 1, sizeof *h.slots), .limit = p->limit, .text = text, .descending = p->descending};
  *total = 0;
  int rc = h.slots && p->limit ? read_rows(s, q, p, &h, total, err) : error_set(err, VDT_ENOMEM, "out of memory");
  sqlite3_reset(q);
  if (!rc) put_in_order(&h);
  for (size_t i = 0; i < h.n; i++) {
    memcpy(names[i], h.slots[i].name, sizeof names[i]);
    buf_finish(&h.slots[i].text);
  }
  *n = rc ? 0 : h.n;
  free(h.slots);
  return rc;
}
