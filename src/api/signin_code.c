/*
 * /vedette/signIn: signing in at the portal by redirect. The page asks where to send its browser; the provider sends it back with a code; the page gives the code
 * here, and the control process changes it for an ID token at the provider and begins a session (code_flow.h, oidc.h).
 *
 * What a browser brings is shown by our own page only, so both cookies are SameSite=Strict. No code, token or secret is in an answer, an error or a log; where
 * one is sent to is in the configuration and nowhere else.
 */
#include "api/answer.h"
#include "api/code_flow.h"
#include "api/guard.h"
#include "api/signin.h"
#include "api/worker.h"
#include "base/clock.h"
#include "base/quote.h"
#include <sodium.h>
#include <stdlib.h>

enum { CODE_MAX = 4096, ISSUER_MAX = 1024, ANSWER_MAX = 65536, SECONDS = 10, KEPT_MAX = 131072, ERROR_NAME_MAX = 40 };

struct code_work {
  struct work work;
  struct oidc *oidc;
  size_t provider;
  struct vdt_arena *arena; /* what it keeps of the request */
  struct api_request from; /* what sessions and cookies are made by */
  struct str form;
  char nonce[CODE_TEXT + 1];
  struct buf body; /* of the provider */
  long status;
  int rc;
  bool asked;
  struct vdt_error err;
};

static const struct oidc_provider *provider_at(const struct api *api, size_t i)
{
  const struct oidc_options *o = api->oidc ? oidc_options(api->oidc) : NULL;
  return o && i < o->n && o->providers[i].sign_in.client ? &o->providers[i] : NULL;
}

/* ---- which there are, and where to go --------------------------------------------------------------------------- */

/* The host of an https address, or all of it. */
static struct str host_of(const char *issuer)
{
  struct str s = str_of(issuer);
  if (str_starts(s, STR("https://"))) s = str_cut(s, 8, s.n);
  const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
  return slash ? str_cut(s, 0, (size_t)(slash - s.p)) : s;
}

void api_signin_ways(struct api *api, const struct api_request *r, struct api_response *response)
{
  const struct oidc_provider *p;
  struct buf *b = &response->body;
  bool any = false;
  (void)r;
  response->type = API_JSON;
  BUF_LIT(b, "{\"value\":[");
  for (size_t i = 0; i < OIDC_PROVIDERS_MAX; i++) {
    if (!(p = provider_at(api, i))) continue;
    if (any) buf_byte(b, ',');
    BUF_LIT(b, "{\"issuer\":");
    json_quote(b, str_of(p->issuer));
    api_put_member(b, "title", p->sign_in.title ? str_of(p->sign_in.title) : host_of(p->issuer));
    api_put_member(b, "portal", str_of(p->sign_in.redirect));
    buf_byte(b, '}');
    any = true;
  }
  BUF_LIT(b, "]}");
}

static bool find_provider(const struct api *api, struct str issuer, size_t *i)
{
  const struct oidc_provider *p;
  for (*i = 0; *i < OIDC_PROVIDERS_MAX; ++*i)
    if ((p = provider_at(api, *i)) && str_eq(str_of(p->issuer), issuer)) return true;
  return false;
}

/* The answer comes to the registered address: a cookie of another one would not be there. */
static bool at_home(const struct api_request *r, const char *redirect)
{
  struct str home = str_of(redirect);
  home = str_cut(home, 0, home.n - sizeof "/portal/" + 1);
  if (r->origin.n) return str_ieq(r->origin, home);
  size_t scheme = str_starts(home, STR("https://")) ? 8 : 7;
  return str_ieq(r->host, str_cut(home, scheme, home.n));
}

