/* International bank account numbers: ISO 13616, SWIFT's IBAN registry for the lengths. */
#include "detect/identifiers.h"

static const struct {
  char country[3];
  unsigned char length;
} lengths[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22}, {"BR", 29},
    {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29},
    {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28},
    {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20},
    {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22},
    {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18}, {"NO", 15}, {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25},
    {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24}, {"SC", 31}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"ST", 25},
    {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
};

static unsigned length_of(int a, int b)
{
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
    if (lengths[i].country[0] == a && lengths[i].country[1] == b) return lengths[i].length;
  return 0;
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
  return length_of(s.p[0], s.p[1]) == s.n && mod97(s.p, (unsigned)s.n);
}
