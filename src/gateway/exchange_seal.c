/*
 * What text is kept of an interaction: the masked segments of its findings, and, where the deployment keeps whole texts, its prompt and its answer, also
 * masked. All of it is sealed here, before the record is written; without a key to seal it to it is dropped. What a clean interaction
 * said is never kept: its whole text is in memory until it is over, and no longer.
 */
#include "gateway/exchange_inside.h"

enum {
  KEEP = RECORD_TEXTS_MAX + VDT_HOLD_MAX, /* what is shown, and behind it what tells whether a secret begins there */
  PARTS = 1024
};

/* ---- keeping ---------------------------------------------------------------------------------------------------- */

static struct str room(struct exchange *x, bool response, struct str s)
{
  size_t *used = &x->kept_bytes[response], left = *used < KEEP ? KEEP - *used : 0, n = s.n < left ? s.n : left;
  *used += n;
  if (n < s.n) (response ? &x->record.response : &x->record.request)->text_cut += s.n - n;
  return str_cut(s, 0, n);
}

void exchange_keep_part(struct exchange *x, const struct wire_part *part)
{
  struct kept_part *grown = NULL;
  if (x->n_kept < PARTS) grown = arena_grow(x->arena, x->kept, x->n_kept, &x->cap_kept, 8, sizeof *grown);
  struct str text = grown ? room(x, false, part->text) : STR("");
  struct str copy = text.n ? arena_dup(x->arena, text) : (struct str){0};
  if (!grown || (text.n && !copy.p)) x->record.request.text_cut += grown ? text.n : part->text.n;
  if (!grown) return;
  x->kept = grown;
  if (copy.p) x->kept[x->n_kept++] = (struct kept_part){exchange_keep(x, part->origin, RECORD_EVIDENCE_MAX), copy, part->role};
}

void exchange_keep_piece(struct exchange *x, struct tap *t, struct str piece)
{
  struct str s = room(x, true, piece);
  buf_put(&t->whole, s);
  if (t->whole.failed) x->record.response.text_cut += s.n;
}

/* ---- whole texts ------------------------------------------------------------------------------------------------ */

/* The texts of one direction on their way into one. */
struct whole {
  struct exchange *x;
  struct buf out;
  size_t left; /* bytes that may still be shown */
  uint64_t cut;
  bool failed;
};

/* Masks need what stands behind the end, to see a secret that begins before it. */
static void put_masked(struct whole *w, struct str text, size_t n, struct buf *out)
{
  struct evidence e = {.scanner = w->x->scanner, .arena = w->x->arena, .text = text, .whole = true};
  if (!w->x->deployment->workspace->mask_evidence) buf_put(out, str_cut(text, 0, n));
  else if (!evidence_masked(&e, 0, n, out)) w->failed = true;
}

static void put_text(struct whole *w, struct str origin, enum vdt_role role, struct str text)
{
  struct buf masked = {0};
  size_t n = str_character(text, text.n < w->left ? text.n : w->left);
  w->cut += text.n - n;
  if (!n) return;
  put_masked(w, text, n, &masked);
  struct str shown =
      masked.n ? str_cut(buf_str(&masked), 0, str_character(buf_str(&masked), masked.n < w->left ? masked.n : w->left)) : STR("");
  exchange_hide_canary(w->x, &shown);
  w->cut += masked.n - shown.n;
  size_t used = shown.n + origin.n + 24;
  w->left = used < w->left ? w->left - used : 0;
  seal_pack(&w->out, origin);
  seal_pack(&w->out, str_of(vdt_role_name(role)));
  seal_pack(&w->out, shown);
  w->failed |= masked.failed;
  buf_finish(&masked);
}

static void put_request(struct whole *w)
{
  for (size_t i = 0; i < w->x->n_kept; i++) put_text(w, w->x->kept[i].origin, w->x->kept[i].role, w->x->kept[i].text);
}

/* The last channel is the first in the list. */
static void put_response(struct whole *w, const struct tap *t)
{
  if (!t) return;
  put_response(w, t->next);
  if (t->whole.n) put_text(w, t->origin, VDT_RESPONSE, buf_str(&t->whole));
}

/* ---- sealing ---------------------------------------------------------------------------------------------------- */

static struct sealer *sealer_of(const struct exchange *x)
{
  const struct config *c = x->image->config;
  return x->image->sealers && x->deployment ? x->image->sealers[x->deployment->workspace - c->workspaces] : NULL;
}

static struct str seal_text(struct exchange *x, enum seal_kind kind, struct str rule, struct str text)
{
  struct sealer *s = sealer_of(x);
  struct seal_place place = {.interaction = {x->record.id, RECORD_ID_LEN}, .kind = kind, .rule = rule};
  struct buf token = {0};
  struct str out = {0};
  int rc = s ? seal(s, x->record.time_us + x->record.duration_us, &place, text, &token) : VDT_ENOTFOUND;
  if (!rc) out = arena_dup(x->arena, buf_str(&token));
  if (!out.p) x->record.evidence_lost = s ? STR("failed") : STR("no-key");
  buf_finish(&token);
  return out.p ? out : (struct str){0};
}

static void seal_finding(struct exchange *x, struct record_finding *f)
{
  struct buf both = {0};
  char span[32];
  if (!f->evidence.n && !f->decoded.n) return;
  seal_pack(&both, f->evidence);
  seal_pack(&both, f->decoded);
  snprintf(span, sizeof span, "%u-%u", f->evidence_from, f->evidence_to);
  if (f->evidence_to) seal_pack(&both, str_of(span));
  if (!both.failed) f->sealed = seal_text(x, SEAL_FINDING, f->rule, buf_str(&both));
  else x->record.evidence_lost = STR("failed");
  f->evidence = f->decoded = (struct str){0};
  buf_finish(&both);
}

static bool raises_something(const struct record *r)
{
  size_t i = 0;
  while (i < r->n_findings && !r->findings[i].alert.n) i++;
  return i < r->n_findings;
}

static void seal_whole(struct exchange *x, bool response)
{
  struct record_side *side = response ? &x->record.response : &x->record.request;
  struct whole w = {.x = x, .left = RECORD_TEXTS_MAX};
  if (response) put_response(&w, x->taps);
  else put_request(&w);
  side->text_cut += w.cut;
  if (w.failed || w.out.failed) x->record.evidence_lost = STR("failed");
  else if (w.out.n) side->text = seal_text(x, response ? SEAL_RESPONSE : SEAL_REQUEST, STR(""), buf_str(&w.out));
  buf_finish(&w.out);
}

void exchange_seal(struct exchange *x)
{
  struct record *r = &x->record;
  bool whole = exchange_evidence(x) == CONFIG_EVIDENCE_FULL && raises_something(r);
  for (size_t i = 0; i < r->n_findings; i++) seal_finding(x, &r->findings[i]);
  if (whole && !r->request.text.n) seal_whole(x, false);
  if (whole && !r->response.text.n) seal_whole(x, true);
  if (!whole) r->request.text_cut = r->response.text_cut = 0;
}
