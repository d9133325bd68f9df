/*
 * Streams: text in pieces, released as soon as nothing in it can become a finding that must not leave.
 *
 * Each feed extends the view, looks for gates in the new bytes (literals.h, or Vectorscan where rules need it), asks the pending checks again and
 * moves two boundaries forward (leaks.h): what is settled becomes findings, what is free goes out, with masks where findings say so.
 */
#include "engine/blocklist.h"
#include "engine/pseudonym.h"
#include "engine/reading.h"
#include "engine/scanner.h"

enum { MAX_FINDINGS = 4096, KEEP = 1024, SLACK = 4096, SLICE = 8192 /* most bytes that are worked on at once */ };

struct vdt_stream {
  struct vdt_scanner *scanner;
  struct vdt_arena *arena;
  enum vdt_role role;
  struct leaks leaks;
  struct vdt_policy policy;
  struct reading_set readings;
  struct phrase_stream phrases;
  struct view view;
  hs_stream_t *hs;            /* NULL: the engine's literals are all that there is to look for */
  struct buf orig;            /* original bytes from `released` on, but for */
  struct str fresh;           /* the last of them, which the caller has: what leaves at once is not copied into orig */
  uint64_t scanned, released; /* view offset, original offset */
  uint64_t masked;            /* original offset up to which masks have been written */
  struct buf out;
  struct vdt_finding *findings;
  size_t n_findings, cap_findings;
  bool done, cut, acted; /* acted: the feed at hand wrote a mask, or cut */
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
  bool by_vectorscan = !scanner->engine->literals.complete;
  if (leaks_init(&s->leaks, scanner->engine) ||
      (by_vectorscan && hs_open_stream(scanner->engine->stream, 0, &s->hs) != HS_SUCCESS)) {
    vdt_stream_free(s);
    return VDT_ENOMEM;
  }
  s->leaks.scratch = scanner->regex_scratch;
  leaks_begin(&s->leaks, policy, role);
  s->leaks.lists = true;
  s->policy = *policy;
  reading_init(&s->readings, (1u << READINGS) - 1, scanner, &s->policy, role);
  s->phrases.look = policy->phrases;
  *out = s;
  return VDT_OK;
}

void vdt_stream_free(struct vdt_stream *s)
{
  if (!s) return;
  if (s->hs) hs_close_stream(s->hs, NULL, NULL, NULL);
  leaks_finish(&s->leaks);
  reading_finish(&s->readings);
  phrase_stream_finish(&s->phrases);
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
  const char *p = s->view.text.p ? s->view.text.p : "";
  return (struct window){(const unsigned char *)p, s->view.view_base, s->view.view_len, s->done};
}

static bool scan_new(struct vdt_stream *s)
{
  struct window w = window_of(s);
  struct delivery d = {.leaks = &s->leaks, .window = &w, .group = s->scanner->group};
  size_t n = (size_t)(s->view.view_len - s->scanned);
  const char *p = n ? s->view.text.p + (s->scanned - s->view.view_base) : NULL;
  leaks_expect(&s->leaks, s->scanned, s->view.view_len);
  s->scanned = s->view.view_len;
  if (!s->hs) literals_find(&s->scanner->engine->literals, w.p, w.end - n - w.base, w.end - w.base, w.base, deliver, &d);
  else if (n && hs_scan_stream(s->hs, p, (unsigned)n, 0, s->scanner->scratch, deliver, &d) != HS_SUCCESS) return false;
  deliver_rest(&d);
  leaks_numbers(&s->leaks, &w, w.end - n);
  leaks_try(&s->leaks, &w);
  if (leaks_active(&s->leaks) &&
      !(reading_step(&s->readings, &w, &s->leaks) && reading_collect(&s->readings, &w, &s->leaks, s->arena)))
    return false;
  return !s->leaks.failed && phrase_stream_step(&s->phrases, &w);
}

static bool add_finding(struct vdt_stream *s, const struct vdt_finding *f)
{
  if (s->n_findings == MAX_FINDINGS) return true; /* masked all the same */
  struct vdt_finding *grown = arena_grow(s->arena, s->findings, s->n_findings, &s->cap_findings, 4, sizeof *grown);
  if (!grown) return false;
  s->findings = grown;
  s->findings[s->n_findings++] = *f;
  return true;
}

