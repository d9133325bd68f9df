/*
 * vedette rules: what is looked for. Lists rules, explains one, checks files of one's own with their examples, tries one on a text. Reads files,
 * changes nothing; what was found in a text is shown masked.
 */
#include "base/arena.h"
#include "base/file.h"
#include "base/quote.h"
#include "cli/rules.h"
#include "cli/table.h"
#include "engine/check.h"
#include "engine/engine.h"
#include "intel/intel.h"
#include "gateway/load.h"

enum {
  TEXT_MAX = 16 << 20,
  EXAMPLE_CONFIDENCE = 40 /* placeholders and published samples are reported below it, and are clean */
};

struct tool {
  const char *config_file;
  bool json;
  struct config *config;
  struct vdt_engine *engine;
  struct vdt_scanner *scanner;
  struct vdt_intel *intel; /* the built-in list */
};

/* As compilers say it, so that editors can jump there. */
int rules_complain(const struct vdt_error *err)
{
  cli_print_safe(stderr, str_of(err->file));
  if (err->line) fprintf(stderr, ":%u", err->line);
  fprintf(stderr, "%s", err->file[0] ? ": " : "vedette rules: ");
  cli_print_safe(stderr, str_of(err->text[0] ? err->text : vdt_strerror(err->code)));
  fprintf(stderr, "\n");
  return CLI_USAGE;
}

static int start(struct tool *t, char **files, size_t n)
{
  struct vdt_error err = {0};
  int rc = t->config_file ? load_config(t->config_file, &t->config, &err) : VDT_OK;
  if (!rc) rc = load_engine_with(t->config, (const char *const *)files, n, &t->engine, &err);
  if (!rc) rc = vdt_scanner_new(t->engine, &t->scanner);
  if (!rc) rc = load_intel(t->config, &t->intel, &err);
  if (!rc) return 0;
  err.code = rc;
  return rules_complain(&err);
}

static void finish(struct tool *t)
{
  vdt_scanner_free(t->scanner);
  vdt_engine_free(t->engine);
  intel_drop(t->intel);
  config_free(t->config);
}

/* ---- one text --------------------------------------------------------------------------------------------------- */

/* Everything is looked for, whatever its confidence: a rule is tried, not a policy. */
static struct vdt_policy everything(const struct tool *t)
{
  struct vdt_policy p;
  vdt_policy_default(&p);
  p.jailbreak.detect_at = p.indirect.detect_at = p.reconnaissance.detect_at = 0.01;
  p.credential = p.sensitive = p.malicious_url = (struct vdt_leak_policy){.prompt = VDT_DETECT, .response = VDT_DETECT};
  p.intel = t->intel;
  return p;
}

static enum vdt_role role_for(const struct rule *r)
{
  if (!rule_is_score(r)) return VDT_RESPONSE;
  return r->in_document && !r->in_prompt ? VDT_DOCUMENT : VDT_PROMPT;
}

/* How often the rule is reported with at least that confidence; the findings themselves in *out. -1 when out of memory. */
static int reports(struct tool *t, struct vdt_arena *arena, const struct rule *r, struct str text, unsigned confidence,
                   struct vdt_result *out)
{
  struct vdt_policy policy = everything(t);
  policy.credential.minimum_confidence = policy.sensitive.minimum_confidence = policy.malicious_url.minimum_confidence =
      confidence;
  int n = 0;
  if (vdt_scan(t->scanner, arena, &policy, role_for(r), text.p, text.n, out)) return -1;
  for (size_t i = 0; i < out->n_findings; i++) n += strcmp(out->findings[i].rule, r->id) == 0;
  return n;
}

static const struct rule *find(const struct tool *t, const char *id)
{
  const struct rules *all = &t->engine->rules;
  const char *nearest = NULL;
  unsigned best = 1000;
  for (unsigned i = 0; i < all->n; i++) {
    unsigned d = str_distance(str_of(all->rules[i].id), str_of(id));
    if (strcmp(all->rules[i].id, id) == 0) return &all->rules[i];
    if (d < best) best = d, nearest = all->rules[i].id;
  }
  fprintf(stderr, "vedette rules: there is no rule \"");
  cli_print_safe(stderr, str_of(id));
  fprintf(stderr, "\"; did you mean \"%s\"?\n", nearest ? nearest : "");
  return NULL;
}

/* ---- check ------------------------------------------------------------------------------------------------------ */

/* Every text of a rule's examples says what it should; returns how many do not. */
static unsigned wrong_examples(struct tool *t, const struct rule *r, const struct str *texts, unsigned n, bool match)
{
  unsigned wrong = 0;
  struct vdt_arena *arena = vdt_arena_new(0);
  for (unsigned i = 0; arena && i < n; i++) {
    struct vdt_result result;
    vdt_arena_reset(arena);
    int found = reports(t, arena, r, texts[i], EXAMPLE_CONFIDENCE, &result);
    if (found >= 0 && (found > 0) == match) continue;
    fprintf(stderr, "%s:%u: rule %s: example %u under examples.%s is %s\n", r->file, r->line, r->id, i + 1,
            match ? "match" : "clean", match ? "not reported" : "reported");
    wrong++;
  }
  vdt_arena_free(arena);
  return arena ? wrong : n;
}

