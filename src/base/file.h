/* Reading files that our own configuration names. Not part of the library's promise: the engine does no I/O. */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include "base/buf.h"
#include "vedette/vedette.h"

/* Maps a whole file for reading; *n is its size, at least 1. The pages are shared with every process that maps it. */
int file_map(const char *path, size_t limit, const void **out, size_t *n, struct vdt_error *err);
void file_unmap(const void *p, size_t n);

/* Appends the whole file, at most limit bytes. EIO or ETOOBIG with the path and the system's reason in err. */
int file_read(const char *path, size_t limit, struct buf *out, struct vdt_error *err);
#endif
