/* From records to alerts: which, how many, by whom, and when a repeat is a repeat. */
#include "../record/sample.h"
#include "../test.h"
#include "analyse/alert.h"

static struct vdt_arena *arena;
static struct alert out[ALERT_TYPES];
static size_t n;
static const struct alert_place place = {STR("weu"), STR("westeurope"), {0}, {0}};

static struct record_finding finding(const char *type, const char *detector, const char *action)
{
  return (struct record_finding){.direction = STR("request"),
                                 .role = STR("prompt"),
                                 .part = STR("messages[0]"),
                                 .detector = str_of(detector),
                                 .rule = STR("a-rule"),
                                 .alert = str_of(type),
                                 .severity = STR("Medium"),
                                 .action = str_of(action),
                                 .source = STR("vedette"),
                                 .confidence = 70};
}

static bool agent;

static void events(struct record_finding *f, size_t count, enum record_verdict verdict)
{
  struct record r = sample_full();
  r.agent = agent;
  r.findings = f;
  r.n_findings = count;
  r.verdict = verdict;
  CHECK_INT(alert_events(&r, &place, 1, arena, out, &n), VDT_OK);
}

static void clean_record_raises_nothing(void)
{
  struct record_finding f[] = {finding("", "credential", "detect"),
                               finding("AI.Azure_CredentialTheftAttempt", "credential", "allow"),
                               finding("AI.Azure_NoSuchAlert", "credential", "detect")};
  events(f, 3, RECORD_VERDICT_ALLOW);
  CHECK_INT(n, 0);
}

/* Titles may have a comma, and one may begin as another does. */
static void what_was_found_is_said_once(void)
{
  struct record_finding f[5];
  static const struct str titles[] = {STR("Jailbreak, by the model"), STR("Jailbreak, by the model"), STR("Jailbreak"),
                                      STR("by the"), STR("Jailbreak, by the model")};
  for (size_t i = 0; i < 5; i++) {
    f[i] = finding("AI.Azure_CredentialTheftAttempt", "credential", "detect");
    f[i].title = titles[i];
  }
  events(f, 5, RECORD_VERDICT_ALLOW);
  CHECK_INT(n, 1);
  CHECK_STR(out[0].x.found, "Jailbreak, by the model, by the");
}

static void all_findings_of_a_type_are_one_alert(void)
{
  struct record_finding f[] = {finding("AI.Azure_CredentialTheftAttempt", "credential", "redact"),
                               finding("AI.Azure_DataLeakInModelResponse.Sensitive", "sensitive", "detect"),
                               finding("AI.Azure_CredentialTheftAttempt", "credential", "detect")};
  f[2].rule = STR("another");
  f[2].confidence = 95;
  events(f, 3, RECORD_VERDICT_REDACTED);
  CHECK_INT(n, 2);
  CHECK_INT(out[0].type, ALERT_CREDENTIAL_THEFT);
  CHECK_INT(out[0].n_evidence, 2);
  CHECK_INT(out[0].confidence, 95);
  CHECK_STR(out[0].x.rules, "a-rule, another");
  CHECK_STR(out[0].x.action, "redact, detect");
  CHECK_INT(out[0].count, 1);
}

static void jailbreak(const char *action, enum record_verdict verdict, enum alert_type want)
{
  struct record_finding f[] = {finding("AI.Azure_Jailbreak.ContentFiltering.BlockedAttempt", "jailbreak", action),
                               finding("AI.Azure_Jailbreak.ContentFiltering.DetectedAttempt", "indirect", "detect")};
  f[1].source = STR("upstream");
  CASE_BEGIN();
  events(f, 2, verdict);
  CHECK_INT(n, 1);
  CHECK_INT(out[0].type, want);
  CHECK_STR(out[0].x.attack_kind, "direct, indirect");
  CHECK_STR(out[0].x.source, "vedette, upstream");
  CASE_END("jailbreak with action %s and verdict %s", action, record_verdict_name(verdict));
}

static void severity(const char *detector, const char *one, const char *two, enum vdt_severity want)
{
  struct record_finding f[] = {finding("AI.Azure_CredentialTheftAttempt", detector, "redact"),
                               finding("AI.Azure_CredentialTheftAttempt", detector, "redact")};
  CASE_BEGIN();
  f[0].severity = str_of(one);
  f[1].severity = str_of(two);
  events(f, 2, RECORD_VERDICT_REDACTED);
  CHECK_INT(out[0].severity, want);
  CASE_END("findings of %s that are %s and %s make it %s", detector, one, two, vdt_severity_name(want));
}

