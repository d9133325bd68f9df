/* Sealed texts: they open with the key and in their place only; every bit of a token counts; chains, days, roots, rotation; limits. */
#include "record/seal.h"
#include "../test.h"
#include <sodium.h>

static struct vdt_arena *arena;
static const struct str W = STR("weu");
static const uint64_t NOON = UINT64_C(1795694400000000), DAY = UINT64_C(86400000000);
static const struct seal_place here = {STR("weu"), STR("0123456789abcdef0123456789abcdef"), SEAL_FINDING,
                                       STR("jailbreak-override")};

struct pair {
  struct buf text; /* private lines */
  struct seal_public public;
  struct seal_private *private;
};

static void read_pair(struct pair *p)
{
  struct vdt_error err = {0};
  seal_private_free(p->private);
  CHECK_INT(seal_private_read(buf_str(&p->text), "test.key", W, &p->private, &err), VDT_OK);
  if (err.text[0]) printf("# %s\n", err.text);
}

static void add_key(struct pair *p)
{
  CHECK_INT(seal_key_make(W, &p->text, &p->public, NULL), VDT_OK);
  read_pair(p);
}

static void finish_pair(struct pair *p)
{
  seal_private_free(p->private);
  seal_text_finish(&p->text);
}

static struct str seal_one(struct sealer *s, uint64_t when, struct str text)
{
  struct buf b = {0};
  CHECK_INT(seal(s, when, &here, text, &b), VDT_OK);
  struct str token = arena_dup(arena, buf_str(&b));
  buf_finish(&b);
  CHECK(sealed_looks_right(token));
  return token;
}

static int open_at(const struct seal_private *keys, const struct seal_place *place, struct str token, struct str *text)
{
  struct sealed s;
  struct vdt_error err = {0};
  *text = (struct str){0};
  int rc = sealed_read(token, arena, &s, &err);
  if (!rc) rc = seal_open(keys, place, &s, arena, text, &err);
  return rc;
}

static void what_is_sealed_opens(void)
{
  struct pair p = {0};
  struct str text;
  add_key(&p);
  struct sealer *s = sealer_new(W, &p.public);
  const struct str texts[] = {STR(""), STR("a"), STR("Ignore all previous instructions.\0and more\xff")};
  for (size_t i = 0; i < 3; i++) {
    struct str token = seal_one(s, NOON, texts[i]);
    CHECK(texts[i].n < 2 || str_find(token, texts[i]) == (size_t)-1);
    CHECK_INT(open_at(p.private, &here, token, &text), VDT_OK);
    CHECK(str_eq(text, texts[i]));
  }
  CHECK(!str_eq(seal_one(s, NOON, STR("x")), seal_one(s, NOON, STR("x"))));
  sealer_free(s);
  finish_pair(&p);
}

static void sizes_have_a_limit(void)
{
  struct pair p = {0};
  struct str text;
  struct buf b = {0};
  add_key(&p);
  struct sealer *s = sealer_new(W, &p.public);
  char *big = calloc(1, SEAL_TEXT_MAX + 1);
  for (size_t n = SEAL_TEXT_MAX - 1; n <= SEAL_TEXT_MAX; n++) {
    CHECK_INT(open_at(p.private, &here, seal_one(s, NOON, (struct str){big, n}), &text), VDT_OK);
    CHECK_INT(text.n, n);
  }
  CHECK_INT(seal(s, NOON, &here, (struct str){big, SEAL_TEXT_MAX + 1}, &b), VDT_ETOOBIG);
  CHECK_INT(b.n, 0);
  struct sealed parts;
  char *token = calloc(1, SEAL_TOKEN_MAX + 1);
  memset(token, 'A', SEAL_TOKEN_MAX + 1);
  CHECK(!sealed_looks_right((struct str){token, SEAL_TOKEN_MIN - 1}) && sealed_looks_right((struct str){token, SEAL_TOKEN_MIN}));
  CHECK(sealed_looks_right((struct str){token, SEAL_TOKEN_MAX}) && !sealed_looks_right((struct str){token, SEAL_TOKEN_MAX + 1}));
  CHECK_INT(sealed_read((struct str){token, SEAL_TOKEN_MIN}, arena, &parts, NULL), VDT_ESYNTAX); /* version 0 */
  free(token);
  free(big);
  sealer_free(s);
  finish_pair(&p);
}

