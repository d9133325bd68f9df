/*
 * vedette retention: how long the workspaces of a state folder keep what, legal holds, and removing things now. It works directly on the stores; the
 * control process may run or not.
 */
#include "api/answer.h"
#include "api/arm.h"
#include "api/keep.h"
#include "base/clock.h"
#include "cli/retention_args.h"
#include "cli/stores.h"
#include "cli/table.h"
#include <sodium.h>

struct retention {
  const char *state, *workspace;
  const char *user, *deployment, *alert, *since, *until, *reason;
  struct cli_list where;
  bool json, table;
  struct stores all;
  struct vdt_arena *arena;
  char who[CLI_WHO];
};

/* ---- stores ----------------------------------------------------------------------------------------------------- */

static int failed(const struct store *s, const struct vdt_error *err)
{
  fprintf(stderr, "vedette retention: workspace %.*s: %s\n", (int)s->place.workspace.n, s->place.workspace.p, err->text);
  return 1;
}

/* All are opened, whichever is meant: some journals are of no single one. */
static bool is_meant(const struct retention *r, const struct store *s)
{
  return !r->workspace || str_eq(s->place.workspace, str_of(r->workspace));
}

static int each(struct retention *r, int (*fn)(struct retention *r, struct store *s))
{
  int rc = 0;
  for (size_t i = 0; i < r->all.n; i++) {
    int one = is_meant(r, r->all.v[i]) ? fn(r, r->all.v[i]) : 0;
    if (one > rc) rc = one;
  }
  return rc;
}

static bool wants_table(const struct retention *r)
{
  return cli_as_table(r->table, r->json);
}

static void put_workspace(struct buf *b, const struct store *s)
{
  BUF_LIT(b, "{\"workspace\":");
  json_quote(b, s->place.workspace);
  api_put_member(b, "region", s->place.region);
}

/* ---- list and set ----------------------------------------------------------------------------------------------- */

static const struct table_column columns[] = {{"WORKSPACE", 16, 6, false, false},
                                              {"REGION", 16, 4, false, false},
                                              {"CLASS", 10, 8, false, false},
                                              {"KEPT", 10, 7, false, false},
                                              {"FROM", 13, 7, false, false}};

static const char *origin(const struct store_keeps *k, unsigned c)
{
  if (k->of[c].set) return "set";
  if (k->workspace && c != STORE_AUDIT) return "set for the workspace";
  return k->of[c].configured ? "configuration" : "default";
}

static int list_one(struct retention *r, struct store *s)
{
  struct vdt_error err = {0};
  struct store_keeps k;
  struct table t;
  struct buf b = {0};
  table_begin(&t, columns, sizeof columns / sizeof *columns);
  if (s->ops->get_keeps(s, &k, &err)) return failed(s, &err);
  for (unsigned c = 0; c < STORE_CLASSES; c++) {
    char kept[STORE_KEEP_TEXT];
    const struct store_class_info *info = store_class_info((enum store_class)c);
    store_keep_write(k.of[c].effective, kept);
    if (wants_table(r)) {
      const struct str cells[] = {s->place.workspace, s->place.region, str_of(info->name), str_of(kept), str_of(origin(&k, c))};
      for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) table_cell(&t, &b, cells[i]);
      continue;
    }
    put_workspace(&b, s);
    buf_printf(&b, ",\"class\":\"%s\",\"kept\":\"%s\",\"from\":\"%s\"}\n", info->name, kept, origin(&k, c));
  }
  return cli_flush(&b) ? 0 : 1;
}

static int do_list(struct retention *r)
{
  struct table t;
  struct buf b = {0};
  table_begin(&t, columns, sizeof columns / sizeof *columns);
  if (wants_table(r)) table_head(&t, &b);
  if (!cli_flush(&b)) return 1;
  return each(r, list_one);
}

