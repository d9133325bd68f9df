/*
 * google: generateContent and streamGenerateContent of Google, on the paths of Gemini and of Vertex. A stream is server-sent events
 * (alt=sse) or one array of the same objects. The text of a candidate goes on from event to event and from part to part.
 */
#include "wire/response.h"

/* ---- requests ---- */

/* Both spellings of a member that may be written either way. */
static uint32_t either(const struct json_doc *doc, uint32_t node, const char *camel, const char *snake)
{
  uint32_t found = json_get(doc, node, camel);
  return found ? found : json_get(doc, node, snake);
}

static int read_part(struct request *q, enum vdt_role role, uint32_t part, const char *origin)
{
  const struct json_doc *doc = &q->doc;
  if (!origin) return VDT_ENOMEM;
  if (json_is(doc, part, JSON_STRING)) return request_text(q, role, part, origin);
  if (!json_is(doc, part, JSON_OBJECT)) return request_expected(q, origin, "an object");
  uint32_t text = json_get(doc, part, "text"), data = either(doc, part, "inlineData", "inline_data");
  uint32_t call = either(doc, part, "functionCall", "function_call"),
           result = either(doc, part, "functionResponse", "function_response");
  int rc = json_is(doc, text, JSON_STRING) ? request_text(q, role, text, request_origin(q, "%s.text", origin)) : VDT_OK;
  if (!rc && data)
    rc = request_bytes(q, role, either(doc, data, "mimeType", "mime_type"), wire_get(doc, data, "data"), origin, "file");
  if (!rc && either(doc, part, "fileData", "file_data")) rc = request_skip(q, role, origin, "file");
  if (!rc)
    rc = request_strings(q, VDT_RESPONSE, wire_get(doc, call, "args"), NULL, request_origin(q, "%s.functionCall.args", origin));
  if (!rc)
    rc = request_strings(q, VDT_DOCUMENT, wire_get(doc, result, "response"), NULL,
                         request_origin(q, "%s.functionResponse", origin));
  if (!rc)
    rc = request_strings(q, VDT_RESPONSE, wire_get(doc, either(doc, part, "executableCode", "executable_code"), "code"), NULL,
                         request_origin(q, "%s.executableCode.code", origin));
  uint32_t output = wire_get(doc, either(doc, part, "codeExecutionResult", "code_execution_result"), "output");
  if (!rc) rc = request_strings(q, VDT_DOCUMENT, output, NULL, request_origin(q, "%s.codeExecutionResult.output", origin));
  return rc;
}

static int read_content(struct request *q, enum vdt_role role, uint32_t content, const char *origin)
{
  const struct json_doc *doc = &q->doc;
  unsigned i = 0;
  int rc = VDT_OK;
  if (!origin) return VDT_ENOMEM;
  if (json_is(doc, content, JSON_STRING)) return request_text(q, role, content, origin);
  uint32_t parts = json_is(doc, content, JSON_OBJECT) ? json_get(doc, content, "parts") : 0;
  if (json_is(doc, parts, JSON_OBJECT)) return read_part(q, role, parts, request_origin(q, "%s.parts", origin));
  for (uint32_t p = json_is(doc, parts, JSON_ARRAY) ? json_first(doc, parts) : 0; p && !rc; p = json_next(doc, parts, p))
    rc = read_part(q, role, p, request_origin(q, "%s.parts[%u]", origin, i++));
  return rc;
}

static enum vdt_role role_of(const struct json_doc *doc, uint32_t content)
{
  uint32_t role = json_is(doc, content, JSON_OBJECT) ? json_get(doc, content, "role") : 0;
  if (json_string_is(doc, role, "model")) return VDT_RESPONSE;
  return json_string_is(doc, role, "function") ? VDT_DOCUMENT : request_role(doc, role);
}

