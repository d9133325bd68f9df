/* vdt_scan: one whole text, in one pass of the multi-pattern database. */
#include "engine/scanner.h"

enum { MAX_FINDINGS = 4096 }; /* of one text; a text with more counts as inspected in part */
static const size_t TEXT_MAX = (size_t)1 << 30;

/* ASCII is its own view: no copy. Otherwise the scanner's view is filled. */
static bool make_view(struct vdt_scanner *s, struct str text, struct window *w)
{
  size_t i = 0;
  uint64_t high = 0, word;
  for (; i + 8 <= text.n; i += 8) {
    memcpy(&word, text.p + i, 8);
    high |= word;
  }
  for (; i < text.n; i++) high |= (uint64_t)(unsigned char)text.p[i];
  *w = (struct window){.p = (const unsigned char *)text.p, .end = text.n, .eof = true};
  struct view *v = &s->view;
  buf_reset(&v->text);
  *v = (struct view){.text = v->text, .steps = v->steps, .cap_steps = v->cap_steps};
  if (!(high & 0x8080808080808080u)) {
    v->view_len = v->orig_len = text.n;
    return true;
  }
  if (!view_feed(v, text.p, text.n) || !view_end(v)) return false;
  w->p = (const unsigned char *)v->text.p;
  w->end = v->view_len;
  return true;
}

static bool match(struct vdt_scanner *s, const struct window *w, struct delivery *d)
{
  const hs_database_t *db = d->scanner ? s->engine->block : s->engine->leaks;
  if (hs_scan(db, (const char *)w->p, (unsigned)w->end, 0, s->scratch, deliver, d) != HS_SUCCESS) return false;
  deliver_rest(d);
  leaks_try(d->leaks, w);
  return !d->failed && !d->leaks->failed;
}

static struct str matched(const struct window *w, uint64_t start, uint64_t end)
{
  return (struct str){(const char *)w->p + start, (size_t)(end - start)};
}

static void add_leaks(struct vdt_scanner *s, const struct window *w, enum vdt_role role, struct vdt_result *r)
{
  size_t n = leaks_settle(&s->leaks, w->end);
  for (size_t i = 0; i < n; i++) {
    const struct candidate *c = &s->leaks.candidates[i];
    if (c->lost) continue;
    if (r->n_findings == MAX_FINDINGS) {
      r->inspected = VDT_PARTIAL;
      return;
    }
    finding_fill(&r->findings[r->n_findings++], s->engine, c, matched(w, c->start, c->end), role, view_start(&s->view, c->start),
                 view_stop(&s->view, c->end));
  }
}

static enum vdt_action score_action(const struct vdt_score_policy *p, double score)
{
  if (p->action == VDT_ALLOW || score < p->detect_at) return VDT_ALLOW;
  return p->action == VDT_BLOCK && score >= p->block_at ? VDT_BLOCK : VDT_DETECT;
}

static int by_start(const void *a, const void *b)
{
  const struct score_hit *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  if (x->end != y->end) return x->end < y->end ? -1 : 1;
  return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static void add_score_finding(struct vdt_scanner *s, const struct score_hit *h, enum vdt_detector_id det, double score,
                              enum vdt_action action, enum vdt_role role, struct vdt_result *r)
{
  if (r->n_findings == MAX_FINDINGS) return;
  r->findings[r->n_findings++] = (struct vdt_finding){.detector = det,
                                                      .rule = h->rule->id,
                                                      .title = h->rule->title,
                                                      .reason = h->rule->category.n ? h->rule->category.p : h->rule->title,
                                                      .alert = finding_alert(det, role, action),
                                                      .severity = h->rule->severity,
                                                      .action = action,
                                                      .confidence = (unsigned)(score * 100),
                                                      .start = view_start(&s->view, h->start),
                                                      .end = view_stop(&s->view, h->end)};
}

static int add_scores(struct vdt_scanner *s, struct vdt_arena *arena, const struct window *w, enum vdt_detector_id det,
                      const struct vdt_score_policy *policy, enum vdt_role role, struct vdt_result *r, double *score)
{
  bool *keep = arena_zalloc(arena, s->n_scores + 1, sizeof *keep);
  if (!keep) return VDT_ENOMEM;
  if (s->n_scores) qsort(s->scores, s->n_scores, sizeof *s->scores, by_start);
  *score = score_rules((struct str){(const char *)w->p, (size_t)w->end}, s->scores, s->n_scores, keep);
  enum vdt_action action = score_action(policy, *score);
  for (size_t i = 0; i < s->n_scores && action != VDT_ALLOW; i++)
    if (keep[i]) add_score_finding(s, &s->scores[i], det, *score, action, role, r);
  return VDT_OK;
}

static int finding_order(const void *a, const void *b)
{
  const struct vdt_finding *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  if (x->end != y->end) return x->end < y->end ? -1 : 1;
  return strcmp(x->rule, y->rule);
}

static enum vdt_action strongest(const struct vdt_result *r)
{
  enum vdt_action a = VDT_ALLOW;
  for (size_t i = 0; i < r->n_findings; i++)
    if (r->findings[i].action > a) a = r->findings[i].action;
  return a;
}

int vdt_scan(struct vdt_scanner *s, struct vdt_arena *arena, const struct vdt_policy *policy, enum vdt_role role,
             const char *text, size_t n, struct vdt_result *out)
{
  struct window w;
  struct vdt_result r = {0};
  bool prompt = role == VDT_PROMPT, document = role == VDT_DOCUMENT;
  leaks_begin(&s->leaks, policy, role);
  s->n_scores = 0;
  struct delivery d = {.leaks = &s->leaks, .scanner = prompt || document ? s : NULL, .want_document = document, .window = &w};
  if (n == 0) {
    *out = r;
    return VDT_OK;
  }
  if (n > TEXT_MAX) return VDT_ETOOBIG;
  if (!make_view(s, (struct str){text, n}, &w) || !match(s, &w, &d)) return VDT_ENOMEM;
  size_t most = s->leaks.n_candidates + s->n_scores;
  r.findings = arena_alloc(arena, ((most < MAX_FINDINGS ? most : MAX_FINDINGS) + 1) * sizeof *r.findings);
  if (!r.findings) return VDT_ENOMEM;
  add_leaks(s, &w, role, &r);
  int rc = VDT_OK;
  if (prompt) rc = add_scores(s, arena, &w, VDT_DET_JAILBREAK, &policy->jailbreak, role, &r, &r.jailbreak);
  if (document) rc = add_scores(s, arena, &w, VDT_DET_INDIRECT, &policy->indirect, role, &r, &r.indirect);
  if (rc) return rc;
  if (r.n_findings) qsort(r.findings, r.n_findings, sizeof *r.findings, finding_order);
  r.verdict = strongest(&r);
  *out = r;
  return VDT_OK;
}
