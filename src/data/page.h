/* The statement as a page of sections, items and pairs, whatever it is written in. Only for data/. */
#ifndef DATA_PAGE_H
#define DATA_PAGE_H
#include "data/data.h"

/* Where a page goes. Texts may have been written by others: a sink shows them as text. */
struct page_sink {
  void (*section)(struct buf *b, const char *title, const char *about);
  void (*item)(struct buf *b, struct str title);
  void (*part)(struct buf *b, struct str title); /* of an item */
  void (*pair)(struct buf *b, const char *name, struct str value);
};
void page_write(const struct data_statement *s, const struct page_sink *sink, struct buf *out);
#endif
