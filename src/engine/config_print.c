/* Writes a configuration back as YAML, names its settings for help and documentation, and holds the default file. */
#include "engine/setting.h"

static void put_scope(enum scope scope, const void *base, unsigned indent, bool item, struct buf *out);

static void put_indent(struct buf *out, unsigned indent, bool *item)
{
  for (unsigned i = 0; i < indent; i++) BUF_LIT(out, "  ");
  /* The first key of a list's element stands after its dash. */
  if (*item && out->n >= 2 && !out->failed) out->p[out->n - 2] = '-';
  *item = false;
}

static void put_list(const struct setting *s, const void *member, unsigned indent, struct buf *out)
{
  const char *array = *(char *const *)member;
  size_t n = *(const size_t *)((char *const *)member + 1);
  for (size_t i = 0; i < n; i++) put_scope(s->of, array + i * scope_size[s->of], indent + 2, true, out);
}

static void put_value(const struct setting *s, const void *member, unsigned indent, struct buf *out)
{
  if (s->kind == KIND_MAP) put_scope(s->of, member, indent + 1, false, out);
  else if (s->kind == KIND_LIST) put_list(s, member, indent, out);
  else setting_kind(s)->put(s, member, out);
}

static void put_scope(enum scope scope, const void *base, unsigned indent, bool item, struct buf *out)
{
  struct buf value = {0};
  for (size_t i = 0; i < n_settings; i++) {
    const struct setting *s = &settings[i];
    if (s->scope != scope) continue;
    bool nested = s->kind == KIND_MAP || s->kind == KIND_LIST;
    buf_reset(&value);
    put_value(s, (const char *)base + s->offset, indent, &value);
    if (value.n == 0) continue;
    put_indent(out, indent, &item);
    buf_printf(out, "%s:%s", s->key, nested ? "\n" : " ");
    buf_put(out, buf_str(&value));
    if (!nested) BUF_LIT(out, "\n");
  }
  out->failed |= value.failed;
  buf_finish(&value);
}

void config_print(const struct config *config, struct buf *out)
{
  put_scope(ROOT, config, 0, false, out);
}

/* ---- walking ---------------------------------------------------------------------------------------------------- */

struct walker {
  void (*each)(void *ctx, struct str path, struct str value);
  void *ctx;
  struct buf path, value;
};

static void walk_scope(struct walker *w, enum scope scope, const void *base);

/* What operators keep to themselves: the words that they look for, and which values are no findings. */
static bool is_private(const struct setting *s)
{
  return s->scope == PHRASE || (s->scope == ALLOWED && strcmp(s->key, "hash") == 0);
}

/* As people say it: without the quotes of YAML, where nothing in it needs them to be understood. */
static struct str bare(struct str v)
{
  bool quoted = v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"' && !memchr(v.p, '\\', v.n);
  return quoted ? str_cut(v, 1, v.n - 1) : v;
}

/* Appends "[name]" of an element, or "[3]". */
static void put_element(struct walker *w, enum scope scope, const void *element, size_t number)
{
  buf_reset(&w->value);
  for (size_t i = 0; i < n_settings && !w->value.n; i++)
    if (settings[i].scope == scope && strcmp(settings[i].key, "name") == 0)
      setting_kind(&settings[i])->put(&settings[i], (const char *)element + settings[i].offset, &w->value);
  buf_byte(&w->path, '[');
  if (w->value.n) buf_put(&w->path, bare(buf_str(&w->value)));
  else buf_printf(&w->path, "%zu", number);
  buf_byte(&w->path, ']');
}

static void walk_list(struct walker *w, const struct setting *s, const void *member)
{
  const char *array = *(char *const *)member;
  size_t n = *(const size_t *)((char *const *)member + 1), end = w->path.n;
  for (size_t i = 0; i < n; i++) {
    const void *element = array + i * scope_size[s->of];
    put_element(w, s->of, element, i + 1);
    walk_scope(w, s->of, element);
    w->path.n = end;
  }
}

