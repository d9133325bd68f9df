/*
 * Tests of numbers of accounts, companies, securities, devices and vehicles (identifiers.def). All of them read a number whose shape holds.
 */
#include "detect/identifiers.h"

/* ---- securities and companies ------------------------------------------------------------------------------------ */

bool sum_iso11649(struct str s)
{
  char moved[40];
  memcpy(moved, s.p + 4, s.n - 4);
  memcpy(moved + s.n - 4, s.p, 4);
  return mod97_of((struct str){moved, s.n}) == 1;
}

bool sum_lei(struct str s)
{
  return mod97_of(s) == 1;
}

/* ISO 6166: Luhn, letters as two digits. */
bool sum_isin(struct str s)
{
  return luhn_sum(s) == 0;
}

bool sum_cusip(struct str s)
{
  unsigned sum = 0;
  if (!is_digit(s.p[8])) return false;
  for (size_t i = 0; i < 8; i++) {
    unsigned v = value_of(s.p[i]) * (unsigned)(i % 2 + 1);
    sum += v / 10 + v % 10;
  }
  return (10 - sum % 10) % 10 == digit(s, 8) && !all_same(s);
}

/* No vowels. */
bool is_sedol(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (strchr("AEIOU", s.p[i])) return false;
  return !all_same(s);
}

/* ---- accounts ---------------------------------------------------------------------------------------------------- */

/* Federal Reserve districts, thrift institutions, electronic transactions, traveller's cheques. */
bool is_aba(struct str s)
{
  unsigned district = pair(s, 0);
  return (district <= 12 || (district >= 21 && district <= 32) || (district >= 61 && district <= 72) || district == 80) &&
         !all_same(s);
}

/* BCRA: a check digit of bank and branch and one of the account. */
bool sum_cbu(struct str s)
{
  struct str account = str_cut(s, 8, 22);
  return (10 - weighed_front(s, "7139713") % 10) % 10 == digit(s, 7) &&
         (10 - weighed_front(account, "3971397139713") % 10) % 10 == digit(account, 13);
}

static unsigned ccc_digit(struct str s, const char *weights)
{
  unsigned check = 11 - weighed_front(s, weights) % 11;
  return check == 10 ? 1 : check % 11;
}

bool sum_ccc(struct str s)
{
  return ccc_digit(s, "485a9736") == digit(s, 8) && ccc_digit(str_cut(s, 10, 20), "12485a9736") == digit(s, 9);
}

/* ---- companies and their VAT numbers ------------------------------------------------------------------------------ */

bool sum_ch_uid(struct str s)
{
  struct str d = str_cut(s, s.n - 9, s.n);
  return (11 - weighed_front(d, "54327654") % 11) % 11 == digit(d, 8);
}

/* HMRC: modulo 97, since 2009 with 55 more. */
bool sum_gb_vat(struct str s)
{
  struct str d = str_cut(s, s.n - 9, s.n);
  unsigned sum = weighed_front(d, "8765432") + pair(d, 7);
  return (sum % 97 == 0 || (sum + 55) % 97 == 0) && number_of(d, 0, 7) > 0;
}

/* La Poste's branches add up to a multiple of five instead. */
bool sum_siret(struct str s)
{
  unsigned sum = 0;
  for (size_t i = 0; i < s.n; i++) sum += digit(s, i);
  if (starts_with(s, "356000000") && sum % 5 == 0) return true;
  return sum_luhn(s) && sum_luhn(str_cut(s, 0, 9)) && !all_same(s);
}

bool sum_cif(struct str s)
{
  unsigned sum = 0;
  if (!strchr("ABCDEFGHJNPQRSUVW", s.p[0])) return false;
  for (size_t i = 1; i < 8; i++) {
    unsigned v = digit(s, i) * (unsigned)(i % 2 + 1);
    sum += v / 10 + v % 10;
  }
  unsigned check = (10 - sum % 10) % 10;
  bool as_digit = is_digit(s.p[8]) && digit(s, 8) == check, as_letter = "JABCDEFGHI"[check] == s.p[8];
  if (strchr("PQRSNW", s.p[0])) return as_letter;
  return strchr("ABEH", s.p[0]) ? as_digit : as_digit || as_letter;
}

/* The part of a VAT number behind the country. */
static bool vat_at(struct str d)
{
  unsigned sum = 0;
  if (!only_digits(d, 1, d.n)) return false;
  for (size_t i = 1; i < 8; i++) {
    unsigned v = digit(d, i) * (i % 2 ? 1 : 2);
    sum += v / 10 + v % 10;
  }
  return (96 - sum) % 10 == digit(d, 8);
}