/* No bit and no byte of a token can be changed, none left out, none added. */
static void every_bit_counts(void)
{
  struct pair p = {0};
  struct str text;
  add_key(&p);
  struct sealer *s = sealer_new(W, &p.public);
  struct str token = seal_one(s, NOON, STR("the suspicious part"));
  unsigned char raw[512];
  size_t n = 0;
  int base = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  CHECK_INT(sodium_base642bin(raw, sizeof raw, token.p, token.n, NULL, &n, NULL, base), 0);
  unsigned opened = 0;
  for (size_t bit = 0; bit < n * 8; bit++) {
    char changed[1024];
    raw[bit / 8] ^= (unsigned char)(1 << bit % 8);
    sodium_bin2base64(changed, sizeof changed, raw, n, base);
    raw[bit / 8] ^= (unsigned char)(1 << bit % 8);
    opened += open_at(p.private, &here, str_of(changed), &text) == VDT_OK || text.n;
  }
  CHECK_INT(opened, 0);
  for (size_t cut = 0; cut < token.n; cut++) opened += open_at(p.private, &here, str_cut(token, 0, cut), &text) == VDT_OK;
  for (const char *more = "A-_ =\n"; *more; more++)
    opened += open_at(p.private, &here, str_of(arena_printf(arena, "%.*s%c", (int)token.n, token.p, *more)), &text) == VDT_OK;
  CHECK_INT(opened, 0);
  CHECK_INT(open_at(p.private, &here, token, &text), VDT_OK);
  sealer_free(s);
  finish_pair(&p);
}

static void another_place_is_refused(void)
{
  struct pair p = {0};
  struct str text;
  add_key(&p);
  struct sealer *s = sealer_new(W, &p.public);
  struct str token = seal_one(s, NOON, STR("text"));
  const struct seal_place others[] = {{STR("eus"), here.interaction, SEAL_FINDING, here.rule},
                                      {STR("we"), here.interaction, SEAL_FINDING, here.rule},
                                      {W, STR("0123456789abcdef0123456789abcdee"), SEAL_FINDING, here.rule},
                                      {W, here.interaction, SEAL_REQUEST, here.rule},
                                      {W, here.interaction, SEAL_RESPONSE, here.rule},
                                      {W, here.interaction, SEAL_FINDING, STR("jailbreak-overrid")},
                                      {W, here.interaction, SEAL_FINDING, STR("")}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) CHECK_INT(open_at(p.private, &others[i], token, &text), VDT_EAUTH);
  CHECK_INT(open_at(p.private, &here, token, &text), VDT_OK);
  sealer_free(s);
  finish_pair(&p);
}

static void another_key_is_named_and_does_not_open(void)
{
  struct pair p = {0}, q = {0};
  struct str text;
  struct sealed parts;
  struct vdt_error err = {0};
  add_key(&p);
  add_key(&q);
  struct sealer *s = sealer_new(W, &p.public);
  struct str token = seal_one(s, NOON, STR("text"));
  CHECK_INT(sealed_read(token, arena, &parts, NULL), VDT_OK);
  CHECK_STR(str_of(parts.key), p.public.id);
  CHECK_INT(seal_open(q.private, &here, &parts, arena, &text, &err), VDT_ENOTFOUND);
  CHECK(strstr(err.text, p.public.id) != NULL);
  CHECK_INT(seal_open(NULL, &here, &parts, arena, &text, &err), VDT_ENOTFOUND);
  memcpy(parts.key, q.public.id, sizeof parts.key); /* who claims that it is his */
  CHECK_INT(seal_open(q.private, &here, &parts, arena, &text, &err), VDT_EAUTH);
  sealer_free(s);
  finish_pair(&p);
  finish_pair(&q);
}

