/*
 * Frequent words of languages in Latin letters (decode_lexicon.inc), and two tables that find them: by their letters, and by letters that come near
 * them. Both are made when a text first needs them, once for all threads.
 */
#include "engine/decode_inside.h"
#include <pthread.h>

static const char words[][LEXICON_WORD_MAX + 1] = {
#include "engine/decode_lexicon.inc"
};

enum { WORDS = sizeof words / sizeof *words, SLOTS = 1 << 15, COST_BITS = 8, NEAR_SLOTS = 1 << 17, PLACE_BITS = 14 };
_Static_assert(WORDS * 3 < SLOTS && WORDS < 1 << PLACE_BITS, "most slots stay empty, and places fit");

/* Open addressing. Of each word what its hash and its cost leave of 32 bits; of words nearby what their hash and the word's place, from 1 on, do. */
static uint32_t known[SLOTS], near[NEAR_SLOTS];
static uint32_t inner[26]; /* what a letter within a word adds to its hash, wherever it stands */
static pthread_once_t known_once = PTHREAD_ONCE_INIT, near_once = PTHREAD_ONCE_INIT;

/* Words by how frequent they are: the n-th is as rare as one in 8 n (Zipf). */
static uint32_t cost_of(size_t rank)
{
  uint32_t whole = 0;
  size_t n = rank + 2;
  while (n >> (whole + 1)) whole++;
  return 24 + 8 * whole + (uint32_t)((n << 3 >> whole) - 8);
}

static void make_known(void)
{
  for (size_t i = 0; i < WORDS; i++) {
    uint32_t hash = lexicon_hash_of((struct str){words[i], strlen(words[i])}), at = hash % SLOTS;
    while (known[at]) at = (at + 1) % SLOTS;
    known[at] = (hash & UINT32_MAX << COST_BITS) | cost_of(i);
  }
}

unsigned lexicon_cost(uint32_t hash)
{
  pthread_once(&known_once, make_known);
  for (uint32_t at = hash % SLOTS; known[at]; at = (at + 1) % SLOTS)
    if ((known[at] ^ hash) >> COST_BITS == 0) return known[at] & ((1u << COST_BITS) - 1);
  return 0;
}

/* ---- words nearby -------------------------------------------------------------------------------------------------- */

static uint32_t mixed(uint32_t h)
{
  h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
  h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
  return h ^ h >> 16;
}

static uint32_t inner_letter(char c)
{
  return inner[(c | 32) - 'a'];
}

/* The first and the last letter, and those between them in whatever order. */
static uint32_t loose_hash(struct str word)
{
  uint32_t hash = mixed(lexicon_hash(lexicon_hash(LEXICON_EMPTY, word.p[0]), word.p[word.n - 1]));
  for (size_t i = 1; i + 1 < word.n; i++) hash += inner_letter(word.p[i]);
  return hash;
}

static uint32_t *near_slot(uint32_t hash)
{
  uint32_t at = mixed(hash) % NEAR_SLOTS;
  while (near[at] && (near[at] ^ hash) >> PLACE_BITS) at = (at + 1) % NEAR_SLOTS;
  return &near[at];
}

/* What is there stays: it is more frequent. */
static void put_near(uint32_t hash, size_t place)
{
  uint32_t *slot = near_slot(hash);
  if (!*slot) *slot = (hash & UINT32_MAX << PLACE_BITS) | (uint32_t)(place + 1);
}

enum { NEAR_MIN = 4, NEAR_LOOSE = 5 }; /* letters: of a word whose letters are in another order; of others */

static void make_near(void)
{
  for (uint32_t c = 0; c < 26; c++) inner[c] = mixed(c + 1);
  for (size_t i = 0; i < WORDS; i++) {
    struct str word = {words[i], strlen(words[i])};
    if (word.n < NEAR_MIN) continue;
    uint32_t hash = loose_hash(word);
    put_near(hash, i);
    for (size_t k = 1; word.n >= NEAR_LOOSE && k + 1 < word.n; k++) put_near(hash - inner_letter(word.p[k]), i);
  }
}

/* The place of the word of a hash, if it is one that this word may be meant for, and `best` is no better. */
static size_t better_of(size_t best, uint32_t hash, struct str word)
{
  uint32_t place = *near_slot(hash) & ((1u << PLACE_BITS) - 1);
  if (!place || place - 1 >= best) return best;
  const char *found = words[place - 1];
  size_t n = strlen(found);
  bool ends = found[0] == (word.p[0] | 32) && found[n - 1] == (word.p[word.n - 1] | 32);
  return ends && n + 1 >= word.n && n <= word.n + 1 ? place - 1 : best;
}

/* The same with two letters in each other's place. */
static size_t better_swapped(size_t best, struct str word, size_t at)
{
  char swapped[LEXICON_WORD_MAX];
  memcpy(swapped, word.p, word.n);
  swapped[at] = word.p[at + 1];
  swapped[at + 1] = word.p[at];
  struct str s = {swapped, word.n};
  return better_of(best, loose_hash(s), s);
}

struct str lexicon_near(struct str word)
{
  if (word.n < NEAR_MIN || word.n > LEXICON_WORD_MAX) return (struct str){0};
  pthread_once(&near_once, make_near);
  uint32_t hash = loose_hash(word);
  size_t best = better_of(WORDS, hash, word);
  best = better_swapped(best, word, 0);
  best = better_swapped(best, word, word.n - 2);
  bool same = best < WORDS && strlen(words[best]) == word.n; /* the same letters, most likely: nothing comes nearer */
  for (size_t i = 1; !same && word.n >= NEAR_LOOSE && i + 1 < word.n; i++)
    best = better_of(best, hash - inner_letter(word.p[i]), word);
  return best < WORDS ? (struct str){words[best], strlen(words[best])} : (struct str){0};
}
