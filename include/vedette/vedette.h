/*
 * vedette.h - the detection engine of vedette, as a library.
 *
 * Text in, findings out. The library does no I/O, reads no clock, starts no thread and writes no log; all memory that a
 * scan needs is bounded by the limits below. Given the same rules, policy and text it always returns the same findings,
 * however the text was cut on its way in.
 *
 * Use: load an engine from rule files (once, shared by everything), make one scanner per thread, then scan whole texts
 * with vdt_scan() or stream them through vdt_stream_feed().
 *
 *   struct vdt_engine *e;  struct vdt_scanner *s;  struct vdt_error err;
 *   if (vdt_engine_new(rules, n_rules, &e, &err) || vdt_scanner_new(e, &s)) ...
 *   struct vdt_arena *a = vdt_arena_new(0);
 *   struct vdt_result r;
 *   vdt_scan(s, a, &policy, VDT_RESPONSE, text, len, &r);
 *
 * Every int-returning function returns VDT_OK (0) or one of the error codes; outputs are set only on success unless it
 * says otherwise.
 */
#ifndef VEDETTE_H
#define VEDETTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ---------------------------------------------------------------------------------------------------- */

enum vdt_code {
#define X(name, value, text, http) VDT_##name = value,
#include "vedette/errors.def"
#undef X
};

/* What went wrong and where. line is 1-based, 0 when there is no line. The text never holds input text other than key
 * names and rule ids. */
struct vdt_error {
  int code;
  char file[128];
  unsigned line;
  char text[384];
};

/* Static text of an error code; never NULL. */
const char *vdt_strerror(int code);
/* The HTTP status that a gateway answers for an error code. */
int vdt_http_status(int code);

/* ---- memory ---------------------------------------------------------------------------------------------------- */

/* A bump allocator: everything in it dies at once. One per interaction. */
struct vdt_arena;
/* limit: the most bytes it may hold, 0 for 64 MiB. NULL when out of memory. */
struct vdt_arena *vdt_arena_new(size_t limit);
/* Empties it and keeps its first block for reuse. */
void vdt_arena_reset(struct vdt_arena *arena);
/* Accepts NULL. */
void vdt_arena_free(struct vdt_arena *arena);

/* ---- policy ---------------------------------------------------------------------------------------------------- */

/* Ordered by strength: the verdict on an interaction is the strongest action of its findings. */
enum vdt_action { VDT_ALLOW, VDT_DETECT, VDT_REDACT, VDT_CUT, VDT_BLOCK };

/* Whose text it is. SYSTEM text is trusted: it never raises a jailbreak. DOCUMENT is what a tool, a file or a retrieval
 * brought in. RESPONSE is anything that a model wrote, tool-call arguments included. */
enum vdt_role { VDT_SYSTEM, VDT_PROMPT, VDT_DOCUMENT, VDT_RESPONSE };

enum vdt_severity { VDT_INFORMATIONAL, VDT_LOW, VDT_MEDIUM, VDT_HIGH };

enum vdt_detector_id {
#define X(id, name, title, roles) VDT_DET_##id,
#include "vedette/detectors.def"
#undef X
  VDT_DETECTORS /* how many there are */
};

/* A score detector (jailbreak, indirect, reconnaissance) acts with `action` at block_at, and detects from detect_at. */
struct vdt_score_policy {
  enum vdt_action action; /* ALLOW switches it off, DETECT never blocks, BLOCK blocks at block_at */
  double block_at, detect_at;
};

/* An action, or that of what it is about: SAME. */
enum vdt_override { VDT_SAME, VDT_DO_ALLOW, VDT_DO_DETECT, VDT_DO_REDACT, VDT_DO_CUT, VDT_DO_BLOCK };

/* What stands in the place of a secret: "[REDACTED:github-pat]"; what its kind shows anyway and its last four characters,
 * "ghp_****...3f2a", where these are plain letters and digits; or a pseudonym, "ghp_vdt3k9...", always the same for the same value, where the
 * policy has a pseudonym_key (a label where it has none). What pseudonyms look like is said in src/engine/pseudonym.h. */
enum vdt_mask_style { VDT_MASK_LABEL, VDT_MASK_PARTIAL, VDT_MASK_PSEUDONYM };
/* The same for a kind; SAME: as the policy says. */
enum vdt_kind_mask { VDT_KIND_MASK_SAME, VDT_KIND_MASK_LABEL, VDT_KIND_MASK_PARTIAL, VDT_KIND_MASK_PSEUDONYM };

