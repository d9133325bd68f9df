#include "api/key_source.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

void key_source_protect(void)
{
  struct rlimit none = {0, 0};
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  setrlimit(RLIMIT_CORE, &none);
}

bool key_source_path(const char *state, struct str workspace, bool private, char *out, size_t size)
{
  int n = snprintf(out, size, "%s/keys/%.*s.%s", state, (int)workspace.n, workspace.p, private ? "key" : "pub");
  return n > 0 && (size_t)n < size;
}

/* ---- files and variables ---------------------------------------------------------------------------------------- */

static int parse(struct str text, const char *name, struct str workspace, struct seal_private **out, struct vdt_error *err)
{
  return seal_private_read(text, name, workspace, out, err);
}

static int read_file(const char *path, struct str workspace, struct seal_private **out, struct vdt_error *err)
{
  struct stat st;
  struct buf text = {0};
  if (stat(path, &st))
    return error_at(err, errno == ENOENT ? VDT_ENOTFOUND : VDT_EIO, path, 0, "the private key of %.*s: %s", (int)workspace.n,
                    workspace.p, strerror(errno));
  if (st.st_mode & 0007)
    return error_at(err, VDT_ECONFIG, path, 0, "everybody may read this private key; `chmod 600` it, and think of it as known");
  if (!buf_reserve(&text, SEAL_TEXT_ROOM)) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = file_read(path, SEAL_KEY_FILE_MAX, &text, err);
  if (!rc) rc = parse(buf_str(&text), path, workspace, out, err);
  seal_text_finish(&text);
  return rc;
}

static int read_variable(const char *name, struct str workspace, struct seal_private **out, struct vdt_error *err)
{
  const char *text = getenv(name);
  if (!text || !*text)
    return error_at(err, VDT_ENOTFOUND, name, 0, "the environment variable with the private key of %.*s is not set",
                    (int)workspace.n, workspace.p);
  return parse(str_of(text), name, workspace, out, err);
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

/* Cuts the copy apart at blanks. The arguments end with NULL; 0 when there is none, or there are too many. */
static size_t split(char *copy, char *argv[KEY_COMMAND_ARGUMENTS + 1])
{
  size_t n = 0;
  char *rest = NULL;
  for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
    if (n == KEY_COMMAND_ARGUMENTS) return 0;
    argv[n++] = word;
  }
  argv[n] = NULL;
  return n;
}

static int start(char *const argv[], int out, pid_t *pid)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t how;
  sigset_t none;
  sigemptyset(&none);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawnattr_init(&how);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setsigmask(&how, &none); /* ours are blocked, for signalfd */
  int rc = posix_spawnp(pid, argv[0], &actions, &how, argv, environ);
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&actions);
  return rc;
}

/* What it prints, until it ends its output. false: too long, or it took too long. */
static bool gather(int fd, struct buf *text)
{
  uint64_t until = clock_mono_us() + (uint64_t)KEY_COMMAND_SECONDS * 1000000;
  for (;;) {
    uint64_t now = clock_mono_us();
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (now >= until || text->n > SEAL_KEY_FILE_MAX) return false;
    int ready = poll(&p, 1, (int)((until - now) / 1000) + 1);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    ssize_t n = read(fd, text->p + text->n, text->cap - text->n);
    if (n == 0) return true;
    if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (n > 0) text->n += (size_t)n;
  }
}

/* 0 when it ended well. It has ended its output: what goes on then is ended, with all that it started. */
static bool reap(pid_t pid, bool kill_it)
{
  int status = 0;
  const struct timespec tick = {0, 10000000};
  for (int i = 0; i < 100 && !kill_it; i++) {
    pid_t done = waitpid(pid, &status, WNOHANG);
    if (done == pid) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (done < 0 && errno != EINTR) return false;
    nanosleep(&tick, NULL);
  }
  kill(-pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return false;
}

static int run(char *const argv[], struct buf *text, struct vdt_error *err)
{
  int ends[2];
  pid_t pid;
  if (pipe2(ends, O_CLOEXEC)) return error_at(err, VDT_EIO, argv[0], 0, "the command for the private key: %s", strerror(errno));
  int rc = start(argv, ends[1], &pid);
  close(ends[1]);
  if (rc) {
    close(ends[0]);
    return error_at(err, VDT_EIO, argv[0], 0, "the command for the private key cannot be started: %s", strerror(rc));
  }
  bool whole = gather(ends[0], text);
  close(ends[0]);
  bool ok = reap(pid, !whole);
  if (!whole)
    return error_at(err, VDT_EIO, argv[0], 0,
                    "the command for the private key was not done in %d s, or printed more than a key file", KEY_COMMAND_SECONDS);
  return ok ? VDT_OK : error_at(err, VDT_EIO, argv[0], 0, "the command for the private key failed");
}

static int read_command(const char *command, struct str workspace, struct seal_private **out, struct vdt_error *err)
{
  char *copy = strdup(command), *argv[KEY_COMMAND_ARGUMENTS + 1];
  struct buf text = {0};
  int rc = copy && buf_reserve(&text, SEAL_TEXT_ROOM) ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc && !split(copy, argv))
    rc = error_set(err, VDT_ECONFIG, "the command for the private key has no words, or more than %d", KEY_COMMAND_ARGUMENTS);
  if (!rc) rc = run(argv, &text, err);
  if (!rc) rc = parse(buf_str(&text), argv[0], workspace, out, err);
  seal_text_finish(&text);
  free(copy);
  return rc;
}

/* ---- any -------------------------------------------------------------------------------------------------------- */

int key_source_read(const char *source, const char *state, struct str workspace, struct seal_private **out, struct vdt_error *err)
{
  char path[PATH_MAX];
  struct str s = str_of(source);
  *out = NULL;
  key_source_protect();
  if (str_starts(s, STR("file:"))) return read_file(source + 5, workspace, out, err);
  if (str_starts(s, STR("env:"))) return read_variable(source + 4, workspace, out, err);
  if (str_starts(s, STR("command:"))) return read_command(source + 8, workspace, out, err);
  if (source)
    return error_set(err, VDT_ENOTFOUND, "the private key of %.*s is not for this process (evidence_private_key: none)",
                     (int)workspace.n, workspace.p);
  if (!key_source_path(state, workspace, true, path, sizeof path)) return error_set(err, VDT_EINVAL, "the path is too long");
  return read_file(path, workspace, out, err);
}
