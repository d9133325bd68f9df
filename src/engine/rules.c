/*
 * Reads rule files. libyaml gives a tree with line marks, so every error can name its line; what a rule may hold is the table in
 * rule_keys.def.
 */
#include "base/error.h"
#include "engine/check.h"
#include "engine/rule.h"
#include "engine/view.h"
#include <yaml.h>

enum { MAX_RULES = 10000, MAX_LIST = 4096 };

struct loader {
  struct vdt_arena *arena;
  const char *file;
  yaml_document_t doc;
  struct rules *rules;
  size_t cap; /* room in rules->rules */
  struct vdt_error *err;
};

enum key_kind {
  STRING,
  STR,
  EXPRESSION,
  STRS,
  UINT,
  DOUBLE,
  BOOL,
  DETECTOR,
  SEVERITY,
  CHECK,
  CHECKSUM,
  CHARS,
  LEFT,
  WORDS,
  NAMES,
  ROLES,
  EXAMPLES
};

static const struct key {
  const char *name;
  enum key_kind kind;
  size_t offset;
} keys[] = {
#define X(name, kind, member, help) {name, kind, offsetof(struct rule, member)},
#include "engine/rule_keys.def"
#undef X
};

static yaml_node_t *node(struct loader *l, int index)
{
  return yaml_document_get_node(&l->doc, index);
}

static unsigned line_of(const yaml_node_t *n)
{
  return (unsigned)n->start_mark.line + 1;
}

static struct str scalar(const yaml_node_t *n)
{
  if (!n || n->type != YAML_SCALAR_NODE) return (struct str){0};
  return (struct str){(const char *)n->data.scalar.value, n->data.scalar.length};
}

#define FAIL(l, n, ...) error_at((l)->err, VDT_ERULE, (l)->file, line_of(n), __VA_ARGS__)

static int need_scalar(struct loader *l, const yaml_node_t *n, const char *key, struct str *out)
{
  *out = scalar(n);
  if (!n || n->type != YAML_SCALAR_NODE) return FAIL(l, n, "%s: expected one value", key);
  return VDT_OK;
}

static int set_str(struct loader *l, const yaml_node_t *n, const char *key, struct str *out)
{
  struct str s;
  int rc = need_scalar(l, n, key, &s);
  if (rc) return rc;
  *out = arena_dup(l->arena, s);
  return out->p ? VDT_OK : error_set(l->err, VDT_ENOMEM, "out of memory");
}

static int set_strs(struct loader *l, const yaml_node_t *n, const char *key, struct str **out, unsigned *count)
{
  if (n->type != YAML_SEQUENCE_NODE) return FAIL(l, n, "%s: expected a list", key);
  size_t items = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
  if (items > MAX_LIST) return FAIL(l, n, "%s: more than %d items", key, MAX_LIST);
  *out = arena_zalloc(l->arena, items + 1, sizeof **out);
  if (!*out) return error_set(l->err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; i < items; i++) {
    int rc = set_str(l, node(l, n->data.sequence.items.start[i]), key, &(*out)[i]);
    if (rc) return rc;
  }
  *count = (unsigned)items;
  return VDT_OK;
}

/* The whole letter that the byte at i belongs to. */
static struct str letter_at(struct str s, size_t i)
{
  size_t to = i + 1;
  while (str_splits(s, to)) to++;
  return str_cut(s, str_character(s, i), to);
}

/* Vectorscan reads bytes, for a text may be cut within a letter: what would not say what it seems to is refused. */
static int check_letters(struct loader *l, const yaml_node_t *n, const char *key, struct str s)
{
  bool in_class = false;
  for (size_t i = 0; i < s.n; i++) {
    struct str c = letter_at(s, i);
    bool letter = (unsigned char)s.p[i] >= 0x80, repeated = letter && i + 1 < s.n && memchr("?*+{", s.p[i + 1], 4);
    if (letter && in_class)
      return FAIL(l, n, "%s: \"%.*s\" has several bytes, of which [...] is any one; write (?:%.*s|...)", key, (int)c.n, c.p,
                  (int)c.n, c.p);
    if (repeated)
      return FAIL(l, n, "%s: \"%c\" holds for the last byte of \"%.*s\" alone; write (?:%.*s)%c", key, s.p[i + 1], (int)c.n, c.p,
                  (int)c.n, c.p, s.p[i + 1]);
    if (s.p[i] == '\\') i++;
    else if (s.p[i] == '[' || s.p[i] == ']') in_class = s.p[i] == '[';
  }
  return VDT_OK;
}

