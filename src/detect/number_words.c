/*
 * Names near a number. Each rule that numbers wake has names; they are looked for within 300 bytes before and after, in fields ("nhs_number",
 * "nhsNumber"), in sentences and in headings of columns, in the languages of their country. The nearest wins. Words that say that the number is
 * something else (against.def) count on the same line only, right before it.
 */
#include "detect/number.h"
#include "engine/blocks.h"

enum { BUCKETS = 4096, AGAINST = 40 };

struct word {
  struct str text;
  uint32_t rule; /* NUMBER_AGAINST: of against.def */
  uint32_t next; /* of its bucket, plus one */
};
#define WORD_AGAINST UINT32_MAX

struct number_words {
  struct word *words;
  uint32_t n;
  uint32_t heads[BUCKETS]; /* index plus one */
};

static const char *const against[] = {
#define X(word, help) word,
#include "detect/against.def"
#undef X
};

static int fold(int c)
{
  return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool is_letter(int c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static unsigned bucket(int a, int b)
{
  return ((unsigned)fold(a) * 131 + (unsigned)fold(b)) % BUCKETS;
}

static void add(struct number_words *w, struct str text, uint32_t rule)
{
  unsigned at = bucket((unsigned char)text.p[0], (unsigned char)text.p[1]);
  w->words[w->n] = (struct word){text, rule, w->heads[at]};
  w->heads[at] = ++w->n;
}

const struct number_words *number_words_new(const struct rules *rules, const uint32_t *which, unsigned n, struct vdt_arena *arena)
{
  size_t total = sizeof against / sizeof *against;
  for (unsigned i = 0; i < n; i++) total += rules->rules[which[i]].n_names;
  struct number_words *w = arena_zalloc(arena, 1, sizeof *w);
  if (!w || !(w->words = arena_zalloc(arena, total, sizeof *w->words))) return NULL;
  for (size_t i = 0; i < sizeof against / sizeof *against; i++) add(w, str_of(against[i]), WORD_AGAINST);
  for (unsigned i = 0; i < n; i++)
    for (unsigned k = 0; k < rules->rules[which[i]].n_names; k++) add(w, rules->rules[which[i]].names[k], which[i]);
  return w;
}

/* Bytes [from, to) of the view that have arrived. */
struct span {
  const unsigned char *p;
  size_t n;
};

static bool joins_words(int c)
{
  return c == ' ' || c == '_' || c == '-' || c == '.' || c == '\n' || c == '\t' || c == '\r' || c == '\'';
}

/* The end of the word that begins at i, or 0: it does not. A blank stands for whatever joins words, and for nothing. A short word has to end there. */
static size_t word_end(struct str word, const struct span *s, size_t i)
{
  size_t begin = i;
  for (size_t k = 0; k < word.n; k++) {
    if (word.p[k] == ' ') {
      for (unsigned m = 0; m < 3 && i < s->n && joins_words(s->p[i]); m++) i++;
      continue;
    }
    if (i == s->n || fold(s->p[i]) != (unsigned char)word.p[k]) return 0;
    i++;
  }
  bool goes_on = i < s->n && is_letter(s->p[i]) && !(s->p[i] <= 'Z' && s->p[i - 1] >= 'a');
  return word.n <= 5 && goes_on && i > begin ? 0 : i;
}

/* Where words begin in the block at i, as bits: at a boundary, at a capital letter inside of a name, and everywhere in a script without blanks. */
static uint64_t word_starts(const struct span *s, size_t i)
{
  unsigned char pad[BLOCK_BYTES];
  size_t n = s->n - i < BLOCK_BYTES ? s->n - i : BLOCK_BYTES;
  const unsigned char *p = block_pad(s->p + i, n, pad);
  uint64_t letters = block_letters(p), upper = block_upper(p);
  int before = i ? s->p[i - 1] : ' ';
  uint64_t letter_before = letters << 1 | is_letter(before),
           small_before = (letters & ~upper) << 1 | (is_letter(before) && before >= 'a');
  return block_high(p) | (letters & ~letter_before) | (upper & small_before);
}

/* Calls hit(context, word, begin, end) for each word in the span, at each place the longest of a rule. */
static void each_word(const struct number_words *w, const struct span *s,
                      void (*hit)(void *, const struct word *, size_t, size_t), void *context)
{
  for (size_t at = 0; at + 1 < s->n; at += BLOCK_BYTES)
    for (uint64_t starts = word_starts(s, at); starts; starts &= starts - 1) {
      size_t i = at + block_first(starts);
      if (i + 1 == s->n) return;
      for (uint32_t k = w->heads[bucket(s->p[i], s->p[i + 1])]; k; k = w->words[k - 1].next) {
        size_t end = word_end(w->words[k - 1].text, s, i);
        if (end) hit(context, &w->words[k - 1], i, end);
      }
    }
}

struct nearness {
  const struct span *span;
  struct wanted *wanted;
  unsigned n;
  uint32_t against;
  bool after;
};

static void note(void *context, const struct word *word, size_t begin, size_t end)
{
  struct nearness *x = context;
  uint32_t distance = (uint32_t)(x->after ? begin : x->span->n - end);
  if (word->rule == WORD_AGAINST) {
    bool line = distance <= AGAINST && !memchr(x->span->p + end, '\n', x->span->n - end);
    if (line && distance < x->against) x->against = distance;
    return;
  }
  for (unsigned i = 0; i < x->n; i++) {
    uint32_t *best = x->after ? &x->wanted[i].after : &x->wanted[i].before;
    if (x->wanted[i].rule != word->rule || distance > *best) continue;
    if (distance < *best || word->text.n > x->wanted[i].length) x->wanted[i].length = (uint32_t)word->text.n;
    *best = distance;
  }
}

void number_words_before(const struct number_words *w, struct look *l, uint64_t start, struct wanted *wanted, unsigned n,
                         uint32_t *against_out)
{
  uint64_t reach = NUMBER_CONTEXT + RULE_NAME_MAX, from = start > l->base + reach ? start - reach : l->base;
  struct span s = {l->p + (from - l->base), (size_t)(start - from)};
  struct nearness x = {.span = &s, .wanted = wanted, .n = n, .against = NOT_NEAR};
  for (unsigned i = 0; i < n; i++) wanted[i].before = NOT_NEAR;
  each_word(w, &s, note, &x);
  *against_out = x.against;
}

void number_words_after(const struct number_words *w, struct look *l, uint64_t end, struct wanted *wanted, unsigned n)
{
  uint64_t to = end + NUMBER_CONTEXT;
  if (to > l->end) {
    if (!l->eof) l->starved = true;
    to = l->end;
  }
  struct span s = {l->p + (end - l->base), (size_t)(to - end)};
  struct nearness x = {.span = &s, .wanted = wanted, .n = n, .against = NOT_NEAR, .after = true};
  for (unsigned i = 0; i < n; i++) wanted[i].after = NOT_NEAR;
  if (!l->starved) each_word(w, &s, note, &x);
}
