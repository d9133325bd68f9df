/*
 * Identifiers: where a number begins and ends, how near its name has to be, what speaks against it, how sure a finding is, and that a checksum
 * is one. Every text here is also streamed, cut in small pieces, and must give the same findings.
 */
#include "detect/number.h"
#include "rig.h"

static struct vdt_arena *arena;

/* Whole, and in pieces of which no masked byte may leave. */
static struct vdt_result scan(struct str text)
{
  struct vdt_policy policy = rig_policy(VDT_REDACT);
  struct vdt_result r;
  policy.credential = (struct vdt_leak_policy){0};
  policy.sensitive.minimum_confidence = 10;
  vdt_arena_reset(arena);
  if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r)) abort();
  for (size_t step = 1; step < 12 && text.n < 4096; step += 5) {
    struct buf out = {0};
    CHECK_INT(rig_streamed(&policy, arena, text, step, &out), r.n_findings);
    for (size_t i = 0; i < r.n_findings; i++)
      CHECK(str_find(buf_str(&out), str_cut(text, r.findings[i].start, r.findings[i].end)) == (size_t)-1);
    buf_finish(&out);
  }
  return r;
}

static const struct vdt_finding *only(const char *text)
{
  static const struct vdt_finding none = {.rule = "nothing", .type = ""};
  struct vdt_result r = scan(str_of(text));
  return r.n_findings == 1 ? &r.findings[0] : &none;
}

/* ---- where a number begins and ends -------------------------------------------------------------------------------- */

static const struct {
  const char *text, *rule, *number;
  unsigned confidence;
} texts[] = {
    {"nhs number: 4137215901.", "gb-nhs", "4137215901", 85},
    {"NHS (413 721 5901)", "gb-nhs", "413 721 5901", 85},
    {"nhs 413-721-5901, please", "gb-nhs", "413-721-5901", 85},
    {"nhs 413 - 721 - 5901", "gb-nhs", "413 - 721 - 5901", 85},
    {"nhs 413\xE2\x80\x93"
     "721\xE2\x80\x93"
     "5901",
     "gb-nhs",
     "413\xE2\x80\x93"
     "721\xE2\x80\x93"
     "5901",
     85},
    {"nhs 4 1 3 7 2 1 5 9 0 1", "gb-nhs", "4 1 3 7 2 1 5 9 0 1", 85},
    {"nhs 0.4137215901", "nothing", "", 0},
    {"nhs 12-413-721-5901", "nothing", "", 0},
    {"nhs $4137215901", "nothing", "", 0},
    {"nhs /x/4137215901", "nothing", "", 0},
    {"nhs _4137215901", "nothing", "", 0},
    {"nhs x4137215901", "nothing", "", 0},
    {"nhs 4137215901x2", "nothing", "", 0},
    {"nhs 4137215901%", "nothing", "", 0},
    {"nhs 413 721 5901 22", "nothing", "", 0},
    {"nhs 22 413 721 5901", "nothing", "", 0},
    {"nhs 41.37215901", "nothing", "", 0},
    {"nhs 4137215902", "nothing", "", 0},
    {"nhs 413721590", "nothing", "", 0},
    {"nhs 41372159011", "nothing", "", 0},
    {"{\"text\":\"nhs:\\n4137215901\\n\"}", "gb-nhs", "4137215901", 85},
    /* names: fields, headings, before and after, in their language */
    {"{\"patient_nhs_number\": \"4137215901\"}", "gb-nhs", "4137215901", 85},
    {"{\"patientNhsNumber\":4137215901}", "gb-nhs", "4137215901", 85},
    {"name,nhs,town\nAnn,4137215901,Leeds", "gb-nhs", "4137215901", 85},
    {"4137215901 is my NHS number", "gb-nhs", "4137215901", 85},
    {"snhs 4137215901", "nothing", "", 0},
    {"nhsx 4137215901", "nothing", "", 0},
    {"\xD0\x95\xD0\x93\xD0\x9D 7523169263", "bg-egn", "7523169263", 85},
    /* the nearest name, and words against */
    {"order number 4137215901", "nothing", "", 0},
    {"NHS patient, order 4137215901", "nothing", "", 0},
    {"order for NHS 4137215901", "gb-nhs", "4137215901", 85},
    {"order\nNHS 4137215901", "gb-nhs", "4137215901", 85},
    {"SIN and BSN 436338750", "nl-bsn", "436338750", 85},
    /* how sure */
    {"GB33 BUKB 2020 7145 5193 76", "iban", "GB33 BUKB 2020 7145 5193 76", 85},
    {"NO 9386011117947", "iban", "NO 9386011117947", 85},
    {"NO 93 8601 1117 947", "iban", "NO 93 8601 1117 947", 85},
    {"NO 938 6011117947", "nothing", "", 0},
    {"iban GB33BUKB20207145519376", "iban", "GB33BUKB20207145519376", 95},
    {"4539578763621486", "payment-card", "4539578763621486", 65},
    {"4539 5787 6362 1486", "payment-card", "4539 5787 6362 1486", 75},
    {"visa 4539578763621486", "payment-card", "4539578763621486", 85},
    {"visa 4111111111111111", "payment-card", "4111111111111111", 30},
    {"1234567890 nhs", "nothing", "", 0},
    {"passport number 123456789", "us-passport", "123456789", 20},
    {"536-22-8714", "us-ssn", "536-22-8714", 65},
    {"ssn 536228714", "us-ssn-plain", "536228714", 75},
    {"ssn 5362-28714", "nothing", "", 0},
    {"AHV 756.1394.4117.71", "ch-ahv", "756.1394.4117.71", 85},
    {"756.1394.4117.71", "ch-ahv", "756.1394.4117.71", 75},
    {"HKID A123456(3)", "hk-id", "A123456(3)", 85},
    {"HKID A123456(4)", "nothing", "", 0},
    {"nino: AB 12 74 56 C", "gb-nino", "AB 12 74 56 C", 75},
    {"codice fiscale RSS MRA 85T10 A562S", "it-cf", "RSS MRA 85T10 A562S", 95},
    {"dni 87654321x", "es-dni", "87654321x", 85},
};

