/* Two weeks of 200 users with attacks among them, and each detector at its limits. */
#include "analyse/alert.h"
#include "analyse/behaviour.h"
#include "tests/test.h"
#include <math.h>
#include <sodium.h>

enum { MINUTE_US = 60000000, DAY_MINUTES = 1440 };
static const uint64_t BEGIN = UINT64_C(1764547200000000); /* a Monday */

struct stand {
  struct behaviour *b;
  struct vdt_arena *arena;
  struct record_finding found[BEHAVIOUR_FINDINGS];
  size_t n;
};

static struct stand stand_of(const struct behaviour_limits *limits)
{
  return (struct stand){.b = behaviour_new(limits), .arena = vdt_arena_new(0)};
}

static void finish(struct stand *s)
{
  behaviour_free(s->b);
  vdt_arena_free(s->arena);
}

static void observe(struct stand *s, const struct record *r)
{
  vdt_arena_reset(s->arena);
  CHECK_INT(behaviour_observe(s->b, r, s->arena, s->found, &s->n), VDT_OK);
}

static bool shows(const struct stand *s, enum alert_type type)
{
  for (size_t i = 0; i < s->n; i++)
    if (str_eq(s->found[i].alert, str_of(alert_info(type)->type))) return true;
  return false;
}

static struct record record_at(double minute, struct str user)
{
  return (struct record){.time_us = BEGIN + (uint64_t)(minute * MINUTE_US),
                         .workspace = STR("weu"),
                         .deployment = STR("gpt-4o"),
                         .end_user = user,
                         .client_ip = STR("198.51.100.7"),
                         .user_agent = STR("openai-python/1.61.0"),
                         .total_tokens = 100};
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static void repeats(void)
{
  struct stand s = stand_of(&behaviour_standard);
  struct record r = record_at(0, STR("u"));
  observe(&s, &r);
  double later = 25 * 60;
  for (int i = 1; i <= 101; i++) {
    r = record_at(later, STR("u"));
    r.prompt_id = STR("00000000000000aa");
    observe(&s, &r);
    CHECK_INT(shows(&s, ALERT_WALLET_REPEATS), i == 100);
  }
  finish(&s);
}

static void repeats_that_were_always_there_are_usual(void)
{
  struct stand s = stand_of(&behaviour_standard);
  for (int day = 0; day < 3; day++)
    for (int i = 0; i < 150; i++) {
      struct record r = record_at(day * DAY_MINUTES, STR("probe"));
      r.prompt_id = STR("00000000000000aa");
      observe(&s, &r);
      CHECK(!shows(&s, ALERT_WALLET_REPEATS));
    }
  finish(&s);
}

static void repeats_are_counted_among_many_others(void)
{
  struct stand s = stand_of(&behaviour_standard);
  struct record r = record_at(0, STR("u"));
  unsigned alerts = 0;
  observe(&s, &r);
  for (unsigned i = 0; i < 9000; i++) {
    char id[17];
    r = record_at(3000, STR("u"));
    snprintf(id, sizeof id, "%016llx", (unsigned long long)(i % 80 ? (i + 1) * UINT64_C(0x9e3779b97f4a7c15) : 170));
    r.prompt_id = (struct str){id, 16};
    observe(&s, &r);
    alerts += shows(&s, ALERT_WALLET_REPEATS);
  }
  CHECK_INT(alerts, 1);
  finish(&s);
}

/* requests in one hour after a week of `usual` in each hour. */
static bool volume(unsigned usual, unsigned requests)
{
  struct stand s = stand_of(&behaviour_standard);
  bool shown = false;
  for (unsigned hour = 0; hour < 168; hour++)
    for (unsigned i = 0; i < usual; i++) {
      struct record r = record_at(hour * 60 + i * 60.0 / usual, STR("u"));
      observe(&s, &r);
      shown |= shows(&s, ALERT_WALLET_VOLUME);
    }
  CHECK(!shown);
  for (unsigned i = 0; i < requests; i++) {
    struct record r = record_at(168 * 60 + i * 60.0 / requests, STR("u"));
    observe(&s, &r);
    shown |= shows(&s, ALERT_WALLET_VOLUME);
  }
  finish(&s);
  return shown;
}

static void volume_at_its_limits(void)
{
  CHECK(!volume(10, 500));
  CHECK(volume(10, 501));
  CHECK(!volume(400, 1720)); /* 4 x 400 + 6 x 20 */
  CHECK(volume(400, 1721));
}

static void access_needs_two_of_three_and_time(void)
{
  for (unsigned known = 99; known <= 100; known++)
    for (unsigned hours = 71; hours <= 72; hours++)
      for (unsigned change = 0; change < 8; change++) {
        struct stand s = stand_of(&behaviour_standard);
        for (unsigned i = 0; i < known; i++) {
          struct record r = record_at(0, STR("u"));
          r.auth = STR("token");
          observe(&s, &r);
        }
        struct record r = record_at(hours * 60, STR("u"));
        r.auth = change & 4 ? STR("key") : STR("token");
        if (change & 1) r.user_agent = STR("curl/8.1");
        if (change & 2) r.client_ip = STR("203.0.113.9");
        observe(&s, &r);
        CHECK_INT(shows(&s, ALERT_ACCESS_ANOMALY), known == 100 && hours == 72 && __builtin_popcount(change) >= 2);
        observe(&s, &r);
        CHECK(!shows(&s, ALERT_ACCESS_ANOMALY));
        finish(&s);
      }
}

/* Records of before kinds were recorded have none, and so has a client without a credential: that is a kind of its own. */
static void the_first_kind_of_credential_is_no_change(void)
{
  struct behaviour_limits quick = behaviour_standard;
  quick.access_learning = 0;
  quick.access_requests = 1;
  struct stand s = stand_of(&quick);
  static const char *const kinds[] = {"token", "token", "key", "", "key"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    struct record r = record_at((double)i, STR("u"));
    char agent[16];
    snprintf(agent, sizeof agent, "agent%zu/1", i % 4);
    r.user_agent = str_of(agent);
    r.auth = str_of(kinds[i]);
    observe(&s, &r);
    CHECK_INT(shows(&s, ALERT_ACCESS_ANOMALY), i == 2);
  }
  finish(&s);
}

static void jailbreaks_in_a_row(void)
{
  struct record_finding f = {.detector = STR("jailbreak"), .action = STR("block")};
  struct stand s = stand_of(&behaviour_standard);
  for (int i = 1; i <= 7; i++) {
    struct record r = record_at(i, STR("u"));
    r.findings = &f;
    r.n_findings = 1;
    observe(&s, &r);
    CHECK_INT(shows(&s, ALERT_PERSISTENT_JAILBREAK), i == 5);
  }
  for (int i = 0; i < 20; i++) { /* one every quarter of an hour is patience, not persistence */
    struct record r = record_at(1000 + i * 15, STR("v"));
    r.findings = &f;
    r.n_findings = 1;
    observe(&s, &r);
    CHECK(!shows(&s, ALERT_PERSISTENT_JAILBREAK));
  }
  finish(&s);
}

static struct record_finding finding_of(const char *detector, const char *rule, const char *action)
{
  return (struct record_finding){.direction = STR("response"),
                                 .detector = str_of(detector),
                                 .rule = str_of(rule),
                                 .title = str_of(rule),
                                 .action = str_of(action)};
}

/* n interactions with a weak question, each so many minutes after the last: at which the alert comes; 0: at none. */
static unsigned probes(unsigned n, double apart, const char *also)
{
  struct stand s = stand_of(&behaviour_standard);
  unsigned came = 0;
  for (unsigned i = 0; i < n; i++) {
    struct record_finding f[] = {finding_of("reconnaissance", "asks-for-model", "allow"),
                                 finding_of(also ? also : "", "x", "block")};
    struct record r = record_at(i * apart, STR("u"));
    r.findings = f;
    r.n_findings = also ? 2 : 1;
    observe(&s, &r);
    if (shows(&s, ALERT_LLM_RECON) && !came) came = i + 1;
  }
  finish(&s);
  return came;
}

static void questions_that_explore_add_up(void)
{
  CHECK_INT(probes(4, 1, NULL), 0);
  CHECK_INT(probes(5, 1, NULL), 5);
  CHECK_INT(probes(5, 14, NULL), 5);
  CHECK_INT(probes(20, 15, NULL), 0); /* never five within an hour */
  CHECK_INT(probes(20, 1, "jailbreak"), 0);
}

static void use_tools(struct stand *s, double minute, struct str application, struct str tools, unsigned calls)
{
  struct record r = record_at(minute, STR("u"));
  r.application = application;
  r.tools = tools;
  r.tool_calls = calls;
  observe(s, &r);
}

static void tools_are_learnt_and_then_new_ones_are_told(void)
{
  for (unsigned hours = 71; hours <= 72; hours++)
    for (unsigned n = 49; n <= 50; n++) {
      struct stand s = stand_of(&behaviour_standard);
      for (unsigned i = 0; i < n; i++) use_tools(&s, 0, STR("shop"), STR("search, pay"), 3);
      use_tools(&s, hours * 60, STR("shop"), STR("pay, delete_all"), 2);
      CHECK_INT(shows(&s, ALERT_TOOL_ANOMALY), hours == 72 && n == 50);
      use_tools(&s, hours * 60, STR("shop"), STR("delete_all"), 1);
      CHECK(!shows(&s, ALERT_TOOL_ANOMALY)); /* told once */
      finish(&s);
    }
}

static void tools_are_those_of_an_application(void)
{
  struct stand s = stand_of(&behaviour_standard);
  for (unsigned i = 0; i < 50; i++) use_tools(&s, 0, STR("shop"), STR("search"), 1);
  use_tools(&s, 72 * 60, STR("shop"), STR("search"), 1);
  CHECK(!shows(&s, ALERT_TOOL_ANOMALY));
  use_tools(&s, 72 * 60, STR("billing"), STR("search"), 1);
  CHECK(shows(&s, ALERT_TOOL_ANOMALY));
  finish(&s);
}

static void many_calls_are_many_times_the_most(void)
{
  for (unsigned calls = 9; calls <= 16; calls++) {
    struct stand s = stand_of(&behaviour_standard);
    for (unsigned i = 0; i < 50; i++) use_tools(&s, 0, STR("shop"), STR("search"), i == 7 ? 5 : 1);
    use_tools(&s, 72 * 60, STR("shop"), STR("search"), calls);
    CHECK_INT(shows(&s, ALERT_TOOL_ANOMALY), calls > 15);
    finish(&s);
    s = stand_of(&behaviour_standard);
    for (unsigned i = 0; i < 50; i++) use_tools(&s, 0, STR("shop"), STR("search"), 1);
    use_tools(&s, 72 * 60, STR("shop"), STR("search"), calls);
    CHECK_INT(shows(&s, ALERT_TOOL_ANOMALY), calls >= 10);
    finish(&s);
  }
}

static void kinds_of_data_are_learnt(void)
{
  for (unsigned hours = 167; hours <= 168; hours++) {
    struct stand s = stand_of(&behaviour_standard);
    struct record_finding card = finding_of("sensitive", "payment-card", "detect"),
                          iban = finding_of("sensitive", "iban", "redact"), off = finding_of("sensitive", "us-ssn", "allow"),
                          asked = finding_of("sensitive", "email", "detect");
    asked.direction = STR("request");
    struct record r = record_at(0, STR("u"));
    r.findings = &card;
    r.n_findings = 1;
    observe(&s, &r);
    r.time_us += hours * UINT64_C(3600000000);
    observe(&s, &r);
    CHECK(!shows(&s, ALERT_SENSITIVE_ANOMALY));
    r.findings = &off;
    observe(&s, &r);
    CHECK(!shows(&s, ALERT_SENSITIVE_ANOMALY));
    r.findings = &asked;
    observe(&s, &r);
    CHECK(!shows(&s, ALERT_SENSITIVE_ANOMALY));
    r.findings = &iban;
    observe(&s, &r);
    CHECK_INT(shows(&s, ALERT_SENSITIVE_ANOMALY), hours == 168);
    observe(&s, &r);
    CHECK(!shows(&s, ALERT_SENSITIVE_ANOMALY));
    finish(&s);
  }
}

static void agents_of_tools(void)
{
  struct stand s = stand_of(&behaviour_standard);
  struct record r = record_at(0, STR(""));
  r.user_agent = STR("Mozilla/5.0 SQLMap/1.7");
  observe(&s, &r);
  CHECK(shows(&s, ALERT_USER_AGENT));
  r.user_agent = STR("Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0");
  observe(&s, &r);
  CHECK_INT(s.n, 0);
  finish(&s);
}

static void memory_stays_within_its_bound(void)
{
  struct behaviour_limits few = behaviour_standard;
  few.principals = 10000;
  struct stand s = stand_of(&few);
  char name[32];
  for (unsigned i = 0; i < 100000; i++) {
    snprintf(name, sizeof name, "user-%u", i);
    struct record r = record_at(i / 100.0, str_of(name));
    observe(&s, &r);
  }
  CHECK(behaviour_memory(s.b) < 32768 * 64 + 4 * 24 * 1024);
  finish(&s);
}

static bool put_piece(void *to, struct str piece)
{
  buf_put(to, piece);
  return !((struct buf *)to)->failed;
}

static size_t saved_size(const struct behaviour *b)
{
  struct buf saved = {0};
  CHECK(behaviour_save(b, put_piece, &saved));
  size_t n = saved.n;
  buf_finish(&saved);
  return n;
}

/* Each is saved in 64 bytes, so the size says how many there are; met again, they are the same. */
static void a_table_that_grows_forgets_nobody(void)
{
  struct stand s = stand_of(&behaviour_standard);
  size_t one = 0;
  char name[32];
  for (unsigned i = 0; i < 2 * 5000; i++) {
    snprintf(name, sizeof name, "user-%u", i % 5000);
    struct record r = record_at(i, str_of(name));
    observe(&s, &r);
    if (i == 0) one = saved_size(s.b);
  }
  CHECK_INT(saved_size(s.b), one + 4999 * 64);
  finish(&s);
}

static bool put_nothing(void *left, struct str piece)
{
  (void)piece;
  return (*(int *)left)-- > 0;
}

static void what_cannot_be_saved_is_said(void)
{
  struct stand s = stand_of(&behaviour_standard);
  struct record r = record_at(0, STR("u"));
  observe(&s, &r);
  for (int pieces = 0; pieces < 5; pieces++) {
    int left = pieces;
    CHECK_INT(behaviour_save(s.b, put_nothing, &left), pieces >= 3); /* the head, a principal, a deployment */
  }
  finish(&s);
}

static void a_restart_forgets_nothing(void)
{
  struct stand s = stand_of(&behaviour_standard), t = stand_of(&behaviour_standard);
  struct buf saved = {0}, again = {0};
  struct record r;
  char name[32];
  for (unsigned i = 0; i < 3000; i++) {
    snprintf(name, sizeof name, "user-%u", i % 700);
    r = record_at(i, str_of(name));
    observe(&s, &r);
  }
  CHECK(behaviour_save(s.b, put_piece, &saved));
  CHECK_INT(behaviour_load(t.b, buf_str(&saved)), VDT_OK);
  CHECK(behaviour_save(t.b, put_piece, &again));
  CHECK_INT(again.n, saved.n);
  for (size_t i = 0; i < saved.n; i += saved.n / 50 + 1) {
    struct behaviour *fresh = behaviour_new(&behaviour_standard);
    saved.p[i] ^= 1;
    CHECK_INT(behaviour_load(fresh, buf_str(&saved)), VDT_ESYNTAX);
    saved.p[i] ^= 1;
    CHECK_INT(behaviour_load(fresh, (struct str){saved.p, i}), VDT_ESYNTAX);
    behaviour_free(fresh);
  }
  for (unsigned i = 0; i < 3000; i++) { /* both go on alike */
    snprintf(name, sizeof name, "user-%u", i % 700);
    r = record_at(5000 + i, str_of(name));
    if (i % 97 == 0) r.user_agent = STR("curl/8"), r.client_ip = STR("203.0.113.1");
    observe(&s, &r);
    observe(&t, &r);
    CHECK_INT(s.n, t.n);
  }
  buf_finish(&saved);
  buf_finish(&again);
  finish(&s);
  finish(&t);
}

/* ---- two weeks --------------------------------------------------------------------------------------------------- */

static uint64_t seed;

static double chance(void)
{
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (double)(seed * UINT64_C(2685821657736338717) >> 11) / 9007199254740992.0;
}

struct user {
  char name[16], ip[3][24], agent[2][32];
};

enum { USERS = 200, DAYS = 14, TIMES = TEST_SANITIZED ? 2 : 8 };

static void make_users(struct user *users)
{
  static const char *const agents[] = {"openai-python/1.", "openai-node/4.", "langchain/0.", "Mozilla/5."};
  for (unsigned i = 0; i < USERS; i++) {
    snprintf(users[i].name, sizeof users[i].name, "user-%u", i);
    for (unsigned k = 0; k < 3; k++)
      snprintf(users[i].ip[k], sizeof users[i].ip[k], "%u.%u.%u.9", 10 + (unsigned)(chance() * 200), (unsigned)(chance() * 250),
               (unsigned)(chance() * 250));
    for (unsigned k = 0; k < 2; k++)
      snprintf(users[i].agent[k], sizeof users[i].agent[k], "%s%u", agents[(unsigned)(chance() * 4)], (unsigned)(chance() * 80));
  }
}

/* People work by day and on weekdays; some travel, and get new clients. */
static struct record ordinary(const struct user *users, double minute, char prompt[17])
{
  const struct user *u = &users[(unsigned)(chance() * USERS)];
  struct record r = record_at(minute, str_of(u->name));
  double luck = chance();
  r.client_ip = str_of(u->ip[luck < 0.9 ? 0 : luck < 0.98 ? 1 : 2]);
  r.user_agent = str_of(u->agent[chance() < 0.95 ? 0 : 1]);
  r.total_tokens = (uint64_t)(200 + chance() * chance() * 6000);
  snprintf(prompt, 17, "%016llx", (unsigned long long)(chance() * 1e18));
  r.prompt_id = (struct str){prompt, 16};
  return r;
}

static double rate(double minute)
{
  unsigned day = (unsigned)(minute / DAY_MINUTES) % 7;
  double hour = fmod(minute / 60, 24), busy = exp(-(hour - 14) * (hour - 14) / 18);
  return (0.5 + 11 * busy) * (day < 5 ? 1 : 0.25);
}

struct tally {
  unsigned attacks, detected, false_alerts;
};

/* Attack k of day 8 to 13, at a time of its own. */
static void attack(struct stand *s, const struct user *users, unsigned k, double minute, struct tally *t)
{
  static const enum alert_type types[] = {ALERT_WALLET_REPEATS, ALERT_WALLET_VOLUME, ALERT_ACCESS_ANOMALY, ALERT_USER_AGENT,
                                          ALERT_PERSISTENT_JAILBREAK};
  static const unsigned sizes[] = {300, 6000, 1, 1, 6};
  struct record_finding f = {.detector = STR("jailbreak"), .action = STR("detect")};
  char prompt[17];
  bool found = false;
  for (unsigned i = 0; i < sizes[k]; i++) {
    struct record r = ordinary(users, minute + i * 8.0 / sizes[k], prompt);
    if (k == 0) r.prompt_id = STR("abcdefabcdef0123");
    if (k >= 2) r.end_user = str_of(users[7].name);
    if (k == 2) r.client_ip = STR("240.7.1.1"), r.user_agent = STR("Go-http-client/1.1");
    if (k == 3) r.user_agent = STR("nuclei/3.1");
    if (k == 4) r.findings = &f, r.n_findings = 1;
    observe(s, &r);
    found |= shows(s, types[k]);
  }
  t->attacks++;
  t->detected += found;
}

static void two_weeks(uint64_t of, struct tally *t)
{
  static struct user users[USERS];
  struct stand s = stand_of(&behaviour_standard);
  char prompt[17];
  unsigned next = 0;
  seed = of * UINT64_C(0x9e3779b97f4a7c15) + 1;
  make_users(users);
  for (double minute = 0; minute < DAYS * DAY_MINUTES; minute += -log(1 - chance()) / rate(minute)) {
    if (next < 5 && minute > (8.0 + next) * DAY_MINUTES + 9 * 60) attack(&s, users, next++, minute, t);
    struct record r = ordinary(users, minute, prompt);
    observe(&s, &r);
    /* what an attack leaves behind in its hour is no false alert */
    bool after = next && minute < (8.0 + next - 1) * DAY_MINUTES + 11 * 60;
    if (!after) t->false_alerts += (unsigned)s.n;
  }
  finish(&s);
}

static void two_weeks_of_people_and_attacks(void)
{
  struct tally t = {0};
  for (uint64_t i = 1; i <= TIMES; i++) two_weeks(i, &t);
  printf("# %u of %u attacks detected, %u false alerts in %u weeks\n", t.detected, t.attacks, t.false_alerts, TIMES * DAYS / 7);
  CHECK(t.detected * 100 >= t.attacks * 95);
  CHECK(t.false_alerts <= TIMES * DAYS / 7);
}

static void somebody_is_forgotten_and_nobody_else(void)
{
  struct stand s = stand_of(&behaviour_standard);
  struct record anna = record_at(10, STR("anna")), ben = record_at(11, STR("ben"));
  uint64_t a = behaviour_key(anna.workspace, anna.deployment, anna.end_user),
           b = behaviour_key(ben.workspace, ben.deployment, ben.end_user);
  struct behaviour_known known = {0};
  struct buf before = {0}, after = {0};
  CHECK(!behaviour_find(s.b, a, &known));
  CHECK(!behaviour_forget(s.b, a));
  observe(&s, &ben);
  CHECK(behaviour_save(s.b, put_piece, &before));
  observe(&s, &anna);
  CHECK(behaviour_find(s.b, a, &known));
  CHECK_INT(known.requests, 1);
  CHECK_INT(known.last_us, anna.time_us / 60000000 * 60000000);
  CHECK(behaviour_forget(s.b, a));
  CHECK(!behaviour_find(s.b, a, &known));
  CHECK(!behaviour_forget(s.b, a));
  CHECK(!behaviour_forget(s.b, 0));
  CHECK(behaviour_find(s.b, b, &known));
  CHECK(behaviour_save(s.b, put_piece, &after));
  CHECK_INT(after.n, before.n); /* one principal */
  CHECK(a != behaviour_key(anna.workspace, STR("other"), anna.end_user) &&
        a != behaviour_key(STR("other"), anna.deployment, anna.end_user));
  buf_finish(&before);
  buf_finish(&after);
  finish(&s);
}

int main(void)
{
  if (sodium_init() < 0) return 1;
  RUN(repeats);
  RUN(repeats_that_were_always_there_are_usual);
  RUN(repeats_are_counted_among_many_others);
  RUN(volume_at_its_limits);
  RUN(access_needs_two_of_three_and_time);
  RUN(the_first_kind_of_credential_is_no_change);
  RUN(jailbreaks_in_a_row);
  RUN(questions_that_explore_add_up);
  RUN(tools_are_learnt_and_then_new_ones_are_told);
  RUN(tools_are_those_of_an_application);
  RUN(many_calls_are_many_times_the_most);
  RUN(kinds_of_data_are_learnt);
  RUN(agents_of_tools);
  RUN(memory_stays_within_its_bound);
  RUN(a_table_that_grows_forgets_nobody);
  RUN(what_cannot_be_saved_is_said);
  RUN(a_restart_forgets_nothing);
  RUN(somebody_is_forgotten_and_nobody_else);
  RUN(two_weeks_of_people_and_attacks);
  return test_end();
}
