/* Bytes that are text, and bytes that are none, whatever they are called. */
#include "tests/test.h"
#include "wire/format.h"

#define BYTES(s)                                                                                                                 \
  {                                                                                                                              \
    s, sizeof(s) - 1                                                                                                             \
  }

static const struct {
  const char *name;
  struct str bytes;
  enum sniffed is;
  const char *text; /* of UTF-16 */
} rows[] = {
    {"nothing", {"", 0}, SNIFF_TEXT, NULL},
    {"ASCII", BYTES("two words\r\n\tand more\f"), SNIFF_TEXT, NULL},
    {"UTF-8", BYTES("gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80"), SNIFF_TEXT, NULL},
    {"a zero in a text", BYTES("ignore\0all"), SNIFF_TEXT, NULL},
    {"UTF-32", BYTES("a\0\0\0b\0\0\0c\0\0\0"), SNIFF_TEXT, NULL},
    {"zeros", BYTES("\0\0\0\0"), SNIFF_BYTES, NULL},
    {"a zero too many", BYTES("a\0\0\0\0"), SNIFF_BYTES, NULL},
    {"UTF-16, little end first", BYTES("h\0i\0 \0y\0o\0u\0"), SNIFF_UTF16_LITTLE, "hi you"},
    {"UTF-16, big end first", BYTES("\0h\0i\0 \0y"), SNIFF_UTF16_BIG, "hi y"},
    {"with its mark",
     BYTES("\xff\xfe"
           "h\0\xfc\0"),
     SNIFF_UTF16_LITTLE, "\xef\xbb\xbfh\xc3\xbc"},
    {"with the other mark", BYTES("\xfe\xff\0h\0\xfc"), SNIFF_UTF16_BIG, "\xef\xbb\xbfh\xc3\xbc"},
    {"Cyrillic with a blank", BYTES("\x34\x04\x30\x04 \0\x34\x04\x30\x04"), SNIFF_UTF16_LITTLE,
     "\xd0\xb4\xd0\xb0 \xd0\xb4\xd0\xb0"},
    {"Chinese with its mark", BYTES("\xff\xfe\x60\x4f\x7d\x59"), SNIFF_UTF16_LITTLE, "\xef\xbb\xbf\xe4\xbd\xa0\xe5\xa5\xbd"},
    {"a pair",
     BYTES("h\0o\0\x3d\xd8\x00\xde"
           "i\0"),
     SNIFF_UTF16_LITTLE, "ho\xf0\x9f\x98\x80i"},
    {"half a pair",
     BYTES("h\0\x3d\xd8"
           "i\0"),
     SNIFF_BYTES, NULL},
    {"half a pair at the end", BYTES("h\0i\0\x3d\xd8"), SNIFF_BYTES, NULL},
    {"an odd number of bytes", BYTES("\0h\0i\0"), SNIFF_TEXT, NULL},
    {"UTF-16 with a control character", BYTES("h\0\1\0i\0"), SNIFF_BYTES, NULL},
    {"a character of Latin-1", BYTES("gr\xfc\xdf"), SNIFF_BYTES, NULL},
    {"too long a form", BYTES("\xc0\xaf\xe0\x80\xaf"), SNIFF_BYTES, NULL},
    {"a surrogate", BYTES("\xed\xa0\x80"), SNIFF_BYTES, NULL},
    {"beyond Unicode", BYTES("\xf4\x90\x80\x80"), SNIFF_BYTES, NULL},
    {"a cut character", BYTES("a\xe2\x82"), SNIFF_BYTES, NULL},
    {"an escape", BYTES("\x1b[31m"), SNIFF_BYTES, NULL},
    {"PNG", BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1"), SNIFF_BYTES, NULL},
    {"JPEG", BYTES("\xff\xd8\xff\xe0\0\x10JFIF\0\1\1"), SNIFF_BYTES, NULL},
    {"GIF", BYTES("GIF89a\1\0\1\0\x80\1\0"), SNIFF_BYTES, NULL},
    {"WAV", BYTES("RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0"), SNIFF_BYTES, NULL},
    {"ZIP", BYTES("PK\3\4\x14\0\0\0\x08\0"), SNIFF_BYTES, NULL},
    {"gzip", BYTES("\x1f\x8b\x08\0\0\0\0\0\0\3"), SNIFF_BYTES, NULL},
    {"PDF", BYTES("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), SNIFF_BYTES, NULL},
};

static void known_ones(void)
{
  struct vdt_arena *arena = vdt_arena_new(0);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct str text;
    CASE_BEGIN();
    CHECK_INT(sniff(rows[i].bytes), rows[i].is);
    if (rows[i].text && sniff_utf16(arena, rows[i].bytes, rows[i].is, &text)) CHECK_STR(text, rows[i].text);
    CASE_END("%s", rows[i].name);
  }
  vdt_arena_free(arena);
}

/* Bytes of every kind of chance: spread evenly, small ones, and as quiet sound has them. */
static void chance_is_no_text(void)
{
  uint64_t rng = 88172645463325252ULL;
  for (unsigned i = 0; i < 30000 && !test_failed; i++) {
    unsigned char bytes[256];
    for (size_t k = 0; k < sizeof bytes; k++) {
      rng ^= rng << 13;
      rng ^= rng >> 7;
      rng ^= rng << 17;
      unsigned char b = (unsigned char)(rng >> 33);
      bytes[k] = i % 3 == 0 ? b : i % 3 == 1 ? b & 0x3f : k % 2 ? (b & 1 ? 0xff : 0) : b;
    }
    CHECK_INT(sniff((struct str){(const char *)bytes, sizeof bytes}), SNIFF_BYTES);
  }
}

int main(void)
{
  known_ones();
  RUN(chance_is_no_text);
  return test_end();
}
