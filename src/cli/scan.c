/*
 * vedette scan: JSON Lines in, JSON Lines out, one for one. What the gateway would find in these texts, without a gateway.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/lines.h"
#include "cli/scan_inside.h"
#include "gateway/load.h"
#include "wire/explain.h"
#include "wire/finding.h"
#include "wire/wire.h"
#include <sys/random.h>

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

void scan_add(struct total *t, const struct vdt_result *r)
{
  if (r->inspected > t->inspected) t->inspected = r->inspected;
  if (r->jailbreak > t->jailbreak) t->jailbreak = r->jailbreak;
  if (r->indirect > t->indirect) t->indirect = r->indirect;
}

void scan_add_finding(struct scan *s, struct total *t, const struct vdt_finding *f, struct str text, struct str part)
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

static struct vdt_leak_policy every(bool on)
{
  return (struct vdt_leak_policy){.prompt = on ? VDT_DETECT : VDT_ALLOW, .response = on ? VDT_DETECT : VDT_ALLOW};
}

/* Secrets, data and addresses that are seen and do not count, since the policy allows them here or asks for more confidence: stand-ins and
 * published samples among them, which whoever tries the product out tries first. */
static int scan_passed_over(struct scan *s, struct total *t, enum vdt_role role, struct str text, struct str part,
                            const struct vdt_result *found)
{
  struct vdt_policy all = s->policy;
  struct vdt_result r;
  all.jailbreak.action = all.indirect.action = all.reconnaissance.action = all.hidden_text.action = VDT_ALLOW;
  all.phrases.blocklist = NULL;
  all.bound = NULL;
  all.credential = every(s->detectors & 1u << VDT_DET_CREDENTIAL);
  all.sensitive = every(s->detectors & 1u << VDT_DET_SENSITIVE);
  all.malicious_url = every(s->detectors & 1u << VDT_DET_URL);
  int rc = vdt_scan(s->scanner, s->arena, &all, role, text.p, text.n, &r);
  for (size_t i = 0, k = 0; !rc && i < r.n_findings; i++) {
    struct vdt_finding f = r.findings[i];
    while (k < found->n_findings && found->findings[k].end <= f.start) k++;  /* both are ordered by start */
    if (k < found->n_findings && found->findings[k].start < f.end) continue; /* it, or a part of it, counts */
    f.action = VDT_ALLOW;
    if (t->passed_over.n) BUF_LIT(&t->passed_over, ", ");
    finding_write(&f, text, part, s->show_secrets, &t->passed_over);
  }
  return rc;
}

int scan_into(struct scan *s, struct total *t, enum vdt_role role, struct str text, struct str part, struct vdt_result *out)
{
  struct vdt_result r;
  const struct config_deployment *d = s->deployment;
  if (d) s->policy.phrases.actions = role == VDT_RESPONSE ? d->list_response : d->list_request;
  int rc = vdt_scan(s->scanner, s->arena, &s->policy, role, text.p, text.n, &r);
  if (rc) return rc;
  s->bytes += text.n;
  scan_add(t, &r);
  for (size_t i = 0; i < r.n_findings; i++) scan_add_finding(s, t, &r.findings[i], text, part);
  if (s->explain && (role == VDT_PROMPT || role == VDT_DOCUMENT)) {
    if (t->explanations.n) BUF_LIT(&t->explanations, ", ");
    put_explanation(&t->explanations, &r.why, role, part);
  }
  *out = r;
  return s->explain ? scan_passed_over(s, t, role, text, part, &r) : VDT_OK;
}

static int scan_alone(struct scan *s, struct total *t, enum vdt_role role, struct str text)
{
  struct vdt_result r;
  struct release release = release_of(s);
  s->policy.speech = VDT_ANSWER;
  int rc = scan_into(s, t, role, text, (struct str){0}, &r);
  return rc || !s->redact ? rc : release_text(&release, role, text, &r, &t->released);
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
  if (s->redact) {
    BUF_LIT(b, ", \"released\": ");
    buf_put(b, buf_str(&t->released));
  }
  if (s->explain) {
    BUF_LIT(b, ", \"explain\": [");
    buf_put(b, buf_str(&t->explanations));
    BUF_LIT(b, "], \"passed_over\": [");
    buf_put(b, buf_str(&t->passed_over));
    BUF_LIT(b, "]");
  }
  BUF_LIT(b, "}\n");
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
  return scan_alone(s, t, as, value);
}

