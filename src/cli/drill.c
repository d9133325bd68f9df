/*
 * vedette drill: harmless attacks of every kind against a deployment, through the running gateway, and which alert each raised. It sees what a client and
 * a security team see: it sends requests to the gateway and reads the control API, and knows nothing else of what goes on between them.
 */
#include "cli/drill.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_CONFIG = 4 << 20, FEW = 20 };

static const struct drill_case cases[] = {
#define DRILL(alert, instead, what, unless, ...)                                                                                 \
  {ALERT_##alert, ALERT_##instead, NULL, DRILL_NOTHING, what, unless, {__VA_ARGS__}},
#define DRILL_LEARNT(alert, what, unless, learning, once, ...)                                                                   \
  {ALERT_##alert, ALERT_TYPES, #learning, DRILL_##once, what, unless, {__VA_ARGS__}},
#define DRILL_NOT(alert, why) {ALERT_##alert, ALERT_TYPES, NULL, DRILL_NOTHING, "", why, {{0}}},
#include "cli/drill.def"
#undef DRILL
#undef DRILL_LEARNT
#undef DRILL_NOT
};
enum { CASES = sizeof cases / sizeof *cases };

struct options {
  const char *config, *state, *deployment, *gateway, *control, *trust, *key_env, *token_env;
  struct cli_list only;
  bool many, list, json, table, markdown;
  unsigned patience;
};

struct tally {
  unsigned tried, raised, not_now;
  uint64_t slowest_us;
};

/* ---- where to ---------------------------------------------------------------------------------------------------- */

static int read_config(const char *path, struct config **out, struct vdt_error *err)
{
  struct buf text = {0};
  int rc = VDT_OK;
  if (path) rc = file_read(path, MAX_CONFIG, &text, err);
  else buf_put(&text, config_default());
  if (!rc) rc = config_parse(buf_str(&text), path ? path : "the default configuration", out, err);
  buf_finish(&text);
  return rc;
}

/* An address that means any of this machine's is reached on the first of them. */
static const char *url_of(struct vdt_arena *arena, const char *address, bool tls)
{
  const char *scheme = tls ? "https" : "http";
  if (strncmp(address, "unix:", 5) == 0) return arena_printf(arena, "%s://localhost", scheme);
  if (strncmp(address, "0.0.0.0:", 8) == 0) return arena_printf(arena, "%s://127.0.0.1:%s", scheme, address + 8);
  if (strncmp(address, "[::]:", 5) == 0) return arena_printf(arena, "%s://[::1]:%s", scheme, address + 5);
  return arena_printf(arena, "%s://%s", scheme, address);
}

/* Our own listener is known by its certificate, whatever host that names. */
static void aim_at_gateway(const struct options *o, const struct config *c, struct web_target *t)
{
  const struct config_tls *tls = &c->listen.gateway_tls;
  *t = (struct web_target){.url = o->gateway, .trust = o->trust};
  if (o->gateway) return;
  t->url = url_of(c->arena, c->listen.gateway, tls->certificate);
  if (strncmp(c->listen.gateway, "unix:", 5) == 0) t->socket = c->listen.gateway + 5;
  if (!t->trust && tls->certificate) {
    t->trust = tls->certificate;
    t->pinned = true;
  }
}

static void aim_at_control(const struct options *o, const struct config *c, const char *state, struct web_target *t)
{
  *t = (struct web_target){.url = o->control, .trust = o->trust, .seconds = 10};
  if (o->control) return;
  t->url = "http://localhost";
  t->socket = arena_printf(c->arena, "%s/control.sock", state);
}

/* "NAME: value" with the value of an environment variable. */
static const char *header_of_env(struct vdt_arena *arena, const char *name, const char *env, struct vdt_error *err)
{
  const char *value = getenv(env);
  if (!value || !*value) {
    error_set(err, VDT_EINVAL, "the environment variable %s is empty or not set", env);
    return NULL;
  }
  return arena_printf(arena, "%s%s", name, value);
}

static const char *token_of(const struct options *o, struct vdt_arena *arena, const char *state, struct vdt_error *err)
{
  struct buf text = {0};
  if (o->token_env) return header_of_env(arena, "Authorization: Bearer ", o->token_env, err);
  const char *path = arena_printf(arena, "%s/admin.token", state), *header = NULL;
  if (path && access(path, R_OK))
    error_at(err, VDT_EINVAL, path, 0, "%s. Name the state folder with --state DIR; `vedette run` makes one", strerror(errno));
  else if (path && file_read(path, 4096, &text, err) == VDT_OK) {
    while (text.n && text.p[text.n - 1] <= ' ') text.n--;
    header = arena_printf(arena, "Authorization: Bearer %.*s", (int)text.n, text.n ? text.p : "");
  }
  buf_finish(&text);
  return header;
}

/* The subscription under which the deployment's alerts are listed: analyse/alert.c goes by the same. */
static const char *subscription_of(struct vdt_arena *arena, const struct config_deployment *d)
{
  static const char prefix[] = "/subscriptions/";
  const char *id = d->resource_id;
  if (id && strncmp(id, prefix, sizeof prefix - 1) == 0 && strcasestr(id, "/resourceGroups/")) {
    id += sizeof prefix - 1;
    return arena_printf(arena, "%.*s", (int)strcspn(id, "/"), id);
  }
  return d->workspace->subscription_id ? d->workspace->subscription_id : "00000000-0000-0000-0000-000000000000";
}

/* A tool that the deployment's policy denies. */
static void pick_tool(const struct vdt_tool_policy *p, struct drill *d)
{
  if (p->action == VDT_ALLOW || (!p->n_denied && !p->n_allowed)) return;
  const char *name = p->n_denied ? p->denied[0].name : "vedette-drill-tool";
  size_t n = strlen(name);
  bool beginning = n && name[n - 1] == '*';
  snprintf(d->denied, sizeof d->denied, "%.*s%s", (int)(beginning ? n - 1 : n), name, beginning ? "x" : "");
}

static int pick_deployment(const struct options *o, struct drill *d, struct vdt_error *err)
{
  const struct config_deployment *found = o->deployment ? config_find(d->config, str_of(o->deployment)) : d->config->deployments;
  if (!found) return error_set(err, VDT_ENOTFOUND, "the configuration has no deployment named %.64s", o->deployment);
  d->deployment = found->name;
  pick_tool(&found->policy->tools, d);
  d->subscription = subscription_of(d->config->arena, found);
  return VDT_OK;
}

static int prepare(const struct options *o, struct drill *d, struct web_target targets[2], struct vdt_error *err)
{
  unsigned char word[8];
  const char *env = getenv("VEDETTE_STATE");
  int rc = read_config(o->config, &d->config, err);
  if (rc) return rc;
  struct vdt_arena *arena = d->config->arena;
  const char *state = o->state ? o->state : env && *env ? env : d->config->state_dir;
  rc = pick_deployment(o, d, err);
  if (rc || o->list) return rc;
  d->key = o->key_env ? header_of_env(arena, "api-key: ", o->key_env, err) : "api-key: vedette-drill";
  d->token = d->key ? token_of(o, arena, state, err) : NULL;
  if (!d->key || !d->token) return VDT_EINVAL;
  randombytes_buf(word, sizeof word);
  sodium_bin2hex(d->run, sizeof d->run, word, sizeof word);
  aim_at_gateway(o, d->config, &targets[0]);
  aim_at_control(o, d->config, state, &targets[1]);
  d->gateway = web_new(&targets[0]);
  d->control = web_new(&targets[1]);
  d->arena = vdt_arena_new((size_t)256 << 20);
  return d->gateway && d->control && d->arena ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
}

static void finish(struct drill *d)
{
  web_free(d->gateway);
  web_free(d->control);
  web_answer_finish(&d->answer);
  vdt_arena_free(d->arena);
  config_free(d->config);
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

static void put_others(const struct drill_outcome *out, struct buf *b)
{
  bool first = true;
  BUF_LIT(b, ",\"also\":[");
  for (unsigned t = 0; t < ALERT_TYPES; t++) {
    if (!out->also[t] || t == out->came) continue;
    buf_printf(b, "%s\"%s\"", first ? "" : ",", alert_info((enum alert_type)t)->type);
    first = false;
  }
  BUF_LIT(b, "]");
}

/* out: NULL when it was not tried, for the reason why; not_now: because it cannot be raised now. */
static void put_json(const struct drill_case *c, const struct drill_outcome *out, bool not_now, const char *why, struct buf *b)
{
  buf_printf(b, "{\"alert\":\"%s\",\"result\":\"%s\"", alert_info(c->alert)->type,
             not_now                   ? "not now"
             : !out                    ? "not tried"
             : out->came == c->alert   ? "raised"
             : out->came < ALERT_TYPES ? "instead"
                                       : "missing");
  if (c->what[0]) {
    BUF_LIT(b, ",\"what\":");
    json_quote(b, str_of(c->what));
  }
  if (out && out->came < ALERT_TYPES) {
    buf_printf(b, ",\"ms\":%.1f", (double)out->us / 1e3);
    if (out->came != c->alert) buf_printf(b, ",\"raised\":\"%s\"", alert_info(out->came)->type);
  }
  if (why[0]) {
    BUF_LIT(b, ",\"why\":");
    json_quote(b, str_of(why));
  }
  if (out) {
    buf_printf(b, ",\"requests\":%u,\"status\":%u,\"verdict\":", out->requests, out->status);
    json_quote(b, str_of(out->verdict));
    buf_printf(b, ",\"interaction\":\"%.32s\"", out->ids[(out->requests - 1) % DRILL_IDS_MAX]);
    put_others(out, b);
  }
  BUF_LIT(b, "}\n");
}

static void put_row(const struct drill_case *c, const struct drill_outcome *out, bool not_now, const char *why, struct buf *b)
{
  const char *type = alert_info(c->alert)->type;
  if (!out) buf_printf(b, "%-9s              %-58s %s\n", not_now ? "not now" : "not tried", type, why);
  else if (out->came == c->alert) buf_printf(b, "raised    %8.1f ms  %-58s %s\n", (double)out->us / 1e3, type, c->what);
  else if (out->came < ALERT_TYPES)
    buf_printf(b, "instead   %8.1f ms  %-58s %s: as the policy wants, %s\n", (double)out->us / 1e3, type, c->what,
               alert_info(out->came)->type);
  else
    buf_printf(b, "MISSING                %-58s %s: status %u, verdict %s%s%s\n", type, c->what, out->status, out->verdict,
               why[0] ? "; " : "", why);
}

static bool say(const struct options *o, const struct drill_case *c, const struct drill_outcome *out, bool not_now,
                const char *why)
{
  struct buf b = {0};
  bool table = cli_as_table(o->table, o->json);
  if (table) put_row(c, out, not_now, why, &b);
  else put_json(c, out, not_now, why, &b);
  bool ok = !b.failed && fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0;
  buf_finish(&b);
  return ok;
}

/* The table of docs/drill.md. */
static int print_markdown(void)
{
  bool ok = printf("| alert | what is tried |\n|---|---|\n") > 0;
  for (size_t i = 0; i < CASES; i++) {
    const struct drill_case *c = &cases[i];
    bool tried = c->steps[0].prompt != NULL;
    ok &= printf("| `%s` | %s%s%s%s |\n", alert_info(c->alert)->type,
                 tried ? c->what : "not tried: ", tried && c->unless[0] ? " (may be missing: " : "", c->unless,
                 tried && c->unless[0] ? ")" : "") > 0;
  }
  return ok ? 0 : 1;
}

/* ---- the drill --------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct options *o, const struct drill_case *c)
{
  for (size_t i = 0; i < o->only.n; i++)
    if (strcasestr(alert_info(c->alert)->type, o->only.items[i])) return true;
  return o->only.n == 0;
}

static unsigned requests_of(const struct drill *d, const struct drill_case *c)
{
  unsigned n = 0;
  for (size_t i = 0; i < DRILL_STEPS && c->steps[i].prompt; i++) n += drill_times(d, &c->steps[i]);
  return n;
}

static int try_case(struct drill *d, const struct options *o, const struct drill_case *c, struct tally *t)
{
  static struct drill_outcome out;
  struct vdt_error err = {0};
  char why[160];
  if (drill_past(d, c, why, sizeof why, &err)) return cli_complain("drill", &err);
  t->not_now += why[0] != 0;
  if (why[0]) return say(o, c, NULL, true, why) ? 0 : 1;
  out = (struct drill_outcome){0};
  if (drill_send(d, c, &out, &err)) {
    cli_complain("drill", &err);
    fprintf(stderr, "Is the gateway up? `vedette run` starts it; a drill takes the same configuration, or --gateway URL.\n");
    return 1;
  }
  if (drill_look(d, c, (uint64_t)o->patience * 1000000, &out, &err)) return cli_complain("drill", &err);
  t->tried++;
  if (out.came < ALERT_TYPES) t->raised++;
  if (out.came < ALERT_TYPES && out.us > t->slowest_us) t->slowest_us = out.us;
  return say(o, c, &out, false, out.came < ALERT_TYPES ? "" : c->unless) ? 0 : 1;
}

static int take_case(struct drill *d, const struct options *o, const struct drill_case *c, struct tally *t)
{
  char why[96] = "";
  unsigned n = requests_of(d, c);
  if (!is_wanted(o, c)) return 0;
  if (n == 0) return say(o, c, NULL, false, c->unless) ? 0 : 1;
  if (o->list) snprintf(why, sizeof why, "would be %u request%s", n, n == 1 ? "" : "s");
  else if (c->alert == ALERT_TOOL_DENIED && !d->denied[0]) snprintf(why, sizeof why, "its policy denies no tool");
  else if (n > FEW && !o->many) snprintf(why, sizeof why, "it is %u requests; --many sends them", n);
  return why[0] ? (say(o, c, NULL, false, why) ? 0 : 1) : try_case(d, o, c, t);
}

static int drill(struct drill *d, const struct options *o)
{
  struct tally t = {0};
  int rc = 0;
  bool any = false;
  for (size_t i = 0; i < CASES; i++) any |= is_wanted(o, &cases[i]);
  if (!any) return cli_usage("drill", "--only: no alert has that in its type; `vedette alerts types` lists them");
  for (size_t i = 0; !rc && i < CASES; i++) rc = take_case(d, o, &cases[i], &t);
  if (rc || o->list) return rc;
  fprintf(stderr, "%s: %u of %u alerts were raised", d->deployment, t.raised, t.tried);
  if (t.raised) fprintf(stderr, "; the slowest was in the API %.1f ms after the last answer", (double)t.slowest_us / 1e3);
  if (t.not_now) fprintf(stderr, "; %u cannot be raised now", t.not_now);
  fprintf(stderr, "\n");
  return t.raised == t.tried ? 0 : 1;
}

int cmd_drill(int argc, char **argv)
{
  struct options o = {.patience = 5};
  struct drill d = {0};
  struct vdt_error err = {0};
  struct web_target targets[2];
  const struct cli_option known[] = {
      {"config", CLI_TEXT, &o.config},   {"state", CLI_TEXT, &o.state},         {"deployment", CLI_TEXT, &o.deployment},
      {"gateway", CLI_TEXT, &o.gateway}, {"control", CLI_TEXT, &o.control},     {"ca", CLI_TEXT, &o.trust},
      {"key-env", CLI_TEXT, &o.key_env}, {"token-env", CLI_TEXT, &o.token_env}, {"only", CLI_LIST, &o.only},
      {"many", CLI_FLAG, &o.many},       {"list", CLI_FLAG, &o.list},           {"patience", CLI_NUMBER, &o.patience},
      {"json", CLI_FLAG, &o.json},       {"table", CLI_FLAG, &o.table},         {"markdown", CLI_FLAG, &o.markdown}};
  int n = cli_options(argc, argv, known, sizeof known / sizeof *known);
  if (n < 0) return CLI_USAGE;
  if (n > 1 || (n == 1 && o.config)) return cli_usage("drill", "takes one configuration");
  if (n == 1) o.config = argv[1];
  if (o.markdown) return print_markdown();
  if (sodium_init() < 0) return cli_usage("drill", "no source of random numbers");
  int rc = prepare(&o, &d, targets, &err) ? (cli_complain("drill", &err), CLI_USAGE) : drill(&d, &o);
  finish(&d);
  return rc;
}
