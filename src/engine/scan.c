/*
 * vdt_scan: one whole text, and each text that it decodes to. Every one of them is judged in the same way; only where its findings stand in the
 * original differs.
 */
#include "engine/blocklist.h"
#include "engine/pseudonym.h"
#include "engine/reading.h"
#include "engine/scanner.h"
#include "engine/whole.h"

enum {
  MAX_FINDINGS = 4096, /* of one text and what it decodes to; a text with more counts as inspected in part */
  SHOWN_AROUND = 60,   /* bytes of a decoded text that are shown on either side of what was found */
};
static const size_t TEXT_MAX = (size_t)1 << 30;

/* One call of vdt_scan, and the text that it is at. */
struct job {
  struct vdt_scanner *s;
  struct vdt_arena *arena;
  const struct vdt_policy *policy;
  enum vdt_role role;
  struct vdt_result r;
  size_t cap_findings, cap_masks, cap_hidden, cap_names;
  uint64_t *hidden; /* for each mask, a hash of what it hides */
  struct window w;
  int text;    /* index of the decoded text, -1: the view itself */
  bool attack; /* a reading of this prompt is one, and a finding says so */
  bool failed;
};

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

/* What streams see through, whole texts are to show too, whatever the decoders make of it. */
static bool match_joined(struct job *j)
{
  struct reading_set *set = j->s->readings;
  if (j->text >= 0 || !leaks_active(&j->s->leaks)) return true;
  reading_begin(set, (1u << READINGS) - 1, j->s, j->policy, j->role);
  bool ok = reading_whole(set, &j->w, &j->s->leaks, j->arena);
  reading_trim(set);
  return ok;
}

static bool scan_for(struct job *j, const hs_database_t *database, match_event_handler tell, struct delivery *d)
{
  struct str text = {(const char *)j->w.p, (size_t)j->w.end};
  return whole_scan(database, text, j->s->scratch, tell, d) == HS_SUCCESS;
}

/* Gates, and where a text has a score, phrases. */
static bool search(struct job *j, struct delivery *d)
{
  const struct vdt_engine *e = j->s->engine;
  if (e->gates && !scan_for(j, e->gates, deliver, d)) return false;
  if (!e->gates) literals_find(&e->literals, j->w.p, 0, (size_t)j->w.end, 0, deliver, d);
  for (unsigned i = 0; d->scanner && i < ENGINE_HALVES; i++)
    if (e->phrases[i] && !scan_for(j, e->phrases[i], deliver_phrase, d)) return false;
  return true;
}

static bool match(struct job *j)
{
  struct vdt_scanner *s = j->s;
  bool scored = j->role == VDT_PROMPT || j->role == VDT_DOCUMENT;
  struct delivery d = {.leaks = &s->leaks,
                       .scanner = scored ? s : NULL,
                       .want_document = j->role == VDT_DOCUMENT,
                       .window = &j->w,
                       .group = s->group};
  if (!leaks_expect_all(&s->leaks, j->w.end)) return false;
  leaks_begin(&s->leaks, j->policy, j->role);
  s->leaks.lists = true;
  s->n_scores = 0;
  if (!search(j, &d)) return false;
  deliver_rest(&d);
  leaks_numbers(d.leaks, &j->w, 0);
  leaks_try(d.leaks, &j->w);
  return !d.failed && !d.leaks->failed && match_joined(j);
}

/* ---- findings ---------------------------------------------------------------------------------------------------- */

static struct str matched(const struct job *j, uint64_t start, uint64_t end)
{
  return (struct str){(const char *)j->w.p + start, (size_t)(end - start)};
}

static void origin(const struct job *j, uint64_t start, uint64_t end, struct decode_span *out)
{
  if (j->text >= 0) decode_origin(&j->s->decode, &j->s->view, (size_t)j->text, start, end, out);
  else *out = (struct decode_span){.start = view_start(&j->s->view, start), .end = view_stop(&j->s->view, end)};
}

/* The decoded text around [start, end), cut to VDT_DECODED_MAX. What the leak rules found in it is masked; when they are off, nothing but
 * the span itself is shown. */
