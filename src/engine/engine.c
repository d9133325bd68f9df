/* Compiles rules into databases. Nothing here runs while text is scanned. */
#include "engine/engine.h"
#include <pthread.h>
#include <sodium.h>
#include "base/buf.h"
#include "base/error.h"
#include "engine/check.h"
#include "engine/compiled.h"
#include "engine/regex.h"
#include "engine/whole.h"

enum { BUCKETS = 4096 };

struct build {
  struct vdt_engine *e;
  size_t cap;
  struct vdt_error *err;
  uint32_t literals[BUCKETS]; /* by the hash of their text, the latest of each, counted from 1 */
};

static int no_memory(struct vdt_error *err)
{
  return error_set(err, VDT_ENOMEM, "out of memory");
}

/* The pattern with this text, new when there is none. Literals and words repeat among rules, patterns do not. */
static struct pattern *pattern_for(struct build *b, enum pattern_kind kind, struct str text, bool literal, bool nocase)
{
  struct vdt_engine *e = b->e;
  uint32_t *bucket = &b->literals[str_hash(text) % BUCKETS];
  for (uint32_t i = literal ? *bucket : 0; i; i = e->patterns[i - 1].before) {
    struct pattern *p = &e->patterns[i - 1];
    if (p->kind == kind && p->nocase == nocase && str_eq(p->text, text)) return p;
  }
  struct pattern *grown = arena_grow(e->arena, e->patterns, e->n_patterns, &b->cap, 256, sizeof *grown);
  if (!grown) return NULL;
  e->patterns = grown;
  struct pattern *out = &e->patterns[e->n_patterns++];
  *out = (struct pattern){.kind = kind, .nocase = nocase, .literal = literal, .text = text};
  if (literal) {
    out->before = *bucket;
    *bucket = e->n_patterns;
  }
  return out;
}

static int own(struct build *b, struct pattern *p, uint32_t owner)
{
  if (!p) return no_memory(b->err);
  uint32_t *grown = arena_zalloc(b->e->arena, p->n_owners + 1, sizeof *grown);
  if (!grown) return no_memory(b->err);
  if (p->n_owners) memcpy(grown, p->owners, p->n_owners * sizeof *grown);
  grown[p->n_owners++] = owner;
  p->owners = grown;
  return VDT_OK;
}

static int add_words(struct build *b)
{
  const struct rules *r = &b->e->rules;
  for (uint32_t g = 0; g < r->n_groups; g++)
    for (unsigned w = 0; w < r->groups[g].n; w++) {
      int rc = own(b, pattern_for(b, PATTERN_WORD, r->groups[g].words[w], true, true), g);
      if (rc) return rc;
    }
  return VDT_OK;
}

static int add_gates(struct build *b)
{
  const struct rules *r = &b->e->rules;
  for (uint32_t i = 0; i < r->n; i++) {
    const struct rule *rule = &r->rules[i];
    if (rule_is_score(rule)) continue;
    int rc = rule->pattern.n ? own(b, pattern_for(b, PATTERN_GATE, rule->pattern, false, true), i) : VDT_OK;
    for (unsigned g = 0; !rc && g < rule->n_gates; g++)
      rc = own(b, pattern_for(b, PATTERN_GATE, rule->gates[g], true, rule->nocase), i);
    if (rc) return rc;
  }
  b->e->n_stream = b->e->n_patterns;
  return VDT_OK;
}

/* Literals are found by their place in `patterns`, phrases are not, so these may be sorted. */
static int longest_first(const void *a, const void *b)
{
  const struct pattern *p = a, *q = b;
  if (p->text.n != q->text.n) return p->text.n > q->text.n ? -1 : 1;
  return p->owners[0] < q->owners[0] ? -1 : 1;
}

/* Halves by bytes, for a phrase takes about as long to compile as it is long. The longest are lists of languages: most texts have nothing that they wait
 * for, so their database is soon done with. */
