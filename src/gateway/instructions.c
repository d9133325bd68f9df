#include "gateway/instructions.h"
#include <sodium.h>
#include <stdlib.h>

enum { FORGIVEN = 24 /* words between two known runs that are still one leak */ };

/* ---- words ------------------------------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t h, uint64_t v)
{
  h = (h ^ v) * UINT64_C(0x9E3779B97F4A7C15);
  return h ^ h >> 29;
}

/* Characters of scripts that set no blanks between words: 3 bytes, from U+2E80 on, but no Hangul. */
static bool stands_alone(unsigned char lead)
{
  return lead >= 0xE3 && lead <= 0xE9;
}

static bool is_word_byte(unsigned char c)
{
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* The word is over: the hash of the last GRAM words, or 0 when there are not so many yet. A polynomial over the words, so that one enters and one
 * leaves it, and they need not all be gone through at each word. */
static uint64_t end_word(struct gram_reader *g)
{
  static const uint64_t base = UINT64_C(0xD6E8FEB86659FD93);
  uint64_t leaves = base, *oldest = &g->last[g->n_words % INSTRUCTIONS_GRAM];
  _Static_assert(INSTRUCTIONS_GRAM == 8, "base is raised by squaring it three times");
  for (unsigned i = 0; i < 3; i++) leaves *= leaves;
  g->in_word = false;
  g->run = g->run * base + g->word - *oldest * leaves;
  *oldest = g->word;
  if (++g->n_words < INSTRUCTIONS_GRAM) return 0;
  uint64_t h = mix(0, g->run);
  return h ? h : 1;
}

/* One byte; *gram: a run that it ends, or 0. *ended: a word ended. */
static void take_byte(struct gram_reader *g, uint64_t seed, unsigned char c, uint64_t *gram, bool *ended)
{
  *gram = 0;
  *ended = false;
  if (g->left && (c & 0xC0) == 0x80) {
    g->word = mix(g->word, c);
    if (--g->left) return;
    *ended = true;
    *gram = end_word(g);
    return;
  }
  g->left = 0;
  bool alone = stands_alone(c), word = is_word_byte(c) && !alone;
  if (g->in_word && !word) {
    *ended = true;
    *gram = end_word(g);
  }
  if (alone) {
    g->word = mix(seed, c);
    g->left = 2;
  } else if (word) {
    if (!g->in_word) g->word = seed;
    g->in_word = true;
    g->word = mix(g->word, c >= 'A' && c <= 'Z' ? c + 32u : c);
  }
}

/* ---- what is known ---------------------------------------------------------------------------------------------- */

void instructions_init(struct instructions *i, const unsigned char key[32])
{
  unsigned char h[crypto_generichash_BYTES_MIN];
  *i = (struct instructions){0};
  crypto_generichash(h, sizeof h, (const unsigned char *)"instructions", 12, key, 32);
  memcpy(&i->seed, h, sizeof i->seed);
}

void instructions_finish(struct instructions *i)
{
  free(i->grams);
  i->grams = NULL;
  i->room = i->n = 0;
}

/* The place of a run, or where it would stand. room is a power of two, and at most half full. */
static size_t place(const struct instructions *i, uint64_t gram)
{
  size_t at = (size_t)(gram >> 7) & (i->room - 1);
  while (i->grams[at] && i->grams[at] != gram) at = (at + 1) & (i->room - 1);
  return at;
}

static bool grow(struct instructions *i)
{
  struct instructions more = {.room = i->room ? i->room * 2 : 512};
  more.grams = calloc(more.room, sizeof *more.grams);
  if (!more.grams) return false;
  for (size_t k = 0; k < i->room; k++)
    if (i->grams[k]) more.grams[place(&more, i->grams[k])] = i->grams[k];
  free(i->grams);
  i->grams = more.grams;
  i->room = more.room;
  return true;
}

static bool put(struct instructions *i, uint64_t gram)
{
  if (i->n == INSTRUCTIONS_GRAMS_MAX) return true;
  if (2 * (i->n + 1) > i->room && !grow(i)) return false;
  size_t at = place(i, gram);
  i->n += i->grams[at] == 0;
  i->grams[at] = gram;
  return true;
}

bool instructions_add(struct instructions *i, struct str text)
{
  struct gram_reader g = {0};
  bool ok = true, ended;
  uint64_t gram;
  for (size_t k = 0; ok && k < text.n; k++) {
    take_byte(&g, i->seed, (unsigned char)text.p[k], &gram, &ended);
    if (gram) ok = put(i, gram);
  }
  if (ok && g.in_word && (gram = end_word(&g))) ok = put(i, gram);
  return ok;
}

/* A place that was taken stays taken, or those behind it would not be found: it holds what no run is. */
static void forget_one(struct instructions *i, uint64_t gram)
{
  size_t at = place(i, gram);
  if (!i->grams[at]) return;
  i->grams[at] = UINT64_MAX;
  i->n--;
}

void instructions_forget(struct instructions *i, struct str text)
{
  struct gram_reader g = {0};
  bool ended;
  uint64_t gram;
  for (size_t k = 0; i->n && k < text.n; k++) {
    take_byte(&g, i->seed, (unsigned char)text.p[k], &gram, &ended);
    if (gram) forget_one(i, gram);
  }
  if (i->n && g.in_word && (gram = end_word(&g))) forget_one(i, gram);
}

void instructions_settle(struct instructions *i)
{
  i->needed = i->n / 4;
  if (i->needed < INSTRUCTIONS_LEAST) i->needed = INSTRUCTIONS_LEAST;
  if (i->needed > INSTRUCTIONS_MOST) i->needed = INSTRUCTIONS_MOST;
}

/* What stays the same of base64 whatever stands before and behind: digits made of the canary's bits alone. `before` bytes precede it. */
static void put_base64(const char *canary, unsigned before, struct canary_form *f)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned skip = (8 * before + 5) / 6 * 6 - 8 * before; /* bits that share a digit with what is before */
  for (unsigned bit = skip; bit + 6 <= 8 * CANARY_LEN; bit += 6) {
    unsigned byte = bit / 8, two = (unsigned)(unsigned char)canary[byte] << 8;
    if (byte + 1 < CANARY_LEN) two |= (unsigned char)canary[byte + 1];
    f->text[f->n++] = digits[two >> (10 - bit % 8) & 63];
  }
}

