/* The key files of workspaces in a state folder: keys/NAME.key (private, 0600) and keys/NAME.pub. */
#ifndef CLI_KEY_FILES_H
#define CLI_KEY_FILES_H
#include "record/seal_key.h"

/* Makes a pair for the workspace, the private key first: nothing is ever sealed to a key that is not kept. private_file: where it goes; NULL: the state
 * folder; "-": standard output. public_file: NULL: the state folder. before: the private lines that the new one follows, or empty. EIO, ENOMEM, EINVAL. */
int key_files_make(const char *state, struct str workspace, const char *private_file, const char *public_file, struct str before,
                   struct seal_public *out, struct vdt_error *err);
/* The public key in the state folder, or in public_file unless that is NULL; ENOTFOUND when there is none. */
int key_files_public(const char *state, struct str workspace, const char *public_file, struct seal_public *out,
                     struct vdt_error *err);
#endif
