#include "api/feeds.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/quote.h"
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RETRY_SECONDS = 300, SECOND = 1000000, MOVED_MAX = 4096 };

struct one {
  const struct feeds_source *source;
  struct intel_section section;
  struct feeds_status status;
  char kept[4096]; /* path of what it said last */
  char etag[256];
  struct timespec changed; /* of its file */
  ino_t inode;
  off_t size;
  uint64_t due_us; /* monotonic: when its address is asked again */
};

struct feeds {
  const struct feeds_options *options;
  char intel_path[4096], status_path[4096];
  struct one *all;
  struct buf told; /* the status file as it was written last */
  pthread_t thread;
  bool started;
  pthread_mutex_t lock; /* for what follows */
  pthread_cond_t wake;
  bool stop;
  struct vdt_intel *fresh; /* not taken yet */
  struct feeds_status *status;
  struct feeds_transfer *moved; /* not taken yet */
  size_t n_moved, cap_moved;
};

static bool is_remote(const struct feeds_source *s)
{
  return strncmp(s->source, "https://", 8) == 0;
}

/* ---- one feed --------------------------------------------------------------------------------------------------- */

static uint64_t file_time(const char *path)
{
  struct stat st;
  if (stat(path, &st) != 0) return 0;
  return (uint64_t)st.st_mtim.tv_sec * SECOND + (uint64_t)st.st_mtim.tv_nsec / 1000;
}

/* Into the feed's section when all is well; else it stays as it was. */
static int take_text(struct one *o, const char *name, struct str text, uint64_t loaded_us, struct vdt_error *err)
{
  struct feed_reading how = {name, o->source->format, str_of(o->source->column), clock_unix_us()};
  struct intel_section fresh = {.kind = o->source->kind, .loaded_us = loaded_us};
  struct feed_report report;
  snprintf(fresh.name, sizeof fresh.name, "%s", o->source->name);
  int rc = feed_read(&how, text, &fresh, &report, err);
  if (rc) {
    intel_section_finish(&fresh);
    return rc;
  }
  intel_section_finish(&o->section);
  o->section = fresh;
  o->status.entries = intel_entries(&fresh);
  o->status.ignored = report.ignored;
  o->status.unreadable = report.unreadable;
  o->status.loaded_us = loaded_us;
  return VDT_OK;
}

static void say(struct one *o, int rc, const struct vdt_error *err)
{
  char text[sizeof o->status.error] = "";
  if (rc && err->line) snprintf(text, sizeof text, "%.120s:%u: %.180s", err->file, err->line, err->text);
  else if (rc && err->file[0]) snprintf(text, sizeof text, "%.120s: %.180s", err->file, err->text);
  else if (rc) snprintf(text, sizeof text, "%.300s", err->text);
  if (rc && strcmp(text, o->status.error) != 0)
    fprintf(stderr, "vedette serve: feed %s: %s; %s\n", o->source->name, text,
            o->status.loaded_us ? "what it said before stays" : "it says nothing yet");
  memcpy(o->status.error, text, sizeof text);
  o->status.failed = rc != VDT_OK;
  o->status.tried_us = clock_unix_us();
}

/* What it says now is kept for the next start. */
static int keep(struct one *o, struct str text, struct vdt_error *err)
{
  return file_replace(o->kept, text, 0640, err);
}

static int read_text(struct one *o, const char *path, uint64_t loaded_us, bool keeping, struct vdt_error *err)
{
  struct buf text = {0};
  int rc = file_read(path, FEED_BYTES_MAX, &text, err);
  if (!rc) rc = take_text(o, path, text.n ? buf_str(&text) : STR(""), loaded_us, err);
  if (!rc && keeping) rc = keep(o, buf_str(&text), err);
  buf_finish(&text);
  return rc;
}

