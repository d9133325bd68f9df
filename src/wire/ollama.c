/* ollama: /api/chat, /api/generate and /api/embed of Ollama. A stream is lines of JSON; done: true ends it. */
#include "wire/response.h"

/* ---- requests ---- */

static const char *const body_members[] = {"messages", "prompt", "system", "input", "template", "suffix", "images", "tools"};
static const char *const message_members[] = {"role", "content", "thinking", "images", "tool_calls"};

/* Images are base64 without a name of their kind. */
static int read_images(struct request *q, enum vdt_role role, uint32_t images, const char *origin)
{
  if (!images || !q->doc.nodes[images].count) return VDT_OK;
  request_seen(q, images);
  return request_skip(q, role, origin, "image");
}

static int read_message(struct request *q, uint32_t message, unsigned i)
{
  const struct json_doc *doc = &q->doc;
  if (!json_is(doc, message, JSON_OBJECT)) return request_expected(q, request_origin(q, "messages[%u]", i), "an object");
  enum vdt_role role = request_role(doc, json_get(doc, message, "role"));
  int rc = request_spelling(q, message, message_members, sizeof message_members / sizeof *message_members);
  uint32_t content = json_get(doc, message, "content");
  if (!rc && content) rc = request_content(q, role, content, request_origin(q, "messages[%u].content", i));
  if (!rc) rc = request_strings(q, role, json_get(doc, message, "thinking"), NULL, request_origin(q, "messages[%u].thinking", i));
  if (!rc)
    rc = request_strings(q, VDT_RESPONSE, json_get(doc, message, "tool_calls"), NULL,
                         request_origin(q, "messages[%u].tool_calls", i));
  return rc ? rc : read_images(q, role, json_get(doc, message, "images"), request_origin(q, "messages[%u].images", i));
}

static int request(struct request *q)
{
  static const struct {
    const char *name;
    enum vdt_role role;
  } texts[] = {
      {"system", VDT_SYSTEM}, {"template", VDT_SYSTEM}, {"prompt", VDT_PROMPT}, {"suffix", VDT_PROMPT}, {"input", VDT_PROMPT}};
  const struct json_doc *doc = &q->doc;
  uint32_t messages = json_get(doc, 0, "messages"), stream = json_get(doc, 0, "stream");
  unsigned i = 0;
  int rc = request_spelling(q, 0, body_members, sizeof body_members / sizeof *body_members);
  if (!stream) q->out->stream = true; /* unless told otherwise */
  for (size_t t = 0; t < sizeof texts / sizeof *texts && !rc; t++)
    rc = request_strings(q, texts[t].role, json_get(doc, 0, texts[t].name), NULL, texts[t].name);
  for (uint32_t m = json_is(doc, messages, JSON_ARRAY) ? json_first(doc, messages) : 0; m && !rc; m = json_next(doc, messages, m))
    rc = read_message(q, m, i++);
  if (!rc) rc = read_images(q, VDT_PROMPT, json_get(doc, 0, "images"), "images");
  uint32_t earlier = json_get(doc, 0, "context");
  if (!rc && earlier && doc->nodes[earlier].count) rc = request_skip(q, VDT_PROMPT, "context", "token ids");
  return rc ? rc : request_tools(q, "tools");
}

/* ---- answers ---- */

enum { CONTENT, THINKING, RESPONSE, PLAIN_THINKING, CALL };

static const struct text_kind kinds[] = {
    [CONTENT] = {"message.content", "\"\""}, [THINKING] = {"message.thinking", "\"\""},  [RESPONSE] = {"response", "\"\""},
    [PLAIN_THINKING] = {"thinking", "\"\""}, [CALL] = {"message.tool_calls[#]", "\"\""},
};

static void put_line(struct wire_response *r, unsigned kind, struct str text, const char *end, struct buf *out)
{
  static const char *const begins[] = {[CONTENT] = "\"message\":{\"role\":\"assistant\",\"content\":",
                                       [THINKING] = "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":",
                                       [RESPONSE] = "\"response\":",
                                       [PLAIN_THINKING] = "\"response\":\"\",\"thinking\":"};
  BUF_LIT(out, "{");
  if (r->head.n) buf_put(out, buf_str(&r->head));
  else BUF_LIT(out, "\"model\":\"\",");
  buf_put(out, str_of(begins[kind]));
  json_quote(out, text);
  buf_printf(out, "%s,\"done\":%s}\n", kind <= THINKING ? "}" : "", end);
}

static void held(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out)
{
  (void)c;
  put_line(r, ch->kind == CALL ? CONTENT : ch->kind, text, "false", out);
}

static void ended(struct wire_response *r, const struct choice *c, struct buf *out)
{
  bool generate = c->channels && (c->channels->kind == RESPONSE || c->channels->kind == PLAIN_THINKING);
  put_line(r, generate ? RESPONSE : CONTENT, STR(""), "true,\"done_reason\":\"content_filter\"", out);
}

/* Members of the first line, for lines of our own. */
static void keep_head(struct wire_response *r)
{
  static const char *const names[] = {"model", "created_at"};
  for (size_t i = 0; i < 2 && r->head.n < 4096; i++) {
    uint32_t node = json_get(&r->doc, 0, names[i]);
    if (!json_is(&r->doc, node, JSON_STRING)) continue;
    buf_printf(&r->head, "\"%s\":", names[i]);
    buf_put(&r->head, json_raw(&r->doc, node));
    BUF_LIT(&r->head, ",");
  }
}