static void of_agents(const char *type, const char *want)
{
  struct record_finding f[] = {finding(type, "jailbreak", "block")};
  CASE_BEGIN();
  agent = true;
  events(f, 1, RECORD_VERDICT_BLOCKED);
  agent = false;
  CHECK_INT(n, 1);
  CHECK_STR(str_of(alert_info(out[0].type)->type), want);
  CASE_END("%s of an agent is %s", type, want);
}

static void a_signal_is_an_event_of_its_record(void)
{
  struct record r = sample_full();
  struct alert_signal s = {.type = ALERT_WALLET_VOLUME,
                           .detector = STR("behaviour"),
                           .rule = STR("volume"),
                           .title = STR("tokens per hour"),
                           .reason = STR("12 times what this hour usually has"),
                           .confidence = 80};
  r.agent = false;
  n = 0;
  CHECK_INT(alert_signal(&s, &r, &place, 1, arena, out, &n), VDT_OK);
  CHECK_INT(alert_signal(&s, &r, &place, 1, arena, out, &n), VDT_OK);
  CHECK_INT(n, 1);
  CHECK_INT(out[0].type, ALERT_WALLET_VOLUME);
  CHECK_INT(out[0].n_evidence, 2);
  CHECK_STR(out[0].principal, "");
  CHECK_STR(out[0].x.found, "tokens per hour");
  r.agent = true;
  n = 0;
  CHECK_INT(alert_signal(&s, &r, &place, 1, arena, out, &n), VDT_OK);
  CHECK_INT(out[0].type, ALERT_AGENT_WALLET_VOLUME);
  CHECK_STR(out[0].principal, "");
  CHECK_STR(out[0].x.end_user, "");
  s.type = ALERT_WALLET_REPEATS;
  n = 0;
  CHECK_INT(alert_signal(&s, &r, &place, 1, arena, out, &n), VDT_OK);
  CHECK_STR(out[0].principal, "user:u-1");
  CHECK_STR(out[0].x.end_user, "u-1");
}

/* Whoever reads the catalogue finds everything in every row, and no name twice. */
static void the_catalogue_is_complete(void)
{
  for (unsigned t = 0; t < ALERT_TYPES; t++) {
    const struct alert_info *i = alert_info((enum alert_type)t);
    CHECK_INT(alert_type_find(str_of(i->type)), t);
    CHECK(i->title[0] && i->description[0] && i->remediation[0] && i->column[0]);
    CHECK(t == ALERT_INCIDENT || (i->stage && i->tactics[0] && i->atlas[0] && i->owasp[0]));
    CHECK(i->agent == ALERT_TYPES || strstr(alert_info(i->agent)->type, "Agentic"));
    CHECK(i->agent == ALERT_TYPES || alert_info(i->agent)->agent == ALERT_TYPES);
  }
  CHECK_INT(alert_variant(ALERT_WALLET_REPEATS, true), ALERT_WALLET_REPEATS);
}

static void names_have_azures_form_and_depend_on_the_record_only(void)
{
  struct record_finding f[] = {finding("AI.Azure_CredentialTheftAttempt", "credential", "redact")};
  events(f, 1, RECORD_VERDICT_REDACTED);
  char first[ALERT_NAME_LEN + 1];
  memcpy(first, out[0].name, sizeof first);
  events(f, 1, RECORD_VERDICT_REDACTED);
  CHECK(memcmp(first, out[0].name, sizeof first) == 0);
  CHECK(first[19] == '_' && first[28] == '-' && first[33] == '-' && first[38] == '-' && first[43] == '-' && !first[56]);
  CHECK_STR(str_cut(str_of(first), 0, 19), "2516382152248765439");
  f[0] = finding("AI.Azure_DataLeakInModelResponse.Sensitive", "sensitive", "redact");
  events(f, 1, RECORD_VERDICT_REDACTED);
  CHECK(memcmp(first, out[0].name, 20) == 0 && memcmp(first + 20, out[0].name + 20, 36) != 0);
}

static void place_and_principal(void)
{
  struct record_finding f = finding("AI.Azure_CredentialTheftAttempt", "credential", "redact");
  struct record r = sample_full();
  r.findings = &f;
  r.n_findings = 1;
  CHECK_INT(alert_events(&r, &place, 1, arena, out, &n), VDT_OK);
  CHECK_STR(out[0].subscription, "11111111-2222-3333-4444-555555555555");
  CHECK_STR(out[0].resource_group, "rg-ai");
  CHECK_STR(out[0].principal, "user:u-1");
  r.end_user = r.resource_id = (struct str){0};
  CHECK_INT(alert_events(&r, &place, 1, arena, out, &n), VDT_OK);
  CHECK_STR(out[0].subscription, "00000000-0000-0000-0000-000000000000");
  CHECK_STR(out[0].resource_group, "vedette");
  CHECK_STR(out[0].principal, "key:0123456789abcdef");
  r.key_id = (struct str){0};
  CHECK_INT(alert_events(&r, &place, 1, arena, out, &n), VDT_OK);
  CHECK_STR(out[0].principal, "ip:198.51.100.2");
}

