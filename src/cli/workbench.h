/*
 * The engine and the configuration of now for the control API: what would be found in a text, what deployments would do about it. For one thread.
 *
 * Nothing is loaded before it is asked for; workbench_rest() gives all of it back. The configuration is the one that `vedette run` keeps in the state
 * folder, with absolute paths, else the built-in default. What a scan makes of a text is freed with it; no message quotes one.
 */
#ifndef CLI_WORKBENCH_H
#define CLI_WORKBENCH_H
#include "api/worker.h"

struct bench;
/* state_dir is borrowed. NULL: out of memory. */
struct bench *workbench_new(const char *state_dir);
/* Which model and rules the configuration of now names, in a sentence without paths; nothing is loaded. */
enum { WORKBENCH_ENGINE_MAX = 200 };
void workbench_describe(const struct bench *b, char out[WORKBENCH_ENGINE_MAX]);
/* What serve is given. */
struct workbench workbench_of(struct bench *b);
/* Accepts NULL. */
void workbench_free(struct bench *b);
#endif
