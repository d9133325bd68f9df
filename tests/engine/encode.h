/*
 * Encoders, for tests of the decoders: plain, slow, and written from the definitions of the encodings, not from the decoders.
 *
 * `carries` says what an encoding can hold and `gives` what it consists of, so that tests can put one into another.
 */
#ifndef TESTS_ENGINE_ENCODE_H
#define TESTS_ENGINE_ENCODE_H
#include "base/buf.h"

enum alphabet { WORDS, ASCII, ANY }; /* letters and blanks; ASCII; any UTF-8 */

struct encoding {
  const char *name;   /* of the case */
  const char *layers; /* as findings name them, joined by "/"; "": the view itself takes it off */
  enum alphabet carries, gives;
  void (*put)(struct buf *out, struct str s);
};

static inline void enc_code_point(struct buf *b, uint32_t c)
{
  if (c < 0x80) {
    buf_byte(b, (char)c);
  } else if (c < 0x800) {
    buf_byte(b, (char)(0xC0 | c >> 6));
    buf_byte(b, (char)(0x80 | (c & 63)));
  } else if (c < 0x10000) {
    buf_byte(b, (char)(0xE0 | c >> 12));
    buf_byte(b, (char)(0x80 | (c >> 6 & 63)));
    buf_byte(b, (char)(0x80 | (c & 63)));
  } else {
    buf_byte(b, (char)(0xF0 | c >> 18));
    buf_byte(b, (char)(0x80 | (c >> 12 & 63)));
    buf_byte(b, (char)(0x80 | (c >> 6 & 63)));
    buf_byte(b, (char)(0x80 | (c & 63)));
  }
}

#define EACH_BYTE(s, c) for (size_t i_ = 0, c = 0; i_ < (s).n && (c = (unsigned char)(s).p[i_], true); i_++)

