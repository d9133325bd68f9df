/*
 * A Realtime session of the simulated model. It keeps the conversation, obeys the directives of the last user item, and hears audio in its
 * own way: the bytes of the sound are the words. Answers are audio with a transcript unless the session says text.
 */
#include "sim/realtime.h"
#include "base/quote.h"
#include "base/websocket.h"
#include "sim/said.h"
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

enum { MAX_MESSAGE = 16 << 20, HEARD = 4096 };

struct talk {
  int fd;
  const struct realtime_start *start;
  struct websocket in;
  struct buf raw;   /* what came and was not looked at */
  struct buf items; /* of the conversation, as JSON, with commas */
  struct buf tools; /* an array, or nothing */
  struct buf heard; /* audio that is not committed */
  bool text;        /* answers are text */
  bool answering, cancelled, broken;
  uint64_t cut; /* seed of the fragments; 0: none */
  unsigned events, responses, made;
};

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static void write_all(struct talk *t, struct str bytes)
{
  while (bytes.n && !t->broken) {
    ssize_t n = send(t->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
    t->broken = n <= 0;
    if (n > 0) bytes = str_cut(bytes, (size_t)n, bytes.n);
  }
}

/* A message in fragments that end anywhere, now and then with a ping between them: clients take many pings for an attack. */
static void send_fragments(struct talk *t, struct str text)
{
  struct buf out = {0};
  bool first = true;
  while (text.n && !out.failed) {
    t->cut = t->cut * 6364136223846793005u + 1442695040888963407u;
    size_t n = 1 + (size_t)((t->cut >> 33) % 23), at = out.n;
    if (n > text.n) n = text.n;
    websocket_put(&out, first ? WS_TEXT : WS_CONTINUATION, str_cut(text, 0, n), NULL);
    if (n < text.n && !out.failed) out.p[at] = (char)(out.p[at] & 0x7f);
    text = str_cut(text, n, text.n);
    if (first && text.n && t->events % 16 == 0) websocket_put(&out, WS_PING, STR("sim"), NULL);
    first = false;
  }
  t->broken |= out.failed;
  write_all(t, out.n ? buf_str(&out) : STR(""));
  buf_finish(&out);
}

static void send_frame(struct talk *t, enum ws_kind kind, struct str data)
{
  struct buf out = {0};
  websocket_put(&out, kind, data, NULL);
  t->broken |= out.failed;
  write_all(t, out.n ? buf_str(&out) : STR(""));
  buf_finish(&out);
}

/* The event is complete in b but for its closing brace. */
static void send_event(struct talk *t, struct buf *b)
{
  BUF_LIT(b, "}");
  t->broken |= b->failed;
  if (!b->failed && t->cut) send_fragments(t, buf_str(b));
  else if (!b->failed) send_frame(t, WS_TEXT, buf_str(b));
  buf_finish(b);
}

static struct buf begin(struct talk *t, const char *type)
{
  struct buf b = {0};
  buf_printf(&b, "{\"type\": \"%s\", \"event_id\": \"event_sim%u\"", type, t->events++);
  return b;
}

static void put_member(struct buf *b, const char *name, struct str text)
{
  buf_printf(b, ", \"%s\": ", name);
  json_quote(b, text.n ? text : STR(""));
}

static void send_error(struct talk *t, const char *code, const char *message)
{
  struct buf b = begin(t, "error");
  buf_printf(&b, ", \"error\": {\"type\": \"invalid_request_error\", \"code\": \"%s\"", code);
  put_member(&b, "message", str_of(message));
  BUF_LIT(&b, ", \"param\": null, \"event_id\": null}");
  send_event(t, &b);
}

/* ---- an answer -------------------------------------------------------------------------------------------------- */

struct answer {
  struct talk *t;
  const struct script *s;
  struct said said;
  unsigned id;
};

static void put_response(struct buf *b, const struct answer *a, const char *status, bool whole);

static void lifecycle(const struct answer *a, const char *type, const char *status, bool whole)
{
  struct buf b = begin(a->t, type);
  BUF_LIT(&b, ", \"response\": ");
  put_response(&b, a, status, whole);
  send_event(a->t, &b);
}

static void put_part(struct buf *b, const struct answer *a, struct str text)
{
  bool preview = a->t->start->preview;
  buf_printf(b, "{\"type\": \"%s\"", a->t->text ? (preview ? "text" : "output_text") : preview ? "audio" : "output_audio");
  put_member(b, a->t->text ? "text" : "transcript", text);
  BUF_LIT(b, "}");
}

static void put_message(struct buf *b, const struct answer *a, const char *status, bool whole)
{
  buf_printf(
      b,
      "{\"id\": \"item_m%u\", \"object\": \"realtime.item\", \"type\": \"message\", \"status\": \"%s\", \"role\": \"assistant\", "
      "\"content\": [",
      a->id, status);
  if (whole) put_part(b, a, buf_str(&a->said.text));
  BUF_LIT(b, "]}");
}

static void put_call(struct buf *b, const struct answer *a, size_t i, const char *status, struct str arguments)
{
  buf_printf(
      b,
      "{\"id\": \"item_c%u_%zu\", \"object\": \"realtime.item\", \"type\": \"function_call\", \"status\": \"%s\", \"call_id\": "
      "\"call_%u_%zu\"",
      a->id, i, status, a->id, i);
  put_member(b, "name", a->said.calls[i].name);
  put_member(b, "arguments", arguments);
  BUF_LIT(b, "}");
}

static bool has_message(const struct answer *a)
{
  return a->said.text.n || !a->said.n_calls;
}

static void put_response(struct buf *b, const struct answer *a, const char *status, bool whole)
{
  buf_printf(
      b,
      "{\"object\": \"realtime.response\", \"id\": \"resp_sim%u\", \"status\": \"%s\", \"status_details\": null, \"output\": [",
      a->id, status);
  if (whole && has_message(a)) put_message(b, a, "completed", true);
  for (size_t i = 0; whole && i < a->said.n_calls; i++) {
    if (i || has_message(a)) BUF_LIT(b, ", ");
    put_call(b, a, i, "completed", buf_str(&a->said.calls[i].arguments));
  }
  BUF_LIT(b, "], \"metadata\": null, \"usage\": ");
  unsigned long long in = a->s->prompt_tokens, out = tokens(a->said.text.n);
  if (whole) buf_printf(b, "{\"total_tokens\": %llu, \"input_tokens\": %llu, \"output_tokens\": %llu}}", in + out, in, out);
  else BUF_LIT(b, "null}");
}

/* An event of the answer, with its place. part: of its content, too. */
static struct buf begin_place(const struct answer *a, const char *type, const char *item, size_t index, bool part)
{
  struct buf b = begin(a->t, type);
  buf_printf(&b, ", \"response_id\": \"resp_sim%u\", \"item_id\": \"%s\", \"output_index\": %zu", a->id, item, index);
  if (part) BUF_LIT(&b, ", \"content_index\": 0");
  return b;
}

static bool read_some(struct talk *t, int wait_ms);

static void pause_for(const struct answer *a)
{
  const struct timespec d = {a->s->slow_ms / 1000, (long)(a->s->slow_ms % 1000) * 1000000};
  if (a->s->slow_ms) nanosleep(&d, NULL);
  while (!a->t->broken && read_some(a->t, 0)) continue;
}

/* The text in pieces; with each piece of a transcript a little silence. */
static void send_pieces(const struct answer *a, const char *type, const char *item, size_t index, bool part, struct str text)
{
  for (size_t i = 0, n; i < text.n && !a->t->cancelled && !a->t->broken; i += n) {
    n = piece(text, i, a->s->chunk);
    struct buf b = begin_place(a, type, item, index, part);
    put_member(&b, "delta", str_cut(text, i, i + n));
    send_event(a->t, &b);
    if (part && !a->t->text) {
      b = begin_place(a, a->t->start->preview ? "response.audio.delta" : "response.output_audio.delta", item, index, true);
      BUF_LIT(&b, ", \"delta\": \"AAAAAAAAAAA=\"");
      send_event(a->t, &b);
    }
    pause_for(a);
  }
}

static const char *text_event(const struct answer *a, bool done)
{
  static const char *const names[2][2][2] = {
      {{"response.output_audio_transcript.delta", "response.output_audio_transcript.done"},
       {"response.audio_transcript.delta", "response.audio_transcript.done"}},
      {{"response.output_text.delta", "response.output_text.done"}, {"response.text.delta", "response.text.done"}}};
  return names[a->t->text][a->t->start->preview][done];
}

static void item_event(const struct answer *a, const char *type, size_t index, int call, bool done)
{
  struct buf b = begin(a->t, type);
  if (!str_starts(str_of(type), STR("conversation")))
    buf_printf(&b, ", \"response_id\": \"resp_sim%u\", \"output_index\": %zu", a->id, index);
  BUF_LIT(&b, ", \"item\": ");
  if (call < 0) put_message(&b, a, done ? "completed" : "in_progress", done);
  else
    put_call(&b, a, (size_t)call, done ? "completed" : "in_progress", done ? buf_str(&a->said.calls[call].arguments) : STR(""));
  send_event(a->t, &b);
}

/* The item, before and behind its pieces, as the response has it and as the conversation has it. */
static void begin_item(const struct answer *a, size_t index, int call)
{
  item_event(a, "response.output_item.added", index, call, false);
  item_event(a, a->t->start->preview ? "conversation.item.created" : "conversation.item.added", index, call, false);
}

static void end_item(const struct answer *a, size_t index, int call)
{
  item_event(a, "response.output_item.done", index, call, true);
  if (!a->t->start->preview) item_event(a, "conversation.item.done", index, call, true);
}

static void part_event(const struct answer *a, const char *type, const char *item, struct str text)
{
  struct buf b = begin_place(a, type, item, 0, true);
  BUF_LIT(&b, ", \"part\": ");
  put_part(&b, a, text);
  send_event(a->t, &b);
}

static void send_message(const struct answer *a)
{
  char item[32];
  struct str text = buf_str(&a->said.text);
  snprintf(item, sizeof item, "item_m%u", a->id);
  begin_item(a, 0, -1);
  part_event(a, "response.content_part.added", item, STR(""));
  send_pieces(a, text_event(a, false), item, 0, true, text);
  if (a->t->cancelled) return;
  struct buf b = begin_place(a, text_event(a, true), item, 0, true);
  put_member(&b, a->t->text ? "text" : "transcript", text);
  send_event(a->t, &b);
  part_event(a, "response.content_part.done", item, text);
  end_item(a, 0, -1);
}

static void send_call(const struct answer *a, size_t i, size_t index)
{
  char item[48];
  struct str arguments = buf_str(&a->said.calls[i].arguments);
  snprintf(item, sizeof item, "item_c%u_%zu", a->id, i);
  begin_item(a, index, (int)i);
  send_pieces(a, "response.function_call_arguments.delta", item, index, false, arguments);
  if (a->t->cancelled) return;
  struct buf b = begin_place(a, "response.function_call_arguments.done", item, index, false);
  put_member(&b, "name", a->said.calls[i].name);
  put_member(&b, "arguments", arguments);
  send_event(a->t, &b);
  end_item(a, index, (int)i);
}

static void run(struct talk *t, const struct script *s)
{
  struct answer a = {.t = t, .s = s, .id = t->responses++};
  t->answering = true;
  t->cancelled = false;
  t->cut = s->cut ? s->cut_seed + 1 : 0;
  say(s, 0, &a.said);
  if (!a.said.text.p) buf_reserve(&a.said.text, 1);
  lifecycle(&a, "response.created", "in_progress", false);
  if (has_message(&a)) send_message(&a);
  for (size_t i = 0; i < a.said.n_calls && !t->cancelled; i++) send_call(&a, i, i + has_message(&a));
  lifecycle(&a, "response.done", t->cancelled ? "cancelled" : "completed", !t->cancelled);
  t->answering = false;
  t->cut = 0;
  said_finish(&a.said);
}

static void answer(struct talk *t, struct str input, struct str tools)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)64 << 20);
  struct script s;
  struct vdt_error err = {0};
  struct buf body = {0};
  BUF_LIT(&body, "{\"model\": ");
  json_quote(&body, str_of(t->start->model));
  BUF_LIT(&body, ", \"input\": [");
  buf_put(&body, input);
  BUF_LIT(&body, "], \"tools\": ");
  buf_put(&body, tools.n ? tools : STR("[]"));
  BUF_LIT(&body, "}");
  int rc = arena && !body.failed ? script_read(arena, buf_str(&body), STR(""), DIALECT_RESPONSES, &s, &err) : VDT_ENOMEM;
  if (rc) send_error(t, "invalid_request", err.text[0] ? err.text : "out of memory");
  else run(t, &s);
  buf_finish(&body);
  vdt_arena_free(arena);
}

