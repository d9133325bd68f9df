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
  struct vdt_text *turns = arena_zalloc(scratch, q->n_parts + 1, sizeof *turns);
  const struct wire_part **parts = arena_zalloc(scratch, q->n_parts + 1, sizeof *parts);
  struct vdt_result r;
  size_t n = 0, *turn;
  if (!turns || !parts) return VDT_ENOMEM;
  for (size_t i = 0; i < q->n_parts; i++) {
    if (q->parts[i].role != VDT_PROMPT || q->parts[i].skipped) continue;
    turns[n] = (struct vdt_text){q->parts[i].text.p, q->parts[i].text.n};
    parts[n++] = &q->parts[i];
  }
  int rc = vdt_scan_turns(x->scanner, scratch, policy, turns, n, &r, &turn);
  for (size_t i = 0; !rc && i < r.n_findings; i++)
    if (r.findings[i].detector == VDT_DET_JAILBREAK) rc = add(x, parts[turn[i]], &r.findings[i]);
  return rc;
}
