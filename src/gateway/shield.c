#include "gateway/shield.h"
#include "base/error.h"
#include "gateway/media_type.h"
#include <stdatomic.h>

enum { TEXT_MAX = 1024, NODES_MAX = 1 << 16, SPAN_SECONDS = 10 };

bool shield_wants(const struct exchange *x, struct str path)
{
  return x->image->config->content_safety.enabled && shield_is_path(path);
}

/* The number of the span in the upper half, the calls in it in the lower. */
bool shield_take(_Atomic uint64_t *calls, uint64_t now_us, unsigned most, unsigned *seconds)
{
  uint64_t now_s = now_us / 1000000, span = now_s / SPAN_SECONDS & UINT32_MAX, was = atomic_load(calls), is;
  *seconds = (unsigned)(SPAN_SECONDS - now_s % SPAN_SECONDS);
  do {
    is = was >> 32 == span ? was + 1 : span << 32 | 1;
    if ((is & UINT32_MAX) > most) return false;
  } while (!atomic_compare_exchange_weak(calls, &was, is));
  return true;
}

void shield_refuse(struct exchange *x, enum shield_error e, const char *message)
{
  x->answered = true;
  x->answer_status = shield_error_status(e);
  x->error_code = shield_error_code(e);
  buf_reset(&x->answer);
  shield_error_body(e, str_of(message), &x->answer);
}

enum exchange_next shield_refused(struct exchange *x, enum shield_error e, const char *message)
{
  struct record *r = &x->record;
  r->request.inspected = VDT_NONE;
  r->request.not_inspected = r->failure = exchange_keep(x, str_of(message), TEXT_MAX);
  shield_refuse(x, e, message);
  return EXCHANGE_ANSWER;
}

static const char *route_message(enum shield_error e)
{
  switch (e) {
  case SHIELD_NO_VERSION: return "The query parameter api-version is missing; 2024-09-01 is spoken here.";
  case SHIELD_BAD_VERSION: return "This api-version is not spoken here; 2024-09-01 is.";
  case SHIELD_BAD_METHOD: return "This operation is called with POST.";
  default: return "There is no such operation here; text:shieldPrompt and text:analyze are two.";
  }
}

enum exchange_next shield_head(struct exchange *x, const struct exchange_head *head)
{
  const struct config_content_safety *c = &x->image->config->content_safety;
  enum shield_error e = shield_route(head->method, head->path, head->query, &x->shield_what);
  x->shield_call = true;
  if (x->image->shield_calls && !shield_take(x->image->shield_calls, x->start_us, c->per_10_seconds, &x->retry_after))
    return shield_refused(x, SHIELD_TOO_MANY, "More calls than this gateway answers in ten seconds. Please try again later.");
  x->retry_after = 0;
  if (e != SHIELD_ERRORS) return shield_refused(x, e, route_message(e));
  if (!is_json(head->content_type)) return shield_refused(x, SHIELD_BAD_TYPE, "Content-Type: expected application/json in UTF-8");
  x->request_coding = coding_of(head->content_encoding);
  if (x->request_coding == CODING_IDENTITY || x->request_coding == CODING_GZIP) return EXCHANGE_READ_BODY;
  return shield_refused(x, SHIELD_BAD_TYPE, "Content-Encoding: expected identity or gzip");
}

/* ---- judging ---------------------------------------------------------------------------------------------------- */

/* Nothing is stopped here, so nothing is said to be. */
static struct vdt_policy asking_policy(const struct exchange *x)
{
  struct vdt_policy p = *exchange_policy(x);
  p.intel = x->intel;
  enum vdt_action *actions[] = {&p.jailbreak.action,     &p.indirect.action,       &p.credential.prompt, &p.sensitive.prompt,
                                &p.malicious_url.prompt, &p.reconnaissance.action, &p.hidden_text.action};
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
    if (*actions[i] > VDT_DETECT) *actions[i] = VDT_DETECT;
  return p;
}

static bool is_attack(const struct vdt_finding *f)
{
  bool kind = f->detector == VDT_DET_JAILBREAK || f->detector == VDT_DET_INDIRECT || f->detector == VDT_DET_HIDDEN;
  return kind && f->action >= VDT_DETECT;
}

static int judge(struct exchange *x, struct vdt_arena *scratch, const struct vdt_policy *policy, const struct shield_text *t,
                 struct shield_verdict *out)
{
  enum vdt_role role = t->document ? VDT_DOCUMENT : VDT_PROMPT;
  int rc = vdt_scan(x->scanner, scratch, policy, role, t->text.p, t->text.n, &out->result);
  struct finding_origin o = {.role = role, .part = exchange_keep(x, str_of(t->part), sizeof t->part)};
  if (rc) return rc;
  if (out->result.inspected != VDT_FULL) x->record.request.inspected = VDT_PARTIAL;
  for (size_t i = 0; i < out->result.n_findings; i++) {
    struct vdt_finding f = out->result.findings[i];
    out->attack |= is_attack(&f);
    f.alert = "";
    if (!exchange_add_finding(x, &o, &f)) return VDT_ENOMEM;
  }
  return VDT_OK;
}

enum exchange_next shield_body(struct exchange *x, struct vdt_arena *scratch, struct str text)
{
  if (x->shield_what.analyze) return shield_analyze(x, scratch, text);
  struct shield_question q;
  struct shield_verdict verdicts[SHIELD_TEXTS] = {0};
  struct vdt_error err = {0};
  struct vdt_policy policy = asking_policy(x);
  struct json_limits limits = {x->image->config->limits.json_depth, NODES_MAX};
  int rc = shield_read(scratch, text, &limits, &q, &err);
  if (rc) return shield_refused(x, shield_error_of(rc), rc != VDT_EDUPKEY && err.text[0] ? err.text : vdt_strerror(rc));
  x->record.request.parts = (unsigned)q.n;
  for (size_t i = 0; !rc && i < q.n; i++) rc = judge(x, scratch, &policy, &q.texts[i], &verdicts[i]);
  if (rc) return shield_refused(x, shield_error_of(rc), vdt_strerror(rc));
  x->request_read = x->answered = true;
  x->answer_status = 200;
  shield_write(&q, verdicts, x->shield_what.details, &x->answer);
  return x->answer.failed ? shield_refused(x, SHIELD_BUSY, vdt_strerror(VDT_ENOMEM)) : EXCHANGE_ANSWER;
}
