/*
 * Blanks that are missing ("ignoreallrules") and blanks within words ("in struc tions"): the way through a text's letters or tokens that makes the
 * cheapest words, if words come out that language has (decode_lexicon.c).
 */
#include "engine/decode_inside.h"

enum {
  BIT = 8,           /* costs are in eighths of one */
  UNKNOWN = 6 * BIT, /* a letter of no word */
  CONTRACTION = 5 * BIT,
  FREQUENT = 11 * BIT, /* a word among the first few hundred costs no more */
  LETTER_CHEAP = 19,   /* of a text whose words are all known a letter costs so much on average, or less: then four of them do */
  CHEAP_MIN = 4,
  LETTER_MEAN = 26,   /* the most for others, of which more is asked: */
  PARTS_MIN = 5,      /* words, */
  FREQUENT_MIN = 2,   /* frequent ones among them, of three letters one, */
  FREQUENT_SHARE = 4, /* and one of them for so many words, */
  UNKNOWN_SHARE = 6,  /* and one letter of no word for so many at most */
  CHUNK = 4096,
};

static bool ends_sentence(char c)
{
  return c && strchr(".,;:!?)", c);
}

/* Of each place in a chunk: what the cheapest way to it costs, and how long its last word is; 1 for what is no letter, too. */
struct way {
  uint32_t cost[CHUNK + 1];
  uint8_t length[CHUNK + 1];
  bool known[CHUNK + 1];
};

static void step(struct way *way, size_t from, size_t to, uint32_t cost, bool known)
{
  if (way->cost[from] + cost >= way->cost[to]) return;
  way->cost[to] = way->cost[from] + cost;
  way->length[to] = (uint8_t)(to - from);
  way->known[to] = known;
}

/* The letters behind an apostrophe that end a word: its bytes, or 0. */
static size_t contraction_at(struct str s, size_t i)
{
  static const struct str endings[] = {STR("'s"), STR("'t"), STR("'re"), STR("'ll"), STR("'ve"), STR("'m"), STR("'d")};
  for (size_t k = 0; s.p[i] == '\'' && k < sizeof endings / sizeof *endings; k++)
    if (i + endings[k].n <= s.n && str_ieq(str_cut(s, i, i + endings[k].n), endings[k])) return endings[k].n;
  return 0;
}

static void find_way(struct str s, struct way *way)
{
  way->cost[0] = 0;
  for (size_t i = 1; i <= s.n; i++) way->cost[i] = UINT32_MAX;
  for (size_t i = 0; i < s.n; i++) {
    bool letter = is_letter((unsigned char)s.p[i]);
    size_t contraction = contraction_at(s, i);
    uint32_t hash = LEXICON_EMPTY;
    step(way, i, i + 1, letter ? UNKNOWN : 0, false);
    if (contraction) step(way, i, i + contraction, CONTRACTION, true);
    for (size_t k = i; letter && k < s.n && k - i < LEXICON_WORD_MAX && is_letter((unsigned char)s.p[k]); k++) {
      hash = lexicon_hash(hash, s.p[k]);
      unsigned cost = lexicon_cost(hash);
      if (cost) step(way, i, k + 1, cost, true);
    }
  }
}

/* What a way is made of. */
struct found {
  size_t words, frequent, longer, letters, unknown, cost; /* longer: frequent, and of three letters or more */
};

/* Compounds of German and Dutch, and names, fall into words too. */
static bool is_language(struct found f)
{
  if (f.cost <= f.letters * LETTER_CHEAP) return f.words >= CHEAP_MIN && f.longer;
  return f.words >= PARTS_MIN && f.frequent >= FREQUENT_MIN && f.longer >= 2 && f.frequent * FREQUENT_SHARE >= f.words &&
         f.unknown * UNKNOWN_SHARE <= f.letters && f.cost <= f.letters * LETTER_MEAN;
}

/* Puts the words of a way out; letters of no word stay together. Returns whether they are language. */
static bool put_words(struct decode_work *w, struct str s, struct way *way)
{
  bool begins[CHUNK + 1] = {false}; /* a known word, or letters behind one */
  struct found f = {.cost = way->cost[s.n]};
  for (size_t i = s.n, n; i; i -= n) {
    n = way->length[i];
    begins[i - n] = way->known[i];
    begins[i] |= way->known[i];
    bool frequent = way->known[i] && n > 1 && way->cost[i] - way->cost[i - n] <= FREQUENT;
    f.words += way->known[i];
    f.frequent += frequent;
    f.longer += frequent && n > 2 && s.p[i - n] != '\'';
    f.unknown += !way->known[i] && is_letter((unsigned char)s.p[i - 1]);
  }
  for (size_t i = 0; i < s.n; i++) {
    bool letter = is_letter((unsigned char)s.p[i]);
    f.letters += letter;
    if (i && letter && (is_letter((unsigned char)s.p[i - 1]) ? begins[i] : ends_sentence(s.p[i - 1]))) buf_byte(&w->out, ' ');
    buf_byte(&w->out, s.p[i]);
  }
  return is_language(f);
}

