/*
 * The SQLite store: no byte of what was removed stays on the disk.
 *
 * SQLite's secure_delete writes zeros over what a row or a page held. Four places are left, and this file is about them:
 *
 * - The write-ahead log keeps pages as they were until it is cut off. It is cut off, and our VFS writes zeros over what it cuts off, before.
 * - When a page is split or joined, cells move to other pages, and copies of them stay in the gap between a page's cell pointers and its cells, where
 *   nothing ever reads them and no later delete finds them. clean_pages() writes zeros over these gaps, straight in the file: it holds the right to
 *   write, the log is empty, and the bytes have no meaning, so that readers may go on and a crash in the middle harms nothing. Other connections
 *   throw away their copies of pages when they see that somebody has written; we make them see it.
 * - Our own copies of pages: they are dropped before.
 * - Temporary tables: they are in memory.
 *
 * It works through the file in steps, each a short transaction, because a writer has to wait for it.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/wipe.h"
#include "store/sqlite.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STEP_PAGES = 1024, PAGE_MAX = 65536, WAIT_US = 5000000, PAUSE_NS = 20000000 };

/* ---- the VFS ---------------------------------------------------------------------------------------------------- */

static const char vfs_name[] = "vedette-wiping";
static sqlite3_vfs vfs, *below;
static bool vfs_ready;

/* The functions of a kind of file of the system's VFS, but for one; files with and without locks have their own. */
struct wiping {
  sqlite3_io_methods mine; /* first: a file's pMethods points here */
  const sqlite3_io_methods *base;
};
static struct wiping kinds[4];
static pthread_mutex_t kinds_lock = PTHREAD_MUTEX_INITIALIZER;

static bool zero_tail(const sqlite3_io_methods *m, sqlite3_file *f, sqlite3_int64 from)
{
  static const char zeros[PAGE_MAX];
  sqlite3_int64 size = 0;
  if (m->xFileSize(f, &size) != SQLITE_OK) return false;
  if (from >= size) return true;
  while (from < size) {
    int n = size - from > PAGE_MAX ? PAGE_MAX : (int)(size - from);
    if (m->xWrite(f, zeros, n, from) != SQLITE_OK) return false;
    from += n;
  }
  return m->xSync(f, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

static int wiping_truncate(sqlite3_file *f, sqlite3_int64 size)
{
  const sqlite3_io_methods *m = ((const struct wiping *)(const void *)f->pMethods)->base;
  return zero_tail(m, f, size) ? m->xTruncate(f, size) : SQLITE_IOERR_TRUNCATE;
}

/* The log of a store that its last connection closes. Nobody holds a lock on it: closing our descriptor loses none. A log that cannot be wiped still
 * has to go: it would be read again. */
static int wiping_delete(sqlite3_vfs *v, const char *path, int sync)
{
  (void)v;
  return wipe_unlink(AT_FDCWD, path) && !sync ? SQLITE_OK : below->xDelete(below, path, sync);
}

static const sqlite3_io_methods *wiping_methods(const sqlite3_io_methods *base)
{
  const sqlite3_io_methods *found = base;
  pthread_mutex_lock(&kinds_lock);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds && found == base; i++) {
    if (kinds[i].base && kinds[i].base != base) continue;
    if (!kinds[i].base) {
      kinds[i].mine = *base;
      kinds[i].mine.xTruncate = wiping_truncate;
      kinds[i].base = base;
    }
    found = &kinds[i].mine;
  }
  pthread_mutex_unlock(&kinds_lock);
  return found;
}

static int wiping_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *out)
{
  (void)v;
  int code = below->xOpen(below, path, f, flags, out);
  if (code == SQLITE_OK && f->pMethods) f->pMethods = wiping_methods(f->pMethods);
  return code;
}

static void register_vfs(void)
{
  if (!(below = sqlite3_vfs_find(NULL))) return;
  vfs = *below;
  vfs.zName = vfs_name;
  vfs.pNext = NULL;
  vfs.xOpen = wiping_open;
  vfs.xDelete = wiping_delete;
  vfs_ready = sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
}

const char *sqlite_wiping_vfs(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, register_vfs);
  return vfs_ready ? vfs_name : NULL;
}

/* ---- gaps in pages ---------------------------------------------------------------------------------------------- */

static unsigned be16(const unsigned char *p)
{
  return (unsigned)p[0] << 8 | p[1];
}

static bool is_zero(const unsigned char *p, unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    if (p[i]) return false;
  return true;
}

