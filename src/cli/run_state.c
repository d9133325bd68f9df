/* Folders, lock and addresses of `vedette run`. */
#include "cli/run_state.h"
#include "base/buf.h"
#include "base/error.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- folders ---------------------------------------------------------------------------------------------------- */

static int make_folder(const char *path, mode_t mode, struct vdt_error *err)
{
  if (mkdir(path, mode) && errno != EEXIST) return error_at(err, VDT_EIO, path, 0, "cannot be made: %s", strerror(errno));
  if (chmod(path, mode) == 0) return VDT_OK;
  if (errno == EPERM)
    return error_at(err, VDT_EIO, path, 0,
                    "it belongs to another account: start as that one, or name another folder with --state");
  return error_at(err, VDT_EIO, path, 0, "its mode cannot be set: %s", strerror(errno));
}

/* Removes the plain files of a folder and of those in it. Request bodies that a killed worker left behind hold prompts. */
static void empty_folder(int at, const char *name, unsigned depth)
{
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *d = fd < 0 ? NULL : fdopendir(fd);
  if (!d) {
    if (fd >= 0) close(fd);
    return;
  }
  for (struct dirent *e; (e = readdir(d));) {
    if (e->d_name[0] == '.') continue;
    if (unlinkat(fd, e->d_name, 0) && depth) empty_folder(fd, e->d_name, depth - 1);
  }
  closedir(d);
}

/* Everyone may pass through the folders above, so that www-data reaches the state folder. */
static const char *blocked_parent(char *path)
{
  struct stat s;
  for (char *slash = strrchr(path, '/'); slash && slash != path; slash = strrchr(path, '/')) {
    *slash = 0;
    if (stat(path, &s) || !(s.st_mode & S_IXOTH)) return path;
  }
  return NULL;
}

static void choose_user(const char *state, struct run_user *user)
{
  char parents[PATH_MAX];
  const struct passwd *p = geteuid() == 0 ? getpwnam("www-data") : NULL;
  *user = (struct run_user){NULL, getegid(), geteuid()};
  if (geteuid() != 0) return;
  snprintf(parents, sizeof parents, "%s", state);
  const char *blocked = blocked_parent(parents);
  if (p && !blocked) *user = (struct run_user){"www-data", p->pw_gid, p->pw_uid};
  else if (p)
    fprintf(stderr, "vedette run: www-data cannot pass %s, so the gateway runs as root; a state folder elsewhere is safer\n",
            blocked);
  if (!user->name) *user = (struct run_user){"root", 0, 0};
}

static int own(const char *path, uid_t uid, gid_t gid, struct vdt_error *err)
{
  if (geteuid() == 0 && chown(path, uid, gid))
    return error_at(err, VDT_EIO, path, 0, "its owner cannot be set: %s", strerror(errno));
  return VDT_OK;
}

/* Folders of the state: which, mode, whether the gateway's workers own it. */
static const struct folder {
  const char *name;
  mode_t mode;
  bool workers;
} folders[] = {{"spool", 0750, true},
               {"run", 0750, false},
               {"logs", 0750, false},
               {"nginx", 0750, false},
               {"nginx/client_body", 0700, true}};

static int make_folders(const char *state, const struct run_user *user, struct vdt_error *err)
{
  int rc = make_folder(state, 0750, err);
  if (!rc) rc = own(state, geteuid(), user->gid, err);
  for (size_t i = 0; !rc && i < sizeof folders / sizeof *folders; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", state, folders[i].name);
    rc = make_folder(path, folders[i].mode, err);
    if (!rc) rc = own(path, folders[i].workers ? user->uid : geteuid(), user->gid, err);
  }
  return rc;
}

int run_state_prepare(const char *dir, char **out, struct run_user *user, struct vdt_error *err)
{
  if (mkdir(dir, 0750) && errno != EEXIST)
    return error_at(err, VDT_EIO, dir, 0, "the state folder cannot be made: %s", strerror(errno));
  char *state = realpath(dir, NULL);
  if (!state) return error_at(err, VDT_EIO, dir, 0, "the state folder cannot be used: %s", strerror(errno));
  size_t n = str_of(state).n;
  int rc = n > 80 ? error_at(err, VDT_EINVAL, state, 0, "the path is too long for sockets in it (80 bytes at most)") : VDT_OK;
  if (!rc) choose_user(state, user);
  if (!rc) rc = make_folders(state, user, err);
  if (rc) free(state);
  else *out = state;
  return rc;
}

int run_state_lock(const char *state, struct vdt_error *err)
{
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/run/lock", state);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return error_at(err, VDT_EIO, path, 0, "%s", strerror(errno));
  if (flock(fd, LOCK_EX | LOCK_NB)) {
    close(fd);
    return error_at(err, VDT_ESTATE, state, 0,
                    "another vedette run uses this state folder; stop it or give another one with --state");
  }
  snprintf(path, sizeof path, "%s/nginx", state);
  empty_folder(AT_FDCWD, path, 3);
  return VDT_OK;
}

int run_file_write(const char *path, struct str text, struct vdt_error *err)
{
  char fresh[PATH_MAX];
  snprintf(fresh, sizeof fresh, "%s.new", path);
  int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool ok = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n;
  if (fd >= 0 && close(fd)) ok = false;
  if (ok && rename(fresh, path) == 0) return VDT_OK;
  int why = errno;
  unlink(fresh);
  return error_at(err, VDT_EIO, path, 0, "cannot be written: %s", strerror(why));
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un un;
};