/* A letter that never stands in the view, which is what rules read, finds nothing. */
static int check_folded(struct loader *l, const yaml_node_t *n, const char *key, struct str s)
{
  struct view v;
  int rc = VDT_OK;
  view_init(&v);
  for (size_t i = 0; !rc && i < s.n;) {
    struct str c = letter_at(s, i);
    uint64_t before = v.view_len;
    if (!view_feed(&v, c.p, c.n) || !view_end(&v)) rc = error_set(l->err, VDT_ENOMEM, "out of memory");
    struct str read = {v.text.p + before, (size_t)(v.view_len - before)};
    if (!rc && !str_eq(read, c))
      rc = FAIL(l, n, "%s: \"%.*s\" is read as \"%.*s\"; write that", key, (int)c.n, c.p, (int)read.n, read.p);
    i += c.n;
  }
  view_finish(&v);
  return rc;
}

/* What is searched for as it stands. */
static int set_literals(struct loader *l, const yaml_node_t *n, const char *key, struct str **out, unsigned *count)
{
  int rc = set_strs(l, n, key, out, count);
  for (unsigned i = 0; !rc && i < *count; i++) rc = check_folded(l, node(l, n->data.sequence.items.start[i]), key, (*out)[i]);
  return rc;
}

static int set_expression(struct loader *l, const yaml_node_t *n, const char *key, struct str *out)
{
  int rc = set_str(l, n, key, out);
  if (!rc) rc = check_folded(l, n, key, *out);
  return rc ? rc : check_letters(l, n, key, *out);
}

static int set_number(struct loader *l, const yaml_node_t *n, const char *key, double low, double high, double *out)
{
  struct str s;
  char text[32], *end;
  int rc = need_scalar(l, n, key, &s);
  if (rc) return rc;
  snprintf(text, sizeof text, "%.*s", (int)(s.n < 31 ? s.n : 31), s.p);
  *out = strtod(text, &end);
  if (s.n == 0 || *end || !(*out >= low && *out <= high))
    return FAIL(l, n, "%s: expected a number from %g to %g", key, low, high);
  return VDT_OK;
}

static int set_uint(struct loader *l, const yaml_node_t *n, const char *key, unsigned *out)
{
  double v = 0;
  int rc = set_number(l, n, key, 0, VDT_HOLD_MAX, &v);
  if (rc) return rc;
  if (v != (double)(unsigned)v) return FAIL(l, n, "%s: expected a whole number", key);
  *out = (unsigned)v;
  return VDT_OK;
}

static int set_bool(struct loader *l, const yaml_node_t *n, const char *key, bool *out)
{
  struct str s = scalar(n);
  *out = str_eq(s, STR("true"));
  return *out || str_eq(s, STR("false")) ? VDT_OK : FAIL(l, n, "%s: expected true or false", key);
}

/* Finds s among names; on failure says which is nearest. */
static int choose(struct loader *l, const yaml_node_t *n, const char *key, const char *const *names, unsigned *out)
{
  struct str s = scalar(n);
  const char *near = NULL;
  unsigned best = 100;
  for (*out = 0; names[*out]; ++*out)
    if (str_eq(s, str_of(names[*out]))) return VDT_OK;
  for (unsigned i = 0; names[i]; i++) { /* dear, and only for who has made a mistake */
    unsigned d = str_distance(s, str_of(names[i]));
    if (d >= best) continue;
    best = d;
    near = names[i];
  }
  return FAIL(l, n, "%s: \"%.*s\" is unknown; did you mean \"%s\"?", key, (int)(s.n < 40 ? s.n : 40), s.p ? s.p : "", near);
}

