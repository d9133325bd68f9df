/* Any bytes: the reader takes or refuses them, with and without nodes for lists of numbers; what it takes decodes, and quoting a decoded string
 * gives it back. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
  if (!ok) abort();
}

static void same_after_quoting(struct str s)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct buf b = {0};
  struct json_doc doc;
  struct str again;
  BUF_LIT(&b, "[");
  json_quote(&b, s);
  BUF_LIT(&b, "]");
  check(json_parse(arena, buf_str(&b), NULL, &doc, NULL) == VDT_OK && doc.n == 2);
  check(json_string(&doc, 1, arena, &again) && str_eq(again, s));
  buf_finish(&b);
  vdt_arena_free(arena);
}

static void walk(const struct json_doc *doc, struct vdt_arena *arena)
{
  for (uint32_t i = 0; i < doc->n; i++) {
    const struct json_node *node = &doc->nodes[i];
    struct str s;
    uint32_t children = 0;
    check(node->start < node->end && node->end <= doc->text.n && node->next > i && node->next <= doc->n);
    for (uint32_t c = json_first(doc, i); c; c = json_next(doc, i, c)) children++;
    check(children == node->count);
    check(json_key(doc, i, arena, &s));
    if (i && node->key_end > node->key_start) same_after_quoting(s);
    if (!i || node->type != JSON_STRING) continue;
    check(json_string(doc, i, arena, &s));
    same_after_quoting(s);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct json_limits limits = {32, 4096};
  struct json_doc doc;
  struct vdt_error err;
  struct str text = {(const char *)data, size};
  int rc = json_parse(arena, text, &limits, &doc, &err);
  if (rc == VDT_OK) walk(&doc, arena);
  limits.nodes = UINT32_MAX; /* the other reader counts fewer */
  if (rc != VDT_ETOOBIG) check(json_parse_sparse(arena, text, &limits, &doc, &err) == rc);
  vdt_arena_free(arena);
  struct buf b = {0};
  json_quote(&b, text); /* any bytes can be quoted, and what comes out is JSON */
  arena = vdt_arena_new(0);
  check(json_parse(arena, buf_str(&b), NULL, &doc, NULL) == VDT_OK);
  vdt_arena_free(arena);
  buf_finish(&b);
  return 0;
}