/* ---- what the client sends -------------------------------------------------------------------------------------- */

static void add_item(struct talk *t, const char *id, struct str raw)
{
  if (t->items.n) BUF_LIT(&t->items, ", ");
  buf_put(&t->items, raw);
  const char *names[] = {t->start->preview ? "conversation.item.created" : "conversation.item.added", "conversation.item.done"};
  for (int i = 0; i < (t->start->preview ? 1 : 2); i++) {
    struct buf b = begin(t, names[i]);
    put_member(&b, "previous_item_id", str_of(id));
    BUF_LIT(&b, ", \"item\": ");
    buf_put(&b, raw);
    send_event(t, &b);
  }
}

static void update(struct talk *t, const struct json_doc *doc)
{
  uint32_t session = json_get(doc, 0, "session"), tools = json_get(doc, session, "tools");
  uint32_t ways = json_get(doc, session, t->start->preview ? "modalities" : "output_modalities");
  if (!session) {
    send_error(t, "missing_required_parameter", "session is missing");
    return;
  }
  if (ways) t->text = str_find(json_raw(doc, ways), STR("\"audio\"")) == (size_t)-1;
  if (tools) {
    buf_reset(&t->tools);
    buf_put(&t->tools, json_raw(doc, tools));
  }
  struct buf b = begin(t, "session.updated");
  BUF_LIT(&b, ", \"session\": ");
  buf_put(&b, json_raw(doc, session));
  send_event(t, &b);
}

