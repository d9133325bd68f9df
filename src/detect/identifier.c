/*
 * Numbers of persons, accounts and devices beside the word that names them. Nearly every number of nine to eleven digits passes some country's
 * checksum, so the name is the gate and the number must follow it soon. It reads a few bytes after the name and nothing else.
 */
#include "detect/detect.h"

enum { IDENTIFIER_GAP = 40, IDENTIFIER_MAX = 20 };

static unsigned digit(struct str s, size_t i)
{
  return (unsigned)(s.p[i] - '0');
}

/* Receita Federal: two digits, each eleven less a weighted sum modulo eleven, ten reads zero; equal digits are none. */
static bool sum_cpf(struct str s)
{
  bool equal = true;
  for (size_t i = 1; i < s.n; i++) equal &= s.p[i] == s.p[0];
  for (size_t n = 9; n < 11; n++) {
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) sum += digit(s, i) * (unsigned)(n + 1 - i);
    if (sum * 10 % 11 % 10 != digit(s, n)) return false;
  }
  return !equal;
}

/* INSEE: the last two digits are 97 less the first thirteen modulo 97; Corsica's 2A and 2B count 19 and 18. */
static bool sum_nir(struct str s)
{
  uint64_t number = 0;
  for (size_t i = 0; i < 13; i++) {
    bool corsica = s.p[i] == 'A' || s.p[i] == 'B';
    if (corsica) number--; /* 2A is 19, 2B is 18 */
    number = number * 10 + (corsica ? 9u - (unsigned)(s.p[i] - 'A') : digit(s, i));
  }
  return digit(s, 0) >= 1 && digit(s, 0) <= 2 && 97 - number % 97 == digit(s, 13) * 10 + digit(s, 14);
}

static bool is_date(unsigned month, unsigned day)
{
  static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

static unsigned pair(struct str s, size_t i)
{
  return digit(s, i) * 10 + digit(s, i + 1);
}

/* The century stands in the month: 80, 0, 20, 40 or 60 more. */
static bool pesel_date(struct str s)
{
  return is_date(pair(s, 2) % 20, pair(s, 4));
}

static bool ahv_country(struct str s)
{
  return digit(s, 0) == 7 && pair(s, 1) == 56;
}

static bool sum_ric(struct str s)
{
  static const unsigned char last[] = {0, 15, 23, 37, 46, 54, 65, 71, 82, 91}; /* provinces, by their tens (GB/T 2260) */
  unsigned century = pair(s, 6), province = pair(s, 0);
  if (province > last[province / 10] || (province % 10 == 0 && province != 50)) return false;
  return (century == 18 || century == 19 || century == 20) && is_date(pair(s, 10), pair(s, 12)) && sum_mod11_2(s);
}

/* BZSt: of the first ten digits one stands there twice or three times, no other more than once; no leading zero. */
static bool sum_idnr(struct str s)
{
  unsigned count[10] = {0}, repeated = 0;
  for (size_t i = 0; i < 10; i++) count[digit(s, i)]++;
  for (size_t i = 0; i < 10; i++) {
    if (count[i] > 3) return false;
    repeated += count[i] > 1;
  }
  return repeated == 1 && digit(s, 0) != 0 && sum_mod11_10(s);
}

/* CMS: Luhn with 80840 before the number. */
static bool sum_npi(struct str s)
{
  unsigned char digits[15] = {8, 0, 8, 4, 0};
  for (size_t i = 0; i < 10; i++) digits[5 + i] = (unsigned char)digit(s, i);
  return digit(s, 0) >= 1 && digit(s, 0) <= 2 && luhn(digits, 15);
}

static const struct {
  const char *name;
  unsigned length;
  const char *weights;
  unsigned modulus;
  bool (*fn)(struct str body);
} identifiers[] = {
#define X(name, length, weights, modulus, fn, help) {name, length, weights, modulus, fn},
#include "detect/identifiers.def"
#undef X
};

static bool adds_up(struct str s, const char *weights, unsigned modulus)
{
  unsigned sum = 0;
  for (size_t i = 0; i < s.n; i++) sum += digit(s, i) * (unsigned)(weights[i] == 'a' ? 10 : weights[i] - '0');
  return sum % modulus == 0;
}

/* Digits, but for one of the letters at one place. */
static bool well_formed(struct str s, size_t letter, const char *letters)
{
  for (size_t i = 0; i < s.n; i++) {
    bool allowed = i == letter && (s.p[i] == letters[0] || s.p[i] == letters[1]);
    if ((s.p[i] < '0' || s.p[i] > '9') && !allowed) return false;
  }
  return s.n > 0;
}

static bool spelled(struct str s, bool (*fn)(struct str))
{
  if (fn == sum_ric) return well_formed(s, 17, "XX");
  if (fn == sum_nir) return well_formed(s, 6, s.n > 5 && s.p[5] == '2' ? "AB" : "22");
  return well_formed(s, s.n, "00");
}

bool identifier_valid(struct str name, struct str number)
{
  for (size_t k = 0; k < sizeof identifiers / sizeof *identifiers; k++) {
    if (!str_eq(name, str_of(identifiers[k].name))) continue;
    if (number.n != identifiers[k].length || !spelled(number, identifiers[k].fn)) return false;
    if (*identifiers[k].weights && !adds_up(number, identifiers[k].weights, identifiers[k].modulus)) return false;
    return !identifiers[k].fn || identifiers[k].fn(number);
  }
  return false;
}

static bool is_digit(int c)
{
  return c >= '0' && c <= '9';
}

/* The first digit after the name, on the same line; gate_end when there is none near. Nothing before it is held back. */
static uint64_t value_start(struct look *l)
{
  uint64_t i = l->gate_end, stop = i + IDENTIFIER_GAP;
  for (; i < stop; i++) {
    l->hold = i;
    int c = look_at(l, i);
    if (is_digit(c)) return byte_is_word(look_at(l, i - 1)) ? l->gate_end : i;
    if (c < 0 || c == '\n') break;
  }
  return l->gate_end;
}

bool check_identifier(const struct rule *r, struct look *l, struct found *out)
{
  char number[IDENTIFIER_MAX];
  size_t n = 0;
  uint64_t start = value_start(l), i = start, end = start;
  if (start == l->gate_end) return false;
  for (;; i++) {
    int c = look_at(l, i);
    bool joins = c == ' ' || c == '-' || c == '.' || c == '/';
    if (is_digit(c) || (n == 17 && (c | 32) == 'x') || (n == 6 && (c == 'A' || c == 'B'))) {
      if (n == IDENTIFIER_MAX) return false;
      number[n++] = c == 'x' ? 'X' : (char)c;
      end = i + 1;
    } else if (!joins || !is_digit(look_at(l, i + 1))) {
      break;
    }
  }
  if (byte_is_word(look_at(l, end)) || !identifier_valid(r->variant, (struct str){number, n})) return false;
  out->start = start;
  out->end = end;
  out->why = WHY_FORMAT | WHY_CHECKSUM | WHY_NAME;
  out->reason = "the identifier's name, length and checksum";
  return true;
}
