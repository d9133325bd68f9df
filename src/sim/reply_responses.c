/* Answers in the form of the Responses API: a message, then function calls; whole, or as typed and numbered events. */
#include "base/quote.h"
#include "sim/said.h"

enum { CREATED = 1764000000 };

struct writer {
  const struct script *s;
  struct reply *out;
  const struct said *said;
  unsigned next; /* sequence_number */
};

static bool has_message(const struct said *said)
{
  return said->text.n || !said->n_calls;
}

static void put_text_part(struct buf *b, struct str text)
{
  BUF_LIT(b, "{\"type\": \"output_text\", \"annotations\": [], \"logprobs\": [], \"text\": ");
  json_quote(b, text);
  BUF_LIT(b, "}");
}

static void put_message(struct buf *b, const struct script *s, const char *status, struct str text, bool whole)
{
  buf_printf(b, "{\"id\": \"msg_%016llx\", \"type\": \"message\", \"status\": \"%s\", \"role\": \"assistant\", \"content\": [",
             (unsigned long long)s->seed, status);
  if (whole) put_text_part(b, text);
  BUF_LIT(b, "]}");
}

static void put_call(struct buf *b, const struct script *s, const struct call *c, size_t i, const char *status,
                     struct str arguments)
{
  buf_printf(
      b,
      "{\"id\": \"fc_%015llx%zu\", \"type\": \"function_call\", \"status\": \"%s\", \"call_id\": \"call_%015llx%zu\", \"name\": ",
      (unsigned long long)(s->seed >> 4), i, status, (unsigned long long)(s->seed >> 4), i);
  json_quote(b, c->name);
  BUF_LIT(b, ", \"arguments\": ");
  json_quote(b, arguments);
  BUF_LIT(b, "}");
}

static void put_output(struct buf *b, const struct script *s, const struct said *said)
{
  const char *status = s->filter_completion ? "incomplete" : "completed";
  if (has_message(said)) put_message(b, s, status, buf_str(&said->text), true);
  for (size_t i = 0; i < said->n_calls; i++) {
    if (i || has_message(said)) BUF_LIT(b, ", ");
    put_call(b, s, &said->calls[i], i, "completed", buf_str(&said->calls[i].arguments));
  }
}