/* True when there is something new. */
static bool look_at_file(struct one *o)
{
  struct vdt_error err = {0};
  struct stat st;
  if (stat(o->source->source, &st) != 0) {
    error_at(&err, VDT_EIO, o->source->source, 0, "%s", strerror(errno));
    say(o, VDT_EIO, &err);
    o->size = -1;
    return false;
  }
  if (st.st_ino == o->inode && st.st_size == o->size && memcmp(&st.st_mtim, &o->changed, sizeof st.st_mtim) == 0) return false;
  o->inode = st.st_ino;
  o->size = st.st_size;
  o->changed = st.st_mtim;
  int rc = read_text(o, o->source->source, file_time(o->source->source), true, &err);
  say(o, rc, &err);
  return !rc;
}

/* When nobody takes them (the disk is full for days) the last one of the list counts for those that follow. */
static void note_moved(void *ctx, const struct feeds_transfer *t)
{
  struct feeds *f = ctx;
  pthread_mutex_lock(&f->lock);
  struct feeds_transfer *p = f->n_moved < MOVED_MAX ? heap_grow(f->moved, f->n_moved, &f->cap_moved, 16, sizeof *p) : NULL;
  if (p) {
    f->moved = p;
    f->moved[f->n_moved++] = *t;
  } else if (f->n_moved) {
    f->moved[f->n_moved - 1].sent += t->sent;
    f->moved[f->n_moved - 1].received += t->received;
  }
  pthread_mutex_unlock(&f->lock);
}

static bool look_at_address(struct feeds *f, struct one *o)
{
  struct vdt_error err = {0};
  struct buf text = {0};
  bool unchanged = false;
  unsigned wait = o->source->refresh;
  if (clock_mono_us() < o->due_us) return false;
  int rc = fetch(o->source, f->options->trust, &(struct fetch_limits){FEED_BYTES_MAX, 60, 3}, o->etag, &text, &unchanged,
                 note_moved, f, &err);
  if (!rc && !unchanged) rc = take_text(o, o->source->name, text.n ? buf_str(&text) : STR(""), clock_unix_us(), &err);
  if (!rc && unchanged) o->status.loaded_us = o->section.loaded_us = clock_unix_us();
  if (!rc && !unchanged) rc = keep(o, buf_str(&text), &err);
  if (rc) o->etag[0] = 0;
  if (rc && wait > RETRY_SECONDS) wait = RETRY_SECONDS;
  o->due_us = clock_mono_us() + (uint64_t)wait * SECOND;
  buf_finish(&text);
  say(o, rc, &err);
  return !rc && !unchanged;
}