static void rotation_keeps_the_old_readable(void)
{
  struct pair p = {0};
  struct str text;
  add_key(&p);
  struct sealer *s = sealer_new(W, &p.public);
  struct str old = seal_one(s, NOON, STR("old"));
  sealer_free(s);
  struct seal_private *before = p.private;
  p.private = NULL;
  add_key(&p);
  CHECK_INT(p.private->n, 2);
  s = sealer_new(W, &p.public);
  struct str new = seal_one(s, NOON, STR("new"));
  CHECK_INT(open_at(p.private, &here, old, &text), VDT_OK);
  CHECK_INT(open_at(p.private, &here, new, &text), VDT_OK);
  CHECK_STR(text, "new");
  CHECK_INT(open_at(before, &here, new, &text), VDT_ENOTFOUND);
  seal_private_free(before);
  sealer_free(s);
  finish_pair(&p);
}

/* A data key lasts SEAL_STEPS texts and a day, whichever is over first. */
static void data_keys_change(void)
{
  struct pair p = {0};
  struct str text;
  struct sealed first, now = {0};
  unsigned roots = 1;
  add_key(&p);
  struct sealer *s = sealer_new(W, &p.public);
  CHECK_INT(sealed_read(seal_one(s, NOON, STR("0")), arena, &first, NULL), VDT_OK);
  for (unsigned i = 1; i <= 2 * SEAL_STEPS; i++) {
    struct sealed was = i == 1 ? first : now;
    struct str token = seal_one(s, NOON, STR("n"));
    CHECK_INT(sealed_read(token, arena, &now, NULL), VDT_OK);
    bool same = memcmp(was.root_id, now.root_id, SEAL_ROOT_ID) == 0;
    CHECK(same == (i % SEAL_STEPS != 0));
    roots += !same;
    CHECK_INT(open_at(p.private, &here, token, &text), VDT_OK);
  }
  CHECK_INT(roots, 3);
  CHECK_INT(now.day, seal_day(NOON));
  CHECK_INT(sealed_read(seal_one(s, NOON + DAY / 2 - 1, STR("n")), arena, &first, NULL), VDT_OK);
  CHECK(memcmp(first.root_id, now.root_id, SEAL_ROOT_ID) == 0);
  CHECK_INT(sealed_read(seal_one(s, NOON + DAY / 2, STR("n")), arena, &first, NULL), VDT_OK);
  CHECK(memcmp(first.root_id, now.root_id, SEAL_ROOT_ID) != 0 && first.day == now.day + 1);
  sealer_free(s);
  finish_pair(&p);
}

/* Made ahead, it is wanted from the middle of the one before on, taken once, and of its own day only. */
static void data_keys_are_made_ahead(void)
{
  struct pair p = {0};
  struct str text;
  struct sealed first, now = {0};
  add_key(&p);
  struct sealer *s = sealer_new(W, &p.public);
  CHECK(!sealer_wants(NULL, NOON) && sealer_wants(s, NOON));
  sealer_prepare(NULL, NOON);
  sealer_prepare(s, NOON);
  CHECK(!sealer_wants(s, NOON) && sealer_wants(s, NOON + DAY));
  for (unsigned i = 0; i < 3 * SEAL_STEPS; i++) {
    struct str token = seal_one(s, NOON, STR("n"));
    unsigned used = i % SEAL_STEPS + 1;
    CHECK_INT(sealed_read(token, arena, &now, NULL), VDT_OK);
    CHECK_INT(open_at(p.private, &here, token, &text), VDT_OK);
    if (used == 1) first = now;
    CHECK(memcmp(first.root_id, now.root_id, SEAL_ROOT_ID) == 0);
    CHECK(sealer_wants(s, NOON) == (used >= SEAL_STEPS / 2 && used < SEAL_STEPS - 2));
    if (used == SEAL_STEPS - 3) sealer_prepare(s, NOON);
  }
  struct str token = seal_one(s, NOON + DAY, STR("n")); /* with one made ahead for the day before */
  CHECK_INT(open_at(p.private, &here, token, &text), VDT_OK);
  CHECK_INT(sealed_read(token, arena, &now, NULL), VDT_OK);
  CHECK_INT(now.day, seal_day(NOON + DAY));
  CHECK(memcmp(first.root_id, now.root_id, SEAL_ROOT_ID) != 0 && !sealer_wants(s, NOON + DAY));
  sealer_free(s);
  finish_pair(&p);
}

