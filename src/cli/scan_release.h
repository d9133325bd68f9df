/*
 * vedette scan --redact: what the gateway would let go on of a text, a request or an answer, as the policy says. Text in, JSON out; nothing is kept.
 */
#ifndef CLI_SCAN_RELEASE_H
#define CLI_SCAN_RELEASE_H
#include "base/buf.h"
#include "wire/wire.h"

/* Borrowed; policy as for the scan, pseudonym_key included. */
struct release {
  struct vdt_scanner *scanner;
  struct vdt_arena *arena;
  const struct vdt_policy *policy;
};

/* A text by itself, of which a scan has said r: appends a JSON string, or null when nothing of it goes on. */
int release_text(const struct release *s, enum vdt_role role, struct str text, const struct vdt_result *r, struct buf *out);

/* The redactions of a request, gathered part by part. Zeroed at first. */
struct release_request {
  struct wire_redaction *v;
  size_t n, cap;
  bool stopped; /* nothing of it goes on */
};
int release_part(const struct release *s, struct release_request *q, const struct wire_part *part, const struct vdt_result *r);
/* Appends the body without the span gone, or null. */
int release_request(struct release_request *q, struct wire_span gone, struct str body, struct buf *out);

/* A whole answer: appends what its client gets. The error of the format when it cannot be read. */
int release_answer(const struct release *s, const struct wire_format *format, struct str body, size_t max, struct buf *out);
#endif
