/* vedette serve: options to serve_run. */
#include "api/serve.h"
#include "cli/behaviour_args.h"
#include "cli/cli.h"
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

int cmd_serve(int argc, char **argv)
{
  const char *state = NULL, *socket = NULL;
  unsigned window = 60;
  struct cli_list names = {0}, behaviour = {0};
  const struct cli_option options[] = {{"state", CLI_TEXT, &state},
                                       {"socket", CLI_TEXT, &socket},
                                       {"window", CLI_NUMBER, &window},
                                       {"behaviour", CLI_LIST, &behaviour},
                                       {"workspace", CLI_LIST, &names}};
  int left = cli_options(argc, argv, options, sizeof options / sizeof *options);
  if (left < 0) return CLI_USAGE;
  if (left > 0) return cli_usage("serve", "what is \"%.40s\"? It takes options only", argv[1]);
  struct serve_workspace workspaces[sizeof names.items / sizeof *names.items] = {{.name = "default", .region = "local"}};
  char *copies[sizeof names.items / sizeof *names.items] = {0};
  int rc = 0;
  for (size_t i = 0; i < names.n; i++) {
    copies[i] = strdup(names.items[i]);
    if (!copies[i] || !parse_workspace(copies[i], &workspaces[i]))
      rc = cli_usage("serve",
                     "--workspace: expected NAME,REGION[,SUBSCRIPTION[,RESOURCEGROUP[,evidence]]] of letters, digits, - and _");
  }
  struct serve_options o = {.state_dir = cli_state(state),
                            .workspaces = workspaces,
                            .n_workspaces = names.n ? names.n : 1,
                            .socket = socket,
                            .behaviour = behaviour_standard,
                            .window_us = (uint64_t)(window ? window : 1) * 60000000};
  if (!rc && !behaviour_args_read(&behaviour, &o.behaviour)) rc = CLI_USAGE;
  if (!rc) rc = serve_run(&o);
  for (size_t i = 0; i < names.n; i++) free(copies[i]);
  return rc;
}
