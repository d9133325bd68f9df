/* The man page, vedette(1), as roff with the man macros. */
#ifndef CLI_MAN_H
#define CLI_MAN_H
#include <stddef.h>
#include <stdio.h>

struct man_command {
  const char *name, *line, *usage, *help;
};

/* Writes all of it. Returns the exit status. */
int man_print(FILE *f, const char *version, const struct man_command *commands, size_t n);
#endif