static bool is_among(const struct rule *r, char **files, int n)
{
  for (int i = 0; i < n; i++)
    if (strcmp(files[i], r->file) == 0) return true;
  return n == 0;
}

/* The rules of the files, or all of them. */
static int check(struct tool *t, char **files, int n)
{
  unsigned rules = 0, examples = 0, wrong = 0;
  int rc = start(t, files, (size_t)n);
  if (rc) return rc;
  for (unsigned i = 0; i < t->engine->rules.n; i++) {
    const struct rule *r = &t->engine->rules.rules[i];
    if (!is_among(r, files, n)) continue;
    rules++;
    examples += r->n_match + r->n_clean;
    wrong += wrong_examples(t, r, r->match, r->n_match, true) + wrong_examples(t, r, r->clean, r->n_clean, false);
  }
  if (wrong) return CLI_USAGE;
  printf("%u rules with %u examples are right\n", rules, examples);
  return 0;
}

/* ---- list and explain ------------------------------------------------------------------------------------------- */

static void put_json(struct buf *out, const struct rule *r)
{
  const struct {
    const char *name, *value;
  } texts[] = {{"detector", vdt_detector_name(r->detector)},          {"title", r->title},
               {"severity", vdt_severity_name(r->severity)},          {"file", r->file},
               {"remediation", r->remediation ? r->remediation : ""}, {"purview", r->purview ? r->purview : ""},
               {"purview_id", r->purview_id ? r->purview_id : ""}};
  BUF_LIT(out, "{\"id\":");
  json_quote(out, str_of(r->id));
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    buf_printf(out, ",\"%s\":", texts[i].name);
    json_quote(out, str_of(texts[i].value));
  }
  if (rule_is_score(r)) buf_printf(out, ",\"weight\":%g", r->weight);
  else buf_printf(out, ",\"confidence\":%u", r->confidence);
  buf_printf(out, ",\"line\":%u}\n", r->line);
}

static const struct table_column columns[] = {{"", 36, 6, false, false},
                                              {"", 10, 4, false, false},
                                              {"", 4, 4, true, false},
                                              {"", 13, 4, false, false},
                                              {"", 30, 6, false, false}};

static void put_row(struct buf *out, struct table *t, const struct rule *r)
{
  char sure[16];
  if (rule_is_score(r)) snprintf(sure, sizeof sure, "%.2f", r->weight);
  else snprintf(sure, sizeof sure, "%u", r->confidence);
  table_cell(t, out, str_of(r->id));
  table_cell(t, out, str_of(vdt_detector_name(r->detector)));
  table_cell(t, out, str_of(sure));
  table_cell(t, out, str_of(vdt_severity_name(r->severity)));
  table_cell(t, out, str_of(r->title));
}

static int print(struct buf *b)
{
  bool ok = !b->failed && (b->n == 0 || fwrite(b->p, 1, b->n, stdout) == b->n) && fflush(stdout) == 0;
  buf_finish(b);
  return ok ? 0 : 1;
}

static bool has_word(const struct rule *r, const char *word)
{
  struct str w = str_of(word), none = {0};
  struct str in[] = {str_of(r->id), str_of(r->title), str_of(vdt_detector_name(r->detector)), r->category.n ? r->category : none};
  for (size_t i = 0; i < sizeof in / sizeof *in; i++)
    if (in[i].n && str_find(in[i], w) != (size_t)-1) return true;
  return false;
}

static int list(struct tool *t, const char *word)
{
  struct buf b = {0};
  struct table table;
  int rc = start(t, NULL, 0);
  if (rc) return rc;
  table_begin(&table, columns, sizeof columns / sizeof *columns);
  for (unsigned i = 0; i < t->engine->rules.n; i++) {
    const struct rule *r = &t->engine->rules.rules[i];
    if (word && !has_word(r, word)) continue;
    if (t->json) put_json(&b, r);
    else put_row(&b, &table, r);
  }
  return print(&b);
}

static void put_line(struct buf *out, const char *name, struct str value)
{
  if (!value.n) return;
  buf_printf(out, "%-12s ", name);
  cli_safe(out, value);
  BUF_LIT(out, "\n");
}

static void put_strings(struct buf *out, const char *name, const struct str *texts, unsigned n)
{
  for (unsigned i = 0; i < n; i++) put_line(out, i ? "" : name, texts[i]);
}

