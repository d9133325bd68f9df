/*
 * Request bodies: what all formats have in common. Here a request is read only. What changes on its way upstream is said by spans of its raw bytes:
 * user_security_context, whose place is reported, and what redact.c masks.
 */
#include "wire/format.h"
#include "base/error.h"

enum { FIELD = 128, APPLICATION = 48 }; /* bytes of a field of the end user's context that is a name */

int request_expected(struct request *q, const char *where, const char *what)
{
  return error_set(q->err, VDT_ESYNTAX, "%s: expected %s", where ? where : "body", what);
}

/* ---- parts ---- */

static int add_part(struct request *q, const struct wire_part *part)
{
  struct wire_request *out = q->out;
  if (!part->origin.p) return VDT_ENOMEM;
  struct wire_part *parts = arena_grow(q->arena, out->parts, out->n_parts, &q->cap, 8, sizeof *parts);
  if (!parts) return VDT_ENOMEM;
  out->parts = parts;
  out->parts[out->n_parts++] = *part;
  return VDT_OK;
}

static int add_text(struct request *q, enum vdt_role role, struct str text, const char *origin)
{
  if (text.n == 0) return VDT_OK;
  struct wire_part part = {.role = role, .text = text, .origin = str_of(origin)};
  if (q->node) {
    part.raw = (struct wire_span){q->doc.nodes[q->node].start, q->doc.nodes[q->node].end};
    part.at = (size_t)(text.p - q->whole.p);
  }
  return add_part(q, &part);
}

int request_made(struct request *q, enum vdt_role role, struct str text, const char *origin)
{
  return origin ? add_text(q, role, text, origin) : VDT_ENOMEM;
}

void request_seen(struct request *q, uint32_t node)
{
  if (node) memset(q->seen + node, 1, q->doc.nodes[node].next - node);
}

int request_skip(struct request *q, enum vdt_role role, const char *origin, const char *why)
{
  return add_part(q, &(struct wire_part){.role = role, .origin = str_of(origin), .skipped = why});
}

/* ---- documents inside user text ---- */

static size_t back_over_blanks(struct str s, size_t at)
{
  while (at > 0 && (s.p[at - 1] == ' ' || s.p[at - 1] == '\n' || s.p[at - 1] == '\r' || s.p[at - 1] == '\t')) at--;
  return at;
}

/* The next `""" <documents>` from `from` on: where it begins, and in *end where it ends. */
static size_t find_open(struct str s, size_t from, size_t *end)
{
  static const struct str tag = {"<documents>", 11}, quotes = {"\"\"\"", 3};
  for (;;) {
    size_t hit = str_find(str_cut(s, from, s.n), tag);
    if (hit == (size_t)-1) return s.n;
    hit += from;
    size_t before = back_over_blanks(s, hit);
    *end = from = hit + tag.n;
    if (before >= 3 && memcmp(s.p + before - 3, quotes.p, 3) == 0) return before - 3;
  }
}

/* The next `</documents>`; *end lies after the three quotes when they follow. */
static size_t find_close(struct str s, size_t from, size_t *end)
{
  static const struct str tag = {"</documents>", 12}, quotes = {"\"\"\"", 3};
  size_t hit = str_find(str_cut(s, from, s.n), tag);
  if (hit == (size_t)-1) return s.n;
  hit += from;
  size_t at = hit + tag.n;
  while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\n' || s.p[at] == '\r' || s.p[at] == '\t')) at++;
  *end = str_starts(str_cut(s, at, s.n), quotes) ? at + 3 : hit + tag.n;
  return hit;
}

/* User text may carry documents between marks; a mark without its partner is just text. Pieces after the first are told
 * apart by a number. */
static int add_user_text(struct request *q, struct str text, const char *origin)
{
  size_t at = 0, inside = 0, after = 0;
  unsigned piece = 0;
  for (;;) {
    size_t open = find_open(text, at, &inside);
    size_t close = open < text.n ? find_close(text, inside, &after) : text.n;
    const char *name = piece ? request_origin(q, "%s#%u", origin, piece + 1) : origin;
    if (close == text.n) return add_text(q, VDT_PROMPT, str_cut(text, at, text.n), name);
    int rc = add_text(q, VDT_PROMPT, str_cut(text, at, open), name);
    name = piece ? request_origin(q, "%s#documents%u", origin, piece + 1) : request_origin(q, "%s#documents", origin);
    if (!rc) rc = add_text(q, VDT_DOCUMENT, str_cut(text, inside, close), name);
    if (rc) return rc;
    at = after;
    piece++;
  }
}

int request_text(struct request *q, enum vdt_role role, uint32_t node, const char *origin)
{
  struct str text;
  if (json_is(&q->doc, node, JSON_STRING)) q->seen[node] = 1;
  if (!origin || !json_string(&q->doc, node, q->arena, &text)) return VDT_ENOMEM;
  q->node = node;
  q->whole = text;
  int rc = role == VDT_PROMPT && text.n ? add_user_text(q, text, origin) : add_text(q, role, text, origin);
  q->node = 0;
  return rc;
}

