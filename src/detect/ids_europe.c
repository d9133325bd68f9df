/*
 * Tests of numbers of persons in Europe (identifiers.def). Each is what its issuer publishes; the comment names it where the function's name
 * does not. All of them read a number whose shape holds.
 */
#include "detect/identifiers.h"

/* HMRC: letters that are never used, prefixes that are not given out, and a suffix of A to D. */
bool is_nino(struct str s)
{
  static const char *const barred[] = {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"};
  for (size_t i = 0; i < sizeof barred / sizeof *barred; i++)
    if (starts_with(s, barred[i])) return false;
  return !strchr("DFIQUV", s.p[0]) && !strchr("DFIOQUV", s.p[1]) && s.p[8] <= 'D';
}

/* HMRC: the first digit checks the other nine. */
bool sum_utr(struct str s)
{
  return "21987654321"[weighed(s, "6789a5432") % 11] == s.p[0] && !all_same(s);
}

/* DVLA: surname filled up with 9, decade, month (50 more for women), day, year, initials. */
bool is_gb_driver(struct str s)
{
  size_t i = 0;
  while (i < 5 && !is_digit(s.p[i])) i++;
  for (size_t k = i; k < 5; k++)
    if (s.p[k] != '9') return false;
  for (size_t k = 11; k < 13; k++)
    if (is_digit(s.p[k]) && s.p[k] != '9') return false;
  return i > 0 && is_date(pair(s, 6) % 50, pair(s, 8)) && pair(s, 6) <= 62;
}

/* Revenue: modulo 23; the second letter counts from A to I, nine times. */
bool sum_pps(struct str s)
{
  static const char letters[] = "WABCDEFGHIJKLMNOPQRSTUV";
  unsigned sum = weighed_front(s, "8765432");
  if (s.n == 9 && !strchr("ABCDEFGHIWTX", s.p[8])) return false;
  if (s.n == 9 && s.p[8] <= 'I') sum += 9 * (unsigned)(s.p[8] - 'A' + 1);
  return letters[sum % 23] == s.p[7];
}

/* BZSt: of the first ten digits one stands there twice or three times, no other more than once; no leading zero. */
bool sum_idnr(struct str s)
{
  unsigned count[10] = {0}, repeated = 0;
  for (size_t i = 0; i < 10; i++) count[digit(s, i)]++;
  for (size_t i = 0; i < 10; i++) {
    if (count[i] > 3) return false;
    repeated += count[i] > 1;
  }
  return repeated == 1 && digit(s, 0) != 0 && sum_mod11_10(s);
}

/* The digit sum of each digit times its weight, where a letter is two digits (A is 01). */
static unsigned crossed(struct str s, const char *weights)
{
  unsigned sum = 0;
  for (size_t i = 0; i < s.n && *weights; i++) {
    unsigned v = is_digit(s.p[i]) ? digit(s, i) : value_of(s.p[i]) - 9;
    for (unsigned parts = is_digit(s.p[i]) ? 1 : 2; parts > 0 && *weights; parts--) {
      unsigned product = (parts == 2 ? v / 10 : v % 10) * (unsigned)(*weights++ - '0');
      sum += product / 10 + product % 10;
    }
  }
  return sum % 10;
}

/* Deutsche Rentenversicherung: area, date of birth, letter, serial number, check digit. */
bool sum_rvnr(struct str s)
{
  unsigned day = pair(s, 2) > 50 ? pair(s, 2) - 50 : pair(s, 2); /* 50 more where two were born on one day */
  return is_date(pair(s, 4), day) && crossed(s, "212571212121") == digit(s, 11);
}

/* GKV: as a card's number, with the letter as two digits. */
bool sum_kvnr(struct str s)
{
  return crossed(s, "1212121212") == digit(s, 9) && !all_same(str_cut(s, 1, s.n));
}

/* BMI: no vowels and none that look like digits; it begins with a letter of the issuing office. */
bool is_de_card(struct str s)
{
  for (size_t i = 0; i < 9; i++)
    if (!is_digit(s.p[i]) && !strchr("CFGHJKLMNPRTVWXYZ", s.p[i])) return false;
  return !is_digit(s.p[0]);
}

/* INSEE: the last two digits are 97 less the first thirteen modulo 97; Corsica's 2A and 2B count 19 and 18. */
bool sum_nir(struct str s)
{
  uint64_t number = 0;
  for (size_t i = 0; i < 13; i++) {
    bool corsica = !is_digit(s.p[i]);
    if (corsica) number--; /* 2A is 19, 2B is 18 */
    number = number * 10 + (corsica ? 9u - (unsigned)(s.p[i] - 'A') : digit(s, i));
  }
  return digit(s, 0) >= 1 && digit(s, 0) <= 8 && 97 - number % 97 == pair(s, 13);
}

/* DGFiP: the last three digits are the others modulo 511. */
bool sum_spi(struct str s)
{
  return digit(s, 0) <= 3 && number_of(s, 0, 10) % 511 == number_of(s, 10, 13) && number_of(s, 0, 10) > 0;
}

/* Ministerio del Interior: the letter is the number modulo 23; X, Y and Z stand for 0, 1 and 2. */
bool sum_dni(struct str s)
{
  bool nie = !is_digit(s.p[0]);
  uint64_t n = number_of(s, 1, 8) + UINT64_C(10000000) * (nie ? (unsigned)(s.p[0] - 'X') : digit(s, 0));
  return "TRWAGMYFPDXBNJZSQVHLCKE"[n % 23] == s.p[8] && (nie || n > 0);
}

/* Seguridad Social: modulo 97; a short serial number leaves its zero out. */
bool sum_es_nss(struct str s)
{
  uint64_t province = pair(s, 0), serial = number_of(s, 2, 10);
  uint64_t n = province * (serial < 10000000 ? 10000000 : 100000000) + serial;
  return province >= 1 && province <= 66 && n % 97 == pair(s, 10);
}

/* Agenzia delle Entrate: digits may be written as letters where two persons would share a code. */
static int cf_digit(char c)
{
  static const char letters[] = "LMNPQRSTUV";
  const char *at = strchr(letters, c);
  return is_digit(c) ? c - '0' : at && c ? (int)(at - letters) : -1;
}

bool sum_cf(struct str s)
{
  static const unsigned char odd[] = {1,  0,  5, 7, 9,  13, 15, 17, 19, 21, 1,  0,  5,  7,  9,  13, 15, 17,
                                      19, 21, 2, 4, 18, 20, 11, 3,  6,  8,  12, 14, 16, 10, 22, 25, 24, 23};
  static const unsigned char numerals[] = {6, 7, 9, 10, 12, 13, 14};
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof numerals; i++)
    if (cf_digit(s.p[numerals[i]]) < 0) return false;
  int day = cf_digit(s.p[9]) * 10 + cf_digit(s.p[10]);
  if (!strchr("ABCDEHLMPRST", s.p[8]) || day % 40 < 1 || day % 40 > 31 || day > 71) return false;
  for (size_t i = 0; i < 15; i++) {
    unsigned v = value_of(s.p[i]);
    sum += i % 2 == 0 ? odd[v] : v > 9 ? v - 10 : v;
  }
  return sum % 26 == (unsigned)(s.p[15] - 'A');
}

