/* The insides of a response, shared by response.c (the whole), turn.c (one event or body) and choice.c (one choice). */
#ifndef WIRE_RESPONSE_H
#define WIRE_RESPONSE_H
#include "wire/edit.h"
#include "wire/format.h"

struct channel {
  struct wire_channel pub; /* what the hook sees */
  unsigned kind, tool;
  bool closed; /* the hook was told that nothing follows */
  struct channel *next;
};

struct choice {
  unsigned index;
  bool finished; /* the upstream ended it */
  bool cut;      /* we ended it: nothing of it goes out any more */
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

  struct sse sse;            /* SSE */
  struct buf body;           /* JSON */
  struct vdt_arena *scratch; /* emptied before every event */
  bool passing;              /* failed open: bytes go through */
  bool inspected_some, prompt_annotated;
  bool withheld; /* the hook kept something of the current event or body from leaving */
  int failed;    /* the error that stopped it */

  /* One event or body while it is worked on. */
  struct json_doc doc;
  struct edits edits;
  struct buf before, after, json; /* events of ours around it; its text after the edits */
  struct buf head;                /* "id":..,"object":..,"created":..,"model":.. for chunks of our own */
  bool drop;                      /* nothing of the event is left */
};

/* ---- choice.c ---- */

/* The choice with this index, made when it is new. NULL when out of memory. */
struct choice *choice_find(struct wire_response *r, unsigned index);
/* Reads one choice of the current event or body: hooks, edits, chunks of our own. */
int choice_delta(struct wire_response *r, struct choice *c, uint32_t node);
int choice_message(struct wire_response *r, struct choice *c, uint32_t node);
/* The choice's channels are told that nothing follows; what comes out goes into r->before. */
int choice_flush(struct wire_response *r, struct choice *c);
/* A chunk that ends the choice with content_filter, into `out`. */
void choice_end_chunk(struct wire_response *r, const struct choice *c, struct buf *out);

/* ---- turn.c ---- */

/* Parses the JSON text and works through it; results in r->before, r->edits, r->after, r->drop. */
int turn_read(struct wire_response *r, struct str text);
/* Some choice was cut and none of those expected is still open. */
bool turn_over(const struct wire_response *r);
/* Notes something that was not read; the first counts. */
void turn_not_inspected(struct wire_response *r, const char *why);
#endif
