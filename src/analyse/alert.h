/*
 * Alerts: from records to what a person should look at.
 *
 * One interaction gives at most one event per alert type. Events with the same key (workspace, type, deployment, principal) within a
 * window extend one alert that is still being worked on. Everything here is a pure function of its arguments: no clock, no I/O,
 * so that reading a journal twice gives the same alerts with the same names.
 */
#ifndef ANALYSE_ALERT_H
#define ANALYSE_ALERT_H
#include "record/record.h"

enum alert_type {
#define X(id, ...) ALERT_##id,
#include "analyse/alerts.def"
#undef X
  ALERT_TYPES
};

/* What an alert is in an attack of several steps. */
enum alert_stage { STAGE_NONE, STAGE_PROBE, STAGE_ATTACK, STAGE_HARM };

struct alert_info {
  const char *type, *title, *description;
  enum vdt_severity severity;
  const char *tactics, *techniques, *atlas, *owasp, *column, *remediation; /* lists separated by '|' */
  enum alert_type agent;                                                   /* its variant for agents; ALERT_TYPES: none */
  enum alert_stage stage;
};
const struct alert_info *alert_info(enum alert_type type);
/* The '|' lists of an alert: those of its type; of an incident whose members are there, theirs together, each item once. The text is static or
 * in the scratch, which is the caller's to finish; without memory it may be short. */
enum alert_list { ALERT_TACTICS, ALERT_TECHNIQUES, ALERT_ATLAS, ALERT_OWASP };
struct alert;
const char *alert_list(const struct alert *a, enum alert_list which, struct buf *scratch);
/* ALERT_TYPES when there is no such type. */
enum alert_type alert_type_find(struct str name);
/* The type to raise in place of `type`: its variant when there is one and the traffic is an agent's. */
enum alert_type alert_variant(enum alert_type type, bool agent);

/* Order of the states of an alert; their names are ARM's. */
enum alert_status { ALERT_ACTIVE, ALERT_IN_PROGRESS, ALERT_RESOLVED, ALERT_DISMISSED, ALERT_STATUSES };
const char *alert_status_name(enum alert_status status);
/* ALERT_STATUSES when there is no such status. ASCII case does not matter. */
enum alert_status alert_status_find(struct str name);

/* 19 digits, '_', GUID. Ascending names are descending start times. */
enum { ALERT_NAME_LEN = 56, ALERT_EVIDENCE_MAX = 20, ALERT_TEXT_MAX = 1024 };
static const uint64_t ALERT_WINDOW_US = UINT64_C(3600) * 1000000;

struct alert_evidence {
  char interaction[RECORD_ID_LEN + 1];
  uint64_t time_us;
  struct str part, role, rule, title, reason, redacted, segment, source;
  struct str layers, decoded;  /* of what was encoded */
  struct str sealed;           /* token of segment and decoded (record/seal.h), or empty */
  bool shredded;               /* it was sealed, and its data key is gone */
  uint32_t span_from, span_to; /* bytes of segment that were found, or their mask; to 0: not known */
  unsigned confidence;
};

/* What is thought of an alert, besides its state: Undetermined, TruePositive, BenignPositive, FalsePositive. */
extern const char *const alert_classifications[];
enum { ALERT_CLASSIFICATIONS = 4 };

struct alert_change {
  uint64_t time_us;
  enum alert_status from, to; /* the same: only the rest was said */
  struct str who;
  struct str comment, classification; /* or empty */
};

/* An alert of an incident. */
struct alert_member {
  struct str name;
  enum alert_type type;
  enum alert_status status;
  enum vdt_severity severity;
  uint64_t start_us;
};

struct alert_extended {
#define X(member, name, title, combine) struct str member;
#include "analyse/extended.def"
#undef X
};

struct alert {
  char name[ALERT_NAME_LEN + 1];
  enum alert_type type;
  enum alert_status status;
  enum vdt_severity
      severity;         /* its type's; of keys and data that of the worst kind; of an incident what follows from its chain */
  struct str principal; /* "user:..." or "key:..." or "ip:..." or "" */
  struct str resource_id, subscription, resource_group, region, workspace;
  struct str suppressed;     /* name of the rule that dismissed it as it came, or empty */
  struct str incident;       /* name of the incident that it belongs to, or empty */
  struct str classification; /* or empty */
  uint64_t start_us, end_us, generated_us, count;
  unsigned confidence;     /* the highest, 0..100 */
  uint64_t evidence_total; /* more than n_evidence when some were not kept */
  struct alert_extended x;
  struct alert_evidence *evidence;
  size_t n_evidence;
  const char *closed;   /* why some of its evidence stays closed (api/closed.def); empty: it is open; NULL: nobody tried */
  char closed_key[17];  /* id of the key that it is sealed to, or empty */
  struct str text[2];   /* of an event: tokens of the whole request and response, or empty */
  uint64_t text_cut[2]; /* bytes that are not in them */
  struct alert_change *history;
  size_t n_history;
  struct alert_member *members; /* of an incident */
  size_t n_members;
};

/* What a workspace adds to its alerts. subscription and resource_group stand in for a missing resource_id; empty ones have
 * defaults. */
struct alert_place {
  struct str workspace, region, subscription, resource_group;
};

/* The subscription that the alerts of a record are listed under. */
struct str alert_subscription(const struct record *r, const struct alert_place *place);
/* The alert events of one record, each a new alert with count 1. At most ALERT_TYPES; strings point into the record or the arena.
 * VDT_OK or VDT_ENOMEM. */
int alert_events(const struct record *r, const struct alert_place *place, uint64_t now_us, struct vdt_arena *arena,
                 struct alert out[ALERT_TYPES], size_t *n);

/* What a detector that looks at more than one interaction has seen, at the record that made it sure. Texts are our own words, but for
 * segment, which is masked text of the traffic and only there when evidence is on. */
struct alert_signal {
  enum alert_type type; /* the plain one: the variant for agents follows from the record */
  struct str detector, rule, title, reason;
  struct str part, role, segment; /* may be empty */
  unsigned confidence;
};
/* Adds it to the events of the record: to that of the same type, or as a new one. VDT_OK or VDT_ENOMEM. */
int alert_signal(const struct alert_signal *signal, const struct record *r, const struct alert_place *place, uint64_t now_us,
                 struct vdt_arena *arena, struct alert out[ALERT_TYPES], size_t *n);

/* The name of an alert of that type that began with this interaction. */
void alert_make_name(struct str interaction, uint64_t time_us, enum alert_type type, struct str workspace,
                     char out[ALERT_NAME_LEN + 1]);

/* How the names of alerts begin that began at that time: later ones have smaller names. */
enum { ALERT_TICKS_LEN = 19 };
void alert_ticks(uint64_t time_us, char out[ALERT_TICKS_LEN + 1]);

/* An event at time_us belongs to the alert: it is open, or takes what its rule suppresses, and the event lies within window_us of its first or last one. */
bool alert_takes(const struct alert *alert, uint64_t time_us, uint64_t window_us);
/* Adds an event of the same key: count, times, extended properties. *evidence_n says how many of the event's evidence rows still
 * fit. VDT_OK or VDT_ENOMEM. */
int alert_extend(struct alert *alert, const struct alert *event, struct vdt_arena *arena, size_t *evidence_n);
#endif