/* Where the program around the library gives the value back when a model's answer repeats the pseudonym of it. The library does not read it. */
enum vdt_restore { VDT_RESTORE_ALL, VDT_RESTORE_TOOL_CALLS, VDT_RESTORE_NONE };

/* Other actions for the rules of this name, or that begin so: "github-pat", "github-*". The last entry that says something counts. */
struct vdt_kind_policy {
  const char *kind;
  enum vdt_kind_mask mask;
  enum vdt_override prompt, document, response, tool_call; /* document and tool_call: SAME is what prompt and response say */
  unsigned line;                                           /* of a configuration file, for errors; 0 for none */
};

/* A leak detector (credential, sensitive, malicious_url) acts by direction on findings of at least minimum_confidence (0..100). */
struct vdt_leak_policy {
  enum vdt_action prompt;      /* ALLOW, DETECT, REDACT or BLOCK: prompts, system text */
  enum vdt_override document;  /* the same for documents; SAME: as prompts */
  enum vdt_action response;    /* any */
  enum vdt_override tool_call; /* the arguments that a model calls a tool with; SAME: as responses */
  unsigned minimum_confidence;
  enum vdt_mask_style mask;
  enum vdt_restore restore;
  const struct vdt_kind_policy *kinds; /* count once vdt_policy_bind() has looked them up */
  size_t n_kinds;
};

/* Known bad addresses and names, from feeds and the built-in list; compiled by the program around the library. */
struct vdt_intel;

/* What happens when an outside shield was asked and gave no usable answer. */
enum vdt_opinion_failure { VDT_OPINION_KEEP, VDT_OPINION_BLOCK, VDT_OPINION_ALLOW };

/* Which outside shield is asked when the engine itself is unsure, that is when a score lies in [from, below). The library asks
 * nobody and reads none of this: it is for the program around it (the gateway; docs/second-opinion.md). */
struct vdt_opinion_policy {
  char shield[64]; /* name of an entry of shields, or "none" */
  double from, below;
  uint64_t deadline_ms;
  unsigned per_minute; /* most questions in a minute */
  enum vdt_opinion_failure on_failure;
};

/* What happens when an answer repeats the instructions that its request gave, and whether a canary is planted in them. Like the second opinion this
 * is for the program around the library. */
struct vdt_instruction_policy {
  enum vdt_action action; /* ALLOW, DETECT, CUT or BLOCK */
  bool canary;
};

/* Which tools a model may call, by name, or by the beginning of names and "*". Denied ones, and where any are allowed all others. For the program
 * around the library. */
struct vdt_tool_name {
  const char *name;
};
struct vdt_tool_policy {
  enum vdt_action action; /* ALLOW, DETECT, CUT or BLOCK */
  const struct vdt_tool_name *allowed;
  size_t n_allowed;
  const struct vdt_tool_name *denied;
  size_t n_denied;
};

/* Text in invisible characters: tag characters, variation selectors, zero-width bits. */
struct vdt_hidden_policy {
  enum vdt_action action; /* ALLOW, DETECT or BLOCK; what it says is judged in any case */
};

/* Which phrases are looked for, and what is done about those of each list of the blocklist: ALLOW does not look for them. In a whole text
 * the finding says what to do; a stream does it. */
struct vdt_phrases {
  struct vdt_blocklist *blocklist; /* NULL: none are */
  const enum vdt_action *actions;
};

/* What the model's words are: an answer; the arguments that it calls a tool with; or what it said earlier, as a request repeats it, to which
 * what holds for prompts is done. */
enum vdt_speech { VDT_ANSWER, VDT_TOOL_CALL, VDT_HISTORY };

