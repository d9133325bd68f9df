/* vedette config: says whether a vedette.yaml is right and what it means; teaches the settings. Reads files, changes nothing. */
#include "base/arena.h"
#include "base/file.h"
#include "cli/cli.h"
#include "engine/config.h"

enum { MAX_CONFIG = 4 << 20 };

static int print(const struct buf *b)
{
  if (b->failed) return cli_usage("config", "out of memory");
  return fwrite(b->p, 1, b->n, stdout) == b->n && fflush(stdout) == 0 ? 0 : 1;
}

/* FILE:LINE: message, as compilers say it, so that editors can jump there. */
static int complain(const struct vdt_error *err)
{
  cli_print_safe(stderr, str_of(err->file));
  if (err->line) fprintf(stderr, ":%u", err->line);
  fprintf(stderr, "%s", err->file[0] ? ": " : "vedette config: ");
  cli_print_safe(stderr, str_of(err->text));
  fprintf(stderr, "\n");
  return CLI_USAGE;
}

static int check(const char *path)
{
  struct buf text = {0}, shown = {0};
  struct vdt_error err = {0};
  struct config *config = NULL;
  int rc = file_read(path, MAX_CONFIG, &text, &err);
  if (!rc) rc = config_parse(buf_str(&text), path, &config, &err);
  if (rc) {
    rc = complain(&err);
  } else {
    config_print(config, &shown);
    rc = print(&shown);
  }
  config_free(config);
  buf_finish(&shown);
  buf_finish(&text);
  return rc;
}

static int print_default(void)
{
  struct buf b = {0};
  buf_put(&b, config_default());
  int rc = print(&b);
  buf_finish(&b);
  return rc;
}

static void put_text(struct buf *b, const struct config_setting *s)
{
  buf_printf(b, "%s\n    %s\n    %s%s%s", s->path, s->help, s->type, s->bounds[0] ? ", from " : "", s->bounds);
  if (strcmp(s->initial, "required") == 0) buf_printf(b, "; required\n");
  else buf_printf(b, s->initial[0] ? "; default %s\n" : "; may be left out\n", s->initial);
}

static void put_row(struct buf *b, const struct config_setting *s)
{
  buf_printf(b, "| `%s` | %s | %s%s%s | %s%s%s |\n", s->path, s->help, s->type, s->bounds[0] ? ", from " : "", s->bounds,
             s->initial[0] ? "`" : "", s->initial, s->initial[0] ? "`" : "");
}

/* Every setting, or those whose path holds the word; as a table for docs/configuration.md, or for people. */
static int explain(const char *word, bool markdown)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct buf b = {0};
  struct config_setting s;
  bool any = false;
  if (markdown) BUF_LIT(&b, "| setting | what it is | value | default |\n|---|---|---|---|\n");
  for (size_t i = 0; arena && config_setting_at(i, arena, &s); i++) {
    if (word && str_find(str_of(s.path), str_of(word)) == (size_t)-1) continue;
    if (markdown) put_row(&b, &s);
    else put_text(&b, &s);
    any = true;
  }
  int rc = any ? print(&b) : cli_usage("config", "no setting has that in its name; `vedette config explain` lists all");
  buf_finish(&b);
  vdt_arena_free(arena);
  return rc;
}

int cmd_config(int argc, char **argv)
{
  bool markdown = false;
  const struct cli_option known[] = {{"markdown", CLI_FLAG, &markdown}};
  int n = cli_options(argc, argv, known, 1);
  if (n < 0) return CLI_USAGE;
  const char *verb = n > 0 ? argv[1] : "";
  if (strcmp(verb, "check") == 0 && n == 2) return check(argv[2]);
  if (strcmp(verb, "default") == 0 && n == 1) return print_default();
  if (strcmp(verb, "explain") == 0 && n <= 2) return explain(n == 2 ? argv[2] : NULL, markdown);
  return cli_usage("config", "expected check FILE, default, or explain [WORD]");
}