static void each_text(size_t i)
{
  CASE_BEGIN();
  const struct vdt_finding *f = only(texts[i].text);
  CHECK_STR(str_of(f->rule), texts[i].rule);
  if (*texts[i].number) {
    CHECK_STR(str_cut(str_of(texts[i].text), f->start, f->end), texts[i].number);
    CHECK_INT(f->confidence, texts[i].confidence);
  }
  CASE_END("%.*s: %s", (int)strcspn(texts[i].text, "\n\\"), texts[i].text, texts[i].rule);
}

/* ---- limits --------------------------------------------------------------------------------------------------------- */

/* A name, so many bytes, a number; or the other way round. */
static bool found_at(const char *name, unsigned distance, const char *number, bool after)
{
  static char text[1024];
  char gap[512];
  memset(gap, '.', sizeof gap);
  gap[0] = gap[distance - 1] = ' ';
  snprintf(text, sizeof text, "%s%.*s%s", after ? number : name, (int)distance, gap, after ? name : number);
  return strcmp(only(text)->rule, "nothing") != 0;
}

static void names_count_within_300_bytes(void)
{
  CHECK(found_at("nhs number", 299, "4137215901", false));
  CHECK(found_at("nhs number", 300, "4137215901", false));
  CHECK(!found_at("nhs number", 301, "4137215901", false));
  CHECK(found_at("pesel", 295, "84051737887", true));  /* it ends within 300 bytes */
  CHECK(!found_at("pesel", 296, "84051737887", true)); /* and here behind them */
  CHECK(found_at("us passport", 59, "912803456", false));
  CHECK(found_at("us passport", 60, "912803456", false));
  CHECK(!found_at("us passport", 61, "912803456", false));
}

static void most_and_fewest_characters(void)
{
  CHECK_STR(str_of(only("nhi ZAC5361")->rule), "nz-nhi");
  CHECK_STR(str_of(only("sedol 026349")->rule), "nothing");
  struct identifier const *iban = identifier_find(STR("iban"));
  CHECK(identifier_lengths(iban) >> 34 & 1);
  CHECK(!(identifier_lengths(iban) >> 35 & 1));
  CHECK(!(identifier_lengths(iban) >> 14 & 1));
  CHECK(identifier_lengths(iban) >> 15 & 1);
  CHECK(identifier_find(STR("no-such")) == NULL);
}

/* Rows of a table are named by the first, and many records are worse than one. */
static void lists_are_of_one_kind(void)
{
  struct buf text = {0};
  buf_put(&text, STR("id,nhs_number\n"));
  for (unsigned i = 0; i < 120; i++) buf_printf(&text, "%u,413 721 5901\n", i + 1000);
  struct vdt_result r = scan(buf_str(&text));
  CHECK_INT(r.n_findings, 120);
  for (size_t i = 0; i < r.n_findings; i++) {
    CHECK_INT(r.findings[i].confidence, 85);
    CHECK_INT(r.findings[i].severity, i < 9 ? VDT_MEDIUM : VDT_HIGH);
  }
  buf_finish(&text);
}

