/* Content-Type headers: is it one that we read? */
#ifndef GATEWAY_MEDIA_TYPE_H
#define GATEWAY_MEDIA_TYPE_H
#include "base/str.h"

/* application/json or anything +json, with no charset or UTF-8. */
bool is_json(struct str content_type);
/* text/event-stream, with no charset or UTF-8. */
bool is_event_stream(struct str content_type);
/* multipart/form-data; *boundary is its boundary, or empty. */
bool is_form(struct str content_type, struct str *boundary);
/* Text in it is UTF-8, or of a charset in which what counts is the same. */
bool has_plain_charset(struct str content_type);
/* Bytes of any kind, or no type at all. */
bool is_bytes(struct str content_type);
/* Lines of JSON, in UTF-8. */
bool is_json_lines(struct str content_type);
#endif
