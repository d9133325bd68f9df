/*
 * The insides of an exchange, shared by its files:
 *
 *   exchange.c           begin, end, verdict, record
 *   exchange_findings.c  what is kept of findings, with their evidence
 *   exchange_seal.c      the text that is kept of it, sealed
 *   exchange_request.c   head and body of the request
 *   exchange_redact.c    the body that goes upstream
 *   exchange_pseudonyms.c  values that have pseudonyms, and the way back
 *   exchange_response.c  head and body of the response
 *   exchange_data.c      policies about data, sensitivity labels
 *   exchange_turns.c     the user's turns read as one text
 *   exchange_session.c   events of a WebSocket session
 *   exchange_text.c      the text of a response on its way through the engine
 *   opinion.c            second opinions of outside shields
 *   shield.c             our own Prompt Shields API
 *   purview.c            our own data-security API
 */
#ifndef GATEWAY_EXCHANGE_INSIDE_H
#define GATEWAY_EXCHANGE_INSIDE_H
#include "gateway/evidence.h"
#include "gateway/exchange.h"
#include "gateway/inflate.h"
#include "gateway/instructions.h"
#include "gateway/pseudonyms.h"
#include "intel/intel.h"
#include "wire/opinion.h"
#include "wire/purview.h"
#include "wire/shield.h"

/* One channel of the response. */
struct tap {
  unsigned choice;
  struct str origin;
  struct vdt_stream *stream;
  struct buf joined;      /* the last piece together with what the end of the text let go */
  struct history history; /* only with evidence on */
  size_t taken;           /* findings of the stream that are kept already */
  uint64_t bytes_in, bytes_out;
  bool cut, failed, tool_call;
  struct restorer restorer;
  struct wire_choice_shield shield;
  struct tap *next;
  struct leak_reader leak;
  struct found_leak {
    enum instructions_found what;
    uint64_t start, end;
  } leaks[2]; /* found, not recorded yet */
  unsigned n_leaks;
  struct buf whole; /* only where whole texts are kept */
  bool leak_blocks; /* it is the repeated instructions that cut it, and policy says block */
};

/* A part of the request that is kept whole. */
struct kept_part {
  struct str origin, text;
  enum vdt_role role;
};

/* One text of the request of which we are unsure. */
struct opinion_case {
  enum vdt_detector_id detector;
  enum vdt_role role;
  struct str part; /* its origin */
  struct str text; /* gone after opinion_begin */
  const struct vdt_finding *known;
  size_t n_known;
  double score;
  enum vdt_action own;     /* what our own verdict does */
  enum vdt_action most;    /* what the policy allows to be done: BLOCK or DETECT */
  size_t first, last;      /* our own findings in the record */
  uint64_t start, end;     /* the span that carried the score */
  bool cut;                /* goes in part */
  bool remembered, attack; /* the shield was asked before, and said so */
  size_t at;               /* in the question, unless remembered */
  struct str segment;      /* evidence, where it is on */
};

struct opinion {
  const struct vdt_opinion_policy *policy;
  struct opinion_case *cases;
  size_t n, cap, n_asked; /* the first n_asked are in the question */
  struct opinion_text texts[OPINION_TEXTS];
  struct opinion_question question;
  struct exchange_question asked;
  struct buf body;
  struct record_opinion record;
  enum vdt_action standing; /* what unsure texts do to the verdict, as far as it is known */
  uint64_t asked_us;
  bool begun, settled, revise;
};

/* What the body of the request is. */
enum body_kind { BODY_JSON, BODY_FORM, BODY_LINES, BODY_ANY };

/* What happens to the body of the response. */
enum body_mode {
  BODY_NONE,  /* not begun */
  BODY_PASS,  /* untouched */
  BODY_WIRE,  /* read by wire */
  BODY_FIRST, /* the first byte says whether it is JSON lines, or passes */
  BODY_ERROR, /* an error of the upstream: gathered, read for a verdict, passed on unchanged */
};

struct exchange {
  const struct image *image;
  struct vdt_scanner *scanner;
  struct vdt_arena *arena;
  struct record record;
  uint64_t start_us;
  const struct wire_format *format;
  const struct config_deployment *deployment;
  const struct vdt_policy *tight; /* the policy with those about data on top of it; NULL: none holds, or it is not settled yet */
  enum vdt_action strongest;
  size_t cap_findings, n_evidence;
  struct vdt_intel *intel; /* one for the whole interaction */
  uint64_t *urls;          /* hashes of malicious hosts that the request brought in */
  size_t n_urls, cap_urls;
  struct instructions instructions;
  struct str *tools; /* names of those that the model called */
  size_t n_tools, cap_tools;
  bool tool_denied; /* the answer may not go out */
  struct kept_part *kept;
  size_t n_kept, cap_kept;
  size_t kept_bytes[2]; /* of the request and of the answer */

