/*
 * Telephone numbers: international ones by their country code, national ones only beside a word that says so, since any
 * ten digits could be one.
 */
#include "detect/identifiers.h"

static const struct {
  const char *code;
  unsigned least, most;
} codes[] = {
#define X(code, least, most) {code, least, most},
#include "detect/phone_codes.def"
#undef X
};

/* Has a number with its country code as many digits as numbers of that country? */
static bool is_of_a_country(const unsigned char *digits, unsigned n)
{
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    unsigned k = 0;
    while (codes[i].code[k] && k < n && codes[i].code[k] - '0' == digits[k]) k++;
    if (!codes[i].code[k]) return n - k >= codes[i].least && n - k <= codes[i].most;
  }
  return false;
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
  if (n < 8 || n > 15 || !is_of_a_country(digits, n) || stands_for_more(look_at(l, end))) return false;
  out->end = end;
  out->confidence = l->context ? 85 : 75;
  out->reason = l->context ? "E.164 number and a word of telephony nearby" : "E.164 number";
  return true;
}

/* Two groups at least, or eight or nine digits: a name right before it says the rest. */
bool is_phone_local(struct str s)
{
  return s.p[0] != '0' && !all_same(s);
}

/* North America: three, three, four, the first two beginning with 2 to 9. Elsewhere: 0, then eight to ten more. */
bool is_phone_national(struct str s)
{
  if (s.n == 11 && s.p[0] == '1') return digit(s, 1) >= 2 && digit(s, 4) >= 2;
  if (s.n == 10 && s.p[0] >= '2') return digit(s, 3) >= 2;
  return s.p[0] == '0' && s.p[1] != '0' && !all_same(s);
}

/* China: 13 to 19, then nine more. */
bool is_phone_cn(struct str s)
{
  return s.p[0] == '1' && s.p[1] >= '3' && !all_same(str_cut(s, 3, s.n));
}

/* Brazil: an area of two digits without a zero, then 9 and eight more of a mobile, or eight from 2 to 5 on. */
bool is_phone_br(struct str s)
{
  bool mobile = s.n == 11;
  return s.p[0] != '0' && s.p[1] != '0' && (mobile ? s.p[2] == '9' : s.p[2] >= '2' && s.p[2] <= '5') &&
         !all_same(str_cut(s, 3, s.n));
}
