#include "api/collect.h"
#include "analyse/access.h"
#include "api/baseline.h"
#include "api/geo.h"
#include "api/settings.h"
#include "api/sharing.h"
#include "api/spool.h"
#include "base/clock.h"
#include "base/error.h"
#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
  CHUNK = 2 * RECORD_LINE_MAX + 2, /* a whole line of the longest kind always fits */
  BATCH = 1000,
  GATHER_US = 20000, /* events that come faster than this are taken together */
  SWEEP_US = 1000000
};

/* Where journals lie: the folder of each workspace, and the spool itself, where who writes them is no gateway of ours. */
struct source {
  struct spool spool;
  size_t store; /* keeps how far its journals were read */
  bool own;     /* of that workspace only */
};

struct collect {
  struct source *sources; /* one per store, and the spool's */
  const struct source *at;
  int notify;
  struct store **stores;
  size_t n_stores;
  uint64_t window_us;
  struct collect_stats *stats;
  struct vdt_arena *arena;
  struct buf chunk;
  struct settings settings;
  struct baseline *baselines; /* one per store */
  struct sharing *sharing;    /* likewise */
  bool *begun;
  struct vdt_intel *intel;
  struct geo *geo;  /* or NULL; borrowed */
  unsigned careful; /* so many batches of one line, after a store refused something in a batch */
  uint64_t passed_us, swept_us;
};

/* What a batch brought; added to the counters only when it is committed. */
struct batch {
  uint64_t records, duplicates, evidence_lost, alerts_new, alerts_extended, withdrawn, egress, egress_bytes, suppressed,
      incidents, rejected, unknown_workspace, lag_us;
};

static int open_sources(struct collect *c, const char *state_dir, struct vdt_error *err)
{
  for (size_t i = 0; i <= c->n_stores; i++) {
    struct source *s = &c->sources[i];
    if (spool_open(&s->spool, state_dir, s->own ? c->stores[i]->place.workspace.p : NULL, c->notify))
      return error_set(err, VDT_EIO, "%s/spool: %s", state_dir, strerror(errno));
  }
  return VDT_OK;
}

int collect_new(const char *state_dir, struct store **stores, size_t n, uint64_t window_us,
                const struct behaviour_limits *behaviour, struct collect_stats *stats, struct collect **out,
                struct vdt_error *err)
{
  struct collect *c = calloc(1, sizeof *c);
  if (!c) return error_set(err, VDT_ENOMEM, "out of memory");
  *c = (struct collect){.stores = stores, .n_stores = n, .window_us = window_us, .stats = stats};
  c->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  c->arena = vdt_arena_new((size_t)256 << 20);
  c->begun = calloc(n, sizeof *c->begun);
  c->baselines = calloc(n, sizeof *c->baselines);
  c->sharing = calloc(n, sizeof *c->sharing);
  c->sources = calloc(n + 1, sizeof *c->sources);
  for (size_t i = 0; c->sources && i <= n; i++) c->sources[i] = (struct source){{.fd = -1}, i < n ? i : 0, i < n};
  bool ready = settings_init(&c->settings) && c->arena && c->begun && c->baselines && c->sharing && c->sources;
  int rc = ready ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) rc = open_sources(c, state_dir, err);
  for (size_t i = 0; !rc && i < n; i++)
    rc = baseline_open(&c->baselines[i], state_dir, stores[i]->place.workspace, behaviour, err);
  for (size_t i = 0; ready && i < n; i++) sharing_open(&c->sharing[i], state_dir, stores[i]->place.workspace);
  if (rc) collect_free(c);
  else *out = c;
  return rc;
}

