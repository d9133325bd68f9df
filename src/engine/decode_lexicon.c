/* Frequent words of languages in Latin letters (decode_lexicon.inc), by which words that are run together are parted and those that are cut mended. */
#include "engine/decode_inside.h"

static const char words[][LEXICON_WORD_MAX + 1] = {
#include "engine/decode_lexicon.inc"
};

enum { WORDS = sizeof words / sizeof *words, SLOTS = 1 << 15, COST_BITS = 8 };
_Static_assert(WORDS * 3 < SLOTS, "half of the slots and more stay empty");

/* Open addressing; of each word what its hash and its cost leave of 32 bits. */
struct lexicon {
  uint32_t slot[SLOTS];
};

/* Words by how frequent they are: the n-th is as rare as one in 8 n (Zipf). */
static uint32_t cost_of(size_t rank)
{
  uint32_t whole = 0;
  size_t n = rank + 2;
  while (n >> (whole + 1)) whole++;
  uint32_t eighths = (uint32_t)((n << 3 >> whole) - 8);
  return 24 + 8 * whole + eighths;
}

const struct lexicon *lexicon_of(struct decode_work *w)
{
  if (w->lexicon) return w->lexicon;
  struct lexicon *l = calloc(1, sizeof *l);
  if (!l) w->failed = true;
  for (size_t i = 0; l && i < WORDS; i++) {
    uint32_t hash = lexicon_hash_of((struct str){words[i], strlen(words[i])}), at = hash % SLOTS;
    while (l->slot[at]) at = (at + 1) % SLOTS;
    l->slot[at] = (hash & UINT32_MAX << COST_BITS) | cost_of(i);
  }
  return w->lexicon = l;
}

void lexicon_free(struct lexicon *l)
{
  free(l);
}

unsigned lexicon_cost(const struct lexicon *l, uint32_t hash)
{
  for (uint32_t at = hash % SLOTS; l->slot[at]; at = (at + 1) % SLOTS)
    if ((l->slot[at] ^ hash) >> COST_BITS == 0) return l->slot[at] & ((1u << COST_BITS) - 1);
  return 0;
}
