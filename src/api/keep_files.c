#include "api/keep_files.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/wipe.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHARING_MAX = 1 << 30, ID = RECORD_ID_LEN };

/* Calls fn for each plain name in a folder that begins and ends so. A folder that is not there has none. */
struct walk {
  int fd;
  struct str head, tail;
  int (*fn)(struct walk *w, const char *name, struct vdt_error *err);
  const char *path;
  struct store *const *stores;
  size_t n;
  uint64_t before_us, now_us; /* what is as old as that has expired */
  bool purged;
};

static bool fits(const struct walk *w, struct str name)
{
  return name.n >= w->head.n + w->tail.n && str_starts(name, w->head) &&
         str_eq(str_cut(name, name.n - w->tail.n, name.n), w->tail);
}

static int walk(struct walk *w, struct vdt_error *err)
{
  int rc = VDT_OK;
  w->fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *d = w->fd < 0 ? NULL : fdopendir(dup(w->fd));
  for (struct dirent *e; !rc && d && (e = readdir(d));)
    if (fits(w, str_of(e->d_name))) rc = w->fn(w, e->d_name, err);
  if (d) closedir(d);
  if (w->fd >= 0) close(w->fd);
  return rc;
}

static int failed(const struct walk *w, const char *name, struct vdt_error *err)
{
  return error_set(err, VDT_EIO, "%s/%s: cannot be wiped: %s", w->path, name, strerror(errno));
}

/* ---- journals --------------------------------------------------------------------------------------------------- */

/* Where a journal was wiped before there are holes now, and they are not filled again. */
static bool wipe_read_part(int fd, uint64_t to)
{
  off_t from = lseek(fd, 0, SEEK_DATA);
  if (from < 0) return errno == ENXIO;
  if ((uint64_t)from >= to) return true;
  if (!wipe_range(fd, from, (off_t)to)) return false;
  /* Not every file system can: then the zeros stay, which is as good. */
  if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)to)) return true;
  return true;
}

static int offset_of(const struct walk *w, const char *name, uint64_t *out, struct vdt_error *err)
{
  *out = 0;
  for (size_t i = 0; i < w->n; i++) {
    uint64_t one;
    int rc = w->stores[i]->ops->get_offset(w->stores[i], str_of(name), &one, err);
    if (rc) return rc;
    if (one > *out) *out = one;
  }
  return VDT_OK;
}

/* The offset is asked for first: what lies before it is on the disk of every store after the sync. */
static int wipe_journal(struct walk *w, const char *name, struct vdt_error *err)
{
  struct stat st;
  uint64_t to;
  int rc = offset_of(w, name, &to, err);
  for (size_t i = 0; !rc && to && i < w->n; i++) rc = w->stores[i]->ops->sync(w->stores[i], err);
  if (rc || !to) return rc;
  int fd = openat(w->fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return errno == ENOENT ? VDT_OK : failed(w, name, err);
  bool plain = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
  if (plain && to > (uint64_t)st.st_size) to = (uint64_t)st.st_size;
  if (plain && !wipe_read_part(fd, to)) rc = failed(w, name, err);
  close(fd);
  return rc;
}

static int wipe_rejected(struct walk *w, const char *name, struct vdt_error *err)
{
  struct stat st;
  if (fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode)) return VDT_OK;
  bool old = (uint64_t)st.st_mtime * 1000000 <= w->before_us;
  if (!w->purged && !old) return VDT_OK;
  return wipe_unlink(w->fd, name) || errno == ENOENT ? VDT_OK : failed(w, name, err);
}

static int spool(const char *path, struct walk *w, struct vdt_error *err)
{
  w->path = path;
  w->head = STR("journal-");
  w->tail = STR(".jsonl");
  w->fn = wipe_journal;
  int rc = walk(w, err);
  w->head = STR("rejected");
  w->fn = wipe_rejected;
  return rc ? rc : walk(w, err);
}

/* ---- shared audit records --------------------------------------------------------------------------------------- */

struct lines {
  struct store *store;
  struct str text;
  struct buf kept;
};

/* The interaction that a line is about: its Id is the interaction's as a GUID. */
static bool id_of(struct str line, char out[ID])
{
  size_t at = str_find(line, STR("\"Id\":\"")), n = 0;
  if (at == (size_t)-1) return false;
  for (size_t i = at + 6; i < line.n && line.p[i] != '"' && n < ID; i++)
    if (line.p[i] != '-') out[n++] = line.p[i];
  return n == ID;
}

