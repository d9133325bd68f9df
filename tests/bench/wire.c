/*
 * What a format costs: the same text as a request, as a whole answer and as a stream of 16-byte deltas, through wire alone with a hook
 * that lets everything pass; for embeddings the answer is as many bytes of numbers. Prints MB/s of text, and for each the cost against Chat Completions (1.00; the bound of the project is 1.5).
 *
 *   VEDETTE_SRC=. build/tests/bench/wire
 */
#include "base/clock.h"
#include "wire/wire.h"
#include <stdio.h>
#include <stdlib.h>

enum { TEXT = 64 << 10, DELTA = 16, ROUNDS = 60 };

struct sample {
  const char *format;
  const char *request[2], *whole[2];      /* around the text */
  const char *first, *delta[2], *last[3]; /* of a stream; last: around the whole text where it is repeated */
  bool numbers;                           /* the answer has no text */
};

static const struct sample samples[] = {
    {"openai-chat",
     {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"", "\"}]}"},
     {"{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"",
      "\"},\"finish_reason\":\"stop\"}]}"},
     "",
     {"data: {\"id\":\"chatcmpl-0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"gpt-4o\","
      "\"system_fingerprint\":\"fp_1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
      "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"},
     {"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", NULL, NULL},
     false},
    {"openai-completions",
     {"{\"model\":\"m\",\"prompt\":\"", "\"}"},
     {"{\"id\":\"c\",\"choices\":[{\"index\":0,\"text\":\"", "\",\"finish_reason\":\"stop\"}]}"},
     "",
     {"data: "
      "{\"id\":\"cmpl-0123456789\",\"object\":\"text_completion\",\"created\":1764000000,\"model\":\"gpt-4o\",\"choices\":[{"
      "\"index\":0,"
      "\"text\":\"",
      "\",\"logprobs\":null,\"finish_reason\":null}]}\n\n"},
     {"data: [DONE]\n\n", NULL, NULL},
     false},
    {"openai-responses",
     {"{\"model\":\"m\",\"input\":\"", "\"}"},
     {"{\"id\":\"r\",\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":"
      "\"",
      "\"}]}]}"},
     "event: response.created\ndata: "
     "{\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"output\":[]}}\n\n",
     {"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":4,\"item_id\":"
      "\"msg_0123456789\",\"output_index\":0,\"content_index\":0,\"logprobs\":[],\"delta\":\"",
      "\"}\n\n"},
     {"event: response.output_text.done\ndata: "
      "{\"type\":\"response.output_text.done\",\"output_index\":0,\"content_index\":0,\"text\":\"",
      "\"}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[{\"type\":"
      "\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"",
      "\"}]}]}}\n\n"},
     false},
    {"anthropic",
     {"{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"", "\"}]}"},
     {"{\"id\":\"m\",\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"", "\"}],\"stop_reason\":\"end_turn\"}"},
     "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[]}}\n\n",
     {"event: content_block_delta\ndata: "
      "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"",
      "\"}}\n\n"},
     {"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", NULL, NULL},
     false},
    {"ollama",
     {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"", "\"}]}"},
     {"{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"", "\"},\"done\":true}"},
     "",
     {"{\"model\":\"m\",\"created_at\":\"2025-11-24T16:00:00Z\",\"message\":{\"role\":\"assistant\",\"content\":\"",
      "\"},\"done\":false}\n"},
     {"{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n", NULL, NULL},
     false},
    {"google",
     {"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"", "\"}]}]}"},
     {"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"",
      "\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}]}"},
     "",
     {"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"",
      "\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":4,\"totalTokenCount\":9},\"modelVersion\":"
      "\"gemini\"}\n\n"},
     {"data: "
      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}]}"
      "\n\n",
      NULL, NULL},
     false},
    {"openai-embeddings",
     {"{\"model\":\"m\",\"input\":\"", "\"}"},
     {"{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[", "1]}],\"model\":\"m\"}"},
     NULL,
     {NULL, NULL},
     {NULL, NULL, NULL},
     true},
    {"openai-realtime",
     {"{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_"
      "text\","
      "\"text\":\"",
      "\"}]}}"},
     {NULL, NULL},
     "{\"type\":\"response.created\",\"event_id\":\"e\",\"response\":{\"id\":\"r\",\"output\":[]}}\n",
     {"{\"type\":\"response.output_text.delta\",\"event_id\":\"event_0123456789\",\"response_id\":\"r\",\"item_id\":\"item_"
      "0123456789\",\"output_index\":0,\"content_index\":0,\"delta\":\"",
      "\"}\n"},
     {"{\"type\":\"response.output_text.done\",\"event_id\":\"e\",\"response_id\":\"r\",\"item_id\":\"item_0123456789\",\"output_"
      "index\":0,"
      "\"content_index\":0,\"text\":\"",
      "\"}\n{\"type\":\"response.done\",\"event_id\":\"e\",\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[{"
      "\"type\":"
      "\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"",
      "\"}]}]}}\n"},
     false},
    {"json",
     {"{\"assistant_id\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"", "\"}]}"},
     {"{\"id\":\"m\",\"object\":\"thread.message\",\"content\":[{\"type\":\"text\",\"text\":{\"value\":\"", "\"}}]}"},
     "",
     {"event: thread.message.delta\ndata: "
      "{\"id\":\"msg_0123456789\",\"object\":\"thread.message.delta\",\"delta\":{\"content\":[{\"index\":0,"
      "\"type\":\"text\",\"text\":{\"value\":\"",
      "\"}}]}}\n\n"},
     {"event: done\ndata: [DONE]\n\n", NULL, NULL},
     false},
};

