/*
 * What is kept of findings: metadata always; the masked match and the masked segment only where evidence is on. The text itself, never.
 */
#include "engine/scanner.h"
#include "gateway/exchange_inside.h"

/* Beyond these, findings still decide what happens; they are only no longer listed. */
enum { MAX_FINDINGS = 4096, MAX_EVIDENCE = 64, TEXT_MAX = 1024 };

static struct record_finding *new_finding(struct exchange *x)
{
  struct record *r = &x->record;
  struct record_finding *grown = arena_grow(x->arena, r->findings, r->n_findings, &x->cap_findings, 4, sizeof *grown);
  if (!grown) return NULL;
  r->findings = grown;
  return &r->findings[r->n_findings++];
}

static bool is_leak(const struct vdt_finding *f)
{
  return f->detector == VDT_DET_CREDENTIAL || f->detector == VDT_DET_SENSITIVE;
}

static struct str join_layers(struct exchange *x, const struct vdt_finding *f)
{
  char all[VDT_LAYERS_MAX * 32] = "";
  size_t n = 0;
  for (unsigned i = 0; i < f->n_layers; i++) n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", f->layers[i]);
  return exchange_keep(x, str_of(all), sizeof all);
}

/* What was decoded may hold secrets of kinds that the policy does not look for. */
static struct str masked(struct exchange *x, const struct evidence *e, const struct vdt_finding *f)
{
  struct evidence only = {.scanner = e->scanner, .arena = e->arena, .text = str_of(f->decoded), .whole = true};
  struct buf out = {0};
  struct str kept = {0};
  if (only.text.n && evidence_masked(&only, 0, only.text.n, &out)) kept = exchange_keep(x, buf_str(&out), RECORD_EVIDENCE_MAX);
  buf_finish(&out);
  return kept;
}

static void add_evidence(struct exchange *x, const struct evidence *e, const struct vdt_finding *f, struct record_finding *out)
{
  out->redacted = exchange_keep(x, str_of(f->redacted), VDT_REDACTED_MAX);
  if (!out->alert.n || x->n_evidence == MAX_EVIDENCE) return;
  x->n_evidence++;
  struct evidence_span span;
  out->evidence = evidence_segment(e, f, &span);
  out->evidence_from = span.from;
  out->evidence_to = span.to;
  out->decoded = masked(x, e, f);
  exchange_hide_canary(x, &out->evidence);
  exchange_hide_canary(x, &out->decoded);
}

/* Documents that an application found or a user attached, as against what a tool gave. */
static bool is_retrieved(struct str part)
{
  return str_starts(part, STR("documents")) || str_find(part, STR("#documents")) != (size_t)-1 ||
         str_find(part, STR("#text")) != (size_t)-1 || str_find(part, STR(".source.")) != (size_t)-1;
}

/* Where from a malicious address came. The host stands behind the scheme, defanged. */
static uint64_t host_of(const struct vdt_finding *f)
{
  struct str s = str_of(f->redacted);
  size_t at = str_find(s, STR("://"));
  uint64_t h = 14695981039346656037u;
  for (size_t i = at == (size_t)-1 ? 0 : at + 3; i < s.n; i++) h = (h ^ ((unsigned char)s.p[i] | 32)) * 1099511628211u;
  return h;
}

static bool came_with_request(const struct exchange *x, uint64_t host)
{
  size_t i = 0;
  while (i < x->n_urls && x->urls[i] != host) i++;
  return i < x->n_urls;
}

static void remember_host(struct exchange *x, uint64_t host)
{
  enum { MOST = 64 };
  if (x->n_urls == MOST || came_with_request(x, host)) return;
  uint64_t *grown = arena_grow(x->arena, x->urls, x->n_urls, &x->cap_urls, 4, sizeof *grown);
  if (!grown) return; /* the alert is then that of an answer */
  x->urls = grown;
  x->urls[x->n_urls++] = host;
}

static const char *url_alert(struct exchange *x, const struct finding_origin *o, const struct vdt_finding *f)
{
  static const char unknown[] = "AI.Azure_MaliciousUrl.UnknownSource", tool[] = "AI.Azure_Agentic_MaliciousUrl.ToolOutput";
  if (o->response) return came_with_request(x, host_of(f)) ? unknown : f->alert;
  remember_host(x, host_of(f));
  if (o->role == VDT_RESPONSE) return unknown;
  return o->role == VDT_DOCUMENT && !is_retrieved(o->part) ? tool : f->alert;
}

static const char *alert_of(struct exchange *x, const struct finding_origin *o, const struct vdt_finding *f)
{
  if (f->detector == VDT_DET_URL && f->alert[0]) return url_alert(x, o, f);
  /* What an assistant said earlier comes back with every turn: it raised its alert when it was said. */
  return !o->response && is_leak(f) ? "" : f->alert;
}

