/* vedette tokens: makes, lists and revokes tokens of the control API, and links that sign in once. A token is shown once, by create, and to nobody else. */
#include "api/links.h"
#include "api/tokens.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/access.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "store/store.h"
#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAY_S = 86400, EXPIRES_DAYS = 90, EXPIRES_DAYS_MAX = 36500 };

static int complain(int rc, const struct vdt_error *err)
{
  fprintf(stderr, "vedette tokens: ");
  cli_print_safe(stderr, str_of(err->text));
  fprintf(stderr, "\n");
  return rc == VDT_EINVAL || rc == VDT_ENOTFOUND ? CLI_USAGE : 1;
}

/* ---- the audit --------------------------------------------------------------------------------------------------- */

static int by_name(const struct dirent *e)
{
  return store_name_ok(str_of(e->d_name));
}

static int audit_one(const char *state, const char *workspace, const struct store_audit *line, struct vdt_error *err)
{
  struct alert_place place = {.workspace = str_of(workspace)};
  struct store *store;
  int rc = store_open_sqlite(state, &place, false, &store, err);
  if (rc == VDT_ENOTFOUND) return VDT_OK;
  if (rc) return rc;
  rc = store->ops->put_audit(store, line, err);
  store_close(store);
  return rc;
}

/* A line in each workspace that the token reaches, before the change: what is not in the audit is not done. */
static int audit(const char *state, const char *what, const struct token_line *t, struct vdt_error *err)
{
  char path[4096], who[CLI_WHO];
  struct dirent **names;
  struct buf detail = {0};
  int rc = VDT_OK;
  snprintf(path, sizeof path, "%s/workspaces", state);
  cli_who(who);
  buf_printf(&detail, "role %s, workspaces %.*s, expires %.*s", token_role_name(t->role), (int)t->workspaces.n, t->workspaces.p,
             t->expires.n ? (int)t->expires.n : 5, t->expires.n ? t->expires.p : "never");
  struct store_audit line = {
      .time_us = clock_unix_us(), .who = str_of(who), .what = str_of(what), .target = t->name, .detail = buf_str(&detail)};
  int n = detail.failed ? 0 : scandir(path, &names, by_name, alphasort);
  for (int i = 0; i < n; i++) {
    if (!rc && token_reaches(t->workspaces, str_of(names[i]->d_name))) rc = audit_one(state, names[i]->d_name, &line, err);
    free(names[i]);
  }
  if (n >= 0 && !detail.failed) free(names);
  if (detail.failed) rc = error_set(err, VDT_ENOMEM, "out of memory");
  buf_finish(&detail);
  return rc;
}

/* ---- create ------------------------------------------------------------------------------------------------------ */

/* "90d" or "2027-01-31" or "never", into a day; empty: never. */
static bool read_expiry(const char *text, char day[TOKEN_DAY + 1], struct str *out)
{
  struct str s = str_of(text);
  uint64_t days;
  *out = (struct str){0};
  if (str_eq(s, STR("never"))) return true;
  if (s.n == TOKEN_DAY && memchr(s.p, '-', s.n)) {
    *out = s;
    return true;
  }
  if (s.n < 2 || s.p[s.n - 1] != 'd' || !str_u64(str_cut(s, 0, s.n - 1), &days) || days < 1 || days > EXPIRES_DAYS_MAX)
    return false;
  token_day(clock_unix_us() + days * DAY_S * 1000000, day);
  *out = (struct str){day, TOKEN_DAY};
  return true;
}

/* A scope of a misspelt name would let nobody in, and nobody know why. */
static bool join_scope(const char *state, const struct cli_list *names, struct buf *out)
{
  for (size_t i = 0; i < names->n; i++) {
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/workspaces/%s", state, names->items[i]);
    if (!store_name_ok(str_of(names->items[i])) || stat(path, &st) || !S_ISDIR(st.st_mode)) {
      cli_usage("tokens",
                "there is no workspace \"%.63s\" in %s; `vedette run` and `vedette serve` make those of the configuration",
                names->items[i], state);
      return false;
    }
    if (i) buf_byte(out, ',');
    buf_put(out, str_of(names->items[i]));
  }
  if (!names->n) buf_byte(out, '*');
  return !out->failed;
}

static int no_role(const char *role)
{
  cli_usage("tokens", "--role %.40s: expected one of", role ? role : "is missing");
  for (int i = AUTH_NONE + 1; i < AUTH_ROLES; i++)
    fprintf(stderr, "  %-16s %s\n", token_role_name((enum auth_role)i), token_role_help((enum auth_role)i));
  return CLI_USAGE;
}

