#include "api/geo.h"
#include "base/clock.h"
#include "base/network.h"
#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

enum { SECOND = 1000000, NAME_MAX_SHOWN = 128 };

struct database {
  const char *name, *path; /* path: NULL when there is none */
  MMDB_s db;
  bool open, failed;
  _Atomic uint64_t built; /* these two also for other threads */
  _Atomic bool broken;
  ino_t inode;
  off_t size;
  struct timespec changed;
};

struct geo {
  struct database all[2];
  uint64_t looked_us;
};

enum { COUNTRY, NETWORK };

static void complain(struct database *d, const char *why)
{
  if (!d->failed)
    fprintf(stderr, "vedette serve: %s: %s; %s\n", d->path, why,
            d->open ? "what was read before stays" : "nothing is known from it");
  d->failed = true;
  atomic_store(&d->broken, true);
}

static void open_again(struct database *d)
{
  MMDB_s fresh;
  int rc = MMDB_open(d->path, MMDB_MODE_MMAP, &fresh);
  d->failed = false; /* another file: say it again */
  if (rc != MMDB_SUCCESS) {
    complain(d, rc == MMDB_IO_ERROR ? strerror(errno) : MMDB_strerror(rc));
    return;
  }
  if (d->open) MMDB_close(&d->db);
  d->db = fresh;
  d->open = true;
  atomic_store(&d->built, fresh.metadata.build_epoch);
  atomic_store(&d->broken, false);
}

static void look_at(struct database *d)
{
  struct stat st;
  if (!d->path) return;
  if (stat(d->path, &st) != 0) {
    complain(d, strerror(errno));
    d->inode = 0;
    return;
  }
  bool same = st.st_ino == d->inode && st.st_size == d->size && memcmp(&st.st_mtim, &d->changed, sizeof st.st_mtim) == 0;
  d->inode = st.st_ino;
  d->size = st.st_size;
  d->changed = st.st_mtim;
  if (!same) open_again(d);
}

struct geo *geo_new(const struct geo_options *options)
{
  struct geo *g = calloc(1, sizeof *g);
  if (!g) return NULL;
  g->all[COUNTRY].name = "country-database";
  g->all[COUNTRY].path = options->country;
  g->all[NETWORK].name = "network-database";
  g->all[NETWORK].path = options->network;
  geo_refresh(g);
  return g;
}

void geo_free(struct geo *g)
{
  for (size_t i = 0; g && i < 2; i++)
    if (g->all[i].open) MMDB_close(&g->all[i].db);
  free(g);
}

void geo_refresh(struct geo *g)
{
  uint64_t now = clock_mono_us();
  if (g->looked_us && now - g->looked_us < SECOND) return;
  g->looked_us = now;
  for (size_t i = 0; i < 2; i++) look_at(&g->all[i]);
}

/* IPv4 is asked for as such: not every database has its mapped form. */
static bool entry_of(const struct database *d, const struct address *a, MMDB_entry_s *out)
{
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  struct sockaddr_in four = {.sin_family = AF_INET};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6};
  int error;
  if (!d->open) return false;
  bool is_four = memcmp(a->bytes, mapped, sizeof mapped) == 0;
  memcpy(&four.sin_addr, a->bytes + 12, 4);
  memcpy(&six.sin6_addr, a->bytes, 16);
  MMDB_lookup_result_s r =
      MMDB_lookup_sockaddr(&d->db, is_four ? (const struct sockaddr *)&four : (const struct sockaddr *)&six, &error);
  *out = r.entry;
  return error == MMDB_SUCCESS && r.found_entry;
}

/* A text of the database, as long as one is that people read. */
static struct str text_of(const MMDB_entry_data_s *v)
{
  bool text = v->has_data && v->type == MMDB_DATA_TYPE_UTF8_STRING;
  return text ? (struct str){v->utf8_string, v->data_size < NAME_MAX_SHOWN ? v->data_size : NAME_MAX_SHOWN} : (struct str){0};
}

static struct str country_of(const struct database *d, const struct address *a, struct vdt_arena *arena)
{
  static const char *const whose[] = {"country", "registered_country"};
  MMDB_entry_s entry;
  MMDB_entry_data_s v;
  if (!entry_of(d, a, &entry)) return (struct str){0};
  for (size_t i = 0; i < 2; i++) {
    if (MMDB_get_value(&entry, &v, whose[i], "iso_code", NULL) != MMDB_SUCCESS) continue;
    struct str code = text_of(&v);
    if (code.n) return arena_dup(arena, code);
  }
  return (struct str){0};
}

static struct str network_of(const struct database *d, const struct address *a, struct vdt_arena *arena)
{
  MMDB_entry_s entry;
  MMDB_entry_data_s number, name;
  if (!entry_of(d, a, &entry)) return (struct str){0};
  if (MMDB_get_value(&entry, &number, "autonomous_system_number", NULL) != MMDB_SUCCESS || !number.has_data ||
      number.type != MMDB_DATA_TYPE_UINT32)
    return (struct str){0};
  bool named = MMDB_get_value(&entry, &name, "autonomous_system_organization", NULL) == MMDB_SUCCESS;
  struct str of = named ? text_of(&name) : (struct str){0};
  return str_of(arena_printf(arena, "AS%u%s%.*s", number.uint32, of.n ? " " : "", (int)of.n, of.n ? of.p : ""));
}

void geo_find(const struct geo *g, struct str address, struct vdt_arena *arena, struct str *country, struct str *network)
{
  struct str bare;
  struct address a;
  *country = *network = (struct str){0};
  if (!address.n || !address_find(address, &bare, &a)) return;
  *country = country_of(&g->all[COUNTRY], &a, arena);
  *network = network_of(&g->all[NETWORK], &a, arena);
}

bool geo_info(const struct geo *g, size_t i, struct geo_info *out)
{
  size_t at = 0;
  for (size_t k = 0; g && k < 2; k++) {
    const struct database *d = &g->all[k];
    if (!d->path || at++ != i) continue;
    *out = (struct geo_info){d->name, atomic_load(&d->built), atomic_load(&d->broken)};
    return true;
  }
  return false;
}
