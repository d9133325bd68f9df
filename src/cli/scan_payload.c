/*
 * vedette scan --format: requests and answers of a provider, read as the gateway reads them.
 */
#include "base/error.h"
#include "base/json.h"
#include "cli/lines.h"
#include "cli/scan_inside.h"

static int scan_text(struct scan *s, struct total *t, enum vdt_role role, struct str text, struct str part)
{
  struct vdt_result r;
  s->policy.speech = wire_is_call(part) ? VDT_TOOL_CALL : VDT_ANSWER;
  return scan_into(s, t, role, text, part, &r);
}

/* What the user's turns say together, where none says it alone. */
static int scan_turns(struct scan *s, struct total *t, const struct wire_request *q, bool *stopped)
{
  struct wire_turns u;
  struct vdt_result r;
  size_t *turn;
  if (!wire_user_turns(q, s->arena, &u)) return VDT_ENOMEM;
  int rc = vdt_scan_turns(s->scanner, s->arena, &s->policy, u.texts, u.n, &r, &turn);
  if (rc || r.jailbreak <= t->jailbreak) return rc;
  scan_add(t, &r);
  *stopped |= r.verdict == VDT_BLOCK;
  for (size_t i = 0; i < r.n_findings; i++)
    scan_add_finding(s, t, &r.findings[i], u.parts[turn[i]]->text, u.parts[turn[i]]->origin);
  return VDT_OK;
}

static int scan_part(struct scan *s, struct total *t, const struct wire_part *p, struct release_request *q)
{
  struct vdt_result r;
  struct release release = release_of(s);
  if (p->skipped) {
    t->inspected = VDT_PARTIAL;
    return VDT_OK;
  }
  s->policy.speech = VDT_HISTORY; /* what the model said earlier is treated as prompts are */
  int rc = scan_into(s, t, p->role, p->text, p->origin, &r);
  return rc || !s->redact ? rc : release_part(&release, q, p, &r);
}

static int scan_request(struct scan *s, struct total *t, struct str body, struct vdt_error *err)
{
  struct wire_request r;
  struct release_request q = {0};
  struct json_limits limits = JSON_LIMITS_DEFAULT;
  int rc = wire_request_parse(s->format, s->arena, body, &limits, &r, err);
  for (size_t i = 0; !rc && i < r.n_parts; i++) rc = scan_part(s, t, &r.parts[i], &q);
  if (!rc) rc = scan_turns(s, t, &r, &q.stopped);
  bool keeps = s->deployment && s->deployment->forward_user_context;
  return rc || !s->redact ? rc : release_request(&q, keeps ? (struct wire_span){0} : r.security_context, body, &t->released);
}

struct gathered {
  struct str origin;
  struct buf text;
};

struct gather {
  struct gathered *items[256];
  size_t n;
};

/* The text of each channel is gathered and scanned whole. */
static int gather_text(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  struct gather *g = ctx;
  struct gathered *item = channel->user;
  (void)last;
  *out = (struct wire_text){.p = in};
  if (!item) {
    if (g->n == sizeof g->items / sizeof *g->items) return VDT_ETOOBIG;
    item = channel->user = g->items[g->n] = calloc(1, sizeof *item);
    if (!item) return VDT_ENOMEM;
    g->n++;
    item->origin = str_of(channel->origin);
  }
  buf_put(&item->text, in);
  return item->text.failed ? VDT_ENOMEM : VDT_OK;
}

static int read_whole(struct wire_response *r, struct str body)
{
  struct buf sink = {0};
  int rc = wire_response_feed(r, body, &sink);
  if (!rc) rc = wire_response_finish(r, false, &sink);
  buf_finish(&sink);
  return rc;
}

/* An event of a session; *heard: what the user was heard saying. */
static int read_event(struct wire_response *r, struct str body, struct str *heard)
{
  struct wire_message m;
  int rc = wire_response_message(r, body, &m);
  *heard = rc ? (struct str){0} : m.heard;
  return rc;
}

static int scan_response(struct scan *s, struct total *t, struct str body, struct vdt_error *err)
{
  struct gather g = {0};
  struct str heard = {0};
  struct wire_hooks hooks = {.ctx = &g, .text = gather_text};
  bool event = wire_is_session(s->format);
  struct wire_response_options opt = {
      .mode = event ? WIRE_LINES : WIRE_JSON, .max_body = LINE_MAX_BYTES, .limits = JSON_LIMITS_DEFAULT};
  struct wire_response *r;
  int rc = wire_response_new(s->format, s->arena, &opt, &hooks, &r);
  if (rc) return rc;
  rc = event ? read_event(r, body, &heard) : read_whole(r, body);
  if (rc) error_set(err, rc, "response: not a response of %s", wire_format_name(s->format));
  if (heard.n) rc = scan_text(s, t, VDT_PROMPT, heard, STR("transcript"));
  for (size_t i = 0; i < g.n; i++) {
    if (!rc) rc = scan_text(s, t, VDT_RESPONSE, buf_str(&g.items[i]->text), g.items[i]->origin);
    buf_finish(&g.items[i]->text);
    free(g.items[i]);
  }
  if (wire_response_info(r)->inspected > t->inspected) t->inspected = wire_response_info(r)->inspected;
  wire_response_free(r);
  struct release release = release_of(s);
  return rc || !s->redact ? rc : release_answer(&release, s->format, body, LINE_MAX_BYTES, &t->released);
}

/* A request, a response, or {"request": …, "response": …}. */
int scan_payload(struct scan *s, const struct json_doc *doc, struct total *t, struct vdt_error *err)
{
  uint32_t request = json_get(doc, 0, "request"), response = json_get(doc, 0, "response");
  int rc = VDT_OK;
  /* Ollama's answers have a string of that name, and events of sessions an object. */
  bool event = wire_is_session(s->format) && json_get(doc, 0, "type");
  bool pair =
      !event && doc->nodes[request].type >= JSON_ARRAY && doc->nodes[response].type >= JSON_ARRAY && (request || response);
  if (!pair) {
    if (wire_is_answer(s->format, doc)) return scan_response(s, t, doc->text, err);
    return scan_request(s, t, doc->text, err);
  }
  if (s->redact) BUF_LIT(&t->released, "{");
  if (request && s->redact) BUF_LIT(&t->released, "\"request\": ");
  if (request) rc = scan_request(s, t, json_raw(doc, request), err);
  if (s->redact && response) buf_put(&t->released, request ? STR(", \"response\": ") : STR("\"response\": "));
  if (!rc && response) rc = scan_response(s, t, json_raw(doc, response), err);
  if (s->redact) BUF_LIT(&t->released, "}");
  return rc;
}