void collect_free(struct collect *c)
{
  if (!c) return;
  for (size_t i = 0; c->sources && i <= c->n_stores; i++) spool_close(&c->sources[i].spool);
  free(c->sources);
  if (c->notify >= 0) close(c->notify);
  buf_finish(&c->chunk);
  settings_finish(&c->settings);
  for (size_t i = 0; c->baselines && i < c->n_stores; i++) baseline_close(&c->baselines[i]);
  for (size_t i = 0; c->sharing && i < c->n_stores; i++) sharing_close(&c->sharing[i]);
  free(c->baselines);
  intel_drop(c->intel);
  free(c->sharing);
  vdt_arena_free(c->arena);
  free(c->begun);
  free(c);
}

void collect_use_geo(struct collect *c, struct geo *geo)
{
  c->geo = geo;
}

struct vdt_intel **collect_intel(struct collect *c)
{
  return &c->intel;
}

/* ---- transactions over all workspaces --------------------------------------------------------------------------- */

static int begin(struct collect *c, size_t i, struct vdt_error *err)
{
  if (c->begun[i]) return VDT_OK;
  int rc = c->stores[i]->ops->begin(c->stores[i], err);
  c->begun[i] = !rc;
  return rc;
}

static void rollback(struct collect *c)
{
  for (size_t i = 0; i < c->n_stores; i++) {
    if (c->begun[i]) c->stores[i]->ops->rollback(c->stores[i]);
    c->begun[i] = false;
    sharing_drop(&c->sharing[i]);
  }
}

static int commit_one(struct collect *c, size_t i, struct vdt_error *err)
{
  int rc = c->begun[i] ? c->stores[i]->ops->commit(c->stores[i], err) : VDT_OK;
  c->begun[i] = c->begun[i] && rc;
  return rc;
}

/* The store that has the offset comes last. */
static int commit(struct collect *c, struct vdt_error *err)
{
  for (size_t i = 0; i < c->n_stores; i++) {
    int rc = sharing_write(&c->sharing[i], clock_unix_us(), err);
    if (rc) return rc;
  }
  for (size_t i = 0; i < c->n_stores; i++) {
    int rc = i == c->at->store ? VDT_OK : commit_one(c, i, err);
    if (rc) return rc;
  }
  return commit_one(c, c->at->store, err);
}

/* ---- one line --------------------------------------------------------------------------------------------------- */

static size_t find_store(struct collect *c, struct str workspace, struct batch *b)
{
  if (c->at->own) return c->at->store;
  for (size_t i = 0; i < c->n_stores; i++)
    if (str_eq(c->stores[i]->place.workspace, workspace)) return i;
  b->unknown_workspace++;
  return 0;
}

static int put_event(struct collect *c, struct store *s, const struct alert *event, struct batch *b, struct vdt_error *err)
{
  bool is_new, incident = false;
  int rc = s->ops->put_event(s, event, c->window_us, &is_new, err);
  if (!rc && is_new) rc = s->ops->relate(s, event, event->generated_us, &incident, err);
  if (rc) return rc;
  b->alerts_new += is_new;
  b->alerts_extended += !is_new;
  b->suppressed += event->suppressed.n > 0;
  b->incidents += incident;
  return VDT_OK;
}

/* Where it came from. */
static int look_at_access(struct collect *c, struct record *r)
{
  struct record_finding found[ACCESS_FINDINGS];
  size_t n;
  int rc = access_observe(c->intel, r, c->arena, found, &n);
  return rc ? rc : record_append(r, c->arena, found, n);
}

static int store_alerts(struct collect *c, size_t store, const struct record *r, struct batch *b, struct vdt_error *err)
{
  struct alert events[ALERT_TYPES];
  struct store *s = c->stores[store];
  struct record all = *r; /* and what it shows together with those before it */
  size_t n;
  uint64_t now = clock_unix_us();
  if (c->geo) geo_find(c->geo, all.source_ip.n ? all.source_ip : all.client_ip, c->arena, &all.country, &all.network);
  if (baseline_observe(&c->baselines[store], &all, c->arena) || look_at_access(c, &all) ||
      alert_events(&all, &s->place, now, c->arena, events, &n))
    return error_set(err, VDT_ENOMEM, "out of memory");
  settings_apply(&c->settings, events, &n, now);
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < n; i++) rc = put_event(c, s, &events[i], b, err);
  return rc;
}