/* Autoridade Tributaria: modulo 11, ten reads zero. */
bool sum_nif(struct str s)
{
  unsigned check = (11 - weighed_front(s, "98765432") % 11) % 11;
  return digit(s, 0) != 0 && check % 10 == digit(s, 8);
}

/* Luhn where a letter counts 10 to 35. */
bool sum_pt_card(struct str s)
{
  unsigned sum = 0;
  for (size_t i = 0; i < s.n; i++) {
    unsigned v = value_of(s.p[s.n - 1 - i]);
    if (i % 2) v *= 2;
    sum += v > 9 && i % 2 ? v - 9 : v;
  }
  return sum % 10 == 0;
}

/* Rijksregister: 97 less the first nine digits modulo 97; with a 2 before them when born since 2000. Bis numbers have 20 or 40 more in the month. */
bool sum_be_nn(struct str s)
{
  uint64_t n = number_of(s, 0, 9), check = pair(s, 9);
  unsigned month = pair(s, 2) % 20, day = pair(s, 4);
  return month <= 12 && pair(s, 2) < 60 && day <= 31 && n > 0 &&
         (97 - n % 97 == check || 97 - (n + UINT64_C(2000000000)) % 97 == check);
}

/* CTIE: the twelfth digit is Luhn's, the thirteenth Verhoeff's, both of the first eleven. */
bool sum_lu_nin(struct str s)
{
  char other[12];
  memcpy(other, s.p, 11);
  other[11] = s.p[12];
  return has_date(s, 2, 4, 6) && (pair(s, 0) == 18 || pair(s, 0) == 19 || pair(s, 0) == 20) && sum_luhn(str_cut(s, 0, 12)) &&
         sum_verhoeff((struct str){other, 12});
}

