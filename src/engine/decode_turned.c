/*
 * Letters moved by any number of places (a Caesar cipher; thirteen is decode_ciphers.c's), and letters turned upside down. Both are rare, and looked for only where
 * something is odd: among odd letters, and where turned letters stand.
 */
#include "engine/decode_inside.h"

enum {
  LETTERS = 26,
  SAMPLE_MIN = 24, /* letters that say by how many places */
  SAMPLE_MAX = 256,
  GAIN_MIN = 30 * 8, /* as in decode_ciphers.c, and a little more: there are more ciphers to be mistaken for */
  GAIN_MEAN = 10,
  COST_MEAN = 35, /* language has 28 to 34; of the other moves of it the best 40 and more */
  SHORT = 72,
  SHORT_MEAN = 31, /* of so few pairs chance makes language sooner */
  PAIRS_MIN = 30,
  DIFFERENT = 8, /* letters */
  NEUTRAL = -3 * 8,
  BESIDE = 24 /* words on either side of an odd stretch that may belong to it */
};

static unsigned moved(const struct text_model *m, char c, unsigned by)
{
  unsigned letter = m->letter[(unsigned char)c];
  return letter ? (letter - 1 + by) % LETTERS + 1 : 0;
}

/* Cost of the letters when each is moved; *pairs: of how many pairs. */
static uint32_t cost_of(const struct text_model *m, struct str s, unsigned by, uint32_t *pairs)
{
  uint32_t sum = 0, n = 0;
  unsigned last = 0;
  for (size_t i = 0; i <= s.n; i++) {
    unsigned c = i < s.n ? moved(m, s.p[i], by) : 0;
    sum += last || c ? m->cost[last][c] : 0;
    n += last || c;
    last = c;
  }
  *pairs = n;
  return sum;
}

/* Rows of one letter, and drawings of a few, read well when the right letter comes out. */
static bool has_variety(const struct text_model *m, struct str s)
{
  uint64_t seen = 0;
  for (size_t i = 0; i < s.n; i++) seen |= UINT64_C(1) << m->letter[(unsigned char)s.p[i]];
  return block_count(seen >> 1) >= DIFFERENT;
}

/* By how many places the letters must be moved to cost least, and clearly so; 0: they stand as they are, or no move makes much of them. */
static unsigned best_move(struct decode_work *w, struct str s)
{
  uint32_t pairs, least = UINT32_MAX, second = UINT32_MAX;
  unsigned best = 0;
  for (unsigned by = 0; by < LETTERS; by++) {
    uint32_t cost = cost_of(&w->model, s, by, &pairs);
    if (cost < least) second = least, least = cost, best = by;
    else if (cost < second) second = cost;
  }
  w->work += s.n * LETTERS;
  return second >= least + least / 8 ? best : 0;
}

/* The next word of [*i, end), cut at the end: a word may be as long as a text, and have many odd stretches. */
static struct str word_from(struct str s, size_t *i, size_t end)
{
  while (*i < end && !is_letter((unsigned char)s.p[*i])) ++*i;
  size_t start = *i;
  while (*i < end && is_letter((unsigned char)s.p[*i])) ++*i;
  return str_cut(s, start, *i);
}

static int32_t gain_of(const struct text_model *m, struct str word, unsigned by)
{
  uint32_t pairs;
  return (int32_t)text_cost(m, word, &pairs) - (int32_t)cost_of(m, word, by, &pairs);
}

/* Of a region the words together that gain most. */
static struct region gaining(struct decode_work *w, struct region r, unsigned by)
{
  struct region best = {r.start, r.start}, now = best;
  int32_t sum = 0, most = 0;
  for (size_t i = r.start; i < r.end;) {
    struct str word = word_from(w->in, &i, r.end);
    if (!word.n) break;
    if (sum <= 0) sum = 0, now.start = (uint32_t)(word.p - w->in.p);
    sum += gain_of(&w->model, word, by);
    now.end = (uint32_t)i;
    if (sum > most) most = sum, best = now;
  }
  return best;
}

/* A word that may belong to what is moved beside it: it reads as well when it is moved too, or is too short to tell. */
static bool joins(const struct text_model *m, struct str word, unsigned by)
{
  return word.n && (word.n < 3 || gain_of(m, word, by) > NEUTRAL);
}

