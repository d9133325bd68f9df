/*
 * Credentials by the form they are written in: which forms count, which do not, and where the finding begins and ends. Each case is a text and the
 * part of it that must be found, or NULL when nothing may be.
 */
#include "engine/check.h"
#include "rig.h"
#include "secret_sentences.h"

struct form_case {
  const char *text, *rule, *found; /* found: NULL when the rule reports nothing */
};

static const struct vdt_finding *by_rule(const struct vdt_result *r, const char *rule)
{
  for (size_t i = 0; i < r->n_findings; i++)
    if (strcmp(r->findings[i].rule, rule) == 0) return &r->findings[i];
  return NULL;
}

static void run_cases(const struct form_case *cases, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    struct vdt_policy policy = rig_policy(VDT_DETECT);
    struct vdt_result result;
    struct str text = str_of(cases[i].text);
    CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &result), VDT_OK);
    const struct vdt_finding *f = by_rule(&result, cases[i].rule);
    if (!cases[i].found) {
      if (f) CHECK_STR(text, "nothing to find");
    } else if (!f) CHECK_STR(text, "something to find");
    else CHECK_STR(str_cut(text, (size_t)f->start, (size_t)f->end), cases[i].found);
    vdt_arena_free(arena);
  }
}
#define RUN_CASES(c) run_cases(c, sizeof c / sizeof *c)

/* {"alg":"none"}, {"alg":"None","typ":"JWT"}, {"alg":"HS256"}; {"sub":"8812","role":"deploy"}; {"alg":"dir","enc":"A256GCM"}. */
#define NONE       "eyJhbGciOiJub25lIn0"
#define NONE_TYPED "eyJhbGciOiJOb25lIiwidHlwIjoiSldUIn0"
#define HS256      "eyJhbGciOiJIUzI1NiJ9"
#define CLAIMS     "eyJzdWIiOiI4ODEyIiwicm9sZSI6ImRlcGxveSJ9"
#define DIRECT     "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0"

static void a_token_that_nothing_signs_is_one(void)
{
  static const struct form_case cases[] = {
      {"take " NONE "." CLAIMS ". with you", "jwt", NONE "." CLAIMS "."},
      {"take " NONE "." CLAIMS " with you", "jwt", NONE "." CLAIMS},
      {"take " NONE_TYPED "." CLAIMS "., it is free", "jwt", NONE_TYPED "." CLAIMS "."},
      {"take " HS256 "." CLAIMS " with you", "jwt", HS256 "." CLAIMS}, /* its signature was left out */
      {"take " HS256 "." CLAIMS ". with you", "jwt", NULL},
      {"take " NONE " with you", "jwt", NULL},
      {"take " NONE ".bm8gSlNPTiBoZXJl with you", "jwt", NULL},
  };
  RUN_CASES(cases);
}

static void an_encrypted_token_is_one(void)
{
  static const struct form_case cases[] = {
      {"next-auth " DIRECT "..QmFzZTY0dmVjdG9y.q8Zt2LmX9cVb4Rk1Yp0sDw.Hf7Jd3Ka6Pz5Nx8Wq1Ee0T ok", "jwt",
       DIRECT "..QmFzZTY0dmVjdG9y.q8Zt2LmX9cVb4Rk1Yp0sDw.Hf7Jd3Ka6Pz5Nx8Wq1Ee0T"},
      {"next-auth " DIRECT ".a2V5.QmFzZTY0dmVjdG9y.q8Zt2LmX9cVb4Rk1Yp0sDw.Hf7Jd3Ka6Pz5Nx8Wq1Ee0T ok", "jwt",
       DIRECT ".a2V5.QmFzZTY0dmVjdG9y.q8Zt2LmX9cVb4Rk1Yp0sDw.Hf7Jd3Ka6Pz5Nx8Wq1Ee0T"},
      {"four parts " DIRECT "..QmFzZTY0dmVjdG9y.q8Zt2LmX9cVb4Rk1Yp0sDw ok", "jwt", NULL},
      {"a short tag " DIRECT "..QmFzZTY0dmVjdG9y.q8Zt2LmX9cVb4Rk1Yp0sDw.Hf7Jd ok", "jwt", NULL},
      {"no vector " DIRECT "...q8Zt2LmX9cVb4Rk1Yp0sDw.Hf7Jd3Ka6Pz5Nx8Wq1Ee0T ok", "jwt", NULL},
  };
  RUN_CASES(cases);
}

