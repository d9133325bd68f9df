/*
 * International bank account numbers: ISO 13616. What stands behind country and check digits is as in SWIFT's registry; where a country's account
 * numbers have a check digit of their own that is easily had, it is looked at too.
 */
#include "detect/identifiers.h"

static const struct {
  char country[3];
  const char *account;
} countries[] = {
    {"AD", "9{8}X{12}"},      {"AE", "9{19}"},          {"AL", "9{8}X{16}"},      {"AT", "9{16}"},
    {"AZ", "A{4}X{20}"},      {"BA", "9{16}"},          {"BE", "9{12}"},          {"BG", "A{4}9{6}X{8}"},
    {"BH", "A{4}X{14}"},      {"BI", "9{23}"},          {"BR", "9{23}A{1}X{1}"},  {"BY", "X{4}9{4}X{16}"},
    {"CH", "9{5}X{12}"},      {"CR", "9{18}"},          {"CY", "9{8}X{16}"},      {"CZ", "9{20}"},
    {"DE", "9{18}"},          {"DJ", "9{23}"},          {"DK", "9{14}"},          {"DO", "X{4}9{20}"},
    {"EE", "9{16}"},          {"EG", "9{25}"},          {"ES", "9{20}"},          {"FI", "9{14}"},
    {"FK", "A{2}9{12}"},      {"FO", "9{14}"},          {"FR", "9{10}X{11}9{2}"}, {"GB", "A{4}9{14}"},
    {"GE", "A{2}9{16}"},      {"GI", "A{4}X{15}"},      {"GL", "9{14}"},          {"GR", "9{7}X{16}"},
    {"GT", "X{24}"},          {"HN", "A{4}9{20}"},      {"HR", "9{17}"},          {"HU", "9{24}"},
    {"IE", "A{4}9{14}"},      {"IL", "9{19}"},          {"IQ", "A{4}9{15}"},      {"IS", "9{22}"},
    {"IT", "A{1}9{10}X{12}"}, {"JO", "A{4}9{4}X{18}"},  {"KW", "A{4}X{22}"},      {"KZ", "9{3}X{13}"},
    {"LB", "9{4}X{20}"},      {"LC", "A{4}X{24}"},      {"LI", "9{5}X{12}"},      {"LT", "9{16}"},
    {"LU", "9{3}X{13}"},      {"LV", "A{4}X{13}"},      {"LY", "9{21}"},          {"MC", "9{10}X{11}9{2}"},
    {"MD", "X{20}"},          {"ME", "9{18}"},          {"MK", "9{3}X{10}9{2}"},  {"MN", "9{16}"},
    {"MR", "9{23}"},          {"MT", "A{4}9{5}X{18}"},  {"MU", "A{4}9{19}A{3}"},  {"NI", "A{4}9{20}"},
    {"NL", "A{4}9{10}"},      {"NO", "9{11}"},          {"OM", "9{3}X{16}"},      {"PK", "A{4}X{16}"},
    {"PL", "9{24}"},          {"PS", "A{4}X{21}"},      {"PT", "9{21}"},          {"QA", "A{4}X{21}"},
    {"RO", "A{4}X{16}"},      {"RS", "9{18}"},          {"RU", "9{14}X{15}"},     {"SA", "9{2}X{18}"},
    {"SC", "A{4}9{20}A{3}"},  {"SD", "9{14}"},          {"SE", "9{20}"},          {"SI", "9{15}"},
    {"SK", "9{20}"},          {"SM", "A{1}9{10}X{12}"}, {"SO", "9{19}"},          {"ST", "9{21}"},
    {"SV", "A{4}9{20}"},      {"TL", "9{19}"},          {"TN", "9{20}"},          {"TR", "9{6}X{16}"},
    {"UA", "9{6}X{19}"},      {"VA", "9{18}"},          {"VG", "A{4}9{16}"},      {"XK", "9{16}"},
    {"YE", "A{4}9{4}X{18}"},
};

/* Belgium: the first ten digits modulo 97, where 0 is written 97. */
static bool account_be(struct str s)
{
  uint64_t rest = number_of(s, 0, 10) % 97;
  return (rest ? rest : 97) == number_of(s, 10, 12);
}

static bool account_holds(struct str s, struct str account)
{
  if (starts_with(s, "BE")) return account_be(account);
  if (starts_with(s, "ES")) return sum_ccc(account);
  return !starts_with(s, "NO") || weighed_front(account, "54327654321") % 11 == 0;
}

/* The number moved by four places, letters as two digits, modulo 97, is 1. */
static bool mod97(const char *s, unsigned n)
{
  unsigned rest = 0;
  for (unsigned i = 0; i < n; i++) {
    char c = s[(i + 4) % n];
    rest = c >= 'A' ? (rest * 100 + (unsigned)(c - 'A' + 10)) % 97 : (rest * 10 + (unsigned)(c - '0')) % 97;
  }
  return rest == 1;
}

bool sum_iban(struct str s)
{
  struct str account = str_cut(s, 4, s.n);
  for (size_t i = 0; i < sizeof countries / sizeof *countries; i++)
    if (starts_with(s, countries[i].country))
      return shape_holds(countries[i].account, account) && mod97(s.p, (unsigned)s.n) && account_holds(s, account);
  return false;
}