static bool vat_be(struct str d)
{
  return 97 - number_of(d, 0, 8) % 97 == pair(d, 8) && digit(d, 0) <= 1;
}

static bool vat_bg(struct str d)
{
  unsigned check = weighed_front(d, "12345678") % 11;
  if (d.n == 10) return sum_egn(d);
  return (check == 10 ? weighed_front(d, "3456789a") % 11 % 10 : check) == digit(d, 8);
}

static bool vat_cz(struct str d)
{
  unsigned check = (11 - weighed_front(d, "8765432") % 11) % 11;
  if (d.n != 8) return sum_rc(d);
  return digit(d, 0) != 9 && (check == 0 ? 1 : check == 10 ? 0 : check) == digit(d, 7);
}

static bool vat_de(struct str d)
{
  return digit(d, 0) != 0 && sum_mod11_10(d);
}

static bool vat_dk(struct str d)
{
  return digit(d, 0) != 0 && weighed_front(d, "27654321") % 11 == 0;
}

static bool vat_ee(struct str d)
{
  return weighed_front(d, "371371371") % 10 == 0;
}

static bool vat_es(struct str d)
{
  if (!is_digit(d.p[8]) && (is_digit(d.p[0]) || strchr("XYZ", d.p[0])) && only_digits(d, 1, 8)) return sum_dni(d);
  return !is_digit(d.p[0]) && only_digits(d, 1, 8) && sum_cif(d);
}

static bool vat_fi(struct str d)
{
  return weighed_front(d, "79a58421") % 11 == 0;
}

/* The key is made of the SIREN, whose Luhn sum Monaco's numbers lack. */
static bool vat_fr(struct str d)
{
  struct str siren = str_cut(d, 2, 11);
  if (!only_digits(d, 0, 2)) return !strchr("IO", d.p[0]) && !strchr("IO", d.p[1]) && sum_luhn(siren);
  return (number_of(siren, 0, 9) * 100 + 12) % 97 == pair(d, 0) && (starts_with(siren, "000") || sum_luhn(siren));
}

static bool vat_hu(struct str d)
{
  return weighed_front(d, "97319731") % 10 == 0;
}

/* Revenue: as a person's number; before 2013 a letter or sign could stand second. */
static bool vat_ie(struct str d)
{
  char old[8];
  if (only_digits(d, 0, 7)) return sum_pps(d);
  if (!is_digit(d.p[0]) || is_digit(d.p[1]) || !only_digits(d, 2, 7) || is_digit(d.p[7])) return false;
  old[0] = '0';
  memcpy(old + 1, d.p + 2, 5);
  old[6] = d.p[0];
  old[7] = d.p[7];
  return sum_pps((struct str){old, 8});
}

static bool vat_lt(struct str d)
{
  size_t n = d.n - 1;
  unsigned first = 0, second = 0;
  for (size_t i = 0; i < n; i++) {
    first += digit(d, i) * (unsigned)(i % 9 + 1);
    second += digit(d, i) * (unsigned)((i + 2) % 9 + 1);
  }
  unsigned rest = first % 11;
  if (rest == 10) rest = second % 11 % 10;
  return digit(d, n - 1) == 1 && rest == digit(d, n);
}

static bool vat_lu(struct str d)
{
  return number_of(d, 0, 6) % 89 == pair(d, 6);
}

static bool vat_lv(struct str d)
{
  return digit(d, 0) > 3 ? weighed_front(d, "91483a25761") % 11 == 3 : sum_lv_pk(d);
}

static bool vat_mt(struct str d)
{
  return (weighed_front(d, "346789") + pair(d, 6)) % 37 == 0 && number_of(d, 0, 6) > 99999;
}

/* A person's number, or MOD 97-10 of the whole with its country. */
static bool vat_nl(struct str d)
{
  char whole[14] = "NL";
  memcpy(whole + 2, d.p, 12);
  return number_of(d, 10, 12) > 0 && (weighed_front(d, "98765432a") % 11 == 0 || mod97_of((struct str){whole, 14}) == 1);
}

static bool vat_pl(struct str d)
{
  return weighed_front(d, "657234567a") % 11 == 0;
}

/* The country may stand before it. */
bool sum_cui(struct str s)
{
  char padded[10];
  struct str d = starts_with(s, "RO") ? str_cut(s, 2, s.n) : s;
  memset(padded, '0', sizeof padded);
  memcpy(padded + 10 - d.n, d.p, d.n);
  return digit(d, 0) != 0 && weighed_front((struct str){padded, 10}, "753217532") * 10 % 11 % 10 == digit(d, d.n - 1);
}

