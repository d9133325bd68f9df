/* The store: each record once, repeats into one alert, states with their history, lists page by page, errors that can be tried again. */
#include "../record/sample.h"
#include "../test.h"
#include "base/clock.h"
#include "store_rig.h"
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t T0 = UINT64_C(1764085575000000), MINUTE = 60000000;

/* One interaction with a leaked key, stored like the collector does it. Returns whether the record was new. */
static bool put(unsigned number, uint64_t time, const char *user)
{
  struct record r = sample_full();
  struct alert events[ALERT_TYPES];
  size_t n;
  bool is_new = false, began;
  snprintf(r.id, sizeof r.id, "%032x", number);
  r.time_us = time;
  r.end_user = str_of(user);
  CHECK_INT(s->ops->begin(s, NULL), VDT_OK);
  CHECK_INT(s->ops->put_record(s, &r, &is_new, NULL), VDT_OK);
  if (is_new) {
    CHECK_INT(alert_events(&r, &s->place, 1, arena, events, &n), VDT_OK);
    for (size_t i = 0; i < n; i++) CHECK_INT(s->ops->put_event(s, &events[i], 60 * MINUTE, &began, NULL), VDT_OK);
  }
  CHECK_INT(s->ops->commit(s, NULL), VDT_OK);
  return is_new;
}

static size_t list(struct alert **out)
{
  struct store_query q = STORE_QUERY_ALL;
  size_t n = 0;
  q.limit = 1000;
  CHECK_INT(s->ops->list(s, &q, arena, out, &n, NULL), VDT_OK);
  return n;
}

static void same_record_changes_nothing(void)
{
  struct alert *a;
  fresh();
  CHECK(put(1, T0, "u"));
  CHECK(!put(1, T0, "u"));
  reopen();
  CHECK(!put(1, T0, "u"));
  CHECK_INT(list(&a), 1);
  CHECK_INT(a[0].count, 1);
  CHECK_INT(a[0].n_evidence, 1);
}

static void repeat(const char *name, uint64_t after, size_t alerts)
{
  struct alert *a;
  CASE_BEGIN();
  fresh();
  put(1, T0, "u");
  put(2, T0 + after, "u");
  CHECK_INT(list(&a), alerts);
  CHECK_INT(a[0].count, 3 - alerts);
  CHECK_INT(a[0].end_us, T0 + after);
  CASE_END("an event %s the window gives %zu", name, alerts);
}

static void others_get_their_own(void)
{
  struct alert *a;
  fresh();
  put(1, T0, "u");
  put(2, T0 + 1, "someone else");
  put(3, T0 + 2, "u");
  CHECK_INT(list(&a), 2);
  CHECK_INT(a[0].count + a[1].count, 3);
}

static void closed_alerts_stay_closed(enum alert_status status, size_t want)
{
  struct alert *a;
  CASE_BEGIN();
  fresh();
  put(1, T0, "u");
  list(&a);
  CHECK_INT(s->ops->change(s, (struct str){a[0].name, ALERT_NAME_LEN},
                           &(struct store_change){.status = status, .who = STR("me"), .time_us = 5}, NULL),
            VDT_OK);
  put(2, T0 + 1, "u");
  CHECK_INT(list(&a), want);
  CASE_END("a repeat of an alert that is %s gives %zu", alert_status_name(status), want);
}

static void evidence_has_a_limit_and_is_counted(void)
{
  struct alert *a;
  fresh();
  for (unsigned i = 0; i < 50; i++) put(i, T0 + i, "u");
  CHECK_INT(list(&a), 1);
  CHECK_INT(a[0].count, 50);
  CHECK_INT(a[0].n_evidence, ALERT_EVIDENCE_MAX);
  CHECK_INT(a[0].evidence_total, 50);
  CHECK_STR(a[0].evidence[0].segment, "The deploy key is ghp_****3f2a");
  CHECK_STR(a[0].evidence[0].layers, "base64, rot13");
  CHECK_STR(a[0].evidence[0].decoded, "the key ghp_****3f2a");
}

