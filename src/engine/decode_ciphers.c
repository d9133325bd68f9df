/*
 * Ciphers of letters: ROT13, Atbash, letters backwards, digits for letters. Nothing marks them but that the letters make no language as
 * they stand, and do when they are turned.
 *
 * A text is read word by word. Each word gains so many bits by a cipher as its letters become more likely, and loses some when they
 * become less likely. A stretch whose gains add up, and that does not lose DROP on the way, is taken for written in the cipher: so a
 * name or a number inside it does no harm, and a sentence in cipher is found within an ordinary page. One pass, constant memory.
 */
#include "engine/decode_inside.h"

enum {
  LEET_MAX = 24,
  GAIN_MIN = 26 * 8, /* bits that a stretch must gain */
  GAIN_MEAN = 9,     /* eighths of a bit that each pair of it must gain on average */
  LEET_MEAN = 4,     /* the same of digits for letters: most letters of such a word are what they are, and gain nothing */
  DROP = 14 * 8,
  COST_MEAN = 40, /* most that a pair of what comes out may cost on average */
  LEET_COST = 34, /* the same where so little is gained */
};

/* A stretch of words in the making; score counts eighths of bits. */
struct stretch {
  int32_t sum, best;
  size_t start, end; /* of the best so far */
  uint32_t pairs, best_pairs, best_cost, cost;
  unsigned words, best_words;
  bool leet; /* of digits for letters */
};

struct word {
  size_t start, end;
  int32_t gain;
  uint32_t pairs, cost; /* cost: as decoded */
};

static bool stretch_counts(const struct stretch *t)
{
  /* Words of language have three letters on average, and so four pairs. */
  uint32_t mean = t->leet ? LEET_MEAN : GAIN_MEAN, cost = t->leet ? LEET_COST : COST_MEAN;
  return t->best_words > 1 && t->best >= GAIN_MIN && t->best_pairs >= t->best_words * 4 &&
         (uint32_t)t->best >= t->best_pairs * mean && t->best_cost <= t->best_pairs * cost;
}

/* Adds a word; true when the stretch before it has ended and counts: it is in *done. */
static bool stretch_add(struct stretch *t, const struct word *word, struct stretch *done)
{
  bool ended = false;
  if (t->sum > 0 && t->best - (t->sum + word->gain) > DROP) {
    *done = *t;
    ended = stretch_counts(t);
    *t = (struct stretch){.leet = t->leet};
  }
  if (t->sum + word->gain <= 0) {
    if (stretch_counts(t)) {
      *done = *t;
      ended = true;
    }
    *t = (struct stretch){.leet = t->leet};
    return ended;
  }
  if (t->sum == 0) t->start = word->start;
  t->sum += word->gain;
  t->pairs += word->pairs;
  t->cost += word->cost;
  t->words++;
  if (t->sum > t->best) {
    t->best = t->sum;
    t->end = word->end;
    t->best_pairs = t->pairs;
    t->best_cost = t->cost;
    t->best_words = t->words;
  }
  return ended;
}

/* ---- letters turned ---------------------------------------------------------------------------------------------- */

enum { TURN_ROT13, TURN_ATBASH, TURN_BOTH, TURN_REVERSED, TURN_REVERSED_ROT13, TURN_REVERSED_ATBASH, TURNS };

/* What two letters cost by each cipher and, last, as they stand, four numbers of sixteen bits in one, so that a word is weighed by few additions for each pair. */
void turns_fill(struct text_model *m)
{
  for (unsigned a = 0; a < 27; a++)
    for (unsigned b = 0; b < 27; b++) {
      unsigned ra = a ? (a + 12) % 26 + 1 : 0, rb = b ? (b + 12) % 26 + 1 : 0;
      uint64_t rot = m->cost[ra][rb], bash = m->cost[a ? 27 - a : 0][b ? 27 - b : 0];
      uint64_t both = m->cost[ra ? 27 - ra : 0][rb ? 27 - rb : 0], back = m->cost[b][a];
      uint64_t back_rot = m->cost[rb][ra], back_bash = m->cost[b ? 27 - b : 0][a ? 27 - a : 0];
      m->turned[a][b][0] = rot | bash << 16 * TURN_ATBASH | both << 16 * TURN_BOTH | back << 16 * TURN_REVERSED;
      m->turned[a][b][1] = back_rot | back_bash << 16 | (uint64_t)m->cost[a][b] << 16 * (TURNS - 4);
    }
}

