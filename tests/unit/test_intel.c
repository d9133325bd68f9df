/* Indicators, feeds and the block: what is read, what is not, and where it is wrong. */
#include "intel/feed.h"
#include "tests/test.h"

/* ---- indicators -------------------------------------------------------------------------------------------------- */

static const struct {
  const char *text, *is; /* is: the text kept; "" for an address; NULL: no indicator */
  enum indicator_kind kind;
} indicators[] = {
    {"192.0.2.1", "", INDICATOR_ADDRESS},
    {" 192.0.2.0/24 ", "", INDICATOR_ADDRESS},
    {"192.0.2.1-192.0.2.9", "", INDICATOR_ADDRESS},
    {"192.0.2.1 - 192.0.2.9", "", INDICATOR_ADDRESS},
    {"192.0.2.9-192.0.2.1", NULL, 0},
    {"192.0.2.0/33", NULL, 0},
    {"192.0.2.256", NULL, 0},
    {"2001:db8::/32", "", INDICATOR_ADDRESS},
    {"192[.]0[.]2[.]1", "", INDICATOR_ADDRESS},
    {"Evil.Example", "evil.example", INDICATOR_DOMAIN},
    {"evil[.]example", "evil.example", INDICATOR_DOMAIN},
    {"evil(dot)example", "evil.example", INDICATOR_DOMAIN},
    {"*.evil.example", "evil.example", INDICATOR_DOMAIN},
    {".evil.example.", "evil.example", INDICATOR_DOMAIN},
    {"0.0.0.0 evil.example", "evil.example", INDICATOR_DOMAIN},
    {"127.0.0.1\tevil.example", "evil.example", INDICATOR_DOMAIN},
    {"||evil.example^$third-party", "evil.example", INDICATOR_DOMAIN},
    {"xn--pypal-4ve.com", "xn--pypal-4ve.com", INDICATOR_DOMAIN},
    {"hxxps://evil[.]example/", "evil.example", INDICATOR_DOMAIN},
    {"https://evil.example", "evil.example", INDICATOR_DOMAIN},
    {"https://User:pw@Evil.Example:8443/A/b?c=D#frag", "evil.example/A/b?c=D", INDICATOR_URL},
    {"http://192.0.2.1/x", "192.0.2.1/x", INDICATOR_URL},
    {"http://192.0.2.1/", "", INDICATOR_ADDRESS},
    {"http://[2001:db8::1]/", "", INDICATOR_ADDRESS},
    {"localhost", NULL, 0},
    {"example", NULL, 0},
    {"a.b.1", NULL, 0},
    {"a..example", NULL, 0},
    {"-", NULL, 0},
    {"", NULL, 0},
    {"two words.example", NULL, 0},
    {"http://", NULL, 0},
    {"http:///x", NULL, 0},
    {"http://nohost/x", NULL, 0},
    {"d41d8cd98f00b204e9800998ecf8427e", NULL, 0},
};

static void reads_indicators(void)
{
  for (size_t i = 0; i < sizeof indicators / sizeof *indicators; i++) {
    struct indicator one;
    CASE_BEGIN();
    bool ok = indicator_parse(str_of(indicators[i].text), &one);
    CHECK_INT(ok, indicators[i].is != NULL);
    if (ok && indicators[i].is) CHECK_INT(one.kind, indicators[i].kind);
    if (ok && one.kind != INDICATOR_ADDRESS) CHECK_STR(one.text, indicators[i].is);
    CASE_END("indicator \"%s\"", indicators[i].text);
  }
}

