/* A client's credential: told apart by a keyed hash, access tokens by whom they are for. */
#include "gateway/credential.h"
#include "base/buf.h"
#include "tests/test.h"
#include <sodium.h>

static const unsigned char KEY_A[32] = "one installation", KEY_B[32] = "another";
static struct vdt_arena *arena;

struct identity {
  char id[CREDENTIAL_ID + 1];
  const char *kind;
};

static struct identity of(const unsigned char key[32], const char *authorization, const char *api_key)
{
  struct identity i;
  i.kind = credential_identify(key, str_of(authorization), str_of(api_key), arena, i.id);
  return i;
}

/* "Bearer HEAD.CLAIMS.SIGNATURE" of these claims. */
static const char *token(const char *claims, const char *signature)
{
  char body[4096];
  sodium_bin2base64(body, sizeof body, (const unsigned char *)claims, strlen(claims), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  return arena_printf(arena, "Bearer eyJhbGciOiJSUzI1NiJ9.%s.%s", body, signature);
}

static bool same(struct identity a, struct identity b)
{
  return strcmp(a.id, b.id) == 0;
}

static bool is_kind(struct identity i, const char *kind)
{
  return i.kind && strcmp(i.kind, kind) == 0 && strlen(i.id) == CREDENTIAL_ID;
}

static void a_key_is_the_same_in_either_header(void)
{
  struct identity a = of(KEY_A, "Bearer k-1", NULL);
  CHECK(is_kind(a, "key"));
  CHECK(same(a, of(KEY_A, NULL, "k-1")) && same(a, of(KEY_A, "bearer   k-1", NULL)) && same(a, of(KEY_A, "Bearer k-1", "k-2")));
  CHECK(!same(a, of(KEY_A, NULL, "k-2")) && !same(a, of(KEY_A, NULL, "k-1 ")) && !same(a, of(KEY_B, NULL, "k-1")));
}

static void none_is_none(void)
{
  CHECK(!of(KEY_A, NULL, NULL).kind && !of(KEY_A, "", "").kind && of(KEY_A, NULL, NULL).id[0] == 0);
}

static void a_token_is_whom_it_is_for(void)
{
  struct identity a = of(KEY_A, token("{\"tid\":\"t\",\"oid\":\"anna\",\"appid\":\"shop\",\"exp\":1}", "sig-1"), NULL);
  CHECK(is_kind(a, "token"));
  CHECK(
      same(a, of(KEY_A, token("{\"exp\":2,\"appid\":\"shop\",\"oid\":\"anna\",\"tid\":\"t\",\"aud\":[\"x\"]}", "sig-2"), NULL)));
  static const char *const others[] = {
      "{\"tid\":\"t\",\"oid\":\"berta\",\"appid\":\"shop\"}", "{\"tid\":\"u\",\"oid\":\"anna\",\"appid\":\"shop\"}",
      "{\"tid\":\"t\",\"oid\":\"anna\",\"appid\":\"web\"}", "{\"tid\":\"t\",\"sub\":\"anna\",\"appid\":\"shop\"}",
      "{\"tid\":\"t\",\"oid\":\"annashop\",\"appid\":\"\"}"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    struct identity b = of(KEY_A, token(others[i], "sig-1"), NULL);
    CHECK(is_kind(b, "token") && !same(a, b));
  }
  CHECK(!same(a, of(KEY_B, token("{\"tid\":\"t\",\"oid\":\"anna\",\"appid\":\"shop\"}", "s"), NULL)));
}

/* What cannot be read as a token of somebody is a key like any other, told by all of its bytes. */
static void what_is_no_token_is_a_key(void)
{
  static const char *const claims[] = {"",
                                       "{}",
                                       "{\"tid\":\"t\"}",
                                       "{\"sub\":\"\"}",
                                       "{\"sub\":5}",
                                       "[\"sub\"]",
                                       "null",
                                       "{\"sub\":\"a\",\"sub\":\"b\"}",
                                       "{\"sub\":\"a\"",
                                       "{\"sub\":\"\\ud800\"}",
                                       "{\"sub\":\"a\",\"x\":[[[[[[[[[]]]]]]]]]}"};
  for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
    struct identity a = of(KEY_A, token(claims[i], "sig-1"), NULL), b = of(KEY_A, token(claims[i], "sig-2"), NULL);
    CHECK(is_kind(a, "key") && is_kind(b, "key") && !same(a, b));
  }
  static const char *const odd[] = {"Bearer eyJ",        "Bearer eyJ.", "Bearer eyJ..",    "Bearer eyJ.e30", "Bearer eyJ.!!!.x",
                                    "Bearer eyJ.e30=.x", "Bearer ..",   "Basic eyJ.e30.x", "Bearer"};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) CHECK(is_kind(of(KEY_A, odd[i], NULL), "key"));
}

/* One that is longer than any that is issued is not taken apart. */
static void the_longest_token(void)
{
  for (int more = 0; more <= 1; more++) {
    struct buf b = {0};
    buf_put(&b, str_of(token("{\"sub\":\"a\"}", "")));
    while (b.n < 7 + 16384 + (size_t)more) buf_byte(&b, 's');
    const char *kind = credential_identify(KEY_A, buf_str(&b), (struct str){0}, arena, (char[CREDENTIAL_ID + 1]){0});
    CHECK_STR(str_of(kind), more ? "key" : "token");
    buf_finish(&b);
  }
}

int main(void)
{
  arena = vdt_arena_new(0);
  if (sodium_init() < 0) return 1;
  RUN(a_key_is_the_same_in_either_header);
  RUN(none_is_none);
  RUN(a_token_is_whom_it_is_for);
  RUN(what_is_no_token_is_a_key);
  RUN(the_longest_token);
  vdt_arena_free(arena);
  return test_end();
}
