#include "api/settings.h"

enum { RULES_MAX = 1000 }; /* as many as the API makes */

bool settings_init(struct settings *s)
{
  *s = (struct settings){.arena = vdt_arena_new((size_t)256 << 20)};
  return s->arena != NULL;
}

void settings_finish(struct settings *s)
{
  vdt_arena_free(s->arena);
}

static int last_change(const struct settings *s, struct store *first, uint64_t *id, struct vdt_error *err)
{
  struct store_audit *line;
  size_t n;
  int rc = first->ops->list_audit(first, 0, 1, s->arena, &line, &n, err);
  *id = !rc && n ? line[0].id : 0;
  return rc;
}

/* A rule that cannot be read any more (it was written by another version) is switched off, not taken for one without a scope. */
static void compile(struct settings *s, size_t i)
{
  if (suppress_compile(s->arena, &s->rules[i], NULL)) s->rules[i].enabled = false;
}

int settings_refresh(struct settings *s, struct store *first, struct vdt_error *err)
{
  struct settings fresh = *s;
  int rc = last_change(s, first, &fresh.audit, err);
  if (rc || (s->read && fresh.audit == s->audit)) return rc;
  fresh.arena = vdt_arena_new((size_t)256 << 20);
  if (!fresh.arena) return VDT_ENOMEM;
  fresh.read = true;
  rc = first->ops->list_rules(first, &(struct store_rule_query){.limit = RULES_MAX}, fresh.arena, &fresh.rules, &fresh.n_rules,
                              err);
  if (!rc) rc = first->ops->list_plans(first, (struct str){0}, fresh.arena, &fresh.plans, &fresh.n_plans, err);
  vdt_arena_free(rc ? fresh.arena : s->arena);
  if (rc) return rc;
  *s = fresh;
  for (size_t i = 0; i < s->n_rules; i++) compile(s, i);
  return VDT_OK;
}

struct store_plan settings_plan(const struct settings *s, struct str subscription)
{
  for (size_t i = 0; i < s->n_plans; i++)
    if (str_ieq(s->plans[i].subscription, subscription)) return s->plans[i];
  return (struct store_plan){.subscription = subscription, .standard = true};
}

static void drop_evidence(struct alert *event)
{
  for (size_t i = 0; i < event->n_evidence; i++) event->evidence[i].segment = event->evidence[i].decoded = (struct str){0};
}

static void suppress(const struct settings *s, struct alert *event, uint64_t now_us)
{
  for (size_t i = 0; i < s->n_rules; i++) {
    if (!suppress_matches(&s->rules[i], event, now_us)) continue;
    event->suppressed = s->rules[i].name;
    event->status = ALERT_DISMISSED;
    return;
  }
}

void settings_apply(const struct settings *s, struct alert *events, size_t *n, uint64_t now_us)
{
  size_t kept = 0;
  for (size_t i = 0; i < *n; i++) {
    struct store_plan plan = settings_plan(s, events[i].subscription);
    if (!plan.standard) continue;
    if (plan.evidence == STORE_OFF) drop_evidence(&events[i]);
    suppress(s, &events[i], now_us);
    events[kept++] = events[i];
  }
  *n = kept;
}
