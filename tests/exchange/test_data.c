/*
 * Policies about data and sensitivity labels in whole interactions: for whom they hold, in requests, answers and streams, however a stream is cut;
 * what the record says about them; and that the highest label counts.
 */
#include "rig.h"

static const char yaml[] =
    "workspaces: [{name: plain}]\n"
    "deployments:\n"
    "  - {name: m, workspace: plain, upstream: simulated}\n"
    "  - {name: strict, workspace: plain, upstream: simulated, policy: strict}\n"
    "  - {name: finance, workspace: plain, upstream: simulated, label: General}\n"
    "labels:\n"
    "  - {name: Secret, priority: 30, id: 99999999-8888-7777-6666-555555555555}\n"
    "  - {name: General, priority: 10}\n"
    "  - {name: Confidential, priority: 20, kinds: [{kind: test-token}]}\n"
    "  - {name: Personal, priority: 15, kinds: [{kind: test-number}, {kind: 'test-t*'}]}\n"
    "data_policies:\n"
    "  - {name: contractors, who: [{end_user: 'ext-*'}, {application: helpdesk, tenant: t-9}], kinds: [{kind: test-token}], "
    "prompt: block, response: cut}\n"
    "  - {name: numbers, who: [{application: shop}], except: [{end_user: boss}], kinds: [{kind: test-number}], prompt: redact, "
    "response: redact}\n"
    "  - {name: phrases, kinds: [{kind: test-phrase}], prompt: detect, response: block, tool_call: redact}\n"
    "policies:\n"
    "  - {name: standard, credential: {prompt: allow, response: detect}}\n"
    "  - {name: strict, credential: {prompt: block, response: block}}\n";

static struct config *config;

static struct talk ask(const char *deployment, struct str body, const char *answer)
{
  struct talk t = {.deployment = deployment, .body = body, .up = str_of(answer)};
  rig_run(&t);
  return t;
}

#define FROM(user, app, tenant, text)                                                                                            \
  STR("{\"model\":\"m\",\"user_security_context\":{\"end_user_id\":\"" user "\",\"application_name\":\"" app                     \
      "\",\"end_user_tenant_id\":\"" tenant "\"},\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]}")

/* ---- for whom --------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  struct str body;
  const char *policy; /* NULL: passes */
} people[] = {
    {"whom a pattern describes", FROM("ext-7", "a", "t", "my key is " KEY), "contractors"},
    {"in any case", FROM("EXT-7", "a", "t", "my key is " KEY), "contractors"},
    {"somebody else", FROM("int-7", "a", "t", "my key is " KEY), NULL},
    {"one whose name only holds it", FROM("next-7", "a", "t", "my key is " KEY), NULL},
    {"application and tenant together", FROM("x", "helpdesk", "t-9", "my key is " KEY), "contractors"},
    {"the application of another tenant", FROM("x", "helpdesk", "t-8", "my key is " KEY), NULL},
    {"nobody in particular", FROM("", "", "", "my key is " KEY), NULL},
    {"another kind", FROM("ext-7", "a", "t", "my number is " NUMBER), NULL},
};

static void for_whom(void)
{
  for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
    CASE_BEGIN();
    struct talk t = ask("m", people[i].body, ANSWER("hello"));
    const struct record_finding *f = rig_finding(&t, "test-token");
    CHECK_INT(exchange_status(t.x), people[i].policy ? 400 : 200);
    if (people[i].policy) {
      CHECK(f && str_eq(f->policy, str_of(people[i].policy)) && str_eq(f->action, STR("block")));
      CHECK(rig_has(OUT(&t), "content_filter"));
    } else {
      CHECK(!f);
    }
    CHECK(!rig_has(LINE(&t), KEY_BODY));
    rig_end(&t);
    CASE_END("a policy about data holds for: %s%s", people[i].name, people[i].policy ? "" : ": no");
  }
}

static void headers_say_it_too(void)
{
  struct talk t = {.deployment = "m", .body = STR(USER("my key is " KEY)), .end_user = "ext-1", .up = STR(ANSWER("hi"))};
  rig_run(&t);
  CHECK_INT(exchange_status(t.x), 400);
  rig_end(&t);
  struct talk u = {
      .deployment = "m", .body = FROM("int-1", "a", "t", "my key is " KEY), .end_user = "ext-1", .up = STR(ANSWER("hi"))};
  rig_run(&u);
  CHECK_INT(exchange_status(u.x), 200); /* as for the record: what the body says counts before a header */
  rig_end(&u);
}

