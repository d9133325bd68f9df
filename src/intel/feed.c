#include "intel/feed.h"
#include "base/error.h"

enum { CELLS_MAX = 256 };

static struct str trim(struct str s)
{
  while (s.n && (unsigned char)s.p[0] <= ' ') s = str_cut(s, 1, s.n);
  while (s.n && (unsigned char)s.p[s.n - 1] <= ' ') s.n--;
  return s;
}

int feed_take(struct feed *f, struct str text, unsigned line)
{
  struct indicator one;
  if (!indicator_parse(text, &one)) {
    f->report->unreadable++;
    if (!f->report->first_line) f->report->first_line = line;
    return VDT_OK;
  }
  f->report->taken++;
  int rc = intel_add(f->section, &one);
  if (rc == VDT_ETOOBIG)
    return error_at(f->err, rc, f->how->name, line, "more than %d indicators in one feed", INTEL_ENTRIES_MAX);
  return rc ? error_at(f->err, rc, f->how->name, line, "out of memory") : VDT_OK;
}

/* The next line without its end; false behind the last. */
static bool next_line(struct str *rest, struct str *line)
{
  if (rest->n == 0) return false;
  const char *lf = memchr(rest->p, '\n', rest->n);
  size_t n = lf ? (size_t)(lf - rest->p) : rest->n;
  *line = str_cut(*rest, 0, n);
  *rest = str_cut(*rest, lf ? n + 1 : n, rest->n);
  return true;
}

/* ---- plain ------------------------------------------------------------------------------------------------------ */

static bool is_comment(struct str line)
{
  return line.n == 0 || line.p[0] == '#' || line.p[0] == ';' || line.p[0] == '!' || str_starts(line, STR("//"));
}

