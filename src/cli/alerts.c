/* vedette alerts: which stores, which alerts, and what is done to them, directly on the stores of a state folder. */
#include "cli/alerts.h"
#include "api/unseal.h"
#include "base/clock.h"
#include <unistd.h>

/* ---- changes ---------------------------------------------------------------------------------------------------- */

static int find_one(struct alerts *a, const char *id, struct alert **out)
{
  struct store_query q = STORE_QUERY_ALL;
  size_t n;
  q.part = str_of(id);
  q.limit = 2;
  int rc = q.part.n ? alerts_gather(a, &q, out, &n) : cli_usage("alerts", "an empty ID names no alert");
  if (rc) return rc;
  if (n == 1) return 0;
  fprintf(stderr, n ? "vedette alerts: more than one alert has an ID like \"" : "vedette alerts: no alert has an ID like \"");
  cli_print_safe(stderr, str_of(id));
  fprintf(stderr, n ? "\"; give more of it\n" : "\"; `vedette alerts list` shows them\n");
  return 1;
}

static int change_one(const struct alerts *a, const struct alert *alert, const struct store_change *change)
{
  struct vdt_error err = {0};
  struct store *s = stores_of(&a->stores, alert->workspace);
  enum alert_status becomes = change->status < ALERT_STATUSES ? change->status : alert->status;
  if (!a->dry_run && (!s || s->ops->change(s, (struct str){alert->name, ALERT_NAME_LEN}, change, &err)))
    return fprintf(stderr, "vedette alerts: %.*s: %s\n", ALERT_NAME_LEN, alert->name, err.text), 1;
  return printf("%.*s %s\n", ALERT_NAME_LEN, alert->name, alert_status_name(becomes)) > 0 ? 0 : 1;
}

static int read_classification(const struct alerts *a, struct store_change *change)
{
  if (!a->classification) return 0;
  for (int i = 0; i < ALERT_CLASSIFICATIONS; i++)
    if (str_ieq(str_of(a->classification), str_of(alert_classifications[i])))
      change->classification = str_of(alert_classifications[i]);
  return change->classification.n
             ? 0
             : cli_usage("alerts", "--classification: expected Undetermined, TruePositive, BenignPositive or FalsePositive");
}

/* All that the filters leave; without a filter --all would be everything there is, which nobody means. */
static int change_all(struct alerts *a, const struct store_change *change)
{
  struct store_query q;
  struct alert *list;
  size_t n;
  if (!a->type && !a->status && !a->severity && !a->since && !a->deployment && !a->who)
    return cli_usage("alerts", "--all wants a filter: --type, --status, --severity, --since, --deployment or --who");
  int rc = alerts_query(a, &q);
  if (!rc) rc = alerts_gather(a, &q, &list, &n);
  for (size_t i = 0; !rc && i < n; i++) rc = change_one(a, &list[i], change);
  if (!rc) fprintf(stderr, "%zu alert%s%s\n", n, n == 1 ? "" : "s", a->dry_run ? " would change; without --dry-run they do" : "");
  return rc;
}

/* Every ID is looked up before the first change: a mistyped one changes nothing. */
static int change_named(struct alerts *a, int n, char **ids, const struct store_change *change)
{
  struct alert **found = arena_zalloc(a->arena, (size_t)n, sizeof *found);
  int rc = found ? 0 : (fprintf(stderr, "vedette alerts: out of memory\n"), 1);
  for (int i = 0; !rc && i < n; i++) rc = find_one(a, ids[i], &found[i]);
  for (int i = 0; !rc && i < n; i++) rc = change_one(a, found[i], change);
  return rc;
}

static int do_change(struct alerts *a, enum alert_status status, int n, char **ids)
{
  char who[CLI_WHO];
  cli_who(who);
  struct store_change change = {.status = status, .comment = str_of(a->comment), .who = str_of(who), .time_us = clock_unix_us()};
  int rc = read_classification(a, &change);
  if (rc) return rc;
  if (status == ALERT_STATUSES && !change.comment.n && !change.classification.n)
    return cli_usage("alerts", "comment wants --comment TEXT, --classification NAME, or both");
  return a->all ? change_all(a, &change) : change_named(a, n, ids, &change);
}

/* ---- verbs ------------------------------------------------------------------------------------------------------ */

/* The reason in words, with the id of the key that is missing. */
static void say_closed(const struct alerts *a, const struct unseal *unseal, const struct alert *alert)
{
  struct unseal_keys k;
  (void)a;
  unseal_begin(unseal, alert->workspace, &k);
  fprintf(stderr, "vedette alerts: evidence stays closed: %s", alert->closed);
  if (alert->closed_key[0])
    fprintf(stderr, ", key %s of workspace %.*s", alert->closed_key, (int)alert->workspace.n, alert->workspace.p);
  if (k.why) fprintf(stderr, ": %s%s%s", k.err.file, k.err.file[0] ? ": " : "", k.err.text);
  fprintf(stderr, "\n%s\n", unseal_help(unseal_find(alert->closed)));
  unseal_end(&k);
}

