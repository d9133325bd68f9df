/* The whole of the proof, and what its parts share. */
#include "data/verify.h"
#include <stdarg.h>

static const struct {
  const char *name, *text, *todo;
} faults[DATA_FAULTS] = {
#define X(id, name, text, todo) {name, text, todo},
#include "data/faults.def"
#undef X
};

const char *data_fault_name(enum data_fault fault)
{
  return faults[fault].name;
}

const char *data_fault_text(enum data_fault fault)
{
  return faults[fault].text;
}

const char *data_fault_todo(enum data_fault fault)
{
  return faults[fault].todo;
}

bool verify_stopped(struct data_check *check)
{
  if (!check->stopped && check->stop) check->stopped = check->stop(check->ctx, check);
  return check->stopped;
}

void verify_found(struct data_check *check, enum data_fault fault, struct str place, const char *fmt, ...)
{
  char text[256];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  check->faults++;
  check->found(check->ctx, fault, place, str_of(text));
}

const struct data_deployment *verify_deployment(const struct data_statement *s, struct str name)
{
  for (size_t i = 0; i < s->n_workspaces; i++)
    for (size_t k = 0; k < s->workspaces[i].n_deployments; k++)
      if (str_eq(str_of(s->workspaces[i].deployments[k].config->name), name)) return &s->workspaces[i].deployments[k];
  return NULL;
}

bool verify_has_text(const struct record *r)
{
  bool any = r->request.text.n || r->response.text.n;
  for (size_t i = 0; i < r->n_findings; i++)
    any |= r->findings[i].evidence.n || r->findings[i].decoded.n || r->findings[i].sealed.n;
  return any;
}

uint64_t data_running_since(const char *state_dir)
{
  char path[4200];
  struct stat st;
  snprintf(path, sizeof path, "%s/run/effective.yaml", state_dir);
  return stat(path, &st) == 0 ? (uint64_t)st.st_mtim.tv_sec * 1000000 : 0;
}

int data_verify(const struct data_statement *s, struct data_check *check, struct vdt_error *err)
{
  int rc = verify_files(s, check, err);
  if (!rc && !verify_stopped(check)) rc = verify_stores(s, check, err);
  if (!rc && !verify_stopped(check)) rc = verify_lines(s, check, err);
  return rc;
}
