#include "wire/purview.h"
#include "base/error.h"

static const struct {
  unsigned status;
  const char *code;
} errors[] = {
#define X(name, status, code) {status, code},
#include "wire/purview_errors.def"
#undef X
};

static const struct {
  const char *name;
  enum vdt_role role;
  bool answer;
} activities[] = {
#define X(id, name, role, answer) {name, role, answer},
#include "wire/purview_activities.def"
#undef X
};

unsigned purview_error_status(enum purview_error e)
{
  return errors[e].status;
}

const char *purview_error_code(enum purview_error e)
{
  return errors[e].code;
}

enum purview_error purview_error_of(int code)
{
  switch (code) {
  case VDT_ETOOBIG: return PURVIEW_TOO_LARGE;
  case VDT_ETYPE:
  case VDT_ECODING: return PURVIEW_BAD_TYPE;
  case VDT_ENOTFOUND: return PURVIEW_NOT_FOUND;
  case VDT_ENOMEM: return PURVIEW_BUSY;
  default: return code == VDT_EINVAL || vdt_http_status(code) < 500 ? PURVIEW_BAD_BODY : PURVIEW_FAILED;
  }
}

void purview_error_body(enum purview_error e, struct str message, struct buf *out)
{
  buf_printf(out, "{\"error\":{\"code\":\"%s\",\"message\":", errors[e].code);
  json_quote(out, message);
  BUF_LIT(out, "}}");
}

enum vdt_role purview_role(enum purview_activity a)
{
  return activities[a].role;
}

bool purview_is_answer(enum purview_activity a)
{
  return activities[a].answer;
}

/* ---- which operation -------------------------------------------------------------------------------------------- */

/* The next segment of a path that begins with a slash; empty at its end. */
static struct str segment(struct str *path)
{
  if (!path->n || path->p[0] != '/') return (struct str){0};
  struct str rest = str_cut(*path, 1, path->n);
  const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
  size_t n = slash ? (size_t)(slash - rest.p) : rest.n;
  *path = str_cut(rest, n, rest.n);
  return str_cut(rest, 0, n);
}

/* Takes /v1.0/users/{id}/dataSecurityAndGovernance off the path. */
static bool take_prefix(struct str *path, struct str *user)
{
  struct str version = segment(path), whose = segment(path);
  *user = (struct str){0};
  if (!str_ieq(version, STR("v1.0")) && !str_ieq(version, STR("beta"))) return false;
  if (str_ieq(whose, STR("users"))) *user = segment(path);
  else if (!str_ieq(whose, STR("me"))) return false;
  return str_ieq(segment(path), STR("dataSecurityAndGovernance")) && (user->n || str_ieq(whose, STR("me")));
}

bool purview_is_path(struct str path)
{
  struct str user;
  return take_prefix(&path, &user);
}

/* Is it so in the query, as we write it? */
static bool has_pair(struct str query, struct str pair)
{
  while (query.n) {
    const char *amp = memchr(query.p, '&', query.n);
    size_t n = amp ? (size_t)(amp - query.p) : query.n;
    if (str_eq(str_cut(query, 0, n), pair)) return true;
    query = str_cut(query, amp ? n + 1 : n, query.n);
  }
  return false;
}

enum purview_error purview_route(struct str method, struct str path, struct str query, struct purview_call *out)
{
  static const struct str names[] = {STR("/protectionScopes/compute"), STR("/processContent"),
                                     STR("/activities/contentActivities")};
  struct str rest = path;
  *out = (struct purview_call){.details = has_pair(query, STR("vedette-details=true"))};
  if (!take_prefix(&rest, &out->user)) return PURVIEW_NOT_FOUND;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!str_ieq(rest, names[i])) continue;
    out->operation = (enum purview_operation)i;
    return str_eq(method, STR("POST")) ? PURVIEW_ERRORS : PURVIEW_BAD_METHOD;
  }
  return PURVIEW_NOT_FOUND;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

struct reader {
  struct json_doc *doc;
  struct vdt_arena *arena;
  struct vdt_error *err;
};

