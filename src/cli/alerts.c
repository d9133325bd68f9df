/* vedette alerts: lists, shows and closes alerts, directly on the stores of a state folder. Everything that is shown was written by others. */
#include "analyse/alert.h"
#include "api/arm.h"
#include "base/clock.h"
#include "cli/alerts.h"
#include "cli/cli.h"
#include "store/store.h"
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <unistd.h>

enum { STORES_MAX = 64 };

struct alerts {
  const char *state, *workspace, *type, *status;
  bool json, table, markdown;
  unsigned limit;
  struct store *stores[STORES_MAX];
  size_t n_stores;
  struct vdt_arena *arena;
};

/* ---- stores ----------------------------------------------------------------------------------------------------- */

static int open_store(struct alerts *a, const char *name)
{
  struct vdt_error err = {0};
  struct alert_place place = {.workspace = str_of(name)};
  if (a->n_stores == STORES_MAX) return 0;
  int rc = store_open_sqlite(a->state, &place, false, &a->stores[a->n_stores], &err);
  if (rc) {
    fprintf(stderr, "vedette alerts: workspace %.63s: %s\n", name, err.text);
    return rc == VDT_ENOTFOUND ? 2 : 1;
  }
  a->n_stores++;
  return 0;
}

static int by_name(const struct dirent *e)
{
  return store_name_ok(str_of(e->d_name));
}

static int open_stores(struct alerts *a)
{
  char path[4096];
  struct dirent **names;
  if (a->workspace) return open_store(a, a->workspace);
  snprintf(path, sizeof path, "%s/workspaces", a->state);
  int n = scandir(path, &names, by_name, alphasort), rc = 0;
  if (n < 0) {
    fprintf(stderr,
            "vedette alerts: %s: %s\nName the state folder with --state DIR; `vedette run` and `vedette serve` make one.\n", path,
            strerror(errno));
    return 2;
  }
  for (int i = 0; i < n; i++) {
    if (!rc) rc = open_store(a, names[i]->d_name);
    free(names[i]);
  }
  free(names);
  return rc;
}

static int by_alert_name(const void *x, const void *y)
{
  return memcmp(((const struct alert *)x)->name, ((const struct alert *)y)->name, ALERT_NAME_LEN);
}

/* The alerts of all stores, newest first. */
static int gather(struct alerts *a, const struct store_query *q, struct alert **out, size_t *n)
{
  struct vdt_error err = {0};
  struct alert *all = arena_zalloc(a->arena, a->n_stores * q->limit + 1, sizeof *all), *some;
  size_t m, total = 0;
  if (!all) return fprintf(stderr, "vedette alerts: out of memory; ask for fewer with --limit\n"), 1;
  for (size_t i = 0; i < a->n_stores; i++) {
    if (a->stores[i]->ops->list(a->stores[i], q, a->arena, &some, &m, &err))
      return fprintf(stderr, "vedette alerts: %s\n", err.text), 1;
    if (m) memcpy(all + total, some, m * sizeof *all);
    total += m;
  }
  qsort(all, total, sizeof *all, by_alert_name);
  *out = all;
  *n = total < q->limit ? total : q->limit;
  return 0;
}

/* ---- list ------------------------------------------------------------------------------------------------------- */

static const char *severity_colour(enum vdt_severity s)
{
  return s == VDT_HIGH ? "\033[31m" : s == VDT_MEDIUM ? "\033[33m" : "\033[36m";
}

/* At most `width` bytes of safe text, cut at a character, padded. */
static void put_cell(struct buf *b, struct str text, size_t width)
{
  struct buf safe = {0};
  cli_safe(&safe, text);
  size_t n = safe.n < width ? safe.n : width;
  while (n < safe.n && n && ((unsigned char)safe.p[n] & 0xc0) == 0x80) n--;
  if (n) buf_put(b, (struct str){safe.p, n});
  buf_printf(b, "%*s", (int)(width - n) + 2, "");
  buf_finish(&safe);
}

