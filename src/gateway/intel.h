/*
 * Threat intelligence as the gateway sees it: serve reads the feeds and writes <spool>/intel (api/feeds.h), each worker maps it. Until there is
 * one, or when it is not whole, the built-in list stands.
 */
#ifndef GATEWAY_INTEL_H
#define GATEWAY_INTEL_H
#include "intel/intel.h"
#include <sys/types.h>
#include <time.h>

/* What of the file has been seen; all 0 at first. */
struct intel_seen {
  ino_t inode;
  struct timespec changed;
};
/* Brings *intel up to date; NULL at first. A file that cannot be read, or is damaged, changes nothing. False: it is new, and damaged; say
 * so once. */
bool intel_refresh(int spool, struct intel_seen *seen, struct vdt_intel **intel);
#endif
