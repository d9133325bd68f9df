/*
 * anthropic: Messages of Anthropic. Content is blocks; a stream is typed events, in which one block is open at a time. What we cut ends
 * with stop_reason "refusal", as Anthropic's own classifiers end it.
 */
#include "wire/response.h"

/* ---- requests ---- */

static const char *const body_members[] = {"messages", "system", "tools", "max_tokens"};
static const char *const block_members[] = {"type", "text", "content", "source", "input", "thinking"};

static int read_content(struct request *q, enum vdt_role role, uint32_t content, const char *origin);

static bool is_type(const struct json_doc *doc, uint32_t node, const char *type)
{
  return json_string_is(doc, json_get(doc, node, "type"), type);
}

/* An image or a document: bytes with their type, plain text, blocks, or an address. */
static int read_source(struct request *q, enum vdt_role role, uint32_t block, uint32_t source, const char *origin)
{
  const struct json_doc *doc = &q->doc;
  const char *why = is_type(doc, block, "image") ? "image" : "file";
  uint32_t data = json_get(doc, source, "data"), content = json_get(doc, source, "content");
  enum vdt_role as = role == VDT_PROMPT ? VDT_DOCUMENT : role;
  if (json_is(doc, data, JSON_STRING) && is_type(doc, source, "text"))
    return request_text(q, as, data, request_origin(q, "%s.source.data", origin));
  if (json_is(doc, data, JSON_STRING)) return request_bytes(q, role, json_get(doc, source, "media_type"), data, origin, why);
  if (content) return read_content(q, as, content, request_origin(q, "%s.source.content", origin));
  return request_skip(q, role, origin, why);
}

/* What came back from a tool or a search, whoever ran it. */
static bool is_result(const struct json_doc *doc, uint32_t block)
{
  static const char *const types[] = {"tool_result",
                                      "search_result",
                                      "web_search_result",
                                      "web_search_tool_result",
                                      "web_fetch_tool_result",
                                      "mcp_tool_result",
                                      "document",
                                      "code_execution_tool_result",
                                      "tool_search_tool_result",
                                      "bash_code_execution_tool_result",
                                      "text_editor_code_execution_tool_result"};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (is_type(doc, block, types[i])) return true;
  return false;
}

/* What a source is called and where it comes from is the source's word as well. */
static int read_labels(struct request *q, uint32_t block, const char *origin)
{
  static const char *const names[] = {"title", "context", "source", "url", "page_age"};
  int rc = VDT_OK;
  for (size_t i = 0; i < sizeof names / sizeof *names && !rc; i++) {
    uint32_t node = json_get(&q->doc, block, names[i]);
    if (json_is(&q->doc, node, JSON_STRING))
      rc = request_text(q, VDT_DOCUMENT, node, request_origin(q, "%s.%s", origin, names[i]));
  }
  return rc;
}

static int read_block(struct request *q, enum vdt_role role, uint32_t block, const char *origin)
{
  const struct json_doc *doc = &q->doc;
  if (!origin) return VDT_ENOMEM;
  if (json_is(doc, block, JSON_STRING)) return request_text(q, role, block, origin);
  if (!json_is(doc, block, JSON_OBJECT)) return request_expected(q, origin, "an object");
  int rc = request_spelling(q, block, block_members, sizeof block_members / sizeof *block_members);
  if (is_result(doc, block)) {
    role = VDT_DOCUMENT;
    if (!rc) rc = read_labels(q, block, origin);
  }
  uint32_t text = json_get(doc, block, "text"), thinking = json_get(doc, block, "thinking");
  uint32_t content = json_get(doc, block, "content"), source = json_get(doc, block, "source");
  if (!rc && json_is(doc, text, JSON_STRING)) rc = request_text(q, role, text, request_origin(q, "%s.text", origin));
  if (!rc && json_is(doc, thinking, JSON_STRING)) rc = request_text(q, role, thinking, request_origin(q, "%s.thinking", origin));
  if (!rc && json_is(doc, source, JSON_OBJECT)) rc = read_source(q, role, block, source, origin);
  if (!rc && (json_is(doc, content, JSON_STRING) || json_is(doc, content, JSON_ARRAY)))
    rc = read_content(q, role, content, request_origin(q, "%s.content", origin));
  else if (!rc && content) rc = request_strings(q, role, content, NULL, request_origin(q, "%s.content", origin));
  if (!rc) rc = request_strings(q, role, json_get(doc, block, "input"), NULL, request_origin(q, "%s.input", origin));
  if (is_type(doc, block, "redacted_thinking")) request_seen(q, block);
  request_seen(q, json_get(doc, block, "signature"));
  return rc;
}

