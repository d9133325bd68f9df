/*
 * The SQLite store: how often sensitive information was met, by hour, application, user, tenant, deployment and kind. Counted when a record is
 * stored, in the same transaction and only when it is new: what is read twice counts once. Numbers and names only, never a text.
 *
 * An interaction counts once in each row that it touches. So that sums are right whatever they are asked for, there are three levels: a row
 * per kind, one per detector (kind is empty), and one for anything at all (both are empty). A question reads one level.
 */
#include "base/error.h"
#include "store/sqlite.h"

enum { KINDS_MAX = 512, USER_MAX = 1100 };
static const uint64_t HOUR_US = UINT64_C(3600000000);

/* ---- counting --------------------------------------------------------------------------------------------------- */

static const struct str detectors[] = {STR("credential"), STR("sensitive")};

static int rank_of(struct str action)
{
  static const struct str actions[] = {STR("detect"), STR("redact"), STR("cut"), STR("block")};
  static const int ranks[] = {1, 2, 3, 3};
  for (size_t i = 0; i < 4; i++)
    if (str_eq(action, actions[i])) return ranks[i];
  return 0;
}

/* What counts: what was found in what was said now. An assistant's earlier words come back with every turn, and counted when they were said. */
static bool counts(const struct record_finding *f)
{
  bool known = false;
  for (size_t i = 0; i < sizeof detectors / sizeof *detectors; i++) known |= str_eq(f->detector, detectors[i]);
  bool history = str_eq(f->direction, STR("request")) && str_eq(f->role, STR("response"));
  return known && !history && rank_of(f->action);
}

/* Takes a finding into the row of a level: 0 anything, 1 its detector, 2 its kind. */
static void take(struct store_use *rows, size_t *n, const struct record_finding *f, unsigned level)
{
  struct str detector = level ? f->detector : (struct str){0}, kind = level == 2 ? f->rule : (struct str){0};
  struct store_use *u = NULL;
  for (size_t i = 0; !u && i < *n; i++)
    if (str_eq(rows[i].detector, detector) && str_eq(rows[i].kind, kind)) u = &rows[i];
  if (!u && *n == KINDS_MAX) return;
  if (!u) {
    u = &rows[(*n)++];
    *u = (struct store_use){.detector = detector, .kind = kind, .interactions = 1};
    if (level == 2) u->type = f->type, u->type_id = f->type_id;
  }
  int rank = rank_of(f->action), was = u->stopped ? 3 : u->redacted ? 2 : 1;
  u->findings++;
  if (str_eq(f->direction, STR("response"))) u->responses = 1;
  else u->requests = 1;
  if (was > rank) rank = was;
  u->stopped = rank == 3;
  u->redacted = rank == 2;
  u->detected = rank == 1;
}

/* Who it was: a credential has a name of its own where nobody named the user. */
static struct str user_of(const struct record *r, char out[USER_MAX])
{
  if (r->end_user.n || !r->key_id.n) return r->end_user;
  int n = snprintf(out, USER_MAX, "key:%.*s", (int)r->key_id.n, r->key_id.p);
  return (struct str){out, n < USER_MAX ? (size_t)n : USER_MAX - 1};
}

static int add_row(struct sqlite_store *s, const struct record *r, struct str user, const struct store_use *u,
                   struct vdt_error *err)
{
  int rc, at = 0;
  sqlite3_stmt *q = sqlite_statement(s, SQL_USE_ADD, &rc, err);
  if (!q) return rc;
  const struct str texts[] = {r->application, user, r->end_user_tenant, r->deployment, u->detector, u->kind, u->type, u->type_id};
  const uint64_t numbers[] = {u->interactions, u->findings, u->requests, u->responses, u->detected, u->redacted, u->stopped};
  sqlite_bind_u64(q, ++at, r->time_us / HOUR_US * HOUR_US);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) sqlite_bind_str(q, ++at, texts[i]);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sqlite_bind_u64(q, ++at, numbers[i]);
  return sqlite_run(s, q, err);
}

int sqlite_count_use(struct sqlite_store *s, const struct record *r, struct vdt_error *err)
{
  struct store_use rows[KINDS_MAX];
  char name[USER_MAX];
  size_t n = 0;
  int rc = VDT_OK;
  for (unsigned level = 0; level < 3; level++)
    for (size_t i = 0; i < r->n_findings; i++)
      if (counts(&r->findings[i])) take(rows, &n, &r->findings[i], level);
  struct str user = user_of(r, name);
  for (size_t i = 0; !rc && i < n; i++) rc = add_row(s, r, user, &rows[i], err);
  return rc;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

static unsigned level_of(const struct store_use_query *q)
{
  if (q->by & STORE_USE_BY_kind || q->only.kind.n) return 2;
  return q->by & STORE_USE_BY_detector || q->only.detector.n ? 1 : 0;
}

static void bind_query(sqlite3_stmt *q, const struct store_use_query *ask)
{
  int at = 0;
  sqlite_bind_u64(q, ++at, ask->step_us);
  sqlite_bind_u64(q, ++at, ask->by);
  sqlite_bind_u64(q, ++at, ask->from_us);
  sqlite_bind_u64(q, ++at, ask->to_us);
  sqlite_bind_u64(q, ++at, level_of(ask));
  sqlite_bind_u64(q, ++at, ask->limit);
#define X(member, column, name, help) sqlite_bind_str(q, ++at, ask->only.member);
#include "store/uses.def"
#undef X
}

static void read_row(sqlite3_stmt *q, struct vdt_arena *arena, struct store_use *u, bool *failed)
{
  int at = 0;
  u->time_us = sqlite_u64(q, at++);
#define X(member, column, name, help) u->member = sqlite_str(q, at++, arena, failed);
#include "store/uses.def"
#undef X
  u->type = sqlite_str(q, at++, arena, failed);
  u->type_id = sqlite_str(q, at++, arena, failed);
  uint64_t *numbers[] = {&u->interactions, &u->findings, &u->requests, &u->responses, &u->detected, &u->redacted, &u->stopped};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) *numbers[i] = sqlite_u64(q, at++);
}

int sqlite_list_use(struct store *base, const struct store_use_query *ask, struct vdt_arena *arena, struct store_use **out,
                    size_t *n, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  int rc, code;
  bool failed = false;
  size_t cap = 0;
  sqlite3_stmt *q = sqlite_statement(s, SQL_USE_LIST, &rc, err);
  *n = 0;
  *out = NULL;
  if (!q) return rc;
  bind_query(q, ask);
  while ((code = sqlite3_step(q)) == SQLITE_ROW && !failed) {
    struct store_use *grown = arena_grow(arena, *out, *n, &cap, 64, sizeof *grown);
    if (!grown) failed = true;
    else *out = grown, read_row(q, arena, &grown[(*n)++], &failed);
  }
  if (failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  else if (code != SQLITE_DONE) rc = sqlite_error(s, code, err);
  sqlite3_reset(q);
  return rc;
}
