/*
 * The store of one workspace: interactions, alerts and how far each journal has been read.
 *
 * The interface is a table of functions, so that SQLite is one implementation and a server another. What a batch brings (records,
 * alerts, the journal's offset) is stored in one transaction; a record whose id is there changes nothing. Together: reading a journal
 * at least once stores it exactly once.
 *
 * A store is used by one thread at a time. Errors: EIO is worth trying again later (disk full, locked), EINVAL is not, ENOTFOUND.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "analyse/alert.h"
#include "analyse/suppress.h"
#include "store/keeping.h"

enum { STORE_EVIDENCE_MAX = 256 };

struct store_ops;
struct store {
  const struct store_ops *ops;
  struct alert_place place; /* as it was given, or as the store remembers it */
  _Atomic uint64_t *
      changed; /* or NULL; counted up when a transaction of this connection has changed alerts. The caller's, who may share it among connections */
};

/* Empty texts and ALERT_TYPES/ALERT_STATUSES match everything. ARM names are compared without case. */
struct store_query {
  struct str after; /* the name to go on behind; empty: from the newest */
  struct str subscription, resource_group;
  struct str part; /* beginning of the name or of its GUID, or end */
  enum alert_type type;
  enum alert_status status;
  enum vdt_severity severity; /* at least */
  uint64_t since_us;          /* last event not before it */
  struct str deployment, who; /* who: part of the principal */
  bool brief;                 /* without evidence, history and members */
  size_t limit;
};
#define STORE_QUERY_ALL ((struct store_query){.type = ALERT_TYPES, .status = ALERT_STATUSES, .limit = 100})

/*
 * A page of alerts for people, sorted and filtered. Sets are bits, 0 is any. Lists are JSON arrays of strings, one of which must be the whole
 * name; empty: any. text is looked for in deployment, application, user and principal, without ASCII case.
 */
enum store_sort {
#define X(id, name, kind, statement) STORE_BY_##id,
#include "store/sorts.def"
#undef X
  STORE_SORTS
};
struct store_filter {
  unsigned statuses, severities;
  struct str types, deployments, applications, users, text;
  uint64_t from_us, to_us; /* the last event not before, the first not after; to_us 0: no bound */
};
struct store_page {
  struct store_filter filter;
  enum store_sort sort;
  bool descending;
  /* The last alert of the page before: its name, and what it was sorted by. Empty: the first page. */
  struct str after, after_text;
  int64_t after_number;
  size_t limit;
};

/* Interactions of a deployment in five minutes, by what was done. failed: the client got a status of 500 or more. */
struct store_traffic {
  uint64_t slot_us;
  struct str deployment;
  uint64_t requests, tokens, detected, redacted, cut, blocked, not_inspected, failed;
};
typedef void store_traffic_fn(void *ctx, const struct store_traffic *t);

/* How many alerts have this. */
struct store_named_count {
  struct str name;
  uint64_t n;
};
/* How often a rule stands in the evidence of alerts. */
struct store_hits {
  struct str rule;
  uint64_t n, last_us;
};
enum { STORE_HITS_ROWS = 50000 };

enum store_top { STORE_TOP_TYPE, STORE_TOP_APPLICATION, STORE_TOP_USER, STORE_TOPS };
enum { STORE_TOP_MAX = 50 };
struct store_alert_counts {
  uint64_t open[VDT_HIGH + 1];                             /* active or in progress, by severity, of any time */
  uint64_t within;                                         /* that went on in the time asked for, in whatever state */
  struct store_named_count top[STORE_TOPS][STORE_TOP_MAX]; /* of these, the most first; empty names do not count */
  size_t n[STORE_TOPS];
};

/* What somebody says about an alert. */
struct store_change {
  enum alert_status status;           /* ALERT_STATUSES: stays as it is */
  struct str classification, comment; /* empty: nothing is said */
  struct str who;
  uint64_t time_us;
};

