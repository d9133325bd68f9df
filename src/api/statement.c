/* The data statement over the API, for the workspaces that the token reaches. It says how things are and what is kept of nobody in particular. */
#include "api/statement.h"
#include "api/answer.h"
#include "base/clock.h"
#include "base/error.h"

struct list {
  struct vdt_arena *arena;
  struct data_reader **all;
  size_t *n, cap;
};

static bool add_reader(struct list *l, struct str name, enum auth_role role, struct str workspaces)
{
  struct data_reader *p = arena_grow(l->arena, *l->all, *l->n, &l->cap, 16, sizeof *p);
  struct str mine = arena_dup(l->arena, name), reach = arena_dup(l->arena, workspaces);
  if (!p || !mine.p || !reach.p) return false;
  *l->all = p;
  p[(*l->n)++] = (struct data_reader){
      .name = mine, .role = str_of(token_role_name(role)), .workspaces = reach, .evidence = auth_sees_evidence(role)};
  return true;
}

/* Whom they are, only the provider knows: what it says of them is what counts. */
static bool add_providers(struct list *l, const struct config_control *c)
{
  bool ok = true;
  for (size_t i = 0; ok && i < c->n_oidc; i++)
    for (size_t k = 0; ok && k < c->oidc[i].n_roles; k++) {
      const struct config_oidc_role *r = &c->oidc[i].roles[k];
      const char *name = arena_printf(l->arena, "%s of %s", r->value, c->oidc[i].issuer);
      ok = name && add_reader(l, str_of(name), (enum auth_role)(r->role + 1), r->workspace ? str_of(r->workspace) : STR("*"));
    }
  return ok;
}

int statement_readers(const char *state_dir, const struct config *config, struct vdt_arena *arena, struct data_reader **out,
                      size_t *n, struct vdt_error *err)
{
  struct list l = {.arena = arena, .all = out, .n = n};
  struct buf text = {0};
  struct token_line t;
  char today[TOKEN_DAY + 1];
  bool ok = true;
  *out = NULL;
  *n = 0;
  token_day(clock_unix_us(), today);
  int rc = tokens_read(state_dir, &text, err);
  struct str rest = buf_str(&text);
  while (!rc && ok && token_next(&rest, &t))
    if (!token_expired(&t, today)) ok = add_reader(&l, t.name, t.role, t.workspaces);
  if (!rc && ok && config) ok = add_providers(&l, &config->control);
  buf_finish(&text);
  return !rc && !ok ? error_set(err, VDT_ENOMEM, "out of memory") : rc;
}

/* Of the tokens, those that reach one of the workspaces: the others are not of this answer. */
static size_t keep_near(const struct api *api, struct data_reader *all, size_t n)
{
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    bool near = false;
    for (size_t k = 0; k < api->n_stores; k++) near |= token_reaches(all[i].workspaces, api->stores[k]->place.workspace);
    if (near) all[kept++] = all[i];
  }
  return kept;
}

void api_data_statement(struct api *api, const struct api_request *r, struct api_response *response)
{
  struct config *config = NULL;
  struct data_statement s;
  struct data_reader *readers = NULL;
  size_t n = 0;
  (void)r;
  int rc = data_running_config(api->state_dir, &config, NULL);
  if (!rc) rc = statement_readers(api->state_dir, config, api->arena, &readers, &n, NULL);
  struct data_input in = {.state_dir = api->state_dir,
                          .config = config,
                          .stores = api->stores,
                          .n_stores = api->n_stores,
                          .readers = readers,
                          .n_readers = rc ? 0 : keep_near(api, readers, n),
                          .now_us = clock_unix_us()};
  if (!rc) rc = data_gather(&in, api->arena, &s, NULL);
  response->type = API_JSON;
  if (rc) api_error(response, 503, "ServiceUnavailable", "The statement cannot be made now; try again.");
  else data_put_json(&s, &response->body);
  config_free(config);
}
