/*
 * What is known by its name alone: dates of birth, security codes of cards, codes of banks and illnesses, addresses of devices and wallets. Their shape
 * says little, so the name stands right before them, on the same line; each row of named.def reads one kind.
 */
#include "detect/detect.h"

enum { GAP = 24, DATE_PARTS = 3 };

static bool is_digit(int c)
{
  return c >= '0' && c <= '9';
}

static bool is_upper(int c)
{
  return c >= 'A' && c <= 'Z';
}

static bool is_letter(int c)
{
  return is_upper(c) || (c >= 'a' && c <= 'z');
}

/* Up to `most` digits at i; how many. */
static unsigned digits(struct look *l, uint64_t i, unsigned most, unsigned *value)
{
  unsigned n = 0;
  *value = 0;
  for (; n < most && is_digit(look_at(l, i + n)); n++) *value = *value * 10 + (unsigned)(look_at(l, i + n) - '0');
  return n;
}

/* ---- readers: where what begins at i ends, or 0 ------------------------------------------------------------------- */

typedef uint64_t reader(struct look *l, uint64_t i);
#define X(name, fn, help) static reader fn;
#include "detect/named.def"
#undef X

/* Countries are not looked up: the fifth and sixth characters are letters, and the name stands before it. */
static uint64_t read_bic(struct look *l, uint64_t i)
{
  unsigned n = 0;
  for (; n < 12 && (is_upper(look_at(l, i + n)) || (n > 5 && is_digit(look_at(l, i + n)))); n++) {
  }
  return n == 8 || n == 11 ? i + n : 0;
}

static uint64_t read_cvv(struct look *l, uint64_t i)
{
  unsigned value, n = digits(l, i, 5, &value);
  return n == 3 || n == 4 ? i + n : 0;
}

static bool is_month(struct look *l, uint64_t i, uint64_t *end)
{
  static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
  char word[3];
  for (unsigned k = 0; k < 3; k++) {
    int c = look_at(l, i + k);
    if (!is_letter(c)) return false;
    word[k] = (char)(c | 32);
  }
  for (*end = i; is_letter(look_at(l, *end)) && *end < i + 10;) (*end)++;
  for (const char *p = names; *p; p += 3)
    if (memcmp(p, word, 3) == 0) return true;
  return false;
}

static bool joins_date(int c)
{
  return c == '/' || c == '-' || c == '.' || c == ' ' || c == ',';
}

/* Three parts of which at most one is a month's name; their order is left open. */
static uint64_t read_date(struct look *l, uint64_t i)
{
  unsigned year = 0, small = 0;
  for (unsigned part = 0; part < DATE_PARTS; part++) {
    unsigned value, n = digits(l, i, 5, &value);
    uint64_t end = i + n;
    if (n == 4 && value >= 1900 && value < 2030) year++;
    else if (n == 2 && part == 2 && !year) year++;
    else if ((n == 1 || n == 2) && value >= 1 && value <= 31) small++;
    else if (n || !is_month(l, i, &end)) return 0;
    i = end;
    if (part + 1 == DATE_PARTS) break;
    if (!joins_date(look_at(l, i))) return 0;
    for (unsigned k = 0; k < 2 && joins_date(look_at(l, i)); k++) i++;
  }
  return year == 1 && small >= 1 ? i : 0;
}

static uint64_t read_icd10(struct look *l, uint64_t i)
{
  int c = look_at(l, i);
  if (!is_upper(c) || c == 'U' || !is_digit(look_at(l, i + 1))) return 0;
  if (!is_digit(look_at(l, i + 2)) && look_at(l, i + 2) != 'A' && look_at(l, i + 2) != 'B') return 0;
  i += 3;
  if (look_at(l, i) != '.') return i;
  unsigned n = 0;
  while (n < 5 && (is_digit(look_at(l, i + 1 + n)) || is_upper(look_at(l, i + 1 + n)))) n++;
  return n >= 1 && n <= 4 ? i + 1 + n : n ? 0 : i;
}