static void halve_scores(struct vdt_engine *e)
{
  struct pattern *scores = e->patterns + e->n_stream;
  size_t n = e->n_patterns - e->n_stream, all = 0, first = 0;
  if (n) qsort(scores, n, sizeof *scores, longest_first);
  for (size_t i = 0; i < n; i++) all += scores[i].text.n;
  for (e->n_first = e->n_stream; 2 * first < all; e->n_first++) first += e->patterns[e->n_first].text.n;
}

static int add_scores(struct build *b)
{
  const struct rules *r = &b->e->rules;
  for (uint32_t i = 0; i < r->n; i++) {
    if (!rule_is_score(&r->rules[i])) continue;
    int rc = own(b, pattern_for(b, PATTERN_SCORE, r->rules[i].pattern, false, true), i);
    if (rc) return rc;
  }
  halve_scores(b->e);
  return VDT_OK;
}

/* A literal as a pattern: every byte that is not a letter or digit is escaped. */
static char *escape(struct vdt_arena *arena, struct str s)
{
  char *out = arena_alloc(arena, s.n * 4 + 1), *p = out;
  if (!out) return NULL;
  for (size_t i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (plain) *p++ = (char)c;
    else p += snprintf(p, 5, "\\x%02x", c);
  }
  *p = '\0';
  return out;
}

/* The rule that a compile error of a pattern is about; words belong to no rule. */
static const struct rule *rule_of(const struct vdt_engine *e, const struct pattern *p)
{
  return p->kind == PATTERN_WORD ? NULL : &e->rules.rules[p->owners[0]];
}

static int compile_failed(struct build *b, unsigned first, const hs_compile_error_t *e)
{
  const struct pattern *p = e->expression >= 0 ? &b->e->patterns[first + (unsigned)e->expression] : NULL;
  const struct rule *r = p ? rule_of(b->e, p) : NULL;
  return error_at(b->err, VDT_ERULE, r ? r->file : NULL, r ? r->line : 0, "rule %s: pattern: %s", r ? r->id : "?", e->message);
}

/* A leak pattern must be narrow, or a stream could not know what to keep. */
static int check_width(struct build *b, const struct pattern *p, const char *expression, unsigned flags)
{
  hs_expr_info_t *info = NULL;
  hs_compile_error_t *error = NULL;
  const struct rule *r = rule_of(b->e, p);
  if (hs_expression_info(expression, flags, &info, &error) != HS_SUCCESS) {
    int rc = error_at(b->err, VDT_ERULE, r->file, r->line, "rule %s: pattern: %s", r->id, error ? error->message : "not valid");
    hs_free_compile_error(error);
    return rc;
  }
  unsigned width = info->max_width, least = info->min_width;
  free(info);
  if (least == 0) return error_at(b->err, VDT_ERULE, r->file, r->line, "rule %s: the pattern matches nothing at all", r->id);
  if (p->kind == PATTERN_GATE && width > RULE_PATTERN_MAX)
    return error_at(b->err, VDT_ERULE, r->file, r->line, "rule %s: the pattern may match at most %d bytes", r->id,
                    RULE_PATTERN_MAX);
  return VDT_OK;
}

static int make_expressions(struct build *b, struct expressions *x)
{
  struct vdt_engine *e = b->e;
  x->n = e->n_patterns;
  x->n_stream = e->n_stream;
  x->n_first = e->n_first;
  x->phrases_only = e->literals.complete;
  x->text = arena_zalloc(e->arena, e->n_patterns + 1, sizeof *x->text);
  x->flags = arena_zalloc(e->arena, e->n_patterns + 1, sizeof *x->flags);
  x->ids = arena_zalloc(e->arena, e->n_patterns + 1, sizeof *x->ids);
  if (!x->text || !x->flags || !x->ids) return no_memory(b->err);
  for (uint32_t i = 0; i < e->n_patterns; i++) {
    const struct pattern *p = &e->patterns[i];
    x->ids[i] = i < e->n_stream ? i : i - e->n_stream;
    x->text[i] = p->literal ? escape(e->arena, p->text) : p->text.p;
    x->flags[i] = (p->nocase ? HS_FLAG_CASELESS : 0) | HS_FLAG_DOTALL;
    if (p->kind == PATTERN_SCORE) x->flags[i] |= HS_FLAG_SOM_LEFTMOST;
    if (!x->text[i]) return no_memory(b->err);
  }
  return VDT_OK;
}

