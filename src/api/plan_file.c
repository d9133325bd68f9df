#include "api/plan_file.h"
#include "base/error.h"
#include "base/file.h"

/* A subscription comes from a path: only what can be one goes into a file of lines. */
static bool plain(struct str s)
{
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  return s.n > 0 && s.n <= 64;
}

static void put_lines(struct buf *b, const struct store_plan *plans, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (plans[i].evidence == STORE_UNSET || !plain(plans[i].subscription)) continue;
    buf_put(b, plans[i].subscription);
    buf_put(b, plans[i].evidence == STORE_ON ? STR(" on\n") : STR(" off\n"));
  }
}

/* The workers' user may be another, and it says nothing secret. */
static int replace(const char *state_dir, struct str text, struct vdt_error *err)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/spool/plan", state_dir);
  return file_replace(path, text, 0644, err);
}

int plan_file_write(const char *state_dir, struct store *const *stores, size_t n, struct vdt_arena *arena, struct vdt_error *err)
{
  struct buf b = {0};
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < n; i++) {
    struct store_plan *plans;
    size_t n_plans;
    rc = stores[i]->ops->list_plans(stores[i], (struct str){0}, arena, &plans, &n_plans, err);
    if (!rc) put_lines(&b, plans, n_plans);
  }
  if (!rc) rc = b.failed ? error_set(err, VDT_ENOMEM, "out of memory") : replace(state_dir, buf_str(&b), err);
  buf_finish(&b);
  return rc;
}
