/*
 * vedette data sensitive: how often sensitive information was met, by kind, application, user and time. vedette data audit-records: audit records of
 * interactions as JSON Lines. Names in them were written by clients: a table shows them without control characters.
 */
#include "api/audit_record.h"
#include "api/use.h"
#include "base/clock.h"
#include "cli/data.h"
#include "cli/table.h"

enum { RECORDS_AT_ONCE = 500, CELL_MAX = 40 };

struct sensitive {
  const char *state, *workspace, *from, *to, *bucket, *by, *top, *only[STORE_USE_KEYS];
  bool json, table;
  struct stores stores;
  struct vdt_arena *arena;
};

/* ---- table ------------------------------------------------------------------------------------------------------ */

static struct str text_of(const struct store_use *u, unsigned key)
{
  const struct str texts[] = {
#define X(member, column, name, help) u->member,
#include "store/uses.def"
#undef X
  };
  return texts[key].n ? texts[key] : STR("-");
}

/* How wide it is on a terminal, near enough: code points. */
static size_t width_of(struct str text)
{
  struct buf safe = {0};
  size_t n = 0;
  cli_safe(&safe, text);
  for (size_t i = 0; i < safe.n; i++) n += ((unsigned char)safe.p[i] & 0xc0) != 0x80;
  buf_finish(&safe);
  return n;
}

static void put_row(struct table *t, struct buf *b, const struct store_use *u, const unsigned *keys, size_t n, uint64_t step)
{
  char time[CLOCK_TEXT];
  const uint64_t numbers[] = {u->interactions, u->findings, u->requests, u->responses, u->detected, u->redacted, u->stopped};
  clock_format(u->time_us, time);
  time[10] = ' ';
  if (step) table_cell(t, b, (struct str){time, 16});
  for (size_t i = 0; i < n; i++) table_cell(t, b, text_of(u, keys[i]));
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) table_number(t, b, numbers[i]);
}

/* A column of text is as wide as its widest cell. */
static struct table_column column_of(const struct store_use *rows, size_t n, unsigned key)
{
  static const char *const titles[] = {
#define X(member, column, name, help) name,
#include "store/uses.def"
#undef X
  };
  struct table_column c = {titles[key], (unsigned)strlen(titles[key]), 4, false, false};
  for (size_t i = 0; i < n; i++) {
    size_t w = width_of(text_of(&rows[i], key));
    if (w > c.width) c.width = w < CELL_MAX ? (unsigned)w : CELL_MAX;
  }
  return c;
}

/* Time where it is asked for, what is counted by, and the counts. Returns how many; keys: of those that are text. */
static size_t choose_columns(const struct store_use *rows, size_t n, const struct store_use_query *q,
                             struct table_column columns[TABLE_COLUMNS], unsigned keys[STORE_USE_KEYS], size_t *n_keys)
{
  static const struct table_column counts[] = {{"INTERACTIONS", 12, 3, true, false}, {"FINDINGS", 8, 3, true, false},
                                               {"IN REQUESTS", 11, 3, true, false},  {"IN ANSWERS", 10, 3, true, false},
                                               {"DETECTED", 8, 3, true, false},      {"REDACTED", 8, 3, true, false},
                                               {"STOPPED", 7, 3, true, false}};
  size_t k = 0;
  *n_keys = 0;
  if (q->step_us) columns[k++] = (struct table_column){"TIME (UTC)", 16, 5, false, false};
  for (unsigned key = 0; key < STORE_USE_KEYS; key++) {
    if (!(q->by & 1u << key)) continue;
    columns[k++] = column_of(rows, n, key);
    keys[(*n_keys)++] = key;
  }
  memcpy(columns + k, counts, sizeof counts);
  return k + sizeof counts / sizeof *counts;
}

static int show_table(struct sensitive *d, const struct use_question *u)
{
  struct table_column columns[TABLE_COLUMNS];
  struct table t;
  unsigned keys[STORE_USE_KEYS];
  struct vdt_error err = {0};
  struct store_use *rows;
  struct buf b = {0};
  size_t n, n_keys;
  bool more;
  if (use_gather(d->stores.v, d->stores.n, &u->q, d->arena, &rows, &n, &more, &err)) return cli_complain("data", &err);
  size_t k = choose_columns(rows, n, &u->q, columns, keys, &n_keys);
  table_begin(&t, columns, k);
  if (n) table_head(&t, &b);
  else BUF_LIT(&b, "No sensitive information in that time.\n");
  for (size_t i = 0; i < n; i++) put_row(&t, &b, &rows[i], keys, n_keys, u->q.step_us);
  if (more) fprintf(stderr, "vedette data: there are more rows; name a shorter time, or fewer columns with --by\n");
  return cli_flush(&b) ? 0 : 1;
}

/* ---- sensitive -------------------------------------------------------------------------------------------------- */

