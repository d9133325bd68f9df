/* What the bits of a block say together with those of the block before; see gate.h. It knows no encoding, only how each looks from afar. */
#include "engine/decode_text.h"

enum {
  ODD_BLOCK = 52, /* what BLOCK bytes must sum up to, a whole block or the halves of two */
  JOINTS_MANY = 4,
  NUMBERS_MANY = 5,
  LONG_WORD = 20,
  SOLID_SIGNS = 12, /* so many signs in a block without a blank are odd too: an address has fewer */
};

/* Four bytes of the line are looked at; what is behind the block may be any. */
static void note_lines(struct gate *g)
{
  uint64_t first = g->now.uu, next = first | g->now.blanks;
  if (!g->any) g->line = true;
  g->any = true;
  uint64_t begins = g->now.lines << 1 | g->line;
  g->uu = begins & first & (next >> 1 | UINT64_C(1) << 63) & (next >> 2 | UINT64_C(3) << 62) & (next >> 3 | UINT64_C(7) << 61);
  g->line = g->now.lines >> 63;
}

/* "esle ,ereht ehT": what stands behind the block is seen with the next one. */
static void note_signs(struct gate *g)
{
  const struct gate_bits *b = &g->now;
  uint64_t small = b->letters & ~b->capitals, after = b->letters >> 1, blanks = b->blanks | b->lines;
  uint64_t last = (small << 1 | g->small) & b->capitals, ends = last & ~(after | UINT64_C(1) << 63);
  if (g->capital && !(b->letters & 1)) ends |= 1;
  if (!g->any) g->blank = true;
  g->humps = last;
  g->backwards = ends | ((blanks << 1 | g->blank) & b->stops & after);
  g->blank = blanks >> 63;
  g->solid = !blanks;
  g->small = small >> 63;
  g->capital = last >> 63;
}

/* The patterns below are looked for in 64 bytes that end LAG before the block's end, so that none is cut; bit k is the k-th of them. */
enum { LAG = 20 };
static uint64_t lagged(uint64_t before, uint64_t now)
{
  return now << LAG | before >> (64 - LAG);
}

/* Single letters or digits, a letter among them, four at the same distance of two to four bytes, or pairs of them? */
static bool is_spaced(uint64_t letters, uint64_t hex)
{
  uint64_t any = letters | hex, alone = any & ~(any << 1) & ~(any >> 1);
  if (!(alone & letters)) return false;
  uint64_t two = alone & alone << 2, three = alone & alone << 3, four = alone & alone << 4;
  return (two & two << 4 & two << 6) || (two & two << 6 & two << 12) || (three & three << 6) || (four & four << 8);
}

/* Pairs of hexadecimal digits, four with one byte between them or with two, or groups of eight; or a number of sixteen digits. */
static unsigned list_signs(uint64_t hex)
{
  uint64_t run2 = hex & hex << 1, run4 = run2 & run2 << 2, run8 = run4 & run4 << 4;
  uint64_t pair = run2 & ~(hex << 2) & ~(hex >> 1), one = pair & pair << 3, two = pair & pair << 4;
  bool list = (one & one << 6) || (two & two << 8), number = run8 & run8 << 8, eights = run8 & run8 << 9;
  return (list ? SIGN_LISTS : 0) | (number ? SIGN_ODD | SIGN_DIGITS : 0) | (eights ? SIGN_EIGHTS : 0);
}

/* Letters, and where a block has any, bytes that are not ASCII: control characters and four signs are taken for some. */
static uint64_t word_bytes(const struct gate_bits *b)
{
  return b->high ? b->letters | ~(b->uu | b->blanks | b->lines) : b->letters;
}

/* Signs, or the first of two, with one of these on either side, within the block. */
static uint64_t joints(const struct gate_bits *b, uint64_t words)
{
  uint64_t signs = ~(words | b->hex | b->blanks | b->lines);
  return signs & words << 1 & (words >> 1 | (signs >> 1 & words >> 2));
}

/* Where digits begin that none stands before; in most blocks there are none. */
static uint64_t number_starts(uint64_t hex, uint64_t letters)
{
  uint64_t digits = hex & ~letters;
  return digits & ~(digits << 1);
}