/* A comment behind the indicator. */
static struct str without_comment(struct str line)
{
  for (size_t i = 1; i < line.n; i++)
    if ((line.p[i] == '#' || line.p[i] == ';') && (line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
      return trim(str_cut(line, 0, i));
  return line;
}

/* Tor's own list: "ExitAddress 192.0.2.7 2026-11-25 10:11:12" between lines about the relay. True when the line is one of it. */
static bool tor_line(struct str *line)
{
  static const struct str others[] = {STR("ExitNode "), STR("Published "), STR("LastStatus ")}, address = {"ExitAddress ", 12};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (str_starts(*line, others[i])) {
      line->n = 0;
      return true;
    }
  if (!str_starts(*line, address)) return false;
  *line = str_cut(*line, address.n, line->n);
  const char *blank = memchr(line->p, ' ', line->n);
  if (blank) line->n = (size_t)(blank - line->p);
  return true;
}

static int read_plain(struct feed *f, struct str text)
{
  struct str line;
  for (unsigned n = 1; next_line(&text, &line); n++) {
    line = trim(line);
    if (is_comment(line) || (tor_line(&line) && line.n == 0)) continue;
    int rc = feed_take(f, without_comment(line), n);
    if (rc) return rc;
  }
  return VDT_OK;
}

/* ---- csv -------------------------------------------------------------------------------------------------------- */

struct row {
  struct str cells[CELLS_MAX];
  size_t n;
};

static size_t quoted_end(struct str s, size_t i)
{
  for (i++; i < s.n; i++) {
    if (s.p[i] != '"') continue;
    if (i + 1 < s.n && s.p[i + 1] == '"') i++;
    else return i;
  }
  return s.n;
}

/* The next row; a quoted cell may hold commas and ends of lines. *line goes on by what it took. */
static bool next_row(struct str *rest, struct row *row, unsigned *line, bool *open)
{
  size_t i = 0;
  row->n = 0;
  *open = false;
  if (rest->n == 0) return false;
  for (;;) {
    size_t start = i, stop;
    while (i < rest->n && (rest->p[i] == ' ' || rest->p[i] == '\t')) i++;
    if (i < rest->n && rest->p[i] == '"') {
      size_t end = quoted_end(*rest, i);
      *open = end == rest->n;
      start = i + 1, stop = end;
      for (size_t k = i; k < end; k++) *line += rest->p[k] == '\n';
      i = end < rest->n ? end + 1 : end;
      while (i < rest->n && rest->p[i] != ',' && rest->p[i] != '\n') i++;
    } else {
      while (i < rest->n && rest->p[i] != ',' && rest->p[i] != '\n') i++;
      stop = i;
    }
    if (row->n < CELLS_MAX) row->cells[row->n++] = trim(str_cut(*rest, start, stop));
    if (i >= rest->n || rest->p[i] == '\n') break;
    i++;
  }
  *line += i < rest->n;
  *rest = str_cut(*rest, i < rest->n ? i + 1 : i, rest->n);
  return true;
}

static size_t find_cell(const struct row *row, struct str name)
{
  size_t i = 0;
  while (i < row->n && !str_ieq(row->cells[i], name)) i++;
  return i;
}

/* The column of the indicators; row->n when there is none. */
static size_t find_column(const struct row *row, struct str wanted)
{
  static const struct str usual[] = {STR("indicator"), STR("ioc"),        STR("ioc_value"), STR("url"),   STR("domain"),
                                     STR("host"),      STR("hostname"),   STR("fqdn"),      STR("ip"),    STR("ip_address"),
                                     STR("ipaddress"), STR("dst_ip"),     STR("src_ip"),    STR("dstip"), STR("address"),
                                     STR("network"),   STR("ip address"), STR("cidr"),      STR("value")};
  if (wanted.n) return find_cell(row, wanted);
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
    size_t at = find_cell(row, usual[i]);
    if (at < row->n) return at;
  }
  return row->n;
}

/* Some lists put the header into a comment: "# id,dateadded,url". */
static void uncomment(struct row *row)
{
  struct str *first = &row->cells[0];
  while (first->n && (first->p[0] == '#' || first->p[0] == ' ' || first->p[0] == '"')) *first = str_cut(*first, 1, first->n);
}

static int no_column(struct feed *f, unsigned line)
{
  struct str c = f->how->column;
  if (c.n)
    return error_at(f->err, VDT_ESYNTAX, f->how->name, line, "there is no column of the name that the configuration gives");
  return error_at(f->err, VDT_ESYNTAX, f->how->name, line,
                  "expected a header with a column of indicators (indicator, url, domain, ip ...); name it with column");
}

static int read_csv(struct feed *f, struct str text)
{
  struct row *row = malloc(sizeof *row);
  unsigned line = 1, at = 1;
  size_t column = CELLS_MAX;
  bool open, headed = false;
  int rc = row ? VDT_OK : error_set(f->err, VDT_ENOMEM, "out of memory");
  while (!rc && next_row(&text, row, &line, &open)) {
    bool comment = row->n == 0 || (row->n == 1 && row->cells[0].n == 0) || (row->cells[0].n && row->cells[0].p[0] == '#');
    if (!headed && row->n) {
      uncomment(row);
      column = find_column(row, f->how->column);
      headed = column < row->n;
      if (!headed && !comment) rc = no_column(f, at);
    } else if (open) {
      rc = error_at(f->err, VDT_ESYNTAX, f->how->name, at, "a quotation mark is not closed");
    } else if (!comment) {
      rc = feed_take(f, column < row->n ? row->cells[column] : STR(""), at);
    }
    at = line;
  }
  if (!rc && !headed) rc = no_column(f, 1);
  free(row);
  return rc;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static bool ends_with(struct str s, struct str end)
{
  return s.n >= end.n && str_ieq(str_cut(s, s.n - end.n, s.n), end);
}

static enum feed_format tell(const struct feed_reading *how, struct str text)
{
  struct str name = str_of(how->name), begin = trim(text);
  if (how->format != FEED_AUTO) return how->format;
  if (begin.n && begin.p[0] == '{') return FEED_STIX;
  if (ends_with(name, STR(".csv")) || how->column.n) return FEED_CSV;
  return FEED_PLAIN;
}

static int judge(const struct feed *f)
{
  const struct feed_report *r = f->report;
  const char *of = r->first_line ? "what stands there is no address, network, domain or URL" : "";
  if (r->taken == 0 && r->ignored == 0)
    return error_at(f->err, VDT_ESYNTAX, f->how->name, r->first_line, "%s",
                    r->first_line ? "nothing in it is an indicator; expected an address, network, domain or URL here"
                                  : "it is empty");
  if (r->unreadable * 20 > r->taken + r->ignored + r->unreadable)
    return error_at(f->err, VDT_ESYNTAX, f->how->name, r->first_line, "%s, and the same is true of %llu of %llu entries", of,
                    (unsigned long long)r->unreadable, (unsigned long long)(r->taken + r->ignored + r->unreadable));
  return VDT_OK;
}

int feed_read(const struct feed_reading *how, struct str text, struct intel_section *out, struct feed_report *report,
              struct vdt_error *err)
{
  struct feed f = {how, out, report, err};
  *report = (struct feed_report){0};
  if (text.n > FEED_BYTES_MAX) return error_at(err, VDT_ETOOBIG, how->name, 0, "larger than %d MiB", FEED_BYTES_MAX >> 20);
  if (str_starts(text, STR("\xEF\xBB\xBF"))) text = str_cut(text, 3, text.n);
  if (text.n == 0) return judge(&f);
  enum feed_format format = tell(how, text);
  int rc = format == FEED_STIX ? feed_stix(&f, text) : format == FEED_CSV ? read_csv(&f, text) : read_plain(&f, text);
  if (!rc) rc = judge(&f);
  if (!rc) intel_settle(out);
  return rc;
}
