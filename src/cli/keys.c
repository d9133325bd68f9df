/* vedette keys: the key pairs that prompt evidence is sealed to. Private keys are printed only by new and rotate with --private -, because that was asked for. */
#include "api/key_source.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/key_files.h"
#include "cli/table.h"
#include "record/seal.h"
#include "store/store.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORKSPACES_MAX = 256 };

struct keys {
  const char *state, *source, *private_file, *public_file;
  bool json;
  struct vdt_arena *arena;
};

static int complain(const struct vdt_error *err)
{
  cli_complain("keys", err);
  return err->code == VDT_ENOTFOUND || err->code == VDT_ECONFIG || err->code == VDT_EINVAL ? CLI_USAGE : 1;
}

/* The store of the workspace, or NULL when there is none yet: keys may be made before anything runs. */
static struct store *open_store(const struct keys *k, const char *workspace, struct vdt_error *err)
{
  struct store *s = NULL;
  struct alert_place place = {.workspace = str_of(workspace)};
  int rc = store_open_sqlite(k->state, &place, false, &s, err);
  if (rc == VDT_ENOTFOUND) err->code = VDT_OK;
  return rc ? NULL : s;
}

static int audit(const struct keys *k, const char *workspace, const char *what, const char *id, struct vdt_error *err)
{
  char who[CLI_WHO];
  cli_who(who);
  err->code = VDT_OK;
  struct store *s = open_store(k, workspace, err);
  struct store_audit a = {.time_us = clock_unix_us(),
                          .who = str_of(who),
                          .what = str_of(what),
                          .target = str_of(workspace),
                          .detail = str_of(arena_printf(k->arena, "key %s", id))};
  int rc = s ? s->ops->put_audit(s, &a, err) : err->code;
  store_close(s);
  return rc;
}

/* ---- new and rotate --------------------------------------------------------------------------------------------- */

static bool exists(const struct keys *k, const char *workspace, bool private)
{
  char path[PATH_MAX];
  const char *file = private ? k->private_file : k->public_file;
  if (!file && key_source_path(k->state, str_of(workspace), private, path, sizeof path)) file = path;
  return file && strcmp(file, "-") != 0 && access(file, F_OK) == 0;
}

static void say_made(const struct keys *k, const char *workspace, const char *what, const char *id)
{
  char path[PATH_MAX] = "";
  key_source_path(k->state, str_of(workspace), true, path, sizeof path);
  FILE *to = k->private_file && strcmp(k->private_file, "-") == 0 ? stderr : stdout;
  fprintf(to, "%s %s of workspace %s\n", what, id, workspace);
  if (!k->private_file)
    fprintf(to, "The private key is in %s. For production keep it on another machine (docs/evidence.md).\n", path);
  else if (to == stderr)
    fprintf(to, "Keep the line that was printed: with it gone, what is sealed from now on can be read by nobody.\n");
  fprintf(to, "The gateway seals to it when it is started or reloaded (SIGHUP to `vedette run`, or `nginx -s reload`).\n");
}

static int make(const struct keys *k, const char *workspace, struct str before, bool rotated)
{
  struct seal_public public;
  struct vdt_error err = {0};
  int rc = mkdir(k->state, 0750) && access(k->state, F_OK) ? error_at(&err, VDT_EIO, k->state, 0, "cannot be made") : VDT_OK;
  if (!rc) rc = key_files_make(k->state, str_of(workspace), k->private_file, k->public_file, before, &public, &err);
  if (!rc) rc = audit(k, workspace, rotated ? "evidence key rotated" : "evidence key made", public.id, &err);
  if (rc) return complain(&err);
  say_made(k, workspace, rotated ? "New key" : "Key", public.id);
  return 0;
}

static int new (const struct keys *k, const char *workspace)
{
  for (int private = 0; private < 2; private ++)
    if (exists(k, workspace, private))
      return cli_usage("keys", "workspace %s has a key; `vedette keys rotate %s` makes another and keeps the old one", workspace,
                       workspace);
  return make(k, workspace, STR(""), false);
}