static bool takes_rules(enum vdt_detector_id d)
{
  return d <= VDT_DET_SENSITIVE || d == VDT_DET_URL || d == VDT_DET_RECON;
}

static int set_detector(struct loader *l, const yaml_node_t *n, enum vdt_detector_id *out)
{
  static const char *const names[] = {
#define X(id, name, title, roles) name,
#include "vedette/detectors.def"
#undef X
      NULL};
  unsigned i = 0;
  int rc = choose(l, n, "detector", names, &i);
  if (!rc && !takes_rules((enum vdt_detector_id)i))
    return FAIL(l, n,
                "detector: \"%s\" takes no rules; expected credential, sensitive, malicious-url, jailbreak, indirect or "
                "reconnaissance",
                names[i]);
  *out = (enum vdt_detector_id)i;
  return rc;
}

static int set_severity(struct loader *l, const yaml_node_t *n, enum vdt_severity *out)
{
  static const char *const names[] = {"Informational", "Low", "Medium", "High", NULL};
  unsigned i = 0;
  int rc = choose(l, n, "severity", names, &i);
  *out = (enum vdt_severity)i;
  return rc;
}

static int set_check(struct loader *l, const yaml_node_t *n, const struct check **out)
{
  const char *names[128];
  unsigned i = 0, count = 0;
  while (checks[count].name && count < 127) {
    names[count] = checks[count].name;
    count++;
  }
  names[count] = NULL;
  if (count == 0) return FAIL(l, n, "check: this build has none");
  int rc = choose(l, n, "check", names, &i);
  *out = &checks[i];
  return rc;
}

static int set_checksum(struct loader *l, const yaml_node_t *n, const struct checksum **out)
{
  const char *names[32];
  unsigned i = 0, count = 0;
  for (; checksums[count].name && count < 31; count++) names[count] = checksums[count].name;
  names[count] = NULL;
  if (count == 0) return FAIL(l, n, "checksum: this build has none");
  int rc = choose(l, n, "checksum", names, &i);
  *out = &checksums[i];
  return rc;
}

static int set_chars(struct loader *l, const yaml_node_t *n, const char *key, struct charset *out)
{
  if (charset_parse(scalar(n), out)) return VDT_OK;
  return FAIL(l, n, "%s: expected the name of a set (digit, alnum, base64url, hex, ...) or =LIST such as =A-Z2-7", key);
}

/* Calls set(l, key, value, rule) for each pair of a mapping. */
static int each_pair(struct loader *l, const yaml_node_t *map, struct rule *rule,
                     int (*set)(struct loader *, const yaml_node_t *, const yaml_node_t *, struct rule *))
{
  if (map->type != YAML_MAPPING_NODE) return FAIL(l, map, "expected keys and values");
  const yaml_node_pair_t *start = map->data.mapping.pairs.start, *top = map->data.mapping.pairs.top;
  for (const yaml_node_pair_t *p = start; p < top; p++) {
    const yaml_node_t *key = node(l, p->key), *value = node(l, p->value);
    for (const yaml_node_pair_t *q = start; q < p; q++)
      if (str_eq(scalar(node(l, q->key)), scalar(key))) return FAIL(l, key, "the key \"%.40s\" stands twice", scalar(key).p);
    int rc = set(l, key, value, rule);
    if (rc) return rc;
  }
  return VDT_OK;
}

static int set_left(struct loader *l, const yaml_node_t *key, const yaml_node_t *value, struct rule *rule)
{
  static const char *const names[] = {"chars", "first", "max", "skip", NULL};
  unsigned i = 0;
  int rc = choose(l, key, "left", names, &i);
  if (rc) return rc;
  if (i >= 2) rc = set_uint(l, value, i == 2 ? "left.max" : "left.skip", i == 2 ? &rule->left_max : &rule->left_skip);
  else rc = set_chars(l, value, i ? "left.first" : "left.chars", i ? &rule->left_first : &rule->left);
  if (!rc && rule->left_max > CHECK_LEFT) return FAIL(l, value, "left.max: at most %d", CHECK_LEFT);
  return rc;
}

