/*
 * Writes answers in the forms of Chat Completions and legacy Completions, with Azure's content-filter members where a directive
 * asks for them. Equal requests give equal bytes: ids come from the hash of the body and the time stands still.
 */
#include "sim/reply.h"
#include "base/quote.h"
#include "sim/leaks.h"
#include "sim/said.h"

enum { CREATED = 1764000000 };
#define FINGERPRINT "fp_simulated"

/* ---- common members --------------------------------------------------------------------------------------------- */

static bool is_chat(const struct script *s)
{
  return s->dialect == DIALECT_CHAT;
}

static void put_id(struct buf *b, const struct script *s)
{
  buf_printf(b, "\"id\": \"%s-%016llx\"", is_chat(s) ? "chatcmpl" : "cmpl", (unsigned long long)s->seed);
}

static void put_head(struct buf *b, const struct script *s, bool chunk)
{
  BUF_LIT(b, "{");
  put_id(b, s);
  buf_printf(b, ", \"object\": \"%s\", \"created\": %d, \"model\": ",
             !is_chat(s) ? "text_completion"
             : chunk     ? "chat.completion.chunk"
                         : "chat.completion",
             CREATED);
  json_quote(b, s->model);
  BUF_LIT(b, ", \"system_fingerprint\": \"" FINGERPRINT "\"");
}

static void put_usage(struct buf *b, const struct script *s, uint64_t completion)
{
  buf_printf(b, "\"usage\": {\"prompt_tokens\": %llu, \"completion_tokens\": %llu, \"total_tokens\": %llu}",
             (unsigned long long)s->prompt_tokens, (unsigned long long)completion,
             (unsigned long long)(s->prompt_tokens + completion));
}

/* The harm categories have a severity, the shields only say whether they saw something. */
static void put_category(struct buf *b, const char *name, bool shield, bool detected, bool filtered)
{
  if (shield)
    buf_printf(b, "\"%s\": {\"filtered\": %s, \"detected\": %s}", name, filtered ? "true" : "false", detected ? "true" : "false");
  else
    buf_printf(b, "\"%s\": {\"filtered\": %s, \"severity\": \"%s\"}", name, filtered ? "true" : "false",
               detected ? "high" : "safe");
}

static void put_filter_results(struct buf *b, struct str hit, bool prompt, bool filtered)
{
  static const char *const names[] = {"hate", "self_harm", "sexual", "violence", "jailbreak", "indirect_attack"};
  BUF_LIT(b, "{");
  for (size_t i = 0; i < (prompt ? 6u : 4u); i++) {
    bool it = str_eq(hit, str_of(names[i]));
    if (i) BUF_LIT(b, ", ");
    put_category(b, names[i], i >= 4, it, it && filtered);
  }
  BUF_LIT(b, "}");
}

static void put_prompt_filter(struct buf *b, const struct script *s)
{
  BUF_LIT(b, "\"prompt_filter_results\": [{\"prompt_index\": 0, \"content_filter_results\": ");
  put_filter_results(b, s->azure_annotate, true, false);
  BUF_LIT(b, "}]");
}

static const char *finish_reason(const struct script *s, const struct said *said)
{
  return s->filter_completion ? "content_filter" : said->n_calls ? "tool_calls" : "stop";
}

static void put_bytes(struct buf *b, struct str text)
{
  BUF_LIT(b, "[");
  for (size_t i = 0; i < text.n; i++) buf_printf(b, i ? ", %u" : "%u", (unsigned char)text.p[i]);
  BUF_LIT(b, "]");
}

static void put_token(struct buf *b, struct str token)
{
  BUF_LIT(b, "{\"token\": ");
  json_quote(b, token);
  BUF_LIT(b, ", \"logprob\": -0.25, \"bytes\": ");
  put_bytes(b, token);
  BUF_LIT(b, ", \"top_logprobs\": []}");
}

/* Tokens are the pieces that a stream would send. */
static void put_logprobs(struct buf *b, const struct script *s, struct str text)
{
  BUF_LIT(b, "\"logprobs\": ");
  if (!s->logprobs) {
    BUF_LIT(b, "null");
    return;
  }
  buf_put(b, is_chat(s) ? STR("{\"content\": [") : STR("{\"tokens\": ["));
  size_t count = 0;
  for (size_t i = 0, n; i < text.n; i += n, count++) {
    n = piece(text, i, s->chunk);
    if (i) BUF_LIT(b, ", ");
    if (is_chat(s)) put_token(b, str_cut(text, i, i + n));
    else json_quote(b, str_cut(text, i, i + n));
  }
  if (is_chat(s)) {
    BUF_LIT(b, "], \"refusal\": null}");
    return;
  }
  BUF_LIT(b, "], \"token_logprobs\": [");
  for (size_t i = 0; i < count; i++) buf_put(b, i ? STR(", -0.25") : STR("-0.25"));
  BUF_LIT(b, "], \"top_logprobs\": null}");
}

