/* Sealed evidence in the store: apart from its data keys, together again when it is read, gone for good when they are dropped; whole texts. */
#include "../record/sample.h"
#include "../test.h"
#include "record/seal.h"
#include "store_rig.h"
#include <ftw.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t T0 = UINT64_C(1795694400000000), HOUR = UINT64_C(3600000000), DAY = UINT64_C(86400000000);
static struct seal_private *keys;
static struct seal_public public;
static struct sealer *sealer;

static struct str token(const char *id, uint64_t when, enum seal_kind kind, struct str rule, struct str text)
{
  struct buf b = {0}, packed = {0};
  struct seal_place p = {STR("weu"), str_of(id), kind, rule};
  seal_pack(&packed, text);
  seal_pack(&packed, STR(""));
  CHECK_INT(seal(sealer, when, &p, kind == SEAL_FINDING ? buf_str(&packed) : text, &b), VDT_OK);
  struct str out = arena_dup(arena, buf_str(&b));
  buf_finish(&b);
  buf_finish(&packed);
  return out;
}

/* One interaction with a sealed finding and a whole request, as the collector stores it. */
static struct record put(unsigned number, uint64_t when)
{
  static struct record_finding f[16];
  struct record r = sample_full();
  struct alert events[ALERT_TYPES];
  size_t n = 0;
  bool began;
  snprintf(r.id, sizeof r.id, "%032x", number);
  r.time_us = when;
  r.end_user = str_of(arena_printf(arena, "user-%u", number));
  f[number % 16] = sample_findings[0];
  f[number % 16].evidence = f[number % 16].decoded = (struct str){0};
  f[number % 16].sealed = token(r.id, when, SEAL_FINDING, f[number % 16].rule, STR("the suspicious part"));
  r.findings = &f[number % 16];
  r.n_findings = 1;
  r.request.text = token(r.id, when, SEAL_REQUEST, STR(""), STR("the whole prompt"));
  r.request.text_cut = 5;
  r.response.text = (struct str){0};
  CHECK_INT(alert_events(&r, &place, when, arena, events, &n), VDT_OK);
  CHECK_INT(s->ops->begin(s, NULL), VDT_OK);
  for (size_t i = 0; i < n; i++) CHECK_INT(s->ops->put_event(s, &events[i], HOUR, &began, NULL), VDT_OK);
  CHECK_INT(s->ops->commit(s, NULL), VDT_OK);
  return r;
}

/* What the rows of an interaction say: the text, "shredded", or another word for what is wrong. */
static struct str segment(const struct record *r)
{
  struct alert_evidence *rows;
  struct sealed sealed;
  struct str text, first;
  size_t n;
  CHECK_INT(s->ops->list_evidence(s, str_of(r->id), arena, &rows, &n, NULL), VDT_OK);
  if (n == 0) return STR("no row");
  if (rows[0].shredded) return STR("shredded");
  struct seal_place p = {STR("weu"), {rows[0].interaction, RECORD_ID_LEN}, SEAL_FINDING, rows[0].rule};
  if (sealed_read(rows[0].sealed, arena, &sealed, NULL)) return STR("no token");
  if (seal_open(keys, &p, &sealed, arena, &text, NULL)) return STR("closed");
  return seal_unpack(&text, &first) ? arena_dup(arena, first) : STR("damaged");
}

static struct str whole(const struct record *r)
{
  struct store_text t[2];
  struct sealed sealed;
  struct str text;
  struct seal_place p = {STR("weu"), str_of(r->id), SEAL_REQUEST, STR("")};
  CHECK_INT(s->ops->get_texts(s, str_of(r->id), arena, t, NULL), VDT_OK);
  CHECK(t[1].sealed.n == 0 && !t[1].shredded);
  if (t[0].shredded) return STR("shredded");
  if (!t[0].sealed.n) return STR("none");
  CHECK_INT(t[0].cut, 5);
  if (sealed_read(t[0].sealed, arena, &sealed, NULL)) return STR("no token");
  return seal_open(keys, &p, &sealed, arena, &text, NULL) ? STR("closed") : text;
}

static uint64_t data_keys(uint32_t *first, uint32_t *last)
{
  struct store_data_keys *list;
  size_t n;
  CHECK_INT(s->ops->list_data_keys(s, arena, &list, &n, NULL), VDT_OK);
  CHECK(n <= 1);
  if (n && first) *first = list[0].first_day;
  if (n && last) *last = list[0].last_day;
  if (n) CHECK_STR(list[0].key, public.id);
  return n ? list[0].n : 0;
}

static uint64_t dropped(uint32_t before)
{
  uint64_t n = 99;
  CHECK_INT(s->ops->drop_evidence_keys(s, before, &n, NULL), VDT_OK);
  return n;
}

/* Takes the evidence of an interaction away: an alert with two events loses the rows of one that is withdrawn. */
static void forget(const struct record *r)
{
  struct alert events[ALERT_TYPES], repeats[ALERT_TYPES];
  struct record other = *r;
  size_t n, m;
  other.id[0] = 'f';
  other.n_findings = r->n_findings;
  CHECK_INT(alert_events(r, &place, r->time_us, arena, events, &n), VDT_OK);
  CHECK_INT(alert_events(&other, &place, r->time_us, arena, repeats, &m), VDT_OK);
  CHECK_INT(n, m);
  for (size_t i = 0; i < n && i < m; i++) {
    bool began;
    repeats[i].n_evidence = 0;
    CHECK_INT(s->ops->put_event(s, &repeats[i], HOUR, &began, NULL), VDT_OK);
    CHECK(!began);
    CHECK_INT(s->ops->withdraw_event(s, &events[i], HOUR, STR("test"), r->time_us, NULL), VDT_OK);
  }
  CHECK_STR(segment(r), "no row");
}

