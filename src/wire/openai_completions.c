/* openai-completions: the legacy text completions. The smallest format: read this one first. */
#include "wire/response.h"

enum { TEXT };

static const struct text_kind kinds[] = {
    [TEXT] = {"choices[#].text", "\"\""},
};
static const struct choices_chunk chunks[] = {
    [TEXT] = {"\"text\":", NULL, ""},
};

/* Every prompt of a list has its own n choices. */
static int count_choices(struct request *q, uint32_t prompt)
{
  uint64_t prompts = q->doc.nodes[prompt].count, n = q->out->n;
  if (prompts == 0 || json_is(&q->doc, json_first(&q->doc, prompt), JSON_NUMBER)) return VDT_OK;
  if (prompts * n > WIRE_MAX_CHOICES) return request_expected(q, "prompt", "at most 2048 choices in all");
  q->out->n = (unsigned)(prompts * n);
  return VDT_OK;
}

/* prompt: a string, strings, token ids, or lists of token ids. */
static int read_prompts(struct request *q, uint32_t prompt)
{
  unsigned i = 0;
  int bad = count_choices(q, prompt);
  if (bad) return bad;
  for (uint32_t p = json_first(&q->doc, prompt); p; p = json_next(&q->doc, prompt, p), i++) {
    int rc = VDT_OK;
    if (json_is(&q->doc, p, JSON_STRING)) rc = request_text(q, VDT_PROMPT, p, request_origin(q, "prompt[%u]", i));
    else if (json_is(&q->doc, p, JSON_ARRAY)) rc = request_skip(q, VDT_PROMPT, request_origin(q, "prompt[%u]", i), "token ids");
    else if (json_is(&q->doc, p, JSON_NUMBER)) return request_skip(q, VDT_PROMPT, "prompt", "token ids");
    else return request_expected(q, request_origin(q, "prompt[%u]", i), "a string or token ids");
    if (rc) return rc;
  }
  return VDT_OK;
}

static int request(struct request *q)
{
  uint32_t prompt = json_get(&q->doc, 0, "prompt");
  int rc = VDT_OK;
  if (json_is(&q->doc, prompt, JSON_STRING)) rc = request_text(q, VDT_PROMPT, prompt, "prompt");
  else if (json_is(&q->doc, prompt, JSON_ARRAY)) rc = read_prompts(q, prompt);
  else if (prompt && !json_is(&q->doc, prompt, JSON_NULL)) rc = request_expected(q, "prompt", "a string or an array");
  return rc ? rc : request_text(q, VDT_PROMPT, json_get(&q->doc, 0, "suffix"), "suffix");
}

static int texts(struct texts *t, uint32_t choice, bool delta)
{
  (void)delta; /* a chunk has the shape of an answer */
  return texts_add(t, TEXT, 0, wire_get(t->doc, choice, "text"));
}

static const struct choices_shape shape = {
    .chunks = chunks,
    .object = "text_completion",
    .ended = "\"text\":\"\"",
    .blocked = "text",
    .blocked_value = "\"\"",
    .texts = texts,
};

static const char *const paths[] = {"/v1/completions", "/openai/v1/completions", "/openai/deployments/*/completions", NULL};

const struct wire_format wire_openai_completions = {
    .name = "openai-completions",
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
