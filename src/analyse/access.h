/* Where a request comes from, against what feeds know: Tor's exits, and the sources of attacks. Pure; findings become alerts like any others. */
#ifndef ANALYSE_ACCESS_H
#define ANALYSE_ACCESS_H
#include "intel/intel.h"
#include "record/record.h"

enum { ACCESS_FINDINGS = 2 };
/* The end user's address where the application says it, and the client's. out[0..*n); texts lie in the arena or are static. VDT_OK or
 * VDT_ENOMEM. */
int access_observe(const struct vdt_intel *intel, const struct record *r, struct vdt_arena *arena,
                   struct record_finding out[ACCESS_FINDINGS], size_t *n);
#endif
