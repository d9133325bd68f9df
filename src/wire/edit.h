/* Replacing spans of a JSON text and leaving every other byte alone. */
#ifndef WIRE_EDIT_H
#define WIRE_EDIT_H
#include "base/buf.h"
#include "base/json.h"

struct edit {
  uint32_t start, end; /* raw bytes that go */
  size_t at, n;        /* what comes, in edits.text */
};

/* Zero-initialised is empty. Spans must not overlap. */
struct edits {
  struct edit *v;
  size_t n, cap;
  struct buf text;
};

void edits_finish(struct edits *e);
void edits_reset(struct edits *e);
/* All of these are false when out of memory. */
bool edits_replace(struct edits *e, uint32_t start, uint32_t end, struct str with);
bool edits_replace_node(struct edits *e, const struct json_doc *doc, uint32_t node, struct str with);
/* The same with `with` as a JSON string. */
bool edits_quote_node(struct edits *e, const struct json_doc *doc, uint32_t node, struct str with);
/* Adds a member ("name":value) at the end of an object; to an empty object at most one. */
bool edits_add_member(struct edits *e, const struct json_doc *doc, uint32_t object, struct str member);
/* Appends doc's text with the edits done. */
bool edits_apply(struct edits *e, struct str text, struct buf *out);
#endif