/* 52 + JQQJ99 + 26, 76 + AZDO + 4: the mark stands where it stands in no other text of that length. */
#define LEFT19       "q7Rt2LmX9cVb4Rk1Yp0"
#define LEFT38       LEFT19 "sDwHf7Jd3Ka6Pz5Nx8W"
#define MORE38       "aZ3xW5cE7vR9bT2nY4uM6iK8oL1pQ0sD3fG5hJ"
#define SKIP12(rest) "4Rk1Yp0" rest /* what is left of LEFT19: 12 bytes may have gone when a key is known for one */
static void marks_need_their_place(void)
{
  static const struct form_case cases[] = {
      {"pat " LEFT38 MORE38 "AZDOk4dL ok", "azure-devops-pat-marked", SKIP12("sDwHf7Jd3Ka6Pz5Nx8W" MORE38 "AZDOk4dL")},
      {"pat z" LEFT38 MORE38 "AZDOk4dL ok", "azure-devops-pat-marked", NULL},
      {"pat " LEFT38 MORE38 "AZDOk4d ok", "azure-devops-pat-marked", NULL},
      {"pat " LEFT38 MORE38 "AZDOk4dL7 ok", "azure-devops-pat-marked", NULL},
      /* half of it may have been cut off, not more */
      {"pat " LEFT38 "AZDOk4dL ok", "azure-devops-pat-marked", SKIP12("sDwHf7Jd3Ka6Pz5Nx8WAZDOk4dL")},
      {"pat " LEFT19 "sDwHf7Jd3Ka6Pz5Nx8AZDOk4dL ok", "azure-devops-pat-marked", NULL},
      {"key " LEFT38 MORE38 "+AStq8Zt2L== ok", "azure-key-64", SKIP12("sDwHf7Jd3Ka6Pz5Nx8W" MORE38 "+AStq8Zt2L==")},
      {"key " LEFT38 MORE38 "+AStq8Zt2L= ok", "azure-key-64", NULL},
      {"key " LEFT38 MORE38 "ACDbq8Zt2== ok", "azure-key-64", NULL},
      /* its name before it: all of it */
      {"AZURE_DEVOPS_EXT_PAT=" LEFT38 MORE38 "k4dLk4dL", "azure-devops-pat", LEFT38 MORE38 "k4dLk4dL"},
  };
  RUN_CASES(cases);
}

/* The first lines of a key; the rest does not matter. */
#define KEY1      "MIIEpAIBAAKCAQEAGTd7FguoV8FWnFbB0JxXujr4qqaaABvvLOzAxzXMcU1vsHiQ"
#define KEY2      "MaRiNTN9Ox98whGcTZc1UWb5fxzpF7STG7nVLe3lARUsRJlNONwktN9ugkZeESG6"
#define BEGIN_KEY "-----BEGIN RSA PRIVATE KEY-----"
#define END_KEY   "-----END RSA PRIVATE KEY-----"
static void a_key_may_be_quoted_commented_or_cut_off(void)
{
  static const struct form_case cases[] = {
      {"> " BEGIN_KEY "\n> " KEY1 "\n> " KEY2 "\n> " END_KEY "\nso", "private-key",
       BEGIN_KEY "\n> " KEY1 "\n> " KEY2 "\n> " END_KEY},
      {"# " BEGIN_KEY "\n# " KEY1 "\n# " KEY2 "\n# " END_KEY "\nso", "private-key",
       BEGIN_KEY "\n# " KEY1 "\n# " KEY2 "\n# " END_KEY},
      {"k = '" BEGIN_KEY "\\n'\n'" KEY1 "\\n'\n'" KEY2 "\\n'\n'" END_KEY "'", "private-key",
       BEGIN_KEY "\\n'\n'" KEY1 "\\n'\n'" KEY2 "\\n'\n'" END_KEY},
      {"it begins " BEGIN_KEY "\n" KEY1 "\n" KEY2 "\n", "private-key", BEGIN_KEY "\n" KEY1 "\n" KEY2 "\n"},
      {"it begins " BEGIN_KEY "\n" KEY1, "private-key", BEGIN_KEY "\n" KEY1},
      {"it begins " BEGIN_KEY "\nMIIEpAIBAAKCAQEA", "private-key", NULL},
      {"it begins " BEGIN_KEY "\n" KEY1 "\n{no key}", "private-key", NULL},
      {"it begins -----BEGIN CERTIFICATE-----\n" KEY1 "\n" KEY2, "private-key", NULL},
  };
  RUN_CASES(cases);
}