static int request(struct request *q)
{
  static const char *const members[] = {"contents", "systemInstruction", "tools"};
  const struct json_doc *doc = &q->doc;
  uint32_t contents = json_get(doc, 0, "contents"), rules = either(doc, 0, "systemInstruction", "system_instruction");
  unsigned i = 0;
  uint64_t n = 1;
  int rc = request_spelling(q, 0, members, sizeof members / sizeof *members);
  if (!rc && rules) rc = read_content(q, VDT_SYSTEM, rules, "systemInstruction");
  for (uint32_t c = json_is(doc, contents, JSON_ARRAY) ? json_first(doc, contents) : 0; c && !rc; c = json_next(doc, contents, c))
    rc = read_content(q, role_of(doc, c), c, request_origin(q, "contents[%u]", i++));
  if (!rc && json_is(doc, contents, JSON_OBJECT)) rc = read_content(q, VDT_PROMPT, contents, "contents");
  uint32_t config = json_get(doc, 0, "generationConfig");
  if (json_u64(doc, wire_get(doc, config, "candidateCount"), &n) && n >= 1 && n <= WIRE_MAX_N) q->out->n = (unsigned)n;
  return rc ? rc : request_tools(q, "tools");
}

/* ---- answers ---- */

enum { TEXT, THOUGHT, CODE, CALL, STRINGS };

static const struct text_kind kinds[] = {
    [TEXT] = {"candidates[#].content.text", "\"\""},          [THOUGHT] = {"candidates[#].content.thought", "\"\""},
    [CODE] = {"candidates[#].content.code", "\"\""},          [CALL] = {"candidates[#].content.functionCall[#]", "\"\""},
    [STRINGS] = {"candidates[#].content.strings[#]", "\"\""},
};

static void begin(struct wire_response *r, const struct choice *c, struct str text, const char *thought, struct buf *out)
{
  BUF_LIT(out, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":");
  json_quote(out, text);
  buf_printf(out, "%s}],\"role\":\"model\"},\"index\":%u", thought, c->index);
  (void)r;
}

static void end(struct wire_response *r, struct buf *out)
{
  BUF_LIT(out, "}]");
  if (r->head.n) buf_put(out, buf_str(&r->head));
  BUF_LIT(out, "}\n\n");
}

static void held(struct wire_response *r, const struct choice *c, const struct channel *ch, struct str text, struct buf *out)
{
  begin(r, c, text, ch->kind == THOUGHT ? ",\"thought\":true" : "", out);
  end(r, out);
}

static void ended(struct wire_response *r, const struct choice *c, struct buf *out)
{
  begin(r, c, STR(""), "", out);
  BUF_LIT(out, ",\"finishReason\":\"SAFETY\"");
  end(r, out);
}

/* The objects of an answer in turn: the body itself, or the elements of an array. */
static uint32_t first_object(const struct json_doc *doc)
{
  return doc->nodes[0].type == JSON_ARRAY ? json_first(doc, 0) : 0;
}

static bool is_array(const struct json_doc *doc)
{
  return doc->nodes[0].type == JSON_ARRAY;
}

static int part_texts(struct texts *t, uint32_t part)
{
  uint32_t text = json_get(t->doc, part, "text");
  bool thought = json_is(t->doc, json_get(t->doc, part, "thought"), JSON_TRUE);
  if (json_is(t->doc, either(t->doc, part, "inlineData", "inline_data"), JSON_OBJECT)) t->skipped = "image or audio";
  if (json_is(t->doc, either(t->doc, part, "fileData", "file_data"), JSON_OBJECT)) t->skipped = "file";
  if (wire_get(t->doc, json_get(t->doc, part, "functionCall"), "partialArgs")) t->skipped = "arguments in pieces";
  int rc = texts_add(t, thought ? THOUGHT : TEXT, 0, text);
  return rc ? rc : texts_add(t, CODE, 0, wire_get(t->doc, json_get(t->doc, part, "executableCode"), "code"));
}

static uint32_t parts_of(const struct json_doc *doc, uint32_t candidate)
{
  uint32_t parts = wire_get(doc, json_get(doc, candidate, "content"), "parts");
  return json_is(doc, parts, JSON_ARRAY) ? parts : 0;
}

static int candidate_texts(struct texts *t, uint32_t candidate)
{
  uint32_t parts = parts_of(t->doc, candidate);
  int rc = VDT_OK;
  for (uint32_t p = parts ? json_first(t->doc, parts) : 0; p && !rc; p = json_next(t->doc, parts, p))
    rc = json_is(t->doc, p, JSON_OBJECT) ? part_texts(t, p) : VDT_ESYNTAX;
  return rc;
}

