/* The page as one file of HTML. Its policy allows its own style and nothing else, so that it runs and loads nothing wherever it is opened. */
#include "data/page.h"
#include "data/words.h"

/* The style and its SHA-256 in base64 belong together; tests/data/statement.test computes it again. */
static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#1a1a1a;background:#fff}"
    "h1{font-size:1.5em}h2{margin-top:2em;border-bottom:1px solid #bbb}h3{margin-bottom:.2em}h4{margin:.6em 0 .2em}"
    "dl{display:grid;grid-template-columns:11em 1fr;gap:.15em 1em;margin:0}dt{color:#555}dd{margin:0;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}dt{color:#aaa}}";
static const char style_hash[] = "FDVPxIYNElBAbHrK9fGu50/boD9fok7pSmnAMh/Fh3Q=";

static void put_escaped(struct buf *b, struct str text)
{
  for (size_t i = 0; i < text.n; i++) {
    switch (text.p[i]) {
    case '<': BUF_LIT(b, "&lt;"); break;
    case '>': BUF_LIT(b, "&gt;"); break;
    case '&': BUF_LIT(b, "&amp;"); break;
    case '"': BUF_LIT(b, "&quot;"); break;
    default: buf_byte(b, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
    }
  }
}

/* A list of pairs is open exactly when the text ends in one. */
static void close_list(struct buf *b)
{
  struct str end = STR("</dd>\n");
  if (b->n >= end.n && memcmp(b->p + b->n - end.n, end.p, end.n) == 0) BUF_LIT(b, "</dl>\n");
}

static void put_section(struct buf *b, const char *title, const char *about)
{
  close_list(b);
  buf_printf(b, "<h2>%s</h2>\n", title);
  if (*about) buf_printf(b, "<p>%s</p>\n", about);
}

static void put_titled(struct buf *b, const char *tag, struct str title)
{
  close_list(b);
  buf_printf(b, "<%s>", tag);
  put_escaped(b, title);
  buf_printf(b, "</%s>\n", tag);
}

static void put_item(struct buf *b, struct str title)
{
  put_titled(b, "h3", title);
}

static void put_part(struct buf *b, struct str title)
{
  put_titled(b, "h4", title);
}

static void put_pair(struct buf *b, const char *name, struct str value)
{
  struct str end = STR("</dd>\n");
  bool open = b->n >= end.n && memcmp(b->p + b->n - end.n, end.p, end.n) == 0;
  buf_printf(b, "%s<dt>", open ? "" : "<dl>\n");
  put_escaped(b, str_of(name));
  BUF_LIT(b, "</dt><dd>");
  put_escaped(b, value);
  buf_put(b, end);
}

void data_put_html(const struct data_statement *s, struct buf *b)
{
  static const struct page_sink sink = {put_section, put_item, put_part, put_pair};
  buf_printf(
      b,
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<title>Data statement of vedette</title>\n<style>%s</style>\n</head>\n<body>\n<h1>Data statement</h1>\n",
      style_hash, style);
  page_write(s, &sink, b);
  close_list(b);
  BUF_LIT(b, "</body>\n</html>\n");
}