static bool vat_ro(struct str d)
{
  return sum_cui(d);
}

static bool vat_se(struct str d)
{
  return pair(d, 10) > 0 && sum_luhn(str_cut(d, 0, 10));
}

static bool vat_sk(struct str d)
{
  return digit(d, 0) != 0 && strchr("234789", d.p[2]) && number_of(d, 0, 10) % 11 == 0;
}

/* The shapes of identifiers.def say how long each is. */
/* Without its country, where the name says which it is. */
bool sum_vat_ee(struct str s)
{
  return vat_ee(s);
}

bool sum_vat_lt(struct str s)
{
  return vat_lt(s);
}

bool sum_vat_lv(struct str s)
{
  return vat_lv(s);
}

bool sum_vat_fr(struct str s)
{
  return vat_fr(s);
}

bool sum_vat_fi(struct str s)
{
  return vat_fi(s);
}

bool sum_vat_de(struct str s)
{
  return vat_de(s);
}

bool sum_vat_be(struct str s)
{
  return vat_be(s);
}

bool sum_vat(struct str s)
{
  static const struct {
    char country[3];
    identifier_fn *fn;
  } countries[] = {{"AT", vat_at},  {"BE", vat_be},     {"BG", vat_bg},  {"CY", sum_cy_tin}, {"CZ", vat_cz},  {"DE", vat_de},
                   {"DK", vat_dk},  {"EE", vat_ee},     {"EL", sum_afm}, {"ES", vat_es},     {"FI", vat_fi},  {"FR", vat_fr},
                   {"HR", sum_oib}, {"HU", vat_hu},     {"IE", vat_ie},  {"IT", sum_luhn},   {"LT", vat_lt},  {"LU", vat_lu},
                   {"LV", vat_lv},  {"MT", vat_mt},     {"NL", vat_nl},  {"PL", vat_pl},     {"PT", sum_nif}, {"RO", vat_ro},
                   {"SE", vat_se},  {"SI", sum_si_tin}, {"SK", vat_sk}};
  for (size_t i = 0; i < sizeof countries / sizeof *countries; i++)
    if (starts_with(s, countries[i].country)) return countries[i].fn(str_cut(s, 2, s.n));
  return false;
}

/* ---- devices and vehicles ----------------------------------------------------------------------------------------- */

/* ITU-T E.212: the first three digits are a country's, by hundreds from 200 on. */
bool is_imsi(struct str s)
{
  static const char *const countries[] = {("02 04 06 08 12-14 16 18-23 25 26 28 30-32 34 35 38 40 42 44 46-48 50 55 57 59 60 62 "
                                           "66 68 70 72 74 76 78 80 82-84 86 88-90 92-95 97"),
                                          "02 08 10-16 30 32 34 36 38-40 42 44 46 48 50 52 54 56 58 60 62-66 68 70 72 74 76",
                                          "00-02 04-06 10 12-19 21 22 24-32 34 36-38 40 41 50 52 54-57 60 61 66 67 70 72",
                                          "02 05 10 14 15 20 25 28 30 36 37 39-55",
                                          "02-59",
                                          "02 04 06 08 10 12 14 16 22 24 30 32 34 36 38 40 42 44 46 48 50"};
  unsigned hundred = digit(s, 0) - 2, rest = pair(s, 1);
  if (digit(s, 0) == 9) return starts_with(s, "901");
  if (digit(s, 0) < 2 || hundred > 5) return false;
  for (const char *p = countries[hundred]; *p; p += *p == ' ') {
    unsigned from = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0'), to = from;
    if (p[2] == '-') p += 3, to = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
    p += 2;
    if (rest >= from && rest <= to) return !all_same(s);
  }
  return false;
}

bool sum_iccid(struct str s)
{
  return starts_with(s, "89") && sum_luhn(s);
}

/* ISO 3779 with the check digit that North America wants; European numbers without one are missed. */
bool sum_vin(struct str s)
{
  static const unsigned char weights[] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
  static const unsigned char letters[] = {1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8, 9};
  unsigned sum = 0, different = 0;
  for (size_t i = 0; i < 17; i++) {
    char c = s.p[i];
    if (c == 'I' || c == 'O' || c == 'Q') return false;
    sum += weights[i] * (is_digit(c) ? digit(s, i) : letters[c - 'A']);
    different += i > 0 && s.p[i] != s.p[i - 1];
  }
  return "0123456789X"[sum % 11] == s.p[8] && only_digits(s, 13, 17) && different > 4;
}