static int scan_json(struct scan *s, struct str line, struct total *t, struct str *id, struct vdt_error *err)
{
  struct json_doc doc;
  struct json_limits limits = JSON_LIMITS_DEFAULT;
  size_t blank = 0;
  while (blank < line.n && (line.p[blank] == ' ' || line.p[blank] == '\t')) blank++;
  if (blank == line.n || line.p[blank] != '{') {
    return error_set(err, VDT_ESYNTAX,
                     s->format ? "expected an object" : "expected an object with \"text\"; for plain text say --raw");
  }
  int rc = json_parse(s->arena, line, &limits, &doc, err);
  if (rc) return rc;
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
           : s->raw ? scan_alone(s, &t, s->role, line)
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
  buf_finish(&t.passed_over);
  buf_finish(&t.released);
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
  return lines_close(f, path, "scan", ok);
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
  s->detectors = on;
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
  const char *config, *policy, *deployment, *only, *as, *format;
  const char *user, *application, *tenant; /* whom policies about data may hold for */
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

static bool names_somebody(const struct choice *c)
{
  return c->user || c->application || c->tenant;
}

/* Policies about data can only make a kind's action stronger, which would bring back what --only has left out. */
static bool can_tighten(const struct choice *c)
{
  if (!c->only || !names_somebody(c)) return true;
  fprintf(
      stderr,
      "vedette scan: --only shows what detectors find, --user, --application and --tenant what is done for somebody: not both\n");
  return false;
}

/* What holds for somebody on top of the policy, as in the gateway. Nobody named: the policy alone. */
static int tighten(struct scan *s, const struct choice *c)
{
  const struct data_policy *holds[DATA_POLICIES_MAX];
  struct vdt_policy policy = s->policy;
  if (!s->config || !names_somebody(c)) return VDT_OK;
  size_t n = config_data_policies(s->config, str_of(c->user), str_of(c->application), (struct str){0}, str_of(c->tenant), holds);
  return n ? data_policy_tighten(s->engine, s->config->arena, &policy, holds, n, &s->policy) : VDT_OK;
}

static bool read_config(struct scan *s, const struct choice *c)
{
  struct vdt_error err = {0};
  vdt_policy_default(&s->policy);
  if (!c->config) {
    bool alone = !c->policy && !c->deployment && !names_somebody(c);
    if (!alone)
      fprintf(stderr, "vedette scan: --policy, --deployment, --user, --application and --tenant are about a --config FILE\n");
    return alone;
  }
  int rc = load_config(c->config, &s->config, &err);
  if (!rc) rc = load_blocklists(s->config, &s->blocklist, &err);
  if (rc) cli_complain("scan", &err);
  if (rc || !set_deployment(s, c) || !set_policy(s, c)) return false;
  if (s->deployment && s->deployment->n_blocklists) s->policy.phrases.blocklist = s->blocklist;
  return true;
}

/* Pseudonyms are made with the key of an installation, or, where none is named, with one of this run. */
static int read_key(struct scan *s, struct vdt_error *err)
{
  struct buf b = {0};
  if (!s->key_file) return getrandom(s->key, sizeof s->key, 0) == sizeof s->key ? VDT_OK : VDT_EIO;
  int rc = file_read(s->key_file, sizeof s->key, &b, err);
  if (!rc && b.n != sizeof s->key)
    rc = error_at(err, VDT_ECONFIG, s->key_file, 0, "expected a gateway.key of %zu bytes", sizeof s->key);
  if (!rc) memcpy(s->key, b.p, sizeof s->key);
  buf_finish(&b);
  return rc;
}

static int start(struct scan *s, const struct choice *c)
{
  struct vdt_error err = {0};
  int rc = load_engine_of(s->config, NULL, &s->engine, NULL, &err);
  if (!rc && s->config) rc = vdt_policy_bind(s->engine, s->config->arena, &s->policy, &err);
  if (!rc) rc = tighten(s, c);
  if (!rc && s->deployment) s->policy.allow = s->deployment->allow;
  if (!rc) rc = load_intel(s->config, &s->intel, &err);
  s->policy.intel = s->intel;
  if (!rc && s->redact) rc = read_key(s, &err);
  if (s->redact) s->policy.pseudonym_key = s->key;
  if (!rc) rc = vdt_scanner_new(s->engine, &s->scanner);
  s->arena = vdt_arena_new((size_t)512 << 20);
  if (!rc && s->arena) return 0;
  if (!err.text[0]) error_set(&err, rc, "%s", vdt_strerror(rc));
  cli_complain("scan", &err);
  return CLI_USAGE;
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

/* An event of a session by itself does not say what a client would get of its answer. */
static bool can_redact(const struct scan *s)
{
  if (!s->redact || !s->format || !wire_is_session(s->format)) return true;
  fprintf(stderr, "vedette scan: --redact does not read the events of %s\n", wire_format_name(s->format));
  return false;
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
  struct scan s = {.role = VDT_PROMPT, .detectors = ~0u};
  struct choice choice = {0};
  const struct cli_option options[] = {{"config", CLI_TEXT, &choice.config},
                                       {"policy", CLI_TEXT, &choice.policy},
                                       {"as", CLI_TEXT, &choice.as},
                                       {"deployment", CLI_TEXT, &choice.deployment},
                                       {"only", CLI_TEXT, &choice.only},
                                       {"user", CLI_TEXT, &choice.user},
                                       {"application", CLI_TEXT, &choice.application},
                                       {"tenant", CLI_TEXT, &choice.tenant},
                                       {"format", CLI_TEXT, &choice.format},
                                       {"stats", CLI_FLAG, &s.stats},
                                       {"raw", CLI_FLAG, &s.raw},
                                       {"explain", CLI_FLAG, &s.explain},
                                       {"show-secrets", CLI_FLAG, &s.show_secrets},
                                       {"redact", CLI_FLAG, &s.redact},
                                       {"pseudonym-key", CLI_TEXT, &s.key_file}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  if (s.key_file && !s.redact)
    return cli_usage("scan", "--pseudonym-key is the key of pseudonyms that --redact makes; without --redact there are none");
  bool ok = (!choice.as || set_role(&s, choice.as)) && (!choice.format || set_format(&s, choice.format));
  ok = ok && can_redact(&s) && can_tighten(&choice) && read_config(&s, &choice) && (!choice.only || set_only(&s, choice.only));
  int rc = ok ? start(&s, &choice) : CLI_USAGE;
  if (!rc) rc = run(&s, argv + 1, n);
  finish(&s);
  return rc;
}
