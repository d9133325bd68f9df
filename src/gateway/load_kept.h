/*
 * Where compiled rules are kept between starts: compiling takes some seconds, reading what it gave some milliseconds. A folder holds
 * a file for each set of phrases, under the name that libvedette gives them; what is in it, libvedette checks. Whatever fails here only costs that time.
 */
#ifndef GATEWAY_LOAD_KEPT_H
#define GATEWAY_LOAD_KEPT_H
#include "base/str.h"
#include "vedette/vedette.h"

/* The folder: $VEDETTE_CACHE when it is set, else state/compiled, else (state is NULL) vedette in the user's folder of caches, as the XDG Base
 * Directory Specification has it. False: there is none, or VEDETTE_CACHE is "none". */
bool load_kept_folder(const char *state, char *out, size_t size);

/* vdt_engine_new, from the folder when the rules have been compiled before, into it when not. folder: NULL keeps nothing. A file is taken only
 * if it and the folder are this user's or root's and writable by nobody else. note: why nothing could be kept, in words, else empty. */
int load_kept_engine(const char *folder, const struct vdt_source *rules, size_t n, struct vdt_engine **out,
                     struct vdt_error *note, struct vdt_error *err);
#endif