static bool has_type(const struct alert *events, size_t n, enum alert_type type)
{
  for (size_t i = 0; i < n; i++)
    if (events[i].type == type) return true;
  return false;
}

/* Leaves of an event what a shield said: the rest was put when the record came. false: it said nothing. */
static bool keep_shields(struct alert *event)
{
  size_t n = 0;
  for (size_t i = 0; i < event->n_evidence; i++)
    if (str_eq(event->evidence[i].source, STR("shield"))) event->evidence[n++] = event->evidence[i];
  event->n_evidence = n;
  event->evidence_total = n;
  event->count = 0;
  return n > 0;
}

/* What the record raised and raises no more is withdrawn, what it raises now is put, what it goes on raising gets the word of the shield. */
static int move_alerts(struct collect *c, struct store *s, const struct record *old, const struct record *r, struct batch *b,
                       struct vdt_error *err)
{
  struct alert before[ALERT_TYPES], after[ALERT_TYPES];
  size_t n_before, n_after;
  uint64_t now = clock_unix_us();
  if (alert_events(old, &s->place, now, c->arena, before, &n_before) ||
      alert_events(r, &s->place, now, c->arena, after, &n_after))
    return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = VDT_OK;
  settings_apply(&c->settings, after, &n_after, now);
  for (size_t i = 0; !rc && i < n_before; i++) {
    if (has_type(after, n_after, before[i].type)) continue;
    rc = s->ops->withdraw_event(s, &before[i], c->window_us, STR("second opinion"), now, err);
    b->withdrawn++;
  }
  for (size_t i = 0; !rc && i < n_after; i++) {
    if (!has_type(before, n_before, after[i].type)) rc = put_event(c, s, &after[i], b, err);
    else if (keep_shields(&after[i])) rc = s->ops->amend_event(s, &after[i], c->window_us, err);
  }
  return rc;
}

/* A second opinion came after the record. Read twice it changes nothing: the stored record then has the revision already. *known false:
 * the record itself is not there, and this one stands for it. */
static int store_revision(struct collect *c, struct store *s, const struct record *r, struct batch *b, bool *known,
                          struct vdt_error *err)
{
  struct str json;
  struct record old;
  int rc = s->ops->get_record(s, (struct str){r->id, RECORD_ID_LEN}, c->arena, &json, err);
  *known = rc != VDT_ENOTFOUND;
  if (rc) return *known ? rc : VDT_OK;
  if ((rc = record_read(c->arena, json, &old, err))) return rc == VDT_ENOMEM ? rc : VDT_EINVAL;
  b->duplicates += old.revision >= r->revision;
  if (old.revision >= r->revision) return VDT_OK;
  rc = s->ops->revise_record(s, r, err);
  return rc ? rc : move_alerts(c, s, &old, r, b, err);
}

/* Into the ledger, in the transaction of the line that says so. */
static int note_transfer(struct store *s, const char *kind, struct str name, struct str destination, uint64_t time_us,
                         uint64_t sent, uint64_t received, struct vdt_error *err)
{
  char day[CLOCK_TEXT];
  clock_format(time_us, day);
  struct store_transfer t = {{day, 10}, str_of(kind), name, destination, 1, sent, received};
  return s->ops->put_transfer(s, &t, err);
}

static int store_egress(struct collect *c, const struct record_egress *e, struct batch *b, struct vdt_error *err)
{
  size_t i = find_store(c, e->workspace, b);
  bool is_new = false;
  int rc = begin(c, i, err);
  if (!rc) rc = c->stores[i]->ops->put_egress(c->stores[i], e, &is_new, err);
  b->egress += is_new;
  if (is_new) b->egress_bytes += e->bytes;
  if (rc || !is_new) return rc;
  return note_transfer(c->stores[i], "shield", e->shield, e->destination, e->time_us, e->bytes, 0, err);
}

