/* Why a prompt or a document scored as it did, as JSON: for `vedette scan --explain` and the Prompt Shields API's details. */
#ifndef WIRE_EXPLAIN_H
#define WIRE_EXPLAIN_H
#include "base/buf.h"
#include "vedette/vedette.h"

/* Appends the members of an object, without its braces: "rules":0,"model":0.93,"logit":2.1,"category":"role-play","windows":1,"read":1,
 * "spans":[{"start":0,"end":12,"share":0.8}]. */
void explain_write(const struct vdt_explanation *why, struct buf *out);
#endif
