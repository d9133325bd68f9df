/*
 * Words that are cut or run together: a sign within words ("in-struc-tions"), a sign for each blank ("ignore_all_rules"), capitals for blanks
 * ("IgnoreAllRules"). Names in programs, paths and addresses look alike, so short words that names seldom have must be among them. Where nothing
 * but letters tells, decode_blanks.c looks on.
 */
#include "engine/decode_inside.h"

enum {
  PARTS_MIN = 5, /* words of a token */
  SMALL_MIN = 2,
  TOKEN_MIN = 20, /* its bytes */
  TOKEN_MAX = 4096,
  RUN_MIN = 20, /* letters in a row */
  CUT_MIN = 4,  /* tokens with a sign within words */
  PLAIN_MAX = 4 /* tokens without one between two of them */
};

static bool is_small_word(struct str s)
{
  static const struct str words[] = {
      STR("a"), STR("i"), STR("me"), STR("my"), STR("to"), STR("of"), STR("in"), STR("is"), STR("it"), STR("be"), STR("as"),
      STR("or"), STR("no"), STR("the"), STR("and"), STR("you"), STR("are"), STR("all"), STR("any"), STR("not"), STR("for"),
      STR("your"), STR("that"), STR("this"), STR("with"), STR("from"), STR("what"),
      /* Spanish, French, Portuguese, Italian, German, Dutch */
      STR("de"), STR("la"), STR("el"), STR("que"), STR("los"), STR("las"), STR("y"), STR("en"), STR("un"), STR("una"), STR("tu"),
      STR("et"), STR("le"), STR("les"), STR("des"), STR("une"), STR("tes"), STR("e"), STR("o"), STR("os"), STR("seu"), STR("il"),
      STR("di"), STR("che"), STR("tuo"), STR("und"), STR("die"), STR("der"), STR("das"), STR("den"), STR("zu"), STR("mir"),
      STR("alle"), STR("het"), STR("van"), STR("je")};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (str_ieq(s, words[i])) return true;
  return false;
}

static bool is_punctuation(char c)
{
  return c && strchr(".,;:!?'\"()-", c);
}

/* What may stand around a word of prose: punctuation, marks of emphasis. */
static bool is_around(char c)
{
  return is_punctuation(c) || (c && strchr("*_~`", c));
}

/* A word, with the punctuation that stands at it, or a number. */
static bool is_part(struct str s, size_t from, size_t to)
{
  if (to <= from) return false;
  for (size_t i = from; i < to; i++)
    if (!is_word_byte(s.p[i]) && !is_digit((unsigned char)s.p[i]) && !is_punctuation(s.p[i])) return false;
  return true;
}

/* Does a word end before i, in [from, end), by a sign or, of sign 0, because a capital follows a small letter? */
static bool ends_part(struct str s, size_t i, char sign)
{
  if (sign) return s.p[i] == sign;
  return byte_kinds[(unsigned char)s.p[i]] & IS_UPPER &&
         (byte_kinds[(unsigned char)s.p[i - 1]] & IS_LOWER || is_punctuation(s.p[i - 1]));
}

/* [from, to) as words with a blank between them, when it is words that are parted so. */
static bool take_parts(struct decode_work *w, size_t from, size_t to, char sign)
{
  struct str s = w->in;
  size_t at = w->out.n, begin = from, parts = 0, small = 0,
         foreign = 0; /* foreign: with letters that paths and names seldom have */
  for (size_t i = from + 1; i <= to; i++) {
    if (i < to && !ends_part(s, i, sign)) continue;
    if (!is_part(s, begin, i)) break;
    if (parts) buf_byte(&w->out, ' ');
    buf_put(&w->out, str_cut(s, begin, i));
    size_t end = i;
    while (end > begin && !is_letter((unsigned char)s.p[end - 1])) end--;
    small += is_small_word(str_cut(s, begin, end));
    foreign += next_high(str_cut(s, 0, i), begin) < i;
    parts++;
    begin = sign ? i + 1 : i;
  }
  bool whole = begin >= to && parts >= PARTS_MIN && (small >= SMALL_MIN || foreign * 2 > parts);
  if (!whole) w->out.n = at;
  if (!whole || !piece_is_language(w, at)) return false;
  piece_add(w, DECODER_JOINED, from, to, at, false);
  return true;
}

/* A token and what it is made of. */
struct token {
  size_t from, to; /* without the signs at its ends */
  char sign;       /* the most frequent of those that may part words; 0: none */
  bool humps;      /* a capital after a small letter */
  bool letters;    /* nothing but letters and that sign */
  bool words;      /* and punctuation and digits */
  bool prose;      /* and around them nothing but punctuation and emphasis */
  size_t run;      /* letters in a row, at most, without a capital behind a small one */
  size_t parts;    /* words or pieces of one, by that sign */
  size_t signs;    /* how many times it stands there */
};

/* Of the signs that people put in the place of a blank the one that a token has most of; 0: it has none. */
static char frequent_sign(struct str s, size_t from, size_t to)
{
  static const char signs[] = "_-./+~|*=";
  size_t count[sizeof signs] = {0}, best = 0;
  for (size_t i = from + 1; i + 1 < to; i++) {
    const char *at = byte_kinds[(unsigned char)s.p[i]] & IS_SIGN ? strchr(signs, s.p[i]) : NULL;
    if (at) count[at - signs]++;
  }
  for (size_t k = 1; k + 1 < sizeof signs; k++)
    if (count[k] > count[best]) best = k;
  return count[best] ? signs[best] : 0;
}

