/*
 * wire: provider formats. What a request says becomes parts, what a response says becomes text on channels; what leaves
 * is the provider's own bytes with nothing but the inspected text, and what policy adds, changed.
 *
 * wire knows formats and no detectors: the text of a response goes through hooks, and the caller (the gateway, the
 * scanner, a test) puts an engine stream behind them. No I/O, no clock.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "vedette/vedette.h"

/* ---- routing --------------------------------------------------------------------------------------------------- */

/* A whole body; server-sent events; a stream of JSON lines. */
enum wire_mode { WIRE_JSON, WIRE_SSE, WIRE_LINES };

/* One provider format; rows in formats.def, one file each. */
struct wire_format;

/* The format that speaks on this path (query already taken off), or NULL: unknown paths go through uninspected.
 * *deployment is the deployment named in the path, borrowed from it and still percent-encoded, or empty: then the body's
 * `model` names it. Only POST carries something to inspect. */
const struct wire_format *wire_route(struct str method, struct str path, struct str *deployment);
/* The format of a session (WebSocket) that begins with GET on this path, or NULL. */
const struct wire_format *wire_route_session(struct str path);
/* By name ("openai-chat"), for `vedette scan --format`; NULL when there is none. */
const struct wire_format *wire_format_by_name(struct str name);
const char *wire_format_name(const struct wire_format *format);
/* The names of all formats in turn: i = 0, 1, ... ; NULL at the end. */
const struct wire_format *wire_format_at(size_t i);
/* Whether a body of this format is an answer, as against a request. */
bool wire_is_answer(const struct wire_format *format, const struct json_doc *doc);
/* Whether a text with this origin is what the model calls a tool with. */
bool wire_is_call(struct str origin);
/* Whether it is spoken in sessions: its bodies are single events. */
bool wire_is_session(const struct wire_format *format);
/* How a stream of this format comes: WIRE_SSE or WIRE_LINES. */
enum wire_mode wire_stream_mode(const struct wire_format *format);
/* The walk over JSON that no format knows: a request on an unknown path is read by it. */
bool wire_is_unknown(const struct wire_format *format);
const struct wire_format *wire_unknown(void);

/* ---- requests -------------------------------------------------------------------------------------------------- */

/* A span of raw bytes of the body. */
struct wire_span {
  size_t start, end;
};

struct wire_part {
  enum vdt_role role;
  struct str text;      /* decoded; borrowed from the body or the arena */
  struct str origin;    /* where it stands: "messages[2].content[0].text" */
  const char *skipped;  /* NULL, or why it was not inspected: "image" */
  struct wire_span raw; /* the JSON string that it stands in, with its quotes; empty: it is none, but made of something */
  size_t at;            /* where in the decoded string it begins */
  bool plain;           /* raw is the text itself, and no JSON string */
};

struct wire_user_context {
  struct str application_name, end_user_id, end_user_tenant_id, source_ip;
};

/* How a session, or one answer in it, is to be given: in text alone, or in sound too. */
enum wire_ways { WIRE_WAYS_UNSAID, WIRE_WAYS_TEXT, WIRE_WAYS_SOUND };

/* What an event of a session says about itself; empty elsewhere. */
struct wire_event {
  struct str type, id;
  enum wire_ways ways; /* that it asks for */
};

struct wire_request {
  struct str model; /* decoded `model` member, or empty */
  bool stream;
  bool has_tools;
  unsigned n; /* choices asked for, at least 1; for a list of prompts, of all of them */
  struct wire_part *parts;
  size_t n_parts;
  struct wire_user_context user;
  struct wire_event event;
  struct wire_span security_context; /* raw bytes to leave out so that user_security_context is gone and the JSON stays
                                        valid (the comma included); empty when the body has none */
};

/* Parses a request body. Errors are those of json_parse, and ESYNTAX when the body has not the shape of the format
 * ("messages: expected an array"). Unknown members are no error; unknown roles count as the user's; every string that a model reads
 * becomes a part: system and developer messages SYSTEM, user text PROMPT, assistant history and its tool-call arguments
 * RESPONSE, tool and function results DOCUMENT, text between """ <documents> and </documents> """ DOCUMENT, tool
 * descriptions SYSTEM. Images, audio and files become a part with `skipped`. */
int wire_request_parse(const struct wire_format *format, struct vdt_arena *arena, struct str body,
                       const struct json_limits *limits, struct wire_request *out, struct vdt_error *err);

/* The same for a form (multipart/form-data) with its boundary, as files are uploaded: its fields, and the JSON, JSON lines and texts that
 * its files hold. A line that is a request of a batch is read by the format of its url. ESYNTAX: the form can be split in more than one way. */
int wire_form_parse(struct vdt_arena *arena, struct str boundary, struct str body, const struct json_limits *limits,
                    struct wire_request *out, struct vdt_error *err);