void api_signin_begin(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  struct str issuer;
  size_t i;
  char cookie[CODE_COOKIE + 1];
  struct buf url = {0};
  if (!guard_origin_ok(r, false)) {
    api_error(response, 403, "CrossOriginRequest", "Signing in is for the pages of this portal only.");
    return;
  }
  if (!api_body(api, r, response, &doc) || !api_text(api, response, &doc, 0, "issuer", ISSUER_MAX, &issuer)) return;
  if (!find_provider(api, issuer, &i)) {
    api_error(response, 404, "ProviderNotFound", "Nobody signs in by redirect with an identity provider of that issuer here.");
    return;
  }
  const struct oidc_sign_in *s = &provider_at(api, i)->sign_in;
  if (!at_home(r, s->redirect)) {
    api_error(response, 409, "WrongAddress", "Signing in by redirect works at %.300s only: open the portal there.", s->redirect);
    return;
  }
  code_flow_begin(api->flow, i, clock_unix_us() / 1000000, cookie);
  code_flow_put_address(api->flow, s, (struct str){cookie, CODE_COOKIE}, &url);
  guard_set_signin_cookie(r, (struct str){cookie, CODE_COOKIE}, CODE_LIFE_S, response);
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"location\":");
  json_quote(&response->body, buf_str(&url));
  buf_byte(&response->body, '}');
  response->body.failed |= url.failed;
  buf_finish(&url);
}

/* ---- changing the code, in the thread for errands --------------------------------------------------------------- */

static void drop(struct work *w)
{
  struct code_work *c = (struct code_work *)w;
  if (c->body.p) sodium_memzero(c->body.p, c->body.cap);
  if (c->form.p) sodium_memzero((char *)(uintptr_t)c->form.p, c->form.n);
  buf_finish(&c->body);
  buf_finish(&w->response.body);
  vdt_arena_free(c->arena);
  sodium_memzero(c->nonce, sizeof c->nonce);
  free(c);
}

/* Name and secret stand in Basic as a form has them (RFC 6749, 2.3.1). NULL: out of memory, or there is no secret although one is configured. */
static bool put_user(const struct oidc_sign_in *s, struct buf *name, struct buf *secret)
{
  const char *value = getenv(s->secret_env);
  if (!value || !*value) return false;
  code_flow_put_encoded(str_of(s->client), name);
  code_flow_put_encoded(str_of(value), secret);
  buf_byte(name, 0);
  buf_byte(secret, 0);
  return !name->failed && !secret->failed;
}

static void run(struct work *w, const struct workbench *bench)
{
  struct code_work *c = (struct code_work *)w;
  const struct oidc_provider *p = &oidc_options(c->oidc)->providers[c->provider];
  const struct oidc_sign_in *s = &p->sign_in;
  struct feeds_source to = {.name = p->issuer, .source = s->token};
  struct fetch_limits limits = {ANSWER_MAX, SECONDS, 0};
  struct buf name = {0}, secret = {0};
  (void)bench;
  c->asked = true;
  if (s->secret_env && !put_user(s, &name, &secret)) {
    c->rc = VDT_ECONFIG;
    snprintf(c->err.text, sizeof c->err.text, "the environment variable %.100s has no secret in it", s->secret_env);
  } else {
    struct fetch_user user = {name.p, secret.p};
    c->rc = fetch_form(&to, p->trust, &limits, c->form, s->secret_env ? &user : NULL, &c->body, &c->status, oidc_note_transfer,
                       c->oidc, &c->err);
  }
  if (secret.p) sodium_memzero(secret.p, secret.cap);
  buf_finish(&name);
  buf_finish(&secret);
}

/* ---- and what the provider said, in the API's ------------------------------------------------------------------- */

/* The name of an error of RFC 6749 may be in the log; a description may say anything. */
static struct str error_name(struct vdt_arena *arena, const struct json_doc *d)
{
  struct str s;
  uint32_t v = json_get(d, 0, "error");
  if (!json_is(d, v, JSON_STRING) || !json_string(d, v, arena, &s) || s.n > ERROR_NAME_MAX) return STR("no reason");
  for (size_t i = 0; i < s.n; i++)
    if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && s.p[i] != '_') return STR("no reason");
  return s;
}

static void say(const struct code_work *c, const char *what, struct str why)
{
  fprintf(stderr, "vedette serve: sign-in with %s: %s: %.*s\n", oidc_options(c->oidc)->providers[c->provider].issuer, what,
          (int)why.n, why.p);
}

