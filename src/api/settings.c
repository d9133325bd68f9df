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

struct store *settings_keeper(struct store *const *stores, size_t n, struct str subscription)
{
  for (size_t i = 0; i < n; i++)
    if (str_ieq(stores[i]->place.subscription, subscription)) return stores[i];
  return stores[0];
}

/* Each number only grows, so their sum is another one whenever one of them is. */
static int version_of(struct store *const *stores, size_t n, uint64_t *sum, struct vdt_error *err)
{
  *sum = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t one;
    int rc = stores[i]->ops->settings_version(stores[i], &one, err);
    if (rc) return rc;
    *sum += one;
  }
  return VDT_OK;
}

/* Adds those of one store to what is there. */
static int read_store(struct settings *s, struct store *store, struct vdt_error *err)
{
  struct suppress_rule *rules, *all_rules;
  struct store_plan *plans, *all_plans;
  size_t n_rules, n_plans;
  int rc = store->ops->list_rules(store, &(struct store_rule_query){.limit = RULES_MAX}, s->arena, &rules, &n_rules, err);
  if (!rc) rc = store->ops->list_plans(store, (struct str){0}, s->arena, &plans, &n_plans, err);
  if (rc) return rc;
  all_rules = arena_zalloc(s->arena, s->n_rules + n_rules + 1, sizeof *all_rules);
  all_plans = arena_zalloc(s->arena, s->n_plans + n_plans + 1, sizeof *all_plans);
  if (!all_rules || !all_plans) return VDT_ENOMEM;
  if (s->n_rules) memcpy(all_rules, s->rules, s->n_rules * sizeof *all_rules);
  if (n_rules) memcpy(all_rules + s->n_rules, rules, n_rules * sizeof *all_rules);
  if (s->n_plans) memcpy(all_plans, s->plans, s->n_plans * sizeof *all_plans);
  if (n_plans) memcpy(all_plans + s->n_plans, plans, n_plans * sizeof *all_plans);
  s->rules = all_rules;
  s->plans = all_plans;
  s->n_rules += n_rules;
  s->n_plans += n_plans;
  return VDT_OK;
}

/* A rule that cannot be read any more (it was written by another version) is switched off, not taken for one without a scope. */
static void compile(struct settings *s, size_t i)
{
  if (suppress_compile(s->arena, &s->rules[i], NULL)) s->rules[i].enabled = false;
}

int settings_refresh(struct settings *s, struct store *const *stores, size_t n, struct vdt_error *err)
{
  struct settings fresh = {.read = true};
  int rc = version_of(stores, n, &fresh.version, err);
  if (rc || (s->read && fresh.version == s->version)) return rc;
  fresh.arena = vdt_arena_new((size_t)256 << 20);
  if (!fresh.arena) return VDT_ENOMEM;
  for (size_t i = 0; !rc && i < n; i++) rc = read_store(&fresh, stores[i], err);
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
  for (size_t i = 0; i < event->n_evidence; i++)
    event->evidence[i].segment = event->evidence[i].decoded = event->evidence[i].sealed = (struct str){0};
  event->text[0] = event->text[1] = (struct str){0};
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
