#include "gateway/opinion_memory.h"
#include <sodium.h>
#include <stdlib.h>

enum { PLACES = 1024, HASH = 32 };
static const uint64_t KEEP_US = UINT64_C(600) * 1000000;

/* A hash has one place; the newer one takes it. */
struct opinion_memory {
  unsigned char key[crypto_generichash_KEYBYTES]; /* so that nobody can choose texts that meet in one place */
  struct place {
    unsigned char hash[HASH];
    uint64_t until_us; /* 0: free */
    bool attack;
  } places[PLACES];
};

struct opinion_memory *opinion_memory_new(void)
{
  struct opinion_memory *m = calloc(1, sizeof *m);
  if (m) randombytes_buf(m->key, sizeof m->key);
  return m;
}

void opinion_memory_free(struct opinion_memory *m)
{
  free(m);
}

static size_t place_of(const struct opinion_memory *m, struct str shield, bool document, struct str text,
                       unsigned char hash[HASH])
{
  crypto_generichash_state h;
  const unsigned char kind[2] = {0, document};
  crypto_generichash_init(&h, m->key, sizeof m->key, HASH);
  crypto_generichash_update(&h, (const unsigned char *)shield.p, shield.n);
  crypto_generichash_update(&h, kind, sizeof kind); /* the name of a shield has no byte 0 */
  crypto_generichash_update(&h, (const unsigned char *)text.p, text.n);
  crypto_generichash_final(&h, hash, HASH);
  return (size_t)(hash[0] | hash[1] << 8) % PLACES;
}

bool opinion_memory_find(const struct opinion_memory *m, struct str shield, bool document, struct str text, uint64_t now_us,
                         bool *attack)
{
  unsigned char hash[HASH];
  if (!m) return false;
  const struct place *p = &m->places[place_of(m, shield, document, text, hash)];
  /* A clock that was set back must not make an answer last for ever. */
  if (now_us >= p->until_us || p->until_us - now_us > 2 * KEEP_US || memcmp(p->hash, hash, HASH) != 0) return false;
  *attack = p->attack;
  return true;
}

void opinion_memory_keep(struct opinion_memory *m, struct str shield, bool document, struct str text, uint64_t now_us,
                         bool attack)
{
  unsigned char hash[HASH];
  if (!m) return;
  struct place *p = &m->places[place_of(m, shield, document, text, hash)];
  memcpy(p->hash, hash, HASH);
  p->until_us = now_us + KEEP_US;
  p->attack = attack;
}
