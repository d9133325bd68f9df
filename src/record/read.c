/*
 * Reading records, strictly: what the schema does not allow is refused, with the member's name and never its content. The line may
 * come from anybody who can write to the spool folder, so nothing here trusts it.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "record/fields.h"
#include "record/seal.h"

struct reader {
  const struct json_doc *doc;
  struct vdt_arena *arena;
  struct vdt_error *err;
};

static int wrong(struct reader *r, const char *name, const char *want)
{
  return error_set(r->err, VDT_ESYNTAX, "%s: expected %s", name, want);
}

static int read_fields(struct reader *r, uint32_t object, const struct fields *fields, void *base, uint64_t *others);

static bool is_id(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) return false;
  return s.n == RECORD_ID_LEN;
}

static int find_word(const struct words *words, struct str s)
{
  for (unsigned i = 0; i < words->n; i++)
    if (str_eq(s, str_of(words->names[i]))) return (int)i;
  return -1;
}

static int read_text(struct reader *r, uint32_t node, const struct field *f, void *at)
{
  struct str s;
  int word;
  if (!json_is(r->doc, node, JSON_STRING)) return wrong(r, f->name, "a string");
  if (!json_string(r->doc, node, r->arena, &s)) return error_set(r->err, VDT_ENOMEM, "out of memory");
  switch (f->kind) {
  case ID:
    if (!is_id(s)) return wrong(r, f->name, "32 lower-case hex digits");
    memcpy(at, s.p, RECORD_ID_LEN);
    ((char *)at)[RECORD_ID_LEN] = 0;
    return VDT_OK;
  case TIME: *(uint64_t *)at = clock_parse(s.p, s.n); return *(uint64_t *)at ? VDT_OK : wrong(r, f->name, "a time");
  case ENUM:
  case WORD:
    word = find_word(f->words, s);
    if (word < 0) return wrong(r, f->name, "one of the words of the schema");
    if (f->kind == ENUM) *(unsigned *)at = (unsigned)word;
    else *(struct str *)at = s;
    return VDT_OK;
  case SEALED:
    if (!sealed_looks_right(s)) return wrong(r, f->name, "a sealed text");
    *(struct str *)at = s;
    return VDT_OK;
  default:
    if (s.n > 4 * RECORD_TEXT_MAX) return wrong(r, f->name, "a shorter text");
    *(struct str *)at = s;
    return VDT_OK;
  }
}

static int read_number(struct reader *r, uint32_t node, const struct field *f, void *at)
{
  uint64_t v;
  if (!json_is(r->doc, node, JSON_NUMBER) || !json_u64(r->doc, node, &v)) return wrong(r, f->name, "a whole number");
  if (f->kind == UINT && v > UINT32_MAX) return wrong(r, f->name, "a smaller number");
  if (f->kind == UINT) *(unsigned *)at = (unsigned)v;
  else *(uint64_t *)at = v;
  return VDT_OK;
}

static bool is_layer(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (!(s.p[i] == '-' || (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'z'))) return false;
  return s.n && s.n <= RECORD_LAYER_LEN;
}

static int read_layers(struct reader *r, uint32_t node, const struct field *f, struct str *out)
{
  struct buf all = {0};
  uint32_t n = json_is(r->doc, node, JSON_ARRAY) ? r->doc->nodes[node].count : 0;
  int rc = n && n <= RECORD_LAYERS_MAX ? VDT_OK : wrong(r, f->name, "a list of 1 to 8 names");
  for (uint32_t i = rc ? 0 : json_first(r->doc, node); !rc && i; i = json_next(r->doc, node, i)) {
    struct str s = {0};
    if (!json_is(r->doc, i, JSON_STRING)) rc = wrong(r, f->name, "strings");
    else if (!json_string(r->doc, i, r->arena, &s)) rc = error_set(r->err, VDT_ENOMEM, "out of memory");
    else if (!is_layer(s)) rc = wrong(r, f->name, "names of encodings");
    if (all.n) BUF_LIT(&all, ", ");
    buf_put(&all, s);
  }
  if (!rc) *out = all.failed ? (struct str){0} : arena_dup(r->arena, buf_str(&all));
  if (!rc && !out->p) rc = error_set(r->err, VDT_ENOMEM, "out of memory");
  buf_finish(&all);
  return rc;
}

static int read_pseudonyms(struct reader *r, uint32_t node, const struct field *f, struct record *out)
{
  uint32_t n = json_is(r->doc, node, JSON_ARRAY) ? r->doc->nodes[node].count : 0;
  if (!n || n > RECORD_PSEUDONYMS_MAX) return wrong(r, f->name, "a list of 1 to 64 objects");
  out->pseudonyms = arena_zalloc(r->arena, n, sizeof *out->pseudonyms);
  if (!out->pseudonyms) return error_set(r->err, VDT_ENOMEM, "out of memory");
  for (uint32_t i = json_first(r->doc, node); i; i = json_next(r->doc, node, i)) {
    if (!json_is(r->doc, i, JSON_OBJECT)) return wrong(r, f->name, "objects");
    int rc = read_fields(r, i, &pseudonym_fields, &out->pseudonyms[out->n_pseudonyms++], NULL);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int read_value(struct reader *r, uint32_t node, const struct field *f, void *at)
{
  switch (f->kind) {
  case U64:
  case UINT: return read_number(r, node, f, at);
  case BOOL:
    if (!json_is(r->doc, node, JSON_TRUE) && !json_is(r->doc, node, JSON_FALSE)) return wrong(r, f->name, "true or false");
    *(bool *)at = json_is(r->doc, node, JSON_TRUE);
    return VDT_OK;
  case SIDE:
    if (!json_is(r->doc, node, JSON_OBJECT)) return wrong(r, f->name, "an object");
    return read_fields(r, node, &side_fields, at, NULL);
  case OPINION:
    if (!json_is(r->doc, node, JSON_OBJECT)) return wrong(r, f->name, "an object");
    return read_fields(r, node, &opinion_fields, at, NULL);
  case LAYERS: return read_layers(r, node, f, at);
  case PSEUDONYMS:
    return read_pseudonyms(r, node, f, (struct record *)(void *)((char *)at - offsetof(struct record, pseudonyms)));
  default: return read_text(r, node, f, at);
  }
}

static size_t find_field(const struct fields *fields, struct str name)
{
  size_t i = 0;
  while (i < fields->n && !str_eq(name, str_of(fields->rows[i].name))) i++;
  return i;
}

/* A name that somebody else chose, shown: printable ASCII, at most 40 bytes. */
static int unknown(struct reader *r, struct str name)
{
  char shown[41];
  size_t n = name.n < 40 ? name.n : 40;
  for (size_t i = 0; i < n; i++) shown[i] = name.p[i] > ' ' && name.p[i] < 127 ? name.p[i] : '?';
  shown[n] = 0;
  return error_set(r->err, VDT_ESYNTAX, "unknown member \"%s\"", shown);
}