/* Gains of one word of letters by each cipher. */
static void weigh(const struct text_model *m, struct str s, int32_t gain[TURNS], uint32_t cost[TURNS], uint32_t *pairs)
{
  enum { PART = 256 }; /* pairs of which no number of sixteen bits overflows */
  unsigned a = 0;
  int32_t plain = 0;
  *pairs = (uint32_t)s.n + 1;
  for (unsigned k = 0; k < TURNS; k++) cost[k] = 0;
  for (size_t i = 0; i <= s.n;) {
    uint64_t sums[2] = {0};
    size_t stop = s.n + 1 - i < PART ? s.n + 1 : i + PART;
    for (; i < stop; i++) {
      unsigned b = i < s.n ? m->letter[(unsigned char)s.p[i]] : 0;
      sums[0] += m->turned[a][b][0];
      sums[1] += m->turned[a][b][1];
      a = b;
    }
    for (unsigned k = 0; k < TURNS; k++) cost[k] += (uint32_t)(sums[k / 4] >> 16 * (k % 4) & 0xffff);
    plain += (int32_t)(sums[1] >> 16 * (TURNS - 4) & 0xffff);
  }
  for (unsigned k = 0; k < TURNS; k++) gain[k] = plain - (int32_t)cost[k];
}

/* Bytes in reverse, characters of more than one byte whole. */
static void put_backwards(struct buf *out, struct str s)
{
  for (size_t i = s.n; i > 0;) {
    size_t end = i;
    i = str_character(s, i - 1);
    buf_put(out, str_cut(s, i, end));
  }
}

static void put_words_backwards(struct buf *out, struct str s)
{
  for (size_t i = 0; i < s.n;) {
    size_t k = i;
    while (k < s.n && !is_blank((unsigned char)s.p[k])) k++;
    put_backwards(out, str_cut(s, i, k));
    for (i = k; k < s.n && is_blank((unsigned char)s.p[k]);) k++;
    buf_put(out, str_cut(s, i, k));
    i = k;
  }
}

void put_turned(struct buf *out, struct str s, enum decoder_id how)
{
  if (how == DECODER_REVERSED) {
    put_backwards(out, s);
  } else if (how == DECODER_REVERSED_WORDS) {
    put_words_backwards(out, s);
  } else if (buf_reserve(out, s.n)) {
    for (size_t i = 0; i < s.n; i++) out->p[out->n + i] = turn_letter(s.p[i], how);
    out->n += s.n;
  }
}

/* Words beside a stretch that look as good in the cipher as without it belong to it: letters of "ignore" make fair pairs backwards too. */
static bool may_join(struct decode_work *w, struct str word, unsigned how)
{
  enum { NEUTRAL = -3 * 8 };
  int32_t gain[TURNS];
  uint32_t cost[TURNS], pairs;
  weigh(&w->model, word, gain, cost, &pairs);
  return gain[how] > NEUTRAL;
}

static bool parts_words(struct str gap)
{
  return gap.n && gap.n <= 4 && !memchr(gap.p, '\n', gap.n);
}

static void extend(struct decode_work *w, size_t *start, size_t *end, unsigned how)
{
  enum { WORDS = 6 };
  struct str s = w->in;
  for (unsigned n = 0; n < WORDS; n++) {
    size_t to = *start, from;
    while (to > 0 && *start - to < 5 && !is_letter((unsigned char)s.p[to - 1])) to--;
    for (from = to; from > 0 && to - from < 32 && is_letter((unsigned char)s.p[from - 1]);) from--;
    if (from == to || !parts_words(str_cut(s, to, *start)) || !may_join(w, str_cut(s, from, to), how)) break;
    *start = from;
  }
  for (unsigned n = 0; n < WORDS; n++) {
    size_t from = *end, to;
    while (from < s.n && from - *end < 5 && !is_letter((unsigned char)s.p[from])) from++;
    for (to = from; to < s.n && to - from < 32 && is_letter((unsigned char)s.p[to]);) to++;
    if (from == to || !parts_words(str_cut(s, *end, from)) || !may_join(w, str_cut(s, from, to), how)) break;
    *end = to;
  }
}

/* A sentence backwards begins with its full stop. */
static size_t sentence_start(struct str s, size_t i)
{
  while (i > 0 && strchr(".!?\"')", s.p[i - 1]) && s.p[i - 1]) i--;
  return i;
}