static int digit64(char c)
{
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static void hear(struct talk *t, struct str base64)
{
  unsigned bits = 0, n = 0;
  for (size_t i = 0; i < base64.n && t->heard.n < HEARD; i++) {
    int d = digit64(base64.p[i]);
    if (d < 0) continue;
    bits = (bits << 6 | (unsigned)d) & 0xffffff;
    n += 6;
    if (n < 8) continue;
    n -= 8;
    buf_byte(&t->heard, (char)(bits >> n & 0x7f));
  }
}

/* The audio becomes an item of the user's, and what was heard is told. */
static void commit(struct talk *t)
{
  char id[32];
  struct buf item = {0}, b = begin(t, "input_audio_buffer.committed");
  snprintf(id, sizeof id, "item_a%u", t->made++);
  put_member(&b, "item_id", str_of(id));
  send_event(t, &b);
  buf_printf(
      &item,
      "{\"id\": \"%s\", \"object\": \"realtime.item\", \"type\": \"message\", \"role\": \"user\", \"content\": [{\"type\": "
      "\"input_audio\"",
      id);
  put_member(&item, "text", t->heard.n ? buf_str(&t->heard) : STR(""));
  BUF_LIT(&item, "}]}");
  if (!item.failed) add_item(t, id, buf_str(&item));
  b = begin(t, "conversation.item.input_audio_transcription.completed");
  put_member(&b, "item_id", str_of(id));
  BUF_LIT(&b, ", \"content_index\": 0");
  put_member(&b, "transcript", t->heard.n ? buf_str(&t->heard) : STR(""));
  send_event(t, &b);
  buf_reset(&t->heard);
  buf_finish(&item);
}

static void create_item(struct talk *t, const struct json_doc *doc)
{
  char id[32];
  uint32_t item = json_get(doc, 0, "item");
  if (!json_is(doc, item, JSON_OBJECT)) {
    send_error(t, "missing_required_parameter", "item is missing");
    return;
  }
  struct buf raw = {0};
  snprintf(id, sizeof id, "item_u%u", t->made++);
  buf_printf(&raw, "{%s%s%s", json_get(doc, item, "id") ? "" : "\"id\": \"", json_get(doc, item, "id") ? "" : id,
             json_get(doc, item, "id") ? "" : "\", ");
  struct str rest = json_raw(doc, item);
  buf_put(&raw, str_cut(rest, 1, rest.n));
  if (!raw.failed) add_item(t, id, buf_str(&raw));
  buf_finish(&raw);
}

static void create_response(struct talk *t, const struct json_doc *doc)
{
  uint32_t response = json_get(doc, 0, "response"), input = json_get(doc, response, "input"),
           tools = json_get(doc, response, "tools");
  if (t->answering) {
    send_error(t, "conversation_already_has_active_response", "A response is under way.");
    return;
  }
  struct str items = t->items.n ? buf_str(&t->items) : STR("");
  if (response && json_is(doc, input, JSON_ARRAY)) items = str_cut(json_raw(doc, input), 1, json_raw(doc, input).n - 1);
  answer(t, items, response && tools ? json_raw(doc, tools) : t->tools.n ? buf_str(&t->tools) : STR(""));
}

static void take_event(struct talk *t, struct str text)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)64 << 20);
  struct json_doc doc;
  struct str audio;
  uint32_t type;
  if (t->start->echo) t->start->echo(t->start->ctx, STR("/realtime"), text);
  if (!arena || json_parse(arena, text, NULL, &doc, NULL) || !(type = json_get(&doc, 0, "type"))) {
    send_error(t, "invalid_event", "The event cannot be read.");
  } else if (json_string_is(&doc, type, "session.update")) {
    update(t, &doc);
  } else if (json_string_is(&doc, type, "conversation.item.create")) {
    create_item(t, &doc);
  } else if (json_string_is(&doc, type, "response.create")) {
    create_response(t, &doc);
  } else if (json_string_is(&doc, type, "response.cancel")) {
    t->cancelled = true;
  } else if (json_string_is(&doc, type, "input_audio_buffer.append")) {
    if (json_string(&doc, json_get(&doc, 0, "audio"), arena, &audio)) hear(t, audio);
  } else if (json_string_is(&doc, type, "input_audio_buffer.commit")) {
    commit(t);
  } else {
    send_error(t, "invalid_event", "The simulated model knows no such event.");
  }
  vdt_arena_free(arena);
}