static void walk_value(struct walker *w, const struct setting *s, const void *member)
{
  buf_reset(&w->value);
  setting_kind(s)->put(s, member, &w->value);
  if (!w->value.n || w->value.failed) return;
  w->each(w->ctx, buf_str(&w->path), is_private(s) ? STR("(not shown)") : bare(buf_str(&w->value)));
}

static void walk_scope(struct walker *w, enum scope scope, const void *base)
{
  size_t end = w->path.n;
  for (size_t i = 0; i < n_settings && !w->path.failed; i++) {
    const struct setting *s = &settings[i];
    const void *member = (const char *)base + s->offset;
    if (s->scope != scope) continue;
    if (end) buf_byte(&w->path, '.');
    buf_put(&w->path, str_of(s->key));
    if (s->kind == KIND_MAP) walk_scope(w, s->of, member);
    else if (s->kind == KIND_LIST) walk_list(w, s, member);
    else walk_value(w, s, member);
    w->path.n = end;
  }
}

int config_walk(const struct config *config, void (*each)(void *ctx, struct str path, struct str value), void *ctx)
{
  struct walker w = {.each = each, .ctx = ctx};
  walk_scope(&w, ROOT, config);
  bool failed = w.path.failed || w.value.failed;
  buf_finish(&w.path);
  buf_finish(&w.value);
  return failed ? VDT_ENOMEM : VDT_OK;
}

/* ---- help ------------------------------------------------------------------------------------------------------- */

struct walk {
  struct vdt_arena *arena;
  size_t left;
  struct config_setting *out;
  bool found;
};

static void describe(struct walk *w, const struct setting *s, const char *path)
{
  struct buf bounds = {0};
  if (s->kind != KIND_LIST) setting_bounds(s, &bounds);
  struct str b = arena_dup(w->arena, buf_str(&bounds));
  *w->out = (struct config_setting){path, setting_kind(s)->type, s->initial ? s->initial : "required", b.p ? b.p : "", s->help};
  buf_finish(&bounds);
  w->found = path != NULL;
}

/* Settings in the order of a file: each MAP and LIST is followed by what it holds. */
static void visit(struct walk *w, enum scope scope, const char *prefix)
{
  for (size_t i = 0; i < n_settings && !w->found; i++) {
    const struct setting *s = &settings[i];
    if (s->scope != scope) continue;
    char *path = arena_printf(w->arena, "%s%s%s", prefix, s->key, s->kind == KIND_LIST ? "[]" : "");
    if (!path) return;
    if (w->left-- == 0) {
      describe(w, s, path);
      return;
    }
    if (s->of != NONE) visit(w, s->of, arena_printf(w->arena, "%s.", path));
  }
}

bool config_setting_at(size_t i, struct vdt_arena *arena, struct config_setting *out)
{
  struct walk w = {arena, i, out, false};
  visit(&w, ROOT, "");
  return w.found;
}

/* ---- the default ------------------------------------------------------------------------------------------------ */

struct str config_default(void)
{
  return STR("# What `vedette run` does when it is given no configuration. Every setting: docs/configuration.md\n"
             "state_dir: ./state\n"
             "listen: {gateway: 127.0.0.1:8080, control: 127.0.0.1:8090}\n"
             "workspaces:\n"
             "  - {name: weu, region: westeurope, store: sqlite, prompt_evidence: on,\n"
             "     retention: {alerts: 90d, evidence: 30d, records: 30d}}\n"
             "deployments:\n"
             "  - {name: gpt-4o, workspace: weu, upstream: simulated, policy: standard}\n"
             "  - {name: no-evidence, workspace: weu, upstream: simulated, policy: standard, prompt_evidence: off}\n"
             "policies:\n"
             "  - name: standard\n"
             "    jailbreak: {action: block, block_at: 0.95, detect_at: 0.60}\n"
             "    indirect: {action: block, block_at: 0.95, detect_at: 0.60}\n"
             "    credential: {response: redact, prompt: detect}\n"
             "    sensitive: {response: detect, minimum_confidence: 85}\n"
             "    on_failure: open\n");
}
