/* Suppression rules and incidents: which scopes are refused, what a rule matches, which alerts make a chain. */
#include "../test.h"
#include "analyse/incident.h"
#include "analyse/suppress.h"

static struct vdt_arena *arena;

static struct alert event(void)
{
  struct alert a = {.type = ALERT_SUSPICIOUS_IP, .severity = VDT_HIGH, .subscription = STR("SUB-1")};
  a.x.client_ip = STR("198.51.100.2");
  a.x.user_agent = STR("Scanner/1.0");
  a.x.deployment = STR("gpt-4o");
  a.x.rules = STR("one, two, three");
  return a;
}

static struct suppress_rule rule(const char *scope)
{
  return (struct suppress_rule){
      .subscription = STR("sub-1"), .name = STR("r1"), .alert_type = STR("*"), .enabled = true, .scope = str_of(scope)};
}

static void scope(const char *text, int want)
{
  struct suppress_rule r = rule(text);
  struct vdt_error err = {0};
  CASE_BEGIN();
  CHECK_INT(suppress_compile(arena, &r, &err), want);
  CHECK(want == VDT_OK || err.text[0]);
  CHECK(!strstr(err.text, "canary"));
  CASE_END("scope %.70s is %s", text, want ? "refused" : "taken");
}

static void scopes(void)
{
  scope("", VDT_OK);
  scope("[{\"field\":\"entities.ip.address\",\"in\":[\"198.51.100.2\"]}]", VDT_OK);
  scope(
      "[{\"field\":\"ENTITIES.IP.ADDRESS\",\"contains\":\"198\"},{\"equals\":\"x\",\"field\":\"extendedProperties.userAgent\"}]",
      VDT_OK);
  scope("[]", VDT_EINVAL);
  scope("{}", VDT_EINVAL);
  scope("null", VDT_EINVAL);
  scope("[1]", VDT_EINVAL);
  scope("[{}]", VDT_EINVAL);
  scope("[{\"field\":\"entities.ip.address\"}]", VDT_EINVAL);
  scope("[{\"field\":\"entities.process.canary\",\"contains\":\"x\"}]", VDT_EINVAL);
  scope("[{\"field\":7,\"contains\":\"x\"}]", VDT_EINVAL);
  scope("[{\"field\":\"entities.ip.address\",\"matches\":\"canary\"}]", VDT_EINVAL);
  scope("[{\"field\":\"entities.ip.address\",\"in\":\"canary\"}]", VDT_EINVAL);
  scope("[{\"field\":\"entities.ip.address\",\"in\":[]}]", VDT_EINVAL);
  scope("[{\"field\":\"entities.ip.address\",\"in\":[1]}]", VDT_EINVAL);
  scope("[{\"field\":\"entities.ip.address\",\"contains\":\"\"}]", VDT_EINVAL);
  scope("[{\"field\":\"entities.ip.address\",\"contains\":\"x\",\"in\":[\"y\"]}]", VDT_EINVAL);
  scope("[{\"field\":\"entities.ip.address\",\"contains\":\"x\"}", VDT_EINVAL);
}

/* A list of n elements; with `inside`, one element whose list has n values. */
static void many(size_t n, bool inside, int want)
{
  struct buf b = {0};
  CASE_BEGIN();
  buf_byte(&b, '[');
  if (inside) BUF_LIT(&b, "{\"field\":\"entities.ip.address\",\"in\":[");
  for (size_t i = 0; i < n; i++) {
    if (i) buf_byte(&b, ',');
    buf_put(&b, inside ? STR("\"1\"") : STR("{\"field\":\"entities.ip.address\",\"contains\":\"1\"}"));
  }
  buf_put(&b, inside ? STR("]}]") : STR("]"));
  struct suppress_rule r = rule("");
  r.scope = buf_str(&b);
  CHECK_INT(suppress_compile(arena, &r, NULL), want);
  buf_finish(&b);
  CASE_END("%zu %s are %s", n, inside ? "values" : "elements", want ? "too many" : "not too many");
}

static void values_count_together(void)
{
  struct buf b = {0};
  struct suppress_rule r = rule("");
  for (int more = 0; more < 2; more++) {
    buf_reset(&b);
    BUF_LIT(&b, "[");
    for (int e = 0; e < 2; e++) {
      buf_put(&b, e ? STR(",{\"field\":\"entities.ip.address\",\"in\":[") : STR("{\"field\":\"entities.ip.address\",\"in\":["));
      for (int i = 0; i < 500 + (e && more); i++) buf_put(&b, i ? STR(",\"1\"") : STR("\"1\""));
      BUF_LIT(&b, "]}");
    }
    BUF_LIT(&b, "]");
    r.scope = buf_str(&b);
    CHECK_INT(suppress_compile(arena, &r, NULL), more ? VDT_EINVAL : VDT_OK);
  }
  buf_finish(&b);
}