static struct token read_token(struct str s, size_t from, size_t to)
{
  bool prose = true;
  while (from < to && !is_word_byte(s.p[from])) prose &= is_around(s.p[from++]);
  while (to > from && !is_word_byte(s.p[to - 1])) prose &= is_around(s.p[--to]);
  struct token t = {.from = from,
                    .to = to,
                    .letters = to > from,
                    .words = to > from,
                    .prose = prose,
                    .parts = 1,
                    .sign = frequent_sign(s, from, to)};
  size_t run = 1;
  for (size_t i = from + 1; i < to; i++) {
    unsigned char c = (unsigned char)s.p[i];
    bool hump = ends_part(s, i, 0);
    t.humps |= hump;
    run = is_letter(c) ? (hump ? 1 : run + 1) : 0;
    if (run > t.run) t.run = run;
    if (is_word_byte(s.p[i]) || c == '\'') continue;
    bool sign = t.sign && s.p[i] == t.sign;
    bool second = sign && s.p[i - 1] == t.sign; /* in**struc**tions */
    t.parts += sign && !second;
    t.signs += sign;
    t.letters &= sign && is_word_byte(s.p[second ? i - 2 : i - 1]);
    t.words &= sign || is_digit(c) || is_punctuation(s.p[i]);
  }
  return t;
}

/* Tokens in a row whose words are cut by the same sign. */
struct cut_run {
  size_t start, end, tokens, cut, parts, letters, plain;
  char sign;
};

/* Of out[at..]. */
static size_t small_words(const struct decode_work *w, size_t at)
{
  struct str s = {w->out.p + at, w->out.n - at};
  size_t small = 0, i = 0;
  for (struct str word; (word = next_letters(s, &i, s.n)).n;) small += is_small_word(word);
  return small;
}

/* One sign or two that a letter follows: how many; 0: there are none. */
static size_t cut_at(struct str s, size_t i, size_t end, char sign)
{
  size_t n = 0;
  while (n < 2 && i + n < end && s.p[i + n] == sign) n++;
  return n && i + n < end && is_letter((unsigned char)s.p[i + n]) ? n : 0;
}

static void end_run(struct decode_work *w, struct cut_run *r)
{
  struct str s = w->in;
  bool syllables = r->cut >= CUT_MIN && r->cut * 3 >= r->tokens && r->letters <= r->parts * 4;
  size_t at = w->out.n;
  for (size_t i = r->start; syllables && i < r->end; i++) {
    size_t n = i > r->start && is_letter((unsigned char)s.p[i - 1]) ? cut_at(s, i, r->end, r->sign) : 0;
    if (n) i += n - 1;
    else buf_byte(&w->out, s.p[i]);
  }
  if (syllables && small_words(w, at) && piece_is_language(w, at)) piece_add(w, DECODER_CUT, r->start, r->end, at, false);
  else if (syllables) w->out.n = at;
  *r = (struct cut_run){0};
}

static void add_token(struct decode_work *w, struct cut_run *r, const struct token *t)
{
  bool prose = t->prose && t->letters && t->to - t->from < TOKEN_MAX, cut = prose && t->sign && t->parts > 1;
  if (r->cut && (!prose || (cut ? t->sign != r->sign : r->plain == PLAIN_MAX))) end_run(w, r);
  if (!cut) {
    r->plain += r->cut > 0;
    return;
  }
  if (!r->cut) *r = (struct cut_run){.start = t->from, .sign = t->sign};
  r->tokens += 1 + r->plain;
  r->plain = 0;
  r->cut++;
  r->parts += t->parts;
  r->letters += t->to - t->from - t->signs;
  r->end = t->to;
}

/* The tokens of a region, from `seen` on. Returns where the last one ends. */
static size_t take_region(struct decode_work *w, struct region r, size_t seen)
{
  struct str s = w->in;
  struct cut_run run = {0};
  size_t i = r.start > seen ? r.start : seen, from, tokens = 0, bytes = 0;
  while (i > seen && !is_blank((unsigned char)s.p[i - 1])) i--;
  from = i;
  while (i < r.end) {
    while (i < s.n && is_blank((unsigned char)s.p[i])) i++;
    size_t begin = i;
    while (i < s.n && !is_blank((unsigned char)s.p[i])) i++;
    if (i == begin) break;
    struct token t = read_token(s, begin, i);
    bool whole = t.words && t.to - t.from >= TOKEN_MIN && t.to - t.from < TOKEN_MAX;
    bool taken = whole && ((t.sign && t.parts >= PARTS_MIN && take_parts(w, t.from, t.to, t.sign)) ||
                           (t.humps && take_parts(w, t.from, t.to, 0)));
    taken = taken || (t.run >= RUN_MIN && part_words(w, t.from, t.to));
    tokens++;
    bytes += t.to - t.from;
    if (!taken) add_token(w, &run, &t);
  }
  end_run(w, &run);
  if (bytes * 4 < tokens * 15) mend_words(w, from, i);
  w->work += 2 * (i - from);
  return i;
}

void decode_joined(struct decode_work *w)
{
  size_t seen = 0;
  for (size_t r = 0; r < w->joints.n; r++) seen = take_region(w, w->joints.v[r], seen);
}