/* What of the plan is switched for a subscription; UNSET: as the configuration says. */
enum store_switch { STORE_UNSET, STORE_OFF, STORE_ON };
struct store_plan {
  struct str subscription;
  bool standard; /* false: the plan is off, and no alerts are raised */
  enum store_switch evidence, purview;
  uint64_t since_us; /* since when it is standard, or off */
  struct str who;
};

/* The whole text of the request [0] or response [1] of an interaction. */
struct store_text {
  struct str sealed; /* token (record/seal.h), or empty */
  bool shredded;     /* it was there, and its data key is gone */
  uint64_t cut;      /* bytes that are not in it */
};

/* What is sealed to a key of the workspace. */
struct store_data_keys {
  struct str key;               /* id of the workspace's key */
  uint64_t n;                   /* data keys */
  uint32_t first_day, last_day; /* since 1970, UTC */
};

/* How far records have been read: behind this one. All 0: from the beginning, or from a time on. */
struct store_place {
  uint64_t time_us;
  char id[RECORD_ID_LEN + 1];
};

/* An entry of the audit log. id and hash are the store's: nobody fills them in. */
enum { STORE_AUDIT_HASH = 32, STORE_HIDDEN = 32 };
struct store_audit {
  uint64_t time_us;
  struct str who, what, target, detail;
  uint64_t id;
  unsigned char hash[STORE_AUDIT_HASH];
};

/* Which entries; 0 and empty: any. */
struct store_audit_query {
  uint64_t before_us, since_us; /* before this time; not before this time */
  struct str who, what, text;   /* have this in them, whatever the case of ASCII letters; text: what it is about, or the detail */
  size_t limit;
};

enum store_audit_fault {
#define X(fault, name, text) STORE_AUDIT_##fault,
#include "store/audit_faults.def"
#undef X
};
const char *store_audit_fault_name(enum store_audit_fault fault);
const char *store_audit_fault_text(enum store_audit_fault fault);

/* What is to be verified, and what came of it. */
struct store_audit_check {
  const unsigned char *anchor; /* the hash of an entry that must be there, or NULL */
  /* Called for each fault, or NULL: at entry id; for MISSING, entries first to id - 1 are gone. */
  void (*found)(void *ctx, enum store_audit_fault fault, uint64_t id, uint64_t first);
  void *ctx;
  uint64_t entries, faults;
  uint64_t last;                        /* number of the last entry, 0: there is none */
  unsigned char head[STORE_AUDIT_HASH]; /* its hash */
  bool anchored;                        /* the anchor is the hash of an entry that is right */
};

/* Which rules; empty: any. */
struct store_rule_query {
  struct str subscription, name, alert_type, after;
  size_t limit;
};

/* How often sensitive information was met, in a row that is asked for. What was not asked for by, and time without a step, is empty and 0. */
struct store_use {
  uint64_t time_us; /* begin of the span */
#define X(member, column, name, help) struct str member;
#include "store/uses.def"
#undef X
  struct str type, type_id;             /* of Microsoft Purview, where rows are by kind and it has one */
  uint64_t interactions;                /* so many had it */
  uint64_t findings;                    /* so often it stood there */
  uint64_t requests, responses;         /* of the interactions, how many had it in the request, in the answer; some in both */
  uint64_t detected, redacted, stopped; /* of them, what was done at the most: each is one of these */
};

/* One bit for each row of uses.def, in their order. */
enum {
#define X(member, column, name, help) STORE_USE_AT_##member,
#include "store/uses.def"
#undef X
  STORE_USE_KEYS
};
enum {
#define X(member, column, name, help) STORE_USE_BY_##member = 1 << STORE_USE_AT_##member,
#include "store/uses.def"
#undef X
};

