/* Span replacement. Edits may be added in any order; those at one place stay in the order in which they came. */
#include "wire/edit.h"

void edits_finish(struct edits *e)
{
  free(e->v);
  buf_finish(&e->text);
  *e = (struct edits){0};
}

void edits_reset(struct edits *e)
{
  e->n = 0;
  buf_reset(&e->text);
}

/* Takes what was put at the end of e->text since `at` as the replacement. */
static bool add(struct edits *e, uint32_t start, uint32_t end, size_t at)
{
  if (e->text.failed) return false;
  struct edit *v = heap_grow(e->v, e->n, &e->cap, 16, sizeof *v);
  if (!v) return false;
  e->v = v;
  e->v[e->n++] = (struct edit){start, end, at, e->text.n - at};
  return true;
}

bool edits_replace(struct edits *e, uint32_t start, uint32_t end, struct str with)
{
  size_t at = e->text.n;
  buf_put(&e->text, with);
  return add(e, start, end, at);
}

bool edits_replace_node(struct edits *e, const struct json_doc *doc, uint32_t node, struct str with)
{
  return edits_replace(e, doc->nodes[node].start, doc->nodes[node].end, with);
}

bool edits_quote_node(struct edits *e, const struct json_doc *doc, uint32_t node, struct str with)
{
  size_t at = e->text.n;
  json_quote(&e->text, with);
  return add(e, doc->nodes[node].start, doc->nodes[node].end, at);
}

bool edits_add_member(struct edits *e, const struct json_doc *doc, uint32_t object, struct str member)
{
  size_t at = e->text.n;
  uint32_t place = doc->nodes[object].end - 1;
  if (doc->nodes[object].count) buf_byte(&e->text, ',');
  buf_put(&e->text, member);
  return add(e, place, place, at);
}

static int by_place(const void *a, const void *b)
{
  const struct edit *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  return x->at < y->at ? -1 : x->at > y->at;
}

bool edits_apply(struct edits *e, struct str text, struct buf *out)
{
  size_t done = 0;
  if (e->n > 1) qsort(e->v, e->n, sizeof *e->v, by_place);
  for (size_t i = 0; i < e->n; i++) {
    const struct edit *edit = &e->v[i];
    buf_put(out, str_cut(text, done, edit->start));
    if (edit->n) buf_put(out, str_cut(buf_str(&e->text), edit->at, edit->at + edit->n));
    done = edit->end;
  }
  buf_put(out, str_cut(text, done, text.n));
  return !out->failed;
}
