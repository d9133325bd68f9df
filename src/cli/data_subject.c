/* vedette data export, vedette data erase: what is kept about one person, for requests of that person. */
#include "api/baseline.h"
#include "api/subject.h"
#include "api/unseal.h"
#include "cli/data.h"
#include <sodium.h>
#include <time.h>

enum { USER_MAX = 1024, PATIENCE = 100 }; /* tenths of a second */

struct request {
  const char *state, *workspace, *user, *key;
  bool evidence, dry_run;
  struct stores stores;
  struct subject subject;
  char who[CLI_WHO];
};

static int failed(const struct store *s, const struct vdt_error *err)
{
  fprintf(stderr, "vedette data: workspace %.*s: %s\n", (int)s->place.workspace.n, s->place.workspace.p, err->text);
  return 1;
}

static bool is_meant(const struct request *r, const struct store *s)
{
  return !r->workspace || str_eq(s->place.workspace, str_of(r->workspace));
}

static int open_all(struct request *r, int n)
{
  if (n) return cli_usage("data", "expected options only; the user is named with --user ID");
  if (!r->user || !*r->user || str_of(r->user).n > USER_MAX)
    return cli_usage("data", "--user: expected the id that requests name as their end user");
  if (sodium_init() < 0) return cli_usage("data", "no source of random numbers");
  cli_who(r->who);
  int rc = stores_open(&r->stores, "data", cli_state(r->state), NULL);
  r->subject = (struct subject){cli_state(r->state), r->stores.v, r->stores.n, str_of(r->user), str_of(r->who)};
  if (!rc && r->workspace && !stores_of(&r->stores, str_of(r->workspace)))
    rc = cli_usage("data", "there is no workspace \"%.63s\"", r->workspace);
  return rc;
}

/* ---- export ------------------------------------------------------------------------------------------------------ */

static bool put_line(void *ctx, struct str line)
{
  *(bool *)ctx = true;
  return fwrite(line.p, 1, line.n, stdout) == line.n;
}

/* What no store has yet would be missing without a word. */
static int warn_of_waiting(const struct request *r)
{
  uint64_t lines = 0;
  struct vdt_error err = {0};
  if (subject_waiting(&r->subject, &lines, &err)) return cli_complain("data", &err);
  if (lines)
    fprintf(
        stderr,
        "vedette data: %llu lines of journals about this user are in no store yet; vedette serve takes them in: then ask again\n",
        (unsigned long long)lines);
  return lines ? 1 : 0;
}

int data_export(int argc, char **argv)
{
  struct request r = {0};
  const struct cli_option options[] = {{"state", CLI_TEXT, &r.state},
                                       {"workspace", CLI_TEXT, &r.workspace},
                                       {"user", CLI_TEXT, &r.user},
                                       {"key", CLI_TEXT, &r.key},
                                       {"evidence", CLI_FLAG, &r.evidence}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  bool any = false;
  if (!cli_key_source("data", r.key)) return CLI_USAGE;
  int rc = open_all(&r, n);
  struct unseal_source source = {NULL, r.key};
  struct unseal unseal = {cli_state(r.state), &source, r.key ? 1 : 0};
  if (!rc && r.key && !r.evidence) rc = cli_usage("data", "--key is for --evidence");
  if (!rc && r.evidence) key_source_protect();
  for (size_t i = 0; !rc && i < r.stores.n; i++) {
    struct vdt_error err = {0};
    struct store *s = r.stores.v[i];
    if (is_meant(&r, s) && subject_export(&r.subject, s, r.evidence ? &unseal : NULL, put_line, &any, &err)) rc = failed(s, &err);
  }
  if (!rc && fflush(stdout)) rc = 1;
  if (!rc) rc = warn_of_waiting(&r);
  if (!rc && !any) fprintf(stderr, "vedette data: nothing is kept about this user; the id has to be as requests name it\n");
  stores_close(&r.stores);
  return rc;
}

/* ---- erase ------------------------------------------------------------------------------------------------------- */

/* The detectors' memory is the control process's: it looks every second. */
static bool is_forgotten(const struct request *r, const struct store *s)
{
  const struct timespec tick = {0, 100000000};
  for (int i = 0; i < PATIENCE && baseline_is_asked(r->subject.state_dir, s->place.workspace); i++) nanosleep(&tick, NULL);
  return !baseline_is_asked(r->subject.state_dir, s->place.workspace);
}

static int erase_one(const struct request *r, struct store *s)
{
  struct vdt_error err = {0};
  struct subject_done d;
  int rc = r->dry_run ? subject_count(&r->subject, s, &d, &err) : subject_erase(&r->subject, s, &d, &err);
  if (rc) return failed(s, &err);
  bool forgotten = r->dry_run || is_forgotten(r, s);
  printf("{\"workspace\":\"%.*s\",\"records\":%llu,\"alerts\":%llu,\"evidence\":%llu", (int)s->place.workspace.n,
         s->place.workspace.p, (unsigned long long)d.records, (unsigned long long)d.alerts, (unsigned long long)d.evidence);
  if (r->dry_run) printf(",\"dryRun\":true}\n");
  else
    printf(",\"held\":%llu,\"status\":\"%s\",\"behaviour\":\"%s\"}\n", (unsigned long long)d.held,
           d.finished ? "completed" : "pending", forgotten ? "forgotten" : "pending");
  if (!forgotten)
    fprintf(stderr, "vedette data: workspace %.*s: the detectors of behaviour forget when vedette serve runs\n",
            (int)s->place.workspace.n, s->place.workspace.p);
  return r->dry_run || (d.finished && forgotten && !d.held) ? 0 : 1;
}

int data_erase(int argc, char **argv)
{
  struct request r = {0};
  const struct cli_option options[] = {{"state", CLI_TEXT, &r.state},
                                       {"workspace", CLI_TEXT, &r.workspace},
                                       {"user", CLI_TEXT, &r.user},
                                       {"dry-run", CLI_FLAG, &r.dry_run}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  int rc = open_all(&r, n), worst = 0;
  for (size_t i = 0; !rc && i < r.stores.n; i++) {
    int one = is_meant(&r, r.stores.v[i]) ? erase_one(&r, r.stores.v[i]) : 0;
    if (one > worst) worst = one;
  }
  if (!rc) rc = worst;
  if (!rc || rc == 1) rc |= warn_of_waiting(&r);
  stores_close(&r.stores);
  return rc;
}
