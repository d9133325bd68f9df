/* Who may call the control API, as the data statement has it. */
#ifndef API_STATEMENT_H
#define API_STATEMENT_H
#include "data/data.h"

/* The tokens that hold now, and whom identity providers of the configuration let in, in the arena. config: NULL where it is not known. EIO, ENOMEM. */
int statement_readers(const char *state_dir, const struct config *config, struct vdt_arena *arena, struct data_reader **out,
                      size_t *n, struct vdt_error *err);
#endif