static void put_row(struct buf *b, const struct alert *a, bool colour)
{
  const struct alert_info *info = alert_info(a->type);
  char time[CLOCK_TEXT];
  clock_format(a->end_us, time);
  buf_printf(b, "%.8s  ", a->name + 20);
  buf_printf(b, "%.10s %.8s  ", time, time + 11);
  buf_printf(b, "%s%-8s%s  ", colour ? severity_colour(info->severity) : "", vdt_severity_name(info->severity),
             colour ? "\033[0m" : "");
  buf_printf(b, "%-10s  %5llu  ", alert_status_name(a->status), (unsigned long long)a->count);
  put_cell(b, a->x.deployment, 16);
  put_cell(b, a->principal, 24);
  buf_put(b, str_of(info->title));
  buf_byte(b, '\n');
}

static bool flush(struct buf *b)
{
  bool ok = !b->failed && fwrite(b->p, 1, b->n, stdout) == b->n && fflush(stdout) == 0;
  buf_finish(b);
  return ok;
}

static int print_list(const struct alerts *a, const struct alert *list, size_t n)
{
  struct buf b = {0};
  bool table = a->table || (!a->json && isatty(STDOUT_FILENO));
  if (table && n == 0) BUF_LIT(&b, "No alerts.\n");
  if (table && n)
    buf_printf(&b, "%-8s  %-19s  %-8s  %-10s  %5s  %-16s  %-24s  %s\n", "ID", "LAST EVENT (UTC)", "SEVERITY", "STATUS", "COUNT",
               "DEPLOYMENT", "WHO", "WHAT");
  for (size_t i = 0; i < n; i++) {
    if (table) {
      put_row(&b, &list[i], cli_colour(stdout));
    } else {
      arm_put_alert(&b, &list[i]);
      buf_byte(&b, '\n');
    }
  }
  return flush(&b) ? 0 : 1;
}

static int do_list(struct alerts *a)
{
  struct store_query q = STORE_QUERY_ALL;
  struct alert *list;
  size_t n;
  q.limit = a->limit < 100000 ? a->limit : 100000;
  if (a->type && (q.type = alert_type_find(str_of(a->type))) == ALERT_TYPES) {
    fprintf(stderr, "vedette alerts: --type: there is no such type; there are:\n");
    for (unsigned t = 0; t < ALERT_TYPES; t++) fprintf(stderr, "  %s\n", alert_info((enum alert_type)t)->type);
    return CLI_USAGE;
  }
  if (a->status && (q.status = alert_status_find(str_of(a->status))) == ALERT_STATUSES)
    return cli_usage("alerts", "--status: expected Active, InProgress, Resolved or Dismissed");
  int rc = gather(a, &q, &list, &n);
  return rc ? rc : print_list(a, list, n);
}

/* ---- show ------------------------------------------------------------------------------------------------------- */

static void put_safe_line(struct buf *b, const char *title, struct str value)
{
  if (!value.n) return;
  buf_printf(b, "  %-18s ", title);
  cli_safe(b, value);
  buf_byte(b, '\n');
}

static void put_items(struct buf *b, const char *list, const char *before, const char *after)
{
  for (const char *p = list; *p;) {
    size_t n = strcspn(p, "|");
    buf_printf(b, "%s%.*s%s", before, (int)n, p, after);
    p += n + (p[n] == '|');
  }
}

static void put_what(struct buf *b, const struct alert *a)
{
  const struct alert_info *info = alert_info(a->type);
  char first[CLOCK_TEXT], last[CLOCK_TEXT];
  clock_format(a->start_us, first);
  clock_format(a->end_us, last);
  buf_printf(b, "%s\n%s, %s, %s\n%.*s\n\n%s\n\n", info->title, vdt_severity_name(info->severity), alert_status_name(a->status),
             info->type, ALERT_NAME_LEN, a->name, info->description);
  buf_printf(b, "It happened %llu time%s at deployment ", (unsigned long long)a->count, a->count == 1 ? "" : "s");
  cli_safe(b, a->x.deployment);
  buf_printf(b, ", first on %.10s at %.8s", first, first + 11);
  if (a->end_us != a->start_us) buf_printf(b, " and last on %.10s at %.8s", last, last + 11);
  buf_printf(b, " (UTC). The confidence is %u of 100.", a->confidence);
  if (a->x.found.n) {
    BUF_LIT(b, " Found: ");
    cli_safe(b, a->x.found);
    BUF_LIT(b, ".");
  }
  BUF_LIT(b, "\n\nTactics\n");
  put_items(b, info->tactics, "  ", "\n");
  BUF_LIT(b, "Techniques\n");
  put_items(b, info->techniques, "  ATT&CK ", "\n");
  put_items(b, info->atlas, "  ATLAS ", "\n");
}