/* With the data key gone the private key opens nothing, and the data key of another text does not stand in. */
static void without_its_data_key_nothing_opens(void)
{
  struct pair p = {0};
  struct str text;
  struct sealed a, b;
  add_key(&p);
  struct sealer *s = sealer_new(W, &p.public), *t = sealer_new(W, &p.public);
  CHECK_INT(sealed_read(seal_one(s, NOON, STR("text")), arena, &a, NULL), VDT_OK);
  CHECK_INT(sealed_read(seal_one(t, NOON, STR("text")), arena, &b, NULL), VDT_OK);
  struct str wrapped = a.wrapped;
  a.wrapped = (struct str){0};
  CHECK_INT(seal_open(p.private, &here, &a, arena, &text, NULL), VDT_ESTATE);
  a.wrapped = b.wrapped;
  CHECK_INT(seal_open(p.private, &here, &a, arena, &text, NULL), VDT_EAUTH);
  a.wrapped = wrapped;
  a.day++;
  CHECK_INT(seal_open(p.private, &here, &a, arena, &text, NULL), VDT_EAUTH);
  a.day--;
  CHECK_INT(seal_open(p.private, &here, &a, arena, &text, NULL), VDT_OK);
  a.body.n = 2 + SEAL_NONCE + SEAL_TAG - 1;
  CHECK_INT(seal_open(p.private, &here, &a, arena, &text, NULL), VDT_EAUTH);
  sealer_free(s);
  sealer_free(t);
  finish_pair(&p);
}

static void tokens_come_apart_and_together(void)
{
  struct pair p = {0};
  struct sealed parts;
  struct buf again = {0};
  add_key(&p);
  struct sealer *s = sealer_new(W, &p.public);
  struct str token = seal_one(s, NOON, STR("text"));
  CHECK_INT(sealed_read(token, arena, &parts, NULL), VDT_OK);
  sealed_write(&parts, &again);
  CHECK(str_eq(buf_str(&again), token));
  buf_reset(&again);
  parts.wrapped.n = 0;
  sealed_write(&parts, &again);
  CHECK(again.failed);
  buf_finish(&again);
  sealer_free(s);
  finish_pair(&p);
}

static void packed_texts_come_apart(void)
{
  struct buf b = {0};
  struct str all, one;
  const struct str texts[] = {STR("a"), STR(""), STR("three")};
  for (size_t i = 0; i < 3; i++) seal_pack(&b, texts[i]);
  all = buf_str(&b);
  for (size_t i = 0; i < 3; i++) CHECK(seal_unpack(&all, &one) && str_eq(one, texts[i]));
  CHECK(!seal_unpack(&all, &one));
  for (size_t n = 0; n < b.n; n++) { /* cut anywhere: what is whole, and no more */
    all = str_cut(buf_str(&b), 0, n);
    size_t got = 0;
    while (seal_unpack(&all, &one)) got++;
    CHECK_INT(got, (n >= 5) + (n >= 9));
  }
  buf_finish(&b);
}

/* ---- key files -------------------------------------------------------------------------------------------------- */

static void refuses(struct str text, bool private, const char *why)
{
  struct vdt_error err = {0};
  struct seal_public public;
  struct seal_private *keys = NULL;
  CASE_BEGIN();
  int rc = private ? seal_private_read(text, "k", W, &keys, &err) : seal_public_read(text, "k", W, &public, &err);
  CHECK_INT(rc, VDT_ECONFIG);
  CHECK(strstr(err.text, why) != NULL && keys == NULL);
  if (test_failed) printf("# %s\n", err.text);
  CASE_END("a %s key file is refused: %s", private ? "private" : "public", why);
}

