/*
 * Checks by themselves, without an engine: what they find, and that no cut of the text changes it. A check that answers without
 * having starved must answer as it does on the whole text.
 */
#include "detect/detect.h"
#include "tests/test.h"

struct answer {
  bool found, starved;
  struct found f;
};

static struct answer ask(check_fn *fn, const struct rule *r, struct str text, size_t gate, size_t gate_end, size_t end)
{
  struct look l = {.p = (const unsigned char *)text.p,
                   .end = end,
                   .eof = end == text.n,
                   .gate = gate,
                   .gate_end = gate_end,
                   .context = true,
                   .context_end = gate,
                   .hold = gate};
  struct answer a = {.f = {.start = gate, .end = gate_end, .confidence = r->confidence}};
  a.found = fn(r, &l, &a.f) && a.f.confidence > CONFIDENCE_SAMPLE; /* stand-ins are found, and no secrets */
  a.starved = l.starved;
  return a;
}

/* Finds the gate in the text, asks, checks that it finds `want` ("" for nothing), and asks again for every cut. */
static void expect(check_fn *fn, const struct rule *r, const char *gate_text, const char *input, const char *want)
{
  struct str text = str_of(input), gate = str_of(gate_text);
  size_t at = str_find(text, gate);
  CASE_BEGIN();
  struct answer whole = ask(fn, r, text, at, at + gate.n, text.n);
  CHECK(!whole.starved);
  CHECK_STR(whole.found ? str_cut(text, whole.f.start, whole.f.end) : STR(""), want);
  CHECK(!whole.found || whole.f.reason);
  for (size_t end = at + gate.n; end < text.n; end++) {
    struct answer part = ask(fn, r, text, at, at + gate.n, end);
    if (part.starved) continue;
    CHECK_INT(part.found, whole.found);
    CHECK(!part.found || (part.f.start == whole.f.start && part.f.end == whole.f.end));
  }
  CASE_END("%.*s", (int)strcspn(input, "\n"), input);
}