static void value_of(size_t n, int want)
{
  struct buf b = {0};
  CASE_BEGIN();
  BUF_LIT(&b, "[{\"field\":\"entities.ip.address\",\"contains\":\"");
  for (size_t i = 0; i < n; i++) buf_byte(&b, 'x');
  BUF_LIT(&b, "\"}]");
  struct suppress_rule r = rule("");
  r.scope = buf_str(&b);
  CHECK_INT(suppress_compile(arena, &r, NULL), want);
  buf_finish(&b);
  CASE_END("a value of %zu bytes is %s", n, want ? "too long" : "not too long");
}

static void match(const char *text, bool want)
{
  struct suppress_rule r = rule(text);
  struct alert a = event();
  CASE_BEGIN();
  CHECK_INT(suppress_compile(arena, &r, NULL), VDT_OK);
  CHECK_INT(suppress_matches(&r, &a, 100), want);
  CASE_END("%.80s %s", text, want ? "matches" : "does not match");
}

static void matches(void)
{
  match("", true);
  match("[{\"field\":\"entities.ip.address\",\"in\":[\"203.0.113.1\",\"198.51.100.2\"]}]", true);
  match("[{\"field\":\"entities.ip.address\",\"in\":[\"198.51.100.20\"]}]", false);
  match("[{\"field\":\"entities.ip.address\",\"equals\":\"198.51.100\"}]", false);
  match("[{\"field\":\"entities.ip.address\",\"contains\":\"51.100\"}]", true);
  match("[{\"field\":\"extendedProperties.useragent\",\"contains\":\"SCANNER\"}]", true);
  match("[{\"field\":\"extendedProperties.rules\",\"equals\":\"two\"}]", true);
  match("[{\"field\":\"extendedProperties.rules\",\"equals\":\"tw\"}]", false);
  match("[{\"field\":\"entities.account.name\",\"contains\":\"x\"}]", false);
  match("[{\"field\":\"entities.ip.address\",\"contains\":\"198\"},{\"field\":\"entities.ai-deployment.name\",\"equals\":\"gpt-"
        "4o\"}]",
        true);
  match("[{\"field\":\"entities.ip.address\",\"contains\":\"198\"},{\"field\":\"entities.ai-deployment.name\",\"equals\":"
        "\"other\"}]",
        false);
}

static void type_subscription_state_and_time(void)
{
  struct alert a = event();
  struct suppress_rule r = rule("");
  r.alert_type = STR("ai.azure_accessfromsuspiciousip");
  CHECK(suppress_matches(&r, &a, 100));
  r.alert_type = STR("AI.Azure_ASCIISmuggling");
  CHECK(!suppress_matches(&r, &a, 100));
  r = rule("");
  r.subscription = STR("sub-2");
  CHECK(!suppress_matches(&r, &a, 100));
  r = rule("");
  r.enabled = false;
  CHECK(!suppress_matches(&r, &a, 100));
  CHECK(strcmp(suppress_state(&r, 100), "Disabled") == 0);
  r = rule("");
  r.expires_us = 101;
  CHECK(suppress_matches(&r, &a, 100));
  CHECK(strcmp(suppress_state(&r, 100), "Enabled") == 0);
  CHECK(!suppress_matches(&r, &a, 101));
  CHECK(strcmp(suppress_state(&r, 101), "Expired") == 0);
}