static void knows_lengths(void)
{
  struct indicator one;
  char text[INDICATOR_MAX + 2];
  CASE_BEGIN();
  /* Labels of 63 bytes make a name of 253 with dots. */
  memset(text, 'a', sizeof text);
  text[63] = text[127] = text[191] = '.';
  CHECK_INT(indicator_parse((struct str){text, 252}, &one), true);
  CHECK_INT(indicator_parse((struct str){text, 253}, &one), true);
  CHECK_INT(indicator_parse((struct str){text, 254}, &one), false);
  text[63] = 'a';
  CHECK_INT(indicator_parse((struct str){text, 200}, &one), false);
  memcpy(text, "http://a.example/", 17);
  memset(text + 17, 'p', sizeof text - 17);
  CHECK_INT(indicator_parse((struct str){text, INDICATOR_MAX - 1}, &one), true);
  CHECK_INT(indicator_parse((struct str){text, INDICATOR_MAX}, &one), true);
  CHECK_INT(indicator_parse((struct str){text, INDICATOR_MAX + 1}, &one), false);
  CASE_END("names and URLs one below, at and above their limits");
}

/* ---- feeds ------------------------------------------------------------------------------------------------------- */

#define BUNDLE(objects) "{\"type\":\"bundle\",\"objects\":[" objects "]}"
#define PATTERN(p)      "{\"type\":\"indicator\",\"pattern\":\"" p "\"}"

