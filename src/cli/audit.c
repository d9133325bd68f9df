/* vedette audit: the audit logs of the workspaces of a state folder: listing and verifying them. What is shown was partly written by others. */
#include "api/arm.h"
#include "api/answer.h"
#include "base/clock.h"
#include "cli/stores.h"
#include "cli/table.h"
#include <sodium.h>

enum { LIMIT_MAX = 100000, SHOWN_MAX = 20 };

struct audit {
  const char *state, *workspace, *since, *who, *what, *text, *head;
  bool json, table;
  unsigned limit;
  struct stores stores;
  struct vdt_arena *arena;
};

static int failed(const struct store *s, const struct vdt_error *err)
{
  fprintf(stderr, "vedette audit: workspace %.*s: %s\n", (int)s->place.workspace.n, s->place.workspace.p, err->text);
  return 1;
}

/* ---- list ------------------------------------------------------------------------------------------------------- */

/* An entry and whose it is. */
struct line {
  struct store_audit entry;
  struct str workspace;
};

static int newest_first(const void *x, const void *y)
{
  const struct store_audit *a = &((const struct line *)x)->entry, *b = &((const struct line *)y)->entry;
  if (a->time_us != b->time_us) return a->time_us > b->time_us ? -1 : 1;
  return a->id > b->id ? -1 : a->id < b->id;
}

static void put_hex(struct buf *b, const unsigned char hash[STORE_AUDIT_HASH])
{
  for (size_t i = 0; i < STORE_AUDIT_HASH; i++) buf_printf(b, "%02x", hash[i]);
}

static void put_json(struct buf *b, const struct line *l)
{
  BUF_LIT(b, "{\"time\":");
  arm_put_time(b, l->entry.time_us);
  api_put_member(b, "workspace", l->workspace);
  buf_printf(b, ",\"number\":%llu", (unsigned long long)l->entry.id);
  api_put_member(b, "who", l->entry.who);
  api_put_member(b, "what", l->entry.what);
  api_put_member(b, "target", l->entry.target);
  api_put_member(b, "detail", l->entry.detail);
  BUF_LIT(b, ",\"hash\":\"");
  put_hex(b, l->entry.hash);
  BUF_LIT(b, "\"}\n");
}

static const struct table_column columns[] = {{"TIME (UTC)", 19, 16, false, false}, {"WORKSPACE", 12, 3, false, false},
                                              {"NUMBER", 6, 4, true, false},        {"WHO", 16, 3, false, false},
                                              {"WHAT", 26, 6, false, false},        {"ABOUT", 24, 6, false, false}};

static void put_row(struct buf *b, struct table *t, const struct line *l)
{
  char time[CLOCK_TEXT];
  struct buf about = {0};
  clock_format(l->entry.time_us, time);
  time[10] = ' ';
  buf_put(&about, l->entry.target);
  if (l->entry.target.n) BUF_LIT(&about, "  ");
  buf_put(&about, l->entry.detail);
  b->failed |= about.failed;
  table_cell(t, b, (struct str){time, 19});
  table_cell(t, b, l->workspace);
  table_number(t, b, l->entry.id);
  table_cell(t, b, l->entry.who);
  table_cell(t, b, l->entry.what);
  table_cell(t, b, buf_str(&about));
  buf_finish(&about);
}

static int gather(struct audit *a, const struct store_audit_query *q, struct line **out, size_t *n)
{
  struct line *all = NULL;
  size_t cap = 0, m;
  *n = 0;
  for (size_t i = 0; i < a->stores.n; i++) {
    struct vdt_error err = {0};
    struct store_audit *some;
    if (a->stores.v[i]->ops->list_audit(a->stores.v[i], q, a->arena, &some, &m, &err)) return failed(a->stores.v[i], &err);
    for (size_t k = 0; k < m; k++) {
      struct line *p = arena_grow(a->arena, all, *n, &cap, 64, sizeof *p);
      if (!p) return fprintf(stderr, "vedette audit: out of memory; ask for fewer with --limit\n"), 1;
      all = p;
      all[(*n)++] = (struct line){some[k], a->stores.v[i]->place.workspace};
    }
  }
  if (*n) qsort(all, *n, sizeof *all, newest_first);
  if (*n > q->limit) *n = q->limit;
  *out = all;
  return 0;
}

static int do_list(struct audit *a)
{
  struct store_audit_query q = {.who = str_of(a->who),
                                .what = str_of(a->what),
                                .text = str_of(a->text),
                                .limit = a->limit < LIMIT_MAX ? a->limit : LIMIT_MAX};
  struct line *lines;
  struct buf b = {0};
  size_t n;
  struct table t;
  bool table = cli_as_table(a->table, a->json);
  if (a->since && !cli_since(a->since, &q.since_us))
    return cli_usage("audit", "--since: expected 90s, 15m, 12h, 7d, or a time such as 2026-11-25T15:46:15Z");
  int rc = gather(a, &q, &lines, &n);
  if (rc) return rc;
  table_begin(&t, columns, sizeof columns / sizeof *columns);
  if (table && n) table_head(&t, &b);
  if (table && !n) BUF_LIT(&b, "No entries.\n");
  for (size_t i = 0; i < n; i++) table ? put_row(&b, &t, &lines[i]) : put_json(&b, &lines[i]);
  return cli_flush(&b) ? 0 : 1;
}

/* ---- verify ----------------------------------------------------------------------------------------------------- */

/* The faults of one workspace as they are found; all are counted, the first ones shown. */
struct faults {
  struct buf text;
  struct str workspace;
  uint64_t n;
};