/* Members of a candidate that say nothing in words, or whose words part_texts reads. */
static bool is_known(struct str name)
{
  static const char *const names[] = {"content",    "index",       "finishReason",  "safetyRatings",
                                      "tokenCount", "avgLogprobs", "logprobsResult"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (str_eq(name, str_of(names[i]))) return true;
  return false;
}

/* Sources: grounding, citations, pages that were read, and what else a candidate has. */
static int read_sources(struct wire_response *r, struct choice *c, uint32_t candidate, struct text_ref *ref,
                        struct text_effect *effect)
{
  int rc = VDT_OK;
  for (uint32_t m = json_first(&r->doc, candidate); m && !rc; m = json_next(&r->doc, candidate, m)) {
    struct str name;
    if (!json_key(&r->doc, m, r->scratch, &name)) return VDT_ENOMEM;
    if (!is_known(name)) rc = channel_others(r, c, ref, 1, m, effect);
  }
  return rc;
}

/* Tokens would tell what is masked or held back. */
static int drop_logprobs(struct wire_response *r, const struct choice *c, uint32_t candidate, const struct text_effect *effect)
{
  if (!effect->changed && !c->cut) return VDT_OK;
  return response_replace(r, json_get(&r->doc, candidate, "logprobsResult"), STR("null"));
}

/* What a function is called with, what code put out: strings that are whole. */
static int read_strings(struct wire_response *r, struct choice *c, uint32_t candidate, struct text_ref refs[2],
                        struct text_effect *effect)
{
  static const char *const members[] = {"functionCall", "function_call", "codeExecutionResult", "functionResponse"};
  struct text_ref *call = &refs[0], *other = &refs[1];
  uint32_t parts = parts_of(&r->doc, candidate);
  int rc = VDT_OK;
  for (uint32_t p = parts ? json_first(&r->doc, parts) : 0; p && !rc; p = json_next(&r->doc, parts, p))
    for (size_t i = 0; i < sizeof members / sizeof *members && !rc; i++)
      rc = channel_strings(r, c, i < 2 ? call : other, 1, json_get(&r->doc, p, members[i]), effect);
  return rc ? rc : read_sources(r, c, candidate, other, effect);
}

/* Of a candidate that is blocked no text is left, and nothing that repeats it. */
static int empty_candidate(struct wire_response *r, uint32_t candidate)
{
  int rc = response_replace(r, json_get(&r->doc, candidate, "content"), STR("{\"parts\":[],\"role\":\"model\"}"));
  if (!rc) rc = response_replace(r, json_get(&r->doc, candidate, "logprobsResult"), STR("null"));
  for (uint32_t m = json_first(&r->doc, candidate); m && !rc; m = json_next(&r->doc, candidate, m)) {
    struct str name;
    if (!json_key(&r->doc, m, r->scratch, &name)) return VDT_ENOMEM;
    if (!is_known(name)) rc = response_replace(r, m, STR("null"));
  }
  return rc;
}

static int set_end(struct wire_response *r, const struct choice *c, uint32_t candidate, bool block)
{
  int rc = block ? empty_candidate(r, candidate) : VDT_OK;
  if (rc || !c->cut) return rc;
  return response_set(r, candidate, "finishReason", STR("\"SAFETY\""));
}

/* One candidate with all its pieces in this body: nodes, of which the last ends it when it says so. */
static int read_candidate(struct wire_response *r, struct choice *c, const uint32_t *nodes, size_t n)
{
  struct texts t = {.doc = &r->doc, .arena = r->scratch, .choice = c->index};
  struct text_ref strings[] = {{CALL, {c->index}, 0}, {STRINGS, {c->index}, 0}};
  struct text_effect effect = {0};
  struct str reason = STR("");
  size_t edits_before = r->edits.n;
  int rc = VDT_OK;
  for (size_t i = 0; i < n && !rc; i++) rc = candidate_texts(&t, nodes[i]);
  if (!rc && !json_string(&r->doc, json_get(&r->doc, nodes[n - 1], "finishReason"), r->scratch, &reason)) rc = VDT_ENOMEM;
  bool last = !response_streams(r) || reason.n;
  if (t.skipped) response_not_inspected(r, t.skipped);
  if (!rc && last) rc = texts_flush_others(r, c, &t);
  if (!rc) rc = texts_read(r, c, &t, last, &effect);
  for (size_t i = 0; i < n && !rc; i++) rc = read_strings(r, c, nodes[i], strings, &effect);
  for (size_t i = 0; i < n && !rc; i++) rc = drop_logprobs(r, c, nodes[i], &effect);
  bool block = effect.block && !response_streams(r);
  if (block) r->edits.n = edits_before;
  for (size_t i = block ? 0 : n - 1; i < n && !rc; i++) rc = set_end(r, c, nodes[i], block);
  r->info.upstream.completion_filtered |= str_eq(reason, STR("SAFETY"));
  c->finished |= last;
  if (c->cut) reason = STR("content_filter");
  if (c->index == 0 && reason.n) response_finish_reason(r, str_eq(reason, STR("STOP")) ? STR("stop") : reason);
  return rc;
}

static void keep_usage(struct wire_response *r, uint32_t object)
{
  uint32_t usage = json_get(&r->doc, object, "usageMetadata");
  json_u64(&r->doc, wire_get(&r->doc, usage, "promptTokenCount"), &r->info.prompt_tokens);
  json_u64(&r->doc, wire_get(&r->doc, usage, "candidatesTokenCount"), &r->info.completion_tokens);
  json_u64(&r->doc, wire_get(&r->doc, usage, "totalTokenCount"), &r->info.total_tokens);
}

static void keep_head(struct wire_response *r, uint32_t object)
{
  static const char *const names[] = {"modelVersion", "responseId"};
  for (size_t i = 0; i < 2 && r->head.n < 4096; i++) {
    uint32_t node = json_get(&r->doc, object, names[i]);
    if (!json_is(&r->doc, node, JSON_STRING)) continue;
    buf_printf(&r->head, ",\"%s\":", names[i]);
    buf_put(&r->head, json_raw(&r->doc, node));
  }
}

static int read_about(struct wire_response *r, uint32_t object)
{
  uint32_t stopped = wire_get(&r->doc, json_get(&r->doc, object, "promptFeedback"), "blockReason");
  struct str reason;
  if (!r->head.n) keep_head(r, object);
  keep_usage(r, object);
  if (!json_string(&r->doc, stopped, r->scratch, &reason)) return VDT_ENOMEM;
  if (reason.n) response_finish_reason(r, reason); /* there is no answer then */
  int rc = response_keep(r, object, "responseId", &r->info.id);
  return rc ? rc : response_keep(r, object, "modelVersion", &r->info.model);
}

/* All pieces of the candidate with this index in the body; *most becomes the largest index that there is. */
static int collect(struct wire_response *r, uint64_t index, uint32_t *nodes, size_t *n, uint64_t *most)
{
  const struct json_doc *doc = &r->doc;
  for (uint32_t o = first_object(doc); is_array(doc) ? o != 0 : true; o = json_next(doc, 0, o)) {
    uint32_t candidates = json_get(doc, o, "candidates");
    uint64_t place = 0;
    for (uint32_t c = json_is(doc, candidates, JSON_ARRAY) ? json_first(doc, candidates) : 0; c;
         c = json_next(doc, candidates, c), place++) {
      uint64_t at = place;
      if (!json_is(doc, c, JSON_OBJECT)) return VDT_ESYNTAX;
      json_u64(doc, json_get(doc, c, "index"), &at);
      if (at > *most) *most = at;
      if (at == index) nodes[(*n)++] = c;
    }
    if (!is_array(doc)) break;
  }
  return *most >= WIRE_MAX_N ? VDT_ETOOBIG : VDT_OK;
}

static int read_candidates(struct wire_response *r)
{
  uint32_t *nodes = arena_zalloc(r->scratch, r->doc.n + 1, sizeof *nodes);
  uint64_t most = 0;
  int rc = nodes ? VDT_OK : VDT_ENOMEM;
  for (uint64_t index = 0; index <= most && !rc; index++) {
    size_t n = 0;
    rc = collect(r, index, nodes, &n, &most);
    struct choice *c = !rc && n ? choice_find(r, (unsigned)index) : NULL;
    if (!rc && n) rc = c ? read_candidate(r, c, nodes, n) : VDT_ENOMEM;
  }
  return rc;
}

/* What we say about the prompt stands in promptFeedback of the first object with candidates, as a rating of the one category that fits;
 * for indirect attacks there is none of their own. */
static int annotate(struct wire_response *r)
{
  const struct wire_shield *s = &r->opt.shield;
  uint32_t object = first_object(&r->doc);
  bool detected = s->jailbreak_detected || s->indirect_detected;
  char text[192];
  if (!r->opt.annotate || r->prompt_annotated || !json_get(&r->doc, object, "candidates")) return VDT_OK;
  r->prompt_annotated = true;
  if (json_get(&r->doc, object, "promptFeedback")) return VDT_OK;
  int n = snprintf(text, sizeof text,
                   "\"promptFeedback\":{\"safetyRatings\":[{\"category\":\"HARM_CATEGORY_JAILBREAK\",\"probability\":\"%s\","
                   "\"blocked\":%s}]}",
                   detected ? "HIGH" : "NEGLIGIBLE", s->jailbreak_filtered || s->indirect_filtered ? "true" : "false");
  return edits_add_member(&r->edits, &r->doc, object, (struct str){text, (size_t)n}) ? VDT_OK : VDT_ENOMEM;
}

static int answer(struct wire_response *r)
{
  const struct json_doc *doc = &r->doc;
  int rc = VDT_OK;
  for (uint32_t o = first_object(doc); is_array(doc) && o && !rc; o = json_next(doc, 0, o))
    rc = json_is(doc, o, JSON_OBJECT) ? read_about(r, o) : VDT_ESYNTAX;
  if (!is_array(doc)) rc = read_about(r, 0);
  if (!rc) rc = read_candidates(r);
  return rc ? rc : annotate(r);
}

/* ---- bodies ---- */

static void error(int code, const char *name, struct str message, struct buf *out)
{
  int status = vdt_http_status(code);
  buf_printf(out, "{\"error\":{\"code\":%d,\"message\":", status);
  json_quote(out, message);
  buf_printf(out, ",\"status\":\"%s\",\"details\":[{\"reason\":\"%s\"}]}}",
             status == 401   ? "UNAUTHENTICATED"
             : status == 404 ? "NOT_FOUND"
             : status < 500  ? "INVALID_ARGUMENT"
                             : "UNAVAILABLE",
             name);
}

static void blocked(const struct wire_shield *shield, struct str message, struct buf *out)
{
  BUF_LIT(out, "{\"error\":{\"code\":400,\"message\":");
  json_quote(out, message);
  BUF_LIT(out, ",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"reason\":\"content_filter\",\"content_filter_result\":");
  wire_prompt_annotation(shield, out);
  BUF_LIT(out, "}]}}");
}

#define METHODS(prefix)                                                                                                          \
  prefix "models/*:generateContent", prefix "models/*:streamGenerateContent", prefix "models/*:countTokens",                     \
      prefix "models/*:embedContent", prefix "models/*:batchEmbedContents"

static const char *const paths[] = {METHODS("/v1beta/"),
                                    METHODS("/v1alpha/"),
                                    METHODS("/v1/"),
                                    METHODS("/v1/projects/?/locations/?/publishers/google/"),
                                    METHODS("/v1beta1/projects/?/locations/?/publishers/google/"),
                                    METHODS("/v1beta1/publishers/google/"),
                                    METHODS("/v1/publishers/google/"),
                                    NULL};

const struct wire_format wire_google = {
    .name = "google",
    .paths = paths,
    .members = {"candidates", "promptFeedback", "usageMetadata"},
    .kinds = kinds,
    .arrays = true,
    .request = request,
    .answer = answer,
    .held = held,
    .ended = ended,
    .goodbye = "",
    .blocked = blocked,
    .error = error,
};
