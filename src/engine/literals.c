/* Finds literals and rows of classes (literals.h). Nothing here knows what a rule is for. */
#include "engine/literals.h"
#include "engine/blocks.h"
#include "engine/decode_text.h"
#include "engine/engine.h"
#include <endian.h>

enum {
  CLASSES = 64,      /* a literal's shift that says so */
  TAIL = 8,          /* bytes before a block that can be read */
  WAYS_MAX = 1 << 14 /* in how many ways a row of classes may end that is looked for here */
};

/* ---- the three last bytes --------------------------------------------------------------------------------------- */

static uint32_t bucket_of_three(uint32_t last)
{
  return (last & 0xFFFFFF00) * LITERALS_PRIME >> 20;
}

static uint32_t bucket_of_four(uint32_t last)
{
  return last * LITERALS_PRIME >> 20;
}

static uint32_t place_of_reach(uint32_t four)
{
  return four * LITERALS_PRIME >> 18;
}

/* Places in the sets of bits; `before` are the last eight bytes, the last one highest. */
static uint32_t of_three(uint64_t before)
{
  return (uint32_t)((before >> 40) * UINT64_C(0xD6E8FEB86659FD93) >> 49);
}

static uint32_t of_four(uint64_t before)
{
  return (uint32_t)((before >> 32) * UINT64_C(0xD6E8FEB86659FD93) >> 49);
}

static uint32_t of_six(uint64_t before)
{
  return (uint32_t)((before >> 16) * UINT64_C(0xD6E8FEB86659FD93) >> 48);
}

static uint32_t bucket_of_six(uint64_t before)
{
  return of_six(before) >> 4;
}

static void set_bit(uint32_t *set, uint32_t bit)
{
  set[bit / 32] |= UINT32_C(1) << bit % 32;
}

static uint32_t get_bit(const uint32_t *set, uint32_t bit)
{
  return set[bit / 32] >> bit % 32 & 1;
}

static uint64_t eight_before(const unsigned char *end)
{
  uint64_t w;
  memcpy(&w, end - 8, 8);
  return le64toh(w) | UINT64_C(0x2020202020202020);
}

static uint32_t four_before(const unsigned char *end)
{
  uint32_t w;
  memcpy(&w, end - 4, 4);
  return le32toh(w) | UINT32_C(0x20202020);
}

/* ---- the tables ------------------------------------------------------------------------------------------------- */

/* An index at work: in the order of the patterns. */
struct placing {
  struct placed {
    struct literal literal;
    uint32_t bucket;
  } * v;
  size_t n, cap;
};

struct making {
  struct literals *l;
  struct vdt_arena *arena;
  struct placing threes, fours, sixes;
  bool failed;
};

static void place(struct making *m, struct placing *to, uint32_t bucket, const struct literal *literal)
{
  struct placed *grown = arena_grow(m->arena, to->v, to->n, &to->cap, 256, sizeof *grown);
  if (!grown) {
    m->failed = true;
    return;
  }
  to->v = grown;
  to->v[to->n++] = (struct placed){*literal, bucket};
}

static struct literal tail_of(struct str text, uint32_t pattern)
{
  unsigned char end[TAIL] = {0};
  size_t n = text.n < TAIL ? text.n : TAIL;
  memcpy(end + TAIL - n, text.p + text.n - n, n);
  uint32_t shift = 64 - 8 * (uint32_t)n;
  return (struct literal){eight_before(end + TAIL) >> shift, pattern, shift};
}

static unsigned letter_of(uint32_t c)
{
  c &= 0xFF;
  return c >= 'a' && c <= 'z' ? c - 'a' + 1 : 0;
}

/* How rare these four bytes are in text, as far as pairs of letters say. */
static unsigned rarity(uint32_t four)
{
  unsigned sum = 0;
  for (unsigned k = 0; k < 24; k += 8) sum += text_pair_cost(letter_of(four >> k), letter_of(four >> (k + 8)));
  return sum;
}

/* Of the eight bytes before an end, the four that end `reach` bytes before it. */
static uint32_t four_of(uint64_t before, unsigned reach)
{
  return (uint32_t)(before >> (32 - 8 * reach));
}

