/* Inside of the SQLite store: connection, statements, binding. Nothing outside of store/ includes this. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H
#include "store/store.h"
#include "store/sqlite_keep.h"
#include <sqlite3.h>

enum statement {
#define X(id, sql) SQL_##id,
#include "store/statements.h"
#undef X
  STATEMENTS
};

struct sqlite_store {
  struct store base;
  sqlite3 *db;
  sqlite3_stmt *prepared[STATEMENTS];
  bool touches[STATEMENTS]; /* it changes alerts */
  struct buf scratch;       /* a record on its way in */
  char *place[4];           /* workspace, region, subscription, resource group: owned */
  char name[64];            /* of the workspace, as its folder has it */
  char *audit_key_path;
  unsigned char audit_key[32];
  bool has_audit_key;
  bool alerts_touched; /* in the transaction that goes on */
  struct vdt_arena *arena;
};

static inline struct sqlite_store *sqlite_of(struct store *s)
{
  return (struct sqlite_store *)s;
}

/* The statement, prepared at its first use, with nothing bound. NULL and *rc when that failed. */
sqlite3_stmt *sqlite_statement(struct sqlite_store *s, enum statement which, int *rc, struct vdt_error *err);
/* Steps a statement that gives no row, and resets it. */
int sqlite_run(struct sqlite_store *s, sqlite3_stmt *q, struct vdt_error *err);
/* A code of SQLite as one of ours, with err set. Never holds data. */
int sqlite_error(struct sqlite_store *s, int code, struct vdt_error *err);
void sqlite_bind_str(sqlite3_stmt *q, int at, struct str s);
void sqlite_bind_u64(sqlite3_stmt *q, int at, uint64_t v);
/* A copy of a text column in the arena; *failed is set when out of memory. */
struct str sqlite_str(sqlite3_stmt *q, int at, struct vdt_arena *arena, bool *failed);
uint64_t sqlite_u64(sqlite3_stmt *q, int at);

/* The time that a row is filed under: its own, unless that is more than a day ahead; then now, so that it expires. */
uint64_t sqlite_filed_us(uint64_t time_us);

/* Writes the record with a statement that takes the columns of interactions. */
int sqlite_write_record(struct sqlite_store *s, enum statement how, const struct record *r, bool *changed, struct vdt_error *err);
/* The open alert that takes the event; *found false when there is none. */
int sqlite_find_open(struct sqlite_store *s, const struct alert *event, uint64_t window_us, struct alert *out, bool *found,
                     struct vdt_error *err);
/* Adds the event to the alert and writes both. */
int sqlite_extend(struct sqlite_store *s, struct alert *alert, const struct alert *event, struct vdt_error *err);
/* The alert of that name, without evidence and history. */
int sqlite_get_row(struct sqlite_store *s, struct str name, struct vdt_arena *arena, struct alert *out, struct vdt_error *err);
/* Within a transaction. */
int sqlite_change_one(struct sqlite_store *s, struct str name, const struct store_change *change, struct vdt_error *err);
/* false: of a type that this version does not know, or out of memory (*failed). The columns are those of alerts. */
bool sqlite_read_alert(struct store *s, sqlite3_stmt *q, struct vdt_arena *arena, struct alert *a, bool *failed);
int sqlite_write_alert(struct sqlite_store *s, enum statement how, const struct alert *a, bool *changed, struct vdt_error *err);
/* An alert of this incident was taken back: when those that are left make no chain any more, the incident is dismissed too, unless somebody has
 * taken it up. Within a transaction. */
int sqlite_reconsider(struct sqlite_store *s, struct str incident, const struct store_change *why, struct vdt_error *err);
/* The alert took a repeat: tells its incident, if it has one that is open. Within a transaction. */
int sqlite_follow(struct sqlite_store *s, const struct alert *a, struct vdt_error *err);
int sqlite_load_members(struct sqlite_store *s, struct alert *a, struct vdt_arena *arena, struct vdt_error *err);

int sqlite_list_records(struct store *s, struct store_place *at, size_t limit, struct vdt_arena *arena, struct str **out,
                        size_t *n, struct vdt_error *err);
int sqlite_list_records_of(struct store *s, struct str end_user, struct store_place *at, size_t limit, struct vdt_arena *arena,
                           struct str **out, size_t *n, struct vdt_error *err);
int sqlite_list_evidence(struct store *s, struct str interaction, struct vdt_arena *arena, struct alert_evidence **out, size_t *n,
                         struct vdt_error *err);
/* The data key of a token, and what is left of the token, for two columns; both empty when it is no token. Keeps the data key. */
int sqlite_put_sealed(struct sqlite_store *s, struct str token, struct vdt_arena *arena, struct str *data_key, struct str *body,
                      struct vdt_error *err);
/* The token again from five columns: data_key, sealed, day, workspace_key, wrapped. */
struct str sqlite_sealed(sqlite3_stmt *q, int at, struct vdt_arena *arena, bool *shredded, bool *failed);
/* Keeps the whole texts that an event brings. */
int sqlite_put_texts(struct sqlite_store *s, const struct alert *event, struct vdt_error *err);
void sqlite_bind_blob(sqlite3_stmt *q, int at, struct str s);
int sqlite_get_texts(struct store *s, struct str interaction, struct vdt_arena *arena, struct store_text out[2],
                     struct vdt_error *err);
int sqlite_list_data_keys(struct store *s, struct vdt_arena *arena, struct store_data_keys **out, size_t *n,
                          struct vdt_error *err);
int sqlite_drop_evidence_keys(struct store *s, uint32_t before_day, uint64_t *n, struct vdt_error *err);
int sqlite_get_record(struct store *s, struct str id, struct vdt_arena *arena, struct str *json, struct vdt_error *err);
int sqlite_revise_record(struct store *s, const struct record *r, struct vdt_error *err);
int sqlite_withdraw_event(struct store *s, const struct alert *event, uint64_t window_us, struct str who, uint64_t now_us,
                          struct vdt_error *err);
