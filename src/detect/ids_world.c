/*
 * Tests of numbers of persons and of health care outside Europe (identifiers.def). Each is what its issuer publishes. All of them read a number
 * whose shape holds.
 */
#include "detect/identifiers.h"

/* ---- North America ----------------------------------------------------------------------------------------------- */

/* SSA: areas, groups and serial numbers that are never given out. */
bool is_ssn(struct str s)
{
  uint64_t area = number_of(s, 0, 3);
  return area != 0 && area != 666 && area < 900 && pair(s, 3) != 0 && number_of(s, 5, 9) != 0;
}

/* IRS: area 900 and more, groups 50-65, 70-88, 90-92, 94-99. */
bool is_itin(struct str s)
{
  unsigned group = pair(s, 3);
  return digit(s, 0) == 9 && group >= 50 && !(group >= 66 && group <= 69) && group != 89 && group != 93;
}

/* IRS: prefixes that no campus has given out. */
bool is_ein(struct str s)
{
  static const unsigned char none[] = {0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97};
  for (size_t i = 0; i < sizeof none; i++)
    if (pair(s, 0) == none[i]) return false;
  return !all_same(s);
}

bool sum_sin(struct str s)
{
  return digit(s, 0) != 0 && digit(s, 0) != 8 && sum_luhn(s);
}

bool sum_ca_bn(struct str s)
{
  return sum_luhn(str_cut(s, 0, 9));
}

bool sum_ohip(struct str s)
{
  return digit(s, 0) != 0 && sum_luhn(str_cut(s, 0, 10));
}

/* Each product modulo 11. */
bool sum_bc_phn(struct str s)
{
  static const unsigned char weights[] = {2, 4, 8, 5, 10, 9, 7, 3};
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof weights; i++) sum += weights[i] * digit(s, i + 1) % 11;
  return digit(s, 0) == 9 && (11 - sum % 11) % 11 == digit(s, 9);
}

/* RENAPO: the alphabet has N and then its sister with a tilde. */
bool sum_curp(struct str s)
{
  unsigned sum = 0;
  if (!has_date(s, 4, 6, 8) || !strchr("HMX", s.p[10])) return false;
  for (size_t i = 0; i < 17; i++) {
    unsigned v = value_of(s.p[i]);
    sum += (v > 23 ? v + 1 : v) * (18 - (unsigned)i);
  }
  return (10 - sum % 10) % 10 == digit(s, 17);
}

/* SAT: modulo 11 over an alphabet with & and a blank in front of companies' numbers. */
bool sum_rfc(struct str s)
{
  static const char alphabet[] = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ ";
  unsigned sum = s.n == 12 ? 37 * 13 : 0, first = s.n == 12 ? 1 : 0;
  size_t date = s.n - 9;
  if (!has_date(s, date, date + 2, date + 4)) return false;
  for (size_t i = 0; i + 1 < s.n; i++) sum += (unsigned)(strchr(alphabet, s.p[i]) - alphabet) * (13 - first - (unsigned)i);
  return "0123456789A"[(11 - sum % 11) % 11] == s.p[s.n - 1];
}

/* CMS: Luhn with 80840 before the number. */
bool sum_npi(struct str s)
{
  unsigned char digits[15] = {8, 0, 8, 4, 0};
  for (size_t i = 0; i < 10; i++) digits[5 + i] = (unsigned char)digit(s, i);
  return digit(s, 0) >= 1 && digit(s, 0) <= 2 && luhn(digits, 15);
}

/* DEA: kind of registrant, first letter of the name or 9. */
bool sum_dea(struct str s)
{
  if (!strchr("ABCDEFGHJKLMPRSTUX", s.p[0]) || (is_digit(s.p[1]) && s.p[1] != '9')) return false;
  struct str d = str_cut(s, 2, 9);
  unsigned sum = digit(d, 0) + digit(d, 2) + digit(d, 4) + 2 * (digit(d, 1) + digit(d, 3) + digit(d, 5));
  return sum % 10 == digit(d, 6) && number_of(d, 0, 7) > 0;
}

/* CMS: no letters that look like digits. */
bool is_mbi(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (strchr("SLOIBZ", s.p[i])) return false;
  return s.p[0] != '0';
}

