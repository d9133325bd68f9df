#include "cli/table.h"
#include "cli/cli.h"
#include <assert.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LEAST = 4 };

/* 0: standard output is no terminal, or one that does not know. */
static unsigned terminal_width(void)
{
  struct winsize size;
  return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static unsigned total(const struct table *t)
{
  unsigned sum = t->gap * (t->n - 1);
  for (unsigned i = 0; i < t->n; i++) sum += t->widths[i];
  return sum;
}

static unsigned least_of(const struct table *t, unsigned i)
{
  return t->columns[i].least ? t->columns[i].least : LEAST;
}

/* One character off the widest that may lose one. hard: down to a single one, on a terminal that is too narrow for this table. */
static bool shrink(struct table *t, bool hard)
{
  unsigned widest = t->n;
  for (unsigned i = 0; i < t->n; i++)
    if (t->widths[i] > (hard ? 1 : least_of(t, i)) && (widest == t->n || t->widths[i] > t->widths[widest])) widest = i;
  if (widest == t->n) return false;
  t->widths[widest]--;
  return true;
}

void table_begin(struct table *t, const struct table_column *columns, size_t n)
{
  assert(n > 0 && n <= TABLE_COLUMNS);
  *t = (struct table){.columns = columns, .n = (unsigned)n, .gap = 2};
  for (unsigned i = 0; i < t->n; i++) t->widths[i] = columns[i].width;
  unsigned width = terminal_width();
  t->cut = width > 0;
  if (!t->cut) return;
  if (total(t) > width) t->gap = 1;
  while (total(t) > width && shrink(t, false)) continue;
  while (total(t) > width && shrink(t, true)) continue;
  if (total(t) < width) t->widths[t->n - 1] += width - total(t);
}

/* Code points: what a terminal shows of most writing. */
static size_t width_of(struct str s)
{
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
  return n;
}

/* Bytes of the first so many characters. */
static size_t bytes_of(struct str s, size_t characters)
{
  size_t i = 0;
  while (i < s.n && (characters || ((unsigned char)s.p[i] & 0xc0) == 0x80))
    characters -= ((unsigned char)s.p[i++] & 0xc0) != 0x80;
  return i;
}

static void put_shown(struct buf *b, struct str safe, size_t width, bool cut)
{
  bool too_long = cut && width_of(safe) > width;
  if (too_long) safe.n = bytes_of(safe, width - 1);
  if (safe.n) buf_put(b, safe);
  if (too_long) BUF_LIT(b, "…");
}

void table_coloured(struct table *t, struct buf *b, struct str text, const char *colour)
{
  struct buf safe = {0};
  bool last = t->at == t->n - 1, right = t->columns[t->at].right;
  size_t width = t->widths[t->at];
  cli_safe(&safe, text);
  size_t n = width_of(buf_str(&safe)), pad = n < width ? width - n : 0;
  b->failed |= safe.failed;
  if (right) buf_printf(b, "%*s", (int)pad, "");
  buf_put(b, str_of(colour));
  put_shown(b, buf_str(&safe), width, t->cut && !t->columns[t->at].whole);
  if (colour[0]) BUF_LIT(b, "\033[0m");
  if (!last) buf_printf(b, "%*s", (int)(right ? 0 : pad) + (int)t->gap, "");
  else buf_byte(b, '\n');
  t->at = last ? 0 : t->at + 1;
  buf_finish(&safe);
}

void table_cell(struct table *t, struct buf *b, struct str text)
{
  table_coloured(t, b, text, "");
}

void table_number(struct table *t, struct buf *b, unsigned long long n)
{
  char text[24];
  int length = snprintf(text, sizeof text, "%llu", n);
  table_cell(t, b, (struct str){text, (size_t)length});
}

void table_head(struct table *t, struct buf *b)
{
  for (unsigned i = 0; i < t->n; i++) table_cell(t, b, str_of(t->columns[i].head));
}
