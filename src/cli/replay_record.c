/*
 * Records of ours. A record holds no text but the evidence of its findings, and that only where prompt evidence was on. So a finding is judged
 * by its evidence where there is some that can be read again, and else by what today's policy does about a finding of that kind and confidence. Of a
 * record without findings nothing is left to judge.
 */
#include "base/error.h"
#include "cli/replay.h"
#include "engine/bind.h"
#include "wire/wire.h"

static int detector_of(struct str name)
{
  for (int d = 0; d < VDT_DETECTORS; d++)
    if (str_eq(name, str_of(vdt_detector_name((enum vdt_detector_id)d)))) return d;
  return -1;
}

static enum vdt_role role_of(const struct record_finding *f)
{
  for (enum vdt_role role = VDT_SYSTEM; role <= VDT_RESPONSE; role++)
    if (str_eq(f->role, str_of(vdt_role_name(role)))) return role;
  return VDT_PROMPT;
}

/* ---- by policy -------------------------------------------------------------------------------------------------- */

static enum vdt_action score_action(const struct vdt_score_policy *p, unsigned confidence)
{
  double score = confidence / 100.0;
  if (p->action == VDT_ALLOW || score < p->detect_at) return VDT_ALLOW;
  return p->action == VDT_BLOCK && score >= p->block_at ? VDT_BLOCK : VDT_DETECT;
}

/* The place of a rule among those of the engine, or -1. */
static long rule_of(const struct vdt_engine *e, enum vdt_detector_id detector, struct str id)
{
  for (unsigned i = 0; i < e->rules.n; i++)
    if (e->rules.rules[i].detector == detector && str_eq(id, str_of(e->rules.rules[i].id))) return (long)i;
  return -1;
}

/* *gone: today's rules do not know its kind any more. */
static enum vdt_action leak_action(const struct replay *r, const struct vdt_policy *p, enum vdt_detector_id detector,
                                   const struct record_finding *f, bool *gone)
{
  const struct vdt_leak_policy *leak = detector == VDT_DET_CREDENTIAL ? &p->credential : &p->sensitive;
  bool tool = role_of(f) == VDT_RESPONSE && wire_is_call(f->part);
  unsigned direction = tool ? BIND_TOOL_CALL : (unsigned)role_of(f);
  long rule = rule_of(r->engine, detector, f->rule);
  *gone = rule < 0;
  if (*gone || f->confidence < leak->minimum_confidence) return VDT_ALLOW;
  return p->bound ? (enum vdt_action)p->bound->action[direction][rule] : bind_action(leak, direction);
}

/* What policy does about it today; what it knows nothing about stays as it was. */
static enum vdt_action by_policy(const struct replay *r, const struct vdt_policy *p, const struct record_finding *f, bool *gone)
{
  int d = detector_of(f->detector);
  *gone = false;
  switch (d) {
  case VDT_DET_JAILBREAK: return score_action(&p->jailbreak, f->confidence);
  case VDT_DET_INDIRECT: return score_action(&p->indirect, f->confidence);
  case VDT_DET_HIDDEN: return p->hidden_text.action;
  case VDT_DET_RECON: return score_action(&p->reconnaissance, f->confidence);
  case VDT_DET_URL: return bind_action(&p->malicious_url, (unsigned)role_of(f));
  case VDT_DET_INSTRUCTIONS: return p->instruction_leak.action;
  case VDT_DET_CREDENTIAL:
  case VDT_DET_SENSITIVE: return leak_action(r, p, (enum vdt_detector_id)d, f, gone);
  default: return replay_action(f->action);
  }
}

/* ---- by evidence ------------------------------------------------------------------------------------------------- */

static struct replay_found found_of(const struct record_finding *f, enum vdt_action action)
{
  return (struct replay_found){f->detector, f->rule, f->alert, f->severity, f->reason, action};
}

/* Secrets are masked in evidence and addresses made unusable, so it shows nothing of them; and that an answer repeats its instructions, or a call is one
 * too many, does not show in it alone. */
static bool can_be_read_again(const struct record_finding *f)
{
  int d = detector_of(f->detector);
  bool shows = d == VDT_DET_JAILBREAK || d == VDT_DET_INDIRECT || d == VDT_DET_RECON || d == VDT_DET_HIDDEN;
  return shows && (f->evidence.n || f->decoded.n);
}

/* What was hidden by an encoding is read as it was once decoded: of the encoded bytes there is but a part. That something was hidden
 * shows in these bytes alone. */
