/*
 * The vocabulary is a trie in an open hash table: every beginning of a piece is an entry under the hash of its bytes, so that a longest
 * match costs one look-up a byte. A look-up compares hashes, not bytes: vocabulary_new refuses pieces whose beginnings collide,
 * and a text whose bytes collide with a piece's merely reads as that piece.
 */
#include "model/tokens.h"
#include <stdlib.h>

struct entry {
  uint32_t tag;        /* of the hash; its other bits say where the entry stands */
  uint32_t id : 24;    /* 0: only the beginning of pieces */
  uint32_t length : 8; /* in bytes; 0: a free entry */
};

struct vocabulary {
  struct entry *entries;
  uint64_t mask;
  uint32_t size;
  const char *pieces;
  uint32_t *at; /* in pieces: the byte of length of each, from FIRST_PIECE on */
};

static const uint64_t SEED = 0xcbf29ce484222325u, STEP = 0x9e3779b97f4a7c15u;

static uint64_t extend(uint64_t hash, unsigned char byte)
{
  hash = (hash ^ byte) * STEP;
  return hash ^ (hash >> 29);
}

/* The entry of the hash, or the free one where it would stand. */
static struct entry *find(const struct vocabulary *v, uint64_t hash)
{
  uint64_t at = hash & v->mask;
  while (v->entries[at].length && v->entries[at].tag != hash >> 32) at = (at + 1) & v->mask;
  return &v->entries[at];
}

static int add_piece(struct vocabulary *v, struct str piece, uint32_t id, struct vdt_error *err)
{
  uint64_t hash = SEED;
  for (size_t i = 0; i < piece.n; i++) {
    hash = extend(hash, (unsigned char)piece.p[i]);
    struct entry *e = find(v, hash);
    if (e->length && e->length != i + 1)
      return error_set(err, VDT_ERULE, "piece %u of the vocabulary: hash collision", id - FIRST_PIECE);
    e->tag = (uint32_t)(hash >> 32);
    e->length = (i + 1) & 0xFF;
    if (i + 1 < piece.n) continue;
    if (e->id) return error_set(err, VDT_ERULE, "piece %u of the vocabulary stands twice", id - FIRST_PIECE);
    e->id = id & 0xFFFFFF;
  }
  return VDT_OK;
}

static int add_pieces(struct vocabulary *v, struct str pieces, struct vdt_error *err)
{
  for (size_t i = 0; i < pieces.n;) {
    size_t n = (unsigned char)pieces.p[i++];
    if (n == 0 || n > PIECE_MAX || n > pieces.n - i || v->size == PIECES_MAX)
      return error_set(err, VDT_ERULE, "piece %u of the vocabulary: length %zu is out of bounds", v->size - FIRST_PIECE, n);
    int rc = add_piece(v, str_cut(pieces, i, i + n), v->size, err);
    if (rc) return rc;
    v->at[v->size++ - FIRST_PIECE] = (uint32_t)i - 1;
    i += n;
  }
  return VDT_OK;
}

static int fill(struct vocabulary *v, struct str pieces, uint64_t room, struct vdt_error *err)
{
  free(v->entries);
  v->entries = calloc(room, sizeof *v->entries);
  if (!v->at) v->at = calloc(pieces.n / 2 + 1, sizeof *v->at); /* a piece has at least two bytes */
  v->pieces = pieces.p;
  if (!v->entries || !v->at) return error_set(err, VDT_ENOMEM, "out of memory");
  v->mask = room - 1;
  v->size = FIRST_PIECE;
  return add_pieces(v, pieces, err);
}

/* As small as look-ups allow: it is read at random, and what does not fit into a processor's cache costs more than a longer way to a free entry. */
static uint64_t room_for(const struct vocabulary *v)
{
  uint64_t used = 0, room = 16;
  for (uint64_t i = 0; i <= v->mask; i++) used += v->entries[i].length != 0;
  while (room / 4 * 3 < used) room *= 2;
  return room;
}

