/*
 * vedette replay: old records, scanned texts or provider logs through today's rules, and what would have changed. Reads lines, judges each as it looks,
 * writes what is different.
 */
#include "cli/replay.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/cli.h"
#include "cli/lines.h"
#include "cli/stores.h"
#include <dirent.h>
#include <errno.h>

enum { PAGE = 1000 };

struct command {
  struct replay r;
  const char *config_file, *deployment, *format, *state, *workspace, *since;
  struct store *store; /* whose records are read, or NULL */
  bool all, summary;
  gzFile before; /* lines of an earlier `vedette scan`, or NULL */
  struct buf out;
  uint64_t line, bad, lines, changes[REPLAY_CHANGES], silent, alerts[ALERT_TYPES];
};

/* ---- start ------------------------------------------------------------------------------------------------------ */

static int fail(const struct vdt_error *err, int rc)
{
  fprintf(stderr, "vedette replay: %s%s", err->file, err->file[0] ? ":" : "");
  if (err->line) fprintf(stderr, "%u:", err->line);
  fprintf(stderr, "%s%s\n", err->file[0] ? " " : "", err->text[0] ? err->text : vdt_strerror(rc));
  return CLI_USAGE;
}

static int load(struct command *c, struct vdt_error *err)
{
  struct replay *r = &c->r;
  int rc = c->config_file ? load_config(c->config_file, &r->config, err)
                          : config_parse(config_default(), "the default configuration", &r->config, err);
  if (rc) return rc;
  r->deployment = c->deployment ? config_find(r->config, str_of(c->deployment)) : r->config->deployments;
  if (!r->deployment) return error_set(err, VDT_ENOTFOUND, "the configuration has no deployment named %.64s", c->deployment);
  rc = load_blocklists(r->config, &r->blocklist, err);
  if (!rc) rc = load_engine_of(r->config, NULL, &r->engine, NULL, err);
  if (!rc) rc = vdt_scanner_new(r->engine, &r->scanner);
  r->arena = vdt_arena_new((size_t)512 << 20);
  r->behaviour = behaviour_new(&r->config->behaviour);
  r->image = (struct image){.config = r->config, .engine = r->engine, .blocklist = r->blocklist};
  return rc ? rc : r->arena && r->behaviour ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
}

