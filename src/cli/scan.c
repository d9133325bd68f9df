/*
 * vedette scan: JSON Lines in, JSON Lines out, one for one. What the gateway would find in these texts, without a gateway.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/lines.h"
#include "gateway/load.h"
#include "wire/explain.h"
#include "wire/finding.h"
#include "wire/wire.h"
#include <getopt.h>

struct scan {
  struct vdt_engine *engine;
  struct vdt_scanner *scanner;
  struct vdt_arena *arena;
  struct vdt_policy policy;
  struct config *config; /* or NULL */
  struct vdt_blocklist *blocklist;
  struct vdt_intel *intel;
  const struct config_deployment *deployment; /* whose blocklists are looked for; NULL: none */
  enum vdt_role role;
  const struct wire_format *format; /* NULL: plain texts */
  bool raw, stats, show_secrets, explain;
  struct buf out;
  uint64_t line, bytes, bad;
};

/* ---- one result ------------------------------------------------------------------------------------------------- */

static void put_explanation(struct buf *b, const struct vdt_explanation *w, enum vdt_role role, struct str part)
{
  buf_printf(b, "{\"role\": \"%s\"", vdt_role_name(role));
  if (part.n) {
    BUF_LIT(b, ", \"part\": ");
    json_quote(b, part);
  }
  BUF_LIT(b, ",");
  explain_write(w, b);
  BUF_LIT(b, "}");
}

/* What all parts of one line have given. */
struct total {
  double jailbreak, indirect;
  bool detected, any;
  enum vdt_inspected inspected;
  struct buf findings, explanations;
};

static void add_to_total(struct total *t, const struct vdt_result *r)
{
  if (r->inspected > t->inspected) t->inspected = r->inspected;
  if (r->jailbreak > t->jailbreak) t->jailbreak = r->jailbreak;
  if (r->indirect > t->indirect) t->indirect = r->indirect;
}

static void add_finding(struct scan *s, struct total *t, const struct vdt_finding *f, struct str text, struct str part)
{
  struct buf line = s->out;
  s->out = t->findings;
  if (t->any) BUF_LIT(&s->out, ", ");
  t->any = true;
  t->detected |= f->action >= VDT_DETECT;
  finding_write(f, text, part, s->show_secrets, &s->out);
  t->findings = s->out;
  s->out = line;
}

static int scan_text(struct scan *s, struct total *t, enum vdt_role role, struct str text, struct str part)
{
  struct vdt_result r;
  const struct config_deployment *d = s->deployment;
  if (d) s->policy.phrases.actions = role == VDT_RESPONSE ? d->list_response : d->list_request;
  int rc = vdt_scan(s->scanner, s->arena, &s->policy, role, text.p, text.n, &r);
  if (rc) return rc;
  s->bytes += text.n;
  add_to_total(t, &r);
  for (size_t i = 0; i < r.n_findings; i++) add_finding(s, t, &r.findings[i], text, part);
  if (s->explain && (role == VDT_PROMPT || role == VDT_DOCUMENT)) {
    if (t->explanations.n) BUF_LIT(&t->explanations, ", ");
    put_explanation(&t->explanations, &r.why, role, part);
  }
  return VDT_OK;
}

static void put_total(struct scan *s, struct str id, const struct total *t)
{
  static const char *const inspected[] = {"full", "partial", "none"};
  struct buf *b = &s->out;
  BUF_LIT(b, "{\"id\": ");
  buf_put(b, id.n ? id : STR("null"));
  buf_printf(b, ", \"verdict\": \"%s\", \"scores\": {", t->detected ? "detected" : "clean");
  BUF_LIT(b, "\"jailbreak\": ");
  buf_printf(b, "%.4g", t->jailbreak);
  BUF_LIT(b, ", \"indirect\": ");
  buf_printf(b, "%.4g", t->indirect);
  BUF_LIT(b, "}, \"findings\": [");
  buf_put(b, buf_str(&t->findings));
  buf_printf(b, "], \"inspected\": \"%s\"", inspected[t->inspected]);
  if (s->explain) {
    BUF_LIT(b, ", \"explain\": [");
    buf_put(b, buf_str(&t->explanations));
    BUF_LIT(b, "]");
  }
  BUF_LIT(b, "}\n");
}

