/*
 * Journals and logs, line by line: a journal has records and egress lines and nothing else, with text only for deployments that have evidence on; a
 * log has no query string with a key in it. Files are read while others write them: what goes away is passed over, and so is a last line without its end.
 */
#include "base/error.h"
#include "base/file.h"
#include "data/verify.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { LINES_AT_ONCE = 1024 };

struct lines {
  const struct data_statement *s;
  struct data_check *check;
  struct vdt_arena *arena;
  void (*take)(struct lines *l, const char *path, unsigned long number, struct str line);
};

static struct str place(char out[256], const char *path, unsigned long number)
{
  int n = snprintf(out, 256, "%.200s:%lu", path, number);
  return (struct str){out, (size_t)n};
}

/* ---- journals ---------------------------------------------------------------------------------------------------- */

static bool has_open_text(const struct record *r)
{
  bool any = false;
  for (size_t i = 0; i < r->n_findings; i++) any |= r->findings[i].evidence.n || r->findings[i].decoded.n;
  return any;
}

static void take_journal(struct lines *l, const char *path, unsigned long number, struct str line)
{
  struct record r = {0};
  struct record_egress e;
  struct vdt_error why = {0};
  char where[256];
  bool egress = record_is_egress(line);
  vdt_arena_reset(l->arena);
  int rc = egress ? record_read_egress(l->arena, line, &e, &why) : record_read(l->arena, line, &r, &why);
  if (rc) verify_found(l->check, DATA_FAULT_LINE, place(where, path, number), "%.120s", why.text);
  if (rc || egress || !verify_has_text(&r) || r.time_us < l->check->since_us) return;
  if (l->s->input->config && has_open_text(&r)) verify_found(l->check, DATA_FAULT_CLEAR, place(where, path, number), "%s", "");
  const struct data_deployment *d = verify_deployment(l->s, r.deployment);
  if (d && !d->evidence)
    verify_found(l->check, DATA_FAULT_TEXT, place(where, path, number), "deployment %s has evidence off", d->config->name);
}

/* ---- logs -------------------------------------------------------------------------------------------------------- */

static bool names_secret(struct str name)
{
  static const char *const names[] = {"key",   "api-key",      "api_key", "apikey", "subscription-key",
                                      "token", "access_token", "sig",     "code",   "password"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (str_ieq(name, str_of(names[i]))) return true;
  return false;
}

/* Whether a parameter of a query string, behind ? or &, has a name that keys have. */
static bool has_secret(struct str line)
{
  for (size_t i = 0; i < line.n; i++) {
    size_t end = i + 1;
    if (line.p[i] != '?' && line.p[i] != '&') continue;
    while (end < line.n && line.p[end] != '=' && line.p[end] != '&' && line.p[end] != ' ' && line.p[end] != '"') end++;
    if (end < line.n && line.p[end] == '=' && names_secret(str_cut(line, i + 1, end))) return true;
  }
  return false;
}

static void take_log(struct lines *l, const char *path, unsigned long number, struct str line)
{
  char where[256];
  if (has_secret(line)) verify_found(l->check, DATA_FAULT_SECRET, place(where, path, number), "%s", "");
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* What was read of a journal is wiped (api/keep_files.c): holes, or zeros in front of the first line that is left. */
static FILE *open_lines(const char *path)
{
  FILE *f = fopen(path, "re");
  off_t at = f ? lseek(fileno(f), 0, SEEK_DATA) : -1;
  if (f && at > 0) fseeko(f, at, SEEK_SET);
  return f;
}

static struct str without_zeros(struct str line)
{
  size_t n = 0;
  while (n < line.n && !line.p[n]) n++;
  return str_cut(line, n, line.n);
}

static void read_lines(struct lines *l, const char *path)
{
  char whole[4400], *text = NULL;
  size_t cap = 0;
  ssize_t n;
  snprintf(whole, sizeof whole, "%s/%s", l->s->input->state_dir, path);
  FILE *f = open_lines(whole);
  for (unsigned long number = 1; f && (n = getline(&text, &cap, f)) > 0; number++) {
    if (text[n - 1] != '\n' || (number % LINES_AT_ONCE == 0 && verify_stopped(l->check))) break;
    l->check->lines++;
    l->take(l, path, number, without_zeros((struct str){text, (size_t)n - 1}));
  }
  free(text);
  if (f) fclose(f);
}

static void take_item(void *ctx, const struct data_item *i)
{
  struct lines *l = ctx;
  const char *name = strrchr(i->path, '/');
  if (!i->place || !S_ISREG(i->st->st_mode)) return;
  if (i->place->class == DATA_LOGS) l->take = take_log;
  else if (i->place->class == DATA_JOURNALS && name && strncmp(name, "/journal-", 9) == 0) l->take = take_journal;
  else return;
  read_lines(l, i->path);
}

int verify_lines(const struct data_statement *s, struct data_check *check, struct vdt_error *err)
{
  struct lines l = {.s = s, .check = check, .arena = vdt_arena_new((size_t)64 << 20)};
  if (!l.arena) return error_set(err, VDT_ENOMEM, "out of memory");
  int rc = data_walk(s->input->state_dir, take_item, &l, err);
  vdt_arena_free(l.arena);
  return rc;
}