/* letters: ROT13 or ATBASH where the letters are turned too, else REVERSED. */
static void take_backwards(struct decode_work *w, size_t start, size_t end, enum decoder_id letters)
{
  static const enum decoder_id readings[] = {DECODER_REVERSED, DECODER_REVERSED_WORDS};
  bool turned = letters != DECODER_REVERSED;
  start = sentence_start(w->in, start);
  struct str s = str_cut(w->in, start, end);
  for (unsigned i = 0; i < 2; i++) {
    buf_reset(&w->scratch);
    if (turned) put_turned(&w->scratch, s, letters);
    struct piece p = {.start = (uint32_t)start, .end = (uint32_t)end, .at = (uint32_t)w->out.n, .variant = (uint8_t)i};
    put_turned(&w->out, turned ? buf_str(&w->scratch) : s, readings[i]);
    if (turned) p.layers[p.n_layers++] = (uint8_t)letters;
    p.layers[p.n_layers++] = (uint8_t)readings[i];
    piece_add_full(w, p);
  }
}

/* The line around i from `seen` on; of a long one so much on either side. */
static struct region line_around(struct str s, size_t seen, size_t i)
{
  enum { SIDE = 2048 };
  size_t start = i, end = i;
  while (start > seen && i - start < SIDE && s.p[start - 1] != '\n') start--;
  while (end < s.n && end - i < SIDE && s.p[end] != '\n') end++;
  return (struct region){(uint32_t)start, (uint32_t)end};
}

/* The words of a region together. */
static uint32_t weigh_all(struct decode_work *w, struct region r, int32_t gain[TURNS], uint32_t cost[TURNS])
{
  uint32_t pairs = 0;
  memset(gain, 0, TURNS * sizeof *gain);
  memset(cost, 0, TURNS * sizeof *cost);
  w->work += r.end - r.start;
  for (size_t i = r.start; i < r.end;) {
    size_t from = i;
    while (i < r.end && is_letter((unsigned char)w->in.p[i])) i++;
    if (i == from) {
      i++;
      continue;
    }
    int32_t g[TURNS];
    uint32_t c[TURNS], n;
    weigh(&w->model, str_cut(w->in, from, i), g, c, &n);
    for (unsigned k = 0; k < TURNS; k++) gain[k] += g[k], cost[k] += c[k];
    pairs += n;
  }
  return pairs;
}

static bool is_backwards(struct decode_work *w, struct region line)
{
  enum { GAIN = 10 * 8, MEAN = 2 };
  const struct text_model *m = &w->model;
  uint32_t plain = 0, back = 0, pairs = 0;
  unsigned a = 0;
  w->work += line.end - line.start;
  for (size_t i = line.start; i <= line.end; i++) {
    unsigned b = i < line.end ? m->letter[(unsigned char)w->in.p[i]] : 0;
    if (a | b) { /* pairs of boundaries say nothing */
      plain += m->cost[a][b];
      back += m->cost[b][a];
      pairs++;
    }
    a = b;
  }
  return plain >= back + GAIN && plain >= back + pairs * MEAN && back <= pairs * COST_MEAN;
}

/* What is no language as it stands gains by more than one cipher. */
static bool is_cheapest(struct decode_work *w, struct region r, unsigned how)
{
  int32_t gain[TURNS];
  uint32_t cost[TURNS];
  weigh_all(w, r, gain, cost);
  for (unsigned k = 0; k < TURNS; k++)
    if (cost[k] < cost[how]) return false;
  return true;
}

/* Pairs of letters are much alike both ways: of one word they do not tell, of a line they do. */
void note_backwards(struct decode_work *w, size_t i)
{
  if (i < w->back_seen || i >= w->in.n) return;
  struct region line = line_around(w->in, w->back_seen, i);
  w->back_seen = line.end;
  if (!is_backwards(w, line)) return;
  struct region *grown = heap_grow(w->back, w->n_back, &w->cap_back, 8, sizeof *grown);
  w->failed |= !grown;
  if (!grown) return;
  w->back = grown;
  w->back[w->n_back++] = line;
}

