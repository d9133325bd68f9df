/*
 * The walk over what a format does not know, and over requests that no format knows: every string that is not read yet becomes a part
 * with its path as origin. So no new member, and no body of another format on this path, hides its text.
 *
 * Member names are the client's and may be text themselves: a path shows those made of letters only, and a name that is no word is a
 * part of its own. Not read are short values that can be nothing but a setting. Schemas and settings of the application (tools,
 * response_format) are joined to one text for each, for they have hundreds of strings and are no prompt. So are its books (metadata), as a document:
 * what a user said may stand there, and people and agents read them later.
 */
#include "wire/format.h"
#include "wire/path.h"

enum { SETTING = 16, ID = 96, WORDS = 3 };

struct walk {
  struct request *q;
  enum vdt_role role;
  bool joins;  /* strings go into text instead of parts */
  bool schema; /* below what the application wrote */
  char *text;  /* in the arena; room for the whole body */
  size_t n;    /* bytes in text */
  struct path path;
};

static bool among(struct str name, const char *const *names)
{
  for (; *names; names++)
    if (str_eq(name, str_of(*names))) return true;
  return false;
}

/* What stands under these names is chosen from a list, or made by a machine. */
static bool is_setting(struct str name, struct str text)
{
  static const char *const ids[] = {"model",
                                    "role",
                                    "type",
                                    "id",
                                    "name",
                                    "call_id",
                                    "tool_call_id",
                                    "item_id",
                                    "tool_use_id",
                                    "user",
                                    "mime_type",
                                    "mimeType",
                                    "media_type",
                                    "object",
                                    "file_id",
                                    "detail",
                                    "status",
                                    "format",
                                    "truncation",
                                    "safety_identifier",
                                    "previous_response_id",
                                    "prompt_cache_key",
                                    "encrypted_content",
                                    "signature",
                                    NULL};
  static const char *const words[] = {"text", "content", "input", "prompt", "message", "value", NULL};
  if (among(name, words)) return false;
  bool blank = text.n && (memchr(text.p, ' ', text.n) || memchr(text.p, '\n', text.n));
  return !blank && (text.n <= SETTING || (among(name, ids) && text.n <= ID));
}

/* Credentials with which the upstream is to call somebody else: no part of any prompt. */
static bool is_key(struct str name)
{
  static const char *const keys[] = {"authorization", "Authorization",     "headers",      "key",
                                     "api_key",       "connection_string", "access_token", NULL};
  return among(name, keys);
}

/* A name that somebody could have written a sentence in. */
static bool is_sentence(struct str name)
{
  return name.n > 2 * PATH_NAME || (name.n && memchr(name.p, ' ', name.n));
}

static const char *origin_of(const struct walk *w, const char *mark)
{
  return request_origin(w->q, "%.*s%s", (int)w->path.n, w->path.text, mark);
}

static int take(struct walk *w, struct str text, const char *mark)
{
  if (!w->joins) return request_made(w->q, w->role, text, origin_of(w, mark));
  if (w->n) w->text[w->n++] = '\n';
  memcpy(w->text + w->n, text.p, text.n);
  w->n += text.n;
  return VDT_OK;
}

static int take_string(struct walk *w, uint32_t node, struct str name)
{
  struct str text;
  struct request *q = w->q;
  if (!json_string(&q->doc, node, q->arena, &text)) return VDT_ENOMEM;
  if (text.n == 0 || is_setting(name, text)) return VDT_OK;
  if (!w->joins) return request_text(q, w->role, node, origin_of(w, ""));
  return take(w, text, "");
}

static int visit(struct walk *w, uint32_t node, struct str name);

static int visit_member(struct walk *w, uint32_t node)
{
  struct str name;
  if (!json_key(&w->q->doc, node, w->q->arena, &name)) return VDT_ENOMEM;
  if (w->schema && is_key(name)) return VDT_OK;
  size_t before = path_member(&w->path, name);
  int rc = is_sentence(name) ? take(w, name, "#name") : VDT_OK;
  if (!rc) rc = visit(w, node, name);
  w->path.n = before;
  return rc;
}

static int visit_element(struct walk *w, uint32_t node, struct str name, unsigned i)
{
  size_t before = path_element(&w->path, i);
  int rc = visit(w, node, name);
  w->path.n = before;
  return rc;
}

static bool has_letter(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') || (unsigned char)s.p[i] >= 0x80) return true;
  return false;
}

static bool is_list_of_words(const struct walk *w, uint32_t list)
{
  const struct json_doc *doc = &w->q->doc;
  if (w->joins || doc->nodes[list].type != JSON_ARRAY || doc->nodes[list].count < WORDS) return false;
  for (uint32_t c = json_first(doc, list); c; c = json_next(doc, list, c))
    if (!json_is(doc, c, JSON_STRING) || w->q->seen[c] || json_raw(doc, c).n > SETTING + 2) return false;
  return true;
}

