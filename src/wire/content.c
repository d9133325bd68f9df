/* What the requests of several formats have in common: roles, content parts, tools. */
#include "wire/format.h"

enum vdt_role request_role(const struct json_doc *doc, uint32_t role)
{
  static const struct {
    const char *name;
    enum vdt_role role;
  } roles[] = {{"system", VDT_SYSTEM},      {"developer", VDT_SYSTEM}, {"user", VDT_PROMPT},
               {"assistant", VDT_RESPONSE}, {"tool", VDT_DOCUMENT},    {"function", VDT_DOCUMENT}};
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
    if (json_string_is(doc, role, roles[i].name)) return roles[i].role;
  return VDT_PROMPT;
}

/* Why a content part of this type is not read, or NULL for text. */
static const char *unread(const struct json_doc *doc, uint32_t type)
{
  static const struct {
    const char *type, *why;
  } types[] = {{"text", NULL},           {"input_text", NULL},     {"output_text", NULL}, {"refusal", NULL},
               {"image_url", "image"},   {"input_image", "image"}, {"image", "image"},    {"image_file", "image"},
               {"input_audio", "audio"}, {"audio", "audio"},       {"file", "file"},      {"input_file", "file"}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (json_string_is(doc, type, types[i].type)) return types[i].why;
  return "unknown content part";
}

static const char *const part_members[] = {"type", "text", "refusal"};

/* The data or the address in an image, audio or file part, in any of the forms of the two OpenAI formats; or 0. */
static uint32_t bytes_of(const struct json_doc *doc, uint32_t part)
{
  static const char *const paths[][2] = {{"image_url", "url"}, {"file", "file_data"}, {"input_audio", "data"},
                                         {"image_url", NULL},  {"file_data", NULL},   {"file_url", NULL},
                                         {"audio", "data"},    {"audio", NULL}};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    uint32_t node = json_get(doc, part, paths[i][0]);
    if (paths[i][1]) node = wire_get(doc, node, paths[i][1]);
    if (json_is(doc, node, JSON_STRING)) return node;
  }
  return 0;
}

/* One content part. Text is read whatever the type says, so that a wrong type hides nothing. */
static int read_content_part(struct request *q, enum vdt_role role, uint32_t part, const char *origin)
{
  static const char *const members[] = {"text", "refusal"};
  const struct json_doc *doc = &q->doc;
  if (json_is(doc, part, JSON_STRING)) return request_text(q, role, part, origin);
  int strict = request_spelling(q, part, part_members, sizeof part_members / sizeof *part_members);
  if (strict) return strict;
  bool found = false;
  for (size_t i = 0; i < 2; i++) {
    uint32_t text = json_get(doc, part, members[i]);
    if (!json_is(doc, text, JSON_STRING)) continue;
    int rc = request_text(q, role, text, request_origin(q, "%s.%s", origin, members[i]));
    if (rc) return rc;
    found = true;
  }
  const char *why = unread(doc, json_get(doc, part, "type"));
  uint32_t data = bytes_of(doc, part);
  if (data) return request_bytes(q, role, 0, data, origin, why ? why : "file");
  if (found && why && strcmp(why, "unknown content part") == 0) return VDT_OK;
  if (!found && !why) why = "unknown content part";
  return why ? request_skip(q, role, origin, why) : VDT_OK;
}

int request_content(struct request *q, enum vdt_role role, uint32_t content, const char *origin)
{
  const struct json_doc *doc = &q->doc;
  unsigned i = 0;
  if (!origin) return VDT_ENOMEM;
  if (json_is(doc, content, JSON_STRING)) return request_text(q, role, content, origin);
  if (json_is(doc, content, JSON_NULL)) return VDT_OK;
  if (!json_is(doc, content, JSON_ARRAY)) return request_expected(q, origin, "a string, null or an array");
  for (uint32_t p = json_first(doc, content); p; p = json_next(doc, content, p), i++) {
    const char *name = request_origin(q, "%s[%u]", origin, i);
    int rc = name ? read_content_part(q, role, p, name) : VDT_ENOMEM;
    if (rc) return rc;
  }
  return VDT_OK;
}

/* Descriptions are instructions that the application wrote. */
int request_tools(struct request *q, const char *member)
{
  uint32_t tools = json_get(&q->doc, 0, member);
  unsigned i = 0;
  for (uint32_t t = tools ? json_first(&q->doc, tools) : 0; t; t = json_next(&q->doc, tools, t), i++) {
    q->out->has_tools = true;
    int rc = request_strings(q, VDT_SYSTEM, t, "description", request_origin(q, "%s[%u].description", member, i));
    if (rc) return rc;
  }
  return VDT_OK;
}
