/* vedette feeds: what threat-intelligence feeds say and how old it is, as serve wrote it down; and what is in a feed's file. Changes nothing. */
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "intel/feed.h"
#include <errno.h>
#include <unistd.h>

enum { STATUS_MAX = 1 << 20 };

/* ---- status ------------------------------------------------------------------------------------------------------ */

struct row {
  struct str name, kind, from, loaded, error;
  uint64_t entries;
  bool stale;
};

static bool read_row(const struct json_doc *d, uint32_t o, struct vdt_arena *arena, struct row *r)
{
  *r = (struct row){.stale = json_is(d, json_get(d, o, "stale"), JSON_TRUE)};
  json_u64(d, json_get(d, o, "entries"), &r->entries);
  return json_string(d, json_get(d, o, "name"), arena, &r->name) && json_string(d, json_get(d, o, "kind"), arena, &r->kind) &&
         json_string(d, json_get(d, o, "from"), arena, &r->from) && json_string(d, json_get(d, o, "loaded"), arena, &r->loaded) &&
         json_string(d, json_get(d, o, "error"), arena, &r->error);
}

static void put_age(struct str loaded, char age[32])
{
  uint64_t then = loaded.n ? clock_parse(loaded.p, loaded.n) : 0, now = clock_unix_us();
  uint64_t minutes = then && now > then ? (now - then) / 60000000 : 0;
  if (!then) snprintf(age, 32, "never");
  else if (minutes < 120) snprintf(age, 32, "%llu min", (unsigned long long)minutes);
  else if (minutes < 2880) snprintf(age, 32, "%llu h", (unsigned long long)minutes / 60);
  else snprintf(age, 32, "%llu d", (unsigned long long)minutes / 1440);
}

/* Why a feed failed is what this is looked at for: it is never cut. */
static const struct table_column columns[] = {{"FEED", 24, 6, false, false}, {"KIND", 9, 4, false, false},
                                              {"FROM", 4, 4, false, false},  {"ENTRIES", 9, 4, true, false},
                                              {"AGE", 8, 5, true, false},    {"STATE", 5, 5, false, true}};

static void put_row(struct table *t, struct buf *b, const struct row *r)
{
  char age[32];
  struct buf state = {0};
  put_age(r->loaded, age);
  buf_put(&state, r->error.n ? STR("failed: ") : r->stale ? STR("stale") : STR("ok"));
  buf_put(&state, r->error);
  b->failed |= state.failed;
  table_cell(t, b, r->name);
  table_cell(t, b, r->kind);
  table_cell(t, b, r->from);
  table_number(t, b, r->entries);
  table_cell(t, b, str_of(age));
  table_cell(t, b, buf_str(&state));
  buf_finish(&state);
}

/* The exit status: 1 when a feed is stale or could not be read. */
static int show(struct str text, bool json, struct vdt_error *err)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  struct json_doc d;
  int rc = arena ? json_parse(arena, text, &JSON_LIMITS_DEFAULT, &d, err) : error_set(err, VDT_ENOMEM, "out of memory");
  struct table t;
  struct buf b = {0};
  bool bad = false;
  if (!rc && json) fwrite(text.p, 1, text.n, stdout);
  table_begin(&t, columns, sizeof columns / sizeof *columns);
  if (!rc && !json) table_head(&t, &b);
  uint32_t list = rc ? 0 : json_get(&d, 0, "feeds");
  for (uint32_t o = list ? json_first(&d, list) : 0; o; o = json_next(&d, list, o)) {
    struct row r;
    if (!read_row(&d, o, arena, &r)) continue;
    bad |= r.stale || r.error.n;
    if (!json) put_row(&t, &b, &r);
  }
  if (!rc && !json && json_is(&d, json_get(&d, 0, "builtIn"), JSON_TRUE))
    buf_printf(&b, "%-*s  the list that comes with vedette\n", (int)t.widths[0], "built-in");
  if (!cli_flush(&b) && !rc) rc = error_set(err, VDT_EIO, "standard output cannot be written");
  vdt_arena_free(arena);
  return rc ? cli_complain("feeds", err) : bad;
}

static int status(const char *state, bool json)
{
  char path[4096];
  struct buf text = {0};
  struct vdt_error err = {0};
  snprintf(path, sizeof path, "%s/feeds/status.json", cli_state(state));
  if (access(path, R_OK)) return cli_state_missing("feeds", cli_state(state), "feeds/status.json", errno);
  int rc = file_read(path, STATUS_MAX, &text, &err) ? cli_complain("feeds", &err) : show(buf_str(&text), json, &err);
  buf_finish(&text);
  return rc;
}

/* ---- check ------------------------------------------------------------------------------------------------------- */

static bool choose_format(const char *name, enum feed_format *out)
{
  static const char *const names[] = {
#define X(id, name, help) name,
#include "intel/formats.def"
#undef X
  };
  for (unsigned i = 0; i < FEED_FORMATS; i++)
    if (strcmp(names[i], name) == 0) {
      *out = (enum feed_format)i;
      return true;
    }
  return false;
}

static int check(const char *path, enum feed_format format, const char *column)
{
  struct buf text = {0};
  struct vdt_error err = {0};
  struct intel_section section = {0};
  struct feed_report report = {0};
  struct feed_reading how = {path, format, str_of(column), clock_unix_us()};
  int rc = file_read(path, FEED_BYTES_MAX, &text, &err);
  if (!rc) rc = feed_read(&how, text.n ? buf_str(&text) : STR(""), &section, &report, &err);
  if (!rc) {
    cli_print_safe(stdout, str_of(path));
    printf(": %zu address range%s, %zu name%s; %llu left out, %llu unreadable", section.n_ranges,
           section.n_ranges == 1 ? "" : "s", section.n_names, section.n_names == 1 ? "" : "s", (unsigned long long)report.ignored,
           (unsigned long long)report.unreadable);
    if (report.first_line) printf(", the first at %u", report.first_line);
    printf("\n");
  }
  intel_section_finish(&section);
  buf_finish(&text);
  return rc ? cli_complain("feeds", &err) : 0;
}

int cmd_feeds(int argc, char **argv)
{
  const char *state = NULL, *format = "auto", *column = NULL;
  bool json = false, table = false;
  enum feed_format how;
  const struct cli_option options[] = {{"state", CLI_TEXT, &state},
                                       {"json", CLI_FLAG, &json},
                                       {"table", CLI_FLAG, &table},
                                       {"format", CLI_TEXT, &format},
                                       {"column", CLI_TEXT, &column}};
  int left = cli_options(argc, argv, options, sizeof options / sizeof *options), rc = 0;
  if (left < 0) return CLI_USAGE;
  if (!choose_format(format, &how)) return cli_usage("feeds", "--format %.40s: expected auto, plain, csv or stix", format);
  if (left == 0) return status(state, json && !table);
  if (strcmp(argv[1], "check") == 0 && left < 2) return cli_usage("feeds", "check takes files");
  if (strcmp(argv[1], "check") != 0)
    return cli_usage("feeds", "what is \"%.40s\"? Expected nothing, or check and files", argv[1]);
  for (int i = 2; i <= left; i++) rc |= check(argv[i], how, column);
  return rc;
}