static bool read_answer(struct api *api, struct code_work *c, struct str *token, struct api_response *response)
{
  struct json_doc doc;
  *token = (struct str){0};
  if (c->rc || c->status >= 500 || !c->status) {
    say(c, "its token address cannot be used", c->rc ? str_of(c->err.text) : STR("it answers with a failure of its own"));
    api_error(response, 502, "IdentityProviderUnavailable",
              "The identity provider could not be asked; logs/serve.log says why. Sign in again in a moment.");
    return false;
  }
  bool ok = json_parse(api->arena, buf_str(&c->body), &(struct json_limits){8, 4096}, &doc, NULL) == VDT_OK &&
            doc.nodes[0].type == JSON_OBJECT;
  uint32_t v = ok ? json_get(&doc, 0, "id_token") : 0;
  if (ok && c->status == 200 && json_is(&doc, v, JSON_STRING) && json_string(&doc, v, api->arena, token) && token->n) return true;
  say(c, c->status == 200 ? "it gave no ID token" : "it refused the code",
      ok ? error_name(api->arena, &doc) : STR("its answer is no JSON object"));
  api_error(response, 403, "SignInRefused",
            "The identity provider did not change its code for an ID token; logs/serve.log says what it gave as a reason. Sign "
            "in again.");
  return false;
}

static bool believe(struct api *api, struct code_work *c, struct str token, struct oidc_grant *g, struct api_response *response)
{
  struct vdt_error err = {0};
  int rc = oidc_check_id(api->oidc, c->provider, token, str_of(c->nonce), clock_unix_us(), g, &err);
  if (!rc) return true;
  say(c, "its ID token is not believed", str_of(err.text));
  if (rc == VDT_ESTATE)
    api_error(response, 403, "NoRole",
              "The identity provider knows you, but gave you none of the roles that are known here. Ask who runs vedette, or its "
              "directory, for one.");
  else if (rc == VDT_ENOTFOUND)
    api_error(
        response, 503, "KeyNotKnown",
        "The identity provider signs with a key that is not known here yet. It is being fetched: sign in again in a minute.");
  else
    api_error(response, 403, "SignInTokenRefused",
              "What the identity provider said about you is not believed; logs/serve.log says why.");
  return false;
}

/* A provider's statement is about this moment: the session lasts as long as any other, not as long as the statement. */
static void finish(struct work *w, struct api *api)
{
  struct code_work *c = (struct code_work *)w;
  struct api_response *response = &w->response;
  struct auth_grant grant;
  struct oidc_grant g;
  struct api scoped;
  struct str token;
  if (!c->asked) return;
  vdt_arena_reset(api->arena);
  response->status = 200;
  if (read_answer(api, c, &token, response) && believe(api, c, token, &g, response)) {
    auth_grant_oidc(api->auth, &g, &grant);
    grant.until_us = clock_unix_us() + auth_session_seconds(api->auth) * 1000000;
    grant.signed_in_by = c->provider + 1;
    c->from.grant = &grant;
    snprintf(c->from.who, sizeof c->from.who, "oidc:%s", grant.name);
    if (api_narrow(api, str_of(grant.workspaces), &scoped, response))
      signin_open(&scoped, &c->from, STR("by redirect"), response);
  }
  if (response->status == 403) auth_failed(api->auth, c->from.source);
  guard_set_signin_cookie(&c->from, (struct str){0}, 0, response);
}

/* ---- the request ------------------------------------------------------------------------------------------------ */

static bool keep_request(struct code_work *c, const struct api_request *r)
{
  const struct str from[] = {r->host, r->forwarded_proto, r->cookie, r->origin, r->source};
  struct str *to[] = {&c->from.host, &c->from.forwarded_proto, &c->from.cookie, &c->from.origin, &c->from.source};
  for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
    *to[i] = from[i].n ? arena_dup(c->arena, from[i]) : (struct str){0};
    if (from[i].n && !to[i]->p) return false;
  }
  return true;
}

