/*
 * Credentials as the engine reports them: what confirms a finding and how sure it then is, stand-ins and published samples, ids with
 * their secret, names of services and of secrets in many languages, and that no rule's worst input takes more than linear time.
 */
#include "engine/check.h"
#include "rig.h"
#include <time.h>

static struct vdt_result scan(struct vdt_arena *arena, struct str text, unsigned minimum, enum vdt_action action)
{
  struct vdt_policy policy = rig_policy(action);
  struct vdt_result result;
  policy.credential.minimum_confidence = minimum;
  CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &result), VDT_OK);
  return result;
}

static const struct vdt_finding *by_rule(const struct vdt_result *r, const char *rule)
{
  for (size_t i = 0; i < r->n_findings; i++)
    if (strcmp(r->findings[i].rule, rule) == 0) return &r->findings[i];
  return NULL;
}

/* Rules whose examples hold a checksum, or decode. */
static bool is_confirmed(const struct rule *r)
{
  static const char *const variants[] = {"crc", "aws", "gitlab", "macaroon", "base58check", "age", "nostr"};
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
    if (str_find(r->variant, str_of(variants[i])) != (size_t)-1) return true;
  return strcmp(r->id, "wallet-seed-phrase") == 0 || strcmp(r->id, "basic-auth-value") == 0;
}

static void examples_hold_true_checksums(void)
{
  unsigned confirmed = 0;
  for (unsigned i = 0; i < rig_engine->rules.n; i++) {
    const struct rule *r = &rig_engine->rules.rules[i];
    if (r->detector != VDT_DET_CREDENTIAL || !is_confirmed(r)) continue;
    for (unsigned k = 0; k < r->n_match; k++) {
      struct vdt_arena *arena = vdt_arena_new(0);
      struct vdt_result result = scan(arena, r->match[k], 40, VDT_DETECT);
      const struct vdt_finding *f = by_rule(&result, r->id);
      if (!f || !(f->why & (WHY_CHECKSUM | WHY_DECODED)) || f->why & WHY_BAD_CHECKSUM)
        CHECK_STR(r->match[k], "a confirmed example");
      confirmed++;
      vdt_arena_free(arena);
    }
  }
  CHECK(confirmed >= 10);
}

/* The last byte of the finding changed: the checksum is wrong. */
static void wrong_checksums_lower_the_confidence(void)
{
  static const char *const rules[] = {"github-pat", "npm-token", "wallet-extended-key"};
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    for (unsigned k = 0; k < rig_engine->rules.n; k++) {
      const struct rule *r = &rig_engine->rules.rules[k];
      if (strcmp(r->id, rules[i]) != 0) continue;
      struct vdt_arena *arena = vdt_arena_new(0);
      struct vdt_result result = scan(arena, r->match[0], 40, VDT_DETECT);
      const struct vdt_finding *f = by_rule(&result, r->id);
      CHECK(f && f->confidence == 95);
      char *changed = strndup(r->match[0].p, r->match[0].n);
      if (f) changed[f->end - 1] = changed[f->end - 1] == 'a' ? 'b' : 'a';
      result = scan(arena, str_of(changed), 40, VDT_DETECT);
      f = by_rule(&result, r->id);
      CHECK(f && f->confidence == (i < 2 ? 75 : 65) && f->why & WHY_BAD_CHECKSUM);
      free(changed);
      vdt_arena_free(arena);
    }
}

