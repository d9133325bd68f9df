/*
 * What a legal hold covers, as SQL over the row that is to go: true when a hold keeps it. Where a hold could be read in two ways, more is held: a row
 * that stays too long can still be removed later.
 *
 * A record is held by an alert when it can be one of those that made it: at its deployment, by its principal, between its first and its last event.
 */
#ifndef STORE_HELD_H
#define STORE_HELD_H
#define HELD_RECORD                                                                                                              \
  "EXISTS(SELECT 1 FROM holds h WHERE (h.end_user = '' OR h.end_user = interactions.end_user) AND (h.deployment = '' OR "        \
  "h.deployment = interactions.deployment) AND interactions.time_us >= h.since_us AND interactions.time_us < h.until_us AND "    \
  "(h.alert = '' OR EXISTS(SELECT 1 FROM alerts a WHERE (a.name = h.alert OR a.incident = h.alert) AND "                         \
  "a.x_deployment = interactions.deployment AND interactions.time_us BETWEEN a.start_us AND a.end_us AND "                       \
  "(a.principal = '' OR a.principal LIKE 'ip:%' OR a.principal IN ('user:' || interactions.end_user, 'key:' || "                 \
  "interactions.key_id))) OR EXISTS(SELECT 1 FROM alert_evidence v WHERE v.interaction = interactions.id AND v.alert = "         \
  "h.alert)))"
#define HELD_ALERT                                                                                                               \
  "EXISTS(SELECT 1 FROM holds h WHERE (h.end_user = '' OR h.end_user = alerts.x_end_user OR alerts.principal = 'user:' || "      \
  "h.end_user OR EXISTS(SELECT 1 FROM alert_evidence v JOIN interactions i ON i.id = v.interaction WHERE v.alert = alerts.name " \
  "AND i.end_user = h.end_user)) AND (h.deployment = '' OR h.deployment = alerts.x_deployment) AND (h.alert = '' OR h.alert IN " \
  "(alerts.name, alerts.incident) OR alerts.name = (SELECT incident FROM alerts m WHERE m.name = h.alert)) AND "                 \
  "alerts.end_us >= h.since_us AND alerts.start_us < h.until_us)"
#define HELD_EVIDENCE "EXISTS(SELECT 1 FROM alerts WHERE alerts.name = alert_evidence.alert AND " HELD_ALERT ")"
/* Counts of sensitive information, an hour of a user at a deployment in a row; a hold of an alert keeps those of its principal's hours. */
#define HELD_USE                                                                                                                 \
  "EXISTS(SELECT 1 FROM holds h WHERE (h.end_user = '' OR h.end_user = sensitive_use.end_user) AND (h.deployment = '' OR "       \
  "h.deployment = sensitive_use.deployment) AND sensitive_use.hour_us + 3600000000 > h.since_us AND sensitive_use.hour_us < "    \
  "h.until_us AND (h.alert = '' OR EXISTS(SELECT 1 FROM alerts a WHERE (a.name = h.alert OR a.incident = h.alert) AND "          \
  "a.x_deployment = sensitive_use.deployment AND sensitive_use.hour_us + 3600000000 > a.start_us AND sensitive_use.hour_us "     \
  "<= a.end_us)))"
/* The audit log is held by what holds a workspace or a time of it. */
#define HELD_AUDIT                                                                                                               \
  "EXISTS(SELECT 1 FROM holds h WHERE h.end_user = '' AND h.deployment = '' AND h.alert = '' AND audit.time_us >= h.since_us "   \
  "AND audit.time_us < h.until_us)"
#endif
