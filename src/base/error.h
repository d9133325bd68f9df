/* Filling in a struct vdt_error. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H
#include "base/str.h"
#include "vedette/vedette.h"

/* Sets *err (which may be NULL) and returns code, so that callers write `return error_set(...)`. */
int error_set(struct vdt_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same with a place; file may be NULL, line 0. */
int error_at(struct vdt_error *err, int code, const char *file, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
#endif