static void finish(struct command *c)
{
  struct replay *r = &c->r;
  if (c->before) gzclose(c->before);
  buf_finish(&c->out);
  unseal_end(&r->keys);
  behaviour_free(r->behaviour);
  vdt_arena_free(r->arena);
  vdt_scanner_free(r->scanner);
  vdt_engine_free(r->engine);
  vdt_blocklist_free(r->blocklist);
  config_free(r->config);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static bool flush(struct command *c)
{
  bool ok = !c->out.failed && fwrite(c->out.p, 1, c->out.n, stdout) == c->out.n;
  buf_reset(&c->out);
  return ok;
}

static void put_behaviour(struct command *c, const struct record_finding *shown, size_t n)
{
  if (!n) return;
  BUF_LIT(&c->out, ",\"behaviour\":[");
  for (size_t i = 0; i < n; i++) {
    if (i) buf_byte(&c->out, ',');
    json_quote(&c->out, shown[i].alert);
  }
  BUF_LIT(&c->out, "]");
}

static void put_line(struct command *c, enum replay_change change, const struct replay_side *before,
                     const struct replay_side *now, const struct record_finding *shown, size_t n)
{
  struct buf *b = &c->out;
  buf_printf(b, "{\"line\":%llu,\"id\":", (unsigned long long)c->line);
  buf_put(b, c->r.id.n ? c->r.id : STR("null"));
  buf_printf(b, ",\"change\":\"%s\",\"judged\":\"%s\",\"before\":", replay_change_name(change),
             c->r.how[0] ? c->r.how : "nothing");
  replay_put_side(b, before);
  BUF_LIT(b, ",\"now\":");
  replay_put_side(b, now);
  buf_byte(b, ',');
  replay_put_difference(b, before, now);
  put_behaviour(c, shown, n);
  BUF_LIT(b, "}\n");
}

static void put_bad(struct command *c, const struct vdt_error *err)
{
  c->bad++;
  buf_printf(&c->out, "{\"line\":%llu,\"error\":", (unsigned long long)c->line);
  json_quote(&c->out, str_of(err->text[0] ? err->text : vdt_strerror(err->code)));
  BUF_LIT(&c->out, "}\n");
}

static bool is_record(const struct json_doc *doc)
{
  return json_is(doc, json_get(doc, 0, "version"), JSON_NUMBER) && json_get(doc, 0, "outcome") && json_get(doc, 0, "request");
}

/* The line of the earlier scan that belongs to this one: they are read side by side. */
static int earlier(struct command *c, struct str id, struct replay_side *before, struct vdt_error *err)
{
  struct json_doc doc;
  struct buf line = {0};
  char piece[8192];
  while (!(line.n && line.p[line.n - 1] == '\n') && gzgets(c->before, piece, sizeof piece)) buf_put(&line, str_of(piece));
  struct str text = arena_dup(c->r.arena, buf_str(&line));
  buf_finish(&line);
  if (!text.n) return error_set(err, VDT_ENOTFOUND, "the earlier scan has no such line");
  struct vdt_error bad = {0};
  if (json_parse(c->r.arena, text, &JSON_LIMITS_DEFAULT, &doc, &bad) || doc.nodes[0].type != JSON_OBJECT)
    return error_set(err, VDT_ESYNTAX, "the earlier scan's line is no JSON object");
  uint32_t at = json_get(&doc, 0, "id");
  if (id.n && at && !str_eq(json_raw(&doc, at), id)) return error_set(err, VDT_ESYNTAX, "the earlier scan's line has another id");
  bool said;
  return replay_read_before(&c->r, &doc, before, &said, err);
}

static int judge(struct command *c, struct str line, struct replay_side *before, struct replay_side *now,
                 struct record_finding *shown, size_t *n, struct vdt_error *err)
{
  struct json_doc doc;
  int rc = json_parse(c->r.arena, line, &JSON_LIMITS_DEFAULT, &doc, err);
  if (rc) return rc;
  if (doc.nodes[0].type != JSON_OBJECT) return error_set(err, VDT_ESYNTAX, "expected an object");
  uint32_t id = json_get(&doc, 0, "id");
  if (id) c->r.id = json_raw(&doc, id);
  if (!c->r.format && is_record(&doc)) return replay_record(&c->r, c->store, line, before, now, shown, n, err);
  if (!c->r.format && json_get(&doc, 0, "text")) {
    bool said;
    rc = c->before ? earlier(c, c->r.id, before, err) : replay_read_before(&c->r, &doc, before, &said, err);
    return rc ? rc : replay_text(&c->r, &doc, now, err);
  }
  return replay_exchange(&c->r, &doc, before, now, err);
}

static void take_line(void *ctx, struct str line, bool too_long)
{
  static struct replay_side before, now;
  struct command *c = ctx;
  struct record_finding shown[BEHAVIOUR_FINDINGS];
  struct vdt_error err = {0};
  size_t n = 0;
  before = now = (struct replay_side){0};
  c->r.id = (struct str){0};
  c->r.how = "";
  vdt_arena_reset(c->r.arena);
  c->line++;
  c->lines++;
  if (too_long ? error_set(&err, VDT_ETOOBIG, "the line is longer than %d bytes", LINE_MAX_BYTES)
               : judge(c, line, &before, &now, shown, &n, &err)) {
    put_bad(c, &err);
  } else {
    enum replay_change change = replay_compare(&before, &now);
    c->changes[change]++;
    c->silent += c->r.how[0] == 0;
    for (size_t i = 0; i < n; i++) c->alerts[alert_type_find(shown[i].alert)]++;
    if (!c->summary && (change != REPLAY_SAME || c->all)) put_line(c, change, &before, &now, shown, n);
  }
  if (c->out.n > LINES_READ_BYTES) flush(c);
}

static bool take_file(struct command *c, const char *path)
{
  gzFile f = lines_open(path, "replay");
  if (!f) return false;
  c->line = 0;
  bool ok = lines_read(f, take_line, c);
  ok = lines_close(f, path, "replay", ok);
  return ok;
}

/* ---- stores ----------------------------------------------------------------------------------------------------- */

/* Evidence is opened to be judged again, though nothing of it is shown: a reading like any other. */
static int note_reading(struct command *c, const char *name, struct vdt_error *err)
{
  char who[CLI_WHO];
  if (!replay_keys(&c->r, str_of(name))) return VDT_OK;
  cli_who(who);
  struct store_audit entry = {.time_us = clock_unix_us(),
                              .who = str_of(who),
                              .what = STR("evidence read"),
                              .target = str_of(name),
                              .detail = STR("all that is stored, by vedette replay")};
  return c->store->ops->put_audit(c->store, &entry, err);
}

static int take_store(struct command *c, const char *name)
{
  struct vdt_error err = {0};
  struct alert_place place = {.workspace = str_of(name)};
  struct store_place at = {0};
  struct vdt_arena *page = vdt_arena_new((size_t)1 << 30);
  struct str *records;
  size_t n = 1;
  if (c->since) cli_since(c->since, &at.time_us);
  int rc = page ? store_open_sqlite(c->state, &place, false, &c->store, &err) : error_set(&err, VDT_ENOMEM, "out of memory");
  if (!rc) rc = note_reading(c, name, &err);
  while (!rc && n) {
    vdt_arena_reset(page);
    rc = c->store->ops->list_records(c->store, &at, PAGE, page, &records, &n, &err);
    for (size_t i = 0; !rc && i < n; i++) take_line(c, records[i], false);
  }
  if (rc) fprintf(stderr, "vedette replay: workspace %.63s: %s\n", name, err.text);
  store_close(c->store);
  c->store = NULL;
  vdt_arena_free(page);
  return rc;
}

static int by_name(const struct dirent *e)
{
  return store_name_ok(str_of(e->d_name));
}

static bool take_stores(struct command *c)
{
  char path[4096];
  struct dirent **names;
  if (c->workspace) return take_store(c, c->workspace) == VDT_OK;
  snprintf(path, sizeof path, "%s/workspaces", c->state);
  int n = scandir(path, &names, by_name, alphasort), rc = VDT_OK;
  if (n < 0) return cli_state_missing("replay", c->state, "workspaces", errno), false;
  for (int i = 0; i < n; i++) {
    if (!rc) rc = take_store(c, names[i]->d_name);
    free(names[i]);
  }
  free(names);
  return rc == VDT_OK;
}

/* ---- end -------------------------------------------------------------------------------------------------------- */

static uint64_t different(const struct command *c)
{
  return c->changes[REPLAY_STRICTER] + c->changes[REPLAY_LOOSER] + c->changes[REPLAY_OTHER];
}

static void say_summary(const struct command *c)
{
  fprintf(stderr, "%llu line%s: %llu would be treated in another way (%llu more strictly, %llu less, %llu both)",
          (unsigned long long)c->lines, c->lines == 1 ? "" : "s", (unsigned long long)different(c),
          (unsigned long long)c->changes[REPLAY_STRICTER], (unsigned long long)c->changes[REPLAY_LOOSER],
          (unsigned long long)c->changes[REPLAY_OTHER]);
  if (c->silent) fprintf(stderr, "; %llu records hold nothing that could be judged again", (unsigned long long)c->silent);
  if (c->bad) fprintf(stderr, "; %llu could not be read", (unsigned long long)c->bad);
  fprintf(stderr, "\n");
  for (unsigned t = 0; t < ALERT_TYPES; t++)
    if (c->alerts[t])
      fprintf(stderr, "behaviour: %s would be raised %llu time%s\n", alert_info((enum alert_type)t)->type,
              (unsigned long long)c->alerts[t], c->alerts[t] == 1 ? "" : "s");
}

static int run(struct command *c, char **files, int n)
{
  static char standard_input[] = "-";
  bool ok = true;
  if (c->state) ok = take_stores(c);
  for (int i = 0; i < n || (n == 0 && i == 0 && !c->state); i++) ok &= take_file(c, n ? files[i] : standard_input);
  ok &= flush(c) && fflush(stdout) == 0;
  if (c->r.key && c->r.keys_of[0] && !c->r.keys.keys)
    cli_complain("replay", &c->r.keys.err); /* it was asked for, and is missed */
  say_summary(c);
  return !ok || c->bad ? CLI_USAGE : different(c) ? 1 : 0;
}

int cmd_replay(int argc, char **argv)
{
  static struct command c;
  const char *before = NULL;
  struct vdt_error err = {0};
  const struct cli_option known[] = {{"config", CLI_TEXT, &c.config_file}, {"deployment", CLI_TEXT, &c.deployment},
                                     {"format", CLI_TEXT, &c.format},      {"before", CLI_TEXT, &before},
                                     {"state", CLI_TEXT, &c.state},        {"workspace", CLI_TEXT, &c.workspace},
                                     {"since", CLI_TEXT, &c.since},        {"all", CLI_FLAG, &c.all},
                                     {"summary", CLI_FLAG, &c.summary},    {"key", CLI_TEXT, &c.r.key}};
  int n = cli_options(argc, argv, known, sizeof known / sizeof *known);
  if (n < 0) return CLI_USAGE;
  if (c.format && !(c.r.format = wire_format_by_name(str_of(c.format))))
    return cli_usage("replay", "--format: expected openai-chat, openai-responses, anthropic or another of `vedette help scan`");
  uint64_t since;
  if (c.since && !cli_since(c.since, &since))
    return cli_usage("replay", "--since: expected 90s, 15m, 12h, 7d, or a time such as 2026-11-25T15:46:15Z");
  if ((c.since || c.workspace) && !c.state)
    return cli_usage("replay", "--since and --workspace are about the records of a --state DIR");
  if (!cli_key_source("replay", c.r.key)) return CLI_USAGE;
  if (c.state && stores_know("replay", c.state, c.workspace)) return CLI_USAGE;
  if (before && n > 1) return cli_usage("replay", "--before belongs to one file");
  if (before && !(c.before = lines_open(before, "replay"))) return CLI_USAGE;
  c.r.unseal.state = c.state;
  int rc = load(&c, &err);
  rc = rc ? fail(&err, rc) : run(&c, argv + 1, n);
  finish(&c);
  return rc;
}
