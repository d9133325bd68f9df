/* vedette data statement: what is kept where, for whom, how long; and what leaves. */
#include "api/statement.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/data.h"

struct statement {
  const char *state, *config_file;
  bool json, html, markdown;
  struct config *config;
  struct stores stores;
  struct vdt_arena *arena;
};

/* The file that is named, else what runs, else none. */
static int read_config(struct statement *d)
{
  struct vdt_error err = {0};
  struct buf text = {0};
  int rc;
  if (d->config_file) {
    rc = file_read(d->config_file, DATA_CONFIG_MAX, &text, &err);
    if (!rc) rc = config_parse(buf_str(&text), d->config_file, &d->config, &err);
    buf_finish(&text);
  } else {
    rc = data_running_config(d->state, &d->config, &err);
  }
  return rc ? cli_complain("data", &err), CLI_USAGE : 0;
}

static int gather(struct statement *d, struct data_input *in, struct data_statement *s)
{
  struct vdt_error err = {0};
  struct data_reader *readers;
  size_t n;
  int rc = stores_open(&d->stores, "data", d->state, NULL);
  if (rc || (rc = read_config(d))) return rc;
  if (statement_readers(d->state, d->arena, &readers, &n, &err)) return cli_complain("data", &err);
  *in = (struct data_input){.state_dir = d->state,
                            .config = d->config,
                            .stores = d->stores.v,
                            .n_stores = d->stores.n,
                            .all = true,
                            .readers = readers,
                            .n_readers = n,
                            .now_us = clock_unix_us()};
  return data_gather(in, d->arena, s, &err) ? cli_complain("data", &err) : 0;
}

static int write_statement(struct statement *d)
{
  struct data_input in;
  struct data_statement s;
  struct buf b = {0};
  int rc = gather(d, &in, &s);
  if (rc) return rc;
  if (d->json) data_put_json(&s, &b);
  else if (d->html) data_put_html(&s, &b);
  else data_put_text(&s, &b);
  return cli_flush(&b) ? 0 : 1;
}

static int write_tables(void)
{
  struct buf b = {0};
  data_put_markdown(&b);
  return cli_flush(&b) ? 0 : 1;
}

int data_statement(int argc, char **argv)
{
  struct statement d = {0};
  const struct cli_option options[] = {{"state", CLI_TEXT, &d.state},
                                       {"json", CLI_FLAG, &d.json},
                                       {"html", CLI_FLAG, &d.html},
                                       {"markdown", CLI_FLAG, &d.markdown}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  if (d.json + d.html + d.markdown > 1) return cli_usage("data", "one of --json, --html and --markdown");
  if (n > 1) return cli_usage("data", "statement takes one configuration");
  if (d.markdown) return write_tables();
  if (n == 1) d.config_file = argv[1];
  d.state = cli_state(d.state);
  d.arena = vdt_arena_new((size_t)1 << 30);
  if (!d.arena) return fprintf(stderr, "vedette data: out of memory\n"), 1;
  int rc = write_statement(&d);
  stores_close(&d.stores);
  config_free(d.config);
  vdt_arena_free(d.arena);
  return rc;
}