static int set_examples(struct loader *l, const yaml_node_t *key, const yaml_node_t *value, struct rule *rule)
{
  static const char *const names[] = {"match", "clean", NULL};
  unsigned i = 0;
  int rc = choose(l, key, "examples", names, &i);
  if (rc) return rc;
  return i ? set_strs(l, value, "examples.clean", &rule->clean, &rule->n_clean)
           : set_strs(l, value, "examples.match", &rule->match, &rule->n_match);
}

static bool same_words(const struct word_group *g, const struct str *words, unsigned n)
{
  if (g->n != n) return false;
  for (unsigned i = 0; i < n; i++)
    if (!str_eq(g->words[i], words[i])) return false;
  return true;
}

static int set_words(struct loader *l, const yaml_node_t *value, struct rule *rule)
{
  struct word_group g = {0};
  int rc = set_literals(l, value, "words", &g.words, &g.n);
  if (rc) return rc;
  for (unsigned i = 0; i < g.n; i++)
    if (g.words[i].n < 2 || g.words[i].n > RULE_GATE_MAX) return FAIL(l, value, "words: 2 to %d bytes each", RULE_GATE_MAX);
  struct rules *r = l->rules;
  for (unsigned i = 0; i < r->n_groups; i++)
    if (same_words(&r->groups[i], g.words, g.n)) {
      rule->words = (int)i;
      return VDT_OK;
    }
  if (r->n_groups == RULE_GROUPS_MAX) return FAIL(l, value, "words: more than %d different lists", RULE_GROUPS_MAX);
  rule->words = (int)r->n_groups;
  r->groups[r->n_groups++] = g;
  return VDT_OK;
}

static int set_names(struct loader *l, const yaml_node_t *value, struct rule *rule)
{
  int rc = set_literals(l, value, "names", &rule->names, &rule->n_names);
  for (unsigned i = 0; !rc && i < rule->n_names; i++)
    if (rule->names[i].n < 2 || rule->names[i].n > RULE_NAME_MAX || rule->names[i].p[0] == ' ')
      return FAIL(l, value, "names: 2 to %d bytes each, none begins with a blank", RULE_NAME_MAX);
  return rc;
}

static int set_roles(struct loader *l, const yaml_node_t *value, struct rule *rule)
{
  static const char *const names[] = {"prompt", "document", NULL};
  if (value->type != YAML_SEQUENCE_NODE) return FAIL(l, value, "roles: expected a list of prompt, document");
  for (const yaml_node_item_t *i = value->data.sequence.items.start; i < value->data.sequence.items.top; i++) {
    unsigned which = 0;
    int rc = choose(l, node(l, *i), "roles", names, &which);
    if (rc) return rc;
    if (which) rule->in_document = true;
    else rule->in_prompt = true;
  }
  return VDT_OK;
}

static int set_member(struct loader *l, const struct key *k, const yaml_node_t *v, struct rule *rule)
{
  void *at = (char *)rule + k->offset;
  struct str s = {0};
  int rc;
  switch (k->kind) {
  case STRING:
    rc = set_str(l, v, k->name, &s);
    *(const char **)at = s.p;
    return rc;
  case STR: return set_str(l, v, k->name, at);
  case EXPRESSION: return set_expression(l, v, k->name, at);
  case STRS: return set_literals(l, v, k->name, &rule->gates, &rule->n_gates);
  case UINT: return set_uint(l, v, k->name, at);
  case DOUBLE: return set_number(l, v, k->name, 0, 8, at);
  case BOOL: return set_bool(l, v, k->name, at);
  case DETECTOR: return set_detector(l, v, at);
  case SEVERITY: return set_severity(l, v, at);
  case CHECK: return set_check(l, v, at);
  case CHECKSUM: return set_checksum(l, v, at);
  case CHARS: return set_chars(l, v, k->name, at);
  case LEFT: return each_pair(l, v, rule, set_left);
  case WORDS: return set_words(l, v, rule);
  case NAMES: return set_names(l, v, rule);
  case ROLES: return set_roles(l, v, rule);
  case EXAMPLES: return each_pair(l, v, rule, set_examples);
  }
  return VDT_EINVAL;
}

