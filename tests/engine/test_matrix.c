/*
 * The matrix of encodings: every text in every encoding, and in every sensible pair of two, is read as it was written; the attacks among
 * them are found by the rules in what was read. Both are asked of texts of many lengths.
 *
 *   test_matrix           the test: rules alone, no score of a trained model is asserted
 *   test_matrix --table   prints, for each encoding and for all that can be put into it (--table=all: for each pair), how many texts are
 *                         read, how many attacks are found and how many plain texts are flagged, by rules and the model of
 *                         $VEDETTE_SRC/model
 */
#include "base/file.h"
#include "engine/decode.h"
#include "tests/engine/encode.h"
#include "tests/engine/matrix_texts.h"
#include "tests/engine/rig.h"

enum { EVERY = TEST_SANITIZED ? 29 : 1 }; /* one text of so many: the rest would take minutes */
enum { TEXTS = MATRIX_ATTACKS + MATRIX_PLAIN, N = N_ENCODINGS };

static struct vdt_arena *arena;
static struct vdt_policy policy;
static struct decode decode;
static struct view view;

static const char *text_of(size_t i)
{
  return i < MATRIX_ATTACKS ? matrix_attacks[i] : matrix_plain[i - MATRIX_ATTACKS];
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

/* What an encoding of letters and blanks can hold of a text. */
static void put_words(struct buf *out, struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (enc_is_letter((unsigned char)s.p[i]) || s.p[i] == ' ') buf_byte(out, s.p[i]);
}

/* outer NULL: inner alone. */
static struct str wrap(struct buf *out, const struct encoding *outer, const struct encoding *inner, const char *text)
{
  struct buf bare = {0}, first = {0};
  if (inner->carries == WORDS || (outer && outer->carries == WORDS)) put_words(&bare, str_of(text));
  else buf_put(&bare, str_of(text));
  inner->put(&first, buf_str(&bare));
  buf_reset(out);
  if (outer) outer->put(out, buf_str(&first));
  else buf_put(out, buf_str(&first));
  buf_finish(&bare);
  buf_finish(&first);
  return buf_str(out);
}

static bool is_pair(const struct encoding *outer, const struct encoding *inner)
{
  return inner->gives <= outer->carries && !enc_is_lost(outer, inner);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Letters in small ones, nothing else: what all encodings keep. A one of leet is an i as well as an l. */
static void fold(struct buf *out, struct str s)
{
  buf_reset(out);
  for (size_t i = 0; i < s.n; i++)
    if (enc_is_letter((unsigned char)s.p[i])) buf_byte(out, (s.p[i] | 32) == 'l' ? 'i' : (char)(s.p[i] | 32));
}

static bool holds(struct str read, struct str want)
{
  struct buf b = {0};
  fold(&b, read);
  bool is = b.n && str_find(buf_str(&b), want) != (size_t)-1;
  buf_finish(&b);
  return is;
}

/* Is the text read as it was written, in the view or in one of the decoded texts? */
static bool is_read(struct str wrapped, const char *text)
{
  struct buf want = {0};
  fold(&want, str_of(text));
  view_finish(&view);
  view_init(&view);
  bool ok = view_feed(&view, wrapped.p, wrapped.n) && view_end(&view) && decode_run(&decode, wrapped, &view, buf_str(&view.text));
  bool read = ok && holds(buf_str(&view.text), buf_str(&want));
  for (size_t i = 0; ok && !read && i < decode.n_texts; i++) read = holds(decode.texts[i].text, buf_str(&want));
  buf_finish(&want);
  return read;
}

/* By the score, or, for what is hidden, by that alone: what is said there counts here. */
static bool is_found(struct str wrapped)
{
  struct vdt_result r = {0};
  vdt_arena_reset(arena);
  CHECK_INT(vdt_scan(rig_scanner, arena, &policy, VDT_PROMPT, wrapped.p, wrapped.n, &r), VDT_OK);
  return r.jailbreak >= policy.jailbreak.detect_at;
}

/* ---- the test --------------------------------------------------------------------------------------------------- */

struct tally {
  unsigned texts, read, attacks, found, plain, flagged;
  int unread; /* the first that is not read; -1: none */
};

static struct tally try_pair(const struct encoding *outer, const struct encoding *inner, bool verdicts)
{
  struct tally t = {.unread = -1};
  struct buf b = {0};
  for (size_t i = 0; i < TEXTS; i += EVERY) {
    struct str wrapped = wrap(&b, outer, inner, text_of(i));
    bool attack = i < MATRIX_ATTACKS;
    t.texts++;
    bool read = is_read(wrapped, text_of(i));
    t.read += read;
    if (!read && t.unread < 0) t.unread = (int)i;
    if (!verdicts) continue;
    bool found = is_found(wrapped);
    t.attacks += attack;
    t.found += attack && found;
    t.plain += !attack;
    t.flagged += !attack && found;
  }
  buf_finish(&b);
  return t;
}

static bool involves(const struct encoding *outer, const struct encoding *inner, const char *layers)
{
  return strcmp(inner->layers, layers) == 0 || (outer && strcmp(outer->layers, layers) == 0);
}

/* Digits for letters leave words of which nothing tells how they were meant: some of them are read only in part. */
static void check_pair(const struct encoding *outer, const struct encoding *inner)
{
  struct tally t = try_pair(outer, inner, true);
  bool leet = involves(outer, inner, "leet"), gaps = involves(outer, inner, "spaced") && involves(outer, inner, "reversed-words");
  unsigned unread = leet ? TEXTS / 6 : 0, missed = leet || gaps ? 1 : 0;
  if (t.read + unread >= t.texts && t.found + missed >= t.attacks && !t.flagged) return;
  printf("# %s in %s: %u of %u texts read, %u of %u attacks found, %u of %u plain texts flagged; first not read: %d\n",
         inner->name, outer ? outer->name : "nothing", t.read, t.texts, t.found, t.attacks, t.flagged, t.plain, t.unread);
  test_failed = true;
}

static void every_pair(void)
{
  for (size_t i = 0; i <= N; i++) {
    const struct encoding *outer = i < N ? &encodings[i] : NULL;
    unsigned pairs = 0;
    CASE_BEGIN();
    for (size_t k = 0; k < N; k++) {
      if (outer && !is_pair(outer, &encodings[k])) continue;
      check_pair(outer, &encodings[k]);
      pairs++;
    }
    CASE_END("%s around %u others", outer ? outer->name : "nothing", pairs);
  }
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static void put_row(const char *name, const struct tally *t)
{
  printf("%-44s %4u of %4u %10u of %4u %10u of %4u\n", name, t->read, t->texts, t->found, t->attacks, t->flagged, t->plain);
}

static void add_up(struct tally *all, const struct tally *t)
{
  all->texts += t->texts;
  all->read += t->read;
  all->attacks += t->attacks;
  all->found += t->found;
  all->plain += t->plain;
  all->flagged += t->flagged;
}

/* One row for each encoding alone and for all that it can hold; with `every`, one for each pair too. */
static void table(bool every)
{
  struct tally alone = {0}, pairs = {0};
  rig_use_model();
  printf("%-44s %12s %18s %18s\n", "", "read", "attacks found", "plain flagged");
  for (size_t i = 0; i < N; i++) {
    struct tally t = try_pair(NULL, &encodings[i], true);
    put_row(encodings[i].name, &t);
    add_up(&alone, &t);
  }
  put_row("all of them", &alone);
  for (size_t i = 0; i < N; i++) {
    struct tally row = {0};
    for (size_t k = 0; k < N; k++) {
      char name[96];
      if (!is_pair(&encodings[i], &encodings[k])) continue;
      struct tally t = try_pair(&encodings[i], &encodings[k], true);
      snprintf(name, sizeof name, "%s in %s", encodings[k].name, encodings[i].name);
      if (every) put_row(name, &t);
      add_up(&row, &t);
    }
    char name[96];
    snprintf(name, sizeof name, "others in %s", encodings[i].name);
    put_row(name, &row);
    add_up(&pairs, &row);
  }
  put_row("all pairs", &pairs);
}

int main(int argc, char **argv)
{
  bool show = argc > 1 && strncmp(argv[1], "--table", 7) == 0;
  rig_load();
  arena = vdt_arena_new(0);
  policy = rig_policy(VDT_DETECT);
  view_init(&view);
  if (!decode_init(&decode)) return 1;
  if (show) {
    table(strcmp(argv[1], "--table=all") == 0);
    return 0;
  }
  CASE_BEGIN();
  for (size_t i = 0; i < TEXTS; i++) {
    bool found = is_found(str_of(text_of(i)));
    if (found != (i < MATRIX_ATTACKS)) printf("# text %zu: %s\n", i, text_of(i));
    CHECK_INT(found, i < MATRIX_ATTACKS);
  }
  CASE_END("the rules tell attacks and plain texts apart as they stand");
  every_pair();
  decode_finish(&decode);
  view_finish(&view);
  vdt_arena_free(arena);
  rig_unload();
  return test_end();
}
