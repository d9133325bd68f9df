/*
 * Streams: text in pieces, released as soon as nothing in it can become a finding that must not leave.
 *
 * Each feed extends the view, runs the new bytes through Vectorscan's streaming mode, asks the pending checks again and
 * moves two boundaries forward (leaks.h): what is settled becomes findings, what is free goes out, with masks where findings say so.
 */
#include "engine/scanner.h"

enum { MAX_FINDINGS = 4096, KEEP = 1024, SLACK = 4096 };

struct vdt_stream {
  struct vdt_scanner *scanner;
  struct vdt_arena *arena;
  enum vdt_role role;
  struct leaks leaks;
  struct view view;
  hs_stream_t *hs;
  struct buf orig;            /* original bytes from `released` on */
  uint64_t scanned, released; /* view offset, original offset */
  uint64_t masked;            /* original offset up to which masks have been written */
  struct buf out;
  struct vdt_finding *findings;
  size_t n_findings, cap_findings;
  bool done, cut;
};

int vdt_stream_new(struct vdt_scanner *scanner, struct vdt_arena *arena, const struct vdt_policy *policy, enum vdt_role role,
                   struct vdt_stream **out)
{
  struct vdt_stream *s = calloc(1, sizeof *s);
  if (!s) return VDT_ENOMEM;
  s->scanner = scanner;
  s->arena = arena;
  s->role = role;
  view_init(&s->view);
  if (leaks_init(&s->leaks, scanner->engine) || hs_open_stream(scanner->engine->stream, 0, &s->hs) != HS_SUCCESS) {
    vdt_stream_free(s);
    return VDT_ENOMEM;
  }
  leaks_begin(&s->leaks, policy, role);
  *out = s;
  return VDT_OK;
}

void vdt_stream_free(struct vdt_stream *s)
{
  if (!s) return;
  if (s->hs) hs_close_stream(s->hs, NULL, NULL, NULL);
  leaks_finish(&s->leaks);
  view_finish(&s->view);
  buf_finish(&s->orig);
  buf_finish(&s->out);
  free(s);
}

const struct vdt_finding *vdt_stream_findings(const struct vdt_stream *s, size_t *n)
{
  *n = s->n_findings;
  return s->findings;
}

static struct window window_of(const struct vdt_stream *s)
{
  return (struct window){(const unsigned char *)s->view.text.p, s->view.view_base, s->view.view_len, s->done};
}

static bool scan_new(struct vdt_stream *s)
{
  struct window w = window_of(s);
  struct delivery d = {.leaks = &s->leaks, .window = &w};
  size_t n = (size_t)(s->view.view_len - s->scanned);
  const char *p = n ? s->view.text.p + (s->scanned - s->view.view_base) : NULL;
  s->scanned = s->view.view_len;
  if (n && hs_scan_stream(s->hs, p, (unsigned)n, 0, s->scanner->scratch, deliver, &d) != HS_SUCCESS) return false;
  deliver_rest(&d);
  leaks_try(&s->leaks, &w);
  return !s->leaks.failed;
}

static bool add_finding(struct vdt_stream *s, const struct candidate *c)
{
  if (s->n_findings == MAX_FINDINGS) return true; /* masked all the same */
  struct vdt_finding *grown = arena_grow(s->arena, s->findings, s->n_findings, &s->cap_findings, 4, sizeof *grown);
  if (!grown) return false;
  s->findings = grown;
  struct str text = {s->view.text.p + (c->start - s->view.view_base), (size_t)(c->end - c->start)};
  finding_fill(&s->findings[s->n_findings++], s->scanner->engine, c, text, s->role, view_start(&s->view, c->start),
               view_stop(&s->view, c->end));
  return true;
}

/* Original bytes up to the offset go out as they are. */
static void release_until(struct vdt_stream *s, uint64_t orig)
{
  if (orig <= s->released) return;
  size_t n = (size_t)(orig - s->released);
  buf_put(&s->out, (struct str){s->orig.p, n});
  buf_drop(&s->orig, n);
  s->released = orig;
}

/* Original bytes up to the offset never go out. */
static void swallow_until(struct vdt_stream *s, uint64_t orig)
{
  if (orig <= s->released) return;
  buf_drop(&s->orig, (size_t)(orig - s->released));
  s->released = orig;
}

