/* Files of baselines (baseline.h): replaced whole, so that a reader never meets half of one. */
#include "api/baseline.h"
#include "base/error.h"
#include "base/file.h"
#include "base/wipe.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

/* ---- forgetting -------------------------------------------------------------------------------------------------- */

enum { KEY_HEX = 16, ASKED_MAX = 64 << 20 };

int baseline_ask_forget(const char *state_dir, struct str workspace, const uint64_t *keys, size_t n, struct vdt_error *err)
{
  char path[4200];
  struct buf text = {0};
  snprintf(path, sizeof path, "%s/workspaces/%.*s/behaviour.forget", state_dir, (int)workspace.n, workspace.p);
  if (access(path, F_OK) == 0 && file_read(path, ASKED_MAX, &text, err)) return buf_finish(&text), VDT_EIO;
  for (size_t i = 0; i < n; i++) buf_printf(&text, "%016llx\n", (unsigned long long)keys[i]);
  int rc = text.failed ? error_set(err, VDT_ENOMEM, "out of memory") : n ? file_replace(path, buf_str(&text), 0640, err) : VDT_OK;
  buf_finish(&text);
  return rc;
}

bool baseline_is_asked(const char *state_dir, struct str workspace)
{
  char path[4200];
  snprintf(path, sizeof path, "%s/workspaces/%.*s/behaviour.forget", state_dir, (int)workspace.n, workspace.p);
  return access(path, F_OK) == 0;
}

static bool take_line(struct str *text, struct str *line)
{
  const char *lf = text->n ? memchr(text->p, '\n', text->n) : NULL;
  if (!lf) return false;
  *line = str_cut(*text, 0, (size_t)(lf - text->p));
  *text = str_cut(*text, line->n + 1, text->n);
  return true;
}

/* The file that is saved over goes from its folder, and its bytes from the disk. */
static void save_and_wipe(struct baseline *b)
{
  struct stat st;
  int old = open(b->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  b->changed = true;
  baseline_save(b, 0, true);
  if (old < 0) return;
  if (!b->changed && (fstat(old, &st) || !wipe_range(old, 0, st.st_size)))
    fprintf(stderr, "vedette serve: %s: what was saved before cannot be wiped: %s\n", b->path, strerror(errno));
  close(old);
}

void baseline_obey(struct baseline *b)
{
  char path[sizeof b->path + 16], hex[KEY_HEX + 1];
  struct buf text = {0};
  struct str line;
  snprintf(path, sizeof path, "%s.forget", b->path);
  if (access(path, F_OK) != 0) return;
  if (file_read(path, ASKED_MAX, &text, NULL)) return buf_finish(&text);
  for (struct str rest = buf_str(&text); take_line(&rest, &line);) {
    snprintf(hex, sizeof hex, "%.*s", (int)(line.n < KEY_HEX ? line.n : KEY_HEX), line.p);
    behaviour_forget(b->behaviour, strtoull(hex, NULL, 16));
  }
  buf_finish(&text);
  save_and_wipe(b);
  if (!b->changed && !wipe_unlink(AT_FDCWD, path)) fprintf(stderr, "vedette serve: %s: %s\n", path, strerror(errno));
}