static socklen_t read_unix(const char *path, union address *a)
{
  a->un.sun_family = AF_UNIX;
  struct str s = str_of(path);
  if (s.n >= sizeof a->un.sun_path) return 0;
  memcpy(a->un.sun_path, s.p, s.n + 1);
  return sizeof a->un;
}

/* "127.0.0.1:8080", "[::1]:8080", "unix:PATH"; 0 when it is a name, which nginx resolves. */
static socklen_t read_address(const char *text, union address *a)
{
  char host[256];
  uint64_t port;
  struct str s = str_of(text);
  memset(a, 0, sizeof *a);
  if (str_starts(s, STR("unix:"))) return read_unix(text + 5, a);
  const char *colon = strrchr(text, ':');
  if (!colon || colon == text || !str_u64(str_of(colon + 1), &port) || port > 65535) return 0;
  bool v6 = text[0] == '[';
  snprintf(host, sizeof host, "%.*s", (int)(colon - text) - (v6 ? 2 : 0), text + (v6 ? 1 : 0));
  a->any.sa_family = v6 ? AF_INET6 : AF_INET;
  if (v6) a->v6.sin6_port = htons((uint16_t)port);
  else a->v4.sin_port = htons((uint16_t)port);
  void *to = v6 ? (void *)&a->v6.sin6_addr : (void *)&a->v4.sin_addr;
  if (inet_pton(a->any.sa_family, host, to) != 1) return 0;
  return v6 ? sizeof a->v6 : sizeof a->v4;
}

bool run_address_answers(const char *address)
{
  union address a;
  socklen_t n = read_address(address, &a);
  int fd = n ? socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
  if (fd < 0) return false;
  bool ok = connect(fd, &a.any, n) == 0;
  close(fd);
  return ok;
}

/* The inode of the socket that listens on the port, from /proc/net/tcp or tcp6; 0 when there is none. */
static unsigned long listening_inode(const char *table, unsigned port)
{
  FILE *f = fopen(table, "re");
  char line[512];
  unsigned long inode = 0;
  while (f && !inode && fgets(line, sizeof line, f)) {
    unsigned local, state;
    unsigned long found;
    if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu", &local, &state, &found) == 3 &&
        local == port && state == 10)
      inode = found;
  }
  if (f) fclose(f);
  return inode;
}

static bool holds_socket(const char *pid, unsigned long inode)
{
  char path[PATH_MAX], want[64], target[64];
  snprintf(path, sizeof path, "/proc/%s/fd", pid);
  snprintf(want, sizeof want, "socket:[%lu]", inode);
  DIR *d = opendir(path);
  bool found = false;
  for (struct dirent *e; d && !found && (e = readdir(d));) {
    ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target);
    found = n > 0 && str_eq((struct str){target, (size_t)n}, str_of(want));
  }
  if (d) closedir(d);
  return found;
}

/* "nginx (pid 123)", as far as we may look into others. */
static void describe_owner(unsigned port, char *out, size_t n)
{
  unsigned long inode = listening_inode("/proc/net/tcp", port);
  if (!inode) inode = listening_inode("/proc/net/tcp6", port);
  DIR *d = inode ? opendir("/proc") : NULL;
  snprintf(out, n, "another program");
  for (struct dirent *e; d && (e = readdir(d));) {
    char path[PATH_MAX], name[32] = "";
    if (e->d_name[0] < '1' || e->d_name[0] > '9' || !holds_socket(e->d_name, inode)) continue;
    snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%31[ -~]", name) == 1) snprintf(out, n, "%s (pid %.20s)", name, e->d_name);
    if (f) fclose(f);
    break;
  }
  if (d) closedir(d);
}

/* A socket file that nobody serves any more is in the way of a new one. */
static int check_unix(const char *address, const char *key, struct vdt_error *err)
{
  if (run_address_answers(address))
    return error_set(err, VDT_ESTATE, "%s (%s): another program listens there; stop it or change %s", address, key, key);
  struct stat s;
  if (stat(address + 5, &s) == 0 && S_ISSOCK(s.st_mode)) unlink(address + 5);
  return VDT_OK;
}

int run_address_check(const char *address, const char *key, struct vdt_error *err)
{
  union address a;
  socklen_t n = read_address(address, &a);
  int one = 1;
  if (!n) return VDT_OK;
  if (a.any.sa_family == AF_UNIX) return check_unix(address, key, err);
  int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return error_set(err, VDT_EIO, "%s (%s): %s", address, key, strerror(errno));
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  int why = bind(fd, &a.any, n) == 0 && listen(fd, 1) == 0 ? 0 : errno;
  close(fd);
  if (why == 0) return VDT_OK;
  char owner[96];
  describe_owner(ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port), owner, sizeof owner);
  if (why == EADDRINUSE)
    return error_set(err, VDT_ESTATE, "%s (%s) is taken by %s; stop that, or change %s in the configuration", address, key, owner,
                     key);
  if (why == EACCES)
    return error_set(err, VDT_ESTATE, "%s (%s): ports below 1024 are for root; change %s in the configuration", address, key,
                     key);
  return error_set(err, VDT_ESTATE, "%s (%s): %s; change %s in the configuration", address, key, strerror(why), key);
}
