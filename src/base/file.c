#include "base/file.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, size_t limit, struct buf *out, struct vdt_error *err)
{
  FILE *f = fopen(path, "rbe");
  if (!f) return error_at(err, VDT_EIO, path, 0, "%s", strerror(errno));
  size_t begin = out->n, got;
  do {
    if (!buf_reserve(out, 65536)) break;
    got = fread(out->p + out->n, 1, 65536, f);
    out->n += got;
  } while (got > 0 && out->n - begin <= limit);
  bool failed = ferror(f);
  int reason = errno;
  fclose(f);
  if (out->failed) return error_at(err, VDT_ENOMEM, path, 0, "out of memory");
  if (failed) return error_at(err, VDT_EIO, path, 0, "%s", strerror(reason));
  if (out->n - begin > limit) return error_at(err, VDT_ETOOBIG, path, 0, "larger than %zu bytes", limit);
  return VDT_OK;
}

static bool fill(int fd, bool (*write)(void *ctx, FILE *f), void *ctx)
{
  FILE *f = fdopen(fd, "wb");
  if (!f) return close(fd), false;
  bool ok = write(ctx, f) && fflush(f) == 0 && fsync(fd) == 0;
  int reason = errno;
  if (fclose(f) != 0 && ok) return false;
  errno = reason;
  return ok;
}

int file_replace_with(const char *path, unsigned mode, bool (*write)(void *ctx, FILE *f), void *ctx, struct vdt_error *err)
{
  char made[4200];
  int n = snprintf(made, sizeof made, "%s.%ld", path, (long)getpid());
  if (n < 0 || (size_t)n >= sizeof made) return error_set(err, VDT_EIO, "%s: the path is too long", path);
  int fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
  if (fd < 0) return error_set(err, VDT_EIO, "%s: %s", made, strerror(errno));
  fchmod(fd, (mode_t)mode);
  bool ok = fill(fd, write, ctx) && rename(made, path) == 0;
  int reason = errno;
  if (ok) return VDT_OK;
  unlink(made);
  return error_set(err, VDT_EIO, "%s: %s", path, strerror(reason));
}

static bool write_text(void *ctx, FILE *f)
{
  const struct str *text = ctx;
  return text->n == 0 || fwrite(text->p, 1, text->n, f) == text->n;
}

int file_replace(const char *path, struct str text, unsigned mode, struct vdt_error *err)
{
  return file_replace_with(path, mode, write_text, &text, err);
}

int file_map(const char *path, size_t limit, const void **out, size_t *n, struct vdt_error *err)
{
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error_at(err, VDT_EIO, path, 0, "%s", strerror(errno));
  int rc = VDT_OK;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
    rc = error_at(err, VDT_EIO, path, 0, "no file with content");
  else if ((uint64_t)st.st_size > limit) rc = error_at(err, VDT_ETOOBIG, path, 0, "larger than %zu bytes", limit);
  void *p = rc ? MAP_FAILED : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (!rc && p == MAP_FAILED) rc = error_at(err, VDT_EIO, path, 0, "%s", strerror(errno));
  close(fd);
  if (rc) return rc;
  *out = p;
  *n = (size_t)st.st_size;
  return VDT_OK;
}

void file_unmap(const void *p, size_t n)
{
  munmap((void *)(uintptr_t)p, n);
}
