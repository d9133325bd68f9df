/* Payment cards: ISO/IEC 7812 numbers of the brands in use. One in ten random numbers passes Luhn, so ranges and grouping count. */
#include "detect/detect.h"

static const struct brand {
  const char *name;
  unsigned from, to, digits, min, max; /* first `digits` digits within from..to; lengths */
} brands[] = {
    {"Luhn and range of Visa", 4, 4, 1, 13, 19},
    {"Luhn and range of Mastercard", 51, 55, 2, 16, 16},
    {"Luhn and range of Mastercard", 2221, 2720, 4, 16, 16},
    {"Luhn and range of American Express", 34, 34, 2, 15, 15},
    {"Luhn and range of American Express", 37, 37, 2, 15, 15},
    {"Luhn and range of Discover", 6011, 6011, 4, 16, 19},
    {"Luhn and range of Discover", 644, 659, 3, 16, 19},
    {"Luhn and range of JCB", 3528, 3589, 4, 16, 19},
    {"Luhn and range of JCB", 1800, 1800, 4, 15, 15},
    {"Luhn and range of JCB", 2131, 2131, 4, 15, 15},
    {"Luhn and range of Diners Club", 300, 305, 3, 14, 19},
    {"Luhn and range of Diners Club", 36, 36, 2, 14, 19},
    {"Luhn and range of UnionPay", 62, 62, 2, 16, 19},
    {"Luhn and range of Maestro", 5018, 5018, 4, 12, 19},
    {"Luhn and range of Maestro", 5020, 5020, 4, 12, 19},
    {"Luhn and range of Maestro", 5038, 5038, 4, 12, 19},
    {"Luhn and range of Maestro", 6759, 6763, 4, 12, 19},
    {"Luhn and range of Dankort", 5019, 5019, 4, 16, 16},
};

static const char *const samples[] = {"4111111111111111", "4242424242424242", "378282246310005",  "5555555555554444",
                                      "4012888888881881", "371449635398431",  "4000056655665556", "5105105105105100",
                                      "6011111111111117", "4222222222222"};

static const struct brand *brand_of(const unsigned char *d, unsigned n)
{
  for (size_t i = 0; i < sizeof brands / sizeof *brands; i++) {
    unsigned value = 0;
    for (unsigned k = 0; k < brands[i].digits && k < n; k++) value = value * 10 + d[k];
    if (value >= brands[i].from && value <= brands[i].to && n >= brands[i].min && n <= brands[i].max) return &brands[i];
  }
  return NULL;
}

static bool is_sample(const unsigned char *d, unsigned n)
{
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
    unsigned k = 0;
    while (k < n && samples[i][k] && samples[i][k] - '0' == d[k]) k++;
    if (k == n && !samples[i][k]) return true;
  }
  return false;
}

static bool few_digits(const unsigned char *d, unsigned n)
{
  unsigned seen = 0, different = 0;
  for (unsigned i = 0; i < n; i++) {
    different += !(seen >> d[i] & 1);
    seen |= 1u << d[i];
  }
  return different < 4;
}

static bool is_digit(int c)
{
  return c >= '0' && c <= '9';
}

/* How the digits of a number stand together. */
struct groups {
  unsigned first; /* digits of the first group, 0 when there are no groups */
  bool single;    /* every digit stands alone */
};

/* Reads a number of digits in groups of one separator, which may be doubled; its end, and its digits; 20 of them are too many. Cards are written
 * 4-4-4-4 or 4-6-5, or digit by digit: other groups are other numbers. */
static uint64_t read_number(struct look *l, uint64_t i, unsigned char digits[20], unsigned *n, struct groups *g)
{
  int separator = 0;
  bool apart = true;
  *g = (struct groups){.single = true};
  for (*n = 0;; i++) {
    int c = look_at(l, i);
    bool blank = (c == ' ' || c == '-') && (separator == 0 || separator == c);
    if (is_digit(c)) {
      if (*n == 20) break;
      g->single &= apart;
      digits[(*n)++] = (unsigned char)(c - '0');
      apart = false;
    } else if (blank && !apart && (is_digit(look_at(l, i + 1)) || (look_at(l, i + 1) == c && is_digit(look_at(l, i + 2))))) {
      separator = c;
      if (g->first == 0) g->first = *n;
      if (look_at(l, i + 1) == c) i++;
      apart = true;
    } else {
      break;
    }
  }
  return i;
}

bool check_card(const struct rule *r, struct look *l, struct found *out)
{
  unsigned char digits[20];
  unsigned n;
  struct groups g;
  uint64_t start = look_run_left(l, l->gate_end, &r->left, r->left_max);
  while (start < l->gate_end && !is_digit(look_at(l, start))) start++;
  uint64_t end = read_number(l, start, digits, &n, &g);
  l->seen = end;
  int before = start ? look_at(l, start - 1) : -1, after = look_at(l, end);
  const struct brand *b = n >= 12 && n <= 19 ? brand_of(digits, n) : NULL;
  if (!b || !luhn(digits, n) || is_sample(digits, n) || few_digits(digits, n)) return false;
  if (byte_is_word(before) || before == '.' || byte_is_word(after) || (after == '.' && is_digit(look_at(l, end + 1))))
    return false;
  if (g.first && g.first != 4 && !(g.single && l->context)) return false;
  if (n == 13 && !l->context) return false; /* milliseconds since 1970 */
  out->start = start;
  out->end = end;
  out->reason = b->name;
  out->confidence = l->context ? 90 : g.first ? 75 : 65;
  return true;
}
