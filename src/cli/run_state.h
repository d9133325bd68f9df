/* The state folder of `vedette run` and the addresses it listens on: made ready, or said why not. */
#ifndef CLI_RUN_STATE_H
#define CLI_RUN_STATE_H
#include "engine/config.h"
#include <sys/types.h>

struct run_user {
  const char *name; /* what workers run as; NULL: the caller */
  gid_t gid;
  uid_t uid;
};

/* Makes the folder with all that belongs in it and empties what an earlier run left behind; *out is its absolute path, of malloc.
 * *user: www-data when root runs this and www-data can reach the folder. Says on standard error what root ought to know. */
int run_state_prepare(const char *dir, char **out, struct run_user *user, struct vdt_error *err);
/* Only one `vedette run` per state folder: the lock lives as long as this process. */
int run_state_lock(const char *state, struct vdt_error *err);
/* The address can be listened on; else err names who has it and which key to change. */
int run_address_check(const char *address, const char *key, struct vdt_error *err);
/* Something listens there. */
bool run_address_answers(const char *address);
/* Writes the file whole or not at all. */
int run_file_write(const char *path, struct str text, struct vdt_error *err);
#endif