/* The short strings of a list are one text: each by itself looks like a setting, and together they can say anything. */
static int take_words(struct walk *w, uint32_t list)
{
  const struct json_doc *doc = &w->q->doc;
  size_t n = 0;
  char *words = arena_alloc(w->q->arena, json_raw(doc, list).n);
  if (!words) return VDT_ENOMEM;
  for (uint32_t c = json_first(doc, list); c; c = json_next(doc, list, c)) {
    struct str word;
    if (!json_string(doc, c, w->q->arena, &word)) return VDT_ENOMEM;
    if (!has_letter(word)) continue;
    if (n) words[n++] = ' ';
    memcpy(words + n, word.p, word.n);
    n += word.n;
  }
  return request_made(w->q, w->role, (struct str){words, n}, origin_of(w, ""));
}

/* Messages of any format have a role. */
static enum vdt_role role_in(const struct walk *w, uint32_t node)
{
  uint32_t role = json_get(&w->q->doc, node, "role");
  return json_is(&w->q->doc, role, JSON_STRING) ? request_role(&w->q->doc, role) : w->role;
}

static int visit(struct walk *w, uint32_t node, struct str name)
{
  const struct json_doc *doc = &w->q->doc;
  uint8_t type = doc->nodes[node].type;
  unsigned i = 0;
  int rc = VDT_OK;
  if (w->q->seen[node]) return VDT_OK;
  if (type == JSON_STRING) return take_string(w, node, name);
  if (is_list_of_words(w, node)) return take_words(w, node);
  enum vdt_role before = w->role;
  if (type == JSON_OBJECT && !w->joins) w->role = role_in(w, node);
  for (uint32_t c = type >= JSON_ARRAY ? json_first(doc, node) : 0; c && !rc; c = json_next(doc, node, c))
    rc = type == JSON_OBJECT ? visit_member(w, c) : visit_element(w, c, name, i++);
  w->role = before;
  return rc;
}

/* What the application wrote for the model or for its own books. */
static bool is_schema(struct str name)
{
  static const char *const names[] = {"tools",
                                      "functions",
                                      "response_format",
                                      "text",
                                      "tool_choice",
                                      "generationConfig",
                                      "generation_config",
                                      "toolConfig",
                                      "safetySettings",
                                      "data_sources",
                                      "output_config",
                                      "mcp_servers",
                                      "format",
                                      "options",
                                      "stop",
                                      NULL};
  return among(name, names);
}

static bool is_book(struct str name)
{
  return str_eq(name, STR("metadata"));
}

static bool is_instruction(struct str name)
{
  static const char *const names[] = {"instructions", "system", "system_prompt", "additional_instructions", NULL};
  return among(name, names);
}

/* prefix: of the path, with its dot. */
static int top(struct request *q, uint32_t node, char *room, const char *prefix)
{
  struct walk w = {.q = q, .role = VDT_PROMPT, .text = room};
  w.path.n = (size_t)snprintf(w.path.text, sizeof w.path.text, "%s", prefix); /* prefixes are short, and ours */
  struct str name;
  if (!json_key(&q->doc, node, q->arena, &name)) return VDT_ENOMEM;
  bool lists = !q->format->unknown && q->doc.nodes[node].type >= JSON_ARRAY;
  w.schema = lists && is_schema(name);
  w.joins = w.schema || (lists && is_book(name));
  if (w.schema || is_instruction(name)) w.role = VDT_SYSTEM;
  else if (w.joins) w.role = VDT_DOCUMENT;
  int rc = visit_member(&w, node);
  if (rc || !w.n) return rc;
  struct str joined = arena_dup(q->arena, (struct str){w.text, w.n});
  return joined.p ? request_made(q, w.role, joined, request_origin(q, "%s%.*s", prefix, (int)name.n, name.p)) : VDT_ENOMEM;
}

int request_rest(struct request *q)
{
  const struct json_doc *doc = &q->doc;
  char *room = arena_alloc(q->arena, doc->text.n + 1);
  if (!room) return VDT_ENOMEM;
  if (doc->nodes[0].type == JSON_ARRAY) {
    struct walk w = {.q = q, .role = VDT_PROMPT};
    return visit(&w, 0, STR(""));
  }
  for (uint32_t m = json_first(doc, 0); m; m = json_next(doc, 0, m)) {
    int rc = top(q, m, room, "");
    if (rc) return rc;
  }
  return VDT_OK;
}

int request_members(struct request *q, uint32_t object, const char *name)
{
  const char *prefix = request_origin(q, "%s.", name);
  char *room = arena_alloc(q->arena, q->doc.text.n + 1);
  if (!prefix || !room) return VDT_ENOMEM;
  for (uint32_t m = json_first(&q->doc, object); m; m = json_next(&q->doc, object, m)) {
    int rc = top(q, m, room, prefix);
    if (rc) return rc;
  }
  request_seen(q, object);
  return VDT_OK;
}
