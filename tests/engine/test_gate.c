/* The readers of the gate's blocks: every one that this processor has says the same of the same bytes, and the simplest says what single bytes
 * say. */
#include "engine/decode_text.h"
#include "tests/test.h"

static struct text_model m;
static uint64_t state = 6;

static unsigned roll(unsigned n)
{
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % n;
}

/* Bytes of some kind, and now and then of any. */
static void fill(char *p, size_t n)
{
  static const char *const kinds[] = {"etaoin shrdlu ETAOIN,.\n", "0123456789abcdefABCDEF xX:-",    "%=&#\\xuU+0.-_aF9f",
                                      "alfa xray Bravo x-ray ",   "\xc2\x80\xef\xbf\xbd\xc3\xa9 a", "\x01\x1b\x7f\t\r\n a",
                                      "zqxjkvbZQXJKVB19"};
  const char *kind = kinds[roll(sizeof kinds / sizeof *kinds)];
  unsigned any = roll(8), length = (unsigned)strlen(kind);
  for (size_t i = 0; i < n; i++) p[i] = any == 0 || roll(20) < any ? (char)roll(256) : kind[roll(length)];
}

/* Of each sixteen bytes the first word: of the others a reader may know less. */
static uint64_t first_words(const struct gate_bits *b, char before)
{
  uint64_t starts = b->letters & ~(b->letters << 1 | (m.letter[(unsigned char)before] != 0)), firsts = 0;
  for (unsigned i = 0; i < BLOCK; i += 16) {
    uint64_t lane = starts & UINT64_C(0xffff) << i;
    firsts |= lane & (~lane + 1);
  }
  return firsts;
}

static bool same(const struct gate_bits *a, const struct gate_bits *b, uint64_t firsts)
{
  return a->letters == b->letters && a->hex == b->hex && a->capitals == b->capitals && a->blanks == b->blanks &&
         a->lines == b->lines && a->stops == b->stops && a->uu == b->uu && a->marks == b->marks && a->odd[0] == b->odd[0] &&
         a->odd[1] == b->odd[1] && a->n_letters == b->n_letters && a->high == b->high && (a->nato & firsts) == (b->nato & firsts);
}

/* A block of n bytes as a reader wants it. */
static char *block(char room[1 + BLOCK + 2], size_t n)
{
  memset(room, 0, 1 + BLOCK + 2);
  fill(room, n < BLOCK ? 1 + n : 1 + BLOCK + 2);
  return room + 1;
}

static bool agree(gate_reader *a, gate_reader *b, size_t n)
{
  char room[1 + BLOCK + 2], *p = block(room, n);
  struct gate_bits x, y;
  memset(&x, 0xa5, sizeof x);
  memset(&y, 0x5a, sizeof y);
  a(&m, p, n, &x);
  b(&m, p, n, &y);
  return same(&x, &y, first_words(&x, p[-1]));
}

static void paths(void)
{
  static const char *const names[] = {"avx512vbmi"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    CASE_BEGIN();
    gate_reader *read = gate_path(names[k]), *portable = gate_path("portable");
    unsigned wrong = 0;
    for (unsigned i = 0; read && i < 200000; i++) wrong += !agree(read, portable, i % 3 ? BLOCK : roll(BLOCK + 1));
    CHECK(wrong == 0);
    CASE_END("%s reads as portable does%s", names[k], read ? "" : " (this processor has it not)");
  }
}

/* Every pair of bytes at the end of every length, against what the model says of pairs. */
static void pairs(void)
{
  CASE_BEGIN();
  unsigned wrong = 0;
  for (unsigned a = 0; a < 256; a++)
    for (unsigned b = 0; b < 256; b++) {
      char room[1 + BLOCK + 2] = {0}, *p = room + 1;
      size_t n = 2 + (a + b) % (BLOCK - 1);
      struct gate_bits bits;
      memset(room, ' ', n + 1);
      p[n - 2] = (char)a, p[n - 1] = (char)b;
      m.read(&m, p, n, &bits);
      bool mark = mark_begins((unsigned char)a, (unsigned char)b) != MARK_KINDS;
      unsigned odd = (m.odd[pair_index(p + n - 3)] + (mark ? 0 : m.odd[pair_index(p + n - 2)])) & (ODD_MARK - 1);
      wrong += (bits.marks >> (n - 1) & 1) != mark || bits.odd[0] + bits.odd[1] != odd || bits.high != (a >= 128 || b >= 128);
    }
  CHECK(wrong == 0);
  CASE_END("each pair of bytes is as odd as the model says, and a mark where it is one");
}

static void names(void)
{
  CASE_BEGIN();
  CHECK(gate_path("portable") && gate_path(NULL) && !gate_path("abacus"));
  CASE_END("a reader that there is not is none");
}

int main(void)
{
  text_model_init(&m);
  paths();
  pairs();
  names();
  return test_end();
}
