/* Writing JSON strings. Apart from json.h, whose names clash with jansson's: a file that uses jansson includes this one. */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H
#include "base/buf.h"

/* Appends s as a JSON string with quotes. Bytes that are not UTF-8 become U+FFFD; controls, quote and backslash are
 * escaped; DEL, U+2028 and U+2029 too, so that the line is safe in a log and in JavaScript. */
void json_quote(struct buf *b, struct str s);
/* The same without the quotes. */
void json_escape(struct buf *b, struct str s);
#endif