#define PAT "ghp_1Zx8Kq2mTzv9Lr4XvB2nKd9WsHf3J1UQ2Vb5"
static void an_escape_joins_nothing(void)
{
  static const struct form_case cases[] = {
      {"{\"a\":\"K\\u00e4" PAT "\"}", "github-pat", PAT},   {"{\"a\":\"K\\xe4" PAT "\"}", "github-pat", PAT},
      {"{\"a\":\"K\\\\u00e4" PAT "\"}", "github-pat", PAT}, {"{\"a\":\"Ku00e4" PAT "\"}", "github-pat", NULL},
      {"{\"a\":\"K\\u0e4" PAT "\"}", "github-pat", NULL},   {"{\"a\":\"K\\u00e4x" PAT "\"}", "github-pat", NULL},
  };
  RUN_CASES(cases);
}

#define KEY40 "k7Rt2LmX9cVb4Rk1Yp0sDwHf7Jd3Ka6Pz5Nx8WqZ"
static void keys_before_hosts_and_in_headers(void)
{
  static const struct form_case cases[] = {
      {"git clone https://" KEY40 "@git.corp.io/a/b.git", "url-password", KEY40},
      {"git clone https://k7Rt2LmX9cVb4Rk1Yp0s@git.corp.io/a/b.git", "url-password", "k7Rt2LmX9cVb4Rk1Yp0s"},
      {"git clone https://k7Rt2LmX9cVb4Rk1Yp0@git.corp.io/a/b.git", "url-password", NULL},
      {"git clone https://deploy@git.corp.io/a/b.git", "url-password", NULL},
      {"dsn https://5ee5042d74833c27041b29ae696fa4bb@errors.corp.io/91", "url-password", NULL},
      {"mail https://first.lastname1984b.X9cVb4@corp.io/a", "url-password", NULL},
      {"Authorization: GenieKey cc785db1-4e77-8a22-4b04-5a994d777d74", "authorization-header",
       "cc785db1-4e77-8a22-4b04-5a994d777d74"},
      {"Authorization: Splunk 272c116a-dd52-a45d-7112-338b538e2c37", "authorization-header",
       "272c116a-dd52-a45d-7112-338b538e2c37"},
      {"Authorization: Negotiate and continue with the next step", "authorization-header", NULL},
  };
  RUN_CASES(cases);
}

