/* Phrases of the operator's blocklists in what a client sends: findings named after their list. The phrase itself is not recorded. */
#include "gateway/exchange_inside.h"

enum { TEXT_MAX = 1024 };

static size_t phrases_of(const struct config_blocklist *b)
{
  return b->n_items + b->n_lines;
}

static const struct config_used_list *used(const struct config_deployment *d, size_t list)
{
  for (size_t i = 0; i < d->n_blocklists; i++)
    if (d->blocklists[i].list == list) return &d->blocklists[i];
  return NULL;
}

/* For each phrase of all lists whether the deployment looks for it. */
static const bool *wanted(const struct exchange *x, struct vdt_arena *scratch)
{
  const struct config *c = x->image->config;
  size_t n = 0, at = 0;
  for (size_t i = 0; i < c->n_blocklists; i++) n += phrases_of(&c->blocklists[i]);
  bool *out = arena_zalloc(scratch, n, sizeof *out);
  for (size_t i = 0; out && i < c->n_blocklists; i++) {
    const struct config_used_list *u = used(x->deployment, i);
    for (size_t k = phrases_of(&c->blocklists[i]); k > 0; k--) out[at++] = u && u->action != VDT_ALLOW;
  }
  return out;
}

static const struct config_used_list *list_of(const struct exchange *x, size_t phrase)
{
  const struct config *c = x->image->config;
  size_t i = 0;
  for (; phrase >= phrases_of(&c->blocklists[i]); i++) phrase -= phrases_of(&c->blocklists[i]);
  return used(x->deployment, i);
}

static bool add_match(struct exchange *x, const struct wire_part *part, const struct vdt_blocklist_match *m)
{
  const struct config_used_list *u = list_of(x, m->phrase);
  struct finding_origin o = {.role = part->role, .part = exchange_keep(x, part->origin, TEXT_MAX)};
  struct vdt_finding f = {.rule = u->name,
                          .title = "A phrase of a blocklist",
                          .alert = "",
                          .reason = "the phrase stands there",
                          .severity = VDT_LOW,
                          .action = u->action,
                          .confidence = 100,
                          .start = m->start,
                          .end = m->end};
  size_t before = x->record.n_findings;
  if (!exchange_add_finding(x, &o, &f)) return false;
  if (x->record.n_findings > before) x->record.findings[before].detector = STR("blocklist");
  return true;
}

int exchange_scan_blocklists(struct exchange *x, struct vdt_arena *scratch, const struct wire_part *part)
{
  struct vdt_blocklist_match *m = NULL;
  size_t n = 0;
  if (!x->image->blocklist || !x->deployment || !x->deployment->n_blocklists) return VDT_OK;
  const bool *which = wanted(x, scratch);
  if (!which) return VDT_ENOMEM;
  int rc = vdt_blocklist_scan(x->image->blocklist, scratch, which, part->text, &m, &n);
  for (size_t i = 0; !rc && i < n; i++)
    if (!add_match(x, part, &m[i])) rc = VDT_ENOMEM;
  return rc;
}
