/*
 * Keys to money: seed phrases (BIP-39) and private keys, told by real checksums (those of one word are in coins.c). Phrases and keys without a mark of their own are looked for after a word that announces them.
 */
#include "detect/detect.h"
#include <sodium.h>

static const char words[2048][9] = {
#include "detect/bip39_words.inc"
};

enum { PHRASE_GAP = 160, PHRASE_MAX = 24, PHRASE_MIN = 12, JOINT_MAX = 8 };

static bool is_lower(int c)
{
  return c >= 'a' && c <= 'z';
}

static bool is_letter(int c)
{
  return is_lower(c | 32) && c < 0x80 && c > 0;
}

/* A word's number, or -1. */
static int word_number(struct str s)
{
  char word[9] = {0};
  if (s.n < 3 || s.n > 8) return -1;
  for (size_t i = 0; i < s.n; i++) word[i] = (char)(s.p[i] | 32);
  int lo = 0, hi = 2047;
  while (lo <= hi) {
    int mid = (lo + hi) / 2, c = memcmp(word, words[mid], 9);
    if (c == 0) return mid;
    if (c < 0) hi = mid - 1;
    else lo = mid + 1;
  }
  return -1;
}

/* 12, 15, 18, 21 or 24 words: 11 bits each, the last n / 3 bits are the beginning of the SHA-256 of those before. */
static bool phrase_checks(const int *numbers, unsigned n)
{
  unsigned char bytes[33] = {0}, hash[crypto_hash_sha256_BYTES];
  if (n % 3 || n < PHRASE_MIN || n > PHRASE_MAX) return false;
  for (unsigned i = 0; i < n * 11; i++)
    if (numbers[i / 11] >> (10 - i % 11) & 1) bytes[i / 8] |= (unsigned char)(0x80 >> i % 8);
  unsigned entropy_bytes = n * 4 / 3, check = n / 3;
  crypto_hash_sha256(hash, bytes, entropy_bytes);
  return bytes[entropy_bytes] >> (8 - check) == hash[0] >> (8 - check);
}

struct phrase {
  uint64_t start[PHRASE_MAX + 1], end[PHRASE_MAX + 1];
  int number[PHRASE_MAX + 1];
  unsigned n;
};

/* The part of the run whose checksum is right, else all of it. */
static bool settle_phrase(const struct phrase *p, struct found *out)
{
  if (p->n < PHRASE_MIN) return false;
  out->start = p->start[0];
  out->end = p->end[p->n - 1];
  out->why = WHY_NAME | WHY_FORMAT;
  out->confidence = 75;
  out->reason = "twelve words and more of the BIP-39 list in a row";
  for (unsigned n = p->n; n >= PHRASE_MIN; n--)
    for (unsigned from = 0; from + n <= p->n; from++) {
      if (!phrase_checks(p->number + from, n)) continue;
      out->start = p->start[from];
      out->end = p->end[from + n - 1];
      out->why |= WHY_CHECKSUM;
      out->confidence = 95;
      out->reason = "a seed phrase: words of the BIP-39 list, and its checksum is right";
      return true;
    }
  return true;
}

static uint64_t word_end(struct look *l, uint64_t i)
{
  uint64_t end = i;
  while (end < i + 9 && is_letter(look_at(l, end))) end++;
  return end;
}

/* Blanks, line ends, commas, numbers before each word. */
static uint64_t skip_joint(struct look *l, uint64_t i)
{
  uint64_t stop = i + JOINT_MAX;
  while (i < stop && look_at(l, i) >= 0 && !is_letter(look_at(l, i))) i++;
  return i;
}

bool check_seed_phrase(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  struct phrase p = {.n = 0};
  l->hold = l->gate_end;
  for (uint64_t i = l->gate_end; p.n || i < l->gate_end + PHRASE_GAP;) {
    if (p.n == 0) l->hold = i;
    uint64_t end = word_end(l, i);
    int number = word_number(look_span(l, i, end));
    if (l->starved) return false;
    if (number < 0 || p.n == PHRASE_MAX) {
      if (p.n >= PHRASE_MIN) break;
      p.n = 0;
      if (number < 0) {
        while (end < i + 64 && is_letter(look_at(l, end))) end++;
        uint64_t next = skip_joint(l, end);
        if (next == i || look_at(l, next) < 0) return false;
        i = next;
        continue;
      }
    }
    p.start[p.n] = i;
    p.end[p.n] = end;
    p.number[p.n++] = number;
    i = skip_joint(l, end);
    if (i == end) break;
  }
  return !l->starved && settle_phrase(&p, out);
}

static bool is_hex(int c)
{
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool all_hex(struct str s)
{
  for (size_t i = 0; i < s.n; i++)
    if (!is_hex(s.p[i])) return false;
  return true;
}

/* A key of the right form: 64 hexadecimal digits, WIF, or a seed with its checksum. */
static bool is_wallet_key(struct str s, struct found *out)
{
  bool wif = (s.n == 51 && s.p[0] == '5') || (s.n == 52 && (s.p[0] == 'K' || s.p[0] == 'L' || s.p[0] == 'c'));
  out->why = WHY_NAME | WHY_FORMAT;
  if (wif && base58_checks(s)) {
    out->why |= WHY_CHECKSUM;
    out->confidence = 95;
    out->reason = "a private key in Base58Check; the checksum is right";
    return true;
  }
  if (ripple_checks(s, 33, 16) || ripple_seed_checks(s) || stellar_checks(s, 'S')) {
    out->why |= WHY_CHECKSUM;
    out->confidence = 95;
    out->reason = "a seed of Ripple or Stellar; the checksum is right";
    return true;
  }
  out->reason = "64 hexadecimal digits after a private key's name";
  return s.n == 64 && all_hex(s) && entropy(s) >= 3.2;
}

bool check_wallet_key(const struct rule *r, struct look *l, struct found *out)
{
  (void)r;
  for (uint64_t i = l->gate_end; i < l->gate_end + 64;) {
    l->hold = i;
    uint64_t end = i;
    while (end < i + 130 && byte_is_word(look_at(l, end))) end++;
    if (l->starved) return false;
    struct str s = look_span(l, i, end);
    if (s.n == 66 && str_starts(s, STR("0x"))) s = str_cut(s, 2, s.n);
    if (s.n >= 29 && is_wallet_key(s, out)) {
      out->start = end - s.n;
      out->end = end;
      return found_sure(out, s, out->confidence);
    }
    if (look_at(l, end) < 0) return false;
    i = end + 1;
  }
  return false;
}