/* Words beside it, from `seen` on, that read as well moved as they stand. */
static void widen(struct decode_work *w, struct region *r, unsigned by, size_t seen)
{
  struct str s = w->in;
  for (unsigned n = 0; n < BESIDE; n++) {
    size_t to = r->start, from;
    while (to > seen && r->start - to < 4 && s.p[to - 1] != '\n' && !is_letter((unsigned char)s.p[to - 1])) to--;
    for (from = to; from > seen && to - from < 32 && is_letter((unsigned char)s.p[from - 1]);) from--;
    if (!joins(&w->model, str_cut(s, from, to), by)) break;
    r->start = (uint32_t)from;
  }
  for (unsigned n = 0; n < BESIDE; n++) {
    size_t from = r->end, to;
    while (from < s.n && from - r->end < 4 && s.p[from] != '\n' && !is_letter((unsigned char)s.p[from])) from++;
    for (to = from; to < s.n && to - from < 32 && is_letter((unsigned char)s.p[to]);) to++;
    if (!joins(&w->model, str_cut(s, from, to), by)) break;
    r->end = (uint32_t)to;
  }
}

/* The letters that are most frequent in languages of Latin script are half of a text, and of its letters moved a third at most. */
static bool looks_plain(const struct text_model *m, struct str s)
{
  static const uint32_t frequent = 1u << 1 | 1u << 5 | 1u << 9 | 1u << 14 | 1u << 15 | 1u << 20; /* a e i n o t */
  size_t letters = 0, found = 0;
  for (size_t i = 0; i < s.n; i++) {
    unsigned c = m->letter[(unsigned char)s.p[i]];
    letters += c != 0;
    found += frequent >> c & 1;
  }
  return found * 5 >= letters * 2;
}

/* Words of a region that are no language as they stand, as many as say by how many places they were moved. */
static struct str odd_words(struct decode_work *w, struct region r)
{
  enum { ODD = 38 };
  uint32_t pairs;
  buf_reset(&w->scratch);
  for (size_t i = r.start; i < r.end && w->scratch.n < SAMPLE_MAX;) {
    struct str word = word_from(w->in, &i, r.end);
    if (!word.n || text_cost(&w->model, word, &pairs) <= ODD * pairs) continue;
    buf_put(&w->scratch, str_cut(word, 0, word.n < SAMPLE_MAX ? word.n : SAMPLE_MAX));
    buf_byte(&w->scratch, ' ');
  }
  w->work += r.end - r.start;
  return buf_str(&w->scratch);
}

/* What is no language as it stands looks a little better by many a cipher; none of the others has made so much of these words. */
static void drop_others(struct decode_work *w, struct region r)
{
  size_t kept = 0;
  for (size_t i = 0; i < w->n_pieces; i++) {
    const struct piece *p = &w->pieces[i];
    bool cipher = p->layers[0] >= DECODER_ROT13 && p->layers[0] <= DECODER_REVERSED_WORDS;
    if (!cipher || p->end <= r.start || p->start >= r.end) w->pieces[kept++] = *p;
  }
  w->n_pieces = kept;
}

/* What is moved in a region, from *seen on, which goes behind it. */
static void take_moved(struct decode_work *w, struct region r, size_t *seen)
{
  if (r.end <= *seen) return;
  if (r.start < *seen) r.start = (uint32_t)*seen;
  if (looks_plain(&w->model, str_cut(w->in, r.start, r.end))) return;
  struct str odd = odd_words(w, r);
  unsigned by = odd.n < SAMPLE_MIN || !has_variety(&w->model, odd) ? 0 : best_move(w, odd);
  if (by == 0 || by == LETTERS / 2) return;
  struct region in = gaining(w, r, by);
  struct str s = str_cut(w->in, in.start, in.end);
  uint32_t pairs, cost = cost_of(&w->model, s, by, &pairs);
  int32_t gain = gain_of(&w->model, s, by);
  w->work += 2 * (r.end - r.start);
  if (pairs < PAIRS_MIN || gain < GAIN_MIN || gain < (int32_t)pairs * GAIN_MEAN ||
      cost > pairs * (pairs < SHORT ? SHORT_MEAN : COST_MEAN))
    return;
  widen(w, &in, by, *seen);
  *seen = in.end;
  drop_others(w, in);
  size_t at = w->out.n;
  for (size_t i = in.start; i < in.end; i++) {
    char c = w->in.p[i];
    unsigned letter = moved(&w->model, c, by);
    buf_byte(&w->out, letter ? (char)((c & 32 ? 'a' : 'A') + letter - 1) : c);
  }
  piece_add(w, DECODER_CAESAR, in.start, in.end, at, true);
}

void decode_caesar(struct decode_work *w)
{
  size_t seen = 0;
  for (size_t r = 0; r < w->odd.n && !w->leaks; r++) take_moved(w, w->odd.v[r], &seen);
}

/* ---- upside down --------------------------------------------------------------------------------------------------- */

