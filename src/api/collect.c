/* The passes of the collector: which journals there are, how far each was read, and batches of lines in one transaction. What a line means is collect_line.c's. */
#include "api/collect_inside.h"
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

int collect_begin(struct collect *c, size_t i, struct vdt_error *err)
{
  if (c->begun[i]) return VDT_OK;
  int rc = c->stores[i]->ops->begin(c->stores[i], err);
  c->begun[i] = !rc;
  return rc;
}

void collect_rollback(struct collect *c)
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

/* ---- one batch -------------------------------------------------------------------------------------------------- */

static void add_stats(struct collect_stats *s, const struct batch *b)
{
  atomic_fetch_add(&s->records, b->records);
  atomic_fetch_add(&s->duplicates, b->duplicates);
  atomic_fetch_add(&s->evidence_lost, b->evidence_lost);
  atomic_fetch_add(&s->alerts_new, b->alerts_new);
  atomic_fetch_add(&s->alerts_extended, b->alerts_extended);
  atomic_fetch_add(&s->withdrawn, b->withdrawn);
  atomic_fetch_add(&s->after_purge, b->after_purge);
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
  int rc = collect_begin(c, c->at->store, err);
  if (!rc) rc = settings_refresh(&c->settings, c->stores, c->n_stores, err);
  while (!rc && *lines < max && *used < text.n) {
    const char *lf = memchr(text.p + *used, '\n', text.n - *used);
    if (!lf) break;
    size_t end = (size_t)(lf - text.p) + 1;
    rc = collect_line(c, f, f->offset + *used, str_cut(text, *used, end), b, err);
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
  collect_rollback(c);
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
  collect_reject(c, f, f->offset, STR(""), "longer than a record may be", &b);
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
  if (rest.n) collect_reject(c, f, f->offset, rest, "torn: its writer ended in the middle of it", &b);
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
