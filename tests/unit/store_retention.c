/*
 * How long a store keeps what: limits one below, at and above, clocks that jump, legal holds, purges that are killed, an audit log whose beginning has
 * expired and that is still provable; and that no byte of what went is left in the database's files.
 */
#include "../record/sample.h"
#include "../test.h"
#include "base/clock.h"
#include "store_rig.h"
#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t NOW = UINT64_C(1764085575000000), DAY = 24 * UINT64_C(3600000000);

/* An interaction with a leaked key, its alert and evidence, as the collector stores them. */
static void put_at(unsigned number, uint64_t time, const char *user, const char *deployment, uint64_t stored_us)
{
  struct record r = sample_full();
  struct alert events[ALERT_TYPES];
  struct record_egress e = {.time_us = time,
                            .workspace = STR("weu"),
                            .deployment = str_of(deployment),
                            .shield = STR("sh"),
                            .kind = STR("openai-chat"),
                            .sha256 = STR("aa")};
  size_t n;
  bool is_new = false, began;
  snprintf(r.id, sizeof r.id, "%032x", number);
  snprintf(e.id, sizeof e.id, "%032x", number);
  r.time_us = time;
  r.end_user = str_of(user);
  r.deployment = str_of(deployment);
  vdt_arena_reset(arena);
  CHECK_INT(s->ops->begin(s, NULL), VDT_OK);
  CHECK_INT(s->ops->put_record(s, &r, &is_new, NULL), VDT_OK);
  CHECK_INT(s->ops->put_egress(s, &e, &began, NULL), VDT_OK);
  CHECK_INT(alert_events(&r, &s->place, stored_us, arena, events, &n), VDT_OK);
  for (size_t i = 0; i < n; i++) CHECK_INT(s->ops->put_event(s, &events[i], 1, &began, NULL), VDT_OK);
  CHECK_INT(s->ops->commit(s, NULL), VDT_OK);
}

static void put(unsigned number, uint64_t time, const char *user)
{
  put_at(number, time, user, "gpt-4o", time);
}

static sqlite3 *raw(void)
{
  char path[128];
  sqlite3 *db = NULL;
  snprintf(path, sizeof path, "%s/workspaces/weu/vedette.db", dir);
  if (sqlite3_open(path, &db)) exit(1);
  sqlite3_busy_timeout(db, 5000);
  return db;
}

static int64_t ask(const char *sql)
{
  sqlite3 *db = raw();
  sqlite3_stmt *q = NULL;
  int64_t n = -1;
  if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW) n = sqlite3_column_int64(q, 0);
  sqlite3_finalize(q);
  sqlite3_close(db);
  return n;
}

static void expire_at(uint64_t now)
{
  struct store_expiry e = {.now_us = now, .limit = 7};
  do CHECK_INT(s->ops->expire(s, &e, NULL), VDT_OK);
  while (e.more);
}

static void scrub_all(void)
{
  struct store_scrub at = {0};
  struct vdt_error err = {0};
  for (int i = 0; i < 10000 && !at.done; i++)
    if (s->ops->scrub(s, &at, &err)) {
      printf("# %s\n", err.text);
      break;
    }
  CHECK(at.done);
}

static void keep(enum store_class c, uint64_t seconds)
{
  CHECK_INT(s->ops->set_keep(s, c, STORE_SET, seconds, STR("me"), 1, NULL), VDT_OK);
}

static void hold(struct store_hold h)
{
  h.name = h.name.n ? h.name : STR("case-1");
  h.who = STR("counsel");
  h.time_us = NOW;
  CHECK_INT(s->ops->put_hold(s, &h, NULL), VDT_OK);
}

/* ---- how long --------------------------------------------------------------------------------------------------- */

#define RECORDS  "SELECT count(*) FROM interactions"
#define EGRESS   "SELECT count(*) FROM egress"
#define ALERTS   "SELECT count(*) FROM alerts"
#define EVIDENCE "SELECT count(*) FROM alert_evidence"

static void boundary(const char *name, enum store_class c, const char *sql, uint64_t days)
{
  CASE_BEGIN();
  fresh();
  put(1, NOW - days * DAY + 1, "u");
  put(2, NOW - days * DAY, "v");
  put(3, NOW - days * DAY - 1, "w");
  for (unsigned k = 0; k < STORE_CLASSES; k++)
    if (k != (unsigned)c) keep((enum store_class)k, STORE_FOREVER);
  CHECK_INT(ask(sql), 3);
  expire_at(NOW - 1);
  CHECK_INT(ask(sql), 2); /* one microsecond before: only the oldest has reached its age */
  expire_at(NOW);
  CHECK_INT(ask(sql), 1);
  expire_at(NOW + 1);
  CHECK_INT(ask(sql), 0);
  CASE_END("%s go when they are %d days old, not a microsecond before", name, (int)days);
}

static void forever_is_forever(void)
{
  fresh();
  put(1, NOW - 20 * 365 * DAY, "u");
  for (unsigned c = 0; c < STORE_CLASSES; c++) keep((enum store_class)c, STORE_FOREVER);
  expire_at(NOW);
  CHECK_INT(ask(RECORDS), 1);
  CHECK_INT(ask(EVIDENCE), 1);
  keep(STORE_RECORDS, STORE_INHERIT);
  expire_at(NOW);
  CHECK_INT(ask(RECORDS), 0);
  CHECK_INT(ask(EGRESS), 0);
  CHECK_INT(ask(ALERTS), 1);
}

