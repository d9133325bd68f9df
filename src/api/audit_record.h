/*
 * Audit records of AI interactions in the field layout of the Office 365 Management Activity API, made from records of interactions: RecordType
 * 328, ConnectedAIAppInteraction, for applications of one's own; our own members stand in "Vedette". As in those of Microsoft there is no text of
 * a prompt or an answer in them, not even a masked one.
 */
#ifndef API_AUDIT_RECORD_H
#define API_AUDIT_RECORD_H
#include "store/store.h"

/* Appends one JSON object and LF. */
void audit_record_put(struct buf *b, const struct record *r);

struct audit_record_query {
  uint64_t to_us;               /* of interactions that began before this time; 0: any */
  struct str user, application; /* equal, or empty: any */
};
/* Appends those of the records behind *at, oldest first, of all stores together, one a line; looks at most at `limit` of them, and moves *at to the
 * last that it looked at. *n: how many it wrote. *more: there are others behind *at. EINVAL: a record that cannot be read. */
int audit_records_put(struct store *const *stores, size_t n_stores, const struct audit_record_query *q, struct store_place *at,
                      size_t limit, struct vdt_arena *arena, struct buf *b, size_t *n, bool *more, struct vdt_error *err);
#endif
