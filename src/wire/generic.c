/*
 * json: JSON that no format knows. Requests are walked by rest.c, every string with its path; of answers every string is a text of its
 * own. Assistants, threads, batches and whatever comes next are read like this. Texts that a stream brings in pieces are read piece by
 * piece only, and the record says so. No path leads here: the gateway takes it for paths that no format speaks on.
 */
#include "wire/response.h"

/* Short strings without blanks are settings and ids; and one answer is not read for ever. */
enum { SETTING = 16, STRINGS = 2048 };

static int request(struct request *q)
{
  return q->doc.nodes[0].type >= JSON_ARRAY ? VDT_OK : request_expected(q, "body", "an object or an array");
}

static const struct text_kind kinds[] = {{"strings[#]", "\"\""}};

/* Too short, or no string. */
static bool says_nothing(const struct json_doc *doc, uint32_t node)
{
  struct str raw = json_raw(doc, node);
  if (doc->nodes[node].type != JSON_STRING) return true;
  return raw.n <= SETTING + 2 && !memchr(raw.p, ' ', raw.n);
}

static int answer(struct wire_response *r)
{
  struct choice *c = choice_find(r, 0);
  struct text_effect effect = {0};
  struct text_ref ref = {0};
  if (!c) return VDT_ENOMEM;
  if (response_streams(r)) response_not_inspected(r, "a stream of an unknown format, read event by event");
  if (r->doc.nodes[0].type == JSON_STRING) response_not_inspected(r, "a bare string");
  for (uint32_t i = 1; i < r->doc.n; i++) {
    if (says_nothing(&r->doc, i)) continue;
    if (ref.at[0] == STRINGS) {
      response_not_inspected(r, "more strings than are read of an unknown format");
      break;
    }
    ref.node = i;
    int rc = channel_read(r, c, &ref, true, &effect);
    if (rc) return rc;
    ref.at[0]++;
  }
  if (!response_streams(r)) c->finished = true;
  if (!effect.block || response_streams(r)) return VDT_OK;
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