static const struct {
  const char *name, *text;
  enum feed_format format;
  const char *column;
  int rc;
  unsigned taken, ignored, unreadable, line; /* line: of the error, or of the first unreadable one */
  const char *says;
} feeds[] = {
    {"a plain list", "# c\n; c\n! c\n// c\n\nevil.example\n192.0.2.1 # why\n", FEED_AUTO, NULL, 0, 2, 0, 0, 0, ""},
    {"lines end with CR LF", "evil.example\r\n192.0.2.1\r\n", FEED_AUTO, NULL, 0, 2, 0, 0, 0, ""},
    {"a byte order mark",
     "\xEF\xBB\xBF"
     "evil.example\n",
     FEED_AUTO, NULL, 0, 1, 0, 0, 0, ""},
    {"nothing", "", FEED_AUTO, NULL, VDT_ESYNTAX, 0, 0, 0, 0, "it is empty"},
    {"comments alone", "# all gone\n", FEED_AUTO, NULL, VDT_ESYNTAX, 0, 0, 0, 0, "it is empty"},
    {"a page of HTML", "<html>\n<body>Not found</body>\n", FEED_PLAIN, NULL, VDT_ESYNTAX, 0, 0, 2, 1,
     "nothing in it is an indicator"},
    {"one of twenty is bad",
     "a.example\nb.example\nc.example\nd.example\ne.example\nf.example\ng.example\nh.example\ni.example\n"
     "j.example\nk.example\nl.example\nm.example\nn.example\no.example\np.example\nq.example\nr.example\ns.example\nbad\n",
     FEED_AUTO, NULL, 0, 19, 0, 1, 20, ""},
    {"one of nineteen is bad",
     "a.example\nb.example\nc.example\nd.example\ne.example\nf.example\ng.example\nh.example\ni.example\n"
     "j.example\nk.example\nl.example\nm.example\nn.example\no.example\np.example\nq.example\nr.example\nbad\n",
     FEED_AUTO, NULL, VDT_ESYNTAX, 18, 0, 1, 19, "1 of 19 entries"},
    {"csv", "id,URL\n1,https://evil.example/x\n", FEED_CSV, NULL, 0, 1, 0, 0, 0, ""},
    {"csv with quotes, commas and line ends", "a,indicator\n\"x\n,\"\"y\",\"evil.example\"\n", FEED_CSV, NULL, 0, 1, 0, 0, 0, ""},
    {"csv with its header in a comment", "# terms\n# id,dateadded,url\n\"1\",\"2\",\"https://evil.example/x\"\n", FEED_CSV, NULL,
     0, 1, 0, 0, 0, ""},
    {"csv with the named column", "url,Bad Host\nx,evil.example\n", FEED_CSV, "bad host", 0, 1, 0, 0, 0, ""},
    {"csv without it", "url,host\nhttps://a.example,b.example\n", FEED_CSV, "ioc", VDT_ESYNTAX, 0, 0, 0, 1, "there is no column"},
    {"csv without any", "a,b\n1,2\n", FEED_CSV, NULL, VDT_ESYNTAX, 0, 0, 0, 1, "expected a header"},
    {"csv with an open quotation mark", "url\nhttps://a.example/x\n\"https://b.example\n", FEED_CSV, NULL, VDT_ESYNTAX, 1, 0, 0,
     3, "not closed"},
    {"csv with a short row", "a,url\n1\n", FEED_CSV, NULL, VDT_ESYNTAX, 0, 0, 1, 2, "nothing in it is an indicator"},
    {"stix", BUNDLE(PATTERN("[domain-name:value = 'evil.example']")), FEED_AUTO, NULL, 0, 1, 0, 0, 0, ""},
    {"stix in two ways and with IN",
     BUNDLE(PATTERN("[ipv4-addr:value = '192.0.2.1'] OR [url:value IN ('http://a.example/x', 'http://b.example/y')]")), FEED_AUTO,
     NULL, 0, 3, 0, 0, 0, ""},
    {"stix with a network", BUNDLE(PATTERN("[ipv4-addr:value ISSUBSET '192.0.2.0/24']")), FEED_AUTO, NULL, 0, 1, 0, 0, 0, ""},
    {"stix with AND is left out", BUNDLE(PATTERN("[ipv4-addr:value = '192.0.2.1' AND domain-name:value = 'a.example']")),
     FEED_AUTO, NULL, 0, 0, 1, 0, 0, ""},
    {"stix about files is left out", BUNDLE(PATTERN("[file:hashes.MD5 = 'x']")), FEED_AUTO, NULL, 0, 0, 1, 0, 0, ""},
    {"stix that is over",
     BUNDLE("{\"type\":\"indicator\",\"pattern\":\"[domain-name:value = 'a.example']\",\"valid_until\":\"2020-01-01T00:00:00Z\"},"
            "{\"type\":\"indicator\",\"pattern\":\"[domain-name:value = 'b.example']\",\"revoked\":true}," PATTERN(
                "[domain-name:value = 'c.example']")),
     FEED_AUTO, NULL, 0, 1, 2, 0, 0, ""},
    {"stix of another language", BUNDLE("{\"type\":\"indicator\",\"pattern_type\":\"yara\",\"pattern\":\"rule x {}\"}"),
     FEED_AUTO, NULL, 0, 0, 1, 0, 0, ""},
    {"stix of other objects alone", BUNDLE("{\"type\":\"identity\"}"), FEED_AUTO, NULL, VDT_ESYNTAX, 0, 0, 0, 0, "it is empty"},
    {"stix with a broken pattern", BUNDLE("{\"type\":\"malware\"}," PATTERN("[domain-name:value = 'open")), FEED_AUTO, NULL,
     VDT_ESYNTAX, 0, 0, 1, 2, "nothing in it is an indicator"},
    {"stix with no pattern", BUNDLE("{\"type\":\"indicator\"}"), FEED_AUTO, NULL, VDT_ESYNTAX, 0, 0, 1, 1, "nothing in it"},
    {"stix with an object that is none", BUNDLE("7"), FEED_AUTO, NULL, VDT_ESYNTAX, 0, 0, 1, 1, "nothing in it"},
    {"stix that is no bundle", "{\"type\":\"report\"}", FEED_AUTO, NULL, VDT_ESYNTAX, 0, 0, 0, 1, "expected a STIX bundle"},
    {"stix without objects", "{\"type\":\"bundle\"}", FEED_AUTO, NULL, VDT_ESYNTAX, 0, 0, 0, 1, "without the array"},
    {"stix cut short", "{\"type\":\"bundle\",\"objects\":[", FEED_AUTO, NULL, VDT_ESYNTAX, 0, 0, 0, 1, "byte"},
    {"stix with a member twice", "{\"type\":\"bundle\",\"type\":\"x\"}", FEED_AUTO, NULL, VDT_EDUPKEY, 0, 0, 0, 1, "type"},
};

