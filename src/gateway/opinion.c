#include "gateway/opinion.h"
#include "engine/url.h"
#include "gateway/opinion_memory.h"
#include <sodium.h>
#include <stdatomic.h>

enum {
  MAX_CASES = 64,       /* unsure texts that are remembered; beyond them the own verdict stands */
  DOCUMENT_LEAST = 500, /* a document of which no more than this would fit is left out */
  SPAN_MAX = 200,       /* bytes of evidence around which context is shown */
};

/* ---- which texts ------------------------------------------------------------------------------------------------ */

static enum vdt_detector_id detector_of(enum vdt_role role)
{
  return role == VDT_PROMPT ? VDT_DET_JAILBREAK : role == VDT_DOCUMENT ? VDT_DET_INDIRECT : VDT_DETECTORS;
}

static bool is_unsure(const struct exchange *x, enum vdt_detector_id detector, double score)
{
  const struct vdt_policy *p = exchange_policy(x);
  const struct vdt_score_policy *s = detector == VDT_DET_JAILBREAK ? &p->jailbreak : &p->indirect;
  return s->action != VDT_ALLOW && score >= p->second_opinion.from && score < p->second_opinion.below;
}

/* The span of the first finding of the detector; without one the end of the text, where attacks like to stand. */
static void find_span(struct opinion_case *c)
{
  c->start = c->end = c->text.n;
  c->own = VDT_ALLOW;
  for (size_t i = c->n_known; i-- > 0;) {
    const struct vdt_finding *f = &c->known[i];
    if (f->detector != c->detector) continue;
    c->start = f->start;
    c->end = f->end;
    if (f->action > c->own) c->own = f->action;
  }
}

struct opinion_case *opinion_consider(struct exchange *x, const struct wire_part *part, const struct vdt_result *r, bool *oom)
{
  struct opinion *o = &x->opinion;
  const struct vdt_policy *p = exchange_policy(x);
  enum vdt_detector_id detector = detector_of(part->role);
  double score = part->role == VDT_PROMPT ? r->jailbreak : r->indirect;
  if (detector == VDT_DETECTORS || !part->text.n || !is_unsure(x, detector, score)) return NULL;
  if (!config_shield_of(x->image->config, p)) return NULL;
  o->policy = &p->second_opinion;
  if (o->n == MAX_CASES) {
    o->record.left_out++;
    return NULL;
  }
  struct opinion_case *grown = arena_grow(x->arena, o->cases, o->n, &o->cap, 4, sizeof *grown);
  if (!grown) {
    *oom = true;
    return NULL;
  }
  o->cases = grown;
  struct opinion_case *c = &o->cases[o->n++];
  *c = (struct opinion_case){.detector = detector,
                             .role = part->role,
                             .part = exchange_keep(x, part->origin, 1024),
                             .text = part->text,
                             .known = r->findings,
                             .n_known = r->n_findings,
                             .score = score};
  c->most = (detector == VDT_DET_JAILBREAK ? p->jailbreak : p->indirect).action;
  find_span(c);
  return c;
}

/* The own verdict on a text counts after all. */
static void stand(struct exchange *x, const struct opinion_case *c)
{
  if (c->own == VDT_ALLOW) return;
  exchange_keep_shield(x, c->detector, c->own);
  if (c->own > x->strongest) x->strongest = c->own;
}

void opinion_drop(struct exchange *x)
{
  struct opinion *o = &x->opinion;
  for (size_t i = 0; i < o->n; i++) stand(x, &o->cases[i]);
  o->n = 0;
  o->record = (struct record_opinion){0};
}

/* Highest scores first; of equal ones the later part, since the newest turn counts most. */
static void sort_cases(struct opinion *o)
{
  for (size_t i = 1; i < o->n; i++)
    for (size_t k = i; k > 0 && o->cases[k].score >= o->cases[k - 1].score; k--) {
      struct opinion_case t = o->cases[k];
      o->cases[k] = o->cases[k - 1];
      o->cases[k - 1] = t;
    }
}