/* Plain data; copy it freely. vdt_policy_default() is what `policies: [{name: x}]` gives. */
enum { VDT_PSEUDONYM_KEY = 32 };
struct vdt_policy {
  char name[64];
  struct vdt_score_policy jailbreak, indirect;
  struct vdt_leak_policy credential, sensitive;
  struct vdt_leak_policy malicious_url;
  struct vdt_score_policy reconnaissance;
  struct vdt_instruction_policy instruction_leak;
  struct vdt_tool_policy tools;
  struct vdt_hidden_policy hidden_text;
  bool fail_closed; /* on_failure: closed */
  bool annotate;    /* add Azure's content-filter annotations to what goes to the client */
  struct vdt_opinion_policy second_opinion;
  const struct vdt_bound *bound;      /* vdt_policy_bind(), or NULL */
  const struct vdt_allow *allow;      /* as said by who scans, or NULL: values that are no findings */
  enum vdt_speech speech;             /* as said by who scans: what a RESPONSE is */
  const unsigned char *pseudonym_key; /* as said by who scans: VDT_PSEUDONYM_KEY bytes, borrowed; NULL: no pseudonyms */
  struct vdt_phrases phrases;         /* as said by who scans; no policy of a configuration has any */
  const struct vdt_intel *intel;      /* as said by who scans, or NULL: addresses are judged by their looks alone */
};

void vdt_policy_default(struct vdt_policy *out);
const char *vdt_action_name(enum vdt_action action);     /* "allow" ... */
const char *vdt_role_name(enum vdt_role role);           /* "system" ... */
const char *vdt_severity_name(enum vdt_severity s);      /* "Medium" ... as in alerts */
const char *vdt_detector_name(enum vdt_detector_id det); /* "credential" ... */

/* ---- engine and scanner ---------------------------------------------------------------------------------------- */

/* The compiled rules: immutable, may be shared by threads and by forked processes. */
struct vdt_engine;

/* The text of one rule file (YAML, format in docs/rules.md). name is used in errors. */
struct vdt_source {
  const char *name;
  const char *p;
  size_t n;
};

/* Compiles rules. On failure *err names file, line and the nearest valid key. Takes some seconds
 * for the shipped rules: do it at start, not per text, or keep what it gives (docs/performance.md). */
int vdt_engine_new(const struct vdt_source *rules, size_t n, struct vdt_engine **out, struct vdt_error *err);

enum { VDT_KEPT_NAME = 32 }; /* hexadecimal digits */

/* Where a caller keeps what engines were compiled to. find: the bytes kept under a name, *n of them, which must stay until the call that asked
 * returns; NULL when there are none. */
struct vdt_kept {
  const void *(*find)(void *context, const char *name, size_t *n);
  void *context;
};

/* vdt_engine_new from what an earlier engine was compiled to (vdt_engine_compiled), in milliseconds; the names say of what. Rules without a
 * phrase of their own need not be the same. Bytes of other rules, another version or another processor, or damaged, are not used: the rules are
 * compiled. They must come from where nobody else may write: forged ones are no less dangerous than a forged program. kept: NULL when there is none. */
int vdt_engine_new_from(const struct vdt_source *rules, size_t n, const struct vdt_kept *kept, struct vdt_engine **out,
                        struct vdt_error *err);
/* What to keep, and under which name, which lives as long as the engine: *out is to be given to free(). *out is NULL when there is nothing new to
 * keep: the engine was made from such bytes itself, or had nothing to compile. VDT_ENOMEM. */
int vdt_engine_compiled(const struct vdt_engine *engine, const char **name, void **out, size_t *n);
void vdt_engine_free(struct vdt_engine *engine);
/* Gives the engine a trained model, before the first scanner is made: prompts and documents then get the joint score of rules and model.
 * weights: the bytes of a weights file (model/README.md), aligned to 64, which must outlive the engine's use of them; release, if it is not
 * NULL, is called with them when the engine is freed or when this fails. VDT_ERULE: what is wrong with the file. */
int vdt_engine_use_model(struct vdt_engine *engine, const void *weights, size_t n, void (*release)(const void *weights, size_t n),
                         struct vdt_error *err);

/* Scratch space for one thread at a time. The engine must outlive it. */
struct vdt_scanner;
int vdt_scanner_new(const struct vdt_engine *engine, struct vdt_scanner **out);
void vdt_scanner_free(struct vdt_scanner *scanner);

/* ---- kinds and allowed values ---------------------------------------------------------------------------------- */

/* Looks up the kinds of a policy among the rules of an engine. Afterwards the policy is for scans with that engine only; what was looked up
 * is in the arena. VDT_ECONFIG: a name that no rule has, with the line of its entry and the nearest name. */
int vdt_policy_bind(const struct vdt_engine *engine, struct vdt_arena *arena, struct vdt_policy *policy, struct vdt_error *err);