static void lengths_have_bounds(void)
{
  fresh();
  const struct {
    uint64_t seconds;
    int rc;
  } cases[] = {{3599, VDT_EINVAL},       {3600, VDT_OK},
               {3601, VDT_OK},           {STORE_KEEP_MAX - 1, VDT_OK},
               {STORE_KEEP_MAX, VDT_OK}, {STORE_KEEP_MAX + UINT64_C(1), VDT_EINVAL},
               {STORE_FOREVER, VDT_OK},  {STORE_FOREVER - 1, VDT_EINVAL},
               {STORE_INHERIT, VDT_OK}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    CHECK_INT(s->ops->set_keep(s, STORE_RECORDS, STORE_SET, cases[i].seconds, STR("me"), 1, NULL), cases[i].rc);
}

static void who_says_what_counts(void)
{
  struct store_keeps k;
  fresh();
  CHECK_INT(s->ops->get_keeps(s, &k, NULL), VDT_OK);
  CHECK_INT(k.of[STORE_ALERTS].effective, 90 * 86400);
  CHECK_INT(k.of[STORE_EVIDENCE].effective, 30 * 86400);
  CHECK_INT(k.of[STORE_RECORDS].effective, 30 * 86400);
  CHECK_INT(k.of[STORE_AUDIT].effective, 90 * 86400);
  CHECK_INT(s->ops->set_keep(s, STORE_RECORDS, STORE_CONFIGURED, 7200, STR("me"), 1, NULL), VDT_OK);
  CHECK_INT(s->ops->set_keep(s, STORE_CLASSES, STORE_SET, 9000, STR("me"), 1, NULL), VDT_OK);
  CHECK_INT(s->ops->set_keep(s, STORE_EVIDENCE, STORE_SET, STORE_FOREVER, STR("me"), 1, NULL), VDT_OK);
  reopen();
  CHECK_INT(s->ops->get_keeps(s, &k, NULL), VDT_OK);
  CHECK_INT(k.of[STORE_RECORDS].effective, 9000);
  CHECK_INT(k.of[STORE_RECORDS].configured, 7200);
  CHECK(k.of[STORE_EVIDENCE].effective == STORE_FOREVER);
  CHECK_INT(k.of[STORE_AUDIT].effective, 90 * 86400); /* what holds for the workspace does not hold for its audit log */
  CHECK_INT(s->ops->set_keep(s, STORE_CLASSES, STORE_SET, STORE_INHERIT, STR("me"), 1, NULL), VDT_OK);
  CHECK_INT(s->ops->get_keeps(s, &k, NULL), VDT_OK);
  CHECK_INT(k.of[STORE_RECORDS].effective, 7200);
  CHECK_INT(ask("SELECT count(*) FROM audit WHERE what = 'retention set'"), 3); /* the configuration is not in it */
}

static void an_alert_takes_its_evidence_along(void)
{
  fresh();
  put(1, NOW - 100 * DAY, "u");
  keep(STORE_EVIDENCE, STORE_FOREVER);
  expire_at(NOW);
  CHECK_INT(ask(ALERTS), 0);
  CHECK_INT(ask(EVIDENCE), 0);
}

static void a_clock_that_goes_back_removes_nothing(void)
{
  fresh();
  put(1, NOW - 10 * DAY, "u");
  expire_at(NOW - 1000 * DAY);
  expire_at(0);
  expire_at(1);
  CHECK_INT(ask(RECORDS), 1);
  CHECK_INT(ask(ALERTS), 1);
}

/* A gateway whose clock was years ahead: the time of storing decides. */
static void far_future(const char *what, uint64_t ahead, uint64_t stored, int64_t left)
{
  CASE_BEGIN();
  fresh();
  put_at(1, NOW + ahead, "u", "gpt-4o", stored);
  expire_at(NOW);
  CHECK_INT(ask(ALERTS), left);
  CHECK_INT(ask(EVIDENCE), left);
  CASE_END("an alert from the future: %s", what);
}

static void a_record_of_the_future_is_filed_under_today(void)
{
  uint64_t now = clock_unix_us();
  fresh();
  put(1, now + 400 * DAY, "u");
  put(2, now + DAY / 2, "u");
  CHECK(ask("SELECT max(time_us) FROM interactions") <= (int64_t)(now + 2 * DAY));
  CHECK(ask("SELECT max(time_us) FROM egress") <= (int64_t)(now + 2 * DAY));
  CHECK(ask("SELECT time_us FROM interactions WHERE id LIKE '%2'") == (int64_t)(now + DAY / 2));
  expire_at(now + 33 * DAY);
  CHECK_INT(ask(RECORDS), 0);
  CHECK_INT(ask(EGRESS), 0);
}

/* ---- holds ------------------------------------------------------------------------------------------------------ */

struct held_case {
  const char *name;
  struct store_hold hold;
  int64_t records, alerts;
};

/* Three interactions of 200 days ago: u at a, v at a, u at b, a day apart. */
static void hold_case(const struct held_case *c)
{
  CASE_BEGIN();
  fresh();
  uint64_t t = NOW - 200 * DAY;
  put_at(1, t, "u", "a", t);
  put_at(2, t + DAY, "v", "a", t);
  put_at(3, t + 2 * DAY, "u", "b", t);
  hold(c->hold);
  expire_at(NOW);
  CHECK_INT(ask(RECORDS), c->records);
  CHECK_INT(ask(EGRESS), c->records);
  CHECK_INT(ask(ALERTS), c->alerts);
  CHECK_INT(ask(EVIDENCE), c->alerts);
  CHECK_INT(s->ops->release_hold(s, STR("CASE-1"), STR("counsel"), STR("over"), NOW, NULL), VDT_OK);
  CHECK_INT(s->ops->release_hold(s, STR("case-1"), STR("counsel"), STR("over"), NOW, NULL), VDT_ENOTFOUND);
  expire_at(NOW);
  CHECK_INT(ask(RECORDS) + ask(ALERTS) + ask(EVIDENCE) + ask(EGRESS), 0);
  CASE_END("a hold by %s keeps %d record%s until it is released", c->name, (int)c->records, c->records == 1 ? "" : "s");
}

static void holds_keep(void)
{
  uint64_t t = NOW - 200 * DAY;
  const struct held_case cases[] = {
      {"workspace", {.end_user = {0}}, 3, 3},
      {"user", {.end_user = STR("u")}, 2, 2},
      {"another user", {.end_user = STR("U")}, 0, 0},
      {"deployment", {.deployment = STR("a")}, 2, 2},
      {"user and deployment", {.end_user = STR("u"), .deployment = STR("a")}, 1, 1},
      {"time from its first microsecond", {.since_us = t + DAY, .until_us = t + DAY + 1}, 1, 1},
      {"time up to the microsecond before", {.since_us = 1, .until_us = t}, 0, 0},
      {"time up to the microsecond itself", {.since_us = 1, .until_us = t + 1}, 1, 1},
      {"time from the microsecond behind", {.since_us = t + 2 * DAY + 1}, 0, 0},
      {"time without end", {.since_us = t + 2 * DAY}, 1, 1},
      {"an alert that is not there", {.alert = STR("2518000000000000000_00000000-0000-0000-0000-000000000000")}, 0, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) hold_case(&cases[i]);
}

static void a_hold_of_an_alert_keeps_what_made_it(void)
{
  struct alert *a;
  size_t n;
  struct store_query q = STORE_QUERY_ALL;
  uint64_t t = NOW - 200 * DAY;
  fresh();
  put_at(1, t, "u", "a", t);
  put_at(2, t + DAY, "v", "a", t);
  q.who = STR("user:u");
  CHECK_INT(s->ops->list(s, &q, arena, &a, &n, NULL), VDT_OK);
  CHECK_INT(n, 1);
  hold((struct store_hold){.alert = {a[0].name, ALERT_NAME_LEN}});
  expire_at(NOW);
  CHECK_INT(ask(RECORDS), 1);
  CHECK_INT(ask("SELECT count(*) FROM interactions WHERE end_user = 'u'"), 1);
  CHECK_INT(ask(ALERTS), 1);
  CHECK_INT(ask(EVIDENCE), 1);
}

static void overlapping_holds_all_count(void)
{
  fresh();
  put(1, NOW - 200 * DAY, "u");
  hold((struct store_hold){.name = STR("one"), .end_user = STR("u")});
  hold((struct store_hold){.name = STR("two")});
  hold((struct store_hold){.name = STR("two"), .end_user = STR("somebody else")}); /* in its place */
  CHECK_INT(ask("SELECT count(*) FROM holds"), 2);
  expire_at(NOW);
  CHECK_INT(ask(RECORDS), 1);
  CHECK_INT(s->ops->release_hold(s, STR("one"), STR("c"), STR("over"), NOW, NULL), VDT_OK);
  expire_at(NOW);
  CHECK_INT(ask(RECORDS), 0);
}

static void holds_are_listed_and_audited(void)
{
  struct store_hold *list;
  size_t n;
  fresh();
  hold((struct store_hold){.name = STR("b"), .end_user = STR("u"), .reason = STR("case 4711"), .since_us = 5});
  hold((struct store_hold){.name = STR("a"), .deployment = STR("d"), .until_us = 9});
  CHECK_INT(s->ops->list_holds(s, arena, &list, &n, NULL), VDT_OK);
  CHECK_INT(n, 2);
  CHECK_STR(list[0].name, "a");
  CHECK_INT(list[0].until_us, 9);
  CHECK_STR(list[1].reason, "case 4711");
  CHECK_INT(list[1].until_us, 0);
  CHECK_INT(s->ops->release_hold(s, STR("a"), STR("c"), STR("over"), NOW, NULL), VDT_OK);
  CHECK_INT(ask("SELECT count(*) FROM audit WHERE what = 'legal hold set'"), 2);
  CHECK_INT(ask("SELECT count(*) FROM audit WHERE what = 'legal hold released' AND who = 'c' AND target = 'a'"), 1);
  struct store_hold bad = {.name = STR("a b"), .who = STR("c")}, late = {.name = STR("x"), .since_us = 7, .until_us = 7};
  CHECK_INT(s->ops->put_hold(s, &bad, NULL), VDT_EINVAL);
  CHECK_INT(s->ops->put_hold(s, &late, NULL), VDT_EINVAL);
}

/* ---- the audit log ---------------------------------------------------------------------------------------------- */

static void note(uint64_t time, const char *target)
{
  struct store_audit a = {.time_us = time, .who = STR("me"), .what = STR("test"), .target = str_of(target)};
  CHECK_INT(s->ops->put_audit(s, &a, NULL), VDT_OK);
}

static uint64_t faults(const unsigned char *anchor, bool *anchored)
{
  struct store_audit_check c = {.anchor = anchor};
  CHECK_INT(s->ops->verify_audit(s, &c, NULL), VDT_OK);
  if (anchored) *anchored = c.anchored;
  return c.faults;
}

static int64_t test_entries(void)
{
  return ask("SELECT count(*) FROM audit WHERE what = 'test'");
}

static void run_raw(const char *sql, bool works)
{
  sqlite3 *db = raw();
  CHECK((sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK) == works);
  sqlite3_close(db);
}

static void an_expired_beginning_leaves_a_provable_log(void)
{
  struct store_audit_check c = {0};
  bool anchored;
  fresh();
  for (unsigned i = 0; i < 40; i++) note(NOW - (100 - i) * DAY, "t");
  CHECK_INT(s->ops->verify_audit(s, &c, NULL), VDT_OK);
  CHECK_INT(c.entries, 40);
  expire_at(NOW);
  CHECK_INT(test_entries(), 29); /* 100 to 90 days are eleven */
  CHECK_INT(faults(c.head, &anchored), 0);
  CHECK(anchored);
  reopen();
  CHECK_INT(faults(NULL, NULL), 0);
  CHECK(ask("SELECT count(*) FROM audit WHERE what = 'audit expired'") >= 1);
  expire_at(NOW + 200 * DAY); /* all of it, in pieces of seven; what is written about each piece stays */
  CHECK_INT(test_entries(), 0);
  CHECK_INT(faults(NULL, NULL), 0);
  note(NOW + 200 * DAY, "after");
  CHECK_INT(faults(NULL, NULL), 0);
}

static void what_was_cut_by_others_is_found(void)
{
  fresh();
  for (unsigned i = 0; i < 20; i++) note(NOW - (100 - i) * DAY, "t");
  expire_at(NOW);
  CHECK_INT(faults(NULL, NULL), 0);
  run_raw("DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)", false); /* the trigger */
  run_raw("DROP TRIGGER audit_keep; DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)", true);
  CHECK(faults(NULL, NULL) > 0);
  run_raw("UPDATE audit_cuts SET id = id + 1, hash = (SELECT hash FROM audit WHERE id = audit_cuts.id + 2)", true);
  CHECK(faults(NULL, NULL) > 0); /* a cut without the key's seal counts for nothing */
  run_raw("DELETE FROM audit_cuts", true);
  CHECK(faults(NULL, NULL) > 0);
}

static void the_boundary_of_the_audit(void)
{
  fresh();
  note(NOW - 90 * DAY - 1, "t");
  note(NOW - 90 * DAY, "t");
  note(NOW - 90 * DAY + 1, "t");
  expire_at(NOW);
  CHECK_INT(test_entries(), 1);
  CHECK_INT(faults(NULL, NULL), 0);
}

static void an_entry_of_a_wrong_clock_blocks_nothing(void)
{
  fresh();
  note(NOW - 100 * DAY, "t");
  note(NOW + 400 * DAY, "t"); /* the clock was ahead for a moment */
  note(NOW - 99 * DAY, "t");
  note(NOW - 80 * DAY, "t");
  note(1, "t"); /* and at its beginning, later */
  note(NOW - 70 * DAY, "t");
  expire_at(NOW);
  CHECK_INT(test_entries(), 3); /* the young one, what stands behind it */
  CHECK_INT(faults(NULL, NULL), 0);
}

static void the_audit_can_be_held(void)
{
  fresh();
  for (unsigned i = 0; i < 6; i++) note(NOW - (100 - i) * DAY, "t");
  hold((struct store_hold){.since_us = NOW - 98 * DAY, .until_us = NOW - 97 * DAY});
  expire_at(NOW);
  CHECK_INT(test_entries(), 4); /* from the held one on */
  CHECK_INT(s->ops->release_hold(s, STR("case-1"), STR("c"), STR("over"), NOW, NULL), VDT_OK);
  expire_at(NOW);
  CHECK_INT(test_entries(), 0);
  CHECK_INT(faults(NULL, NULL), 0);
}

static void a_missing_key_keeps_the_log_and_nothing_else(void)
{
  char path[64];
  struct store_expiry e = {.now_us = NOW, .limit = 100};
  fresh();
  put(1, NOW - 200 * DAY, "u");
  note(NOW - 100 * DAY, "t");
  snprintf(path, sizeof path, "%s/audit.key", dir);
  unlink(path);
  reopen();
  int rc = VDT_OK;
  do rc = s->ops->expire(s, &e, NULL);
  while (!rc && e.more);
  CHECK_INT(rc, VDT_ESTATE);
  CHECK_INT(test_entries(), 1);
  CHECK_INT(ask(RECORDS) + ask(ALERTS), 0);
}

/* ---- what went is counted --------------------------------------------------------------------------------------- */

#define RUNS "SELECT count(*) FROM audit WHERE what = 'data expired'"

static int64_t removed_of(const char *class, const char *cause)
{
  struct store_removal *all;
  size_t n;
  int64_t rows = 0;
  CHECK_INT(s->ops->list_removals(s, arena, &all, &n, NULL), VDT_OK);
  for (size_t i = 0; i < n; i++) {
    CHECK_INT(all[i].day.n, 10);
    if (str_eq(all[i].class, str_of(class)) && str_eq(all[i].cause, str_of(cause))) rows += (int64_t)all[i].rows;
  }
  return rows;
}

static void a_run_that_removes_something_leaves_one_entry(void)
{
  struct store_expiry e = {.now_us = NOW, .limit = 1};
  fresh();
  expire_at(NOW);
  CHECK_INT(ask(RUNS), 0);
  for (unsigned i = 1; i <= 3; i++) put(i, NOW - 200 * DAY, "anna-of-the-run");
  do CHECK_INT(s->ops->expire(s, &e, NULL), VDT_OK);
  while (e.more);
  CHECK_INT(ask(RUNS), 1);
  CHECK_INT(ask(RUNS " AND who = 'vedette retention' AND target = 'weu' AND detail LIKE '%alerts: % removed%records: % removed'"),
            1);
  CHECK_INT(ask("SELECT count(*) FROM audit WHERE who || what || target || detail LIKE '%anna%'"), 0);
  CHECK_INT(removed_of("records", "expiry"), (int64_t)e.removed[STORE_RECORDS]);
  CHECK_INT(removed_of("alerts", "expiry"), (int64_t)e.removed[STORE_ALERTS]);
  CHECK(removed_of("records", "expiry") >= 3);
  expire_at(NOW);
  CHECK_INT(ask(RUNS), 1);
  CHECK_INT(faults(NULL, NULL), 0);
}

/* Cut off between two steps, by a kill: the run that comes to its end tells of both. */
static void a_run_that_was_cut_off_is_told_with_the_next(void)
{
  char want[128];
  struct store_expiry e = {.now_us = NOW, .limit = 1};
  fresh();
  keep(STORE_ALERTS, STORE_FOREVER);
  keep(STORE_EVIDENCE, STORE_FOREVER);
  for (unsigned i = 1; i <= 3; i++) put(i, NOW - 200 * DAY, "u");
  CHECK_INT(s->ops->expire(s, &e, NULL), VDT_OK);
  CHECK_INT(e.removed[STORE_RECORDS], 1);
  reopen();
  CHECK_INT(ask(RUNS), 0);
  expire_at(NOW);
  CHECK_INT(ask(RUNS), 1);
  snprintf(want, sizeof want, RUNS " AND detail = 'records: %d removed'", (int)removed_of("records", "expiry"));
  CHECK_INT(ask(want), 1);
  CHECK_INT(ask("SELECT count(*) FROM meta WHERE key = 'expiry_run'"), 0);
}

/* The entry cannot be written: what went is gone, and the entry comes when the key is there again. */
static void an_entry_waits_for_its_key(void)
{
  char path[64], aside[80];
  struct store_expiry e = {.now_us = NOW, .limit = 100};
  fresh();
  note(NOW, "t");
  put(1, NOW - 200 * DAY, "u");
  snprintf(path, sizeof path, "%s/audit.key", dir);
  snprintf(aside, sizeof aside, "%s.aside", path);
  CHECK_INT(rename(path, aside), 0);
  reopen();
  int rc = VDT_OK;
  do rc = s->ops->expire(s, &e, NULL);
  while (!rc && e.more);
  CHECK_INT(rc, VDT_ESTATE);
  CHECK_INT(ask(RECORDS) + ask(RUNS), 0);
  CHECK_INT(rename(aside, path), 0);
  reopen();
  expire_at(NOW);
  CHECK_INT(ask(RUNS), 1);
  CHECK_INT(faults(NULL, NULL), 0);
}

/* ---- purges ----------------------------------------------------------------------------------------------------- */

static int request(enum store_class of, const char *filters)
{
  struct store_purge p = {
      .id = "00000000-0000-0000-0000-000000000001", .of = of, .filters = str_of(filters), .who = STR("me"), .requested_us = NOW};
  return s->ops->put_purge(s, &p, NULL);
}

static void work(unsigned limit)
{
  enum store_purge_step did = STORE_PURGE_SOME;
  while (did != STORE_PURGE_NONE) {
    int rc = s->ops->purge(s, limit, did == STORE_PURGE_LOOKED, &did, NULL);
    CHECK_INT(rc, VDT_OK);
    if (rc) return;
  }
}

static struct store_purge state(void)
{
  struct store_purge p = {0};
  CHECK_INT(s->ops->get_purge(s, STR("00000000-0000-0000-0000-000000000001"), arena, &p, NULL), VDT_OK);
  return p;
}

/* What was on its way into the store when the request came is of it, however late it arrives. */
static void a_purge_waits_for_what_is_on_its_way(void)
{
  enum store_purge_step did = STORE_PURGE_NONE;
  fresh();
  put(1, NOW - DAY, "anna");
  CHECK_INT(request(STORE_RECORDS, "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":\"anna\"}]"), VDT_OK);
  for (int i = 0; i < 5; i++) {
    CHECK_INT(s->ops->purge(s, 10, i == 0, &did, NULL), VDT_OK); /* settled before it has looked in vain: for another purge */
    CHECK_INT(did, i == 0 ? STORE_PURGE_SOME : STORE_PURGE_LOOKED);
  }
  put(2, NOW - DAY, "anna");
  CHECK_INT(s->ops->purge(s, 10, true, &did, NULL), VDT_OK);
  CHECK_INT(did, STORE_PURGE_SOME);
  CHECK_INT(s->ops->purge(s, 10, true, &did, NULL), VDT_OK);
  CHECK_INT(did, STORE_PURGE_LOOKED);
  CHECK_INT(s->ops->purge(s, 10, true, &did, NULL), VDT_OK);
  CHECK_INT(did, STORE_PURGE_SOME);
  CHECK_INT(s->ops->purge(s, 10, true, &did, NULL), VDT_OK);
  CHECK_INT(did, STORE_PURGE_NONE);
  CHECK_INT(ask("SELECT count(*) FROM interactions"), 0);
  CHECK_INT((int64_t)state().removed, 2);
}

struct purge_case {
  enum store_class of;
  const char *filters;
  int64_t left; /* of ten */
};

static void purge_case(const struct purge_case *c, const char *sql)
{
  CASE_BEGIN();
  fresh();
  for (unsigned i = 0; i < 10; i++) {
    char user[8];
    snprintf(user, sizeof user, "u%u", i);
    put(i, UINT64_C(1764000000000000) + i * 1000000, user);
  }
  CHECK_INT(request(c->of, c->filters), VDT_OK);
  work(3);
  CHECK_INT(ask(sql), c->left);
  CHECK_INT(state().removed, 10 - c->left);
  CASE_END("purge %s", c->filters);
}

static void purges_take_what_fits(void)
{
  const struct purge_case cases[] = {
      {STORE_RECORDS, "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":\"u3\"}]", 9},
      {STORE_RECORDS, "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":\"U3\"}]", 10},
      {STORE_RECORDS, "[{\"column\":\"end_user\",\"operator\":\"=~\",\"value\":\"U3\"}]", 9},
      {STORE_RECORDS, "[{\"column\":\"end_user\",\"operator\":\"in\",\"value\":[\"u3\",\"u4\",\"x\"]}]", 8},
      {STORE_RECORDS, "[{\"column\":\"end_user\",\"operator\":\"in~\",\"value\":[\"U3\",\"u4\"]}]", 8},
      {STORE_RECORDS, "[{\"column\":\"TimeGenerated\",\"operator\":\">\",\"value\":\"2025-11-24T16:00:05Z\"}]", 6},
      {STORE_RECORDS, "[{\"column\":\"TimeGenerated\",\"operator\":\">=\",\"value\":\"2025-11-24T16:00:05Z\"}]", 5},
      {STORE_RECORDS, "[{\"column\":\"TimeGenerated\",\"operator\":\"<\",\"value\":\"2025-11-24T16:00:05Z\"}]", 5},
      {STORE_RECORDS, "[{\"column\":\"TimeGenerated\",\"operator\":\"<=\",\"value\":\"2025-11-24T16:00:05Z\"}]", 4},
      {STORE_RECORDS,
       "[{\"column\":\"TimeGenerated\",\"operator\":\"between\",\"value\":[\"2025-11-24T16:00:02Z\",\"2025-11-24T16:00:05Z\"]}]",
       6},
      {STORE_RECORDS,
       "[{\"column\":\"deployment\",\"operator\":\"==\",\"value\":\"gpt-4o\"},{\"column\":\"end_user\",\"operator\":\"==\","
       "\"value\":\"u1\"}]",
       9},
      {STORE_RECORDS, "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":\"x' OR '1'='1\"}]", 10},
      {STORE_ALERTS, "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":\"u3\"}]", 9},
      {STORE_ALERTS, "[{\"column\":\"principal\",\"operator\":\"in\",\"value\":[\"user:u3\"]}]", 9},
      {STORE_EVIDENCE, "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":\"u3\"}]", 9},
      {STORE_EVIDENCE, "[{\"column\":\"deployment\",\"operator\":\"==\",\"value\":\"gpt-4o\"}]", 0},
  };
  static const char *const sql[STORE_CLASSES] = {[STORE_RECORDS] = RECORDS, [STORE_ALERTS] = ALERTS, [STORE_EVIDENCE] = EVIDENCE};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) purge_case(&cases[i], sql[cases[i].of]);
}

static void bad_filters(void)
{
  static const char *const bad[] = {
      "",
      "{}",
      "[]",
      "[1]",
      "[{}]",
      "[{\"column\":\"nope\",\"operator\":\"==\",\"value\":\"u\"}]",
      "[{\"column\":\"end_user\",\"operator\":\"like\",\"value\":\"u\"}]",
      "[{\"column\":\"end_user\",\"operator\":\"<\",\"value\":\"u\"}]",
      "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":[\"u\"]}]",
      "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":7}]",
      "[{\"column\":\"end_user\",\"operator\":\"==\"}]",
      "[{\"column\":\"end_user\",\"operator\":\"in\",\"value\":[]}]",
      "[{\"column\":\"TimeGenerated\",\"operator\":\"==\",\"value\":\"2025-11-24T16:00:05Z\"}]",
      "[{\"column\":\"TimeGenerated\",\"operator\":\">\",\"value\":\"yesterday\"}]",
      "[{\"column\":\"TimeGenerated\",\"operator\":\"between\",\"value\":[\"2025-11-24T16:00:05Z\"]}]",
  };
  struct vdt_error err;
  fresh();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK(store_purge_check(STORE_RECORDS, str_of(bad[i]), arena, &err) != VDT_OK);
    CHECK(err.text[0]);
    CHECK_INT(request(STORE_RECORDS, bad[i]), VDT_EINVAL);
  }
  CHECK_INT(request(STORE_AUDIT, "[{\"column\":\"who\",\"operator\":\"==\",\"value\":\"me\"}]"), VDT_EINVAL);
  CHECK_INT(ask("SELECT count(*) FROM purges"), 0);
}