static int begin(struct reader *r, struct str body, const struct json_limits *limits)
{
  int rc = json_parse(r->arena, body, limits, r->doc, r->err);
  if (rc) return rc;
  return r->doc->nodes[0].type == JSON_OBJECT ? VDT_OK : error_set(r->err, VDT_EINVAL, "the body: expected an object");
}

static bool is_absent(const struct reader *r, uint32_t node)
{
  return !node || r->doc->nodes[node].type == JSON_NULL;
}

/* A member that is a string, or absent: then empty. */
static int text(struct reader *r, uint32_t of, const char *name, struct str *out)
{
  uint32_t node = json_get(r->doc, of, name);
  *out = (struct str){0};
  if (is_absent(r, node)) return VDT_OK;
  if (!json_is(r->doc, node, JSON_STRING)) return error_set(r->err, VDT_EINVAL, "%s: expected a string", name);
  return json_string(r->doc, node, r->arena, out) ? VDT_OK : error_set(r->err, VDT_ENOMEM, "out of memory");
}

/* A member that is an object or a list, or absent: then 0. */
static int inner(struct reader *r, uint32_t of, const char *name, enum json_type type, uint32_t *out)
{
  uint32_t node = json_get(r->doc, of, name);
  *out = is_absent(r, node) ? 0 : node;
  if (!*out || json_is(r->doc, node, type)) return VDT_OK;
  return error_set(r->err, VDT_EINVAL, "%s: expected %s", name, type == JSON_OBJECT ? "an object" : "a list");
}

/* What an @odata.type names, without its namespace. */
static bool is_type(struct str type, struct str name)
{
  static const struct str space = {"microsoft.graph.", 16};
  if (type.n && type.p[0] == '#') type = str_cut(type, 1, type.n);
  return str_starts(type, space) && str_ieq(str_cut(type, space.n, type.n), name);
}

static int read_payload(struct reader *r, uint32_t entry, struct purview_entry *e)
{
  struct str type;
  uint32_t content;
  int rc = inner(r, entry, "content", JSON_OBJECT, &content);
  if (!rc && !content) rc = error_set(r->err, VDT_EINVAL, "contentEntries: an entry has no content");
  if (!rc) rc = text(r, content, "@odata.type", &type);
  if (rc) return rc;
  e->binary = is_type(type, STR("binaryContent"));
  if (!e->binary && !is_type(type, STR("textContent")))
    return error_set(r->err, VDT_EINVAL,
                     "content: expected @odata.type microsoft.graph.textContent or microsoft.graph.binaryContent");
  if (is_absent(r, json_get(r->doc, content, "data")))
    return error_set(r->err, VDT_EINVAL, "content: the member data is missing");
  return text(r, content, "data", &e->text);
}

static int read_labels(struct reader *r, uint32_t entry, struct purview_content *c)
{
  uint32_t list;
  int rc = inner(r, entry, "accessedResources", JSON_ARRAY, &list);
  for (uint32_t i = rc || !list ? 0 : json_first(r->doc, list); !rc && i && c->n_labels < PURVIEW_LABELS;
       i = json_next(r->doc, list, i)) {
    struct str *label = &c->labels[c->n_labels];
    if (!json_is(r->doc, i, JSON_OBJECT)) return error_set(r->err, VDT_EINVAL, "accessedResources: expected objects");
    rc = text(r, i, "labelId", label);
    if (!rc && !label->n) rc = text(r, i, "sensitivityLabelId", label);
    c->n_labels += label->n > 0;
  }
  return rc;
}

static int read_entry(struct reader *r, uint32_t entry, struct purview_content *c)
{
  struct purview_entry *e = &c->entries[c->n_entries++];
  if (!json_is(r->doc, entry, JSON_OBJECT)) return error_set(r->err, VDT_EINVAL, "contentEntries: expected objects");
  e->truncated = json_is(r->doc, json_get(r->doc, entry, "isTruncated"), JSON_TRUE);
  int rc = read_payload(r, entry, e);
  return rc ? rc : read_labels(r, entry, c);
}