static void put_who(struct buf *b, const struct alert *a)
{
  BUF_LIT(b, "\nWho and where\n");
  put_safe_line(b, "Workspace", a->workspace);
  put_safe_line(b, "Resource", a->resource_id);
#define X(member, name, title, combine) put_safe_line(b, title, a->x.member);
#include "analyse/extended.def"
#undef X
}

static void put_evidence(struct buf *b, const struct alert *a)
{
  buf_printf(b, "\nEvidence (%zu of %llu)\n", a->n_evidence, (unsigned long long)a->evidence_total);
  for (size_t i = 0; i < a->n_evidence; i++) {
    const struct alert_evidence *e = &a->evidence[i];
    char time[CLOCK_TEXT];
    clock_format(e->time_us, time);
    buf_printf(b, "  %.10s %.8s  ", time, time + 11);
    cli_safe(b, e->rule);
    BUF_LIT(b, " in ");
    cli_safe(b, e->part);
    buf_printf(b, ", confidence %u, interaction %s\n", e->confidence, e->interaction);
    const struct {
      const char *title;
      struct str text;
    } more[] = {
        {"why", e->reason}, {"masked", e->redacted}, {"segment", e->segment}, {"encoded in", e->layers}, {"decoded", e->decoded}};
    for (size_t m = 0; m < sizeof more / sizeof *more; m++) {
      if (!more[m].text.n) continue;
      buf_printf(b, "    %s: ", more[m].title);
      cli_safe(b, more[m].text);
      buf_byte(b, '\n');
    }
  }
}

static void put_said(struct buf *b, const struct alert_change *c)
{
  if (c->classification.n) {
    BUF_LIT(b, ", ");
    cli_safe(b, c->classification);
  }
  if (!c->comment.n) return;
  BUF_LIT(b, ": ");
  cli_safe(b, c->comment);
}

static void put_history(struct buf *b, const struct alert *a)
{
  BUF_LIT(b, "\nWhat to do\n");
  put_items(b, alert_info(a->type)->remediation, "  - ", "\n");
  BUF_LIT(b, "\nHistory\n");
  char time[CLOCK_TEXT];
  clock_format(a->generated_us, time);
  buf_printf(b, "  %.10s %.8s  raised\n", time, time + 11);
  for (size_t i = 0; i < a->n_history; i++) {
    const struct alert_change *c = &a->history[i];
    clock_format(c->time_us, time);
    buf_printf(b, "  %.10s %.8s  ", time, time + 11);
    if (c->from != c->to) buf_printf(b, "%s -> %s by ", alert_status_name(c->from), alert_status_name(c->to));
    else BUF_LIT(b, "a word by ");
    cli_safe(b, c->who);
    put_said(b, c);
    buf_byte(b, '\n');
  }
}

static int do_show(const struct alerts *a, const struct alert *alert)
{
  struct buf b = {0};
  if (a->json) {
    arm_put_alert(&b, alert);
    buf_byte(&b, '\n');
  } else {
    put_what(&b, alert);
    put_who(&b, alert);
    put_evidence(&b, alert);
    put_history(&b, alert);
  }
  return flush(&b) ? 0 : 1;
}

/* ---- one alert -------------------------------------------------------------------------------------------------- */