/* One below, at and above the most filters and the most values. */
static void many(const char *what, bool filters, unsigned n, int want)
{
  struct buf b = {0};
  CASE_BEGIN();
  fresh();
  BUF_LIT(&b, "[");
  if (!filters) BUF_LIT(&b, "{\"column\":\"end_user\",\"operator\":\"in\",\"value\":[");
  for (unsigned i = 0; i < n; i++)
    buf_printf(&b, filters ? "%s{\"column\":\"end_user\",\"operator\":\"==\",\"value\":\"u%u\"}" : "%s\"u%u\"", i ? "," : "", i);
  buf_printf(&b, filters ? "]" : "]}]");
  buf_byte(&b, 0);
  CHECK_INT(request(STORE_RECORDS, b.p), want);
  buf_finish(&b);
  CASE_END("%u %s: %s", n, what, want ? "refused" : "taken");
}

static void a_purge_spares_what_is_held_and_says_so(void)
{
  fresh();
  put(1, NOW, "u");
  put(2, NOW + 1, "u");
  put(3, NOW + 2, "v");
  hold((struct store_hold){.since_us = NOW + 1, .until_us = NOW + 2});
  CHECK_INT(request(STORE_RECORDS, "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":\"u\"}]"), VDT_OK);
  work(100);
  struct store_purge p = state();
  CHECK_INT(p.removed, 1);
  CHECK_INT(p.held, 1);
  CHECK_INT(ask(RECORDS), 2);
}

