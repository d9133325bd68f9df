/*
 * The control API without its transport: any method, path, arguments and body; purges are carried out. Every answer has a status, is JSON where it says so, and an
 * error has its code. Input: lines METHOD, PATH with a query, api-version, $skipToken, AlertType, $filter, Host; the rest is the body.
 */
#include "api/api.h"
#include "base/json.h"
#include "tests/fuzz/lines.h"
#include <assert.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/vedette-fuzz-api-XXXXXX";
static struct api api;
static struct store *stores[1];
static struct collect_stats stats;
static const char line[] = "admin:";

static void make_file(const char *name, const char *text, size_t n)
{
  char path[128];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  int fd = open(path, O_WRONLY | O_CREAT, 0600);
  assert(fd >= 0 && write(fd, text, n) == (ssize_t)n);
  close(fd);
}

static void remove_all(void)
{
  static const char *const files[] = {"workspaces/weu/vedette.db",
                                      "workspaces/weu/vedette.db-wal",
                                      "workspaces/weu/vedette.db-shm",
                                      "tokens",
                                      "audit.key",
                                      "spool/plan",
                                      "workspaces/weu",
                                      "workspaces",
                                      "spool",
                                      ""};
  char path[128];
  store_close(stores[0]);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "%s/%s", dir, files[i]);
    remove(path);
  }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  static const struct alert_place place = {STR("weu"), STR("westeurope"), {0}, {0}};
  unsigned char hash[crypto_hash_sha256_BYTES];
  char hex[sizeof hash * 2 + 1], token[128], path[128];
  (void)argc, (void)argv;
  assert(mkdtemp(dir) && sodium_init() >= 0);
  crypto_hash_sha256(hash, (const unsigned char *)"x2", 2);
  sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
  int n = snprintf(token, sizeof token, "%.6s%s\n", line, hex);
  make_file("tokens", token, (size_t)n);
  snprintf(path, sizeof path, "%s/spool", dir);
  assert(mkdir(path, 0700) == 0);
  assert(store_open_sqlite(dir, &place, true, &stores[0], NULL) == VDT_OK);
  api = (struct api){.state_dir = dir,
                     .auth = auth_new(dir, &(struct session_limits){3600000000, 3600000000}, -1, NULL),
                     .stores = stores,
                     .n_stores = 1,
                     .stats = &stats,
                     .arena = vdt_arena_new((size_t)64 << 20)};
  atexit(remove_all);
  return 0;
}

/* A path may have a query, "?a=b&c=d", as it is when the server has read it. */
static void take_query(struct api_request *r)
{
  const char *mark = r->path.n ? memchr(r->path.p, '?', r->path.n) : NULL;
  if (!mark) return;
  struct str query = str_cut(r->path, (size_t)(mark - r->path.p) + 1, r->path.n);
  r->path.n = (size_t)(mark - r->path.p);
  while (query.n && r->n_arguments < API_ARGUMENTS) {
    const char *end = memchr(query.p, '&', query.n);
    struct str one = str_cut(query, 0, end ? (size_t)(end - query.p) : query.n);
    const char *equals = one.n ? memchr(one.p, '=', one.n) : NULL;
    size_t n = equals ? (size_t)(equals - one.p) : one.n;
    r->arguments[r->n_arguments++] = (struct api_argument){str_cut(one, 0, n), str_cut(one, equals ? n + 1 : n, one.n)};
    query = str_cut(query, end ? one.n + 1 : one.n, query.n);
  }
}

static void check(const struct api_response *out)
{
  struct json_doc doc;
  struct vdt_arena *arena = vdt_arena_new(0);
  assert(out->status >= 200 && out->status < 600);
  if (arena && out->type && str_starts(str_of(out->type), STR("application/json"))) {
    assert(json_parse(arena, buf_str(&out->body), &JSON_LIMITS_DEFAULT, &doc, NULL) == VDT_OK);
    if (out->status >= 400) assert(json_get(&doc, json_get(&doc, 0, "error"), "code"));
  }
  vdt_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str text = {(const char *)data, size};
  struct api_request r = {.authorization = STR("Bearer x2")};
  struct api_response out = {0};
  struct str *fields[] = {&r.method, &r.path, &r.api_version, &r.skip_token, &r.alert_type, &r.filter, &r.host};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) *fields[i] = next(&text);
  /* Other hosts are signin.c's: here they would only end each request early. */
  if (!r.host.n || memchr(r.host.p, '!', r.host.n) == NULL) r.host = STR("localhost:8090");
  char *body = malloc(text.n + 1); /* some routes wipe it */
  assert(body);
  memcpy(body, text.p, text.n);
  r.body = (struct str){body, text.n};
  take_query(&r);
  enum store_purge_step did;
  api_handle(&api, &r, &out);
  check(&out);
  stores[0]->ops->purge(stores[0], 10, false, &did, NULL); /* what was asked to go */
  buf_finish(&out.body);
  free(body);
  return 0;
}
