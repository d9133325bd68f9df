/* /vedette/session: begins, shows and ends sessions. It hands out a cookie and what pages need to know; who may what is auth.c's. */
#include "api/answer.h"
#include "api/code_flow.h"
#include "api/glass.h"
#include "api/guard.h"
#include "api/signin.h"
#include "base/clock.h"
#include "base/quote.h"

enum { TOKEN_MAX_BYTES = 16384 };

enum auth_answer signin_check_body(struct api *api, struct api_request *r, struct auth_grant *out, struct api_response *response)
{
  struct json_doc doc;
  struct str token, once;
  if (!api_body(api, r, response, &doc) || !api_text(api, response, &doc, 0, "token", TOKEN_MAX_BYTES, &token) ||
      !api_text(api, response, &doc, 0, "once", TOKEN_MAX_BYTES, &once))
    return AUTH_UNKNOWN;
  r->by_link = once.n > 0;
  if (!once.n) return auth_check_token(api->auth, token, r->source, out);
  return auth_check_link(api->auth, once, r->source, out);
}

/* ---- what is answered ------------------------------------------------------------------------------------------- */

static void put_time(struct buf *b, const char *name, uint64_t unix_us)
{
  char text[CLOCK_TEXT];
  clock_format(unix_us, text);
  api_put_member(b, name, str_of(text));
}

static void put_workspaces(const struct api *api, struct buf *b)
{
  BUF_LIT(b, ",\"workspaces\":[");
  for (size_t i = 0; i < api->n_stores; i++) {
    if (i) buf_byte(b, ',');
    BUF_LIT(b, "{\"name\":");
    json_quote(b, api->stores[i]->place.workspace);
    api_put_member(b, "region", api->stores[i]->place.region);
    buf_byte(b, '}');
  }
  buf_byte(b, ']');
}

static const char *yes(bool b)
{
  return b ? "true" : "false";
}

static void put_glass(const struct api *api, const struct auth_grant *g, struct buf *b)
{
  bool allowed = api->glass && api->glass->for_us && g->role >= AUTH_OPERATOR;
  uint64_t until = allowed ? glass_until(api->glass, g) : 0;
  buf_printf(b, ",\"breakGlass\":{\"allowed\":%s", yes(allowed));
  if (until) put_time(b, "untilUtc", until);
  buf_byte(b, '}');
}

static void put_session(const struct api *api, const struct api_request *r, struct api_response *response)
{
  const struct auth_grant *g = r->grant;
  struct buf *b = &response->body;
  char csrf[SESSION_TEXT + 1];
  response->type = API_JSON;
  BUF_LIT(b, "{\"name\":");
  json_quote(b, str_of(g->name));
  api_put_member(b, "role", str_of(token_role_name(g->role)));
  put_workspaces(api, b);
  buf_printf(b, ",\"allWorkspaces\":%s,\"may\":{\"readEvidence\":%s,\"changeAlerts\":%s,\"administer\":%s}",
             yes(str_eq(str_of(g->workspaces), STR("*"))), yes(auth_sees_evidence(g->role)), yes(g->role >= AUTH_OPERATOR),
             yes(g->role >= AUTH_ADMIN));
  put_glass(api, g, b);
  put_time(b, "serverTimeUtc", clock_unix_us());
  if (r->session.n) {
    auth_csrf(api->auth, r->session, csrf);
    api_put_member(b, "csrfToken", str_of(csrf));
    put_time(b, "expiresUtc", g->ends_us);
  }
  buf_byte(b, '}');
}

/* Signing in is no reading: it is not refused when the log cannot be written, as then nobody could look why. */
static void note(const struct api *api, const struct api_request *r, struct str what, struct str detail)
{
  struct store_audit a = {.who = str_of(r->who), .what = what, .target = str_of(r->grant->name), .detail = detail};
  for (size_t i = 0; i < api->n_stores; i++) {
    a.time_us = clock_unix_us();
    api->stores[i]->ops->put_audit(api->stores[i], &a, NULL);
  }
}

/* ---- handlers --------------------------------------------------------------------------------------------------- */

/* The longest that it can last: a session of a provider's token ends with that. */
static uint64_t cookie_seconds(const struct api *api, const struct auth_grant *g)
{
  uint64_t most = auth_session_seconds(api->auth), now = clock_unix_us(),
           left = g->until_us > now ? (g->until_us - now) / 1000000 : 1;
  return g->until_us && left < most ? left : most;
}

/* A session that the browser has already ends: nobody can have planted the one that goes on. */
void signin_open(struct api *api, const struct api_request *r, struct str how, struct api_response *response)
{
  struct api_request with = *r;
  struct auth_grant grant = *r->grant;
  char cookie[SESSION_TEXT + 1];
  auth_end_session(api->auth, guard_cookie(r));
  auth_begin_session(api->auth, &grant, cookie);
  with.grant = &grant;
  with.session = (struct str){cookie, SESSION_TEXT};
  guard_set_cookie(r, with.session, cookie_seconds(api, &grant), response);
  note(api, r, STR("signed in"), how);
  put_session(api, &with, response);
}

void api_session_begin(struct api *api, const struct api_request *r, struct api_response *response)
{
  if (guard_origin_ok(r, false)) signin_open(api, r, r->by_link ? STR("with a link") : STR("with a token"), response);
  else api_error(response, 403, "CrossOriginRequest", "Signing in is for the pages of this portal only.");
}

void api_session_get(struct api *api, const struct api_request *r, struct api_response *response)
{
  put_session(api, r, response);
}

/* Where to sign out at the provider too, for who signed in there by redirect. */
static void put_logout(const struct api *api, const struct auth_grant *g, struct api_response *response)
{
  struct buf url = {0};
  const struct oidc_sign_in *s = g->signed_in_by ? &oidc_options(api->oidc)->providers[g->signed_in_by - 1].sign_in : NULL;
  if (!s || !s->logout) return;
  code_flow_put_logout(s, &url);
  BUF_LIT(&response->body, "{\"signOutUrl\":");
  json_quote(&response->body, buf_str(&url));
  buf_byte(&response->body, '}');
  response->status = 200;
  response->type = API_JSON;
  response->body.failed |= url.failed;
  buf_finish(&url);
}

/* Of who shows a token there is none, and nothing ends. */
void api_session_end(struct api *api, const struct api_request *r, struct api_response *response)
{
  if (r->session.n) note(api, r, STR("signed out"), (struct str){0});
  auth_end_session(api->auth, r->session);
  guard_set_cookie(r, (struct str){0}, 0, response);
  response->status = 204;
  put_logout(api, r->grant, response);
}
