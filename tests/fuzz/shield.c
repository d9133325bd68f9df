/*
 * Calls of our Prompt Shields API. Byte 0 chooses the head's variants, the rest is query, a line feed, and the body. Whatever comes: no crash, and
 * what is read keeps the limits; what is written is strict JSON again.
 */
#include "wire/shield.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct vdt_arena *arena, const struct buf *b)
{
  struct json_doc doc;
  if (b->failed || json_parse(arena, buf_str(b), NULL, &doc, NULL)) abort();
}

static void answer(struct vdt_arena *arena, const struct shield_question *q, bool details)
{
  struct shield_verdict v[SHIELD_TEXTS] = {0};
  struct buf b = {0};
  size_t documents = 0;
  for (size_t i = 0; i < q->n; i++) documents += q->texts[i].document;
  if (q->n > SHIELD_TEXTS || documents > SHIELD_DOCUMENTS || documents + q->has_prompt != q->n) abort();
  shield_write(q, v, details, &b);
  check_json(arena, &b);
  buf_finish(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1) return 0;
  struct str in = {(const char *)data + 1, size - 1};
  const char *end = in.n ? memchr(in.p, '\n', in.n) : NULL;
  size_t n = end ? (size_t)(end - in.p) : 0;
  struct shield_call call;
  shield_route(data[0] & 1 ? STR("POST") : STR("GET"), STR("/contentsafety/text:shieldPrompt"), str_cut(in, 0, n), &call);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct shield_question q;
  struct vdt_error err = {0};
  struct buf b = {0};
  int rc = shield_read(arena, str_cut(in, end ? n + 1 : 0, in.n), &JSON_LIMITS_DEFAULT, &q, &err);
  if (!rc) answer(arena, &q, call.details);
  else shield_error_body(shield_error_of(rc), str_of(err.text), &b);
  if (rc) check_json(arena, &b);
  struct shield_analysis a;
  if (!shield_read_analysis(arena, str_cut(in, end ? n + 1 : 0, in.n), &JSON_LIMITS_DEFAULT, &a, &err) && a.n_lists && !a.lists)
    abort();
  buf_finish(&b);
  vdt_arena_free(arena);
  return 0;
}
