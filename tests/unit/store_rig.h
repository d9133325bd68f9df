/* What tests of the store share: one workspace in a folder of its own, opened again and emptied. */
#ifndef UNIT_STORE_RIG_H
#define UNIT_STORE_RIG_H
#include "store/store.h"
#include "../test.h"
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

static struct vdt_arena *arena;
static struct store *s;
static char dir[] = "/tmp/vedette-store-XXXXXX";
static const struct alert_place place = {STR("weu"), STR("westeurope"), {0}, {0}};

static int drop(const char *path, const struct stat *st, int flag, struct FTW *f)
{
  (void)st, (void)flag, (void)f;
  return remove(path);
}

static void reopen(void)
{
  struct vdt_error err = {0};
  store_close(s);
  s = NULL;
  CHECK_INT(store_open_sqlite(dir, &place, true, &s, &err), VDT_OK);
  if (!s) printf("# %s\n", err.text), exit(1);
}

/* An empty store, with a key for its audit log that is made anew. */
static void fresh(void)
{
  char path[64];
  store_close(s);
  s = NULL;
  snprintf(path, sizeof path, "%s/workspaces", dir);
  nftw(path, drop, 8, FTW_DEPTH | FTW_PHYS);
  snprintf(path, sizeof path, "%s/audit.key", dir);
  unlink(path);
  reopen();
}
#endif
