#include "analyse/incident.h"

static enum alert_stage stage_of(const struct alert *a)
{
  return alert_info(a->type)->stage;
}

bool incident_is_chain(const struct alert *alerts, size_t n)
{
  unsigned seen = 0, stages = 0;
  for (size_t i = 0; i < n; i++) seen |= 1u << stage_of(&alerts[i]);
  for (unsigned s = STAGE_PROBE; s <= STAGE_HARM; s++) stages += (seen >> s) & 1;
  return stages > 1;
}

static struct str stage_word(enum alert_stage stage)
{
  static const char *const words[] = {"", "probe", "attack", "harm"};
  return str_of(words[stage]);
}

/* Nothing came of it: all that was found was masked, cut off or blocked. */
static bool is_prevented(const struct alert *a)
{
  struct str done = a->x.action;
  return done.n && str_find(done, STR("detect")) == (size_t)-1 && str_find(done, STR("allow")) == (size_t)-1;
}

/* What an incident takes over from an alert: all that says who and what, and as its findings the names of the alerts. */
static struct alert summary(const struct alert *a)
{
  struct alert s = *a;
  s.type = ALERT_INCIDENT;
  s.status = ALERT_ACTIVE;
  s.count = 1;
  s.evidence = NULL;
  s.n_evidence = 0;
  s.evidence_total = 0;
  s.history = NULL;
  s.n_history = 0;
  s.incident = s.suppressed = s.classification = (struct str){0};
  s.x.found = str_of(alert_info(a->type)->title);
  s.x.attack_kind = stage_word(stage_of(a));
  bool harm = stage_of(a) == STAGE_HARM && !is_prevented(a);
  s.severity = harm ? VDT_HIGH : a->severity < VDT_MEDIUM ? VDT_MEDIUM : a->severity;
  return s;
}

bool incident_follow(struct alert *incident, const struct alert *alert)
{
  struct alert s = summary(alert);
  bool worse = s.severity > incident->severity, later = s.end_us > incident->end_us + INCIDENT_LAG_US;
  if (worse) incident->severity = s.severity;
  if (later) incident->end_us = s.end_us;
  return worse || later;
}

int incident_join(struct alert *incident, const struct alert *alert, struct vdt_arena *arena)
{
  struct alert s = summary(alert);
  size_t none;
  return alert_extend(incident, &s, arena, &none);
}

int incident_begin(const struct alert *alerts, size_t n, uint64_t now_us, struct vdt_arena *arena, struct alert *out)
{
  size_t first = 0;
  for (size_t i = 1; i < n; i++)
    if (alerts[i].start_us < alerts[first].start_us) first = i;
  *out = summary(&alerts[first]);
  out->generated_us = now_us;
  alert_make_name(alerts[first].x.first_interaction, out->start_us, ALERT_INCIDENT, out->workspace, out->name);
  for (size_t i = 0; i < n; i++)
    if (i != first && incident_join(out, &alerts[i], arena)) return VDT_ENOMEM;
  return VDT_OK;
}
