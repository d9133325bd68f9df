/*
 * Telephone numbers: international ones by their country code, national ones only beside a word that says so, since any
 * ten digits could be one.
 */
#include "detect/identifiers.h"

/* Country codes (ITU-T E.164) as the first one to three digits. */
static bool country_code(unsigned a, unsigned b)
{
  static const char two[] =
      "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 "
      "93 94 95 98";
  char text[3] = {(char)('0' + a), (char)('0' + b), 0};
  if (a == 1 || a == 7) return true;
  for (size_t i = 0; i + 1 < sizeof two; i += 3)
    if (memcmp(two + i, text, 2) == 0) return true;
  return (a == 2 && b != 7) || (a == 3 && (b == 5 || b == 7 || b == 8)) || (a == 4 && b == 2) || (a == 5 && (b == 0 || b == 9)) ||
         (a == 6 && b >= 7) || (a == 8 && b == 5) || (a == 9 && (b == 6 || b == 7 || b == 9));
}

/* A letter, or a mark for digits that are to be filled in. */
static bool stands_for_more(int c)
{
  return byte_is_word(c) || c == '#' || c == '*';
}

bool check_phone(const struct rule *r, struct look *l, struct found *out)
{
  unsigned char digits[16];
  unsigned n = 0;
  uint64_t i = l->gate_end, end = i;
  (void)r;
  int before = l->gate ? look_at(l, l->gate - 1) : -1;
  if (byte_is_word(before) || before == '+') return false;
  for (unsigned separators = 0; n < 16; i++) {
    int c = look_at(l, i);
    if (c >= '0' && c <= '9') {
      digits[n++] = (unsigned char)(c - '0');
      end = i + 1;
      separators = 0;
    } else if ((c != ' ' && c != '-' && c != '.' && c != '(' && c != ')' && c != '/') || ++separators > 2 || n == 0) {
      break;
    }
  }
  if (n < 8 || n > 15 || digits[0] == 0 || !country_code(digits[0], digits[1]) || stands_for_more(look_at(l, end))) return false;
  out->end = end;
  out->confidence = l->context ? 85 : 75;
  out->reason = l->context ? "E.164 number and a word of telephony nearby" : "E.164 number";
  return true;
}

/* North America: three, three, four, the first two beginning with 2 to 9. Elsewhere: 0, then eight to ten more. */
bool is_phone_national(struct str s)
{
  if (s.n == 11 && s.p[0] == '1') return digit(s, 1) >= 2 && digit(s, 4) >= 2;
  if (s.n == 10 && s.p[0] >= '2') return digit(s, 3) >= 2;
  return s.p[0] == '0' && s.p[1] != '0' && !all_same(s);
}
