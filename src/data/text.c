/* The page for a terminal: at most 110 columns, nothing that a terminal would obey. */
#include "data/page.h"

enum { NAME_AT = 4, VALUE_AT = 22, WIDTH = 110 };

/* Names of a configuration are ASCII; what else stands in names of others becomes '?'. */
static void put_safe(struct buf *b, struct str text)
{
  for (size_t i = 0; i < text.n; i++) {
    unsigned char c = (unsigned char)text.p[i];
    buf_byte(b, c < ' ' || c > '~' ? '?' : (char)c);
  }
}

static void indent(struct buf *b, int n)
{
  buf_printf(b, "%*s", n, "");
}

/* Breaks at blanks; a word that is too long stays whole. */
static void put_wrapped(struct buf *b, struct str text, size_t column)
{
  size_t at = column;
  while (text.n) {
    const char *blank = memchr(text.p, ' ', text.n);
    size_t n = blank ? (size_t)(blank - text.p) : text.n;
    if (at > column && at + 1 + n > WIDTH) {
      buf_byte(b, '\n');
      indent(b, (int)column);
      at = column;
    } else if (at > column) {
      buf_byte(b, ' ');
      at++;
    }
    put_safe(b, str_cut(text, 0, n));
    at += n;
    text = str_cut(text, blank ? n + 1 : n, text.n);
  }
  buf_byte(b, '\n');
}

static void put_section(struct buf *b, const char *title, const char *about)
{
  if (b->n) buf_byte(b, '\n');
  for (const char *p = title; *p; p++) buf_byte(b, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
  buf_byte(b, '\n');
  if (*about) put_wrapped(b, str_of(about), 0);
}

static void put_item(struct buf *b, struct str title)
{
  BUF_LIT(b, "\n  ");
  put_safe(b, title);
  buf_byte(b, '\n');
}

static void put_part(struct buf *b, struct str title)
{
  BUF_LIT(b, "    in ");
  put_safe(b, title);
  buf_byte(b, '\n');
}

static void put_pair(struct buf *b, const char *name, struct str value)
{
  indent(b, NAME_AT);
  size_t before = b->n;
  put_safe(b, str_of(name));
  size_t n = b->n - before + NAME_AT;
  indent(b, n < VALUE_AT ? (int)(VALUE_AT - n) : 1);
  put_wrapped(b, value, VALUE_AT);
}

void data_put_text(const struct data_statement *s, struct buf *out)
{
  static const struct page_sink sink = {put_section, put_item, put_part, put_pair};
  page_write(s, &sink, out);
}