static struct str with(struct str line, const char *from, const char *to)
{
  size_t at = str_find(line, str_of(from));
  struct str rest = str_cut(line, at + strlen(from), line.n);
  return str_of(arena_printf(arena, "%.*s%s%.*s", (int)at, line.p, to, (int)rest.n, rest.p));
}

static void key_files(void)
{
  struct pair p = {0};
  struct buf public = {0};
  struct seal_public got;
  CASE_BEGIN();
  add_key(&p);
  seal_public_write(W, &p.public, &public);
  CHECK_INT(seal_public_read(buf_str(&public), "k", W, &got, NULL), VDT_OK);
  CHECK(strcmp(got.id, p.public.id) == 0 && memcmp(got.key, p.public.key, sizeof got.key) == 0);
  CHECK(strcmp(p.private->keys[0].public.id, got.id) == 0);
  struct str spaced = str_of(arena_printf(arena, "# a comment\r\n\n  \t%.*s\n#end", (int)public.n, public.p));
  CHECK_INT(seal_public_read(spaced, "k", W, &got, NULL), VDT_OK);
  CASE_END("what is written is read, with comments and blanks");
  struct str pub = buf_str(&public), priv = buf_str(&p.text);
  refuses(STR(""), false, "expected \"vedette-public-1");
  refuses(STR(""), true, "no key is in it");
  refuses(priv, false, "expected \"vedette-public-1");
  refuses(pub, true, "expected \"vedette-private-1");
  refuses(with(pub, " weu ", " eus "), false, "another workspace");
  refuses(with(priv, " weu ", " eus "), true, "another workspace");
  refuses(with(pub, p.public.id, "0000000000000000"), false, "the key is damaged");
  refuses(with(pub, " weu ", " weu weu "), false, "expected \"vedette-public-1");
  refuses(str_of(arena_printf(arena, "%.*s%.*s", (int)pub.n, pub.p, (int)pub.n, pub.p)), false, "one key only");
  refuses(str_of(arena_printf(arena, "%.*s%.*s", (int)priv.n, priv.p, (int)priv.n, priv.p)), true, "stands twice");
  refuses(str_cut(priv, 0, priv.n - 3), true, "the key is damaged");
  struct vdt_error err = {0};
  struct seal_private *none;
  CASE_BEGIN();
  seal_private_read(str_cut(priv, 0, priv.n - 3), "k", W, &none, &err);
  struct str secret = str_cut(priv, priv.n - 40, priv.n - 20);
  CHECK(str_find(str_of(err.text), secret) == (size_t)-1);
  CASE_END("an error about a private key does not show it");
  CASE_BEGIN();
  while (p.private->n < SEAL_KEYS_MAX) add_key(&p);
  CHECK_INT(p.private->n, SEAL_KEYS_MAX);
  CHECK_INT(seal_key_make(W, &p.text, &p.public, NULL), VDT_OK);
  CHECK_INT(seal_private_read(buf_str(&p.text), "k", W, &none, &err), VDT_ECONFIG);
  CASE_END("%d keys are read, one more is not", SEAL_KEYS_MAX);
  buf_finish(&public);
  finish_pair(&p);
}

int main(void)
{
  if (sodium_init() < 0) return 1;
  arena = vdt_arena_new(0);
  RUN(what_is_sealed_opens);
  RUN(sizes_have_a_limit);
  RUN(every_bit_counts);
  RUN(another_place_is_refused);
  RUN(another_key_is_named_and_does_not_open);
  RUN(rotation_keeps_the_old_readable);
  RUN(data_keys_change);
  RUN(data_keys_are_made_ahead);
  RUN(without_its_data_key_nothing_opens);
  RUN(tokens_come_apart_and_together);
  RUN(packed_texts_come_apart);
  key_files();
  vdt_arena_free(arena);
  return test_end();
}