/* As the API does it: into the audit log first, then it is opened. */
static int read_evidence(struct alerts *a, struct alert *alert)
{
  char who[CLI_WHO];
  struct vdt_error err = {0};
  struct store *s = stores_of(&a->stores, alert->workspace);
  struct unseal_source source = {NULL, a->key};
  struct unseal unseal = {a->state, &source, a->key ? 1 : 0};
  struct store_audit entry = {.time_us = clock_unix_us(), .what = STR("evidence read"), .detail = STR("1 alert")};
  if (!alert->n_evidence) return 0;
  cli_who(who);
  entry.who = str_of(who);
  entry.target = (struct str){alert->name, ALERT_NAME_LEN};
  if (!s || s->ops->put_audit(s, &entry, &err))
    return fprintf(stderr, "vedette alerts: nothing is shown, because the audit log cannot be written: %s\n", err.text), 1;
  unseal_alerts(&unseal, alert, 1, a->arena);
  if (alert->closed && *alert->closed) say_closed(a, &unseal, alert);
  return 0;
}

static int do_show(struct alerts *a, const char *id)
{
  struct alert *alert;
  int rc = find_one(a, id, &alert);
  if (!rc) rc = read_evidence(a, alert);
  return rc ? rc : alerts_show(a, alert);
}

struct verb {
  const char *name;
  enum alert_status status;
};
static const struct verb verbs[] = {{"resolve", ALERT_RESOLVED},
                                    {"dismiss", ALERT_DISMISSED},
                                    {"activate", ALERT_ACTIVE},
                                    {"progress", ALERT_IN_PROGRESS},
                                    {"comment", ALERT_STATUSES}};

static const struct verb *find_verb(const char *name)
{
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    if (strcmp(name, verbs[i].name) == 0) return &verbs[i];
  return NULL;
}

static int dispatch(struct alerts *a, int n, char **words)
{
  const char *word = n ? words[0] : "list";
  const struct verb *verb = find_verb(word);
  bool list = strcmp(word, "list") == 0, show = strcmp(word, "show") == 0, types = strcmp(word, "types") == 0;
  if (!list && !show && !types && !verb)
    return cli_usage("alerts", "expected list, show, types, resolve, dismiss, activate, progress or comment");
  if ((list || types) && n > 1) return cli_usage("alerts", "%s takes options only", word);
  if (show && n != 2) return cli_usage("alerts", "show takes one ID");
  if (verb && (n < 2) != a->all) return cli_usage("alerts", "%s takes IDs, or --all with filters", word);
  if (types) return alerts_types(a->type, a->json, a->table, a->markdown);
  int rc = stores_open(&a->stores, "alerts", a->state, a->workspace);
  if (rc) return rc;
  if (list) return alerts_list(a);
  return show ? do_show(a, words[1]) : do_change(a, verb->status, n - 1, words + 1);
}

int cmd_alerts(int argc, char **argv)
{
  struct alerts a = {.limit = 1000, .interval = 1};
  const struct cli_option options[] = {{"state", CLI_TEXT, &a.state},
                                       {"workspace", CLI_TEXT, &a.workspace},
                                       {"type", CLI_TEXT, &a.type},
                                       {"status", CLI_TEXT, &a.status},
                                       {"severity", CLI_TEXT, &a.severity},
                                       {"since", CLI_TEXT, &a.since},
                                       {"deployment", CLI_TEXT, &a.deployment},
                                       {"who", CLI_TEXT, &a.who},
                                       {"sort", CLI_TEXT, &a.sort},
                                       {"watch", CLI_FLAG, &a.watch},
                                       {"interval", CLI_NUMBER, &a.interval},
                                       {"all", CLI_FLAG, &a.all},
                                       {"dry-run", CLI_FLAG, &a.dry_run},
                                       {"comment", CLI_TEXT, &a.comment},
                                       {"classification", CLI_TEXT, &a.classification},
                                       {"key", CLI_TEXT, &a.key},
                                       {"json", CLI_FLAG, &a.json},
                                       {"table", CLI_FLAG, &a.table},
                                       {"markdown", CLI_FLAG, &a.markdown},
                                       {"limit", CLI_NUMBER, &a.limit}};
  int n = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (n < 0) return CLI_USAGE;
  if (!cli_key_source("alerts", a.key)) return CLI_USAGE;
  a.state = cli_state(a.state);
  a.arena = vdt_arena_new((size_t)1 << 30);
  if (!a.arena) return fprintf(stderr, "vedette alerts: out of memory\n"), 1;
  int rc = dispatch(&a, n, argv + 1);
  stores_close(&a.stores);
  vdt_arena_free(a.arena);
  return rc;
}