/* Moves what a question holds to the front, the prompt first; the own verdict stands for the rest. */
static void choose(struct exchange *x)
{
  struct opinion *o = &x->opinion;
  size_t prompts = 0, documents = 0, asked = 0;
  sort_cases(o);
  for (size_t i = 0; i < o->n; i++) {
    struct opinion_case c = o->cases[i];
    bool prompt = c.role == VDT_PROMPT;
    if (prompt ? prompts == 1 : documents == OPINION_DOCUMENTS) {
      stand(x, &c);
      o->record.left_out++;
      continue;
    }
    prompts += prompt;
    documents += !prompt;
    o->cases[i] = o->cases[asked];
    if (prompt && asked) {
      memmove(&o->cases[1], &o->cases[0], asked * sizeof c);
      o->cases[0] = c;
    } else {
      o->cases[asked] = c;
    }
    asked++;
  }
  o->n_asked = asked;
}

/* ---- what leaves ------------------------------------------------------------------------------------------------ */

static void window(const struct opinion_case *c, size_t max, size_t *from, size_t *to)
{
  size_t middle = (size_t)(c->start + (c->end - c->start) / 2);
  *from = 0;
  *to = c->text.n;
  if (c->text.n <= max) return;
  *from = middle > max / 2 ? middle - max / 2 : 0;
  if (*from > c->text.n - max) *from = c->text.n - max;
  *to = *from + max;
  while (*from < *to && str_splits(c->text, *from)) ++*from;
  while (*to > *from && str_splits(c->text, *to)) --*to;
}

static void keep_segment(struct exchange *x, struct opinion_case *c, const struct evidence *e)
{
  struct vdt_finding span = {.detector = c->detector, .start = c->start, .end = c->end};
  if (!exchange_has_evidence(x)) return;
  if (span.end - span.start > SPAN_MAX) span.end = span.start + SPAN_MAX;
  while (span.end < c->end && str_splits(c->text, (size_t)span.end)) span.end++;
  c->segment = evidence_segment(e, &span, &(struct evidence_span){0});
}

/* The text of a case as it may leave: masked, at most max bytes. */
static bool masked_text(struct exchange *x, struct opinion_case *c, size_t max, struct str *out)
{
  struct evidence e = {
      .scanner = x->scanner, .arena = x->arena, .text = c->text, .known = c->known, .n_known = c->n_known, .whole = true};
  struct buf b = {0};
  size_t from, to;
  window(c, max, &from, &to);
  bool ok = evidence_masked(&e, from, to, &b);
  size_t n = b.n < max ? b.n : max; /* masks may be longer than what they hide */
  while (ok && n < b.n && n && str_splits(buf_str(&b), n)) n--;
  c->cut = from > 0 || to < c->text.n || n < b.n;
  if (ok) *out = arena_dup(x->arena, str_cut(buf_str(&b), 0, n));
  buf_finish(&b);
  if (ok && out->p) keep_segment(x, c, &e);
  return ok && out->p;
}

/* What the shield said of this text not long ago need not be asked again. */
static bool recall(struct exchange *x, struct opinion_case *c, const struct opinion_text *t)
{
  c->remembered = opinion_memory_find(x->image->memory, x->opinion.record.shield, t->document, t->text, x->start_us, &c->attack);
  x->opinion.record.remembered += c->remembered;
  return c->remembered;
}

static void remember(struct exchange *x, const bool *attacks, uint64_t now_us)
{
  const struct opinion *o = &x->opinion;
  for (size_t i = 0; i < o->n_asked; i++) {
    const struct opinion_case *c = &o->cases[i];
    if (c->remembered) continue;
    const struct opinion_text *t = &o->texts[c->at];
    opinion_memory_keep(x->image->memory, o->record.shield, t->document, t->text, now_us, attacks[c->at]);
  }
}