/* Dachverband: the date of birth; a month above 12 where there are too many births of one day. */
bool is_svnr(struct str s)
{
  return digit(s, 0) != 0 && pair(s, 4) >= 1 && pair(s, 4) <= 31 && pair(s, 6) >= 1 && pair(s, 6) <= 16;
}

/* The century stands in the month: 80, 0, 20, 40 or 60 more. */
bool is_pesel(struct str s)
{
  return is_date(pair(s, 2) % 20, pair(s, 4));
}

/* GUS: nine digits, or nine and five of a local unit. */
bool sum_regon(struct str s)
{
  if (weighed_front(s, "89234567") % 11 % 10 != digit(s, 8) || all_same(s)) return false;
  return s.n == 9 || weighed_front(s, "2485097361248") % 11 % 10 == digit(s, 13);
}

/* Since 1954 the number of ten digits is divisible by eleven. Women have 50, full registers 20 more in the month. */
bool sum_rc(struct str s)
{
  unsigned month = pair(s, 2);
  if (month > 50) month -= 50;
  if (s.n == 10 && month > 20) month -= 20;
  if (!is_date(month, pair(s, 4))) return false;
  uint64_t n = number_of(s, 0, 9);
  if (s.n == 9) return pair(s, 0) < 54;
  return n % 11 % 10 == digit(s, 9);
}

/* 1 to 10 or, for those born since 1997, 10 to 1 times the digits, modulo 11. */
bool sum_hu_id(struct str s)
{
  bool late = digit(s, 0) >= 3 || (digit(s, 0) <= 2 && pair(s, 1) >= 97);
  unsigned rest = weighed_front(s, late ? "a987654321" : "123456789a") % 11;
  return digit(s, 0) >= 1 && has_date(s, 1, 3, 5) && rest == digit(s, 10);
}

bool sum_cnp(struct str s)
{
  unsigned rest = weighed_front(s, "279146358279") % 11;
  return digit(s, 0) != 0 && is_date(pair(s, 3), pair(s, 5)) && (rest == 10 ? 1 : rest) == digit(s, 12);
}

/* GRAO: 20 or 40 more in the month for those born before 1900 or since 2000. */
bool sum_egn(struct str s)
{
  return pair(s, 2) <= 52 && is_date(pair(s, 2) % 20, pair(s, 4)) && weighed_front(s, "2485a9736") % 11 % 10 == digit(s, 9);
}

bool sum_oib(struct str s)
{
  return sum_mod11_10(str_cut(s, s.n - 11, s.n)) && !all_same(str_cut(s, s.n - 11, s.n));
}

bool sum_emso(struct str s)
{
  unsigned rest = weighed_front(s, "765432765432") % 11;
  return is_date(pair(s, 2), pair(s, 0)) && rest != 1 && (11 - rest) % 11 == digit(s, 12);
}

bool sum_si_tin(struct str s)
{
  struct str d = str_cut(s, s.n - 8, s.n);
  unsigned check = 11 - weighed_front(d, "8765432") % 11;
  return digit(d, 0) != 0 && (check == 10 ? 0 : check) == digit(d, 7);
}

bool sum_amka(struct str s)
{
  return has_date(s, 4, 2, 0) && sum_luhn(s);
}

/* AADE: powers of two, modulo 11, ten reads zero. */
bool sum_afm(struct str s)
{
  unsigned sum = 0;
  struct str d = str_cut(s, s.n - 9, s.n);
  for (size_t i = 0; i < 8; i++) sum = (sum + digit(d, i)) * 2;
  return sum % 11 % 10 == digit(d, 8) && !all_same(d);
}

bool sum_cy_tin(struct str s)
{
  static const unsigned char odd[] = {1, 0, 5, 7, 9, 13, 15, 17, 19, 21};
  struct str d = str_cut(s, s.n - 9, s.n);
  unsigned sum = 0;
  for (size_t i = 0; i < 8; i++) sum += i % 2 == 0 ? odd[digit(d, i)] : digit(d, i);
  return pair(d, 0) != 12 && sum % 26 == (unsigned)(d.p[8] - 'A');
}

/* Skatteverket: Luhn of the last ten digits; 60 more in the day is a coordination number. */
bool sum_se_pn(struct str s)
{
  struct str d = str_cut(s, s.n - 10, s.n);
  if (s.n == 12 && pair(s, 0) != 18 && pair(s, 0) != 19 && pair(s, 0) != 20) return false;
  return is_date(pair(d, 2), pair(d, 4) > 60 ? pair(d, 4) - 60 : pair(d, 4)) && sum_luhn(d);
}

