/*
 * The text of a response on its way through the engine: one stream for each channel, findings kept as they are decided.
 */
#include "engine/bind.h"
#include "gateway/exchange_inside.h"

static bool ends_with(struct str s, struct str end)
{
  return s.n >= end.n && str_eq(str_cut(s, s.n - end.n, s.n), end);
}

/* Arguments that come as one string are JSON; others come string by string, and custom tools get plain text. */
static bool is_json_source(struct str origin)
{
  return ends_with(origin, STR(".arguments")) || (str_starts(origin, STR("content[")) && ends_with(origin, STR("].input")));
}

static struct tap *open_tap(struct exchange *x, struct wire_channel *channel)
{
  struct tap *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->choice = channel->choice;
  t->origin = str_of(channel->origin);
  struct vdt_policy policy = *exchange_policy(x);
  policy.phrases = exchange_phrases(x, true);
  policy.intel = x->intel;
  policy.pseudonym_key = x->image->key;
  t->tool_call = wire_is_call(t->origin);
  t->restorer.json = is_json_source(t->origin);
  if (t->tool_call) policy.speech = VDT_TOOL_CALL;
  if (x->deployment) policy.allow = x->deployment->allow;
  if (vdt_stream_new(x->scanner, x->arena, &policy, VDT_RESPONSE, &t->stream)) {
    free(t);
    return NULL;
  }
  t->next = x->taps;
  x->taps = t;
  return channel->user = t;
}

void exchange_free_taps(struct exchange *x)
{
  while (x->taps) {
    struct tap *t = x->taps;
    x->taps = t->next;
    vdt_stream_free(t->stream);
    buf_finish(&t->joined);
    history_finish(&t->history);
    buf_finish(&t->whole);
    restorer_finish(&t->restorer);
    leak_reader_finish(&t->leak);
    free(t);
  }
}

/* ---- findings --------------------------------------------------------------------------------------------------- */

static void shield_of(struct exchange *x, struct tap *t, const struct vdt_finding *f)
{
  bool redacted = f->action == VDT_REDACT, filtered = f->action >= VDT_CUT;
  if (f->detector == VDT_DET_CREDENTIAL) {
    t->shield.credential_detected = true;
    t->shield.credential_redacted |= redacted;
    t->shield.credential_filtered |= filtered;
  } else if (f->detector == VDT_DET_SENSITIVE) {
    t->shield.sensitive_detected = true;
    t->shield.sensitive_redacted |= redacted;
    t->shield.sensitive_filtered |= filtered;
  } else if (f->detector == VDT_DET_BLOCKLIST) {
    exchange_keep_list(x, &t->shield.lists, f->rule, f->action);
  }
}

static void join_lists(struct exchange *x, const struct wire_lists *from, struct wire_lists *to)
{
  for (size_t i = 0; i < from->n; i++) {
    const struct wire_list *l = &from->v[i];
    exchange_keep_list(x, to, l->name, VDT_DETECT);
    if (l->redacted) exchange_keep_list(x, to, l->name, VDT_REDACT);
    if (l->filtered) exchange_keep_list(x, to, l->name, VDT_CUT);
  }
}

static void choice_shield(void *ctx, unsigned choice, struct wire_choice_shield *out)
{
  struct exchange *x = ctx;
  *out = (struct wire_choice_shield){0};
  for (const struct tap *t = x->taps; t; t = t->next) {
    if (t->choice != choice) continue;
    out->credential_detected |= t->shield.credential_detected;
    out->credential_redacted |= t->shield.credential_redacted;
    out->credential_filtered |= t->shield.credential_filtered;
    out->sensitive_detected |= t->shield.sensitive_detected;
    out->sensitive_redacted |= t->shield.sensitive_redacted;
    out->sensitive_filtered |= t->shield.sensitive_filtered;
    join_lists(x, &t->shield.lists, &out->lists);
  }
}

void exchange_raise_to(struct exchange *x, enum vdt_action action)
{
  if (action == VDT_BLOCK && x->wire_mode != WIRE_JSON) action = VDT_CUT;
  if (action > x->strongest) x->strongest = action;
}