static int check_widths(struct build *b, const struct expressions *x, uint32_t first, uint32_t end)
{
  for (uint32_t i = first; i < end; i++) {
    const struct pattern *p = &b->e->patterns[i];
    int rc = p->literal ? VDT_OK : check_width(b, p, x->text[i], x->flags[i]);
    if (rc) return rc;
  }
  return VDT_OK;
}

/* One database, of n expressions from `first` on. They take most of a start, so they are made side by side: Vectorscan's compiler may run in several
 * threads. */
struct job {
  const struct expressions *x;
  unsigned first, n, mode;
  hs_database_t **out;
  hs_compile_error_t *error;
  bool fine, running;
  pthread_t thread;
};

static void *compile_one(void *p)
{
  struct job *j = p;
  const struct expressions *x = j->x;
  j->fine = hs_compile_multi(x->text + j->first, x->flags + j->first, x->ids + j->first, j->n, j->mode, NULL, j->out,
                             &j->error) == HS_SUCCESS;
  return NULL;
}

/* Those that this engine needs; the others have no expressions. */
static void plan(struct vdt_engine *e, const struct expressions *x, struct job jobs[COMPILED_DATABASES])
{
  unsigned gates = x->phrases_only ? 0 : x->n_stream;
  jobs[0] = (struct job){.x = x, .first = e->n_stream, .n = e->n_first - e->n_stream, .mode = WHOLE_MODE, .out = &e->phrases[0]};
  jobs[1] = (struct job){.x = x, .first = e->n_first, .n = e->n_patterns - e->n_first, .mode = WHOLE_MODE, .out = &e->phrases[1]};
  jobs[2] = (struct job){.x = x, .n = gates, .mode = WHOLE_MODE, .out = &e->gates};
  jobs[3] = (struct job){.x = x, .n = gates, .mode = HS_MODE_STREAM, .out = &e->stream};
}

static int compile(struct build *b, const struct expressions *x)
{
  int rc = check_widths(b, x, x->n_stream, x->n);
  if (rc) return rc;
  struct job jobs[COMPILED_DATABASES];
  plan(b->e, x, jobs);
  for (size_t i = 1; i < COMPILED_DATABASES; i++)
    jobs[i].running = jobs[i].n && pthread_create(&jobs[i].thread, NULL, compile_one, &jobs[i]) == 0;
  for (size_t i = 0; i < COMPILED_DATABASES; i++) {
    if (jobs[i].n == 0) continue;
    if (!jobs[i].running) compile_one(&jobs[i]);
    else pthread_join(jobs[i].thread, NULL);
    if (!jobs[i].fine && !rc) rc = compile_failed(b, jobs[i].first, jobs[i].error);
    hs_free_compile_error(jobs[i].error);
  }
  return rc;
}

/* The databases of an earlier compilation of the same expressions. False when what is found is no such thing. */
static bool take_compiled(struct vdt_engine *e, const struct expressions *x, const struct vdt_kept *kept)
{
  struct str parts[COMPILED_DATABASES], bytes = {0};
  struct job jobs[COMPILED_DATABASES];
  if (kept) bytes.p = kept->find(kept->context, e->name, &bytes.n);
  if (!bytes.p || !compiled_parts(bytes, e->key, parts)) return false;
  plan(e, x, jobs);
  bool fine = true;
  for (unsigned i = 0; fine && i < COMPILED_DATABASES; i++) {
    fine = (jobs[i].n == 0) == (parts[i].n == 0);
    if (fine && jobs[i].n) fine = hs_deserialize_database(parts[i].p, parts[i].n, jobs[i].out) == HS_SUCCESS;
  }
  for (unsigned i = 0; !fine && i < COMPILED_DATABASES; i++) {
    hs_free_database(*jobs[i].out);
    *jobs[i].out = NULL;
  }
  return fine;
}

