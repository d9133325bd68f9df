/* From a path to its handler: matching, authentication, the version. What may be said to whom is decided here, once, for all routes. */
#include "api/api.h"
#include "api/aside.h"
#include "api/glass.h"
#include "api/guard.h"
#include "api/signin.h"
#include "base/quote.h"
#include <stdarg.h>

enum family { NONE, ALERTS, SUPPRESSION, PRICINGS, WORKSPACES };
static const struct {
  enum family family;
  const char *text;
} versions[] = {
#define X(family, version) {family, version},
#include "api/versions.def"
#undef X
};

struct route {
  const char *method, *template;
  enum auth_role role;
  enum family versions;
  api_handler *handler;
  int argument;
};

static const struct route routes[] = {
#define X(method, template, role, versions, handler, argument) {method, template, role, versions, api_##handler, argument},
#include "api/routes.def"
#undef X
};
enum { ROUTES = sizeof routes / sizeof *routes };

void api_error(struct api_response *response, unsigned status, const char *code, const char *fmt, ...)
{
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  buf_reset(&response->body);
  response->status = status;
  response->type = "application/json; charset=utf-8";
  buf_printf(&response->body, "{\"error\":{\"code\":\"%s\",\"message\":", code);
  json_quote(&response->body, str_of(text));
  BUF_LIT(&response->body, "}}");
}

/* ---- matching --------------------------------------------------------------------------------------------------- */

static struct str next_segment(struct str *path)
{
  struct str s = str_cut(*path, 1, path->n);
  const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
  size_t n = slash ? (size_t)(slash - s.p) : s.n;
  *path = str_cut(s, n, s.n);
  return str_cut(s, 0, n);
}

static void bind(struct api_request *r, struct str variable, struct str value)
{
  if (str_eq(variable, STR("{sub}"))) r->sub = value;
  else if (str_eq(variable, STR("{rg}"))) r->rg = value;
  else if (str_eq(variable, STR("{loc}"))) r->loc = value;
  else if (str_eq(variable, STR("{ws}"))) r->ws = value;
  else r->name = value;
}

static bool match(struct str template, struct api_request *r)
{
  struct str path = r->path;
  r->sub = r->rg = r->loc = r->ws = r->name = (struct str){0};
  while (template.n && path.n && path.p[0] == '/') {
    struct str want = next_segment(&template), have = next_segment(&path);
    bool variable = want.n && want.p[0] == '{';
    if (variable ? have.n == 0 || have.n > 256 : !str_ieq(want, have)) return false;
    if (variable) bind(r, want, have);
  }
  return template.n == 0 && path.n == 0;
}

/* NULL with the methods that the path takes when only the method is wrong. */
static const struct route *find(struct api_request *r, char allow[32])
{
  size_t n = 0;
  allow[0] = 0;
  for (size_t i = 0; i < ROUTES; i++) {
    if (!match(str_of(routes[i].template), r)) continue;
    if (str_eq(r->method, str_of(routes[i].method))) return &routes[i];
    if (!strstr(allow, routes[i].method) && n < 20)
      n += (size_t)snprintf(allow + n, 32 - n, "%s%s", n ? ", " : "", routes[i].method);
  }
  return NULL;
}

/* ---- dispatch --------------------------------------------------------------------------------------------------- */

/* A token in Authorization, else what a sign-in has in its body, else the cookie. */
static enum auth_answer authenticate(struct api *api, struct api_request *r, const struct route *route, struct auth_grant *grant,
                                     struct api_response *response)
{
  if (r->authorization.n) return auth_check(api->auth, r->authorization, r->source, grant);
  if (route && route->handler == api_session_begin) return signin_check_body(api, r, grant, response);
  r->session = guard_cookie(r);
  return auth_check_session(api->auth, r->session, grant);
}

static bool role_ok(enum auth_role least, enum auth_role has)
{
  return least == AUTH_EVIDENCE ? auth_sees_evidence(has) : has >= least;
}

static bool forbidden(enum auth_role least, enum auth_role has, struct api_response *response)
{
  api_error(response, 403, "AuthorizationFailed", "This takes the role %s; this token has %s.", token_role_name(least),
            token_role_name(has));
  return false;
}

/* An operator may come by break-glass to where evidence is; whether it is open is seen once the workspaces are known. */
static bool may_break(const struct route *route, enum auth_role has)
{
  return route && route->role == AUTH_EVIDENCE && has >= AUTH_OPERATOR;
}

static bool authorised(struct api *api, struct api_request *r, const struct route *route, struct auth_grant *grant,
                       struct api_response *response)
{
  enum auth_role least = route ? route->role : AUTH_READER;
  if (least == AUTH_NONE) return true;
  enum auth_answer answer = authenticate(api, r, route, grant, response);
  snprintf(r->who, sizeof r->who, "%s:%s", grant->until_us ? "oidc" : "api", grant->name);
  r->grant = grant;
  r->evidence = auth_sees_evidence(grant->role) && !r->without_evidence;
  response->retry_after_s = grant->wait_s;
  if (response->status >= 400) return false;
  if (answer == AUTH_SLOW)
    api_error(response, 429, "TooManyRequests", "Too many tokens that are none came from here; try again in %u s.",
              grant->wait_s);
  else if (answer == AUTH_UNKNOWN)
    api_error(response, 401, "AuthenticationFailed",
              "A valid bearer token is needed, or a session; the token of the administrator is in the file "
              "admin.token of the state folder.");
  else if (r->session.n && !guard_session_ok(api, r, response)) return false;
  else if (!role_ok(least, grant->role) && !may_break(route, grant->role)) return forbidden(least, grant->role, response);
  else return true;
  return false;
}

