/* What the verbs of `vedette data` share (data.def); each answers a question about what is stored, directly on the stores of a state folder. */
#ifndef CLI_DATA_H
#define CLI_DATA_H
#include "cli/stores.h"

#define X(name, fn) int fn(int argc, char **argv);
#include "cli/data.def"
#undef X
#endif