static const char *show(struct job *j, uint64_t start, uint64_t end)
{
  struct vdt_scanner *s = j->s;
  struct str all = {(const char *)j->w.p, (size_t)j->w.end};
  struct buf b = {0};
  size_t around = leaks_see_secrets(&s->leaks) ? SHOWN_AROUND : 0, c = 0;
  size_t i = str_character(all, start > around ? start - around : 0),
         stop = str_character(all, end + around < all.n ? end + around : all.n);
  while (i < stop && b.n < VDT_DECODED_MAX) {
    while (c < s->leaks.n_candidates && s->leaks.candidates[c].end <= i) c++;
    const struct candidate *secret = c < s->leaks.n_candidates ? &s->leaks.candidates[c] : NULL;
    if (secret && secret->start <= i) {
      char masked[VDT_REDACTED_MAX];
      mask(masked, &s->engine->rules.rules[secret->rule], matched(j, secret->start, secret->end));
      buf_put(&b, str_of(masked));
      i = secret->end;
    } else {
      size_t until = secret && secret->start < stop ? secret->start : stop;
      buf_put(&b, str_cut(all, i, until));
      i = until;
    }
  }
  struct str kept =
      arena_dup(j->arena, str_cut(buf_str(&b), 0, str_character(buf_str(&b), b.n < VDT_DECODED_MAX ? b.n : VDT_DECODED_MAX - 1)));
  j->failed |= b.failed || !kept.p;
  buf_finish(&b);
  return kept.p;
}

/* The next finding, with its place set; NULL when there are too many, or no memory. */
static struct vdt_finding *new_finding(struct job *j, const struct vdt_finding *f, const struct decode_span *at, uint64_t start,
                                       uint64_t end)
{
  struct vdt_result *r = &j->r;
  if (r->n_findings == MAX_FINDINGS) {
    r->inspected = VDT_PARTIAL;
    return NULL;
  }
  struct vdt_finding *grown = arena_grow(j->arena, r->findings, r->n_findings, &j->cap_findings, 8, sizeof *grown);
  if (!grown) {
    j->failed = true;
    return NULL;
  }
  r->findings = grown;
  struct vdt_finding *out = &r->findings[r->n_findings++];
  *out = *f;
  out->start = at->start;
  out->end = at->end;
  out->n_layers = at->n_layers;
  memcpy(out->layers, at->layers, sizeof at->layers);
  out->decoded = at->n_layers ? show(j, start, end) : "";
  return out;
}

static void add_mask(struct job *j, const struct vdt_mask *m, struct str what)
{
  struct vdt_mask *grown = arena_grow(j->arena, j->r.masks, j->r.n_masks, &j->cap_masks, 8, sizeof *grown);
  uint64_t *hidden = arena_grow(j->arena, j->hidden, j->r.n_masks, &j->cap_hidden, 8, sizeof *hidden);
  if (!grown || !hidden) {
    j->failed = true;
    return;
  }
  j->hidden = hidden;
  hidden[j->r.n_masks] = str_hash(what);
  j->r.masks = grown;
  j->r.masks[j->r.n_masks++] = *m;
}

/* Those that lost to a stronger one are masked as well: they may reach beyond it. */
static void mask_candidate(struct job *j, const struct candidate *c, size_t n, const struct decode_span *at)
{
  const struct candidate *by = leaks_namer(&j->s->leaks, c, n);
  const struct rule *r = &j->s->engine->rules.rules[by->rule];
  enum vdt_mask_style style = leaks_mask(&j->s->leaks, r);
  struct vdt_mask m = {
      .start = at->start, .end = at->end, .detector = r->detector, .rule = r->id, .pseudonym = style == VDT_MASK_PSEUDONYM};
  struct str what = c->as ? (struct str){(const char *)at, 2 * sizeof at->start} : matched(j, c->start, c->end);
  if (by->as) memcpy(m.text, by->as->mask, sizeof m.text);
  else mask_text(m.text, style, r, matched(j, by->start, by->end));
  add_mask(j, &m, what);
}

/* What may go on and has a pseudonym. */
static void add_name(struct job *j, const struct candidate *c, const struct decode_span *at)
{
  const struct rule *r = &j->s->engine->rules.rules[c->rule];
  if (leaks_mask(&j->s->leaks, r) != VDT_MASK_PSEUDONYM) return;
  struct vdt_mask *grown = arena_grow(j->arena, j->r.names, j->r.n_names, &j->cap_names, 8, sizeof *grown);
  if (!grown) {
    j->failed = true;
    return;
  }
  j->r.names = grown;
  j->r.names[j->r.n_names++] =
      (struct vdt_mask){.start = at->start, .end = at->end, .detector = r->detector, .rule = r->id, .pseudonym = true};
}

