#include "cli/behaviour_args.h"

void behaviour_args_put(const struct behaviour_limits *limits, struct vdt_arena *arena, struct child *to)
{
  for (size_t i = 0; behaviour_limit_name(i); i++) {
    uint64_t value = behaviour_limit_get(limits, i);
    if (value == behaviour_limit_get(&behaviour_standard, i)) continue;
    child_arg(to, "--behaviour");
    child_arg(to, arena_printf(arena, "%s=%llu", behaviour_limit_name(i), (unsigned long long)value));
  }
}

static bool read_one(struct str text, struct behaviour_limits *out)
{
  size_t at = str_find(text, STR("=")), i = 0;
  uint64_t value;
  if (at == (size_t)-1 || !str_u64(str_cut(text, at + 1, text.n), &value)) return false;
  while (behaviour_limit_name(i) && !str_eq(str_cut(text, 0, at), str_of(behaviour_limit_name(i)))) i++;
  return behaviour_limit_name(i) && behaviour_limit_set(out, i, value);
}

bool behaviour_args_read(const struct cli_list *list, struct behaviour_limits *out)
{
  for (size_t i = 0; i < list->n; i++) {
    if (read_one(str_of(list->items[i]), out)) continue;
    fprintf(stderr, "vedette serve: --behaviour ");
    cli_print_safe(stderr, str_of(list->items[i]));
    fprintf(stderr, ": expected NAME=NUMBER, a parameter of docs/behaviour.md within its bounds, durations in seconds\n");
    return false;
  }
  return true;
}