static int set_key(struct loader *l, const yaml_node_t *key, const yaml_node_t *value, struct rule *rule)
{
  const char *names[sizeof keys / sizeof *keys + 1] = {0};
  unsigned i = 0;
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) names[k] = keys[k].name;
  int rc = choose(l, key, "key", names, &i);
  return rc ? rc : set_member(l, &keys[i], value, rule);
}

static int check_id(struct loader *l, const yaml_node_t *n, const struct rule *r)
{
  if (!r->id || !*r->id) return FAIL(l, n, "a rule without id");
  for (const char *p = r->id; *p; p++)
    if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-') || p - r->id > 47)
      return FAIL(l, n, "id: lower-case letters, digits and \"-\", at most 48");
  for (unsigned i = 0; i < l->rules->n; i++)
    if (strcmp(l->rules->rules[i].id, r->id) == 0)
      return FAIL(l, n, "rule %s stands twice; first in %s line %u", r->id, l->rules->rules[i].file, l->rules->rules[i].line);
  return VDT_OK;
}

/* A rule that numbers wake. */
static int check_number(struct loader *l, const yaml_node_t *n, const struct rule *r)
{
  if (r->detector != VDT_DET_SENSITIVE)
    return FAIL(l, n, "rule %s: check identifier without a gate is for detector: sensitive", r->id);
  if (!r->n_names && !r->alone) return FAIL(l, n, "rule %s: needs names, or alone, or both", r->id);
  if (r->near > RULE_CONTEXT) return FAIL(l, n, "rule %s: near: at most %d", r->id, RULE_CONTEXT);
  if (r->alone > 100) return FAIL(l, n, "rule %s: alone: at most 100", r->id);
  return r->weight > 0 ? FAIL(l, n, "rule %s: weight is for jailbreak and indirect rules", r->id) : VDT_OK;
}

static int check_leak(struct loader *l, const yaml_node_t *n, const struct rule *r)
{
  if (!r->check) return FAIL(l, n, "rule %s: check is missing", r->id);
  if (r->weight > 0)
    return FAIL(l, n, "rule %s: weight is for jailbreak, indirect and reconnaissance rules; others report confidence", r->id);
  bool numbers = strcmp(r->check->name, "identifier") == 0;
  if (numbers && rule_is_number(r)) return check_number(l, n, r);
  if (r->n_names || r->alone) return FAIL(l, n, "rule %s: names and alone are of check identifier without a gate", r->id);
  if ((r->n_gates > 0) == (r->pattern.n > 0)) return FAIL(l, n, "rule %s: needs either gate or pattern", r->id);
  if (r->pattern.n && r->left_max == 0) return FAIL(l, n, "rule %s: a pattern gate needs left, what it may match", r->id);
  for (unsigned i = 0; i < r->n_gates; i++)
    if (r->gates[i].n == 0 || r->gates[i].n > RULE_GATE_MAX)
      return FAIL(l, n, "rule %s: a gate has 1 to %d bytes", r->id, RULE_GATE_MAX);
  bool expression = strcmp(r->check->name, "regex") == 0;
  if (expression && (!r->regex.n || !r->n_gates || r->left_max))
    return FAIL(l, n, "rule %s: check regex needs a regex, and a gate that it begins with; no left", r->id);
  if (!expression && (r->regex.n || r->checksum)) return FAIL(l, n, "rule %s: regex and checksum are of check: regex", r->id);
  if (r->max && r->min > r->max) return FAIL(l, n, "rule %s: min is greater than max", r->id);
  return VDT_OK;
}

static int check_score(struct loader *l, const yaml_node_t *n, const struct rule *r)
{
  if (r->pattern.n == 0) return FAIL(l, n, "rule %s: pattern is missing", r->id);
  if (r->weight <= 0 || r->weight > 1) return FAIL(l, n, "rule %s: weight: more than 0, at most 1", r->id);
  return VDT_OK;
}