static int show_json(struct sensitive *d, const struct use_question *u)
{
  struct vdt_error err = {0};
  struct buf b = {0};
  if (use_put_json(d->stores.v, d->stores.n, u, d->arena, &b, &err)) {
    buf_finish(&b);
    return cli_complain("data", &err);
  }
  buf_byte(&b, '\n');
  return cli_flush(&b) ? 0 : 1;
}

/* "7d" is a time before now here, as for other commands; the API wants the time itself. */
static bool absolute(const char *text, char out[CLOCK_TEXT], struct str *word)
{
  uint64_t us;
  *word = str_of(text);
  if (!text || word->n == 10 || clock_parse(word->p, word->n)) return true;
  if (!cli_since(text, &us)) return false;
  clock_format(us, out);
  *word = str_of(out);
  return true;
}

static int ask(const struct sensitive *d, struct use_question *q)
{
  char from[CLOCK_TEXT], to[CLOCK_TEXT];
  struct vdt_error err = {0};
  struct use_words w = {.bucket = str_of(d->bucket ? d->bucket : "total"), .by = str_of(d->by), .top = str_of(d->top)};
  if (!absolute(d->from, from, &w.from) || !absolute(d->to, to, &w.to))
    return cli_usage("data", "--since and --until: expected 12h, 7d, a day, or a time such as 2026-11-25T15:46:15Z");
#define X(member, column, name, help) w.only.member = str_of(d->only[STORE_USE_AT_##member]);
#include "store/uses.def"
#undef X
  uint64_t since, until;
  if (d->from && d->to && cli_since(d->from, &since) && cli_since(d->to, &until) && since >= until)
    return cli_usage("data", "--since is not before --until");
  return use_ask(&w, clock_unix_us(), q, &err) ? cli_usage("data", "--%s", err.text) : 0;
}

static int run_sensitive(struct sensitive *d)
{
  struct use_question q;
  int rc = ask(d, &q);
  if (!rc) rc = stores_open(&d->stores, "data", cli_state(d->state), d->workspace);
  if (rc) return rc;
  return cli_as_table(d->table, d->json) ? show_table(d, &q) : show_json(d, &q);
}

int data_sensitive(int argc, char **argv)
{
  struct sensitive d = {0};
  const struct cli_option options[] = {
#define X(member, column, name, help) {name, CLI_TEXT, &d.only[STORE_USE_AT_##member]},
#include "store/uses.def"
#undef X
      {"state", CLI_TEXT, &d.state}, {"workspace", CLI_TEXT, &d.workspace}, {"since", CLI_TEXT, &d.from},
      {"until", CLI_TEXT, &d.to},    {"bucket", CLI_TEXT, &d.bucket},       {"by", CLI_TEXT, &d.by},
      {"top", CLI_TEXT, &d.top},     {"json", CLI_FLAG, &d.json},           {"table", CLI_FLAG, &d.table}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  if (n) return cli_usage("data", "sensitive takes options only");
  d.arena = vdt_arena_new((size_t)1 << 30);
  int rc = d.arena ? run_sensitive(&d) : (fprintf(stderr, "vedette data: out of memory\n"), 1);
  stores_close(&d.stores);
  vdt_arena_free(d.arena);
  return rc;
}

/* ---- audit records ---------------------------------------------------------------------------------------------- */

static int write_records(const struct stores *s, const struct audit_record_query *q, struct store_place *at)
{
  struct vdt_arena *arena = vdt_arena_new((size_t)256 << 20);
  struct vdt_error err = {0};
  struct buf b = {0};
  bool more = true;
  size_t n;
  int rc = arena ? 0 : 1;
  while (!rc && more) {
    vdt_arena_reset(arena);
    rc = audit_records_put(s->v, s->n, q, at, RECORDS_AT_ONCE, arena, &b, &n, &more, &err);
    if (rc) rc = cli_complain("data", &err);
    else if (n && !cli_flush(&b)) rc = 1;
  }
  buf_finish(&b);
  vdt_arena_free(arena);
  return rc;
}

int data_audit_records(int argc, char **argv)
{
  const char *state = NULL, *workspace = NULL, *from = NULL, *to = NULL, *user = NULL, *application = NULL;
  const struct cli_option options[] = {{"state", CLI_TEXT, &state}, {"workspace", CLI_TEXT, &workspace},
                                       {"since", CLI_TEXT, &from},  {"until", CLI_TEXT, &to},
                                       {"user", CLI_TEXT, &user},   {"application", CLI_TEXT, &application}};
  struct store_place at = {0};
  struct stores stores = {0};
  struct audit_record_query q = {0};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  if (n) return cli_usage("data", "audit-records takes options only");
  if ((from && !cli_since(from, &at.time_us)) || (to && !cli_since(to, &q.to_us)))
    return cli_usage("data", "--since and --until: expected 12h, 7d, a day, or a time such as 2026-11-25T15:46:15Z");
  q.user = str_of(user);
  q.application = str_of(application);
  int rc = stores_open(&stores, "data", cli_state(state), workspace);
  if (!rc) rc = write_records(&stores, &q, &at);
  stores_close(&stores);
  return rc;
}
