/* Answers in the form of Anthropic Messages: a text block, then tool_use blocks; whole, or as typed events. */
#include "base/quote.h"
#include "sim/said.h"

static const char *stop_reason(const struct script *s, const struct said *said)
{
  return s->filter_completion ? "refusal" : said->n_calls ? "tool_use" : "end_turn";
}

static void put_tool(struct buf *b, const struct script *s, const struct call *c, size_t i, bool whole)
{
  buf_printf(b, "{\"type\": \"tool_use\", \"id\": \"toolu_%015llx%zu\", \"name\": ", (unsigned long long)(s->seed >> 4), i);
  json_quote(b, c->name);
  BUF_LIT(b, ", \"input\": ");
  if (whole) put_input(b, c);
  else BUF_LIT(b, "{}");
  BUF_LIT(b, "}");
}

static void put_head(struct buf *b, const struct script *s)
{
  buf_printf(
      b, "{\"id\": \"msg_%016llx\", \"type\": \"message\", \"role\": \"assistant\", \"model\": ", (unsigned long long)s->seed);
  json_quote(b, s->model);
}

static void put_usage(struct buf *b, const struct script *s, uint64_t completion)
{
  buf_printf(b, "\"usage\": {\"input_tokens\": %llu, \"output_tokens\": %llu}", (unsigned long long)s->prompt_tokens,
             (unsigned long long)completion);
}

static bool has_text(const struct said *said)
{
  return said->text.n || !said->n_calls;
}

static void put_whole(struct buf *b, const struct script *s, const struct said *said)
{
  put_head(b, s);
  BUF_LIT(b, ", \"content\": [");
  if (has_text(said)) {
    BUF_LIT(b, "{\"type\": \"text\", \"text\": ");
    json_quote(b, buf_str(&said->text));
    BUF_LIT(b, "}");
  }
  for (size_t i = 0; i < said->n_calls; i++) {
    if (i || has_text(said)) BUF_LIT(b, ", ");
    put_tool(b, s, &said->calls[i], i, true);
  }
  buf_printf(b, "], \"stop_reason\": \"%s\", \"stop_sequence\": null, ", stop_reason(s, said));
  put_usage(b, s, tokens(said->text.n));
  BUF_LIT(b, "}");
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

static struct buf *begin(struct reply *out, const char *type)
{
  buf_printf(&out->body, "event: %s\ndata: {\"type\": \"%s\"", type, type);
  return &out->body;
}

static void end(struct reply *out)
{
  BUF_LIT(&out->body, "}");
  reply_end_event(out);
}

static void stream_pieces(const struct script *s, struct reply *out, size_t index, struct str text, const char *type,
                          const char *member)
{
  for (size_t i = 0, n; i < text.n; i += n) {
    n = piece(text, i, s->chunk);
    struct buf *b = begin(out, "content_block_delta");
    buf_printf(b, ", \"index\": %zu, \"delta\": {\"type\": \"%s\", \"%s\": ", index, type, member);
    json_quote(b, str_cut(text, i, i + n));
    BUF_LIT(b, "}");
    end(out);
  }
  buf_printf(begin(out, "content_block_stop"), ", \"index\": %zu", index);
  end(out);
}

static void stream(const struct script *s, const struct said *said, struct reply *out)
{
  size_t index = 0;
  struct buf *b = begin(out, "message_start");
  BUF_LIT(b, ", \"message\": ");
  put_head(b, s);
  BUF_LIT(b, ", \"content\": [], \"stop_reason\": null, \"stop_sequence\": null, ");
  put_usage(b, s, 1);
  BUF_LIT(b, "}");
  end(out);
  begin(out, "ping");
  end(out);
  if (has_text(said)) {
    BUF_LIT(begin(out, "content_block_start"), ", \"index\": 0, \"content_block\": {\"type\": \"text\", \"text\": \"\"}");
    end(out);
    stream_pieces(s, out, index++, buf_str(&said->text), "text_delta", "text");
  }
  for (size_t i = 0; i < said->n_calls; i++) {
    buf_printf(begin(out, "content_block_start"), ", \"index\": %zu, \"content_block\": ", index);
    put_tool(b, s, &said->calls[i], i, false);
    end(out);
    struct buf input = {0};
    put_input(&input, &said->calls[i]);
    stream_pieces(s, out, index++, buf_str(&input), "input_json_delta", "partial_json");
    out->body.failed |= input.failed;
    buf_finish(&input);
  }
  buf_printf(begin(out, "message_delta"), ", \"delta\": {\"stop_reason\": \"%s\", \"stop_sequence\": null}, ",
             stop_reason(s, said));
  put_usage(b, s, tokens(said->text.n));
  end(out);
  begin(out, "message_stop");
  end(out);
}

void reply_anthropic(const struct script *s, struct reply *out)
{
  struct said said;
  say(s, 0, &said);
  if (!said.text.p) buf_reserve(&said.text, 1);
  out->sse = s->stream;
  if (s->stream) stream(s, &said, out);
  else put_whole(&out->body, s, &said);
  out->body.failed |= said.text.failed;
  said_finish(&said);
}