/* Expressions of streams are not compiled where literals find all of them; their widths are looked at all the same. */
static int make_databases(struct build *b, const struct vdt_kept *kept)
{
  struct expressions x;
  struct vdt_engine *e = b->e;
  if (sodium_init() < 0) return error_set(b->err, VDT_EIO, "libsodium does not start");
  int rc = make_expressions(b, &x);
  if (rc) return rc;
  if (e->n_stream == 0) return error_set(b->err, VDT_ERULE, "no credential or sensitive-data rule in the rule files");
  rc = check_widths(b, &x, 0, x.n_stream);
  if (rc || (x.phrases_only && x.n == x.n_stream)) return rc;
  compiled_key(&x, e->key);
  sodium_bin2hex(e->name, sizeof e->name, e->key, VDT_KEPT_NAME / 2);
  if (take_compiled(e, &x, kept)) return VDT_OK;
  e->is_new = true;
  return compile(b, &x);
}

/* Rules with equal left bytes hold back the same text; one of them is enough to ask. */
static bool left_known(const struct vdt_engine *e, const struct lefts *p, const struct rule *r)
{
  for (uint32_t i = 0; i < p->n; i++) {
    const struct rule *q = &e->rules.rules[p->v[i].rule];
    if (q->left_max == r->left_max && q->left_skip == r->left_skip && q->n_gates == 0 && r->n_gates == 0 &&
        !memcmp(&q->left, &r->left, sizeof r->left) && !memcmp(&q->left_first, &r->left_first, sizeof r->left_first))
      return true;
  }
  return false;
}

static struct charset heads_of(const struct rule *r)
{
  struct charset out = {0};
  for (unsigned g = 0; g < r->n_gates; g++)
    for (size_t i = 0; i + 1 < r->gates[g].n; i++) {
      unsigned char c = (unsigned char)r->gates[g].p[i], small = c | 32;
      charset_add(&out, c);
      if (r->nocase && small >= 'a' && small <= 'z') charset_add(&out, c ^ 32);
    }
  return out;
}

/* Rules with a fifth value are asked one by one. */
static void index_skip(struct lefts *p, unsigned skip, uint64_t rule)
{
  for (unsigned k = 0; k < LEFTS_SKIPS; k++) {
    struct skips *s = &p->skips[k];
    if (s->rules && s->skip != skip) continue;
    s->skip = skip;
    s->rules |= rule;
    return;
  }
}

static void index_bytes(const struct vdt_engine *e, struct lefts *p)
{
  for (uint32_t i = 0; i < p->n && i < 64; i++) {
    const struct rule *r = &e->rules.rules[p->v[i].rule];
    for (unsigned c = 0; c < 256; c++) {
      p->left[c] |= (uint64_t)charset_has(&r->left, (int)c) << i;
      p->first[c] |= (uint64_t)charset_has(&r->left_first, (int)c) << i;
      p->head[c] |= (uint64_t)charset_has(&p->v[i].heads, (int)c) << i;
    }
    for (unsigned n = 0; n <= r->left_max; n++) p->within[n] |= UINT64_C(1) << i;
    index_skip(p, r->left_skip, UINT64_C(1) << i);
  }
}

