#include "model/memory.h"
#include <sodium.h>
#include <stdlib.h>

struct kept {
  struct memory_key key;
  uint64_t used; /* when, counted in questions; 0: free */
  struct model_verdict verdict;
};

struct memory {
  uint64_t now;
  struct kept sets[MEMORY_SETS][MEMORY_WAYS];
};

struct memory *memory_new(void)
{
  return calloc(1, sizeof(struct memory));
}

void memory_free(struct memory *m)
{
  free(m);
}

struct memory_key memory_key_of(struct str text, bool document)
{
  struct memory_key k;
  crypto_generichash(k.hash, sizeof k.hash, (const unsigned char *)text.p, text.n, NULL, 0);
  k.hash[0] = (unsigned char)((k.hash[0] & 0xFE) | document); /* one bit for the role leaves 255 against collisions */
  return k;
}

static struct kept *set_of(struct memory *m, const struct memory_key *key)
{
  return m->sets[(key->hash[8] | (unsigned)key->hash[9] << 8) % MEMORY_SETS];
}

const struct model_verdict *memory_find(struct memory *m, const struct memory_key *key)
{
  struct kept *set = set_of(m, key);
  for (size_t i = 0; i < MEMORY_WAYS; i++)
    if (set[i].used && memcmp(set[i].key.hash, key->hash, sizeof key->hash) == 0) {
      set[i].used = ++m->now;
      return &set[i].verdict;
    }
  return NULL;
}

void memory_put(struct memory *m, const struct memory_key *key, const struct model_verdict *v)
{
  struct kept *set = set_of(m, key), *oldest = set;
  for (size_t i = 1; i < MEMORY_WAYS; i++)
    if (set[i].used < oldest->used) oldest = &set[i];
  *oldest = (struct kept){*key, ++m->now, *v};
}