static void share(struct collect *c, size_t store, const struct record *r)
{
  struct store_plan plan = settings_plan(&c->settings, alert_subscription(r, &c->stores[store]->place));
  if (plan.standard && plan.purview == STORE_ON) sharing_add(&c->sharing[store], r);
}

static int store_record(struct collect *c, const struct record *r, struct batch *b, struct vdt_error *err)
{
  size_t i = find_store(c, r->workspace, b);
  bool is_new, known = false;
  int rc = begin(c, i, err);
  if (!rc && r->revision) rc = store_revision(c, c->stores[i], r, b, &known, err);
  if (known) return rc;
  if (!rc) rc = c->stores[i]->ops->put_record(c->stores[i], r, &is_new, err);
  if (rc) return rc;
  b->records += is_new;
  b->duplicates += !is_new;
  b->evidence_lost += is_new && r->evidence_lost.n;
  uint64_t now = clock_unix_us(), end = r->time_us + r->duration_us;
  b->lag_us = now > end ? now - end : 0;
  if (is_new) share(c, i, r);
  if (is_new && r->upstream.n)
    rc = note_transfer(c->stores[i], "upstream", r->deployment, r->upstream, r->time_us, r->sent_bytes, r->received_bytes, err);
  if (rc) return rc;
  return is_new ? store_alerts(c, i, r, b, err) : VDT_OK;
}

static void reject(struct collect *c, struct spool_file *f, uint64_t at, struct str line, const char *why, struct batch *b)
{
  b->rejected++;
  if (at < f->rejected_to) return;
  fprintf(stderr, "vedette serve: %s:%llu: line skipped: %s\n", f->name, (unsigned long long)at, why);
  spool_reject(&c->at->spool, line);
  f->rejected_to = at + line.n;
}

/* What lies in the folder of a workspace and names another: it is stored in neither. */
static bool is_foreign(const struct collect *c, struct str workspace)
{
  return c->at->own && workspace.n && !str_eq(workspace, c->stores[c->at->store]->place.workspace);
}

/* EINVAL from the store: this batch holds something that it will never take. One by one, only that line is lost. */
static int take_line(struct collect *c, struct spool_file *f, uint64_t at, struct str line, struct batch *b,
                     struct vdt_error *err)
{
  struct record r;
  struct record_egress e;
  struct vdt_error bad = {0};
  bool egress = record_is_egress(line);
  vdt_arena_reset(c->arena);
  int rc = egress ? record_read_egress(c->arena, line, &e, &bad) : record_read(c->arena, line, &r, &bad);
  if (rc) {
    reject(c, f, at, line, bad.text, b);
    return VDT_OK;
  }
  if (is_foreign(c, egress ? e.workspace : r.workspace)) {
    reject(c, f, at, line, "of another workspace than the folder that it is in", b);
    return VDT_OK;
  }
  rc = egress ? store_egress(c, &e, b, err) : store_record(c, &r, b, err);
  if (rc != VDT_EINVAL || !c->careful) return rc;
  rollback(c);
  reject(c, f, at, line, "the store refuses it", b);
  return begin(c, c->at->store, err);
}

/* ---- one batch -------------------------------------------------------------------------------------------------- */

static void add_stats(struct collect_stats *s, const struct batch *b)
{
  atomic_fetch_add(&s->records, b->records);
  atomic_fetch_add(&s->duplicates, b->duplicates);
  atomic_fetch_add(&s->evidence_lost, b->evidence_lost);
  atomic_fetch_add(&s->alerts_new, b->alerts_new);
  atomic_fetch_add(&s->alerts_extended, b->alerts_extended);
  atomic_fetch_add(&s->withdrawn, b->withdrawn);
  atomic_fetch_add(&s->suppressed, b->suppressed);
  atomic_fetch_add(&s->incidents, b->incidents);
  atomic_fetch_add(&s->egress, b->egress);
  atomic_fetch_add(&s->egress_bytes, b->egress_bytes);
  atomic_fetch_add(&s->rejected, b->rejected);
  atomic_fetch_add(&s->unknown_workspace, b->unknown_workspace);
  if (b->records) atomic_store(&s->stored_us, clock_unix_us());
  if (b->records + b->duplicates) atomic_store(&s->lag_us, b->lag_us);
}