static int read_entries(struct reader *r, uint32_t of, size_t max, struct purview_content *c)
{
  uint32_t list;
  int rc = inner(r, of, "contentEntries", JSON_ARRAY, &list);
  if (rc) return rc;
  uint32_t n = list ? r->doc->nodes[list].count : 0;
  if (!n) return error_set(r->err, VDT_EINVAL, "contentEntries: expected at least one entry");
  if (n > max) return error_set(r->err, VDT_ETOOBIG, "contentEntries: more than limits.max_parts");
  c->entries = arena_zalloc(r->arena, n, sizeof *c->entries);
  if (!c->entries) return error_set(r->err, VDT_ENOMEM, "out of memory");
  for (uint32_t i = json_first(r->doc, list); !rc && i; i = json_next(r->doc, list, i)) rc = read_entry(r, i, c);
  return rc;
}

static int read_activity(struct reader *r, uint32_t of, enum purview_activity *out)
{
  struct str name = {0};
  uint32_t node;
  int rc = inner(r, of, "activityMetadata", JSON_OBJECT, &node);
  if (!rc && node) rc = text(r, node, "activity", &name);
  for (unsigned i = 0; !rc && i < PURVIEW_ACTIVITIES; i++) {
    if (!str_ieq(name, str_of(activities[i].name))) continue;
    *out = (enum purview_activity)i;
    return VDT_OK;
  }
  return rc ? rc
            : error_set(r->err, VDT_EINVAL,
                        "activityMetadata.activity: expected uploadText, uploadFile, downloadText or downloadFile");
}

/* Names of applications, and where they run. location may be NULL. */
static int read_application(struct reader *r, uint32_t of, struct str *application, struct str *location)
{
  uint32_t protects, integrates, at = 0;
  int rc = inner(r, of, "protectedAppMetadata", JSON_OBJECT, &protects);
  if (!rc) rc = inner(r, of, "integratedAppMetadata", JSON_OBJECT, &integrates);
  if (!rc && protects) rc = text(r, protects, "name", application);
  if (!rc && !application->n && integrates) rc = text(r, integrates, "name", application);
  if (!rc && protects && location) rc = inner(r, protects, "applicationLocation", JSON_OBJECT, &at);
  return rc || !at ? rc : text(r, at, "value", location);
}

int purview_read_content(struct vdt_arena *arena, struct str body, const struct json_limits *limits, size_t max_entries,
                         struct purview_content *out, struct vdt_error *err)
{
  struct json_doc doc;
  struct reader r = {&doc, arena, err};
  uint32_t content, device;
  *out = (struct purview_content){0};
  int rc = begin(&r, body, limits);
  if (!rc) rc = inner(&r, 0, "contentToProcess", JSON_OBJECT, &content);
  if (!rc && !content) rc = error_set(err, VDT_EINVAL, "the body: the member contentToProcess is missing");
  if (!rc) rc = read_entries(&r, content, max_entries, out);
  if (!rc) rc = read_activity(&r, content, &out->activity);
  if (!rc) rc = read_application(&r, content, &out->application, &out->location);
  if (!rc) rc = inner(&r, content, "deviceMetadata", JSON_OBJECT, &device);
  return rc || !device ? rc : text(&r, device, "ipAddress", &out->address);
}

/* "uploadText,downloadText" */
static void read_wanted(struct str list, bool wanted[PURVIEW_ACTIVITIES])
{
  while (list.n) {
    const char *comma = memchr(list.p, ',', list.n);
    size_t n = comma ? (size_t)(comma - list.p) : list.n;
    struct str one = str_cut(list, 0, n);
    while (one.n && one.p[0] == ' ') one = str_cut(one, 1, one.n);
    for (unsigned i = 0; i < PURVIEW_ACTIVITIES; i++) wanted[i] |= str_ieq(one, str_of(activities[i].name));
    list = str_cut(list, comma ? n + 1 : n, list.n);
  }
}

