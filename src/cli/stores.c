/* Which stores a state folder has, and opening them. A folder whose name no workspace can have is none. */
#include "cli/stores.h"
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

static int open_one(struct stores *s, const char *name)
{
  struct vdt_error err = {0};
  struct alert_place place = {.workspace = str_of(name)};
  if (s->n == STORES_MAX) return cli_usage(s->command, "more than %d workspaces; name one with --workspace", STORES_MAX);
  int rc = store_open_sqlite(s->state, &place, false, &s->v[s->n], &err);
  if (rc) {
    fprintf(stderr, "vedette %s: workspace %.63s: %s\n", s->command, name, err.text);
    return rc == VDT_ENOTFOUND || rc == VDT_EINVAL ? CLI_USAGE : 1;
  }
  s->n++;
  return 0;
}

static int by_name(const struct dirent *e)
{
  return store_name_ok(str_of(e->d_name));
}

/* A folder without one is somebody's mistake, which `vedette data verify` names. */
static bool has_store(const char *state, const char *name)
{
  char path[4400];
  snprintf(path, sizeof path, "%s/workspaces/%.255s/vedette.db", state, name);
  return access(path, F_OK) == 0;
}

int stores_know(const char *command, const char *state, const char *workspace)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/workspaces", state);
  if (access(path, R_OK | X_OK)) return cli_state_missing(command, state, "workspaces", errno);
  if (!workspace || has_store(state, workspace)) return 0;
  if (!store_name_ok(str_of(workspace)))
    return cli_usage(command, "--workspace: a workspace's name has letters, digits, - and _ only");
  return cli_usage(command, "there is no workspace \"%.63s\" in %.200s", workspace, state);
}

static int open_all(struct stores *s)
{
  char path[4096];
  struct dirent **names;
  snprintf(path, sizeof path, "%s/workspaces", s->state);
  int n = scandir(path, &names, by_name, alphasort), rc = 0;
  if (n < 0) {
    return cli_state_missing(s->command, s->state, "workspaces", errno);
  }
  for (int i = 0; i < n; i++) {
    if (!rc && has_store(s->state, names[i]->d_name)) rc = open_one(s, names[i]->d_name);
    free(names[i]);
  }
  free(names);
  return rc;
}

int stores_open(struct stores *s, const char *command, const char *state, const char *workspace)
{
  *s = (struct stores){.command = command, .state = state};
  int rc = stores_know(command, state, workspace);
  if (rc) return rc;
  return workspace ? open_one(s, workspace) : open_all(s);
}

void stores_close(struct stores *s)
{
  for (size_t i = 0; i < s->n; i++) store_close(s->v[i]);
  s->n = 0;
}

struct store *stores_of(const struct stores *s, struct str workspace)
{
  for (size_t i = 0; i < s->n; i++)
    if (str_eq(s->v[i]->place.workspace, workspace)) return s->v[i];
  return NULL;
}