bool sum_se_org(struct str s)
{
  return pair(s, 2) >= 20 && digit(s, 0) != 0 && sum_luhn(s);
}

/* Skatteetaten: two check digits; 40 more in the day (D number) or in the month (H number), 80 for tests. */
bool sum_fnr(struct str s)
{
  unsigned day = pair(s, 0) > 40 ? pair(s, 0) - 40 : pair(s, 0), month = pair(s, 2) % 40;
  return is_date(month, day) && weighed_front(s, "3761894521") % 11 == 0 && weighed_front(s, "54327654321") % 11 == 0;
}

/* The check digit is not binding since 2007. 60 more in the day is a substitute. */
bool is_cpr(struct str s)
{
  return is_date(pair(s, 2), pair(s, 0) > 60 ? pair(s, 0) - 60 : pair(s, 0)) && !all_same(s);
}

/* DVV: modulo 31; a hyphen or the letter of the century stands between date and number. */
bool sum_hetu(struct str s)
{
  size_t tail = s.n == 11 ? 7 : 6;
  if (s.n == 11 && !strchr("ABCDEFUVWXY", s.p[6])) return false;
  uint64_t n = number_of(s, 0, 6) * 1000 + number_of(s, tail, tail + 3);
  return has_date(s, 4, 2, 0) && number_of(s, tail, tail + 3) >= 2 && number_of(s, tail, tail + 3) < 900 &&
         "0123456789ABCDEFHJKLMNPRSTUVWXY"[n % 31] == s.p[tail + 3];
}

/* Registers Iceland: 40 more in the day is an organisation; the last digit is the century. */
bool sum_kt(struct str s)
{
  unsigned day = pair(s, 0) > 40 ? pair(s, 0) - 40 : pair(s, 0);
  bool century = digit(s, 9) == 0 || digit(s, 9) == 9 || digit(s, 9) == 8;
  return century && is_date(pair(s, 2), day) && weighed_front(s, "327654321") % 11 == 0;
}

/* Estonia and Lithuania: modulo 11, a second row of weights where ten is left, zero where ten is left again. */
bool sum_ee_ik(struct str s)
{
  unsigned rest = weighed_front(s, "1234567891") % 11;
  if (rest == 10) rest = weighed_front(s, "3456789123") % 11 % 10;
  return ((digit(s, 0) >= 1 && digit(s, 0) <= 8 && has_date(s, 1, 3, 5)) || digit(s, 0) == 9) && rest == digit(s, 10);
}

/* PMLP: codes since July 2017 begin with 32 and have no date. */
bool sum_lv_pk(struct str s)
{
  unsigned check = (1 + weighed_front(s, "a584216379")) % 11 % 10;
  return (pair(s, 0) == 32 || is_date(pair(s, 2), pair(s, 0))) && check == digit(s, 10);
}

bool sum_tckn(struct str s)
{
  unsigned odd = 0, even = 0;
  for (size_t i = 0; i < 9; i++) *(i % 2 ? &even : &odd) += digit(s, i);
  return digit(s, 0) != 0 && (odd * 7 + 90 - even) % 10 == digit(s, 9) && (odd + even + digit(s, 9)) % 10 == digit(s, 10);
}

/* FNS: two check digits. */
bool sum_inn(struct str s)
{
  return weighed_front(s, "724a359468") % 11 % 10 == digit(s, 10) && weighed_front(s, "3724a359468") % 11 % 10 == digit(s, 11) &&
         !all_same(s);
}

bool sum_snils(struct str s)
{
  return weighed_front(s, "987654321") % 101 % 100 == pair(s, 9) && number_of(s, 0, 9) > 1001998;
}

/* DPS: modulo 11, the first weight is -1. */
bool sum_rntrc(struct str s)
{
  unsigned sum = weighed_front(s, "a57946a57") % 11 % 10;
  return sum == digit(s, 9) && !all_same(s);
}

/* UJP: eleven less the sum modulo eleven; ten and eleven read zero. */
bool sum_edb(struct str s)
{
  struct str d = str_cut(s, s.n - 13, s.n);
  unsigned check = (11 - weighed_front(d, "765432765432") % 11) % 11;
  return check % 10 == digit(d, 12) && !all_same(d);
}
