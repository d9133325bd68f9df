/* The processes that `vedette run` starts: each in a group of its own, so that Ctrl-C reaches only us and they are stopped in order. */
#ifndef CLI_RUN_CHILD_H
#define CLI_RUN_CHILD_H
#include "base/str.h"
#include "vedette/vedette.h"
#include <sys/types.h>

enum { CHILD_ARGS = 800, CHILD_MEMORY = 3 };

struct child {
  const char *name; /* "serve" */
  const char *argv[CHILD_ARGS];
  size_t argc;
  char log[4096];      /* file that gets what it prints */
  bool own_log;        /* it writes that file itself: what it prints is the same and goes nowhere */
  off_t log_from;      /* where this start's part of the log begins */
  int memory;          /* a file in memory that it gets as CHILD_MEMORY and that outlives it; 0: none */
  pid_t pid;           /* 0: not running */
  uint64_t started_us; /* monotonic */
  uint64_t restart_us; /* when to start it again; 0: not waiting */
  unsigned failures;   /* deaths in a row */
};

void child_arg(struct child *c, const char *arg);
/* A file without a name that is in memory only, and that no other child gets. -1 when there is none to be had. */
int child_memory(const char *name);
/* Starts it; when this process dies, it is told to end. */
int child_start(struct child *c, uint64_t now_us, struct vdt_error *err);
/* It has ended with this status: says so and plans its restart, later each time in a row. */
void child_ended(struct child *c, int status, uint64_t now_us);
/* Waits until it has ended, at most ms; true when it has. */
bool child_wait(struct child *c, unsigned ms);
/* Sends the signal, waits, and kills what has not ended by then. */
void child_stop(struct child *c, int signal, unsigned ms);
/* The last lines of its log to standard error. */
void child_show_log(const struct child *c);
#endif
