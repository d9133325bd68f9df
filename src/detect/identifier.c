/*
 * The table of identifiers: what shape a number has, how its groups stand, and whether it adds up. The tests of their own are beside it, by
 * continent; here is what all rows share. Nothing here looks at a text.
 */
#include "detect/identifiers.h"
#include "detect/number.h"

struct identifier {
  const char *name, *shapes, *groups, *weights;
  unsigned modulus;
  identifier_fn *fn;
  bool sums; /* its own test has a checksum */
};

static const struct identifier identifiers[] = {
#define X(name, shapes, groups, weights, modulus, fn, help) {name, shapes, groups, weights, modulus, fn, #fn[0] == 's'},
#include "detect/identifiers.def"
#undef X
};

static const struct {
  const char *name, *number;
} samples[] = {
#define X(name, number, by) {name, number},
#include "detect/samples.def"
#undef X
};

/* ---- what the tests share --------------------------------------------------------------------------------------- */

unsigned weighed_front(struct str s, const char *weights)
{
  unsigned sum = 0;
  for (size_t i = 0; weights[i] && i < s.n; i++) sum += value_of(s.p[i]) * value_of((char)(weights[i] == 'a' ? 'A' : weights[i]));
  return sum;
}

unsigned weighed(struct str s, const char *weights)
{
  size_t n = strlen(weights);
  return weighed_front(n < s.n ? str_cut(s, s.n - n, s.n) : s, weights);
}

uint64_t number_of(struct str s, size_t from, size_t to)
{
  uint64_t n = 0;
  for (size_t i = from; i < to; i++) n = n * 10 + digit(s, i);
  return n;
}

