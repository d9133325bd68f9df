#include "engine/view.h"
#include "engine/blocks.h"
#include <utf8proc.h>

void view_init(struct view *v)
{
  *v = (struct view){0};
}

void view_finish(struct view *v)
{
  buf_finish(&v->text);
  free(v->steps);
  *v = (struct view){0};
}

static void step(struct view *v, uint64_t view, uint64_t orig, uint32_t width)
{
  struct view_step *p = heap_grow(v->steps, v->n_steps, &v->cap_steps, 16, sizeof *p);
  if (!p) {
    v->failed = true;
    return;
  }
  v->steps = p;
  v->steps[v->n_steps++] = (struct view_step){view, orig, width};
}

/* Appends bytes that stand for themselves. */
static void put_same(struct view *v, const char *p, size_t n)
{
  struct view_step *last = v->n_steps ? &v->steps[v->n_steps - 1] : NULL;
  bool in_step = last ? last->width == 0 && last->orig - last->view == v->orig_len - v->view_len : v->orig_len == v->view_len;
  if (!in_step) step(v, v->view_len, v->orig_len, 0);
  buf_put(&v->text, (struct str){p, n});
  v->view_len += n;
  v->orig_len += n;
}

/* Appends n bytes of view that stand for `width` original bytes. */
static void put_other(struct view *v, const char *p, size_t n, uint32_t width)
{
  if (n) {
    step(v, v->view_len, v->orig_len, width);
    buf_put(&v->text, (struct str){p, n});
    v->view_len += n;
  }
  v->orig_len += width;
}