static void look_at_age(struct one *o)
{
  uint64_t now = clock_unix_us();
  bool stale = o->status.loaded_us == 0 || now - o->status.loaded_us > (uint64_t)o->source->stale_after * SECOND;
  if (now < o->status.loaded_us) stale = false;
  if (stale && !o->status.stale && o->status.loaded_us)
    fprintf(stderr, "vedette serve: feed %s is stale: it said something new %llu hours ago\n", o->source->name,
            (unsigned long long)((now - o->status.loaded_us) / SECOND / 3600));
  o->status.stale = stale;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static int put_block(const struct feeds *f, struct buf *block)
{
  struct intel_section own[INTEL_KINDS] = {0};
  const struct intel_section *all[INTEL_SECTIONS_MAX + INTEL_KINDS];
  size_t n = 0;
  int rc = VDT_OK;
  for (unsigned i = 0; !rc && f->options->built_in && i < INTEL_KINDS; i++) {
    rc = intel_builtin_section(&own[i], (enum intel_kind)i);
    all[n++] = &own[i];
  }
  for (size_t i = 0; i < f->options->n; i++)
    if (f->all[i].status.loaded_us) all[n++] = &f->all[i].section;
  if (!rc) intel_write(all, n, block);
  for (unsigned i = 0; i < INTEL_KINDS; i++) intel_section_finish(&own[i]);
  return rc ? rc : block->failed ? VDT_ENOMEM : VDT_OK;
}

static void release_heap(const void *block, size_t n)
{
  (void)n;
  free((void *)(uintptr_t)block);
}

/* To the workers as a file, to the collector as it is. */
static int publish(struct feeds *f, struct vdt_error *err)
{
  struct buf block = {0};
  struct vdt_intel *intel = NULL;
  int rc = put_block(f, &block) ? error_set(err, VDT_ENOMEM, "out of memory") : VDT_OK;
  if (!rc) rc = file_replace(f->intel_path, buf_str(&block), 0644, err);
  if (rc) {
    buf_finish(&block);
    return rc;
  }
  if (intel_open(block.p, block.n, release_heap, &intel)) return error_set(err, VDT_ENOMEM, "out of memory");
  pthread_mutex_lock(&f->lock);
  struct vdt_intel *old = f->fresh;
  f->fresh = intel;
  pthread_mutex_unlock(&f->lock);
  intel_drop(old);
  return VDT_OK;
}

static void put_time(struct buf *b, const char *name, uint64_t us)
{
  char text[CLOCK_TEXT];
  if (!us) return;
  clock_format(us, text);
  buf_printf(b, ",\"%s\":\"%s\"", name, text);
}

static void put_status(const struct one *o, struct buf *b)
{
  const struct feeds_status *s = &o->status;
  buf_printf(b, "{\"name\":\"%s\",\"kind\":\"%s\",\"from\":\"%s\",\"entries\":%llu,\"ignored\":%llu,\"unreadable\":%llu",
             o->source->name, intel_kind_name(s->kind), is_remote(o->source) ? "url" : "file", (unsigned long long)s->entries,
             (unsigned long long)s->ignored, (unsigned long long)s->unreadable);
  buf_printf(b, ",\"staleAfterSeconds\":%u,\"stale\":%s", o->source->stale_after, s->stale ? "true" : "false");
  put_time(b, "loaded", s->loaded_us);
  if (s->failed) {
    BUF_LIT(b, ",\"error\":");
    json_quote(b, str_of(s->error));
  }
  buf_byte(b, '}');
}

static void write_status(struct feeds *f)
{
  struct buf b = {0};
  struct vdt_error err = {0};
  BUF_LIT(&b, "{\"feeds\":[");
  for (size_t i = 0; i < f->options->n; i++) {
    if (i) buf_byte(&b, ',');
    put_status(&f->all[i], &b);
  }
  buf_printf(&b, "],\"builtIn\":%s}\n", f->options->built_in ? "true" : "false");
  bool same = !b.failed && f->told.n == b.n && memcmp(f->told.p, b.p, b.n) == 0;
  if (same || b.failed || file_replace(f->status_path, buf_str(&b), 0640, &err)) {
    buf_finish(&b);
    return;
  }
  buf_finish(&f->told);
  f->told = b;
}

static void share_status(struct feeds *f)
{
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->options->n; i++) f->status[i] = f->all[i].status;
  pthread_mutex_unlock(&f->lock);
  write_status(f);
}

static bool wait_a_second(struct feeds *f)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec++;
  pthread_mutex_lock(&f->lock);
  if (!f->stop) pthread_cond_timedwait(&f->wake, &f->lock, &until);
  bool stop = f->stop;
  pthread_mutex_unlock(&f->lock);
  return !stop;
}

static void *run(void *arg)
{
  struct feeds *f = arg;
  do {
    struct vdt_error err = {0};
    bool fresh = false;
    for (size_t i = 0; i < f->options->n; i++) {
      struct one *o = &f->all[i];
      fresh |= is_remote(o->source) ? look_at_address(f, o) : look_at_file(o);
      look_at_age(o);
    }
    if (fresh && publish(f, &err)) fprintf(stderr, "vedette serve: feeds: %s\n", err.text);
    share_status(f);
  } while (wait_a_second(f));
  return NULL;
}

/* ---- begin and end ----------------------------------------------------------------------------------------------- */

