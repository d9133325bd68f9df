/*
 * Postal addresses: a house number, a word that streets have, and a postcode beside a city or a state, all in one place and in an order that some
 * country writes. Each alone stands in ordinary prose all day ("Wall Street", "10115 users", "in 1998 Baker"), together they hardly do. Without a postcode
 * there is a finding only where the words right before say that somebody lives there.
 *
 * The gate is the street's word. What stands before it (a number and a name, or the first half of "Hauptstraße") is the rule's `left`.
 */
#include "detect/word.h"

enum { NAME_WORDS = 4, TAIL_WORDS = 14, TAIL_BYTES = 110, ANNOUNCED = 6, STREET_ALONE = 65 };

static bool is_digit(int c)
{
  return c >= '0' && c <= '9';
}

static bool is_space(int c)
{
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Small words inside of names of streets and cities. */
static bool is_particle(struct str s)
{
  static const struct str words[] = {
      STR("de"),   STR("la"),   STR("le"),    STR("les"), STR("du"),  STR("des"), STR("del"), STR("di"),  STR("da"),  STR("do"),
      STR("dos"),  STR("das"),  STR("della"), STR("dei"), STR("der"), STR("den"), STR("am"),  STR("an"),  STR("im"),  STR("in"),
      STR("of"),   STR("the"),  STR("and"),   STR("van"), STR("von"), STR("y"),   STR("e"),   STR("ob"),  STR("bei"), STR("sur"),
      STR("sous"), STR("upon"), STR("nad"),   STR("zur"), STR("zum"), STR("el"),  STR("los"), STR("las"), STR("d'")};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (str_ieq(s, words[i])) return true;
  return false;
}

/* ---- postcodes ---------------------------------------------------------------------------------------------------- */

/* What must stand beside one: nothing, a state of the US or of Australia before it, a city before it or behind it. */
enum { ALONE = 1, US_STATE = 2, AU_STATE = 4, CITY_BEFORE = 8, CITY_BEHIND = 16 };

/* 9 is a digit, A a capital letter, X either. The longer of two comes first. */
static const struct postcode {
  const char *shape;
  unsigned beside;
} postcodes[] = {
    {"A9A 9A9", ALONE},
    {"A9A9A9", ALONE}, /* Canada */
    {"AA9A 9AA", ALONE},
    {"AA99 9AA", ALONE},
    {"AA9 9AA", ALONE},
    {"A9A 9AA", ALONE},
    {"A99 9AA", ALONE},
    {"A9 9AA", ALONE},   /* United Kingdom */
    {"A9X XXXX", ALONE}, /* Ireland */
    {"99999-9999", US_STATE},
    {"99999-999", ALONE},      /* United States, Brazil */
    {"9999-999", CITY_BEHIND}, /* Portugal */
    {"999999", CITY_BEFORE},
    {"999 999", CITY_BEFORE},          /* India, Singapore */
    {"99999", US_STATE | CITY_BEHIND}, /* and Germany, France, Italy, Spain, Finland ... */
    {"99-999", CITY_BEHIND},           /* Poland */
    {"999 99", CITY_BEHIND},           /* Sweden, Czech Republic, Slovakia, Greece */
    {"9999 AA", CITY_BEHIND},
    {"9999AA", CITY_BEHIND},          /* Netherlands */
    {"9999", AU_STATE | CITY_BEHIND}, /* and Austria, Switzerland, Belgium, Denmark, Norway ... */
};

static uint64_t shape_end(struct look *l, uint64_t i, const char *shape)
{
  for (; *shape; shape++, i++) {
    int c = look_at(l, i);
    bool holds = *shape == '9'   ? is_digit(c)
                 : *shape == 'A' ? word_upper(c)
                 : *shape == 'X' ? is_digit(c) || word_upper(c)
                                 : c == *shape;
    if (!holds) return 0;
  }
  return byte_is_word(look_at(l, i)) || (look_at(l, i) == '-' && is_digit(look_at(l, i + 1))) ? 0 : i;
}

static bool is_one_of(struct str s, const char *list)
{
  for (size_t n; *list; list += n + (list[n] == ' ')) {
    n = strcspn(list, " ");
    if (str_ieq(s, (struct str){list, n})) return true;
  }
  return false;
}

static bool is_us_state(struct str s)
{
  return is_one_of(
      s,
      "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI "
      "SC SD TN TX UT VT VA WA WV WI WY DC PR GU VI AA AE AP Alabama Alaska Arizona Arkansas California Colorado Connecticut "
      "Delaware Florida Georgia Hawaii Idaho Illinois Indiana Iowa Kansas Kentucky Louisiana Maine Maryland Massachusetts "
      "Michigan "
      "Minnesota Mississippi Missouri Montana Nebraska Nevada Hampshire Jersey Mexico York Carolina Dakota Ohio Oklahoma Oregon "
      "Pennsylvania Island Tennessee Texas Utah Vermont Virginia Washington Wisconsin Wyoming");
}

static bool is_au_state(struct str s)
{
  return is_one_of(s, "NSW VIC QLD WA SA TAS ACT NT");
}

/* Where the city ends that begins behind the postcode: up to three capitalised words; 0 when none does. */
static uint64_t city_end(struct look *l, uint64_t i)
{
  uint64_t end = 0;
  if (look_at(l, i) == ',') i++;
  for (unsigned n = 0; n < 4 && look_at(l, i) == ' '; n++) {
    uint64_t word = word_end(l, i + 1);
    bool capital = word_upper(look_at(l, i + 1)) && word > i + 2;
    if (!capital && (!end || !is_particle(look_span(l, i + 1, word)))) break;
    if (capital) end = word;
    i = word;
  }
  return end;
}

/* A postcode at i with what must stand beside it; before: the word before it. Where it ends, its city included; or 0. */
static uint64_t postcode_end(struct look *l, uint64_t i, struct str before)
{
  for (size_t k = 0; k < sizeof postcodes / sizeof *postcodes; k++) {
    const struct postcode *p = &postcodes[k];
    uint64_t end = shape_end(l, i, p->shape), city;
    if (!end) continue;
    if (p->beside & ALONE) return end;
    if (p->beside & US_STATE && is_us_state(before)) return end;
    if (p->beside & AU_STATE && is_au_state(before)) return end;
    if (p->beside & CITY_BEFORE && before.n > 2 && word_upper(before.p[0])) return end;
    if (p->beside & CITY_BEHIND && (city = city_end(l, end))) return city;
  }
  return 0;
}

/* ---- what follows the street --------------------------------------------------------------------------------------- */

/* What an address may have between its parts. */
static uint64_t skip_joint(struct look *l, uint64_t i)
{
  uint64_t start = i;
  for (; i < start + 6; i++) {
    int c = look_at(l, i);
    if (c == '\\' && look_at(l, i + 1) == 'n') i++; /* a line's end in JSON */
    else if (!is_space(c) && c != ',' && c != '.' && c != '#' && c != '-' && c != '/' && c != '|') break;
  }
  return i;
}

/* "4B", "200", "12-14": what a flat or a floor is called. */
static uint64_t unit_end(struct look *l, uint64_t i)
{
  uint64_t end = i;
  while (end < i + 6 && (is_digit(look_at(l, end)) || word_letter(look_at(l, end)))) end++;
  return is_digit(look_at(l, i)) && end < i + 6 ? end : i;
}

/* Words that stand small in addresses, besides particles. */
static bool is_unit_word(struct str s)
{
  return is_one_of(s, "apt apartment suite ste unit floor fl flat room rm building bldg block level etage piso planta "
                      "stock stiege top appt bat");
}

/* The postcode of the address whose street ends at i: where the address ends, or 0. */
static uint64_t tail_end(struct look *l, uint64_t i)
{
  struct str before = {"", 0};
  uint64_t stop = i + TAIL_BYTES;
  for (unsigned n = 0; n < TAIL_WORDS && i < stop; n++) {
    uint64_t at = skip_joint(l, i), end;
    if (at == i && n) return 0; /* two words in one */
    if ((end = postcode_end(l, at, before)) != 0) return end;
    end = word_end(l, at);
    if (end == at) end = unit_end(l, at);
    struct str word = look_span(l, at, end);
    if (word.n == 0 || !(word_upper(word.p[0]) || is_digit(word.p[0]) || (unsigned char)word.p[0] >= 0x80 || is_particle(word) ||
                         is_unit_word(word)))
      return 0;
    before = word;
    i = end;
  }
  return 0;
}

/* ---- the number --------------------------------------------------------------------------------------------------- */

/* "221B", "12-14", "7/9", "12 bis": where a house's number ends that begins at i; 0 when it is none. */
static uint64_t house_end(struct look *l, uint64_t i)
{
  uint64_t end = i;
  while (end < i + 6 && is_digit(look_at(l, end))) end++;
  if (end == i || end == i + 6) return 0;
  int c = look_at(l, end);
  if ((c == '-' || c == '/') && is_digit(look_at(l, end + 1))) return house_end(l, end + 1);
  if (word_letter(c) && c < 0x80) end++;
  return byte_is_word(look_at(l, end)) ? 0 : end;
}

/* Capitalised words, "42nd" and "N." lead from i to the gate; in French nothing but "bis" and a comma. */
static bool leads_to(struct look *l, uint64_t i, uint64_t gate, bool french)
{
  for (unsigned n = 0; n <= NAME_WORDS; n++) {
    int c;
    while (i < gate && ((c = look_at(l, i)) == ' ' || c == '.' || (c == ',' && french))) i++;
    if (i == gate) return true;
    uint64_t end = word_end(l, i);
    bool small = is_one_of(look_span(l, i, end), french ? "bis ter quater" : "de la st");
    if (!small && (french || (!word_upper(look_at(l, i)) && !is_digit(look_at(l, i))))) return false;
    for (end = i; end < gate && byte_is_word(look_at(l, end));) end++;
    if (end < gate && (look_at(l, end) == '\'' || look_at(l, end) == '-')) end++;
    if (end == i) return false;
    i = end;
  }
  return false;
}

/* Where the number stands from which words lead to the gate; the gate when none does. */
static uint64_t house_before(const struct rule *r, struct look *l, bool french)
{
  for (uint64_t i = look_run_left(l, l->gate, &r->left, r->left_max); i < l->gate; i++) {
    int before = i ? look_at(l, i - 1) : -1;
    if (!is_digit(look_at(l, i)) || byte_is_word(before) || before == '.' || before == '-' || before == '$' || before == '/')
      continue;
    uint64_t end = house_end(l, i);
    if (end && end < l->gate && leads_to(l, end, l->gate, french)) return i;
  }
  return l->gate;
}

/* A street's name and then the number, "Mayor 10" behind "Calle "; words: at most so many, none where the name is the gate's own word. */
static uint64_t house_behind(struct look *l, uint64_t i, unsigned words)
{
  for (unsigned n = 0; n <= words; n++) {
    while (look_at(l, i) == ' ' || look_at(l, i) == ',' || look_at(l, i) == '.') i++;
    if (look_literal(l, i, STR("n "), true) || look_literal(l, i, STR("nr "), true)) i = word_end(l, i) + 1;
    uint64_t house = house_end(l, i), end = word_end(l, i);
    if (house) return house;
    struct str word = look_span(l, i, end);
    if (word.n == 0 || !(word_upper(word.p[0]) || (unsigned char)word.p[0] >= 0x80 || is_particle(word))) return 0;
    i = end;
  }
  return 0;
}

/* The name behind "12 rue ": up to a comma, a line's end or a number. */
static uint64_t french_name(struct look *l, uint64_t i)
{
  for (unsigned n = 0; n < 7; n++) {
    while (look_at(l, i) == ' ' || look_at(l, i) == '\'') i++;
    int c = look_at(l, i);
    if (!word_letter(c)) return n ? i : 0;
    i = word_end(l, i);
  }
  return 0;
}

/* ---- the check ------------------------------------------------------------------------------------------------------ */

/* Addresses that everybody writes: in licences, in novels, in examples. By their beginning. */
static bool is_published(struct look *l, uint64_t start)
{
  static const struct str known[] = {STR("51 franklin st"),    STR("59 temple pl"),
                                     STR("675 mass ave"),      STR("31 milk st"),
                                     STR("123 main st"),       STR("1600 pennsylvania av"),
                                     STR("221b baker st"),     STR("10 downing st"),
                                     STR("742 evergreen ter"), STR("1600 amphitheatre p"),
                                     STR("1 infinite loop"),   STR("4 privet d"),
                                     STR("123 elm st"),        STR("123 fake st"),
                                     STR("1234 main st"),      STR("123 example"),
                                     STR("456 oak"),           STR("456 elm"),
                                     STR("789 pine"),          STR("musterstrasse")};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (look_literal(l, start, known[i], true)) return true;
  return false;
}

/* A sentence goes on with signs and blanks that are not the street's. */
static uint64_t without_tail(struct look *l, uint64_t start, uint64_t end)
{
  for (; end > start; end--) {
    int c = look_at(l, end - 1);
    if (!is_space(c) && c != ',' && c != '.') break;
  }
  return end;
}

/* Words such as "lives at" right before it: then number and street are enough. */
static bool is_announced(const struct look *l, uint64_t start)
{
  return l->context && l->context_end <= start && l->context_end + ANNOUNCED >= start;
}

/* Variants: number: "12 Baker" before the gate "Street"; french: "12" before the gate "rue "; name: "Mayor 10" behind the gate "Calle "; else
 * the number right behind a word that ends with the gate, "Hauptstraße 12". */
static bool read_street(const struct rule *r, struct look *l, uint64_t *start, uint64_t *end)
{
  bool number = variant_has(r, STR("number")), french = variant_has(r, STR("french")), name = variant_has(r, STR("name"));
  *start = l->gate;
  *end = l->gate_end;
  if (number || french) {
    *start = house_before(r, l, french);
    if (*start == l->gate || (number && byte_is_word(look_at(l, *end)))) return false;
    if (french) *end = french_name(l, *end);
  } else {
    if (!name) *start = look_run_left(l, l->gate, &r->left, r->left_max);
    if (!name && *start == l->gate) return false;
    *end = house_behind(l, *end, name ? NAME_WORDS : 0);
  }
  return *end != 0;
}

bool check_address(const struct rule *r, struct look *l, struct found *out)
{
  uint64_t street;
  if (!read_street(r, l, &out->start, &street)) return false;
  out->end = tail_end(l, street);
  out->why = WHY_FORMAT | WHY_NAME;
  out->reason = "a house number, a street and a postcode with its place";
  if (!out->end) {
    if (!is_announced(l, out->start)) return false;
    out->end = without_tail(l, out->start, street);
    out->confidence = STREET_ALONE;
    out->reason = "words that say where somebody is, a house number and a street";
  }
  if (!is_published(l, out->start)) return true;
  out->confidence = CONFIDENCE_SAMPLE;
  out->why |= WHY_SAMPLE;
  return true;
}
