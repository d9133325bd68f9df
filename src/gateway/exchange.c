/* Begin and end of an interaction, its verdict, its record. */
#include "engine/url.h"
#include "gateway/opinion.h"
#include "gateway/purview.h"
#include "gateway/shield.h"
#include <assert.h>

enum { ID_BYTES = 16, TEXT_MAX = 1024 };

/* ---- begin and end ---------------------------------------------------------------------------------------------- */

struct exchange *exchange_new(const struct image *image, struct vdt_scanner *scanner, const unsigned char random[16],
                              uint64_t now_us)
{
  struct exchange *x = calloc(1, sizeof *x);
  if (!x) return NULL;
  x->arena = vdt_arena_new(0);
  if (!x->arena) {
    free(x);
    return NULL;
  }
  x->image = image;
  x->pseudonyms.arena = x->arena;
  x->scanner = scanner;
  x->intel = intel_keep(image->intel ? *image->intel : NULL);
  x->start_us = x->record.time_us = now_us;
  for (size_t i = 0; i < ID_BYTES; i++) snprintf(x->record.id + 2 * i, 3, "%02x", random[i]);
  return x;
}

void exchange_free(struct exchange *x)
{
  if (!x) return;
  wire_response_free(x->wire);
  exchange_free_taps(x);
  instructions_finish(&x->instructions);
  inflater_finish(&x->inflater);
  buf_finish(&x->answer);
  buf_finish(&x->plain);
  buf_finish(&x->changed_body);
  opinion_finish(&x->opinion);
  buf_finish(&x->inflated);
  buf_finish(&x->gathered);
  intel_drop(x->intel);
  vdt_arena_free(x->arena);
  free(x);
}

const char *exchange_id(const struct exchange *x)
{
  return x->record.id;
}

/* ---- who and what ----------------------------------------------------------------------------------------------- */

/* A request that names no deployment and is not inspected goes to the first (the module does the same). */
static const struct config_deployment *responsible(const struct exchange *x)
{
  return x->deployment ? x->deployment : &x->image->config->deployments[0];
}

/* What the configuration says about the API of ours that the call is for; NULL: it is for a deployment. */
static const struct config_content_safety *own_api(const struct exchange *x)
{
  if (x->shield_call) return &x->image->config->content_safety;
  return x->purview_call ? &x->image->config->data_security : NULL;
}

const struct vdt_policy *exchange_policy(const struct exchange *x)
{
  if (x->tight) return x->tight;
  const struct config_content_safety *own = own_api(x);
  return own ? own->policy : responsible(x)->policy;
}

bool exchange_fails_closed(const struct exchange *x)
{
  /* Where a request goes was in the body that could not be read: there is nowhere to let it pass to. */
  return own_api(x) || (x->format && !wire_is_unknown(x->format) && !x->deployment) || exchange_policy(x)->fail_closed;
}

/* Whoever switches evidence on with the plan gets what the configuration says, at least segments. */
enum config_evidence exchange_evidence(const struct exchange *x)
{
  if (!x->deployment) return CONFIG_EVIDENCE_OFF;
  const enum config_switch *plan = x->image->evidence;
  enum config_switch said = plan ? plan[x->deployment - x->image->config->deployments] : CONFIG_INHERIT;
  enum config_evidence own = x->deployment->evidence;
  if (said == CONFIG_OFF) return CONFIG_EVIDENCE_OFF;
  return said == CONFIG_ON && own == CONFIG_EVIDENCE_OFF ? CONFIG_EVIDENCE_SEGMENTS : own;
}

bool exchange_has_evidence(const struct exchange *x)
{
  return exchange_evidence(x) != CONFIG_EVIDENCE_OFF;
}

const struct config_deployment *exchange_deployment(const struct exchange *x)
{
  return x->deployment;
}

size_t exchange_max_body(const struct exchange *x)
{
  return x->image->config->limits.max_request_body;
}

struct str exchange_keep(struct exchange *x, struct str s, size_t max)
{
  if (s.n > max) s.n = max;
  if (s.n == 0) return (struct str){0};
  struct str copy = arena_dup(x->arena, s);
  return copy.p ? copy : (struct str){0};
}

/* ---- our own answers -------------------------------------------------------------------------------------------- */

void exchange_refuse(struct exchange *x, int code, const char *message)
{
  if (x->shield_call) {
    shield_refuse(x, shield_error_of(code), message);
    return;
  }
  if (x->purview_call) {
    purview_refuse(x, purview_error_of(code), message);
    return;
  }
  x->answered = true;
  x->answer_status = (unsigned)vdt_http_status(code);
  buf_reset(&x->answer);
  wire_error_body(x->format, code, str_of(message), &x->answer);
}

const char *exchange_error_code(const struct exchange *x)
{
  return x->error_code;
}

const char *exchange_etag(const struct exchange *x)
{
  return x->etag[0] ? x->etag : NULL;
}

unsigned exchange_retry_after(const struct exchange *x)
{
  return x->retry_after;
}

