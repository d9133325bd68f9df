/* Answers of Google's generateContent: whole, or as server-sent events (alt=sse). */
#include "base/quote.h"
#include "sim/said.h"

static void put_calls(struct buf *b, const struct said *said, bool comma)
{
  for (size_t i = 0; i < said->n_calls; i++, comma = true) {
    if (comma) BUF_LIT(b, ", ");
    BUF_LIT(b, "{\"functionCall\": {\"name\": ");
    json_quote(b, said->calls[i].name);
    BUF_LIT(b, ", \"args\": ");
    put_input(b, &said->calls[i]);
    BUF_LIT(b, "}}");
  }
}

static void put_object(struct buf *b, const struct script *s, const struct said *said, struct str text, bool calls, bool last)
{
  unsigned long long completion = tokens(said->text.n), prompt = s->prompt_tokens;
  BUF_LIT(b, "{\"candidates\": [{\"content\": {\"parts\": [");
  if (text.n || !calls) {
    BUF_LIT(b, "{\"text\": ");
    json_quote(b, text);
    BUF_LIT(b, "}");
  }
  if (calls) put_calls(b, said, text.n > 0);
  BUF_LIT(b, "], \"role\": \"model\"}");
  if (last) buf_printf(b, ", \"finishReason\": \"%s\"", s->filter_completion ? "SAFETY" : "STOP");
  buf_printf(
      b,
      ", \"index\": 0}], \"usageMetadata\": {\"promptTokenCount\": %llu, \"candidatesTokenCount\": %llu, \"totalTokenCount\": "
      "%llu}, \"modelVersion\": ",
      prompt, completion, prompt + completion);
  json_quote(b, s->model);
  buf_printf(b, ", \"responseId\": \"g-%016llx\"}", (unsigned long long)s->seed);
}

static void stream(const struct script *s, const struct said *said, struct reply *out)
{
  struct str text = buf_str(&said->text);
  for (size_t i = 0, n; i < text.n; i += n) {
    n = piece(text, i, s->chunk);
    bool last = i + n == text.n && !said->n_calls;
    BUF_LIT(&out->body, "data: ");
    put_object(&out->body, s, said, str_cut(text, i, i + n), false, last);
    reply_end_event(out);
  }
  if (text.n && !said->n_calls) return;
  BUF_LIT(&out->body, "data: ");
  put_object(&out->body, s, said, STR(""), said->n_calls > 0, true);
  reply_end_event(out);
}

void reply_google(const struct script *s, struct reply *out)
{
  struct said said;
  say(s, 0, &said);
  if (!said.text.p) buf_reserve(&said.text, 1);
  out->sse = s->stream;
  if (s->stream) stream(s, &said, out);
  else put_object(&out->body, s, &said, buf_str(&said.text), said.n_calls > 0, true);
  out->body.failed |= said.text.failed;
  said_finish(&said);
}
