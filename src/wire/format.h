/*
 * What one provider format is, seen from the inside of wire: a const struct with the names of things and a few functions. A format
 * finds texts and writes what only it can write: events of its own kind. channel.c and response.c do the rest for all formats alike.
 */
#ifndef WIRE_FORMAT_H
#define WIRE_FORMAT_H
#include "wire/wire.h"

struct wire_format;

/* The largest n; choices of an answer (n for each prompt of a list); texts of one kind side by side (tool calls, items, blocks). */
enum { WIRE_MAX_N = 128, WIRE_MAX_CHOICES = 2048, WIRE_MAX_PLACES = 1024 };

/* ---- requests ---- */

/* A request while it is read. */
struct request {
  const struct wire_format *format;
  struct vdt_arena *arena;
  struct json_doc doc;
  struct wire_request *out;
  size_t cap;       /* room in out->parts */
  uint32_t node;    /* of the string whose text is being added, 0 for none */
  struct str whole; /* its text */
  uint8_t *seen;    /* one for each node of doc: it is in a part, or has nothing in it that a model reads */
  struct vdt_error *err;
};

/* Adds the string `node` as a part; nothing for an empty one. User text is split at document marks. origin is kept. */
int request_text(struct request *q, enum vdt_role role, uint32_t node, const char *origin);
/* Adds a text that is not the value of a node but made of it. text is kept. */
int request_made(struct request *q, enum vdt_role role, struct str text, const char *origin);
/* Adds a part that is not read, and why. */
int request_skip(struct request *q, enum vdt_role role, const char *origin, const char *why);
/* Adds every string below `node` (itself included) whose member name is `key`; any name when key is NULL. */
int request_strings(struct request *q, enum vdt_role role, uint32_t node, const char *key, const char *origin);
/* Nothing in this value is read by a model as text. */
void request_seen(struct request *q, uint32_t node);
/* What is left when the format has read what it knows: every other string becomes a part, with its path as origin. */
int request_rest(struct request *q);
/* The same for the members of an object of the body, as if they stood at its top. */
int request_members(struct request *q, uint32_t object, const char *name);
/* ESYNTAX when a member of the object is one of names but for the case of its letters: some servers take it for that name,
 * and would read what nobody inspected. */
int request_spelling(struct request *q, uint32_t object, const char *const *names, size_t n);
/* printf into the arena; NULL when out of memory. */
#define request_origin(q, ...) arena_printf((q)->arena, __VA_ARGS__)
/* ESYNTAX "where: expected what". */
int request_expected(struct request *q, const char *where, const char *what);

/* ---- content.c: what several formats have in common ---- */

/* The role that a message's `role` names; unknown ones count as the user's. */
enum vdt_role request_role(const struct json_doc *doc, uint32_t role);
/* Content of a message: a string, null, or an array of parts. Text is read whatever a part's type says. */
int request_content(struct request *q, enum vdt_role role, uint32_t content, const char *origin);
/* Descriptions in an array of tools: instructions that the application wrote. */
int request_tools(struct request *q, const char *member);
/* A value with bytes in it (a data URL, or base64 with its media type): read when it is text, else a skipped part. type is the node
 * of the media type, or 0 for a data URL. */
int request_bytes(struct request *q, enum vdt_role role, uint32_t type, uint32_t data, const char *origin, const char *why);

/* ---- sniff.c ---- */

/* What bytes are, by their looks: text in UTF-8 (zeros in it do not count), text in UTF-16, or no text. */
enum sniffed { SNIFF_BYTES, SNIFF_TEXT, SNIFF_UTF16_LITTLE, SNIFF_UTF16_BIG };
enum sniffed sniff(struct str bytes);
/* UTF-16 as UTF-8, in the arena; halves of characters become U+FFFD. False when out of memory. */
bool sniff_utf16(struct vdt_arena *arena, struct str bytes, enum sniffed order, struct str *text);

/* ---- responses ---- */

/* A kind of text that an answer holds. */
struct text_kind {
  const char *origin;  /* where it stands; each # is the next number of its place: "choices[#].message.content" */
  const char *emptied; /* what stands in a whole answer for a text that may not be shown */
};

/* One string with text in an answer. */
struct text_ref {
  unsigned kind;
  unsigned at[3]; /* its place: the numbers for the # of the kind's origin */
  uint32_t node;
};

/* Where there is no such node, 0; json_get() would look at the root. */
static inline uint32_t wire_get(const struct json_doc *doc, uint32_t node, const char *key)
{
  return node ? json_get(doc, node, key) : 0;
}

struct choice;
struct channel;
struct choices_shape;

/* How the events of a stream are separated. */
enum framing { FRAMING_SSE, FRAMING_LINES };

struct wire_format {
  const char *name;
  const char *const *paths;    /* NULL-terminated; "*" is the deployment, "?" any one segment; neither crosses a slash */
  const char *const *sessions; /* paths on which a WebSocket session of the format begins; NULL: none */
  const char *members[3];      /* an answer, as against a request, has one of these */
  bool (*is_answer)(const struct json_doc *doc); /* where no member says it */
  const struct text_kind *kinds;
  enum framing framing;
  bool repeats; /* events repeat texts that earlier ones gave in pieces */
  bool arrays;  /* an answer may be an array of events */
  bool numbers; /* an answer is lists of numbers, more than there are nodes for */
  bool unknown; /* the walk over JSON that no format knows: what it cannot read is recorded, not refused */
  int (*request)(struct request *q);
  /* Reads one event or body, which lies parsed in r->doc: channel_read() for its texts, edits of it, events of ours around it. */
  int (*answer)(struct wire_response *r);
  /* Appends an event of ours with text of the channel that had been held back. NULL: nothing is ever held back. */
  void (*held)(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out);
  /* Appends the events that end a choice which we cut. */
  void (*ended)(struct wire_response *r, const struct choice *c, struct buf *out);
  const char *goodbye; /* what ends a stream of which some choice was cut */
  /* Bodies of our own: for a prompt that was stopped, and for an error of ours. */
  void (*blocked)(const struct wire_shield *shield, struct str message, struct buf *out);
  void (*error)(int code, const char *name, struct str message, struct buf *out);
  const struct choices_shape *choices; /* for the formats of choices.c */
};

#define X(id) extern const struct wire_format wire_##id;
#include "wire/formats.def"
#undef X
#endif
