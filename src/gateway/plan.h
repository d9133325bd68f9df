/*
 * What the API has switched for a subscription (docs/api.md, "The plan"), as the gateway sees it. serve writes <spool>/plan: lines
 * "SUBSCRIPTION on" or "SUBSCRIPTION off" about prompt evidence. plan_read is pure; plan_refresh reads the file when it has changed.
 */
#ifndef GATEWAY_PLAN_H
#define GATEWAY_PLAN_H
#include "engine/config.h"
#include <sys/types.h>
#include <time.h>

/* For each deployment of the configuration: what is switched, INHERIT where nothing is. Lines that are none are passed over. */
void plan_read(const struct config *config, struct str text, enum config_switch *out);

/* What of the file has been seen; all 0 at first. */
struct plan_seen {
  ino_t inode;
  struct timespec changed;
};
/* Brings out up to date; without a file nothing is switched. A file that cannot be read changes nothing. */
void plan_refresh(int spool, struct plan_seen *seen, const struct config *config, enum config_switch *out);
#endif
