/* Any body and any directive: the simulated model answers, the same twice, and a JSON answer is JSON. Byte 0 chooses the form. */
#include "sim/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
  if (!ok) abort();
}

static void answer(struct vdt_arena *arena, struct str body, enum dialect dialect, struct reply *out)
{
  struct script s;
  struct vdt_error err = {0};
  int rc = script_read(arena, body, STR("d"), dialect, &s, &err);
  if (rc) reply_error(out, (unsigned)vdt_http_status(rc), "invalid_request", err.text);
  else reply_make(&s, out);
}

/* The fuzzer's text as the user's message of a request that has a tool. */
static void wrap(struct buf *b, struct str text, bool stream)
{
  buf_printf(b,
             "{\"stream\": %s, \"n\": 2, \"tools\": [{\"function\": {\"name\": \"save\"}}], \"prompt\": \"\", \"input\": \"\", "
             "\"contents\": [], "
             "\"messages\": [{\"role\": \"user\", \"content\": ",
             stream ? "true" : "false");
  json_quote(b, text);
  BUF_LIT(b, "}]}");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1) return 0;
  struct vdt_arena *arena = vdt_arena_new(0);
  struct str text = {(const char *)data + 1, size - 1};
  struct buf body = {0};
  struct reply a = {0}, b = {0};
  struct json_limits limits = JSON_LIMITS_DEFAULT;
  struct json_doc doc;
  if (data[0] & 1) buf_put(&body, text);
  else wrap(&body, text, data[0] & 2);
  answer(arena, buf_str(&body), (enum dialect)((data[0] >> 2) % 7), &a);
  answer(arena, buf_str(&body), (enum dialect)((data[0] >> 2) % 7), &b);
  check(a.status == b.status && str_eq(buf_str(&a.body), buf_str(&b.body)));
  if (!a.sse && !a.lines && !a.body.failed && a.body.n < 1 << 20)
    check(json_parse(arena, buf_str(&a.body), &limits, &doc, NULL) == VDT_OK);
  for (size_t i = 0; i < a.n_events; i++) check(a.ends[i] <= a.body.n && (i == 0 || a.ends[i] > a.ends[i - 1]));
  reply_finish(&a);
  reply_finish(&b);
  buf_finish(&body);
  vdt_arena_free(arena);
  return 0;
}
