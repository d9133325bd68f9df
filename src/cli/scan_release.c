/*
 * What goes on after a scan. Prompts and documents lose what a whole scan masks; the words of a model go through the same streams and the same writers of
 * provider formats as in the gateway, so that what is shown here is what a client would get.
 */
#include "cli/scan_release.h"
#include "base/json.h"

static enum vdt_action strongest(const struct vdt_finding *f, size_t n)
{
  enum vdt_action most = VDT_ALLOW;
  for (size_t i = 0; i < n; i++)
    if (f[i].action > most) most = f[i].action;
  return most;
}

static bool put_masked(struct str text, const struct vdt_result *r, struct buf *out)
{
  size_t at = 0;
  for (size_t i = 0; i < r->n_masks; i++) {
    buf_put(out, str_cut(text, at, (size_t)r->masks[i].start));
    buf_put(out, str_of(r->masks[i].text));
    at = (size_t)r->masks[i].end;
  }
  buf_put(out, str_cut(text, at, text.n));
  return !out->failed;
}

/* ---- what a model says --------------------------------------------------------------------------------------------- */

struct tap {
  struct tap *next;
  struct vdt_stream *stream;
  struct buf joined;
  size_t fed;
};

struct answer {
  const struct release *s;
  struct tap *taps;
};

static struct tap *open_tap(struct answer *a, bool call)
{
  struct vdt_policy policy = *a->s->policy;
  struct tap *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  policy.speech = call ? VDT_TOOL_CALL : VDT_ANSWER;
  if (vdt_stream_new(a->s->scanner, a->s->arena, &policy, VDT_RESPONSE, &t->stream)) {
    free(t);
    return NULL;
  }
  t->next = a->taps;
  return a->taps = t;
}

static void free_taps(struct answer *a)
{
  while (a->taps) {
    struct tap *t = a->taps;
    a->taps = t->next;
    vdt_stream_free(t->stream);
    buf_finish(&t->joined);
    free(t);
  }
}

/* Feeds a piece, and at the last one what was held back comes too. *cut: nothing follows. */
static int feed(struct tap *t, struct str in, bool last, bool *cut)
{
  struct vdt_release piece;
  buf_reset(&t->joined);
  int rc = vdt_stream_feed(t->stream, in.n ? in.p : "", in.n, &piece);
  if (rc) return rc;
  buf_put(&t->joined, (struct str){piece.p, piece.n});
  *cut = piece.cut;
  t->fed += in.n;
  if (!last || piece.cut) return VDT_OK;
  rc = vdt_stream_finish(t->stream, &piece);
  if (rc) return rc;
  buf_put(&t->joined, (struct str){piece.p, piece.n});
  *cut = piece.cut;
  return VDT_OK;
}

static bool is_blocked(const struct tap *t)
{
  size_t n;
  const struct vdt_finding *f = vdt_stream_findings(t->stream, &n);
  return strongest(f, n) == VDT_BLOCK;
}

static int on_text(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  struct answer *a = ctx;
  struct tap *t = channel->user ? channel->user : open_tap(a, wire_is_call(str_of(channel->origin)));
  bool cut = false;
  if (!t) return VDT_ENOMEM;
  channel->user = t;
  *out = (struct wire_text){.p = in};
  if (!in.n && !t->fed) return VDT_OK;
  int rc = feed(t, in, last, &cut);
  if (rc || t->joined.failed) return rc ? rc : VDT_ENOMEM;
  struct str gone = buf_str(&t->joined);
  *out = (struct wire_text){.p = {gone.n ? gone.p : "", gone.n}, .changed = !str_eq(gone, in)};
  out->block = cut && is_blocked(t);
  out->cut = cut && !out->block;
  return VDT_OK;
}

int release_answer(const struct release *s, const struct wire_format *format, struct str body, size_t max, struct buf *out)
{
  struct answer a = {.s = s};
  struct wire_hooks hooks = {.ctx = &a, .text = on_text};
  struct wire_response_options opt = {.mode = WIRE_JSON, .max_body = max, .limits = JSON_LIMITS_DEFAULT};
  struct wire_response *r;
  int rc = wire_response_new(format, s->arena, &opt, &hooks, &r);
  if (rc) return rc;
  rc = wire_response_feed(r, body, out);
  if (!rc) rc = wire_response_finish(r, false, out);
  wire_response_free(r);
  free_taps(&a);
  return rc ? rc : out->failed ? VDT_ENOMEM : VDT_OK;
}

/* ---- texts and requests -------------------------------------------------------------------------------------------- */

static int release_words(const struct release *s, struct str text, struct buf *out)
{
  struct answer a = {.s = s};
  struct tap *t = open_tap(&a, false);
  bool cut = false;
  int rc = t ? feed(t, text, true, &cut) : VDT_ENOMEM;
  if (!rc && t->joined.failed) rc = VDT_ENOMEM;
  if (!rc && cut && is_blocked(t)) BUF_LIT(out, "null");
  else if (!rc) json_quote(out, buf_str(&t->joined));
  free_taps(&a);
  return rc;
}

int release_text(const struct release *s, enum vdt_role role, struct str text, const struct vdt_result *r, struct buf *out)
{
  struct buf masked = {0};
  if (role == VDT_RESPONSE) return release_words(s, text, out);
  if (strongest(r->findings, r->n_findings) == VDT_BLOCK) {
    BUF_LIT(out, "null");
    return VDT_OK;
  }
  bool ok = put_masked(text, r, &masked);
  if (ok) json_quote(out, buf_str(&masked));
  buf_finish(&masked);
  return ok ? VDT_OK : VDT_ENOMEM;
}

int release_part(const struct release *s, struct release_request *q, const struct wire_part *part, const struct vdt_result *r)
{
  if (strongest(r->findings, r->n_findings) == VDT_BLOCK) q->stopped = true;
  for (size_t i = 0; i < r->n_masks; i++) {
    const struct vdt_mask *m = &r->masks[i];
    if (part->raw.end == part->raw.start) { /* taken out of what is no text: there is no way back into it */
      q->stopped = true;
      continue;
    }
    struct wire_redaction *grown = arena_grow(s->arena, q->v, q->n, &q->cap, 8, sizeof *grown);
    if (!grown) return VDT_ENOMEM;
    q->v = grown;
    q->v[q->n++] =
        (struct wire_redaction){part->raw, part->at + (size_t)m->start, part->at + (size_t)m->end, m->text, part->plain};
  }
  return VDT_OK;
}

int release_request(struct release_request *q, struct wire_span gone, struct str body, struct buf *out)
{
  if (q->stopped) {
    BUF_LIT(out, "null");
    return VDT_OK;
  }
  return wire_redact(body, q->v, q->n, gone, out) ? VDT_OK : VDT_ENOMEM;
}
