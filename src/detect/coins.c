/*
 * Checksums of addresses and keys of cryptographic money: Base58Check in Bitcoin's and Ripple's alphabet, Bech32 (BIP-173, BIP-350), the
 * capitals of EIP-55, Monero's base 58 in blocks, Stellar's base 32. They decide about one word and read nothing around it.
 */
#include "detect/detect.h"
#include <assert.h>
#include <sodium.h>

static const char bitcoin[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
static const char ripple[] = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

enum { BASE58_MAX = 96 };

static int digit_in(const char *digits, size_t n, char c)
{
  const char *at = c ? memchr(digits, c, n) : NULL;
  return at ? (int)(at - digits) : -1;
}

/* The bytes of a number in base 58; how many, or 0. Zeros before it stand as the first digit. */
static size_t base58_decode(struct str s, const char *digits, unsigned char out[BASE58_MAX])
{
  unsigned char bytes[BASE58_MAX] = {0};
  size_t n = 0; /* bytes used, least first */
  if (s.n > 120) return 0;
  for (size_t i = 0; i < s.n; i++) {
    int carry = digit_in(digits, 58, s.p[i]);
    if (carry < 0) return 0;
    for (size_t k = 0; k < n || carry; k++) {
      if (k == sizeof bytes) return 0;
      carry += bytes[k] * 58;
      bytes[k] = (unsigned char)carry;
      carry >>= 8;
      if (k >= n) n = k + 1;
    }
  }
  for (size_t i = 0; i < s.n && s.p[i] == digits[0] && n < sizeof bytes; i++) n++;
  for (size_t i = 0; i < n; i++) out[i] = bytes[n - 1 - i];
  return n;
}

/* The last 4 bytes are the beginning of the SHA-256 of the SHA-256 of the rest. */
static bool double_sha_checks(const unsigned char *bytes, size_t n)
{
  unsigned char hash[crypto_hash_sha256_BYTES];
  if (n < 5) return false;
  crypto_hash_sha256(hash, bytes, n - 4);
  crypto_hash_sha256(hash, hash, sizeof hash);
  return memcmp(hash, bytes + n - 4, 4) == 0;
}

bool base58_checks(struct str s)
{
  unsigned char bytes[BASE58_MAX];
  size_t n = s.n < 20 ? 0 : base58_decode(s, bitcoin, bytes);
  return n && double_sha_checks(bytes, n);
}

bool ripple_checks(struct str s, unsigned version, size_t payload)
{
  unsigned char bytes[BASE58_MAX];
  size_t n = s.n < 25 || s.n > 35 ? 0 : base58_decode(s, ripple, bytes);
  return n == payload + 5 && bytes[0] == version && double_sha_checks(bytes, n);
}

bool ripple_seed_checks(struct str s)
{
  unsigned char bytes[BASE58_MAX];
  size_t n = s.n == 31 ? base58_decode(s, ripple, bytes) : 0;
  return n == 23 && !memcmp(bytes, "\x01\xE1\x4B", 3) && double_sha_checks(bytes, n);
}

static uint32_t bech32_step(uint32_t sum)
{
  static const uint32_t generator[] = {0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3};
  uint32_t top = sum >> 25, next = (sum & 0x1FFFFFF) << 5;
  for (unsigned i = 0; i < 5; i++)
    if (top >> i & 1) next ^= generator[i];
  return next;
}

bool bech32_checks(struct str hrp, struct str data)
{
  static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  uint32_t sum = 1;
  for (size_t i = 0; i < hrp.n; i++) sum = bech32_step(sum) ^ (uint32_t)(unsigned char)(hrp.p[i] | 32) >> 5;
  sum = bech32_step(sum);
  for (size_t i = 0; i < hrp.n; i++) sum = bech32_step(sum) ^ ((uint32_t)(hrp.p[i] | 32) & 31);
  for (size_t i = 0; i < data.n; i++) {
    char c = data.p[i] >= 'A' && data.p[i] <= 'Z' ? (char)(data.p[i] + 32) : data.p[i];
    int digit = digit_in(digits, 32, c);
    if (digit < 0) return false;
    sum = bech32_step(sum) ^ (uint32_t)digit;
  }
  return sum == 1 || sum == 0x2BC830A3; /* BIP-173, BIP-350 */
}

static uint64_t rotate(uint64_t x, unsigned n)
{
  return n ? x << n | x >> (64 - n) : x;
}

/* One round of Keccak-f[1600] (FIPS 202, section 3.2), the lanes by 5 * y + x. */
static void keccak_round(uint64_t a[25], uint64_t constant)
{
  static const unsigned char turns[25] = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                                          25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};
  uint64_t c[5], b[25];
  for (unsigned x = 0; x < 5; x++) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
  for (unsigned i = 0; i < 25; i++) a[i] ^= c[(i % 5 + 4) % 5] ^ rotate(c[(i % 5 + 1) % 5], 1);
  for (unsigned i = 0; i < 25; i++) {
    unsigned x = i % 5, y = i / 5;
    b[(2 * x + 3 * y) % 5 * 5 + y] = rotate(a[i], turns[i]);
  }
  for (unsigned i = 0; i < 25; i++) a[i] = b[i] ^ (~b[i / 5 * 5 + (i + 1) % 5] & b[i / 5 * 5 + (i + 2) % 5]);
  a[0] ^= constant;
}