#define HARBOUR "aGFyYm91ci05LWxpZ2h0cw==" /* harbour-9-lights */
#define TOLLEY  "dG9sbGV5LTQ0LWJyaWRnZQ==" /* tolley-44-bridge */
static void what_a_secret_of_kubernetes_holds_is_one(void)
{
  static const struct form_case cases[] = {
      {"kind: Secret\ndata:\n  blue: " HARBOUR "\n  green: " TOLLEY "\n", "kubernetes-secret-data", HARBOUR "\n  green: " TOLLEY},
      {"data:\n  blue: " HARBOUR "\nkind: Secret\n", "kubernetes-secret-data", HARBOUR},
      {"data:\n\tblue: \"" HARBOUR "\"\nkind: \"Secret\"\n", "kubernetes-secret-data", HARBOUR},
      {"{\"kind\": \"Secret\", \"data\": {\"blue\": \"" HARBOUR "\"}}", "kubernetes-secret-data", HARBOUR},
      {"{\"data\":{\"blue\":\"" HARBOUR "\",\"green\":\"" TOLLEY "\"},\"kind\":\"Secret\"}", "kubernetes-secret-data",
       HARBOUR "\",\"green\":\"" TOLLEY},
      {"{\"yaml\": \"kind: Secret\\ndata:\\n  blue: " HARBOUR "\\n\"}", "kubernetes-secret-data", HARBOUR},
      {"{\"json\": \"{\\\"kind\\\": \\\"Secret\\\", \\\"data\\\": {\\\"blue\\\": \\\"" HARBOUR "\\\"}}\"}",
       "kubernetes-secret-data", HARBOUR},
      {"data:\n  blue: " HARBOUR "\nkind: ConfigMap\n", "kubernetes-secret-data", NULL},
      {"data:\n  blue: " HARBOUR "\n---\nkind: Secret\n", "kubernetes-secret-data", NULL},
      {"data:\n  blue: " HARBOUR "\nkind: SecretStore\n", "kubernetes-secret-data", NULL},
      {"kind: Secret\nmetadata:\n  blue: " HARBOUR "\n", "kubernetes-secret-data", NULL},
      {"kind: Secret\ndata:\n  blue: harbour lights\n", "kubernetes-secret-data", NULL},
      {"kind: Secret\ndata:\n  blue: lights\n", "kubernetes-secret-data", NULL},
      {"kind: Secret\ndata:\n  blue: cGFzc3dvcmQK\n", "kubernetes-secret-data", NULL}, /* "password" */
  };
  RUN_CASES(cases);
}

/* n entries, then `gap` bytes, then the kind. */
static bool manifest_is_found(unsigned n, unsigned gap, unsigned *values)
{
  struct buf text = {0};
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_policy policy = rig_policy(VDT_DETECT);
  struct vdt_result r;
  buf_printf(&text, "data:");
  for (unsigned i = 0; i < n; i++) buf_printf(&text, "\n  k%u: " HARBOUR, i);
  buf_byte(&text, '\n');
  for (unsigned i = 1; i < gap; i++) buf_byte(&text, '#');
  buf_printf(&text, "kind: Secret\n");
  CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r), VDT_OK);
  const struct vdt_finding *f = by_rule(&r, "kubernetes-secret-data");
  *values = 0;
  for (size_t i = f ? f->start : 1; f && i < f->end; i++) *values += text.p[i] == ':';
  buf_finish(&text);
  vdt_arena_free(arena);
  return f;
}

static void manifests_have_limits(void)
{
  unsigned colons;
  CHECK(manifest_is_found(63, 1, &colons) && colons == 62);
  CHECK(manifest_is_found(64, 1, &colons) && colons == 63);
  CHECK(manifest_is_found(65, 1, &colons) && colons == 63); /* the first 64 of them */
  CHECK(manifest_is_found(1, 598, &colons));
  CHECK(manifest_is_found(1, 599, &colons));
  CHECK(!manifest_is_found(1, 600, &colons));
}

