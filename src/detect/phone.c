/*
 * Telephone numbers: international ones by their country code, national ones only beside a word that says so, since any
 * ten digits could be one.
 */
#include "detect/detect.h"

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

enum { NATIONAL_NEAR = 60 }; /* bytes between the word and the number */

static bool is_digit(int c)
{
  return c >= '0' && c <= '9';
}

static bool joins(int c)
{
  return c == ' ' || c == '-' || c == '.' || c == '/' || c == ')' || c == '(';
}

/* Digits from i on, in groups with at most two marks between them; where they end. More than 12 are too many. Bit k of *marked: a
 * mark stands before digit k. */
static uint64_t read_groups(struct look *l, uint64_t i, unsigned char digits[13], unsigned *n, unsigned *marked)
{
  uint64_t end = i;
  unsigned marks = 1;
  for (*n = *marked = 0; *n < 13; i++) {
    int c = look_at(l, i);
    if (is_digit(c)) {
      if (marks && *n) *marked |= 1u << *n;
      digits[(*n)++] = (unsigned char)(c - '0');
      marks = 0;
      end = i + 1;
    } else if (!joins(c) || ++marks > 2) {
      break;
    }
  }
  return end;
}

/* Groups begin nowhere else than at these digits. */
static bool groups_at(unsigned marked, unsigned allowed)
{
  return (marked & ~allowed) == 0;
}

/* North America: three, three, four, the first two beginning with 2 to 9. Elsewhere in Europe: 0, then eight to ten more, but no
 * date, which has two, two and four. */
static bool is_national(const unsigned char *d, unsigned n, unsigned marked)
{
  if (n == 11 && d[0] == 1) return d[1] >= 2 && d[4] >= 2 && groups_at(marked, 1u << 1 | 1u << 4 | 1u << 7);
  if (n == 10 && d[0] >= 2) return d[3] >= 2 && groups_at(marked, 1u << 3 | 1u << 6);
  bool date = marked & 1u << 2 && marked & 1u << 4 && !(marked & 1u << 6);
  return d[0] == 0 && d[1] != 0 && !date && n >= 9 && n <= 11;
}

bool check_phone_national(const struct rule *r, struct look *l, struct found *out)
{
  unsigned char digits[13];
  unsigned n, marked;
  if (!l->context || l->gate_end > l->context_end + NATIONAL_NEAR) return false;
  uint64_t i = look_run_left(l, l->gate_end, &r->left, r->left_max);
  for (; i < l->gate_end; i++) {
    int c = look_at(l, i), before = i ? look_at(l, i - 1) : -1;
    if ((!is_digit(c) && c != '(') || byte_is_word(before) || before == '+' || (c != '(' && before == '(')) continue;
    uint64_t end = read_groups(l, i, digits, &n, &marked);
    if (n < 9 || n > 11 || !is_national(digits, n, marked) || stands_for_more(look_at(l, end))) continue;
    l->seen = end;
    out->start = i;
    out->end = end;
    out->reason = "a national number's length and groups, and a word of telephony before it";
    return true;
  }
  return false;
}
