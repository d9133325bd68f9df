/* Reading what the upstream's own content filter says. */
#ifndef WIRE_VERDICT_H
#define WIRE_VERDICT_H
#include "wire/wire.h"

/* Adds what a content_filter_results object says. */
void verdict_results(const struct json_doc *doc, uint32_t results, struct wire_upstream_verdict *out);
/* Adds prompt_filter_results (or prompt_annotations) of the root; false when there are none. */
bool verdict_prompt(const struct json_doc *doc, struct wire_upstream_verdict *out);
/* Adds content_filters of the Responses API: of an answer, or of an error. */
void verdict_filters(const struct json_doc *doc, uint32_t list, struct wire_upstream_verdict *out);
#endif
