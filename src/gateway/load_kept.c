#include "gateway/load_kept.h"
#include "base/error.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
  KEPT_MAX = 256 << 20,  /* a file; the shipped rules need 8 MB */
  KEPT_FILES = 8,        /* as many sets of rules; the one that was not used for longest goes first */
  LEFT_BEHIND = 60 * 60, /* seconds after which an unfinished file is one of a process that was killed */
  NAME_BYTES = 16,
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

/* A file is named by its rules' text, so that sets of rules do not drive each other out. */
static bool file_of(const char *folder, const struct vdt_source *rules, size_t n, char out[PATH_MAX])
{
  unsigned char hash[NAME_BYTES];
  char hex[2 * NAME_BYTES + 1];
  crypto_generichash_state h;
  if (sodium_init() < 0) return false;
  crypto_generichash_init(&h, NULL, 0, sizeof hash);
  for (size_t i = 0; i < n; i++) {
    crypto_generichash_update(&h, (const unsigned char *)&rules[i].n, sizeof rules[i].n);
    crypto_generichash_update(&h, (const unsigned char *)rules[i].p, rules[i].n);
  }
  crypto_generichash_final(&h, hash, sizeof hash);
  sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
  int length = snprintf(out, PATH_MAX, "%s/rules-%s", folder, hex);
  return length > 0 && length < PATH_MAX;
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

static void keep(const char *folder, const char *path, const struct vdt_engine *engine, struct vdt_error *note)
{
  void *bytes;
  size_t n;
  if (vdt_engine_compiled(engine, &bytes, &n) || !bytes) return;
  if (!make_folder(folder)) error_set(note, VDT_EIO, "%s: %s", folder, strerror(errno));
  else if (!file_replace(path, (struct str){bytes, n}, 0600, note)) tidy(folder);
  free(bytes);
}

int load_kept_engine(const char *folder, const struct vdt_source *rules, size_t n, struct vdt_engine **out,
                     struct vdt_error *note, struct vdt_error *err)
{
  char path[PATH_MAX];
  const void *bytes = NULL;
  size_t size = 0;
  struct vdt_error ignored;
  if (!folder || !file_of(folder, rules, n, path)) return vdt_engine_new(rules, n, out, err);
  /* Bytes that somebody else could have written are not looked at. */
  if (is_ours(folder, S_IFDIR) && is_ours(path, S_IFREG) && file_map(path, KEPT_MAX, &bytes, &size, &ignored)) bytes = NULL;
  int rc = vdt_engine_new_from(rules, n, bytes, size, out, err);
  if (bytes) {
    file_unmap(bytes, size);
    utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW); /* used now: see tidy() */
  }
  if (!rc) keep(folder, path, *out, note);
  return rc;
}
