/*
 * How vedette itself is: what each part of parts.def says, and which rows of attention.def are so. Reads counters, the store, and what the file
 * system says about the state folder; writes nothing. Names in it are those of the configuration.
 */
#ifndef API_HEALTH_H
#define API_HEALTH_H
#include "api/api.h"

/* What the rules look at. */
struct health {
  uint64_t now_us;
  uint64_t open_high;                       /* alerts, active or in progress */
  uint64_t requests, not_inspected, failed; /* of the time that the overview shows */
  uint64_t writers;                         /* processes of gateways that have a journal */
  uint64_t store_bytes, free_bytes, disk_bytes;
  uint64_t feeds, feeds_stale, feeds_failed, feed_age_s;
  uint64_t databases, databases_missing;
  uint64_t sharing;    /* subscriptions whose audit records are written */
  uint64_t audit_last; /* number of the newest entry of the newest log, 0: there is none */
  char audit_head[17]; /* the beginning of its hash */
  uint64_t audit_us;   /* its time */
  uint64_t glass;      /* times that evidence was opened by break-glass within a day, 100 at most */
  const char *engine;  /* which rules and model, or NULL: there is no engine here */
  bool audit_key;      /* the key is there, or nothing was written yet */
  const struct collect_stats *stats;
};

/* Fills in everything but what overview has: open_high and the traffic. VDT_OK or what the store says. */
int health_look(struct api *api, struct health *h);
/* ,"health":[…],"attention":[…] */
void health_put(struct buf *b, const struct health *h);
#endif
