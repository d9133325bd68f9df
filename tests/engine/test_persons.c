/*
 * Names and postal addresses: where they begin and end, what has to stand together, what is anybody's. Every text is also streamed in pieces, of which no
 * masked byte may leave.
 */
#include "rig.h"

static struct vdt_arena *arena;

static struct vdt_result scan(struct str text, unsigned minimum)
{
  struct vdt_policy policy = rig_policy(VDT_REDACT);
  struct vdt_result r;
  policy.credential = (struct vdt_leak_policy){0};
  policy.sensitive.minimum_confidence = minimum;
  vdt_arena_reset(arena);
  if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r)) abort();
  for (size_t step = 1; step < 16; step += 7) {
    struct buf out = {0};
    CHECK_INT(rig_streamed(&policy, arena, text, step, &out), r.n_findings);
    for (size_t i = 0; i < r.n_findings; i++)
      CHECK(str_find(buf_str(&out), str_cut(text, r.findings[i].start, r.findings[i].end)) == (size_t)-1);
    buf_finish(&out);
  }
  return r;
}

static const struct {
  const char *text, *rule, *found; /* found NULL: nothing of 65 and more */
  unsigned confidence;
} texts[] = {
    /* number first */
    {"to 4127 Larkspur Avenue, Boise, ID 83702 by", "postal-address", "4127 Larkspur Avenue, Boise, ID 83702", 75},
    {"in 1998 at 4127 Larkspur Ave., Boise, ID 83702-1142.", "postal-address", "4127 Larkspur Ave., Boise, ID 83702-1142", 75},
    {"18 St. John Street\nLeeds\nLS2 7QT\nUK", "postal-address", "18 St. John Street\nLeeds\nLS2 7QT", 75},
    {"310 W 42nd St, Apt 12, New York, NY 10036", "postal-address", "310 W 42nd St, Apt 12, New York, NY 10036", 75},
    {"9/12 Wattle Grove, Hawthorn VIC 3122", "postal-address", "9/12 Wattle Grove, Hawthorn VIC 3122", 75},
    {"99999 Larkspur Road, Boise, ID 83702", "postal-address", "99999 Larkspur Road, Boise, ID 83702", 75},
    {"100000 Larkspur Road, Boise, ID 83702", "postal-address", NULL, 0},
    {"1 Aa Bb Cc Dd Road, Boise, ID 83702", "postal-address", "1 Aa Bb Cc Dd Road, Boise, ID 83702", 75},
    {"1 Aa Bb Cc Dd Ee Road, Boise, ID 83702", "postal-address", NULL, 0},
    {"4127 Larkspur Avenue, Boise, ZZ 83702", "postal-address", NULL, 0}, /* no state */
    {"4127 Larkspur Avenue, Boise, ID 837021", "postal-address", NULL, 0},
    {"4127 larkspur avenue, boise, id 83702", "postal-address", NULL, 0},
    {"4127 Larkspur Avenue. Then 83702 others", "postal-address", NULL, 0},
    {"v2.18 Gallowgate Street, Leeds LS2 7QT", "postal-address", NULL, 0},
    {"Streets 18 Gallowgate Streets, Leeds LS2 7QT", "postal-address", NULL, 0},
    /* the kind of street first */
    {"12 bis, rue de la Fontaine, 75011 Paris.", "postal-address-french", "12 bis, rue de la Fontaine, 75011 Paris", 75},
    {"825 Russell rue de la Fontaine, 75011 Paris", "postal-address-french", NULL, 0},
    {"in Via Garibaldi 18, 10122 Torino (TO)", "postal-address-name", "Via Garibaldi 18, 10122 Torino", 75},
    {"Calle de Alcal\u00e1, 112, 28009 Madrid", "postal-address-name", "Calle de Alcal\u00e1, 112, 28009 Madrid", 75},
    {"via Garibaldi 18, 10122 torinesi", "postal-address-name", NULL, 0},
    /* the street and its number behind it */
    {"in der Lindenstra\u00dfe 14, 50674 K\u00f6ln", "postal-address-street", "Lindenstra\u00dfe 14, 50674 K\u00f6ln", 75},
    {"Keizersgracht 241, 1016 EA Amsterdam!", "postal-address-street", "Keizersgracht 241, 1016 EA Amsterdam", 75},
    {"Stra\u00dfe 14, 50674 K\u00f6ln", "postal-address-street", NULL, 0},
    {"Lindenstra\u00dfe 14, 50674 Leute", "postal-address-street", "Lindenstra\u00dfe 14, 50674 Leute", 75},
    {"Lindenstra\u00dfe 14, 506745 K\u00f6ln", "postal-address-street", NULL, 0},
    /* without a postcode only where somebody is said to live there */
    {"She lives at 17 Larkspur Crescent, and", "postal-address", "17 Larkspur Crescent", 65},
    {"She lives at the 17 Larkspur Crescent, and", "postal-address", "17 Larkspur Crescent", 65},
    {"She lives at home, and 17 Larkspur Crescent is", "postal-address", NULL, 0},
    {"17 Larkspur Crescent, and", "postal-address", NULL, 0},
    /* anybody's */
    {"51 Franklin Street, Fifth Floor, Boston, MA 02110-1301", "postal-address", NULL, 0},
    /* names */
    {"Hello, my name is Margit Ellingsen and I", "person-name", "Margit Ellingsen", 75},
    {"my name is Margit", "person-name", "Margit", 65},
    {"My name is Margit. Odile is here", "person-name", "Margit", 65},
    {"ich hei\u00dfe Konrad von der Aue, und", "person-name", "Konrad von der Aue", 75},
    {"my name is J. R. Brenner", "person-name", "J. R. Brenner", 75},
    {"my name is Connor McAllister", "person-name", "Connor McAllister", 75},
    {"my name is TypeName", "person-name", NULL, 0},
    {"my name is margit", "person-name", NULL, 0},
    {"my name is J.", "person-name", NULL, 0},
    {"my name is John Doe", "person-name", NULL, 0},
    {"my name is Aaaaaaaaaaaaaaaaaaaaaaa", "person-name", "Aaaaaaaaaaaaaaaaaaaaaaa", 65}, /* 23 letters */
    {"my name is Aaaaaaaaaaaaaaaaaaaaaaaa", "person-name", "Aaaaaaaaaaaaaaaaaaaaaaaa", 65},
    {"my name is Aaaaaaaaaaaaaaaaaaaaaaaaa", "person-name", NULL, 0}, /* 25 */
    {"my name is Aa Bb Cc Dd Ee", "person-name", "Aa Bb Cc Dd Ee", 75},
    {"my name is Aa Bb Cc Dd Ee Ff", "person-name", "Aa Bb Cc Dd Ee", 75}, /* five words */
    {"{\"first_name\": \"Margit\", \"x\": 1}", "person-name-field", "Margit", 75},
    {"{\\\"first_name\\\": \\\"Margit\\\"}", "person-name-field", "Margit", 75},
    {"<lastName>Ellingsen</lastName>", "person-name-field", "Ellingsen", 75},
    {"Nachname: Brenner\nVorname: x", "person-name-field", "Brenner", 75},
    {"passenger: ELLINGSEN/MARGIT MRS", "person-name-field", "ELLINGSEN/MARGIT MRS", 75},
    {"first_name = Margit()", "person-name-field", NULL, 0},
    {"first_name: Margit is here", "person-name-field", NULL, 0},
    {"\"first_name\": \"Margit", "person-name-field", NULL, 0}, /* the quote does not close */
    {"first_name Margit", "person-name-field", NULL, 0},
    {"first_name: String", "person-name-field", NULL, 0},
};