static const struct {
  const char *text;
  unsigned confidence, why;
} stand_ins[] = {
    {"aws key AKIAIOSFODNN7EXAMPLE here", 30, WHY_SAMPLE},
    {"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 30, WHY_SAMPLE},
    {"password: xxxxxxxxxxxx", 20, WHY_PLACEHOLDER},
    {"api_key=<your-api-key>", 20, WHY_PLACEHOLDER},
    {"token: sk-proj-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 20, WHY_PLACEHOLDER},
    {"password = 1234567890abcdef1234567890abcdef", 20, WHY_PLACEHOLDER},
};

static void stand_ins_are_a_class_of_their_own(void)
{
  for (size_t i = 0; i < sizeof stand_ins / sizeof *stand_ins; i++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    struct vdt_result result = scan(arena, str_of(stand_ins[i].text), 20, VDT_DETECT);
    bool found = false;
    for (size_t k = 0; k < result.n_findings; k++)
      found |= result.findings[k].confidence == stand_ins[i].confidence && result.findings[k].why & stand_ins[i].why;
    if (!found) CHECK_STR(str_of(stand_ins[i].text), "a stand-in");
    result = scan(arena, str_of(stand_ins[i].text), stand_ins[i].confidence + 1, VDT_DETECT);
    if (result.n_findings) CHECK_STR(str_of(stand_ins[i].text), "nothing sure");
    vdt_arena_free(arena);
  }
}

static void an_id_and_its_secret_are_one_finding(void)
{
  const char *text = "AWS_ACCESS_KEY_ID=AKIAJ4NB2ZQWK7TXC3VM\nAWS_SECRET_ACCESS_KEY=P2ir2vs1tqdk6HRzHhm34chrzoTNI+BXqYWA/HR9\n";
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result result = scan(arena, str_of(text), 75, VDT_REDACT);
  CHECK_INT(result.n_findings, 1);
  CHECK(result.n_findings && strcmp(result.findings[0].rule, "aws-key-pair") == 0 && result.findings[0].confidence == 95);
  CHECK_INT(result.n_masks, 2); /* the id is masked too */
  result = scan(arena, STR("AWS_ACCESS_KEY_ID=AKIAJ4NB2ZQWK7TXC3VM and nothing else"), 75, VDT_REDACT);
  CHECK(result.n_findings == 1 && strcmp(result.findings[0].rule, "aws-access-key") == 0);
  vdt_arena_free(arena);
}

static const struct {
  const char *text, *secret; /* "": clean */
} cases[] = {
    /* services */
    {"calendarific: 9f3b1c77ad0e45628d1f7c3ba9e04d21", "9f3b1c77ad0e45628d1f7c3ba9e04d21"},
    {"[INFO] calls finnhub\n[DEBUG] Using token c8rq2ad9k3lz0w7fn1xg", "c8rq2ad9k3lz0w7fn1xg"},
    {"GeoapifyClient(\"4be1907f2d6ac83e5f0b1d97c2a6e834\")", "4be1907f2d6ac83e5f0b1d97c2a6e834"},
    {"finnhub revision 9f3b1c77ad0e45628d1f7c3ba9e04d21aa10ffbc", ""},
    {"finnhub is a service of stock prices, see version 2024a1b2c3d4e5f6", ""},
    {"finnhub\n\nkey\n\n9f3b1c77ad0e45628d1f7c3ba9e04d21", ""},
    /* sentences */
    {"The password for the build server is hG72kfp0Qz.", "hG72kfp0Qz"},
    {"Das Passwort ist hG72kfp0Qz", "hG72kfp0Qz"},
    {"le mot de passe est hG72kfp0Qz", "hG72kfp0Qz"},
    {"la contraseña de la base es hG72kfp0Qz", "hG72kfp0Qz"},
    {"a senha é hG72kfp0Qz", "hG72kfp0Qz"},
    {"密码是hG72kfp0Qz", "hG72kfp0Qz"},
    {"パスワードは「hG72kfp0Qz」です", "hG72kfp0Qz"},
    {"пароль — hG72kfp0Qz", "hG72kfp0Qz"},
    {"the password is SHA256-hashed", ""},
    {"the login is anna / hG72kfp0Qz, thanks", "hG72kfp0Qz"},
    /* code and configuration */
    {"- name: DB_PASSWORD\n  value: hG72kfp0Qz", "hG72kfp0Qz"},
    {"{\"name\": \"API_TOKEN\", \"value\": \"hG72kfp0Qz\"}", "hG72kfp0Qz"},
    {"variable \"db_password\" {\n  default = \"hG72kfp0Qz\"\n}", "hG72kfp0Qz"},
    {"if (password != \"hG72kfp0Qz\") {", "hG72kfp0Qz"},
    {"NSString *password = @\"hG72kfp0Qz\";", "hG72kfp0Qz"},
    {"app --token hG72kfp0Qz --verbose", "hG72kfp0Qz"},
    {"Connect-It -Password VMware7!x", "VMware7!x"},
    {"New-PSSession -Credential Domain01\\Admin02", ""},
    {"curl --user \"anna\":\"hG72kfp0Qz\" https://host/", "hG72kfp0Qz"},
    {"new NetworkCredential(\"anna\", \"hG72kfp0Qz\")", "hG72kfp0Qz"},
    {"https://api.corp.io/v1?key=hG72kfp0QzLw93NpXs5H&x=1", "hG72kfp0QzLw93NpXs5H"},
    {"cache_key=9f3b1c77ad0e45628d1f7c3ba9e04d21", ""},
    {"req.Header.Set(\"Authorization\", \"Bearer hG72kfp0QzLw93NpXs5H\")", "hG72kfp0QzLw93NpXs5H"},
};

static void names_and_sentences(void)
{
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CASE_BEGIN();
    struct vdt_arena *arena = vdt_arena_new(0);
    struct str text = str_of(cases[i].text);
    struct vdt_result result = scan(arena, text, 75, VDT_DETECT);
    CHECK_STR(result.n_findings ? str_cut(text, result.findings[0].start, result.findings[0].end) : STR(""), cases[i].secret);
    vdt_arena_free(arena);
    CASE_END("%.*s", (int)strcspn(cases[i].text, "\n"), cases[i].text);
  }
}

static void every_kind_says_what_to_do(void)
{
  for (unsigned i = 0; i < rig_engine->rules.n; i++) {
    const struct rule *r = &rig_engine->rules.rules[i];
    if (r->detector != VDT_DET_CREDENTIAL) continue;
    bool ladder = r->confidence == 65 || r->confidence == 75 || r->confidence == 85 || r->confidence == 95;
    if (!r->remediation || strlen(r->remediation) < 20 || !ladder)
      CHECK_STR(str_of(r->id), "a kind with a remedy and a step of the ladder");
  }
}

static double seconds(struct str text, int rounds)
{
  double best = 1e9;
  for (int round = 0; round < rounds; round++) {
    struct timespec a, b;
    struct vdt_arena *arena = vdt_arena_new(0);
    struct vdt_policy policy = rig_policy(VDT_REDACT);
    struct vdt_stream *s;
    struct vdt_release release;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    CHECK_INT(vdt_stream_new(rig_scanner, arena, &policy, VDT_RESPONSE, &s), VDT_OK);
    for (size_t at = 0; at < text.n; at += 4096)
      CHECK_INT(vdt_stream_feed(s, text.p + at, text.n - at < 4096 ? text.n - at : 4096, &release), VDT_OK);
    CHECK_INT(vdt_stream_finish(s, &release), VDT_OK);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    vdt_stream_free(s);
    vdt_arena_free(arena);
    double took = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    if (took < best) best = took;
  }
  return best;
}

static struct str repeated(struct buf *b, struct str gate, const char *filler, size_t n)
{
  buf_reset(b);
  while (b->n < n) {
    buf_put(b, gate);
    buf_put(b, str_of(filler));
  }
  return buf_str(b);
}

/* Text that keeps a rule's check busy, twice as long: at most a little over twice the time. Only what takes long enough to be measured. */
static void worst_cases_are_linear(void)
{
  static const char *const fillers[] = {"", "=", "=a1B2c3D4e5F6g7H8", " abandon ability able ", "\"auth\": \"user:"};
  enum { SIZE = TEST_SANITIZED ? 8192 : 32768 };
  struct buf b = {0};
  double slowest = 0;
  const char *who = "";
  for (unsigned i = 0; i < rig_engine->rules.n; i++) {
    const struct rule *r = &rig_engine->rules.rules[i];
    if (r->detector != VDT_DET_CREDENTIAL || r->n_gates == 0) continue;
    for (size_t k = 0; k < sizeof fillers / sizeof *fillers; k++) {
      struct str gate = r->gates[i % r->n_gates];
      if (TEST_SANITIZED && i % (sizeof fillers / sizeof *fillers) != k) continue;
      double once = 0, twice = seconds(repeated(&b, gate, fillers[k], SIZE), 1);
      if (twice > slowest) {
        slowest = twice;
        who = r->id;
      }
      if (twice < 0.02) continue;
      for (int rounds = 1; rounds <= 9 && twice > 3 * once; rounds += 4) {
        twice = seconds(repeated(&b, gate, fillers[k], SIZE), rounds);
        once = seconds(repeated(&b, gate, fillers[k], SIZE / 2), rounds);
      }
      if (twice > 3 * once) {
        printf("# %s, \"%s\": %.1f ms and %.1f ms\n", r->id, fillers[k], once * 1e3, twice * 1e3);
        CHECK(twice <= 3 * once);
      }
    }
  }
  printf("# slowest %d KiB: %.1f ms, %s\n", SIZE / 1024, slowest * 1e3, who);
  buf_finish(&b);
}

/* Findings that overlap each other from one end of a text to the other: "seed" is a word of seed phrases, too. */
static void a_chain_of_findings_is_linear(void)
{
  enum { SIZE = TEST_SANITIZED ? 32768 : 131072 };
  struct buf b = {0};
  double once = 0, twice = 1;
  for (int rounds = 1; rounds <= 5 && twice > 3 * once; rounds += 2) {
    twice = seconds(repeated(&b, STR("seed:"), "", 2 * SIZE), rounds);
    once = seconds(repeated(&b, STR("seed:"), "", SIZE), rounds);
  }
  printf("# %.1f ms and %.1f ms\n", once * 1e3, twice * 1e3);
  CHECK(twice <= 3 * once);
  buf_finish(&b);
}

/* The whole of a value that has its line for itself, whatever marks are in it; and what is no such value. */
static void a_setting_has_its_line_for_itself(void)
{
  static const struct {
    const char *text, *value; /* value NULL: no finding */
  } v[] = {
      {"DB_PASSWORD=Tr0ub4dor&3{xyz", "Tr0ub4dor&3{xyz"},
      {"a\nDB_PASSWORD=Xk9{2}(p&q)Lm3\nb", "Xk9{2}(p&q)Lm3"},
      {"export PGPASSWORD=aB3,dE5;fG7|hI9\r\n", "aB3,dE5;fG7|hI9"},
      {"  - password: m{{h}o)p${e]nob(ody[finds", "m{{h}o)p${e]nob(ody[finds"},
      {"password=Tr0ub4dor3&user=x", "Tr0ub4dor3"},
      {"https://a.b/c?password=Tr0ub4dor3&user={x", "Tr0ub4dor3"},
      {"DB_PASSWORD=Tr0ub4dor&3{xyz and more", "Tr0ub4dor"},
      {"DB_PASSWORD=Tr0ub4dor3;", "Tr0ub4dor3"},
      {"password: Tr0ub4dor3!", "Tr0ub4dor3!"},
      {"the password is Tr0ub4dor3!", "Tr0ub4dor3"},
      {"token: Array<Uint8>", NULL},
      {"password = f1(x[2])", NULL},
      {"DB_PASSWORD=$(cat</run/secret1)", NULL},
      {"password: {{vault_password2}}", NULL},
  };
  for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    struct str text = str_of(v[i].text);
    struct vdt_result r = scan(arena, text, 75, VDT_DETECT);
    if (v[i].value) {
      CHECK_INT(r.n_findings, 1);
      if (r.n_findings) CHECK_STR(str_cut(text, r.findings[0].start, r.findings[0].end), v[i].value);
    } else {
      CHECK_INT(r.n_findings, 0);
    }
    vdt_arena_free(arena);
  }
}

