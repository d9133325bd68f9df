/* What today's rules say: a text as `vedette scan` reads it, or a request with its answer as the gateway would have handled them. */
#include "base/error.h"
#include "cli/cli.h"
#include "cli/replay.h"
#include "wire/wire.h"
#include <stdio.h>

void replay_add(struct replay_side *side, const struct replay_found *f)
{
  if (f->action != VDT_ALLOW && side->n < REPLAY_FOUND_MAX) side->found[side->n++] = *f;
}

enum record_verdict replay_verdict(const struct replay_side *side)
{
  static const enum record_verdict of[] = {RECORD_VERDICT_ALLOW, RECORD_VERDICT_DETECTED, RECORD_VERDICT_REDACTED,
                                           RECORD_VERDICT_CUT, RECORD_VERDICT_BLOCKED};
  enum vdt_action most = VDT_ALLOW;
  for (size_t i = 0; i < side->n; i++)
    if (side->found[i].action > most) most = side->found[i].action;
  return of[most];
}

enum vdt_action replay_action(struct str name)
{
  for (enum vdt_action a = VDT_BLOCK; a > VDT_ALLOW; a--)
    if (str_eq(name, str_of(vdt_action_name(a)))) return a;
  return VDT_ALLOW;
}

/* Out of memory it stays as it is: the scan that follows fails then. */
static void tighten(const struct replay *r, struct vdt_policy *p)
{
  const struct data_policy *holds[DATA_POLICIES_MAX];
  const struct record *w = r->who;
  size_t n = config_data_policies(r->config, w->end_user, w->application, (struct str){0}, w->end_user_tenant, holds);
  struct vdt_policy tight;
  if (n && data_policy_tighten(r->engine, r->arena, p, holds, n, &tight) == VDT_OK) *p = tight;
}

struct vdt_policy replay_policy(const struct replay *r, const struct config_deployment *d, enum vdt_role role)
{
  struct vdt_policy p = *d->policy;
  p.allow = d->allow;
  if (d->n_blocklists) p.phrases.blocklist = r->blocklist;
  p.phrases.actions = role == VDT_RESPONSE ? d->list_response : d->list_request;
  if (r->who) tighten(r, &p);
  return p;
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

static int read_role(const struct json_doc *doc, enum vdt_role *role, struct vdt_error *err)
{
  static const enum vdt_role roles[] = {VDT_PROMPT, VDT_DOCUMENT, VDT_RESPONSE};
  uint32_t node = json_get(doc, 0, "role");
  *role = VDT_PROMPT;
  if (!node) return VDT_OK;
  for (size_t i = 0; i < 3; i++)
    if (json_string_is(doc, node, vdt_role_name(roles[i]))) {
      *role = roles[i];
      return VDT_OK;
    }
  return error_set(err, VDT_ESYNTAX, "role: expected \"prompt\", \"document\" or \"response\"");
}

int replay_text(struct replay *r, const struct json_doc *doc, struct replay_side *now, struct vdt_error *err)
{
  struct str text;
  struct vdt_result result;
  enum vdt_role role;
  if (!json_is(doc, json_get(doc, 0, "text"), JSON_STRING)) return error_set(err, VDT_ESYNTAX, "text: expected a string");
  int rc = read_role(doc, &role, err);
  if (rc) return rc;
  struct vdt_policy policy = replay_policy(r, r->deployment, role);
  if (!json_string(doc, json_get(doc, 0, "text"), r->arena, &text) ||
      vdt_scan(r->scanner, r->arena, &policy, role, text.p, text.n, &result))
    return error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; i < result.n_findings; i++) {
    const struct vdt_finding *f = &result.findings[i];
    replay_add(now, &(struct replay_found){str_of(vdt_detector_name(f->detector)), str_of(f->rule), str_of(f->alert),
                                           str_of(vdt_severity_name(f->severity)), str_of(f->reason), f->action});
  }
  now->verdict = replay_verdict(now);
  r->how = "text";
  return VDT_OK;
}

