/*
 * Redactions of a request: spans of decoded strings are found again in the raw bytes, so that nothing but them changes.
 */
#include "wire/edit.h"
#include "wire/wire.h"

static unsigned hex4(const char *p)
{
  unsigned v = 0;
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    v = v * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
  }
  return v;
}

/* The raw bytes of the character at p, and how many bytes it decodes to. The string is known to be valid. */
static size_t character(const char *p, size_t *decoded)
{
  unsigned char c = (unsigned char)*p;
  *decoded = 1;
  if (c == '\\' && p[1] != 'u') return 2;
  if (c != '\\') {
    *decoded = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return *decoded;
  }
  unsigned u = hex4(p + 2);
  bool pair = u >= 0xD800 && u < 0xDC00;
  *decoded = pair ? 4 : u < 0x80 ? 1 : u < 0x800 ? 2 : 3;
  return pair ? 12 : 6;
}

/* One walk over a string answers growing offsets. */
struct walk {
  const char *body;
  size_t raw, end; /* raw offset, and that of the closing quote */
  size_t decoded;  /* offset in the decoded string */
};

/* The raw offset of the character that holds the decoded offset. after: of the first one that begins at or after it. */
static size_t raw_at(struct walk *w, size_t offset, bool after)
{
  while (w->raw < w->end) {
    size_t decoded, raw = character(w->body + w->raw, &decoded);
    if (after ? w->decoded >= offset : w->decoded + decoded > offset) break;
    w->raw += raw;
    w->decoded += decoded;
  }
  return w->raw;
}

static int by_place(const void *a, const void *b)
{
  const struct wire_redaction *x = a, *y = b;
  if (x->raw.start != y->raw.start) return x->raw.start < y->raw.start ? -1 : 1;
  return x->start < y->start ? -1 : x->start > y->start;
}

/* Of a text that is no JSON. */
static bool redact_plain(struct edits *e, const struct wire_redaction *r, size_t *done)
{
  size_t from = r->raw.start + r->start, to = r->raw.start + r->end;
  if (from < *done) from = *done;
  if (to <= from) return true;
  *done = to;
  return edits_replace(e, (uint32_t)from, (uint32_t)to, str_of(r->with));
}

static bool redact_one(struct edits *e, struct walk *w, const struct wire_redaction *r, size_t *done)
{
  size_t from = raw_at(w, r->start, false), to = raw_at(w, r->end, true);
  if (from < *done) from = *done;
  if (to < from || (to == from && r->start != r->end)) return true; /* an empty one is an insertion */
  *done = to;
  size_t at = e->text.n;
  json_quote(&e->text, str_of(r->with));
  if (e->text.failed) return false;
  struct buf with = {0};
  buf_put(&with, str_cut(buf_str(&e->text), at + 1, e->text.n - 1)); /* without its quotes */
  e->text.n = at;
  bool ok = !with.failed && edits_replace(e, (uint32_t)from, (uint32_t)to, with.n ? buf_str(&with) : STR(""));
  buf_finish(&with);
  return ok;
}

static bool is_gone(struct wire_span raw, struct wire_span gone)
{
  return raw.start < gone.end && gone.start < raw.end;
}

bool wire_redact(struct str body, struct wire_redaction *v, size_t n, struct wire_span gone, struct buf *out)
{
  struct edits e = {0};
  struct walk w = {.body = body.p};
  size_t done = 0;
  bool ok = true;
  if (n) qsort(v, n, sizeof *v, by_place);
  if (gone.end > gone.start) ok = edits_replace(&e, (uint32_t)gone.start, (uint32_t)gone.end, STR(""));
  for (size_t i = 0; ok && i < n; i++) {
    const struct wire_redaction *r = &v[i];
    if (is_gone(r->raw, gone)) continue;
    if (i == 0 || r->raw.start != v[i - 1].raw.start) w = (struct walk){body.p, r->raw.start + 1, r->raw.end - 1, 0}, done = 0;
    ok = r->plain ? redact_plain(&e, r, &done) : redact_one(&e, &w, r, &done);
  }
  ok = ok && edits_apply(&e, body, out);
  edits_finish(&e);
  return ok;
}