static bool take_findings(struct exchange *x, struct tap *t)
{
  size_t n;
  const struct vdt_finding *f = vdt_stream_findings(t->stream, &n);
  struct evidence e = {.scanner = x->scanner, .arena = x->arena, .base = t->history.base, .known = f, .n_known = n};
  if (t->history.text.n) e.text = buf_str(&t->history.text);
  struct finding_origin o = {
      .response = true, .role = VDT_RESPONSE, .part = t->origin, .evidence = exchange_has_evidence(x) ? &e : NULL};
  for (; t->taken < n; t->taken++) {
    enum vdt_action before = x->strongest;
    shield_of(x, t, &f[t->taken]);
    if (!exchange_add_finding(x, &o, &f[t->taken])) return false;
    x->strongest = before;
    exchange_raise_to(x, f[t->taken].action);
  }
  return true;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

/* The end of the text lets go of what was held back: it goes out together with the last piece. */
static int end_text(struct tap *t, struct vdt_release *piece)
{
  struct vdt_release rest;
  buf_reset(&t->joined);
  buf_put(&t->joined, (struct str){piece->p, piece->n});
  int rc = vdt_stream_finish(t->stream, &rest);
  if (rc) return rc;
  if (!rest.n && !rest.cut) {
    piece->p = t->joined.n ? t->joined.p : "";
    return t->joined.failed ? VDT_ENOMEM : VDT_OK;
  }
  buf_put(&t->joined, (struct str){rest.p, rest.n});
  *piece = (struct vdt_release){.p = t->joined.p, .n = t->joined.n, .cut = rest.cut, .changed = true};
  return t->joined.failed ? VDT_ENOMEM : VDT_OK;
}

static int run(struct exchange *x, struct tap *t, struct str in, bool last, struct vdt_release *piece)
{
  bool evidence = exchange_has_evidence(x);
  if (in.n == 0 && t->bytes_in == 0) { /* no text at all so far: the stream need not know */
    *piece = (struct vdt_release){.p = ""};
    return VDT_OK;
  }
  if (evidence && !history_add(&t->history, in)) return VDT_ENOMEM;
  if (evidence && exchange_evidence(x) == CONFIG_EVIDENCE_FULL) exchange_keep_piece(x, t, in);
  int rc = vdt_stream_feed(t->stream, in.n ? in.p : "", in.n, piece);
  if (!rc && last && !piece->cut) rc = end_text(t, piece);
  if (rc) return rc;
  if (!take_findings(x, t) || !exchange_add_leaks(x, t)) return VDT_ENOMEM;
  if (evidence) history_trim(&t->history);
  t->bytes_in += in.n;
  t->bytes_out += piece->n;
  return VDT_OK;
}

static bool blocks(const struct vdt_leak_policy *p)
{
  bool any = p->response == VDT_BLOCK || p->tool_call == VDT_DO_BLOCK;
  for (size_t i = 0; i < p->n_kinds; i++) any |= p->kinds[i].response == VDT_DO_BLOCK || p->kinds[i].tool_call == VDT_DO_BLOCK;
  return any;
}

static bool bound_blocks(const struct vdt_bound *b)
{
  bool any = false;
  for (unsigned d = 0; b && b->names && d < VDT_DETECTORS; d++)
    any |= b->strongest[VDT_RESPONSE][d] == VDT_BLOCK || b->strongest[BIND_TOOL_CALL][d] == VDT_BLOCK;
  return any;
}

/* What cut the text: the strongest of its findings. One that was hidden behind another finding has no row, then policy tells. */
static bool is_blocking(const struct exchange *x, const struct tap *t)
{
  size_t n;
  const struct vdt_finding *f = vdt_stream_findings(t->stream, &n);
  bool cut = t->leak.told || t->leak.told_canary;
  if (t->leak_blocks) return true;
  for (size_t i = 0; i < n; i++) {
    if (f[i].action == VDT_BLOCK) return true;
    cut |= f[i].action == VDT_CUT;
  }
  const struct vdt_policy *p = exchange_policy(x);
  return !cut && (bound_blocks(p->bound) || blocks(&p->credential) || blocks(&p->sensitive) || blocks(&p->malicious_url));
}

/* Masks and cuts of findings that have no row of their own still make a verdict. */
static void note_changes(struct exchange *x, struct tap *t, bool last, struct wire_text *out)
{
  if (t->cut) {
    out->block = is_blocking(x, t);
    out->cut = !out->block;
    exchange_raise_to(x, out->block ? VDT_BLOCK : VDT_CUT);
  } else if (last && t->bytes_in != t->bytes_out) {
    exchange_raise_to(x, VDT_REDACT);
  }
}

/* An answer of an unknown format may have thousands of texts, each with a stream of its own: none may stay to the end. */
static void free_spent(struct exchange *x)
{
  struct tap *t = x->spent;
  x->spent = NULL;
  if (!t) return;
  vdt_stream_free(t->stream);
  t->stream = NULL;
  t->failed = true; /* nothing comes after the end */
  buf_finish(&t->joined);
  restorer_finish(&t->restorer);
}

static int on_text(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  struct exchange *x = ctx;
  struct vdt_release piece = {.p = ""};
  free_spent(x);
  struct tap *t = channel->user ? channel->user : open_tap(x, channel);
  if (!t || t->failed) return VDT_ENOMEM;
  enum vdt_action stop = exchange_read_leak(x, t, &in, last);
  int rc = run(x, t, in, last || stop, &piece);
  piece.changed |= stop != VDT_ALLOW;
  piece.cut |= stop != VDT_ALLOW;
  t->leak_blocks |= stop == VDT_BLOCK;
  t->failed = rc != VDT_OK; /* the stream has lost bytes: nothing more may come out of it */
  if (rc) return rc;
  t->cut = piece.cut;
  *out = (struct wire_text){.p = {piece.n ? piece.p : "", piece.n}, .changed = piece.changed};
  note_changes(x, t, last, out);
  if (x->restores && !exchange_restore(x, t, last, out)) {
    t->failed = true;
    return VDT_ENOMEM;
  }
  if (last) history_finish(&t->history);
  if (last) x->spent = t;
  return VDT_OK;
}

struct wire_hooks exchange_hooks(struct exchange *x)
{
  return (struct wire_hooks){x, on_text, choice_shield, exchange_on_tool};
}