struct store_use_query {
  uint64_t from_us, to_us; /* whole hours of UTC: not before, and before */
  uint64_t step_us;        /* whole hours; 0: all in one */
  unsigned by;             /* STORE_USE_BY_ */
  struct store_use only;   /* of its texts those that are not empty must be equal */
  size_t limit;
};

/* What left this machine for a destination, and what came back, on one day: of requests to models, questions to shields, downloads. */
struct store_transfer {
  struct str day;                 /* "2026-11-26", UTC */
  struct str kind;                /* as in data/connections.def */
  struct str name;                /* of the deployment, shield or feed */
  struct str destination;         /* "https://HOST", "https://HOST:PORT", "unix:PATH", "simulated" */
  uint64_t count, sent, received; /* bytes */
};

/* What a step of a purge did: NONE: there is no purge; SOME: there may be more to do, also of the next one. */
enum store_purge_step { STORE_PURGE_NONE, STORE_PURGE_SOME, STORE_PURGE_LOOKED };

/* What went on one day, because it was old enough or because somebody had it purged. */
struct store_removal {
  struct str day;   /* "2026-11-26", UTC */
  struct str class; /* its name in classes.def */
  struct str cause; /* "expiry" or "purge" */
  uint64_t rows;
};

/* A table and what is in it. */
struct store_table {
  struct str name;
  struct str *columns;
  size_t n_columns;
  uint64_t rows;
  uint64_t oldest_us, newest_us; /* of the rows' times; 0: it has none */
};

/* How much text of prompts and answers is kept for a deployment. */
struct store_texts {
  struct str deployment, subscription;
  uint64_t rows, oldest_us, newest_us;
  uint64_t open, newest_open_us; /* of these rows, those that are not sealed */
};

struct store_counts {
  uint64_t alerts[ALERT_TYPES][ALERT_STATUSES];
};