static struct code_work *work_new(const struct api *api, const struct api_request *r, size_t provider, struct str cookie,
                                  struct str code)
{
  struct code_work *c = calloc(1, sizeof *c);
  char verifier[CODE_TEXT + 1];
  struct buf form = {0};
  if (!c) return NULL;
  *c = (struct code_work){.work = {.run = run, .drop = drop, .finish = finish, .by = api->errands},
                          .oidc = api->oidc,
                          .provider = provider,
                          .arena = vdt_arena_new(KEPT_MAX)};
  code_flow_text(api->flow, cookie, CODE_NONCE, c->nonce);
  code_flow_text(api->flow, cookie, CODE_VERIFIER, verifier);
  code_flow_put_form(&provider_at(api, provider)->sign_in, code, (struct str){verifier, CODE_TEXT}, &form);
  if (c->arena && !form.failed) c->form = arena_dup(c->arena, buf_str(&form));
  if (form.p) sodium_memzero(form.p, form.cap);
  buf_finish(&form);
  sodium_memzero(verifier, sizeof verifier);
  if (c->arena && c->form.p && keep_request(c, r)) return c;
  drop(&c->work);
  return NULL;
}

static bool refuse_flow(enum code_answer answer, struct api_response *response)
{
  if (answer == CODE_FOREIGN)
    api_error(response, 403, "SignInForeign",
              "This answer of an identity provider belongs to no sign-in that was begun in this browser. Begin again at the "
              "sign-in page.");
  else if (answer == CODE_OVER)
    api_error(response, 403, "SignInOver", "Signing in took longer than %d minutes. Begin again.", CODE_LIFE_S / 60);
  else if (answer == CODE_USED)
    api_error(response, 403, "SignInUsed", "This answer of the identity provider was used already. Begin again.");
  else if (answer == CODE_BUSY)
    api_error(response, 503, "TooManyRequests", "Too many people sign in at once; try again in some minutes.");
  return answer != CODE_OK;
}

/* RFC 9207: an answer that names its issuer is that provider's; one that has to and does not is nobody's. */
static bool issuer_ok(const struct oidc_provider *p, struct str issuer)
{
  return issuer.n ? str_eq(issuer, str_of(p->issuer)) : !p->sign_in.sends_iss;
}

static bool may_try(struct api *api, const struct api_request *r, struct api_response *response)
{
  response->retry_after_s = auth_wait(api->auth, r->source);
  if (!guard_origin_ok(r, false))
    api_error(response, 403, "CrossOriginRequest", "Signing in is for the pages of this portal only.");
  else if (!api->flow) api_error(response, 404, "ProviderNotFound", "Nobody signs in by redirect here.");
  else if (response->retry_after_s)
    api_error(response, 429, "TooManyRequests", "Too many sign-ins failed from here; try again in %u s.",
              response->retry_after_s);
  else return true;
  return false;
}

void api_signin_code(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  struct str code, state, issuer, cookie = guard_signin_cookie(r);
  size_t i;
  if (!may_try(api, r, response) || !api_body(api, r, response, &doc) ||
      !api_text(api, response, &doc, 0, "code", CODE_MAX, &code) ||
      !api_text(api, response, &doc, 0, "state", CODE_MAX, &state) ||
      !api_text(api, response, &doc, 0, "iss", ISSUER_MAX, &issuer))
    return;
  enum code_answer answer = code_flow_take(api->flow, cookie, state, clock_unix_us() / 1000000, &i);
  const struct oidc_provider *p = answer == CODE_OK ? provider_at(api, i) : NULL;
  if (refuse_flow(answer, response)) {
    if (response->status == 403) auth_failed(api->auth, r->source);
    return;
  }
  guard_set_signin_cookie(r, (struct str){0}, 0, response);
  if (!p || !issuer_ok(p, issuer)) {
    api_error(response, 403, "SignInWrongIssuer",
              "This answer does not say that it is of the identity provider that this sign-in was begun with. Begin again, and "
              "tell who runs vedette if it comes again.");
    return;
  }
  if (!code.n) {
    api_error(response, 400, "InvalidRequestContent", "code is missing.");
    return;
  }
  struct code_work *c = work_new(api, r, i, cookie, code);
  if (c) response->work = &c->work;
  else api_error(response, 503, "ServiceUnavailable", "Out of memory.");
}