/* How far before its end the rarest four bytes of a text end; `before` are the eight that it ends in, of which it has n. */
static unsigned rarest(uint64_t before, size_t n)
{
  unsigned best = 0;
  for (unsigned d = 1; d <= LITERALS_REACH && d + 4 <= n; d++)
    if (rarity(four_of(before, d)) > rarity(four_of(before, best))) best = d;
  return best;
}

/* What ends in these eight bytes, of which it has n, is woken by four of them. */
static void allow(struct literals *l, uint64_t before, size_t n)
{
  unsigned reach = rarest(before, n);
  uint32_t four = four_of(before, reach);
  uint8_t *cell = &l->may[literals_cell(four)];
  *cell = (uint8_t)(*cell | (n > 3 ? 1u << (four & LITERALS_CELL_BITS) : UINT8_MAX)); /* else any fourth */
  if (n > 3) l->reach[place_of_reach(four)] |= (uint8_t)(1u << reach);
  if (n < 4) set_bit(l->threes, of_three(before));
  else if (n < 6) set_bit(l->fours, of_four(before));
  else set_bit(l->sixes, of_six(before));
}

static void add_literal(struct making *m, struct str text, uint32_t pattern)
{
  struct literal literal = tail_of(text, pattern);
  uint64_t before = literal.tail << literal.shift;
  allow(m->l, before, text.n < TAIL ? text.n : TAIL);
  uint32_t last = (uint32_t)(before >> 32);
  if (text.n < 4) place(m, &m->threes, bucket_of_three(last), &literal);
  else if (text.n < 6) place(m, &m->fours, bucket_of_four(last), &literal);
  else place(m, &m->sixes, bucket_of_six(before), &literal);
}

static bool is_upper(unsigned c)
{
  return c >= 'A' && c <= 'Z';
}

static bool is_letter(unsigned c)
{
  return is_upper(c & ~32u);
}

static bool is_sign(unsigned c)
{
  return c > ' ' && c < 0x7F && !is_letter(c) && !(c >= '0' && c <= '9');
}

/* False when there is room for no other. */
static bool add_sign(struct literals *l, char c)
{
  for (unsigned i = 0; i < LITERALS_SIGNS; i++) {
    if (l->signs[i] == c) return true;
    if (l->signs[i]) continue;
    l->signs[i] = c;
    l->sign_low[c & 15] |= (uint8_t)(1u << i);
    l->sign_high[c >> 4] |= (uint8_t)(1u << i);
    return true;
  }
  return false;
}

static void add_pair(struct literals *l, unsigned first, unsigned second)
{
  unsigned pair = first << 8 | second;
  l->pairs[pair / 64] |= UINT64_C(1) << pair % 64;
}

static unsigned char other_case(unsigned char c, bool nocase)
{
  return nocase && is_letter(c) ? c ^ 32 : c;
}

static bool seen_by_itself(struct literals *l, struct str text, bool nocase)
{
  for (size_t i = 0; i < text.n; i++)
    if (is_sign((unsigned char)text.p[i])) return add_sign(l, text.p[i]);
  return text.n == LITERALS_SHORT && !nocase && is_upper((unsigned char)text.p[0]) && is_upper((unsigned char)text.p[1]);
}

static void add_short(struct making *m, const struct pattern *p, uint32_t pattern)
{
  struct literals *l = m->l;
  unsigned char first = (unsigned char)p->text.p[0], last = (unsigned char)p->text.p[p->text.n - 1];
  if (!seen_by_itself(l, p->text, p->nocase)) {
    l->complete = false;
    return;
  }
  for (unsigned c = 0; c < 256; c++) {
    bool before = p->text.n < LITERALS_SHORT || c == first || c == other_case(first, p->nocase);
    if (before) add_pair(l, c, last), add_pair(l, c, other_case(last, p->nocase));
  }
  uint8_t group = (uint8_t)(1u << last % 8);
  for (unsigned c = 0; c < 128; c++)
    if (p->text.n < LITERALS_SHORT || c == (first & 127u) || c == (other_case(first, p->nocase) & 127u)) l->before[c] |= group;
  l->last[last & 127] |= group;
  l->last[other_case(last, p->nocase) & 127] |= group;
  if (last >= 0x80) l->complete = false;
  l->shorts[l->n_shorts++] = tail_of(p->text, pattern);
}