static bool make_texts(struct exchange *x)
{
  struct opinion *o = &x->opinion;
  size_t room = OPINION_DOCUMENTS_MAX, asked = 0, n = 0;
  for (size_t i = 0; i < o->n_asked; i++) {
    struct opinion_case *c = &o->cases[i];
    bool document = c->role == VDT_DOCUMENT;
    if (document && room < DOCUMENT_LEAST && c->text.n > room) {
      stand(x, c);
      o->record.left_out++;
      continue;
    }
    if (asked != i) o->cases[asked] = *c;
    c = &o->cases[asked++];
    struct opinion_text t = {.document = document};
    if (!masked_text(x, c, document ? room : OPINION_PROMPT_MAX, &t.text)) return false;
    o->record.cut += c->cut;
    if (recall(x, c, &t)) continue;
    if (document) room -= t.text.n;
    c->at = n;
    o->texts[n++] = t;
  }
  o->n_asked = asked;
  o->question.n = n;
  return true;
}

static struct str hash_of(struct exchange *x, struct str body)
{
  unsigned char hash[crypto_hash_sha256_BYTES];
  char hex[2 * crypto_hash_sha256_BYTES + 1];
  crypto_hash_sha256(hash, (const unsigned char *)body.p, body.n);
  for (size_t i = 0; i < sizeof hash; i++) snprintf(hex + 2 * i, 3, "%02x", hash[i]);
  return exchange_keep(x, str_of(hex), sizeof hex);
}

static bool make_question(struct exchange *x, const struct config_shield *shield)
{
  struct opinion *o = &x->opinion;
  struct opinion_question *q = &o->question;
  *q = (struct opinion_question){.kind = shield->kind == CONFIG_OPENAI_CHAT ? OPINION_OPENAI_CHAT : OPINION_PROMPT_SHIELDS,
                                 .model = str_of(shield->model),
                                 .texts = o->texts};
  if (!make_texts(x)) return false;
  if (!q->n) return true;
  randombytes_buf(q->random, sizeof q->random);
  opinion_write(q, &o->body);
  char *path = arena_printf(x->arena, "%s%s", shield->endpoint.path ? shield->endpoint.path : "", opinion_path(q->kind).p);
  if (!path || o->body.failed) return false;
  o->asked.path = str_of(path);
  o->asked.query = opinion_query(q->kind);
  o->asked.body = buf_str(&o->body);
  o->record.sha256 = hash_of(x, o->asked.body);
  return o->record.sha256.n > 0;
}

/* ---- what comes of it ------------------------------------------------------------------------------------------- */

static void withdraw(struct exchange *x, const struct opinion_case *c)
{
  for (size_t i = c->first; i < c->last; i++) {
    struct record_finding *f = &x->record.findings[i];
    f->action = str_of(vdt_action_name(VDT_ALLOW));
    f->alert = (struct str){0};
    f->evidence = f->decoded = f->sealed = (struct str){0};
  }
}

enum say { SAY_KEEP, SAY_ALLOW, SAY_ATTACK, SAY_MISSING };

/* A question that was not asked is no failure of the shield, and whoever can use up the budget may not decide what follows. */
static enum say say_without(const struct opinion *o, enum record_opinion_outcome why)
{
  if (why == RECORD_OPINION_OVER_BUDGET || why == RECORD_OPINION_ABANDONED) return SAY_KEEP;
  switch (o->policy->on_failure) {
  case VDT_OPINION_KEEP: break;
  case VDT_OPINION_BLOCK: return SAY_MISSING;
  case VDT_OPINION_ALLOW: return SAY_ALLOW;
  }
  return SAY_KEEP;
}

