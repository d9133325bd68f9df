/*
 * The cookie of a sign-in by redirect, and the state that a browser brings with it. Input: lines COOKIE, STATE, what the address or form holds; "@" alone
 * stands for a cookie that was begun here, "#" for the state that the cookie makes.
 *
 * No state is taken but that of its cookie, in its ten minutes, once; none of another process; what came of it names a provider that there can be; and
 * what goes into an address or a form cannot break out of its place.
 */
#include "api/code_flow.h"
#include "tests/fuzz/lines.h"
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_S = 1800000000, PROVIDERS = 16 };
static const struct oidc_sign_in sign_in = {.client = "portal & co",
                                            .authorize = "https://login.example/authorize?tenant=1",
                                            .token = "https://login.example/token",
                                            .logout = "https://login.example/logout",
                                            .redirect = "https://soc.example/portal/",
                                            .scopes = "openid profile"};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  assert(sodium_init() >= 0);
  return 0;
}

/* Every time that the cookie can hold at, and one on either side. */
static void take(struct code_flow *f, struct code_flow *other, struct str cookie, struct str state, bool ours)
{
  char want[CODE_TEXT + 1];
  size_t provider = PROVIDERS;
  code_flow_text(f, cookie, CODE_STATE, want);
  bool is_its = state.n == CODE_TEXT && memcmp(state.p, want, CODE_TEXT) == 0;
  static const int64_t at[] = {-1, CODE_LIFE_S + 1, 0, CODE_LIFE_S};
  bool taken = false;
  for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
    enum code_answer a = code_flow_take(f, cookie, state, (uint64_t)(NOW_S + at[i]), &provider);
    assert(provider < PROVIDERS);
    if (!is_its) assert(a == CODE_FOREIGN);
    if (ours && is_its) assert(a == (i < 2 ? CODE_OVER : i == 2 ? CODE_OK : CODE_USED));
    assert(a != CODE_OK || (cookie.n == CODE_COOKIE && !taken));
    taken |= a == CODE_OK;
    assert(code_flow_take(other, cookie, state, (uint64_t)(NOW_S + at[i]), &provider) == CODE_FOREIGN);
  }
}

static void check_pairs(const struct buf *b, size_t from)
{
  assert(!b->failed);
  for (size_t i = from; i < b->n; i++) {
    char c = b->p[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~%=&", c);
    assert(plain && c);
  }
}

static size_t count(const struct buf *b, char c)
{
  size_t n = 0;
  for (size_t i = 0; i < b->n; i++) n += b->p[i] == c;
  return n;
}

static void write_down(const struct code_flow *f, struct str cookie, struct str text)
{
  struct buf address = {0}, form = {0};
  char verifier[CODE_TEXT + 1];
  code_flow_put_address(f, &sign_in, cookie, &address);
  check_pairs(&address, strlen(sign_in.authorize) + 1);
  assert(count(&address, '&') == 8 && count(&address, '=') == 9);
  code_flow_text(f, cookie, CODE_VERIFIER, verifier);
  code_flow_put_form(&sign_in, text, str_of(verifier), &form);
  check_pairs(&form, 0);
  assert(count(&form, '&') == 4 && count(&form, '=') == 5);
  buf_finish(&address);
  buf_finish(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str text = {size ? (const char *)data : "", size};
  char begun[CODE_COOKIE + 1], made[CODE_TEXT + 1];
  struct code_flow *f = code_flow_new(), *other = code_flow_new();
  assert(f && other);
  code_flow_begin(f, size, NOW_S, begun);
  struct str cookie = next(&text), state = next(&text);
  bool ours = str_eq(cookie, STR("@"));
  if (ours) cookie = (struct str){begun, CODE_COOKIE};
  code_flow_text(f, cookie, CODE_STATE, made);
  if (str_eq(state, STR("#"))) state = (struct str){made, CODE_TEXT};
  take(f, other, cookie, state, ours);
  write_down(f, cookie, text);
  code_flow_free(f);
  code_flow_free(other);
  return 0;
}
