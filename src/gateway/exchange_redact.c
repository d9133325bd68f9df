/*
 * What a request loses before it goes upstream: secrets that policy redacts, and user_security_context. Every other byte stays as it came.
 */
#include "gateway/exchange_inside.h"

bool exchange_redact(struct exchange *x, const struct wire_part *part, size_t start, size_t end, struct str with)
{
  struct wire_redaction *grown = arena_grow(x->arena, x->redactions, x->n_redactions, &x->cap_redactions, 8, sizeof *grown);
  struct str text = arena_dup(x->arena, with);
  if (!grown || !text.p) return false;
  x->redactions = grown;
  x->redactions[x->n_redactions++] = (struct wire_redaction){part->raw, part->at + start, part->at + end, text.p, part->plain};
  return true;
}

bool exchange_redact_part(struct exchange *x, const struct wire_part *part, struct vdt_result *r)
{
  if (!exchange_name_part(x, part, r)) return false;
  for (size_t i = 0; i < r->n_masks; i++) {
    const struct vdt_mask *m = &r->masks[i];
    if (part->raw.end == part->raw.start) {
      /* It was taken out of something that is no text, such as a data URL, and there is no way back into it. */
      exchange_note_failure(x, "a secret stands where it cannot be masked");
      if (x->strongest < VDT_BLOCK) x->strongest = VDT_BLOCK;
      continue;
    }
    if (!exchange_redact(x, part, (size_t)m->start, (size_t)m->end, str_of(m->text))) return false;
  }
  return true;
}

bool exchange_change_body(struct exchange *x, struct str text, struct wire_span gone)
{
  struct buf plain = {0};
  if (!x->deployment || x->deployment->forward_user_context) gone = (struct wire_span){0};
  if (gone.start == gone.end && !x->n_redactions) return true;
  x->body_changed = wire_redact(text, x->redactions, x->n_redactions, gone, &plain);
  if (x->request_coding == CODING_IDENTITY) {
    x->changed_body = plain;
    return x->body_changed;
  }
  x->body_changed = x->body_changed && gzip_whole(buf_str(&plain), &x->changed_body);
  buf_finish(&plain);
  return x->body_changed;
}
