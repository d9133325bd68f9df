/* Threat intelligence for `vedette scan`, which has no serve beside it: the built-in list, and feeds as they lie there. Nothing is fetched. */
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "gateway/load.h"
#include "intel/feed.h"
#include <limits.h>
#include <unistd.h>

static void release_heap(const void *block, size_t n)
{
  (void)n;
  free((void *)(uintptr_t)block);
}

/* Its file, or what serve kept of an address. False: there is nothing yet. */
static bool path_of(const struct config *c, const struct config_feed *f, char *out, size_t size)
{
  if (f->file) return load_resolve(f->file, c->path, out, size);
  int n = snprintf(out, size, "%s/feeds/%s", c->state_dir, f->name);
  return n > 0 && (size_t)n < size && access(out, R_OK) == 0;
}

static int read_feed(const struct config *c, const struct config_feed *f, struct intel_section *s, struct vdt_error *err)
{
  char path[PATH_MAX];
  struct buf text = {0};
  struct feed_report report;
  struct feed_reading how = {path, (enum feed_format)f->format, str_of(f->column), clock_unix_us()};
  *s = (struct intel_section){.kind = (enum intel_kind)f->kind, .loaded_us = how.now_us};
  snprintf(s->name, sizeof s->name, "%s", f->name);
  if (!path_of(c, f, path, sizeof path)) return VDT_OK;
  int rc = file_read(path, FEED_BYTES_MAX, &text, err);
  if (!rc) rc = feed_read(&how, text.n ? buf_str(&text) : STR(""), s, &report, err);
  buf_finish(&text);
  return rc;
}

static int make(const struct intel_section *s, size_t n, struct vdt_intel **out)
{
  const struct intel_section *all[INTEL_SECTIONS_MAX];
  struct buf block = {0};
  for (size_t i = 0; i < n; i++) all[i] = &s[i];
  intel_write(all, n, &block);
  if (!block.failed) return intel_open(block.p, block.n, release_heap, out);
  buf_finish(&block);
  return VDT_ENOMEM;
}

int load_intel(const struct config *config, struct vdt_intel **out, struct vdt_error *err)
{
  size_t n = 0, feeds = config ? config->intel.n_feeds : 0;
  struct intel_section *s = calloc(feeds + INTEL_KINDS, sizeof *s);
  int rc = s ? VDT_OK : error_set(err, VDT_ENOMEM, "out of memory");
  for (unsigned i = 0; !rc && (!config || config->intel.built_in) && i < INTEL_KINDS; i++)
    rc = intel_builtin_section(&s[n++], (enum intel_kind)i);
  for (size_t i = 0; !rc && i < feeds; i++) rc = read_feed(config, &config->intel.feeds[i], &s[n++], err);
  if (!rc && make(s, n, out)) rc = error_set(err, VDT_ENOMEM, "out of memory");
  for (size_t i = 0; s && i < n; i++) intel_section_finish(&s[i]);
  free(s);
  return rc;
}
