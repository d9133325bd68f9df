/*
 * Whether bytes are text, whatever their sender calls them: a file that says it is an image, or a text with a zero byte in it, is read by
 * some model all the same. Nothing here trusts a name or a type, and nothing is changed; UTF-16 becomes UTF-8.
 */
#include "wire/format.h"

/* How much of UTF-16 is looked at before it is believed. */
enum { LOOK = 4096 };

static bool is_control(uint32_t c)
{
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7f;
}

/* Length of the well-formed character at p, 0 when there is none (Unicode, table 3-7). */
static size_t character(const unsigned char *p, size_t n)
{
  static const unsigned char low[] = {0xa0, 0x80, 0x90, 0x80}, high[] = {0xbf, 0x9f, 0xbf, 0x8f};
  if (p[0] < 0x80) return 1;
  size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
  if (!len || n < len) return 0;
  int odd = p[0] == 0xe0 ? 0 : p[0] == 0xed ? 1 : p[0] == 0xf0 ? 2 : p[0] == 0xf4 ? 3 : -1;
  if (odd >= 0 && (p[1] < low[odd] || p[1] > high[odd])) return 0;
  for (size_t i = 1; i < len; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  return len;
}

/* UTF-8 without control characters but for zeros, of which up to three may follow each character, as they do in wider codings. */
static bool is_utf8_text(struct str s)
{
  const unsigned char *p = (const unsigned char *)s.p;
  size_t zeros = 0;
  for (size_t i = 0, len; i < s.n; i += len) {
    len = character(p + i, s.n - i);
    if (!len || (p[i] && is_control(p[i]))) return false;
    zeros += !p[i];
  }
  return 4 * zeros <= 3 * s.n;
}

static uint32_t unit(const unsigned char *p, size_t i, bool big)
{
  return big ? (uint32_t)p[i] << 8 | p[i + 1] : (uint32_t)p[i + 1] << 8 | p[i];
}

/* The character at i, and its length; length 0: half of one. */
static uint32_t wide(struct str s, size_t i, bool big, size_t *len)
{
  const unsigned char *p = (const unsigned char *)s.p;
  uint32_t c = unit(p, i, big);
  *len = 2;
  if (c < 0xd800 || c > 0xdfff) return c;
  uint32_t low = i + 4 <= s.n ? unit(p, i + 2, big) : 0;
  *len = c < 0xdc00 && low >= 0xdc00 && low <= 0xdfff ? 4 : 0;
  return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* Characters that may stand in a text. Without a mark three of four are letters and signs of the first 2,048 characters of Unicode, or stand in
 * the block of 256 of the one before: what chance or sound make of bytes is spread over all of it. */
static bool is_utf16(struct str s, bool big, bool marked)
{
  size_t n = 0, near = 0, len;
  uint32_t before = 0;
  for (size_t i = 0; i + 2 <= s.n && i < LOOK; i += len, n++) {
    uint32_t c = wide(s, i, big, &len);
    if (!len || is_control(c) || (c & 0xfffe) == 0xfffe || (c >= 0xe000 && c < 0xf900)) return false;
    near += c < 0x800 || (c < 0xe000 && c >> 8 == before >> 8);
    before = c;
  }
  return n > 0 && (marked || 4 * near >= 3 * n);
}

/* By its mark, or by zeros, most of which stand in the same half of a unit. */
static enum sniffed order_of(struct str s, bool *marked)
{
  const unsigned char *p = (const unsigned char *)s.p;
  size_t zeros[2] = {0, 0};
  if (s.n < 4 || s.n % 2) return SNIFF_BYTES;
  *marked = (p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff);
  if (*marked) return p[0] == 0xff ? SNIFF_UTF16_LITTLE : SNIFF_UTF16_BIG;
  for (size_t i = 0; i < s.n && i < LOOK; i++) zeros[i % 2] += !p[i];
  if (zeros[0] == zeros[1]) return SNIFF_BYTES;
  return zeros[1] > zeros[0] ? SNIFF_UTF16_LITTLE : SNIFF_UTF16_BIG;
}

enum sniffed sniff(struct str bytes)
{
  bool marked = false;
  enum sniffed order = order_of(bytes, &marked);
  if (order != SNIFF_BYTES && is_utf16(bytes, order == SNIFF_UTF16_BIG, marked)) return order;
  return is_utf8_text(bytes) ? SNIFF_TEXT : SNIFF_BYTES;
}

static size_t put_utf8(char *p, uint32_t c)
{
  static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, c >>= 6) p[i] = (char)(0x80 | (c & 0x3f));
  p[0] = (char)(lead[n == 1 ? 0 : n] | c);
  return n;
}

bool sniff_utf16(struct vdt_arena *arena, struct str bytes, enum sniffed order, struct str *text)
{
  char *out = arena_alloc(arena, bytes.n / 2 * 3 + 1);
  size_t n = 0, len;
  if (!out) return false;
  for (size_t i = 0; i + 2 <= bytes.n; i += len) {
    uint32_t c = wide(bytes, i, order == SNIFF_UTF16_BIG, &len);
    n += put_utf8(out + n, len ? c : 0xfffd);
    if (!len) len = 2;
  }
  *text = (struct str){out, n};
  return true;
}
