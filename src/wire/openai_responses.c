/*
 * openai-responses: the Responses API. Requests and whole answers; the events are in openai_responses_stream.c.
 *
 * previous_response_id and conversation name turns that lie at the upstream: they were read when they were sent, and are not here.
 */
#include "wire/openai_responses.h"

/* ---- requests ---- */

static const char *const body_members[] = {"input", "instructions", "tools", "prompt", "previous_response_id"};
static const char *const item_members[] = {"type", "role", "content", "arguments", "output", "input", "summary"};

/* Whose words the strings of an item are: what came back from tools is no prompt. */
static enum vdt_role item_role(const struct json_doc *doc, uint32_t item)
{
  static const char *const ours[] = {
      "function_call", "mcp_call",         "custom_tool_call", "reasoning",        "web_search_call",
      "computer_call", "local_shell_call", "shell_call",       "apply_patch_call", "code_interpreter_call"};
  static const char *const theirs[] = {"function_call_output",    "custom_tool_call_output", "computer_call_output",
                                       "local_shell_call_output", "shell_call_output",       "apply_patch_call_output",
                                       "file_search_call",        "mcp_list_tools"};
  uint32_t type = json_get(doc, item, "type");
  if (json_is(doc, json_get(doc, item, "role"), JSON_STRING)) return request_role(doc, json_get(doc, item, "role"));
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (json_string_is(doc, type, ours[i])) return VDT_RESPONSE;
  for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
    if (json_string_is(doc, type, theirs[i])) return VDT_DOCUMENT;
  return VDT_PROMPT;
}