static void setters_have_no_operator(void)
{
  static const struct form_case cases[] = {
      {"FROM x\nENV API_SECRET VIkHVIXl78HwVSYy0GMP5VV3\n", "secret-assignment", "VIkHVIXl78HwVSYy0GMP5VV3"},
      {"setx API_KEY 9WEb7R4z5TmhyLQWZr1YhURpbttqd7Gx", "secret-assignment", "9WEb7R4z5TmhyLQWZr1YhURpbttqd7Gx"},
      {"set -x DB_PASSWORD hG72kfp0Qz", "secret-assignment", "hG72kfp0Qz"},
      {"the ENVOY API_SECRET VIkHVIXl78HwVSYy0GMP5VV3", "secret-assignment", NULL},
      {"FROM x\nENV API_SECRET $SECRET\n", "secret-assignment", NULL},
      {"machine git.corp.io password hT8-wq71Lm login build", "netrc-password", "hT8-wq71Lm"},
      {"the machine requires password protection", "netrc-password", NULL},
      {"jdbc:oracle:thin:sales/hG72kfp0Qz@//db:1521/x", "oracle-user-password", "hG72kfp0Qz"},
      {"jdbc:oracle:thin:sales/hG72kfp0Qz and more", "oracle-user-password", NULL},
  };
  RUN_CASES(cases);
}

#define CLASH "ko{T(9v}w#e[r)t5" /* brackets of one kind close those of another */
static void a_comparison_may_be_written_the_other_way_round(void)
{
  static const struct form_case cases[] = {
      {"if (\"" CLASH "\" == password) {", "secret-in-comparison", CLASH},
      {"if ('hG7-ppLq21' !== this.user.accessToken) {", "secret-in-comparison", "hG7-ppLq21"},
      {"if(\"hG7-ppLq21\".equals(user.getPassword()))", "secret-in-comparison", "hG7-ppLq21"},
      {"elif \"hG7-ppLq21\" == os.environ['DB_PASSWORD']:", "secret-in-comparison", NULL}, /* the name is a text */
      {"[ x ] && [ y ]; if [ \"hG7-ppLq21\" = \"${PASSWD}\" ]", "secret-in-comparison", "hG7-ppLq21"},
      {"if (\"hG7-ppLq21\" == password.length) {", "secret-in-comparison", NULL},
      {"if (\"hG7-ppLq21\" == token) {", "secret-in-comparison", NULL}, /* of a parser */
      {"if (\"hG7-ppLq21\" == title) {", "secret-in-comparison", NULL},
      {"if (\"hG7-ppLq21\", password) {", "secret-in-comparison", NULL},
      {"if (\"hG7-ppLq21 == password) {", "secret-in-comparison", NULL},
      {"if (\"hG7-ppLq21\" ! password) {", "secret-in-comparison", NULL},
      {"if (\"hG7-pp\" == password) {", "secret-in-comparison", NULL},
      {"if (\"get_token(x)\" == secret) {", "secret-in-comparison", NULL},
  };
  RUN_CASES(cases);
}

static void what_ends_a_line_is_not_part_of_a_password(void)
{
  static const struct form_case cases[] = {
      {"x:\npassword = " CLASH "'\n", "secret-assignment", CLASH},
      {"x:\npassword: " CLASH ",\n", "secret-assignment", CLASH},
      {"x:\npassword := " CLASH "\";\n", "secret-assignment", CLASH},
      {"x:\npassword = " CLASH "' or\n", "secret-assignment", NULL},
      {"x:\nsecret = hash(a9,\n", "secret-assignment", NULL},
      {"x:\nsecret = [f(a1),{b2},\n", "secret-assignment", NULL},
      {"x:\nsecret = (node->next9),\n", "secret-assignment", NULL}, /* the sign of an arrow is no bracket */
      {"password: `" CLASH "`", "secret-assignment", CLASH},
      {"password: `getPassword(9v,w[5])`", "secret-assignment", NULL},
      {"secret: \"p7Q\\5]EBrf;_&k>qX?\"\n", "secret-assignment", "p7Q\\5]EBrf;_&k>qX?"},
      {"secret: \"p7Q\\d5]EBrf;_&k>qX?\"\n", "secret-assignment", NULL},
      {"password: \"\\033[31mred9\"\n", "secret-assignment", NULL},
      {"password: \"Stra\xC3\x9F"
       "e-99\"",
       "secret-assignment",
       "Stra\xC3\x9F"
       "e-99"},
      {"password: \"Summer\xC2\xA3"
       "2024\"",
       "secret-assignment",
       "Summer\xC2\xA3"
       "2024"},
      {"password: '\xE2\x82\xAC"
       "42marks'",
       "secret-assignment",
       "\xE2\x82\xAC"
       "42marks"},
      {"password: \"8\xE6\x96\x87\xE5\xAD\x97"
       "ABCdef\"",
       "secret-assignment", NULL}, /* a sentence without blanks */
  };
  RUN_CASES(cases);
}

