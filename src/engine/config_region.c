/*
 * Residency as far as a configuration can tell: a deployment whose own region is known must be in that of its workspace. Some hosts of Azure have their
 * region in their name, and one resource is in one region. More cannot be known from here, and nothing is looked up.
 */
#include "engine/config.h"
#include <stdio.h>

static const struct {
  struct str end;
  bool first; /* the region is the host's first label, else the last one before the end */
} hosts[] = {{STR(".api.cognitive.microsoft.com"), true},
             {STR(".models.ai.azure.com"), false},
             {STR(".inference.ai.azure.com"), false},
             {STR(".inference.ml.azure.com"), false}};

static struct str last_label(struct str s)
{
  size_t i = s.n;
  while (i && s.p[i - 1] != '.') i--;
  return str_cut(s, i, s.n);
}

/* Letters and digits, beginning with a letter: as Azure names its regions. */
static bool is_region(struct str s)
{
  for (size_t i = 0; i < s.n; i++) {
    bool letter = (s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z', digit = s.p[i] >= '0' && s.p[i] <= '9';
    if (!letter && !(digit && i)) return false;
  }
  return s.n > 0;
}

struct str config_region_of(const struct config_url *u)
{
  if (u->scheme != CONFIG_HTTP && u->scheme != CONFIG_HTTPS) return (struct str){0};
  struct str host = str_of(u->host);
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    struct str end = hosts[i].end;
    if (host.n <= end.n || !str_ieq(str_cut(host, host.n - end.n, host.n), end)) continue;
    struct str before = str_cut(host, 0, host.n - end.n), region = last_label(before);
    if (hosts[i].first && region.n != before.n) continue; /* more labels: no name of that kind */
    if (!hosts[i].first && region.n == before.n) continue;
    return is_region(region) ? region : (struct str){0};
  }
  return (struct str){0};
}

static bool same_region(const struct config_deployment *a, const struct config_deployment *b)
{
  return str_ieq(str_of(a->workspace->region), str_of(b->workspace->region));
}

bool config_region_conflict(const struct config *c, size_t i, const char **key, char *what, size_t size)
{
  const struct config_deployment *d = &c->deployments[i];
  struct str region = config_region_of(&d->upstream);
  *key = "upstream";
  if (region.n && !str_ieq(region, str_of(d->workspace->region))) {
    snprintf(what, size, "it is in %.*s, and the workspace \"%s\" is in %s", (int)region.n, region.p, d->workspace->name,
             d->workspace->region);
    return true;
  }
  *key = "resource_id";
  for (size_t k = 0; d->resource_id && k < i; k++) {
    const struct config_deployment *other = &c->deployments[k];
    if (!other->resource_id || !str_ieq(str_of(other->resource_id), str_of(d->resource_id)) || same_region(d, other)) continue;
    snprintf(what, size, "the same resource is in %s by the deployment \"%s\"", other->workspace->region, other->name);
    return true;
  }
  return false;
}
