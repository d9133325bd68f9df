/* Blocks of 64 bytes: each bit says what is said of its byte alone, for every byte at every place, and for fewer bytes than a block has. */
#include "engine/blocks.h"
#include "tests/test.h"

static bool is_letter(unsigned c)
{
  return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_digit(unsigned c)
{
  return c >= '0' && c <= '9';
}

static bool of_base64(unsigned c)
{
  return is_letter(c) || is_digit(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

static bool of_words(unsigned c)
{
  return is_letter(c) || is_digit(c) || c >= 0x80;
}

static bool of_hex(unsigned c)
{
  return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static bool is_upper(unsigned c)
{
  return c >= 'A' && c <= 'Z';
}

static bool is_high(unsigned c)
{
  return c >= 0x80;
}

static bool of_uu(unsigned c)
{
  return c >= ' ' && c <= '`';
}

static bool may_be_control(unsigned c)
{
  return c < 32 || c == 127 || c == 0xc2 || c == 0xef;
}

static bool is_mark(unsigned c)
{
  return c == '\\' || c == '%' || c == '\n' || c == 0xE2;
}

static uint64_t marks(const unsigned char *p)
{
  return block_any(p, "\\%\n\xE2");
}

static const struct {
  const char *name;
  uint64_t (*block)(const unsigned char *p);
  bool (*byte)(unsigned c);
} kinds[] = {{"base64", block_base64, of_base64},
             {"words", block_words, of_words},
             {"hex", block_hex, of_hex},
             {"letters", block_letters, is_letter},
             {"upper", block_upper, is_upper},
             {"high", block_high, is_high},
             {"any", marks, is_mark},
             {"digits", block_digits, is_digit},
             {"uu", block_uu, of_uu},
             {"controls", block_controls, may_be_control}};

/* The byte c at each place among bytes that are not of the kind, and the other way round. */
static bool agrees(uint64_t (*block)(const unsigned char *p), bool (*byte)(unsigned c), unsigned c)
{
  unsigned char p[BLOCK_BYTES];
  static const unsigned char others[] = {' ', 'a', 0xE2, '\\'};
  for (size_t o = 0; o < sizeof others; o++)
    for (unsigned at = 0; at < BLOCK_BYTES; at++) {
      memset(p, others[o], sizeof p);
      p[at] = (unsigned char)c;
      uint64_t rest = byte(others[o]) ? UINT64_MAX : 0, bit = UINT64_C(1) << at;
      if (block(p) != ((rest & ~bit) | (byte(c) ? bit : 0))) return false;
    }
  return true;
}

static void every_byte(void)
{
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    bool good = true;
    for (unsigned c = 0; c < 256; c++) good &= agrees(kinds[k].block, kinds[k].byte, c);
    CASE_BEGIN();
    CHECK(good);
    CASE_END("%s: each of 256 bytes at each of 64 places", kinds[k].name);
  }
}

static void fewer_than_a_block(void)
{
  unsigned char text[BLOCK_BYTES], pad[BLOCK_BYTES];
  bool good = true;
  memset(text, 'a', sizeof text);
  for (size_t n = 0; n < BLOCK_BYTES; n++) good &= block_letters(block_pad(text, n, pad)) == (UINT64_C(1) << n) - 1;
  CHECK(good); /* nothing is seen behind them */
  CHECK(block_pad(text, BLOCK_BYTES, pad) == text);
}

static void bits_on_end(void)
{
  CHECK(block_count(0) == 0 && block_count(UINT64_MAX) == 64 && block_count(UINT64_C(0x8000000000000005)) == 3);
  CHECK(block_first(0) == 64 && block_first(1) == 0 && block_first(UINT64_C(1) << 63) == 63);
  CHECK(block_leading(0) == 0 && block_leading(5) == 1 && block_leading(UINT64_MAX) == 64);
  CHECK(block_trailing(0) == 0 && block_trailing(UINT64_C(5) << 61) == 1 && block_trailing(UINT64_MAX) == 64);
  CHECK(block_sixteens(0x7fff) == 0 && block_sixteens(0xffff) == 1 && block_sixteens(0x1ffff) == 3);
  CHECK(block_sixteens(UINT64_MAX << 48) == UINT64_C(1) << 48 && block_sixteens(UINT64_MAX << 49) == 0);
}

int main(void)
{
  every_byte();
  RUN(fewer_than_a_block);
  RUN(bits_on_end);
  return test_end();
}