bool is_date(unsigned month, unsigned day)
{
  static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

bool has_date(struct str s, size_t year, size_t month, size_t day)
{
  unsigned m = pair(s, month), d = pair(s, day);
  return is_date(m, d) && (m != 2 || d < 29 || pair(s, year) % 4 == 0);
}

bool starts_with(struct str s, const char *prefix)
{
  return str_starts(s, str_of(prefix));
}

bool all_same(struct str s)
{
  for (size_t i = 1; i < s.n; i++)
    if (s.p[i] != s.p[0]) return false;
  return true;
}

bool only_digits(struct str s, size_t from, size_t to)
{
  for (size_t i = from; i < to; i++)
    if (!is_digit(s.p[i])) return false;
  return true;
}

unsigned luhn_sum(struct str s)
{
  unsigned sum = 0;
  for (size_t i = 0, k = 0; i < s.n; i++) {
    unsigned v = value_of(s.p[s.n - 1 - i]), parts[2] = {v % 10, v / 10};
    for (unsigned j = 0; j < (v > 9 ? 2 : 1); j++, k++) {
      unsigned d = parts[j];
      if (k % 2) d = d * 2 > 9 ? d * 2 - 9 : d * 2;
      sum += d;
    }
  }
  return sum % 10;
}

unsigned mod97_of(struct str s)
{
  unsigned rest = 0;
  for (size_t i = 0; i < s.n; i++) {
    unsigned v = value_of(s.p[i]);
    rest = (rest * (v > 9 ? 100 : 10) + v) % 97;
  }
  return rest;
}

bool is_any(struct str s)
{
  return s.n > 0;
}

bool is_varied(struct str s)
{
  return !all_same(s);
}

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

static bool element_holds(char element, char c)
{
  if (element == '9') return is_digit(c);
  if (element == 'A') return c >= 'A' && c <= 'Z';
  if (element == 'X') return true;
  return c == (is_digit(element) ? element : element - 32);
}

/* Reads {m} or {m,n} at *p. */
static void repeats(const char **p, unsigned *least, unsigned *most)
{
  *least = *most = 1;
  if (**p != '{') return;
  *least = *most = 0;
  for ((*p)++; is_digit(**p); (*p)++) *least = *least * 10 + (unsigned)(**p - '0');
  if (**p == ',')
    for ((*p)++; is_digit(**p); (*p)++) *most = *most * 10 + (unsigned)(**p - '0');
  else *most = *least;
  (*p)++;
}

bool shape_holds(const char *shape, struct str s)
{
  size_t at = 0;
  while (*shape && *shape != ' ') {
    unsigned least, most, n = 0;
    char element = *shape++;
    repeats(&shape, &least, &most);
    while (n < most && at < s.n && element_holds(element, s.p[at])) n++, at++;
    if (n < least) return false;
  }
  return at == s.n;
}

static const char *next_alternative(const char *shape)
{
  while (*shape && *shape != ' ') shape++;
  return *shape ? shape + 1 : NULL;
}

static bool any_shape_holds(const char *shapes, struct str s)
{
  for (const char *p = shapes; p; p = next_alternative(p))
    if (shape_holds(p, s)) return true;
  return false;
}

/* Sets the bits of the lengths that one alternative may have. */
static uint64_t shape_lengths(const char *shape)
{
  unsigned low = 0, high = 0;
  while (*shape && *shape != ' ') {
    unsigned least, most;
    shape++;
    repeats(&shape, &least, &most);
    low += least;
    high += most;
  }
  uint64_t set = 0;
  for (unsigned n = low; n <= high; n++) set |= UINT64_C(1) << n;
  return set;
}

uint64_t identifier_lengths(const struct identifier *id)
{
  uint64_t set = 0;
  for (const char *p = id->shapes; p; p = next_alternative(p)) set |= shape_lengths(p);
  return set;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

const struct identifier *identifier_find(struct str name)
{
  for (size_t k = 0; k < sizeof identifiers / sizeof *identifiers; k++)
    if (str_eq(name, str_of(identifiers[k].name))) return &identifiers[k];
  return NULL;
}

bool identifier_holds(const struct identifier *id, struct str s)
{
  if (!any_shape_holds(id->shapes, s)) return false;
  if (*id->weights && weighed(s, id->weights) % id->modulus != 0) return false;
  return id->fn(s);
}

bool identifier_has_sum(const struct identifier *id)
{
  return *id->weights || id->sums;
}

bool identifier_is_digits(const struct identifier *id)
{
  for (const char *p = id->shapes; *p; p++)
    if (*p == 'A' || *p == 'X' || (*p >= 'a' && *p <= 'z')) return false;
  return true;
}

bool identifier_is_sample(const struct identifier *id, struct str s)
{
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
    if (strcmp(samples[i].name, id->name) == 0 && str_eq(s, str_of(samples[i].number))) return true;
  return false;
}

const char *identifier_says(const struct identifier *id, struct str s)
{
  return id->fn == sum_card ? card_brand(s) : NULL;
}

bool identifier_valid(struct str name, struct str number)
{
  const struct identifier *id = identifier_find(name);
  return id && identifier_holds(id, number);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

/* Groups of four and a last one of four at most; the country may stand by itself before its check digits, or before all the rest. */
static bool fours_hold(const struct run *r, unsigned a, unsigned b)
{
  bool country = a < b && !r->g[a].digits && r->g[a].end - r->g[a].start == 2;
  if (country && ++a == b) return true;
  if (country && r->g[a].end - r->g[a].start == 2) a++;
  for (unsigned k = a; k <= b; k++) {
    uint64_t n = r->g[k].end - r->g[k].start;
    if (k < b ? n != 4 : n > 4) return false;
  }
  return true;
}

/* One alternative of groups, up to a bar. */
static bool groups_hold(const char *p, const struct run *r, unsigned a, unsigned b)
{
  if (p[0] == '4' && p[1] == '*') return fours_hold(r, a, b);
  for (unsigned k = a; k <= b; k++) {
    unsigned n = 0;
    while (*p == ' ') p++;
    if (*p == '-' && r->g[k].separator != '-') return false;
    p += *p == '-';
    while (is_digit(*p)) n = n * 10 + (unsigned)(*p++ - '0');
    if (n != r->g[k].end - r->g[k].start) return false;
  }
  return *p == '\0' || *p == '|';
}

/* A few digits, a dot, digits. */
static bool is_decimal(const struct run *r, unsigned a, unsigned b)
{
  return b == a + 1 && r->g[b].separator == '.' && r->g[a].end - r->g[a].start <= 3;
}

enum layout run_layout(const struct identifier *id, const struct run *r, unsigned a, unsigned b)
{
  const char *p = id->groups;
  bool only = *p == '!', mixed = run_is_mixed(r, a, b);
  if (a == b && !only) return LAYOUT_PLAIN;
  if (only && mixed) return LAYOUT_NONE;
  for (p += only; *p; p++) {
    if (groups_hold(p, r, a, b)) return a == b ? LAYOUT_PLAIN : LAYOUT_USUAL;
    while (p[1] && *p != '|') p++;
  }
  return only || run_is_listed(r, a, b) || is_decimal(r, a, b) ? LAYOUT_NONE : LAYOUT_OTHER;
}
