/* The journal: whole lines only, a new file when one is full, nothing but a count when the disk is; its folder belongs to those who write there. */
#include "../test.h"
#include "record/record.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/vedette-journal-XXXXXX";
static int dirfd_;

static uint64_t size_of(const char *name)
{
  struct stat st;
  return fstatat(dirfd_, name, &st, 0) == 0 ? (uint64_t)st.st_size : UINT64_MAX;
}

static void clean(void)
{
  DIR *d = opendir(dir);
  for (struct dirent *e; d && (e = readdir(d));)
    if (e->d_name[0] != '.') unlinkat(dirfd_, e->d_name, 0);
  if (d) closedir(d);
}

static void opens_at_the_first_append(void)
{
  struct journal j;
  struct stat st;
  journal_init(&j, dirfd_, 1000);
  CHECK_INT(j.sequence, 0);
  CHECK_INT(journal_append(&j, STR("one\n"), 1764085575123456), VDT_OK);
  CHECK_INT(journal_append(&j, STR("two\n"), 1764085575123457), VDT_OK);
  CHECK_INT(size_of(j.name), 8);
  CHECK(fstatat(dirfd_, j.name, &st, 0) == 0 && (st.st_mode & 07777) == (0640 & ~(unsigned)022));
  journal_finish(&j);
  clean();
}

static void a_full_file_is_followed_by_another(void)
{
  struct journal j;
  char first[64];
  journal_init(&j, dirfd_, 10);
  for (int i = 0; i < 2; i++) CHECK_INT(journal_append(&j, STR("12345\n"), 7), VDT_OK);
  CHECK_INT(j.sequence, 2);
  snprintf(first, sizeof first, "%s", j.name);
  CHECK_INT(journal_append(&j, STR("a line longer than a file may be\n"), 7), VDT_OK);
  CHECK_INT(j.sequence, 3);
  CHECK_INT(size_of(first), 6);
  journal_finish(&j);
  clean();
}

static void the_file_is_locked_while_it_is_open(void)
{
  struct journal j;
  journal_init(&j, dirfd_, 1000);
  CHECK_INT(journal_append(&j, STR("x\n"), 1), VDT_OK);
  int fd = openat(dirfd_, j.name, O_RDONLY | O_CLOEXEC);
  CHECK(flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK);
  journal_finish(&j);
  CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
  close(fd);
  clean();
}

/* A limit on the size of files makes the kernel write a part of the line, like a disk that fills up. */
static void a_short_write_is_taken_back(void)
{
  struct journal j;
  struct rlimit before, small = {10, RLIM_INFINITY};
  getrlimit(RLIMIT_FSIZE, &before);
  small.rlim_max = before.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  journal_init(&j, dirfd_, 1000);
  CHECK_INT(journal_append(&j, STR("1234567\n"), 1), VDT_OK);
  setrlimit(RLIMIT_FSIZE, &small);
  int rc = journal_append(&j, STR("abcdefg\n"), 1), reason = errno;
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK_INT(rc, VDT_EIO);
  CHECK(reason != 0);
  CHECK_INT(j.lost, 1);
  CHECK_INT(size_of(j.name), 8);
  CHECK_INT(journal_append(&j, STR("abcdefg\n"), 1), VDT_OK);
  CHECK_INT(size_of(j.name), 16);
  CHECK_INT(j.lost, 1);
  journal_finish(&j);
  clean();
}

static void a_folder_that_is_gone_counts_as_lost(void)
{
  struct journal j;
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  journal_init(&j, fd, 1000);
  CHECK_INT(journal_append(&j, STR("x\n"), 1), VDT_EIO);
  CHECK_INT(j.lost, 1);
  journal_finish(&j);
  close(fd);
}

/* ---- the folder of a workspace's journals ----------------------------------------------------------------------- */

enum { OWNER = 33 /* www-data in Debian */, ROUNDS = 300 };

static int open_spool(void)
{
  CHECK_INT(mkdirat(dirfd_, "spool", 0750), 0);
  int fd = openat(dirfd_, "spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHECK_INT(geteuid() ? 0 : fchown(fd, OWNER, OWNER), 0);
  return fd;
}

static void remove_spool(int spool)
{
  unlinkat(spool, "workspaces/w", AT_REMOVEDIR);
  unlinkat(spool, "workspaces", AT_REMOVEDIR);
  close(spool);
  CHECK_INT(unlinkat(dirfd_, "spool", AT_REMOVEDIR), 0);
}

static bool is_like_the_spool(int spool, const char *name)
{
  struct stat st, like;
  return fstat(spool, &like) == 0 && fstatat(spool, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
         st.st_uid == like.st_uid && st.st_gid == like.st_gid && (st.st_mode & 07777) == 0750;
}

static void folders_are_the_spools_owners(void)
{
  int spool = open_spool(), fd = journal_folder(spool, "w");
  CHECK(fd >= 0);
  CHECK(is_like_the_spool(spool, "workspaces") && is_like_the_spool(spool, "workspaces/w"));
  close(fd);
  fd = journal_folder(spool, "w");
  CHECK(fd >= 0);
  close(fd);
  remove_spool(spool);
}

static void a_folder_that_its_maker_did_not_give_away_is_put_right(void)
{
  int spool = open_spool();
  CHECK(mkdirat(spool, "workspaces", 0750) == 0 && mkdirat(spool, "workspaces/w", 0700) == 0);
  int fd = journal_folder(spool, "w");
  CHECK(fd >= 0);
  CHECK(geteuid() || (is_like_the_spool(spool, "workspaces") && is_like_the_spool(spool, "workspaces/w")));
  close(fd);
  remove_spool(spool);
}

/* As the collector and nginx do at a first start. */
static void two_makers_at_once_leave_nothing_that_is_roots(void)
{
  int wrong = 0;
  for (int i = 0; i < ROUNDS; i++) {
    int spool = open_spool(), go[2], status = 1;
    CHECK_INT(pipe(go), 0);
    pid_t other = fork();
    if (other == 0) {
      char byte;
      int own = openat(dirfd_, "spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      close(go[1]);
      _exit(read(go[0], &byte, 1) == 0 && journal_folder(own, "w") >= 0 ? 0 : 1);
    }
    close(go[0]);
    close(go[1]); /* both begin */
    int fd = journal_folder(spool, "w");
    waitpid(other, &status, 0);
    wrong += fd < 0 || status != 0 || !is_like_the_spool(spool, "workspaces") || !is_like_the_spool(spool, "workspaces/w");
    if (fd >= 0) close(fd);
    remove_spool(spool);
  }
  CHECK_INT(wrong, 0);
}

int main(void)
{
  umask(022);
  if (!mkdtemp(dir)) return 1;
  dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  RUN(opens_at_the_first_append);
  RUN(a_full_file_is_followed_by_another);
  RUN(the_file_is_locked_while_it_is_open);
  RUN(a_short_write_is_taken_back);
  RUN(a_folder_that_is_gone_counts_as_lost);
  RUN(folders_are_the_spools_owners);
  RUN(a_folder_that_its_maker_did_not_give_away_is_put_right);
  RUN(two_makers_at_once_leave_nothing_that_is_roots);
  close(dirfd_);
  rmdir(dir);
  return test_end();
}