void exchange_note_failure(struct exchange *x, const char *why)
{
  if (!x->record.failure.n) x->record.failure = exchange_keep(x, str_of(why), TEXT_MAX);
}

struct exchange_answer exchange_answer(const struct exchange *x)
{
  assert(x->answered);
  return (struct exchange_answer){x->answer_status, x->answer.n ? buf_str(&x->answer) : STR("{}")};
}

/* ---- verdict ---------------------------------------------------------------------------------------------------- */

static bool read_something(const struct exchange *x)
{
  if (x->request_read && x->record.request.inspected != VDT_NONE) return true;
  return x->taps && wire_response_info(x->wire)->inspected != VDT_NONE;
}

enum record_verdict exchange_verdict(const struct exchange *x)
{
  switch (x->opinion.standing > x->strongest ? x->opinion.standing : x->strongest) {
  case VDT_BLOCK: return RECORD_VERDICT_BLOCKED;
  case VDT_CUT: return RECORD_VERDICT_CUT;
  case VDT_REDACT: return RECORD_VERDICT_REDACTED;
  case VDT_DETECT: return RECORD_VERDICT_DETECTED;
  case VDT_ALLOW: break;
  }
  return read_something(x) ? RECORD_VERDICT_ALLOW : RECORD_VERDICT_NOT_INSPECTED;
}

unsigned exchange_status(const struct exchange *x)
{
  return x->answered ? x->answer_status : x->record.status;
}

/* ---- the record ------------------------------------------------------------------------------------------------- */

void exchange_add_inspect_us(struct exchange *x, uint64_t us)
{
  x->record.inspect_us += us;
}

void exchange_first_byte(struct exchange *x, uint64_t now_us)
{
  if (!x->record.first_byte_us && now_us > x->start_us) x->record.first_byte_us = now_us - x->start_us;
}

struct str exchange_workspace(const struct exchange *x)
{
  return str_of(own_api(x) ? own_api(x)->workspace->name : responsible(x)->workspace->name);
}

static void fill_place(struct exchange *x, struct record *r)
{
  const struct config_deployment *d = responsible(x);
  r->workspace = exchange_workspace(x);
  r->policy = str_of(exchange_policy(x)->name);
  if (x->shield_call) r->format = STR("prompt-shields");
  if (x->purview_call) r->format = STR("data-security");
  if (x->format) r->format = str_of(wire_format_name(x->format));
  if (!x->deployment) return;
  exchange_keep_label(x, x->deployment->label);
  r->deployment = str_of(d->name);
  r->resource_id = str_of(d->resource_id);
}

static void fill_response(const struct exchange *x, struct record *r)
{
  unsigned parts = 0;
  for (const struct tap *t = x->taps; t; t = t->next) parts++;
  r->response.parts = parts;
  if (!x->wire) return;
  const struct wire_response_info *info = wire_response_info(x->wire);
  if (info->model.n) r->model = info->model;
  r->prompt_tokens = info->prompt_tokens;
  r->completion_tokens = info->completion_tokens;
  r->total_tokens = info->total_tokens;
  r->finish_reason = str_of(info->finish_reason);
  if (r->response.inspected != VDT_FULL) return; /* something before wire failed */
  r->response.inspected = info->inspected;
  r->response.not_inspected = str_of(info->not_inspected);
}

/* An answer of ours that refuses is no completed interaction, whatever the connection says. */
static enum record_outcome outcome_of(const struct exchange *x, enum record_outcome seen)
{
  bool refused = x->answered && !x->blocked && x->answer_status >= 400;
  return refused && seen == RECORD_COMPLETE ? RECORD_REFUSED : seen;
}

void exchange_transfer(struct exchange *x, uint64_t sent, uint64_t received)
{
  char to[URL_ORIGIN];
  if ((!sent && !received) || !x->deployment) return;
  url_origin(&x->deployment->upstream, to, sizeof to);
  x->record.upstream = exchange_keep(x, str_of(to), sizeof to);
  x->record.sent_bytes = sent;
  x->record.received_bytes = received;
}

void exchange_record(struct exchange *x, enum record_outcome outcome, uint64_t now_us, struct buf *line)
{
  struct record *r = &x->record;
  if (x->wire && !x->verdict_taken) exchange_add_upstream(x, &wire_response_info(x->wire)->upstream, false);
  fill_place(x, r);
  fill_response(x, r);
  r->status = exchange_status(x);
  r->duration_us = now_us > x->start_us ? now_us - x->start_us : 0;
  r->outcome = outcome_of(x, outcome);
  r->verdict = exchange_verdict(x);
  opinion_record(x, r);
  exchange_record_pseudonyms(x);
  exchange_seal(x);
  record_write(r, line);
}

bool exchange_revise(struct exchange *x, struct buf *line)
{
  struct record *r = &x->record;
  if (!x->opinion.revise || !x->opinion.settled) return false;
  x->opinion.revise = false;
  r->revision = 1;
  r->verdict = exchange_verdict(x);
  opinion_record(x, r);
  exchange_seal(x);
  record_write(r, line);
  return true;
}