struct cleaner {
  sqlite3_file *file;
  unsigned char *page;
  unsigned size;
  sqlite3_int64 at; /* of the page in the file */
};

static int zero(struct cleaner *c, unsigned from, unsigned to)
{
  if (from >= to || is_zero(c->page + from, to - from)) return SQLITE_OK;
  memset(c->page + from, 0, to - from);
  return c->file->pMethods->xWrite(c->file, c->page + from, (int)(to - from), c->at + from);
}

/* Every cell pointer leads behind the gap: it is a page of a tree, and where the gap is is sure. */
static bool is_tree_page(const struct cleaner *c, unsigned head, unsigned *gap, unsigned *cells)
{
  const unsigned char *p = c->page + head;
  bool leaf = p[0] == 10 || p[0] == 13;
  unsigned n = be16(p + 3);
  if (!leaf && p[0] != 2 && p[0] != 5) return false;
  *cells = be16(p + 5) ? be16(p + 5) : PAGE_MAX;
  *gap = head + (leaf ? 8 : 12) + 2 * n;
  if (*cells > c->size || *gap > *cells) return false;
  for (unsigned i = 0; i < n; i++) {
    unsigned cell = be16(p + (leaf ? 8 : 12) + 2 * i);
    if (cell < *cells || cell >= c->size) return false;
  }
  return true;
}

/* Of a free block within the cells only its length and the next one's place mean something. */
static int zero_free_blocks(struct cleaner *c, unsigned at)
{
  int code = SQLITE_OK;
  while (code == SQLITE_OK && at && at + 4 <= c->size) {
    unsigned next = be16(c->page + at), n = be16(c->page + at + 2);
    if (at + n > c->size) break;
    code = zero(c, at + 4, at + n);
    if (next <= at) break;
    at = next;
  }
  return code;
}

/* Pages that are no tree's begin with a page number below 2^25, whose first byte is 0 or 1, or are zeros. */
static int clean_page(struct cleaner *c, unsigned number)
{
  unsigned head = number == 1 ? 100 : 0, gap, cells;
  c->at = (sqlite3_int64)(number - 1) * c->size;
  int code = c->file->pMethods->xRead(c->file, c->page, (int)c->size, c->at);
  if (code != SQLITE_OK || !is_tree_page(c, head, &gap, &cells)) return code;
  unsigned blocks = be16(c->page + head + 1);
  code = zero(c, gap, cells);
  return code == SQLITE_OK ? zero_free_blocks(c, blocks) : code;
}

static int number_of(struct sqlite_store *s, const char *pragma, unsigned *out)
{
  sqlite3_stmt *q = NULL;
  int code = sqlite3_prepare_v2(s->db, pragma, -1, &q, NULL);
  if (code == SQLITE_OK) code = sqlite3_step(q);
  *out = code == SQLITE_ROW ? (unsigned)sqlite3_column_int64(q, 0) : 0;
  sqlite3_finalize(q);
  return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int clean_pages(struct sqlite_store *s, unsigned from, unsigned *to, bool *last)
{
  struct cleaner c = {0};
  unsigned pages = 0, moves = 0;
  int code = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, &c.file);
  if (code == SQLITE_OK) code = number_of(s, "PRAGMA page_size", &c.size);
  if (code == SQLITE_OK) code = number_of(s, "PRAGMA page_count", &pages);
  if (code == SQLITE_OK) code = number_of(s, "PRAGMA auto_vacuum", &moves);
  if (code == SQLITE_OK && (moves || pages >= 1u << 25 || c.size > PAGE_MAX)) code = SQLITE_TOOBIG;
  if (code == SQLITE_OK && !(c.page = malloc(c.size))) code = SQLITE_NOMEM;
  *to = from;
  while (code == SQLITE_OK && *to < pages && *to - from < STEP_PAGES) code = clean_page(&c, ++*to);
  if (code == SQLITE_OK) code = c.file->pMethods->xSync(c.file, SQLITE_SYNC_NORMAL);
  *last = *to >= pages;
  free(c.page);
  return code;
}

/* ---- a scrub ---------------------------------------------------------------------------------------------------- */

int sqlite_checkpoint(struct sqlite_store *s, int mode, struct vdt_error *err)
{
  uint64_t until = clock_mono_us() + WAIT_US;
  int code;
  while ((code = sqlite3_wal_checkpoint_v2(s->db, NULL, mode, NULL, NULL)) == SQLITE_BUSY && clock_mono_us() < until)
    nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
  return code == SQLITE_OK ? VDT_OK : sqlite_error(s, code, err);
}