static void make_forms(struct instructions *i)
{
  struct canary_form *f = i->forms;
  memset(f, 0, sizeof i->forms);
  for (unsigned k = 0; k < CANARY_LEN; k++) {
    char c = i->canary[k], turned = c;
    if (c >= 'a' && c <= 'z') turned = (char)('a' + (c - 'a' + 13) % 26);
    f[CANARY_PLAIN].text[k] = c;
    f[CANARY_BACKWARDS].text[CANARY_LEN - 1 - k] = c;
    f[CANARY_ROT13].text[k] = turned;
    f[CANARY_HEX].text[2 * k] = "0123456789abcdef"[c >> 4];
    f[CANARY_HEX].text[2 * k + 1] = "0123456789abcdef"[c & 15];
  }
  f[CANARY_PLAIN].n = f[CANARY_BACKWARDS].n = f[CANARY_ROT13].n = CANARY_LEN;
  f[CANARY_HEX].n = 2 * CANARY_LEN;
  for (unsigned k = 0; k < 3; k++) put_base64(i->canary, k, &f[CANARY_BASE64 + k]);
}

void instructions_canary(struct instructions *i, const unsigned char key[32], struct str deployment)
{
  static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
  unsigned char h[32];
  crypto_generichash_state s;
  crypto_generichash_init(&s, key, 32, sizeof h);
  crypto_generichash_update(&s, (const unsigned char *)"canary", 6);
  crypto_generichash_update(&s, (const unsigned char *)deployment.p, deployment.n);
  crypto_generichash_final(&s, h, sizeof h);
  for (unsigned k = 0; k < CANARY_LEN; k++) i->canary[k] = letters[h[k] & 31];
  i->canary[CANARY_LEN] = 0;
  make_forms(i);
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

void leak_reader_finish(struct leak_reader *r)
{
  free(r->hit);
  r->hit = NULL;
}

/* A run of the instructions, each counted once. True when there are enough of them. */
static bool take_gram(struct leak_reader *r, const struct instructions *i, uint64_t gram)
{
  size_t at = gram && i->n ? place(i, gram) : 0;
  if (!gram || !i->n || i->grams[at] != gram || gram == UINT64_MAX) return false;
  if (!r->hit && !(r->hit = calloc(i->room / 64 + 1, sizeof *r->hit))) return false;
  if (r->n_hit == 0 || r->quiet > FORGIVEN) r->run_start = r->at;
  r->quiet = 0;
  if (r->hit[at / 64] >> at % 64 & 1) return false;
  r->hit[at / 64] |= UINT64_C(1) << at % 64;
  return ++r->n_hit >= i->needed;
}

/* Letters and digits alone count, so that blanks and signs between them hide nothing; none of the forms has others. A canary has no beginning of
 * its own inside often enough to matter: a broken beginning is tried again from this byte. */
static bool take_form(struct leak_reader *r, const struct canary_form *f, unsigned id, unsigned char c)
{
  if (c != (unsigned char)f->text[r->canary[id].n]) r->canary[id].n = 0;
  if (c != (unsigned char)f->text[r->canary[id].n]) return false;
  if (r->canary[id].n == 0) r->canary[id].start = r->at;
  if (++r->canary[id].n < f->n) return false;
  r->canary[id].n = 0;
  r->canary_start = r->canary[id].start;
  return true;
}

static bool take_canary(struct leak_reader *r, const struct instructions *i, unsigned char c)
{
  unsigned char small = c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
  bool found = false;
  if (!i->canary[0] || !is_word_byte(c) || c >= 0x80) return false;
  for (unsigned id = 0; id < CANARY_FORMS && !found; id++)
    found = take_form(r, &i->forms[id], id, id < CANARY_BASE64 ? small : c);
  return found;
}

enum instructions_found leak_read(struct leak_reader *r, const struct instructions *i, struct str in, bool last, size_t *n,
                                  uint64_t *start)
{
  uint64_t gram;
  bool ended;
  for (*n = 0; *n < in.n;) {
    unsigned char c = (unsigned char)in.p[(*n)++];
    bool canary = take_canary(r, i, c);
    take_byte(&r->grams, i->seed, c, &gram, &ended);
    bool enough = take_gram(r, i, gram);
    r->quiet += ended;
    r->at++;
    if (canary && !r->told_canary) {
      r->told_canary = true;
      *start = r->canary_start;
      return INSTRUCTIONS_CANARY;
    }
    if (!enough || r->told) continue;
    r->told = true;
    *start = r->run_start;
    return INSTRUCTIONS_REPEATED;
  }
  if (!last || r->told || !r->grams.in_word) return INSTRUCTIONS_NOTHING;
  r->told = take_gram(r, i, end_word(&r->grams));
  *start = r->run_start;
  return r->told ? INSTRUCTIONS_REPEATED : INSTRUCTIONS_NOTHING;
}
