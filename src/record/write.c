/* Writing records. Any bytes may come in: the line that goes out is valid JSON, valid UTF-8 and within RECORD_LINE_MAX. */
#include "base/clock.h"
#include "base/json.h"
#include "record/fields.h"
#include <assert.h>

/* Cut before the character that would pass the limit. */
static struct str shorten(struct str s, size_t max)
{
  if (s.n <= max) return s;
  return str_cut(s, 0, str_character(s, max));
}

static void put_fields(struct buf *b, const struct fields *fields, const void *base);

static void put_time(struct buf *b, uint64_t us)
{
  char text[CLOCK_TEXT];
  clock_format(us, text);
  buf_byte(b, '"');
  buf_put(b, str_of(text));
  buf_byte(b, '"');
}

static void put_layers(struct buf *b, struct str list)
{
  buf_byte(b, '[');
  for (size_t i = 0; i < list.n;) {
    size_t at = str_find(str_cut(list, i, list.n), STR(", "));
    size_t end = at == (size_t)-1 ? list.n : i + at;
    if (i) buf_byte(b, ',');
    json_quote(b, str_cut(list, i, end));
    i = end + 2;
  }
  buf_byte(b, ']');
}

static void put_pseudonyms(struct buf *b, const void *at)
{
  const struct record *r = (const void *)((const char *)at - offsetof(struct record, pseudonyms));
  for (size_t i = 0; i < r->n_pseudonyms; i++) {
    buf_byte(b, i ? ',' : '[');
    put_fields(b, &pseudonym_fields, &r->pseudonyms[i]);
  }
  buf_byte(b, ']');
}

static void put_value(struct buf *b, const struct field *f, const void *at)
{
  switch (f->kind) {
  case TEXT: json_quote(b, shorten(*(const struct str *)at, RECORD_TEXT_MAX)); break;
  case WORD:
  case SEALED: json_quote(b, *(const struct str *)at); break;
  case EVIDENCE: json_quote(b, shorten(*(const struct str *)at, RECORD_EVIDENCE_MAX)); break;
  case LAYERS: put_layers(b, *(const struct str *)at); break;
  case ID: json_quote(b, str_of(at)); break;
  case TIME: put_time(b, *(const uint64_t *)at); break;
  case U64: buf_u64(b, *(const uint64_t *)at); break;
  case UINT: buf_u64(b, *(const unsigned *)at); break;
  case BOOL: buf_put(b, *(const bool *)at ? STR("true") : STR("false")); break;
  case ENUM:
    assert(*(const unsigned *)at < f->words->n);
    json_quote(b, str_of(f->words->names[*(const unsigned *)at]));
    break;
  case SIDE: put_fields(b, &side_fields, at); break;
  case OPINION: put_fields(b, &opinion_fields, at); break;
  case PSEUDONYMS: put_pseudonyms(b, at); break;
  }
}

static bool is_absent(const struct field *f, const void *at)
{
  if (f->required) return false;
  switch (f->kind) {
  case TEXT:
  case WORD:
  case LAYERS:
  case SEALED:
  case EVIDENCE: return ((const struct str *)at)->n == 0;
  case U64: return *(const uint64_t *)at == 0;
  case UINT: return *(const unsigned *)at == 0;
  case BOOL: return !*(const bool *)at;
  case PSEUDONYMS:
    return ((const struct record *)(const void *)((const char *)at - offsetof(struct record, pseudonyms)))->n_pseudonyms == 0;
  case OPINION: return ((const struct record_opinion *)at)->shield.n == 0;
  default: return false;
  }
}

/* The members without braces: the record goes on with its findings. */
static void put_members(struct buf *b, const struct fields *fields, const void *base, bool first)
{
  for (size_t i = 0; i < fields->n; i++) {
    const struct field *f = &fields->rows[i];
    const void *at = (const char *)base + f->at;
    if (is_absent(f, at)) continue;
    if (!first) buf_byte(b, ',');
    buf_byte(b, '"');
    buf_put(b, str_of(f->name));
    BUF_LIT(b, "\":");
    put_value(b, f, at);
    first = false;
  }
}

static void put_fields(struct buf *b, const struct fields *fields, const void *base)
{
  buf_byte(b, '{');
  put_members(b, fields, base, true);
  buf_byte(b, '}');
}

void record_write(const struct record *r, struct buf *out)
{
  enum { TAIL = 64 }; /* room for the end of the line */
  size_t begin = out->n, dropped = 0;
  buf_printf(out, "{\"version\":%d,", RECORD_VERSION);
  put_members(out, &record_fields, r, true);
  if (r->n_findings) BUF_LIT(out, ",\"findings\":[");
  for (size_t i = 0; i < r->n_findings; i++) {
    size_t before = out->n;
    if (i) buf_byte(out, ',');
    put_fields(out, &finding_fields, &r->findings[i]);
    if (out->n - begin <= RECORD_LINE_MAX - TAIL) continue;
    out->n = before;
    dropped = r->n_findings - i;
    break;
  }
  if (r->n_findings) buf_byte(out, ']');
  if (dropped) buf_printf(out, ",\"findings_dropped\":%zu", dropped);
  BUF_LIT(out, "}\n");
}

void record_write_egress(const struct record_egress *e, struct buf *out)
{
  buf_printf(out, "{\"version\":%d,", RECORD_VERSION);
  put_members(out, &egress_fields, e, true);
  BUF_LIT(out, "}\n");
}

int record_append(struct record *r, struct vdt_arena *arena, const struct record_finding *more, size_t n)
{
  if (n == 0) return VDT_OK;
  struct record_finding *all = arena_zalloc(arena, r->n_findings + n, sizeof *all);
  if (!all) return VDT_ENOMEM;
  if (r->n_findings) memcpy(all, r->findings, r->n_findings * sizeof *all);
  memcpy(all + r->n_findings, more, n * sizeof *all);
  r->findings = all;
  r->n_findings += n;
  return VDT_OK;
}
