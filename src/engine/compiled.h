/*
 * What rules were compiled to, as bytes that a caller may keep between starts: a header, then the databases one behind the other. No I/O.
 *
 * The header names by a hash what was compiled and for which processor and version of Vectorscan, so that bytes of other rules are never used, and
 * holds a hash of the databases, so that damaged ones are not. Neither is proof against somebody who writes such bytes on purpose: where they
 * are kept must be writable by nobody else.
 */
#ifndef ENGINE_COMPILED_H
#define ENGINE_COMPILED_H
#include "base/str.h"
#include <hs.h>

enum { COMPILED_DATABASES = 4, COMPILED_HASH = 32 };

struct expressions {
  const char **text; /* each ends with a NUL, as Vectorscan wants it */
  unsigned *flags;
  unsigned *ids; /* from 0 among those of streams, and again among phrases: these stay the same when only the others change */
  unsigned n, n_stream; /* all, and those of streams, which come first */
  unsigned n_first;     /* with the first half of the phrases, which come behind them */
  bool phrases_only;    /* those of streams are not compiled */
};

/* The hash of what is to be compiled, and for which machine. */
void compiled_key(const struct expressions *x, unsigned char key[COMPILED_HASH]);
/* Where in the bytes the databases are; one that there is not has none. False: not whole, damaged, or of another key. */
bool compiled_parts(struct str bytes, const unsigned char key[COMPILED_HASH], struct str parts[COMPILED_DATABASES]);
/* The bytes of these databases, which may be NULL, for free(); NULL when out of memory. */
char *compiled_bytes(hs_database_t *const databases[COMPILED_DATABASES], const unsigned char key[COMPILED_HASH], size_t *n);
#endif