/* Whether the string is wanted: any, or the member of this name. */
static int wanted(struct request *q, uint32_t node, const char *key, bool *yes)
{
  struct str name = STR("");
  *yes = q->doc.nodes[node].type == JSON_STRING;
  if (!*yes || !key) return VDT_OK;
  if (!json_key(&q->doc, node, q->arena, &name)) return VDT_ENOMEM;
  *yes = str_eq(name, str_of(key));
  return VDT_OK;
}

int request_strings(struct request *q, enum vdt_role role, uint32_t node, const char *key, const char *origin)
{
  bool yes;
  for (uint32_t i = node; node && i < q->doc.nodes[node].next; i++) {
    int rc = wanted(q, i, key, &yes);
    if (!rc && yes) rc = request_text(q, role, i, origin);
    if (rc) return rc;
  }
  return VDT_OK;
}

static const char *misspelt(struct str name, const char *const *names, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (str_ieq(name, str_of(names[i])) && !str_eq(name, str_of(names[i]))) return names[i];
  return NULL;
}

int request_spelling(struct request *q, uint32_t object, const char *const *names, size_t n)
{
  for (uint32_t i = json_first(&q->doc, object); i; i = json_next(&q->doc, object, i)) {
    struct str name;
    if (!json_key(&q->doc, i, q->arena, &name)) return VDT_ENOMEM;
    const char *meant = misspelt(name, names, n);
    if (meant) return error_set(q->err, VDT_ESYNTAX, "%s: member name in other letters", meant);
  }
  return VDT_OK;
}

/* ---- the end user ---- */

/* One field under any of its spellings; the first that is there counts. */
static bool context_field(const struct json_doc *doc, uint32_t node, struct vdt_arena *arena, const char *const names[4],
                          struct str *out)
{
  for (int i = 0; i < 4 && !out->n; i++) {
    uint32_t member = names[i] ? json_get(doc, node, names[i]) : 0;
    if (member && !json_string(doc, member, arena, out)) return false;
  }
  return true;
}

static bool read_context(const struct json_doc *doc, uint32_t node, struct vdt_arena *arena, struct wire_user_context *out)
{
  static const char *const application[] = {"application_name", "applicationName", "ApplicationName", NULL};
  static const char *const user[] = {"end_user_id", "endUserId", "EndUserId", NULL};
  static const char *const tenant[] = {"end_user_tenant_id", "endUserTenantId", "EndUserTenantId", NULL};
  static const char *const address[] = {"source_ip", "sourceIp", "SourceIp", "SourceIP"};
  return context_field(doc, node, arena, application, &out->application_name) &&
         context_field(doc, node, arena, user, &out->end_user_id) &&
         context_field(doc, node, arena, tenant, &out->end_user_tenant_id) &&
         context_field(doc, node, arena, address, &out->source_ip);
}

/* As many strings as the context has fields, and each a name, the application's perhaps of some words: there is no room for a text of
 * its own, in a string that the upstream gets. */
static bool is_context_only(const struct json_doc *doc, const struct wire_user_context *c)
{
  const struct str fields[] = {c->application_name, c->end_user_id, c->end_user_tenant_id, c->source_ip};
  uint32_t n = 0;
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    bool blank = false;
    for (size_t k = 0; k < fields[i].n; k++) blank |= (unsigned char)fields[i].p[k] <= ' ';
    if (fields[i].n > (blank ? APPLICATION : FIELD) || (blank && i > 0)) return false;
    n += fields[i].n > 0;
  }
  return n > 0 && doc->n == n + 1;
}

/* Older samples send the context as a JSON text inside a string. One that is no such text, or is more, is read like any other (wire/rest.c). */
static int read_context_text(struct request *q, uint32_t node)
{
  struct json_doc doc;
  struct str text;
  if (!json_string(&q->doc, node, q->arena, &text)) return VDT_ENOMEM;
  if (text.n == 0 || text.p[0] != '{') return VDT_OK;
  if (json_parse(q->arena, text, &(struct json_limits){4, 64}, &doc, NULL)) return VDT_OK;
  if (!read_context(&doc, 0, q->arena, &q->out->user)) return VDT_ENOMEM;
  if (is_context_only(&doc, &q->out->user)) request_seen(q, node);
  return VDT_OK;
}

/* The bytes that a member takes with the comma that goes with it. */
static struct wire_span member_span(const struct json_doc *doc, uint32_t node)
{
  struct wire_span span = {doc->nodes[node].key_start, doc->nodes[node].end};
  uint32_t next = json_next(doc, 0, node);
  if (next) {
    span.end = doc->nodes[next].key_start;
    return span;
  }
  for (uint32_t i = json_first(doc, 0); i && i != node; i = json_next(doc, 0, i)) span.start = doc->nodes[i].end;
  return span;
}