static void begin(struct one *o, const struct feeds_source *s, const char *state_dir)
{
  struct vdt_error err = {0};
  o->source = s;
  o->status.name = s->name;
  o->status.kind = s->kind;
  o->size = -1;
  snprintf(o->kept, sizeof o->kept, "%s/feeds/%s", state_dir, s->name);
  uint64_t when = file_time(o->kept);
  if (when && read_text(o, o->kept, when, false, &err)) unlink(o->kept); /* of another version, or another kind of feed now */
}

static int prepare(struct feeds *f, const char *state_dir, struct vdt_error *err)
{
  char folder[4096];
  snprintf(folder, sizeof folder, "%s/feeds", state_dir);
  snprintf(f->intel_path, sizeof f->intel_path, "%s/spool/intel", state_dir);
  snprintf(f->status_path, sizeof f->status_path, "%s/feeds/status.json", state_dir);
  if (mkdir(folder, 0750) && errno != EEXIST) return error_set(err, VDT_EIO, "%s: %s", folder, strerror(errno));
  for (size_t i = 0; i < f->options->n; i++) {
    begin(&f->all[i], &f->options->sources[i], state_dir);
    look_at_age(&f->all[i]);
  }
  int rc = publish(f, err);
  share_status(f);
  return rc;
}

int feeds_start(const char *state_dir, const struct feeds_options *options, struct feeds **out, struct vdt_error *err)
{
  struct feeds *f = calloc(1, sizeof *f);
  if (!f) return error_set(err, VDT_ENOMEM, "out of memory");
  f->options = options;
  f->all = calloc(options->n + 1, sizeof *f->all);
  f->status = calloc(options->n + 1, sizeof *f->status);
  pthread_mutex_init(&f->lock, NULL);
  pthread_cond_init(&f->wake, NULL);
  int rc = f->all && f->status ? prepare(f, state_dir, err) : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc && options->n) {
    f->started = pthread_create(&f->thread, NULL, run, f) == 0;
    if (!f->started) rc = error_set(err, VDT_EIO, "no thread for feeds");
  }
  if (rc) feeds_stop(f);
  else *out = f;
  return rc;
}

void feeds_stop(struct feeds *f)
{
  if (!f) return;
  pthread_mutex_lock(&f->lock);
  f->stop = true;
  pthread_cond_signal(&f->wake);
  pthread_mutex_unlock(&f->lock);
  if (f->started) pthread_join(f->thread, NULL);
  for (size_t i = 0; f->all && i < f->options->n; i++) intel_section_finish(&f->all[i].section);
  intel_drop(f->fresh);
  buf_finish(&f->told);
  pthread_cond_destroy(&f->wake);
  pthread_mutex_destroy(&f->lock);
  free(f->all);
  free(f->status);
  free(f->moved);
  free(f);
}

void feeds_take(struct feeds *f, struct vdt_intel **intel)
{
  pthread_mutex_lock(&f->lock);
  struct vdt_intel *fresh = f->fresh;
  f->fresh = NULL;
  pthread_mutex_unlock(&f->lock);
  if (!fresh) return;
  intel_drop(*intel);
  *intel = fresh;
}

bool feeds_status_at(struct feeds *f, size_t i, struct feeds_status *out)
{
  if (!f || i >= f->options->n) return false;
  pthread_mutex_lock(&f->lock);
  *out = f->status[i];
  pthread_mutex_unlock(&f->lock);
  return true;
}

void feeds_take_transfers(struct feeds *f, bool (*take)(void *ctx, const struct feeds_transfer *t), void *ctx)
{
  size_t n = 0;
  pthread_mutex_lock(&f->lock);
  while (n < f->n_moved && take(ctx, &f->moved[n])) n++;
  if (n) memmove(f->moved, f->moved + n, (f->n_moved - n) * sizeof *f->moved);
  f->n_moved -= n;
  pthread_mutex_unlock(&f->lock);
}