static int read_locations(struct reader *r, struct purview_scopes *out)
{
  uint32_t list;
  int rc = inner(r, 0, "locations", JSON_ARRAY, &list);
  if (rc || !list) return rc;
  if (r->doc->nodes[list].count > PURVIEW_LOCATIONS)
    return error_set(r->err, VDT_EINVAL, "locations: more than %d", PURVIEW_LOCATIONS);
  for (uint32_t i = json_first(r->doc, list); !rc && i; i = json_next(r->doc, list, i)) {
    struct purview_location *l = &out->locations[out->n_locations++];
    if (!json_is(r->doc, i, JSON_OBJECT)) return error_set(r->err, VDT_EINVAL, "locations: expected objects");
    rc = text(r, i, "@odata.type", &l->type);
    if (!rc) rc = text(r, i, "value", &l->value);
  }
  return rc;
}

int purview_read_scopes(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct purview_scopes *out,
                        struct vdt_error *err)
{
  struct json_doc doc;
  struct reader r = {&doc, arena, err};
  struct str list = {0};
  *out = (struct purview_scopes){0};
  int rc = begin(&r, body.n ? body : STR("{}"), limits);
  if (!rc) rc = text(&r, 0, "activities", &list);
  if (!rc) rc = read_locations(&r, out);
  if (!rc) rc = read_application(&r, 0, &out->application, NULL);
  read_wanted(list, out->wanted);
  for (unsigned i = 0; !list.n && i < PURVIEW_ACTIVITIES; i++) out->wanted[i] = true;
  return rc;
}