/* The lines of before stay, so that what was sealed to their keys can still be read. */
static int rotate(const struct keys *k, const char *workspace)
{
  char path[PATH_MAX];
  struct buf before = {0};
  struct vdt_error err = {0};
  struct seal_private *old = NULL;
  const char *file = k->private_file;
  if (!exists(k, workspace, false))
    return cli_usage("keys", "workspace %s has no key yet; `vedette keys new %s` makes one", workspace, workspace);
  if (!file && key_source_path(k->state, str_of(workspace), true, path, sizeof path)) file = path;
  int rc = VDT_OK;
  if (file && exists(k, workspace, true)) {
    if (!buf_reserve(&before, SEAL_TEXT_ROOM)) rc = error_set(&err, VDT_ENOMEM, "out of memory");
    if (!rc) rc = file_read(file, SEAL_KEY_FILE_MAX, &before, &err);
    if (!rc) rc = seal_private_read(buf_str(&before), file, str_of(workspace), &old, &err);
    if (!rc && old->n == SEAL_KEYS_MAX)
      rc = error_at(&err, VDT_EINVAL, file, 0, "holds %d keys; take out those that `vedette keys list` shows no data keys for",
                    SEAL_KEYS_MAX);
  }
  seal_private_free(old);
  int status = rc ? complain(&err) : make(k, workspace, before.n ? buf_str(&before) : STR(""), true);
  seal_text_finish(&before);
  return status;
}

/* ---- list ------------------------------------------------------------------------------------------------------- */

/* A key, and what is known of it. */
struct row {
  char id[SEAL_KEY_ID + 1];
  bool current, private;
  struct store_data_keys use;
};

static struct row *row_of(struct row *rows, size_t *n, const char *id)
{
  for (size_t i = 0; i < *n; i++)
    if (strcmp(rows[i].id, id) == 0) return &rows[i];
  struct row *r = &rows[(*n)++];
  *r = (struct row){0};
  snprintf(r->id, sizeof r->id, "%s", id);
  return r;
}

static void day_text(uint32_t day, char out[CLOCK_TEXT])
{
  clock_format((uint64_t)day * UINT64_C(86400000000), out);
  out[10] = 0;
}

static const struct table_column columns[] = {{"WORKSPACE", 20, 6, false, false}, {"KEY", 16, 6, false, false},
                                              {"", 7, 3, false, false},           {"PRIVATE", 7, 4, false, false},
                                              {"DATA KEYS", 9, 3, true, false},   {"FIRST DAY", 10, 4, false, false},
                                              {"LAST DAY", 10, 4, false, false}};

static void put_table_row(struct buf *b, const char *workspace, const struct row *r, const char *first, const char *last)
{
  struct table t;
  table_begin(&t, columns, sizeof columns / sizeof *columns);
  table_cell(&t, b, str_of(workspace));
  table_cell(&t, b, str_of(r->id));
  table_cell(&t, b, r->current ? STR("current") : STR("old"));
  table_cell(&t, b, r->private ? STR("here") : STR("missing"));
  table_number(&t, b, r->use.n);
  table_cell(&t, b, str_of(first));
  table_cell(&t, b, str_of(last));
}

static void print_row(const struct keys *k, const char *workspace, const struct row *r)
{
  char first[CLOCK_TEXT] = "", last[CLOCK_TEXT] = "";
  struct buf b = {0};
  if (r->use.n) day_text(r->use.first_day, first), day_text(r->use.last_day, last);
  if (!k->json) put_table_row(&b, workspace, r, first, last);
  else
    buf_printf(&b,
               "{\"workspace\":\"%s\",\"key\":\"%s\",\"current\":%s,\"private\":%s,\"dataKeys\":%llu,\"firstDay\":\"%s\","
               "\"lastDay\":\"%s\"}\n",
               workspace, r->id, r->current ? "true" : "false", r->private ? "true" : "false", (unsigned long long)r->use.n,
               first, last);
  cli_flush(&b);
}