static inline bool enc_is_letter(size_t c)
{
  return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static inline void enc_tags(struct buf *b, struct str s)
{
  BUF_LIT(b, "Hello");
  EACH_BYTE(s, c) enc_code_point(b, 0xE0000 + (uint32_t)c);
  BUF_LIT(b, " there");
}

static inline void enc_selectors(struct buf *b, struct str s)
{
  BUF_LIT(b, "Hello \xF0\x9F\x98\x80");
  EACH_BYTE(s, c) enc_code_point(b, c < 16 ? 0xFE00 + (uint32_t)c : 0xE0100 + (uint32_t)c - 16);
}

static inline void enc_zero_width(struct buf *b, struct str s)
{
  BUF_LIT(b, "Hello");
  EACH_BYTE(s, c)
  for (int bit = 7; bit >= 0; bit--) enc_code_point(b, c >> bit & 1 ? 0x200C : 0x200B);
  BUF_LIT(b, " there");
}

#define ENC_PRINTF(fn, fmt)                                                                                                      \
  static inline void fn(struct buf *b, struct str s)                                                                             \
  {                                                                                                                              \
    EACH_BYTE(s, c) buf_printf(b, fmt, (unsigned)c);                                                                             \
  }
ENC_PRINTF(enc_escapes, "\\x%02x")
ENC_PRINTF(enc_unicode, "\\u%04x")
ENC_PRINTF(enc_percent, "%%%02X")
ENC_PRINTF(enc_decimal, "&#%u;")
ENC_PRINTF(enc_hexadecimal, "&#x%x;")
ENC_PRINTF(enc_quoted, "=%02X")
ENC_PRINTF(enc_hex, "%02x")
ENC_PRINTF(enc_hex_list, "%02X ")
ENC_PRINTF(enc_hex_c, "0x%02x, ")

static inline void enc_url(struct buf *b, struct str s)
{
  EACH_BYTE(s, c)
  if (c == ' ') BUF_LIT(b, "%20");
  else buf_byte(b, (char)c);
}

static inline void enc_binary(struct buf *b, struct str s)
{
  EACH_BYTE(s, c)
  {
    for (int bit = 7; bit >= 0; bit--) buf_byte(b, c >> bit & 1 ? '1' : '0');
    buf_byte(b, ' ');
  }
}

/* Bits of s in groups of `width`, as characters of the alphabet. */
static inline void enc_bits(struct buf *b, struct str s, unsigned width, const char *alphabet, size_t group, char pad)
{
  uint32_t acc = 0;
  unsigned have = 0;
  size_t n = 0;
  EACH_BYTE(s, c)
  {
    acc = acc << 8 | (uint32_t)c;
    for (have += 8; have >= width; have -= width, n++) buf_byte(b, alphabet[acc >> (have - width) & ((1u << width) - 1)]);
  }
  if (have) {
    buf_byte(b, alphabet[acc << (width - have) & ((1u << width) - 1)]);
    n++;
  }
  for (; pad && n % group; n++) buf_byte(b, pad);
}

static const char enc_alphabet64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char enc_alphabet64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static inline void enc_base64(struct buf *b, struct str s)
{
  enc_bits(b, s, 6, enc_alphabet64, 4, '=');
}

static inline void enc_base64url(struct buf *b, struct str s)
{
  enc_bits(b, s, 6, enc_alphabet64url, 4, 0);
}

static inline void enc_base64_lines(struct buf *b, struct str s)
{
  struct buf line = {0};
  enc_base64(&line, s);
  for (size_t i = 0; i < line.n; i += 64) {
    if (i) BUF_LIT(b, "\r\n");
    buf_put(b, str_cut(buf_str(&line), i, i + 64 < line.n ? i + 64 : line.n));
  }
  buf_finish(&line);
}

static inline void enc_base32(struct buf *b, struct str s)
{
  enc_bits(b, s, 5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 8, '=');
}

static inline void enc_85(struct buf *b, struct str s, const char *alphabet)
{
  for (size_t i = 0; i < s.n; i += 4) {
    size_t n = s.n - i < 4 ? s.n - i : 4;
    uint32_t v = 0;
    char digits[5];
    for (size_t k = 0; k < 4; k++) v = v << 8 | (k < n ? (unsigned char)s.p[i + k] : 0);
    for (int k = 4; k >= 0; k--, v /= 85) digits[k] = alphabet ? alphabet[v % 85] : (char)('!' + v % 85);
    buf_put(b, (struct str){digits, n + 1});
  }
}

static inline void enc_ascii85(struct buf *b, struct str s)
{
  enc_85(b, s, NULL);
}

static inline void enc_z85(struct buf *b, struct str s)
{
  enc_85(b, s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#");
}

static inline void enc_git85(struct buf *b, struct str s)
{
  enc_85(b, s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~");
}

static inline void enc_uu(struct buf *b, struct str s)
{
  for (size_t i = 0; i < s.n; i += 45) {
    size_t n = s.n - i < 45 ? s.n - i : 45;
    if (i) buf_byte(b, '\n');
    buf_byte(b, (char)(32 + n));
    for (size_t k = 0; k < n; k += 3) {
      uint32_t v = 0;
      for (size_t j = 0; j < 3; j++) v = v << 8 | (k + j < n ? (unsigned char)s.p[i + k + j] : 0);
      for (int shift = 18; shift >= 0; shift -= 6) buf_byte(b, (char)(v >> shift & 63 ? 32 + (v >> shift & 63) : '`'));
    }
  }
}

static const char *const enc_morse_codes[] = {".-",   "-...", "-.-.", "-..",  ".",   "..-.", "--.",  "....", "..",
                                              ".---", "-.-",  ".-..", "--",   "-.",  "---",  ".--.", "--.-", ".-.",
                                              "...",  "-",    "..-",  "...-", ".--", "-..-", "-.--", "--.."};
static const char *const enc_nato_words[] = {"alpha",  "bravo",   "charlie", "delta",  "echo",   "foxtrot", "golf",
                                             "hotel",  "india",   "juliett", "kilo",   "lima",   "mike",    "november",
                                             "oscar",  "papa",    "quebec",  "romeo",  "sierra", "tango",   "uniform",
                                             "victor", "whiskey", "x-ray",   "yankee", "zulu"};

static inline void enc_by_letter(struct buf *b, struct str s, const char *const *words)
{
  EACH_BYTE(s, c)
  if (enc_is_letter(c)) buf_printf(b, "%s ", words[(c | 32) - 'a']);
  else BUF_LIT(b, "/ ");
}

static inline void enc_morse(struct buf *b, struct str s)
{
  enc_by_letter(b, s, enc_morse_codes);
}

static inline void enc_nato(struct buf *b, struct str s)
{
  enc_by_letter(b, s, enc_nato_words);
}

static inline void enc_braille(struct buf *b, struct str s)
{
  static const char *const dots[] = {"1",   "12",   "14",  "145",  "15",   "124",  "1245",  "125",   "24",
                                     "245", "13",   "123", "134",  "1345", "135",  "1234",  "12345", "1235",
                                     "234", "2345", "136", "1236", "2456", "1346", "13456", "1356"};
  EACH_BYTE(s, c)
  {
    uint32_t cell = 0x2800;
    for (const char *d = enc_is_letter(c) ? dots[(c | 32) - 'a'] : ""; *d; d++) cell |= 1u << (*d - '1');
    enc_code_point(b, cell);
  }
}

static inline void enc_spaced(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_printf(b, "%c ", (char)c);
}

static inline void enc_dotted(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_printf(b, "%c.", (char)c);
}

static inline void enc_dashed(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_printf(b, "%c - ", (char)c);
}

static inline void enc_leet(struct buf *b, struct str s)
{
  EACH_BYTE(s, c)
  {
    size_t at = str_find(STR("oieast"), (struct str){(char[]){(char)(c | 32)}, 1});
    buf_byte(b, enc_is_letter(c) && at != (size_t)-1 ? "013457"[at] : (char)c);
  }
}

static inline void enc_full_width(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) enc_code_point(b, c > 32 && c < 127 ? (uint32_t)c + 0xFEE0 : (uint32_t)c);
}

static inline void enc_mathematical(struct buf *b, struct str s)
{
  EACH_BYTE(s, c)
  enc_code_point(b, enc_is_letter(c) ? (c & 32 ? 0x1D41A + (uint32_t)c - 'a' : 0x1D400 + (uint32_t)c - 'A') : (uint32_t)c);
}

static inline void enc_rot13(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_byte(b, enc_is_letter(c) ? (char)((c & 32 ? 'a' : 'A') + ((c | 32) - 'a' + 13) % 26) : (char)c);
}

static inline void enc_atbash(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_byte(b, enc_is_letter(c) ? (char)((c & 32 ? 'a' + 'z' : 'A' + 'Z') - c) : (char)c);
}

static inline void enc_reversed(struct buf *b, struct str s)
{
  for (size_t i = s.n; i > 0; i--) buf_byte(b, s.p[i - 1]);
}

static inline void enc_reversed_words(struct buf *b, struct str s)
{
  for (size_t i = 0, k; i < s.n; i = k + 1) {
    for (k = i; k < s.n && s.p[k] != ' ';) k++;
    enc_reversed(b, str_cut(s, i, k));
    if (k < s.n) buf_byte(b, ' ');
  }
}

static inline void enc_octal_escapes(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_printf(b, "\\%03o", (unsigned)c);
}

static inline void enc_decimal_codes(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_printf(b, "%s%u", i_ ? " " : "", (unsigned)c);
}

static inline void enc_octal_codes(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_printf(b, "%s%o", i_ ? " " : "", (unsigned)c);
}

static inline void enc_places(struct buf *b, struct str s)
{
  bool within = false;
  EACH_BYTE(s, c)
  {
    if (enc_is_letter(c)) buf_printf(b, "%s%u", within ? "-" : "", (unsigned)(c | 32) - 'a' + 1);
    else BUF_LIT(b, " ");
    within = enc_is_letter(c);
  }
}

static inline void enc_joined_bits(struct buf *b, struct str s)
{
  EACH_BYTE(s, c)
  for (unsigned k = 8; k-- > 0;) buf_byte(b, c >> k & 1 ? '1' : '0');
}

static inline void enc_caesar(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_byte(b, enc_is_letter(c) ? (char)((c & 32 ? 'a' : 'A') + ((c | 32) - 'a' + 3) % 26) : (char)c);
}

static inline void enc_upside_down(struct buf *b, struct str s)
{
  static const uint32_t turned[26] = {0x250, 'q', 0x254, 'p', 0x1DD, 0x25F, 0x183, 0x265, 0x1D09, 0x27E, 0x29E, 'l',   0x26F,
                                      'u',   'o', 'd',   'b', 0x279, 's',   0x287, 'n',   0x28C,  0x28D, 'x',   0x28E, 'z'};
  for (size_t i = s.n; i > 0; i--) {
    unsigned char c = (unsigned char)s.p[i - 1];
    enc_code_point(b, enc_is_letter(c) ? turned[(c | 32) - 'a'] : c);
  }
}

static inline void enc_emoji(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_printf(b, "%c\xF0\x9F\x99\x82", (char)c);
}

static inline void enc_emoji_words(struct buf *b, struct str s)
{
  EACH_BYTE(s, c)
  {
    if (c == ' ') BUF_LIT(b, " \xF0\x9F\x94\xA5 ");
    else buf_byte(b, (char)c);
  }
}

static inline void enc_underscores(struct buf *b, struct str s)
{
  EACH_BYTE(s, c) buf_byte(b, c == ' ' ? '_' : (char)c);
}

/* Behind the second letter of each longer word. */
static inline void enc_hyphens(struct buf *b, struct str s)
{
  for (size_t i = 0, n = 0; i < s.n; i++) {
    n = enc_is_letter((unsigned char)s.p[i]) ? n + 1 : 0;
    if (n == 3) buf_byte(b, '-');
    buf_byte(b, s.p[i]);
  }
}

static const struct encoding encodings[] = {
    {"tag characters", "tag-characters", ASCII, ANY, enc_tags},
    {"variation selectors", "variation-selectors", ANY, ANY, enc_selectors},
    {"zero-width bits", "zero-width", ANY, ANY, enc_zero_width},
    {"\\xHH", "escapes", ANY, ASCII, enc_escapes},
    {"\\OOO", "escapes", ANY, ASCII, enc_octal_escapes},
    {"\\uHHHH", "escapes", ASCII, ASCII, enc_unicode},
    {"percent, every byte", "percent", ANY, ASCII, enc_percent},
    {"percent, blanks", "percent", WORDS, ASCII, enc_url},
    {"references, decimal", "html-entities", ASCII, ASCII, enc_decimal},
    {"references, hexadecimal", "html-entities", ASCII, ASCII, enc_hexadecimal},
    {"quoted-printable", "quoted-printable", ANY, ASCII, enc_quoted},
    {"uuencode", "uuencode", ANY, ASCII, enc_uu},
    {"base16", "hex", ANY, ASCII, enc_hex},
    {"base16, list", "hex", ANY, ASCII, enc_hex_list},
    {"base16, 0x", "hex", ANY, ASCII, enc_hex_c},
    {"binary", "binary", ANY, ASCII, enc_binary},
    {"bits", "binary", ANY, ASCII, enc_joined_bits},
    {"decimal codes", "decimal", WORDS, ASCII, enc_decimal_codes},
    {"octal codes", "octal", WORDS, ASCII, enc_octal_codes},
    {"places in the alphabet", "places", WORDS, ASCII, enc_places},
    {"base64", "base64", ANY, ASCII, enc_base64},
    {"base64url", "base64", ANY, ASCII, enc_base64url},
    {"base64, lines", "base64", ANY, ASCII, enc_base64_lines},
    {"base32", "base32", ANY, ASCII, enc_base32},
    {"ascii85", "base85", ANY, ASCII, enc_ascii85},
    {"Z85", "base85", ANY, ASCII, enc_z85},
    {"base85", "base85", ANY, ASCII, enc_git85},
    {"Morse", "morse", WORDS, ASCII, enc_morse},
    {"Braille", "braille", WORDS, ANY, enc_braille},
    {"NATO", "nato", WORDS, ASCII, enc_nato},
    {"letters apart", "spaced", WORDS, ASCII, enc_spaced},
    {"dots between", "spaced", WORDS, ASCII, enc_dotted},
    {"dashes between", "spaced", WORDS, ASCII, enc_dashed},
    {"emoji between", "spaced", WORDS, ANY, enc_emoji},
    {"emoji between words", "spaced", WORDS, ANY, enc_emoji_words},
    {"underscores for blanks", "joined-words", WORDS, ASCII, enc_underscores},
    {"hyphens within words", "cut-words", WORDS, ASCII, enc_hyphens},
    {"leet", "leet", WORDS, ASCII, enc_leet},
    {"full-width", "", ASCII, ANY, enc_full_width},
    {"mathematical", "", ASCII, ANY, enc_mathematical},
    {"ROT13", "rot13", ASCII, WORDS, enc_rot13},
    {"Atbash", "atbash", ASCII, WORDS, enc_atbash},
    {"Caesar", "caesar", WORDS, WORDS, enc_caesar},
    {"upside down", "upside-down", WORDS, ANY, enc_upside_down},
    {"reversed", "reversed", ASCII, WORDS, enc_reversed},
    {"words reversed", "reversed-words", ASCII, WORDS, enc_reversed_words},
};
enum { N_ENCODINGS = sizeof encodings / sizeof *encodings };

struct encoding_pair {
  const char *outer, *inner; /* layers */
};

static inline bool enc_is_among(const struct encoding_pair *pairs, size_t n, const struct encoding *outer,
                                const struct encoding *inner)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(outer->layers, pairs[i].outer) == 0 && strcmp(inner->layers, pairs[i].inner) == 0) return true;
  return false;
}