static int read_finding(struct replay *r, const struct json_doc *doc, uint32_t node, struct replay_side *before)
{
  struct replay_found f = {0};
  struct str action;
  if (!json_string(doc, json_get(doc, node, "detector"), r->arena, &f.detector) ||
      !json_string(doc, json_get(doc, node, "kind"), r->arena, &f.kind) ||
      !json_string(doc, json_get(doc, node, "alert"), r->arena, &f.alert) ||
      !json_string(doc, json_get(doc, node, "severity"), r->arena, &f.severity) ||
      !json_string(doc, json_get(doc, node, "action"), r->arena, &action))
    return VDT_ENOMEM;
  f.action = replay_action(action);
  replay_add(before, &f);
  return VDT_OK;
}

static bool read_verdict(const struct json_doc *doc, uint32_t node, enum record_verdict *out)
{
  if (json_string_is(doc, node, "clean")) return *out = RECORD_VERDICT_ALLOW, true;
  for (enum record_verdict v = RECORD_VERDICT_ALLOW; v <= RECORD_VERDICT_NOT_INSPECTED; v++)
    if (json_string_is(doc, node, record_verdict_name(v))) return *out = v, true;
  return false;
}

int replay_read_before(struct replay *r, const struct json_doc *doc, struct replay_side *before, bool *said,
                       struct vdt_error *err)
{
  uint32_t verdict = json_get(doc, 0, "verdict"), findings = json_get(doc, 0, "findings");
  *said = verdict || findings;
  if (findings && !json_is(doc, findings, JSON_ARRAY)) return error_set(err, VDT_ESYNTAX, "findings: expected a list");
  for (uint32_t i = json_first(doc, findings); findings && i; i = json_next(doc, findings, i))
    if (read_finding(r, doc, i, before)) return error_set(err, VDT_ENOMEM, "out of memory");
  before->verdict = replay_verdict(before);
  if (findings || !verdict) return VDT_OK;
  before->verdict_only = true;
  before->coarse = json_get(doc, 0, "text") && json_string_is(doc, verdict, "detected");
  if (read_verdict(doc, verdict, &before->verdict)) return VDT_OK;
  return error_set(err, VDT_ESYNTAX, "verdict: expected clean, or one of x-vedette-verdict");
}

/* ---- requests and answers ---------------------------------------------------------------------------------------- */

struct talk {
  const struct json_doc *doc;
  uint32_t request, response; /* 0: the whole line, or none */
  struct str body, answer;
  struct buf events; /* an answer that was streamed */
  bool refused;      /* by the provider's content filter */
};

/* The name in the path: of the deployment that the log's model is, else of the one that was chosen. */
static const char *path_of(const struct replay *r, const struct wire_format *format, struct str model)
{
  static const char *const paths[][2] = {{"openai-chat", "/openai/deployments/%s/chat/completions"},
                                         {"openai-completions", "/openai/deployments/%s/completions"},
                                         {"openai-embeddings", "/openai/deployments/%s/embeddings"},
                                         {"openai-responses", "/v1/responses"},
                                         {"anthropic", "/v1/messages"},
                                         {"ollama", "/api/chat"},
                                         {"google", "/v1beta/models/%s:generateContent"}};
  const struct config_deployment *named = model.n ? config_find(r->config, model) : NULL;
  const char *name = named ? named->name : r->deployment->name;
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    const char *hole = strstr(paths[i][1], "%s");
    if (strcmp(paths[i][0], wire_format_name(format)) != 0) continue;
    return hole ? arena_printf(r->arena, "%.*s%s%s", (int)(hole - paths[i][1]), paths[i][1], name, hole + 2) : paths[i][1];
  }
  return NULL;
}