static int pass(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  (void)ctx, (void)channel, (void)last;
  *out = (struct wire_text){.p = in};
  return VDT_OK;
}

static void put_text(struct buf *b, size_t from, size_t n)
{
  static const char words[] = "the quick brown fox jumps over the lazy dog and goes on ";
  for (size_t i = 0; i < n; i++) buf_byte(b, words[(from + i) % (sizeof words - 1)]);
}

static void put_numbers(struct buf *b)
{
  for (size_t i = 0, end = b->n + TEXT; b->n < end; i++) buf_printf(b, "-0.0%06zu,", i * 7919 % 1000000);
}

static void around(struct buf *b, const char *const parts[2], bool numbers)
{
  buf_put(b, str_of(parts[0]));
  if (numbers) put_numbers(b);
  else put_text(b, 0, TEXT);
  buf_put(b, str_of(parts[1]));
}

static void stream_of(const struct sample *s, struct buf *b)
{
  buf_put(b, str_of(s->first));
  for (size_t at = 0; at < TEXT; at += DELTA) {
    buf_put(b, str_of(s->delta[0]));
    put_text(b, at, DELTA);
    buf_put(b, str_of(s->delta[1]));
  }
  for (size_t i = 0; i < 3 && s->last[i]; i++) {
    if (i) put_text(b, 0, TEXT);
    buf_put(b, str_of(s->last[i]));
  }
}

static void read_request(const struct wire_format *f, struct str in, struct vdt_arena *arena)
{
  struct wire_request q;
  if (wire_request_parse(f, arena, in, NULL, &q, NULL) || q.n_parts != 1) abort();
}

static void read_answer(const struct wire_format *f, enum wire_mode mode, struct str in, struct vdt_arena *arena)
{
  struct wire_hooks hooks = {.text = pass};
  struct wire_response_options opt = {.mode = mode, .max_body = 16 << 20, .n = 1};
  struct wire_response *r;
  struct buf out = {0};
  if (wire_response_new(f, arena, &opt, &hooks, &r)) abort();
  for (size_t at = 0; at < in.n; at += 4096)
    if (wire_response_feed(r, str_cut(in, at, in.n - at < 4096 ? in.n : at + 4096), &out)) abort();
  if (wire_response_finish(r, false, &out) || out.n != in.n) abort();
  wire_response_free(r);
  buf_finish(&out);
}

static bool has(const struct sample *s, int what)
{
  return what == 0 || (what == 1 ? s->whole[0] != NULL : s->first != NULL);
}

/* The best of some rounds, in microseconds. */
static uint64_t time_of(const struct sample *s, int what, struct vdt_arena *arena)
{
  const struct wire_format *f = wire_format_by_name(str_of(s->format));
  struct buf in = {0};
  uint64_t best = UINT64_MAX;
  if (what == 0) around(&in, s->request, false);
  else if (what == 1) around(&in, s->whole, s->numbers);
  else stream_of(s, &in);
  for (int i = 0; i < ROUNDS; i++) {
    vdt_arena_reset(arena);
    uint64_t begin = clock_mono_us();
    if (what == 0) read_request(f, buf_str(&in), arena);
    else read_answer(f, what == 1 ? WIRE_JSON : wire_stream_mode(f), buf_str(&in), arena);
    uint64_t took = clock_mono_us() - begin;
    if (took < best) best = took;
  }
  buf_finish(&in);
  return best ? best : 1;
}

int main(void)
{
  static const char *const names[] = {"request", "whole", "stream"};
  struct vdt_arena *arena = vdt_arena_new(0);
  uint64_t chat[3] = {0};
  for (int what = 0; what < 3; what++) time_of(&samples[0], what, arena); /* malloc learns the sizes */
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
    printf("%-20s", samples[i].format);
    for (int what = 0; what < 3; what++) {
      if (!has(&samples[i], what)) {
        printf("  %-24s", "");
        continue;
      }
      uint64_t us = time_of(&samples[i], what, arena);
      if (i == 0) chat[what] = us;
      printf("  %s %7.1f MB/s %5.2f", names[what], (double)TEXT / (double)us, (double)us / (double)chat[what]);
    }
    printf("\n");
  }
  vdt_arena_free(arena);
  return 0;
}
