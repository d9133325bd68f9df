/* Alerts as Microsoft.Security/alerts 2022-01-01 shows them, for the API and for `vedette alerts --json`. */
#ifndef API_ARM_H
#define API_ARM_H
#include "analyse/alert.h"

#define ARM_ALERTS_VERSION "2022-01-01"

/* Appends the alert as one JSON object on one line, without LF. */
/* evidence false: without the texts of prompts and answers; evidenceWithheld says so where there are some. */
void arm_put_alert(struct buf *b, const struct alert *a, bool evidence);
/* Appends the path of the alert in ARM, for inside of a JSON string. */
void arm_put_id(struct buf *b, const struct alert *a);
/* Appends a row of the catalogue as one JSON object. */
void arm_put_type(struct buf *b, enum alert_type type);
/* "2026-11-25T15:46:15.1234560Z": ARM's times have seven fractional digits. */
void arm_put_time(struct buf *b, uint64_t us);
#endif