/* Returns what the text does to the verdict now. */
static enum vdt_action apply(struct exchange *x, const struct opinion_case *c, enum say say)
{
  enum vdt_action action = x->opinion.asked.wait ? c->most : VDT_DETECT;
  if (say == SAY_ALLOW) {
    withdraw(x, c);
    return VDT_ALLOW;
  }
  if (say == SAY_KEEP) {
    if (c->own != VDT_ALLOW) exchange_keep_shield(x, c->detector, c->own);
    return c->own;
  }
  exchange_keep_shield(x, c->detector, action);
  exchange_add_opinion(x, c, action, say == SAY_MISSING);
  return action > c->own ? action : c->own;
}

static struct str decision_name(enum say say, enum vdt_action strongest)
{
  if (say == SAY_KEEP) return STR("keep");
  if (say == SAY_ALLOW) return STR("allow");
  return strongest == VDT_BLOCK ? STR("block") : STR("detect");
}

/* attacks: what the shield says of each text in the question; NULL when it says nothing. */
static enum say say_of(const struct opinion *o, const struct opinion_case *c, enum record_opinion_outcome outcome,
                       const bool *attacks)
{
  if (!c->remembered && !attacks) return say_without(o, outcome);
  if (c->remembered ? c->attack : attacks[c->at]) return SAY_ATTACK;
  return c->cut ? SAY_KEEP : SAY_ALLOW;
}

static enum exchange_next settle(struct exchange *x, enum record_opinion_outcome outcome, const bool *attacks, uint64_t now_us)
{
  struct opinion *o = &x->opinion;
  enum say most = SAY_KEEP;
  if (o->settled || !o->begun) return EXCHANGE_FORWARD;
  o->settled = true;
  o->standing = VDT_ALLOW;
  for (size_t i = 0; i < o->n_asked; i++) {
    const struct opinion_case *c = &o->cases[i];
    enum say say = say_of(o, c, outcome, attacks);
    enum vdt_action action = apply(x, c, say);
    if (action > o->standing) o->standing = action;
    if (say > most) most = say;
  }
  if (outcome == RECORD_OPINION_UNRECORDED) o->record.bytes = o->asked_us = 0; /* nothing left */
  o->record.outcome = outcome;
  o->record.decision = decision_name(most, o->standing);
  if (o->asked_us && now_us > o->asked_us) o->record.us = now_us - o->asked_us;
  return o->asked.wait && o->standing == VDT_BLOCK ? exchange_block(x) : EXCHANGE_FORWARD;
}

static enum record_opinion_outcome outcome_of(const struct opinion *o, const bool *attacks)
{
  for (size_t i = 0; i < o->n_asked; i++)
    if (o->cases[i].remembered ? o->cases[i].attack : attacks[o->cases[i].at]) return RECORD_OPINION_ATTACK;
  return RECORD_OPINION_CLEAN;
}

enum exchange_next exchange_opinion_none(struct exchange *x, enum record_opinion_outcome why, uint64_t now_us)
{
  return settle(x, why, NULL, now_us);
}

enum exchange_next exchange_opinion_answer(struct exchange *x, unsigned status, struct str body, uint64_t now_us)
{
  struct opinion *o = &x->opinion;
  bool attacks[OPINION_TEXTS] = {false};
  if (o->settled || !o->begun) return EXCHANGE_FORWARD;
  o->record.status = status;
  if (status != 200) return settle(x, RECORD_OPINION_STATUS, NULL, now_us);
  struct vdt_arena *scratch = vdt_arena_new(0);
  bool ok = scratch && opinion_read(&o->question, scratch, body, attacks);
  vdt_arena_free(scratch);
  if (!ok) return settle(x, RECORD_OPINION_UNREADABLE, NULL, now_us);
  remember(x, attacks, now_us);
  return settle(x, outcome_of(o, attacks), attacks, now_us);
}

/* ---- on its way ------------------------------------------------------------------------------------------------- */

