#include "engine/blocklist.h"
#include "base/error.h"
#include "engine/view.h"
#include <hs.h>
#include <utf8proc.h>

enum { MATCHES_MAX = 4096 };

struct vdt_blocklist {
  hs_database_t *db;
  hs_scratch_t *scratch;
  size_t *lengths; /* of the phrases, in the view */
  size_t n;
  struct view view;
};

static void reset(struct view *v)
{
  buf_reset(&v->text);
  *v = (struct view){.text = v->text, .steps = v->steps, .cap_steps = v->cap_steps};
}

static bool read_view(struct view *v, struct str text)
{
  reset(v);
  return view_feed(v, text.p, text.n) && view_end(v);
}

/* ---- phrases ---------------------------------------------------------------------------------------------------- */

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

struct compiling {
  const char **text;
  unsigned *flags, *ids;
  char *bytes;
};

static int compile(struct vdt_blocklist *l, const struct str *phrases, const struct compiling *c, struct vdt_error *err)
{
  hs_compile_error_t *error = NULL;
  size_t at = 0;
  for (size_t i = 0; i < l->n; i++) {
    if (!read_view(&l->view, phrases[i])) return error_set(err, VDT_ENOMEM, "out of memory");
    if (!l->view.text.n) return error_at(err, VDT_EINVAL, NULL, (unsigned)i, "nothing of this phrase can be seen");
    memcpy(c->bytes + at, l->view.text.p, l->view.text.n);
    c->text[i] = c->bytes + at;
    c->flags[i] = HS_FLAG_CASELESS;
    c->ids[i] = (unsigned)i;
    l->lengths[i] = l->view.text.n;
    at += l->view.text.n;
  }
  if (hs_compile_lit_multi(c->text, c->flags, c->ids, l->lengths, (unsigned)l->n, HS_MODE_BLOCK, NULL, &l->db, &error) ==
          HS_SUCCESS &&
      hs_alloc_scratch(l->db, &l->scratch) == HS_SUCCESS)
    return VDT_OK;
  hs_free_compile_error(error);
  return error_set(err, VDT_ENOMEM, "the phrases of the blocklists cannot be compiled");
}

/* A character's view has at most 18 times its bytes (U+FDFA). */
static bool make_room(struct vdt_blocklist *l, struct compiling *c, const struct str *phrases)
{
  size_t all = 0;
  for (size_t i = 0; i < l->n; i++) all += phrases[i].n * 18;
  l->lengths = calloc(l->n, sizeof *l->lengths);
  *c = (struct compiling){calloc(l->n, sizeof *c->text), calloc(l->n, sizeof *c->flags), calloc(l->n, sizeof *c->ids),
                          calloc(1, all + 1)};
  return l->lengths && c->text && c->flags && c->ids && c->bytes;
}

int vdt_blocklist_new(const struct str *phrases, size_t n, struct vdt_blocklist **out, struct vdt_error *err)
{
  struct vdt_blocklist *l = calloc(1, sizeof *l);
  struct compiling c = {0};
  if (!l) return error_set(err, VDT_ENOMEM, "out of memory");
  l->n = n;
  view_init(&l->view);
  int rc = make_room(l, &c, phrases) ? compile(l, phrases, &c, err) : error_set(err, VDT_ENOMEM, "out of memory");
  free(c.text);
  free(c.flags);
  free(c.ids);
  free(c.bytes);
  if (rc) vdt_blocklist_free(l);
  else *out = l;
  return rc;
}

void vdt_blocklist_free(struct vdt_blocklist *l)
{
  if (!l) return;
  hs_free_scratch(l->scratch);
  hs_free_database(l->db);
  view_finish(&l->view);
  free(l->lengths);
  free(l);
}

/* ---- matching --------------------------------------------------------------------------------------------------- */

struct search {
  struct vdt_blocklist *l;
  struct vdt_arena *arena;
  const bool *wanted;
  struct vdt_blocklist_match *found;
  size_t n, cap;
  bool failed;
};

static bool is_word(utf8proc_int32_t c)
{
  utf8proc_category_t k = utf8proc_category(c);
  return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_ME) || (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

/* The view is valid UTF-8. */
static bool word_after(const struct view *v, size_t at)
{
  utf8proc_int32_t c;
  if (at >= v->text.n) return false;
  return utf8proc_iterate((const utf8proc_uint8_t *)v->text.p + at, (utf8proc_ssize_t)(v->text.n - at), &c) > 0 && is_word(c);
}

static bool word_before(const struct view *v, size_t at)
{
  if (at == 0) return false;
  do at--;
  while (at > 0 && (v->text.p[at] & 0xC0) == 0x80);
  return word_after(v, at);
}

static bool at_boundaries(const struct view *v, size_t start, size_t end)
{
  return !(word_before(v, start) && word_after(v, start)) && !(word_before(v, end) && word_after(v, end));
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
  struct search *s = ctx;
  const struct view *v = &s->l->view;
  size_t end = (size_t)to, start = end - s->l->lengths[id];
  (void)from, (void)flags;
  if (!s->wanted[id] || !at_boundaries(v, start, end)) return 0;
  struct vdt_blocklist_match *grown = arena_grow(s->arena, s->found, s->n, &s->cap, 8, sizeof *grown);
  if (!grown) {
    s->failed = true;
    return 1;
  }
  s->found = grown;
  s->found[s->n++] = (struct vdt_blocklist_match){id, view_start(v, start), view_stop(v, end)};
  return s->n == MATCHES_MAX;
}

int vdt_blocklist_scan(struct vdt_blocklist *l, struct vdt_arena *arena, const bool *wanted, struct str text,
                       struct vdt_blocklist_match **out, size_t *n)
{
  struct search s = {.l = l, .arena = arena, .wanted = wanted};
  *n = 0;
  if (!text.n) return VDT_OK;
  if (text.n > (size_t)1 << 30) return VDT_ETOOBIG;
  if (!read_view(&l->view, text)) return VDT_ENOMEM;
  hs_error_t rc = hs_scan(l->db, l->view.text.p, (unsigned)l->view.text.n, 0, l->scratch, on_match, &s);
  if (s.failed || (rc != HS_SUCCESS && rc != HS_SCAN_TERMINATED)) return VDT_ENOMEM;
  *out = s.found;
  *n = s.n;
  return VDT_OK;
}