int sqlite_amend_event(struct store *s, const struct alert *event, uint64_t window_us, struct vdt_error *err);
int sqlite_put_egress(struct store *s, const struct record_egress *e, bool *is_new, struct vdt_error *err);
/* Statements of our own that take and give nothing. */
int sqlite_execute(struct sqlite_store *s, const char *sql, struct vdt_error *err);
/* What the schema has since that version. Within a transaction, or on a database that nobody else has. */
int sqlite_make_tables(struct sqlite_store *s, int version, struct vdt_error *err);
int sqlite_put_transfer(struct store *s, const struct store_transfer *t, struct vdt_error *err);
int sqlite_list_transfers(struct store *s, struct str since, struct vdt_arena *arena, struct store_transfer **out, size_t *n,
                          struct vdt_error *err);
int sqlite_survey(struct store *s, struct vdt_arena *arena, struct store_table **out, size_t *n, struct vdt_error *err);
int sqlite_list_texts(struct store *s, struct vdt_arena *arena, struct store_texts **out, size_t *n, struct vdt_error *err);
int sqlite_put_event(struct store *s, const struct alert *event, uint64_t window_us, bool *is_new, struct vdt_error *err);
int sqlite_list(struct store *s, const struct store_query *q, struct vdt_arena *arena, struct alert **out, size_t *n,
                struct vdt_error *err);
int sqlite_get(struct store *s, struct str name, struct vdt_arena *arena, struct alert *out, struct vdt_error *err);
int sqlite_change(struct store *s, struct str name, const struct store_change *change, struct vdt_error *err);
int sqlite_relate(struct store *s, const struct alert *event, uint64_t now_us, bool *incident, struct vdt_error *err);
int sqlite_put_rule(struct store *s, const struct suppress_rule *rule, struct vdt_error *err);
int sqlite_delete_rule(struct store *s, struct str subscription, struct str name, struct str who, uint64_t now_us,
                       struct vdt_error *err);
int sqlite_list_rules(struct store *s, const struct store_rule_query *q, struct vdt_arena *arena, struct suppress_rule **out,
                      size_t *n, struct vdt_error *err);
int sqlite_put_plan(struct store *s, const struct store_plan *plan, uint64_t now_us, struct vdt_error *err);
int sqlite_list_plans(struct store *s, struct str subscription, struct vdt_arena *arena, struct store_plan **out, size_t *n,
                      struct vdt_error *err);
int sqlite_settings_version(struct store *s, uint64_t *version, struct vdt_error *err);
/* Appends an entry. Within a transaction. */
int sqlite_append_audit(struct sqlite_store *s, const struct store_audit *a, struct vdt_error *err);
/* Gives settings another version. Within a transaction. */
int sqlite_settings_changed(struct sqlite_store *s, struct vdt_error *err);
/* Chains the entries of a store of before version 6. Within the transaction that makes the schema. */
int sqlite_chain_audit(struct sqlite_store *s, uint64_t now_us, struct vdt_error *err);
int sqlite_hide_name(struct store *s, struct str name, char out[STORE_HIDDEN + 1], struct vdt_error *err);
int sqlite_put_audit(struct store *s, const struct store_audit *a, struct vdt_error *err);
int sqlite_list_audit(struct store *s, const struct store_audit_query *q, struct vdt_arena *arena, struct store_audit **out,
                      size_t *n, struct vdt_error *err);
int sqlite_verify_audit(struct store *s, struct store_audit_check *check, struct vdt_error *err);
/* Counts what a new record found. Within its transaction. */
int sqlite_count_use(struct sqlite_store *s, const struct record *r, struct vdt_error *err);
int sqlite_list_use(struct store *s, const struct store_use_query *q, struct vdt_arena *arena, struct store_use **out, size_t *n,
                    struct vdt_error *err);
int sqlite_page(struct store *s, const struct store_page *q, struct vdt_arena *arena, struct alert **out, size_t *n,
                uint64_t *total, struct vdt_error *err);
/* For orders other than start: the names of the page, in its order, and how many pass the filter; q is that order's statement, bound. */
int sqlite_sort_page(struct sqlite_store *s, sqlite3_stmt *q, const struct store_page *p, bool text,
                     char (*names)[ALERT_NAME_LEN + 1], size_t *n, uint64_t *total, struct vdt_error *err);
int sqlite_tally(struct store *s, const struct store_filter *f, struct str after, uint64_t most, uint64_t *n,
                 struct vdt_error *err);
/* Counts a record that is new, and takes back what one that is stored had counted. Within a transaction. */
int sqlite_count_traffic(struct sqlite_store *s, const struct record *r, struct vdt_error *err);
int sqlite_uncount_traffic(struct sqlite_store *s, struct str id, struct vdt_error *err);
int sqlite_traffic(struct store *s, uint64_t from_us, uint64_t to_us, store_traffic_fn *each, void *ctx, struct vdt_error *err);
int sqlite_counts(struct store *s, uint64_t from_us, uint64_t to_us, struct vdt_arena *arena, struct store_alert_counts *out,
                  struct vdt_error *err);
int sqlite_hits(struct store *s, uint64_t since_us, struct vdt_arena *arena, struct store_hits **out, size_t *n,
                struct vdt_error *err);
/* Alerts of before version 4 get the severity of their type. Within the transaction that makes the schema. */
int sqlite_set_severities(struct sqlite_store *s, struct vdt_error *err);
int sqlite_count(struct store *s, struct store_counts *out, struct vdt_error *err);
#endif