static int empty_log(struct sqlite_store *s, struct vdt_error *err)
{
  return sqlite_checkpoint(s, SQLITE_CHECKPOINT_TRUNCATE, err);
}

static bool log_is_empty(struct sqlite_store *s)
{
  sqlite3_file *f = NULL;
  sqlite3_int64 size = 0;
  return sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f) == SQLITE_OK && f && f->pMethods &&
         f->pMethods->xFileSize(f, &size) == SQLITE_OK && size == 0;
}

/* The right to write while the log is empty: somebody may be quicker between the two. */
static int begin_clean(struct sqlite_store *s, struct vdt_error *err)
{
  for (int tries = 0; tries < 100; tries++) {
    int rc = empty_log(s, err);
    if (rc) return rc;
    sqlite3_db_release_memory(s->db);
    if ((rc = s->base.ops->begin(&s->base, err))) return rc;
    if (log_is_empty(s)) return VDT_OK;
    s->base.ops->rollback(&s->base);
  }
  return error_set(err, VDT_EIO, "store: others write all the time");
}

/* Says to every other connection that its copies of pages are old. */
static int tell_others(struct sqlite_store *s, struct vdt_error *err)
{
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)clock_mono_us());
  return sqlite_put_meta(s, "scrubbed", text, err);
}

static int run_plain(struct sqlite_store *s, enum statement which, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, which, &rc, err);
  return q ? sqlite_run(s, q, err) : rc;
}

static int step(struct sqlite_store *s, struct store_scrub *at, bool *last, struct vdt_error *err)
{
  unsigned to = at->page;
  int rc = begin_clean(s, err);
  if (rc) return rc;
  int code = clean_pages(s, at->page, &to, last);
  if (code != SQLITE_OK) rc = sqlite_error(s, code, err);
  if (!rc) rc = tell_others(s, err);
  if (!rc) rc = s->base.ops->commit(&s->base, err);
  if (rc) s->base.ops->rollback(&s->base);
  else at->page = to;
  return rc;
}

static int begin_scrub(struct sqlite_store *s, struct store_scrub *at, struct vdt_error *err)
{
  int rc = sqlite_within(s, sqlite_drop_orphans, NULL, err);
  if (!rc) rc = run_plain(s, SQL_PURGE_SCRUB, err);
  if (!rc) rc = sqlite_get_meta(s, SQLITE_SCRUB_EXPIRED, at->expired, sizeof at->expired, err);
  if (!rc) rc = sqlite_get_meta(s, SQLITE_SCRUB_PURGED, at->purged, sizeof at->purged, err);
  return rc;
}

/* What was removed since it began wants another one. */
static int forget(struct sqlite_store *s, const char *key, const char *was, struct vdt_error *err)
{
  int rc;
  sqlite3_stmt *q = sqlite_statement(s, SQL_META_DROP, &rc, err);
  if (!q) return rc;
  sqlite_bind_str(q, 1, str_of(key));
  sqlite_bind_str(q, 2, str_of(was));
  return sqlite_run(s, q, err);
}

int sqlite_scrub(struct store *base, struct store_scrub *at, struct vdt_error *err)
{
  struct sqlite_store *s = sqlite_of(base);
  bool last = false;
  at->done = false;
  int rc = at->page ? VDT_OK : begin_scrub(s, at, err);
  if (!rc) rc = step(s, at, &last, err);
  if (rc || !last) return rc;
  rc = empty_log(s, err);
  if (!rc) rc = forget(s, SQLITE_SCRUB_EXPIRED, at->expired, err);
  if (!rc) rc = forget(s, SQLITE_SCRUB_PURGED, at->purged, err);
  at->done = !rc;
  if (at->done) at->page = 0;
  return rc;
}

int sqlite_want_scrub(struct sqlite_store *s, const char *key, struct vdt_error *err)
{
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)clock_mono_us());
  return sqlite_put_meta(s, key, text, err);
}

int sqlite_wants_scrub(struct store *base, bool *expired, bool *purged, struct vdt_error *err)
{
  char text[24];
  int rc = sqlite_get_meta(sqlite_of(base), SQLITE_SCRUB_EXPIRED, text, sizeof text, err);
  *expired = text[0] != 0;
  if (!rc) rc = sqlite_get_meta(sqlite_of(base), SQLITE_SCRUB_PURGED, text, sizeof text, err);
  *purged = text[0] != 0;
  return rc;
}
