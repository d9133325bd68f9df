/*
 * geo: country and network (autonomous system) of an address, from MaxMind databases that the configuration names (GeoLite2-Country or -City,
 * GeoLite2-ASN, or others of the same form). For one thread, but for geo_info.
 *
 * A file that changes is opened anew; one that is broken or gone leaves what was open, and the log says why.
 */
#ifndef API_GEO_H
#define API_GEO_H
#include "base/arena.h"

struct geo_options {
  const char *country, *network; /* paths, or NULL */
};

struct geo;
/* Options are borrowed. NULL: out of memory. */
struct geo *geo_new(const struct geo_options *options);
void geo_free(struct geo *g);
/* Looks whether files have changed, once a second at most. */
void geo_refresh(struct geo *g);
/* "DE", and "AS64500 Example Networks"; empty when it is not known. Both lie in the arena. */
void geo_find(const struct geo *g, struct str address, struct vdt_arena *arena, struct str *country, struct str *network);
/* Database i, for reports: when it was built, Unix time in seconds, 0: it is not open. False behind the last. */
struct geo_info {
  const char *name;
  uint64_t built;
  bool failed;
};
bool geo_info(const struct geo *g, size_t i, struct geo_info *out);
#endif
