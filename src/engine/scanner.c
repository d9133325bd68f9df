#include "engine/scanner.h"
#include "base/buf.h"
#include "engine/reading.h"
#include "engine/regex.h"

enum { MAX_SCORES = 1 << 16 };

/* Of Vectorscan, for what this engine has it look for. */
static bool reserve(const struct vdt_engine *e, hs_scratch_t **scratch)
{
  const hs_database_t *const all[] = {e->phrases[0], e->phrases[1], e->gates, e->stream};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i] && hs_alloc_scratch(all[i], scratch) != HS_SUCCESS) return false;
  return true;
}

int vdt_scanner_new(const struct vdt_engine *engine, struct vdt_scanner **out)
{
  struct vdt_scanner *s = calloc(1, sizeof *s);
  if (!s) return VDT_ENOMEM;
  s->engine = engine;
  view_init(&s->view);
  s->readings = calloc(1, sizeof *s->readings);
  if (engine->model) s->reader = model_reader_new(engine->model);
  if ((engine->model && !s->reader) || !s->readings || !decode_init(&s->decode) || leaks_init(&s->leaks, engine) ||
      !reserve(engine, &s->scratch) || !regex_reserve(&engine->rules, &s->regex_scratch)) {
    vdt_scanner_free(s);
    return VDT_ENOMEM;
  }
  s->leaks.scratch = s->regex_scratch;
  *out = s;
  return VDT_OK;
}

void vdt_scanner_free(struct vdt_scanner *s)
{
  if (!s) return;
  hs_free_scratch(s->scratch);
  hs_free_scratch(s->regex_scratch);
  leaks_finish(&s->leaks);
  view_finish(&s->view);
  decode_finish(&s->decode);
  if (s->readings) reading_finish(s->readings);
  free(s->readings);
  model_reader_free(s->reader);
  free(s->scores);
  free(s);
}

/* Vectorscan reports every end of a match that may end at several places; one entry per start is enough, the longest. */
static void gather_score(struct delivery *d, const struct rule *rule, const struct hit *hit)
{
  struct vdt_scanner *s = d->scanner;
  if (!s || !(d->want_document ? rule->in_document : rule->in_prompt)) return;
  for (size_t i = s->n_scores, look = 0; i > 0 && look < 16; i--, look++) {
    struct score_hit *h = &s->scores[i - 1];
    if (h->rule != rule || h->start != hit->start) continue;
    if (hit->end > h->end) h->end = hit->end;
    return;
  }
  if (s->n_scores == MAX_SCORES) return; /* so many hits of attack rules: the score cannot get any higher */
  struct score_hit *grown = heap_grow(s->scores, s->n_scores, &s->cap_scores, 64, sizeof *grown);
  if (!grown) {
    d->failed = true;
    return;
  }
  s->scores = grown;
  s->scores[s->n_scores++] = (struct score_hit){rule, hit->start, hit->end};
}

void deliver_rest(struct delivery *d)
{
  for (size_t i = 1; i < d->n_group; i++)
    for (size_t k = i; k > 0 && d->group[k].pattern < d->group[k - 1].pattern; k--) {
      struct hit t = d->group[k];
      d->group[k] = d->group[k - 1];
      d->group[k - 1] = t;
    }
  for (size_t i = 0; i < d->n_group; i++) leaks_hit(d->leaks, d->window, &d->group[i]);
  d->n_group = 0;
  /* With the whole text at hand a check decides at once, and pending ones never pile up. */
  if (d->window->eof || d->leaks->n_pending > 64) leaks_try(d->leaks, d->window);
}

int deliver(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
  (void)flags;
  struct delivery *d = context;
  if (d->n_group && (d->group[0].end != to || d->n_group == SCANNER_GROUP)) deliver_rest(d);
  d->group[d->n_group++] = (struct hit){id, from, to};
  return 0;
}

int deliver_phrase(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
  (void)flags;
  struct delivery *d = context;
  const struct vdt_engine *e = d->leaks->engine;
  const struct pattern *p = &e->patterns[e->n_stream + id];
  for (uint32_t i = 0; i < p->n_owners; i++) gather_score(d, &e->rules.rules[p->owners[i]], &(struct hit){id, from, to});
  return 0;
}

