#include "api/spool.h"
#include "base/wipe.h"
#include "record/record.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REJECTED_MAX = 64 << 20, SILENT_S = 3600, FILES_MAX = 4096 };

int spool_open(struct spool *s, const char *state_dir, const char *workspace, int notify)
{
  char path[4096];
  *s = (struct spool){.fd = -1};
  snprintf(path, sizeof path, "%s/spool", state_dir);
  if (mkdir(path, 0750) && errno != EEXIST) return -1;
  s->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (workspace && s->fd >= 0) {
    int all = s->fd;
    s->fd = journal_folder(all, workspace);
    int reason = errno;
    close(all);
    errno = reason;
    snprintf(path, sizeof path, "%s/spool/workspaces/%s", state_dir, workspace);
  }
  if (s->fd < 0) return -1;
  /* Without inotify the one second poll does. */
  if (notify >= 0) inotify_add_watch(notify, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
  return 0;
}

void spool_close(struct spool *s)
{
  if (s->fd >= 0) close(s->fd);
  free(s->files);
}

/* "journal-<pid>-<start>.jsonl" and nothing else. */
static bool parse_name(struct str name, uint64_t *pid, uint64_t *start)
{
  struct str head = STR("journal-"), tail = STR(".jsonl");
  if (name.n >= 64 || name.n <= head.n + tail.n || !str_starts(name, head)) return false;
  if (!str_eq(str_cut(name, name.n - tail.n, name.n), tail)) return false;
  struct str middle = str_cut(name, head.n, name.n - tail.n);
  size_t dash = str_find(middle, STR("-"));
  return dash != (size_t)-1 && str_u64(str_cut(middle, 0, dash), pid) && str_u64(str_cut(middle, dash + 1, middle.n), start);
}

static struct spool_file *find(struct spool *s, const char *name)
{
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->files[i].name, name) == 0) return &s->files[i];
  return NULL;
}

static bool add(struct spool *s, const char *name)
{
  uint64_t pid, start;
  if (!parse_name(str_of(name), &pid, &start) || s->n == FILES_MAX) return true;
  struct spool_file *p = heap_grow(s->files, s->n, &s->cap, 16, sizeof *p);
  if (!p) return false;
  s->files = p;
  struct spool_file *f = &s->files[s->n++];
  *f = (struct spool_file){.pid = pid, .start = start, .seen = true};
  snprintf(f->name, sizeof f->name, "%s", name);
  return true;
}

static int by_start(const void *a, const void *b)
{
  const struct spool_file *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void forget_unseen(struct spool *s)
{
  size_t kept = 0;
  for (size_t i = 0; i < s->n; i++)
    if (s->files[i].seen) s->files[kept++] = s->files[i];
  s->n = kept;
}

bool spool_list(struct spool *s)
{
  int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
  if (!dir) {
    if (fd >= 0) close(fd);
    return false;
  }
  bool ok = true;
  for (size_t i = 0; i < s->n; i++) s->files[i].seen = false;
  for (struct dirent *e; ok && (e = readdir(dir));) {
    struct spool_file *f = find(s, e->d_name);
    if (f) f->seen = true;
    else ok = add(s, e->d_name);
  }
  closedir(dir);
  if (!ok) return false;
  forget_unseen(s);
  if (s->n) qsort(s->files, s->n, sizeof *s->files, by_start);
  return true;
}

static int open_file(const struct spool *s, const struct spool_file *f, struct stat *st)
{
  int fd = openat(s->fd, f->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode)) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

bool spool_read(const struct spool *s, const struct spool_file *f, size_t max, struct buf *out, uint64_t *size)
{
  struct stat st;
  int fd = open_file(s, f, &st);
  if (fd < 0) return false;
  *size = (uint64_t)st.st_size;
  bool ok = buf_reserve(out, max);
  size_t want = max;
  while (ok && want) {
    ssize_t got = pread(fd, out->p + out->n, want, (off_t)(f->offset + (max - want)));
    if (got < 0 && errno == EINTR) continue;
    ok = got >= 0;
    if (got <= 0) break;
    out->n += (size_t)got;
    want -= (size_t)got;
  }
  close(fd);
  return ok;
}

static bool has_successor(const struct spool *s, const struct spool_file *f)
{
  for (size_t i = 0; i < s->n; i++)
    if (s->files[i].pid == f->pid && s->files[i].start > f->start) return true;
  return false;
}

static bool writer_gone(const struct spool *s, const struct spool_file *f, const struct stat *st)
{
  bool dead = f->pid == 0 || f->pid > INT32_MAX || (kill((pid_t)f->pid, 0) != 0 && errno == ESRCH);
  return dead || has_successor(s, f) || time(NULL) - st->st_mtime > SILENT_S;
}

/* The lock is what a writer holds while it lives; the rest guards against writers that lock nothing. */
static bool finished(const struct spool *s, const struct spool_file *f, int fd, const struct stat *st)
{
  return writer_gone(s, f, st) && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

bool spool_is_finished(const struct spool *s, const struct spool_file *f)
{
  struct stat st;
  int fd = open_file(s, f, &st);
  if (fd < 0) return false;
  bool yes = finished(s, f, fd, &st);
  close(fd);
  return yes;
}

bool spool_delete(const struct spool *s, const struct spool_file *f, uint64_t size)
{
  struct stat st;
  int fd = open_file(s, f, &st);
  if (fd < 0) return false;
  bool yes = finished(s, f, fd, &st) && fstat(fd, &st) == 0 && (uint64_t)st.st_size == size;
  /* One that may not be written to, by another account, is taken away all the same. */
  yes = yes && (wipe_unlink(s->fd, f->name) || unlinkat(s->fd, f->name, 0) == 0);
  close(fd);
  return yes;
}

void spool_reject(const struct spool *s, struct str line)
{
  struct stat st;
  int fd = openat(s->fd, "rejected.jsonl", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  struct buf b = {0};
  buf_put(&b, line);
  if (!line.n || line.p[line.n - 1] != '\n') buf_byte(&b, '\n');
  if (!b.failed && fstat(fd, &st) == 0 && st.st_size + (off_t)b.n <= REJECTED_MAX) {
    ssize_t n = write(fd, b.p, b.n);
    if (n > 0 && (size_t)n < b.n && ftruncate(fd, st.st_size)) n = -1;
  }
  buf_finish(&b);
  close(fd);
}
