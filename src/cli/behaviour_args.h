/* The parameters of the behaviour detectors on a command line: how `vedette run` tells `vedette serve` what the configuration says. */
#ifndef CLI_BEHAVIOUR_ARGS_H
#define CLI_BEHAVIOUR_ARGS_H
#include "base/arena.h"
#include "base/behaviours.h"
#include "cli/cli.h"
#include "cli/run_child.h"

/* --behaviour NAME=NUMBER for each that is not the default; the texts are in the arena. */
void behaviour_args_put(const struct behaviour_limits *limits, struct vdt_arena *arena, struct child *to);
/* Each NAME=NUMBER; false after it has said what is wrong. What is not named is left as it is. */
bool behaviour_args_read(const struct cli_list *list, struct behaviour_limits *out);
#endif
