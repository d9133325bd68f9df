/* Break-glass, see glass.h: /vedette/breakGlass, and the header that opens one request. */
#include "api/glass.h"
#include "api/answer.h"
#include "base/clock.h"
#include <sodium.h>

void glass_begin(struct glass *g, struct session_pane *open, uint64_t for_us)
{
  uint64_t now = clock_mono_us();
  *g = (struct glass){.for_us = for_us, .open = open};
  for (size_t i = 0; i < GLASS_OPEN_MAX; i++) {
    if (open[i].until_us <= now + for_us) continue;
    open[i].until_us = for_us ? now + for_us : 0;
    open[i].ends_us = clock_unix_us() + for_us;
  }
}

uint64_t glass_until(const struct glass *g, const struct auth_grant *grant)
{
  uint64_t now = clock_mono_us(), ends = 0;
  for (size_t i = 0; g && i < GLASS_OPEN_MAX; i++)
    if (g->open[i].until_us > now && sodium_memcmp(g->open[i].tie, grant->tie, SESSION_TIE) == 0) ends = g->open[i].ends_us;
  return ends;
}

size_t glass_open_now(const struct glass *g)
{
  uint64_t now = clock_mono_us();
  size_t n = 0;
  for (size_t i = 0; g && i < GLASS_OPEN_MAX; i++) n += g->open[i].until_us > now;
  return n;
}

/* The caller's own, else a free one, else the one that ends first. */
static void set_until(struct glass *g, const struct auth_grant *grant, uint64_t until_us)
{
  size_t at = 0;
  for (size_t i = 1; i < GLASS_OPEN_MAX; i++)
    if (g->open[i].until_us < g->open[at].until_us) at = i;
  for (size_t i = 0; i < GLASS_OPEN_MAX; i++)
    if (sodium_memcmp(g->open[i].tie, grant->tie, SESSION_TIE) == 0) at = i;
  /* Whoever is killed here leaves nothing open. */
  g->open[at].until_us = 0;
  memcpy(g->open[at].tie, grant->tie, SESSION_TIE);
  g->open[at].ends_us = clock_unix_us() + (until_us - clock_mono_us());
  g->open[at].until_us = until_us;
}

static bool reason_ok(struct str reason, struct api_response *response)
{
  bool ok = reason.n >= GLASS_REASON_MIN && reason.n <= GLASS_REASON_MAX;
  for (size_t i = 0; ok && i < reason.n; i++) ok = (unsigned char)reason.p[i] >= ' ' && reason.p[i] != 0x7f;
  if (!ok)
    api_error(response, 400, "InvalidReason", "A reason has %d to %d bytes in one line.", GLASS_REASON_MIN, GLASS_REASON_MAX);
  return ok;
}

/* In every workspace that the caller reaches, or it is not done. */
static bool note(struct api *api, const struct api_request *r, struct str what, struct str target, struct str detail,
                 struct api_response *response)
{
  struct store_audit a = {.who = str_of(r->who), .what = what, .target = target, .detail = detail};
  for (size_t i = 0; i < api->n_stores; i++) {
    a.time_us = clock_unix_us();
    int rc = api->stores[i]->ops->put_audit(api->stores[i], &a, NULL);
    if (!rc) continue;
    api_store_failed(response, rc, "AuditLogUnavailable");
    return false;
  }
  return true;
}

/* The name may be somebody else's text: what is no plain character of a log becomes a question mark. */
static void say(struct glass *g, const struct api_request *r, const char *what)
{
  char who[sizeof r->who];
  size_t n = 0;
  for (; r->who[n]; n++) who[n] = r->who[n] > ' ' && r->who[n] < 0x7f ? r->who[n] : '?';
  who[n] = 0;
  g->count++;
  fprintf(stderr, "vedette serve: break-glass: %s %s; the reason is in the audit log\n", who, what);
}

static bool is_on(const struct api *api, struct api_response *response)
{
  if (api->glass && api->glass->for_us) return true;
  api_error(response, 403, "BreakGlassDisabled", "Break-glass is switched off here (control.break_glass).");
  return false;
}

bool glass_apply(struct api *api, struct api_request *r, struct api_response *response)
{
  struct str path = r->path.n > 512 ? str_cut(r->path, 0, 512) : r->path;
  if (r->evidence || r->without_evidence) return true;
  if (!r->break_glass.n) {
    r->glass = r->evidence = r->grant->role >= AUTH_OPERATOR && glass_until(api->glass, r->grant) > 0;
    return true;
  }
  if (r->grant->role < AUTH_OPERATOR) {
    api_error(response, 403, "AuthorizationFailed", "Break-glass takes the role %s.", token_role_name(AUTH_OPERATOR));
    return false;
  }
  if (!is_on(api, response) || !reason_ok(r->break_glass, response) ||
      !note(api, r, STR("break-glass once"), path, r->break_glass, response))
    return false;
  say(api->glass, r, "reads evidence with one request");
  r->glass = r->evidence = true;
  return true;
}

/* ---- handlers --------------------------------------------------------------------------------------------------- */

void api_glass_open(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct json_doc doc;
  struct str reason;
  char until[CLOCK_TEXT];
  if (!is_on(api, response) || !api_body(api, r, response, &doc) ||
      !api_text(api, response, &doc, 0, "reason", GLASS_REASON_MAX, &reason) || !reason_ok(reason, response) ||
      !note(api, r, STR("break-glass opened"), str_of(r->grant->name), reason, response))
    return;
  set_until(api->glass, r->grant, clock_mono_us() + api->glass->for_us);
  say(api->glass, r, "opened evidence for a time");
  clock_format(glass_until(api->glass, r->grant), until);
  response->type = API_JSON;
  BUF_LIT(&response->body, "{\"untilUtc\":");
  json_quote(&response->body, str_of(until));
  buf_byte(&response->body, '}');
}

/* It ends even where the log cannot be written: closing gives nobody anything. */
void api_glass_close(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct api_response ignored = {0};
  bool was_open = glass_until(api->glass, r->grant) > 0;
  if (was_open) set_until(api->glass, r->grant, 0);
  if (was_open) note(api, r, STR("break-glass closed"), str_of(r->grant->name), (struct str){0}, &ignored);
  buf_finish(&ignored.body);
  response->status = 204;
}
