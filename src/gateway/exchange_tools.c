/* The tools that the model wants to call: their names are kept for the record, and policy may deny some of them. */
#include "gateway/exchange_inside.h"

enum { TOOLS_KEPT = 16, NAME_MAX_KEPT = 64, CALLS_MAX = 1000 };

/* "shell", or "shell_*". */
static bool names(const char *pattern, struct str tool)
{
  struct str p = str_of(pattern);
  if (p.n && p.p[p.n - 1] == '*') return tool.n >= p.n - 1 && str_ieq(str_cut(tool, 0, p.n - 1), str_cut(p, 0, p.n - 1));
  return str_ieq(p, tool);
}

static bool listed(const struct vdt_tool_name *list, size_t n, struct str tool)
{
  size_t i = 0;
  while (i < n && !names(list[i].name, tool)) i++;
  return i < n;
}

static bool is_denied(const struct vdt_tool_policy *p, struct str tool)
{
  return listed(p->denied, p->n_denied, tool) || (p->n_allowed && !listed(p->allowed, p->n_allowed, tool));
}

/* A model writes the name: only what names are made of is kept. */
static struct str keep_name(struct exchange *x, struct str name)
{
  char out[NAME_MAX_KEPT];
  size_t n = name.n < sizeof out ? name.n : sizeof out;
  for (size_t i = 0; i < n; i++) {
    char c = name.p[i];
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("_-./:", c));
    out[i] = plain ? c : '_';
  }
  return exchange_keep(x, (struct str){out, n}, n);
}

static bool is_known(const struct exchange *x, struct str name)
{
  size_t i = 0;
  while (i < x->n_tools && !str_eq(x->tools[i], name)) i++;
  return i < x->n_tools;
}

static bool add_name(struct exchange *x, struct str name)
{
  if (x->n_tools == TOOLS_KEPT) return true;
  struct str *grown = arena_grow(x->arena, x->tools, x->n_tools, &x->cap_tools, 4, sizeof *grown);
  if (!grown) return false;
  x->tools = grown;
  x->tools[x->n_tools++] = name;
  const char *all = x->record.tools.n
                        ? arena_printf(x->arena, "%.*s, %.*s", (int)x->record.tools.n, x->record.tools.p, (int)name.n, name.p)
                        : name.p;
  if (all) x->record.tools = str_of(all);
  return all != NULL;
}

static bool add_finding(struct exchange *x, struct str name, enum vdt_action action)
{
  const char *reason = arena_printf(x->arena, "the policy does not allow the tool %.*s", (int)name.n, name.p);
  struct vdt_finding f = {.detector = VDT_DET_TOOL,
                          .rule = "tool-denied",
                          .title = "A tool that policy denies",
                          .alert = "AI.Vedette_DeniedToolInvocation",
                          .reason = reason ? reason : "",
                          .severity = VDT_MEDIUM,
                          .action = action,
                          .confidence = 100,
                          .decoded = ""};
  struct finding_origin o = {.response = true, .role = VDT_RESPONSE, .part = STR("tool call")};
  enum vdt_action before = x->strongest;
  bool ok = reason && exchange_add_finding(x, &o, &f);
  x->strongest = before;
  return ok;
}

int exchange_on_tool(void *ctx, struct str name, bool *stop)
{
  struct exchange *x = ctx;
  const struct vdt_tool_policy *p = &exchange_policy(x)->tools;
  struct str kept = keep_name(x, name);
  *stop = false;
  if (!name.n) return VDT_OK;
  if (!kept.n) return VDT_ENOMEM;
  bool known = is_known(x, kept);
  if (x->record.tool_calls < CALLS_MAX) x->record.tool_calls++;
  if (!known && !add_name(x, kept)) return VDT_ENOMEM;
  if (p->action == VDT_ALLOW || !is_denied(p, name)) return VDT_OK;
  if (!known && !add_finding(x, kept, p->action)) return VDT_ENOMEM;
  exchange_raise_to(x, p->action);
  *stop = p->action >= VDT_CUT;
  x->tool_denied |= *stop;
  return VDT_OK;
}
