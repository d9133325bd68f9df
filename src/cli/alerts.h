/* What the files of `vedette alerts` share. */
#ifndef CLI_ALERTS_H
#define CLI_ALERTS_H
#include <stdbool.h>

/* Prints the catalogue, or the one type `only` (NULL: all); JSON Lines unless it goes to a terminal. The exit status. */
int alerts_types(const char *only, bool json, bool table, bool markdown);
#endif