static int create(const char *state, const char *name, const char *role, const struct cli_list *workspaces, const char *expires)
{
  char day[TOKEN_DAY + 1], today[TOKEN_DAY + 1], token[TOKEN_TEXT + 1];
  struct buf scope = {0};
  struct vdt_error err = {0};
  struct token_line wish = {.name = str_of(name), .role = token_role(str_of(role))};
  if (!wish.role) return no_role(role);
  if (!read_expiry(expires, day, &wish.expires))
    return cli_usage("tokens", "--expires %.40s: expected days such as 90d, a day such as 2027-01-31, or never", expires);
  token_day(clock_unix_us(), today);
  if (wish.expires.n && token_expired(&wish, today))
    return cli_usage("tokens", "--expires %.40s: that is over; expected a day after today", expires);
  if (!join_scope(state, workspaces, &scope)) {
    buf_finish(&scope);
    return CLI_USAGE;
  }
  wish.workspaces = buf_str(&scope);
  int rc = tokens_check(state, &wish, &err);
  if (!rc) rc = audit(state, "token created", &wish, &err);
  if (!rc) rc = tokens_create(state, &wish, token, &err);
  buf_finish(&scope);
  if (rc) return complain(rc, &err);
  bool shown = puts(token) >= 0 && fflush(stdout) == 0;
  sodium_memzero(token, sizeof token);
  if (!shown) fprintf(stderr, "vedette tokens: the token could not be written out; revoke %s and make another\n", name);
  else fprintf(stderr, "This is the only time that the token is shown. %s: %s.\n", name, token_role_help(wish.role));
  return shown ? 0 : 1;
}

/* ---- list and revoke --------------------------------------------------------------------------------------------- */

static void put_json(const struct token_line *t, struct str used, bool expired)
{
  printf("{\"name\":\"");
  cli_print_safe(stdout, t->name);
  printf("\",\"id\":\"%.*s\",\"role\":\"%s\",\"workspaces\":\"%.*s\",\"created\":\"%.*s\",\"expires\":\"%.*s\",\"lastUsed\":\"%.*"
         "s\","
         "\"state\":\"%s\"}\n",
         (int)t->id.n, t->id.p, token_role_name(t->role), (int)t->workspaces.n, t->workspaces.p, (int)t->created.n, t->created.p,
         (int)t->expires.n, t->expires.p, (int)used.n, used.p,
         !t->id.n  ? "old"
         : expired ? "expired"
                   : "valid");
}

static struct str or_dash(struct str s)
{
  return s.n ? s : STR("-");
}

static const struct table_column columns[] = {{"NAME", 20, 6, false, false},       {"ID", 16, 4, false, false},
                                              {"ROLE", 15, 4, false, false},       {"CREATED", 10, 4, false, false},
                                              {"EXPIRES", 10, 4, false, false},    {"LAST USED", 10, 4, false, false},
                                              {"WORKSPACES", 10, 3, false, false}, {"", 7, 3, false, false}};

static void put_row(struct table *t, const struct token_line *l, struct str used, bool expired)
{
  const struct str cells[] = {l->name,
                              or_dash(l->id),
                              str_of(token_role_name(l->role)),
                              or_dash(l->created),
                              l->expires.n ? l->expires : STR("never"),
                              or_dash(used),
                              l->workspaces,
                              !l->id.n  ? STR("old: make a new one and revoke it")
                              : expired ? STR("expired")
                                        : STR("")};
  struct buf b = {0};
  for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) table_cell(t, &b, cells[i]);
  cli_flush(&b);
}

/* Without the file there is no state folder, and nothing to list, revoke or sign in as. */
static int know_state(const char *state)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/tokens", state);
  return access(path, R_OK) ? cli_state_missing("tokens", state, "tokens", errno) : 0;
}

static int list(const char *state, bool json)
{
  struct buf file = {0}, used = {0};
  struct vdt_error err = {0};
  struct token_line t;
  struct table table;
  char today[TOKEN_DAY + 1];
  int rc = tokens_read(state, &file, &err);
  token_day(clock_unix_us(), today);
  tokens_read_used(state, &used);
  table_begin(&table, columns, sizeof columns / sizeof *columns);
  if (!rc && !json) {
    struct buf head = {0};
    table_head(&table, &head);
    cli_flush(&head);
  }
  for (struct str text = buf_str(&file); !rc && token_next(&text, &t);) {
    struct str last = t.id.n ? token_used(buf_str(&used), t.id) : (struct str){0};
    if (json) put_json(&t, last, token_expired(&t, today));
    else put_row(&table, &t, last, token_expired(&t, today));
  }
  buf_finish(&file);
  buf_finish(&used);
  return rc ? complain(rc, &err) : 0;
}

