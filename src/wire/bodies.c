/* Bodies of our own in the form of OpenAI and Azure OpenAI; formats of other families write theirs in their own files. */
#include "wire/response.h"

void openai_blocked(const struct wire_shield *shield, struct str message, struct buf *out)
{
  BUF_LIT(out, "{\"error\":{\"message\":");
  json_quote(out, message);
  BUF_LIT(out, ",\"type\":null,\"param\":\"prompt\",\"code\":\"content_filter\",\"status\":400,\"innererror\":{\"code\":"
               "\"ResponsibleAIPolicyViolation\",\"content_filter_result\":");
  wire_prompt_annotation(shield, out);
  BUF_LIT(out, "}}}");
}

void openai_error(int code, const char *name, struct str message, struct buf *out)
{
  BUF_LIT(out, "{\"error\":{\"message\":");
  json_quote(out, message);
  buf_printf(out, ",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}",
             vdt_http_status(code) < 500 ? "invalid_request_error" : "server_error", name);
}