bool part_words(struct decode_work *w, size_t from, size_t to)
{
  bool any = false;
  for (size_t end; from < to; from = end) {
    struct way way;
    size_t at = w->out.n;
    end = from + CHUNK < to ? from + CHUNK : to;
    struct str s = str_cut(w->in, from, end);
    find_way(s, &way);
    w->work += s.n;
    bool whole = put_words(w, s, &way);
    if (whole && piece_is_language(w, at)) piece_add(w, DECODER_RUN_TOGETHER, from, end, at, false), any = true;
    else w->out.n = at;
  }
  return any;
}

/* ---- blanks within words ------------------------------------------------------------------------------------------- */

enum {
  TOKENS = 256,             /* that are looked at together */
  TOGETHER = 6,             /* as many make a word at most */
  STRANGE = 10 * BIT,       /* a token that is no word, */
  STRANGE_LETTER = 3 * BIT, /* and each of its letters */
  JOIN = 2 * BIT,           /* a word made of tokens costs so much more than one that stands there */
  MENDED_MIN = 3,           /* words made of tokens of which some are none by themselves */
  MENDED_SHARE = 6,         /* one in so many */
};

/* Bytes without a blank; its word is what is left without the signs around it. */
struct piece_of_word {
  size_t from, to, begin, end;
  unsigned cost; /* eighths of a bit */
  bool word;     /* nothing but letters between its ends */
  bool rare;     /* no frequent word */
};

static struct piece_of_word read_piece(struct str s, size_t from)
{
  struct piece_of_word t = {.from = from, .to = from, .word = true};
  while (t.to < s.n && !is_blank((unsigned char)s.p[t.to])) t.to++;
  for (t.begin = from; t.begin < t.to && !is_letter((unsigned char)s.p[t.begin]);) t.begin++;
  for (t.end = t.to; t.end > t.begin && !is_letter((unsigned char)s.p[t.end - 1]);) t.end--;
  for (size_t i = t.begin; i < t.end; i++) t.word &= is_letter((unsigned char)s.p[i]);
  t.word &= t.end > t.begin && t.end - t.begin <= LEXICON_WORD_MAX;
  unsigned known = t.word ? lexicon_cost(lexicon_hash_of(str_cut(s, t.begin, t.end))) : 0;
  t.cost = known ? known : STRANGE + STRANGE_LETTER * (unsigned)(t.end - t.begin);
  t.rare = !known || known > FREQUENT;
  return t;
}

/* One blank and nothing else between them? A line end is none: lists have one behind each word. */
static bool follows(struct str s, const struct piece_of_word *a, const struct piece_of_word *b)
{
  return a->end == a->to && s.p[a->to] == ' ' && b->from == a->to + 1 && b->begin == b->from;
}

/* What n tokens cost as one word; 0: they are none. */
static unsigned cost_together(struct str s, const struct piece_of_word *t, size_t n)
{
  uint32_t hash = LEXICON_EMPTY;
  size_t letters = 0;
  bool rare = false;
  for (size_t i = 0; i < n; i++) {
    if (!t[i].word || (i && !follows(s, &t[i - 1], &t[i]))) return 0;
    if ((letters += t[i].end - t[i].begin) > LEXICON_WORD_MAX) return 0;
    rare |= t[i].rare;
    for (size_t k = t[i].begin; k < t[i].end; k++) hash = lexicon_hash(hash, s.p[k]);
  }
  unsigned cost = rare ? lexicon_cost(hash) : 0;
  return cost ? cost + JOIN : 0;
}

/* Mends the words of these tokens; a piece when enough of them are. */
static void mend(struct decode_work *w, const struct piece_of_word *t, size_t n)
{
  struct str s = w->in;
  unsigned cost[TOKENS + 1] = {0};
  uint8_t together[TOKENS + 1] = {0};
  bool glued[TOKENS] = {false}; /* to the token before */
  size_t mended = 0, at = w->out.n;
  for (size_t i = 1; i <= n; i++) {
    cost[i] = cost[i - 1] + t[i - 1].cost;
    together[i] = 1;
    for (size_t k = 2; k <= TOGETHER && k <= i; k++) {
      unsigned word = cost_together(s, t + i - k, k);
      if (!word || cost[i - k] + word >= cost[i]) continue;
      cost[i] = cost[i - k] + word;
      together[i] = (uint8_t)k;
    }
  }
  for (size_t i = n; i; i -= together[i]) {
    mended += together[i] > 1;
    for (size_t k = 1; k < together[i]; k++) glued[i - k] = true;
  }
  if (mended < MENDED_MIN || mended * MENDED_SHARE < n) return;
  for (size_t i = 0; i < n; i++) buf_put(&w->out, str_cut(s, glued[i] ? t[i].from : i ? t[i - 1].to : t[i].from, t[i].to));
  if (piece_is_language(w, at)) piece_add(w, DECODER_BROKEN, t[0].from, t[n - 1].to, at, false);
}

void mend_words(struct decode_work *w, size_t from, size_t to)
{
  struct piece_of_word t[TOKENS];
  struct str s = w->in;
  for (size_t i = from; i < to;) {
    size_t n = 0;
    while (n < TOKENS) {
      while (i < s.n && is_blank((unsigned char)s.p[i])) i++;
      if (i >= to) break;
      t[n] = read_piece(s, i);
      i = t[n++].to;
    }
    if (n) mend(w, t, n);
  }
  w->work += to - from;
}
