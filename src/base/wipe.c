#include "base/wipe.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 16 };

bool wipe_range(int fd, off_t from, off_t to)
{
  static const char zeros[PIECE];
  while (from < to) {
    size_t want = to - from > PIECE ? PIECE : (size_t)(to - from);
    ssize_t n = pwrite(fd, zeros, want, from);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    from += n;
  }
  return fdatasync(fd) == 0;
}

/* Wiped before the name goes: who is killed in between finds the file again and wipes it again. */
bool wipe_unlink(int dirfd, const char *name)
{
  struct stat st;
  int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  bool ours = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
  bool ok = (!ours || wipe_range(fd, 0, st.st_size)) && unlinkat(dirfd, name, 0) == 0;
  int reason = errno;
  close(fd);
  errno = reason;
  return ok;
}
