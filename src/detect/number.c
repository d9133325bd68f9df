/*
 * A number taken apart: where it may begin, its groups, and whether it stands for itself or is a part of something longer. Every read goes
 * through the starving cursor, or looks to the left only.
 */
#include "engine/blocks.h"
#include "engine/numbers.h"
#include "detect/number.h"

enum {
  WORTH = 24,       /* within so many bytes a number has NUMBER_DIGITS digits */
  BLANKS = 3,       /* most of them between two groups */
  LETTER_GROUPS = 2 /* groups of letters alone that a number may begin with */
};

static bool is_digit(int c)
{
  return c >= '0' && c <= '9';
}

static bool is_upper(int c)
{
  return c >= 'A' && c <= 'Z';
}

static bool is_lower(int c)
{
  return c >= 'a' && c <= 'z';
}

static bool is_alnum(int c)
{
  return is_digit(c) || is_upper(c) || is_lower(c);
}

static bool is_separator(int c)
{
  return c == ' ' || c == '-' || c == '.' || c == '/';
}

/* A word's byte, but for what languages without blanks write right before a number. */
static bool is_glued(int c)
{
  return is_alnum(c) || c == '_';
}

/* ---- where a number may begin ------------------------------------------------------------------------------------- */

static int byte_at(const unsigned char *p, size_t i)
{
  return i == (size_t)-1 ? -1 : p[i];
}

/* How many capital letters end before i, or at most `small` with small ones among them, when they are a group by themselves; 0 when there are none
 * or too many. */
static size_t letters_before(const unsigned char *p, size_t i, size_t small)
{
  size_t n = 0, most = NUMBER_LETTERS;
  while (n < i && n <= most && (is_upper(p[i - 1 - n]) || is_lower(p[i - 1 - n]))) {
    if (is_lower(p[i - 1 - n])) most = small;
    n++;
  }
  return n <= most && !is_glued(byte_at(p, i - 1 - n)) ? n : 0;
}

/* Letters right before a digit: one or two small ones may be among them, no more, or a stream would hold every word back. */
static size_t prefix_before(const unsigned char *p, size_t i)
{
  return letters_before(p, i, 2);
}

/* Letters that are a group by themselves. */
static size_t capitals_before(const unsigned char *p, size_t i)
{
  return letters_before(p, i, 0);
}

/* "\n" and its like, as JSON writes a line's end. */
static bool is_escape(const unsigned char *p, size_t i)
{
  return i >= 2 && p[i - 2] == '\\' && (p[i - 1] == 'n' || p[i - 1] == 'r' || p[i - 1] == 't');
}

/* The beginning of the group that has its first digit at i; i + 1 when it is no group that a number may begin with. */
static size_t token_start(const unsigned char *p, size_t i)
{
  int before = byte_at(p, i - 1);
  if (!is_glued(before) || is_escape(p, i)) return i;
  size_t n = prefix_before(p, i);
  return n ? i - n : i + 1;
}

/* The beginning of the groups of letters before the one that begins at start. */
static size_t with_letters(const unsigned char *p, size_t start)
{
  for (unsigned k = 0; k < LETTER_GROUPS && start > 0 && is_separator(p[start - 1]); k++) {
    size_t n = capitals_before(p, start - 1);
    if (n == 0) break;
    start -= n + 1;
  }
  return start;
}

size_t numbers_start(const unsigned char *p, size_t gate)
{
  size_t start = token_start(p, gate);
  return start > gate ? gate : with_letters(p, start);
}

size_t numbers_live(const unsigned char *p, size_t n)
{
  size_t k = prefix_before(p, n), start = n - k;
  if (k == 0 && n > 0 && is_alnum(p[n - 1])) return n;
  return with_letters(p, start);
}

/* May it stand inside of a number? Dashes are three bytes. */
static bool goes_on(int c)
{
  return is_alnum(c) || is_separator(c) || c == '(' || c == ')' || c == 0xE2 || (c >= 0x80 && c <= 0x95);
}

/* Has what begins at i enough digits to be a number? 1, 0, or -1: that is not known. */
static int is_worth(const unsigned char *p, size_t i, size_t n)
{
  unsigned digits = 0;
  size_t stop = n - i < WORTH ? n : i + WORTH;
  for (size_t k = i; k < stop; k++) {
    digits += is_digit(p[k]);
    if (digits == NUMBER_DIGITS) return 1;
    if (!goes_on(p[k])) return 0;
  }
  return stop == n && n - i < WORTH ? -1 : 0;
}

/* From i on, blocks without a digit that a number may begin with: they and what is near behind them have too few. One whose last byte belongs to a
 * word is no such block, for the word is read as a whole. */