/* Values that are no findings, such as keys that a company publishes for tests, known by a keyed hash alone. */
enum { VDT_ALLOW_KEY = 32, VDT_ALLOW_HASH = 49 };
struct vdt_allowed {
  const char *hash; /* vdt_allow_hash() of the value; NULL: every value of the kind */
  const char *kind; /* as in vdt_kind_policy; NULL: whatever its kind */
  unsigned line;    /* of a configuration file, for errors; 0 for none */
};
struct vdt_allow;
/* The hash of a value, 48 hexadecimal digits and a NUL. */
void vdt_allow_hash(const unsigned char key[VDT_ALLOW_KEY], const char *value, size_t n, char out[VDT_ALLOW_HASH]);
/* In the arena; entries' kinds are borrowed. VDT_ECONFIG names the line of an entry that is wrong. */
int vdt_allow_new(const struct vdt_engine *engine, struct vdt_arena *arena, const unsigned char key[VDT_ALLOW_KEY],
                  const struct vdt_allowed *entries, size_t n, const struct vdt_allow **out, struct vdt_error *err);

/* ---- blocklists ------------------------------------------------------------------------------------------------ */

/* Phrases of the operator's own, in lists, compiled: for one thread at a time. They are found in any case and with whatever accents, width
 * and invisible characters, where no letter or digit goes on at their ends. */
struct vdt_blocklist;
struct vdt_phrase {
  const char *p;
  size_t n;
  uint32_t list; /* index of its list */
};
/* n > 0. names: of the lists; they are borrowed. VDT_ENOMEM, or VDT_EINVAL with the number of the phrase in err->line. */
int vdt_blocklist_new(const struct vdt_phrase *phrases, size_t n, const char *const *names, size_t n_lists,
                      struct vdt_blocklist **out, struct vdt_error *err);
/* Accepts NULL. */
void vdt_blocklist_free(struct vdt_blocklist *blocklist);

/* ---- findings -------------------------------------------------------------------------------------------------- */

#define VDT_REDACTED_MAX 64
#define VDT_DECODED_MAX  256
#define VDT_LAYERS_MAX   8

/* start/end are byte offsets into the text as it was given, end exclusive. Strings live as long as the engine or the
 * arena that was passed to the scan. */
struct vdt_finding {
  enum vdt_detector_id detector;
  const char *rule;   /* rule id, "github-pat"; the name of a blocklist */
  const char *title;  /* "GitHub personal access token (classic)" */
  const char *alert;  /* alertType this finding raises in this role, or "" for none */
  const char *reason; /* one line for people: which checks said so; never the matched text */
  enum vdt_severity severity;
  enum vdt_action action; /* what the policy does about it */
  unsigned confidence;    /* 0..100 */
  unsigned why;           /* bits: what it rests on; vdt_why_name names them. 0: reason alone says it */
  uint64_t start, end;
  char redacted[VDT_REDACTED_MAX]; /* secrets masked, safe to show: "ghp_****...3f2a"; "" when there is nothing to mask */
  /* Of what was found only after decoding: start/end are the encoded bytes, layers the encodings, outermost first ("base64",
   * "rot13"), and decoded says what was read, fewer than VDT_DECODED_MAX bytes of UTF-8 around it, secrets masked. Else 0 and "". */
  unsigned n_layers;
  const char *layers[VDT_LAYERS_MAX];
  const char *decoded;
  uint32_t
      item; /* of a blocklist: which phrase, as they are numbered from 0; else, of credentials and sensitive data, which rule */
  const char *type,
      *type_id;       /* the sensitive information type of Microsoft Purview that it is, and its GUID; NULL: none is known */
  const char *policy; /* the policy about data whose action it is, where one made that of the scan stricter; NULL: none did */
};

/* The name of bit i of a finding's why, "checksum"; NULL behind the last. */
const char *vdt_why_name(unsigned i);

enum vdt_inspected { VDT_FULL, VDT_PARTIAL, VDT_NONE };

/* What made the score of a prompt or a document, for those who ask why. Of the reading (the text, or what it decodes to) that scores
 * highest. logit, category, windows and spans are the model's: how many windows the text has and how many of them it read closely;
 * the words that carry the score, strongest first, and which share of the evidence each brings. */
