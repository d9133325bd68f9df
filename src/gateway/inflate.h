/*
 * Content codings: bytes of gzip or deflate in, plain bytes out, piece by piece, with a budget.
 *
 * A few kilobytes of gzip can stand for gigabytes. What comes out may be MAX_FREE bytes plus MAX_RATIO times what went in; more is
 * taken for an attack. Text of models stays far below that.
 */
#ifndef GATEWAY_INFLATE_H
#define GATEWAY_INFLATE_H
#include "base/buf.h"
#include <zlib.h>

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE, CODING_UNKNOWN };

/* Of a Content-Encoding header; empty is identity. */
enum coding coding_of(struct str header);

struct inflater {
  enum coding coding;
  z_stream z;
  bool ready;  /* z is initialised */
  bool member; /* inside a gzip member or a deflate stream */
  bool over;   /* deflate: it has ended, nothing may follow */
  unsigned char first;
  bool has_first; /* deflate: the first byte waits for the second, which says whether there is a zlib header */
  uint64_t in, out;
};

void inflater_init(struct inflater *f, enum coding coding);
void inflater_finish(struct inflater *f);
/* Appends the plain bytes; at most limit bytes in all calls together (0: no limit but the budget). ECODING: broken, or over the budget;
 * ETOOBIG: over the limit; ENOMEM. */
int inflater_feed(struct inflater *f, struct str in, uint64_t limit, struct buf *out);
/* Nothing is missing at the end. */
bool inflater_complete(const struct inflater *f);

/* The whole text as one gzip member. false when out of memory. */
bool gzip_whole(struct str text, struct buf *out);
#endif