/* Words that say "stand-in", and how they must be written; runs of one character. */
static void chance_does_not_make_a_stand_in(void)
{
  static const struct {
    const char *text;
    bool real;
  } v[] = {
      {"xoxb-123456789012-Xw937qtWSXJss1lFaKe", true},
      {"xoxb-123456789012-Xw937qtWSXJss1lfake", false},
      {"xoxb-123456789012-Xw937qtWSXJss1lFAKE", false},
      {"xoxb-123456789012-Xw937qtWSXJss1lFake", false},
      {"slack_token: xoxa-2-511111111-31111111111-3111111111111-e039d02840a0b9379c", true},
      {"slack_token: xoxa-2-511111111-31111111111-3111111111111-e039d0284", false},
  };
  for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    struct vdt_result r = scan(arena, str_of(v[i].text), 75, VDT_DETECT);
    if ((r.n_findings > 0) != v[i].real) CHECK_STR(str_of(v[i].text), v[i].real ? "found" : "left out");
    vdt_arena_free(arena);
  }
}

int main(void)
{
  rig_load();
  RUN(a_setting_has_its_line_for_itself);
  RUN(chance_does_not_make_a_stand_in);
  RUN(examples_hold_true_checksums);
  RUN(wrong_checksums_lower_the_confidence);
  RUN(stand_ins_are_a_class_of_their_own);
  RUN(an_id_and_its_secret_are_one_finding);
  names_and_sentences();
  RUN(every_kind_says_what_to_do);
  RUN(a_chain_of_findings_is_linear);
  RUN(worst_cases_are_linear);
  rig_unload();
  return test_end();
}