static void a_secret_of_kubernetes_may_stand_as_it_is(void)
{
  static const struct form_case cases[] = {
      {"kind: Secret\nstringData:\n  host: db\n  blue: v9Kq2mTz!x # new\n  green: \"ko{T9v}w e\"\n  red: hG7-ppLq21\nx: y\n",
       "kubernetes-secret-string", "v9Kq2mTz!x # new\n  green: \"ko{T9v}w e\"\n  red: hG7-ppLq21"},
      {"stringData:\n  blue: 'v9Kq2mTz!x'\nkind: Secret\n", "kubernetes-secret-string", "v9Kq2mTz!x"},
      {"{\"yaml\": \"kind: Secret\\nstringData:\\n  blue: v9Kq2mTz!x\\n\"}", "kubernetes-secret-string", "v9Kq2mTz!x"},
      {"{\"json\": \"{\\\"kind\\\": \\\"Secret\\\", \\\"stringData\\\": {\\\"blue\\\": \\\"v9Kq2mTz!x\\\"}}\"}",
       "kubernetes-secret-string", "v9Kq2mTz!x"},
      {"kind: Secret\nstringData:\n  conf: |\n    blue: v9Kq2mTz!x\n", "kubernetes-secret-string", NULL},
      {"kind: Secret\nstringData:\n  blue: harbour-lights\n", "kubernetes-secret-string", NULL},
      {"kind: Secret\nstringData:\nblue: v9Kq2mTz!x\n", "kubernetes-secret-string", NULL},
      {"kind: Secrets\nstringData:\n  blue: v9Kq2mTz!x\nkind: ConfigMap\n", "kubernetes-secret-string", "v9Kq2mTz!x"},
  };
  RUN_CASES(cases);
}

#define SCALAR "DyFJL41jjssWVrE68tY9bieMsfKXnG5tli_YDw_aOPn"
static void a_key_may_say_its_type_behind_its_secret(void)
{
  static const struct form_case cases[] = {
      {"{\"d\":\"" SCALAR "\",\"dp\":\"a\",\"e\":\"AQAB\",\"kty\":\"RSA\"}", "jwk-private-key", SCALAR},
      {"{\"d\": \"" SCALAR "\",\n \"x5c\": [\"MIIB+/==\", \"MIIC\"],\n \"kty\" : \"EC\"}", "jwk-private-key", SCALAR},
      {"{\"d\":\"" SCALAR "\",\"kty\":\"oct\"}", "jwk-private-key", NULL},
      {"{\"d\":\"" SCALAR "\",\"kty\":\"ECX\"}", "jwk-private-key", NULL},
      {"{\"d\":\"" SCALAR "\"},{\"kty\":\"EC\"}", "jwk-private-key", NULL},
      {"{\"d\":\"" SCALAR "\",\"title\":\"a\",\"kty\":\"EC\"}", "jwk-private-key", NULL},
      {"{\"kty\":\"EC\",\"d\":\"" SCALAR, "jwk-private-key", SCALAR}, /* cut off */
      {"{\"k\":\"" SCALAR "\",\"kty\":\"oct\"}", "jwk-symmetric-key", SCALAR},
      {"{\"k\":\"" SCALAR "\",\"kty\":\"EC\"}", "jwk-symmetric-key", NULL},
  };
  RUN_CASES(cases);
}

