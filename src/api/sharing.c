#include "api/sharing.h"
#include "api/audit_record.h"
#include "base/clock.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void sharing_open(struct sharing *s, const char *state_dir, struct str workspace)
{
  *s = (struct sharing){0};
  snprintf(s->folder, sizeof s->folder, "%s/workspaces/%.*s/sharing", state_dir, (int)workspace.n, workspace.p);
}

void sharing_close(struct sharing *s)
{
  buf_finish(&s->lines);
}

void sharing_drop(struct sharing *s)
{
  buf_reset(&s->lines);
  s->lines.failed = false;
}

void sharing_add(struct sharing *s, const struct record *r)
{
  audit_record_put(&s->lines, r);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool append(int fd, struct str text)
{
  for (size_t at = 0; at < text.n;) {
    ssize_t n = write(fd, text.p + at, text.n - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += (size_t)n;
  }
  return true;
}

/* What a full disk cut short is taken back: a reader never meets half a line with another behind it. */
static bool append_whole(const char *path, struct str text)
{
  struct stat st;
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return false;
  bool ok = fstat(fd, &st) == 0 && append(fd, text);
  int reason = errno;
  if (!ok && ftruncate(fd, st.st_size) != 0) reason = errno;
  close(fd);
  errno = reason;
  return ok;
}

int sharing_write(struct sharing *s, uint64_t now_us, struct vdt_error *err)
{
  char path[4096 + 32], day[CLOCK_TEXT];
  if (s->lines.failed) return error_set(err, VDT_ENOMEM, "out of memory");
  if (!s->lines.n) return VDT_OK;
  clock_format(now_us, day);
  snprintf(path, sizeof path, "%s/%.10s.jsonl", s->folder, day);
  if ((mkdir(s->folder, 0750) && errno != EEXIST) || !append_whole(path, buf_str(&s->lines)))
    return error_set(err, VDT_EIO, "%s: %s", path, strerror(errno));
  sharing_drop(s);
  return VDT_OK;
}