static void a_purge_is_finished_when_it_is_scrubbed(void)
{
  bool expired, purged;
  fresh();
  put(1, NOW, "somebody-special");
  CHECK_INT(request(STORE_RECORDS, "[{\"column\":\"end_user\",\"operator\":\"==\",\"value\":\"somebody-special\"}]"), VDT_OK);
  CHECK_INT(state().finished_us, 0);
  work(100);
  CHECK_INT(s->ops->finish_purges(s, NOW + 5, NULL), VDT_OK);
  CHECK_INT(state().finished_us, 0); /* not yet */
  CHECK_INT(state().filters.n, 0);
  CHECK_INT(s->ops->wants_scrub(s, &expired, &purged, NULL), VDT_OK);
  CHECK(purged && !expired);
  scrub_all();
  CHECK_INT(s->ops->wants_scrub(s, &expired, &purged, NULL), VDT_OK);
  CHECK(!purged);
  CHECK_INT(s->ops->finish_purges(s, NOW + 5, NULL), VDT_OK);
  CHECK_INT(state().finished_us, NOW + 5);
  CHECK_INT(ask("SELECT count(*) FROM audit WHERE what LIKE 'purge %' AND (detail LIKE '%special%' OR target LIKE '%special%')"),
            0);
  CHECK_INT(
      ask("SELECT count(*) FROM audit WHERE what = 'purge finished' AND detail = 'records: 1 removed, 0 kept by legal holds'"),
      1);
  CHECK_INT(ask("SELECT count(*) FROM audit WHERE what = 'purge requested' AND detail = 'records by end_user =='"), 1);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static const char *needle;
static uint64_t hits;

static int look(const char *path, const struct stat *st, int flag, struct FTW *f)
{
  (void)f;
  if (flag != FTW_F || st->st_size == 0) return 0;
  FILE *file = fopen(path, "rb");
  char *text = malloc((size_t)st->st_size);
  size_t n = file && text ? fread(text, 1, (size_t)st->st_size, file) : 0, m = strlen(needle);
  for (char *p = text; p && (p = memmem(p, n - (size_t)(p - text), needle, m)); p += m) hits++;
  free(text);
  if (file) fclose(file);
  return 0;
}

static uint64_t found(const char *text)
{
  needle = text;
  hits = 0;
  nftw(dir, look, 8, FTW_PHYS);
  return hits;
}

/* Rows of all sizes, in an order that splits and joins pages. */
static void fill(unsigned n)
{
  char user[700];
  for (unsigned i = 0; i < n; i++) {
    unsigned key = (i * 7919u) % 100003u;
    int len = snprintf(user, sizeof user, "%s-%u-", i % 3 ? "STAYS-HERE" : "TO-BE-GONE", i);
    memset(user + len, 'x', (i * 37u) % 600u);
    user[len + (int)((i * 37u) % 600u)] = 0;
    put(key, NOW - (i % 3 ? 1 : 40) * DAY + i, user);
  }
}

/* Many more, written as the store would, with some going while others come: that is what leaves copies in the gaps of pages. */
static void churn(unsigned n)
{
  sqlite3 *db = raw();
  char sql[256];
  CHECK(sqlite3_exec(db, "PRAGMA secure_delete = ON; BEGIN", NULL, NULL, NULL) == SQLITE_OK);
  for (unsigned i = 1; i <= n; i++) {
    unsigned key = (i * 2654435761u);
    snprintf(sql, sizeof sql,
             "INSERT INTO interactions VALUES('%08x%024x', %" PRIu64
             ", 'a', '', '%s-%u', '', '', 0, '', '', 0, 0, 0, printf('%%.*c', %u, 'x'))",
             key, i, NOW - (i % 3 ? 1 : 40) * DAY + i, i % 3 ? "STAYS-HERE" : "TO-BE-GONE", i, (i * 37u) % 600u);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) CHECK(false);
    if (i % 200 != 199) continue;
    sqlite3_exec(db,
                 "DELETE FROM interactions WHERE id IN (SELECT id FROM interactions WHERE end_user LIKE 'TO-BE-GONE%' LIMIT 40)",
                 NULL, NULL, NULL);
    sqlite3_exec(db,
                 "UPDATE interactions SET record = record || 'yyyyyyyy' WHERE id IN (SELECT id FROM interactions ORDER BY "
                 "end_user LIMIT 60)",
                 NULL, NULL, NULL);
  }
  CHECK(sqlite3_exec(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK);
  sqlite3_close(db);
}

static void no_byte_is_left(void)
{
  fresh();
  fill(60);
  churn(9000);
  CHECK(found("TO-BE-GONE") > 300);
  keep(STORE_ALERTS, 35 * 86400);
  expire_at(NOW);
  sqlite3 *db = raw();
  CHECK(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK);
  sqlite3_close(db);
  CHECK(found("TO-BE-GONE") > 0); /* in the gaps, though every row is gone and the log is empty: else this test proves nothing */
  scrub_all();
  CHECK_INT(found("TO-BE-GONE"), 0);
  CHECK(found("STAYS-HERE") > 6000);
  CHECK_INT(ask(RECORDS), 6040);
  CHECK_INT(ask("SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
  CHECK_INT(ask("SELECT count(*) FROM pragma_foreign_key_check"), 0);
  CHECK_INT(faults(NULL, NULL), 0);
}

/* Another connection has the pages in its memory, gaps and all: what it writes later must not bring them back. */
static void another_connection_brings_nothing_back(void)
{
  struct store *other = NULL;
  struct store_place at = {0};
  struct str *json;
  size_t n;
  fresh();
  churn(9000);
  keep(STORE_ALERTS, 35 * 86400);
  expire_at(NOW);
  CHECK_INT(store_open_sqlite(dir, &place, true, &other, NULL), VDT_OK);
  do CHECK_INT(other->ops->list_records(other, &at, 500, arena, &json, &n, NULL), VDT_OK);
  while (n);
  scrub_all();
  struct store *mine = s;
  s = other;
  for (unsigned i = 0; i < 300; i++) put(i * 14316557u, NOW + i, "STAYS-HERE-too");
  CHECK_INT(s->ops->sync(s, NULL), VDT_OK);
  s = mine;
  CHECK_INT(found("TO-BE-GONE"), 0);
  store_close(other);
}

/* A scrub may be told to wait, and goes on. */
static void a_reader_holds_a_scrub_up_and_no_more(void)
{
  fresh();
  fill(60);
  keep(STORE_ALERTS, 35 * 86400);
  expire_at(NOW);
  sqlite3 *reader = raw();
  CHECK(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM meta", NULL, NULL, NULL) == SQLITE_OK);
  struct store_scrub at = {0};
  CHECK_INT(s->ops->scrub(s, &at, NULL), VDT_EIO);
  sqlite3_close(reader);
  scrub_all();
  CHECK_INT(found("TO-BE-GONE"), 0);
}

/* ---- kill -9 ---------------------------------------------------------------------------------------------------- */

static void purge_until_killed(unsigned us)
{
  pid_t child = fork();
  if (child == 0) {
    reopen();
    enum store_purge_step did = STORE_PURGE_SOME;
    while (did != STORE_PURGE_NONE)
      if (s->ops->purge(s, 2, did == STORE_PURGE_LOOKED, &did, NULL)) _exit(1);
    struct store_scrub at = {0};
    while (!at.done)
      if (s->ops->scrub(s, &at, NULL)) _exit(1);
    _exit(s->ops->finish_purges(s, NOW, NULL) ? 1 : 0);
  }
  usleep(us);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static void a_killed_purge_goes_on(void)
{
  fresh();
  fill(400);
  CHECK_INT(request(STORE_RECORDS, "[{\"column\":\"TimeGenerated\",\"operator\":\"<\",\"value\":\"2025-11-01T00:00:00Z\"}]"),
            VDT_OK);
  keep(STORE_ALERTS, 35 * 86400);
  expire_at(NOW - 40 * DAY); /* nothing yet */
  store_close(s);
  s = NULL;
  for (unsigned i = 0; i < 12; i++) purge_until_killed(4000 + 7000 * i);
  reopen();
  CHECK_INT(ask("SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
  CHECK_INT(faults(NULL, NULL), 0);
  work(100);
  expire_at(NOW);
  scrub_all();
  CHECK_INT(s->ops->finish_purges(s, NOW, NULL), VDT_OK);
  CHECK(state().finished_us > 0);
  CHECK_INT(state().removed, 134);
  CHECK_INT(ask(RECORDS), 266);
  CHECK_INT(found("TO-BE-GONE"), 0);
}

int main(void)
{
  arena = vdt_arena_new(0);
  if (!mkdtemp(dir)) return 1;
  boundary("records", STORE_RECORDS, RECORDS, 30);
  boundary("what left", STORE_RECORDS, EGRESS, 30);
  boundary("evidence", STORE_EVIDENCE, EVIDENCE, 30);
  boundary("alerts", STORE_ALERTS, ALERTS, 90);
  RUN(forever_is_forever);
  RUN(lengths_have_bounds);
  RUN(who_says_what_counts);
  RUN(an_alert_takes_its_evidence_along);
  RUN(a_clock_that_goes_back_removes_nothing);
  far_future("stored long ago, it goes", 400 * DAY, NOW - 100 * DAY, 0);
  far_future("stored today, it stays", 400 * DAY, NOW, 1);
  far_future("a day ahead is believed", DAY, NOW - 100 * DAY, 1);
  far_future("a microsecond more is not", DAY + 1, NOW - 100 * DAY, 0);
  RUN(a_record_of_the_future_is_filed_under_today);
  holds_keep();
  RUN(a_hold_of_an_alert_keeps_what_made_it);
  RUN(overlapping_holds_all_count);
  RUN(holds_are_listed_and_audited);
  RUN(an_expired_beginning_leaves_a_provable_log);
  RUN(what_was_cut_by_others_is_found);
  RUN(the_boundary_of_the_audit);
  RUN(an_entry_of_a_wrong_clock_blocks_nothing);
  RUN(the_audit_can_be_held);
  RUN(a_missing_key_keeps_the_log_and_nothing_else);
  RUN(a_run_that_removes_something_leaves_one_entry);
  RUN(a_run_that_was_cut_off_is_told_with_the_next);
  RUN(an_entry_waits_for_its_key);
  purges_take_what_fits();
  RUN(bad_filters);
  many("filters", true, 7, VDT_OK);
  many("filters", true, 8, VDT_OK);
  many("filters", true, 9, VDT_EINVAL);
  many("values", false, 999, VDT_OK);
  many("values", false, 1000, VDT_OK);
  many("values", false, 1001, VDT_EINVAL);
  RUN(a_purge_spares_what_is_held_and_says_so);
  RUN(a_purge_is_finished_when_it_is_scrubbed);
  RUN(no_byte_is_left);
  RUN(another_connection_brings_nothing_back);
  RUN(a_reader_holds_a_scrub_up_and_no_more);
  RUN(a_purge_waits_for_what_is_on_its_way);
  RUN(a_killed_purge_goes_on);
  store_close(s);
  nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
  vdt_arena_free(arena);
  return test_end();
}
