/* From a script to the bytes of an answer: a JSON body or a list of server-sent events. */
#ifndef SIM_REPLY_H
#define SIM_REPLY_H
#include "sim/script.h"

struct reply {
  unsigned status;
  bool sse;        /* server-sent events */
  bool lines;      /* JSON lines */
  bool bytes;      /* what a file holds, whatever that is */
  struct buf body; /* all of it, events one after another */
  size_t *ends;    /* where each event ends in body */
  size_t n_events, cap_events;
};

/* Sets out->body.failed when out of memory. */
void reply_make(const struct script *s, struct reply *out);
/* {"error": {...}} in the form of OpenAI and Azure. */
void reply_error(struct reply *out, unsigned status, const char *code, const char *message);
/* What GET .../models and POST .../embeddings say. */
void reply_models(struct reply *out);
void reply_embeddings(struct str body, struct reply *out);
/* What a file upload says, and what is in a file: one line of a batch's output, with a secret in it. */
void reply_file(size_t bytes, struct reply *out);
void reply_content(struct reply *out);
/* The event at the end of the body is complete but for its blank line. */
void reply_end_event(struct reply *r);
/* The same for what ends as it is. */
void reply_mark_event(struct reply *r);
void reply_finish(struct reply *r);

/* One file for each family besides OpenAI's choices. */
void reply_responses(const struct script *s, struct reply *out);
void reply_anthropic(const struct script *s, struct reply *out);
void reply_ollama(const struct script *s, struct reply *out);
void reply_google(const struct script *s, struct reply *out);
#endif
