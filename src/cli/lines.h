/* JSON Lines from files and from standard input, plain or gzip, for commands that read them one by one. */
#ifndef CLI_LINES_H
#define CLI_LINES_H
#include "base/str.h"
#include <zlib.h>

enum { LINE_MAX_BYTES = 64 << 20, LINES_READ_BYTES = 256 << 10 };

/* Opens a file, or standard input for "-". NULL after it has said why, as the command of that name. */
gzFile lines_open(const char *path, const char *command);
/* Hands every line on, without its LF; a last one without LF counts. One that is longer than LINE_MAX_BYTES comes as too_long, without its text.
 * false: reading failed (gzerror), or out of memory. */
bool lines_read(gzFile f, void (*take)(void *ctx, struct str line, bool too_long), void *ctx);
/* Closes it; says why reading had failed when it had, or that a compressed file ends before its end. ok, or false when it was cut. */
bool lines_close(gzFile f, const char *path, const char *command, bool ok);
#endif