static int read_content(struct request *q, enum vdt_role role, uint32_t content, const char *origin)
{
  unsigned i = 0;
  int rc = VDT_OK;
  if (!origin) return VDT_ENOMEM;
  if (json_is(&q->doc, content, JSON_STRING)) return request_text(q, role, content, origin);
  if (json_is(&q->doc, content, JSON_NULL)) return VDT_OK;
  if (!json_is(&q->doc, content, JSON_ARRAY)) return request_expected(q, origin, "a string or an array");
  for (uint32_t b = json_first(&q->doc, content); b && !rc; b = json_next(&q->doc, content, b))
    rc = read_block(q, role, b, request_origin(q, "%s[%u]", origin, i++));
  return rc;
}

static int request(struct request *q)
{
  const struct json_doc *doc = &q->doc;
  uint32_t messages = json_get(doc, 0, "messages"), rules = json_get(doc, 0, "system");
  unsigned i = 0;
  int rc = request_spelling(q, 0, body_members, sizeof body_members / sizeof *body_members);
  if (rc) return rc;
  if (!json_is(doc, messages, JSON_ARRAY)) return request_expected(q, "messages", "an array");
  if (rules) rc = read_content(q, VDT_SYSTEM, rules, "system");
  for (uint32_t m = json_first(doc, messages); m && !rc; m = json_next(doc, messages, m), i++) {
    if (!json_is(doc, m, JSON_OBJECT)) return request_expected(q, request_origin(q, "messages[%u]", i), "an object");
    uint32_t content = json_get(doc, m, "content");
    if (content)
      rc = read_content(q, request_role(doc, json_get(doc, m, "role")), content, request_origin(q, "messages[%u].content", i));
  }
  return rc ? rc : request_tools(q, "tools");
}

/* ---- answers ---- */

enum { TEXT, THINKING, INPUT_JSON, INPUT, OTHER };

static const struct text_kind kinds[] = {
    [TEXT] = {"content[#].text", "\"\""},        [THINKING] = {"content[#].thinking", "\"\""},
    [INPUT_JSON] = {"content[#].input", "\"\""}, [INPUT] = {"content[#].input[#]", "\"\""},
    [OTHER] = {"content[#].other[#]", "\"\""},
};

/* The pieces that a delta brings, and how it is called. */
static const struct {
  const char *type, *member;
} deltas[] = {[TEXT] = {"text_delta", "text"},
              [THINKING] = {"thinking_delta", "thinking"},
              [INPUT_JSON] = {"input_json_delta", "partial_json"}};

struct state {
  bool open; /* a block has begun and not ended */
  unsigned index;
};

static struct state *state_of(struct wire_response *r)
{
  if (!r->state) r->state = arena_zalloc(r->arena, 1, sizeof(struct state));
  return r->state;
}

/* ---- events of our own ---- */

static void held(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out)
{
  unsigned kind = ch->kind <= INPUT_JSON ? ch->kind : TEXT;
  (void)r, (void)c;
  buf_printf(
      out, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":%u,\"delta\":{\"type\":\"%s\",\"%s\":",
      ch->at[0], deltas[kind].type, deltas[kind].member);
  json_quote(out, text);
  BUF_LIT(out, "}}\n\n");
}

static void ended(struct wire_response *r, const struct choice *c, struct buf *out)
{
  const struct state *s = state_of(r);
  (void)c;
  if (s && s->open)
    buf_printf(out, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":%u}\n\n", s->index);
  buf_printf(
      out,
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\",\"stop_sequence\":null},"
      "\"usage\":{\"output_tokens\":%llu}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
      (unsigned long long)r->info.completion_tokens);
}

/* ---- reading ---- */

static void keep_usage(struct wire_response *r, uint32_t from)
{
  uint32_t usage = wire_get(&r->doc, from, "usage");
  json_u64(&r->doc, wire_get(&r->doc, usage, "input_tokens"), &r->info.prompt_tokens);
  json_u64(&r->doc, wire_get(&r->doc, usage, "output_tokens"), &r->info.completion_tokens);
  r->info.total_tokens = r->info.prompt_tokens + r->info.completion_tokens;
}