/* Chunks as a list, or the bytes of the stream in a string: events either way. */
static int stream_of(struct replay *r, struct talk *t, struct vdt_error *err)
{
  struct str text;
  const struct json_doc *doc = t->doc;
  if (json_is(doc, t->response, JSON_STRING)) {
    if (!json_string(doc, t->response, r->arena, &text)) return error_set(err, VDT_ENOMEM, "out of memory");
    buf_put(&t->events, text);
  }
  for (uint32_t i = json_first(doc, t->response); i && json_is(doc, t->response, JSON_ARRAY);
       i = json_next(doc, t->response, i)) {
    BUF_LIT(&t->events, "data: ");
    buf_put(&t->events, json_raw(doc, i));
    BUF_LIT(&t->events, "\n\n");
  }
  t->answer = buf_str(&t->events);
  return t->events.failed ? error_set(err, VDT_ENOMEM, "out of memory") : VDT_OK;
}

static int take_apart(struct replay *r, const struct wire_format *format, struct talk *t, struct vdt_error *err)
{
  const struct json_doc *doc = t->doc;
  t->request = json_get(doc, 0, "request");
  t->response = json_get(doc, 0, "response");
  if (!json_is(doc, t->request, JSON_OBJECT)) {
    if (wire_is_answer(format, doc))
      return error_set(err, VDT_ESYNTAX, "an answer without its request: {\"request\": ..., \"response\": ...}");
    t->request = t->response = 0;
    t->body = doc->text;
    return VDT_OK;
  }
  t->body = json_raw(doc, t->request);
  if (!t->response || json_is(doc, t->response, JSON_NULL)) return VDT_OK;
  if (!json_is(doc, t->response, JSON_OBJECT)) return stream_of(r, t, err);
  t->answer = json_raw(doc, t->response);
  return VDT_OK;
}

/* Azure's word for an attack that its own filter saw. */
static void add_theirs(struct replay_side *before, const struct json_doc *doc, uint32_t results, enum vdt_action action)
{
  static const char *const names[][2] = {{"jailbreak", "jailbreak"}, {"indirect_attack", "indirect"}};
  for (size_t i = 0; results && i < 2; i++) {
    uint32_t one = json_get(doc, results, names[i][0]);
    if (!json_is(doc, json_get(doc, one, "detected"), JSON_TRUE)) continue;
    replay_add(before, &(struct replay_found){.detector = str_of(names[i][1]), .kind = STR("upstream"), .action = action});
  }
}

/* What the provider's own filter did is in the answer. */
static void read_answer(const struct talk *t, struct replay_side *before)
{
  const struct json_doc *d = t->doc;
  uint32_t error = json_get(d, t->response, "error"), prompts = json_get(d, t->response, "prompt_filter_results");
  if (t->refused) before->verdict = RECORD_VERDICT_BLOCKED;
  add_theirs(before, d, json_get(d, json_get(d, error, "innererror"), "content_filter_result"), VDT_BLOCK);
  for (uint32_t i = json_first(d, prompts); json_is(d, prompts, JSON_ARRAY) && i; i = json_next(d, prompts, i))
    add_theirs(before, d, json_get(d, i, "content_filter_results"), VDT_DETECT);
  if (before->n && before->verdict == RECORD_VERDICT_ALLOW) before->verdict = RECORD_VERDICT_DETECTED;
}

/* Who logged with vedette before it has our verdict beside the answer. */
static int read_log(struct replay *r, struct talk *t, struct replay_side *before, struct vdt_error *err)
{
  bool said;
  int rc = replay_read_before(r, t->doc, before, &said, err);
  t->refused =
      t->response && json_string_is(t->doc, json_get(t->doc, json_get(t->doc, t->response, "error"), "code"), "content_filter");
  if (!rc && !said) read_answer(t, before);
  return rc;
}

static void answer(struct exchange *x, const struct talk *t, struct buf *out)
{
  bool done = false;
  if (!t->answer.n) return;
  enum exchange_mode mode = exchange_response_head(x, t->refused ? 400 : 200,
                                                   t->events.n ? STR("text/event-stream") : STR("application/json"), STR(""));
  if (mode == EXCHANGE_REFUSE || mode == EXCHANGE_PASS_BODY) return;
  if (exchange_response_feed(x, t->answer, out, &done) == VDT_OK && !done) exchange_response_finish(x, false, out);
}

