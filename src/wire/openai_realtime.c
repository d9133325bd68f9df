/*
 * openai-realtime: the Realtime API of OpenAI and Azure OpenAI, one JSON event in each message of a WebSocket session. This file reads what
 * a client sends and writes the events that are ours; what the model sends is in openai_realtime_events.c.
 *
 * A client's event is a request of its own: items of the conversation, instructions and tools of the session or of one answer. Audio is
 * not read. What stands in the conversation from before lies at the upstream and was read when it was sent.
 */
#include "wire/openai_realtime.h"

static const char *const event_members[] = {"type", "item", "session", "response", "audio"};
static const char *const item_members[] = {"type", "role", "content", "arguments", "output"};

static enum vdt_role item_role(const struct json_doc *doc, uint32_t item)
{
  uint32_t type = json_get(doc, item, "type"), role = json_get(doc, item, "role");
  if (json_is(doc, role, JSON_STRING)) return request_role(doc, role);
  if (json_string_is(doc, type, "function_call") || json_string_is(doc, type, "mcp_call")) return VDT_RESPONSE;
  return json_string_is(doc, type, "function_call_output") ? VDT_DOCUMENT : VDT_PROMPT;
}

static int read_item(struct request *q, uint32_t item, const char *origin)
{
  const struct json_doc *doc = &q->doc;
  uint32_t content = json_get(doc, item, "content"), output = json_get(doc, item, "output");
  enum vdt_role role = item_role(doc, item);
  if (!origin) return VDT_ENOMEM;
  if (!json_is(doc, item, JSON_OBJECT)) return request_expected(q, origin, "an object");
  int rc = request_spelling(q, item, item_members, sizeof item_members / sizeof *item_members);
  if (!rc && content) rc = request_content(q, role, content, request_origin(q, "%s.content", origin));
  if (!rc) rc = request_strings(q, role, json_get(doc, item, "arguments"), NULL, request_origin(q, "%s.arguments", origin));
  if (!rc) rc = request_strings(q, VDT_DOCUMENT, output, NULL, request_origin(q, "%s.output", origin));
  return rc;
}

/* Text alone is what no list has anything else than text in. */
enum wire_ways realtime_ways(const struct json_doc *doc, uint32_t settings)
{
  static const char *const names[] = {"output_modalities", "modalities"};
  enum wire_ways ways = WIRE_WAYS_UNSAID;
  if (json_string_is(doc, wire_get(doc, settings, "type"), "transcription")) return WIRE_WAYS_SOUND;
  for (size_t i = 0; i < 2; i++) {
    uint32_t list = wire_get(doc, settings, names[i]);
    if (!json_is(doc, list, JSON_ARRAY)) continue;
    for (uint32_t n = json_first(doc, list); n; n = json_next(doc, list, n)) {
      if (!json_string_is(doc, n, "text")) return WIRE_WAYS_SOUND;
      ways = WIRE_WAYS_TEXT;
    }
  }
  return ways;
}

/* The session, or one answer: instructions, items, and everything else that it says. */
static int read_settings(struct request *q, const char *name)
{
  const struct json_doc *doc = &q->doc;
  uint32_t node = json_get(doc, 0, name), input = wire_get(doc, node, "input"), tools = wire_get(doc, node, "tools");
  unsigned i = 0;
  int rc = VDT_OK;
  if (!node) return VDT_OK;
  if (!json_is(doc, node, JSON_OBJECT)) return request_expected(q, name, "an object");
  if (q->out->event.ways != WIRE_WAYS_SOUND) q->out->event.ways = realtime_ways(doc, node);
  q->out->has_tools |= json_is(doc, tools, JSON_ARRAY) && doc->nodes[tools].count > 0;
  for (uint32_t n = json_is(doc, input, JSON_ARRAY) ? json_first(doc, input) : 0; n && !rc; n = json_next(doc, input, n))
    rc = read_item(q, n, request_origin(q, "%s.input[%u]", name, i++));
  return rc ? rc : request_members(q, node, name);
}

static int read_audio(struct request *q)
{
  uint32_t audio = json_get(&q->doc, 0, "audio");
  if (!json_is(&q->doc, audio, JSON_STRING)) return VDT_OK;
  request_seen(q, audio);
  return request_skip(q, VDT_PROMPT, "audio", "audio");
}

