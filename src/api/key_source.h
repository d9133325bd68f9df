/*
 * Where the private key of a workspace's evidence comes from, when somebody reads it: a file, an environment variable, or what a command prints.
 * The text is that of record/seal_key.h. Nothing is kept between two readings, and nothing of a key is in an error.
 */
#ifndef API_KEY_SOURCE_H
#define API_KEY_SOURCE_H
#include "record/seal_key.h"

enum { KEY_COMMAND_SECONDS = 10, KEY_COMMAND_ARGUMENTS = 32 };

/*
 * source: "file:PATH", "env:NAME", "command:PROGRAM ARGUMENT..." (split at blanks, run without a shell, for at most KEY_COMMAND_SECONDS; its standard
 * error goes nowhere), "none", or NULL: the file <state>/keys/WORKSPACE.key. The caller frees *out.
 * ENOTFOUND: there is no key there (no file, no variable, none). ECONFIG: what is there is damaged, or everybody may read the file.
 * EIO: it cannot be had now. err says what to do about it.
 */
int key_source_read(const char *source, const char *state, struct str workspace, struct seal_private **out,
                    struct vdt_error *err);
/* <state>/keys/WORKSPACE.key or .pub; false when that is too long. */
bool key_source_path(const char *state, struct str workspace, bool private, char *out, size_t size);
/* No core dumps of this process from here on, and no other process of the user may look into it. */
void key_source_protect(void);
#endif
