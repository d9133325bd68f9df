/* Finds the phrases of blocklists; see blocklist.h. */
#include "base/buf.h"
#include "engine/blocklist.h"
#include <utf8proc.h>

/* Bytes of the longest character: how far back a boundary looks. */
enum { CHARACTER = 4, HITS_MAX = 1 << 20 };

enum vdt_action phrase_action(const struct vdt_phrases *p, uint32_t phrase)
{
  return p->actions[p->blocklist->phrases[phrase].list];
}

void phrase_finding(const struct vdt_phrases *p, uint32_t phrase, struct vdt_finding *out)
{
  *out = (struct vdt_finding){.detector = VDT_DET_BLOCKLIST,
                              .rule = p->blocklist->names[p->blocklist->phrases[phrase].list],
                              .title = "A phrase of a blocklist",
                              .alert = "",
                              .reason = "the phrase stands there",
                              .severity = VDT_LOW,
                              .action = phrase_action(p, phrase),
                              .confidence = 100,
                              .item = phrase,
                              .decoded = ""};
}

/* ---- boundaries ------------------------------------------------------------------------------------------------- */

static bool is_word(utf8proc_int32_t c)
{
  utf8proc_category_t k = utf8proc_category(c);
  return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_ME) || (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

/* The view is valid UTF-8. */
static bool word_after(const struct window *w, uint64_t at)
{
  utf8proc_int32_t c;
  if (at >= w->end) return false;
  return utf8proc_iterate(w->p + (at - w->base), (utf8proc_ssize_t)(w->end - at), &c) > 0 && is_word(c);
}

static bool word_before(const struct window *w, uint64_t at)
{
  if (at <= w->base) return false;
  do at--;
  while (at > w->base && (w->p[at - w->base] & 0xC0) == 0x80);
  return word_after(w, at);
}

static bool is_boundary(const struct window *w, uint64_t at)
{
  return !(word_before(w, at) && word_after(w, at));
}

/* ---- whole views ------------------------------------------------------------------------------------------------ */

struct search {
  const struct vdt_phrases *p;
  const struct window *w;
  uint64_t from, base;
  bool failed;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
  struct search *s = context;
  struct vdt_blocklist *l = s->p->blocklist;
  uint64_t end = s->base + to, start = end - l->phrases[id].text.n;
  (void)from, (void)flags;
  if (start < s->from || phrase_action(s->p, id) == VDT_ALLOW) return 0;
  if (!is_boundary(s->w, start) || !is_boundary(s->w, end)) return 0;
  struct phrase_hit *grown = heap_grow(l->hit, l->n_hits, &l->cap_hits, 64, sizeof *grown);
  if (!grown) {
    s->failed = true;
    return 1;
  }
  l->hit = grown;
  l->hit[l->n_hits++] = (struct phrase_hit){id, start, end};
  return l->n_hits == HITS_MAX;
}

static int by_place(const void *a, const void *b)
{
  const struct phrase_hit *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  if (x->end != y->end) return x->end < y->end ? -1 : 1;
  return x->phrase < y->phrase ? -1 : x->phrase > y->phrase;
}

bool phrases_find(const struct vdt_phrases *p, const struct window *w, uint64_t from, const struct phrase_hit **out, size_t *n)
{
  struct vdt_blocklist *l = p->blocklist;
  struct search s = {.p = p, .w = w, .from = from, .base = from - w->base > CHARACTER ? from - CHARACTER : w->base};
  l->n_hits = 0;
  *n = 0;
  if (w->end == s.base) return true; /* nothing to be seen yet */
  hs_error_t rc =
      hs_scan(l->db, (const char *)w->p + (s.base - w->base), (unsigned)(w->end - s.base), 0, l->scratch, on_match, &s);
  if (s.failed || (rc != HS_SUCCESS && rc != HS_SCAN_TERMINATED)) return false;
  if (l->n_hits) qsort(l->hit, l->n_hits, sizeof *l->hit, by_place);
  *out = l->hit;
  *n = l->n_hits;
  return true;
}

/* ---- streams ---------------------------------------------------------------------------------------------------- */

/* How phrase and tail compare, as far as the tail goes: 0 when the phrase begins with it. */
static int against(struct str phrase, struct str tail)
{
  int c = memcmp(phrase.p, tail.p, phrase.n < tail.n ? phrase.n : tail.n);
  return c ? c : phrase.n < tail.n ? -1 : 0;
}

/* Does a phrase of the list begin with the tail, or is it one? */
static bool begins_with(const struct vdt_blocklist *l, size_t list, struct str tail)
{
  uint32_t lo = l->lists[list], hi = l->lists[list + 1];
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    int c = against(l->phrases[l->sorted[mid]].text, tail);
    if (c == 0) return true;
    if (c < 0) lo = mid + 1;
    else hi = mid;
  }
  return false;
}

/* The strongest action about a phrase that may begin with the tail. */
static enum vdt_action strongest(const struct vdt_phrases *p, struct str tail)
{
  enum vdt_action most = VDT_ALLOW;
  for (size_t i = 0; i < p->blocklist->n_lists; i++)
    if (p->actions[i] > most && begins_with(p->blocklist, i, tail)) most = p->actions[i];
  return most;
}

/* The end of the text in small letters; *at: where it begins. */
static struct str small_tail(const struct phrase_stream *s, const struct window *w, uint64_t *at)
{
  struct vdt_blocklist *l = s->look.blocklist;
  uint64_t from = w->end - w->base > l->longest ? w->end - l->longest : w->base;
  if (from < s->settled) from = s->settled;
  size_t n = (size_t)(w->end - from);
  for (size_t i = 0; i < n; i++) {
    char c = (char)w->p[from - w->base + i];
    l->tail[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
  }
  *at = from;
  return (struct str){l->tail, n};
}

/* Sets the boundaries: the first places where the end of the text may be the beginning of a phrase. */
static void find_bounds(struct phrase_stream *s, const struct window *w, uint64_t *settled, uint64_t *free_until)
{
  uint64_t at;
  struct str tail = small_tail(s, w, &at);
  *settled = *free_until = w->end;
  for (size_t i = 0; i < tail.n; i++) {
    if ((tail.p[i] & 0xC0) == 0x80 || !is_boundary(w, at + i)) continue;
    enum vdt_action most = strongest(&s->look, str_cut(tail, i, tail.n));
    if (most == VDT_ALLOW) continue;
    if (at + i < *settled) *settled = at + i;
    if (most < VDT_REDACT) continue;
    *free_until = at + i;
    break;
  }
}

bool phrase_stream_step(struct phrase_stream *s, const struct window *w)
{
  const struct phrase_hit *hits;
  size_t n;
  uint64_t settled = w->end, free_until = w->end;
  if (!s->look.blocklist) {
    s->settled = s->free_until = w->end;
    return true;
  }
  if (!w->eof) find_bounds(s, w, &settled, &free_until);
  if (!phrases_find(&s->look, w, s->settled, &hits, &n)) return false;
  for (size_t i = 0; i < n && hits[i].start < settled; i++) {
    struct phrase_hit *grown = heap_grow(s->known, s->n, &s->cap, 8, sizeof *grown);
    if (!grown) return false;
    s->known = grown;
    s->known[s->n++] = hits[i];
  }
  s->settled = settled;
  s->free_until = free_until;
  return true;
}

void phrase_stream_drop(struct phrase_stream *s)
{
  s->n -= s->at;
  if (s->n && s->at) memmove(s->known, s->known + s->at, s->n * sizeof *s->known);
  s->at = 0;
}

void phrase_stream_finish(struct phrase_stream *s)
{
  free(s->known);
  s->known = NULL;
}