static void take(struct talk *t, const struct ws_message *m)
{
  struct buf text = {0};
  switch (m->kind) {
  case WS_PING: send_frame(t, WS_PONG, m->data); return;
  case WS_CLOSE:
    send_frame(t, WS_CLOSE, m->data);
    t->broken = true;
    return;
  case WS_TEXT:
  case WS_BINARY:
    buf_put(&text, m->data); /* an answer reads on while this event is worked on */
    if (!text.failed) take_event(t, text.n ? buf_str(&text) : STR(""));
    buf_finish(&text);
    return;
  default: return;
  }
}

/* An answer that is under way reads on by itself: what is taken is gone before it is worked on. */
static void drain(struct talk *t)
{
  struct ws_message m;
  bool whole = true;
  while (whole && !t->broken && t->raw.n) {
    struct str in = buf_str(&t->raw);
    size_t n = in.n;
    whole = websocket_next(&t->in, &in, &m);
    buf_drop(&t->raw, n - in.n);
    if (whole) take(t, &m);
  }
}

/* Reads what is there, or waits for it. false: nothing came. */
static bool read_some(struct talk *t, int wait_ms)
{
  char piece[16384];
  struct pollfd p = {.fd = t->fd, .events = POLLIN};
  if (poll(&p, 1, wait_ms) <= 0) return false;
  ssize_t n = recv(t->fd, piece, sizeof piece, 0);
  if (n <= 0) {
    t->broken = true;
    return false;
  }
  buf_put(&t->raw, (struct str){piece, (size_t)n});
  t->broken |= t->raw.failed;
  drain(t);
  if (t->in.error) {
    struct buf out = {0};
    websocket_put_close(&out, t->in.error, "", NULL);
    write_all(t, out.n ? buf_str(&out) : STR(""));
    buf_finish(&out);
    t->broken = true;
  }
  return true;
}

void realtime_serve(int fd, const struct realtime_start *start)
{
  struct talk t = {.fd = fd, .start = start, .in = {.masked = true, .max = MAX_MESSAGE}};
  struct buf b = begin(&t, "session.created");
  buf_printf(&b, ", \"session\": {\"id\": \"sess_sim\", \"object\": \"realtime.session\", \"type\": \"realtime\"");
  put_member(&b, "model", str_of(start->model));
  put_member(&b, "instructions", STR("Be simulated."));
  buf_printf(&b, ", \"%s\": [\"audio\"]}", start->preview ? "modalities" : "output_modalities");
  send_event(&t, &b);
  while (!t.broken && read_some(&t, -1)) continue;
  websocket_finish(&t.in);
  buf_finish(&t.raw);
  buf_finish(&t.items);
  buf_finish(&t.tools);
  buf_finish(&t.heard);
}
