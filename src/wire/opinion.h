/*
 * What is sent to an outside shield that is asked for a second opinion, and what its answer says. Pure functions: no I/O, no clock;
 * randomness comes in.
 *
 * Two wire formats. Prompt Shields (Azure AI Content Safety, text:shieldPrompt of 2024-09-01) takes a prompt and documents and
 * answers true or false for each. Chat Completions is any model with our judge prompt, and the texts that it judges may be attacks
 * on the judge. Against that stand: marks around each text and a check word, both drawn anew for each request, so that a text can
 * neither end its own frame nor hold an answer that would be accepted; a repeated instruction behind the texts; and an answer that
 * is read strictly: anything but one JSON object with the check word and one boolean per text is no answer.
 */
#ifndef WIRE_OPINION_H
#define WIRE_OPINION_H
#include "base/arena.h"
#include "base/buf.h"

enum opinion_kind { OPINION_PROMPT_SHIELDS, OPINION_OPENAI_CHAT };

/* Prompt Shields takes one prompt of at most 10,000 characters and 5 documents of 10,000 together. Counting bytes stays below. */
enum { OPINION_DOCUMENTS = 5, OPINION_TEXTS = OPINION_DOCUMENTS + 1, OPINION_PROMPT_MAX = 10000, OPINION_DOCUMENTS_MAX = 10000 };

struct opinion_text {
  bool document; /* else what a user typed */
  struct str text;
};

/* At most one prompt, which comes first, and at most OPINION_DOCUMENTS documents. */
struct opinion_question {
  enum opinion_kind kind;
  struct str model; /* OPENAI_CHAT */
  const struct opinion_text *texts;
  size_t n;
  unsigned char random[16];
};

/* Path and query of the operation, behind the path of the endpoint. */
struct str opinion_path(enum opinion_kind kind);
struct str opinion_query(enum opinion_kind kind);

/* Appends the request body. */
void opinion_write(const struct opinion_question *q, struct buf *out);

/* Reads a 200 answer: whether each text is an attack. false when it does not say so for all of them, or memory ran out. */
bool opinion_read(const struct opinion_question *q, struct vdt_arena *arena, struct str body, bool attacks[OPINION_TEXTS]);
#endif