static uint64_t read_record(struct look *l, uint64_t i)
{
  unsigned n = 0, numerals = 0;
  for (; n < 13; n++) {
    int c = look_at(l, i + n);
    if (!is_digit(c) && !is_upper(c) && !(c == '-' && n && is_digit(look_at(l, i + n + 1)))) break;
    numerals += is_digit(c);
  }
  return n >= 6 && n <= 12 && numerals >= 5 ? i + n : 0;
}

/* RFC 1918, 3927, 5737, 6598 and the like: addresses of nobody. */
static bool is_public(const unsigned v[4])
{
  if (v[0] == 0 || v[0] == 10 || v[0] == 127 || v[0] >= 224) return false;
  if ((v[0] == 172 && v[1] >= 16 && v[1] < 32) || (v[0] == 192 && v[1] == 168) || (v[0] == 169 && v[1] == 254)) return false;
  if ((v[0] == 100 && v[1] >= 64 && v[1] < 128) || (v[0] == 192 && v[1] == 0) || (v[0] == 198 && (v[1] == 18 || v[1] == 19)))
    return false;
  return !(v[0] == 198 && v[1] == 51 && v[2] == 100) && !(v[0] == 203 && v[1] == 0 && v[2] == 113);
}

static uint64_t read_ipv4(struct look *l, uint64_t i)
{
  unsigned v[4];
  for (unsigned k = 0; k < 4; k++) {
    unsigned n = digits(l, i, 4, &v[k]);
    if (n == 0 || n > 3 || v[k] > 255) return 0;
    i += n;
    if (k < 3 && look_at(l, i++) != '.') return 0;
  }
  return is_public(v) ? i : 0;
}

static unsigned hex_run(struct look *l, uint64_t i, unsigned most)
{
  unsigned n = 0;
  for (; n < most; n++) {
    int c = look_at(l, i + n);
    if (!is_digit(c) && !((c | 32) >= 'a' && (c | 32) <= 'f' && c > 0)) break;
  }
  return n;
}

/* Neither loopback nor local (f...) nor 2001:db8::/32: at least two groups, and eight of them or one gap. */
static uint64_t read_ipv6(struct look *l, uint64_t i)
{
  unsigned groups = 0, gaps = 0;
  uint64_t start = i;
  int first = look_at(l, i) | 32;
  if (first == '0' || first == 'f' || (look_at(l, i - 1) == ':' && is_digit(look_at(l, i - 2)))) return 0;
  while (groups < 8) {
    unsigned n = hex_run(l, i, 5);
    if (n == 0 || n > 4) break;
    groups++;
    i += n;
    if (look_at(l, i) != ':' || groups == 8) break;
    i++;
    if (look_at(l, i) == ':') gaps++, i++;
  }
  if (look_literal(l, start, STR("2001:db8"), true) || look_literal(l, start, STR("2001:0db8"), true)) return 0;
  return gaps == 1 ? (groups >= 2 ? i : 0) : gaps == 0 && groups == 8 ? i : 0;
}

static uint64_t read_ip(struct look *l, uint64_t i)
{
  uint64_t end = read_ipv4(l, i);
  return end ? end : read_ipv6(l, i);
}

/* Three groups of four, as routers write it. */
static uint64_t read_dotted_mac(struct look *l, uint64_t i)
{
  for (unsigned k = 0; k < 3; k++, i += 5)
    if (hex_run(l, i, 5) != 4 || (k < 2 && look_at(l, i + 4) != '.')) return 0;
  return i - 1;
}

static uint64_t read_mac(struct look *l, uint64_t i)
{
  if (look_at(l, i + 4) == '.') return read_dotted_mac(l, i);
  int separator = look_at(l, i + 2);
  unsigned different = 0;
  if (separator != ':' && separator != '-') return 0;
  for (unsigned k = 0; k < 6; k++, i += 3) {
    if (hex_run(l, i, 3) != 2 || (k < 5 && look_at(l, i + 2) != separator)) return 0;
    different += k > 0 && (look_at(l, i) != look_at(l, i - 3) || look_at(l, i + 1) != look_at(l, i - 2));
  }
  return different > 1 ? i - 1 : 0;
}

static uint64_t letters_and_digits(struct look *l, uint64_t i, unsigned most)
{
  uint64_t end = i;
  while (end < i + most && (is_digit(look_at(l, end)) || is_letter(look_at(l, end)))) end++;
  return end;
}

