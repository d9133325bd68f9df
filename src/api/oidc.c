/* What the claims of a provider's token say: whether it is for us, still holds, and which role it gives. Keys are oidc_keys.c's. */
#include "api/oidc.h"
#include "base/error.h"
#include <sodium.h>

static const uint64_t SECOND = 1000000;

bool oidc_is_token(struct str token)
{
  size_t dots = 0;
  for (size_t i = 0; i < token.n; i++) dots += token.p[i] == '.';
  return dots == 2;
}

/* ---- claims ----------------------------------------------------------------------------------------------------- */

/* Seconds since 1970, a fraction is cut off; what does not fit, or is negative, is none. */
static bool claim_time(const struct json_doc *d, const char *name, uint64_t *out)
{
  uint32_t v = json_get(d, 0, name);
  if (!json_is(d, v, JSON_NUMBER)) return false;
  struct str s = json_raw(d, v);
  size_t dot = str_find(s, STR("."));
  return str_u64(str_cut(s, 0, dot == (size_t)-1 ? s.n : dot), out) && *out < UINT64_MAX / SECOND / 4;
}

static int check_times(const struct json_doc *d, const struct oidc_provider *p, uint64_t now_s, uint64_t *until_s,
                       struct vdt_error *err)
{
  uint64_t from;
  if (!claim_time(d, "exp", until_s)) return error_set(err, VDT_EINVAL, "it says no time at which it ends");
  if (*until_s + p->skew <= now_s) return error_set(err, VDT_EINVAL, "it has ended");
  if (json_get(d, 0, "nbf") && (!claim_time(d, "nbf", &from) || from > now_s + p->skew))
    return error_set(err, VDT_EINVAL, "it does not hold yet");
  if (json_get(d, 0, "iat") && (!claim_time(d, "iat", &from) || from > now_s + p->skew))
    return error_set(err, VDT_EINVAL, "it was made in the future");
  return VDT_OK;
}

static bool for_us(const struct json_doc *d, const char *audience)
{
  uint32_t aud = json_get(d, 0, "aud");
  if (json_is(d, aud, JSON_STRING)) return json_string_is(d, aud, audience);
  for (uint32_t i = json_is(d, aud, JSON_ARRAY) ? json_first(d, aud) : 0; i; i = json_next(d, aud, i))
    if (json_is(d, i, JSON_STRING) && json_string_is(d, i, audience)) return true;
  return false;
}

/* A name in lists and logs: no control characters, not cut off, as two people could then be one. */
static bool claim_name(struct vdt_arena *arena, const struct json_doc *d, const char *claim, char out[OIDC_NAME_MAX + 1])
{
  struct str s;
  uint32_t v = json_get(d, 0, claim);
  if (!json_is(d, v, JSON_STRING) || !json_string(d, v, arena, &s) || !s.n || s.n > OIDC_NAME_MAX) return false;
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) return false;
  memcpy(out, s.p, s.n);
  out[s.n] = 0;
  return true;
}

/* ---- roles ------------------------------------------------------------------------------------------------------ */

/* The member of that name, which may have dots in it; else each dot leads into an object. */
static uint32_t find_claim(const struct json_doc *d, const char *path)
{
  char part[256];
  uint32_t at = json_get(d, 0, path);
  if (at) return at;
  for (const char *p = path;;) {
    const char *dot = strchr(p, '.');
    size_t n = dot ? (size_t)(dot - p) : strlen(p);
    if (n >= sizeof part) return 0;
    memcpy(part, p, n);
    part[n] = 0;
    at = json_get(d, at, part);
    if (!at || !dot) return at;
    p = dot + 1;
  }
}

