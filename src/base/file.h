/* Reading files that our own configuration names, and replacing files of the state folder. Not part of the library's promise: the engine does no I/O. */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include "base/buf.h"
#include "vedette/vedette.h"
#include <stdio.h>

/* Maps a whole file for reading; *n is its size, at least 1. The pages are shared with every process that maps it. */
int file_map(const char *path, size_t limit, const void **out, size_t *n, struct vdt_error *err);
void file_unmap(const void *p, size_t n);

/* Appends the whole file, at most limit bytes. EIO or ETOOBIG with the path and the system's reason in err. */
int file_read(const char *path, size_t limit, struct buf *out, struct vdt_error *err);

/* Puts text in place of the file's content, whole or not at all, and synced: it is written beside it, as PATH.PID, and renamed. mode: what the file
 * may be used for, whatever the umask. EIO with the path and the system's reason. */
int file_replace(const char *path, struct str text, unsigned mode, struct vdt_error *err);
/* The same for what is too large to be had in one piece: write puts it into the file; false, with errno, when it could not. */
int file_replace_with(const char *path, unsigned mode, bool (*write)(void *ctx, FILE *f), void *ctx, struct vdt_error *err);
#endif