enum exchange_next opinion_begin(struct exchange *x)
{
  struct opinion *o = &x->opinion;
  if (!o->n) return EXCHANGE_FORWARD;
  const struct config_shield *shield = config_shield_of(x->image->config, exchange_policy(x));
  choose(x);
  o->asked = (struct exchange_question){.shield = shield, .policy = o->policy};
  o->record.shield = str_of(shield->name);
  o->record.kind = shield->kind == CONFIG_OPENAI_CHAT ? STR("openai-chat") : STR("prompt-shields");
  bool made = make_question(x, shield);
  if (x->strongest >= VDT_BLOCK) {
    opinion_drop(x);
    return exchange_block(x);
  }
  for (size_t i = 0; i < o->n_asked; i++) {
    const struct opinion_case *c = &o->cases[i];
    unsigned score = (unsigned)(c->score * 100);
    o->asked.wait |= c->most == VDT_BLOCK;
    if (score > o->record.score) o->record.score = score;
    if (c->own > o->standing) o->standing = c->own;
  }
  o->record.waited = o->asked.wait && o->question.n;
  o->record.texts = (unsigned)o->question.n;
  o->record.outcome = RECORD_OPINION_PENDING;
  o->record.decision = STR("keep");
  o->begun = true;
  if (!made) return settle(x, RECORD_OPINION_UNRECORDED, NULL, 0);
  if (!o->question.n) return settle(x, outcome_of(o, NULL), NULL, 0);
  if (o->asked.wait) o->standing = VDT_ALLOW;
  return o->asked.wait ? EXCHANGE_ASK : EXCHANGE_FORWARD;
}

const struct exchange_question *exchange_question(const struct exchange *x)
{
  return x->opinion.begun && !x->opinion.settled ? &x->opinion.asked : NULL;
}

void exchange_asking(struct exchange *x, uint64_t now_us, struct buf *line)
{
  struct opinion *o = &x->opinion;
  const struct config_deployment *d = x->deployment;
  char to[URL_ORIGIN];
  url_origin(&o->asked.shield->endpoint, to, sizeof to);
  struct record_egress e = {.time_us = now_us,
                            .workspace = str_of(d->workspace->name),
                            .deployment = str_of(d->name),
                            .shield = o->record.shield,
                            .kind = o->record.kind,
                            .destination = str_of(to),
                            .score = o->record.score,
                            .texts = o->record.texts,
                            .bytes = o->asked.body.n,
                            .sha256 = o->record.sha256};
  memcpy(e.id, x->record.id, sizeof e.id);
  o->asked_us = now_us;
  o->record.bytes = o->asked.body.n;
  record_write_egress(&e, line);
}

void opinion_annotate(struct exchange *x)
{
  const struct opinion *o = &x->opinion;
  if (!o->begun || o->settled) return;
  for (size_t i = 0; i < o->n_asked; i++)
    if (o->cases[i].own != VDT_ALLOW) exchange_keep_shield(x, o->cases[i].detector, o->cases[i].own);
}

void opinion_record(struct exchange *x, struct record *r)
{
  struct opinion *o = &x->opinion;
  if (!o->begun) return;
  r->opinion = o->record;
  if (!o->asked_us) r->opinion.sha256 = (struct str){0};
  o->revise = !o->settled;
}

void opinion_finish(struct opinion *o)
{
  buf_finish(&o->body);
}

/* ---- budget ----------------------------------------------------------------------------------------------------- */

/* The minute in the upper half of the cell, how many were asked in it in the lower. */
bool opinion_budget_take(_Atomic uint64_t *cell, uint64_t minute, unsigned per_minute)
{
  uint64_t seen = atomic_load_explicit(cell, memory_order_relaxed), next;
  do {
    uint64_t used = seen >> 32 == (minute & UINT32_MAX) ? seen & UINT32_MAX : 0;
    if (used >= per_minute) return false;
    next = (minute & UINT32_MAX) << 32 | (used + 1);
  } while (!atomic_compare_exchange_weak_explicit(cell, &seen, next, memory_order_relaxed, memory_order_relaxed));
  return true;
}