/* Takes original bytes up to the offset away; what goes out is copied, what does not is gone. */
static void leave_until(struct vdt_stream *s, uint64_t orig, bool out)
{
  if (orig <= s->released) return;
  size_t n = (size_t)(orig - s->released), held = n < s->orig.n ? n : s->orig.n;
  if (out) {
    buf_put(&s->out, (struct str){s->orig.p, held});
    buf_put(&s->out, (struct str){s->fresh.p, n - held});
  }
  buf_drop(&s->orig, held);
  s->fresh = str_cut(s->fresh, n - held, s->fresh.n);
  s->released = orig;
}

/* Original bytes up to the offset go out as they are. */
static void release_until(struct vdt_stream *s, uint64_t orig)
{
  leave_until(s, orig, true);
}

/* Original bytes up to the offset never go out. */
static void swallow_until(struct vdt_stream *s, uint64_t orig)
{
  leave_until(s, orig, false);
}

/* What is left of the feed stays. False when out of memory: then bytes are missing, and nothing may be taken from what is kept. */
static bool keep_fresh(struct vdt_stream *s)
{
  buf_put(&s->orig, s->fresh);
  s->fresh = (struct str){"", 0};
  return !s->orig.failed;
}

/* Where what is masked from this candidate on ends: those that overlap make one mask. Only those of its cluster are known to be settled with
 * it, however the text was cut. */
static uint64_t mask_end(const struct vdt_stream *s, const struct candidate *c, size_t n)
{
  uint64_t cluster = c->end, end = view_stop(&s->view, c->end);
  for (const struct candidate *o = c + 1; o < s->leaks.candidates + n && o->start < cluster; o++) {
    uint64_t stop = view_stop(&s->view, o->end);
    if (o->end > cluster) cluster = o->end;
    if (o->action >= VDT_REDACT && stop > end && view_start(&s->view, o->start) < end) end = stop;
  }
  return end;
}

/* n: how many candidates are settled now. */
static void candidate_mask(const struct vdt_stream *s, const struct candidate *c, size_t n, char out[VDT_REDACTED_MAX])
{
  const struct candidate *by = leaks_namer(&s->leaks, c, n);
  const struct rule *r = &s->scanner->engine->rules.rules[by->rule];
  enum vdt_mask_style style = leaks_mask(&s->leaks, r);
  uint64_t start = view_start(&s->view, c->start);
  if (style == VDT_MASK_PSEUDONYM) {
    if (start < s->released) return; /* it begins inside of a mask, and needs none */
    struct str all = {s->orig.p, s->orig.n};
    pseudonym_make(s->policy.pseudonym_key, r, str_cut(all, start - s->released, mask_end(s, c, n) - s->released), out);
    return;
  }
  if (by->as) {
    memcpy(out, by->as->mask, VDT_REDACTED_MAX);
    return;
  }
  struct str text = {s->view.text.p + (by->start - s->view.view_base), (size_t)(by->end - by->start)};
  mask_text(out, style, r, text);
}

/* Does to original bytes [start, end) what the action says. */
static void act(struct vdt_stream *s, enum vdt_action action, uint64_t start, uint64_t end, const char *text)
{
  if (action < VDT_REDACT || end <= s->masked) return;
  s->acted = true;
  release_until(s, start);
  if (action >= VDT_CUT) {
    s->cut = true;
    return;
  }
  /* A span that begins inside one already masked only makes it longer. */
  if (start >= s->masked) buf_put(&s->out, str_of(text));
  swallow_until(s, end);
  s->masked = end;
}

/* n: how many candidates are settled now. */
static bool take_candidate(struct vdt_stream *s, const struct candidate *c, size_t n)
{
  uint64_t start = view_start(&s->view, c->start), end = view_stop(&s->view, c->end);
  struct str text = {s->view.text.p + (c->start - s->view.view_base), (size_t)(c->end - c->start)};
  if (!c->lost) {
    struct vdt_finding f;
    finding_fill(&f, s->scanner->engine, c, text, s->role, start, end);
    f.severity = leaks_count(&s->leaks, c->rule);
    finding_read_as(&f, c);
    if (!add_finding(s, &f)) return false;
  }
  if (c->action >= VDT_REDACT) {
    char shown[VDT_REDACTED_MAX] = "";
    candidate_mask(s, c, n, shown);
    act(s, c->action, start, end, shown);
  }
  return true;
}

static bool take_phrase(struct vdt_stream *s, const struct phrase_hit *h)
{
  struct vdt_finding f;
  phrase_finding(&s->phrases.look, h->phrase, &f);
  f.start = view_start(&s->view, h->start);
  f.end = view_stop(&s->view, h->end);
  if (!add_finding(s, &f)) return false;
  char shown[VDT_REDACTED_MAX];
  snprintf(shown, sizeof shown, "[REDACTED:%.50s]", f.rule);
  act(s, f.action, f.start, f.end, shown);
  return true;
}