static void finds(size_t i)
{
  struct str text = str_of(texts[i].text);
  CASE_BEGIN();
  struct vdt_result r = scan(text, 65);
  if (!texts[i].found) {
    CHECK_INT(r.n_findings, 0);
  } else {
    CHECK_INT(r.n_findings, 1);
    if (r.n_findings == 1) {
      CHECK_STR(str_of(r.findings[0].rule), texts[i].rule);
      CHECK_STR(str_cut(text, r.findings[0].start, r.findings[0].end), texts[i].found);
      CHECK_INT(r.findings[0].confidence, texts[i].confidence);
    }
  }
  CASE_END("%.*s", (int)strcspn(texts[i].text, "\n"), texts[i].text);
}

/* Samples are known for what they are, by who asks for as little confidence. */
static void anybody_is_a_sample(void)
{
  static const char *const known[] = {"my name is John Doe", "51 Franklin Street, Fifth Floor, Boston, MA 02110-1301",
                                      "{\"last_name\": \"Mustermann\"}"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    struct vdt_result r = scan(str_of(known[i]), 20);
    CHECK_INT(r.n_findings, 1);
    if (r.n_findings) CHECK_INT(r.findings[0].confidence, 30);
  }
}

/* An address has fourteen words behind its street at most. */
static void an_address_ends(void)
{
  for (unsigned words = 11; words <= 13; words++) {
    struct buf b = {0};
    buf_put(&b, STR("12 Larkspur Road,"));
    for (unsigned i = 0; i < words; i++) buf_put(&b, STR(" Aab"));
    buf_put(&b, STR(" ID 83702"));
    CHECK_INT(scan(buf_str(&b), 65).n_findings, words <= 12);
    buf_finish(&b);
  }
}

int main(void)
{
  rig_load();
  arena = vdt_arena_new(0);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) finds(i);
  RUN(anybody_is_a_sample);
  RUN(an_address_ends);
  vdt_arena_free(arena);
  rig_unload();
  return test_end();
}
