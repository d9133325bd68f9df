#include "gateway/inflate.h"
#include "vedette/vedette.h"

enum { STEP = 16384, MAX_FREE = 1 << 20, MAX_RATIO = 100, GZIP_WINDOW = 15 + 16, MAX_PIECE = 1 << 30 };

enum coding coding_of(struct str header)
{
  if (header.n == 0 || str_ieq(header, STR("identity"))) return CODING_IDENTITY;
  if (str_ieq(header, STR("gzip")) || str_ieq(header, STR("x-gzip"))) return CODING_GZIP;
  return str_ieq(header, STR("deflate")) ? CODING_DEFLATE : CODING_UNKNOWN;
}

void inflater_init(struct inflater *f, enum coding coding)
{
  *f = (struct inflater){.coding = coding};
}

void inflater_finish(struct inflater *f)
{
  if (f->ready) inflateEnd(&f->z);
  f->ready = false;
}

bool inflater_complete(const struct inflater *f)
{
  return !f->member && !f->has_first;
}

/* "deflate" should be the zlib format (RFC 9110, 8.4.1.2); some servers send it bare. Two bytes tell. */
static int window_of(const struct inflater *f, unsigned char second)
{
  if (f->coding == CODING_GZIP) return GZIP_WINDOW;
  return (f->first & 0x0f) == 8 && (f->first << 8 | second) % 31 == 0 ? 15 : -15;
}

static int start(struct inflater *f, unsigned char second)
{
  if (inflateInit2(&f->z, window_of(f, second)) != Z_OK) return VDT_ENOMEM;
  f->ready = true;
  return VDT_OK;
}

static int check_budget(const struct inflater *f, uint64_t limit)
{
  if (limit && f->out > limit) return VDT_ETOOBIG;
  uint64_t used = f->in - f->z.avail_in;
  return f->out > MAX_FREE + used * MAX_RATIO ? VDT_ECODING : VDT_OK;
}

/* A member has ended; another may follow in gzip (RFC 1952, 2.2). */
static int next_member(struct inflater *f)
{
  f->member = false;
  f->over = f->coding == CODING_DEFLATE;
  return f->over || inflateReset(&f->z) == Z_OK ? VDT_OK : VDT_ENOMEM;
}

/* One call of zlib, room for STEP bytes. *more: it has something left to do. */
static int turn(struct inflater *f, struct buf *out, bool *more)
{
  if (f->over && f->z.avail_in) return VDT_ECODING;
  if (!buf_reserve(out, STEP)) return VDT_ENOMEM;
  f->member |= f->z.avail_in > 0;
  f->z.next_out = (unsigned char *)out->p + out->n;
  f->z.avail_out = STEP;
  int rc = inflate(&f->z, Z_NO_FLUSH);
  size_t n = STEP - f->z.avail_out;
  out->n += n;
  f->out += n;
  *more = f->z.avail_in > 0 || f->z.avail_out == 0;
  if (rc == Z_STREAM_END) {
    *more = f->z.avail_in > 0;
    return next_member(f);
  }
  if (rc == Z_MEM_ERROR) return VDT_ENOMEM;
  return rc == Z_OK || rc == Z_BUF_ERROR ? VDT_OK : VDT_ECODING;
}

static int run(struct inflater *f, struct str in, uint64_t limit, struct buf *out)
{
  bool more = in.n > 0;
  f->z.next_in = (unsigned char *)(uintptr_t)in.p;
  f->z.avail_in = (unsigned)in.n;
  f->in += in.n;
  while (more) {
    int rc = turn(f, out, &more);
    if (!rc) rc = check_budget(f, limit);
    if (rc) return rc;
  }
  return VDT_OK;
}

int inflater_feed(struct inflater *f, struct str in, uint64_t limit, struct buf *out)
{
  if (in.n == 0) return VDT_OK;
  if (in.n > MAX_PIECE) return VDT_ETOOBIG;
  if (f->coding == CODING_DEFLATE && !f->ready && !f->has_first) {
    f->first = (unsigned char)in.p[0];
    f->has_first = true;
    in = str_cut(in, 1, in.n);
    if (in.n == 0) return VDT_OK;
  }
  int rc = f->ready ? VDT_OK : start(f, (unsigned char)in.p[0]);
  if (!rc && f->has_first) {
    f->has_first = false;
    rc = run(f, (struct str){(const char *)&f->first, 1}, limit, out);
  }
  return rc ? rc : run(f, in, limit, out);
}

bool gzip_whole(struct str text, struct buf *out)
{
  z_stream z = {0};
  if (text.n > MAX_PIECE || deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return false;
  size_t bound = deflateBound(&z, text.n);
  bool ok = bound <= UINT32_MAX && buf_reserve(out, bound);
  if (ok) {
    z.next_in = (unsigned char *)(uintptr_t)text.p;
    z.avail_in = (unsigned)text.n;
    z.next_out = (unsigned char *)out->p + out->n;
    z.avail_out = (unsigned)bound;
    ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
    out->n += bound - z.avail_out;
  }
  deflateEnd(&z);
  return ok;
}
