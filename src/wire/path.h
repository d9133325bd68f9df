/*
 * The path of a value in JSON that somebody else wrote: "data[0].content[1].text". Member names may be text themselves, and paths stand in
 * records: a name that is no word of letters is shown as "*".
 */
#ifndef WIRE_PATH_H
#define WIRE_PATH_H
#include "base/str.h"

enum { PATH_BYTES = 200, PATH_NAME = 32 };

struct path {
  char text[PATH_BYTES];
  size_t n;
};

/* Both return what n was before, for the way back. What does not fit is left out. */
size_t path_member(struct path *p, struct str name);
size_t path_element(struct path *p, unsigned i);
static inline struct str path_str(const struct path *p)
{
  return (struct str){p->text, p->n};
}
#endif
