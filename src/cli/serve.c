/* vedette serve: options to serve_run. */
#include "api/serve.h"
#include "cli/behaviour_args.h"
#include "cli/cli.h"
#include "cli/control_args.h"
#include "cli/feed_args.h"
#include "cli/retention_args.h"
#include "cli/workbench.h"
#include "store/store.h"

/* NAME[,REGION[,SUBSCRIPTION[,RESOURCE GROUP[,evidence]]]] in place: the commas become ends of strings. */
static bool parse_workspace(char *text, struct serve_workspace *w)
{
  const char *evidence = NULL;
  const char **parts[] = {&w->name, &w->region, &w->subscription_id, &w->resource_group, &evidence};
  size_t i = 0;
  *w = (struct serve_workspace){.region = "local"};
  for (char *p = text; p && i < 5; i++) {
    char *comma = strchr(p, ',');
    if (comma) *comma = 0;
    if (*p) *parts[i] = p;
    p = comma ? comma + 1 : NULL;
  }
  w->evidence = evidence && strcmp(evidence, "evidence") == 0;
  return w->name && (!evidence || w->evidence) && store_name_ok(str_of(w->name)) && store_name_ok(str_of(w->region));
}

/* NAME=SOURCE in place. */
static bool parse_key(char *text, struct unseal_source *key)
{
  char *equals = strchr(text, '=');
  if (!equals || equals == text || !equals[1]) return false;
  *equals = 0;
  *key = (struct unseal_source){text, equals + 1};
  return store_name_ok(str_of(text));
}

/* Copies that can be cut apart. */
static void copy_list(const struct cli_list *list, char **out)
{
  for (size_t i = 0; i < list->n; i++) out[i] = strdup(list->items[i]);
}

static void free_list(size_t n, char **copies)
{
  for (size_t i = 0; i < n; i++) free(copies[i]);
}

int cmd_serve(int argc, char **argv)
{
  const char *state = NULL, *socket = NULL, *trust = NULL, *country = NULL, *network = NULL;
  bool no_built_in = false;
  unsigned window = 60;
  struct cli_list names = {0}, retention = {0}, behaviour = {0}, feeds = {0}, control = {0}, keys = {0};
  const struct cli_option options[] = {{"state", CLI_TEXT, &state},
                                       {"socket", CLI_TEXT, &socket},
                                       {"window", CLI_NUMBER, &window},
                                       {"behaviour", CLI_LIST, &behaviour},
                                       {"control", CLI_LIST, &control},
                                       {"feed", CLI_LIST, &feeds},
                                       {"feed-trust", CLI_TEXT, &trust},
                                       {"country-database", CLI_TEXT, &country},
                                       {"network-database", CLI_TEXT, &network},
                                       {"no-built-in-feed", CLI_FLAG, &no_built_in},
                                       {"retention", CLI_LIST, &retention},
                                       {"evidence-key", CLI_LIST, &keys},
                                       {"workspace", CLI_LIST, &names}};
  int left = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (left < 0) return CLI_USAGE;
  if (left > 0) return cli_usage("serve", "what is \"%.40s\"? It takes options only", argv[1]);
  struct serve_workspace workspaces[sizeof names.items / sizeof *names.items] = {{.name = "default", .region = "local"}};
  char *copies[sizeof names.items / sizeof *names.items] = {0};
  struct feeds_source sources[sizeof feeds.items / sizeof *feeds.items];
  char *feed_texts[sizeof feeds.items / sizeof *feeds.items] = {0}, *key_texts[sizeof keys.items / sizeof *keys.items] = {0};
  struct unseal_source key_sources[sizeof keys.items / sizeof *keys.items];
  struct control_args access = {0};
  int rc = 0;
  copy_list(&names, copies);
  copy_list(&feeds, feed_texts);
  copy_list(&keys, key_texts);
  for (size_t i = 0; i < keys.n; i++)
    if (!key_texts[i] || !parse_key(key_texts[i], &key_sources[i]))
      rc = cli_usage("serve", "--evidence-key: expected NAME=SOURCE, as evidence_private_key of the workspace NAME has it");
  for (size_t i = 0; i < names.n; i++)
    if (!copies[i] || !parse_workspace(copies[i], &workspaces[i]))
      rc = cli_usage("serve",
                     "--workspace: expected NAME,REGION[,SUBSCRIPTION[,RESOURCEGROUP[,evidence]]] of letters, digits, - and _");
  struct serve_options o = {.state_dir = cli_state(state),
                            .workspaces = workspaces,
                            .n_workspaces = names.n ? names.n : 1,
                            .socket = socket,
                            .behaviour = behaviour_standard,
                            .feeds = {sources, feeds.n, !no_built_in, trust},
                            .geo = {country, network},
                            .keys = key_sources,
                            .n_keys = keys.n,
                            .window_us = (uint64_t)(window ? window : 1) * 60000000};
  if (!rc && !retention_args_read(&retention, workspaces, o.n_workspaces)) rc = CLI_USAGE;
  if (!rc && !behaviour_args_read(&behaviour, &o.behaviour)) rc = CLI_USAGE;
  if (!rc && !feed_args_read(feed_texts, feeds.n, sources)) rc = CLI_USAGE;
  if (!rc && !control_args_read(&control, &access, &o.control)) rc = CLI_USAGE;
  struct bench *bench = workbench_new(o.state_dir);
  struct workbench ops = workbench_of(bench);
  char engine[WORKBENCH_ENGINE_MAX];
  if (bench) {
    workbench_describe(bench, engine);
    o.bench = &ops;
    o.engine = engine;
  }
  if (!rc) rc = serve_run(&o);
  workbench_free(bench);
  control_args_finish(&access);
  free_list(names.n, copies);
  free_list(feeds.n, feed_texts);
  free_list(keys.n, key_texts);
  return rc;
}
