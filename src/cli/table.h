/*
 * Tables of the command line. On a terminal a table is never wider than the terminal: columns shrink, the widest first, and what does not fit into its
 * cell ends with an ellipsis. Elsewhere nothing is cut, so that nothing is lost to a pipe.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H
#include "base/buf.h"
#include "base/str.h"

enum { TABLE_COLUMNS = 16 };

struct table_column {
  const char *head;
  unsigned width; /* as wide as it is where there is room; the last takes what is left over */
  unsigned least; /* no narrower as long as another can be; 0: 4 */
  bool right;
  bool whole; /* the last: it is never cut, and goes on in the next line of the terminal */
};

struct table {
  const struct table_column *columns;
  unsigned widths[TABLE_COLUMNS];
  unsigned n, at, gap;
  bool cut;
};

/* The columns are borrowed, at most TABLE_COLUMNS. */
void table_begin(struct table *t, const struct table_column *columns, size_t n);
/* The row of heads. */
void table_head(struct table *t, struct buf *b);
/* The next cell, made safe for a terminal (cli_safe); behind the last one the line ends. */
void table_cell(struct table *t, struct buf *b, struct str text);
/* The same in a colour: what begins it, or "". */
void table_coloured(struct table *t, struct buf *b, struct str text, const char *colour);
void table_number(struct table *t, struct buf *b, unsigned long long n);
#endif