static void except_is_let_out(void)
{
  struct talk t = ask("m", FROM("clerk", "shop", "t", "number " NUMBER), ANSWER("ok"));
  CHECK(t.changed && rig_has(t.forwarded, "[REDACTED:test-number]") && !rig_has(t.forwarded, NUMBER));
  CHECK(t.record.verdict == RECORD_VERDICT_REDACTED);
  CHECK(rig_finding(&t, "test-number") && str_eq(rig_finding(&t, "test-number")->policy, STR("numbers")));
  rig_end(&t);
  struct talk u = ask("m", FROM("Boss", "shop", "t", "number " NUMBER), ANSWER("ok"));
  CHECK(rig_has(u.forwarded, NUMBER) && !rig_finding(&u, "test-number"));
  rig_end(&u);
}

static void the_stricter_of_both_counts(void)
{
  struct talk t = ask("strict", FROM("ext-7", "a", "t", "my key is " KEY), ANSWER("hello"));
  const struct record_finding *f = rig_finding(&t, "test-token");
  CHECK_INT(exchange_status(t.x), 400);
  CHECK(f && !f->policy.n); /* the deployment's own policy says block already */
  rig_end(&t);
  struct talk u = ask("strict", FROM("x", "a", "t", "hello"), ANSWER("key " KEY));
  CHECK(u.record.verdict == RECORD_VERDICT_BLOCKED && !rig_finding(&u, "test-token")->policy.n);
  rig_end(&u);
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static void answers(void)
{
  struct talk t = ask("m", FROM("ext-7", "a", "t", "hi"), ANSWER("the key is " KEY " and more"));
  CHECK(!rig_has(OUT(&t), KEY_BODY) && rig_has(OUT(&t), "content_filter"));
  CHECK(t.record.verdict == RECORD_VERDICT_CUT && str_eq(rig_finding(&t, "test-token")->policy, STR("contractors")));
  rig_end(&t);
  struct talk u = ask("m", FROM("int-7", "a", "t", "hi"), ANSWER("the key is " KEY " and more"));
  CHECK(rig_has(OUT(&u), KEY) && u.record.verdict == RECORD_VERDICT_DETECTED && !rig_finding(&u, "test-token")->policy.n);
  rig_end(&u);
  struct talk v = ask("m", FROM("x", "shop", "t", "hi"), ANSWER("number " NUMBER " and more"));
  CHECK(!rig_has(OUT(&v), NUMBER) && rig_has(OUT(&v), "[REDACTED:test-number] and more") &&
        v.record.verdict == RECORD_VERDICT_REDACTED);
  rig_end(&v);
  struct talk w = ask("m", FROM("", "", "", "hi"), ANSWER("he will say<two words and more> now"));
  CHECK(!rig_has(OUT(&w), "two words") && w.record.verdict == RECORD_VERDICT_BLOCKED);
  CHECK(str_eq(rig_finding(&w, "test-phrase")->policy, STR("phrases")));
  rig_end(&w);
}

static struct talk stream(const char *user, uint64_t cuts, size_t cut_at, const char *events)
{
  char body[256];
  snprintf(body, sizeof body,
           "{\"stream\":true,\"user_security_context\":{\"end_user_id\":\"%s\",\"application_name\":\"shop\"},"
           "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
           user);
  struct talk t = {.deployment = "m",
                   .body = str_of(body),
                   .up_type = "text/event-stream",
                   .up = str_of(events),
                   .cuts = cuts,
                   .cut_at = cut_at};
  rig_run(&t);
  return t;
}

/* What the client reads: the contents of all deltas. */
static void said(const struct talk *t, struct buf *out)
{
  static const struct str mark = {"\"content\":\"", 11};
  struct str rest = OUT(t);
  for (size_t at; (at = str_find(rest, mark)) != (size_t)-1;) {
    rest = str_cut(rest, at + mark.n, rest.n);
    const char *end = memchr(rest.p, '"', rest.n);
    buf_put(out, str_cut(rest, 0, end ? (size_t)(end - rest.p) : rest.n));
  }
}

static void streams(const char *user, const char *events, const char *want, enum record_verdict verdict, const char *rule,
                    const char *policy)
{
  size_t n = strlen(events);
  for (size_t i = 0; i <= n + 20; i++) {
    struct talk t = i <= n ? stream(user, 2, i, events) : stream(user, i - n, 0, events);
    struct buf b = {0};
    said(&t, &b);
    CHECK_STR(b.n ? buf_str(&b) : STR(""), want);
    CHECK(t.record.verdict == verdict);
    const struct record_finding *f = rig_finding(&t, rule);
    CHECK(f && str_eq(f->policy, str_of(policy)));
    buf_finish(&b);
    rig_end(&t);
  }
}

static void streams_however_they_are_cut(void)
{
  streams("clerk", SAY("The number is p") SAY("n:582") SAY("03164 and") SAY(" that is all") STOP DONE,
          "The number is [REDACTED:test-number] and that is all", RECORD_VERDICT_REDACTED, "test-number", "numbers");
  streams("ext-2", SAY("The key is to") SAY("k_q8Zr4Lw1Xv7N") SAY("p2Kd9Jb3 and") SAY(" that is all") STOP DONE, "The key is ",
          RECORD_VERDICT_CUT, "test-token", "contractors");
}

/* ---- labels ----------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name, *deployment, *text, *answer, *said, *upstream;
  const char *label; /* "": none */
  unsigned priority;
} labels[] = {
    {"nothing says one", "m", "hi", "hello", NULL, NULL, "", 0},
    {"the deployment", "finance", "hi", "hello", NULL, NULL, "General", 10},
    {"a kind that is found", "m", "hi", "the key is " KEY, NULL, NULL, "Confidential", 20},
    {"... raises that of the deployment", "finance", "hi", "the key is " KEY, NULL, NULL, "Confidential", 20},
    {"... though a label of its own is lower", "m", "hi", "the number is " NUMBER, NULL, NULL, "Personal", 15},
    {"the client", "m", "hi", "hello", "Secret", NULL, "Secret", 30},
    {"... by its id", "m", "hi", "hello", "99999999-8888-7777-6666-555555555555", NULL, "Secret", 30},
    {"... in any case", "m", "hi", "hello", "sEcReT", NULL, "Secret", 30},
    {"... lower than what is found", "m", "hi", "the key is " KEY, "General", NULL, "Confidential", 20},
    {"... one that there is not", "finance", "hi", "hello", "Top Secret", NULL, "General", 10},
    {"the upstream", "m", "hi", "hello", NULL, "Confidential", "Confidential", 20},
    {"... higher than the client", "m", "hi", "hello", "General", "Secret", "Secret", 30},
    {"... lower than the client", "m", "hi", "hello", "Secret", "General", "Secret", 30},
    {"a kind that the policy does not look for", "m", "my key is " KEY, "hello", NULL, NULL, "", 0},
};