/* The rest of a line that is longer than any record: true when the chunk ended before the line did. */
static bool skip_rest(struct spool_file *f, struct str *text)
{
  const char *lf = memchr(text->p, '\n', text->n);
  size_t n = lf ? (size_t)(lf - text->p) + 1 : text->n;
  f->offset += n;
  *text = str_cut(*text, n, text->n);
  f->skipping = !lf;
  return f->skipping;
}

static int take_lines(struct collect *c, struct spool_file *f, struct str text, struct batch *b, uint64_t *used, uint64_t *lines,
                      struct vdt_error *err)
{
  size_t max = c->careful ? 1 : BATCH;
  *used = *lines = 0;
  int rc = begin(c, c->at->store, err);
  if (!rc) rc = settings_refresh(&c->settings, c->stores, c->n_stores, err);
  while (!rc && *lines < max && *used < text.n) {
    const char *lf = memchr(text.p + *used, '\n', text.n - *used);
    if (!lf) break;
    size_t end = (size_t)(lf - text.p) + 1;
    rc = take_line(c, f, f->offset + *used, str_cut(text, *used, end), b, err);
    *used = end;
    ++*lines;
  }
  return rc;
}

/* Stores the next lines of text; *used bytes of it are done. */
static int take_batch(struct collect *c, struct spool_file *f, struct str text, uint64_t *used, uint64_t *lines,
                      struct vdt_error *err)
{
  struct batch b = {0};
  struct store *first = c->stores[c->at->store];
  int rc = take_lines(c, f, text, &b, used, lines, err);
  if (!rc && *used) rc = first->ops->set_offset(first, str_of(f->name), f->offset + *used, err);
  if (!rc) rc = commit(c, err);
  rollback(c);
  if (rc) {
    atomic_fetch_add(&c->stats->store_errors, 1);
    *used = *lines = 0;
    if (rc != VDT_EINVAL) return rc;
    c->careful = BATCH;
    return VDT_OK;
  }
  if (c->careful) c->careful--;
  f->offset += *used;
  add_stats(c->stats, &b);
  return VDT_OK;
}

/* A chunk without any LF: the line is still being written, or is longer than a record can be. */
static void take_torn(struct collect *c, struct spool_file *f, struct str text)
{
  struct batch b = {0};
  if (text.n <= RECORD_LINE_MAX) return;
  reject(c, f, f->offset, STR(""), "longer than a record may be", &b);
  add_stats(c->stats, &b);
  f->offset += text.n;
  f->skipping = true;
}

/* *more: there is more to read at once. */
static int take_chunk(struct collect *c, struct spool_file *f, uint64_t *lines, bool *more, struct vdt_error *err)
{
  uint64_t size;
  buf_reset(&c->chunk);
  *more = false;
  if (!spool_read(&c->at->spool, f, CHUNK, &c->chunk, &size)) return VDT_OK;
  struct str text = buf_str(&c->chunk);
  *more = text.n == CHUNK;
  if (f->skipping && skip_rest(f, &text)) return VDT_OK;
  if (text.n && !memchr(text.p, '\n', text.n)) take_torn(c, f, text);
  else
    for (;;) {
      uint64_t used, n;
      unsigned careful = c->careful;
      int rc = take_batch(c, f, text, &used, &n, err);
      if (rc) return rc;
      *lines += n;
      text = str_cut(text, used, text.n);
      if (used == 0 && !(c->careful && !careful)) break;
    }
  return VDT_OK;
}

/* ---- journals --------------------------------------------------------------------------------------------------- */

