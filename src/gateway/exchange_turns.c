/*
 * An attack that is spread over the user's turns of a conversation: they are read as one text, after each was read by itself.
 */
#include "gateway/exchange_inside.h"

enum { ORIGIN_MAX = 1024 };

static int add(struct exchange *x, const struct wire_part *part, const struct vdt_finding *f)
{
  struct evidence e = {.scanner = x->scanner, .arena = x->arena, .text = part->text, .known = f, .n_known = 1, .whole = true};
  struct finding_origin o = {
      .role = VDT_PROMPT, .part = exchange_keep(x, part->origin, ORIGIN_MAX), .evidence = exchange_has_evidence(x) ? &e : NULL};
  exchange_keep_shield(x, f->detector, f->action);
  return exchange_add_finding(x, &o, f) ? VDT_OK : VDT_ENOMEM;
}

int exchange_scan_turns(struct exchange *x, struct vdt_arena *scratch, const struct vdt_policy *policy,
                        const struct wire_request *q)
{
  if (x->shield.jailbreak_detected) return VDT_OK; /* a turn by itself said it */
  struct wire_turns u;
  struct vdt_result r;
  size_t *turn;
  if (!wire_user_turns(q, scratch, &u)) return VDT_ENOMEM;
  int rc = vdt_scan_turns(x->scanner, scratch, policy, u.texts, u.n, &r, &turn);
  for (size_t i = 0; !rc && i < r.n_findings; i++)
    if (r.findings[i].detector == VDT_DET_JAILBREAK) rc = add(x, u.parts[turn[i]], &r.findings[i]);
  return rc;
}