static size_t skip_blocks(const unsigned char *p, size_t i, size_t n)
{
  for (; i + 2 * BLOCK_BYTES <= n; i += BLOCK_BYTES) {
    uint64_t digits = block_digits(p + i);
    if (!digits) continue;
    uint64_t near = block_digits(p + i + BLOCK_BYTES) & ((UINT64_C(1) << WORTH) - 1);
    bool many = block_count(digits) + block_count(near) >= NUMBER_DIGITS;
    if (many || is_alnum(p[i + BLOCK_BYTES - 1])) return i + block_first(digits);
  }
  return i;
}

/* The next digit at or after i that a number may begin with, or another. */
static size_t next_digit(const unsigned char *p, size_t i, size_t n)
{
  i = skip_blocks(p, i, n);
  const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
  for (; i + 8 <= n; i += 8) {
    uint64_t w;
    memcpy(&w, p + i, 8);
    w ^= ones * '0'; /* digits are now 0 to 9 */
    if (((w - ones * 10) & ~w & highs) != 0) break;
  }
  while (i < n && !is_digit(p[i])) i++;
  return i;
}

size_t numbers_gate(const unsigned char *p, size_t from, size_t n)
{
  for (size_t i = from; (i = next_digit(p, i, n)) < n;) {
    int before = byte_at(p, i - 1);
    bool part = is_digit(before) || (i > 1 && is_separator(before) && before != ' ' && is_digit(p[i - 2]));
    if (!part && token_start(p, i) <= i && is_worth(p, i, n) != 0) return i;
    while (i < n && is_alnum(p[i])) i++;
  }
  return n;
}

/* ---- groups ------------------------------------------------------------------------------------------------------- */

/* Reads one group of digits and letters. False when a number has no such group: its letters are of both cases, but for the last two. */
static bool read_group(struct look *l, uint64_t i, struct group *g)
{
  unsigned upper = 0, digits = 0, lower = 0;
  *g = (struct group){.start = i, .end = i};
  for (;; g->end++) {
    int c = look_at(l, g->end);
    if (!is_alnum(c)) {
      g->digits = digits > 0;
      return c != '_' && (digits || upper + lower <= 2 || lower == 0);
    }
    if (upper && lower && !is_lower(c)) return false;
    digits += is_digit(c);
    upper += is_upper(c);
    lower += is_lower(c);
    if ((upper && lower > 2) || (lower > 2 && !digits) || g->end - i > NUMBER_MAX || (!digits && upper > NUMBER_LETTERS))
      return false;
  }
}

/* A dash of three bytes (U+2010 to U+2015) at i? */
static bool is_dash(struct look *l, uint64_t i)
{
  if (look_at(l, i) != 0xE2 || look_at(l, i + 1) != 0x80) return false;
  int c = look_at(l, i + 2);
  return c >= 0x90 && c <= 0x95;
}

/* A sign with a blank on either side or none, or several blanks: where what follows begins; 0 when that is no group. */
static uint64_t behind_wide(struct look *l, uint64_t i, int *separator)
{
  uint64_t start = i;
  bool sign = false;
  while (i < start + BLANKS && look_at(l, i) == ' ') i++;
  if (is_dash(l, i)) sign = true, i += 3;
  else if (is_separator(look_at(l, i)) && look_at(l, i) != ' ') sign = true, i++;
  if (sign) *separator = '-';
  for (uint64_t stop = i + 1; sign && i < stop && look_at(l, i) == ' ';) i++;
  return is_alnum(look_at(l, i)) ? i : 0;
}

/* Where the next group begins behind what joins it to the one that ends at i; 0 when nothing does. bracket: the first group stands behind one. */
static uint64_t next_group(struct look *l, uint64_t i, bool bracket, int *separator)
{
  int c = look_at(l, i), d = look_at(l, i + 1);
  *separator = c == ')' ? ' ' : c;
  if (c == '(' && is_alnum(d) && look_at(l, i + 2) == ')') return i + 1;
  if (c == ')' && bracket) return is_alnum(d) ? i + 1 : is_separator(d) && is_alnum(look_at(l, i + 2)) ? i + 2 : 0;
  if (!is_separator(c) && c != 0xE2) return 0;
  if (is_alnum(d)) return i + 1;
  if (d == '-' && c == '-') return is_alnum(look_at(l, i + 2)) ? i + 2 : 0;
  return c == ' ' || c == 0xE2 ? behind_wide(l, i, separator) : 0;
}