static void what_is_piped_into_a_command_may_be_a_password(void)
{
  static const struct form_case cases[] = {
      {"echo root:harbour | chpasswd\n", "piped-password", "harbour"},
      {"$ echo -ne 'svc:hG7-ppLq21\\n' | sudo chpasswd -e\n", "piped-password", "hG7-ppLq21"},
      {"echo \"harbour\" | sudo -S id\n", "piped-password", "harbour"},
      {"echo hG7-ppLq21|/usr/sbin/chpasswd\n", "piped-password", NULL}, /* no user */
      {"echo 'hG7-ppLq21' | tee x; sudo -S id\n", "piped-password", NULL},
      {"echo 'hG7-ppLq21\n' | sudo -S id\n", "piped-password", NULL},
      {"echo 'hG7-ppLq21' | tee sudo-Sx\n", "piped-password", NULL},
      {"echo 'hG7 ppLq21' | sudo -S id\n", "piped-password", NULL},
      {"echo 'hG7-ppLq21' | gh auth login --with-token\n", "piped-password", "hG7-ppLq21"},
      {"re-echo hG7-ppLq21", "piped-password", NULL},
      {"chpasswd <<EOF\nroot:hG7-ppLq21\nEOF\n", "chpasswd-lines", "hG7-ppLq21"},
  };
  RUN_CASES(cases);
}

static void a_password_may_stand_beside_its_word(void)
{
  static const struct form_case cases[] = {
      {"log in with the password hG7-ppLq21.", "secret-assignment", "hG7-ppLq21"},
      {"its passphrase v9Kq2mTzX8 opens it", "secret-assignment", "v9Kq2mTzX8"},
      {"the password Office365 wants", "secret-assignment", NULL},
      {"the password Base64-Encoded9!", "secret-assignment", NULL},
      {"the password hunter22 is his", "secret-assignment", NULL},
      {"the password hG7-pp is short", "secret-assignment", NULL},
      {"the token hG7-ppLq21 is known", "secret-assignment", NULL},
      {"the password ${hG7ppLq21x}", "secret-assignment", NULL},
      {"Password:\nhG7-ppLq21\n", "secret-assignment", "hG7-ppLq21"},
      {"Password:\nhG7-ppLq21 and more\n", "secret-assignment", NULL},
      {"Password:\nWindows11\n", "secret-assignment", NULL},
      {"the password was changed to hG7-ppLq21 today", "secret-assignment", "hG7-ppLq21"},
      {"the password is 'Secret2024!'", "secret-assignment", "Secret2024!"},
      {"password: \"token_secret2024\"", "secret-assignment", NULL},
      {"the secret is 'Secret2024'", "secret-assignment", NULL},
      {"RSYNC_PASSWORD=hG7-ppLq21 rsync a b", "secret-assignment", "hG7-ppLq21"},
      {"SYNC_TOKEN=hG7-ppLq21", "secret-assignment", NULL},
      {"net use Z: \\\\srv\\share hG7-ppLq21 /user:anna", "windows-user-password", "hG7-ppLq21"},
      {"net use Z: \\\\srv\\share /user:anna", "windows-user-password", NULL},
  };
  RUN_CASES(cases);
}

static void put_value(char *at, size_t n)
{
  static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  unsigned state = 7;
  for (size_t i = 0; i < n; i++) at[i] = signs[(state = state * 1103515245u + 12345u) / 65536u % (sizeof signs - 1)];
  at[n] = 0;
}

/* The one finding of the text, by any rule; empty: none, or several. */
static struct str only_finding(struct vdt_arena *arena, struct str text)
{
  struct vdt_policy policy = rig_policy(VDT_DETECT);
  struct vdt_result result;
  CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &result), VDT_OK);
  if (result.n_findings != 1) return (struct str){"", 0};
  return str_cut(text, (size_t)result.findings[0].start, (size_t)result.findings[0].end);
}

/* What looks generated is found; a word in its place is not. */
static void says_so(const struct secret_sentence *s, size_t n, const char *value)
{
  for (size_t i = 0; i < n; i++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    char text[256], harmless[256];
    snprintf(text, sizeof text, "%s%s%s", s[i].before, value, s[i].after);
    snprintf(harmless, sizeof harmless, "%sdocumentation%s", s[i].before, s[i].after);
    if (!str_eq(only_finding(arena, str_of(text)), str_of(value))) CHECK_STR(str_of(text), "found");
    CHECK_INT(only_finding(arena, str_of(harmless)).n, 0);
    vdt_arena_free(arena);
  }
}

