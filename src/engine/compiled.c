#include "engine/compiled.h"
#include <sodium.h>
#include <stdlib.h>

/* In the byte order of the machine, which the key binds it to. The number in the magic changes with the header. */
struct header {
  char magic[8];
  unsigned char key[COMPILED_HASH], sum[COMPILED_HASH];
  uint64_t sizes[COMPILED_DATABASES];
};
static const char magic[8] = {'v', 'd', 't', 'r', 'u', 'l', 'e', '5'};

static void hash_text(crypto_generichash_state *h, const char *text)
{
  crypto_generichash_update(h, (const unsigned char *)text, strlen(text) + 1);
}

void compiled_key(const struct expressions *x, unsigned char key[COMPILED_HASH])
{
  crypto_generichash_state h;
  hs_platform_info_t machine = {0};
  (void)hs_populate_platform(&machine);
  crypto_generichash_init(&h, NULL, 0, COMPILED_HASH);
  crypto_generichash_update(&h, (const unsigned char *)magic, sizeof magic);
  hash_text(&h, hs_version());
  crypto_generichash_update(&h, (const unsigned char *)&machine, sizeof machine);
  const unsigned counts[] = {x->phrases_only ? 0 : x->n_stream, x->n_first - x->n_stream, x->n - x->n_first};
  crypto_generichash_update(&h, (const unsigned char *)counts, sizeof counts);
  for (unsigned i = x->phrases_only ? x->n_stream : 0; i < x->n; i++) {
    crypto_generichash_update(&h, (const unsigned char *)&x->flags[i], sizeof x->flags[i]);
    crypto_generichash_update(&h, (const unsigned char *)&x->ids[i], sizeof x->ids[i]);
    hash_text(&h, x->text[i]);
  }
  crypto_generichash_final(&h, key, COMPILED_HASH);
}

/* Of the sizes and the databases. */
static void sum_of(const struct header *head, struct str databases, unsigned char sum[COMPILED_HASH])
{
  crypto_generichash_state h;
  crypto_generichash_init(&h, NULL, 0, COMPILED_HASH);
  crypto_generichash_update(&h, (const unsigned char *)head->sizes, sizeof head->sizes);
  crypto_generichash_update(&h, (const unsigned char *)databases.p, databases.n);
  crypto_generichash_final(&h, sum, COMPILED_HASH);
}

bool compiled_parts(struct str bytes, const unsigned char key[COMPILED_HASH], struct str parts[COMPILED_DATABASES])
{
  struct header head;
  unsigned char sum[COMPILED_HASH];
  if (bytes.n < sizeof head) return false;
  memcpy(&head, bytes.p, sizeof head);
  if (memcmp(head.magic, magic, sizeof magic) != 0 || memcmp(head.key, key, COMPILED_HASH) != 0) return false;
  struct str rest = str_cut(bytes, sizeof head, bytes.n);
  sum_of(&head, rest, sum);
  if (memcmp(head.sum, sum, sizeof sum) != 0) return false;
  for (unsigned i = 0; i < COMPILED_DATABASES; i++) {
    if (head.sizes[i] > rest.n) return false;
    parts[i] = str_cut(rest, 0, (size_t)head.sizes[i]);
    rest = str_cut(rest, (size_t)head.sizes[i], rest.n);
  }
  return rest.n == 0;
}

char *compiled_bytes(hs_database_t *const databases[COMPILED_DATABASES], const unsigned char key[COMPILED_HASH], size_t *n)
{
  struct header head = {0};
  char *piece[COMPILED_DATABASES] = {0}, *out = NULL;
  size_t size = sizeof head, at = sizeof head;
  bool fine = true;
  for (unsigned i = 0; fine && i < COMPILED_DATABASES; i++) {
    size_t length = 0;
    if (!databases[i]) continue;
    fine = hs_serialize_database(databases[i], &piece[i], &length) == HS_SUCCESS;
    head.sizes[i] = length;
    size += length;
  }
  if (fine) out = malloc(size);
  for (unsigned i = 0; i < COMPILED_DATABASES; i++) {
    if (out && piece[i]) memcpy(out + at, piece[i], (size_t)head.sizes[i]);
    at += (size_t)head.sizes[i];
    free(piece[i]);
  }
  if (!out) return NULL;
  memcpy(head.magic, magic, sizeof magic);
  memcpy(head.key, key, COMPILED_HASH);
  sum_of(&head, (struct str){out + sizeof head, size - sizeof head}, head.sum);
  memcpy(out, &head, sizeof head);
  *n = size;
  return out;
}