static void a_gap_ends_a_list(void)
{
  struct buf text = {0};
  buf_put(&text, STR("nhs 4137215901 "));
  for (unsigned i = 0; i < 300; i++) buf_byte(&text, '.');
  buf_put(&text, STR(" 9434765919"));
  CHECK_INT(scan(buf_str(&text)).n_findings, 1);
  buf_finish(&text);
}

static void the_type_is_named(void)
{
  const struct vdt_finding *f = only("nhs number: 4137215901");
  CHECK_STR(str_of(f->type), "U.K. national health service number");
  CHECK_STR(str_of(f->type_id), "3192014e-2a16-44e9-aa69-4b20375c9a78");
  CHECK(only("vin 1HGCM82633A004352")->type == NULL);
}

/* ---- checksums ------------------------------------------------------------------------------------------------------ */

static size_t compact(struct str text, char out[64])
{
  size_t n = 0;
  for (size_t i = 0; i < text.n && n < 63; i++) {
    char c = text.p[i];
    if (c >= 'a' && c <= 'z') c -= 32;
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) out[n++] = c;
  }
  return n;
}

/* Of all numbers that differ from it in one digit hardly any passes. */
static void a_changed_digit_is_seen(const struct rule *r)
{
  char s[64];
  struct vdt_result found = scan(r->match[0]);
  const struct identifier *id = identifier_find(r->variant);
  unsigned changed = 0, passed = 0;
  if (found.n_findings != 1) return;
  size_t n = compact(str_cut(r->match[0], found.findings[0].start, found.findings[0].end), s);
  CASE_BEGIN();
  CHECK(identifier_holds(id, (struct str){s, n}));
  for (size_t i = 0; i < n; i++)
    for (char c = '0', old = s[i]; old <= '9' && c <= '9'; c++) {
      s[i] = c;
      changed += c != old;
      passed += c != old && identifier_holds(id, (struct str){s, n});
      s[i] = old;
    }
  CHECK(passed * 2 < changed); /* some check no more than half of their digits */
  CASE_END("%s: %u of %u numbers with another digit pass", r->id, passed, changed);
}

/* A rule of a user's own: behind its gate alone. */
static void behind_a_gate(void)
{
  static const char own[] =
      "rules:\n  - id: staff\n    detector: sensitive\n    title: t\n    gate: [\"STAFF#\"]\n    check: identifier\n"
      "    variant: gb-nhs\n    examples: {match: [x]}\n";
  struct vdt_source file = {"own.yaml", own, sizeof own - 1};
  struct vdt_engine *shipped = rig_engine;
  struct vdt_scanner *scanner = rig_scanner;
  struct vdt_error err;
  CHECK_INT(vdt_engine_new(&file, 1, &rig_engine, &err), VDT_OK);
  CHECK_INT(vdt_scanner_new(rig_engine, &rig_scanner), VDT_OK);
  CHECK_STR(str_of(only("STAFF# is 413 721 5901 here")->rule), "staff");
  CHECK_STR(str_of(only("STAFF# is 413 721 5902 here")->rule), "nothing");
  CHECK_STR(str_of(only("413 721 5901 STAFF#")->rule), "nothing");
  CHECK_STR(str_of(only("STAFF#\n413 721 5901")->rule), "nothing");
  vdt_scanner_free(rig_scanner); /* the rest of the rig is still needed */
  vdt_engine_free(rig_engine);
  rig_engine = shipped;
  rig_scanner = scanner;
}

static void a_variant_that_is_none(void)
{
  static const char own[] =
      "rules:\n  - id: staff\n    detector: sensitive\n    title: t\n    gate: [\"STAFF#\"]\n    check: identifier\n"
      "    variant: no-such\n    examples: {match: [x]}\n";
  struct vdt_source file = {"own.yaml", own, sizeof own - 1};
  struct vdt_engine *engine;
  struct vdt_error err = {0};
  CHECK_INT(vdt_engine_new(&file, 1, &engine, &err), VDT_ERULE);
  CHECK_INT(err.line, 2);
  CHECK(str_find(str_of(err.text), STR("no identifier \"no-such\"")) != (size_t)-1);
}

int main(void)
{
  rig_load();
  arena = vdt_arena_new(0);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) each_text(i);
  RUN(names_count_within_300_bytes);
  RUN(most_and_fewest_characters);
  RUN(lists_are_of_one_kind);
  RUN(a_gap_ends_a_list);
  RUN(the_type_is_named);
  RUN(behind_a_gate);
  RUN(a_variant_that_is_none);
  for (unsigned i = 0; i < rig_engine->rules.n; i++) {
    const struct rule *r = &rig_engine->rules.rules[i];
    if (rule_is_number(r) && identifier_has_sum(identifier_find(r->variant))) a_changed_digit_is_seen(r);
  }
  vdt_arena_free(arena);
  rig_unload();
  return test_end();
}