/* ---- payloads of a provider -------------------------------------------------------------------------------------- */

/* What the user's turns say together, where none says it alone. */
static int scan_turns(struct scan *s, struct total *t, const struct wire_request *q)
{
  struct wire_turns u;
  struct vdt_result r;
  size_t *turn;
  if (!wire_user_turns(q, s->arena, &u)) return VDT_ENOMEM;
  int rc = vdt_scan_turns(s->scanner, s->arena, &s->policy, u.texts, u.n, &r, &turn);
  if (rc || r.jailbreak <= t->jailbreak) return rc;
  add_to_total(t, &r);
  for (size_t i = 0; i < r.n_findings; i++) add_finding(s, t, &r.findings[i], u.parts[turn[i]]->text, u.parts[turn[i]]->origin);
  return VDT_OK;
}

static int scan_request(struct scan *s, struct total *t, struct str body, struct vdt_error *err)
{
  struct wire_request r;
  struct json_limits limits = JSON_LIMITS_DEFAULT;
  int rc = wire_request_parse(s->format, s->arena, body, &limits, &r, err);
  for (size_t i = 0; !rc && i < r.n_parts; i++) {
    const struct wire_part *p = &r.parts[i];
    if (p->skipped) t->inspected = VDT_PARTIAL;
    else rc = scan_text(s, t, p->role, p->text, p->origin);
  }
  return rc ? rc : scan_turns(s, t, &r);
}

struct gathered {
  struct str origin;
  struct buf text;
};

struct gather {
  struct gathered *items[256];
  size_t n;
};

/* The text of each channel is gathered and scanned whole. */
static int gather_text(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  struct gather *g = ctx;
  struct gathered *item = channel->user;
  (void)last;
  *out = (struct wire_text){.p = in};
  if (!item) {
    if (g->n == sizeof g->items / sizeof *g->items) return VDT_ETOOBIG;
    item = channel->user = g->items[g->n] = calloc(1, sizeof *item);
    if (!item) return VDT_ENOMEM;
    g->n++;
    item->origin = str_of(channel->origin);
  }
  buf_put(&item->text, in);
  return item->text.failed ? VDT_ENOMEM : VDT_OK;
}

static int read_whole(struct wire_response *r, struct str body)
{
  struct buf sink = {0};
  int rc = wire_response_feed(r, body, &sink);
  if (!rc) rc = wire_response_finish(r, false, &sink);
  buf_finish(&sink);
  return rc;
}

/* An event of a session; *heard: what the user was heard saying. */
static int read_event(struct wire_response *r, struct str body, struct str *heard)
{
  struct wire_message m;
  int rc = wire_response_message(r, body, &m);
  *heard = rc ? (struct str){0} : m.heard;
  return rc;
}

static int scan_response(struct scan *s, struct total *t, struct str body, struct vdt_error *err)
{
  struct gather g = {0};
  struct str heard = {0};
  struct wire_hooks hooks = {.ctx = &g, .text = gather_text};
  bool event = wire_is_session(s->format);
  struct wire_response_options opt = {
      .mode = event ? WIRE_LINES : WIRE_JSON, .max_body = LINE_MAX_BYTES, .limits = JSON_LIMITS_DEFAULT};
  struct wire_response *r;
  int rc = wire_response_new(s->format, s->arena, &opt, &hooks, &r);
  if (rc) return rc;
  rc = event ? read_event(r, body, &heard) : read_whole(r, body);
  if (rc) error_set(err, rc, "response: not a response of %s", wire_format_name(s->format));
  if (heard.n) rc = scan_text(s, t, VDT_PROMPT, heard, STR("transcript"));
  for (size_t i = 0; i < g.n; i++) {
    if (!rc) rc = scan_text(s, t, VDT_RESPONSE, buf_str(&g.items[i]->text), g.items[i]->origin);
    buf_finish(&g.items[i]->text);
    free(g.items[i]);
  }
  if (wire_response_info(r)->inspected > t->inspected) t->inspected = wire_response_info(r)->inspected;
  wire_response_free(r);
  return rc;
}

