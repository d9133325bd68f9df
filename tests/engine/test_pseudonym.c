/* Pseudonyms of what the shipped rules find: their form, that they are known again and are no secrets, whole and in streams. */
#include "engine/pseudonym.h"
#include "base/json.h"
#include "rig.h"

static const unsigned char key[VDT_PSEUDONYM_KEY] = "the key of this test";
static const unsigned char other_key[VDT_PSEUDONYM_KEY] = "another key";

enum { CORE = 23 };

static const struct rule *rule_named(const char *id)
{
  const struct rule *r = rig_engine->rules.rules;
  while (strcmp(r->id, id) != 0) r++;
  return r;
}

static const char *name_of(const char *rule, const char *value)
{
  static char out[4][VDT_REDACTED_MAX];
  static unsigned turn;
  char *to = out[turn++ % 4];
  pseudonym_make(key, rule_named(rule), str_of(value), to);
  return to;
}

static void forms(void)
{
  const char *pat = name_of("github-pat", "ghp_16C7e42F292c6912E7710c838347Ae178B4a");
  CHECK(str_starts(str_of(pat), STR("ghp_vdt")));
  CHECK_INT(strlen(pat), 4 + CORE);
  const char *mail = name_of("email", "ann@contoso.com");
  CHECK(str_starts(str_of(mail), STR("vdt")));
  CHECK_STR(str_of(mail + CORE), "@pseudonym.invalid");
  const char *pem = name_of("private-key", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----");
  CHECK(str_starts(str_of(pem), STR("vdt")));
  CHECK_INT(strlen(pem), CORE);
}

static unsigned luhn(const char *digits)
{
  unsigned sum = 0;
  for (size_t i = 0; i < 16; i++) {
    unsigned d = (unsigned)(digits[i] - '0') * (i % 2 ? 1 : 2);
    sum += d > 9 ? d - 9 : d;
  }
  return sum % 10;
}

static void a_card_becomes_a_number_that_is_no_card(void)
{
  const char *card = name_of("payment-card", "4556737586899855");
  CHECK_INT(strlen(card), 16);
  CHECK(str_starts(str_of(card), STR("99")));
  CHECK_INT(strspn(card, "0123456789"), 16);
  CHECK(luhn(card) != 0);
}

static void equal_values_have_equal_names_and_others_do_not(void)
{
  char under_other[VDT_REDACTED_MAX];
  pseudonym_make(other_key, rule_named("email"), STR("ann@contoso.com"), under_other);
  CHECK_STR(str_of(name_of("email", "ann@contoso.com")), name_of("email", "ann@contoso.com"));
  CHECK(strcmp(name_of("email", "ann@contoso.com"), name_of("email", "anne@contoso.com")) != 0);
  CHECK(strcmp(name_of("email", "ann@contoso.com"), under_other) != 0);
  CHECK(strcmp(name_of("payment-card", "4556737586899855"), name_of("payment-card", "4556737586899856")) != 0);
}

static void another_value_in_the_same_form(void)
{
  char name[VDT_REDACTED_MAX];
  pseudonym_make(key, rule_named("email"), STR("ann@contoso.com"), name);
  pseudonym_rename(key, STR("bob@contoso.com"), name);
  CHECK_STR(str_of(name), name_of("email", "bob@contoso.com"));
  pseudonym_make(key, rule_named("payment-card"), STR("4556737586899855"), name);
  pseudonym_rename(key, STR("1"), name);
  CHECK_STR(str_of(name), name_of("payment-card", "1"));
}

static bool known(const char *text)
{
  return pseudonym_is(key, &rig_engine->rules, str_of(text));
}

static void names_are_known_again(void)
{
  char text[256];
  const char *name = name_of("github-pat", "ghp_16C7e42F292c6912E7710c838347Ae178B4a");
  CHECK(known(name) && known(name + 4) && known(name_of("email", "ann@contoso.com")));
  CHECK(!pseudonym_is(other_key, &rig_engine->rules, str_of(name)));
  CHECK(!known("") && !known("vdt") && !known("ghp_vdt0123456789abcdefghjk"));
  snprintf(text, sizeof text, "%.*s", (int)strlen(name) - 1, name);
  CHECK(!known(text));
  for (size_t i = 4; name[i]; i++) { /* one character changed */
    snprintf(text, sizeof text, "%s", name);
    text[i] = text[i] == 'q' ? 'r' : 'q';
    CHECK(!known(text));
  }
  snprintf(text, sizeof text, "annabelle.smith:%s", name + 4);
  CHECK(!known(text)); /* 16 bytes beside it */
  snprintf(text, sizeof text, "annabelle.smit:%s", name);
  CHECK(known(text));
  snprintf(text, sizeof text, "%s:%s", name, name);
  CHECK(known(text));
}

/* ---- what the rules find ---------------------------------------------------------------------------------------- */

static struct vdt_policy pseudonyms(void)
{
  struct vdt_policy p = rig_policy(VDT_REDACT);
  p.credential.mask = p.sensitive.mask = VDT_MASK_PSEUDONYM;
  p.credential.minimum_confidence = 75;
  p.pseudonym_key = key;
  return p;
}

static void whole(struct vdt_arena *arena, struct str text, struct buf *out, size_t *n)
{
  struct vdt_policy policy = pseudonyms();
  struct vdt_result r;
  size_t at = 0;
  if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r)) abort();
  for (size_t i = 0; i < r.n_masks; i++) {
    buf_put(out, str_cut(text, at, r.masks[i].start));
    buf_put(out, str_of(r.masks[i].text));
    at = r.masks[i].end;
    CHECK(r.masks[i].pseudonym != (r.masks[i].detector == VDT_DET_URL) && r.masks[i].text[0]);
  }
  buf_put(out, str_cut(text, at, text.n));
  *n = r.n_masks;
}