static void reads_feeds(void)
{
  for (size_t i = 0; i < sizeof feeds / sizeof *feeds; i++) {
    struct intel_section s = {0};
    struct feed_report r;
    struct vdt_error err = {0};
    struct feed_reading how = {"the-list", feeds[i].format, str_of(feeds[i].column), UINT64_C(1700000000000000)};
    CASE_BEGIN();
    int rc = feed_read(&how, str_of(feeds[i].text), &s, &r, &err);
    CHECK_INT(rc, feeds[i].rc);
    CHECK_INT(r.taken, feeds[i].taken);
    CHECK_INT(r.ignored, feeds[i].ignored);
    CHECK_INT(r.unreadable, feeds[i].unreadable);
    CHECK_INT(rc ? err.line : r.first_line, feeds[i].line);
    if (rc) CHECK_STR(str_of(err.file), "the-list");
    if (str_find(str_of(err.text), str_of(feeds[i].says)) == (size_t)-1) {
      printf("# it says: %s\n", err.text);
      test_failed = true;
    }
    if (!rc) CHECK_INT(intel_entries(&s), feeds[i].taken);
    intel_section_finish(&s);
    CASE_END("%s", feeds[i].name);
  }
}

static void knows_how_much(void)
{
  struct intel_section s = {0};
  struct indicator one;
  CASE_BEGIN();
  CHECK_INT(indicator_parse(STR("a.example"), &one), true);
  s.names = calloc(INTEL_ENTRIES_MAX + 1, sizeof *s.names);
  s.n_names = INTEL_ENTRIES_MAX - 1;
  s.cap_names = INTEL_ENTRIES_MAX + 1;
  CHECK_INT(intel_add(&s, &one), VDT_OK);
  CHECK_INT(intel_add(&s, &one), VDT_ETOOBIG);
  intel_section_finish(&s);
  CASE_END("one below and at the most entries of a feed");
}

/* ---- the block --------------------------------------------------------------------------------------------------- */

static struct vdt_intel *open_block(const struct buf *block)
{
  struct vdt_intel *intel = NULL;
  return intel_open(block->p, block->n, NULL, &intel) == VDT_OK ? intel : NULL;
}

static void make_block(struct buf *out)
{
  struct intel_section bad = {.name = "bad", .kind = INTEL_MALICIOUS}, tor = {.name = "tor", .kind = INTEL_TOR};
  struct feed_reading how = {"x", FEED_PLAIN, {0}, 0};
  struct feed_report r;
  struct vdt_error err;
  CHECK_INT(
      feed_read(&how,
                STR("evil.example\nhttps://b.example/Path\n192.0.2.8/29\n192.0.2.10\n192.0.2.30-192.0.2.40\n2001:db8::/64\n"),
                &bad, &r, &err),
      0);
  CHECK_INT(feed_read(&how, STR("192.0.2.35\n"), &tor, &r, &err), 0);
  const struct intel_section *all[] = {&bad, &tor};
  intel_write(all, 2, out);
  intel_section_finish(&bad);
  intel_section_finish(&tor);
}

static bool has_address(const struct vdt_intel *t, unsigned kinds, const char *text)
{
  struct address a;
  struct intel_match m;
  return address_parse(str_of(text), &a) && intel_has_address(t, kinds, &a, &m);
}

