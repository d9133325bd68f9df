#include "gateway/evidence.h"
#include "record/record.h"

enum {
  CONTEXT = 100, /* bytes shown on either side of the span */
  LOOK = 4096,   /* bytes before and after it that are scanned, for secrets that reach into the segment */
  KEEP = VDT_HOLD_MAX + 3 * LOOK,
  TOUCHING = 256, /* most bytes that are masked because they touch a secret */
};

/* ---- the end of a text ------------------------------------------------------------------------------------------ */

bool history_add(struct history *h, struct str in)
{
  buf_put(&h->text, in);
  return !h->text.failed;
}

void history_trim(struct history *h)
{
  if (h->text.n <= KEEP + LOOK) return;
  size_t n = h->text.n - KEEP;
  buf_drop(&h->text, n);
  h->base += n;
}

void history_finish(struct history *h)
{
  buf_finish(&h->text);
}

/* ---- masks ------------------------------------------------------------------------------------------------------ */

/* Offsets into the text at hand. */
struct mask {
  size_t start, end;
  const struct vdt_finding *finding;
};

struct masks {
  struct mask *v;
  size_t n;
};

static bool is_leak(const struct vdt_finding *f)
{
  return f->detector == VDT_DET_CREDENTIAL || f->detector == VDT_DET_SENSITIVE || f->detector == VDT_DET_URL;
}

static bool touches(char c)
{
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '+' ||
         c == '/';
}

/* Findings [start, end) count from `base`; those outside the text at hand are left out or cut. */
static void add_masks(struct masks *m, struct str text, const struct vdt_finding *f, size_t n, uint64_t base)
{
  for (size_t i = 0; i < n; i++) {
    if (!is_leak(&f[i]) || f[i].end <= base || f[i].start >= base + text.n) continue;
    size_t start = f[i].start > base ? (size_t)(f[i].start - base) : 0;
    size_t end = f[i].end - base < text.n ? (size_t)(f[i].end - base) : text.n;
    for (unsigned k = 0; k < TOUCHING && start > 0 && touches(text.p[start - 1]); k++) start--;
    for (unsigned k = 0; k < TOUCHING && end < text.n && touches(text.p[end]); k++) end++;
    m->v[m->n++] = (struct mask){start, end, &f[i]};
  }
}

static int by_start(const void *a, const void *b)
{
  const struct mask *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  return x->end > y->end ? -1 : x->end < y->end;
}

static int find_masks(const struct evidence *e, struct vdt_arena *scratch, struct str text, uint64_t base, struct masks *m)
{
  static const struct vdt_leak_policy on = {.prompt = VDT_DETECT, .response = VDT_DETECT};
  struct vdt_policy policy;
  struct vdt_result r;
  vdt_policy_default(&policy);
  policy.credential = policy.sensitive = on;
  int rc = vdt_scan(e->scanner, scratch, &policy, VDT_RESPONSE, text.p, text.n, &r);
  if (rc) return rc;
  m->v = arena_alloc(scratch, (r.n_findings + e->n_known + 1) * sizeof *m->v);
  if (!m->v) return VDT_ENOMEM;
  add_masks(m, text, r.findings, r.n_findings, 0);
  add_masks(m, text, e->known, e->n_known, base);
  if (m->n) qsort(m->v, m->n, sizeof *m->v, by_start);
  return VDT_OK;
}

/* ---- segments --------------------------------------------------------------------------------------------------- */

/* outside: no part of the secret may be seen. */
static void put_mask(struct buf *out, const struct vdt_finding *f, bool outside)
{
  if (f->redacted[0] && !outside) buf_put(out, str_of(f->redacted));
  else buf_printf(out, "[REDACTED:%s]", f->rule);
}

/* Where bytes of the text come to stand in what is written. */
struct follow {
  size_t start, end; /* in the text */
  size_t from, to;   /* in what was written */
};

/* text[at, next) was written as out[begin, end): byte for byte, or as one mask. */
static void follow(struct follow *f, size_t at, size_t next, size_t begin, size_t end, bool mask)
{
  if (!f) return;
  if (f->start >= at && f->start < next) f->from = begin + (mask ? 0 : f->start - at);
  if (f->end > at && f->end <= next) f->to = mask ? end : begin + (f->end - at);
}

