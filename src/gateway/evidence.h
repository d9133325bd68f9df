/*
 * Evidence: the segment of text around a finding that a person may see, with every secret in it masked.
 *
 * A segment is the matched span and up to CONTEXT bytes on either side, at most RECORD_EVIDENCE_MAX bytes. It is scanned for leaks with every
 * detector on at every confidence, whatever the policy says: a segment of a jailbreak must not give away the card number beside it.
 * Bytes that touch a secret without a gap are masked with it.
 */
#ifndef GATEWAY_EVIDENCE_H
#define GATEWAY_EVIDENCE_H
#include "base/arena.h"
#include "base/buf.h"
#include "vedette/vedette.h"

/* The end of a text that came in pieces, as much as a segment may still need. */
struct history {
  struct buf text;
  uint64_t base; /* offset of its first byte in the text */
};

bool history_add(struct history *h, struct str in);
/* Forgets what no later segment will need. */
void history_trim(struct history *h);
void history_finish(struct history *h);

/* A text, or what is known of it, with the findings that are known in it. */
struct evidence {
  struct vdt_scanner *scanner;
  struct vdt_arena *arena; /* for segments */
  struct str text;
  uint64_t base;                   /* offset of text.p[0] */
  const struct vdt_finding *known; /* masked too; may be NULL */
  size_t n_known;
  bool whole; /* text after the span may be shown */
};

/* Appends text[from, to) with its secrets masked whole ("[REDACTED:rule-id]"), also those that only reach into it. false when out of memory. */
bool evidence_masked(const struct evidence *e, size_t from, size_t to, struct buf *out);
/* Bytes of a segment; to 0: none. */
struct evidence_span {
  uint32_t from, to;
};

/* The masked segment of the finding; empty when its text is gone or memory ran out. *span: where in it stands what was found, or the mask in its place. */
struct str evidence_segment(const struct evidence *e, const struct vdt_finding *f, struct evidence_span *span);
#endif
