/*
 * The request: what is it, where does it go, is it fit to go there.
 *
 * Whatever cannot be read in exactly one way is refused: what we cannot read the upstream may read differently.
 */
#include "gateway/client.h"
#include "gateway/credential.h"
#include "gateway/exchange_inside.h"
#include "gateway/media_type.h"
#include "gateway/opinion.h"
#include "gateway/purview.h"
#include "gateway/shield.h"
#include <sodium.h>

enum { PATH_MAX_KEPT = 2048, TEXT_MAX = 1024, KEY_ID_BYTES = 8, NODES_MAX = 1 << 20 };

static enum exchange_next refuse(struct exchange *x, int code, const char *message)
{
  exchange_refuse(x, code, message);
  return EXCHANGE_ANSWER;
}

static void not_inspected(struct exchange *x, const char *why)
{
  struct record_side *side = &x->record.request;
  side->inspected = VDT_NONE;
  side->not_inspected = exchange_keep(x, str_of(why), TEXT_MAX);
}

/* A request that is wrong or too large. The reason in the record has no name that the client chose. */
static enum exchange_next refuse_bad(struct exchange *x, int code, const char *message)
{
  not_inspected(x, code == VDT_EDUPKEY ? vdt_strerror(code) : message);
  x->record.failure = x->record.request.not_inspected;
  return refuse(x, code, message);
}

/* Something of ours failed: policy decides. */
static enum exchange_next fail(struct exchange *x, const char *why)
{
  exchange_note_failure(x, why);
  bool settled = exchange_settle_policy(x); /* for the answer */
  /* What was found to be masked may not go unmasked, whatever policy says. */
  if (settled && !exchange_fails_closed(x) && !x->n_redactions) {
    x->record.failed_open = true;
    return EXCHANGE_FORWARD;
  }
  x->record.failed_closed = true;
  return refuse(x, VDT_ENOMEM,
                "The request could not be inspected, and this deployment refuses what is not inspected. Please try again.");
}

/* ---- head ------------------------------------------------------------------------------------------------------- */

static struct str keep_hash(struct exchange *x, crypto_generichash_state *h)
{
  unsigned char hash[crypto_generichash_BYTES_MIN];
  char hex[2 * KEY_ID_BYTES + 1];
  crypto_generichash_final(h, hash, sizeof hash);
  for (size_t i = 0; i < KEY_ID_BYTES; i++) snprintf(hex + 2 * i, 3, "%02x", hash[i]);
  return exchange_keep(x, (struct str){hex, 2 * KEY_ID_BYTES}, sizeof hex);
}

static void begin_hash(const struct exchange *x, crypto_generichash_state *h)
{
  crypto_generichash_init(h, x->image->key, sizeof x->image->key, crypto_generichash_BYTES_MIN);
}

static void keep_credential(struct exchange *x, const struct exchange_head *head)
{
  char id[CREDENTIAL_ID + 1];
  x->record.auth = str_of(credential_identify(x->image->key, head->authorization, head->api_key, x->arena, id));
  x->record.key_id = exchange_keep(x, str_of(id), CREDENTIAL_ID);
}

static void keep_head(struct exchange *x, const struct exchange_head *head)
{
  struct record *r = &x->record;
  r->method = exchange_keep(x, head->method, 32);
  r->path = exchange_keep(x, head->path, PATH_MAX_KEPT);
  r->user_agent = exchange_keep(x, head->user_agent, TEXT_MAX);
  r->client_ip = exchange_keep(x, client_address(&x->image->config->context, head->client_ip, head->forwarded_for), 64);
  r->application = exchange_keep(x, head->application, TEXT_MAX);
  r->end_user = exchange_keep(x, head->end_user, TEXT_MAX);
  r->end_user_tenant = exchange_keep(x, head->tenant, TEXT_MAX);
  r->source_ip = exchange_keep(x, head->source_ip, TEXT_MAX);
  exchange_say_label(x, head->label);
  keep_credential(x, head);
}

/* The deployment in a path of a form that we do not inspect. */
static struct str path_deployment(struct str path)
{
  static const struct str prefix = {"/openai/deployments/", 20};
  if (!str_starts(path, prefix)) return (struct str){0};
  struct str name = str_cut(path, prefix.n, path.n);
  const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
  return slash ? str_cut(name, 0, (size_t)(slash - name.p)) : name;
}

static enum exchange_next unknown_deployment(struct exchange *x)
{
  not_inspected(x, "unknown deployment");
  x->record.failure = x->record.request.not_inspected;
  return refuse(x, VDT_ENOTFOUND, "No deployment of this name is protected here.");
}