static void names(void)
{
  static const struct {
    const char *name;
    bool ok;
  } rows[] = {{"a", false},
              {"ab", true},
              {"-b", false},
              {"_b", false},
              {"1-_", true},
              {"a b", false},
              {"a/b", false},
              {"a.b", false},
              {"", false},
              {"01234567890123456789012345678901234567890123456789", true},
              {"012345678901234567890123456789012345678901234567890", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) CHECK_INT(suppress_name_ok(str_of(rows[i].name)), rows[i].ok);
}

static struct alert member(enum alert_type type, uint64_t start)
{
  struct alert a = {.type = type,
                    .severity = alert_info(type)->severity,
                    .start_us = start,
                    .end_us = start + 5,
                    .count = 3,
                    .principal = STR("user:u"),
                    .workspace = STR("weu")};
  a.x.first_interaction = STR("00112233445566778899aabbccddeeff");
  return a;
}

static void chain(const char *what, enum alert_type x, enum alert_type y, bool want, enum vdt_severity severity)
{
  struct alert list[] = {member(x, 200), member(y, 100)}, incident;
  CASE_BEGIN();
  CHECK_INT(incident_is_chain(list, 2), want);
  if (want) {
    CHECK_INT(incident_begin(list, 2, 300, arena, &incident), VDT_OK);
    CHECK_INT(incident.severity, severity);
    CHECK_INT(incident.count, 2);
    CHECK_INT(incident.start_us, 100);
    CHECK_INT(incident.end_us, 205);
    CHECK_INT(incident.type, ALERT_INCIDENT);
    CHECK_STR(incident.principal, "user:u");
  }
  CASE_END("%s %s", what, want ? "make a chain" : "make none");
}

static void prevented(const char *action, enum vdt_severity want)
{
  struct alert list[] = {member(ALERT_LLM_RECON, 100), member(ALERT_CREDENTIAL_THEFT, 200)}, incident;
  CASE_BEGIN();
  list[1].x.action = str_of(action);
  CHECK_INT(incident_begin(list, 2, 300, arena, &incident), VDT_OK);
  CHECK_INT(incident.severity, want);
  CASE_END("probing and a leak with action \"%s\" make it %s", action, vdt_severity_name(want));
}

static void an_incident_grows_with_its_alerts(void)
{
  struct alert list[] = {member(ALERT_LLM_RECON, 100), member(ALERT_JAILBREAK_DETECTED, 200)}, incident, again,
               late = member(ALERT_CREDENTIAL_THEFT, 300);
  CHECK_INT(incident_begin(list, 2, 300, arena, &incident), VDT_OK);
  CHECK_INT(incident_begin(list, 2, 999, arena, &again), VDT_OK);
  CHECK(memcmp(incident.name, again.name, ALERT_NAME_LEN) == 0);
  CHECK_INT(incident.severity, VDT_MEDIUM);
  CHECK_INT(incident_join(&incident, &late, arena), VDT_OK);
  CHECK_INT(incident.severity, VDT_HIGH);
  CHECK_INT(incident.count, 3);
  CHECK_INT(incident.end_us, 305);
  CHECK_STR(incident.x.attack_kind, "probe, attack, harm");
}

static void an_incident_follows_repeats(void)
{
  struct alert list[] = {member(ALERT_LLM_RECON, 100), member(ALERT_CREDENTIAL_THEFT, 200)}, incident;
  list[1].x.action = STR("redact");
  CHECK_INT(incident_begin(list, 2, 300, arena, &incident), VDT_OK);
  uint64_t end = incident.end_us;
  CHECK(!incident_follow(&incident, &list[1]));
  list[1].end_us = end + INCIDENT_LAG_US;
  CHECK(!incident_follow(&incident, &list[1]));
  list[1].end_us++;
  CHECK(incident_follow(&incident, &list[1]));
  CHECK_INT(incident.end_us, list[1].end_us);
  CHECK_INT(incident.severity, VDT_MEDIUM);
  list[1].x.action = STR("redact, detect");
  CHECK(incident_follow(&incident, &list[1]));
  CHECK_INT(incident.severity, VDT_HIGH);
  CHECK_INT(incident.count, 2);
}

int main(void)
{
  arena = vdt_arena_new(0);
  scopes();
  many(31, false, VDT_OK);
  many(32, false, VDT_OK);
  many(33, false, VDT_EINVAL);
  many(999, true, VDT_OK);
  many(1000, true, VDT_OK);
  many(1001, true, VDT_EINVAL);
  RUN(values_count_together);
  value_of(1023, VDT_OK);
  value_of(1024, VDT_OK);
  value_of(1025, VDT_EINVAL);
  matches();
  RUN(type_subscription_state_and_time);
  RUN(names);
  chain("probing and an attack", ALERT_LLM_RECON, ALERT_JAILBREAK_BLOCKED, true, VDT_MEDIUM);
  chain("an attack and harm", ALERT_JAILBREAK_DETECTED, ALERT_CREDENTIAL_THEFT, true, VDT_HIGH);
  chain("probing and an attack of high severity", ALERT_LLM_RECON, ALERT_ASCII_SMUGGLING, true, VDT_HIGH);
  chain("two attacks", ALERT_JAILBREAK_DETECTED, ALERT_ASCII_SMUGGLING, false, VDT_LOW);
  chain("two of the same", ALERT_LLM_RECON, ALERT_LLM_RECON, false, VDT_LOW);
  chain("an incident and an attack", ALERT_INCIDENT, ALERT_JAILBREAK_DETECTED, false, VDT_LOW);
  prevented("redact", VDT_MEDIUM);
  prevented("block, cut", VDT_MEDIUM);
  prevented("redact, detect", VDT_HIGH);
  prevented("detect", VDT_HIGH);
  prevented("", VDT_HIGH);
  RUN(an_incident_grows_with_its_alerts);
  RUN(an_incident_follows_repeats);
  vdt_arena_free(arena);
  return test_end();
}
