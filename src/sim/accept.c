/* Sec-WebSocket-Accept (RFC 6455, 4.2.2): SHA-1 (FIPS 180-4) in base64. SHA-1 is what the protocol asks for; nothing rests on its strength. */
#include "sim/realtime.h"

static uint32_t rotate(uint32_t v, unsigned n)
{
  return v << n | v >> (32 - n);
}

static void block(uint32_t h[5], const unsigned char *p)
{
  uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  for (int i = 0; i < 80; i++) {
    uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
    uint32_t k = i < 20 ? 0x5a827999u : i < 40 ? 0x6ed9eba1u : i < 60 ? 0x8f1bbcdcu : 0xca62c1d6u;
    uint32_t t = rotate(a, 5) + f + e + k + w[i];
    e = d, d = c, c = rotate(b, 30), b = a, a = t;
  }
  h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

/* Of at most 119 bytes. */
static void sha1(const char *text, size_t n, unsigned char out[20])
{
  uint32_t h[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
  unsigned char padded[128] = {0};
  size_t blocks = n + 9 > 64 ? 2 : 1;
  memcpy(padded, text, n);
  padded[n] = 0x80;
  padded[64 * blocks - 2] = (unsigned char)(n * 8 >> 8);
  padded[64 * blocks - 1] = (unsigned char)(n * 8);
  for (size_t i = 0; i < blocks; i++) block(h, padded + 64 * i);
  for (int i = 0; i < 20; i++) out[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void realtime_accept(struct str key, char out[29])
{
  static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  char text[100];
  unsigned char hash[21] = {0};
  size_t n = key.n < 60 ? key.n : 60;
  memcpy(text, key.p, n);
  memcpy(text + n, magic, sizeof magic - 1);
  sha1(text, n + sizeof magic - 1, hash);
  for (size_t i = 0; i < 7; i++) {
    uint32_t v = (uint32_t)hash[3 * i] << 16 | (uint32_t)hash[3 * i + 1] << 8 | hash[3 * i + 2];
    for (size_t k = 0; k < 4; k++) out[4 * i + k] = digits[v >> (18 - 6 * k) & 63];
  }
  out[27] = '=';
  out[28] = 0;
}