/* A line stays for as long as its record does, held ones too. */
static int keep_lines(struct lines *l, struct vdt_error *err)
{
  char id[ID];
  int rc = VDT_OK;
  for (struct str left = l->text; !rc && left.n;) {
    const char *lf = memchr(left.p, '\n', left.n);
    size_t n = lf ? (size_t)(lf - left.p) + 1 : left.n;
    struct str line = str_cut(left, 0, n);
    bool stays = true;
    if (id_of(line, id)) rc = l->store->ops->has_record(l->store, (struct str){id, ID}, &stays, err);
    if (stays) buf_put(&l->kept, line);
    left = str_cut(left, n, left.n);
  }
  return rc || !l->kept.failed ? rc : error_set(err, VDT_ENOMEM, "out of memory");
}

static int put_back(struct walk *w, const char *name, struct str kept, struct vdt_error *err)
{
  char path[4400];
  struct stat st;
  int old = openat(w->fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW), rc = VDT_OK;
  if (old < 0) return failed(w, name, err);
  snprintf(path, sizeof path, "%s/%s", w->path, name);
  if (kept.n) rc = file_replace(path, kept, 0640, err);
  else if (!wipe_unlink(w->fd, name)) rc = failed(w, name, err);
  if (!rc && kept.n && (fstat(old, &st) || !wipe_range(old, 0, st.st_size))) rc = failed(w, name, err);
  close(old);
  return rc;
}

struct trim {
  struct walk *w;
  const char *name;
};

static int trim(void *ctx, struct store *s, struct vdt_error *err)
{
  const struct trim *t = ctx;
  char path[4400];
  struct buf text = {0};
  snprintf(path, sizeof path, "%s/%s", t->w->path, t->name);
  int rc = file_read(path, SHARING_MAX, &text, err);
  struct lines l = {.store = s, .text = buf_str(&text)};
  if (!rc) rc = keep_lines(&l, err);
  if (!rc && l.kept.n != text.n) rc = put_back(t->w, t->name, buf_str(&l.kept), err);
  buf_finish(&l.kept);
  buf_finish(&text);
  return rc;
}

/* Files of days that may have something to go. The collector appends to today's: while that one is looked at, it waits. */
static int trim_day(struct walk *w, const char *name, struct vdt_error *err)
{
  char before[CLOCK_TEXT], yesterday[CLOCK_TEXT];
  struct trim t = {w, name};
  clock_format(w->before_us, before);
  clock_format(w->now_us > UINT64_C(86400000000) ? w->now_us - UINT64_C(86400000000) : 0, yesterday);
  if (!w->purged && strncmp(name, before, 10) >= 0) return VDT_OK;
  if (strncmp(name, yesterday, 10) < 0) return trim(&t, w->stores[0], err);
  return w->stores[0]->ops->alone(w->stores[0], trim, &t, err);
}

/* ---- together --------------------------------------------------------------------------------------------------- */

static int cutoff(struct store *s, uint64_t now_us, uint64_t *before_us, struct vdt_error *err)
{
  struct store_keeps keeps;
  int rc = s->ops->get_keeps(s, &keeps, err);
  uint64_t keep_s = keeps.of[STORE_RECORDS].effective;
  *before_us = keep_s == STORE_FOREVER || keep_s > now_us / 1000000 ? 0 : now_us - keep_s * 1000000;
  return rc;
}

int keep_files(const char *state_dir, struct store *s, uint64_t now_us, bool purged, struct vdt_error *err)
{
  char path[4200];
  struct str name = s->place.workspace;
  struct walk w = {.stores = &s, .n = 1, .now_us = now_us, .purged = purged};
  int rc = cutoff(s, now_us, &w.before_us, err);
  snprintf(path, sizeof path, "%s/spool/workspaces/%.*s", state_dir, (int)name.n, name.p);
  if (!rc) rc = spool(path, &w, err);
  snprintf(path, sizeof path, "%s/workspaces/%.*s/sharing", state_dir, (int)name.n, name.p);
  w.path = path;
  w.head = STR("");
  w.tail = STR(".jsonl");
  w.fn = trim_day;
  return rc ? rc : walk(&w, err);
}

/* What lies there may be of any workspace: the one that keeps longest decides about lines that nobody could read. */
int keep_shared_files(const char *state_dir, struct store *const *stores, size_t n, uint64_t now_us, bool purged,
                      struct vdt_error *err)
{
  char path[4200];
  struct walk w = {.stores = stores, .n = n, .now_us = now_us, .purged = purged, .before_us = UINT64_MAX};
  for (size_t i = 0; i < n; i++) {
    uint64_t before;
    int rc = cutoff(stores[i], now_us, &before, err);
    if (rc) return rc;
    if (before < w.before_us) w.before_us = before;
  }
  snprintf(path, sizeof path, "%s/spool", state_dir);
  return n ? spool(path, &w, err) : VDT_OK;
}