/* others: how many unknown members the caller will look at itself; NULL when none are allowed. */
static int read_fields(struct reader *r, uint32_t object, const struct fields *fields, void *base, uint64_t *others)
{
  uint64_t seen = 0;
  for (uint32_t m = json_first(r->doc, object); m; m = json_next(r->doc, object, m)) {
    struct str name;
    if (!json_key(r->doc, m, r->arena, &name)) return error_set(r->err, VDT_ENOMEM, "out of memory");
    size_t i = find_field(fields, name);
    if (i == fields->n) {
      if (!others) return unknown(r, name);
      ++*others;
      continue;
    }
    int rc = read_value(r, m, &fields->rows[i], (char *)base + fields->rows[i].at);
    if (rc) return rc;
    seen |= UINT64_C(1) << i;
  }
  for (size_t i = 0; i < fields->n; i++)
    if (fields->rows[i].required && !(seen >> i & 1)) return error_set(r->err, VDT_ESYNTAX, "%s: missing", fields->rows[i].name);
  return VDT_OK;
}

static int read_findings(struct reader *r, uint32_t node, struct record *out)
{
  if (!json_is(r->doc, node, JSON_ARRAY)) return wrong(r, "findings", "an array");
  uint32_t n = r->doc->nodes[node].count;
  out->findings = arena_zalloc(r->arena, n ? n : 1, sizeof *out->findings);
  if (!out->findings) return error_set(r->err, VDT_ENOMEM, "out of memory");
  for (uint32_t i = json_first(r->doc, node); i; i = json_next(r->doc, node, i)) {
    struct record_finding *f = &out->findings[out->n_findings++];
    if (!json_is(r->doc, i, JSON_OBJECT)) return wrong(r, "findings", "objects");
    int rc = read_fields(r, i, &finding_fields, f, NULL);
    if (rc) return rc;
    if (f->confidence > 100) return wrong(r, "confidence", "0 to 100");
  }
  return VDT_OK;
}