/* And for a body of any other kind: JSON, lines of it, text, or bytes, which become a skipped part. */
int wire_text_parse(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct wire_request *out,
                    struct vdt_error *err);
/* And for JSON lines. */
int wire_lines_parse(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct wire_request *out,
                     struct vdt_error *err);

/* Bytes of a JSON string that something else is to stand for. */
struct wire_redaction {
  struct wire_span raw; /* the string, with its quotes */
  size_t start, end;    /* of the decoded string; widened to whole characters */
  const char *with;     /* plain text */
  bool plain;           /* raw is the text itself */
};
/* Appends the body with the redactions done and, unless it is empty, the span `gone` left out; every other byte stays as it is. Redactions
 * of one string may not overlap; they may come in any order. False when out of memory. */
bool wire_redact(struct str body, struct wire_redaction *v, size_t n, struct wire_span gone, struct buf *out);

/* What the user said, a text for each part of a request that was not skipped, oldest first, and the part that it is. */
struct wire_turns {
  struct vdt_text *texts;
  const struct wire_part **parts;
  size_t n;
};
/* False when out of memory. Both arrays are in the arena; texts are borrowed from the request. */
bool wire_user_turns(const struct wire_request *q, struct vdt_arena *arena, struct wire_turns *out);

/* ---- responses ------------------------------------------------------------------------------------------------- */

/* One stream of text inside a response. Channels live as long as the response. */
struct wire_channel {
  unsigned choice;
  const char *origin; /* "choices[0].message.content", "choices[0].message.tool_calls[1].function.arguments" */
  void *user;         /* the hook's own, NULL at first */
};

/* What the hook wants in place of the text it was given. */
struct wire_text {
  struct str p; /* good until the hook's next call for the same channel */
  bool changed; /* false: p equals the input; the event may go out byte for byte */
  bool cut;     /* end this choice here with finish_reason content_filter */
  bool block;   /* in a whole (JSON) response: the choice shows no text at all, finish_reason content_filter */
};

/* A verdict of the upstream's own content filter. */
struct wire_upstream_verdict {
  bool jailbreak_detected, jailbreak_filtered;
  bool indirect_detected, indirect_filtered;
  bool completion_filtered; /* some choice ended with finish_reason content_filter */
};

/* Blocklists of the operator of which a phrase was found, each once. */
struct wire_list {
  const char *name;
  bool filtered, redacted;
};
struct wire_lists {
  struct wire_list *v;
  size_t n;
};

/* What our shield says about the prompt, for annotations and error bodies. */
struct wire_shield {
  bool jailbreak_detected, jailbreak_filtered;
  bool indirect_detected, indirect_filtered;
  struct wire_lists lists;
};

/* What our detectors said about a choice, for its content_filter_results. */
struct wire_choice_shield {
  bool credential_detected, credential_redacted, credential_filtered;
  bool sensitive_detected, sensitive_redacted, sensitive_filtered;
  struct wire_lists lists;
};

struct wire_hooks {
  void *ctx;
  /* Text arrived on a channel; last: nothing follows (in may be empty). Called in the order of the bytes. Returns VDT_OK
   * or an error that ends the response. */
  int (*text)(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out);
  /* For annotations; called just before a choice's annotation is written. */
  void (*choice_shield)(void *ctx, unsigned choice, struct wire_choice_shield *out);
  /* The model calls a tool of this name; or NULL. Called before the texts of the same event or body, once for each place where the name stands. *stop: the
   * call may not go out. A stream then ends here, as after a cut; of a whole body the caller has to take care. */
  int (*tool)(void *ctx, struct str name, bool *stop);
};

struct wire_response_options {
  enum wire_mode mode;
  bool annotate;             /* add prompt_filter_results and content_filter_results unless the upstream gave its own */
  struct wire_shield shield; /* for prompt_filter_results */
  size_t max_body;           /* largest JSON response, and largest SSE event, that is inspected */
  struct json_limits limits; /* all 0: the default */
  unsigned n;                /* choices asked for; 0: those seen so far */
};

/* What a response said, besides its text. Counts are 0 when it did not say. */
struct wire_response_info {
  struct str model, id;   /* in the arena */
  char finish_reason[32]; /* of choice 0, as it went to the client */
  uint64_t prompt_tokens, completion_tokens, total_tokens;
  struct wire_upstream_verdict upstream;
  enum vdt_inspected inspected; /* FULL until something was not read */
  char not_inspected[96];       /* why, the first reason */
  bool done;                    /* SSE: [DONE] was sent; nothing more may be sent, drop the upstream */
};

struct wire_response;

/* One response with status 200. Memory: the arena for small things, its own buffer for one event or one body. */
int wire_response_new(const struct wire_format *format, struct vdt_arena *arena, const struct wire_response_options *opt,
                      const struct wire_hooks *hooks, struct wire_response **out);
