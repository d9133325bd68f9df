/*
 * The interaction record: one JSON line per interaction, the only thing that flows from the gateway to everything else.
 *
 * The schema is record/interaction.schema.json (additionalProperties: false). A record of a clean interaction holds
 * metadata only. Text exists only where prompt evidence is on, and only sealed (record/seal.h): `sealed` of a finding holds its masked segment and what
 * was decoded, at most RECORD_EVIDENCE_MAX bytes each; `text` of a side the whole masked text, where whole texts are kept. `evidence` and `decoded` in the open
 * are what gateways before version 8 of the store wrote; they are still read.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "vedette/vedette.h"

enum { RECORD_VERSION = 1, RECORD_ID_LEN = 32, RECORD_EVIDENCE_MAX = 512, RECORD_LINE_MAX = 1 << 20 };
/* Bytes of the text of one direction that are kept whole at most. */
enum { RECORD_TEXTS_MAX = 64 << 10 };

enum record_outcome {
#define X(name, text) RECORD_##name,
#include "record/outcomes.def"
#undef X
};

/* Verdicts as x-vedette-verdict says them. */
enum record_verdict {
#define X(name, text) RECORD_VERDICT_##name,
#include "record/verdicts.def"
#undef X
};

struct record_finding {
  struct str direction; /* "request" or "response" */
  struct str part;      /* origin: "messages[1].content" */
  struct str role;      /* "prompt" ... */
  struct str detector, rule, title, alert, severity, action, reason, redacted;
  struct str type, type_id;            /* sensitive information type of Microsoft Purview and its GUID, or empty */
  struct str policy;                   /* the policy about data that decided, where one did */
  struct str source;                   /* "vedette", "upstream" or "shield" */
  struct str sealed;                   /* token of evidence and decoded, packed (record/seal.h), or empty */
  struct str evidence;                 /* masked segment or empty; in the gateway until it is sealed */
  uint32_t evidence_from, evidence_to; /* the bytes of it that were found, or their mask; to 0: not known. Sealed with it */
  struct str layers;  /* what it was encoded in, outermost first, joined by ", "; empty when it stands there openly */
  struct str decoded; /* what was read there, masked; like evidence */
  unsigned confidence;
  uint64_t start, end;
};

enum record_opinion_outcome {
#define X(name, text) RECORD_OPINION_##name,
#include "record/opinions.def"
#undef X
};

/* A second opinion of an outside shield; there is none when shield is empty. */
struct record_opinion {
  struct str shield, kind;
  bool waited;         /* the request waited for the answer */
  unsigned score;      /* the own score that was unsure, the highest of them, 0..100 */
  unsigned texts;      /* so many texts were sent, or would have been */
  unsigned cut;        /* of them, how many were too long and went in part */
  unsigned left_out;   /* unsure texts that were not sent: more than a question holds */
  unsigned remembered; /* unsure texts that the shield was asked about not long ago: its answer of then counts */
  enum record_opinion_outcome outcome;
  struct str decision; /* what followed: "keep" (the own verdict), "allow", "detect", "block" */
  unsigned status;     /* HTTP status of the shield's answer */
  uint64_t us;         /* from asking to the answer, or to giving up */
  uint64_t bytes;      /* body bytes that left */
  struct str sha256;   /* of these bytes */
};

/* Written before anything leaves for an outside shield, so that even a killed worker leaves word of it. */
struct record_egress {
  char id[RECORD_ID_LEN + 1]; /* of the interaction */
  uint64_t time_us;
  struct str workspace, deployment, shield, kind;
  struct str destination; /* "https://HOST"; empty in lines of earlier versions */
  unsigned score, texts;
  uint64_t bytes;
  struct str sha256;
};

/* What became of the values of a kind that have pseudonyms. */
struct record_pseudonym {
  struct str kind;   /* the rule */
  unsigned masked;   /* so many values of the request went upstream as pseudonyms */
  unsigned resolved; /* so many pseudonyms in the request went upstream as values again */
  unsigned restored; /* so many in the answer came to the client as values again */
};
enum { RECORD_PSEUDONYMS_MAX = 64 };

struct record_side {
  uint64_t bytes;
  unsigned parts;
  enum vdt_inspected inspected;
  struct str not_inspected; /* why, or empty: "messages[0].content[1]: image" */
  struct str text;          /* token of the whole text: part, role, text, and so on, packed (record/seal.h); or empty */
  uint64_t text_cut;        /* bytes that are not in it, because it would be too long */
};