static int gather(const struct keys *k, const char *workspace, struct row *rows, size_t *n, struct vdt_error *err)
{
  struct seal_public public;
  struct seal_private *private = NULL;
  struct store_data_keys *uses = NULL;
  size_t n_uses = 0;
  struct store *s = open_store(k, workspace, err);
  int rc = s ? s->ops->list_data_keys(s, k->arena, &uses, &n_uses, err) : err->code;
  for (size_t i = 0; !rc && i < n_uses && i < SEAL_KEYS_MAX; i++)
    row_of(rows, n, arena_printf(k->arena, "%.*s", (int)uses[i].key.n, uses[i].key.p))->use = uses[i];
  store_close(s);
  if (!rc && key_files_public(k->state, str_of(workspace), k->public_file, &public, NULL) == VDT_OK)
    row_of(rows, n, public.id)->current = true;
  if (!rc && key_source_read(k->source, k->state, str_of(workspace), &private, NULL) == VDT_OK)
    for (size_t i = 0; i < private->n; i++) row_of(rows, n, private->keys[i].public.id)->private = true;
  seal_private_free(private);
  return rc;
}

static int list_one(const struct keys *k, const char *workspace)
{
  struct row *rows = arena_zalloc(k->arena, 2 * SEAL_KEYS_MAX + 2, sizeof *rows);
  size_t n = 0;
  struct vdt_error err = {0};
  int rc = rows ? gather(k, workspace, rows, &n, &err) : error_set(&err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; !rc && i < n; i++) print_row(k, workspace, &rows[i]);
  return rc ? complain(&err) : 0;
}

/* ---- check ------------------------------------------------------------------------------------------------------ */

/* Seals a word to the public key and opens it with the private ones. */
static int try_pair(const struct keys *k, const char *workspace, const struct seal_public *public,
                    const struct seal_private *private, struct vdt_error *err)
{
  struct seal_place place = {str_of(workspace), STR("00000000000000000000000000000000"), SEAL_FINDING, STR("check")};
  struct sealer *s = sealer_new(str_of(workspace), public);
  struct buf token = {0};
  struct sealed sealed;
  struct str text = {0};
  int rc = s ? seal(s, clock_unix_us(), &place, STR("a word"), &token) : VDT_ENOMEM;
  if (!rc) rc = sealed_read(buf_str(&token), k->arena, &sealed, err);
  if (!rc) rc = seal_open(private, &place, &sealed, k->arena, &text, err);
  if (!rc && !str_eq(text, STR("a word"))) rc = error_set(err, VDT_EAUTH, "what was sealed came out as something else");
  buf_finish(&token);
  sealer_free(s);
  return rc;
}

static int check_used(const struct keys *k, const char *workspace, const struct seal_private *private, unsigned *missing,
                      struct vdt_error *err)
{
  struct store_data_keys *uses;
  size_t n = 0;
  struct store *s = open_store(k, workspace, err);
  int rc = s ? s->ops->list_data_keys(s, k->arena, &uses, &n, err) : err->code;
  for (size_t i = 0; !rc && i < n; i++) {
    bool have = false;
    for (size_t j = 0; j < private->n; j++) have |= str_eq(uses[i].key, str_of(private->keys[j].public.id));
    if (have) continue;
    ++*missing;
    printf("%s: the private key %.*s is missing; %llu data keys are sealed to it\n", workspace, (int)uses[i].key.n, uses[i].key.p,
           (unsigned long long)uses[i].n);
  }
  store_close(s);
  return rc;
}

static int check_one(const struct keys *k, const char *workspace)
{
  struct seal_public public;
  struct seal_private *private = NULL;
  struct vdt_error err = {0};
  unsigned missing = 0;
  int rc = key_files_public(k->state, str_of(workspace), k->public_file, &public, &err);
  if (!rc) rc = key_source_read(k->source, k->state, str_of(workspace), &private, &err);
  if (!rc) rc = try_pair(k, workspace, &public, private, &err);
  if (!rc) rc = check_used(k, workspace, private, &missing, &err);
  seal_private_free(private);
  if (rc) {
    cli_complain("keys", &err);
    return 1;
  }
  if (!missing) printf("%s: sealed to key %s, and what is stored can be opened\n", workspace, public.id);
  return missing > 0;
}

/* ---- all workspaces --------------------------------------------------------------------------------------------- */