static void put_check(struct buf *out, const struct tool *t, const struct rule *r)
{
  put_line(out, "check", str_of(r->check->name));
  put_line(out, "", str_of(r->check->help));
  put_strings(out, "gate", r->gates, r->n_gates);
  put_line(out, "regex", r->regex);
  put_line(out, "variant", r->variant);
  put_strings(out, "names", r->names, r->n_names);
  if (r->checksum) put_line(out, "checksum", str_of(r->checksum->name));
  if (r->words >= 0) put_strings(out, "words", t->engine->rules.groups[r->words].words, t->engine->rules.groups[r->words].n);
}

static int explain(struct tool *t, const char *id)
{
  struct buf b = {0};
  int rc = start(t, NULL, 0);
  const struct rule *r = rc ? NULL : find(t, id);
  if (!r) return CLI_USAGE;
  put_line(&b, "rule", str_of(r->id));
  put_line(&b, "title", str_of(r->title));
  put_line(&b, "detector", str_of(vdt_detector_name(r->detector)));
  put_line(&b, "severity", str_of(vdt_severity_name(r->severity)));
  if (rule_is_score(r)) buf_printf(&b, "%-12s %g\n", "weight", r->weight);
  else buf_printf(&b, "%-12s %u\n", "confidence", r->confidence);
  if (r->alone) buf_printf(&b, "%-12s %u without a name\n", "", r->alone);
  if (r->purview) put_line(&b, "purview", str_of(r->purview));
  if (r->purview_id) put_line(&b, "", str_of(r->purview_id));
  put_line(&b, "pattern", r->pattern);
  put_line(&b, "category", r->category);
  if (r->check) put_check(&b, t, r);
  put_line(&b, "remediation", str_of(r->remediation));
  put_strings(&b, "matches", r->match, r->n_match);
  put_strings(&b, "does not", r->clean, r->n_clean);
  buf_printf(&b, "%-12s %s:%u\n", "stands in", r->file, r->line);
  return print(&b);
}

/* ---- test ------------------------------------------------------------------------------------------------------- */

static void put_findings(struct buf *out, const struct rule *r, const struct vdt_result *result)
{
  for (size_t i = 0; i < result->n_findings; i++) {
    const struct vdt_finding *f = &result->findings[i];
    if (strcmp(f->rule, r->id) != 0) continue;
    buf_printf(out, "%llu-%llu: confidence %u, %s", (unsigned long long)f->start, (unsigned long long)f->end, f->confidence,
               f->reason);
    if (f->redacted[0]) BUF_LIT(out, ", ");
    cli_safe(out, str_of(f->redacted));
    BUF_LIT(out, "\n");
  }
}

/* What a rule finds in a file or in standard input. */
static int test(struct tool *t, const char *id, const char *path)
{
  struct buf text = {0}, out = {0};
  struct vdt_error err = {0};
  struct vdt_result result;
  int rc = start(t, NULL, 0);
  const struct rule *r = rc ? NULL : find(t, id);
  if (!r) return CLI_USAGE;
  rc = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, TEXT_MAX, &text, &err);
  struct vdt_arena *arena = vdt_arena_new(0);
  int found = rc || !arena ? -1 : reports(t, arena, r, text.n ? buf_str(&text) : STR(""), 0, &result);
  if (rc) rules_complain(&err);
  else if (found > 0) put_findings(&out, r, &result);
  else if (found == 0) fprintf(stderr, "rule %s: nothing found\n", r->id);
  if (found > 0) print(&out);
  vdt_arena_free(arena);
  buf_finish(&text);
  return found > 0 ? 0 : found == 0 ? 1 : CLI_USAGE;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

static int dispatch(struct tool *t, int n, char **argv)
{
  const char *verb = n > 0 ? argv[1] : "";
  if (strcmp(verb, "list") == 0 && n <= 2) return list(t, n == 2 ? argv[2] : NULL);
  if (strcmp(verb, "check") == 0) return check(t, argv + 2, n - 1);
  if (strcmp(verb, "test") == 0 && (n == 2 || n == 3)) return test(t, argv[2], n == 3 ? argv[3] : "-");
  if (strcmp(verb, "explain") == 0 && n == 2) return explain(t, argv[2]);
  if (strcmp(verb, "hash") == 0 && n == 1) return rules_hash(t->config_file);
  return cli_usage("rules", "expected list [WORD], check [FILE]..., test ID [FILE], explain ID or hash");
}

int cmd_rules(int argc, char **argv)
{
  struct tool t = {0};
  bool table = false;
  const struct cli_option known[] = {
      {"config", CLI_TEXT, &t.config_file}, {"json", CLI_FLAG, &t.json}, {"table", CLI_FLAG, &table}};
  int n = cli_options(argc, argv, known, sizeof known / sizeof *known);
  if (n < 0) return CLI_USAGE;
  t.json = t.json && !table;
  int rc = dispatch(&t, n, argv);
  finish(&t);
  return rc;
}