/* Who names the mask: the candidate itself, or the one that it lost to. */
static const struct rule *namer(const struct vdt_stream *s, const struct candidate *c, size_t n)
{
  const struct candidate *by = c;
  for (size_t i = 0; i < n && c->lost && by == c; i++) {
    const struct candidate *o = &s->leaks.candidates[i];
    if (!o->lost && o->start < c->end && c->start < o->end) by = o;
  }
  return &s->scanner->engine->rules.rules[by->rule];
}

/* n: how many candidates are settled now. */
static void mask_candidate(struct vdt_stream *s, const struct candidate *c, size_t n)
{
  uint64_t start = view_start(&s->view, c->start), end = view_stop(&s->view, c->end);
  if (c->action < VDT_REDACT || end <= s->masked) return;
  release_until(s, start);
  if (c->action >= VDT_CUT) {
    s->cut = true;
    return;
  }
  /* A span that begins inside one already masked only makes it longer. */
  if (start >= s->masked) {
    BUF_LIT(&s->out, "[REDACTED:");
    buf_put(&s->out, str_of(namer(s, c, n)->id));
    BUF_LIT(&s->out, "]");
  }
  swallow_until(s, end);
  s->masked = end;
}

/* Settled candidates become findings and masks, in the order of the text. */
static bool settle(struct vdt_stream *s, uint64_t settled)
{
  size_t n = leaks_settle(&s->leaks, settled);
  for (size_t i = 0; i < n && !s->cut; i++) {
    const struct candidate *c = &s->leaks.candidates[i];
    if (!c->lost && !add_finding(s, c)) return false;
    mask_candidate(s, c, n);
  }
  leaks_drop(&s->leaks, n);
  return true;
}

/* Keeps what pending checks, candidates and looks to the left may still read. */
static void forget(struct vdt_stream *s)
{
  uint64_t need = leaks_needs(&s->leaks, s->view.view_len);
  if (need > KEEP && need - KEEP > s->view.view_base + SLACK) view_drop(&s->view, need - KEEP);
}

static int advance(struct vdt_stream *s, struct vdt_release *out)
{
  uint64_t settled, free_until;
  if (!scan_new(s)) return VDT_ENOMEM;
  struct window w = window_of(s);
  leaks_boundaries(&s->leaks, &w, &settled, &free_until);
  if (!settle(s, settled)) return VDT_ENOMEM;
  for (size_t i = 0; i < s->leaks.n_candidates; i++) {
    const struct candidate *c = &s->leaks.candidates[i];
    if (c->action >= VDT_REDACT && c->start < free_until) free_until = c->start;
  }
  if (!s->cut) release_until(s, view_start(&s->view, free_until));
  forget(s);
  if (s->out.failed || s->orig.failed) return VDT_ENOMEM;
  *out = (struct vdt_release){.p = s->out.p, .n = s->out.n, .cut = s->cut};
  return VDT_OK;
}

/* With no detector on there is nothing to hold back and nothing to copy. */
static bool passes_through(const struct vdt_stream *s)
{
  return !leaks_active(&s->leaks);
}

int vdt_stream_feed(struct vdt_stream *s, const char *p, size_t n, struct vdt_release *out)
{
  *out = (struct vdt_release){.p = p, .n = n};
  if (s->cut || s->done) {
    *out = (struct vdt_release){.cut = s->cut, .changed = n > 0};
    return VDT_OK;
  }
  if (passes_through(s)) return VDT_OK;
  bool was_empty = s->orig.n == 0;
  buf_reset(&s->out);
  buf_put(&s->orig, (struct str){p, n});
  if (!view_feed(&s->view, p, n) || s->orig.failed) return VDT_ENOMEM;
  int rc = advance(s, out);
  /* The caller may pass its own bytes on when nothing was and is held back and no mask was written. */
  out->changed = !was_empty || s->orig.n != 0 || out->cut || out->n != n || (n && memcmp(out->p, p, n) != 0);
  return rc;
}

int vdt_stream_finish(struct vdt_stream *s, struct vdt_release *out)
{
  *out = (struct vdt_release){.cut = s->cut};
  if (s->cut || s->done || passes_through(s)) {
    s->done = true;
    return VDT_OK;
  }
  s->done = true;
  buf_reset(&s->out);
  if (!view_end(&s->view)) return VDT_ENOMEM;
  int rc = advance(s, out);
  out->changed = out->n > 0 || out->cut;
  return rc;
}