static int do_set(struct retention *r, const char *class, const char *length)
{
  enum store_class c = store_class_find(str_of(class));
  uint64_t seconds = STORE_INHERIT;
  struct vdt_error err = {0};
  if (c == STORE_CLASSES && strcmp(class, "workspace") != 0)
    return cli_usage("retention", "set: expected alerts, evidence, records, audit, or workspace for all but the audit");
  if (strcmp(length, "inherit") != 0 && !store_keep_read(str_of(length), &seconds))
    return cli_usage("retention", "set: expected forever, inherit, or a time from 1h to 4383d such as 30d");
  for (size_t i = 0; i < r->all.n; i++) {
    struct store *s = r->all.v[i];
    if (!is_meant(r, s)) continue;
    if (s->ops->set_keep(s, c, STORE_SET, seconds, str_of(r->who), clock_unix_us(), &err)) return failed(s, &err);
  }
  return do_list(r);
}

/* ---- now -------------------------------------------------------------------------------------------------------- */

static int work(struct retention *r, struct store *s, bool expire, struct keep_done *d)
{
  struct vdt_error err = {0};
  struct keep_wish w = {.expire = expire, .scrub = true, .all = r->all.v, .n_all = r->all.n};
  return keep_work(r->state, s, clock_unix_us(), &w, d, &err) ? failed(s, &err) : 0;
}

static int expire_one(struct retention *r, struct store *s)
{
  struct keep_done d;
  struct buf b = {0};
  int rc = work(r, s, true, &d);
  put_workspace(&b, s);
  for (unsigned c = 0; c < STORE_CLASSES; c++)
    buf_printf(&b, ",\"%s\":%llu", store_class_info((enum store_class)c)->name, (unsigned long long)d.removed[c]);
  buf_printf(&b, ",\"scrubbed\":%s}\n", d.scrubbed ? "true" : "false");
  return cli_flush(&b) ? rc : 1;
}

/* ---- holds ------------------------------------------------------------------------------------------------------ */

static int read_time(const char *name, const char *text, uint64_t *out)
{
  *out = 0;
  if (!text || cli_since(text, out)) return 0;
  return cli_usage("retention", "--%s: expected 90s, 15m, 12h, 7d, or a time such as 2026-11-25T15:46:15Z", name);
}

/* Else it covers all there is, which is allowed and seldom meant. */
static bool names_something(const struct store_hold *h)
{
  return h->end_user.n || h->deployment.n || h->alert.n || h->since_us || h->until_us;
}

static int do_hold(struct retention *r, const char *name)
{
  struct store_hold h = {.name = str_of(name),
                         .end_user = str_of(r->user),
                         .deployment = str_of(r->deployment),
                         .alert = str_of(r->alert),
                         .reason = str_of(r->reason),
                         .who = str_of(r->who),
                         .time_us = clock_unix_us()};
  struct vdt_error err = {0};
  if (read_time("since", r->since, &h.since_us) || read_time("until", r->until, &h.until_us)) return CLI_USAGE;
  if (h.alert.n && h.alert.n != ALERT_NAME_LEN)
    return cli_usage("retention", "--alert: expected the whole name of an alert, as `vedette alerts list --json` gives it");
  for (size_t i = 0; i < r->all.n; i++) {
    struct store *s = r->all.v[i];
    int rc = is_meant(r, s) ? s->ops->put_hold(s, &h, &err) : VDT_OK;
    if (rc == VDT_EINVAL) return cli_usage("retention", "hold: %s", err.text);
    if (rc) return failed(s, &err);
    if (is_meant(r, s) && !names_something(&h))
      fprintf(stderr, "vedette retention: the hold names nothing, so it keeps the whole of workspace %.*s\n",
              (int)s->place.workspace.n, s->place.workspace.p);
  }
  return 0;
}