static int find_one(struct alerts *a, const char *id, struct alert **out)
{
  struct store_query q = STORE_QUERY_ALL;
  size_t n;
  q.part = str_of(id);
  q.limit = 2;
  int rc = q.part.n ? gather(a, &q, out, &n) : cli_usage("alerts", "an empty ID names no alert");
  if (rc) return rc;
  if (n == 1) return 0;
  fprintf(stderr, n ? "vedette alerts: more than one alert has an ID like \"" : "vedette alerts: no alert has an ID like \"");
  cli_print_safe(stderr, str_of(id));
  fprintf(stderr, n ? "\"; give more of it\n" : "\"; `vedette alerts list` shows them\n");
  return 1;
}

static int do_status(struct alerts *a, const struct alert *alert, enum alert_status status)
{
  struct vdt_error err = {0};
  char who[80];
  const struct passwd *pw = getpwuid(getuid());
  if (pw) snprintf(who, sizeof who, "cli:%.60s", pw->pw_name);
  else snprintf(who, sizeof who, "cli:uid %u", (unsigned)getuid());
  for (size_t i = 0; i < a->n_stores; i++) {
    struct store *s = a->stores[i];
    if (!str_eq(s->place.workspace, alert->workspace)) continue;
    struct store_change change = {.status = status, .who = str_of(who), .time_us = clock_unix_us()};
    if (s->ops->change(s, (struct str){alert->name, ALERT_NAME_LEN}, &change, &err))
      return fprintf(stderr, "vedette alerts: %s\n", err.text), 1;
    return printf("%.*s %s\n", ALERT_NAME_LEN, alert->name, alert_status_name(status)) > 0 ? 0 : 1;
  }
  return 1;
}

struct verb {
  const char *name;
  int status; /* -1: shows it */
};

static int do_one(struct alerts *a, const struct verb *verb, const char *id)
{
  struct alert *alert;
  int rc = find_one(a, id, &alert);
  if (rc) return rc;
  return verb->status < 0 ? do_show(a, alert) : do_status(a, alert, (enum alert_status)verb->status);
}

static int dispatch(struct alerts *a, int n, char **words)
{
  static const struct verb verbs[] = {{"show", -1},
                                      {"resolve", ALERT_RESOLVED},
                                      {"dismiss", ALERT_DISMISSED},
                                      {"activate", ALERT_ACTIVE},
                                      {"progress", ALERT_IN_PROGRESS}};
  bool list = n == 0 || strcmp(words[0], "list") == 0;
  const struct verb *verb = NULL;
  for (size_t i = 0; n && i < sizeof verbs / sizeof *verbs; i++)
    if (strcmp(words[0], verbs[i].name) == 0) verb = &verbs[i];
  if (n && strcmp(words[0], "types") == 0)
    return n == 1 ? alerts_types(a->type, a->json, a->table, a->markdown) : cli_usage("alerts", "types takes options only");
  if (!list && !verb) return cli_usage("alerts", "expected list, show, types, resolve, dismiss, activate or progress");
  if (list && n > 1) return cli_usage("alerts", "list takes options only");
  if (verb && n != 2) return cli_usage("alerts", "%s takes one ID", verb->name);
  int rc = open_stores(a);
  if (rc) return rc;
  return list ? do_list(a) : do_one(a, verb, words[1]);
}

int cmd_alerts(int argc, char **argv)
{
  struct alerts a = {.limit = 1000};
  const struct cli_option options[] = {{"state", CLI_TEXT, &a.state},       {"workspace", CLI_TEXT, &a.workspace},
                                       {"type", CLI_TEXT, &a.type},         {"status", CLI_TEXT, &a.status},
                                       {"json", CLI_FLAG, &a.json},         {"table", CLI_FLAG, &a.table},
                                       {"markdown", CLI_FLAG, &a.markdown}, {"limit", CLI_NUMBER, &a.limit}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  a.state = cli_state(a.state);
  a.arena = vdt_arena_new((size_t)1 << 30);
  if (!a.arena) return fprintf(stderr, "vedette alerts: out of memory\n"), 1;
  int rc = dispatch(&a, n, argv + 1);
  for (size_t i = 0; i < a.n_stores; i++) store_close(a.stores[i]);
  vdt_arena_free(a.arena);
  return rc;
}