static void put_text(struct str text, size_t at, size_t next, struct buf *out, struct follow *f)
{
  size_t begin = out->n;
  buf_put(out, str_cut(text, at, next));
  follow(f, at, next, begin, out->n, false);
}

static void write_masked(struct str text, size_t from, size_t to, const struct masks *m, bool outside, struct buf *out,
                         struct follow *f)
{
  size_t at = from;
  for (size_t i = 0; i < m->n && m->v[i].start < to; i++) {
    const struct mask *k = &m->v[i];
    if (k->end <= at) continue;
    /* One that begins in bytes already masked only makes them more. */
    size_t begin = out->n;
    if (k->start >= at || at == from) {
      if (k->start > at) put_text(text, at, k->start, out, f);
      begin = out->n;
      put_mask(out, k->finding, outside);
    }
    follow(f, k->start > at ? k->start : at, k->end, begin, out->n, true);
    at = k->end;
  }
  if (at < to) put_text(text, at, to, out, f);
}

static struct str shorten(struct str s)
{
  if (s.n <= RECORD_EVIDENCE_MAX) return s;
  size_t n = RECORD_EVIDENCE_MAX;
  n = str_character(s, n);
  return (struct str){s.p, n};
}

/* start, end: the span in text. */
static struct str make_segment(const struct evidence *e, struct vdt_arena *scratch, struct str text, uint64_t base, size_t start,
                               size_t end, struct evidence_span *span)
{
  struct follow f = {.start = start, .end = end};
  struct masks m = {0};
  struct buf out = {0};
  struct str segment = {0};
  size_t from = start > CONTEXT ? start - CONTEXT : 0, to = e->whole && text.n - end > CONTEXT ? end + CONTEXT
                                                            : e->whole                         ? text.n
                                                                                               : end;
  while (from < start && str_splits(text, from)) from++;
  while (to > end && str_splits(text, to)) to--;
  if (find_masks(e, scratch, text, base, &m)) return segment;
  write_masked(text, from, to, &m, false, &out, &f);
  if (!out.failed && out.n) segment = arena_dup(e->arena, shorten(buf_str(&out)));
  buf_finish(&out);
  if (f.to > segment.n) f.to = segment.n;
  if (f.from < f.to) *span = (struct evidence_span){(uint32_t)f.from, (uint32_t)f.to};
  return segment.p ? segment : (struct str){0};
}

struct str evidence_segment(const struct evidence *e, const struct vdt_finding *f, struct evidence_span *span)
{
  *span = (struct evidence_span){0};
  if (f->start < e->base || f->end > e->base + e->text.n) return (struct str){0};
  size_t start = (size_t)(f->start - e->base), end = (size_t)(f->end - e->base);
  size_t look = e->whole ? VDT_HOLD_MAX : LOOK; /* of a stream no more is kept */
  size_t low = start > CONTEXT + look ? start - CONTEXT - look : 0;
  size_t high = !e->whole ? end : e->text.n - end > CONTEXT + look ? end + CONTEXT + look : e->text.n;
  struct vdt_arena *scratch = vdt_arena_new(0);
  if (!scratch) return (struct str){0};
  struct str s = make_segment(e, scratch, str_cut(e->text, low, high), e->base + low, start - low, end - low, span);
  vdt_arena_free(scratch);
  return s;
}

/* Offsets of known findings count from e->base, which is where e->text begins. */
bool evidence_masked(const struct evidence *e, size_t from, size_t to, struct buf *out)
{
  struct masks m = {0};
  size_t low = from > VDT_HOLD_MAX ? from - VDT_HOLD_MAX : 0;
  size_t high = e->text.n - to > VDT_HOLD_MAX ? to + VDT_HOLD_MAX : e->text.n;
  struct str text = str_cut(e->text, low, high);
  struct vdt_arena *scratch = vdt_arena_new(0);
  bool ok = scratch && find_masks(e, scratch, text, e->base + low, &m) == VDT_OK;
  if (ok) write_masked(text, from - low, to - low, &m, true, out, NULL);
  vdt_arena_free(scratch);
  return ok && !out->failed;
}
