#include "cli/retention_args.h"
#include <stdio.h>

void retention_args_put(const struct config_workspace *w, struct vdt_arena *arena, struct child *to)
{
  const uint64_t keep[STORE_CLASSES] = {[STORE_ALERTS] = w->retention.alerts,
                                        [STORE_EVIDENCE] = w->retention.evidence,
                                        [STORE_RECORDS] = w->retention.records,
                                        [STORE_AUDIT] = w->retention.audit};
  char *text = arena_printf(arena, "%s", w->name), one[STORE_KEEP_TEXT];
  for (unsigned c = 0; text && c < STORE_CLASSES; c++) {
    store_keep_write(keep[c], one);
    text = arena_printf(arena, "%s,%s=%s", text, store_class_info((enum store_class)c)->name, one);
  }
  child_arg(to, "--retention");
  child_arg(to, text);
}

/* The next part up to a comma, which is taken away with it. */
static struct str next_part(struct str *left)
{
  size_t at = str_find(*left, STR(",")), n = at == (size_t)-1 ? left->n : at;
  struct str part = str_cut(*left, 0, n);
  *left = str_cut(*left, n == left->n ? n : n + 1, left->n);
  return part;
}

static bool read_class(struct str part, struct serve_workspace *w)
{
  size_t at = str_find(part, STR("="));
  if (at == (size_t)-1) return false;
  enum store_class c = store_class_find(str_cut(part, 0, at));
  return c < STORE_CLASSES && store_keep_read(str_cut(part, at + 1, part.n), &w->keep_s[c]);
}

static bool read_one(struct str text, struct serve_workspace *workspaces, size_t n)
{
  size_t i = 0;
  struct str name = next_part(&text);
  while (i < n && !str_eq(name, str_of(workspaces[i].name))) i++;
  if (i == n || !text.n) return false;
  while (text.n)
    if (!read_class(next_part(&text), &workspaces[i])) return false;
  return true;
}

bool retention_args_read(const struct cli_list *list, struct serve_workspace *workspaces, size_t n)
{
  for (size_t i = 0; i < list->n; i++) {
    if (read_one(str_of(list->items[i]), workspaces, n)) continue;
    cli_usage("serve", "--retention: expected NAME,CLASS=TIME[,...] of a workspace, alerts, evidence, records or audit, and "
                       "forever or 1h to 4383d");
    return false;
  }
  return true;
}
