/*
 * Pig Latin: the consonants that begin a word stand at its end, and "ay" behind them; behind a word that begins with a vowel stands "way", "yay" or
 * "ay" ("ignoreway allway ethay ulesray"). How many letters go back to the front is what the words say that language has (decode_lexicon.c).
 */
#include "engine/decode_inside.h"

enum {
  PIG_MIN = 5,     /* words */
  PIG_TENTHS = 7,  /* of the words of three letters or more, so many in ten at least */
  CLUSTER_MAX = 4, /* consonants that begin a word */
  STEM_MAX = LEXICON_WORD_MAX + 1,
  UNKNOWN = 256,  /* what a word costs more that language does not have, in eighths of a bit; */
  CONSONANT = 64, /* and one that begins with a consonant of its own */
};

static bool is_vowel(char c)
{
  return c && strchr("aeiouAEIOU", c);
}

static bool is_pig(struct str word)
{
  return word.n > 3 && word.n <= STEM_MAX + 2 && str_ieq(str_cut(word, word.n - 2, word.n), STR("ay"));
}

/* Stems with k letters from the end at the front, that may have begun a word: "qu", "y" or consonants. */
static bool may_begin(struct str stem, size_t k)
{
  if (k == 0 || k >= stem.n) return k == 0;
  struct str head = str_cut(stem, stem.n - k, stem.n);
  for (size_t i = 0; i < k; i++)
    if (is_vowel(head.p[i]) && !(i + 1 == k && i && (head.p[i] | 32) == 'u' && (head.p[i - 1] | 32) == 'q')) return false;
  return true;
}

/* What a way to read a word costs; words that are not known, by their letter pairs, cost more than those that are. */
static uint32_t cost_of(const struct text_model *m, struct str word)
{
  unsigned cost = lexicon_cost(lexicon_hash_of(word));
  uint32_t pairs;
  return cost ? cost : UNKNOWN + text_cost(m, word, &pairs);
}

/* Appends the word that is meant, with a capital where the other had one. Returns whether it is one that language has. */
static bool put_word(struct decode_work *w, struct str word)
{
  char best[STEM_MAX], way[STEM_MAX];
  uint32_t least = UINT32_MAX;
  struct str stem = str_cut(word, 0, word.n - 2);
  size_t best_n = 0;
  for (size_t k = 0; k <= CLUSTER_MAX; k++) {
    for (size_t drop = 0; drop < 2; drop++) { /* the w or y of "way" and "yay" */
      bool dropped = drop && stem.n > 1 && k == 0 && strchr("wyWY", stem.p[stem.n - 1]);
      size_t n = stem.n - drop;
      if ((drop && !dropped) || !may_begin(stem, k)) continue;
      memcpy(way, stem.p + n - k, k);
      memcpy(way + k, stem.p, n - k);
      uint32_t cost = cost_of(&w->model, (struct str){way, n}) + (k == 0 && !is_vowel(way[0]) ? CONSONANT : 0);
      if (cost >= least) continue;
      least = cost;
      memcpy(best, way, best_n = n);
    }
  }
  bool capital = byte_kinds[(unsigned char)word.p[0]] & IS_UPPER && byte_kinds[(unsigned char)word.p[1]] & IS_LOWER;
  for (size_t i = 0; capital && i < best_n; i++) best[i] = (char)(i ? best[i] | 32 : best[i] & ~32);
  buf_put(&w->out, (struct str){best, best_n});
  return least < UNKNOWN;
}

/* Pig Latin in [from, to), from its first word to its last. */
static void take_pig(struct decode_work *w, size_t from, size_t to)
{
  struct str s = w->in;
  size_t words = 0, pigs = 0, known = 0, begin = to, end = from, at = w->out.n;
  struct str word;
  for (size_t i = from; (word = next_letters(s, &i, to)).n;) {
    bool pig = is_pig(word);
    words += word.n > 2;
    pigs += pig && !lexicon_cost(lexicon_hash_of(word));
    if (pig && (size_t)(word.p - s.p) < begin) begin = (size_t)(word.p - s.p);
    if (pig) end = i;
  }
  if (pigs < PIG_MIN || pigs * 10 < words * PIG_TENTHS) return;
  for (size_t i = begin, last = begin; i < end;) {
    word = next_letters(s, &i, end);
    if (!word.n) break;
    buf_put(&w->out, str_cut(s, last, (size_t)(word.p - s.p)));
    if (is_pig(word)) known += put_word(w, word);
    else buf_put(&w->out, word);
    last = i;
  }
  if (known * 2 < pigs) w->out.n = at;
  else if (piece_is_language(w, at)) piece_add(w, DECODER_PIG_LATIN, begin, end, at, false);
}

void decode_pig_latin(struct decode_work *w)
{
  for (size_t r = 0; r < w->slips.n; r++) {
    struct region at = w->slips.v[r];
    size_t from = at.start, to = at.end; /* words that are cut there are taken whole, if they may be of it */
    while (from > 0 && at.start - from < STEM_MAX + 2 && is_letter((unsigned char)w->in.p[from - 1])) from--;
    while (to < w->in.n && to - at.end < STEM_MAX + 2 && is_letter((unsigned char)w->in.p[to])) to++;
    w->work += to - from;
    take_pig(w, from, to);
  }
}