void run_read(struct look *l, uint64_t start, struct run *out)
{
  uint64_t i = start, total = 0;
  int separator = 0;
  bool bracket = start > l->base && look_at(l, start - 1) == '(';
  out->n = 0;
  while (out->n < NUMBER_GROUPS) {
    struct group *g = &out->g[out->n];
    bool is = read_group(l, i, g);
    total += g->end - i;
    if (!is || total > NUMBER_MAX) return;
    g->separator = separator;
    out->n++;
    i = next_group(l, g->end, bracket && out->n == 1, &separator);
    if (i == 0) return;
  }
}

size_t run_compact(struct look *l, const struct run *r, unsigned a, unsigned b, char out[NUMBER_MAX])
{
  size_t n = 0;
  for (unsigned k = a; k <= b; k++)
    for (uint64_t i = r->g[k].start; i < r->g[k].end; i++) {
      int c = look_at(l, i);
      if (n == NUMBER_MAX || c < 0) return 0;
      out[n++] = (char)(is_lower(c) ? c - 32 : c);
    }
  return n;
}

/* Has the group that ends before i a digit? */
static bool digits_before(struct look *l, uint64_t i)
{
  for (unsigned k = 0; k < 12 && i > l->base; k++, i--) {
    int c = look_at(l, i - 1);
    if (is_digit(c)) return true;
    if (!is_alnum(c)) return false;
  }
  return false;
}

bool run_is_mixed(const struct run *r, unsigned a, unsigned b)
{
  for (unsigned k = a + 2; k <= b; k++)
    if (r->g[k].separator != r->g[a + 1].separator) return true;
  return false;
}

bool run_is_listed(const struct run *r, unsigned a, unsigned b)
{
  bool dot = false, blank = false;
  for (unsigned k = a + 1; k <= b; k++) {
    dot |= r->g[k].separator == '.';
    blank |= r->g[k].separator == ' ' && r->g[k - 1].digits;
  }
  return dot && blank;
}

static bool has_blanks(const struct run *r, unsigned a, unsigned b)
{
  for (unsigned k = a + 1; k <= b; k++)
    if (r->g[k].separator == ' ') return true;
  return false;
}

static bool apart_on_the_left(struct look *l, const struct run *r, unsigned a, bool blanks)
{
  uint64_t i = r->g[a].start;
  int c = i > l->base ? look_at(l, i - 1) : -1, d = i > l->base + 1 ? look_at(l, i - 2) : -1;
  if (c == '_' || c == '+' || c == '$' || c == '%' || c == '@' || c == '~' || c == '*') return false;
  if (c == '-') return !is_alnum(d) || (a == 1 && !r->g[0].digits && r->g[0].end - r->g[0].start <= 3);
  if (c == '.' || c == '/') return !is_glued(d);
  return !(c == ' ' && blanks && digits_before(l, i - 1));
}

/* "1 234 567,89" is a sum of money. */
static bool has_cents(struct look *l, const struct run *r, unsigned b)
{
  uint64_t end = r->g[b].end;
  if (look_at(l, end) != ',' || end - r->g[b].start != 3 || !is_digit(look_at(l, end + 1))) return false;
  return !is_alnum(look_at(l, end + 2)) || (is_digit(look_at(l, end + 2)) && !is_alnum(look_at(l, end + 3)));
}

static bool apart_on_the_right(struct look *l, const struct run *r, unsigned b, bool blanks)
{
  uint64_t end = r->g[b].end;
  int c = look_at(l, end);
  if (r->g[b].separator == '(') return look_at(l, end + 1) != '(';
  if (b + 1 < r->n) return r->g[b + 1].separator == ' ' && !(blanks && r->g[b + 1].digits);
  if (is_glued(c) || c == '%' || c == '*' || c == '#' || c == '$' || c == '@' || c == '~' || c == '=') return false;
  if (c == '-' || c == '/' || c == '.') return !is_glued(look_at(l, end + 1));
  if (c == ':') return !is_digit(look_at(l, end + 1));
  return !has_cents(l, r, b);
}

bool run_apart(struct look *l, const struct run *r, unsigned a, unsigned b)
{
  bool blanks = has_blanks(r, a, b);
  return apart_on_the_left(l, r, a, blanks) && apart_on_the_right(l, r, b, blanks);
}

/* ---- one number, for who asks by name ------------------------------------------------------------------------------ */

bool number_is_worth(struct look *l, uint64_t gate)
{
  unsigned digits = 0;
  for (uint64_t k = gate; k < gate + WORTH; k++) {
    int c = look_at(l, k);
    digits += is_digit(c);
    if (digits == NUMBER_DIGITS) return true;
    if (!goes_on(c)) return false;
  }
  return false;
}
