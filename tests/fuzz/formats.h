/* How each format carries one text: as a request, and as the pieces of a stream. For harnesses that make conversations out of any text. */
#ifndef TESTS_FUZZ_FORMATS_H
#define TESTS_FUZZ_FORMATS_H
#include "base/json.h"
#include "wire/wire.h"

struct carrier {
  const char *format, *path;
  const char *request[2];       /* around the text, which stands in quotes */
  const char *first, *delta[2]; /* of a stream; NULL: it has none */
  const char *last;
  const char *type; /* of the stream */
};

#define EVENTS "text/event-stream"

/* In the order of wire/formats.def, without Realtime, whose messages come through a session. %s is the deployment. */
static const struct carrier carriers[] = {
    {"openai-chat",
     "/openai/deployments/%s/chat/completions",
     {"{\"messages\":[{\"role\":\"user\",\"content\":", "}]}"},
     "",
     {"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":", "}}]}\n\n"},
     "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
     EVENTS},
    {"openai-completions",
     "/openai/deployments/%s/completions",
     {"{\"prompt\":", "}"},
     "",
     {"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"text\":", "}]}\n\n"},
     "data: [DONE]\n\n",
     EVENTS},
    {"openai-responses",
     "/v1/responses",
     {"{\"model\":\"%s\",\"input\":", "}"},
     "data: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"output\":[]}}\n\n"
     "data: {\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,\"item\":{\"id\":\"i\",\"type\":"
     "\"message\",\"content\":[]}}\n\n",
     {"data: {\"type\":\"response.output_text.delta\",\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":",
      "}\n\n"},
     "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[]}}\n\n",
     EVENTS},
    {"openai-embeddings", "/openai/deployments/%s/embeddings", {"{\"input\":", "}"}, NULL, {NULL, NULL}, NULL, NULL},
    {"anthropic",
     "/v1/messages",
     {"{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":", "}]}"},
     "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[]}}\n\n"
     "event: content_block_start\ndata: "
     "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":"
     "\"\"}}\n\n",
     {"event: content_block_delta\ndata: "
      "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":",
      "}}\n\n"},
     "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
     "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
     EVENTS},
    {"ollama",
     "/api/chat",
     {"{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":", "}]}"},
     "",
     {"{\"message\":{\"role\":\"assistant\",\"content\":", "},\"done\":false}\n"},
     "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n",
     "application/x-ndjson"},
    {"google",
     "/v1beta/models/%s:streamGenerateContent",
     {"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":", "}]}]}"},
     "",
     {"data: {\"candidates\":[{\"index\":0,\"content\":{\"parts\":[{\"text\":", "}]}}]}\n\n"},
     "data: {\"candidates\":[{\"index\":0,\"content\":{\"parts\":[]},\"finishReason\":\"STOP\"}]}\n\n",
     EVENTS},
    {"json",
     "/v1/threads/runs",
     {"{\"model\":\"%s\",\"thread\":{\"messages\":[{\"role\":\"user\",\"content\":", "}]}}"},
     "",
     {"data: {\"delta\":{\"text\":", "}}\n\n"},
     "data: [DONE]\n\n",
     EVENTS},
};
enum { CARRIERS = sizeof carriers / sizeof *carriers };

static inline void carry(struct buf *b, const char *pattern, const char *deployment)
{
  for (; *pattern; pattern++) {
    if (pattern[0] != '%') {
      buf_byte(b, *pattern);
      continue;
    }
    buf_put(b, str_of(deployment));
    pattern++;
  }
}

static inline void carry_request(const struct carrier *c, const char *deployment, struct str text, struct buf *out)
{
  carry(out, c->request[0], deployment);
  json_quote(out, text);
  carry(out, c->request[1], deployment);
}

/* Each line of the text is a piece; the line feeds are not part of it. */
static inline void carry_stream(const struct carrier *c, struct str text, struct buf *out)
{
  buf_put(out, str_of(c->first));
  while (text.n) {
    const char *end = memchr(text.p, '\n', text.n);
    size_t n = end ? (size_t)(end - text.p) : text.n;
    buf_put(out, str_of(c->delta[0]));
    json_quote(out, str_cut(text, 0, n));
    buf_put(out, str_of(c->delta[1]));
    text = str_cut(text, end ? n + 1 : n, text.n);
  }
  buf_put(out, str_of(c->last));
}
#endif
