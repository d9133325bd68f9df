/*
 * A whole text before Vectorscan. Not in its block mode: there 5.4.9, which is Debian 12's, ends the process on the first text of 255 bytes or more when an
 * expression, such as "[xX] [0-9]+ab", is looked for from the end (its pull request 392). Its mode for texts in pieces, given one, does not look so, reports the
 * same, and costs hardly more (docs/performance.md).
 */
#ifndef ENGINE_WHOLE_H
#define ENGINE_WHOLE_H
#include "base/str.h"
#include <hs.h>

enum { WHOLE_MODE = HS_MODE_VECTORED };

/* As hs_scan(), with a database of WHOLE_MODE. The text has less than 4 GiB. */
static inline hs_error_t whole_scan(const hs_database_t *database, struct str text, hs_scratch_t *scratch, match_event_handler fn,
                                    void *context)
{
  unsigned n = (unsigned)text.n;
  return hs_scan_vector(database, &text.p, &n, 1, 0, scratch, fn, context);
}
#endif