static int read_user(struct request *q)
{
  static const char *const names[] = {"user_security_context", "userSecurityContext", "UserSecurityContext"};
  uint32_t node = 0;
  for (size_t i = 0; i < 3 && !node; i++) node = json_get(&q->doc, 0, names[i]);
  if (!node) return read_context_text(q, json_get(&q->doc, 0, "user"));
  q->out->security_context = member_span(&q->doc, node);
  request_seen(q, node);
  if (json_is(&q->doc, node, JSON_STRING)) return read_context_text(q, node);
  return read_context(&q->doc, node, q->arena, &q->out->user) ? VDT_OK : VDT_ENOMEM;
}

/* ---- members that all formats have ---- */

static int read_settings(struct request *q)
{
  const struct json_doc *doc = &q->doc;
  uint32_t model = json_get(doc, 0, "model"), stream = json_get(doc, 0, "stream"), n = json_get(doc, 0, "n");
  static const char *const names[] = {"model", "stream", "n"};
  uint64_t choices = 1;
  int rc = request_spelling(q, 0, names, sizeof names / sizeof *names);
  if (rc) return rc;
  if (model && !json_is(doc, model, JSON_STRING) && !json_is(doc, model, JSON_NULL))
    return request_expected(q, "model", "a string");
  if (!json_string(doc, model, q->arena, &q->out->model)) return VDT_ENOMEM;
  q->out->stream = json_is(doc, stream, JSON_TRUE);
  if (stream && !q->out->stream && !json_is(doc, stream, JSON_FALSE) && !json_is(doc, stream, JSON_NULL))
    return request_expected(q, "stream", "true or false");
  if (n && !json_is(doc, n, JSON_NULL) && (!json_u64(doc, n, &choices) || choices < 1 || choices > WIRE_MAX_N))
    return request_expected(q, "n", "an integer from 1 to 128");
  q->out->n = (unsigned)choices;
  return VDT_OK;
}

/* Of a body that no format knows. */
static int read_model(struct request *q)
{
  return json_string(&q->doc, json_get(&q->doc, 0, "model"), q->arena, &q->out->model) ? VDT_OK : VDT_ENOMEM;
}

int wire_request_parse(const struct wire_format *format, struct vdt_arena *arena, struct str body,
                       const struct json_limits *limits, struct wire_request *out, struct vdt_error *err)
{
  struct request q = {.format = format, .arena = arena, .out = out, .err = err};
  *out = (struct wire_request){.n = 1};
  int rc = json_parse(arena, body, limits, &q.doc, err);
  if (rc) return rc;
  if (q.doc.nodes[0].type != JSON_OBJECT && !format->unknown) return request_expected(&q, "body", "an object");
  q.seen = arena_zalloc(arena, q.doc.n + 1, 1);
  rc = !q.seen ? VDT_ENOMEM : format->unknown ? read_model(&q) : read_settings(&q);
  if (!rc) rc = read_user(&q);
  if (!rc) rc = format->request(&q);
  if (!rc) rc = request_rest(&q);
  return rc == VDT_ENOMEM ? error_set(err, rc, "out of memory") : rc;
}

/* Whether two origins name neighbours in one list of content, as in messages[0].content[1].text: pieces of one message. */
static bool same_message(struct str a, struct str b)
{
  static const struct str lists[] = {{"content[", 8}, {"parts[", 6}};
  size_t n = a.n < b.n ? a.n : b.n, same = 0;
  while (same < n && a.p[same] == b.p[same]) same++;
  while (same > 0 && a.p[same - 1] >= '0' && a.p[same - 1] <= '9') same--;
  bool list = false;
  for (size_t i = 0; i < 2; i++) {
    struct str before = str_cut(a, 0, same), name = lists[i];
    list |= before.n >= name.n && str_eq(str_cut(before, before.n - name.n, before.n), name);
  }
  return list;
}

/* Letters, digits and characters of other alphabets: a word may go on behind them. */
static bool in_word(char c)
{
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80;
}

static bool is_joined(const struct wire_part *before, const struct wire_part *p)
{
  return before && before->text.n && p->text.n && in_word(before->text.p[before->text.n - 1]) && in_word(p->text.p[0]) &&
         same_message(before->origin, p->origin);
}

bool wire_user_turns(const struct wire_request *q, struct vdt_arena *arena, struct wire_turns *out)
{
  *out = (struct wire_turns){.texts = arena_zalloc(arena, q->n_parts + 1, sizeof *out->texts),
                             .parts = arena_zalloc(arena, q->n_parts + 1, sizeof *out->parts)};
  if (!out->texts || !out->parts) return false;
  for (size_t i = 0; i < q->n_parts; i++) {
    const struct wire_part *p = &q->parts[i];
    if (p->role != VDT_PROMPT || p->skipped) continue;
    out->texts[out->n] = (struct vdt_text){p->text.p, p->text.n, is_joined(out->n ? out->parts[out->n - 1] : NULL, p)};
    out->parts[out->n++] = p;
  }
  return true;
}