/* A member of a block: the texts that we know are whole, or the beginning of a text whose pieces follow. */
static int read_member(struct wire_response *r, struct choice *c, uint32_t member, unsigned index, unsigned *others,
                       struct text_effect *effect)
{
  static const char *const plain[] = {"type", "id",        "name",        "tool_use_id", "signature",
                                      "data", "citations", "server_name", "caller"};
  struct str name;
  if (!json_key(&r->doc, member, r->scratch, &name)) return VDT_ENOMEM;
  for (unsigned kind = TEXT; kind <= THINKING; kind++) {
    struct text_ref ref = {kind, {index}, member};
    if (!str_eq(name, str_of(deltas[kind].member)) || !json_is(&r->doc, member, JSON_STRING)) continue;
    return response_streams(r) ? channel_read(r, c, &ref, false, effect) : channel_whole(r, c, &ref, effect);
  }
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (str_eq(name, str_of(plain[i])) && !str_eq(name, STR("citations"))) return VDT_OK;
  struct text_ref ref = {str_eq(name, STR("input")) ? INPUT : OTHER, {index, *others}, 0};
  int rc = (ref.kind == INPUT ? channel_strings : channel_others)(r, c, &ref, 1, member, effect);
  *others = ref.at[1];
  return rc;
}

static int read_answer_block(struct wire_response *r, struct choice *c, uint32_t block, uint64_t index,
                             struct text_effect *effect)
{
  unsigned others = 0;
  int rc = VDT_OK;
  if (!json_is(&r->doc, block, JSON_OBJECT)) return VDT_ESYNTAX;
  if (index >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  for (uint32_t m = json_first(&r->doc, block); m && !rc; m = json_next(&r->doc, block, m))
    rc = read_member(r, c, m, (unsigned)index, &others, effect);
  return rc;
}

static int read_blocks(struct wire_response *r, struct choice *c, uint32_t content, struct text_effect *effect)
{
  uint64_t index = 0;
  int rc = VDT_OK;
  for (uint32_t b = json_is(&r->doc, content, JSON_ARRAY) ? json_first(&r->doc, content) : 0; b && !rc;
       b = json_next(&r->doc, content, b))
    rc = read_answer_block(r, c, b, index++, effect);
  return rc;
}

static int note_reason(struct wire_response *r, uint32_t node, const struct choice *c)
{
  struct str reason;
  if (!json_string(&r->doc, node, r->scratch, &reason)) return VDT_ENOMEM;
  if (c->cut) reason = STR("content_filter");
  if (str_eq(reason, STR("refusal"))) r->info.upstream.completion_filtered = true;
  response_finish_reason(r, str_eq(reason, STR("end_turn")) ? STR("stop") : reason);
  return VDT_OK;
}

static int read_whole(struct wire_response *r, struct choice *c)
{
  uint32_t content = json_get(&r->doc, 0, "content");
  struct text_effect effect = {0};
  size_t edits_before = r->edits.n;
  if (!content && json_get(&r->doc, 0, "input_tokens")) return VDT_OK; /* a count of tokens */
  if (!json_is(&r->doc, content, JSON_ARRAY)) return VDT_ESYNTAX;
  keep_usage(r, 0);
  int rc = response_keep(r, 0, "id", &r->info.id);
  if (!rc) rc = response_keep(r, 0, "model", &r->info.model);
  if (!rc) rc = read_blocks(r, c, content, &effect);
  if (!rc) rc = note_reason(r, json_get(&r->doc, 0, "stop_reason"), c);
  if (!rc && effect.block) {
    r->edits.n = edits_before;
    rc = response_replace(r, content, STR("[]"));
  }
  if (!rc && c->cut) rc = response_set(r, 0, "stop_reason", STR("\"refusal\""));
  c->finished = true;
  return rc;
}

static int read_delta(struct wire_response *r, struct choice *c, uint64_t index, bool *piece)
{
  uint32_t delta = json_get(&r->doc, 0, "delta");
  struct text_effect effect = {0};
  if (!json_is(&r->doc, delta, JSON_OBJECT)) return VDT_ESYNTAX;
  if (index >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  for (unsigned kind = TEXT; kind <= INPUT_JSON; kind++) {
    struct text_ref ref = {kind, {(unsigned)index}, json_get(&r->doc, delta, deltas[kind].member)};
    if (!json_is(&r->doc, ref.node, JSON_STRING)) continue;
    *piece = true;
    return channel_read(r, c, &ref, false, &effect);
  }
  if (is_type(&r->doc, delta, "signature_delta")) return VDT_OK;
  if (!is_type(&r->doc, delta, "citations_delta")) response_not_inspected(r, "delta of an unknown kind");
  return read_answer_block(r, c, delta, index, &effect);
}

/* Nothing follows in the block. */
static int end_block(struct wire_response *r, struct choice *c, uint64_t index)
{
  int rc = VDT_OK;
  for (struct channel *ch = c->channels; ch && !rc && !c->cut; ch = ch->next)
    if (!ch->closed && ch->at[0] == index) rc = channel_flush(r, c, ch);
  return rc;
}

static int read_start(struct wire_response *r, struct choice *c, struct state *s, uint64_t index)
{
  struct text_effect effect = {0};
  s->open = true;
  s->index = (unsigned)index;
  return read_answer_block(r, c, json_get(&r->doc, 0, "content_block"), index, &effect);
}

static int read_message_start(struct wire_response *r, struct choice *c)
{
  uint32_t message = json_get(&r->doc, 0, "message");
  struct text_effect effect = {0};
  if (!json_is(&r->doc, message, JSON_OBJECT)) return VDT_ESYNTAX;
  keep_usage(r, message);
  int rc = response_keep(r, message, "id", &r->info.id);
  if (!rc) rc = response_keep(r, message, "model", &r->info.model);
  return rc ? rc : read_blocks(r, c, json_get(&r->doc, message, "content"), &effect);
}

static int read_message_delta(struct wire_response *r, struct choice *c)
{
  keep_usage(r, 0);
  uint32_t usage = json_get(&r->doc, 0, "usage");
  json_u64(&r->doc, wire_get(&r->doc, usage, "output_tokens"), &r->info.completion_tokens);
  int rc = choice_flush(r, c);
  uint32_t reason = wire_get(&r->doc, json_get(&r->doc, 0, "delta"), "stop_reason");
  return rc || !json_is(&r->doc, reason, JSON_STRING) ? rc : note_reason(r, reason, c);
}

static int read_event(struct wire_response *r, struct choice *c, struct state *s, bool *piece)
{
  uint64_t index = 0;
  struct str type;
  if (!json_string(&r->doc, json_get(&r->doc, 0, "type"), r->scratch, &type)) return VDT_ENOMEM;
  if (type.n == 0) type = r->event;
  json_u64(&r->doc, json_get(&r->doc, 0, "index"), &index);
  if (str_eq(type, STR("content_block_delta"))) return read_delta(r, c, index, piece);
  if (str_eq(type, STR("content_block_start"))) return read_start(r, c, s, index);
  if (str_eq(type, STR("content_block_stop"))) {
    int rc = end_block(r, c, index);
    if (!c->cut) s->open = false;
    return rc;
  }
  if (str_eq(type, STR("message_start"))) return read_message_start(r, c);
  if (str_eq(type, STR("message_delta"))) return read_message_delta(r, c);
  if (str_eq(type, STR("message_stop"))) {
    c->finished = true;
    return choice_flush(r, c);
  }
  if (str_eq(type, STR("error"))) return choice_flush(r, c); /* clients stop there */
  if (!str_eq(type, STR("ping"))) response_not_inspected(r, "event of an unknown kind");
  return VDT_OK;
}

static int answer(struct wire_response *r)
{
  struct choice *c = choice_find(r, 0);
  struct state *s = state_of(r);
  bool piece = false;
  if (!c || !s) return VDT_ENOMEM;
  if (!response_streams(r)) return read_whole(r, c);
  int rc = read_event(r, c, s, &piece);
  if (rc || !c->cut) return rc;
  r->drop = !piece; /* the end of a block or of the message: ours takes its place */
  response_finish_reason(r, STR("content_filter"));
  ended(r, c, &r->after);
  return VDT_OK;
}

/* ---- bodies ---- */

static void error(int code, const char *name, struct str message, struct buf *out)
{
  int status = vdt_http_status(code);
  const char *type = status == 401   ? "authentication_error"
                     : status == 404 ? "not_found_error"
                     : status == 413 ? "request_too_large"
                     : status < 500  ? "invalid_request_error"
                                     : "api_error";
  buf_printf(out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"code\":\"%s\",\"message\":", type, name);
  json_quote(out, message);
  BUF_LIT(out, "}}");
}

static void blocked(const struct wire_shield *shield, struct str message, struct buf *out)
{
  BUF_LIT(out, "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"code\":\"content_filter\",\"message\":");
  json_quote(out, message);
  BUF_LIT(out, ",\"content_filter_result\":");
  wire_prompt_annotation(shield, out);
  BUF_LIT(out, "}}");
}

static const char *const paths[] = {"/v1/messages", "/anthropic/v1/messages", "/v1/messages/count_tokens",
                                    "/anthropic/v1/messages/count_tokens", NULL};

const struct wire_format wire_anthropic = {
    .name = "anthropic",
    .paths = paths,
    .members = {"content", "stop_reason"},
    .kinds = kinds,
    .request = request,
    .answer = answer,
    .held = held,
    .ended = ended,
    .goodbye = "",
    .blocked = blocked,
    .error = error,
};
