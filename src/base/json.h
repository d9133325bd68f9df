/*
 * Strict JSON (RFC 8259) with byte offsets, for text that must be inspected and passed on unchanged.
 *
 * jansson serves everything that only needs values. This reader exists because a gateway needs the place of every value
 * in the original bytes (to rewrite one string and leave the rest alone) and must refuse what two parsers could read
 * differently: duplicate member names, lone surrogates, control characters, invalid UTF-8, a byte order mark, trailing
 * bytes. Time and memory are linear in the input; depth and the number of values are bounded.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H
#include "base/arena.h"
#include "base/quote.h"
#include "base/str.h"
#include "vedette/vedette.h"

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* One value. Children of a container follow it at once; `next` skips a value with all it holds. */
struct json_node {
  uint32_t start, end;         /* raw bytes of the value, quotes and brackets included */
  uint32_t key_start, key_end; /* raw bytes of its member name with quotes; equal when it is no member */
  uint32_t next;               /* index of the node after this value and its children */
  uint32_t count;              /* children of a container */
  uint8_t type;                /* enum json_type */
  bool escaped;                /* the string holds a backslash */
  bool key_escaped;
};

struct json_doc {
  struct str text; /* borrowed */
  struct json_node *nodes;
  uint32_t n;
};

struct json_limits {
  unsigned depth; /* deepest nesting of containers, the outermost is 1 */
  uint32_t nodes; /* most values */
};
#define JSON_LIMITS_DEFAULT ((struct json_limits){64, 1u << 20})

/* Parses the whole text (at most 4 GiB - 1). On failure: ESYNTAX, EUTF8, EDEPTH, EDUPKEY, ETOOBIG or ENOMEM, and err->text
 * says what and where ("byte 17 (line 1, column 18): ..."), never quoting the input except a duplicate member's name (at most 40
 * bytes, printable ASCII only). */
int json_parse(struct vdt_arena *arena, struct str text, const struct json_limits *limits, struct json_doc *out,
               struct vdt_error *err);

/* The same, but numbers in arrays get no node and no count: for long lists of them, which hold nothing to inspect. */
int json_parse_sparse(struct vdt_arena *arena, struct str text, const struct json_limits *limits, struct json_doc *out,
                      struct vdt_error *err);

/* Index of the member `key` of the object `obj`, or 0 (the root is never a member). 0 for anything but an object. */
uint32_t json_get(const struct json_doc *doc, uint32_t obj, const char *key);
/* Iterates children: for (uint32_t i = json_first(d, c); i; i = json_next(d, c, i)) */
uint32_t json_first(const struct json_doc *doc, uint32_t container);
uint32_t json_next(const struct json_doc *doc, uint32_t container, uint32_t child);

/* Raw bytes of a value. */
static inline struct str json_raw(const struct json_doc *doc, uint32_t node)
{
  return (struct str){doc->text.p + doc->nodes[node].start, doc->nodes[node].end - doc->nodes[node].start};
}
static inline bool json_is(const struct json_doc *doc, uint32_t node, enum json_type type)
{
  return node && doc->nodes[node].type == type;
}

/* The decoded string: borrowed from the text when nothing is escaped, else from the arena. false when out of memory; an
 * empty str and true when the node is 0 or no string. (jansson has a function of this
 * name: the label keeps the linker from mixing them up.) */
bool json_string(const struct json_doc *doc, uint32_t node, struct vdt_arena *arena, struct str *out) __asm__("vdt_json_string");
/* The decoded name of a member. */
bool json_key(const struct json_doc *doc, uint32_t node, struct vdt_arena *arena, struct str *out);
/* Compares a string value with ASCII text, escapes decoded. */
bool json_string_is(const struct json_doc *doc, uint32_t node, const char *text);
/* A number that is a plain non-negative integer. */
bool json_u64(const struct json_doc *doc, uint32_t node, uint64_t *out);
#endif