/* Bytes from the upstream; appends to out what may go to the client. However the bytes are cut, the joined output is the
 * same. SSE: whole events go out as soon as they are complete. JSON: nothing until finish. An event or body that cannot
 * be read is an error of json_parse when fail_closed semantics are wanted by the caller: the caller decides; on an error
 * nothing of the unread event has been appended, and wire_response_fail_open passes its bytes on. */
int wire_response_feed(struct wire_response *r, struct str in, struct buf *out);
/* The upstream's bytes are over (truncated: it broke off). Flushes held-back text; JSON: writes the body. */
int wire_response_finish(struct wire_response *r, bool truncated, struct buf *out);
/* After an error: the bytes that could not be inspected, for a caller that fails open. Afterwards the response passes
 * bytes through uninspected and info says so. */
void wire_response_fail_open(struct wire_response *r, struct buf *out);
const struct wire_response_info *wire_response_info(const struct wire_response *r);
/* Releases buffers; accepts NULL. Channels' user pointers are the hook owner's business. */
void wire_response_free(struct wire_response *r);

/* ---- sessions: one event in each message ------------------------------------------------------------------------- */

/* What becomes of one event of the upstream. All of it is good until the next call. */
struct wire_message {
  struct str before, after; /* events of ours around it, each a line of JSON with its LF */
  struct str event;         /* empty: nothing of it goes to the client */
  struct str reply;         /* events of ours for the upstream, lines too */
  struct str heard;         /* what the user was heard saying, in words; a prompt that came as sound */
  bool over;                /* a response ended, and no other is under way */
  enum wire_ways ways;      /* of the session, where the event says them */
  bool withheld;            /* after an error: something of it may not leave, not even where policy fails open */
};
/* Works on one event, whole. Other than a stream, a session goes on after a cut, and after an error: then nothing of the event
 * leaves, out->withheld says whether the caller may let it pass as it came, and the record says that it was not read. */
int wire_response_message(struct wire_response *r, struct str text, struct wire_message *out);
/* Some response is under way. */
bool wire_response_is_open(const struct wire_response *r);
/* Ends the responses that are under way, and the next one when there is none, as a cut does. */
int wire_response_stop(struct wire_response *r, struct wire_message *out);

/* An error event of ours. */
struct wire_session_error {
  struct str id;    /* letters and digits, for its event_id */
  struct str about; /* the event_id of what the client sent, or empty */
  int code;
  struct str message;
  const struct wire_shield *shield; /* NULL: no filtered prompt */
};
void wire_session_error(const struct wire_session_error *e, struct buf *out);
/* The events, lines, of a response that was asked for after its prompt had been stopped. */
void wire_session_refused(struct str id, struct buf *out);
/* Why a prompt was stopped, as a sentence. */
void wire_blocked_message(const struct wire_shield *shield, struct buf *out);

/* Reads an upstream's error body (status 400 with code content_filter) for its verdict. Returns true when it is one. */
bool wire_error_verdict(struct vdt_arena *arena, struct str body, struct wire_upstream_verdict *out);

/* ---- bodies of our own ----------------------------------------------------------------------------------------- */

/* HTTP 400 of a filtered prompt, in the form of the format's family. */
void wire_blocked_body(const struct wire_format *format, const struct wire_shield *shield, struct buf *out);
/* What an error is called in `code`. */
const char *wire_error_name(int code);
/* Any other error of ours: {"error":{"code","message","type","param"}}. code: "invalid_request_error" ... */
void wire_error_body(const struct wire_format *format, int code, struct str message, struct buf *out);
/* The object of content_filter_results for a prompt, as in Azure's annotations. */
void wire_prompt_annotation(const struct wire_shield *shield, struct buf *out);

/* ---- server-sent events ---------------------------------------------------------------------------------------- */

/* A decoder for text/event-stream (WHATWG HTML 9.2): splits at blank lines, LF, CR or CRLF, BOM at the start ignored.
 * Bytes in, whole events out, raw bytes kept. */
struct sse {
  struct buf pending;
  size_t taken;   /* bytes of pending already given out as events */
  size_t line;    /* where the current line begins */
  size_t scanned; /* bytes of pending already searched */
  bool started;
};
/* One event: raw bytes with its blank line, and its data lines joined with LF (borrowed from raw when there is one line,
 * else from the arena). has_data is false for comments and other fields only. */
struct sse_event {
  struct str raw, data, event;
  bool has_data;
};
void sse_finish(struct sse *s);
bool sse_feed(struct sse *s, struct str in); /* false when out of memory */
/* The next whole event, or false. *out is good until the next call of any sse function. */
bool sse_next(struct sse *s, struct vdt_arena *arena, struct sse_event *out);
/* The next whole line of a stream of JSON lines as an event. */
bool lines_next(struct sse *s, struct sse_event *out);
/* Bytes of an event that is not complete yet. */
struct str sse_rest(const struct sse *s);
/* Appends the event with other data: its other lines as they were, one data line for each line of data, a blank line. */
void sse_rewrite(const struct sse_event *event, struct str data, struct buf *out);
#endif
