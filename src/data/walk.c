/* Walks a state folder and says of everything in it which row of places.def it is. It follows no links and reads no file. */
#include "base/error.h"
#include "data/data.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { DEPTH_MAX = 8, PATH_BYTES = 1024 };

struct walk {
  void (*item)(void *ctx, const struct data_item *item);
  void *ctx;
  char path[PATH_BYTES];
};

/* Cuts ".PID" or ".new" off, as base/file and run_state.c put it behind the name of a file that they replace. */
static bool cut_passing(const char *path, char *out, size_t n)
{
  const char *dot = strrchr(path, '.');
  if (!dot || dot == path || dot[1] == 0) return false;
  bool digits = strspn(dot + 1, "0123456789") == strlen(dot + 1);
  if (!digits && strcmp(dot, ".new") != 0) return false;
  snprintf(out, n, "%.*s", (int)(dot - path), path);
  return true;
}

static void meet(struct walk *w, const struct stat *st)
{
  char whole[PATH_BYTES];
  struct data_item i = {.path = w->path, .st = st};
  bool cut = S_ISREG(st->st_mode) && cut_passing(w->path, whole, sizeof whole);
  if (cut) i.place = data_place_of(whole, st->st_mode, &i.workspace);
  i.passing = i.place != NULL;
  if (!i.place) i.place = data_place_of(w->path, st->st_mode, &i.workspace);
  w->item(w->ctx, &i);
}

static int enter(struct walk *w, int at, const char *name, unsigned depth)
{
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *d = fd < 0 ? NULL : fdopendir(fd);
  size_t n = strlen(w->path);
  if (!d) {
    if (fd >= 0) close(fd);
    return -1;
  }
  for (struct dirent *e; (e = readdir(d));) {
    struct stat st;
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
    snprintf(w->path + n, sizeof w->path - n, "%s%s", n ? "/" : "", e->d_name);
    meet(w, &st);
    if (S_ISDIR(st.st_mode) && depth) enter(w, fd, e->d_name, depth - 1);
    w->path[n] = 0;
  }
  closedir(d);
  return 0;
}

int data_walk(const char *state_dir, void (*item)(void *ctx, const struct data_item *item), void *ctx, struct vdt_error *err)
{
  struct walk *w = calloc(1, sizeof *w);
  if (!w) return error_set(err, VDT_ENOMEM, "out of memory");
  *w = (struct walk){.item = item, .ctx = ctx};
  int rc = enter(w, AT_FDCWD, state_dir, DEPTH_MAX) == 0 ? VDT_OK : error_at(err, VDT_EIO, state_dir, 0, "%s", strerror(errno));
  free(w);
  return rc;
}