/* A WebSocket session on a path that no format of ours speaks on. */
static bool is_realtime(const struct exchange_head *head)
{
  static const struct str end = {"/realtime", 9};
  struct str path = head->path;
  return str_eq(head->method, STR("GET")) && path.n >= end.n && str_eq(str_cut(path, path.n - end.n, path.n), end);
}

/* The handshake of a session. The query names the deployment; where it names none (transcription), it is the first. */
static enum exchange_next session_head(struct exchange *x, const struct exchange_head *head)
{
  struct str name = exchange_session_deployment(x, head->query);
  if (!str_ieq(head->upgrade, STR("websocket")))
    return refuse_bad(x, VDT_ESTATE, "Realtime sessions begin with a WebSocket handshake over HTTP/1.1, and without a body.");
  if (name.n && !(x->deployment = config_find(x->image->config, name))) return unknown_deployment(x);
  if (!x->deployment) x->deployment = &x->image->config->deployments[0];
  x->record.model = name;
  x->record.agent = x->deployment->agent;
  if (exchange_fails_closed(x) && exchange_session_is_sound(x, head->query))
    return refuse_bad(x, VDT_ESTATE, "Sessions of audio cannot be inspected, and this deployment refuses what is not inspected.");
  x->session = x->request_read = true;
  x->said_label = exchange_keep(x, head->label, TEXT_MAX);
  return EXCHANGE_FORWARD;
}

/* A call by WebRTC: what is said in it does not come here. */
static bool leads_past(struct str path)
{
  static const struct str end = {"/realtime/calls", 15};
  return path.n >= end.n && str_eq(str_cut(path, path.n - end.n, path.n), end);
}

/* What the body of an unknown path is. A server may read JSON whatever the type says it is: so is it read here. */
static enum body_kind kind_of(struct exchange *x, struct str content_type)
{
  struct str boundary;
  if (is_json(content_type)) return BODY_JSON;
  if (is_json_lines(content_type)) return BODY_LINES;
  if (!is_form(content_type, &boundary)) return BODY_ANY;
  x->boundary = exchange_keep(x, boundary, 128);
  return BODY_FORM;
}

/* A path that no format speaks on. JSON and text on it are read; bytes pass, and the record says so. */
static enum exchange_next pass_unknown(struct exchange *x, const struct exchange_head *head)
{
  struct str name = path_deployment(head->path);
  if (name.n && !(x->deployment = config_find(x->image->config, name))) return unknown_deployment(x);
  if (is_realtime(head))
    return refuse_bad(x, VDT_ESTATE, "Realtime sessions on this path cannot be inspected and are not let through.");
  x->format = wire_unknown();
  if (leads_past(x->record.path) && exchange_fails_closed(x))
    return refuse_bad(x, VDT_ESTATE, "Calls by WebRTC go past inspection, and this deployment refuses what is not inspected.");
  /* Whatever the method: one that has no body has nothing to read. Its answer may be JSON. */
  x->body_kind = kind_of(x, head->content_type);
  x->request_coding = coding_of(head->content_encoding);
  if (!exchange_keep_path(x, head->path)) return exchange_request_unreadable(x, VDT_ENOMEM, vdt_strerror(VDT_ENOMEM));
  if (!has_plain_charset(head->content_type)) return refuse_bad(x, VDT_ETYPE, "Content-Type: expected text in UTF-8");
  if (x->request_coding == CODING_IDENTITY || x->request_coding == CODING_GZIP) return EXCHANGE_READ_BODY;
  return refuse_bad(x, VDT_ECODING, "Content-Encoding: expected identity or gzip");
}

enum exchange_next exchange_request_head(struct exchange *x, const struct exchange_head *head)
{
  struct str name;
  keep_head(x, head);
  if (!exchange_keep_query(x, head->query)) return exchange_request_unreadable(x, VDT_ENOMEM, vdt_strerror(VDT_ENOMEM));
  if (head->ambiguous) return refuse_bad(x, VDT_ESYNTAX, "Content-Type or Content-Encoding stands twice");
  if (shield_wants(x, head->path)) return shield_head(x, head);
  if (purview_wants(x, head->path)) return purview_head(x, head);
  if (str_eq(head->method, STR("GET")) && (x->format = wire_route_session(head->path))) return session_head(x, head);
  x->format = wire_route(head->method, head->path, &name);
  if (!x->format) return pass_unknown(x, head);
  if (name.n && !(x->deployment = config_find(x->image->config, name))) return unknown_deployment(x);
  if (!is_json(head->content_type)) return refuse_bad(x, VDT_ETYPE, "Content-Type: expected application/json in UTF-8");
  x->request_coding = coding_of(head->content_encoding);
  if (x->request_coding == CODING_IDENTITY || x->request_coding == CODING_GZIP) return EXCHANGE_READ_BODY;
  return refuse_bad(x, VDT_ECODING, "Content-Encoding: expected identity or gzip");
}

