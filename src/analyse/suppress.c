#include "analyse/suppress.h"
#include "base/error.h"
#include "base/json.h"

/* ---- fields ----------------------------------------------------------------------------------------------------- */

static const char *const fields[] = {
#define X(type, property, value) "entities." type "." property,
#include "analyse/entities.def"
#undef X
#define X(member, name, title, combine) "extendedProperties." name,
#include "analyse/extended.def"
#undef X
};
enum { FIELDS = sizeof fields / sizeof *fields };

static struct str field_value(const struct alert *a, unsigned field)
{
  const struct str values[FIELDS] = {
#define X(type, property, value) value,
#include "analyse/entities.def"
#undef X
#define X(member, name, title, combine) a->x.member,
#include "analyse/extended.def"
#undef X
  };
  return values[field];
}

static unsigned field_find(struct str name)
{
  unsigned i = 0;
  while (i < FIELDS && !str_ieq(name, str_of(fields[i]))) i++;
  return i;
}

/* ---- reading a scope -------------------------------------------------------------------------------------------- */

struct reader {
  struct vdt_arena *arena;
  const struct json_doc *doc;
  struct vdt_error *err;
  unsigned number; /* of the element, from 1 */
  unsigned values; /* of all elements so far */
};

static int bad(const struct reader *r, const char *what)
{
  return error_set(r->err, VDT_EINVAL, "suppressionAlertsScope.allOf: element %u: %s", r->number, what);
}

static int read_text(const struct reader *r, uint32_t node, struct str *out)
{
  if (!json_is(r->doc, node, JSON_STRING)) return bad(r, "its values are strings");
  if (!json_string(r->doc, node, r->arena, out)) return error_set(r->err, VDT_ENOMEM, "out of memory");
  if (!out->n || out->n > SUPPRESS_TEXT_MAX) return bad(r, "a value has 1 to 1024 bytes");
  return VDT_OK;
}

