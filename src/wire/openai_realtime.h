/* The two halves of the Realtime API: openai_realtime.c (what clients send, bodies of ours) and openai_realtime_events.c (what the model sends). */
#ifndef WIRE_OPENAI_REALTIME_H
#define WIRE_OPENAI_REALTIME_H
#include "wire/openai_responses.h"

enum { REALTIME_TEXT, REALTIME_TRANSCRIPT, REALTIME_ARGUMENTS, REALTIME_OTHER };

/* What the settings of a session or of one answer say. */
enum wire_ways realtime_ways(const struct json_doc *doc, uint32_t settings);
int realtime_answer(struct wire_response *r);
void realtime_held(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out);
void realtime_ended(struct wire_response *r, const struct choice *c, struct buf *out);
#endif