/* A chance reading ("KEY=56..." as quoted-printable) of what the text itself already says, as surely: it is neither found nor masked twice. */
static bool said_before(const struct job *j, const struct candidate *c, const struct decode_span *at)
{
  enum vdt_detector_id detector = j->s->engine->rules.rules[c->rule].detector;
  for (size_t i = 0; i < j->r.n_findings; i++) {
    const struct vdt_finding *f = &j->r.findings[i];
    bool overlap = f->start < at->end && at->start < f->end;
    if (overlap && f->n_layers == 0 && f->detector == detector && f->confidence >= c->confidence) return true;
  }
  return false;
}

/* What a decoded text has in common with its parent was found there. */
static void add_leaks(struct job *j)
{
  struct vdt_scanner *s = j->s;
  size_t n = leaks_settle(&s->leaks, j->w.end);
  for (size_t i = 0; i < n && !j->failed; i++) {
    const struct candidate *c = &s->leaks.candidates[i];
    struct decode_span at;
    struct vdt_finding f;
    if (c->lost && c->action < VDT_REDACT) continue;
    origin(j, c->start, c->end, &at);
    if (j->text >= 0 && (!at.decoded || said_before(j, c, &at))) continue;
    if (c->action >= VDT_REDACT) mask_candidate(j, c, n, &at);
    if (c->lost) continue;
    if (c->action < VDT_REDACT) add_name(j, c, &at);
    finding_fill(&f, s->engine, c, matched(j, c->start, c->end), j->role, at.start, at.end);
    f.severity = leaks_count(&s->leaks, c->rule);
    finding_read_as(&f, c);
    if (c->as) at.n_layers = 1, at.layers[0] = c->as->layer;
    new_finding(j, &f, &at, c->start, c->end);
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

static void add_score_finding(struct job *j, const struct score_hit *h, enum vdt_detector_id det, double score,
                              enum vdt_action action)
{
  struct decode_span at;
  struct vdt_finding f = {.detector = det,
                          .rule = h->rule->id,
                          .title = h->rule->title,
                          .reason = h->rule->category.n ? h->rule->category.p : h->rule->title,
                          .alert = finding_alert(det, j->role, action),
                          .severity = h->rule->severity,
                          .action = action,
                          .confidence = (unsigned)(score * 100)};
  origin(j, h->start, h->end, &at);
  new_finding(j, &f, &at, h->start, h->end);
}

/* The hits of rules about exploring, or those of all others, in the order of the text. */
static size_t take_scores(struct vdt_scanner *s, bool exploring)
{
  size_t n = 0;
  for (size_t i = 0; i < s->n_scores; i++) {
    struct score_hit h = s->scores[i];
    if ((h.rule->detector == VDT_DET_RECON) != exploring) continue;
    s->scores[i] = s->scores[n];
    s->scores[n++] = h;
  }
  if (n) qsort(s->scores, n, sizeof *s->scores, by_start);
  return n;
}

/* What the rules make of a text: *keep says which of the first *n hits carry the score; NULL when there is no memory. */
static double ask_rules(struct job *j, bool exploring, size_t *n, bool **keep)
{
  struct vdt_scanner *s = j->s;
  *n = take_scores(s, exploring);
  *keep = arena_zalloc(j->arena, *n + 1, sizeof **keep);
  if (!*keep) {
    j->failed = true;
    *n = 0;
    return 0;
  }
  return score_rules((struct str){(const char *)j->w.p, (size_t)j->w.end}, s->scores, *n, *keep);
}

static void add_model_finding(struct job *j, const struct model_verdict *v, const struct model_span *span,
                              enum vdt_detector_id det, double score, enum vdt_action action)
{
  struct decode_span at;
  struct vdt_finding f = {.detector = det,
                          .rule = v->rule,
                          .title = det == VDT_DET_JAILBREAK ? "Jailbreak, by the trained model"
                                                            : "Indirect attack, by the trained model",
                          .reason = v->reason,
                          .alert = finding_alert(det, j->role, action),
                          .severity = VDT_MEDIUM,
                          .action = action,
                          .confidence = (unsigned)(score * 100)};
  origin(j, span->start, span->end, &at);
  new_finding(j, &f, &at, span->start, span->end);
}

static void explain_model(struct job *j, const struct model_verdict *v, struct vdt_explanation *why)
{
  why->model = v->score;
  why->logit = v->logit;
  why->category = v->category;
  why->windows = v->windows;
  why->read = v->read;
  for (size_t i = 0; i < v->n_spans; i++) {
    struct decode_span at;
    origin(j, v->spans[i].start, v->spans[i].end, &at);
    why->spans[i].start = at.start;
    why->spans[i].end = at.end;
    why->spans[i].share = v->spans[i].share;
  }
  why->n_spans = v->n_spans;
}

static void ask_model(struct job *j, enum vdt_detector_id det, struct model_verdict *v, struct vdt_explanation *why)
{
  if (!j->s->reader || decode_supersedes(&j->s->decode, j->text, (size_t)j->w.end)) return;
  model_judge(j->s->reader, (struct str){(const char *)j->w.p, (size_t)j->w.end}, det == VDT_DET_INDIRECT, v);
  if (v->partial) j->r.inspected = VDT_PARTIAL;
  explain_model(j, v, why);
}

/* The model may overrule what rules only suspect, not what they are sure of: phrases that have no other use, and rules that users wrote. */
static double join(const struct vdt_scanner *s, bool document, double rules, const struct model_verdict *v)
{
  static const double SURE = 0.95 - 1e-9; /* of a single rule too, after rounding */
  if (!v->windows) return rules;
  double score = model_join(s->engine->model, document, v->logit, rules);
  return rules >= SURE && rules > score ? rules : score;
}

/* A question that the rules about exploring report, and hardly anything else: half of the text and more. */
static bool is_question(struct job *j)
{
  uint64_t covered = 0, until = 0;
  bool *keep;
  size_t n;
  if (score_action(&j->policy->reconnaissance, ask_rules(j, true, &n, &keep)) == VDT_ALLOW) return false;
  for (size_t i = 0; i < n; i++) {
    const struct score_hit *h = &j->s->scores[i];
    if (!keep[i] || h->end <= until) continue;
    covered += h->end - (h->start > until ? h->start : until);
    until = h->end;
  }
  return covered * 2 >= j->w.end;
}

/* A finding names a judge that gave at least half as much as the other. What the model alone suspects, and nobody blocks, is reconnaissance where
 * rules know it for that. */
static void add_scores(struct job *j, enum vdt_detector_id det, const struct vdt_score_policy *policy, double *highest)
{
  struct vdt_explanation why = {.category = ""};
  struct model_verdict v = {0};
  bool *keep;
  size_t n;
  why.rules = ask_rules(j, false, &n, &keep);
  if (policy->action != VDT_ALLOW) ask_model(j, det, &v, &why);
  double score = join(j->s, det == VDT_DET_INDIRECT, why.rules, &v);
  enum vdt_action action = score_action(policy, score);
  bool prompt = det == VDT_DET_JAILBREAK, rules_named = why.rules >= why.model / 2 || !v.n_spans;
  if (prompt && !rules_named && action == VDT_DETECT && is_question(j)) action = VDT_ALLOW;
  j->attack |= prompt && action != VDT_ALLOW;
  if (action != VDT_ALLOW && rules_named)
    for (size_t i = 0; i < n && !j->failed; i++)
      if (keep[i]) add_score_finding(j, &j->s->scores[i], det, score, action);
  if (action != VDT_ALLOW && why.model >= why.rules / 2)
    for (size_t i = 0; i < v.n_spans && !j->failed; i++) add_model_finding(j, &v, &v.spans[i], det, score, action);
  if (score > *highest || j->text < 0) j->r.why = why;
  if (score > *highest) *highest = score;
}

/* Who explores is not an attacker yet: what is an attack says so already. Questions that are weak by themselves are kept without an alert,
 * for those who count them (analyse/behaviour.h). */
static void add_exploring(struct job *j)
{
  static const double WEAK = 0.30;
  const struct vdt_score_policy *policy = &j->policy->reconnaissance;
  bool *keep;
  size_t n;
  if (policy->action == VDT_ALLOW || j->failed) return;
  double score = ask_rules(j, true, &n, &keep);
  if (score < WEAK) return;
  enum vdt_action action = j->attack ? VDT_ALLOW : score_action(policy, score);
  for (size_t i = 0; i < n && !j->failed; i++)
    if (keep[i]) add_score_finding(j, &j->s->scores[i], VDT_DET_RECON, score, action);
}

/* Invisible characters that say something are a finding whatever they say. */
static void add_hidden(struct job *j)
{
  if (j->text < 0 || j->role == VDT_SYSTEM || j->policy->hidden_text.action == VDT_ALLOW) return;
  const struct decoded *t = &j->s->decode.texts[j->text];
  for (size_t i = 0; i < t->n_segments && !j->failed; i++) {
    const struct segment *g = &t->segments[i];
    struct decode_span at;
    if (!segment_is_hidden(g)) continue;
    struct vdt_finding f = {.detector = VDT_DET_HIDDEN,
                            .rule = decoder_name(g->layers[g->n_layers - 1]),
                            .title = "Text in invisible characters",
                            .reason = "characters that show nothing spell text",
                            .alert = finding_alert(VDT_DET_HIDDEN, j->role, j->policy->hidden_text.action),
                            .severity = VDT_HIGH,
                            .action = j->policy->hidden_text.action,
                            .confidence = 95};
    origin(j, g->at, g->at + g->n, &at);
    new_finding(j, &f, &at, g->at, g->at + g->n);
  }
}

/* Phrases of blocklists. Like leaks, what a decoded text has in common with its parent was found there. */
static bool add_phrases(struct job *j)
{
  const struct phrase_hit *hits;
  size_t n;
  if (!j->policy->phrases.blocklist) return true;
  if (!phrases_find(&j->policy->phrases, &j->w, 0, &hits, &n)) return false;
  for (size_t i = 0; i < n && !j->failed; i++) {
    struct decode_span at;
    struct vdt_finding f;
    origin(j, hits[i].start, hits[i].end, &at);
    if (j->text >= 0 && !at.decoded) continue;
    phrase_finding(&j->policy->phrases, hits[i].phrase, &f);
    if (f.action >= VDT_REDACT) {
      struct vdt_mask m = {.start = at.start, .end = at.end, .detector = VDT_DET_BLOCKLIST, .rule = f.rule};
      snprintf(m.text, sizeof m.text, "[REDACTED:%.50s]", f.rule);
      add_mask(j, &m, matched(j, hits[i].start, hits[i].end));
    }
    new_finding(j, &f, &at, hits[i].start, hits[i].end);
  }
  return true;
}

/* ---- the texts --------------------------------------------------------------------------------------------------- */

static int judge(struct job *j, int text, struct window w)
{
  j->text = text;
  j->w = w;
  if (!match(j) || !add_phrases(j)) return VDT_ENOMEM;
  add_leaks(j);
  add_hidden(j);
  if (j->role == VDT_PROMPT) add_scores(j, VDT_DET_JAILBREAK, &j->policy->jailbreak, &j->r.jailbreak);
  if (j->role == VDT_PROMPT) add_exploring(j);
  if (j->role == VDT_DOCUMENT) add_scores(j, VDT_DET_INDIRECT, &j->policy->indirect, &j->r.indirect);
  return j->failed ? VDT_ENOMEM : VDT_OK;
}

/* The view, and everything that it decodes to. */
static int judge_all(struct job *j, struct str original, struct window w)
{
  struct decode *d = &j->s->decode;
  d->leaks = j->role != VDT_PROMPT && j->role != VDT_DOCUMENT;
  if (!decode_run(d, original, &j->s->view, (struct str){(const char *)w.p, (size_t)w.end})) return VDT_ENOMEM;
  int rc = judge(j, -1, w);
  for (size_t i = 0; !rc && i < d->n_texts; i++)
    rc =
        judge(j, (int)i, (struct window){.p = (const unsigned char *)d->texts[i].text.p, .end = d->texts[i].text.n, .eof = true});
  if (d->partial) j->r.inspected = VDT_PARTIAL;
  return rc;
}

static int finding_order(const void *a, const void *b)
{
  const struct vdt_finding *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  if (x->end != y->end) return x->end < y->end ? -1 : 1;
  if (x->detector != y->detector) return x->detector < y->detector ? -1 : 1;
  int c = strcmp(x->rule, y->rule);
  if (c) return c;
  if (x->item != y->item) return x->item < y->item ? -1 : 1;
  return x->n_layers < y->n_layers ? -1 : x->n_layers > y->n_layers;
}

static bool is_same(const struct vdt_finding *a, const struct vdt_finding *b)
{
  return a->start == b->start && a->end == b->end && a->detector == b->detector && a->item == b->item &&
         strcmp(a->rule, b->rule) == 0;
}

/* A reading found what a decoder has found as well: the decoder's word stands, for it knows all layers. */
static bool is_repeated(const struct vdt_result *r, const struct vdt_finding *f)
{
  if (f->n_layers != 1 || !reading_is_layer(f->layers[0])) return false;
  for (size_t i = 0; i < r->n_findings; i++) {
    const struct vdt_finding *o = &r->findings[i];
    bool decoded = o->n_layers && !(o->n_layers == 1 && reading_is_layer(o->layers[0]));
    if (decoded && strcmp(o->rule, f->rule) == 0 && o->start < f->end && f->start < o->end) return true;
  }
  return false;
}

static void drop_repeated(struct vdt_result *r)
{
  size_t kept = 0, n = r->n_findings;
  for (size_t i = 0; i < n; i++) {
    if (is_repeated(r, &r->findings[i])) r->findings[i].title = NULL;
  }
  for (size_t i = 0; i < n; i++)
    if (r->findings[i].title) r->findings[kept++] = r->findings[i];
  r->n_findings = kept;
}

/* One finding for each rule and place: a decoded text repeats what stands around what was decoded. The strongest of them stays, under the
 * fewest layers. */
static void settle(struct vdt_result *r)
{
  size_t kept = 0;
  if (r->n_findings) qsort(r->findings, r->n_findings, sizeof *r->findings, finding_order);
  for (size_t i = 0; i < r->n_findings; i++) {
    const struct vdt_finding *f = &r->findings[i];
    struct vdt_finding *last = kept ? &r->findings[kept - 1] : NULL;
    if (f->action > r->verdict) r->verdict = f->action;
    if (!last || !is_same(last, f)) {
      r->findings[kept++] = *f;
    } else if (f->confidence > last->confidence) {
      last->confidence = f->confidence;
      last->action = f->action;
      last->alert = f->alert;
    }
  }
  r->n_findings = kept;
}

static int mask_order(const void *a, const void *b)
{
  const struct vdt_mask *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  return x->end > y->end ? -1 : x->end < y->end;
}

/* What was read in several ways (turned round twice, say) hides once, where it stands most closely. */
static void drop_wide(struct job *j)
{
  struct vdt_mask *m = j->r.masks;
  size_t kept = 0;
  for (size_t i = 0; i < j->r.n_masks; i++) {
    bool wide = false;
    for (size_t k = 0; k < j->r.n_masks && !wide && j->r.n_masks <= 256; k++)
      wide = j->hidden[k] == j->hidden[i] && m[k].start >= m[i].start && m[k].end <= m[i].end &&
             m[k].end - m[k].start < m[i].end - m[i].start;
    if (wide) m[i].text[0] = 0;
  }
  for (size_t i = 0; i < j->r.n_masks; i++)
    if (m[i].text[0]) m[kept++] = m[i];
  j->r.n_masks = kept;
}

/* Masks that overlap become one, which says what the first says. */
static void join_masks(struct vdt_result *r)
{
  size_t kept = 0;
  if (r->n_masks) qsort(r->masks, r->n_masks, sizeof *r->masks, mask_order);
  for (size_t i = 0; i < r->n_masks; i++) {
    struct vdt_mask *m = &r->masks[i], *last = kept ? &r->masks[kept - 1] : NULL;
    if (!last || m->start >= last->end) r->masks[kept++] = *m;
    else if (m->end > last->end) last->end = m->end;
  }
  r->n_masks = kept;
}

/* Pseudonyms are of exactly the bytes that they replace, so they come last. */
static void name_all(const struct job *j, struct str text, struct vdt_mask *v, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (!v[i].pseudonym) continue;
    const struct rule *r = j->s->engine->rules.rules;
    while (r->id != v[i].rule) r++;
    pseudonym_make(j->policy->pseudonym_key, r, str_cut(text, v[i].start, v[i].end), v[i].text);
  }
}

int vdt_scan(struct vdt_scanner *s, struct vdt_arena *arena, const struct vdt_policy *policy, enum vdt_role role,
             const char *text, size_t n, struct vdt_result *out)
{
  struct job j = {.s = s, .arena = arena, .policy = policy, .role = role, .r.why.category = ""};
  struct window w;
  if (n == 0) {
    *out = j.r;
    return VDT_OK;
  }
  if (n > TEXT_MAX) return VDT_ETOOBIG;
  if (!make_view(s, (struct str){text, n}, &w)) return VDT_ENOMEM;
  int rc = judge_all(&j, (struct str){text, n}, w);
  decode_trim(&s->decode);
  if (rc) return rc;
  drop_repeated(&j.r);
  settle(&j.r);
  drop_wide(&j);
  join_masks(&j.r);
  name_all(&j, (struct str){text, n}, j.r.masks, j.r.n_masks);
  name_all(&j, (struct str){text, n}, j.r.names, j.r.n_names);
  *out = j.r;
  return VDT_OK;
}
