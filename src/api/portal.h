/* What the routes of the portal share: how they show an alert in a list. */
#ifndef API_PORTAL_H
#define API_PORTAL_H
#include "analyse/alert.h"

/* Appends one alert as a row of a list: who, what, when and its state, nothing of prompts and answers. */
void portal_put_row(struct buf *b, const struct alert *a);
#endif
