/*
 * The machine-readable zone of passports, visas and identity cards (ICAO 9303): two lines of 44 or 36 characters, or three of 30, whose numbers
 * and dates have check digits of their own and most of which have one over all of them. Four digits that all are right are no chance.
 */
#include "detect/detect.h"

enum { WIDTH_MAX = 44, LINES = 3 };

static bool in_zone(int c)
{
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '<';
}

/* The lines from i on, without what stands between them. */
struct zone {
  char line[LINES][WIDTH_MAX + 1];
  unsigned n, width;
  uint64_t end;
};

static unsigned read_line(struct look *l, uint64_t i, char out[WIDTH_MAX + 1])
{
  unsigned n = 0;
  while (n <= WIDTH_MAX && in_zone(look_at(l, i + n))) {
    out[n] = (char)look_at(l, i + n);
    n++;
  }
  return n;
}

/* Behind a line's end, as it is or as JSON writes it; a blank, where lines were joined. i when there is none. */
static uint64_t next_line(struct look *l, uint64_t i)
{
  int c = look_at(l, i);
  if (c == '\\' && look_at(l, i + 1) == 'n') return i + 2;
  if (c == '\r') c = look_at(l, ++i);
  return c == '\n' || c == ' ' ? i + 1 : i;
}

/* So many lines of one width, which the first has. */
static bool read_zone(struct look *l, uint64_t i, struct zone *z)
{
  z->width = read_line(l, i, z->line[0]);
  if (z->width != 44 && z->width != 36 && z->width != 30) return false;
  unsigned want = z->width == 30 ? 3 : 2;
  for (z->n = 1, i += z->width; z->n < want; z->n++, i += z->width) {
    uint64_t at = next_line(l, i);
    if (at == i || read_line(l, at, z->line[z->n]) != z->width) return false;
    i = at;
  }
  z->end = i;
  return true;
}

static unsigned value(char c)
{
  return c == '<' ? 0 : c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
}

/* Adds characters [from, to) with weights that go 7, 3, 1; *k is how many were added before. */
static unsigned sum(const char *line, unsigned from, unsigned to, unsigned *k)
{
  static const unsigned weights[] = {7, 3, 1};
  unsigned s = 0;
  for (unsigned i = from; i < to; i++) s += value(line[i]) * weights[(*k)++ % 3];
  return s;
}

/* Does the digit behind [from, to) check it? An empty field may have a filler instead. */
static bool is_checked(const char *line, unsigned from, unsigned to)
{
  unsigned k = 0, s = sum(line, from, to, &k);
  return line[to] == '<' ? s == 0 : line[to] <= '9' && s % 10 == value(line[to]);
}

/* Two lines. Visas (V) have no digit over all. */
static bool two_lines(const struct zone *z)
{
  const char *b = z->line[1];
  unsigned k = 0, w = z->width, s;
  if (!is_checked(b, 0, 9) || !is_checked(b, 13, 19) || !is_checked(b, 21, 27)) return false;
  if (z->line[0][0] == 'V') return true;
  if (w == 44 && !is_checked(b, 28, 42)) return false;
  s = sum(b, 0, 10, &k) + sum(b, 13, 20, &k) + sum(b, 21, w - 1, &k);
  return b[w - 1] <= '9' && s % 10 == value(b[w - 1]);
}

/* Three lines. A long document number goes on in the field behind it, with a filler in the place of its check digit. */
static bool three_lines(const struct zone *z)
{
  const char *a = z->line[0], *b = z->line[1];
  unsigned k = 0, s;
  if ((a[14] != '<' && !is_checked(a, 5, 14)) || !is_checked(b, 0, 6) || !is_checked(b, 8, 14)) return false;
  s = sum(a, 5, 30, &k) + sum(b, 0, 7, &k) + sum(b, 8, 15, &k) + sum(b, 18, 29, &k);
  return b[29] <= '9' && s % 10 == value(b[29]);
}

/* Letters of the issuer and a sex: without them any row of digits could pass. */
static bool reads_like_one(const struct zone *z)
{
  for (unsigned i = 2; i < 5; i++)
    if (z->line[0][i] <= '9') return false;
  char sex = z->width == 30 ? z->line[1][7] : z->line[1][20];
  return sex == 'M' || sex == 'F' || sex == '<' || sex == 'X';
}

bool check_mrz(const struct rule *r, struct look *l, struct found *out)
{
  struct zone z;
  (void)r;
  if (!read_zone(l, l->gate, &z) || in_zone(look_at(l, z.end))) return false;
  if (!reads_like_one(&z) || !(z.n == 3 ? three_lines(&z) : two_lines(&z))) return false;
  out->end = z.end;
  out->why = WHY_FORMAT | WHY_CHECKSUM;
  out->reason = "lines of a travel document, and the check digits of its number, dates and whole";
  return true;
}
