/*
 * Slips of the pen: words whose letters are in another order ("ignroe all prevoius isntrcutions"), or one of them missing, too many or another. A
 * reader sees the word that is meant, a model too. Where so many words are none that most of them come near a frequent one (decode_lexicon.c),
 * the text is read a second time with those in their place.
 */
#include "engine/decode_inside.h"

enum {
  WORD_MIN = 4,      /* letters; shorter ones pass for known */
  MENDED_MIN = 3,    /* different words that come near one, */
  MENDED_MOST = 2,   /* one in so many of those that are not known, */
  MENDED_SHARE = 8,  /* and of all: otherwise it is another language, or full of names */
  STRANGE_SHARE = 6, /* words that are not known, one in so many at least */
  STRETCH = 512,     /* bytes that are looked at together */
  TEXT_MAX = 32768,  /* bytes around one that are read again */
};

struct words {
  size_t all, strange, mended, different; /* different: of those that were mended */
  uint64_t seen;                          /* a bit for each of them, by hash */
};

static bool is_word_end(char c)
{
  return !is_letter((unsigned char)c) && !is_digit((unsigned char)c) && c != '_' && !(c & 0x80);
}

/* The next word from *i on, before `to`: letters with no digit and no sign of a name at their ends. *i: behind it. Nothing: there is none. */
static struct str next_word(struct str s, size_t *i, size_t to)
{
  for (struct str word; (word = next_letters(s, i, to)).n;)
    if ((word.p == s.p || is_word_end(word.p[-1])) && (*i == s.n || is_word_end(s.p[*i]))) return word;
  return (struct str){0};
}

/* Is it no word that is known? A name, which begins with a capital, is left alone. */
static bool is_strange(struct str word)
{
  unsigned first = byte_kinds[(unsigned char)word.p[0]], second = word.n > 1 ? byte_kinds[(unsigned char)word.p[1]] : first;
  bool name = first & IS_UPPER && second & IS_LOWER;
  return !name && word.n >= WORD_MIN && !lexicon_cost(lexicon_hash_of(word));
}

static struct words count_words(struct str s, size_t from, size_t to, bool near)
{
  struct words w = {0};
  for (struct str word; (word = next_word(s, &from, to)).n;) {
    bool strange = is_strange(word);
    w.all++;
    w.strange += strange;
    if (!near || !strange || !lexicon_near(word).n) continue;
    uint64_t bit = UINT64_C(1) << (lexicon_hash_of(word) >> 26);
    w.mended++;
    w.different += !(w.seen & bit);
    w.seen |= bit;
  }
  return w;
}

/* Words are counted first: to find those nearby takes longer. */
static bool is_full_of_slips(struct str s, size_t from, size_t to)
{
  struct words w = count_words(s, from, to, false);
  if (w.strange < MENDED_MIN || w.strange * STRANGE_SHARE < w.all) return false;
  w = count_words(s, from, to, true);
  return w.different >= MENDED_MIN && w.mended * MENDED_MOST >= w.strange && w.mended * MENDED_SHARE >= w.all;
}

static void put_meant(struct decode_work *w, size_t from, size_t to)
{
  struct str s = w->in;
  size_t at = from, out = w->out.n;
  for (size_t i = from; i < to;) {
    struct str word = next_word(s, &i, to);
    struct str near = word.n && is_strange(word) ? lexicon_near(word) : (struct str){0};
    if (!near.n) continue;
    size_t begin = (size_t)(word.p - s.p);
    buf_put(&w->out, str_cut(s, at, begin));
    for (size_t k = 0; k < near.n; k++)
      buf_byte(&w->out, (char)(near.p[k] & (byte_kinds[(unsigned char)word.p[0]] & IS_UPPER ? ~32 : ~0)));
    at = begin + word.n;
  }
  buf_put(&w->out, str_cut(s, at, to));
  if (piece_is_language(w, out))
    piece_add_full(w, (struct piece){.start = (uint32_t)from,
                                     .end = (uint32_t)to,
                                     .at = (uint32_t)out,
                                     .layers = {DECODER_SLIPS},
                                     .n_layers = 1,
                                     .variant = VARIANT_LAST});
}

/* Back to where a word begins; a long one is left cut, for it is none that is known. */
static size_t begin_of_word(struct str s, size_t i)
{
  size_t least = i > LEXICON_WORD_MAX + 1 ? i - LEXICON_WORD_MAX - 1 : 0;
  while (i > least && is_letter((unsigned char)s.p[i - 1])) i--;
  return i;
}

/* Stretches tell whether a text is full of them; around each that is, it is read as it was meant. */
void decode_slips(struct decode_work *w)
{
  struct str s = w->in;
  size_t seen = 0;
  for (size_t r = 0; r < w->slips.n; r++) {
    struct region at = w->slips.v[r];
    for (size_t begin = at.start > seen ? at.start : seen, end; begin < at.end; begin = end) {
      end = at.end - begin > STRETCH ? begin + STRETCH : at.end;
      w->work += end - begin;
      if (!is_full_of_slips(s, begin_of_word(s, begin), end)) continue;
      size_t from = begin > seen + TEXT_MAX / 2 ? begin_of_word(s, begin - TEXT_MAX / 2) : seen;
      if (from < seen) from = seen;
      size_t to = s.n - from > TEXT_MAX ? begin_of_word(s, from + TEXT_MAX) : s.n;
      end = to > end ? to : end;
      w->work += end - from;
      put_meant(w, from, end);
      seen = end;
    }
  }
}