static void take_fault(void *ctx, enum store_audit_fault fault, uint64_t id, uint64_t first)
{
  struct faults *f = ctx;
  if (f->n++ >= SHOWN_MAX) return;
  buf_printf(&f->text, "%.*s: entry %llu: %s: %s", (int)f->workspace.n, f->workspace.p, (unsigned long long)id,
             store_audit_fault_name(fault), store_audit_fault_text(fault));
  if (fault == STORE_AUDIT_MISSING)
    buf_printf(&f->text, " (%llu to %llu)", (unsigned long long)first, (unsigned long long)id - 1);
  buf_byte(&f->text, '\n');
}

static void put_outcome(struct buf *b, const struct store_audit_check *c, struct str workspace)
{
  buf_printf(b, "%.*s: %llu entries, ", (int)workspace.n, workspace.p, (unsigned long long)c->entries);
  if (c->faults) buf_printf(b, "%llu fault%s\n", (unsigned long long)c->faults, c->faults == 1 ? "" : "s");
  else if (c->last) BUF_LIT(b, "the chain is whole, head "), put_hex(b, c->head), buf_byte(b, '\n');
  else BUF_LIT(b, "nothing was ever written\n");
}

static int verify_one(struct store *s, const unsigned char *anchor, struct store_audit_check *c)
{
  struct vdt_error err = {0};
  struct faults f = {.workspace = s->place.workspace};
  *c = (struct store_audit_check){.anchor = anchor, .found = take_fault, .ctx = &f};
  if (s->ops->verify_audit(s, c, &err)) return buf_finish(&f.text), failed(s, &err);
  put_outcome(&f.text, c, s->place.workspace);
  return cli_flush(&f.text) && !c->faults ? 0 : 1;
}

static bool read_anchor(const char *text, unsigned char out[STORE_AUDIT_HASH])
{
  size_t n = 0;
  struct str s = str_of(text);
  return s.n == 2 * STORE_AUDIT_HASH && sodium_hex2bin(out, STORE_AUDIT_HASH, s.p, s.n, NULL, &n, NULL) == 0 &&
         n == STORE_AUDIT_HASH;
}

/* A head belongs to one workspace: it is enough that one of them has it. */
static int do_verify(struct audit *a)
{
  unsigned char anchor[STORE_AUDIT_HASH];
  bool anchored = false;
  int rc = 0;
  if (a->head && !read_anchor(a->head, anchor))
    return cli_usage("audit", "--head: expected 64 hex digits, as `vedette audit head` gives");
  for (size_t i = 0; i < a->stores.n; i++) {
    struct store_audit_check c;
    if (verify_one(a->stores.v[i], a->head ? anchor : NULL, &c)) rc = 1;
    else anchored |= c.anchored;
  }
  if (a->head && !anchored) {
    printf("%s: %s\n", store_audit_fault_name(STORE_AUDIT_ANCHOR), store_audit_fault_text(STORE_AUDIT_ANCHOR));
    rc = 1;
  }
  return rc;
}

/* What to keep elsewhere. A log that is not right has no head worth keeping. */
static int do_head(struct audit *a)
{
  int rc = 0;
  for (size_t i = 0; i < a->stores.n; i++) {
    struct store *s = a->stores.v[i];
    struct store_audit_check c = {0};
    struct vdt_error err = {0};
    struct buf b = {0};
    if (s->ops->verify_audit(s, &c, &err)) {
      rc = failed(s, &err);
    } else if (c.faults) {
      fprintf(stderr, "vedette audit: workspace %.*s: the log is not right; `vedette audit verify` says where\n",
              (int)s->place.workspace.n, s->place.workspace.p);
      rc = 1;
    } else if (c.last) {
      buf_printf(&b, "%.*s %llu ", (int)s->place.workspace.n, s->place.workspace.p, (unsigned long long)c.last);
      put_hex(&b, c.head);
      buf_byte(&b, '\n');
      if (!cli_flush(&b)) rc = 1;
    }
  }
  return rc;
}

/* ---- verbs ------------------------------------------------------------------------------------------------------ */

static int dispatch(struct audit *a, int n, char **words)
{
  const char *word = n ? words[0] : "list";
  bool list = strcmp(word, "list") == 0, verify = strcmp(word, "verify") == 0, head = strcmp(word, "head") == 0;
  if (n > 1 || !(list || verify || head)) return cli_usage("audit", "expected list, verify or head");
  if (a->head && !verify) return cli_usage("audit", "--head is for verify");
  if (!list && (a->since || a->who || a->what || a->text || a->json || a->table))
    return cli_usage("audit", "--since, --who, --what, --json and --table are for list");
  int rc = stores_open(&a->stores, "audit", a->state, a->workspace);
  if (rc) return rc;
  return list ? do_list(a) : verify ? do_verify(a) : do_head(a);
}

int cmd_audit(int argc, char **argv)
{
  struct audit a = {.limit = 1000};
  const struct cli_option options[] = {{"state", CLI_TEXT, &a.state}, {"workspace", CLI_TEXT, &a.workspace},
                                       {"since", CLI_TEXT, &a.since}, {"who", CLI_TEXT, &a.who},
                                       {"what", CLI_TEXT, &a.what},   {"text", CLI_TEXT, &a.text},
                                       {"head", CLI_TEXT, &a.head},   {"json", CLI_FLAG, &a.json},
                                       {"table", CLI_FLAG, &a.table}, {"limit", CLI_NUMBER, &a.limit}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  a.state = cli_state(a.state);
  a.arena = vdt_arena_new((size_t)1 << 30);
  if (!a.arena) return fprintf(stderr, "vedette audit: out of memory\n"), 1;
  int rc = dispatch(&a, n, argv + 1);
  stores_close(&a.stores);
  vdt_arena_free(a.arena);
  return rc;
}