static int take_file(struct collect *c, struct spool_file *f, uint64_t *lines, struct vdt_error *err)
{
  struct store *first = c->stores[c->at->store];
  if (!f->known) {
    int rc = first->ops->get_offset(first, str_of(f->name), &f->offset, err);
    if (rc) return rc;
    f->known = true;
  }
  bool more = true;
  int rc = VDT_OK;
  while (!rc && more) rc = take_chunk(c, f, lines, &more, err);
  return rc;
}

/* A finished journal: what stands behind its last LF was torn by a dying writer and will never be whole. */
static int retire(struct collect *c, struct spool_file *f, uint64_t *lines, struct vdt_error *err)
{
  uint64_t size;
  bool more;
  struct batch b = {0};
  if (!spool_is_finished(&c->at->spool, f)) return VDT_OK;
  int rc = take_chunk(c, f, lines, &more, err);
  if (rc || more) return rc;
  buf_reset(&c->chunk);
  if (!spool_read(&c->at->spool, f, CHUNK, &c->chunk, &size) || size < f->offset) return VDT_OK;
  struct str rest = buf_str(&c->chunk);
  if (rest.n && memchr(rest.p, '\n', rest.n)) return VDT_OK;
  if (rest.n) reject(c, f, f->offset, rest, "torn: its writer ended in the middle of it", &b);
  for (size_t i = 0; i < c->n_stores; i++)
    if ((!c->at->own || i == c->at->store) && (rc = c->stores[i]->ops->sync(c->stores[i], err))) return rc;
  if (!spool_delete(&c->at->spool, f, size)) return VDT_OK;
  add_stats(c->stats, &b);
  atomic_fetch_add(&c->stats->journals_deleted, 1);
  return c->stores[c->at->store]->ops->drop_offset(c->stores[c->at->store], str_of(f->name), err);
}

static int each_file(struct collect *c,
                     int (*fn)(struct collect *c, struct spool_file *f, uint64_t *lines, struct vdt_error *err), uint64_t *lines,
                     struct vdt_error *err)
{
  const struct spool *s = &c->at->spool;
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < s->n; i++) rc = fn(c, &s->files[i], lines, err);
  return rc;
}

/* Sources do not wait for each other: when the disk of one workspace is full, the others go on. */
static int each_source(struct collect *c, bool sweep, uint64_t *lines, struct vdt_error *err)
{
  int first = VDT_OK;
  for (size_t i = 0; i <= c->n_stores; i++) {
    struct vdt_error later = {0};
    struct source *s = &c->sources[i];
    int rc = VDT_OK;
    c->at = s;
    if (!sweep && !spool_list(&s->spool)) rc = error_set(&later, VDT_EIO, "spool: %s", strerror(errno));
    if (!rc) rc = each_file(c, sweep ? retire : take_file, lines, &later);
    if (rc && !first && err) *err = later;
    if (!first) first = rc;
  }
  return first;
}

int collect_pass(struct collect *c, uint64_t *lines, struct vdt_error *err)
{
  *lines = 0;
  c->passed_us = clock_mono_us();
  int rc = each_source(c, false, lines, err);
  for (size_t i = 0; i < c->n_stores; i++) {
    baseline_obey(&c->baselines[i]);
    baseline_save(&c->baselines[i], c->passed_us, false);
  }
  if (rc || c->passed_us - c->swept_us < SWEEP_US) return rc;
  c->swept_us = c->passed_us;
  return each_source(c, true, lines, err);
}

static void drain(int fd)
{
  char events[4096];
  while (fd >= 0 && read(fd, events, sizeof events) > 0) continue;
}

bool collect_wait(struct collect *c, int timeout_ms, int stop_fd)
{
  struct pollfd p[2] = {{.fd = stop_fd, .events = POLLIN}, {.fd = c->notify, .events = POLLIN}};
  uint64_t since = clock_mono_us() - c->passed_us;
  if (since < GATHER_US && poll(p, 1, (int)((GATHER_US - since) / 1000)) > 0) return false;
  int n = poll(p, 2, timeout_ms);
  if (n > 0 && p[0].revents) return false;
  drain(c->notify);
  return true;
}
