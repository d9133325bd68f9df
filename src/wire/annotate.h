/* Azure's content-filter annotations, for what vedette itself has judged. */
#ifndef WIRE_ANNOTATE_H
#define WIRE_ANNOTATE_H
#include "wire/wire.h"

/* "prompt_filter_results":[...] without a comma. */
void annotate_prompt(const struct wire_shield *shield, struct buf *out);
/* "content_filter_results":{...} of a choice without a comma. */
void annotate_choice(const struct wire_choice_shield *shield, struct buf *out);
#endif
