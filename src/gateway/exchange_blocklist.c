/* Blocklists of the deployment: what is looked for, and what annotations say about it. The phrases themselves are not recorded. */
#include "gateway/exchange_inside.h"

struct vdt_phrases exchange_phrases(const struct exchange *x, bool response)
{
  const struct config_deployment *d = x->deployment;
  if (!d || !d->n_blocklists) return (struct vdt_phrases){0};
  return (struct vdt_phrases){x->image->blocklist, response ? d->list_response : d->list_request};
}

void exchange_keep_list(struct exchange *x, struct wire_lists *lists, const char *name, enum vdt_action action)
{
  size_t i = 0;
  while (i < lists->n && strcmp(lists->v[i].name, name) != 0) i++;
  if (i == lists->n) {
    if (!x->deployment || lists->n == x->deployment->n_blocklists) return;
    if (!lists->v) lists->v = arena_zalloc(x->arena, x->deployment->n_blocklists, sizeof *lists->v);
    if (!lists->v) return; /* what happens does not hang on it */
    lists->v[lists->n++].name = name;
  }
  lists->v[i].redacted |= action == VDT_REDACT;
  lists->v[i].filtered |= action >= VDT_CUT;
}
