#include "cli/control_args.h"

static void put(struct child *to, const char *text)
{
  child_arg(to, "--control");
  child_arg(to, text);
}

/* What listen.control names, unless it is a socket or an address, which need no naming. */
static void put_listen(const char *listen, struct vdt_arena *arena, struct child *to)
{
  struct str s = str_of(listen);
  const char *colon = strrchr(listen, ':');
  if (str_starts(s, STR("unix:")) || s.p[0] == '[' || !colon) return;
  put(to, arena_printf(arena, "host=%.*s", (int)(colon - listen), listen));
}

void control_args_put(const struct config *config, struct vdt_arena *arena, struct child *to)
{
  const struct config_control *c = &config->control;
  put_listen(config->listen.control, arena, to);
  for (size_t i = 0; i < c->n_hosts && i < 32; i++) put(to, arena_printf(arena, "host=%s", c->hosts[i].name));
  put(to, arena_printf(arena, "session=%llu", (unsigned long long)c->session));
  put(to, arena_printf(arena, "session_idle=%llu", (unsigned long long)c->session_idle));
}

static bool read_one(const char *text, struct control_args *args, struct serve_control *out)
{
  const char *value = strchr(text, '=');
  struct str name = {text, value ? (size_t)(value - text) : 0};
  uint64_t n;
  if (!value) return false;
  value++;
  if (str_eq(name, STR("host"))) {
    args->hosts[out->n_hosts++] = value;
    return *value && out->n_hosts <= 64;
  }
  uint64_t *to = str_eq(name, STR("session"))        ? &out->sessions.life_us
                 : str_eq(name, STR("session_idle")) ? &out->sessions.idle_us
                                                     : NULL;
  if (!to || !str_u64(str_of(value), &n) || n < 1 || n > 2678400) return false;
  *to = n * 1000000;
  return true;
}

bool control_args_read(const struct cli_list *list, struct control_args *args, struct serve_control *out)
{
  *out = (struct serve_control){.hosts = args->hosts, .sessions = {8 * 3600000000ull, 3600000000ull}};
  for (size_t i = 0; i < list->n; i++) {
    if (read_one(list->items[i], args, out)) continue;
    fprintf(stderr, "vedette serve: --control ");
    cli_print_safe(stderr, str_of(list->items[i]));
    fprintf(stderr, ": expected host=NAME, session=SECONDS or session_idle=SECONDS\n");
    return false;
  }
  return true;
}