static int read_result(struct replay *r, struct exchange *x, struct replay_side *before, struct replay_side *now,
                       struct vdt_error *err)
{
  struct record record;
  struct buf *line = &(struct buf){0};
  exchange_record(x, RECORD_COMPLETE, 2, line);
  struct str text = arena_dup(r->arena, buf_str(line));
  buf_finish(line);
  int rc = text.p ? record_read(r->arena, text, &record, err) : error_set(err, VDT_ENOMEM, "out of memory");
  if (rc) return rc;
  now->verdict = record.verdict;
  for (size_t i = 0; i < record.n_findings; i++) {
    const struct record_finding *f = &record.findings[i];
    struct replay_found found = {f->detector, f->rule, f->alert, f->severity, f->reason, replay_action(f->action)};
    replay_add(now, &found);
    /* What the provider found it had found before, too. */
    if (!str_eq(f->source, STR("vedette"))) replay_add(before, &found);
  }
  if (record.failure.n && record.verdict == RECORD_VERDICT_NOT_INSPECTED)
    return error_set(err, VDT_ESYNTAX, "the gateway would not have read it: %.*s", (int)record.failure.n, record.failure.p);
  return VDT_OK;
}

static int run_exchange(struct replay *r, const char *path, const struct talk *t, struct replay_side *before,
                        struct replay_side *now, struct vdt_error *err)
{
  static const unsigned char random[16] = {0};
  struct buf out = {0};
  struct exchange_head head = {.method = STR("POST"), .path = str_of(path), .content_type = STR("application/json")};
  struct exchange *x = exchange_new(&r->image, r->scanner, random, 1);
  if (!x) return error_set(err, VDT_ENOMEM, "out of memory");
  enum exchange_next next = exchange_request_head(x, &head);
  if (next == EXCHANGE_READ_BODY) next = exchange_request_body(x, t->body);
  int rc = next == EXCHANGE_ANSWER && exchange_answer(x).status != 400
               ? error_set(err, VDT_ESYNTAX, "the gateway would have answered it %u itself", exchange_answer(x).status)
               : VDT_OK;
  if (!rc && next != EXCHANGE_ANSWER) answer(x, t, &out);
  if (!rc) rc = read_result(r, x, before, now, err);
  exchange_free(x);
  buf_finish(&out);
  return rc;
}

/* The log's model is whatever the provider calls it: where the body alone says who is asked, the chosen deployment goes by that name. */
static int under_name(struct replay *r, struct str model, const char *path, const struct talk *t, struct replay_side *before,
                      struct replay_side *now, struct vdt_error *err)
{
  struct config_deployment *d = &r->config->deployments[r->deployment - r->config->deployments];
  const char *name = d->name;
  if (model.n && !strstr(path, name) && !config_find(r->config, model))
    d->name = arena_printf(r->arena, "%.*s", (int)model.n, model.p);
  int rc = d->name ? run_exchange(r, path, t, before, now, err) : error_set(err, VDT_ENOMEM, "out of memory");
  d->name = name;
  return rc;
}

int replay_exchange(struct replay *r, const struct json_doc *doc, struct replay_side *before, struct replay_side *now,
                    struct vdt_error *err)
{
  struct talk t = {.doc = doc};
  struct str model = {0};
  const struct wire_format *format = r->format ? r->format : wire_format_by_name(STR("openai-chat"));
  int rc = take_apart(r, format, &t, err);
  if (!rc && !json_string(doc, json_get(doc, t.request, "model"), r->arena, &model))
    rc = error_set(err, VDT_ENOMEM, "out of memory");
  const char *path = rc ? NULL : path_of(r, format, model);
  if (!rc && !path) rc = error_set(err, VDT_EINVAL, "logs of this format cannot be replayed");
  if (!rc) rc = read_log(r, &t, before, err);
  if (!rc) rc = under_name(r, model, path, &t, before, now, err);
  buf_finish(&t.events);
  r->how = "exchange";
  return rc;
}