enum { TURNED_MIN = 6, PLAIN_MAX = 3 };

/* What a character is upside down: those that look like letters then, in small letters as the view has them, and letters of ASCII that become others. */
static const struct {
  uint16_t turned;
  char upright;
} upside_down[] = {{0x250, 'a'}, {'q', 'b'},    {0x254, 'c'}, {'p', 'd'},    {0x1DD, 'e'}, {0x25F, 'f'},  {0x214E, 'f'},
                   {0x183, 'g'}, {0x253, 'g'},  {0x265, 'h'}, {0x1D09, 'i'}, {0x131, 'i'}, {0x27E, 'j'},  {0x638, 'j'},
                   {0x29E, 'k'}, {0x2142, 'l'}, {0x26F, 'm'}, {'u', 'n'},    {'d', 'p'},   {'b', 'q'},    {0x279, 'r'},
                   {0x287, 't'}, {'n', 'u'},    {0x28C, 'v'}, {0x28D, 'w'},  {0x28E, 'y'}, {0x2200, 'a'}, {'W', 'M'},
                   {'M', 'W'},   {0x2D9, '.'},  {0xBF, '?'},  {0xA1, '!'},   {'6', '9'},   {'9', '6'}};

/* 0: upside down it is nothing that is known. */
static char turn_up(int32_t c)
{
  for (size_t i = 0; i < sizeof upside_down / sizeof *upside_down; i++)
    if (upside_down[i].turned == c) return upside_down[i].upright;
  return c >= 0 && c < 0x80 ? (char)c : 0;
}

/* The turned letters of a word; SIZE_MAX when there is something else that is not ASCII. */
static size_t turned_letters(struct str s, size_t i, size_t end)
{
  size_t count = 0;
  for (size_t n; i < end; i += n) {
    int32_t c = char_at(s, i, &n);
    if (!turn_up(c)) return SIZE_MAX;
    count += c >= 0x80;
  }
  return count;
}

static size_t word_end(struct str s, size_t i)
{
  while (i < s.n && !is_blank((unsigned char)s.p[i])) i++;
  return i;
}

/* Where the word begins that i is in or behind, as far back as a word may reach. */
static size_t word_begin(struct str s, size_t i)
{
  enum { BEFORE = 32 };
  size_t start = i;
  while (start > 0 && i - start < BEFORE && !is_blank((unsigned char)s.p[start - 1])) start--;
  return start < s.n ? str_character(s, start) : start;
}

/* Words from the one around i to the last with a turned letter, from the end, and those before that have one too. Returns where what was looked at ends. */
static size_t take_upside_down(struct decode_work *w, size_t i)
{
  struct str s = w->in;
  size_t start = word_begin(s, i), end = i, turned = 0, at = w->out.n, word;
  for (unsigned n = 0; n < PLAIN_MAX && start > 1; n++) {
    size_t before = word_begin(s, start - 1), count = turned_letters(s, before, start - 1);
    if (!count || count == SIZE_MAX) break;
    start = before;
  }
  word = start;
  for (unsigned plain = 0; word < s.n && plain <= PLAIN_MAX;) {
    size_t to = word_end(s, word), count = turned_letters(s, word, to);
    if (count == SIZE_MAX) break;
    plain = count ? 0 : plain + 1;
    turned += count;
    if (count) end = to;
    for (word = to; word < s.n && is_blank((unsigned char)s.p[word]); word++) {
    }
  }
  w->work += word - start;
  if (turned < TURNED_MIN) return end > i ? end : word_end(s, i);
  for (size_t k = end; k > start;) {
    size_t n;
    k = str_character(s, k - 1);
    buf_byte(&w->out, turn_up(char_at(s, k, &n)));
  }
  if (piece_has_words(w, at)) piece_add(w, DECODER_UPSIDE_DOWN, start, end, at, false);
  return end;
}

/* The most frequent of them begin with one of four bytes, and hardly anything else does. */
void decode_upside_down(struct decode_work *w)
{
  struct str s = w->in;
  if (!(w->signs & SIGN_HIGH) || w->leaks) return;
  for (size_t i = 0, n, done = 0; i < s.n; i += n) {
    unsigned char pad[BLOCK_BYTES];
    n = s.n - i < BLOCK_BYTES ? s.n - i : BLOCK_BYTES;
    uint64_t may = block_any(block_pad((const unsigned char *)s.p + i, n, pad), "\xC6\xC7\xC9\xCA");
    for (size_t length; may; may &= may - 1) {
      size_t at = i + block_first(may);
      if (at >= done && turn_up(char_at(s, at, &length))) done = take_upside_down(w, at);
    }
  }
  w->work += s.n / 8;
}