/* ---- South America ----------------------------------------------------------------------------------------------- */

/* Receita Federal: two digits, each eleven less a weighted sum modulo eleven, ten reads zero; equal digits are none. */
bool sum_cpf(struct str s)
{
  for (size_t n = 9; n < 11; n++) {
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) sum += digit(s, i) * (unsigned)(n + 1 - i);
    if (sum * 10 % 11 % 10 != digit(s, n)) return false;
  }
  return !all_same(s);
}

/* The same with letters, since July 2026, at their distance from 0 in ASCII. */
bool sum_cnpj(struct str s)
{
  for (size_t n = 12; n < 14; n++) {
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) sum += (unsigned)(s.p[i] - '0') * (unsigned)((n - 1 - i) % 8 + 2);
    unsigned rest = sum % 11;
    if ((rest < 2 ? 0 : 11 - rest) != digit(s, n)) return false;
  }
  return !all_same(str_cut(s, 0, 12));
}

bool sum_cuit(struct str s)
{
  static const unsigned char kinds[] = {20, 23, 24, 25, 26, 27, 30, 33, 34, 50, 51, 55};
  bool known = false;
  for (size_t i = 0; i < sizeof kinds; i++) known |= pair(s, 0) == kinds[i];
  unsigned check = 11 - weighed_front(s, "5432765432") % 11;
  return known && (check == 11 ? 0 : check == 10 ? 9 : check) == digit(s, 10);
}

bool sum_rut(struct str s)
{
  unsigned sum = 0;
  if (!only_digits(s, 0, s.n - 1)) return false;
  for (size_t i = 0; i + 1 < s.n; i++) sum += digit(s, s.n - 2 - i) * (unsigned)(i % 6 + 2);
  return "0K987654321"[sum % 11] == s.p[s.n - 1] && !all_same(str_cut(s, 0, s.n - 1));
}

bool sum_nit(struct str s)
{
  static const unsigned char weights[] = {3, 7, 13, 17, 19, 23, 29, 37, 41, 43};
  unsigned sum = 0;
  for (size_t i = 0; i + 1 < s.n; i++) sum += digit(s, s.n - 2 - i) * weights[i];
  return "01987654321"[sum % 11] == s.p[s.n - 1];
}

bool sum_ruc(struct str s)
{
  unsigned kind = pair(s, 0);
  return (kind == 10 || (kind >= 15 && kind <= 17) || kind == 20) &&
         (11 - weighed_front(s, "5432765432") % 11) % 10 == digit(s, 10);
}

