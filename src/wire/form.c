/*
 * Bodies that are no JSON but hold some: forms with files (multipart/form-data, RFC 7578), as files are uploaded, and JSON lines. A line
 * that is a request of a batch ({"url": ..., "body": ...}) is read by the format of its url, any other JSON is walked, and what is plain
 * text is read as a document. Bytes that are no text (PDF, images, sound) become a skipped part.
 *
 * A form is read strictly: what two readers could split in two ways (bare line feeds, text before the first boundary or behind the last,
 * transfer encodings, a file without its name) is refused.
 */
#include "base/error.h"
#include "wire/format.h"
#include "wire/path.h"

enum { BOUNDARY = 70, HEADERS = 8192 };

/* The body while it is read. */
struct form {
  struct vdt_arena *arena;
  struct str body;
  const struct json_limits *limits;
  struct wire_request *out;
  size_t cap;
  struct vdt_error *err;
};

static int wrong(const struct form *f, const char *what)
{
  return error_set(f->err, VDT_ESYNTAX, "form: %s", what);
}

static int add(struct form *f, const struct wire_part *part)
{
  struct wire_request *out = f->out;
  struct wire_part *parts = arena_grow(f->arena, out->parts, out->n_parts, &f->cap, 8, sizeof *parts);
  if (!parts || !part->origin.p) return VDT_ENOMEM;
  out->parts = parts;
  out->parts[out->n_parts++] = *part;
  return VDT_OK;
}

static size_t offset(const struct form *f, struct str text)
{
  return (size_t)(text.p - f->body.p);
}