static void states_have_a_history(void)
{
  struct alert *a, got;
  fresh();
  put(1, T0, "u");
  list(&a);
  struct str name = {a[0].name, ALERT_NAME_LEN};
  static const enum alert_status steps[] = {ALERT_IN_PROGRESS, ALERT_RESOLVED, ALERT_RESOLVED, ALERT_ACTIVE, ALERT_DISMISSED};
  for (size_t i = 0; i < 5; i++)
    CHECK_INT(
        s->ops->change(s, name, &(struct store_change){.status = steps[i], .who = STR("api:admin"), .time_us = 100 + i}, NULL),
        VDT_OK);
  CHECK_INT(s->ops->get(s, name, arena, &got, NULL), VDT_OK);
  CHECK_INT(got.status, ALERT_DISMISSED);
  CHECK_INT(got.n_history, 4);
  CHECK_INT(got.history[0].from, ALERT_ACTIVE);
  CHECK_INT(got.history[3].to, ALERT_DISMISSED);
  CHECK_STR(got.history[1].who, "api:admin");
  CHECK_INT(s->ops->get(s, STR("none"), arena, &got, NULL), VDT_ENOTFOUND);
  CHECK_INT(s->ops->change(s, STR("none"), &(struct store_change){.status = ALERT_RESOLVED, .who = STR("x"), .time_us = 1}, NULL),
            VDT_ENOTFOUND);
}

static void a_rollback_leaves_nothing(void)
{
  struct record r = sample_full();
  struct alert *a;
  uint64_t offset;
  bool is_new;
  fresh();
  CHECK_INT(s->ops->begin(s, NULL), VDT_OK);
  CHECK_INT(s->ops->put_record(s, &r, &is_new, NULL), VDT_OK);
  CHECK_INT(s->ops->set_offset(s, STR("journal-1-1.jsonl"), 77, NULL), VDT_OK);
  s->ops->rollback(s);
  CHECK_INT(s->ops->get_offset(s, STR("journal-1-1.jsonl"), &offset, NULL), VDT_OK);
  CHECK_INT(offset, 0);
  CHECK_INT(list(&a), 0);
  CHECK(put(1, T0, "u"));
}

static void offsets_are_kept(void)
{
  uint64_t offset;
  fresh();
  CHECK_INT(s->ops->set_offset(s, STR("a"), 1, NULL), VDT_OK);
  CHECK_INT(s->ops->set_offset(s, STR("a"), 2, NULL), VDT_OK);
  reopen();
  CHECK_INT(s->ops->get_offset(s, STR("a"), &offset, NULL), VDT_OK);
  CHECK_INT(offset, 2);
  CHECK_INT(s->ops->drop_offset(s, STR("a"), NULL), VDT_OK);
  CHECK_INT(s->ops->get_offset(s, STR("a"), &offset, NULL), VDT_OK);
  CHECK_INT(offset, 0);
}

/* Newest first, and every alert exactly once however the pages are cut. */
static void pages_cover_all(size_t page)
{
  struct store_query q = STORE_QUERY_ALL;
  char last[ALERT_NAME_LEN + 1] = "";
  size_t total = 0, n = 0;
  CASE_BEGIN();
  q.limit = page;
  do {
    struct alert *a;
    CHECK_INT(s->ops->list(s, &q, arena, &a, &n, NULL), VDT_OK);
    for (size_t i = 0; i < n; i++) {
      CHECK(memcmp(last, a[i].name, ALERT_NAME_LEN) < 0);
      memcpy(last, a[i].name, sizeof last);
    }
    total += n;
    q.after = str_of(last);
  } while (n == page);
  CHECK_INT(total, 25);
  CASE_END("pages of %zu", page);
}