/* Ministerio de Hacienda: two ways, by the serial number. */
bool sum_sv_nit(struct str s)
{
  static const unsigned char late[] = {2, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  unsigned sum = 0;
  bool old = number_of(s, 10, 13) <= 100;
  for (size_t i = 0; i < 13; i++) sum += digit(s, i) * (old ? 14 - (unsigned)i : late[i]);
  unsigned check = old ? sum % 11 % 10 : (11 - sum % 11) % 11 % 10;
  return (digit(s, 0) <= 1 || digit(s, 0) == 9) && check == digit(s, 13);
}

/* ---- Asia -------------------------------------------------------------------------------------------------------- */

/* UIDAI: Verhoeff; it begins with 2 to 9 and is no palindrome. */
bool sum_aadhaar(struct str s)
{
  bool palindrome = true;
  for (size_t i = 0; i < 6; i++) palindrome &= s.p[i] == s.p[11 - i];
  return digit(s, 0) >= 2 && !palindrome && sum_verhoeff(s);
}

/* Income Tax Department: the fourth letter is the kind of holder. */
bool is_pan(struct str s)
{
  return strchr("ABCFGHJLPT", s.p[3]) && number_of(s, 5, 9) > 0;
}

/* Luhn modulo 36; state, PAN of the holder. */
bool sum_gstin(struct str s)
{
  unsigned sum = 0, state = pair(s, 0);
  for (size_t i = 0; i < 14; i++) {
    unsigned product = value_of(s.p[i]) * (unsigned)(i % 2 + 1);
    sum += product / 36 + product % 36;
  }
  bool known = (state >= 1 && state <= 38) || state == 97 || state == 99;
  return known && s.p[13] == 'Z' && s.p[12] != '0' && is_pan(str_cut(s, 2, 12)) && (36 - sum % 36) % 36 == value_of(s.p[14]);
}

/* GB 11643: MOD 11-2, date of birth, province. */
bool sum_ric(struct str s)
{
  static const unsigned char last[] = {0, 15, 23, 37, 46, 54, 65, 71, 82, 91}; /* provinces, by their tens (GB/T 2260) */
  unsigned century = pair(s, 6), province = pair(s, 0);
  if (province > last[province / 10] || (province % 10 == 0 && province != 50)) return false;
  return (century == 18 || century == 19 || century == 20) && has_date(s, 8, 10, 12) && sum_mod11_2(s);
}

/* GB 32100: modulo 31. */
bool sum_uscc(struct str s)
{
  static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  static const unsigned char weights[] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
  unsigned sum = 0;
  if (!only_digits(s, 2, 8)) return false;
  for (size_t i = 0; i < 18; i++) {
    const char *at = strchr(alphabet, s.p[i]);
    if (!at) return false;
    if (i < 17) sum += (unsigned)(at - alphabet) * weights[i];
  }
  return alphabet[(31 - sum % 31) % 31] == s.p[17];
}

bool sum_my_number(struct str s)
{
  unsigned rest = weighed_front(s, "65432765432") % 11;
  return (rest < 2 ? 0 : 11 - rest) == digit(s, 11) && !all_same(s);
}

bool sum_jp_corporate(struct str s)
{
  unsigned sum = 0;
  for (size_t i = 0; i < 12; i++) sum += digit(s, 12 - i) * (unsigned)(i % 2 + 1);
  return 9 - sum % 9 == digit(s, 0);
}

/* The seventh digit is sex and century; foreigners' numbers add two. Those of who was born since October 2020 have no check digit. */
bool sum_rrn(struct str s)
{
  unsigned kind = digit(s, 6), rest = weighed_front(s, "234567892345") % 11, check = (11 - rest) % 10;
  bool late = kind % 4 == 3 || (kind % 4 == 0 && kind > 0); /* born since 2000 */
  if (kind >= 5 && kind <= 8) check = (13 - rest) % 10;
  if (late && pair(s, 0) < 50 && number_of(s, 0, 4) >= 2010) return has_date(s, 0, 2, 4);
  return has_date(s, 0, 2, 4) && check == digit(s, 12);
}

bool sum_kr_brn(struct str s)
{
  unsigned sum = weighed_front(s, "137137135") + digit(s, 8) * 5 / 10;
  return number_of(s, 0, 3) >= 101 && (10 - sum % 10) % 10 == digit(s, 9);
}

bool sum_tw_id(struct str s)
{
  static const unsigned char letters[] = {10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21,
                                          22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33};
  unsigned v = letters[s.p[0] - 'A'], sum = v / 10 + v % 10 * 9 + digit(s, 9);
  for (size_t i = 1; i < 9; i++) sum += digit(s, i) * (9 - (unsigned)i);
  return strchr("1289", s.p[1]) && sum % 10 == 0;
}

/* A missing first letter counts 36; the check digit may be A, ten. */
bool sum_hkid(struct str s)
{
  unsigned sum = s.n == 8 ? 36 * 9 : 0;
  if (!is_digit(s.p[s.n - 1]) && s.p[s.n - 1] != 'A') return false;
  for (size_t i = 0; i < s.n; i++) sum += value_of(s.p[i]) * (unsigned)(s.n - i);
  return sum % 11 == 0;
}

bool sum_nric(struct str s)
{
  static const char *const tables[] = {"JZIHGFEDCBA", "XWUTRQPNMLK", "XWUTRQPNJLK"};
  static const char kinds[] = "STFGM";
  const char *kind = strchr(kinds, s.p[0]);
  if (!kind) return false;
  size_t k = (size_t)(kind - kinds);
  unsigned sum = weighed_front(str_cut(s, 1, 8), "2765432") + (k == 1 || k == 3 ? 4u : k == 4 ? 3u : 0u);
  return tables[k / 2][sum % 11] == s.p[8];
}

/* JPN: date of birth, then the code of a state or a country. */
bool is_mykad(struct str s)
{
  unsigned place = pair(s, 6);
  return has_date(s, 0, 2, 4) && place != 0 && place != 17 && place != 18 && place != 19 && place != 20 && place != 69 &&
         place != 70 && place != 73 && place != 80 && place != 81 && place != 94 && place != 95 && place != 96 && place != 97;
}

bool sum_th_pin(struct str s)
{
  unsigned sum = 0;
  for (size_t i = 0; i < 12; i++) sum += digit(s, i) * (13 - (unsigned)i);
  return digit(s, 0) != 0 && digit(s, 0) != 9 && (11 - sum % 11) % 10 == digit(s, 12) && !all_same(s);
}

/* Province, regency, district, date of birth (40 more in the day for women), serial number. */
bool is_nik(struct str s)
{
  return pair(s, 0) >= 11 && pair(s, 0) <= 96 && is_date(pair(s, 8), pair(s, 6) > 40 ? pair(s, 6) - 40 : pair(s, 6)) &&
         number_of(s, 12, 16) > 0;
}

bool sum_npwp(struct str s)
{
  return sum_luhn(str_cut(s, 0, 9)) && number_of(s, 2, 8) > 0;
}

/* Province or country of birth, sex and century, year. */
bool is_cccd(struct str s)
{
  return number_of(s, 0, 3) >= 1 && number_of(s, 0, 3) <= 96 && digit(s, 3) <= 3 && !all_same(s);
}

/* NADRA: province, and a last digit that is the sex. */
bool is_cnic(struct str s)
{
  return digit(s, 0) >= 1 && digit(s, 0) <= 7 && digit(s, 12) != 0 && !all_same(s);
}

/* ---- Pacific ------------------------------------------------------------------------------------------------------ */

bool sum_tfn(struct str s)
{
  return weighed_front(s, "14375869a") % 11 == 0 && !all_same(s);
}

/* ABR: one less in the first digit. */
bool sum_abn(struct str s)
{
  static const unsigned char weights[] = {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
  unsigned sum = 0;
  for (size_t i = 0; i < 11; i++) sum += (digit(s, i) - (i == 0)) * weights[i];
  return digit(s, 0) != 0 && sum % 89 == 0;
}

bool sum_medicare(struct str s)
{
  return digit(s, 0) >= 2 && digit(s, 0) <= 6 && weighed_front(s, "13791379") % 10 == digit(s, 8);
}

/* Inland Revenue: a second row of weights where the first gives ten. */
bool sum_ird(struct str s)
{
  uint64_t n = number_of(s, 0, s.n);
  char padded[9];
  memset(padded, '0', sizeof padded);
  memcpy(padded + 9 - s.n, s.p, s.n);
  struct str d = {padded, 9};
  unsigned check = (11 - weighed_front(d, "32765432") % 11) % 11;
  if (check == 10) check = (11 - weighed_front(d, "74325276") % 11) % 11;
  return n > 10000000 && n < 150000000 && check == digit(d, 8);
}

/* HISO 10046: the old form modulo 11, the new one modulo 24; neither I nor O. */
bool sum_nhi(struct str s)
{
  static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ";
  unsigned sum = 0;
  for (size_t i = 0; i < 6; i++) {
    const char *at = strchr(letters, s.p[i]);
    if (!is_digit(s.p[i]) && !at) return false;
    sum += (is_digit(s.p[i]) ? digit(s, i) : (unsigned)(at - letters) + 1) * (7 - (unsigned)i);
  }
  if (is_digit(s.p[5])) return is_digit(s.p[6]) && sum % 11 != 0 && (11 - sum % 11) % 10 == digit(s, 6);
  const char *last = strchr(letters, s.p[6]);
  return last && (24 - sum % 24) % 24 == (unsigned)(last - letters + 1) % 24;
}

/* ---- Africa ------------------------------------------------------------------------------------------------------- */

/* Home Affairs: date of birth, citizen or resident, Luhn. */
bool sum_za_id(struct str s)
{
  return has_date(s, 0, 2, 4) && digit(s, 10) <= 2 && sum_luhn(s);
}

/* Century, date of birth, governorate. How the last digit is made is not published. */
bool is_eg_id(struct str s)
{
  unsigned place = pair(s, 7);
  return has_date(s, 1, 3, 5) && ((place >= 1 && place <= 35) || place == 88);
}