static const struct {
  const char *gate, *text, *want;
} assignments[] = {
    {"PASSWORD", "DB_PASSWORD=v9Kq2mTz!x", "v9Kq2mTz!x"},
    {"secret", "\"client_secret\": \"q8Zr-71mKx.v0Lw\",", "q8Zr-71mKx.v0Lw"},
    {"secret", "{\\\"client_secret\\\":\\\"q8Zr71mKxv0Lw\\\"}", "q8Zr71mKxv0Lw"},
    {"token", "token => 'hG72kfp0Qz'", "hG72kfp0Qz"},
    {"TOKEN", "API_TOKEN ?= hG72kfp0Qz", "hG72kfp0Qz"},
    {"TOKEN", "set(\"API_TOKEN\", \"hG72kfp0Qz\")", "hG72kfp0Qz"},
    {"Token", "<apiToken> hG72kfp0Qz </apiToken>", "hG72kfp0Qz"},
    {"password", "my password is Tr0ub4dor&3x.", "Tr0ub4dor&3x"},
    {"Password", "Server=db;Password=hG72!fp0Qz;Encrypt=yes", "hG72!fp0Qz"},
    {"token", "https://host/?token=hG72kfp0Qz&page=2", "hG72kfp0Qz"},
    {"secret", "{\"secret_key\":\"wJa9rXUt\\/K7MDENGbPx\\/RfiC\"}", "wJa9rXUt\\/K7MDENGbPx\\/RfiC"},
    {"password", "\"password\": \"K7\\\"quote9x\"", "K7\\\"quote9x"},
    {"password", "password: 'it\\'s9Xk2vq'", "it\\'s9Xk2vq"},
    {"password", "{\"password\":\"a\\\\k9Kd2xz!\"}", "a\\\\k9Kd2xz!"},
    {"password", "\"password\": \"(?=.*\\\\d)(?=.*[a-z]).{8,}\"", ""},
    {"password", "password = \"goodspec\"", "goodspec"},
    {"password", "password == \"team10\"", "team10"},
    {"password", "password == \"tea10\"", ""}, /* five are too few */
    {"password", "password == \"teamwk\"", ""},
    {"token", "token == \"team10\"", ""},
    {"Password", "- **Password:** `hG72kfp0Qz`", "hG72kfp0Qz"},
    {"key", "**API key**: `hG72kfp0QzLm`", "hG72kfp0QzLm"},
    {"password", "| password | hG72kfp0Qz |", "hG72kfp0Qz"},
    {"Password", "| **Password** | `hG72kfp0Qz` |", "hG72kfp0Qz"},
    {"Password", "<td>Password</td>\n <td>hG72kfp0Qz</td>", "hG72kfp0Qz"},
    {"Password", "<dt>Password</dt><dd>hG72kfp0Qz</dd>", "hG72kfp0Qz"},
    {"password", "\"passwords\": [\"hG72kfp0Qz\", \"x\"]", "hG72kfp0Qz"},
    {"Password", "Password for bob@corp.com is hG72kfp0Qz", "hG72kfp0Qz"},
    {"secret_access_key", "aws configure set aws_secret_access_key hG72kfp0QzLmW", "hG72kfp0QzLmW"},
    {"key", "your API key:\n\n```\nqT7mZp0Lr4XvB2nKd9WsHf3J\n```\n", "qT7mZp0Lr4XvB2nKd9WsHf3J"},
    {"key", "your API key:\n`qT7mZp0Lr4XvB2nKd9WsHf3J`\n", "qT7mZp0Lr4XvB2nKd9WsHf3J"},
    {"key", "your API key:\n\n\nqT7mZp0Lr4XvB2nKd9WsHf3J\n", ""},
    {"key", "your API key:\nqT7mZp0Lr4XvB2nKd9WsHf3J and more\n", ""},
    {"password", "password:\n  type: string42\n", ""},
    {"password", "password:\nhG72kfp0Qz\n", "hG72kfp0Qz"},
    {"password", "password:\nhg72kfpqz\n", ""}, /* too plain for a line that nothing else marks */
    {"password", "| password | string | required |", ""},
    {"Password", "| Username, Password | **Contract** | Required |", ""},
    {"passe", "| nom, mot de passe | **Obligation l\u00e9gale** |", ""},
    {"password", "| password_hash | SHA256-AES128-CBC |", ""},
    {"password", "the password | hG72kfp0Qz", "hG72kfp0Qz"},
    {"password", "password = \"anonymous\"", ""},
    {"secret", "topsecret.getboolean('ForwardX11')", ""},
    {"password", "password.equals(\"hG72kfp0Qz\")", "hG72kfp0Qz"},
    {"password", "{\"password__regex\": \"^(?=^pbkdf1).*!!!!$\"}", ""},
    {"password", "password: '\".md5($x,true).\"'", ""},
    {"credential", "credentials: adroit-crow-413218-a956eef1a2a8.json", ""},
    {"PASSWORD", "PASSWORD=hunter22", "hunter22"},
    {"password", "the password must be changed every 90 days", ""},
    {"password", "password is required here", ""},
    {"password", "password: ********", ""},
    {"secret", "secret: ${SECRET_1}", ""},
    {"secret", "secret: a-{{ vault.s1 }}", ""},
    {"token", "token = get_token(session1)", ""},
    {"token", "token = h2o__tokens + i", ""},
    {"Token", "JSON Web Token : `Base64(Header).Base64(Data)`", ""},
    {"token", "max_tokens=self.max_tokens4", ""},
    {"token", "token_url = 'a1b2c3d4e5'", ""},
    {"token", "csrf-token: a1b2c3d4e5f6", ""},
    {"apiKey", "apiKey = process.env.OPENAI_KEY1;", ""},
    {"password", "password = 'three words 4 you'", ""},
    {"token", "the :token:`grammar_1:prefix`", ""},
    {"api_key", "[\"api_key\", \"requested_model\", \"team\"]", ""},
    {"token", "a token> b1c2d3e4f5", ""},
    {"password", "$Password = Read-Host -AsSecureString", ""},
    {"Password", "User ID=app;Password=jwWntkVOHIhd;", "jwWntkVOHIhd"},
    {"Password", "User ID=app;Password=newUserHandle;", ""},
    {"password", "password: \"swordfish\"", "swordfish"},
    {"password", "password: swordfish", ""},
    {"PASSWORD", "DB_PASSWORD=whiteduke", "whiteduke"},
    {"PASSWORD", "the PASSWORD is whiteduke", ""},
    {"password", "the password is 'blooberry' or so", ""},
    {"secret", "char secret[25] = \"h-72+kfp0Qz\";", "h-72+kfp0Qz"},
    {"secret", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:Name-6Random", ""},
    {"secret", "arn:aws:x:eu-west-1:111122223333:secret:Name-6Random", ""},
};

static const struct {
  check_fn *fn;
  const char *gate, *text, *want;
} others[] = {
    {check_url_password, "://", "postgres://app:hG72kfp0Qz@db.corp:5432/x", "hG72kfp0Qz"},
    {check_url_password, "://", "mongodb://app:hG72@kf!p0@db.corp/x", "hG72@kf!p0"},
    {check_url_password, "://", "postgres://app:${PW}@db.corp/x", ""},
    {check_url_password, "://", "mysql://root:root@127.0.0.1/x", ""},
    {check_url_password, "://", "{{protocol://user[:password]@host/share}}", ""},
    {check_url_password, "://", "https://host:8080/a@b", ""},
    {check_userpass, "-u ", "curl -u 'deploy:v9Kq2mTzx1' https://h/", "v9Kq2mTzx1"},
    {check_userpass, "-u ", "curl -u deploy https://h/", ""},
    {check_userpass, "-u ", "curl -u 36b8b5996b27738c15f493d0b4fe3ae6: https://h/", "36b8b5996b27738c15f493d0b4fe3ae6"},
    {check_userpass, "-u ", "curl -u \"d2LkV78zLx1t:\" https://h/", "d2LkV78zLx1t"},
    {check_userpass, "-u ", "curl -u d2LkV78zLx1: https://h/", ""},
    {check_userpass, "-u ", "curl -u administrator: https://h/", ""},
    {check_userpass, "-u ", "curl x | ffuf -u https://target.tld/FUZZ", ""},
    {check_netrc, "password ", "machine h login build password hT8-wq71Lm\n", "hT8-wq71Lm"},
    {check_netrc, "password ", "login with your password please now", ""},

    {check_jwt, "eyJ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NyJ9.t0Qm8wKp2Lr5vXz9aBc3dEf6gHj1kMn",
     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NyJ9.t0Qm8wKp2Lr5vXz9aBc3dEf6gHj1kMn"},
    {check_jwt, "eyJ", "eyJub3QiOiJhIGp3dCJ9.eyJzdWIiOiI0NyJ9.t0Qm8wKp2Lr5vXz9aBc3dEf6gHj1kMn", ""},
    {check_pem, "-----BEGIN ", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", ""},
};

static void sums_and_decodings(void)
{
  CHECK_INT(crc32_of(STR("123456789")), 0xCBF43926); /* the check value of the polynomial's catalogue */
  unsigned char pan[] = {4, 5, 3, 9, 5, 7, 8, 7, 6, 3, 6, 2, 1, 4, 8, 6};
  CHECK(luhn(pan, 16));
  pan[15] = 7;
  CHECK(!luhn(pan, 16));
  unsigned char out[8];
  CHECK_INT(base64_decode(STR("YWI_"), out, 8), 3);
  CHECK_INT(base64_decode(STR("YW=I"), out, 8), -1);
}

static void letters_at_random(void)
{
  CHECK(cases_fall_at_random(STR("jwWntkVOHIhd")));
  CHECK(cases_fall_at_random(STR("GhjtGxkMge")) && !cases_fall_at_random(STR("GhjtGxkMg"))); /* ten letters, and nine */
  CHECK(!cases_fall_at_random(STR("getUserNameById")) && !cases_fall_at_random(STR("XMLHttpRequestStr")));
  CHECK(!cases_fall_at_random(STR("PASSWORDSTRENGTH")) && !cases_fall_at_random(STR("thequickbrownfox")));
  CHECK_INT(shape_of(STR("GhjtGxkMgejkPQrzXcVb")), SHAPE_RANDOM);
  CHECK_INT(shape_of(STR("configurationManager")), SHAPE_NONE);
}

/* What joins user and password in other commands, and that only an option behind them tells "net user" from a sentence. */
static void joined_by_other_marks(void)
{
  struct rule percent = {.mark = STR("%"), .confidence = 75, .words = -1},
              blank = {.mark = STR(" "), .confidence = 75, .words = -1};
  expect(check_userpass, &percent, "-U ", "smbclient -U app%RkPSj1u7x7ha", "RkPSj1u7x7ha");
  expect(check_userpass, &percent, "-U ", "psql -U app db", "");
  expect(check_userpass, &blank, "net user ", "net user bob dmFMiZuv9 /add", "dmFMiZuv9");
  expect(check_userpass, &blank, "net user ", "net user of 24kWh2 a day", "");
}

static void placeholders(void)
{
  static const char *const yes[] = {"<token>",    "${TOKEN}", "xxxxxxxx", "changeme", "YOUR_KEY",
                                    "$NAME",      "12345678", "x1234ab",  "abcd1234", "sk-12345",
                                    "abc123...",  "a1${B}c2", "{{ x }}",  "%TOKEN%",  "AKIAIOSFODNN7EXAMPLE",
                                    "aaaaaaaaab", "password"};
  static const char *const no[] = {"v9Kq2mTz!x", "hG72kfp0Qz", "m{{h}o)p9", "Tr0ub4dor&3x", "4ian1234"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
    if (!is_placeholder(str_of(yes[i]))) CHECK_STR(str_of(yes[i]), "a placeholder");
  for (size_t i = 0; i < sizeof no / sizeof *no; i++)
    if (is_placeholder(str_of(no[i]))) CHECK_STR(str_of(no[i]), "no placeholder");
}

/* In a stream that ends here, how much of the text would be held back? Prose must flow. */
static size_t held(check_fn *fn, const struct rule *r, const char *gate_text, const char *input)
{
  struct str text = str_of(input), gate = str_of(gate_text);
  size_t at = str_find(text, gate);
  struct look l = {.p = (const unsigned char *)text.p,
                   .end = text.n,
                   .gate = at,
                   .gate_end = at + gate.n,
                   .context = true,
                   .hold = at + gate.n};
  struct found f = {.start = at, .end = at + gate.n, .confidence = 75};
  fn(r, &l, &f);
  return l.starved ? (size_t)(text.n - l.hold) : 0;
}

static void prose_is_not_held_back(void)
{
  struct rule r = {.min = 32, .max = 40, .confidence = 75};
  CHECK_INT(held(check_assignment, &r, "password", "the password must"),
            4); /* the word right behind it may be the password itself */
  CHECK_INT(held(check_assignment, &r, "password", "the password must be"), 0);
  CHECK_INT(held(check_assignment, &r, "token", "two tokenizers_of_text"), 0);
  CHECK_INT(held(check_keyed, &r, "datadog", "we use datadog and a pager for our"), 0);
  CHECK_INT(held(check_url_password, &r, "://", "see https://docs.corp.example"), 0);
  CHECK_INT(held(check_userpass, &r, "-u ", "curl -u administrator"), 13); /* a colon may follow: it may be the key itself */
  CHECK_INT(held(check_assignment, &r, "password", "my password is hG72kf"), 6);
}

/* Each whole, then with one character changed at every place: no change passes. (Chance lets one of 4 thousand million through.) */
static unsigned changed_and_right(struct str s, bool (*test)(struct str))
{
  unsigned right = 0;
  char copy[128];
  CHECK(s.n < sizeof copy && test(s));
  for (size_t i = 0; i < s.n; i++) {
    memcpy(copy, s.p, s.n);
    copy[i] = copy[i] == '7' ? '8' : '7';
    right += test((struct str){copy, s.n});
  }
  CHECK(!test(str_cut(s, 0, s.n - 1)));
  CHECK(!test(str_cut(s, 1, s.n)));
  CHECK(!test(STR("")));
  return right;
}

static bool xrp(struct str s)
{
  return ripple_checks(s, 0, 20);
}

static bool xrp_seed(struct str s)
{
  return ripple_checks(s, 33, 16);
}

static bool xlm(struct str s)
{
  return stellar_checks(s, 'G');
}

static bool xlm_seed(struct str s)
{
  return stellar_checks(s, 'S');
}

static void coins(void)
{
  static const struct {
    struct str text;
    bool (*test)(struct str);
  } v[] = {
      {STR("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"), xrp}, /* the ledger's first account */
      {STR("rNEG11nLFXiUDhcsPpx7vn3YKAWp36rEmG"), xrp},
      {STR("sshhkfKojCxSUGWNWsEtnj53MEGdM"), xrp_seed},
      {STR("sEdSCskproK3sjYJETRUYfpGNZeytig"), ripple_seed_checks},
      {STR("GBJF5SQ5KCE5XXF3M4ANSEGF4C6CH65KEPXAE3AOEJGCWRKJBZPSTEIR"), xlm},
      {STR("SBJF5SQ5KCE5XXF3M4ANSEGF4C6CH65KEPXAE3AOEJGCWRKJBZPSSA3O"), xlm_seed},
      {STR("49JPm8Vt5PSaxA2eRHWb8wDzM1Woj9y3TLByQTTTS3KdYKVNGye77gkDQr3uxQZL1v9nm7sUSmC4bDWbxJoppk6BJj7jNq5"), monero_checks},
      {STR("4K14mwKNgexaxA2eRHWb8wDzM1Woj9y3TLByQTTTS3KdYKVNGye77gkDQr3uxQZL1v9nm7sUSmC4bDWbxJoppk6BTHxjjGpJXVp7Q3JN9D"),
       monero_checks},
      {STR("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), ethereum_checks}, /* of EIP-55 itself, and the next */
      {STR("fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"), ethereum_checks},
  };
  for (size_t i = 0; i < sizeof v / sizeof *v; i++) CHECK_INT(changed_and_right(v[i].text, v[i].test), 0);
  CHECK(ethereum_checks(STR("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")));
  CHECK(ethereum_checks(STR("5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED")));
  CHECK(!ethereum_checks(STR("5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed")));
  CHECK(!xrp_seed(STR("rNEG11nLFXiUDhcsPpx7vn3YKAWp36rEmG")));
  CHECK(!xlm_seed(STR("GBJF5SQ5KCE5XXF3M4ANSEGF4C6CH65KEPXAE3AOEJGCWRKJBZPSTEIR")));
}

int main(void)
{
  struct rule r = {.min = 8, .entropy = 2.8, .confidence = 75};
  for (size_t i = 0; i < sizeof assignments / sizeof *assignments; i++)
    expect(check_assignment, &r, assignments[i].gate, assignments[i].text, assignments[i].want);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    expect(others[i].fn, &r, others[i].gate, others[i].text, others[i].want);
  joined_by_other_marks();
  RUN(letters_at_random);
  RUN(sums_and_decodings);
  RUN(coins);
  RUN(placeholders);
  RUN(prose_is_not_held_back);
  return test_end();
}