int purview_read_done(struct vdt_arena *arena, struct str body, const struct json_limits *limits, struct purview_done *out,
                      struct vdt_error *err)
{
  *out = (struct purview_done){0};
  struct reader r = {&out->doc, arena, err};
  uint32_t entries = 0;
  int rc = begin(&r, body, limits);
  if (!rc) rc = text(&r, 0, "id", &out->id);
  if (!rc) rc = text(&r, 0, "userId", &out->user);
  if (!rc) rc = text(&r, 0, "scopeIdentifier", &out->scope);
  if (!rc) rc = inner(&r, 0, "contentMetadata", JSON_OBJECT, &out->metadata);
  if (!rc && !out->metadata) rc = error_set(err, VDT_EINVAL, "the body: the member contentMetadata is missing");
  if (!rc) rc = inner(&r, out->metadata, "contentEntries", JSON_ARRAY, &entries);
  if (!rc) rc = read_application(&r, out->metadata, &out->application, NULL);
  if (entries) out->n_entries = out->doc.nodes[entries].count;
  return rc;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static bool write_mode(const struct purview_location *l, const enum purview_mode *modes, enum purview_mode mode, bool first,
                       struct buf *out)
{
  bool any = false;
  for (unsigned i = 0; i < PURVIEW_ACTIVITIES; i++) {
    if (modes[i] != mode) continue;
    if (!any && !first) buf_byte(out, ',');
    buf_put(out, any ? STR(",") : STR("{\"activities\":\""));
    buf_put(out, str_of(activities[i].name));
    any = true;
  }
  if (!any) return false;
  buf_printf(out, "\",\"executionMode\":\"%s\",\"locations\":[", mode == PURVIEW_INLINE ? "evaluateInline" : "evaluateOffline");
  if (l->value.n) {
    BUF_LIT(out, "{\"@odata.type\":");
    json_quote(out, l->type.n ? l->type : STR("#microsoft.graph.policyLocationApplication"));
    BUF_LIT(out, ",\"value\":");
    json_quote(out, l->value);
    buf_byte(out, '}');
  }
  BUF_LIT(out, "],\"policyActions\":[]}");
  return true;
}

bool purview_write_scope(const struct purview_location *l, const enum purview_mode modes[PURVIEW_ACTIVITIES], bool first,
                         struct buf *out)
{
  bool one = write_mode(l, modes, PURVIEW_INLINE, first, out);
  return write_mode(l, modes, PURVIEW_OFFLINE, first && !one, out) || one;
}

void purview_write_actions(bool modified, bool restricted, struct buf *out)
{
  buf_printf(out, "{\"protectionScopeState\":\"%s\",\"policyActions\":[", modified ? "modified" : "notModified");
  if (restricted)
    BUF_LIT(out, "{\"@odata.type\":\"#microsoft.graph.restrictAccessAction\",\"action\":\"restrictAccess\",\"restrictionAction\":"
                 "\"block\"}");
  BUF_LIT(out, "],\"processingErrors\":[");
}

void purview_write_unread(size_t i, const char *why, bool first, struct buf *out)
{
  buf_printf(out, "%s{\"code\":\"NotInspected\",\"target\":\"contentEntries[%zu]\",\"message\":", first ? "" : ",", i);
  json_quote(out, str_of(why));
  buf_byte(out, '}');
}

void purview_write_finding(size_t i, const struct vdt_finding *f, bool first, struct buf *out)
{
  buf_printf(out, "%s{\"entry\":%zu,\"detector\":\"%s\",\"kind\":", first ? "" : ",", i, vdt_detector_name(f->detector));
  json_quote(out, str_of(f->rule));
  if (f->type) BUF_LIT(out, ",\"type\":"), json_quote(out, str_of(f->type));
  if (f->type_id) BUF_LIT(out, ",\"typeId\":"), json_quote(out, str_of(f->type_id));
  if (f->policy) BUF_LIT(out, ",\"policy\":"), json_quote(out, str_of(f->policy));
  buf_printf(out, ",\"action\":\"%s\",\"confidence\":%.4g,\"start\":%llu,\"end\":%llu}", vdt_action_name(f->action),
             f->confidence / 100.0, (unsigned long long)f->start, (unsigned long long)f->end);
}

/* The value as it was written, without members called content: what they hold is nobody's here. */
static void put_without_content(const struct json_doc *doc, uint32_t node, struct buf *out)
{
  const struct json_node *n = &doc->nodes[node];
  bool object = n->type == JSON_OBJECT, any = false;
  uint32_t content = object ? json_get(doc, node, "content") : 0;
  if (!object && n->type != JSON_ARRAY) {
    buf_put(out, json_raw(doc, node));
    return;
  }
  buf_byte(out, object ? '{' : '[');
  for (uint32_t i = json_first(doc, node); i; i = json_next(doc, node, i)) {
    struct str key = {doc->text.p + doc->nodes[i].key_start, doc->nodes[i].key_end - doc->nodes[i].key_start};
    if (content && i == content) continue;
    if (any) buf_byte(out, ',');
    any = true;
    if (object) buf_put(out, key), buf_byte(out, ':');
    put_without_content(doc, i, out);
  }
  buf_byte(out, object ? '}' : ']');
}

void purview_write_done(const struct purview_done *d, struct str id, struct str user, struct buf *out)
{
  BUF_LIT(out, "{\"id\":");
  json_quote(out, d->id.n ? d->id : id);
  BUF_LIT(out, ",\"userId\":");
  json_quote(out, user.n ? user : d->user);
  BUF_LIT(out, ",\"scopeIdentifier\":");
  json_quote(out, d->scope);
  BUF_LIT(out, ",\"contentMetadata\":");
  put_without_content(&d->doc, d->metadata, out);
  buf_byte(out, '}');
}

bool purview_matches(struct str if_none_match, struct str etag)
{
  for (size_t at = 0; at < if_none_match.n;) {
    const char *comma = memchr(if_none_match.p + at, ',', if_none_match.n - at);
    size_t end = comma ? (size_t)(comma - if_none_match.p) : if_none_match.n;
    struct str one = str_cut(if_none_match, at, end);
    while (one.n && one.p[0] == ' ') one = str_cut(one, 1, one.n);
    while (one.n && one.p[one.n - 1] == ' ') one.n--;
    if (str_starts(one, STR("W/"))) one = str_cut(one, 2, one.n);
    if (str_eq(one, STR("*")) || str_eq(one, etag)) return true;
    at = end + 1;
  }
  return false;
}
