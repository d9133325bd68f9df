/* Host, Origin, Sec-Fetch-Site, cookie and CSRF text, see guard.h. Reads heads of requests only. */
#include "api/guard.h"
#include <arpa/inet.h>
#include <sodium.h>

/* __Host- is kept by browsers only with Secure, Path=/ and no Domain: no other site of the domain can plant it. Without TLS there is no such thing. */
#define COOKIE        "vedette"
#define COOKIE_SECURE "__Host-vedette"
#define SIGNIN        "vedette-signin"
#define SIGNIN_SECURE "__Host-vedette-signin"

static bool is_address(struct str host)
{
  char text[INET6_ADDRSTRLEN];
  unsigned char bytes[16];
  bool six = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
  struct str s = six ? str_cut(host, 1, host.n - 1) : host;
  if (s.n == 0 || s.n >= sizeof text) return false;
  memcpy(text, s.p, s.n);
  text[s.n] = 0;
  return strlen(text) == s.n && inet_pton(six ? AF_INET6 : AF_INET, text, bytes) == 1;
}

static bool digits(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] < '0' || s.p[i] > '9') return false;
  return s.n > 0 && s.n <= 5;
}

/* Without its port. false: what follows is no port. */
static bool cut_port(struct str *host)
{
  size_t n = host->n, from = host->n && host->p[0] == '[' ? str_find(*host, STR("]")) : 0;
  if (from == (size_t)-1) return false;
  for (size_t i = from; i < n; i++) {
    if (host->p[i] != ':') continue;
    bool ok = digits(str_cut(*host, i + 1, n));
    *host = str_cut(*host, 0, i);
    return ok;
  }
  return true;
}

bool guard_host_ok(const struct api *api, struct str host)
{
  if (!cut_port(&host) || !host.n) return false;
  if (str_ieq(host, STR("localhost")) || is_address(host)) return true;
  for (size_t i = 0; i < api->n_hosts; i++)
    if (str_ieq(host, str_of(api->hosts[i]))) return true;
  return false;
}

static bool is_https(const struct api_request *r)
{
  return str_ieq(r->forwarded_proto, STR("https"));
}

/* TLS may end in front of our nginx: an https origin of our host is ours in any case, an http one only when we speak http. */
static bool is_ours(const struct api_request *r)
{
  struct str origin = r->origin;
  bool https = str_starts(origin, STR("https://"));
  if (!https && (is_https(r) || !str_starts(origin, STR("http://")))) return false;
  return r->host.n && str_ieq(str_cut(origin, https ? 8 : 7, origin.n), r->host);
}

bool guard_origin_ok(const struct api_request *r, bool strict)
{
  bool same = str_eq(r->fetch_site, STR("same-origin"));
  if (r->fetch_site.n && !same && (strict || !str_eq(r->fetch_site, STR("none")))) return false;
  if (r->origin.n && !is_ours(r)) return false;
  return !strict || same || r->origin.n;
}

static struct str find_cookie(struct str all, struct str name)
{
  struct str found = {0};
  unsigned n = 0;
  while (all.n) {
    const char *end = memchr(all.p, ';', all.n);
    struct str one = str_cut(all, 0, end ? (size_t)(end - all.p) : all.n);
    all = str_cut(all, end ? one.n + 1 : one.n, all.n);
    while (one.n && one.p[0] == ' ') one = str_cut(one, 1, one.n);
    if (!str_starts(one, name) || one.n == name.n || one.p[name.n] != '=') continue;
    found = str_cut(one, name.n + 1, one.n);
    n++;
  }
  return n == 1 ? found : (struct str){0};
}

static struct str read_cookie(const struct api_request *r, struct str secure, struct str plain)
{
  struct str s = find_cookie(r->cookie, secure);
  return s.n || is_https(r) ? s : find_cookie(r->cookie, plain);
}

static void put_cookie(const struct api_request *r, const char *secure_name, const char *plain_name, struct str value,
                       uint64_t seconds, char out[API_COOKIE])
{
  bool secure = is_https(r) || (str_starts(r->origin, STR("https://")) && is_ours(r));
  snprintf(out, API_COOKIE, "%s=%.*s; Path=/; Max-Age=%llu; HttpOnly; SameSite=Strict%s", secure ? secure_name : plain_name,
           (int)value.n, value.n ? value.p : "", (unsigned long long)seconds, secure ? "; Secure" : "");
}

struct str guard_cookie(const struct api_request *r)
{
  return read_cookie(r, STR(COOKIE_SECURE), STR(COOKIE));
}

void guard_set_cookie(const struct api_request *r, struct str value, uint64_t seconds, struct api_response *response)
{
  put_cookie(r, COOKIE_SECURE, COOKIE, value, seconds, response->cookie);
}

struct str guard_signin_cookie(const struct api_request *r)
{
  return read_cookie(r, STR(SIGNIN_SECURE), STR(SIGNIN));
}

void guard_set_signin_cookie(const struct api_request *r, struct str value, uint64_t seconds, struct api_response *response)
{
  put_cookie(r, SIGNIN_SECURE, SIGNIN, value, seconds, response->signin_cookie);
}

bool guard_session_ok(const struct api *api, const struct api_request *r, struct api_response *response)
{
  char want[SESSION_TEXT + 1];
  bool reads = str_eq(r->method, STR("GET")) || str_eq(r->method, STR("HEAD"));
  if (!guard_origin_ok(r, !reads)) {
    api_error(response, 403, "CrossOriginRequest", "A session can be used by the pages of this portal only.");
    return false;
  }
  if (reads) return true;
  auth_csrf(api->auth, r->session, want);
  if (r->csrf.n == SESSION_TEXT && sodium_memcmp(r->csrf.p, want, SESSION_TEXT) == 0) return true;
  api_error(response, 403, "CsrfTokenInvalid",
            "What changes something with a session needs the header %s with the csrfToken of GET /vedette/session.",
            GUARD_CSRF_HEADER);
  return false;
}
