/* Reading files that our own configuration names. Not part of the library's promise: the engine does no I/O. */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include "base/buf.h"
#include "vedette/vedette.h"

/* Appends the whole file, at most limit bytes. EIO or ETOOBIG with the path and the system's reason in err. */
int file_read(const char *path, size_t limit, struct buf *out, struct vdt_error *err);
#endif
