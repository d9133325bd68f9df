/* Compiles blocklists. */
#include "engine/blocklist.h"
#include "base/error.h"
#include "engine/view.h"
#include <utf8proc.h>

bool vdt_blocklist_is_phrase(struct str text)
{
  size_t i = 0, characters = 0;
  bool visible = false;
  while (i < text.n && characters <= BLOCKLIST_PHRASE_MAX) {
    utf8proc_int32_t c;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.p + i, (utf8proc_ssize_t)(text.n - i), &c);
    if (used <= 0 || utf8proc_category(c) == UTF8PROC_CATEGORY_CC) return false;
    visible |= utf8proc_category(c) < UTF8PROC_CATEGORY_ZS && utf8proc_category(c) > UTF8PROC_CATEGORY_CN;
    i += (size_t)used;
    characters++;
  }
  return visible && characters <= BLOCKLIST_PHRASE_MAX;
}

/* ---- views of phrases ------------------------------------------------------------------------------------------- */

static bool put_view(struct view *v, const struct vdt_phrase *p)
{
  buf_reset(&v->text);
  *v = (struct view){.text = v->text, .steps = v->steps, .cap_steps = v->cap_steps};
  if (!view_feed(v, p->p, p->n) || !view_end(v)) return false;
  for (size_t i = 0; i < v->text.n; i++)
    if (v->text.p[i] >= 'A' && v->text.p[i] <= 'Z') v->text.p[i] = (char)(v->text.p[i] + 32);
  return true;
}

/* Texts of phrases point into l->bytes, which does not move any more once all are there. */
static int read_phrases(struct vdt_blocklist *l, const struct vdt_phrase *in, struct vdt_error *err)
{
  struct view v;
  struct buf all = {0};
  int rc = VDT_OK;
  view_init(&v);
  for (size_t i = 0; !rc && i < l->n; i++) {
    if (in[i].list >= l->n_lists || !put_view(&v, &in[i])) rc = error_set(err, VDT_ENOMEM, "out of memory");
    else if (!v.text.n) rc = error_at(err, VDT_EINVAL, NULL, (unsigned)i, "nothing of this phrase can be seen");
    else buf_put(&all, buf_str(&v.text));
    l->phrases[i] = (struct phrase){{NULL, v.text.n}, in[i].list};
    if (v.text.n > l->longest) l->longest = v.text.n;
  }
  view_finish(&v);
  if (!rc && all.failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  l->bytes = all.p;
  for (size_t i = 0, at = 0; !rc && i < l->n; at += l->phrases[i++].text.n) l->phrases[i].text.p = l->bytes + at;
  return rc;
}

static int by_list_and_text(const void *a, const void *b, void *context)
{
  const struct vdt_blocklist *l = context;
  const struct phrase *x = &l->phrases[*(const uint32_t *)a], *y = &l->phrases[*(const uint32_t *)b];
  if (x->list != y->list) return x->list < y->list ? -1 : 1;
  size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
  int c = memcmp(x->text.p, y->text.p, n);
  return c ? c : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

static void sort_lists(struct vdt_blocklist *l)
{
  for (size_t i = 0; i < l->n; i++) l->sorted[i] = (uint32_t)i;
  qsort_r(l->sorted, l->n, sizeof *l->sorted, by_list_and_text, l);
  size_t at = 0;
  for (size_t i = 0; i <= l->n_lists; i++) {
    while (at < l->n && l->phrases[l->sorted[at]].list < i) at++;
    l->lists[i] = (uint32_t)at;
  }
}

/* ---- compiling -------------------------------------------------------------------------------------------------- */

struct compiling {
  const char **text;
  size_t *lengths;
  unsigned *flags, *ids;
};

static int compile(struct vdt_blocklist *l, struct compiling *c, struct vdt_error *err)
{
  hs_compile_error_t *error = NULL;
  for (size_t i = 0; i < l->n; i++) {
    c->text[i] = l->phrases[i].text.p;
    c->lengths[i] = l->phrases[i].text.n;
    c->flags[i] = HS_FLAG_CASELESS;
    c->ids[i] = (unsigned)i;
  }
  if (hs_compile_lit_multi(c->text, c->flags, c->ids, c->lengths, (unsigned)l->n, HS_MODE_BLOCK, NULL, &l->db, &error) ==
          HS_SUCCESS &&
      hs_alloc_scratch(l->db, &l->scratch) == HS_SUCCESS)
    return VDT_OK;
  hs_free_compile_error(error);
  return error_set(err, VDT_ENOMEM, "the phrases of the blocklists cannot be compiled");
}

static int compile_all(struct vdt_blocklist *l, struct vdt_error *err)
{
  struct compiling c = {calloc(l->n, sizeof *c.text), calloc(l->n, sizeof *c.lengths), calloc(l->n, sizeof *c.flags),
                        calloc(l->n, sizeof *c.ids)};
  bool room = c.text && c.lengths && c.flags && c.ids && (l->tail = malloc(l->longest));
  int rc = room ? compile(l, &c, err) : error_set(err, VDT_ENOMEM, "out of memory");
  free(c.text);
  free(c.lengths);
  free(c.flags);
  free(c.ids);
  return rc;
}

int vdt_blocklist_new(const struct vdt_phrase *phrases, size_t n, const char *const *names, size_t n_lists,
                      struct vdt_blocklist **out, struct vdt_error *err)
{
  struct vdt_blocklist *l = calloc(1, sizeof *l);
  if (!l || !n) {
    free(l);
    return error_set(err, l ? VDT_EINVAL : VDT_ENOMEM, "%s", l ? "there are no phrases" : "out of memory");
  }
  *l = (struct vdt_blocklist){.n = n, .n_lists = n_lists, .names = names};
  l->phrases = calloc(n, sizeof *l->phrases);
  l->sorted = calloc(n, sizeof *l->sorted);
  l->lists = calloc(n_lists + 1, sizeof *l->lists);
  int rc = l->phrases && l->sorted && l->lists ? read_phrases(l, phrases, err) : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) sort_lists(l);
  if (!rc) rc = compile_all(l, err);
  if (rc) vdt_blocklist_free(l);
  else *out = l;
  return rc;
}

void vdt_blocklist_free(struct vdt_blocklist *l)
{
  if (!l) return;
  hs_free_scratch(l->scratch);
  hs_free_database(l->db);
  free(l->phrases);
  free(l->sorted);
  free(l->lists);
  free(l->bytes);
  free(l->tail);
  free(l->hit);
  free(l);
}
