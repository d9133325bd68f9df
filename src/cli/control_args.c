#include "cli/control_args.h"
#include "cli/feed_args.h"
#include "store/store.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOSTS_MAX = 64, SECONDS_MAX = 2678400, FD_MAX = 1023 };

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put(struct child *to, const char *text)
{
  child_arg(to, "--control");
  child_arg(to, text);
}

/* What listen.control names, unless it is a socket or an address, which need no naming. */
static void put_listen(const char *listen, struct vdt_arena *arena, struct child *to)
{
  struct str s = str_of(listen);
  const char *colon = strrchr(listen, ':');
  if (str_starts(s, STR("unix:")) || s.p[0] == '[' || !colon) return;
  put(to, arena_printf(arena, "host=%.*s", (int)(colon - listen), listen));
}

static void put_sign_in(const struct config_sign_in *s, struct buf *b)
{
  if (!s->client_id) return;
  buf_printf(b, "\nclient=%s\nauthorize=%s\ntoken=%s\nredirect=%s\nscopes=%s", s->client_id, s->authorize_url, s->token_url,
             s->redirect_url, s->scopes);
  if (s->client_secret_env) buf_printf(b, "\nsecret_env=%s", s->client_secret_env);
  if (s->logout_url) buf_printf(b, "\nlogout=%s", s->logout_url);
  if (s->title) buf_printf(b, "\ntitle=%s", s->title);
  if (s->sends_iss) BUF_LIT(b, "\nsends_iss=on");
}

static void put_provider(const struct config *config, const struct config_oidc *o, struct vdt_arena *arena, struct child *to)
{
  struct buf b = {0};
  buf_printf(&b, "oidc=%s\naudience=%s\nkeys=%s\n", o->issuer, o->audience,
             o->keys_url ? o->keys_url : feed_args_path(config, o->keys_file, arena));
  if (o->trust) buf_printf(&b, "trust=%s\n", feed_args_path(config, o->trust, arena));
  buf_printf(&b, "algorithms=%s\nrole_claim=%s\nname_claim=%s\n", o->algorithms, o->role_claim, o->name_claim);
  buf_printf(&b, "skew=%llu\nrefresh=%llu\nvalid=%llu", (unsigned long long)o->clock_skew, (unsigned long long)o->refresh,
             (unsigned long long)o->keys_valid);
  for (size_t i = 0; i < o->n_roles; i++)
    buf_printf(&b, "\nrole=%s,%s,%s", token_role_name((enum auth_role)(o->roles[i].role + 1)),
               o->roles[i].workspace ? o->roles[i].workspace : "", o->roles[i].value);
  put_sign_in(&o->sign_in, &b);
  if (!b.failed) put(to, arena_printf(arena, "%.*s", (int)b.n, b.p));
  buf_finish(&b);
}