/* A list has it, or a text that is a list of words, as scopes are. */
static bool has_value(struct vdt_arena *arena, const struct json_doc *d, uint32_t claim, struct str value)
{
  struct str s;
  for (uint32_t i = json_is(d, claim, JSON_ARRAY) ? json_first(d, claim) : 0; i; i = json_next(d, claim, i))
    if (json_is(d, i, JSON_STRING) && json_string(d, i, arena, &s) && str_eq(s, value)) return true;
  if (!json_is(d, claim, JSON_STRING) || !json_string(d, claim, arena, &s)) return false;
  if (str_eq(s, value)) return true;
  while (s.n) {
    const char *blank = memchr(s.p, ' ', s.n);
    struct str word = str_cut(s, 0, blank ? (size_t)(blank - s.p) : s.n);
    if (str_eq(word, value)) return true;
    s = str_cut(s, blank ? word.n + 1 : word.n, s.n);
  }
  return false;
}

static bool add_workspace(struct oidc_grant *out, struct str workspace)
{
  size_t n = strlen(out->workspaces);
  if (str_eq(str_of(out->workspaces), STR("*"))) return true;
  if (!workspace.n) return snprintf(out->workspaces, sizeof out->workspaces, "*") > 0;
  int more = snprintf(out->workspaces + n, sizeof out->workspaces - n, "%s%.*s", n ? "," : "", (int)workspace.n, workspace.p);
  return more > 0 && (size_t)more < sizeof out->workspaces - n;
}

/* The first row that the token has gives the role; later rows of the same role add their workspaces. */
static int give_role(struct vdt_arena *arena, const struct json_doc *d, const struct oidc_provider *p, struct oidc_grant *out,
                     struct vdt_error *err)
{
  uint32_t claim = find_claim(d, p->role_claim);
  for (size_t i = 0; i < p->n_roles; i++) {
    const struct oidc_role *r = &p->roles[i];
    if ((out->role && out->role != r->role) || !has_value(arena, d, claim, r->value)) continue;
    out->role = r->role;
    if (!add_workspace(out, r->workspace)) return error_set(err, VDT_EINVAL, "it reaches too many workspaces");
  }
  return out->role ? VDT_OK : error_set(err, VDT_ESTATE, "it has none of the roles that are known here");
}

static void put_subject(const struct oidc_provider *p, struct str sub, unsigned char out[32])
{
  crypto_generichash_state h;
  crypto_generichash_init(&h, NULL, 0, 32);
  crypto_generichash_update(&h, (const unsigned char *)p->issuer, strlen(p->issuer) + 1);
  crypto_generichash_update(&h, (const unsigned char *)sub.p, sub.n);
  crypto_generichash_final(&h, out, 32);
}

