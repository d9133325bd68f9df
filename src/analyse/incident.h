/*
 * Incidents: alerts of one principal at one deployment that make a chain (analyse/alerts.def: stage) become one alert of their own.
 *
 * Two different stages within INCIDENT_WINDOW_US are a chain: somebody who explored and then attacked, who attacked and got something. More of
 * the same stage is not. An incident is as severe as its worst member, at least Medium, and High as soon as something came of it: harm that was not prevented. Pure.
 */
#ifndef ANALYSE_INCIDENT_H
#define ANALYSE_INCIDENT_H
#include "analyse/alert.h"

static const uint64_t INCIDENT_WINDOW_US = UINT64_C(24) * 3600 * 1000000;

/* These alerts, in any order, make a chain. */
bool incident_is_chain(const struct alert *alerts, size_t n);
/* The incident of n > 0 alerts, named after the first of them in time, so that the same alerts always give the same name. Strings point into
 * the alerts or the arena. VDT_OK or VDT_ENOMEM. */
int incident_begin(const struct alert *alerts, size_t n, uint64_t now_us, struct vdt_arena *arena, struct alert *out);
/* One of its alerts took a repeat: true when that makes the incident worse or, by more than INCIDENT_LAG_US, later. */
static const uint64_t INCIDENT_LAG_US = UINT64_C(600) * 1000000;
bool incident_follow(struct alert *incident, const struct alert *alert);
/* One more alert. VDT_OK or VDT_ENOMEM. */
int incident_join(struct alert *incident, const struct alert *alert, struct vdt_arena *arena);
#endif
