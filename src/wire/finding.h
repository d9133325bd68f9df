/* A finding as JSON: for `vedette scan` and the control API's scan. */
#ifndef WIRE_FINDING_H
#define WIRE_FINDING_H
#include "base/buf.h"
#include "vedette/vedette.h"

/* Appends one object on one line. text: what was scanned, read only to show a secret; part: where in a payload it stood, or empty. */
void finding_write(const struct vdt_finding *f, struct str text, struct str part, bool show_secrets, struct buf *out);
#endif