static int check_claims(struct vdt_arena *arena, const struct json_doc *d, const struct oidc_provider *p, uint64_t now_us,
                        struct oidc_grant *out, struct vdt_error *err)
{
  struct str sub;
  uint64_t until_s = 0;
  uint32_t v = json_get(d, 0, "sub");
  if (!json_string_is(d, json_get(d, 0, "iss"), p->issuer)) return error_set(err, VDT_EINVAL, "it is another provider's");
  if (!for_us(d, p->audience)) return error_set(err, VDT_EINVAL, "it is for somebody else");
  int rc = check_times(d, p, now_us / SECOND, &until_s, err);
  if (rc) return rc;
  if (!json_is(d, v, JSON_STRING) || !json_string(d, v, arena, &sub) || !sub.n)
    return error_set(err, VDT_EINVAL, "it is nobody's");
  if (!claim_name(arena, d, p->name_claim, out->name)) return error_set(err, VDT_EINVAL, "it has no name that can be shown");
  put_subject(p, sub, out->subject);
  out->until_us = (until_s + p->skew) * SECOND;
  return give_role(arena, d, p, out, err);
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

static int check(const struct oidc_provider *p, const struct jws *jws, const struct jws_keys *keys, struct vdt_arena *arena,
                 uint64_t now_us, struct oidc_grant *out, struct vdt_error *err)
{
  *out = (struct oidc_grant){0};
  if (!p->algorithms[jws->algorithm]) return error_set(err, VDT_EINVAL, "its algorithm is not the provider's");
  int rc = jws_verify(jws, keys);
  if (rc == VDT_ENOTFOUND) return error_set(err, rc, "its key is not known");
  if (rc) return error_set(err, rc, "its signature is wrong");
  rc = check_claims(arena, &jws->claims, p, now_us, out, err);
  if (rc) *out = (struct oidc_grant){0};
  return rc;
}

int oidc_check_with(const struct oidc_provider *p, const struct jws_keys *keys, struct vdt_arena *arena, struct str token,
                    uint64_t now_us, struct oidc_grant *out, struct vdt_error *err)
{
  struct jws jws;
  *out = (struct oidc_grant){0};
  int rc = jws_parse(arena, token, &jws, err);
  return rc ? rc : check(p, &jws, keys, arena, now_us, out, err);
}

/* The issuer that it claims only says whose keys are tried. */
static size_t find_provider(const struct oidc_options *options, const struct json_doc *claims)
{
  size_t i = 0;
  while (i < options->n && !json_string_is(claims, json_get(claims, 0, "iss"), options->providers[i].issuer)) i++;
  return i;
}

int oidc_check(struct oidc *o, struct str token, uint64_t now_us, struct oidc_grant *out, struct vdt_error *err)
{
  struct vdt_arena *arena = oidc_arena(o);
  const struct oidc_options *options = oidc_options(o);
  struct jws jws;
  *out = (struct oidc_grant){0};
  vdt_arena_reset(arena);
  int rc = jws_parse(arena, token, &jws, err);
  size_t i = rc ? 0 : find_provider(options, &jws.claims);
  if (!rc && i == options->n) rc = error_set(err, VDT_EINVAL, "it is of no provider that is known here");
  if (rc) return rc;
  const struct jws_keys *keys = oidc_keys_lock(o, i, now_us);
  rc = check(&options->providers[i], &jws, keys, arena, now_us, out, err);
  oidc_keys_unlock(o);
  if (rc == VDT_ENOTFOUND) oidc_keys_wanted(o, i);
  return rc;
}

/* ---- ID tokens --------------------------------------------------------------------------------------------------- */

/* OpenID Connect Core 3.1.3.7: of several audiences, azp says that it was made for us; the nonce says that it was made for this sign-in. */
static int check_made_for(const struct json_doc *d, const char *client, struct str nonce, struct vdt_error *err)
{
  char text[128];
  uint32_t azp = json_get(d, 0, "azp"), aud = json_get(d, 0, "aud");
  bool several = json_is(d, aud, JSON_ARRAY) && json_next(d, aud, json_first(d, aud));
  if (azp ? !json_string_is(d, azp, client) : several) return error_set(err, VDT_EINVAL, "it was made for another application");
  if (!nonce.n || nonce.n >= sizeof text) return error_set(err, VDT_EINVAL, "there is no nonce");
  snprintf(text, sizeof text, "%.*s", (int)nonce.n, nonce.p);
  if (!json_string_is(d, json_get(d, 0, "nonce"), text)) return error_set(err, VDT_EINVAL, "it was made for another sign-in");
  return VDT_OK;
}

int oidc_check_id_with(const struct oidc_provider *provider, const struct jws_keys *keys, struct vdt_arena *arena,
                       struct str token, struct str nonce, uint64_t now_us, struct oidc_grant *out, struct vdt_error *err)
{
  struct oidc_provider p = *provider;
  struct jws jws;
  *out = (struct oidc_grant){0};
  p.audience = p.sign_in.client;
  int rc = jws_parse(arena, token, &jws, err);
  if (!rc) rc = check_made_for(&jws.claims, p.sign_in.client, nonce, err);
  return rc ? rc : check(&p, &jws, keys, arena, now_us, out, err);
}

int oidc_check_id(struct oidc *o, size_t i, struct str token, struct str nonce, uint64_t now_us, struct oidc_grant *out,
                  struct vdt_error *err)
{
  struct vdt_arena *arena = oidc_arena(o);
  vdt_arena_reset(arena);
  int rc =
      oidc_check_id_with(&oidc_options(o)->providers[i], oidc_keys_lock(o, i, now_us), arena, token, nonce, now_us, out, err);
  oidc_keys_unlock(o);
  if (rc == VDT_ENOTFOUND) oidc_keys_wanted(o, i);
  return rc;
}