  /* Our own answer. */
  bool answered, blocked;
  unsigned answer_status;
  const char *error_code; /* of our Prompt Shields API, or NULL */
  unsigned retry_after;
  struct buf answer;

  /* Request. */
  enum coding request_coding;
  struct str body;  /* the client's, borrowed */
  struct buf plain; /* without its coding */
  struct buf changed_body;
  bool body_changed, request_read;
  enum body_kind body_kind;
  struct str boundary;               /* of a form */
  struct wire_redaction *redactions; /* what may not go upstream */
  size_t n_redactions, cap_redactions;
  struct pseudonyms pseudonyms;
  bool restores;    /* some of them may come back in the answer */
  bool hears;       /* the text at hand is what was said aloud: nothing can be masked */
  bool shield_call; /* of our Prompt Shields API */
  struct shield_call shield_what;
  bool purview_call; /* of our data-security API */
  struct purview_call purview;
  struct str if_none_match;
  char etag[PURVIEW_ETAG]; /* of what holds for its user, with quotes, or "" */
  unsigned n;
  struct wire_part *query; /* what the query says in words */
  size_t n_query;
  struct wire_shield shield;
  struct opinion opinion;

  /* Session. */
  bool session;          /* a WebSocket session, of which this is a turn */
  struct str said_label; /* of the handshake: it holds for each turn */
  enum wire_ways ways;   /* how the session is answered, as far as it is known */
  bool session_read;     /* some text of the client's events was read */

  /* Response. */
  enum body_mode mode;
  enum wire_mode wire_mode;
  struct wire_response *wire;
  struct wire_hooks hooks;
  struct inflater inflater;
  struct buf inflated, gathered;
  struct tap *taps;
  struct tap *spent; /* has ended: what it holds is freed when its last text is no longer needed, at the next text */
  bool over;         /* nothing more leaves before finish */
  bool spoiled;      /* a whole body that gives way to our 502 */
  bool passing;      /* failed open: bytes go through */
  bool verdict_taken;
};

/* ---- exchange.c ---- */

const struct vdt_policy *exchange_policy(const struct exchange *x);
bool exchange_fails_closed(const struct exchange *x);
/* What the configuration and the plan say for its deployment; never INHERIT. */
enum config_evidence exchange_evidence(const struct exchange *x);
bool exchange_has_evidence(const struct exchange *x);
/* A copy in the arena, at most max bytes; empty when memory runs out. */
struct str exchange_keep(struct exchange *x, struct str s, size_t max);
/* Makes an error of ours the answer. */
void exchange_refuse(struct exchange *x, int code, const char *message);
/* Azure's content-filter answer for a blocked request. */
enum exchange_next exchange_block(struct exchange *x);
/* Takes what a score detector did into what annotations and the blocked answer say. */
void exchange_keep_shield(struct exchange *x, enum vdt_detector_id detector, enum vdt_action action);
/* Notes why something could not be inspected; the first reason stays. why is copied. */
void exchange_note_failure(struct exchange *x, const char *why);

/* ---- exchange_data.c ---- */

/* To be called when it is known who asks and which deployment, and before anything is read: puts the policies about data on top. False when out of
 * memory: then nothing may pass as inspected. */
bool exchange_settle_policy(struct exchange *x);
/* The same policy into *out, made in that arena, and where the application may also be called `also`. */
bool exchange_tighten(const struct exchange *x, struct vdt_arena *arena, struct str also, struct vdt_policy *out);
/* The label of the interaction is at least this; NULL says nothing. */
void exchange_keep_label(struct exchange *x, const struct config_label *label);
/* The same by the name or id that somebody else gave it; one that there is not says nothing. */
void exchange_say_label(struct exchange *x, struct str said);
/* The same by what was found. */
void exchange_label_finding(struct exchange *x, const struct vdt_finding *f);

/* ---- exchange_seal.c ---- */

/* Where whole texts are kept: remembers a part of the request. A part that is too long, or for which there is no memory, is cut, and the record says it. */
void exchange_keep_part(struct exchange *x, const struct wire_part *part);
/* The same for a piece of the answer. */
void exchange_keep_piece(struct exchange *x, struct tap *t, struct str piece);
/* Seals what findings keep, and whole texts where they are kept. Afterwards no text is in the record in the open. */
void exchange_seal(struct exchange *x);

/* ---- exchange_findings.c ---- */

/* Where findings come from: one part of the request, one channel of the response. */
struct finding_origin {
  bool response;
  enum vdt_role role;
  struct str part;
  const struct evidence *evidence; /* NULL: none is kept */
};
bool exchange_add_finding(struct exchange *x, const struct finding_origin *o, const struct vdt_finding *f);
/* What an outside shield says about an unsure text, or that it says nothing (missing). */
void exchange_add_opinion(struct exchange *x, const struct opinion_case *c, enum vdt_action action, bool missing);
/* What the upstream's own filter says. blocked: it refused the prompt. */
void exchange_add_upstream(struct exchange *x, const struct wire_upstream_verdict *v, bool blocked);

