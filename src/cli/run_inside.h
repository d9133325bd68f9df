/*
 * What the files of `vedette run` share: run.c starts and supervises, run_config.c reads the configuration and writes what nginx reads, run_programs.c knows
 * which programs there are and what they are started with, run_say.c says what a person needs to know.
 */
#ifndef CLI_RUN_INSIDE_H
#define CLI_RUN_INSIDE_H
#include "base/arena.h"
#include "cli/run_child.h"
#include "cli/run_state.h"
#include "engine/config.h"

struct run_options {
  const char *config, *state, *upstream, *api_key_env;
  unsigned workers;
};

enum { RUN_WORKERS_MAX = 32 };
enum { SIM, SERVE, NGINX, CHILDREN };

struct run {
  struct run_options options;
  struct config *config;
  struct vdt_arena *arena; /* paths that live as long as the run */
  char *state;
  struct run_user user;
  const char *self, *module, *nginx;
  const char *portal;      /* where its files were copied to, or NULL: it is not built */
  const char *config_file; /* what the module reads */
  bool first;              /* nobody has ever signed in to this state folder: there are no tokens yet */
  bool made_keys;          /* for evidence */
  struct child children[CHILDREN];
};

/* The error to standard error, escaped; CLI_USAGE. */
int run_complain(const struct vdt_error *err);
/* A path below the state folder, in the arena; "" when out of memory. */
const char *run_in_state(struct run *r, const char *name);

/* The configuration: the file, or the default, with what the command line changes. *out: config_free() it. */
int run_read_config(const struct run_options *o, struct config **out, struct vdt_error *err);
/* nginx reads relative paths against its own folder, people against theirs. */
int run_make_absolute(struct config *c, struct vdt_error *err);
bool run_uses_simulation(const struct config *c);
/* Writes what nginx and the module read. name: under which nginx.conf is put, so that it can be tried first. */
int run_write_files(struct run *r, const struct config *c, const char *name, struct vdt_error *err);
/* Writes what holds now, for the data statement: `vedette data` and the API say what it means. */
int run_keep_effective(struct run *r, struct vdt_error *err);

int run_find_programs(struct run *r, struct vdt_error *err);
/* So that evidence can be tried out: a workspace that says nothing about keys gets a pair, once. */
int run_make_keys(struct run *r, const struct config *c, struct vdt_error *err);
/* Who is signed in stays so when the control process is started again: makes what keeps it. */
void run_hold_sessions(struct run *r);
/* With which arguments each is started; serve's follow the configuration. test: nginx only tries the file. */
void run_describe_children(struct run *r);
void run_describe_serve(struct run *r);
void run_describe_nginx(struct run *r, int which, const char *conf, bool test);

/* Where to connect, what to try, how to sign in. */
void run_say_ready(struct run *r);
#endif