/* Suppression rules and plans are of subscriptions, which can have deployments in every workspace; a state folder has all of them. */
static bool is_wide(const struct route *route)
{
  return route && (route->versions == SUPPRESSION || route->versions == PRICINGS || route->handler == api_data_verify_get ||
                   route->handler == api_data_verify_begin);
}

/* Handlers that go through its workspaces cannot meet another. */
bool api_narrow(const struct api *api, struct str workspaces, struct api *out, struct api_response *response)
{
  *out = *api;
  if (str_eq(workspaces, STR("*"))) return true;
  struct store **stores = arena_zalloc(api->arena, api->n_stores + 1, sizeof(*stores));
  if (!stores) api_error(response, 503, "ServiceUnavailable", "Out of memory.");
  if (!stores) return false;
  out->stores = stores;
  out->n_stores = 0;
  for (size_t i = 0; i < api->n_stores; i++)
    if (token_reaches(workspaces, api->stores[i]->place.workspace)) stores[out->n_stores++] = api->stores[i];
  if (!out->n_stores) api_error(response, 403, "AuthorizationFailed", "None of this token's workspaces is here.");
  return out->n_stores > 0;
}

/* The API as the token may see it. */
static bool narrow(const struct api *api, const struct route *route, struct str workspaces, struct api *out,
                   struct api_response *response)
{
  *out = *api;
  if (!route || route->role == AUTH_NONE || str_eq(workspaces, STR("*"))) return true;
  if (is_wide(route)) {
    api_error(response, 403, "AuthorizationFailed", "This holds for every workspace and takes a token for all of them.");
    return false;
  }
  return api_narrow(api, workspaces, out, response);
}

static bool version_ok(const struct api_request *r, enum family family, struct api_response *response)
{
  const char *newest = NULL;
  for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
    if (versions[i].family != family) continue;
    if (str_eq(r->api_version, str_of(versions[i].text))) return true;
    if (!newest) newest = versions[i].text;
  }
  if (!newest) return true;
  if (r->api_version.n == 0)
    api_error(response, 400, "MissingApiVersionParameter",
              "The api-version query parameter is required; the supported version is %s.", newest);
  else
    api_error(response, 400, "InvalidApiVersionParameter", "This api-version is not supported; the supported version is %s.",
              newest);
  return false;
}

/* Alerts are where evidence is: there break-glass counts, and without it an operator is turned back where nothing else is. */
static bool evidence_allowed(struct api *api, struct api_request *r, const struct route *route, struct api_response *response)
{
  if (route->versions != ALERTS || !str_eq(r->method, STR("GET"))) return true;
  if (!glass_apply(api, r, response)) return false;
  return role_ok(route->role, r->grant->role) || r->glass || forbidden(route->role, r->grant->role, response);
}

static void answer_aside(struct aside *a, api_handler *handler, const struct api *scoped, const struct api_request *r,
                         struct api_response *response)
{
  response->work = aside_work(a, handler, scoped, r);
  if (!response->work) api_error(response, 503, "ServiceUnavailable", "Out of memory.");
}

void api_handle(struct api *api, struct api_request *r, struct api_response *response)
{
  const struct route *route = find(r, response->allow);
  vdt_arena_reset(api->arena);
  response->status = 200;
  struct auth_grant grant = {0};
  struct api scoped;
  if (!guard_host_ok(api, r->host)) {
    api_error(response, 421, "MisdirectedRequest",
              "This host is not known here; name it under control.hosts of the configuration, or use an address.");
    return;
  }
  if (!authorised(api, r, route, &grant, response)) return;
  if (r->too_many_arguments) {
    api_error(response, 400, "InvalidQueryParameter", "A query may have %d parameters.", API_ARGUMENTS);
    return;
  }
  if (!narrow(api, route, str_of(grant.workspaces), &scoped, response)) return;
  if (route) {
    if (!version_ok(r, route->versions, response)) return;
    r->argument = route->argument;
    if (!evidence_allowed(&scoped, r, route, response)) return;
    if (aside_takes(api->aside, route->handler)) answer_aside(api->aside, route->handler, &scoped, r, response);
    else route->handler(&scoped, r, response);
  } else if (response->allow[0]) {
    api_error(response, 405, "MethodNotAllowed", "This resource takes %s only.", response->allow);
  } else {
    api_error(response, 404, "InvalidResourceType", "There is no such resource.");
  }
  if (response->body.failed) api_error(response, 503, "ServiceUnavailable", "Out of memory.");
}
