/* What the model of a deployment does: which tools it calls, how many times, and which kinds of sensitive data it gives away. */
#include "analyse/behaviour_inside.h"

static uint32_t hash_of(struct str a, struct str b)
{
  uint32_t h = (uint32_t)behaviour_hash(a, b, STR("habit"));
  return h ? h : 1;
}

/* True when the value is new, and there was room to learn it: who does everything is usual in everything. */
static bool learn(uint32_t *known, unsigned room, uint32_t value)
{
  unsigned i = 0;
  while (i < room && known[i] && known[i] != value) i++;
  if (i == room || known[i] == value) return false;
  known[i] = value;
  return true;
}

/* The next of names that are joined by ", "; false behind the last. */
static bool next_name(struct str *rest, struct str *name)
{
  if (!rest->n) return false;
  size_t at = str_find(*rest, STR(", "));
  *name = str_cut(*rest, 0, at == (size_t)-1 ? rest->n : at);
  *rest = str_cut(*rest, at == (size_t)-1 ? rest->n : at + 2, rest->n);
  return true;
}

static bool knows_tools(const struct behaviour *b, const struct deployment *d, uint32_t minute)
{
  return d->tool_interactions >= b->limits.tools_interactions && has_passed(d->tools_first, minute, b->limits.tools_learning);
}

void look_at_tools(const struct behaviour *b, struct deployment *d, const struct record *r, uint32_t minute, struct shown *s)
{
  struct str rest = r->tools, name;
  if (!r->tools.n) return;
  if (!d->tool_interactions) d->tools_first = minute;
  bool known = knows_tools(b, d, minute), told = false;
  while (next_name(&rest, &name)) {
    if (!learn(d->tools, TOOLS, hash_of(r->application, name)) || !known || told) continue;
    behaviour_show(s, ALERT_TOOL_ANOMALY, "new-tool", 70, "the tool %.*s was never called here in %u interactions with tools",
                   name.n < 64 ? (int)name.n : 64, name.p, d->tool_interactions);
    told = true;
  }
  uint64_t most = (uint64_t)d->most_calls * b->limits.tool_times;
  if (known && !told && r->tool_calls >= b->limits.tool_calls && r->tool_calls > most)
    behaviour_show(s, ALERT_TOOL_ANOMALY, "many-tool-calls", 70, "%u calls of tools in one answer; at most %u were usual",
                   r->tool_calls, d->most_calls);
  if (r->tool_calls > d->most_calls) d->most_calls = r->tool_calls;
  if (d->tool_interactions < UINT32_MAX) d->tool_interactions++;
}

static bool is_data(const struct record_finding *f)
{
  return str_eq(f->detector, STR("sensitive")) && str_eq(f->direction, STR("response")) && !str_eq(f->action, STR("allow"));
}

void look_at_data(const struct behaviour *b, struct deployment *d, const struct record *r, uint32_t minute, struct shown *s)
{
  bool known = has_passed(d->first, minute, b->limits.data_learning), told = false;
  for (size_t i = 0; i < r->n_findings; i++) {
    const struct record_finding *f = &r->findings[i];
    if (!is_data(f) || !learn(d->data, DATA, hash_of(f->rule, STR(""))) || !known || told) continue;
    behaviour_show(s, ALERT_SENSITIVE_ANOMALY, "new-kind-of-data", 75, "answers of this deployment never held this before: %.*s",
                   f->title.n < 100 ? (int)f->title.n : 100, f->title.p);
    told = true;
  }
}