/* ---- a JSON body ------------------------------------------------------------------------------------------------ */

static void put_call_id(struct buf *b, const struct script *s, size_t i)
{
  buf_printf(b, "\"id\": \"call_%015llx%zu\"", (unsigned long long)(s->seed >> 4), i);
}

static void put_calls(struct buf *b, const struct script *s, const struct said *said)
{
  BUF_LIT(b, ", \"tool_calls\": [");
  for (size_t i = 0; i < said->n_calls; i++) {
    buf_put(b, i ? STR(", {") : STR("{"));
    put_call_id(b, s, i);
    BUF_LIT(b, ", \"type\": \"function\", \"function\": {\"name\": ");
    json_quote(b, said->calls[i].name);
    BUF_LIT(b, ", \"arguments\": ");
    json_quote(b, buf_str(&said->calls[i].arguments));
    BUF_LIT(b, "}}");
  }
  BUF_LIT(b, "]");
}

static void put_message(struct buf *b, const struct script *s, const struct said *said)
{
  BUF_LIT(b, "\"message\": {\"role\": \"assistant\", \"content\": ");
  if (said->text.n || !said->n_calls) json_quote(b, buf_str(&said->text));
  else BUF_LIT(b, "null");
  BUF_LIT(b, ", \"refusal\": null");
  if (said->n_calls) put_calls(b, s, said);
  BUF_LIT(b, "}");
}

static void put_choice(struct buf *b, const struct script *s, const struct said *said, unsigned i)
{
  buf_printf(b, "%s{\"index\": %u, ", i ? ", " : "", i);
  if (is_chat(s)) {
    put_message(b, s, said);
  } else {
    BUF_LIT(b, "\"text\": ");
    json_quote(b, buf_str(&said->text));
  }
  BUF_LIT(b, ", ");
  put_logprobs(b, s, buf_str(&said->text));
  buf_printf(b, ", \"finish_reason\": \"%s\"", finish_reason(s, said));
  if (s->azure_annotate.n || s->filter_completion) {
    BUF_LIT(b, ", \"content_filter_results\": ");
    put_filter_results(b, s->filter_completion ? STR("violence") : STR(""), false, s->filter_completion);
  }
  BUF_LIT(b, "}");
}

static void make_json(const struct script *s, struct reply *out)
{
  struct buf *b = &out->body;
  uint64_t completion = 0;
  put_head(b, s, false);
  if (s->azure_annotate.n) {
    BUF_LIT(b, ", ");
    put_prompt_filter(b, s);
  }
  BUF_LIT(b, ", \"choices\": [");
  for (unsigned i = 0; i < s->choices; i++) {
    struct said said;
    say(s, i, &said);
    put_choice(b, s, &said, i);
    completion += tokens(said.text.n);
    b->failed |= said.text.failed;
    said_finish(&said);
  }
  BUF_LIT(b, "], ");
  put_usage(b, s, completion);
  BUF_LIT(b, "}");
}

/* ---- server-sent events ----------------------------------------------------------------------------------------- */

static void begin_chunk(const struct script *s, struct reply *r, unsigned choice)
{
  BUF_LIT(&r->body, "data: ");
  put_head(&r->body, s, true);
  buf_printf(&r->body, ", \"choices\": [{\"index\": %u, ", choice);
}

/* delta is what stands in "delta": {...}; tokens are the text of its log probabilities. */
static void end_chunk(const struct script *s, struct reply *r, struct str tokens_of, const char *reason)
{
  struct buf *b = &r->body;
  BUF_LIT(b, ", ");
  put_logprobs(b, s, tokens_of);
  BUF_LIT(b, ", \"finish_reason\": ");
  if (reason) json_quote(b, str_of(reason));
  else BUF_LIT(b, "null");
  if (s->azure_annotate.n || (s->filter_completion && reason)) {
    bool cut = s->filter_completion && reason;
    BUF_LIT(b, ", \"content_filter_results\": ");
    put_filter_results(b, cut ? STR("violence") : STR(""), false, cut);
  }
  BUF_LIT(b, "}]");
  if (s->include_usage) BUF_LIT(b, ", \"usage\": null");
  BUF_LIT(b, "}");
  reply_end_event(r);
}