static void take_stretch(struct decode_work *w, const struct stretch *t, unsigned how)
{
  size_t start = t->start, end = t->end, at = w->out.n;
  if (how > TURN_REVERSED && (t->best < 2 * GAIN_MIN || !is_cheapest(w, (struct region){(uint32_t)start, (uint32_t)end}, how)))
    return;
  extend(w, &start, &end, how);
  if (how == TURN_REVERSED && start >= w->stretch_seen) {
    struct region line = line_around(w->in, w->stretch_seen, start);
    w->stretch_seen = line.end;
    if (line.end >= end && is_backwards(w, line)) start = line.start, end = line.end;
  }
  if (how >= TURN_REVERSED) {
    static const enum decoder_id letters[] = {DECODER_REVERSED, DECODER_ROT13, DECODER_ATBASH};
    take_backwards(w, start, end, letters[how - TURN_REVERSED]);
    return;
  }
  struct str s = str_cut(w->in, start, end);
  put_turned(&w->out, s, how == TURN_ATBASH ? DECODER_ATBASH : DECODER_ROT13);
  if (how == TURN_BOTH) {
    buf_reset(&w->scratch);
    buf_put(&w->scratch, (struct str){w->out.p + at, w->out.n - at});
    w->out.n = at;
    put_turned(&w->out, buf_str(&w->scratch), DECODER_ATBASH);
  }
  struct piece p = {
      .start = (uint32_t)start, .end = (uint32_t)end, .at = (uint32_t)at, .n_layers = how == TURN_BOTH ? 2 : 1, .same = true};
  p.layers[0] = how == TURN_ATBASH ? DECODER_ATBASH : DECODER_ROT13;
  p.layers[1] = DECODER_ATBASH;
  piece_add_full(w, p);
}

/* The letters of a block: what is asked again about the same bytes is not worked out again. */
struct letters {
  size_t at, n;
  uint64_t bits;
};

/* From i on, as bits; *n: how many bytes that are. */
static uint64_t letters_at(struct letters *l, struct str s, size_t i, size_t *n)
{
  unsigned char pad[BLOCK_BYTES];
  if (i < l->at || i >= l->at + l->n) {
    l->at = i;
    l->n = s.n - i < BLOCK_BYTES ? s.n - i : BLOCK_BYTES;
    l->bits = block_letters(block_pad((const unsigned char *)s.p + i, l->n, pad));
  }
  *n = l->at + l->n - i;
  return l->bits >> (i - l->at);
}

/* The next word of letters in [*at, end). */
static struct str next_word(struct letters *l, struct str s, size_t *at, size_t end)
{
  size_t i = *at, n = 0;
  for (; i < end; i += n) {
    unsigned blank = block_first(letters_at(l, s, i, &n));
    if (blank >= n) continue;
    i += blank;
    break;
  }
  size_t start = i = i < end ? i : end;
  for (unsigned run; i < s.n; i += n) {
    if ((run = block_leading(letters_at(l, s, i, &n))) >= n) continue;
    i += run;
    break;
  }
  *at = i;
  return str_cut(s, start, i);
}

/* Letters beside digits are parts of numbers and keys. */
static bool touches_digit(struct str s, size_t start, size_t end)
{
  return (start > 0 && is_digit((unsigned char)s.p[start - 1])) || (end < s.n && is_digit((unsigned char)s.p[end]));
}

/* A region may begin inside a word. */
static size_t word_start(struct str s, size_t i)
{
  while (i > 0 && (is_letter((unsigned char)s.p[i - 1]) || is_digit((unsigned char)s.p[i - 1])) && i < s.n) i--;
  return i;
}

void decode_ciphers(struct decode_work *w)
{
  struct stretch stretches[TURNS] = {0}, done;
  struct letters letters = {0};
  size_t i = 0;
  for (size_t k = 0; k < w->n_back; k++) take_backwards(w, w->back[k].start, w->back[k].end, DECODER_REVERSED);
  for (size_t r = 0; r < w->odd.n; r++) {
    size_t from = word_start(w->in, w->odd.v[r].start);
    if (from > i) {
      /* Between regions the text is language: nothing goes on. */
      for (unsigned k = 0; k < TURNS; k++) {
        if (stretch_counts(&stretches[k])) take_stretch(w, &stretches[k], k);
        stretches[k] = (struct stretch){0};
      }
      i = from;
    }
    w->work += w->odd.v[r].end > i ? w->odd.v[r].end - i : 0;
    while (i < w->odd.v[r].end) {
      struct str word = next_word(&letters, w->in, &i, w->odd.v[r].end);
      if (!word.n) break;
      size_t start = (size_t)(word.p - w->in.p);
      if (touches_digit(w->in, start, i)) continue;
      int32_t gain[TURNS];
      uint32_t cost[TURNS], pairs;
      weigh(&w->model, word, gain, cost, &pairs);
      for (unsigned k = 0; k < TURNS; k++) {
        struct word one = {start, start + word.n, gain[k], pairs, cost[k]};
        if (gain[k] <= 0 && !stretches[k].sum) continue; /* nothing to add to, and nothing to begin with */
        if (stretch_add(&stretches[k], &one, &done)) take_stretch(w, &done, k);
      }
    }
  }
  for (unsigned k = 0; k < TURNS; k++)
    if (stretch_counts(&stretches[k])) take_stretch(w, &stretches[k], k);
}

