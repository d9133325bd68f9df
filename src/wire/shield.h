/*
 * The Content Safety API as its clients speak it: Prompt Shields' questions and our answers. Text in, text out; nothing is judged here.
 *
 * Fields and limits are those of the public specification of api-version 2024-09-01 (Azure/azure-rest-api-specs, contentsafety.json) and of
 * its documentation: 10,000 characters of prompt, five documents of 10,000 characters together. A character is a Unicode code point here.
 */
#ifndef WIRE_SHIELD_H
#define WIRE_SHIELD_H
#include "base/buf.h"
#include "base/json.h"

enum { SHIELD_PROMPT_MAX = 10000, SHIELD_DOCUMENTS = 5, SHIELD_DOCUMENTS_MAX = 10000, SHIELD_TEXTS = 1 + SHIELD_DOCUMENTS };

enum shield_error {
#define X(name, status, code) SHIELD_##name,
#include "wire/shield_errors.def"
#undef X
  SHIELD_ERRORS
};

/* Below this prefix every path is the API's. */
bool shield_is_path(struct str path);
struct shield_call {
  bool analyze; /* text:analyze; else text:shieldPrompt */
  bool details; /* vedette-details=true */
};
/* Which operation is it, of a version that we speak? SHIELD_ERRORS: one of ours. */
enum shield_error shield_route(struct str method, struct str path, struct str query, struct shield_call *out);

unsigned shield_error_status(enum shield_error e);
const char *shield_error_code(enum shield_error e);
/* The error for one of our own codes (vdt_code). */
enum shield_error shield_error_of(int code);
void shield_error_body(enum shield_error e, struct str message, struct buf *out);

struct shield_text {
  bool document;
  char part[16]; /* "userPrompt", "documents[0]" */
  struct str text;
};

struct shield_question {
  struct shield_text texts[SHIELD_TEXTS]; /* the prompt, if there is one, before the documents */
  size_t n;
  bool has_prompt, has_documents;
};

/* On failure ESYNTAX and the like of json_parse, EINVAL for a wrong shape or more than a limit; err->text says what, quoting nothing. */
int shield_read(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct shield_question *out,
                struct vdt_error *err);

/* What text:analyze is asked, as far as it is about blocklists. */
struct shield_analysis {
  struct str text;
  struct str *lists;
  size_t n_lists;
};
int shield_read_analysis(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct shield_analysis *out,
                         struct vdt_error *err);
/* One entry of blocklistsMatch; first: no comma before it. */
void shield_write_match(struct str list, struct str id, struct str text, bool first, struct buf *out);

/* What was found in one text. */
struct shield_verdict {
  bool attack;
  struct vdt_result result;
};

/* details: with scores, findings and how much was read. */
void shield_write(const struct shield_question *q, const struct shield_verdict *verdicts, bool details, struct buf *out);
#endif
