/* How to reach somebody: e-mail addresses and telephone numbers. */
#include "detect/detect.h"

static bool domain_byte(int c)
{
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

static bool letter(int c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Labels and dots up to where an address ends; 0 when it is no domain with a top-level domain of letters. */
static uint64_t domain_end(struct look *l, uint64_t i)
{
  uint64_t end = 0, label = i;
  for (unsigned n = 0; n < 253; n++, i++) {
    int c = look_at(l, i);
    if (domain_byte(c)) continue;
    bool letters = i - label >= 2 && letter(look_at(l, label)) && letter(look_at(l, i - 1));
    if (end && letters) end = i;
    else if (end) end = 0;
    if (c != '.' || i == label || !domain_byte(look_at(l, i + 1))) return end;
    label = i + 1;
    end = i;
  }
  return 0;
}

static bool reserved(struct str domain)
{
  static const struct str names[] = {STR("example.com"), STR("example.org"), STR("example.net"), STR("localhost"),
                                     STR("domain.com"),  STR("email.com"),   STR("test.com")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (domain.n >= names[i].n && str_ieq(str_cut(domain, domain.n - names[i].n, domain.n), names[i])) return true;
  return false;
}

bool check_email(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t start = look_run_left(l, l->gate, &r->left, r->left_max);
  while (start < l->gate && !byte_is_word(look_at(l, start))) start++;
  if (start == l->gate || look_at(l, l->gate - 1) == '.') return false;
  uint64_t end = domain_end(l, l->gate_end);
  if (!end || end - l->gate_end < 4) return false;
  if (reserved(look_span(l, l->gate_end, end))) out->confidence = 30;
  out->start = start;
  out->end = end;
  out->reason = out->confidence == 30 ? "an address in a domain reserved for examples" : "local part, @ and domain";
  return true;
}

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
  if (n < 8 || n > 15 || digits[0] == 0 || !country_code(digits[0], digits[1]) || byte_is_word(look_at(l, end))) return false;
  out->end = end;
  out->confidence = l->context ? 85 : 75;
  out->reason = l->context ? "E.164 number and a word of telephony nearby" : "E.164 number";
  return true;
}