/* ---- digits for letters ------------------------------------------------------------------------------------------ */

/* What a byte of a word may stand for; 0: no letter. The digit one is also an l. */
static char leet(unsigned char c)
{
  static const char letters[] = "oizeasbtbg"; /* 0..9; 6 is a b to most writers */
  if (is_digit(c)) return letters[c - '0'];
  return c == '@' ? 'a' : c == '$' ? 's' : c == '!' || c == '|' ? 'i' : c == '+' ? 't' : 0;
}

static bool leet_byte(unsigned char c)
{
  return byte_kinds[c] & (IS_UPPER | IS_LOWER | IS_LEET);
}

/* The cheaper of two readings of one byte between its neighbours. */
static char choose(const struct text_model *m, char before, char a, char b, char after)
{
  unsigned x = m->letter[(unsigned char)before], y = m->letter[(unsigned char)after];
  unsigned i = m->letter[(unsigned char)a], k = m->letter[(unsigned char)b];
  return m->cost[x][i] + m->cost[i][y] <= m->cost[x][k] + m->cost[k][y] ? a : b;
}

static char read_leet(const struct text_model *m, struct str s, size_t i, char before)
{
  unsigned char c = (unsigned char)s.p[i];
  char after = i + 1 < s.n ? (is_letter((unsigned char)s.p[i + 1]) ? s.p[i + 1] : leet((unsigned char)s.p[i + 1])) : 0;
  if (is_letter(c)) return s.p[i];
  if (c == '1' || c == '|') return choose(m, before, 'i', 'l', after);
  if (c == '6') return choose(m, before, 'g', 'b', after);
  if (c == '9') return choose(m, before, 'g', 'q', after);
  return leet(c);
}

/* Appends the word as letters. */
static void put_leet(struct decode_work *w, struct str s)
{
  char before = 0;
  for (size_t i = 0; i < s.n; i++) buf_byte(&w->out, before = read_leet(&w->model, s, i, before));
}

/* Cost of the word as it stands: a sign before a letter is as unlikely as the rarest pair, one at the end is not. */
static int32_t cost_as_written(const struct text_model *m, struct str s)
{
  enum { SIGN_COST = 80, END_COST = 16 };
  int32_t cost = 0;
  unsigned last = 0;
  for (size_t i = 0; i <= s.n; i++) {
    unsigned c = i < s.n ? m->letter[(unsigned char)s.p[i]] : 0;
    bool sign = i < s.n && !c, more = i + 1 < s.n && is_letter((unsigned char)s.p[i + 1]);
    cost += sign ? (more ? SIGN_COST : END_COST) : (last || c) ? m->cost[last][c] : 0;
    last = c;
  }
  return cost;
}

/* A dollar in front is a variable's in many languages, and says nothing by itself. */
static bool has_sign(struct str s)
{
  bool sign = false, letter = false;
  for (size_t i = s.n && s.p[0] == '$'; i < s.n; i++) {
    bool is = is_letter((unsigned char)s.p[i]);
    letter |= is;
    sign |= !is;
  }
  return sign && letter;
}

/* A word of letters and signs; signs at its ends that are punctuation are not part of it. */
static struct str next_leet(struct str s, size_t *at, size_t end)
{
  size_t i = *at;
  while (i < end && !leet_byte((unsigned char)s.p[i])) i++;
  size_t start = i;
  while (i < s.n && leet_byte((unsigned char)s.p[i])) i++;
  *at = i;
  while (i > start && (s.p[i - 1] == '!' || s.p[i - 1] == '|')) i--;
  return str_cut(s, start, i);
}

/* Among words of letters and signs a short one of signs alone is a word too: 4, 17, 7357. */
static bool is_short(struct str s)
{
  return s.n && s.n <= 6 && !(kinds_of(s) & (IS_UPPER | IS_LOWER));
}

static bool ends_clause(char c)
{
  return c == '.' || c == ',' || c == ';' || c == ':' || c == '?' || c == '!';
}