#define VDT_SPANS_MAX 3
struct vdt_explanation {
  double rules, model, logit;
  const char *category; /* "changing-rules"; "" when the model saw nothing to read closely */
  size_t windows, read;
  struct {
    uint64_t start, end;
    double share;
  } spans[VDT_SPANS_MAX];
  size_t n_spans;
};

/* Bytes [start, end) of a whole text that may not go on, and what is to stand there. */
struct vdt_mask {
  uint64_t start, end;
  enum vdt_detector_id detector;
  const char *rule; /* of the first finding that it hides, or the name of a blocklist */
  bool pseudonym;   /* text is one, of exactly these bytes */
  char text[VDT_REDACTED_MAX];
};

struct vdt_result {
  enum vdt_action verdict;
  enum vdt_inspected inspected;
  double jailbreak, indirect; /* scores 0..1 of the score detectors */
  struct vdt_explanation why;
  struct vdt_finding *findings; /* ordered by start */
  size_t n_findings;
  struct vdt_mask *masks; /* for what is to be redacted: ordered, apart from each other */
  size_t n_masks;
  struct vdt_mask *names; /* what may go on, of kinds that have pseudonyms, and its pseudonym: for who meets that elsewhere */
  size_t n_names;
};

/* Scans one whole text, and what it says once its encodings are taken off: base64, ciphers, invisible characters and so on
 * (docs/detection.md), nested ones too, within bounds; beyond them inspected is VDT_PARTIAL. The scores are the highest of all readings.
 * It may hold any bytes; bytes that are not UTF-8 count as one unknown character each.
 * VDT_ENOMEM when the arena is full. */
int vdt_scan(struct vdt_scanner *scanner, struct vdt_arena *arena, const struct vdt_policy *policy, enum vdt_role role,
             const char *text, size_t n, struct vdt_result *out);

/* A turn of a conversation: what a user said in one message, or a piece of it. */
struct vdt_text {
  const char *p;
  size_t n;
  bool
      joined; /* a piece of the same turn as the text before, perhaps in the middle of a word: the two are read without a break too */
};

/* Scans a user's turns, oldest first, as one text: for an attack that is spread over them. What a single text says by itself is vdt_scan()'s.
 * Looks at the last turns only, within 8 KiB; fewer than two texts: out is empty. Finding i stands in turns[(*turn)[i]]; *turn is in the
 * arena. */
int vdt_scan_turns(struct vdt_scanner *scanner, struct vdt_arena *arena, const struct vdt_policy *policy,
                   const struct vdt_text *turns, size_t n, struct vdt_result *out, size_t **turn);

/* ---- streams --------------------------------------------------------------------------------------------------- */

/* The longest candidate that a stream holds back; a longer one is no finding. Bounds memory per stream. */
#define VDT_HOLD_MAX 16384

/* One text that arrives in pieces (a model's answer, a tool call's arguments). For every way to cut the text the released
 * bytes, joined, and the findings are the same, and equal to those of vdt_scan() that need no decoding (n_layers is 0). No byte of a span whose action is
 * REDACT, CUT or BLOCK is ever released. */
struct vdt_stream;

/* Bytes that may leave now. p points into the stream and is good until its next call. Redacted spans come as the mask
 * "[REDACTED:rule-id]", or as the policy says. After cut is true the stream releases nothing more, and feed and finish do nothing. */
struct vdt_release {
  const char *p;
  size_t n;
  bool cut;     /* a finding said CUT or BLOCK */
  bool changed; /* p[0..n) is not simply the next n bytes of the input, or bytes are held back after it */
};

/* findings and their strings go into the arena. Both must outlive the stream. The policy is copied. */
int vdt_stream_new(struct vdt_scanner *scanner, struct vdt_arena *arena, const struct vdt_policy *policy, enum vdt_role role,
                   struct vdt_stream **out);
int vdt_stream_feed(struct vdt_stream *stream, const char *p, size_t n, struct vdt_release *out);
/* The text is over: decides everything that was held back. */
int vdt_stream_finish(struct vdt_stream *stream, struct vdt_release *out);
/* What has been decided so far, ordered by start. *n is its number. */
const struct vdt_finding *vdt_stream_findings(const struct vdt_stream *stream, size_t *n);
/* Accepts NULL. */
void vdt_stream_free(struct vdt_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