static int revoke_token(const char *state, const char *name)
{
  struct buf file = {0};
  struct vdt_error err = {0};
  struct token_line t;
  bool found = false;
  int rc = tokens_read(state, &file, &err);
  for (struct str text = buf_str(&file); !rc && !found && token_next(&text, &t);)
    found = str_eq(t.name, str_of(name)) || (t.id.n && str_eq(t.id, str_of(name)));
  if (!rc && found) rc = audit(state, "token revoked", &t, &err);
  if (!rc) rc = tokens_revoke(state, str_of(name), &err);
  buf_finish(&file);
  return rc ? complain(rc, &err) : 0;
}

/* The line of that name into *t, whose texts are in *file. */
static bool find_name(const char *state, const char *name, struct buf *file, struct token_line *t)
{
  if (tokens_read(state, file, NULL)) return false;
  for (struct str text = buf_str(file); token_next(&text, t);)
    if (str_eq(t->name, str_of(name))) return true;
  return false;
}

/* Where the portal is, as the last `vedette run` wrote it down. */
static void read_address(const char *state, struct buf *out)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/" ACCESS_ADDRESS_FILE, state);
  if (file_read(path, 1024, out, NULL) || !out->n) {
    buf_reset(out);
    BUF_LIT(out, "http://127.0.0.1:8090");
  }
}

static int make_link(const char *state, const char *name, const char *url)
{
  char secret[LINK_TEXT + 1];
  struct buf file = {0}, address = {0};
  struct vdt_error err = {0};
  struct token_line t;
  int rc = VDT_OK;
  if (find_name(state, name, &file, &t)) rc = audit(state, "sign-in link made", &t, &err);
  if (!rc) rc = links_create(state, str_of(name), secret, &err);
  buf_finish(&file);
  if (rc) return complain(rc, &err);
  if (url) buf_put(&address, str_of(url));
  else read_address(state, &address);
  while (address.n && address.p[address.n - 1] == '/') address.n--;
  cli_print_safe(stdout, buf_str(&address));
  bool shown = printf("/portal/#once=%s\n", secret) > 0 && fflush(stdout) == 0;
  sodium_memzero(secret, sizeof secret);
  buf_finish(&address);
  if (shown) fprintf(stderr, "It signs in once, as %s, within %d minutes.\n", name, LINK_LIFE_S / 60);
  return shown ? 0 : 1;
}

int cmd_tokens(int argc, char **argv)
{
  const char *state = NULL, *role = NULL, *expires = NULL, *url = NULL;
  char standard[16];
  bool json = false, table = false;
  struct cli_list workspaces = {0};
  const struct cli_option options[] = {
      {"state", CLI_TEXT, &state},     {"role", CLI_TEXT, &role}, {"workspace", CLI_LIST, &workspaces},
      {"expires", CLI_TEXT, &expires}, {"url", CLI_TEXT, &url},   {"json", CLI_FLAG, &json},
      {"table", CLI_FLAG, &table}};
  int left = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (left < 0) return CLI_USAGE;
  if (sodium_init() < 0) return 1;
  const char *word = left ? argv[1] : "list", *where = cli_state(state);
  snprintf(standard, sizeof standard, "%dd", EXPIRES_DAYS);
  if (strcmp(word, "create") == 0 && left == 2) return create(where, argv[2], role, &workspaces, expires ? expires : standard);
  bool shows = strcmp(word, "list") == 0 && left <= 1, revokes = strcmp(word, "revoke") == 0 && left == 2;
  bool links = strcmp(word, "link") == 0 && left <= 2;
  if (links && url && !str_starts(str_of(url), STR("http://")) && !str_starts(str_of(url), STR("https://")))
    return cli_usage("tokens", "--url: expected http:// or https:// and where the portal is");
  if ((shows || revokes || links) && know_state(where)) return CLI_USAGE;
  if (shows) return list(where, !cli_as_table(table, json));
  if (revokes) return revoke_token(where, argv[2]);
  if (links) return make_link(where, left == 2 ? argv[2] : "admin", url);
  return cli_usage("tokens", "expected create NAME --role ROLE, list, revoke NAME, or link [NAME]");
}