/* A request, a response, or {"request": …, "response": …}. */
static int scan_payload(struct scan *s, const struct json_doc *doc, struct total *t, struct vdt_error *err)
{
  uint32_t request = json_get(doc, 0, "request"), response = json_get(doc, 0, "response");
  int rc = VDT_OK;
  /* Ollama's answers have a string of that name, and events of sessions an object. */
  bool event = wire_is_session(s->format) && json_get(doc, 0, "type");
  bool pair =
      !event && doc->nodes[request].type >= JSON_ARRAY && doc->nodes[response].type >= JSON_ARRAY && (request || response);
  if (!pair) {
    if (wire_is_answer(s->format, doc)) return scan_response(s, t, doc->text, err);
    return scan_request(s, t, doc->text, err);
  }
  if (request) rc = scan_request(s, t, json_raw(doc, request), err);
  if (!rc && response) rc = scan_response(s, t, json_raw(doc, response), err);
  return rc;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static int scan_plain(struct scan *s, const struct json_doc *doc, struct total *t, struct vdt_error *err)
{
  uint32_t text = json_get(doc, 0, "text"), role = json_get(doc, 0, "role");
  struct str value;
  enum vdt_role as = s->role;
  if (!json_is(doc, text, JSON_STRING)) return error_set(err, VDT_ESYNTAX, "text: expected a string");
  if (role) {
    if (json_string_is(doc, role, "prompt")) as = VDT_PROMPT;
    else if (json_string_is(doc, role, "document")) as = VDT_DOCUMENT;
    else if (json_string_is(doc, role, "response")) as = VDT_RESPONSE;
    else return error_set(err, VDT_ESYNTAX, "role: expected \"prompt\", \"document\" or \"response\"");
  }
  if (!json_string(doc, text, s->arena, &value)) return error_set(err, VDT_ENOMEM, "out of memory");
  return scan_text(s, t, as, value, (struct str){0});
}

static int scan_json(struct scan *s, struct str line, struct total *t, struct str *id, struct vdt_error *err)
{
  struct json_doc doc;
  struct json_limits limits = JSON_LIMITS_DEFAULT;
  int rc = json_parse(s->arena, line, &limits, &doc, err);
  if (rc) return rc;
  if (doc.nodes[0].type != JSON_OBJECT) return error_set(err, VDT_ESYNTAX, "expected an object");
  uint32_t at = json_get(&doc, 0, "id");
  if (at) *id = json_raw(&doc, at);
  return s->format ? scan_payload(s, &doc, t, err) : scan_plain(s, &doc, t, err);
}

static bool flush(struct scan *s)
{
  bool ok = !s->out.failed && fwrite(s->out.p, 1, s->out.n, stdout) == s->out.n;
  buf_reset(&s->out);
  return ok;
}

static void scan_line(struct scan *s, struct str line, bool too_long)
{
  struct total t = {0};
  struct str id = {0};
  struct vdt_error err = {0};
  vdt_arena_reset(s->arena);
  s->line++;
  int rc = too_long ? error_set(&err, VDT_ETOOBIG, "the line is longer than %d bytes", LINE_MAX_BYTES)
           : s->raw ? scan_text(s, &t, s->role, line, (struct str){0})
                    : scan_json(s, line, &t, &id, &err);
  if (!rc) {
    put_total(s, id, &t);
  } else {
    s->bad++;
    buf_printf(&s->out, "{\"line\": %llu, \"error\": ", (unsigned long long)s->line);
    json_quote(&s->out, str_of(err.text[0] ? err.text : vdt_strerror(rc)));
    BUF_LIT(&s->out, "}\n");
  }
  buf_finish(&t.findings);
  buf_finish(&t.explanations);
  if (s->out.n > LINES_READ_BYTES) flush(s);
}

static void take_line(void *s, struct str line, bool too_long)
{
  scan_line(s, line, too_long);
}

static bool scan_whole(struct scan *s, gzFile f)
{
  struct buf b = {0};
  int got = 1;
  while (got > 0 && b.n <= LINE_MAX_BYTES && buf_reserve(&b, LINES_READ_BYTES)) {
    got = gzread(f, b.p + b.n, LINES_READ_BYTES);
    if (got > 0) b.n += (size_t)got;
  }
  if (got == 0 || b.n > LINE_MAX_BYTES) scan_line(s, buf_str(&b), b.n > LINE_MAX_BYTES);
  buf_finish(&b);
  return got >= 0;
}

static bool scan_file(struct scan *s, const char *path)
{
  gzFile f = lines_open(path, "scan");
  if (!f) return false;
  s->line = 0;
  bool ok = s->raw ? scan_whole(s, f) : lines_read(f, take_line, s);
  lines_close(f, path, "scan", ok);
  return ok;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

static bool set_role(struct scan *s, const char *name)
{
  static const enum vdt_role roles[] = {VDT_PROMPT, VDT_DOCUMENT, VDT_RESPONSE};
  for (size_t i = 0; i < 3; i++)
    if (strcmp(name, vdt_role_name(roles[i])) == 0) {
      s->role = roles[i];
      return true;
    }
  fprintf(stderr, "vedette scan: --as %s: expected prompt, document or response\n", name);
  return false;
}

/* Switches every detector off that the comma-separated list does not name. */
static bool set_only(struct scan *s, const char *list)
{
  unsigned on = 0;
  for (const char *p = list; *p;) {
    size_t n = strcspn(p, ",");
    int found = -1;
    for (int d = 0; d < VDT_DETECTORS; d++)
      if (str_eq((struct str){p, n}, str_of(vdt_detector_name((enum vdt_detector_id)d)))) found = d;
    if (found < 0) {
      fprintf(stderr, "vedette scan: --only %s: expected detectors of:", list);
      for (int d = 0; d < VDT_DETECTORS; d++) fprintf(stderr, "%s %s", d ? "," : "", vdt_detector_name((enum vdt_detector_id)d));
      fprintf(stderr, "\n");
      return false;
    }
    on |= 1u << found;
    p += n + (p[n] == ',');
  }
  if (!(on & 1u << VDT_DET_JAILBREAK)) s->policy.jailbreak.action = VDT_ALLOW;
  if (!(on & 1u << VDT_DET_INDIRECT)) s->policy.indirect.action = VDT_ALLOW;
  if (!(on & 1u << VDT_DET_CREDENTIAL)) s->policy.credential = (struct vdt_leak_policy){0};
  if (!(on & 1u << VDT_DET_SENSITIVE)) s->policy.sensitive = (struct vdt_leak_policy){0};
  if (!(on & 1u << VDT_DET_URL)) s->policy.malicious_url = (struct vdt_leak_policy){0};
  if (!(on & 1u << VDT_DET_RECON)) s->policy.reconnaissance.action = VDT_ALLOW;
  if (!(on & 1u << VDT_DET_HIDDEN)) s->policy.hidden_text.action = VDT_ALLOW;
  if (!(on & 1u << VDT_DET_BLOCKLIST)) s->policy.phrases.blocklist = NULL;
  return true;
}

static bool set_format(struct scan *s, const char *name)
{
  s->format = wire_format_by_name(str_of(name));
  if (s->format) return true;
  fprintf(stderr, "vedette scan: --format %s: expected one of:", name);
  for (size_t i = 0; wire_format_at(i); i++) fprintf(stderr, " %s", wire_format_name(wire_format_at(i)));
  fprintf(stderr, "\n");
  return false;
}

/* What the command line says about the configuration. */
struct choice {
  const char *config, *policy, *deployment, *only;
};

/* The named policy; else that of the named deployment; else the first. */
static bool set_policy(struct scan *s, const struct choice *c)
{
  const struct vdt_policy *p = c->deployment ? s->deployment->policy : s->config->policies;
  if (c->policy) {
    size_t i = 0;
    while (i < s->config->n_policies && strcmp(s->config->policies[i].name, c->policy) != 0) i++;
    p = i < s->config->n_policies ? &s->config->policies[i] : NULL;
  }
  if (p) s->policy = *p;
  else fprintf(stderr, "vedette scan: --policy %s: no such policy in %s\n", c->policy, c->config);
  return p;
}

/* The named deployment, else the first: its blocklists are looked for. */
static bool set_deployment(struct scan *s, const struct choice *c)
{
  s->deployment = c->deployment ? config_find(s->config, str_of(c->deployment)) : s->config->deployments;
  if (s->deployment) return true;
  fprintf(stderr, "vedette scan: --deployment %s: no such deployment in %s\n", c->deployment, c->config);
  return false;
}

static bool read_config(struct scan *s, const struct choice *c)
{
  struct vdt_error err = {0};
  vdt_policy_default(&s->policy);
  if (!c->config) {
    if (c->policy || c->deployment) fprintf(stderr, "vedette scan: --policy and --deployment are about a --config FILE\n");
    return !c->policy && !c->deployment;
  }
  int rc = load_config(c->config, &s->config, &err);
  if (!rc) rc = load_blocklists(s->config, &s->blocklist, &err);
  if (rc) fprintf(stderr, "%s:%u: %s\n", err.file, err.line, err.text);
  if (rc || !set_deployment(s, c) || !set_policy(s, c)) return false;
  if (s->deployment && s->deployment->n_blocklists) s->policy.phrases.blocklist = s->blocklist;
  return true;
}

static int start(struct scan *s)
{
  struct vdt_error err = {0};
  int rc = load_engine_of(s->config, NULL, &s->engine, NULL, &err);
  if (!rc && s->config) rc = vdt_policy_bind(s->engine, s->config->arena, &s->policy, &err);
  if (!rc && s->deployment) s->policy.allow = s->deployment->allow;
  if (!rc) rc = load_intel(s->config, &s->intel, &err);
  s->policy.intel = s->intel;
  if (!rc) rc = vdt_scanner_new(s->engine, &s->scanner);
  s->arena = vdt_arena_new((size_t)512 << 20);
  if (!rc && s->arena) return 0;
  fprintf(stderr, "vedette scan: %s%s%u: %s\n", err.file, err.file[0] ? ":" : "", err.line,
          err.text[0] ? err.text : vdt_strerror(rc));
  return 2;
}

static void print_stats(const struct scan *s, uint64_t us)
{
  double seconds = (double)us / 1e6;
  fprintf(stderr, "%llu bytes in %.3f s, %.1f MB/s, %llu bad lines\n", (unsigned long long)s->bytes, seconds,
          seconds > 0 ? (double)s->bytes / 1e6 / seconds : 0.0, (unsigned long long)s->bad);
}

static int run(struct scan *s, char **files, int n)
{
  bool ok = true;
  uint64_t begin = clock_mono_us();
  static char standard_input[] = "-";
  for (int i = 0; i < n || (n == 0 && i == 0); i++) ok &= scan_file(s, n ? files[i] : standard_input);
  ok &= flush(s) && fflush(stdout) == 0;
  if (s->stats) print_stats(s, clock_mono_us() - begin);
  return ok && s->bad == 0 ? 0 : 1;
}

static bool set_option(struct scan *s, struct choice *choice, int c)
{
  switch (c) {
  case 'c': choice->config = optarg; return true;
  case 'p': choice->policy = optarg; return true;
  case 'd': choice->deployment = optarg; return true;
  case 'o': choice->only = optarg; return true;
  case 'a': return set_role(s, optarg);
  case 'f': return set_format(s, optarg);
  case 's': return s->stats = true;
  case 'r': return s->raw = true;
  case 'e': return s->explain = true;
  case 'S': return s->show_secrets = true;
  default: return false;
  }
}

static void finish(struct scan *s)
{
  buf_finish(&s->out);
  vdt_arena_free(s->arena);
  vdt_scanner_free(s->scanner);
  vdt_engine_free(s->engine);
  vdt_blocklist_free(s->blocklist);
  intel_drop(s->intel);
  config_free(s->config);
}

int cmd_scan(int argc, char **argv)
{
  static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                          {"policy", required_argument, NULL, 'p'},
                                          {"as", required_argument, NULL, 'a'},
                                          {"deployment", required_argument, NULL, 'd'},
                                          {"only", required_argument, NULL, 'o'},
                                          {"format", required_argument, NULL, 'f'},
                                          {"stats", no_argument, NULL, 's'},
                                          {"raw", no_argument, NULL, 'r'},
                                          {"explain", no_argument, NULL, 'e'},
                                          {"show-secrets", no_argument, NULL, 'S'},
                                          {NULL, 0, NULL, 0}};
  struct scan s = {.role = VDT_PROMPT};
  struct choice choice = {0};
  bool ok = true;
  for (int c; ok && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) ok = set_option(&s, &choice, c);
  ok = ok && read_config(&s, &choice) && (!choice.only || set_only(&s, choice.only));
  int rc = ok ? start(&s) : 2;
  if (!rc) rc = run(&s, argv + optind, argc - optind);
  finish(&s);
  return rc;
}