static void what_is_stored_opens_again(void)
{
  uint32_t first = 0, last = 0;
  fresh();
  struct record a = put(1, T0), b = put(2, T0 + DAY);
  CHECK_STR(segment(&a), "the suspicious part");
  CHECK_STR(whole(&a), "the whole prompt");
  CHECK_STR(segment(&b), "the suspicious part");
  CHECK_INT(data_keys(&first, &last), 2);
  CHECK(first == seal_day(T0) && last == first + 1);
  struct record none = sample_small();
  CHECK_STR(segment(&none), "no row");
  CHECK_STR(whole(&none), "none");
}

/* Data keys go by day, one before, at and after it, and only when nothing needs them. */
static void data_keys_go_when_nothing_needs_them(void)
{
  fresh();
  struct record a = put(1, T0), b = put(2, T0 + DAY);
  uint32_t day = seal_day(T0);
  CHECK_INT(dropped(day + 9), 0);
  CHECK_STR(segment(&a), "the suspicious part");
  forget(&a);
  CHECK_INT(dropped(day), 0);
  CHECK_STR(whole(&a), "the whole prompt"); /* of that day, not before it */
  CHECK_INT(data_keys(NULL, NULL), 2);
  CHECK_INT(dropped(day + 1), 1);
  CHECK_STR(whole(&a), "none");
  CHECK_INT(data_keys(NULL, NULL), 1);
  CHECK_STR(segment(&b), "the suspicious part");
  CHECK_STR(whole(&b), "the whole prompt");
  forget(&b);
  CHECK_INT(dropped(day + 1), 0);
  CHECK_INT(dropped(day + 2), 1);
  CHECK_INT(data_keys(NULL, NULL), 0);
}

/* A key that others need stays with them. */
static void a_held_row_keeps_its_key(void)
{
  fresh();
  struct record a = put(1, T0), b = put(2, T0 + 1);
  forget(&a);
  CHECK_INT(dropped(seal_day(T0) + 1), 0);
  CHECK_STR(segment(&b), "the suspicious part");
  CHECK_STR(whole(&a), "none");
  CHECK_STR(whole(&b), "the whole prompt");
}

/* What is no token, or one of a version to come, is left out, and the finding stays. */
static void what_is_no_token_is_left_out(void)
{
  fresh();
  struct record r = sample_full();
  struct alert events[ALERT_TYPES], *list;
  struct store_query q = STORE_QUERY_ALL;
  size_t n;
  bool began;
  struct record_finding f = sample_findings[0];
  f.sealed = STR("_" SAMPLE_TOKEN); /* version 255 */
  r.findings = &f;
  r.n_findings = 1;
  r.request.text = r.response.text = STR("AAAA" SAMPLE_TOKEN);
  CHECK_INT(alert_events(&r, &place, 1, arena, events, &n), VDT_OK);
  CHECK_INT(s->ops->put_event(s, &events[0], HOUR, &began, NULL), VDT_OK);
  CHECK_INT(s->ops->list(s, &q, arena, &list, &n, NULL), VDT_OK);
  CHECK(n == 1 && list[0].n_evidence == 1 && list[0].evidence[0].sealed.n == 0 && !list[0].evidence[0].shredded);
  CHECK_STR(whole(&r), "none");
  CHECK_INT(data_keys(NULL, NULL), 0);
}

static void a_rollback_leaves_no_data_key(void)
{
  struct alert events[ALERT_TYPES];
  size_t n;
  bool began;
  fresh();
  struct record r = put(1, T0);
  fresh();
  CHECK_INT(alert_events(&r, &place, T0, arena, events, &n), VDT_OK);
  CHECK_INT(s->ops->begin(s, NULL), VDT_OK);
  CHECK_INT(s->ops->put_event(s, &events[0], HOUR, &began, NULL), VDT_OK);
  s->ops->rollback(s);
  CHECK_INT(data_keys(NULL, NULL), 0);
  CHECK_STR(whole(&r), "none");
}

int main(void)
{
  struct buf line = {0};
  arena = vdt_arena_new((size_t)1 << 30);
  if (!mkdtemp(dir) || sodium_init() < 0) return 1;
  if (seal_key_make(STR("weu"), &line, &public, NULL) || seal_private_read(buf_str(&line), "made", STR("weu"), &keys, NULL))
    return 1;
  sealer = sealer_new(STR("weu"), &public);
  RUN(what_is_stored_opens_again);
  RUN(data_keys_go_when_nothing_needs_them);
  RUN(a_held_row_keeps_its_key);
  RUN(what_is_no_token_is_left_out);
  RUN(a_rollback_leaves_no_data_key);
  sealer_free(sealer);
  seal_private_free(keys);
  seal_text_finish(&line);
  store_close(s);
  nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
  vdt_arena_free(arena);
  return test_end();
}