static int add_plain(struct form *f, enum vdt_role role, struct str text, const char *origin)
{
  size_t at = offset(f, text);
  if (text.n == 0) return VDT_OK;
  return add(f,
             &(struct wire_part){.role = role, .text = text, .origin = str_of(origin), .raw = {at, at + text.n}, .plain = true});
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

/* Reads JSON by a format; its parts move to where they stand in the body. */
static int read_json(struct form *f, const struct wire_format *format, struct str json, const char *origin)
{
  struct wire_request q;
  struct vdt_error ignored = {0};
  size_t at = offset(f, json);
  int rc = wire_request_parse(format, f->arena, json, f->limits, &q, &ignored);
  if (rc) return rc;
  if (!f->out->model.n) f->out->model = q.model;
  f->out->has_tools |= q.has_tools;
  for (size_t i = 0; i < q.n_parts; i++) {
    struct wire_part part = q.parts[i];
    const char *path =
        arena_printf(f->arena, "%s%s%.*s", origin, part.origin.p[0] == '[' ? "" : ".", (int)part.origin.n, part.origin.p);
    part.origin = str_of(path);
    if (part.raw.end > part.raw.start) part.raw = (struct wire_span){part.raw.start + at, part.raw.end + at};
    rc = path ? add(f, &part) : VDT_ENOMEM;
    if (rc) return rc;
  }
  return VDT_OK;
}

/* Batches of Azure OpenAI name their urls without a version. */
static const struct wire_format *format_of(struct str url, struct vdt_arena *arena)
{
  struct str deployment;
  const char *versioned = arena_printf(arena, "/v1%.*s", (int)url.n, url.p);
  const struct wire_format *format = wire_route(STR("POST"), url, &deployment);
  return format || !versioned ? format : wire_route(STR("POST"), str_of(versioned), &deployment);
}

/* A request of a batch, or *read stays false. */
static int read_request(struct form *f, struct str line, const char *origin, bool *read)
{
  struct json_doc doc;
  struct str url;
  if (json_parse(f->arena, line, f->limits, &doc, NULL)) return VDT_OK;
  uint32_t body = json_get(&doc, 0, "body");
  if (!json_string(&doc, json_get(&doc, 0, "url"), f->arena, &url)) return VDT_ENOMEM;
  const struct wire_format *format = url.n ? format_of(url, f->arena) : NULL;
  if (!format || !json_is(&doc, body, JSON_OBJECT)) return VDT_OK;
  size_t before = f->out->n_parts;
  const char *inside = arena_printf(f->arena, "%s.body", origin);
  int rc = inside ? read_json(f, format, json_raw(&doc, body), inside) : VDT_ENOMEM;
  *read = rc == VDT_OK;
  if (rc == VDT_ENOMEM) return rc;
  if (rc) f->out->n_parts = before; /* what the format refuses, the walk reads */
  return VDT_OK;
}

/* A line: a request, other JSON, or text. */
static int read_line(struct form *f, enum vdt_role role, struct str line, const char *origin)
{
  bool read = false;
  if (!origin) return VDT_ENOMEM;
  int rc = read_request(f, line, origin, &read);
  if (rc || read) return rc;
  rc = read_json(f, wire_unknown(), line, origin);
  return rc && rc != VDT_ENOMEM ? add_plain(f, role, line, origin) : rc;
}

static struct str trim(struct str s)
{
  while (s.n && (s.p[0] == ' ' || s.p[0] == '\n' || s.p[0] == '\t' || s.p[0] == '\r')) s = str_cut(s, 1, s.n);
  while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r')) s.n--;
  return s;
}

static int read_lines(struct form *f, enum vdt_role role, struct str text, const char *origin)
{
  unsigned n = 0;
  while (text.n) {
    const char *end = memchr(text.p, '\n', text.n);
    struct str line = trim(str_cut(text, 0, end ? (size_t)(end - text.p) : text.n));
    text = end ? str_cut(text, (size_t)(end - text.p) + 1, text.n) : STR("");
    int rc = line.n ? read_line(f, role, line, arena_printf(f->arena, "%s[%u]", origin, n)) : VDT_OK;
    if (rc) return rc;
    n += line.n > 0;
  }
  return VDT_OK;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

/* What has no zero is read whatever it is; UTF-16 becomes a text that stands nowhere in the body. False: bytes that are no text. */
static bool is_text(struct str s)
{
  return s.n == 0 || !memchr(s.p, 0, s.n) || sniff(s) != SNIFF_BYTES;
}

static int add_utf16(struct form *f, enum vdt_role role, struct str bytes, enum sniffed order, const char *origin)
{
  struct str text;
  if (!sniff_utf16(f->arena, bytes, order, &text)) return VDT_ENOMEM;
  return text.n ? add(f, &(struct wire_part){.role = role, .text = text, .origin = str_of(origin)}) : VDT_OK;
}

/* JSON as one value, JSON lines, or a text. */
static int read_text(struct form *f, enum vdt_role role, struct str text, const char *origin)
{
  struct str inside = trim(text);
  struct json_doc doc;
  if (!origin) return VDT_ENOMEM;
  enum sniffed is = sniff(text);
  if (is > SNIFF_TEXT) return add_utf16(f, role, text, is, origin);
  if (!inside.n || (inside.p[0] != '{' && inside.p[0] != '[')) return add_plain(f, role, text, origin);
  if (json_parse(f->arena, inside, f->limits, &doc, NULL) == VDT_OK) return read_line(f, role, inside, origin);
  return read_lines(f, role, text, origin);
}

/* ---- the form --------------------------------------------------------------------------------------------------- */

/* A field of the form: its headers, and what it holds. */
struct field {
  struct str name, content;
  bool file;
};

static struct str take_line(struct str *rest)
{
  size_t end = str_find(*rest, STR("\r\n"));
  struct str line = str_cut(*rest, 0, end == (size_t)-1 ? rest->n : end);
  *rest = end == (size_t)-1 ? STR("") : str_cut(*rest, end + 2, rest->n);
  return line;
}

/* The value of `name="..."` in a header; its quotes may not be escaped, as browsers write them. */
static bool attribute(struct str header, const char *name, struct str *value)
{
  struct str mark = str_of(name);
  size_t at = str_find(header, mark);
  if (at == (size_t)-1) return false;
  struct str rest = str_cut(header, at + mark.n, header.n);
  const char *end = rest.n ? memchr(rest.p, '"', rest.n) : NULL;
  *value = str_cut(rest, 0, end ? (size_t)(end - rest.p) : rest.n);
  return end != NULL;
}

static int read_header(const struct form *f, struct str line, struct field *out, bool *named)
{
  static const struct str disposition = {"content-disposition:", 20}, encoding = {"content-transfer-encoding:", 26};
  struct str ignored;
  if (line.n >= encoding.n && str_ieq(str_cut(line, 0, encoding.n), encoding)) {
    struct str how = trim(str_cut(line, encoding.n, line.n));
    bool plain = str_ieq(how, STR("binary")) || str_ieq(how, STR("8bit")) || str_ieq(how, STR("7bit"));
    return plain ? VDT_OK : wrong(f, "a transfer encoding");
  }
  if (line.n < disposition.n || !str_ieq(str_cut(line, 0, disposition.n), disposition)) return VDT_OK;
  if (*named || !attribute(line, " name=\"", &out->name)) return wrong(f, "a field without its name in quotes");
  *named = true;
  out->file = attribute(line, "filename=\"", &ignored) || str_find(line, STR("filename*=")) != (size_t)-1;
  return VDT_OK;
}

static int read_head(const struct form *f, struct str *rest, struct field *out)
{
  size_t end = str_find(*rest, STR("\r\n\r\n"));
  bool named = false;
  if (end == (size_t)-1 || end > HEADERS) return wrong(f, "a field without the end of its headers");
  struct str head = str_cut(*rest, 0, end);
  *rest = str_cut(*rest, end + 4, rest->n);
  while (head.n) {
    int rc = read_header(f, take_line(&head), out, &named);
    if (rc) return rc;
  }
  return named ? VDT_OK : wrong(f, "a field without Content-Disposition");
}

/* What the text of a field is: a prompt where the API has one, else the content of a file, or a setting. */
static int read_field(struct form *f, const struct field *field)
{
  struct path path = {.n = 0};
  bool prompt = str_eq(field->name, STR("prompt"));
  path_member(&path, field->name);
  const char *origin = arena_printf(f->arena, "%.*s", (int)path.n, path.text);
  if (!origin) return VDT_ENOMEM;
  if (!is_text(field->content))
    return add(f, &(struct wire_part){.role = VDT_DOCUMENT, .origin = str_of(origin), .skipped = "file"});
  if (!field->file && str_eq(field->name, STR("model"))) {
    f->out->model = field->content;
    return VDT_OK;
  }
  if (!field->file && field->content.n <= 16 && !memchr(field->content.p, ' ', field->content.n)) return VDT_OK;
  return read_text(f, prompt || !field->file ? VDT_PROMPT : VDT_DOCUMENT, field->content, origin);
}

/* The body behind a boundary: a field up to the next one. */
static int take_field(const struct form *f, struct str mark, struct str *rest, struct field *out)
{
  int rc = read_head(f, rest, out);
  if (rc) return rc;
  size_t end = str_find(*rest, mark);
  if (end == (size_t)-1) return wrong(f, "the last boundary is missing");
  out->content = str_cut(*rest, 0, end);
  *rest = str_cut(*rest, end + mark.n, rest->n);
  return VDT_OK;
}

static int read_form(struct form *f, struct str boundary)
{
  const char *text = arena_printf(f->arena, "\r\n--%.*s", (int)boundary.n, boundary.p);
  if (!text) return VDT_ENOMEM;
  struct str mark = str_of(text), rest = f->body;
  if (!str_starts(rest, str_cut(mark, 2, mark.n))) return wrong(f, "it does not begin with its boundary");
  rest = str_cut(rest, mark.n - 2, rest.n);
  while (str_starts(rest, STR("\r\n"))) {
    struct field field = {0};
    rest = str_cut(rest, 2, rest.n);
    int rc = take_field(f, mark, &rest, &field);
    if (!rc) rc = read_field(f, &field);
    if (rc) return rc;
  }
  if (!str_starts(rest, STR("--"))) return wrong(f, "a boundary that does not end its line");
  rest = str_cut(rest, 2, rest.n);
  return rest.n == 0 || str_eq(rest, STR("\r\n")) ? VDT_OK : wrong(f, "something behind its last boundary");
}

int wire_form_parse(struct vdt_arena *arena, struct str boundary, struct str body, const struct json_limits *limits,
                    struct wire_request *out, struct vdt_error *err)
{
  struct form f = {arena, body, limits, out, 0, err};
  *out = (struct wire_request){.n = 1};
  if (boundary.n == 0 || boundary.n > BOUNDARY) return wrong(&f, "a boundary of 1 to 70 bytes is missing");
  int rc = read_form(&f, boundary);
  return rc == VDT_ENOMEM ? error_set(err, rc, "out of memory") : rc;
}

int wire_lines_parse(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct wire_request *out,
                     struct vdt_error *err)
{
  struct form f = {arena, body, limits, out, 0, err};
  *out = (struct wire_request){.n = 1};
  int rc = is_text(body) ? read_lines(&f, VDT_PROMPT, body, "lines") : wrong(&f, "bytes that are no text");
  return rc == VDT_ENOMEM ? error_set(err, rc, "out of memory") : rc;
}

int wire_text_parse(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct wire_request *out,
                    struct vdt_error *err)
{
  struct form f = {arena, body, limits, out, 0, err};
  struct str inside = trim(body);
  struct json_doc doc;
  *out = (struct wire_request){.n = 1};
  if (!is_text(body)) return add(&f, &(struct wire_part){.role = VDT_PROMPT, .origin = STR("body"), .skipped = "bytes"});
  /* One object in which a name stands twice is as ambiguous here as anywhere. */
  int rc = inside.n && inside.p[0] == '{' ? json_parse(arena, inside, limits, &doc, err) : VDT_OK;
  if (rc != VDT_EDUPKEY) rc = read_text(&f, VDT_PROMPT, body, "body");
  return rc == VDT_ENOMEM ? error_set(err, rc, "out of memory") : rc;
}