static int index_lefts(struct build *b, enum vdt_detector_id detector)
{
  struct vdt_engine *e = b->e;
  struct lefts *p = &e->lefts[detector];
  p->v = arena_zalloc(e->arena, e->rules.n + 1, sizeof *p->v);
  if (!p->v) return no_memory(b->err);
  for (uint32_t i = 0; i < e->rules.n; i++) {
    const struct rule *r = &e->rules.rules[i];
    bool wanted = r->detector == detector && r->left_max && !rule_is_score(r) && !r->check->after_gate;
    if (wanted && !left_known(e, p, r)) p->v[p->n++] = (struct left){.rule = i, .heads = heads_of(r)};
  }
  index_bytes(e, p);
  return VDT_OK;
}

static int build(struct vdt_engine *e, const struct vdt_source *files, size_t n, const struct vdt_kept *kept,
                 struct vdt_error *err)
{
  struct build b = {.e = e, .err = err};
  int rc = rules_parse(e->arena, files, n, &e->rules, err);
  if (!rc) rc = add_words(&b);
  if (!rc) rc = add_gates(&b);
  if (!rc) rc = add_scores(&b);
  if (!rc && !literals_init(&e->literals, e->arena, e->patterns, e->n_stream)) rc = no_memory(err);
  if (!rc) rc = make_databases(&b, kept);
  if (!rc) rc = regex_compile(&e->rules, e->arena, err);
  if (!rc && !beginnings_init(&e->beginnings, e->arena, &e->rules)) rc = no_memory(err);
  if (!rc) rc = numbers_new(&e->rules, e->arena, &e->numbers, err);
  if (!rc) rc = index_lefts(&b, VDT_DET_CREDENTIAL);
  if (!rc) rc = index_lefts(&b, VDT_DET_URL);
  return rc ? rc : index_lefts(&b, VDT_DET_SENSITIVE);
}

int vdt_engine_new_from(const struct vdt_source *rules, size_t n, const struct vdt_kept *kept, struct vdt_engine **out,
                        struct vdt_error *err)
{
  struct vdt_engine *e = calloc(1, sizeof *e);
  if (!e) return no_memory(err);
  e->arena = vdt_arena_new(0);
  int rc = e->arena ? build(e, rules, n, kept, err) : no_memory(err);
  if (rc) {
    vdt_engine_free(e);
    return rc;
  }
  *out = e;
  return VDT_OK;
}

int vdt_engine_new(const struct vdt_source *rules, size_t n, struct vdt_engine **out, struct vdt_error *err)
{
  return vdt_engine_new_from(rules, n, NULL, out, err);
}

int vdt_engine_compiled(const struct vdt_engine *e, const char **name, void **out, size_t *n)
{
  hs_database_t *const databases[COMPILED_DATABASES] = {e->phrases[0], e->phrases[1], e->gates, e->stream};
  *name = e->name;
  *out = NULL;
  *n = 0;
  if (!e->is_new) return VDT_OK;
  *out = compiled_bytes(databases, e->key, n);
  return *out ? VDT_OK : VDT_ENOMEM;
}

void vdt_engine_free(struct vdt_engine *e)
{
  if (!e) return;
  for (unsigned i = 0; i < ENGINE_HALVES; i++) hs_free_database(e->phrases[i]);
  hs_free_database(e->gates);
  hs_free_database(e->stream);
  regex_free(&e->rules);
  vdt_arena_free(e->arena);
  model_free(e->model);
  if (e->release) e->release(e->weights, e->n_weights);
  free(e);
}

int vdt_engine_use_model(struct vdt_engine *e, const void *weights, size_t n, void (*release)(const void *weights, size_t n),
                         struct vdt_error *err)
{
  if (sodium_init() < 0) return error_set(err, VDT_EIO, "libsodium does not start");
  int rc = e->model ? error_set(err, VDT_ERULE, "the engine has a model already") : model_new(weights, n, NULL, &e->model, err);
  if (rc) {
    if (release) release(weights, n);
    return rc;
  }
  e->weights = weights;
  e->n_weights = n;
  e->release = release;
  return VDT_OK;
}