static void sentences_of_many_languages_give_secrets_away(void)
{
  says_so(password_sentences, sizeof password_sentences / sizeof *password_sentences, "Tq83mKw5Zr");
  says_so(key_sentences, sizeof key_sentences / sizeof *key_sentences, "a81Kd93Lq0Zx77pQ");
}

static void words_that_say_whose_it_is_have_59_bytes_at_most(void)
{
  for (int n = 58; n <= 60; n++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    char text[128];
    snprintf(text, sizeof text, "password for %.*s: Tq83mKw5Zr", n - 5,
             "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww");
    CHECK_INT(only_finding(arena, str_of(text)).n, n <= 59 ? 10 : 0);
    vdt_arena_free(arena);
  }
}

static void a_word_has_an_ending_of_6_bytes_at_most(void)
{
  for (int n = 5; n <= 7; n++) {
    struct vdt_arena *arena = vdt_arena_new(0);
    char text[128];
    snprintf(text, sizeof text, "kennwort%.*s Tq83mKw5Zr", n, "wwwwwww");
    CHECK_INT(only_finding(arena, str_of(text)).n, n <= 6 ? 10 : 0);
    vdt_arena_free(arena);
  }
}

static bool is_found(const char *text)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_policy policy = rig_policy(VDT_DETECT);
  struct vdt_result result;
  CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text, strlen(text), &result), VDT_OK);
  bool found = by_rule(&result, "secret-assignment") != NULL;
  vdt_arena_free(arena);
  return found;
}

static void a_value_has_4096_bytes_at_most(void)
{
  for (size_t n = 4095; n <= 4097; n++) {
    char text[4200] = "api_key: ";
    put_value(text + strlen(text), n);
    CHECK_INT(is_found(text), n <= 4096);
  }
}

/* Above a value; the first line of the text, and one of those below. */
static void a_label_has_23_bytes_before_its_word_at_most(void)
{
  for (size_t n = 22; n <= 24; n++) {
    char text[100];
    for (int above = 0; above <= 1; above++) {
      snprintf(text, sizeof text, "%s%.*s secret\nhG72kfp0Qz9WEb7R4z5TmhyL\n", above ? "A page.\n" : "", (int)n - 1,
               "wwwwwwwwwwwwwwwwwwwwwwwww");
      CHECK_INT(is_found(text), n <= 23);
    }
  }
}

int main(void)
{
  rig_load();
  RUN(a_token_that_nothing_signs_is_one);
  RUN(an_encrypted_token_is_one);
  RUN(marks_need_their_place);
  RUN(a_key_may_be_quoted_commented_or_cut_off);
  RUN(an_escape_joins_nothing);
  RUN(keys_before_hosts_and_in_headers);
  RUN(what_a_secret_of_kubernetes_holds_is_one);
  RUN(manifests_have_limits);
  RUN(setters_have_no_operator);
  RUN(a_comparison_may_be_written_the_other_way_round);
  RUN(a_secret_of_kubernetes_may_stand_as_it_is);
  RUN(a_key_may_say_its_type_behind_its_secret);
  RUN(what_is_piped_into_a_command_may_be_a_password);
  RUN(a_password_may_stand_beside_its_word);
  RUN(what_ends_a_line_is_not_part_of_a_password);
  RUN(sentences_of_many_languages_give_secrets_away);
  RUN(words_that_say_whose_it_is_have_59_bytes_at_most);
  RUN(a_word_has_an_ending_of_6_bytes_at_most);
  RUN(a_value_has_4096_bytes_at_most);
  RUN(a_label_has_23_bytes_before_its_word_at_most);
  rig_unload();
  return test_end();
}
