/*
 * The portal's files: found beside the program and copied into the state folder, where nginx's workers can read them whoever they run as, and where
 * a build that goes on meanwhile changes nothing. It knows nothing of what is in them.
 */
#ifndef CLI_RUN_PORTAL_H
#define CLI_RUN_PORTAL_H
#include "cli/run_state.h"

struct vdt_arena;

/* The folder that the build, or an installation, has put the portal into (share/portal.sh, share/install-portal.sh), or NULL. self: the path of the program. $VEDETTE_PORTAL comes first, and
 * when it is set nothing else is looked at. The text is the arena's. */
const char *run_portal_find(struct vdt_arena *arena, const char *self);
/* Copies the files of `from` and of the folders in it to `to`, for the workers' group to read. Whatever is in its place already stays or is
 * replaced. EIO with the path; names that begin with a dot and links are left out. */
int run_portal_copy(const char *from, const char *to, const struct run_user *user, struct vdt_error *err);
#endif
