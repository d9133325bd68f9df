/*
 * The journal. A writer holds a shared lock on its file for as long as it lives, which is how the collector knows across containers
 * that nobody will append any more: process ids alone would not say.
 */
#include "record/record.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0750 };

static bool give_away(int fd, const struct stat *spool)
{
  return fchmod(fd, spool->st_mode & FOLDER_MODE) == 0 && (geteuid() || fchown(fd, spool->st_uid, spool->st_gid) == 0);
}

/* Root makes it for the spool's owner. One that is root's still was left so by a maker that was killed in between: nobody else could write there. */
static int make_folder(int at, const char *name, const struct stat *spool)
{
  struct stat st;
  bool made = mkdirat(at, name, spool->st_mode & FOLDER_MODE) == 0;
  if (!made && errno != EEXIST) return -1;
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  bool left = fd >= 0 && !made && geteuid() == 0 && fstat(fd, &st) == 0 && st.st_uid == 0 && spool->st_uid != 0;
  if (fd < 0 || !(made || left) || give_away(fd, spool)) return fd;
  close(fd);
  return -1;
}

/* The collector and nginx start at the same time: the lock on the spool keeps one from what the other has made but not given away yet. */
int journal_folder(int spool, const char *workspace)
{
  struct stat st;
  if (fstat(spool, &st) || flock(spool, LOCK_EX)) return -1;
  int all = make_folder(spool, "workspaces", &st), one = all < 0 ? -1 : make_folder(all, workspace, &st), reason = errno;
  if (all >= 0) close(all);
  flock(spool, LOCK_UN);
  errno = reason;
  return one;
}

void journal_init(struct journal *j, int dirfd, uint64_t max_bytes)
{
  *j = (struct journal){.dirfd = dirfd, .fd = -1, .max_bytes = max_bytes};
}

void journal_finish(struct journal *j)
{
  if (j->fd >= 0) close(j->fd);
  j->fd = -1;
  j->size = 0;
}

/* The collector may have found the new file empty and unlocked and taken it away: then it has no name any more. */
static bool still_there(int fd)
{
  struct stat st;
  return flock(fd, LOCK_SH | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static int open_next(struct journal *j, uint64_t now_us)
{
  for (int tries = 0; tries < 64; tries++) {
    snprintf(j->name, sizeof j->name, "journal-%ld-%llu.jsonl", (long)getpid(), (unsigned long long)now_us + (unsigned)tries);
    int fd = openat(j->dirfd, j->name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0 && errno == EEXIST) continue;
    if (fd < 0) return VDT_EIO;
    if (still_there(fd)) {
      j->fd = fd;
      j->size = 0;
      j->sequence++;
      return VDT_OK;
    }
    close(fd);
  }
  errno = EEXIST;
  return VDT_EIO;
}

static ssize_t write_once(int fd, struct str line)
{
  ssize_t n;
  do n = write(fd, line.p, line.n);
  while (n < 0 && errno == EINTR);
  return n;
}

/* After a short write: back to the last whole line. If even that fails nothing may follow in this file. */
static void cut_back(struct journal *j)
{
  int reason = errno;
  if (ftruncate(j->fd, (off_t)j->size) != 0) journal_finish(j);
  errno = reason;
}

int journal_append(struct journal *j, struct str line, uint64_t now_us)
{
  if (j->fd >= 0 && j->size > 0 && j->size + line.n > j->max_bytes) journal_finish(j);
  if (j->fd < 0 && open_next(j, now_us)) {
    j->lost++;
    return VDT_EIO;
  }
  errno = 0;
  ssize_t n = write_once(j->fd, line);
  if (n == (ssize_t)line.n) {
    j->size += line.n;
    return VDT_OK;
  }
  if (n >= 0 && errno == 0) errno = ENOSPC;
  if (n > 0) cut_back(j);
  j->lost++;
  return VDT_EIO;
}
