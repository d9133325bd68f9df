/* The insides of a response, shared by response.c (the whole), channel.c (texts) and the formats (one event or body). */
#ifndef WIRE_RESPONSE_H
#define WIRE_RESPONSE_H
#include "wire/edit.h"
#include "wire/format.h"

struct channel {
  struct wire_channel pub; /* what the hook sees */
  unsigned kind, at[3];
  bool closed;        /* the hook was told that nothing follows */
  bool differs;       /* what left is not what came */
  struct buf in, out; /* all that came; all that left, once it differs. Only where the format repeats texts */
  struct channel *next;
};

struct choice {
  unsigned index;
  bool finished; /* the upstream ended it */
  bool cut;      /* we ended it: nothing of it goes out any more */
  bool mute;     /* what is still to be heard of it stays back */
  struct channel *channels, **end;
  struct choice *next;
};

struct wire_response {
  const struct wire_format *format;
  struct vdt_arena *arena;
  struct wire_response_options opt;
  struct wire_hooks hooks;
  struct wire_response_info info;
  struct choice *choices, **end;

  struct sse sse;            /* a stream, of either framing */
  struct buf body;           /* JSON */
  struct vdt_arena *scratch; /* emptied before every event */
  bool passing;              /* failed open: bytes go through */
  bool inspected_some, prompt_annotated;
  bool withheld; /* the hook kept something of the current event or body from leaving */
  int failed;    /* the error that stopped it */
  void *state;   /* the format's own, in the arena */

  /* One event or body while it is worked on. */
  struct json_doc doc;
  struct str event; /* the name that its event: line gives */
  struct edits edits;
  struct buf before, after, json; /* events of ours around it; its text after the edits */
  struct buf head;                /* members that the format keeps for events of our own */
  bool drop;                      /* nothing of the event is left */
  const char *origin;             /* of new channels, in the arena; NULL: what their kind says */

  /* Sessions. */
  struct buf reply; /* events of ours for the upstream */
  struct str heard; /* what the user was heard saying */
  enum wire_ways ways;
  bool stop_next; /* the next response is cut when it begins */
  bool ended;     /* the event ended a response */
};

static inline bool response_streams(const struct wire_response *r)
{
  return r->opt.mode != WIRE_JSON;
}

/* ---- channel.c ---- */

/* The choice with this index, made when it is new. NULL when out of memory. */
struct choice *choice_find(struct wire_response *r, unsigned index);
/* What became of a text. */
struct text_effect {
  bool changed, block;
};
/* One string. last: nothing follows on its channel. After a cut the string is emptied; else the hook decides. *effect is added to. */
int channel_read(struct wire_response *r, struct choice *c, const struct text_ref *ref, bool last, struct text_effect *effect);
/* A string that is all the text of its channel. Where earlier events gave that text, it is set to what left of it; else it is read. */
int channel_whole(struct wire_response *r, struct choice *c, const struct text_ref *ref, struct text_effect *effect);
/* All strings below node, each a whole text of `kind`; ref->at[place] counts them, from where it stands. */
int channel_strings(struct wire_response *r, struct choice *c, struct text_ref *ref, unsigned place, uint32_t node,
                    struct text_effect *effect);
/* The same for what a format has no kind for, but not values that only a machine reads: types, ids, sealed content. */
int channel_others(struct wire_response *r, struct choice *c, struct text_ref *ref, unsigned place, uint32_t node,
                   struct text_effect *effect);
/* The value of a member that only a machine reads, and no sentence. */
bool response_machine_made(const struct json_doc *doc, uint32_t node);
/* Something of the choice was masked, as against held back for a while. */
bool response_masked(const struct wire_response *r, const struct choice *c);
/* The open channel of this text, or NULL. */
struct channel *channel_open(const struct choice *c, unsigned kind, const unsigned at[3]);
/* The channel is told that nothing follows; what it held goes into r->before. */
int channel_flush(struct wire_response *r, struct choice *c, struct channel *ch);
/* The same for all open channels of the choice. */
int choice_flush(struct wire_response *r, struct choice *c);
/* The same for all choices, before an event with which the upstream gives up; what is cut by that ends as cuts do. */
int response_flush(struct wire_response *r);
/* What left on a channel of a format that repeats texts. */
struct str channel_left(const struct channel *ch);

/* Sets a member of an object, which may be missing: value is JSON. */
int response_set(struct wire_response *r, uint32_t object, const char *name, struct str value);
/* Replaces a value with JSON; VDT_OK for no node. */
int response_replace(struct wire_response *r, uint32_t node, struct str value);
/* The finish reason that the client sees. */
void response_finish_reason(struct wire_response *r, struct str reason);
/* Keeps a string member of an object for the whole response; what is there already stays. */
int response_keep(struct wire_response *r, uint32_t object, const char *name, struct str *to);
/* Notes something that was not read; the first counts. */
void response_not_inspected(struct wire_response *r, const char *why);
/* Some choice was cut and none of those expected is still open. */
bool response_over(const struct wire_response *r);

/* ---- choices.c: the family of OpenAI's choices ---- */

/* How a chunk carries a kind of text; kinds with a tool index have a second half. */
struct choices_chunk {
  const char *begin, *tool, *end;
};

/* The strings with text in a choice, in the order of the bytes. */
struct texts {
  const struct json_doc *doc;
  struct vdt_arena *arena;
  unsigned choice;
  struct text_ref *refs;
  size_t n, cap;
  const char *skipped; /* something that is shown to a person and not read, or NULL */
  unsigned others;     /* strings of members that the format has no kind for */
  uint32_t sound;      /* what can be heard of a text that is read, 0 for none */
};
/* Adds `node` when it is a string. VDT_OK, ENOMEM, or ETOOBIG when the tool's index is. */
int texts_add(struct texts *t, unsigned kind, uint64_t tool, uint32_t node);

/* Adds every string below `node` (itself included) as a text of its own, but those that only a machine reads. */
int texts_others(struct texts *t, unsigned kind, uint32_t node);

/* All of them; last: nothing follows on their channels. */
int texts_read(struct wire_response *r, struct choice *c, const struct texts *t, bool last, struct text_effect *effect);
/* Before the event that ends the choice: channels that the event does not continue. */
int texts_flush_others(struct wire_response *r, struct choice *c, const struct texts *t);

struct choices_shape {
  const struct choices_chunk *chunks; /* for each kind */
  const char *object;                 /* of a chunk of ours when the upstream gave none */
  const char *ended;                  /* members of a choice in a chunk that only ends it */
  const char *blocked;                /* the member of a choice that holds all its text, and what stands there when blocked */
  const char *blocked_value;
  unsigned whole; /* a bit for each kind of which every string, in a stream too, is a text of its own */
  int (*texts)(struct texts *t, uint32_t choice, bool delta);
};
int choices_answer(struct wire_response *r);
void choices_held(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out);
void choices_ended(struct wire_response *r, const struct choice *c, struct buf *out);

/* ---- bodies.c: errors in the forms of the families ---- */

void openai_blocked(const struct wire_shield *shield, struct str message, struct buf *out);
void openai_error(int code, const char *name, struct str message, struct buf *out);
#endif
