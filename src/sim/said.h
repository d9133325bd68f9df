/* What the simulated model says: one answer's text and tool calls, and how it is dealt out in pieces. */
#ifndef SIM_SAID_H
#define SIM_SAID_H
#include "sim/reply.h"

struct call {
  struct str name;
  struct buf arguments;
};

/* One choice: its text and its tool calls. */
struct said {
  struct buf text;
  struct call calls[SCRIPT_STEPS];
  size_t n_calls;
};

/* The answer to the script's directives; choices say different things. */
void say(const struct script *s, unsigned choice, struct said *said);
void said_finish(struct said *said);
/* About as many as a tokenizer would count. */
uint64_t tokens(size_t bytes);
/* Length of the next piece of text: chunk bytes, and on to the end of a character. */
size_t piece(struct str text, size_t from, unsigned chunk);
/* The arguments of a call as a JSON object, whatever was asked for. */
void put_input(struct buf *b, const struct call *c);
#endif
