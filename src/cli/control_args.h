/*
 * The settings under `control`, from `vedette run` to `vedette serve`: --control NAME=VALUE, often. An identity provider is one of them, with a line
 * for each of its settings. No secret is passed on a command line.
 */
#ifndef CLI_CONTROL_ARGS_H
#define CLI_CONTROL_ARGS_H
#include "api/serve.h"
#include "cli/cli.h"
#include "cli/run_child.h"
#include "engine/config.h"

/* What the options point at. */
struct control_args {
  const char *hosts[64 + 1];
  char *copies[OIDC_PROVIDERS_MAX];
};

/* Texts are in the arena. */
void control_args_put(const struct config *config, struct vdt_arena *arena, struct child *to);
/* false: it has said what is wrong. */
bool control_args_read(const struct cli_list *list, struct control_args *args, struct serve_control *out);
void control_args_finish(struct control_args *args);
#endif
