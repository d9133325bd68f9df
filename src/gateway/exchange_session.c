/*
 * Events of a session (WebSocket), one at a time: each of the client's is a request of its own, each of the model's a piece of an answer. An
 * exchange is one turn of the session; what is found in its events, and what was not read of them, adds up in its record.
 *
 * Nobody outside is asked for a second opinion here: an event cannot wait. It is as if the shield had not answered. Where policy fails closed,
 * audio ends the session.
 */
#include "gateway/exchange_inside.h"
#include "base/error.h"
#include "gateway/opinion.h"
#include <assert.h>

enum { TEXT_MAX = 1024, NODES_MAX = 1 << 20 };

/* ---- the handshake ---------------------------------------------------------------------------------------------- */

static int hex(char c)
{
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of a parameter of the query, decoded; empty when there is none, or two. */
static struct str parameter(struct exchange *x, struct str query, struct str name)
{
  struct str found = {0};
  while (query.n) {
    const char *end = memchr(query.p, '&', query.n);
    struct str one = str_cut(query, 0, end ? (size_t)(end - query.p) : query.n);
    query = str_cut(query, end ? one.n + 1 : one.n, query.n);
    if (!str_starts(one, name) || one.n == name.n || one.p[name.n] != '=') continue;
    if (found.p) return (struct str){0};
    found = str_cut(one, name.n + 1, one.n);
  }
  char *out = found.n ? arena_alloc(x->arena, found.n) : NULL;
  size_t n = 0;
  for (size_t i = 0; out && i < found.n; i++) {
    int high = found.p[i] == '%' && i + 2 < found.n ? hex(found.p[i + 1]) : -1, low = high >= 0 ? hex(found.p[i + 2]) : -1;
    if (low >= 0) i += 2;
    out[n++] = (char)(low >= 0 ? high << 4 | low : found.p[i]);
  }
  return (struct str){out, n};
}

struct str exchange_session_deployment(struct exchange *x, struct str query)
{
  struct str name = parameter(x, query, STR("deployment"));
  return name.n ? name : parameter(x, query, STR("model"));
}

/* Sessions that write down what they hear, by what they ask for or by the name of their model: all that comes in is sound. */
bool exchange_session_is_sound(struct exchange *x, struct str query)
{
  struct str model = exchange_session_deployment(x, query);
  return str_eq(parameter(x, query, STR("intent")), STR("transcription")) || str_find(model, STR("transcribe")) != (size_t)-1 ||
         str_find(model, STR("whisper")) != (size_t)-1;
}

bool exchange_is_session(const struct exchange *x)
{
  return x->session;
}

/* The answers of a turn are read by one reader. */
static bool open_turn(struct exchange *x)
{
  const struct config_limits *limits = &x->image->config->limits;
  struct wire_response_options opt = {
      .mode = WIRE_LINES, .max_body = limits->max_response_body, .limits = {limits->json_depth, JSON_LIMITS_DEFAULT.nodes}};
  x->hooks = exchange_hooks(x);
  x->wire_mode = WIRE_LINES;
  x->mode = BODY_WIRE;
  x->session = x->request_read = x->record.stream = true;
  x->record.status = 101;
  if (!exchange_settle_policy(x)) return false;
  return wire_response_new(x->format, x->arena, &opt, &x->hooks, &x->wire) == VDT_OK;
}

bool exchange_session_open(struct exchange *x)
{
  assert(x->session);
  return open_turn(x);
}

struct exchange *exchange_turn(struct exchange *before, const unsigned char random[16], uint64_t now_us)
{
  struct exchange *x = exchange_new(before->image, before->scanner, random, now_us);
  if (!x) return NULL;
  const struct record *from = &before->record;
  struct record *to = &x->record;
  x->format = before->format;
  x->deployment = before->deployment;
  to->method = exchange_keep(x, from->method, TEXT_MAX);
  to->path = exchange_keep(x, from->path, TEXT_MAX);
  to->model = exchange_keep(x, from->model, TEXT_MAX);
  to->user_agent = exchange_keep(x, from->user_agent, TEXT_MAX);
  to->client_ip = exchange_keep(x, from->client_ip, TEXT_MAX);
  to->application = exchange_keep(x, from->application, TEXT_MAX);
  to->end_user = exchange_keep(x, from->end_user, TEXT_MAX);
  to->end_user_tenant = exchange_keep(x, from->end_user_tenant, TEXT_MAX);
  to->source_ip = exchange_keep(x, from->source_ip, TEXT_MAX);
  to->key_id = exchange_keep(x, from->key_id, TEXT_MAX);
  x->ways = before->ways;
  exchange_say_label(x, before->said_label);
  x->said_label = exchange_keep(x, before->said_label, TEXT_MAX);
  to->auth = from->auth;
  to->agent = from->agent;
  x->instructions = before->instructions;
  before->instructions = (struct instructions){0};
  if (exchange_inherit_pseudonyms(x, before) && open_turn(x)) return x;
  exchange_free(x);
  return NULL;
}

size_t exchange_max_answer(const struct exchange *x)
{
  return x->image->config->limits.max_response_body;
}

bool exchange_needs_record(const struct exchange *x)
{
  return exchange_fails_closed(x);
}

bool exchange_is_idle(const struct exchange *x)
{
  return !wire_response_is_open(x->wire);
}

/* ---- earlier prompts -------------------------------------------------------------------------------------------- */

enum { PAST_BYTES = 8 << 10 };

void exchange_past_finish(struct exchange_past *past)
{
  buf_finish(&past->text);
}

static void forget_first(struct exchange_past *past)
{
  size_t n = past->ends[0];
  buf_drop(&past->text, n);
  past->n--;
  for (size_t i = 0; i < past->n; i++) past->ends[i] = past->ends[i + 1] - n;
}

/* Out of memory it is forgotten: the turns by themselves were read. */
static void remember(struct exchange_past *past, struct str text)
{
  if (text.n > PAST_BYTES) text = str_cut(text, text.n - PAST_BYTES, text.n);
  while (past->n && (past->n == EXCHANGE_PAST || past->text.n + text.n > PAST_BYTES)) forget_first(past);
  if (!buf_reserve(&past->text, text.n + 1)) return;
  buf_put(&past->text, text);
  past->ends[past->n++] = past->text.n;
}

static int scan_past(struct exchange *x, struct vdt_arena *scratch, const struct exchange_past *past,
                     const struct wire_request *q)
{
  struct vdt_policy policy = exchange_request_policy(x);
  struct wire_request all = {.parts = arena_zalloc(scratch, past->n + q->n_parts + 1, sizeof *all.parts)};
  if (!past->n || !all.parts) return past->n ? VDT_ENOMEM : VDT_OK;
  for (size_t i = 0; i < past->n; i++) {
    size_t from = i ? past->ends[i - 1] : 0;
    all.parts[all.n_parts++] = (struct wire_part){
        .role = VDT_PROMPT, .text = str_cut(buf_str(&past->text), from, past->ends[i]), .origin = STR("conversation")};
  }
  for (size_t i = 0; i < q->n_parts; i++) all.parts[all.n_parts++] = q->parts[i];
  return exchange_scan_turns(x, scratch, &policy, &all);
}

/* ---- what the client says --------------------------------------------------------------------------------------- */

static void refuse(struct exchange *x, struct exchange_event *out, int code, const char *message)
{
  struct str kept = exchange_keep(x, str_of(message), TEXT_MAX);
  out->next = EVENT_REFUSED;
  out->code = code;
  out->message = kept.p ? kept.p : vdt_strerror(code); /* the arena's copies end with a NUL */
  exchange_note_failure(x, code == VDT_EDUPKEY ? vdt_strerror(code) : message);
}

static void end(struct exchange *x, struct exchange_event *out, int code, const char *message)
{
  refuse(x, out, code, message);
  out->next = EVENT_END;
  x->record.failed_closed = true;
}

/* Adds up what was read in the turn's events. */
static void add_side(struct record_side *side, enum vdt_inspected before, bool read_before, bool read_now)
{
  if (side->inspected == VDT_FULL) side->inspected = before;
  if (side->inspected != VDT_FULL) side->inspected = read_before || read_now ? VDT_PARTIAL : VDT_NONE;
}

/* What policy says about unsure texts when its shield does not answer. */
static void settle_unasked(struct exchange *x)
{
  const struct opinion *o = &x->opinion;
  for (size_t i = 0; i < o->n && o->policy->on_failure == VDT_OPINION_BLOCK; i++) {
    if (o->cases[i].most < VDT_BLOCK) continue;
    exchange_add_opinion(x, &o->cases[i], VDT_BLOCK, true);
    exchange_keep_shield(x, o->cases[i].detector, VDT_BLOCK);
    x->strongest = VDT_BLOCK;
  }
  opinion_drop(x);
}

/* The instructions of a session stand in events of their own, and hold until others come. Nothing changes in the middle of an answer. No canary
 * is planted: the upstream tells the client what it was told. */
static bool learn(struct exchange *x, const struct wire_request *q)
{
  bool told = false;
  if (x->taps) return true;
  for (size_t i = 0; i < q->n_parts; i++) told |= q->parts[i].role == VDT_SYSTEM && !q->parts[i].skipped;
  if (told) {
    instructions_finish(&x->instructions);
    return exchange_learn_instructions(x, q);
  }
  for (size_t i = 0; i < q->n_parts && x->instructions.n; i++)
    if (q->parts[i].role == VDT_PROMPT && !q->parts[i].skipped) instructions_forget(&x->instructions, q->parts[i].text);
  if (x->instructions.n) instructions_settle(&x->instructions);
  return true;
}

static int scan_event(struct exchange *x, struct vdt_arena *scratch, struct exchange_past *past, const struct wire_request *q)
{
  struct record_side *side = &x->record.request;
  enum vdt_inspected before = side->inspected;
  bool read_before = x->session_read, read_now = false, prompt = false;
  for (size_t i = 0; i < q->n_parts; i++) {
    read_now |= !q->parts[i].skipped;
    prompt |= !q->parts[i].skipped && q->parts[i].role == VDT_PROMPT;
  }
  side->inspected = VDT_FULL;
  int rc = exchange_scan_parts(x, scratch, q);
  if (!rc && prompt) rc = scan_past(x, scratch, past, q);
  if (!rc && !learn(x, q)) rc = VDT_ENOMEM;
  settle_unasked(x);
  x->session_read |= read_now;
  add_side(side, before, read_before, read_now);
  side->parts += (unsigned)q->n_parts;
  if (prompt) exchange_keep_prompt_id(x, q);
  return rc;
}

static void remember_prompts(struct exchange_past *past, const struct wire_request *q)
{
  for (size_t i = 0; i < q->n_parts; i++)
    if (q->parts[i].role == VDT_PROMPT && !q->parts[i].skipped) remember(past, q->parts[i].text);
}

static bool has_audio(const struct wire_request *q)
{
  bool audio = false;
  for (size_t i = 0; i < q->n_parts; i++) audio |= q->parts[i].skipped && strcmp(q->parts[i].skipped, "audio") == 0;
  return audio;
}

static const char no_audio[] = "Audio cannot be inspected, and this deployment refuses what is not inspected.";
static const char no_sound[] =
    "Audio cannot be inspected, and this deployment refuses what is not inspected: ask for output_modalities [\"text\"].";

/* The answer that the event leads to could not be read: it asks for sound, or for an answer of a session that answers in sound. */
static bool asks_for_sound(const struct exchange *x, const struct wire_event *e)
{
  if (e->ways != WIRE_WAYS_UNSAID) return e->ways == WIRE_WAYS_SOUND;
  return x->ways == WIRE_WAYS_SOUND && str_eq(e->type, STR("response.create"));
}

/* Where nothing may pass unread, neither sound nor what asks for it does. NULL: it may. */
static const char *why_unreadable(const struct exchange *x, const struct wire_request *q)
{
  if (!exchange_fails_closed(x)) return NULL;
  return has_audio(q) ? no_audio : asks_for_sound(x, &q->event) ? no_sound : NULL;
}

/* What the client asks for holds from now on; the upstream's word for it may come after the next event. */
static void note_ways(struct exchange *x, const struct wire_event *e)
{
  if (e->ways != WIRE_WAYS_UNSAID && str_eq(e->type, STR("session.update"))) x->ways = e->ways;
}

/* Scans, and says what becomes of the event; x->strongest is that of the turn again afterwards. */
static int judge(struct exchange *x, struct vdt_arena *scratch, struct exchange_past *past, const struct wire_request *q,
                 struct exchange_event *out)
{
  enum vdt_action before = x->strongest;
  x->strongest = VDT_ALLOW;
  int rc = scan_event(x, scratch, past, q);
  if (!rc && x->strongest >= VDT_BLOCK) {
    out->next = EVENT_STOPPED;
    out->shield = &x->shield;
  } else if (!rc) {
    remember_prompts(past, q);
  }
  if (before > x->strongest) x->strongest = before;
  return rc;
}

static void fail(struct exchange *x, struct str text, struct exchange_event *out, int code)
{
  exchange_note_failure(x, vdt_strerror(code));
  if (exchange_fails_closed(x) || x->n_redactions) {
    end(x, out, code, "The event could not be inspected, and this deployment refuses what is not inspected.");
    return;
  }
  x->record.failed_open = true;
  x->record.request.inspected = VDT_PARTIAL;
  out->next = EVENT_PASS;
  out->text = text;
}

static void read_event(struct exchange *x, struct vdt_arena *scratch, struct exchange_past *past, struct str text,
                       struct exchange_event *out)
{
  const struct config_limits *limits = &x->image->config->limits;
  struct wire_request q;
  struct vdt_error err = {0};
  int rc = wire_request_parse(x->format, scratch, text, &(struct json_limits){limits->json_depth, NODES_MAX}, &q, &err);
  if (!rc && q.n_parts > limits->max_parts) rc = error_set(&err, VDT_ETOOBIG, "the event has more than limits.max_parts parts");
  if (rc) {
    refuse(x, out, rc, err.text[0] ? err.text : vdt_strerror(rc));
    return;
  }
  out->type = exchange_keep(x, q.event.type, 128);
  out->about = exchange_keep(x, q.event.id, 128);
  x->record.agent |= q.has_tools;
  const char *unreadable = why_unreadable(x, &q);
  if (unreadable) {
    scan_event(x, scratch, past, &q);
    end(x, out, VDT_ETYPE, unreadable);
    return;
  }
  rc = judge(x, scratch, past, &q, out);
  if (!rc && !exchange_resolve(x, &q)) rc = VDT_ENOMEM;
  if (!rc && out->next == EVENT_PASS && !exchange_change_body(x, text, (struct wire_span){0})) rc = VDT_ENOMEM;
  if (!rc && out->next == EVENT_PASS) note_ways(x, &q.event);
  if (rc) fail(x, text, out, rc);
  else if (x->body_changed) out->text = buf_str(&x->changed_body);
}

void exchange_session_in(struct exchange *x, struct exchange_past *past, struct str text, struct exchange_event *out)
{
  struct vdt_arena *scratch = vdt_arena_new(((size_t)64 << 20) + 2 * exchange_max_body(x));
  *out = (struct exchange_event){.next = EVENT_PASS, .text = text};
  x->record.request.bytes += text.n;
  x->n_redactions = 0;
  x->body_changed = false;
  buf_finish(&x->changed_body);
  if (scratch) read_event(x, scratch, past, text, out);
  else fail(x, text, out, VDT_ENOMEM);
  vdt_arena_free(scratch);
}

/* ---- what the model says ---------------------------------------------------------------------------------------- */

void exchange_session_out(struct exchange *x, struct str text, struct wire_message *m, struct exchange_event *out)
{
  *out = (struct exchange_event){.next = EVENT_PASS};
  x->record.response.bytes += text.n;
  int rc = wire_response_message(x->wire, text, m);
  bool closed = exchange_fails_closed(x);
  if (!rc && x->ways == WIRE_WAYS_UNSAID) x->ways = m->ways;
  if (!rc && closed && wire_response_info(x->wire)->inspected != VDT_FULL) {
    end(x, out, VDT_ETYPE, no_audio);
  } else if (rc && (closed || m->withheld)) {
    end(x, out, VDT_EUPSTREAM, "The model's answer could not be inspected, and this deployment refuses what is not inspected.");
  } else if (rc) {
    exchange_note_failure(x, vdt_strerror(rc));
    x->record.failed_open = true;
    m->event = text;
  }
}

void exchange_session_heard(struct exchange *x, struct exchange_past *past, struct str said, struct exchange_event *out)
{
  /* It is nothing that could be masked: the span only says that there is no need to. */
  struct wire_part part = {.role = VDT_PROMPT, .text = said, .origin = STR("input_audio_transcription"), .raw = {0, 1}};
  struct wire_request q = {.parts = &part, .n_parts = 1, .n = 1};
  struct vdt_arena *scratch = vdt_arena_new(((size_t)64 << 20) + said.n);
  *out = (struct exchange_event){.next = EVENT_PASS};
  x->hears = true;
  if (!scratch || judge(x, scratch, past, &q, out)) {
    exchange_note_failure(x, "out of memory");
    if (exchange_fails_closed(x)) end(x, out, VDT_ENOMEM, "What was said could not be inspected.");
    else x->record.failed_open = true;
  }
  x->n_redactions = 0;
  x->hears = false;
  vdt_arena_free(scratch);
}

int exchange_session_stop(struct exchange *x, struct wire_message *m)
{
  return wire_response_stop(x->wire, m);
}
