/* Reads the files of blocklists, and compiles all phrases. */
#include "base/error.h"
#include "base/file.h"
#include "engine/blocklist.h"
#include "gateway/load.h"
#include <limits.h>

enum { MAX_FILE = 8 << 20 };

static struct str next_line(struct str *rest)
{
  const char *end = memchr(rest->p, '\n', rest->n);
  size_t n = end ? (size_t)(end - rest->p) : rest->n;
  struct str line = str_cut(*rest, 0, n);
  *rest = str_cut(*rest, end ? n + 1 : n, rest->n);
  while (line.n && (line.p[0] == ' ' || line.p[0] == '\t')) line = str_cut(line, 1, line.n);
  while (line.n && strchr(" \t\r", line.p[line.n - 1])) line.n--;
  return line;
}

static int add_lines(struct config *c, struct config_blocklist *b, struct str rest, struct vdt_error *err)
{
  size_t cap = 0;
  for (unsigned at = 1; rest.n; at++) {
    struct str line = next_line(&rest);
    if (!line.n || line.p[0] == '#') continue;
    if (!vdt_blocklist_is_phrase(line))
      return error_at(err, VDT_ECONFIG, b->file, at,
                      "expected a phrase of 1 to %d characters in UTF-8, without control characters", BLOCKLIST_PHRASE_MAX);
    if (b->n_lines == BLOCKLIST_PHRASES_MAX)
      return error_at(err, VDT_ECONFIG, b->file, at, "more than %d phrases", BLOCKLIST_PHRASES_MAX);
    struct config_phrase *grown = arena_grow(c->arena, b->lines, b->n_lines, &cap, 64, sizeof *grown);
    struct str copy = arena_dup(c->arena, line);
    if (!grown || !copy.p) return error_set(err, VDT_ENOMEM, "out of memory");
    b->lines = grown;
    b->lines[b->n_lines++].text = copy.p;
  }
  return VDT_OK;
}

bool load_resolve(const char *file, const char *beside, char *out, size_t size)
{
  const char *slash = file[0] == '/' ? NULL : strrchr(beside, '/');
  int n = snprintf(out, size, "%.*s%s", slash ? (int)(slash - beside) + 1 : 0, beside, file);
  return n > 0 && (size_t)n < size;
}

static int load_file(struct config *config, struct config_blocklist *b, const char *beside, struct vdt_error *err)
{
  struct buf text = {0};
  char path[PATH_MAX];
  if (!load_resolve(b->file, beside, path, sizeof path)) return error_at(err, VDT_ECONFIG, b->file, 0, "the path is too long");
  int rc = file_read(path, MAX_FILE, &text, err);
  if (!rc && text.n) rc = add_lines(config, b, buf_str(&text), err);
  buf_finish(&text);
  return rc;
}

int load_phrases(struct config *config, const char *beside, struct vdt_error *err)
{
  int rc = VDT_OK;
  for (size_t i = 0; !rc && i < config->n_blocklists; i++) {
    struct config_blocklist *b = &config->blocklists[i];
    if (b->file) rc = load_file(config, b, beside, err);
  }
  return rc;
}

static struct vdt_phrase phrase(const struct config_phrase *p, size_t list)
{
  struct str text = str_of(p->text);
  return (struct vdt_phrase){text.p, text.n, (uint32_t)list};
}

static size_t copy_all(const struct config *c, struct vdt_phrase *out)
{
  size_t n = 0;
  for (size_t i = 0; i < c->n_blocklists; i++) {
    const struct config_blocklist *b = &c->blocklists[i];
    for (size_t k = 0; k < b->n_items; k++, n++)
      if (out) out[n] = phrase(&b->items[k], i);
    for (size_t k = 0; k < b->n_lines; k++, n++)
      if (out) out[n] = phrase(&b->lines[k], i);
  }
  return n;
}

int load_blocklists(const struct config *config, struct vdt_blocklist **out, struct vdt_error *err)
{
  size_t n = copy_all(config, NULL);
  *out = NULL;
  if (!n) return VDT_OK;
  if (n > BLOCKLIST_PHRASES_MAX) return error_set(err, VDT_ECONFIG, "blocklists: more than %d phrases", BLOCKLIST_PHRASES_MAX);
  struct vdt_phrase *all = calloc(n, sizeof *all);
  if (!all) return error_set(err, VDT_ENOMEM, "out of memory");
  copy_all(config, all);
  int rc = vdt_blocklist_new(all, n, config->list_names, config->n_blocklists, out, err);
  free(all);
  return rc;
}
