/*
 * What a purge waits for: that the collector has read what lay in the journals when it was looked for. A record that was written before somebody asked
 * for it to go, and is stored a moment later, has to go as well.
 *
 * Reads names and sizes only. Where nobody collects there is nothing to wait for: then it ends soon.
 */
#include "api/keep_files.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/numbers.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_NS = 5000000, PATIENCE_US = 3000000 };

struct journal_end {
  char path[4400];
  struct store *const *stores;
  size_t n_stores;
  uint64_t size;
};

struct keep_backlog {
  struct journal_end *v;
  size_t n, cap;
};

static int add(struct keep_backlog *b, const char *folder, const char *name, struct store *const *stores, size_t n)
{
  struct stat st;
  struct journal_end *grown = heap_grow(b->v, b->n, &b->cap, 8, sizeof *grown);
  if (!grown) return VDT_ENOMEM;
  b->v = grown;
  struct journal_end *e = &grown[b->n];
  int at = snprintf(e->path, sizeof e->path, "%s/%s", folder, name);
  if (at < 0 || (size_t)at >= sizeof e->path || lstat(e->path, &st) || !S_ISREG(st.st_mode)) return VDT_OK;
  e->stores = stores;
  e->n_stores = n;
  e->size = (uint64_t)st.st_size;
  b->n++;
  return VDT_OK;
}

static int add_folder(struct keep_backlog *b, const char *folder, struct store *const *stores, size_t n)
{
  int rc = VDT_OK;
  DIR *d = opendir(folder);
  for (struct dirent *e; d && !rc && (e = readdir(d));) {
    struct str name = str_of(e->d_name);
    if (str_starts(name, STR("journal-"))) rc = add(b, folder, e->d_name, stores, n);
  }
  if (d) closedir(d);
  return rc;
}

/* A journal that is gone has been read. */
static int left_of(const struct journal_end *e, uint64_t *left, struct vdt_error *err)
{
  const char *name = strrchr(e->path, '/') + 1;
  uint64_t at = 0;
  for (size_t i = 0; i < e->n_stores; i++) {
    uint64_t one;
    int rc = e->stores[i]->ops->get_offset(e->stores[i], str_of(name), &one, err);
    if (rc) return rc;
    if (one > at) at = one;
  }
  if (at < e->size && access(e->path, F_OK) == 0) *left += e->size - at;
  return VDT_OK;
}

static int wait(const struct keep_backlog *b, bool (*stop)(void *ctx), void *ctx, struct vdt_error *err)
{
  uint64_t least = UINT64_MAX, since = clock_mono_us();
  while (!stop || !stop(ctx)) {
    uint64_t left = 0;
    for (size_t i = 0; i < b->n; i++) {
      int rc = left_of(&b->v[i], &left, err);
      if (rc) return rc;
    }
    if (left < least) least = left, since = clock_mono_us();
    if (!left || clock_mono_us() - since >= PATIENCE_US) return VDT_OK;
    nanosleep(&(struct timespec){0, LOOK_NS}, NULL);
  }
  return VDT_OK;
}

int keep_wait_for_journals(const char *state_dir, struct store *s, const struct keep_wish *w, struct vdt_error *err)
{
  char path[4200];
  struct keep_backlog b = {0};
  struct str name = s->place.workspace;
  snprintf(path, sizeof path, "%s/spool/workspaces/%.*s", state_dir, (int)name.n, name.p);
  int rc = add_folder(&b, path, &s, 1);
  snprintf(path, sizeof path, "%s/spool", state_dir);
  if (!rc && w->n_all) rc = add_folder(&b, path, w->all, w->n_all);
  rc = rc ? error_set(err, rc, "out of memory") : wait(&b, w->stop, w->ctx, err);
  free(b.v);
  return rc;
}
