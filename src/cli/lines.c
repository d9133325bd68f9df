#include "cli/lines.h"
#include "base/buf.h"
#include "cli/cli.h"
#include <errno.h>
#include <unistd.h>

gzFile lines_open(const char *path, const char *command)
{
  gzFile f = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
  if (!f) fprintf(stderr, "vedette %s: %s: %s\n", command, path, strerror(errno));
  else gzbuffer(f, LINES_READ_BYTES);
  return f;
}

/* zlib puts the name of the file before what the system says, which we have said already. */
static const char *reason(gzFile f, const char *path)
{
  int code;
  const char *text = gzerror(f, &code);
  size_t n = strlen(path);
  if (strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0) text += n + 2;
  return *text ? text : "it cannot be read";
}

bool lines_close(gzFile f, const char *path, const char *command, bool ok)
{
  if (!ok) fprintf(stderr, "vedette %s: %s: %s\n", command, path, reason(f, path));
  if (gzclose(f) != Z_BUF_ERROR || !ok) return ok;
  fprintf(stderr, "vedette %s: %s: the compressed file is cut off: what came after is missing\n", command, path);
  return false;
}

struct reader {
  struct buf b;
  size_t at, looked; /* where the line begins, and how far there is no LF in it */
  bool skipping;     /* the rest of a line that was too long */
  void (*take)(void *ctx, struct str line, bool too_long);
  void *ctx;
};

static void hand_on(struct reader *r)
{
  for (char *lf; (lf = memchr(r->b.p + r->looked, '\n', r->b.n - r->looked));) {
    size_t end = (size_t)(lf - r->b.p);
    bool too_long = end - r->at > LINE_MAX_BYTES;
    if (!r->skipping) r->take(r->ctx, too_long ? (struct str){0} : str_cut(buf_str(&r->b), r->at, end), too_long);
    r->skipping = false;
    r->at = r->looked = end + 1;
  }
  r->looked = r->b.n;
  if (r->b.n - r->at <= LINE_MAX_BYTES) return;
  if (!r->skipping) r->take(r->ctx, (struct str){0}, true);
  r->skipping = true;
  r->at = r->b.n;
}

bool lines_read(gzFile f, void (*take)(void *ctx, struct str line, bool too_long), void *ctx)
{
  struct reader r = {.take = take, .ctx = ctx};
  int got = -1;
  while (buf_reserve(&r.b, LINES_READ_BYTES) && (got = gzread(f, r.b.p + r.b.n, LINES_READ_BYTES)) > 0) {
    r.b.n += (size_t)got;
    hand_on(&r);
    buf_drop(&r.b, r.at);
    r.looked -= r.at;
    r.at = 0;
  }
  if (got == 0 && r.b.n && !r.skipping) take(ctx, buf_str(&r.b), false);
  buf_finish(&r.b);
  return got == 0;
}
