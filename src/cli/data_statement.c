/* vedette data statement: what is kept where, for whom, how long, and what leaves. vedette data verify: whether that is all. */
#include "api/statement.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/quote.h"
#include "cli/data.h"
#include "data/verify.h"

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
  if (statement_readers(d->state, d->config, d->arena, &readers, &n, &err)) return cli_complain("data", &err);
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

/* ---- verify ------------------------------------------------------------------------------------------------------- */

struct report {
  struct buf out;
  bool json;
};

static void take_fault(void *ctx, enum data_fault fault, struct str place, struct str detail)
{
  struct report *r = ctx;
  struct buf *b = &r->out;
  if (r->json) {
    buf_printf(b, "{\"fault\":\"%s\",\"place\":", data_fault_name(fault));
    json_quote(b, place);
    BUF_LIT(b, ",\"detail\":");
    json_quote(b, detail);
    buf_printf(b, ",\"todo\":\"%s\"}\n", data_fault_todo(fault));
  } else {
    buf_printf(b, "%s: ", data_fault_name(fault));
    cli_safe(b, place);
    buf_printf(b, ": %s%s", data_fault_text(fault), detail.n ? ": " : "");
    cli_safe(b, detail);
    buf_byte(b, '\n');
  }
  if (b->n > 65536) cli_flush(b);
}

static int verify(struct statement *d, const char *since)
{
  struct data_input in;
  struct data_statement s;
  struct vdt_error err = {0};
  struct report r = {.json = d->json};
  struct data_check check = {.found = take_fault, .ctx = &r};
  int rc = gather(d, &in, &s);
  if (rc) return rc;
  if (!d->config_file) check.since_us = data_running_since(d->state);
  if (since && !cli_since(since, &check.since_us))
    return cli_usage("data", "--since: expected 90s, 15m, 12h, 7d, or a time such as 2026-11-25T15:46:15Z");
  if (data_verify(&s, &check, &err)) return buf_finish(&r.out), cli_complain("data", &err);
  bool written = cli_flush(&r.out);
  fprintf(stderr, "vedette data: %llu files, %llu tables, %llu records, %llu lines of journals and logs: %llu fault%s%s\n",
          (unsigned long long)check.files, (unsigned long long)check.tables, (unsigned long long)check.records,
          (unsigned long long)check.lines, (unsigned long long)check.faults, check.faults == 1 ? "" : "s",
          d->config ? "" : "; without a configuration, so deployments and destinations were not checked");
  return check.faults || !written ? 1 : 0;
}

/* ---- verbs -------------------------------------------------------------------------------------------------------- */

static int prepare(struct statement *d, int n, char **words)
{
  if (n > 1) return cli_usage("data", "takes one configuration");
  if (n == 1) d->config_file = words[0];
  d->state = cli_state(d->state);
  d->arena = vdt_arena_new((size_t)1 << 30);
  return d->arena ? 0 : (fprintf(stderr, "vedette data: out of memory\n"), 1);
}

static int finish(struct statement *d, int rc)
{
  stores_close(&d->stores);
  config_free(d->config);
  vdt_arena_free(d->arena);
  return rc;
}

int data_verify_state(int argc, char **argv)
{
  struct statement d = {0};
  const char *since = NULL;
  const struct cli_option options[] = {{"state", CLI_TEXT, &d.state}, {"json", CLI_FLAG, &d.json}, {"since", CLI_TEXT, &since}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  int rc = prepare(&d, n, argv + 1);
  return finish(&d, rc ? rc : verify(&d, since));
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
  if (d.markdown) return write_tables();
  int rc = prepare(&d, n, argv + 1);
  return finish(&d, rc ? rc : write_statement(&d));
}
