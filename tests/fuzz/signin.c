/*
 * What browsers send to the control API: Host, Origin, Sec-Fetch-Site, cookies, CSRF text, and the body of a sign-in. Input: lines METHOD, Host, Origin,
 * Sec-Fetch-Site, Cookie, CSRF text, X-Forwarded-Proto; the rest is the body. "@" in the cookie and the CSRF text stand for those of a session that
 * there is.
 *
 * Nobody is let in by a host that is not ours; a change with a cookie is made only with the CSRF text and from our origin; nothing but the cookie of a
 * session or the right body makes an answer of 200; and what a Set-Cookie says cannot break out of its line.
 */
#include "api/api.h"
#include "api/guard.h"
#include "tests/fuzz/lines.h"
#include <assert.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/vedette-fuzz-signin-XXXXXX";
static const char *const hosts[] = {"soc.example"};
static struct api api;
static char csrf[SESSION_TEXT + 1];

static void remove_all(void)
{
  static const char *const files[] = {"tokens", "links", ""};
  char path[128];
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "%s/%s", dir, files[i]);
    remove(path);
  }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  unsigned char hash[crypto_hash_sha256_BYTES];
  char hex[sizeof hash * 2 + 1], line[128], path[128];
  (void)argc, (void)argv;
  assert(mkdtemp(dir) && sodium_init() >= 0);
  crypto_hash_sha256(hash, (const unsigned char *)"x2", 2);
  sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
  int n = snprintf(line, sizeof line, "admin:%s\n", hex);
  snprintf(path, sizeof path, "%s/tokens", dir);
  int fd = open(path, O_WRONLY | O_CREAT, 0600);
  assert(fd >= 0 && write(fd, line, (size_t)n) == n);
  close(fd);
  api = (struct api){.state_dir = dir,
                     .auth = auth_new(dir, &(struct session_limits){3600000000, 3600000000}, -1, NULL),
                     .hosts = hosts,
                     .n_hosts = 1,
                     .arena = vdt_arena_new((size_t)16 << 20)};
  atexit(remove_all);
  return 0;
}

/* Header values have no controls: libmicrohttpd sees to it. */
static bool plain(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) return false;
  return true;
}

static struct str fill(struct buf *b, struct str text, const char *value)
{
  for (size_t i = 0; i < text.n; i++)
    if (text.p[i] == '@') buf_put(b, str_of(value));
    else buf_byte(b, text.p[i]);
  return b->n ? buf_str(b) : (struct str){0};
}

static void check_cookie(const struct api_response *out)
{
  struct str s = str_of(out->cookie);
  bool secure = str_starts(s, STR("__Host-vedette="));
  assert(plain(s) && (secure || str_starts(s, STR("vedette="))));
  assert(str_find(s, STR("; Path=/; Max-Age=")) != (size_t)-1 && str_find(s, STR("; HttpOnly; SameSite=Strict")) != (size_t)-1);
  assert(secure == (str_find(s, STR("; Secure")) != (size_t)-1));
}

static void ask(struct api_request *r, struct str body, bool has_session)
{
  struct api_response out = {0};
  bool ours = guard_host_ok(&api, r->host), from_us = guard_origin_ok(r, true);
  bool showed = str_find(r->cookie, STR("vedette=")) != (size_t)-1;
  r->path = STR("/vedette/session");
  r->body = body;
  api_handle(&api, r, &out);
  if (!ours) assert(out.status == 421 && !out.cookie[0]);
  bool ends = str_eq(r->method, STR("DELETE")) && out.status == 204;
  if (ends)
    assert(ours && from_us && showed && has_session && r->csrf.n == SESSION_TEXT &&
           sodium_memcmp(r->csrf.p, csrf, SESSION_TEXT) == 0);
  if (str_eq(r->method, STR("GET")) && out.status == 200) assert(showed && has_session);
  if (str_eq(r->method, STR("POST")) && out.status == 200)
    assert(str_find(body, STR("x2")) != (size_t)-1 || str_find(body, STR("\\u")) != (size_t)-1);
  if (out.cookie[0]) check_cookie(&out);
  buf_finish(&out.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str text = {size ? (const char *)data : "", size};
  struct auth_grant grant;
  struct api_request r = {0};
  struct buf cookie = {0}, token = {0};
  char id[SESSION_TEXT + 1];
  struct str *fields[] = {&r.method, &r.host, &r.origin, &r.fetch_site, &r.cookie, &r.csrf, &r.forwarded_proto};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (*fields[i] = next(&text), !plain(*fields[i])) return 0;
  assert(auth_check_token(api.auth, STR("x2"), (struct str){0}, &grant) == AUTH_OK);
  auth_begin_session(api.auth, &grant, id);
  auth_csrf(api.auth, (struct str){id, SESSION_TEXT}, csrf);
  bool has = r.cookie.n && memchr(r.cookie.p, '@', r.cookie.n);
  r.cookie = fill(&cookie, r.cookie, id);
  r.csrf = fill(&token, r.csrf, csrf);
  ask(&r, text, has);
  auth_end_session(api.auth, (struct str){id, SESSION_TEXT});
  buf_finish(&cookie);
  buf_finish(&token);
  return 0;
}
