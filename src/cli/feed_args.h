/* Threat-intelligence feeds on a command line: how `vedette run` tells `vedette serve` what the configuration says. */
#ifndef CLI_FEED_ARGS_H
#define CLI_FEED_ARGS_H
#include "api/feeds.h"
#include "cli/cli.h"
#include "cli/run_child.h"
#include "engine/config.h"

/* --feed for each, --feed-trust, --no-built-in-feed; the texts are in the arena. */
void feed_args_put(const struct config *config, struct vdt_arena *arena, struct child *to);
/* Each NAME,KIND,FORMAT,REFRESH,STALE,HEADER_ENV,COLUMN,SOURCE, cut apart in place (the texts have to be writable and stay); out has room for as many
 * as the list. False after it has said what is wrong. */
bool feed_args_read(char *const *texts, size_t n, struct feeds_source *out);
/* A path of the configuration in full: relative ones begin beside it. In the arena. */
const char *feed_args_path(const struct config *config, const char *file, struct vdt_arena *arena);
#endif