static void put_hold(struct buf *b, const struct store *s, const struct store_hold *h)
{
  put_workspace(b, s);
  const struct {
    const char *name;
    struct str value;
  } texts[] = {{"name", h->name},   {"end_user", h->end_user}, {"deployment", h->deployment},
               {"alert", h->alert}, {"reason", h->reason},     {"who", h->who}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (texts[i].value.n) api_put_member(b, texts[i].name, texts[i].value);
  if (h->since_us) BUF_LIT(b, ",\"since\":"), arm_put_time(b, h->since_us);
  if (h->until_us) BUF_LIT(b, ",\"until\":"), arm_put_time(b, h->until_us);
  BUF_LIT(b, ",\"set\":");
  arm_put_time(b, h->time_us);
  BUF_LIT(b, "}\n");
}

static int holds_one(struct retention *r, struct store *s)
{
  struct vdt_error err = {0};
  struct store_hold *list;
  struct buf b = {0};
  size_t n;
  if (s->ops->list_holds(s, r->arena, &list, &n, &err)) return failed(s, &err);
  for (size_t i = 0; i < n; i++) put_hold(&b, s, &list[i]);
  return cli_flush(&b) ? 0 : 1;
}

static int do_release(struct retention *r, const char *name)
{
  bool any = false;
  for (size_t i = 0; i < r->all.n; i++) {
    struct vdt_error err = {0};
    struct store *s = r->all.v[i];
    int rc = is_meant(r, s) ? s->ops->release_hold(s, str_of(name), str_of(r->who), str_of(r->reason), clock_unix_us(), &err)
                            : VDT_ENOTFOUND;
    if (rc && rc != VDT_ENOTFOUND) return failed(s, &err);
    any = any || !rc;
  }
  return any ? 0 : cli_usage("retention", "there is no hold \"%.63s\"", name);
}

/* ---- purges ----------------------------------------------------------------------------------------------------- */

static void put_values(struct buf *b, struct str operator, struct str value)
{
  bool many = str_starts(operator, STR("in")) || str_eq(operator, STR("between"));
  if (many) buf_byte(b, '[');
  while (many) {
    size_t at = str_find(value, STR(","));
    if (at == (size_t)-1) break;
    json_quote(b, str_cut(value, 0, at));
    buf_byte(b, ',');
    value = str_cut(value, at + 1, value.n);
  }
  json_quote(b, value);
  if (many) buf_byte(b, ']');
}

/* "end_user == anna", "TimeGenerated between A,B": column, operator, value. */
static bool put_filter(struct buf *b, struct str text)
{
  size_t first = str_find(text, STR(" "));
  if (first == (size_t)-1) return false;
  struct str rest = str_cut(text, first + 1, text.n);
  size_t second = str_find(rest, STR(" "));
  if (second == (size_t)-1) return false;
  struct str operator= str_cut(rest, 0, second);
  BUF_LIT(b, "{\"column\":");
  json_quote(b, str_cut(text, 0, first));
  api_put_member(b, "operator", operator);
  BUF_LIT(b, ",\"value\":");
  put_values(b, operator, str_cut(rest, second + 1, rest.n));
  buf_byte(b, '}');
  return true;
}

static bool put_filters(const struct retention *r, struct buf *b)
{
  buf_byte(b, '[');
  for (size_t i = 0; i < r->where.n; i++) {
    if (i) buf_byte(b, ',');
    if (!put_filter(b, str_of(r->where.items[i]))) return false;
  }
  buf_byte(b, ']');
  return !b->failed;
}

static int purge_one(struct retention *r, struct store *s, struct store_purge *p)
{
  struct vdt_error err = {0};
  struct keep_done d;
  struct buf b = {0};
  p->requested_us = clock_unix_us();
  store_purge_new_id(p->id);
  if (s->ops->put_purge(s, p, &err)) return failed(s, &err);
  int rc = work(r, s, false, &d);
  if (rc) return rc;
  if (s->ops->get_purge(s, str_of(p->id), r->arena, p, &err)) return failed(s, &err);
  put_workspace(&b, s);
  buf_printf(&b, ",\"operationId\":\"purge-%s\",\"status\":\"%s\",\"removed\":%llu,\"held\":%llu}\n", p->id,
             p->finished_us ? "completed" : "pending", (unsigned long long)p->removed, (unsigned long long)p->held);
  return cli_flush(&b) ? 0 : 1;
}

static int do_purge(struct retention *r, const char *class)
{
  struct buf filters = {0};
  struct vdt_error err = {0};
  struct store_purge p = {.of = store_class_find(str_of(class)), .who = str_of(r->who)};
  int rc = 0;
  if (p.of == STORE_CLASSES || p.of == STORE_AUDIT) return cli_usage("retention", "purge: expected alerts, evidence or records");
  if (!r->where.n) return cli_usage("retention", "purge: nothing is purged without a --where FILTER, such as 'end_user == anna'");
  if (!put_filters(r, &filters)) {
    buf_finish(&filters);
    return cli_usage("retention", "--where: expected COLUMN OPERATOR VALUE, such as 'end_user == anna'");
  }
  if (store_purge_check(p.of, buf_str(&filters), r->arena, &err)) rc = cli_usage("retention", "purge: %s", err.text);
  for (size_t i = 0; !rc && i < r->all.n; i++) {
    p.filters = buf_str(&filters);
    if (is_meant(r, r->all.v[i])) rc = purge_one(r, r->all.v[i], &p);
  }
  buf_finish(&filters);
  return rc;
}

/* ---- verbs ------------------------------------------------------------------------------------------------------ */

static int know_workspace(const struct retention *r)
{
  for (size_t i = 0; i < r->all.n; i++)
    if (is_meant(r, r->all.v[i])) return 0;
  if (!r->workspace) return 0;
  return cli_usage("retention", "there is no workspace \"%.63s\" in %.200s", r->workspace, r->state);
}

static int dispatch(struct retention *r, int n, char **w)
{
  const char *verb = n ? w[0] : "list";
  bool filters = r->user || r->deployment || r->alert || r->since || r->until;
  if (filters && strcmp(verb, "hold") != 0)
    return cli_usage("retention", "--user, --deployment, --alert, --since and --until are for hold; purge takes --where");
  if (r->reason && strcmp(verb, "hold") != 0 && strcmp(verb, "release") != 0)
    return cli_usage("retention", "--reason is for hold and release");
  if (r->where.n && strcmp(verb, "purge") != 0) return cli_usage("retention", "--where is for purge");
  if (n <= 1 && strcmp(verb, "list") == 0) return do_list(r);
  if (n == 1 && strcmp(verb, "expire") == 0) return each(r, expire_one);
  if (n == 1 && strcmp(verb, "holds") == 0) return each(r, holds_one);
  if (n == 3 && strcmp(verb, "set") == 0) return do_set(r, w[1], w[2]);
  if (n == 2 && strcmp(verb, "hold") == 0) return do_hold(r, w[1]);
  if (n == 2 && strcmp(verb, "release") == 0) return do_release(r, w[1]);
  if (n == 2 && strcmp(verb, "purge") == 0) return do_purge(r, w[1]);
  return cli_usage("retention", "expected list, set CLASS TIME, expire, hold NAME, holds, release NAME or purge CLASS");
}

int cmd_retention(int argc, char **argv)
{
  struct retention r = {0};
  const struct cli_option options[] = {{"state", CLI_TEXT, &r.state},
                                       {"workspace", CLI_TEXT, &r.workspace},
                                       {"user", CLI_TEXT, &r.user},
                                       {"since", CLI_TEXT, &r.since},
                                       {"deployment", CLI_TEXT, &r.deployment},
                                       {"alert", CLI_TEXT, &r.alert},
                                       {"until", CLI_TEXT, &r.until},
                                       {"reason", CLI_TEXT, &r.reason},
                                       {"where", CLI_LIST, &r.where},
                                       {"json", CLI_FLAG, &r.json},
                                       {"table", CLI_FLAG, &r.table}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  r.state = cli_state(r.state);
  r.arena = vdt_arena_new((size_t)256 << 20);
  if (!r.arena || sodium_init() < 0) return fprintf(stderr, "vedette retention: out of memory\n"), 1;
  cli_who(r.who);
  int rc = stores_open(&r.all, "retention", r.state, NULL);
  if (!rc) rc = know_workspace(&r);
  if (!rc) rc = dispatch(&r, n, argv + 1);
  stores_close(&r.all);
  vdt_arena_free(r.arena);
  return rc;
}