static void stream_text(const struct script *s, struct reply *r, unsigned choice, struct str text)
{
  for (size_t i = 0, n; i < text.n; i += n) {
    n = piece(text, i, s->chunk);
    begin_chunk(s, r, choice);
    buf_put(&r->body, is_chat(s) ? STR("\"delta\": {\"content\": ") : STR("\"text\": "));
    json_quote(&r->body, str_cut(text, i, i + n));
    if (is_chat(s)) BUF_LIT(&r->body, "}");
    end_chunk(s, r, str_cut(text, i, i + n), NULL);
  }
}

static void stream_call(const struct script *s, struct reply *r, unsigned choice, size_t index, const struct call *c)
{
  struct buf *b = &r->body;
  struct str arguments = buf_str(&c->arguments);
  begin_chunk(s, r, choice);
  buf_printf(b, "\"delta\": {\"tool_calls\": [{\"index\": %zu, ", index);
  put_call_id(b, s, index);
  BUF_LIT(b, ", \"type\": \"function\", \"function\": {\"name\": ");
  json_quote(b, c->name);
  BUF_LIT(b, ", \"arguments\": \"\"}}]}");
  end_chunk(s, r, STR(""), NULL);
  for (size_t i = 0, n; i < arguments.n; i += n) {
    n = piece(arguments, i, s->chunk);
    begin_chunk(s, r, choice);
    buf_printf(b, "\"delta\": {\"tool_calls\": [{\"index\": %zu, \"function\": {\"arguments\": ", index);
    json_quote(b, str_cut(arguments, i, i + n));
    BUF_LIT(b, "}}]}");
    end_chunk(s, r, STR(""), NULL);
  }
}

static void stream_choice(const struct script *s, struct reply *r, unsigned choice, const struct said *said)
{
  if (is_chat(s)) {
    begin_chunk(s, r, choice);
    BUF_LIT(&r->body, "\"delta\": {\"role\": \"assistant\", \"content\": \"\", \"refusal\": null}");
    end_chunk(s, r, STR(""), NULL);
  }
  stream_text(s, r, choice, buf_str(&said->text));
  for (size_t i = 0; i < said->n_calls; i++) stream_call(s, r, choice, i, &said->calls[i]);
  begin_chunk(s, r, choice);
  buf_put(&r->body, is_chat(s) ? STR("\"delta\": {}") : STR("\"text\": \"\""));
  end_chunk(s, r, STR(""), finish_reason(s, said));
}

/* Deals the events of each choice out in turn, as a model does that writes all choices at once. */
static void interleave(struct reply *parts, unsigned n, struct reply *out)
{
  size_t at[SCRIPT_CHOICES] = {0};
  for (bool more = true; more;) {
    more = false;
    for (unsigned i = 0; i < n; i++) {
      if (at[i] == parts[i].n_events) continue;
      size_t from = at[i] ? parts[i].ends[at[i] - 1] : 0, to = parts[i].ends[at[i]];
      buf_put(&out->body, str_cut(buf_str(&parts[i].body), from, to - 2));
      reply_end_event(out);
      at[i]++;
      more = true;
    }
  }
}

static void stream_prompt_filter(const struct script *s, struct reply *out)
{
  BUF_LIT(&out->body, "data: {\"id\": \"\", \"object\": \"\", \"created\": 0, \"model\": \"\", ");
  put_prompt_filter(&out->body, s);
  BUF_LIT(&out->body, ", \"choices\": [], \"usage\": null}");
  reply_end_event(out);
}

static void make_stream(const struct script *s, struct reply *out)
{
  struct reply parts[SCRIPT_CHOICES] = {0};
  uint64_t completion = 0;
  out->sse = true;
  if (s->azure_annotate.n) stream_prompt_filter(s, out);
  for (unsigned i = 0; i < s->choices; i++) {
    struct said said;
    say(s, i, &said);
    stream_choice(s, &parts[i], i, &said);
    completion += tokens(said.text.n);
    out->body.failed |= said.text.failed | parts[i].body.failed;
    said_finish(&said);
  }
  if (!out->body.failed) interleave(parts, s->choices, out);
  for (unsigned i = 0; i < s->choices; i++) reply_finish(&parts[i]);
  if (s->include_usage) {
    BUF_LIT(&out->body, "data: ");
    put_head(&out->body, s, true);
    BUF_LIT(&out->body, ", \"choices\": [], ");
    put_usage(&out->body, s, completion);
    BUF_LIT(&out->body, "}");
    reply_end_event(out);
  }
  BUF_LIT(&out->body, "data: [DONE]");
  reply_end_event(out);
}

/* ---- errors and the rest ---------------------------------------------------------------------------------------- */