static void takes(const char *what, uint64_t time, enum alert_status status, bool want)
{
  struct alert a = {.start_us = 10000, .end_us = 20000, .status = status};
  CASE_BEGIN();
  CHECK_INT(alert_takes(&a, time, 1000), want);
  CASE_END("%s alert %s an event %s", alert_status_name(status), want ? "takes" : "does not take", what);
}

static void window(void)
{
  takes("one below the window's end", 20999, ALERT_ACTIVE, true);
  takes("at the window's end", 21000, ALERT_ACTIVE, true);
  takes("one above the window's end", 21001, ALERT_ACTIVE, false);
  takes("one above the window before", 9000, ALERT_ACTIVE, true);
  takes("too long before", 8999, ALERT_ACTIVE, false);
  takes("in between", 15000, ALERT_IN_PROGRESS, true);
  takes("in between", 15000, ALERT_RESOLVED, false);
  takes("in between", 15000, ALERT_DISMISSED, false);
}

static void repeats_extend(void)
{
  struct alert a = {.start_us = 100, .end_us = 100, .count = 1, .evidence_total = 19, .confidence = 50};
  struct alert e = {
      .start_us = 200, .end_us = 200, .count = 1, .evidence_total = 3, .n_evidence = 3, .confidence = 60, .severity = VDT_HIGH};
  size_t room;
  a.x.rules = STR("one, two");
  a.x.first_interaction = a.x.last_interaction = STR("first");
  e.x.rules = STR("two, three");
  e.x.first_interaction = e.x.last_interaction = STR("second");
  CHECK_INT(alert_extend(&a, &e, arena, &room), VDT_OK);
  CHECK_INT(room, 1);
  CHECK_INT(a.evidence_total, 22);
  CHECK_INT(a.count, 2);
  CHECK_INT(a.end_us, 200);
  CHECK_INT(a.confidence, 60);
  CHECK_INT(a.severity, VDT_HIGH);
  CHECK_STR(a.x.rules, "one, two, three");
  CHECK_STR(a.x.first_interaction, "first");
  CHECK_STR(a.x.last_interaction, "second");
  e.start_us = e.end_us = 50;
  e.x.first_interaction = e.x.last_interaction = STR("late");
  CHECK_INT(alert_extend(&a, &e, arena, &room), VDT_OK);
  CHECK_INT(room, 0);
  CHECK_INT(a.start_us, 50);
  CHECK_INT(a.end_us, 200);
  CHECK_STR(a.x.first_interaction, "late");
  CHECK_STR(a.x.last_interaction, "second");
}

int main(void)
{
  arena = vdt_arena_new(0);
  RUN(clean_record_raises_nothing);
  RUN(what_was_found_is_said_once);
  RUN(all_findings_of_a_type_are_one_alert);
  jailbreak("block", RECORD_VERDICT_BLOCKED, ALERT_JAILBREAK_BLOCKED);
  jailbreak("detect", RECORD_VERDICT_DETECTED, ALERT_JAILBREAK_DETECTED);
  jailbreak("block", RECORD_VERDICT_DETECTED, ALERT_JAILBREAK_DETECTED);
  jailbreak("detect", RECORD_VERDICT_BLOCKED, ALERT_JAILBREAK_DETECTED);
  severity("credential", "Low", "Low", VDT_LOW);
  severity("credential", "Low", "High", VDT_HIGH);
  severity("credential", "High", "Informational", VDT_HIGH);
  severity("sensitive", "Low", "Medium", VDT_MEDIUM);
  severity("other", "High", "High", VDT_MEDIUM);
  severity("credential", "grave", "", VDT_MEDIUM);
  of_agents("AI.Azure_Jailbreak.ContentFiltering.DetectedAttempt", "Azure_Agentic_BlockedJailbreak");
  of_agents("AI.Azure_ASCIISmuggling", "AI.Azure_Agentic_ASCIISmuggling");
  of_agents("AI.Azure_CredentialTheftAttempt", "AI.Azure_CredentialTheftAttempt");
  RUN(a_signal_is_an_event_of_its_record);
  RUN(the_catalogue_is_complete);
  RUN(names_have_azures_form_and_depend_on_the_record_only);
  RUN(place_and_principal);
  window();
  RUN(repeats_extend);
  vdt_arena_free(arena);
  return test_end();
}