/* Those that have a public key or a store. */
static void find_names(const struct keys *k, const char *folder, const char *suffix, const char **names, size_t *n)
{
  char path[PATH_MAX];
  struct dirent **found;
  snprintf(path, sizeof path, "%s/%s", k->state, folder);
  int m = scandir(path, &found, NULL, alphasort);
  for (int i = 0; i < m; i++) {
    struct str name = str_of(found[i]->d_name), end = str_of(suffix);
    bool fits = name.n > end.n && str_eq(str_cut(name, name.n - end.n, name.n), end);
    const char *copy = fits && *n < WORKSPACES_MAX ? arena_printf(k->arena, "%.*s", (int)(name.n - end.n), name.p) : NULL;
    bool known = !copy || !store_name_ok(str_of(copy));
    for (size_t j = 0; !known && j < *n; j++) known = strcmp(names[j], copy) == 0;
    if (!known) names[(*n)++] = copy;
    free(found[i]);
  }
  if (m >= 0) free(found);
}

static int each(const struct keys *k, const char *only, int (*fn)(const struct keys *k, const char *workspace))
{
  const char *names[WORKSPACES_MAX] = {only};
  size_t n = only ? 1 : 0;
  int worst = 0;
  if (!only) find_names(k, "keys", ".pub", names, &n);
  if (!only) find_names(k, "workspaces", "", names, &n);
  for (size_t i = 0; i < n; i++) {
    int rc = fn(k, names[i]);
    if (rc > worst) worst = rc;
  }
  return worst;
}

static int list(const struct keys *k, const char *only)
{
  struct table t;
  struct buf head = {0};
  table_begin(&t, columns, sizeof columns / sizeof *columns);
  if (!k->json) table_head(&t, &head);
  if (!cli_flush(&head)) return 1;
  return each(k, only, list_one);
}

/* A folder without keys and stores would look like one where all is well. */
static int know_state(const struct keys *k)
{
  char keys[PATH_MAX], stores[PATH_MAX];
  snprintf(keys, sizeof keys, "%s/keys", k->state);
  snprintf(stores, sizeof stores, "%s/workspaces", k->state);
  if (access(keys, R_OK | X_OK) == 0 || access(stores, R_OK | X_OK) == 0) return 0;
  return cli_state_missing("keys", k->state, "workspaces", errno);
}

static int dispatch(const struct keys *k, int n, char **words)
{
  const char *verb = n ? words[0] : "list", *workspace = n > 1 ? words[1] : NULL;
  bool make_one = strcmp(verb, "new") == 0 || strcmp(verb, "rotate") == 0;
  if (workspace && !store_name_ok(str_of(workspace)))
    return cli_usage("keys", "a workspace's name has letters, digits, - and _ only");
  if (make_one && n != 2) return cli_usage("keys", "%s takes the name of a workspace", verb);
  if (n > 2) return cli_usage("keys", "%s takes one workspace at most", verb);
  if (!cli_key_source("keys", k->source)) return CLI_USAGE;
  if (strcmp(verb, "new") == 0) return new (k, workspace);
  if (strcmp(verb, "rotate") == 0) return rotate(k, workspace);
  bool look = strcmp(verb, "list") == 0, check = strcmp(verb, "check") == 0;
  if (!look && !check) return cli_usage("keys", "expected new, list, rotate or check");
  int rc = know_state(k);
  if (rc) return rc;
  return look ? list(k, workspace) : each(k, workspace, check_one);
}

int cmd_keys(int argc, char **argv)
{
  struct keys k = {0};
  bool table = false;
  const struct cli_option options[] = {
      {"state", CLI_TEXT, &k.state},        {"key", CLI_TEXT, &k.source}, {"private", CLI_TEXT, &k.private_file},
      {"public", CLI_TEXT, &k.public_file}, {"json", CLI_FLAG, &k.json},  {"table", CLI_FLAG, &table}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  k.state = cli_state(k.state);
  k.json = !cli_as_table(table, k.json);
  k.arena = vdt_arena_new(0);
  if (!k.arena || sodium_init() < 0) return fprintf(stderr, "vedette keys: out of memory\n"), 1;
  key_source_protect();
  int rc = dispatch(&k, n, argv + 1);
  vdt_arena_free(k.arena);
  return rc;
}
