/*
 * Policies about data and sensitivity labels of an interaction. Who it is comes from the request; what holds for them on top of the deployment's
 * policy is put together once, before anything is read. The label of an interaction is the highest of all that anything says about it: the
 * client, the upstream, the configuration of the deployment, and the kinds of what was found.
 */
#include "gateway/exchange_inside.h"

bool exchange_tighten(const struct exchange *x, struct vdt_arena *arena, struct str also, struct vdt_policy *out)
{
  const struct data_policy *holds[DATA_POLICIES_MAX];
  const struct record *r = &x->record;
  size_t n = config_data_policies(x->image->config, r->end_user, r->application, also, r->end_user_tenant, holds);
  *out = *exchange_policy(x);
  return n == 0 || data_policy_tighten(x->image->engine, arena, exchange_policy(x), holds, n, out) == VDT_OK;
}

bool exchange_settle_policy(struct exchange *x)
{
  if (x->tight || !x->image->config->n_data_policies) return true;
  struct vdt_policy *tight = arena_alloc(x->arena, sizeof *tight);
  if (!tight || !exchange_tighten(x, x->arena, (struct str){0}, tight)) return false;
  x->tight = tight;
  return true;
}

void exchange_keep_label(struct exchange *x, const struct config_label *label)
{
  if (!label || label->priority <= x->record.label_priority) return;
  x->record.label = str_of(label->name);
  x->record.label_priority = label->priority;
}

void exchange_say_label(struct exchange *x, struct str said)
{
  if (said.n) exchange_keep_label(x, config_find_label(x->image->config, said));
}

void exchange_label_finding(struct exchange *x, const struct vdt_finding *f)
{
  const struct config *c = x->image->config;
  bool data = f->detector == VDT_DET_CREDENTIAL || f->detector == VDT_DET_SENSITIVE;
  if (!data || f->action == VDT_ALLOW || !c->label_of_rule || !c->label_of_rule[f->item]) return;
  exchange_keep_label(x, &c->labels[c->label_of_rule[f->item] - 1]);
}
