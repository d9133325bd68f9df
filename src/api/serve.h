/* The control process: collector and control API in one. */
#ifndef API_SERVE_H
#define API_SERVE_H
#include "api/feeds.h"
#include "api/geo.h"
#include "api/oidc.h"
#include "api/session.h"
#include "api/unseal.h"
#include "base/behaviours.h"
#include "store/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct serve_workspace {
  const char *name, *region;
  const char *subscription_id, *resource_group; /* or NULL */
  uint64_t keep_s[STORE_CLASSES];               /* how long, as store.h has it; INHERIT: the default */
  bool evidence;                                /* prompt evidence is configured for some deployment of it */
};

/* Who signs in. */
struct serve_control {
  const char *const *hosts; /* see guard.h */
  size_t n_hosts;
  struct session_limits sessions;
  int sessions_fd; /* a file in memory that keeps them, see session.h; or -1 */
  struct oidc_options oidc;
  uint64_t glass_us; /* see glass.h */
};

struct workbench;

struct serve_options {
  const char *state_dir;
  const struct serve_workspace *workspaces; /* the first also takes records that name none of them */
  size_t n_workspaces;
  const char *socket; /* or NULL: <state_dir>/control.sock */
  uint64_t window_us; /* 0: ALERT_WINDOW_US */
  struct behaviour_limits behaviour;
  struct feeds_options feeds;
  struct geo_options geo;
  const struct workbench *bench; /* or NULL: there is no engine */
  const char *engine;            /* which rules and model, in a sentence, or NULL */
  struct serve_control control;
  const struct unseal_source *keys; /* where the private keys of evidence are */
  size_t n_keys;
};

/* Runs until SIGTERM or SIGINT. The exit status: 0, or 1 after it has said why it cannot run. One process per state folder. */
int serve_run(const struct serve_options *options);
#endif