struct store_ops {
  const char *name;
  int (*begin)(struct store *s, struct vdt_error *err);
  int (*commit)(struct store *s, struct vdt_error *err);
  void (*rollback)(struct store *s);
  /* Stores metadata and the record without evidence. *is_new false: it was there and nothing changed. */
  int (*put_record)(struct store *s, const struct record *r, bool *is_new, struct vdt_error *err);
  /* Extends the alert that takes the event, or begins one. *is_new says which. */
  int (*put_event)(struct store *s, const struct alert *event, uint64_t window_us, bool *is_new, struct vdt_error *err);
  /* The record of that id as JSON, without evidence; ENOTFOUND when there is none. */
  int (*get_record)(struct store *s, struct str id, struct vdt_arena *arena, struct str *json, struct vdt_error *err);
  /* Records as JSON, without evidence, oldest first, behind *at, which moves on; at most limit. *n is 0 at the end. */
  int (*list_records)(struct store *s, struct store_place *at, size_t limit, struct vdt_arena *arena, struct str **out, size_t *n,
                      struct vdt_error *err);
  /* The same, of those of an end user only. */
  int (*list_records_of)(struct store *s, struct str end_user, struct store_place *at, size_t limit, struct vdt_arena *arena,
                         struct str **out, size_t *n, struct vdt_error *err);
  /* What alerts keep of an interaction, whatever alert it is. At most STORE_EVIDENCE_MAX rows. */
  int (*list_evidence)(struct store *s, struct str interaction, struct vdt_arena *arena, struct alert_evidence **out, size_t *n,
                       struct vdt_error *err);
  /* Whole texts of an interaction, where they were kept; empty ones else. */
  int (*get_texts)(struct store *s, struct str interaction, struct vdt_arena *arena, struct store_text out[2],
                   struct vdt_error *err);
  /*
   * Crypto-shredding, for who lets evidence expire: call it after the rows of alert_evidence that are to go are deleted, in the same transaction or
   * not. First it deletes whole texts of interactions before that day of which no evidence is left; then the data keys of days before it that nothing
   * is sealed with any more. What was sealed with them is unreadable from then on, wherever a copy of it is, unless a copy of the
   * key is there too (backups: docs/evidence.md). Evidence that is held keeps its key. day: days since 1970, UTC (seal_day()). *n: keys that went.
   */
  int (*drop_evidence_keys)(struct store *s, uint32_t before_day, uint64_t *n, struct vdt_error *err);
  /* The data keys that are there, by the key of the workspace that they are wrapped for. */
  int (*list_data_keys)(struct store *s, struct vdt_arena *arena, struct store_data_keys **out, size_t *n, struct vdt_error *err);
  /* In place of the record of the same id. */
  int (*revise_record)(struct store *s, const struct record *r, struct vdt_error *err);
  /* Takes back what put_event did for this interaction and type: an alert that it alone made is dismissed by `who` if nobody has taken it
   * up yet, else the alert counts one event less. */
  int (*withdraw_event)(struct store *s, const struct alert *event, uint64_t window_us, struct str who, uint64_t now_us,
                        struct vdt_error *err);
  /* Adds to what put_event did for this interaction and type: properties and evidence, no further count (event->count is 0). Nothing when
   * there is no such alert. */
  int (*amend_event)(struct store *s, const struct alert *event, uint64_t window_us, struct vdt_error *err);
  /* What left for an outside shield; once per interaction. */
  int (*put_egress)(struct store *s, const struct record_egress *e, bool *is_new, struct vdt_error *err);
  int (*set_offset)(struct store *s, struct str journal, uint64_t offset, struct vdt_error *err);
  /* 0 for a journal that it does not know. */
  int (*get_offset)(struct store *s, struct str journal, uint64_t *offset, struct vdt_error *err);
  int (*drop_offset)(struct store *s, struct str journal, struct vdt_error *err);
  /* Newest first, with evidence and history; strings are in the arena. */
  int (*list)(struct store *s, const struct store_query *q, struct vdt_arena *arena, struct alert **out, size_t *n,
              struct vdt_error *err);
  /* The alerts of a page, without evidence, history and members; equal ones by start, the newest first. Reads one index and the page's alerts. *total: how
   * many the filter lets through altogether, where that was known without counting, else UINT64_MAX. */
  int (*page)(struct store *s, const struct store_page *q, struct vdt_arena *arena, struct alert **out, size_t *n,
              uint64_t *total, struct vdt_error *err);
  /* How many the filter lets through whose names are behind `after`, at most `most`. */
  int (*tally)(struct store *s, const struct store_filter *f, struct str after, uint64_t most, uint64_t *n,
               struct vdt_error *err);
  /* The traffic from a time until before another, by time; deployment is good during the call only. */
  int (*traffic)(struct store *s, uint64_t from_us, uint64_t to_us, store_traffic_fn *each, void *ctx, struct vdt_error *err);
  /* Alerts by state, and those that went on in that time by type, application and user. One pass over an index. */
  int (*counts)(struct store *s, uint64_t from_us, uint64_t to_us, struct vdt_arena *arena, struct store_alert_counts *out,
                struct vdt_error *err);
  /* What rules found since that time, by the evidence that alerts keep: of the newest STORE_HITS_ROWS rows. */
  int (*hits)(struct store *s, uint64_t since_us, struct vdt_arena *arena, struct store_hits **out, size_t *n,
              struct vdt_error *err);
  int (*get)(struct store *s, struct str name, struct vdt_arena *arena, struct alert *out, struct vdt_error *err);
  /* Any state to any other; what changes nothing leaves no trace, all else stays in the history. The alerts of an incident that is resolved
   * or dismissed go with it. */
  int (*change)(struct store *s, struct str name, const struct store_change *change, struct vdt_error *err);
  /* After put_event has begun an alert: makes it part of an incident, which may begin with it. *incident: one has begun. */
  int (*relate)(struct store *s, const struct alert *event, uint64_t now_us, bool *incident, struct vdt_error *err);
  /* By time, then the most interactions first; at most limit. Counted by put_record, for new records. */
  int (*list_use)(struct store *s, const struct store_use_query *q, struct vdt_arena *arena, struct store_use **out, size_t *n,
                  struct vdt_error *err);
  int (*count)(struct store *s, struct store_counts *out, struct vdt_error *err);
  /* Settings of subscriptions. Writing them leaves a line in the audit; a rule is replaced by one of the same
   * subscription and name. Rules come by name and are not compiled. delete_rule: ENOTFOUND. */
  int (*put_rule)(struct store *s, const struct suppress_rule *rule, struct vdt_error *err);
  int (*delete_rule)(struct store *s, struct str subscription, struct str name, struct str who, uint64_t now_us,
                     struct vdt_error *err);
  int (*list_rules)(struct store *s, const struct store_rule_query *q, struct vdt_arena *arena, struct suppress_rule **out,
                    size_t *n, struct vdt_error *err);
  int (*put_plan)(struct store *s, const struct store_plan *plan, uint64_t now_us, struct vdt_error *err);
  int (*list_plans)(struct store *s, struct str subscription, struct vdt_arena *arena, struct store_plan **out, size_t *n,
                    struct vdt_error *err);
  /* Another number whenever a rule or a plan was written. */
  int (*settings_version)(struct store *s, uint64_t *version, struct vdt_error *err);
  /* Appends to the audit log: in the transaction that has begun, else in one of its own. ESTATE: the key of the log is missing or another. */
  int (*put_audit)(struct store *s, const struct store_audit *a, struct vdt_error *err);
  /* Newest first, at most limit. */
  int (*list_audit)(struct store *s, const struct store_audit_query *q, struct vdt_arena *arena, struct store_audit **out,
                    size_t *n, struct vdt_error *err);
  /* What stands in the audit log in the place of a person's name: a hash with the log's key, in each workspace another. ESTATE as for put_audit. */
  int (*hide_name)(struct store *s, struct str name, char out[STORE_HIDDEN + 1], struct vdt_error *err);
  /* Holds every entry against its hash and the one before. OK also when there are faults; not within a transaction. ESTATE as for put_audit.
   * An anchor that is not there is no fault: check->anchored says it. */
  int (*verify_audit)(struct store *s, struct store_audit_check *check, struct vdt_error *err);
  /* Adds to what there is of that day, kind, name and destination. */
  int (*put_transfer)(struct store *s, const struct store_transfer *t, struct vdt_error *err);
  /* Of that day and later; empty: all. */
  int (*list_transfers)(struct store *s, struct str since, struct vdt_arena *arena, struct store_transfer **out, size_t *n,
                        struct vdt_error *err);
  /* Of every day, in order. expire() and purge() note what they remove. */
  int (*list_removals)(struct store *s, struct vdt_arena *arena, struct store_removal **out, size_t *n, struct vdt_error *err);
  /* Every table that the store really has, by name. */
  int (*survey)(struct store *s, struct vdt_arena *arena, struct store_table **out, size_t *n, struct vdt_error *err);
  /* By deployment. */
  int (*list_texts)(struct store *s, struct vdt_arena *arena, struct store_texts **out, size_t *n, struct vdt_error *err);
  /* How long a class is kept, by the configuration or because somebody set it; INHERIT takes that back. STORE_CLASSES: the workspace as a whole. What
   * somebody sets leaves a line in the audit. EINVAL: less than KEEP_MIN or more than KEEP_MAX and not FOREVER. */
  int (*set_keep)(struct store *s, enum store_class c, enum store_origin origin, uint64_t seconds, struct str who,
                  uint64_t now_us, struct vdt_error *err);
  int (*get_keeps)(struct store *s, struct store_keeps *out, struct vdt_error *err);
  /* Setting one of a name that is there replaces it. Both leave a line in the audit. release: ENOTFOUND. */
  int (*put_hold)(struct store *s, const struct store_hold *h, struct vdt_error *err);
  int (*release_hold)(struct store *s, struct str name, struct str who, struct str reason, uint64_t now_us,
                      struct vdt_error *err);
  int (*list_holds)(struct store *s, struct vdt_arena *arena, struct store_hold **out, size_t *n, struct vdt_error *err);
  /* Removes what is older than it is kept and not held, in one transaction. A time more than a day ahead of now counts as unknown: then the time of
   * storing decides. The call that finds nothing more ends a run: where the run removed anything the audit log gets an entry with the counts, also
   * when another process began it. ESTATE as for put_audit; what went is gone then, and the entry comes with the next run. */
  int (*expire)(struct store *s, struct store_expiry *e, struct vdt_error *err);
  /* Notes a purge that is to be done; with a line in the audit that has no value of a filter. EINVAL: store_purge_check() says why. */
  int (*put_purge)(struct store *s, const struct store_purge *p, struct vdt_error *err);
  /* ENOTFOUND. */
  int (*get_purge)(struct store *s, struct str id, struct vdt_arena *arena, struct store_purge *out, struct vdt_error *err);
  /* One step of the oldest purge that is not at its end: at most `limit` rows, in one transaction. One that finds nothing says LOOKED, and does so until
   * it is called `settled`: whatever was on its way into the store when it said so has arrived. A look in vain after that is its end; it still has to be
   * scrubbed before finish_purges() calls it finished. */
  int (*purge)(struct store *s, unsigned limit, bool settled, enum store_purge_step *did, struct vdt_error *err);
  /* After a scrub that began behind the last step: purges without rows to remove are finished and their filters forgotten. */
  int (*finish_purges)(struct store *s, uint64_t now_us, struct vdt_error *err);
  /* Something was removed since the last scrub that came to its end, and purges wait for one. */
  int (*wants_scrub)(struct store *s, bool *expired, bool *purged, struct vdt_error *err);
  /* Takes what was removed off the disk: one step of cleaning the database's pages, and at the end the log in front of it. EIO when others would not
   * let go of it; try again later from the same place. */
  int (*scrub)(struct store *s, struct store_scrub *at, struct vdt_error *err);
  /* Calls fn for nobody else writing meanwhile. */
  int (*alone)(struct store *s, int (*fn)(void *ctx, struct store *s, struct vdt_error *err), void *ctx, struct vdt_error *err);
  /* Of which classes a purge was requested at that time or later, finished or not. */
  int (*purged_since)(struct store *s, uint64_t since_us, bool out[STORE_CLASSES], struct vdt_error *err);
  /* The interaction is there. */
  int (*has_record)(struct store *s, struct str id, bool *yes, struct vdt_error *err);
  /* What was committed survives a power cut from here on. */
  int (*sync)(struct store *s, struct vdt_error *err);
  void (*close)(struct store *s);
};

/*
 * Opens (and makes) <state_dir>/workspaces/<workspace>/vedette.db. place names the workspace and is remembered; with create false
 * only place->workspace counts, the store must be there, and its remembered place is used.
 */
int store_open_sqlite(const char *state_dir, const struct alert_place *place, bool create, struct store **out,
                      struct vdt_error *err);
/* The tables and columns that a store of this version is to have, by name, made of schema.def; rows and times are 0. */
int store_schema_sqlite(struct vdt_arena *arena, struct store_table **out, size_t *n, struct vdt_error *err);
/* Letters, digits, '-', '_', at most 63. */
bool store_name_ok(struct str workspace);
/* The order of that name, STORE_SORTS when there is none; and what an alert is sorted by there, as a number or, where *text is set, a text. */
enum store_sort store_sort_find(struct str name);
int64_t store_sort_key(enum store_sort sort, const struct alert *a, struct str *text);
/* Accepts NULL. */
void store_close(struct store *s);
#endif