static void make_azure_refusal(const struct script *s, struct reply *out)
{
  struct buf *b = &out->body;
  out->status = 400;
  BUF_LIT(b, "{\"error\": {\"message\": \"The response was filtered due to the prompt triggering the content management policy "
             "of the simulated model. "
             "Please modify your prompt and retry.\", \"type\": null, \"param\": \"prompt\", \"code\": \"content_filter\", "
             "\"status\": 400, "
             "\"innererror\": {\"code\": \"ResponsibleAIPolicyViolation\", \"content_filter_result\": ");
  put_filter_results(b, s->azure_filter, true, true);
  BUF_LIT(b, "}}}");
}

static void make_answer(const struct script *s, struct reply *out)
{
  switch (s->dialect) {
  case DIALECT_CHAT:
  case DIALECT_COMPLETIONS:
    if (s->stream) make_stream(s, out);
    else make_json(s, out);
    break;
  case DIALECT_RESPONSES: reply_responses(s, out); break;
  case DIALECT_ANTHROPIC: reply_anthropic(s, out); break;
  case DIALECT_OLLAMA_CHAT:
  case DIALECT_OLLAMA_GENERATE: reply_ollama(s, out); break;
  case DIALECT_GOOGLE: reply_google(s, out); break;
  }
}

void reply_make(const struct script *s, struct reply *out)
{
  *out = (struct reply){.status = 200};
  if (s->azure_filter.n) make_azure_refusal(s, out);
  else if (s->status >= 400)
    reply_error(out, s->status, s->status == 429 ? "RateLimitReached" : "simulated_error",
                "The simulated model was told to answer with this status.");
  else make_answer(s, out);
}

void reply_error(struct reply *out, unsigned status, const char *code, const char *message)
{
  *out = (struct reply){.status = status};
  BUF_LIT(&out->body, "{\"error\": {\"message\": ");
  json_quote(&out->body, str_of(message));
  BUF_LIT(&out->body, ", \"type\": \"");
  buf_printf(&out->body, "%s\", \"param\": null, \"code\": \"%s\"}}", status < 500 ? "invalid_request_error" : "server_error",
             code);
}

void reply_models(struct reply *out)
{
  *out = (struct reply){.status = 200};
  BUF_LIT(&out->body, "{\"object\": \"list\", \"data\": [{\"id\": \"gpt-4o\", \"object\": \"model\", \"created\": 1764000000, "
                      "\"owned_by\": \"simulated\"}]}");
}

void reply_embeddings(struct str body, struct reply *out)
{
  *out = (struct reply){.status = 200};
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < body.n; i++) h = (h ^ (unsigned char)body.p[i]) * 16777619u;
  BUF_LIT(&out->body, "{\"object\": \"list\", \"data\": [{\"object\": \"embedding\", \"index\": 0, \"embedding\": [");
  for (int i = 0; i < 16; i++, h = h * 1664525u + 1013904223u) buf_printf(&out->body, "%s0.%06u", i ? ", " : "", h % 1000000u);
  buf_printf(&out->body, "]}], \"model\": \"simulated\", \"usage\": {\"prompt_tokens\": %zu, \"total_tokens\": %zu}}", body.n / 4,
             body.n / 4);
}

void reply_file(size_t bytes, struct reply *out)
{
  *out = (struct reply){.status = 200};
  buf_printf(&out->body,
             "{\"id\": \"file-sim\", \"object\": \"file\", \"bytes\": %zu, \"created_at\": 1764000000, \"filename\": "
             "\"sim.jsonl\", \"purpose\": \"batch\", \"status\": \"processed\"}",
             bytes);
}

void reply_content(struct reply *out)
{
  struct buf said = {0};
  *out = (struct reply){.status = 200, .bytes = true};
  leak_sentence(STR("github-pat"), 1, &said);
  BUF_LIT(&out->body,
          "{\"id\": \"batch_req_1\", \"custom_id\": \"1\", \"response\": {\"status_code\": 200, \"body\": {\"choices\": "
          "[{\"index\": 0, \"message\": {\"role\": \"assistant\", \"content\": ");
  json_quote(&out->body, said.n ? buf_str(&said) : STR(""));
  BUF_LIT(&out->body, "}, \"finish_reason\": \"stop\"}]}}, \"error\": null}\n");
  out->body.failed |= said.failed;
  buf_finish(&said);
}

void reply_mark_event(struct reply *r)
{
  size_t *grown = heap_grow(r->ends, r->n_events, &r->cap_events, 64, sizeof *grown);
  if (!grown) {
    r->body.failed = true;
    return;
  }
  r->ends = grown;
  r->ends[r->n_events++] = r->body.n;
}

void reply_end_event(struct reply *r)
{
  BUF_LIT(&r->body, "\n\n");
  reply_mark_event(r);
}

void reply_finish(struct reply *r)
{
  buf_finish(&r->body);
  free(r->ends);
  *r = (struct reply){0};
}