struct record {
  char id[RECORD_ID_LEN + 1]; /* lower-case hex, 128 random bits */
  uint64_t time_us;           /* start of the interaction, Unix time in microseconds */
  uint64_t duration_us;       /* until the last byte was handed to the client's connection */
  uint64_t first_byte_us;     /* until the first response byte; 0 when there was none */
  uint64_t inspect_us;        /* time spent inspecting */
  struct str workspace, deployment, policy, resource_id, format, method, path; /* path without query */
  struct str model;
  bool stream;
  unsigned status;                                              /* HTTP status that the client got */
  struct str application, end_user, end_user_tenant, source_ip; /* from user_security_context */
  struct str client_ip, user_agent;
  struct str country, network; /* where that is: not in the line, serve finds it out (api/geo.h) */
  struct str key_id;           /* keyed hash of the client's credential, 16 hex digits, or empty */
  struct str auth;             /* what the credential is: "key", "token", or empty */
  struct str prompt_id;        /* keyed hash of what the user typed, case and blanks aside, 16 hex digits, or empty */
  struct str label;            /* the highest sensitivity label, or empty */
  unsigned label_priority;     /* its rank; greater is higher */
  struct str tools;            /* names of the tools that the model called, joined by ", "; at most 16 */
  unsigned tool_calls;         /* how often a call was seen */
  bool agent;                  /* the deployment is marked as an agent, or the request has tools */
  struct record_side request, response;
  struct str upstream;                 /* where it went, "https://HOST"; empty: nothing left for a model */
  uint64_t sent_bytes, received_bytes; /* to and from there, heads included */
  uint64_t prompt_tokens, completion_tokens, total_tokens;
  struct str finish_reason;
  enum record_outcome outcome;
  enum record_verdict verdict;
  bool failed_open;   /* something could not be inspected and policy let it pass */
  bool failed_closed; /* ... and policy refused it */
  struct str failure; /* why, or empty */
  unsigned revision;  /* 1: what is known since a second opinion came late; replaces the record of the same id */
  struct record_opinion opinion;
  struct str evidence_lost;            /* why text that was to be kept is not there: "no-key", "failed"; or empty */
  struct record_pseudonym *pseudonyms; /* at most RECORD_PSEUDONYMS_MAX */
  size_t n_pseudonyms;
  struct record_finding *findings;
  size_t n_findings;
};

/* Appends the record as one line, LF included. Text is escaped; the line never exceeds RECORD_LINE_MAX: findings beyond that
 * are left out and counted in findings_dropped. */
void record_write(const struct record *r, struct buf *out);
/* Reads one line (without or with its LF). Strict: unknown members, wrong types, missing members are ESYNTAX with the member's
 * name in err. Strings point into the arena or the line. */
int record_read(struct vdt_arena *arena, struct str line, struct record *out, struct vdt_error *err);

/* More findings behind those that are there; the array is a new one in the arena. VDT_OK or VDT_ENOMEM, which changes nothing. */
int record_append(struct record *r, struct vdt_arena *arena, const struct record_finding *more, size_t n);

/* The other kind of line. */
void record_write_egress(const struct record_egress *e, struct buf *out);
bool record_is_egress(struct str line);
int record_read_egress(struct vdt_arena *arena, struct str line, struct record_egress *out, struct vdt_error *err);

const char *record_opinion_name(enum record_opinion_outcome outcome);
const char *record_outcome_name(enum record_outcome outcome);
const char *record_verdict_name(enum record_verdict verdict);

/* ---- the journal: one file per worker --------------------------------------------------------------------------- */

/*
 * Appends records to <dir>/journal-<pid>-<start>.jsonl through a directory descriptor that was opened while the process still
 * had the right to. A new file is begun at max_bytes. A line is written with one write(2); after a short write the file is
 * cut back to its last whole line, so that a reader never sees half a record followed by another.
 */
struct journal {
  int dirfd, fd;
  uint64_t size, max_bytes, lost; /* lost: records that could not be written */
  char name[64];
  unsigned sequence;
};
/* The folder of a workspace's journals below the spool: nothing of one workspace is in a file of another. Made with the owner and the mode of the spool, closed to
 * others, so that the gateway's workers can write there whoever makes it; many may call it at once. Root puts a folder right that was left to root. A descriptor, or
 * -1 with errno. */
int journal_folder(int spool, const char *workspace);
/* dirfd is borrowed. Opens lazily at the first append. */
void journal_init(struct journal *j, int dirfd, uint64_t max_bytes);
/* VDT_OK, or VDT_EIO with errno set (ENOSPC ...): the record is not in the file, lost is counted. */
int journal_append(struct journal *j, struct str line, uint64_t now_us);
void journal_finish(struct journal *j);
#endif
