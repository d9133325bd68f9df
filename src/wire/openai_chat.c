/* openai-chat: Chat Completions of OpenAI, Azure OpenAI and everything that speaks like them. */
#include "wire/response.h"

/* ---- requests ---- */

static const char *const message_members[] = {"role", "content", "refusal", "tool_calls", "function_call"};
static const char *const body_members[] = {"messages", "tools", "functions", "prediction", "documents"};

/* Calls of tools that an assistant made earlier: a leak may hide in the arguments. */
static int read_calls(struct request *q, uint32_t calls, const char *origin)
{
  const struct json_doc *doc = &q->doc;
  unsigned i = 0;
  for (uint32_t c = json_first(doc, calls); c; c = json_next(doc, calls, c), i++) {
    uint32_t arguments = wire_get(doc, wire_get(doc, c, "function"), "arguments");
    uint32_t input = wire_get(doc, wire_get(doc, c, "custom"), "input");
    int rc = request_strings(q, VDT_RESPONSE, arguments, NULL, request_origin(q, "%s[%u].function.arguments", origin, i));
    if (!rc) rc = request_strings(q, VDT_RESPONSE, input, NULL, request_origin(q, "%s[%u].custom.input", origin, i));
    if (rc) return rc;
  }
  return VDT_OK;
}

