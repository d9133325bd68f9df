#include "base/file.h"
#include "base/error.h"
#include <errno.h>

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