/* ---- exchange_blocklist.c ---- */

/* The phrases of the deployment's blocklists, for its requests or its answers. */
struct vdt_phrases exchange_phrases(const struct exchange *x, bool response);
/* Takes what a list did into what annotations and the blocked answer say. */
void exchange_keep_list(struct exchange *x, struct wire_lists *lists, const char *name, enum vdt_action action);

/* ---- exchange_redact.c ---- */

/* Notes what has to be masked of a part before the request goes upstream. Where that cannot be done the request is stopped. */
bool exchange_redact_part(struct exchange *x, const struct wire_part *part, struct vdt_result *r);
/* Notes that bytes [start, end) of the part's text go upstream as something else. False when out of memory. */
bool exchange_redact(struct exchange *x, const struct wire_part *part, size_t start, size_t end, struct str with);
/* The body as it goes upstream: masked, and without user_security_context where the upstream does not know it; coded as it came. */
bool exchange_change_body(struct exchange *x, struct str text, struct wire_span security_context);

/* ---- exchange_request.c ---- */

/* What the policy says about prompts, for an assistant's earlier words too. */
struct vdt_policy exchange_request_policy(const struct exchange *x);
/* Scans all parts; findings, and what was not read, go to the record. */
int exchange_scan_parts(struct exchange *x, struct vdt_arena *scratch, const struct wire_request *q);
/* So that the same request again and again can be noticed where no text is kept. */
void exchange_keep_prompt_id(struct exchange *x, const struct wire_request *q);

/* ---- exchange_session.c ---- */

/* The deployment that the query of a session names, or empty. */
struct str exchange_session_deployment(struct exchange *x, struct str query);
/* The query asks for a session of sound alone. */
bool exchange_session_is_sound(struct exchange *x, struct str query);

/* ---- exchange_query.c ---- */

/* Keeps what the query says in words, and what the path does. False when out of memory. */
bool exchange_keep_query(struct exchange *x, struct str query);
bool exchange_keep_path(struct exchange *x, struct str path);
/* Adds it to what the body says; q's parts move to scratch. False when out of memory. */
bool exchange_add_query(struct exchange *x, struct vdt_arena *scratch, struct wire_request *q);

/* ---- exchange_pseudonyms.c ---- */

/* Takes the pseudonyms of a part. False when out of memory. */
bool exchange_name_part(struct exchange *x, const struct wire_part *part, struct vdt_result *r);
/* When all parts are read: notes which pseudonyms in them become values again. False when out of memory. */
bool exchange_resolve(struct exchange *x, const struct wire_request *q);
/* The model remembers what the session's earlier turns said: so do these names, in memory, as long as the session lasts. False when out of
 * memory. */
bool exchange_inherit_pseudonyms(struct exchange *x, const struct exchange *before);
/* Puts values back into what is about to leave. False when out of memory. */
bool exchange_restore(struct exchange *x, struct tap *t, bool last, struct wire_text *text);
/* Counts by kind, for the record. */
void exchange_record_pseudonyms(struct exchange *x);

/* ---- exchange_instructions.c ---- */

/* Remembers the instructions of a request; false when out of memory. */
bool exchange_learn_instructions(struct exchange *x, const struct wire_request *q);
/* Puts the canary into them, where policy says so. To be called when the body is about to be changed. */
bool exchange_plant_canary(struct exchange *x, const struct wire_request *q);
/* Overwrites the canary in a text of ours. */
void exchange_hide_canary(const struct exchange *x, struct str *text);
/* Reads a piece of an answer. CUT or BLOCK: *in ends behind what made it sure, and nothing may follow. */
enum vdt_action exchange_read_leak(struct exchange *x, struct tap *t, struct str *in, bool last);
/* What that found becomes findings, once the text is in the history. False when out of memory. */
bool exchange_add_leaks(struct exchange *x, struct tap *t);

/* ---- exchange_tools.c ---- */

int exchange_on_tool(void *ctx, struct str name, bool *stop);

/* ---- exchange_turns.c ---- */

int exchange_scan_turns(struct exchange *x, struct vdt_arena *scratch, const struct vdt_policy *policy,
                        const struct wire_request *q);

/* ---- exchange_text.c ---- */

struct wire_hooks exchange_hooks(struct exchange *x);
/* The verdict is at least this. A stream cannot take back what left: there blocking is cutting. */
void exchange_raise_to(struct exchange *x, enum vdt_action action);
void exchange_free_taps(struct exchange *x);
#endif
