#include "cli/run_portal.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 4 << 20, DEPTH = 2 };

static bool has_index(const char *folder)
{
  char path[PATH_MAX];
  return folder && snprintf(path, sizeof path, "%s/index.html", folder) < (int)sizeof path && access(path, R_OK) == 0;
}

const char *run_portal_find(struct vdt_arena *arena, const char *self)
{
  const char *given = getenv("VEDETTE_PORTAL"), *slash = strrchr(self, '/');
  if (given && *given) return has_index(given) ? given : NULL;
  const char *const places[] = {"../../portal", "../share/vedette/portal"}; /* a build; an installation, wherever it lies */
  for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
    const char *beside = arena_printf(arena, "%.*s/%s", (int)(slash - self), self, places[i]);
    if (has_index(beside)) return beside;
  }
  return has_index(VEDETTE_DATADIR "/portal") ? VEDETTE_DATADIR "/portal" : NULL;
}

static int give(const char *path, mode_t mode, const struct run_user *user, struct vdt_error *err)
{
  if (geteuid() == 0 && chown(path, 0, user->gid))
    return error_at(err, VDT_EIO, path, 0, "its group cannot be set: %s", strerror(errno));
  if (chmod(path, mode)) return error_at(err, VDT_EIO, path, 0, "its mode cannot be set: %s", strerror(errno));
  return VDT_OK;
}

static int copy_file(const char *from, const char *to, const struct run_user *user, struct vdt_error *err)
{
  struct buf text = {0};
  int rc = file_read(from, FILE_BYTES, &text, err);
  if (!rc) rc = run_file_write(to, buf_str(&text), err);
  buf_finish(&text);
  return rc ? rc : give(to, 0640, user, err);
}

static int copy_folder(const char *from, const char *to, unsigned depth, const struct run_user *user, struct vdt_error *err);

static int copy_entry(const char *from, const char *to, unsigned depth, const struct run_user *user, struct vdt_error *err)
{
  struct stat s;
  if (lstat(from, &s)) return error_at(err, VDT_EIO, from, 0, "cannot be read: %s", strerror(errno));
  if (S_ISREG(s.st_mode)) return copy_file(from, to, user, err);
  return S_ISDIR(s.st_mode) && depth ? copy_folder(from, to, depth - 1, user, err) : VDT_OK;
}

static int copy_folder(const char *from, const char *to, unsigned depth, const struct run_user *user, struct vdt_error *err)
{
  char source[PATH_MAX], target[PATH_MAX];
  int rc = VDT_OK;
  DIR *d = opendir(from);
  if (!d) return error_at(err, VDT_EIO, from, 0, "cannot be read: %s", strerror(errno));
  if (mkdir(to, 0750) && errno != EEXIST) rc = error_at(err, VDT_EIO, to, 0, "cannot be made: %s", strerror(errno));
  if (!rc) rc = give(to, 0750, user, err);
  for (struct dirent *e; !rc && (e = readdir(d));) {
    if (e->d_name[0] == '.') continue;
    if (snprintf(source, sizeof source, "%s/%s", from, e->d_name) >= (int)sizeof source ||
        snprintf(target, sizeof target, "%s/%s", to, e->d_name) >= (int)sizeof target)
      rc = error_at(err, VDT_EIO, from, 0, "a path in it is too long");
    else rc = copy_entry(source, target, depth, user, err);
  }
  closedir(d);
  return rc;
}

int run_portal_copy(const char *from, const char *to, const struct run_user *user, struct vdt_error *err)
{
  return copy_folder(from, to, DEPTH, user, err);
}
