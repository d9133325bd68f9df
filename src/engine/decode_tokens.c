/*
 * Encodings that turn bytes into one long word: base64, base32, base16, base85, uuencode.
 *
 * A word is tried as it stands and, when it gives nothing, turned round and with its letters turned (ROT13, Atbash): letters of an encoded
 * word are no language, so the decoder of those ciphers cannot see that they were turned. Only what looks like text is kept.
 */
#include "engine/decode_inside.h"

enum { TOKEN_MIN = 8, TURNED_MIN = 24, WRAP_MIN = 32, PART_MIN = 16, PROBE = 48 };

static int digit64(unsigned char c)
{
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static int digit32(unsigned char c)
{
  return is_letter(c) ? (c | 32) - 'a' : c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

static int digit16(unsigned char c)
{
  return hex_value(c);
}

/* Digits of `bits` bits to bytes, until the token ends; false at a byte that is no digit. Line breaks were taken out before. */
static bool unpack(struct buf *out, struct str s, int (*digit)(unsigned char), unsigned bits)
{
  uint32_t acc = 0;
  unsigned have = 0;
  for (size_t i = 0; i < s.n; i++) {
    int v = digit((unsigned char)s.p[i]);
    if (v < 0) return false;
    acc = acc << bits | (uint32_t)v;
    have += bits;
    if (have < 8) continue;
    have -= 8;
    buf_byte(out, (char)(acc >> have));
  }
  return true;
}

struct base {
  enum decoder_id id;
  int (*digit)(unsigned char);
  unsigned bits, group; /* digits to a whole group of bytes */
};

static const struct base bases[] = {
    {DECODER_HEX, digit16, 4, 2}, {DECODER_BASE32, digit32, 5, 8}, {DECODER_BASE64, digit64, 6, 4}};

/* UTF-16 of ASCII, as some shells take it: every second byte is zero. */
static void narrow(struct buf *b, size_t at)
{
  size_t n = b->n - at;
  if (n < 8 || n % 2) return;
  for (size_t i = at + 1; i < b->n; i += 2)
    if (b->p[i]) return;
  for (size_t i = 0; i < n / 2; i++) b->p[at + i] = b->p[at + 2 * i];
  b->n = at + n / 2;
}

/* A number of digits that no encoder leaves. */
static bool odd_length(const struct base *b, size_t n)
{
  size_t rest = n % b->group;
  return b->bits == 4 ? rest == 1 : b->bits == 6 ? rest == 1 : rest == 1 || rest == 3 || rest == 6;
}

/* Decodes into out, leaving it only when it looks like text. The first bytes are tried alone, so that a key costs little. */
static bool try_base(struct decode_work *w, const struct base *b, struct str token)
{
  size_t at = w->out.n;
  if (odd_length(b, token.n)) token.n--;
  struct str probe = token.n > PROBE * 2 ? str_cut(token, 0, PROBE) : token;
  w->work += token.n;
  for (unsigned pass = 0; pass < 2; pass++) {
    struct str part = pass ? token : probe;
    w->out.n = at;
    if (!unpack(&w->out, part, b->digit, b->bits)) break;
    narrow(&w->out, at);
    if (!pass && probe.n < token.n) piece_trim(w, at);
    if (!piece_looks_right(w, at)) break;
    if (probe.n == token.n || pass) return true;
  }
  w->out.n = at;
  return false;
}

/* Eight characters of base64 have both cases, as good as always; base16 of text has digits; base32 has one case. */
static bool may_be(const struct base *b, unsigned kinds)
{
  bool both = kinds & IS_UPPER && kinds & IS_LOWER;
  return b->id == DECODER_BASE64 ? both : b->id == DECODER_BASE32 ? !both : (kinds & IS_DIGIT) != 0;
}

static const struct base *try_bases(struct decode_work *w, struct str token, unsigned kinds)
{
  for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
    if (may_be(&bases[i], kinds) && try_base(w, &bases[i], token)) return &bases[i];
  return NULL;
}

/* The token turned; of a long one the beginning first, which for one that is turned round is its end. */
static const struct base *try_turned(struct decode_work *w, struct str token, enum decoder_id how, unsigned kinds)
{
  size_t at = w->out.n;
  const struct base *b = NULL;
  struct str part = token;
  if (token.n > 2 * PROBE) part = how == DECODER_REVERSED ? str_cut(token, token.n - PROBE, token.n) : str_cut(token, 0, PROBE);
  for (unsigned pass = part.n == token.n; pass < 2; pass++) {
    w->out.n = at;
    buf_reset(&w->scratch);
    put_turned(&w->scratch, pass ? token : part, how);
    b = try_bases(w, buf_str(&w->scratch), kinds);
    if (!b) return NULL;
  }
  return b;
}

/* bytes: the token without line breaks; it stands at [start, end). */
static bool take_token(struct decode_work *w, struct str bytes, size_t start, size_t end)
{
  unsigned kinds = kinds_of(bytes);
  bool mixed = (kinds & IS_UPPER && kinds & IS_LOWER) || kinds & IS_DIGIT;
  static const enum decoder_id turns[] = {DECODER_ROT13, DECODER_ATBASH, DECODER_REVERSED};
  size_t at = w->out.n;
  const struct base *b = try_bases(w, bytes, kinds);
  if (b) {
    piece_add(w, b->id, start, end, at, false);
    return true;
  }
  for (size_t i = 0; i < 3 && mixed && bytes.n >= TURNED_MIN; i++) {
    b = try_turned(w, bytes, turns[i], kinds);
    if (!b) continue;
    struct piece p = {.start = (uint32_t)start, .end = (uint32_t)end, .at = (uint32_t)at, .n_layers = 2};
    p.layers[0] = (uint8_t)turns[i];
    p.layers[1] = (uint8_t)b->id;
    piece_add_full(w, p);
    return true;
  }
  return false;
}

/* A line of a wrapped token ends here and another follows; returns how many bytes to skip. */
static size_t wrapped(struct str s, size_t i, size_t line)
{
  size_t n = 0;
  if (line < WRAP_MIN) return 0;
  if (i + n < s.n && s.p[i + n] == '\r') n++;
  if (i + n >= s.n || s.p[i + n] != '\n') return 0;
  n++;
  while (n < 10 && i + n < s.n && (s.p[i + n] == ' ' || s.p[i + n] == '>')) n++;
  return i + n < s.n && digit64((unsigned char)s.p[i + n]) >= 0 ? n : 0;
}

/* Gathers the token that begins at i into line; returns where it ends, padding included. */
static size_t gather(struct decode_work *w, size_t i, size_t end, struct buf *line)
{
  struct str s = w->in;
  size_t since = i, skip;
  buf_reset(line);
  while (i < end) {
    if (byte_kinds[(unsigned char)s.p[i]] & IS_BASE64) {
      i++;
      continue;
    }
    buf_put(line, str_cut(s, since, i));
    skip = wrapped(s, i, i - since);
    since = i = i + skip;
    if (!skip) break;
  }
  if (i > since) buf_put(line, str_cut(s, since, i));
  for (size_t pad = 0; pad < 6 && i < s.n && s.p[i] == '='; pad++) i++;
  return i;
}

/* Padding stands in front of a token that was turned round. */
static size_t before(struct str s, size_t i)
{
  for (size_t pad = 0; pad < 6 && i && s.p[i - 1] == '='; pad++) i--;
  return i;
}

/* A path or a name made of several words: each is tried alone. */
static void take_parts(struct decode_work *w, struct str bytes, size_t start, size_t end)
{
  if (bytes.n != end - start) return;
  for (size_t i = 0; i < bytes.n;) {
    size_t k = i;
    while (k < bytes.n && (is_letter((unsigned char)bytes.p[k]) || is_digit((unsigned char)bytes.p[k]))) k++;
    if (k - i >= PART_MIN && k - i < bytes.n) take_token(w, str_cut(bytes, i, k), start + i, start + k);
    i = k + 1;
  }
}

static void take_region(struct decode_work *w, struct region r, struct buf *line)
{
  struct str s = w->in;
  size_t i = r.start, end = s.n;
  while (i > 0 && digit64((unsigned char)s.p[i - 1]) >= 0 && i + 256 > r.start) i--;
  while (i < r.end) {
    if (!(byte_kinds[(unsigned char)s.p[i]] & IS_BASE64)) {
      i++;
      continue;
    }
    size_t stop = gather(w, i, end, line);
    size_t n = line->n;
    if (n >= TOKEN_MIN && !take_token(w, buf_str(line), before(s, i), stop)) {
      size_t bare = stop;
      while (bare > i && s.p[bare - 1] == '=') bare--;
      take_parts(w, buf_str(line), i, bare);
    }
    w->work += stop - i;
    i = stop > i ? stop : i + 1;
  }
}

void decode_tokens(struct decode_work *w)
{
  struct buf line = {0};
  for (size_t i = 0; i < w->n_odd; i++) take_region(w, w->odd[i], &line);
  w->failed |= line.failed;
  buf_finish(&line);
}