static uint64_t read_bitcoin(struct look *l, uint64_t i)
{
  int c = look_at(l, i);
  if (c != '1' && c != '3' && c != 'b') return 0;
  uint64_t end = letters_and_digits(l, i, 91);
  struct str s = look_span(l, i, end);
  if (c == 'b') return s.n > 14 && str_starts(s, STR("bc1")) && bech32_checks(STR("bc"), str_cut(s, 3, s.n)) ? end : 0;
  return s.n >= 26 && s.n <= 35 && base58_checks(s) ? end : 0;
}

static uint64_t read_ethereum(struct look *l, uint64_t i)
{
  if (look_at(l, i) != '0' || look_at(l, i + 1) != 'x') return 0;
  return hex_run(l, i + 2, 41) == 40 && ethereum_checks(look_span(l, i + 2, i + 42)) ? i + 42 : 0;
}

/* "062-000": bank, state and branch of Australia. */
static uint64_t read_bsb(struct look *l, uint64_t i)
{
  unsigned value;
  if (digits(l, i, 3, &value) != 3) return 0;
  i += look_at(l, i + 3) == '-' || look_at(l, i + 3) == ' ' ? 4 : 3;
  return digits(l, i, 4, &value) == 3 ? i + 3 : 0;
}

/* "12345-003": branch and institution of Canada. */
static uint64_t read_transit(struct look *l, uint64_t i)
{
  unsigned value;
  if (digits(l, i, 6, &value) != 5 || look_at(l, i + 5) != '-') return 0;
  return digits(l, i + 6, 4, &value) == 3 ? i + 9 : 0;
}

/* Degrees with at least four decimals, which is a street; most: 90 or 180. */
static uint64_t read_degrees(struct look *l, uint64_t i, unsigned most)
{
  unsigned whole, decimals;
  unsigned n = digits(l, i, 4, &whole);
  if (n == 0 || n > 3 || whole > most || look_at(l, i + n) != '.') return 0;
  unsigned k = digits(l, i + n + 1, 9, &decimals);
  return k >= 4 ? i + n + 1 + k : 0;
}

static uint64_t read_coordinates(struct look *l, uint64_t i)
{
  i = read_degrees(l, i, 90);
  if (!i) return 0;
  for (uint64_t stop = i + 4; i < stop && (look_at(l, i) == ',' || look_at(l, i) == ' ' || look_at(l, i) == ';');) i++;
  return read_degrees(l, look_at(l, i) == '-' ? i + 1 : i, 180);
}

static bool has_form(struct look *l, uint64_t i, const char *form)
{
  for (; *form; form++, i++) {
    int c = look_at(l, i);
    if (*form == '9' ? !is_digit(c) : *form == 'A' ? !is_upper(c) : c != *form) return false;
  }
  return !byte_is_word(look_at(l, i));
}

/* Forms that say which country they are of: Britain, Canada, the Netherlands, ZIP+4. */
static uint64_t read_postcode(struct look *l, uint64_t i)
{
  static const struct str forms[] = {STR("AA9A 9AA"), STR("AA99 9AA"), STR("AA9 9AA"), STR("A9A 9AA"),   STR("A99 9AA"),
                                     STR("A9 9AA"),   STR("A9A 9A9"),  STR("9999 AA"), STR("99999-9999")};
  for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
    if (has_form(l, i, forms[k].p)) return i + forms[k].n;
  return 0;
}

static uint64_t read_uuid(struct look *l, uint64_t i)
{
  static const unsigned groups[] = {8, 4, 4, 4, 12};
  for (unsigned k = 0; k < 5; k++) {
    if (hex_run(l, i, groups[k] + 1) != groups[k] || (k < 4 && look_at(l, i + groups[k]) != '-')) return 0;
    i += groups[k] + (k < 4);
  }
  return i;
}

/* Addresses of Litecoin, Dogecoin, Dash, Tron: like those of Bitcoin, with other first letters. */
static uint64_t read_base58check(struct look *l, uint64_t i)
{
  uint64_t end = letters_and_digits(l, i, 36);
  struct str s = look_span(l, i, end);
  return s.n >= 26 && s.n <= 35 && base58_checks(s) ? end : 0;
}

