/* What the files of `vedette rules` share. */
#ifndef CLI_RULES_H
#define CLI_RULES_H
#include "cli/cli.h"
#include "vedette/vedette.h"

/* FILE:LINE: message on standard error; returns CLI_USAGE. */
int rules_complain(const struct vdt_error *err);
/* Reads values from standard input, one a line, and prints entries for `allowed`. Returns the exit status. */
int rules_hash(const char *config_file);
#endif
