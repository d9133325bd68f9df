#include "gateway/load_kept.h"
#include "base/error.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
  KEPT_MAX = 256 << 20,  /* a file; the shipped rules need 13 MB */
  KEPT_FILES = 8,        /* as many sets of rules; the one that was not used for longest goes first */
  LEFT_BEHIND = 60 * 60, /* seconds after which an unfinished file is one of a process that was killed */
};

bool load_kept_folder(const char *state, char *out, size_t size)
{
  const char *named = getenv("VEDETTE_CACHE"), *caches = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  int n = -1;
  if (named && *named) n = strcmp(named, "none") == 0 ? -1 : snprintf(out, size, "%s", named);
  else if (state) n = snprintf(out, size, "%s/compiled", state);
  else if (caches && caches[0] == '/') n = snprintf(out, size, "%s/vedette", caches);
  else if (home && home[0] == '/') n = snprintf(out, size, "%s/.cache/vedette", home);
  return n > 0 && (size_t)n < size;
}

/* The folder and those above it that are missing, for this user alone. */
static bool make_folder(const char *folder)
{
  char path[PATH_MAX];
  int n = snprintf(path, sizeof path, "%s", folder);
  if (n <= 0 || (size_t)n >= sizeof path) return errno = ENAMETOOLONG, false;
  for (char *p = path + 1; *p; p++) {
    if (*p != '/') continue;
    *p = '\0';
    if (mkdir(path, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES) return false;
    *p = '/';
  }
  return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* What an engine is looked for in, and what was found. */
struct shelf {
  const char *folder;
  char path[PATH_MAX];
  const void *bytes;
  size_t n;
};

static bool file_of(struct shelf *s, const char *name)
{
  int length = snprintf(s->path, sizeof s->path, "%s/rules-%s", s->folder, name);
  return length > 0 && (size_t)length < sizeof s->path;
}

static bool is_ours(const char *path, mode_t type)
{
  struct stat st;
  return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
         (st.st_uid == geteuid() || st.st_uid == 0);
}

static int is_kept(const struct dirent *e)
{
  return str_starts(str_of(e->d_name), STR("rules-"));
}

static bool is_unfinished(const struct dirent *e)
{
  return strchr(e->d_name, '.') != NULL; /* as file_replace() names them */
}

/* How many files of the folder were used after that moment. */
static unsigned newer(const char *folder, struct dirent *const *names, int n, const struct timespec *than)
{
  unsigned count = 0;
  for (int i = 0; i < n; i++) {
    char path[PATH_MAX];
    struct stat st;
    int length = snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
    if (is_unfinished(names[i]) || length < 0 || (size_t)length >= sizeof path || lstat(path, &st) != 0) continue;
    count += st.st_mtim.tv_sec > than->tv_sec || (st.st_mtim.tv_sec == than->tv_sec && st.st_mtim.tv_nsec > than->tv_nsec);
  }
  return count;
}

/* Keeps those that were used last. What another process still reads stays for it as long as it does. */
static void tidy(const char *folder)
{
  struct dirent **names;
  int n = scandir(folder, &names, is_kept, NULL);
  for (int i = 0; i < n; i++) {
    char path[PATH_MAX];
    struct stat st;
    int length = snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
    bool there = length > 0 && (size_t)length < sizeof path && lstat(path, &st) == 0;
    if (there &&
        (is_unfinished(names[i]) ? time(NULL) - st.st_mtime > LEFT_BEHIND : newer(folder, names, n, &st.st_mtim) >= KEPT_FILES))
      unlink(path);
  }
  for (int i = 0; i < n; i++) free(names[i]);
  if (n >= 0) free(names);
}

/* Bytes that somebody else could have written are not looked at. */
static const void *find(void *context, const char *name, size_t *n)
{
  struct shelf *s = context;
  struct vdt_error ignored;
  if (!file_of(s, name) || !is_ours(s->folder, S_IFDIR) || !is_ours(s->path, S_IFREG)) return NULL;
  if (file_map(s->path, KEPT_MAX, &s->bytes, &s->n, &ignored)) return s->bytes = NULL;
  utimensat(AT_FDCWD, s->path, NULL, AT_SYMLINK_NOFOLLOW); /* used now: see tidy() */
  *n = s->n;
  return s->bytes;
}

static void keep(struct shelf *s, const struct vdt_engine *engine, struct vdt_error *note)
{
  const char *name;
  void *bytes;
  size_t n;
  if (vdt_engine_compiled(engine, &name, &bytes, &n) || !bytes) return;
  if (!file_of(s, name)) error_set(note, VDT_EIO, "%s: %s", s->folder, strerror(ENAMETOOLONG));
  else if (!make_folder(s->folder)) error_set(note, VDT_EIO, "%s: %s", s->folder, strerror(errno));
  else if (!file_replace(s->path, (struct str){bytes, n}, 0600, note)) tidy(s->folder);
  free(bytes);
}

int load_kept_engine(const char *folder, const struct vdt_source *rules, size_t n, struct vdt_engine **out,
                     struct vdt_error *note, struct vdt_error *err)
{
  struct shelf shelf = {.folder = folder};
  if (!folder) return vdt_engine_new(rules, n, out, err);
  int rc = vdt_engine_new_from(rules, n, &(struct vdt_kept){find, &shelf}, out, err);
  if (shelf.bytes) file_unmap(shelf.bytes, shelf.n);
  if (!rc) keep(&shelf, *out, note);
  return rc;
}