static void filters(void)
{
  static const struct {
    const char *sub, *rg, *part;
    enum alert_type type;
    size_t want;
  } rows[] = {{"11111111-2222-3333-4444-555555555555", "RG-AI", "", ALERT_TYPES, 25},
              {"1111", "", "", ALERT_TYPES, 0},
              {"", "other", "", ALERT_TYPES, 0},
              {"", "", "", ALERT_JAILBREAK_BLOCKED, 0},
              {"", "", "", ALERT_CREDENTIAL_THEFT, 25},
              {"' OR 1=1 --", "", "", ALERT_TYPES, 0},
              {"", "", "%", ALERT_TYPES, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct store_query q = STORE_QUERY_ALL;
    struct alert *a;
    size_t n;
    q.subscription = str_of(rows[i].sub);
    q.resource_group = str_of(rows[i].rg);
    q.part = str_of(rows[i].part);
    q.type = rows[i].type;
    CHECK_INT(s->ops->list(s, &q, arena, &a, &n, NULL), VDT_OK);
    CHECK_INT(n, rows[i].want);
  }
}

static void record_is_stored_without_evidence(void)
{
  char command[256];
  fresh();
  put(1, T0, "u");
  snprintf(command, sizeof command, "%s/workspaces/weu/vedette.db", dir);
  s->ops->sync(s, NULL);
  FILE *f = fopen(command, "rb");
  static char text[1 << 20];
  size_t n = f ? fread(text, 1, sizeof text, f) : 0;
  if (f) fclose(f);
  size_t at = str_find((struct str){text, n}, STR("\"rule\":\"github-pat\""));
  CHECK(at != (size_t)-1);
  CHECK(str_find((struct str){text, n}, STR("\"evidence\"")) == (size_t)-1);
  CHECK(str_find((struct str){text, n}, STR("\"decoded\"")) == (size_t)-1);
}

/* A limit on the size of files is a disk that is full. */
static void a_full_disk_is_an_error_to_try_again(void)
{
  struct rlimit before, small;
  struct vdt_error err = {0};
  struct alert *a;
  fresh();
  put(1, T0, "u");
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 4096;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  struct record r = sample_full();
  bool is_new;
  int rc = s->ops->begin(s, &err);
  if (!rc) rc = s->ops->put_record(s, &r, &is_new, &err);
  if (!rc) rc = s->ops->commit(s, &err);
  s->ops->rollback(s);
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK_INT(rc, VDT_EIO);
  CHECK(err.text[0]);
  CHECK(put(2, T0, "u"));
  CHECK_INT(list(&a), 1);
  CHECK_INT(a[0].count, 2);
}

static void rules_are_kept_with_their_audit(void)
{
  struct suppress_rule r = {.subscription = STR("S-1"),
                            .name = STR("Rule-1"),
                            .alert_type = STR("*"),
                            .reason = STR("r\x01\"'"),
                            .scope = STR("[]"),
                            .enabled = true,
                            .modified_us = 5,
                            .expires_us = 7,
                            .who = STR("me")},
                       *got;
  struct store_audit *lines;
  size_t count;
  fresh();
  CHECK_INT(s->ops->put_rule(s, &r, NULL), VDT_OK);
  reopen();
  struct store_rule_query q = {.subscription = STR("s-1"), .name = STR("rule-1"), .limit = 9};
  CHECK_INT(s->ops->list_rules(s, &q, arena, &got, &count, NULL), VDT_OK);
  CHECK_INT(count, 1);
  CHECK_STR(got->name, "Rule-1");
  CHECK_STR(got->reason, "r\x01\"'");
  CHECK(got->enabled && got->modified_us == 5 && got->expires_us == 7);
  CHECK_INT(s->ops->delete_rule(s, STR("other"), STR("rule-1"), STR("me"), 8, NULL), VDT_ENOTFOUND);
  CHECK_INT(s->ops->list_audit(s, &(struct store_audit_query){.limit = 9}, arena, &lines, &count, NULL), VDT_OK);
  CHECK_INT(count, 1);
  CHECK_INT(s->ops->delete_rule(s, STR("s-1"), STR("RULE-1"), STR("me"), 9, NULL), VDT_OK);
  CHECK_INT(s->ops->list_rules(s, &q, arena, &got, &count, NULL), VDT_OK);
  CHECK_INT(count, 0);
  CHECK_INT(s->ops->list_audit(s, &(struct store_audit_query){.limit = 9}, arena, &lines, &count, NULL), VDT_OK);
  CHECK_INT(count, 2);
  CHECK_STR(lines[0].what, "suppression rule deleted");
  CHECK_INT(lines[0].time_us, 9);
  CHECK_INT(
      s->ops->list_audit(s, &(struct store_audit_query){.before_us = lines[0].time_us, .limit = 9}, arena, &lines, &count, NULL),
      VDT_OK);
  CHECK_INT(count, 1);
}

static struct store_audit entry(uint64_t time)
{
  return (struct store_audit){.time_us = time, .who = STR("me"), .what = STR("tried"), .target = STR("t\x01"), .detail = STR("")};
}

static struct store_audit_check verified(const unsigned char *anchor)
{
  struct store_audit_check c = {.anchor = anchor};
  CHECK_INT(s->ops->verify_audit(s, &c, NULL), VDT_OK);
  return c;
}

static void the_audit_is_a_chain(void)
{
  struct store_audit a = entry(7), *lines;
  size_t count;
  fresh();
  CHECK_INT(verified(NULL).entries, 0);
  for (int i = 0; i < 3; i++) CHECK_INT(s->ops->put_audit(s, &a, NULL), VDT_OK);
  struct store_audit_check c = verified(NULL);
  CHECK(c.entries == 3 && c.last == 3 && c.faults == 0 && !c.anchored);
  reopen();
  CHECK(verified(c.head).anchored);
  CHECK_INT(s->ops->list_audit(s, &(struct store_audit_query){.limit = 9}, arena, &lines, &count, NULL), VDT_OK);
  CHECK_INT(count, 3);
  CHECK(lines[0].id == 3 && memcmp(lines[0].hash, c.head, STORE_AUDIT_HASH) == 0);
  CHECK(memcmp(lines[1].hash, c.head, STORE_AUDIT_HASH) != 0 && verified(lines[1].hash).anchored);
  c.head[0] ^= 1;
  CHECK(!verified(c.head).anchored);
}

static void the_audit_goes_with_its_transaction(void)
{
  struct store_audit a = entry(7);
  fresh();
  CHECK_INT(s->ops->put_audit(s, &a, NULL), VDT_OK);
  CHECK_INT(s->ops->begin(s, NULL), VDT_OK);
  CHECK_INT(s->ops->put_audit(s, &a, NULL), VDT_OK);
  s->ops->rollback(s);
  CHECK_INT(verified(NULL).entries, 1);
  CHECK_INT(s->ops->begin(s, NULL), VDT_OK);
  CHECK_INT(s->ops->put_audit(s, &a, NULL), VDT_OK);
  CHECK_INT(s->ops->commit(s, NULL), VDT_OK);
  struct store_audit_check c = verified(NULL);
  CHECK(c.entries == 2 && c.last == 2 && c.faults == 0);
}

static void reading_is_no_change_of_settings(void)
{
  struct store_audit a = entry(7);
  struct suppress_rule r = {
      .subscription = STR("S"), .name = STR("R"), .alert_type = STR("*"), .scope = STR("[]"), .who = STR("me")};
  uint64_t before, after;
  fresh();
  CHECK_INT(s->ops->settings_version(s, &before, NULL), VDT_OK);
  CHECK_INT(s->ops->put_audit(s, &a, NULL), VDT_OK);
  CHECK_INT(s->ops->settings_version(s, &after, NULL), VDT_OK);
  CHECK_INT(after, before);
  CHECK_INT(s->ops->put_rule(s, &r, NULL), VDT_OK);
  CHECK_INT(s->ops->settings_version(s, &after, NULL), VDT_OK);
  CHECK(after > before);
}

static void the_audit_is_bounded_by_time(void)
{
  struct store_audit *lines;
  size_t count;
  fresh();
  for (uint64_t t = 10; t < 13; t++) {
    struct store_audit a = entry(t);
    CHECK_INT(s->ops->put_audit(s, &a, NULL), VDT_OK);
  }
  static const struct {
    uint64_t before, since, n;
  } rows[] = {{0, 0, 3}, {0, 10, 3}, {0, 11, 2}, {0, 13, 0}, {13, 0, 3}, {12, 0, 2}, {12, 11, 1}, {10, 0, 0}, {12, 12, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct store_audit_query q = {.before_us = rows[i].before, .since_us = rows[i].since, .limit = 9};
    CHECK_INT(s->ops->list_audit(s, &q, arena, &lines, &count, NULL), VDT_OK);
    CHECK_INT(count, rows[i].n);
  }
}

static void the_audit_is_filtered_by_its_texts(void)
{
  struct store_audit *lines;
  size_t count;
  fresh();
  struct store_audit entries[] = {
      {.time_us = 1, .who = STR("api:Ada"), .what = STR("alert changed"), .target = STR("T-1"), .detail = STR("Resolved")},
      {.time_us = 2,
       .who = STR("cli:bob"),
       .what = STR("legal hold set"),
       .target = STR("case-1"),
       .detail = STR("50% of \"t-1\"")}};
  for (size_t i = 0; i < 2; i++) CHECK_INT(s->ops->put_audit(s, &entries[i], NULL), VDT_OK);
  static const struct {
    struct str who, what, text;
    size_t n;
  } rows[] = {{STR("ada"), {0}, {0}, 1},         {STR("API:"), {0}, {0}, 1},     {{0}, STR("HOLD"), {0}, 1},
              {{0}, {0}, STR("t-1"), 2},         {{0}, {0}, STR("resolved"), 1}, {{0}, {0}, STR("50%"), 1},
              {{0}, {0}, STR("5_%"), 0},         {{0}, {0}, STR("%"), 1},        {STR("ada"), {0}, STR("t-1"), 1},
              {STR("ada"), STR("hold"), {0}, 0}, {STR("'; --"), {0}, {0}, 0},    {{0}, {0}, {0}, 2}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct store_audit_query q = {.who = rows[i].who, .what = rows[i].what, .text = rows[i].text, .limit = 9};
    CHECK_INT(s->ops->list_audit(s, &q, arena, &lines, &count, NULL), VDT_OK);
    CHECK_INT(count, rows[i].n);
  }
}

static void plans_are_kept(void)
{
  struct store_plan p = {.subscription = STR("S"), .standard = true, .evidence = STORE_OFF, .since_us = 3, .who = STR("me")},
                    *got;
  size_t count;
  fresh();
  CHECK_INT(s->ops->put_plan(s, &p, 4, NULL), VDT_OK);
  p.evidence = STORE_ON;
  CHECK_INT(s->ops->put_plan(s, &p, 5, NULL), VDT_OK);
  reopen();
  CHECK_INT(s->ops->list_plans(s, STR("s"), arena, &got, &count, NULL), VDT_OK);
  CHECK_INT(count, 1);
  CHECK(got->standard && got->evidence == STORE_ON && got->purview == STORE_UNSET && got->since_us == 3);
  CHECK_INT(s->ops->list_plans(s, STR("t"), arena, &got, &count, NULL), VDT_OK);
  CHECK_INT(count, 0);
}

static void a_suppressed_event_extends_what_its_rule_dismissed(void)
{
  struct record r = sample_full();
  struct alert events[ALERT_TYPES], *a;
  size_t n;
  bool began;
  fresh();
  CHECK_INT(alert_events(&r, &place, 1, arena, events, &n), VDT_OK);
  for (int i = 0; i < 3; i++) {
    events[0].suppressed = i < 2 ? STR("rule-1") : STR("rule-2");
    events[0].status = ALERT_DISMISSED;
    events[0].name[ALERT_NAME_LEN - 1] = (char)('0' + i);
    CHECK_INT(s->ops->begin(s, NULL), VDT_OK);
    CHECK_INT(s->ops->put_event(s, &events[0], 60 * MINUTE, &began, NULL), VDT_OK);
    CHECK_INT(s->ops->commit(s, NULL), VDT_OK);
    CHECK_INT(began, i != 1);
  }
  CHECK_INT(list(&a), 2);
  CHECK_INT(a[0].count + a[1].count, 3);
  CHECK_INT(a[0].n_history, 1);
  CHECK_STR(a[0].history[0].who, "suppression rule rule-1");
}

static void records_are_listed_page_by_page(void)
{
  struct store_place at = {0};
  struct str *page;
  size_t n, seen = 0;
  char previous[RECORD_ID_LEN + 1] = "";
  bool is_new;
  fresh();
  for (unsigned i = 0; i < 25; i++) {
    struct record r = sample_full();
    snprintf(r.id, sizeof r.id, "%032x", 25 - i);
    r.time_us = 1000000 * (1 + i / 10); /* ten of the same time, across the ends of pages */
    CHECK_INT(s->ops->put_record(s, &r, &is_new, NULL), VDT_OK);
  }
  do {
    CHECK_INT(s->ops->list_records(s, &at, 7, arena, &page, &n, NULL), VDT_OK);
    for (size_t i = 0; i < n; i++) {
      struct record r;
      CHECK_INT(record_read(arena, page[i], &r, NULL), VDT_OK);
      CHECK(strcmp(r.id, previous) != 0);
      memcpy(previous, r.id, sizeof previous);
      seen++;
    }
  } while (n == 7);
  CHECK_INT(seen, 25);
  CHECK_INT(s->ops->list_records(s, &at, 7, arena, &page, &n, NULL), VDT_OK);
  CHECK_INT(n, 0);
  at = (struct store_place){.time_us = 2000000};
  CHECK_INT(s->ops->list_records(s, &at, 100, arena, &page, &n, NULL), VDT_OK);
  CHECK_INT(n, 15);
}

static void evidence_of_an_interaction_is_found(void)
{
  struct record r = sample_full();
  struct alert events[ALERT_TYPES];
  struct alert_evidence *rows;
  size_t n;
  bool began;
  fresh();
  CHECK_INT(alert_events(&r, &place, 1, arena, events, &n), VDT_OK);
  CHECK_INT(s->ops->begin(s, NULL), VDT_OK);
  CHECK_INT(s->ops->put_event(s, &events[0], 60 * MINUTE, &began, NULL), VDT_OK);
  CHECK_INT(s->ops->commit(s, NULL), VDT_OK);
  CHECK_INT(s->ops->list_evidence(s, str_of(r.id), arena, &rows, &n, NULL), VDT_OK);
  CHECK_INT(n, events[0].n_evidence);
  CHECK(n > 0 && str_eq(rows[0].rule, events[0].evidence[0].rule) && str_eq(rows[0].segment, events[0].evidence[0].segment));
  CHECK_INT(s->ops->list_evidence(s, STR("00000000000000000000000000000000"), arena, &rows, &n, NULL), VDT_OK);
  CHECK_INT(n, 0);
}

static void bad_names_are_refused(void)
{
  static const char *const names[] = {"",    "..",  "a/b",
                                      "a b", "a\n", "0123456789012345678901234567890123456789012345678901234567890123"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct alert_place p = {.workspace = str_of(names[i])};
    struct store *other;
    CHECK_INT(store_open_sqlite(dir, &p, true, &other, NULL), VDT_EINVAL);
  }
  struct alert_place p = {.workspace = STR("none")};
  struct store *other;
  CHECK_INT(store_open_sqlite(dir, &p, false, &other, NULL), VDT_ENOTFOUND);
}

int main(void)
{
  arena = vdt_arena_new((size_t)1 << 30);
  if (!mkdtemp(dir)) return 1;
  RUN(same_record_changes_nothing);
  repeat("one below the end of", 60 * MINUTE - 1, 1);
  repeat("at the end of", 60 * MINUTE, 1);
  repeat("one above the end of", 60 * MINUTE + 1, 2);
  RUN(others_get_their_own);
  closed_alerts_stay_closed(ALERT_ACTIVE, 1);
  closed_alerts_stay_closed(ALERT_IN_PROGRESS, 1);
  closed_alerts_stay_closed(ALERT_RESOLVED, 2);
  closed_alerts_stay_closed(ALERT_DISMISSED, 2);
  RUN(evidence_has_a_limit_and_is_counted);
  RUN(states_have_a_history);
  RUN(a_rollback_leaves_nothing);
  RUN(offsets_are_kept);
  RUN(record_is_stored_without_evidence);
  RUN(rules_are_kept_with_their_audit);
  RUN(the_audit_is_filtered_by_its_texts);
  RUN(the_audit_is_a_chain);
  RUN(the_audit_goes_with_its_transaction);
  RUN(reading_is_no_change_of_settings);
  RUN(the_audit_is_bounded_by_time);
  RUN(plans_are_kept);
  RUN(a_suppressed_event_extends_what_its_rule_dismissed);
  RUN(a_full_disk_is_an_error_to_try_again);
  RUN(records_are_listed_page_by_page);
  RUN(evidence_of_an_interaction_is_found);
  RUN(bad_names_are_refused);
  fresh();
  for (unsigned i = 0; i < 25; i++) put(i, T0 + i * 100 * MINUTE, "w");
  pages_cover_all(1);
  pages_cover_all(7);
  pages_cover_all(25);
  pages_cover_all(26);
  RUN(filters);
  store_close(s);
  nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
  vdt_arena_free(arena);
  return test_end();
}