static int by_evidence(struct replay *r, const struct config_deployment *d, const struct record_finding *f,
                       struct replay_side *now)
{
  struct vdt_result result;
  bool hidden = detector_of(f->detector) == VDT_DET_HIDDEN;
  struct str text = f->decoded.n && !(hidden && f->evidence.n) ? f->decoded : f->evidence;
  struct vdt_policy policy = replay_policy(r, d, role_of(f));
  int rc = vdt_scan(r->scanner, r->arena, &policy, role_of(f), text.p, text.n, &result);
  for (size_t i = 0; !rc && i < result.n_findings; i++) {
    const struct vdt_finding *g = &result.findings[i];
    replay_add(now, &(struct replay_found){str_of(vdt_detector_name(g->detector)), str_of(g->rule), str_of(g->alert),
                                           str_of(vdt_severity_name(g->severity)), str_of(g->reason), g->action});
  }
  return rc;
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static int judge(struct replay *r, const struct config_deployment *d, const struct record_finding *f, struct replay_side *now)
{
  bool gone = false, ours = str_eq(f->source, STR("vedette"));
  /* It was let pass for another reason than policy: an allowed value, a weaker word for what another finding says. */
  if (replay_action(f->action) == VDT_ALLOW) return VDT_OK;
  if (ours && can_be_read_again(f)) {
    r->how = "evidence";
    return by_evidence(r, d, f, now);
  }
  struct vdt_policy policy = replay_policy(r, d, role_of(f));
  enum vdt_action action = ours ? by_policy(r, &policy, f, &gone) : replay_action(f->action);
  struct replay_found found = found_of(f, action);
  replay_add(now, &found);
  return VDT_OK;
}

/* A stored record has none of its evidence: that is with the alerts, for as long as they keep it. */
static int take_stored(struct replay *r, struct store *store, struct record *record, struct vdt_error *err)
{
  struct alert_evidence *rows;
  size_t n;
  if (!store || !record->n_findings) return VDT_OK;
  int rc = store->ops->list_evidence(store, (struct str){record->id, RECORD_ID_LEN}, r->arena, &rows, &n, err);
  for (size_t i = 0; !rc && i < record->n_findings; i++) {
    struct record_finding *f = &record->findings[i];
    for (size_t k = 0; k < n; k++) {
      if (!str_eq(rows[k].rule, f->rule) || !str_eq(rows[k].part, f->part) || !str_eq(rows[k].source, f->source)) continue;
      f->evidence = rows[k].segment;
      f->decoded = rows[k].decoded;
      f->sealed = rows[k].sealed;
      break;
    }
  }
  return rc;
}

struct unseal_keys *replay_keys(struct replay *r, struct str workspace)
{
  if (!r->unseal.state && !r->key) return NULL;
  if (str_eq(str_of(r->keys_of), workspace)) return r->keys.keys ? &r->keys : NULL;
  if (workspace.n > SEAL_WORKSPACE_MAX) return NULL;
  unseal_end(&r->keys);
  snprintf(r->keys_of, sizeof r->keys_of, "%.*s", (int)workspace.n, workspace.p);
  r->key_source = (struct unseal_source){NULL, r->key};
  struct unseal u = {r->unseal.state ? r->unseal.state : "", &r->key_source, r->key ? 1 : 0};
  unseal_begin(&u, str_of(r->keys_of), &r->keys);
  return r->keys.keys ? &r->keys : NULL;
}

/* What is sealed is opened where there is a key; else it is as if there was none. */
static int take_evidence(struct replay *r, struct store *store, struct record *record, struct vdt_error *err)
{
  int rc = take_stored(r, store, record, err);
  struct unseal_keys *k = rc ? NULL : replay_keys(r, record->workspace);
  for (size_t i = 0; k && i < record->n_findings; i++) {
    struct record_finding *f = &record->findings[i];
    struct alert_evidence row = {.rule = f->rule, .sealed = f->sealed};
    char key[SEAL_KEY_ID + 1];
    memcpy(row.interaction, record->id, sizeof row.interaction);
    if (!f->sealed.n || unseal_rows(k, &row, 1, r->arena, key)) continue;
    f->evidence = row.segment;
    f->decoded = row.decoded;
  }
  return rc;
}

int replay_record(struct replay *r, struct store *store, struct str line, struct replay_side *before, struct replay_side *now,
                  struct record_finding behaviour[BEHAVIOUR_FINDINGS], size_t *n, struct vdt_error *err)
{
  struct record record;
  int rc = record_read(r->arena, line, &record, err);
  *n = 0;
  if (!rc) rc = take_evidence(r, store, &record, err);
  if (rc) return rc;
  r->id = (struct str){arena_printf(r->arena, "\"%s\"", record.id), RECORD_ID_LEN + 2};
  r->how = record.n_findings ? "policy" : "";
  r->who = &record;
  const struct config_deployment *d = config_find(r->config, record.deployment);
  for (size_t i = 0; !rc && i < record.n_findings; i++) {
    const struct record_finding *f = &record.findings[i];
    struct replay_found was = found_of(f, replay_action(f->action));
    replay_add(before, &was);
    rc = judge(r, d ? d : r->deployment, f, now);
  }
  r->who = NULL;
  before->verdict = record.verdict;
  /* A verdict has more reasons than findings (what could not be read, an outside shield): it moves only when they do. */
  enum record_verdict was = replay_verdict(before), is = replay_verdict(now);
  now->verdict = was == is ? record.verdict : is;
  if (!rc) rc = behaviour_observe(r->behaviour, &record, r->arena, behaviour, n);
  return rc ? error_set(err, VDT_ENOMEM, "out of memory") : VDT_OK;
}