/* The word that stands before start, or behind end, with a blank between them and at most one mark; empty when there is none. */
static struct str word_before(struct str s, size_t start)
{
  if (start < 2 || s.p[start - 1] != ' ') return (struct str){0};
  size_t to = start - 1, i;
  to -= ends_clause(s.p[to - 1]);
  for (i = to; i > 0 && to - i < LEET_MAX && leet_byte((unsigned char)s.p[i - 1]);) i--;
  return i > 0 && !is_blank((unsigned char)s.p[i - 1]) ? (struct str){0} : str_cut(s, i, to);
}

static struct str word_behind(struct str s, size_t end)
{
  size_t from = end + (end < s.n && ends_clause(s.p[end])), i;
  if (from + 1 >= s.n || s.p[from] != ' ') return (struct str){0};
  for (i = ++from; i < s.n && i - from < LEET_MAX && leet_byte((unsigned char)s.p[i]);) i++;
  return i < s.n && leet_byte((unsigned char)s.p[i]) ? (struct str){0} : str_cut(s, from, i);
}

/* Where a stretch begins or ends with the words before or behind it that may be of it: their digits are too many, or too few, to gain by
 * themselves. A few words that have none may stand between. */
static size_t reach(struct str s, size_t at, bool before)
{
  enum { WORDS = 32, PLAIN = 3 };
  size_t reached = at;
  for (unsigned n = 0, plain = 0; n < WORDS && plain <= PLAIN; n++) {
    struct str word = before ? word_before(s, at) : word_behind(s, at);
    if (!word.n) break;
    at = (size_t)(word.p - s.p) + (before ? 0 : word.n);
    plain = is_short(word) || has_sign(word) ? 0 : plain + 1;
    if (!plain) reached = at;
  }
  return reached;
}

static void take_leet(struct decode_work *w, struct stretch *t)
{
  t->start = reach(w->in, t->start, true);
  t->end = reach(w->in, t->end, false);
  size_t at = w->out.n, i = t->start, copied = t->start;
  while (i < t->end) {
    struct str word = next_leet(w->in, &i, t->end);
    if (!has_sign(word) && !is_short(word)) continue;
    size_t start = (size_t)(word.p - w->in.p);
    buf_put(&w->out, str_cut(w->in, copied, start));
    put_leet(w, word);
    copied = start + word.n;
  }
  if (copied < t->end) buf_put(&w->out, str_cut(w->in, copied, t->end));
  piece_add(w, DECODER_LEET, t->start, t->end, at, true);
}

static void leet_word(struct decode_work *w, struct stretch *t, struct str word)
{
  struct stretch done;
  if (word.n > LEET_MAX || !has_sign(word)) return; /* a longer one is a key */
  size_t start = (size_t)(word.p - w->in.p), at = w->out.n;
  uint32_t pairs;
  put_leet(w, word);
  uint32_t cost = text_cost(&w->model, (struct str){w->out.p + at, w->out.n - at}, &pairs);
  w->out.n = at;
  struct word one = {start, start + word.n, cost_as_written(&w->model, word) - (int32_t)cost, pairs, cost};
  if (stretch_add(t, &one, &done) && done.best_words >= 2) take_leet(w, &done);
}

/* Fewer than three signs before letters make no two words of it. */
static bool may_hold_leet(struct str s, size_t from, size_t end)
{
  unsigned n = 0;
  unsigned char pad[BLOCK_BYTES];
  for (size_t i = from; i + 1 < end && n <= 2; i += BLOCK_BYTES - 1) { /* a pair lies in one block or the next */
    const unsigned char *p = block_pad((const unsigned char *)s.p + i, end - i, pad);
    uint64_t signs = block_digits(p) | block_any(p, "@$!|") | block_any(p, "++++");
    n += block_count(signs & block_letters(p) >> 1);
  }
  return n > 2;
}

void decode_leet(struct decode_work *w)
{
  struct stretch t = {.leet = true};
  size_t i = 0;
  for (size_t r = 0; r < w->odd.n; r++) {
    size_t from = word_start(w->in, w->odd.v[r].start);
    if (from > i) i = from;
    w->work += w->odd.v[r].end > i ? w->odd.v[r].end - i : 0;
    if (!may_hold_leet(w->in, i, w->odd.v[r].end)) continue;
    while (i < w->odd.v[r].end) {
      struct str word = next_leet(w->in, &i, w->odd.v[r].end);
      if (word.n) leet_word(w, &t, word);
    }
  }
  if (stretch_counts(&t) && t.best_words >= 2) take_leet(w, &t);
}