static void stream(struct vdt_arena *arena, struct str text, size_t cut, struct buf *out)
{
  struct vdt_policy policy = pseudonyms();
  struct vdt_stream *s;
  struct vdt_release rel;
  if (vdt_stream_new(rig_scanner, arena, &policy, VDT_RESPONSE, &s)) abort();
  for (size_t at = 0; at < text.n; at += cut) {
    if (vdt_stream_feed(s, text.p + at, cut < text.n - at ? cut : text.n - at, &rel)) abort();
    buf_put(out, (struct str){rel.p, rel.n});
  }
  if (vdt_stream_finish(s, &rel)) abort();
  buf_put(out, (struct str){rel.p, rel.n});
  vdt_stream_free(s);
}

/* Every example: masked, then scanned again. */
static void names_are_no_secrets(void)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  unsigned texts = 0, wrong = 0;
  for (unsigned i = 0; i < rig_engine->rules.n; i++) {
    const struct rule *r = &rig_engine->rules.rules[i];
    for (unsigned m = 0; !rule_is_score(r) && m < r->n_match; m++, texts++) {
      struct buf once = {0}, twice = {0};
      size_t n, again;
      vdt_arena_reset(arena);
      whole(arena, r->match[m], &once, &n);
      whole(arena, buf_str(&once), &twice, &again);
      if (n && again && !wrong++) printf("# %s: %.*s -> %.*s\n", r->id, (int)once.n, once.p, (int)twice.n, twice.p);
      buf_finish(&once);
      buf_finish(&twice);
    }
  }
  printf("# %u texts\n", texts);
  CHECK(texts > 400);
  CHECK_INT(wrong, 0);
  vdt_arena_free(arena);
}

static void streams_give_the_same_names(void)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  unsigned wrong = 0;
  for (unsigned i = 0; i < rig_engine->rules.n; i++) {
    const struct rule *r = &rig_engine->rules.rules[i];
    for (unsigned m = 0; !rule_is_score(r) && m < r->n_match; m++) {
      struct buf at_once = {0}, in_pieces = {0};
      struct vdt_policy policy = pseudonyms();
      struct vdt_result found;
      size_t n;
      vdt_arena_reset(arena);
      if (vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, r->match[m].p, r->match[m].n, &found)) abort();
      bool decoded = false;
      for (size_t k = 0; k < found.n_findings; k++) decoded |= found.findings[k].n_layers > 0;
      whole(arena, r->match[m], &at_once, &n);
      stream(arena, r->match[m], 1 + i % 7, &in_pieces);
      if (!decoded && !str_eq(buf_str(&at_once), buf_str(&in_pieces)) && !wrong++)
        printf("# %s: %.*s | %.*s\n", r->id, (int)at_once.n, at_once.p, (int)in_pieces.n, in_pieces.p);
      buf_finish(&at_once);
      buf_finish(&in_pieces);
    }
  }
  CHECK_INT(wrong, 0);
  vdt_arena_free(arena);
}

static void without_a_key_there_are_labels(void)
{
  struct vdt_policy policy = pseudonyms();
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result r;
  struct str text = rule_named("github-pat")->match[0];
  policy.pseudonym_key = NULL;
  CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r), 0);
  CHECK(r.n_masks == 1 && !r.masks[0].pseudonym);
  CHECK_STR(str_of(r.masks[0].text), "[REDACTED:github-pat]");
  vdt_arena_free(arena);
}

static void kinds_have_masks_of_their_own(void)
{
  static const struct vdt_kind_policy kinds[] = {{.kind = "github-*", .mask = VDT_KIND_MASK_PSEUDONYM},
                                                 {.kind = "github-pat", .mask = VDT_KIND_MASK_LABEL}};
  struct vdt_policy policy = rig_policy(VDT_REDACT);
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result r;
  struct vdt_error err;
  policy.pseudonym_key = key;
  policy.credential.kinds = kinds;
  for (size_t n = 1; n <= 2; n++) {
    struct str text = rule_named("github-pat")->match[0];
    policy.credential.n_kinds = n;
    CHECK_INT(vdt_policy_bind(rig_engine, arena, &policy, &err), 0);
    CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_RESPONSE, text.p, text.n, &r), 0);
    CHECK(r.n_masks == 1 && r.masks[0].pseudonym == (n == 1));
    CHECK(str_starts(str_of(r.masks[0].text), n == 1 ? STR("ghp_vdt") : STR("[REDACTED:")));
  }
  vdt_arena_free(arena);
}

/* What a policy lets pass has a name too, for the places where an answer was masked. */
static void what_passes_is_named(void)
{
  struct vdt_policy policy = pseudonyms();
  struct vdt_arena *arena = vdt_arena_new(0);
  struct vdt_result r;
  struct str text = rule_named("github-pat")->match[0];
  CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_PROMPT, text.p, text.n, &r), 0);
  CHECK(r.n_masks == 0 && r.n_names == 1);
  CHECK(str_starts(str_of(r.names[0].text), STR("ghp_vdt")));
  CHECK(r.names[0].start == r.findings[0].start && r.names[0].end == r.findings[0].end);
  vdt_arena_free(arena);
}

int main(void)
{
  rig_load();
  RUN(forms);
  RUN(a_card_becomes_a_number_that_is_no_card);
  RUN(equal_values_have_equal_names_and_others_do_not);
  RUN(another_value_in_the_same_form);
  RUN(names_are_known_again);
  RUN(names_are_no_secrets);
  RUN(streams_give_the_same_names);
  RUN(without_a_key_there_are_labels);
  RUN(kinds_have_masks_of_their_own);
  RUN(what_passes_is_named);
  rig_unload();
  return test_end();
}