static bool invisible(int32_t c)
{
  return c == 0xAD || c == 0x34F || c == 0x61C || c == 0x115F || c == 0x1160 || c == 0x17B4 || c == 0x17B5 ||
         (c >= 0x180B && c <= 0x180F) || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0x3164 || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || c == 0xFFA0 ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

enum { FOLD_MAX = 32 }; /* the longest NFKC expansion is 18 code points (U+FDFA) */

/* NFKC and case folding of one code point, without marks U+0300-036F. */
static size_t fold(int32_t c, unsigned char out[FOLD_MAX * 4])
{
  int32_t cps[FOLD_MAX];
  int boundary = 0;
  size_t n = 0;
  utf8proc_ssize_t got =
      utf8proc_decompose_char(c, cps, FOLD_MAX, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD, &boundary);
  if (got < 0 || got > FOLD_MAX) return (size_t)utf8proc_encode_char(c, out);
  utf8proc_ssize_t kept = 0;
  for (utf8proc_ssize_t i = 0; i < got; i++)
    if (cps[i] < 0x300 || cps[i] > 0x36F) cps[kept++] = cps[i];
  /* Put together again what was one character of its script (Hangul); Latin letters have lost their marks. */
  kept = utf8proc_normalize_utf32(cps, kept, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  for (utf8proc_ssize_t i = 0; i < kept; i++) n += (size_t)utf8proc_encode_char(cps[i], out + n);
  return n;
}

/* Letters and signs that are their own view, so that text of their scripts is copied in runs. A test holds this against fold_keep_case. */
static bool is_plain(int32_t c)
{
  if (c >= 0x3001)
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3) || c <= 0x3035 || (c >= 0x3041 && c <= 0x3096) ||
           (c >= 0x30A1 && c <= 0x30FE) || (c >= 0x3400 && c <= 0x4DBF);
  if (c < 0x679)
    return (c >= 0x430 && c <= 0x44F && c != 0x439) || (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) || (c >= 0x5D0 && c <= 0x5EA) ||
           (c >= 0x627 && c <= 0x64A);
  return c <= 0x957 || (c >= 0xE01 && c <= 0xE30) || (c >= 0x1000 && c <= 0x109F) || (c >= 0x2012 && c <= 0x2016) ||
         (c >= 0x2018 && c <= 0x2023);
}

/* The ASCII character that a full-width or mathematical letter stands for keeps its case: keys need it. */
static size_t fold_keep_case(int32_t c, unsigned char out[FOLD_MAX * 4])
{
  int32_t cps[FOLD_MAX];
  int boundary = 0;
  utf8proc_ssize_t got = utf8proc_decompose_char(c, cps, FOLD_MAX, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
  if (got >= 1 && got <= FOLD_MAX) {
    bool ascii = true;
    size_t n = 0;
    for (utf8proc_ssize_t i = 0; i < got; i++) {
      if (cps[i] >= 0x300 && cps[i] <= 0x36F) continue;
      ascii &= cps[i] < 0x80;
      if (n < FOLD_MAX * 4) out[n++] = (unsigned char)cps[i];
    }
    if (ascii) return n;
  }
  return fold(c, out);
}

/* Letters from U+00C0 on that are one of ASCII but for their marks; '.' is none. */
static const char latin[] = "AAAAAA.CEEEEIIII.NOOOOO..UUUUY..aaaaaa.ceeeeiiii.nooooo..uuuuy.yAaAaAaCcCcCcCcDd..EeEeEeEeEeGgGg"
                            "GgGgHh..IiIiIiIiI...JjKk.LlLlLl....NnNnNn...OoOoOo..RrRrRrSsSsSsSsTtTt..UuUuUuUuUuUuWwYyYZzZzZzs";
enum { LATIN = 0xC0, WIDE = 0xFF01, WIDE_LAST = 0xFF5E };

/* The ASCII character that a code point of everyday text stands for, or 0: others are looked up, which takes a hundred times as long. A test holds
 * this against utf8proc. */
static char ascii_of(int32_t c)
{
  if (c >= WIDE && c <= WIDE_LAST) return (char)(c - WIDE + '!');
  bool is = c >= LATIN && c < LATIN + (int32_t)sizeof latin - 1 && latin[c - LATIN] != '.';
  return is ? latin[c - LATIN] : '\0';
}

static void put_code_point(struct view *v, const char *p, size_t width, int32_t c)
{
  unsigned char out[FOLD_MAX * 4];
  char plain = ascii_of(c);
  if (c < 0x80) {
    put_same(v, p, 1);
  } else if (plain) {
    put_other(v, &plain, 1, (uint32_t)width);
  } else if (invisible(c) || (c >= 0x300 && c <= 0x36F)) {
    v->invisible += c > 0x36F || c < 0x300;
    put_other(v, NULL, 0, (uint32_t)width);
  } else {
    size_t n = fold_keep_case(c, out);
    if (n == width && memcmp(out, p, n) == 0) put_same(v, p, n);
    else put_other(v, (const char *)out, n, (uint32_t)width);
  }
}

/* Length that a lead byte promises, 0 for a byte that cannot lead. */
static unsigned sequence_length(unsigned char lead)
{
  return lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

/* Can more bytes still make p[0..n) a valid sequence? */
static bool may_continue(const unsigned char *p, unsigned n)
{
  for (unsigned i = 1; i < n; i++)
    if ((p[i] & 0xC0) != 0x80) return false;
  if (n < 2) return true;
  return !(p[0] == 0xE0 && p[1] < 0xA0) && !(p[0] == 0xED && p[1] > 0x9F) && !(p[0] == 0xF0 && p[1] < 0x90) &&
         !(p[0] == 0xF4 && p[1] > 0x8F);
}

static void put_bad_byte(struct view *v)
{
  put_other(v, "\xEF\xBF\xBD", 3, 1);
}

/* Takes one code point or one bad byte from p[0..n); 0 when more bytes are needed. */
static unsigned take(struct view *v, const unsigned char *p, size_t n)
{
  unsigned need = sequence_length(p[0]);
  unsigned have = n < need ? (unsigned)n : need;
  if (need == 0 || !may_continue(p, have)) {
    put_bad_byte(v);
    return 1;
  }
  if (have < need) return 0;
  int32_t c = 0;
  utf8proc_iterate(p, (utf8proc_ssize_t)need, &c);
  put_code_point(v, (const char *)p, need, c);
  return need;
}

/* Consumes whole code points from the partial sequence. */
static void drain_partial(struct view *v)
{
  while (v->n_partial) {
    unsigned taken = take(v, v->partial, v->n_partial);
    if (!taken) return;
    memmove(v->partial, v->partial + taken, v->n_partial - taken);
    v->n_partial -= taken;
  }
}

/* Length of the run of plain letters of two or three bytes at p. */
static size_t plain_run(const unsigned char *p, size_t n)
{
  size_t i = 0;
  while (i + 3 <= n && p[i] >= 0xC2 && p[i] < 0xF0) {
    unsigned need = p[i] < 0xE0 ? 2 : 3;
    bool whole = (p[i + 1] & 0xC0) == 0x80 && (need == 2 || (p[i + 2] & 0xC0) == 0x80);
    int32_t c =
        need == 2 ? (p[i] & 0x1F) << 6 | (p[i + 1] & 0x3F) : (p[i] & 0xF) << 12 | (p[i + 1] & 0x3F) << 6 | (p[i + 2] & 0x3F);
    if (!whole || (need == 3 && c < 0x800) || !is_plain(c)) break;
    i += need;
  }
  return i;
}

static size_t ascii_run(const unsigned char *p, size_t n)
{
  size_t i = 0;
  for (; i + BLOCK_BYTES <= n; i += BLOCK_BYTES) {
    uint64_t high = block_high(p + i);
    if (high) return i + block_first(high);
  }
  for (; i + 8 <= n; i += 8) {
    uint64_t w;
    memcpy(&w, p + i, 8);
    if (w & 0x8080808080808080u) break;
  }
  while (i < n && p[i] < 0x80) i++;
  return i;
}

/* Length of the run at p that is its own view. */
static size_t same_run(const unsigned char *p, size_t n)
{
  size_t i = 0, before;
  do {
    before = i;
    i += ascii_run(p + i, n - i);
    i += plain_run(p + i, n - i);
  } while (i > before);
  return i;
}

bool view_feed(struct view *v, const char *p, size_t n)
{
  size_t i = 0;
  while (v->n_partial && i < n) {
    v->partial[v->n_partial++] = (unsigned char)p[i++];
    drain_partial(v);
  }
  while (i < n) {
    size_t run = same_run((const unsigned char *)p + i, n - i);
    if (run) {
      put_same(v, p + i, run);
      i += run;
      continue;
    }
    unsigned taken = take(v, (const unsigned char *)p + i, n - i);
    if (!taken) break;
    i += taken;
  }
  while (i < n) v->partial[v->n_partial++] = (unsigned char)p[i++];
  return !v->failed && !v->text.failed;
}

bool view_end(struct view *v)
{
  while (v->n_partial) {
    put_bad_byte(v);
    memmove(v->partial, v->partial + 1, --v->n_partial);
    drain_partial(v);
  }
  return !v->failed && !v->text.failed;
}

/* Index of the last step at or before the view offset, or -1. */
static ptrdiff_t step_at(const struct view *v, uint64_t offset)
{
  size_t lo = 0, hi = v->n_steps;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (v->steps[mid].view <= offset) lo = mid + 1;
    else hi = mid;
  }
  return (ptrdiff_t)lo - 1;
}

void view_drop(struct view *v, uint64_t offset)
{
  if (offset <= v->view_base) return;
  buf_drop(&v->text, (size_t)(offset - v->view_base));
  v->view_base = offset;
  ptrdiff_t keep = step_at(v, offset);
  if (keep > 0) {
    v->n_steps -= (size_t)keep;
    memmove(v->steps, v->steps + keep, v->n_steps * sizeof *v->steps);
  }
}

uint64_t view_start(const struct view *v, uint64_t offset)
{
  if (offset >= v->view_len) return v->orig_len;
  ptrdiff_t i = step_at(v, offset);
  if (i < 0) return offset;
  return v->steps[i].orig + (v->steps[i].width ? 0 : offset - v->steps[i].view);
}

uint64_t view_stop(const struct view *v, uint64_t end)
{
  uint64_t last = end - 1;
  ptrdiff_t i = step_at(v, last);
  if (i < 0) return end;
  return v->steps[i].width ? v->steps[i].orig + v->steps[i].width : v->steps[i].orig + (last - v->steps[i].view) + 1;
}

uint64_t view_at(const struct view *v, uint64_t orig)
{
  size_t lo = 0, hi = v->n_steps;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (v->steps[mid].orig <= orig) lo = mid + 1;
    else hi = mid;
  }
  uint64_t next = lo < v->n_steps ? v->steps[lo].view : v->view_len;
  if (!lo) return orig < next ? orig : next;
  const struct view_step *s = &v->steps[lo - 1];
  uint64_t at = s->width ? (orig < s->orig + s->width ? s->view : next) : s->view + (orig - s->orig);
  return at < next ? at : next;
}