static int read_list(const struct reader *r, uint32_t node, struct suppress_test *t)
{
  if (!json_is(r->doc, node, JSON_ARRAY)) return bad(r, "\"in\" takes a list of strings");
  uint32_t n = r->doc->nodes[node].count;
  if (n == 0 || n > SUPPRESS_VALUES_MAX) return bad(r, "\"in\" takes 1 to 1000 values");
  if (r->values + n > SUPPRESS_VALUES_MAX) return bad(r, "a rule takes 1000 values at most, all elements together");
  t->values = arena_zalloc(r->arena, n, sizeof *t->values);
  if (!t->values) return error_set(r->err, VDT_ENOMEM, "out of memory");
  for (uint32_t i = json_first(r->doc, node); i; i = json_next(r->doc, node, i)) {
    int rc = read_text(r, i, &t->values[t->n++]);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int read_one(const struct reader *r, uint32_t node, struct suppress_test *t)
{
  t->values = arena_zalloc(r->arena, 1, sizeof *t->values);
  if (!t->values) return error_set(r->err, VDT_ENOMEM, "out of memory");
  t->n = 1;
  return read_text(r, node, t->values);
}

static int read_field(const struct reader *r, uint32_t node, struct suppress_test *t)
{
  struct str name;
  int rc = read_text(r, node, &name);
  if (rc) return rc;
  t->field = field_find(name);
  return t->field < FIELDS ? VDT_OK
                           : bad(r, "there is no such field; there are entities.ip.address, entities.account.name, "
                                    "entities.ai-deployment.name, extendedProperties.userAgent and others (docs/api.md)");
}

static int read_element(const struct reader *r, uint32_t element, struct suppress_test *t)
{
  if (!json_is(r->doc, element, JSON_OBJECT)) return bad(r, "expected an object");
  uint32_t field = json_get(r->doc, element, "field"), in = json_get(r->doc, element, "in"),
           equals = json_get(r->doc, element, "equals"), contains = json_get(r->doc, element, "contains");
  if (r->doc->nodes[element].count != 2 || !field || !(in || equals || contains))
    return bad(r, "expected \"field\" and one of \"in\", \"equals\" and \"contains\"");
  int rc = read_field(r, field, t);
  if (rc) return rc;
  t->contains = contains > 0;
  return in ? read_list(r, in, t) : read_one(r, equals ? equals : contains, t);
}

int suppress_compile(struct vdt_arena *arena, struct suppress_rule *rule, struct vdt_error *err)
{
  struct json_doc doc;
  struct reader r = {arena, &doc, err, 0, 0};
  rule->tests = NULL;
  rule->n_tests = 0;
  if (!rule->scope.n) return VDT_OK;
  if (json_parse(arena, rule->scope, &(struct json_limits){8, 65536}, &doc, err)) return VDT_EINVAL;
  if (doc.nodes[0].type != JSON_ARRAY || doc.nodes[0].count == 0 || doc.nodes[0].count > SUPPRESS_TESTS_MAX)
    return error_set(err, VDT_EINVAL, "suppressionAlertsScope.allOf: expected a list of 1 to %d elements", SUPPRESS_TESTS_MAX);
  rule->tests = arena_zalloc(arena, doc.nodes[0].count, sizeof *rule->tests);
  if (!rule->tests) return error_set(err, VDT_ENOMEM, "out of memory");
  for (uint32_t i = json_first(&doc, 0); i; i = json_next(&doc, 0, i)) {
    r.number++;
    int rc = read_element(&r, i, &rule->tests[rule->n_tests]);
    if (rc) return rc;
    r.values += (unsigned)rule->tests[rule->n_tests++].n;
  }
  return VDT_OK;
}

/* ---- matching --------------------------------------------------------------------------------------------------- */

static bool contains(struct str hay, struct str needle)
{
  for (size_t i = 0; i + needle.n <= hay.n; i++)
    if (str_ieq(str_cut(hay, i, i + needle.n), needle)) return true;
  return false;
}

/* The whole text or one of the values that it gathers. */
static bool has_value(struct str text, struct str value)
{
  if (str_ieq(text, value)) return true;
  for (size_t i = 0; i < text.n;) {
    size_t at = str_find(str_cut(text, i, text.n), STR(", "));
    size_t end = at == (size_t)-1 ? text.n : i + at;
    if (str_ieq(str_cut(text, i, end), value)) return true;
    i = end + 2;
  }
  return false;
}

static bool holds(const struct suppress_test *t, const struct alert *event)
{
  struct str text = field_value(event, t->field);
  for (size_t i = 0; i < t->n; i++)
    if (t->contains ? contains(text, t->values[i]) : text.n && has_value(text, t->values[i])) return true;
  return false;
}

const char *suppress_state(const struct suppress_rule *rule, uint64_t now_us)
{
  if (rule->expires_us && rule->expires_us <= now_us) return "Expired";
  return rule->enabled ? "Enabled" : "Disabled";
}

bool suppress_matches(const struct suppress_rule *rule, const struct alert *event, uint64_t now_us)
{
  if (!rule->enabled || (rule->expires_us && rule->expires_us <= now_us)) return false;
  if (!str_ieq(rule->subscription, event->subscription)) return false;
  bool any = str_eq(rule->alert_type, STR("*"));
  if (!any && !str_ieq(rule->alert_type, str_of(alert_info(event->type)->type))) return false;
  for (size_t i = 0; i < rule->n_tests; i++)
    if (!holds(&rule->tests[i], event)) return false;
  return true;
}

static bool is_alnum(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool suppress_name_ok(struct str name)
{
  for (size_t i = 0; i < name.n; i++)
    if (!is_alnum(name.p[i]) && !(i && (name.p[i] == '-' || name.p[i] == '_'))) return false;
  return name.n >= 2 && name.n <= 50;
}
