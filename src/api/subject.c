/* Finding what a store has about a person, and removing it. */
#include "api/subject.h"
#include "api/baseline.h"
#include "api/keep.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/quote.h"
#include <stdlib.h>
#include <time.h>

enum { AT_ONCE = 500, IDS_PER_PURGE = 900, TRIES = 100 };

int subject_note(const struct subject *s, struct store *store, const char *what, struct str detail, struct vdt_error *err)
{
  char hash[STORE_HIDDEN + 1], target[STORE_HIDDEN + 16];
  int rc = store->ops->hide_name(store, s->user, hash, err);
  if (rc) return rc;
  int n = snprintf(target, sizeof target, "user hash %s", hash);
  struct store_audit a = {
      .time_us = clock_unix_us(), .who = s->who, .what = str_of(what), .target = {target, (size_t)n}, .detail = detail};
  return store->ops->put_audit(store, &a, err);
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static int take_records(const struct subject *s, const struct str *json, size_t n, struct vdt_arena *arena,
                        int (*fn)(void *ctx, struct str json, const struct record *r), void *ctx)
{
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < n; i++) {
    struct record r;
    if (record_read(arena, json[i], &r, NULL) || !str_eq(r.end_user, s->user)) continue;
    rc = fn(ctx, json[i], &r);
  }
  return rc;
}

int subject_records(const struct subject *s, struct store *store, int (*fn)(void *ctx, struct str json, const struct record *r),
                    void *ctx, struct vdt_error *err)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)512 << 20);
  struct store_place at = {0};
  struct str *json;
  size_t n = 1;
  int rc = arena ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  while (!rc && n) {
    vdt_arena_reset(arena);
    rc = store->ops->list_records_of(store, s->user, &at, AT_ONCE, arena, &json, &n, err);
    if (!rc) rc = take_records(s, json, n, arena, fn, ctx);
  }
  vdt_arena_free(arena);
  return rc;
}

bool subject_of_alert(const struct subject *s, const struct alert *a)
{
  struct str head = STR("user:");
  bool principal = str_starts(a->principal, head) && str_eq(str_cut(a->principal, head.n, a->principal.n), s->user);
  return principal || str_eq(a->x.end_user, s->user);
}

/* Interactions of the user, one id behind the other, and under which hashes the detectors of behaviour know them. */
struct met {
  struct buf ids;
  uint64_t *keys;
  size_t n_keys, cap_keys;
  struct vdt_error *err;
};

static int add_key(struct met *m, uint64_t key)
{
  for (size_t i = 0; i < m->n_keys; i++)
    if (m->keys[i] == key) return VDT_OK;
  uint64_t *p = heap_grow(m->keys, m->n_keys, &m->cap_keys, 16, sizeof *p);
  if (!p) return error_set(m->err, VDT_ENOMEM, "out of memory");
  m->keys = p;
  m->keys[m->n_keys++] = key;
  return VDT_OK;
}

static int meet_record(void *ctx, struct str json, const struct record *r)
{
  struct met *m = ctx;
  (void)json;
  buf_put(&m->ids, (struct str){r->id, RECORD_ID_LEN});
  if (m->ids.failed) return error_set(m->err, VDT_ENOMEM, "out of memory");
  return add_key(m, behaviour_key(r->workspace, r->deployment, r->end_user));
}

static int each_alert(const struct subject *s, struct store *store, int (*fn)(void *ctx, const struct alert *a), void *ctx,
                      struct vdt_error *err)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)512 << 20);
  struct store_query q = STORE_QUERY_ALL;
  char after[ALERT_NAME_LEN + 1];
  struct alert *list;
  size_t n = q.limit;
  int rc = arena ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  q.brief = true;
  while (!rc && n == q.limit) {
    vdt_arena_reset(arena);
    rc = store->ops->list(store, &q, arena, &list, &n, err);
    for (size_t i = 0; !rc && i < n; i++)
      if (subject_of_alert(s, &list[i])) rc = fn(ctx, &list[i]);
    if (!rc && n) memcpy(after, list[n - 1].name, sizeof after), q.after = (struct str){after, ALERT_NAME_LEN};
  }
  vdt_arena_free(arena);
  return rc;
}