int vocabulary_new(struct str pieces, struct vocabulary **out, struct vdt_error *err)
{
  struct vocabulary *v = calloc(1, sizeof *v);
  uint64_t room = 1024;
  while (room < pieces.n) room *= 2; /* at most an entry a byte, less one a piece; in practice a fourth: beginnings are shared */
  int rc = v ? fill(v, pieces, room, err) : error_set(err, VDT_ENOMEM, "out of memory");
  if (!rc) rc = fill(v, pieces, room_for(v), err);
  if (rc) vocabulary_free(v);
  if (!rc) *out = v;
  return rc;
}

void vocabulary_free(struct vocabulary *v)
{
  if (!v) return;
  free(v->entries);
  free(v->at);
  free(v);
}

uint32_t vocabulary_size(const struct vocabulary *v)
{
  return v->size;
}

size_t vocabulary_spell(const struct vocabulary *v, const uint32_t *ids, size_t n, char *out)
{
  char *to = out;
  for (size_t i = 0; i < n; i++) {
    if (ids[i] == TOKEN_NEWLINE) *to++ = '\n';
    else if (ids[i] >= FIRST_BYTE && ids[i] < FIRST_PIECE) *to++ = (char)(ids[i] - FIRST_BYTE);
    else if (ids[i] >= FIRST_PIECE && ids[i] < v->size) {
      const char *piece = v->pieces + v->at[ids[i] - FIRST_PIECE];
      size_t length = (unsigned char)*piece;
      memcpy(to, piece + 1, length);
      to += length;
    }
  }
  return (size_t)(to - out);
}

static bool blank(unsigned char c)
{
  return c <= ' ' || c == 0x7F;
}

static unsigned char lower(unsigned char c)
{
  return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* The longest piece at text[i], which may begin with the blank before a word. Returns where it ends; i when there is none. */
static size_t longest(const struct vocabulary *v, struct str text, size_t i, bool word, uint32_t *id)
{
  uint64_t hash = word ? extend(SEED, ' ') : SEED;
  size_t end = i;
  for (size_t k = i; k < text.n && k - i < PIECE_MAX && !blank((unsigned char)text.p[k]); k++) {
    hash = extend(hash, lower((unsigned char)text.p[k]));
    const struct entry *e = find(v, hash);
    if (!e->length) break;
    if (!e->id) continue;
    *id = e->id;
    end = k + 1;
  }
  return end;
}

/* What repeats itself, with a period of at most so many tokens, is told so many times. */
enum { PERIOD_MAX = 12, REPEATS = 2 };

/* How many tokens in a row have been what stands so many before them, by period. */
struct repeats {
  size_t same[PERIOD_MAX + 1];
};

/* out[n - 1] is new. How many tokens to take away again, a whole period: what follows then goes on as if they had never been. */
static size_t told_before(struct repeats *r, const struct token *out, size_t n)
{
  size_t took = 0;
  for (size_t k = 1; k <= PERIOD_MAX; k++) {
    r->same[k] = n > k && out[n - 1].id == out[n - 1 - k].id ? r->same[k] + 1 : 0;
    if (!took && r->same[k] == REPEATS * k) took = k;
  }
  for (size_t k = 1; took && k <= PERIOD_MAX; k++) r->same[k] = r->same[k] > took ? r->same[k] - took : 0;
  return took;
}

size_t tokenize(const struct vocabulary *v, struct str text, size_t from, struct token *out, size_t max, size_t *stop)
{
  struct repeats repeats = {0};
  size_t n = 0, i = from;
  while (n < max) {
    bool line = false, word = i == 0;
    size_t at = i;
    for (; i < text.n && blank((unsigned char)text.p[i]); i++) {
      word = true;
      line |= text.p[i] == '\n';
    }
    if (i == text.n) break;
    if (line) {
      if (n + 1 == max) { /* the word after it must follow in one piece with its blank */
        i = at;
        break;
      }
      out[n++] = (struct token){TOKEN_NEWLINE, (uint32_t)i, (uint32_t)i};
      n -= told_before(&repeats, out, n);
    }
    uint32_t id = 0;
    size_t end = longest(v, text, i, word, &id);
    if (end == i && word) end = longest(v, text, i, false, &id);
    if (end == i) {
      id = FIRST_BYTE + lower((unsigned char)text.p[i]);
      end = i + 1;
    }
    out[n++] = (struct token){id, (uint32_t)i, (uint32_t)end};
    n -= told_before(&repeats, out, n);
    i = end;
  }
  *stop = i;
  return n;
}