/* The next phrase before which nothing is left to settle, or NULL. n: how many candidates are settled now. */
static const struct phrase_hit *next_phrase(const struct vdt_stream *s, size_t n, uint64_t settled)
{
  const struct phrase_stream *p = &s->phrases;
  const struct phrase_hit *h = p->at < p->n ? &p->known[p->at] : NULL;
  bool waits = h && (h->start >= settled || (n < s->leaks.n_candidates && s->leaks.candidates[n].start <= h->start));
  return waits ? NULL : h;
}

/* Settled candidates and phrases become findings and masks, in the order of the text. */
static bool settle(struct vdt_stream *s, uint64_t settled)
{
  if (!s->leaks.n_candidates && !s->phrases.n) return true;
  if (!keep_fresh(s)) return false; /* a pseudonym is made of its bytes in one piece */
  size_t n = leaks_settle(&s->leaks, settled), i = 0;
  for (const struct phrase_hit *h; !s->cut && ((h = next_phrase(s, n, settled)) || i < n);) {
    const struct candidate *c = i < n ? &s->leaks.candidates[i] : NULL;
    bool phrase = h && (!c || h->start < c->start);
    if (!(phrase ? take_phrase(s, h) : take_candidate(s, c, n))) return false;
    if (phrase) s->phrases.at++;
    else i++;
  }
  leaks_drop(&s->leaks, n);
  phrase_stream_drop(&s->phrases);
  return true;
}

/* Keeps what pending checks, candidates and looks to the left may still read. */
static void forget(struct vdt_stream *s)
{
  if (s->view.view_len < s->view.view_base + KEEP + SLACK) return;
  uint64_t need = leaks_needs(&s->leaks, s->view.view_len);
  need = reading_needs(&s->readings, need);
  if (s->phrases.settled < need) need = s->phrases.settled;
  if (s->phrases.n && s->phrases.known[0].start < need) need = s->phrases.known[0].start;
  if (need > KEEP && need - KEEP > s->view.view_base + SLACK) view_drop(&s->view, need - KEEP);
}

static int advance(struct vdt_stream *s, struct vdt_release *out)
{
  uint64_t settled, free_until;
  if (s->out.failed || s->orig.failed || !scan_new(s)) return VDT_ENOMEM;
  struct window w = window_of(s);
  leaks_boundaries(&s->leaks, &w, s->phrases.n > 0, &settled, &free_until);
  if (leaks_active(&s->leaks))
    reading_boundaries(&s->readings, &w, s->leaks.n_candidates > 0 || s->phrases.n > 0, &settled, &free_until);
  if (s->phrases.settled < settled) settled = s->phrases.settled;
  if (s->phrases.free_until < free_until) free_until = s->phrases.free_until;
  if (!settle(s, settled)) return VDT_ENOMEM;
  for (size_t i = 0; i < s->leaks.n_candidates; i++) {
    const struct candidate *c = &s->leaks.candidates[i];
    if (c->action >= VDT_REDACT && c->start < free_until) free_until = c->start;
  }
  for (size_t i = 0; i < s->phrases.n; i++) {
    const struct phrase_hit *h = &s->phrases.known[i];
    if (phrase_action(&s->phrases.look, h->phrase) >= VDT_REDACT && h->start < free_until) free_until = h->start;
  }
  if (!s->cut) release_until(s, view_start(&s->view, free_until));
  bool kept = keep_fresh(s);
  forget(s);
  if (s->out.failed || !kept) return VDT_ENOMEM;
  *out = (struct vdt_release){.p = s->out.p, .n = s->out.n, .cut = s->cut};
  return VDT_OK;
}

/* With no detector on there is nothing to hold back and nothing to copy. */
static bool passes_through(const struct vdt_stream *s)
{
  return !leaks_active(&s->leaks) && !s->phrases.look.blocklist;
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
  int rc;
  size_t at = 0;
  buf_reset(&s->out);
  s->acted = false;
  do {
    size_t slice = n - at < SLICE ? n - at : SLICE;
    s->fresh = (struct str){p + at, slice};
    if (!view_feed(&s->view, p + at, slice)) return VDT_ENOMEM;
    rc = advance(s, out);
    at += slice;
  } while (!rc && !s->cut && at < n);
  /* The caller may pass its own bytes on when nothing was and is held back and no mask was written. */
  out->changed = !was_empty || s->orig.n != 0 || out->cut || out->n != n || (s->acted && n && memcmp(out->p, p, n) != 0);
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
