#include "wire/shield.h"
#include "wire/explain.h"
#include "base/error.h"

static const struct str prefix = {"/contentsafety/", 15};

static const struct {
  unsigned status;
  const char *code;
} errors[] = {
#define X(name, status, code) {status, code},
#include "wire/shield_errors.def"
#undef X
};

/* Versions in which the operation has this shape. */
static const struct str versions[] = {STR("2024-09-01"), STR("2024-09-15-preview"), STR("2024-02-15-preview"), STR("2023-10-01")};
enum { VERSIONS = sizeof versions / sizeof *versions, OF_SHIELD_PROMPT = VERSIONS - 1 }; /* the last has no Prompt Shields */

unsigned shield_error_status(enum shield_error e)
{
  return errors[e].status;
}

const char *shield_error_code(enum shield_error e)
{
  return errors[e].code;
}

enum shield_error shield_error_of(int code)
{
  switch (code) {
  case VDT_ETOOBIG: return SHIELD_TOO_LARGE;
  case VDT_ETYPE:
  case VDT_ECODING: return SHIELD_BAD_TYPE;
  case VDT_ENOTFOUND: return SHIELD_NOT_FOUND;
  case VDT_ENOMEM: return SHIELD_BUSY;
  default: return code == VDT_EINVAL || vdt_http_status(code) < 500 ? SHIELD_BAD_BODY : SHIELD_FAILED;
  }
}

void shield_error_body(enum shield_error e, struct str message, struct buf *out)
{
  buf_printf(out, "{\"error\":{\"code\":\"%s\",\"message\":", errors[e].code);
  json_quote(out, message);
  BUF_LIT(out, "}}");
}

/* ---- which operation -------------------------------------------------------------------------------------------- */

bool shield_is_path(struct str path)
{
  return str_starts(path, prefix);
}

/* The value of a query parameter; the first of several. */
static struct str parameter(struct str query, struct str name)
{
  while (query.n) {
    const char *amp = memchr(query.p, '&', query.n);
    size_t n = amp ? (size_t)(amp - query.p) : query.n;
    struct str pair = str_cut(query, 0, n);
    query = str_cut(query, amp ? n + 1 : n, query.n);
    if (str_starts(pair, name) && pair.n > name.n && pair.p[name.n] == '=') return str_cut(pair, name.n + 1, pair.n);
  }
  return (struct str){0};
}

enum shield_error shield_route(struct str method, struct str path, struct str query, struct shield_call *out)
{
  struct str version = parameter(query, STR("api-version"));
  struct str name = str_cut(path, prefix.n, path.n);
  *out = (struct shield_call){.analyze = str_eq(name, STR("text:analyze"))};
  out->details = str_eq(parameter(query, STR("vedette-details")), STR("true"));
  if (!out->analyze && !str_eq(name, STR("text:shieldPrompt"))) return SHIELD_NOT_FOUND;
  if (!str_eq(method, STR("POST"))) return SHIELD_BAD_METHOD;
  if (!version.n) return SHIELD_NO_VERSION;
  for (size_t i = 0; i < (out->analyze ? VERSIONS : OF_SHIELD_PROMPT); i++)
    if (str_eq(version, versions[i])) return SHIELD_ERRORS;
  return SHIELD_BAD_VERSION;
}

/* ---- the question ----------------------------------------------------------------------------------------------- */

/* Of valid UTF-8, which JSON is by then. */
static size_t characters(struct str s)
{
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++) n += (s.p[i] & 0xC0) != 0x80;
  return n;
}

static bool is_absent(const struct json_doc *doc, uint32_t node)
{
  return !node || doc->nodes[node].type == JSON_NULL;
}