/* Also where the records are gone already and the alerts are not. */
static int meet_alert(void *ctx, const struct alert *a)
{
  struct met *m = ctx;
  return a->x.deployment.n ? add_key(m, behaviour_key(a->workspace, a->x.deployment, a->x.end_user)) : VDT_OK;
}

static int meet_all(const struct subject *s, struct store *store, struct met *m, struct vdt_error *err)
{
  *m = (struct met){.err = err};
  int rc = subject_records(s, store, meet_record, m, err);
  return rc ? rc : each_alert(s, store, meet_alert, m, err);
}

static void forget(struct met *m)
{
  buf_finish(&m->ids);
  free(m->keys);
}

/* ---- removing ---------------------------------------------------------------------------------------------------- */

/* The purges of one erasure. */
struct purges {
  const struct subject *s;
  struct store *store;
  char (*ids)[STORE_PURGE_ID + 1];
  size_t n, cap;
};

static int ask(struct purges *p, enum store_class of, const struct buf *filters, struct vdt_error *err)
{
  struct store_purge purge = {.of = of, .filters = buf_str(filters), .who = p->s->who, .requested_us = clock_unix_us()};
  void *more = heap_grow(p->ids, p->n, &p->cap, 8, sizeof *p->ids);
  if (!more || filters->failed) return error_set(err, VDT_ENOMEM, "out of memory");
  p->ids = more;
  store_purge_new_id(purge.id);
  memcpy(p->ids[p->n++], purge.id, sizeof purge.id);
  return p->store->ops->put_purge(p->store, &purge, err);
}

/* head: "user:" in front of the id, or nothing. */
static int ask_equal(struct purges *p, enum store_class of, const char *column, struct str head, struct vdt_error *err)
{
  struct buf value = {0}, filters = {0};
  buf_put(&value, head);
  buf_put(&value, p->s->user);
  buf_printf(&filters, "[{\"column\":\"%s\",\"operator\":\"==\",\"value\":", column);
  json_quote(&filters, buf_str(&value));
  BUF_LIT(&filters, "}]");
  filters.failed |= value.failed;
  int rc = ask(p, of, &filters, err);
  buf_finish(&value);
  buf_finish(&filters);
  return rc;
}

/* Evidence of the user's interactions in alerts of others, such as those of a deployment as a whole. */
static int ask_evidence(struct purges *p, struct str ids, struct vdt_error *err)
{
  int rc = VDT_OK;
  for (size_t at = 0; !rc && at < ids.n; at += (size_t)IDS_PER_PURGE * RECORD_ID_LEN) {
    struct buf filters = {0};
    BUF_LIT(&filters, "[{\"column\":\"interaction\",\"operator\":\"in\",\"value\":[");
    for (size_t i = at; i < ids.n && i < at + (size_t)IDS_PER_PURGE * RECORD_ID_LEN; i += RECORD_ID_LEN)
      buf_printf(&filters, "%s\"%.*s\"", i > at ? "," : "", RECORD_ID_LEN, ids.p + i);
    BUF_LIT(&filters, "]}]");
    rc = ask(p, STORE_EVIDENCE, &filters, err);
    buf_finish(&filters);
  }
  return rc;
}

static int ask_all(struct purges *p, struct str ids, struct vdt_error *err)
{
  int rc = ask_evidence(p, ids, err);
  if (!rc) rc = ask_equal(p, STORE_EVIDENCE, "end_user", STR(""), err);
  if (!rc) rc = ask_equal(p, STORE_ALERTS, "principal", STR("user:"), err);
  if (!rc) rc = ask_equal(p, STORE_ALERTS, "end_user", STR(""), err);
  return rc ? rc : ask_equal(p, STORE_RECORDS, "end_user", STR(""), err);
}

