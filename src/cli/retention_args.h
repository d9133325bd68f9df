/* Retention on command lines: what `vedette run` hands to `vedette serve`, and how both write a length of time. */
#ifndef CLI_RETENTION_ARGS_H
#define CLI_RETENTION_ARGS_H
#include "api/serve.h"
#include "cli/cli.h"
#include "cli/run_child.h"
#include "engine/config.h"

/* --retention NAME,alerts=90d,... for a workspace of a configuration. */
void retention_args_put(const struct config_workspace *w, struct vdt_arena *arena, struct child *to);
/* Reads such options into the workspaces that they name. false: it has said what is wrong. */
bool retention_args_read(const struct cli_list *list, struct serve_workspace *workspaces, size_t n);
#endif