const char *finding_alert(enum vdt_detector_id detector, enum vdt_role role, enum vdt_action action)
{
  switch (detector) {
  case VDT_DET_CREDENTIAL: return role == VDT_RESPONSE ? "AI.Azure_CredentialTheftAttempt" : "";
  case VDT_DET_SENSITIVE: return role == VDT_RESPONSE ? "AI.Azure_DataLeakInModelResponse.Sensitive" : "";
  case VDT_DET_JAILBREAK:
  case VDT_DET_INDIRECT:
    return action == VDT_BLOCK ? "AI.Azure_Jailbreak.ContentFiltering.BlockedAttempt"
                               : "AI.Azure_Jailbreak.ContentFiltering.DetectedAttempt";
  case VDT_DET_HIDDEN: return "AI.Azure_ASCIISmuggling";
  case VDT_DET_URL:
    return role == VDT_PROMPT     ? "AI.Azure_MaliciousUrl.UserPrompt"
           : role == VDT_RESPONSE ? "AI.Azure_MaliciousUrl.ModelResponse"
                                  : "AI.Azure_MaliciousUrl.UnknownSource";
  case VDT_DET_RECON: return action == VDT_ALLOW ? "" : "AI.Azure_LLMReconnaissance";
  case VDT_DET_INSTRUCTIONS: return "AI.Vedette_InstructionLeakage";
  case VDT_DET_TOOL: return "AI.Vedette_DeniedToolInvocation";
  case VDT_DET_BLOCKLIST:
  case VDT_DETECTORS: break;
  }
  return "";
}

const char *vdt_why_name(unsigned i)
{
  static const char *const names[] = {
#define X(id, name, help) name,
#include "engine/reasons.def"
#undef X
  };
  return i < sizeof names / sizeof *names ? names[i] : NULL;
}

static struct str shown_prefix(const struct rule *rule, struct str s)
{
  for (unsigned g = 0; g < rule->n_gates; g++)
    if (rule->gates[g].n <= 12 && rule->gates[g].n * 2 < s.n && str_starts(s, rule->gates[g])) return rule->gates[g];
  return (struct str){"", 0};
}

static bool printable(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] < 0x21 || s.p[i] > 0x7E) return false;
  return true;
}

/* An address that nobody opens by accident: "hxxps://evil[.]example". */
static void defang(char out[VDT_REDACTED_MAX], struct str s)
{
  struct buf b = {0};
  size_t i = 0;
  if (s.n > 4 && str_ieq(str_cut(s, 0, 4), STR("http"))) BUF_LIT(&b, "hxxp"), i = 4;
  for (; i < s.n && b.n < VDT_REDACTED_MAX; i++) {
    if (s.p[i] == '.') BUF_LIT(&b, "[.]");
    else buf_byte(&b, s.p[i]);
  }
  size_t n = b.n < VDT_REDACTED_MAX ? b.n : VDT_REDACTED_MAX - 1;
  n = str_character(buf_str(&b), n);
  snprintf(out, VDT_REDACTED_MAX, "%.*s", (int)n, b.failed ? "" : b.p ? b.p : "");
  buf_finish(&b);
}

void mask(char out[VDT_REDACTED_MAX], const struct rule *rule, struct str s)
{
  if (rule->detector == VDT_DET_URL) {
    defang(out, s);
    return;
  }
  struct str prefix = shown_prefix(rule, s);
  struct str last =
      s.n - prefix.n >= 16 || (rule->detector == VDT_DET_SENSITIVE && s.n >= 12) ? str_cut(s, s.n - 4, s.n) : (struct str){"", 0};
  if (!printable(last)) last.n = 0;
  snprintf(out, VDT_REDACTED_MAX, "%.*s****%s%.*s", (int)prefix.n, prefix.p, last.n ? "\xE2\x80\xA6" : "", (int)last.n, last.p);
}

static bool is_plain(const char *s)
{
  for (; *s; s++) {
    bool plain = (*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || (*s && strchr("_-.+=*", *s));
    if (!plain && !((unsigned char)*s & 0x80)) return false;
  }
  return true;
}

void mask_text(char out[VDT_REDACTED_MAX], enum vdt_mask_style style, const struct rule *rule, struct str matched)
{
  if (style == VDT_MASK_PARTIAL) mask(out, rule, matched);
  if (style != VDT_MASK_PARTIAL || !is_plain(out)) snprintf(out, VDT_REDACTED_MAX, "[REDACTED:%s]", rule->id);
}

void finding_fill(struct vdt_finding *f, const struct vdt_engine *e, const struct candidate *c, struct str matched,
                  enum vdt_role role, uint64_t start, uint64_t end)
{
  const struct rule *r = &e->rules.rules[c->rule];
  *f = (struct vdt_finding){.detector = r->detector,
                            .rule = r->id,
                            .title = r->title,
                            .reason = c->reason ? c->reason : "format",
                            .alert = finding_alert(r->detector, role, c->action),
                            .severity = r->severity,
                            .action = c->action,
                            .confidence = c->confidence,
                            .why = c->why,
                            .start = start,
                            .end = end,
                            .decoded = "",
                            .type = r->purview,
                            .type_id = r->purview_id,
                            .policy = c->policy,
                            .item = c->rule};
  mask(f->redacted, r, matched);
}

void finding_read_as(struct vdt_finding *f, const struct candidate *c)
{
  if (!c->as) return;
  f->n_layers = 1;
  f->layers[0] = c->as->layer;
  memcpy(f->redacted, c->as->redacted, sizeof f->redacted);
}
