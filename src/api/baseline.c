/* Files of baselines (baseline.h): replaced whole, so that a reader never meets half of one. */
#include "api/baseline.h"
#include "base/error.h"
#include "base/file.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { SAVE_US = 60000000, LIMIT = 512 << 20 };

static int read_saved(struct baseline *b, struct vdt_error *err)
{
  const void *saved;
  size_t n;
  char aside[sizeof b->path + 16];
  if (access(b->path, F_OK) != 0) return VDT_OK;
  int rc = file_map(b->path, LIMIT, &saved, &n, err);
  bool ours = !rc && behaviour_load(b->behaviour, (struct str){saved, n}) == VDT_OK;
  if (!rc) file_unmap(saved, n);
  if (ours) return VDT_OK;
  snprintf(aside, sizeof aside, "%s.damaged", b->path);
  fprintf(stderr, "vedette serve: %s: %s; it is kept as %s, and what is usual is learnt anew\n", b->path,
          rc ? err->text : "damaged or of another version", aside);
  return rename(b->path, aside) == 0 ? VDT_OK : error_set(err, VDT_EIO, "%s: %s", aside, strerror(errno));
}

int baseline_open(struct baseline *b, const char *state_dir, struct str workspace, const struct behaviour_limits *limits,
                  struct vdt_error *err)
{
  *b = (struct baseline){.behaviour = behaviour_new(limits)};
  if (!b->behaviour) return error_set(err, VDT_ENOMEM, "out of memory");
  snprintf(b->path, sizeof b->path, "%s/workspaces/%.*s/behaviour", state_dir, (int)workspace.n, workspace.p);
  return read_saved(b, err);
}

int baseline_observe(struct baseline *b, struct record *r, struct vdt_arena *arena)
{
  struct record_finding shown[BEHAVIOUR_FINDINGS];
  size_t n;
  int rc = behaviour_observe(b->behaviour, r, arena, shown, &n);
  b->changed = true;
  return rc ? rc : record_append(r, arena, shown, n);
}

static bool put_piece(void *f, struct str piece)
{
  return fwrite(piece.p, 1, piece.n, f) == piece.n;
}

static bool write_learnt(void *b, FILE *f)
{
  return behaviour_save(b, put_piece, f);
}

void baseline_save(struct baseline *b, uint64_t now_us, bool at_once)
{
  struct vdt_error err = {0};
  if (!b->changed || (!at_once && now_us - b->saved_us < SAVE_US)) return;
  b->saved_us = now_us;
  b->changed = file_replace_with(b->path, 0640, write_learnt, b->behaviour, &err) != VDT_OK;
  if (b->changed) fprintf(stderr, "vedette serve: %s\n", err.text);
}

void baseline_close(struct baseline *b)
{
  if (b->behaviour) baseline_save(b, 0, true);
  behaviour_free(b->behaviour);
  *b = (struct baseline){0};
}
