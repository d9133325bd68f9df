/*
 * What one provider format is, seen from the inside of wire: a const struct with the names of things and two functions
 * that find text. A format finds text and never changes it; request.c and response.c do the rest for all formats alike.
 */
#ifndef WIRE_FORMAT_H
#define WIRE_FORMAT_H
#include "wire/wire.h"

/* The largest n; choices of an answer (n for each prompt of a list); tool calls of a choice. */
enum { WIRE_MAX_N = 128, WIRE_MAX_CHOICES = 2048, WIRE_MAX_TOOLS = 1024 };

/* ---- requests ---- */

/* A request while it is read. */
struct request {
  struct vdt_arena *arena;
  struct json_doc doc;
  struct wire_request *out;
  size_t cap; /* room in out->parts */
  struct vdt_error *err;
};

/* Adds the string `node` as a part; nothing for an empty one. User text is split at document marks. origin is kept. */
int request_text(struct request *q, enum vdt_role role, uint32_t node, const char *origin);
/* Adds a part that is not read, and why. */
int request_skip(struct request *q, enum vdt_role role, const char *origin, const char *why);
/* Adds every string below `node` (itself included) whose member name is `key`; any name when key is NULL. */
int request_strings(struct request *q, enum vdt_role role, uint32_t node, const char *key, const char *origin);
/* ESYNTAX when a member of the object is one of names but for the case of its letters: some servers take it for that name,
 * and would read what nobody inspected. */
int request_spelling(struct request *q, uint32_t object, const char *const *names, size_t n);
/* printf into the arena; NULL when out of memory. */
#define request_origin(q, ...) arena_printf((q)->arena, __VA_ARGS__)
/* ESYNTAX "where: expected what". */
int request_expected(struct request *q, const char *where, const char *what);

/* ---- responses ---- */

/* A kind of text that an answer holds. Kinds with a tool index have a second half of origin and chunk. */
struct text_kind {
  const char *origin, *origin_tool;           /* after "choices[0]."; the tool's index stands between */
  const char *chunk, *chunk_tool, *chunk_end; /* members of a choice in a chunk, around the index and the text */
  const char *emptied;                        /* what stands for a text that may not be shown */
};

/* One string with text in a choice. */
struct text_ref {
  unsigned kind, tool;
  uint32_t node;
};

/* The strings with text in a choice, in the order of the bytes. */
struct texts {
  const struct json_doc *doc;
  struct vdt_arena *arena;
  struct text_ref *refs;
  size_t n, cap;
  const char *skipped; /* something that is shown to a person and not read, or NULL */
};

/* Adds `node` when it is a string. VDT_OK, ENOMEM, or ETOOBIG when the tool's index is. */
int texts_add(struct texts *t, unsigned kind, uint64_t tool, uint32_t node);

/* Where there is no such node, 0; json_get() would look at the root. */
static inline uint32_t wire_get(const struct json_doc *doc, uint32_t node, const char *key)
{
  return node ? json_get(doc, node, key) : 0;
}

struct wire_format {
  const char *name;
  const char *path; /* after /v1/ or the deployment */
  const struct text_kind *kinds;
  const char *chunk_object; /* `object` of a chunk of ours when the upstream gave none */
  const char *ended;        /* members of a choice in a chunk that only ends it */
  const char *blocked;      /* the member of a choice that holds all its text, and what stands there when blocked */
  const char *blocked_value;
  int (*request)(struct request *q);
  int (*texts)(struct texts *t, uint32_t choice, bool delta);
};

#define X(id) extern const struct wire_format wire_##id;
#include "wire/formats.def"
#undef X
#endif
