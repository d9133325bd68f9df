/* Sign-ins by redirect: what a cookie makes, that a state is taken once and for its ten minutes, and what stands in addresses and forms. */
#include "api/code_flow.h"
#include "tests/test.h"
#include <sodium.h>

enum { NOW_S = 1800000000 };

static char cookie[CODE_COOKIE + 1], state[CODE_TEXT + 1];

static enum code_answer take(struct code_flow *f, const char *c, const char *s, uint64_t now_s, size_t *provider)
{
  return code_flow_take(f, str_of(c), str_of(s), now_s, provider);
}

static void begin(struct code_flow *f, size_t provider)
{
  code_flow_begin(f, provider, NOW_S, cookie);
  code_flow_text(f, str_of(cookie), CODE_STATE, state);
}

static void a_state_is_taken_once_with_its_cookie(void)
{
  struct code_flow *f = code_flow_new();
  size_t provider = 9;
  begin(f, 3);
  CHECK_INT(strlen(cookie), CODE_COOKIE);
  CHECK_INT(strlen(state), CODE_TEXT);
  CHECK_INT(take(f, cookie, state, NOW_S, &provider), CODE_OK);
  CHECK_INT(provider, 3);
  CHECK_INT(take(f, cookie, state, NOW_S, &provider), CODE_USED);
  CHECK_INT(take(f, cookie, state, NOW_S + 1, &provider), CODE_USED);
  code_flow_free(f);
}

static void it_holds_for_ten_minutes(void)
{
  static const struct {
    uint64_t at;
    enum code_answer want;
  } times[] = {{NOW_S - 1, CODE_OVER},
               {NOW_S + CODE_LIFE_S - 1, CODE_OK},
               {NOW_S + CODE_LIFE_S, CODE_OK},
               {NOW_S + CODE_LIFE_S + 1, CODE_OVER}};
  size_t provider;
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    struct code_flow *f = code_flow_new();
    begin(f, 0);
    CHECK_INT(take(f, cookie, state, times[i].at, &provider), times[i].want);
    code_flow_free(f);
  }
}

static void one_that_is_used_is_remembered_as_long_as_it_holds(void)
{
  struct code_flow *f = code_flow_new();
  size_t provider;
  begin(f, 0);
  CHECK_INT(take(f, cookie, state, NOW_S + CODE_LIFE_S, &provider), CODE_OK);
  CHECK_INT(take(f, cookie, state, NOW_S + CODE_LIFE_S, &provider), CODE_USED);
  code_flow_free(f);
}

static void what_another_cookie_or_key_makes_is_foreign(void)
{
  struct code_flow *f = code_flow_new(), *other = code_flow_new();
  char second[CODE_COOKIE + 1], changed[CODE_COOKIE + 1];
  size_t provider;
  begin(f, 1);
  code_flow_begin(f, 1, NOW_S, second);
  CHECK(strcmp(cookie, second) != 0);
  CHECK_INT(take(f, second, state, NOW_S, &provider), CODE_FOREIGN);
  CHECK_INT(take(other, cookie, state, NOW_S, &provider), CODE_FOREIGN);
  CHECK_INT(take(f, "", state, NOW_S, &provider), CODE_FOREIGN);
  CHECK_INT(take(f, cookie, "", NOW_S, &provider), CODE_FOREIGN);
  CHECK_INT(code_flow_take(f, (struct str){cookie, CODE_COOKIE - 1}, str_of(state), NOW_S, &provider), CODE_FOREIGN);
  for (size_t i = 0; i < CODE_COOKIE; i++) {
    memcpy(changed, cookie, sizeof changed);
    changed[i] = changed[i] == '0' ? '1' : '0';
    CHECK_INT(take(f, changed, state, NOW_S, &provider), CODE_FOREIGN);
  }
  CHECK_INT(take(f, cookie, state, NOW_S, &provider), CODE_OK);
  code_flow_free(f);
  code_flow_free(other);
  code_flow_free(NULL);
}