static uint64_t read_ripple(struct look *l, uint64_t i)
{
  uint64_t end = letters_and_digits(l, i, 36);
  return ripple_checks(look_span(l, i, end), 0, 20) ? end : 0;
}

static uint64_t read_monero(struct look *l, uint64_t i)
{
  uint64_t end = letters_and_digits(l, i, 107);
  return monero_checks(look_span(l, i, end)) ? end : 0;
}

static uint64_t read_stellar(struct look *l, uint64_t i)
{
  uint64_t end = letters_and_digits(l, i, 57);
  return stellar_checks(look_span(l, i, end), 'G') ? end : 0;
}

/* 32 bytes in base 58, of Solana: 43 or 44 characters, of both cases and digits. */
static uint64_t read_solana(struct look *l, uint64_t i)
{
  uint64_t end = letters_and_digits(l, i, 46);
  struct str s = look_span(l, i, end);
  unsigned numerals = 0;
  for (size_t k = 0; k < s.n; k++) {
    if (memchr("0OIl", s.p[k], 4)) return 0;
    numerals += is_digit(s.p[k]);
  }
  return (s.n == 43 || s.n == 44) && numerals >= 2 && entropy(s) >= 4.0 ? end : 0;
}

/* ---- the check ------------------------------------------------------------------------------------------------------ */

static reader *reader_of(struct str variant)
{
  static const struct {
    const char *name;
    reader *fn;
  } readers[] = {
#define X(name, fn, help) {name, fn},
#include "detect/named.def"
#undef X
  };
  for (size_t k = 0; k < sizeof readers / sizeof *readers; k++)
    if (str_eq(variant, str_of(readers[k].name))) return readers[k].fn;
  return NULL;
}

/* Nothing before the value is held back. */
bool check_named(const struct rule *r, struct look *l, struct found *out)
{
  reader *read = reader_of(r->variant);
  for (uint64_t i = l->gate_end, stop = i + GAP; read && i < stop; i++) {
    l->hold = i;
    int c = look_at(l, i), before = look_at(l, i - 1);
    if (c < 0 || c == '\n') return false;
    if (i == l->gate_end && byte_is_word(c)) return false;
    if ((!is_digit(c) && !is_letter(c)) || byte_is_word(before) || before == '.') continue;
    if (before == '-' && read != read_coordinates) continue;
    uint64_t end = read(l, i);
    if (l->starved) return false; /* hold stays where the value may begin */
    if (!end || byte_is_word(look_at(l, end)) || (look_at(l, end) == '-' && byte_is_word(look_at(l, end + 1)))) continue;
    out->start = i;
    out->end = end;
    out->why = WHY_FORMAT | WHY_NAME;
    out->reason = "a name right before it, and format";
    return true;
  }
  return false;
}

/* ---- by their own signs --------------------------------------------------------------------------------------------- */

/* Bech32 has a checksum of 30 bits: no name is needed. */
bool check_wallet_address(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t end = read_bitcoin(l, l->gate);
  (void)r;
  if (!end || byte_is_word(look_at(l, end))) return false;
  out->end = end;
  out->why = WHY_FORMAT | WHY_CHECKSUM;
  out->reason = "an address and its checksum";
  return true;
}

enum { TRACK_NAME = 28 };

/* The first track of a card's magnetic stripe (ISO/IEC 7813): number ^ name ^ date of expiry. */
bool check_track(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t i = l->gate_end, end = i;
  (void)r;
  while (end < i + 20 && is_digit(look_at(l, end))) end++;
  if (look_at(l, end) != '^' || !identifier_valid(STR("card"), look_span(l, i, end))) return false;
  for (i = end + 1; i < end + TRACK_NAME && look_at(l, i) != '^' && look_at(l, i) >= ' ';) i++;
  for (unsigned k = 1; k < 5; k++)
    if (look_at(l, i) != '^' || !is_digit(look_at(l, i + k))) return false;
  for (end = i + 5; is_digit(look_at(l, end)) && end < i + 40;) end++;
  out->end = end;
  out->why = WHY_FORMAT | WHY_CHECKSUM;
  out->reason = "a card's number, name and expiry as on its stripe";
  return true;
}