static int add_up(const struct purges *p, struct subject_done *done, struct vdt_error *err)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  int rc = arena ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  done->finished = true;
  for (size_t i = 0; !rc && i < p->n; i++) {
    struct store_purge one;
    rc = p->store->ops->get_purge(p->store, str_of(p->ids[i]), arena, &one, err);
    if (rc) break;
    uint64_t *to = one.of == STORE_RECORDS ? &done->records : one.of == STORE_ALERTS ? &done->alerts : &done->evidence;
    *to += one.removed;
    done->held += one.held;
    done->finished = done->finished && one.finished_us;
  }
  vdt_arena_free(arena);
  return rc;
}

/* The control process works on the same purges: whoever comes first does it, and where one is in the other's way (EIO) it is tried again. */
static int carry_out(const struct purges *p, struct subject_done *done, struct vdt_error *err)
{
  const struct timespec tick = {0, 200000000};
  const struct subject *s = p->s;
  struct keep_wish wish = {.scrub = true, .all = s->stores, .n_all = s->n};
  int rc = VDT_EIO;
  for (int i = 0; i < TRIES && (rc == VDT_EIO || !done->finished); i++) {
    struct keep_done kept;
    if (i) nanosleep(&tick, NULL);
    rc = keep_work(s->state_dir, p->store, clock_unix_us(), &wish, &kept, err);
    *done = (struct subject_done){0};
    if (!rc) rc = add_up(p, done, err);
  }
  return rc;
}

static int note_erased(const struct subject *s, struct store *store, const struct subject_done *d, struct vdt_error *err)
{
  char detail[160];
  int n =
      snprintf(detail, sizeof detail, "%llu records, %llu alerts, %llu rows of evidence removed; %llu rows kept by legal holds",
               (unsigned long long)d->records, (unsigned long long)d->alerts, (unsigned long long)d->evidence,
               (unsigned long long)d->held);
  return subject_note(s, store, "data of a user erased", (struct str){detail, (size_t)n}, err);
}

int subject_erase(const struct subject *s, struct store *store, struct subject_done *done, struct vdt_error *err)
{
  struct purges p = {.s = s, .store = store};
  struct met m;
  *done = (struct subject_done){0};
  int rc = meet_all(s, store, &m, err);
  if (!rc) rc = ask_all(&p, buf_str(&m.ids), err);
  if (!rc) rc = baseline_ask_forget(s->state_dir, store->place.workspace, m.keys, m.n_keys, err);
  if (!rc) rc = carry_out(&p, done, err);
  if (!rc) rc = note_erased(s, store, done, err);
  forget(&m);
  free(p.ids);
  return rc;
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

struct counting {
  struct subject_done *out;
  struct store *store;
  struct vdt_error *err;
};

static int count_record(void *ctx, struct str json, const struct record *r)
{
  struct counting *c = ctx;
  struct vdt_arena *arena = vdt_arena_new(0);
  struct alert_evidence *rows;
  size_t n = 0;
  (void)json;
  c->out->records++;
  int rc = arena ? c->store->ops->list_evidence(c->store, (struct str){r->id, RECORD_ID_LEN}, arena, &rows, &n, c->err)
                 : error_set(c->err, VDT_ENOMEM, "out of memory");
  c->out->evidence += n;
  vdt_arena_free(arena);
  return rc;
}

static int count_alert(void *ctx, const struct alert *a)
{
  (void)a;
  ((struct counting *)ctx)->out->alerts++;
  return VDT_OK;
}

int subject_count(const struct subject *s, struct store *store, struct subject_done *out, struct vdt_error *err)
{
  struct counting c = {out, store, err};
  *out = (struct subject_done){0};
  int rc = subject_records(s, store, count_record, &c, err);
  return rc ? rc : each_alert(s, store, count_alert, &c, err);
}