enum exchange_next exchange_request_unreadable(struct exchange *x, int code, const char *why)
{
  if (!x->request_read) not_inspected(x, why);
  if (vdt_http_status(code) < 500) return refuse_bad(x, code, why);
  return fail(x, why);
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

struct vdt_policy exchange_request_policy(const struct exchange *x)
{
  struct vdt_policy p = *exchange_policy(x);
  p.speech = VDT_HISTORY;
  p.intel = x->intel;
  p.pseudonym_key = x->image->key;
  if (x->deployment) p.allow = x->deployment->allow;
  p.phrases = exchange_phrases(x, false);
  return p;
}

void exchange_keep_shield(struct exchange *x, enum vdt_detector_id detector, enum vdt_action action)
{
  bool blocks = action == VDT_BLOCK;
  if (detector == VDT_DET_JAILBREAK) {
    x->shield.jailbreak_detected = true;
    x->shield.jailbreak_filtered |= blocks;
  } else if (detector == VDT_DET_INDIRECT) {
    x->shield.indirect_detected = true;
    x->shield.indirect_filtered |= blocks;
  }
}

static void note_part(struct exchange *x, struct str origin, const char *why)
{
  struct record_side *side = &x->record.request;
  side->inspected = VDT_PARTIAL;
  if (side->not_inspected.n) return;
  char text[256];
  int n = snprintf(text, sizeof text, "%.*s: %s", origin.n < 200 ? (int)origin.n : 200, origin.p, why);
  side->not_inspected = exchange_keep(x, (struct str){text, (size_t)n}, sizeof text - 1);
}

static bool add_finding(struct exchange *x, const struct finding_origin *o, const struct vdt_finding *f)
{
  exchange_keep_shield(x, f->detector, f->action);
  if (f->detector == VDT_DET_BLOCKLIST) exchange_keep_list(x, &x->shield.lists, f->rule, f->action);
  return exchange_add_finding(x, o, f);
}

/* What an unsure score found is kept, side by side, and counts for nothing before the second opinion is there. */
static int add_unsure(struct exchange *x, const struct finding_origin *o, const struct vdt_result *r, struct opinion_case *unsure)
{
  enum vdt_action before = x->strongest;
  unsure->first = x->record.n_findings;
  for (size_t i = 0; i < r->n_findings; i++)
    if (r->findings[i].detector == unsure->detector && !exchange_add_finding(x, o, &r->findings[i])) return VDT_ENOMEM;
  unsure->last = x->record.n_findings;
  x->strongest = before;
  return VDT_OK;
}

static int scan_part(struct exchange *x, struct vdt_arena *scratch, const struct vdt_policy *policy, const struct wire_part *part)
{
  struct vdt_result r;
  bool oom = false;
  int rc = vdt_scan(x->scanner, scratch, policy, part->role, part->text.p, part->text.n, &r);
  if (rc) return rc;
  if (!exchange_redact_part(x, part, &r)) return VDT_ENOMEM;
  if (r.inspected != VDT_FULL) note_part(x, part->origin, "too much to read, to decode or to list");
  struct opinion_case *unsure = opinion_consider(x, part, &r, &oom);
  if (oom || !r.n_findings) return oom ? VDT_ENOMEM : VDT_OK;
  struct evidence e = {
      .scanner = x->scanner, .arena = x->arena, .text = part->text, .known = r.findings, .n_known = r.n_findings, .whole = true};
  struct finding_origin o = {
      .role = part->role, .part = exchange_keep(x, part->origin, TEXT_MAX), .evidence = exchange_has_evidence(x) ? &e : NULL};
  for (size_t i = 0; i < r.n_findings; i++)
    if (!(unsure && r.findings[i].detector == unsure->detector) && !add_finding(x, &o, &r.findings[i])) return VDT_ENOMEM;
  return unsure ? add_unsure(x, &o, &r, unsure) : VDT_OK;
}

int exchange_scan_parts(struct exchange *x, struct vdt_arena *scratch, const struct wire_request *q)
{
  struct vdt_policy policy = exchange_request_policy(x);
  size_t read = 0;
  for (size_t i = 0; i < q->n_parts; i++) {
    const struct wire_part *part = &q->parts[i];
    int rc = VDT_OK;
    if (!part->skipped && exchange_evidence(x) == CONFIG_EVIDENCE_FULL) exchange_keep_part(x, part);
    if (part->skipped) note_part(x, part->origin, part->skipped);
    else rc = scan_part(x, scratch, &policy, part);
    read += !part->skipped;
    if (rc) return rc;
  }
  if (q->n_parts && !read) x->record.request.inspected = VDT_NONE;
  return exchange_scan_turns(x, scratch, &policy, q);
}

/* ---- body ------------------------------------------------------------------------------------------------------- */

/* The text without case and with one blank for many. */
static void hash_folded(crypto_generichash_state *h, struct str s)
{
  unsigned char block[512];
  size_t n = 0;
  bool blank = false;
  for (size_t i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if (c <= ' ') {
      blank = true;
      continue;
    }
    if (n + 2 > sizeof block) {
      crypto_generichash_update(h, block, n);
      n = 0;
    }
    if (blank) block[n++] = ' ';
    block[n++] = c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
    blank = false;
  }
  crypto_generichash_update(h, block, n);
}

void exchange_keep_prompt_id(struct exchange *x, const struct wire_request *q)
{
  crypto_generichash_state h;
  bool any = false;
  begin_hash(x, &h);
  for (size_t i = 0; i < q->n_parts; i++) {
    if (q->parts[i].role != VDT_PROMPT || q->parts[i].skipped) continue;
    hash_folded(&h, q->parts[i].text);
    crypto_generichash_update(&h, (const unsigned char *)"", 1);
    any = true;
  }
  if (any) x->record.prompt_id = keep_hash(x, &h);
}

/* What the body says counts before what a header said. */
static void prefer(struct exchange *x, struct str *member, struct str said)
{
  if (said.n) *member = exchange_keep(x, said, TEXT_MAX);
}

static void keep_request(struct exchange *x, const struct wire_request *q)
{
  struct record *r = &x->record;
  r->request.parts = (unsigned)q->n_parts;
  r->model = exchange_keep(x, q->model, TEXT_MAX);
  prefer(x, &r->application, q->user.application_name);
  prefer(x, &r->end_user, q->user.end_user_id);
  prefer(x, &r->end_user_tenant, q->user.end_user_tenant_id);
  prefer(x, &r->source_ip, q->user.source_ip);
  exchange_keep_prompt_id(x, q);
  x->n = q->n;
}

enum exchange_next exchange_block(struct exchange *x)
{
  x->answered = x->blocked = true;
  x->answer_status = 400;
  wire_blocked_body(x->format, &x->shield, &x->answer);
  return EXCHANGE_ANSWER;
}

static enum exchange_next inspect(struct exchange *x, struct vdt_arena *scratch, size_t room, const struct wire_request *q,
                                  struct str text)
{
  int rc = exchange_scan_parts(x, scratch, q);
  x->request_read = true;
  if (rc || x->strongest >= VDT_BLOCK) opinion_drop(x);
  if (x->strongest >= VDT_BLOCK) return exchange_block(x);
  if (!rc && !exchange_resolve(x, q)) rc = VDT_ENOMEM;
  if (!rc && (!exchange_learn_instructions(x, q) || !exchange_plant_canary(x, q))) rc = VDT_ENOMEM;
  if (!rc && !exchange_change_body(x, text, q->security_context)) rc = VDT_ENOMEM;
  if (!rc) return opinion_begin(x);
  note_part(x, STR("body"), vdt_strerror(rc));
  /* A request may not be able to buy its way past inspection by being expensive. */
  if (rc == VDT_ETOOBIG || arena_used(scratch) > room / 4)
    return refuse_bad(x, VDT_ETOOBIG, "the request takes too much to be read");
  return fail(x, vdt_strerror(rc));
}

/* JSON of an unknown format that is too deep or too large to be read: recorded, and refused where policy fails closed. */
static enum exchange_next too_deep(struct exchange *x, int code)
{
  not_inspected(x, vdt_strerror(code));
  x->record.request.inspected = VDT_PARTIAL;
  return fail(x, vdt_strerror(code));
}

static int parse(struct exchange *x, struct vdt_arena *scratch, struct str text, struct wire_request *q, struct vdt_error *err)
{
  struct json_limits limits = {x->image->config->limits.json_depth, NODES_MAX};
  *q = (struct wire_request){.n = 1};
  if (text.n == 0 && wire_is_unknown(x->format)) return VDT_OK;
  switch (x->body_kind) {
  case BODY_FORM: return wire_form_parse(scratch, x->boundary, text, &limits, q, err);
  case BODY_LINES: return wire_lines_parse(scratch, text, &limits, q, err);
  case BODY_ANY: return wire_text_parse(scratch, text, &limits, q, err);
  case BODY_JSON: break;
  }
  return wire_request_parse(x->format, scratch, text, &limits, q, err);
}

static enum exchange_next read_request(struct exchange *x, struct vdt_arena *scratch, size_t room, struct str text)
{
  const struct config_limits *limits = &x->image->config->limits;
  struct wire_request q;
  struct vdt_error err = {0};
  int rc = parse(x, scratch, text, &q, &err);
  if (!rc && !exchange_add_query(x, scratch, &q)) rc = VDT_ENOMEM;
  if (rc == VDT_ENOMEM && arena_used(scratch) > room / 4)
    return refuse_bad(x, VDT_ETOOBIG, "the request takes too much to be read");
  if (rc == VDT_ENOMEM) return exchange_request_unreadable(x, rc, vdt_strerror(rc));
  bool unknown = wire_is_unknown(x->format);
  if (unknown && (rc == VDT_EDEPTH || rc == VDT_ETOOBIG)) return too_deep(x, rc);
  if (rc) return refuse_bad(x, rc, err.text[0] ? err.text : vdt_strerror(rc));
  keep_request(x, &q);
  if (!x->deployment && !(x->deployment = config_find(x->image->config, q.model)) && !unknown) return unknown_deployment(x);
  if (!exchange_settle_policy(x)) return exchange_request_unreadable(x, VDT_ENOMEM, vdt_strerror(VDT_ENOMEM));
  if (leads_past(x->record.path)) note_part(x, STR("call"), "what is said in it goes past the gateway");
  x->record.agent = q.has_tools || (x->deployment && x->deployment->agent);
  if (unknown && q.n_parts > limits->max_parts) {
    if (exchange_fails_closed(x)) return too_deep(x, VDT_ETOOBIG);
    q.n_parts = limits->max_parts;
    note_part(x, STR("body"), "more strings than limits.max_parts");
  }
  if (q.n_parts > limits->max_parts) return refuse_bad(x, VDT_ETOOBIG, "the request has more than limits.max_parts parts");
  return inspect(x, scratch, room, &q, text);
}

/* Takes the coding off. */
static int plain_text(struct exchange *x, struct str *text)
{
  struct inflater f;
  *text = x->body;
  if (x->request_coding == CODING_IDENTITY) return VDT_OK;
  inflater_init(&f, x->request_coding);
  int rc = inflater_feed(&f, x->body, exchange_max_body(x), &x->plain);
  if (!rc && !inflater_complete(&f)) rc = VDT_ECODING;
  inflater_finish(&f);
  *text = x->plain.n ? buf_str(&x->plain) : STR("");
  return rc;
}

enum exchange_next exchange_request_body(struct exchange *x, struct str body)
{
  struct str text;
  size_t room = ((size_t)64 << 20) + 2 * exchange_max_body(x);
  x->body = body.n ? body : STR("");
  x->record.request.bytes = body.n;
  if (body.n > exchange_max_body(x)) return refuse_bad(x, VDT_ETOOBIG, "the body is larger than limits.max_request_body");
  int rc = plain_text(x, &text);
  x->record.request.bytes = text.n;
  if (!rc && text.n == 0 && !x->n_query && wire_is_unknown(x->format)) {
    not_inspected(x, "no body");
    return EXCHANGE_FORWARD;
  }
  if (rc)
    return exchange_request_unreadable(x, rc, rc == VDT_ECODING ? "Content-Encoding: the gzip data is broken" : vdt_strerror(rc));
  struct vdt_arena *scratch = vdt_arena_new(room);
  if (!scratch) return exchange_request_unreadable(x, VDT_ENOMEM, vdt_strerror(VDT_ENOMEM));
  enum exchange_next next = x->shield_call    ? shield_body(x, scratch, text)
                            : x->purview_call ? purview_body(x, scratch, text)
                                              : read_request(x, scratch, room, text);
  vdt_arena_free(scratch);
  buf_finish(&x->plain);
  return next;
}

struct str exchange_forward_body(const struct exchange *x, bool *changed)
{
  *changed = x->body_changed;
  return x->body_changed ? buf_str(&x->changed_body) : x->body;
}
