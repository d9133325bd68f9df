/* Who may call the control API, as the data statement has it. */
#ifndef API_STATEMENT_H
#define API_STATEMENT_H
#include "data/data.h"

/* The tokens that hold now, in the arena. EIO, ENOMEM. */
int statement_readers(const char *state_dir, struct vdt_arena *arena, struct data_reader **out, size_t *n, struct vdt_error *err);
#endif
