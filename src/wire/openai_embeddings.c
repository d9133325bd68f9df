/* openai-embeddings: texts go up, numbers come back. The smallest format: its answers hold no text. */
#include "wire/response.h"

/* input: a string, strings, token ids, or lists of token ids. */
static int read_input(struct request *q, uint32_t input, const char *origin)
{
  unsigned i = 0;
  int rc = VDT_OK;
  if (json_is(&q->doc, input, JSON_STRING)) return request_text(q, VDT_PROMPT, input, origin);
  for (uint32_t n = json_is(&q->doc, input, JSON_ARRAY) ? json_first(&q->doc, input) : 0; n && !rc;
       n = json_next(&q->doc, input, n), i++) {
    if (json_is(&q->doc, n, JSON_STRING)) rc = request_text(q, VDT_PROMPT, n, request_origin(q, "%s[%u]", origin, i));
    else if (json_is(&q->doc, n, JSON_NUMBER)) return request_skip(q, VDT_PROMPT, origin, "token ids");
    else if (json_is(&q->doc, n, JSON_ARRAY))
      rc = request_skip(q, VDT_PROMPT, request_origin(q, "%s[%u]", origin, i), "token ids");
  }
  return rc;
}

static int request(struct request *q)
{
  static const char *const members[] = {"input"};
  int rc = request_spelling(q, 0, members, 1);
  return rc ? rc : read_input(q, json_get(&q->doc, 0, "input"), "input");
}

static int answer(struct wire_response *r)
{
  uint32_t usage = json_get(&r->doc, 0, "usage");
  json_u64(&r->doc, wire_get(&r->doc, usage, "prompt_tokens"), &r->info.prompt_tokens);
  json_u64(&r->doc, wire_get(&r->doc, usage, "total_tokens"), &r->info.total_tokens);
  if (!json_is(&r->doc, json_get(&r->doc, 0, "data"), JSON_ARRAY)) return VDT_ESYNTAX;
  return response_keep(r, 0, "model", &r->info.model);
}

static const char *const paths[] = {"/v1/embeddings", "/openai/v1/embeddings", "/openai/deployments/*/embeddings",
                                    "/models/embeddings", NULL};

const struct wire_format wire_openai_embeddings = {
    .name = "openai-embeddings",
    .paths = paths,
    .members = {"data"},
    .numbers = true,
    .request = request,
    .answer = answer,
    .goodbye = "",
    .blocked = openai_blocked,
    .error = openai_error,
};
