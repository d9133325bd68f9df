/* Payment cards: ISO/IEC 7812 numbers of the brands in use. One in ten random numbers passes Luhn, so ranges and grouping count. */
#include "detect/identifiers.h"

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

static const struct brand *brand_of(const unsigned char *d, unsigned n)
{
  for (size_t i = 0; i < sizeof brands / sizeof *brands; i++) {
    unsigned value = 0;
    for (unsigned k = 0; k < brands[i].digits && k < n; k++) value = value * 10 + d[k];
    if (value >= brands[i].from && value <= brands[i].to && n >= brands[i].min && n <= brands[i].max) return &brands[i];
  }
  return NULL;
}

static unsigned digits_of(struct str s, unsigned char digits[19])
{
  for (size_t i = 0; i < s.n; i++) digits[i] = (unsigned char)digit(s, i);
  return (unsigned)s.n;
}

const char *card_brand(struct str number)
{
  unsigned char digits[19];
  unsigned n = digits_of(number, digits);
  const struct brand *b = brand_of(digits, n);
  return b ? b->name : NULL;
}

bool sum_card(struct str s)
{
  unsigned char digits[19];
  unsigned n = digits_of(s, digits);
  return brand_of(digits, n) && luhn(digits, n);
}