static bool is_version(struct reader *r, uint32_t node)
{
  uint64_t version;
  return json_is(r->doc, node, JSON_NUMBER) && json_u64(r->doc, node, &version) && version == RECORD_VERSION;
}

/* The members that are no plain fields of the struct. */
static int read_others(struct reader *r, struct record *out, uint64_t others)
{
  uint64_t dropped;
  uint32_t v = json_get(r->doc, 0, "version"), f = json_get(r->doc, 0, "findings"), d = json_get(r->doc, 0, "findings_dropped");
  if (!is_version(r, v)) return wrong(r, "version", "1");
  if (d && (!json_is(r->doc, d, JSON_NUMBER) || !json_u64(r->doc, d, &dropped)))
    return wrong(r, "findings_dropped", "a whole number");
  if (others == 1u + (f != 0) + (d != 0)) return f ? read_findings(r, f, out) : VDT_OK;
  for (uint32_t m = json_first(r->doc, 0); m; m = json_next(r->doc, 0, m)) {
    struct str name;
    if (!json_key(r->doc, m, r->arena, &name)) return error_set(r->err, VDT_ENOMEM, "out of memory");
    if (m != v && m != f && m != d && find_field(&record_fields, name) == record_fields.n) return unknown(r, name);
  }
  return VDT_OK;
}

/* A line is one object; its members are read by the caller. */
static int parse(struct vdt_arena *arena, struct str line, struct json_doc *doc, struct vdt_error *err)
{
  struct json_limits limits = {8, 1u << 17};
  if (line.n && line.p[line.n - 1] == '\n') line.n--;
  if (line.n > RECORD_LINE_MAX) return error_set(err, VDT_ETOOBIG, "the line is longer than %d bytes", RECORD_LINE_MAX);
  int rc = json_parse(arena, line, &limits, doc, err);
  if (rc) return rc;
  return doc->nodes[0].type == JSON_OBJECT ? VDT_OK : error_set(err, VDT_ESYNTAX, "expected an object");
}

int record_read(struct vdt_arena *arena, struct str line, struct record *out, struct vdt_error *err)
{
  struct json_doc doc;
  struct reader r = {&doc, arena, err};
  struct record got = {0};
  uint64_t others = 0;
  int rc = parse(arena, line, &doc, err);
  if (!rc) rc = read_fields(&r, 0, &record_fields, &got, &others);
  if (!rc) rc = read_others(&r, &got, others);
  if (!rc && got.opinion.score > 100) rc = wrong(&r, "score", "0 to 100");
  if (!rc) *out = got;
  return rc;
}

/* ---- egress ----------------------------------------------------------------------------------------------------- */

/* A quote within a text is written with a backslash: this is the name of a member, or a whole text that no record begins with. */
bool record_is_egress(struct str line)
{
  enum { LOOK = 40 };
  return str_find(str_cut(line, 0, line.n < LOOK ? line.n : LOOK), STR("\"egress\"")) != (size_t)-1;
}

int record_read_egress(struct vdt_arena *arena, struct str line, struct record_egress *out, struct vdt_error *err)
{
  struct json_doc doc;
  struct reader r = {&doc, arena, err};
  struct record_egress got = {0};
  uint64_t others = 0;
  int rc = parse(arena, line, &doc, err);
  if (!rc) rc = read_fields(&r, 0, &egress_fields, &got, &others);
  if (!rc && (others != 1 || !is_version(&r, json_get(&doc, 0, "version")))) rc = wrong(&r, "version", "1 and nothing unknown");
  if (!rc && got.score > 100) rc = wrong(&r, "score", "0 to 100");
  if (!rc) *out = got;
  return rc;
}
