/*
 * json: JSON that no format knows. Requests are walked by rest.c, every string with its path; of answers every string is a text of its
 * own. Assistants, threads, batches and whatever comes next are read like this. Texts that a stream brings in pieces are read piece by
 * piece only, and the record says so. No path leads here: the gateway takes it for paths that no format speaks on.
 */
#include "wire/path.h"
#include "wire/response.h"

/* Short strings without blanks are settings and ids; and one answer is not read for ever. */
enum { SETTING = 16, STRINGS = 2048 };

static int request(struct request *q)
{
  return q->doc.nodes[0].type >= JSON_ARRAY ? VDT_OK : request_expected(q, "body", "an object or an array");
}

static const struct text_kind kinds[] = {{"body", "\"\""}};

/* Too short, or no string. */
static bool says_nothing(const struct json_doc *doc, uint32_t node)
{
  struct str raw = json_raw(doc, node);
  if (doc->nodes[node].type != JSON_STRING) return true;
  return raw.n <= SETTING + 2 && !memchr(raw.p, ' ', raw.n);
}

/* The way through an answer. */
struct tour {
  struct wire_response *r;
  struct choice *c;
  struct path path;
  unsigned n; /* strings so far */
  struct text_effect effect;
};

static int read_string(struct tour *t, uint32_t node)
{
  struct wire_response *r = t->r;
  if (says_nothing(&r->doc, node)) return VDT_OK;
  if (t->n == STRINGS) {
    response_not_inspected(r, "more strings than are read of an unknown format");
    return VDT_OK;
  }
  struct str path = arena_dup(r->arena, t->path.n ? path_str(&t->path) : STR("body"));
  if (!path.p) return VDT_ENOMEM;
  r->origin = path.p;
  return channel_read(r, t->c, &(struct text_ref){0, {t->n++}, node}, true, &t->effect);
}

/* As deep as json_parse lets it be. */
static int visit(struct tour *t, uint32_t node)
{
  const struct json_doc *doc = &t->r->doc;
  uint8_t type = doc->nodes[node].type;
  unsigned i = 0;
  int rc = VDT_OK;
  if (type == JSON_STRING) return node ? read_string(t, node) : VDT_OK;
  for (uint32_t c = type >= JSON_ARRAY ? json_first(doc, node) : 0; c && !rc; c = json_next(doc, node, c)) {
    struct str name = STR("");
    if (type == JSON_OBJECT && !json_key(doc, c, t->r->scratch, &name)) return VDT_ENOMEM;
    size_t before = type == JSON_OBJECT ? path_member(&t->path, name) : path_element(&t->path, i++);
    rc = visit(t, c);
    t->path.n = before;
  }
  return rc;
}

static int answer(struct wire_response *r)
{
  struct tour t = {.r = r, .c = choice_find(r, 0)};
  if (!t.c) return VDT_ENOMEM;
  if (response_streams(r)) response_not_inspected(r, "a stream of an unknown format, read event by event");
  if (r->doc.nodes[0].type == JSON_STRING) response_not_inspected(r, "a bare string");
  int rc = visit(&t, 0);
  if (rc) return rc;
  if (!response_streams(r)) t.c->finished = true;
  if (!t.effect.block || response_streams(r)) return VDT_OK;
  r->edits.n = 0;
  return edits_replace_node(&r->edits, &r->doc, 0, STR("{}")) ? VDT_OK : VDT_ENOMEM;
}

/* No event of an unknown format can be made up: a stream that is cut just ends. */
static void ended(struct wire_response *r, const struct choice *c, struct buf *out)
{
  (void)r, (void)c, (void)out;
}

static const char *const paths[] = {NULL};

const struct wire_format wire_generic = {
    .name = "json",
    .paths = paths,
    .members = {"response"},
    .kinds = kinds,
    .arrays = true,
    .unknown = true,
    .request = request,
    .answer = answer,
    .ended = ended,
    .goodbye = "",
    .blocked = openai_blocked,
    .error = openai_error,
};
