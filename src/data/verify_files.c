/* Every file, folder and socket of the state folder against places.def: known, of its type, owned and closed as the statement says. */
#include "data/verify.h"

enum { PASSING_S = 120, BODY_S = 3600 };

struct files {
  const struct data_statement *s;
  struct data_check *check;
  uid_t owner, gateway;
};

static void check_rights(struct files *f, const struct data_item *i)
{
  unsigned mode = i->st->st_mode & 07777;
  bool owned = i->st->st_uid == f->owner || (i->place->owner == DATA_GATEWAY && i->st->st_uid == f->gateway);
  /* The set-group-id bit of folders, which a parent may have given, lets nobody in. */
  if (S_ISDIR(i->st->st_mode)) mode &= ~(unsigned)S_ISGID;
  if (mode & ~i->place->mode)
    verify_found(f->check, DATA_FAULT_MODE, str_of(i->path), "it is %04o, at most %04o is stated", mode, i->place->mode);
  if (!owned) verify_found(f->check, DATA_FAULT_OWNER, str_of(i->path), "uid %u", (unsigned)i->st->st_uid);
}

static void check_age(struct files *f, const struct data_item *i)
{
  uint64_t now = f->s->input->now_us / 1000000, then = (uint64_t)i->st->st_mtim.tv_sec, age = now > then ? now - then : 0;
  uint64_t most = i->passing ? PASSING_S : i->place->class == DATA_BODIES ? BODY_S : UINT64_MAX;
  if (S_ISREG(i->st->st_mode) && age > most)
    verify_found(f->check, DATA_FAULT_LEFT, str_of(i->path), "%llu seconds old", (unsigned long long)age);
}

static bool is_workspace(const struct config *c, struct str name)
{
  for (size_t i = 0; i < c->n_workspaces; i++)
    if (str_eq(str_of(c->workspaces[i].name), name)) return true;
  return false;
}

/* What a feed said that is no feed of the configuration any more is nobody's. */
static bool is_feed(const struct config *c, struct str name)
{
  if (str_eq(name, STR("status.json"))) return true;
  for (size_t i = 0; i < c->intel.n_feeds; i++)
    if (str_eq(str_of(c->intel.feeds[i].name), name)) return true;
  return false;
}

static void check_configured(struct files *f, const struct data_item *i)
{
  const struct config *c = f->s->input->config;
  struct str path = str_of(i->path), feeds = STR("feeds/");
  if (!c) return;
  bool folder = i->workspace.n && i->workspace.p + i->workspace.n == path.p + path.n; /* the path ends in the workspace's name */
  if (folder && i->place->type == DATA_DIR && !is_workspace(c, i->workspace))
    verify_found(f->check, DATA_FAULT_WORKSPACE, path, "%s", "");
  if (str_starts(path, feeds) && !i->passing && !is_feed(c, str_cut(path, feeds.n, path.n)))
    verify_found(f->check, DATA_FAULT_FILE, path, "the configuration has no such feed");
}

static void take_item(void *ctx, const struct data_item *i)
{
  struct files *f = ctx;
  if (verify_stopped(f->check)) return;
  f->check->files++;
  if (!i->place) {
    verify_found(f->check, DATA_FAULT_FILE, str_of(i->path), "%s", "");
  } else if (!data_place_is(i->place, i->st->st_mode)) {
    verify_found(f->check, DATA_FAULT_TYPE, str_of(i->path), "%s", "");
  } else {
    check_rights(f, i);
    check_age(f, i);
    check_configured(f, i);
  }
}

int verify_files(const struct data_statement *s, struct data_check *check, struct vdt_error *err)
{
  char path[4200];
  struct stat st = {0}, spool;
  const char *dir = s->input->state_dir;
  snprintf(path, sizeof path, "%s/spool", dir);
  if (stat(dir, &st) == 0 && (st.st_mode & 07777 & ~(unsigned)S_ISGID & ~0750u))
    verify_found(check, DATA_FAULT_MODE, STR("."), "it is %04o, at most 0750 is stated", st.st_mode & 07777);
  struct files f = {s, check, st.st_uid, stat(path, &spool) == 0 ? spool.st_uid : st.st_uid};
  return data_walk(dir, take_item, &f, err);
}