bool exchange_add_finding(struct exchange *x, const struct finding_origin *o, const struct vdt_finding *f)
{
  if (f->action > x->strongest) x->strongest = f->action;
  exchange_label_finding(x, f);
  if (x->record.n_findings == MAX_FINDINGS) return true;
  struct record_finding *out = new_finding(x);
  if (!out) return false;
  const char *alert = alert_of(x, o, f);
  *out = (struct record_finding){.direction = o->response ? STR("response") : STR("request"),
                                 .part = o->part,
                                 .role = str_of(vdt_role_name(o->role)),
                                 .detector = str_of(vdt_detector_name(f->detector)),
                                 .rule = str_of(f->rule),
                                 .title = str_of(f->title),
                                 .alert = str_of(alert),
                                 .severity = str_of(vdt_severity_name(f->severity)),
                                 .action = str_of(vdt_action_name(f->action)),
                                 .reason = exchange_keep(x, str_of(f->reason), TEXT_MAX),
                                 .type = f->type ? str_of(f->type) : STR(""),
                                 .type_id = f->type_id ? str_of(f->type_id) : STR(""),
                                 .policy = str_of(f->policy),
                                 .source = STR("vedette"),
                                 .layers = join_layers(x, f),
                                 .confidence = f->confidence,
                                 .start = f->start,
                                 .end = f->end};
  if (o->evidence) add_evidence(x, o->evidence, f, out);
  return true;
}

/* ---- second opinions -------------------------------------------------------------------------------------------- */

void exchange_add_opinion(struct exchange *x, const struct opinion_case *c, enum vdt_action action, bool missing)
{
  struct record_finding *out = x->record.n_findings < MAX_FINDINGS ? new_finding(x) : NULL;
  char reason[192];
  unsigned score = (unsigned)(c->score * 100);
  if (!out) return;
  if (missing)
    snprintf(reason, sizeof reason, "the own score is %u of 100, and the shield %s gave no opinion", score,
             x->opinion.policy->shield);
  else snprintf(reason, sizeof reason, "the shield %s says so; the own score is %u of 100", x->opinion.policy->shield, score);
  *out = (struct record_finding){.direction = STR("request"),
                                 .part = c->part,
                                 .role = str_of(vdt_role_name(c->role)),
                                 .detector = str_of(vdt_detector_name(c->detector)),
                                 .rule = missing ? STR("second-opinion-missing") : STR("second-opinion"),
                                 .title = missing ? STR("Unsure, and no second opinion") : STR("An attack, by a second opinion"),
                                 .alert = str_of(finding_alert(c->detector, c->role, action)),
                                 .severity = str_of(vdt_severity_name(VDT_MEDIUM)),
                                 .action = str_of(vdt_action_name(action)),
                                 .reason = exchange_keep(x, str_of(reason), TEXT_MAX),
                                 .source = missing ? STR("vedette") : STR("shield"),
                                 .evidence = c->segment,
                                 .confidence = missing ? score : 100,
                                 .start = c->start,
                                 .end = c->end};
}

/* ---- the upstream's filter -------------------------------------------------------------------------------------- */

static void add_attack(struct exchange *x, enum vdt_detector_id detector, enum vdt_action action)
{
  bool direct = detector == VDT_DET_JAILBREAK;
  enum vdt_role role = direct ? VDT_PROMPT : VDT_DOCUMENT;
  struct record_finding *out = x->record.n_findings < MAX_FINDINGS ? new_finding(x) : NULL;
  if (!out) return;
  *out = (struct record_finding){.direction = STR("request"),
                                 .role = str_of(vdt_role_name(role)),
                                 .detector = str_of(vdt_detector_name(detector)),
                                 .rule = direct ? STR("upstream-jailbreak") : STR("upstream-indirect-attack"),
                                 .title = direct ? STR("Jailbreak, by the upstream's content filter")
                                                 : STR("Indirect attack, by the upstream's content filter"),
                                 .alert = str_of(finding_alert(detector, role, action)),
                                 .severity = str_of(vdt_severity_name(VDT_MEDIUM)),
                                 .action = str_of(vdt_action_name(action)),
                                 .reason = STR("the upstream's content filter says so"),
                                 .source = STR("upstream"),
                                 .confidence = 100};
}

void exchange_add_upstream(struct exchange *x, const struct wire_upstream_verdict *v, bool blocked)
{
  enum vdt_action action = blocked ? VDT_BLOCK : VDT_DETECT;
  bool direct = v->jailbreak_detected || v->jailbreak_filtered, indirect = v->indirect_detected || v->indirect_filtered;
  x->verdict_taken = true;
  if ((direct || indirect || blocked) && action > x->strongest) x->strongest = action;
  if (direct) add_attack(x, VDT_DET_JAILBREAK, action);
  if (indirect) add_attack(x, VDT_DET_INDIRECT, action);
}