/* ---- rows of classes -------------------------------------------------------------------------------------------- */

static void add_both(struct charset *set, unsigned char c)
{
  charset_add(set, c);
  charset_add(set, other_case(c, true));
}

/* A byte that means itself inside and outside of brackets. */
static bool is_itself(unsigned char c)
{
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

/* "[a-z0-9]" at i, which goes behind it. False: it is something else. */
static bool read_class(struct str s, size_t *i, struct charset *out)
{
  size_t k = *i + 1;
  for (; k < s.n && s.p[k] != ']'; k++) {
    unsigned char from = (unsigned char)s.p[k], to = from;
    if (k + 2 < s.n && s.p[k + 1] == '-') k += 2, to = (unsigned char)s.p[k];
    if (!is_itself(from) || !is_itself(to) || to < from) return false;
    for (unsigned c = from; c <= to; c++) add_both(out, (unsigned char)c);
  }
  *i = k + 1;
  return k < s.n;
}

static bool read_one(struct str s, size_t *i, struct charset *out)
{
  if (s.p[*i] == '[') return read_class(s, i, out);
  add_both(out, (unsigned char)s.p[*i]);
  return is_itself((unsigned char)s.p[(*i)++]);
}

/* What may be its last four bytes is known for each way: with fewer there would be too many. */
static bool read_row(struct str s, struct class_row *out)
{
  for (size_t i = 0; i < s.n; out->n++)
    if (out->n == RULE_PATTERN_MAX || !read_one(s, &i, &out->of[out->n])) return false;
  return out->n > 3;
}

/* The small letters and other bytes of a class. */
static unsigned ways_of(const struct charset *set, unsigned char out[256])
{
  unsigned n = 0;
  for (unsigned c = 0; c < 256; c++)
    if (charset_has(set, (int)c) && !is_upper(c)) out[n++] = (unsigned char)(c | 0x20);
  return n;
}

static void add_row(struct making *m, const struct class_row *row)
{
  unsigned char ways[4][256];
  unsigned n[4];
  uint64_t placed[LITERALS_BUCKETS / 64] = {0}, all = 1;
  const struct literal literal = {0, (uint32_t)(row - m->l->rows), CLASSES};
  for (unsigned k = 0; k < 4; k++) all *= n[k] = ways_of(&row->of[row->n - 4 + k], ways[k]);
  if (all > WAYS_MAX) m->l->complete = false;
  for (uint64_t i = 0; i < all && m->l->complete; i++) {
    uint64_t rest = i;
    uint32_t last = 0;
    for (unsigned k = 0; k < 4; rest /= n[k++]) last |= (uint32_t)ways[k][rest % n[k]] << 8 * k;
    uint32_t bucket = bucket_of_four(last);
    allow(m->l, (uint64_t)last << 32, 4);
    if (!(placed[bucket / 64] >> bucket % 64 & 1)) place(m, &m->fours, bucket, &literal);
    placed[bucket / 64] |= UINT64_C(1) << bucket % 64;
  }
}

static void add_pattern(struct making *m, const struct pattern *p, uint32_t pattern)
{
  struct literals *l = m->l;
  struct class_row *row = &l->rows[l->n_rows];
  if (p->literal) {
    if (p->text.n > LITERALS_SHORT) add_literal(m, p->text, pattern);
    else add_short(m, p, pattern);
    return;
  }
  *row = (struct class_row){.pattern = pattern};
  if (!read_row(p->text, row)) l->complete = false;
  else add_row(m, row);
  l->n_rows++;
}

/* By buckets; within one in the order in which they came. */
static bool sort(struct making *m, const struct placing *from, struct literal_index *to)
{
  uint32_t at[LITERALS_BUCKETS];
  to->all = arena_zalloc(m->arena, from->n + 1, sizeof *to->all);
  if (!to->all || m->failed) return false;
  for (size_t i = 0; i < from->n; i++) to->first[from->v[i].bucket + 1]++;
  for (unsigned b = 0; b < LITERALS_BUCKETS; b++) {
    to->first[b + 1] += to->first[b];
    at[b] = to->first[b];
  }
  for (size_t i = 0; i < from->n; i++) to->all[at[from->v[i].bucket]++] = from->v[i].literal;
  return true;
}

bool literals_init(struct literals *l, struct vdt_arena *arena, const struct pattern *patterns, uint32_t n)
{
  struct making m = {.l = l, .arena = arena};
  uint32_t shorts = 0, rows = 0;
  for (uint32_t i = 0; i < n; i++) {
    shorts += patterns[i].literal && patterns[i].text.n <= LITERALS_SHORT;
    rows += !patterns[i].literal;
  }
  *l = (struct literals){.complete = true, .patterns = patterns, .find = literals_path(NULL)};
  l->shorts = arena_zalloc(arena, shorts + 1, sizeof *l->shorts);
  l->rows = arena_zalloc(arena, rows + 1, sizeof *l->rows);
  if (!l->shorts || !l->rows) return false;
  for (uint32_t i = 0; i < n; i++) add_pattern(&m, &patterns[i], i);
  return sort(&m, &m.threes, &l->by_three) && sort(&m, &m.fours, &l->by_four) && sort(&m, &m.sixes, &l->by_six);
}

/* ---- what does -------------------------------------------------------------------------------------------------- */

/* A block of at most 64 bytes, with those before it. */
struct place {
  const struct literals *l;
  const unsigned char *p; /* of the text */
  const unsigned char *block;
  size_t at;      /* of the block in the text */
  uint64_t carry; /* where in it something may end that was woken before it */
  uint64_t base;
  literals_fn *fn;
  void *context;
};

static bool row_ends(const struct class_row *row, const unsigned char *p, size_t end)
{
  if (row->n > end) return false;
  for (unsigned k = 0; k < row->n; k++)
    if (!charset_has(&row->of[k], p[end - row->n + k])) return false;
  return true;
}

static bool text_ends(const struct pattern *pattern, const unsigned char *p, size_t end)
{
  struct str text = pattern->text;
  if (text.n > end) return false;
  struct str here = {(const char *)p + end - text.n, text.n};
  return pattern->nocase ? str_ieq(here, text) : str_eq(here, text);
}

static void look(const struct place *b, const struct literal *literal, uint64_t tail, size_t end)
{
  if (literal->shift == CLASSES) {
    const struct class_row *row = &b->l->rows[literal->pattern];
    if (row_ends(row, b->p, end)) b->fn(row->pattern, 0, b->base + end, 0, b->context);
  } else if (tail >> literal->shift == literal->tail && text_ends(&b->l->patterns[literal->pattern], b->p, end)) {
    b->fn(literal->pattern, 0, b->base + end, 0, b->context);
  }
}

static void look_in(const struct place *b, const struct literal_index *x, uint32_t bucket, uint64_t tail, size_t end)
{
  for (uint32_t k = x->first[bucket]; k < x->first[bucket + 1]; k++) look(b, &x->all[k], tail, end);
}

static void look_at_long(const struct place *b, unsigned i)
{
  const struct literals *l = b->l;
  uint64_t tail = eight_before(b->block + i + 1);
  uint32_t last = (uint32_t)(tail >> 32);
  if (get_bit(l->threes, of_three(tail))) look_in(b, &l->by_three, bucket_of_three(last), tail, b->at + i + 1);
  if (get_bit(l->fours, of_four(tail))) look_in(b, &l->by_four, bucket_of_four(last), tail, b->at + i + 1);
  if (get_bit(l->sixes, of_six(tail))) look_in(b, &l->by_six, bucket_of_six(tail), tail, b->at + i + 1);
}

static void look_at_short(const struct place *b, unsigned i)
{
  uint64_t tail = eight_before(b->block + i + 1);
  for (uint32_t k = 0; k < b->l->n_shorts; k++) look(b, &b->l->shorts[k], tail, b->at + i + 1);
}

/* Where something may end that wakes where these four bytes do, as bits of the distance. */
static uint64_t reach_of(const struct literals *l, uint32_t four)
{
  return l->reach[place_of_reach(four)] | get_bit(l->threes, of_three((uint64_t)four << 32));
}

/* Where something may end, by where it may wake; what ends behind the block is carried to the next. */
static uint64_t ends_of(struct place *b, uint64_t wakes)
{
  uint64_t ends = b->carry, behind = 0;
  for (; wakes; wakes &= wakes - 1) {
    unsigned i = (unsigned)__builtin_ctzll(wakes);
    uint64_t reach = reach_of(b->l, four_before(b->block + i + 1));
    ends |= reach << i;
    behind |= reach >> 1 >> (BLOCK_BYTES - 1 - i);
  }
  b->carry = behind;
  return ends;
}

/* Of the places where something may end those where it does, but for chance. Without branches: what may end there and does not is no pattern that a
 * processor could learn. */
static uint64_t sure_longs(const struct literals *l, const unsigned char *p, uint64_t may)
{
  uint64_t out = 0;
  for (; may; may &= may - 1) {
    unsigned i = (unsigned)__builtin_ctzll(may);
    uint64_t tail = eight_before(p + i + 1);
    uint32_t is = get_bit(l->threes, of_three(tail)) | get_bit(l->fours, of_four(tail)) | get_bit(l->sixes, of_six(tail));
    out |= (uint64_t)is << i;
  }
  return out;
}

static uint64_t sure_shorts(const struct literals *l, const unsigned char *p, uint64_t may)
{
  uint64_t out = 0;
  for (; may; may &= may - 1) {
    unsigned i = (unsigned)__builtin_ctzll(may), pair = (unsigned)*(p + i - 1) << 8 | p[i];
    out |= (l->pairs[pair / 64] >> pair % 64 & 1) << i;
  }
  return out;
}

static void look_at_block(struct place *b, unsigned n)
{
  const struct literals *l = b->l;
  uint64_t shorts, wakes = l->find(l, b->block, n, &shorts), own = n < BLOCK_BYTES ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
  uint64_t longs = sure_longs(l, b->block, ends_of(b, wakes) & own);
  shorts = sure_shorts(l, b->block, shorts);
  for (uint64_t left = longs | shorts; left; left &= left - 1) {
    unsigned i = block_first(left);
    if (longs >> i & 1) look_at_long(b, i);
    if (shorts >> i & 1) look_at_short(b, i);
  }
}

/* A block, and the bytes before it, in one piece of memory that may be read on both sides. */
static const unsigned char *in_place(const unsigned char *p, size_t at, size_t n, unsigned char copy[TAIL + BLOCK_BYTES])
{
  size_t before = at < TAIL ? at : TAIL;
  if (n == BLOCK_BYTES && before == TAIL) return p + at;
  memset(copy, 0, TAIL + BLOCK_BYTES);
  memcpy(copy + TAIL - before, p + at - before, before + n);
  return copy + TAIL;
}

/* What may end from b's block on and wakes in the few bytes before it. */
static uint64_t woken_before(const struct place *b)
{
  uint64_t out = 0;
  for (unsigned back = 0; back < LITERALS_REACH && back + 4 <= b->at; back++) {
    uint32_t four = four_before(b->block - back);
    if (literals_may(b->l, four)) out |= reach_of(b->l, four) >> (back + 1);
  }
  return out;
}

void literals_find(const struct literals *l, const unsigned char *p, size_t from, size_t n, uint64_t base, literals_fn *fn,
                   void *context)
{
  unsigned char copy[TAIL + BLOCK_BYTES];
  struct place b = {.l = l, .p = p, .at = from, .base = base, .fn = fn, .context = context};
  for (; b.at < n; b.at += BLOCK_BYTES) {
    unsigned some = n - b.at < BLOCK_BYTES ? (unsigned)(n - b.at) : BLOCK_BYTES;
    b.block = in_place(p, b.at, some, copy);
    if (b.at == from) b.carry = woken_before(&b);
    look_at_block(&b, some);
  }
}