/* Pairs that lose what the inner one needs, or can be read in two ways that letters do not tell apart. */
static inline bool enc_is_lost(const struct encoding *outer, const struct encoding *inner)
{
  static const struct encoding_pair lost[] = {
      {"leet", "rot13"}, /* the digits stand for letters of the cipher, which are no language */
      {"leet", "atbash"},
      {"reversed", "morse"}, /* dots and dashes of a letter backwards are another letter */
      {"reversed-words", "morse"},
      {"reversed", "reversed-words"}, /* leaves the words in the wrong order */
      {"leet", "caesar"},
      {"atbash", "caesar"}, /* moved and turned round: a cipher of its own */
      {"caesar", "atbash"},
      {"caesar", "reversed"},
      {"caesar", "reversed-words"},
      {"reversed", "caesar"},
      {"reversed-words", "caesar"},
      {"joined-words", "reversed-words"}, /* which are parted by blanks */
      {"cut-words", "rot13"},             /* short words, by which what is cut is known, are not seen in a cipher */
      {"rot13", "cut-words"},
      {"cut-words", "atbash"},
      {"atbash", "cut-words"},
      {"cut-words", "caesar"},
      {"caesar", "cut-words"},
      {"cut-words", "reversed"},
      {"reversed", "cut-words"},
      {"cut-words", "reversed-words"},
      {"reversed-words", "cut-words"},
      {"places", "rot13"}, /* small numbers must make language to be more than numbers */
      {"places", "atbash"},
      {"places", "caesar"},
      {"upside-down", "rot13"}, /* which words belong to it, language says */
      {"upside-down", "atbash"},
      {"upside-down", "caesar"},
      {"reversed-words", "reversed"},
  };
  return enc_is_among(lost, sizeof lost / sizeof *lost, outer, inner);
}
#endif