static int read_prompt(const struct json_doc *doc, struct vdt_arena *arena, struct shield_question *q, struct vdt_error *err)
{
  uint32_t node = json_get(doc, 0, "userPrompt");
  struct shield_text *t = &q->texts[0];
  if (is_absent(doc, node)) return VDT_OK;
  if (!json_is(doc, node, JSON_STRING)) return error_set(err, VDT_EINVAL, "userPrompt: expected a string");
  *t = (struct shield_text){.part = "userPrompt"};
  if (!json_string(doc, node, arena, &t->text)) return VDT_ENOMEM;
  if (characters(t->text) > SHIELD_PROMPT_MAX)
    return error_set(err, VDT_EINVAL, "userPrompt: longer than %d characters", SHIELD_PROMPT_MAX);
  q->has_prompt = true;
  q->n = 1;
  return VDT_OK;
}

static int read_documents(const struct json_doc *doc, struct vdt_arena *arena, struct shield_question *q, struct vdt_error *err)
{
  uint32_t list = json_get(doc, 0, "documents");
  size_t i = 0, all = 0;
  if (is_absent(doc, list)) return VDT_OK;
  if (!json_is(doc, list, JSON_ARRAY)) return error_set(err, VDT_EINVAL, "documents: expected a list of strings");
  if (doc->nodes[list].count > SHIELD_DOCUMENTS) return error_set(err, VDT_EINVAL, "documents: more than %d", SHIELD_DOCUMENTS);
  q->has_documents = true;
  for (uint32_t d = json_first(doc, list); d; d = json_next(doc, list, d), i++) {
    struct shield_text *t = &q->texts[q->n];
    if (!json_is(doc, d, JSON_STRING)) return error_set(err, VDT_EINVAL, "documents[%zu]: expected a string", i);
    *t = (struct shield_text){.document = true};
    snprintf(t->part, sizeof t->part, "documents[%u]", (unsigned)i % 10);
    if (!json_string(doc, d, arena, &t->text)) return VDT_ENOMEM;
    all += characters(t->text);
    q->n++;
  }
  if (all > SHIELD_DOCUMENTS_MAX)
    return error_set(err, VDT_EINVAL, "documents: together longer than %d characters", SHIELD_DOCUMENTS_MAX);
  return VDT_OK;
}

int shield_read(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct shield_question *out,
                struct vdt_error *err)
{
  struct json_doc doc;
  *out = (struct shield_question){0};
  int rc = json_parse(arena, body, limits, &doc, err);
  if (rc) return rc;
  if (doc.nodes[0].type != JSON_OBJECT) return error_set(err, VDT_EINVAL, "the body: expected an object");
  rc = read_prompt(&doc, arena, out, err);
  if (!rc) rc = read_documents(&doc, arena, out, err);
  if (rc || out->has_prompt || out->has_documents) return rc;
  return error_set(err, VDT_EINVAL, "the body: expected userPrompt, documents or both");
}

static int read_lists(const struct json_doc *doc, struct vdt_arena *arena, struct shield_analysis *out, struct vdt_error *err)
{
  uint32_t list = json_get(doc, 0, "blocklistNames");
  if (is_absent(doc, list)) return VDT_OK;
  if (!json_is(doc, list, JSON_ARRAY)) return error_set(err, VDT_EINVAL, "blocklistNames: expected a list of names");
  out->lists = arena_zalloc(arena, doc->nodes[list].count + 1, sizeof *out->lists);
  if (!out->lists) return VDT_ENOMEM;
  for (uint32_t i = json_first(doc, list); i; i = json_next(doc, list, i)) {
    if (!json_is(doc, i, JSON_STRING)) return error_set(err, VDT_EINVAL, "blocklistNames: expected a list of names");
    if (!json_string(doc, i, arena, &out->lists[out->n_lists++])) return VDT_ENOMEM;
  }
  return VDT_OK;
}