static void answers(void)
{
  static const struct {
    const char *text;
    bool in;
  } addresses[] = {{"192.0.2.7", false},      {"192.0.2.8", true},       {"192.0.2.15", true}, {"192.0.2.16", false},
                   {"192.0.2.29", false},     {"192.0.2.30", true},      {"192.0.2.40", true}, {"192.0.2.41", false},
                   {"2001:db8::ffff", true},  {"2001:db8:0:1::", false}, {"0.0.0.0", false},   {"255.255.255.255", false},
                   {"::ffff:192.0.2.9", true}};
  static const struct {
    const char *host;
    bool in;
  } hosts[] = {{"evil.example", true},
               {"EVIL.example.", true},
               {"a.b.evil.example", true},
               {"notevil.example", false},
               {"example", false},
               {"evil.example.org", false},
               {"", false}};
  struct buf block = {0};
  struct intel_match m = {0};
  CASE_BEGIN();
  make_block(&block);
  struct vdt_intel *t = open_block(&block);
  CHECK_INT(t != NULL, true);
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
    if (has_address(t, 1u << INTEL_MALICIOUS, addresses[i].text) != addresses[i].in)
      printf("# %s\n", addresses[i].text), test_failed = true;
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
    if (intel_has_host(t, 1u << INTEL_MALICIOUS, str_of(hosts[i].host), &m) != hosts[i].in)
      printf("# %s\n", hosts[i].host), test_failed = true;
  CHECK_INT(intel_has_url(t, 1u << INTEL_MALICIOUS, STR("B.example"), STR("/Path"), &m), true);
  CHECK_STR(str_of(m.feed), "bad");
  CHECK_INT(intel_has_url(t, 1u << INTEL_MALICIOUS, STR("b.example"), STR("/Path?x=1#y"), &m), true);
  CHECK_INT(intel_has_url(t, 1u << INTEL_MALICIOUS, STR("b.example"), STR("/path"), &m), false);
  CHECK_INT(intel_has_host(t, 1u << INTEL_MALICIOUS, STR("b.example"), &m), false);
  CHECK_INT(has_address(t, 1u << INTEL_TOR, "192.0.2.35"), true);
  CHECK_INT(has_address(t, 1u << INTEL_TOR, "192.0.2.34"), false);
  CHECK_INT(has_address(NULL, 7, "192.0.2.35"), false);
  struct intel_info info;
  CHECK_INT(intel_info(t, 1, &info) && info.ranges == 1 && info.kind == INTEL_TOR && !intel_info(t, 2, &info), true);
  intel_drop(t);
  buf_finish(&block);
  CASE_END("addresses at the edges, hosts, URLs, kinds");
}

/* Any damage is noticed: a changed byte, a missing one, one too many. */
static void notices_damage(void)
{
  struct buf block = {0};
  struct vdt_intel *t = NULL;
  CASE_BEGIN();
  make_block(&block);
  for (size_t i = 0; i < block.n; i++) {
    block.p[i] ^= 1;
    if ((t = open_block(&block))) printf("# byte %zu\n", i), test_failed = true;
    block.p[i] ^= 1;
  }
  for (size_t n = 0; n < block.n; n++)
    if (intel_open(block.p, n, NULL, &t) == VDT_OK) printf("# %zu bytes\n", n), test_failed = true;
  buf_byte(&block, 0);
  CHECK_INT(open_block(&block) != NULL, false);
  buf_finish(&block);
  CASE_END("a damaged block is not opened");
}

static void has_a_list(void)
{
  struct intel_match m;
  CASE_BEGIN();
  struct vdt_intel *t = intel_builtin(), *also = intel_keep(t);
  CHECK_INT(intel_has_host(t, 1u << INTEL_MALICIOUS, STR("phishing.vedette.example"), &m), true);
  CHECK_INT(intel_has_host(t, 1u << INTEL_COLLECTOR, STR("webhook.site"), &m), true);
  CHECK_INT(intel_has_host(t, 1u << INTEL_MALICIOUS, STR("webhook.site"), &m), false);
  CHECK_INT(has_address(t, 1u << INTEL_TOR, "185.220.101.7"), true);
  intel_drop(t);
  CHECK_INT(has_address(also, 1u << INTEL_MALICIOUS, "198.51.100.66"), true);
  intel_drop(also);
  CASE_END("the built-in list; who keeps it, has it");
}

int main(void)
{
  reads_indicators();
  knows_lengths();
  reads_feeds();
  knows_how_much();
  answers();
  notices_damage();
  has_a_list();
  return test_end();
}