void control_args_put(const struct config *config, struct vdt_arena *arena, struct child *to)
{
  const struct config_control *c = &config->control;
  put_listen(config->listen.control, arena, to);
  for (size_t i = 0; i < c->n_hosts && i < 32; i++) put(to, arena_printf(arena, "host=%s", c->hosts[i].name));
  put(to, arena_printf(arena, "session=%llu", (unsigned long long)c->session));
  put(to, arena_printf(arena, "session_idle=%llu", (unsigned long long)c->session_idle));
  put(to, arena_printf(arena, "break_glass=%llu", c->break_glass ? (unsigned long long)c->break_glass_for : 0));
  for (size_t i = 0; i < c->n_oidc; i++) put_provider(config, &c->oidc[i], arena, to);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool seconds(const char *text, uint64_t least, uint64_t *out)
{
  return str_u64(str_of(text), out) && *out >= least && *out <= SECONDS_MAX;
}

/* ROLE,WORKSPACE,VALUE; the value may have commas. */
static bool read_role(const char *text, struct oidc_provider *p)
{
  const char *one = strchr(text, ','), *two = one ? strchr(one + 1, ',') : NULL;
  if (!two || p->n_roles == OIDC_ROLES_MAX) return false;
  struct oidc_role *r = &p->roles[p->n_roles++];
  *r = (struct oidc_role){.role = token_role((struct str){text, (size_t)(one - text)}),
                          .workspace = {one + 1, (size_t)(two - one - 1)},
                          .value = str_of(two + 1)};
  return r->role && r->value.n && (!r->workspace.n || store_name_ok(r->workspace));
}

static bool read_algorithms(const char *text, struct oidc_provider *p)
{
  for (const char *at = text;;) {
    const char *comma = strchr(at, ',');
    enum jws_algorithm a = jws_algorithm((struct str){at, comma ? (size_t)(comma - at) : strlen(at)});
    if (a == JWS_ALGORITHMS) return false;
    p->algorithms[a] = true;
    if (!comma) return true;
    at = comma + 1;
  }
}

static bool read_line(const char *name, const char *value, struct oidc_provider *p)
{
  const struct {
    const char *name, **to;
  } texts[] = {{"oidc", &p->issuer},
               {"audience", &p->audience},
               {"keys", &p->keys},
               {"trust", &p->trust},
               {"role_claim", &p->role_claim},
               {"name_claim", &p->name_claim},
               {"client", &p->sign_in.client},
               {"secret_env", &p->sign_in.secret_env},
               {"authorize", &p->sign_in.authorize},
               {"token", &p->sign_in.token},
               {"logout", &p->sign_in.logout},
               {"redirect", &p->sign_in.redirect},
               {"scopes", &p->sign_in.scopes},
               {"title", &p->sign_in.title}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (strcmp(name, texts[i].name) == 0) {
      *texts[i].to = value;
      return *value != 0;
    }
  if (strcmp(name, "sends_iss") == 0) return p->sign_in.sends_iss = strcmp(value, "on") == 0;
  if (strcmp(name, "role") == 0) return read_role(value, p);
  if (strcmp(name, "algorithms") == 0) return read_algorithms(value, p);
  if (strcmp(name, "skew") == 0) return seconds(value, 0, &p->skew);
  if (strcmp(name, "refresh") == 0) return seconds(value, 1, &p->refresh);
  return strcmp(name, "valid") == 0 && seconds(value, 1, &p->believe);
}

/* The copy is cut into lines in place. */
static bool read_provider(char *text, struct oidc_provider *p)
{
  *p = (struct oidc_provider){.role_claim = "roles", .name_claim = "sub", .skew = 60, .refresh = 3600, .believe = 86400};
  for (char *line = text, *next; line; line = next) {
    char *equals = strchr(line, '=');
    next = strchr(line, '\n');
    if (!equals || (next && equals > next)) return false;
    if (next) *next++ = 0;
    *equals = 0;
    if (!read_line(line, equals + 1, p)) return false;
  }
  if (!p->algorithms[JWS_RS256] && !p->algorithms[JWS_ES256] && !p->algorithms[JWS_EDDSA])
    for (int i = 0; i < JWS_ALGORITHMS; i++) p->algorithms[i] = true;
  const struct oidc_sign_in *s = &p->sign_in;
  if (s->client && !(s->authorize && s->token && s->redirect && s->scopes)) return false;
  return p->issuer && p->audience && p->keys && p->n_roles;
}

static bool read_one(const char *text, struct control_args *args, struct serve_control *out)
{
  const char *value = strchr(text, '=');
  struct str name = {text, value ? (size_t)(value - text) : 0};
  uint64_t n;
  if (!value) return false;
  value++;
  if (str_eq(name, STR("host"))) {
    args->hosts[out->n_hosts++] = value;
    return *value && out->n_hosts <= HOSTS_MAX;
  }
  if (str_eq(name, STR("oidc"))) {
    size_t i = out->oidc.n;
    if (i == OIDC_PROVIDERS_MAX || !(args->copies[i] = strdup(text))) return false;
    out->oidc.n++;
    return read_provider(args->copies[i], &out->oidc.providers[i]);
  }
  if (str_eq(name, STR("kept"))) {
    if (!str_u64(str_of(value), &n) || n <= STDERR_FILENO || n > FD_MAX || fcntl((int)n, F_GETFD) < 0) return false;
    out->sessions_fd = (int)n;
    return true;
  }
  uint64_t *to = str_eq(name, STR("session"))        ? &out->sessions.life_us
                 : str_eq(name, STR("session_idle")) ? &out->sessions.idle_us
                                                     : NULL;
  bool glass = str_eq(name, STR("break_glass"));
  if (glass) to = &out->glass_us;
  if (!to || !seconds(value, glass ? 0 : 1, &n)) return false;
  *to = n * 1000000;
  return true;
}

bool control_args_read(const struct cli_list *list, struct control_args *args, struct serve_control *out)
{
  *args = (struct control_args){0};
  *out = (struct serve_control){
      .hosts = args->hosts, .sessions = {8 * 3600000000ull, 3600000000ull}, .sessions_fd = -1, .glass_us = 900000000};
  for (size_t i = 0; i < list->n; i++) {
    if (read_one(list->items[i], args, out)) continue;
    fprintf(stderr, "vedette serve: --control ");
    cli_print_safe(stderr, str_of(list->items[i]));
    fprintf(
        stderr,
        ": expected host=NAME, session=SECONDS, session_idle=SECONDS, break_glass=SECONDS, kept=FILE, or oidc=ISSUER and lines "
        "as `vedette run` makes "
        "them of the configuration\n");
    return false;
  }
  return true;
}

void control_args_finish(struct control_args *args)
{
  for (size_t i = 0; i < OIDC_PROVIDERS_MAX; i++) free(args->copies[i]);
}