int shield_read_analysis(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct shield_analysis *out,
                         struct vdt_error *err)
{
  struct json_doc doc;
  *out = (struct shield_analysis){0};
  int rc = json_parse(arena, body, limits, &doc, err);
  if (rc) return rc;
  uint32_t text = json_get(&doc, 0, "text");
  if (!json_is(&doc, text, JSON_STRING)) return error_set(err, VDT_EINVAL, "text: expected a string");
  if (!json_string(&doc, text, arena, &out->text)) return VDT_ENOMEM;
  if (characters(out->text) > SHIELD_PROMPT_MAX)
    return error_set(err, VDT_EINVAL, "text: longer than %d characters", SHIELD_PROMPT_MAX);
  return read_lists(&doc, arena, out, err);
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

static void put_layers(const struct vdt_finding *f, struct buf *out)
{
  if (!f->n_layers) return;
  BUF_LIT(out, ",\"decoded\":");
  json_quote(out, str_of(f->decoded));
  BUF_LIT(out, ",\"layers\":[");
  for (unsigned i = 0; i < f->n_layers; i++) {
    if (i) BUF_LIT(out, ",");
    json_quote(out, str_of(f->layers[i]));
  }
  BUF_LIT(out, "]");
}

static void put_finding(const struct vdt_finding *f, struct buf *out)
{
  BUF_LIT(out, "{\"detector\":");
  json_quote(out, str_of(vdt_detector_name(f->detector)));
  BUF_LIT(out, ",\"kind\":");
  json_quote(out, str_of(f->rule));
  BUF_LIT(out, ",\"title\":");
  json_quote(out, str_of(f->title));
  buf_printf(out,
             ",\"severity\":\"%s\",\"confidence\":%.4g,\"start\":%llu,\"end\":%llu,\"reason\":", vdt_severity_name(f->severity),
             f->confidence / 100.0, (unsigned long long)f->start, (unsigned long long)f->end);
  json_quote(out, str_of(f->reason));
  if (f->redacted[0]) {
    BUF_LIT(out, ",\"redacted\":");
    json_quote(out, str_of(f->redacted));
  }
  put_layers(f, out);
  BUF_LIT(out, "}");
}

static void put_details(const struct shield_text *t, const struct vdt_result *r, struct buf *out)
{
  static const char *const inspected[] = {"full", "partial", "none"};
  buf_printf(out, ",\"scores\":{\"%s\":%.4g},\"findings\":[", t->document ? "indirect" : "jailbreak",
             t->document ? r->indirect : r->jailbreak);
  for (size_t i = 0; i < r->n_findings; i++) {
    if (i) BUF_LIT(out, ",");
    put_finding(&r->findings[i], out);
  }
  BUF_LIT(out, "],\"explanation\":{");
  explain_write(&r->why, out);
  buf_printf(out, "},\"inspected\":\"%s\"", inspected[r->inspected]);
}

static void put_analysis(const struct shield_text *t, const struct shield_verdict *v, bool details, struct buf *out)
{
  buf_printf(out, "{\"attackDetected\":%s", v->attack ? "true" : "false");
  if (details) put_details(t, &v->result, out);
  BUF_LIT(out, "}");
}

void shield_write(const struct shield_question *q, const struct shield_verdict *verdicts, bool details, struct buf *out)
{
  BUF_LIT(out, "{");
  if (q->has_prompt) {
    BUF_LIT(out, "\"userPromptAnalysis\":");
    put_analysis(&q->texts[0], &verdicts[0], details, out);
    BUF_LIT(out, ",");
  }
  BUF_LIT(out, "\"documentsAnalysis\":[");
  for (size_t i = q->has_prompt; i < q->n; i++) {
    if (i > q->has_prompt) BUF_LIT(out, ",");
    put_analysis(&q->texts[i], &verdicts[i], details, out);
  }
  BUF_LIT(out, "]}");
}

void shield_write_match(struct str list, struct str id, struct str text, bool first, struct buf *out)
{
  if (!first) BUF_LIT(out, ",");
  BUF_LIT(out, "{\"blocklistName\":");
  json_quote(out, list);
  BUF_LIT(out, ",\"blocklistItemId\":");
  json_quote(out, id);
  BUF_LIT(out, ",\"blocklistItemText\":");
  json_quote(out, text);
  BUF_LIT(out, "}");
}
