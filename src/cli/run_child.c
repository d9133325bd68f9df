/* Starting, watching and stopping processes. */
#include "cli/run_child.h"
#include "base/error.h"
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEADY_US = 10000000, FIRST_WAIT_US = 100000, LONGEST_WAIT_US = 5000000, TAIL_BYTES = 2000 };

void child_arg(struct child *c, const char *arg)
{
  if (c->argc + 1 < CHILD_ARGS) c->argv[c->argc++] = arg;
}

/* In the new process: only what is safe between fork and exec. */
static void become(const struct child *c, pid_t parent)
{
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(0);
  setpgid(0, 0);
  int in = open("/dev/null", O_RDONLY), out = open(c->own_log ? "/dev/null" : c->log, O_WRONLY | O_CREAT | O_APPEND, 0640);
  if (in >= 0) dup2(in, STDIN_FILENO);
  if (out >= 0) dup2(out, STDOUT_FILENO);
  if (out >= 0) dup2(out, STDERR_FILENO);
  if (c->memory == CHILD_MEMORY) fcntl(CHILD_MEMORY, F_SETFD, 0);
  else if (c->memory) dup2(c->memory, CHILD_MEMORY);
  execvp(c->argv[0], (char *const *)(uintptr_t)c->argv);
  dprintf(STDERR_FILENO, "%s: %s\n", c->argv[0], strerror(errno));
  _exit(127);
}

int child_memory(const char *name)
{
  return memfd_create(name, MFD_CLOEXEC);
}

int child_start(struct child *c, uint64_t now_us, struct vdt_error *err)
{
  struct stat s;
  c->log_from = stat(c->log, &s) ? 0 : s.st_size;
  pid_t parent = getpid(), pid = fork();
  if (pid < 0) return error_set(err, VDT_EIO, "%s cannot be started: %s", c->name, strerror(errno));
  if (pid == 0) become(c, parent);
  c->pid = pid;
  c->started_us = now_us;
  c->restart_us = 0;
  return VDT_OK;
}

void child_ended(struct child *c, int status, uint64_t now_us)
{
  if (now_us - c->started_us > STEADY_US) c->failures = 0;
  uint64_t wait = (uint64_t)FIRST_WAIT_US << (c->failures < 6 ? c->failures : 6);
  if (wait > LONGEST_WAIT_US) wait = LONGEST_WAIT_US;
  c->failures++;
  c->pid = 0;
  c->restart_us = now_us + wait;
  if (WIFSIGNALED(status)) fprintf(stderr, "vedette run: %s was ended by signal %d", c->name, WTERMSIG(status));
  else fprintf(stderr, "vedette run: %s ended with status %d", c->name, WEXITSTATUS(status));
  fprintf(stderr, "; starting it again in %.1f s (its log: %s)\n", (double)wait / 1e6, c->log);
}

bool child_wait(struct child *c, unsigned ms)
{
  for (unsigned waited = 0; c->pid; waited += 5) {
    pid_t got = waitpid(c->pid, NULL, WNOHANG);
    if (got == c->pid || (got < 0 && errno == ECHILD)) c->pid = 0;
    else if (waited >= ms) return false;
    else nanosleep(&(struct timespec){0, 5000000}, NULL);
  }
  return true;
}

void child_stop(struct child *c, int signal, unsigned ms)
{
  if (!c->pid) return;
  kill(c->pid, signal);
  if (child_wait(c, ms)) return;
  kill(c->pid, SIGKILL);
  child_wait(c, 2000);
}

void child_show_log(const struct child *c)
{
  char tail[TAIL_BYTES];
  int fd = open(c->log, O_RDONLY | O_CLOEXEC);
  off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
  off_t from = size - c->log_from > TAIL_BYTES ? size - TAIL_BYTES : c->log_from;
  ssize_t n = fd < 0 ? 0 : pread(fd, tail, sizeof tail, from);
  if (fd >= 0) close(fd);
  for (ssize_t i = 0, begin = 0; i < n; i++) {
    if (tail[i] != '\n') continue;
    fprintf(stderr, "  ");
    cli_print_safe(stderr, (struct str){tail + begin, (size_t)(i - begin)});
    fprintf(stderr, "\n");
    begin = i + 1;
  }
}