/* Keccak-256 with its first padding, as Ethereum and Monero use it; of at most 135 bytes. */
static void keccak256(const unsigned char *p, size_t n, unsigned char out[32])
{
  static const uint64_t constants[24] = {
      0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B, 0x0000000080000001,
      0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
      0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
      0x000000000000800A, 0x800000008000000A, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};
  unsigned char block[136] = {0};
  uint64_t a[25] = {0};
  assert(n < sizeof block);
  memcpy(block, p, n);
  block[n] ^= 0x01;
  block[sizeof block - 1] ^= 0x80;
  for (unsigned i = 0; i < sizeof block; i++) a[i / 8] |= (uint64_t)block[i] << i % 8 * 8;
  for (unsigned i = 0; i < 24; i++) keccak_round(a, constants[i]);
  for (unsigned i = 0; i < 32; i++) out[i] = (unsigned char)(a[i / 8] >> i % 8 * 8);
}

/* EIP-55: a letter is a capital where the hash of the small ones has a digit of 8 and more. In one case alone, there is nothing to check. */
bool ethereum_checks(struct str hex)
{
  unsigned char small[40], hash[32];
  bool up = false, down = false, right = true;
  if (hex.n != 40) return false;
  for (size_t i = 0; i < 40; i++) small[i] = (unsigned char)(hex.p[i] >= 'A' ? hex.p[i] | 32 : hex.p[i]);
  keccak256(small, 40, hash);
  for (size_t i = 0; i < 40; i++) {
    if (small[i] < 'a') continue;
    bool capital = hex.p[i] < 'a', wanted = (hash[i / 2] >> (i % 2 ? 0 : 4) & 15) >= 8;
    up |= capital;
    down |= !capital;
    right &= capital == wanted;
  }
  return right || !up || !down;
}

/* A block of base 58 that holds n bytes, most significant first. False: a byte that is no digit, or too much for n bytes. */
static bool monero_block(struct str s, unsigned n, unsigned char *out)
{
  uint64_t value = 0;
  for (size_t i = 0; i < s.n; i++) {
    int digit = digit_in(bitcoin, 58, s.p[i]);
    if (digit < 0 || value > (UINT64_MAX - (uint64_t)digit) / 58) return false;
    value = value * 58 + (uint64_t)digit;
  }
  if (n < 8 && value >> 8 * n) return false;
  for (unsigned i = 0; i < n; i++) out[i] = (unsigned char)(value >> 8 * (n - 1 - i));
  return true;
}

/* Blocks of 11 digits hold 8 bytes, the last 7 hold 5: a network's byte, two keys (and in 106 digits a payment's id), and 4 bytes of the hash of that. */
bool monero_checks(struct str s)
{
  unsigned char bytes[80], hash[32];
  size_t n = s.n == 95 ? 69 : s.n == 106 ? 77 : 0;
  if (!n) return false;
  for (size_t i = 0; i * 11 < s.n; i++) {
    size_t rest = s.n - i * 11;
    if (!monero_block(str_cut(s, i * 11, i * 11 + (rest < 11 ? rest : 11)), rest < 11 ? 5 : 8, bytes + i * 8)) return false;
  }
  keccak256(bytes, n - 4, hash);
  return memcmp(hash, bytes + n - 4, 4) == 0;
}

/* 35 bytes in base 32 (RFC 4648): what it is, 32 bytes, and their CRC-16 (XModem), least byte first. */
bool stellar_checks(struct str s, char kind)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  unsigned char bytes[35] = {0};
  if (s.n != 56 || s.p[0] != kind) return false;
  for (unsigned i = 0; i < 280; i++) {
    int digit = digit_in(digits, 32, s.p[i / 5]);
    if (digit < 0) return false;
    if (digit >> (4 - i % 5) & 1) bytes[i / 8] |= (unsigned char)(0x80 >> i % 8);
  }
  unsigned crc = 0;
  for (unsigned i = 0; i < 33 * 8; i++) {
    unsigned bit = bytes[i / 8] >> (7 - i % 8) & 1, top = crc >> 15 & 1;
    crc = (crc << 1 & 0xFFFF) ^ (bit ^ top ? 0x1021 : 0);
  }
  return crc == (bytes[33] | (unsigned)bytes[34] << 8);
}
