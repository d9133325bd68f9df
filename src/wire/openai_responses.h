/* The two halves of the Responses API: openai_responses.c (requests, whole answers) and openai_responses_stream.c (events). */
#ifndef WIRE_OPENAI_RESPONSES_H
#define WIRE_OPENAI_RESPONSES_H
#include "wire/annotate.h"
#include "wire/response.h"
#include "wire/verdict.h"

enum {
  RESPONSES_TEXT,
  RESPONSES_REFUSAL,
  RESPONSES_ARGUMENTS,
  RESPONSES_INPUT,
  RESPONSES_CODE,
  RESPONSES_REASONING,
  RESPONSES_SUMMARY,
  RESPONSES_SOURCE,
  RESPONSES_OTHER
};

/* A content part, an item, a response object: all their texts, which are whole. */
int responses_part(struct wire_response *r, struct choice *c, uint32_t part, unsigned item, unsigned place, bool summary,
                   struct text_effect *effect);
/* A source of a text: the annotation with this number, in its part or in an event of its own. */
int responses_source(struct wire_response *r, struct choice *c, uint32_t source, unsigned item, unsigned place, unsigned number,
                     struct text_effect *effect);
int responses_item(struct wire_response *r, struct choice *c, uint32_t item, unsigned index, struct text_effect *effect);
int responses_whole(struct wire_response *r, struct choice *c, uint32_t response);
/* Copies the members of an object but those named; each with a comma behind it. */
void responses_put_members(struct wire_response *r, struct str raw, const char *const *without, struct buf *out);
/* "content_filters":[...] without a comma. */
void responses_annotation(struct wire_response *r, struct buf *out);

int responses_event(struct wire_response *r, struct choice *c);
void responses_held(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out);
void responses_ended(struct wire_response *r, const struct choice *c, struct buf *out);
#endif