static void the_highest_label_counts(void)
{
  char body[256], answer[512];
  for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
    CASE_BEGIN();
    snprintf(body, sizeof body, USER("%s"), labels[i].text);
    snprintf(answer, sizeof answer, ANSWER("%s"), labels[i].answer);
    struct talk t = {.deployment = labels[i].deployment,
                     .body = str_of(body),
                     .up = str_of(answer),
                     .label = labels[i].said,
                     .up_label = labels[i].upstream};
    rig_run(&t);
    CHECK_STR(t.record.label.n ? t.record.label : STR(""), labels[i].label);
    CHECK_INT(t.record.label_priority, labels[i].priority);
    rig_end(&t);
    CASE_END("label: %s", labels[i].name);
  }
}

static void a_blocked_request_has_its_label(void)
{
  struct talk t = ask("m", FROM("ext-7", "a", "t", "my key is " KEY), ANSWER("hello"));
  CHECK_STR(t.record.label, "Confidential");
  rig_end(&t);
}

int main(void)
{
  struct vdt_error err = {0};
  rig_load();
  int rc = config_parse(str_of(yaml), "data", &config, &err);
  if (!rc) rc = load_data(config, rig_engine, &err);
  if (rc) return printf("Bail out! %s:%u: %s\n", err.file, err.line, err.text), 1;
  rig_image.config = config;
  for_whom();
  RUN(headers_say_it_too);
  RUN(except_is_let_out);
  RUN(the_stricter_of_both_counts);
  RUN(answers);
  RUN(streams_however_they_are_cut);
  the_highest_label_counts();
  RUN(a_blocked_request_has_its_label);
  config_free(config);
  rig_unload();
  return test_end();
}