/* Names and ids: nothing in them is read by a model as text. */
static bool plain_member(struct str name)
{
  static const char *const names[] = {"role", "name", "tool_call_id", "id", "type", "weight"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (str_eq(name, str_of(names[i]))) return true;
  return false;
}

static int read_member(struct request *q, enum vdt_role role, uint32_t member, unsigned message)
{
  struct str name;
  if (!json_key(&q->doc, member, q->arena, &name)) return VDT_ENOMEM;
  if (plain_member(name)) return VDT_OK;
  if (str_eq(name, STR("content"))) return request_content(q, role, member, request_origin(q, "messages[%u].content", message));
  if (str_eq(name, STR("tool_calls"))) return read_calls(q, member, request_origin(q, "messages[%u].tool_calls", message));
  if (str_eq(name, STR("function_call")))
    return request_strings(q, VDT_RESPONSE, wire_get(&q->doc, member, "arguments"), NULL,
                           request_origin(q, "messages[%u].function_call.arguments", message));
  if (str_eq(name, STR("refusal"))) return request_text(q, role, member, request_origin(q, "messages[%u].refusal", message));
  /* Whatever else a server may put before its model is not lost; the name is the client's and stays out of the origin.
   */
  return request_strings(q, role, member, NULL, request_origin(q, "messages[%u].other", message));
}

static int read_message(struct request *q, uint32_t message, unsigned i)
{
  const struct json_doc *doc = &q->doc;
  if (!json_is(doc, message, JSON_OBJECT)) return request_expected(q, request_origin(q, "messages[%u]", i), "an object");
  enum vdt_role role = request_role(doc, json_get(doc, message, "role"));
  int strict = request_spelling(q, message, message_members, sizeof message_members / sizeof *message_members);
  if (strict) return strict;
  for (uint32_t m = json_first(doc, message); m; m = json_next(doc, message, m)) {
    int rc = read_member(q, role, m, i);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int request(struct request *q)
{
  const struct json_doc *doc = &q->doc;
  uint32_t messages = json_get(doc, 0, "messages");
  unsigned i = 0;
  int rc = request_spelling(q, 0, body_members, sizeof body_members / sizeof *body_members);
  if (rc) return rc;
  if (!json_is(doc, messages, JSON_ARRAY)) return request_expected(q, "messages", "an array");
  for (uint32_t m = json_first(doc, messages); m; m = json_next(doc, messages, m), i++) {
    rc = read_message(q, m, i);
    if (rc) return rc;
  }
  uint32_t prediction = wire_get(doc, json_get(doc, 0, "prediction"), "content");
  rc = request_strings(q, VDT_PROMPT, prediction, NULL, "prediction.content");
  if (!rc) rc = request_strings(q, VDT_DOCUMENT, json_get(doc, 0, "documents"), NULL, "documents");
  if (!rc) rc = request_tools(q, "tools");
  return rc ? rc : request_tools(q, "functions");
}

/* ---- responses ---- */

enum { CONTENT, REFUSAL, REASONING_CONTENT, REASONING, ARGUMENTS, INPUT, FUNCTION_ARGUMENTS, TRANSCRIPT, OTHER };

static const struct text_kind kinds[] = {
    [CONTENT] = {"choices[#].message.content", "\"\""},
    [REFUSAL] = {"choices[#].message.refusal", "\"\""},
    [REASONING_CONTENT] = {"choices[#].message.reasoning_content", "\"\""},
    [REASONING] = {"choices[#].message.reasoning", "\"\""},
    [ARGUMENTS] = {"choices[#].message.tool_calls[#].function.arguments", "\"{}\""},
    [INPUT] = {"choices[#].message.tool_calls[#].custom.input", "\"\""},
    [FUNCTION_ARGUMENTS] = {"choices[#].message.function_call.arguments", "\"{}\""},
    [TRANSCRIPT] = {"choices[#].message.audio.transcript", "\"\""},
    [OTHER] = {"choices[#].message.other[#]", "\"\""},
};

#define CALL "\"delta\":{\"tool_calls\":[{\"index\":"
static const struct choices_chunk chunks[] = {
    [CONTENT] = {"\"delta\":{\"content\":", NULL, "}"},
    [REFUSAL] = {"\"delta\":{\"refusal\":", NULL, "}"},
    [REASONING_CONTENT] = {"\"delta\":{\"reasoning_content\":", NULL, "}"},
    [REASONING] = {"\"delta\":{\"reasoning\":", NULL, "}"},
    [ARGUMENTS] = {CALL, ",\"function\":{\"arguments\":", "}}]}"},
    [INPUT] = {CALL, ",\"custom\":{\"input\":", "}}]}"},
    [FUNCTION_ARGUMENTS] = {"\"delta\":{\"function_call\":{\"arguments\":", NULL, "}}"},
    [TRANSCRIPT] = {"\"delta\":{\"audio\":{\"transcript\":", NULL, "}}"},
};

/* Content is a string; some servers give parts, whose texts make one text. */
static int content_texts(struct texts *t, uint32_t content)
{
  if (!json_is(t->doc, content, JSON_ARRAY)) return texts_add(t, CONTENT, 0, content);
  for (uint32_t p = json_first(t->doc, content); p; p = json_next(t->doc, content, p)) {
    uint32_t text = json_get(t->doc, p, "text");
    if (!json_is(t->doc, text, JSON_STRING)) t->skipped = "content part that is no text";
    int rc = texts_add(t, CONTENT, 0, text);
    if (rc) return rc;
  }
  return VDT_OK;
}

/* In a chunk the index says which call goes on; in a whole message every call is a text of its own. */
static int call_texts(struct texts *t, uint32_t calls, bool delta)
{
  uint64_t place = 0;
  for (uint32_t c = json_first(t->doc, calls); c; c = json_next(t->doc, calls, c), place++) {
    uint64_t index = place;
    if (delta) json_u64(t->doc, json_get(t->doc, c, "index"), &index);
    int rc = texts_add(t, ARGUMENTS, index, wire_get(t->doc, json_get(t->doc, c, "function"), "arguments"));
    if (!rc) rc = texts_add(t, INPUT, index, wire_get(t->doc, json_get(t->doc, c, "custom"), "input"));
    if (rc) return rc;
  }
  return VDT_OK;
}

/* Sound is not read, and what is said in it is. */
static int audio_texts(struct texts *t, uint32_t audio)
{
  uint32_t data = wire_get(t->doc, audio, "data");
  if (!json_is(t->doc, audio, JSON_OBJECT)) return VDT_OK;
  t->skipped = "audio";
  if (json_is(t->doc, data, JSON_STRING)) t->sound = data;
  return texts_add(t, TRANSCRIPT, 0, json_get(t->doc, audio, "transcript"));
}

/* Members of other servers, and sources: each string is a text. Only sources are known to come whole in a stream. */
static int other_texts(struct texts *t, uint32_t member, struct str name, bool delta)
{
  unsigned before = t->others;
  int rc = texts_others(t, OTHER, member);
  bool sources = str_eq(name, STR("annotations")) || str_eq(name, STR("context"));
  if (delta && !sources && t->others > before && !t->skipped) t->skipped = "unknown member";
  return rc;
}

static int member_texts(struct texts *t, uint32_t member, struct str name, bool delta)
{
  if (str_eq(name, STR("role"))) return VDT_OK;
  if (str_eq(name, STR("content"))) return content_texts(t, member);
  if (str_eq(name, STR("refusal"))) return texts_add(t, REFUSAL, 0, member);
  if (str_eq(name, STR("reasoning_content"))) return texts_add(t, REASONING_CONTENT, 0, member);
  if (str_eq(name, STR("reasoning"))) return texts_add(t, REASONING, 0, member);
  if (str_eq(name, STR("tool_calls"))) return call_texts(t, member, delta);
  if (str_eq(name, STR("function_call"))) return texts_add(t, FUNCTION_ARGUMENTS, 0, wire_get(t->doc, member, "arguments"));
  if (str_eq(name, STR("audio"))) return audio_texts(t, member);
  if (!str_eq(name, STR("images")) || !json_is(t->doc, member, JSON_ARRAY)) return other_texts(t, member, name, delta);
  t->skipped = "image";
  return VDT_OK;
}

static int texts(struct texts *t, uint32_t choice, bool delta)
{
  uint32_t message = json_get(t->doc, choice, delta ? "delta" : "message");
  if (json_is(t->doc, json_get(t->doc, choice, delta ? "message" : "delta"), JSON_OBJECT) ||
      json_is(t->doc, json_get(t->doc, choice, "text"), JSON_STRING))
    t->skipped = "unknown member";
  for (uint32_t m = message ? json_first(t->doc, message) : 0; m; m = json_next(t->doc, message, m)) {
    struct str name;
    if (!json_key(t->doc, m, t->arena, &name)) return VDT_ENOMEM;
    int rc = member_texts(t, m, name, delta);
    if (rc) return rc;
  }
  return VDT_OK;
}

static const struct choices_shape shape = {
    .chunks = chunks,
    .object = "chat.completion.chunk",
    .ended = "\"delta\":{}",
    .blocked = "message",
    .blocked_value = "{\"role\":\"assistant\",\"content\":null}",
    .texts = texts,
    .whole = 1 << OTHER,
};

static const char *const paths[] = {"/v1/chat/completions", "/openai/v1/chat/completions",
                                    "/openai/deployments/*/chat/completions", "/models/chat/completions", NULL};

const struct wire_format wire_openai_chat = {
    .name = "openai-chat",
    .paths = paths,
    .members = {"choices"},
    .kinds = kinds,
    .request = request,
    .answer = choices_answer,
    .held = choices_held,
    .ended = choices_ended,
    .goodbye = "data: [DONE]\n\n",
    .blocked = openai_blocked,
    .error = openai_error,
    .choices = &shape,
};