/* Where an item has content parts: a message's, a tool's output. What code and shells put out is lists of objects with strings. */
static int read_contents(struct request *q, enum vdt_role role, uint32_t item, unsigned i)
{
  static const struct {
    const char *name;
    bool result;
  } members[] = {{"content", false}, {"summary", false}, {"output", true}, {"outputs", true}};
  for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
    uint32_t node = json_get(&q->doc, item, members[m].name);
    if (!json_is(&q->doc, node, JSON_STRING) && !json_is(&q->doc, node, JSON_ARRAY)) continue;
    enum vdt_role as = members[m].result && role != VDT_PROMPT ? VDT_DOCUMENT : role;
    const char *origin = request_origin(q, "input[%u].%s", i, members[m].name);
    bool logs =
        strcmp(members[m].name, "outputs") == 0 || json_string_is(&q->doc, json_get(&q->doc, item, "type"), "shell_call_output");
    int rc = logs ? request_strings(q, as, node, NULL, origin) : request_content(q, as, node, origin);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int read_item(struct request *q, uint32_t item, unsigned i)
{
  const struct json_doc *doc = &q->doc;
  if (json_is(doc, item, JSON_STRING)) return request_text(q, VDT_PROMPT, item, request_origin(q, "input[%u]", i));
  if (!json_is(doc, item, JSON_OBJECT)) return request_expected(q, request_origin(q, "input[%u]", i), "an object");
  enum vdt_role role = item_role(doc, item);
  int rc = request_spelling(q, item, item_members, sizeof item_members / sizeof *item_members);
  if (!rc) rc = read_contents(q, role, item, i);
  static const char *const strings[] = {"arguments", "input", "code", "action", "error", "queries", "results", "tools"};
  for (size_t m = 0; m < sizeof strings / sizeof *strings && !rc; m++)
    rc = request_strings(q, role, json_get(doc, item, strings[m]), NULL, request_origin(q, "input[%u].%s", i, strings[m]));
  return rc;
}

static int request(struct request *q)
{
  const struct json_doc *doc = &q->doc;
  uint32_t input = json_get(doc, 0, "input");
  unsigned i = 0;
  int rc = request_spelling(q, 0, body_members, sizeof body_members / sizeof *body_members);
  if (!rc) rc = request_strings(q, VDT_SYSTEM, json_get(doc, 0, "instructions"), NULL, "instructions");
  if (!rc && json_is(doc, input, JSON_STRING)) rc = request_text(q, VDT_PROMPT, input, "input");
  else if (!rc && input && !json_is(doc, input, JSON_ARRAY) && !json_is(doc, input, JSON_NULL))
    rc = request_expected(q, "input", "a string or an array");
  for (uint32_t n = json_is(doc, input, JSON_ARRAY) ? json_first(doc, input) : 0; n && !rc; n = json_next(doc, input, n))
    rc = read_item(q, n, i++);
  uint32_t variables = wire_get(doc, json_get(doc, 0, "prompt"), "variables");
  if (!rc) rc = request_strings(q, VDT_PROMPT, variables, "text", "prompt.variables");
  return rc ? rc : request_tools(q, "tools");
}

/* ---- answers ---- */

static const struct text_kind kinds[] = {
    [RESPONSES_TEXT] = {"output[#].content[#].text", "\"\""},
    [RESPONSES_REFUSAL] = {"output[#].content[#].refusal", "\"\""},
    [RESPONSES_ARGUMENTS] = {"output[#].arguments", "\"{}\""},
    [RESPONSES_INPUT] = {"output[#].input", "\"\""},
    [RESPONSES_CODE] = {"output[#].code", "\"\""},
    [RESPONSES_REASONING] = {"output[#].content[#].reasoning_text", "\"\""},
    [RESPONSES_SUMMARY] = {"output[#].summary[#].text", "\"\""},
    [RESPONSES_SOURCE] = {"output[#].content.annotations[#]", "\"\""},
    [RESPONSES_OTHER] = {"output[#].other[#]", "\"\""},
};

static bool is_type(const struct json_doc *doc, uint32_t node, const char *type)
{
  return json_string_is(doc, json_get(doc, node, "type"), type);
}

int responses_source(struct wire_response *r, struct choice *c, uint32_t source, unsigned item, unsigned place, unsigned number,
                     struct text_effect *effect)
{
  struct text_ref ref = {RESPONSES_SOURCE, {item, place * WIRE_MAX_PLACES + number, 0}, 0};
  if (place >= WIRE_MAX_PLACES || number >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  r->origin = arena_printf(r->arena, "output[%u].content[%u].annotations[%u]", item, place, number);
  int rc = r->origin ? channel_others(r, c, &ref, 2, source, effect) : VDT_ENOMEM;
  r->origin = NULL;
  return rc;
}

static int read_sources(struct wire_response *r, struct choice *c, uint32_t sources, unsigned item, unsigned place,
                        struct text_effect *effect)
{
  unsigned number = 0;
  int rc = VDT_OK;
  for (uint32_t s = json_is(&r->doc, sources, JSON_ARRAY) ? json_first(&r->doc, sources) : 0; s && !rc;
       s = json_next(&r->doc, sources, s))
    rc = responses_source(r, c, s, item, place, number++, effect);
  return rc;
}

int responses_part(struct wire_response *r, struct choice *c, uint32_t part, unsigned item, unsigned place, bool summary,
                   struct text_effect *effect)
{
  const struct json_doc *doc = &r->doc;
  uint32_t text = json_get(doc, part, "text"), refusal = json_get(doc, part, "refusal");
  unsigned kind = summary ? RESPONSES_SUMMARY : is_type(doc, part, "reasoning_text") ? RESPONSES_REASONING : RESPONSES_TEXT;
  struct text_effect own = {0};
  int rc = VDT_OK;
  if (place >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  if (json_is(doc, text, JSON_STRING)) rc = channel_whole(r, c, &(struct text_ref){kind, {item, place}, text}, &own);
  if (!rc && json_is(doc, refusal, JSON_STRING))
    rc = channel_whole(r, c, &(struct text_ref){RESPONSES_REFUSAL, {item, place}, refusal}, &own);
  if (!json_is(doc, text, JSON_STRING) && !json_is(doc, refusal, JSON_STRING))
    response_not_inspected(r, "content part that is no text");
  uint32_t logprobs = json_get(doc, part, "logprobs");
  if (!rc && own.changed && json_is(doc, logprobs, JSON_ARRAY)) rc = response_replace(r, logprobs, STR("[]"));
  if (!rc) rc = read_sources(r, c, json_get(doc, part, "annotations"), item, place, &own);
  effect->changed |= own.changed;
  effect->block |= own.block;
  return rc;
}

static int read_parts(struct wire_response *r, struct choice *c, uint32_t parts, unsigned item, bool summary,
                      struct text_effect *effect)
{
  unsigned place = 0;
  int rc = VDT_OK;
  for (uint32_t p = json_is(&r->doc, parts, JSON_ARRAY) ? json_first(&r->doc, parts) : 0; p && !rc;
       p = json_next(&r->doc, parts, p))
    rc = json_is(&r->doc, p, JSON_OBJECT) ? responses_part(r, c, p, item, place++, summary, effect) : VDT_ESYNTAX;
  return rc;
}

/* Members of an item that hold one text each. */
static int read_member(struct wire_response *r, struct choice *c, uint32_t member, struct str name, unsigned item,
                       unsigned *others, struct text_effect *effect)
{
  static const struct {
    const char *name;
    unsigned kind;
  } texts[] = {{"arguments", RESPONSES_ARGUMENTS}, {"input", RESPONSES_INPUT}, {"code", RESPONSES_CODE}};
  static const char *const plain[] = {"id",
                                      "type",
                                      "status",
                                      "role",
                                      "name",
                                      "call_id",
                                      "server_label",
                                      "phase",
                                      "result",
                                      "container_id",
                                      "encrypted_content",
                                      "created_by"};
  if (str_eq(name, STR("content"))) return read_parts(r, c, member, item, false, effect);
  if (str_eq(name, STR("summary"))) return read_parts(r, c, member, item, true, effect);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (str_eq(name, str_of(texts[i].name)) && json_is(&r->doc, member, JSON_STRING))
      return channel_whole(r, c, &(struct text_ref){texts[i].kind, {item}, member}, effect);
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (str_eq(name, str_of(plain[i]))) return VDT_OK;
  struct text_ref ref = {RESPONSES_OTHER, {item, *others}, 0};
  int rc = channel_others(r, c, &ref, 1, member, effect);
  *others = ref.at[1];
  return rc;
}

int responses_item(struct wire_response *r, struct choice *c, uint32_t item, unsigned index, struct text_effect *effect)
{
  unsigned others = 0;
  if (!json_is(&r->doc, item, JSON_OBJECT)) return VDT_ESYNTAX;
  if (index >= WIRE_MAX_PLACES) return VDT_ETOOBIG;
  if (is_type(&r->doc, item, "image_generation_call") && json_is(&r->doc, json_get(&r->doc, item, "result"), JSON_STRING))
    response_not_inspected(r, "image");
  for (uint32_t m = json_first(&r->doc, item); m; m = json_next(&r->doc, item, m)) {
    struct str name;
    if (!json_key(&r->doc, m, r->scratch, &name)) return VDT_ENOMEM;
    int rc = read_member(r, c, m, name, index, &others, effect);
    if (rc) return rc;
  }
  return VDT_OK;
}

static void keep_usage(struct wire_response *r, uint32_t response)
{
  uint32_t usage = json_get(&r->doc, response, "usage");
  json_u64(&r->doc, wire_get(&r->doc, usage, "input_tokens"), &r->info.prompt_tokens);
  json_u64(&r->doc, wire_get(&r->doc, usage, "output_tokens"), &r->info.completion_tokens);
  json_u64(&r->doc, wire_get(&r->doc, usage, "total_tokens"), &r->info.total_tokens);
}

/* Azure's filter says what it found in `content_filters`. */
static void read_verdict(struct wire_response *r, uint32_t response)
{
  verdict_filters(&r->doc, json_get(&r->doc, response, "content_filters"), &r->info.upstream);
  uint32_t reason = wire_get(&r->doc, json_get(&r->doc, response, "incomplete_details"), "reason");
  r->info.upstream.completion_filtered |= json_string_is(&r->doc, reason, "content_filter");
}

/* What we found, in the form of Azure's `content_filters`; nothing unless asked for, or when the upstream says its own. */
static int annotate(struct wire_response *r, uint32_t response)
{
  struct buf text = {0};
  if (!r->opt.annotate || json_get(&r->doc, response, "content_filters")) return VDT_OK;
  responses_annotation(r, &text);
  bool ok = !text.failed && edits_add_member(&r->edits, &r->doc, response, buf_str(&text));
  buf_finish(&text);
  return ok ? VDT_OK : VDT_ENOMEM;
}

void responses_annotation(struct wire_response *r, struct buf *out)
{
  struct wire_choice_shield shield = {0};
  const struct wire_shield *p = &r->opt.shield;
  if (r->hooks.choice_shield) r->hooks.choice_shield(r->hooks.ctx, 0, &shield);
  bool cut = shield.credential_filtered || shield.sensitive_filtered;
  BUF_LIT(out, "\"content_filters\":[{\"blocked\":false,\"source_type\":\"prompt\",\"content_filter_results\":");
  wire_prompt_annotation(p, out);
  buf_printf(out, "},{\"blocked\":%s,\"source_type\":\"completion\",", cut ? "true" : "false");
  annotate_choice(&shield, out);
  BUF_LIT(out, "}]");
}

#define INCOMPLETE "{\"reason\":\"content_filter\"}"

/* The answer stopped by us: the members that say so. */
static int set_incomplete(struct wire_response *r, uint32_t response)
{
  int rc = response_set(r, response, "status", STR("\"incomplete\""));
  return rc ? rc : response_set(r, response, "incomplete_details", STR(INCOMPLETE));
}

int responses_whole(struct wire_response *r, struct choice *c, uint32_t response)
{
  const struct json_doc *doc = &r->doc;
  uint32_t output = json_get(doc, response, "output");
  struct text_effect effect = {0};
  size_t edits_before = r->edits.n;
  unsigned i = 0;
  int rc = response_keep(r, response, "id", &r->info.id);
  if (!rc) rc = response_keep(r, response, "model", &r->info.model);
  keep_usage(r, response);
  read_verdict(r, response);
  for (uint32_t n = json_is(doc, output, JSON_ARRAY) ? json_first(doc, output) : 0; n && !rc; n = json_next(doc, output, n))
    rc = responses_item(r, c, n, i++, &effect);
  uint32_t joined = json_get(doc, response, "output_text"); /* some servers add what clients compute */
  if (!rc && json_is(doc, joined, JSON_STRING) && (effect.changed || c->cut)) rc = response_replace(r, joined, STR("\"\""));
  if (rc || response_streams(r)) return rc;
  if (effect.block) {
    r->edits.n = edits_before;
    rc = response_replace(r, output, STR("[]"));
    if (!rc && json_is(doc, joined, JSON_STRING)) rc = response_replace(r, joined, STR("\"\""));
  }
  struct str status = STR("");
  if (!rc && !json_string(doc, json_get(doc, response, "status"), r->scratch, &status)) rc = VDT_ENOMEM;
  response_finish_reason(r, c->cut ? STR("content_filter") : str_eq(status, STR("completed")) ? STR("stop") : status);
  if (!rc && c->cut) rc = set_incomplete(r, response);
  c->finished = true;
  return rc ? rc : annotate(r, response);
}

static int answer(struct wire_response *r)
{
  struct choice *c = choice_find(r, 0);
  if (!c) return VDT_ENOMEM;
  if (response_streams(r)) return responses_event(r, c);
  if (!json_is(&r->doc, json_get(&r->doc, 0, "output"), JSON_ARRAY)) return VDT_ESYNTAX;
  return responses_whole(r, c, 0);
}

static void blocked(const struct wire_shield *shield, struct str message, struct buf *out)
{
  BUF_LIT(out, "{\"error\":{\"message\":");
  json_quote(out, message);
  BUF_LIT(out, ",\"type\":\"invalid_request_error\",\"param\":\"prompt\",\"code\":\"content_filter\",\"content_filters\":[{"
               "\"blocked\":true,"
               "\"source_type\":\"prompt\",\"content_filter_results\":");
  wire_prompt_annotation(shield, out);
  BUF_LIT(out, "}]}}");
}

static const char *const paths[] = {"/v1/responses", "/openai/v1/responses", "/openai/responses",
                                    "/openai/deployments/*/responses", NULL};

const struct wire_format wire_openai_responses = {
    .name = "openai-responses",
    .paths = paths,
    .members = {"output"},
    .kinds = kinds,
    .repeats = true,
    .request = request,
    .answer = answer,
    .held = responses_held,
    .ended = responses_ended,
    .goodbye = "",
    .blocked = blocked,
    .error = openai_error,
};