/* A word of LONG_WORD letters or more, which may have begun in the block before? */
static bool has_long_word(struct gate *g, uint64_t letters)
{
  unsigned head = ~letters ? (unsigned)__builtin_ctzll(~letters) : BLOCK, before = g->tail;
  uint64_t two = letters & letters >> 1, four = two & two >> 2, eight = four & four >> 4, sixteen = eight & eight >> 8;
  g->tail = ~letters ? (unsigned)__builtin_clzll(~letters) : before + BLOCK;
  return before + head >= LONG_WORD || (sixteen & four >> 16);
}

/* What this block and the one before say together, where they are prose: words so short that many may be parts of one, under four letters on
 * average; letter pairs as rare as misspelt words have them, and hardly a sign. */
static unsigned prose_signs(struct gate *g, uint64_t letters, bool goes_on, unsigned n, unsigned odd)
{
  enum { RARE = 21 };
  struct tally now = {block_count(letters), block_count(letters & ~(letters << 1 | goes_on)),
                      block_count(g->now.blanks | g->now.lines), odd, n};
  struct tally both = {g->last.letters + now.letters, g->last.words + now.words, g->last.blanks + now.blanks, g->last.odd + odd,
                       g->last.n + n};
  bool is_short = both.letters * 5 >= both.n * 3 && both.letters * 4 < both.words * 15;
  bool is_rare = both.odd * BLOCK >= both.n * RARE && (both.letters + both.blanks) * 10 >= both.n * 9;
  g->last = now;
  return (is_short && n ? SIGN_JOINTS : 0) | (is_rare && n ? SIGN_SLIPS : 0);
}

/* The block as it lies, or in a copy where what is around it is not there to be read. */
static void read_block(const struct text_model *m, struct str s, size_t at, size_t n, struct gate_bits *out)
{
  enum { BEHIND = 2 };
  char copy[1 + BLOCK + BEHIND] = {' '};
  size_t rest = s.n - at;
  if (at && rest >= BLOCK + BEHIND) {
    m->read(m, s.p + at, BLOCK, out);
    return;
  }
  if (at) copy[0] = s.p[at - 1];
  if (n) memcpy(copy + 1, s.p + at, rest < BLOCK + BEHIND ? rest : BLOCK + BEHIND);
  m->read(m, copy + 1, n, out);
}

unsigned gate_block(const struct text_model *m, struct gate *g, struct str s, size_t at, size_t n)
{
  unsigned signs = 0;
  uint64_t letters_before = g->now.letters, hex_before = g->now.hex;
  read_block(m, s, at, n, &g->now);
  uint64_t own = n < BLOCK ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
  note_signs(g);
  note_lines(g);
  unsigned first = g->now.odd[0], second = g->now.odd[1];
  unsigned least = s.n < BLOCK ? ODD_BLOCK * (unsigned)s.n / BLOCK : ODD_BLOCK;
  if (first + second >= least) signs |= SIGN_ODD;
  if (g->half + first >= ODD_BLOCK) signs |= SIGN_ODD_BEFORE;
  g->half = second;
  if (g->now.marks) signs |= SIGN_MARKS;
  if (g->now.high) signs |= SIGN_HIGH;
  else if (g->solid && n == BLOCK && block_count(~(g->now.letters | g->now.hex)) >= SOLID_SIGNS) signs |= SIGN_ODD;
  if (g->backwards) signs |= SIGN_BACKWARDS;
  uint64_t hex = lagged(hex_before, g->now.hex);
  if (is_spaced(lagged(letters_before, g->now.letters), hex)) signs |= SIGN_SPACED;
  signs |= list_signs(hex);
  uint64_t words = word_bytes(&g->now) & own;
  if (block_count(words) * 8 >= n * 5 && block_count(joints(&g->now, words) | g->humps) >= JOINTS_MANY) signs |= SIGN_JOINTS;
  uint64_t letters = g->now.letters & own;
  bool goes_on = letters_before >> 63 != 0;
  if (has_long_word(g, letters)) signs |= SIGN_JOINTS;
  signs |= prose_signs(g, letters, goes_on, (unsigned)n, first + second);
  if (block_count(number_starts(hex, lagged(letters_before, g->now.letters))) >= NUMBERS_MANY) signs |= SIGN_NUMBERS;
  g->signs |= signs;
  return signs;
}
