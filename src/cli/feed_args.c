#include "cli/feed_args.h"
#include "gateway/load.h"
#include <limits.h>

static const char *or_nothing(const char *s)
{
  return s ? s : "";
}

const char *feed_args_path(const struct config *c, const char *file, struct vdt_arena *arena)
{
  char path[PATH_MAX];
  if (!load_resolve(file, c->path, path, sizeof path)) return file;
  if (path[0] == '/') return arena_printf(arena, "%s", path);
  char *full = realpath(path, NULL), *kept = full ? arena_printf(arena, "%s", full) : NULL;
  free(full);
  return kept ? kept : arena_printf(arena, "%s", path); /* it is not there yet: from where we stand */
}

static void put_path(const struct config *c, const char *option, const char *file, struct vdt_arena *arena, struct child *to)
{
  if (!file) return;
  child_arg(to, option);
  child_arg(to, feed_args_path(c, file, arena));
}

void feed_args_put(const struct config *config, struct vdt_arena *arena, struct child *to)
{
  const struct config_intel *t = &config->intel;
  for (size_t i = 0; i < t->n_feeds; i++) {
    const struct config_feed *f = &t->feeds[i];
    child_arg(to, "--feed");
    child_arg(to, arena_printf(arena, "%s,%u,%u,%llu,%llu,%s,%s,%s", f->name, f->kind, f->format, (unsigned long long)f->refresh,
                               (unsigned long long)f->stale_after, or_nothing(f->header_env), or_nothing(f->column),
                               or_nothing(f->url ? f->url : feed_args_path(config, f->file, arena))));
  }
  put_path(config, "--feed-trust", t->trust, arena, to);
  put_path(config, "--country-database", t->country_database, arena, to);
  put_path(config, "--network-database", t->network_database, arena, to);
  if (!t->built_in) child_arg(to, "--no-built-in-feed");
}

/* The next part, up to its comma; the last takes all that is left. */
static char *part(char **rest, bool last)
{
  char *p = *rest, *comma = last ? NULL : strchr(p, ',');
  if (comma) *comma = 0;
  *rest = comma ? comma + 1 : p + strlen(p);
  return p;
}

static bool number(const char *text, uint64_t most, unsigned *out)
{
  uint64_t v;
  if (!str_u64(str_of(text), &v) || v > most) return false;
  *out = (unsigned)v;
  return true;
}

static bool is_name(const char *s)
{
  struct str name = str_of(s);
  for (size_t i = 0; i < name.n; i++)
    if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
          (name.p[i] >= '0' && name.p[i] <= '9') || (i && name.p[i] && strchr("._-", name.p[i]))))
      return false;
  return name.n > 0 && name.n <= INTEL_NAME_MAX;
}

static bool read_one(char *text, struct feeds_source *out)
{
  unsigned kind = 0, format = 0;
  *out = (struct feeds_source){.name = part(&text, false)};
  bool ok = number(part(&text, false), INTEL_KINDS - 1, &kind) && number(part(&text, false), FEED_FORMATS - 1, &format) &&
            number(part(&text, false), 31622400, &out->refresh) && number(part(&text, false), 31622400, &out->stale_after);
  out->header_env = part(&text, false);
  out->column = part(&text, false);
  out->source = part(&text, true);
  out->kind = (enum intel_kind)kind;
  out->format = (enum feed_format)format;
  if (!*out->header_env) out->header_env = NULL;
  if (!*out->column) out->column = NULL;
  return ok && is_name(out->name) && *out->source && out->refresh;
}

bool feed_args_read(char *const *texts, size_t n, struct feeds_source *out)
{
  for (size_t i = 0; i < n; i++) {
    if (texts[i] && read_one(texts[i], &out[i])) continue;
    fprintf(stderr, "vedette serve: --feed: expected NAME,KIND,FORMAT,REFRESH,STALE,HEADER_ENV,COLUMN,FILE or https://...; kind "
                    "and format as "
                    "numbers, times in seconds\n");
    return false;
  }
  return true;
}