static void put_response(struct buf *b, const struct script *s, const struct said *said, bool whole)
{
  unsigned long long completion = tokens(said->text.n), prompt = s->prompt_tokens;
  buf_printf(b, "{\"id\": \"resp_%016llx\", \"object\": \"response\", \"created_at\": %d, \"status\": \"%s\", \"error\": null, ",
             (unsigned long long)s->seed, CREATED,
             !whole                 ? "in_progress"
             : s->filter_completion ? "incomplete"
                                    : "completed");
  BUF_LIT(b, "\"incomplete_details\": ");
  if (whole && s->filter_completion) BUF_LIT(b, "{\"reason\": \"content_filter\"}");
  else BUF_LIT(b, "null");
  BUF_LIT(b, ", \"instructions\": null, \"metadata\": {}, \"model\": ");
  json_quote(b, s->model);
  BUF_LIT(b, ", \"parallel_tool_calls\": true, \"temperature\": 1, \"tool_choice\": \"auto\", \"tools\": [], \"top_p\": 1, "
             "\"output\": [");
  if (whole) put_output(b, s, said);
  BUF_LIT(b, "], \"usage\": ");
  if (whole)
    buf_printf(b,
               "{\"input_tokens\": %llu, \"input_tokens_details\": {\"cached_tokens\": 0}, \"output_tokens\": %llu, "
               "\"output_tokens_details\": {\"reasoning_tokens\": 0}, \"total_tokens\": %llu}",
               prompt, completion, prompt + completion);
  else BUF_LIT(b, "null");
  BUF_LIT(b, "}");
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

static struct buf *begin(struct writer *w, const char *type)
{
  struct buf *b = &w->out->body;
  buf_printf(b, "event: %s\ndata: {\"type\": \"%s\", \"sequence_number\": %u", type, type, w->next++);
  return b;
}

static void end(struct writer *w)
{
  BUF_LIT(&w->out->body, "}");
  reply_end_event(w->out);
}

static void lifecycle(struct writer *w, const char *type, bool whole)
{
  struct buf *b = begin(w, type);
  BUF_LIT(b, ", \"response\": ");
  put_response(b, w->s, w->said, whole);
  end(w);
}

static struct buf *begin_text(struct writer *w, const char *type)
{
  struct buf *b = begin(w, type);
  buf_printf(b, ", \"item_id\": \"msg_%016llx\", \"output_index\": 0, \"content_index\": 0", (unsigned long long)w->s->seed);
  return b;
}

static void stream_message(struct writer *w)
{
  struct str text = buf_str(&w->said->text);
  struct buf *b = begin(w, "response.output_item.added");
  BUF_LIT(b, ", \"output_index\": 0, \"item\": ");
  put_message(b, w->s, "in_progress", text, false);
  end(w);
  BUF_LIT(begin_text(w, "response.content_part.added"), ", \"part\": ");
  put_text_part(b, STR(""));
  end(w);
  for (size_t i = 0, n; i < text.n; i += n) {
    n = piece(text, i, w->s->chunk);
    BUF_LIT(begin_text(w, "response.output_text.delta"), ", \"logprobs\": [], \"delta\": ");
    json_quote(b, str_cut(text, i, i + n));
    end(w);
  }
  BUF_LIT(begin_text(w, "response.output_text.done"), ", \"logprobs\": [], \"text\": ");
  json_quote(b, text);
  end(w);
  BUF_LIT(begin_text(w, "response.content_part.done"), ", \"part\": ");
  put_text_part(b, text);
  end(w);
  begin(w, "response.output_item.done");
  BUF_LIT(b, ", \"output_index\": 0, \"item\": ");
  put_message(b, w->s, w->s->filter_completion ? "incomplete" : "completed", text, true);
  end(w);
}

static struct buf *begin_call(struct writer *w, const char *type, size_t i, size_t index)
{
  struct buf *b = begin(w, type);
  buf_printf(b, ", \"item_id\": \"fc_%015llx%zu\", \"output_index\": %zu", (unsigned long long)(w->s->seed >> 4), i, index);
  return b;
}

static void stream_call(struct writer *w, size_t i, size_t index)
{
  const struct call *c = &w->said->calls[i];
  struct str arguments = buf_str(&c->arguments);
  struct buf *b = begin(w, "response.output_item.added");
  buf_printf(b, ", \"output_index\": %zu, \"item\": ", index);
  put_call(b, w->s, c, i, "in_progress", STR(""));
  end(w);
  for (size_t at = 0, n; at < arguments.n; at += n) {
    n = piece(arguments, at, w->s->chunk);
    BUF_LIT(begin_call(w, "response.function_call_arguments.delta", i, index), ", \"delta\": ");
    json_quote(b, str_cut(arguments, at, at + n));
    end(w);
  }
  begin_call(w, "response.function_call_arguments.done", i, index);
  BUF_LIT(b, ", \"name\": ");
  json_quote(b, c->name);
  BUF_LIT(b, ", \"arguments\": ");
  json_quote(b, arguments);
  end(w);
  begin(w, "response.output_item.done");
  buf_printf(b, ", \"output_index\": %zu, \"item\": ", index);
  put_call(b, w->s, c, i, "completed", arguments);
  end(w);
}

void reply_responses(const struct script *s, struct reply *out)
{
  struct said said;
  struct writer w = {s, out, &said, 0};
  say(s, 0, &said);
  if (!said.text.p) buf_reserve(&said.text, 1);
  out->sse = s->stream;
  if (!s->stream) {
    put_response(&out->body, s, &said, true);
  } else {
    lifecycle(&w, "response.created", false);
    lifecycle(&w, "response.in_progress", false);
    if (has_message(&said)) stream_message(&w);
    for (size_t i = 0; i < said.n_calls; i++) stream_call(&w, i, i + has_message(&said));
    lifecycle(&w, s->filter_completion ? "response.incomplete" : "response.completed", true);
  }
  out->body.failed |= said.text.failed;
  said_finish(&said);
}