/* At the limit the next one is refused, and none that still holds is forgotten for it. */
static void so_many_are_remembered_and_no_more(void)
{
  struct code_flow *f = code_flow_new();
  char first[CODE_COOKIE + 1], its[CODE_TEXT + 1];
  size_t provider;
  begin(f, 0);
  memcpy(first, cookie, sizeof first);
  memcpy(its, state, sizeof its);
  CHECK_INT(take(f, cookie, state, NOW_S, &provider), CODE_OK);
  for (unsigned i = 1; i < CODE_USED_MAX; i++) {
    begin(f, 0);
    CHECK_INT(take(f, cookie, state, NOW_S, &provider), CODE_OK);
  }
  begin(f, 0);
  CHECK_INT(take(f, cookie, state, NOW_S, &provider), CODE_BUSY);
  CHECK_INT(take(f, first, its, NOW_S, &provider), CODE_USED);
  code_flow_begin(f, 0, NOW_S + CODE_LIFE_S + 1, cookie);
  code_flow_text(f, str_of(cookie), CODE_STATE, state);
  CHECK_INT(take(f, cookie, state, NOW_S + CODE_LIFE_S + 1, &provider), CODE_OK);
  code_flow_free(f);
}

static void texts_of_one_cookie_say_nothing_of_each_other(void)
{
  struct code_flow *f = code_flow_new();
  char text[3][CODE_TEXT + 1];
  begin(f, 0);
  for (int i = 0; i < 3; i++) code_flow_text(f, str_of(cookie), (enum code_text)i, text[i]);
  CHECK(strcmp(text[0], text[1]) != 0 && strcmp(text[1], text[2]) != 0 && strcmp(text[0], text[2]) != 0);
  for (int i = 0; i < 3; i++)
    CHECK(strspn(text[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == CODE_TEXT);
  code_flow_free(f);
}

/* The example of RFC 7636, appendix B, says what a challenge is of a verifier: here the verifier is ours, so its hash is made anew. */
static void the_address_has_what_the_provider_needs_and_not_the_verifier(void)
{
  struct oidc_sign_in s = {.client = "a b&c",
                           .authorize = "https://i.example/a?tenant=x",
                           .redirect = "https://h/portal/",
                           .scopes = "openid profile"};
  struct code_flow *f = code_flow_new();
  struct buf url = {0}, want = {0};
  char verifier[CODE_TEXT + 1], challenge[CODE_TEXT + 1];
  unsigned char hash[crypto_hash_sha256_BYTES];
  begin(f, 0);
  code_flow_put_address(f, &s, str_of(cookie), &url);
  code_flow_text(f, str_of(cookie), CODE_VERIFIER, verifier);
  crypto_hash_sha256(hash, (const unsigned char *)verifier, CODE_TEXT);
  sodium_bin2base64(challenge, sizeof challenge, hash, sizeof hash, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  char nonce[CODE_TEXT + 1];
  code_flow_text(f, str_of(cookie), CODE_NONCE, nonce);
  buf_printf(
      &want,
      "https://i.example/a?tenant=x&response_type=code&client_id=a%%20b%%26c&redirect_uri=https%%3A%%2F%%2Fh%%2Fportal%%2F&scope="
      "openid%%20profile&state=%s&nonce=%s&code_challenge=%s&code_challenge_method=S256",
      state, nonce, challenge);
  buf_byte(&want, 0);
  CHECK_STR(buf_str(&url), want.p);
  CHECK(str_find(buf_str(&url), str_of(verifier)) == (size_t)-1);
  buf_finish(&url);
  buf_finish(&want);
  code_flow_free(f);
}

static void forms_and_sign_outs_are_encoded(void)
{
  struct oidc_sign_in s = {.client = "a b", .logout = "https://i/out", .redirect = "https://h/portal/"};
  struct buf form = {0}, out = {0};
  code_flow_put_form(&s, STR("c+/=&x\r\n"), STR("v"), &form);
  CHECK_STR(buf_str(&form),
            "grant_type=authorization_code&code=c%2B%2F%3D%26x%0D%0A&redirect_uri=https%3A%2F%2Fh%2Fportal%2F&client_id=a%20b&"
            "code_verifier=v");
  code_flow_put_logout(&s, &out);
  CHECK_STR(buf_str(&out), "https://i/out?client_id=a%20b&post_logout_redirect_uri=https%3A%2F%2Fh%2Fportal%2F");
  buf_finish(&form);
  buf_finish(&out);
}

int main(void)
{
  if (sodium_init() < 0) return 1;
  RUN(a_state_is_taken_once_with_its_cookie);
  RUN(it_holds_for_ten_minutes);
  RUN(one_that_is_used_is_remembered_as_long_as_it_holds);
  RUN(what_another_cookie_or_key_makes_is_foreign);
  RUN(so_many_are_remembered_and_no_more);
  RUN(texts_of_one_cookie_say_nothing_of_each_other);
  RUN(the_address_has_what_the_provider_needs_and_not_the_verifier);
  RUN(forms_and_sign_outs_are_encoded);
  return test_end();
}