static int request(struct request *q)
{
  const struct json_doc *doc = &q->doc;
  uint32_t item = json_get(doc, 0, "item");
  int rc = request_spelling(q, 0, event_members, sizeof event_members / sizeof *event_members);
  if (!rc && !json_is(doc, json_get(doc, 0, "type"), JSON_STRING)) rc = request_expected(q, "type", "a string");
  if (rc) return rc;
  if (!json_string(doc, json_get(doc, 0, "type"), q->arena, &q->out->event.type) ||
      !json_string(doc, json_get(doc, 0, "event_id"), q->arena, &q->out->event.id))
    return VDT_ENOMEM;
  if (item) rc = read_item(q, item, "item");
  if (!rc) rc = read_settings(q, "session");
  if (!rc) rc = read_settings(q, "response");
  return rc ? rc : read_audio(q);
}

/* ---- events of our own ------------------------------------------------------------------------------------------ */

void wire_session_error(const struct wire_session_error *e, struct buf *out)
{
  BUF_LIT(out, "{\"type\":\"error\",\"event_id\":\"event_");
  buf_put(out, e->id);
  buf_printf(out, "\",\"error\":{\"type\":\"%s\",\"code\":\"%s\",\"message\":",
             e->code && vdt_http_status(e->code) >= 500 ? "server_error" : "invalid_request_error",
             e->shield ? "content_filter" : wire_error_name(e->code));
  json_quote(out, e->message);
  BUF_LIT(out, ",\"param\":null,\"event_id\":");
  if (e->about.n) json_quote(out, e->about);
  else BUF_LIT(out, "null");
  if (e->shield) {
    BUF_LIT(out, ",\"content_filter_result\":");
    wire_prompt_annotation(e->shield, out);
  }
  BUF_LIT(out, "}}");
}

static void put_refused(struct str id, const char *type, bool over, struct buf *out)
{
  buf_printf(out, "{\"type\":\"%s\",\"event_id\":\"event_%.*s_%c\",\"response\":{\"object\":\"realtime.response\",", type,
             (int)id.n, id.p, over ? 'd' : 'c');
  buf_printf(out,
             "\"id\":\"resp_%.*s\",\"status\":\"%s\",\"status_details\":%s,\"output\":[],\"metadata\":null,\"usage\":null}}\n",
             (int)id.n, id.p, over ? "incomplete" : "in_progress",
             over ? "{\"type\":\"incomplete\",\"reason\":\"content_filter\"}" : "null");
}

void wire_session_refused(struct str id, struct buf *out)
{
  put_refused(id, "response.created", false, out);
  put_refused(id, "response.done", true, out);
}

/* Whose event it is, by its type; one that we do not know is the client's, of which every string is read. */
static bool is_answer(const struct json_doc *doc)
{
  static const char *const ours[] = {"response.create",
                                     "response.cancel",
                                     "conversation.item.create",
                                     "conversation.item.delete",
                                     "conversation.item.truncate",
                                     "conversation.item.retrieve"};
  static const struct str starts[] = {STR("response."),
                                      STR("conversation."),
                                      STR("session.created"),
                                      STR("session.updated"),
                                      STR("transcription_session.updated"),
                                      STR("input_audio_buffer.committed"),
                                      STR("input_audio_buffer.cleared"),
                                      STR("input_audio_buffer.speech_"),
                                      STR("output_audio_buffer.st"),
                                      STR("rate_limits."),
                                      STR("error")};
  uint32_t type = json_get(doc, 0, "type");
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (json_string_is(doc, type, ours[i])) return false;
  struct str raw = json_is(doc, type, JSON_STRING) ? json_raw(doc, type) : STR("\"\"");
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (str_starts(str_cut(raw, 1, raw.n), starts[i])) return true;
  return false;
}

static const struct text_kind kinds[] = {
    [REALTIME_TEXT] = {"response.output[#].content[#].text", "\"\""},
    [REALTIME_TRANSCRIPT] = {"response.output[#].content[#].transcript", "\"\""},
    [REALTIME_ARGUMENTS] = {"response.output[#].arguments", "\"{}\""},
    [REALTIME_OTHER] = {"other[#]", "\"\""},
};

static const char *const paths[] = {NULL};
static const char *const sessions[] = {"/v1/realtime", "/openai/v1/realtime", "/openai/realtime", NULL};

const struct wire_format wire_openai_realtime = {
    .name = "openai-realtime",
    .paths = paths,
    .sessions = sessions,
    .is_answer = is_answer,
    .kinds = kinds,
    .framing = FRAMING_LINES,
    .repeats = true,
    .request = request,
    .answer = realtime_answer,
    .held = realtime_held,
    .ended = realtime_ended,
    .goodbye = "",
    .blocked = openai_blocked,
    .error = openai_error,
};