static int append(struct loader *l, const yaml_node_t *n, const struct rule *rule)
{
  struct rules *r = l->rules;
  if (r->n == MAX_RULES) return FAIL(l, n, "more than %d rules", MAX_RULES);
  struct rule *grown = arena_grow(l->arena, r->rules, r->n, &l->cap, 64, sizeof *grown);
  if (!grown) return error_set(l->err, VDT_ENOMEM, "out of memory");
  r->rules = grown;
  r->rules[r->n++] = *rule;
  return VDT_OK;
}

static int add_rule(struct loader *l, const yaml_node_t *n)
{
  struct rule r = {.severity = VDT_MEDIUM,
                   .confidence = 75,
                   .bound = true,
                   .words = -1,
                   .near = RULE_CONTEXT,
                   .file = l->file,
                   .line = line_of(n)};
  r.detector = VDT_DETECTORS;
  int rc = each_pair(l, n, &r, set_key);
  if (rc) return rc;
  if ((rc = check_id(l, n, &r))) return rc;
  if (r.detector == VDT_DETECTORS) return FAIL(l, n, "rule %s: detector is missing", r.id);
  if (!r.title) return FAIL(l, n, "rule %s: title is missing", r.id);
  if ((rc = rule_is_score(&r) ? check_score(l, n, &r) : check_leak(l, n, &r))) return rc;
  if (r.n_match == 0) return FAIL(l, n, "rule %s: needs at least one example under examples.match", r.id);
  if (r.confidence > 100) return FAIL(l, n, "rule %s: confidence: at most 100", r.id);
  if (rule_is_score(&r) && !r.in_prompt && !r.in_document) {
    r.in_prompt = r.detector != VDT_DET_INDIRECT;
    r.in_document = !r.in_prompt;
  }
  if (r.left_max && !memcmp(&r.left_first, &(struct charset){0}, sizeof r.left_first)) r.left_first = r.left;
  return append(l, n, &r);
}

static int add_rules(struct loader *l)
{
  yaml_node_t *root = yaml_document_get_root_node(&l->doc);
  if (!root) return error_at(l->err, VDT_ERULE, l->file, 1, "the file is empty; expected \"rules:\"");
  if (root->type != YAML_MAPPING_NODE || root->data.mapping.pairs.top - root->data.mapping.pairs.start != 1)
    return FAIL(l, root, "expected one key, \"rules:\"");
  yaml_node_t *key = node(l, root->data.mapping.pairs.start->key), *list = node(l, root->data.mapping.pairs.start->value);
  if (!str_eq(scalar(key), STR("rules"))) return FAIL(l, key, "expected \"rules:\"");
  if (list->type != YAML_SEQUENCE_NODE) return FAIL(l, list, "rules: expected a list");
  for (const yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top; i++) {
    int rc = add_rule(l, node(l, *i));
    if (rc) return rc;
  }
  return VDT_OK;
}

static int parse_file(struct loader *l, const struct vdt_source *src)
{
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser)) return error_set(l->err, VDT_ENOMEM, "out of memory");
  yaml_parser_set_input_string(&parser, (const unsigned char *)src->p, src->n);
  l->file = arena_dup(l->arena, str_of(src->name)).p;
  int rc;
  if (!l->file) {
    rc = error_set(l->err, VDT_ENOMEM, "out of memory");
  } else if (!yaml_parser_load(&parser, &l->doc)) {
    rc = error_at(l->err, VDT_ERULE, l->file, (unsigned)parser.problem_mark.line + 1, "%s",
                  parser.problem ? parser.problem : "not YAML");
  } else {
    rc = add_rules(l);
    yaml_document_delete(&l->doc);
  }
  yaml_parser_delete(&parser);
  return rc;
}

int rules_parse(struct vdt_arena *arena, const struct vdt_source *files, size_t n, struct rules *out, struct vdt_error *err)
{
  *out = (struct rules){.groups = arena_zalloc(arena, RULE_GROUPS_MAX, sizeof *out->groups)};
  if (!out->groups) return error_set(err, VDT_ENOMEM, "out of memory");
  struct loader l = {.arena = arena, .rules = out, .err = err};
  for (size_t i = 0; i < n; i++) {
    int rc = parse_file(&l, &files[i]);
    if (rc) return rc;
  }
  return VDT_OK;
}
