/* Answers of Ollama: /api/chat and /api/generate, whole or as lines of JSON. */
#include "base/quote.h"
#include "sim/said.h"

static bool is_chat(const struct script *s)
{
  return s->dialect == DIALECT_OLLAMA_CHAT;
}

static void put_calls(struct buf *b, const struct said *said)
{
  if (!said->n_calls) return;
  BUF_LIT(b, ", \"tool_calls\": [");
  for (size_t i = 0; i < said->n_calls; i++) {
    buf_put(b, i ? STR(", {\"function\": {\"name\": ") : STR("{\"function\": {\"name\": "));
    json_quote(b, said->calls[i].name);
    BUF_LIT(b, ", \"arguments\": ");
    put_input(b, &said->calls[i]);
    BUF_LIT(b, "}}");
  }
  BUF_LIT(b, "]");
}

static void put_object(struct buf *b, const struct script *s, const struct said *said, struct str text, bool calls, bool last)
{
  BUF_LIT(b, "{\"model\": ");
  json_quote(b, s->model);
  BUF_LIT(b, ", \"created_at\": \"2025-11-24T16:00:00Z\", ");
  buf_put(b, is_chat(s) ? STR("\"message\": {\"role\": \"assistant\", \"content\": ") : STR("\"response\": "));
  json_quote(b, text);
  if (calls && is_chat(s)) put_calls(b, said);
  if (is_chat(s)) BUF_LIT(b, "}");
  buf_printf(b, ", \"done\": %s", last ? "true" : "false");
  if (last)
    buf_printf(b,
               ", \"done_reason\": \"%s\", \"total_duration\": 1000, \"load_duration\": 1, \"prompt_eval_count\": %llu, "
               "\"prompt_eval_duration\": 1, \"eval_count\": %llu, \"eval_duration\": 1",
               s->filter_completion ? "content_filter" : "stop", (unsigned long long)s->prompt_tokens,
               (unsigned long long)tokens(said->text.n));
  BUF_LIT(b, "}");
}

static void end_line(struct reply *out)
{
  BUF_LIT(&out->body, "\n");
  reply_mark_event(out);
}

static void stream(const struct script *s, const struct said *said, struct reply *out)
{
  struct str text = buf_str(&said->text);
  for (size_t i = 0, n; i < text.n; i += n) {
    n = piece(text, i, s->chunk);
    put_object(&out->body, s, said, str_cut(text, i, i + n), false, false);
    end_line(out);
  }
  if (said->n_calls) {
    put_object(&out->body, s, said, STR(""), true, false);
    end_line(out);
  }
  put_object(&out->body, s, said, STR(""), false, true);
  end_line(out);
}

void reply_ollama(const struct script *s, struct reply *out)
{
  struct said said;
  say(s, 0, &said);
  if (!said.text.p) buf_reserve(&said.text, 1);
  out->lines = s->stream;
  if (s->stream) stream(s, &said, out);
  else put_object(&out->body, s, &said, buf_str(&said.text), true, true);
  out->body.failed |= said.text.failed;
  said_finish(&said);
}