static void keep_usage(struct wire_response *r)
{
  json_u64(&r->doc, json_get(&r->doc, 0, "prompt_eval_count"), &r->info.prompt_tokens);
  json_u64(&r->doc, json_get(&r->doc, 0, "eval_count"), &r->info.completion_tokens);
  r->info.total_tokens = r->info.prompt_tokens + r->info.completion_tokens;
}

/* The texts of a line in their order; at the end of the answer, what the line does not go on with is flushed first. */
static int read_texts(struct wire_response *r, struct choice *c, bool last, struct text_effect *effect)
{
  uint32_t message = json_get(&r->doc, 0, "message");
  struct text_ref refs[] = {{CONTENT, {0}, wire_get(&r->doc, message, "content")},
                            {THINKING, {0}, wire_get(&r->doc, message, "thinking")},
                            {RESPONSE, {0}, json_get(&r->doc, 0, "response")},
                            {PLAIN_THINKING, {0}, json_get(&r->doc, 0, "thinking")}};
  int rc = VDT_OK;
  for (size_t i = 0; i < 4 && !rc && last && response_streams(r); i++) {
    struct channel *open = channel_open(c, refs[i].kind, refs[i].at);
    bool goes_on =
        json_is(&r->doc, refs[i].node, JSON_STRING) && r->doc.nodes[refs[i].node].end - r->doc.nodes[refs[i].node].start > 2;
    if (open && !goes_on && !c->cut) rc = channel_flush(r, c, open);
  }
  for (size_t i = 0; i < 4 && !rc; i++) {
    bool empty =
        !json_is(&r->doc, refs[i].node, JSON_STRING) || r->doc.nodes[refs[i].node].end - r->doc.nodes[refs[i].node].start == 2;
    if (!empty) rc = channel_read(r, c, &refs[i], last, effect);
  }
  struct text_ref call = {CALL, {0}, 0};
  return rc ? rc : channel_strings(r, c, &call, 0, wire_get(&r->doc, message, "tool_calls"), effect);
}

/* The token ids of the whole conversation: they say again what was masked. */
static int forget_context(struct wire_response *r, const struct choice *c)
{
  bool forget = c->cut || response_masked(r, c);
  return forget ? response_replace(r, json_get(&r->doc, 0, "context"), STR("[]")) : VDT_OK;
}

static int end_answer(struct wire_response *r, struct choice *c)
{
  struct str reason;
  int rc = forget_context(r, c);
  if (rc) return rc;
  if (!json_string(&r->doc, json_get(&r->doc, 0, "done_reason"), r->scratch, &reason)) return VDT_ENOMEM;
  c->finished = true;
  response_finish_reason(r, c->cut ? STR("content_filter") : reason.n ? reason : STR("stop"));
  return c->cut ? response_set(r, 0, "done_reason", STR("\"content_filter\"")) : VDT_OK;
}

/* A whole answer of which nothing may be shown. */
static int block_whole(struct wire_response *r, size_t edits_before)
{
  r->edits.n = edits_before;
  int rc = response_replace(r, json_get(&r->doc, 0, "logprobs"), STR("null"));
  if (!rc) rc = response_replace(r, json_get(&r->doc, 0, "message"), STR("{\"role\":\"assistant\",\"content\":\"\"}"));
  if (!rc) rc = response_replace(r, json_get(&r->doc, 0, "response"), STR("\"\""));
  return rc ? rc : response_replace(r, json_get(&r->doc, 0, "thinking"), STR("\"\""));
}

static int answer(struct wire_response *r)
{
  struct choice *c = choice_find(r, 0);
  struct text_effect effect = {0};
  size_t edits_before = r->edits.n;
  bool last = !response_streams(r) || json_is(&r->doc, json_get(&r->doc, 0, "done"), JSON_TRUE);
  if (!c) return VDT_ENOMEM;
  if (!r->head.n) keep_head(r);
  keep_usage(r);
  int rc = response_keep(r, 0, "model", &r->info.model);
  if (!rc && response_streams(r) && json_get(&r->doc, 0, "error")) rc = choice_flush(r, c); /* clients stop there */
  if (!rc) rc = read_texts(r, c, last, &effect);
  if (!rc && (effect.changed || c->cut)) rc = response_replace(r, json_get(&r->doc, 0, "logprobs"), STR("null"));
  if (!rc && effect.block && !response_streams(r)) rc = block_whole(r, edits_before);
  if (!rc && last) return end_answer(r, c);
  if (rc || !c->cut) return rc;
  response_finish_reason(r, STR("content_filter"));
  ended(r, c, &r->after);
  return VDT_OK;
}

/* ---- bodies ---- */

static void error(int code, const char *name, struct str message, struct buf *out)
{
  (void)code, (void)name;
  BUF_LIT(out, "{\"error\":");
  json_quote(out, message);
  BUF_LIT(out, "}");
}

static void blocked(const struct wire_shield *shield, struct str message, struct buf *out)
{
  BUF_LIT(out, "{\"error\":");
  json_quote(out, message);
  BUF_LIT(out, ",\"code\":\"content_filter\",\"content_filter_result\":");
  wire_prompt_annotation(shield, out);
  BUF_LIT(out, "}");
}

static const char *const paths[] = {"/api/chat", "/api/generate", "/api/embed", "/api/embeddings", NULL};

const struct wire_format wire_ollama = {
    .name = "ollama",
    .paths = paths,
    .members = {"message", "response", "done"},
    .kinds = kinds,
    .framing = FRAMING_LINES,
    .request = request,
    .answer = answer,
    .held = held,
    .ended = ended,
    .goodbye = "",
    .blocked = blocked,
    .error = error,
};
